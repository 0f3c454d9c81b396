/* languages.c - see languages.h. The small list (ISO 639-2) has nearly all
 * that people write; the large one (639-3) is read when a code or name is not
 * in it. */
#include "cli/languages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/iso.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/rows.h"
#include "store/query.h"
#include "text/unicode.h"

#define CODE_LETTERS "abcdefghijklmnopqrstuvwxyz"
#define FILE_MAX_BYTES (1 << 20)
#define WORD_SHOWN 60

struct language {
    char code[ISO_CODE];
    char kept[ISO_CODE]; /* what is written for it: fr for fra */
    const char *name[ENT_LANG_COUNT];
};

struct list {
    bool loaded;
    struct language *items; /* by code */
    size_t count;
    struct iso_names names;
};

struct languages {
    struct list lists[2];
};

static const struct {
    const char *json, *french, *sql;
} files[] = {
    {"/usr/share/iso-codes/json/iso_639-2.json",
     "/usr/share/locale/fr/LC_MESSAGES/iso_639-2.mo",
     "WITH l AS (SELECT value ->> '$.alpha_2' AS two,"
     "  value ->> '$.alpha_3' AS three, value ->> '$.bibliographic' AS old,"
     "  value ->> '$.name' AS name, value ->> '$.common_name' AS common"
     "  FROM json_each(:json, '$.639-2'))"
     " SELECT two, two, name, common FROM l WHERE two IS NOT NULL"
     " UNION SELECT three, coalesce(two, three), name, common FROM l"
     " UNION SELECT old, coalesce(two, three), name, common FROM l"
     "  WHERE old IS NOT NULL ORDER BY 1"},
    {"/usr/share/iso-codes/json/iso_639-3.json",
     "/usr/share/locale/fr/LC_MESSAGES/iso_639-3.mo",
     "SELECT value ->> '$.alpha_3',"
     "  coalesce(value ->> '$.alpha_2', value ->> '$.alpha_3'),"
     "  value ->> '$.name', value ->> '$.common_name'"
     "  FROM json_each(:json, '$.639-3') ORDER BY 1"},
};

bool languages_in(const struct ent_field *field)
{
    return field->type == ENT_TYPE_CODE &&
           (strcmp(field->name, "language") == 0 ||
            strcmp(field->name, "languages") == 0 ||
            (field->hxl != NULL && strstr(field->hxl, "+language") != NULL &&
             strstr(field->hxl, "+code") != NULL));
}

/* ----------------------------------------------------------------- loading */

/* Of "Spanish; Castilian" each is a name; the first one as kept. */
static const char *put_names_of(struct list *list, struct ent_slice names,
                                const char *code)
{
    const char *first = NULL;

    while (names.len > 0) {
        const uint8_t *end = memchr(names.at, ';', names.len);
        size_t len = end == NULL ? names.len : (size_t)(end - names.at);
        struct ent_slice name = ent_slice(names.at, len);
        const char *kept;

        while (name.len > 0 && name.at[0] == ' ')
            name = ent_slice(name.at + 1, name.len - 1);
        kept = iso_put(&list->names, name, code);
        first = first == NULL ? kept : first;
        len += end != NULL;
        names = ent_slice(names.at + len, names.len - len);
    }
    return first;
}

static void take_row(struct list *list, const struct catalogue *french,
                     struct ent_query *query)
{
    struct language *item = &list->items[list->count];

    if (strlen(ent_query_text(query, 0)) >= ISO_CODE)
        return;
    snprintf(item->code, ISO_CODE, "%s", ent_query_text(query, 0));
    snprintf(item->kept, ISO_CODE, "%s", ent_query_text(query, 1));
    for (size_t i = 3; i >= 2; i--) {
        struct ent_slice english = ent_slice_str(ent_query_text(query, i));
        struct ent_slice said = catalogue_find(french, english);

        if (english.len == 0)
            continue;
        item->name[ENT_LANG_EN] = put_names_of(list, english, item->kept);
        item->name[ENT_LANG_FR] =
            put_names_of(list, said.len > 0 ? said : english, item->kept);
    }
    if (item->name[ENT_LANG_EN] != NULL && item->name[ENT_LANG_FR] != NULL)
        list->count++;
}

