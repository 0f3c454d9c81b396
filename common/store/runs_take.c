/* runs_take.c - entries of other nodes come in: unpacked, hashed, checked and
 * judged before one is applied (rules L3, A3, A8). */
#include <string.h>

#include "codec/entry.h"
#include "store/peers.h"
#include "store/replica.h"
#include "store/runs.h"
#include "store/seal.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ----------------------------------------------------------- what a run is */

/* A run being taken: unpacked and hashed before anything is believed. */
struct taking {
    struct ent_store *store;
    struct ent_space_state *space;
    const struct ent_run *run;
    struct ent_log *log; /* the branch that the run goes on from; may be NULL */
    struct ent_arena arena;
    struct ent_seal seal;
    struct ent_entry *entries;
    struct ent_hash *hashes;
    enum ent_verdict *verdicts;
    size_t dropped; /* entries at the front that are held already */
    bool returns;   /* from what was set aside here, at any length */
    size_t kept;    /* without those at the end that are beyond a cut */
};

static void taking_fini(struct taking *taking)
{
    ent_arena_fini(&taking->arena);
    ent_seal_fini(&taking->seal);
}

/* Find the branch that holds the entry before the run, and that entry's
 * hash. ENT_EWAIT when we hold none. */
static int find_branch(struct taking *taking, struct ent_hash *prev,
                       struct ent_err *err)
{
    const struct ent_run *run = taking->run;
    struct ent_log *log;
    size_t at = 0;

    memset(prev, 0, sizeof(*prev));
    while ((log = ent_branch_next(taking->store, taking->space->space,
                                  &run->author, &run->origin, &at)) != NULL) {
        struct ent_hash hash;
        bool held;
        int rc = ent_log_head(taking->store, log, err);

        if (rc == 0 && run->from == 1) {
            taking->log = log;
            return 0;
        }
        if (rc == 0)
            rc = ent_branch_hash(taking->store, log, (int64_t)run->from - 1,
                                 &hash, &held, err);
        if (rc < 0)
            return rc;
        if (held && memcmp(hash.b, run->prev.b, ENT_HASH8_BYTES) == 0) {
            *prev = hash;
            taking->log = log;
            return 0;
        }
    }
    if (run->from == 1)
        return 0;
    return ent_err_set(err, ENT_EWAIT,
                       ENT_N_("entries whose predecessor is not here"));
}

/* Unpack every entry and hash it on to its predecessor; then the author's
 * signature over the last one vouches for all (L3). */
static int unpack(struct taking *taking, struct ent_err *err)
{
    const struct ent_run *run = taking->run;
    struct ent_hash prev;
    int rc = find_branch(taking, &prev, err);

    if (rc < 0)
        return rc;
    taking->entries =
        ENT_ARENA_NEW(&taking->arena, struct ent_entry, run->count);
    taking->hashes = ENT_ARENA_NEW(&taking->arena, struct ent_hash, run->count);
    if (taking->arena.rc < 0)
        return no_memory(err);
    for (size_t i = 0; rc == 0 && i < run->count; i++) {
        struct ent_entry *entry = &taking->entries[i];

        *entry = (struct ent_entry){.space = taking->space->id,
                                    .author = run->author,
                                    .origin = run->origin,
                                    .seq = run->from + i,
                                    .prev = prev};
        rc = ent_entry_get(run->entries[i], &taking->arena, entry, err);
        if (rc == 0)
            rc = ent_seal_entry(&taking->seal, entry, &prev, err);
        taking->hashes[i] = prev;
    }
    if (rc == 0 &&
        !ent_sig_verify(&run->author, ent_buf_slice(&taking->seal.header),
                        &run->sig))
        rc = ent_err_set(err, ENT_EREFUSED,
                         ENT_N_("entries whose signature does not hold"));
    return rc;
}

/* Every branch is looked at for entries we hold already: the run may repeat
 * them, and may leave a branch we know for one we do not. */
static int drop_held(struct taking *taking, struct ent_err *err)
{
    const struct ent_run *run = taking->run;
    struct ent_log *log;
    size_t at = 0;

    while ((log = ent_branch_next(taking->store, taking->space->space,
                                  &run->author, &run->origin, &at)) != NULL) {
        size_t same = 0;
        int rc = ent_log_head(taking->store, log, err);

        for (; rc == 0 && same < run->count; same++) {
            struct ent_hash hash;
            bool held;

            rc =
                ent_branch_hash(taking->store, log, (int64_t)(run->from + same),
                                &hash, &held, err);
            if (rc < 0 || !held ||
                !ent_hash_equal(&hash, &taking->hashes[same]))
                break;
        }
        if (rc < 0)
            return rc;
        if (same > taking->dropped) {
            taking->dropped = same;
            taking->log = log;
        }
    }
    return 0;
}

/* ------------------------------------------------------------ into the log */

/* The log to append to: the branch found, or a new branch when the run leaves
 * it before its head (A8). */
