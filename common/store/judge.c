/* judge.c - what the roster says of an entry (A3, A4): when it comes, and anew
 * when the roster went another way or cut somebody's logs. */
#include <stdlib.h>
#include <string.h>

#include "store/runs.h"
#include "store/replica.h"
#include "store/seal.h"

/* ------------------------------------------------------------------ one entry
 */

/* An entry that is compared with the heads a cut keeps. */
struct comparing {
    struct ent_store *store;
    int64_t space;
    const struct ent_entry *entry;
    const struct ent_place *place;
    int rc;
    struct ent_err *err;
};

/* Whether that hash is the one of entry `seq` as branch `log` sees it. */
static bool branch_has(struct comparing *comparing, const struct ent_log *log,
                       uint64_t seq, const struct ent_hash *hash)
{
    struct ent_hash held;
    bool holds = false;

    if (comparing->rc == 0)
        comparing->rc = ent_branch_hash(comparing->store, log, (int64_t)seq,
                                        &held, &holds, comparing->err);
    return comparing->rc == 0 && holds && ent_hash_equal(&held, hash);
}

/* Whether it is that of the entry that is judged, or of one below it or coming
 * with it, by its hashes. */
static bool path_has(struct comparing *comparing, uint64_t seq,
                     const struct ent_hash *hash)
{
    const struct ent_place *place = comparing->place;

    if (seq >= place->from)
        return seq - place->from < place->count &&
               ent_hash_equal(&place->hashes[seq - place->from], hash);
    return place->log != NULL && branch_has(comparing, place->log, seq, hash);
}

/* The last entry of a branch up to that number, set aside ones included. */
static bool last_of(struct comparing *comparing, struct ent_log *log,
                    int64_t most, int64_t *seq, struct ent_hash *hash)
{
    struct ent_stmt *stmt;
    bool held = false;
    int rc = ent_log_head(comparing->store, log, comparing->err);

    *seq = log->head < most ? log->head : most;
    if (rc == 0)
        rc = ent_branch_hash(comparing->store, log, *seq, hash, &held,
                             comparing->err);
    if (rc == 0 && log->head < most) {
        stmt = ent_db_stmt(&comparing->store->db, ENT_SQL_ASIDE_LAST);
        ent_stmt_bind_int(stmt, 1, ent_n(log->o, 0));
        ent_stmt_bind_int(stmt, 2, ent_n(log->o, most));
        rc = ent_stmt_step(stmt, comparing->err);
        if (rc > 0) {
            *seq = ent_n_seq(ent_stmt_int(stmt, 0));
            ent_stmt_copy(stmt, 1, hash->b, ENT_HASH_BYTES);
            held = true;
        }
        ent_stmt_reset(stmt);
    }
    comparing->rc = rc < 0 ? rc : comparing->rc;
    return rc >= 0 && held;
}

/* Whether another entry is known under its number, or under one below it that
 * it stands on: two branches that end above the place where they part differ in
 * the last number that both have. */
static bool is_rivalled(struct comparing *comparing)
{
    const struct ent_entry *entry = comparing->entry;
    struct ent_log *log;
    size_t at = 0;

    while (comparing->rc == 0 &&
           (log = ent_branch_next(comparing->store, comparing->space,
                                  &entry->author, &entry->origin, &at)) !=
               NULL) {
        struct ent_hash hash;
        int64_t seq;

        if (last_of(comparing, log, (int64_t)entry->seq, &seq, &hash) &&
            !path_has(comparing, (uint64_t)seq, &hash))
            return true;
    }
    return false;
}

/* Rule A4: that head, or below it by its hashes; a head that has not come
 * counts by its number where the log is not forked. */
static bool is_within(void *ctx, const struct ent_cut_head *head)
{
    struct comparing *comparing = ctx;
    const struct ent_entry *entry = comparing->entry;
    const struct ent_place *place = comparing->place;
    const struct ent_hash *hash = &place->hashes[entry->seq - place->from];
    struct ent_log *log;
    size_t at = 0;

    if (!ent_id_equal(&head->origin, &entry->origin) || entry->seq > head->seq)
        return false;
    if (path_has(comparing, head->seq, &head->hash))
        return true;
    while ((log = ent_branch_next(comparing->store, comparing->space,
                                  &entry->author, &entry->origin, &at)) != NULL)
        if (branch_has(comparing, log, head->seq, &head->hash))
            return branch_has(comparing, log, entry->seq, hash);
    return !is_rivalled(comparing) && comparing->rc == 0;
}

