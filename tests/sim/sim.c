/* sim.c - entente-sim: whole worlds from a seed.
 * A few organisations with real stores and real engines edit the same records
 * while links are cut, clogged and doubled, power goes in the middle of a
 * commit, disks fill up, clocks jump, backups are put back and a member lies;
 * then everything is healed and what must hold is checked (invariants.h). What
 * a seed does it says first, what it came to last.
 *
 *   entente-sim --seed N [--ops N] [--hostile] [--without CLASS,...]
 *               [--verbose]
 *   entente-sim --seeds A..B [--jobs N] [--seconds N] [--ops N] [--hostile]
 *               [--file KEPT] [--without CLASS,...] [--until-failure]
 *
 * With --hostile every seed has a hostile member. */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "invariants.h"
#include "liar.h"
#include "store/db.h"
#include "store/erase.h"
#include "store/members.h"

#define JOBS_MAX 64
#define SEED_SECONDS 120 /* longer, and the seed hangs */
#define OFFERED_MS (10 * 60 * 1000)
#define HEAL_MS (2 * 60 * 60 * 1000)
#define OUTLAST_MS 5000
#define RECORDS_MAX 40
#define FAILED_MAX 100
#define YEAR_MS (INT64_C(365) * 24 * 3600 * 1000)

/* Faults and features a seed may have; each is drawn by itself. */
enum class {
    CUTS,      /* links break */
    CLOGS,     /* one direction stalls */
    DOUBLES,   /* two connections between two nodes */
    RESTARTS,  /* nodes are switched off and on */
    POWER,     /* power goes in the middle of something */
    FULL_DISK, /* nothing can be written for a while */
    CLOCKS,    /* offsets of up to 20 years, and jumps */
    READER,    /* a member that only reads */
    LATE,      /* a member is admitted while work goes on */
    INVITED,   /* a node joins with an invitation line */
    RESTORES,  /* an older replica is put back */
    COPIES,    /* a copy of a node runs beside it */
    LIAR,      /* a member whose frames are forged, repeated and cut */
    BULK,      /* transactions of many changes */
    HOSTILE,   /* one or two members mean no good (liar.h) */
    REMOVALS,
    OWNED,   /* records of one's own, and attempts on those of others */
    FORKS,   /* a copy that nothing tells from its original runs beside it */
    BUNDLES, /* drawn, counted and left out until the product has them */
    ERASURE, /* records are erased for good */
    CLASSES
};

static const struct {
    const char *name;
    int percent;
    const char *off; /* why it is left out; NULL: it is on */
} classes[CLASSES] = {
    [CUTS] = {"cuts", 70, NULL},
    [CLOGS] = {"clogs", 30, NULL},
    [DOUBLES] = {"doubles", 40, NULL},
    [RESTARTS] = {"restarts", 50, NULL},
    [POWER] = {"power", 40, NULL},
    [FULL_DISK] = {"full-disk", 15, NULL},
    [CLOCKS] = {"clocks", 50, NULL},
    [READER] = {"reader", 30, NULL},
    [LATE] = {"late", 40, NULL},
    [INVITED] = {"invited", 20, NULL},
    [RESTORES] = {"restores", 10, NULL},
    [COPIES] = {"copies", 5, NULL},
    [LIAR] = {"liar", 10, NULL},
    [BULK] = {"bulk", 75, NULL},
    [HOSTILE] = {"hostile", 12, NULL},
    [REMOVALS] = {"removals", 30, NULL},
    [OWNED] = {"owned", 50, NULL},
    [FORKS] = {"forks", 10, NULL},
    [BUNDLES] = {"bundles", 20, "there are no bundles yet"},
    [ERASURE] = {"erasure", 10, NULL},
};

/* What the seeds met: a trouble never met proves nothing (I19). */
enum met {
    MET_EDITS,
    MET_CONFLICTS,
    MET_SIBLINGS, /* three or more values in one field */
    MET_CUTS,
    MET_CLOGS,
    MET_DOUBLES,
    MET_RESTARTS,
    MET_POWER_IDLE,
    MET_POWER_WRITE, /* in a transaction of a client */
    MET_POWER_STEP,  /* in a step of the engine */
    MET_UNKNOWN,     /* a client was not told what became of its write */
    MET_FULL,        /* a write refused by a full disk */
    MET_JUMPS,
    MET_READER, /* a reader's write refused */
    MET_LATE,
    MET_REMOVED,
    MET_INVITED,
    MET_RESTORED, /* a restored replica detected */
    MET_COPIED,   /* a copy detected */
    MET_FORKS,    /* a log with a second branch */
    MET_LEFT,     /* a node that was shown more of its own log (N3) */
    MET_LIES,
    MET_REFUSED, /* something of the liar refused */
    MET_DUPLICATES,
    MET_WAITING, /* an entry came before the roster it names */
    MET_REBUILDS,
    MET_REPLAYS,
    MET_MODELS,
    MET_TRESPASS,  /* a write to another's record refused */
    MET_FORGED,    /* and one made all the same, quarantined */
    MET_HOSTILE,   /* a seed with a hostile member */
    MET_COLLUSION, /* with two */
    MET_SET_ASIDE, /* entries of a liar quarantined */
    MET_HELD_OFF,  /* frames looked at for what their receiver may not have */
    MET_OFFERED,   /* chains beyond a cut that the chair was given */
    MET_ERASED,    /* records erased, on every node */
    MET_DENIED,    /* a write to one refused */
    METS
};

static const char *const met_names[METS] = {
    "edits",
    "conflicts",
    "3+ siblings",
    "cuts",
    "clogs",
    "doubles",
    "restarts",
    "power (idle)",
    "power (write)",
    "power (step)",
    "unknown",
    "disk full",
    "clock jumps",
    "reader",
    "late members",
    "removed",
    "invited",
    "restored",
    "copied",
    "forks",
    "own log left",
    "lies",
    "refused",
    "duplicates",
    "waiting",
    "rebuilds",
    "replays",
    "model checks",
    "trespasses",
    "forged",
    "hostile seeds",
    "two liars",
    "set aside",
    "held off",
    "offered",
    "erased",
    "write to it refused",
};

/* Shared by all jobs. */
struct totals {
    int64_t met[METS];
    int64_t deeds[LIAR_DEEDS];
    int64_t drawn[CLASSES];
    int64_t seeds, twice;
    uint64_t current[JOBS_MAX]; /* the seed each job is at */
};

struct options {
    bool has[CLASSES];
    int nodes, spaces, records, ops;
    int edit_percent, bulk_percent, settle_ms;
};

struct world {
    struct net *net;
    struct ent_rand rand;
    struct ent_rand owned; /* of owned records: kept seeds mean what they did */
    struct options options;
    struct inv_journal journal;
    int reader, late, guest, liar; /* nodes, or -1 */
    bool backed_up[NET_NODES_MAX];
    bool put_back[NET_NODES_MAX]; /* or a copy: it lost what it had */
    uint64_t backup_head[NET_NODES_MAX][NET_SPACES_MAX];
    int64_t off_at[NET_NODES_MAX];
    bool admitted;           /* `late` is a member */
    bool cut[NET_NODES_MAX]; /* was removed or made reader in space 0 */
    int ops_done;
    int64_t transactions;
    bool verbose;
    int64_t met[METS];
    struct ent_buf old_frame; /* of the liar */
    int hostile[LIARS_MAX], hostiles;
    struct liar *liars;      /* NULL: no member is hostile */
    struct ent_rand apart;   /* so that other seeds stay what they are */
    struct ent_rand erasing; /* likewise */
    struct inv_canaries canaries;
};

