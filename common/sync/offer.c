/* offer.c - what lies beyond a cut goes to the chair (A4):
 *
 *   member                                                    chair
 *      | ASIDE: the last entries of what is aside               |
 *      |------------------------------------------------------->|
 *      |       ASIDE_WANT: one of them, from a number on        |
 *      |<-------------------------------------------------------|
 *      | ASIDE: a batch of it                                   |
 *      |------------------------------------------------------->|
 *      |       ASIDE_WANT ... until it asks for nothing         |
 *      |<-------------------------------------------------------|
 *
 * Each is answered by the other, so one batch is under way at a time. */
#include <stdlib.h>
#include <string.h>

#include "secure/hash.h"
#include "store/members.h"
#include "sync/session.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

static bool is_chair(struct ent_engine *engine, const struct pair *pair,
                     const struct ent_key *key)
{
    return ent_member_role(engine->store, pair->space, key) == ENT_ROLE_CHAIR;
}

void ent_offer_fini(struct pair *pair)
{
    free(pair->offer.theirs);
}

bool ent_offer_is_overdue(const struct ent_engine *engine,
                          const struct pair *pair)
{
    const struct offer *offer = &pair->offer;

    return (offer->made || offer->asked) &&
           engine->mono_ms - offer->at > SESSION_PULL_MS;
}

/* ---------------------------------------------------------------- the member
 */

static int read_heads(struct ent_engine *engine, const struct pair *pair,
                      struct ent_head **heads, size_t *count,
                      struct ent_hash8 *digest, struct ent_err *err)
{
    struct ent_buf all = {0};
    int rc = ent_aside_heads(engine->store, pair->space, heads, count, err);

    if (rc < 0)
        return rc;
    /* What was readmitted makes room: with the roster all is offered anew. */
    ent_buf_put(&all, pair->roster.b, ENT_HASH_BYTES);
    for (size_t i = 0; i < *count; i++) {
        ent_buf_put(&all, (*heads)[i].origin.b, ENT_ID_BYTES);
        ent_buf_put(&all, (*heads)[i].hash.b, ENT_HASH_BYTES);
    }
    *digest = ent_hash8_of(ent_buf_slice(&all));
    if (all.rc < 0) {
        free(*heads);
        rc = no_memory(err);
    }
    ent_buf_fini(&all);
    return rc;
}

/* The next of our tips; as many as go into one message. */
static int send_heads(struct ent_engine *engine, struct session *session,
                      struct pair *pair, const struct ent_head *heads,
                      size_t count, struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_ASIDE, .tag = pair->tag};
    size_t left = count - pair->offer.next;

    frame.head_count = left < SESSION_OFFER_HEADS ? left : SESSION_OFFER_HEADS;
    frame.heads = ENT_ARENA_NEW(&engine->arena, struct ent_frontier_head,
                                frame.head_count);
    if (frame.heads == NULL)
        return no_memory(err);
    for (size_t i = 0; i < frame.head_count; i++) {
        const struct ent_head *head = &heads[pair->offer.next + i];

        frame.heads[i] =
            (struct ent_frontier_head){.author = head->author,
                                       .origin = head->origin,
                                       .seq = head->seq,
                                       .hash = ent_hash_head(&head->hash)};
    }
    pair->offer.next += frame.head_count;
    pair->offer.made = true;
    pair->offer.at = engine->mono_ms;
    pair->done = false;
    engine_send(engine, session, &frame);
    return 0;
}

int ent_offer_make(struct ent_engine *engine, struct session *session,
                   struct pair *pair, struct ent_err *err)
{
    struct offer *offer = &pair->offer;
    struct ent_hash8 digest;
    struct ent_head *heads;
    size_t count;
    int rc;

    if (offer->made || offer->asked || !pair->roster_ok ||
        !is_chair(engine, pair, &session->key) ||
        !ent_pair_may_have(engine, session, pair))
        return 0;
    rc = read_heads(engine, pair, &heads, &count, &digest, err);
    if (rc < 0)
        return rc;
    if (count > 0 && !ent_hash8_equal(&digest, &offer->digest)) {
        offer->digest = digest;
        offer->next = 0;
        offer->later = false;
        rc = send_heads(engine, session, pair, heads, count, err);
    }
    free(heads);
    return rc;
}

bool ent_offer_is_due(struct ent_engine *engine, const struct session *session,
                      int64_t space)
{
    struct pair pair = {.space = space};
    struct ent_hash8 digest;
    struct ent_head *heads;
    size_t count;

    if (!session->known || !is_chair(engine, &pair, &session->key) ||
        !ent_pair_may_have(engine, session, &pair) ||
        read_heads(engine, &pair, &heads, &count, &digest, NULL) < 0)
        return false;
    free(heads);
    return count > 0;
}

int ent_offer_tick(struct ent_engine *engine, struct session *session,
                   struct pair *pair, struct ent_err *err)
{
    if (pair->offer.again_at == 0 || engine->mono_ms < pair->offer.again_at ||
        !pair->done)
        return 0;
    pair->offer.again_at = 0;
    memset(&pair->offer.digest, 0, sizeof(pair->offer.digest));
    return ent_offer_make(engine, session, pair, err);
}

