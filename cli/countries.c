/* countries.c - see countries.h. */
#include "cli/countries.h"

#include <stdlib.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/iso.h"
#include "cli/pick.h"
#include "cli/rows.h"
#include "store/query.h"
#include "text/unicode.h"

#define ISO_JSON "/usr/share/iso-codes/json/iso_3166-1.json"
#define ISO_FRENCH "/usr/share/locale/fr/LC_MESSAGES/iso_3166-1.mo"
#define FILE_MAX_BYTES (1 << 20)
#define COUNTRIES_MAX 2500

struct country {
    char code[COUNTRIES_CODE];
    const char *name[ENT_LANG_COUNT];
};

struct countries {
    struct country *list; /* of ISO, by code */
    size_t count;
    struct iso_names names;
};

bool countries_in(const struct ent_field *field)
{
    if (field->type != ENT_TYPE_CODE)
        return false;
    return strcmp(field->name, "iso3") == 0 ||
           (field->hxl != NULL && strncmp(field->hxl, "#country+", 9) == 0 &&
            strstr(field->hxl, "+v_iso3") != NULL);
}

/* ----------------------------------------------------------------- loading */

/* "Congo, République démocratique du" is said the other way round. */
static void put_turned(struct countries *all, struct ent_slice text,
                       const char *code)
{
    const uint8_t *comma = memmem(text.at, text.len, ", ", 2);
    struct ent_buf turned = {0};

    if (comma == NULL)
        return;
    ent_buf_put(&turned, comma + 2, (size_t)(text.at + text.len - comma - 2));
    if (turned.len > 0 && turned.at[turned.len - 1] != '\'')
        ent_buf_put_u8(&turned, ' ');
    ent_buf_put(&turned, text.at, (size_t)(comma - text.at));
    iso_put(&all->names, ent_buf_slice(&turned), code);
    ent_buf_fini(&turned);
}

/* One name and its French; the two names as kept. */
static void put_iso(struct countries *all, const struct catalogue *french,
                    const char *text, const char *code,
                    const char *kept[ENT_LANG_COUNT])
{
    struct ent_slice english = ent_slice_str(text);
    struct ent_slice translated;

    /* What stands for no text in a catalogue is about the catalogue. */
    if (english.len == 0)
        return;
    translated = catalogue_find(french, english);
    kept[ENT_LANG_EN] = iso_put(&all->names, english, code);
    kept[ENT_LANG_FR] = iso_put(&all->names, translated, code);
    put_turned(all, english, code);
    if (translated.len > 0)
        put_turned(all, translated, code);
}

static const char iso_sql[] =
    "SELECT value ->> '$.alpha_3', value ->> '$.name',"
    " value ->> '$.common_name', value ->> '$.official_name'"
    " FROM json_each(:json, '$.3166-1') ORDER BY 1";

static int load_iso(struct cmd_ctx *ctx, struct countries *all)
{
    struct catalogue french = {0};
    struct ent_buf json = {0};
    struct ent_query *query = NULL;
    const char *text;
    int rc;

    if (rows_read_text(ISO_JSON, FILE_MAX_BYTES, &json, &ctx->err) < 0 ||
        (text = ent_buf_cstr(&json)) == NULL ||
        ent_query_json(text, iso_sql, &query, &ctx->err) < 0) {
        ent_buf_fini(&json);
        return 0; /* not installed: every code is one */
    }
    catalogue_open(&french, ISO_FRENCH);
    all->list = ENT_ARENA_NEW(&all->names.arena, struct country, COUNTRIES_MAX);
    rc = all->list == NULL ? cmd_no_memory(ctx) : 0;
    while (rc == 0 && all->count < COUNTRIES_MAX &&
           ent_query_next(query, &ctx->err) > 0) {
        struct country *country = &all->list[all->count];
        const char *code = ent_query_text(query, 0);

        if (strlen(code) != COUNTRIES_CODE - 1)
            continue;
        memcpy(country->code, code, COUNTRIES_CODE);
        all->count++;
        for (size_t i = 1; i < 4; i++) {
            const char *kept[ENT_LANG_COUNT] = {0};

            put_iso(all, &french, ent_query_text(query, i), country->code,
                    kept);
            for (int lang = 0; lang < ENT_LANG_COUNT && i < 3; lang++)
                if (kept[lang] != NULL) /* the common name, else the name */
                    country->name[lang] = kept[lang];
        }
    }
    ent_query_close(query);
    ent_buf_fini(&json);
    catalogue_fini(&french);
    return rc;
}

/* The countries of the replica, with the names they go by there. */
static const char recorded_sql[] =
    "SELECT iso3, name_en FROM countries"
    " UNION SELECT iso3, name_fr FROM countries"
    " UNION SELECT c.iso3, a.value FROM countries c, json_each(c.aliases) a";

static void load_recorded(struct cmd_ctx *ctx, struct countries *all)
{
    struct ent_query *query = NULL;
    struct ent_err err;

    if (ctx->store == NULL ||
        ent_query_open(ctx->store, recorded_sql, &query, &err) < 0)
        return;
    while (ent_query_next(query, &err) > 0) {
        char code[COUNTRIES_CODE] = "";

        if (strlen(ent_query_text(query, 0)) != COUNTRIES_CODE - 1)
            continue;
        memcpy(code, ent_query_text(query, 0), COUNTRIES_CODE);
        iso_put(&all->names, ent_slice_str(ent_query_text(query, 1)), code);
    }
    ent_query_close(query);
}

