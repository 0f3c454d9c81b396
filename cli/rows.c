/* rows.c - see rows.h. The map is read in map.c. */
#include "cli/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/codes.h"
#include "cli/local.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "text/csv.h"
#include "text/hxl.h"
#include "text/parse.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, "out of memory");
}

void rows_fini(struct rows *rows)
{
    free(rows->rows);
    ent_arena_fini(&rows->arena);
}

void rows_fault(struct rows *rows, const char *path, size_t line,
                const char *field, const char *reason)
{
    struct ent_buf text = {0};
    struct ent_buf safe = {0};
    const char *plain;

    rows->faults++;
    if (path == NULL || path != rows->fault_path || line != rows->fault_line)
        rows->faulty++;
    rows->fault_path = path;
    rows->fault_line = line;
    if (rows->faulty > ROWS_FAULTY_SHOWN) {
        rows->untold++;
        return;
    }
    if (path != NULL)
        ent_buf_printf(&text, "%s:%zu: ", path, line);
    if (field != NULL)
        ent_buf_printf(&text, "%s: ", field);
    ent_buf_put_str(&text, reason);
    plain = ent_buf_cstr(&text);
    if (plain != NULL)
        out_show(&safe, plain);
    plain = ent_buf_cstr(&safe);
    fprintf(stderr, "%s\n", plain == NULL ? reason : plain);
    ent_buf_fini(&text);
    ent_buf_fini(&safe);
}

/* ----------------------------------------------------------------- heading */

enum column_use { COLUMN_LEFT_OUT, COLUMN_NAME, COLUMN_FIELD };

struct column {
    enum column_use use;
    const struct ent_field *field;
};

/* A table on its way in. */
struct table {
    struct cmd_ctx *ctx;
    struct rows *rows;
    const struct ent_kind *kind;
    const char *path; /* in the rows' arena */
    struct ent_csv *csv;
    struct column columns[ENT_CSV_COLUMNS_MAX];
    size_t column_count;
    bool named;      /* its rows are, by a code or by */
    bool by_key;     /* the columns of the kind's key */
    size_t nameless; /* rows that have neither, in such a table */
};

static void table_fault(struct table *table, size_t line, const char *field)
{
    rows_fault(table->rows, table->path, line, field, table->ctx->err.text);
}

/* The name a column goes by after the map; "" when it is left out. */
static const char *mapped(struct table *table, struct rows_map *map,
                          const char *heading)
{
    for (size_t i = 0; map != NULL && i < map->count; i++) {
        struct ent_slice field = map->lines[i].field;

        if (!ent_slice_equal(map->lines[i].column, ent_slice_str(heading)))
            continue;
        map->lines[i].used = true;
        field = ent_arena_copy(&table->rows->arena, field);
        return field.at == NULL ? "" : (const char *)field.at;
    }
    return heading;
}

/* The field that a heading means which is no name of one: by the HXL tag of
 * its column, or by the label people see. NULL: none, or several. */
static const struct ent_field *find_meant(struct table *table,
                                          const char *heading, size_t at)
{
    const char *tag = *heading == '#' ? heading : ent_csv_tag(table->csv, at);
    const struct ent_field *found = NULL;
    bool tagged = false;

    for (size_t i = 0; i < table->kind->field_count; i++) {
        const struct ent_field *field = &table->kind->fields[i];
        bool same = tag != NULL && field->hxl != NULL &&
                    ent_hxl_same(ent_slice_str(tag), ent_slice_str(field->hxl));
        bool said = false;

        for (int lang = 0; lang < ENT_LANG_COUNT; lang++)
            said = said || (field->label[lang] != NULL &&
                            strcasecmp(field->label[lang], heading) == 0);
        if (same && !tagged) {
            found = NULL; /* a tag says more than a heading */
            tagged = true;
        }
        if ((tagged && !same) || (!tagged && !said))
            continue;
        if (found != NULL)
            return NULL;
        found = field;
    }
    return found;
}

