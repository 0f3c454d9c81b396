/* judge.c - what the roster says of an entry (A3): when it comes, and anew
 * when the roster went another way. */
#include "store/replica.h"

int ent_judge(const struct ent_space_state *space,
              const struct ent_entry *entry, enum ent_verdict *verdict,
              struct ent_err *err)
{
    uint64_t pos =
        ent_roster_position(&space->roster, space->entries, space->entry_count,
                            entry->roster_pos, &entry->roster_hash);
    enum ent_role role;

    if (pos == 0)
        return ent_err_set(err, ENT_EWAIT,
                           ENT_N_("entries that name a roster not here yet"));
    role = ent_roster_role(&space->roster, pos, &entry->author);
    *verdict =
        role >= ENT_ROLE_EDITOR ? ENT_VERDICT_ACCEPTED : ENT_VERDICT_NO_ROLE;
    return 0;
}

/* -------------------------------------------------------------------- anew */

/* Whether the chain held before goes on in the one held now: then every entry
 * is judged as it was, because each names a head of the older chain. */
static bool chain_goes_on(const struct ent_hash *before, size_t count,
                          const struct ent_roster *now)
{
    return count <= now->length &&
           (count == 0 ||
            ent_hash_equal(&before[count - 1], &now->chain[count - 1]->hash));
}

/* The roster went another way below some entries: judge all of a log anew.
 * `changed` counts the entries that are judged otherwise now. */
static int judge_log(struct ent_store *store,
                     const struct ent_space_state *space, struct ent_log *log,
                     int64_t *changed, struct ent_err *err)
{
    struct ent_arena arena = {0};
    int rc = ent_log_head(store, log, err);

    for (int64_t seq = log->base + 1; rc == 0 && seq <= log->head; seq++) {
        int64_t n = ent_n(log->o, seq);
        enum ent_verdict before;
        enum ent_verdict now;
        struct ent_entry entry;
        struct ent_hash hash;
        struct ent_stmt *stmt;

        ent_arena_reset(&arena);
        rc = ent_log_read(store, n, &arena, &entry, &before, &hash, err);
        if (rc < 0 || before == ENT_VERDICT_BRANCH)
            continue;
        rc = ent_judge(space, &entry, &now, err);
        if (rc < 0 || now == before)
            continue;
        stmt = ent_db_stmt(&store->db, ENT_SQL_LOG_VERDICT);
        ent_stmt_bind_int(stmt, 1, n);
        ent_stmt_bind_int(stmt, 2, now);
        rc = ent_stmt_run(stmt, err);
        ent_log_meta_keep(store, n,
                          &(struct ent_log_meta){.at = entry.time_ms,
                                                 .verdict = now,
                                                 .hash = hash});
        ++*changed;
    }
    ent_arena_fini(&arena);
    return rc;
}

static int judge_space(struct ent_store *store, int64_t space,
                       struct ent_err *err)
{
    struct ent_space_state *state;
    int64_t changed = 0;
    int rc = ent_space_state(store, space, &state, err);

    for (size_t i = 0; rc == 0 && i < store->log_count; i++)
        if (store->logs[i]->space == space)
            rc = judge_log(store, state, store->logs[i], &changed, err);
    /* What was applied may have to go, and what was not to come: both follow
     * from replaying (A3, M3). */
    if (rc == 0 && changed > 0)
        rc = ent_replay(store, err);
    return rc;
}

int ent_judge_anew(struct ent_store *store, int64_t space,
                   const struct ent_hash *before, size_t count,
                   struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_space_state(store, space, &state, err);

    if (rc < 0 || chain_goes_on(before, count, &state->roster))
        return rc;
    return judge_space(store, space, err);
}