/* The chair has what it takes of those: the next ones, or the end. */
static int go_on(struct ent_engine *engine, struct session *session,
                 struct pair *pair, struct ent_err *err)
{
    struct offer *offer = &pair->offer;
    struct ent_hash8 digest;
    struct ent_head *heads;
    size_t count;
    int rc = read_heads(engine, pair, &heads, &count, &digest, err);

    if (rc < 0)
        return rc;
    offer->made = false;
    /* Others have come to lie beyond a cut meanwhile. */
    if (!ent_hash8_equal(&digest, &offer->digest))
        offer->later = true;
    else if (offer->next < count && ent_pair_may_have(engine, session, pair))
        rc = send_heads(engine, session, pair, heads, count, err);
    free(heads);
    if (rc < 0 || offer->made)
        return rc;
    offer->again_at = 0;
    if (offer->later) {
        offer->pause = offer->pause == 0 ? SESSION_SHOW_MS : 2 * offer->pause;
        if (offer->pause > SESSION_SHOW_MS_MAX)
            offer->pause = SESSION_SHOW_MS_MAX;
        offer->again_at = engine->mono_ms + offer->pause;
    } else {
        offer->pause = 0;
    }
    ent_pair_check_done(pair);
    return 0;
}

static int send_run(struct ent_engine *engine, struct session *session,
                    struct pair *pair, const struct ent_frame_want *want,
                    struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_ASIDE, .tag = pair->tag};
    struct ent_head head = {.author = want->author, .origin = want->origin};
    struct ent_arena arena = {0};
    struct ent_buf packed = {0};
    struct ent_run run = {0};
    struct ent_frame_run out;
    int rc = 0;

    memcpy(head.hash.b, want->head.b, ENT_HASH8_BYTES);
    /* While rosters differ nothing is (S3). */
    if (pair->roster_ok)
        rc = ent_aside_read(engine->store, pair->space, &head, want->from,
                            &want->prev, SESSION_BATCH, &arena, &run, err);
    out = (struct ent_frame_run){.author = run.author,
                                 .origin = run.origin,
                                 .from = run.from,
                                 .prev = run.prev,
                                 .entries = run.entries,
                                 .entry_count = run.count,
                                 .sig = ent_slice(run.sig.b, ENT_SIG_BYTES)};
    if (rc == 0)
        ent_runs_put(&packed, &out, run.count > 0 ? 1 : 0);
    frame.runs = ent_buf_slice(&packed);
    if (rc == 0 && (packed.rc < 0 || arena.rc < 0))
        rc = no_memory(err);
    if (rc == 0) {
        session->sent += (int64_t)run.count;
        pair->offer.at = engine->mono_ms;
        engine_send(engine, session, &frame);
    }
    ent_buf_fini(&packed);
    ent_arena_fini(&arena);
    return rc;
}

int ent_pair_take_aside_want(struct ent_engine *engine, struct session *session,
                             struct pair *pair, const struct ent_frame *frame,
                             struct ent_err *err)
{
    if (!pair->offer.made) {
        engine_refuse(engine, session,
                      ENT_N_("an answer to nothing that was asked"));
        return 0;
    }
    if (frame->want_count > 0)
        return send_run(engine, session, pair, &frame->wants[0], err);
    pair->offer.later = pair->offer.later || frame->later;
    return go_on(engine, session, pair, err);
}

/* ----------------------------------------------------------------- the chair
 */

/* Two members may hold the same: it is asked of one at a time. */
static bool is_asked_elsewhere(const struct ent_engine *engine,
                               const struct pair *pair,
                               const struct ent_frontier_head *head)
{
    for (size_t i = 0; i < engine->session_count; i++)
        for (size_t j = 0; j < engine->sessions[i]->pair_count; j++) {
            const struct pair *other = &engine->sessions[i]->pairs[j];

            if (other != pair && other->space == pair->space &&
                other->offer.asked && !engine->sessions[i]->doomed &&
                ent_frontier_same_log(
                    &other->offer.theirs[other->offer.next].head, &head->author,
                    &head->origin))
                return true;
        }
    return false;
}

/* Whether there is room for any run of that author: none shall come in vain. If
 * not, a person is told. */
static int has_room(struct ent_engine *engine, const struct pair *pair,
                    const struct ent_key *author, bool *has,
                    struct ent_err *err)
{
    int64_t entries;
    int64_t bytes;
    int rc = ent_aside_room(engine->store, pair->space, author, &entries,
                            &bytes, err);

    *has =
        rc == 0 && entries >= ENT_RUN_ENTRIES_MAX && bytes >= ENT_RUN_BYTES_MAX;
    if (rc < 0 || *has)
        return rc;
    return ent_alarm_set(engine->store, pair->space, "aside",
                         ent_slice(author->b, ENT_KEY_BYTES), true,
                         engine->now_ms, err);
}

/* The next question about one of the tips offered; none when it is held, or all
 * was tried. */
