/* replica.h - what the files of store/ share: the open replica itself.
 * Nothing outside store/ includes this. */
#ifndef ENT_STORE_REPLICA_H
#define ENT_STORE_REPLICA_H

#include "model/roster.h"
#include "secure/hash.h"
#include "store/db.h"
#include "store/store.h"
#include "store/table.h"

#define ENT_SEQ_BITS 40
#define ENT_META_CACHE 16384 /* entries known in memory, a power of two */

static inline int64_t ent_n(int64_t o, int64_t seq)
{
    return o << ENT_SEQ_BITS | seq;
}
static inline int64_t ent_n_o(int64_t n)
{
    return n >> ENT_SEQ_BITS;
}
static inline int64_t ent_n_seq(int64_t n)
{
    return n & ENT_SEQ_MAX;
}

/* An error of this replica, not of the bytes a peer sent? */
static inline bool ent_is_own_trouble(int rc)
{
    return rc == ENT_ENOMEM || rc == ENT_ESTORE;
}

/* What became of an entry (column `verdict` of the log). */
enum ent_verdict {
    ENT_VERDICT_ACCEPTED = 0,
    ENT_VERDICT_NO_ROLE = 1, /* its author may not write: quarantined (A3) */
    ENT_VERDICT_CUT = 3,     /* beyond a cut, with others after it that are not
                              * (A4) */
    ENT_VERDICT_NOT_OWNER = 4, /* it changes a record that is another's (M9) */
};

/* One log of a space, or one branch of a forked one. */
struct ent_log {
    int64_t o;
    int64_t space;
    struct ent_key author;
    struct ent_id id;
    struct ent_hash branch; /* of its first own entry; zero for the first
                             * branch seen here */
    int64_t parent;         /* o of the branch it left; 0: the first one */
    int64_t base;           /* last number in common with that one */
    int64_t signed_seq;     /* newest signature held */
    struct ent_sig sig;
    int64_t made_seq; /* own log: the newest signature made, 0: none */
    struct ent_sig made;
    bool head_known; /* the rest is filled on demand */
    int64_t head;    /* 0: empty (base for a branch) */
    struct ent_hash head_hash;
    struct ent_sum sum;
};

/* One space with its roster evaluated. */
struct ent_space_state {
    int64_t space;
    struct ent_id id;
    struct ent_arena arena;
    struct ent_roster_entry *entries;
    size_t entry_count;
    struct ent_roster roster;
    struct ent_hash set_hash; /* over all entries held, by hash */
};

/* What is asked of an entry most. */
struct ent_log_meta {
    int64_t at; /* claimed time, ms */
    enum ent_verdict verdict;
    struct ent_hash hash;
};

struct ent_meta_slot {
    int64_t n;
    uint64_t round; /* `metas_round` when it was kept */
    struct ent_log_meta meta;
};

/* Wrong requests to join, counted by the minute (A7). */
struct ent_guesses {
    int64_t since_ms; /* of the minute, or of the pause after it */
    int count;
};
#define ENT_GUESS_SLOTS 16 /* spaces of one slot share its count */

struct ent_store {
    struct ent_db db;
    struct ent_tables tables;
    const struct ent_kinds *kinds;
    struct ent_rand *rand;
    struct ent_idgen idgen;
    uint64_t owned_last; /* millisecond and counter of the last owned id */
    struct ent_keys keys;
    char *home;
    char org[ENT_NAME_BYTES_MAX + 1];
    char country[4];
    struct ent_id origin;
    const char *fresh;  /* why a fresh origin was made, or NULL */
    int high_water;     /* file descriptor, -1 when read-only */
    int64_t written_ms; /* time of the last own entry */
    int64_t mark_ms;    /* when the high-water mark was written last */
    bool mark_due;      /* own entries are not marked yet */
    bool renewed;       /* a fresh origin, not committed yet */
    bool decided;       /* likewise an entry of a roster */
    bool read_only;
    bool full; /* the disk: the file is read as it stands, nobody has it open */
    bool keep_last; /* as in the options */
    bool last_kept; /* this store has written something that was remembered */

