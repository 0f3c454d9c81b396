/* parse.c - see parse.h. ent_text_clean is in unicode.c. */
#include "text/parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "text/unicode.h"

#define SHOWN_MAX 60    /* bytes of a refused value in the error */
#define CHOICES_MAX 200 /* bytes of the accepted codes in the error */

/* What was refused, for "%.*s". */
#define SHOWN(text) ent_text_shown((text), SHOWN_MAX), (const char *)(text).at

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n';
}

static struct ent_slice trim(struct ent_slice text)
{
    while (text.len > 0 && is_blank(text.at[0]))
        text = ent_slice(text.at + 1, text.len - 1);
    while (text.len > 0 && is_blank(text.at[text.len - 1]))
        text.len--;
    return text;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool word_is(struct ent_slice text, const char *word)
{
    if (text.len != strlen(word))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.at[i];

        if (byte >= 'A' && byte <= 'Z')
            byte = (uint8_t)(byte - 'A' + 'a');
        if (byte != (uint8_t)word[i])
            return false;
    }
    return true;
}

static int parse_code(struct ent_slice text, struct ent_value *value,
                      struct ent_err *err)
{
    if (text.len > ENT_CODE_BYTES_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           "a code of more than %d bytes: \"%.*s\"",
                           ENT_CODE_BYTES_MAX, SHOWN(text));
    for (size_t i = 0; i < text.len; i++)
        if (is_blank(text.at[i]) || text.at[i] == '|')
            return ent_err_set(err, ENT_EREFUSED,
                               "a code has neither blanks nor bars: \"%.*s\"",
                               SHOWN(text));
    *value = ent_value_text(text);
    return 0;
}

/* As many codes of the list as fit, with commas between. */
static void list_choices(const struct ent_term *terms, size_t count,
                         char text[CHOICES_MAX])
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *gap = i == 0 ? "" : ", ";
        size_t need = strlen(gap) + strlen(terms[i].code);

        if (len + need + sizeof(", ...") > CHOICES_MAX) {
            memcpy(text + len, ", ...", sizeof(", ..."));
            return;
        }
        memcpy(text + len, gap, strlen(gap));
        memcpy(text + len + strlen(gap), terms[i].code,
               strlen(terms[i].code) + 1);
        len += need;
    }
}

static int refuse_enum(const struct ent_vocab *vocab, const char *list,
                       struct ent_slice text, struct ent_err *err)
{
    const struct ent_term *terms;
    const struct ent_term *near;
    size_t count = ent_vocab_list(vocab, list, &terms);
    char copy[4 * ENT_FOLD_MAX];
    char choices[CHOICES_MAX];

    if (count == 0)
        return ent_err_set(err, ENT_EREFUSED, "the vocabulary has no list %s",
                           list);
    memcpy(copy, text.at, text.len < sizeof(copy) ? text.len : 0);
    copy[text.len < sizeof(copy) ? text.len : 0] = '\0';
    near = ent_vocab_near(vocab, list, copy);
    if (near != NULL)
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%.*s\" is not in the list %s; did you mean %s?",
                           SHOWN(text), list, near->code);
    list_choices(terms, count, choices);
    return ent_err_set(err, ENT_EREFUSED,
                       "\"%.*s\" is not in the list %s, which has: %s",
                       SHOWN(text), list, choices);
}

static int parse_enum(const struct ent_field *field,
                      const struct ent_vocab *vocab, struct ent_slice text,
                      struct ent_value *value, struct ent_err *err)
{
    const struct ent_term *term = NULL;
    char code[ENT_CODE_BYTES_MAX + 1];

    if (text.len < sizeof(code)) {
        memcpy(code, text.at, text.len);
        code[text.len] = '\0';
        term = ent_vocab_find(vocab, field->list, code);
    }
    if (term == NULL)
        term = ent_vocab_said(vocab, field->list, text);
    if (term == NULL)
        return refuse_enum(vocab, field->list, text, err);
    *value = ent_value_text(ent_slice_str(term->code));
    return 0;
}

