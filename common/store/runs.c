/* runs.c - entries of other nodes in, entries for other nodes out (runs.h). */
#include "store/runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "store/peers.h"
#include "store/replica.h"
#include "store/seal.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* Bytes of a peer, or our own trouble? */
static bool is_ours(int rc)
{
    return rc == ENT_ENOMEM || rc == ENT_ESTORE;
}

/* ------------------------------------------------------------------- taking */

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

/* The next branch of this log at or after *at; the first one comes first. */
static struct ent_log *next_branch(struct ent_store *store, int64_t space,
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

/* Hash of entry `seq` as branch `log` sees it; false when it is not held. */
static int branch_hash(struct ent_store *store, const struct ent_log *log,
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

/* Find the branch that holds the entry before the run, and that entry's
 * hash. ENT_EWAIT when we hold none. */
static int find_branch(struct taking *taking, struct ent_hash *prev,
                       struct ent_err *err)
{
    const struct ent_run *run = taking->run;
    struct ent_log *log;
    size_t at = 0;

    memset(prev, 0, sizeof(*prev));
    while ((log = next_branch(taking->store, taking->space->space, &run->author,
                              &run->origin, &at)) != NULL) {
        struct ent_hash hash;
        bool held;
        int rc = ent_log_head(taking->store, log, err);

        if (rc == 0 && run->from == 1) {
            taking->log = log;
            return 0;
        }
        if (rc == 0)
            rc = branch_hash(taking->store, log, (int64_t)run->from - 1, &hash,
                             &held, err);
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

    while ((log = next_branch(taking->store, taking->space->space, &run->author,
                              &run->origin, &at)) != NULL) {
        size_t same = 0;
        int rc = ent_log_head(taking->store, log, err);

        for (; rc == 0 && same < run->count; same++) {
            struct ent_hash hash;
            bool held;

            rc = branch_hash(taking->store, log, (int64_t)(run->from + same),
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

/* What the roster says of an entry (A3): an accepted one, a quarantined one,
 * ENT_EWAIT for a roster head not held, ENT_EREFUSED for an author nobody ever
 * admitted. */
static int judge(const struct ent_space_state *space,
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
    int rc = judge(taking->space, entry, &verdict, err);

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
        rc = judge(taking->space, &taking->entries[i], &verdict, err);
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

static int alarm_stands(struct ent_store *store, int64_t space,
                        const char *what, struct ent_slice subject,
                        bool *stands, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ALARMS);
    int rc;

    *stands = false;
    ent_stmt_bind_int(stmt, 1, space);
    while ((rc = ent_stmt_step(stmt, err)) > 0)
        if (ent_slice_equal(ent_stmt_bytes(stmt, 0), ent_slice_str(what)) &&
            ent_slice_equal(ent_stmt_bytes(stmt, 1), subject))
            *stands = true;
    ent_stmt_reset(stmt);
    return rc;
}

int ent_alarm_set(struct ent_store *store, int64_t space, const char *what,
                  struct ent_slice subject, bool on, int64_t now_ms,
                  struct ent_err *err)
{
    struct ent_stmt *stmt;
    bool stands;
    int rc = alarm_stands(store, space, what, subject, &stands, err);

    if (rc < 0 || stands == on)
        return rc;
    stmt = ent_db_stmt(&store->db, on ? ENT_SQL_ALARM_PUT : ENT_SQL_ALARM_DROP);
    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_cstr(stmt, 2, what);
    ent_stmt_bind_blob(stmt, 3, subject.at, subject.len);
    if (on)
        ent_stmt_bind_int(stmt, 4, now_ms);
    return ent_stmt_run(stmt, err);
}

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
    if (is_ours(rc)) {
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

static int count_peer(struct ent_store *store, const struct ent_key *from,
                      const struct ent_taken *taken, int64_t sent,
                      struct ent_err *err)
{
    struct ent_stmt *stmt;

    if (from == NULL)
        return 0;
    stmt = ent_db_stmt(&store->db, ENT_SQL_PEER_COUNT);
    ent_stmt_bind_blob(stmt, 1, from->b, ENT_KEY_BYTES);
    ent_stmt_bind_int(stmt, 2, taken->received);
    ent_stmt_bind_int(stmt, 3, taken->applied);
    ent_stmt_bind_int(stmt, 4, taken->duplicate);
    ent_stmt_bind_int(stmt, 5, taken->quarantined);
    ent_stmt_bind_int(stmt, 6, taken->refused);
    ent_stmt_bind_int(stmt, 7, taken->waiting);
    ent_stmt_bind_int(stmt, 8, sent);
    return ent_stmt_run(stmt, err);
}

int ent_peer_sent(struct ent_store *store, const struct ent_key *key,
                  int64_t count, struct ent_err *err)
{
    static const struct ent_taken nothing;

    return count_peer(store, key, &nothing, count, err);
}

int ent_peer_refused(struct ent_store *store, const struct ent_key *key,
                     struct ent_err *err)
{
    struct ent_taken one = {.received = 1, .refused = 1};

    return count_peer(store, key, &one, 0, err);
}

#define HEARD_MS 60000       /* how old "last heard" may be */
#define HEARD_OFFSET_MS 1000 /* a clock this much off the one kept is news */

static bool heard_lately(struct ent_store *store, const struct ent_key *key,
                         int64_t now_ms, int64_t offset_ms)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_PEER_LAST);
    bool lately = false;

    ent_stmt_bind_blob(stmt, 1, key->b, ENT_KEY_BYTES);
    if (ent_stmt_step(stmt, NULL) > 0)
        lately = llabs(now_ms - ent_stmt_int(stmt, 0)) < HEARD_MS &&
                 llabs(offset_ms - ent_stmt_int(stmt, 1)) < HEARD_OFFSET_MS;
    ent_stmt_reset(stmt);
    return lately;
}

int ent_peer_heard(struct ent_store *store, const struct ent_key *key,
                   int64_t now_ms, int64_t offset_ms, struct ent_err *err)
{
    struct ent_stmt *stmt;

    if (heard_lately(store, key, now_ms, offset_ms))
        return 0;
    stmt = ent_db_stmt(&store->db, ENT_SQL_PEER_HEARD);

    ent_stmt_bind_blob(stmt, 1, key->b, ENT_KEY_BYTES);
    ent_stmt_bind_int(stmt, 2, now_ms);
    ent_stmt_bind_int(stmt, 3, offset_ms);
    return ent_stmt_run(stmt, err);
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
        rc = count_peer(store, from, taken, 0, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

/* ------------------------------------------------------------------ serving */

static int head_cmp(const void *a, const void *b)
{
    const struct ent_head *x = a;
    const struct ent_head *y = b;
    int cmp = memcmp(x->author.b, y->author.b, ENT_KEY_BYTES);

    if (cmp == 0)
        cmp = ent_id_cmp(&x->origin, &y->origin);
    if (cmp == 0 && x->seq != y->seq)
        cmp = x->seq < y->seq ? -1 : 1;
    return cmp != 0 ? cmp : memcmp(x->hash.b, y->hash.b, ENT_HASH_BYTES);
}

static bool own_tail_unsigned(struct ent_store *store, int64_t space)
{
    for (size_t i = 0; i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];

        if (log->space == space &&
            ent_key_equal(&log->author, &store->keys.public) &&
            ent_log_head(store, log, NULL) == 0 && log->head > log->signed_seq)
            return true;
    }
    return false;
}

static int sign_tails(struct ent_store *store, int64_t space,
                      struct ent_err *err)
{
    int rc = ent_store_refresh(store, err);

    if (rc < 0 || store->read_only || !own_tail_unsigned(store, space))
        return rc;
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    rc = ent_log_sign_tails(store, space, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

int ent_frontier_read(struct ent_store *store, int64_t space,
                      struct ent_head **heads, size_t *count,
                      struct ent_err *err)
{
    struct ent_head *list;
    size_t n = 0;
    int rc = sign_tails(store, space, err);

    if (rc < 0)
        return rc;
    list = calloc(store->log_count + 1, sizeof(*list));
    if (list == NULL)
        return no_memory(err);
    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];

        if (log->space != space)
            continue;
        rc = ent_log_head(store, log, err);
        if (rc < 0 || log->head <= log->base)
            continue;
        list[n++] = (struct ent_head){.author = log->author,
                                      .origin = log->id,
                                      .seq = (uint64_t)log->head,
                                      .hash = log->head_hash,
                                      .o = log->o};
    }
    if (rc < 0) {
        free(list);
        return rc;
    }
    qsort(list, n, sizeof(*list), head_cmp);
    *heads = list;
    *count = n;
    return 0;
}

int ent_frontier_want(struct ent_store *store, int64_t space,
                      const struct ent_head *head, unsigned back,
                      uint64_t *from, struct ent_hash8 *prev,
                      struct ent_err *err)
{
    struct ent_log *log;
    struct ent_log *nearest = NULL;
    struct ent_hash hash = {0};
    bool held = false;
    size_t at = 0;
    int64_t next = 1;
    int rc = ent_store_refresh(store, err);

    *from = 0;
    memset(prev, 0, sizeof(*prev));
    while (rc == 0 && (log = next_branch(store, space, &head->author,
                                         &head->origin, &at)) != NULL) {
        rc = ent_log_head(store, log, err);
        if (rc == 0)
            rc = branch_hash(store, log, (int64_t)head->seq, &hash, &held, err);
        if (rc < 0)
            return rc;
        if (held && memcmp(hash.b, head->hash.b, ENT_HASH8_BYTES) == 0)
            return 0;
        if (nearest == NULL || log->head > nearest->head)
            nearest = log;
    }
    if (rc < 0)
        return rc;
    if (nearest != NULL) {
        int64_t step =
            back == 0 ? 0 : (int64_t)1 << (back < 40 ? back - 1 : 39);

        next = nearest->head + 1;
        if (next > (int64_t)head->seq)
            next = (int64_t)head->seq;
        next = next > step ? next - step : 1;
        rc = branch_hash(store, nearest, next - 1, &hash, &held, err);
        if (rc < 0)
            return rc;
        if (held)
            *prev = ent_hash_head(&hash);
    }
    *from = (uint64_t)next;
    return 0;
}

#define RUN_ENTRIES_MAX 4096 /* entries in a run */
#define RUN_STOPS_MAX 64     /* signatures looked at for one run */

/* A place where a run may stop: a signature that we hold. */
struct stop {
    int64_t seq;
    struct ent_sig sig;
};

/* The stops at or after `seq`, ascending; an own log can stop anywhere. */
static int read_stops(struct ent_store *store, const struct ent_log *log,
                      int64_t seq, struct stop *stops, size_t *count,
                      struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_SIGNATURE_RANGE);
    int rc;

    *count = 0;
    ent_stmt_bind_int(stmt, 1, ent_n(log->o, seq));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, ENT_SEQ_MAX));
    ent_stmt_bind_int(stmt, 3, RUN_STOPS_MAX - 1);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        struct stop *stop = &stops[(*count)++];

        stop->seq = ent_n_seq(ent_stmt_int(stmt, 0));
        ent_stmt_copy(stmt, 1, stop->sig.b, ENT_SIG_BYTES);
    }
    ent_stmt_reset(stmt);
    if (rc == 0 && log->signed_seq >= seq)
        stops[(*count)++] = (struct stop){log->signed_seq, log->sig};
    return rc;
}

struct reading {
    struct ent_store *store;
    struct ent_arena *arena;
    struct ent_slice *entries;
    size_t count;
    size_t bytes;
    size_t bytes_max;
    bool own; /* may stop after any entry */
    struct stop stops[RUN_STOPS_MAX];
    size_t stop_count, stop_next;
    size_t vouched;     /* entries up to the last stop passed */
    struct ent_sig sig; /* of that stop */
};

/* Read rows of one branch until the run is full; a run that has passed no stop
 * yet goes on, because without one it could not be vouched for. */
static int read_rows(struct reading *reading, const struct ent_log *log,
                     int64_t seq, int64_t last, bool *full, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&reading->store->db, ENT_SQL_LOG_RANGE);
    int rc;

    ent_stmt_bind_int(stmt, 1, ent_n(log->o, seq));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, last));
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        struct ent_slice packed = ent_stmt_bytes(stmt, 4);
        bool enough = reading->own ? reading->count > 0 : reading->vouched > 0;
        const struct stop *stop = &reading->stops[reading->stop_next];

        if (reading->count == RUN_ENTRIES_MAX ||
            (enough && reading->bytes + packed.len > reading->bytes_max)) {
            *full = true;
            rc = 0;
            break;
        }
        reading->bytes += packed.len;
        reading->entries[reading->count++] =
            ent_arena_copy(reading->arena, packed);
        if (reading->stop_next < reading->stop_count &&
            ent_n_seq(ent_stmt_int(stmt, 0)) == stop->seq) {
            reading->vouched = reading->count;
            reading->sig = stop->sig;
            reading->stop_next++;
        }
    }
    ent_stmt_reset(stmt);
    return rc;
}

