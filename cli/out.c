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
#include <unistd.h>

#include "base/err.h"
#include "text/csv.h"

#define REMARK_MAX 1024

/* What may pass when text is shown; everything else that moves a cursor,
 * hides or reorders is spelled out. */
enum show {
    SHOW_LF = 1,
    SHOW_TAB = 2,
    SHOW_BIDI = 4,
};

struct column {
    char *key;
    char *heading;
    enum out_type type;
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

/* ------------------------------------------------------------- characters */

/* One character of UTF-8 at *at; false, and one byte further, when there is
 * none. */
static bool next_char(const uint8_t **at, const uint8_t *end, uint32_t *cp)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const uint8_t *p = *at;
    uint32_t c = *p++;
    int more = c < 0x80    ? 0
               : c < 0xc2  ? -1
               : c < 0xe0  ? 1
               : c < 0xf0  ? 2
               : c <= 0xf4 ? 3
                           : -1;

    *at = p;
    *cp = c;
    if (more <= 0)
        return more == 0;
    c &= 0x3fu >> more;
    for (int i = 0; i < more; i++, p++) {
        if (p == end || (*p & 0xc0) != 0x80)
            return false;
        c = c << 6 | (*p & 0x3fu);
    }
    if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return false;
    *at = p;
    *cp = c;
    return true;
}

static bool is_control(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}

/* Embeddings, overrides, isolates, and the two separators that some programs
 * take for line ends. */