/* Rule M9; one change that is not good takes its whole entry along (A3). */
static bool owns_all(const struct ent_space_state *space,
                     const struct ent_entry *entry)
{
    for (size_t i = 0; i < entry->change_count; i++)
        if (!ent_owner_may_change(space, &entry->author, entry->changes[i].kind,
                                  &entry->changes[i].id))
            return false;
    return true;
}

int ent_judge(struct ent_store *store, const struct ent_space_state *space,
              const struct ent_entry *entry, const struct ent_place *place,
              enum ent_verdict *verdict, struct ent_err *err)
{
    const struct ent_roster *roster = &space->roster;
    struct comparing comparing = {.store = store,
                                  .space = space->space,
                                  .entry = entry,
                                  .place = place,
                                  .err = err};
    uint64_t pos =
        ent_roster_position(roster, space->entries, space->entry_count,
                            entry->roster_pos, &entry->roster_hash);

    if (pos == 0)
        return ent_err_set(err, ENT_EWAIT,
                           ENT_N_("entries that name a roster not here yet"));
    switch (ent_roster_standing(roster, &entry->author, pos,
                                pos == entry->roster_pos, is_within,
                                &comparing)) {
    case ENT_STANDING_GOOD:
        *verdict = owns_all(space, entry) ? ENT_VERDICT_ACCEPTED
                                          : ENT_VERDICT_NOT_OWNER;
        break;
    case ENT_STANDING_NO_ROLE:
        *verdict = ENT_VERDICT_NO_ROLE;
        break;
    case ENT_STANDING_CUT:
        *verdict = ENT_VERDICT_CUT;
        break;
    }
    return comparing.rc;
}

/* --------------------------------------------------------------------- anew */

/* One log: what changes of it. */
struct judged {
    struct ent_log *log;
    int64_t keep; /* the last entry that is not cut */
};

/* A space whose entries are judged anew. */
struct rejudging {
    struct ent_store *store;
    struct ent_space_state *space;
    struct judged *logs;
    size_t log_count;
    struct ent_touched touched;
    struct ent_sum sum; /* of the state digest, kept right */
    struct {
        int64_t n;
        enum ent_verdict verdict;
    } * changes;
    size_t change_count, change_cap;
    int64_t now_ms; /* claimed by the newest entry of the roster */
    bool own_cut;   /* this node's own log ends at a cut */
};

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

static int note_change(struct rejudging *rejudging, int64_t n,
                       enum ent_verdict verdict, struct ent_err *err)
{
    if (rejudging->change_count == rejudging->change_cap) {
        size_t cap =
            rejudging->change_cap == 0 ? 64 : 2 * rejudging->change_cap;
        void *more =
            realloc(rejudging->changes, cap * sizeof(*rejudging->changes));

        if (more == NULL)
            return no_memory(err);
        rejudging->changes = more;
        rejudging->change_cap = cap;
    }
    rejudging->changes[rejudging->change_count].n = n;
    rejudging->changes[rejudging->change_count++].verdict = verdict;
    return 0;
}

/* An entry begins or ceases to count. */
static int count_entry(struct rejudging *rejudging,
                       const struct ent_entry *entry,
                       const struct ent_hash *hash, bool counts,
                       struct ent_err *err)
{
    struct ent_sum part = ent_sum_of_entry(hash);

    if (counts)
        ent_sum_add(&rejudging->sum, &part);
    else
        ent_sum_sub(&rejudging->sum, &part);
    return ent_touched_add(&rejudging->touched, entry, err);
}

static int judge_log(struct rejudging *rejudging, struct judged *judged,
                     struct ent_err *err)
{
    struct ent_store *store = rejudging->store;
    struct ent_log *log = judged->log;
    struct ent_arena arena = {0};
    int rc = ent_log_head(store, log, err);

