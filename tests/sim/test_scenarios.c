/* test_scenarios.c - what many orders of many histories seldom meet: stolen
 * keys that write between two removals, names of writes to come, successions at
 * several places, a roster that went another way, branches of one log. Each is
 * told to several nodes in several orders, and all end with the same (rules M1
 * to M3, A2 to A4, A8). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "forge.h"
#include "party.h"
#include "secure/hash.h"
#include "store/members.h"
#include "store/replica.h"

#define MINUTE PARTY_MINUTE
#define ABSENT (-1) /* a verdict: the entry is not in the log */

enum { CHAIR, ANN, BEN, CAT, THIEF, NODES };

/* In how many orders the honest nodes meet; the bits decide other things too.
 */
#define ORDERS 8
#define HONEST 4

static struct ent_arena arena;

static void setup(void)
{
    party_begin(NODES, NODES);
}

static void teardown(void)
{
    party_end();
    ent_arena_fini(&arena);
}

/* ------------------------------------------------------------------- helpers
 */

static const struct ent_keys *keys_of(int node)
{
    return &net->nodes[node].keys;
}

static enum ent_role role_at(int node, int of)
{
    return ent_member_role(store_of(node), number(node), key_of(of));
}

/* All pairs of the first `count` nodes, in an order of their own; then once
 * more, so that everything has come round. */
static void meet_all(int order, int count)
{
    int pairs[HONEST * (HONEST - 1) / 2][2];
    int made = 0;

    for (int a = 0; a < count; a++)
        for (int b = a + 1; b < count; b++) {
            pairs[made][0] = order & 1 ? b : a;
            pairs[made++][1] = order & 1 ? a : b;
        }
    for (int i = 0; i < 2 * made; i++) {
        int at = (i + order) % made;

        at = order & 1 ? made - 1 - at : at;
        meet(pairs[at][0], pairs[at][1]);
    }
}

/* The first `count` nodes are. */
static void check_all_equal(int count)
{
    for (int i = 0; i < count; i++) {
        ck_assert_msg(net_equal(net, 0, i, space), "node %d differs", i);
        check_sound(i);
    }
}

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

/* An entry of the roster: the head of what somebody knew. */
struct head {
    uint64_t pos;
    struct ent_hash hash;
};

static struct head roster_at(int node)
{
    struct ent_space info;

    ck_ok(ent_space_read(store_of(node), number(node), &info, &err));
    return (struct head){info.roster_pos, info.roster_head};
}

