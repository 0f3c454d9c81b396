/* entry.h - entries as bytes, in two forms with one hash (docs/protocol.md,
 * rules L1, L2, L4).
 *
 * Hashed form, what is hashed and signed:
 *   header [tag, version, space, author, origin, seq, prev, [pos, hash8],
 *           time, [[origin, seq, hash8]...], body hash]
 *   body   [[kind, id, [[code, field, [[ref, ordinal]...]]...], commitment]...]
 *          (a change without values has nil for its commitment)
 *
 * Packed form, what is stored and sent:
 *   [time, [pos, hash8], refs, seed, [[kind, id, ops, values]...]]
 * A reference into the entry's own log is [seq, hash8]; an operation is a bare
 * field number for a register write that replaces nothing, else [code, field]
 * or [code, field, seen]; a seen is a bare reference index when its ordinal is
 * 0. The life operation is left out when it is `live` and replaces just what
 * the other operations name. After an erasure the seed gives way to a list of
 * salts and the erased values to their commitment. */
#ifndef ENT_CODEC_ENTRY_H
#define ENT_CODEC_ENTRY_H

#include "base/bytes.h"
#include "base/err.h"
#include "model/entry.h"

#define ENT_ENTRY_TAG "entente/entry/1"
#define ENT_ROSTER_TAG "entente/roster/1"
#define ENT_FRONTIER_TAG "entente/frontier/1"

/* The canonical array of the values that a change's operations bear; the
 * number of them. */
size_t ent_values_put(struct ent_buf *buf, const struct ent_op *ops,
                      size_t op_count);

/* Body in the hashed form; commitments must be there. */
void ent_body_put(struct ent_buf *buf, const struct ent_entry *entry);

/* Header in the hashed form, with the tag of a data or a roster entry. */
void ent_header_put(struct ent_buf *buf, const char *tag,
                    const struct ent_entry *entry, const struct ent_hash *body);

/* A header back from its bytes; changes are left alone. */
ENT_NODISCARD int ent_header_get(struct ent_slice bytes, const char *tag,
                                 struct ent_arena *arena,
                                 struct ent_entry *entry, struct ent_hash *body,
                                 struct ent_err *err);

void ent_entry_put(struct ent_buf *buf, const struct ent_entry *entry);

/* A packed entry back from its bytes. The caller has set what the packed form
 * leaves out: space, author, origin, seq, prev. Everything borrows from
 * `bytes` and `arena`. Well formed by ent_entry_fault; commitments are there
 * only for erased changes. ENT_EREFUSED, ENT_ENOMEM. */
ENT_NODISCARD int ent_entry_get(struct ent_slice bytes, struct ent_arena *arena,
                                struct ent_entry *entry, struct ent_err *err);

#endif
