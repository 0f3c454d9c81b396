/* test_undo.c - what the last command wrote is taken back, and nothing else;
 * changes are told once, as they come. */
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"
#include "store/follow.h"
#include "store/records.h"
#include "store/spaces.h"
#include "store/undo.h"

/* Whoever opens the store anew is another command; who does not ask for the
 * mark is, to an undo, somebody else. */
static void command(bool keep_last)
{
    desk_open(false, keep_last);
}

static void setup(void)
{
    desk_setup();
    command(true);
}

static const struct ent_field *field_of(const char *name)
{
    const struct ent_field *field =
        ent_field_named(ent_kind_named(&kinds, "training"), name);

    ck_assert_ptr_nonnull(field);
    return field;
}

static struct ent_record_ref training(uint8_t number)
{
    return (struct ent_record_ref){
        .space = space,
        .kind = ent_kind_named(&kinds, "training")->number,
        .id = {{number}}};
}

/* One operation of a command; blind: as one who saw nothing. */
static void put(uint8_t number, uint32_t code, const char *field,
                struct ent_value value, bool blind)
{
    static const struct ent_dot nothing;
    const struct ent_record_ref ref = training(number);
    const struct ent_edit_op op = {.code = code,
                                   .field = field_of(field)->number,
                                   .value = value,
                                   .seen = blind ? &nothing : NULL};
    const struct ent_edit edit = {
        .kind = ref.kind, .id = ref.id, .ops = &op, .op_count = 1};
    struct ent_writer *writer;
    enum ent_written written;

    ck_ok(ent_writer_open(store, space, NOW_MS, &writer, &err));
    ck_ok(ent_writer_put(writer, &edit, true, &written, &err));
    ck_ok(ent_writer_commit(writer, &err));
}

static void set(uint8_t number, const char *field, int64_t value)
{
    put(number, ENT_OP_WRITE, field, ent_value_int(value), false);
}

static void change_set(uint8_t number, uint32_t code, const char *element)
{
    put(number, code, "modules", ent_value_text(ent_slice_str(element)), false);
}

/* How many writes stand in a field, and the figure of the first. */
static size_t standing(uint8_t number, const char *field, int64_t *value)
{
    const struct ent_record_ref ref = training(number);
    struct ent_record record;
    size_t count = 0;

    ck_ok(ent_record_read(store, &ref, &record, &err));
    for (size_t i = 0; i < record.write_count; i++) {
        if (record.writes[i].field != field_of(field)->number)
            continue;
        if (count++ == 0 && value != NULL)
            *value = record.writes[i].value.integer;
    }
    ent_record_fini(&record);
    return count;
}

static bool has_element(uint8_t number, const char *element)
{
    const struct ent_value value = ent_value_text(ent_slice_str(element));
    const struct ent_record_ref ref = training(number);
    struct ent_record record;
    bool found = false;

    ck_ok(ent_record_read(store, &ref, &record, &err));
    for (size_t i = 0; i < record.write_count; i++)
        found = found || (record.writes[i].code == ENT_OP_ADD &&
                          ent_value_equal(&record.writes[i].value, &value));
    ent_record_fini(&record);
    return found;
}

static int undo(size_t *barred)
{
    struct ent_undo steps;
    int rc;

    command(true);
    rc = ent_undo_last(store, NOW_MS, false, NULL, NULL, &steps, &err);
    if (barred != NULL)
        *barred = steps.barred;
    ent_undo_fini(&steps);
    return rc;
}

