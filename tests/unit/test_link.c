/* test_link.c - connections over loopback: who is let in, what gets through,
 * and how each end learns that the other is gone.
 * Sockets cannot be had without time; every wait here is bounded. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "link/fds.h"
#include "link/link.h"
#include "link/zap.h"
#include "secure/keys.h"

#define PATIENCE 500 /* waits of at most 20 ms */
#define WAIT_MS 20
#define SEEN_MAX 512

/* One end, and what it saw. */
struct end {
    struct ent_keys keys;
    struct ent_link *link;
    struct ent_link_event seen[SEEN_MAX]; /* frames only by their length */
    uint8_t first[SEEN_MAX];              /* the first byte of a frame */
    size_t count;
};

static struct end ann, bob;

static void end_open(struct end *end, uint8_t seed, const char *listen,
                     uint32_t inbound_max)
{
    uint8_t bytes[32] = {seed};
    struct ent_err err;

    memset(end, 0, sizeof(*end));
    ent_keys_from_seed(&end->keys, bytes);
    struct ent_link_options options = {
        .curve_secret = end->keys.curve_secret,
        .curve_public = end->keys.curve_public,
        .listen = listen,
        .inbound_max = inbound_max,
    };
    ck_assert_msg(ent_link_open(&options, &end->link, &err) == 0, "%s",
                  err.text);
}

static void end_close(struct end *end)
{
    ent_link_close(end->link);
    end->link = NULL;
    ent_keys_fini(&end->keys);
}

static void setup(void)
{
    ck_assert_int_eq(ent_secure_init(NULL), 0);
    end_open(&ann, 1, "tcp://127.0.0.1:*", 8);
    end_open(&bob, 2, NULL, 0);
}

static void teardown(void)
{
    end_close(&bob);
    end_close(&ann);
}

static void pump(struct end *end)
{
    struct ent_link_event event;

    ck_assert_int_eq(ent_link_wait(end->link, NULL, NULL, 0, WAIT_MS), 0);
    while (ent_link_next(end->link, &event) > 0) {
        ck_assert_uint_lt(end->count, SEEN_MAX);
        if (event.type == ENT_LINK_FRAME && event.frame.len > 0)
            end->first[end->count] = event.frame.at[0];
        event.frame.at = NULL;
        end->seen[end->count++] = event;
    }
}

static size_t seen(const struct end *end, enum ent_link_event_type type)
{
    size_t n = 0;

    for (size_t i = 0; i < end->count; i++)
        n += end->seen[i].type == type;
    return n;
}

/* Both go on until `end` saw `n` events of a type. */
static bool until(struct end *end, enum ent_link_event_type type, size_t n)
{
    for (int i = 0; i < PATIENCE && seen(end, type) < n; i++) {
        if (ann.link != NULL)
            pump(&ann);
        if (bob.link != NULL)
            pump(&bob);
    }
    return seen(end, type) >= n;
}

static void rest(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        pump(&ann);
        pump(&bob);
    }
}

static const struct ent_link_event *seen_last(const struct end *end,
                                              enum ent_link_event_type type)
{
    for (size_t i = end->count; i-- > 0;)
        if (end->seen[i].type == type)
            return &end->seen[i];
    ck_abort_msg("no such event");
    return NULL;
}

static uint32_t dial(struct end *from, const char *endpoint,
                     const struct ent_key *curve)
{
    uint32_t conn = 0;

    ck_assert_int_eq(ent_link_dial(from->link, endpoint, curve, &conn, NULL),
                     0);
    return conn;
}

static uint32_t meet(void)
{
    uint32_t conn =
        dial(&bob, ent_link_bound(ann.link), &ann.keys.curve_public);

    ck_assert(until(&bob, ENT_LINK_UP, 1));
    return conn;
}

static void say(struct end *end, uint32_t conn, const char *text)
{
    ck_assert_int_eq(ent_link_send(end->link, conn, ent_slice_str(text)), 1);
}

static struct ent_link_counts counts_of(const struct end *end)
{
    struct ent_link_counts counts;

    ent_link_counts_read(end->link, &counts);
    return counts;
}

/* A client of our own making, for what a link never does. */
struct raw {
    void *context, *socket;
    struct ent_keys keys;
};

