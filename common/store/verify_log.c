/* verify_log.c - every entry hashed on to the one before it, every signature,
 * every verdict. */
#include <stdio.h>
#include <string.h>

#include "codec/entry.h"
#include "store/kept.h"
#include "store/verify.h"

#define WHO_BYTES (ENT_NAME_BYTES_MAX + 64)

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* Stands for the hash of an entry that is not here. */
static const struct ent_hash unknown = {{0xff}};

/* One log on its way through its entries. */
struct chain {
    struct ent_verifying *verifying;
    const struct ent_log *log;
    struct ent_log *fresh; /* the same log in memory */
    struct ent_space_sum *space;
    struct ent_space_state *roster;
    struct ent_stmt *sigs; /* older signatures, ascending */
    int64_t sig_n;         /* of the next one; 0: none */
    char who[WHO_BYTES];
    int64_t seq;          /* the last one seen */
    bool linked;          /* the entry before is known */
    struct ent_hash kept; /* of the entry before, as the file says */
    struct ent_hash made; /* the same, as it was hashed here */
};

static int next_sig(struct chain *chain, struct ent_err *err)
{
    int rc = ent_stmt_step(chain->sigs, err);

    chain->sig_n = rc > 0 ? ent_stmt_int(chain->sigs, 0) : 0;
    return rc < 0 ? rc : 0;
}

/* Hash an entry on to the one before it. When the hash kept of that one is the
 * damaged part, the one made here holds: each damage is named once. */
static int seal(struct chain *chain, struct ent_entry *entry,
                const struct ent_hash *kept, struct ent_hash *hash,
                struct ent_err *err)
{
    struct ent_seal *with = &chain->verifying->seal;
    int rc;

    entry->prev = chain->kept;
    rc = ent_seal_entry(with, entry, hash, err);
    if (rc < 0 || ent_hash_equal(hash, kept))
        return rc;
    entry->prev = chain->made;
    return ent_seal_entry(with, entry, hash, err);
}

static void check_sig(struct chain *chain, const struct ent_sig *sig)
{
    if (!ent_sig_verify(&chain->log->author,
                        ent_buf_slice(&chain->verifying->seal.header), sig))
        ent_verify_say(
            chain->verifying,
            ENT_N_("the signature over entry %lld of %s does not hold"),
            (long long)chain->seq, chain->who);
}

static int check_sigs(struct chain *chain, int64_t n, bool sealed,
                      struct ent_err *err)
{
    int rc = 0;

    if (sealed && chain->seq == chain->log->signed_seq)
        check_sig(chain, &chain->log->sig);
    while (rc == 0 && chain->sig_n != 0 && chain->sig_n <= n) {
        struct ent_sig sig;

        ent_stmt_copy(chain->sigs, 1, sig.b, ENT_SIG_BYTES);
        if (chain->sig_n < n)
            ent_verify_say(
                chain->verifying,
                ENT_N_("a signature of %s is over an entry that is not here"),
                chain->who);
        else if (sealed)
            check_sig(chain, &sig);
        rc = next_sig(chain, err);
    }
    return rc;
}

static int check_verdict(struct chain *chain, const struct ent_entry *entry,
                         const struct ent_hash *hash, enum ent_verdict verdict,
                         struct ent_err *err)
{
    const struct ent_place place = {.log = chain->log,
                                    .from = (uint64_t)chain->seq,
                                    .hashes = hash,
                                    .count = 1};
    enum ent_verdict right;
    struct ent_err said;
    int rc = ent_judge(chain->verifying->store, chain->roster, entry, &place,
                       &right, &said);

    if (rc == ENT_EWAIT) {
        ent_verify_say(
            chain->verifying,
            ENT_N_("entry %lld of %s names a roster entry that is not here"),
            (long long)chain->seq, chain->who);
        return 0;
    }
    if (rc < 0)
        return ent_verify_failure(chain->verifying, rc, &said, err);
    if (right != verdict)
        ent_verify_say(
            chain->verifying,
            right == ENT_VERDICT_ACCEPTED
                ? ENT_N_("entry %lld of %s is in quarantine and should not be")
                : ENT_N_("entry %lld of %s should be in quarantine"),
            (long long)chain->seq, chain->who);
    return 0;
}

