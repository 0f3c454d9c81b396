/* test_branches.c - a log with two entries under one number: both branches
 * apply everywhere, and who wrote it goes on in another log (rules A8, N3). */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "net.h"
#include "store/members.h"
#include "store/peers.h"

#define SECOND 1000
#define MINUTE (60 * SECOND)

static struct net *net;

static void setup(void)
{
    net = net_new(8);
}

static void teardown(void)
{
    net_free(net);
    net = NULL;
}

/* A chair and other editors of one space, no link between them. */
static int found(int editors)
{
    int space;

    for (int i = 0; i <= editors; i++)
        net_add(net);
    space = net_found(net, 0);
    for (int i = 1; i <= editors; i++)
        net_admit(net, space, 0, i, ENT_ROLE_EDITOR);
    for (int i = 1; i < editors; i++)
        net_copy_roster(net, space, 0, i);
    return space;
}

static void link_up(int a, int b)
{
    net_call(net, a, b);
    ck_assert(net_run_quiet(net, 10 * MINUTE));
    ck_assert_uint_ge(net_links(net, a, b), 1);
}

static void set(int node, int space, int record, uint32_t field,
                const char *text)
{
    ck_assert_int_eq(net_set(net, node, space, record, field, text), 0);
}

static void check_values(int node, int space, int record, uint32_t field,
                         const char *expected)
{
    char text[1024];

    ck_assert_str_eq(
        net_values(net, node, space, record, field, text, sizeof(text)),
        expected);
}

/* Rule A8: an organisation runs the same replica twice, as a restored virtual
 * machine does. */
START_TEST(both_branches_of_a_log_are_applied_counted_and_alarmed)
{
    struct ent_buf lines = {0};
    struct ent_err err;
    int space = found(2);
    int copy;

    set(1, space, 1, NET_TITLE, "before");
    link_up(1, 0);
    copy = net_clone(net, 1);
    net_cut(net, 1, copy);
    set(1, space, 2, NET_TITLE, "one life");
    set(copy, space, 3, NET_TITLE, "another life");
    set(2, space, 4, NET_TITLE, "honest");
    link_up(2, 0);
    link_up(1, 0);
    net_drop(net, 0, 1);
    net_run(net, SECOND);
    link_up(copy, 0);
    ck_assert_int_ge(net->nodes[0].notes[ENT_NOTE_FORK], 1);
    ck_assert_int_eq(net_counts(net, 0, space).forks, 1);
    ck_assert_int_eq(ent_space_alarms(net->nodes[0].store,
                                      net_space(net, space, 0), &lines, &err),
                     0);
    ck_assert_uint_gt(lines.len, 0);
    ent_buf_fini(&lines);
    /* The third hears of it too, and holds the proof. */
    ck_assert(net_run_quiet(net, MINUTE));
    for (int i = 0; i <= copy; i += i == 0 ? 2 : 1) {
        check_values(i, space, 2, NET_TITLE, "one life");
        check_values(i, space, 3, NET_TITLE, "another life");
        check_values(i, space, 4, NET_TITLE, "honest");
        ck_assert_int_eq(net_counts(net, i, space).forks, 1);
        ck_assert_int_eq(net_counts(net, i, space).quarantined, 0);
        ck_assert(net_equal(net, 0, i, space));
    }
    set(2, space, 4, NET_TITLE, "still honest");
    ck_assert(net_run_quiet(net, MINUTE));
    check_values(0, space, 4, NET_TITLE, "still honest");
    check_values(copy, space, 4, NET_TITLE, "still honest");
    ck_assert_int_eq(net->nodes[0].notes[ENT_NOTE_REFUSED], 0);
}
END_TEST

/* No branch is the first one to anybody but to whom it came first. */
START_TEST(branches_met_in_another_order_give_the_same_state)
{
    int space = found(3);
    int copy;

    set(1, space, 1, NET_TITLE, "before");
    link_up(1, 0);
    copy = net_clone(net, 1);
    set(1, space, 1, NET_TITLE, "one life");
    set(copy, space, 1, NET_TITLE, "another life");
    link_up(1, 2);
    link_up(copy, 3);
    net_stop(net, 1);
    net_stop(net, copy);
    link_up(2, 3);
    ck_assert_int_eq(net_counts(net, 2, space).forks, 1);
    ck_assert_int_eq(net_counts(net, 3, space).forks, 1);
    ck_assert_int_eq(net->nodes[2].notes[ENT_NOTE_DIVERGED], 0);
    ck_assert_int_eq(net->nodes[3].notes[ENT_NOTE_DIVERGED], 0);
    ck_assert(net_equal(net, 2, 3, space));
    check_values(2, space, 1, NET_TITLE, "another life|one life");
}
END_TEST

