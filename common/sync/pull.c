/* pull.c - asking the peer for entries that we lack, and taking them. Each
 * range is asked of one peer at a time (S3). */
#include <stdlib.h>
#include <string.h>

#include "sync/session.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* --------------------------------------------------------------- in flight */

static bool in_flight(const struct ent_engine *engine, int64_t space,
                      const struct ent_frontier_head *head)
{
    for (size_t i = 0; i < engine->flight_count; i++)
        if (engine->flights[i].space == space &&
            ent_key_equal(&engine->flights[i].author, &head->author) &&
            ent_id_equal(&engine->flights[i].origin, &head->origin))
            return true;
    return false;
}

static int take_off(struct ent_engine *engine, const struct session *session,
                    int64_t space, const struct ent_frontier_head *head,
                    struct ent_err *err)
{
    if (engine->flight_count == engine->flight_cap) {
        size_t cap = engine->flight_cap == 0 ? 32 : 2 * engine->flight_cap;
        struct flight *flights =
            realloc(engine->flights, cap * sizeof(*flights));

        if (flights == NULL)
            return no_memory(err);
        engine->flights = flights;
        engine->flight_cap = cap;
    }
    engine->flights[engine->flight_count++] =
        (struct flight){.space = space,
                        .author = head->author,
                        .origin = head->origin,
                        .conn = session->conn};
    return 0;
}

void exchange_release(struct ent_engine *engine, uint32_t conn, int64_t space)
{
    size_t kept = 0;

    for (size_t i = 0; i < engine->flight_count; i++) {
        const struct flight *flight = &engine->flights[i];

        if (flight->conn != conn || (space != 0 && flight->space != space))
            engine->flights[kept++] = *flight;
    }
    engine->freed = engine->freed || kept < engine->flight_count;
    engine->flight_count = kept;
}

/* ------------------------------------------------------------------ asking */

/* The next question about one of their heads; false: nothing to ask. */
static int ask_head(struct ent_engine *engine, const struct session *session,
                    struct pair *pair, struct their_head *theirs,
                    struct ent_frame_want *want, bool *ask, struct ent_err *err)
{
    struct ent_head head = {.author = theirs->head.author,
                            .origin = theirs->head.origin,
                            .seq = theirs->head.seq};
    int rc;

    *ask = false;
    if (theirs->given_up)
        return 0;
    memcpy(head.hash.b, theirs->head.hash.b, ENT_HASH8_BYTES);
    rc = ent_frontier_want(engine->store, pair->space, &head, theirs->back,
                           &want->from, &want->prev, err);
    if (rc < 0)
        return rc;
    if (want->from == 0) {
        /* All of it is held, and some may lack values (E3): asked for once. */
        if (theirs->filled)
            return 0;
        rc = ent_wanted_want(engine->store, pair->space, &session->key, &head,
                             engine->now_ms, &want->from, &want->prev, err);
        if (rc < 0 || want->from == 0)
            return rc;
        theirs->filled = true;
        pair->filling = true;
    } else if (theirs->asked_from == want->from) {
        /* Asked before, answered, and nothing came of it. */
        theirs->given_up = true;
        return 0;
    }
    want->author = head.author;
    want->origin = head.origin;
    want->head = theirs->head.hash;
    *ask = true;
    return 0;
}

int exchange_pull(struct ent_engine *engine, struct session *session,
                  struct pair *pair, struct ent_err *err)
{
    struct ent_frame frame = {
        .type = ENT_FRAME_WANT, .tag = pair->tag, .credit = SESSION_CREDIT};
    bool was_postponed = pair->postponed;
    bool postponed = false;
    int rc = 0;
    size_t room = pair->their_count < ENT_FRAME_WANTS_MAX ? pair->their_count
                                                          : ENT_FRAME_WANTS_MAX;

    /* It may have shown heads, and be no member (A5). */
    if (pair->pulling || !pair->heads_got || !pair->roster_ok ||
        !ent_pair_may_have(engine, session, pair))
        return 0;
    frame.wants = ENT_ARENA_NEW(&engine->arena, struct ent_frame_want, room);
    if (frame.wants == NULL)
        return no_memory(err);
    for (size_t i = 0;
         rc == 0 && i < pair->their_count && frame.want_count < room; i++) {
        struct their_head *theirs = &pair->theirs[i];
        struct ent_frame_want *want = &frame.wants[frame.want_count];
        bool ask;

        if (pair->more_at != 0 &&
            ent_log_is_crowded(engine->store, pair->space, &theirs->head.author,
                               &theirs->head.origin))
            continue;
        if (in_flight(engine, pair->space, &theirs->head)) {
            postponed = postponed || !theirs->given_up;
            continue;
        }
        rc = ask_head(engine, session, pair, theirs, want, &ask, err);
        if (rc < 0 || !ask)
            continue;
        theirs->asked_from = want->from;
        rc = take_off(engine, session, pair->space, &theirs->head, err);
        frame.want_count++;
    }
    if (rc < 0)
        return rc;
    pair->postponed = postponed;
    pair->done = pair->done && !postponed;
    if (pair->filling)
        rc = ent_wanted_asked(engine->store, pair->space, &session->key,
                              engine->now_ms, err);
    pair->filling = false;
    if (rc < 0)
        return rc;
    if (frame.want_count > 0) {
        pair->pulling = true;
        pair->pull_at = engine->mono_ms;
        pair->done = false;
        pair->settled_sent = false;
        engine_send(engine, session, &frame);
        return 0;
    }
    session->waiting = 0;
    if (pair->news_due)
        rc = exchange_news(engine, session, pair, err);
    if (rc == 0 && !postponed && !pair->settled_sent)
        rc = ent_pair_settle(engine, session, pair, err);
    /* What another peer was asked for kept the two from being done. */
    else if (rc == 0 && was_postponed && !postponed)
        ent_pair_check_done(pair);
    return rc;
}

