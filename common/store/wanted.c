/* wanted.c - entries that lack values which nobody erased (rule E3): an
 * erasure became void after it was carried out here, or whoever passed an entry
 * on had not its values. Their writes stand all the same; the values are asked
 * of every peer. */
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "store/erase.h"
#include "store/replica.h"
#include "store/runs.h"
#include "store/seal.h"

/* A peer is asked so often before it is left in peace, each time for twice as
 * long. */
#define ASKED_FREELY 4
#define ASKED_PAUSE_MS INT64_C(3600000)
#define ASKED_PAUSE_MAX_MS (24 * ASKED_PAUSE_MS)
#define ASKED_SHIFT_MAX 4

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* Whether a change lacks values that were not erased: 1. */
static int lacks(struct ent_store *store, int64_t space,
                 const struct ent_change *change, struct ent_err *err)
{
    bool counts;
    int rc;

    if (!change->erased)
        return 0;
    rc = ent_erased(store, space, change->kind, &change->id, &counts, err);
    return rc < 0 ? rc : rc == 0;
}

int ent_wanted_note(struct ent_store *store, int64_t space, int64_t n,
                    const struct ent_entry *entry, struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < entry->change_count; i++)
        rc = lacks(store, space, &entry->changes[i], err);
    if (rc < 0 || (rc == 0 && entry->has_seed))
        return rc;
    stmt = ent_db_stmt(&store->db,
                       rc > 0 ? ENT_SQL_WANTED_PUT : ENT_SQL_WANTED_DROP);
    ent_stmt_bind_int(stmt, 1, n);
    return ent_stmt_run(stmt, err);
}

static int find_in(struct ent_store *store, const struct ent_log *log,
                   const struct ent_touched *records, struct ent_arena *arena,
                   struct ent_err *err)
{
    int rc = 0;

    for (int64_t seq = log->base + 1; rc == 0 && seq <= log->head; seq++) {
        struct ent_entry entry;
        enum ent_verdict verdict;
        struct ent_hash hash;
        bool holds = false;
        int64_t n = ent_n(log->o, seq);

        ent_arena_reset(arena);
        rc = ent_log_read(store, n, arena, &entry, &verdict, &hash, err);
        for (size_t i = 0; rc == 0 && !holds && i < entry.change_count; i++)
            holds = ent_touched_holds(records, entry.changes[i].kind,
                                      &entry.changes[i].id);
        if (rc == 0 && holds)
            rc = ent_wanted_note(store, log->space, n, &entry, err);
    }
    return rc;
}

int ent_wanted_find(struct ent_store *store, int64_t space,
                    const struct ent_touched *records, struct ent_err *err)
{
    struct ent_arena arena = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];

        if (log->space != space)
            continue;
        rc = ent_log_head(store, log, err);
        if (rc == 0)
            rc = find_in(store, log, records, &arena, err);
    }
    ent_arena_fini(&arena);
    return rc;
}

int ent_wanted_count(struct ent_store *store, int64_t space, int64_t *count,
                     struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_WANTED_COUNT);
    int rc;

    ent_stmt_bind_int(stmt, 1, space);
    rc = ent_stmt_step(stmt, err);
    *count = rc > 0 ? ent_stmt_int(stmt, 0) : 0;
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

/* ---------------------------------------------------------------- asking */

/* The first wanted entry up to that head, as this branch sees its log; 0: none.
 */
static int first_of(struct ent_store *store, const struct ent_log *log,
                    uint64_t head, uint64_t *first, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_WANTED_LIST);
    int rc;

    *first = 0;
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        int64_t n = ent_stmt_int(stmt, 0);
        int64_t seq = ent_n_seq(n);
        const struct ent_log *in =
            (uint64_t)seq > head ? NULL : ent_branch_at(store, log, seq);

        if (in != NULL && in->o == ent_n_o(n) &&
            (*first == 0 || (uint64_t)seq < *first))
            *first = (uint64_t)seq;
    }
    ent_stmt_reset(stmt);
    return rc;
}

int ent_wanted_due(struct ent_store *store, int64_t space,
                   const struct ent_key *peer, int64_t now_ms,
                   struct ent_err *err)
{
    struct ent_stmt *stmt;
    int64_t pause = 0;
    int64_t asked = 0;
    int64_t count;
    int rc = ent_wanted_count(store, space, &count, err);