static struct totals *totals;

static size_t below(struct world *world, size_t bound)
{
    return (size_t)ent_rand_below(&world->rand, bound);
}

static bool chance(struct world *world, int percent)
{
    return (int)below(world, 100) < percent;
}

static bool chance_apart(struct world *world, int percent)
{
    return (int)ent_rand_below(&world->apart, 100) < percent;
}

static void say(struct world *world, const char *what, int a, int b)
{
    if (world->verbose)
        printf("%10lld %-10s %d %d\n", (long long)world->net->mono_ms, what, a,
               b);
}

static bool is_on(const struct world *world, int node)
{
    return world->net->nodes[node].store != NULL;
}

/* ------------------------------------------------------------------ drawing */

static void draw(struct world *world, const bool *without, int ops,
                 bool hostile)
{
    struct options *options = &world->options;

    ent_rand_init_u64(&world->apart, world->net->seed ^ 0xbad);
    ent_rand_init_u64(&world->erasing, world->net->seed ^ 0xe7a5e);
    for (int c = 0; c < CLASSES; c++)
        options->has[c] =
            c == OWNED
                ? (int)ent_rand_below(&world->owned, 100) < classes[c].percent
            : c == HOSTILE ? chance_apart(world, classes[c].percent) || hostile
                           : chance(world, classes[c].percent);
    options->nodes = 3 + (int)below(world, chance(world, 15) ? 7 : 3);
    options->spaces = 1 + (int)below(world, 2);
    options->records = 2 + (int)below(world, chance(world, 30) ? 38 : 8);
    /* What a seed takes hangs on its transactions, not on its changes. */
    options->ops = options->has[BULK] ? 400 + (int)below(world, 740)
                                      : 60 + (int)below(world, 140);
    options->edit_percent = 50 + (int)below(world, 45);
    options->bulk_percent = 20 + (int)below(world, 75);
    options->settle_ms =
        1 + (int)below(world, chance(world, 30) ? 20000 : 2000);
    world->net->delay_ms = 1 + (int64_t)below(world, 400);
    world->net->jitter_ms = chance(world, 50) ? (int64_t)below(world, 300) : 0;
    if (ops > 0)
        options->ops = ops;
    for (int c = 0; c < CLASSES; c++)
        if (without[c])
            options->has[c] = false;
    world->net->disks = options->has[POWER] || options->has[FULL_DISK];
    if (options->has[HOSTILE] && !without[REMOVALS] && chance_apart(world, 60))
        options->has[REMOVALS] = true;
}

static void print_options(const struct world *world, uint64_t seed)
{
    const struct options *options = &world->options;

    printf(
        "seed %llu: %d nodes, %d spaces, %d records, %d changes, %d%% edits, "
        "delay %lld+%lld ms, settle %d ms;",
        (unsigned long long)seed, options->nodes, options->spaces,
        options->records, options->ops, options->edit_percent,
        (long long)world->net->delay_ms, (long long)world->net->jitter_ms,
        options->settle_ms);
    for (int c = 0; c < CLASSES; c++)
        if (options->has[c])
            printf(" %s%s", classes[c].off == NULL ? "" : "-", classes[c].name);
    printf("\n");
    fflush(stdout);
}

/* One or two, beside the chair and one more that are honest; and what each may
 * do in a space. */
static void make_hostile(struct world *world, int *last)
{
    struct options *options = &world->options;
    int count = chance_apart(world, 30) ? 2 : 1;

    world->liars =
        liar_new(world->net, ent_rand_u64(&world->apart), options->records);
    for (int i = 0; i < count; i++)
        world->hostile[world->hostiles++] =
            *last > 1 ? (*last)-- : options->nodes++;
    world->met[MET_HOSTILE]++;
    world->met[MET_COLLUSION] += count == 2;
}

static enum ent_role role_of(struct world *world, int node, int space)
{
    for (int i = 0; i < world->hostiles; i++)
        if (node == world->hostile[i]) {
            if (space > 0 && chance_apart(world, 50))
                return ENT_ROLE_NONE;
            return chance_apart(world, 25) ? ENT_ROLE_READER : ENT_ROLE_EDITOR;
        }
    if (space == 0 && node == world->late)
        return ENT_ROLE_NONE;
    return node == world->reader ? ENT_ROLE_READER : ENT_ROLE_EDITOR;
}

static void make(struct world *world)
{
    const struct options *options = &world->options;
    struct net *net = world->net;
    int last = options->nodes - 1;

    world->reader = options->has[READER] ? last-- : -1;
    world->late = options->has[LATE] ? last-- : -1;
    world->liar = options->has[LIAR] && last > 1 ? last-- : -1;
    if (options->has[HOSTILE])
        make_hostile(world, &last);
    if (world->liar >= 0)
        net->liar[world->liar] = true;
    for (int i = 0; i < options->nodes; i++) {
        net->next_dials = chance(world, 70);
        net_add(net);
        if (options->has[CLOCKS])
            net->nodes[i].clock_ms =
                (int64_t)ent_rand_below(&world->rand, 40 * YEAR_MS) -
                20 * YEAR_MS;
    }
    for (int s = 0; s < options->spaces; s++) {
        net_found(net, 0);
        for (int i = 1; i < options->nodes; i++) {
            enum ent_role role = role_of(world, i, s);

            if (role != ENT_ROLE_NONE)
                net_admit(net, s, 0, i, role);
        }
    }
    for (int i = 0; i < world->hostiles; i++)
        liar_add(world->liars, world->hostile[i]);
    /* The first ones know the roster of then; a session brings the rest. */
    for (int i = 0; options->has[CUTS] && i < options->nodes; i++)
        for (int j = i + 1; j < options->nodes; j++)
            if (chance(world, 40))
                net_cut(net, i, j);
    world->guest = -1;
    if (options->has[INVITED] && net->count < NET_NODES_MAX - 2) {
        net->next_dials = true;
        world->guest = net_add(net);
    }
}

/* -------------------------------------------------------------------- edits */

static const char *text_of(struct world *world, char *to, size_t size, int part)
{
    static const char *const same[] = {"one", "deux", "été", ""};

    if (chance(world, 15))
        return same[below(world, ENT_ARRAY_LEN(same))];
    snprintf(to, size, "t%lld.%d", (long long)world->transactions, part);
    return to;
}

struct draft {
    struct ent_edit edit;
    struct ent_edit_op ops[4];
    char texts[4][32];
};

