/* greeting.c - hello, welcome and joining: who shares what (rules S2, A5, A7).
 * A space is shown as a tag that only somebody who knows its id can make, and
 * a digest over everything in it: a session with nothing to do ends here. */
#include <stdlib.h>
#include <string.h>

#include "secure/hash.h"
#include "store/erase.h"
#include "sync/session.h"

#define SLOT 16 /* bytes of tag and digest */

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

static struct ent_hash8 space_tag(struct ent_engine *engine,
                                  const struct session *session,
                                  const struct ent_id *space)
{
    const struct ent_key *own = &ent_store_keys(engine->store)->curve_public;
    uint8_t message[ENT_ID_BYTES + 2 * ENT_KEY_BYTES + 8];
    uint8_t *at = message;

    memcpy(at, space->b, ENT_ID_BYTES);
    at += ENT_ID_BYTES;
    /* The dialler's key first. */
    memcpy(at, session->dialled ? own->b : session->curve.b, ENT_KEY_BYTES);
    at += ENT_KEY_BYTES;
    memcpy(at, session->dialled ? session->curve.b : own->b, ENT_KEY_BYTES);
    at += ENT_KEY_BYTES;
    memcpy(at, session->nonce, 8);
    return ent_hash8_of(ent_slice(message, sizeof(message)));
}

/* Over roster, entries, state, and what nodes signed that they hold. */
static int space_digest(struct ent_engine *engine,
                        const struct session *session, int64_t space,
                        struct ent_hash8 *digest8, struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_buf all = {0};
    struct ent_digest digest;
    struct ent_said *said;
    size_t count;
    int wanted;
    int rc = ent_said_update(engine->store, space, engine->now_ms, err);

    if (rc == 0)
        rc = ent_digest_read(engine->store, space, &digest, err);
    if (rc == 0)
        rc = ent_said_list(engine->store, space, &arena, &said, &count, err);
    if (rc == 0) {
        ent_buf_put(&all, digest.roster.b, ENT_HASH_BYTES);
        ent_buf_put(&all, digest.entries.b, ENT_HASH_BYTES);
        ent_buf_put(&all, digest.state, sizeof(digest.state));
        for (size_t i = 0; i < count; i++)
            ent_buf_put(&all, said[i].sig.b, ENT_SIG_BYTES);
        /* Who lacks values that were not erased is never done (E3). */
        wanted = ent_wanted_due(engine->store, space, &session->key,
                                engine->now_ms, err);
        rc = wanted < 0 ? wanted : 0;
        if (wanted > 0)
            ent_buf_put(&all, ent_store_keys(engine->store)->public.b,
                        ENT_KEY_BYTES);
        if (rc == 0 && all.rc < 0)
            rc = no_memory(err);
        *digest8 = ent_hash8_of(ent_buf_slice(&all));
    }
    ent_buf_fini(&all);
    ent_arena_fini(&arena);
    return rc;
}

static struct pair *pair_of(struct session *session, int64_t space)
{
    for (size_t i = 0; i < session->pair_count; i++)
        if (session->pairs[i].space == space)
            return &session->pairs[i];
    return NULL;
}

static int pair_make(struct session *session, const struct ent_space *space,
                     const struct ent_hash8 *tag, struct pair **made,
                     struct ent_err *err)
{
    struct pair *pairs =
        realloc(session->pairs, (session->pair_count + 1) * sizeof(*pairs));

    if (pairs == NULL)
        return no_memory(err);
    session->pairs = pairs;
    *made = &pairs[session->pair_count++];
    **made = (struct pair){.space = space->space, .id = space->id, .tag = *tag};
    return 0;
}

static bool is_shared(struct ent_engine *engine, const struct session *session,
                      const struct ent_space *space)
{
    return !space->left && session->known &&
           ent_member_shares(engine->store, space->space, &session->key);
}

static bool greeting_is_due(struct ent_engine *engine, struct session *session)
{
    struct ent_space *spaces;
    size_t count;
    bool due = false;

    if (!session->known ||
        ent_space_list(engine->store, &spaces, &count, NULL) < 0)
        return false;
    for (size_t i = 0; i < count && !due; i++)
        due = is_shared(engine, session, &spaces[i]) &&
              pair_of(session, spaces[i].space) == NULL;
    free(spaces);
    return due;
}

static int put_slot(struct ent_engine *engine, const struct session *session,
                    const struct ent_space *space, struct ent_buf *slots,
                    struct ent_hash8 *digest, struct ent_err *err)
{
    struct ent_hash8 tag = space_tag(engine, session, &space->id);
    int rc = space_digest(engine, session, space->space, digest, err);

