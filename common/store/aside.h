/* aside.h - chains of entries that a cut took out of a log (A4), as the files
 * of store/ see them. A chain begins behind the last entry in the log and may
 * pass through several branches. Nothing outside store/ includes this. */
#ifndef ENT_STORE_ASIDE_H
#define ENT_STORE_ASIDE_H

#include "store/replica.h"

/* As one branch sees it; none when `to` is below `from`. */
struct ent_chain {
    int64_t from, to; /* numbers of its entries */
    struct ent_hash *hashes;
};

/* The chain that ends in entry `to` of a branch, or the beginning of it: as
 * much as is kept of an author. None when some of it is missing. */
ENT_NODISCARD int ent_chain_read(struct ent_store *store,
                                 const struct ent_log *log, int64_t to,
                                 struct ent_arena *arena,
                                 struct ent_chain *chain, struct ent_err *err);

/* The hash of what stands under a number in that very branch, in the log or
 * aside. 1: it is held; `is_signed` is false when nobody could take it by a
 * signature that is held over it. */
ENT_NODISCARD int ent_aside_held(struct ent_store *store, struct ent_log *in,
                                 int64_t seq, struct ent_hash *hash,
                                 bool *is_signed, struct ent_err *err);

/* 1: something is aside in this replica. */
ENT_NODISCARD int ent_aside_any(struct ent_store *store, struct ent_err *err);

/* What was set aside from what is held of branch `log` up to a readmitted head,
 * as a run in `arena`, of any length; no entries when it is not all here, or
 * not that head. */
struct ent_run;
ENT_NODISCARD int ent_aside_read_head(struct ent_store *store,
                                      const struct ent_log *log,
                                      const struct ent_cut_head *head,
                                      struct ent_arena *arena,
                                      struct ent_run *run, struct ent_err *err);
/* The beginning of what is aside of a branch, as a run, as far as no cut takes
 * it any more: `run->count` may be 0. It lives in `arena`. */
ENT_NODISCARD int ent_aside_read_back(struct ent_store *store,
                                      struct ent_space_state *space,
                                      struct ent_log *log,
                                      struct ent_arena *arena,
                                      struct ent_run *run, struct ent_err *err);

/* Whether any cut on the chain is about that author. */
bool ent_author_is_cut(const struct ent_space_state *space,
                       const struct ent_key *author);

#endif
