/* settle.c - the proof at the end that both hold the same, and what nodes
 * signed that they hold (S5, S10). */
#include <string.h>

#include "secure/hash.h"
#include "store/erase.h"
#include "sync/session.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ------------------------------------------------------------------ asking */

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

int ent_session_count_sent(struct ent_engine *engine, struct session *session,
                           struct ent_err *err)
{
    int rc = 0;

    if (session->sent > 0)
        rc = ent_peer_sent(engine->store, &session->key, session->sent, err);
    session->sent = 0;
    return rc;
}

/* What the two hold, as each said last, is not the same: it may be under way,
 * or not. */
static void compare(struct ent_engine *engine, struct pair *pair,
                    const struct ent_hash8 *entries)
{
    if (!pair->roster_ok || ent_hash8_equal(entries, &pair->their_entries8)) {
        pair->show_at = 0;
    } else if (pair->show_at == 0) {
        pair->show_pause = SESSION_SHOW_MS;
        pair->show_at = engine->mono_ms + SESSION_SHOW_MS;
    }
}

int ent_pair_settle(struct ent_engine *engine, struct session *session,
                    struct pair *pair, struct ent_err *err)
{
    struct ent_frame settled = {.type = ENT_FRAME_SETTLED, .tag = pair->tag};
    struct ent_digest digest;
    int rc = ent_said_update(engine->store, pair->space, engine->now_ms, err);

    if (rc == 0)
        rc = ent_pair_roster8(engine, pair->space, &digest, &settled.roster8,
                              err);
    if (rc == 0)
        rc = ent_session_count_sent(engine, session, err);
    if (rc < 0)
        return rc;
    settled.entries8 = ent_hash_head(&digest.entries);
    memcpy(settled.state, digest.state, sizeof(settled.state));
    /* First what is offered: the peer may part when it has seen the rest. */
    if (pair->settled_got &&
        ent_hash8_equal(&settled.entries8, &pair->their_entries8))
        rc = ent_offer_make(engine, session, pair, err);
    if (rc < 0)
        return rc;
    engine_send(engine, session, &settled);
    pair->settled_sent = true;
    pair->settle_at = 0;
    /* What was erased is not out of the file yet: it is tried again, and the
     * peer is told then (E4). */
    rc = ent_store_scrub_due(engine->store, err);
    if (rc > 0)
        pair->settle_at = engine->mono_ms + SESSION_SCRUB_MS;
    if (rc < 0)
        return rc;
    if (pair->settled_got)
        compare(engine, pair, &settled.entries8);
    return send_said_have(engine, session, pair, err);
}

/* ------------------------------------------------------------------ taking */

void ent_pair_check_done(struct pair *pair)
{
    pair->done = pair->settled_sent && pair->settled_got && pair->said_given &&
                 pair->said_got && !pair->pulling && !pair->postponed &&
                 pair->serving_count == 0 && !pair->offer.made &&
                 !pair->offer.asked;
}

int ent_pair_show_again(struct ent_engine *engine, struct session *session,
                        struct pair *pair, struct ent_err *err)
{
    int rc = ent_frontier_send(engine, session, pair, err);

    if (2 * pair->show_pause <= SESSION_SHOW_MS_MAX)
        pair->show_pause *= 2;
    pair->show_at = engine->mono_ms + pair->show_pause;
    return rc == 0 ? ent_pair_settle(engine, session, pair, err) : rc;
}

int ent_pair_take_settled(struct ent_engine *engine, struct session *session,
                          struct pair *pair, const struct ent_frame *frame,
                          struct ent_err *err)
{
    struct ent_digest digest;
    struct ent_hash8 own;
    struct ent_hash8 entries;
    bool same_state;
    int rc = ent_pair_roster8(engine, pair->space, &digest, &own, err);

    if (rc < 0)
        return rc;
    session->waiting = 0;
    pair->settled_got = true;
    entries = ent_hash_head(&digest.entries);
    same_state = memcmp(digest.state, frame->state, sizeof(frame->state)) == 0;
    pair->their_entries8 = frame->entries8;
    compare(engine, pair, &entries);
    if (ent_hash8_equal(&own, &frame->roster8) &&
        ent_hash8_equal(&entries, &frame->entries8)) {
        engine_note(engine, same_state ? ENT_NOTE_EQUAL : ENT_NOTE_DIVERGED,
                    session, pair, 0, NULL);
        rc = ent_alarm_set(engine->store, pair->space, "diverged",
                           ent_slice(session->key.b, ENT_KEY_BYTES),
                           !same_state, engine->now_ms, err);
        if (rc == 0 && pair->settled_sent)
            rc = ent_offer_make(engine, session, pair, err);
    }
    if (rc == 0 && pair->news_due)
        rc = exchange_news(engine, session, pair, err);
    ent_pair_check_done(pair);
    return rc;
}

int ent_pair_take_said_have(struct ent_engine *engine, struct session *session,
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
    ent_pair_check_done(pair);
    return rc;
}

int ent_pair_take_said(struct ent_engine *engine, struct session *session,
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
    ent_pair_check_done(pair);
    return 0;
}
