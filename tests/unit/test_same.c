/* test_same.c - records shown as one: whatever is joined, parted, deleted and
 * written apart, the groups are those of a naive model, and queries show each
 * once. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"
#include "store/query.h"
#include "store/same.h"
#include "store/spaces.h"

#define RECORDS 10
#define ROUNDS 100
#define SEEDS 8

/* The model: which group each record is in, and whether it lives. */
static int group_of[RECORDS];
static bool live[RECORDS];

static struct ent_record_ref ref_of(int number)
{
    struct ent_record_ref ref = {
        .space = space, .kind = ent_kind_named(&kinds, "contact")->number};

    ref.id.b[0] = (uint8_t)(number + 1);
    return ref;
}

static int number_of(const struct ent_id *id)
{
    return id->b[0] - 1;
}

static void put(int number, uint32_t field, struct ent_value value,
                enum ent_edit_life life, const struct ent_dot *seen)
{
    const struct ent_record_ref ref = ref_of(number);
    struct ent_edit_op op = {
        .code = ENT_OP_WRITE, .field = field, .value = value, .seen = seen};
    struct ent_edit edit = {.kind = ref.kind,
                            .id = ref.id,
                            .life = life,
                            .ops = &op,
                            .op_count = field == ENT_FIELD_LIFE ? 0 : 1};
    struct ent_writer *writer;
    enum ent_written written;

    ck_ok(ent_writer_open(store, space, NOW_MS, &writer, &err));
    ck_ok(ent_writer_put(writer, &edit, true, &written, &err));
    ck_ok(ent_writer_commit(writer, &err));
}

static void set_life(int number, bool wanted)
{
    put(number, ENT_FIELD_LIFE, ent_value_nil(),
        wanted ? ENT_EDIT_UNDELETE : ENT_EDIT_DELETE, NULL);
    live[number] = wanted;
}

static void add_records(void)
{
    for (int i = 0; i < RECORDS; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c-%d", i);
        put(i, ENT_FIELD_CODE, ent_value_text(ent_slice_str(name)),
            ENT_EDIT_TOUCH, NULL);
        group_of[i] = i;
        live[i] = true;
    }
}

/* As `merge` and `unmerge` do: what is deleted stays so. */
static void write_plan(const struct ent_same_write *writes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int number = number_of(&writes[i].id);

        put(number, ENT_FIELD_SAME,
            ent_id_is_zero(&writes[i].to)
                ? ent_value_nil()
                : ent_value_bytes(ent_slice(writes[i].to.b, ENT_ID_BYTES)),
            live[number] ? ENT_EDIT_TOUCH : ENT_EDIT_DELETE, NULL);
    }
}

static void model_join(int a, int b)
{
    int gone = group_of[b];

    for (int i = 0; i < RECORDS; i++)
        if (group_of[i] == gone)
            group_of[i] = group_of[a];
}

static void join(int a, int b)
{
    const struct ent_record_ref x = ref_of(a);
    const struct ent_record_ref y = ref_of(b);
    struct ent_same_write *writes;
    struct ent_arena arena = {0};
    size_t count;

    ck_ok(ent_same_plan_join(store, &x, &y, &arena, &writes, &count, &err));
    ck_assert_uint_eq(count, group_of[a] == group_of[b] ? 0 : 1);
    write_plan(writes, count);
    ent_arena_fini(&arena);
    model_join(a, b);
}

static void part(int a)
{
    static int fresh = RECORDS;
    const struct ent_record_ref ref = ref_of(a);
    struct ent_same_write *writes;
    struct ent_arena arena = {0};
    size_t count;

    ck_ok(ent_same_plan_part(store, &ref, &arena, &writes, &count, &err));
    write_plan(writes, count);
    ent_arena_fini(&arena);
    group_of[a] = fresh++;
}

/* What another node wrote without seeing what stands here. */
static void join_apart(int a, int b)
{
    static const struct ent_dot nothing;
    const struct ent_record_ref to = ref_of(b);

    put(a, ENT_FIELD_SAME, ent_value_bytes(ent_slice(to.id.b, ENT_ID_BYTES)),
        live[a] ? ENT_EDIT_TOUCH : ENT_EDIT_DELETE, &nothing);
    model_join(a, b);
}

/* The lowest that lives of a record's group; -1: none does. */
static int lead_of(int number)
{
    for (int i = 0; i < RECORDS; i++)
        if (live[i] && group_of[i] == group_of[number])
            return i;
    return -1;
}

