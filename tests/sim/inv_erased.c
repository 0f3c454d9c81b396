/* inv_erased.c - what was erased is nowhere (I9, E1, E2), and whoever carried
 * it out has said so (E4). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariants.h"
#include "store/erase.h"
#include "store/records.h"
#include "store/replica.h"

/* Files of a node's home that hold that text, which is in lower case. */
static bool file_holds(const char *path, const char *text, struct ent_buf *all)
{
    FILE *file = fopen(path, "rb");
    char part[16384];
    size_t len;

    if (file == NULL)
        return false;
    ent_buf_reset(all);
    while ((len = fread(part, 1, sizeof(part), file)) > 0)
        ent_buf_put(all, part, len);
    fclose(file);
    return memmem(all->at, all->len, text, strlen(text)) != NULL;
}

static void check_files(struct net *net, int node, const char *text)
{
    DIR *dir = opendir(net->nodes[node].home);
    struct ent_buf all = {0};
    struct dirent *item;

    while (dir != NULL && (item = readdir(dir)) != NULL) {
        char path[600];

        snprintf(path, sizeof(path), "%s/%s", net->nodes[node].home,
                 item->d_name);
        if (item->d_type == DT_REG && file_holds(path, text, &all))
            net_die(net, "I9: node %d: %s holds %s, which was erased", node,
                    item->d_name, text);
    }
    if (dir != NULL)
        closedir(dir);
    ent_buf_fini(&all);
}

/* Nothing stands of it, and no entry has values of it. */
static void check_record(struct net *net, int node,
                         const struct ent_erasure *erasure)
{
    struct ent_store *store = net->nodes[node].store;
    const struct ent_record_ref ref = {
        .space = erasure->space, .kind = erasure->kind, .id = erasure->id};
    struct ent_record record = {0};

    if (ent_record_read(store, &ref, &record, NULL) == 0)
        net_die(net, "E1: node %d: an erased record stands", node);
    ent_record_fini(&record);
}

static void check_entry(struct net *net, int node, int64_t space,
                        const struct ent_entry *entry)
{
    for (size_t i = 0; i < entry->change_count; i++) {
        const struct ent_change *change = &entry->changes[i];
        const struct ent_record_ref ref = {
            .space = space, .kind = change->kind, .id = change->id};
        struct ent_err err;

        if (!change->erased && change->has_commitment &&
            ent_record_erased(net->nodes[node].store, &ref, &err) > 0)
            net_die(net, "E2: node %d: an entry has values of what was erased",
                    node);
    }
}

static void check_log(struct net *net, int node, struct ent_log *log)
{
    struct ent_store *store = net->nodes[node].store;
    struct ent_arena arena = {0};
    struct ent_err err;

    if (ent_log_head(store, log, &err) < 0)
        net_die(net, "a head: %s", err.text);
    for (int64_t seq = log->base + 1; seq <= log->head; seq++) {
        struct ent_entry entry;
        enum ent_verdict verdict;
        struct ent_hash hash;

        ent_arena_reset(&arena);
        if (ent_log_read(store, ent_n(log->o, seq), &arena, &entry, &verdict,
                         &hash, &err) < 0)
            net_die(net, "an entry: %s", err.text);
        check_entry(net, node, log->space, &entry);
    }
    ent_arena_fini(&arena);
}

int64_t inv_erased(struct net *net, int node, int space,
                   const struct inv_canaries *canaries)
{
    struct ent_store *store = net->nodes[node].store;
    struct ent_arena arena = {0};
    struct ent_erasure *list;
    struct ent_err err;
    size_t count;

    if (ent_erasure_list(store, net_space(net, space, node), &arena, &list,
                         &count, &err) < 0)
        net_die(net, "erasures: %s", err.text);
    for (size_t i = 0; i < count; i++)
        check_record(net, node, &list[i]);
    for (size_t i = 0; count > 0 && i < store->log_count; i++)
        if (store->logs[i]->space == net_space(net, space, node))
            check_log(net, node, store->logs[i]);
    if (ent_store_scrub(store, &err) != 1)
        net_die(net, "E2: node %d: its files are not free: %s", node, err.text);
    if (ent_search_catch_up(store, &err) < 0)
        net_die(net, "E2: node %d: the word index: %s", node, err.text);
    for (size_t i = 0; i < canaries->count; i++)
        if (canaries->list[i].space == space)
            check_files(net, node, canaries->list[i].text);
    ent_arena_fini(&arena);
    return (int64_t)count;
}