static bool is_bidi(uint32_t cp)
{
    return (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

static void show(struct ent_buf *buf, struct ent_slice text, unsigned pass)
{
    const uint8_t *at = text.at;
    const uint8_t *end = text.at + text.len;

    while (at < end) {
        const uint8_t *from = at;
        uint32_t cp;

        if (!next_char(&at, end, &cp))
            ent_buf_printf(buf, "\\x%02x", (unsigned)*from);
        else if (is_control(cp) && !(cp == '\n' && (pass & SHOW_LF) != 0) &&
                 !(cp == '\t' && (pass & SHOW_TAB) != 0))
            ent_buf_printf(buf, "\\x%02x", (unsigned)cp);
        else if (is_bidi(cp) && (pass & SHOW_BIDI) == 0)
            ent_buf_printf(buf, "U+%04X", (unsigned)cp);
        else
            ent_buf_put(buf, from, (size_t)(at - from));
    }
}

void out_show(struct ent_buf *buf, const char *text)
{
    show(buf, ent_slice_str(text), 0);
}

static size_t count_chars(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* ------------------------------------------------------------------- JSON */

static void json_string(struct ent_buf *buf, struct ent_slice text)
{
    static const char named[] = "\"\\\n\t\r\b\f";
    static const char names[] = "\"\\ntrbf";
    const uint8_t *at = text.at;
    const uint8_t *end = text.at + text.len;

    ent_buf_put_u8(buf, '"');
    while (at < end) {
        const uint8_t *from = at;
        const char *name;
        uint32_t cp;

        if (!next_char(&at, end, &cp))
            ent_buf_put_str(buf, "\\ufffd");
        else if (cp != 0 && cp < 0x80 &&
                 (name = strchr(named, (int)cp)) != NULL)
            ent_buf_printf(buf, "\\%c", names[name - named]);
        else if (is_control(cp) || is_bidi(cp))
            ent_buf_printf(buf, "\\u%04x", (unsigned)cp);
        else
            ent_buf_put(buf, from, (size_t)(at - from));
    }
    ent_buf_put_u8(buf, '"');
}

void out_json_string(struct ent_buf *buf, const char *text)
{
    json_string(buf, ent_slice_str(text));
}

static const char *skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

/* A number as JSON writes it (RFC 8259 section 6); gives its end, NULL when
 * there is none. */
static const char *number_end(const char *at)
{
    const char *from;

    at += *at == '-';
    from = at;
    at = skip_digits(at);
    if (at == from || (*from == '0' && at - from > 1))
        return NULL;
    if (*at == '.') {
        from = ++at;
        at = skip_digits(at);
        if (at == from)
            return NULL;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        from = at;
        at = skip_digits(at);
        if (at == from)
            return NULL;
    }
    return at;
}

static bool is_number(const char *text)
{
    const char *end = number_end(text);

    return end != NULL && *end == '\0';
}

static bool hex4(const char *at, uint32_t *value)
{
    uint8_t bytes[2];

    if (strnlen(at, 4) < 4 || !ent_hex_get(bytes, 2, at, 4))
        return false;
    *value = (uint32_t)bytes[0] << 8 | bytes[1];
    return true;
}

static void put_char(struct ent_buf *buf, uint32_t cp)
{
    if (cp < 0x80) {
        ent_buf_put_u8(buf, (uint8_t)cp);
    } else if (cp < 0x800) {
        ent_buf_put_u8(buf, (uint8_t)(0xc0 | cp >> 6));
        ent_buf_put_u8(buf, (uint8_t)(0x80 | (cp & 0x3f)));
    } else if (cp < 0x10000) {
        ent_buf_put_u8(buf, (uint8_t)(0xe0 | cp >> 12));
        ent_buf_put_u8(buf, (uint8_t)(0x80 | (cp >> 6 & 0x3f)));
        ent_buf_put_u8(buf, (uint8_t)(0x80 | (cp & 0x3f)));
    } else {
        ent_buf_put_u8(buf, (uint8_t)(0xf0 | cp >> 18));
        ent_buf_put_u8(buf, (uint8_t)(0x80 | (cp >> 12 & 0x3f)));
        ent_buf_put_u8(buf, (uint8_t)(0x80 | (cp >> 6 & 0x3f)));
        ent_buf_put_u8(buf, (uint8_t)(0x80 | (cp & 0x3f)));
    }
}

/* The escape behind a backslash at *at. */
static bool read_escape(const char **at, struct ent_buf *buf)
{
    static const char names[] = "\"\\/ntrbf";
    static const char bytes[] = "\"\\/\n\t\r\b\f";
    const char *name = **at == '\0' ? NULL : strchr(names, **at);
    uint32_t cp, low;

    if (name != NULL) {
        ent_buf_put_u8(buf, (uint8_t)bytes[name - names]);
        (*at)++;
        return true;
    }
    if (**at != 'u' || !hex4(*at + 1, &cp) || cp == 0)
        return false;
    *at += 5;
    if (cp >= 0xd800 && cp < 0xdc00 && (*at)[0] == '\\' && (*at)[1] == 'u' &&
        hex4(*at + 2, &low) && low >= 0xdc00 && low < 0xe000) {
        cp = 0x10000 + ((cp - 0xd800) << 10 | (low - 0xdc00));
        *at += 6;
    }
    put_char(buf, cp); /* half a pair is invalid UTF-8 and shown as that */
    return true;
}

static bool read_string(const char **at, struct ent_buf *buf)
{
    (*at)++;
    while (**at != '"') {
        if ((unsigned char)**at < 0x20)
            return false;
        if (**at != '\\') {
            ent_buf_put(buf, (*at)++, 1);
            continue;
        }
        (*at)++;
        if (!read_escape(at, buf))
            return false;
    }
    (*at)++;
    return true;
}

/* One number, true, false or null at *at. */
static bool read_word(const char **at, struct ent_buf *buf)
{
    static const char *const words[] = {"true", "false", "null"};
    const char *end = number_end(*at);

    for (size_t i = 0; end == NULL && i < ENT_ARRAY_LEN(words); i++)
        if (strncmp(*at, words[i], strlen(words[i])) == 0)
            end = *at + strlen(words[i]);
    if (end == NULL)
        return false;
    ent_buf_put(buf, *at, (size_t)(end - *at));
    *at = end;
    return true;
}

static const char *skip_blank(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* Write the JSON array `list` of plain values to `buf` again, as JSON or, with
 * `joint` between them, as text; false, and `buf` as it was, when it is no
 * such array. */
static bool put_list(struct out *out, struct ent_buf *buf, const char *list,
                     const char *joint)
{
    const bool json = joint == NULL;
    const size_t from = buf->len;
    const char *at = skip_blank(list);
    size_t count = 0;

    if (*at++ != '[')
        return false;
    if (json)
        ent_buf_put_u8(buf, '[');
    for (at = skip_blank(at); *at != ']'; at = skip_blank(at), count++) {
        bool quoted;

        if (count > 0 && *at++ != ',')
            goto no_list;
        at = skip_blank(at);
        quoted = *at == '"';
        ent_buf_reset(&out->text);
        if (!(quoted ? read_string(&at, &out->text)
                     : read_word(&at, &out->text)))
            goto no_list;
        if (count > 0)
            ent_buf_put_str(buf, json ? ", " : joint);
        if (json && quoted)
            json_string(buf, ent_buf_slice(&out->text));
        else
            ent_buf_put_slice(buf, ent_buf_slice(&out->text));
    }
    if (*skip_blank(at + 1) != '\0')
        goto no_list;
    if (json)
        ent_buf_put_u8(buf, ']');
    return true;

no_list:
    if (buf->rc == 0)
        buf->len = from;
    return false;
}

static void json_value(struct out *out, struct ent_buf *buf, enum out_type type,
                       const char *text)
{
    if (text == NULL) {
        ent_buf_put_str(buf, "null");
        return;
    }
    switch (type) {
    case OUT_NUMBER:
        if (*text == '\0')
            ent_buf_put_str(buf, "null");
        else if (is_number(text))
            ent_buf_put_str(buf, text);
        else
            out_json_string(buf, text);
        return;
    case OUT_BOOL:
        if (*text == '\0')
            ent_buf_put_str(buf, "null");
        else if (strcmp(text, "1") == 0 || strcmp(text, "0") == 0)
            ent_buf_put_str(buf, *text == '1' ? "true" : "false");
        else
            out_json_string(buf, text);
        return;
    case OUT_LIST:
        if (!put_list(out, buf, text, NULL))
            out_json_string(buf, text);
        return;
    case OUT_JSON_RAW:
        ent_buf_put_str(buf, *text == '\0' ? "null" : text);
        return;
    case OUT_TEXT:
        break;
    }
    out_json_string(buf, text);
}

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
        if (put_list(out, &out->safe, text, program ? "|" : ", ")) {
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
    show(&out->safe, ent_slice_str(text), pass);
    safe = ent_buf_cstr(&out->safe);
    if (safe == NULL)
        out->failed = true;
    return safe == NULL ? "" : safe;
}

/* A cell of a Markdown table: what would end the cell or begin markup is
 * escaped, a line end becomes a break. */
static void put_markdown(struct out *out, struct ent_buf *buf, const char *text)
{
    for (text = shown(out, text, SHOW_LF); *text != '\0'; text++) {
        if (*text == '\n') {
            ent_buf_put_str(buf, "<br>");
            continue;
        }
        if (strchr("\\|<>&`*[]~", *text) != NULL)
            ent_buf_put_u8(buf, '\\');
        ent_buf_put_u8(buf, (uint8_t)*text);
    }
}

/* Whether a spreadsheet would run the text behind its leading apostrophes. */
static bool begins_formula(struct ent_slice text)
{
    static const char *const starts[] = {
        "=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠",
    };

    while (text.len > 0 && *text.at == '\'')
        text = ent_slice(text.at + 1, text.len - 1);
    for (size_t i = 0; i < ENT_ARRAY_LEN(starts); i++)
        if (text.len >= strlen(starts[i]) &&
            memcmp(text.at, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static bool is_phone(const char *text)
{
    return text[0] == '+' && text[1] >= '0' && text[1] <= '9' &&
           text[1 + strspn(text + 1, "0123456789 .()")] == '\0';
}

void out_guard(struct ent_buf *buf, const char *text)
{
    if (begins_formula(ent_slice_str(text)) && !is_number(text) &&
        !is_phone(text))
        ent_buf_put_u8(buf, '\'');
    ent_buf_put_str(buf, text);
}

struct ent_slice out_unguard(struct ent_slice cell)
{
    if (cell.len > 0 && *cell.at == '\'' && begins_formula(cell))
        return ent_slice(cell.at + 1, cell.len - 1);
    return cell;
}

static void put_csv(struct out *out, struct ent_buf *buf, bool first,
                    const char *text)
{
    unsigned pass = SHOW_LF | SHOW_TAB;

    if (!out->terminal)
        pass |= SHOW_BIDI;
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
    scols_table_set_termforce(out->table, out->terminal
                                              ? SCOLS_TERMFORCE_ALWAYS
                                              : SCOLS_TERMFORCE_NEVER);
    for (size_t i = 0; i < out->column_count; i++) {
        const struct column *column = &out->columns[i];
        int flags = column->type == OUT_NUMBER ? SCOLS_FL_RIGHT
                    : out->terminal            ? SCOLS_FL_WRAP
                                               : 0;

        if (scols_table_new_column(
                out->table, shown(out, text_or_empty(column->heading), 0), 0,
                flags) == NULL)
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
        json_value(out, &out->row, type, text);
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
        if (out->line != NULL &&
            scols_line_set_data(out->line, out->cell,
                                shown(out, plain(out, type, text), 0)) < 0)
            out->failed = true;
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

static void print_table(struct out *out)
{
    flush(out);
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
    width = count_chars(label);
    if (width > out->label_width)
        out->label_width = width;
    ent_buf_put(&out->names, label, strlen(label) + 1);
    text = shown(out, text, SHOW_LF);
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
            pad(out, out->label_width + 2 - count_chars(at));
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
        json_value(out, &out->row, type, text);
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