static void remove_member(int of)
{
    ck_ok(ent_member_remove(store_of(CHAIR), number(CHAIR), key_of(of), "",
                            net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
}

static void name_deputies(int a, int b, int c)
{
    const struct ent_key keys[] = {*key_of(a), *key_of(b), *key_of(c)};

    ck_ok(ent_deputies_set(store_of(CHAIR), number(CHAIR), keys, 3,
                           net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    for (int i = 1; i < NODES; i++) {
        net_copy_roster(net, space, CHAIR, i);
        net_local(net, i);
    }
}

/* Become the chair with two votes, one's own and another's. */
static void take_chair(int next, int with)
{
    struct ent_buf lines[2] = {{0}};
    const char *texts[2];

    ck_ok(ent_vote_make(store_of(next), number(next), key_of(next), &lines[0],
                        &err));
    ck_ok(ent_vote_make(store_of(with), number(with), key_of(next), &lines[1],
                        &err));
    for (int i = 0; i < 2; i++)
        texts[i] = ent_buf_cstr(&lines[i]);
    ck_ok(ent_succeed(store_of(next), number(next), texts, 2,
                      net_now(net, next), &err));
    for (int i = 0; i < 2; i++)
        ent_buf_fini(&lines[i]);
    net_local(net, next);
}

/* ---------------------------------------------- entries made by hand: the log
 */

/* An entry in a log of `by` that no honest program writes, by somebody whose
 * roster has that head; `later_ms` makes it another one. */
static struct forged begin(int by, const struct forged *after, struct head head,
                           int record, const char *text)
{
    struct forged forged = {.entry = {.space = net->spaces[space],
                                      .author = *key_of(by),
                                      .origin = {{0xf0, (uint8_t)by}},
                                      .seq = 1,
                                      .roster_pos = head.pos,
                                      .roster_hash = ent_hash_head(&head.hash),
                                      .time_ms = NET_START_MS},
                            .kind = NET_KIND,
                            .field = NET_TITLE,
                            .record = net_record(record),
                            .text = text};

    if (after != NULL) {
        forged.entry.seq = after->entry.seq + 1;
        forged.entry.prev = after->hash;
    }
    return forged;
}

static struct forged write_entry(int by, const struct forged *after,
                                 struct head head, int record, const char *text)
{
    struct forged forged = begin(by, after, head, record, text);

    forge_entry(&forged, &arena);
    return forged;
}

/* A node is given entries that follow each other. */
static void give(int node, int by, const struct forged *list, size_t count)
{
    struct ent_frame_run made = forge_run(list, count, keys_of(by), &arena);
    struct ent_run run = {.author = made.author,
                          .origin = made.origin,
                          .from = made.from,
                          .prev = made.prev,
                          .entries = made.entries,
                          .count = made.entry_count};
    struct ent_taken taken;

    memcpy(run.sig.b, made.sig.at, ENT_SIG_BYTES);
    ck_ok(ent_runs_take(store_of(node), number(node), NULL, &run, 1,
                        net_now(net, node), &taken, &err));
    ck_assert_msg(taken.refused + taken.waiting == 0, "%s", taken.why);
    net_local(net, node);
}

/* What became of an entry; ABSENT: it is not in the log. */
static int verdict_at(int node, const struct forged *forged)
{
    char hex[2 * ENT_HASH_BYTES + 1];
    char sql[160];

    ent_hex_put(hex, forged->hash.b, ENT_HASH_BYTES);
    snprintf(
        sql, sizeof(sql),
        "SELECT coalesce((SELECT verdict FROM log WHERE hash = x'%s'), -1)",
        hex);
    return (int)net_rows(net, node, sql);
}

/* Entries that are both in the log and aside. */
static int64_t doubles_at(int node)
{
    return net_rows(net, node,
                    "SELECT count(*) FROM aside JOIN log USING (n)") +
           net_rows(net, node,
                    "SELECT count(*) FROM aside JOIN log USING (hash)");
}

/* ------------------------------------------------------------- and the roster
 */

struct written {
    struct ent_frame_roster frame;
    struct head head;
};

static struct written write_after(const struct ent_keys *by, struct head after,
                                  struct ent_roster_entry entry)
{
    struct written written;

    entry.pos = after.pos + 1;
    written.frame =
        forge_roster(by, &net->spaces[space], &after.hash, &entry, &arena);
    written.head = (struct head){entry.pos, ent_hash_of(written.frame.header)};
    return written;
}

static int vote_cmp(const void *a, const void *b)
{
    return memcmp(((const struct ent_vote *)a)->key.b,
                  ((const struct ent_vote *)b)->key.b, ENT_KEY_BYTES);
}

#define VOTERS_MAX 3

/* A succession with the votes of these keys. */
static struct written succession(const struct ent_keys *next, struct head after,
                                 uint32_t term, int64_t time_ms,
                                 const struct ent_keys *const *voters,
                                 size_t count)
{
    struct ent_vote votes[VOTERS_MAX];
    struct ent_sig sigs[VOTERS_MAX];
    struct ent_roster_entry entry = {.time_ms = time_ms,
                                     .term = term,
                                     .kind = ENT_ROSTER_SUCCEED,
                                     .votes = votes,
                                     .vote_count = count};
    struct ent_buf message = {0};

    ent_vote_put(&message, &net->spaces[space], term, &after.hash,
                 &next->public);
    for (size_t i = 0; i < count; i++) {
        ent_sign(voters[i], ent_buf_slice(&message), &sigs[i]);
        votes[i] =
            (struct ent_vote){.key = voters[i]->public,
                              .sig = ent_slice(sigs[i].b, sizeof(sigs[i].b))};
    }
    ent_buf_fini(&message);
    qsort(votes, count, sizeof(*votes), vote_cmp);
    return write_after(next, after, entry);
}

/* A node is told of an entry of the roster; what became of it. */
static struct ent_taken tell(int node, const struct written *written)
{
    struct ent_roster_bytes bytes = {.header = written->frame.header,
                                     .body = written->frame.body};
    struct ent_taken taken;

    memcpy(bytes.sig.b, written->frame.sig.at, ENT_SIG_BYTES);
    ck_ok(ent_roster_take(store_of(node), number(node), &bytes, 1,
                          net_now(net, node), &taken, &err));
    net_local(net, node);
    return taken;
}

/* --------------------------------------------------------------- two removals
 */

/* A member is removed, its key goes on writing, it is let in again, and leaves
 * for good later: the second cut is higher than the first and keeps nothing of
 * what lies between the two (A4). */
START_TEST(a_later_higher_cut_brings_nothing_back_that_an_earlier_one_took)
{
    struct head before = roster_at(CHAIR);
    struct forged list[5];

    list[0] = write_entry(THIEF, NULL, before, 1, "one");
    list[1] = write_entry(THIEF, &list[0], before, 2, "two");
    list[2] = write_entry(THIEF, &list[1], before, 3, "three");
    list[3] = write_entry(THIEF, &list[2], before, 4, "by the thief");
    give(CHAIR, THIEF, list, 1);
    give(ANN, THIEF, list, 3);
    give(BEN, THIEF, list, 4);
    remove_member(THIEF);
    if (_i & 1)
        meet(BEN, CHAIR);
    if (_i & 2)
        meet(ANN, CHAIR);
    net_admit(net, space, CHAIR, THIEF, ENT_ROLE_EDITOR);
    list[4] = write_entry(THIEF, &list[3], roster_at(CHAIR), 5, "five");
    give(CHAIR, THIEF, &list[1], 4);
    if (_i & 4)
        meet(CAT, CHAIR);
    remove_member(THIEF);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        for (int e = 0; e < 5; e++)
            ck_assert_int_eq(verdict_at(i, &list[e]), e == 0 || e == 4
                                                          ? ENT_VERDICT_ACCEPTED
                                                          : ENT_VERDICT_CUT);
        check_values(i, 1, "one");
        check_values(i, 2, "");
        check_values(i, 3, "");
        check_values(i, 4, "");
        check_values(i, 5, "five");
        ck_assert_int_eq(doubles_at(i), 0);
    }
    check_all_equal(HONEST);
}
END_TEST

static void readmit(int of, const struct forged *head)
{
    struct ent_frame_run made = forge_run(head, 1, keys_of(of), &arena);
    struct ent_cut_head kept = {.origin = head->entry.origin,
                                .seq = head->entry.seq,
                                .hash = head->hash,
                                .sig = made.sig};
    struct ent_roster_entry entry = {.time_ms = NET_START_MS,
                                     .term = 1,
                                     .kind = ENT_ROSTER_READMIT,
                                     .member = *key_of(of),
                                     .heads = &kept,
                                     .head_count = 1};
    struct written written =
        write_after(keys_of(CHAIR), roster_at(CHAIR), entry);

    ck_assert_int_eq(tell(CHAIR, &written).applied, 1);
}

/* The thief's entry was set aside under a number that another entry of that log
 * has now: it keeps its place, and comes back when it is readmitted. */
START_TEST(what_was_set_aside_is_not_lost_to_another_of_its_number)
{
    struct head before = roster_at(CHAIR);
    struct forged list[3];
    struct forged later[2];

    list[0] = write_entry(THIEF, NULL, before, 1, "one");
    list[1] = later[0] = write_entry(THIEF, &list[0], before, 2, "two");
    list[2] = write_entry(THIEF, &list[1], before, 3, "by the thief");
    give(CHAIR, THIEF, list, 1);
    give(ANN, THIEF, list, 3);
    remove_member(THIEF);
    meet(ANN, CHAIR);
    net_admit(net, space, CHAIR, THIEF, ENT_ROLE_EDITOR);
    later[1] = write_entry(THIEF, &list[1], roster_at(CHAIR), 4, "back again");
    give(CHAIR, THIEF, later, 2);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        ck_assert_int_eq(verdict_at(i, &later[1]), ENT_VERDICT_ACCEPTED);
        ck_assert_int_eq(doubles_at(i), 0);
    }
    check_all_equal(HONEST);
    ck_assert_int_eq(net_rows(net, ANN, "SELECT count(*) FROM aside"), 1);
    readmit(THIEF, &list[2]);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        check_values(i, 1, "one");
        check_values(i, 2, "two");
        check_values(i, 3, "by the thief");
        check_values(i, 4, "back again");
    }
    check_all_equal(HONEST);
}
END_TEST

/* ------------------------------------------------------------ dots to come
 */

#define TO_COME 98

/* Whoever names numbers that nobody has written yet, replaces nothing when they
 * are written: a dot is an entry's hash, not its number (L2, M3). */
START_TEST(names_of_writes_to_come_replace_none_of_them)
{
    const struct ent_id *origin = ent_store_origin(store_of(ANN));
    struct ent_ref refs[TO_COME];
    struct ent_seen seen[TO_COME];
    struct forged forged = begin(THIEF, NULL, roster_at(CHAIR), 1, "forged");

    for (uint32_t i = 0; i < TO_COME; i++) {
        refs[i] = (struct ent_ref){.origin = *origin, .seq = i + 1};
        seen[i] = (struct ent_seen){.ref = i};
    }
    forged.entry.refs = refs;
    forged.entry.ref_count = TO_COME;
    forged.seen = seen;
    forged.seen_count = TO_COME;
    forge_entry(&forged, &arena);
    give(BEN, THIEF, &forged, 1);
    if (_i & 1)
        give(CHAIR, THIEF, &forged, 1);
    set(ANN, 1, "first");
    set(ANN, 1, "victim");
    if (_i & 2)
        give(ANN, THIEF, &forged, 1);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++)
        check_values(i, 1, "forged|victim");
    check_all_equal(HONEST);
}
END_TEST

