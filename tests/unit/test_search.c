/* test_search.c - the word index: what is found, what is not, and that it
 * follows the log. */
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"
#include "store/records.h"

#define FOUND_MAX 16

static struct ent_record_ref found[FOUND_MAX];
static size_t found_count;

static const struct ent_kind *trainer(void)
{
    return ent_kind_named(&kinds, "trainer");
}

static struct ent_id id_of(uint32_t number)
{
    struct ent_id id = {{0}};

    memcpy(id.b, &number, sizeof(number));
    return id;
}

static const struct ent_field *field_of(const char *name)
{
    const struct ent_field *field = ent_field_named(trainer(), name);

    ck_assert_ptr_nonnull(field);
    return field;
}

static void put(struct ent_writer *writer, uint32_t number, const char *field,
                const char *text)
{
    struct ent_edit_op op = {.code = field_of(field)->rule == ENT_RULE_SET
                                         ? ENT_OP_ADD
                                         : ENT_OP_WRITE,
                             .field = field_of(field)->number,
                             .value = ent_value_text(ent_slice_str(text))};
    struct ent_edit edit = {.kind = trainer()->number,
                            .id = id_of(number),
                            .ops = &op,
                            .op_count = 1};
    enum ent_written written;

    ck_ok(ent_writer_put(writer, &edit, true, &written, &err));
}

static void set(uint32_t number, const char *field, const char *text)
{
    struct ent_writer *writer;

    ck_ok(ent_writer_open(store, space, NOW_MS, &writer, &err));
    put(writer, number, field, text);
    ck_ok(ent_writer_commit(writer, &err));
}

static void life(uint32_t number, enum ent_edit_life what)
{
    struct ent_edit edit = {
        .kind = trainer()->number, .id = id_of(number), .life = what};
    struct ent_writer *writer;
    enum ent_written written;

    ck_ok(ent_writer_open(store, space, NOW_MS, &writer, &err));
    ck_ok(ent_writer_put(writer, &edit, true, &written, &err));
    ck_ok(ent_writer_commit(writer, &err));
}

static size_t search(const char *words)
{
    ck_ok(ent_search(store, words, found, FOUND_MAX, &found_count, &err));
    return found_count;
}

