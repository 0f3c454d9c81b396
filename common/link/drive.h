/* drive.h - joins an engine and a link: what the link reports becomes events,
 * effects become dialling, sending and dropping.
 * The daemon and `entente sync` turn the same wheel:
 *
 *     while (going on) {
 *         ent_drive_wait(&drive, mono_ms(), fds, ready, fd_count, timeout_ms);
 *         rc = ent_drive_turn(&drive, now_ms(), mono_ms(), &err);
 *     }
 *
 * It reads no clock. A step that fails, because the replica cannot be read or
 * written, is kept and tried again after a pause in which nothing is read from
 * the link: peers wait, nothing is lost, and when the disk has room again all
 * goes on. */
#ifndef ENT_LINK_DRIVE_H
#define ENT_LINK_DRIVE_H

#include "link/link.h"
#include "sync/engine.h"

#define ENT_DRIVE_EVENTS_MAX 32         /* of the link in one turn */
#define ENT_DRIVE_QUEUE_MAX (4 << 20)   /* bytes for one that does not read */
#define ENT_DRIVE_QUEUES_MAX (32 << 20) /* and for all of them */
#define ENT_DRIVE_PAUSE_MS 1000         /* after a failed step; doubles */
#define ENT_DRIVE_TRIES 5 /* then the frame's connection is dropped */

/* What a caller may want to tell people. Both may be NULL. */
struct ent_drive_watch {
    void (*note)(void *ctx, const struct ent_effect *effect);
    /* UP or DOWN of a connection, before the engine takes it. */
    void (*linked)(void *ctx, const struct ent_link_event *event);
    void *ctx;
};

/* Frames for a connection that does not read, oldest first. */
struct ent_drive_queue {
    uint32_t conn;
    struct ent_buf frames; /* each with its length before it */
    size_t sent;           /* bytes of it that left */
};

struct ent_drive {
    struct ent_engine *engine;
    struct ent_link *link;
    struct ent_drive_watch watch;
    struct ent_effects effects;
    struct ent_drive_queue *queues;
    size_t queue_count;
    struct ent_buf lost; /* uint32_t: dropped by us, the engine not told yet */
    bool local;
    bool holding; /* `held` failed and is to be tried again */
    struct ent_event held;
    struct ent_buf frame; /* of it */
    int tries;            /* failures in a row */
    int64_t resume_ms;    /* mono: pausing until then */
};

/* Borrows engine and link for its life. */
void ent_drive_init(struct ent_drive *drive, struct ent_engine *engine,
                    struct ent_link *link, const struct ent_drive_watch *watch);
void ent_drive_fini(struct ent_drive *drive);

/* The replica has new commits of this node: the next turn tells the engine. */
void ent_drive_local(struct ent_drive *drive);

/* Wait for the link, `fds`, the engine's next wish or `timeout_ms` (-1: none
 * of ours). Sets ready[i]. ENT_EFAIL as ent_link_wait. */
ENT_NODISCARD int ent_drive_wait(struct ent_drive *drive, int64_t mono_ms,
                                 const int *fds, bool *ready, size_t fd_count,
                                 int timeout_ms);

/* Do what there is to do, without blocking. An error is that of the step that
 * failed and will be tried again; it is reported once for each try. */
ENT_NODISCARD int ent_drive_turn(struct ent_drive *drive, int64_t now_ms,
                                 int64_t mono_ms, struct ent_err *err);

#endif
