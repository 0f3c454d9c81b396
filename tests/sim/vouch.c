/* vouch.c - a signature that was found good is not calculated again.
 * A third of a simulated world's time went into checking the same signatures on
 * every node. The linker puts this in the place of the real check (--wrap):
 * what held once, byte for byte, holds again; anything else is checked. */
#include <string.h>

#include "secure/hash.h"
#include "secure/keys.h"

#define SLOTS 8192

struct vouched {
    struct ent_key key;
    struct ent_sig sig;
    struct ent_hash message;
};

static struct vouched slots[SLOTS];

bool __real_ent_sig_verify(const struct ent_key *key, struct ent_slice message,
                           const struct ent_sig *sig);
bool __wrap_ent_sig_verify(const struct ent_key *key, struct ent_slice message,
                           const struct ent_sig *sig);

bool __wrap_ent_sig_verify(const struct ent_key *key, struct ent_slice message,
                           const struct ent_sig *sig)
{
    struct ent_hash hash = ent_hash_of(message);
    struct vouched *slot = &slots[ent_le64_get(hash.b) % SLOTS];

    if (memcmp(&slot->sig, sig, sizeof(*sig)) == 0 &&
        ent_key_equal(&slot->key, key) && ent_hash_equal(&slot->message, &hash))
        return true;
    if (!__real_ent_sig_verify(key, message, sig))
        return false;
    *slot = (struct vouched){.key = *key, .sig = *sig, .message = hash};
    return true;
}