static int ask_about(struct ent_engine *engine, struct pair *pair,
                     struct their_head *theirs, struct ent_frame_want *want,
                     struct ent_err *err)
{
    const struct ent_frontier_head *at = &theirs->head;
    struct ent_head head = {
        .author = at->author, .origin = at->origin, .seq = at->seq};
    bool room = true;
    int rc;

    memcpy(head.hash.b, at->hash.b, ENT_HASH8_BYTES);
    *want = (struct ent_frame_want){
        .author = at->author, .origin = at->origin, .head = at->hash};
    do {
        rc = ent_aside_want(engine->store, pair->space, &head, theirs->back,
                            &want->from, &want->prev, err);
        /* Asked before just so, and nothing came of it. */
    } while (rc == 0 && want->from != 0 && want->from == theirs->asked_from &&
             ++theirs->back > 0);
    if (rc == 0 && want->from != 0)
        rc = has_room(engine, pair, &at->author, &room, err);
    if (rc == 0 && want->from != 0 &&
        (!room || is_asked_elsewhere(engine, pair, at))) {
        want->from = 0;
        pair->offer.later = true;
    }
    theirs->asked_from = want->from;
    return rc;
}

static int ask(struct ent_engine *engine, struct session *session,
               struct pair *pair, struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_ASIDE_WANT, .tag = pair->tag};
    struct offer *offer = &pair->offer;
    struct ent_frame_want want = {.from = 0};
    int rc = 0;

    offer->asked = false;
    for (; rc == 0 && offer->next < offer->their_count; offer->next++) {
        rc = ask_about(engine, pair, &offer->theirs[offer->next], &want, err);
        if (want.from != 0)
            break;
    }
    if (rc < 0)
        return rc;
    if (want.from != 0) {
        frame.wants = &want;
        frame.want_count = 1;
        offer->asked = true;
        offer->at = engine->mono_ms;
        pair->done = false;
    }
    frame.later = offer->later;
    engine_send(engine, session, &frame);
    if (!offer->asked)
        ent_pair_check_done(pair);
    return 0;
}

static int take_heads(struct ent_engine *engine, struct session *session,
                      struct pair *pair, const struct ent_frame *frame,
                      struct ent_err *err)
{
    const struct ent_key *own = &ent_store_keys(engine->store)->public;
    struct offer *offer = &pair->offer;
    struct their_head *theirs = calloc(frame->head_count, sizeof(*theirs));

    if (theirs == NULL)
        return no_memory(err);
    free(offer->theirs);
    offer->theirs = theirs;
    offer->their_count = 0;
    offer->next = 0;
    /* Who is not the chair, or does not know who is, takes nothing. */
    offer->later = !pair->roster_ok || !is_chair(engine, pair, own);
    for (size_t i = 0; !offer->later && i < frame->head_count; i++)
        theirs[offer->their_count++].head = frame->heads[i];
    return ask(engine, session, pair, err);
}

static int take_runs(struct ent_engine *engine, struct session *session,
                     struct pair *pair, const struct ent_frame *frame,
                     struct ent_err *err)
{
    struct ent_taken taken = {0};
    struct ent_err said = {0};
    struct ent_frame_run *in;
    struct ent_run *runs;
    size_t kept = 0;
    size_t count;
    int rc = ent_runs_get(frame->runs, &engine->arena, &in, &count, &said);

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
        if (in[i].entry_count == 0)
            continue;
        runs[kept] = (struct ent_run){.author = in[i].author,
                                      .origin = in[i].origin,
                                      .from = in[i].from,
                                      .prev = in[i].prev,
                                      .entries = in[i].entries,
                                      .count = in[i].entry_count};
        memcpy(runs[kept++].sig.b, in[i].sig.at, ENT_SIG_BYTES);
    }
    /* What a roster of before said of it may not be so any more. */
    if (kept > 0 && pair->roster_ok)
        rc = ent_aside_take(engine->store, pair->space, &session->key, runs,
                            kept, engine->now_ms, &taken, err);
    if (rc < 0)
        return rc;
    if (taken.quarantined > 0)
        engine_note(engine, ENT_NOTE_TAKEN, session, pair, taken.quarantined,
                    NULL);
    if (taken.refused > 0)
        engine_note(engine, ENT_NOTE_REFUSED, session, pair, taken.refused,
                    ent_arena_str(&engine->arena, taken.why));
    if (taken.fork)
        engine_note(engine, ENT_NOTE_FORK, session, pair, 0, NULL);
    /* Another question would bring the same. */
    if (kept == 0 || taken.waiting + taken.refused > 0 || !pair->roster_ok)
        pair->offer.next++;
    if (taken.waiting > 0 || !pair->roster_ok)
        pair->offer.later = true;
    return ask(engine, session, pair, err);
}

int ent_pair_take_aside(struct ent_engine *engine, struct session *session,
                        struct pair *pair, const struct ent_frame *frame,
                        struct ent_err *err)
{
    if (pair->offer.asked != (frame->head_count == 0) ||
        (pair->offer.made && frame->head_count > 0)) {
        engine_refuse(engine, session,
                      ENT_N_("an answer to nothing that was asked"));
        return 0;
    }
    return frame->head_count > 0 ? take_heads(engine, session, pair, frame, err)
                                 : take_runs(engine, session, pair, frame, err);
}
