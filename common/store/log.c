/* log.c - the logs: which there are, their heads, entries in and out. */
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "store/replica.h"
#include "store/runs.h"
#include "store/seal.h"

/* -------------------------------------------------------- the list in memory
 */

static int log_cmp(const struct ent_log *log, int64_t space,
                   const struct ent_key *author, const struct ent_id *id,
                   const struct ent_hash *branch)
{
    int cmp;

    if (log->space != space)
        return log->space < space ? -1 : 1;
    cmp = memcmp(log->author.b, author->b, ENT_KEY_BYTES);
    if (cmp == 0)
        cmp = memcmp(log->id.b, id->b, ENT_ID_BYTES);
    if (cmp == 0)
        cmp = memcmp(log->branch.b, branch->b, ENT_HASH_BYTES);
    return cmp;
}

static size_t log_place(struct ent_store *store, int64_t space,
                        const struct ent_key *author, const struct ent_id *id,
                        const struct ent_hash *branch)
{
    size_t low = 0;
    size_t high = store->log_count;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (log_cmp(store->logs[mid], space, author, id, branch) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int grow(struct ent_store *store, int64_t o, struct ent_err *err)
{
    if (store->log_count == store->log_cap) {
        size_t cap = store->log_cap == 0 ? 64 : 2 * store->log_cap;
        struct ent_log **logs = realloc(store->logs, cap * sizeof(*logs));

        if (logs == NULL)
            return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
        store->logs = logs;
        store->log_cap = cap;
    }
    if ((size_t)o >= store->by_o_cap) {
        size_t cap = 2 * ((size_t)o + 32);
        struct ent_log **by_o = realloc(store->by_o, cap * sizeof(*by_o));

        if (by_o == NULL)
            return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
        memset(by_o + store->by_o_cap, 0,
               (cap - store->by_o_cap) * sizeof(*by_o));
        store->by_o = by_o;
        store->by_o_cap = cap;
    }
    return 0;
}

static int log_keep(struct ent_store *store, const struct ent_log *log,
                    struct ent_log **kept, struct ent_err *err)
{
    size_t at =
        log_place(store, log->space, &log->author, &log->id, &log->branch);
    struct ent_log *copy;
    int rc = grow(store, log->o, err);

    if (rc < 0)
        return rc;
    copy = malloc(sizeof(*copy));
    if (copy == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    *copy = *log;
    memmove(store->logs + at + 1, store->logs + at,
            (store->log_count - at) * sizeof(*store->logs));
    store->logs[at] = copy;
    store->log_count++;
    store->by_o[log->o] = copy;
    if (kept != NULL)
        *kept = copy;
    return 0;
}

int ent_logs_load(struct ent_store *store, struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc;

    if (store->logs_loaded)
        return 0;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ORIGINS);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        struct ent_log log = {.o = ent_stmt_int(stmt, 0),
                              .space = ent_stmt_int(stmt, 1),
                              .base = ent_stmt_int(stmt, 5),
                              .signed_seq = ent_stmt_int(stmt, 6),
                              .parent = ent_stmt_int(stmt, 8)};

        ent_stmt_copy(stmt, 2, log.author.b, ENT_KEY_BYTES);
        ent_stmt_copy(stmt, 3, log.id.b, ENT_ID_BYTES);
        ent_stmt_copy(stmt, 4, log.branch.b, ENT_HASH_BYTES);
        ent_stmt_copy(stmt, 7, log.sig.b, ENT_SIG_BYTES);
        rc = log_keep(store, &log, NULL, err);
        if (rc < 0)
            break;
    }
    ent_stmt_reset(stmt);
    store->logs_loaded = rc == 0;
    return rc;
}

struct ent_log *ent_log_find(struct ent_store *store, int64_t space,
                             const struct ent_key *author,
                             const struct ent_id *id)
{
    static const struct ent_hash first;
    size_t at = log_place(store, space, author, id, &first);

    if (at < store->log_count &&
        log_cmp(store->logs[at], space, author, id, &first) == 0)
        return store->logs[at];
    return NULL;
}

struct ent_log *ent_log_of(struct ent_store *store, int64_t o)
{
    return o > 0 && (size_t)o < store->by_o_cap ? store->by_o[o] : NULL;
}

/* Find the log or make it as it is described. */
static int log_make(struct ent_store *store, struct ent_log *made,
                    struct ent_log **log, struct ent_err *err)
{
    size_t at =
        log_place(store, made->space, &made->author, &made->id, &made->branch);
    struct ent_stmt *stmt;
    int rc;

    if (at < store->log_count &&
        log_cmp(store->logs[at], made->space, &made->author, &made->id,
                &made->branch) == 0) {
        *log = store->logs[at];
        return 0;
    }
    stmt = ent_db_stmt(&store->db, ENT_SQL_ORIGIN_INSERT);
    ent_stmt_bind_int(stmt, 1, made->space);
    ent_stmt_bind_blob(stmt, 2, made->author.b, ENT_KEY_BYTES);
    ent_stmt_bind_blob(stmt, 3, made->id.b, ENT_ID_BYTES);
    ent_stmt_bind_blob(stmt, 4, made->branch.b, ENT_HASH_BYTES);
    ent_stmt_bind_int(stmt, 5, made->base);
    ent_stmt_bind_int(stmt, 6, made->parent);
    rc = ent_stmt_run(stmt, err);
    if (rc < 0)
        return rc;
    made->o = sqlite3_last_insert_rowid(store->db.raw);
    return log_keep(store, made, log, err);
}

int ent_log_make(struct ent_store *store, int64_t space,
                 const struct ent_key *author, const struct ent_id *id,
                 struct ent_log **log, struct ent_err *err)
{
    struct ent_log made = {.space = space, .author = *author, .id = *id};

    return log_make(store, &made, log, err);
}

int ent_log_make_branch(struct ent_store *store, const struct ent_log *parent,
                        int64_t base, const struct ent_hash *hash,
                        struct ent_log **log, struct ent_err *err)
{
    struct ent_log made = {.space = parent->space,
                           .author = parent->author,
                           .id = parent->id,
                           .branch = *hash,
                           .parent = parent->o,
                           .base = base};

    return log_make(store, &made, log, err);
}

struct ent_log *ent_branch_next(struct ent_store *store, int64_t space,
                                const struct ent_key *author,
                                const struct ent_id *origin, size_t *at)
{
    static const struct ent_hash first;
    size_t i = *at > 0 ? *at : log_place(store, space, author, origin, &first);
    struct ent_log *log = i < store->log_count ? store->logs[i] : NULL;

    if (log == NULL || log->space != space ||
        !ent_key_equal(&log->author, author) || !ent_id_equal(&log->id, origin))
        return NULL;
    *at = i + 1;
    return log;
}

size_t ent_branch_count(struct ent_store *store, int64_t space,
                        const struct ent_key *author,
                        const struct ent_id *origin, size_t most)
{
    size_t at = 0;
    size_t count = 0;

    while (count < most &&
           ent_branch_next(store, space, author, origin, &at) != NULL)
        count++;
    return count;
}

bool ent_log_forked(struct ent_store *store, int64_t space,
                    const struct ent_key *author, const struct ent_id *origin)
{
    return ent_branch_count(store, space, author, origin, 2) == 2;
}

bool ent_log_is_crowded(struct ent_store *store, int64_t space,
                        const struct ent_key *author,
                        const struct ent_id *origin)
{
    return ent_branch_count(store, space, author, origin, 2) != 1 &&
           ent_logs_of_author(store, space, author, ENT_LOGS_FREE) ==
               ENT_LOGS_FREE;
}

size_t ent_logs_of_author(struct ent_store *store, int64_t space,
                          const struct ent_key *author, size_t most)
{
    static const struct ent_hash first_branch;
    static const struct ent_id first_id;
    size_t at = log_place(store, space, author, &first_id, &first_branch);
    size_t count = 0;

    while (count < most && at + count < store->log_count &&
           store->logs[at + count]->space == space &&
           ent_key_equal(&store->logs[at + count]->author, author))
        count++;
    return count;
}

int ent_log_head(struct ent_store *store, struct ent_log *log,
                 struct ent_err *err)
{
    struct ent_stmt *stmt;
    uint8_t sum[ENT_SUM_BYTES];
    int rc;

    if (log->head_known)
        return 0;
    stmt = ent_db_stmt(&store->db, ENT_SQL_LOG_HEAD);
    ent_stmt_bind_int(stmt, 1, ent_n(log->o, 0));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, ENT_SEQ_MAX));
    rc = ent_stmt_step(stmt, err);
    log->head = log->base;
    memset(&log->head_hash, 0, sizeof(log->head_hash));
    log->sum = (struct ent_sum){0};
    if (rc > 0) {
        log->head = ent_n_seq(ent_stmt_int(stmt, 0));
        ent_stmt_copy(stmt, 1, log->head_hash.b, ENT_HASH_BYTES);
        ent_stmt_copy(stmt, 2, sum, sizeof(sum));
        log->sum = ent_sum_get(sum);
    }
    ent_stmt_reset(stmt);
    log->head_known = rc >= 0;
    return rc < 0 ? rc : 0;
}