static void draft(struct world *world, struct draft *to, int part)
{
    static const uint32_t registers[] = {NET_CODE, NET_TITLE, NET_PEOPLE,
                                         NET_NOTE};
    size_t count = 1 + (chance(world, 30) ? below(world, 3) : 0);
    size_t first = below(world, ENT_ARRAY_LEN(registers));

    *to = (struct draft){.edit = {.kind = NET_KIND,
                                  .id = net_record((int)below(
                                      world, (size_t)world->options.records)),
                                  .life = ENT_EDIT_TOUCH,
                                  .ops = to->ops}};
    switch (below(world, 10)) {
    case 0:
        to->edit.life = ENT_EDIT_DELETE;
        return;
    case 1:
        to->edit.life = ENT_EDIT_UNDELETE;
        return;
    case 2:
    case 3:
        to->edit.op_count = 1;
        to->ops[0] = (struct ent_edit_op){
            .code = chance(world, 40) ? ENT_OP_REMOVE : ENT_OP_ADD,
            .field = NET_TAGS,
            .value = ent_value_text(ent_slice_str(
                chance(world, 70) ? text_of(world, to->texts[0], 32, 10 * part)
                                  : "tag"))};
        return;
    default:
        break;
    }
    to->edit.op_count = count;
    for (size_t i = 0; i < count; i++)
        to->ops[i] = (struct ent_edit_op){
            .code = ENT_OP_WRITE,
            .field = registers[(first + i) % ENT_ARRAY_LEN(registers)],
            .value = ent_value_text(ent_slice_str(
                text_of(world, to->texts[i], 32, 10 * part + (int)i)))};
}

#define BULK_MAX 64

static bool twins(const struct net *net, int a, int b)
{
    return ent_key_equal(&net->nodes[a].keys.public,
                         &net->nodes[b].keys.public);
}

/* Whether the chair ever cut what a node, or a copy of it, writes. */
static bool was_cut(const struct world *world, int node, int space)
{
    for (int i = 0; i < world->net->count; i++)
        if (space == 0 && world->cut[i] && twins(world->net, node, i))
            return true;
    return false;
}

static bool may_be_denied(const struct world *world, int node)
{
    const int those[] = {world->reader, world->late, world->guest};

    if (was_cut(world, node, 0) || world->net->liar[node])
        return true;
    for (size_t i = 0; i < ENT_ARRAY_LEN(those); i++)
        if (those[i] >= 0 && twins(world->net, node, those[i]))
            return true;
    return false;
}

static bool life_contested(struct net *net, int node, int space,
                           const struct ent_edit *edit)
{
    const struct ent_record_ref ref = {.space = net_space(net, space, node),
                                       .kind = edit->kind,
                                       .id = edit->id};
    struct ent_record record = {0};
    bool contested =
        ent_record_read(net->nodes[node].store, &ref, &record, NULL) == 0 &&
        record.life_contested;

    ent_record_fini(&record);
    return contested;
}

/* M6, M8: one ordinary change replaced all values it saw, and no deletion. */
static void check_edit(struct net *net, int node, int space,
                       const struct ent_edit *edit, bool was_contested)
{
    const struct ent_record_ref ref = {.space = net_space(net, space, node),
                                       .kind = edit->kind,
                                       .id = edit->id};
    const struct ent_value *first = NULL;
    struct ent_record record = {0};

    if (edit->life != ENT_EDIT_TOUCH ||
        ent_record_read(net->nodes[node].store, &ref, &record, NULL) < 0)
        return;
    if (was_contested && !record.life_contested)
        net_die(net, "M6: an edit on node %d settled a deletion", node);
    for (size_t i = 0; i < record.write_count; i++) {
        const struct ent_shown *shown = &record.writes[i];

        if (edit->ops[0].code != ENT_OP_WRITE ||
            shown->field != edit->ops[0].field)
            continue;
        if (first != NULL && !ent_value_equal(first, &shown->value))
            net_die(net, "M8: an edit on node %d left a value standing", node);
        first = &shown->value;
    }
    ent_record_fini(&record);
}

/* Some edits go to a record of the node's own. */
static void draft_owned(struct world *world, int node, int space,
                        struct draft *to)
{
    struct ent_rand *rand = &world->owned;

    if (!world->options.has[OWNED] || ent_rand_below(rand, 100) >= 15)
        return;
    to->edit.kind = NET_OWNED;
    to->edit.id = net_owned(world->net, space, node,
                            (int)ent_rand_below(rand, NET_OWNED_EACH));
    to->edit.op_count = to->edit.op_count > 0;
    to->ops[0] = (struct ent_edit_op){
        .code = ENT_OP_WRITE,
        .field = NET_AMOUNT,
        .value = ent_value_int((int64_t)ent_rand_below(rand, 1000))};
}

/* Somebody writes to what is another's: our program refuses it, and what
 * another program sends all the same takes effect nowhere (M9). */
static void trespass(struct world *world, int node, int space)
{
    struct net *net = world->net;
    struct ent_rand *rand = &world->owned;
    int owner = (int)ent_rand_below(rand, (uint64_t)net->count);
    int record = (int)ent_rand_below(rand, NET_OWNED_EACH);
    struct net_forger log = {0};
    const struct net_forgery item = {.kind = NET_OWNED,
                                     .id = net_owned(net, space, owner, record),
                                     .field = NET_AMOUNT,
                                     .value = ent_value_int(1000000)};

    if (twins(net, node, owner) || net->nodes[node].dark_in > 0 ||
        ent_member_role(net->nodes[node].store, net_space(net, space, node),
                        &net->nodes[node].keys.public) < ENT_ROLE_EDITOR)
        return;
    if (ent_rand_below(rand, 2) == 0) {
        if (net_give(net, node, space, owner, record, 1000000) == 0)
            net_die(net, "M9: node %d wrote what belongs to %d", node, owner);
        world->met[MET_TRESPASS]++;
    } else if (net_forge(net, node, space, &log, &item, 1) == 0) {
        world->met[MET_FORGED]++;
    }
    say(world, "trespass", node, owner);
}

static void edit(struct world *world, int node)
{
    struct net *net = world->net;
    struct draft drafts[BULK_MAX];
    struct ent_edit edits[BULK_MAX];
    int space = (int)below(world, (size_t)world->options.spaces);
    size_t count =
        world->options.has[BULK] && chance(world, world->options.bulk_percent)
            ? 2 + below(world, BULK_MAX - 1)
            : 1;
    enum inv_told told;
    bool contested;
    uint64_t before;
    int rc;

    if (net_space(net, space, node) == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        draft(world, &drafts[i], (int)i);
        draft_owned(world, node, space, &drafts[i]);
        drafts[i].edit.ops = drafts[i].ops;
        edits[i] = drafts[i].edit;
    }
    if (world->options.has[OWNED] && ent_rand_below(&world->owned, 100) < 4)
        trespass(world, node, space);
    if (!is_on(world, node))
        return;
    before = inv_own_head(net, node, space);
    contested = count == 1 && life_contested(net, node, space, &edits[0]);
    if (world->options.has[POWER] && !net->liar[node] && chance(world, 2)) {
        net_power_off_in(net, node, 1 + (int64_t)below(world, 12));
        say(world, "fuse", node, 0);
    }
    world->journal.writing = space;
    rc = net_put(net, node, space, edits, count);
    world->ops_done += (int)count;
    if (rc == 0)
        told = INV_OK;
    else if (!is_on(world, node))
        told = INV_UNKNOWN;
    else
        told = INV_FAILED;
    if (rc == 0 && count == 1 && is_on(world, node))
        check_edit(net, node, space, &edits[0], contested);
    world->met[MET_POWER_WRITE] += !is_on(world, node);
    world->met[MET_UNKNOWN] += told == INV_UNKNOWN;
    world->met[MET_EDITS] += rc == 0 ? (int64_t)count : 0;
    world->met[MET_FULL] += rc == ENT_ESTORE && told == INV_FAILED;
    world->met[MET_READER] += rc == ENT_EDENIED;
    world->met[MET_DENIED] += rc == ENT_EREFUSED;
    if (rc < 0 && told == INV_FAILED &&
        !(rc == ENT_ESTORE && world->options.has[FULL_DISK]) &&
        !(rc == ENT_EDENIED && may_be_denied(world, node)) &&
        !(rc == ENT_EREFUSED && world->options.has[ERASURE]))
        net_die(net, "an edit on node %d failed: %d", node, rc);
    if (rc == 0 && world->reader >= 0 && twins(net, node, world->reader))
        net_die(net, "a reader wrote");
    /* It may be dark by now: told OK, and off since; or cut, and not know; or
     * not tell anybody. */
    if (rc == 0 &&
        (!is_on(world, node) || was_cut(world, node, space) || net->liar[node]))
        told = INV_UNKNOWN;
    inv_journal_add(net, &world->journal, node, space, world->transactions,
                    told, before);
    net_trace(net, &rc, sizeof(rc));
    say(world, "edit", node, rc);
    world->transactions++;
}

