/* erase.h - records erased for good (rules E1 to E4): by an entry of the
 * space's roster, which its chair writes, or, where the record has an owner, by
 * that owner in its own log. What is erased counts nowhere, whatever else is
 * written of it; its values and their salts leave the log, the rest of the
 * entries stays, and so do their hashes. */
#ifndef ENT_STORE_ERASE_H
#define ENT_STORE_ERASE_H

#include "store/store.h"

struct ent_record_ref;

/* What this node may do about a record that shall be erased. */
enum ent_may_erase {
    ENT_MAY_ERASE_NOT,   /* no member that writes: the chair has to be told */
    ENT_MAY_ERASE_ASK,   /* another's, and this node is not the chair */
    ENT_MAY_ERASE_OWN,   /* in its own log */
    ENT_MAY_ERASE_CHAIR, /* in the roster */
};
ENT_NODISCARD int ent_may_erase(struct ent_store *store,
                                const struct ent_record_ref *ref,
                                enum ent_may_erase *may, struct ent_err *err);

/* Erase a record here and, with the news, everywhere: one transaction, durable.
 * The bytes go with it out of the log and the tables, and out of the file with
 * ent_store_scrub. ENT_EDENIED: this node may not; ENT_EUSAGE: it is erased. */
ENT_NODISCARD int ent_record_erase(struct ent_store *store,
                                   const struct ent_record_ref *ref,
                                   int64_t now_ms, struct ent_err *err);

/* A record that is erased. */
struct ent_erasure {
    int64_t space;
    uint32_t kind;
    struct ent_id id;
    struct ent_key by; /* the chair, else the owner */
    int64_t claimed_ms;
    uint64_t pos; /* of the roster's entry; 0: by its owner alone */
    int64_t n;    /* of the owner's entry; 0: by the chair alone */
    bool counts;  /* false: its owner did it beyond a cut, and the record stands
                   * without values until the chair does it, too */
    int64_t late; /* writes that came later and were dropped here */
};

/* Whether a record is erased: 1 or 0. */
ENT_NODISCARD int ent_record_erased(struct ent_store *store,
                                    const struct ent_record_ref *ref,
                                    struct ent_err *err);

/* What is erased in a space, or in all when it is 0, by space, kind and id;
 * lives in `arena`. */
ENT_NODISCARD int ent_erasure_list(struct ent_store *store, int64_t space,
                                   struct ent_arena *arena,
                                   struct ent_erasure **list, size_t *count,
                                   struct ent_err *err);

/* Whether the node `key` has carried it out, by the newest frontier that it
 * signed (E4): 1 or 0. Of what only its owner erased: whether it has that
 * entry. */
ENT_NODISCARD int ent_erasure_confirmed(struct ent_store *store,
                                        const struct ent_erasure *erasure,
                                        const struct ent_key *key,
                                        struct ent_err *err);

/* Entries of a space, or of all, that lack values which were not erased (E3).
 */
ENT_NODISCARD int ent_wanted_count(struct ent_store *store, int64_t space,
                                   int64_t *count, struct ent_err *err);

/* What was erased leaves free pages, the word index, the WAL and older copies
 * that this program made of the file, too (E2): takes as long as copying it,
 * and as much room. 1: nothing is left of it; 0: a program that reads the
 * replica stands in the way, it is tried again later. Cheap when nothing is
 * due. */
ENT_NODISCARD int ent_store_scrub(struct ent_store *store, struct ent_err *err);
/* Whether it is due. */
ENT_NODISCARD int ent_store_scrub_due(struct ent_store *store,
                                      struct ent_err *err);

#endif
