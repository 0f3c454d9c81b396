/* test_out.c - what commands print: programs can read it back, and nothing in
 * it moves a terminal's cursor or runs in a spreadsheet. */
#include <check.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/out.h"
#include "cli/out_text.h"

struct page {
    FILE *file;
    char *text;
    size_t len;
    struct out *out;
};

static struct page page;

static struct out *page_open(enum out_format format)
{
    page.file = open_memstream(&page.text, &page.len);
    ck_assert_ptr_nonnull(page.file);
    page.out = out_new(page.file, format);
    ck_assert_ptr_nonnull(page.out);
    return page.out;
}

static void page_is(const char *expected)
{
    ck_assert(out_free(page.out));
    fclose(page.file);
    ck_assert_str_eq(page.text, expected);
    free(page.text);
}

static void page_lacks(const char *bytes)
{
    ck_assert(out_free(page.out));
    fclose(page.file);
    ck_assert_ptr_null(strstr(page.text, bytes));
    free(page.text);
}

/* A listing of one column and one cell. */
static void list_one(enum out_format format, enum out_type type,
                     const char *text)
{
    struct out *out = page_open(format);

    out_list_begin(out);
    out_column(out, "v", "Value", type);
    out_row(out);
    out_cell(out, text);
    out_list_end(out);
}

#define JSON_OF(value) "[\n  {\"v\": " value "}\n]\n"

static const struct {
    enum out_type type;
    const char *text;
    const char *json;
} cells[] = {
    {OUT_TEXT, "a\"b\\c\nd\te", JSON_OF("\"a\\\"b\\\\c\\nd\\te\"")},
    {OUT_TEXT, "\x1b[31m\x07\x7f", JSON_OF("\"\\u001b[31m\\u0007\\u007f\"")},
    {OUT_TEXT, "c1 \xc2\x9b", JSON_OF("\"c1 \\u009b\"")},
    {OUT_TEXT, "bidi \xe2\x80\xae", JSON_OF("\"bidi \\u202e\"")},
    {OUT_TEXT, "bad \xff\xc0\x80.", JSON_OF("\"bad \\ufffd\\ufffd\\ufffd.\"")},
    {OUT_TEXT, "cut \xe2\x82", JSON_OF("\"cut \\ufffd\\ufffd\"")},
    {OUT_TEXT, "Évaluée", JSON_OF("\"Évaluée\"")},
    {OUT_TEXT, "", JSON_OF("\"\"")},
    {OUT_TEXT, NULL, JSON_OF("null")},
    {OUT_NUMBER, "-12.50", JSON_OF("-12.50")},
    {OUT_NUMBER, "1,\"inj\":2", JSON_OF("\"1,\\\"inj\\\":2\"")},
    {OUT_NUMBER, "007", JSON_OF("\"007\"")},
    {OUT_NUMBER, "1e", JSON_OF("\"1e\"")},
    {OUT_NUMBER, "", JSON_OF("null")},
    {OUT_BOOL, "1", JSON_OF("true")},
    {OUT_BOOL, "0", JSON_OF("false")},
    {OUT_BOOL, "true,", JSON_OF("\"true,\"")},
    {OUT_LIST, "[\"a\", \"\\u00e9\\\"\",3,null]",
     JSON_OF("[\"a\", \"é\\\"\", 3, null]")},
    {OUT_LIST, " [ ] ", JSON_OF("[]")},
    {OUT_LIST, "[\"a\"", JSON_OF("\"[\\\"a\\\"\"")},
    {OUT_LIST, "[1] , 2", JSON_OF("\"[1] , 2\"")},
    {OUT_LIST, "[\"\\ud83d\\ude00\",\"\\ud83d\"]",
     JSON_OF("[\"😀\", \"\\ufffd\\ufffd\\ufffd\"]")},
    {OUT_JSON_RAW, "{\"a\": 1}", JSON_OF("{\"a\": 1}")},
};

START_TEST(a_cell_is_valid_json_whatever_it_holds)
    {
        list_one(OUT_JSON, cells[_i].type, cells[_i].text);
        page_is(cells[_i].json);
    }
END_TEST

