/* test_engine.c - what the session engine promises, told by small nets of real
 * nodes, and by a puppet that speaks where a node would. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "codec/said.h"
#include "net.h"
#include "secure/hash.h"
#include "store/members.h"

#define SECOND 1000
#define MINUTE (60 * SECOND)

static struct net *net;

static void setup(void)
{
    net = net_new(7);
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

static void check_counts(int node)
{
    for (int i = 0; i < net->count; i++) {
        struct ent_peer peer = net_peer(net, node, i);

        ck_assert_int_eq(peer.received, peer.applied + peer.duplicate +
                                            peer.quarantined + peer.refused +
                                            peer.waiting);
    }
}

/* -------------------------------------------------------- what links carry */

#define TYPES 32

/* What went over all links since it was last cleared. */
static struct {
    uint64_t frames[TYPES];
    uint64_t bytes;
    uint64_t entry_bytes; /* packed entries */
    const char *canary;   /* in what is sent to `spy`, unpacked too */
    int spy;
    bool leaked;
    int runs_left; /* RUNS to deliver before the link breaks; < 0: none */
} seen;

static bool holds(struct ent_slice bytes, const char *text)
{
    return memmem(bytes.at, bytes.len, text, strlen(text)) != NULL;
}

static void look_inside(const struct ent_frame *frame, int to,
                        struct ent_arena *arena)
{
    struct ent_frame_run *runs;
    size_t count;

    if (frame->runs.len == 0 ||
        ent_runs_get(frame->runs, arena, &runs, &count, NULL) < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < runs[i].entry_count; j++) {
            seen.entry_bytes += runs[i].entries[j].len;
            if (to == seen.spy && seen.canary != NULL)
                seen.leaked =
                    seen.leaked || holds(runs[i].entries[j], seen.canary);
        }
    }
}

static bool watch_sent(struct net *in, int from, int to, struct ent_slice bytes)
{
    struct ent_arena arena = {0};
    struct ent_frame frame;

    (void)in;
    (void)from;
    seen.bytes += bytes.len;
    if (ent_frame_get(bytes, &arena, &frame, NULL) == 0) {
        seen.frames[frame.type]++;
        look_inside(&frame, to, &arena);
    }
    if (to == seen.spy && seen.canary != NULL)
        seen.leaked = seen.leaked || holds(bytes, seen.canary);
    ent_arena_fini(&arena);
    return true;
}

static bool watch_arriving(struct net *in, int from, int to,
                           struct ent_slice bytes)
{
    struct ent_arena arena = {0};
    struct ent_frame frame;

    if (seen.runs_left >= 0 &&
        ent_frame_get(bytes, &arena, &frame, NULL) == 0 &&
        frame.type == ENT_FRAME_RUNS && seen.runs_left-- == 0)
        net_drop(in, from, to);
    ent_arena_fini(&arena);
    return true;
}

static void watch_sent_only(void)
{
    memset(&seen, 0, sizeof(seen));
    seen.runs_left = -1;
    net->posted = watch_sent;
}

static void watch_links(void)
{
    watch_sent_only();
    net->tap = watch_arriving;
}

static uint64_t frames_seen(void)
{
    uint64_t count = 0;

    for (size_t i = 0; i < TYPES; i++)
        count += seen.frames[i];
    return count;
}

/* ---------------------------------------------------------------- sessions */

START_TEST(two_nodes_converge)
{
    int space = found(1);

    set(0, space, 1, NET_TITLE, "from the chair");
    set(1, space, 2, NET_TITLE, "from the editor");
    link_up(1, 0);
    ck_assert(net_equal(net, 0, 1, space));
    check_values(0, space, 2, NET_TITLE, "from the editor");
    check_values(1, space, 1, NET_TITLE, "from the chair");
    ck_assert_int_ge(net->nodes[0].notes[ENT_NOTE_DONE], 1);
    ck_assert_int_ge(net->nodes[1].notes[ENT_NOTE_EQUAL], 1);
    ck_assert_int_eq(net->nodes[0].notes[ENT_NOTE_DIVERGED], 0);
    check_counts(0);
    check_counts(1);
}
END_TEST

/* Rule S2. */
START_TEST(what_was_sent_and_taken_is_counted_when_the_session_is_done)
{
    int space = found(1);

    for (int i = 0; i < 10; i++)
        set(0, space, i, NET_TITLE, "a title");
    link_up(0, 1);
    ck_assert_int_eq(net_peer(net, 1, 0).applied, 10);
    ck_assert_int_eq(net_peer(net, 0, 1).sent, 10);
    net_drop(net, 0, 1);
    net_run(net, SECOND);
    for (int i = 0; i < 3; i++) {
        set(0, space, i, NET_TITLE, "another title");
        set(1, space, i, NET_TITLE, "a third title");
    }
    link_up(0, 1);
    ck_assert_int_eq(net_peer(net, 1, 0).received, 13);
    ck_assert_int_eq(net_peer(net, 0, 1).sent, 13);
    ck_assert_int_eq(net_peer(net, 0, 1).received, 3);
    ck_assert_int_eq(net_peer(net, 1, 0).sent, 3);
    ck_assert_int_eq(net_peer(net, 1, 0).duplicate, 0);
}
END_TEST

START_TEST(a_session_with_nothing_to_do_is_one_round_trip)
{
    int spaces[10];

    net_add(net);
    net_add(net);
    for (int i = 0; i < 10; i++) {
        spaces[i] = net_found(net, 0);
        net_admit(net, spaces[i], 0, 1, ENT_ROLE_EDITOR);
        set(i % 2, spaces[i], 1, NET_TITLE, "something");
    }
    link_up(1, 0);
    net_stop(net, 0);
    net_stop(net, 1);
    net_start(net, 0);
    net_start(net, 1);
    watch_links();
    link_up(1, 0);
    ck_assert_uint_eq(seen.frames[ENT_FRAME_HELLO], 1);
    ck_assert_uint_eq(seen.frames[ENT_FRAME_WELCOME], 1);
    ck_assert_uint_eq(frames_seen(), 2);
    ck_assert_uint_le(seen.bytes, 200);
    ck_assert_int_eq(net->nodes[0].notes[ENT_NOTE_DONE], 2);
}
END_TEST

START_TEST(a_member_relays_the_log_of_a_third)
{
    int space = found(2);

    set(1, space, 1, NET_TITLE, "by way of the chair");
    link_up(1, 0);
    net_stop(net, 1);
    link_up(2, 0);
    check_values(2, space, 1, NET_TITLE, "by way of the chair");
    ck_assert(net_equal(net, 0, 2, space));
}
END_TEST

START_TEST(a_hundred_edits_apart_keep_both_values_of_twenty)
{
    int space = found(1);
    struct ent_buf conflicts[2] = {{0}};

    for (int r = 0; r < 100; r++)
        set(0, space, r, NET_TITLE, "first");
    link_up(1, 0);
    net_cut(net, 0, 1);
    for (int r = 0; r < 60; r++)
        set(0, space, r, NET_TITLE, "left");
    for (int r = 40; r < 100; r++)
        set(1, space, r, NET_TITLE, "right");
    net_heal(net, 0, 1);
    link_up(0, 1);
    ck_assert(net_equal(net, 0, 1, space));
    check_values(0, space, 5, NET_TITLE, "left");
    check_values(1, space, 50, NET_TITLE, "left|right");
    check_values(0, space, 50, NET_TITLE, "left|right");
    check_values(0, space, 80, NET_TITLE, "right");
    ck_assert_int_eq(net_counts(net, 0, space).conflicts, 20);
    for (int i = 0; i < 2; i++)
        net_conflicts(net, i, space, &conflicts[i]);
    ck_assert(ent_slice_equal(ent_buf_slice(&conflicts[0]),
                              ent_buf_slice(&conflicts[1])));
    for (int i = 0; i < 2; i++)
        ent_buf_fini(&conflicts[i]);
}
END_TEST

/* Rule S3. What the receiver committed is never asked for again. */
START_TEST(a_link_cut_in_a_large_pull_costs_little)
{
    int space = found(1);
    uint64_t whole;

    for (int i = 0; i < 20; i++)
        net_fill(net, 0, space, 200 * i, 200);
    watch_links();
    seen.runs_left = 5;
    net_call(net, 1, 0);
    net_run(net, 20 * SECOND);
    ck_assert_int_lt(seen.runs_left, 0);
    if (net_links(net, 0, 1) == 0)
        net_call(net, 1, 0);
    ck_assert(net_run_quiet(net, 10 * MINUTE));
    ck_assert(net_equal(net, 0, 1, space));
    ck_assert_int_eq(net_peer(net, 1, 0).duplicate, 0);
    whole = (uint64_t)net_rows(net, 1, "SELECT sum(length(entry)) FROM log");
    ck_assert_uint_ge(seen.entry_bytes, whole);
    ck_assert_uint_le(seen.entry_bytes - whole, ENT_BATCH_BYTES_MAX);
    check_counts(1);
}
END_TEST

static int rosters_left;

static bool cut_in_rosters(struct net *in, int from, int to,
                           struct ent_slice bytes)
{
    struct ent_arena arena = {0};
    struct ent_frame frame = {0};
    bool roster = from == 0 &&
                  ent_frame_get(bytes, &arena, &frame, NULL) == 0 &&
                  frame.type == ENT_FRAME_ROSTER && !frame.last;

    (void)in;
    (void)to;
    ent_arena_fini(&arena);
    rosters_left -= roster;
    return from != 0 || rosters_left >= 0;
}

static void never_found(void *ctx, const char *text)
{
    (void)ctx;
    ck_abort_msg("%s", text);
}

/* Rule S3: what came of a large roster before the link broke has no hole. */
START_TEST(a_link_cut_in_a_large_roster_leaves_a_sound_replica)
{
    const struct ent_hash8 none = {{0}};
    char org[ENT_NAME_BYTES_MAX + 1];
    struct ent_err err;
    int space = found(1);

    memset(org, 'o', sizeof(org) - 1);
    org[sizeof(org) - 1] = '\0';
    for (int i = 0; i < 1000; i++) {
        const uint8_t seed[32] = {1, (uint8_t)(i / 256), (uint8_t)i};
        struct ent_keys keys;

        ent_keys_from_seed(&keys, seed);
        ck_assert_int_eq(ent_member_admit(net->nodes[0].store,
                                          net_space(net, space, 0),
                                          &keys.public, ENT_ROLE_READER, org,
                                          &none, NET_START_MS, &err),
                         0);
    }
    rosters_left = 1;
    net->tap = cut_in_rosters;
    net_call(net, 1, 0);
    net_run(net, SECOND);
    ck_assert_int_lt(rosters_left, 0);
    net_cut(net, 0, 1);
    net_run(net, SECOND);
    ck_assert_int_gt(net_rows(net, 1, "SELECT count(*) FROM roster"), 100);
    ck_assert_int_lt(net_rows(net, 1, "SELECT count(*) FROM roster"), 1000);
    ck_assert_int_eq(
        ent_store_verify(net->nodes[1].store, false, never_found, NULL, &err),
        0);
    net->tap = NULL;
    net_heal(net, 0, 1);
    link_up(1, 0);
    ck_assert(net_equal(net, 0, 1, space));
}
END_TEST