/* --------------------------------------------------------------- successions
 */

/* The first deputy has one vote, at a later place; two others have two, at an
 * earlier one. Votes count, neither the place nor whose name comes first (A2).
 */
START_TEST(a_majority_of_deputies_beats_one_of_them_at_a_later_place)
{
    const struct ent_keys *alone[] = {keys_of(ANN)};
    struct written seized;

    name_deputies(ANN, BEN, CAT);
    take_chair(BEN, CAT);
    ck_ok(ent_member_set_role(store_of(CHAIR), number(CHAIR), key_of(THIEF),
                              ENT_ROLE_READER, net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    seized =
        succession(keys_of(ANN), roster_at(CHAIR), 2, NET_START_MS, alone, 1);
    ck_assert_int_eq(tell(CHAIR, &seized).refused, 1);
    ck_assert_int_eq(tell(BEN, &seized).waiting, 1);
    if (_i & 1)
        net_copy_roster(net, space, CHAIR, ANN);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        ck_assert_int_eq(tell(i, &seized).refused, 1);
        ck_assert_int_eq(role_at(i, BEN), ENT_ROLE_CHAIR);
        ck_assert_int_eq(role_at(i, CHAIR), ENT_ROLE_EDITOR);
        ck_assert_int_eq(role_at(i, ANN), ENT_ROLE_EDITOR);
        ck_assert_int_eq(role_at(i, THIEF), ENT_ROLE_EDITOR);
    }
    check_all_equal(HONEST);
}
END_TEST

/* Two majorities at two places: the lower hash goes on, be it at the earlier or
 * the later one, and who voted in both is named everywhere. */
START_TEST(of_two_majorities_the_lower_hash_goes_on_wherever_it_stands)
{
    const struct ent_keys *for_ben[] = {keys_of(BEN), keys_of(CAT)};
    const struct ent_keys *for_ann[] = {keys_of(ANN), keys_of(CAT)};
    bool later_wins = _i & 1;
    int winner = later_wins ? ANN : BEN;
    struct written early, late;
    int64_t at = NET_START_MS;

    name_deputies(ANN, BEN, CAT);
    early = succession(keys_of(BEN), roster_at(CHAIR), 2, at, for_ben, 2);
    ck_ok(ent_member_set_role(store_of(CHAIR), number(CHAIR), key_of(THIEF),
                              ENT_ROLE_READER, net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    do
        late = succession(keys_of(ANN), roster_at(CHAIR), 2, ++at, for_ann, 2);
    while (later_wins !=
           (memcmp(late.head.hash.b, early.head.hash.b, ENT_HASH_BYTES) < 0));
    ck_assert_int_eq(tell(BEN, &early).applied, 1);
    ck_assert_int_eq(tell(CHAIR, &late).applied, 1);
    ck_assert_int_eq(tell(ANN, &late).waiting, 1);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        ck_assert_int_eq(role_at(i, winner), ENT_ROLE_CHAIR);
        ck_assert_int_eq(role_at(i, CHAIR), ENT_ROLE_EDITOR);
        ck_assert_int_eq(role_at(i, THIEF),
                         later_wins ? ENT_ROLE_READER : ENT_ROLE_EDITOR);
        ck_assert_ptr_nonnull(
            strstr(alarms_at(i), "voted for two next chairs"));
    }
    check_all_equal(HONEST);
}
END_TEST

#define ENTRIES_SINCE 50

/* Back where it was a deputy still, it had a vote; not the seat (A2). */
START_TEST(a_removed_deputy_that_dates_a_succession_back_is_refused)
{
    const struct ent_key deputies[] = {*key_of(ANN), *key_of(BEN)};
    const struct ent_keys *voters[] = {keys_of(THIEF), NULL};
    struct written seized, stuffed;
    struct head then;

    name_deputies(ANN, BEN, THIEF);
    then = roster_at(CHAIR);
    voters[1] = &net->nodes[net_add_puppet(net)].keys;
    seized = succession(keys_of(THIEF), then, 2, NET_START_MS, voters, 1);
    stuffed = succession(keys_of(THIEF), then, 2, NET_START_MS, voters, 2);
    remove_member(THIEF);
    for (int i = 0; i < ENTRIES_SINCE; i++)
        ck_ok(ent_deputies_set(store_of(CHAIR), number(CHAIR), deputies, 2,
                               net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    /* Some hear of it before they know of the removal. */
    for (int i = 0; i < HONEST; i++) {
        ck_assert_int_eq(tell(i, &seized).refused, 1);
        ck_assert_int_eq(tell(i, &stuffed).refused, 1);
    }
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        ck_assert_int_eq(tell(i, &seized).refused, 1);
        ck_assert_int_eq(tell(i, &stuffed).refused, 1);
        ck_assert_uint_eq(roster_at(i).pos, then.pos + 1 + ENTRIES_SINCE);
        ck_assert_int_eq(role_at(i, CHAIR), ENT_ROLE_CHAIR);
        ck_assert_int_eq(role_at(i, THIEF), ENT_ROLE_NONE);
    }
    check_all_equal(HONEST);
}
END_TEST

/* --------------------------------------------------------------- a lost chair
 */

#define REWRITTEN 6

/* What a former chair writes from an early entry on: members of its own making
 * become deputies there and vote the term up. */
static void rewrite(struct head from, struct written *list)
{
    const struct ent_keys *chair = keys_of(CHAIR);
    const struct ent_keys *socks[2];
    const struct ent_keys *back[] = {chair, NULL};
    struct ent_roster_entry admit = {.time_ms = NET_START_MS,
                                     .term = 1,
                                     .kind = ENT_ROSTER_ADMIT,
                                     .role = ENT_ROLE_EDITOR,
                                     .org = ent_slice_str("Sock")};
    struct ent_roster_entry deputies = {.time_ms = NET_START_MS,
                                        .term = 1,
                                        .kind = ENT_ROSTER_DEPUTIES,
                                        .key_count = 2};
    struct ent_key keys[2];
    int first;

    for (int i = 0; i < 2; i++)
        socks[i] = &net->nodes[net_add_puppet(net)].keys;
    first = memcmp(socks[0]->public.b, socks[1]->public.b, ENT_KEY_BYTES) > 0;
    keys[0] = socks[first]->public;
    keys[1] = socks[1 - first]->public;
    deputies.keys = keys;
    for (int i = 0; i < 2; i++) {
        admit.member = socks[i]->public;
        list[i] = write_after(chair, i == 0 ? from : list[0].head, admit);
    }
    list[2] = write_after(chair, list[1].head, deputies);
    list[3] = succession(socks[0], list[2].head, 2, NET_START_MS, socks, 2);
    /* The sock hands the chair's key a vote. */
    first = memcmp(chair->public.b, socks[1]->public.b, ENT_KEY_BYTES) > 0;
    keys[first] = chair->public;
    keys[1 - first] = socks[1]->public;
    deputies.term = 2;
    list[4] = write_after(socks[0], list[3].head, deputies);
    back[1] = socks[1];
    list[5] = succession(chair, list[4].head, 3, NET_START_MS, back, 2);
}

/* The chain of the highest term goes on, whoever made it so: a key that was the
 * chair's can write the roster anew from where it was. It is proven by two
 * entries after one, and every node says so; the remedy is a new space (A2). */
START_TEST(a_former_chair_that_writes_the_past_anew_is_an_alarm_everywhere)
{
    struct written list[REWRITTEN];
    struct head early;

    early = roster_at(CHAIR);
    name_deputies(ANN, BEN, CAT);
    take_chair(ANN, BEN);
    set(BEN, 1, "by ben");
    meet_all(0, HONEST);
    for (int i = 0; i < HONEST; i++)
        ck_assert_int_eq(role_at(i, ANN), ENT_ROLE_CHAIR);
    rewrite(early, list);
    for (int i = 0; i < REWRITTEN; i++)
        ck_assert_int_eq(tell(CAT, &list[i]).applied, 1);
    /* Some of it comes before, and not all at once. */
    for (int i = 0; i < (_i & 3) + 1; i++)
        ck_assert_int_eq(tell(BEN, &list[i]).applied, 1);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        ck_assert_uint_eq(roster_at(i).pos, early.pos + REWRITTEN);
        ck_assert_int_eq(role_at(i, CHAIR), ENT_ROLE_CHAIR);
        ck_assert_int_eq(role_at(i, ANN), ENT_ROLE_EDITOR);
        ck_assert_ptr_nonnull(strstr(
            alarms_at(i), "Org A wrote two entries of the roster after the"));
        check_values(i, 1, "by ben");
    }
    check_all_equal(HONEST);
}
END_TEST

/* --------------------------------------------------- a roster that parted
 */

/* The lost chair was not lost and wrote on; somebody who knew that wrote too.
 * What he wrote counts by the last entry below that is on the chain (A3). */
START_TEST(an_entry_that_names_a_void_place_counts_by_the_last_below_it)
{
    int guest = net_add(net);

    name_deputies(ANN, BEN, CAT);
    take_chair(ANN, BEN);
    net_admit(net, space, CHAIR, guest, ENT_ROLE_EDITOR);
    ck_ok(ent_member_set_role(store_of(CHAIR), number(CHAIR), key_of(THIEF),
                              ENT_ROLE_READER, net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    net_copy_roster(net, space, CHAIR, CAT);
    net_local(net, CAT);
    set(CAT, 1, "honest");
    ck_assert_uint_eq(roster_at(CAT).pos, roster_at(ANN).pos + 1);
    /* Nobody's member where the guest was never let in. */
    set(guest, 2, "by who was let in there");
    meet(guest, CHAIR);
    check_values(CHAIR, 2, "by who was let in there");
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        ck_assert_int_eq(role_at(i, ANN), ENT_ROLE_CHAIR);
        ck_assert_int_eq(role_at(i, guest), ENT_ROLE_NONE);
        ck_assert_int_eq(role_at(i, THIEF), ENT_ROLE_EDITOR);
        check_values(i, 1, "honest");
        check_values(i, 2, "");
        ck_assert_int_eq(net_counts(net, i, space).quarantined, 1);
    }
    check_all_equal(HONEST);
}
END_TEST

/* Both are tried: who calls and who is called. */
static void check_silence(int a, int b, int record)
{
    net_heal(net, a, b);
    net_call(net, a, b);
    net_run(net, MINUTE);
    net_call(net, b, a);
    net_run(net, MINUTE);
    net_cut(net, a, b);
    net_run(net, 1000);
    check_values(a, record, "");
}

/* Who succeeded knew of no removal: it is void, and the member back. Nobody who
 * knows of it speaks to that member until the chair has written about it; then
 * what it wrote meanwhile counts too (A2). */
START_TEST(a_member_whose_removal_is_void_is_back_and_spoken_to_once_answered)
{
    name_deputies(ANN, BEN, CAT);
    set(CAT, 1, "before");
    meet(CAT, ANN);
    remove_member(CAT);
    set(CAT, 2, "meanwhile");
    take_chair(ANN, BEN);
    set(ANN, 3, "not for Cat yet");
    meet_all(_i, CAT);
    for (int i = 0; i < CAT; i++) {
        ck_assert_int_eq(role_at(i, CAT), ENT_ROLE_EDITOR);
        check_values(i, 1, "before");
        ck_assert_ptr_nonnull(strstr(alarms_at(i), "\"member remove\" of"));
    }
    check_all_equal(CAT);
    for (int i = 0; i < CAT; i++) {
        check_silence(CAT, (i + _i) % CAT, 3);
        check_values((i + _i) % CAT, 2, "");
    }
    ck_assert_ptr_nonnull(strstr(alarms_at(CAT), "\"member remove\" of"));
    ck_ok(ent_member_set_role(store_of(ANN), number(ANN), key_of(CAT),
                              ENT_ROLE_EDITOR, net_now(net, ANN), &err));
    net_local(net, ANN);
    meet_all(_i, HONEST);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        check_values(i, 2, "meanwhile");
        check_values(i, 3, "not for Cat yet");
        ck_assert_ptr_null(strstr(alarms_at(i), "is void"));
    }
    check_all_equal(HONEST);
}
END_TEST

/* ------------------------------------------------------------------ branches
 */

/* Two lives of one replica write under one number, and both replace the same.
 * Ben saw one of the two: what he writes replaces that one, and the other
 * stands (A8, M2). Once it is the one whose hash is lower, once the other. */
START_TEST(who_replaces_what_one_clone_wrote_leaves_the_other_ones_alone)
{
    int lives[2];
    bool other = _i & 1;

    set(ANN, 1, "zero");
    meet(ANN, BEN);
    lives[0] = ANN;
    lives[1] = net_clone(net, ANN);
    for (int i = 0; i < lives[1]; i++)
        net_cut(net, i, lives[1]);
    set(lives[0], 1, "first life");
    set(lives[1], 1, "second life");
    meet(lives[other], BEN);
    set(BEN, 1, "by Ben");
    meet(lives[!other], _i & 2 ? CAT : CHAIR);
    meet_all(_i, HONEST);
    meet(lives[1], CHAIR);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        check_values(i, 1, other ? "by Ben|first life" : "by Ben|second life");
        ck_assert_int_eq(net_counts(net, i, space).forks, 1);
        ck_assert_ptr_nonnull(strstr(alarms_at(i), "two different entries"));
    }
    check_values(lives[1], 1,
                 other ? "by Ben|first life" : "by Ben|second life");
    check_all_equal(HONEST);
}
END_TEST

/* Who saw both names both, and nothing but its own stands. */
START_TEST(who_settles_what_two_clones_wrote_leaves_its_own_alone)
{
    int twin;

    set(ANN, 1, "zero");
    meet(ANN, CAT);
    twin = net_clone(net, ANN);
    for (int i = 0; i < twin; i++)
        net_cut(net, i, twin);
    set(ANN, 1, "first life");
    set(twin, 1, "second life");
    meet(_i & 1 ? ANN : twin, CAT);
    meet(_i & 1 ? twin : ANN, CAT);
    check_values(CAT, 1, "first life|second life");
    set(CAT, 1, "settled");
    check_values(CAT, 1, "settled");
    if (_i & 2)
        meet(twin, BEN);
    if (_i & 4)
        meet(twin, CHAIR);
    meet_all(_i, HONEST);
    meet(twin, BEN);
    for (int i = 0; i < HONEST; i++)
        check_values(i, 1, "settled");
    check_values(twin, 1, "settled");
    check_all_equal(HONEST);
}
END_TEST

#define KEPT 5

/* A removed member writes the second of five entries anew, below what the chair
 * kept. Some had it before they had the others, some before the removal came,
 * some later: it counts nowhere (A4). */
START_TEST(a_branch_made_below_a_cut_is_outside_in_any_order)
{
    static const char *const texts[KEPT] = {"one", "two", "three", "four",
                                            "five"};
    struct head head = roster_at(CHAIR);
    struct forged list[KEPT];
    struct forged branch, second;
    bool lower = _i & 1;

    for (int i = 0; i < KEPT; i++)
        list[i] = write_entry(THIEF, i == 0 ? NULL : &list[i - 1], head, i + 1,
                              texts[i]);
    branch = begin(THIEF, &list[0], head, 2, "forged later");
    do {
        branch.entry.time_ms++;
        forge_entry(&branch, &arena);
    } while (lower !=
             (memcmp(branch.hash.b, list[1].hash.b, ENT_HASH_BYTES) < 0));
    second = write_entry(THIEF, &list[0], head, 2, "forged twice");
    give(CHAIR, THIEF, list, KEPT);
    give(ANN, THIEF, list, KEPT);
    give(ANN, THIEF, &branch, 1);
    check_values(ANN, 2, "forged later|two");
    give(BEN, THIEF, list, 1);
    give(BEN, THIEF, &branch, 1);
    check_values(BEN, 2, "forged later");
    remove_member(THIEF);
    if (_i & 2) { /* the cut before what it keeps */
        if (_i & 4) {
            give(BEN, THIEF, &second, 1);
            check_values(BEN, 2, "forged later|forged twice");
        }
        net_copy_roster(net, space, CHAIR, BEN);
        net_local(net, BEN);
        check_values(BEN, 2, _i & 4 ? "" : "forged later");
        check_sound(BEN);
    }
    give(CAT, THIEF, list, 1 + _i % KEPT);
    give(CAT, THIEF, &branch, 1);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        for (int e = 0; e < KEPT; e++) {
            ck_assert_int_eq(verdict_at(i, &list[e]), ENT_VERDICT_ACCEPTED);
            check_values(i, e + 1, texts[e]);
        }
        ck_assert_int_eq(verdict_at(i, &branch), ABSENT);
    }
    check_all_equal(HONEST);
    /* Nor does it come in later. */
    for (int i = 0; i < HONEST; i++) {
        struct ent_digest before = net_digest(net, i, space);
        struct ent_digest after;

        give(i, THIEF, &branch, 1);
        after = net_digest(net, i, space);
        ck_assert_mem_eq(&before, &after, sizeof(before));
    }
}
END_TEST

