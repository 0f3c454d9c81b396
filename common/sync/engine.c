/* engine.c - events in, effects out: sessions come and go, frames find their
 * session, members are dialled (engine.h). */
#include "sync/engine.h"

#include <stdlib.h>
#include <string.h>

#include "secure/hash.h"
#include "store/members.h"
#include "sync/session.h"

#define PAUSE_FIRST_MS 500
#define PAUSE_MAX_MS (60 * 60 * 1000) /* between attempts on one member */

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ------------------------------------------------------------------ effects */

const struct ent_effect *ent_effects_next(struct ent_effects *effects)
{
    if (effects->next == effects->count)
        return NULL;
    return &effects->items[effects->next++];
}

static struct ent_effect *effect_new(struct ent_engine *engine,
                                     enum ent_effect_type type)
{
    struct ent_effects *effects = &engine->effects;

    if (effects->count == engine->effect_cap) {
        size_t cap = engine->effect_cap == 0 ? 16 : 2 * engine->effect_cap;
        struct ent_effect *items =
            realloc(effects->items, cap * sizeof(*items));

        if (items == NULL) {
            engine->arena.rc = ENT_ENOMEM;
            return NULL;
        }
        effects->items = items;
        engine->effect_cap = cap;
    }
    effects->items[effects->count] = (struct ent_effect){.type = type};
    return &effects->items[effects->count++];
}

void engine_send(struct ent_engine *engine, const struct session *session,
                 const struct ent_frame *frame)
{
    struct ent_effect *effect;

    if (session->doomed)
        return;
    ent_buf_reset(&engine->frame);
    ent_frame_put(&engine->frame, frame);
    if (engine->frame.rc < 0) {
        engine->arena.rc = ENT_ENOMEM;
        return;
    }
    ENT_ASSERT(engine->frame.len <= ENT_FRAME_BYTES_MAX);
    effect = effect_new(engine, ENT_EFFECT_SEND);
    if (effect == NULL)
        return;
    effect->conn = session->conn;
    effect->frame =
        ent_arena_copy(&engine->arena, ent_buf_slice(&engine->frame));
}

void engine_note(struct ent_engine *engine, enum ent_note note,
                 const struct session *session, const struct pair *pair,
                 int64_t count, const char *text)
{
    struct ent_effect *effect = effect_new(engine, ENT_EFFECT_NOTE);

    if (effect == NULL)
        return;
    effect->note = note;
    effect->count = count;
    effect->text = text == NULL ? NULL : ent_arena_str(&engine->arena, text);
    if (session != NULL) {
        effect->conn = session->conn;
        if (session->known || session->called)
            effect->peer = session->key;
    }
    if (pair != NULL)
        effect->space = pair->id;
}

void engine_doom(struct ent_engine *engine, struct session *session,
                 const char *why)
{
    struct ent_effect *effect;

    if (session->doomed)
        return;
    if (why != NULL)
        engine_note(engine, ENT_NOTE_REFUSED, session, NULL, 0, why);
    session->doomed = true;
    effect = effect_new(engine, ENT_EFFECT_DROP);
    if (effect != NULL)
        effect->conn = session->conn;
}

void engine_refuse(struct ent_engine *engine, struct session *session,
                   const char *why)
{
    if (session->known && !session->doomed &&
        ent_peer_refused(engine->store, &session->key, NULL) < 0)
        engine_note(engine, ENT_NOTE_STORAGE, session, NULL, 0, NULL);
    engine_doom(engine, session, why);
}

void engine_dirty(struct ent_engine *engine, int64_t space)
{
    int64_t *more;

    for (size_t i = 0; i < engine->dirty_count; i++)
        if (engine->dirty[i] == space)
            return;
    more = realloc(engine->dirty,
                   (engine->dirty_count + 1) * sizeof(*engine->dirty));
    if (more == NULL) {
        engine->arena.rc = ENT_ENOMEM;
        return;
    }
    engine->dirty = more;
    engine->dirty[engine->dirty_count++] = space;
}

/* ----------------------------------------------------------------- sessions */

static struct session *session_of(struct ent_engine *engine, uint32_t conn)
{
    for (size_t i = 0; i < engine->session_count; i++)
        if (engine->sessions[i]->conn == conn && !engine->sessions[i]->doomed)
            return engine->sessions[i];
    return NULL;
}