static void check_groups(void)
{
    struct ent_arena arena = {0};
    struct ent_same *list;
    size_t count;

    ck_ok(ent_same_list(store, &arena, &list, &count, &err));
    for (int i = 0; i < RECORDS; i++) {
        const struct ent_record_ref ref = ref_of(i);
        const struct ent_same *same = ent_same_find(list, count, &ref);
        int size = 0;

        for (int j = 0; j < RECORDS; j++)
            size += group_of[j] == group_of[i];
        if (size == 1 || lead_of(i) < 0) {
            ck_assert_ptr_null(same);
            continue;
        }
        ck_assert_ptr_nonnull(same);
        ck_assert_int_eq(number_of(&same->lead), lead_of(i));
        ck_assert_int_eq(same->live, live[i]);
    }
    ent_arena_fini(&arena);
}

static int64_t ask(const char *sql)
{
    struct ent_query *query;
    int64_t answer;

    ck_ok(ent_query_open(store, sql, &query, &err));
    ck_assert_int_eq(ent_query_next(query, &err), 1);
    answer = ent_query_int(query, 0);
    ent_query_close(query);
    return answer;
}

static void check_rows(void)
{
    int shown = 0;

    for (int i = 0; i < RECORDS; i++)
        shown += live[i] && lead_of(i) == i;
    ck_assert_int_eq(ask("SELECT count(*) FROM contacts"), shown);
}

static int some(void)
{
    return (int)ent_rand_below(&rnd, RECORDS);
}

/* Merging joins two groups and nothing else, unmerging takes out one record
 * and nothing else, whatever circles and sides of conflicts there are. */
START_TEST(groups_are_those_of_the_model)
{
    ent_rand_init_u64(&rnd, (uint64_t)_i + 1);
    add_records();
    for (int round = 0; round < ROUNDS; round++) {
        int a = some();
        int b = some();

        switch (ent_rand_below(&rnd, 8)) {
        case 0:
        case 1:
        case 2:
            if (a != b)
                join(a, b);
            break;
        case 3:
        case 4:
            part(a);
            break;
        case 5:
        case 6:
            if (a != b)
                join_apart(a, b);
            break;
        default:
            set_life(a, !live[a]);
            break;
        }
        check_groups();
        check_rows();
    }
}
END_TEST

/* Who leaves may have been what held the others together. */
START_TEST(those_who_stay_stay_together)
{
    add_records();
    join(3, 5);
    join(7, 5);
    join_apart(5, 8);
    part(5);
    check_groups();
    ck_assert_int_eq(lead_of(8), 3);
}
END_TEST

/* A value that names what was never here joins nothing. */
START_TEST(a_stray_joins_nobody)
{
    struct ent_id stray = {{99}};

    add_records();
    put(1, ENT_FIELD_SAME, ent_value_bytes(ent_slice(stray.b, ENT_ID_BYTES)),
        ENT_EDIT_TOUCH, NULL);
    put(2, ENT_FIELD_SAME, ent_value_bytes(ent_slice(stray.b, ENT_ID_BYTES)),
        ENT_EDIT_TOUCH, NULL);
    put(3, ENT_FIELD_SAME, ent_value_text(ent_slice_str("c-4")), ENT_EDIT_TOUCH,
        NULL);
    check_groups();
    check_rows();
}
END_TEST

/* What a join names may still be on its way: another join is not written over
 * it as long as there is another place. */
START_TEST(a_join_with_what_is_still_to_come_is_kept)
{
    const int late = RECORDS;
    const struct ent_record_ref to = ref_of(late);
    const struct ent_value name =
        ent_value_bytes(ent_slice(to.id.b, ENT_ID_BYTES));

    add_records();
    put(1, ENT_FIELD_SAME, name, ENT_EDIT_TOUCH, NULL);
    put(3, ENT_FIELD_SAME, name, ENT_EDIT_TOUCH, NULL);
    join(1, 2);
    check_groups();
    ck_assert_int_eq(ask("SELECT count(*) FROM cell WHERE field = 999"), 3);
    join(3, 1);
    check_groups();
    put(late, ENT_FIELD_CODE, ent_value_text(ent_slice_str("late")),
        ENT_EDIT_TOUCH, NULL);
    ck_assert_int_eq(ask("SELECT count(*) FROM contacts"), RECORDS - 3 + 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM contacts WHERE code = 'late'"),
                     0);
}
END_TEST

/* Two that both wait for others can be joined all the same. */
START_TEST(a_join_is_made_where_only_strays_stand)
{
    const struct ent_id stray = {{99}};
    const struct ent_value name =
        ent_value_bytes(ent_slice(stray.b, ENT_ID_BYTES));

    add_records();
    put(1, ENT_FIELD_SAME, name, ENT_EDIT_TOUCH, NULL);
    put(2, ENT_FIELD_SAME, name, ENT_EDIT_TOUCH, NULL);
    join(1, 2);
    check_groups();
}
END_TEST