/* ------------------------------------------------------------------- faults */

static int some_node(struct world *world)
{
    return (int)below(world, (size_t)world->net->count);
}

/* What follows is done by hand, and must not fail half way. */
static void make_room(struct world *world, int node)
{
    struct net_node *it = &world->net->nodes[node];

    if (it->disk == NULL)
        return;
    disk_room(it->disk, -1);
    it->dark_in = 0;
}

static bool any_cut(const struct world *world)
{
    for (int i = 0; i < NET_NODES_MAX; i++)
        if (world->cut[i])
            return true;
    return false;
}

static void switch_on(struct world *world, int node)
{
    int64_t freshes = world->net->nodes[node].freshes;

    make_room(world, node);
    net_start(world->net, node);
    if (!world->put_back[node] && !any_cut(world) && !world->net->liar[node])
        inv_said(world->net, node);
    world->met[MET_RESTORED] += world->net->nodes[node].freshes - freshes;
    say(world, "on", node, 0);
}

static void fill_disk(struct world *world, int node, bool full)
{
    struct net_node *it = &world->net->nodes[node];

    if (it->disk == NULL)
        return;
    it->frail = true;
    disk_room(it->disk, full ? (int64_t)below(world, 20000) : -1);
    say(world, full ? "full" : "room", node, 0);
}

/* Put back what a node had when it was copied aside. */
static void restore(struct world *world, int node)
{
    struct net *net = world->net;
    int64_t freshes = net->nodes[node].freshes;
    uint64_t heads[NET_SPACES_MAX] = {0};

    if (!world->backed_up[node] && !is_on(world, node))
        return;
    make_room(world, node);
    for (int s = 0; is_on(world, node) && s < world->options.spaces; s++)
        heads[s] = inv_own_head(net, node, s);
    if (!world->backed_up[node]) {
        net_backup(net, node);
        world->backed_up[node] = true;
        say(world, "backup", node, 0);
        return;
    }
    if (is_on(world, node))
        net_stop(net, node);
    inv_journal_restored(net, &world->journal, node);
    net_restore(net, node, chance(world, 50));
    world->put_back[node] = true;
    for (int s = 0; s < world->options.spaces; s++)
        if (net->nodes[node].freshes == freshes &&
            inv_own_head(net, node, s) < heads[s])
            net_die(net, "N2: node %d was put back and goes on as before",
                    node);
    world->met[MET_RESTORED] += net->nodes[node].freshes - freshes;
    world->backed_up[node] = false;
    say(world, "restore", node, (int)(net->nodes[node].freshes - freshes));
}

static void copy(struct world *world)
{
    struct net *net = world->net;
    const bool *has = world->options.has;
    int node = some_node(world);
    bool exact;
    int made;

    if (net->count >= NET_NODES_MAX - 2 || !is_on(world, node) ||
        net->liar[node] || node == world->guest ||
        net->count > world->options.nodes + 1)
        return;
    exact = has[FORKS] && (!has[COPIES] || chance(world, 50));
    made = exact ? net_clone(net, node) : net_copy(net, node);
    world->put_back[node] = world->put_back[made] = true;
    if (!exact && net->nodes[made].freshes != 1)
        net_die(net, "a copy of node %d was not told from it", node);
    world->met[MET_COPIED] += !exact;
    /* Two of one key do not talk with each other. */
    net_cut(net, node, made);
    say(world, "copy", node, made);
}

static void power(struct world *world, int node)
{
    struct net *net = world->net;

    if (!is_on(world, node)) {
        switch_on(world, node);
        return;
    }
    if (world->options.has[POWER] && net->nodes[node].disk != NULL &&
        chance(world, 70)) {
        if (chance(world, 30)) {
            net_power_off(net, node);
            world->met[MET_POWER_IDLE]++;
        } else {
            net_power_off_in(net, node, 1 + (int64_t)below(world, 40));
        }
        say(world, "power", node, 0);
    } else if (world->options.has[RESTARTS]) {
        net_stop(net, node);
        world->met[MET_RESTARTS]++;
        say(world, "off", node, 0);
    }
}

/* Put back, the chair has to meet somebody before it decides (A2). */
static bool has_to_meet(struct world *world)
{
    struct ent_err err;
    bool unmet = false;

    if (ent_space_unmet(world->net->nodes[0].store, net_space(world->net, 0, 0),
                        &unmet, &err) < 0)
        net_die(world->net, "whom the chair met: %s", err.text);
    return unmet;
}

static void admit_late(struct world *world)
{
    struct net *net = world->net;

    if (world->late < 0 || !is_on(world, 0) || !is_on(world, world->late) ||
        net_space(net, 0, world->late) != 0)
        return;
    make_room(world, 0);
    make_room(world, world->late);
    if (world->admitted) {
        net_expect(net, 0, 0, world->late);
    } else if (has_to_meet(world)) {
        return;
    } else {
        net_admit(net, 0, 0, world->late, ENT_ROLE_EDITOR);
        world->met[MET_LATE]++;
    }
    world->admitted = true;
    say(world, "admit", world->late, 0);
}

static void invite(struct world *world)
{
    struct net *net = world->net;
    struct ent_buf line;

    if (world->guest < 0 || !is_on(world, 0) || !is_on(world, world->guest) ||
        net_space(net, 0, world->guest) != 0)
        return;
    make_room(world, 0);
    make_room(world, world->guest);
    line =
        net_invite(net, 0, 0, ENT_ROLE_EDITOR, net_now(net, 0) + 90 * YEAR_MS);
    net_join(net, world->guest, ent_buf_cstr(&line));
    ent_buf_fini(&line);
    say(world, "invite", world->guest, 0);
}

/* The chair removes somebody, or makes a reader or an editor of somebody, or
 * admits again who was removed. What the chair held of it stays. */
