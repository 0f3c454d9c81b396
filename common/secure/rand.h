/* rand.h - seeded random bytes: ChaCha20 keyed by the seed.
 * One generator serves the simulator (a seed replays a run) and secrets (a
 * seed from the system). Nothing below node/ and cli/ asks the system. */
#ifndef ENT_SECURE_RAND_H
#define ENT_SECURE_RAND_H

#include <stddef.h>
#include <stdint.h>

#define ENT_RAND_SEED_BYTES 32
#define ENT_RAND_BLOCK 1024

struct ent_rand {
    uint8_t key[ENT_RAND_SEED_BYTES];
    uint8_t block[ENT_RAND_BLOCK];
    size_t used; /* bytes of the block given out */
};

void ent_rand_init(struct ent_rand *rand,
                   const uint8_t seed[ENT_RAND_SEED_BYTES]);
/* A seed for simulations and tests. */
void ent_rand_init_u64(struct ent_rand *rand, uint64_t seed);
/* A fresh seed from the system; for node/ and cli/ only. */
void ent_rand_init_system(struct ent_rand *rand);
/* Wipes it. */
void ent_rand_fini(struct ent_rand *rand);

void ent_rand_bytes(struct ent_rand *rand, void *at, size_t len);
uint64_t ent_rand_u64(struct ent_rand *rand);
/* Even over 0 .. bound - 1; bound is not 0. */
uint64_t ent_rand_below(struct ent_rand *rand, uint64_t bound);

#endif
