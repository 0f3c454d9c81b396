/* rebuild.c - everything that follows from the log made anew. Entries are
 * replayed log by log, another order than they came in; the state is the same
 * (rule M1), only what each log adds to the digest is shared out differently,
 * and `adjust` makes up for that. */
#include <stdlib.h>

#include "store/kept.h"
#include "store/spaces.h"
#include "store/seal.h"

/* One log while it is replayed. */
struct replay {
    int64_t head;
    struct ent_sum sum;
};

struct rebuilding {
    struct ent_store *store;
    struct replay *logs;    /* by o */
    struct ent_arena arena; /* of one entry */
    struct ent_seal seal;
};

static int mark_erased_in(struct ent_store *store, int64_t space,
                          struct ent_err *err)
{
    struct ent_touched gone = {0};
    struct ent_touched back = {0};
    int rc = ent_erasures_mark(store, space, &gone, &back, err);

    free(gone.keys);
    free(back.keys);
    return rc;
}

/* What the rosters erase is passed over from the beginning; what owners erased
 * counts when their entries come. */
static int mark_erased(struct ent_store *store, struct ent_err *err)
{
    struct ent_space *spaces;
    size_t count = 0;
    int rc = ent_space_list(store, &spaces, &count, err);

    if (rc < 0)
        return rc;
    rc = ent_stmt_run(ent_db_stmt(&store->db, ENT_SQL_ERASED_UNCOUNT_ALL), err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = mark_erased_in(store, spaces[i].space, err);
    free(spaces);
    return rc;
}

static int clear(struct ent_store *store, struct ent_err *err)
{
    int rc = ent_tables_clear(&store->tables, 0, err);

    if (rc == 0)
        rc = mark_erased(store, err);
    if (rc == 0)
        rc = ent_db_exec(&store->db, "DELETE FROM cell; DELETE FROM unseen;",
                         err);
    if (rc == 0)
        rc = ent_search_anew(store, err);
    store->cells_empty = true;
    store->unseen_empty = true;
    return rc;
}

/* To the merge, only what was replayed has come: a write that names one of a
 * log further on is remembered for it (rule M3). */
static int take_heads(struct rebuilding *rebuilding, struct ent_err *err)
{
    struct ent_store *store = rebuilding->store;
    int rc = 0;

    rebuilding->logs = calloc(store->by_o_cap + 1, sizeof(*rebuilding->logs));
    if (rebuilding->logs == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];

        rc = ent_log_head(store, log, err);
        rebuilding->logs[log->o].head = log->head;
        log->head = log->base;
    }
    return rc;
}

static int damaged(struct ent_store *store, const struct ent_log *log,
                   int64_t seq, struct ent_err *err)
{
    struct ent_buf name = {0};
    const char *who;
    int rc;

    ent_peer_name_put(store, &log->author, &name);
    who = ent_buf_cstr(&name);
    rc = ent_err_set(err, ENT_ESTORE,
                     ENT_N_("entry %lld of %s is damaged; nothing was rebuilt"),
                     (long long)seq, who != NULL ? who : "");
    ent_buf_fini(&name);
    return rc;
}

static int replay_entry(struct rebuilding *rebuilding, struct ent_log *log,
                        struct ent_err *err)
{
    struct ent_store *store = rebuilding->store;
    int64_t n = ent_n(log->o, log->head + 1);
    struct ent_entry entry;
    struct ent_hash kept;
    struct ent_hash hash;
    enum ent_verdict verdict;
    int rc;

    ent_arena_reset(&rebuilding->arena);
    rc = ent_log_read(store, n, &rebuilding->arena, &entry, &verdict, &kept,
                      err);
    if (rc == 0)
        rc = ent_seal_entry(&rebuilding->seal, &entry, &hash, err);
    if (rc == ENT_EREFUSED || rc == ENT_ENOTFOUND ||
        (rc == 0 && !ent_hash_equal(&hash, &kept)))
        return damaged(store, log, log->head + 1, err);
    if (rc == 0 && verdict == ENT_VERDICT_ACCEPTED)
        rc = ent_apply_entry(store, log->space, &entry, n, &hash,
                             &rebuilding->logs[log->o].sum, err);
    log->head++;
    return rc;
}

static int replay_logs(struct rebuilding *rebuilding, struct ent_err *err)
{
    struct ent_store *store = rebuilding->store;
    int rc = 0;

    for (size_t o = 1; rc == 0 && o < store->by_o_cap; o++) {
        struct ent_log *log = store->by_o[o];

        while (rc == 0 && log != NULL && log->head < rebuilding->logs[o].head)
            rc = replay_entry(rebuilding, log, err);
    }
    return rc;
}

/* The log keeps what its entries added when they came; the difference to what
 * they added now is the space's. */
static int set_adjust(struct rebuilding *rebuilding, int64_t space,
                      struct ent_err *err)
{
    struct ent_store *store = rebuilding->store;
    struct ent_sum sum = {0};

    for (size_t i = 0; i < store->log_count; i++)
        if (store->logs[i]->space == space)
            ent_sum_add(&sum, &rebuilding->logs[store->logs[i]->o].sum);
    return ent_space_set_sum(store, space, &sum, err);
}

static int set_adjusts(struct rebuilding *rebuilding, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&rebuilding->store->db, ENT_SQL_SPACES);
    int rc;

    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        rc = set_adjust(rebuilding, ent_stmt_int(stmt, 0), err);
        if (rc < 0)
            break;
    }
    ent_stmt_reset(stmt);
    return rc;
}

int ent_replay(struct ent_store *store, struct ent_err *err)
{
    struct rebuilding rebuilding = {.store = store};
    int rc = clear(store, err);

    if (rc == 0)
        rc = take_heads(&rebuilding, err);
    if (rc == 0)
        rc = ent_kept_begin(store, err);
    if (rc == 0)
        rc = replay_logs(&rebuilding, err);
    if (rc == 0)
        rc = ent_kept_end(store, err);
    if (rc == 0)
        rc = set_adjusts(&rebuilding, err);
    free(rebuilding.logs);
    ent_arena_fini(&rebuilding.arena);
    ent_seal_fini(&rebuilding.seal);
    return rc;
}

int ent_store_rebuild(struct ent_store *store, struct ent_err *err)
{
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    rc = ent_replay(store, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}