/* What cannot be read is not installed: then every code is one. */
static void load(struct list *list, size_t which)
{
    struct catalogue french = {0};
    struct ent_buf json = {0};
    struct ent_query *query = NULL;
    struct ent_err err;

    list->loaded = true;
    if (rows_read_text(files[which].json, FILE_MAX_BYTES, &json, &err) == 0 &&
        ent_buf_cstr(&json) != NULL &&
        ent_query_json(ent_buf_cstr(&json), files[which].sql, &query, &err) ==
            0) {
        catalogue_open(&french, files[which].french);
        list->items = ENT_ARENA_NEW(&list->names.arena, struct language,
                                    CATALOGUE_TEXTS_MAX);
        while (list->items != NULL && list->count < CATALOGUE_TEXTS_MAX &&
               ent_query_next(query, &err) > 0)
            take_row(list, &french, query);
        catalogue_fini(&french);
        iso_sort(&list->names);
    }
    ent_query_close(query);
    ent_buf_fini(&json);
}

/* The list number `which`, NULL: no memory. */
static const struct list *list_of(struct cmd_ctx *ctx, size_t which)
{
    if (ctx->languages == NULL)
        ctx->languages = calloc(1, sizeof(*ctx->languages));
    if (ctx->languages == NULL)
        return NULL;
    if (!ctx->languages->lists[which].loaded)
        load(&ctx->languages->lists[which], which);
    return &ctx->languages->lists[which];
}

void languages_free(struct cmd_ctx *ctx)
{
    if (ctx->languages == NULL)
        return;
    for (size_t i = 0; i < ENT_ARRAY_LEN(files); i++)
        iso_fini(&ctx->languages->lists[i].names);
    free(ctx->languages);
    ctx->languages = NULL;
}

/* ------------------------------------------------------------------ asking */

static int by_code(const void *key, const void *item)
{
    return strcmp(key, ((const struct language *)item)->code);
}

static const struct language *find(struct cmd_ctx *ctx, const char *code)
{
    const struct language *found = NULL;

    if (strlen(code) < 2 || strlen(code) >= ISO_CODE)
        return NULL;
    for (size_t i = 0; found == NULL && i < ENT_ARRAY_LEN(files); i++) {
        const struct list *list = list_of(ctx, i);

        if (list != NULL && list->count > 0)
            found = bsearch(code, list->items, list->count,
                            sizeof(*list->items), by_code);
    }
    return found;
}

const char *languages_name(struct cmd_ctx *ctx, const char *code)
{
    const struct language *found = find(ctx, code);

    return found == NULL ? NULL : found->name[ctx->lang];
}

/* ------------------------------------------------------------------ reading */

/* Without the list every code of two or three letters is one. */
static bool is_code(struct cmd_ctx *ctx, const char *code, char kept[ISO_CODE])
{
    const struct language *found = find(ctx, code);
    const struct list *list = list_of(ctx, 0);
    bool local = strlen(code) == 3 && code[0] == 'q' && code[1] <= 't';

    if (found != NULL)
        memcpy(kept, found->kept, ISO_CODE);
    else
        memcpy(kept, code, strlen(code) + 1);
    return found != NULL || local || list == NULL || list->count == 0;
}

/* What follows the language in a tag (BCP 47): a script Latn, a region BI, and
 * others, each of letters and digits behind a hyphen. */
static bool put_subtags(struct ent_slice rest, char *tag)
{
    size_t len = strlen(tag);

    while (rest.len > 0) {
        size_t n = 1;

        while (n < rest.len && rest.at[n] != '-')
            n++;
        if (rest.at[0] != '-' || n < 3 || n > 9 || len + n >= LANGUAGES_TAG)
            return false;
        tag[len++] = '-';
        for (size_t i = 1; i < n; i++) {
            uint8_t byte = rest.at[i];
            bool small = byte >= 'a' && byte <= 'z';
            bool great = byte >= 'A' && byte <= 'Z';
            bool raised = n == 3 || (n == 5 && i == 1);

            if (!small && !great && (byte < '0' || byte > '9'))
                return false;
            if (small && raised)
                byte = (uint8_t)(byte - 'a' + 'A');
            else if (great && !raised)
                byte = (uint8_t)(byte - 'A' + 'a');
            tag[len++] = (char)byte;
        }
        rest = ent_slice(rest.at + n, rest.len - n);
    }
    tag[len] = '\0';
    return true;
}