static void session_free(struct session *session)
{
    for (size_t i = 0; i < session->pair_count; i++)
        exchange_fini(&session->pairs[i]);
    free(session->pairs);
    free(session->named);
    free(session);
}

/* The CURVE key of an Ed25519 key, converted once. */
static bool curve_of(struct ent_engine *engine, const struct ent_key *key,
                     struct ent_key *curve)
{
    struct known_key *keys;

    for (size_t i = 0; i < engine->key_count; i++) {
        if (ent_key_equal(&engine->keys[i].key, key)) {
            *curve = engine->keys[i].curve;
            return true;
        }
    }
    if (!ent_key_to_curve(key, curve))
        return false;
    keys = realloc(engine->keys, (engine->key_count + 1) * sizeof(*keys));
    if (keys != NULL) {
        engine->keys = keys;
        keys[engine->key_count++] =
            (struct known_key){.key = *key, .curve = *curve};
    }
    return true;
}

typedef bool member_fn(struct ent_engine *engine, const struct ent_key *key,
                       void *ctx);

/* Every member of every space, until the function says stop. */
static int each_member(struct ent_engine *engine, member_fn *fn, void *ctx,
                       struct ent_err *err)
{
    struct ent_space *spaces;
    size_t space_count;
    bool stop = false;
    int rc = ent_space_list(engine->store, &spaces, &space_count, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < space_count && !stop; i++) {
        struct ent_member *members;
        size_t count;

        /* One that removed us is silent (A5). */
        if (spaces[i].left ||
            (spaces[i].roster_pos > 0 && spaces[i].role == ENT_ROLE_NONE))
            continue;
        rc = ent_member_list(engine->store, spaces[i].space, &members, &count,
                             err);
        if (rc < 0)
            break;
        for (size_t j = 0; j < count && !stop; j++)
            if (!ent_key_equal(&members[j].key,
                               &ent_store_keys(engine->store)->public))
                stop = fn(engine, &members[j].key, ctx);
        free(members);
    }
    free(spaces);
    return rc;
}

static bool is_this_key(struct ent_engine *engine, const struct ent_key *key,
                        void *ctx)
{
    struct session *session = ctx;
    struct ent_key curve;

    if (!curve_of(engine, key, &curve) ||
        !ent_key_equal(&curve, &session->curve))
        return false;
    session->known = true;
    session->key = *key;
    return true;
}

/* Who is behind this CURVE key: a member, or somebody we asked for by key. */
static int recognise(struct ent_engine *engine, struct session *session,
                     struct ent_err *err)
{
    if (session->known)
        return 0;
    return each_member(engine, is_this_key, session, err);
}

static size_t strangers(const struct ent_engine *engine)
{
    size_t count = 0;

    for (size_t i = 0; i < engine->session_count; i++)
        count += !engine->sessions[i]->known && !engine->sessions[i]->dialled &&
                 !engine->sessions[i]->doomed;
    return count;
}

/* Sessions stand in the order they came. */
static struct session *oldest_stranger(struct ent_engine *engine)
{
    size_t at = 0;

    while (engine->sessions[at]->known || engine->sessions[at]->dialled ||
           engine->sessions[at]->doomed)
        at++;
    return engine->sessions[at];
}

static struct call *call_of_conn(struct ent_engine *engine, uint32_t conn)
{
    for (size_t i = 0; i < engine->call_count; i++)
        if (engine->calls[i].conn == conn && conn != 0)
            return &engine->calls[i];
    return NULL;
}

static int take_up(struct ent_engine *engine, const struct ent_event *event,
                   struct ent_err *err)
{
    struct call *call =
        event->dialled ? call_of_conn(engine, event->conn) : NULL;
    struct session **list =
        realloc(engine->sessions,
                (engine->session_count + 1) * sizeof(*engine->sessions));
    struct session *session = calloc(1, sizeof(*session));
    int rc;

    if (list != NULL)
        engine->sessions = list;
    if (list == NULL || session == NULL) {
        free(session);
        return no_memory(err);
    }
    *session = (struct session){.conn = event->conn,
                                .dialled = event->dialled,
                                .curve = event->curve,
                                .since = engine->mono_ms};
    engine->sessions[engine->session_count++] = session;
    /* Also of one with whom nothing is shared any more: the link proves it. */
    session->called = call != NULL && !call->join;
    if (session->called)
        session->key = call->key;
    rc = recognise(engine, session, err);
    if (rc < 0)
        return rc;
    if (session->known)
        engine_note(engine, ENT_NOTE_CONNECTED, session, NULL, 0, NULL);
    else if (!event->dialled && strangers(engine) > SESSION_STRANGERS_MAX)
        engine_doom(engine, oldest_stranger(engine), NULL);
    if (!event->dialled)
        return 0;
    if (call != NULL && call->join)
        return greeting_join(engine, session, &call->invite, err);
    return greeting_hello(engine, session, err);
}