static void read_column(struct table *table, struct rows_map *map, size_t at)
{
    const char *heading = ent_csv_heading(table->csv, at);
    const char *name = mapped(table, map, heading);
    struct column *column = &table->columns[at];

    *column = (struct column){.use = COLUMN_LEFT_OUT};
    if (*name == '\0')
        return;
    column->field = ent_field_named(table->kind, name);
    if (column->field == NULL && strcmp(name, "id") == 0)
        column->field = ent_field_find(table->kind, ENT_FIELD_CODE);
    if (column->field == NULL)
        column->field = find_meant(table, name, at);
    if (column->field == NULL &&
        pick_field(table->ctx, table->kind, table->rows->space, name,
                   strlen(name), &column->field) < 0) {
        table_fault(table, ent_csv_line(table->csv), heading);
        return;
    }
    column->use =
        column->field->number == ENT_FIELD_CODE ? COLUMN_NAME : COLUMN_FIELD;
    for (size_t i = 0; i < at; i++)
        if (table->columns[i].field == column->field &&
            table->columns[i].use != COLUMN_LEFT_OUT) {
            ent_err_set(&table->ctx->err, ENT_EREFUSED,
                        "two columns go into the field %s",
                        column->field->name);
            table_fault(table, ent_csv_line(table->csv), heading);
        }
}

/* Whether the columns of the kind's key are all there. */
static bool has_keys(const struct table *table)
{
    const char *key = table->kind->key == NULL ? "" : table->kind->key;

    if (*key == '\0')
        return false;
    while (*key != '\0') {
        size_t len = strcspn(key, "|");
        size_t at = 0;

        while (at < table->column_count &&
               (table->columns[at].use != COLUMN_FIELD ||
                strlen(table->columns[at].field->name) != len ||
                strncmp(table->columns[at].field->name, key, len) != 0))
            at++;
        if (at == table->column_count)
            return false;
        key += len + (key[len] == '|');
    }
    return true;
}

static void read_heading(struct table *table, struct rows_map *map,
                         bool must_name)
{
    size_t count = ent_csv_columns(table->csv);

    table->column_count = count;
    for (size_t i = 0; i < count; i++) {
        read_column(table, map, i);
        table->named = table->named || table->columns[i].use == COLUMN_NAME;
    }
    for (size_t i = 0; map != NULL && i < map->count; i++)
        if (!map->lines[i].used) {
            ent_err_set(&table->ctx->err, ENT_EREFUSED,
                        "the map names the column \"%.*s\", which is not here",
                        (int)map->lines[i].column.len,
                        (const char *)map->lines[i].column.at);
            table_fault(table, ent_csv_line(table->csv), NULL);
        }
    table->by_key = has_keys(table);
    table->named = table->named || table->by_key;
    if (!table->named && must_name) {
        ent_err_set(&table->ctx->err, ENT_EREFUSED,
                    "no column names the rows; %s expects %s",
                    table->kind->name, table->kind->key);
        table_fault(table, ent_csv_line(table->csv), NULL);
    }
}

/* -------------------------------------------------------------------- rows */

static struct ent_slice unguarded(struct ent_slice cell, bool first)
{
    struct ent_slice behind = cell;

    while (behind.len > 0 && behind.at[0] == '\'')
        behind = ent_slice(behind.at + 1, behind.len - 1);
    if (first && behind.len < cell.len && behind.len > 0 && behind.at[0] == '#')
        return ent_slice(cell.at + 1, cell.len - 1);
    return out_unguard(cell);
}

void rows_guard(struct ent_buf *buf, const char *cell, bool first)
{
    if (first && cell[strspn(cell, "'")] == '#')
        ent_buf_put_u8(buf, '\'');
    out_guard(buf, cell);
}

/* One cell as what is to be written; nothing for an empty one. */
static int read_cell(struct table *table, struct ent_slice cell, size_t at,
                     struct row *row)
{
    const struct ent_field *field = table->columns[at].field;
    struct change_word *word = &row->words[row->count];
    bool is_local = ent_csv_separator(table->csv) == ';';
    struct ent_slice given = unguarded(cell, at == 0);
    struct ent_slice text = given;
    char local[LOCAL_TEXT];
    int rc = ent_csv_check_text(cell, &table->ctx->err);

