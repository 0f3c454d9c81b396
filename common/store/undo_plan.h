/* undo_plan.h - what must be written to take the last command back, and what
 * stands in the way. Nothing outside store/ includes this. */
#ifndef ENT_STORE_UNDO_PLAN_H
#define ENT_STORE_UNDO_PLAN_H

#include "store/undo.h"

/* One transaction of the last command: its entries, from n to n. */
struct ent_undo_range {
    int64_t space;
    int64_t first, last;
};

/* Add to `undo` the steps of one space, for the ranges that are in it. Entries
 * that are not here, or count nowhere, have none. */
ENT_NODISCARD int ent_undo_plan(struct ent_store *store, int64_t space,
                                const struct ent_undo_range *ranges,
                                size_t count, struct ent_undo *undo,
                                struct ent_err *err);

#endif
