/* guard.c - see guard.h. */
#include "cli/guard.h"

#include <stdint.h>
#include <string.h>

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* What follows a sign and is a number or a telephone number. */
static bool is_dialled(struct ent_slice text)
{
    size_t digits = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (is_digit(text.at[i]))
            digits++;
        else if (memchr(" .-()/", text.at[i], 6) == NULL)
            return false;
    }
    return digits > 0 && (is_digit(text.at[0]) || text.at[0] == '(');
}

/* Full-width = + - @: U+FF1D, U+FF0B, U+FF0D, U+FF20. */
static bool is_wide(struct ent_slice cell)
{
    return cell.len >= 3 && cell.at[0] == 0xef && cell.at[1] == 0xbc &&
           (cell.at[2] == 0x9d || cell.at[2] == 0x8b || cell.at[2] == 0x8d ||
            cell.at[2] == 0xa0);
}

static bool is_formula(struct ent_slice cell, bool first)
{
    if (cell.len == 0)
        return false;
    switch (cell.at[0]) {
    case '=':
    case '@':
    case '\t':
    case '\r':
    case '\0':
        return true;
    case '+':
    case '-':
        return !is_dialled(ent_slice(cell.at + 1, cell.len - 1));
    case '#':
        return first;
    default:
        return is_wide(cell);
    }
}

static struct ent_slice behind_apostrophes(struct ent_slice cell)
{
    while (cell.len > 0 && cell.at[0] == '\'')
        cell = ent_slice(cell.at + 1, cell.len - 1);
    return cell;
}

void guard_put(struct ent_buf *buf, struct ent_slice cell, bool first)
{
    if (is_formula(behind_apostrophes(cell), first))
        ent_buf_put_u8(buf, '\'');
    ent_buf_put_slice(buf, cell);
}

struct ent_slice guard_strip(struct ent_slice cell, bool first)
{
    if (cell.len > 0 && cell.at[0] == '\'' &&
        is_formula(behind_apostrophes(cell), first))
        return ent_slice(cell.at + 1, cell.len - 1);
    return cell;
}

/* Length of the well-formed character at the start, 0 when there is none. */
static size_t read_point(struct ent_slice text, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = text.at[0];
    size_t len = lead < 0x80                  ? 1
                 : lead >= 0xc2 && lead < 0xe0 ? 2
                 : lead >= 0xe0 && lead < 0xf0 ? 3
                 : lead >= 0xf0 && lead < 0xf5 ? 4
                                               : 0;

    if (len == 0 || len > text.len)
        return 0;
    *point = len == 1 ? lead : lead & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((text.at[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (text.at[i] & 0x3f);
    }
    if (*point < least[len] || *point > 0x10ffff ||
        (*point >= 0xd800 && *point < 0xe000))
        return 0;
    return len;
}

static bool turns_writing(uint32_t point)
{
    return point == 0x61c || (point >= 0x200e && point <= 0x200f) ||
           (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069);
}

void guard_plain(struct ent_buf *buf, struct ent_slice text, size_t max)
{
    size_t at = 0;

    while (at < text.len && at < max) {
        struct ent_slice rest = ent_slice(text.at + at, text.len - at);
        uint32_t point = 0;
        size_t len = read_point(rest, &point);

        if (len == 0 || point < 0x20 || (point >= 0x7f && point < 0xa0)) {
            ent_buf_printf(buf, "\\x%02X", rest.at[0]);
            at++;
            continue;
        }
        if (turns_writing(point))
            ent_buf_printf(buf, "U+%04X", (unsigned)point);
        else
            ent_buf_put(buf, rest.at, len);
        at += len;
    }
    if (at < text.len)
        ent_buf_put_str(buf, "...");
}
