/* fuzz_offer.c - the log of a member that is cut, readmitted and cut again, as
 * a tree of forks: parts of it come to a node as what its peers hold, or are
 * offered to it as beyond a cut (A4), with good signatures and without, in any
 * order. Hashes and signatures are made right here, so that it reaches what
 * lies behind them.
 *
 * What is offered changes no digest; counts add up; `verify` and `rebuild` find
 * nothing; and what the node offers in its turn, a node that holds the same
 * does not refuse.
 *
 *   input := step...
 *   step  := what (1) which (1) how (1)    see enum what */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "secure/hash.h"
#include "store/seal.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NODE 0
#define OTHER 1
#define STEPS_MAX 60
#define ENTRIES_MAX 24

enum what {
    WRITE, /* and the next two: upon another entry */
    HOLD = 3,
    OFFER, /* and the next two */
    CUT = 7,
    READMIT,
    ADMIT,
    WHATS,
};

/* One entry of the tree. */
struct leaf {
    int parent; /* -1: the first of the log */
    uint64_t seq;
    struct ent_hash hash;
    struct ent_sig sig;
    struct ent_slice packed;
};

struct tree {
    struct ent_arena arena;
    struct leaf leaves[ENTRIES_MAX];
    int count;
    uint64_t roster_pos;
    struct ent_hash roster_head;
};

static const struct ent_id origin = {{11}};

static void write_leaf(struct tree *tree, uint8_t which, uint8_t how)
{
    const struct ent_key *author = &world.keys[WORLD_EDITOR].public;
    struct leaf *leaf = &tree->leaves[tree->count];
    struct ent_op ops[] = {
        {.code = ENT_OP_LIVE},
        {.code = ENT_OP_WRITE, .field = NET_TITLE, .value = ent_value_int(how)},
    };
    struct ent_change change = {.kind = NET_KIND,
                                .id = net_record(how % 4),
                                .ops = ops,
                                .op_count = ENT_ARRAY_LEN(ops)};
    struct ent_entry entry = {.space = world.id,
                              .author = *author,
                              .origin = origin,
                              .time_ms = NET_START_MS + tree->count,
                              .changes = &change,
                              .change_count = 1,
                              .has_seed = true};
    struct ent_seal seal = {0};
    struct ent_buf packed = {0};
    struct ent_entry read;

    if (tree->count == ENTRIES_MAX)
        return;
    leaf->parent = which % (tree->count + 1) - 1;
    leaf->seq = leaf->parent < 0 ? 1 : tree->leaves[leaf->parent].seq + 1;
    entry.seq = leaf->seq;
    if (leaf->parent >= 0)
        entry.prev = tree->leaves[leaf->parent].hash;
    /* As it was before all cuts, or as it is. */
    entry.roster_pos = how & 128 ? tree->roster_pos : world.roster_pos;
    entry.roster_hash =
        ent_hash_head(how & 128 ? &tree->roster_head : &world.roster_head);
    entry.seed[0] = (uint8_t)tree->count;
    ent_entry_put(&packed, &entry);
    leaf->packed = ent_arena_copy(&tree->arena, ent_buf_slice(&packed));
    read = entry;
    if (ent_entry_get(leaf->packed, &tree->arena, &read, NULL) == 0 &&
        ent_seal_entry(&seal, &read, &leaf->hash, NULL) == 0) {
        ent_sign(&world.keys[WORLD_EDITOR], ent_buf_slice(&seal.header),
                 &leaf->sig);
        tree->count++;
    }
    ent_seal_fini(&seal);
    ent_buf_fini(&packed);
}

/* The last entries up to a leaf, as a run. */
static bool make_run(struct tree *tree, uint8_t which, uint8_t how,
                     struct ent_run *run)
{
    struct ent_slice *entries;
    int at;

    if (tree->count == 0)
        return false;
    at = which % tree->count;
    *run = (struct ent_run){.author = world.keys[WORLD_EDITOR].public,
                            .origin = origin,
                            .sig = tree->leaves[at].sig};
    run->count = 1 + how % tree->leaves[at].seq;
    run->from = tree->leaves[at].seq - run->count + 1;
    entries = ENT_ARENA_NEW(&tree->arena, struct ent_slice, run->count);
    for (size_t i = run->count; i-- > 0; at = tree->leaves[at].parent)
        entries[i] = tree->leaves[at].packed;
    run->entries = entries;
    if (at >= 0)
        run->prev = ent_hash_head(&tree->leaves[at].hash);
    return true;
}

