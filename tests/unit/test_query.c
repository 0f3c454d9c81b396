/* test_query.c - rows out of the replica: what a person's SQL may and may not
 * do, and listings. */
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"
#include "store/query.h"
#include "store/records.h"

static struct ent_query *query;

static void teardown(void)
{
    ent_query_close(query);
    query = NULL;
    desk_teardown();
}

static const struct ent_kind *training(void)
{
    return ent_kind_named(&kinds, "training");
}

static const struct ent_field *field_of(const char *name)
{
    const struct ent_field *field = ent_field_named(training(), name);

    ck_assert_ptr_nonnull(field);
    return field;
}

/* Write one field of training `number`; blind: as one who saw nothing. */
static void put(uint8_t number, const char *field, struct ent_value value,
                bool blind)
{
    static const struct ent_dot nothing;
    struct ent_edit_op op = {.code = field_of(field)->rule == ENT_RULE_SET
                                         ? ENT_OP_ADD
                                         : ENT_OP_WRITE,
                             .field = field_of(field)->number,
                             .value = value,
                             .seen = blind ? &nothing : NULL};
    struct ent_edit edit = {.kind = training()->number,
                            .id = {{number}},
                            .ops = &op,
                            .op_count = 1};
    struct ent_writer *writer;
    enum ent_written written;

    ck_ok(ent_writer_open(store, space, NOW_MS, &writer, &err));
    ck_ok(ent_writer_put(writer, &edit, true, &written, &err));
    ck_ok(ent_writer_commit(writer, &err));
}

static void set(uint8_t number, const char *field, const char *text)
{
    put(number, field, ent_value_text(ent_slice_str(text)), false);
}

static void set_int(uint8_t number, const char *field, int64_t value)
{
    put(number, field, ent_value_int(value), false);
}

