/* test_members.c - who may write, as nodes see it that meet in any order:
 * removals and cuts, demotions, readmission, deputies and successions, a lost
 * key (rules A2 to A5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "party.h"
#include "secure/hash.h"
#include "store/members.h"

#define MINUTE PARTY_MINUTE

enum { CHAIR, THIEF, ANN, BEN, NODES };

static void setup(void)
{
    party_begin(NODES, NODES);
}

/* By a chair that has just been started, and remembers nothing. */
static void remove_thief(void)
{
    net_stop(net, CHAIR);
    net_start(net, CHAIR);
    ck_ok(ent_member_remove(store_of(CHAIR), number(CHAIR), key_of(THIEF),
                            "stolen", net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
}

static enum ent_role role_at(int node, int of)
{
    return ent_member_role(store_of(node), number(node), key_of(of));
}

/* ------------------------------------------------------------------ removals
 */

START_TEST(what_the_chair_held_stays_and_what_came_later_counts_nowhere)
{
    set(THIEF, 1, "before the theft");
    meet(THIEF, CHAIR);
    meet(THIEF, ANN);
    set(THIEF, 1, "after the theft");
    set(THIEF, 2, "made by the thief");
    meet(THIEF, ANN);
    check_values(ANN, 1, "after the theft");
    remove_thief();
    meet(ANN, CHAIR);
    check_values(ANN, 1, "before the theft");
    check_values(ANN, 2, "");
    check_equal(ANN, CHAIR);
    ck_assert_int_eq(role_at(ANN, THIEF), ENT_ROLE_NONE);
}
END_TEST

/* Others built on what is taken out: their own writes stay. */
START_TEST(an_edit_made_upon_a_cut_one_stays)
{
    set(ANN, 1, "first");
    meet(ANN, THIEF);
    meet(ANN, CHAIR);
    set(THIEF, 1, "by the thief");
    meet(THIEF, ANN);
    set(ANN, 1, "upon it");
    meet(ANN, BEN);
    remove_thief();
    meet(BEN, CHAIR);
    meet(ANN, BEN);
    /* What the thief replaced stands again beside what replaced his. */
    check_values(CHAIR, 1, "first|upon it");
    check_equal(BEN, CHAIR);
    check_equal(ANN, BEN);
}
END_TEST

/* Ann has met the thief after the cut, Ben before it only. Whoever meets whom
 * first, all end with the same. */
START_TEST(all_orders_of_meeting_after_a_removal_end_in_one_state)
{
    static const int pairs[3][2] = {{CHAIR, ANN}, {CHAIR, BEN}, {ANN, BEN}};
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    set(THIEF, 1, "before");
    meet(THIEF, CHAIR);
    meet(THIEF, BEN);
    set(THIEF, 1, "after");
    set(THIEF, 3, "more");
    meet(THIEF, ANN);
    set(ANN, 3, "upon the thief's");
    set(BEN, 1, "by Ben");
    remove_thief();
    for (int i = 0; i < 3; i++)
        meet(pairs[orders[_i][i]][0], pairs[orders[_i][i]][1]);
    for (int i = 0; i < 3; i++)
        meet(pairs[i][0], pairs[i][1]);
    check_equal(CHAIR, ANN);
    check_equal(CHAIR, BEN);
    check_values(BEN, 1, "by Ben");
    check_values(BEN, 3, "upon the thief's");
}
END_TEST

START_TEST(a_cut_member_cannot_write_from_an_older_roster)
{
    set(THIEF, 1, "before");
    meet(THIEF, CHAIR);
    remove_thief();
    set(THIEF, 1, "he has not heard of it");
    meet(ANN, CHAIR);
    net_heal(net, THIEF, ANN);
    net_call(net, THIEF, ANN);
    net_run(net, MINUTE);
    net_run(net, MINUTE);
    check_values(ANN, 1, "before");
    check_equal(ANN, CHAIR);
}
END_TEST

/* The thief writes the past anew, below the cut: what the chair holds decides,
 * by its hashes, not by its numbers (A4). */
START_TEST(a_past_written_anew_below_a_cut_is_set_aside)
{
    int twin;

    set(THIEF, 1, "one");
    meet(THIEF, CHAIR);
    meet(THIEF, ANN);
    twin = net_clone(net, THIEF);
    set(THIEF, 1, "what the chair holds");
    meet(THIEF, CHAIR);
    set(twin, 1, "forged");
    meet(twin, ANN);
    check_values(ANN, 1, "forged");
    remove_thief();
    meet(ANN, CHAIR);
    ck_assert_int_eq(net_rows(net, ANN, "SELECT count(*) FROM aside"), 1);
    check_values(CHAIR, 1, "what the chair holds");
    check_sound(ANN);
}
END_TEST

/* What was set aside is content too: it goes with the space. */
START_TEST(leaving_for_good_leaves_nothing_that_was_set_aside)
{
    set(THIEF, 1, "before");
    meet(THIEF, CHAIR);
    set(THIEF, 1, "after");
    meet(THIEF, ANN);
    remove_thief();
    meet(ANN, CHAIR);
    ck_assert_int_eq(net_rows(net, ANN, "SELECT count(*) FROM aside"), 1);
    ck_ok(ent_space_leave(store_of(ANN), number(ANN), true, &err));
    ck_assert_int_eq(net_rows(net, ANN, "SELECT count(*) FROM aside"), 0);
}
END_TEST

START_TEST(a_node_that_comes_new_gets_the_cut_log_from_anybody)
{
    int late;

    set(THIEF, 1, "one");
    meet(THIEF, CHAIR);
    meet(THIEF, ANN);
    set(THIEF, 1, "two");
    set(THIEF, 2, "three");
    meet(THIEF, ANN);
    remove_thief();
    meet(ANN, CHAIR);
    late = net_add(net);
    net_admit(net, space, CHAIR, late, ENT_ROLE_READER);
    net_copy_roster(net, space, CHAIR, ANN);
    net_local(net, ANN);
    net_call(net, late, ANN);
    ck_assert(net_run_quiet(net, 10 * MINUTE));
    check_values(late, 1, "one");
    check_equal(late, ANN);
}
END_TEST

START_TEST(the_removed_node_learns_it_and_begins_another_log_elsewhere)
{
    struct ent_id origin;

    set(THIEF, 1, "before");
    meet(THIEF, CHAIR);
    set(THIEF, 1, "after");
    origin = *ent_store_origin(store_of(THIEF));
    remove_thief();
    net_heal(net, THIEF, CHAIR);
    net_call(net, THIEF, CHAIR);
    net_run(net, MINUTE);
    ck_assert_int_eq(role_at(THIEF, THIEF), ENT_ROLE_NONE);
    check_values(THIEF, 1, "before");
    ck_assert(!ent_id_equal(&origin, ent_store_origin(store_of(THIEF))));
    ck_assert_int_eq(net_set(net, THIEF, space, 1, NET_TITLE, "again"),
                     ENT_EDENIED);
    check_sound(THIEF);
}
END_TEST

static const char *alarms_at(int node)
{
    static char text[4096];
    struct ent_buf lines = {0};

    ck_ok(ent_space_alarms(store_of(node), number(node), &lines, &err));
    snprintf(text, sizeof(text), "%s",
             lines.len > 0 ? ent_buf_cstr(&lines) : "");
    ent_buf_fini(&lines);
    return text;
}

START_TEST(who_is_removed_is_told_once_by_whom_and_what_is_set_aside)
{
    struct net_node *node = &net->nodes[THIEF];

    set(THIEF, 1, "before");
    meet(THIEF, CHAIR);
    ck_assert_ptr_null(strstr(alarms_at(THIEF), "removed"));
    set(THIEF, 1, "after");
    remove_thief();
    net_heal(net, THIEF, CHAIR);
    net_call(net, THIEF, CHAIR);
    net_run(net, MINUTE);
    ck_assert_int_eq(node->notes[ENT_NOTE_LOST], 1);
    ck_assert_ptr_nonnull(
        strstr(node->text[ENT_NOTE_LOST], "removed this node"));
    ck_assert_ptr_nonnull(strstr(node->text[ENT_NOTE_LOST], "(stolen)"));
    ck_assert_ptr_nonnull(strstr(alarms_at(THIEF), "(stolen)"));
    ck_assert_ptr_nonnull(strstr(alarms_at(THIEF), "(entries: 1)"));
    /* A person tries again: nothing to exchange, and nothing new to say. */
    node->notes[ENT_NOTE_DONE] = 0;
    net_call(net, THIEF, CHAIR);
    net_run(net, MINUTE);
    ck_assert_int_eq(node->notes[ENT_NOTE_LOST], 1);
    ck_assert_int_ge(node->notes[ENT_NOTE_DONE], 1);
    ck_assert_int_eq(node->notes[ENT_NOTE_REFUSED], 0);
    /* Let in again it has nothing to complain of but what was cut. */
    net_admit(net, space, CHAIR, THIEF, ENT_ROLE_EDITOR);
    meet(THIEF, CHAIR);
    ck_assert_ptr_null(strstr(alarms_at(THIEF), "removed"));
    ck_assert_ptr_null(strstr(alarms_at(CHAIR), "removed"));
}
END_TEST

START_TEST(who_is_made_a_reader_is_told_and_who_came_as_one_is_not)
{
    int reader = net_add(net);

    net_admit(net, space, CHAIR, reader, ENT_ROLE_READER);
    ck_assert_ptr_null(strstr(alarms_at(reader), "reader"));
    ck_ok(ent_member_set_role(store_of(CHAIR), number(CHAIR), key_of(ANN),
                              ENT_ROLE_READER, net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    meet(ANN, CHAIR);
    ck_assert_int_eq(net->nodes[ANN].notes[ENT_NOTE_LOST], 1);
    ck_assert_ptr_nonnull(
        strstr(alarms_at(ANN), "made this node a reader of the space"));
    ck_assert_ptr_nonnull(strstr(alarms_at(ANN), "still counts"));
    ck_ok(ent_member_set_role(store_of(CHAIR), number(CHAIR), key_of(ANN),
                              ENT_ROLE_EDITOR, net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    meet(ANN, CHAIR);
    ck_assert_ptr_null(strstr(alarms_at(ANN), "reader"));
}
END_TEST

/* Rule A5: while all are connected. */
START_TEST(a_removal_ends_live_sessions_within_five_seconds)
{
    set(THIEF, 1, "before");
    for (int i = 1; i < NODES; i++) {
        net_heal(net, CHAIR, i);
        net_call(net, i, CHAIR);
    }
    net_heal(net, THIEF, ANN);
    net_call(net, THIEF, ANN);
    ck_assert(net_run_quiet(net, 10 * MINUTE));
    check_values(CHAIR, 1, "before");
    ck_ok(ent_member_remove(store_of(CHAIR), number(CHAIR), key_of(THIEF), "",
                            net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    set(CHAIR, 2, "not for the thief");
    net_run(net, 6000);
    ck_assert_uint_eq(net_links(net, THIEF, CHAIR), 0);
    ck_assert_uint_eq(net_links(net, THIEF, ANN), 0);
    check_values(ANN, 2, "not for the thief");
    check_values(THIEF, 2, "");
    ck_assert_int_eq(role_at(THIEF, THIEF), ENT_ROLE_NONE);
    /* Who is removed calls nobody any more. */
    net_run(net, 10 * MINUTE);
    ck_assert_uint_eq(net_links(net, THIEF, CHAIR), 0);
    check_values(THIEF, 2, "");
}
END_TEST

/* --------------------------------------------------------- roles and returns
 */

START_TEST(a_member_made_reader_keeps_what_had_come_and_reads_on)
{
    set(ANN, 1, "as editor");
    meet(ANN, CHAIR);
    set(ANN, 2, "too late");
    ck_ok(ent_member_set_role(store_of(CHAIR), number(CHAIR), key_of(ANN),
                              ENT_ROLE_READER, net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    set(CHAIR, 3, "news");
    meet(ANN, CHAIR);
    check_values(ANN, 3, "news");
    check_values(ANN, 2, "");
    ck_assert_int_eq(net_set(net, ANN, space, 1, NET_TITLE, "x"), ENT_EDENIED);
    check_equal(ANN, CHAIR);
    ck_ok(ent_member_set_role(store_of(CHAIR), number(CHAIR), key_of(ANN),
                              ENT_ROLE_EDITOR, net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    meet(ANN, CHAIR);
    set(ANN, 1, "editor again");
    meet(ANN, CHAIR);
    check_values(CHAIR, 1, "editor again");
    check_values(CHAIR, 2, "");
    check_equal(ANN, CHAIR);
}
END_TEST

START_TEST(a_member_removed_and_admitted_again_writes_on)
{
    set(THIEF, 1, "before");
    meet(THIEF, CHAIR);
    set(THIEF, 2, "lost to the cut");
    meet(THIEF, ANN);
    remove_thief();
    net_admit(net, space, CHAIR, THIEF, ENT_ROLE_EDITOR);
    meet(THIEF, CHAIR);
    set(THIEF, 1, "back again");
    meet(THIEF, CHAIR);
    meet(ANN, CHAIR);
    check_values(ANN, 1, "back again");
    check_values(ANN, 2, "");
    check_equal(ANN, CHAIR);
    check_equal(THIEF, CHAIR);
}
END_TEST

START_TEST(what_the_chair_readmits_counts_again_everywhere)
{
    struct ent_quarantined *list;
    size_t count;

    set(THIEF, 1, "before");
    meet(THIEF, CHAIR);
    set(THIEF, 1, "the last true word");
    meet(THIEF, ANN);
    remove_thief();
    meet(ANN, CHAIR);
    check_values(ANN, 1, "before");
    /* Ann becomes the chair, and holds what was set aside. */
    ck_ok(ent_quarantine_list(store_of(ANN), number(ANN), &list, &count, &err));
    ck_assert_uint_eq(count, 1);
    {
        struct ent_buf vote = {0};
        const char *line;

        ck_ok(ent_vote_make(store_of(CHAIR), number(CHAIR), key_of(ANN), &vote,
                            &err));
        line = ent_buf_cstr(&vote);
        ck_ok(ent_succeed(store_of(ANN), number(ANN), &line, 1,
                          net_now(net, ANN), &err));
        ent_buf_fini(&vote);
    }
    ck_ok(ent_quarantine_readmit(store_of(ANN), list[0].n, net_now(net, ANN),
                                 &err));
    free(list);
    net_local(net, ANN);
    check_values(ANN, 1, "the last true word");
    meet(ANN, CHAIR);
    meet(BEN, CHAIR);
    check_values(BEN, 1, "the last true word");
    check_equal(ANN, CHAIR);
    check_equal(BEN, CHAIR);
}
END_TEST

/* -------------------------------------------------------------- successions */

static void vote(int by, int next, struct ent_buf *line)
{
    ck_ok(ent_vote_make(store_of(by), number(by), key_of(next), line, &err));
}

START_TEST(the_chair_hands_over_and_is_an_editor_then)
{
    struct ent_buf line = {0};
    const char *text;

    vote(CHAIR, ANN, &line);
    text = ent_buf_cstr(&line);
    /* Nobody else can use it. */
    ck_assert_int_eq(ent_succeed(store_of(BEN), number(BEN), &text, 1,
                                 net_now(net, BEN), &err),
                     ENT_EREFUSED);
    ck_ok(ent_succeed(store_of(ANN), number(ANN), &text, 1, net_now(net, ANN),
                      &err));
    ent_buf_fini(&line);
    net_local(net, ANN);
    ck_assert_int_eq(role_at(ANN, ANN), ENT_ROLE_CHAIR);
    meet(ANN, CHAIR);
    ck_assert_int_eq(role_at(CHAIR, CHAIR), ENT_ROLE_EDITOR);
    ck_assert_int_eq(ent_member_remove(store_of(CHAIR), number(CHAIR),
                                       key_of(BEN), "", net_now(net, CHAIR),
                                       &err),
                     ENT_EDENIED);
    set(CHAIR, 1, "as an editor");
    meet(ANN, CHAIR);
    check_values(ANN, 1, "as an editor");
    check_equal(ANN, CHAIR);
}
END_TEST

static void name_deputies(void)
{
    const struct ent_key keys[] = {*key_of(ANN), *key_of(BEN), *key_of(THIEF)};

    ck_ok(ent_deputies_set(store_of(CHAIR), number(CHAIR), keys, 3,
                           net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    for (int i = 1; i < NODES; i++) {
        net_copy_roster(net, space, CHAIR, i);
        net_local(net, i);
    }
}

START_TEST(two_of_three_deputies_make_a_chair_and_one_does_not)
{
    struct ent_buf lines[2] = {{0}};
    const char *texts[2];

    name_deputies();
    vote(ANN, BEN, &lines[0]);
    vote(BEN, BEN, &lines[1]);
    for (int i = 0; i < 2; i++)
        texts[i] = ent_buf_cstr(&lines[i]);
    ck_assert_int_eq(ent_succeed(store_of(BEN), number(BEN), texts, 1,
                                 net_now(net, BEN), &err),
                     ENT_EDENIED);
    ck_assert_int_eq(role_at(BEN, BEN), ENT_ROLE_EDITOR);
    ck_ok(ent_succeed(store_of(BEN), number(BEN), texts, 2, net_now(net, BEN),
                      &err));
    for (int i = 0; i < 2; i++)
        ent_buf_fini(&lines[i]);
    net_local(net, BEN);
    meet(BEN, ANN);
    meet(ANN, CHAIR);
    ck_assert_int_eq(role_at(CHAIR, BEN), ENT_ROLE_CHAIR);
    ck_assert_int_eq(role_at(CHAIR, CHAIR), ENT_ROLE_EDITOR);
    check_equal(ANN, CHAIR);
}
END_TEST

/* One stolen laptop must not be enough. */
START_TEST(a_deputy_that_is_the_only_one_makes_no_chair)
{
    struct ent_buf line = {0};
    const char *text;

    ck_ok(ent_deputies_set(store_of(CHAIR), number(CHAIR), key_of(BEN), 1,
                           net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    net_copy_roster(net, space, CHAIR, BEN);
    net_local(net, BEN);
    vote(BEN, BEN, &line);
    text = ent_buf_cstr(&line);
    ck_assert_int_eq(ent_succeed(store_of(BEN), number(BEN), &text, 1,
                                 net_now(net, BEN), &err),
                     ENT_EDENIED);
    ent_buf_fini(&line);
    ck_assert_int_eq(role_at(BEN, BEN), ENT_ROLE_EDITOR);
}
END_TEST

/* The removal of Ann is listed as void, to be repeated or not. */
static void check_void(int node, bool repeat)
{
    struct ent_void *list;
    size_t found = 0;
    size_t count;

    ck_ok(ent_void_list(store_of(node), number(node), &list, &count, &err));
    for (size_t i = 0; i < count; i++) {
        if (list[i].kind != ENT_ROSTER_REMOVE)
            continue;
        found++;
        ck_assert_str_eq(ent_void_command(&list[i]), "member remove");
        ck_assert(ent_key_equal(&list[i].member, key_of(ANN)));
        ck_assert(ent_key_equal(&list[i].author, key_of(CHAIR)));
        ck_assert_str_eq(list[i].member_org, "Guest");
        ck_assert(list[i].since_ms != 0);
        ck_assert_int_eq(list[i].repeat, repeat);
    }
    ck_assert_uint_eq(found, 1);
    free(list);
}

/* The lost chair was not lost, and removed Ann meanwhile: the succession does
 * not know of it. It is void, and nobody speaks to Ann until the new chair has
 * written about her (A2). */
START_TEST(a_removal_that_became_void_suspends_until_the_chair_answers)
{
    struct ent_buf lines[2] = {{0}};
    const char *texts[2];

    name_deputies();
    ck_ok(ent_member_remove(store_of(CHAIR), number(CHAIR), key_of(ANN), "",
                            net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    vote(BEN, BEN, &lines[0]);
    vote(THIEF, BEN, &lines[1]);
    for (int i = 0; i < 2; i++)
        texts[i] = ent_buf_cstr(&lines[i]);
    ck_ok(ent_succeed(store_of(BEN), number(BEN), texts, 2, net_now(net, BEN),
                      &err));
    for (int i = 0; i < 2; i++)
        ent_buf_fini(&lines[i]);
    net_local(net, BEN);
    meet(BEN, CHAIR);
    ck_assert_int_eq(role_at(BEN, ANN), ENT_ROLE_EDITOR);
    check_void(BEN, true);
    check_void(CHAIR, true);
    ck_assert_ptr_nonnull(
        strstr(alarms_at(BEN), "\"member remove\" of Guest by"));
    set(BEN, 1, "not for Ann yet");
    net_heal(net, ANN, BEN);
    net_call(net, ANN, BEN);
    net_run(net, MINUTE);
    check_values(ANN, 1, "");
    ck_assert_ptr_nonnull(
        strstr(alarms_at(ANN), "\"member remove\" of this node by"));
    /* She knows why nobody answers, and waits. */
    net_run(net, 10 * MINUTE);
    ck_assert_int_eq(net->nodes[ANN].notes[ENT_NOTE_REFUSED], 0);
    net_cut(net, ANN, BEN);
    net_run(net, 1000);
    ck_ok(ent_member_set_role(store_of(BEN), number(BEN), key_of(ANN),
                              ENT_ROLE_READER, net_now(net, BEN), &err));
    net_local(net, BEN);
    meet(ANN, BEN);
    check_values(ANN, 1, "not for Ann yet");
    check_equal(ANN, BEN);
    check_void(BEN, false);
    ck_assert_ptr_null(strstr(alarms_at(BEN), "is void"));
    ck_assert_ptr_null(strstr(alarms_at(ANN), "is void"));
}
END_TEST

/* Whoever takes the chair with the votes of two, `a` and `b`. */
static void take_chair(int next, int a, int b)
{
    struct ent_buf lines[2] = {{0}};
    const char *texts[2];

    vote(a, next, &lines[0]);
    vote(b, next, &lines[1]);
    for (int i = 0; i < 2; i++)
        texts[i] = ent_buf_cstr(&lines[i]);
    ck_ok(ent_succeed(store_of(next), number(next), texts, 2,
                      net_now(net, next), &err));
    for (int i = 0; i < 2; i++)
        ent_buf_fini(&lines[i]);
    net_local(net, next);
}

START_TEST(a_deputy_that_votes_twice_is_an_alarm_everywhere)
{
    name_deputies();
    take_chair(BEN, BEN, THIEF);
    take_chair(ANN, ANN, THIEF);
    ck_assert_ptr_null(strstr(alarms_at(ANN), "voted"));
    meet(ANN, BEN);
    meet(BEN, CHAIR);
    for (int i = 0; i < NODES; i++)
        ck_assert((strstr(alarms_at(i), "voted for two next chairs") != NULL) ==
                  (i != THIEF));
    ck_assert_int_eq(net->nodes[CHAIR].notes[ENT_NOTE_PROOF], 1);
    ck_assert_ptr_null(strstr(alarms_at(CHAIR), "wrote two entries"));
    meet(ANN, CHAIR);
    check_equal(ANN, BEN);
    check_equal(ANN, CHAIR);
}
END_TEST

/* ------------------------------------------------------- a chair put back */

static int try_role(enum ent_role role)
{
    int rc = ent_member_set_role(store_of(CHAIR), number(CHAIR), key_of(ANN),
                                 role, net_now(net, CHAIR), &err);

    net_local(net, CHAIR);
    return rc;
}

/* Else two entries would follow one, and one of them be void (A2). */
START_TEST(a_chair_put_back_decides_after_a_complete_session)
{
    int guest;

    meet(BEN, CHAIR);
    net_backup(net, CHAIR);
    remove_thief();
    meet(BEN, CHAIR);
    net_restore(net, CHAIR, true);
    ck_assert_int_eq(role_at(CHAIR, THIEF), ENT_ROLE_EDITOR);
    ck_assert_int_eq(try_role(ENT_ROLE_READER), ENT_EDENIED);
    ck_assert_ptr_nonnull(strstr(err.text, "exchange with a member"));
    ck_assert_ptr_nonnull(strstr(alarms_at(CHAIR), "decides about members"));
    ck_assert_ptr_null(strstr(alarms_at(BEN), "decides about members"));
    /* Nor does it let anybody in. */
    guest = net_add(net);
    {
        struct ent_buf line = net_invite(net, space, CHAIR, ENT_ROLE_EDITOR,
                                         net_now(net, CHAIR) + MINUTE * 60);

        net_join(net, guest, ent_buf_cstr(&line));
        net_run(net, MINUTE);
        ck_assert_int_eq(net->nodes[guest].notes[ENT_NOTE_JOIN_FAILED], 1);
        ck_assert_ptr_nonnull(
            strstr(net->nodes[guest].text[ENT_NOTE_JOIN_FAILED], "later"));
        ent_buf_fini(&line);
    }
    /* A session that breaks off is none. */
    net_heal(net, CHAIR, BEN);
    net_call(net, CHAIR, BEN);
    net_run(net, 1);
    net_cut(net, CHAIR, BEN);
    net_run(net, 1000);
    ck_assert_int_eq(try_role(ENT_ROLE_READER), ENT_EDENIED);
    meet(BEN, CHAIR);
    ck_assert_int_eq(role_at(CHAIR, THIEF), ENT_ROLE_NONE);
    ck_assert_ptr_null(strstr(alarms_at(CHAIR), "decides about members"));
    ck_assert_int_eq(try_role(ENT_ROLE_READER), 0);
    meet(BEN, CHAIR);
    ck_assert_ptr_null(strstr(alarms_at(BEN), "wrote two entries"));
    check_equal(BEN, CHAIR);
    /* Also after it was switched off. */
    net_stop(net, CHAIR);
    net_start(net, CHAIR);
    ck_assert_int_eq(try_role(ENT_ROLE_EDITOR), 0);
}
END_TEST

/* Into the same file, with nothing written since but in the roster. */
START_TEST(a_chair_put_back_over_itself_is_told_by_what_it_decided)
{
    meet(BEN, CHAIR);
    net_backup(net, CHAIR);
    remove_thief();
    meet(BEN, CHAIR);
    net_restore(net, CHAIR, false);
    ck_assert_int_eq(net->nodes[CHAIR].freshes, 1);
    ck_assert_int_eq(try_role(ENT_ROLE_READER), ENT_EDENIED);
    meet(BEN, CHAIR);
    ck_assert_int_eq(role_at(CHAIR, THIEF), ENT_ROLE_NONE);
    ck_assert_int_eq(try_role(ENT_ROLE_READER), 0);
    meet(BEN, CHAIR);
    ck_assert_ptr_null(strstr(alarms_at(BEN), "wrote two entries"));
    check_equal(BEN, CHAIR);
}
END_TEST

START_TEST(a_chair_put_back_decides_alone_where_nobody_else_is)
{
    int other = net_found(net, CHAIR);
    int made;

    net_backup(net, CHAIR);
    net_restore(net, CHAIR, true);
    net_admit(net, other, CHAIR, ANN, ENT_ROLE_EDITOR);
    net_admit(net, other, CHAIR, BEN, ENT_ROLE_EDITOR);
    made = net_found(net, CHAIR);
    net_admit(net, made, CHAIR, ANN, ENT_ROLE_EDITOR);
    net_admit(net, made, CHAIR, BEN, ENT_ROLE_EDITOR);
    ck_assert_int_eq(try_role(ENT_ROLE_READER), ENT_EDENIED);
}
END_TEST

/* ------------------------------------------------------------------ a lost key
 */

START_TEST(a_new_key_takes_over_and_the_old_one_is_cut)
{
    int fresh = net_add(net);

    set(ANN, 1, "with the old key");
    meet(ANN, CHAIR);
    set(ANN, 2, "after the loss");
    ck_ok(ent_member_replace(store_of(CHAIR), number(CHAIR), key_of(ANN),
                             key_of(fresh), net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    net_expect(net, space, CHAIR, fresh);
    ck_assert_int_eq(role_at(CHAIR, fresh), ENT_ROLE_EDITOR);
    ck_assert_int_eq(role_at(CHAIR, ANN), ENT_ROLE_NONE);
    meet(fresh, CHAIR);
    set(fresh, 1, "with the new key");
    meet(fresh, CHAIR);
    check_values(CHAIR, 1, "with the new key");
    check_values(CHAIR, 2, "");
    check_equal(fresh, CHAIR);
}
END_TEST

/* ------------------------------------------------------------------ strangers
 */

/* An entry of the roster at the head, by whoever has these keys. */
static struct ent_roster_bytes forge(const struct ent_keys *by,
                                     struct ent_roster_entry *entry,
                                     struct ent_buf *header,
                                     struct ent_buf *body)
{
    struct ent_roster_bytes bytes;
    struct ent_space info;
    struct ent_entry head = {.space = net->spaces[space], .author = by->public};
    struct ent_hash hash;

    ck_ok(ent_space_read(store_of(CHAIR), number(CHAIR), &info, &err));
    head.seq = info.roster_pos + 1;
    head.prev = info.roster_head;
    head.roster_pos = info.roster_pos;
    head.roster_hash = ent_hash_head(&info.roster_head);
    head.time_ms = net_now(net, CHAIR);
    entry->term = 1;
    ent_roster_body_put(body, entry);
    hash = ent_hash_of(ent_buf_slice(body));
    ent_header_put(header, ENT_ROSTER_TAG, &head, &hash);
    ent_sign(by, ent_buf_slice(header), &bytes.sig);
    bytes.header = ent_buf_slice(header);
    bytes.body = ent_buf_slice(body);
    return bytes;
}

/* It binds the program that is too old, and nobody's entries. */
START_TEST(an_older_program_reads_and_exchanges_and_does_not_write)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_MIN_VERSION,
                                     .version = {{99, 1, 0}}};
    const struct ent_version any = {{0}};
    struct ent_buf header = {0};
    struct ent_buf body = {0};
    struct ent_roster_bytes bytes;
    struct ent_taken taken;

    set(ANN, 1, "before");
    bytes = forge(&net->nodes[CHAIR].keys, &entry, &header, &body);
    ck_ok(ent_roster_take(store_of(CHAIR), number(CHAIR), &bytes, 1, 0, &taken,
                          &err));
    ck_assert_int_eq(taken.applied, 1);
    net_local(net, CHAIR);
    meet(ANN, CHAIR);
    ck_assert_int_eq(net_set(net, ANN, space, 1, NET_TITLE, "after"),
                     ENT_EDENIED);
    ck_assert_ptr_nonnull(strstr(alarms_at(ANN), "99.1.0"));
    check_values(CHAIR, 1, "before");
    ck_ok(ent_space_require(store_of(CHAIR), number(CHAIR), &any,
                            net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    meet(ANN, CHAIR);
    ck_assert_ptr_null(strstr(alarms_at(ANN), "99.1.0"));
    set(ANN, 1, "after");
    meet(ANN, CHAIR);
    check_values(CHAIR, 1, "after");
    check_equal(ANN, CHAIR);
    entry.version = (struct ent_version){{100, 0, 0}};
    ck_assert_int_eq(ent_space_require(store_of(CHAIR), number(CHAIR),
                                       &entry.version, net_now(net, CHAIR),
                                       &err),
                     ENT_EUSAGE);
    ent_buf_fini(&header);
    ent_buf_fini(&body);
}
END_TEST

/* A copy of the chair's node writes too. */
START_TEST(a_chair_that_forks_the_roster_is_an_alarm_everywhere)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_DEPUTIES};
    struct ent_buf header = {0};
    struct ent_buf body = {0};
    struct ent_roster_bytes bytes;
    struct ent_taken taken;

    bytes = forge(&net->nodes[CHAIR].keys, &entry, &header, &body);
    ck_ok(ent_roster_take(store_of(ANN), number(ANN), &bytes, 1, 0, &taken,
                          &err));
    ck_assert_int_eq(taken.applied, 1);
    net_local(net, ANN);
    remove_thief();
    ck_assert_ptr_null(strstr(alarms_at(CHAIR), "wrote two entries"));
    meet(ANN, CHAIR);
    meet(ANN, BEN);
    for (int i = 0; i < NODES; i++)
        ck_assert((strstr(alarms_at(i), "wrote two entries of the roster") !=
                   NULL) == (i != THIEF));
    ck_assert_int_eq(net->nodes[CHAIR].notes[ENT_NOTE_PROOF], 1);
    ck_assert_int_eq(net->nodes[BEN].notes[ENT_NOTE_PROOF], 1);
    check_equal(ANN, CHAIR);
    ent_buf_fini(&header);
    ent_buf_fini(&body);
}
END_TEST

static void take(int node, const struct ent_roster_bytes *bytes, size_t count,
                 int64_t now_ms, struct ent_taken *taken)
{
    ck_ok(ent_roster_take(store_of(node), number(node), bytes, count, now_ms,
                          taken, &err));
}

/* Void entries are kept for ever, so not everybody can make some: what can
 * never be valid is refused, whoever signed it. */
START_TEST(roster_entries_of_somebody_who_was_not_the_chair_are_refused)
{
    const uint8_t seed[32] = {9};
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_DEPUTIES};
    struct ent_buf header = {0};
    struct ent_buf body = {0};
    struct ent_roster_bytes bytes;
    struct ent_taken taken;
    struct ent_keys keys;

    ent_keys_from_seed(&keys, seed);
    bytes = forge(&keys, &entry, &header, &body);
    take(CHAIR, &bytes, 1, 0, &taken);
    ck_assert_int_eq(taken.refused, 1);
    ck_assert_int_eq(taken.applied, 0);
    ent_buf_reset(&header);
    ent_buf_reset(&body);
    bytes = forge(&net->nodes[ANN].keys, &entry, &header, &body);
    take(CHAIR, &bytes, 1, 0, &taken);
    ck_assert_int_eq(taken.refused, 1);
    ck_assert_int_eq(taken.applied, 0);
    ck_assert_int_eq(role_at(CHAIR, ANN), ENT_ROLE_EDITOR);
    ent_buf_fini(&header);
    ent_buf_fini(&body);
}
END_TEST

#define FLOOD (ENT_VOID_ENTRIES_MAX + 2 * ENT_VOID_ENTRIES_HOUR)
#define HOUR (60 * MINUTE)

/* Entries of a chair's key, all after the same one. */
struct flood {
    struct ent_buf header[FLOOD], body[FLOOD];
    struct ent_roster_bytes bytes[FLOOD], backwards[FLOOD];
};

static struct flood *flood_new(void)
{
    struct flood *flood = calloc(1, sizeof(*flood));

    ck_assert_ptr_nonnull(flood);
    for (size_t i = 0; i < FLOOD; i++) {
        char reason[32];
        struct ent_roster_entry entry = {.kind = ENT_ROSTER_REMOVE,
                                         .member = *key_of(THIEF)};

        snprintf(reason, sizeof(reason), "flood %zu", i);
        entry.reason = ent_slice_str(reason);
        flood->bytes[i] = forge(&net->nodes[CHAIR].keys, &entry,
                                &flood->header[i], &flood->body[i]);
        flood->backwards[FLOOD - 1 - i] = flood->bytes[i];
    }
    return flood;
}

static void flood_free(struct flood *flood)
{
    for (size_t i = 0; i < FLOOD; i++) {
        ent_buf_fini(&flood->header[i]);
        ent_buf_fini(&flood->body[i]);
    }
    free(flood);
}

/* A stolen key of a chair forks the roster without end: nothing of it is
 * dropped, for it might be on the chain one day, but it comes slowly. */
START_TEST(a_flood_of_void_entries_is_delayed_and_never_dropped)
{
    struct flood *flood = flood_new();
    struct ent_taken taken;

    take(ANN, flood->bytes, FLOOD, 1, &taken);
    ck_assert_int_eq(taken.refused, 0);
    ck_assert_int_eq(taken.applied,
                     1 + ENT_VOID_ENTRIES_MAX + ENT_VOID_ENTRIES_HOUR);
    ck_assert_int_eq(taken.waiting, FLOOD - taken.applied);
    take(ANN, flood->bytes, FLOOD, HOUR, &taken);
    ck_assert_int_eq(taken.applied, 0);
    take(BEN, flood->backwards, FLOOD, 1, &taken);
    ck_assert(!net_equal(net, ANN, BEN, space));
    take(ANN, flood->bytes, FLOOD, HOUR + 1, &taken);
    ck_assert_int_eq(taken.waiting, 0);
    take(BEN, flood->backwards, FLOOD, HOUR + 1, &taken);
    ck_assert_int_eq(taken.waiting, 0);
    meet(ANN, BEN);
    check_equal(ANN, BEN);
    flood_free(flood);
}
END_TEST

static Suite *members_suite(void)
{
    Suite *suite = suite_create("members");
    TCase *tcase = tcase_create("members");

    tcase_add_checked_fixture(tcase, setup, party_end);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(
        tcase, what_the_chair_held_stays_and_what_came_later_counts_nowhere);
    tcase_add_test(tcase, an_edit_made_upon_a_cut_one_stays);
    tcase_add_loop_test(
        tcase, all_orders_of_meeting_after_a_removal_end_in_one_state, 0, 6);
    tcase_add_test(tcase, a_cut_member_cannot_write_from_an_older_roster);
    tcase_add_test(tcase, a_past_written_anew_below_a_cut_is_set_aside);
    tcase_add_test(tcase, leaving_for_good_leaves_nothing_that_was_set_aside);
    tcase_add_test(tcase, a_node_that_comes_new_gets_the_cut_log_from_anybody);
    tcase_add_test(tcase,
                   the_removed_node_learns_it_and_begins_another_log_elsewhere);
    tcase_add_test(tcase,
                   who_is_removed_is_told_once_by_whom_and_what_is_set_aside);
    tcase_add_test(tcase,
                   who_is_made_a_reader_is_told_and_who_came_as_one_is_not);
    tcase_add_test(tcase, a_removal_ends_live_sessions_within_five_seconds);
    tcase_add_test(tcase,
                   a_member_made_reader_keeps_what_had_come_and_reads_on);
    tcase_add_test(tcase, a_member_removed_and_admitted_again_writes_on);
    tcase_add_test(tcase, what_the_chair_readmits_counts_again_everywhere);
    tcase_add_test(tcase, the_chair_hands_over_and_is_an_editor_then);
    tcase_add_test(tcase, two_of_three_deputies_make_a_chair_and_one_does_not);
    tcase_add_test(tcase, a_deputy_that_is_the_only_one_makes_no_chair);
    tcase_add_test(tcase,
                   a_removal_that_became_void_suspends_until_the_chair_answers);
    tcase_add_test(tcase, a_deputy_that_votes_twice_is_an_alarm_everywhere);
    tcase_add_test(tcase,
                   an_older_program_reads_and_exchanges_and_does_not_write);
    tcase_add_test(tcase, a_chair_that_forks_the_roster_is_an_alarm_everywhere);
    tcase_add_test(tcase, a_chair_put_back_decides_after_a_complete_session);
    tcase_add_test(tcase,
                   a_chair_put_back_over_itself_is_told_by_what_it_decided);
    tcase_add_test(tcase, a_chair_put_back_decides_alone_where_nobody_else_is);
    tcase_add_test(tcase, a_new_key_takes_over_and_the_old_one_is_cut);
    tcase_add_test(
        tcase, roster_entries_of_somebody_who_was_not_the_chair_are_refused);
    tcase_add_test(tcase, a_flood_of_void_entries_is_delayed_and_never_dropped);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return party_run(members_suite());
}