static struct countries *load(struct cmd_ctx *ctx)
{
    struct countries *all = ctx->countries;

    if (all != NULL)
        return all;
    all = calloc(1, sizeof(*all));
    if (all == NULL || load_iso(ctx, all) < 0) {
        if (all != NULL)
            iso_fini(&all->names);
        free(all);
        return NULL;
    }
    load_recorded(ctx, all);
    iso_sort(&all->names);
    ctx->countries = all;
    return all;
}

void countries_free(struct cmd_ctx *ctx)
{
    if (ctx->countries == NULL)
        return;
    iso_fini(&ctx->countries->names);
    free(ctx->countries);
    ctx->countries = NULL;
}

/* ------------------------------------------------------------------ asking */

static int by_code(const void *key, const void *item)
{
    return strcmp(key, ((const struct country *)item)->code);
}

static const struct country *find(const struct countries *all, const char *code)
{
    if (all->count == 0)
        return NULL;
    return bsearch(code, all->list, all->count, sizeof(*all->list), by_code);
}

/* ISO 3166-1 section 8.1.3: AAA to AAZ, QMA to QZZ, XAA to XXZ, ZZA to ZZZ. */
static bool is_for_users(const char *code)
{
    return strncmp(code, "AA", 2) == 0 || strncmp(code, "ZZ", 2) == 0 ||
           (code[0] == 'Q' && code[1] >= 'M') ||
           (code[0] == 'X' && code[1] <= 'X');
}

static bool read_code(const struct countries *all, struct ent_slice text,
                      char code[COUNTRIES_CODE])
{
    if (text.len != COUNTRIES_CODE - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.at[i];

        if (byte >= 'a' && byte <= 'z')
            byte = (uint8_t)(byte - 'a' + 'A');
        if (byte < 'A' || byte > 'Z')
            return false;
        code[i] = (char)byte;
    }
    code[COUNTRIES_CODE - 1] = '\0';
    return all->count == 0 || find(all, code) != NULL || is_for_users(code);
}

/* Which code is meant is for people to say. */
static int refuse_several(struct cmd_ctx *ctx, const struct iso_name *names,
                          size_t count, const char *word, struct ent_err *err)
{
    struct ent_buf list = {0};
    const char *text;

    for (size_t i = 0; i < count; i++) {
        const char *name = countries_name(ctx, names[i].code);

        ent_buf_printf(&list, "%s%s (%s)", i == 0 ? "" : ", ", names[i].code,
                       name == NULL ? names[i].text : name);
    }
    text = ent_buf_cstr(&list);
    ent_err_set(
        err, ENT_EREFUSED,
        "several countries are called \"%s\"; write the code of one: %s", word,
        text == NULL ? "" : text);
    ent_buf_fini(&list);
    return ENT_EREFUSED;
}

static int refuse(const struct countries *all, struct ent_slice text,
                  const char *word, struct ent_err *err)
{
    const struct iso_name *name = iso_near(&all->names, text);
    struct pick_near near = {0};

    if (name != NULL)
        near.name = name->text;
    for (size_t i = 0; near.name == NULL && i < all->count; i++)
        pick_offer(&near, word, all->list[i].code);
    if (near.name != NULL)
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%s\" is no country; did you mean %s?", word,
                           near.name);
    return ent_err_set(err, ENT_EREFUSED,
                       "\"%s\" is no country; write its ISO 3166-1 code of "
                       "three letters, or its name in English or French",
                       word);
}

int countries_read(struct cmd_ctx *ctx, struct ent_slice text,
                   char code[COUNTRIES_CODE], struct ent_err *err)
{
    struct countries *all = load(ctx);
    const struct iso_name *found;
    char word[64] = "";
    size_t count;

    if (all == NULL)
        return ent_err_set(err, ENT_ENOMEM, "out of memory");
    while (text.len > 0 && text.at[0] == ' ')
        text = ent_slice(text.at + 1, text.len - 1);
    while (text.len > 0 && text.at[text.len - 1] == ' ')
        text.len--;
    if (read_code(all, text, code))
        return 0;
    memcpy(word, text.at, (size_t)ent_text_shown(text, sizeof(word) - 4));
    found = iso_find(&all->names, text, &count);
    if (count == 0)
        return refuse(all, text, word, err);
    if (count > 1)
        return refuse_several(ctx, found, count, word, err);
    memcpy(code, found->code, COUNTRIES_CODE);
    return 0;
}

int countries_ask(struct cmd_ctx *ctx, const char **asked,
                  char code[COUNTRIES_CODE])
{
    int rc;

    if (*asked == NULL)
        return 0;
    rc = countries_read(ctx, ent_slice_str(*asked), code, &ctx->err);
    if (rc < 0)
        ent_err_prefix(&ctx->err, "--country");
    else
        *asked = code;
    return rc;
}

const char *countries_name(struct cmd_ctx *ctx, const char *code)
{
    struct countries *all = load(ctx);
    const struct country *country = all == NULL ? NULL : find(all, code);

    if (country == NULL)
        return NULL;
    return country->name[ctx->lang] != NULL ? country->name[ctx->lang]
                                            : country->name[ENT_LANG_EN];
}