/* ------------------------------------------------------------------- entries
 */

static struct ent_meta_slot *slot_of(const struct ent_store *store, int64_t n)
{
    return &store->metas[(size_t)(n ^ ent_n_o(n) * 97) & (ENT_META_CACHE - 1)];
}

void ent_log_meta_keep(struct ent_store *store, int64_t n,
                       const struct ent_log_meta *meta)
{
    *slot_of(store, n) = (struct ent_meta_slot){
        .n = n, .round = store->metas_round, .meta = *meta};
}

void ent_log_metas_forget(struct ent_store *store)
{
    store->metas_round++;
}

int ent_log_meta(struct ent_store *store, int64_t n, struct ent_log_meta *meta,
                 struct ent_err *err)
{
    const struct ent_meta_slot *slot = slot_of(store, n);
    struct ent_stmt *stmt;
    int rc;

    if (slot->n == n && slot->round == store->metas_round) {
        *meta = slot->meta;
        return 0;
    }
    stmt = ent_db_stmt(&store->db, ENT_SQL_LOG_META);
    ent_stmt_bind_int(stmt, 1, n);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        meta->at = ent_stmt_int(stmt, 0);
        meta->verdict = (enum ent_verdict)ent_stmt_int(stmt, 1);
        ent_stmt_copy(stmt, 2, meta->hash.b, ENT_HASH_BYTES);
        ent_log_meta_keep(store, n, meta);
    }
    ent_stmt_reset(stmt);
    if (rc == 0)
        return ent_err_set(err, ENT_ENOTFOUND,
                           ENT_N_("an entry of the log is missing"));
    return rc < 0 ? rc : 0;
}

