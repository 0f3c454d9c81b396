/* runs_take.c - entries of other nodes come in: unpacked, hashed, checked and
 * judged before one is applied (rules L3, A3, A8). */
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "store/aside.h"
#include "store/kept.h"
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
    struct ent_log *log; /* the branch that has the entry before what is new;
                          * may be NULL */
    int64_t now_ms;
    struct ent_arena arena;
    struct ent_seal seal;
    struct ent_buf stripped; /* an entry without what was erased */
    struct ent_entry *entries;
    struct ent_hash *hashes;
    enum ent_verdict *verdicts;
    size_t known;   /* entries at the front that were not unpacked */
    size_t dropped; /* entries at the front that are held already */
    bool returns;   /* from what was set aside here, at any length */
    bool delayed;   /* by ent_log_may_begin */
    bool aside;     /* something is here: some of the log may be */
    bool parted;    /* on the way, from what is aside of its log */
    size_t kept;    /* without those at the end that are beyond a cut */
};

static void taking_fini(struct taking *taking)
{
    ent_arena_fini(&taking->arena);
    ent_seal_fini(&taking->seal);
    ent_buf_fini(&taking->stripped);
}

/* The branch whose own entry that is; the first one for number 0. */
static struct ent_log *branch_of(struct taking *taking, struct ent_log *log,
                                 int64_t seq)
{
    return seq == 0
               ? ent_log_find(taking->store, log->space, &log->author, &log->id)
               : ent_log_of(taking->store,
                            ent_branch_at(taking->store, log, seq)->o);
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
            taking->log = branch_of(taking, log, 0);
            return 0;
        }
        if (rc == 0)
            rc = ent_branch_hash(taking->store, log, (int64_t)run->from - 1,
                                 &hash, &held, err);
        if (rc < 0)
            return rc;
        if (held && memcmp(hash.b, run->prev.b, ENT_HASH8_BYTES) == 0) {
            *prev = hash;
            taking->log = branch_of(taking, log, (int64_t)run->from - 1);
            return 0;
        }
    }
    if (run->from == 1)
        return 0;
    return ent_err_set(err, ENT_EWAIT,
                       ENT_N_("entries whose predecessor is not here"));
}

/* Entries at the front that the branch found holds byte for byte are what they
 * are known to be: in a mesh most runs repeat some. Not the last one, whose
 * header is signed. */
static int know_front(struct taking *taking, struct ent_hash *prev,
                      struct ent_err *err)
{
    const struct ent_run *run = taking->run;
    const struct ent_log *log = taking->log;
    struct ent_stmt *stmt;
    int rc = 0;

    if (log == NULL || (int64_t)run->from <= log->base ||
        (int64_t)run->from > log->head)
        return 0;
    stmt = ent_db_stmt(&taking->store->db, ENT_SQL_LOG_RANGE);
    ent_stmt_bind_int(stmt, 1, ent_n(log->o, (int64_t)run->from));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, log->head));
    while (taking->known + 1 < run->count &&
           (rc = ent_stmt_step(stmt, err)) > 0) {
        int64_t n = ent_stmt_int(stmt, 0);
        struct ent_log_meta meta = {
            .at = ent_stmt_int(stmt, 1),
            .verdict = (enum ent_verdict)ent_stmt_int(stmt, 2)};

        if (n != ent_n(log->o, (int64_t)(run->from + taking->known)) ||
            !ent_slice_equal(ent_stmt_bytes(stmt, 4),
                             run->entries[taking->known]))
            break;
        ent_stmt_copy(stmt, 3, meta.hash.b, ENT_HASH_BYTES);
        ent_log_meta_keep(taking->store, n, &meta);
        taking->hashes[taking->known++] = *prev = meta.hash;
    }
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
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
    rc = know_front(taking, &prev, err);
    for (size_t i = taking->known; rc == 0 && i < run->count; i++) {
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
            taking->log =
                branch_of(taking, log, (int64_t)(run->from + same) - 1);
        }
    }
    ENT_ASSERT(taking->dropped >= taking->known);
    return 0;
}

/* ------------------------------------------------------------ into the log */

/* Entries that were set aside of a log keep their numbers for them: `is` says
 * whether it is another. 1: one is aside under that number. */
static int is_set_aside(struct ent_store *store, const struct ent_log *log,
                        int64_t seq, const struct ent_hash *but, bool *is,
                        struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_LAST);
    struct ent_hash hash = {0};
    int rc;

    ent_stmt_bind_int(stmt, 1, ent_n(log->o, seq));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, seq));
    rc = ent_stmt_step(stmt, err);
    if (rc > 0)
        ent_stmt_copy(stmt, 1, hash.b, ENT_HASH_BYTES);
    ent_stmt_reset(stmt);
    *is = rc > 0 && !ent_hash_equal(&hash, but);
    return rc;
}

