/* test_csv.c - tables of all sorts of programs and hands, read and written. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config.h"
#include "text/csv.h"

static int fd = -1;
static char path[64];
static struct ent_csv *csv;
static struct ent_err err;
static const struct ent_slice *cells;

static void teardown(void)
{
    ent_csv_close(csv);
    csv = NULL;
    close(fd);
}

/* A file in memory, to be filled piece by piece. */
static void make(void)
{
    fd = memfd_create("csv", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
}

static void fill(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        ck_assert_int_gt(n, 0);
        text += n;
        len -= (size_t)n;
    }
}

static int try_open(const char *text, size_t len)
{
    make();
    fill(text, len);
    return ent_csv_open(path, &csv, &err);
}

#define OPEN(bytes)                                                            \
    ck_assert_msg(try_open((bytes), sizeof(bytes) - 1) == 0, "%s", err.text)

#define REFUSE(bytes)                                                          \
    ck_assert_int_eq(try_open((bytes), sizeof(bytes) - 1), ENT_EREFUSED)

#define ck_assert_says(part)                                                   \
    ck_assert_msg(strstr(err.text, (part)) != NULL, "%s", err.text)

static void cell_is(size_t column, const char *text)
{
    ck_assert_uint_eq(cells[column].len, strlen(text));
    ck_assert_mem_eq(cells[column].at, text, strlen(text));
}

static void next_is(size_t line, const char *first, const char *second)
{
    ck_assert_msg(ent_csv_next(csv, &cells, &err) == 1, "%s", err.text);
    ck_assert_uint_eq(ent_csv_line(csv), line);
    cell_is(0, first);
    cell_is(1, second);
}

static void next_is_refused(const char *part)
{
    ck_assert_int_eq(ent_csv_next(csv, &cells, &err), ENT_EREFUSED);
    ck_assert_says(part);
}

static void end_is_here(void)
{
    ck_assert_int_eq(ent_csv_next(csv, &cells, &err), 0);
    ck_assert_int_eq(ent_csv_next(csv, &cells, &err), 0);
    ck_assert(!ent_csv_broken(csv));
}

START_TEST(rows_follow_the_heading)
{
    OPEN("id,name\norg-1,IRC\norg-2,\n");
    ck_assert_uint_eq(ent_csv_columns(csv), 2);
    ck_assert_str_eq(ent_csv_heading(csv, 0), "id");
    ck_assert_str_eq(ent_csv_heading(csv, 1), "name");
    next_is(2, "org-1", "IRC");
    next_is(3, "org-2", "");
    end_is_here();
}
END_TEST

/* A French office saves with semicolons, a clipboard gives tabs. */
START_TEST(the_separator_is_found_from_the_first_line)
{
    OPEN("id;nom\na;b,c\n");
    next_is(2, "a", "b,c");
    teardown();
    OPEN("id\tname\n a\tb;c\n");
    next_is(2, " a", "b;c");
    teardown();
    OPEN("\"id;;;\",name\na,b\n");
    ck_assert_str_eq(ent_csv_heading(csv, 0), "id;;;");
    next_is(2, "a", "b");
}
END_TEST

/* Excel writes such a line, and takes it for none of the table. */
START_TEST(a_first_line_may_name_the_separator)
{
    OPEN("sep=;\r\ncode;name\r\nbdi-1;Cours, 1\r\n");
    ck_assert_int_eq(ent_csv_separator(csv), ';');
    ck_assert_str_eq(ent_csv_heading(csv, 1), "name");
    ck_assert_int_eq(ent_csv_next(csv, &cells, &err), 1);
    ck_assert_uint_eq(ent_csv_line(csv), 3);
    cell_is(1, "Cours, 1");
    teardown();
    OPEN("\xef\xbb\xbfsep=\t\ncode\tname\nbdi-1\t;;\n");
    ck_assert_int_eq(ent_csv_separator(csv), '\t');
    ck_assert_int_eq(ent_csv_next(csv, &cells, &err), 1);
    cell_is(1, ";;");
    teardown();
    REFUSE("sep=;\n");
    ck_assert_says("is empty");
}
END_TEST

START_TEST(a_byte_order_mark_is_skipped)
{
    OPEN("\xef\xbb\xbfid,name\na,b\n");
    ck_assert_str_eq(ent_csv_heading(csv, 0), "id");
    next_is(2, "a", "b");
}
END_TEST