    judged->keep = log->base;
    for (int64_t seq = log->base + 1; rc == 0 && seq <= log->head; seq++) {
        int64_t n = ent_n(log->o, seq);
        enum ent_verdict before;
        enum ent_verdict now;
        struct ent_entry entry;
        struct ent_hash hash;
        const struct ent_place place = {
            .log = log, .from = (uint64_t)seq, .hashes = &hash, .count = 1};

        ent_arena_reset(&arena);
        rc = ent_log_read(store, n, &arena, &entry, &before, &hash, err);
        if (rc == 0)
            rc = ent_judge(store, rejudging->space, &entry, &place, &now, err);
        if (rc < 0)
            break;
        if (now != ENT_VERDICT_CUT)
            judged->keep = seq;
        if (now == before)
            continue;
        rc = note_change(rejudging, n, now, err);
        if (rc == 0 &&
            (now == ENT_VERDICT_ACCEPTED || before == ENT_VERDICT_ACCEPTED))
            rc = count_entry(rejudging, &entry, &hash,
                             now == ENT_VERDICT_ACCEPTED, err);
    }
    ent_arena_fini(&arena);
    return rc;
}

/* ------------------------------------------------------------------ cut logs
 */

/* Whether the signature that a cut brought for a log's head holds. */
static int check_cut_sig(struct ent_store *store, const struct ent_log *log,
                         const struct ent_cut_head *head, struct ent_sig *sig,
                         bool *holds, struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_seal seal = {0};
    struct ent_entry entry;
    enum ent_verdict verdict;
    struct ent_hash kept;
    struct ent_hash hash;
    int rc = ent_log_read(store, ent_n(log->o, log->head), &arena, &entry,
                          &verdict, &kept, err);

    *holds = false;
    if (rc == 0)
        rc = ent_seal_entry(&seal, &entry, &hash, err);
    if (rc == 0 && head->sig.len == ENT_SIG_BYTES) {
        memcpy(sig->b, head->sig.at, ENT_SIG_BYTES);
        *holds = ent_sig_verify(&log->author, ent_buf_slice(&seal.header), sig);
    }
    ent_seal_fini(&seal);
    ent_arena_fini(&arena);
    return rc;
}

static const struct ent_cut_head *
head_named(const struct ent_roster_mention *mentions, const struct ent_log *log)
{
    for (; mentions != NULL; mentions = mentions->before)
        for (size_t i = 0; i < mentions->entry->head_count; i++) {
            const struct ent_cut_head *head = &mentions->entry->heads[i];

            if (ent_id_equal(&head->origin, &log->id) &&
                (int64_t)head->seq == log->head &&
                ent_hash_equal(&head->hash, &log->head_hash))
                return head;
        }
    return NULL;
}

int ent_log_cut_sig(struct ent_store *store,
                    const struct ent_space_state *space, struct ent_log *log,
                    struct ent_err *err)
{
    const struct ent_roster_person *who =
        ent_roster_person(&space->roster, &log->author);
    const struct ent_cut_head *head = NULL;
    struct ent_sig sig = {0};
    bool holds = false;
    int rc = ent_log_head(store, log, err);

    if (rc < 0 || log->head <= log->base || log->signed_seq == log->head)
        return rc;
    if (who != NULL)
        head = head_named(who->cuts, log);
    if (head == NULL && who != NULL)
        head = head_named(who->readmits, log);
    if (head != NULL)
        rc = check_cut_sig(store, log, head, &sig, &holds, err);
    if (rc < 0 || !holds)
        return rc;
    return ent_log_keep_sig(store, log, &sig, err);
}

static int run_range(struct ent_store *store, enum ent_sql which,
                     const struct ent_log *log, int64_t from, int64_t to,
                     struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, which);

    ent_stmt_bind_int(stmt, 1, ent_n(log->o, from));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, to));
    return ent_stmt_run(stmt, err);
}

