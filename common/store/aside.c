/* aside.c - what lies beyond a cut is offered to the chair (A4): which entries
 * that were set aside there are, and runs of them. Frontiers, digests and
 * relays know nothing of them. */
#include "store/aside.h"

#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "store/runs.h"
#include "store/seal.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ------------------------------------------------------------------- chains */

/* The first number of the chain that ends in entry `to` of a branch. */
static int find_begin(struct ent_store *store, const struct ent_log *log,
                      int64_t to, int64_t *from, struct ent_err *err)
{
    const struct ent_log *in = ent_branch_at(store, log, to);
    int rc = 0;

    *from = to + 1;
    while (rc == 0 && in != NULL && *from > 1) {
        rc = ent_log_head(store, ent_log_of(store, in->o), err);
        if (rc < 0 || *from - 1 <= in->head)
            break;
        *from = in->head + 1;
        if (in->head > in->base)
            break;
        in = ent_branch_at(store, in, in->base);
    }
    return rc;
}

/* Hashes of what is set aside in one branch; 1: all of them. */
static int read_part(struct ent_store *store, const struct ent_log *in,
                     int64_t from, int64_t to, struct ent_hash *hashes,
                     struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_RANGE);
    int64_t seq = from;
    int rc;

    ent_stmt_bind_int(stmt, 1, ent_n(in->o, from));
    ent_stmt_bind_int(stmt, 2, ent_n(in->o, to));
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        if (ent_n_seq(ent_stmt_int(stmt, 0)) != seq)
            break;
        ent_stmt_copy(stmt, 1, hashes[seq++ - from].b, ENT_HASH_BYTES);
    }
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : seq == to + 1;
}

int ent_chain_read(struct ent_store *store, const struct ent_log *log,
                   int64_t to, struct ent_arena *arena, struct ent_chain *chain,
                   struct ent_err *err)
{
    const struct ent_log *in;
    int64_t seq;
    int rc = find_begin(store, log, to, &chain->from, err);

    if (rc < 0)
        return rc;
    if (to - chain->from >= ENT_OFFER_ENTRIES_MAX)
        to = chain->from + ENT_OFFER_ENTRIES_MAX - 1;
    chain->to = to;
    chain->hashes =
        ENT_ARENA_NEW(arena, struct ent_hash, (size_t)(to - chain->from + 1));
    if (chain->hashes == NULL)
        return no_memory(err);
    for (seq = to, rc = 1; rc > 0 && seq >= chain->from;) {
        int64_t low = chain->from;

        in = ent_branch_at(store, log, seq);
        if (in == NULL)
            rc = 0;
        else if (in->base >= low)
            low = in->base + 1;
        if (in != NULL)
            rc = read_part(store, in, low, seq,
                           &chain->hashes[low - chain->from], err);
        seq = low - 1;
    }
    if (rc == 0)
        chain->to = chain->from - 1;
    return rc < 0 ? rc : 0;
}

/* The hash of entry `seq`, set aside in that very branch. 1: it is there; it is
 * signed when `is_signed` says so. */
static int hash_aside(struct ent_store *store, const struct ent_log *in,
                      int64_t seq, struct ent_hash *hash, bool *is_signed,
                      struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_RANGE);
    int rc;

    ent_stmt_bind_int(stmt, 1, ent_n(in->o, seq));
    ent_stmt_bind_int(stmt, 2, ent_n(in->o, seq));
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        ent_stmt_copy(stmt, 1, hash->b, ENT_HASH_BYTES);
        *is_signed = ent_stmt_bytes(stmt, 2).len == ENT_SIG_BYTES;
    }
    ent_stmt_reset(stmt);
    return rc;
}

int ent_aside_held(struct ent_store *store, struct ent_log *in, int64_t seq,
                   struct ent_hash *hash, bool *is_signed, struct ent_err *err)
{
    enum ent_verdict verdict;
    int rc = ent_log_head(store, in, err);

    *is_signed = true;
    if (rc < 0 || seq <= in->base)
        return rc;
    if (seq > in->head)
        return hash_aside(store, in, seq, hash, is_signed, err);
    rc = ent_log_hash(store, ent_n(in->o, seq), hash, &verdict, err);
    return rc < 0 ? rc : 1;
}