/* What SQLite itself says of the file. */
static int64_t ask(const char *sql)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *stmt;
    int64_t value;

    snprintf(path, sizeof(path), "%s/replica.db", dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

START_TEST(a_word_is_found_without_its_accents_and_case)
{
    set(1, "display_name", "Bénédicte NDAYIZEYE");
    set(2, "display_name", "Olivier");

    ck_assert_uint_eq(search("benedicte"), 1);
    ck_assert_int_eq(memcmp(&found[0].id, &(struct ent_id){{1}}, 16), 0);
    ck_assert_uint_eq(found[0].kind, trainer()->number);
    ck_assert_int_eq(found[0].space, space);
    ck_assert_uint_eq(search("BÉNÉDICTE ndayizeye"), 1);
}
END_TEST

START_TEST(all_words_are_needed_and_the_last_may_be_a_beginning)
{
    set(1, "display_name", "Marie Claire");
    set(2, "display_name", "Marie Chantal");

    ck_assert_uint_eq(search("marie"), 2);
    ck_assert_uint_eq(search("marie cl"), 1);
    ck_assert_uint_eq(search("mar claire"), 0);
    ck_assert_uint_eq(search("claire olivier"), 0);
}
END_TEST

START_TEST(the_newest_is_found_first_and_no_more_than_asked)
{
    size_t count;

    set(1, "display_name", "Marie");
    set(2, "display_name", "Marie");
    ck_assert_uint_eq(search("marie"), 2);
    set(1, "cohort", "tot-2017");

    ck_assert_uint_eq(search("marie"), 2);
    ck_assert_uint_eq(found[0].id.b[0], 1);
    ck_ok(ent_search(store, "marie", found, 1, &count, &err));
    ck_assert_uint_eq(count, 1);
    ck_ok(ent_search(store, "marie", found, 0, &count, &err));
    ck_assert_uint_eq(count, 0);
}
END_TEST

/* A code is one word to a person and several to the index. */
START_TEST(a_code_with_hyphens_is_found_by_all_its_parts)
{
    set(1, "code", "ctc-pf-bdi-01");
    set(2, "code", "ctc-pf-bdi-02");

    ck_assert_uint_eq(search("ctc-pf-bdi-01"), 1);
    ck_assert_uint_eq(search("ctc-pf-bdi"), 2);
    ck_assert_uint_eq(search("pf"), 2);
}
END_TEST

/* The words are a person's: nothing in them may act. */
START_TEST(operators_and_quotes_are_only_words)
{
    set(1, "display_name", "Marie AND Claire");

    ck_assert_uint_eq(search("marie OR olivier"), 0);
    ck_assert_uint_eq(search("NOT marie"), 0);
    ck_assert_uint_eq(search("marie AND claire"), 1);
    ck_assert_uint_eq(search("\"marie\" *"), 1);
    ck_assert_uint_eq(search("words:marie"), 0);
    ck_assert_uint_eq(search("mar* claire)"), 0);
    ck_assert_uint_eq(search("^marie"), 1);
    ck_assert_uint_eq(search("'; DROP TABLE search; --"), 0);
}
END_TEST

START_TEST(no_word_finds_nothing)
{
    set(1, "display_name", "Marie");

    ck_assert_uint_eq(search(""), 0);
    ck_assert_uint_eq(search("   "), 0);
    ck_assert_uint_eq(search("- ! \""), 0);
    ck_assert_uint_eq(search("\xff\xfe"), 0);
}
END_TEST

START_TEST(too_many_words_are_refused)
{
    char words[400] = "";

    for (int i = 0; i < 100; i++)
        strcat(words, "ab ");
    ck_assert_int_eq(
        ent_search(store, words, found, FOUND_MAX, &found_count, &err),
        ENT_EREFUSED);
}
END_TEST

START_TEST(a_changed_record_is_found_by_its_new_words_only)
{
    set(1, "display_name", "Marie");
    ck_assert_uint_eq(search("marie"), 1);
    set(1, "display_name", "Claire");

    ck_assert_uint_eq(search("marie"), 0);
    ck_assert_uint_eq(search("claire"), 1);
}
END_TEST

START_TEST(a_deleted_record_is_not_found_until_it_comes_back)
{
    set(1, "display_name", "Marie");
    ck_assert_uint_eq(search("marie"), 1);
    life(1, ENT_EDIT_DELETE);
    ck_assert_uint_eq(search("marie"), 0);
    life(1, ENT_EDIT_UNDELETE);
    ck_assert_uint_eq(search("marie"), 1);
}
END_TEST

START_TEST(elements_of_sets_are_words)
{
    set(1, "languages", "français");
    set(1, "languages", "kirundi");

    ck_assert_uint_eq(search("francais kirundi"), 1);
}
END_TEST

/* More than one transaction of the index takes. */
START_TEST(a_bulk_load_is_indexed_to_its_end)
{
    struct ent_writer *writer;
    char name[32];

    ck_ok(ent_writer_open(store, space, NOW_MS, &writer, &err));
    for (uint32_t i = 1; i <= 5000; i++) {
        snprintf(name, sizeof(name), "nom%u", i);
        put(writer, i, "display_name", name);
    }
    ck_ok(ent_writer_commit(writer, &err));

    ck_ok(ent_search_catch_up(store, &err));
    ck_assert_int_eq(ask("SELECT count(*) FROM search_doc"), 5000);
    ck_assert_uint_eq(search("nom5000"), 1);
    ck_assert_uint_eq(search("nom1"), FOUND_MAX);
}
END_TEST

/* A search must not wait for a writer when it has nothing to write. */
START_TEST(nothing_is_written_when_the_index_is_up_to_date)
{
    char path[128];
    sqlite3 *other;

    set(1, "display_name", "Marie");
    ck_ok(ent_search_catch_up(store, &err));
    snprintf(path, sizeof(path), "%s/replica.db", dir);
    ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
    ck_assert_uint_eq(search("marie"), 1);
    sqlite3_close(other);
}
END_TEST

/* Every change leaves an unreachable document: they must not pile up. */
START_TEST(an_index_full_of_old_documents_is_made_anew)
{
    char name[32];

    set(1, "display_name", "Marie");
    set(2, "display_name", "Olivier");
    for (int i = 0; i < 1100; i++) {
        snprintf(name, sizeof(name), "nom%d", i);
        set(1, "display_name", name);
        ck_ok(ent_search_catch_up(store, &err));
    }

    ck_assert_int_lt(ask("SELECT seq FROM sqlite_sequence"), 1000);
    ck_assert_int_eq(ask("SELECT count(*) FROM search_doc"), 2);
    ck_assert_uint_eq(search("nom1099"), 1);
    ck_assert_uint_eq(search("nom7"), 0);
    ck_assert_uint_eq(search("olivier"), 1);
}
END_TEST

/* A reader of the file must not wait for a writer, nor write itself. */
START_TEST(a_store_open_for_reading_searches_what_is_indexed)
{
    set(1, "display_name", "Marie");
    ck_ok(ent_search_catch_up(store, &err));
    set(2, "display_name", "Marie");
    desk_open(true, false);

    ck_assert_uint_eq(search("marie"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("search");
    TCase *tcase = tcase_create("search");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, desk_setup, desk_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_word_is_found_without_its_accents_and_case);
    tcase_add_test(tcase, all_words_are_needed_and_the_last_may_be_a_beginning);
    tcase_add_test(tcase, the_newest_is_found_first_and_no_more_than_asked);
    tcase_add_test(tcase, a_code_with_hyphens_is_found_by_all_its_parts);
    tcase_add_test(tcase, operators_and_quotes_are_only_words);
    tcase_add_test(tcase, no_word_finds_nothing);
    tcase_add_test(tcase, too_many_words_are_refused);
    tcase_add_test(tcase, a_changed_record_is_found_by_its_new_words_only);
    tcase_add_test(tcase, a_deleted_record_is_not_found_until_it_comes_back);
    tcase_add_test(tcase, elements_of_sets_are_words);
    tcase_add_test(tcase, a_bulk_load_is_indexed_to_its_end);
    tcase_add_test(tcase, nothing_is_written_when_the_index_is_up_to_date);
    tcase_add_test(tcase, an_index_full_of_old_documents_is_made_anew);
    tcase_add_test(tcase, a_store_open_for_reading_searches_what_is_indexed);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
