/* test_drive.c - the wheel between engine and link, with both played here: no
 * socket, no replica, no clock. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/drive.h"

#define PLAYED_MAX 128

/* The link: what it will report, what it was asked. */
static struct ent_link_event coming[PLAYED_MAX];
static size_t coming_count, coming_at;
static bool full;      /* peers take nothing */
static bool no_memory; /* dialling fails */
static char sent[1024];
static uint32_t dropped;
static int waited_ms;

/* The engine: what it was told, and what it answers. */
static char told[1024];
static struct ent_effect answers[PLAYED_MAX];
static size_t answer_count;
static int failures; /* of the next steps */
static uint32_t dialled;
static int64_t wake_ms;
static struct ent_drive drive;

int ent_link_dial(struct ent_link *link, const char *endpoint,
                  const struct ent_key *curve, uint32_t *conn,
                  struct ent_err *err)
{
    (void)link;
    (void)endpoint;
    (void)curve;
    if (no_memory)
        return ent_err_set(err, ENT_ENOMEM, "out of memory");
    *conn = 77;
    return 0;
}

int ent_link_send(struct ent_link *link, uint32_t conn, struct ent_slice frame)
{
    size_t len = strlen(sent);

    (void)link;
    if (full)
        return 0;
    snprintf(sent + len, sizeof(sent) - len, "%u:%.*s ", conn,
             frame.len < 10 ? (int)frame.len : 1, (const char *)frame.at);
    return 1;
}

void ent_link_drop(struct ent_link *link, uint32_t conn)
{
    (void)link;
    dropped = conn;
}

int ent_link_wait(struct ent_link *link, const int *fds, bool *ready,
                  size_t fd_count, int timeout_ms)
{
    (void)link;
    (void)fds;
    (void)ready;
    (void)fd_count;
    waited_ms = timeout_ms;
    return 0;
}

int ent_link_next(struct ent_link *link, struct ent_link_event *event)
{
    (void)link;
    if (coming_at == coming_count)
        return 0;
    *event = coming[coming_at++];
    return 1;
}

int ent_engine_step(struct ent_engine *engine, const struct ent_event *event,
                    struct ent_effects *effects, struct ent_err *err)
{
    static const char *const names[] = {"up",   "down",  "frame",
                                        "tick", "local", "room"};
    size_t len = strlen(told);

    (void)engine;
    if (failures > 0) {
        failures--;
        return ent_err_set(err, ENT_ESTORE, "the disk is full");
    }
    snprintf(told + len, sizeof(told) - len, "%s%u ", names[event->type],
             event->conn);
    if (event->type == ENT_EVENT_TICK)
        wake_ms = event->mono_ms + 1000;
    *effects = (struct ent_effects){.items = answers, .count = answer_count};
    answer_count = 0;
    return 0;
}

const struct ent_effect *ent_effects_next(struct ent_effects *effects)
{
    return effects->next < effects->count ? &effects->items[effects->next++]
                                          : NULL;
}

void ent_engine_dialled(struct ent_engine *engine, uint32_t dial, uint32_t conn)
{
    (void)engine;
    (void)dial;
    dialled = conn;
}

int64_t ent_engine_wake_ms(const struct ent_engine *engine)
{
    (void)engine;
    return wake_ms;
}

static void setup(void)
{
    const struct ent_drive_watch watch = {0};

    coming_count = coming_at = answer_count = 0;
    full = no_memory = false;
    failures = 0;
    dropped = 0;
    dialled = UINT32_MAX;
    wake_ms = 1000000;
    sent[0] = told[0] = '\0';
    ent_drive_init(&drive, NULL, NULL, &watch);
}

static void teardown(void)
{
    ent_drive_fini(&drive);
}

static void comes(enum ent_link_event_type type, uint32_t conn)
{
    coming[coming_count++] = (struct ent_link_event){
        .type = type,
        .conn = conn,
        .frame = ent_slice("x", type == ENT_LINK_FRAME),
    };
}

