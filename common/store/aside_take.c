/* aside_take.c - entries beyond a cut that a member offers are kept aside at
 * the chair (A4): unpacked, hashed, checked and judged before one is. */
#include <string.h>

#include "codec/entry.h"
#include "store/aside.h"
#include "store/peers.h"
#include "store/runs.h"
#include "store/seal.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* A run that a member offers, unpacked and hashed before it is believed. */
struct keeping {
    struct ent_store *store;
    struct ent_space_state *space;
    const struct ent_run *run;
    int64_t now_ms;
    struct ent_log *log; /* the branch in which the entry before what is new
                          * stands; NULL: there is none */
    struct ent_hash prev;
    struct ent_chain below; /* what is aside before the run */
    struct ent_arena arena;
    struct ent_seal seal;
    struct ent_buf stripped; /* an entry without what was erased */
    struct ent_entry *entries;
    struct ent_hash *hashes; /* of what is below, then of the run */
    size_t below_count;
    size_t held; /* entries at the front that are here already */
    bool forked;
    bool delayed;
};

static const struct ent_hash *hash_of(const struct keeping *keeping, size_t i)
{
    return &keeping->hashes[keeping->below_count + i];
}

/* The branch that holds the entry before the run. ENT_EWAIT: none. */
static int find_base(struct keeping *keeping, struct ent_err *err)
{
    const struct ent_run *run = keeping->run;
    struct ent_store *store = keeping->store;
    int64_t seq = (int64_t)run->from - 1;
    struct ent_log *log;
    size_t at = 0;

    keeping->below = (struct ent_chain){.from = (int64_t)run->from, .to = seq};
    if (seq == 0) {
        keeping->log = ent_log_find(store, keeping->space->space, &run->author,
                                    &run->origin);
        return 0;
    }
    while ((log = ent_branch_next(store, keeping->space->space, &run->author,
                                  &run->origin, &at)) != NULL) {
        bool is_signed;
        int rc =
            ent_aside_held(store, log, seq, &keeping->prev, &is_signed, err);

        if (rc < 0)
            return rc;
        if (rc > 0 &&
            memcmp(keeping->prev.b, run->prev.b, ENT_HASH8_BYTES) == 0) {
            keeping->log = log;
            if (seq > log->head)
                rc = ent_chain_read(store, log, seq, &keeping->arena,
                                    &keeping->below, err);
            if (rc < 0 || keeping->below.to == seq)
                return rc < 0 ? rc : 0;
            break;
        }
    }
    return ent_err_set(err, ENT_EWAIT,
                       ENT_N_("entries whose predecessor is not here"));
}

/* Each entry hashed on to its predecessor, and the author's signature over the
 * last one (L3). */
static int unpack(struct keeping *keeping, struct ent_err *err)
{
    const struct ent_run *run = keeping->run;
    struct ent_hash prev;
    int rc = find_base(keeping, err);

    if (rc < 0)
        return rc;
    prev = keeping->prev;
    keeping->below_count =
        (size_t)(keeping->below.to - keeping->below.from + 1);
    keeping->entries =
        ENT_ARENA_NEW(&keeping->arena, struct ent_entry, run->count);
    keeping->hashes = ENT_ARENA_NEW(&keeping->arena, struct ent_hash,
                                    keeping->below_count + run->count);
    if (keeping->arena.rc < 0)
        return no_memory(err);
    if (keeping->below_count > 0)
        memcpy(keeping->hashes, keeping->below.hashes,
               keeping->below_count * sizeof(*keeping->hashes));
    for (size_t i = 0; rc == 0 && i < run->count; i++) {
        struct ent_entry *entry = &keeping->entries[i];

        *entry = (struct ent_entry){.space = keeping->space->id,
                                    .author = run->author,
                                    .origin = run->origin,
                                    .seq = run->from + i,
                                    .prev = prev};
        rc = ent_entry_get(run->entries[i], &keeping->arena, entry, err);
        if (rc == 0)
            rc = ent_seal_entry(&keeping->seal, entry, &prev, err);
        keeping->hashes[keeping->below_count + i] = prev;
    }
    if (rc == 0 &&
        !ent_sig_verify(&run->author, ent_buf_slice(&keeping->seal.header),
                        &run->sig))
        rc = ent_err_set(err, ENT_EREFUSED,
                         ENT_N_("entries whose signature does not hold"));
    return rc;
}