/* The entry in the replica in memory: hash and verdict always, because other
 * entries name it; what it says when it could be read. */
static int replay(struct chain *chain, const struct ent_entry *entry,
                  int64_t at, enum ent_verdict verdict,
                  const struct ent_hash *hash, struct ent_err *err)
{
    struct ent_log *log = chain->fresh;
    struct ent_sum sum;
    int rc = ent_log_head(chain->verifying->fresh, log, err);

    if (rc < 0)
        return rc;
    sum = log->sum;
    log->head = chain->seq - 1;
    if (entry != NULL && verdict == ENT_VERDICT_ACCEPTED)
        rc = ent_apply_entry(chain->verifying->fresh, log->space, entry,
                             ent_n(log->o, chain->seq), hash, &sum, err);
    if (rc < 0)
        return rc;
    return ent_log_append(chain->verifying->fresh, log, at, verdict, hash, &sum,
                          ent_slice(NULL, 0), err);
}

static void say_not_that_branch(struct chain *chain)
{
    ent_verify_say(chain->verifying,
                   ENT_N_("a branch of %s is not the one it is said to be"),
                   chain->who);
}

/* Unpack and hash one entry; `sound` is false, and it was said, when it is not
 * the one that the file says it is. */
static int check_bytes(struct chain *chain, struct ent_slice packed,
                       const struct ent_hash *kept, struct ent_entry *entry,
                       bool *sound, struct ent_err *err)
{
    struct ent_verifying *verifying = chain->verifying;
    struct ent_err said = {0};
    struct ent_hash made;
    int rc;

    *sound = false;
    *entry = (struct ent_entry){.space = chain->space->id,
                                .author = chain->log->author,
                                .origin = chain->log->id,
                                .seq = (uint64_t)chain->seq,
                                .prev = chain->kept};
    rc = ent_entry_get(packed, &verifying->arena, entry, &said);
    if (rc == ENT_ENOMEM)
        return no_memory(err);
    if (rc < 0) {
        ent_verify_say(verifying, ENT_N_("entry %lld of %s is damaged: %s"),
                       (long long)chain->seq, chain->who, said.text);
        chain->made = *kept;
        return 0;
    }
    rc = seal(chain, entry, kept, &made, err);
    if (rc < 0)
        return rc;
    *sound = ent_hash_equal(&made, kept);
    if (!*sound && chain->linked)
        ent_verify_say(verifying,
                       ENT_N_("entry %lld of %s does not have the hash kept of "
                              "it"),
                       (long long)chain->seq, chain->who);
    chain->made = made;
    return 0;
}

/* What is erased is nowhere (E2). */
static int check_erased(struct chain *chain, const struct ent_entry *entry,
                        struct ent_err *err)
{
    struct ent_store *store = chain->verifying->store;
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < entry->change_count; i++) {
        const struct ent_change *change = &entry->changes[i];
        bool counts;

        if (change->erased || !change->has_commitment)
            continue;
        rc = ent_erased(store, chain->log->space, change->kind, &change->id,
                        &counts, err);
        if (rc > 0 || ent_roster_erasure(&chain->roster->roster, change->kind,
                                         &change->id) != NULL)
            ent_verify_say(chain->verifying,
                           ENT_N_("entry %lld of %s holds what was erased"),
                           (long long)chain->seq, chain->who);
    }
    return rc < 0 ? rc : 0;
}

static int check_entry(struct chain *chain, struct ent_stmt *row,
                       struct ent_err *err)
{
    struct ent_verifying *verifying = chain->verifying;
    int64_t n = ent_stmt_int(row, 0);
    int64_t at = ent_stmt_int(row, 1);
    enum ent_verdict verdict = (enum ent_verdict)ent_stmt_int(row, 2);
    struct ent_entry entry;
    struct ent_hash kept;
    bool sound;
    int rc;

