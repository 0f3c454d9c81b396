/* out_object.c - one object: fields with labels, and listings within it
 * (out.h). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/out_state.h"
#include "cli/out_text.h"

void out_object_begin(struct out *out)
{
    ENT_ASSERT(!out->in_object && !out->in_list);
    out->in_object = true;
    out->fields = 0;
    out->gathered = 0;
    out->label_width = 0;
    if (out_is_json(out))
        ent_buf_put_u8(&out->row, '{');
}

/* ------------------------------------------------------------------ fields */

static void json_key(struct out *out, const char *key)
{
    if (out->fields > 0)
        ent_buf_put_str(&out->row, ", ");
    out_json_string(&out->row, key);
    ent_buf_put_str(&out->row, ": ");
}

/* Label, NUL, value, NUL: set when the widest label is known. */
static void keep_line(struct out *out, const char *label, const char *text)
{
    size_t width;

    label = out_shown(out, label, 0);
    width = out_width(label, NULL);
    if (width > out->label_width)
        out->label_width = width;
    ent_buf_put(&out->names, label, strlen(label) + 1);
    text = out_shown(out, text, OUT_SHOW_LF);
    ent_buf_put(&out->names, text, strlen(text) + 1);
}

static void pad(struct out *out, size_t width)
{
    while (width-- > 0)
        ent_buf_put_u8(&out->row, ' ');
}

/* Further lines of a value stand under the first, so that no value can pass
 * itself off as another field. */
static void print_lines(struct out *out)
{
    const char *at = (const char *)out->names.at;
    const char *end = at + out->names.len;

    if (out->names.rc < 0) {
        out->failed = true;
        return;
    }
    while (at < end) {
        const char *text = at + strlen(at) + 1;

        ent_buf_put_str(&out->row, at);
        if (*text != '\0')
            pad(out, out->label_width + 2 - out_width(at, NULL));
        for (at = text; *at != '\0'; at++) {
            ent_buf_put_u8(&out->row, (uint8_t)*at);
            if (*at == '\n')
                pad(out, out->label_width + 2);
        }
        at++;
        ent_buf_put_u8(&out->row, '\n');
    }
}

/* The fields gathered so far, as lines or as a CSV heading and row. */
static void print_fields(struct out *out)
{
    if (out->format == OUT_TABLE) {
        print_lines(out);
        ent_buf_reset(&out->names);
    } else if (out->format != OUT_MARKDOWN && out->format != OUT_XLSX &&
               out->gathered > 0) {
        ent_buf_put_u8(&out->names, '\n');
        out_write(out, &out->names);
        ent_buf_put_u8(&out->row, '\n');
    }
    out->gathered = 0;
    out->label_width = 0;
    out_flush(out);
}

static void put_field(struct out *out, const char *key, const char *label,
                      enum out_type type, const char *text)
{
    ENT_ASSERT(out->in_object && !out->in_list);
    if (out->gathered == 0 && out->fields > 0 && !out_is_json(out) &&
        out->format != OUT_XLSX) {
        ent_buf_put_u8(&out->row, '\n'); /* after a listing */
        out_flush(out);
    }
    switch (out->format) {
    case OUT_JSON:
    case OUT_JSONL:
        json_key(out, key);
        out_json_value(&out->row, type, text);
        break;
    case OUT_CSV:
    case OUT_TSV:
        out_put_csv(out, &out->names, out->gathered == 0, key);
        out_put_csv(out, &out->row, out->gathered == 0,
                    out_plain(out, type, text));
        break;
    case OUT_MARKDOWN:
        if (out->gathered == 0)
            ent_buf_put_str(&out->row, "|  |  |\n|---|---|\n");
        ent_buf_put_str(&out->row, "| ");
        out_put_markdown(out, &out->row, label);
        ent_buf_put_str(&out->row, " | ");
        out_put_markdown(out, &out->row, out_plain(out, type, text));
        ent_buf_put_str(&out->row, " |\n");
        break;
    case OUT_XLSX:
        out_book_field(out, label, type, text);
        break;
    case OUT_AUTO:
    case OUT_TABLE:
    case OUT_VCF:
    case OUT_ICS:
        if (text != NULL)
            keep_line(out, label, out_plain(out, type, text));
        break;
    case OUT_SVG:
        break;
    }
    out->fields++;
    out->gathered++;
}

void out_field(struct out *out, const char *key, const char *label,
               const char *text)
{
    put_field(out, key, label, OUT_TEXT, text);
}

void out_field_int(struct out *out, const char *key, const char *label,
                   int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    put_field(out, key, label, OUT_NUMBER, text);
}

void out_field_bool(struct out *out, const char *key, const char *label,
                    bool value)
{
    put_field(out, key, label, OUT_BOOL, value ? "1" : "0");
}

void out_field_as(struct out *out, const char *key, const char *label,
                  enum out_type type, const char *text)
{
    put_field(out, key, label, type, text);
}

/* --------------------------------------------------------- listings within */

void out_nested_begin(struct out *out, const char *key, const char *label)
{
    ENT_ASSERT(out->in_object);
    if (out_is_json(out)) {
        json_key(out, key);
    } else {
        print_fields(out);
        free(out->label);
        out->label = strdup(label);
        if (out->label == NULL)
            out->failed = true;
    }
    out_list_begin(out);
}

void out_nested_end(struct out *out)
{
    ENT_ASSERT(out->in_object && out->in_list);
    out_end_rows(out);
    out->fields++;
    out_flush(out);
}

void out_object_end(struct out *out)
{
    ENT_ASSERT(out->in_object && !out->in_list);
    if (out_is_json(out))
        ent_buf_put_str(&out->row, "}\n");
    else
        print_fields(out);
    out->in_object = false;
    out_flush(out);
}