/* Both parts of a branch: what it shares with the first one, then its own. */
static int read_run(struct reading *reading, struct ent_log *log, int64_t from,
                    struct ent_err *err)
{
    bool full = false;
    int rc = 0;

    if (from <= log->base) {
        struct ent_log *first =
            ent_log_find(reading->store, log->space, &log->author, &log->id);

        if (first == NULL)
            return 0;
        rc = read_rows(reading, first, from, log->base, &full, err);
        from = log->base + 1;
    }
    if (rc == 0)
        rc = read_stops(reading->store, log, from, reading->stops,
                        &reading->stop_count, err);
    if (rc == 0 && !full)
        rc = read_rows(reading, log, from, log->head, &full, err);
    return rc;
}

int ent_run_read(struct ent_store *store, int64_t o, uint64_t from,
                 const struct ent_hash8 *prev, size_t bytes_max,
                 struct ent_arena *arena, struct ent_run *run,
                 struct ent_err *err)
{
    struct reading reading = {
        .store = store, .arena = arena, .bytes_max = bytes_max};
    struct ent_log *log;
    struct ent_hash before = {0};
    bool held = true;
    int rc = ent_store_refresh(store, err);

    if (rc < 0)
        return rc;
    log = ent_log_of(store, o);
    if (log == NULL)
        return ent_err_set(err, ENT_ENOTFOUND, ENT_N_("no such log here"));
    rc = ent_log_head(store, log, err);
    if (rc == 0 && from > 1)
        rc = branch_hash(store, log, (int64_t)from - 1, &before, &held, err);
    if (rc < 0)
        return rc;
    *run = (struct ent_run){
        .author = log->author, .origin = log->id, .from = from, .prev = *prev};
    if (from == 0 || !held || memcmp(before.b, prev->b, ENT_HASH8_BYTES) != 0)
        return 0;
    reading.own = ent_key_equal(&log->author, &store->keys.public);
    reading.entries = ENT_ARENA_NEW(arena, struct ent_slice, RUN_ENTRIES_MAX);
    if (reading.entries == NULL)
        return no_memory(err);
    rc = read_run(&reading, log, (int64_t)from, err);
    if (rc == 0 && arena->rc < 0)
        rc = no_memory(err);
    if (rc < 0)
        return rc;
    run->entries = reading.entries;
    run->count = reading.vouched;
    run->sig = reading.sig;
    run->head = (uint64_t)log->head;
    if (reading.own && reading.count > reading.vouched) {
        run->count = reading.count;
        rc = ent_log_sign(store,
                          ent_n(log->o, (int64_t)(from + reading.count) - 1),
                          &run->sig, err);
    }
    if (rc == 0 && run->count > 0) {
        rc = branch_hash(store, log, (int64_t)(from + run->count) - 1, &before,
                         &held, err);
        run->last = ent_hash_head(&before);
    }
    return rc;
}