bool ent_author_is_cut(const struct ent_space_state *space,
                       const struct ent_key *author)
{
    const struct ent_roster_person *who =
        ent_roster_person(&space->roster, author);

    return who != NULL && who->cuts != NULL;
}

/* ----------------------------------------------------------------- to offer */

/* The last entry of a branch that is aside and signed. 1: there is one. */
static int read_tip(struct ent_store *store, struct ent_log *log,
                    struct ent_head *head, struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc = ent_log_head(store, log, err);

    if (rc < 0)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_SIGNED);
    ent_stmt_bind_int(stmt, 1, ent_n(log->o, log->head + 1));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, ENT_SEQ_MAX));
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        *head =
            (struct ent_head){.author = log->author,
                              .origin = log->id,
                              .seq = (uint64_t)ent_n_seq(ent_stmt_int(stmt, 0)),
                              .o = log->o};
        ent_stmt_copy(stmt, 1, head->hash.b, ENT_HASH_BYTES);
    }
    ent_stmt_reset(stmt);
    return rc;
}

int ent_aside_any(struct ent_store *store, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_ALL);
    int rc = ent_stmt_step(stmt, err);

    ent_stmt_reset(stmt);
    return rc;
}

int ent_aside_heads(struct ent_store *store, int64_t space,
                    struct ent_head **heads, size_t *count, struct ent_err *err)
{
    struct ent_space_state *state;
    struct ent_head *list;
    size_t n = 0;
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc == 0)
        rc = ent_aside_any(store, err);
    if (rc < 0)
        return rc;
    list = calloc(store->log_count + 1, sizeof(*list));
    if (list == NULL)
        return no_memory(err);
    for (size_t i = 0; rc > 0 && i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];
        int found;

        if (log->space != space || !ent_author_is_cut(state, &log->author))
            continue;
        found = read_tip(store, log, &list[n], err);
        n += found > 0;
        if (found < 0)
            rc = found;
    }
    if (rc < 0) {
        free(list);
        return rc;
    }
    *heads = list;
    *count = n;
    return 0;
}

/* A run being read out of a chain. */
struct reading {
    struct ent_store *store;
    struct ent_space_state *space;
    const struct ent_log *log;
    struct ent_chain chain;
    struct ent_hash before; /* of the entry before the chain */
    struct ent_arena *arena;
    struct ent_slice *entries;
    size_t count;
    size_t bytes, bytes_max;
    struct ent_entry last; /* the last of them */
    size_t vouched;        /* entries up to the last signature held */
    struct ent_sig sig;
    bool own;  /* can be signed anywhere */
    bool back; /* what is not cut any more */
};

static const struct ent_hash *hash_before(const struct reading *reading,
                                          int64_t seq)
{
    return seq > reading->chain.from
               ? &reading->chain.hashes[seq - 1 - reading->chain.from]
               : &reading->before;
}

/* An entry, unpacked. 1: it belongs to the run by the roster of now; a removal
 * may have become void. */
static int is_of_run(struct reading *reading, struct ent_slice packed,
                     int64_t seq, struct ent_entry *entry, struct ent_err *err)
{
    const struct ent_chain *chain = &reading->chain;
    const struct ent_place place = {.log = reading->log,
                                    .from = (uint64_t)chain->from,
                                    .hashes = chain->hashes,
                                    .count =
                                        (size_t)(chain->to - chain->from + 1)};
    enum ent_verdict verdict;
    int rc;

    *entry = (struct ent_entry){.space = reading->space->id,
                                .author = reading->log->author,
                                .origin = reading->log->id,
                                .seq = (uint64_t)seq,
                                .prev = *hash_before(reading, seq)};
    rc = ent_entry_get(packed, reading->arena, entry, err);
    if (rc == 0)
        rc = ent_judge(reading->store, reading->space, entry, &place, &verdict,
                       err);
    if (rc == ENT_EWAIT)
        return 0;
    return rc < 0 ? rc : (verdict == ENT_VERDICT_CUT) != reading->back;
}

/* One entry more; 0: the run ends before it. A run without a signature yet
 * goes on as far as anybody would take it. */
