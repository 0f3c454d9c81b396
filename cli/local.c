/* local.c - see local.h. */
#include "cli/local.h"

#include <stdio.h>
#include <string.h>

#include "text/unicode.h"

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Bytes of a blank between groups of digits: a plain one, U+00A0 or U+202F. */
static size_t blank_at(struct ent_slice text, size_t at)
{
    static const char *const blanks[] = {" ", "\xc2\xa0", "\xe2\x80\xaf"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(blanks); i++)
        if (text.len - at >= strlen(blanks[i]) &&
            memcmp(text.at + at, blanks[i], strlen(blanks[i])) == 0)
            return strlen(blanks[i]);
    return 0;
}

/* Blanks stand between groups of three digits, one comma before the rest. */
static bool read_number(struct ent_slice text, char out[LOCAL_TEXT])
{
    size_t len = 0;
    size_t group = 0; /* digits since the last blank */
    bool grouped = false;
    bool comma = false;

    for (size_t at = 0; at < text.len && len + 1 < LOCAL_TEXT; at++) {
        uint8_t byte = text.at[at];
        size_t blank = blank_at(text, at);

        if (blank > 0 && !comma && group > 0 && (!grouped || group == 3)) {
            at += blank - 1;
            grouped = true;
            group = 0;
        } else if (byte == ',' && !comma && group > 0 &&
                   (!grouped || group == 3)) {
            comma = true;
            out[len++] = '.';
        } else if (is_digit(byte) || (byte == '-' && at == 0)) {
            out[len++] = (char)byte;
            group += byte != '-';
        } else {
            return false;
        }
        out[len] = '\0';
    }
    return (comma || grouped) && out[len - 1] != '.' && (comma || group == 3) &&
           len + 1 < LOCAL_TEXT;
}

/* Day, month and year, each with the digits it has. */
static bool read_date(struct ent_slice text, char out[LOCAL_TEXT])
{
    char copy[16];
    unsigned day, month, year;
    char first, second;
    int end = 0;

    if (text.len < 8 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    if (!is_digit(text.at[0]) ||
        sscanf(copy, "%2u%c%2u%c%4u%n", &day, &first, &month, &second, &year,
               &end) != 5 ||
        copy[end] != '\0' || first != second ||
        (first != '/' && first != '.') || year < 1000)
        return false;
    snprintf(out, LOCAL_TEXT, "%04u-%02u-%02u", year, month, day);
    return true;
}

bool local_read(const struct ent_field *field, struct ent_slice text,
                char out[LOCAL_TEXT])
{
    while (text.len > 0 && text.at[0] == ' ')
        text = ent_slice(text.at + 1, text.len - 1);
    while (text.len > 0 && text.at[text.len - 1] == ' ')
        text.len--;
    if (text.len == 0 || field->rule == ENT_RULE_SET)
        return false;
    if (field->type == ENT_TYPE_DECIMAL || field->type == ENT_TYPE_INTEGER)
        return read_number(text, out);
    return field->type == ENT_TYPE_DATE && read_date(text, out);
}

/* Digits alone, or with one point, were refused for another reason. */
static bool is_plain(struct ent_slice text)
{
    size_t points = 0;

    for (size_t i = 0; i < text.len; i++) {
        points += text.at[i] == '.';
        if (!is_digit(text.at[i]) && text.at[i] != '.' && text.at[i] != '-')
            return false;
    }
    return points < 2;
}

void local_advise(const struct ent_field *field, struct ent_slice text,
                  struct ent_err *err)
{
    if (err->code != ENT_EREFUSED || is_plain(text))
        return;
    if (field->type == ENT_TYPE_DECIMAL)
        ent_err_set(err, ENT_EREFUSED,
                    "\"%.*s\" is not a number; between semicolons write "
                    "1250,50 or 1 250,50, with a comma; the space may be a "
                    "no-break one",
                    ent_text_shown(text, 60), (const char *)text.at);
    else if (field->type == ENT_TYPE_INTEGER)
        ent_err_set(err, ENT_EREFUSED,
                    "\"%.*s\" is not a whole number; between semicolons write "
                    "1250 or 1 250; the space may be a no-break one",
                    ent_text_shown(text, 60), (const char *)text.at);
}
