/* export.c - see export.h. Packages are written by folder.c. */
#include "cli/export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/codes.h"
#include "cli/fields.h"
#include "cli/look.h"
#include "cli/out_text.h"
#include "cli/pick.h"
#include "cli/rows.h"
#include "store/query.h"
#include "store/records.h"
#include "text/csv.h"
#include "text/parse.h"

/* The fields of the kind's key, into `fields`; 0: its rows are named by id. */
static size_t key_fields(const struct ent_kind *kind,
                         const struct ent_field **fields)
{
    const char *key = kind->key == NULL ? "id" : kind->key;
    size_t count = 0;

    if (strcmp(key, "id") == 0)
        return 0;
    while (*key != '\0' && count < kind->field_count) {
        size_t len = strcspn(key, "|");

        for (size_t i = 0; i < kind->field_count; i++)
            if (strlen(kind->fields[i].name) == len &&
                strncmp(kind->fields[i].name, key, len) == 0)
                fields[count++] = &kind->fields[i];
        key += len + (key[len] == '|');
    }
    return count;
}

/* Whether the row in hand has the code that an import would make of its key. */
static bool has_key_code(struct ent_query *query, size_t parts)
{
    const char *code = ent_query_text(query, 3);

    for (size_t i = 0; i < parts; i++) {
        const char *part = ent_query_text(query, 4 + (int)i);
        size_t len = strlen(part);

        if (len == 0 || strncmp(code, part, len) != 0 ||
            code[len] != (i + 1 < parts ? '/' : '\0'))
            return false;
        code += len + (i + 1 < parts);
    }
    return true;
}

/* Whether rows need a column for their names: where one record has another
 * code than its key says, or none, the key would make a second one of it. */
static int needs_id(struct cmd_ctx *ctx, const struct export *export,
                    struct ent_arena *arena)
{
    const struct ent_field **columns = ENT_ARENA_NEW(
        arena, const struct ent_field *, export->kind->field_count + 1);
    struct ent_listing listing = {
        .kind = export->kind,
        .space = export->space,
        .filters = export->filters,
        .filter_count = export->filter_count,
        .columns = columns,
        .apart = true,
        .sharing = export->sharing,
    };
    struct ent_query *query = NULL;
    size_t parts;
    int found = 0;
    int rc;

    if (columns == NULL)
        return cmd_no_memory(ctx);
    columns[0] = ent_field_find(export->kind, ENT_FIELD_CODE);
    parts = key_fields(export->kind, columns + 1);
    if (parts == 0)
        return 1;
    listing.column_count = 1 + parts;
    rc = ent_query_list(ctx->store, &listing, &query, &ctx->err);
    while (rc == 0 && !found && (rc = ent_query_next(query, &ctx->err)) > 0) {
        rc = 0;
        found = !has_key_code(query, parts);
    }
    ent_query_close(query);
    return rc < 0 ? rc : found;
}

/* Whether some record fills a field: 1, 0 or an error. */
static int is_filled(struct cmd_ctx *ctx, const struct export *export,
                     const struct ent_field *field)
{
    const struct ent_filter filter = {
        .field = field, .compare = ENT_COMPARE_NE, .text = ""};
    const struct ent_listing listing = {
        .kind = export->kind,
        .space = export->space,
        .filters = &filter,
        .filter_count = 1,
        .limit = 1,
        .sharing = export->sharing,
    };
    struct ent_query *query = NULL;
    int rc = ent_query_list(ctx->store, &listing, &query, &ctx->err);

    if (rc == 0)
        rc = ent_query_next(query, &ctx->err);
    ent_query_close(query);
    return rc;
}

int export_columns(struct cmd_ctx *ctx, struct export *export,
                   struct ent_arena *arena)
{
    const struct ent_kind *kind = export->kind;
    size_t count;
    int rc =
        fields_all(ctx, kind, export->space, arena, &export->fields, &count);

    if (rc == 0)
        rc = needs_id(ctx, export, arena);
    if (rc < 0)
        return rc;
    export->id_column = rc > 0;
    export->count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ent_field *field = export->fields[i];

        if (!export->id_column && field->number == ENT_FIELD_CODE)
            continue;
        rc = field->when_filled ? is_filled(ctx, export, field) : 1;
        if (rc < 0)
            return rc;
        if (rc > 0)
            export->fields[export->count++] = field;
    }
    return 0;
}

