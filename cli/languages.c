/* languages.c - see languages.h. The small list (ISO 639-2) has nearly all
 * that people write; the large one (639-3) is read when a code is not in it. */
#include "cli/languages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/look.h"
#include "cli/rows.h"
#include "store/query.h"

#define CODE_MAX 3
#define CODE_LETTERS "abcdefghijklmnopqrstuvwxyz"
#define FILE_MAX_BYTES (1 << 20)

struct language {
    char code[CODE_MAX + 1];
    const char *name;
};

struct list {
    bool loaded;
    struct language *items; /* by code */
    size_t count;
};

struct languages {
    struct list lists[2];
    struct ent_arena arena;
};

static const struct {
    const char *json, *french, *sql;
} files[] = {
    {"/usr/share/iso-codes/json/iso_639-2.json",
     "/usr/share/locale/fr/LC_MESSAGES/iso_639-2.mo",
     "SELECT value ->> '$.alpha_2' AS code, value ->> '$.name'"
     "  FROM json_each(:json, '$.639-2') WHERE code IS NOT NULL"
     " UNION SELECT value ->> '$.alpha_3', value ->> '$.name'"
     "  FROM json_each(:json, '$.639-2') ORDER BY 1"},
    {"/usr/share/iso-codes/json/iso_639-3.json",
     "/usr/share/locale/fr/LC_MESSAGES/iso_639-3.mo",
     "SELECT value ->> '$.alpha_3' AS code, value ->> '$.name'"
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

/* "Spanish; Castilian": the first will do. */
static const char *keep_name(struct languages *all, struct ent_slice name)
{
    const uint8_t *end = name.len == 0 ? NULL : memchr(name.at, ';', name.len);

    if (end != NULL)
        name.len = (size_t)(end - name.at);
    return (const char *)ent_arena_copy(&all->arena, name).at;
}

static void take_row(struct cmd_ctx *ctx, struct languages *all,
                     struct list *list, const struct catalogue *french,
                     struct ent_query *query)
{
    struct language *item = &list->items[list->count];
    struct ent_slice name = {0};
    const char *english;

    if (strlen(ent_query_text(query, 0)) > CODE_MAX)
        return;
    snprintf(item->code, sizeof(item->code), "%s", ent_query_text(query, 0));
    english = ent_query_text(query, 1);
    if (ctx->lang == ENT_LANG_FR)
        name = catalogue_find(french, ent_slice_str(english));
    item->name = keep_name(all, name.len > 0 ? name : ent_slice_str(english));
    if (item->name != NULL)
        list->count++;
}

/* What cannot be read is not installed: then codes are shown. */
static void load(struct cmd_ctx *ctx, struct languages *all, size_t which)
{
    struct list *list = &all->lists[which];
    struct catalogue french = {0};
    struct ent_buf json = {0};
    struct ent_query *query = NULL;
    struct ent_err err;

    list->loaded = true;
    if (rows_read_text(files[which].json, FILE_MAX_BYTES, &json, &err) == 0 &&
        ent_buf_cstr(&json) != NULL &&
        ent_query_json(ent_buf_cstr(&json), files[which].sql, &query, &err) ==
            0) {
        if (ctx->lang == ENT_LANG_FR)
            catalogue_open(&french, files[which].french);
        list->items =
            ENT_ARENA_NEW(&all->arena, struct language, CATALOGUE_TEXTS_MAX);
        while (list->items != NULL && list->count < CATALOGUE_TEXTS_MAX &&
               ent_query_next(query, &err) > 0)
            take_row(ctx, all, list, &french, query);
        catalogue_fini(&french);
    }
    ent_query_close(query);
    ent_buf_fini(&json);
}

void languages_free(struct cmd_ctx *ctx)
{
    if (ctx->languages == NULL)
        return;
    ent_arena_fini(&ctx->languages->arena);
    free(ctx->languages);
    ctx->languages = NULL;
}

/* ------------------------------------------------------------------ asking */

static int by_code(const void *key, const void *item)
{
    return strcmp(key, ((const struct language *)item)->code);
}

const char *languages_name(struct cmd_ctx *ctx, const char *code)
{
    if (strlen(code) < 2 || strlen(code) > CODE_MAX)
        return NULL;
    if (ctx->languages == NULL)
        ctx->languages = calloc(1, sizeof(*ctx->languages));
    for (size_t i = 0; ctx->languages != NULL && i < ENT_ARRAY_LEN(files);
         i++) {
        struct list *list = &ctx->languages->lists[i];
        const struct language *found;

        if (!list->loaded)
            load(ctx, ctx->languages, i);
        found = list->count == 0 ? NULL
                                 : bsearch(code, list->items, list->count,
                                           sizeof(*list->items), by_code);
        if (found != NULL)
            return found->name;
    }
    return NULL;
}

/* The strings of a JSON array of codes become names; what is no code, and
 * whatever else stands there, stays. */
static void put_names(struct cmd_ctx *ctx, const char *json,
                      struct ent_buf *buf)
{
    char code[CODE_MAX + 1];

    while (*json != '\0') {
        size_t len = *json == '"' ? strspn(json + 1, CODE_LETTERS) : 0;
        const char *name = NULL;

        if (len > 0 && len <= CODE_MAX && json[1 + len] == '"') {
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