static void churn(struct world *world, int node)
{
    struct net *net = world->net;
    const struct ent_key *key = &net->nodes[node].keys.public;
    struct ent_store *store = net->nodes[0].store;
    int64_t space = is_on(world, 0) ? net_space(net, 0, 0) : 0;
    bool reads = world->reader >= 0 && twins(net, node, world->reader);
    enum ent_role role;
    struct ent_err err;
    int rc;

    if (space == 0 || twins(net, node, 0) || node == world->liar ||
        node == world->guest || (node == world->late && !world->admitted))
        return;
    make_room(world, 0);
    if (has_to_meet(world))
        return;
    role = ent_member_role(store, space, key);
    if (role == ENT_ROLE_NONE) {
        static const struct ent_hash8 no_invite;

        rc = ent_member_admit(store, space, key,
                              reads ? ENT_ROLE_READER : ENT_ROLE_EDITOR,
                              "Again", &no_invite, net_now(net, 0), &err);
    } else if (role == ENT_ROLE_READER && !reads) {
        rc = ent_member_set_role(store, space, key, ENT_ROLE_EDITOR,
                                 net_now(net, 0), &err);
    } else {
        world->cut[node] = true;
        inv_journal_cut(net, &world->journal, node, 0);
        rc = role == ENT_ROLE_EDITOR && chance(world, 40)
                 ? ent_member_set_role(store, space, key, ENT_ROLE_READER,
                                       net_now(net, 0), &err)
                 : ent_member_remove(store, space, key, "churn",
                                     net_now(net, 0), &err);
        world->met[MET_REMOVED]++;
    }
    if (rc < 0)
        net_die(net, "A2: the chair cannot decide about node %d: %s", node,
                err.text);
    net_local(net, 0);
    say(world, "churn", node, (int)role);
}

/* A text that stands in the record and shall be nowhere afterwards. */
static void plant(struct world *world, int space, int record)
{
    struct inv_canaries *canaries = &world->canaries;
    char text[32];

    snprintf(text, sizeof(text), "zq%zucanary", canaries->count);
    world->journal.writing = space;
    if (net_set(world->net, 0, space, record, NET_NOTE, text) != 0)
        return;
    if (canaries->count == canaries->cap) {
        canaries->cap = canaries->cap == 0 ? 16 : 2 * canaries->cap;
        canaries->list =
            realloc(canaries->list, canaries->cap * sizeof(*canaries->list));
        ENT_ASSERT(canaries->list != NULL);
    }
    canaries->list[canaries->count].space = space;
    snprintf(canaries->list[canaries->count++].text, sizeof(text), "%s", text);
}

/* The chair erases a record that everybody writes to; or, where nobody's log is
 * cut, an owner one of its own. */
static void erase(struct world *world)
{
    struct net *net = world->net;
    struct ent_rand *rand = &world->erasing;
    bool own = !world->options.has[REMOVALS] && world->hostiles == 0 &&
               ent_rand_below(rand, 3) == 0;
    int node = own ? (int)ent_rand_below(rand, (uint64_t)net->count) : 0;
    int space = (int)ent_rand_below(rand, (uint64_t)world->options.spaces);
    int record = (int)ent_rand_below(rand, (uint64_t)world->options.records);
    struct ent_record_ref ref = {.kind = NET_KIND, .id = net_record(record)};
    struct ent_err err;
    int rc;

    if (!is_on(world, node) || net_space(net, space, node) == 0)
        return;
    make_room(world, node);
    if (!own && has_to_meet(world))
        return;
    ref.space = net_space(net, space, node);
    if (own) {
        ref.kind = NET_OWNED;
        ref.id = net_owned(net, space, node, record % NET_OWNED_EACH);
    } else {
        plant(world, space, record);
    }
    rc = ent_record_erase(net->nodes[node].store, &ref, net_now(net, node),
                          &err);
    if (rc < 0 && rc != ENT_EUSAGE && rc != ENT_EDENIED)
        net_die(net, "E1: node %d cannot erase: %s", node, err.text);
    if (rc < 0)
        return;
    net_local(net, node);
    say(world, "erase", node, own ? -1 : record);
}

/* In the middle of everything; what was remembered of the tables goes on. */
static void rebuild(struct world *world, int node)
{
    struct ent_err err;

    if (!is_on(world, node))
        return;
    make_room(world, node);
    if (ent_store_rebuild(world->net->nodes[node].store, &err) < 0)
        net_die(world->net, "I17: node %d: rebuild: %s", node, err.text);
    world->met[MET_REBUILDS]++;
    say(world, "rebuild", node, 0);
}

static void disturb(struct world *world)
{
    struct net *net = world->net;
    const bool *has = world->options.has;
    int a = some_node(world);
    int b = some_node(world);

    switch (below(world, 13)) {
    case 0:
        if (has[CUTS] && a != b) {
            net_cut(net, a, b);
            world->met[MET_CUTS]++;
            say(world, "cut", a, b);
        }
        break;
    case 1:
        if (has[CUTS] && a != b) {
            net_drop(net, a, b);
            world->met[MET_CUTS]++;
            say(world, "drop", a, b);
        }
        break;
    case 2:
        if (!twins(net, a, b))
            net_heal(net, a, b);
        net->clog_ms[a][b] = 0;
        break;
    case 3:
        if (has[CLOGS]) {
            net->clog_ms[a][b] = 1000 + (int64_t)below(world, 300000);
            world->met[MET_CLOGS]++;
            say(world, "clog", a, b);
        }
        break;
    case 4:
    case 5:
        power(world, a);
        break;
    case 6:
        if (has[FULL_DISK] && is_on(world, a) && !net->liar[a])
            fill_disk(world, a, chance(world, 50));
        break;
    case 7:
        if (has[CLOCKS] && chance(world, 30)) {
            net->nodes[a].clock_ms =
                (int64_t)ent_rand_below(&world->rand, 40 * YEAR_MS) -
                20 * YEAR_MS;
            world->met[MET_JUMPS]++;
        }
        break;
    case 8:
        /* An older chair would give a place in the roster twice (A6). */
        if (has[RESTORES] && a != 0 && !net->liar[a] && a != world->guest &&
            chance(world, 30))
            restore(world, a);
        else if ((has[COPIES] || has[FORKS]) && chance(world, 20))
            copy(world);
        break;
    case 9:
        admit_late(world);
        invite(world);
        if (has[REMOVALS] && chance(world, 30))
            churn(world, a);
        break;
    case 10:
        if (chance(world, 50))
            rebuild(world, a);
        break;
    default:
        if (a != b && net->nodes[a].engine != NULL && !twins(net, a, b) &&
            (has[DOUBLES] || net_links(net, a, b) == 0)) {
            world->met[MET_DOUBLES] += net_links(net, a, b) > 0;
            net_call(net, a, b);
            say(world, "call", a, b);
        }
        break;
    }
}

/* ----------------------------------------------------------------- the liar */

/* Frames of the liar are changed on their way, as a member with a changed
 * program would send them. */
static bool lie(struct net *net, int from, int to, struct ent_slice frame)
{
    struct world *world = net->tap_ctx;
    uint8_t *bytes = (uint8_t *)(uintptr_t)frame.at;

    (void)to;
    if (from != world->liar || frame.len == 0)
        return true;
    switch (below(world, 12)) {
    case 0: /* one bit */
        bytes[below(world, frame.len)] ^= (uint8_t)(1 << below(world, 8));
        break;
    case 1: /* some bytes */
        for (size_t i = below(world, frame.len), n = 0; i < frame.len && n < 8;
             i++, n++)
            bytes[i] = (uint8_t)below(world, 256);
        break;
    case 2: /* swallowed */
        world->met[MET_LIES]++;
        return false;
    case 3: /* an old one, as far as it fits */
        if (world->old_frame.len <= frame.len && world->old_frame.len > 0)
            memcpy(bytes, world->old_frame.at, world->old_frame.len);
        break;
    case 4:
        ent_buf_reset(&world->old_frame);
        ent_buf_put_slice(&world->old_frame, frame);
        return true;
    default:
        return true;
    }
    world->met[MET_LIES]++;
    return true;
}

/* ------------------------------------------------------------------ a world */

