/* out.c - see out.h. */
#include "cli/out.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <libintl.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/out_text.h"
#include "text/csv.h"

#define REMARK_MAX 1024
#define WRAPPED_MIN 10 /* a column is not made narrower */
#define WORD_WHOLE 24  /* words up to this are broken last */
#define GAP 2          /* between columns */

struct column {
    char *key;
    char *heading;
    enum out_type type;
    size_t heading_width;
    size_t width; /* of its widest cell */
    size_t word;  /* of the widest word in one; 0: nothing stands in it */
    bool empty;   /* and therefore left out */
};

struct out {
    FILE *file;
    enum out_format format;
    bool terminal;
    bool failed;
    int error; /* errno of the first write that failed */
    bool in_object, in_list, in_row;
    struct column *columns;
    size_t column_count;
    size_t cell;     /* next cell of the row */
    size_t rows;     /* of the listing */
    size_t fields;   /* of the object */
    size_t gathered; /* of them not yet printed, for people and CSV */
    size_t label_width;
    char *label; /* of a listing within an object */
    struct libscols_table *table;
    struct libscols_line *line;
    struct ent_buf row;   /* text on its way to the file */
    struct ent_buf names; /* CSV object: its heading; table: its lines */
    struct ent_buf text;  /* one value, decoded */
    struct ent_buf safe;  /* one value, ready to be shown */
};

/* ------------------------------------------------------- text for a person */

/* What a cell says to people and in CSV, not yet safe to show. */
static const char *plain(struct out *out, enum out_type type, const char *text)
{
    bool program = out->format == OUT_CSV || out->format == OUT_TSV;

    if (text == NULL)
        return "";
    if (type == OUT_BOOL && strcmp(text, "1") == 0)
        return program ? "true" : gettext("yes");
    if (type == OUT_BOOL && strcmp(text, "0") == 0)
        return program ? "false" : gettext("no");
    if (type == OUT_LIST) {
        ent_buf_reset(&out->safe);
        if (out_put_list(&out->safe, text, program ? "|" : ", ")) {
            ent_buf_reset(&out->text);
            ent_buf_put_slice(&out->text, ent_buf_slice(&out->safe));
            text = ent_buf_cstr(&out->text);
        }
    }
    return text == NULL ? "" : text;
}

static const char *shown(struct out *out, const char *text, unsigned pass)
{
    const char *safe;

    ent_buf_reset(&out->safe);
    out_show_as(&out->safe, ent_slice_str(text), pass);
    safe = ent_buf_cstr(&out->safe);
    if (safe == NULL)
        out->failed = true;
    return safe == NULL ? "" : safe;
}

/* A cell of a Markdown table: what would end the cell or begin markup is
 * escaped, a line end becomes a break. */
static void put_markdown(struct out *out, struct ent_buf *buf, const char *text)
{
    for (text = shown(out, text, OUT_SHOW_LF); *text != '\0'; text++) {
        if (*text == '\n') {
            ent_buf_put_str(buf, "<br>");
            continue;
        }
        if (strchr("\\|<>&`*[]~", *text) != NULL)
            ent_buf_put_u8(buf, '\\');
        ent_buf_put_u8(buf, (uint8_t)*text);
    }
}

static void put_csv(struct out *out, struct ent_buf *buf, bool first,
                    const char *text)
{
    unsigned pass = OUT_SHOW_LF | OUT_SHOW_TAB;

    if (!out->terminal)
        pass |= OUT_SHOW_BIDI;
    ent_buf_reset(&out->text);
    out_guard(&out->text, shown(out, text, pass));
    ent_csv_put(buf, out->format == OUT_TSV ? '\t' : ',', first,
                ent_buf_slice(&out->text));
    if (out->text.rc < 0)
        out->failed = true;
}

/* ------------------------------------------------------------ the document */

struct out *out_new(FILE *file, enum out_format format)
{
    struct out *out = calloc(1, sizeof(*out));

    if (out == NULL)
        return NULL;
    out->file = file;
    out->format = format == OUT_AUTO ? OUT_TABLE : format;
    out->terminal = isatty(fileno(file)) == 1;
    return out;
}

static void write_out(struct out *out, struct ent_buf *buf)
{
    errno = 0;
    if (buf->rc < 0 ||
        (buf->len > 0 && fwrite(buf->at, 1, buf->len, out->file) != buf->len)) {
        out->error = out->failed ? out->error : errno;
        out->failed = true;
    }
    ent_buf_reset(buf);
}