START_TEST(utf_16_is_named_as_what_it_is)
{
    REFUSE("\xff\xfei\0d\0,\0n\0\n\0");
    ck_assert_says("UTF-16");
}
END_TEST

START_TEST(quotes_hold_separators_quotes_and_line_breaks)
{
    OPEN("id,text\n\"a\",\"one, \"\"two\"\"\nthree\"\nb,c\n\"\",\"\n\"\n");
    next_is(2, "a", "one, \"two\"\nthree");
    next_is(4, "b", "c");
    next_is(5, "", "\n");
    end_is_here();
}
END_TEST

START_TEST(all_line_ends_are_understood_and_counted_once)
{
    OPEN("id,name\r\na,\"b\r\nc\"\r\nd,e\r\n");
    next_is(2, "a", "b\r\nc");
    next_is(4, "d", "e");
    end_is_here();
    teardown();
    OPEN("id,name\ra,b\rc,d");
    next_is(2, "a", "b");
    next_is(3, "c", "d");
    end_is_here();
}
END_TEST

START_TEST(a_last_line_without_an_end_is_a_row)
{
    OPEN("id,name\na,b");
    next_is(2, "a", "b");
    end_is_here();
    teardown();
    OPEN("id,name\na,\"b\"");
    next_is(2, "a", "b");
    end_is_here();
    teardown();
    OPEN("id,name\na,");
    next_is(2, "a", "");
    end_is_here();
}
END_TEST

START_TEST(blank_lines_are_no_rows)
{
    OPEN("\n\nid,name\n\n\r\na,b\n\n\nc,d\n\n");
    next_is(6, "a", "b");
    next_is(9, "c", "d");
    end_is_here();
}
END_TEST

/* With or without its row of tags: the data are the same. */
START_TEST(the_row_of_hxl_tags_is_skipped)
{
    OPEN("id,name\n#org+code,#org+name\na,b\n#org,\nc,d\n");
    next_is(3, "a", "b");
    next_is(5, "c", "d");
    end_is_here();
}
END_TEST

START_TEST(a_hash_far_down_is_data)
{
    make();
    fill("id,name\n", 8);
    for (int i = 0; i < ENT_CSV_HXL_ROWS; i++)
        fill("a,b\n", 4);
    fill("#c,d\n", 5);
    ck_assert_int_eq(ent_csv_open(path, &csv, &err), 0);
    for (int i = 0; i < ENT_CSV_HXL_ROWS; i++)
        ck_assert_int_eq(ent_csv_next(csv, &cells, &err), 1);
    next_is(ENT_CSV_HXL_ROWS + 2, "#c", "d");
}
END_TEST

START_TEST(a_wrong_number_of_cells_names_the_line_and_reading_goes_on)
{
    OPEN("id,name\na\nb,c,d\ne,f\n");
    next_is_refused(":2: 1 cells");
    next_is_refused(":3: 3 cells");
    ck_assert(!ent_csv_broken(csv));
    next_is(4, "e", "f");
    end_is_here();
}
END_TEST

START_TEST(a_stray_quote_names_the_line_and_reading_goes_on)
{
    OPEN("id,name\na,b\"c\nd,\"e\"f\ng,\"h\" \ni,j\n");
    next_is_refused(":2: a stray");
    next_is_refused(":3: a stray");
    next_is_refused(":4: a stray");
    next_is(5, "i", "j");
    end_is_here();
}
END_TEST

START_TEST(an_open_quote_is_told_at_the_end_with_its_line)
{
    OPEN("id,name\na,b\nc,\"d\ne,f\n");
    next_is(2, "a", "b");
    next_is_refused(":3: ");
    ck_assert_says("open");
    end_is_here();
}
END_TEST

START_TEST(a_cell_over_its_limit_is_refused_and_reading_goes_on)
{
    char *cell = malloc(ENT_CSV_CELL_BYTES_MAX + 1);

    ck_assert_ptr_nonnull(cell);
    memset(cell, 'x', ENT_CSV_CELL_BYTES_MAX + 1);
    make();
    fill("id,name\na,", 10);
    fill(cell, ENT_CSV_CELL_BYTES_MAX);
    fill("\nb,", 3);
    fill(cell, ENT_CSV_CELL_BYTES_MAX + 1);
    fill("\nc,d\n", 5);
    ck_assert_int_eq(ent_csv_open(path, &csv, &err), 0);
    ck_assert_int_eq(ent_csv_next(csv, &cells, &err), 1);
    ck_assert_uint_eq(cells[1].len, ENT_CSV_CELL_BYTES_MAX);
    next_is_refused(":3: cell 2");
    next_is(4, "c", "d");
    free(cell);
}
END_TEST