static void check_taken(const struct ent_taken *taken)
{
    ENT_ASSERT(taken->received == taken->applied + taken->duplicate +
                                      taken->quarantined + taken->refused +
                                      taken->waiting);
}

static void hold(struct tree *tree, uint8_t which, uint8_t how)
{
    struct ent_taken taken;
    struct ent_run run;
    struct ent_err err;

    if (!make_run(tree, which, how, &run))
        return;
    world_must(ent_runs_take(world_store(NODE), world.space[NODE], NULL, &run,
                             1, NET_START_MS, &taken, &err),
               &err, "what is held");
    check_taken(&taken);
}

static void offer(struct tree *tree, uint8_t which, uint8_t how)
{
    struct ent_digest before = net_digest(world.net, NODE, 0);
    struct ent_digest after;
    struct ent_taken taken;
    struct ent_run run;
    struct ent_err err;

    if (!make_run(tree, which, how / 8, &run))
        return;
    run.sig.b[0] ^= how % 8 == 1;
    run.prev.b[0] ^= how % 8 == 2;
    run.from += how % 8 == 3;
    if (how % 8 == 4)
        run.author = world.keys[WORLD_READER].public;
    world_must(ent_aside_take(world_store(NODE), world.space[NODE], NULL, &run,
                              1, NET_START_MS, &taken, &err),
               &err, "what is offered");
    check_taken(&taken);
    ENT_ASSERT(taken.applied == 0);
    after = net_digest(world.net, NODE, 0);
    /* Another branch may be a rival to what counts by its number (A4). */
    ENT_ASSERT(taken.fork || memcmp(&before, &after, sizeof(before)) == 0);
}

/* The chair decides, about what it may not hold itself. */
static void decide(struct tree *tree, enum ent_roster_kind kind, uint8_t which,
                   uint8_t how)
{
    struct ent_cut_head head = {.origin = origin};
    struct ent_roster_entry entry = {.term = 1,
                                     .kind = kind,
                                     .member = world.keys[WORLD_EDITOR].public,
                                     .role = ENT_ROLE_EDITOR,
                                     .org = ent_slice("Org", 3),
                                     .heads = &head};
    struct ent_roster_bytes bytes;
    struct ent_taken taken;
    struct ent_buf body = {0};
    struct ent_err err;

    if (tree->count > 0 && how % 4 != 0 && kind != ENT_ROSTER_ADMIT) {
        const struct leaf *leaf = &tree->leaves[which % tree->count];

        head.seq = leaf->seq;
        head.hash = leaf->hash;
        head.sig = ent_slice(leaf->sig.b, ENT_SIG_BYTES);
        entry.head_count = 1;
    }
    ent_roster_body_put(&body, &entry);
    bytes = world_roster(WORLD_CHAIR, ++tree->roster_pos, &tree->roster_head,
                         ent_buf_slice(&body), &tree->arena);
    ent_buf_fini(&body);
    world_must(ent_roster_take(world_store(NODE), world.space[NODE], &bytes, 1,
                               NET_START_MS, &taken, &err),
               &err, "roster");
    ENT_ASSERT(taken.applied == 1);
}

static void do_step(struct tree *tree, struct world_input *input)
{
    uint8_t what = world_u8(input);
    uint8_t which = world_u8(input);
    uint8_t how = world_u8(input);

    switch (what % WHATS) {
    case HOLD:
        hold(tree, which, how);
        break;
    case OFFER:
    case OFFER + 1:
    case OFFER + 2:
        offer(tree, which, how);
        break;
    case CUT:
        decide(tree, ENT_ROSTER_REMOVE, which, how);
        break;
    case READMIT:
        decide(tree, ENT_ROSTER_READMIT, which, how);
        break;
    case ADMIT:
        decide(tree, ENT_ROSTER_ADMIT, which, how);
        break;
    default:
        write_leaf(tree, which, how);
        break;
    }
}

/* ---------------------------------------------------------------- checking */

