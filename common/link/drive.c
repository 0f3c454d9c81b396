/* drive.c - see drive.h. */
#include "link/drive.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define LEN_BYTES 4
#define DOUBLINGS_MAX 4
#define FDS_MAX 16

void ent_drive_init(struct ent_drive *drive, struct ent_engine *engine,
                    struct ent_link *link, const struct ent_drive_watch *watch)
{
    *drive = (struct ent_drive){
        .engine = engine,
        .link = link,
        .watch = *watch,
    };
}

void ent_drive_fini(struct ent_drive *drive)
{
    for (size_t i = 0; i < drive->queue_count; i++)
        ent_buf_fini(&drive->queues[i].frames);
    free(drive->queues);
    ent_buf_fini(&drive->lost);
    ent_buf_fini(&drive->frame);
    memset(drive, 0, sizeof(*drive));
}

void ent_drive_local(struct ent_drive *drive)
{
    drive->local = true;
}

/* ------------------------------------------------------------------- queues */

static struct ent_drive_queue *queue_find(struct ent_drive *drive,
                                          uint32_t conn)
{
    for (size_t i = 0; i < drive->queue_count; i++)
        if (drive->queues[i].conn == conn)
            return &drive->queues[i];
    return NULL;
}

static struct ent_drive_queue *queue_new(struct ent_drive *drive, uint32_t conn)
{
    struct ent_drive_queue *queues = realloc(
        drive->queues, (drive->queue_count + 1) * sizeof(*drive->queues));

    if (queues == NULL)
        return NULL;
    drive->queues = queues;
    queues[drive->queue_count] = (struct ent_drive_queue){.conn = conn};
    return &queues[drive->queue_count++];
}

static void queue_free(struct ent_drive *drive, struct ent_drive_queue *queue)
{
    ent_buf_fini(&queue->frames);
    *queue = drive->queues[--drive->queue_count];
}

static void forget_queue(struct ent_drive *drive, uint32_t conn)
{
    struct ent_drive_queue *queue = queue_find(drive, conn);

    if (queue != NULL)
        queue_free(drive, queue);
}

/* Close a connection and let the engine know once its step is over. */
static void drop_lost(struct ent_drive *drive, uint32_t conn)
{
    ent_link_drop(drive->link, conn);
    forget_queue(drive, conn);
    ent_buf_put(&drive->lost, &conn, sizeof(conn));
}

static size_t queued(const struct ent_drive *drive)
{
    size_t bytes = 0;

    for (size_t i = 0; i < drive->queue_count; i++)
        bytes += drive->queues[i].frames.len;
    return bytes;
}

/* Give back what left: only what waits counts against the limits. */
static void queue_compact(struct ent_drive_queue *queue)
{
    if (queue->sent == 0)
        return;
    queue->frames.len -= queue->sent;
    memmove(queue->frames.at, queue->frames.at + queue->sent,
            queue->frames.len);
    queue->sent = 0;
}

static void queue_frame(struct ent_drive *drive, uint32_t conn,
                        struct ent_slice frame)
{
    struct ent_drive_queue *queue = queue_find(drive, conn);
    size_t bytes = LEN_BYTES + frame.len;
    uint8_t len[LEN_BYTES];

    if (queue == NULL)
        queue = queue_new(drive, conn);
    else
        queue_compact(queue);
    if (queue == NULL || queue->frames.len + bytes > ENT_DRIVE_QUEUE_MAX ||
        queued(drive) + bytes > ENT_DRIVE_QUEUES_MAX) {
        drop_lost(drive, conn);
        return;
    }
    ent_le32_put(len, (uint32_t)frame.len);
    ent_buf_put(&queue->frames, len, sizeof(len));
    ent_buf_put_slice(&queue->frames, frame);
    if (queue->frames.rc < 0)
        drop_lost(drive, conn);
}