static bool read_tag(struct cmd_ctx *ctx, struct ent_slice text,
                     char tag[LANGUAGES_TAG])
{
    char code[ISO_CODE] = "";
    size_t len = 0;

    while (len < text.len && len < ISO_CODE && text.at[len] != '-') {
        uint8_t byte = text.at[len];

        if (byte >= 'A' && byte <= 'Z')
            byte = (uint8_t)(byte - 'A' + 'a');
        if (byte < 'a' || byte > 'z' || len + 1 == ISO_CODE)
            return false;
        code[len++] = (char)byte;
    }
    return len >= 2 && is_code(ctx, code, tag) &&
           put_subtags(ent_slice(text.at + len, text.len - len), tag);
}

static int refuse_several(struct cmd_ctx *ctx, const struct iso_name *names,
                          size_t count, const char *word, struct ent_err *err)
{
    struct ent_buf list = {0};
    const char *text;

    for (size_t i = 0; i < count; i++) {
        const char *name = languages_name(ctx, names[i].code);

        ent_buf_printf(&list, "%s%s (%s)", i == 0 ? "" : ", ", names[i].code,
                       name == NULL ? names[i].text : name);
    }
    text = ent_buf_cstr(&list);
    ent_err_set(err, ENT_EREFUSED,
                "several languages are called \"%s\"; write the code of one: "
                "%s",
                word, text == NULL ? "" : text);
    ent_buf_fini(&list);
    return ENT_EREFUSED;
}

static int refuse(struct cmd_ctx *ctx, struct ent_slice text, const char *word,
                  struct ent_err *err)
{
    const struct list *list = list_of(ctx, 0);
    const struct iso_name *name =
        list == NULL ? NULL : iso_near(&list->names, text);
    struct pick_near near = {0};

    if (name != NULL)
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%s\" is no language; did you mean %s (%s)?", word,
                           name->code, name->text);
    for (size_t i = 0; list != NULL && i < list->count; i++)
        pick_offer(&near, word, list->items[i].kept);
    if (near.name != NULL)
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%s\" is no language; did you mean %s (%s)?", word,
                           near.name, languages_name(ctx, near.name));
    return ent_err_set(err, ENT_EREFUSED,
                       "\"%s\" is no language; write its ISO 639 code, such as "
                       "fr, or its name in English or French",
                       word);
}

int languages_read(struct cmd_ctx *ctx, struct ent_slice text,
                   char tag[LANGUAGES_TAG], struct ent_err *err)
{
    char word[WORD_SHOWN + 1] = "";

    while (text.len > 0 && text.at[0] == ' ')
        text = ent_slice(text.at + 1, text.len - 1);
    while (text.len > 0 && text.at[text.len - 1] == ' ')
        text.len--;
    if (read_tag(ctx, text, tag))
        return 0;
    memcpy(word, text.at, (size_t)ent_text_shown(text, WORD_SHOWN));
    for (size_t i = 0; i < ENT_ARRAY_LEN(files); i++) {
        const struct list *list = list_of(ctx, i);
        const struct iso_name *found;
        size_t count = 0;

        if (list == NULL)
            return ent_err_set(err, ENT_ENOMEM, "out of memory");
        found = iso_find(&list->names, text, &count);
        if (count > 1)
            return refuse_several(ctx, found, count, word, err);
        if (count == 1) {
            memcpy(tag, found->code, ISO_CODE);
            return 0;
        }
    }
    return refuse(ctx, text, word, err);
}

/* ------------------------------------------------------------------- saying */

/* The strings of a JSON array of codes become names; what is no code, and
 * whatever else stands there, stays. */
static void put_names(struct cmd_ctx *ctx, const char *json,
                      struct ent_buf *buf)
{
    char code[ISO_CODE];

    while (*json != '\0') {
        size_t len = *json == '"' ? strspn(json + 1, CODE_LETTERS) : 0;
        const char *name = NULL;

        if (len > 0 && len < ISO_CODE && json[1 + len] == '"') {
            memcpy(code, json + 1, len);
            code[len] = '\0';
            name = languages_name(ctx, code);
        }
        if (name != NULL) {
            out_json_string(buf, name);
            json += len + 2;
        } else {
            ent_buf_put_u8(buf, (uint8_t)*json++);
        }
    }
}

const char *languages_said(struct cmd_ctx *ctx, bool several, const char *text,
                           struct ent_buf *buf)
{
    const char *said = NULL;

    if (text == NULL || look_for_program(ctx))
        return text;
    ent_buf_reset(buf);
    if (several) {
        put_names(ctx, text, buf);
        said = ent_buf_cstr(buf);
    } else {
        said = languages_name(ctx, text);
    }
    return said == NULL ? text : said;
}
