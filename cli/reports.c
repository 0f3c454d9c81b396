/* reports.c - the shipped questions to the replica: each is an SQL file whose
 * comments say how its rows are shown (report.h). A report is data: it runs
 * read-only and bounded, its parameters are bound. Behind the rows stands how
 * fresh they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/conflicts.h"
#include "cli/languages.h"
#include "cli/look.h"
#include "cli/report.h"
#include "cli/sharing.h"

#define REPORT_ROWS_MAX 100000
#define REPORT_FEW 5 /* people from which a cell is shown: the one place */

/* ------------------------------------------------------------------ reading */

static int keep_cell(struct cmd_ctx *ctx, struct report_rows *rows,
                     struct ent_query *query, size_t column)
{
    enum ent_column_type type = ent_query_type(query, column);
    struct report_cell *cell =
        &rows->cells[rows->count * rows->column_count + column];

    *cell = (struct report_cell){
        .number = type == ENT_COLUMN_INTEGER || type == ENT_COLUMN_REAL,
    };
    if (type == ENT_COLUMN_NULL)
        return 0;
    cell->text = ent_arena_str(&rows->arena, ent_query_text(query, column));
    if (cell->text == NULL)
        return cmd_no_memory(ctx);
    if (cell->number)
        rows->columns[column].number = true;
    else
        rows->columns[column].text = true;
    return 0;
}

static int keep_row(struct cmd_ctx *ctx, struct report_rows *rows,
                    struct ent_query *query)
{
    int rc = 0;

    if (rows->count == REPORT_ROWS_MAX)
        return ent_err_set(&ctx->err, ENT_EREFUSED, "more than %d rows",
                           REPORT_ROWS_MAX);
    if (rows->count == rows->cap) {
        size_t cap = rows->cap == 0 ? 64 : 2 * rows->cap;
        struct report_cell *cells = realloc(
            rows->cells, (cap * rows->column_count + 1) * sizeof(*cells));

        if (cells == NULL)
            return cmd_no_memory(ctx);
        rows->cells = cells;
        rows->cap = cap;
    }
    for (size_t i = 0; rc == 0 && i < rows->column_count; i++)
        rc = keep_cell(ctx, rows, query, i);
    rows->count++;
    return rc;
}

static int keep_rows(struct cmd_ctx *ctx, struct report *report,
                     struct ent_query *query, struct report_rows *rows)
{
    size_t count = ent_query_columns(query);
    int rc;

    rows->columns = calloc(count + 1, sizeof(*rows->columns));
    if (rows->columns == NULL)
        return cmd_no_memory(ctx);
    rows->column_count = count;
    for (size_t i = 0; i < count; i++) {
        const char *name =
            ent_arena_str(&rows->arena, ent_query_name(query, i));

        if (name == NULL)
            return cmd_no_memory(ctx);
        rows->columns[i] = report_column(ctx, report, name);
    }
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        rc = keep_row(ctx, rows, query);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static void rows_free(struct report_rows *rows)
{
    ent_arena_fini(&rows->arena);
    free(rows->columns);
    free(rows->cells);
}

/* ----------------------------------------------------------------- printing */

static enum out_type column_type(const struct report_column *column)
{
    if (column->how == REPORT_SET || column->how == REPORT_LANGUAGES)
        return OUT_LIST;
    if (column->how == REPORT_NUMBER)
        return OUT_NUMBER;
    if (column->how == REPORT_DATE)
        return OUT_DATE;
    return column->text && !column->number ? OUT_TEXT : OUT_NUMBER;
}

static bool is_hidden(const struct cmd_ctx *ctx,
                      const struct report_column *column)
{
    return column->how == REPORT_PROGRAMS && !look_for_program(ctx);
}

static double figure(const struct report_rows *rows, size_t row, size_t column)
{
    const char *text = report_cell(rows, row, column)->text;

    return text == NULL ? 0 : strtod(text, NULL);
}

/* What a whole bar stands for when no column says it. */
static double largest(const struct report_rows *rows, size_t column)
{
    double most = 0;

    for (size_t i = 0; i < rows->count; i++)
        if (!report_is_total(rows, i) && figure(rows, i, column) > most)
            most = figure(rows, i, column);
    return most;
}

static void put_bar(struct cmd_ctx *ctx, const struct report_rows *rows,
                    size_t row, const struct report_bar *bar, double most)
{
    struct ent_buf text = {0};
    double whole =
        bar->whole == SIZE_MAX ? most : figure(rows, row, bar->whole);

    if (whole > 0 && (bar->whole != SIZE_MAX || !report_is_total(rows, row)))
        report_put_bar(&text, figure(rows, row, bar->part) / whole);
    out_cell(ctx->out, text.len > 0 ? ent_buf_cstr(&text) : NULL);
    ent_buf_fini(&text);
}

static int check_tags(struct cmd_ctx *ctx, struct report *report,
                      const struct report_rows *rows)
{
    enum out_format format = out_format_of(ctx->out);

    if (format != OUT_CSV && format != OUT_TSV)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "--hxl is for --format csv or tsv");
    for (size_t i = 0; i < rows->column_count; i++)
        if (report_tag(report, rows->columns[i].name) == NULL)
            return ent_err_set(&ctx->err, ENT_EUSAGE,
                               "the report \"%s\" has no HXL tags",
                               report->name);
    return 0;
}

