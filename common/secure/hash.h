/* hash.h - the hashes of the format: BLAKE2b (RFC 7693), ChaCha20 (RFC 8439)
 * for salts, SipHash-2-4-128 for the summands of the state digest. */
#ifndef ENT_SECURE_HASH_H
#define ENT_SECURE_HASH_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/id.h"

#define ENT_SALT_BYTES 16
#define ENT_SUM_BYTES 16

/* BLAKE2b-256 of `message`. */
struct ent_hash ent_hash_of(struct ent_slice message);

/* BLAKE2b-256 keyed with up to 64 bytes. */
struct ent_hash ent_hash_keyed(struct ent_slice key, struct ent_slice message);

/* The first 8 bytes of BLAKE2b-128: short tags on the wire. */
struct ent_hash8 ent_hash8_of(struct ent_slice message);

/* Commitment to a change's values (L4): BLAKE2b-256 with this salt and the
 * personal "entente/value/1". */
struct ent_hash ent_commitment(struct ent_slice values,
                               const uint8_t salt[ENT_SALT_BYTES]);

/* The salts of an entry's changes: bytes of ChaCha20-IETF keyed with
 * BLAKE2b-256 of the seed, nonce 0 (L4). */
void ent_salts_of(const uint8_t seed[ENT_SALT_BYTES], size_t count,
                  uint8_t (*salts)[ENT_SALT_BYTES]);

/* A sum modulo 2^128, little-endian: the state digest (S5). */
struct ent_sum {
    uint64_t low, high;
};

void ent_sum_add(struct ent_sum *sum, const struct ent_sum *part);
void ent_sum_sub(struct ent_sum *sum, const struct ent_sum *part);
void ent_sum_put(const struct ent_sum *sum, uint8_t to[ENT_SUM_BYTES]);
struct ent_sum ent_sum_get(const uint8_t from[ENT_SUM_BYTES]);

/* What one write adds to the state: key times mark. The key says whose record
 * and entry it is: SipHash-2-4-128 of kind (4 bytes, little-endian) ‖ id, keyed
 * with the first 16 bytes of the entry's hash, and made odd. The mark says
 * which write: SipHash-2-4-128 of field ‖ ordinal ‖ code (4 bytes each), keyed
 * with "entente/digest/1". So all writes of a change take one multiplication.
 */
struct ent_sum ent_sum_key_of(uint32_t kind, const struct ent_id *id,
                              const struct ent_hash *entry);
struct ent_sum ent_sum_mark_of(uint32_t field, uint32_t ordinal, uint32_t code);
struct ent_sum ent_sum_times(const struct ent_sum *a, const struct ent_sum *b);

/* Marks of the usual writes, made once; ent_secure_init calls it. */
void ent_sum_prepare(void);

/* The summand of an accepted entry: the first 16 bytes of its hash. */
struct ent_sum ent_sum_of_entry(const struct ent_hash *entry);

/* base64url without padding, for lines people copy. */
void ent_base64_put(struct ent_buf *buf, struct ent_slice bytes);
ENT_NODISCARD bool ent_base64_get(const char *text, struct ent_buf *buf);

/* The same time for equal and unequal bytes. */
bool ent_equal_secret(const void *a, const void *b, size_t len);

#endif