static void raw_open(struct raw *raw, uint8_t seed, bool curve,
                     const char *routing_id)
{
    uint8_t bytes[32] = {seed};
    int linger = 0;

    ent_keys_from_seed(&raw->keys, bytes);
    raw->context = zmq_ctx_new();
    raw->socket = zmq_socket(raw->context, ZMQ_DEALER);
    zmq_setsockopt(raw->socket, ZMQ_LINGER, &linger, sizeof(linger));
    if (curve) {
        zmq_setsockopt(raw->socket, ZMQ_CURVE_SECRETKEY, raw->keys.curve_secret,
                       32);
        zmq_setsockopt(raw->socket, ZMQ_CURVE_PUBLICKEY,
                       raw->keys.curve_public.b, 32);
        zmq_setsockopt(raw->socket, ZMQ_CURVE_SERVERKEY,
                       ann.keys.curve_public.b, 32);
    }
    if (routing_id != NULL)
        zmq_setsockopt(raw->socket, ZMQ_ROUTING_ID, routing_id,
                       strlen(routing_id));
    ck_assert_int_eq(zmq_connect(raw->socket, ent_link_bound(ann.link)), 0);
}

static void raw_close(struct raw *raw)
{
    zmq_close(raw->socket);
    zmq_ctx_term(raw->context);
}