static int read_entry(struct reading *reading, int64_t seq, struct ent_err *err)
{
    const struct ent_log *in = ent_branch_at(reading->store, reading->log, seq);
    struct ent_stmt *stmt =
        ent_db_stmt(&reading->store->db, ENT_SQL_ASIDE_RANGE);
    size_t most = reading->vouched > 0 || (reading->own && reading->count > 0)
                      ? reading->bytes_max
                      : ENT_RUN_BYTES_MAX;
    struct ent_slice packed = {0};
    struct ent_sig sig = {0};
    struct ent_entry entry;
    bool is_signed = false;
    int rc;

    ent_stmt_bind_int(stmt, 1, ent_n(in->o, seq));
    ent_stmt_bind_int(stmt, 2, ent_n(in->o, seq));
    rc = ent_stmt_step(stmt, err);
    if (rc > 0 && (reading->count == ENT_RUN_ENTRIES_MAX ||
                   reading->bytes + ent_stmt_bytes(stmt, 3).len > most))
        rc = 0;
    if (rc > 0) {
        is_signed = ent_stmt_bytes(stmt, 2).len == ENT_SIG_BYTES;
        if (is_signed)
            ent_stmt_copy(stmt, 2, sig.b, ENT_SIG_BYTES);
        packed = ent_arena_copy(reading->arena, ent_stmt_bytes(stmt, 3));
    }
    ent_stmt_reset(stmt);
    if (rc > 0 && reading->arena->rc < 0)
        return no_memory(err);
    if (rc > 0)
        rc = is_of_run(reading, packed, seq, &entry, err);
    if (rc <= 0)
        return rc;
    reading->last = entry;
    reading->bytes += packed.len;
    reading->entries[reading->count++] = packed;
    if (is_signed) {
        reading->vouched = reading->count;
        reading->sig = sig;
    }
    return 1;
}

/* What this node wrote it can sign anywhere. */
static int sign_last(struct reading *reading, struct ent_err *err)
{
    struct ent_seal seal = {0};
    struct ent_hash hash;
    int rc = ent_seal_entry(&seal, &reading->last, &hash, err);

    if (rc == 0 &&
        ent_hash_equal(&hash,
                       &reading->chain.hashes[reading->last.seq -
                                              (uint64_t)reading->chain.from])) {
        ent_sign(&reading->store->keys, ent_buf_slice(&seal.header),
                 &reading->sig);
        reading->vouched = reading->count;
    }
    ent_seal_fini(&seal);
    return rc;
}

/* The run begins where the chair asks, when that is on this chain, else with
 * the chain. */
static int64_t begin_at(const struct reading *reading, uint64_t from,
                        const struct ent_hash8 *prev)
{
    const struct ent_chain *chain = &reading->chain;

    if (from > (uint64_t)chain->from && from <= (uint64_t)chain->to + 1 &&
        memcmp(hash_before(reading, (int64_t)from)->b, prev->b,
               ENT_HASH8_BYTES) == 0)
        return (int64_t)from;
    return chain->from;
}

static int read_run(struct reading *reading, uint64_t from,
                    const struct ent_hash8 *prev, struct ent_run *run,
                    struct ent_err *err)
{
    int64_t seq = begin_at(reading, from, prev);
    int more = 1;

    reading->entries = ENT_ARENA_NEW(reading->arena, struct ent_slice,
                                     (size_t)(reading->chain.to - seq + 1));
    if (reading->entries == NULL)
        return no_memory(err);
    reading->own =
        ent_key_equal(&reading->log->author, &reading->store->keys.public);
    run->author = reading->log->author;
    run->origin = reading->log->id;
    run->from = (uint64_t)seq;
    run->prev = ent_hash_head(hash_before(reading, seq));
    for (; more > 0 && seq <= reading->chain.to; seq++)
        more = read_entry(reading, seq, err);
    if (more < 0)
        return more;
    if (reading->own && reading->count > reading->vouched)
        more = sign_last(reading, err);
    run->entries = reading->entries;
    run->count = reading->vouched;
    run->sig = reading->sig;
    return more < 0 ? more : 0;
}

/* The chain that ends in a tip, and a run of it. */
static int read_from_chain(struct reading *reading, const struct ent_head *tip,
                           uint64_t from, const struct ent_hash8 *prev,
                           struct ent_run *run, struct ent_err *err)
{
    bool held = true;
    int rc = ent_chain_read(reading->store, reading->log, (int64_t)tip->seq,
                            reading->arena, &reading->chain, err);

