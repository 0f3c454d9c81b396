/* out_text.c - see out_text.h and out.h. */
#include "cli/out_text.h"

#include <ctype.h>
#include <string.h>
#include <wchar.h>

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

static bool is_spelled(uint32_t cp, unsigned pass)
{
    if (is_control(cp))
        return !(cp == '\n' && (pass & OUT_SHOW_LF) != 0) &&
               !(cp == '\t' && (pass & OUT_SHOW_TAB) != 0);
    return is_bidi(cp) && (pass & OUT_SHOW_BIDI) == 0;
}

void out_show_as(struct ent_buf *buf, struct ent_slice text, unsigned pass)
{
    const uint8_t *at = text.at;
    const uint8_t *end = text.len == 0 ? at : at + text.len;
    const uint8_t *kept = at; /* from here on all may be shown */

    while (at < end) {
        const uint8_t *from = at;
        uint32_t cp;
        bool whole;

        if (*at >= ' ' && *at < 0x7f) {
            at++;
            continue;
        }
        whole = next_char(&at, end, &cp);
        if (whole && !is_spelled(cp, pass))
            continue;
        ent_buf_put(buf, kept, (size_t)(from - kept));
        kept = at;
        if (whole && is_bidi(cp))
            ent_buf_printf(buf, "U+%04X", (unsigned)cp);
        else
            ent_buf_printf(buf, "\\x%02x", whole ? (unsigned)cp : *from);
    }
    ent_buf_put(buf, kept, (size_t)(at - kept));
}

bool out_is_plain(struct ent_slice text, unsigned pass)
{
    struct ent_buf shown = {0};
    bool plain;

    out_show_as(&shown, text, pass);
    plain = shown.rc == 0 && ent_slice_equal(ent_buf_slice(&shown), text);
    ent_buf_fini(&shown);
    return plain;
}

void out_show(struct ent_buf *buf, const char *text)
{
    out_show_as(buf, ent_slice_str(text), 0);
}

/* Columns of the character at *at, which is passed. */
static size_t char_width(const uint8_t **at, const uint8_t *end)
{
    uint32_t cp = 0;
    int width;

    if (**at >= ' ' && **at < 0x7f) {
        (*at)++;
        return 1;
    }
    width = next_char(at, end, &cp) ? wcwidth((wchar_t)cp) : 1;
    return width < 0 ? 1 : (size_t)width;
}

size_t out_width(const char *text, size_t *word)
{
    const uint8_t *at = (const uint8_t *)text;
    const uint8_t *end = at + strlen(text);
    size_t width = 0;
    size_t begun = 0; /* where the present word began */
    size_t widest = 0;

    while (at < end) {
        bool blank = *at == ' ';

        width += char_width(&at, end);
        if (blank)
            begun = width;
        else if (width - begun > widest)
            widest = width - begun;
    }
    if (word != NULL)
        *word = widest;
    return width;
}

void out_wrap(struct ent_buf *buf, const char *text, size_t width)
{
    const uint8_t *line = (const uint8_t *)text;
    const uint8_t *end = line + strlen(text);
    const uint8_t *at = line;
    const uint8_t *blank = NULL; /* the last one of the line */
    size_t used = 0;

    while (at < end) {
        const uint8_t *from = at;
        size_t more = char_width(&at, end);

        if (*from == ' ')
            blank = from;
        if (used + more <= width || from == line) {
            used += more;
            continue;
        }
        if (blank == NULL || blank == line) {
            ent_buf_put(buf, line, (size_t)(from - line));
            line = from;
        } else {
            ent_buf_put(buf, line, (size_t)(blank - line));
            line = blank + 1;
        }
        ent_buf_put_u8(buf, '\n');
        at = line;
        blank = NULL;
        used = 0;
    }
    ent_buf_put(buf, line, (size_t)(end - line));
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

bool out_is_number(const char *text)
{
    const char *end = number_end(text);

    return end != NULL && *end == '\0';
}

void out_put_french(struct ent_buf *buf, const char *figure)
{
    const char *end = number_end(figure);
    const char *at = figure;
    bool range = end != NULL && *end == '-';

    if (range)
        range = out_is_number(end + 1);
    if (end == NULL || (*end != '\0' && !range)) {
        ent_buf_put_str(buf, figure);
        return;
    }
    for (; *at != '\0'; at++)
        if (range && at == end)
            ent_buf_put_str(buf, "–");
        else
            ent_buf_put_u8(buf, *at == '.' ? ',' : (uint8_t)*at);
}

/* Whether a text has the form: 9 stands for a digit, all else for itself. */
static bool has_form(const char *text, const char *form)
{
    for (; *form != '\0'; form++, text++)
        if (*form == '9' ? *text < '0' || *text > '9' : *text != *form)
            return false;
    return *text == '\0';
}

void out_put_french_day(struct ent_buf *buf, const char *text)
{
    const bool moment = has_form(text, "9999-99-99T99:99:99Z");

    if (moment || has_form(text, "9999-99-99"))
        ent_buf_printf(buf, "%.2s/%.2s/%.4s", text + 8, text + 5, text);
    else if (has_form(text, "9999-99"))
        ent_buf_printf(buf, "%.2s/%.4s", text + 5, text);
    else
        ent_buf_put_str(buf, text);
    if (moment)
        ent_buf_printf(buf, " %.5s", text + 11);
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

bool out_put_list(struct ent_buf *buf, const char *list, const char *joint,
                  bool french_days)
{
    const bool json = joint == NULL;
    const size_t from = buf->len;
    const char *at = skip_blank(list);
    struct ent_buf item = {0};
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
        ent_buf_reset(&item);
        if (!(quoted ? read_string(&at, &item) : read_word(&at, &item)))
            goto no_list;
        if (count > 0)
            ent_buf_put_str(buf, json ? ", " : joint);
        if (json && quoted)
            json_string(buf, ent_buf_slice(&item));
        else if (french_days && ent_buf_cstr(&item) != NULL)
            out_put_french_day(buf, ent_buf_cstr(&item));
        else
            ent_buf_put_slice(buf, ent_buf_slice(&item));
        if (item.rc < 0)
            goto no_list;
    }
    if (*skip_blank(at + 1) != '\0')
        goto no_list;
    if (json)
        ent_buf_put_u8(buf, ']');
    ent_buf_fini(&item);
    return true;

no_list:
    ent_buf_fini(&item);
    if (buf->rc == 0)
        buf->len = from;
    return false;
}

void out_json_value(struct ent_buf *buf, enum out_type type, const char *text)
{
    if (text == NULL) {
        ent_buf_put_str(buf, "null");
        return;
    }
    switch (type) {
    case OUT_NUMBER:
        if (*text == '\0')
            ent_buf_put_str(buf, "null");
        else if (out_is_number(text))
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
    case OUT_DATES:
        if (!out_put_list(buf, text, NULL, false))
            out_json_string(buf, text);
        return;
    case OUT_JSON_RAW:
        ent_buf_put_str(buf, *text == '\0' ? "null" : text);
        return;
    case OUT_TEXT:
    case OUT_DATE:
        break;
    }
    out_json_string(buf, text);
}

/* ------------------------------------------------------------ spreadsheets */

/* Whether a spreadsheet would run the text behind its leading apostrophes. */
static bool begins_formula(struct ent_slice text)
{
    static const char *const starts[] = {
        "=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠",
    };

    while (text.len > 0 && *text.at == '\'')
        text = ent_slice(text.at + 1, text.len - 1);
    if (text.len == 0 || isalnum(*text.at))
        return false;
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
    if (begins_formula(ent_slice_str(text)) && !out_is_number(text) &&
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
