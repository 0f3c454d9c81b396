/* roster.h - roster entries as bytes (docs/protocol.md, rule A2).
 * A roster entry travels and is stored in the hashed form: header ‖ signature
 * ‖ body. Its header is that of a data entry with the roster's tag, a zero
 * origin, its position for a sequence number and no references; the first one
 * names a zero space, because the space's id is made of its hash (A1).
 *
 *   body [term, kind, arguments...]
 *   FOUND  [term, 1, organisation, title en, title fr, nonce16]
 *   ADMIT  [term, 2, key32, role, organisation, invitation (8 bytes or empty)]
 *   others [term, kind, anything]: kept and relayed as they are */
#ifndef ENT_CODEC_ROSTER_H
#define ENT_CODEC_ROSTER_H

#include "base/bytes.h"
#include "base/err.h"
#include "model/entry.h"
#include "model/roster.h"

/* The body of a FOUND or ADMIT entry. */
void ent_roster_body_put(struct ent_buf *buf,
                         const struct ent_roster_entry *entry);

/* Fill term, kind and what they bring from a body; slices borrow from
 * `body`. ENT_EREFUSED: not canonical, or a FOUND or ADMIT out of shape. */
ENT_NODISCARD int ent_roster_body_get(struct ent_slice body,
                                      struct ent_roster_entry *entry,
                                      struct ent_err *err);

#endif