static void answer_send(uint32_t conn, struct ent_slice frame)
{
    answers[answer_count++] = (struct ent_effect){
        .type = ENT_EFFECT_SEND, .conn = conn, .frame = frame};
}

static int turn(int64_t mono_ms)
{
    return ent_drive_turn(&drive, 0, mono_ms, NULL);
}

START_TEST(what_the_link_reports_reaches_the_engine_in_order)
{
    comes(ENT_LINK_UP, 1);
    comes(ENT_LINK_FRAME, 1);
    comes(ENT_LINK_DOWN, 1);
    ck_assert_int_eq(turn(0), 0);
    ck_assert_str_eq(told, "up1 frame1 down1 ");
}
END_TEST

START_TEST(a_tick_comes_when_the_engine_wants_one)
{
    wake_ms = 500;
    ck_assert_int_eq(turn(499), 0);
    ck_assert_str_eq(told, "");
    ck_assert_int_eq(ent_drive_wait(&drive, 499, NULL, NULL, 0, 50), 0);
    ck_assert_int_eq(waited_ms, 1);
    ck_assert_int_eq(turn(500), 0);
    ck_assert_str_eq(told, "tick0 ");
    ck_assert_int_eq(ent_drive_wait(&drive, 500, NULL, NULL, 0, 50), 0);
    ck_assert_int_eq(waited_ms, 50);
}
END_TEST

START_TEST(new_commits_are_told_once)
{
    ent_drive_local(&drive);
    ent_drive_local(&drive);
    ck_assert_int_eq(turn(0), 0);
    ck_assert_int_eq(turn(1), 0);
    ck_assert_str_eq(told, "local0 ");
}
END_TEST

START_TEST(frames_for_one_that_does_not_read_wait_in_order)
{
    comes(ENT_LINK_UP, 1);
    answer_send(1, ent_slice_str("a"));
    answer_send(1, ent_slice_str("b"));
    full = true;
    ck_assert_int_eq(turn(0), 0);
    full = false;
    comes(ENT_LINK_FRAME, 2);
    answer_send(1, ent_slice_str("c"));
    answer_send(2, ent_slice_str("d"));
    ck_assert_int_eq(turn(1), 0);
    ck_assert_str_eq(sent, "2:d 1:a 1:b 1:c ");
    ck_assert_str_eq(told, "up1 frame2 room1 ");
}
END_TEST

START_TEST(one_that_never_reads_is_dropped)
{
    static uint8_t bytes[ENT_FRAME_BYTES_MAX];

    comes(ENT_LINK_UP, 5);
    full = true;
    for (int i = 0; i < 4; i++)
        answer_send(5, ent_slice(bytes, sizeof(bytes)));
    ck_assert_int_eq(turn(0), 0);
    ck_assert_uint_eq(dropped, 5);
    ck_assert_str_eq(told, "up5 down5 ");
    ck_assert_uint_eq(drive.queue_count, 0);
}
END_TEST

START_TEST(what_left_makes_room_in_the_queue)
{
    static uint8_t bytes[ENT_FRAME_BYTES_MAX];

    for (int i = 0; i < 20; i++) {
        comes(ENT_LINK_FRAME, 5);
        full = true;
        answer_send(5, ent_slice(bytes, sizeof(bytes)));
        ck_assert_int_eq(turn(i), 0);
        full = false;
        ck_assert_int_eq(turn(i), 0);
    }
    ck_assert_uint_eq(dropped, 0);
    ck_assert_uint_eq(drive.queue_count, 0);
}
END_TEST

/* A disk that is full for a while costs a wait, not a frame. */
START_TEST(a_step_that_fails_is_tried_again_before_more_is_read)
{
    comes(ENT_LINK_FRAME, 1);
    comes(ENT_LINK_FRAME, 2);
    failures = 2;
    ck_assert_int_eq(turn(0), ENT_ESTORE);
    ck_assert_uint_eq(coming_at, 1);
    ck_assert_int_eq(turn(999), 0);
    ck_assert_uint_eq(coming_at, 1);
    ck_assert_int_eq(turn(1000), ENT_ESTORE);
    ck_assert_int_eq(turn(2999), 0);
    ck_assert_int_eq(turn(3000), 0);
    ck_assert_str_eq(told, "frame1 frame2 ");
}
END_TEST