int ent_log_hash(struct ent_store *store, int64_t n, struct ent_hash *hash,
                 enum ent_verdict *verdict, struct ent_err *err)
{
    struct ent_log_meta meta;
    int rc = ent_log_meta(store, n, &meta, err);

    if (rc < 0)
        return rc;
    *hash = meta.hash;
    *verdict = meta.verdict;
    return 0;
}

/* The first log at or after `at` of that space with that origin, whoever its
 * author is: references name origins only. */
static struct ent_log *next_of_origin(struct ent_store *store, int64_t space,
                                      const struct ent_id *origin, size_t *at)
{
    for (; *at < store->log_count && store->logs[*at]->space == space; ++*at)
        if (ent_id_equal(&store->logs[*at]->id, origin))
            return store->logs[(*at)++];
    return NULL;
}

int ent_log_resolve(struct ent_store *store, int64_t space,
                    const struct ent_ref *ref, int64_t *n, struct ent_err *err)
{
    static const struct ent_key first_author;
    static const struct ent_id first_id;
    static const struct ent_hash first_branch;
    struct ent_log *log;
    size_t at =
        log_place(store, space, &first_author, &first_id, &first_branch);

    *n = 0;
    while ((log = next_of_origin(store, space, &ref->origin, &at)) != NULL) {
        enum ent_verdict verdict;
        struct ent_hash hash;
        int64_t place = ent_n(log->o, (int64_t)ref->seq);
        int rc = ent_log_head(store, log, err);

        if (rc < 0)
            return rc;
        if ((int64_t)ref->seq > log->head || (int64_t)ref->seq <= log->base)
            continue;
        rc = ent_log_hash(store, place, &hash, &verdict, err);
        if (rc < 0)
            return rc;
        if (memcmp(hash.b, ref->hash.b, ENT_HASH8_BYTES) == 0) {
            *n = place;
            return 0;
        }
    }
    return 0;
}