const char *export_column_name(const struct export *export,
                               const struct ent_field *field)
{
    return export->id_column && field->number == ENT_FIELD_CODE ? "id"
                                                                : field->name;
}

/* ------------------------------------------------------------------- cells */

static int put_elements(struct cmd_ctx *ctx, const struct ent_record *record,
                        const struct ent_field *field, bool json,
                        struct ent_buf *buf)
{
    struct ent_arena arena = {0};
    size_t count;
    const struct ent_shown **list =
        look_elements(record, field->number, &arena, &count);

    for (size_t i = 0; list != NULL && i < count; i++) {
        if (i > 0)
            ent_buf_put_str(buf, json ? ", " : "|");
        if (json)
            look_json(&list[i]->value, buf);
        else
            ent_value_print(&list[i]->value, buf);
    }
    ent_arena_fini(&arena);
    return list == NULL ? cmd_no_memory(ctx) : 0;
}

static void put_decimal_comma(const struct ent_field *field,
                              struct ent_buf *buf)
{
    for (size_t i = 0; field->type == ENT_TYPE_DECIMAL && i < buf->len; i++)
        if (buf->at[i] == '.')
            buf->at[i] = ',';
}

int export_cell(struct cmd_ctx *ctx, const struct export *export,
                const struct ent_record *record, const struct ent_field *field,
                struct ent_buf *buf)
{
    field = fields_of(ctx, export->kind, record->ref.space, field);
    if (field == NULL)
        return 0;
    if (field->rule == ENT_RULE_SET)
        return put_elements(ctx, record, field, false, buf);
    look_put(record, field->number, buf);
    if (field->number == ENT_FIELD_CODE && buf->len == 0 && export->id_column) {
        char id[ENT_ID_TEXT];

        ent_id_text(&record->ref.id, id);
        ent_buf_put_str(buf, id);
    }
    if (export->excel_fr)
        put_decimal_comma(field, buf);
    return 0;
}

/* ------------------------------------------------------------------- table */

static int write_buf(struct cmd_ctx *ctx, struct ent_buf *buf, FILE *file)
{
    int rc = 0;

    if (buf->rc < 0)
        rc = cmd_no_memory(ctx);
    else if (buf->len > 0 && fwrite(buf->at, 1, buf->len, file) != buf->len)
        rc = ent_err_set(&ctx->err, ENT_EFAIL,
                         "the table cannot be written: %s", strerror(errno));
    ent_buf_reset(buf);
    return rc;
}

static void put_heading(const struct export *export, struct ent_buf *buf)
{
    if (export->excel_fr)
        ent_buf_put_str(buf, "\xef\xbb\xbf");
    for (size_t i = 0; i < export->count; i++)
        ent_csv_put(
            buf, export->separator, i == 0,
            ent_slice_str(export_column_name(export, export->fields[i])));
    ent_buf_put_u8(buf, '\n');
    if (!export->hxl)
        return;
    /* The first cell must be a tag, or the row would be data. */
    for (size_t i = 0; i < export->count; i++) {
        const char *tag = export->fields[i]->hxl;

        if (tag == NULL)
            tag = i == 0 ? "#meta+id" : "";
        ent_csv_put(buf, export->separator, i == 0, ent_slice_str(tag));
    }
    ent_buf_put_u8(buf, '\n');
}

/* A text of another member may hold anything but invalid UTF-8: escapes are
 * spelled out, and what turns the direction of writing on a terminal. */
static int put_row(struct cmd_ctx *ctx, const struct export *export,
                   const struct ent_record *record, bool terminal,
                   struct ent_buf *buf)
{
    unsigned pass =
        OUT_SHOW_LF | OUT_SHOW_TAB | (terminal ? 0u : (unsigned)OUT_SHOW_BIDI);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < export->count; i++) {
        struct ent_buf cell = {0};
        struct ent_buf shown = {0};
        struct ent_buf guarded = {0};
        const char *text;

        rc = export_cell(ctx, export, record, export->fields[i], &cell);
        out_show_as(&shown, ent_buf_slice(&cell), pass);
        text = ent_buf_cstr(&shown);
        if (rc == 0 && text == NULL)
            rc = cmd_no_memory(ctx);
        if (rc == 0) {
            rows_guard(&guarded, text, i == 0);
            if (guarded.rc < 0)
                rc = cmd_no_memory(ctx);
            ent_csv_put(buf, export->separator, i == 0,
                        ent_buf_slice(&guarded));
        }
        ent_buf_fini(&cell);
        ent_buf_fini(&shown);
        ent_buf_fini(&guarded);
    }
    ent_buf_put_u8(buf, '\n');
    return rc;
}