    if (rc == 0 && reading->chain.from > 1)
        rc = ent_branch_hash(reading->store, reading->log,
                             reading->chain.from - 1, &reading->before, &held,
                             err);
    if (rc < 0 || !held || reading->chain.to < reading->chain.from)
        return rc;
    return read_run(reading, from, prev, run, err);
}

int ent_aside_read(struct ent_store *store, int64_t space,
                   const struct ent_head *head, uint64_t from,
                   const struct ent_hash8 *prev, size_t bytes_max,
                   struct ent_arena *arena, struct ent_run *run,
                   struct ent_err *err)
{
    struct reading reading = {
        .store = store, .arena = arena, .bytes_max = bytes_max};
    struct ent_head tip;
    struct ent_log *log;
    size_t at = 0;
    int rc = ent_store_refresh(store, err);

    *run = (struct ent_run){.author = head->author, .origin = head->origin};
    if (rc == 0)
        rc = ent_space_state(store, space, &reading.space, err);
    while (rc == 0 && (log = ent_branch_next(store, space, &head->author,
                                             &head->origin, &at)) != NULL) {
        rc = read_tip(store, log, &tip, err);
        if (rc > 0 && memcmp(tip.hash.b, head->hash.b, ENT_HASH8_BYTES) == 0) {
            reading.log = log;
            break;
        }
        rc = rc < 0 ? rc : 0;
    }
    if (rc < 0 || reading.log == NULL)
        return rc;
    return read_from_chain(&reading, &tip, from, prev, run, err);
}

/* ------------------------------------------------------------ to come back */

/* An entry set aside at n: its hash, and its bytes into the arena. 1: found. */
static int read_one_aside(struct ent_store *store, int64_t n,
                          struct ent_arena *arena, struct ent_hash *hash,
                          struct ent_slice *entry, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_LAST);
    int rc;

    ent_stmt_bind_int(stmt, 1, n);
    ent_stmt_bind_int(stmt, 2, n);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        ent_stmt_copy(stmt, 1, hash->b, ENT_HASH_BYTES);
        *entry = ent_arena_copy(arena, ent_stmt_bytes(stmt, 2));
    }
    ent_stmt_reset(stmt);
    return rc >= 0 && arena->rc < 0 ? no_memory(err) : rc;
}

int ent_aside_read_head(struct ent_store *store, const struct ent_log *log,
                        const struct ent_cut_head *head,
                        struct ent_arena *arena, struct ent_run *run,
                        struct ent_err *err)
{
    const struct ent_log *in = ent_branch_at(store, log, (int64_t)head->seq);
    int64_t seq = (int64_t)head->seq;
    size_t room = head->seq < ENT_ASIDE_MAX ? head->seq : ENT_ASIDE_MAX;
    struct ent_slice *entries;
    size_t count = 0;
    struct ent_hash hash;
    int rc;

    memset(run, 0, sizeof(*run));
    rc = in == NULL ? 0 : ent_log_head(store, ent_log_of(store, in->o), err);
    if (rc < 0 || in == NULL || seq <= in->head)
        return rc;
    entries = ENT_ARENA_NEW(arena, struct ent_slice, room);
    rc = entries == NULL ? no_memory(err) : 1;
    for (; rc > 0 && seq > 0 && count < room; seq--) {
        in = ent_branch_at(store, in, seq);
        if (in != NULL)
            rc = ent_log_head(store, ent_log_of(store, in->o), err);
        if (in == NULL || rc < 0 || seq <= in->head)
            break;
        rc = read_one_aside(store, ent_n(in->o, seq), arena, &hash,
                            &entries[room - 1 - count], err);
        if (count == 0 && rc > 0 && !ent_hash_equal(&hash, &head->hash))
            rc = 0;
        count += rc > 0;
        if (rc == 0)
            return 0;
    }
    if (rc < 0 || in == NULL || count == 0)
        return rc < 0 ? rc : 0;
    if (seq > 0) {
        bool held;

        rc = ent_branch_hash(store, in, seq, &hash, &held, err);
        if (rc < 0 || !held)
            return rc;
        run->prev = ent_hash_head(&hash);
    }
    run->author = log->author;
    run->origin = log->id;
    run->from = (uint64_t)seq + 1;
    run->entries = entries + room - count;
    run->count = count;
    memcpy(run->sig.b, head->sig.at, ENT_SIG_BYTES);
    return 0;
}

