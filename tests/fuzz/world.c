/* world.c - see world.h. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "secure/hash.h"

struct world world;

/* ------------------------------------------------------------------- input */

uint8_t world_u8(struct world_input *input)
{
    if (input->len == 0)
        return 0;
    input->len--;
    return *input->at++;
}

uint16_t world_u16(struct world_input *input)
{
    uint16_t high = world_u8(input);

    return (uint16_t)(high << 8 | world_u8(input));
}

struct ent_slice world_bytes(struct world_input *input)
{
    size_t len = world_u8(input);
    struct ent_slice bytes;

    len = len > input->len ? input->len : len;
    bytes = ent_slice(input->at, len);
    input->at += len;
    input->len -= len;
    return bytes;
}

/* ------------------------------------------------------------------- world */

void world_must(int rc, const struct ent_err *err, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, err->text);
    abort();
}

struct ent_store *world_store(int node)
{
    return world.net->nodes[node].store;
}

static void world_close(void)
{
    net_free(world.net);
    net_end();
}

void world_open(void)
{
    if (world.net != NULL)
        return;
    net_begin();
    world.net = net_new(1);
    for (int i = 0; i < WORLD_NODES; i++) {
        net_add(world.net);
        ent_engine_free(world.net->nodes[i].engine);
        world.net->nodes[i].engine = NULL;
    }
    for (int i = 0; i < WORLD_MEMBERS; i++) {
        uint8_t seed[32] = {(uint8_t)(100 + i)};

        ent_keys_from_seed(&world.keys[i], seed);
    }
    atexit(world_close);
}

/* ------------------------------------------------------------------ making */

struct ent_roster_bytes world_roster(enum world_member by, uint64_t pos,
                                     struct ent_hash *hash,
                                     struct ent_slice body,
                                     struct ent_arena *arena)
{
    const struct ent_entry head = {
        .space = world.id,
        .author = world.keys[by].public,
        .seq = pos,
        .prev = *hash,
        .time_ms = NET_START_MS,
    };
    struct ent_hash body_hash = ent_hash_of(body);
    struct ent_buf header = {0};
    struct ent_roster_bytes made;

    ent_header_put(&header, ENT_ROSTER_TAG, &head, &body_hash);
    made.header = ent_arena_copy(arena, ent_buf_slice(&header));
    made.body = ent_arena_copy(arena, body);
    ent_sign(&world.keys[by], made.header, &made.sig);
    *hash = ent_hash_of(made.header);
    ent_buf_fini(&header);
    return made;
}

struct ent_said world_said(enum world_member by, struct ent_frontier *frontier,
                           struct ent_arena *arena)
{
    struct ent_said said = {.key = world.keys[by].public,
                            .counter = frontier->counter};
    struct ent_buf body = {0};

    frontier->space = world.id;
    frontier->key = said.key;
    ent_frontier_put(&body, frontier);
    said.body = ent_arena_copy(arena, ent_buf_slice(&body));
    ent_sign(&world.keys[by], said.body, &said.sig);
    ent_buf_fini(&body);
    return said;
}

/* ---------------------------------------------------------------- founding */

#define FOUNDING (1 + 2 + WORLD_NODES)

static struct ent_roster_bytes next_entry(const struct ent_roster_entry *entry,
                                          struct ent_arena *arena)
{
    struct ent_buf body = {0};
    struct ent_roster_bytes made;

    ent_roster_body_put(&body, entry);
    made = world_roster(WORLD_CHAIR, ++world.roster_pos, &world.roster_head,
                        ent_buf_slice(&body), arena);
    ent_buf_fini(&body);
    return made;
}

static struct ent_roster_bytes
admit(const struct ent_key *key, enum ent_role role, struct ent_arena *arena)
{
    const struct ent_roster_entry entry = {.term = 1,
                                           .kind = ENT_ROSTER_ADMIT,
                                           .member = *key,
                                           .role = role,
                                           .org = ent_slice("Org", 3)};

    return next_entry(&entry, arena);
}

void world_found(void)
{
    const struct ent_roster_entry found = {.term = 1,
                                           .kind = ENT_ROSTER_FOUND,
                                           .org = ent_slice("Chair", 5),
                                           .title_en = ent_slice("T", 1),
                                           .title_fr = ent_slice("T", 1),
                                           .nonce = {1}};
    struct ent_roster_bytes entries[FOUNDING];
    struct ent_arena arena = {0};
    size_t count = 0;
    struct ent_err err;

    memset(&world.id, 0, sizeof(world.id));
    memset(&world.roster_head, 0, sizeof(world.roster_head));
    world.roster_pos = 0;
    entries[count++] = next_entry(&found, &arena);
    memcpy(world.id.b, world.roster_head.b, ENT_ID_BYTES);
    entries[count++] =
        admit(&world.keys[WORLD_EDITOR].public, ENT_ROLE_EDITOR, &arena);
    entries[count++] =
        admit(&world.keys[WORLD_READER].public, ENT_ROLE_READER, &arena);
    for (int i = 0; i < WORLD_NODES; i++)
        entries[count++] =
            admit(&world.net->nodes[i].keys.public, ENT_ROLE_EDITOR, &arena);
    for (int i = 0; i < WORLD_NODES; i++) {
        struct ent_invite invite = {.space = world.id,
                                    .chair = world.keys[WORLD_CHAIR].public,
                                    .role = ENT_ROLE_EDITOR,
                                    .handle = "s"};
        struct ent_taken taken;

        world_must(
            ent_space_expect(world_store(i), &invite, &world.space[i], &err),
            &err, "expect");
        world_must(ent_roster_take(world_store(i), world.space[i], entries,
                                   count, 0, &taken, &err),
                   &err, "roster");
        ENT_ASSERT(taken.refused == 0);
    }
    ent_arena_fini(&arena);
}

void world_purge(void)
{
    static const char left[] =
        "SELECT (SELECT count(*) FROM log) + (SELECT count(*) FROM roster) + "
        "(SELECT count(*) FROM origin) + (SELECT count(*) FROM signature) + "
        "(SELECT count(*) FROM frontier) + (SELECT count(*) FROM space) + "
        "(SELECT count(*) FROM cell) + (SELECT count(*) FROM unseen) + "
        "(SELECT count(*) FROM simplans) + (SELECT count(*) FROM local_space) "
        "+ (SELECT count(*) FROM local_alarm) + (SELECT count(*) FROM "
        "search_doc)";
    struct ent_err err;

    for (int i = 0; i < WORLD_NODES; i++) {
        world_must(ent_space_leave(world_store(i), world.space[i], true, &err),
                   &err, "purge");
        ENT_ASSERT(net_rows(world.net, i, left) == 0);
    }
}