/* From now on no row of the present space can be deleted. */
static void spoil(void)
{
    char path[128];
    char sql[160];
    sqlite3 *db;

    desk_close();
    snprintf(path, sizeof(path), "%s/replica.db", dir);
    snprintf(sql, sizeof(sql),
             "CREATE TRIGGER spoiled BEFORE DELETE ON trainings"
             " WHEN OLD.space = %lld BEGIN SELECT RAISE(ABORT, 'no'); END",
             (long long)space);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* ------------------------------------------------------------------- undoing
 */

START_TEST(a_value_is_what_it_was_and_an_undo_can_be_undone)
{
    int64_t value = 0;

    set(1, "participants", 24);
    command(true);
    set(1, "participants", 25);
    ck_ok(undo(NULL));
    ck_assert_uint_eq(standing(1, "participants", &value), 1);
    ck_assert_int_eq(value, 24);
    ck_ok(undo(NULL));
    ck_assert_uint_eq(standing(1, "participants", &value), 1);
    ck_assert_int_eq(value, 25);
}
END_TEST

/* However many transactions it takes. */
START_TEST(all_that_one_command_committed_is_undone)
{
    const struct ent_record_ref ref = training(1);
    struct ent_record record;

    set(1, "participants", 24);
    set(1, "participants", 25);
    set(1, "days", 5);
    ck_ok(undo(NULL));
    ck_ok(ent_record_read(store, &ref, &record, &err));
    ck_assert(!record.live);
    ent_record_fini(&record);
}
END_TEST

/* What cannot be written in the second is known before the first is. */
START_TEST(of_two_spaces_both_are_undone_or_none)
{
    const int64_t first = space;
    int64_t value = 0;

    set(1, "participants", 24);
    command(true);
    set(1, "participants", 25);
    ck_ok(ent_space_create(store, "two", "Two", "Deux", NOW_MS, &space, &err));
    set(2, "participants", 30);
    spoil();
    ck_assert_int_lt(undo(NULL), 0);
    space = first;
    ck_assert_uint_eq(standing(1, "participants", &value), 1);
    ck_assert_int_eq(value, 25);
}
END_TEST

START_TEST(what_somebody_wrote_since_is_not_overwritten)
{
    int64_t value = 0;
    size_t barred = 0;

    set(1, "participants", 24);
    command(true);
    set(1, "participants", 25);
    command(false);
    set(1, "participants", 26);
    ck_assert_int_eq(undo(&barred), ENT_ECONFLICT);
    ck_assert_uint_eq(barred, 1);
    ck_assert_uint_eq(standing(1, "participants", &value), 1);
    ck_assert_int_eq(value, 26);
}
END_TEST

/* A record may hold by then what nobody else has. */
START_TEST(a_new_record_that_others_wrote_to_is_not_deleted)
{
    const struct ent_record_ref ref = training(1);
    struct ent_record record;

    set(1, "participants", 24);
    command(false);
    set(1, "days", 5);
    ck_assert_int_eq(undo(NULL), ENT_ECONFLICT);
    ck_ok(ent_record_read(store, &ref, &record, &err));
    ck_assert(record.live);
    ent_record_fini(&record);
}
END_TEST

START_TEST(elements_come_and_go_again)
{
    set(1, "participants", 24);
    change_set(1, ENT_OP_ADD, "M1");
    command(true);
    change_set(1, ENT_OP_ADD, "M2");
    change_set(1, ENT_OP_ADD, "M3");
    change_set(1, ENT_OP_REMOVE, "M1");
    change_set(1, ENT_OP_REMOVE, "M3");
    ck_assert_uint_eq(standing(1, "modules", NULL), 1);
    ck_assert(has_element(1, "M2"));
    ck_ok(undo(NULL));
    ck_assert_uint_eq(standing(1, "modules", NULL), 1);
    ck_assert(has_element(1, "M1"));
}
END_TEST

/* A removal that names elements leaves an equal one that came since. */
START_TEST(an_element_that_others_took_out_and_added_again_stays)
{
    set(1, "participants", 24);
    command(true);
    change_set(1, ENT_OP_ADD, "M1");
    command(false);
    change_set(1, ENT_OP_REMOVE, "M1");
    change_set(1, ENT_OP_ADD, "M1");
    ck_assert_int_eq(undo(NULL), ENT_ENOTFOUND);
    ck_assert(has_element(1, "M1"));
}
END_TEST

START_TEST(several_values_that_stood_before_stand_again)
{
    set(1, "participants", 24);
    put(1, ENT_OP_WRITE, "participants", ent_value_int(26), true);
    ck_assert_uint_eq(standing(1, "participants", NULL), 2);
    command(true);
    set(1, "participants", 25);
    ck_ok(undo(NULL));
    ck_assert_uint_eq(standing(1, "participants", NULL), 2);
    ck_ok(undo(NULL));
    ck_assert_uint_eq(standing(1, "participants", NULL), 1);
}
END_TEST

START_TEST(without_a_mark_there_is_nothing_to_undo)
{
    command(false);
    set(1, "participants", 24);
    ck_assert_int_eq(undo(NULL), ENT_ENOTFOUND);
}
END_TEST

/* ----------------------------------------------------------------- following
 */

/* Another connection, as another process has one. */
static struct ent_store *other(void)
{
    const struct ent_store_options options = {
        .kinds = &kinds, .rand = &rnd, .now_ms = NOW_MS, .fragile = true};
    struct ent_store *made = NULL;

    ck_ok(ent_store_open(dir, &options, &made, &err));
    return made;
}

START_TEST(a_change_is_told_once_with_what_stood_before)
{
    const struct ent_step *step;
    struct ent_follow *follow;
    struct ent_store *watcher;

    set(1, "participants", 24);
    watcher = other();
    ck_ok(ent_follow_open(watcher, 0, &follow, &err));
    ck_assert_int_eq(ent_follow_next(follow, &step, &err), 0);
    set(1, "participants", 25);
    ck_assert_int_eq(ent_follow_next(follow, &step, &err), 1);
    ck_assert_int_eq(step->what, ENT_STEP_WRITTEN);
    ck_assert_uint_eq(step->field, field_of("participants")->number);
    ck_assert_int_eq(step->value.integer, 25);
    ck_assert_uint_eq(step->was_count, 1);
    ck_assert_int_eq(step->was[0].integer, 24);
    ck_assert_int_eq(ent_follow_next(follow, &step, &err), 0);
    ck_assert_int_eq(ent_follow_next(follow, &step, &err), 0);
    ent_follow_close(follow);
    ent_store_close(watcher);
}
END_TEST

START_TEST(a_new_record_is_told_as_one_and_field_by_field)
{
    const struct ent_step *step;
    struct ent_follow *follow;
    struct ent_store *watcher = other();

    ck_ok(ent_follow_open(watcher, space, &follow, &err));
    set(1, "participants", 24);
    ck_assert_int_eq(ent_follow_next(follow, &step, &err), 1);
    ck_assert_int_eq(step->what, ENT_STEP_CREATED);
    ck_assert(!step->in_creation);
    ck_assert_int_eq(ent_follow_next(follow, &step, &err), 1);
    ck_assert_int_eq(step->what, ENT_STEP_WRITTEN);
    ck_assert(step->in_creation);
    ck_assert_uint_eq(step->was_count, 0);
    ck_assert_int_eq(ent_follow_next(follow, &step, &err), 0);
    ent_follow_close(follow);
    ent_store_close(watcher);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("undo");
    TCase *undoing = tcase_create("undoing");
    TCase *following = tcase_create("following");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(undoing, setup, desk_teardown);
    tcase_add_test(undoing, a_value_is_what_it_was_and_an_undo_can_be_undone);
    tcase_add_test(undoing, all_that_one_command_committed_is_undone);
    tcase_add_test(undoing, of_two_spaces_both_are_undone_or_none);
    tcase_add_test(undoing, what_somebody_wrote_since_is_not_overwritten);
    tcase_add_test(undoing, a_new_record_that_others_wrote_to_is_not_deleted);
    tcase_add_test(undoing, elements_come_and_go_again);
    tcase_add_test(undoing,
                   an_element_that_others_took_out_and_added_again_stays);
    tcase_add_test(undoing, several_values_that_stood_before_stand_again);
    tcase_add_test(undoing, without_a_mark_there_is_nothing_to_undo);
    suite_add_tcase(suite, undoing);
    tcase_add_checked_fixture(following, setup, desk_teardown);
    tcase_add_test(following, a_change_is_told_once_with_what_stood_before);
    tcase_add_test(following, a_new_record_is_told_as_one_and_field_by_field);
    suite_add_tcase(suite, following);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