static void found(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "verify: %s\n", text);
}

static void copy_roster(struct tree *tree)
{
    struct ent_hash *hashes;
    struct ent_taken taken;
    struct ent_err err;
    size_t count;

    world_must(ent_roster_hashes(world_store(NODE), world.space[NODE], &hashes,
                                 &count, &err),
               &err, "roster");
    for (size_t i = 0; i < count; i++) {
        struct ent_roster_bytes bytes;

        world_must(ent_roster_read(world_store(NODE), world.space[NODE],
                                   &hashes[i], &tree->arena, &bytes, &err),
                   &err, "roster entry");
        world_must(ent_roster_take(world_store(OTHER), world.space[OTHER],
                                   &bytes, 1, 0, &taken, &err),
                   &err, "its roster entry");
    }
    free(hashes);
}

static void copy_logs(struct tree *tree)
{
    static const struct ent_hash8 first;
    struct ent_head *heads;
    struct ent_taken taken;
    struct ent_run run;
    struct ent_err err;
    size_t count;

    world_must(ent_frontier_read(world_store(NODE), world.space[NODE], &heads,
                                 &count, &err),
               &err, "frontier");
    for (size_t i = 0; i < count; i++) {
        world_must(ent_run_read(world_store(NODE), heads[i].o, 1, &first,
                                1 << 20, &tree->arena, &run, &err),
                   &err, "run");
        world_must(ent_runs_take(world_store(OTHER), world.space[OTHER], NULL,
                                 &run, 1, NET_START_MS, &taken, &err),
                   &err, "its run");
        ENT_ASSERT(taken.refused == 0);
    }
    free(heads);
}

/* To a node with the same entries and roster. */
static void offer_on(struct tree *tree)
{
    static const struct ent_hash8 none;
    struct ent_digest here = net_digest(world.net, NODE, 0);
    struct ent_digest there = net_digest(world.net, OTHER, 0);
    struct ent_head *heads;
    struct ent_taken taken;
    struct ent_run run;
    struct ent_err err;
    size_t count;

    /* What counts by its number depends on what else is held (A4). */
    if (memcmp(&here, &there, sizeof(here)) != 0)
        return;
    world_must(ent_aside_heads(world_store(NODE), world.space[NODE], &heads,
                               &count, &err),
               &err, "what is aside");
    for (size_t i = 0; i < count; i++) {
        world_must(ent_aside_read(world_store(NODE), world.space[NODE],
                                  &heads[i], 1, &none, 1 << 20, &tree->arena,
                                  &run, &err),
                   &err, "what is offered on");
        if (run.count == 0)
            continue;
        world_must(ent_aside_take(world_store(OTHER), world.space[OTHER], NULL,
                                  &run, 1, NET_START_MS, &taken, &err),
                   &err, "what is offered on");
        check_taken(&taken);
        ENT_ASSERT(taken.refused == 0);
    }
    free(heads);
}

static void check(struct tree *tree)
{
    struct ent_digest before = net_digest(world.net, NODE, 0);
    struct ent_digest after;
    struct ent_err err;

    copy_roster(tree);
    copy_logs(tree);
    offer_on(tree);
    ENT_ASSERT(ent_store_verify(world_store(NODE), true, found, NULL, &err) ==
               0);
    world_must(ent_store_rebuild(world_store(NODE), &err), &err, "rebuild");
    after = net_digest(world.net, NODE, 0);
    ENT_ASSERT(memcmp(&before, &after, sizeof(after)) == 0);
    /* An entry is in the log or aside. */
    ENT_ASSERT(net_rows(world.net, NODE,
                        "SELECT count(*) FROM aside NATURAL JOIN"
                        " (SELECT n FROM log)") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world_input input = {data, size};
    struct tree *tree = calloc(1, sizeof(*tree));

    if (tree == NULL)
        abort();
    world_open();
    world_found();
    world.net->spaces[0] = world.id;
    world.net->space_count = 1;
    tree->roster_pos = world.roster_pos;
    tree->roster_head = world.roster_head;
    for (int i = 0; i < STEPS_MAX && input.len > 0; i++)
        do_step(tree, &input);
    check(tree);
    ent_arena_fini(&tree->arena);
    free(tree);
    world_purge();
    return 0;
}
