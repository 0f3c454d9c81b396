/* branch.c - one branch of a log as if it were the whole of it (A8): its own
 * entries, and before them those of the branches it left. */
#include "store/replica.h"

const struct ent_log *ent_branch_at(struct ent_store *store,
                                    const struct ent_log *log, int64_t seq)
{
    while (log != NULL && seq <= log->base)
        log = ent_log_of(store, log->parent);
    return log;
}

int ent_branch_hash(struct ent_store *store, const struct ent_log *log,
                    int64_t seq, struct ent_hash *hash, bool *held,
                    struct ent_err *err)
{
    const struct ent_log *in = ent_branch_at(store, log, seq);
    enum ent_verdict verdict;
    int rc;

    *held = false;
    if (in == NULL || seq < 1)
        return 0;
    rc = ent_log_head(store, ent_log_of(store, in->o), err);
    if (rc < 0 || seq > in->head)
        return rc;
    rc = ent_log_hash(store, ent_n(in->o, seq), hash, &verdict, err);
    *held = rc == 0;
    return rc == ENT_ENOTFOUND ? 0 : rc;
}

int ent_branch_shared(struct ent_store *store, const struct ent_log *log,
                      int64_t *seq, struct ent_err *err)
{
    struct ent_log *other;
    size_t at = 0;
    int rc = 0;

    *seq = 0;
    while (rc == 0 && (other = ent_branch_next(store, log->space, &log->author,
                                               &log->id, &at)) != NULL) {
        if (other->parent != log->o || other->base <= *seq)
            continue;
        rc = ent_log_head(store, other, err);
        if (other->head > other->base)
            *seq = other->base;
    }
    return rc;
}