    if (rc < 0 || count == 0)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ASKED_GET);
    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, peer->b, ENT_KEY_BYTES);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        int64_t more = ent_stmt_int(stmt, 1) - ASKED_FREELY;

        asked = ent_stmt_int(stmt, 0);
        if (more >= 0)
            pause = more < ASKED_SHIFT_MAX ? ASKED_PAUSE_MS << more
                                           : ASKED_PAUSE_MAX_MS;
    }
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : llabs(now_ms - asked) >= pause;
}

int ent_wanted_asked(struct ent_store *store, int64_t space,
                     const struct ent_key *peer, int64_t now_ms,
                     struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ASKED_PUT);
    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, peer->b, ENT_KEY_BYTES);
    ent_stmt_bind_int(stmt, 3, now_ms);
    rc = ent_stmt_run(stmt, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

int ent_wanted_want(struct ent_store *store, int64_t space,
                    const struct ent_key *peer, const struct ent_head *head,
                    int64_t now_ms, uint64_t *from, struct ent_hash8 *prev,
                    struct ent_err *err)
{
    struct ent_log *log;
    size_t at = 0;
    int rc = ent_wanted_due(store, space, peer, now_ms, err);

    *from = 0;
    memset(prev, 0, sizeof(*prev));
    if (rc <= 0)
        return rc;
    rc = 0;
    while (rc == 0 && *from == 0 &&
           (log = ent_branch_next(store, space, &head->author, &head->origin,
                                  &at)) != NULL) {
        struct ent_hash hash;
        bool held;

        rc = ent_log_head(store, log, err);
        if (rc == 0)
            rc = ent_branch_hash(store, log, (int64_t)head->seq, &hash, &held,
                                 err);
        if (rc < 0 || !held ||
            memcmp(hash.b, head->hash.b, ENT_HASH8_BYTES) != 0)
            continue;
        rc = first_of(store, log, head->seq, from, err);
        if (rc < 0 || *from <= 1)
            continue;
        rc = ent_branch_hash(store, log, (int64_t)*from - 1, &hash, &held, err);
        *prev = ent_hash_head(&hash);
    }
    return rc;
}

/* ---------------------------------------------------------------- filling */

/* The values that `held` lacks and `came`, the same entry by its hash, has.
 * Salts and values are taken over; both are explicit then. */
static bool fill(struct ent_store *store, int64_t space, struct ent_entry *held,
                 const struct ent_entry *came, struct ent_touched *filled,
                 int *rc, struct ent_err *err)
{
    bool changed = false;

    for (size_t i = 0; *rc == 0 && i < held->change_count; i++) {
        struct ent_change *mine = &held->changes[i];
        const struct ent_change *theirs = &came->changes[i];
        const struct ent_entry one = {.changes = mine, .change_count = 1};
        int wanted = lacks(store, space, mine, err);

        if (wanted < 0)
            *rc = wanted;
        if (wanted <= 0 || theirs->erased)
            continue;
        mine->values = theirs->values;
        memcpy(mine->salt, theirs->salt, sizeof(mine->salt));
        mine->erased = false;
        changed = true;
        *rc = ent_touched_add(filled, &one, err);
    }
    return changed;
}

int ent_wanted_fill(struct ent_store *store, int64_t space, int64_t n,
                    const struct ent_entry *came, struct ent_touched *filled,
                    struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_buf packed = {0};
    struct ent_entry held;
    enum ent_verdict verdict;
    struct ent_hash hash;
    struct ent_stmt *stmt;
    int rc = ent_log_read(store, n, &arena, &held, &verdict, &hash, err);

    if (rc == 0 && !held.has_seed &&
        fill(store, space, &held, came, filled, &rc, err)) {
        ent_entry_put(&packed, &held);
        rc = packed.rc < 0 ? no_memory(err) : rc;
        stmt = ent_db_stmt(&store->db, ENT_SQL_LOG_SET_ENTRY);
        ent_stmt_bind_int(stmt, 1, n);
        ent_stmt_bind_blob(stmt, 2, packed.at, packed.len);
        if (rc == 0)
            rc = ent_stmt_run(stmt, err);
        else
            ent_stmt_reset(stmt);
        if (rc == 0)
            rc = ent_wanted_note(store, space, n, &held, err);
        /* Who has one may have others. */
        if (rc == 0) {
            stmt = ent_db_stmt(&store->db, ENT_SQL_ASKED_CLEAR);
            ent_stmt_bind_int(stmt, 1, space);
            rc = ent_stmt_run(stmt, err);
        }
    }
    ent_buf_fini(&packed);
    ent_arena_fini(&arena);
    return rc;
}