START_TEST(a_row_has_what_any_of_the_group_says)
{
    const struct ent_kind *contact = ent_kind_named(&kinds, "contact");
    uint32_t email = ent_field_named(contact, "email")->number;
    uint32_t title = ent_field_named(contact, "title")->number;

    add_records();
    put(4, email, ent_value_text(ent_slice_str("4@example.org")),
        ENT_EDIT_TOUCH, NULL);
    put(6, email, ent_value_text(ent_slice_str("6@example.org")),
        ENT_EDIT_TOUCH, NULL);
    put(6, title, ent_value_text(ent_slice_str("Cheffe")), ENT_EDIT_TOUCH,
        NULL);
    join(6, 4);
    join(4, 2);
    ck_assert_int_eq(ask("SELECT count(*) FROM contacts WHERE code = 'c-2'"
                         " AND email = '4@example.org' AND title = 'Cheffe'"),
                     1);
    ck_assert_int_eq(ask("SELECT count(*) FROM main.contacts"), RECORDS);
    part(4);
    ck_assert_int_eq(ask("SELECT count(*) FROM contacts WHERE code = 'c-2'"
                         " AND email = '6@example.org'"),
                     1);
}
END_TEST

static void make_space(const char *name)
{
    ck_ok(ent_space_create(store, name, name, name, NOW_MS, &space, &err));
}

/* Two records of the present space, shown as the first of them. */
static void add_pair(int first, const char *lead)
{
    put(first, ENT_FIELD_CODE, ent_value_text(ent_slice_str(lead)),
        ENT_EDIT_TOUCH, NULL);
    put(first + 1, ENT_FIELD_CODE, ent_value_text(ent_slice_str("dup")),
        ENT_EDIT_TOUCH, NULL);
    for (int i = first; i <= first + 1; i++) {
        group_of[i] = i;
        live[i] = true;
    }
    join(first + 1, first);
}

static void refer_to(const char *code)
{
    const struct ent_kind *kind = ent_kind_named(&kinds, "assignment");
    const struct ent_edit_op op = {
        .code = ENT_OP_WRITE,
        .field = ent_field_named(kind, "contact_id")->number,
        .value = ent_value_text(ent_slice_str(code))};
    const struct ent_edit edit = {
        .kind = kind->number, .id = {{9}}, .ops = &op, .op_count = 1};
    struct ent_writer *writer;
    enum ent_written written;

    ck_ok(ent_writer_open(store, space, NOW_MS, &writer, &err));
    ck_ok(ent_writer_put(writer, &edit, true, &written, &err));
    ck_ok(ent_writer_commit(writer, &err));
}

/* Each node numbers its spaces as they come; their ids are the same on all. */
START_TEST(a_code_of_two_other_spaces_means_the_same_on_all_nodes)
{
    char name[16];
    int made = 0;

    add_pair(0, "first");
    do {
        snprintf(name, sizeof(name), "s%d", made++);
        make_space(name);
    } while (ask("SELECT id < (SELECT id FROM space WHERE space = 1)"
                 "  FROM space ORDER BY space DESC LIMIT 1") == 0);
    add_pair(2, "second");
    make_space("third");
    refer_to("dup");
    ck_assert_int_eq(ask("SELECT count(*) FROM assignments"
                         " WHERE contact_id = 'second'"),
                     1);
}
END_TEST

START_TEST(kinds_do_not_mix)
{
    const struct ent_record_ref a = ref_of(1);
    struct ent_record_ref b = ref_of(2);
    struct ent_same_write *writes;
    struct ent_arena arena = {0};
    size_t count;

    add_records();
    b.kind = ent_kind_named(&kinds, "trainer")->number;
    ck_assert_int_eq(
        ent_same_plan_join(store, &a, &b, &arena, &writes, &count, &err),
        ENT_EUSAGE);
    ck_assert_int_eq(
        ent_same_plan_join(store, &a, &a, &arena, &writes, &count, &err),
        ENT_EUSAGE);
    ent_arena_fini(&arena);
}
END_TEST

/* Every query asks, so it must not read all that is contested. */
START_TEST(joins_are_found_by_their_index)
{
    ck_assert_int_eq(ask("SELECT count(*) FROM sqlite_master"
                         " WHERE name = 'cell_same'"),
                     1);
    ck_assert_int_eq(ENT_FIELD_SAME, 999); /* as the index says */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("same");
    TCase *tcase = tcase_create("same");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, desk_setup, desk_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, groups_are_those_of_the_model, 0, SEEDS);
    tcase_add_test(tcase, those_who_stay_stay_together);
    tcase_add_test(tcase, a_stray_joins_nobody);
    tcase_add_test(tcase, a_join_with_what_is_still_to_come_is_kept);
    tcase_add_test(tcase, a_join_is_made_where_only_strays_stand);
    tcase_add_test(tcase, a_row_has_what_any_of_the_group_says);
    tcase_add_test(tcase, kinds_do_not_mix);
    tcase_add_test(tcase,
                   a_code_of_two_other_spaces_means_the_same_on_all_nodes);
    tcase_add_test(tcase, joins_are_found_by_their_index);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