    /* What is remembered between transactions, dropped when another process
     * committed (data_version) or a transaction failed. */
    int64_t data_version;
    unsigned pager_version; /* behind the last commit of this store */
    int wal_pages;          /* likewise */
    struct ent_log **logs;  /* ascending by space, author, id, branch */
    size_t log_count, log_cap;
    struct ent_log **by_o; /* by o; NULL where there is none */
    size_t by_o_cap;
    struct ent_space_state **spaces;
    size_t space_count;
    bool logs_loaded;

    /* The entry being applied: its rank among concurrent values. */
    struct {
        int64_t n; /* 0: none */
        int64_t at;
        struct ent_hash hash;
    } applying;

    /* NULL: an entry changes all its records; else those alone. */
    const struct ent_touched *only;

    int64_t scrub_ms;       /* when a session scrubbed or tried to, or 0 */
    int64_t scrub_pause_ms; /* until it does so again */
    int64_t log_due_ms; /* when the next log of an author with many is taken */

    bool cells_empty; /* false: there may be some */
    bool unseen_empty;
    bool erased_empty;
    /* Records whose values go with this transaction (erase.c). */
    struct ent_record_ref *erasing;
    size_t erasing_count, erasing_cap;
    struct ent_writer *writer; /* kept for the next transaction, or NULL */

    struct ent_guesses guesses[ENT_GUESS_SLOTS];
    struct ent_guesses all_guesses;
    struct ent_guesses void_taken[ENT_GUESS_SLOTS]; /* entries in an hour */

    struct ent_meta_slot *metas; /* ENT_META_CACHE of them */
    uint64_t metas_round;        /* what was kept in another one is stale */
    struct ent_arena scratch;    /* of one change */
    struct ent_kept *kept;       /* kept.h; NULL: nothing ever was */
};

/* Begin or commit a write transaction; begin first forgets what another
 * process made stale. Commit also keeps the high-water mark of `own` (NULL:
 * nothing was written to an own log). */
ENT_NODISCARD int ent_store_begin(struct ent_store *store, struct ent_err *err);
ENT_NODISCARD int ent_store_commit(struct ent_store *store,
                                   const struct ent_log *own,
                                   struct ent_err *err);
void ent_store_rollback(struct ent_store *store);

/* Own entries are no longer in the replica, and meant to be so: bring the
 * high-water mark down to what is there. */
void ent_high_water_lower(struct ent_store *store);

/* This node wrote an entry of a roster: the mark counts them. In the
 * transaction that is open. */
ENT_NODISCARD int ent_store_decided(struct ent_store *store,
                                    struct ent_err *err);

/* A fresh origin from now on (N2, N3), in the transaction that is open; `why`
 * is for status. */
ENT_NODISCARD int ent_origin_change(struct ent_store *store, const char *why,
                                    int64_t now_ms, struct ent_err *err);

#define ENT_ASIDE_MAX                                                          \
    1000000 /* entries of a log that can come back at once                     \
             */

/* What was set aside and the chair readmitted comes back into the logs. In the
 * transaction that is open. */
ENT_NODISCARD int ent_aside_return(struct ent_store *store, int64_t space,
                                   struct ent_err *err);

/* The mark of a replica that has written nothing under its origin, synced. */
ENT_NODISCARD int ent_high_water_make(const char *path,
                                      const struct ent_id *origin,
                                      struct ent_err *err);

/* Begin a fresh origin in the file at `path`, which is from then on the one
 * last written here; store->fresh is kept as the reason (rule N2). One
 * transaction. */
ENT_NODISCARD int ent_origin_renew(struct ent_store *store, const char *path,
                                   int64_t now_ms, struct ent_err *err);

/* Forget what is stale before reading; cheap when nothing is. */
ENT_NODISCARD int ent_store_refresh(struct ent_store *store,
                                    struct ent_err *err);
void ent_store_forget(struct ent_store *store);

/* The memory of a writer that is not in use. */
void ent_writer_free(struct ent_writer *writer);

/* Values of table local_node. */
ENT_NODISCARD int ent_node_get(struct ent_store *store, const char *key,
                               char *value, size_t size, struct ent_err *err);
ENT_NODISCARD int ent_node_set(struct ent_store *store, const char *key,
                               const char *value, struct ent_err *err);

/* ------------------------------------------------------------ logs (log.c) */

