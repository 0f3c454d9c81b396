/* loop.h - the daemon at work: one thread, one wait, one turn.
 *
 *   wait for peers, signals, pokes --> look for commits --> turn --> tidy up
 *
 * The engine decides everything; the loop watches the replica for what other
 * programs wrote, keeps search and the WAL in order when nothing else goes on,
 * and writes the log. */
#ifndef ENT_NODE_LOOP_H
#define ENT_NODE_LOOP_H

#include "link/drive.h"
#include "node/control.h"
#include "node/log.h"
#include "store/store.h"

#define LOOP_IDLE_MS 2000   /* without commits: time to tidy up */
#define LOOP_QUIET_MS 60000 /* without commits: poll_ms is stretched */
#define LOOP_QUIET_TIMES 3
#define LOOP_TIDY_MS 30000 /* and at the latest after the first one */

struct loop {
    struct ent_store *store;
    struct ent_engine *engine;
    struct ent_link *link;
    struct control control;
    struct log log;
    int signals; /* a signalfd */
    int poll_ms;

    struct ent_drive drive;
    int64_t mono_ms; /* of the present turn */
    int64_t look_ms; /* next look at the data version */
    int64_t data_version;
    int64_t touched_ms; /* first commit not tidied up after, or -1 */
    int64_t commit_ms;  /* last one */
    struct log_limit strangers, refusals, failures, links;
};

/* Runs until SIGTERM or SIGINT. Everything above `drive` is filled in by the
 * caller and stays the caller's. */
ENT_NODISCARD int loop_run(struct loop *loop, struct ent_err *err);

#endif
