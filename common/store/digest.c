/* digest.c - what two replicas compare: roster, entries, state (rule S5). */
#include <stdlib.h>

#include "store/replica.h"
#include "store/runs.h"

static int read_adjust(struct ent_store *store, int64_t space,
                       struct ent_sum *adjust, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_SPACE_ADJUST);
    uint8_t bytes[ENT_SUM_BYTES];
    int rc;

    ent_stmt_bind_int(stmt, 1, space);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        ent_stmt_copy(stmt, 0, bytes, sizeof(bytes));
        *adjust = ent_sum_get(bytes);
    }
    ent_stmt_reset(stmt);
    if (rc == 0)
        return ent_err_set(err, ENT_ENOTFOUND, ENT_N_("no such space here"));
    return rc < 0 ? rc : 0;
}

int ent_logs_sum(struct ent_store *store, int64_t space, struct ent_sum *sum,
                 struct ent_err *err)
{
    struct ent_sum total = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];

        if (log->space != space)
            continue;
        rc = ent_log_head(store, log, err);
        if (rc == 0)
            ent_sum_add(&total, &log->sum);
    }
    if (rc == 0)
        *sum = total;
    return rc;
}

int ent_space_sum(struct ent_store *store, int64_t space, struct ent_sum *sum,
                  struct ent_err *err)
{
    struct ent_sum adjust;
    int rc = ent_logs_sum(store, space, sum, err);

    if (rc == 0)
        rc = read_adjust(store, space, &adjust, err);
    if (rc == 0)
        ent_sum_add(sum, &adjust);
    return rc;
}

int ent_space_set_sum(struct ent_store *store, int64_t space,
                      const struct ent_sum *sum, struct ent_err *err)
{
    struct ent_sum adjust = *sum;
    uint8_t bytes[ENT_SUM_BYTES];
    struct ent_stmt *stmt;
    struct ent_sum logs;
    int rc = ent_logs_sum(store, space, &logs, err);

    if (rc < 0)
        return rc;
    ent_sum_sub(&adjust, &logs);
    ent_sum_put(&adjust, bytes);
    stmt = ent_db_stmt(&store->db, ENT_SQL_SPACE_SET_ADJUST);
    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, bytes, sizeof(bytes));
    return ent_stmt_run(stmt, err);
}

/* Author, origin, number in 8 bytes big-endian and hash of every head. */
static int hash_heads(const struct ent_head *heads, size_t count,
                      struct ent_hash *hash, struct ent_err *err)
{
    struct ent_buf bytes = {0};
    int rc = 0;

    for (size_t i = 0; i < count; i++) {
        uint8_t seq[8];

        ent_be64_put(seq, heads[i].seq);
        ent_buf_put(&bytes, heads[i].author.b, ENT_KEY_BYTES);
        ent_buf_put(&bytes, heads[i].origin.b, ENT_ID_BYTES);
        ent_buf_put(&bytes, seq, sizeof(seq));
        ent_buf_put(&bytes, heads[i].hash.b, ENT_HASH_BYTES);
    }
    if (bytes.rc < 0)
        rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    else
        *hash = ent_hash_of(ent_buf_slice(&bytes));
    ent_buf_fini(&bytes);
    return rc;
}

int ent_digest_read(struct ent_store *store, int64_t space,
                    struct ent_digest *digest, struct ent_err *err)
{
    struct ent_space_state *state;
    struct ent_digest made;
    struct ent_head *heads;
    struct ent_sum sum;
    size_t count;
    int rc = ent_frontier_read(store, space, &heads, &count, err);

    if (rc < 0)
        return rc;
    rc = hash_heads(heads, count, &made.entries, err);
    free(heads);
    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc == 0)
        rc = ent_space_sum(store, space, &sum, err);
    if (rc < 0)
        return rc;
    ent_sum_put(&sum, made.state);
    made.roster = state->set_hash;
    *digest = made;
    return 0;
}