/* The first branch of a log; NULL when none is held. */
struct ent_log *ent_log_find(struct ent_store *store, int64_t space,
                             const struct ent_key *author,
                             const struct ent_id *id);
struct ent_log *ent_log_of(struct ent_store *store, int64_t o);
/* The first branch of a log, made when missing. */
ENT_NODISCARD int ent_log_make(struct ent_store *store, int64_t space,
                               const struct ent_key *author,
                               const struct ent_id *id, struct ent_log **log,
                               struct ent_err *err);
/* The branch that leaves `parent` after entry `base` with the entry of that
 * hash, made when missing (A8). */
ENT_NODISCARD int ent_log_make_branch(struct ent_store *store,
                                      const struct ent_log *parent,
                                      int64_t base, const struct ent_hash *hash,
                                      struct ent_log **log,
                                      struct ent_err *err);
/* Fill head, head_hash and sum. */
ENT_NODISCARD int ent_log_head(struct ent_store *store, struct ent_log *log,
                               struct ent_err *err);
ENT_NODISCARD int ent_logs_load(struct ent_store *store, struct ent_err *err);

/* Of the entry at n; ENT_ENOTFOUND when it is not held. */
ENT_NODISCARD int ent_log_meta(struct ent_store *store, int64_t n,
                               struct ent_log_meta *meta, struct ent_err *err);
void ent_log_meta_keep(struct ent_store *store, int64_t n,
                       const struct ent_log_meta *meta);
/* Nothing that was kept is so any more. */
void ent_log_metas_forget(struct ent_store *store);
/* Its hash and verdict alone. */
ENT_NODISCARD int ent_log_hash(struct ent_store *store, int64_t n,
                               struct ent_hash *hash, enum ent_verdict *verdict,
                               struct ent_err *err);

/* Where the entry that a reference names stands: n, or 0 when that very entry
 * is not held. */
ENT_NODISCARD int ent_log_resolve(struct ent_store *store, int64_t space,
                                  const struct ent_ref *ref, int64_t *n,
                                  struct ent_err *err);

/* Append one sealed entry; moves the log's head. `sum` is the log's sum with
 * it. */
ENT_NODISCARD int ent_log_append(struct ent_store *store, struct ent_log *log,
                                 int64_t at, enum ent_verdict verdict,
                                 const struct ent_hash *hash,
                                 const struct ent_sum *sum,
                                 struct ent_slice packed, struct ent_err *err);

/* Read an entry back and unpack it into `arena`. */
ENT_NODISCARD int ent_log_read(struct ent_store *store, int64_t n,
                               struct ent_arena *arena, struct ent_entry *entry,
                               enum ent_verdict *verdict, struct ent_hash *hash,
                               struct ent_err *err);

/* Bytes of entries between two signatures that are kept for relays. */
#define ENT_SIGNATURE_SPAN (128 << 10)

/* The signature over the log's head. The one before is kept too when it is far
 * enough from the one kept before it. */
ENT_NODISCARD int ent_log_keep_sig(struct ent_store *store, struct ent_log *log,
                                   const struct ent_sig *sig,
                                   struct ent_err *err);

/* Sign the entry at n of an own log as it stands. */
ENT_NODISCARD int ent_log_sign(struct ent_store *store, int64_t n,
                               struct ent_sig *sig, struct ent_err *err);

/* Sign the tail of every own log of a space that is not signed yet (L3). In
 * the transaction that is open. */
ENT_NODISCARD int ent_log_sign_tails(struct ent_store *store, int64_t space,
                                     struct ent_err *err);

/* ------------------------------------------------------ branches (branch.c)
 *
 * Two different entries under one number fork a log (A8). Each branch is a row
 * of `origin`: its own entries, from the fork on; what comes before them is its
 * parent's. All count alike. Which one came first is seen in no digest. */

/* The branch of this log after the one given last, the first one for *at 0.
 * NULL at the end. */
struct ent_log *ent_branch_next(struct ent_store *store, int64_t space,
                                const struct ent_key *author,
                                const struct ent_id *origin, size_t *at);
/* The branch whose own entry this number is, as `log` sees it; NULL: its parent
 * is not here. The number may be beyond what is held. */
const struct ent_log *ent_branch_at(struct ent_store *store,
                                    const struct ent_log *log, int64_t seq);