/* ------------------------------------------------------------------- roster */

int ent_roster_hashes(struct ent_store *store, int64_t space,
                      struct ent_hash **hashes, size_t *count,
                      struct ent_err *err)
{
    struct ent_space_state *state;
    struct ent_stmt *stmt;
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc < 0)
        return rc;
    *hashes = calloc(state->entry_count + 1, sizeof(**hashes));
    if (*hashes == NULL)
        return no_memory(err);
    *count = 0;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ROSTER_HASHES);
    ent_stmt_bind_int(stmt, 1, space);
    while (*count < state->entry_count && (rc = ent_stmt_step(stmt, err)) > 0)
        ent_stmt_copy(stmt, 0, (*hashes)[(*count)++].b, ENT_HASH_BYTES);
    ent_stmt_reset(stmt);
    if (rc < 0) {
        free(*hashes);
        *hashes = NULL;
    }
    return rc < 0 ? rc : 0;
}

int ent_roster_read(struct ent_store *store, int64_t space,
                    const struct ent_hash *hash, struct ent_arena *arena,
                    struct ent_roster_bytes *entry, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ROSTER_GET);
    int rc;

    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, hash->b, ENT_HASH_BYTES);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        entry->header = ent_arena_copy(arena, ent_stmt_bytes(stmt, 0));
        ent_stmt_copy(stmt, 1, entry->sig.b, ENT_SIG_BYTES);
        entry->body = ent_arena_copy(arena, ent_stmt_bytes(stmt, 2));
    }
    ent_stmt_reset(stmt);
    if (rc == 0)
        return ent_err_set(err, ENT_ENOTFOUND,
                           ENT_N_("no such roster entry here"));
    if (rc > 0 && arena->rc < 0)
        return no_memory(err);
    return rc < 0 ? rc : 0;
}