static void flush(struct out *out)
{
    write_out(out, &out->row);
}

static void forget_columns(struct out *out)
{
    for (size_t i = 0; i < out->column_count; i++) {
        free(out->columns[i].key);
        free(out->columns[i].heading);
    }
    free(out->columns);
    out->columns = NULL;
    out->column_count = 0;
}

bool out_free(struct out *out)
{
    bool written;
    int error;

    if (out == NULL)
        return true;
    flush(out);
    written = fflush(out->file) == 0 && !ferror(out->file) && !out->failed;
    error = out->failed ? out->error : errno;
    forget_columns(out);
    free(out->label);
    scols_unref_table(out->table);
    ent_buf_fini(&out->row);
    ent_buf_fini(&out->names);
    ent_buf_fini(&out->text);
    ent_buf_fini(&out->safe);
    free(out);
    errno = written ? 0 : error;
    return written;
}

enum out_format out_format_of(const struct out *out)
{
    return out->format;
}

bool out_is_json(const struct out *out)
{
    return out->format == OUT_JSON || out->format == OUT_JSONL;
}

static bool for_people(const struct out *out)
{
    return out->format == OUT_TABLE || out->format == OUT_MARKDOWN;
}

bool out_parse_format(const char *name, enum out_format *format)
{
    static const struct {
        const char *name;
        enum out_format format;
    } formats[] = {
        {"table", OUT_TABLE}, {"csv", OUT_CSV},     {"tsv", OUT_TSV},
        {"json", OUT_JSON},   {"jsonl", OUT_JSONL}, {"markdown", OUT_MARKDOWN},
        {"md", OUT_MARKDOWN},
    };

    for (size_t i = 0; i < ENT_ARRAY_LEN(formats); i++)
        if (strcmp(formats[i].name, name) == 0) {
            *format = formats[i].format;
            return true;
        }
    return false;
}

void out_remark(struct out *out, const char *fmt, ...)
{
    char text[REMARK_MAX];
    va_list ap;

    if (!for_people(out))
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (out->format == OUT_MARKDOWN)
        ent_buf_put_u8(&out->row, '\n');
    ent_buf_put_str(&out->row, shown(out, text, 0));
    ent_buf_put_u8(&out->row, '\n');
    flush(out);
}

/* ----------------------------------------------------------------- listings */

void out_list_begin(struct out *out)
{
    ENT_ASSERT(!out->in_list);
    forget_columns(out);
    out->in_list = true;
    out->in_row = false;
    out->rows = 0;
    if (out->format == OUT_JSON || (out_is_json(out) && out->in_object))
        ent_buf_put_u8(&out->row, '[');
}

void out_column(struct out *out, const char *key, const char *heading,
                enum out_type type)
{
    struct column *columns =
        realloc(out->columns, (out->column_count + 1) * sizeof(*out->columns));

    ENT_ASSERT(out->in_list && out->rows == 0);
    if (columns == NULL) {
        out->failed = true;
        return;
    }
    out->columns = columns;
    columns[out->column_count] = (struct column){
        .key = strdup(key),
        .heading = strdup(heading),
        .type = type,
    };
    if (columns[out->column_count].key == NULL ||
        columns[out->column_count].heading == NULL)
        out->failed = true;
    out->column_count++;
}

