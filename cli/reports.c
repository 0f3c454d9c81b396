/* reports.c - the shipped questions to the replica: each is an SQL file whose
 * comments give its title and the headings of its columns in both languages.
 * A report is data: it runs read-only and bounded, its parameters are bound. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/rows.h"
#include "store/query.h"
#include "text/parse.h"

#define REPORT_BYTES_MAX (64 << 10)
#define REPORT_NAME_MAX 64
#define REPORT_ROWS_MAX 100000
#define PATH_BYTES_MAX 4096

/* ------------------------------------------------------------ report files */

static bool is_report_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

    return len > 0 && len <= REPORT_NAME_MAX && name[len] == '\0';
}

static int read_report(struct cmd_ctx *ctx, const char *name,
                       struct ent_buf *sql)
{
    char path[PATH_BYTES_MAX];

    if (!is_report_name(name))
        return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                           "there is no report \"%s\"; \"report\" lists them",
                           name);
    if ((size_t)snprintf(path, sizeof(path), "%s/reports/%s.sql", cmd_datadir(),
                         name) >= sizeof(path))
        return ent_err_set(&ctx->err, ENT_EFAIL, "the path is too long");
    return rows_read_text(path, REPORT_BYTES_MAX, sql, &ctx->err);
}

/* What stands behind "-- KEY: " in the comments, up to the end of its line;
 * an empty slice when there is no such line. */
static struct ent_slice find_comment(const char *sql, const char *key)
{
    char begin[2 * REPORT_NAME_MAX];
    size_t len = (size_t)snprintf(begin, sizeof(begin), "-- %s: ", key);

    if (len >= sizeof(begin))
        return ent_slice(NULL, 0);
    while (*sql != '\0') {
        size_t line = strcspn(sql, "\n");

        if (line > len && strncmp(sql, begin, len) == 0)
            return ent_slice(sql + len, line - len);
        sql += line + (sql[line] == '\n');
    }
    return ent_slice(NULL, 0);
}

static const char *copy_text(struct ent_arena *arena, struct ent_slice text,
                             const char *missing)
{
    struct ent_slice copy = ent_arena_copy(arena, text);

    return text.len == 0 || copy.at == NULL ? missing : (const char *)copy.at;
}

static const char *report_title(const struct cmd_ctx *ctx, const char *sql,
                                const char *name, struct ent_arena *arena)
{
    const char *key = ctx->lang == ENT_LANG_FR ? "title-fr" : "title-en";

    return copy_text(arena, find_comment(sql, key), name);
}

/* "-- column NAME: English | French". */
static const char *column_label(const struct cmd_ctx *ctx, const char *sql,
                                const char *name, struct ent_arena *arena)
{
    char key[REPORT_NAME_MAX + 16];
    struct ent_slice both;
    const uint8_t *bar;

    if ((size_t)snprintf(key, sizeof(key), "column %s", name) >= sizeof(key))
        return name;
    both = find_comment(sql, key);
    bar = both.len == 0 ? NULL : memchr(both.at, '|', both.len);
    if (bar != NULL && ctx->lang == ENT_LANG_FR)
        both = ent_slice(bar + 1, both.len - (size_t)(bar + 1 - both.at));
    else if (bar != NULL)
        both = ent_slice(both.at, (size_t)(bar - both.at));
    while (both.len > 0 && both.at[0] == ' ')
        both = ent_slice(both.at + 1, both.len - 1);
    while (both.len > 0 && both.at[both.len - 1] == ' ')
        both.len--;
    return copy_text(arena, both, name);
}

/* ----------------------------------------------------------------- listing */

static int is_report_file(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    char name[REPORT_NAME_MAX + 1];

    if (len < 5 || len - 4 > REPORT_NAME_MAX ||
        strcmp(entry->d_name + len - 4, ".sql") != 0)
        return 0;
    memcpy(name, entry->d_name, len - 4);
    name[len - 4] = '\0';
    return is_report_name(name);
}

static int put_report(struct cmd_ctx *ctx, const char *name)
{
    struct ent_arena arena = {0};
    struct ent_buf sql = {0};
    const char *text;
    int rc = read_report(ctx, name, &sql);

    text = ent_buf_cstr(&sql);
    if (rc == 0 && text != NULL) {
        out_row(ctx->out);
        out_cell(ctx->out, name);
        out_cell(ctx->out, report_title(ctx, text, name, &arena));
    }
    ent_buf_fini(&sql);
    ent_arena_fini(&arena);
    return rc;
}

