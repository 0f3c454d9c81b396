/* take.c - a batch of runs of a peer, whatever becomes of them: in the log
 * (runs_take.c) or aside (aside_take.c). */
#include <string.h>

#include "base/limits.h"
#include "store/peers.h"
#include "store/replica.h"
#include "store/runs.h"

int ent_run_check(const struct ent_space_state *space,
                  const struct ent_run *run, struct ent_err *err)
{
    if (run->count == 0 || run->from == 0 ||
        run->from + run->count - 1 > ENT_SEQ_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a run of entries out of range"));
    if (!ent_space_named(space, &run->author))
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("entries of somebody who was never "
                                  "admitted"));
    return 0;
}

/* By how much a change may grow when its values are erased: a salt, and a
 * commitment in the place of the shortest values. */
#define STUB_BYTES (ENT_HASH_BYTES + 6)

int ent_run_check_bytes(const struct ent_run *run, size_t stub_bytes,
                        struct ent_err *err)
{
    size_t bytes = 0;

    for (size_t i = 0; i < run->count; i++)
        bytes += run->entries[i].len;
    if (bytes > ENT_RUN_BYTES_MAX + stub_bytes)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a run of entries over its limit of %d "
                                  "bytes"),
                           ENT_RUN_BYTES_MAX);
    return 0;
}

size_t ent_stub_bytes(const struct ent_entry *entry)
{
    return entry->has_seed ? 0 : entry->change_count * STUB_BYTES;
}

int ent_run_check_stubs(const struct ent_run *run,
                        const struct ent_entry *entries, size_t count,
                        struct ent_err *err)
{
    size_t bytes = 0;
    size_t more = 0;

    for (size_t i = 0; i < run->count; i++)
        bytes += run->entries[i].len;
    for (size_t i = 0; i < count; i++) {
        more += ent_stub_bytes(&entries[i]);
        for (size_t c = 0; c < entries[i].change_count; c++)
            if (entries[i].changes[c].has_commitment &&
                !entries[i].changes[c].erased)
                bytes += STUB_BYTES;
    }
    if (bytes > ENT_RUN_STUB_BYTES_MAX + more)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a run of entries that could not be passed "
                                  "on once they are erased"));
    return ent_run_check_bytes(run, more, err);
}

/* A run that is refused or waits is counted and harms no other. */
static int count_run(const struct ent_run *run, int rc,
                     const struct ent_err *said, struct ent_taken *taken,
                     struct ent_err *err)
{
    taken->received += (int64_t)run->count;
    if (rc == 0)
        return 0;
    if (ent_is_own_trouble(rc)) {
        if (err != NULL)
            *err = *said;
        return rc;
    }
    if (rc == ENT_EWAIT)
        taken->waiting += (int64_t)run->count;
    else
        taken->refused += (int64_t)run->count;
    if (taken->why[0] == '\0')
        memcpy(taken->why, said->text, sizeof(taken->why));
    return 0;
}

int ent_take_batch(struct ent_store *store, int64_t space,
                   const struct ent_key *from, const struct ent_run *runs,
                   size_t count, int64_t now_ms, ent_take_fn *take,
                   struct ent_taken *taken, struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_store_begin(store, err);

    memset(taken, 0, sizeof(*taken));
    if (rc < 0)
        return rc;
    rc = ent_space_state(store, space, &state, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_err said = {0};

        rc = take(store, state, &runs[i], now_ms, taken, &said);
        rc = count_run(&runs[i], rc, &said, taken, err);
    }
    if (rc == 0)
        rc = ent_peer_count(store, from, taken, 0, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}
