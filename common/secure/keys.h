/* keys.h - a node's key pair, and signatures (rule N1).
 * Ed25519 (RFC 8032) for signatures; the CURVE pair of the transport is
 * derived from it, so that one key names both. Secrets are wiped after use. */
#ifndef ENT_SECURE_KEYS_H
#define ENT_SECURE_KEYS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"

#define ENT_SIG_BYTES 64
#define ENT_SECRET_BYTES 64
#define ENT_SEED_BYTES 32

struct ent_sig {
    uint8_t b[ENT_SIG_BYTES];
};

struct ent_keys {
    struct ent_key public;            /* Ed25519 */
    uint8_t secret[ENT_SECRET_BYTES]; /* begins with the seed */
    struct ent_key curve_public;      /* Curve25519, derived */
    uint8_t curve_secret[32];
};

/* Must be called once before anything else in secure/. ENT_EFAIL: libsodium
 * is missing or too old. */
ENT_NODISCARD int ent_secure_init(struct ent_err *err);

void ent_keys_from_seed(struct ent_keys *keys,
                        const uint8_t seed[ENT_SEED_BYTES]);
void ent_keys_fini(struct ent_keys *keys);

/* The key file: 0600, "entente-key-1 " and the seed in hex. Saving never
 * overwrites. ENT_ESTORE: cannot be written or read; ENT_EREFUSED: not a key
 * file; ENT_EDENIED: others may read it. */
ENT_NODISCARD int ent_keys_save(const uint8_t seed[ENT_SEED_BYTES],
                                const char *path, struct ent_err *err);
ENT_NODISCARD int ent_keys_load(struct ent_keys *keys, const char *path,
                                struct ent_err *err);

/* The CURVE key that belongs to an Ed25519 key; false: no valid key. */
ENT_NODISCARD bool ent_key_to_curve(const struct ent_key *key,
                                    struct ent_key *curve);

void ent_sign(const struct ent_keys *keys, struct ent_slice message,
              struct ent_sig *sig);
ENT_NODISCARD bool ent_sig_verify(const struct ent_key *key,
                                  struct ent_slice message,
                                  const struct ent_sig *sig);

#endif