/* The newest signature kept for relays at or below the head, or none. */
static int lower_sig(struct ent_store *store, struct ent_log *log,
                     struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_SIGNATURE_LAST);
    int rc;

    log->signed_seq = 0;
    log->made_seq = 0;
    ent_stmt_bind_int(stmt, 1, ent_n(log->o, log->base + 1));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, ENT_SEQ_MAX));
    rc = ent_stmt_step(stmt, err);
    if (rc > 0)
        log->signed_seq = ent_n_seq(ent_stmt_int(stmt, 0));
    ent_stmt_reset(stmt);
    if (rc > 0) {
        stmt = ent_db_stmt(&store->db, ENT_SQL_SIGNATURE_RANGE);
        ent_stmt_bind_int(stmt, 1, ent_n(log->o, log->signed_seq));
        ent_stmt_bind_int(stmt, 2, ent_n(log->o, log->signed_seq));
        ent_stmt_bind_int(stmt, 3, 1);
        rc = ent_stmt_step(stmt, err);
        if (rc > 0)
            ent_stmt_copy(stmt, 1, log->sig.b, ENT_SIG_BYTES);
        ent_stmt_reset(stmt);
    }
    if (rc < 0)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ORIGIN_SIGN);
    ent_stmt_bind_int(stmt, 1, log->o);
    ent_stmt_bind_int(stmt, 2, log->signed_seq);
    ent_stmt_bind_blob(stmt, 3, log->sig.b,
                       log->signed_seq > 0 ? ENT_SIG_BYTES : 0);
    return ent_stmt_run(stmt, err);
}

/* What this node wrote last may not be signed yet: only what is signed can be
 * offered to the chair, and readmitted. */
static int sign_own(struct ent_store *store, struct ent_log *log,
                    struct ent_err *err)
{
    struct ent_sig sig;
    int rc;

    if (!ent_key_equal(&log->author, &store->keys.public) ||
        log->signed_seq >= log->head)
        return 0;
    rc = ent_log_sign(store, ent_n(log->o, log->head), &sig, err);
    return rc == 0 ? ent_log_keep_sig(store, log, &sig, err) : rc;
}

/* What is beyond the last entry that stands leaves the log. */
static int set_aside(struct rejudging *rejudging, const struct judged *judged,
                     struct ent_err *err)
{
    struct ent_store *store = rejudging->store;
    struct ent_log *log = judged->log;
    int64_t from = judged->keep + 1;
    struct ent_stmt *stmt;
    int rc;

    if (judged->keep >= log->head)
        return 0;
    rc = sign_own(store, log, err);
    if (rc == 0)
        rc = run_range(store, ENT_SQL_ASIDE_TAKE, log, from, log->head, err);
    if (rc == 0 && log->signed_seq >= from) {
        stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_SIGN);
        ent_stmt_bind_int(stmt, 1, ent_n(log->o, log->signed_seq));
        ent_stmt_bind_blob(stmt, 2, log->sig.b, ENT_SIG_BYTES);
        rc = ent_stmt_run(stmt, err);
    }
    if (rc == 0)
        rc = run_range(store, ENT_SQL_LOG_CUT, log, from, log->head, err);
    if (rc == 0)
        rc = run_range(store, ENT_SQL_SIGNATURE_CUT, log, from, log->head, err);
    if (rc == 0)
        rc = run_range(store, ENT_SQL_WANTED_CUT, log, from, log->head, err);
    if (rc < 0)
        return rc;
    if (ent_key_equal(&log->author, &store->keys.public) &&
        ent_id_equal(&log->id, &store->origin))
        rejudging->own_cut = true;
    log->head_known = false;
    rc = ent_log_head(store, log, err);
    if (rc == 0 && log->signed_seq > log->head)
        rc = lower_sig(store, log, err);
    return rc == 0 ? ent_log_cut_sig(store, rejudging->space, log, err) : rc;
}

static int set_verdicts(struct rejudging *rejudging, struct ent_err *err)
{
    struct ent_store *store = rejudging->store;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < rejudging->change_count; i++) {
        struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_LOG_VERDICT);

        ent_stmt_bind_int(stmt, 1, rejudging->changes[i].n);
        ent_stmt_bind_int(stmt, 2, rejudging->changes[i].verdict);
        rc = ent_stmt_run(stmt, err);
    }
    /* What was remembered of entries is not so any more. */
    ent_log_metas_forget(store);
    return rc;
}