/* The row of tags that HXL has below the heading. */
static void put_tags(struct cmd_ctx *ctx, struct report *report,
                     const struct report_rows *rows)
{
    out_row(ctx->out);
    for (size_t i = 0; i < rows->column_count; i++)
        out_cell_as(ctx->out, OUT_TEXT,
                    report_tag(report, rows->columns[i].name));
}

static const char *said(struct cmd_ctx *ctx, const struct report_column *column,
                        const char *text, struct ent_buf *names)
{
    if (column->how == REPORT_LANGUAGE || column->how == REPORT_LANGUAGES)
        return languages_said(ctx, column->how == REPORT_LANGUAGES, text,
                              names);
    return report_said(ctx, column, text);
}

static int print_rows(struct cmd_ctx *ctx, struct report *report,
                      const struct report_rows *rows,
                      const struct report_ask *ask,
                      const struct report_bar *bar)
{
    double most = bar->part == SIZE_MAX ? 0 : largest(rows, bar->part);
    struct ent_buf names = {0};

    if (ask->hxl && check_tags(ctx, report, rows) < 0)
        return ctx->err.code;
    out_list_begin(ctx->out);
    for (size_t i = 0; i < rows->column_count; i++)
        if (!is_hidden(ctx, &rows->columns[i]))
            out_column(ctx->out, rows->columns[i].name, rows->columns[i].label,
                       column_type(&rows->columns[i]));
    if (bar->part != SIZE_MAX)
        out_column(ctx->out, "bar", "", OUT_TEXT);
    if (ask->hxl)
        put_tags(ctx, report, rows);
    for (size_t i = 0; i < rows->count; i++) {
        out_row(ctx->out);
        for (size_t j = 0; j < rows->column_count; j++) {
            const struct report_column *column = &rows->columns[j];
            const struct report_cell *cell = report_cell(rows, i, j);
            enum out_type type = column_type(column);

            if (is_hidden(ctx, column))
                continue;
            if (type == OUT_NUMBER && !cell->number &&
                column->how != REPORT_NUMBER)
                type = OUT_TEXT;
            out_cell_as(ctx->out, type, said(ctx, column, cell->text, &names));
        }
        if (bar->part != SIZE_MAX)
            put_bar(ctx, rows, i, bar, most);
    }
    out_list_end(ctx->out);
    ent_buf_fini(&names);
    return 0;
}

/* --------------------------------------------------------------- freshness */

