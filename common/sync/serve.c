/* serve.c - entries out to the peer: those it asks for, within its credit, and
 * news as they come (S3, S4). */
#include <stdlib.h>
#include <string.h>

#include "secure/hash.h"
#include "sync/session.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

static size_t run_bytes(const struct ent_run *run)
{
    size_t bytes = 0;

    for (size_t i = 0; i < run->count; i++)
        bytes += run->entries[i].len;
    return bytes;
}

/* ------------------------------------------------------ what was asked for */

/* One batch within the credit; `sent` is false when the peer must give more
 * first. Entries that only stand together under one signature may be more than
 * a batch: they go when nothing else is under way. */
static int send_batch(struct ent_engine *engine, struct session *session,
                      struct pair *pair, bool *sent, struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_RUNS, .tag = pair->tag};
    struct ent_frame_run runs[64] = {{{{0}}}};
    struct ent_arena arena = {0};
    struct ent_buf packed = {0};
    size_t most =
        pair->credit < SESSION_BATCH ? (size_t)pair->credit : SESSION_BATCH;
    size_t bytes = 0;
    size_t count = 0;
    int rc = 0;

    while (rc == 0 && pair->serving_count > 0 && count < 64 && bytes < most) {
        struct serving *serving = &pair->serving[pair->serving_count - 1];
        struct ent_frame_run *out = &runs[count];
        struct ent_run run;

        rc = ent_run_read(engine->store, serving->o, serving->from,
                          &serving->prev, most - bytes, &arena, &run, err);
        if (rc < 0 || (bytes + run_bytes(&run) > most &&
                       (count > 0 || pair->credit < SESSION_CREDIT)))
            break;
        count++;
        *out = (struct ent_frame_run){.author = run.author,
                                      .origin = run.origin,
                                      .from = run.from,
                                      .prev = run.prev,
                                      .entries = run.entries,
                                      .entry_count = run.count};
        bytes += run_bytes(&run);
        session->sent += (int64_t)run.count;
        if (run.count > 0)
            out->sig =
                ent_arena_copy(&arena, ent_slice(run.sig.b, ENT_SIG_BYTES));
        serving->from += run.count;
        serving->prev = run.last;
        if (run.count > 0)
            rc = ent_frontier_keep_head(
                engine, pair,
                &(struct ent_frontier_head){.author = run.author,
                                            .origin = run.origin,
                                            .seq = serving->from - 1,
                                            .hash = serving->prev},
                err);
        if (run.count == 0 || serving->from > run.head)
            pair->serving_count--;
    }
    frame.last = pair->serving_count == 0;
    *sent = count > 0;
    if (rc == 0 && *sent) {
        ent_runs_put(&packed, runs, count);
        frame.runs = ent_buf_slice(&packed);
        pair->credit -= (int64_t)bytes;
        if (packed.rc < 0 || arena.rc < 0)
            rc = no_memory(err);
        else
            engine_send(engine, session, &frame);
    }
    ent_buf_fini(&packed);
    ent_arena_fini(&arena);
    return rc;
}

static int serve(struct ent_engine *engine, struct session *session,
                 struct pair *pair, struct ent_err *err)
{
    bool sent = true;
    int rc = 0;

    while (rc == 0 && sent && pair->serving_count > 0 && pair->credit > 0)
        rc = send_batch(engine, session, pair, &sent, err);
    return rc;
}

/* The log or branch that a question is about. */
static int64_t find_log(const struct ent_head *heads, size_t count,
                        const struct ent_frame_want *want)
{
    int64_t o = 0;

    for (size_t i = 0; i < count; i++) {
        if (!ent_key_equal(&heads[i].author, &want->author) ||
            !ent_id_equal(&heads[i].origin, &want->origin))
            continue;
        if (o == 0 ||
            memcmp(heads[i].hash.b, want->head.b, ENT_HASH8_BYTES) == 0)
            o = heads[i].o;
    }
    return o;
}

int ent_pair_take_want(struct ent_engine *engine, struct session *session,
                       struct pair *pair, const struct ent_frame *frame,
                       struct ent_err *err)
{
    struct ent_frame empty = {
        .type = ENT_FRAME_RUNS, .tag = pair->tag, .last = true};
    struct ent_buf none = {0};
    struct ent_head *heads;
    size_t count;
    int rc;

    if (pair->serving_cap < frame->want_count) {
        struct serving *more =
            realloc(pair->serving, frame->want_count * sizeof(*pair->serving));

        if (more == NULL)
            return no_memory(err);
        pair->serving = more;
        pair->serving_cap = frame->want_count;
    }
    rc = ent_frontier_read(engine->store, pair->space, &heads, &count, err);
    if (rc < 0)
        return rc;
    pair->done = false;
    pair->serving_count = 0;
    pair->credit = frame->credit > SESSION_CREDIT ? SESSION_CREDIT
                                                  : (int64_t)frame->credit;
    /* Served from the end of the list. */
    for (size_t i = frame->want_count; i-- > 0;) {
        int64_t o = find_log(heads, count, &frame->wants[i]);

        if (o != 0)
            pair->serving[pair->serving_count++] =
                (struct serving){.o = o,
                                 .from = frame->wants[i].from,
                                 .prev = frame->wants[i].prev};
    }
    free(heads);
    if (pair->serving_count > 0)
        return serve(engine, session, pair, err);
    ent_runs_put(&none, NULL, 0);
    empty.runs = ent_buf_slice(&none);
    if (none.rc < 0)
        rc = no_memory(err);
    else
        engine_send(engine, session, &empty);
    ent_buf_fini(&none);
    return rc;
}

