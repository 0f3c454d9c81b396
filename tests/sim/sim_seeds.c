/* sim_seeds.c - many small worlds, each from a seed: a few organisations edit
 * the same records over links that come and go, switch off and on again; then
 * everything is healed and all of them must hold the same (rules M1, S5, I1,
 * I4, I13).
 *
 *   sim_seeds [--seed N] [--count N] [--seconds N] [--verbose] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net.h"

#define RECORDS 6
#define HEAL_MS (30 * 60 * 1000)

struct world {
    struct net *net;
    struct ent_rand rand;
    int nodes;
    int spaces;
    int reader; /* a node that only reads, or -1 */
    int late;   /* a node that is admitted to space 0 later, or -1 */
    bool verbose;
    int edits, cuts, restarts, doubles, admitted;
};

/* What the seeds met: a class never met proves nothing. */
struct met {
    int64_t edits, cuts, restarts, doubles, admitted, conflicts, duplicates;
};

static size_t below(struct world *world, size_t bound)
{
    return (size_t)ent_rand_below(&world->rand, bound);
}

static bool chance(struct world *world, unsigned percent)
{
    return below(world, 100) < percent;
}

static int some_node(struct world *world)
{
    return (int)below(world, (size_t)world->nodes);
}

static void say(struct world *world, const char *what, int a, int b)
{
    if (world->verbose)
        printf("%8lld %s %d %d\n", (long long)world->net->mono_ms, what, a, b);
}

static void make(struct world *world)
{
    struct net *net = world->net;

    world->nodes = 3 + (int)below(world, 3);
    world->spaces = 1 + (int)below(world, 2);
    world->reader = chance(world, 30) ? world->nodes - 1 : -1;
    world->late = chance(world, 40) ? world->nodes - 2 : -1;
    net->delay_ms = 1 + (int64_t)below(world, 400);
    net->jitter_ms = chance(world, 50) ? (int64_t)below(world, 300) : 0;
    for (int i = 0; i < world->nodes; i++) {
        net_add(net);
        net->nodes[i].clock_ms =
            chance(world, 30) ? (int64_t)below(world, 2000000000) - 1000000000
                              : 0;
        net->nodes[i].dial_members = chance(world, 70);
        net_stop(net, i);
        net_start(net, i);
    }
    for (int s = 0; s < world->spaces; s++) {
        int chair = world->reader == 0 ? 1 : 0;

        net_found(net, chair);
        for (int i = 0; i < world->nodes; i++)
            if (i != chair && (s > 0 || i != world->late))
                net_admit(net, s, chair, i,
                          i == world->reader ? ENT_ROLE_READER
                                             : ENT_ROLE_EDITOR);
    }
    /* The first ones know the roster of then; a session brings the rest. */
    for (int i = 0; i < world->nodes; i++)
        for (int j = i + 1; j < world->nodes; j++)
            if (chance(world, 40))
                net_cut(net, i, j);
}

/* The others hear of it when they meet. */
static void admit_late(struct world *world)
{
    if (world->late < 0 || world->net->nodes[0].store == NULL ||
        world->net->nodes[world->late].store == NULL)
        return;
    net_admit(world->net, 0, 0, world->late, ENT_ROLE_EDITOR);
    say(world, "admit", world->late, 0);
    world->late = -1;
    world->admitted++;
}

static void edit(struct world *world)
{
    static const char *const texts[] = {"one", "two", "three", "quatre", ""};
    static const uint32_t fields[] = {NET_CODE, NET_TITLE, NET_PEOPLE,
                                      NET_NOTE};
    int node = some_node(world);
    int space = (int)below(world, (size_t)world->spaces);
    int record = (int)below(world, RECORDS);
    const char *text = texts[below(world, ENT_ARRAY_LEN(texts))];
    int rc;

    if (net_space(world->net, space, node) == 0)
        return;
    switch (below(world, 8)) {
    case 0:
        rc = net_life(world->net, node, space, record, ENT_EDIT_DELETE);
        break;
    case 1:
        rc = net_life(world->net, node, space, record, ENT_EDIT_UNDELETE);
        break;
    case 2:
    case 3:
        rc = net_tag(world->net, node, space, record, text, chance(world, 40));
        break;
    default:
        rc = net_set(world->net, node, space, record,
                     fields[below(world, ENT_ARRAY_LEN(fields))], text);
        break;
    }
    if (rc < 0 && (rc != ENT_EDENIED || node != world->reader))
        net_die(world->net, "an edit on node %d failed: %d", node, rc);
    if (rc == 0 && node == world->reader)
        net_die(world->net, "a reader wrote");
    world->edits += rc == 0;
    say(world, "edit", node, record);
}