static int place(struct taking *taking, bool *forked, struct ent_err *err)
{
    static const struct ent_hash first;
    const struct ent_run *run = taking->run;
    int64_t before = (int64_t)(run->from + taking->dropped) - 1;
    int rc;

    if (taking->log == NULL)
        rc = ent_log_make(taking->store, taking->space->space, &run->author,
                          &run->origin, &first, 0, &taking->log, err);
    else if (taking->log->head > before) {
        *forked = true;
        rc = ent_log_make(taking->store, taking->space->space, &run->author,
                          &run->origin, &taking->hashes[taking->dropped],
                          before, &taking->log, err);
    } else {
        return 0;
    }
    return rc < 0 ? rc : ent_log_head(taking->store, taking->log, err);
}

static int append(struct taking *taking, size_t i, struct ent_taken *taken,
                  struct ent_err *err)
{
    static const struct ent_hash first;
    struct ent_log *log = taking->log;
    const struct ent_entry *entry = &taking->entries[i];
    struct ent_sum sum = log->sum;
    enum ent_verdict verdict = taking->verdicts[i];
    int rc = 0;

    if (verdict == ENT_VERDICT_ACCEPTED &&
        !ent_hash_equal(&log->branch, &first))
        verdict = ENT_VERDICT_BRANCH;
    if (verdict == ENT_VERDICT_ACCEPTED)
        rc = ent_apply_entry(taking->store, log->space, entry,
                             ent_n(log->o, log->head + 1), &taking->hashes[i],
                             &sum, err);
    if (rc == 0)
        rc = ent_log_append(taking->store, log, entry->time_ms, verdict,
                            &taking->hashes[i], &sum, taking->run->entries[i],
                            err);
    if (rc < 0)
        return rc;
    if (verdict == ENT_VERDICT_ACCEPTED)
        taken->applied++;
    else
        taken->quarantined++;
    return 0;
}

/* What the roster says of every entry that is new. One that has to wait makes
 * the whole run wait: the signature that vouches for it stands at the end. It
 * is not in the frontier, so it is asked for again when the roster has come. */
static int judge(struct taking *taking, struct ent_err *err)
{
    int rc = 0;

    taking->verdicts = ent_arena_array(&taking->arena, taking->run->count,
                                       sizeof(*taking->verdicts));
    if (taking->verdicts == NULL)
        return no_memory(err);
    taking->kept = taking->dropped;
    for (size_t i = taking->dropped; rc == 0 && i < taking->run->count; i++) {
        const struct ent_place place = {.log = taking->log,
                                        .after = &taking->hashes[i],
                                        .after_count = taking->run->count - i};

        rc = ent_judge(taking->store, taking->space, &taking->entries[i],
                       &place, &taking->verdicts[i], err);
        if (rc == 0 && taking->verdicts[i] != ENT_VERDICT_CUT)
            taking->kept = i + 1;
    }
    return rc;
}

static int take_run(struct taking *taking, struct ent_taken *taken,
                    bool *forked, struct ent_err *err)
{
    const struct ent_run *run = taking->run;
    int rc;

    size_t bytes = 0;

    for (size_t i = 0; i < run->count && !taking->returns; i++)
        bytes += run->entries[i].len;
    /* One signature for more than can be passed on in one message. */
    if (bytes > ENT_BATCH_BYTES_MAX + ENT_ENTRY_BYTES_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a run of entries over its limit of %d "
                                  "bytes"),
                           ENT_BATCH_BYTES_MAX + ENT_ENTRY_BYTES_MAX);
    if (run->count == 0 || run->from == 0 ||
        run->from + run->count - 1 > ENT_SEQ_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a run of entries out of range"));
    if (!ent_space_named(taking->space, &run->author))
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("entries of somebody who was never "
                                  "admitted"));
    rc = unpack(taking, err);
    if (rc == 0)
        rc = drop_held(taking, err);
    if (rc == 0)
        rc = judge(taking, err);
    if (rc < 0)
        return rc;
    taken->duplicate += (int64_t)taking->dropped;
    /* Beyond a cut: outside the frontier, and not kept of somebody else (A4).
     */
    taken->quarantined += (int64_t)(run->count - taking->kept);
    if (taking->dropped == taking->kept)
        return 0;
    rc = place(taking, forked, err);
    for (size_t i = taking->dropped; rc == 0 && i < taking->kept; i++)
        rc = append(taking, i, taken, err);
    if (rc == 0 && taking->kept == run->count)
        rc = ent_log_keep_sig(taking->store, taking->log, &run->sig, err);
    else if (rc == 0)
        rc = ent_log_cut_sig(taking->store, taking->space, taking->log, err);
    if (rc == 0 && *forked)
        rc = ent_judge_author(taking->store, taking->space->space, &run->author,
                              err);
    return rc;
}

/* ----------------------------------------------------------------- batches */

static int take_one(struct ent_store *store, struct ent_space_state *space,
                    const struct ent_run *run, int64_t now_ms,
                    struct ent_taken *taken, struct ent_err *err)
{
    struct taking taking = {.store = store, .space = space, .run = run};
    struct ent_err said = {0};
    bool forked = false;
    int rc = take_run(&taking, taken, &forked, &said);