/* Send what the peer takes: true when nothing is left. */
static bool queue_drain(struct ent_drive *drive, struct ent_drive_queue *queue)
{
    while (queue->sent < queue->frames.len) {
        const uint8_t *at = queue->frames.at + queue->sent;
        size_t len = (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 |
                     (size_t)at[3] << 24;

        if (ent_link_send(drive->link, queue->conn,
                          ent_slice(at + LEN_BYTES, len)) == 0)
            return false;
        queue->sent += LEN_BYTES + len;
    }
    return true;
}

/* ------------------------------------------------------------------ effects */

static void send_frame(struct ent_drive *drive, uint32_t conn,
                       struct ent_slice frame)
{
    /* ENT_EPEER needs no answer: DOWN follows, or the engine dropped it. */
    if (queue_find(drive, conn) != NULL ||
        ent_link_send(drive->link, conn, frame) == 0)
        queue_frame(drive, conn, frame);
}

/* Without memory there is no connection, and 0 is the one that went down. */
static void dial(struct ent_drive *drive, const struct ent_effect *effect)
{
    uint32_t conn = 0;

    if (ent_link_dial(drive->link, effect->endpoint, &effect->curve, &conn,
                      NULL) < 0)
        ent_buf_put(&drive->lost, &conn, sizeof(conn));
    ent_engine_dialled(drive->engine, effect->dial, conn);
}

static void perform(struct ent_drive *drive, const struct ent_effect *effect)
{
    switch (effect->type) {
    case ENT_EFFECT_SEND:
        send_frame(drive, effect->conn, effect->frame);
        break;
    case ENT_EFFECT_DIAL:
        dial(drive, effect);
        break;
    case ENT_EFFECT_DROP:
        ent_link_drop(drive->link, effect->conn);
        forget_queue(drive, effect->conn);
        break;
    case ENT_EFFECT_NOTE:
        if (drive->watch.note != NULL)
            drive->watch.note(drive->watch.ctx, effect);
        break;
    }
}

/* -------------------------------------------------------------------- steps */

static void pause_after_failure(struct ent_drive *drive, int64_t mono_ms)
{
    int doublings = drive->tries < DOUBLINGS_MAX ? drive->tries : DOUBLINGS_MAX;

    drive->tries++;
    drive->resume_ms = mono_ms + ((int64_t)ENT_DRIVE_PAUSE_MS << doublings);
}

static int step(struct ent_drive *drive, const struct ent_event *event,
                struct ent_err *err)
{
    const struct ent_effect *effect;
    int rc = ent_engine_step(drive->engine, event, &drive->effects, err);

    if (rc < 0) {
        pause_after_failure(drive, event->mono_ms);
        return rc;
    }
    drive->tries = 0;
    while ((effect = ent_effects_next(&drive->effects)) != NULL)
        perform(drive, effect);
    return 0;
}

/* Keep an event of the link, which comes only once, for another try. */
static int hold(struct ent_drive *drive, const struct ent_event *event, int rc,
                struct ent_err *err)
{
    ent_buf_reset(&drive->frame);
    ent_buf_put_slice(&drive->frame, event->frame);
    if (drive->frame.rc < 0)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    drive->holding = true;
    drive->held = *event;
    drive->held.frame = ent_buf_slice(&drive->frame);
    return rc;
}

/* The held event again. One that never succeeds must not stop the others for
 * ever: its peer is dropped, comes back and starts over. */
static int step_held(struct ent_drive *drive, int64_t now_ms, int64_t mono_ms,
                     struct ent_err *err)
{
    int rc;

    drive->held.now_ms = now_ms;
    drive->held.mono_ms = mono_ms;
    rc = step(drive, &drive->held, err);
    drive->holding = rc < 0 && drive->tries < ENT_DRIVE_TRIES;
    if (rc < 0 && !drive->holding && drive->held.type != ENT_EVENT_DOWN)
        drop_lost(drive, drive->held.conn);
    return rc;
}

static int step_lost(struct ent_drive *drive, struct ent_event *event,
                     struct ent_err *err)
{
    int rc = 0;

    event->type = ENT_EVENT_DOWN;
    while (rc == 0 && drive->lost.len >= sizeof(event->conn)) {
        drive->lost.len -= sizeof(event->conn);
        memcpy(&event->conn, drive->lost.at + drive->lost.len,
               sizeof(event->conn));
        rc = step(drive, event, err);
        if (rc < 0)
            drive->lost.len += sizeof(event->conn);
    }
    return rc;
}

static int step_room(struct ent_drive *drive, struct ent_event *event,
                     struct ent_err *err)
{
    int rc = 0;

    event->type = ENT_EVENT_ROOM;
    for (size_t i = drive->queue_count; rc == 0 && i-- > 0;) {
        /* A step may have emptied the list below us. */
        if (i >= drive->queue_count || !queue_drain(drive, &drive->queues[i]))
            continue;
        event->conn = drive->queues[i].conn;
        queue_free(drive, &drive->queues[i]);
        rc = step(drive, event, err);
    }
    return rc;
}

static int step_link(struct ent_drive *drive, const struct ent_link_event *seen,
                     struct ent_event *event, struct ent_err *err)
{
    int rc;

    if (seen->type != ENT_LINK_FRAME && drive->watch.linked != NULL)
        drive->watch.linked(drive->watch.ctx, seen);
    if (seen->type == ENT_LINK_DOWN)
        forget_queue(drive, seen->conn);
    event->type = seen->type == ENT_LINK_UP     ? ENT_EVENT_UP
                  : seen->type == ENT_LINK_DOWN ? ENT_EVENT_DOWN
                                                : ENT_EVENT_FRAME;
    event->conn = seen->conn;
    event->dialled = seen->dialled;
    event->curve = seen->curve;
    event->frame = seen->frame;
    rc = step(drive, event, err);
    return rc < 0 ? hold(drive, event, rc, err) : 0;
}

int ent_drive_turn(struct ent_drive *drive, int64_t now_ms, int64_t mono_ms,
                   struct ent_err *err)
{
    const struct ent_event now = {.now_ms = now_ms, .mono_ms = mono_ms};
    struct ent_link_event seen;
    struct ent_event event;
    int rc = 0;

    if (mono_ms < drive->resume_ms)
        return 0;
    if (drive->holding)
        rc = step_held(drive, now_ms, mono_ms, err);
    for (int i = 0; rc == 0 && i < ENT_DRIVE_EVENTS_MAX; i++) {
        event = now;
        rc = step_lost(drive, &event, err);
        if (rc < 0 || ent_link_next(drive->link, &seen) == 0)
            break;
        event = now;
        rc = step_link(drive, &seen, &event, err);
    }
    event = now;
    if (rc == 0)
        rc = step_room(drive, &event, err);
    if (rc == 0 && drive->local) {
        event = now;
        event.type = ENT_EVENT_LOCAL;
        rc = step(drive, &event, err);
        drive->local = rc < 0;
    }
    if (rc == 0 && mono_ms >= ent_engine_wake_ms(drive->engine)) {
        event = now;
        event.type = ENT_EVENT_TICK;
        rc = step(drive, &event, err);
    }
    return rc;
}

/* ------------------------------------------------------------------ waiting */

static int wait_fds(const int *fds, bool *ready, size_t fd_count,
                    int timeout_ms)
{
    struct pollfd polls[FDS_MAX];
    int rc;

    ENT_ASSERT(fd_count <= FDS_MAX);
    for (size_t i = 0; i < fd_count; i++)
        polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    rc = poll(polls, fd_count, timeout_ms);
    for (size_t i = 0; i < fd_count; i++)
        ready[i] = rc > 0 && polls[i].revents != 0;
    return 0;
}

int ent_drive_wait(struct ent_drive *drive, int64_t mono_ms, const int *fds,
                   bool *ready, size_t fd_count, int timeout_ms)
{
    bool pausing = mono_ms < drive->resume_ms;
    int64_t until_ms =
        pausing ? drive->resume_ms : ent_engine_wake_ms(drive->engine);
    int64_t left_ms = until_ms > mono_ms ? until_ms - mono_ms : 0;

    if (drive->local || drive->holding || drive->lost.len > 0)
        left_ms = pausing ? left_ms : 0;
    if (timeout_ms < 0 || left_ms < timeout_ms)
        timeout_ms = left_ms < INT32_MAX ? (int)left_ms : INT32_MAX;
    return pausing
               ? wait_fds(fds, ready, fd_count, timeout_ms)
               : ent_link_wait(drive->link, fds, ready, fd_count, timeout_ms);
}