/* Hash of entry `seq` as branch `log` sees it; `held` is false when it is not
 * here. */
ENT_NODISCARD int ent_branch_hash(struct ent_store *store,
                                  const struct ent_log *log, int64_t seq,
                                  struct ent_hash *hash, bool *held,
                                  struct ent_err *err);
/* The last of its entries that another branch, which holds some, goes on from;
 * 0: none does. */
ENT_NODISCARD int ent_branch_shared(struct ent_store *store,
                                    const struct ent_log *log, int64_t *seq,
                                    struct ent_err *err);
/* Branches, and logs, of one author in a space: no more than `most` are
 * counted. */
size_t ent_branch_count(struct ent_store *store, int64_t space,
                        const struct ent_key *author,
                        const struct ent_id *origin, size_t most);
size_t ent_logs_of_author(struct ent_store *store, int64_t space,
                          const struct ent_key *author, size_t most);
/* Whether another log or branch of that author may begin now (A8). ENT_EWAIT:
 * later; `delayed` says so too. */
ENT_NODISCARD int ent_log_may_begin(struct ent_store *store, int64_t space,
                                    const struct ent_key *author,
                                    int64_t now_ms, bool *delayed,
                                    struct ent_err *err);

/* ------------------------------------------------------ spaces (roster.c) */

/* A space with its roster, from memory or the file. ENT_ENOTFOUND. */
ENT_NODISCARD int ent_space_state(struct ent_store *store, int64_t space,
                                  struct ent_space_state **state,
                                  struct ent_err *err);
void ent_space_state_forget(struct ent_store *store, int64_t space);
/* Whether any roster entry held, valid or void, is by that key or admits it:
 * what others never heard of is refused (A3). */
bool ent_space_named(const struct ent_space_state *state,
                     const struct ent_key *key);

/* Whether a run is one that may be looked at: numbers in range, by somebody who
 * is known. ENT_EREFUSED. */
struct ent_run;
ENT_NODISCARD int ent_run_check(const struct ent_space_state *space,
                                const struct ent_run *run, struct ent_err *err);
/* One signature for no more than can be passed on in one message, without the
 * bytes by which values that were erased have grown. ENT_EREFUSED. */
ENT_NODISCARD int ent_run_check_bytes(const struct ent_run *run,
                                      size_t stub_bytes, struct ent_err *err);
/* The same of a run of which these entries are unpacked, which may also grow
 * when more of them is erased and must still fit in one message then. */
ENT_NODISCARD int ent_run_check_stubs(const struct ent_run *run,
                                      const struct ent_entry *entries,
                                      size_t count, struct ent_err *err);
/* By how much an entry may be longer than as it was written. */
size_t ent_stub_bytes(const struct ent_entry *entry);

/* Take one run of a peer, in the transaction that is open: what is kept, is
 * quarantined or is here already is counted. What fails with another code than
 * our own trouble must not have touched anything. */
struct ent_taken;
typedef int ent_take_fn(struct ent_store *store, struct ent_space_state *space,
                        const struct ent_run *run, int64_t now_ms,
                        struct ent_taken *taken, struct ent_err *err);
/* Take the runs of one batch by `take`, in one transaction, as ent_runs_take
 * says. */
ENT_NODISCARD int ent_take_batch(struct ent_store *store, int64_t space,
                                 const struct ent_key *from,
                                 const struct ent_run *runs, size_t count,
                                 int64_t now_ms, ent_take_fn *take,
                                 struct ent_taken *taken, struct ent_err *err);

/* Check and keep one roster entry, in the transaction that is open. */
struct ent_roster_bytes;
ENT_NODISCARD int ent_roster_put(struct ent_store *store, int64_t space,
                                 const struct ent_roster_bytes *bytes,
                                 bool *is_new, struct ent_err *err);

/* Write one roster entry at the head, as its chair (SUCCEED: as the next one),
 * in the transaction that is open; the entries of the space are judged by it.
 * For FOUND `space` is made here, under the local `name`, and given back. */
ENT_NODISCARD int ent_roster_write(struct ent_store *store,
                                   struct ent_roster_entry *entry,
                                   const char *name, int64_t *space,
                                   struct ent_err *err);

/* Check and write `admit` at the roster's head, in the transaction that is
 * open (spaces.c, as ent_member_admit). */
