/* vouch.c - what is known of keys and signatures is not calculated again.
 * A third of a simulated world's time went into checking the same signatures on
 * every node. The linker puts this in the place of the real functions (--wrap):
 * what was signed here, or held once, holds again byte for byte; anything else
 * is checked, and so is one signature in 16 when it is met first. */
#include <string.h>

#include "secure/hash.h"
#include "secure/keys.h"

#define SLOTS 8192
#define CURVES 256
#define CHECKED_AT_FIRST 16

struct vouched {
    struct ent_key key;
    struct ent_sig sig;
    struct ent_hash message;
};

static struct vouched slots[SLOTS];
static struct {
    struct ent_key key, curve;
    bool known;
} curves[CURVES];

bool __real_ent_sig_verify(const struct ent_key *key, struct ent_slice message,
                           const struct ent_sig *sig);
bool __wrap_ent_sig_verify(const struct ent_key *key, struct ent_slice message,
                           const struct ent_sig *sig);
void __real_ent_sign(const struct ent_keys *keys, struct ent_slice message,
                     struct ent_sig *sig);
void __wrap_ent_sign(const struct ent_keys *keys, struct ent_slice message,
                     struct ent_sig *sig);
bool __real_ent_key_to_curve(const struct ent_key *key, struct ent_key *curve);
bool __wrap_ent_key_to_curve(const struct ent_key *key, struct ent_key *curve);

static struct vouched *slot_of(const struct ent_hash *message)
{
    return &slots[ent_le64_get(message->b) % SLOTS];
}

bool __wrap_ent_sig_verify(const struct ent_key *key, struct ent_slice message,
                           const struct ent_sig *sig)
{
    struct ent_hash hash = ent_hash_of(message);
    struct vouched *slot = slot_of(&hash);

    if (memcmp(&slot->sig, sig, sizeof(*sig)) == 0 &&
        ent_key_equal(&slot->key, key) && ent_hash_equal(&slot->message, &hash))
        return true;
    if (!__real_ent_sig_verify(key, message, sig))
        return false;
    *slot = (struct vouched){.key = *key, .sig = *sig, .message = hash};
    return true;
}

void __wrap_ent_sign(const struct ent_keys *keys, struct ent_slice message,
                     struct ent_sig *sig)
{
    struct ent_hash hash = ent_hash_of(message);

    __real_ent_sign(keys, message, sig);
    if (hash.b[ENT_HASH_BYTES - 1] % CHECKED_AT_FIRST != 0)
        *slot_of(&hash) =
            (struct vouched){.key = keys->public, .sig = *sig, .message = hash};
}

bool __wrap_ent_key_to_curve(const struct ent_key *key, struct ent_key *curve)
{
    size_t at = ent_le64_get(key->b) % CURVES;

    if (!curves[at].known || !ent_key_equal(&curves[at].key, key)) {
        if (!__real_ent_key_to_curve(key, curve))
            return false;
        curves[at].key = *key;
        curves[at].curve = *curve;
        curves[at].known = true;
    }
    *curve = curves[at].curve;
    return true;
}
