/* test_card.c - content lines of vCards and calendars, read and written. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"
#include "text/card.h"

static struct ent_card *card;
static const struct ent_card_line *line;
static struct ent_err err;

static void teardown(void)
{
    ent_card_close(card);
    card = NULL;
}

static int try_open(const char *text, size_t len)
{
    int fd = memfd_create("card", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return ent_card_open_fd(fd, "a.vcf", &card, &err);
}

#define OPEN(bytes)                                                            \
    ck_assert_msg(try_open((bytes), sizeof(bytes) - 1) == 0, "%s", err.text)

static void next(void)
{
    ck_assert_msg(ent_card_next(card, &line, &err) == 1, "%s", err.text);
}

static void value_is(const char *text)
{
    ck_assert_uint_eq(line->value.len, strlen(text));
    ck_assert_mem_eq(line->value.at, text, line->value.len);
}

static void part_is(struct ent_slice *value, char separator, const char *text)
{
    struct ent_buf part = {0};

    ck_assert(ent_card_part(value, separator, &part));
    ck_assert_str_eq(ent_buf_cstr(&part), text);
    ent_buf_fini(&part);
}

START_TEST(a_folded_line_is_one_also_within_a_character)
{
    OPEN("\xef\xbb\xbfNOTE:a\r\n b\xc3\r\n\t\xa9\r\n\r\nitem1.tel:1\n");
    next();
    ck_assert_str_eq(line->name, "NOTE");
    ck_assert_uint_eq(line->line, 1);
    value_is("ab\xc3\xa9");
    next();
    ck_assert_str_eq(line->name, "TEL");
    ck_assert_uint_eq(line->line, 5);
    ck_assert_int_eq(ent_card_next(card, &line, &err), 0);
}
END_TEST

START_TEST(parameters_lose_their_quotation_marks_and_circumflexes)
{
    OPEN("ADR;TYPE=\"home;x\";LABEL=\"a^nb^'^^\";PREF:v:w\n");
    next();
    ck_assert_str_eq(ent_card_param(line, "TYPE"), "home;x");
    ck_assert_str_eq(ent_card_param(line, "LABEL"), "a\nb\"^");
    ck_assert_ptr_null(ent_card_param(line, "PREF"));
    ck_assert_str_eq(line->params[2].name, "TYPE");
    ck_assert(ent_card_has_word(line->params[2].value, "pref"));
    value_is("v:w");
}
END_TEST

START_TEST(parts_lose_their_escapes)
{
    struct ent_slice value;

    OPEN("N:D\\;u\\,p\\\\\\n;;C:\\path\n");
    next();
    value = line->value;
    part_is(&value, ';', "D;u,p\\\n");
    part_is(&value, ';', "");
    part_is(&value, ';', "C:\\path");
    ck_assert(!ent_card_part(&value, ';', &(struct ent_buf){0}));
}
END_TEST

START_TEST(quoted_printable_lines_are_read)
{
    OPEN("N;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:R=C3=A9=\r\nn=3D=\r\n"
         "\nEND:VCARD\n");
    next();
    value_is("R\xc3\xa9n=");
    next();
    ck_assert_str_eq(line->name, "END");
}
END_TEST

/* A picture must neither be held nor keep the card out. */
START_TEST(a_line_beyond_the_limit_is_cut_and_said_to_be)
{
    static char text[ENT_CARD_LINE_BYTES_MAX + 100] = "PHOTO:";
    size_t len = sizeof(text);

    memset(text + 6, 'A', len - 6);
    memcpy(text + len - 5, "\nA:1\n", 5);
    ck_assert_int_eq(try_open(text, len), 0);
    next();
    ck_assert(line->cut);
    ck_assert_str_eq(line->name, "PHOTO");
    next();
    ck_assert(!line->cut);
    value_is("1");
}
END_TEST

START_TEST(a_broken_line_is_refused_with_its_number_and_the_next_is_read)
{
    OPEN("A:1\nno colon\n:x\nB;:\n\xff:1\nC:\xff\nD:2\n");
    next();
    for (int i = 2; i <= 3; i++) {
        char place[16];

        snprintf(place, sizeof(place), "a.vcf:%d: ", i);
        ck_assert_int_eq(ent_card_next(card, &line, &err), ENT_EREFUSED);
        ck_assert_msg(strstr(err.text, place) == err.text, "%s", err.text);
    }
    next();
    ck_assert_int_eq(ent_card_next(card, &line, &err), ENT_EREFUSED);
    ck_assert_int_eq(ent_card_next(card, &line, &err), ENT_EREFUSED);
    ck_assert_msg(strstr(err.text, "UTF-8") != NULL, "%s", err.text);
    next();
    ck_assert_str_eq(line->name, "D");
}
END_TEST

START_TEST(utf_16_is_refused)
{
    ck_assert_int_eq(try_open("\xff\xfe"
                              "B\0",
                              4),
                     ENT_EREFUSED);
    ck_assert_ptr_null(card);
}
END_TEST

START_TEST(what_is_written_has_short_lines_of_whole_characters)
{
    struct ent_buf value = {0};
    struct ent_buf out = {0};
    const char *at;

    for (int i = 0; i < 60; i++)
        ent_card_put_text(&value, ent_slice_str("é,"));
    ent_card_put(&out, "SUMMARY", ";LANGUAGE=fr", ent_buf_slice(&value));
    for (at = ent_buf_cstr(&out); *at != '\0';) {
        const char *end = strstr(at, "\r\n");

        ck_assert_ptr_nonnull(end);
        ck_assert_int_le(end - at, ENT_CARD_FOLD_BYTES);
        ck_assert(((unsigned char)at[*at == ' '] & 0xc0) != 0x80);
        at = end + 2;
    }
    ck_assert_int_eq(try_open((const char *)out.at, out.len), 0);
    next();
    ck_assert(ent_slice_equal(line->value, ent_buf_slice(&value)));
    ck_assert_str_eq(ent_card_param(line, "LANGUAGE"), "fr");
    ent_buf_fini(&value);
    ent_buf_fini(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("card");
    TCase *tcase = tcase_create("card");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, a_folded_line_is_one_also_within_a_character);
    tcase_add_test(tcase,
                   parameters_lose_their_quotation_marks_and_circumflexes);
    tcase_add_test(tcase, parts_lose_their_escapes);
    tcase_add_test(tcase, quoted_printable_lines_are_read);
    tcase_add_test(tcase, a_line_beyond_the_limit_is_cut_and_said_to_be);
    tcase_add_test(
        tcase, a_broken_line_is_refused_with_its_number_and_the_next_is_read);
    tcase_add_test(tcase, utf_16_is_refused);
    tcase_add_test(tcase, what_is_written_has_short_lines_of_whole_characters);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