int ent_log_append(struct ent_store *store, struct ent_log *log, int64_t at,
                   enum ent_verdict verdict, const struct ent_hash *hash,
                   const struct ent_sum *sum, struct ent_slice packed,
                   struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_LOG_INSERT);
    uint8_t sum_bytes[ENT_SUM_BYTES];
    int64_t n = ent_n(log->o, log->head + 1);
    int rc;

    ENT_ASSERT(log->head_known);
    ent_sum_put(sum, sum_bytes);
    ent_stmt_bind_int(stmt, 1, n);
    ent_stmt_bind_int(stmt, 2, at);
    ent_stmt_bind_int(stmt, 3, verdict);
    ent_stmt_bind_blob(stmt, 4, hash->b, ENT_HASH_BYTES);
    ent_stmt_bind_blob(stmt, 5, sum_bytes, sizeof(sum_bytes));
    ent_stmt_bind_blob(stmt, 6, packed.at, packed.len);
    rc = ent_stmt_run(stmt, err);
    if (rc < 0)
        return rc;
    log->head++;
    log->head_hash = *hash;
    log->sum = *sum;
    ent_log_meta_keep(
        store, n,
        &(struct ent_log_meta){.at = at, .verdict = verdict, .hash = *hash});
    return 0;
}

int ent_log_read(struct ent_store *store, int64_t n, struct ent_arena *arena,
                 struct ent_entry *entry, enum ent_verdict *verdict,
                 struct ent_hash *hash, struct ent_err *err)
{
    const struct ent_log *log = ent_log_of(store, ent_n_o(n));
    struct ent_space_state *space;
    struct ent_stmt *stmt;
    struct ent_slice packed;
    int rc;

    ENT_ASSERT(log != NULL);
    rc = ent_space_state(store, log->space, &space, err);
    if (rc < 0)
        return rc;
    *entry = (struct ent_entry){.space = space->id,
                                .author = log->author,
                                .origin = log->id,
                                .seq = (uint64_t)ent_n_seq(n)};
    if (entry->seq > 1) {
        int64_t before = n - 1;
        enum ent_verdict ignored;

        if (ent_n_seq(before) == log->base) {
            const struct ent_log *in = ent_branch_at(store, log, log->base);

            before = ent_n(in == NULL ? 0 : in->o, log->base);
        }
        rc = ent_log_hash(store, before, &entry->prev, &ignored, err);
        if (rc < 0)
            return rc;
    }
    stmt = ent_db_stmt(&store->db, ENT_SQL_LOG_ENTRY);
    ent_stmt_bind_int(stmt, 1, n);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        *verdict = (enum ent_verdict)ent_stmt_int(stmt, 1);
        ent_stmt_copy(stmt, 2, hash->b, ENT_HASH_BYTES);
        packed = ent_arena_copy(arena, ent_stmt_bytes(stmt, 3));
        rc = arena->rc < 0
                 ? ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"))
                 : 1;
    }
    ent_stmt_reset(stmt);
    if (rc == 0)
        return ent_err_set(err, ENT_ENOTFOUND,
                           ENT_N_("an entry of the log is missing"));
    return rc < 0 ? rc : ent_entry_get(packed, arena, entry, err);
}

