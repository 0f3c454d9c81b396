/* branch.c - the branches of a forked log (A8): each goes on from the first
 * one seen, and shares its entries up to there. */
#include "store/replica.h"

struct ent_log *ent_branch_next(struct ent_store *store, int64_t space,
                                const struct ent_key *author,
                                const struct ent_id *origin, size_t *at)
{
    for (; *at < store->log_count; ++*at) {
        struct ent_log *log = store->logs[*at];

        if (log->space == space && ent_key_equal(&log->author, author) &&
            ent_id_equal(&log->id, origin))
            return store->logs[(*at)++];
    }
    return NULL;
}

int ent_branch_hash(struct ent_store *store, const struct ent_log *log,
                    int64_t seq, struct ent_hash *hash, bool *held,
                    struct ent_err *err)
{
    const struct ent_log *in = log;
    enum ent_verdict verdict;
    int rc;

    *held = false;
    if (seq > log->head || seq < 1)
        return 0;
    if (seq <= log->base)
        in = ent_log_find(store, log->space, &log->author, &log->id);
    if (in == NULL)
        return 0;
    rc = ent_log_hash(store, ent_n(in->o, seq), hash, &verdict, err);
    *held = rc == 0;
    return rc == ENT_ENOTFOUND ? 0 : rc;
}
