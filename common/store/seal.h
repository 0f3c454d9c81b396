/* seal.h - from what an entry says to its hash, and back: where codec/ (bytes)
 * and secure/ (hashes) meet. */
#ifndef ENT_STORE_SEAL_H
#define ENT_STORE_SEAL_H

#include "model/entry.h"
#include "secure/hash.h"
#include "secure/keys.h"

/* Buffers used again from entry to entry. */
struct ent_seal {
    struct ent_buf body;
    struct ent_buf header; /* of the last entry sealed: what is signed */
};

void ent_seal_fini(struct ent_seal *seal);

/* Fill in salts and commitments of every change, make body and header; the
 * entry's hash. ENT_ENOMEM. */
ENT_NODISCARD int ent_seal_entry(struct ent_seal *seal, struct ent_entry *entry,
                                 struct ent_hash *hash, struct ent_err *err);

/* Change `i` loses its values and their salt for good and keeps its commitment;
 * the seed, of which the salts follow, gives way to those of the others (L4).
 * Nothing when it has no values. */
void ent_seal_erase(struct ent_entry *entry, size_t i);

#endif