static struct call *call_of_key(struct ent_engine *engine,
                                const struct ent_key *key)
{
    for (size_t i = 0; i < engine->call_count; i++)
        if (!engine->calls[i].join && !engine->calls[i].gone &&
            ent_key_equal(&engine->calls[i].key, key))
            return &engine->calls[i];
    return NULL;
}

static int64_t pause_max(const struct ent_engine *engine)
{
    int64_t most = (int64_t)engine->options.dial_seconds * 1000;

    return most < PAUSE_MAX_MS ? most : PAUSE_MAX_MS;
}

/* The next endpoint, or the next attempt after a while. */
static void call_failed(struct ent_engine *engine, struct call *call)
{
    call->dial = 0;
    call->conn = 0;
    if (call->next < call->endpoint_count) {
        call->due = engine->mono_ms;
        return;
    }
    call->next = 0;
    if (call->wanted || call->join) {
        engine_note(engine, call->join ? ENT_NOTE_JOIN_FAILED : ENT_NOTE_GONE,
                    NULL, NULL, 0,
                    ENT_N_("nobody answers at the endpoints known"));
        if (engine->effects.count > 0)
            engine->effects.items[engine->effects.count - 1].peer = call->key;
    }
    call->wanted = false;
    call->gone = call->join || !engine->options.dial_members;
    /* Soon at first, for a peer that only restarts. */
    call->pause = call->pause == 0 ? PAUSE_FIRST_MS : 2 * call->pause;
    if (call->pause > pause_max(engine))
        call->pause = pause_max(engine);
    call->due = engine->mono_ms + call->pause;
}

static void take_down(struct ent_engine *engine, uint32_t conn)
{
    struct call *call = call_of_conn(engine, conn);

    for (size_t i = 0; i < engine->session_count; i++) {
        struct session *session = engine->sessions[i];

        if (session->conn != conn || session->doomed)
            continue;
        session->doomed = true;
        if (session->known)
            engine_note(engine, ENT_NOTE_GONE, session, NULL, 0, NULL);
        if (call != NULL && session->open)
            call->next = 0;
    }
    if (call != NULL)
        call_failed(engine, call);
}

/* ------------------------------------------------------------------ dialling
 */

static struct call *call_new(struct ent_engine *engine)
{
    struct call *calls =
        realloc(engine->calls, (engine->call_count + 1) * sizeof(*calls));

    if (calls == NULL)
        return NULL;
    engine->calls = calls;
    calls[engine->call_count] = (struct call){.due = engine->mono_ms};
    return &calls[engine->call_count++];
}

static bool has_session(const struct ent_engine *engine,
                        const struct ent_key *key)
{
    for (size_t i = 0; i < engine->session_count; i++)
        if (engine->sessions[i]->known && !engine->sessions[i]->doomed &&
            ent_key_equal(&engine->sessions[i]->key, key))
            return true;
    return false;
}

static bool add_member_call(struct ent_engine *engine,
                            const struct ent_key *key, void *ctx)
{
    struct call *call = call_of_key(engine, key);

    (void)ctx;
    if (call == NULL) {
        call = call_new(engine);
        if (call != NULL)
            call->key = *key;
    }
    if (call != NULL)
        call->member = true;
    return false;
}

/* Every member is called, and nobody who is none any more. */
static int call_members(struct ent_engine *engine, struct ent_err *err)
{
    int rc;

    for (size_t i = 0; i < engine->call_count; i++)
        engine->calls[i].member = false;
    rc = each_member(engine, add_member_call, NULL, err);
    for (size_t i = 0; rc == 0 && i < engine->call_count; i++) {
        struct call *call = &engine->calls[i];

        if (!call->member && !call->wanted && !call->join)
            call->gone = true;
    }
    return rc;
}

