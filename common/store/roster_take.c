/* roster_take.c - roster entries of other nodes in, and ours for them: checked
 * one by one before the roster is made of them (rule A1). */
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "store/replica.h"
#include "store/runs.h"

#define HOUR_MS (60 * 60 * 1000)

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* --------------------------------------------------------------------- out */

int ent_roster_hashes(struct ent_store *store, int64_t space,
                      struct ent_hash **hashes, size_t *count,
                      struct ent_err *err)
{
    const struct ent_roster *roster;
    struct ent_space_state *state;
    size_t n = 0;
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc < 0)
        return rc;
    roster = &state->roster;
    *hashes = calloc(state->entry_count + 1, sizeof(**hashes));
    if (*hashes == NULL)
        return no_memory(err);
    for (size_t i = 0; i < roster->length; i++)
        (*hashes)[n++] = roster->chain[i]->hash;
    for (size_t i = 0; i < roster->void_count; i++)
        (*hashes)[n++] = roster->off[i].entry->hash;
    *count = n;
    return 0;
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

/* Form, space and signature of one roster entry, as the rules see it. */
static int check_roster(const struct ent_space_state *space,
                        const struct ent_roster_bytes *bytes,
                        struct ent_arena *arena,
                        struct ent_roster_entry *parsed, struct ent_err *err)
{
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
        rc = ent_roster_body_get(bytes->body, arena, parsed, err);
    if (rc < 0)
        return rc;
    parsed->hash = ent_hash_of(bytes->header);
    parsed->prev = header.prev;
    parsed->pos = header.seq;
    parsed->author = header.author;
    parsed->time_ms = header.time_ms;
    body = ent_hash_of(bytes->body);
    /* The first entry names no space: its hash makes the space's id (A1). */
    named = header.space;
    if (header.seq == 1 && ent_id_is_zero(&named))
        memcpy(named.b, parsed->hash.b, ENT_ID_BYTES);
    if (!ent_id_equal(&named, &space->id) ||
        (header.seq == 1) != ent_id_is_zero(&header.space) ||
        (parsed->kind == ENT_ROSTER_FOUND) != (header.seq == 1))
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
    return parsed->kind == ENT_ROSTER_SUCCEED
               ? check_votes(&space->id, &header.author, &header.prev, parsed,
                             err)
               : 0;
}

static int insert_roster(struct ent_store *store, int64_t space,
                         const struct ent_roster_bytes *bytes,
                         const struct ent_roster_entry *entry, bool *is_new,
                         struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ROSTER_INSERT);
    int rc;

    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, entry->hash.b, ENT_HASH_BYTES);
    ent_stmt_bind_int(stmt, 3, (int64_t)entry->pos);
    ent_stmt_bind_blob(stmt, 4, bytes->header.at, bytes->header.len);
    ent_stmt_bind_blob(stmt, 5, bytes->sig.b, ENT_SIG_BYTES);
    ent_stmt_bind_blob(stmt, 6, bytes->body.at, bytes->body.len);
    rc = ent_stmt_run(stmt, err);
    *is_new = rc == 0 && sqlite3_changes(store->db.raw) > 0;
    return rc;
}

int ent_roster_put(struct ent_store *store, int64_t space,
                   const struct ent_roster_bytes *bytes, bool *is_new,
                   struct ent_err *err)
{
    struct ent_roster_entry entry = {0};
    struct ent_space_state *state;
    struct ent_arena arena = {0};
    int rc = ent_space_state(store, space, &state, err);

    *is_new = false;
    if (rc == 0)
        rc = check_roster(state, bytes, &arena, &entry, err);
    if (rc == 0)
        rc = insert_roster(store, space, bytes, &entry, is_new, err);
    ent_arena_fini(&arena);
    if (rc == 0 && *is_new)
        ent_space_state_forget(store, space);
    return rc;
}

/* ------------------------------------------------------- entries of others */

/* Entries that are taken one after the other. */
struct taking {
    struct ent_store *store;
    struct ent_space_state *state; /* as it was before them */
    struct ent_roster_gate *gate;
    struct { /* void entries by author */
        struct ent_key author;
        size_t count;
    } * voids;
    size_t void_count;
    int64_t now_ms;
};

/* How many void entries of an author are held; a place to count on. */
static size_t *voids_of(struct taking *taking, const struct ent_key *author)
{
    for (size_t i = 0; i < taking->void_count; i++)
        if (ent_key_equal(&taking->voids[i].author, author))
            return &taking->voids[i].count;
    taking->voids[taking->void_count].author = *author;
    taking->voids[taking->void_count].count = 0;
    return &taking->voids[taking->void_count++].count;
}

static int begin_taking(struct taking *taking, size_t count,
                        struct ent_err *err)
{
    const struct ent_space_state *state = taking->state;
    struct ent_arena *arena = &taking->state->arena;