ENT_NODISCARD int ent_roster_admit(struct ent_store *store, int64_t space,
                                   const struct ent_key *key,
                                   enum ent_role role, const char *org,
                                   const struct ent_hash8 *invite,
                                   int64_t now_ms, struct ent_err *err);

/* Nobody else can know more of the roster than this node does: ent_space_met in
 * the transaction that is open (met.c). */
ENT_NODISCARD int ent_space_keep_met(struct ent_store *store, int64_t space,
                                     struct ent_err *err);

/* The roster's head: position and hash; position 0 before it arrived. */
void ent_space_head(const struct ent_space_state *state, uint64_t *pos,
                    struct ent_hash *hash);

/* ------------------------------------------------------- owners (owner.c) */

/* The last 8 bytes of an owned id, which follow from space, author and its
 * first 8 (M9). */
void ent_owner_put(const struct ent_id *space, const struct ent_key *author,
                   struct ent_id *id);
/* Whether `key` may change this record: its kind is not owned, or the id was
 * made with that key or with one it replaced, at any remove. Every `replace`
 * on the chain counts, wherever it stands (M9). */
bool ent_owner_may_change(const struct ent_space_state *space,
                          const struct ent_key *key, uint32_t kind,
                          const struct ent_id *id);

/* ------------------------------------------------------- judging (judge.c) */

/* Where an entry stands in its log: what a cut is compared with. */
struct ent_place {
    const struct ent_log *log; /* its branch, held or to be appended to; NULL:
                                * a log that is not held at all */
    uint64_t from;             /* number of the first of these hashes: its own
                                * and those of the entries that come with it */
    const struct ent_hash *hashes;
    size_t count;
};

/* What the roster says of an entry (A3, A4, M9): accepted, quarantined or cut.
 * ENT_EWAIT: it names a roster head that is not held. */
ENT_NODISCARD int ent_judge(struct ent_store *store,
                            const struct ent_space_state *space,
                            const struct ent_entry *entry,
                            const struct ent_place *place,
                            enum ent_verdict *verdict, struct ent_err *err);
/* Judge entries of a space anew after its roster changed: of everybody, or,
 * when the chain that had its head at (pos, head) goes on in the one held now,
 * of those its new entries are about. What is beyond a cut is set aside, what
 * was readmitted comes back, and every record that is touched is made anew
 * (M3). In the transaction that is open. */
ENT_NODISCARD int ent_judge_anew(struct ent_store *store, int64_t space,
                                 uint64_t pos, const struct ent_hash *head,
                                 struct ent_err *err);
/* Judge the logs of one author anew: another branch came. */
ENT_NODISCARD int ent_judge_author(struct ent_store *store, int64_t space,
                                   const struct ent_key *author,
                                   struct ent_err *err);
/* After what a log holds ended at a cut: the signature over its head is the one
 * that the cut brought. */
ENT_NODISCARD int ent_log_cut_sig(struct ent_store *store,
                                  const struct ent_space_state *space,
                                  struct ent_log *log, struct ent_err *err);

/* ------------------------------------------------------------- said (said.c)
 */

/* Append endpoints that the node itself signed (S10), or announces when it is
 * this one, and that are not in the list yet. */
ENT_NODISCARD int ent_said_endpoints(struct ent_store *store,
                                     const struct ent_key *key,
                                     char endpoints[][ENT_ENDPOINT_MAX + 1],
                                     size_t max, size_t *count,
                                     struct ent_err *err);

/* ----------------------------------------------------------- apply (apply.c)
 */

/* The entry whose changes are applied. */
struct ent_apply {
    struct ent_store *store;
    int64_t space;
    struct ent_id space_id;
    int64_t n;
    struct ent_id origin;
    uint64_t seq;
    const struct ent_hash *hash; /* NULL: of this node, not sealed yet */
    const struct ent_ref *refs;
    const int64_t *ref_n; /* where each reference stands; 0: not applied here */
    struct ent_sum sum;   /* gains what changes in the state */
    bool awaited; /* a write of the record at hand was replaced unseen */
    /* The key of the last write taken back: mostly the next one's too. */
    int64_t key_n;
    uint32_t key_kind;
    struct ent_id key_id;
    struct ent_sum key;
};