START_TEST(keys_keep_their_case_and_rows_their_order)
    {
        struct out *out = page_open(OUT_JSON);

        out_list_begin(out);
        out_column(out, "isoCode", "Code", OUT_TEXT);
        out_column(out, "Count", "Number", OUT_NUMBER);
        out_row(out);
        out_cell(out, "BDI");
        out_cell_int(out, -3);
        out_row(out);
        out_cell(out, "COD");
        out_list_end(out);
        page_is("[\n  {\"isoCode\": \"BDI\", \"Count\": -3},\n"
                "  {\"isoCode\": \"COD\", \"Count\": null}\n]\n");
    }
END_TEST

START_TEST(an_empty_list_is_a_list)
    {
        struct out *out = page_open(OUT_JSON);

        out_list_begin(out);
        out_column(out, "v", "Value", OUT_TEXT);
        out_list_end(out);
        page_is("[]\n");
    }
END_TEST

static void print_object(enum out_format format)
{
    struct out *out = page_open(format);

    out_object_begin(out);
    out_field(out, "org", "organisation", "Red | Cross");
    out_field_int(out, "n", "number", 2);
    out_nested_begin(out, "spaces", "Spaces");
    out_column(out, "space", "Space", OUT_TEXT);
    out_column(out, "alarms", "Alarms", OUT_LIST);
    out_row(out);
    out_cell(out, "ctc");
    out_cell(out, "[\"a\",\"b\"]");
    out_row(out);
    out_cell(out, "pf");
    out_cell(out, "[]");
    out_nested_end(out);
    out_nested_begin(out, "peers", "Peers");
    out_column(out, "key", "Key", OUT_TEXT);
    out_nested_end(out);
    out_field_bool(out, "ok", "fine", true);
    out_object_end(out);
}

START_TEST(an_object_holds_lists_of_objects)
    {
        print_object(OUT_JSONL);
        page_is("{\"org\": \"Red | Cross\", \"n\": 2, \"spaces\": "
                "[{\"space\": \"ctc\", \"alarms\": [\"a\", \"b\"]}, "
                "{\"space\": \"pf\", \"alarms\": []}], \"peers\": [], "
                "\"ok\": true}\n");
        print_object(OUT_TABLE);
        page_is("organisation  Red | Cross\nnumber        2\n\nSpaces\n"
                "Space  Alarms\nctc    a, b\npf     \n\nfine  yes\n");
        print_object(OUT_CSV);
        page_is("org,n\nRed | Cross,2\n\nspace,alarms\nctc,a|b\npf,\n"
                "\nkey\n\nok\ntrue\n");
        print_object(OUT_MARKDOWN);
        page_is("|  |  |\n|---|---|\n| organisation | Red \\| Cross |\n"
                "| number | 2 |\n\nSpaces\n\n| Space | Alarms |\n|---|---|\n"
                "| ctc | a, b |\n| pf |  |\n\n|  |  |\n|---|---|\n"
                "| fine | yes |\n");
    }
END_TEST

static const struct {
    const char *text;
    const char *csv;
} guarded[] = {
    {"=1+1", "'=1+1"},
    {"@SUM(A1)", "'@SUM(A1)"},
    {"-1+1", "'-1+1"},
    {"+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"},
    {"\t=1", "'\t=1"},
    {"＝1", "'＝1"},
    {"＠x", "'＠x"},
    {"'=1", "''=1"},
    {"-1.95", "-1.95"},
    {"+41 79 123 45 67", "+41 79 123 45 67"},
    {"+41791234567", "+41791234567"},
    {"'tis", "'tis"},
    {"a=1", "a=1"},
    {"", "\"\""},
};

START_TEST(a_spreadsheet_runs_no_cell)
    {
        char expected[64];
        const char *cell = guarded[_i].csv;

        snprintf(expected, sizeof(expected), "v\n%s\n", cell);
        list_one(OUT_CSV, OUT_TEXT, guarded[_i].text);
        page_is(expected);
    }
END_TEST

