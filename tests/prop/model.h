/* model.h - the rules M1 to M6, M9, A3 and E1 said naively: lists and loops.
 * The state is a pure function of the set of entries and of the roster. This
 * says it from their definition, slowly, and shares no code with the store; of
 * secure/hash.h it takes H8 and the summands of the state digest. */
#ifndef ENT_TESTS_PROP_MODEL_H
#define ENT_TESTS_PROP_MODEL_H

#include "model/entry.h"
#include "model/roster.h"
#include "secure/hash.h"

enum model_verdict {
    MODEL_ACCEPTED,
    MODEL_QUARANTINED, /* well formed, but its author may not write, or not
                        * all that it changes */
    MODEL_REFUSED,     /* no roster entry held ever admitted its author */
    MODEL_WAITING,     /* it, or one before it in its log, names a roster head
                        * that is not held */
};

struct model_entry {
    const struct ent_entry *entry;
    struct ent_hash hash;
    enum model_verdict verdict; /* filled by model_judge */
};

/* One write that stands. */
struct model_write {
    uint32_t kind;
    struct ent_id id;
    uint32_t field;
    uint32_t code;
    uint32_t ordinal;
    const struct model_entry *from;
    const struct ent_change *change;
    struct ent_value value;
};

struct model {
    struct model_write *writes; /* in no order */
    size_t count;
    uint8_t state[16]; /* the digest by its definition (S5) */
};

/* Who is accepted under this roster (A2, A3). Entries of one log stand in
 * order among `entries`. */
void model_judge(struct model_entry *entries, size_t count,
                 const struct ent_roster_entry *roster, size_t roster_count);

/* Whether records of a kind belong to somebody (M9). */
bool model_is_owned(uint32_t kind);

/* The id of a record of an owned kind that begins as `id` does (M9). */
struct ent_id model_own_id(const struct ent_id *space,
                           const struct ent_key *owner, struct ent_id id);

/* What stands, of the entries judged before; lives in `arena`. */
void model_merge(const struct model_entry *entries, size_t count,
                 const struct ent_roster_entry *roster, size_t roster_count,
                 struct ent_arena *arena, struct model *model);

/* Whether a record is shown (M6). */
bool model_live(const struct model *model, uint32_t kind,
                const struct ent_id *id);

/* M2: of two concurrent values, whether `a` shows rather than `b`. */
bool model_shows_before(const struct model_write *a,
                        const struct model_write *b);

#endif
