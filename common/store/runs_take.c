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
    size_t dropped; /* entries at the front that are held already */
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

static bool ever_admitted(const struct ent_space_state *space,
                          const struct ent_key *author)
{
    for (size_t i = 0; i < space->entry_count; i++)
        if (ent_key_equal(&space->entries[i].author, author) ||
            (space->entries[i].kind == ENT_ROSTER_ADMIT &&
             ent_key_equal(&space->entries[i].member, author)))
            return true;
    return false;
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
    enum ent_verdict verdict;
    int rc = ent_judge(taking->space, entry, &verdict, err);

    if (rc < 0)
        return rc;
    if (!ent_hash_equal(&log->branch, &first))
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

/* An entry that has to wait makes the whole run wait: the signature that
 * vouches for it stands at the end. It is not in the frontier, so it is asked
 * for again when the roster has come. */
static int check_waiting(const struct taking *taking, struct ent_err *err)
{
    enum ent_verdict verdict;
    int rc = 0;

    for (size_t i = taking->dropped; rc == 0 && i < taking->run->count; i++)
        rc = ent_judge(taking->space, &taking->entries[i], &verdict, err);
    return rc;
}

static int take_run(struct taking *taking, struct ent_taken *taken,
                    bool *forked, struct ent_err *err)
{
    const struct ent_run *run = taking->run;
    int rc;

    size_t bytes = 0;

    for (size_t i = 0; i < run->count; i++)
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
    if (!ever_admitted(taking->space, &run->author))
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("entries of somebody who was never "
                                  "admitted"));
    rc = unpack(taking, err);
    if (rc == 0)
        rc = drop_held(taking, err);
    if (rc == 0)
        rc = check_waiting(taking, err);
    if (rc < 0)
        return rc;
    taken->duplicate += (int64_t)taking->dropped;
    if (taking->dropped == run->count)
        return 0;
    rc = place(taking, forked, err);
    for (size_t i = taking->dropped; rc == 0 && i < run->count; i++)
        rc = append(taking, i, taken, err);
    if (rc == 0)
        rc = ent_log_keep_sig(taking->store, taking->log, &run->sig, err);
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