static void dial(struct ent_engine *engine, struct call *call)
{
    struct ent_effect *effect;
    struct ent_key curve;

    if (!curve_of(engine, &call->key, &curve)) {
        call->gone = true;
        return;
    }
    effect = effect_new(engine, ENT_EFFECT_DIAL);
    if (effect == NULL)
        return;
    call->dial = ++engine->last_dial;
    effect->dial = call->dial;
    effect->curve = curve;
    effect->endpoint =
        ent_arena_str(&engine->arena, call->endpoints[call->next++]);
}

static int dial_due(struct ent_engine *engine, struct ent_err *err)
{
    int rc = 0;

    if (engine->roster_changed)
        engine->members_called = false;
    if (engine->options.dial_members && !engine->members_called) {
        rc = call_members(engine, err);
        engine->members_called = rc == 0;
    }
    for (size_t i = 0; rc == 0 && i < engine->call_count; i++) {
        struct call *call = &engine->calls[i];

        if (call->gone || call->dial != 0 || call->conn != 0 ||
            engine->mono_ms < call->due)
            continue;
        if (!call->join && !call->wanted && has_session(engine, &call->key)) {
            call->due = engine->mono_ms + engine->options.dial_seconds * 1000;
            call->pause = 0;
            continue;
        }
        if (call->next == 0 && !call->join && call->endpoint_count == 0)
            rc = ent_peer_endpoints(engine->store, &call->key, call->endpoints,
                                    ENT_ENDPOINTS_MAX, &call->endpoint_count,
                                    err);
        if (rc == 0 && call->next < call->endpoint_count)
            dial(engine, call);
        else if (rc == 0)
            call_failed(engine, call);
        /* Known endpoints change: they are looked up for every attempt. */
        if (!call->join && !call->wanted && call->next >= call->endpoint_count)
            call->endpoint_count = call->dial != 0 ? call->endpoint_count : 0;
    }
    return rc;
}

static void sweep(struct ent_engine *engine)
{
    size_t kept = 0;

    for (size_t i = 0; i < engine->call_count; i++)
        if (!engine->calls[i].gone)
            engine->calls[kept++] = engine->calls[i];
    engine->call_count = kept;
    kept = 0;
    for (size_t i = 0; i < engine->session_count; i++) {
        struct session *session = engine->sessions[i];
        struct call *call;

        if (!session->doomed) {
            engine->sessions[kept++] = session;
            continue;
        }
        exchange_release(engine, session->conn, 0);
        call = call_of_conn(engine, session->conn);
        if (call != NULL) {
            call->conn = 0;
            call->dial = 0;
            call->next = 0;
            call->endpoint_count = call->join ? call->endpoint_count : 0;
            call->due = engine->mono_ms + PAUSE_FIRST_MS;
            call->gone = !engine->options.dial_members;
        }
        session_free(session);
    }
    engine->session_count = kept;
}

void ent_engine_dialled(struct ent_engine *engine, uint32_t dial_number,
                        uint32_t conn)
{
    for (size_t i = 0; i < engine->call_count; i++)
        if (engine->calls[i].dial == dial_number)
            engine->calls[i].conn = conn;
}

int ent_engine_call(struct ent_engine *engine, const struct ent_key *key,
                    const char *endpoint, struct ent_err *err)
{
    struct call *call = call_of_key(engine, key);

    if (call == NULL)
        call = call_new(engine);
    if (call == NULL)
        return no_memory(err);
    call->key = *key;
    call->wanted = true;
    call->due = 0;
    call->next = 0;
    call->endpoint_count = 0;
    if (endpoint == NULL)
        return 0;
    if (strlen(endpoint) > ENT_ENDPOINT_MAX)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("the endpoint %s is too long"), endpoint);
    memcpy(call->endpoints[0], endpoint, strlen(endpoint) + 1);
    call->endpoint_count = 1;
    return 0;
}

int ent_engine_join(struct ent_engine *engine, const char *line, int64_t now_ms,
                    struct ent_err *err)
{
    struct ent_invite invite;
    struct call *call;
    int rc = ent_invite_parse(line, &invite, err);

    if (rc < 0)
        return rc;
    if (invite.expires_ms < now_ms)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("the invitation has expired; ask for "
                                  "another"));
    if (ent_key_equal(&invite.chair, &ent_store_keys(engine->store)->public))
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("this node itself made the invitation"));
    if (invite.endpoint_count == 0)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("the invitation names no endpoint to dial"));
    call = call_new(engine);
    if (call == NULL)
        return no_memory(err);
    call->join = true;
    call->key = invite.chair;
    call->invite = invite;
    call->due = 0;
    call->endpoint_count = invite.endpoint_count;
    memcpy(call->endpoints, invite.endpoints, sizeof(call->endpoints));
    return 0;
}