static void look_for_dark(struct world *world)
{
    for (int i = 0; i < world->net->count; i++) {
        bool off = !is_on(world, i);

        if (off && world->off_at[i] == 0)
            world->off_at[i] = world->net->mono_ms + 1;
        else if (!off)
            world->off_at[i] = 0;
    }
}

/* No byte of a space for who is no member of it, as far as the sender knows
 * (I10); content is what comes after the rosters. */
static bool watch(struct net *net, int from, int to, struct ent_slice bytes)
{
    struct world *world = net->tap_ctx;

    if (!net->liar[from])
        world->met[MET_HELD_OFF] +=
            inv_confined(net, &world->journal, world->liars, from, to, bytes);
    return true;
}

/* What the hostile ones do, and what the chair does about them. */
static void suffer(struct world *world)
{
    if (world->liars == NULL)
        return;
    if (chance_apart(world, 40))
        liar_turn(world->liars);
    if (world->options.has[REMOVALS] && chance_apart(world, 3))
        churn(world, world->hostile[ent_rand_below(&world->apart,
                                                   (uint64_t)world->hostiles)]);
}

static void live(struct world *world)
{
    struct net *net = world->net;

    while (world->ops_done < world->options.ops) {
        int node = some_node(world);

        if (chance(world, world->options.edit_percent)) {
            if (is_on(world, node) && node != world->liar)
                edit(world, node);
            else
                world->ops_done++; /* nobody is there to do it */
        } else {
            disturb(world);
        }
        suffer(world);
        if (world->options.has[ERASURE] &&
            ent_rand_below(&world->erasing, 100) < 3)
            erase(world);
        if (chance(world, 40)) {
            int before[NET_NODES_MAX];

            for (int i = 0; i < net->count; i++)
                before[i] = is_on(world, i);
            net_run(net,
                    (int64_t)below(world, (size_t)world->options.settle_ms));
            for (int i = 0; i < net->count; i++)
                world->met[MET_POWER_STEP] += before[i] && !is_on(world, i);
        }
        look_for_dark(world);
    }
}

/* What stands, what nodes dial themselves, and at least a chain; everybody
 * calls the chair and its neighbour, copies too: who calls a key reaches one of
 * its nodes. */
/* Whether a node may be no member, and of no use between others. */
static bool any_apart(const struct world *world)
{
    return any_cut(world) || (world->late >= 0 && !world->admitted);
}

static void call_all(struct world *world, const int *nodes, size_t count)
{
    struct net *net = world->net;

    for (size_t i = 0; i + 1 < count; i++) {
        int a = nodes[i];
        int b = nodes[i + 1];

        if (!twins(net, a, b) && net_links(net, a, b) == 0)
            net_call(net, a, b);
        /* Its neighbour may be none that passes anything on. */
        for (size_t j = 0; j < (any_apart(world) ? count : 2); j++)
            if (!twins(net, nodes[j], b) && nodes[j] != b &&
                net_links(net, nodes[j], b) == 0)
                net_call(net, b, nodes[j]);
    }
}

static bool is_member(const struct world *world, int space, int node);

/* Two of one key do not talk: they may have but a liar between them. */
static bool has_twin(const struct world *world, int node)
{
    for (int i = 0; i < node; i++)
        if (twins(world->net, i, node))
            return true;
    return false;
}

static bool all_equal(struct world *world, const int *nodes, size_t count)
{
    for (int s = 0; s < world->options.spaces; s++)
        for (size_t i = 0; i < count; i++)
            if (is_member(world, s, nodes[i]) && !has_twin(world, nodes[i]) &&
                !net_equal(world->net, 0, nodes[i], s))
                return false;
    return true;
}

/* While some go on lying the others become equal; then they repent. */
static void outlast(struct world *world)
{
    struct net *net = world->net;
    int64_t until = net->mono_ms + HEAL_MS;
    int honest[NET_NODES_MAX];
    size_t count = 0;

    for (int i = 0; i < net->count; i++)
        if (!net->liar[i] || i == world->liar)
            honest[count++] = i;
    for (int round = 0;; round++) {
        if (round % 12 == 0)
            call_all(world, honest, count);
        net_run(net, OUTLAST_MS);
        if (all_equal(world, honest, count))
            break;
        if (net->mono_ms > until)
            net_die(net, "I1: two hours after everything was healed those who "
                         "do not lie are not equal");
        if (chance_apart(world, 30))
            liar_turn(world->liars);
    }
    net->says = net->hears = NULL;
    for (int i = 0; i < world->hostiles; i++) {
        net_stop(net, world->hostile[i]);
        net_start(net, world->hostile[i]);
    }
}

static void heal(struct world *world, int *nodes, size_t *count)
{
    struct net *net = world->net;

    *count = 0;
    for (int i = 0; i < net->count; i++) {
        for (int j = 0; j < net->count; j++) {
            net->clog_ms[i][j] = 0;
            /* What a stalled link holds back comes minutes later, when it may
             * have been given up: somebody calls anew. */
            if (world->options.has[CLOGS] && i < j)
                net_drop(net, i, j);
            if (!twins(net, i, j))
                net_heal(net, i, j);
        }
        if (net->nodes[i].disk != NULL) {
            disk_room(net->nodes[i].disk, -1);
            disk_heal(net->nodes[i].disk);
            net->nodes[i].dark_in = 0;
        }
    }
    for (int i = 0; i < net->count; i++)
        if (!is_on(world, i))
            switch_on(world, i);
    net_run(net, 1000);
    admit_late(world);
    invite(world);
    for (int i = 0; i < net->count; i++)
        nodes[(*count)++] = i;
    if (world->liar >= 0) { /* it repents */
        net->tap = NULL;
        net_stop(net, world->liar);
        net_start(net, world->liar);
    }
    if (world->liars != NULL)
        outlast(world);
    /* Twice: what stood then may have been given up since. */
    call_all(world, nodes, *count);
    if (net_run_quiet(net, HEAL_MS)) {
        admit_late(world); /* the chair has met somebody by now */
        call_all(world, nodes, *count);
        if (net_run_quiet(net, HEAL_MS))
            return;
    }
    for (int i = 0; i < net->count; i++)
        if (net->nodes[i].engine != NULL)
            fprintf(stderr, "node %d: %s, %zu sessions, sent %llu frames\n", i,
                    ent_engine_quiet(net->nodes[i].engine) ? "quiet" : "busy",
                    ent_engine_sessions(net->nodes[i].engine),
                    (unsigned long long)net->nodes[i].sent_frames);
    net_die(net, "I16: not quiet two hours after everything was healed");
}

/* By the chair's roster, and knows it. */
static bool is_member(const struct world *world, int space, int node)
{
    struct net *net = world->net;

    return net_space(net, space, node) != 0 &&
           ent_member_role(net->nodes[0].store, net_space(net, space, 0),
                           &net->nodes[node].keys.public) != ENT_ROLE_NONE;
}

/* Of several members who hold the same one is asked at a time: the others offer
 * it again in a while. */
static void check_offers(struct world *world, const int *nodes, size_t count)
{
    struct net *net = world->net;

    net_run(net, OFFERED_MS);
    for (int s = 0; s < world->options.spaces; s++)
        for (size_t i = 0; i < count; i++)
            if (nodes[i] != 0 && is_member(world, s, nodes[i]) &&
                net_links(net, 0, nodes[i]) > 0)
                world->met[MET_OFFERED] += inv_offered(net, 0, nodes[i], s);
}

