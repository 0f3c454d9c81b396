/* report_file.c - see report.h: the files, and what their comments say. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/look.h"
#include "cli/report.h"
#include "cli/rows.h"
#include "text/datadir.h"

#define REPORT_BYTES_MAX (64 << 10)
#define KEY_MAX (REPORT_NAME_MAX + 16)

/* ------------------------------------------------------------------- files */

static bool is_report_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

    return len > 0 && len <= REPORT_NAME_MAX && name[len] == '\0';
}

static int not_found(struct cmd_ctx *ctx, const char *name)
{
    return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                       "there is no report \"%s\"; \"report\" lists them",
                       name);
}

int report_read(struct cmd_ctx *ctx, const char *name, struct report *report)
{
    char path[ENT_PATH_MAX];
    int rc;

    *report = (struct report){.name = name};
    if (!is_report_name(name))
        return not_found(ctx, name);
    if ((size_t)snprintf(path, sizeof(path), "%s/reports/%s.sql", cmd_datadir(),
                         name) >= sizeof(path))
        return ent_err_set(&ctx->err, ENT_EFAIL, "the path is too long");
    rc = rows_read_text(path, REPORT_BYTES_MAX, &report->text, &ctx->err);
    if (rc == ENT_ENOTFOUND)
        return not_found(ctx, name);
    report->sql = ent_buf_cstr(&report->text);
    return rc == 0 && report->sql == NULL ? cmd_no_memory(ctx) : rc;
}

void report_fini(struct report *report)
{
    ent_buf_fini(&report->text);
    ent_arena_fini(&report->arena);
}

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

