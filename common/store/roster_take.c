/* roster_take.c - roster entries of other nodes in, and ours for them: checked
 * one by one before the roster is made of them (rule A1). */
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "store/replica.h"
#include "store/runs.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* --------------------------------------------------------------------- out */

int ent_roster_hashes(struct ent_store *store, int64_t space,
                      struct ent_hash **hashes, size_t *count,
                      struct ent_err *err)
{
    struct ent_space_state *state;
    struct ent_stmt *stmt;
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc < 0)
        return rc;
    *hashes = calloc(state->entry_count + 1, sizeof(**hashes));
    if (*hashes == NULL)
        return no_memory(err);
    *count = 0;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ROSTER_HASHES);
    ent_stmt_bind_int(stmt, 1, space);
    while (*count < state->entry_count && (rc = ent_stmt_step(stmt, err)) > 0)
        ent_stmt_copy(stmt, 0, (*hashes)[(*count)++].b, ENT_HASH_BYTES);
    ent_stmt_reset(stmt);
    if (rc < 0) {
        free(*hashes);
        *hashes = NULL;
    }
    return rc < 0 ? rc : 0;
}

int ent_roster_read(struct ent_store *store, int64_t space,
                    const struct ent_hash *hash, struct ent_arena *arena,
                    struct ent_roster_bytes *entry, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ROSTER_GET);
    int rc;

    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, hash->b, ENT_HASH_BYTES);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        entry->header = ent_arena_copy(arena, ent_stmt_bytes(stmt, 0));
        ent_stmt_copy(stmt, 1, entry->sig.b, ENT_SIG_BYTES);
        entry->body = ent_arena_copy(arena, ent_stmt_bytes(stmt, 2));
    }
    ent_stmt_reset(stmt);
    if (rc == 0)
        return ent_err_set(err, ENT_ENOTFOUND,
                           ENT_N_("no such roster entry here"));
    if (rc > 0 && arena->rc < 0)
        return no_memory(err);
    return rc < 0 ? rc : 0;
}

/* ---------------------------------------------------------------------- in */

/* Every vote for a succession is a signature that holds (A2). */
static int check_votes(const struct ent_id *space, const struct ent_key *next,
                       const struct ent_hash *follows,
                       const struct ent_roster_entry *entry,
                       struct ent_err *err)
{
    struct ent_buf message = {0};
    int rc = 0;

    ent_vote_put(&message, space, entry->term, follows, next);
    if (message.rc < 0)
        rc = no_memory(err);
    for (size_t i = 0; rc == 0 && i < entry->vote_count; i++) {
        struct ent_sig sig;

        memcpy(sig.b, entry->votes[i].sig.at, ENT_SIG_BYTES);
        if (!ent_sig_verify(&entry->votes[i].key, ent_buf_slice(&message),
                            &sig))
            rc = ent_err_set(err, ENT_EREFUSED,
                             ENT_N_("a succession with a vote whose signature "
                                    "does not hold"));
    }
    ent_buf_fini(&message);
    return rc;
}

/* Form, space and signature of one roster entry; its hash and position. */
static int check_roster(const struct ent_space_state *space,
                        const struct ent_roster_bytes *bytes,
                        struct ent_arena *arena, struct ent_hash *hash,
                        uint64_t *pos, struct ent_key *author,
                        struct ent_err *err)
{
    struct ent_roster_entry parsed = {0};
    struct ent_entry header = {0};
    struct ent_hash body_hash;
    struct ent_hash body;
    struct ent_id named;
    int rc;

    if (bytes->header.len + bytes->body.len > ENT_ROSTER_BYTES_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a roster entry over its limit of %d bytes"),
                           ENT_ROSTER_BYTES_MAX);
    rc = ent_header_get(bytes->header, ENT_ROSTER_TAG, arena, &header,
                        &body_hash, err);
    if (rc == 0)
        rc = ent_roster_body_get(bytes->body, arena, &parsed, err);
    if (rc < 0)
        return rc;
    *hash = ent_hash_of(bytes->header);
    *pos = header.seq;
    *author = header.author;
    body = ent_hash_of(bytes->body);
    /* The first entry names no space: its hash makes the space's id (A1). */
    named = header.space;
    if (header.seq == 1 && ent_id_is_zero(&named))
        memcpy(named.b, hash->b, ENT_ID_BYTES);
    if (!ent_id_equal(&named, &space->id) ||
        (header.seq == 1) != ent_id_is_zero(&header.space) ||
        (parsed.kind == ENT_ROSTER_FOUND) != (header.seq == 1))
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a roster entry of another space"));
    if (!ent_hash_equal(&body, &body_hash) || header.ref_count != 0 ||
        !ent_id_is_zero(&header.origin) || header.seq == 0)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a roster entry out of shape"));
    if (!ent_sig_verify(&header.author, bytes->header, &bytes->sig))
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a roster entry whose signature does not "
                                  "hold"));
    return parsed.kind == ENT_ROSTER_SUCCEED
               ? check_votes(&space->id, &header.author, &header.prev, &parsed,
                             err)
               : 0;
}