static void put_sources(struct cmd_ctx *ctx,
                        const struct report_sources *sources,
                        struct ent_buf *buf)
{
    for (size_t i = 0; i < sources->count; i++) {
        const struct report_source *source = &sources->list[i];
        char when[LOOK_TIME_TEXT];
        char org[24];

        look_time(ctx, source->at_ms, when);
        ent_buf_printf(buf, "%s%s %s", i > 0 ? ", " : "",
                       look_org(ctx, &source->key, org), when);
        if (source->conflicts > 0)
            ent_buf_printf(buf,
                           ngettext(" (%zu open conflict)",
                                    " (%zu open conflicts)", source->conflicts),
                           source->conflicts);
    }
}

/* The two sentences behind every report, with a line end between. */
static int put_freshness(struct cmd_ctx *ctx, struct ent_query *query,
                         struct ent_buf *buf)
{
    struct ent_arena arena = {0};
    struct ent_buf list = {0};
    struct report_sources sources;
    const char *text = NULL;
    int rc = report_sources(ctx, query, &arena, &sources);

    if (rc == 0) {
        put_sources(ctx, &sources, &list);
        text = ent_buf_cstr(&list);
        rc = text == NULL ? cmd_no_memory(ctx) : 0;
    }
    if (rc == 0) {
        if (sources.count == 0)
            ent_buf_put_str(buf, _("Nobody has contributed yet."));
        else
            ent_buf_printf(buf, _("Last changes received (UTC): %s."), text);
        ent_buf_put_u8(buf, '\n');
        ent_buf_printf(buf, _("Open conflicts: %zu."), sources.conflicts);
    }
    ent_buf_fini(&list);
    ent_arena_fini(&arena);
    return rc;
}

/* People read it below the rows; where there is no room for it, it is told
 * beside them. */
static void print_freshness(struct cmd_ctx *ctx, const char *text)
{
    while (*text != '\0') {
        int len = (int)strcspn(text, "\n");

        if (out_has_remarks(ctx->out))
            out_remark(ctx->out, "%.*s", len, text);
        else
            cmd_say(ctx, "%.*s", len, text);
        text += len + (text[len] == '\n');
    }
}

/* ----------------------------------------------------------------- running */

static int draw(struct cmd_ctx *ctx, struct report *report,
                const struct report_rows *rows, const struct report_ask *ask,
                const char *freshness)
{
    struct report_chart chart;
    struct ent_buf picture = {0};
    int rc = report_chart(ctx, report, rows, &chart);

    if (rc == 0) {
        report_put_svg(ctx, report, rows, &chart, ask->on, freshness, &picture);
        out_raw(ctx->out, &picture);
        rc = picture.rc < 0 ? cmd_no_memory(ctx) : 0;
    }
    ent_buf_fini(&picture);
    return rc;
}

/* A report without dates has no other figures than those of today. */
static void put_undated(const struct cmd_ctx *ctx,
                        const struct ent_query *query,
                        const struct report_ask *ask, struct ent_buf *buf)
{
    char today[REPORT_DATE_TEXT];

    cmd_today(ctx, today);
    if (ent_query_takes(query, ":on") || strcmp(ask->on, today) == 0)
        return;
    ent_buf_printf(buf,
                   _("These figures have no dates: they are today's, not "
                     "those of %s."),
                   ask->on);
    ent_buf_put_u8(buf, '\n');
}

static int print_report(struct cmd_ctx *ctx, struct report *report,
                        struct ent_query *query, const struct report_rows *rows,
                        const struct report_ask *ask)
{
    struct report_bar bar = {.part = SIZE_MAX, .whole = SIZE_MAX};
    struct ent_buf buf = {0};
    const char *freshness = NULL;
    int rc;

    put_undated(ctx, query, ask, &buf);
    rc = put_freshness(ctx, query, &buf);
    if (rc == 0) {
        freshness = ent_buf_cstr(&buf);
        rc = freshness == NULL ? cmd_no_memory(ctx) : 0;
    }
    if (rc == 0 && ctx->format == OUT_SVG) {
        rc = draw(ctx, report, rows, ask, freshness);
    } else if (rc == 0) {
        if (out_on_terminal(ctx->out))
            rc = report_bar(ctx, report, rows, &bar);
        if (rc == 0)
            rc = print_rows(ctx, report, rows, ask, &bar);
        if (rc == 0)
            print_freshness(ctx, freshness);
    }
    ent_buf_fini(&buf);
    return rc;
}

