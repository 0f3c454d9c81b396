/* unicode.c - see parse.h and unicode.h. The only user of utf8proc. */
#include "text/unicode.h"

#include <endian.h>
#include <string.h>
#include <utf8proc.h>

#include "base/limits.h"
#include "text/parse.h"

#define NFC_FREE_BELOW 0x300 /* below it nothing composes */
#define APOSTROPHE 0x2019
#define PARTS_MAX 32 /* that one may come apart into */

static bool is_control(int32_t point)
{
    return (point < 0x20 && point != '\t' && point != '\n') ||
           (point >= 0x7f && point < 0xa0);
}

/* The next eight bytes, or what is left of the text and spaces behind it; the
 * text has eight at least. */
static uint64_t next_word(struct ent_slice in, size_t i)
{
    const uint64_t spaces = 0x2020202020202020;
    size_t left = in.len - i;
    uint64_t word;

    if (left >= sizeof(word)) {
        memcpy(&word, in.at + i, sizeof(word));
        return le64toh(word);
    }
    memcpy(&word, in.at + in.len - sizeof(word), sizeof(word));
    return le64toh(word) >> 8 * (sizeof(word) - left) | spaces << 8 * left;
}

/* How many bytes from the start are in order as they are: UTF-8, no control
 * characters, no CR, nothing from U+0300 on. Every value of a bulk load comes
 * through here, so eight plain ASCII bytes are looked at together. */
static size_t plain_bytes(struct ent_slice in)
{
    const uint64_t ones = 0x0101010101010101;
    size_t i = 0;

    while (i < in.len) {
        uint8_t byte;

        if (in.len >= sizeof(uint64_t)) {
            uint64_t word = next_word(in, i);

            /* The top bit of a byte: not ASCII, below 0x20, or 0x7f. Borrows
             * and carries spoil only the bytes above the first such. */
            word = (word | (word - 0x20 * ones) | (word + ones)) & 0x80 * ones;
            if (word == 0) {
                i = in.len - i > sizeof(word) ? i + sizeof(word) : in.len;
                continue;
            }
            i += (size_t)__builtin_ctzll(word) / 8;
        }
        byte = in.at[i];
        if ((byte >= 0x20 && byte < 0x7f) || byte == '\t' || byte == '\n')
            i++;
        else if (byte >= 0xc2 && byte < 0xcc && in.len - i >= 2 &&
                 (in.at[i + 1] & 0xc0) == 0x80 &&
                 (byte > 0xc2 || in.at[i + 1] >= 0xa0))
            i += 2;
        else
            break;
    }
    return i;
}

/* Looks at the rest one code point at a time: what has to be done to it? */
static int inspect(struct ent_slice in, size_t from, bool *has_cr,
                   bool *has_marks, struct ent_err *err)
{
    *has_cr = false;
    *has_marks = false;
    for (size_t i = from; i < in.len;) {
        int32_t point;
        ssize_t n = utf8proc_iterate(in.at + i, (ssize_t)(in.len - i), &point);

        if (n <= 0)
            return ent_err_set(err, ENT_EREFUSED, "not valid UTF-8 at byte %zu",
                               i + 1);
        if (point == '\r')
            *has_cr = true;
        else if (is_control(point))
            return ent_err_set(err, ENT_EREFUSED,
                               "control character U+%04X at byte %zu",
                               (unsigned)point, i + 1);
        if (point >= NFC_FREE_BELOW)
            *has_marks = true;
        i += (size_t)n;
    }
    return 0;
}

/* CR LF and CR become LF. */
static int unify_lines(struct ent_slice in, struct ent_arena *arena,
                       struct ent_slice *out)
{
    uint8_t *at = ent_arena_array(arena, in.len + 1, 1);
    size_t len = 0;

    if (at == NULL)
        return ENT_ENOMEM;
    for (size_t i = 0; i < in.len; i++) {
        if (in.at[i] != '\r')
            at[len++] = in.at[i];
        else if (i + 1 == in.len || in.at[i + 1] != '\n')
            at[len++] = '\n';
    }
    *out = ent_slice(at, len);
    return 0;
}