/* ---------------------------------------------------------------- signatures
 */

/* Bytes of entries after the last signature kept for relays. */
static int span_bytes(struct ent_store *store, const struct ent_log *log,
                      int64_t *bytes, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_SIGNATURE_LAST);
    int64_t from = ent_n(log->o, 0);
    int rc;

    ent_stmt_bind_int(stmt, 1, from);
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, ENT_SEQ_MAX));
    rc = ent_stmt_step(stmt, err);
    if (rc > 0)
        from = ent_stmt_int(stmt, 0) + 1;
    ent_stmt_reset(stmt);
    if (rc < 0)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_LOG_BYTES);
    ent_stmt_bind_int(stmt, 1, from);
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, log->head));
    rc = ent_stmt_step(stmt, err);
    *bytes = rc > 0 ? ent_stmt_int(stmt, 0) : 0;
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

int ent_log_keep_sig(struct ent_store *store, struct ent_log *log,
                     const struct ent_sig *sig, struct ent_err *err)
{
    struct ent_stmt *stmt;
    int64_t bytes = 0;
    int rc = 0;

    if (log->signed_seq > log->base)
        rc = span_bytes(store, log, &bytes, err);
    if (rc == 0 && bytes > ENT_SIGNATURE_SPAN) {
        stmt = ent_db_stmt(&store->db, ENT_SQL_SIGNATURE_INSERT);
        ent_stmt_bind_int(stmt, 1, ent_n(log->o, log->signed_seq));
        ent_stmt_bind_blob(stmt, 2, log->sig.b, ENT_SIG_BYTES);
        rc = ent_stmt_run(stmt, err);
    }
    if (rc < 0)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ORIGIN_SIGN);
    ent_stmt_bind_int(stmt, 1, log->o);
    ent_stmt_bind_int(stmt, 2, log->head);
    ent_stmt_bind_blob(stmt, 3, sig->b, ENT_SIG_BYTES);
    rc = ent_stmt_run(stmt, err);
    if (rc == 0) {
        log->signed_seq = log->head;
        log->sig = *sig;
    }
    return rc;
}

int ent_log_sign(struct ent_store *store, int64_t n, struct ent_sig *sig,
                 struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_seal seal = {0};
    struct ent_entry entry;
    struct ent_hash stored;
    struct ent_hash hash;
    enum ent_verdict verdict;
    int rc = ent_log_read(store, n, &arena, &entry, &verdict, &stored, err);

    ENT_ASSERT(rc < 0 || ent_key_equal(&entry.author, &store->keys.public));
    if (rc == 0)
        rc = ent_seal_entry(&seal, &entry, &hash, err);
    if (rc == 0 && !ent_hash_equal(&hash, &stored))
        rc = ent_err_set(err, ENT_ESTORE,
                         ENT_N_("an entry of the own log is damaged; it was "
                                "not signed"));
    if (rc == 0)
        ent_sign(&store->keys, ent_buf_slice(&seal.header), sig);
    ent_seal_fini(&seal);
    ent_arena_fini(&arena);
    return rc;
}

int ent_log_sign_tails(struct ent_store *store, int64_t space,
                       struct ent_err *err)
{
    struct ent_sig sig;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];

        if (log->space != space ||
            !ent_key_equal(&log->author, &store->keys.public))
            continue;
        rc = ent_log_head(store, log, err);
        if (rc < 0 || log->head <= log->signed_seq || log->head <= log->base)
            continue;
        rc = ent_log_sign(store, ent_n(log->o, log->head), &sig, err);
        if (rc == 0)
            rc = ent_log_keep_sig(store, log, &sig, err);
    }
    return rc;
}