/* Form, space and signature of one roster entry; its hash and position. */
static int check_roster(const struct ent_space_state *space,
                        const struct ent_roster_bytes *bytes,
                        struct ent_arena *arena, struct ent_hash *hash,
                        uint64_t *pos, struct ent_err *err)
{
    struct ent_roster_entry parsed = {0};
    struct ent_entry header = {0};
    struct ent_hash body_hash;
    struct ent_hash body;
    struct ent_id named;
    int rc;

    if (bytes->header.len + bytes->body.len > ENT_ROSTER_BYTES_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a roster entry over its limit of %d bytes"),
                           ENT_ROSTER_BYTES_MAX);
    rc = ent_header_get(bytes->header, ENT_ROSTER_TAG, arena, &header,
                        &body_hash, err);
    if (rc == 0)
        rc = ent_roster_body_get(bytes->body, &parsed, err);
    if (rc < 0)
        return rc;
    *hash = ent_hash_of(bytes->header);
    *pos = header.seq;
    body = ent_hash_of(bytes->body);
    /* The first entry names no space: its hash makes the space's id (A1). */
    named = header.space;
    if (header.seq == 1 && ent_id_is_zero(&named))
        memcpy(named.b, hash->b, ENT_ID_BYTES);
    if (!ent_id_equal(&named, &space->id) ||
        (header.seq == 1) != ent_id_is_zero(&header.space) ||
        (parsed.kind == ENT_ROSTER_FOUND) != (header.seq == 1))
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a roster entry of another space"));
    if (!ent_hash_equal(&body, &body_hash) || header.ref_count != 0 ||
        !ent_id_is_zero(&header.origin) || header.seq == 0)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a roster entry out of shape"));
    if (!ent_sig_verify(&header.author, bytes->header, &bytes->sig))
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a roster entry whose signature does not "
                                  "hold"));
    return 0;
}