/* Rule A6. */
START_TEST(a_reader_receives_everything_and_writes_nothing)
{
    int space = found(0);
    int reader = net_add(net);

    net_admit(net, space, 0, reader, ENT_ROLE_READER);
    set(0, space, 1, NET_TITLE, "to be read");
    link_up(reader, 0);
    check_values(reader, space, 1, NET_TITLE, "to be read");
    ck_assert_int_eq(net_set(net, reader, space, 1, NET_TITLE, "mine"),
                     ENT_EDENIED);
    ck_assert(net_equal(net, 0, reader, space));
}
END_TEST

/* Rule S4. */
START_TEST(news_reach_a_live_peer_at_once_with_the_entry)
{
    int space = found(1);

    link_up(1, 0);
    watch_links();
    set(0, space, 1, NET_TITLE, "breaking");
    net_run(net, net->delay_ms + 5);
    check_values(1, space, 1, NET_TITLE, "breaking");
    ck_assert_uint_eq(seen.frames[ENT_FRAME_NEWS], 1);
    ck_assert_uint_eq(seen.frames[ENT_FRAME_WANT], 0);
    ck_assert(net_run_quiet(net, MINUTE));
    ck_assert(net_equal(net, 0, 1, space));
}
END_TEST

START_TEST(large_news_are_fetched)
{
    int space = found(1);

    link_up(1, 0);
    net_fill(net, 0, space, 0, 400);
    ck_assert(net_run_quiet(net, MINUTE));
    ck_assert(net_equal(net, 0, 1, space));
    ck_assert_int_eq(net_peer(net, 1, 0).duplicate, 0);
}
END_TEST

START_TEST(news_travel_along_a_line)
{
    int space = found(2);

    link_up(0, 1);
    link_up(1, 2);
    set(0, space, 1, NET_TITLE, "passed on");
    net_run(net, 4 * net->delay_ms + 5); /* a relay is asked */
    check_values(2, space, 1, NET_TITLE, "passed on");
    set(2, space, 1, NET_TITLE, "and back");
    net_run(net, 4 * net->delay_ms + 5); /* a relay is asked */
    check_values(0, space, 1, NET_TITLE, "and back");
    ck_assert(net_run_quiet(net, MINUTE));
    for (int i = 1; i < 3; i++)
        ck_assert(net_equal(net, 0, i, space));
}
END_TEST

START_TEST(two_connections_between_two_nodes_do_no_harm)
{
    int space = found(1);

    set(0, space, 1, NET_TITLE, "left");
    set(1, space, 1, NET_TITLE, "right");
    net_call(net, 0, 1);
    net_call(net, 1, 0);
    ck_assert(net_run_quiet(net, MINUTE));
    ck_assert_uint_eq(net_links(net, 0, 1), 2);
    set(0, space, 2, NET_TITLE, "more");
    ck_assert(net_run_quiet(net, MINUTE));
    check_values(1, space, 2, NET_TITLE, "more");
    check_values(1, space, 1, NET_TITLE, "left|right");
    ck_assert(net_equal(net, 0, 1, space));
    check_counts(0);
    check_counts(1);
}
END_TEST

/* The welcome says "equal" to what the hello said, not to what stands now. */
START_TEST(a_commit_while_the_hello_is_under_way_is_not_forgotten)
{
    int space = found(1);

    link_up(1, 0);
    net_drop(net, 0, 1);
    net_run(net, SECOND);
    net_call(net, 1, 0);
    net_run(net, 5); /* it stands and the hello was sent */
    set(1, space, 1, NET_TITLE, "meanwhile");
    ck_assert(net_run_quiet(net, MINUTE));
    check_values(0, space, 1, NET_TITLE, "meanwhile");
    ck_assert(net_equal(net, 0, 1, space));
}
END_TEST

/* The welcome answers the spaces in the order in which the hello named them,
 * whatever is shared by the time it comes. */
START_TEST(an_admission_while_the_hello_is_under_way_does_no_harm)
{
    int first;
    int second;

    net_add(net);
    net_add(net);
    first = net_found(net, 0);
    second = net_found(net, 0);
    net_admit(net, second, 0, 1, ENT_ROLE_EDITOR);
    link_up(0, 1);
    net_drop(net, 0, 1);
    net_run(net, SECOND);
    set(0, first, 1, NET_TITLE, "in the first space");
    net_call(net, 0, 1);
    net_run(net, 5);
    net_admit(net, first, 0, 1, ENT_ROLE_EDITOR);
    ck_assert(net_run_quiet(net, MINUTE));
    check_values(1, first, 1, NET_TITLE, "in the first space");
    ck_assert(net_equal(net, 0, 1, first));
    ck_assert(net_equal(net, 0, 1, second));
}
END_TEST

/* Two rosters change within one round trip. The peer has heard of neither: it
 * must get the roster before anything else, and refuses what comes too early
 * (I13). */
START_TEST(two_admissions_within_a_round_trip_are_both_greeted)
{
    static const struct ent_hash8 no_invite;
    enum { PEER, LATE, CHAIR };
    int shared;
    int first;
    int second;

    for (int i = 0; i < 3; i++)
        net_add(net);
    shared = net_found(net, PEER);
    net_admit(net, shared, PEER, LATE, ENT_ROLE_EDITOR);
    first = net_found(net, CHAIR);
    net_admit(net, first, CHAIR, LATE, ENT_ROLE_EDITOR);
    second = net_found(net, CHAIR);
    net_admit(net, second, CHAIR, PEER, ENT_ROLE_EDITOR);
    link_up(PEER, LATE);
    net_admit(net, second, CHAIR, LATE, ENT_ROLE_EDITOR);
    net_run(net, net->delay_ms / 2);
    ck_assert_int_eq(
        ent_member_admit(net->nodes[CHAIR].store, net_space(net, first, CHAIR),
                         &net->nodes[PEER].keys.public, ENT_ROLE_EDITOR, "Peer",
                         &no_invite, net_now(net, CHAIR), NULL),
        0);
    net_copy_roster(net, first, CHAIR, LATE);
    net_local(net, LATE);
    net_run(net, SECOND);
    set(LATE, second, 1, NET_TITLE, "from the one admitted late");
    ck_assert(net_run_quiet(net, MINUTE));
    ck_assert_int_eq(net->nodes[PEER].offences, 0);
    check_values(PEER, second, 1, NET_TITLE, "from the one admitted late");
    ck_assert(net_equal(net, PEER, LATE, second));
    /* What the peer did not know then is greeted when it does. */
    net_expect(net, first, CHAIR, PEER);
    set(PEER, first, 1, NET_TITLE, "from the peer");
    ck_assert(net_run_quiet(net, MINUTE));
    check_values(LATE, first, 1, NET_TITLE, "from the peer");
    ck_assert(net_equal(net, PEER, LATE, first));
}
END_TEST

static bool lose_answers_of_0(struct net *in, int from, int to,
                              struct ent_slice bytes)
{
    struct ent_arena arena = {0};
    struct ent_frame frame = {0};
    bool lost = from == 0 && ent_frame_get(bytes, &arena, &frame, NULL) == 0 &&
                frame.type == ENT_FRAME_RUNS;

    (void)in;
    (void)to;
    ent_arena_fini(&arena);
    return !lost;
}

/* What one peer was asked for is asked of another when the first one dies
 * before it has answered (rule S6). */
START_TEST(a_peer_that_dies_in_its_answer_holds_nobody_up)
{
    int space = found(2);

    net_fill(net, 0, space, 0, 200);
    link_up(1, 0);
    net_cut(net, 0, 1);
    net->tap = lose_answers_of_0;
    watch_sent_only();
    net_call(net, 2, 0); /* asked first */
    net_run(net, SECOND);
    ck_assert_uint_eq(seen.frames[ENT_FRAME_WANT], 1);
    net_call(net, 2, 1); /* has the same, and waits its turn */
    net_run(net, SECOND);
    ck_assert_uint_eq(seen.frames[ENT_FRAME_WANT], 1);
    net_stop(net, 0);
    net_run(net, 30 * SECOND);
    check_counts(2);
    ck_assert_int_eq(net_peer(net, 2, 1).applied, net_peer(net, 1, 0).applied);
    ck_assert(net_equal(net, 1, 2, space));
}
END_TEST

/* The same when it does not die but falls silent: it is given up. */
START_TEST(a_peer_that_falls_silent_holds_nobody_up_for_long)
{
    int space = found(2);

    net_fill(net, 0, space, 0, 200);
    link_up(1, 0);
    net_cut(net, 0, 1);
    net->tap = lose_answers_of_0;
    net_call(net, 2, 0);
    net_run(net, SECOND);
    net_call(net, 2, 1);
    net_run(net, 20 * SECOND);
    ck_assert(net_equal(net, 1, 2, space));
}
END_TEST

/* Rule S10. */
START_TEST(endpoints_are_learned_through_a_third_node)
{
    char endpoints[ENT_ENDPOINTS_MAX][ENT_ENDPOINT_MAX + 1];
    size_t count = 0;
    struct ent_err err;
    int space = found(2);

    link_up(2, 0);
    net_stop(net, 2);
    net_stop(net, 1);
    net->nodes[1].dial_members = true;
    net_start(net, 1);
    net_run(net, SECOND);
    link_up(1, 0);
    ck_assert_int_eq(ent_peer_endpoints(net->nodes[1].store,
                                        &net->nodes[2].keys.public, endpoints,
                                        ENT_ENDPOINTS_MAX, &count, &err),
                     0);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(endpoints[0], "sim://2");
    net_start(net, 2);
    net_run(net, 15 * MINUTE);
    ck_assert_uint_ge(net_links(net, 1, 2), 1);
    ck_assert(net_equal(net, 1, 2, space));
}
END_TEST