/* ------------------------------------------------------------------- events */

static int take_frame(struct ent_engine *engine, struct session *session,
                      struct ent_slice bytes, struct ent_err *err)
{
    struct ent_frame frame;
    struct ent_err said = {0};
    int rc;

    if (!session->known && ++session->frames > SESSION_STRANGER_FRAMES) {
        engine_doom(engine, session, NULL);
        return 0;
    }
    rc = ent_frame_get(bytes, &engine->arena, &frame, &said);
    if (rc == ENT_EREFUSED) {
        engine_refuse(engine, session, said.text);
        return 0;
    }
    if (rc < 0)
        return ent_err_set(err, rc, "%s", said.text);
    if (frame.type == ENT_FRAME_HELLO || frame.type == ENT_FRAME_WELCOME ||
        frame.type == ENT_FRAME_JOIN || frame.type == ENT_FRAME_JOINED)
        return greeting_take(engine, session, &frame, err);
    if (!session->open) {
        engine_refuse(engine, session, ENT_N_("no hello came first"));
        return 0;
    }
    return exchange_take(engine, session, &frame, err);
}

/* Trouble of our own with one session: it ends and is dialled again later;
 * others go on. */
static int survive(struct ent_engine *engine, struct session *session, int rc,
                   struct ent_err *err)
{
    if (rc == 0 || rc == ENT_ENOMEM)
        return rc;
    engine_note(engine, ENT_NOTE_STORAGE, session, NULL, 0,
                err != NULL ? err->text : NULL);
    if (session != NULL)
        engine_doom(engine, session, NULL);
    return 0;
}

/* A commit of this node's may be a roster entry, or a space joined or left. */
static int take_local(struct ent_engine *engine, struct ent_err *err)
{
    struct ent_space *spaces;
    struct ent_buf heads = {0};
    struct ent_hash8 rosters;
    size_t count;
    int rc = ent_space_list(engine->store, &spaces, &count, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        engine_dirty(engine, spaces[i].space);
        ent_buf_put(&heads, spaces[i].id.b, ENT_ID_BYTES);
        ent_buf_put(&heads, spaces[i].roster_head.b, ENT_HASH_BYTES);
        ent_buf_put_u8(&heads, spaces[i].left);
    }
    free(spaces);
    rosters = ent_hash8_of(ent_buf_slice(&heads));
    if (heads.rc < 0 || !ent_hash8_equal(&rosters, &engine->rosters))
        engine->roster_changed = true;
    engine->rosters = rosters;
    ent_buf_fini(&heads);
    return 0;
}

static bool overdue(const struct ent_engine *engine,
                    const struct session *session)
{
    if (!session->open)
        return engine->mono_ms - session->since > SESSION_HELLO_MS;
    if (!session->known && !session->dialled)
        return engine->mono_ms - session->since > SESSION_STRANGER_MS;
    for (size_t i = 0; i < session->pair_count; i++)
        if ((session->pairs[i].pulling &&
             engine->mono_ms - session->pairs[i].pull_at > SESSION_PULL_MS) ||
            ent_offer_is_overdue(engine, &session->pairs[i]))
            return true;
    return session->waiting != 0 &&
           engine->mono_ms - session->waiting > SESSION_PULL_MS;
}

static int take_tick(struct ent_engine *engine)
{
    for (size_t i = 0; i < engine->session_count; i++) {
        struct session *session = engine->sessions[i];

        if (!session->doomed && overdue(engine, session))
            engine_doom(engine, session, ENT_N_("no answer for too long"));
        for (size_t j = 0; j < session->pair_count; j++) {
            const struct pair *pair = &session->pairs[j];

            /* It may answer yet; others need not wait for it (S6). */
            if (pair->pulling &&
                engine->mono_ms - pair->pull_at > SESSION_SHARE_MS)
                exchange_release(engine, session->conn, pair->space);
        }
    }
    return 0;
}

/* -------------------------------------------------------- after every event */

static bool is_dirty(const struct ent_engine *engine, int64_t space)
{
    for (size_t i = 0; i < engine->dirty_count; i++)
        if (engine->dirty[i] == space)
            return true;
    return false;
}

/* Rosters changed: greet those who share more with us now, and show the new
 * roster to everybody else. */