    if (rc < 0)
        return rc;
    ent_buf_put(slots, tag.b, ENT_HASH8_BYTES);
    ent_buf_put(slots, digest->b, ENT_HASH8_BYTES);
    return 0;
}

int greeting_hello(struct ent_engine *engine, struct session *session,
                   struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_HELLO,
                              .version = ENT_PROTOCOL_VERSION,
                              .time_ms = engine->now_ms};
    struct ent_buf slots = {0};
    struct ent_space *spaces;
    size_t count;
    int rc = ent_space_list(engine->store, &spaces, &count, err);

    if (rc < 0)
        return rc;
    if (session->dialled && !session->open)
        ent_rand_bytes(engine->rand, session->nonce, sizeof(session->nonce));
    memcpy(frame.nonce, session->nonce, sizeof(frame.nonce));
    free(session->named);
    session->named = calloc(count + 1, sizeof(*session->named));
    session->named_count = 0;
    if (session->named == NULL)
        rc = no_memory(err);
    for (size_t i = 0;
         rc == 0 && i < count && slots.len < ENT_HELLO_SPACES_MAX * SLOT; i++) {
        struct named *named = &session->named[session->named_count];

        if (!is_shared(engine, session, &spaces[i]) ||
            pair_of(session, spaces[i].space) != NULL)
            continue;
        rc = put_slot(engine, session, &spaces[i], &slots, &named->digest, err);
        named->space = spaces[i].space;
        session->named_count++;
    }
    free(spaces);
    frame.digests = ent_buf_slice(&slots);
    if (rc == 0 && slots.rc < 0)
        rc = no_memory(err);
    if (rc == 0) {
        engine_send(engine, session, &frame);
        session->waiting = engine->mono_ms;
    }
    ent_buf_fini(&slots);
    return rc;
}

int greeting_again(struct ent_engine *engine, struct session *session,
                   struct ent_err *err)
{
    session->greet_again = false;
    if (!greeting_is_due(engine, session))
        return 0;
    /* A welcome answers the spaces of the last hello by their order: one hello
     * is under way at a time. */
    if (session->named != NULL) {
        session->greet_again = true;
        return 0;
    }
    return greeting_hello(engine, session, err);
}

/* The peer's clock against ours, and that we heard of it (M12). */
static int heard(struct ent_engine *engine, struct session *session,
                 int64_t offset_ms, struct ent_err *err)
{
    if (!session->known)
        return 0;
    if (offset_ms > ENT_CLOCK_ODD_MS || offset_ms < -ENT_CLOCK_ODD_MS)
        engine_note(engine, ENT_NOTE_CLOCK, session, NULL, offset_ms, NULL);
    return ent_peer_heard(engine->store, &session->key, engine->now_ms,
                          offset_ms, err);
}

static struct ent_space *space_tagged(struct ent_engine *engine,
                                      const struct session *session,
                                      struct ent_space *spaces, size_t count,
                                      const uint8_t *tag)
{
    for (size_t i = 0; i < count; i++) {
        struct ent_hash8 own = space_tag(engine, session, &spaces[i].id);

        if (!spaces[i].left && memcmp(own.b, tag, ENT_HASH8_BYTES) == 0)
            return &spaces[i];
    }
    return NULL;
}

/* One space of the peer's: equal, or a pair that has work to do. A tag alone
 * proves knowledge of the space's id; what it opens beyond the roster is
 * decided by the roster (A5). Without `compared` the other side does not learn
 * of our digest and waits for us to open. */
static int take_slot(struct ent_engine *engine, struct session *session,
                     struct ent_space *spaces, size_t count,
                     const uint8_t *slot, bool compared,
                     enum ent_answer *answer, struct ent_err *err)
{
    struct ent_space *space =
        space_tagged(engine, session, spaces, count, slot);
    struct ent_hash8 tag;
    struct ent_hash8 digest;
    struct pair *pair = NULL;
    int rc;

