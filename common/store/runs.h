/* runs.h - entries of other nodes in, entries for other nodes out: what a
 * session moves (rules L3, S3, S6). */
#ifndef ENT_STORE_RUNS_H
#define ENT_STORE_RUNS_H

#include "store/store.h"

#define ENT_RUN_ENTRIES_MAX 4096 /* entries in a run that is read */

/* Consecutive entries of one log or of one branch of it, packed. */
struct ent_run {
    struct ent_key author;
    struct ent_id origin;
    uint64_t from;         /* number of the first entry */
    struct ent_hash8 prev; /* of the entry before it; zero when from is 1 */
    const struct ent_slice *entries;
    size_t count;
    struct ent_sig sig; /* the author's, over the last entry's header */
    /* Filled by ent_run_read only: */
    struct ent_hash8 last; /* of the last entry */
    uint64_t head;         /* number of the log's head at that time */
};

/* received = applied + duplicate + quarantined + refused + waiting. */
struct ent_taken {
    int64_t received, applied, duplicate, quarantined, refused, waiting;
    bool fork;                  /* a log has another branch now (A8) */
    bool delayed;               /* some wait because there are very many */
    char why[ENT_ERR_TEXT_MAX]; /* of the first refusal, or "" */
};

/* Apply the runs of one batch of a peer in one transaction, and count them in
 * what is known of the peer (`from` may be NULL). A run that breaks a rule is
 * refused as a whole and does not touch the others; 0 is returned all the
 * same. ENT_ESTORE: nothing of the batch was applied. */
ENT_NODISCARD int ent_runs_take(struct ent_store *store, int64_t space,
                                const struct ent_key *from,
                                const struct ent_run *runs, size_t count,
                                int64_t now_ms, struct ent_taken *taken,
                                struct ent_err *err);

/* One head: the last entry held of a log, or of a branch of a forked log. */
struct ent_head {
    struct ent_key author;
    struct ent_id origin;
    uint64_t seq;
    struct ent_hash hash;
    int64_t o; /* local: column o of table origin */
};

/* The frontier of a space, ascending by (author, origin, seq, hash): heads that
 * can be served. free() the list. */
ENT_NODISCARD int ent_frontier_read(struct ent_store *store, int64_t space,
                                    struct ent_head **heads, size_t *count,
                                    struct ent_err *err);

/* Whether who has the head `theirs` (8 bytes of its hash count) has `head`, a
 * lower one held here of the same log, too. While `theirs` is not held here, it
 * does when no fork of the log is known. */
ENT_NODISCARD int ent_frontier_covers(struct ent_store *store, int64_t space,
                                      const struct ent_head *theirs,
                                      const struct ent_head *head, bool *covers,
                                      struct ent_err *err);
/* Whether another log or branch of its author is taken slowly (A8), and nothing
 * is held of this one, or it is forked. */
bool ent_log_is_crowded(struct ent_store *store, int64_t space,
                        const struct ent_key *author,
                        const struct ent_id *origin);
/* Whether a log is known to have branches. */
bool ent_log_forked(struct ent_store *store, int64_t space,
                    const struct ent_key *author, const struct ent_id *origin);

/* What to ask for when a peer shows this head: `from` (0: nothing, it is held)
 * and the hash of the entry before it. `back` is 0 at first; when the peer
 * answers that its entry before `from` is another, ask again with 1, 2, 3 ...:
 * the question goes back by ever greater steps to find where a log forked. */
ENT_NODISCARD int ent_frontier_want(struct ent_store *store, int64_t space,
                                    const struct ent_head *head, unsigned back,
                                    uint64_t *from, struct ent_hash8 *prev,
                                    struct ent_err *err);

/* Whether entries lack values that were not erased (E3), and this peer may be
 * asked for them: 1. Who was asked in vain a few times is left in peace for an
 * hour, and then for longer, up to a day. */
ENT_NODISCARD int ent_wanted_due(struct ent_store *store, int64_t space,
                                 const struct ent_key *peer, int64_t now_ms,
                                 struct ent_err *err);
/* What to ask that peer for when it shows this head, all of which is held: the
 * first of those entries, and the hash of the entry before it. `from` is 0 when
 * there is none, or it is not due. */
ENT_NODISCARD int ent_wanted_want(struct ent_store *store, int64_t space,
                                  const struct ent_key *peer,
                                  const struct ent_head *head, int64_t now_ms,
                                  uint64_t *from, struct ent_hash8 *prev,
                                  struct ent_err *err);
/* The peer was asked. */
ENT_NODISCARD int ent_wanted_asked(struct ent_store *store, int64_t space,
                                   const struct ent_key *peer, int64_t now_ms,
                                   struct ent_err *err);

/* Read entries out of the log or branch that ends in the head `o`, beginning
 * at `from`, as many as fit in `bytes_max` but at least one; everything lives
 * in `arena`. `run->count` is 0 when our entry before `from` is not `prev`.
 * A run that stops before the head is signed where it stops when the log is
 * our own, else it goes on to the next signature we hold: the head. */