    /* As many authors as entries, at most. */
    taking->voids = ent_arena_array(arena, state->roster.void_count + count + 1,
                                    sizeof(*taking->voids));
    if (taking->voids == NULL ||
        ent_roster_gate_open(&state->roster, state->entries, state->entry_count,
                             arena, &taking->gate) < 0)
        return no_memory(err);
    for (size_t i = 0; i < state->roster.void_count; i++)
        ++*voids_of(taking, &state->roster.off[i].entry->author);
    return 0;
}

/* A chair, of now or of once, that writes beside the chain without end is
 * heard slowly; all of it comes in the end, so that all nodes hold the same. */
static bool has_room(struct taking *taking, const struct ent_key *author)
{
    struct ent_guesses *hour =
        &taking->store->void_taken[author->b[0] % ENT_GUESS_SLOTS];

    if (*voids_of(taking, author) < ENT_VOID_ENTRIES_MAX)
        return true;
    if (hour->count == 0 || taking->now_ms < hour->since_ms ||
        taking->now_ms - hour->since_ms >= HOUR_MS)
        *hour = (struct ent_guesses){.since_ms = taking->now_ms};
    return hour->count++ < ENT_VOID_ENTRIES_HOUR;
}

/* Whether the entry may be kept: 0; 1: it is. ENT_EREFUSED: never; ENT_EWAIT:
 * not now. */
static int check_passage(struct taking *taking,
                         const struct ent_roster_entry *entry,
                         struct ent_err *err)
{
    switch (ent_roster_gate_look(taking->gate, entry)) {
    case ENT_PASSAGE_HELD:
        return 1;
    case ENT_PASSAGE_CHAIN:
        return 0;
    case ENT_PASSAGE_VOID:
        if (!has_room(taking, &entry->author))
            return ent_err_set(err, ENT_EWAIT,
                               ENT_N_("more than %d void roster entries of one "
                                      "author; the others are taken slowly"),
                               ENT_VOID_ENTRIES_MAX);
        ++*voids_of(taking, &entry->author);
        return 0;
    case ENT_PASSAGE_WAITS:
        return ent_err_set(err, ENT_EWAIT,
                           ENT_N_("a roster entry that follows one not here "
                                  "yet"));
    case ENT_PASSAGE_NONE:
        break;
    }
    return ent_err_set(err, ENT_EREFUSED,
                       entry->kind == ENT_ROSTER_SUCCEED
                           ? ENT_N_("a succession without the votes it needs")
                           : ENT_N_("a roster entry of somebody who was not "
                                    "the chair where it stands"));
}

static int take_entry(struct taking *taking,
                      const struct ent_roster_bytes *bytes, bool *is_new,
                      struct ent_err *err)
{
    struct ent_arena *arena = &taking->state->arena;
    struct ent_roster_entry *entry =
        ENT_ARENA_NEW(arena, struct ent_roster_entry, 1);
    int rc = entry == NULL
                 ? no_memory(err)
                 : check_roster(taking->state, bytes, arena, entry, err);

    *is_new = false;
    if (rc == 0)
        rc = check_passage(taking, entry, err);
    if (rc > 0)
        return 0;
    if (rc == 0)
        rc = insert_roster(taking->store, taking->state->space, bytes, entry,
                           is_new, err);
    if (rc == 0 && *is_new && ent_roster_gate_pass(taking->gate, entry) < 0)
        rc = no_memory(err);
    return rc;
}

int ent_roster_take(struct ent_store *store, int64_t space,
                    const struct ent_roster_bytes *entries, size_t count,
                    int64_t now_ms, struct ent_taken *taken,
                    struct ent_err *err)
{
    struct taking taking = {.store = store, .now_ms = now_ms};
    struct ent_hash head;
    uint64_t pos = 0;
    int rc = ent_store_begin(store, err);

    memset(taken, 0, sizeof(*taken));
    if (rc < 0)
        return rc;
    rc = ent_space_state(store, space, &taking.state, err);
    if (rc == 0) {
        ent_space_head(taking.state, &pos, &head);
        rc = begin_taking(&taking, count, err);
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_err said = {0};
        bool is_new;

        taken->received++;
        rc = take_entry(&taking, &entries[i], &is_new, &said);
        if (ent_is_own_trouble(rc)) {
            if (err != NULL)
                *err = said;
            break;
        }
        taken->applied += rc == 0 && is_new;
        taken->duplicate += rc == 0 && !is_new;
        taken->waiting += rc == ENT_EWAIT;
        if (rc < 0 && rc != ENT_EWAIT && taken->refused++ == 0)
            memcpy(taken->why, said.text, sizeof(taken->why));
        rc = 0;
    }
    ent_space_state_forget(store, space);
    if (rc == 0 && taken->applied > 0)
        rc = ent_judge_anew(store, space, pos, &head, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}
