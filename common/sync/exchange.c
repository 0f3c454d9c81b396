/* exchange.c - one space between two nodes: rosters, frontiers, entries, and
 * the proof at the end that both hold the same (rules S3 to S6, S10). Pulls
 * only: each side asks for what it lacks. */
#include <stdlib.h>
#include <string.h>

#include "secure/hash.h"
#include "sync/session.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

void exchange_fini(struct pair *pair)
{
    free(pair->theirs);
    free(pair->serving);
}

/* Whether the roster lets the peer have content, now. */
static bool may_have(struct ent_engine *engine, const struct session *session,
                     const struct pair *pair)
{
    return session->known && ent_member_role(engine->store, pair->space,
                                             &session->key) != ENT_ROLE_NONE;
}

/* ----------------------------------------------------- what the peer holds */

static bool same_log(const struct ent_frontier_head *a,
                     const struct ent_key *author, const struct ent_id *origin)
{
    return ent_key_equal(&a->author, author) &&
           ent_id_equal(&a->origin, origin);
}

static int add_head(struct pair *pair, const struct ent_frontier_head *head,
                    struct ent_err *err)
{
    if (pair->their_count >= SESSION_HEADS_MAX)
        return 0;
    if (pair->their_count == pair->their_cap) {
        size_t cap = pair->their_cap == 0 ? 16 : 2 * pair->their_cap;
        struct their_head *theirs =
            realloc(pair->theirs, cap * sizeof(*theirs));

        if (theirs == NULL)
            return no_memory(err);
        pair->theirs = theirs;
        pair->their_cap = cap;
    }
    pair->theirs[pair->their_count++] = (struct their_head){.head = *head};
    return 0;
}

/* Remember a head of the peer: a higher one of the same log takes the place of
 * the lower, branches of a fork stand beside each other by their hash. */
static int keep_head(struct pair *pair, const struct ent_frontier_head *head,
                     struct ent_err *err)
{
    for (size_t i = 0; i < pair->their_count; i++) {
        struct their_head *theirs = &pair->theirs[i];

        if (!same_log(&theirs->head, &head->author, &head->origin))
            continue;
        if (theirs->head.seq != head->seq) {
            if (theirs->head.seq < head->seq)
                *theirs = (struct their_head){.head = *head};
            return 0;
        }
        if (ent_hash8_equal(&theirs->head.hash, &head->hash))
            return 0;
    }
    return add_head(pair, head, err);
}

/* A frontier is kept as it is said: no head stands for another. */
static int keep_frontier(struct pair *pair, const struct ent_frame *frame,
                         bool first, struct ent_err *err)
{
    int rc = 0;

    if (first)
        pair->their_count = 0;
    for (size_t i = 0; rc == 0 && i < frame->head_count; i++)
        rc = add_head(pair, &frame->heads[i], err);
    return rc;
}

/* The peer's highest number of a log, 0 when it has none of it. */
static const struct ent_frontier_head *their_head(const struct pair *pair,
                                                  const struct ent_head *head)
{
    const struct ent_frontier_head *best = NULL;

    for (size_t i = 0; i < pair->their_count; i++) {
        const struct ent_frontier_head *theirs = &pair->theirs[i].head;

        if (same_log(theirs, &head->author, &head->origin) &&
            (best == NULL || theirs->seq > best->seq))
            best = theirs;
    }
    return best;
}

/* ------------------------------------------------------------- in flight */

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

/* ------------------------------------------------------------------ opening */

static int own_heads(struct ent_engine *engine, int64_t space,
                     struct ent_frontier_head **heads, size_t *count,
                     struct ent_err *err)
{
    struct ent_head *own;
    int rc = ent_frontier_read(engine->store, space, &own, count, err);

    if (rc < 0)
        return rc;
    *heads = ENT_ARENA_NEW(&engine->arena, struct ent_frontier_head, *count);
    for (size_t i = 0; i < *count && *heads != NULL; i++)
        (*heads)[i] =
            (struct ent_frontier_head){.author = own[i].author,
                                       .origin = own[i].origin,
                                       .seq = own[i].seq,
                                       .hash = ent_hash_head(&own[i].hash)};
    free(own);
    return *heads == NULL ? no_memory(err) : 0;
}

