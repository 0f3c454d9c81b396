/* package.c - see package.h. */
#include "cli/package.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/codes.h"
#include "cli/pick.h"
#include "store/query.h"
#include "text/parse.h"

#define PATH_BYTES_MAX 4096
#define NOBODY SIZE_MAX /* no row */

/* ------------------------------------------------------------------ tables */

/* A name in the folder itself: nothing that leads out of it. */
static bool is_plain_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' &&
           strlen(name) <= PACKAGE_FILE_MAX && strpbrk(name, "/\\") == NULL;
}

static const struct ent_kind *find_kind(const struct cmd_ctx *ctx,
                                        const char *resource)
{
    for (size_t i = 0; i < ctx->kinds.count; i++) {
        const struct ent_kind *kind = &ctx->kinds.kinds[i];

        if (kind->package != NULL && strcmp(kind->package, resource) == 0)
            return kind;
    }
    return NULL;
}

static int unknown_resource(struct cmd_ctx *ctx, const char *name)
{
    struct pick_near near = {0};

    for (size_t i = 0; i < ctx->kinds.count; i++)
        if (ctx->kinds.kinds[i].package != NULL)
            pick_offer(&near, name, ctx->kinds.kinds[i].package);
    if (near.name != NULL)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "there is no kind for the resource \"%.60s\"; did "
                           "you mean \"%s\"?",
                           name, near.name);
    return ent_err_set(&ctx->err, ENT_EREFUSED,
                       "there is no kind for the resource \"%.60s\"", name);
}

static int read_table(struct cmd_ctx *ctx, const char *dir, const char *name,
                      const char *file, struct rows *rows, size_t *terms)
{
    const struct ent_kind *kind = find_kind(ctx, name);
    char path[PATH_BYTES_MAX];
    int fd;

    if (kind == NULL && strcmp(name, "vocabulary") != 0)
        return unknown_resource(ctx, name);
    if (!is_plain_name(file))
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "the path of %s is not the name of a file in the "
                           "folder: \"%.60s\"",
                           name, file);
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, file) >=
        sizeof(path))
        return ent_err_set(&ctx->err, ENT_EUSAGE, "the path is too long");
    fd = rows_open(path, &ctx->err);
    if (fd < 0)
        return fd;
    if (kind == NULL)
        return rows_read_vocabulary(ctx, rows, fd, path, terms);
    return rows_read(ctx, rows, kind, fd, path, NULL, true);
}

static const char tables_sql[] =
    "SELECT json_extract(value, '$.name'), json_extract(value, '$.path')"
    "  FROM json_each(:json, '$.resources')";

static int read_tables(struct cmd_ctx *ctx, const char *dir, const char *json,
                       struct rows *rows, size_t *terms)
{
    struct ent_query *query = NULL;
    size_t count = 0;
    int rc = ent_query_json(json, tables_sql, &query, &ctx->err);

    while (rc == 0 && (rc = ent_query_next(query, &ctx->err)) > 0) {
        rc = 0;
        if (++count > PACKAGE_TABLES_MAX)
            rc = ent_err_set(&ctx->err, ENT_EREFUSED, "more than %d resources",
                             PACKAGE_TABLES_MAX);
        if (rc == 0)
            rc = read_table(ctx, dir, ent_query_text(query, 0),
                            ent_query_text(query, 1), rows, terms);
        if (rc < 0)
            break;
        rc = 0;
    }
    ent_query_close(query);
    if (rc == 0 && count == 0)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED, "it names no resource");
    return rc;
}

