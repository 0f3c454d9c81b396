/* test_identity.c - one log is written by one replica (rule N2): whatever is
 * put back, copied or lost, no number is used twice. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

enum { NODE, PEER };

#define MARK_MAX 4096

static struct net *net;
static int space;

static void setup(void)
{
    net = net_new(11);
    net_add(net);
    net_add(net);
    space = net_found(net, NODE);
    net_admit(net, space, NODE, PEER, ENT_ROLE_EDITOR);
}

static void teardown(void)
{
    net_free(net);
    net = NULL;
}

static void write_some(int in, int from, int to)
{
    for (int i = from; i < to; i++)
        ck_assert_int_eq(net_set(net, NODE, in, i, NET_TITLE, "a title"), 0);
}

/* The mark as it stands, and put back in its place: what a power cut does to a
 * file that nobody synced. */
struct mark {
    char bytes[MARK_MAX];
    size_t len;
};

static FILE *mark_file(const char *mode)
{
    char path[300];
    FILE *file;

    snprintf(path, sizeof(path), "%s/high-water", net->nodes[NODE].home);
    file = fopen(path, mode);
    ck_assert_ptr_nonnull(file);
    return file;
}

static struct mark mark_of_node(void)
{
    struct mark mark;
    FILE *file = mark_file("r");

    mark.len = fread(mark.bytes, 1, sizeof(mark.bytes), file);
    ck_assert_uint_lt(mark.len, sizeof(mark.bytes));
    fclose(file);
    return mark;
}

static void put_mark(const struct mark *mark)
{
    FILE *file = mark_file("w");

    ck_assert_uint_eq(fwrite(mark->bytes, 1, mark->len, file), mark->len);
    ck_assert_int_eq(fclose(file), 0);
    net->nodes[NODE].may_be_fresh = true;
}

static void restart(void)
{
    net_stop(net, NODE);
    net_start(net, NODE);
}

static void check_fresh(bool expected)
{
    ck_assert_int_eq(ent_store_fresh(net->nodes[NODE].store) != NULL, expected);
}

/* What the node writes now is believed by somebody who has seen all before. */
static void check_goes_on(void)
{
    write_some(space, 90, 92);
    net_call(net, PEER, NODE);
    ck_assert(net_run_quiet(net, 60000));
    ck_assert(net_equal(net, NODE, PEER, space));
    ck_assert_int_eq(net->nodes[PEER].notes[ENT_NOTE_FORK], 0);
    ck_assert_int_eq(net->nodes[PEER].offences, 0);
}

static void meet(void)
{
    net_call(net, PEER, NODE);
    ck_assert(net_run_quiet(net, 60000));
    net_drop(net, NODE, PEER);
    net_run(net, 1000);
}

START_TEST(a_replica_that_was_closed_and_opened_goes_on_in_its_log)
{
    write_some(space, 0, 3);
    restart();
    check_fresh(false);
    restart();
    check_fresh(false);
    check_goes_on();
}
END_TEST

START_TEST(a_replica_put_back_over_itself_begins_another_log)
{
    write_some(space, 0, 3);
    net_backup(net, NODE);
    write_some(space, 3, 6);
    meet();
    net_restore(net, NODE, false);
    check_fresh(true);
    check_goes_on();
}
END_TEST

START_TEST(a_replica_put_back_as_another_file_begins_another_log)
{
    write_some(space, 0, 3);
    net_backup(net, NODE);
    net_restore(net, NODE, true);
    check_fresh(true);
    check_goes_on();
}
END_TEST

/* The power cut takes the mark back to what it was; the replica is whole. */
START_TEST(a_mark_older_than_the_replica_is_brought_up_to_it)
{
    struct mark old;

    write_some(space, 0, 3);
    net_backup(net, NODE);
    old = mark_of_node();
    write_some(space, 3, 6);
    meet();
    net_stop(net, NODE);
    put_mark(&old);
    net_start(net, NODE);
    check_fresh(false);
    net_restore(net, NODE, false);
    check_fresh(true);
    check_goes_on();
}
END_TEST

/* One mark for each log: the newest entry of one space says nothing about
 * another. */
START_TEST(a_mark_holds_for_every_space)
{
    int other = net_found(net, NODE);
    struct mark old;

    write_some(space, 0, 3);
    write_some(other, 0, 3);
    old = mark_of_node();
    net_stop(net, NODE);
    net_start(net, NODE);
    net_backup(net, NODE);
    write_some(space, 3, 6);
    meet();
    net_stop(net, NODE);
    put_mark(&old);
    net_start(net, NODE);
    check_fresh(false);
    net_restore(net, NODE, false);
    check_fresh(true);
    check_goes_on();
}
END_TEST

START_TEST(a_lost_mark_costs_a_fresh_origin_and_nothing_written)
{
    const struct mark none = {.len = 0};

    write_some(space, 0, 3);
    net_stop(net, NODE);
    put_mark(&none);
    net_start(net, NODE);
    check_fresh(true);
    ck_assert_int_eq(net_counts(net, NODE, space).records, 3);
    restart();
    check_fresh(false);
    check_goes_on();
}
END_TEST

START_TEST(a_torn_mark_costs_a_fresh_origin)
{
    struct mark mark;

    write_some(space, 0, 3);
    net_stop(net, NODE);
    mark = mark_of_node();
    mark.len = mark.len / 2;
    put_mark(&mark);
    net_start(net, NODE);
    check_fresh(true);
    check_goes_on();
}
END_TEST

/* The fresh origin has written nothing when the old replica comes back. */
START_TEST(a_fresh_origin_that_wrote_nothing_is_known_from_the_one_before)
{
    const struct mark none = {.len = 0};

    write_some(space, 0, 3);
    net_backup(net, NODE);
    write_some(space, 3, 6);
    meet();
    net_stop(net, NODE);
    put_mark(&none);
    net_start(net, NODE);
    check_fresh(true);
    net_restore(net, NODE, false);
    check_fresh(true);
    check_goes_on();
}
END_TEST

START_TEST(leaving_a_space_for_good_lowers_the_mark)
{
    struct net_node *node = &net->nodes[PEER];
    int64_t number = net_space(net, space, PEER);

    ck_assert_int_eq(net_set(net, PEER, space, 1, NET_TITLE, "mine"), 0);
    ck_assert_int_eq(ent_space_leave(node->store, number, true, NULL), 0);
    node->may_be_fresh = true; /* the next start is looked at below */
    net_stop(net, PEER);
    net_start(net, PEER);
    ck_assert_ptr_null(ent_store_fresh(node->store));
}
END_TEST

static Suite *identity_suite(void)
{
    Suite *suite = suite_create("identity");
    TCase *tcase = tcase_create("identity");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   a_replica_that_was_closed_and_opened_goes_on_in_its_log);
    tcase_add_test(tcase, a_replica_put_back_over_itself_begins_another_log);
    tcase_add_test(tcase,
                   a_replica_put_back_as_another_file_begins_another_log);
    tcase_add_test(tcase, a_mark_older_than_the_replica_is_brought_up_to_it);
    tcase_add_test(tcase, a_mark_holds_for_every_space);
    tcase_add_test(tcase, a_lost_mark_costs_a_fresh_origin_and_nothing_written);
    tcase_add_test(tcase, a_torn_mark_costs_a_fresh_origin);
    tcase_add_test(
        tcase, a_fresh_origin_that_wrote_nothing_is_known_from_the_one_before);
    tcase_add_test(tcase, leaving_a_space_for_good_lowers_the_mark);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(identity_suite());
    int failed;

    net_begin();
    srunner_run_all(runner, CK_ENV);
    net_end();
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}