    if (ent_n_seq(n) != chain->seq + 1) {
        ent_verify_say(
            verifying, ENT_N_("entries %lld to %lld of %s are missing"),
            (long long)chain->seq + 1, (long long)ent_n_seq(n) - 1, chain->who);
        chain->linked = false;
        chain->kept = chain->made = unknown;
    }
    chain->seq = ent_n_seq(n);
    verifying->entries++;
    ent_stmt_copy(row, 3, kept.b, ENT_HASH_BYTES);
    if (chain->log->parent != 0 && chain->seq == chain->log->base + 1 &&
        !ent_hash_equal(&kept, &chain->log->branch))
        say_not_that_branch(chain);
    ent_arena_reset(&verifying->arena);
    rc = check_bytes(chain, ent_stmt_bytes(row, 4), &kept, &entry, &sound, err);
    if (rc == 0)
        rc = check_sigs(chain, n, sound, err);
    if (rc == 0 && sound) {
        rc = check_verdict(chain, &entry, &kept, verdict, err);
        if (rc == 0 && entry.time_ms != at)
            ent_verify_say(verifying,
                           ENT_N_("entry %lld of %s is kept with another time"),
                           (long long)chain->seq, chain->who);
    }
    if (rc == 0 && sound)
        rc = check_erased(chain, &entry, err);
    if (rc == 0 && verifying->deep)
        rc = replay(chain, sound ? &entry : NULL, at, verdict, &kept, err);
    if (rc == 0 && verdict == ENT_VERDICT_ACCEPTED) {
        struct ent_sum part = ent_sum_of_entry(&kept);

        ent_sum_add(&chain->space->sum, &part);
    }
    chain->kept = kept;
    chain->linked = true;
    return rc;
}

/* Where a branch leaves another. */
static int begin_chain(struct chain *chain, struct ent_err *err)
{
    const struct ent_log *log = chain->log;
    struct ent_store *store = chain->verifying->store;
    const struct ent_log *before = ent_branch_at(store, log, log->base);
    const struct ent_log *parent = ent_log_of(store, log->parent);
    static const struct ent_hash first;
    enum ent_verdict verdict;
    int rc = 0;

    /* No parent, no hash, no base; or all of it, of one log. */
    if (log->parent == 0
            ? log->base != 0 || !ent_hash_equal(&log->branch, &first)
            : parent == NULL || parent->space != log->space ||
                  !ent_key_equal(&parent->author, &log->author) ||
                  !ent_id_equal(&parent->id, &log->id) ||
                  parent->base > log->base)
        say_not_that_branch(chain);

    chain->seq = log->base;
    chain->linked = true;
    if (log->base > 0 && before != NULL)
        rc = ent_log_hash(store, ent_n(before->o, log->base), &chain->kept,
                          &verdict, NULL);
    if (rc == ENT_ENOTFOUND || (log->base > 0 && before == NULL)) {
        /* A branch without entries stands on none: both were cut. */
        rc = ent_log_head(store, ent_log_of(store, log->o), err);
        if (rc < 0)
            return rc;
        if (log->head > log->base)
            ent_verify_say(
                chain->verifying,
                ENT_N_("the entries before a branch of %s are missing"),
                chain->who);
        chain->linked = false;
        chain->kept = unknown;
        rc = 0;
    }
    chain->made = chain->kept;
    return rc < 0 ? ent_err_set(err, rc, ENT_N_("a log cannot be read")) : 0;
}

/* Whether what comes after the last entry was set aside with its author's
 * signature: the hashes carry it back, until the head that the cut keeps has
 * come with its own (A4). */
static int signed_aside(struct chain *chain, bool *is, struct ent_err *err)
{
    struct ent_stmt *rows =
        ent_db_stmt(&chain->verifying->store->db, ENT_SQL_ASIDE_RANGE);
    int rc;

    *is = false;
    ent_stmt_bind_int(rows, 1, ent_n(chain->log->o, chain->seq + 1));
    ent_stmt_bind_int(rows, 2, ent_n(chain->log->o, ENT_SEQ_MAX));
    while ((rc = ent_stmt_step(rows, err)) > 0)
        *is = *is || ent_stmt_bytes(rows, 2).len == ENT_SIG_BYTES;
    ent_stmt_reset(rows);
    return rc;
}