/* A branch of a branch: what it leaves is not the branch that came first. */
START_TEST(a_branch_that_forks_again_is_kept_whole)
{
    int space = found(3);
    int copy;
    int again;

    set(1, space, 1, NET_TITLE, "before");
    link_up(1, 0);
    copy = net_clone(net, 1);
    set(copy, space, 2, NET_TITLE, "the copy");
    set(copy, space, 3, NET_TITLE, "goes on");
    again = net_clone(net, copy);
    set(1, space, 4, NET_TITLE, "one life");
    set(copy, space, 5, NET_TITLE, "another");
    set(again, space, 6, NET_TITLE, "a third");
    net_cut(net, 1, copy);
    net_cut(net, 1, again);
    net_cut(net, copy, again);
    link_up(1, 0);
    link_up(again, 0);
    link_up(copy, 0);
    link_up(again, 2);
    link_up(2, 3);
    link_up(copy, 2);
    link_up(1, 3);
    link_up(2, 0);
    link_up(2, 3);
    for (int i = 2; i <= 3; i++) {
        ck_assert_int_eq(net_counts(net, i, space).forks, 2);
        ck_assert(net_equal(net, 0, i, space));
        check_values(i, space, 3, NET_TITLE, "goes on");
        check_values(i, space, 4, NET_TITLE, "one life");
        check_values(i, space, 5, NET_TITLE, "another");
        check_values(i, space, 6, NET_TITLE, "a third");
    }
    ck_assert_int_eq(net->nodes[0].offences, 0);
}
END_TEST

/* What comes after an entry of a branch goes on in that branch, whatever the
 * other one has under that number. */
START_TEST(a_second_branch_grows_like_the_first)
{
    int space = found(1);
    struct net_forger first = {0};
    struct net_forger second;
    struct net_forgery item = {.kind = NET_KIND,
                               .id = net_record(20),
                               .field = NET_TITLE,
                               .value =
                                   ent_value_text(ent_slice_str("before"))};

    ck_assert_int_eq(net_forge(net, 1, space, &first, &item, 1), 0);
    second = first;
    for (int i = 1; i < 4; i++) {
        item.id = net_record(20 + i);
        ck_assert_int_eq(net_forge(net, 1, space, &first, &item, 1), 0);
        item.id = net_record(30 + i);
        ck_assert_int_eq(net_forge(net, 1, space, &second, &item, 1), 0);
        link_up(1, 0);
        net_drop(net, 1, 0);
        net_run(net, SECOND);
        check_values(0, space, 20 + i, NET_TITLE, "before");
        check_values(0, space, 30 + i, NET_TITLE, "before");
        ck_assert(net_equal(net, 0, 1, space));
    }
    ck_assert_int_eq(net_counts(net, 0, space).forks, 1);
    ck_assert_int_eq(net->nodes[0].offences, 0);
    ck_assert_int_eq(net_peer(net, 0, 1).waiting, 0);
}
END_TEST

/* Rule N3. The copy is put back under the eyes of nobody: not even the
 * high-water mark is behind. */
START_TEST(who_is_shown_more_of_its_own_log_goes_on_in_another)
{
    struct ent_buf lines = {0};
    struct ent_err err;
    int space = found(1);
    int older;

    set(1, space, 1, NET_TITLE, "before");
    link_up(1, 0);
    older = net_clone(net, 1);
    set(1, space, 2, NET_TITLE, "lost with the disk");
    link_up(1, 0);
    net_stop(net, 1);
    link_up(older, 0);
    check_values(older, space, 2, NET_TITLE, "lost with the disk");
    set(older, space, 2, NET_TITLE, "goes on");
    link_up(older, 0);
    check_values(0, space, 2, NET_TITLE, "goes on");
    ck_assert_int_eq(net_counts(net, 0, space).forks, 0);
    ck_assert_int_eq(net->nodes[0].notes[ENT_NOTE_FORK], 0);
    ck_assert_int_eq(ent_space_alarms(net->nodes[older].store,
                                      net_space(net, space, older), &lines,
                                      &err),
                     0);
    ck_assert_ptr_nonnull(strstr(ent_buf_cstr(&lines), "others hold more"));
    ent_buf_fini(&lines);
    ck_assert(net_equal(net, 0, older, space));
}
END_TEST