static int spread_roster(struct ent_engine *engine, struct session *session,
                         struct ent_err *err)
{
    bool was_known = session->known;
    int rc = recognise(engine, session, err);
    /* A stranger that turned out to be a member got rosters only so far. */
    bool anew = session->known && !was_known;

    if (rc < 0 || !session->open)
        return rc;
    for (size_t i = 0; rc == 0 && i < session->pair_count; i++) {
        struct pair *pair = &session->pairs[i];
        struct ent_digest digest;
        struct ent_hash8 own;

        if (session->known && pair->open_sent && pair->leaving_at == 0 &&
            !pair->stranger && !ent_pair_may_have(engine, session, pair))
            pair->leaving_at = engine->mono_ms;
        pair->stranger = !ent_pair_may_have(engine, session, pair);
        if (pair->stranger) {
            pair->show_at = 0;
            pair->offer.made = pair->offer.asked = false;
        } else {
            pair->leaving_at = 0;
        }
        rc = ent_digest_read(engine->store, pair->space, &digest, err);
        if (rc < 0 || (!anew && ent_hash_equal(&digest.roster, &pair->roster)))
            continue;
        /* Content waits until the peer has the new one (S3). */
        pair->roster_ok =
            pair->roster_ok && ent_hash_equal(&digest.roster, &pair->roster);
        pair->roster = digest.roster;
        /* The peer begins, if it knows the space at all. */
        if (!pair->open_sent)
            continue;
        rc = exchange_open(engine, session, pair, err);
        /* What came from a third node is what this one has, or nothing changed
         * but who the peer is: it will not say so again. */
        own = ent_hash_head(&digest.roster);
        if (rc == 0 &&
            (pair->roster_ok || ent_hash8_equal(&own, &pair->their_roster8)))
            rc = ent_pair_roster_settled(engine, session, pair, err);
    }
    if (rc == 0)
        rc = greeting_again(engine, session, err);
    return rc;
}

/* A peer that shares nothing with us any more goes, once it has the roster that
 * says so, or had its time to take it (A5). */
static void take_leave(struct ent_engine *engine, struct session *session)
{
    bool leaves = false;

    for (size_t i = 0; i < session->pair_count; i++) {
        const struct pair *pair = &session->pairs[i];

        leaves =
            leaves || (pair->leaving_at != 0 &&
                       ((pair->roster_ok && pair->done) ||
                        engine->mono_ms - pair->leaving_at > SESSION_LEAVE_MS));
    }
    for (size_t i = 0; i < session->pair_count && leaves; i++)
        leaves = !ent_pair_may_have(engine, session, &session->pairs[i]);
    if (leaves)
        engine_doom(engine, session, NULL);
}

/* With a member everything of a space was exchanged, both ways. */
static int note_met(struct ent_engine *engine, struct session *session,
                    struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < session->pair_count; i++) {
        const struct pair *pair = &session->pairs[i];

        /* Not one that the peer has not begun. */
        if (pair->done && pair->settled_sent && pair->settled_got &&
            ent_pair_may_have(engine, session, pair))
            rc = ent_space_met(engine->store, pair->space, err);
    }
    return rc;
}

static int after_session(struct ent_engine *engine, struct session *session,
                         bool freed, struct ent_err *err)
{
    bool done = session->open;
    int rc = 0;

    if (engine->roster_changed)
        rc = spread_roster(engine, session, err);
    for (size_t i = 0; rc == 0 && i < session->pair_count; i++) {
        struct pair *pair = &session->pairs[i];

        if (!session->open)
            continue;
        if (is_dirty(engine, pair->space))
            rc = exchange_news(engine, session, pair, err);
        if (rc == 0)
            rc = exchange_tick(engine, session, pair, err);
        if (rc == 0 && freed && !pair->pulling && !pair->done)
            rc = exchange_pull(engine, session, pair, err);
    }
    for (size_t i = 0; i < session->pair_count; i++)
        done = done && session->pairs[i].done;
    if (rc == 0)
        take_leave(engine, session);
    if (rc == 0 && done && !session->noted_done) {
        rc = note_met(engine, session, err);
        if (rc == 0)
            rc = ent_session_count_sent(engine, session, err);
        engine_note(engine, ENT_NOTE_DONE, session, NULL, 0, NULL);
    }
    session->noted_done = done;
    return rc;
}