static void disturb(struct world *world)
{
    struct net *net = world->net;
    int a = some_node(world);
    int b = some_node(world);

    switch (below(world, 7)) {
    case 0:
        if (a != b) {
            net_cut(net, a, b);
            world->cuts++;
            say(world, "cut", a, b);
        }
        break;
    case 1:
        net_heal(net, a, b);
        say(world, "heal", a, b);
        break;
    case 2:
        if (a != b) {
            net_drop(net, a, b);
            world->cuts++;
            say(world, "drop", a, b);
        }
        break;
    case 3:
        if (net->nodes[a].store == NULL) {
            net_start(net, a);
        } else if (chance(world, 50)) {
            net_stop(net, a);
            world->restarts++;
        }
        say(world, "power", a, net->nodes[a].store != NULL);
        break;
    default:
        /* Often there is one already: then there are two. */
        if (a != b && net->nodes[a].engine != NULL) {
            world->doubles += net_links(net, a, b) > 0;
            net_call(net, a, b);
            say(world, "call", a, b);
        }
        break;
    }
}

static void live(struct world *world)
{
    size_t turns = 20 + below(world, 60);

    for (size_t i = 0; i < turns; i++) {
        if (chance(world, 3))
            admit_late(world);
        if (chance(world, 65))
            edit(world);
        else
            disturb(world);
        if (chance(world, 60))
            net_run(world->net, (int64_t)below(world, 2000));
    }
}

static bool all_equal(struct world *world)
{
    for (int s = 0; s < world->spaces; s++)
        for (int i = 1; i < world->nodes; i++)
            if (!net_equal(world->net, 0, i, s))
                return false;
    return true;
}

static void heal(struct world *world)
{
    struct net *net = world->net;

    for (int i = 0; i < world->nodes; i++) {
        for (int j = 0; j < world->nodes; j++)
            net_heal(net, i, j);
        if (net->nodes[i].store == NULL)
            net_start(net, i);
    }
    admit_late(world);
    /* What stands, what nodes dial themselves, and at least a chain. */
    for (int i = 0; i + 1 < world->nodes; i++)
        if (net_links(net, i, i + 1) == 0)
            net_call(net, i, i + 1);
    if (!net_run_quiet(net, HEAL_MS)) {
        if (all_equal(world))
            net_die(net, "equal, but never quiet");
        net_die(net, "never quiet, and not equal");
    }
}

/* What a person sees of every record, on one node. */
static void picture(struct world *world, int node, struct ent_buf *lines)
{
    for (int s = 0; s < world->spaces; s++) {
        for (int r = 0; r < RECORDS; r++) {
            for (uint32_t f = 0; f <= NET_NOTE; f++) {
                char text[2048];

                ent_buf_printf(
                    lines, "%d.%d.%u=%s\n", s, r, f,
                    net_values(world->net, node, s, r, f, text, sizeof(text)));
            }
        }
        net_conflicts(world->net, node, s, lines);
    }
}

static void complain(void *ctx, const char *text)
{
    fprintf(stderr, "node %d: verify: %s\n", *(int *)ctx, text);
}