    if (cell.len == 0 || rc < 0)
        return rc;
    if (is_local && local_read(field, text, local))
        text = ent_slice_str(local);
    text = ent_arena_copy(&table->rows->arena, text);
    if (text.at == NULL)
        return no_memory(&table->ctx->err);
    rc = change_values(table->ctx, field, text, &table->rows->arena,
                       &word->values, &word->count, &table->ctx->err);
    if (rc < 0 && is_local)
        local_advise(field, given, &table->ctx->err);
    if (rc < 0 || word->count == 0)
        return rc;
    word->field = field;
    word->how = field->rule == ENT_RULE_SET ? CHANGE_ADD : CHANGE_WRITE;
    row->count++;
    return 0;
}

static const struct change_word *find_named(const struct row *row,
                                            const char *name, size_t len)
{
    for (size_t i = 0; i < row->count; i++)
        if (strlen(row->words[i].field->name) == len &&
            strncmp(row->words[i].field->name, name, len) == 0)
            return &row->words[i];
    return NULL;
}

static const struct change_word *find_word(const struct row *row,
                                           const struct ent_field *field)
{
    for (size_t i = 0; i < row->count; i++)
        if (row->words[i].field == field)
            return &row->words[i];
    return NULL;
}

int rows_join(struct cmd_ctx *ctx, struct rows *rows, struct row *row)
{
    const struct ent_field *code = ent_field_find(row->kind, ENT_FIELD_CODE);
    const char *key = row->kind->key == NULL ? "" : row->kind->key;
    struct change_word *word = &row->words[row->count];
    struct ent_buf buf = {0};
    bool whole = true;
    int rc;

    while (whole && *key != '\0') {
        size_t len = strcspn(key, "|");
        const struct change_word *part = find_named(row, key, len);

        if (buf.len > 0)
            ent_buf_put_u8(&buf, '/');
        if (part != NULL)
            ent_value_print(&part->values[0], &buf);
        whole = part != NULL;
        key += len + (key[len] == '|');
    }
    if (!whole) {
        ent_buf_fini(&buf);
        return 0;
    }
    row->code = ent_arena_copy(&rows->arena, ent_buf_slice(&buf));
    rc = buf.rc < 0 || row->code.at == NULL ? no_memory(&ctx->err) : 0;
    ent_buf_fini(&buf);
    if (rc < 0)
        return rc;
    rc = change_values(ctx, code, row->code, &rows->arena, &word->values,
                       &word->count, &ctx->err);
    if (rc < 0)
        return rc;
    word->field = code;
    word->how = CHANGE_WRITE;
    row->count++;
    return 0;
}

void rows_tell_nameless(struct cmd_ctx *ctx, const char *path, size_t count)
{
    if (count > 0)
        cmd_say(ctx,
                ngettext("%s: %zu row lacks a part of what names it: it "
                         "becomes a new record, also when it is imported again",
                         "%s: %zu rows lack a part of what names them: each "
                         "becomes a new record, also when it is imported again",
                         count),
                path, count);
}

int rows_name(struct row *row, struct ent_err *err)
{
    const struct ent_field *code = ent_field_find(row->kind, ENT_FIELD_CODE);
    const struct change_word *word = find_word(row, code);
    char text[ENT_ID_TEXT];

    if (word == NULL)
        return ent_err_set(err, ENT_EREFUSED,
                           "the cell that names the row is empty");
    row->code = word->values[0].bytes;
    if (row->code.len >= sizeof(text))
        return 0;
    memcpy(text, row->code.at, row->code.len);
    text[row->code.len] = '\0';
    if (!ent_id_parse(text, &row->id))
        return 0;
    row->has_id = true;
    row->code = ent_slice(NULL, 0);
    row->count--;
    for (size_t i = (size_t)(word - row->words); i < row->count; i++)
        row->words[i] = row->words[i + 1];
    return 0;
}

struct row *rows_new(struct rows *rows, const struct ent_kind *kind,
                     const char *path, size_t line, size_t words)
{
    struct row *row;

    if (rows->count == rows->cap) {
        size_t cap = rows->cap == 0 ? 256 : 2 * rows->cap;
        struct row *list = realloc(rows->rows, cap * sizeof(*list));

        if (list == NULL)
            return NULL;
        rows->rows = list;
        rows->cap = cap;
    }
    row = &rows->rows[rows->count];
    *row = (struct row){
        .kind = kind,
        .path = path,
        .line = line,
        .words = ENT_ARENA_NEW(&rows->arena, struct change_word, words),
    };
    return row->words == NULL ? NULL : row;
}

