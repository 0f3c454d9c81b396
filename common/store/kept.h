/* kept.h - records kept in memory while entries that come together are
 * applied. Many entries of a run speak of the same few records: what stands of
 * each is loaded once, goes through all of them, and is saved once. Nothing
 * else may read or write rows and cells meanwhile. */
#ifndef ENT_STORE_KEPT_H
#define ENT_STORE_KEPT_H

#include "store/state.h"

/* From now on ent_apply_change keeps what it loads. */
ENT_NODISCARD int ent_kept_begin(struct ent_store *store, struct ent_err *err);
/* Save what is kept, and keep nothing any more. */
ENT_NODISCARD int ent_kept_end(struct ent_store *store, struct ent_err *err);
/* The transaction is undone: what is kept goes with it. */
void ent_kept_drop(struct ent_store *store);
void ent_kept_free(struct ent_store *store);

bool ent_kept_on(const struct ent_store *store);
/* The record if it is kept, NULL otherwise. */
struct ent_state *ent_kept_find(struct ent_store *store, int64_t space,
                                uint32_t kind, const struct ent_id *id);
/* The record, loaded if need be, with at least that field or, when `one` is
 * NULL, all of them (ent_state_load). It is good until the next call. */
ENT_NODISCARD int ent_kept_get(struct ent_store *store, int64_t space,
                               uint32_t kind, const struct ent_id *id,
                               const struct ent_field *one,
                               struct ent_state **state, struct ent_err *err);

#endif
