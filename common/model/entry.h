/* entry.h - what an entry says: one committed transaction of one log.
 * Everything here is borrowed from the bytes it was read from or from the
 * writer's arena. Bytes are the business of codec/entry.h, hashes of
 * store/seal.h. Rules L2 and L4. */
#ifndef ENT_MODEL_ENTRY_H
#define ENT_MODEL_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/id.h"
#include "base/limits.h"
#include "model/value.h"

/* Operation numbers are fixed by the format version (rule L6). */
enum ent_op_code {
    ENT_OP_WRITE = 1,  /* a register's new value (M2) */
    ENT_OP_ADD = 2,    /* an element of a set (M4) */
    ENT_OP_REMOVE = 3, /* the named elements go (M4) */
    ENT_OP_LIVE = 4,   /* life, field 0: shown (M6) */
    ENT_OP_DEAD = 5,   /* life, field 0: deleted (M6) */
    ENT_OP_ERASE = 6,  /* field 0, and alone in its change: an owned record is
                        * erased for good by its owner (E1) */
};

#define ENT_FIELD_LIFE 0
#define ENT_FIELD_CODE 1

/* An entry that a body names: never another with that number. */
struct ent_ref {
    struct ent_id origin;
    uint64_t seq;
    struct ent_hash8 hash;
};

/* One write that an operation replaces: (reference, ordinal). */
struct ent_seen {
    uint32_t ref;     /* index into the entry's references */
    uint32_t ordinal; /* 0 for a register */
};

struct ent_op {
    uint32_t code;
    uint32_t field;
    const struct ent_seen *seen; /* ascending by (ref, ordinal) */
    size_t seen_count;
    struct ent_value value; /* of WRITE and ADD; NIL type otherwise */
};

struct ent_change {
    uint32_t kind;
    struct ent_id id;
    struct ent_op *ops; /* ascending by (field, code); life first */
    size_t op_count;
    bool erased;                /* the payload is gone, the commitment kept */
    bool has_commitment;        /* some operation bears a value */
    struct ent_hash commitment; /* filled by store/seal.h */
    uint8_t salt[16];           /* filled by store/seal.h or the packed form */
    struct ent_slice values;    /* canonical array of the values */
};

struct ent_entry {
    /* the header */
    struct ent_id space;
    struct ent_key author;
    struct ent_id origin;
    uint64_t seq;         /* from 1, without gaps */
    struct ent_hash prev; /* zero when seq is 1 */
    uint64_t roster_pos;  /* roster head the author knew */
    struct ent_hash8 roster_hash;
    int64_t time_ms;            /* a claim (M12) */
    const struct ent_ref *refs; /* ascending by (origin, seq, hash) */
    size_t ref_count;
    /* the body */
    struct ent_change *changes; /* ascending by (kind, id) */
    size_t change_count;
    /* the payload's key */
    bool has_seed; /* false: each change carries its own salt */
    uint8_t seed[16];
};

static inline bool ent_op_bears_value(uint32_t code)
{
    return code == ENT_OP_WRITE || code == ENT_OP_ADD;
}

/* Whether an operation is a write that stands until another replaces it. */
static inline bool ent_op_stands(uint32_t code)
{
    return code != ENT_OP_REMOVE && code != ENT_OP_ERASE;
}

int ent_ref_cmp(const struct ent_ref *a, const struct ent_ref *b);

/* Whether the lists are in order and every index and number is in range:
 * one change per record, one operation per field (set additions excepted),
 * life on field 0 and nothing else there. NULL when well formed, else what is
 * wrong, as a text to be translated. Rules L1, L2, L5. */
const char *ent_entry_fault(const struct ent_entry *entry);

#endif
