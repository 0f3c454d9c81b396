/* rand.c - see rand.h. Fast key erasure: every refill replaces the key, so a
 * state that leaks says nothing about bytes given out before. */
#include "secure/rand.h"

#include <sodium.h>
#include <string.h>

#include "base/bytes.h"

static void refill(struct ent_rand *rand)
{
    static const uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
    uint8_t out[ENT_RAND_SEED_BYTES + ENT_RAND_BLOCK];

    crypto_stream_chacha20_ietf(out, sizeof(out), nonce, rand->key);
    memcpy(rand->key, out, sizeof(rand->key));
    memcpy(rand->block, out + sizeof(rand->key), ENT_RAND_BLOCK);
    sodium_memzero(out, sizeof(out));
    rand->used = 0;
}

void ent_rand_init(struct ent_rand *rand,
                   const uint8_t seed[ENT_RAND_SEED_BYTES])
{
    memcpy(rand->key, seed, sizeof(rand->key));
    refill(rand);
}

void ent_rand_init_u64(struct ent_rand *rand, uint64_t seed)
{
    uint8_t bytes[ENT_RAND_SEED_BYTES] = {0};

    ent_le64_put(bytes, seed);
    ent_rand_init(rand, bytes);
}

void ent_rand_init_system(struct ent_rand *rand)
{
    uint8_t seed[ENT_RAND_SEED_BYTES];

    randombytes_buf(seed, sizeof(seed));
    ent_rand_init(rand, seed);
    sodium_memzero(seed, sizeof(seed));
}

void ent_rand_fini(struct ent_rand *rand)
{
    sodium_memzero(rand, sizeof(*rand));
}

void ent_rand_bytes(struct ent_rand *rand, void *at, size_t len)
{
    uint8_t *to = at;

    while (len > 0) {
        size_t part = ENT_RAND_BLOCK - rand->used;

        if (part == 0) {
            refill(rand);
            continue;
        }
        if (part > len)
            part = len;
        memcpy(to, rand->block + rand->used, part);
        sodium_memzero(rand->block + rand->used, part);
        rand->used += part;
        to += part;
        len -= part;
    }
}

uint64_t ent_rand_u64(struct ent_rand *rand)
{
    uint8_t bytes[8];

    ent_rand_bytes(rand, bytes, sizeof(bytes));
    return ent_le64_get(bytes);
}

uint64_t ent_rand_below(struct ent_rand *rand, uint64_t bound)
{
    uint64_t floor = -bound % bound; /* 2^64 mod bound */
    uint64_t value;

    do
        value = ent_rand_u64(rand);
    while (value < floor);
    return value % bound;
}