/* Where all members have one key, there is nobody to pass anything on. */
static bool are_lone_twins(const struct world *world, const int *members,
                           size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (!twins(world->net, members[0], members[i]))
            return false;
    return count > 1;
}

static void check(struct world *world, const int *nodes, size_t count)
{
    struct net *net = world->net;
    /* They are equal: what one of them holds is looked into. */
    size_t verified = (size_t)below(world, count);

    for (int s = 0; s < world->options.spaces; s++) {
        int members[NET_NODES_MAX];
        size_t member_count = 0;

        for (size_t i = 0; i < count; i++)
            if (is_member(world, s, nodes[i]))
                members[member_count++] = nodes[i];
        if (are_lone_twins(world, members, member_count))
            continue;
        inv_equal(net, members, member_count, s, world->options.records);
        inv_roster(net, members[0], s);
        inv_writes(net, &world->journal, members[0], s);
        if (chance(world, 25) || world->liars != NULL) {
            inv_model(net, members[0], s);
            world->met[MET_MODELS]++;
        }
        for (size_t i = 0; i < member_count; i++)
            inv_whole(net, members[i], members, member_count, s);
        if (world->options.has[ERASURE])
            inv_erased_said(net, members[0], members, member_count, s);
        for (size_t i = 0; world->options.has[ERASURE] && i < member_count; i++)
            world->met[MET_ERASED] +=
                inv_erased(net, members[i], s, &world->canaries);
        world->met[MET_CONFLICTS] += net_counts(net, members[0], s).conflicts;
        for (int r = 0; r < world->options.records; r++) {
            char text[4096];
            int bars = 0;

            net_values(net, members[0], s, r, NET_TITLE, text, sizeof(text));
            for (const char *p = text; *p != '\0'; p++)
                bars += *p == '|';
            world->met[MET_SIBLINGS] += bars >= 2;
        }
    }
    for (size_t i = 0; i < count; i++) {
        inv_bounds(net, nodes[i]);
        inv_counts(net, nodes[i],
                   world->options.has[FORKS] || world->hostiles > 0);
        world->met[MET_FORKS] += net->nodes[nodes[i]].notes[ENT_NOTE_FORK];
        world->met[MET_LEFT] += inv_left_own_log(net, nodes[i]);
        if (i == verified)
            inv_replica(net, nodes[i], chance(world, 50));
        for (int j = 0; j < net->count; j++) {
            struct ent_peer peer = net_peer(net, nodes[i], j);

            world->met[MET_DUPLICATES] += peer.duplicate;
            world->met[MET_WAITING] += peer.waiting;
            world->met[MET_REFUSED] += net->liar[j] && peer.refused > 0;
            world->met[MET_SET_ASIDE] += net->liar[j] ? peer.quarantined : 0;
        }
        world->met[MET_REFUSED] +=
            net->nodes[nodes[i]].liar_notes[ENT_NOTE_REFUSED] > 0;
        world->met[MET_INVITED] +=
            nodes[i] == world->guest && net_space(net, 0, nodes[i]) != 0;
    }
    check_offers(world, nodes, count);
    if (chance(world, 5))
        inv_idle(net, nodes, count);
    if (chance(world, 5)) {
        inv_replay(net, nodes[0], 0, &world->rand);
        world->met[MET_REPLAYS]++;
    }
}

static void trace_digests(struct world *world, const int *nodes, size_t count)
{
    for (int s = 0; s < world->options.spaces; s++)
        for (size_t i = 0; i < count; i++)
            if (net_space(world->net, s, nodes[i]) != 0) {
                struct ent_digest digest = net_digest(world->net, nodes[i], s);

                net_trace(world->net, &digest, sizeof(digest));
            }
}

struct run {
    const bool *without;
    int ops;
    bool verbose, quiet, until_failure, hostile;
};

static struct ent_hash run_seed(uint64_t seed, const struct run *run)
{
    struct world world = {.net = net_new(seed), .verbose = run->verbose};
    int nodes[NET_NODES_MAX];
    struct ent_hash trace;
    bool off = false;
    size_t count;

    ent_rand_init_u64(&world.rand, seed ^ 0x5eed);
    ent_rand_init_u64(&world.owned, seed ^ 0x0a4e);
    world.net->tap_ctx = &world;
    draw(&world, run->without, run->ops, run->hostile);
    if (!run->quiet)
        print_options(&world, seed);
    for (int c = 0; c < CLASSES; c++) {
        off = classes[c].off != NULL;
        totals->drawn[c] += world.options.has[c];
        if (off)
            world.options.has[c] = false;
    }
    make(&world);
    if (world.liar >= 0)
        world.net->tap = lie;
    if (world.liars != NULL)
        world.net->posted = watch;
    live(&world);
    heal(&world, nodes, &count);
    trace_digests(&world, nodes, count);
    trace = world.net->trace;
    check(&world, nodes, count);
    for (int m = 0; m < METS; m++)
        __atomic_fetch_add(&totals->met[m], world.met[m], __ATOMIC_RELAXED);
    for (int d = 0; d < LIAR_DEEDS; d++)
        __atomic_fetch_add(&totals->deeds[d],
                           liar_count(world.liars, (enum liar_deed)d),
                           __ATOMIC_RELAXED);
    __atomic_fetch_add(&totals->seeds, 1, __ATOMIC_RELAXED);
    liar_free(world.liars);
    inv_journal_fini(&world.journal);
    free(world.canaries.list);
    ent_buf_fini(&world.old_frame);
    net_free(world.net);
    return trace;
}

static void print_trace(uint64_t seed, const struct ent_hash *trace)
{
    char hex[2 * ENT_HASH_BYTES + 1];

    ent_hex_put(hex, trace->b, sizeof(trace->b));
    hex[2 * ENT_HASH_BYTES] = '\0';
    printf("seed %llu: trace %.32s\n", (unsigned long long)seed, hex);
}

static void run_checked(uint64_t seed, const struct run *run)
{
    struct ent_hash trace;

    alarm(SEED_SECONDS);
    trace = run_seed(seed, run);
    if (!run->quiet)
        print_trace(seed, &trace);
    if (seed % 100 == 7) { /* I18 */
        struct run again = {.without = run->without,
                            .ops = run->ops,
                            .hostile = run->hostile,
                            .quiet = true};
        struct ent_hash second = run_seed(seed, &again);

        __atomic_fetch_add(&totals->twice, 1, __ATOMIC_RELAXED);
        if (!ent_hash_equal(&trace, &second)) {
            print_trace(seed, &second);
            fprintf(stderr, "seed %llu: I18: run twice, two traces\n",
                    (unsigned long long)seed);
            abort();
        }
    }
    alarm(0);
}

/* -------------------------------------------------------------- many seeds */

static void job(int number, int jobs, uint64_t first, uint64_t last,
                time_t deadline, const struct run *run)
{
    for (uint64_t seed = first; seed <= last; seed += (uint64_t)jobs) {
        if (deadline != 0 && time(NULL) >= deadline)
            break;
        totals->current[number] = seed;
        run_checked(seed, run);
    }
    exit(0);
}

static pid_t fork_job(int number, int jobs, uint64_t first, uint64_t last,
                      time_t deadline, const struct run *run)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        job(number, jobs, first, last, deadline, run);
    return pid;
}

