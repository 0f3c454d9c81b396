/* test_offers.c - what lies beyond a cut is offered to the chair (rule A4): by
 * whoever holds it, once, checked, and no more than there is room for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "party.h"
#include "store/members.h"

#define MINUTE PARTY_MINUTE
#define ASIDE "SELECT count(*) FROM aside"

enum { CHAIR, THIEF, ANN, BEN, NODES };

/* Batches of what is aside that were sent, and bytes of all that offers. */
static size_t batches, batch_bytes;
static size_t offers; /* of heads */

static bool count_batches(struct net *in, int from, int to,
                          struct ent_slice bytes)
{
    struct ent_arena arena = {0};
    struct ent_frame frame;

    (void)in;
    (void)from;
    (void)to;
    if (ent_frame_get(bytes, &arena, &frame, NULL) == 0 &&
        frame.type == ENT_FRAME_ASIDE) {
        offers += frame.head_count > 0;
        batches += frame.head_count == 0;
        batch_bytes += bytes.len;
    }
    ent_arena_fini(&arena);
    return true;
}

static void setup(void)
{
    party_begin(NODES, NODES);
    batches = batch_bytes = offers = 0;
    net->posted = count_batches;
}

static void remove_thief(void)
{
    ck_ok(ent_member_remove(store_of(CHAIR), number(CHAIR), key_of(THIEF), "",
                            net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
}

static int64_t aside(int node)
{
    return net_rows(net, node, ASIDE);
}

/* All that is aside at a node counts again, by its last entries. */
static void readmit_all(int node)
{
    struct ent_quarantined *list;
    size_t count;

    ck_ok(
        ent_quarantine_list(store_of(node), number(node), &list, &count, &err));
    ck_assert_uint_gt(count, 0);
    /* An entry takes along what is below it. */
    for (size_t i = count; i-- > 0;)
        if (i + 1 == count || list[i].n >> 40 != list[i + 1].n >> 40)
            ck_ok(ent_quarantine_readmit(store_of(node), list[i].n,
                                         net_now(net, node), &err));
    free(list);
    net_local(net, node);
    ck_assert_int_eq(aside(node), 0);
}

static bool is_alarmed(int node, const char *word)
{
    struct ent_buf lines = {0};
    bool found;

    ck_ok(ent_space_alarms(store_of(node), number(node), &lines, &err));
    found = lines.len > 0 && strstr(ent_buf_cstr(&lines), word) != NULL;
    ent_buf_fini(&lines);
    return found;
}

static void hand_over(int from, int to)
{
    struct ent_buf line = {0};
    const char *text;

    ck_ok(ent_vote_make(store_of(from), number(from), key_of(to), &line, &err));
    text = ent_buf_cstr(&line);
    ck_ok(ent_succeed(store_of(to), number(to), &text, 1, net_now(net, to),
                      &err));
    ent_buf_fini(&line);
    net_local(net, to);
}

/* The chair keeps one entry of the thief's, and Ann has `more` others. */
static void steal(int more)
{
    char text[32];

    set(THIEF, 0, "before");
    meet(THIEF, CHAIR);
    for (int i = 1; i <= more; i++) {
        snprintf(text, sizeof(text), "after %d", i);
        set(THIEF, i, text);
    }
    meet(THIEF, ANN);
    remove_thief();
}

/* ---------------------------------------------------------------- sentences
 */

START_TEST(the_chair_gets_what_it_never_had_and_readmits_it)
{
    steal(3);
    meet(ANN, CHAIR);
    ck_assert_int_eq(aside(ANN), 3);
    ck_assert_int_eq(aside(CHAIR), 3);
    check_equal(ANN, CHAIR);
    check_values(CHAIR, 3, "");
    readmit_all(CHAIR);
    check_values(CHAIR, 3, "after 3");
    meet(BEN, CHAIR);
    meet(ANN, BEN);
    check_values(BEN, 2, "after 2");
    ck_assert_int_eq(aside(ANN), 0);
    check_equal(ANN, CHAIR);
    check_equal(BEN, CHAIR);
    ck_assert_int_eq(net_peer(net, CHAIR, ANN).quarantined, 3);
    ck_assert_int_eq(net_peer(net, CHAIR, ANN).refused, 0);
}
END_TEST

/* Also when the chair dials, and finds the other equal but for that. */
START_TEST(a_chair_that_dials_is_offered_it_too)
{
    steal(2);
    net_copy_roster(net, space, CHAIR, ANN);
    net_local(net, ANN);
    meet(CHAIR, ANN);
    ck_assert_int_eq(aside(CHAIR), 2);
    ck_assert(net_equal(net, ANN, CHAIR, space));
    meet(ANN, CHAIR);
    ck_assert_uint_eq(batches, 1);
}
END_TEST

START_TEST(offering_again_sends_nothing_twice)
{
    steal(3);
    meet(ANN, CHAIR);
    ck_assert_uint_eq(batches, 1);
    meet(CHAIR, ANN);
    meet(ANN, CHAIR);
    set(BEN, 7, "news");
    meet(BEN, CHAIR);
    meet(ANN, CHAIR);
    ck_assert_uint_eq(batches, 1);
    ck_assert_int_eq(net_peer(net, CHAIR, ANN).duplicate, 0);
}
END_TEST

/* Nobody but the chair gets it. */
START_TEST(what_is_aside_is_not_relayed)
{
    steal(2);
    meet(ANN, CHAIR);
    meet(ANN, BEN);
    meet(CHAIR, BEN);
    ck_assert_int_eq(aside(BEN), 0);
    check_equal(BEN, CHAIR);
}
END_TEST

/* While they are connected: a removal, and what follows from it. */
START_TEST(members_who_hold_the_same_are_asked_one_at_a_time)
{
    set(THIEF, 0, "before");
    meet(THIEF, CHAIR);
    net_fill(net, THIEF, space, 100, 1000);
    meet(THIEF, ANN);
    meet(THIEF, BEN);
    /* They hold it, and the chair removes its author before it has it. */
    net->delay_ms = 100;
    for (int i = ANN; i <= BEN; i++) {
        net_heal(net, i, CHAIR);
        net_call(net, i, CHAIR);
    }
    net_run(net, 50);
    remove_thief();
    ck_assert(net_run_quiet(net, 10 * MINUTE));
    net_run(net, MINUTE);
    ck_assert_int_eq(aside(CHAIR), aside(ANN));
    ck_assert_int_eq(aside(CHAIR), aside(BEN));
    ck_assert_int_eq(net_peer(net, CHAIR, ANN).duplicate +
                         net_peer(net, CHAIR, BEN).duplicate,
                     0);
    /* Who had to wait offers it again, and is told that it is held. */
    ck_assert_uint_eq(offers, 3);
    net_run(net, 60 * MINUTE);
    ck_assert_uint_eq(offers, 3);
}
END_TEST

START_TEST(who_becomes_the_chair_is_offered_it_too)
{
    steal(2);
    meet(ANN, CHAIR);
    meet(BEN, CHAIR);
    hand_over(CHAIR, BEN);
    meet(BEN, CHAIR);
    ck_assert_int_eq(aside(BEN), 2);
    meet(ANN, BEN);
    ck_assert_uint_eq(batches, 2);
    readmit_all(BEN);
    meet(BEN, CHAIR);
    meet(BEN, ANN);
    check_values(CHAIR, 2, "after 2");
    check_equal(BEN, CHAIR);
    check_equal(BEN, ANN);
}
END_TEST

/* Nobody saw what it wrote last, and nobody has its signature. */
START_TEST(who_is_admitted_again_brings_its_own)
{
    set(THIEF, 0, "before");
    meet(THIEF, CHAIR);
    set(THIEF, 1, "only here");
    net_fill(net, THIEF, space, 100, 1000);
    remove_thief();
    net_heal(net, THIEF, CHAIR);
    net_call(net, THIEF, CHAIR);
    net_run(net, MINUTE);
    net_cut(net, THIEF, CHAIR);
    ck_assert_int_gt(aside(THIEF), 1);
    ck_assert_int_eq(aside(CHAIR), 0);
    net_admit(net, space, CHAIR, THIEF, ENT_ROLE_EDITOR);
    meet(THIEF, CHAIR);
    ck_assert_int_eq(aside(CHAIR), aside(THIEF));
    /* More than goes into one batch. */
    ck_assert_uint_gt(batches, 2);
    readmit_all(CHAIR);
    meet(THIEF, CHAIR);
    check_values(CHAIR, 1, "only here");
    ck_assert_int_eq(aside(THIEF), 0);
    check_equal(THIEF, CHAIR);
}
END_TEST

/* A link that fails in the middle loses one batch at most. */
START_TEST(an_offer_that_was_cut_short_goes_on_where_it_was)
{
    set(THIEF, 0, "before");
    meet(THIEF, CHAIR);
    net_fill(net, THIEF, space, 100, 2000);
    meet(THIEF, ANN);
    remove_thief();
    net->delay_ms = 100;
    net_heal(net, ANN, CHAIR);
    net_call(net, ANN, CHAIR);
    while (batches < 4)
        net_run(net, 10);
    net_drop(net, ANN, CHAIR);
    net_run(net, 1000);
    ck_assert_int_gt(aside(CHAIR), 0);
    ck_assert_int_lt(aside(CHAIR), aside(ANN));
    meet(ANN, CHAIR);
    ck_assert_int_eq(aside(CHAIR), aside(ANN));
    ck_assert_int_eq(net_peer(net, CHAIR, ANN).duplicate, 0);
    readmit_all(CHAIR);
    meet(ANN, CHAIR);
    check_equal(ANN, CHAIR);
}
END_TEST

/* The log of somebody of whom the chair holds nothing. */
START_TEST(a_log_that_is_cut_whole_comes_whole)
{
    set(THIEF, 1, "one");
    set(THIEF, 2, "two");
    meet(THIEF, ANN);
    remove_thief();
    meet(ANN, CHAIR);
    ck_assert_int_eq(aside(CHAIR), 2);
    check_equal(ANN, CHAIR);
    readmit_all(CHAIR);
    meet(ANN, CHAIR);
    meet(BEN, CHAIR);
    check_values(BEN, 1, "one");
    check_equal(ANN, CHAIR);
    check_equal(BEN, CHAIR);
}
END_TEST

/* Ann has one branch, Ben another: both part beyond the cut. */
START_TEST(branches_beyond_a_cut_come_from_whoever_has_them)
{
    int twin;

    set(THIEF, 0, "before");
    meet(THIEF, CHAIR);
    set(THIEF, 1, "in both");
    meet(THIEF, ANN);
    meet(THIEF, BEN);
    twin = net_clone(net, THIEF);
    set(THIEF, 2, "by the thief");
    meet(THIEF, ANN);
    set(twin, 3, "by its twin");
    meet(twin, BEN);
    remove_thief();
    meet(ANN, CHAIR);
    ck_assert(!is_alarmed(CHAIR, "under one number"));
    meet(BEN, CHAIR);
    ck_assert_int_eq(aside(CHAIR), 3);
    ck_assert(is_alarmed(CHAIR, "under one number"));
    check_equal(BEN, CHAIR);
    readmit_all(CHAIR);
    meet(ANN, CHAIR);
    meet(BEN, CHAIR);
    meet(ANN, CHAIR);
    check_values(ANN, 1, "in both");
    check_values(ANN, 3, "by its twin");
    check_values(BEN, 2, "by the thief");
    check_equal(ANN, CHAIR);
    check_equal(BEN, CHAIR);
}
END_TEST

/* Two deputies chose another chair, who never heard of the removal: it is void,
 * and what it cut counts again. */
static void check_void_removal(bool known)
{
    const struct ent_key deputies[] = {*key_of(ANN), *key_of(BEN),
                                       *key_of(THIEF)};
    struct ent_buf votes[2] = {{0}};
    const char *lines[2];

    ck_ok(ent_deputies_set(store_of(CHAIR), number(CHAIR), deputies, 3,
                           net_now(net, CHAIR), &err));
    for (int i = 1; i < NODES; i++)
        net_copy_roster(net, space, CHAIR, i);
    ck_ok(ent_vote_make(store_of(BEN), number(BEN), key_of(BEN), &votes[0],
                        &err));
    ck_ok(ent_vote_make(store_of(THIEF), number(THIEF), key_of(BEN), &votes[1],
                        &err));
    for (int i = 0; i < 2; i++)
        lines[i] = ent_buf_cstr(&votes[i]);
    set(THIEF, 0, "before");
    meet(THIEF, CHAIR);
    set(THIEF, 1, "after");
    meet(THIEF, ANN);
    if (known)
        meet(THIEF, BEN);
    remove_thief();
    meet(ANN, CHAIR);
    ck_assert_int_eq(aside(ANN), 1);
    ck_assert_int_eq(aside(CHAIR), 1);
    ck_ok(ent_succeed(store_of(BEN), number(BEN), lines, 2, net_now(net, BEN),
                      &err));
    for (int i = 0; i < 2; i++)
        ent_buf_fini(&votes[i]);
    net_local(net, BEN);
    meet(ANN, BEN);
    ck_assert_int_eq(aside(ANN), 0);
    check_values(ANN, 1, "after");
    check_equal(ANN, BEN);
    meet(CHAIR, ANN);
    ck_assert_int_eq(aside(CHAIR), 0);
    check_equal(CHAIR, ANN);
    check_values(BEN, 1, "after");
}

START_TEST(what_a_void_removal_cut_is_not_aside_any_more)
{
    check_void_removal(true);
}
END_TEST

/* Those who took it out are the only ones who have it. */
START_TEST(what_a_void_removal_cut_comes_back_by_itself)
{
    check_void_removal(false);
}
END_TEST

/* -------------------------------------------------------------- bad offers */

static void take(const struct ent_run *run, struct ent_taken *taken)
{
    ck_ok(ent_aside_take(store_of(CHAIR), number(CHAIR), key_of(ANN), run, 1,
                         net_now(net, CHAIR), taken, &err));
    ck_assert_int_eq(taken->received, taken->applied + taken->duplicate +
                                          taken->quarantined + taken->refused +
                                          taken->waiting);
}

/* What Ann has of the thief's beyond the cut. */
static void read_offer(struct ent_arena *arena, struct ent_run *run)
{
    static const struct ent_hash8 none;
    struct ent_head *heads;
    size_t count;

    ck_ok(ent_aside_heads(store_of(ANN), number(ANN), &heads, &count, &err));
    ck_assert_uint_eq(count, 1);
    ck_ok(ent_aside_read(store_of(ANN), number(ANN), &heads[0], 1, &none,
                         1 << 20, arena, run, &err));
    free(heads);
}

static void refuse(const struct ent_run *run)
{
    struct ent_taken taken;

    take(run, &taken);
    ck_assert_int_eq(taken.refused, (int64_t)run->count);
    ck_assert_int_eq(aside(CHAIR), 0);
}

START_TEST(a_forged_offer_is_refused_and_a_good_one_kept_once)
{
    struct ent_arena arena = {0};
    struct ent_slice entries[3];
    struct ent_slice kept[3];
    struct ent_taken taken;
    struct ent_run run;
    uint8_t *bytes;

    steal(3);
    net_copy_roster(net, space, CHAIR, ANN);
    read_offer(&arena, &run);
    ck_assert_uint_eq(run.count, 3);
    ck_assert_uint_eq(run.from, 2);
    memcpy(kept, run.entries, sizeof(kept));
    memcpy(entries, kept, sizeof(kept));
    run.entries = entries;
    run.sig.b[0] ^= 1;
    refuse(&run);
    run.sig.b[0] ^= 1;
    /* A digit of the first title. */
    entries[0] = ent_arena_copy(&arena, kept[0]);
    bytes = memmem(entries[0].at, entries[0].len, "after", 5);
    ck_assert_ptr_nonnull(bytes);
    *bytes = 'A';
    refuse(&run);
    entries[0] = kept[1];
    refuse(&run);
    entries[0] = kept[0];
    run.author = *key_of(BEN);
    refuse(&run);
    run.author = *key_of(THIEF);
    run.prev.b[0] ^= 1;
    take(&run, &taken);
    ck_assert_int_eq(taken.waiting, 3);
    run.prev.b[0] ^= 1;
    take(&run, &taken);
    ck_assert_int_eq(taken.quarantined, 3);
    ck_assert_int_eq(aside(CHAIR), 3);
    take(&run, &taken);
    ck_assert_int_eq(taken.duplicate, 3);
    ck_assert_int_eq(aside(CHAIR), 3);
    ent_arena_fini(&arena);
}
END_TEST

/* Neither what the cut keeps, nor what somebody wrote who was not cut. */
START_TEST(an_offer_that_no_cut_takes_is_refused)
{
    static const struct ent_hash8 none;
    struct ent_arena arena = {0};
    struct ent_head *heads;
    struct ent_run run;
    size_t count;

    set(BEN, 5, "by Ben");
    meet(BEN, ANN);
    steal(1);
    meet(ANN, BEN);
    ck_ok(ent_frontier_read(store_of(ANN), number(ANN), &heads, &count, &err));
    for (size_t i = 0; i < count; i++) {
        ck_ok(ent_run_read(store_of(ANN), heads[i].o, 1, &none, 1 << 20, &arena,
                           &run, &err));
        ck_assert_uint_gt(run.count, 0);
        refuse(&run);
    }
    free(heads);
    ent_arena_fini(&arena);
}
END_TEST

/* The roster of the one who offers lags: it is no offence. */
START_TEST(an_offer_that_crosses_a_readmission_is_not_refused)
{
    steal(2);
    net->delay_ms = 100;
    net_heal(net, ANN, CHAIR);
    net_call(net, ANN, CHAIR);
    while (batches == 0)
        net_run(net, 5);
    net_admit(net, space, CHAIR, THIEF, ENT_ROLE_EDITOR);
    remove_thief();
    ck_assert(net_run_quiet(net, 10 * MINUTE));
    net_run(net, 5 * MINUTE);
    ck_assert_int_eq(net_peer(net, CHAIR, ANN).refused, 0);
    ck_assert_int_eq(net->nodes[CHAIR].notes[ENT_NOTE_REFUSED], 0);
    ck_assert_int_eq(aside(CHAIR), 2);
}
END_TEST

/* More than there is room for stays where it is, and comes when there is. */
START_TEST(a_flood_is_bounded_and_comes_in_parts)
{
    enum { BIG = 16000 };
    const int many = ENT_OFFER_BYTES_MAX / BIG + 20;
    char *text = calloc(BIG + 1, 1);
    int64_t kept;

    memset(text, 'x', BIG);
    set(THIEF, 0, "before");
    meet(THIEF, CHAIR);
    for (int i = 1; i <= many; i++)
        ck_assert_int_eq(net_set(net, THIEF, space, i, NET_TITLE, text), 0);
    free(text);
    meet(THIEF, ANN);
    remove_thief();
    meet(ANN, CHAIR);
    kept = aside(CHAIR);
    ck_assert_int_gt(kept, many - 60);
    ck_assert_int_lt(kept, many);
    ck_assert_int_le(
        net_rows(net, CHAIR, "SELECT sum(length(entry)) FROM aside"),
        ENT_OFFER_BYTES_MAX);
    ck_assert_int_eq(aside(ANN), many);
    ck_assert(is_alarmed(CHAIR, "readmitted"));
    ck_assert_int_eq(net_peer(net, CHAIR, ANN).refused, 0);
    /* A day of it is not much. */
    batch_bytes = 0;
    net_heal(net, ANN, CHAIR);
    net_call(net, ANN, CHAIR);
    net_run(net, 24 * 60 * MINUTE);
    ck_assert_uint_lt(batch_bytes, 100 << 10);
    readmit_all(CHAIR);
    ck_assert(net_run_quiet(net, 10 * MINUTE));
    ck_assert_int_eq(aside(CHAIR), many - kept);
    ck_assert_int_eq(aside(ANN), many - kept);
    ck_assert(!is_alarmed(CHAIR, "readmitted"));
    readmit_all(CHAIR);
    ck_assert(net_run_quiet(net, 10 * MINUTE));
    ck_assert_int_eq(aside(ANN), 0);
    ck_assert(net_equal(net, ANN, CHAIR, space));
}
END_TEST

static Suite *offers_suite(void)
{
    Suite *suite = suite_create("offers");
    TCase *tcase = tcase_create("offers");

    tcase_add_checked_fixture(tcase, setup, party_end);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_chair_gets_what_it_never_had_and_readmits_it);
    tcase_add_test(tcase, a_chair_that_dials_is_offered_it_too);
    tcase_add_test(tcase, offering_again_sends_nothing_twice);
    tcase_add_test(tcase, what_is_aside_is_not_relayed);
    tcase_add_test(tcase, members_who_hold_the_same_are_asked_one_at_a_time);
    tcase_add_test(tcase, who_becomes_the_chair_is_offered_it_too);
    tcase_add_test(tcase, who_is_admitted_again_brings_its_own);
    tcase_add_test(tcase, an_offer_that_was_cut_short_goes_on_where_it_was);
    tcase_add_test(tcase, a_log_that_is_cut_whole_comes_whole);
    tcase_add_test(tcase, branches_beyond_a_cut_come_from_whoever_has_them);
    tcase_add_test(tcase, what_a_void_removal_cut_is_not_aside_any_more);
    tcase_add_test(tcase, what_a_void_removal_cut_comes_back_by_itself);
    tcase_add_test(tcase, a_forged_offer_is_refused_and_a_good_one_kept_once);
    tcase_add_test(tcase, an_offer_that_no_cut_takes_is_refused);
    tcase_add_test(tcase, an_offer_that_crosses_a_readmission_is_not_refused);
    tcase_add_test(tcase, a_flood_is_bounded_and_comes_in_parts);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return party_run(offers_suite());
}