static int parse_ref(struct ent_slice text, struct ent_arena *arena,
                     struct ent_value *value, struct ent_err *err)
{
    char copy[ENT_ID_TEXT];
    struct ent_id id;
    struct ent_slice bytes;

    if (text.len >= sizeof(copy))
        return parse_code(text, value, err);
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    if (!ent_id_parse(copy, &id))
        return parse_code(text, value, err);
    bytes = ent_arena_copy(arena, ent_slice(id.b, sizeof(id.b)));
    if (bytes.at == NULL)
        return ent_err_set(err, ENT_ENOMEM, "out of memory");
    *value = ent_value_bytes(bytes);
    return 0;
}

/* `count` digits at `at`, as a number; -1 when they are not digits. */
static int digits(struct ent_slice text, size_t at, size_t count)
{
    int number = 0;

    if (at + count > text.len)
        return -1;
    for (size_t i = at; i < at + count; i++) {
        if (!is_digit(text.at[i]))
            return -1;
        number = 10 * number + (text.at[i] - '0');
    }
    return number;
}

static bool is_byte(struct ent_slice text, size_t at, char byte)
{
    return at < text.len && text.at[at] == (uint8_t)byte;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

static bool is_day(int year, int month, int day)
{
    return year >= 1 && month >= 1 && month <= 12 && day >= 1 &&
           day <= month_days(year, month);
}

static bool is_date(struct ent_slice text)
{
    int year = digits(text, 0, 4);

    if (text.len == 4)
        return year >= 1;
    if (text.len == 7)
        return is_byte(text, 4, '-') && is_day(year, digits(text, 5, 2), 1);
    return text.len == 10 && is_byte(text, 4, '-') && is_byte(text, 7, '-') &&
           is_day(year, digits(text, 5, 2), digits(text, 8, 2));
}

static int parse_date(struct ent_slice text, struct ent_value *value,
                      struct ent_err *err)
{
    if (!is_date(text))
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%.*s\" is not a date; write 2017-06-15, "
                           "2017-06 or 2017",
                           SHOWN(text));
    *value = ent_value_text(text);
    return 0;
}

struct moment {
    int year, month, day;
    int minute; /* of the day; below 0 or above 1439 with an offset */
    int second;
};