int ent_aside_read_back(struct ent_store *store, struct ent_space_state *space,
                        struct ent_log *log, struct ent_arena *arena,
                        struct ent_run *run, struct ent_err *err)
{
    static const struct ent_hash8 none;
    struct reading reading = {.store = store,
                              .space = space,
                              .log = log,
                              .arena = arena,
                              .bytes_max = ENT_BATCH_BYTES_MAX,
                              .back = true};
    struct ent_head tip;
    int rc = read_tip(store, log, &tip, err);

    *run = (struct ent_run){.count = 0};
    if (rc <= 0)
        return rc;
    return read_from_chain(&reading, &tip, 1, &none, run, err);
}

/* ------------------------------------------------------------------- to ask */

/* The last entry below `seq` that is aside in a branch. 1: there is one. */
static int read_top(struct ent_store *store, const struct ent_log *in,
                    int64_t seq, uint64_t *from, struct ent_hash8 *prev,
                    struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_LAST);
    struct ent_hash hash;
    int rc;

    ent_stmt_bind_int(stmt, 1, ent_n(in->o, 0));
    ent_stmt_bind_int(stmt, 2, ent_n(in->o, seq - 1));
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        *from = (uint64_t)ent_n_seq(ent_stmt_int(stmt, 0)) + 1;
        ent_stmt_copy(stmt, 1, hash.b, ENT_HASH_BYTES);
        *prev = ent_hash_head(&hash);
    }
    ent_stmt_reset(stmt);
    return rc;
}

int ent_aside_want(struct ent_store *store, int64_t space,
                   const struct ent_head *head, unsigned back, uint64_t *from,
                   struct ent_hash8 *prev, struct ent_err *err)
{
    struct ent_space_state *state;
    struct ent_log *log;
    unsigned tops = 0;
    size_t at = 0;
    int rc = ent_store_refresh(store, err);

    *from = 0;
    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc < 0 || !ent_author_is_cut(state, &head->author))
        return rc;
    while ((log = ent_branch_next(store, space, &head->author, &head->origin,
                                  &at)) != NULL) {
        struct ent_hash hash;
        bool is_signed;

        rc = ent_aside_held(store, log, (int64_t)head->seq, &hash, &is_signed,
                            err);
        if (rc > 0 && is_signed &&
            memcmp(hash.b, head->hash.b, ENT_HASH8_BYTES) == 0) {
            *from = 0;
            return 0;
        }
        if (rc >= 0 && tops <= back) {
            rc = read_top(store, log, (int64_t)head->seq, from, prev, err);
            tops += rc > 0;
        }
        if (rc < 0)
            return rc;
    }
    if (tops > back)
        return 0;
    /* Of no branch that was tried: from the beginning, once. */
    *from = tops == back;
    memset(prev, 0, sizeof(*prev));
    return 0;
}

int ent_aside_room(struct ent_store *store, int64_t space,
                   const struct ent_key *author, int64_t *entries,
                   int64_t *bytes, struct ent_err *err)
{
    int rc = ent_store_refresh(store, err);

    *entries = ENT_OFFER_ENTRIES_MAX;
    *bytes = ENT_OFFER_BYTES_MAX;
    for (size_t i = 0; rc >= 0 && i < store->log_count; i++) {
        const struct ent_log *log = store->logs[i];
        struct ent_stmt *stmt;

        if (log->space != space || !ent_key_equal(&log->author, author))
            continue;
        stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_BYTES);
        ent_stmt_bind_int(stmt, 1, ent_n(log->o, 0));
        ent_stmt_bind_int(stmt, 2, ent_n(log->o, ENT_SEQ_MAX));
        rc = ent_stmt_step(stmt, err);
        if (rc > 0) {
            *entries -= ent_stmt_int(stmt, 0);
            *bytes -= ent_stmt_int(stmt, 1);
        }
        ent_stmt_reset(stmt);
    }
    return rc < 0 ? rc : 0;
}