    taking_fini(&taking);
    taken->received += (int64_t)run->count;
    taken->fork = taken->fork || forked;
    if (rc == 0 && forked)
        return ent_alarm_set(store, space->space, "fork",
                             ent_slice(run->author.b, ENT_KEY_BYTES), true,
                             now_ms, err);
    if (rc == 0)
        return 0;
    if (ent_is_own_trouble(rc)) {
        if (err != NULL)
            *err = said;
        return rc;
    }
    if (rc == ENT_EWAIT)
        taken->waiting += (int64_t)run->count;
    else
        taken->refused += (int64_t)run->count;
    if (taken->why[0] == '\0')
        memcpy(taken->why, said.text, sizeof(taken->why));
    return 0;
}

/* ------------------------------------------------------------- what returns */

/* What was set aside of a log from its head up to a readmitted one, as a run;
 * no entries when it is not all here. */
static int read_aside(struct ent_store *store, const struct ent_log *log,
                      const struct ent_cut_head *head, struct ent_arena *arena,
                      struct ent_run *run, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_RANGE);
    size_t room = head->seq - (uint64_t)log->head;
    struct ent_slice *entries = ENT_ARENA_NEW(arena, struct ent_slice, room);
    struct ent_hash hash = {0};
    int rc;

    if (entries == NULL)
        return no_memory(err);
    *run = (struct ent_run){.author = log->author,
                            .origin = log->id,
                            .from = (uint64_t)log->head + 1,
                            .prev = ent_hash_head(&log->head_hash),
                            .entries = entries};
    ent_stmt_bind_int(stmt, 1, ent_n(log->o, log->head + 1));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, (int64_t)head->seq));
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        if (ent_stmt_int(stmt, 0) !=
            ent_n(log->o, log->head + 1 + (int64_t)run->count))
            break;
        ent_stmt_copy(stmt, 1, hash.b, ENT_HASH_BYTES);
        entries[run->count++] = ent_arena_copy(arena, ent_stmt_bytes(stmt, 3));
    }
    ent_stmt_reset(stmt);
    if (rc >= 0 && arena->rc < 0)
        return no_memory(err);
    if (run->count != room || !ent_hash_equal(&hash, &head->hash))
        run->count = 0;
    memcpy(run->sig.b, head->sig.at, ENT_SIG_BYTES);
    return rc < 0 ? rc : 0;
}

static int return_head(struct ent_store *store, struct ent_space_state *space,
                       const struct ent_key *author,
                       const struct ent_cut_head *head, struct ent_err *err)
{
    struct ent_log *log =
        ent_log_find(store, space->space, author, &head->origin);
    struct taking taking = {.store = store, .space = space, .returns = true};
    struct ent_arena arena = {0};
    struct ent_taken taken = {0};
    struct ent_err said = {0};
    struct ent_stmt *stmt;
    struct ent_run run = {0};
    bool forked = false;
    int rc = 0;

    if (log != NULL)
        rc = ent_log_head(store, log, err);
    if (rc == 0 && log != NULL && log->head < (int64_t)head->seq &&
        head->seq - (uint64_t)log->head <= ENT_ASIDE_MAX)
        rc = read_aside(store, log, head, &arena, &run, err);
    if (rc == 0 && run.count > 0) {
        taking.run = &run;
        rc = take_run(&taking, &taken, &forked, &said);
        if (!ent_is_own_trouble(rc))
            rc = 0;
        else if (err != NULL)
            *err = said;
    }
    if (rc == 0 && run.count > 0) {
        stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_DROP);
        ent_stmt_bind_int(stmt, 1, ent_n(log->o, 0));
        ent_stmt_bind_int(stmt, 2, ent_n(log->o, log->head));
        rc = ent_stmt_run(stmt, err);
    }
    taking_fini(&taking);
    ent_arena_fini(&arena);
    return rc;
}

int ent_aside_return(struct ent_store *store, int64_t space,
                     struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_space_state(store, space, &state, err);

    for (size_t i = 0; rc == 0 && i < state->roster.person_count; i++) {
        const struct ent_roster_person *who = &state->roster.people[i];

        for (const struct ent_roster_mention *m = who->readmits;
             rc == 0 && m != NULL; m = m->before)
            for (size_t j = 0; rc == 0 && j < m->entry->head_count; j++)
                rc = return_head(store, state, &who->key, &m->entry->heads[j],
                                 err);
    }
    return rc;
}

/* ------------------------------------------------------------------ batches */

int ent_runs_take(struct ent_store *store, int64_t space,
                  const struct ent_key *from, const struct ent_run *runs,
                  size_t count, int64_t now_ms, struct ent_taken *taken,
                  struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_store_begin(store, err);

    memset(taken, 0, sizeof(*taken));
    if (rc < 0)
        return rc;
    rc = ent_space_state(store, space, &state, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = take_one(store, state, &runs[i], now_ms, taken, err);
    if (rc == 0)
        rc = ent_peer_count(store, from, taken, 0, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}