/* A flood of logs, or of branches, is delayed and never dropped, until a
 * removal ends it (A8): who has many gets another now and then. */
int ent_log_may_begin(struct ent_store *store, int64_t space,
                      const struct ent_key *author, int64_t now_ms,
                      bool *delayed, struct ent_err *err)
{
    int64_t wait = store->log_due_ms - now_ms;

    if (ent_logs_of_author(store, space, author, ENT_LOGS_FREE) < ENT_LOGS_FREE)
        return 0;
    if (wait > 0 && wait <= ENT_LOG_PAUSE_MS) {
        *delayed = true;
        return ent_err_set(err, ENT_EWAIT,
                           ENT_N_("its author has begun very many logs: they "
                                  "are taken slowly"));
    }
    store->log_due_ms = now_ms + ENT_LOG_PAUSE_MS;
    return 0;
}

static int may_begin(struct taking *taking, struct ent_err *err)
{
    return ent_log_may_begin(taking->store, taking->space->space,
                             &taking->run->author, taking->now_ms,
                             &taking->delayed, err);
}

/* The log to append to: the branch found, or a new one when the run leaves it
 * before its head (A8). */
static int place(struct taking *taking, bool *forked, struct ent_err *err)
{
    const struct ent_run *run = taking->run;
    const struct ent_hash *next = &taking->hashes[taking->dropped];
    int64_t before = (int64_t)(run->from + taking->dropped) - 1;
    struct ent_log *log = NULL;
    bool leaves = false;
    size_t at = 0;
    int rc = 0;

    while ((log = ent_branch_next(taking->store, taking->space->space,
                                  &run->author, &run->origin, &at)) != NULL)
        if (ent_hash_equal(&log->branch, next)) {
            taking->log = log;
            return 0;
        }
    if (taking->log != NULL) {
        leaves = taking->log->head > before;
        if (!leaves)
            rc = is_set_aside(taking->store, taking->log, before + 1, next,
                              &leaves, err);
        if (rc < 0 || !leaves)
            return rc < 0 ? rc : 0;
    }
    rc = may_begin(taking, err);
    if (rc == 0 && leaves)
        rc = ent_log_make_branch(taking->store, taking->log, before, next,
                                 &taking->log, err);
    else if (rc == 0)
        rc = ent_log_make(taking->store, taking->space->space, &run->author,
                          &run->origin, &taking->log, err);
    *forked = leaves;
    return rc < 0 ? rc : ent_log_head(taking->store, taking->log, err);
}

/* An entry that was aside is not any more; where another one is, it goes on in
 * a branch (A8). */
static int leave_aside(struct taking *taking, size_t i, struct ent_err *err)
{
    struct ent_log *log = taking->log;
    int64_t n = ent_n(log->o, log->head + 1);
    struct ent_stmt *stmt;
    bool other;
    int rc = is_set_aside(taking->store, log, log->head + 1, &taking->hashes[i],
                          &other, err);

    if (rc <= 0)
        return rc;
    if (!other) {
        stmt = ent_db_stmt(&taking->store->db, ENT_SQL_ASIDE_DROP);
        ent_stmt_bind_int(stmt, 1, n);
        ent_stmt_bind_int(stmt, 2, n);
        return ent_stmt_run(stmt, err);
    }
    rc = ent_log_make_branch(taking->store, log, log->head, &taking->hashes[i],
                             &taking->log, err);
    if (rc == 0)
        rc = ent_log_head(taking->store, taking->log, err);
    taking->parted = true;
    /* It may be aside there. */
    return rc == 0 ? leave_aside(taking, i, err) : rc;
}

static int append(struct taking *taking, size_t i, struct ent_taken *taken,
                  struct ent_err *err)
{
    struct ent_entry *entry = &taking->entries[i];
    enum ent_verdict verdict = taking->verdicts[i];
    struct ent_slice packed = taking->run->entries[i];
    int rc = taking->aside ? leave_aside(taking, i, err) : 0;
    struct ent_log *log = taking->log;
    struct ent_sum sum = log->sum;
    int64_t n = ent_n(log->o, log->head + 1);