/* The same entry at another node, by its hash; false: it is not there. */
static bool find_entry(struct ent_store *store, int64_t space,
                       const struct ent_entry *entry,
                       const struct ent_hash *hash, struct ent_arena *arena,
                       struct ent_entry *found)
{
    struct ent_log *log;
    size_t at = 0;

    while ((log = ent_branch_next(store, space, &entry->author, &entry->origin,
                                  &at)) != NULL) {
        enum ent_verdict verdict;
        struct ent_hash held;
        struct ent_err err;

        if (ent_log_head(store, log, &err) == 0 &&
            (int64_t)entry->seq > log->base &&
            (int64_t)entry->seq <= log->head &&
            ent_log_read(store, ent_n(log->o, (int64_t)entry->seq), arena,
                         found, &verdict, &held, &err) == 0 &&
            ent_hash_equal(&held, hash))
            return true;
    }
    return false;
}

/* A value that one of them lacks though it was not erased, and the other has.
 */
static void compare_entry(struct net *net, int node, int other, int space,
                          int64_t n)
{
    struct ent_store *store = net->nodes[node].store;
    struct ent_arena arena = {0};
    struct ent_entry mine;
    struct ent_entry theirs;
    enum ent_verdict verdict;
    struct ent_hash hash;
    struct ent_err err;
    bool counts;

    if (ent_log_read(store, n, &arena, &mine, &verdict, &hash, &err) < 0)
        net_die(net, "E3: an entry: %s", err.text);
    if (find_entry(net->nodes[other].store, net_space(net, space, other), &mine,
                   &hash, &arena, &theirs))
        for (size_t i = 0; i < mine.change_count; i++)
            if (mine.changes[i].erased && !theirs.changes[i].erased &&
                ent_erased(store, net_space(net, space, node),
                           mine.changes[i].kind, &mine.changes[i].id, &counts,
                           &err) == 0)
                net_die(net,
                        "E3: node %d lacks values of space %d that node %d has",
                        node, space, other);
    ent_arena_fini(&arena);
}

void inv_whole(struct net *net, int node, const int *nodes, size_t count,
               int space)
{
    struct ent_store *store = net->nodes[node].store;
    struct ent_stmt stmt;
    struct ent_err err;
    int rc = ent_stmt_prepare(&store->db, "SELECT n FROM wanted", &stmt, &err);

    while (rc >= 0 && (rc = ent_stmt_step(&stmt, &err)) > 0) {
        int64_t n = ent_stmt_int(&stmt, 0);
        const struct ent_log *log = ent_log_of(store, ent_n_o(n));

        if (log == NULL)
            net_die(net, "E3: node %d wants what it does not hold", node);
        for (size_t i = 0;
             log->space == net_space(net, space, node) && i < count; i++)
            if (nodes[i] != node)
                compare_entry(net, node, nodes[i], space, n);
    }
    if (rc < 0)
        net_die(net, "E3: wanted entries: %s", err.text);
    ent_stmt_fini(&stmt);
}

void inv_erased_said(struct net *net, int asked, const int *nodes, size_t count,
                     int space)
{
    struct ent_store *store = net->nodes[asked].store;
    struct ent_arena arena = {0};
    struct ent_erasure *list;
    struct ent_err err;
    size_t erased;

    if (ent_erasure_list(store, net_space(net, space, asked), &arena, &list,
                         &erased, &err) < 0)
        net_die(net, "erasures: %s", err.text);
    /* Who rests between two scrubs says so behind the next one. */
    for (size_t i = 0; i < erased; i++)
        for (size_t j = 0; j < count; j++)
            if (ent_store_scrub_due(net->nodes[nodes[j]].store, &err) <= 0 &&
                ent_erasure_confirmed(store, &list[i],
                                      &net->nodes[nodes[j]].keys.public,
                                      &err) != 1)
                net_die(net,
                        "E4: node %d did not say that it has erased what "
                        "node %d asks about",
                        nodes[j], asked);
    ent_arena_fini(&arena);
}