static int carry_out(struct rejudging *rejudging, struct ent_err *err)
{
    struct ent_store *store = rejudging->store;
    int64_t space = rejudging->space->space;
    int rc;

    ent_touched_sort(&rejudging->touched);
    rc = ent_records_clear(store, space, &rejudging->touched, &rejudging->sum,
                           err);
    if (rc == 0)
        rc = ent_erasures_uncount(store, space, &rejudging->touched, err);
    if (rc == 0)
        rc = set_verdicts(rejudging, err);
    for (size_t i = 0; rc == 0 && i < rejudging->log_count; i++)
        rc = set_aside(rejudging, &rejudging->logs[i], err);
    if (rc == 0)
        rc = ent_records_replay(store, space, &rejudging->touched,
                                &rejudging->sum, err);
    if (rc == 0)
        rc = ent_space_set_sum(store, space, &rejudging->sum, err);
    if (rc == 0 && rejudging->touched.count > 0)
        rc = ent_search_anew(store, err);
    /* The numbers that were cut have been seen: never again in that log. */
    if (rc == 0 && rejudging->own_cut)
        rc = ent_origin_change(
            store,
            ENT_N_("some of what this node wrote is beyond a cut of the chair"),
            rejudging->now_ms, err);
    return rc;
}

/* `only`: of one author; NULL: everybody's. */
static int judge_space(struct ent_store *store, int64_t space,
                       const struct ent_key *only, struct ent_err *err)
{
    struct rejudging rejudging = {.store = store};
    int rc = ent_space_state(store, space, &rejudging.space, err);

    if (rc == 0)
        rc = ent_space_sum(store, space, &rejudging.sum, err);
    if (rc < 0)
        return rc;
    if (rejudging.space->roster.length > 0)
        rejudging.now_ms =
            rejudging.space->roster.chain[rejudging.space->roster.length - 1]
                ->time_ms;
    rejudging.logs = calloc(store->log_count + 1, sizeof(*rejudging.logs));
    if (rejudging.logs == NULL)
        return no_memory(err);
    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];

        if (log->space != space ||
            (only != NULL && !ent_key_equal(&log->author, only)))
            continue;
        rejudging.logs[rejudging.log_count].log = log;
        rc = judge_log(&rejudging, &rejudging.logs[rejudging.log_count++], err);
    }
    if (rc == 0 && rejudging.change_count > 0)
        rc = carry_out(&rejudging, err);
    free(rejudging.logs);
    free(rejudging.changes);
    free(rejudging.touched.keys);
    return rc;
}

int ent_judge_author(struct ent_store *store, int64_t space,
                     const struct ent_key *author, struct ent_err *err)
{
    return judge_space(store, space, author, err);
}

/* Whether the chain held before goes on in the one held now. */
static bool chain_goes_on(uint64_t pos, const struct ent_hash *head,
                          const struct ent_roster *now)
{
    return pos <= now->length &&
           (pos == 0 || ent_hash_equal(head, &now->chain[pos - 1]->hash));
}

int ent_judge_anew(struct ent_store *store, int64_t space, uint64_t pos,
                   const struct ent_hash *head, struct ent_err *err)
{
    struct ent_space_state *state;
    bool goes_on;
    int rc = ent_space_state(store, space, &state, err);

    if (rc < 0)
        return rc;
    goes_on = chain_goes_on(pos, head, &state->roster);
    if (!goes_on)
        rc = judge_space(store, space, NULL, err);
    for (size_t i = goes_on ? (size_t)pos : 0;
         rc == 0 && goes_on && i < state->roster.length; i++) {
        const struct ent_roster_entry *entry = state->roster.chain[i];

        /* Who was admitted or got another role names it from now on only. */
        if (entry->kind == ENT_ROSTER_REMOVE ||
            entry->kind == ENT_ROSTER_REPLACE ||
            entry->kind == ENT_ROSTER_READMIT ||
            (entry->kind == ENT_ROSTER_ROLE && entry->role == ENT_ROLE_READER))
            rc = judge_space(store, space, &entry->member, err);
        /* Who stands for a key that was replaced owns its records (M9). */
        if (rc == 0 && entry->kind == ENT_ROSTER_REPLACE)
            rc = judge_space(store, space, &entry->next, err);
    }
    if (rc == 0)
        rc = ent_erasures_follow(store, space, err);
    return rc == 0 ? ent_aside_return(store, space, err) : rc;
}