static int insert_roster(struct ent_store *store, int64_t space,
                         const struct ent_roster_bytes *bytes,
                         const struct ent_hash *hash, uint64_t pos,
                         struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ROSTER_INSERT);

    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, hash->b, ENT_HASH_BYTES);
    ent_stmt_bind_int(stmt, 3, (int64_t)pos);
    ent_stmt_bind_blob(stmt, 4, bytes->header.at, bytes->header.len);
    ent_stmt_bind_blob(stmt, 5, bytes->sig.b, ENT_SIG_BYTES);
    ent_stmt_bind_blob(stmt, 6, bytes->body.at, bytes->body.len);
    return ent_stmt_run(stmt, err);
}

/* The state in memory is stale after a new entry. */
static int put_roster(struct ent_store *store,
                      const struct ent_space_state *state,
                      const struct ent_roster_bytes *bytes, bool *is_new,
                      struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_hash hash;
    uint64_t pos = 0;
    int rc = check_roster(state, bytes, &arena, &hash, &pos, err);

    *is_new = false;
    if (rc == 0)
        rc = insert_roster(store, state->space, bytes, &hash, pos, err);
    if (rc == 0)
        *is_new = sqlite3_changes(store->db.raw) > 0;
    ent_arena_fini(&arena);
    return rc;
}