/* Whether an entry of this log is held in the log. */
static int is_in_log(struct keeping *keeping, const struct ent_cut_head *head,
                     bool *is, struct ent_err *err)
{
    const struct ent_run *run = keeping->run;
    struct ent_log *log;
    size_t at = 0;
    int rc = 0;

    *is = false;
    while (rc == 0 && !*is &&
           (log = ent_branch_next(keeping->store, keeping->space->space,
                                  &run->author, &run->origin, &at)) != NULL) {
        struct ent_hash hash;
        bool held;

        rc = ent_branch_hash(keeping->store, log, (int64_t)head->seq, &hash,
                             &held, err);
        *is = rc == 0 && held && ent_hash_equal(&hash, &head->hash);
    }
    return rc;
}

/* While a head that a cut keeps has not come, what the cut takes depends on
 * what else is held (A4): the two sides may differ for a while. */
static int is_head_missing(struct keeping *keeping, bool *is,
                           struct ent_err *err)
{
    const struct ent_roster_person *who =
        ent_roster_person(&keeping->space->roster, &keeping->run->author);
    int rc = 0;

    *is = false;
    for (const struct ent_roster_mention *m = who->cuts;
         rc == 0 && !*is && m != NULL; m = m->before)
        for (size_t i = 0; rc == 0 && !*is && i < m->entry->head_count; i++) {
            const struct ent_cut_head *head = &m->entry->heads[i];
            bool held = true;

            if (ent_id_equal(&head->origin, &keeping->run->origin))
                rc = is_in_log(keeping, head, &held, err);
            *is = !held;
        }
    return rc;
}

/* Every one of them must be what a cut takes out. */
static int judge(struct keeping *keeping, struct ent_err *err)
{
    const struct ent_place place = {.log = keeping->log,
                                    .from = (uint64_t)keeping->below.from,
                                    .hashes = keeping->hashes,
                                    .count = keeping->below_count +
                                             keeping->run->count};
    enum ent_verdict verdict = ENT_VERDICT_CUT;
    bool missing = false;
    int rc = 0;

    for (size_t i = 0;
         rc == 0 && verdict == ENT_VERDICT_CUT && i < keeping->run->count; i++)
        rc = ent_judge(keeping->store, keeping->space, &keeping->entries[i],
                       &place, &verdict, err);
    if (rc < 0 || verdict == ENT_VERDICT_CUT)
        return rc;
    rc = is_head_missing(keeping, &missing, err);
    if (rc < 0)
        return rc;
    return ent_err_set(err, missing ? ENT_EWAIT : ENT_EREFUSED,
                       ENT_N_("entries offered as beyond a cut that no cut "
                              "takes"));
}

/* Whether a branch holds that very entry as its own. */
static int holds(struct keeping *keeping, struct ent_log *log, size_t i,
                 struct ent_err *err)
{
    struct ent_hash hash;
    bool is_signed;
    int rc =
        ent_aside_held(keeping->store, log, (int64_t)(keeping->run->from + i),
                       &hash, &is_signed, err);

    return rc > 0 ? ent_hash_equal(&hash, hash_of(keeping, i)) : rc;
}

/* What is here already, in the log or aside, in whatever branches. */
static int drop_held(struct keeping *keeping, struct ent_err *err)
{
    const struct ent_run *run = keeping->run;
    int found = 1;

    while (found > 0 && keeping->held < run->count) {
        struct ent_log *log = keeping->log;
        size_t at = 0;

        found = log == NULL ? 0 : holds(keeping, log, keeping->held, err);
        while (found == 0 &&
               (log = ent_branch_next(keeping->store, keeping->space->space,
                                      &run->author, &run->origin, &at)) != NULL)
            found = holds(keeping, log, keeping->held, err);
        if (found > 0) {
            keeping->log = log;
            keeping->held++;
        }
    }
    return found < 0 ? found : 0;
}