static void run_sql(const char *sql)
{
    char path[128];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/replica.db", dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void ask(const char *sql)
{
    ent_query_close(query);
    query = NULL;
    ck_ok(ent_query_open(store, sql, &query, &err));
}

static const char *answer(const char *sql)
{
    ask(sql);
    ck_assert_int_eq(ent_query_next(query, &err), 1);
    return ent_query_text(query, 0);
}

static void ck_refused(const char *sql)
{
    struct ent_query *made = NULL;
    int rc = ent_query_open(store, sql, &made, &err);

    if (rc == 0) {
        rc = ent_query_next(made, &err);
        ent_query_close(made);
    }
    ck_assert_msg(rc == ENT_EUSAGE, "%d for %s", rc, sql);
}

/* The codes of what is listed, with blanks between. */
static const char *codes(const struct ent_listing *listing)
{
    static char text[256];
    int rc;

    ent_query_close(query);
    query = NULL;
    ck_ok(ent_query_list(store, listing, &query, &err));
    text[0] = '\0';
    while ((rc = ent_query_next(query, &err)) > 0) {
        strcat(text, text[0] == '\0' ? "" : " ");
        strcat(text, ent_query_text(query, 3));
    }
    ck_ok(rc);
    return text;
}

static const char *filtered(const char *field, enum ent_compare compare,
                            const char *text)
{
    const struct ent_filter filter = {
        .field = field_of(field), .compare = compare, .text = text};
    const struct ent_field *columns[] = {field_of("code")};
    struct ent_listing listing = {.kind = training(),
                                  .filters = &filter,
                                  .filter_count = 1,
                                  .columns = columns,
                                  .column_count = 1};

    return codes(&listing);
}

/* ---------------------------------------------------------- a person's SQL */

START_TEST(rows_come_with_their_names_and_types)
{
    set(1, "code", "tr-1");
    set_int(1, "participants", 24);

    ask("SELECT code, participants, 1.5 AS half, NULL AS none, "
        "x'00ff' AS b FROM trainings");
    ck_assert_uint_eq(ent_query_columns(query), 5);
    ck_assert_str_eq(ent_query_name(query, 2), "half");
    ck_assert_int_eq(ent_query_next(query, &err), 1);
    ck_assert_int_eq(ent_query_type(query, 0), ENT_COLUMN_TEXT);
    ck_assert_str_eq(ent_query_text(query, 0), "tr-1");
    ck_assert_int_eq(ent_query_type(query, 1), ENT_COLUMN_INTEGER);
    ck_assert_int_eq(ent_query_int(query, 1), 24);
    ck_assert_str_eq(ent_query_text(query, 1), "24");
    ck_assert_int_eq(ent_query_type(query, 2), ENT_COLUMN_REAL);
    ck_assert_str_eq(ent_query_text(query, 2), "1.5");
    ck_assert_int_eq(ent_query_type(query, 3), ENT_COLUMN_NULL);
    ck_assert_str_eq(ent_query_text(query, 3), "");
    ck_assert_int_eq(ent_query_type(query, 4), ENT_COLUMN_BLOB);
    ck_assert_str_eq(ent_query_text(query, 4), "00ff");
    ck_assert_int_eq(ent_query_next(query, &err), 0);
}
END_TEST

START_TEST(parameters_are_bound_never_pasted)
{
    ask("SELECT :on, :country IS NULL");
    ent_query_bind(query, ":on", "x'; DROP TABLE log; --");
    ent_query_bind(query, ":country", NULL);
    ent_query_bind(query, ":unknown", "ignored");
    ck_assert_int_eq(ent_query_next(query, &err), 1);
    ck_assert_str_eq(ent_query_text(query, 0), "x'; DROP TABLE log; --");
    ck_assert_int_eq(ent_query_int(query, 1), 1);
}
END_TEST

/* Bound as text, 4 >= '5' would hold: text is greater than any number. */
START_TEST(a_number_is_compared_as_one)
{
    ask("SELECT 4 >= :few, 5 >= :few");
    ck_assert(ent_query_takes(query, ":few"));
    ck_assert(!ent_query_takes(query, ":group"));
    ent_query_bind_int(query, ":few", 5);
    ent_query_bind_int(query, ":unknown", 1);
    ck_assert_int_eq(ent_query_next(query, &err), 1);
    ck_assert_int_eq(ent_query_int(query, 0), 0);
    ck_assert_int_eq(ent_query_int(query, 1), 1);
}
END_TEST

START_TEST(another_text_takes_the_place_of_the_first)
{
    ask("SELECT 1 UNION ALL SELECT 2");
    ck_assert_int_eq(ent_query_next(query, &err), 1);
    ck_ok(ent_query_again(query, "SELECT 3 AS three", &err));
    ck_assert_int_eq(ent_query_next(query, &err), 1);
    ck_assert_str_eq(ent_query_name(query, 0), "three");
    ck_assert_int_eq(ent_query_next(query, &err), 0);
    ck_assert_int_eq(ent_query_again(query, "DELETE FROM log", &err),
                     ENT_EUSAGE);
    ck_ok(ent_query_again(query, "SELECT 4", &err));
    ck_assert_int_eq(ent_query_next(query, &err), 1);
}
END_TEST

START_TEST(nothing_can_be_written)
{
    ck_refused("DELETE FROM trainings");
    ck_refused("UPDATE log SET verdict = 1");
    ck_refused("INSERT INTO trainings(space, id, meta) VALUES(1, x'', x'')");
    ck_refused("CREATE TABLE t(x)");
    ck_refused("CREATE TEMP TABLE t(x)");
    ck_refused("CREATE VIEW v AS SELECT 1");
    ck_refused("DROP TABLE log");
    ck_refused("UPDATE sqlite_master SET sql = ''");
    ck_refused("REINDEX");
    ck_refused("ANALYZE");
    ck_refused("VACUUM INTO '/tmp/entente-stolen.db'");
    ck_refused("INSERT INTO search(search) VALUES('delete-all')");
    ck_refused("BEGIN IMMEDIATE");
    ck_refused("SAVEPOINT s");
    ck_refused("WITH x AS (SELECT 1) DELETE FROM log");
}
END_TEST

START_TEST(no_other_file_and_no_setting_can_be_reached)
{
    ck_refused("ATTACH '/etc/passwd' AS x");
    ck_refused("ATTACH ':memory:' AS x");
    ck_refused("PRAGMA query_only = OFF");
    ck_refused("PRAGMA writable_schema = ON");
    ck_refused("PRAGMA journal_mode = DELETE");
    ck_refused("PRAGMA data_version = 1");
    ck_refused("SELECT * FROM pragma_database_list");
    ck_refused("SELECT load_extension('/tmp/x.so')");
}
END_TEST

/* Secrets of invitations are nobody's to list. */
START_TEST(secrets_cannot_be_read)
{
    run_sql("INSERT INTO local_invite(id, space, secret, role, expires)"
            " VALUES(x'01', 1, x'02', 1, 0)");

    ck_refused("SELECT * FROM local_invite");
    ck_refused("SELECT secret FROM local_invite");
    ck_refused("SELECT count(*) FROM LOCAL_INVITE");
    ck_refused("SELECT rowid FROM \"local_invite\"");
    ck_refused("SELECT (SELECT hex(secret) FROM local_invite)");
    ck_refused("WITH x(a,b,c,d,e,f) AS (TABLE local_invite) SELECT c FROM x");
    ck_refused("SELECT data FROM sqlite_dbpage");
}
END_TEST

START_TEST(one_statement_and_no_more)
{
    ck_refused("");
    ck_refused("  -- nothing\n");
    ck_refused("SELECT 1; SELECT 2");
    ck_refused("SELECT 1; DELETE FROM log");
    ck_refused("SELECT 1; nonsense");
    ck_assert_str_eq(answer("SELECT 1 ; -- the end\n ;"), "1");
}
END_TEST

START_TEST(what_is_wrong_with_a_text_is_said_in_sqlites_words)
{
    ck_refused("SELEKT 1");
    ck_assert_ptr_nonnull(strstr(err.text, "SELEKT"));
    ck_refused("SELECT nought FROM trainings");
    ck_assert_ptr_nonnull(strstr(err.text, "no such column: nought"));
    ck_refused("SELECT \"nought\"");
    ck_refused("SELECT json_extract('{', '$')");
    ck_refused("SELECT length(zeroblob(100000000))");
}
END_TEST

START_TEST(the_word_index_and_json_can_be_asked)
{
    set(1, "code", "tr-1");
    ck_ok(ent_search_catch_up(store, &err));

    ck_assert_str_eq(answer("SELECT count(*) FROM search"
                            " WHERE search MATCH 'tr'"),
                     "1");
    ck_assert_str_eq(answer("SELECT group_concat(value, '+')"
                            " FROM json_each('[\"a\",\"b\"]')"),
                     "a+b");
    ck_assert_str_eq(answer("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL"
                            " SELECT x + 1 FROM c WHERE x < 5)"
                            " SELECT sum(x) FROM c"),
                     "15");
    ck_assert_str_eq(answer("SELECT ent_fold('L’Été')"), "l'ete");
    ck_assert_str_eq(answer("SELECT ent_uuid(id) FROM trainings"),
                     "01000000-0000-0000-0000-000000000000");
}
END_TEST

/* Registers and sets, which have numbers of their own in `meta`. */
START_TEST(the_entries_behind_a_row_can_be_asked)
{
    set(1, "code", "tr-1");
    set(1, "modules", "M1");
    set(1, "modules", "M2");
    set_int(1, "participants", 24);

    ck_assert_str_eq(
        answer("SELECT count(DISTINCT l.n) || ' ' || (SELECT count(*) FROM log)"
               "  FROM trainings t, json_each(ent_writes('training', t.meta)) w"
               "  JOIN log l ON l.n = w.value"),
        "4 4");
    ck_assert_str_eq(answer("SELECT ent_writes('training', x'ff') IS NULL"),
                     "1");
    ck_assert_str_eq(answer("SELECT ent_writes('none', x'0101') IS NULL"), "1");
}
END_TEST

START_TEST(a_store_open_for_reading_answers_too)
{
    desk_open(true, false);
    ck_assert_str_eq(answer("SELECT count(*) FROM log"), "0");
}
END_TEST

START_TEST(values_come_out_of_json_text)
{
    ck_ok(ent_query_json("{\"resources\": [{\"path\": \"a.csv\"},"
                         " {\"path\": \"b.csv\"}]}",
                         "SELECT value ->> 'path'"
                         " FROM json_each(:json, '$.resources')",
                         &query, &err));
    ck_assert_int_eq(ent_query_next(query, &err), 1);
    ck_assert_str_eq(ent_query_text(query, 0), "a.csv");
    ck_assert_int_eq(ent_query_next(query, &err), 1);
    ck_assert_str_eq(ent_query_text(query, 0), "b.csv");
    ck_assert_int_eq(ent_query_next(query, &err), 0);
}
END_TEST

START_TEST(malformed_json_is_an_error)
{
    ck_ok(ent_query_json("{", "SELECT * FROM json_each(:json)", &query, &err));
    ck_assert_int_eq(ent_query_next(query, &err), ENT_EUSAGE);
}
END_TEST

/* ---------------------------------------------------------------- listings */

START_TEST(a_listing_shows_handle_id_conflicts_and_columns)
{
    const struct ent_field *columns[] = {field_of("participants"),
                                         field_of("code")};
    struct ent_listing listing = {.kind = training(),
                                  .space = space,
                                  .columns = columns,
                                  .column_count = 2};

    set(1, "code", "tr-1");
    set_int(1, "participants", 24);
    ck_ok(ent_query_list(store, &listing, &query, &err));
    ck_assert_uint_eq(ent_query_columns(query), 5);
    ck_assert_str_eq(ent_query_name(query, 2), "contested");
    ck_assert_str_eq(ent_query_name(query, 3), "participants");
    ck_assert_int_eq(ent_query_next(query, &err), 1);
    ck_assert_str_eq(ent_query_text(query, 0), "gt");
    ck_assert_str_eq(ent_query_text(query, 1),
                     "01000000-0000-0000-0000-000000000000");
    ck_assert_uint_eq(ent_query_contested(query), 0);
    ck_assert_str_eq(ent_query_text(query, 3), "24");
    ck_assert_str_eq(ent_query_text(query, 4), "tr-1");
    ck_assert_int_eq(ent_query_next(query, &err), 0);
}
END_TEST

static size_t contested(void)
{
    struct ent_listing listing = {.kind = training()};

    ent_query_close(query);
    query = NULL;
    ck_ok(ent_query_list(store, &listing, &query, &err));
    ck_assert_int_eq(ent_query_next(query, &err), 1);
    return ent_query_contested(query);
}

START_TEST(contested_fields_that_ask_are_counted)
{
    set(1, "code", "tr-1");
    set_int(1, "participants", 24);
    put(1, "participants", ent_value_int(26), true);
    put(1, "participants", ent_value_int(28), true);
    ck_assert_uint_eq(contested(), 1);
    set(1, "status", "planned");
    put(1, "status", ent_value_text(ent_slice_str("delivered")), true);
    ck_assert_uint_eq(contested(), 2);
    ck_assert(ent_query_contests(query, field_of("participants")->number));
    ck_assert(ent_query_contests(query, field_of("status")->number));
    ck_assert(!ent_query_contests(query, field_of("code")->number));
}
END_TEST

START_TEST(quiet_fields_and_equal_values_are_not_contested)
{
    set(1, "code", "tr-1");
    set(1, "title_fr", "Formation");
    put(1, "title_fr", ent_value_text(ent_slice_str("Atelier")), true);
    set_int(1, "participants", 24);
    put(1, "participants", ent_value_int(24), true);
    ck_assert_uint_eq(contested(), 0);
}
END_TEST

/* A value of a type the field cannot hold stands in table cell, alone. */
START_TEST(a_field_kept_aside_for_another_reason_is_not_contested)
{
    set(1, "code", "tr-1");
    put(1, "participants", ent_value_text(ent_slice_str("many")), false);
    ck_assert_uint_eq(contested(), 0);
}
END_TEST

START_TEST(an_edit_beside_a_deletion_is_contested)
{
    set(1, "code", "tr-1");
    run_sql("INSERT INTO cell SELECT space, 6, id, 0, 1, 0, 4, x'c0'"
            " FROM trainings");
    ck_assert_uint_eq(contested(), 0);
    run_sql("INSERT INTO cell SELECT space, 6, id, 0, 2, 0, 5, x'c0'"
            " FROM trainings");
    ck_assert_uint_eq(contested(), 1);
}
END_TEST

static void four_trainings(void)
{
    set(1, "code", "b");
    set(1, "title_fr", "Gestion de l'Évaluation");
    set_int(1, "participants", 9);
    set(1, "start_on", "2017-06");
    set(1, "modules", "m1");
    set(1, "modules", "m2");
    set(2, "code", "a");
    set(2, "title_fr", "100% présents");
    set_int(2, "participants", 24);
    set(2, "start_on", "2018-01-02");
    set(2, "modules", "m2");
    set(3, "code", "c");
    set_int(3, "participants", 100);
    set(4, "code", "d");
}

START_TEST(filters_compare_figures_as_figures)
{
    four_trainings();
    ck_assert_str_eq(filtered("participants", ENT_COMPARE_LT, "24"), "b");
    ck_assert_str_eq(filtered("participants", ENT_COMPARE_LE, "24"), "a b");
    ck_assert_str_eq(filtered("participants", ENT_COMPARE_GT, "24"), "c");
    ck_assert_str_eq(filtered("participants", ENT_COMPARE_GE, "24.0"), "a c");
    ck_assert_str_eq(filtered("participants", ENT_COMPARE_EQ, "24"), "a");
    ck_assert_str_eq(filtered("participants", ENT_COMPARE_NE, "24"), "b c d");
}
END_TEST

START_TEST(filters_compare_dates_and_codes_as_text)
{
    four_trainings();
    ck_assert_str_eq(filtered("start_on", ENT_COMPARE_GE, "2018"), "a");
    ck_assert_str_eq(filtered("start_on", ENT_COMPARE_LT, "2018"), "b");
    ck_assert_str_eq(filtered("code", ENT_COMPARE_EQ, "c"), "c");
    ck_assert_str_eq(filtered("code", ENT_COMPARE_EQ, "' OR 1 --"), "");
}
END_TEST

START_TEST(an_empty_text_asks_for_empty_fields)
{
    four_trainings();
    ck_assert_str_eq(filtered("start_on", ENT_COMPARE_EQ, ""), "c d");
    ck_assert_str_eq(filtered("start_on", ENT_COMPARE_NE, ""), "a b");
    ck_assert_str_eq(filtered("modules", ENT_COMPARE_EQ, ""), "c d");
    ck_assert_str_eq(filtered("modules", ENT_COMPARE_NE, ""), "a b");
}
END_TEST

START_TEST(a_part_is_found_without_accents_and_wildcards)
{
    four_trainings();
    ck_assert_str_eq(filtered("title_fr", ENT_COMPARE_CONTAINS, "EVALUATION"),
                     "b");
    ck_assert_str_eq(filtered("title_fr", ENT_COMPARE_CONTAINS, "l’éval"), "b");
    ck_assert_str_eq(filtered("title_fr", ENT_COMPARE_CONTAINS, "0%"), "a");
    ck_assert_str_eq(filtered("title_fr", ENT_COMPARE_CONTAINS, "G%n"), "");
    ck_assert_str_eq(filtered("title_fr", ENT_COMPARE_CONTAINS, "_"), "");
}
END_TEST

START_TEST(a_set_equals_what_it_has)
{
    four_trainings();
    ck_assert_str_eq(filtered("modules", ENT_COMPARE_EQ, "m2"), "a b");
    ck_assert_str_eq(filtered("modules", ENT_COMPARE_EQ, "m1"), "b");
    ck_assert_str_eq(filtered("modules", ENT_COMPARE_NE, "m1"), "a c d");
    ck_assert_str_eq(filtered("modules", ENT_COMPARE_CONTAINS, "M"), "a b");
    ck_assert_str_eq(filtered("modules", ENT_COMPARE_CONTAINS, "\""), "");
}
END_TEST

START_TEST(listings_are_sorted_and_limited)
{
    const struct ent_field *columns[] = {field_of("code")};
    struct ent_listing listing = {
        .kind = training(), .columns = columns, .column_count = 1};

    four_trainings();
    ck_assert_str_eq(codes(&listing), "a b c d");
    listing.descending = true;
    ck_assert_str_eq(codes(&listing), "d c b a");
    listing.sort = field_of("participants");
    ck_assert_str_eq(codes(&listing), "c a b d");
    listing.limit = 2;
    ck_assert_str_eq(codes(&listing), "c a");
    listing.space = space + 1;
    ck_assert_str_eq(codes(&listing), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("query");
    TCase *tcase = tcase_create("query");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, desk_setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, rows_come_with_their_names_and_types);
    tcase_add_test(tcase, parameters_are_bound_never_pasted);
    tcase_add_test(tcase, a_number_is_compared_as_one);
    tcase_add_test(tcase, another_text_takes_the_place_of_the_first);
    tcase_add_test(tcase, nothing_can_be_written);
    tcase_add_test(tcase, no_other_file_and_no_setting_can_be_reached);
    tcase_add_test(tcase, secrets_cannot_be_read);
    tcase_add_test(tcase, one_statement_and_no_more);
    tcase_add_test(tcase, what_is_wrong_with_a_text_is_said_in_sqlites_words);
    tcase_add_test(tcase, the_word_index_and_json_can_be_asked);
    tcase_add_test(tcase, the_entries_behind_a_row_can_be_asked);
    tcase_add_test(tcase, a_store_open_for_reading_answers_too);
    tcase_add_test(tcase, values_come_out_of_json_text);
    tcase_add_test(tcase, malformed_json_is_an_error);
    tcase_add_test(tcase, a_listing_shows_handle_id_conflicts_and_columns);
    tcase_add_test(tcase, contested_fields_that_ask_are_counted);
    tcase_add_test(tcase, quiet_fields_and_equal_values_are_not_contested);
    tcase_add_test(tcase,
                   a_field_kept_aside_for_another_reason_is_not_contested);
    tcase_add_test(tcase, an_edit_beside_a_deletion_is_contested);
    tcase_add_test(tcase, filters_compare_figures_as_figures);
    tcase_add_test(tcase, filters_compare_dates_and_codes_as_text);
    tcase_add_test(tcase, an_empty_text_asks_for_empty_fields);
    tcase_add_test(tcase, a_part_is_found_without_accents_and_wildcards);
    tcase_add_test(tcase, a_set_equals_what_it_has);
    tcase_add_test(tcase, listings_are_sorted_and_limited);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