static long memory_kib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* 20 MiB in one cell, line breaks within, must not be 20 MiB in memory. */
START_TEST(a_huge_cell_is_refused_without_being_held)
{
    static char block[1 << 16];
    long before;

    memset(block, 'x', sizeof(block));
    block[100] = '\n';
    make();
    fill("id,name\na,\"", 11);
    for (int i = 0; i < 320; i++)
        fill(block, sizeof(block));
    fill("\"\nb,c\n", 6);
    ck_assert_int_eq(ent_csv_open(path, &csv, &err), 0);
    before = memory_kib();
    next_is_refused(":2: ");
    ck_assert_int_lt(memory_kib() - before, 12 << 10);
    next_is(323, "b", "c");
    end_is_here();
}
END_TEST

START_TEST(a_heading_must_be_whole)
{
    REFUSE("");
    ck_assert_says("empty");
    teardown();
    REFUSE("\n\n");
    ck_assert_says("empty");
    teardown();
    REFUSE("id,,name\n");
    ck_assert_says(":1: column 2");
    teardown();
    REFUSE("id,name, id\n");
    ck_assert_says(":1: two columns");
    teardown();
    REFUSE("id,na\xffme\n");
    ck_assert_says(":1: ");
    teardown();
    REFUSE("id,na\"me\n");
    ck_assert_says(":1: ");
}
END_TEST

START_TEST(columns_are_limited)
{
    make();
    for (int i = 0; i <= ENT_CSV_COLUMNS_MAX; i++) {
        char name[16];
        int n = snprintf(name, sizeof(name), "c%d,", i);

        fill(name, (size_t)n - (i == ENT_CSV_COLUMNS_MAX));
    }
    ck_assert_int_eq(ent_csv_open(path, &csv, &err), ENT_EREFUSED);
    ck_assert_says("256");
}
END_TEST

/* A row of many cells is counted, not kept. */
START_TEST(a_row_of_many_cells_is_refused)
{
    static char row[100000];

    memset(row, ',', sizeof(row));
    make();
    fill("id,name\n", 8);
    fill(row, sizeof(row));
    fill("\na,b\n", 5);
    ck_assert_int_eq(ent_csv_open(path, &csv, &err), 0);
    next_is_refused(":2: 100001 cells");
    next_is(3, "a", "b");
}
END_TEST

START_TEST(a_missing_file_and_a_directory_are_told_apart)
{
    ck_assert_int_eq(ent_csv_open("/nonexistent.csv", &csv, &err),
                     ENT_ENOTFOUND);
    ck_assert_int_eq(ent_csv_open("/tmp", &csv, &err), ENT_EREFUSED);
    ck_assert_says("/tmp");
}
END_TEST

static void put_is(char separator, bool first, const char *cell,
                   const char *text)
{
    struct ent_buf buf = {0};

    ent_csv_put(&buf, separator, first, ent_slice_str(cell));
    ck_assert_str_eq(ent_buf_cstr(&buf), text);
    ent_buf_fini(&buf);
}