    *answer = ENT_ANSWER_UNKNOWN;
    if (space == NULL)
        return 0;
    memcpy(tag.b, slot, ENT_HASH8_BYTES);
    rc = space_digest(engine, session, space->space, &digest, err);
    if (rc < 0)
        return rc;
    *answer = memcmp(digest.b, slot + ENT_HASH8_BYTES, ENT_HASH8_BYTES) == 0
                  ? ENT_ANSWER_EQUAL
                  : ENT_ANSWER_DIFFERS;
    /* A chair that found us equal would part before it is offered anything. */
    if (compared && *answer == ENT_ANSWER_EQUAL &&
        ent_offer_is_due(engine, session, space->space))
        *answer = ENT_ANSWER_DIFFERS;
    pair = pair_of(session, space->space);
    if (pair == NULL)
        rc = pair_make(session, space, &tag, &pair, err);
    if (rc < 0)
        return rc;
    /* Also one that has begun: the peer did not know the space then, and what
     * we said of it was lost; or the hellos crossed, and it is said twice. */
    pair->opened = pair->done = false;
    pair->equal = compared && *answer == ENT_ANSWER_EQUAL;
    return 0;
}

/* Spaces we share by our rosters that the hello did not name. */
static int put_others(struct ent_engine *engine, struct session *session,
                      struct ent_space *spaces, size_t count,
                      struct ent_buf *slots, struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_hash8 tag = space_tag(engine, session, &spaces[i].id);
        struct ent_hash8 digest;
        struct pair *pair = NULL;

        if (!is_shared(engine, session, &spaces[i]) ||
            pair_of(session, spaces[i].space) != NULL ||
            slots->len >= ENT_HELLO_SPACES_MAX * SLOT)
            continue;
        rc = put_slot(engine, session, &spaces[i], slots, &digest, err);
        if (rc == 0)
            rc = pair_make(session, &spaces[i], &tag, &pair, err);
        /* The peer begins, if it knows the space at all. */
        if (rc == 0)
            pair->opened = pair->done = true;
    }
    return rc;
}

/* Everything that differs begins. */
static int open_pairs(struct ent_engine *engine, struct session *session,
                      struct ent_err *err)
{
    int rc = 0;

    session->open = true;
    if (!session->known && session->pair_count == 0)
        engine_note(engine, ENT_NOTE_STRANGER, session, NULL, 0, NULL);
    for (size_t i = 0; rc == 0 && i < session->pair_count; i++) {
        struct pair *pair = &session->pairs[i];

        if (pair->opened)
            continue;
        pair->opened = true;
        rc = pair->equal ? exchange_equal(engine, session, pair, err)
                         : exchange_open(engine, session, pair, err);
    }
    return rc;
}

static int take_hello(struct ent_engine *engine, struct session *session,
                      const struct ent_frame *frame, struct ent_err *err)
{
    struct ent_frame answer = {.type = ENT_FRAME_WELCOME,
                               .version = ENT_PROTOCOL_VERSION,
                               .time_ms = engine->now_ms - frame->time_ms};
    size_t slots = frame->digests.len / SLOT;
    uint8_t bits[ENT_HELLO_SPACES_MAX / 4] = {0};
    struct ent_buf others = {0};
    struct ent_space *spaces;
    size_t count;
    int rc;

    if (!session->open)
        memcpy(session->nonce, frame->nonce, sizeof(session->nonce));
    rc = heard(engine, session, frame->time_ms - engine->now_ms, err);
    if (rc == 0)
        rc = ent_space_list(engine->store, &spaces, &count, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < slots; i++) {
        enum ent_answer each = ENT_ANSWER_UNKNOWN;

        rc = take_slot(engine, session, spaces, count,
                       frame->digests.at + i * SLOT, true, &each, err);
        bits[i / 4] = (uint8_t)(bits[i / 4] | (unsigned)each << (i % 4 * 2));
    }
    if (rc == 0)
        rc = put_others(engine, session, spaces, count, &others, err);
    free(spaces);
    answer.answers = ent_slice(bits, (slots + 3) / 4);
    answer.digests = ent_buf_slice(&others);
    if (rc == 0 && others.rc < 0)
        rc = no_memory(err);
    if (rc == 0)
        engine_send(engine, session, &answer);
    ent_buf_fini(&others);
    return rc == 0 ? open_pairs(engine, session, err) : rc;
}

static const struct ent_space *space_numbered(const struct ent_space *spaces,
                                              size_t count, int64_t number)
{
    for (size_t i = 0; i < count; i++)
        if (spaces[i].space == number)
            return &spaces[i];
    return NULL;
}

/* The peer holds what our hello said; do we still? */
static int take_answer(struct ent_engine *engine, struct session *session,
                       const struct ent_space *space, const struct named *named,
                       enum ent_answer answer, struct ent_err *err)
{
    struct ent_hash8 tag = space_tag(engine, session, &space->id);
    struct ent_hash8 now;
    struct pair *pair = NULL;
    int rc = space_digest(engine, session, space->space, &now, err);