/* Both lives of a replica go on, each in a log of its own, once they heard. */
START_TEST(a_forked_node_never_writes_in_that_log_again)
{
    int space = found(1);
    int copy;

    set(1, space, 1, NET_TITLE, "before");
    link_up(1, 0);
    copy = net_clone(net, 1);
    net_cut(net, 1, copy);
    set(1, space, 2, NET_TITLE, "one life");
    set(copy, space, 3, NET_TITLE, "another life");
    link_up(1, 0);
    link_up(copy, 0);
    ck_assert(net_run_quiet(net, MINUTE));
    set(1, space, 4, NET_TITLE, "one goes on");
    set(copy, space, 5, NET_TITLE, "another goes on");
    ck_assert(net_run_quiet(net, MINUTE));
    link_up(1, 0);
    link_up(copy, 0);
    ck_assert(net_run_quiet(net, MINUTE));
    ck_assert_int_eq(net_counts(net, 0, space).forks, 1);
    check_values(copy, space, 4, NET_TITLE, "one goes on");
    check_values(1, space, 5, NET_TITLE, "another goes on");
    ck_assert(net_equal(net, 0, copy, space));
    ck_assert(net_equal(net, 0, 1, space));
}
END_TEST

/* ------------------------------------------------------------------- a flood
 */

#define BRANCHES (ENT_LOGS_FREE + 20)

/* Branches of one log, all after its first entry, each about a record of its
 * own. */
static void flood(int node, int space, int count)
{
    struct net_forger base = {0};
    struct net_forgery item = {.kind = NET_KIND,
                               .id = net_record(7),
                               .field = NET_TITLE,
                               .value =
                                   ent_value_text(ent_slice_str("the first"))};

    ck_assert_int_eq(net_forge(net, node, space, &base, &item, 1), 0);
    for (int i = 0; i < count; i++) {
        struct net_forger branch = base;
        char text[32];

        snprintf(text, sizeof(text), "branch %d", i);
        item.id = net_record(100 + i);
        item.value = ent_value_text(ent_slice_str(text));
        ck_assert_int_eq(net_forge(net, node, space, &branch, &item, 1), 0);
        /* Its own node takes them slowly too. */
        net_run(net, ENT_LOG_PAUSE_MS);
    }
}

START_TEST(a_flood_of_branches_is_delayed_and_never_dropped)
{
    int space = found(2);

    flood(1, space, BRANCHES);
    net_call(net, 1, 0);
    net_run(net, 5 * SECOND);
    ck_assert_int_le(net_counts(net, 0, space).logs, ENT_LOGS_FREE + 1);
    ck_assert_int_ge(net_counts(net, 0, space).logs, ENT_LOGS_FREE);
    /* Nobody else waits. */
    set(2, space, 1, NET_TITLE, "honest");
    net_call(net, 2, 0);
    net_run(net, 5 * SECOND);
    check_values(0, space, 1, NET_TITLE, "honest");
    ck_assert_int_le(net_counts(net, 0, space).logs, ENT_LOGS_FREE + 4);
    net_run(net, BRANCHES * ENT_LOG_PAUSE_MS + 2 * MINUTE);
    ck_assert_int_eq(net_counts(net, 0, space).forks, BRANCHES - 1);
    ck_assert(net_equal(net, 0, 1, space));
    ck_assert_int_eq(net->nodes[0].offences, 0);
}
END_TEST

START_TEST(a_removal_ends_a_flood_of_branches)
{
    int space = found(2);
    struct ent_err err;

    flood(1, space, BRANCHES);
    set(2, space, 1, NET_TITLE, "honest");
    net_call(net, 1, 0);
    net_call(net, 1, 2);
    net_run(net, 30 * SECOND);
    ck_assert_int_eq(ent_member_remove(net->nodes[0].store,
                                       net_space(net, space, 0),
                                       &net->nodes[1].keys.public, "a flood",
                                       net_now(net, 0), &err),
                     0);
    net_local(net, 0);
    net_drop(net, 1, 0);
    net_drop(net, 1, 2);
    link_up(2, 0);
    net_run(net, 10 * MINUTE);
    ck_assert(net_equal(net, 0, 2, space));
    /* What the chair held then stays, nothing more comes. */
    ck_assert_int_le(net_counts(net, 2, space).logs, ENT_LOGS_FREE + 6);
    check_values(0, space, 1, NET_TITLE, "honest");
}
END_TEST

static Suite *branches_suite(void)
{
    Suite *suite = suite_create("branches");
    TCase *tcase = tcase_create("branches");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase,
                   both_branches_of_a_log_are_applied_counted_and_alarmed);
    tcase_add_test(tcase, branches_met_in_another_order_give_the_same_state);
    tcase_add_test(tcase, a_branch_that_forks_again_is_kept_whole);
    tcase_add_test(tcase, a_second_branch_grows_like_the_first);
    tcase_add_test(tcase, who_is_shown_more_of_its_own_log_goes_on_in_another);
    tcase_add_test(tcase, a_forked_node_never_writes_in_that_log_again);
    tcase_add_test(tcase, a_flood_of_branches_is_delayed_and_never_dropped);
    tcase_add_test(tcase, a_removal_ends_a_flood_of_branches);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(branches_suite());
    int failed;

    net_begin();
    srunner_run_all(runner, CK_ENV);
    net_end();
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}