static int insert_roster(struct ent_store *store, int64_t space,
                         const struct ent_roster_bytes *bytes,
                         const struct ent_hash *hash, uint64_t pos,
                         struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ROSTER_INSERT);

    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, hash->b, ENT_HASH_BYTES);
    ent_stmt_bind_int(stmt, 3, (int64_t)pos);
    ent_stmt_bind_blob(stmt, 4, bytes->header.at, bytes->header.len);
    ent_stmt_bind_blob(stmt, 5, bytes->sig.b, ENT_SIG_BYTES);
    ent_stmt_bind_blob(stmt, 6, bytes->body.at, bytes->body.len);
    return ent_stmt_run(stmt, err);
}

/* The state in memory is stale after a new entry. */
static int put_roster(struct ent_store *store,
                      const struct ent_space_state *state,
                      const struct ent_roster_bytes *bytes, bool foreign,
                      bool *is_new, struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_key author;
    struct ent_hash hash;
    uint64_t pos = 0;
    int rc = check_roster(state, bytes, &arena, &hash, &pos, &author, err);

    *is_new = false;
    /* Void entries are kept for ever: not everybody can make some. */
    if (rc == 0 && foreign && pos > 1 && !ent_space_named(state, &author))
        rc = ent_err_set(err, ENT_EREFUSED,
                         ENT_N_("a roster entry of somebody who was never "
                                "admitted"));
    if (rc == 0)
        rc = insert_roster(store, state->space, bytes, &hash, pos, err);
    if (rc == 0)
        *is_new = sqlite3_changes(store->db.raw) > 0;
    ent_arena_fini(&arena);
    return rc;
}

int ent_roster_put(struct ent_store *store, int64_t space,
                   const struct ent_roster_bytes *bytes, bool *is_new,
                   struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_space_state(store, space, &state, err);

    if (rc == 0)
        rc = put_roster(store, state, bytes, false, is_new, err);
    if (rc == 0 && *is_new)
        ent_space_state_forget(store, space);
    return rc;
}

int ent_roster_take(struct ent_store *store, int64_t space,
                    const struct ent_roster_bytes *entries, size_t count,
                    struct ent_taken *taken, struct ent_err *err)
{
    struct ent_space_state *state;
    struct ent_hash head;
    uint64_t pos = 0;
    int64_t news = 0; /* since the state was read */
    int rc = ent_store_begin(store, err);

    memset(taken, 0, sizeof(*taken));
    if (rc < 0)
        return rc;
    rc = ent_space_state(store, space, &state, err);
    if (rc == 0)
        ent_space_head(state, &pos, &head);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_err said = {0};
        bool is_new;

        taken->received++;
        rc = put_roster(store, state, &entries[i], true, &is_new, &said);
        /* Its author may be admitted by one of those before it. */
        if (rc == ENT_EREFUSED && news > 0) {
            news = 0;
            ent_space_state_forget(store, space);
            rc = ent_space_state(store, space, &state, &said);
            if (rc == 0)
                rc =
                    put_roster(store, state, &entries[i], true, &is_new, &said);
        }
        if (rc == 0) {
            taken->applied += is_new;
            taken->duplicate += !is_new;
            news += is_new;
            continue;
        }
        if (ent_is_own_trouble(rc)) {
            if (err != NULL)
                *err = said;
            break;
        }
        rc = 0;
        taken->refused++;
        if (taken->why[0] == '\0')
            memcpy(taken->why, said.text, sizeof(taken->why));
    }
    ent_space_state_forget(store, space);
    if (rc == 0 && taken->applied > 0)
        rc = ent_judge_anew(store, space, pos, &head, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}
