/* runs_serve.c - entries for other nodes go out: the frontier, what to ask
 * for, and runs that end where a signature vouches for them (rule L3). */
#include <stdlib.h>
#include <string.h>

#include "store/replica.h"
#include "store/runs.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ------------------------------------------------------------ the frontier */

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

int ent_frontier_read(struct ent_store *store, int64_t space,
                      struct ent_head **heads, size_t *count,
                      struct ent_err *err)
{
    struct ent_head *list;
    int64_t shared;
    size_t n = 0;
    int rc = ent_store_refresh(store, err);

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
        if (rc == 0)
            rc = ent_branch_shared(store, log, &shared, err);
        if (rc < 0 || log->head <= log->base || log->head == shared)
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
    while (rc == 0 && (log = ent_branch_next(store, space, &head->author,
                                             &head->origin, &at)) != NULL) {
        rc = ent_log_head(store, log, err);
        if (rc == 0)
            rc = ent_branch_hash(store, log, (int64_t)head->seq, &hash, &held,
                                 err);
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
        rc = ent_branch_hash(store, nearest, next - 1, &hash, &held, err);
        if (rc < 0)
            return rc;
        if (held)
            *prev = ent_hash_head(&hash);
    }
    *from = (uint64_t)next;
    return 0;
}

int ent_frontier_covers(struct ent_store *store, int64_t space,
                        const struct ent_head *theirs,
                        const struct ent_head *head, bool *covers,
                        struct ent_err *err)
{
    size_t count = 0;
    size_t at = 0;
    struct ent_log *log;

    *covers = false;
    while ((log = ent_branch_next(store, space, &theirs->author,
                                  &theirs->origin, &at)) != NULL) {
        struct ent_hash hash;
        bool held;
        int rc = ent_branch_hash(store, log, (int64_t)theirs->seq, &hash, &held,
                                 err);

        if (rc == 0 && held &&
            memcmp(hash.b, theirs->hash.b, ENT_HASH8_BYTES) == 0) {
            rc = ent_branch_hash(store, log, (int64_t)head->seq, &hash, &held,
                                 err);
            *covers = held && ent_hash_equal(&hash, &head->hash);
            return rc;
        }
        if (rc < 0)
            return rc;
        count++;
    }
    *covers = count == 1;
    return 0;
}

/* -------------------------------------------------------------------- runs */

#define RUN_STOPS_MAX 64 /* signatures looked at for one run */

/* A place where a run may stop: a signature that we hold. */
struct stop {
    int64_t seq;
    struct ent_sig sig;
};

/* The stops from `seq` to `last`, ascending; an own log can stop anywhere. */
static int read_stops(struct ent_store *store, const struct ent_log *log,
                      int64_t seq, int64_t last, struct stop *stops,
                      size_t *count, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_SIGNATURE_RANGE);
    int rc;

    *count = 0;
    ent_stmt_bind_int(stmt, 1, ent_n(log->o, seq));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, last));
    ent_stmt_bind_int(stmt, 3, RUN_STOPS_MAX - 1);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        struct stop *stop = &stops[(*count)++];

        stop->seq = ent_n_seq(ent_stmt_int(stmt, 0));
        ent_stmt_copy(stmt, 1, stop->sig.b, ENT_SIG_BYTES);
    }
    ent_stmt_reset(stmt);
    if (rc == 0 && log->signed_seq >= seq && log->signed_seq <= last)
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
    bool own;  /* may stop after any entry */
    bool full; /* no more fits */
    struct stop stops[RUN_STOPS_MAX];
    size_t stop_count, stop_next;
    size_t vouched;     /* entries up to the last stop passed */
    struct ent_sig sig; /* of that stop */
};

/* Read rows of one branch until the run is full; a run that has passed no stop
 * yet goes on, because without one it could not be vouched for. */
static int read_rows(struct reading *reading, const struct ent_log *log,
                     int64_t seq, int64_t last, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&reading->store->db, ENT_SQL_LOG_RANGE);
    int rc;

    ent_stmt_bind_int(stmt, 1, ent_n(log->o, seq));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, last));
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        struct ent_slice packed = ent_stmt_bytes(stmt, 4);
        bool enough = reading->own ? reading->count > 0 : reading->vouched > 0;
        const struct stop *stop = &reading->stops[reading->stop_next];

        if (reading->count == ENT_RUN_ENTRIES_MAX ||
            (enough && reading->bytes + packed.len > reading->bytes_max)) {
            reading->full = true;
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

/* What a branch shares with the one it left, then its own. */
static int read_run(struct reading *reading, const struct ent_log *log,
                    int64_t from, int64_t last, struct ent_err *err)
{
    const struct ent_log *parent;
    int rc = 0;

    if (from <= log->base) {
        parent = ent_log_of(reading->store, log->parent);
        if (parent == NULL)
            return 0;
        rc = read_run(reading, parent, from, log->base, err);
        from = log->base + 1;
    }
    if (rc < 0 || reading->full || from > last)
        return rc;
    rc = read_stops(reading->store, log, from, last, reading->stops,
                    &reading->stop_count, err);
    reading->stop_next = 0;
    return rc < 0 ? rc : read_rows(reading, log, from, last, err);
}

/* A signature of our own; the last one is remembered, for the next peer. */
static int sign_stop(struct ent_store *store, struct ent_log *log, int64_t seq,
                     struct ent_sig *sig, struct ent_err *err)
{
    const struct ent_log *in = ent_branch_at(store, log, seq);
    int rc = 0;

    ENT_ASSERT(in != NULL);
    if (log->made_seq != seq)
        rc = ent_log_sign(store, ent_n(in->o, seq), &log->made, err);
    log->made_seq = rc == 0 ? seq : 0;
    *sig = log->made;
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
    uint64_t room;
    int rc = ent_store_refresh(store, err);

    if (rc < 0)
        return rc;
    log = ent_log_of(store, o);
    if (log == NULL)
        return ent_err_set(err, ENT_ENOTFOUND, ENT_N_("no such log here"));
    rc = ent_log_head(store, log, err);
    if (rc == 0 && from > 1)
        rc =
            ent_branch_hash(store, log, (int64_t)from - 1, &before, &held, err);
    if (rc < 0)
        return rc;
    *run = (struct ent_run){
        .author = log->author, .origin = log->id, .from = from, .prev = *prev};
    if (from == 0 || !held || memcmp(before.b, prev->b, ENT_HASH8_BYTES) != 0)
        return 0;
    reading.own = ent_key_equal(&log->author, &store->keys.public);
    room = from > (uint64_t)log->head ? 1 : (uint64_t)log->head - from + 1;
    reading.entries =
        ENT_ARENA_NEW(arena, struct ent_slice,
                      room < ENT_RUN_ENTRIES_MAX ? room : ENT_RUN_ENTRIES_MAX);
    if (reading.entries == NULL)
        return no_memory(err);
    rc = read_run(&reading, log, (int64_t)from, log->head, err);
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
        rc = sign_stop(store, log, (int64_t)(from + reading.count) - 1,
                       &run->sig, err);
    }
    if (rc == 0 && run->count > 0) {
        rc = ent_branch_hash(store, log, (int64_t)(from + run->count) - 1,
                             &before, &held, err);
        run->last = ent_hash_head(&before);
    }
    return rc;
}