/* Z, or +hh:mm from `at` to the end, in minutes east. */
static bool read_offset(struct ent_slice text, size_t at, int *minutes)
{
    int hour;
    int minute;

    if (text.len == at + 1 && (text.at[at] == 'Z' || text.at[at] == 'z')) {
        *minutes = 0;
        return true;
    }
    if (text.len != at + 6 || (text.at[at] != '+' && text.at[at] != '-') ||
        text.at[at + 3] != ':')
        return false;
    hour = digits(text, at + 1, 2);
    minute = digits(text, at + 4, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    *minutes = (60 * hour + minute) * (text.at[at] == '-' ? -1 : 1);
    return true;
}

/* RFC 3339 section 5.6; a fraction of a second is read and dropped, a leap
 * second is not known. */
static bool read_moment(struct ent_slice text, struct moment *at)
{
    int hour = digits(text, 11, 2);
    int minute = digits(text, 14, 2);
    size_t end = 19;
    int offset;

    if (text.len < 20 || !is_date(ent_slice(text.at, 10)) ||
        (text.at[10] != 'T' && text.at[10] != 't' && text.at[10] != ' ') ||
        text.at[13] != ':' || text.at[16] != ':')
        return false;
    at->year = digits(text, 0, 4);
    at->month = digits(text, 5, 2);
    at->day = digits(text, 8, 2);
    at->second = digits(text, 17, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || at->second < 0 ||
        at->second > 59)
        return false;
    if (text.at[end] == '.') {
        do
            end++;
        while (end < text.len && is_digit(text.at[end]));
        if (end == 20 || end == text.len)
            return false;
    }
    if (!read_offset(text, end, &offset))
        return false;
    at->minute = 60 * hour + minute - offset;
    return true;
}

/* An offset moves a moment by less than a day. False beyond the years. */
static bool to_utc(struct moment *at)
{
    if (at->minute < 0) {
        at->minute += 24 * 60;
        if (--at->day < 1) {
            if (--at->month < 1) {
                at->month = 12;
                at->year--;
            }
            at->day = month_days(at->year, at->month);
        }
    } else if (at->minute >= 24 * 60) {
        at->minute -= 24 * 60;
        if (++at->day > month_days(at->year, at->month)) {
            at->day = 1;
            if (++at->month > 12) {
                at->month = 1;
                at->year++;
            }
        }
    }
    return at->year >= 1 && at->year <= 9999;
}

static int parse_datetime(struct ent_slice text, struct ent_arena *arena,
                          struct ent_value *value, struct ent_err *err)
{
    struct moment at;
    char *out;
    int n;

    if (!read_moment(text, &at) || !to_utc(&at))
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%.*s\" is not a moment; write "
                           "2018-08-06T08:10:00Z or 2018-08-06T10:10:00+02:00",
                           SHOWN(text));
    out = ENT_ARENA_NEW(arena, char, 64);
    if (out == NULL)
        return ent_err_set(err, ENT_ENOMEM, "out of memory");
    n = snprintf(out, 64, "%04d-%02d-%02dT%02d:%02d:%02dZ", at.year, at.month,
                 at.day, at.minute / 60, at.minute % 60, at.second);
    *value = ent_value_text(ent_slice(out, (size_t)n));
    return 0;
}

/* -?digits(.digits)?, of which at most 15 count and 9 stand behind the point.
 * False when it is no such number; `fits` tells whether the digits do. */
static bool read_number(struct ent_slice text, int64_t *integer,
                        uint32_t *scale, bool *fits)
{
    bool minus = is_byte(text, 0, '-');
    size_t end = text.len;
    size_t point;
    size_t i = minus;
    int64_t sum = 0;
    int count = 0;

    while (i < end && is_digit(text.at[i]))
        i++;
    point = i;
    if (point == minus || (point < end && text.at[point] != '.') ||
        point + 1 == end)
        return false;
    for (i = point + 1; i < end; i++)
        if (!is_digit(text.at[i]))
            return false;
    if (point < end)
        while (end > point + 1 && text.at[end - 1] == '0')
            end--;
    for (i = minus; i < end && count <= ENT_DECIMAL_DIGITS_MAX; i++) {
        if (i == point)
            continue;
        sum = 10 * sum + (text.at[i] - '0');
        count += sum > 0;
    }
    *integer = minus ? -sum : sum;
    *scale = point + 1 < end ? (uint32_t)(end - point - 1) : 0;
    *fits = count <= ENT_DECIMAL_DIGITS_MAX && *scale <= ENT_DECIMAL_SCALE_MAX;
    return true;
}

static int parse_number(struct ent_slice text, bool decimal,
                        struct ent_value *value, struct ent_err *err)
{
    int64_t integer;
    uint32_t scale;
    bool fits;

    if (!read_number(text, &integer, &scale, &fits) ||
        (!decimal && memchr(text.at, '.', text.len) != NULL)) {
        if (decimal)
            return ent_err_set(err, ENT_EREFUSED,
                               "\"%.*s\" is not a number; write 12 or 12.50, "
                               "with a point and without blanks or no-break "
                               "spaces",
                               SHOWN(text));
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%.*s\" is not a whole number; write 12 or -12, "
                           "without blanks or no-break spaces",
                           SHOWN(text));
    }
    if (!fits)
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%.*s\" has too many digits; %d are accepted, "
                           "%d of them behind the point",
                           SHOWN(text), ENT_DECIMAL_DIGITS_MAX,
                           ENT_DECIMAL_SCALE_MAX);
    *value = ent_value_decimal(integer, scale);
    return 0;
}