static const char *text_or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static void table_heading(struct out *out)
{
    out->table = scols_new_table();
    if (out->table == NULL) {
        out->failed = true;
        return;
    }
    scols_table_set_stream(out->table, out->file);
    /* Everything is made safe here already; smartcols would do it again. But
     * where UTF-8 is not the locale's, it would never come to an end. */
    scols_table_enable_noencoding(out->table,
                                  strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
    scols_table_set_column_separator(out->table, "  ");
    /* What is too wide for a terminal is wrapped here. */
    scols_table_set_termforce(out->table, SCOLS_TERMFORCE_NEVER);
    for (size_t i = 0; i < out->column_count; i++) {
        struct column *column = &out->columns[i];
        const char *name = shown(out, text_or_empty(column->heading), 0);

        column->heading_width = out_width(name, NULL);
        column->width = column->heading_width;
        column->word = 0;
        if (scols_table_new_column(out->table, name, 0,
                                   column->type == OUT_NUMBER ? SCOLS_FL_RIGHT
                                                              : 0) == NULL)
            out->failed = true;
    }
}

static void heading(struct out *out)
{
    if (out->in_object && !out_is_json(out)) {
        ent_buf_put_u8(&out->row, '\n');
        if (out->format == OUT_TABLE)
            ent_buf_printf(&out->row, "%s\n",
                           shown(out, text_or_empty(out->label), 0));
        if (out->format == OUT_MARKDOWN) {
            put_markdown(out, &out->row, text_or_empty(out->label));
            ent_buf_put_str(&out->row, "\n\n");
        }
    }
    if (out->format == OUT_TABLE)
        table_heading(out);
    if (out->format == OUT_CSV || out->format == OUT_TSV) {
        for (size_t i = 0; i < out->column_count; i++)
            put_csv(out, &out->row, i == 0, text_or_empty(out->columns[i].key));
        ent_buf_put_u8(&out->row, '\n');
    }
    if (out->format == OUT_MARKDOWN) {
        for (size_t i = 0; i < out->column_count; i++) {
            ent_buf_put_str(&out->row, "| ");
            put_markdown(out, &out->row,
                         text_or_empty(out->columns[i].heading));
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
        break;
    }
    flush(out);
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
    if (out->table != NULL) {
        out->line = scols_table_new_line(out->table, NULL);
        if (out->line == NULL)
            out->failed = true;
    }
    out->in_row = true;
    out->cell = 0;
    out->rows++;
}

static void table_cell(struct out *out, const char *text)
{
    struct column *column = &out->columns[out->cell];
    size_t word;
    size_t width = out_width(text, &word);

    if (width > column->width)
        column->width = width;
    if (word > column->word)
        column->word = word;
    if (out->line != NULL &&
        scols_line_set_data(out->line, out->cell, text) < 0)
        out->failed = true;
}

void out_cell_as(struct out *out, enum out_type type, const char *text)
{
    ENT_ASSERT(out->in_row && out->cell < out->column_count);
    switch (out->format) {
    case OUT_JSON:
    case OUT_JSONL:
        if (out->cell > 0)
            ent_buf_put_str(&out->row, ", ");
        out_json_string(&out->row, text_or_empty(out->columns[out->cell].key));
        ent_buf_put_str(&out->row, ": ");
        out_json_value(&out->row, type, text);
        break;
    case OUT_CSV:
    case OUT_TSV:
        put_csv(out, &out->row, out->cell == 0, plain(out, type, text));
        break;
    case OUT_MARKDOWN:
        ent_buf_put_str(&out->row, "| ");
        put_markdown(out, &out->row, plain(out, type, text));
        ent_buf_put_u8(&out->row, ' ');
        break;
    case OUT_AUTO:
    case OUT_TABLE:
        table_cell(out, shown(out, plain(out, type, text), 0));
        break;
    }
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

static size_t terminal_width(struct out *out)
{
    struct winsize size;

    if (ioctl(fileno(out->file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

/* The width of a column where lines have at most `line` and pieces of words
 * at most `word`, unless its heading is wider. */
static size_t column_width(const struct out *out, size_t i, size_t line,
                           size_t word)
{
    const struct column *column = &out->columns[i];
    size_t most = i == 0 ? WORD_WHOLE : word;
    size_t least = column->word < most ? column->word : most;

    if (column->empty)
        return 0;
    if (least < column->heading_width)
        least = column->heading_width;
    if (line < least)
        line = least;
    return column->width < line ? column->width : line;
}

static bool fits(const struct out *out, size_t terminal, size_t line,
                 size_t word)
{
    size_t sum = 0;

    for (size_t i = 0; i < out->column_count; i++)
        sum += column_width(out, i, line, word) +
               (i > 0 && !out->columns[i].empty ? GAP : 0);
    return sum <= terminal;
}

static void wrap_column(struct out *out, size_t column, size_t width)
{
    struct libscols_column *at = scols_table_get_column(out->table, column);
    size_t count = scols_table_get_nlines(out->table);

    scols_column_set_flags(at, scols_column_get_flags(at) | SCOLS_FL_WRAP);
    scols_column_set_wrapfunc(at, scols_wrapnl_chunksize,
                              scols_wrapnl_nextchunk, NULL);
    for (size_t i = 0; i < count; i++) {
        struct libscols_line *line = scols_table_get_line(out->table, i);
        const char *text =
            scols_cell_get_data(scols_line_get_cell(line, column));

        ent_buf_reset(&out->safe);
        out_wrap(&out->safe, text == NULL ? "" : text, width);
        text = ent_buf_cstr(&out->safe);
        if (text == NULL || scols_line_set_data(line, column, text) < 0)
            out->failed = true;
    }
}

/* What does not fit a terminal goes on below. Columns without a value give way
 * first, then the widest; words are broken where nothing else helps, but in
 * the first column: it has the name that people go on with. */
static void wrap_columns(struct out *out)
{
    size_t terminal = terminal_width(out);
    size_t line = terminal;
    size_t word = WORD_WHOLE;

    for (size_t i = 0; i < out->column_count; i++)
        out->columns[i].empty = false;
    if (fits(out, terminal, SIZE_MAX, SIZE_MAX))
        return;
    for (size_t i = 0; i < out->column_count; i++)
        if (out->columns[i].word == 0) {
            out->columns[i].empty = true;
            scols_column_set_flags(scols_table_get_column(out->table, i),
                                   SCOLS_FL_HIDDEN);
        }
    while (line > WRAPPED_MIN && !fits(out, terminal, line, word))
        line--;
    while (word > WRAPPED_MIN && !fits(out, terminal, line, word))
        word--;
    if (!fits(out, terminal, line, word))
        word = WORD_WHOLE; /* headings are wider: breaking would not help */
    for (size_t i = 0; i < out->column_count; i++) {
        size_t width = column_width(out, i, line, word);

        if (!out->columns[i].empty && out->columns[i].width > width)
            wrap_column(out, i, width);
    }
}

static void print_table(struct out *out)
{
    flush(out);
    if (out->table != NULL && out->terminal)
        wrap_columns(out);
    if (out->table != NULL && scols_print_table(out->table) != 0)
        out->failed = true;
    scols_unref_table(out->table);
    out->table = NULL;
    out->line = NULL;
}

static void end_rows(struct out *out)
{
    end_row(out);
    if (out->rows == 0 && !for_people(out))
        heading(out);
    print_table(out);
    if (out->format == OUT_JSON)
        ent_buf_put_str(&out->row, out->rows > 0 ? "\n]" : "]");
    else if (out->format == OUT_JSONL && out->in_object)
        ent_buf_put_u8(&out->row, ']');
    out->in_list = false;
}

void out_list_end(struct out *out)
{
    ENT_ASSERT(out->in_list && !out->in_object);
    end_rows(out);
    if (out->format == OUT_JSON)
        ent_buf_put_u8(&out->row, '\n');
    flush(out);
}

/* ------------------------------------------------------------------ objects */

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

    label = shown(out, label, 0);
    width = out_width(label, NULL);
    if (width > out->label_width)
        out->label_width = width;
    ent_buf_put(&out->names, label, strlen(label) + 1);
    text = shown(out, text, OUT_SHOW_LF);
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
    } else if (out->format != OUT_MARKDOWN && out->gathered > 0) {
        ent_buf_put_u8(&out->names, '\n');
        write_out(out, &out->names);
        ent_buf_put_u8(&out->row, '\n');
    }
    out->gathered = 0;
    out->label_width = 0;
    flush(out);
}

static void put_field(struct out *out, const char *key, const char *label,
                      enum out_type type, const char *text)
{
    ENT_ASSERT(out->in_object && !out->in_list);
    if (out->gathered == 0 && out->fields > 0 && !out_is_json(out)) {
        ent_buf_put_u8(&out->row, '\n'); /* after a listing */
        flush(out);
    }
    switch (out->format) {
    case OUT_JSON:
    case OUT_JSONL:
        json_key(out, key);
        out_json_value(&out->row, type, text);
        break;
    case OUT_CSV:
    case OUT_TSV:
        put_csv(out, &out->names, out->gathered == 0, key);
        put_csv(out, &out->row, out->gathered == 0, plain(out, type, text));
        break;
    case OUT_MARKDOWN:
        if (out->gathered == 0)
            ent_buf_put_str(&out->row, "|  |  |\n|---|---|\n");
        ent_buf_put_str(&out->row, "| ");
        put_markdown(out, &out->row, label);
        ent_buf_put_str(&out->row, " | ");
        put_markdown(out, &out->row, plain(out, type, text));
        ent_buf_put_str(&out->row, " |\n");
        break;
    case OUT_AUTO:
    case OUT_TABLE:
        if (text != NULL)
            keep_line(out, label, plain(out, type, text));
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
    end_rows(out);
    out->fields++;
    flush(out);
}

void out_object_end(struct out *out)
{
    ENT_ASSERT(out->in_object && !out->in_list);
    if (out_is_json(out))
        ent_buf_put_str(&out->row, "}\n");
    else
        print_fields(out);
    out->in_object = false;
    flush(out);
}