static int list_reports(struct cmd_ctx *ctx)
{
    char path[PATH_BYTES_MAX];
    struct dirent **entries = NULL;
    int count;
    int rc = 0;

    if ((size_t)snprintf(path, sizeof(path), "%s/reports", cmd_datadir()) >=
        sizeof(path))
        return ent_err_set(&ctx->err, ENT_EFAIL, "the path is too long");
    count = scandir(path, &entries, is_report_file, alphasort);
    if (count < 0)
        return ent_err_set(&ctx->err, ENT_EFAIL, "%s cannot be read", path);
    out_list_begin(ctx->out);
    out_column(ctx->out, "name", _("name"), OUT_TEXT);
    out_column(ctx->out, "title", _("title"), OUT_TEXT);
    for (int i = 0; i < count; i++) {
        entries[i]->d_name[strlen(entries[i]->d_name) - 4] = '\0';
        if (rc == 0)
            rc = put_report(ctx, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    out_list_end(ctx->out);
    return rc;
}

/* ----------------------------------------------------------------- running */

/* The rows are kept until the last is there: only then is it known which
 * columns are numbers. */
struct result {
    struct ent_arena arena;
    const char **cells; /* NULL: no value */
    size_t columns;
    size_t rows;
    size_t cap;
    bool *text; /* of a column: some value is no number */
};

static void result_fini(struct result *result)
{
    ent_arena_fini(&result->arena);
    free(result->cells);
    free(result->text);
}

static int keep_row(struct cmd_ctx *ctx, struct result *result,
                    struct ent_query *query)
{
    if (result->rows == REPORT_ROWS_MAX)
        return ent_err_set(&ctx->err, ENT_EREFUSED, "more than %d rows",
                           REPORT_ROWS_MAX);
    if (result->rows == result->cap) {
        size_t cap = result->cap == 0 ? 64 : 2 * result->cap;
        const char **cells = realloc(
            result->cells, (cap * result->columns + 1) * sizeof(*cells));

        if (cells == NULL)
            return cmd_no_memory(ctx);
        result->cells = cells;
        result->cap = cap;
    }
    for (size_t i = 0; i < result->columns; i++) {
        enum ent_column_type type = ent_query_type(query, i);
        const char **cell = &result->cells[result->rows * result->columns + i];

        *cell = NULL;
        if (type == ENT_COLUMN_NULL)
            continue;
        if (type != ENT_COLUMN_INTEGER && type != ENT_COLUMN_REAL)
            result->text[i] = true;
        *cell = (const char *)ent_arena_copy(
                    &result->arena, ent_slice_str(ent_query_text(query, i)))
                    .at;
        if (*cell == NULL)
            return cmd_no_memory(ctx);
    }
    result->rows++;
    return 0;
}

static int keep_rows(struct cmd_ctx *ctx, struct ent_query *query,
                     struct result *result)
{
    int rc;

    result->columns = ent_query_columns(query);
    result->text = calloc(result->columns + 1, sizeof(*result->text));
    if (result->text == NULL)
        return cmd_no_memory(ctx);
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        rc = keep_row(ctx, result, query);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static void print_result(struct cmd_ctx *ctx, const char *sql,
                         struct ent_query *query, struct result *result)
{
    out_list_begin(ctx->out);
    for (size_t i = 0; i < result->columns; i++) {
        const char *name = ent_query_name(query, i);

        out_column(ctx->out, name, column_label(ctx, sql, name, &result->arena),
                   result->text[i] ? OUT_TEXT : OUT_NUMBER);
    }
    for (size_t i = 0; i < result->rows; i++) {
        out_row(ctx->out);
        for (size_t j = 0; j < result->columns; j++)
            out_cell(ctx->out, result->cells[i * result->columns + j]);
    }
    out_list_end(ctx->out);
}

/* --------------------------------------------------------------- freshness */

/* The newest entry of each log, by who wrote it. */
static const char freshness_sql[] =
    "SELECT lower(hex(o.author)),"
    "       max((SELECT l.at FROM log l"
    "             WHERE l.n BETWEEN o.o << 40 AND ((o.o + 1) << 40) - 1"
    "             ORDER BY l.n DESC LIMIT 1)) AS at"
    "  FROM origin o GROUP BY o.author ORDER BY at DESC";

static int put_contributors(struct cmd_ctx *ctx, struct ent_buf *buf)
{
    struct ent_query *query;
    int rc = ent_query_open(ctx->store, freshness_sql, &query, &ctx->err);

    if (rc < 0)
        return rc;
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        const char *hex = ent_query_text(query, 0);
        char when[LOOK_TIME_TEXT];
        char org[24];
        struct ent_key key;

        if (ent_query_type(query, 1) == ENT_COLUMN_NULL ||
            !ent_hex_get(key.b, sizeof(key.b), hex, strlen(hex)))
            continue;
        look_time(ctx, ent_query_int(query, 1), when);
        ent_buf_printf(buf, "%s%s %s", buf->len > 0 ? ", " : "",
                       look_org(ctx, &key, org), when);
    }
    ent_query_close(query);
    return rc;
}

/* How far the figures can be trusted: who contributed and until when. */
static int print_freshness(struct cmd_ctx *ctx)
{
    struct ent_arena arena = {0};
    struct ent_buf buf = {0};
    struct ent_conflict *list = NULL;
    size_t conflicts = 0;
    const char *text;
    int rc = put_contributors(ctx, &buf);

    if (rc == 0)
        rc = ent_conflict_list(ctx->store, 0, &arena, &list, &conflicts,
                               &ctx->err);
    text = ent_buf_cstr(&buf);
    if (rc == 0 && text != NULL && *text == '\0')
        out_remark(ctx->out, "%s", _("Nobody has contributed yet."));
    else if (rc == 0 && text != NULL)
        out_remark(ctx->out, _("Last changes received (UTC): %s."), text);
    if (rc == 0)
        out_remark(ctx->out, _("Open conflicts: %zu."), conflicts);
    ent_buf_fini(&buf);
    ent_arena_fini(&arena);
    return rc;
}

struct report_ask {
    const char *on;
    const char *country;
    const char *group;
};

static int run_report(struct cmd_ctx *ctx, const char *name,
                      const struct report_ask *ask)
{
    struct ent_buf buf = {0};
    struct ent_query *query = NULL;
    struct result result = {0};
    const char *sql;
    int rc = read_report(ctx, name, &buf);

    if (rc == ENT_ENOTFOUND)
        rc = ent_err_set(&ctx->err, ENT_ENOTFOUND,
                         "there is no report \"%s\"; \"report\" lists them",
                         name);
    sql = ent_buf_cstr(&buf);
    if (rc == 0 && sql == NULL)
        rc = cmd_no_memory(ctx);
    if (rc == 0)
        rc = ent_query_open(ctx->store, sql, &query, &ctx->err);
    if (rc < 0)
        goto out;
    ent_query_bind(query, ":on", ask->on);
    ent_query_bind(query, ":country", ask->country);
    ent_query_bind(query, ":group", ask->group);
    ent_query_bind(query, ":lang", ctx->lang == ENT_LANG_FR ? "fr" : "en");
    rc = keep_rows(ctx, query, &result);
    if (rc == 0) {
        print_result(ctx, sql, query, &result);
        rc = print_freshness(ctx);
    }
out:
    ent_query_close(query);
    result_fini(&result);
    ent_buf_fini(&buf);
    return rc;
}

/* -------------------------------------------------------------- parameters */

static int check_date(struct cmd_ctx *ctx, const char *text)
{
    static const struct ent_field date = {.name = "on", .type = ENT_TYPE_DATE};
    struct ent_arena arena = {0};
    struct ent_value value;
    int rc = ent_value_parse(&date, &ctx->vocab, ent_slice_str(text), &arena,
                             &value, &ctx->err);

    if (rc < 0)
        ent_err_prefix(&ctx->err, "--on");
    ent_arena_fini(&arena);
    return rc;
}

/* A name nobody has would quietly give an empty report. */
static int check_code(struct cmd_ctx *ctx, const char *kind_name,
                      const char *code)
{
    const struct ent_kind *kind = ent_kind_named(&ctx->kinds, kind_name);
    struct ent_record_ref found;
    size_t count = 0;
    int rc;

    if (kind == NULL)
        return 0;
    rc = ent_record_find(ctx->store, code, 0, kind->number, &found, 1, &count,
                         &ctx->err);
    if ((rc == 0 || rc == ENT_EAMBIG) && count > 0)
        return 0;
    if (rc < 0 && rc != ENT_ENOTFOUND)
        return rc;
    return ent_err_set(&ctx->err, ENT_ENOTFOUND, "there is no %s \"%s\" here",
                       kind->name, code);
}

static int cmd_report(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct report_ask ask = {0};
    const struct args_option options[] = {
        {.name = "--on", .value = &ask.on},
        {.name = "--country", .value = &ask.country},
        {.name = "--group", .value = &ask.group},
    };
    char today[11];
    int rc = 0;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2)
        return cmd_usage(ctx, "report");
    if (argc == 1)
        return list_reports(ctx) < 0 ? cmd_fail(ctx) : CMD_OK;
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    if (ask.on == NULL) {
        cmd_today(ctx, today);
        ask.on = today;
    }
    rc = check_date(ctx, ask.on);
    if (rc == 0 && ask.group != NULL)
        rc = check_code(ctx, "group", ask.group);
    if (rc == 0)
        rc = run_report(ctx, argv[1], &ask);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

const struct cmd cmd_reports[] = {
    {"report", N_("[NAME] [--on DATE] [--country C] [--group G]"),
     N_("the reports there are, or one of them"), cmd_report},
    {NULL, NULL, NULL, NULL},
};
