/* roster.c - roster entries in the replica, and a space's roster evaluated. */
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "store/replica.h"

static void state_free(struct ent_space_state *state)
{
    if (state == NULL)
        return;
    ent_arena_fini(&state->arena);
    free(state);
}

void ent_space_state_forget(struct ent_store *store, int64_t space)
{
    for (size_t i = 0; i < store->space_count; i++) {
        if (space != 0 && store->spaces[i]->space != space)
            continue;
        state_free(store->spaces[i]);
        store->spaces[i--] = store->spaces[--store->space_count];
    }
}

/* One stored entry as the rules see it; borrowed from the state's arena. */
static int read_entry(struct ent_space_state *state, struct ent_stmt *stmt,
                      struct ent_roster_entry *entry, struct ent_err *err)
{
    struct ent_slice header =
        ent_arena_copy(&state->arena, ent_stmt_bytes(stmt, 1));
    struct ent_slice body =
        ent_arena_copy(&state->arena, ent_stmt_bytes(stmt, 2));
    struct ent_entry head = {0};
    struct ent_hash body_hash;
    int rc;

    if (state->arena.rc < 0)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    rc = ent_header_get(header, ENT_ROSTER_TAG, &state->arena, &head,
                        &body_hash, err);
    if (rc == 0)
        rc = ent_roster_body_get(body, &state->arena, entry, err);
    if (rc < 0)
        return rc == ENT_ENOMEM
                   ? rc
                   : ent_err_set(err, ENT_ESTORE,
                                 ENT_N_("a roster entry of the replica is "
                                        "damaged"));
    ent_stmt_copy(stmt, 0, entry->hash.b, ENT_HASH_BYTES);
    entry->prev = head.prev;
    entry->pos = head.seq;
    entry->author = head.author;
    entry->time_ms = head.time_ms;
    return 0;
}

static int hash_cmp(const void *a, const void *b)
{
    return memcmp(a, b, ENT_HASH_BYTES);
}

/* Over all entries held, valid or void: equal on replicas that hold the same.
 */
static int hash_set(struct ent_space_state *state, struct ent_err *err)
{
    struct ent_hash *hashes =
        ENT_ARENA_NEW(&state->arena, struct ent_hash, state->entry_count + 1);

    if (hashes == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    for (size_t i = 0; i < state->entry_count; i++)
        hashes[i] = state->entries[i].hash;
    if (state->entry_count > 1)
        qsort(hashes, state->entry_count, sizeof(*hashes), hash_cmp);
    state->set_hash =
        ent_hash_of(ent_slice(hashes, state->entry_count * ENT_HASH_BYTES));
    return 0;
}

static int read_entries(struct ent_store *store, struct ent_space_state *state,
                        struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ROSTER_ALL);
    size_t cap = 0;
    int rc;

    ent_stmt_bind_int(stmt, 1, state->space);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        if (state->entry_count == cap) {
            struct ent_roster_entry *more;

            cap = cap == 0 ? 16 : 2 * cap;
            more = ENT_ARENA_NEW(&state->arena, struct ent_roster_entry, cap);
            if (more == NULL) {
                rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
                break;
            }
            if (state->entry_count > 0)
                memcpy(more, state->entries,
                       state->entry_count * sizeof(*more));
            state->entries = more;
        }
        rc =
            read_entry(state, stmt, &state->entries[state->entry_count++], err);
        if (rc < 0)
            break;
    }
    ent_stmt_reset(stmt);
    return rc;
}

static int load(struct ent_store *store, int64_t space, const struct ent_id *id,
                struct ent_space_state **loaded, struct ent_err *err)
{
    struct ent_space_state *state = calloc(1, sizeof(*state));
    struct ent_space_state **list =
        realloc(store->spaces, (store->space_count + 1) * sizeof(*list));
    int rc;

    if (list != NULL)
        store->spaces = list;
    if (state == NULL || list == NULL) {
        free(state);
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    }
    state->space = space;
    state->id = *id;
    rc = read_entries(store, state, err);
    if (rc == 0)
        rc = hash_set(state, err);
    if (rc == 0 && ent_roster_build(state->entries, state->entry_count,
                                    &state->arena, &state->roster) < 0)
        rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    if (rc < 0) {
        state_free(state);
        return rc;
    }
    store->spaces[store->space_count++] = state;
    *loaded = state;
    return 0;
}

int ent_space_state(struct ent_store *store, int64_t space,
                    struct ent_space_state **state, struct ent_err *err)
{
    struct ent_id id;
    struct ent_stmt *stmt;
    bool found = false;
    int rc;

    for (size_t i = 0; i < store->space_count; i++) {
        if (store->spaces[i]->space == space) {
            *state = store->spaces[i];
            return 0;
        }
    }
    stmt = ent_db_stmt(&store->db, ENT_SQL_SPACES);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        if (ent_stmt_int(stmt, 0) != space)
            continue;
        ent_stmt_copy(stmt, 1, id.b, ENT_ID_BYTES);
        found = true;
        break;
    }
    ent_stmt_reset(stmt);
    if (rc < 0)
        return rc;
    if (!found)
        return ent_err_set(err, ENT_ENOTFOUND, ENT_N_("no such space here"));
    return load(store, space, &id, state, err);
}

void ent_space_head(const struct ent_space_state *state, uint64_t *pos,
                    struct ent_hash *hash)
{
    *pos = state->roster.length;
    memset(hash, 0, sizeof(*hash));
    if (*pos > 0)
        *hash = state->roster.chain[*pos - 1]->hash;
}

bool ent_space_named(const struct ent_space_state *state,
                     const struct ent_key *key)
{
    for (size_t i = 0; i < state->entry_count; i++) {
        const struct ent_roster_entry *entry = &state->entries[i];

        if (ent_key_equal(&entry->author, key) ||
            (entry->kind == ENT_ROSTER_ADMIT &&
             ent_key_equal(&entry->member, key)) ||
            (entry->kind == ENT_ROSTER_REPLACE &&
             ent_key_equal(&entry->next, key)))
            return true;
    }
    return false;
}