static int end_chain(struct chain *chain, struct ent_err *err)
{
    const struct ent_log *log = chain->log;
    int64_t shared;
    bool vouched = false;
    int rc = ent_branch_shared(chain->verifying->store, log, &shared, err);

    if (rc == 0)
        rc = signed_aside(chain, &vouched, err);
    if (rc < 0)
        return rc;
    vouched =
        vouched || chain->seq == log->base || shared >= chain->seq ||
        ent_key_equal(&log->author, &chain->verifying->store->keys.public);
    if (log->signed_seq > chain->seq)
        ent_verify_say(
            chain->verifying, ENT_N_("entries %lld to %lld of %s are missing"),
            (long long)chain->seq + 1, (long long)log->signed_seq, chain->who);
    else if (log->signed_seq < chain->seq && !vouched)
        ent_verify_say(chain->verifying,
                       ENT_N_("the entries of %s after %lld are not signed"),
                       chain->who, (long long)log->signed_seq);
    if (chain->sig_n != 0)
        ent_verify_say(
            chain->verifying,
            ENT_N_("a signature of %s is over an entry that is not here"),
            chain->who);
    return 0;
}

/* A log as people can tell it from others. */
static void name_log(struct chain *chain)
{
    struct ent_buf name = {0};
    char origin[2 * ENT_ID_BYTES + 1];
    const char *text;

    ent_hex_put(origin, chain->log->id.b, ENT_ID_BYTES);
    ent_peer_name_put(chain->verifying->store, &chain->log->author, &name);
    ent_buf_printf(&name, " (%.8s)", origin);
    text = ent_buf_cstr(&name);
    snprintf(chain->who, sizeof(chain->who), "%s", text != NULL ? text : "");
    ent_buf_fini(&name);
}

static int walk_chain(struct chain *chain, struct ent_err *err)
{
    struct ent_db *db = &chain->verifying->store->db;
    struct ent_stmt *rows = ent_db_stmt(db, ENT_SQL_LOG_RANGE);
    int64_t from = ent_n(chain->log->o, 0);
    int64_t to = ent_n(chain->log->o, ENT_SEQ_MAX);
    int rc;

    chain->sigs = ent_db_stmt(db, ENT_SQL_SIGNATURE_RANGE);
    ent_stmt_bind_int(chain->sigs, 1, from);
    ent_stmt_bind_int(chain->sigs, 2, to);
    ent_stmt_bind_int(chain->sigs, 3, -1);
    ent_stmt_bind_int(rows, 1, from);
    ent_stmt_bind_int(rows, 2, to);
    rc = next_sig(chain, err);
    while (rc == 0 && (rc = ent_stmt_step(rows, err)) > 0)
        rc = check_entry(chain, rows, err);
    if (rc == 0)
        rc = end_chain(chain, err);
    ent_stmt_reset(rows);
    ent_stmt_reset(chain->sigs);
    return rc;
}

static int check_log(struct ent_verifying *verifying, const struct ent_log *log,
                     struct ent_err *err)
{
    struct chain chain = {.verifying = verifying,
                          .log = log,
                          .fresh = ent_log_of(verifying->fresh, log->o),
                          .space = ent_verify_space(verifying, log->space)};
    int rc;

    name_log(&chain);
    if (chain.space == NULL || chain.fresh == NULL) {
        ent_verify_say(verifying, ENT_N_("a log of %s belongs to no space"),
                       chain.who);
        return 0;
    }
    rc = ent_space_state(verifying->fresh, log->space, &chain.roster, err);
    if (rc == 0)
        rc = begin_chain(&chain, err);
    return rc < 0 ? rc : walk_chain(&chain, err);
}

int ent_verify_logs(struct ent_verifying *verifying, struct ent_err *err)
{
    struct ent_store *store = verifying->store;
    int64_t count = 0;
    int rc = ent_kept_begin(verifying->fresh, err);

    for (size_t o = 1; rc == 0 && o < store->by_o_cap; o++) {
        struct ent_err said = {0};

        if (store->by_o[o] == NULL)
            continue;
        rc = check_log(verifying, store->by_o[o], &said);
        rc = ent_verify_failure(verifying, rc, &said, err);
    }
    if (rc == 0)
        rc = ent_kept_end(verifying->fresh, err);
    if (rc == 0)
        rc = ent_db_int(&store->db, "SELECT count(*) FROM log", &count, err);
    if (rc == 0 && count != verifying->entries)
        ent_verify_say(verifying, ENT_N_("%lld entries belong to no log"),
                       (long long)(count - verifying->entries));
    return rc;
}
