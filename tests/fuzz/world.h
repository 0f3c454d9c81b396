/* world.h - a space whose members' keys a fuzzer has, and nodes that know
 * nothing of that: real replicas, real engines. A target's input says what the
 * members say; hashes, chains and signatures are made right here, so that it
 * reaches what lies behind them.
 *
 * Each input gets the space anew and purges it at the end: then nothing of it
 * may be left. */
#ifndef ENT_TESTS_FUZZ_WORLD_H
#define ENT_TESTS_FUZZ_WORLD_H

#include "../sim/net.h"
#include "model/entry.h"

#define WORLD_NODES 2

/* Who speaks. The nodes are editors too. */
enum world_member {
    WORLD_CHAIR,
    WORLD_EDITOR,
    WORLD_READER,
    WORLD_STRANGER, /* no member, unless the input admits it */
    WORLD_MEMBERS
};

/* The bytes of an input, taken from its beginning; zeros behind its end. */
struct world_input {
    const uint8_t *at;
    size_t len;
};

uint8_t world_u8(struct world_input *input);
uint16_t world_u16(struct world_input *input);
/* As many bytes as its first byte says, or as are left. */
struct ent_slice world_bytes(struct world_input *input);

struct world {
    struct net *net;
    struct ent_keys keys[WORLD_MEMBERS];
    struct ent_id id;
    int64_t space[WORLD_NODES]; /* its number in each node */
    uint64_t roster_pos;        /* the head after founding */
    struct ent_hash roster_head;
};

/* Once for the run. */
extern struct world world;
void world_open(void);

/* The space founded, and everybody but the stranger admitted, on all nodes. */
void world_found(void);
void world_purge(void);

struct ent_store *world_store(int node);

/* A roster entry of a member behind the given one, signed; its parts live in
 * `arena`. `hash` is replaced by its own. */
struct ent_roster_bytes world_roster(enum world_member by, uint64_t pos,
                                     struct ent_hash *hash,
                                     struct ent_slice body,
                                     struct ent_arena *arena);

/* A frontier of a member with space and key made right, signed. */
struct ent_said world_said(enum world_member by, struct ent_frontier *frontier,
                           struct ent_arena *arena);

/* What may not fail. */
void world_must(int rc, const struct ent_err *err, const char *what);

#endif