/* A report that has nothing to do with countries would give all of them. */
static int bind(struct cmd_ctx *ctx, const struct report *report,
                struct ent_query *query, const struct report_ask *ask)
{
    const struct {
        const char *option, *name, *value;
    } filters[] = {
        {"--country", ":country", ask->country},
        {"--group", ":group", ask->group},
    };

    for (size_t i = 0; i < ENT_ARRAY_LEN(filters); i++) {
        if (filters[i].value != NULL &&
            !ent_query_takes(query, filters[i].name))
            return ent_err_set(&ctx->err, ENT_EUSAGE,
                               "the report \"%s\" does not take %s",
                               report->name, filters[i].option);
        ent_query_bind(query, filters[i].name, filters[i].value);
    }
    ent_query_bind(query, ":on", ask->on);
    ent_query_bind(query, ":lang", ctx->lang == ENT_LANG_FR ? "fr" : "en");
    ent_query_bind_int(query, ":few", REPORT_FEW);
    return 0;
}

static int run_file(struct cmd_ctx *ctx, const char *name,
                    const struct report_ask *ask)
{
    struct report report;
    struct report_rows rows = {0};
    struct ent_query *query = NULL;
    size_t left_out = 0;
    int rc = report_read(ctx, name, &report);

    if (rc == 0)
        rc = ent_query_open_shared(ctx->store, report.sql, ask->sharing, &query,
                                   &left_out, &ctx->err);
    if (rc == 0)
        rc = bind(ctx, &report, query, ask);
    if (rc == 0)
        rc = keep_rows(ctx, &report, query, &rows);
    if (rc == 0)
        rc = print_report(ctx, &report, query, &rows, ask);
    if (rc == 0)
        sharing_tell(ctx, left_out);
    ent_query_close(query);
    rows_free(&rows);
    report_fini(&report);
    return rc;
}

/* -------------------------------------------------- reports that are no SQL */

static int run_freshness(struct cmd_ctx *ctx)
{
    struct ent_arena arena = {0};
    struct report_sources sources;
    int rc = report_sources(ctx, NULL, &arena, &sources);

    out_list_begin(ctx->out);
    out_column(ctx->out, "org", _("organisation"), OUT_TEXT);
    out_column(ctx->out, "last_change", _("last change (UTC)"), OUT_TEXT);
    out_column(ctx->out, "conflicts", _("open conflicts"), OUT_NUMBER);
    out_column(ctx->out, "key", _("key"), OUT_TEXT);
    for (size_t i = 0; rc == 0 && i < sources.count; i++) {
        const struct report_source *source = &sources.list[i];
        char when[LOOK_TIME_TEXT];
        char org[24];
        char hex[2 * ENT_KEY_BYTES + 1];

        if (look_for_program(ctx))
            look_rfc3339(source->at_ms, when);
        else
            look_time(ctx, source->at_ms, when);
        ent_hex_put(hex, source->key.b, sizeof(source->key.b));
        out_row(ctx->out);
        out_cell(ctx->out, look_org(ctx, &source->key, org));
        out_cell(ctx->out, when);
        out_cell_int(ctx->out, (int64_t)source->conflicts);
        out_cell(ctx->out, hex);
    }
    out_list_end(ctx->out);
    if (rc == 0)
        out_remark(ctx->out, _("Open conflicts: %zu."), sources.conflicts);
    ent_arena_fini(&arena);
    return rc;
}

static int run_conflicts(struct cmd_ctx *ctx)
{
    struct ent_buf buf = {0};
    size_t count = 0;
    int rc = conflicts_print(ctx, 0, &count);

    if (rc == 0)
        rc = put_freshness(ctx, NULL, &buf);
    if (rc == 0 && ent_buf_cstr(&buf) != NULL)
        print_freshness(ctx, ent_buf_cstr(&buf));
    ent_buf_fini(&buf);
    return rc;
}

