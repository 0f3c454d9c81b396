/* test_text.c - clean text, and values from what a person wrote and back. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/version.h"
#include "config.h"
#include "text/parse.h"

static struct ent_arena arena;
static struct ent_err err;
static struct ent_vocab vocab;

static void setup(void)
{
    arena = (struct ent_arena){0};
    err = (struct ent_err){0};
    ck_assert_int_eq(ent_vocab_load(ENT_SOURCE_DIR
                                    "/configs/vocabulary/vocabulary.csv",
                                    &vocab, &err),
                     0);
}

static void teardown(void)
{
    ent_arena_fini(&arena);
    ent_vocab_fini(&vocab);
}

#define ck_assert_slice_eq(slice, text)                                        \
    do {                                                                       \
        struct ent_slice got_ = (slice);                                       \
        ck_assert_uint_eq(got_.len, sizeof(text) - 1);                         \
        ck_assert_mem_eq(got_.at, text, sizeof(text) - 1);                     \
    } while (0)

#define ck_assert_says(part) ck_assert_ptr_nonnull(strstr(err.text, (part)))

static struct ent_slice clean(struct ent_slice in)
{
    struct ent_slice out = {0};

    ck_assert_int_eq(ent_text_clean(in, &arena, &out, &err), 0);
    return out;
}

static void refuse_text(struct ent_slice in)
{
    struct ent_slice out;

    ck_assert_int_eq(ent_text_clean(in, &arena, &out, &err), ENT_EREFUSED);
}

#define SLICE(text) ent_slice((text), sizeof(text) - 1)

/* The bulk of all text, and on the path of every import. */
START_TEST(text_in_order_is_given_back_without_a_copy)
{
    static const char *const texts[] = {
        "",
        "a",
        "Rumonge",
        "eight by eight and a tail",
        "tab\tand\nline",
        "\xc3\xa9t\xc3\xa9 \xc2\xab na\xc3\xafve \xc2\xbb",
        "\xd0\xa0\xd0\xbe\xd1\x81\xd1\x81\xd0\xb8\xd1\x8f",
        "\xd8\xa7\xd9\x84\xd8\xb9",
        "\xe1\x80\x99\xe1\x80\xbc"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(texts); i++) {
        struct ent_slice in = ent_slice_str(texts[i]);
        struct ent_slice out = clean(in);

        ck_assert_ptr_eq(out.at, in.at);
        ck_assert_uint_eq(out.len, in.len);
    }
}
END_TEST

/* Two keyboards write one name in two ways; they must be one value. */
START_TEST(accents_become_one_character)
{
    ck_assert_slice_eq(clean(SLICE("Be\xcc\x81nin")), "B\xc3\xa9nin");
    ck_assert_slice_eq(clean(SLICE("\xe2\x84\xab")), "\xc3\x85");
    ck_assert_slice_eq(clean(SLICE("q\xcc\x87\xcc\xa3")), "q\xcc\xa3\xcc\x87");
    ck_assert_slice_eq(clean(SLICE("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab")),
                       "\xed\x95\x9c");
}
END_TEST

START_TEST(line_ends_become_lf)
{
    ck_assert_slice_eq(clean(SLICE("a\r\nb\rc\r")), "a\nb\nc\n");
    ck_assert_slice_eq(clean(SLICE("e\xcc\x81\r\n")), "\xc3\xa9\n");
}
END_TEST

START_TEST(broken_utf8_is_refused_with_its_place)
{
    static const struct {
        const char *text;
        const char *place;
    } cases[] = {
        {"abc\xff", "byte 4"},          {"\x80", "byte 1"},
        {"ab\xc3", "byte 3"},           {"ab\xc3(", "byte 3"},
        {"\xc0\xaf", "byte 1"},         {"\xed\xa0\x80", "byte 1"},
        {"\xf4\x90\x80\x80", "byte 1"}, {"12345678\xe2\x82", "byte 9"},
    };

    for (size_t i = 0; i < ENT_ARRAY_LEN(cases); i++) {
        refuse_text(ent_slice_str(cases[i].text));
        ck_assert_says("UTF-8");
        ck_assert_says(cases[i].place);
    }
}
END_TEST