START_TEST(what_was_guarded_comes_back_unchanged)
    {
        struct ent_slice text = ent_slice_str(guarded[_i].text);
        struct ent_buf buf = {0};

        out_guard(&buf, guarded[_i].text);
        ck_assert(ent_slice_equal(out_unguard(ent_buf_slice(&buf)), text));
        ent_buf_fini(&buf);
    }
END_TEST

START_TEST(a_carriage_return_hides_nothing_in_csv)
    {
        list_one(OUT_CSV, OUT_TEXT, "a\r=1\x1b[2J");
        page_is("v\na\\x0d=1\\x1b[2J\n");
    }
END_TEST

START_TEST(a_table_shows_what_would_move_the_cursor)
    {
        list_one(OUT_TABLE, OUT_TEXT,
                 "\x1b]52;c;x\x07 \xc2\x9b a\nforged \xff");
        page_is("Value\n\\x1b]52;c;x\\x07 \\x9b a\\x0aforged \\xff\n");
        list_one(OUT_TABLE, OUT_TEXT, "a\xe2\x80\xae\xe2\x81\xa6z");
        page_is("Value\naU+202EU+2066z\n");
    }
END_TEST

/* A value's further lines are set in, so that none looks like a field. */
START_TEST(a_line_of_a_value_never_looks_like_a_field)
    {
        struct out *out = page_open(OUT_TABLE);

        out_object_begin(out);
        out_field(out, "notes", "notes", "one\nkey  forged");
        out_field(out, "key", "key", "true");
        out_field(out, "none", "none", NULL);
        out_object_end(out);
        page_is("notes  one\n       key  forged\nkey    true\n");
    }
END_TEST

static const struct {
    const char *text;
    size_t width;
    const char *wrapped;
} wraps[] = {
    {"", 5, ""},
    {"short", 5, "short"},
    {"Point focal BDI 01", 10, "Point\nfocal BDI\n01"},
    {"Point focal", 11, "Point focal"},
    {"appui.bdi@example.org", 10, "appui.bdi@\nexample.or\ng"},
    {"Évaluée à Genève", 9, "Évaluée à\nGenève"},
    {"e\xcc\x81te\xcc\x81 e\xcc\x81te\xcc\x81", 3,
     "e\xcc\x81te\xcc\x81\ne\xcc\x81te\xcc\x81"},
    {"مُحَمَّد بن", 4, "مُحَمَّد\nبن"},
    {"日本語", 4, "日本\n語"},
    {"日本語", 1, "日\n本\n語"},
    {"\xff\xfe", 1, "\xff\n\xfe"},
};

START_TEST(a_line_ends_between_words_where_it_can)
    {
        struct ent_buf buf = {0};

        out_wrap(&buf, wraps[_i].text, wraps[_i].width);
        ck_assert_str_eq(ent_buf_cstr(&buf), wraps[_i].wrapped);
        ent_buf_fini(&buf);
    }
END_TEST

START_TEST(a_width_is_what_a_terminal_shows)
    {
        size_t word;

        ck_assert_uint_eq(out_width("Évaluée à Genève", &word), 16);
        ck_assert_uint_eq(word, 7);
        ck_assert_uint_eq(out_width("e\xcc\x81te\xcc\x81", NULL), 3);
        ck_assert_uint_eq(out_width("مُحَمَّد", NULL), 4);
        ck_assert_uint_eq(out_width("", &word), 0);
        ck_assert_uint_eq(word, 0);
    }
END_TEST

/* A terminal of so many columns; the other end of it. */
static int terminal_open(int columns)
{
    const struct winsize size = {.ws_row = 24,
                                 .ws_col = (unsigned short)columns};
    struct termios plain;
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    page.file = fopen(ptsname(master), "r+");
    ck_assert_ptr_nonnull(page.file);
    ck_assert_int_eq(tcgetattr(fileno(page.file), &plain), 0);
    plain.c_oflag &= ~(tcflag_t)OPOST; /* a line ends as it is written */
    ck_assert_int_eq(tcsetattr(fileno(page.file), TCSANOW, &plain), 0);
    ck_assert_int_eq(ioctl(fileno(page.file), TIOCSWINSZ, &size), 0);
    page.out = out_new(page.file, OUT_TABLE);
    return master;
}