static int parse_yesno(struct ent_slice text, struct ent_value *value,
                       struct ent_err *err)
{
    static const char *const yes[] = {"yes", "oui", "true", "1"};
    static const char *const no[] = {"no", "non", "false", "0"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(yes); i++) {
        if (word_is(text, yes[i]) || word_is(text, no[i])) {
            *value = ent_value_bool(word_is(text, yes[i]));
            return 0;
        }
    }
    return ent_err_set(err, ENT_EREFUSED,
                       "\"%.*s\" is neither yes nor no (oui, non)",
                       SHOWN(text));
}

int ent_value_parse(const struct ent_field *field,
                    const struct ent_vocab *vocab, struct ent_slice in,
                    struct ent_arena *arena, struct ent_value *value,
                    struct ent_err *err)
{
    struct ent_slice text;
    struct ent_slice bare;
    int rc = ent_text_clean(in, arena, &text, err);

    if (rc < 0)
        return rc;
    bare = trim(text);
    if (bare.len == 0)
        return ent_err_set(err, ENT_EREFUSED, "nothing but blanks");
    switch (field->type) {
    case ENT_TYPE_TEXT:
        /* Line breaks mean that someone laid the text out. */
        if (memchr(text.at, '\n', text.len) == NULL)
            text = bare;
        *value = ent_value_text(text);
        return 0;
    case ENT_TYPE_CODE:
        return parse_code(bare, value, err);
    case ENT_TYPE_ENUM:
        return parse_enum(field, vocab, bare, value, err);
    case ENT_TYPE_REF:
        return parse_ref(bare, arena, value, err);
    case ENT_TYPE_DATE:
        return parse_date(bare, value, err);
    case ENT_TYPE_DATETIME:
        return parse_datetime(bare, arena, value, err);
    case ENT_TYPE_INTEGER:
        return parse_number(bare, false, value, err);
    case ENT_TYPE_DECIMAL:
        return parse_number(bare, true, value, err);
    case ENT_TYPE_YESNO:
        return parse_yesno(bare, value, err);
    }
    ent_assert_failed("a field of no type", __FILE__, __LINE__);
}

static void print_decimal(const struct ent_value *value, struct ent_buf *buf)
{
    bool minus = value->integer < 0;
    uint64_t size =
        minus ? -(uint64_t)value->integer : (uint64_t)value->integer;
    uint64_t unit = 1;

    for (uint32_t i = 0; i < value->scale; i++)
        unit *= 10;
    ent_buf_printf(buf, "%s%" PRIu64 ".%0*" PRIu64, minus ? "-" : "",
                   size / unit, (int)value->scale, size % unit);
}

void ent_value_print(const struct ent_value *value, struct ent_buf *buf)
{
    struct ent_id id;
    char text[ENT_ID_TEXT];

    switch (value->type) {
    case ENT_VALUE_NIL:
        return;
    case ENT_VALUE_BOOL:
        ent_buf_put_str(buf, value->integer != 0 ? "yes" : "no");
        return;
    case ENT_VALUE_INT:
        ent_buf_printf(buf, "%" PRId64, value->integer);
        return;
    case ENT_VALUE_DECIMAL:
        ENT_ASSERT(value->scale <= ENT_DECIMAL_SCALE_MAX);
        print_decimal(value, buf);
        return;
    case ENT_VALUE_TEXT:
        ent_buf_put_slice(buf, value->bytes);
        return;
    case ENT_VALUE_BYTES:
        ENT_ASSERT(value->bytes.len == sizeof(id.b));
        memcpy(id.b, value->bytes.at, sizeof(id.b));
        ent_id_text(&id, text);
        ent_buf_put_str(buf, text);
        return;
    case ENT_VALUE_OTHER:
        ent_buf_put_u8(buf, '?');
        return;
    }
}