START_TEST(what_came_from_others_is_found_by_its_words)
{
    struct ent_record_ref refs[4];
    struct ent_err err;
    size_t count = 0;
    int space = found(1);

    set(0, space, 1, NET_TITLE, "here");
    set(1, space, 2, NET_TITLE, "ailleurs");
    link_up(1, 0);
    for (int i = 0; i < 2; i++) {
        struct ent_store *store = net->nodes[i].store;

        ck_assert_int_eq(ent_search_catch_up(store, &err), 0);
        ck_assert_int_eq(ent_search(store, "here", refs, 4, &count, &err), 0);
        ck_assert_uint_eq(count, 1);
        ck_assert_int_eq(ent_search(store, "ailleurs", refs, 4, &count, &err),
                         0);
        ck_assert_uint_eq(count, 1);
    }
}
END_TEST

/* Rule M12. */
START_TEST(a_clock_a_year_ahead_is_noted_and_decides_nothing)
{
    int space = found(1);

    net->nodes[0].clock_ms = INT64_C(365) * 24 * 3600 * 1000;
    set(0, space, 1, NET_TITLE, "from next year");
    link_up(1, 0);
    ck_assert_int_ge(net->nodes[0].notes[ENT_NOTE_CLOCK], 1);
    ck_assert_int_ge(net->nodes[1].notes[ENT_NOTE_CLOCK], 1);
    set(1, space, 1, NET_TITLE, "from today, having seen it");
    ck_assert(net_run_quiet(net, MINUTE));
    check_values(0, space, 1, NET_TITLE, "from today, having seen it");
    ck_assert(net_equal(net, 0, 1, space));
}
END_TEST

START_TEST(a_clock_set_back_does_not_put_off_dialling)
{
    int space = found(1);

    link_up(1, 0);
    net_stop(net, 1);
    net_stop(net, 0);
    net->nodes[1].dial_members = true;
    net_start(net, 1);
    net_run(net, 10 * SECOND);
    net->nodes[1].clock_ms -= INT64_C(365) * 24 * 3600 * 1000;
    net_start(net, 0);
    net_run(net, 15 * MINUTE);
    ck_assert_uint_ge(net_links(net, 1, 0), 1);
    ck_assert(net_equal(net, 0, 1, space));
}
END_TEST

/* ----------------------------------------------------------------- joining */

START_TEST(an_invitation_admits_once)
{
    int space = found(0);
    int first = net_add(net);
    int second = net_add(net);
    struct ent_buf line =
        net_invite(net, space, 0, ENT_ROLE_EDITOR, NET_START_MS + 60 * MINUTE);

    set(0, space, 1, NET_TITLE, "for members");
    net_join(net, first, ent_buf_cstr(&line));
    ck_assert(net_run_quiet(net, MINUTE));
    ck_assert_int_eq(net->nodes[first].notes[ENT_NOTE_JOINED], 1);
    ck_assert_int_eq(net->nodes[0].notes[ENT_NOTE_ADMITTED], 1);
    check_values(first, space, 1, NET_TITLE, "for members");
    set(first, space, 1, NET_TITLE, "a member speaks");
    ck_assert(net_run_quiet(net, MINUTE));
    ck_assert(net_equal(net, 0, first, space));

    net_join(net, second, ent_buf_cstr(&line));
    net_run(net, MINUTE);
    ck_assert_int_eq(net->nodes[second].notes[ENT_NOTE_JOINED], 0);
    ck_assert_int_eq(net->nodes[second].notes[ENT_NOTE_JOIN_FAILED], 1);
    ck_assert_int_eq(net_space(net, space, second), 0);
    ck_assert_int_eq(net->nodes[0].notes[ENT_NOTE_ADMITTED], 1);
    ent_buf_fini(&line);
}
END_TEST

/* Who may not be anybody stays a while, and makes room. */
START_TEST(strangers_who_stay_leave_room_for_a_newcomer)
{
    int space = found(0);
    int stranger = net_add_puppet(net);
    int guest = net_add(net);
    struct ent_buf line =
        net_invite(net, space, 0, ENT_ROLE_EDITOR, NET_START_MS + 60 * MINUTE);

    for (int i = 0; i < 100; i++)
        net_dial(net, stranger, 0);
    net_run(net, SECOND);
    net_join(net, guest, ent_buf_cstr(&line));
    net_run(net, 10 * SECOND);
    ck_assert_int_eq(net->nodes[guest].notes[ENT_NOTE_JOINED], 1);
    ent_buf_fini(&line);
}
END_TEST

START_TEST(an_expired_invitation_is_refused_by_the_chair)
{
    int space = found(0);
    int guest = net_add(net);
    struct ent_buf line =
        net_invite(net, space, 0, ENT_ROLE_EDITOR, NET_START_MS + MINUTE);
    struct ent_err err;

    /* The guest's clock is slow: it does not know. */
    net_run(net, 2 * MINUTE);
    ck_assert_int_eq(ent_engine_join(net->nodes[guest].engine,
                                     ent_buf_cstr(&line), net_now(net, guest),
                                     &err),
                     ENT_EREFUSED);
    net->nodes[guest].clock_ms = -10 * MINUTE;
    net_join(net, guest, ent_buf_cstr(&line));
    net_run(net, MINUTE);
    ck_assert_int_eq(net->nodes[guest].notes[ENT_NOTE_JOIN_FAILED], 1);
    ck_assert_int_eq(net_space(net, space, guest), 0);
    ent_buf_fini(&line);
}
END_TEST

/* The answer gets lost with the link: the same key may ask again. */
START_TEST(a_join_whose_answer_was_lost_can_be_repeated)
{
    int space = found(0);
    int guest = net_add(net);
    struct ent_buf line =
        net_invite(net, space, 0, ENT_ROLE_EDITOR, NET_START_MS + 60 * MINUTE);

    net_join(net, guest, ent_buf_cstr(&line));
    net_run(net, net->delay_ms + 5); /* the question has arrived */
    ck_assert_int_eq(net->nodes[0].notes[ENT_NOTE_ADMITTED], 1);
    net_cut(net, 0, guest);
    net_run(net, MINUTE);
    ck_assert_int_eq(net->nodes[guest].notes[ENT_NOTE_JOINED], 0);
    net_heal(net, 0, guest);
    net_join(net, guest, ent_buf_cstr(&line));
    ck_assert(net_run_quiet(net, MINUTE));
    ck_assert_int_eq(net->nodes[guest].notes[ENT_NOTE_JOINED], 1);
    ck_assert(net_equal(net, 0, guest, space));
    ent_buf_fini(&line);
}
END_TEST

/* What was left, or even purged, comes back by another invitation, with the
 * role that the member has. */
START_TEST(a_space_that_was_left_comes_back_with_an_invitation)
{
    bool purge = _i == 1;
    int space = found(0);
    int guest = net_add(net);
    struct ent_store *store = net->nodes[guest].store;
    struct ent_space info;
    struct ent_err err;
    struct ent_buf line;

    for (int i = 0; i < 2; i++) {
        line = net_invite(net, space, 0,
                          i == 0 ? ENT_ROLE_EDITOR : ENT_ROLE_READER,
                          NET_START_MS + 60 * MINUTE);
        net_join(net, guest, ent_buf_cstr(&line));
        ck_assert(net_run_quiet(net, MINUTE));
        ck_assert_int_eq(net->nodes[guest].notes[ENT_NOTE_JOINED], i + 1);
        ck_assert_int_eq(
            ent_space_read(store, net_space(net, space, guest), &info, &err),
            0);
        ck_assert(!info.left);
        ck_assert_int_eq(info.role, ENT_ROLE_EDITOR);
        ck_assert(net_equal(net, 0, guest, space));
        if (i == 1)
            break;
        ent_buf_fini(&line);
        ck_assert_int_eq(
            ent_space_leave(store, net_space(net, space, guest), purge, &err),
            0);
        net_local(net, guest);
        net_drop(net, 0, guest);
        ck_assert_int_eq(net_set(net, 0, space, 1, NET_TITLE, "meanwhile"), 0);
        net_run(net, SECOND);
    }
    /* A member does not use it up. */
    guest = net_add(net);
    net_join(net, guest, ent_buf_cstr(&line));
    ck_assert(net_run_quiet(net, MINUTE));
    ck_assert_int_eq(net->nodes[guest].notes[ENT_NOTE_JOINED], 1);
    ent_buf_fini(&line);
}
END_TEST

START_TEST(six_join_at_the_same_time)
{
    int space = found(0);

    for (int i = 1; i < 7; i++) {
        struct ent_buf line = net_invite(net, space, 0, ENT_ROLE_EDITOR,
                                         NET_START_MS + 60 * MINUTE);

        ck_assert_int_eq(net_add(net), i);
        net_join(net, i, ent_buf_cstr(&line));
        ent_buf_fini(&line);
    }
    ck_assert(net_run_quiet(net, 5 * MINUTE));
    for (int i = 1; i < 7; i++) {
        ck_assert_int_eq(net->nodes[i].notes[ENT_NOTE_JOINED], 1);
        set(i, space, i, NET_TITLE, "here");
    }
    ck_assert(net_run_quiet(net, 5 * MINUTE));
    for (int i = 1; i < 7; i++)
        ck_assert(net_equal(net, 0, i, space));
    ck_assert_int_eq(net_counts(net, 0, space).records, 6);
}
END_TEST

/* B and C speak about another space; the chair admits C to the first one; B
 * hears of it and gives C the content, with no link from the chair to C. */
START_TEST(a_roster_change_opens_new_pairs_of_live_sessions)
{
    int space = found(1);
    int guest = net_add(net);
    int other = net_found(net, 1);

    net_admit(net, other, 1, guest, ENT_ROLE_EDITOR);
    set(0, space, 1, NET_TITLE, "for those admitted");
    link_up(1, 0);
    link_up(1, guest);
    ck_assert_int_eq(net_space(net, space, guest), 0);
    net_admit(net, space, 0, guest, ENT_ROLE_EDITOR);
    ck_assert(net_run_quiet(net, MINUTE));
    check_values(guest, space, 1, NET_TITLE, "for those admitted");
    set(guest, space, 1, NET_TITLE, "thanks");
    ck_assert(net_run_quiet(net, MINUTE));
    check_values(0, space, 1, NET_TITLE, "thanks");
    for (int i = 1; i < 3; i++)
        ck_assert(net_equal(net, 0, i, space));
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(net->nodes[i].notes[ENT_NOTE_REFUSED], 0);
}
END_TEST

/* A member that was admitted and was not told of the space answers nothing
 * about it, whatever its roster becomes. */
