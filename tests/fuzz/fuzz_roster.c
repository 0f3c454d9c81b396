/* fuzz_roster.c - roster entries and signed frontiers of members, in any order.
 * What comes to be of a set of them does not depend on the order (A1, S10), and
 * what was kept can be read back.
 *
 *   input := what...
 *   what  := (author and kind, 1 byte) ...
 *     roster entry behind any other: behind (1) body
 *       body := raw bytes | admit: whom (1) role (1) term (1) name
 *     signed frontier: raw bytes | counter (1) position (1) heads endpoints */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/roster.h"
#include "codec/said.h"
#include "secure/hash.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENTRIES_MAX 24
#define SAID_MAX 8
#define HEADS_MAX 6

struct story {
    struct ent_arena arena;
    struct ent_roster_bytes entries[ENTRIES_MAX];
    struct ent_hash hashes[ENTRIES_MAX + 1]; /* 0: the head after founding */
    uint64_t positions[ENTRIES_MAX + 1];
    size_t count;
    struct ent_said said[SAID_MAX];
    size_t said_count;
};

static struct ent_key key_of(uint8_t number)
{
    struct ent_key key = {{number}};

    if (number < WORLD_MEMBERS)
        return world.keys[number].public;
    if (number < WORLD_MEMBERS + WORLD_NODES)
        return world.net->nodes[number - WORLD_MEMBERS].keys.public;
    return key;
}

static void put_admit(struct ent_buf *body, struct world_input *input)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_ADMIT};
    uint8_t role;

    entry.member = key_of(world_u8(input));
    role = world_u8(input);
    entry.role = (enum ent_role)(role % 4);
    entry.term = 1 + role / 128;
    entry.invite.b[0] = role & 64;
    entry.org = world_bytes(input);
    ent_roster_body_put(body, &entry);
}

static void add_entry(struct story *story, struct world_input *input,
                      enum world_member by, bool raw)
{
    size_t behind = world_u8(input) % (story->count + 1);
    struct ent_hash hash = story->hashes[behind];
    struct ent_buf body = {0};

    if (raw)
        ent_buf_put_slice(&body, world_bytes(input));
    else
        put_admit(&body, input);
    story->positions[story->count + 1] = story->positions[behind] + 1;
    story->entries[story->count] =
        world_roster(by, story->positions[behind] + 1, &hash,
                     ent_buf_slice(&body), &story->arena);
    story->hashes[++story->count] = hash;
    ent_buf_fini(&body);
}

static void add_said(struct story *story, struct world_input *input,
                     enum world_member by, bool raw)
{
    struct ent_frontier_head heads[HEADS_MAX] = {0};
    struct ent_frontier frontier = {.heads = heads};
    struct ent_slice bytes;
    size_t at;

    if (raw) {
        bytes = world_bytes(input);
        if (ent_frontier_get(bytes, &story->arena, &frontier, NULL) < 0) {
            struct ent_said *said = &story->said[story->said_count++];

            *said =
                (struct ent_said){.key = world.keys[by].public, .body = bytes};
            ent_sign(&world.keys[by], bytes, &said->sig);
            return;
        }
    } else {
        frontier.counter = world_u8(input);
        at = world_u8(input) % (story->count + 1);
        frontier.roster_pos = story->positions[at];
        frontier.roster_hash = ent_hash_head(&story->hashes[at]);
        frontier.head_count = world_u8(input) % (HEADS_MAX + 1);
        for (size_t i = 0; i < frontier.head_count; i++) {
            heads[i].author = key_of(world_u8(input));
            heads[i].origin.b[0] = (uint8_t)(i + 1);
            heads[i].seq = world_u16(input);
        }
        bytes = world_bytes(input);
        frontier.endpoint_count = 1;
        memcpy(frontier.endpoints[0], bytes.at,
               bytes.len < ENT_ENDPOINT_MAX ? bytes.len : ENT_ENDPOINT_MAX);
    }
    story->said[story->said_count++] = world_said(by, &frontier, &story->arena);
}

static void read_story(struct story *story, struct world_input input)
{
    story->hashes[0] = world.roster_head;
    story->positions[0] = world.roster_pos;
    while (input.len > 0) {
        uint8_t what = world_u8(&input);
        enum world_member by = (enum world_member)(what % WORLD_MEMBERS);
        bool raw = what & 0x40;

        if (what & 0x80 && story->said_count < SAID_MAX)
            add_said(story, &input, by, raw);
        else if (!(what & 0x80) && story->count < ENTRIES_MAX)
            add_entry(story, &input, by, raw);
        else
            break;
    }
}