/* Ben has the first entry and two branches upon it, each signed where it ends;
 * the cut takes both away, and with them the only signatures that Ben holds.
 * What is left is below what the chair kept, and goes on to others once
 * somebody has come who has that (A4, L3). */
START_TEST(what_lost_its_signature_to_a_cut_waits_for_the_head_that_is_kept)
{
    struct head head = roster_at(CHAIR);
    struct forged list[2];
    struct forged branches[2];

    list[0] = write_entry(THIEF, NULL, head, 1, "one");
    list[1] = write_entry(THIEF, &list[0], head, 2, "two");
    branches[0] = write_entry(THIEF, &list[0], head, 2, "forged");
    branches[1] = write_entry(THIEF, &list[0], head, 2, "forged twice");
    give(CHAIR, THIEF, list, 2);
    give(BEN, THIEF, list, 1);
    for (int i = 0; i < 2; i++)
        give(BEN, THIEF, &branches[i], 1);
    remove_member(THIEF);
    for (int i = ANN; i <= CAT; i++) {
        net_copy_roster(net, space, CHAIR, i);
        net_local(net, i);
    }
    check_values(BEN, 1, "one");
    check_values(BEN, 2, "");
    check_sound(BEN);
    net_heal(net, CAT, BEN);
    net_call(net, _i & 1 ? CAT : BEN, _i & 1 ? BEN : CAT);
    net_run(net, 10 * MINUTE);
    net_cut(net, CAT, BEN);
    net_run(net, 1000);
    check_sound(BEN);
    check_sound(CAT);
    meet(_i & 2 ? CHAIR : BEN, _i & 2 ? BEN : CHAIR);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        check_values(i, 1, "one");
        check_values(i, 2, "two");
        ck_assert_int_eq(net->nodes[i].offences, 0);
    }
    check_all_equal(HONEST);
}
END_TEST