static int after(struct ent_engine *engine, struct ent_err *err)
{
    bool freed;
    int rc = 0;

    /* What a session that ended was fetching is free for the others. */
    sweep(engine);
    freed = engine->freed;
    engine->freed = false;
    for (size_t i = 0; rc == 0 && i < engine->session_count; i++) {
        struct session *session = engine->sessions[i];

        if (!session->doomed)
            rc = survive(engine, session,
                         after_session(engine, session, freed, err), err);
    }
    if (rc == 0)
        rc = survive(engine, NULL, dial_due(engine, err), err);
    engine->dirty_count = 0;
    engine->roster_changed = false;
    return rc;
}

static int take_event(struct ent_engine *engine, const struct ent_event *event,
                      struct ent_err *err)
{
    struct session *session = session_of(engine, event->conn);

    switch (event->type) {
    case ENT_EVENT_UP:
        return survive(engine, NULL, take_up(engine, event, err), err);
    case ENT_EVENT_DOWN:
        take_down(engine, event->conn);
        return 0;
    case ENT_EVENT_FRAME:
        if (session == NULL)
            return 0;
        return survive(engine, session,
                       take_frame(engine, session, event->frame, err), err);
    case ENT_EVENT_TICK:
        return take_tick(engine);
    case ENT_EVENT_LOCAL:
        return survive(engine, NULL, take_local(engine, err), err);
    case ENT_EVENT_ROOM:
        return 0;
    }
    return 0;
}

int ent_engine_step(struct ent_engine *engine, const struct ent_event *event,
                    struct ent_effects *effects, struct ent_err *err)
{
    struct ent_err local = {0};
    int rc;

    engine->event = event;
    engine->now_ms = event->now_ms;
    engine->mono_ms = event->mono_ms;
    engine->effects.count = 0;
    engine->effects.next = 0;
    ent_arena_reset(&engine->arena);
    rc = take_event(engine, event, &local);
    if (rc == 0)
        rc = after(engine, &local);
    if (rc == 0 && engine->arena.rc < 0)
        rc = ent_err_set(&local, ENT_ENOMEM, ENT_N_("out of memory"));
    if (rc < 0 && err != NULL)
        *err = local;
    *effects = engine->effects;
    return rc;
}

/* ----------------------------------------------------------------- lifetime */

int ent_engine_new(struct ent_store *store, struct ent_rand *rand,
                   const struct ent_engine_options *options,
                   struct ent_engine **engine, struct ent_err *err)
{
    struct ent_engine *made = calloc(1, sizeof(*made));

    if (made == NULL)
        return no_memory(err);
    made->store = store;
    made->rand = rand;
    made->options = *options;
    if (made->options.dial_seconds <= 0)
        made->options.dial_seconds = 60;
    *engine = made;
    return 0;
}

void ent_engine_free(struct ent_engine *engine)
{
    if (engine == NULL)
        return;
    for (size_t i = 0; i < engine->session_count; i++)
        session_free(engine->sessions[i]);
    free(engine->sessions);
    free(engine->calls);
    free(engine->flights);
    free(engine->keys);
    free(engine->dirty);
    free(engine->effects.items);
    ent_buf_fini(&engine->frame);
    ent_arena_fini(&engine->arena);
    free(engine);
}

int64_t ent_engine_wake_ms(const struct ent_engine *engine)
{
    int64_t wake = engine->mono_ms + ENT_ENGINE_TICK_MS;

    for (size_t i = 0; i < engine->session_count; i++)
        for (size_t j = 0; j < engine->sessions[i]->pair_count; j++) {
            int64_t at = engine->sessions[i]->pairs[j].settle_at;

            if (at != 0 && at < wake)
                wake = at;
        }
    for (size_t i = 0; i < engine->call_count; i++)
        if (engine->calls[i].dial == 0 && engine->calls[i].due < wake)
            wake = engine->calls[i].due;
    return wake;
}

size_t ent_engine_sessions(const struct ent_engine *engine)
{
    size_t count = 0;

    for (size_t i = 0; i < engine->session_count; i++)
        count += engine->sessions[i]->known && engine->sessions[i]->open;
    return count;
}

bool ent_engine_quiet(const struct ent_engine *engine)
{
    for (size_t i = 0; i < engine->session_count; i++) {
        const struct session *session = engine->sessions[i];

        if (!session->open)
            return false;
        for (size_t j = 0; j < session->pair_count; j++)
            if (!session->pairs[j].done || session->pairs[j].settle_at != 0 ||
                session->pairs[j].show_at != 0)
                return false;
    }
    return true;
}