int export_each(struct cmd_ctx *ctx, const struct export *export,
                export_fn *take, void *to, size_t *rows)
{
    struct codes codes = {0};
    int rc =
        codes_load_some(ctx, &codes, export->kind, export->space,
                        export->filters, export->filter_count, export->sharing);

    if (rc == 0)
        rc = codes_sort(&codes, &ctx->err);
    for (size_t i = 0; rc == 0 && i < codes.count; i++) {
        const struct ent_record_ref ref = {
            .space = codes.items[i].space,
            .kind = export->kind->number,
            .id = codes.items[i].id,
        };
        struct ent_record record = {0};

        rc = ent_record_read(ctx->store, &ref, &record, &ctx->err);
        if (rc == 0)
            rc = take(ctx, export, &record, to);
        ent_record_fini(&record);
        (*rows)++;
    }
    codes_fini(&codes);
    return rc;
}

int export_left_out(struct cmd_ctx *ctx, const struct export *export,
                    size_t *count)
{
    const struct ent_listing listing = {
        .kind = export->kind,
        .space = export->space,
        .filters = export->filters,
        .filter_count = export->filter_count,
        .apart = true,
        .sharing = export->sharing,
        .narrower = true,
    };

    *count = 0;
    return export->sharing == ENT_SHARING_PRIVATE
               ? 0
               : ent_query_count(ctx->store, &listing, count, &ctx->err);
}

struct sink {
    FILE *file;
    bool terminal;
    struct ent_buf buf;
};

static int write_row(struct cmd_ctx *ctx, const struct export *export,
                     const struct ent_record *record, void *to)
{
    struct sink *sink = to;
    int rc = put_row(ctx, export, record, sink->terminal, &sink->buf);

    return rc < 0 ? rc : write_buf(ctx, &sink->buf, sink->file);
}

int export_table(struct cmd_ctx *ctx, const struct export *export, FILE *file,
                 size_t *rows)
{
    struct sink sink = {.file = file, .terminal = isatty(fileno(file)) == 1};
    int rc;

    *rows = 0;
    put_heading(export, &sink.buf);
    rc = write_buf(ctx, &sink.buf, file);
    if (rc == 0)
        rc = export_each(ctx, export, write_row, &sink, rows);
    ent_buf_fini(&sink.buf);
    return rc;
}

/* ----------------------------------------------------------------- listing */

static int list_row(struct cmd_ctx *ctx, const struct export *export,
                    const struct ent_record *record, void *to)
{
    int rc = 0;

    (void)to;
    out_row(ctx->out);
    for (size_t i = 0; rc == 0 && i < export->count; i++) {
        const struct ent_field *field = export->fields[i];
        struct ent_buf cell = {0};
        const char *text;

        if (field->rule == ENT_RULE_SET) {
            const struct ent_field *one =
                fields_of(ctx, export->kind, record->ref.space, field);

            ent_buf_put_u8(&cell, '[');
            if (one != NULL)
                rc = put_elements(ctx, record, one, true, &cell);
            ent_buf_put_u8(&cell, ']');
        } else {
            rc = export_cell(ctx, export, record, field, &cell);
        }
        text = ent_buf_cstr(&cell);
        if (rc == 0 && text == NULL)
            rc = cmd_no_memory(ctx);
        if (rc == 0)
            out_cell(ctx->out, *text == '\0' ? NULL : text);
        ent_buf_fini(&cell);
    }
    return rc;
}

int export_listing(struct cmd_ctx *ctx, const struct export *export)
{
    size_t rows = 0;
    int rc;

    out_list_begin(ctx->out);
    for (size_t i = 0; i < export->count; i++)
        out_column(ctx->out, export_column_name(export, export->fields[i]),
                   look_field_label(ctx, export->fields[i]),
                   look_column_type(export->fields[i]));
    rc = export_each(ctx, export, list_row, NULL, &rows);
    out_list_end(ctx->out);
    return rc;
}
