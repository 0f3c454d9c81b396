/* trespass.c - what a program writes that keeps to no rule (net_forge): good
 * bytes and a good signature, about what is not its to change. */
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "net.h"
#include "store/replica.h"
#include "store/seal.h"

static void must(const struct net *net, int rc, const struct ent_err *err,
                 const char *what)
{
    if (rc < 0)
        net_die(net, "%s: %d %s", what, rc, err->text);
}

#define FORGED_MAX 8 /* records of a forged entry */
#define FORGED_REFS_MAX 512

/* A forged entry before its references are in order. */
struct forging {
    struct ent_entry entry;
    struct ent_change changes[FORGED_MAX];
    struct ent_op ops[FORGED_MAX][2]; /* life, and the field */
    struct ent_ref refs[FORGED_REFS_MAX];
    struct ent_seen seen[FORGED_REFS_MAX];
    /* Behind each of `seen`: what its reference will be the index of. */
    struct ent_ref named[FORGED_REFS_MAX];
    size_t count;
    struct ent_buf values[FORGED_MAX];
};

/* Name what stands of a field in one operation. */
static void forge_seen(struct net *net, int at, const struct ent_record *record,
                       struct forging *forging, struct ent_op *op)
{
    struct ent_store *store = net->nodes[at].store;

    op->seen = &forging->seen[forging->count];
    for (size_t i = 0; i < record->write_count; i++) {
        const struct ent_dot *dot = &record->writes[i].dot;
        enum ent_verdict verdict;
        struct ent_hash hash;
        struct ent_err err;

        if (record->writes[i].field != op->field)
            continue;
        if (forging->count == FORGED_REFS_MAX)
            net_die(net, "too much stands in a forged record");
        must(net, ent_log_hash(store, dot->n, &hash, &verdict, &err), &err,
             "a write");
        forging->named[forging->count] =
            (struct ent_ref){.origin = ent_log_of(store, ent_n_o(dot->n))->id,
                             .seq = (uint64_t)ent_n_seq(dot->n),
                             .hash = ent_hash_head(&hash)};
        forging->seen[forging->count++].ordinal = dot->ordinal;
        op->seen_count++;
    }
}

static int ref_cmp(const void *a, const void *b)
{
    return ent_ref_cmp(a, b);
}