/* ------------------------------------------------------------------ taking */

/* All at once. */
static void take_together(const struct story *story, int node)
{
    struct ent_taken taken;
    struct ent_err err;
    size_t news, refused;

    world_must(ent_roster_take(world_store(node), world.space[node],
                               story->entries, story->count, 0, &taken, &err),
               &err, "roster");
    ENT_ASSERT((size_t)taken.received == story->count);
    ENT_ASSERT(taken.received == taken.applied + taken.duplicate +
                                     taken.quarantined + taken.refused +
                                     taken.waiting);
    world_must(ent_said_take(world_store(node), world.space[node], story->said,
                             story->said_count, &news, &refused, &err),
               &err, "said");
    ENT_ASSERT(news + refused <= story->said_count);
}

/* One by one, the last first, and again: who is admitted by one that comes
 * later is refused until then. */
static void take_reversed(const struct story *story, int node)
{
    struct ent_taken taken;
    struct ent_err err;
    size_t news, refused;

    for (size_t i = (story->count + 1) * story->count; i-- > 0;)
        world_must(ent_roster_take(world_store(node), world.space[node],
                                   &story->entries[i % story->count], 1, 0,
                                   &taken, &err),
                   &err, "roster");
    for (size_t i = 2 * story->said_count; i-- > 0;)
        world_must(ent_said_take(world_store(node), world.space[node],
                                 &story->said[i % story->said_count], 1, &news,
                                 &refused, &err),
                   &err, "said");
}

/* ---------------------------------------------------------------- checking */

/* What a node knows of the space, as bytes. */
static void describe(int node, struct ent_buf *text)
{
    struct ent_store *store = world_store(node);
    struct ent_arena arena = {0};
    struct ent_holding *holdings;
    struct ent_member *members;
    struct ent_digest digest;
    struct ent_said *said;
    struct ent_space info;
    struct ent_err err;
    size_t count;

    world_must(ent_digest_read(store, world.space[node], &digest, &err), &err,
               "digest");
    ent_buf_put(text, digest.roster.b, sizeof(digest.roster.b));
    world_must(ent_space_read(store, world.space[node], &info, &err), &err,
               "space");
    /* Not our own role: each of the two has its own. */
    ent_buf_printf(text, "%llu", (unsigned long long)info.roster_pos);
    ent_buf_put(text, info.roster_head.b, ENT_HASH_BYTES);
    world_must(
        ent_member_list(store, world.space[node], &members, &count, &err), &err,
        "members");
    for (size_t i = 0; i < count; i++) {
        ent_buf_put(text, members[i].key.b, ENT_KEY_BYTES);
        ent_buf_printf(text, "%d %s %llu", (int)members[i].role, members[i].org,
                       (unsigned long long)members[i].since);
    }
    free(members);
    world_must(
        ent_said_list(store, world.space[node], &arena, &said, &count, &err),
        &err, "said");
    for (size_t i = 0; i < count; i++) {
        struct ent_frontier frontier;

        ent_buf_put(text, said[i].key.b, ENT_KEY_BYTES);
        ent_buf_put_slice(text, said[i].body);
        world_must(ent_frontier_get(said[i].body, &arena, &frontier, &err),
                   &err, "a frontier that was kept");
    }
    world_must(
        ent_holding_list(store, world.space[node], &holdings, &count, &err),
        &err, "holdings");
    free(holdings);
    ent_arena_fini(&arena);
}

/* The state as a pure function of the set agrees with the replica's. */
static void check(void)
{
    struct ent_buf text[WORLD_NODES] = {0};

    for (int i = 0; i < WORLD_NODES; i++)
        describe(i, &text[i]);
    ENT_ASSERT(
        ent_slice_equal(ent_buf_slice(&text[0]), ent_buf_slice(&text[1])));
    for (int i = 0; i < WORLD_NODES; i++)
        ent_buf_fini(&text[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct story story = {0};

    world_open();
    world_found();
    read_story(&story, (struct world_input){data, size});
    take_together(&story, 0);
    take_reversed(&story, 1);
    check();
    ent_arena_fini(&story.arena);
    world_purge();
    return 0;
}