/* By its own name, which says more than a key, else by the key. */
static int name_row(struct table *table, struct row *row)
{
    const struct ent_field *code = ent_field_find(row->kind, ENT_FIELD_CODE);
    int rc;

    if (!table->named)
        return 0;
    if (!table->by_key || find_word(row, code) != NULL)
        return rows_name(row, &table->ctx->err);
    rc = rows_join(table->ctx, table->rows, row);
    table->nameless += rc == 0 && row->code.len == 0 && row->count > 0;
    return rc;
}

/* A fault of one cell does not hide those of the others. */
static int read_row(struct table *table, const struct ent_slice *cells)
{
    struct row *row =
        rows_new(table->rows, table->kind, table->path,
                 ent_csv_line(table->csv), table->column_count + 1);
    size_t faults = table->rows->faults;
    int rc = 0;

    if (row == NULL)
        return no_memory(&table->ctx->err);
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].use == COLUMN_LEFT_OUT)
            continue;
        rc = read_cell(table, cells[i], i, row);
        if (rc == ENT_ENOMEM)
            return rc;
        if (rc < 0)
            table_fault(table, row->line, ent_csv_heading(table->csv, i));
    }
    if (table->rows->faults > faults)
        return 0;
    rc = name_row(table, row);
    if (rc == ENT_ENOMEM)
        return rc;
    if (rc < 0)
        table_fault(table, row->line, NULL);
    else if (row->count > 0)
        table->rows->count++;
    return 0;
}