    if (rc == 0)
        rc = ent_erase_strip(taking->store, taking->space, entry,
                             &taking->stripped, &packed, err);
    if (rc == 0)
        rc = ent_wanted_note(taking->store, log->space, n, entry, err);
    if (rc == 0 && verdict == ENT_VERDICT_ACCEPTED)
        rc = ent_apply_entry(taking->store, log->space, entry, n,
                             &taking->hashes[i], &sum, err);
    if (rc == 0)
        rc = ent_log_append(taking->store, log, entry->time_ms, verdict,
                            &taking->hashes[i], &sum, packed, err);
    if (rc < 0)
        return rc;
    if (verdict == ENT_VERDICT_ACCEPTED)
        taken->applied++;
    else
        taken->quarantined++;
    return 0;
}

/* They were found good: what fails now is our trouble, and all is undone. */
static int append_all(struct taking *taking, struct ent_taken *taken,
                      struct ent_err *err)
{
    int rc = ent_aside_any(taking->store, err);

    taking->aside = rc > 0;
    if (rc >= 0)
        rc = ent_kept_begin(taking->store, err);
    for (size_t i = taking->dropped; rc == 0 && i < taking->kept; i++)
        rc = append(taking, i, taken, err);
    if (rc == 0)
        rc = ent_kept_end(taking->store, err);
    return rc < 0 && !ent_is_own_trouble(rc) ? ENT_ESTORE : rc;
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
                                        .from = taking->run->from,
                                        .hashes = taking->hashes,
                                        .count = taking->run->count};

        rc = ent_judge(taking->store, taking->space, &taking->entries[i],
                       &place, &taking->verdicts[i], err);
        if (rc == 0 && taking->verdicts[i] != ENT_VERDICT_CUT)
            taking->kept = i + 1;
    }
    return rc;
}

/* Rule N3: somebody holds more of the log that this node writes than it does
 * itself, signed by its key: another copy of this replica wrote it, or this
 * one did before it was put back. That log is not written again. */
static int leave_own_log(struct taking *taking, bool forked,
                         struct ent_err *err)
{
    struct ent_store *store = taking->store;

    if (taking->returns ||
        !ent_key_equal(&taking->run->author, &store->keys.public) ||
        !ent_id_equal(&taking->run->origin, &store->origin))
        return 0;
    return ent_origin_change(
        store,
        forked ? ENT_N_("another copy of this replica wrote in its place: both "
                        "are kept")
               : ENT_N_("others hold more of what this node wrote than its "
                        "replica did"),
        taking->now_ms, err);
}

/* From the first change of the replica on whatever fails is our own trouble,
 * and all is undone. */
static int our_trouble(int rc)
{
    return rc < 0 && !ent_is_own_trouble(rc) ? ENT_ESTORE : rc;
}

/* Values that an entry held here lacks, and the same entry that came has (E3).
 */
static int fill_wanted(struct taking *taking, struct ent_err *err)
{
    struct ent_store *store = taking->store;
    int64_t space = taking->space->space;
    struct ent_touched filled = {0};
    int rc = 0;

    if (taking->known < taking->dropped) {
        struct ent_stmt *any = ent_db_stmt(&store->db, ENT_SQL_WANTED_ANY);

        rc = ent_stmt_step(any, err);
        ent_stmt_reset(any);
    }
    if (rc <= 0)
        return rc;
    rc = 0;
    for (size_t i = taking->known; rc == 0 && i < taking->dropped; i++) {
        int64_t seq = (int64_t)(taking->run->from + i);

        rc = ent_wanted_fill(
            store, space, ent_n(ent_branch_at(store, taking->log, seq)->o, seq),
            &taking->entries[i], &filled, err);
    }
    if (rc == 0 && filled.count > 0)
        rc = ent_records_anew(store, space, &filled, err);
    free(filled.keys);
    return our_trouble(rc);
}

static int take_run(struct taking *taking, struct ent_taken *taken,
                    bool *forked, struct ent_err *err)
{
    const struct ent_run *run = taking->run;
    size_t more = ENT_RUN_STUB_BYTES_MAX - ENT_RUN_BYTES_MAX;
    int rc = taking->returns ? 0 : ent_run_check_bytes(run, more, err);

    if (rc == 0)
        rc = ent_run_check(taking->space, run, err);
    if (rc < 0)
        return rc;
    rc = unpack(taking, err);
    if (rc == 0 && !taking->returns && taking->known == 0)
        rc = ent_run_check_stubs(run, taking->entries, run->count, err);
    if (rc == 0)
        rc = drop_held(taking, err);
    if (rc == 0)
        rc = judge(taking, err);
    if (rc == 0)
        rc = fill_wanted(taking, err);
    if (rc < 0)
        return rc;
    taken->duplicate += (int64_t)taking->dropped;
    /* Beyond a cut: outside the frontier, and not kept of somebody else (A4).
     */
    taken->quarantined += (int64_t)(run->count - taking->kept);
    if (taking->dropped == taking->kept)
        return 0;
    rc = place(taking, forked, err);
    if (rc == 0)
        rc = append_all(taking, taken, err);
    if (rc == 0 && taking->kept == run->count)
        rc = ent_log_keep_sig(taking->store, taking->log, &run->sig, err);
    else if (rc == 0)
        rc = ent_log_cut_sig(taking->store, taking->space, taking->log, err);
    *forked = *forked || taking->parted;
    if (rc == 0 && *forked && ent_author_is_cut(taking->space, &run->author))
        rc = our_trouble(ent_judge_author(taking->store, taking->space->space,
                                          &run->author, err));
    return rc == 0 ? leave_own_log(taking, *forked, err) : rc;
}