START_TEST(a_roster_change_does_not_wait_for_who_knows_no_such_space)
{
    int space = found(3);
    int other = net_found(net, 0);
    struct ent_err err;

    for (int i = 1; i < 3; i++) {
        static const struct ent_hash8 no_invite;

        ck_assert_int_eq(
            ent_member_admit(net->nodes[0].store, net_space(net, other, 0),
                             &net->nodes[i].keys.public, ENT_ROLE_EDITOR,
                             "Guest", &no_invite, net_now(net, 0), &err),
            0);
        net_local(net, 0);
        if (i == 1)
            link_up(1, 0);
    }
    net_run(net, SECOND);
    set(0, space, 1, NET_TITLE, "work goes on");
    net_run(net, 10 * MINUTE);
    ck_assert(ent_engine_quiet(net->nodes[0].engine));
    ck_assert(net_equal(net, 0, 1, space));
    ck_assert_int_eq(net_space(net, other, 1), 0);
}
END_TEST

/* A newer member and an older one who has not heard of it, alone. */
START_TEST(an_older_roster_gives_and_takes_entries_too)
{
    int space = found(0);

    for (int i = 1; i < 3; i++) {
        net_add(net);
        net_admit(net, space, 0, i, ENT_ROLE_EDITOR);
    }
    set(1, space, 1, NET_TITLE, "of the older");
    set(2, space, 2, NET_TITLE, "of the newer");
    link_up(2, 1);
    check_values(1, space, 2, NET_TITLE, "of the newer");
    check_values(2, space, 1, NET_TITLE, "of the older");
    ck_assert(net_equal(net, 1, 2, space));
}
END_TEST

START_TEST(an_older_roster_that_dials_gives_and_takes_entries_too)
{
    int space = found(0);

    for (int i = 1; i < 3; i++) {
        net_add(net);
        net_admit(net, space, 0, i, ENT_ROLE_EDITOR);
    }
    set(1, space, 1, NET_TITLE, "of the older");
    set(2, space, 2, NET_TITLE, "of the newer");
    link_up(1, 2);
    check_values(1, space, 2, NET_TITLE, "of the newer");
    check_values(2, space, 1, NET_TITLE, "of the older");
    ck_assert(net_equal(net, 1, 2, space));
}
END_TEST

/* ----------------------------------------------------------------- puppets */

/* A puppet's side of a session with a node about one space. */
struct puppet {
    int self, victim, space;
    uint32_t conn;
    uint8_t nonce[8];
    struct ent_hash8 tag;
    size_t read; /* letters read so far */
    struct ent_arena arena;
    struct ent_frame frame; /* the letter read last */
};

static void speak(struct puppet *puppet, const struct ent_frame *frame)
{
    struct ent_buf bytes = {0};

    ent_frame_put(&bytes, frame);
    net_send(net, puppet->self, puppet->conn, ent_buf_slice(&bytes));
    ent_buf_fini(&bytes);
    net_run(net, 100);
}

static void speak_bytes(struct puppet *puppet, const void *bytes, size_t len)
{
    net_send(net, puppet->self, puppet->conn, ent_slice(bytes, len));
    net_run(net, 100);
}

/* The next letter of that type; false: none came. */
static bool hears(struct puppet *puppet, enum ent_frame_type type)
{
    struct net_node *node = &net->nodes[puppet->self];

    while (puppet->read < node->letter_count) {
        struct net_letter *letter = &node->letters[puppet->read++];

        if (letter->conn == puppet->conn &&
            ent_frame_get(ent_buf_slice(&letter->bytes), &puppet->arena,
                          &puppet->frame, NULL) == 0 &&
            puppet->frame.type == type)
            return true;
    }
    return false;
}

static struct ent_hash8 tag_of(const struct puppet *puppet)
{
    uint8_t message[ENT_ID_BYTES + 2 * ENT_KEY_BYTES + 8];

    memcpy(message, net->spaces[puppet->space].b, ENT_ID_BYTES);
    memcpy(message + ENT_ID_BYTES, net->nodes[puppet->self].keys.curve_public.b,
           ENT_KEY_BYTES);
    memcpy(message + ENT_ID_BYTES + ENT_KEY_BYTES,
           net->nodes[puppet->victim].keys.curve_public.b, ENT_KEY_BYTES);
    memcpy(message + ENT_ID_BYTES + 2 * ENT_KEY_BYTES, puppet->nonce, 8);
    return ent_hash8_of(ent_slice(message, sizeof(message)));
}

/* Dial, and say hello about the space. */
static void greet(struct puppet *puppet)
{
    struct ent_frame hello = {.type = ENT_FRAME_HELLO,
                              .version = ENT_PROTOCOL_VERSION,
                              .time_ms = net_now(net, puppet->self)};
    uint8_t slot[16] = {0};

    puppet->conn = net_dial(net, puppet->self, puppet->victim);
    puppet->read = net->nodes[puppet->self].letter_count;
    net_run(net, 10);
    ent_rand_bytes(&net->rand, puppet->nonce, sizeof(puppet->nonce));
    puppet->tag = tag_of(puppet);
    memcpy(hello.nonce, puppet->nonce, sizeof(hello.nonce));
    memcpy(slot, puppet->tag.b, sizeof(puppet->tag.b));
    hello.digests = ent_slice(slot, sizeof(slot));
    speak(puppet, &hello);
    ck_assert(hears(puppet, ENT_FRAME_WELCOME));
}

/* And open it, with the same roster and these heads. */
static void open_with(struct puppet *puppet, struct ent_frontier_head *heads,
                      size_t count)
{
    struct ent_digest digest = net_digest(net, puppet->victim, puppet->space);
    struct ent_frame frame = {.type = ENT_FRAME_OPEN,
                              .tag = puppet->tag,
                              .roster8 = ent_hash_head(&digest.roster),
                              .has_heads = true,
                              .heads = heads,
                              .head_count = count};

    greet(puppet);
    frame.tag = puppet->tag;
    speak(puppet, &frame);
}

static void part(struct puppet *puppet)
{
    net_hang_up(net, puppet->self, puppet->conn);
    net_run(net, SECOND);
    ent_arena_fini(&puppet->arena);
}

static bool is_open(const struct puppet *puppet)
{
    return net_links(net, puppet->self, puppet->victim) > 0;
}

/* The puppet's own log as one run, out of its replica. */
static void own_run(struct puppet *puppet, struct ent_run *run,
                    struct ent_frontier_head *head)
{
    static const struct ent_hash8 first;
    struct ent_store *store = net->nodes[puppet->self].store;
    struct ent_head *heads;
    struct ent_err err;
    size_t count;

    ck_assert_int_eq(
        ent_frontier_read(store, net_space(net, puppet->space, puppet->self),
                          &heads, &count, &err),
        0);
    for (size_t i = 0; i < count; i++) {
        if (!ent_key_equal(&heads[i].author,
                           &net->nodes[puppet->self].keys.public))
            continue;
        ck_assert_int_eq(ent_run_read(store, heads[i].o, 1, &first, 1 << 20,
                                      &puppet->arena, run, &err),
                         0);
        *head =
            (struct ent_frontier_head){.author = heads[i].author,
                                       .origin = heads[i].origin,
                                       .seq = heads[i].seq,
                                       .hash = ent_hash_head(&heads[i].hash)};
    }
    free(heads);
    ck_assert_uint_gt(run->count, 0);
}

static void speak_runs(struct puppet *puppet, const struct ent_run *run)
{
    struct ent_frame_run out = {.author = run->author,
                                .origin = run->origin,
                                .from = run->from,
                                .prev = run->prev,
                                .entries = run->entries,
                                .entry_count = run->count,
                                .sig = ent_slice(run->sig.b, ENT_SIG_BYTES)};
    struct ent_buf packed = {0};
    struct ent_frame frame = {
        .type = ENT_FRAME_RUNS, .tag = puppet->tag, .last = true};

    ent_runs_put(&packed, &out, 1);
    frame.runs = ent_buf_slice(&packed);
    speak(puppet, &frame);
    ent_buf_fini(&packed);
}

/* The answer of a peer that has nothing of what it was asked for. */
static void speak_no_runs(struct puppet *puppet)
{
    struct ent_buf none = {0};
    struct ent_frame frame = {
        .type = ENT_FRAME_RUNS, .tag = puppet->tag, .last = true};

    ent_runs_put(&none, NULL, 0);
    frame.runs = ent_buf_slice(&none);
    speak(puppet, &frame);
    ent_buf_fini(&none);
}

/* An honest node, a victim (the chair), an evil member with a log of two
 * entries. Honest and victim are linked. */
static struct puppet evil_member(int *space)
{
    struct puppet puppet = {.self = 2, .victim = 0};

    *space = found(2);
    puppet.space = *space;
    set(2, *space, 1, NET_TITLE, "evil one");
    set(2, *space, 2, NET_TITLE, "evil two");
    net_make_puppet(net, 2);
    link_up(1, 0);
    return puppet;
}

static void check_unharmed(int space)
{
    set(1, space, 50, NET_TITLE, "all is well");
    set(0, space, 51, NET_TITLE, "here too");
    ck_assert(net_run_quiet(net, MINUTE));
    check_values(0, space, 50, NET_TITLE, "all is well");
    check_values(1, space, 51, NET_TITLE, "here too");
    ck_assert(net_equal(net, 0, 1, space));
    ck_assert_uint_ge(net_links(net, 0, 1), 1);
    ck_assert_int_eq(net->nodes[1].notes[ENT_NOTE_REFUSED], 0);
    check_counts(0);
    check_counts(1);
}

/* The honest way through the harness: otherwise refusals prove nothing. */
START_TEST(a_puppet_that_behaves_is_believed)
{
    int space;
    struct puppet puppet = evil_member(&space);
    struct ent_frontier_head head;
    struct ent_run run;

    own_run(&puppet, &run, &head);
    open_with(&puppet, &head, 1);
    ck_assert(hears(&puppet, ENT_FRAME_WANT));
    ck_assert_uint_eq(puppet.frame.want_count, 1);
    ck_assert_uint_eq(puppet.frame.wants[0].from, 1);
    speak_runs(&puppet, &run);
    check_values(0, space, 2, NET_TITLE, "evil two");
    ck_assert_int_eq(net_peer(net, 0, 2).applied, 2);
    ck_assert(is_open(&puppet));
    part(&puppet);
    check_unharmed(space);
}
END_TEST