int ent_pair_take_more(struct ent_engine *engine, struct session *session,
                       struct pair *pair, const struct ent_frame *frame,
                       struct ent_err *err)
{
    if (frame->credit < ENT_FRAME_BYTES_MAX)
        pair->credit += (int64_t)frame->credit;
    if (pair->credit > SESSION_CREDIT)
        pair->credit = SESSION_CREDIT;
    return serve(engine, session, pair, err);
}

/* -------------------------------------------------------------------- news */

/* Entries of our own up to a head that the peer lacks, when they are few and
 * follow what it has. Those of others it asks for if nobody else sent them
 * meanwhile: where everybody is linked with everybody, each would come from
 * everybody. */
static int put_news(struct ent_engine *engine, struct session *session,
                    struct pair *pair, const struct ent_head *head,
                    struct ent_arena *arena, struct ent_frame_run *runs,
                    size_t *run_count, size_t *bytes, struct ent_err *err)
{
    const struct ent_frontier_head *theirs = ent_frontier_best(pair, head);
    struct ent_hash8 prev = {{0}};
    uint64_t from = 1;
    struct ent_run run;
    size_t len;
    int rc;

    if (theirs != NULL) {
        from = theirs->seq + 1;
        prev = theirs->hash;
    }
    if (from > head->seq || *bytes >= SESSION_NEWS_BYTES)
        return 0;
    rc = ent_run_read(engine->store, head->o, from, &prev,
                      SESSION_NEWS_BYTES - *bytes, arena, &run, err);
    if (rc < 0 || run.count == 0 || run.from + run.count - 1 != head->seq)
        return rc;
    len = run_bytes(&run);
    if (*bytes + len > SESSION_NEWS_BYTES)
        return 0;
    *bytes += len;
    runs[(*run_count)++] = (struct ent_frame_run){
        .author = run.author,
        .origin = run.origin,
        .from = run.from,
        .prev = run.prev,
        .entries = run.entries,
        .entry_count = run.count,
        .sig = ent_arena_copy(arena, ent_slice(run.sig.b, ENT_SIG_BYTES))};
    session->sent += (int64_t)run.count;
    return 0;
}

#define NEWS_RUNS_MAX 64

int exchange_news(struct ent_engine *engine, struct session *session,
                  struct pair *pair, struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_NEWS, .tag = pair->tag};
    const struct ent_key *own = &ent_store_keys(engine->store)->public;
    struct ent_frame_run runs[NEWS_RUNS_MAX];
    struct ent_arena arena = {0};
    struct ent_buf packed = {0};
    struct ent_head *heads;
    size_t run_count = 0;
    size_t bytes = 0;
    size_t count;
    int rc;

    /* What we hold was shown when the two began: it is news to nobody who is
     * still asking for it. */
    pair->news_due = !pair->heads_got || !pair->heads_sent ||
                     !pair->roster_ok || !pair->settled_got;
    if (pair->news_due || !ent_pair_may_have(engine, session, pair))
        return 0;
    rc = ent_frontier_read(engine->store, pair->space, &heads, &count, err);
    if (rc < 0)
        return rc;
    frame.heads = ENT_ARENA_NEW(&arena, struct ent_frontier_head, count);
    if (frame.heads == NULL)
        rc = no_memory(err);
    for (size_t i = 0;
         rc == 0 && i < count && frame.head_count < ENT_FRAME_HEADS_MAX; i++) {
        struct ent_frontier_head *head = &frame.heads[frame.head_count];

        bool holds;

        rc = ent_frontier_holds(engine, pair, &heads[i], &holds, err);
        if (rc < 0 || holds)
            continue;
        *head =
            (struct ent_frontier_head){.author = heads[i].author,
                                       .origin = heads[i].origin,
                                       .seq = heads[i].seq,
                                       .hash = ent_hash_head(&heads[i].hash)};
        frame.head_count++;
        if (run_count < NEWS_RUNS_MAX && ent_key_equal(&heads[i].author, own))
            rc = put_news(engine, session, pair, &heads[i], &arena, runs,
                          &run_count, &bytes, err);
        if (rc == 0)
            rc = ent_frontier_keep_head(engine, pair, head, err);
    }
    free(heads);
    if (rc == 0 && frame.head_count > 0) {
        if (run_count > 0)
            ent_runs_put(&packed, runs, run_count);
        frame.runs = ent_buf_slice(&packed);
        if (packed.rc < 0 || arena.rc < 0)
            rc = no_memory(err);
        else
            engine_send(engine, session, &frame);
        pair->settle_at = engine->mono_ms + SESSION_SETTLE_MS;
    }
    ent_buf_fini(&packed);
    ent_arena_fini(&arena);
    return rc;
}
