/* id.h - the fixed-size names: ids, keys, hashes.
 * A record id is a UUID: version 7 (RFC 9562) for what people create, so that
 * keys made together lie together on disk; version 5 for imports (rule M11). */
#ifndef ENT_BASE_ID_H
#define ENT_BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define ENT_ID_BYTES 16
#define ENT_KEY_BYTES 32
#define ENT_HASH_BYTES 32
#define ENT_HASH8_BYTES 8
#define ENT_ID_TEXT 37    /* 8-4-4-4-12 and a NUL */
#define ENT_ID_TAIL_MIN 4 /* hex digits that name a record by its end */

struct ent_id { /* a record, a space or an origin */
    uint8_t b[ENT_ID_BYTES];
};

struct ent_key { /* an Ed25519 or Curve25519 public key */
    uint8_t b[ENT_KEY_BYTES];
};

struct ent_hash { /* BLAKE2b-256 */
    uint8_t b[ENT_HASH_BYTES];
};

struct ent_hash8 { /* the first 8 bytes of one */
    uint8_t b[ENT_HASH8_BYTES];
};

int ent_id_cmp(const struct ent_id *a, const struct ent_id *b);
bool ent_id_equal(const struct ent_id *a, const struct ent_id *b);
bool ent_id_is_zero(const struct ent_id *id);
bool ent_key_equal(const struct ent_key *a, const struct ent_key *b);
bool ent_hash_equal(const struct ent_hash *a, const struct ent_hash *b);
bool ent_hash8_equal(const struct ent_hash8 *a, const struct ent_hash8 *b);
struct ent_hash8 ent_hash_head(const struct ent_hash *hash);

/* The usual text of a UUID, lower case. */
void ent_id_text(const struct ent_id *id, char text[ENT_ID_TEXT]);

/* A UUID with or without hyphens; false for anything else. */
ENT_NODISCARD bool ent_id_parse(const char *text, struct ent_id *id);

/* UUID version 5 of `name` in the namespace `space` (RFC 9562 section 5.5). */
struct ent_id ent_id_named(const struct ent_id *space, const void *name,
                           size_t len);

/* Makes UUIDs version 7. Within one millisecond ids go up in small random
 * steps, so a batch is sorted, compresses well and still cannot be guessed
 * from outside by counting. */
struct ent_idgen {
    struct ent_id last;
    int64_t last_ms;
};

/* The next id: time in Unix ms (held at the last one when it goes back) and
 * 10 fresh random bytes. */
struct ent_id ent_idgen_next(struct ent_idgen *gen, int64_t now_ms,
                             const uint8_t random[10]);

#endif