#define LONGER 7

/* The branch goes on beyond the number of the head that is kept: until that
 * head comes, Ben's copy of it counts by its numbers and is cut above (A4). */
START_TEST(a_branch_longer_than_what_is_kept_goes_once_that_has_come)
{
    struct head head = roster_at(CHAIR);
    struct forged list[KEPT];
    struct forged branch[LONGER];

    for (int i = 0; i < KEPT; i++)
        list[i] = write_entry(THIEF, i == 0 ? NULL : &list[i - 1], head, i + 1,
                              "kept");
    branch[0] = list[0];
    for (int i = 1; i < LONGER; i++)
        branch[i] = write_entry(THIEF, &branch[i - 1], head, i + 1, "forged");
    give(CHAIR, THIEF, list, KEPT);
    give(BEN, THIEF, branch, LONGER);
    if (_i & 1)
        give(ANN, THIEF, list, 1 + _i % KEPT);
    if (_i & 2)
        give(ANN, THIEF, branch, LONGER);
    remove_member(THIEF);
    if (_i & 4)
        net_copy_roster(net, space, CHAIR, BEN);
    net_heal(net, CAT, BEN);
    net_call(net, _i & 1 ? CAT : BEN, _i & 1 ? BEN : CAT);
    net_run(net, 10 * MINUTE);
    net_cut(net, CAT, BEN);
    net_run(net, 1000);
    check_sound(BEN);
    check_sound(CAT);
    meet(BEN, CHAIR);
    meet(CAT, CHAIR);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        for (int e = 0; e < LONGER; e++)
            check_values(i, e + 1, e < KEPT ? "kept" : "");
        ck_assert_int_eq(net->nodes[i].offences, 0);
        ck_assert_int_eq(doubles_at(i), 0);
    }
    check_all_equal(HONEST);
}
END_TEST

