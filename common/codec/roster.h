/* roster.h - roster entries as bytes (docs/protocol.md, rule A2).
 * A roster entry travels and is stored in the hashed form: header ‖ signature
 * ‖ body. Its header is that of a data entry with the roster's tag, a zero
 * origin, its position for a sequence number and no references; the first one
 * names a zero space, because the space's id is made of its hash (A1).
 *
 *   body      [term, kind, arguments...]
 *   FOUND     [1, 1, organisation, title en, title fr, nonce16]
 *   ADMIT     [term, 2, key32, role, organisation, invitation (8 bytes or
 *              empty)]
 *   ROLE      [term, 3, key32, role, heads]      to editor: no heads
 *   REMOVE    [term, 4, key32, reason, heads]
 *   READMIT   [term, 5, key32, heads]
 *   REPLACE   [term, 6, key32, new key32, heads]
 *   DEPUTIES  [term, 7, [key32...]]              ascending
 *   SUCCEED   [term, 8, [[key32, signature64]...]]  ascending
 *   OWN FIELD [term, 9, kind, field, name, type, rule, loudness, personal, of,
 *              label en, label fr, ...]    of any other shape: without effect
 *   MIN VERSION [term, 11, major, minor, patch]
 *   heads     [[origin16, number, hash32, signature64]...]  ascending
 *   others    [term, kind, anything]: kept and relayed as they are */
#ifndef ENT_CODEC_ROSTER_H
#define ENT_CODEC_ROSTER_H

#include "base/bytes.h"
#include "base/err.h"
#include "model/entry.h"
#include "model/roster.h"

#define ENT_CUT_HEADS_MAX 1000 /* in one entry (A4) */
#define ENT_DEPUTIES_MAX 64

/* The body of an entry of the kinds above. */
void ent_roster_body_put(struct ent_buf *buf,
                         const struct ent_roster_entry *entry);

/* Fill term, kind and what they bring from a body; slices borrow from `body`,
 * lists are allocated in `arena`. ENT_EREFUSED: not canonical, or an entry of a
 * kind above out of shape. */
ENT_NODISCARD int ent_roster_body_get(struct ent_slice body,
                                      struct ent_arena *arena,
                                      struct ent_roster_entry *entry,
                                      struct ent_err *err);

/* What a vote for a succession is a signature over (A2): the tag
 * "entente/succeed/1", the space, the term to come, the hash of the entry it
 * follows and the next chair, as canonical msgpack. */
void ent_vote_put(struct ent_buf *buf, const struct ent_id *space,
                  uint32_t term, const struct ent_hash *follows,
                  const struct ent_key *next);

#endif