/* ------------------------------------------------------------- what returns */

/* A run of what was set aside; `came` says whether any of it is in the log. */
static int return_run(struct ent_store *store, struct ent_space_state *space,
                      const struct ent_run *run, bool *came,
                      struct ent_err *err)
{
    struct taking taking = {
        .store = store, .space = space, .run = run, .returns = true};
    struct ent_taken taken = {0};
    struct ent_err said = {0};
    bool forked = false;
    int rc = take_run(&taking, &taken, &forked, &said);

    *came = rc == 0 && taken.applied + taken.quarantined > 0;
    if (rc < 0 && !ent_is_own_trouble(rc))
        rc = 0;
    else if (rc < 0 && err != NULL)
        *err = said;
    taking_fini(&taking);
    return rc;
}

/* What was set aside of one branch up to that head. */
static int return_branch(struct ent_store *store, struct ent_space_state *space,
                         const struct ent_log *log,
                         const struct ent_cut_head *head, struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_run run = {0};
    bool came;
    int rc = ent_aside_read_head(store, log, head, &arena, &run, err);

    if (rc == 0 && run.count > 0)
        rc = return_run(store, space, &run, &came, err);
    ent_arena_fini(&arena);
    return rc;
}

/* A cut that became void takes nothing any more. */
static int return_uncut(struct ent_store *store, struct ent_space_state *space,
                        struct ent_err *err)
{
    struct ent_arena arena = {0};
    int rc = ent_aside_any(store, err);

    /* What returns may make branches: they come behind. */
    for (size_t o = 1; rc > 0 && o < store->by_o_cap; o++) {
        bool came = true;

        while (rc > 0 && came && store->by_o[o] != NULL &&
               store->by_o[o]->space == space->space) {
            struct ent_run run;
            int each;

            ent_arena_reset(&arena);
            came = false;
            each = ent_aside_read_back(store, space, store->by_o[o], &arena,
                                       &run, err);
            if (each == 0 && run.count > 0)
                each = return_run(store, space, &run, &came, err);
            if (each < 0)
                rc = each;
        }
    }
    ent_arena_fini(&arena);
    return rc < 0 ? rc : 0;
}

static int return_head(struct ent_store *store, struct ent_space_state *space,
                       const struct ent_key *author,
                       const struct ent_cut_head *head, struct ent_err *err)
{
    size_t count =
        ent_branch_count(store, space->space, author, &head->origin, SIZE_MAX);
    int rc = 0;

    /* By number: what returns may make a branch, and they are in order. */
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct ent_log *log = NULL;
        size_t at = 0;

        for (size_t j = 0; j <= i; j++)
            log = ent_branch_next(store, space->space, author, &head->origin,
                                  &at);
        if (log != NULL)
            rc = return_branch(store, space, log, head, err);
    }
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
    return rc == 0 ? return_uncut(store, state, err) : rc;
}

/* ------------------------------------------------------------------ batches */

static int take_one(struct ent_store *store, struct ent_space_state *space,
                    const struct ent_run *run, int64_t now_ms,
                    struct ent_taken *taken, struct ent_err *err)
{
    struct taking taking = {
        .store = store, .space = space, .run = run, .now_ms = now_ms};
    bool forked = false;
    int rc = take_run(&taking, taken, &forked, err);

    if (rc == 0 && forked)
        rc = ent_alarm_set(store, space->space, "fork",
                           ent_slice(run->author.b, ENT_KEY_BYTES), true,
                           now_ms, err);
    taken->fork = taken->fork || forked;
    taken->delayed = taken->delayed || taking.delayed;
    taking_fini(&taking);
    return rc;
}

int ent_runs_take(struct ent_store *store, int64_t space,
                  const struct ent_key *from, const struct ent_run *runs,
                  size_t count, int64_t now_ms, struct ent_taken *taken,
                  struct ent_err *err)
{
    return ent_take_batch(store, space, from, runs, count, now_ms, take_one,
                          taken, err);
}