static int seen_cmp(const void *a, const void *b)
{
    const struct ent_seen *x = a;
    const struct ent_seen *y = b;

    if (x->ref != y->ref)
        return x->ref < y->ref ? -1 : 1;
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static void forge_refs(struct forging *forging)
{
    struct ent_entry *entry = &forging->entry;

    memcpy(forging->refs, forging->named,
           forging->count * sizeof(*forging->refs));
    if (forging->count > 1)
        qsort(forging->refs, forging->count, sizeof(*forging->refs), ref_cmp);
    entry->refs = forging->refs;
    for (size_t i = 0; i < forging->count; i++)
        if (i == 0 || ent_ref_cmp(&forging->refs[entry->ref_count - 1],
                                  &forging->refs[i]) != 0)
            forging->refs[entry->ref_count++] = forging->refs[i];
    for (size_t i = 0; i < forging->count; i++)
        while (ent_ref_cmp(&forging->refs[forging->seen[i].ref],
                           &forging->named[i]) != 0)
            forging->seen[i].ref++;
    for (size_t c = 0; c < entry->change_count; c++)
        for (size_t o = 0; o < 2; o++)
            if (forging->ops[c][o].seen_count > 1)
                qsort(&forging->seen[forging->ops[c][o].seen - forging->seen],
                      forging->ops[c][o].seen_count, sizeof(*forging->seen),
                      seen_cmp);
}

static void forge_change(struct net *net, int at, int space,
                         const struct net_forgery *item,
                         struct forging *forging)
{
    size_t place = forging->entry.change_count++;
    struct ent_op *ops = forging->ops[place];
    const struct ent_record_ref ref = {
        .space = net_space(net, space, at), .kind = item->kind, .id = item->id};
    struct ent_record record = {0};
    struct ent_err err;
    int rc = ent_record_read(net->nodes[at].store, &ref, &record, &err);

    if (rc != ENT_ENOTFOUND)
        must(net, rc, &err, "a record");
    ops[0].code = item->erases ? ENT_OP_ERASE : ENT_OP_LIVE;
    ops[1] = (struct ent_op){
        .code = ENT_OP_WRITE, .field = item->field, .value = item->value};
    for (size_t o = 0; o < 2 && !item->erases; o++)
        forge_seen(net, at, &record, forging, &ops[o]);
    ent_record_fini(&record);
    forging->changes[place] =
        (struct ent_change){.kind = item->kind,
                            .id = item->id,
                            .ops = ops,
                            .op_count = item->erases ? 1 : 2};
}

/* The entry that comes next in the log, and its changes. */
static void forge_entry(struct net *net, int at, int space,
                        const struct net_forger *log,
                        const struct net_forgery *items, size_t count,
                        struct forging *forging)
{
    struct net_node *node = &net->nodes[at];
    struct ent_space info;
    struct ent_err err;

    must(net,
         ent_space_read(node->store, net_space(net, space, at), &info, &err),
         &err, "space");
    forging->entry =
        (struct ent_entry){.space = net->spaces[space],
                           .author = node->keys.public,
                           .origin = log->origin,
                           .seq = log->seq + 1,
                           .prev = log->prev,
                           .roster_pos = info.roster_pos,
                           .roster_hash = ent_hash_head(&info.roster_head),
                           .time_ms = net_now(net, at),
                           .changes = forging->changes,
                           .has_seed = true};
    for (size_t i = 0; i < count; i++)
        forge_change(net, at, space, &items[i], forging);
    forge_refs(forging);
    for (size_t i = 0; i < count; i++) {
        struct ent_change *change = &forging->changes[i];

        change->has_commitment =
            ent_values_put(&forging->values[i], change->ops, change->op_count) >
            0;
        change->values = ent_buf_slice(&forging->values[i]);
    }
    if (ent_entry_fault(&forging->entry) != NULL)
        net_die(net, "a forged entry: %s", ent_entry_fault(&forging->entry));
}

int net_forge(struct net *net, int at, int space, struct net_forger *log,
              const struct net_forgery *items, size_t count)
{
    struct net_node *node = &net->nodes[at];
    struct forging *forging = calloc(1, sizeof(*forging));
    struct ent_buf packed = {0};
    struct ent_seal seal = {0};
    struct ent_slice bytes;
    struct ent_taken taken;
    struct ent_err err;
    struct ent_run run;
    int rc;

    if (log->seq == 0)
        ent_rand_bytes(&node->rand, log->origin.b, ENT_ID_BYTES);
    forge_entry(net, at, space, log, items, count, forging);
    run = (struct ent_run){.author = node->keys.public,
                           .origin = log->origin,
                           .from = ++log->seq,
                           .prev = ent_hash_head(&log->prev),
                           .entries = &bytes,
                           .count = 1};
    must(net, ent_seal_entry(&seal, &forging->entry, &log->prev, &err), &err,
         "seal");
    ent_sign(&node->keys, ent_buf_slice(&seal.header), &run.sig);
    ent_entry_put(&packed, &forging->entry);
    bytes = ent_buf_slice(&packed);
    rc = ent_runs_take(node->store, net_space(net, space, at), NULL, &run, 1,
                       net_now(net, at), &taken, &err);
    if (rc == 0 && taken.refused + taken.waiting > 0)
        net_die(net, "a forged entry is refused or waits: %s", taken.why);
    for (size_t i = 0; i < count; i++)
        ent_buf_fini(&forging->values[i]);
    ent_buf_fini(&packed);
    ent_seal_fini(&seal);
    free(forging);
    net_written(net, at, rc);
    return rc;
}