/* Whether a branch has nothing from that number on, in the log or aside. */
static int is_free(struct ent_store *store, struct ent_log *log, int64_t seq,
                   struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc = ent_log_head(store, log, err);

    if (rc < 0 || log->head >= seq)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_LAST);
    ent_stmt_bind_int(stmt, 1, ent_n(log->o, seq));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, ENT_SEQ_MAX));
    rc = ent_stmt_step(stmt, err);
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : rc == 0;
}

/* The branch they go on in: that of the entry before, or a new one where its
 * place is taken (A8). */
static int place(struct keeping *keeping, struct ent_err *err)
{
    const struct ent_run *run = keeping->run;
    struct ent_store *store = keeping->store;
    int64_t space = keeping->space->space;
    int64_t seq = (int64_t)(run->from + keeping->held);
    const struct ent_hash *next = hash_of(keeping, keeping->held);
    struct ent_log *log;
    size_t at = 0;
    int rc = 0;

    while ((log = ent_branch_next(store, space, &run->author, &run->origin,
                                  &at)) != NULL)
        if (ent_hash_equal(&log->branch, next)) {
            keeping->log = log;
            return 0;
        }
    if (keeping->log != NULL)
        rc = is_free(store, keeping->log, seq, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = ent_log_may_begin(store, space, &run->author, keeping->now_ms,
                           &keeping->delayed, err);
    if (rc < 0)
        return rc;
    if (keeping->log == NULL)
        return ent_log_make(store, space, &run->author, &run->origin,
                            &keeping->log, err);
    keeping->forked = true;
    return ent_log_make_branch(store, keeping->log, seq - 1, next,
                               &keeping->log, err);
}

static int check_room(struct keeping *keeping, struct ent_err *err)
{
    const struct ent_run *run = keeping->run;
    int64_t entries;
    int64_t bytes;
    int rc = ent_aside_room(keeping->store, keeping->space->space, &run->author,
                            &entries, &bytes, err);

    for (size_t i = keeping->held; i < run->count; i++)
        bytes -= (int64_t)run->entries[i].len;
    entries -= (int64_t)(run->count - keeping->held);
    if (rc < 0 || (entries >= 0 && bytes >= 0))
        return rc;
    keeping->delayed = true;
    rc = ent_alarm_set(keeping->store, keeping->space->space, "aside",
                       ent_slice(run->author.b, ENT_KEY_BYTES), true,
                       keeping->now_ms, err);
    if (rc < 0)
        return rc;
    return ent_err_set(err, ENT_EWAIT,
                       ENT_N_("more of one author than is kept beyond a cut"));
}

static int keep_entry(struct keeping *keeping, size_t i, struct ent_err *err)
{
    const struct ent_run *run = keeping->run;
    struct ent_slice packed = run->entries[i];
    int64_t n = ent_n(keeping->log->o, (int64_t)(run->from + i));
    struct ent_stmt *stmt;
    int rc =
        ent_erase_strip(keeping->store, keeping->space, &keeping->entries[i],
                        &keeping->stripped, &packed, err);

    if (rc < 0)
        return rc;
    stmt = ent_db_stmt(&keeping->store->db, ENT_SQL_ASIDE_INSERT);
    ent_stmt_bind_int(stmt, 1, n);
    ent_stmt_bind_int(stmt, 2, keeping->entries[i].time_ms);
    ent_stmt_bind_blob(stmt, 3, hash_of(keeping, i)->b, ENT_HASH_BYTES);
    ent_stmt_bind_blob(stmt, 4, packed.at, packed.len);
    return ent_stmt_run(stmt, err);
}

static int keep_entries(struct keeping *keeping, struct ent_err *err)
{
    int rc = 0;

    for (size_t i = keeping->held; rc == 0 && i < keeping->run->count; i++)
        rc = keep_entry(keeping, i, err);
    return rc;
}

/* The signature that came, over the last entry: also of one held without. */
static int keep_sig(struct keeping *keeping, struct ent_err *err)
{
    const struct ent_run *run = keeping->run;
    struct ent_stmt *stmt =
        ent_db_stmt(&keeping->store->db, ENT_SQL_ASIDE_SIGN);

    ent_stmt_bind_int(
        stmt, 1, ent_n(keeping->log->o, (int64_t)(run->from + run->count) - 1));
    ent_stmt_bind_blob(stmt, 2, run->sig.b, ENT_SIG_BYTES);
    return ent_stmt_run(stmt, err);
}

/* Rule N3 as for what goes into the log; and two entries under one number are
 * a fork wherever they stand (A8). */
static int note_kept(struct keeping *keeping, struct ent_err *err)
{
    struct ent_store *store = keeping->store;
    const struct ent_run *run = keeping->run;
    struct ent_slice author = ent_slice(run->author.b, ENT_KEY_BYTES);
    int64_t space = keeping->space->space;
    int rc = ent_alarm_set(store, space, "aside", author, false,
                           keeping->now_ms, err);

    if (rc == 0 && keeping->forked)
        rc = ent_alarm_set(store, space, "fork", author, true, keeping->now_ms,
                           err);
    if (rc == 0 && keeping->forked)
        rc = ent_judge_author(store, space, &run->author, err);
    if (rc == 0 && ent_key_equal(&run->author, &store->keys.public) &&
        ent_id_equal(&run->origin, &store->origin))
        rc = ent_origin_change(
            store,
            ENT_N_("others hold more of what this node wrote than its "
                   "replica did"),
            keeping->now_ms, err);
    return rc;
}

static int keep_run(struct keeping *keeping, struct ent_taken *taken,
                    struct ent_err *err)
{
    const struct ent_run *run = keeping->run;
    size_t more = ENT_RUN_STUB_BYTES_MAX - ENT_RUN_BYTES_MAX;
    int rc = ent_run_check_bytes(run, more, err);

    if (rc == 0)
        rc = ent_run_check(keeping->space, run, err);
    if (rc == 0 && !ent_author_is_cut(keeping->space, &run->author))
        rc = ent_err_set(err, ENT_EREFUSED,
                         ENT_N_("entries offered as beyond a cut that no cut "
                                "takes"));
    if (rc == 0)
        rc = unpack(keeping, err);
    if (rc == 0)
        rc = ent_run_check_stubs(run, keeping->entries, run->count, err);
    if (rc == 0)
        rc = judge(keeping, err);
    if (rc == 0)
        rc = drop_held(keeping, err);
    if (rc == 0 && keeping->held < run->count)
        rc = check_room(keeping, err);
    if (rc == 0 && keeping->held < run->count)
        rc = place(keeping, err);
    if (rc < 0)
        return rc;
    /* What fails now is our trouble, and all is undone. */
    rc = keep_entries(keeping, err);
    if (rc == 0)
        rc = keep_sig(keeping, err);
    if (rc == 0 && keeping->held < run->count)
        rc = note_kept(keeping, err);
    taken->duplicate += (int64_t)keeping->held;
    taken->quarantined += (int64_t)(run->count - keeping->held);
    return rc < 0 && !ent_is_own_trouble(rc) ? ENT_ESTORE : rc;
}

static int keep_one(struct ent_store *store, struct ent_space_state *space,
                    const struct ent_run *run, int64_t now_ms,
                    struct ent_taken *taken, struct ent_err *err)
{
    struct keeping keeping = {
        .store = store, .space = space, .run = run, .now_ms = now_ms};
    int rc = keep_run(&keeping, taken, err);

    taken->fork = taken->fork || keeping.forked;
    taken->delayed = taken->delayed || keeping.delayed;
    ent_arena_fini(&keeping.arena);
    ent_seal_fini(&keeping.seal);
    ent_buf_fini(&keeping.stripped);
    return rc;
}

int ent_aside_take(struct ent_store *store, int64_t space,
                   const struct ent_key *from, const struct ent_run *runs,
                   size_t count, int64_t now_ms, struct ent_taken *taken,
                   struct ent_err *err)
{
    return ent_take_batch(store, space, from, runs, count, now_ms, keep_one,
                          taken, err);
}