START_TEST(a_pause_does_not_keep_the_caller_from_its_descriptors)
{
    comes(ENT_LINK_FRAME, 1);
    failures = 1;
    ck_assert_int_eq(turn(0), ENT_ESTORE);
    waited_ms = -1;
    ck_assert_int_eq(ent_drive_wait(&drive, 999, NULL, NULL, 0, 1), 0);
    ck_assert_int_eq(waited_ms, -1); /* the link was not waited for */
}
END_TEST

START_TEST(a_frame_that_always_fails_costs_its_sender_the_connection)
{
    int64_t mono_ms = 0;

    comes(ENT_LINK_FRAME, 9);
    comes(ENT_LINK_FRAME, 1);
    failures = ENT_DRIVE_TRIES;
    for (int i = 0; i < ENT_DRIVE_TRIES; i++) {
        ck_assert_int_eq(turn(mono_ms), ENT_ESTORE);
        mono_ms = drive.resume_ms;
    }
    ck_assert_uint_eq(dropped, 9);
    ck_assert_int_eq(turn(mono_ms), 0);
    ck_assert_str_eq(told, "down9 frame1 ");
}
END_TEST

START_TEST(commits_are_told_later_when_telling_fails)
{
    ent_drive_local(&drive);
    failures = 1;
    ck_assert_int_eq(turn(0), ENT_ESTORE);
    ck_assert_int_eq(turn(1000), 0);
    ck_assert_str_eq(told, "local0 ");
}
END_TEST

START_TEST(dialling_is_answered_with_the_connection)
{
    comes(ENT_LINK_FRAME, 1);
    answers[answer_count++] = (struct ent_effect){.type = ENT_EFFECT_DIAL};
    ck_assert_int_eq(turn(0), 0);
    ck_assert_uint_eq(dialled, 77);
}
END_TEST

START_TEST(dialling_without_memory_is_down_of_no_connection)
{
    comes(ENT_LINK_FRAME, 1);
    answers[answer_count++] = (struct ent_effect){.type = ENT_EFFECT_DIAL};
    no_memory = true;
    ck_assert_int_eq(turn(0), 0);
    ck_assert_uint_eq(dialled, 0);
    ck_assert_str_eq(told, "frame1 down0 ");
}
END_TEST

START_TEST(a_turn_ends_however_much_comes)
{
    for (int i = 0; i < PLAYED_MAX; i++)
        comes(ENT_LINK_FRAME, 1);
    ck_assert_int_eq(turn(0), 0);
    ck_assert_uint_eq(coming_at, ENT_DRIVE_EVENTS_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("drive");
    TCase *wheel = tcase_create("wheel");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(wheel, setup, teardown);
    tcase_add_test(wheel, what_the_link_reports_reaches_the_engine_in_order);
    tcase_add_test(wheel, a_tick_comes_when_the_engine_wants_one);
    tcase_add_test(wheel, new_commits_are_told_once);
    tcase_add_test(wheel, frames_for_one_that_does_not_read_wait_in_order);
    tcase_add_test(wheel, one_that_never_reads_is_dropped);
    tcase_add_test(wheel, what_left_makes_room_in_the_queue);
    tcase_add_test(wheel, a_step_that_fails_is_tried_again_before_more_is_read);
    tcase_add_test(wheel,
                   a_pause_does_not_keep_the_caller_from_its_descriptors);
    tcase_add_test(wheel,
                   a_frame_that_always_fails_costs_its_sender_the_connection);
    tcase_add_test(wheel, commits_are_told_later_when_telling_fails);
    tcase_add_test(wheel, dialling_is_answered_with_the_connection);
    tcase_add_test(wheel, dialling_without_memory_is_down_of_no_connection);
    tcase_add_test(wheel, a_turn_ends_however_much_comes);
    suite_add_tcase(suite, wheel);

    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