/* Each in a session of its own. */
START_TEST(what_is_no_frame_ends_the_session_and_no_other)
{
    static const struct {
        const char *bytes;
        size_t len;
    } garbage[] = {
        {"", 0},
        {"\x00", 1},
        {"\xc1", 1},
        {"garbage that is no msgpack", 26},
        {"\x91\x10", 2},             /* type 16 */
        {"\x91\x00", 2},             /* type 0 */
        {"\x92\x07\xc4", 3},         /* cut off */
        {"\xdd\xff\xff\xff\xff", 5}, /* an array of 4 milliards */
        {"\xc6\xff\xff\xff\xff", 5}, /* binary of 4 GiB */
        {"\x81\x01\x02", 3},         /* a map */
        {"\x95\x01\x02\x00\xc4\x08xxxxxxxx\xc4\x00", 15}, /* version 2 */
    };
    int space;
    struct puppet puppet = evil_member(&space);

    for (size_t i = 0; i < ENT_ARRAY_LEN(garbage); i++) {
        int64_t refused = net->nodes[0].notes[ENT_NOTE_REFUSED];

        open_with(&puppet, NULL, 0);
        ck_assert(is_open(&puppet));
        speak_bytes(&puppet, garbage[i].bytes, garbage[i].len);
        ck_assert_msg(!is_open(&puppet), "garbage %zu", i);
        ck_assert_int_gt(net->nodes[0].notes[ENT_NOTE_REFUSED], refused);
    }
    check_unharmed(space);
}
END_TEST

/* Every beginning of every honest frame. */
START_TEST(truncated_frames_are_refused)
{
    int space;
    struct puppet puppet = evil_member(&space);
    struct ent_frontier_head head;
    struct ent_run run;
    struct ent_frame frame = {.type = ENT_FRAME_NEWS, .head_count = 1};
    struct ent_buf bytes = {0};

    own_run(&puppet, &run, &head);
    frame.heads = &head;
    for (size_t cut = 0;; cut += 5) {
        open_with(&puppet, NULL, 0);
        frame.tag = puppet.tag;
        ent_buf_reset(&bytes);
        ent_frame_put(&bytes, &frame);
        if (cut >= bytes.len)
            break;
        speak_bytes(&puppet, bytes.at, cut);
        ck_assert_msg(!is_open(&puppet), "cut at %zu", cut);
    }
    ent_buf_fini(&bytes);
    part(&puppet);
    check_unharmed(space);
}
END_TEST

START_TEST(what_was_not_agreed_ends_the_session)
{
    int space;
    struct puppet puppet = evil_member(&space);
    struct ent_frontier_head head;
    struct ent_run run;
    struct ent_frame frame;

    own_run(&puppet, &run, &head);
    /* Entries that nobody asked for. */
    open_with(&puppet, NULL, 0);
    speak_runs(&puppet, &run);
    ck_assert(!is_open(&puppet));
    check_values(0, space, 1, NET_TITLE, "");
    /* Content before any hello. */
    puppet.conn = net_dial(net, puppet.self, puppet.victim);
    net_run(net, 10);
    speak_runs(&puppet, &run);
    ck_assert(!is_open(&puppet));
    /* An answer to a join that was never asked. */
    open_with(&puppet, NULL, 0);
    frame = (struct ent_frame){.type = ENT_FRAME_JOINED,
                               .space = net->spaces[space],
                               .admitted = true};
    speak(&puppet, &frame);
    ck_assert(!is_open(&puppet));
    /* Somebody else's request to join. */
    open_with(&puppet, NULL, 0);
    frame = (struct ent_frame){.type = ENT_FRAME_JOIN,
                               .space = net->spaces[space],
                               .key = net->nodes[1].keys.public,
                               .text = ent_slice_str("Somebody")};
    speak(&puppet, &frame);
    ck_assert(!is_open(&puppet));
    part(&puppet);
    check_unharmed(space);
}
END_TEST

/* It may have been left a moment ago, or not have been heard of yet. */
START_TEST(a_message_about_no_space_of_ours_does_nothing)
{
    int space;
    struct puppet puppet = evil_member(&space);
    struct ent_frame_want want = {.author = net->nodes[0].keys.public,
                                  .origin =
                                      *ent_store_origin(net->nodes[0].store),
                                  .from = 1};
    struct ent_frame frame = {.type = ENT_FRAME_WANT,
                              .wants = &want,
                              .want_count = 1,
                              .credit = 1 << 20};
    uint64_t frames;

    open_with(&puppet, NULL, 0);
    watch_links();
    frames = frames_seen();
    memset(frame.tag.b, 0x55, sizeof(frame.tag.b));
    speak(&puppet, &frame);
    ck_assert_uint_eq(frames_seen(), frames + 1);
    part(&puppet);
    check_unharmed(space);
}
END_TEST

enum lie {
    LIE_FLIPPED,
    LIE_SIGNATURE,
    LIE_AUTHOR,
    LIE_SEQUENCE,
    LIE_ORIGIN,
    LIE_SWAPPED,
    LIE_STRANGER,
    LIE_SPACE,
    LIE_COUNT
};

static void tell_lie(enum lie lie, struct puppet *puppet, struct ent_run *run,
                     struct ent_frontier_head *head)
{
    struct ent_slice *entries =
        ENT_ARENA_NEW(&puppet->arena, struct ent_slice, run->count);
    uint8_t *bytes;

    for (size_t i = 0; i < run->count; i++)
        entries[i] = ent_arena_copy(&puppet->arena, run->entries[i]);
    run->entries = entries;
    switch (lie) {
    case LIE_FLIPPED: /* the last letter of a value */
        bytes = memmem(entries[0].at, entries[0].len, "evil", 4);
        ck_assert_ptr_nonnull(bytes);
        bytes[0] ^= 1;
        break;
    case LIE_SIGNATURE:
        run->sig.b[3] ^= 0x10;
        break;
    case LIE_AUTHOR: /* in the name of the honest one */
        run->author = net->nodes[1].keys.public;
        head->author = run->author;
        break;
    case LIE_SEQUENCE:
        run->from = 2;
        head->seq = 3;
        break;
    case LIE_ORIGIN:
        run->origin.b[0] ^= 1;
        head->origin = run->origin;
        break;
    case LIE_SWAPPED:
        entries[0] = run->entries[1];
        entries[1] = ent_arena_copy(&puppet->arena, run->entries[0]);
        break;
    case LIE_STRANGER:
        run->author = net->nodes[3].keys.public;
        head->author = run->author;
        break;
    case LIE_SPACE:
    case LIE_COUNT:
        break;
    }
}

START_TEST(entries_that_lie_are_refused_and_counted)
{
    enum lie lie = (enum lie)_i;
    int space;
    struct puppet puppet = evil_member(&space);
    struct ent_frontier_head head;
    struct ent_peer peer;
    struct ent_run run;

    net_add_puppet(net); /* a stranger, whose key may be named */
    own_run(&puppet, &run, &head);
    if (lie == LIE_SPACE) { /* true entries of another space */
        net_stop(net, 0);
        net_start(net, 0);
        puppet.space = net_found(net, 0);
        net_admit(net, puppet.space, 0, 1, ENT_ROLE_EDITOR);
        net_admit(net, puppet.space, 0, 2, ENT_ROLE_EDITOR);
        link_up(1, 0);
    }
    tell_lie(lie, &puppet, &run, &head);
    open_with(&puppet, &head, 1);
    ck_assert(hears(&puppet, ENT_FRAME_WANT));
    speak_runs(&puppet, &run);
    peer = net_peer(net, 0, 2);
    ck_assert_int_eq(peer.received, 2);
    ck_assert_int_eq(peer.refused + peer.waiting, 2);
    ck_assert_int_eq(peer.applied, 0);
    if (lie != LIE_SEQUENCE) {
        ck_assert_int_eq(peer.refused, 2);
        ck_assert_int_ge(net->nodes[0].notes[ENT_NOTE_REFUSED], 1);
    }
    check_values(0, puppet.space, 1, NET_TITLE, "");
    part(&puppet);
    check_unharmed(space);
    ck_assert_int_eq(net_counts(net, 0, space).quarantined, 0);
}
END_TEST

/* Rule S6. */
START_TEST(a_refused_run_does_not_hold_back_the_others_of_its_batch)
{
    int space;
    struct puppet puppet = evil_member(&space);
    struct ent_frame frame = {.type = ENT_FRAME_RUNS, .last = true};
    struct ent_frame_run out[2] = {{{{0}}}};
    struct ent_frontier_head head;
    struct ent_buf packed = {0};
    struct ent_peer peer;
    struct ent_sig wrong;
    struct ent_run run;

    own_run(&puppet, &run, &head);
    wrong = run.sig;
    wrong.b[0] ^= 1;
    for (int i = 0; i < 2; i++)
        out[i] = (struct ent_frame_run){
            .author = run.author,
            .origin = run.origin,
            .from = run.from,
            .prev = run.prev,
            .entries = run.entries,
            .entry_count = run.count,
            .sig = ent_slice(i == 0 ? wrong.b : run.sig.b, ENT_SIG_BYTES)};
    open_with(&puppet, &head, 1);
    ck_assert(hears(&puppet, ENT_FRAME_WANT));
    ent_runs_put(&packed, out, 2);
    frame.tag = puppet.tag;
    frame.runs = ent_buf_slice(&packed);
    speak(&puppet, &frame);
    ent_buf_fini(&packed);
    peer = net_peer(net, 0, 2);
    ck_assert_int_eq(peer.received, 4);
    ck_assert_int_eq(peer.refused, 2);
    ck_assert_int_eq(peer.applied, 2);
    part(&puppet);
}
END_TEST

/* Who is a member no more shows heads and greets again; then a question to
 * somebody else is answered, and it is looked who could be asked next. */
START_TEST(a_removed_member_that_shows_heads_is_shown_nothing)
{
    int space;
    struct puppet puppet = evil_member(&space);
    uint8_t slot[16] = {0};
    struct ent_frame hello = {.type = ENT_FRAME_HELLO,
                              .version = ENT_PROTOCOL_VERSION,
                              .digests = ent_slice(slot, sizeof(slot))};
    struct ent_err err;

    ck_assert_int_eq(ent_member_remove(net->nodes[0].store,
                                       net_space(net, space, 0),
                                       &net->nodes[2].keys.public, "evil",
                                       net_now(net, 0), &err),
                     0);
    net_local(net, 0);
    net_run(net, 10 * SECOND);
    open_with(&puppet, NULL, 0);
    memcpy(hello.nonce, puppet.nonce, sizeof(hello.nonce));
    memcpy(slot, puppet.tag.b, sizeof(puppet.tag.b));
    speak(&puppet, &hello);
    net_fill(net, 1, space, 100, 100);
    net_run(net, 10 * SECOND);
    ck_assert(net_equal(net, 0, 1, space));
    puppet.read = 0;
    ck_assert(!hears(&puppet, ENT_FRAME_SETTLED));
    puppet.read = 0;
    ck_assert(!hears(&puppet, ENT_FRAME_SAID_HAVE));
    part(&puppet);
}
END_TEST