static int tcp_open(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval patience = {.tv_sec = 5};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port =
        htons((uint16_t)atoi(strrchr(ent_link_bound(ann.link), ':') + 1));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

/* ------------------------------------------------------------------- people */

START_TEST(the_bound_endpoint_is_one_that_can_be_dialled)
{
    const char *bound = ent_link_bound(ann.link);

    ck_assert_int_eq(strncmp(bound, "tcp://127.0.0.1:", 16), 0);
    ck_assert_int_gt(atoi(bound + 16), 0);
    ck_assert_ptr_null(ent_link_bound(bob.link));
}
END_TEST

START_TEST(both_ends_know_the_others_proven_key)
{
    uint32_t conn = meet();

    say(&bob, conn, "hello");
    ck_assert(until(&ann, ENT_LINK_FRAME, 1));
    ck_assert(ent_key_equal(&seen_last(&ann, ENT_LINK_FRAME)->curve,
                            &bob.keys.curve_public));
    ck_assert(!seen_last(&ann, ENT_LINK_UP)->dialled);
    ck_assert(ent_key_equal(&seen_last(&bob, ENT_LINK_UP)->curve,
                            &ann.keys.curve_public));
    ck_assert(seen_last(&bob, ENT_LINK_UP)->dialled);
    ck_assert_uint_eq(seen_last(&bob, ENT_LINK_UP)->conn, conn);

    say(&ann, seen_last(&ann, ENT_LINK_UP)->conn, "welcome");
    ck_assert(until(&bob, ENT_LINK_FRAME, 1));
    ck_assert_uint_eq(seen_last(&bob, ENT_LINK_FRAME)->frame.len, 7);
    ck_assert_uint_eq(counts_of(&ann).bytes_received, 5);
    ck_assert_uint_eq(counts_of(&ann).bytes_sent, 7);
}
END_TEST

/* The engine opens a session at UP; a frame before it would belong to none. */
START_TEST(a_connection_is_up_before_its_first_frame)
{
    uint32_t conn = meet();

    say(&bob, conn, "1");
    say(&bob, conn, "2");
    ck_assert(until(&ann, ENT_LINK_FRAME, 2));
    ck_assert_uint_eq(ann.count, 3);
    ck_assert_int_eq(ann.seen[0].type, ENT_LINK_UP);
    ck_assert_int_eq(ann.first[1], '1');
    ck_assert_int_eq(ann.first[2], '2');
    ck_assert_uint_eq(ann.seen[0].conn, ann.seen[2].conn);
}
END_TEST

/* Every key is let in, so that a newcomer can ask to join (A5): what it may
 * have is decided above, by its key. */
START_TEST(a_stranger_is_reported_with_its_own_key)
{
    struct raw raw;

    raw_open(&raw, 77, true, NULL);
    zmq_send(raw.socket, "may I", 5, 0);
    ck_assert(until(&ann, ENT_LINK_FRAME, 1));
    ck_assert(ent_key_equal(&seen_last(&ann, ENT_LINK_FRAME)->curve,
                            &raw.keys.curve_public));
    raw_close(&raw);
}
END_TEST

START_TEST(a_frame_of_the_largest_size_gets_through)
{
    uint32_t conn = meet();
    uint8_t *bytes = calloc(1, ENT_FRAME_BYTES_MAX);

    ck_assert_int_eq(
        ent_link_send(bob.link, conn, ent_slice(bytes, ENT_FRAME_BYTES_MAX)),
        1);
    ck_assert(until(&ann, ENT_LINK_FRAME, 1));
    ck_assert_uint_eq(seen_last(&ann, ENT_LINK_FRAME)->frame.len,
                      ENT_FRAME_BYTES_MAX);
    free(bytes);
}
END_TEST

/* A peer that does not read must not make this node hold its messages. */
START_TEST(sending_to_a_peer_that_does_not_read_says_so)
{
    uint32_t conn = meet();
    uint8_t *bytes = calloc(1, ENT_FRAME_BYTES_MAX);
    struct ent_slice frame = ent_slice(bytes, ENT_FRAME_BYTES_MAX);
    int rc = 1;
    size_t sent = 0;

    say(&bob, conn, "hello");
    ck_assert(until(&ann, ENT_LINK_FRAME, 1));
    conn = seen_last(&ann, ENT_LINK_UP)->conn;
    for (int i = 0; i < PATIENCE && rc > 0; i++, sent++) {
        rc = ent_link_send(ann.link, conn, frame);
        if (i > 2 * ENT_LINK_HWM)
            pump(&ann);
    }
    ck_assert_int_eq(rc, 0);
    ck_assert(until(&bob, ENT_LINK_FRAME, sent - 1));
    ck_assert_int_eq(ent_link_send(ann.link, conn, frame), 1);
    free(bytes);
}
END_TEST

START_TEST(descriptors_of_the_caller_wake_the_wait)
{
    int pipes[2];
    bool ready[1] = {false};

    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_eq(ent_link_wait(ann.link, pipes, ready, 1, 0), 0);
    ck_assert(!ready[0]);
    ck_assert_int_eq(write(pipes[1], "x", 1), 1);
    ck_assert_int_eq(ent_link_wait(ann.link, pipes, ready, 1, -1), 0);
    ck_assert(ready[0]);
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

/* -------------------------------------------------------------------- ends */

START_TEST(the_one_who_was_dialled_learns_that_the_other_closed)
{
    uint32_t conn = meet();

    say(&bob, conn, "hello");
    ck_assert(until(&ann, ENT_LINK_FRAME, 1));
    say(&bob, conn, "the last word");
    ent_link_drop(bob.link, conn);
    ck_assert(until(&ann, ENT_LINK_DOWN, 1));
    ck_assert_ptr_nonnull(seen_last(&ann, ENT_LINK_DOWN)->reason);
    /* What was said before the end was read before the end. */
    ck_assert_uint_eq(seen(&ann, ENT_LINK_FRAME), 2);
    ck_assert_int_eq(ann.seen[ann.count - 1].type, ENT_LINK_DOWN);
    ck_assert_uint_eq(seen(&bob, ENT_LINK_DOWN), 0);
    ck_assert_int_eq(ent_link_send(ann.link, seen_last(&ann, ENT_LINK_UP)->conn,
                                   ent_slice_str("too late")),
                     ENT_EPEER);
}
END_TEST

START_TEST(the_one_who_dialled_learns_that_the_other_closed)
{
    uint32_t conn = meet();

    say(&bob, conn, "hello");
    ck_assert(until(&ann, ENT_LINK_FRAME, 1));
    end_close(&ann);
    ck_assert(until(&bob, ENT_LINK_DOWN, 1));
    ck_assert_uint_eq(seen_last(&bob, ENT_LINK_DOWN)->conn, conn);
    ck_assert_ptr_nonnull(seen_last(&bob, ENT_LINK_DOWN)->reason);
}
END_TEST

/* A member that was removed is not left with an open line. */
START_TEST(who_is_dropped_is_disconnected_after_its_last_message)
{
    uint32_t conn = meet();

    say(&bob, conn, "hello");
    ck_assert(until(&ann, ENT_LINK_FRAME, 1));
    conn = seen_last(&ann, ENT_LINK_UP)->conn;
    say(&ann, conn, "go away");
    ent_link_drop(ann.link, conn);
    say(&bob, seen_last(&bob, ENT_LINK_UP)->conn, "but");
    ck_assert(until(&bob, ENT_LINK_DOWN, 1));
    ck_assert_uint_eq(seen(&bob, ENT_LINK_FRAME), 1);
    ck_assert_uint_eq(seen(&ann, ENT_LINK_FRAME), 1);
    ck_assert_uint_eq(seen(&ann, ENT_LINK_DOWN), 0);
}
END_TEST

START_TEST(a_connection_that_came_back_is_another_one)
{
    uint32_t first = meet();

    say(&bob, first, "hello");
    ck_assert(until(&ann, ENT_LINK_UP, 1));
    ent_link_drop(bob.link, first);
    for (int i = 2; i < 12; i++) {
        uint32_t conn =
            dial(&bob, ent_link_bound(ann.link), &ann.keys.curve_public);

        ck_assert(until(&bob, ENT_LINK_UP, (size_t)i));
        say(&bob, conn, "again");
        ck_assert(until(&ann, ENT_LINK_FRAME, (size_t)i));
        ent_link_drop(bob.link, conn);
    }
    ck_assert(until(&ann, ENT_LINK_DOWN, 11));
    rest(3);
    ck_assert_uint_eq(seen(&ann, ENT_LINK_UP), 11);
    ck_assert_uint_eq(seen(&ann, ENT_LINK_DOWN), 11);
    ck_assert_uint_eq(seen_last(&ann, ENT_LINK_UP)->conn, 11);
}
END_TEST

/* ----------------------------------------------------------- failed dialling
 */

START_TEST(a_server_with_another_key_is_down_with_a_reason)
{
    uint32_t conn =
        dial(&bob, ent_link_bound(ann.link), &bob.keys.curve_public);

    ck_assert(until(&bob, ENT_LINK_DOWN, 1));
    ck_assert_uint_eq(seen_last(&bob, ENT_LINK_DOWN)->conn, conn);
    ck_assert_ptr_nonnull(
        strstr(seen_last(&bob, ENT_LINK_DOWN)->reason, "expected key"));
    ck_assert_uint_eq(seen(&bob, ENT_LINK_UP), 0);
    ck_assert_uint_eq(seen(&ann, ENT_LINK_UP), 0);
    ck_assert_uint_ge(counts_of(&ann).handshakes_failed, 1);
}
END_TEST

START_TEST(an_address_where_nobody_listens_is_down_with_a_reason)
{
    dial(&bob, "tcp://127.0.0.1:1", &ann.keys.curve_public);
    ck_assert(until(&bob, ENT_LINK_DOWN, 1));
    ck_assert_ptr_nonnull(
        strstr(seen_last(&bob, ENT_LINK_DOWN)->reason, "nobody answers"));
}
END_TEST

/* Peers tell endpoints: they may not make us open anything but TCP. */
START_TEST(an_endpoint_of_another_transport_is_down_with_a_reason)
{
    static const char *const wrong[] = {
        "",
        "tcp://",
        "tcp://x",
        "ipc:///tmp/x",
        "inproc://x",
        "tcp://127.0.0.1:1;127.0.0.1:2",
        "udp://1.2.3.4:5",
    };

    for (size_t i = 0; i < ENT_ARRAY_LEN(wrong); i++) {
        dial(&bob, wrong[i], &ann.keys.curve_public);
        ck_assert(until(&bob, ENT_LINK_DOWN, i + 1));
        ck_assert_ptr_nonnull(
            strstr(seen_last(&bob, ENT_LINK_DOWN)->reason, "tcp://HOST:PORT"));
    }
}
END_TEST

START_TEST(an_endpoint_that_is_taken_cannot_be_listened_on)
{
    struct ent_link_options options = {
        .curve_secret = bob.keys.curve_secret,
        .curve_public = bob.keys.curve_public,
        .listen = ent_link_bound(ann.link),
    };
    struct ent_link *link = NULL;
    struct ent_err err;

    ck_assert_int_eq(ent_link_open(&options, &link, &err), ENT_EPEER);
    options.listen = "inproc://x";
    ck_assert_int_eq(ent_link_open(&options, &link, &err), ENT_EREFUSED);
    ck_assert_ptr_null(link);
}
END_TEST

/* ----------------------------------------------------------------- attackers
 */

START_TEST(a_client_without_curve_is_refused)
{
    struct raw raw;

    raw_open(&raw, 3, false, NULL);
    zmq_send(raw.socket, "hello", 5, 0);
    rest(10);
    ck_assert_uint_eq(ann.count, 0);
    ck_assert_uint_ge(counts_of(&ann).handshakes_failed, 1);
    raw_close(&raw);
}
END_TEST

START_TEST(garbage_on_the_port_disturbs_nobody)
{
    uint32_t conn = meet();
    uint8_t bytes[4096];
    int fds[20];

    for (size_t i = 0; i < ENT_ARRAY_LEN(fds); i++) {
        fds[i] = tcp_open();
        for (size_t j = 0; j < sizeof(bytes); j++)
            bytes[j] = (uint8_t)(j * (i + 7) + (j >> 3));
        send(fds[i], bytes, sizeof(bytes) / (i + 1), MSG_NOSIGNAL);
    }
    say(&bob, conn, "still here");
    ck_assert(until(&ann, ENT_LINK_FRAME, 1));
    for (size_t i = 0; i < ENT_ARRAY_LEN(fds); i++)
        close(fds[i]);
    rest(5);
    ck_assert_uint_eq(ann.count, 2);
}
END_TEST

START_TEST(a_frame_over_the_limit_cuts_only_its_connection)
{
    uint32_t conn = meet();
    struct raw raw;
    uint8_t *bytes = calloc(1, ENT_FRAME_BYTES_MAX + 1);

    say(&bob, conn, "hello");
    raw_open(&raw, 4, true, NULL);
    zmq_send(raw.socket, "hello", 5, 0);
    ck_assert(until(&ann, ENT_LINK_FRAME, 2));
    zmq_send(raw.socket, bytes, ENT_FRAME_BYTES_MAX + 1, 0);
    ck_assert(until(&ann, ENT_LINK_DOWN, 1));
    ck_assert(ent_key_equal(&seen_last(&ann, ENT_LINK_DOWN)->curve,
                            &raw.keys.curve_public));
    say(&bob, conn, "still here");
    ck_assert(until(&ann, ENT_LINK_FRAME, 3));
    ck_assert_uint_eq(seen_last(&ann, ENT_LINK_FRAME)->frame.len, 10);
    raw_close(&raw);
    free(bytes);
}
END_TEST

START_TEST(a_message_of_several_parts_is_dropped_and_counted)
{
    struct raw raw;

    raw_open(&raw, 5, true, NULL);
    zmq_send(raw.socket, "a", 1, ZMQ_SNDMORE);
    zmq_send(raw.socket, "b", 1, ZMQ_SNDMORE);
    zmq_send(raw.socket, "c", 1, 0);
    zmq_send(raw.socket, "good", 4, 0);
    ck_assert(until(&ann, ENT_LINK_FRAME, 1));
    ck_assert_uint_eq(seen_last(&ann, ENT_LINK_FRAME)->frame.len, 4);
    ck_assert_uint_eq(counts_of(&ann).bad_parts, 1);
    raw_close(&raw);
}
END_TEST

/* With a name of its own choice a peer could hold the name of another, or wait
 * for it to come free. No name but libzmq's own gets a connection. */
START_TEST(a_peer_that_names_itself_gets_no_connection)
{
    struct raw raw;

    raw_open(&raw, 6, true, "abcde");
    zmq_send(raw.socket, "hello", 5, 0);
    rest(20);
    ck_assert_uint_eq(ann.count, 0);
    raw_close(&raw);
}
END_TEST

START_TEST(more_connections_than_allowed_are_closed)
{
    struct raw raws[12];

    for (size_t i = 0; i < ENT_ARRAY_LEN(raws); i++) {
        int ivl = -1;

        raw_open(&raws[i], (uint8_t)(10 + i), true, NULL);
        zmq_setsockopt(raws[i].socket, ZMQ_RECONNECT_IVL, &ivl, sizeof(ivl));
        zmq_send(raws[i].socket, "hello", 5, 0);
    }
    ck_assert(until(&ann, ENT_LINK_UP, 8));
    for (int i = 0; i < PATIENCE && counts_of(&ann).over_max < 4; i++)
        pump(&ann);
    ck_assert_uint_ge(counts_of(&ann).over_max, 4);
    ck_assert_uint_eq(seen(&ann, ENT_LINK_UP), 8);
    ck_assert_uint_eq(seen(&ann, ENT_LINK_FRAME), 8);

    /* Room again as soon as one goes. */
    for (size_t i = 0; i < ENT_ARRAY_LEN(raws); i++)
        raw_close(&raws[i]);
    ck_assert(until(&ann, ENT_LINK_DOWN, 8));
    say(&bob, meet(), "hello");
    ck_assert(until(&ann, ENT_LINK_UP, 9));
}
END_TEST

/* However many hold a line without a word, the next one gets through. */
START_TEST(silent_connections_make_room_for_one_that_speaks)
{
    int fds[ENT_FDS_SILENT_MAX + 40];
    uint32_t conn;
    char byte;

    for (size_t i = 0; i < ENT_ARRAY_LEN(fds); i++) {
        fds[i] = tcp_open();
        if (i % 16 == 0)
            pump(&ann);
    }
    conn = meet();
    say(&bob, conn, "hello");
    ck_assert(until(&ann, ENT_LINK_FRAME, 1));
    /* The oldest was closed: its greeting is followed by the end. */
    rest(5);
    for (int i = 0; i < 1000 && recv(fds[0], &byte, 1, 0) > 0; i++)
        ;
    ck_assert_int_eq(recv(fds[0], &byte, 1, MSG_DONTWAIT), 0);
    for (size_t i = 0; i < ENT_ARRAY_LEN(fds); i++)
        close(fds[i]);
}
END_TEST

/* libzmq gathers all parts of a message before it shows the first one: nothing
 * else bounds what one peer can make it hold. */
START_TEST(a_message_without_end_is_cut)
{
    static uint8_t bytes[1 << 16];
    struct raw raw;
    zmq_msg_t part;
    int ivl = -1;

    raw_open(&raw, 8, true, NULL);
    zmq_setsockopt(raw.socket, ZMQ_RECONNECT_IVL, &ivl, sizeof(ivl));
    zmq_send(raw.socket, "hello", 5, 0);
    ck_assert(until(&ann, ENT_LINK_UP, 1));
    for (int i = 0; i < 1 << 12; i++) {
        zmq_msg_init_data(&part, bytes, sizeof(bytes), NULL, NULL);
        zmq_msg_send(&part, raw.socket, i + 1 < 1 << 12 ? ZMQ_SNDMORE : 0);
    }
    ck_assert(until(&ann, ENT_LINK_DOWN, 1));
    ck_assert_uint_eq(seen(&ann, ENT_LINK_FRAME), 1);
    ck_assert_uint_eq(counts_of(&ann).bad_parts, 0);
    raw_close(&raw);
}
END_TEST

/* ----------------------------------------------------------------------- ZAP
 */

/* Serve the question asked, and read the status code of the answer. */
static void read_zap(void *asker, void *zap, char code[4])
{
    char part[256];
    int more = 1;
    size_t len = sizeof(more);

    ent_zap_serve(zap);
    for (int i = 0; more != 0; i++) {
        int n = zmq_recv(asker, part, sizeof(part), 0);

        if (i == 2)
            snprintf(code, 4, "%.*s", n, part);
        zmq_getsockopt(asker, ZMQ_RCVMORE, &more, &len);
    }
}

static void ask_zap(void *asker, void *zap, const char *mechanism,
                    const char *version, size_t key_len, char code[4])
{
    uint8_t key[64] = {0};

    zmq_send(asker, version, strlen(version), ZMQ_SNDMORE);
    zmq_send(asker, "1", 1, ZMQ_SNDMORE);
    zmq_send(asker, "", 0, ZMQ_SNDMORE);
    zmq_send(asker, "::1", 3, ZMQ_SNDMORE);
    zmq_send(asker, "", 0, ZMQ_SNDMORE);
    zmq_send(asker, mechanism, strlen(mechanism), ZMQ_SNDMORE);
    zmq_send(asker, key, key_len, 0);
    read_zap(asker, zap, code);
}

START_TEST(only_curve_with_a_whole_key_is_granted)
{
    void *context = zmq_ctx_new();
    void *asker = zmq_socket(context, ZMQ_REQ);
    void *zap = NULL, *second = NULL;
    char code[4];

    ck_assert_int_eq(ent_zap_open(context, &zap, NULL), 0);
    ck_assert_int_eq(ent_zap_open(context, &second, NULL), ENT_EFAIL);
    ck_assert_int_eq(zmq_connect(asker, ENT_ZAP_ENDPOINT), 0);
    ask_zap(asker, zap, "CURVE", "1.0", 32, code);
    ck_assert_str_eq(code, "200");
    ask_zap(asker, zap, "CURVE", "1.0", 31, code);
    ck_assert_str_eq(code, "400");
    ask_zap(asker, zap, "CURVE", "2.0", 32, code);
    ck_assert_str_eq(code, "400");
    ask_zap(asker, zap, "NULL", "1.0", 32, code);
    ck_assert_str_eq(code, "400");
    ask_zap(asker, zap, "PLAIN", "1.0", 32, code);
    ck_assert_str_eq(code, "400");

    /* A request that stops early is answered too. */
    zmq_send(asker, "1.0", 3, 0);
    read_zap(asker, zap, code);
    ck_assert_str_eq(code, "400");
    ask_zap(asker, zap, "CURVE", "1.0", 32, code);
    ck_assert_str_eq(code, "200");
    zmq_close(asker);
    zmq_close(zap);
    zmq_ctx_term(context);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("link");
    TCase *people = tcase_create("people");
    TCase *ends = tcase_create("ends");
    TCase *failing = tcase_create("failed dialling");
    TCase *attackers = tcase_create("attackers");
    TCase *zap = tcase_create("zap");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(people, setup, teardown);
    tcase_set_timeout(people, 60);
    tcase_add_test(people, the_bound_endpoint_is_one_that_can_be_dialled);
    tcase_add_test(people, both_ends_know_the_others_proven_key);
    tcase_add_test(people, a_connection_is_up_before_its_first_frame);
    tcase_add_test(people, a_stranger_is_reported_with_its_own_key);
    tcase_add_test(people, a_frame_of_the_largest_size_gets_through);
    tcase_add_test(people, sending_to_a_peer_that_does_not_read_says_so);
    tcase_add_test(people, descriptors_of_the_caller_wake_the_wait);
    suite_add_tcase(suite, people);

    tcase_add_checked_fixture(ends, setup, teardown);
    tcase_set_timeout(ends, 60);
    tcase_add_test(ends, the_one_who_was_dialled_learns_that_the_other_closed);
    tcase_add_test(ends, the_one_who_dialled_learns_that_the_other_closed);
    tcase_add_test(ends, who_is_dropped_is_disconnected_after_its_last_message);
    tcase_add_test(ends, a_connection_that_came_back_is_another_one);
    suite_add_tcase(suite, ends);

    tcase_add_checked_fixture(failing, setup, teardown);
    tcase_set_timeout(failing, 60);
    tcase_add_test(failing, a_server_with_another_key_is_down_with_a_reason);
    tcase_add_test(failing,
                   an_address_where_nobody_listens_is_down_with_a_reason);
    tcase_add_test(failing,
                   an_endpoint_of_another_transport_is_down_with_a_reason);
    tcase_add_test(failing, an_endpoint_that_is_taken_cannot_be_listened_on);
    suite_add_tcase(suite, failing);

    tcase_add_checked_fixture(attackers, setup, teardown);
    tcase_set_timeout(attackers, 120);
    tcase_add_test(attackers, a_client_without_curve_is_refused);
    tcase_add_test(attackers, garbage_on_the_port_disturbs_nobody);
    tcase_add_test(attackers, a_frame_over_the_limit_cuts_only_its_connection);
    tcase_add_test(attackers,
                   a_message_of_several_parts_is_dropped_and_counted);
    tcase_add_test(attackers, a_peer_that_names_itself_gets_no_connection);
    tcase_add_test(attackers, more_connections_than_allowed_are_closed);
    tcase_add_test(attackers, silent_connections_make_room_for_one_that_speaks);
    tcase_add_test(attackers, a_message_without_end_is_cut);
    suite_add_tcase(suite, attackers);

    tcase_add_test(zap, only_curve_with_a_whole_key_is_granted);
    suite_add_tcase(suite, zap);

    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