static int read_rows(struct table *table)
{
    struct ent_err *err = &table->ctx->err;
    const struct ent_slice *cells;
    int rc;

    while ((rc = ent_csv_next(table->csv, &cells, err)) != 0) {
        if (rc == ENT_ENOMEM)
            return rc;
        if (rc < 0) {
            rows_fault(table->rows, NULL, 0, NULL, err->text);
            if (ent_csv_broken(table->csv))
                return 0;
            continue;
        }
        if (table->rows->count == ROWS_MAX) {
            ent_err_set(err, ENT_EREFUSED, "more than %d rows", ROWS_MAX);
            table_fault(table, ent_csv_line(table->csv), NULL);
            return 0;
        }
        rc = read_row(table, cells);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* A table that cannot even be begun is a fault like any other. */
static int open_table(struct rows *rows, int fd, const char *path,
                      struct ent_csv **csv, struct ent_err *err)
{
    int rc = ent_csv_open_fd(fd, path, csv, err);

    *csv = rc < 0 ? NULL : *csv;
    if (rc != ENT_EREFUSED)
        return rc;
    rows_fault(rows, NULL, 0, NULL, err->text);
    return 0;
}

int rows_read(struct cmd_ctx *ctx, struct rows *rows,
              const struct ent_kind *kind, int fd, const char *path,
              struct rows_map *map, bool must_name)
{
    struct table *table = calloc(1, sizeof(*table));
    struct ent_slice copy = ent_arena_copy(&rows->arena, ent_slice_str(path));
    int rc;

    if (table == NULL || copy.at == NULL) {
        close(fd);
        free(table);
        return no_memory(&ctx->err);
    }
    table->ctx = ctx;
    table->rows = rows;
    table->kind = kind;
    table->path = (const char *)copy.at;
    rc = open_table(rows, fd, path, &table->csv, &ctx->err);
    if (rc == 0 && table->csv != NULL) {
        size_t faults = rows->faults;

        read_heading(table, map, must_name);
        if (!table->named && rows->faults == faults)
            cmd_say(ctx,
                    _("%s has no column of codes: every row becomes a new "
                      "record, also when it is imported again"),
                    path);
        rc = read_rows(table);
        rows_tell_nameless(ctx, path, table->nameless);
    }
    ent_csv_close(table->csv);
    free(table);
    return rc;
}

/* -------------------------------------------------------------- vocabulary */

static const char *cell_text(struct ent_arena *arena, struct ent_slice cell)
{
    struct ent_slice copy = ent_arena_copy(arena, cell);

    return copy.at == NULL ? "" : (const char *)copy.at;
}

int rows_read_vocabulary(struct cmd_ctx *ctx, struct rows *rows, int fd,
                         const char *path, size_t *terms)
{
    struct ent_arena arena = {0};
    struct ent_csv *csv = NULL;
    const struct ent_slice *cells;
    int rc = open_table(rows, fd, path, &csv, &ctx->err);

    if (rc < 0 || csv == NULL)
        return rc;
    if (ent_csv_columns(csv) < 2 ||
        strcmp(ent_csv_heading(csv, 0), "list") != 0 ||
        strcmp(ent_csv_heading(csv, 1), "code") != 0)
        rows_fault(rows, path, 1, NULL,
                   _("a vocabulary begins with the columns list and code"));
    while ((rc = ent_csv_next(csv, &cells, &ctx->err)) != 0) {
        const char *list;
        const char *code;

        if (rc < 0) {
            rows_fault(rows, NULL, 0, NULL, ctx->err.text);
            if (ent_csv_broken(csv))
                break;
            continue;
        }
        if (ent_csv_columns(csv) < 2)
            continue;
        list = cell_text(&arena, cells[0]);
        code = cell_text(&arena, cells[1]);
        (*terms)++;
        if (ent_vocab_find(&ctx->vocab, list, code) == NULL) {
            ent_err_set(&ctx->err, ENT_EREFUSED,
                        "the vocabulary has no \"%s\" in the list \"%s\"; a "
                        "package cannot add to it",
                        code, list);
            rows_fault(rows, path, ent_csv_line(csv), "code", ctx->err.text);
        }
        ent_arena_reset(&arena);
    }
    ent_arena_fini(&arena);
    ent_csv_close(csv);
    return 0;
}

/* ------------------------------------------------------------------- check */

static int name_twice(struct cmd_ctx *ctx, struct rows *rows,
                      const struct codes_item *a, const struct codes_item *b)
{
    size_t later = a->row > b->row ? a->row : b->row;
    const struct row *first = &rows->rows[a->row + b->row - later];
    const struct row *second = &rows->rows[later];
    struct ent_buf code = {0};
    const char *text;

    look_short(&code, a->code);
    text = ent_buf_cstr(&code);
    ent_err_set(&ctx->err, ENT_EREFUSED,
                "\"%s\" names the row of line %zu already",
                text == NULL ? "" : text, first->line);
    rows_fault(rows, second->path, second->line, NULL, ctx->err.text);
    ent_buf_fini(&code);
    return 0;
}

static int find_twins(struct cmd_ctx *ctx, struct rows *rows)
{
    struct codes codes = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < rows->count; i++) {
        const struct codes_item item = {
            .kind = rows->rows[i].kind->number,
            .code = rows->rows[i].code,
            .row = i,
        };

        if (item.code.len > 0)
            rc = codes_put(&codes, &item, &ctx->err);
    }
    if (rc == 0)
        rc = codes_sort(&codes, &ctx->err);
    for (size_t i = 1; rc == 0 && i < codes.count; i++) {
        const struct codes_item *a = &codes.items[i - 1];
        const struct codes_item *b = &codes.items[i];

        if (a->kind == b->kind && ent_slice_equal(a->code, b->code))
            rc = name_twice(ctx, rows, a, b);
    }
    codes_fini(&codes);
    return rc;
}

int rows_check(struct cmd_ctx *ctx, struct rows *rows)
{
    int rc = find_twins(ctx, rows);

    return rc < 0 ? rc : rows_check_faults(ctx, rows);
}

int rows_check_faults(struct cmd_ctx *ctx, const struct rows *rows)
{
    if (rows->faults == 0)
        return 0;
    if (rows->untold > 0)
        fprintf(stderr, _("... and %zu more\n"), rows->untold);
    return ent_err_set(&ctx->err, ENT_EREFUSED,
                       "faults: %zu; nothing was imported", rows->faults);
}