    if (rc == 0)
        rc = pair_make(session, space, &tag, &pair, err);
    if (rc == 0)
        pair->equal =
            answer == ENT_ANSWER_EQUAL && ent_hash8_equal(&now, &named->digest);
    return rc;
}

/* The answer to our hello: which of the spaces we named are equal. */
static int take_welcome(struct ent_engine *engine, struct session *session,
                        const struct ent_frame *frame, struct ent_err *err)
{
    struct ent_space *spaces;
    size_t count;
    int rc = heard(engine, session, frame->time_ms, err);

    session->waiting = 0;
    if (rc == 0)
        rc = ent_space_list(engine->store, &spaces, &count, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0;
         rc == 0 && i < session->named_count && i / 4 < frame->answers.len;
         i++) {
        const struct named *named = &session->named[i];
        const struct ent_space *space =
            space_numbered(spaces, count, named->space);
        enum ent_answer answer =
            (enum ent_answer)(frame->answers.at[i / 4] >> (i % 4 * 2) & 3);

        if (space != NULL && answer != ENT_ANSWER_UNKNOWN &&
            pair_of(session, named->space) == NULL)
            rc = take_answer(engine, session, space, named, answer, err);
    }
    for (size_t i = 0; rc == 0 && i < frame->digests.len / SLOT; i++) {
        enum ent_answer ignored;

        rc = take_slot(engine, session, spaces, count,
                       frame->digests.at + i * SLOT, false, &ignored, err);
    }
    free(spaces);
    free(session->named);
    session->named = NULL;
    session->named_count = 0;
    if (rc == 0)
        rc = open_pairs(engine, session, err);
    if (rc == 0 && session->greet_again)
        rc = greeting_again(engine, session, err);
    return rc;
}

/* --------------------------------------------------------------------- join */

int greeting_join(struct ent_engine *engine, struct session *session,
                  const struct ent_invite *invite, struct ent_err *err)
{
    const struct ent_keys *keys = ent_store_keys(engine->store);
    struct ent_frame frame = {.type = ENT_FRAME_JOIN,
                              .space = invite->space,
                              .key = keys->public,
                              .text =
                                  ent_slice_str(ent_store_org(engine->store))};

    (void)err;
    ent_invite_prove(invite, &keys->public, &frame.invite, &frame.proof);
    engine_send(engine, session, &frame);
    session->waiting = engine->mono_ms;
    return 0;
}

static int put_all_roster(struct ent_engine *engine, int64_t space,
                          struct ent_arena *arena, struct ent_frame *frame,
                          struct ent_err *err)
{
    struct ent_hash *hashes;
    size_t bytes = 0;
    size_t count;
    int rc = ent_roster_hashes(engine->store, space, &hashes, &count, err);

    if (rc < 0)
        return rc;
    frame->roster = ENT_ARENA_NEW(arena, struct ent_frame_roster, count);
    if (frame->roster == NULL)
        rc = no_memory(err);
    for (size_t i = 0; rc == 0 && i < count && bytes < SESSION_JOIN_BYTES;
         i++) {
        struct ent_roster_bytes entry;

        rc = ent_roster_read(engine->store, space, &hashes[i], arena, &entry,
                             err);
        if (rc < 0)
            break;
        bytes += entry.header.len + entry.body.len + ENT_SIG_BYTES;
        frame->roster[frame->roster_count++] = (struct ent_frame_roster){
            .header = entry.header,
            .sig = ent_arena_copy(arena, ent_slice(entry.sig.b, ENT_SIG_BYTES)),
            .body = entry.body};
    }
    free(hashes);
    return rc;
}

static bool text_of(struct ent_slice text, char *to, size_t size)
{
    if (text.len >= size || memchr(text.at, '\0', text.len) != NULL)
        return false;
    memcpy(to, text.at, text.len);
    to[text.len] = '\0';
    return true;
}