static int roster8(struct ent_engine *engine, int64_t space,
                   struct ent_digest *digest, struct ent_hash8 *hash,
                   struct ent_err *err)
{
    int rc = ent_digest_read(engine->store, space, digest, err);

    if (rc == 0)
        *hash = ent_hash_head(&digest->roster);
    return rc;
}

static int send_frontier(struct ent_engine *engine, struct session *session,
                         struct pair *pair, struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_FRONTIER, .tag = pair->tag};
    struct ent_frontier_head *heads;
    size_t count;
    size_t at = 0;
    int rc = own_heads(engine, pair->space, &heads, &count, err);

    if (rc < 0)
        return rc;
    pair->heads_sent = true;
    do {
        frame.heads = heads + at;
        frame.head_count =
            count - at < ENT_FRAME_HEADS_MAX ? count - at : ENT_FRAME_HEADS_MAX;
        at += frame.head_count;
        frame.last = at == count;
        engine_send(engine, session, &frame);
    } while (at < count);
    session->waiting = engine->mono_ms;
    return 0;
}

int exchange_open(struct ent_engine *engine, struct session *session,
                  struct pair *pair, struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_OPEN, .tag = pair->tag};
    struct ent_digest digest;
    int rc = roster8(engine, pair->space, &digest, &frame.roster8, err);

    if (rc == 0 && may_have(engine, session, pair)) {
        rc = own_heads(engine, pair->space, &frame.heads, &frame.head_count,
                       err);
        frame.has_heads = rc == 0 && frame.head_count <= ENT_FRAME_HEADS_MAX;
    }
    if (rc < 0)
        return rc;
    pair->open_sent = true;
    pair->done = false;
    pair->heads_sent = frame.has_heads;
    pair->roster = digest.roster;
    engine_send(engine, session, &frame);
    session->waiting = engine->mono_ms;
    return 0;
}

int exchange_equal(struct ent_engine *engine, struct session *session,
                   struct pair *pair, struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_FRONTIER};
    struct ent_digest digest = {0};
    struct ent_hash8 own;
    int rc =
        own_heads(engine, pair->space, &frame.heads, &frame.head_count, err);

    if (rc == 0)
        rc = roster8(engine, pair->space, &digest, &own, err);
    pair->roster = digest.roster;
    if (rc == 0)
        rc = keep_frontier(pair, &frame, true, err);
    pair->open_sent = true;
    pair->roster_ok = true;
    pair->heads_sent = true;
    pair->heads_got = true;
    pair->settled_sent = true;
    pair->settled_got = true;
    pair->said_given = true;
    pair->said_got = true;
    pair->done = true;
    engine_note(engine, ENT_NOTE_EQUAL, session, pair, 0, NULL);
    return rc;
}

/* ------------------------------------------------------------------ rosters */

static int send_roster_have(struct ent_engine *engine, struct session *session,
                            struct pair *pair, struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_ROSTER_HAVE, .tag = pair->tag};
    struct ent_hash *hashes;
    struct ent_buf list = {0};
    size_t count;
    int rc =
        ent_roster_hashes(engine->store, pair->space, &hashes, &count, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count && i < ENT_FRAME_HASHES_MAX; i++)
        ent_buf_put(&list, hashes[i].b, ENT_HASH8_BYTES);
    free(hashes);
    frame.hashes = ent_buf_slice(&list);
    if (list.rc < 0)
        rc = no_memory(err);
    else
        engine_send(engine, session, &frame);
    ent_buf_fini(&list);
    return rc;
}

static int begin_pull(struct ent_engine *engine, struct session *session,
                      struct pair *pair, struct ent_err *err);

/* Both rosters are the same now; what the peer may have is known. */
static int roster_settled(struct ent_engine *engine, struct session *session,
                          struct pair *pair, struct ent_err *err)
{
    struct ent_digest digest;
    struct ent_hash8 own;
    int rc = roster8(engine, pair->space, &digest, &own, err);

    if (rc < 0)
        return rc;
    pair->roster = digest.roster;
    pair->roster_ok = true;
    if (!may_have(engine, session, pair)) {
        /* A stranger to this space: the roster was all. */
        pair->done = true;
        return 0;
    }
    if (!pair->heads_sent)
        rc = send_frontier(engine, session, pair, err);
    if (rc == 0 && pair->heads_got)
        rc = begin_pull(engine, session, pair, err);
    return rc;
}