START_TEST(control_characters_are_refused_wherever_they_stand)
{
    char text[32];

    for (int c = 0; c < 0x20; c++) {
        if (c == '\t' || c == '\n' || c == '\r')
            continue;
        for (size_t at = 0; at < sizeof(text); at++) {
            memset(text, 'x', sizeof(text));
            text[at] = (char)c;
            refuse_text(ent_slice(text, sizeof(text)));
            ck_assert_says("control");
        }
    }
    refuse_text(SLICE("\x7f"));
    refuse_text(SLICE("abcdefg\x7f"));
    refuse_text(SLICE("\xc2\x80"));
    refuse_text(SLICE("\xc2\x9f"));
    ck_assert_says("U+009F");
    ck_assert_slice_eq(clean(SLICE("\xc2\xa0")), "\xc2\xa0");
}
END_TEST

START_TEST(a_text_over_the_limit_is_refused)
{
    char *text = malloc(ENT_VALUE_BYTES_MAX + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', ENT_VALUE_BYTES_MAX + 1);
    clean(ent_slice(text, ENT_VALUE_BYTES_MAX));
    refuse_text(ent_slice(text, ENT_VALUE_BYTES_MAX + 1));
    /* U+0958 takes three bytes, and six when it is brought into NFC. */
    for (size_t i = 0; i + 3 <= ENT_VALUE_BYTES_MAX; i += 3)
        memcpy(text + i, "\xe0\xa5\x98", 3);
    refuse_text(ent_slice(text, ENT_VALUE_BYTES_MAX / 3 * 3));
    ck_assert_says("longer");
    free(text);
}
END_TEST

static struct ent_field field(enum ent_field_type type, const char *list)
{
    return (struct ent_field){.name = "f", .type = type, .list = list};
}

static int try_parse(enum ent_field_type type, const char *list,
                     const char *text, struct ent_value *value)
{
    struct ent_field f = field(type, list);

    return ent_value_parse(&f, &vocab, ent_slice_str(text), &arena, value,
                           &err);
}

static struct ent_value parse(enum ent_field_type type, const char *list,
                              const char *text)
{
    struct ent_value value = {0};

    ck_assert_msg(try_parse(type, list, text, &value) == 0, "%s: %s", text,
                  err.text);
    return value;
}

static void refuse(enum ent_field_type type, const char *list, const char *text)
{
    struct ent_value value;

    ck_assert_msg(try_parse(type, list, text, &value) == ENT_EREFUSED,
                  "%s was not refused", text);
}

/* What `text` is printed as, after it was parsed; and that the print is parsed
 * to the same value. */
static void check_spelling(enum ent_field_type type, const char *list,
                           const char *text, const char *canonical)
{
    struct ent_value value = parse(type, list, text);
    struct ent_value again;
    struct ent_buf buf = {0};

    ent_value_print(&value, &buf);
    ck_assert_str_eq(ent_buf_cstr(&buf), canonical);
    again = parse(type, list, ent_buf_cstr(&buf));
    ck_assert(ent_value_equal(&value, &again));
    ent_buf_fini(&buf);
}

START_TEST(blanks_around_a_value_go)
{
    check_spelling(ENT_TYPE_TEXT, NULL, " \tRumonge ", "Rumonge");
    check_spelling(ENT_TYPE_CODE, NULL, " TOT-BDI\n", "TOT-BDI");
    check_spelling(ENT_TYPE_INTEGER, NULL, " 24 ", "24");
}
END_TEST

/* Someone laid it out: a list with indents keeps them. */
START_TEST(text_with_line_breaks_keeps_its_blanks)
{
    check_spelling(ENT_TYPE_TEXT, NULL, "  - one\r\n  - two\r\n",
                   "  - one\n  - two\n");
}
END_TEST

START_TEST(blanks_alone_are_no_value)
{
    for (int type = ENT_TYPE_TEXT; type <= ENT_TYPE_YESNO; type++) {
        refuse((enum ent_field_type)type, "role", "  ");
        refuse((enum ent_field_type)type, "role", "\n");
    }
}
END_TEST

START_TEST(a_code_has_neither_blanks_nor_bars)
{
    check_spelling(ENT_TYPE_CODE, NULL, "evt-tot-bdi/trn-bdi-01/participant",
                   "evt-tot-bdi/trn-bdi-01/participant");
    refuse(ENT_TYPE_CODE, NULL, "TOT BDI");
    refuse(ENT_TYPE_CODE, NULL, "fr|rn");
    refuse(ENT_TYPE_CODE, NULL, "a\nb");
}
END_TEST

START_TEST(a_code_over_its_limit_is_refused)
{
    char text[ENT_CODE_BYTES_MAX + 2];

    memset(text, 'x', sizeof(text));
    text[ENT_CODE_BYTES_MAX] = '\0';
    parse(ENT_TYPE_CODE, NULL, text);
    text[ENT_CODE_BYTES_MAX] = 'x';
    text[ENT_CODE_BYTES_MAX + 1] = '\0';
    refuse(ENT_TYPE_CODE, NULL, text);
    refuse(ENT_TYPE_REF, NULL, text);
}
END_TEST

/* 2017 and 2017-06 are all that some sources give. */
START_TEST(dates_may_be_partial)
{
    check_spelling(ENT_TYPE_DATE, NULL, "2017", "2017");
    check_spelling(ENT_TYPE_DATE, NULL, "2017-06", "2017-06");
    check_spelling(ENT_TYPE_DATE, NULL, "2017-06-15", "2017-06-15");
    check_spelling(ENT_TYPE_DATE, NULL, "0001-01-01", "0001-01-01");
    check_spelling(ENT_TYPE_DATE, NULL, "9999-12-31", "9999-12-31");
}
END_TEST

START_TEST(the_29th_of_february_is_a_day_in_leap_years_only)
{
    parse(ENT_TYPE_DATE, NULL, "2016-02-29");
    parse(ENT_TYPE_DATE, NULL, "2000-02-29");
    refuse(ENT_TYPE_DATE, NULL, "2017-02-29");
    refuse(ENT_TYPE_DATE, NULL, "1900-02-29");
}
END_TEST

START_TEST(what_is_no_date_is_refused)
{
    static const char *const texts[] = {
        "0000",       "17",          "2017-",      "2017-6",     "2017-13",
        "2017-00",    "2017-06-31",  "2017-06-00", "2017-6-15",  "2017/06/15",
        "15/06/2017", "2017-06-15T", "20170615",   "2017-06-1x", "juin 2017"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(texts); i++) {
        refuse(ENT_TYPE_DATE, NULL, texts[i]);
        ck_assert_says("2017-06-15");
    }
}
END_TEST

START_TEST(moments_are_kept_in_utc)
{
    check_spelling(ENT_TYPE_DATETIME, NULL, "2018-08-06T08:10:00Z",
                   "2018-08-06T08:10:00Z");
    check_spelling(ENT_TYPE_DATETIME, NULL, "2018-08-06t08:10:00z",
                   "2018-08-06T08:10:00Z");
    check_spelling(ENT_TYPE_DATETIME, NULL, "2018-08-06T10:10:00+02:00",
                   "2018-08-06T08:10:00Z");
    check_spelling(ENT_TYPE_DATETIME, NULL, "2018-12-31 23:30:00.5-01:30",
                   "2019-01-01T01:00:00Z");
    check_spelling(ENT_TYPE_DATETIME, NULL, "2016-03-01T00:00:59+00:01",
                   "2016-02-29T23:59:59Z");
    check_spelling(ENT_TYPE_DATETIME, NULL, "2017-01-01T00:00:00+23:59",
                   "2016-12-31T00:01:00Z");
}
END_TEST

START_TEST(what_is_no_moment_is_refused)
{
    static const char *const texts[] = {"2018-08-06",
                                        "2018-08-06T08:10Z",
                                        "2018-08-06T08:10:00",
                                        "2018-08-06T24:00:00Z",
                                        "2018-08-06T08:60:00Z",
                                        "2018-08-06T08:10:60Z",
                                        "2018-02-30T08:10:00Z",
                                        "2018-08-06T08:10:00.Z",
                                        "2018-08-06T08:10:00.5",
                                        "2018-08-06T08:10:00+2:00",
                                        "2018-08-06T08:10:00+24:00",
                                        "2018-08-06T08:10:00Zx",
                                        "0001-01-01T00:00:00+00:01",
                                        "9999-12-31T23:59:59-00:01"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(texts); i++)
        refuse(ENT_TYPE_DATETIME, NULL, texts[i]);
}
END_TEST

START_TEST(decimals_have_one_spelling)
{
    check_spelling(ENT_TYPE_DECIMAL, NULL, "12.50", "12.5");
    check_spelling(ENT_TYPE_DECIMAL, NULL, "-12.50", "-12.5");
    check_spelling(ENT_TYPE_DECIMAL, NULL, "12.00", "12");
    check_spelling(ENT_TYPE_DECIMAL, NULL, "012", "12");
    check_spelling(ENT_TYPE_DECIMAL, NULL, "-0.0", "0");
    check_spelling(ENT_TYPE_DECIMAL, NULL, "-0.05", "-0.05");
    check_spelling(ENT_TYPE_DECIMAL, NULL, "0.000000001", "0.000000001");
    check_spelling(ENT_TYPE_DECIMAL, NULL, "1.50000000000000000000", "1.5");
    check_spelling(ENT_TYPE_DECIMAL, NULL, "123456789012345",
                   "123456789012345");
    check_spelling(ENT_TYPE_DECIMAL, NULL, "000000.123456789", "0.123456789");
}
END_TEST

START_TEST(what_is_no_number_is_refused)
{
    static const char *const texts[] = {
        "twelve",
        "12,5",
        "1 250",
        "1.2.3",
        ".5",
        "5.",
        "+5",
        "--5",
        "-",
        ".",
        "1e3",
        "0x10",
        "1234567890123456",
        "0.0000000001",
        "1.2345678901",
        "99999999999999999999999999999999999999",
        "1 000 250"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(texts); i++) {
        refuse(ENT_TYPE_DECIMAL, NULL, texts[i]);
        refuse(ENT_TYPE_INTEGER, NULL, texts[i]);
    }
    refuse(ENT_TYPE_INTEGER, NULL, "12.5");
    refuse(ENT_TYPE_INTEGER, NULL, "12.0");
}
END_TEST

START_TEST(yes_and_no_are_understood_in_both_languages)
{
    static const char *const yes[] = {"yes", "Oui", "TRUE", "1"};
    static const char *const no[] = {"no", "Non", "false", "0"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(yes); i++) {
        check_spelling(ENT_TYPE_YESNO, NULL, yes[i], "yes");
        check_spelling(ENT_TYPE_YESNO, NULL, no[i], "no");
    }
    refuse(ENT_TYPE_YESNO, NULL, "peut-\xc3\xaatre");
}
END_TEST

/* Excel users type labels, programs type codes. */
START_TEST(an_enumeration_takes_code_and_label_in_both_languages)
{
    check_spelling(ENT_TYPE_ENUM, "plan_status", "in_progress", "in_progress");
    check_spelling(ENT_TYPE_ENUM, "plan_status", "En cours", "in_progress");
    check_spelling(ENT_TYPE_ENUM, "plan_status", "in progress", "in_progress");
    check_spelling(ENT_TYPE_ENUM, "plan_status", "\xc3\x80 l'arr\xc3\xaat",
                   "stalled");
    check_spelling(ENT_TYPE_ENUM, "plan_status",
                   "\xc3\xa0 l\xe2\x80\x99"
                   "ARRE\xcc\x82T",
                   "stalled");
    check_spelling(ENT_TYPE_ENUM, "agreement", "Un peu d'accord", "2");
    check_spelling(ENT_TYPE_ENUM, "module", "m3", "M3");
}
END_TEST

START_TEST(a_mistyped_code_is_answered_with_the_nearest)
{
    refuse(ENT_TYPE_ENUM, "plan_status", "validatde");
    ck_assert_says("plan_status");
    ck_assert_says("did you mean validated?");
    refuse(ENT_TYPE_ENUM, "plan_status", "zzzzzzzz");
    ck_assert_says("draft, submitted, validated");
    refuse(ENT_TYPE_ENUM, "activity_type", "zzzzzzzz");
    ck_assert_says(", ...");
    refuse(ENT_TYPE_ENUM, "no_such_list", "draft");
    ck_assert_says("no list no_such_list");
}
END_TEST

START_TEST(the_nearest_term_is_within_two_edits_or_a_third)
{
    const struct ent_term *term;

    term = ent_vocab_near(&vocab, "org_type", "gouvernment");
    ck_assert_str_eq(term->code, "government");
    term = ent_vocab_near(&vocab, "org_type", "DONATUER");
    ck_assert_str_eq(term->code, "donor");
    term = ent_vocab_near(&vocab, "role", "point focal suppleant");
    ck_assert_str_eq(term->code, "backup_focal_point");
    ck_assert_ptr_null(ent_vocab_near(&vocab, "org_type", "qqqq"));
    ck_assert_ptr_null(ent_vocab_near(&vocab, "org_type", ""));
    ck_assert_ptr_null(ent_vocab_near(&vocab, "org_type", "\xff"));
    ck_assert_ptr_null(ent_vocab_near(&vocab, "nothing", "donor"));
}
END_TEST

START_TEST(a_reference_is_a_code_or_an_id)
{
    static const char id[] = "0190a6d1-5c00-7abc-8def-0123456789ab";
    struct ent_value value = parse(ENT_TYPE_REF, NULL, "org-bdi-ingo01");

    ck_assert_int_eq(value.type, ENT_VALUE_TEXT);
    value = parse(ENT_TYPE_REF, NULL, id);
    ck_assert_int_eq(value.type, ENT_VALUE_BYTES);
    ck_assert_uint_eq(value.bytes.len, 16);
    check_spelling(ENT_TYPE_REF, NULL, id, id);
    check_spelling(ENT_TYPE_REF, NULL, "0190A6D15C007ABC8DEF0123456789AB", id);
    check_spelling(ENT_TYPE_REF, NULL, "0190a6d1-5c00-7abc",
                   "0190a6d1-5c00-7abc");
}
END_TEST

START_TEST(values_of_the_log_that_no_field_parses_are_printed_too)
{
    struct ent_value nil = ent_value_nil();
    struct ent_value other = {.type = ENT_VALUE_OTHER};
    struct ent_value least = ent_value_int(INT64_MIN);
    struct ent_value decimal = {
        .type = ENT_VALUE_DECIMAL, .integer = INT64_MIN, .scale = 9};
    struct ent_buf buf = {0};

    ent_value_print(&nil, &buf);
    ck_assert_uint_eq(buf.len, 0);
    ent_value_print(&other, &buf);
    ck_assert_str_eq(ent_buf_cstr(&buf), "?");
    ent_buf_reset(&buf);
    ent_value_print(&least, &buf);
    ck_assert_str_eq(ent_buf_cstr(&buf), "-9223372036854775808");
    ent_buf_reset(&buf);
    ent_value_print(&decimal, &buf);
    ck_assert_str_eq(ent_buf_cstr(&buf), "-9223372036.854775808");
    ent_buf_fini(&buf);
}
END_TEST

/* Twenty thousand decimals of any size and scale. */
START_TEST(what_is_printed_is_parsed_to_the_same_value)
{
    struct ent_field f = field(ENT_TYPE_DECIMAL, NULL);
    struct ent_buf buf = {0};
    uint64_t seed = 1;

    for (int i = 0; i < 20000; i++) {
        struct ent_value value;
        struct ent_value again;
        int64_t integer;

        seed = seed * 6364136223846793005 + 1442695040888963407;
        integer = (int64_t)(seed >> 20) % 1000000000000000;
        value = ent_value_decimal(i % 2 == 0 ? integer : -integer,
                                  (uint32_t)(seed >> 8) % 10);
        ent_buf_reset(&buf);
        ent_value_print(&value, &buf);
        ck_assert_int_eq(ent_value_parse(&f, &vocab, ent_buf_slice(&buf),
                                         &arena, &again, &err),
                         0);
        ck_assert(ent_value_equal(&value, &again));
    }
    ent_buf_fini(&buf);
}
END_TEST

START_TEST(versions_are_numbers_with_points)
{
    static const struct {
        const char *text, *shown; /* NULL: none */
    } cases[] = {
        {"1.2.3", "1.2.3"},   {"0", "0.0.0"},   {"10.4", "10.4.0"},
        {"9999", "9999.0.0"}, {"10000", NULL},  {"", NULL},
        {"1.", NULL},         {".1", NULL},     {"1.2.3.4", NULL},
        {"1.2.3 ", NULL},     {"1.2-rc", NULL}, {"-1", NULL},
    };
    struct ent_version a, b;
    char text[ENT_VERSION_TEXT];

    for (size_t i = 0; i < ENT_ARRAY_LEN(cases); i++) {
        bool is = ent_version_parse(cases[i].text, &a);

        ck_assert_msg(is == (cases[i].shown != NULL), "%s", cases[i].text);
        if (!is)
            continue;
        ent_version_put(&a, text);
        ck_assert_str_eq(text, cases[i].shown);
    }
    ck_assert(ent_version_parse("1.10", &a) && ent_version_parse("1.9.9", &b));
    ck_assert_int_gt(ent_version_cmp(&a, &b), 0);
    ck_assert_int_lt(ent_version_cmp(&b, &a), 0);
    ck_assert_int_eq(ent_version_cmp(&a, &a), 0);
    a = ent_version_own();
    ck_assert(ent_version_parse("0.0.1", &b) && ent_version_cmp(&a, &b) > 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *cleaning = tcase_create("clean");
    TCase *values = tcase_create("values");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(cleaning, setup, teardown);
    tcase_add_test(cleaning, text_in_order_is_given_back_without_a_copy);
    tcase_add_test(cleaning, accents_become_one_character);
    tcase_add_test(cleaning, line_ends_become_lf);
    tcase_add_test(cleaning, broken_utf8_is_refused_with_its_place);
    tcase_add_test(cleaning,
                   control_characters_are_refused_wherever_they_stand);
    tcase_add_test(cleaning, a_text_over_the_limit_is_refused);
    suite_add_tcase(suite, cleaning);

    tcase_add_checked_fixture(values, setup, teardown);
    tcase_add_test(values, blanks_around_a_value_go);
    tcase_add_test(values, text_with_line_breaks_keeps_its_blanks);
    tcase_add_test(values, blanks_alone_are_no_value);
    tcase_add_test(values, a_code_has_neither_blanks_nor_bars);
    tcase_add_test(values, a_code_over_its_limit_is_refused);
    tcase_add_test(values, dates_may_be_partial);
    tcase_add_test(values, the_29th_of_february_is_a_day_in_leap_years_only);
    tcase_add_test(values, what_is_no_date_is_refused);
    tcase_add_test(values, moments_are_kept_in_utc);
    tcase_add_test(values, what_is_no_moment_is_refused);
    tcase_add_test(values, decimals_have_one_spelling);
    tcase_add_test(values, what_is_no_number_is_refused);
    tcase_add_test(values, yes_and_no_are_understood_in_both_languages);
    tcase_add_test(values,
                   an_enumeration_takes_code_and_label_in_both_languages);
    tcase_add_test(values, a_mistyped_code_is_answered_with_the_nearest);
    tcase_add_test(values, the_nearest_term_is_within_two_edits_or_a_third);
    tcase_add_test(values, a_reference_is_a_code_or_an_id);
    tcase_add_test(values,
                   values_of_the_log_that_no_field_parses_are_printed_too);
    tcase_add_test(values, what_is_printed_is_parsed_to_the_same_value);
    tcase_add_test(values, versions_are_numbers_with_points);
    suite_add_tcase(suite, values);

    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