/* Apply one change (rules M1 to M6). Without a hash the summands of its own
 * writes are left for ent_change_sum. */
ENT_NODISCARD int ent_apply_change(struct ent_apply *apply,
                                   const struct ent_change *change,
                                   struct ent_err *err);

/* The short way for a record that does not exist and is written whole: `done`
 * is false, and nothing happened, when it cannot be taken. */
ENT_NODISCARD int ent_apply_insert(struct ent_apply *apply,
                                   const struct ent_change *change, bool *done,
                                   struct ent_err *err);

/* Put a loaded state through the operations of a change; ent_apply_change
 * after the load and before the save. */
struct ent_state;
ENT_NODISCARD int ent_apply_ops(struct ent_apply *apply,
                                const struct ent_change *change,
                                struct ent_state *state, struct ent_err *err);

/* Add the summands of everything a change writes. */
void ent_change_sum(const struct ent_change *change,
                    const struct ent_hash *hash, struct ent_sum *sum);

/* Everything that follows from the log made anew, in the transaction that is
 * open; after a failure it must be rolled back. */
ENT_NODISCARD int ent_replay(struct ent_store *store, struct ent_err *err);

/* Records of one space, each once. */
struct ent_touched {
    struct ent_record_key {
        uint32_t kind;
        struct ent_id id;
    } * keys; /* ascending once ent_touched_sort was called */
    size_t count, cap;
};

/* Add the records of an entry. ENT_ENOMEM. */
ENT_NODISCARD int ent_touched_add(struct ent_touched *touched,
                                  const struct ent_entry *entry,
                                  struct ent_err *err);
void ent_touched_sort(struct ent_touched *touched);
bool ent_touched_holds(const struct ent_touched *touched, uint32_t kind,
                       const struct ent_id *id);

/* Take records out of the state, and what they add to its digest out of `sum`;
 * then make them anew from the logs of their space, and add it again. Between
 * the two verdicts may change and entries come and go. */
ENT_NODISCARD int ent_records_clear(struct ent_store *store, int64_t space,
                                    const struct ent_touched *touched,
                                    struct ent_sum *sum, struct ent_err *err);
ENT_NODISCARD int ent_records_replay(struct ent_store *store, int64_t space,
                                     const struct ent_touched *touched,
                                     struct ent_sum *sum, struct ent_err *err);

/* Both, in the digest too: values of theirs are here that were not. */
ENT_NODISCARD int ent_records_anew(struct ent_store *store, int64_t space,
                                   struct ent_touched *touched,
                                   struct ent_err *err);

/* Apply a whole accepted entry that stands at n; `sum` gains its summands and
 * that of the entry. */
ENT_NODISCARD int ent_apply_entry(struct ent_store *store, int64_t space,
                                  const struct ent_entry *entry, int64_t n,
                                  const struct ent_hash *hash,
                                  struct ent_sum *sum, struct ent_err *err);

/* --------------------------------------------------------- erase (erase.c)
 */

/* ent_store_scrub (erase.h) is due, in the transaction that is open (scrub.c).
 */
ENT_NODISCARD int ent_scrub_due_now(struct ent_store *store,
                                    struct ent_err *err);

/* Whether values of a record are not kept: 1. `counts`: it is erased, and what
 * is written of it counts nowhere. */
ENT_NODISCARD int ent_erased(struct ent_store *store, int64_t space,
                             uint32_t kind, const struct ent_id *id,
                             bool *counts, struct ent_err *err);
/* Entry n of its owner erases a record; `counts` is false beyond a cut. The
 * values go with the transaction that is open. */
ENT_NODISCARD int ent_erase_own(struct ent_store *store, int64_t space,
                                uint32_t kind, const struct ent_id *id,
                                int64_t n, bool counts, struct ent_err *err);
/* Until they are applied anew, entries of owners do not erase these. */
struct ent_touched;
ENT_NODISCARD int ent_erasures_uncount(struct ent_store *store, int64_t space,
                                       const struct ent_touched *touched,
                                       struct ent_err *err);
/* Table `erased` as the roster has it: records that begin to be erased, and
 * that cease to; free() the keys of both. */
ENT_NODISCARD int ent_erasures_mark(struct ent_store *store, int64_t space,
                                    struct ent_touched *gone,
                                    struct ent_touched *back,
                                    struct ent_err *err);
