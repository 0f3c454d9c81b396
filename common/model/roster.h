/* roster.h - who belongs to a space: the governance log as a pure function.
 * The state is a function of the set of roster entries held, never of the
 * order they came in (rules A1 to A3). Entries of kinds this program does not
 * act on keep their place without effect. */
#ifndef ENT_MODEL_ROSTER_H
#define ENT_MODEL_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/id.h"

enum ent_role {
    ENT_ROLE_NONE,
    ENT_ROLE_READER,
    ENT_ROLE_EDITOR,
    ENT_ROLE_CHAIR
};

/* Kinds of roster entry (A2). Those after ADMIT are stored and relayed; what
 * they do comes with a later version. */
enum ent_roster_kind {
    ENT_ROSTER_FOUND = 1,
    ENT_ROSTER_ADMIT = 2,
    ENT_ROSTER_ROLE = 3,
    ENT_ROSTER_REMOVE = 4,
    ENT_ROSTER_READMIT = 5,
    ENT_ROSTER_REPLACE = 6,
    ENT_ROSTER_DEPUTIES = 7,
    ENT_ROSTER_SUCCEED = 8,
    ENT_ROSTER_OWN_FIELD = 9,
    ENT_ROSTER_ERASE = 10,
    ENT_ROSTER_MIN_VERSION = 11,
};

/* One roster entry as the rules see it; borrowed from its bytes. */
struct ent_roster_entry {
    struct ent_hash hash;
    struct ent_hash prev; /* zero for the first */
    uint64_t pos;         /* from 1 */
    struct ent_key author;
    int64_t time_ms;
    uint32_t term; /* from 1 */
    uint32_t kind;
    /* FOUND: the founder's organisation and the titles */
    struct ent_slice org;
    struct ent_slice title_en, title_fr;
    uint8_t nonce[16];
    /* ADMIT */
    struct ent_key member;
    enum ent_role role;
    struct ent_hash8 invite; /* zero: none */
};

struct ent_roster_member {
    struct ent_key key;
    enum ent_role role;
    struct ent_slice org;
    uint64_t since; /* position of the entry that admitted it */
};

struct ent_roster {
    const struct ent_roster_entry *
        *chain; /* valid ones; chain[i] is at i + 1 */
    size_t length;
    struct ent_roster_member *members; /* at the head, by admission */
    size_t member_count;
    size_t void_count; /* entries held that are off the chain */
    bool forked;       /* two entries of one author after the same one */
};

/* The valid chain through `entries` (any order, no duplicates) and the members
 * at its head. Everything is allocated in `arena`, entries are borrowed.
 * ENT_ENOMEM. */
ENT_NODISCARD int ent_roster_build(const struct ent_roster_entry *entries,
                                   size_t count, struct ent_arena *arena,
                                   struct ent_roster *roster);

/* Role of a key once the chain's first `pos` entries hold; a position beyond
 * the head counts as the head. */
enum ent_role ent_roster_role(const struct ent_roster *roster, uint64_t pos,
                              const struct ent_key *key);

/* Position of the last valid entry at or below the head (pos, hash) named by
 * an entry; 0 when that head is not held (A3). */
uint64_t ent_roster_position(const struct ent_roster *roster,
                             const struct ent_roster_entry *entries,
                             size_t count, uint64_t pos,
                             const struct ent_hash8 *hash);

/* The text of a role as stored and typed: chair, editor, reader. */
const char *ent_role_name(enum ent_role role);
ENT_NODISCARD bool ent_role_parse(const char *text, enum ent_role *role);

#endif