static int compose(struct ent_slice in, struct ent_arena *arena,
                   struct ent_slice *out)
{
    const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    ssize_t n = utf8proc_decompose(in.at, (ssize_t)in.len, NULL, 0, how);
    int32_t *points;

    if (n < 0)
        return ENT_ENOMEM; /* the text was found valid before */
    points = ENT_ARENA_NEW(arena, int32_t, (size_t)n + 1);
    if (points == NULL)
        return ENT_ENOMEM;
    n = utf8proc_decompose(in.at, (ssize_t)in.len, points, n, how);
    if (n >= 0)
        n = utf8proc_reencode(points, n, how);
    if (n < 0)
        return ENT_ENOMEM;
    *out = ent_slice(points, (size_t)n);
    return 0;
}

static int too_long(struct ent_err *err)
{
    return ent_err_set(err, ENT_EREFUSED,
                       "longer than the %d bytes a value may have",
                       ENT_VALUE_BYTES_MAX);
}

int ent_text_clean(struct ent_slice in, struct ent_arena *arena,
                   struct ent_slice *out, struct ent_err *err)
{
    struct ent_slice text = in;
    size_t plain;
    bool has_cr;
    bool has_marks;
    int rc;

    if (in.len > ENT_VALUE_BYTES_MAX)
        return too_long(err);
    plain = plain_bytes(in);
    if (plain == in.len) {
        *out = in;
        return 0;
    }
    rc = inspect(in, plain, &has_cr, &has_marks, err);
    if (rc < 0)
        return rc;
    if (has_cr)
        rc = unify_lines(in, arena, &text);
    if (rc == 0 && has_marks) {
        struct ent_slice composed;

        rc = compose(text, arena, &composed);
        if (rc == 0 && !ent_slice_equal(composed, text))
            text = composed;
    }
    if (rc < 0)
        return ent_err_set(err, rc, "out of memory");
    /* A few letters take more room when composed. */
    if (text.len > ENT_VALUE_BYTES_MAX)
        return too_long(err);
    *out = text;
    return 0;
}

int ent_text_fold(struct ent_slice text, int32_t points[ENT_FOLD_MAX])
{
    const utf8proc_option_t how =
        UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD;
    ssize_t n;

    if (text.len > 4 * ENT_FOLD_MAX)
        return -1;
    n = utf8proc_decompose(text.at, (ssize_t)text.len, points, ENT_FOLD_MAX,
                           how);
    if (n < 0 || n > ENT_FOLD_MAX)
        return -1;
    for (ssize_t i = 0; i < n; i++)
        if (points[i] == APOSTROPHE)
            points[i] = '\'';
    return (int)n;
}

void ent_text_put_bare(struct ent_buf *buf, struct ent_slice text)
{
    const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE |
                                  UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK;

    for (size_t i = 0; i < text.len;) {
        int32_t points[PARTS_MAX];
        utf8proc_uint8_t bytes[4];
        int32_t point;
        int bound = 0;
        ssize_t len =
            utf8proc_iterate(text.at + i, (ssize_t)(text.len - i), &point);
        ssize_t n;

        if (len <= 0) {
            ent_buf_put_u8(buf, text.at[i++]);
            continue;
        }
        i += (size_t)len;
        n = utf8proc_decompose_char(point == APOSTROPHE ? '\'' : point, points,
                                    PARTS_MAX, how, &bound);
        for (ssize_t j = 0; j < n && j < PARTS_MAX; j++)
            ent_buf_put(buf, bytes,
                        (size_t)utf8proc_encode_char(points[j], bytes));
    }
}

int ent_text_shown(struct ent_slice text, size_t max)
{
    size_t len = text.len;

    if (len > max) {
        len = max;
        while (len > 0 && (text.at[len] & 0xc0) == 0x80)
            len--;
    }
    return (int)len;
}