ENT_NODISCARD int ent_run_read(struct ent_store *store, int64_t o,
                               uint64_t from, const struct ent_hash8 *prev,
                               size_t bytes_max, struct ent_arena *arena,
                               struct ent_run *run, struct ent_err *err);

/* What lies beyond a cut and is kept aside (A4), here and at the chair: tips
 * are the last entries of a branch that are aside and signed, by log. free()
 * the list. */
ENT_NODISCARD int ent_aside_heads(struct ent_store *store, int64_t space,
                                  struct ent_head **heads, size_t *count,
                                  struct ent_err *err);
/* Read entries that are aside out of the chain that ends in the tip `head` (8
 * bytes of its hash count), from `from` on when the chain has `prev` before it,
 * else from its beginning, which follows an entry of the log. The run ends at a
 * signature that is held, like those of logs (L3), and goes no further than a
 * cut takes them now; `run->count` may be 0. Everything lives in `arena`. */
ENT_NODISCARD int ent_aside_read(struct ent_store *store, int64_t space,
                                 const struct ent_head *head, uint64_t from,
                                 const struct ent_hash8 *prev, size_t bytes_max,
                                 struct ent_arena *arena, struct ent_run *run,
                                 struct ent_err *err);
/* What to ask for when a member offers this tip: `from` (0: nothing, or all was
 * tried) and the hash of the entry before it. `back` is 0 at first; when
 * nothing new came, ask again with 1, 2, 3 ...: another branch may be the one
 * that goes on. */
ENT_NODISCARD int ent_aside_want(struct ent_store *store, int64_t space,
                                 const struct ent_head *head, unsigned back,
                                 uint64_t *from, struct ent_hash8 *prev,
                                 struct ent_err *err);
/* How much more of an author is taken from members: none when it is not above
 * 0. */
ENT_NODISCARD int ent_aside_room(struct ent_store *store, int64_t space,
                                 const struct ent_key *author, int64_t *entries,
                                 int64_t *bytes, struct ent_err *err);
/* Keep aside what a member offers, in one transaction, and count it as
 * ent_runs_take does: what is new as quarantined. A run is refused when a cut
 * does not take all of it; it waits while there is no room. */
ENT_NODISCARD int ent_aside_take(struct ent_store *store, int64_t space,
                                 const struct ent_key *from,
                                 const struct ent_run *runs, size_t count,
                                 int64_t now_ms, struct ent_taken *taken,
                                 struct ent_err *err);

/* Roster entries, in the hashed form. */
struct ent_roster_bytes {
    struct ent_slice header;
    struct ent_sig sig;
    struct ent_slice body;
};

/* Hashes of all roster entries held of a space: the chain, then what is void by
 * position; none before the one it follows. free() the list. */
ENT_NODISCARD int ent_roster_hashes(struct ent_store *store, int64_t space,
                                    struct ent_hash **hashes, size_t *count,
                                    struct ent_err *err);
ENT_NODISCARD int ent_roster_read(struct ent_store *store, int64_t space,
                                  const struct ent_hash *hash,
                                  struct ent_arena *arena,
                                  struct ent_roster_bytes *entry,
                                  struct ent_err *err);

/* Keep roster entries of a peer, in one transaction. Each is checked: form,
 * signature, space; the first entry must make the space's id (A1); an author
 * who was the chair where it stands (A2). Refused ones are counted and do not
 * stop the others; those that wait follow one that is not held, or are more
 * void ones of one author than are taken in an hour. */
ENT_NODISCARD int ent_roster_take(struct ent_store *store, int64_t space,
                                  const struct ent_roster_bytes *entries,
                                  size_t count, int64_t now_ms,
                                  struct ent_taken *taken, struct ent_err *err);

/* Signed frontiers (S10): what each node says it holds. */
struct ent_said {
    struct ent_key key;
    uint64_t counter;
    struct ent_slice body; /* packed; see docs/protocol.md */
    struct ent_sig sig;
};

/* Write and sign our own newest frontier of a space when it differs from the
 * one kept. */
ENT_NODISCARD int ent_said_update(struct ent_store *store, int64_t space,
                                  int64_t now_ms, struct ent_err *err);
/* All frontiers kept of a space, by key; they live in `arena`. */
ENT_NODISCARD int ent_said_list(struct ent_store *store, int64_t space,
                                struct ent_arena *arena, struct ent_said **said,
                                size_t *count, struct ent_err *err);
/* Keep those of members that are newer than ours of the same node; `news` is
 * the number kept, refused ones are counted. */
ENT_NODISCARD int ent_said_take(struct ent_store *store, int64_t space,
                                const struct ent_said *said, size_t count,
                                size_t *news, size_t *refused,
                                struct ent_err *err);

#endif