static void check_node(struct world *world, int node, struct met *met)
{
    struct net *net = world->net;
    struct ent_digest before[2];
    struct ent_err err;
    int found;

    for (int s = 0; s < world->spaces; s++)
        before[s] = net_digest(net, node, s);
    found =
        ent_store_verify(net->nodes[node].store, true, complain, &node, &err);
    if (found != 0)
        net_die(net, "node %d: verify: %d", node, found);
    if (ent_store_rebuild(net->nodes[node].store, &err) < 0)
        net_die(net, "node %d: rebuild: %s", node, err.text);
    for (int s = 0; s < world->spaces; s++) {
        struct ent_digest after = net_digest(net, node, s);

        if (memcmp(before[s].state, after.state, sizeof(after.state)) != 0)
            net_die(net, "node %d: rebuild changes the digest of space %d",
                    node, s);
    }
    for (int i = 0; i < world->nodes; i++) {
        struct ent_peer peer = net_peer(net, node, i);

        if (peer.received != peer.applied + peer.duplicate + peer.quarantined +
                                 peer.refused + peer.waiting)
            net_die(net, "node %d: the counts of peer %d do not add up", node,
                    i);
        if (peer.refused > 0)
            net_die(net, "node %d refused %lld entries of %d: %s", node,
                    (long long)peer.refused, i,
                    net->nodes[node].text[ENT_NOTE_REFUSED]);
        met->duplicates += peer.duplicate;
    }
    if (net->nodes[node].notes[ENT_NOTE_DIVERGED] > 0)
        net_die(net, "node %d: an alarm of divergence", node);
    if (net->nodes[node].notes[ENT_NOTE_REFUSED] > 0)
        net_die(net, "node %d refused something: %s", node,
                net->nodes[node].text[ENT_NOTE_REFUSED]);
}

static void check(struct world *world, struct met *met)
{
    struct ent_buf first = {0};

    for (int s = 0; s < world->spaces; s++)
        for (int i = 1; i < world->nodes; i++)
            if (!net_equal(world->net, 0, i, s))
                net_die(world->net, "space %d: node %d is not equal to 0", s,
                        i);
    picture(world, 0, &first);
    for (int i = 1; i < world->nodes; i++) {
        struct ent_buf other = {0};

        picture(world, i, &other);
        if (!ent_slice_equal(ent_buf_slice(&first), ent_buf_slice(&other)))
            net_die(world->net, "node %d shows other values:\n%s---\n%s", i,
                    ent_buf_cstr(&first), ent_buf_cstr(&other));
        ent_buf_fini(&other);
    }
    ent_buf_fini(&first);
    for (int s = 0; s < world->spaces; s++)
        met->conflicts += net_counts(world->net, 0, s).conflicts;
    for (int i = 0; i < world->nodes; i++)
        check_node(world, i, met);
    met->edits += world->edits;
    met->cuts += world->cuts;
    met->restarts += world->restarts;
    met->doubles += world->doubles;
    met->admitted += world->admitted;
}

static void run_seed(uint64_t seed, bool verbose, struct met *met)
{
    struct world world = {.net = net_new(seed), .verbose = verbose};

    ent_rand_init_u64(&world.rand, seed ^ 0x5eed);
    make(&world);
    live(&world);
    heal(&world);
    check(&world, met);
    net_free(world.net);
}

int main(int argc, char **argv)
{
    uint64_t first = 1;
    uint64_t count = 200;
    long seconds = 40;
    bool verbose = false;
    struct met met = {0};
    time_t start = time(NULL);
    uint64_t done = 0;

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--verbose") == 0) {
            verbose = true;
            continue;
        }
        if (strcmp(argv[i], "--seed") == 0) {
            first = strtoull(value, NULL, 10);
            count = 1;
        } else if (strcmp(argv[i], "--count") == 0) {
            count = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            seconds = strtol(value, NULL, 10);
        } else {
            fprintf(stderr, "usage: %s [--seed N] [--count N] [--seconds N]\n",
                    argv[0]);
            return 2;
        }
        i++;
    }
    net_begin();
    while (done < count && time(NULL) - start < seconds)
        run_seed(first + done++, verbose, &met);
    net_end();
    printf("%llu seeds: %lld edits, %lld cuts, %lld restarts, %lld second "
           "connections, %lld late members, %lld conflicts, %lld duplicate "
           "entries\n",
           (unsigned long long)done, (long long)met.edits, (long long)met.cuts,
           (long long)met.restarts, (long long)met.doubles,
           (long long)met.admitted, (long long)met.conflicts,
           (long long)met.duplicates);
    if (done >= 20 &&
        (met.conflicts == 0 || met.cuts == 0 || met.restarts == 0 ||
         met.doubles == 0 || met.admitted == 0)) {
        printf("some kind of trouble was never met\n");
        return 1;
    }
    return 0;
}