static void terminal_shows(int master, const char *expected)
{
    char text[4096];
    size_t len = 0;
    ssize_t n;

    ck_assert(out_free(page.out));
    /* What was written may come in parts. */
    while (len < strlen(expected) &&
           (n = read(master, text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    ck_assert_str_eq(text, expected);
    fclose(page.file);
    close(master);
}

static void list_contact(struct out *out)
{
    out_list_begin(out);
    out_column(out, "code", "Code", OUT_TEXT);
    out_column(out, "name", "Nom", OUT_TEXT);
    out_column(out, "note", "Note", OUT_TEXT);
    out_column(out, "mail", "Courriel", OUT_TEXT);
    out_row(out);
    out_cell(out, "ctc-pf-bdi-01");
    out_cell(out, "Béatrice Niyonzima du Burundi");
    out_cell(out, NULL);
    out_cell(out, "bea@example.org");
    out_list_end(out);
}

/* What is empty goes first, then the widest gives way, between words; a name
 * that a person would type is never broken. */
START_TEST(a_table_fits_its_terminal)
    {
        int master = terminal_open(80);

        list_contact(page.out);
        terminal_shows(master,
                       "Code           Nom                            Note  "
                       "Courriel\n"
                       "ctc-pf-bdi-01  Béatrice Niyonzima du Burundi        "
                       "bea@example.org\n");
        master = terminal_open(50);
        list_contact(page.out);
        terminal_shows(master, "Code           Nom                 Courriel\n"
                               "ctc-pf-bdi-01  Béatrice Niyonzima  "
                               "bea@example.org\n"
                               "               du Burundi          \n");
        master = terminal_open(37);
        list_contact(page.out);
        terminal_shows(master, "Code           Nom         Courriel\n"
                               "ctc-pf-bdi-01  Béatrice    bea@exampl\n"
                               "               Niyonzima   e.org\n"
                               "               du Burundi  \n");
    }
END_TEST

START_TEST(a_long_cell_is_whole_where_there_is_no_terminal)
    {
        char text[1001];

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        list_one(OUT_TABLE, OUT_TEXT, text);
        ck_assert(out_free(page.out));
        fclose(page.file);
        ck_assert_uint_eq(page.len, strlen("Value\n") + 1001);
        free(page.text);
    }
END_TEST

START_TEST(people_read_french_days_and_programs_do_not)
    {
        static const struct {
            const char *text;
            const char *shown;
        } days[] = {{"2018-07-19", "19/07/2018"},
                    {"2018-07", "07/2018"},
                    {"2018", "2018"},
                    {"2026-11-22T17:51:30Z", "22/11/2026 17:51"},
                    {"2018-07-1x", "2018-07-1x"},
                    {"2018-07-19T", "2018-07-19T"}};

        for (size_t i = 0; i < 2 * ENT_ARRAY_LEN(days); i++) {
            const bool people = i % 2 == 0;
            struct out *out = page_open(people ? OUT_MARKDOWN : OUT_TSV);
            char line[64];

            out_speak_french(out);
            out_list_begin(out);
            out_column(out, "v", "V", OUT_DATE);
            out_row(out);
            out_cell(out, days[i / 2].text);
            out_list_end(out);
            if (people)
                snprintf(line, sizeof(line), "| V |\n|---|\n| %s |\n",
                         days[i / 2].shown);
            else
                snprintf(line, sizeof(line), "v\n%s\n", days[i / 2].text);
            page_is(line);
        }
    }
END_TEST

START_TEST(markdown_cells_end_where_they_should)
    {
        list_one(OUT_MARKDOWN, OUT_TEXT, "a|b\\|c\n<b>[x](y)\x1b");
        page_is("| Value |\n|---|\n"
                "| a\\|b\\\\\\|c<br>\\<b\\>\\[x\\](y)\\\\x1b |\n");
    }
END_TEST

START_TEST(a_tab_stays_within_its_tsv_cell)
    {
        struct out *out = page_open(OUT_TSV);

        out_list_begin(out);
        out_column(out, "a", "A", OUT_TEXT);
        out_column(out, "b", "B", OUT_LIST);
        out_row(out);
        out_cell(out, "x\ty");
        out_cell(out, "[\"p\",\"q\"]");
        out_list_end(out);
        page_is("a\tb\n\"x\ty\"\tp|q\n");
    }
END_TEST

START_TEST(remarks_are_for_people_and_stay_on_their_line)
    {
        struct out *out = page_open(OUT_TABLE);

        out_remark(out, "as of %s", "today\x1b[1m\nx");
        page_is("as of today\\x1b[1m\\x0ax\n");
        out = page_open(OUT_JSON);
        out_remark(out, "as of %s", "today");
        page_is("");
    }
END_TEST

START_TEST(a_text_for_stderr_is_harmless)
    {
        struct ent_buf buf = {0};

        out_show(&buf, "né \x1b[2J\xe2\x80\xae");
        ck_assert_str_eq(ent_buf_cstr(&buf), "né \\x1b[2JU+202E");
        ent_buf_fini(&buf);
    }
END_TEST

START_TEST(a_full_disk_is_noticed)
    {
        FILE *file = fopen("/dev/full", "w");
        struct out *out;

        ck_assert_ptr_nonnull(file);
        out = out_new(file, OUT_JSON);
        out_list_begin(out);
        out_column(out, "v", "Value", OUT_TEXT);
        out_list_end(out);
        ck_assert(!out_free(out));
        fclose(file);
    }
END_TEST

/* libsmartcols loops for ever over what its locale cannot read. */
START_TEST(a_table_ends_in_any_locale)
    {
        setlocale(LC_CTYPE, "C");
        list_one(OUT_TABLE, OUT_TEXT, "é");
        page_lacks("\x1b");
    }
END_TEST

START_TEST(no_format_lets_a_terminal_escape_through)
    {
        for (int format = OUT_TABLE; format <= OUT_MARKDOWN; format++) {
            list_one((enum out_format)format, OUT_TEXT, "x\x1b[0m");
            page_lacks("\x1b");
        }
    }
END_TEST

int main(void)
{
    Suite *suite = suite_create("out");
    TCase *tcase = tcase_create("out");
    SRunner *runner = srunner_create(suite);
    int failed;

    setlocale(LC_CTYPE, "C.UTF-8");
    tcase_add_loop_test(tcase, a_cell_is_valid_json_whatever_it_holds, 0,
                        ENT_ARRAY_LEN(cells));
    tcase_add_test(tcase, keys_keep_their_case_and_rows_their_order);
    tcase_add_test(tcase, an_empty_list_is_a_list);
    tcase_add_test(tcase, an_object_holds_lists_of_objects);
    tcase_add_loop_test(tcase, a_spreadsheet_runs_no_cell, 0,
                        ENT_ARRAY_LEN(guarded));
    tcase_add_loop_test(tcase, what_was_guarded_comes_back_unchanged, 0,
                        ENT_ARRAY_LEN(guarded));
    tcase_add_test(tcase, a_carriage_return_hides_nothing_in_csv);
    tcase_add_test(tcase, a_table_shows_what_would_move_the_cursor);
    tcase_add_test(tcase, a_line_of_a_value_never_looks_like_a_field);
    tcase_add_loop_test(tcase, a_line_ends_between_words_where_it_can, 0,
                        ENT_ARRAY_LEN(wraps));
    tcase_add_test(tcase, a_table_fits_its_terminal);
    tcase_add_test(tcase, a_width_is_what_a_terminal_shows);
    tcase_add_test(tcase, a_long_cell_is_whole_where_there_is_no_terminal);
    tcase_add_test(tcase, people_read_french_days_and_programs_do_not);
    tcase_add_test(tcase, markdown_cells_end_where_they_should);
    tcase_add_test(tcase, a_tab_stays_within_its_tsv_cell);
    tcase_add_test(tcase, remarks_are_for_people_and_stay_on_their_line);
    tcase_add_test(tcase, a_text_for_stderr_is_harmless);
    tcase_add_test(tcase, a_full_disk_is_noticed);
    tcase_add_test(tcase, a_table_ends_in_any_locale);
    tcase_add_test(tcase, no_format_lets_a_terminal_escape_through);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