static int take_join(struct ent_engine *engine, struct session *session,
                     const struct ent_frame *frame, struct ent_err *err)
{
    struct ent_frame answer = {.type = ENT_FRAME_JOINED, .space = frame->space};
    struct ent_request request = {.space = frame->space,
                                  .invite = frame->invite,
                                  .proof = frame->proof,
                                  .key = frame->key};
    enum ent_refusal why;
    struct ent_arena arena = {0};
    struct ent_err said = {0};
    struct ent_key curve;
    int64_t space;
    int rc = 0;

    if (!ent_key_to_curve(&frame->key, &curve) ||
        !ent_key_equal(&curve, &session->curve) ||
        !text_of(frame->text, request.org, sizeof(request.org))) {
        engine_refuse(engine, session,
                      ENT_N_("a request to join that does not belong to its "
                             "sender"));
        return 0;
    }
    rc =
        ent_invite_answer(engine->store, &request, engine->now_ms, &why, &said);
    if (rc == ENT_ESTORE || rc == ENT_ENOMEM) {
        *err = said;
        return rc;
    }
    answer.admitted = rc == 0;
    if (rc == 0) {
        session->known = true;
        session->key = frame->key;
        rc = ent_space_find_id(engine->store, &frame->space, &space, err);
        if (rc == 0)
            rc = put_all_roster(engine, space, &arena, &answer, err);
        engine->roster_changed = true;
        if (rc == 0)
            engine_note(engine, ENT_NOTE_ADMITTED, session,
                        &(struct pair){.id = frame->space}, 0, NULL);
    } else {
        answer.text = ent_slice_str(ent_refusal_word(why));
        rc = 0;
    }
    if (rc == 0)
        engine_send(engine, session, &answer);
    ent_arena_fini(&arena);
    return rc;
}

static struct call *join_of(struct ent_engine *engine,
                            const struct session *session)
{
    for (size_t i = 0; i < engine->call_count; i++)
        if (engine->calls[i].join && engine->calls[i].conn == session->conn)
            return &engine->calls[i];
    return NULL;
}

static int take_joined(struct ent_engine *engine, struct session *session,
                       const struct ent_frame *frame, struct ent_err *err)
{
    struct call *call = join_of(engine, session);
    struct ent_roster_bytes *entries;
    struct ent_taken taken;
    int64_t space;
    bool held;
    int rc;

    if (call == NULL || !ent_id_equal(&call->invite.space, &frame->space)) {
        engine_refuse(engine, session,
                      ENT_N_("an answer to nothing that was asked"));
        return 0;
    }
    session->waiting = 0;
    call->gone = true;
    if (!frame->admitted) {
        engine_note(engine, ENT_NOTE_JOIN_FAILED, session, NULL, 0,
                    ent_refusal_text(frame->text));
        engine_doom(engine, session, NULL);
        return 0;
    }
    entries = ENT_ARENA_NEW(&engine->arena, struct ent_roster_bytes,
                            frame->roster_count);
    if (entries == NULL)
        return no_memory(err);
    for (size_t i = 0; i < frame->roster_count; i++) {
        entries[i].header = frame->roster[i].header;
        memcpy(entries[i].sig.b, frame->roster[i].sig.at, ENT_SIG_BYTES);
        entries[i].body = frame->roster[i].body;
    }
    held = ent_space_find_id(engine->store, &frame->space, &space, NULL) == 0;
    rc = ent_space_expect(engine->store, &call->invite, &space, err);
    if (rc == 0)
        rc = ent_roster_take(engine->store, space, entries, frame->roster_count,
                             engine->now_ms, &taken, err);
    if (rc == 0 && ent_member_role(engine->store, space,
                                   &ent_store_keys(engine->store)->public) ==
                       ENT_ROLE_NONE) {
        rc = ent_space_leave(engine->store, space, !held, err);
        engine_note(engine, ENT_NOTE_JOIN_FAILED, session, NULL, 0,
                    ENT_N_("the answer holds no roster that admits this "
                           "node"));
        engine_doom(engine, session, NULL);
        return rc;
    }
    if (rc == 0 && call->next > 0)
        rc = ent_peer_add(engine->store, &call->key,
                          call->endpoints[call->next - 1], err);
    if (rc < 0)
        return rc;
    session->known = true;
    session->key = call->key;
    engine->roster_changed = true;
    engine_note(engine, ENT_NOTE_JOINED, session,
                &(struct pair){.id = frame->space}, 0, NULL);
    return greeting_hello(engine, session, err);
}

int greeting_take(struct ent_engine *engine, struct session *session,
                  const struct ent_frame *frame, struct ent_err *err)
{
    if (frame->type <= ENT_FRAME_WELCOME &&
        frame->version != ENT_PROTOCOL_VERSION) {
        engine_refuse(engine, session,
                      ENT_N_("another version of the protocol"));
        return 0;
    }
    if (frame->type == ENT_FRAME_HELLO)
        return take_hello(engine, session, frame, err);
    if (frame->type == ENT_FRAME_WELCOME)
        return take_welcome(engine, session, frame, err);
    if (frame->type == ENT_FRAME_JOIN)
        return take_join(engine, session, frame, err);
    return take_joined(engine, session, frame, err);
}