int package_read(struct cmd_ctx *ctx, const char *dir, struct rows *rows,
                 size_t *terms)
{
    struct ent_buf text = {0};
    char path[PATH_BYTES_MAX];
    const char *json;
    int rc;

    if ((size_t)snprintf(path, sizeof(path), "%s/datapackage.json", dir) >=
        sizeof(path))
        return ent_err_set(&ctx->err, ENT_EUSAGE, "the path is too long");
    rc = rows_read_text(path, PACKAGE_JSON_MAX, &text, &ctx->err);
    if (rc < 0)
        goto out;
    json = ent_buf_cstr(&text);
    rc = json == NULL ? cmd_no_memory(ctx)
                      : read_tables(ctx, dir, json, rows, terms);
    if (rc < 0 && rc != ENT_ENOMEM) {
        ent_err_prefix(&ctx->err, "%s", path);
        /* What SQLite says of bad JSON is a fault of the file. */
        rc = ctx->err.code = ENT_EREFUSED;
    }
out:
    ent_buf_fini(&text);
    return rc < 0 ? rc : rows_check(ctx, rows);
}

/* ------------------------------------------------------------------- split */

/* The row that each row belongs with when its own field is silent. */
static int find_parents(struct cmd_ctx *ctx, const struct rows *rows,
                        size_t *parents)
{
    struct codes codes = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < rows->count; i++) {
        const struct codes_item item = {
            .kind = rows->rows[i].kind->number,
            .code = rows->rows[i].code,
            .id = rows->rows[i].id,
            .row = i,
        };

        rc = codes_put(&codes, &item, &ctx->err);
    }
    if (rc == 0)
        rc = codes_sort(&codes, &ctx->err);
    for (size_t i = 0; rc == 0 && i < rows->count; i++) {
        const struct row *row = &rows->rows[i];
        const struct codes_item *found = NULL;

        for (size_t j = 0; found == NULL && j < row->count; j++)
            for (size_t k = 0; found == NULL && k < row->words[j].count; k++)
                if (row->words[j].field->type == ENT_TYPE_REF)
                    found = codes_follow(ctx, &codes, row->words[j].field,
                                         &row->words[j].values[k]);
        parents[i] = found == NULL ? NOBODY : found->row;
    }
    codes_fini(&codes);
    return rc;
}

static void put_own(const struct row *row, const char *field,
                    struct ent_buf *buf)
{
    for (size_t i = 0; i < row->count; i++) {
        const struct change_word *word = &row->words[i];

        if (strcmp(word->field->name, field) != 0)
            continue;
        for (size_t j = 0; j < word->count; j++) {
            if (j > 0)
                ent_buf_put_u8(buf, '|');
            ent_value_print(&word->values[j], buf);
        }
    }
}

/* The row whose own field speaks for each row; NOBODY for the rest. Walks up
 * until a row speaks, is settled, ends the way or was met on it, and then
 * settles all it met: every row is walked once. A circle speaks for nobody. */
static int find_speakers(struct cmd_ctx *ctx, const struct rows *rows,
                         const size_t *parents, const bool *speaks,
                         size_t *speakers)
{
    size_t *walk = calloc(rows->count + 1, sizeof(*walk)); /* 0: not met */
    bool *settled = calloc(rows->count + 1, sizeof(*settled));

    if (walk == NULL || settled == NULL) {
        free(walk);
        free(settled);
        return cmd_no_memory(ctx);
    }
    for (size_t i = 0; i < rows->count; i++) {
        size_t at = i;
        size_t speaker = NOBODY;

        while (at != NOBODY && !settled[at] && !speaks[at] &&
               walk[at] != i + 1) {
            walk[at] = i + 1;
            at = parents[at];
        }
        if (at != NOBODY && settled[at])
            speaker = speakers[at];
        else if (at != NOBODY && speaks[at])
            speaker = at;
        for (at = i; at != NOBODY && !settled[at]; at = parents[at]) {
            settled[at] = true;
            speakers[at] = speaker;
            if (speaks[at])
                break;
        }
    }
    free(walk);
    free(settled);
    return 0;
}

struct condition {
    char field[ENT_NAME_BYTES_MAX];
    const char *value;
    bool equal;
};

static int read_condition(struct cmd_ctx *ctx, const char *word,
                          struct condition *condition)
{
    size_t len = strcspn(word, "!=");

    condition->equal = word[len] == '=';
    condition->value = word + len + (condition->equal ? 1 : 2);
    if (len == 0 || len >= sizeof(condition->field) || word[len] == '\0' ||
        (!condition->equal && word[len + 1] != '='))
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "--where takes FIELD=VALUE or FIELD!=VALUE, not "
                           "\"%s\"",
                           word);
    memcpy(condition->field, word, len);
    condition->field[len] = '\0';
    return 0;
}