static const struct {
    const char *name;
    const char *title;
    int (*run)(struct cmd_ctx *ctx);
} built_in[] = {
    {"conflicts", N_("Open conflicts"), run_conflicts},
    {"freshness", N_("What came from each node, and when"), run_freshness},
};

static int run_report(struct cmd_ctx *ctx, const char *name,
                      const struct report_ask *ask)
{
    for (size_t i = 0; i < ENT_ARRAY_LEN(built_in); i++) {
        if (strcmp(built_in[i].name, name) != 0)
            continue;
        if (ask->country != NULL || ask->group != NULL || ask->hxl ||
            ask->sharing != ENT_SHARING_PRIVATE)
            return ent_err_set(&ctx->err, ENT_EUSAGE,
                               "the report \"%s\" does not take %s", name,
                               ask->hxl               ? "--hxl"
                               : ask->group != NULL   ? "--group"
                               : ask->country != NULL ? "--country"
                                                      : "--sharing");
        if (ctx->format == OUT_SVG)
            return ent_err_set(&ctx->err, ENT_EUSAGE,
                               "the report \"%s\" has no picture: --format svg "
                               "is for those that have one",
                               name);
        return built_in[i].run(ctx);
    }
    return run_file(ctx, name, ask);
}

/* ----------------------------------------------------------------- listing */

static int put_report(struct cmd_ctx *ctx, const char *name)
{
    struct report report;
    int rc = report_read(ctx, name, &report);

    if (rc == 0) {
        out_row(ctx->out);
        out_cell(ctx->out, name);
        out_cell(ctx->out, report_title(ctx, &report));
    }
    report_fini(&report);
    return rc;
}

static int list_reports(struct cmd_ctx *ctx)
{
    struct ent_arena arena = {0};
    const char **names = NULL;
    size_t count = 0;
    size_t next = 0;
    int rc = report_names(ctx, &arena, &names, &count);

    out_list_begin(ctx->out);
    out_column(ctx->out, "name", _("name"), OUT_TEXT);
    out_column(ctx->out, "title", _("title"), OUT_TEXT);
    for (size_t i = 0; rc == 0 && i <= count; i++) {
        for (; next < ENT_ARRAY_LEN(built_in) &&
               (i == count || strcmp(built_in[next].name, names[i]) < 0);
             next++) {
            out_row(ctx->out);
            out_cell(ctx->out, built_in[next].name);
            out_cell(ctx->out, _(built_in[next].title));
        }
        if (i < count)
            rc = put_report(ctx, names[i]);
    }
    out_list_end(ctx->out);
    ent_arena_fini(&arena);
    return rc;
}

/* ----------------------------------------------------------------- command */

static int cmd_report(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct report_ask ask = {0};
    const char *sharing = NULL;
    const struct args_option options[] = {
        {.name = "--on", .value = &ask.on},
        {.name = "--country", .value = &ask.country},
        {.name = "--group", .value = &ask.group},
        {.name = "--hxl", .flag = &ask.hxl},
        {.name = "--sharing", .value = &sharing},
    };
    struct report_texts texts = {0};
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2)
        return cmd_usage(ctx, "report");
    if (argc == 1)
        return list_reports(ctx) < 0 ? cmd_fail(ctx) : CMD_OK;
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = sharing_read(ctx, sharing, &ask.sharing);
    if (rc == 0)
        rc = report_ask(ctx, &ask, &texts);
    if (rc == 0)
        rc = run_report(ctx, argv[1], &ask);
    ent_buf_fini(&texts.group);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

const struct cmd cmd_reports[] = {
    {"report",
     N_("[NAME] [--on DATE] [--country C] [--group G] [--hxl] "
        "[--sharing LEVEL]"),
     N_("the reports there are, or one of them"), cmd_report},
    {NULL, NULL, NULL, NULL},
};