int ent_roster_put(struct ent_store *store, int64_t space,
                   const struct ent_roster_bytes *bytes, bool *is_new,
                   struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_space_state(store, space, &state, err);

    if (rc == 0)
        rc = put_roster(store, state, bytes, is_new, err);
    if (rc == 0 && *is_new)
        ent_space_state_forget(store, space);
    return rc;
}

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
        rc = judge(space, &entry, &now, err);
        if (rc < 0 || now == before)
            continue;
        stmt = ent_db_stmt(&store->db, ENT_SQL_LOG_VERDICT);
        ent_stmt_bind_int(stmt, 1, n);
        ent_stmt_bind_int(stmt, 2, now);
        rc = ent_stmt_run(stmt, err);
        ent_log_hash_keep(store, n, &hash, now);
        ++*changed;
    }
    ent_arena_fini(&arena);
    return rc;
}

static int judge_anew(struct ent_store *store, int64_t space,
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

/* The hashes of the chain held now; free() them. */
static int chain_hashes(struct ent_store *store, int64_t space,
                        struct ent_hash **hashes, size_t *count,
                        struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_space_state(store, space, &state, err);

    if (rc < 0)
        return rc;
    *count = state->roster.length;
    *hashes = calloc(*count + 1, sizeof(**hashes));
    if (*hashes == NULL)
        return no_memory(err);
    for (size_t i = 0; i < *count; i++)
        (*hashes)[i] = state->roster.chain[i]->hash;
    return 0;
}

static int judge_if_needed(struct ent_store *store, int64_t space,
                           const struct ent_hash *before, size_t count,
                           struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_space_state(store, space, &state, err);

    if (rc < 0 || chain_goes_on(before, count, &state->roster))
        return rc;
    return judge_anew(store, space, err);
}

int ent_roster_take(struct ent_store *store, int64_t space,
                    const struct ent_roster_bytes *entries, size_t count,
                    struct ent_taken *taken, struct ent_err *err)
{
    struct ent_space_state *state;
    struct ent_hash *before = NULL;
    size_t before_count = 0;
    int rc = ent_store_begin(store, err);

    memset(taken, 0, sizeof(*taken));
    if (rc < 0)
        return rc;
    rc = ent_space_state(store, space, &state, err);
    if (rc == 0)
        rc = chain_hashes(store, space, &before, &before_count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_err said = {0};
        bool is_new;

        taken->received++;
        rc = put_roster(store, state, &entries[i], &is_new, &said);
        if (rc == 0) {
            taken->applied += is_new;
            taken->duplicate += !is_new;
            continue;
        }
        if (is_ours(rc)) {
            if (err != NULL)
                *err = said;
            break;
        }
        rc = 0;
        taken->refused++;
        if (taken->why[0] == '\0')
            memcpy(taken->why, said.text, sizeof(taken->why));
    }
    ent_space_state_forget(store, space);
    if (rc == 0 && taken->applied > 0)
        rc = judge_if_needed(store, space, before, before_count, err);
    free(before);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}
