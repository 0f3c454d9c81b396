/* roster.c - both sides come to hold the same roster entries before any other:
 * who may have what follows from them (S3). */
#include <stdlib.h>
#include <string.h>

#include "secure/hash.h"
#include "store/members.h"
#include "sync/session.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

int ent_pair_roster8(struct ent_engine *engine, int64_t space,
                     struct ent_digest *digest, struct ent_hash8 *hash,
                     struct ent_err *err)
{
    int rc = ent_digest_read(engine->store, space, digest, err);

    if (rc == 0)
        *hash = ent_hash_head(&digest->roster);
    return rc;
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, ENT_HASH_BYTES);
}

int ent_pair_offer_roster(struct ent_engine *engine, struct session *session,
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
    qsort(hashes, count, sizeof(*hashes), compare_hashes);
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

int ent_pair_roster_settled(struct ent_engine *engine, struct session *session,
                            struct pair *pair, struct ent_err *err)
{
    struct ent_digest digest;
    struct ent_hash8 own;
    int rc = ent_pair_roster8(engine, pair->space, &digest, &own, err);

    if (rc < 0)
        return rc;
    pair->roster = digest.roster;
    pair->roster_ok = true;
    if (!ent_pair_may_have(engine, session, pair)) {
        /* A stranger to this space: the roster was all. */
        pair->done = true;
        return 0;
    }
    if (!pair->heads_sent)
        rc = ent_frontier_send(engine, session, pair, err);
    if (rc == 0 && pair->heads_got)
        rc = ent_pair_begin_pull(engine, session, pair, err);
    return rc;
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

int ent_pair_take_roster_have(struct ent_engine *engine,
                              struct session *session, struct pair *pair,
                              const struct ent_frame *frame,
                              struct ent_err *err)
{
    struct ent_frame answer = {.type = ENT_FRAME_ROSTER, .tag = pair->tag};
    size_t theirs = frame->hashes.len / ENT_HASH8_BYTES;
    struct ent_hash *hashes;
    size_t common = 0;
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

        if (in_list(frame->hashes, &hashes[i])) {
            common++;
            continue;
        }
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
    /* The peer has nothing that we lack: with this answer the two are equal. */
    if (rc == 0 && !pair->roster_ok && common == theirs &&
        theirs < ENT_FRAME_HASHES_MAX)
        rc = ent_pair_roster_settled(engine, session, pair, err);
    return rc;
}

/* Said once, by whoever of this node's programs hears of it. */
static void note_lost(struct ent_engine *engine, struct session *session,
                      struct pair *pair)
{
    struct ent_buf text = {0};
    int rc = ent_space_lost(engine->store, pair->space, &text, NULL);

    if (rc > 0 && ent_buf_cstr(&text) != NULL)
        engine_note(engine, ENT_NOTE_LOST, session, pair, 0,
                    ent_buf_cstr(&text));
    ent_buf_fini(&text);
}

/* What proves that somebody wrote or voted twice, as sentences. */
static int read_proofs(struct ent_engine *engine, const struct pair *pair,
                       struct ent_buf *lines, struct ent_err *err)
{
    int rc = ent_space_proofs(engine->store, pair->space, lines, err);

    return rc == 0 && ent_buf_cstr(lines) == NULL ? no_memory(err) : rc;
}

/* Those that were not there before. */
static void note_proofs(struct ent_engine *engine, struct session *session,
                        struct pair *pair, struct ent_buf *before,
                        struct ent_buf *after)
{
    char *rest = NULL;

    for (char *line = strtok_r((char *)after->at, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        if (strstr(ent_buf_cstr(before), line) == NULL)
            engine_note(engine, ENT_NOTE_PROOF, session, pair, 0, line);
}

/* Roster entries in; what is new to a person is noted. */
static int take_entries(struct ent_engine *engine, struct session *session,
                        struct pair *pair,
                        const struct ent_roster_bytes *entries, size_t count,
                        struct ent_err *err)
{
    const struct ent_key *own = &ent_store_keys(engine->store)->public;
    enum ent_role role = ent_member_role(engine->store, pair->space, own);
    struct ent_taken taken = {0};
    struct ent_buf before = {0};
    struct ent_buf after = {0};
    int rc = read_proofs(engine, pair, &before, err);

    if (rc == 0)
        rc = ent_roster_take(engine->store, pair->space, entries, count,
                             engine->now_ms, &taken, err);
    if (rc == 0)
        rc = read_proofs(engine, pair, &after, err);
    if (rc == 0) {
        note_proofs(engine, session, pair, &before, &after);
        if (ent_member_role(engine->store, pair->space, own) < role)
            note_lost(engine, session, pair);
        if (taken.refused > 0)
            engine_note(engine, ENT_NOTE_REFUSED, session, pair, taken.refused,
                        ent_arena_str(&engine->arena, taken.why));
        if (taken.applied > 0)
            engine->roster_changed = true;
    }
    ent_buf_fini(&before);
    ent_buf_fini(&after);
    return rc;
}

int ent_pair_take_roster(struct ent_engine *engine, struct session *session,
                         struct pair *pair, const struct ent_frame *frame,
                         struct ent_err *err)
{
    struct ent_roster_bytes *entries = ENT_ARENA_NEW(
        &engine->arena, struct ent_roster_bytes, frame->roster_count);
    int rc = 0;

    if (entries == NULL)
        return no_memory(err);
    for (size_t i = 0; i < frame->roster_count; i++) {
        entries[i].header = frame->roster[i].header;
        memcpy(entries[i].sig.b, frame->roster[i].sig.at, ENT_SIG_BYTES);
        entries[i].body = frame->roster[i].body;
    }
    if (frame->roster_count > 0)
        rc = take_entries(engine, session, pair, entries, frame->roster_count,
                          err);
    if (rc < 0)
        return rc;
    session->waiting = engine->mono_ms;
    if (!frame->last)
        return 0;
    session->waiting = 0;
    /* The frontier said before may rest on another roster. */
    pair->heads_sent = false;
    return ent_pair_roster_settled(engine, session, pair, err);
}