START_TEST(cells_are_quoted_when_they_must_be)
{
    put_is(',', true, "a", "a");
    put_is(',', false, "a", ",a");
    put_is(',', false, "", ",");
    put_is(',', true, "", "\"\"");
    put_is(',', true, "a,b", "\"a,b\"");
    put_is(';', true, "a,b", "a,b");
    put_is('\t', false, "a;b", "\ta;b");
    put_is(',', true, "a\"b", "\"a\"\"b\"");
    put_is(',', true, "a\nb", "\"a\nb\"");
    put_is(',', true, "a\rb", "\"a\rb\"");
    put_is(',', true, " a", "\" a\"");
    put_is(',', true, "+44 7700 900001", "+44 7700 900001");
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
    static const char *const texts[] = {"",     "a",      "a,b",  "a;b",
                                        "a\tb", "\"",     "\"\"", " a ",
                                        "\r\n", "a\"\nb", "#",    "\xc3\xa9"};
    static const char separators[] = ",;\t";
    struct ent_buf buf = {0};

    for (size_t s = 0; s < 3; s++) {
        for (size_t i = 0; i < ENT_ARRAY_LEN(texts); i++) {
            const char *first = texts[i][0] == '#' ? "x" : texts[i];

            ent_buf_reset(&buf);
            ent_csv_put(&buf, separators[s], true, ent_slice_str("id"));
            ent_csv_put(&buf, separators[s], false, ent_slice_str("name"));
            ent_buf_put_u8(&buf, '\n');
            ent_csv_put(&buf, separators[s], true, ent_slice_str(first));
            ent_csv_put(&buf, separators[s], false, ent_slice_str(texts[i]));
            ent_buf_put_u8(&buf, '\n');
            ck_assert_int_eq(try_open((const char *)buf.at, buf.len), 0);
            next_is(2, first, texts[i]);
            end_is_here();
            teardown();
        }
    }
    ent_buf_fini(&buf);
    fd = -1;
}
END_TEST

/* The rows of the demonstration data, without their headings and tags. */
START_TEST(the_demonstration_data_are_read_to_the_last_row)
{
    static const struct {
        const char *name;
        size_t rows;
    } files[] = {
        {"vocabulary", 240},  {"participations", 130}, {"contacts", 107},
        {"memberships", 101}, {"organisations", 90},   {"facts", 75},
        {"trainers", 65},     {"activities", 63},      {"sessions", 53},
        {"trainings", 44},    {"challenges", 40},      {"groups", 40},
        {"lessons", 34},      {"survey_results", 32},  {"milestones", 28},
        {"countries", 27},    {"support_links", 26},   {"places", 22},
        {"requests", 20},     {"plans", 10},           {"messages", 10},
    };

    for (size_t i = 0; i < ENT_ARRAY_LEN(files); i++) {
        char name[256];
        size_t rows = 0;

        snprintf(name, sizeof(name), "%s/configs/demo/data/%s.csv",
                 ENT_SOURCE_DIR, files[i].name);
        ck_assert_int_eq(ent_csv_open(name, &csv, &err), 0);
        while (ent_csv_next(csv, &cells, &err) == 1)
            rows++;
        ck_assert_uint_eq(rows, files[i].rows);
        ent_csv_close(csv);
        csv = NULL;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv");
    TCase *tc = tcase_create("csv");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, NULL, teardown);
    tcase_add_test(tc, rows_follow_the_heading);
    tcase_add_test(tc, the_separator_is_found_from_the_first_line);
    tcase_add_test(tc, a_first_line_may_name_the_separator);
    tcase_add_test(tc, a_byte_order_mark_is_skipped);
    tcase_add_test(tc, utf_16_is_named_as_what_it_is);
    tcase_add_test(tc, quotes_hold_separators_quotes_and_line_breaks);
    tcase_add_test(tc, all_line_ends_are_understood_and_counted_once);
    tcase_add_test(tc, a_last_line_without_an_end_is_a_row);
    tcase_add_test(tc, blank_lines_are_no_rows);
    tcase_add_test(tc, the_row_of_hxl_tags_is_skipped);
    tcase_add_test(tc, a_hash_far_down_is_data);
    tcase_add_test(tc,
                   a_wrong_number_of_cells_names_the_line_and_reading_goes_on);
    tcase_add_test(tc, a_stray_quote_names_the_line_and_reading_goes_on);
    tcase_add_test(tc, an_open_quote_is_told_at_the_end_with_its_line);
    tcase_add_test(tc, a_cell_over_its_limit_is_refused_and_reading_goes_on);
    tcase_add_test(tc, a_huge_cell_is_refused_without_being_held);
    tcase_add_test(tc, a_heading_must_be_whole);
    tcase_add_test(tc, columns_are_limited);
    tcase_add_test(tc, a_row_of_many_cells_is_refused);
    tcase_add_test(tc, a_missing_file_and_a_directory_are_told_apart);
    tcase_add_test(tc, cells_are_quoted_when_they_must_be);
    tcase_add_test(tc, what_is_written_is_read_back);
    tcase_add_test(tc, the_demonstration_data_are_read_to_the_last_row);
    suite_add_tcase(suite, tc);

    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