/* What a node signed that it holds comes two seconds late from 1. */
static bool delay_said_of_1(struct net *in, int from, int to,
                            struct ent_slice bytes)
{
    (void)to;
    if (from == 1 && bytes.len > 1 && bytes.at[1] == ENT_FRAME_SAID)
        in->clog_ms[1][0] = 2 * SECOND;
    return true;
}

static void tell_head(struct puppet *puppet, struct ent_frontier_head head)
{
    const struct ent_frame news = {.type = ENT_FRAME_NEWS,
                                   .tag = puppet->tag,
                                   .heads = &head,
                                   .head_count = 1};

    speak(puppet, &news);
}

/* While an honest peer's answer is awaited somebody else is asked about a log
 * that both hold, promises more of it and falls silent. */
START_TEST(a_promise_that_is_not_kept_leaves_equal_peers_done)
{
    int space;
    struct puppet puppet = evil_member(&space);
    struct ent_frontier_head head, other;
    struct ent_run run;
    int64_t taken;

    own_run(&puppet, &run, &head);
    open_with(&puppet, &head, 1);
    ck_assert(hears(&puppet, ENT_FRAME_WANT));
    speak_runs(&puppet, &run);
    net_run(net, 10 * SECOND);
    other = head;
    other.origin.b[0] ^= 1;
    tell_head(&puppet, other); /* it is asked */
    head.seq += 100;
    tell_head(&puppet, head); /* and will be */
    net->posted = delay_said_of_1;
    set(1, space, 50, NET_TITLE, "all is well");
    taken = net->nodes[0].notes[ENT_NOTE_EQUAL];
    net_run(net, 1500);
    ck_assert_int_gt(net->nodes[0].notes[ENT_NOTE_EQUAL], taken);
    speak_no_runs(&puppet);
    net->posted = NULL;
    net->clog_ms[1][0] = 0;
    net_run(net, 3 * MINUTE);
    ck_assert(!is_open(&puppet));
    ck_assert(net_equal(net, 0, 1, space));
    ck_assert(ent_engine_quiet(net->nodes[0].engine));
    part(&puppet);
}
END_TEST

/* Rule S10: true in all but the key that signed it. */
START_TEST(a_frontier_signed_by_another_is_refused)
{
    int space = found(1);
    struct ent_store *store = net->nodes[1].store;
    struct ent_said forged = {.key = net->nodes[0].keys.public};
    struct ent_frontier frontier = {0};
    struct ent_arena arena = {0};
    struct ent_buf body = {0};
    struct ent_said *said;
    struct ent_err err;
    size_t count, news, refused;

    link_up(1, 0);
    ck_assert_int_eq(ent_said_list(store, net_space(net, space, 1), &arena,
                                   &said, &count, &err),
                     0);
    for (size_t i = 0; i < count; i++)
        if (ent_key_equal(&said[i].key, &forged.key))
            ck_assert_int_eq(
                ent_frontier_get(said[i].body, &arena, &frontier, &err), 0);
    ck_assert_uint_gt(frontier.counter, 0);
    forged.counter = ++frontier.counter;
    ent_frontier_put(&body, &frontier);
    forged.body = ent_buf_slice(&body);
    ent_sign(&net->nodes[1].keys, forged.body, &forged.sig);
    ck_assert_int_eq(ent_said_take(store, net_space(net, space, 1), &forged, 1,
                                   &news, &refused, &err),
                     0);
    ck_assert_uint_eq(news, 0);
    ck_assert_uint_eq(refused, 1);
    ent_buf_fini(&body);
    ent_arena_fini(&arena);
}
END_TEST

/* Whoever repeats everything changes nothing. */
START_TEST(entries_said_again_are_duplicates)
{
    int space;
    struct puppet puppet = evil_member(&space);
    struct ent_frontier_head head;
    struct ent_peer peer;
    struct ent_run run;

    own_run(&puppet, &run, &head);
    for (int i = 0; i < 3; i++) {
        struct ent_frame_run out = {.author = run.author,
                                    .origin = run.origin,
                                    .from = run.from,
                                    .prev = run.prev,
                                    .entries = run.entries,
                                    .entry_count = run.count,
                                    .sig = ent_slice(run.sig.b, ENT_SIG_BYTES)};
        struct ent_frame frame = {
            .type = ENT_FRAME_NEWS, .heads = &head, .head_count = 1};
        struct ent_buf packed = {0};

        open_with(&puppet, NULL, 0);
        ent_runs_put(&packed, &out, 1);
        frame.tag = puppet.tag;
        frame.runs = ent_buf_slice(&packed);
        speak(&puppet, &frame);
        speak(&puppet, &frame);
        ent_buf_fini(&packed);
        net_hang_up(net, puppet.self, puppet.conn);
        net_run(net, 100);
    }
    peer = net_peer(net, 0, 2);
    ck_assert_int_eq(peer.received, 12);
    ck_assert_int_eq(peer.applied, 2);
    ck_assert_int_eq(peer.duplicate, 10);
    part(&puppet);
    check_unharmed(space);
}
END_TEST

/* Rule S3: no more than a batch under way, however much is asked for. */
START_TEST(credit_is_respected)
{
    int space;
    struct puppet puppet = evil_member(&space);
    struct ent_frame frame = {.type = ENT_FRAME_WANT, .want_count = 1};
    struct ent_frame_want want = {.from = 1};
    struct ent_frontier_head *heads;
    size_t bytes = 0;

    for (int i = 0; i < 20; i++)
        net_fill(net, 0, space, 100 + 200 * i, 200);
    open_with(&puppet, NULL, 0);
    puppet.read = 0;
    ck_assert(hears(&puppet, ENT_FRAME_OPEN));
    heads = puppet.frame.heads;
    for (size_t i = 0; i < puppet.frame.head_count; i++)
        if (ent_key_equal(&heads[i].author, &net->nodes[0].keys.public))
            want = (struct ent_frame_want){.author = heads[i].author,
                                           .origin = heads[i].origin,
                                           .head = heads[i].hash,
                                           .from = 1};
    frame.tag = puppet.tag;
    frame.wants = &want;
    frame.credit = UINT64_C(1) << 40;
    speak(&puppet, &frame);
    net_run(net, 10 * SECOND);
    while (hears(&puppet, ENT_FRAME_RUNS)) {
        struct ent_frame_run *runs;
        size_t count;

        ck_assert(!puppet.frame.last);
        ck_assert_int_eq(
            ent_runs_get(puppet.frame.runs, &puppet.arena, &runs, &count, NULL),
            0);
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < runs[i].entry_count; j++)
                bytes += runs[i].entries[j].len;
    }
    ck_assert_uint_gt(bytes, ENT_BATCH_BYTES_MAX / 4);
    ck_assert_uint_le(bytes, ENT_BATCH_BYTES_MAX);
    part(&puppet);
    check_unharmed(space);
}
END_TEST

/* --------------------------------------------------------------- too large */

/* A run of `count` entries of noise, written and signed by the puppet. */
static void noise_run(struct puppet *puppet, int count, size_t value_bytes,
                      struct ent_run *run, struct ent_frontier_head *head)
{
    struct ent_store *store = net->nodes[puppet->self].store;
    int64_t space = net_space(net, puppet->space, puppet->self);
    struct ent_err err;
    char *text = malloc(value_bytes + 1);

    for (int i = 0; i < count; i++) {
        uint8_t *noise = malloc(value_bytes / 2);
        struct ent_edit_op op = {.code = ENT_OP_WRITE, .field = NET_NOTE};
        struct ent_edit edit = {.kind = NET_KIND,
                                .life = ENT_EDIT_TOUCH,
                                .ops = &op,
                                .op_count = 1};
        struct ent_writer *writer;
        enum ent_written written;

        ck_assert_int_eq(
            ent_writer_open(store, space, NET_START_MS, &writer, &err), 0);
        for (int r = 0; r < 3; r++) {
            ent_rand_bytes(&net->rand, noise, value_bytes / 2);
            for (size_t k = 0; k < value_bytes / 2 * 2; k++)
                text[k] = (char)(33 + (noise[k / 2] + 7 * k) % 90);
            op.value = ent_value_text(ent_slice(text, value_bytes / 2 * 2));
            edit.id = net_record(1000 + 3 * i + r);
            ck_assert_int_eq(
                ent_writer_put(writer, &edit, false, &written, &err), 0);
        }
        ck_assert_int_eq(ent_writer_commit(writer, &err), 0);
        free(noise);
    }
    free(text);
    own_run(puppet, run, head);
}

/* One signature over nearly a megabyte: legal in one frame, but whoever passes
 * it on has to do so in one piece, beside other logs. */
START_TEST(a_run_without_a_stop_for_a_megabyte_can_be_relayed_or_is_refused)
{
    int space;
    struct puppet puppet;
    struct ent_frontier_head head;
    struct ent_run run;
    int third;

    teardown();
    net = net_new(20 + (uint64_t)_i); /* logs go by key: other orders */
    puppet = evil_member(&space);
    net_fill(net, 0, space, 100, 440); /* nearly a batch */
    net_fill(net, 1, space, 600, 440);
    ck_assert(net_run_quiet(net, MINUTE));
    noise_run(&puppet, 19, 16000, &run, &head);
    open_with(&puppet, &head, 1);
    ck_assert(hears(&puppet, ENT_FRAME_WANT));
    ck_assert_uint_ge(run.count, 19);
    speak_runs(&puppet, &run);
    part(&puppet);
    third = net_add(net);
    net_admit(net, space, 0, third, ENT_ROLE_EDITOR);
    net_call(net, third, 0);
    net_run(net, 5 * MINUTE);
    check_unharmed(space);
    check_values(third, space, 50, NET_TITLE, "all is well");
    ck_assert(net_equal(net, 0, third, space));
}
END_TEST