/* The chair had nothing of it: the log goes whole, with its branches, and comes
 * again with them when it is readmitted (A4). */
START_TEST(a_forked_log_is_cut_whole_and_comes_back_whole)
{
    struct head head = roster_at(CHAIR);
    struct forged list[2];
    struct forged branch[2];

    list[0] = write_entry(THIEF, NULL, head, 1, "one");
    list[1] = write_entry(THIEF, &list[0], head, 2, "two");
    branch[0] = list[0];
    branch[1] = write_entry(THIEF, &list[0], head, 2, "another");
    give(ANN, THIEF, list, 2);
    give(ANN, THIEF, branch, 2);
    give(BEN, THIEF, branch, 2);
    if (_i & 1)
        give(BEN, THIEF, list, 2);
    check_values(ANN, 2, "another|two");
    remove_member(THIEF);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        check_values(i, 1, "");
        check_values(i, 2, "");
    }
    check_all_equal(HONEST);
    readmit(THIEF, &branch[1]);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        check_values(i, 1, "one");
        check_values(i, 2, "another");
        ck_assert_int_eq(doubles_at(i), 0);
    }
    check_all_equal(HONEST);
    readmit(THIEF, &list[1]);
    meet_all(_i, HONEST);
    for (int i = 0; i < HONEST; i++) {
        check_values(i, 1, "one");
        check_values(i, 2, "another|two");
    }
    check_all_equal(HONEST);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static Suite *scenarios_suite(void)
{
    Suite *suite = suite_create("scenarios");
    TCase *log = add_case(suite, "log");
    TCase *chairs = add_case(suite, "chairs");
    TCase *parted = add_case(suite, "parted");
    TCase *branches = add_case(suite, "branches");

    tcase_add_loop_test(
        log, a_later_higher_cut_brings_nothing_back_that_an_earlier_one_took, 0,
        ORDERS);
    tcase_add_loop_test(log,
                        what_was_set_aside_is_not_lost_to_another_of_its_number,
                        0, ORDERS);
    tcase_add_loop_test(log, names_of_writes_to_come_replace_none_of_them, 0,
                        ORDERS);
    tcase_add_loop_test(
        chairs, a_majority_of_deputies_beats_one_of_them_at_a_later_place, 0,
        ORDERS);
    tcase_add_loop_test(
        chairs, of_two_majorities_the_lower_hash_goes_on_wherever_it_stands, 0,
        ORDERS);
    tcase_add_loop_test(
        chairs, a_removed_deputy_that_dates_a_succession_back_is_refused, 0,
        ORDERS);
    tcase_add_loop_test(
        chairs, a_former_chair_that_writes_the_past_anew_is_an_alarm_everywhere,
        0, ORDERS);
    tcase_add_loop_test(
        parted, an_entry_that_names_a_void_place_counts_by_the_last_below_it, 0,
        ORDERS);
    tcase_add_loop_test(
        parted,
        a_member_whose_removal_is_void_is_back_and_spoken_to_once_answered, 0,
        ORDERS);
    tcase_add_loop_test(
        branches, who_replaces_what_one_clone_wrote_leaves_the_other_ones_alone,
        0, ORDERS);
    tcase_add_loop_test(branches,
                        who_settles_what_two_clones_wrote_leaves_its_own_alone,
                        0, ORDERS);
    tcase_add_loop_test(
        branches, a_branch_made_below_a_cut_is_outside_in_any_order, 0, ORDERS);
    tcase_add_loop_test(
        branches,
        what_lost_its_signature_to_a_cut_waits_for_the_head_that_is_kept, 0,
        ORDERS);
    tcase_add_loop_test(
        branches, a_forked_log_is_cut_whole_and_comes_back_whole, 0, ORDERS);
    tcase_add_loop_test(
        branches, a_branch_longer_than_what_is_kept_goes_once_that_has_come, 0,
        ORDERS);
    return suite;
}

int main(void)
{
    return party_run(scenarios_suite());
}
