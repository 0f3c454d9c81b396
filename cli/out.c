/* out.c - the document that is written, and what each format makes of a value
 * (out.h). */
#include "cli/out.h"

#include <errno.h>
#include <libintl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/out_state.h"
#include "cli/out_text.h"
#include "text/csv.h"

#define REMARK_MAX 4096

/* ------------------------------------------------------------------ values */

const char *out_plain(struct out *out, enum out_type type, const char *text)
{
    bool program = out->format == OUT_CSV || out->format == OUT_TSV;

    if (text == NULL)
        return "";
    if (type == OUT_BOOL && strcmp(text, "1") == 0)
        return program ? "true" : gettext("yes");
    if (type == OUT_BOOL && strcmp(text, "0") == 0)
        return program ? "false" : gettext("no");
    if (type == OUT_LIST || type == OUT_DATES) {
        const bool days = type == OUT_DATES && out->french && !program;

        ent_buf_reset(&out->safe);
        if (out_put_list(&out->safe, text, program ? "|" : ", ", days)) {
            ent_buf_reset(&out->text);
            ent_buf_put_slice(&out->text, ent_buf_slice(&out->safe));
            text = ent_buf_cstr(&out->text);
        }
    }
    if (type == OUT_NUMBER && out->french && !program) {
        ent_buf_reset(&out->text);
        out_put_french(&out->text, text);
        text = ent_buf_cstr(&out->text);
    }
    if (type == OUT_DATE && out->french && !program &&
        out->format != OUT_XLSX) {
        ent_buf_reset(&out->text);
        out_put_french_day(&out->text, text);
        text = ent_buf_cstr(&out->text);
    }
    return text == NULL ? "" : text;
}

const char *out_shown(struct out *out, const char *text, unsigned pass)
{
    const char *safe;

    ent_buf_reset(&out->safe);
    out_show_as(&out->safe, ent_slice_str(text), pass);
    safe = ent_buf_cstr(&out->safe);
    if (safe == NULL)
        out->failed = true;
    return safe == NULL ? "" : safe;
}

void out_put_markdown(struct out *out, struct ent_buf *buf, const char *text)
{
    for (text = out_shown(out, text, OUT_SHOW_LF); *text != '\0'; text++) {
        if (*text == '\n') {
            ent_buf_put_str(buf, "<br>");
            continue;
        }
        if (strchr("\\|<>&`*[]~", *text) != NULL)
            ent_buf_put_u8(buf, '\\');
        ent_buf_put_u8(buf, (uint8_t)*text);
    }
}

/* Letters, digits and what stands between them in codes, days and figures:
 * nothing of it is quoted, guarded or spelled out. Most cells are so, or empty.
 */
static bool is_plain(const char *text)
{
    const char *at = text;

    while ((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') ||
           (*at >= 'A' && *at <= 'Z') ||
           (at > text && (*at == '-' || *at == '_' || *at == '.')))
        at++;
    return *at == '\0';
}

void out_put_csv(struct out *out, struct ent_buf *buf, bool first,
                 const char *text)
{
    unsigned pass = OUT_SHOW_LF | OUT_SHOW_TAB;

    if (!first && is_plain(text)) {
        ent_buf_put_u8(buf, out->format == OUT_TSV ? '\t' : ',');
        ent_buf_put_str(buf, text);
        return;
    }
    if (!out->terminal)
        pass |= OUT_SHOW_BIDI;
    ent_buf_reset(&out->text);
    out_guard(&out->text, out_shown(out, text, pass));
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
    out->format = format == OUT_AUTO || format == OUT_VCF || format == OUT_ICS
                      ? OUT_TABLE
                      : format;
    out->terminal = isatty(fileno(file)) == 1;
    return out;
}

void out_speak_french(struct out *out)
{
    out->french = true;
}

void out_write(struct out *out, struct ent_buf *buf)
{
    errno = 0;
    if (buf->rc < 0 ||
        (buf->len > 0 && fwrite(buf->at, 1, buf->len, out->file) != buf->len)) {
        out->error = out->failed ? out->error : errno;
        out->failed = true;
    }
    ent_buf_reset(buf);
}

void out_flush(struct out *out)
{
    out_write(out, &out->row);
}

bool out_free(struct out *out)
{
    bool written;
    int error;

    if (out == NULL)
        return true;
    out_flush(out);
    out_book_end(out);
    written = fflush(out->file) == 0 && !ferror(out->file) && !out->failed;
    error = out->failed ? out->error : errno;
    out_forget_columns(out);
    free(out->label);
    out_table_free(out);
    ent_buf_fini(&out->row);
    ent_buf_fini(&out->names);
    ent_buf_fini(&out->text);
    ent_buf_fini(&out->safe);
    ent_buf_fini(&out->marked);
    free(out);
    errno = written ? 0 : error;
    return written;
}

enum out_format out_format_of(const struct out *out)
{
    return out->format;
}

bool out_on_terminal(const struct out *out)
{
    return out->format == OUT_TABLE && out->terminal;
}

bool out_is_json(const struct out *out)
{
    return out->format == OUT_JSON || out->format == OUT_JSONL;
}

bool out_for_people(const struct out *out)
{
    return out->format == OUT_TABLE || out->format == OUT_MARKDOWN ||
           out->format == OUT_XLSX;
}

bool out_parse_format(const char *name, enum out_format *format)
{
    static const struct {
        const char *name;
        enum out_format format;
    } formats[] = {
        {"table", OUT_TABLE}, {"csv", OUT_CSV},     {"tsv", OUT_TSV},
        {"json", OUT_JSON},   {"jsonl", OUT_JSONL}, {"markdown", OUT_MARKDOWN},
        {"md", OUT_MARKDOWN}, {"xlsx", OUT_XLSX},   {"vcf", OUT_VCF},
        {"ics", OUT_ICS},     {"svg", OUT_SVG},
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

    if (!out_for_people(out))
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (out->format == OUT_XLSX) {
        out_book_remark(out, text);
        return;
    }
    if (out->format == OUT_MARKDOWN)
        ent_buf_put_u8(&out->row, '\n');
    ent_buf_put_str(&out->row, out_shown(out, text, 0));
    ent_buf_put_u8(&out->row, '\n');
    out_flush(out);
}

bool out_has_remarks(const struct out *out)
{
    return out_for_people(out);
}

void out_raw(struct out *out, const struct ent_buf *text)
{
    ent_buf_put_slice(&out->row, ent_buf_slice(text));
    if (text->rc < 0)
        out->failed = true;
    out_flush(out);
}
