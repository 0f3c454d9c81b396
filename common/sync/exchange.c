/* exchange.c - one space between two nodes (rules S3 to S6, S10): how it
 * begins, and which of its parts takes a message. Pulls only: each side asks
 * for what it lacks. */
#include <stdlib.h>

#include "secure/hash.h"
#include "sync/session.h"

void exchange_fini(struct pair *pair)
{
    free(pair->theirs);
    free(pair->serving);
    ent_offer_fini(pair);
}

bool ent_pair_may_have(struct ent_engine *engine, const struct session *session,
                       const struct pair *pair)
{
    return session->known &&
           ent_member_shares(engine->store, pair->space, &session->key);
}

/* ----------------------------------------------------------------- opening */

int exchange_open(struct ent_engine *engine, struct session *session,
                  struct pair *pair, struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_OPEN, .tag = pair->tag};
    struct ent_digest digest;
    int rc =
        ent_pair_roster8(engine, pair->space, &digest, &frame.roster8, err);

    if (rc == 0 && ent_pair_may_have(engine, session, pair)) {
        rc = ent_frontier_own(engine, pair->space, &frame.heads,
                              &frame.head_count, err);
        frame.has_heads = rc == 0 && frame.head_count <= ENT_FRAME_HEADS_MAX;
    }
    if (rc < 0)
        return rc;
    pair->open_sent = true;
    pair->done = false;
    pair->show_at = 0;
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
    int rc = ent_frontier_own(engine, pair->space, &frame.heads,
                              &frame.head_count, err);

    if (rc == 0)
        rc = ent_pair_roster8(engine, pair->space, &digest, &own, err);
    pair->roster = digest.roster;
    if (rc == 0)
        rc = ent_frontier_keep(pair, &frame, true, err);
    pair->open_sent = true;
    pair->roster_ok = true;
    pair->heads_sent = true;
    pair->heads_got = true;
    pair->settled_sent = true;
    pair->settled_got = true;
    pair->their_entries8 = ent_hash_head(&digest.entries);
    pair->said_given = true;
    pair->said_got = true;
    pair->done = true;
    engine_note(engine, ENT_NOTE_EQUAL, session, pair, 0, NULL);
    return rc == 0 ? ent_offer_make(engine, session, pair, err) : rc;
}

static int take_open(struct ent_engine *engine, struct session *session,
                     struct pair *pair, const struct ent_frame *frame,
                     struct ent_err *err)
{
    struct ent_digest digest;
    struct ent_hash8 own;
    int rc = ent_pair_roster8(engine, pair->space, &digest, &own, err);

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
    pair->their_roster8 = frame->roster8;
    if (frame->has_heads) {
        rc = ent_frontier_keep(pair, frame, true, err);
        pair->heads_got = true;
    }
    if (rc < 0)
        return rc;
    if (ent_hash8_equal(&own, &frame->roster8))
        return ent_pair_roster_settled(engine, session, pair, err);
    pair->roster_ok = false;
    session->waiting = engine->mono_ms;
    return ent_pair_offer_roster(engine, session, pair, err);
}

static int take_frontier(struct ent_engine *engine, struct session *session,
                         struct pair *pair, const struct ent_frame *frame,
                         struct ent_err *err)
{
    int rc = ent_frontier_keep(pair, frame, pair->heads_got, err);

    session->waiting = 0;
    pair->heads_got = frame->last;
    if (rc == 0 && frame->last && pair->roster_ok)
        rc = ent_pair_begin_pull(engine, session, pair, err);
    return rc;
}

/* ---------------------------------------------------------------- dispatch */

/* When it is time for it, and the peer is a member and not asked just now. */
static bool is_due(struct ent_engine *engine, const struct session *session,
                   const struct pair *pair, int64_t at)
{
    return at != 0 && engine->mono_ms >= at && !pair->pulling &&
           pair->roster_ok && pair->heads_got &&
           ent_pair_may_have(engine, session, pair);
}

int exchange_tick(struct ent_engine *engine, struct session *session,
                  struct pair *pair, struct ent_err *err)
{
    int rc = 0;

    if (is_due(engine, session, pair, pair->more_at))
        rc = ent_pair_pull_more(engine, session, pair, err);
    if (rc == 0 && is_due(engine, session, pair, pair->show_at))
        rc = ent_pair_show_again(engine, session, pair, err);
    if (rc == 0)
        rc = ent_offer_tick(engine, session, pair, err);
    if (rc < 0)
        return rc;
    if (pair->settle_at == 0 || engine->mono_ms < pair->settle_at)
        return 0;
    pair->settle_at = 0;
    if (!ent_pair_may_have(engine, session, pair))
        return 0;
    if (pair->pulling || pair->postponed || !pair->roster_ok ||
        !pair->heads_got) {
        pair->settle_at = engine->mono_ms + SESSION_SETTLE_MS;
        return 0;
    }
    return ent_pair_settle(engine, session, pair, err);
}

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
        return ent_pair_take_roster_have(engine, session, pair, frame, err);
    if (frame->type == ENT_FRAME_ROSTER)
        return ent_pair_take_roster(engine, session, pair, frame, err);
    /* Content: checked against the roster on every message (S7). */
    if (!ent_pair_may_have(engine, session, pair)) {
        /* Who was a member may not have heard of it when it sent this; and
         * when it is us who are none, nothing of it is ours to judge. */
        if (ent_member_was(engine->store, pair->space, &session->curve) ||
            ent_member_role(engine->store, pair->space,
                            &ent_store_keys(engine->store)->public) ==
                ENT_ROLE_NONE)
            return 0;
        engine_refuse(engine, session,
                      ENT_N_("a message from somebody who is no member"));
        return 0;
    }
    switch (frame->type) {
    case ENT_FRAME_FRONTIER:
        return take_frontier(engine, session, pair, frame, err);
    case ENT_FRAME_WANT:
        return ent_pair_take_want(engine, session, pair, frame, err);
    case ENT_FRAME_RUNS:
        return ent_pair_take_runs(engine, session, pair, frame, err);
    case ENT_FRAME_MORE:
        return ent_pair_take_more(engine, session, pair, frame, err);
    case ENT_FRAME_SETTLED:
        return ent_pair_take_settled(engine, session, pair, frame, err);
    case ENT_FRAME_SAID_HAVE:
        return ent_pair_take_said_have(engine, session, pair, frame, err);
    case ENT_FRAME_SAID:
        return ent_pair_take_said(engine, session, pair, frame, err);
    case ENT_FRAME_NEWS:
        return ent_pair_take_news(engine, session, pair, frame, err);
    case ENT_FRAME_ASIDE:
        return ent_pair_take_aside(engine, session, pair, frame, err);
    case ENT_FRAME_ASIDE_WANT:
        return ent_pair_take_aside_want(engine, session, pair, frame, err);
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
