/* past.h - writes of the log read back one by one: what an operation wrote, and
 * what stood before it. Nothing outside store/ includes this. */
#ifndef ENT_STORE_PAST_H
#define ENT_STORE_PAST_H

#include "store/records.h"
#include "store/replica.h"

/* The entry read last is kept: writes that are asked for one after the other
 * mostly stand in one. Start with the store and all else zero. */
struct ent_past {
    struct ent_store *store;
    struct ent_arena arena;
    int64_t n; /* 0: none */
    struct ent_entry entry;
    enum ent_verdict verdict;
};

void ent_past_fini(struct ent_past *past);

/* The entry at n, good until the next call. ENT_ENOTFOUND: it is not here. */
ENT_NODISCARD int ent_past_entry(struct ent_past *past, int64_t n,
                                 struct ent_err *err);

/* The change of a record in an entry, or NULL. */
const struct ent_change *ent_past_change(const struct ent_entry *entry,
                                         uint32_t kind,
                                         const struct ent_id *id);

/* The ordinal of the write that operation `at` makes (M4). */
uint32_t ent_past_ordinal(const struct ent_change *change, size_t at);

/* One write of a record, wherever its entry is. */
struct ent_past_write {
    int64_t n;
    uint32_t ordinal;
    uint32_t code;
    struct ent_value value; /* in the caller's arena */
    bool missing;           /* its payload is not here (E3) */
};

/* The writes of a record that operation `op` of `entry` names: those that are
 * here. The list lives in `arena`, and `entry` is used no more. */
ENT_NODISCARD int
ent_past_seen(struct ent_past *past, const struct ent_record_ref *ref,
              const struct ent_entry *entry, const struct ent_op *op,
              struct ent_arena *arena, struct ent_past_write **writes,
              size_t *count, struct ent_err *err);

/* A value that outlives what it was read from. */
struct ent_value ent_past_copy(struct ent_arena *arena,
                               const struct ent_value *value);

#endif