static int take_open(struct ent_engine *engine, struct session *session,
                     struct pair *pair, const struct ent_frame *frame,
                     struct ent_err *err)
{
    struct ent_digest digest;
    struct ent_hash8 own;
    int rc = roster8(engine, pair->space, &digest, &own, err);

    /* The hellos agreed, and the peer moved on since: it has seen no frontier
     * of ours. */
    if (pair->equal)
        pair->equal = pair->open_sent = pair->heads_sent = false;
    if (rc == 0 && !pair->open_sent)
        rc = exchange_open(engine, session, pair, err);
    if (rc < 0)
        return rc;
    session->waiting = 0;
    pair->done = false;
    if (frame->has_heads) {
        rc = keep_frontier(pair, frame, true, err);
        pair->heads_got = true;
    }
    if (rc < 0)
        return rc;
    if (ent_hash8_equal(&own, &frame->roster8))
        return roster_settled(engine, session, pair, err);
    pair->roster_ok = false;
    session->waiting = engine->mono_ms;
    return send_roster_have(engine, session, pair, err);
}

static bool in_list(struct ent_slice hashes, const struct ent_hash *hash)
{
    size_t low = 0;
    size_t high = hashes.len / ENT_HASH8_BYTES;

    while (low < high) {
        size_t mid = (low + high) / 2;
        int cmp =
            memcmp(hashes.at + mid * ENT_HASH8_BYTES, hash->b, ENT_HASH8_BYTES);

        if (cmp == 0)
            return true;
        if (cmp < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

static int take_roster_have(struct ent_engine *engine, struct session *session,
                            struct pair *pair, const struct ent_frame *frame,
                            struct ent_err *err)
{
    struct ent_frame answer = {.type = ENT_FRAME_ROSTER, .tag = pair->tag};
    struct ent_hash *hashes;
    size_t bytes = 0;
    size_t count;
    int rc =
        ent_roster_hashes(engine->store, pair->space, &hashes, &count, err);

    if (rc < 0)
        return rc;
    answer.roster =
        ENT_ARENA_NEW(&engine->arena, struct ent_frame_roster, count);
    if (answer.roster == NULL)
        rc = no_memory(err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_roster_bytes entry;

        if (in_list(frame->hashes, &hashes[i]))
            continue;
        rc = ent_roster_read(engine->store, pair->space, &hashes[i],
                             &engine->arena, &entry, err);
        if (rc < 0)
            break;
        bytes += entry.header.len + entry.body.len + ENT_SIG_BYTES;
        answer.roster[answer.roster_count++] = (struct ent_frame_roster){
            .header = entry.header,
            .sig = ent_arena_copy(&engine->arena,
                                  ent_slice(entry.sig.b, ENT_SIG_BYTES)),
            .body = entry.body};
        if (bytes < ENT_BATCH_BYTES_MAX &&
            answer.roster_count < ENT_FRAME_ROSTER_MAX)
            continue;
        engine_send(engine, session, &answer);
        answer.roster_count = 0;
        bytes = 0;
    }
    free(hashes);
    answer.last = true;
    if (rc == 0)
        engine_send(engine, session, &answer);
    return rc;
}

static int take_roster(struct ent_engine *engine, struct session *session,
                       struct pair *pair, const struct ent_frame *frame,
                       struct ent_err *err)
{
    struct ent_roster_bytes *entries = ENT_ARENA_NEW(
        &engine->arena, struct ent_roster_bytes, frame->roster_count);
    struct ent_taken taken = {0};
    int rc = 0;

    if (entries == NULL)
        return no_memory(err);
    for (size_t i = 0; i < frame->roster_count; i++) {
        entries[i].header = frame->roster[i].header;
        memcpy(entries[i].sig.b, frame->roster[i].sig.at, ENT_SIG_BYTES);
        entries[i].body = frame->roster[i].body;
    }
    if (frame->roster_count > 0)
        rc = ent_roster_take(engine->store, pair->space, entries,
                             frame->roster_count, &taken, err);
    if (rc < 0)
        return rc;
    if (taken.refused > 0)
        engine_note(engine, ENT_NOTE_REFUSED, session, pair, taken.refused,
                    ent_arena_str(&engine->arena, taken.why));
    if (taken.applied > 0)
        engine->roster_changed = true;
    session->waiting = engine->mono_ms;
    if (!frame->last)
        return 0;
    session->waiting = 0;
    /* The frontier said before may rest on another roster. */
    pair->heads_sent = false;
    return roster_settled(engine, session, pair, err);
}

/* ------------------------------------------------------------------ pulling */

/* Ask for what nodes signed that they hold, naming what is known of it. */
static int send_said_have(struct ent_engine *engine, struct session *session,
                          struct pair *pair, struct ent_err *err)
{
    struct ent_frame have = {.type = ENT_FRAME_SAID_HAVE, .tag = pair->tag};
    struct ent_said *said;
    size_t count;
    int rc = ent_said_list(engine->store, pair->space, &engine->arena, &said,
                           &count, err);

    if (rc < 0)
        return rc;
    if (count > ENT_FRAME_ROSTER_MAX)
        count = ENT_FRAME_ROSTER_MAX;
    have.said = ENT_ARENA_NEW(&engine->arena, struct ent_frame_said, count);
    if (have.said == NULL)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        have.said[i].key = said[i].key;
        have.said[i].counter = said[i].counter;
    }
    have.said_count = count;
    engine_send(engine, session, &have);
    pair->said_got = false;
    session->waiting = engine->mono_ms;
    return 0;
}

/* Everything asked for has come: show the digest that both must reach, and
 * what nodes are known to hold. */
static int settle(struct ent_engine *engine, struct session *session,
                  struct pair *pair, struct ent_err *err)
{
    struct ent_frame settled = {.type = ENT_FRAME_SETTLED, .tag = pair->tag};
    struct ent_digest digest;
    int rc = ent_said_update(engine->store, pair->space, engine->now_ms, err);

    if (rc == 0)
        rc = roster8(engine, pair->space, &digest, &settled.roster8, err);
    if (rc == 0 && session->sent > 0) {
        rc = ent_peer_sent(engine->store, &session->key, session->sent, err);
        session->sent = 0;
    }
    if (rc < 0)
        return rc;
    settled.entries8 = ent_hash_head(&digest.entries);
    memcpy(settled.state, digest.state, sizeof(settled.state));
    engine_send(engine, session, &settled);
    pair->settled_sent = true;
    pair->settle_at = 0;
    return send_said_have(engine, session, pair, err);
}

/* The next question about one of their heads; false: nothing to ask. */
static int ask_head(struct ent_engine *engine, const struct pair *pair,
                    struct their_head *theirs, struct ent_frame_want *want,
                    bool *ask, struct ent_err *err)
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
    if (rc < 0 || want->from == 0)
        return rc;
    /* Asked before, answered, and nothing came of it. */
    if (theirs->asked_from == want->from) {
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
    bool postponed = false;
    int rc = 0;

    if (pair->pulling || !pair->heads_got || !pair->roster_ok)
        return 0;
    frame.wants = ENT_ARENA_NEW(&engine->arena, struct ent_frame_want,
                                ENT_FRAME_WANTS_MAX);
    if (frame.wants == NULL)
        return no_memory(err);
    for (size_t i = 0; rc == 0 && i < pair->their_count &&
                       frame.want_count < ENT_FRAME_WANTS_MAX;
         i++) {
        struct their_head *theirs = &pair->theirs[i];
        struct ent_frame_want *want = &frame.wants[frame.want_count];
        bool ask;

        if (in_flight(engine, pair->space, &theirs->head)) {
            postponed = postponed || !theirs->given_up;
            continue;
        }
        rc = ask_head(engine, pair, theirs, want, &ask, err);
        if (rc < 0 || !ask)
            continue;
        theirs->asked_from = want->from;
        rc = take_off(engine, session, pair->space, &theirs->head, err);
        frame.want_count++;
    }
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
        rc = settle(engine, session, pair, err);
    return rc;
}

static int begin_pull(struct ent_engine *engine, struct session *session,
                      struct pair *pair, struct ent_err *err)
{
    pair->settled_sent = false;
    return exchange_pull(engine, session, pair, err);
}

static int take_frontier(struct ent_engine *engine, struct session *session,
                         struct pair *pair, const struct ent_frame *frame,
                         struct ent_err *err)
{
    int rc = keep_frontier(pair, frame, pair->heads_got, err);

    session->waiting = 0;
    pair->heads_got = frame->last;
    if (rc == 0 && frame->last && pair->roster_ok)
        rc = begin_pull(engine, session, pair, err);
    return rc;
}

/* ------------------------------------------------------------------ serving */

static size_t run_bytes(const struct ent_run *run)
{
    size_t bytes = 0;

    for (size_t i = 0; i < run->count; i++)
        bytes += run->entries[i].len;
    return bytes;
}

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

static int take_want(struct ent_engine *engine, struct session *session,
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

/* ------------------------------------------------------------------- taking */

/* A run without entries: the peer's entry before that place is another than
 * ours. Ask again from further back. */
static void step_back(struct pair *pair, const struct ent_frame_run *run)
{
    for (size_t i = 0; i < pair->their_count; i++) {
        struct their_head *theirs = &pair->theirs[i];

        if (!same_log(&theirs->head, &run->author, &run->origin) ||
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
    if (taken.fork)
        engine_note(engine, ENT_NOTE_FORK, session, pair, 0, NULL);
    return 0;
}

static int take_runs(struct ent_engine *engine, struct session *session,
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

static int take_more(struct ent_engine *engine, struct session *session,
                     struct pair *pair, const struct ent_frame *frame,
                     struct ent_err *err)
{
    if (frame->credit < ENT_FRAME_BYTES_MAX)
        pair->credit += (int64_t)frame->credit;
    if (pair->credit > SESSION_CREDIT)
        pair->credit = SESSION_CREDIT;
    return serve(engine, session, pair, err);
}

/* ------------------------------------------------------------------ settled */

static void check_done(struct ent_engine *engine, struct session *session,
                       struct pair *pair)
{
    (void)engine;
    (void)session;
    pair->done = pair->settled_sent && pair->settled_got && pair->said_given &&
                 pair->said_got && !pair->pulling && pair->serving_count == 0;
}

/* Equal entries and roster must give an equal state; anything else is an
 * alarm and never hidden (S5). */
static int take_settled(struct ent_engine *engine, struct session *session,
                        struct pair *pair, const struct ent_frame *frame,
                        struct ent_err *err)
{
    struct ent_digest digest;
    struct ent_hash8 own;
    struct ent_hash8 entries;
    bool same_state;
    int rc = roster8(engine, pair->space, &digest, &own, err);

    if (rc < 0)
        return rc;
    session->waiting = 0;
    pair->settled_got = true;
    entries = ent_hash_head(&digest.entries);
    same_state = memcmp(digest.state, frame->state, sizeof(frame->state)) == 0;
    if (ent_hash8_equal(&own, &frame->roster8) &&
        ent_hash8_equal(&entries, &frame->entries8)) {
        engine_note(engine, same_state ? ENT_NOTE_EQUAL : ENT_NOTE_DIVERGED,
                    session, pair, 0, NULL);
        rc = ent_alarm_set(engine->store, pair->space, "diverged",
                           ent_slice(session->key.b, ENT_KEY_BYTES),
                           !same_state, engine->now_ms, err);
    }
    check_done(engine, session, pair);
    return rc;
}

static int take_said_have(struct ent_engine *engine, struct session *session,
                          struct pair *pair, const struct ent_frame *frame,
                          struct ent_err *err)
{
    struct ent_frame answer = {.type = ENT_FRAME_SAID, .tag = pair->tag};
    struct ent_said *said;
    size_t known = 0;
    size_t bytes = 0;
    size_t count;
    int rc = ent_said_list(engine->store, pair->space, &engine->arena, &said,
                           &count, err);

    if (rc < 0)
        return rc;
    answer.said = ENT_ARENA_NEW(&engine->arena, struct ent_frame_said, count);
    if (answer.said == NULL)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        bool newer = true;

        for (size_t j = 0; j < frame->said_count; j++) {
            if (!ent_key_equal(&frame->said[j].key, &said[i].key))
                continue;
            newer = said[i].counter > frame->said[j].counter;
            known += said[i].counter >= frame->said[j].counter;
        }
        if (!newer)
            continue;
        if (bytes >= ENT_BATCH_BYTES_MAX ||
            answer.said_count == ENT_FRAME_ROSTER_MAX) {
            engine_send(engine, session, &answer);
            answer.said_count = 0;
            bytes = 0;
        }
        bytes += said[i].body.len + ENT_SIG_BYTES;
        answer.said[answer.said_count++] = (struct ent_frame_said){
            .key = said[i].key,
            .counter = said[i].counter,
            .body = said[i].body,
            .sig = ent_arena_copy(&engine->arena,
                                  ent_slice(said[i].sig.b, ENT_SIG_BYTES))};
    }
    engine_send(engine, session, &answer);
    pair->said_given = true;
    /* It knows of something newer than what it was asked for before. */
    if (known < frame->said_count && pair->said_got)
        rc = send_said_have(engine, session, pair, err);
    check_done(engine, session, pair);
    return rc;
}

static int take_said(struct ent_engine *engine, struct session *session,
                     struct pair *pair, const struct ent_frame *frame,
                     struct ent_err *err)
{
    struct ent_said *said =
        ENT_ARENA_NEW(&engine->arena, struct ent_said, frame->said_count);
    size_t news = 0;
    size_t refused = 0;
    int rc = 0;

    if (said == NULL)
        return no_memory(err);
    for (size_t i = 0; i < frame->said_count; i++) {
        said[i].key = frame->said[i].key;
        said[i].counter = frame->said[i].counter;
        said[i].body = frame->said[i].body;
        memcpy(said[i].sig.b, frame->said[i].sig.at, ENT_SIG_BYTES);
    }
    if (frame->said_count > 0)
        rc = ent_said_take(engine->store, pair->space, said, frame->said_count,
                           &news, &refused, err);
    if (rc < 0)
        return rc;
    session->waiting = 0;
    /* While rosters differ it may be about somebody not known here yet. */
    if (refused > 0 && pair->roster_ok)
        engine_note(engine, ENT_NOTE_REFUSED, session, pair, (int64_t)refused,
                    ENT_N_("what a node signed that it holds does not check"));
    /* Others want to know too who holds what; not at once, it is gossip. */
    for (size_t i = 0; news > 0 && i < engine->session_count; i++) {
        struct session *other = engine->sessions[i];

        for (size_t j = 0; other != session && j < other->pair_count; j++)
            if (other->pairs[j].space == pair->space &&
                other->pairs[j].heads_got && other->pairs[j].settle_at == 0)
                other->pairs[j].settle_at = engine->mono_ms + SESSION_SETTLE_MS;
    }
    pair->said_got = true;
    check_done(engine, session, pair);
    return 0;
}

/* --------------------------------------------------------------------- news */

/* A head that the peer lacks, with its entries when they are few and follow
 * what it has. */
static int put_news(struct ent_engine *engine, struct session *session,
                    struct pair *pair, const struct ent_head *head,
                    struct ent_arena *arena, struct ent_frame_run *runs,
                    size_t *run_count, size_t *bytes, struct ent_err *err)
{
    const struct ent_frontier_head *theirs = their_head(pair, head);
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

static bool holds(const struct pair *pair, const struct ent_head *head)
{
    for (size_t i = 0; i < pair->their_count; i++) {
        const struct ent_frontier_head *theirs = &pair->theirs[i].head;

        if (same_log(theirs, &head->author, &head->origin) &&
            (theirs->seq > head->seq ||
             (theirs->seq == head->seq &&
              memcmp(theirs->hash.b, head->hash.b, ENT_HASH8_BYTES) == 0)))
            return true;
    }
    return false;
}

#define NEWS_RUNS_MAX 64

int exchange_news(struct ent_engine *engine, struct session *session,
                  struct pair *pair, struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_NEWS, .tag = pair->tag};
    struct ent_frame_run runs[NEWS_RUNS_MAX];
    struct ent_arena arena = {0};
    struct ent_buf packed = {0};
    struct ent_head *heads;
    size_t run_count = 0;
    size_t bytes = 0;
    size_t count;
    int rc;

    pair->news_due =
        !pair->heads_got || !pair->heads_sent || !pair->roster_ok;
    if (pair->news_due || !may_have(engine, session, pair))
        return 0;
    rc = ent_frontier_read(engine->store, pair->space, &heads, &count, err);
    if (rc < 0)
        return rc;
    frame.heads =
        ENT_ARENA_NEW(&arena, struct ent_frontier_head, ENT_FRAME_HEADS_MAX);
    if (frame.heads == NULL)
        rc = no_memory(err);
    for (size_t i = 0;
         rc == 0 && i < count && frame.head_count < ENT_FRAME_HEADS_MAX; i++) {
        struct ent_frontier_head *head = &frame.heads[frame.head_count];

        if (holds(pair, &heads[i]))
            continue;
        *head =
            (struct ent_frontier_head){.author = heads[i].author,
                                       .origin = heads[i].origin,
                                       .seq = heads[i].seq,
                                       .hash = ent_hash_head(&heads[i].hash)};
        frame.head_count++;
        if (run_count < NEWS_RUNS_MAX)
            rc = put_news(engine, session, pair, &heads[i], &arena, runs,
                          &run_count, &bytes, err);
        if (rc == 0)
            rc = keep_head(pair, head, err);
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

static int take_news(struct ent_engine *engine, struct session *session,
                     struct pair *pair, const struct ent_frame *frame,
                     struct ent_err *err)
{
    size_t bytes;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < frame->head_count; i++)
        rc = keep_head(pair, &frame->heads[i], err);
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

int exchange_tick(struct ent_engine *engine, struct session *session,
                  struct pair *pair, struct ent_err *err)
{
    if (pair->settle_at == 0 || engine->mono_ms < pair->settle_at)
        return 0;
    if (pair->pulling || !pair->roster_ok || !pair->heads_got) {
        pair->settle_at = engine->mono_ms + SESSION_SETTLE_MS;
        return 0;
    }
    pair->settle_at = 0;
    if (!may_have(engine, session, pair))
        return 0;
    return settle(engine, session, pair, err);
}

/* ------------------------------------------------------------------ dispatch
 */

static struct pair *pair_tagged(struct session *session,
                                const struct ent_hash8 *tag)
{
    for (size_t i = 0; i < session->pair_count; i++)
        if (ent_hash8_equal(&session->pairs[i].tag, tag))
            return &session->pairs[i];
    return NULL;
}

int exchange_take(struct ent_engine *engine, struct session *session,
                  const struct ent_frame *frame, struct ent_err *err)
{
    struct pair *pair = pair_tagged(session, &frame->tag);

    /* About a space that we left, or do not know yet: nothing to say. */
    if (pair == NULL)
        return 0;
    if (frame->type == ENT_FRAME_OPEN)
        return take_open(engine, session, pair, frame, err);
    if (frame->type == ENT_FRAME_ROSTER_HAVE)
        return take_roster_have(engine, session, pair, frame, err);
    if (frame->type == ENT_FRAME_ROSTER)
        return take_roster(engine, session, pair, frame, err);
    /* Content: checked against the roster on every message (S7). */
    if (!may_have(engine, session, pair)) {
        engine_refuse(engine, session,
                      ENT_N_("a message from somebody who is no member"));
        return 0;
    }
    switch (frame->type) {
    case ENT_FRAME_FRONTIER:
        return take_frontier(engine, session, pair, frame, err);
    case ENT_FRAME_WANT:
        return take_want(engine, session, pair, frame, err);
    case ENT_FRAME_RUNS:
        return take_runs(engine, session, pair, frame, err);
    case ENT_FRAME_MORE:
        return take_more(engine, session, pair, frame, err);
    case ENT_FRAME_SETTLED:
        return take_settled(engine, session, pair, frame, err);
    case ENT_FRAME_SAID_HAVE:
        return take_said_have(engine, session, pair, frame, err);
    case ENT_FRAME_SAID:
        return take_said(engine, session, pair, frame, err);
    case ENT_FRAME_NEWS:
        return take_news(engine, session, pair, frame, err);
    case ENT_FRAME_HELLO:
    case ENT_FRAME_WELCOME:
    case ENT_FRAME_OPEN:
    case ENT_FRAME_ROSTER_HAVE:
    case ENT_FRAME_ROSTER:
    case ENT_FRAME_JOIN:
    case ENT_FRAME_JOINED:
        break;
    }
    return 0;
}