static int read_value(struct cmd_ctx *ctx, struct rows *rows,
                      const struct ent_field *field,
                      struct condition *condition)
{
    struct ent_slice value = ent_slice_str(condition->value);
    int rc = 0;

    if (value.len > 0)
        rc = change_spoken(ctx, field, &value, &rows->arena, &ctx->err);
    if (rc < 0)
        ent_err_prefix(&ctx->err, "--where %s", field->name);
    else
        condition->value = (const char *)value.at;
    return rc;
}

/* A country or language may be said by its name here, too. */
static int check_condition(struct cmd_ctx *ctx, struct rows *rows,
                           struct condition *condition)
{
    const char *field = condition->field;
    const struct ent_kind *last = NULL;
    struct pick_near near = {0};

    for (size_t i = 0; i < rows->count; i++) {
        const struct ent_kind *kind = rows->rows[i].kind;

        if (kind == last)
            continue;
        last = kind;
        if (ent_field_named(kind, field) != NULL)
            return read_value(ctx, rows, ent_field_named(kind, field),
                              condition);
        for (size_t j = 0; j < kind->field_count; j++)
            pick_offer(&near, field, kind->fields[j].name);
    }
    if (near.name != NULL)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "no table of the package has a field \"%s\"; did "
                           "you mean \"%s\"?",
                           field, near.name);
    return ent_err_set(&ctx->err, ENT_EREFUSED,
                       "no table of the package has a field \"%s\"", field);
}

/* Takes away from `keep` the rows that the condition does not take. */
static int apply(struct cmd_ctx *ctx, const struct rows *rows,
                 const size_t *parents, const struct condition *condition,
                 bool *keep)
{
    size_t *speakers = calloc(rows->count + 1, sizeof(*speakers));
    bool *speaks = calloc(rows->count + 1, sizeof(*speaks));
    bool *equals = calloc(rows->count + 1, sizeof(*equals));
    struct ent_buf own = {0};
    int rc = 0;

    if (speakers == NULL || speaks == NULL || equals == NULL) {
        rc = cmd_no_memory(ctx);
        goto out;
    }
    for (size_t i = 0; i < rows->count; i++) {
        ent_buf_reset(&own);
        put_own(&rows->rows[i], condition->field, &own);
        speaks[i] = own.len > 0;
        equals[i] = ent_slice_equal(ent_buf_slice(&own),
                                    ent_slice_str(condition->value));
    }
    if (own.rc < 0)
        rc = cmd_no_memory(ctx);
    else
        rc = find_speakers(ctx, rows, parents, speaks, speakers);
    for (size_t i = 0; rc == 0 && i < rows->count; i++) {
        bool equal = speakers[i] != NOBODY && equals[speakers[i]];

        keep[i] = keep[i] && equal == condition->equal;
    }
out:
    ent_buf_fini(&own);
    free(speakers);
    free(speaks);
    free(equals);
    return rc;
}

int package_split(struct cmd_ctx *ctx, struct rows *rows,
                  const struct args_many *where, bool **keep)
{
    size_t *parents = calloc(rows->count + 1, sizeof(*parents));
    bool *list = calloc(rows->count + 1, sizeof(*list));
    int rc = parents == NULL || list == NULL ? cmd_no_memory(ctx)
                                             : find_parents(ctx, rows, parents);

    for (size_t i = 0; rc == 0 && i < rows->count; i++)
        list[i] = true;
    for (size_t i = 0; rc == 0 && i < where->count; i++) {
        struct condition condition;

        rc = read_condition(ctx, where->at[i], &condition);
        if (rc == 0)
            rc = check_condition(ctx, rows, &condition);
        if (rc == 0)
            rc = apply(ctx, rows, parents, &condition, list);
    }
    free(parents);
    if (rc < 0) {
        free(list);
        return rc;
    }
    *keep = list;
    return 0;
}
