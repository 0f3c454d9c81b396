/* out_list.c - listings: columns, rows and cells (out.h). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/out_state.h"
#include "cli/out_text.h"

void out_forget_columns(struct out *out)
{
    for (size_t i = 0; i < out->column_count; i++) {
        free(out->columns[i].key);
        free(out->columns[i].heading);
    }
    free(out->columns);
    out->columns = NULL;
    out->column_count = 0;
}

void out_list_begin(struct out *out)
{
    ENT_ASSERT(!out->in_list);
    out_forget_columns(out);
    out->in_list = true;
    out->in_row = false;
    out->rows = 0;
    if (out->format == OUT_JSON || (out_is_json(out) && out->in_object))
        ent_buf_put_u8(&out->row, '[');
}

void out_column(struct out *out, const char *key, const char *heading,
                enum out_type type)
{
    struct out_column *columns =
        realloc(out->columns, (out->column_count + 1) * sizeof(*out->columns));

    ENT_ASSERT(out->in_list && out->rows == 0);
    if (columns == NULL) {
        out->failed = true;
        return;
    }
    out->columns = columns;
    columns[out->column_count] = (struct out_column){
        .key = strdup(key),
        .heading = strdup(heading),
        .type = type,
    };
    if (columns[out->column_count].key == NULL ||
        columns[out->column_count].heading == NULL)
        out->failed = true;
    out->column_count++;
}

/* -------------------------------------------------------------------- rows */

static void heading(struct out *out)
{
    if (out->in_object && !out_is_json(out) && out->format != OUT_XLSX) {
        ent_buf_put_u8(&out->row, '\n');
        if (out->format == OUT_TABLE)
            ent_buf_printf(&out->row, "%s\n",
                           out_shown(out, out_or_empty(out->label), 0));
        if (out->format == OUT_MARKDOWN) {
            out_put_markdown(out, &out->row, out_or_empty(out->label));
            ent_buf_put_str(&out->row, "\n\n");
        }
    }
    if (out->format == OUT_XLSX)
        out_book_begin(out);
    if (out->format == OUT_TABLE)
        out_table_begin(out);
    if (out->format == OUT_CSV || out->format == OUT_TSV) {
        for (size_t i = 0; i < out->column_count; i++)
            out_put_csv(out, &out->row, i == 0,
                        out_or_empty(out->columns[i].key));
        ent_buf_put_u8(&out->row, '\n');
    }
    if (out->format == OUT_MARKDOWN) {
        for (size_t i = 0; i < out->column_count; i++) {
            ent_buf_put_str(&out->row, "| ");
            out_put_markdown(out, &out->row,
                             out_or_empty(out->columns[i].heading));
            ent_buf_put_u8(&out->row, ' ');
        }
        ent_buf_put_str(&out->row, "|\n");
        for (size_t i = 0; i < out->column_count; i++)
            ent_buf_put_str(&out->row, out->columns[i].type == OUT_NUMBER
                                           ? "|---:"
                                           : "|---");
        ent_buf_put_str(&out->row, "|\n");
    }
}

static void end_row(struct out *out)
{
    if (!out->in_row)
        return;
    while (out->cell < out->column_count)
        out_cell(out, NULL);
    out->in_row = false;
    switch (out->format) {
    case OUT_JSON:
        ent_buf_put_u8(&out->row, '}');
        break;
    case OUT_JSONL:
        ent_buf_put_str(&out->row, out->in_object ? "}" : "}\n");
        break;
    case OUT_CSV:
    case OUT_TSV:
        ent_buf_put_u8(&out->row, '\n');
        break;
    case OUT_MARKDOWN:
        ent_buf_put_str(&out->row, "|\n");
        break;
    case OUT_AUTO:
    case OUT_TABLE:
    case OUT_XLSX:
    case OUT_VCF:
    case OUT_ICS:
    case OUT_SVG:
        break;
    }
    out_flush(out);
}

void out_row(struct out *out)
{
    ENT_ASSERT(out->in_list && out->column_count > 0);
    end_row(out);
    if (out->rows == 0)
        heading(out);
    if (out->format == OUT_JSON)
        ent_buf_put_str(&out->row, out->rows == 0 ? "\n  {" : ",\n  {");
    if (out->format == OUT_JSONL)
        ent_buf_put_str(&out->row,
                        out->in_object && out->rows > 0 ? ", {" : "{");
    out_table_row(out);
    out_book_row(out);
    out->in_row = true;
    out->cell = 0;
    out->rows++;
}

void out_contested(struct out *out)
{
    out->contested = true;
}

/* What a cell says to people. */
static const char *said(struct out *out, enum out_type type, const char *text)
{
    const char *plain = out_plain(out, type, text);

    if (!out->contested)
        return plain;
    ent_buf_reset(&out->marked);
    ent_buf_printf(&out->marked, "%s%s" OUT_CONTESTED, plain,
                   *plain == '\0' ? "" : " ");
    plain = ent_buf_cstr(&out->marked);
    return plain == NULL ? "" : plain;
}

void out_cell_as(struct out *out, enum out_type type, const char *text)
{
    ENT_ASSERT(out->in_row && out->cell < out->column_count);
    switch (out->format) {
    case OUT_JSON:
    case OUT_JSONL:
        if (out->cell > 0)
            ent_buf_put_str(&out->row, ", ");
        out_json_string(&out->row, out_or_empty(out->columns[out->cell].key));
        ent_buf_put_str(&out->row, ": ");
        out_json_value(&out->row, type, text);
        break;
    case OUT_CSV:
    case OUT_TSV:
        out_put_csv(out, &out->row, out->cell == 0, out_plain(out, type, text));
        break;
    case OUT_MARKDOWN:
        ent_buf_put_str(&out->row, "| ");
        out_put_markdown(out, &out->row, said(out, type, text));
        ent_buf_put_u8(&out->row, ' ');
        break;
    case OUT_XLSX:
        out_book_cell(out, type, text);
        break;
    case OUT_AUTO:
    case OUT_TABLE:
    case OUT_VCF:
    case OUT_ICS:
        out_table_cell(out, out_shown(out, said(out, type, text), 0));
        break;
    case OUT_SVG:
        break;
    }
    out->contested = false;
    out->cell++;
}

void out_cell(struct out *out, const char *text)
{
    ENT_ASSERT(out->in_row && out->cell < out->column_count);
    out_cell_as(out, out->columns[out->cell].type, text);
}

void out_cell_int(struct out *out, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    out_cell(out, text);
}

/* ----------------------------------------------------------------- the end */

void out_end_rows(struct out *out)
{
    end_row(out);
    if (out->rows == 0 && (!out_for_people(out) || out->format == OUT_XLSX))
        heading(out);
    out_table_end(out);
    out_book_end_rows(out);
    if (out->format == OUT_JSON)
        ent_buf_put_str(&out->row, out->rows > 0 ? "\n]" : "]");
    else if (out->format == OUT_JSONL && out->in_object)
        ent_buf_put_u8(&out->row, ']');
    out->in_list = false;
}

void out_list_end(struct out *out)
{
    ENT_ASSERT(out->in_list && !out->in_object);
    out_end_rows(out);
    if (out->format == OUT_JSON)
        ent_buf_put_u8(&out->row, '\n');
    out_flush(out);
}