int ent_pair_pull_more(struct ent_engine *engine, struct session *session,
                       struct pair *pair, struct ent_err *err)
{
    pair->more_at = 0;
    for (size_t i = 0; i < pair->their_count; i++) {
        pair->theirs[i].given_up = false;
        pair->theirs[i].asked_from = 0;
    }
    return exchange_pull(engine, session, pair, err);
}

int ent_pair_begin_pull(struct ent_engine *engine, struct session *session,
                        struct pair *pair, struct ent_err *err)
{
    pair->settled_sent = false;
    return exchange_pull(engine, session, pair, err);
}

/* ------------------------------------------------------------------ taking */

/* A run without entries: the peer's entry before that place is another than
 * ours. Ask again from further back. */
static void step_back(struct pair *pair, const struct ent_frame_run *run)
{
    for (size_t i = 0; i < pair->their_count; i++) {
        struct their_head *theirs = &pair->theirs[i];

        if (!ent_frontier_same_log(&theirs->head, &run->author, &run->origin) ||
            theirs->asked_from != run->from)
            continue;
        theirs->asked_from = 0;
        if (run->from == 1 || ++theirs->back > SESSION_BACK_MAX)
            theirs->given_up = true;
    }
}

static int take_batch(struct ent_engine *engine, struct session *session,
                      struct pair *pair, struct ent_slice packed, size_t *bytes,
                      struct ent_err *err)
{
    struct ent_frame_run *in;
    struct ent_run *runs;
    struct ent_taken taken = {0};
    struct ent_err said = {0};
    size_t count;
    size_t kept = 0;
    int rc = ent_runs_get(packed, &engine->arena, &in, &count, &said);

    *bytes = 0;
    if (rc == ENT_EREFUSED) {
        engine_refuse(engine, session, said.text);
        return 0;
    }
    if (rc < 0)
        return ent_err_set(err, rc, "%s", said.text);
    runs = ENT_ARENA_NEW(&engine->arena, struct ent_run, count);
    if (runs == NULL)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        if (in[i].entry_count == 0) {
            step_back(pair, &in[i]);
            continue;
        }
        runs[kept] = (struct ent_run){.author = in[i].author,
                                      .origin = in[i].origin,
                                      .from = in[i].from,
                                      .prev = in[i].prev,
                                      .entries = in[i].entries,
                                      .count = in[i].entry_count};
        memcpy(runs[kept++].sig.b, in[i].sig.at, ENT_SIG_BYTES);
        for (size_t j = 0; j < in[i].entry_count; j++)
            *bytes += in[i].entries[j].len;
    }
    if (kept == 0)
        return 0;
    rc = ent_runs_take(engine->store, pair->space, &session->key, runs, kept,
                       engine->now_ms, &taken, err);
    if (rc < 0)
        return rc;
    pair->applied += taken.applied;
    if (taken.applied + taken.quarantined > 0) {
        engine_note(engine, ENT_NOTE_TAKEN, session, pair,
                    taken.applied + taken.quarantined, NULL);
        engine_dirty(engine, pair->space);
    }
    if (taken.refused > 0)
        engine_note(engine, ENT_NOTE_REFUSED, session, pair, taken.refused,
                    ent_arena_str(&engine->arena, taken.why));
    if (taken.delayed)
        pair->more_at = engine->mono_ms + ENT_LOG_PAUSE_MS;
    if (taken.fork)
        engine_note(engine, ENT_NOTE_FORK, session, pair, 0, NULL);
    return 0;
}

int ent_pair_take_runs(struct ent_engine *engine, struct session *session,
                       struct pair *pair, const struct ent_frame *frame,
                       struct ent_err *err)
{
    struct ent_frame more = {.type = ENT_FRAME_MORE, .tag = pair->tag};
    size_t bytes;
    int rc;

    if (!pair->pulling) {
        engine_refuse(engine, session,
                      ENT_N_("an answer to nothing that was asked"));
        return 0;
    }
    pair->pull_at = engine->mono_ms;
    rc = take_batch(engine, session, pair, frame->runs, &bytes, err);
    if (rc < 0 || session->doomed)
        return rc;
    if (!frame->last) {
        more.credit = bytes;
        engine_send(engine, session, &more);
        return 0;
    }
    pair->pulling = false;
    exchange_release(engine, session->conn, pair->space);
    return exchange_pull(engine, session, pair, err);
}

int ent_pair_take_news(struct ent_engine *engine, struct session *session,
                       struct pair *pair, const struct ent_frame *frame,
                       struct ent_err *err)
{
    size_t bytes;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < frame->head_count; i++)
        rc = ent_frontier_keep_head(engine, pair, &frame->heads[i], err);
    /* While rosters differ their authors may be unknown here; the heads are
     * kept, and asked for when the rosters agree. */
    if (rc == 0 && frame->runs.len > 0 && pair->roster_ok)
        rc = take_batch(engine, session, pair, frame->runs, &bytes, err);
    if (rc < 0 || session->doomed)
        return rc;
    /* Settled a little later, once for many news. */
    pair->settled_sent = true;
    pair->settle_at = engine->mono_ms + SESSION_SETTLE_MS;
    return exchange_pull(engine, session, pair, err);
}