/* A signed frontier that nearly fills a frame, passed on beside others. */
START_TEST(a_signed_frontier_of_a_megabyte_can_be_relayed_or_is_refused)
{
    int space;
    struct puppet puppet;
    struct ent_frontier frontier = {.counter = 1000, .head_count = 16384};
    struct ent_buf body = {0};
    struct ent_sig sig;
    struct ent_frame_said said = {.counter = 1000};
    struct ent_frame frame = {
        .type = ENT_FRAME_SAID, .said = &said, .said_count = 1};
    int third;

    teardown();
    net = net_new(20 + (uint64_t)_i); /* they go by key: other orders */
    puppet = evil_member(&space);
    frontier.space = net->spaces[space];
    frontier.key = said.key = net->nodes[2].keys.public;
    frontier.heads = calloc(frontier.head_count, sizeof(*frontier.heads));
    for (size_t i = 0; i < frontier.head_count; i++) {
        frontier.heads[i].author = frontier.key;
        ent_be64_put(frontier.heads[i].origin.b, i);
        frontier.heads[i].seq = 1;
    }
    do {
        ent_buf_reset(&body);
        ent_frontier_put(&body, &frontier);
        frontier.head_count--;
    } while (body.len > ENT_FRAME_BYTES_MAX - 200);
    ent_sign(&net->nodes[2].keys, ent_buf_slice(&body), &sig);
    said.body = ent_buf_slice(&body);
    said.sig = ent_slice(sig.b, sizeof(sig.b));
    open_with(&puppet, NULL, 0);
    frame.tag = puppet.tag;
    speak(&puppet, &frame);
    part(&puppet);
    third = net_add(net);
    net_admit(net, space, 0, third, ENT_ROLE_EDITOR);
    net_call(net, third, 0);
    net_run(net, 5 * MINUTE);
    check_unharmed(space);
    check_values(third, space, 50, NET_TITLE, "all is well");
    free(frontier.heads);
    ent_buf_fini(&body);
}
END_TEST

/* --------------------------------------------------------------- strangers */

#define CANARY "canary-1f77c7c4"

/* Promise 4, rule A5: the roster of a space it names, and nothing else. */
START_TEST(a_stranger_gets_the_roster_and_no_content)
{
    int space = found(1);
    struct puppet puppet = {.victim = 0, .space = space};
    struct ent_frame frame = {.type = ENT_FRAME_ROSTER_HAVE};
    struct ent_frame ask = {.type = ENT_FRAME_SAID_HAVE};

    puppet.self = net_add_puppet(net);
    watch_links();
    seen.canary = CANARY;
    seen.spy = puppet.self;
    set(0, space, 1, NET_TITLE, CANARY);
    link_up(1, 0);
    open_with(&puppet, NULL, 0);
    ck_assert(hears(&puppet, ENT_FRAME_OPEN));
    ck_assert(!puppet.frame.has_heads);
    frame.tag = puppet.tag;
    speak(&puppet, &frame);
    ck_assert(hears(&puppet, ENT_FRAME_ROSTER));
    ck_assert_uint_eq(puppet.frame.roster_count, 2);
    ck_assert(is_open(&puppet));
    /* News pass it by. */
    set(0, space, 2, NET_TITLE, CANARY " again");
    set(1, space, 3, NET_TITLE, CANARY " and again");
    ck_assert(net_run_quiet(net, MINUTE));
    ck_assert(!hears(&puppet, ENT_FRAME_NEWS));
    /* Asking for more ends it. */
    ask.tag = puppet.tag;
    speak(&puppet, &ask);
    ck_assert(!is_open(&puppet));
    ck_assert(!seen.leaked);
    part(&puppet);
}
END_TEST

/* Every question a member may ask, from somebody who is none. */
START_TEST(a_stranger_who_asks_for_content_is_dropped)
{
    int space = found(0);
    struct puppet puppet = {.victim = 0, .space = space};
    struct ent_frame_want want = {.from = 1};
    struct ent_frame frames[] = {
        {.type = ENT_FRAME_WANT, .wants = &want, .want_count = 1},
        {.type = ENT_FRAME_FRONTIER, .last = true},
        {.type = ENT_FRAME_SETTLED},
        {.type = ENT_FRAME_SAID_HAVE},
        {.type = ENT_FRAME_SAID},
        {.type = ENT_FRAME_NEWS},
        {.type = ENT_FRAME_MORE, .credit = 1 << 20},
        {.type = ENT_FRAME_ASIDE},
        {.type = ENT_FRAME_ASIDE_WANT, .wants = &want, .want_count = 1},
    };

    puppet.self = net_add_puppet(net);
    set(0, space, 1, NET_TITLE, CANARY);
    want.author = net->nodes[0].keys.public;
    want.origin = *ent_store_origin(net->nodes[0].store);
    watch_links();
    seen.canary = CANARY;
    seen.spy = puppet.self;
    for (size_t i = 0; i < ENT_ARRAY_LEN(frames); i++) {
        open_with(&puppet, NULL, 0);
        frames[i].tag = puppet.tag;
        speak(&puppet, &frames[i]);
        ck_assert_msg(!is_open(&puppet), "frame %zu", i);
    }
    ck_assert(!seen.leaked);
    ck_assert_uint_eq(seen.frames[ENT_FRAME_RUNS], 0);
    part(&puppet);
}
END_TEST

START_TEST(a_stranger_is_not_listened_to_for_long)
{
    int space = found(0);
    struct puppet puppet = {.victim = 0, .space = space};
    struct ent_frame frame = {.type = ENT_FRAME_ROSTER_HAVE};

    puppet.self = net_add_puppet(net);
    greet(&puppet);
    frame.tag = puppet.tag;
    for (int i = 0; i < 20; i++)
        speak(&puppet, &frame);
    ck_assert(!is_open(&puppet));
    part(&puppet);
}
END_TEST

START_TEST(a_wrong_proof_is_refused)
{
    int space = found(0);
    struct puppet puppet = {.victim = 0, .space = space};
    struct ent_buf line =
        net_invite(net, space, 0, ENT_ROLE_EDITOR, NET_START_MS + 60 * MINUTE);
    struct ent_frame frame = {.type = ENT_FRAME_JOIN,
                              .space = net->spaces[space],
                              .text = ent_slice_str("Guest")};
    struct ent_invite invite;
    struct ent_err err;

    puppet.self = net_add_puppet(net);
    frame.key = net->nodes[puppet.self].keys.public;
    ck_assert_int_eq(ent_invite_parse(ent_buf_cstr(&line), &invite, &err), 0);
    ent_invite_prove(&invite, &frame.key, &frame.invite, &frame.proof);
    frame.proof.b[7] ^= 1;
    puppet.conn = net_dial(net, puppet.self, 0);
    net_run(net, 10);
    speak(&puppet, &frame);
    ck_assert(hears(&puppet, ENT_FRAME_JOINED));
    ck_assert(!puppet.frame.admitted);
    ck_assert_uint_eq(puppet.frame.roster_count, 0);
    ck_assert_int_eq(net->nodes[0].notes[ENT_NOTE_ADMITTED], 0);
    /* It was not used up: the right proof still is good. */
    frame.proof.b[7] ^= 1;
    speak(&puppet, &frame);
    ck_assert(hears(&puppet, ENT_FRAME_JOINED));
    ck_assert(puppet.frame.admitted);
    ck_assert_uint_eq(puppet.frame.roster_count, 2);
    part(&puppet);
    ent_buf_fini(&line);
}
END_TEST

/* A thief of the line under another key than the one it proves. */
START_TEST(a_proof_belongs_to_its_key)
{
    int space = found(0);
    struct puppet puppet = {.victim = 0, .space = space};
    struct ent_buf line =
        net_invite(net, space, 0, ENT_ROLE_EDITOR, NET_START_MS + 60 * MINUTE);
    struct ent_frame frame = {.type = ENT_FRAME_JOIN,
                              .space = net->spaces[space],
                              .text = ent_slice_str("Guest")};
    struct ent_invite invite;
    struct ent_err err;
    int owner = net_add_puppet(net);

    puppet.self = net_add_puppet(net);
    ck_assert_int_eq(ent_invite_parse(ent_buf_cstr(&line), &invite, &err), 0);
    ent_invite_prove(&invite, &net->nodes[owner].keys.public, &frame.invite,
                     &frame.proof);
    frame.key = net->nodes[puppet.self].keys.public;
    puppet.conn = net_dial(net, puppet.self, 0);
    net_run(net, 10);
    speak(&puppet, &frame);
    ck_assert(hears(&puppet, ENT_FRAME_JOINED));
    ck_assert(!puppet.frame.admitted);
    part(&puppet);
    ent_buf_fini(&line);
}
END_TEST

/* What the chair answers to the frame, in a session of its own. */
static void check_refused(struct puppet *puppet, const struct ent_frame *frame,
                          const char *word)
{
    puppet->conn = net_dial(net, puppet->self, puppet->victim);
    net_run(net, 10);
    speak(puppet, frame);
    ck_assert(hears(puppet, ENT_FRAME_JOINED));
    ck_assert(!puppet->frame.admitted);
    ck_assert_uint_eq(puppet->frame.text.len, strlen(word));
    ck_assert_mem_eq(puppet->frame.text.at, word, strlen(word));
    net_hang_up(net, puppet->self, puppet->conn);
    net_run(net, 50);
    ent_arena_fini(&puppet->arena);
}

/* A reason is a word: the joiner's node says it in its reader's language. */
START_TEST(a_refusal_gives_its_reason)
{
    int space = found(0);
    int other = net_found(net, 0);
    struct puppet puppet = {.victim = 0, .space = space};
    struct ent_buf line =
        net_invite(net, space, 0, ENT_ROLE_EDITOR, NET_START_MS + 2 * MINUTE);
    struct ent_frame frame = {.type = ENT_FRAME_JOIN,
                              .space = net->spaces[space],
                              .text = ent_slice_str("Guest")};
    struct ent_invite invite;
    struct ent_err err;

    puppet.self = net_add_puppet(net);
    frame.key = net->nodes[puppet.self].keys.public;
    ck_assert_int_eq(ent_invite_parse(ent_buf_cstr(&line), &invite, &err), 0);
    ent_invite_prove(&invite, &frame.key, &frame.invite, &frame.proof);
    frame.invite.b[0] ^= 1;
    check_refused(&puppet, &frame, "unknown");
    frame.invite.b[0] ^= 1;
    frame.proof.b[0] ^= 1;
    check_refused(&puppet, &frame, "proof");
    frame.proof.b[0] ^= 1;
    frame.space = net->spaces[other];
    check_refused(&puppet, &frame, "space");
    memset(frame.space.b, 0x55, sizeof(frame.space.b));
    check_refused(&puppet, &frame, "space");
    frame.space = net->spaces[space];
    frame.text = ent_slice_str("");
    check_refused(&puppet, &frame, "name");
    net_run(net, 3 * MINUTE);
    check_refused(&puppet, &frame, "expired");
    ck_assert_int_eq(net->nodes[0].notes[ENT_NOTE_ADMITTED], 0);
    ent_buf_fini(&line);
}
END_TEST