static size_t run_many(uint64_t first, uint64_t last, int jobs, time_t deadline,
                       const char *name, const struct run *run)
{
    uint64_t failed[FAILED_MAX];
    size_t failed_count = 0;
    pid_t pids[JOBS_MAX];
    int running = jobs;

    for (int i = 0; i < jobs; i++)
        pids[i] = fork_job(i, jobs, first + (uint64_t)i, last, deadline, run);
    while (running > 0) {
        int status;
        pid_t pid = waitpid(-1, &status, 0);
        int number = 0;

        if (pid < 0)
            break;
        while (number < jobs && pids[number] != pid)
            number++;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            pids[number] = 0;
            running--;
            continue;
        }
        fprintf(stderr, "seed %llu failed%s: %s --seed %llu%s\n",
                (unsigned long long)totals->current[number],
                WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM
                    ? " (it does not end)"
                    : "",
                name, (unsigned long long)totals->current[number],
                run->hostile ? " --hostile" : "");
        if (failed_count < FAILED_MAX)
            failed[failed_count] = totals->current[number];
        failed_count++;
        if (run->until_failure) {
            for (int i = 0; i < jobs; i++)
                if (i != number && pids[i] > 0)
                    kill(pids[i], SIGKILL);
            while (wait(NULL) > 0)
                continue;
            break;
        }
        if (failed_count >= FAILED_MAX) {
            running--;
            continue;
        }
        pids[number] =
            fork_job(number, jobs, totals->current[number] + (uint64_t)jobs,
                     last, deadline, run);
    }
    if (failed_count > 0) {
        printf("failed:");
        for (size_t i = 0; i < failed_count && i < FAILED_MAX; i++)
            printf(" %llu", (unsigned long long)failed[i]);
        printf("\n");
    }
    return failed_count;
}

/* Seeds that once failed, one a line, a word on why behind it. */
static bool run_file(const char *path, const struct run *run)
{
    FILE *file = fopen(path, "r");
    unsigned long long seed;
    char line[256];

    if (file == NULL)
        return false;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "%llu", &seed) != 1)
            continue;
        printf("kept seed %s", line);
        fflush(stdout);
        run_checked(seed, run);
    }
    fclose(file);
    return true;
}

static int report(double seconds, size_t failed)
{
    int missing = 0;

    printf("%lld seeds, %lld changes in %.0f s: %.1f seeds/s, %.0f changes/s; "
           "%lld run twice; %zu failed\n",
           (long long)totals->seeds, (long long)totals->met[MET_EDITS], seconds,
           (double)totals->seeds / seconds,
           (double)totals->met[MET_EDITS] / seconds, (long long)totals->twice,
           failed);
    for (int m = 0; m < METS; m++)
        printf("%s %s %lld", m == 0 ? "met:" : ",", met_names[m],
               (long long)totals->met[m]);
    for (int d = 0; d < LIAR_DEEDS; d++)
        printf(", %s %lld", liar_deeds[d], (long long)totals->deeds[d]);
    printf("\n");
    for (int c = 0; c < CLASSES; c++)
        if (classes[c].off != NULL)
            printf("off: %s in %lld seeds: %s\n", classes[c].name,
                   (long long)totals->drawn[c], classes[c].off);
    for (int m = 0; totals->seeds >= 1000 && m < METS; m++)
        if (totals->met[m] == 0) {
            printf("I19: never met: %s\n", met_names[m]);
            missing = 1;
        }
    if (totals->seeds >= 1000 &&
        totals->met[MET_HOSTILE] * 10 < totals->seeds) {
        printf("I19: fewer than 1 hostile seed in 10\n");
        missing = 1;
    }
    for (int d = 0; totals->met[MET_HOSTILE] >= 100 && d < LIAR_DEEDS; d++)
        if (totals->deeds[d] == 0) {
            printf("I19: no liar ever did: %s\n", liar_deeds[d]);
            missing = 1;
        }
    return failed > 0 || missing ? 1 : 0;
}

static int usage(const char *name)
{
    fprintf(stderr,
            "usage: %s --seed N [--ops N] [--hostile] [--without CLASS,...] "
            "[--verbose]\n"
            "       %s --seeds A..B [--jobs N] [--seconds N] [--ops N] "
            "[--hostile] [--file KEPT] [--without CLASS,...] "
            "[--until-failure]\nclasses:",
            name, name);
    for (int c = 0; c < CLASSES; c++)
        fprintf(stderr, " %s", classes[c].name);
    fprintf(stderr, "\n");
    return 2;
}

static bool read_without(char *list, bool *without)
{
    for (char *name = strtok(list, ","); name != NULL;
         name = strtok(NULL, ",")) {
        int c = 0;

        while (c < CLASSES && strcmp(classes[c].name, name) != 0)
            c++;
        if (c == CLASSES)
            return false;
        without[c] = true;
    }
    return true;
}

/* Nobody else opens the replicas of a world: no thread, and no process. What
 * is locked is locked in memory, and so is the index of a WAL. */
static void be_alone(void)
{
    ent_db_prepare();
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_vfs_register(sqlite3_vfs_find("unix-excl"), 1);
}

int main(int argc, char **argv)
{
    unsigned long long first = 1;
    unsigned long long last = 200;
    bool without[CLASSES] = {false};
    struct run run = {.without = without};
    struct timespec begin, end;
    const char *file = NULL;
    bool one = false;
    long seconds = 0;
    int jobs = 1;
    size_t failed;
    int rc;

    for (int i = 1; i < argc; i++) {
        char *value = i + 1 < argc ? argv[i + 1] : argv[0];

        if (strcmp(argv[i], "--verbose") == 0) {
            run.verbose = true;
            continue;
        }
        if (strcmp(argv[i], "--until-failure") == 0) {
            run.until_failure = true;
            continue;
        }
        if (strcmp(argv[i], "--hostile") == 0) {
            run.hostile = true;
            continue;
        }
        if (strcmp(argv[i], "--seed") == 0) {
            first = last = strtoull(value, NULL, 10);
            one = true;
        } else if (strcmp(argv[i], "--seeds") == 0) {
            if (sscanf(value, "%llu..%llu", &first, &last) != 2)
                return usage(argv[0]);
        } else if (strcmp(argv[i], "--file") == 0) {
            file = value;
        } else if (strcmp(argv[i], "--jobs") == 0) {
            jobs = atoi(value);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            seconds = strtol(value, NULL, 10);
        } else if (strcmp(argv[i], "--ops") == 0) {
            run.ops = atoi(value);
        } else if (strcmp(argv[i], "--without") != 0 ||
                   !read_without(value, without)) {
            return usage(argv[0]);
        }
        i++;
    }
    if (jobs < 1 || jobs > JOBS_MAX)
        return usage(argv[0]);
    totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (totals == MAP_FAILED)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    be_alone();
    disk_begin();
    net_begin();
    clock_gettime(CLOCK_MONOTONIC, &begin);
    run.quiet = !one;
    if (file != NULL && !run_file(file, &run)) {
        fprintf(stderr, "cannot read %s\n", file);
        net_end();
        return 1;
    }
    if (one) {
        run_checked(first, &run);
        failed = 0;
    } else {
        failed =
            run_many(first, last, jobs, seconds > 0 ? time(NULL) + seconds : 0,
                     argv[0], &run);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    rc = report((double)(end.tv_sec - begin.tv_sec) +
                    (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
                failed);
    net_end();
    return rc;
}