int report_names(struct cmd_ctx *ctx, struct ent_arena *arena,
                 const char ***names, size_t *count)
{
    char path[ENT_PATH_MAX];
    struct dirent **entries = NULL;
    int found;

    if ((size_t)snprintf(path, sizeof(path), "%s/reports", cmd_datadir()) >=
        sizeof(path))
        return ent_err_set(&ctx->err, ENT_EFAIL, "the path is too long");
    found = scandir(path, &entries, is_report_file, alphasort);
    if (found < 0)
        return ent_err_set(&ctx->err, ENT_EFAIL, "%s cannot be read", path);
    *count = (size_t)found;
    *names = ENT_ARENA_NEW(arena, const char *, *count + 1);
    for (size_t i = 0; i < *count; i++) {
        entries[i]->d_name[strlen(entries[i]->d_name) - 4] = '\0';
        if (*names != NULL)
            (*names)[i] = ent_arena_str(arena, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return arena->rc < 0 ? cmd_no_memory(ctx) : 0;
}

/* ---------------------------------------------------------------- comments */

static struct ent_slice trim(struct ent_slice text)
{
    while (text.len > 0 && text.at[0] == ' ')
        text = ent_slice(text.at + 1, text.len - 1);
    while (text.len > 0 && text.at[text.len - 1] == ' ')
        text.len--;
    return text;
}

/* What stands behind "-- KEY " up to the end of its line, an empty slice when
 * there is no such line. */
static struct ent_slice find_comment(const char *sql, const char *key)
{
    char begin[KEY_MAX + 8];
    size_t len = (size_t)snprintf(begin, sizeof(begin), "-- %s ", key);

    if (len >= sizeof(begin))
        return ent_slice(NULL, 0);
    while (*sql != '\0') {
        size_t line = strcspn(sql, "\n");

        if (line > len && strncmp(sql, begin, len) == 0)
            return trim(ent_slice(sql + len, line - len));
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

const char *report_title(const struct cmd_ctx *ctx, struct report *report)
{
    const char *key = ctx->lang == ENT_LANG_FR ? "title-fr:" : "title-en:";

    return copy_text(&report->arena, find_comment(report->sql, key),
                     report->name);
}

const char *report_description(const struct cmd_ctx *ctx, struct report *report)
{
    const char *key =
        ctx->lang == ENT_LANG_FR ? "description-fr:" : "description-en:";

    return copy_text(&report->arena, find_comment(report->sql, key),
                     report->name);
}

/* The next of the pieces between which `sign` stands; takes it off `text`. */
static struct ent_slice next_piece(struct ent_slice *text, char sign)
{
    const uint8_t *end;
    struct ent_slice piece;
    size_t len;

    if (text->len == 0)
        return *text;
    end = memchr(text->at, sign, text->len);
    len = end == NULL ? text->len : (size_t)(end - text->at);
    piece = trim(ent_slice(text->at, len));
    len += end != NULL;
    *text = trim(ent_slice(text->at + len, text->len - len));
    return piece;
}

static bool slice_is(struct ent_slice slice, const char *text)
{
    return ent_slice_equal(slice, ent_slice_str(text));
}

struct report_column report_column(const struct cmd_ctx *ctx,
                                   struct report *report, const char *name)
{
    struct report_column column = {.name = name, .label = name};
    char key[KEY_MAX];
    struct ent_slice rest;
    struct ent_slice english;
    struct ent_slice french;
    struct ent_slice how;

    if ((size_t)snprintf(key, sizeof(key), "column %s:", name) >= sizeof(key))
        return column;
    rest = find_comment(report->sql, key);
    english = next_piece(&rest, '|');
    french = next_piece(&rest, '|');
    column.label = copy_text(
        &report->arena,
        ctx->lang == ENT_LANG_FR && french.len > 0 ? french : english, name);
    how = next_piece(&rest, ' ');
    if (slice_is(how, "codes")) {
        column.how = REPORT_CODES;
        column.list = copy_text(&report->arena, rest, "");
    } else if (slice_is(how, "set")) {
        column.how = REPORT_SET;
    } else if (slice_is(how, "language")) {
        column.how = REPORT_LANGUAGE;
    } else if (slice_is(how, "languages")) {
        column.how = REPORT_LANGUAGES;
    } else if (slice_is(how, "number")) {
        column.how = REPORT_NUMBER;
    } else if (slice_is(how, "date")) {
        column.how = REPORT_DATE;
    } else if (slice_is(how, "programs")) {
        column.how = REPORT_PROGRAMS;
    }
    return column;
}

const char *report_tag(struct report *report, const char *column)
{
    char key[KEY_MAX];

    if ((size_t)snprintf(key, sizeof(key), "hxl %s:", column) >= sizeof(key))
        return NULL;
    return copy_text(&report->arena, find_comment(report->sql, key), NULL);
}

const char *report_said(const struct cmd_ctx *ctx,
                        const struct report_column *column, const char *text)
{
    const struct ent_term *term;

    if (column->how != REPORT_CODES || text == NULL || look_for_program(ctx))
        return text;
    term = ent_vocab_find(&ctx->vocab, column->list, text);
    return term == NULL ? text : term->label[ctx->lang];
}

/* -------------------------------------------------------------------- rows */

size_t report_column_at(const struct report_rows *rows, struct ent_slice name)
{
    for (size_t i = 0; i < rows->column_count; i++)
        if (slice_is(name, rows->columns[i].name))
            return i;
    return SIZE_MAX;
}

const struct report_cell *report_cell(const struct report_rows *rows,
                                      size_t row, size_t column)
{
    return &rows->cells[row * rows->column_count + column];
}

bool report_is_total(const struct report_rows *rows, size_t row)
{
    const char *text =
        rows->column_count == 0 ? NULL : report_cell(rows, row, 0)->text;

    return text != NULL && strcmp(text, REPORT_TOTAL) == 0;
}

static int no_column(struct cmd_ctx *ctx, const struct report *report,
                     struct ent_slice name)
{
    return ent_err_set(&ctx->err, ENT_EREFUSED,
                       "%s.sql draws \"%.*s\", which is none of its columns",
                       report->name, (int)name.len, (const char *)name.at);
}

int report_bar(struct cmd_ctx *ctx, const struct report *report,
               const struct report_rows *rows, struct report_bar *bar)
{
    struct ent_slice rest = find_comment(report->sql, "bar");
    struct ent_slice name = next_piece(&rest, ' ');

    *bar = (struct report_bar){.part = SIZE_MAX, .whole = SIZE_MAX};
    if (name.len == 0)
        return 0;
    bar->part = report_column_at(rows, name);
    if (bar->part == SIZE_MAX)
        return no_column(ctx, report, name);
    name = next_piece(&rest, ' ');
    if (!slice_is(name, "of"))
        return 0;
    bar->whole = report_column_at(rows, rest);
    return bar->whole == SIZE_MAX ? no_column(ctx, report, rest) : 0;
}

int report_chart(struct cmd_ctx *ctx, const struct report *report,
                 const struct report_rows *rows, struct report_chart *chart)
{
    struct ent_slice rest = find_comment(report->sql, "chart");
    struct ent_slice name = next_piece(&rest, ':');

    *chart = (struct report_chart){0};
    if (name.len == 0)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "the report \"%s\" has no picture: --format svg is "
                           "for those that have one",
                           report->name);
    chart->label = report_column_at(rows, name);
    while (chart->label != SIZE_MAX && rest.len > 0) {
        size_t *part = &chart->parts[chart->part_count];

        if (chart->part_count++ == REPORT_PARTS_MAX)
            return ent_err_set(&ctx->err, ENT_EREFUSED,
                               "%s.sql draws more than %d columns",
                               report->name, REPORT_PARTS_MAX);
        name = next_piece(&rest, ' ');
        *part = report_column_at(rows, name);
        if (*part == SIZE_MAX)
            return no_column(ctx, report, name);
    }
    return chart->part_count == 0 ? no_column(ctx, report, name) : 0;
}