/* Beyond the limit the right proof is no better than a wrong one, until the
 * pause is over. */
START_TEST(guessing_is_answered_with_a_pause)
{
    int space = found(0);
    int guest = net_add(net);
    struct puppet puppet = {.victim = 0, .space = space};
    struct ent_buf line =
        net_invite(net, space, 0, ENT_ROLE_EDITOR, NET_START_MS + 60 * MINUTE);
    struct ent_frame frame = {.type = ENT_FRAME_JOIN,
                              .space = net->spaces[space],
                              .text = ent_slice_str("Guest")};
    struct ent_invite invite;
    struct ent_err err;

    puppet.self = net_add_puppet(net);
    frame.key = net->nodes[puppet.self].keys.public;
    ck_assert_int_eq(ent_invite_parse(ent_buf_cstr(&line), &invite, &err), 0);
    ent_invite_prove(&invite, &frame.key, &frame.invite, &frame.proof);
    frame.proof.b[7] ^= 1;
    /* One less than too many, and a minute without any. */
    for (int i = 1; i < ENT_GUESSES_MAX; i++)
        check_refused(&puppet, &frame, "proof");
    net_run(net, MINUTE);
    for (int i = 0; i < ENT_GUESSES_MAX; i++)
        check_refused(&puppet, &frame, "proof");
    check_refused(&puppet, &frame, "unknown");
    frame.proof.b[7] ^= 1;
    check_refused(&puppet, &frame, "unknown");
    /* What is refused in the pause does not make it longer. */
    net_run(net, ENT_GUESSES_PAUSE_MS);
    net_join(net, guest, ent_buf_cstr(&line));
    ck_assert(net_run_quiet(net, MINUTE));
    ck_assert_int_eq(net->nodes[guest].notes[ENT_NOTE_JOINED], 1);
    ck_assert(net_equal(net, 0, guest, space));
    ent_buf_fini(&line);
}
END_TEST

/* Nor does it help to spread them over many spaces. */
START_TEST(guessing_is_limited_over_all_spaces_too)
{
    int space = found(0);
    struct puppet puppet = {.victim = 0, .space = space};
    struct ent_frame frame = {.type = ENT_FRAME_JOIN,
                              .text = ent_slice_str("Guest")};

    puppet.self = net_add_puppet(net);
    frame.key = net->nodes[puppet.self].keys.public;
    for (int i = 0; i < ENT_GUESSES_ALL_MAX; i++) {
        memset(frame.space.b, i, sizeof(frame.space.b));
        check_refused(&puppet, &frame, "space");
    }
    check_refused(&puppet, &frame, "unknown");
}
END_TEST

/* A chair that says "admitted" and proves nothing. */
START_TEST(an_admission_without_a_roster_is_no_membership)
{
    int space = found(0);
    int guest = net_add(net);
    struct puppet puppet = {.self = 0, .victim = guest, .space = space};
    struct ent_buf line =
        net_invite(net, space, 0, ENT_ROLE_EDITOR, NET_START_MS + 60 * MINUTE);
    struct ent_frame frame = {.type = ENT_FRAME_JOINED,
                              .space = net->spaces[space],
                              .admitted = true};

    net_make_puppet(net, 0);
    net_join(net, guest, ent_buf_cstr(&line));
    net_run(net, SECOND);
    ck_assert_uint_eq(net->nodes[0].letter_count, 1);
    puppet.conn = net->nodes[0].letters[0].conn;
    speak(&puppet, &frame);
    ck_assert_int_eq(net->nodes[guest].notes[ENT_NOTE_JOINED], 0);
    ck_assert_int_eq(net->nodes[guest].notes[ENT_NOTE_JOIN_FAILED], 1);
    ck_assert_int_eq(net_space(net, space, guest), 0);
    ent_buf_fini(&line);
}
END_TEST

/* -------------------------------------------------------------------- disk */

/* Rule L7, T9: no file of this process can grow any more. */
START_TEST(a_full_disk_is_noted_and_survived)
{
    struct rlimit limit;
    struct rlimit free_again;
    int space = found(1);

    for (int i = 0; i < 10; i++)
        net_fill(net, 0, space, 200 * i, 200);
    /* The sender's own journal begins anew, small. */
    net_stop(net, 0);
    net_start(net, 0);
    net->nodes[0].frail = net->nodes[1].frail = true;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &free_again), 0);
    limit = free_again;
    limit.rlim_cur = 600 << 10;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    net_call(net, 1, 0);
    net_run(net, MINUTE);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &free_again), 0);
    ck_assert_int_ge(net->nodes[1].notes[ENT_NOTE_STORAGE], 1);
    ck_assert_int_eq(net->nodes[1].failed_steps, 0);
    check_counts(1);
    net_run(net, MINUTE);
    if (net_links(net, 0, 1) == 0)
        net_call(net, 1, 0);
    ck_assert(net_run_quiet(net, 10 * MINUTE));
    ck_assert(net_equal(net, 0, 1, space));
    ck_assert_int_eq(net_counts(net, 1, space).records, 2000);
}
END_TEST

static Suite *engine_suite(void)
{
    Suite *suite = suite_create("engine");
    TCase *tcase = tcase_create("engine");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, two_nodes_converge);
    tcase_add_test(tcase,
                   what_was_sent_and_taken_is_counted_when_the_session_is_done);
    tcase_add_test(tcase, a_session_with_nothing_to_do_is_one_round_trip);
    tcase_add_test(tcase, a_member_relays_the_log_of_a_third);
    tcase_add_test(tcase, a_hundred_edits_apart_keep_both_values_of_twenty);
    tcase_add_test(tcase, a_link_cut_in_a_large_pull_costs_little);
    tcase_add_test(tcase, a_link_cut_in_a_large_roster_leaves_a_sound_replica);
    tcase_add_test(tcase, a_reader_receives_everything_and_writes_nothing);
    tcase_add_test(tcase, news_reach_a_live_peer_at_once_with_the_entry);
    tcase_add_test(tcase, large_news_are_fetched);
    tcase_add_test(tcase, news_travel_along_a_line);
    tcase_add_test(tcase, two_connections_between_two_nodes_do_no_harm);
    tcase_add_test(tcase,
                   a_commit_while_the_hello_is_under_way_is_not_forgotten);
    tcase_add_test(tcase,
                   an_admission_while_the_hello_is_under_way_does_no_harm);
    tcase_add_test(tcase, two_admissions_within_a_round_trip_are_both_greeted);
    tcase_add_test(tcase, a_peer_that_dies_in_its_answer_holds_nobody_up);
    tcase_add_test(tcase, a_peer_that_falls_silent_holds_nobody_up_for_long);
    tcase_add_test(tcase, endpoints_are_learned_through_a_third_node);
    tcase_add_test(tcase, what_came_from_others_is_found_by_its_words);
    tcase_add_test(tcase, a_clock_a_year_ahead_is_noted_and_decides_nothing);
    tcase_add_test(tcase, a_clock_set_back_does_not_put_off_dialling);
    tcase_add_test(tcase, an_invitation_admits_once);
    tcase_add_test(tcase, strangers_who_stay_leave_room_for_a_newcomer);
    tcase_add_test(tcase, an_expired_invitation_is_refused_by_the_chair);
    tcase_add_test(tcase, a_join_whose_answer_was_lost_can_be_repeated);
    tcase_add_loop_test(
        tcase, a_space_that_was_left_comes_back_with_an_invitation, 0, 2);
    tcase_add_test(tcase, six_join_at_the_same_time);
    tcase_add_test(tcase, a_roster_change_opens_new_pairs_of_live_sessions);
    tcase_add_test(tcase,
                   a_roster_change_does_not_wait_for_who_knows_no_such_space);
    tcase_add_test(tcase, an_older_roster_gives_and_takes_entries_too);
    tcase_add_test(tcase,
                   an_older_roster_that_dials_gives_and_takes_entries_too);
    tcase_add_test(tcase, a_puppet_that_behaves_is_believed);
    tcase_add_test(tcase, what_is_no_frame_ends_the_session_and_no_other);
    tcase_add_test(tcase, truncated_frames_are_refused);
    tcase_add_test(tcase, what_was_not_agreed_ends_the_session);
    tcase_add_test(tcase, a_message_about_no_space_of_ours_does_nothing);
    tcase_add_loop_test(tcase, entries_that_lie_are_refused_and_counted, 0,
                        LIE_COUNT);
    tcase_add_test(tcase,
                   a_refused_run_does_not_hold_back_the_others_of_its_batch);
    tcase_add_test(tcase, a_removed_member_that_shows_heads_is_shown_nothing);
    tcase_add_test(tcase, a_promise_that_is_not_kept_leaves_equal_peers_done);
    tcase_add_test(tcase, a_frontier_signed_by_another_is_refused);
    tcase_add_test(tcase, entries_said_again_are_duplicates);
    tcase_add_test(tcase, credit_is_respected);
    tcase_add_loop_test(
        tcase, a_run_without_a_stop_for_a_megabyte_can_be_relayed_or_is_refused,
        0, 4);
    tcase_add_loop_test(
        tcase, a_signed_frontier_of_a_megabyte_can_be_relayed_or_is_refused, 0,
        4);
    tcase_add_test(tcase, a_stranger_gets_the_roster_and_no_content);
    tcase_add_test(tcase, a_stranger_who_asks_for_content_is_dropped);
    tcase_add_test(tcase, a_stranger_is_not_listened_to_for_long);
    tcase_add_test(tcase, a_wrong_proof_is_refused);
    tcase_add_test(tcase, a_proof_belongs_to_its_key);
    tcase_add_test(tcase, a_refusal_gives_its_reason);
    tcase_add_test(tcase, guessing_is_answered_with_a_pause);
    tcase_add_test(tcase, guessing_is_limited_over_all_spaces_too);
    tcase_add_test(tcase, an_admission_without_a_roster_is_no_membership);
    tcase_add_test(tcase, a_full_disk_is_noted_and_survived);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(engine_suite());
    int failed;

    net_begin();
    srunner_run_all(runner, CK_ENV);
    net_end();
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}