/* The same, and they go, or are made anew. */
ENT_NODISCARD int ent_erasures_follow(struct ent_store *store, int64_t space,
                                      struct ent_err *err);
/* The values of all that was erased in this transaction go out of the log. */
ENT_NODISCARD int ent_erasures_carry_out(struct ent_store *store,
                                         struct ent_err *err);
/* An entry that comes loses the values of what is erased: `packed` is made anew
 * in `buf` then, and stays as it is else. */
ENT_NODISCARD int ent_erase_strip(struct ent_store *store,
                                  const struct ent_space_state *space,
                                  struct ent_entry *entry, struct ent_buf *buf,
                                  struct ent_slice *packed,
                                  struct ent_err *err);

/* ------------------------------------------------------- wanted (wanted.c) */

/* Entries of these records whose values are not here and were not erased. */
ENT_NODISCARD int ent_wanted_find(struct ent_store *store, int64_t space,
                                  const struct ent_touched *records,
                                  struct ent_err *err);
/* An entry that came, at n: it is wanted when it lacks some. */
ENT_NODISCARD int ent_wanted_note(struct ent_store *store, int64_t space,
                                  int64_t n, const struct ent_entry *entry,
                                  struct ent_err *err);

/* The same entry came once more, with values that are wanted: they are put in,
 * and the records of which they are go into `filled`. */
ENT_NODISCARD int ent_wanted_fill(struct ent_store *store, int64_t space,
                                  int64_t n, const struct ent_entry *came,
                                  struct ent_touched *filled,
                                  struct ent_err *err);

/* ----------------------------------------------------------- peers (peers.c)
 */

/* What the roster of a space says that a person should know, one sentence a
 * line (notices.c). */
ENT_NODISCARD int ent_space_notices(struct ent_store *store, int64_t space,
                                    struct ent_buf *lines, struct ent_err *err);
/* A claimed time as sentences say it. */
void ent_when_put(struct ent_buf *buf, int64_t ms);

#define ENT_KEY_SHOWN 16 /* hex digits that name a key in a sentence */

/* A node as people know it: its organisation, else the beginning of its key. */
void ent_peer_name_put(struct ent_store *store, const struct ent_key *key,
                       struct ent_buf *buf);

/* Add to what is counted of a peer (peer_stats.c); nothing for a NULL `from`.
 */
ENT_NODISCARD int ent_peer_count(struct ent_store *store,
                                 const struct ent_key *from,
                                 const struct ent_taken *taken, int64_t sent,
                                 struct ent_err *err);

/* --------------------------------------------------------- digest (digest.c)
 */

/* The state digest of a space is `adjust` and the sum of its logs together. */
ENT_NODISCARD int ent_logs_sum(struct ent_store *store, int64_t space,
                               struct ent_sum *sum, struct ent_err *err);
/* Both together. */
ENT_NODISCARD int ent_space_sum(struct ent_store *store, int64_t space,
                                struct ent_sum *sum, struct ent_err *err);
/* It comes out as `sum`, whatever the logs add up to now. */
ENT_NODISCARD int ent_space_set_sum(struct ent_store *store, int64_t space,
                                    const struct ent_sum *sum,
                                    struct ent_err *err);

/* ----------------------------------------------------------- marks (marks.c)
 */

/* Remember that the entries of an own log from `first` to its head were written
 * in the transaction that is open: beside what this store wrote before, and
 * instead of what others did. Nothing unless the store was opened to. */
ENT_NODISCARD int ent_last_keep(struct ent_store *store,
                                const struct ent_log *log, int64_t first,
                                struct ent_err *err);
/* What is done now cannot be undone, and what was done before it is not the
 * last any more. In the transaction that is open. */
ENT_NODISCARD int ent_last_forget(struct ent_store *store, struct ent_err *err);

/* --------------------------------------------------------- search (search.c)
 */

/* Forget every document, in the transaction that is open. The marks stay. */
ENT_NODISCARD int ent_search_clear(struct ent_store *store,
                                   struct ent_err *err);
/* The same, and everything is read again behind the commit. */
ENT_NODISCARD int ent_search_anew(struct ent_store *store, struct ent_err *err);

#endif
