/* same.c - who is one with whom, and how that is written (same.h). */
#include "store/same.h"

#include <stdlib.h>
#include <string.h>

#include "codec/value.h"
#include "store/replica.h"

#define NOBODY SIZE_MAX

/* Records as nodes and what stands in their `same_as` as edges. */
struct edge {
    struct ent_record_ref from;
    struct ent_id to;
    size_t a, b; /* the nodes, once they are known */
    bool stray;  /* names what was never here: joins nobody */
};

enum node_state { NODE_NOT_HERE, NODE_DELETED, NODE_LIVE };

struct node {
    struct ent_record_ref ref;
    size_t root; /* the first node of its group */
    enum node_state state;
};

struct graph {
    struct edge *edges; /* by space, kind and id */
    size_t edge_count;
    size_t cap;
    struct node *nodes; /* by space, kind and id */
    size_t node_count;
};

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

static void graph_fini(struct graph *graph)
{
    free(graph->edges);
    free(graph->nodes);
}

/* ------------------------------------------------------------------ reading */

static int compare_refs(const struct ent_record_ref *a,
                        const struct ent_record_ref *b)
{
    if (a->space != b->space)
        return a->space < b->space ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return ent_id_cmp(&a->id, &b->id);
}

static int by_ref(const void *a, const void *b)
{
    const struct node *x = a;
    const struct node *y = b;

    return compare_refs(&x->ref, &y->ref);
}

static int put_edge(struct graph *graph, const struct edge *edge,
                    struct ent_err *err)
{
    if (graph->edge_count == graph->cap) {
        size_t cap = graph->cap == 0 ? 16 : 2 * graph->cap;
        struct edge *edges = realloc(graph->edges, cap * sizeof(*edges));

        if (edges == NULL)
            return no_memory(err);
        graph->edges = edges;
        graph->cap = cap;
    }
    graph->edges[graph->edge_count++] = *edge;
    return 0;
}

/* Values that are no id, and records named as their own equal, join nothing. */
static int take_row(struct graph *graph, struct ent_stmt *stmt,
                    struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_value value;
    struct edge edge = {
        .from = {.space = ent_stmt_int(stmt, 0),
                 .kind = (uint32_t)ent_stmt_int(stmt, 1)},
    };
    int rc = 0;

    ent_stmt_copy(stmt, 2, edge.from.id.b, ENT_ID_BYTES);
    if (ent_value_get(ent_stmt_bytes(stmt, 3), &arena, &value, NULL) == 0 &&
        value.type == ENT_VALUE_BYTES && value.bytes.len == ENT_ID_BYTES) {
        memcpy(edge.to.b, value.bytes.at, ENT_ID_BYTES);
        if (!ent_id_equal(&edge.to, &edge.from.id))
            rc = put_edge(graph, &edge, err);
    }
    ent_arena_fini(&arena);
    return rc;
}

static size_t find_node(const struct graph *graph,
                        const struct ent_record_ref *ref)
{
    const struct node wanted = {.ref = *ref};
    const struct node *found;

    if (graph->node_count == 0)
        return NOBODY;
    found = bsearch(&wanted, graph->nodes, graph->node_count,
                    sizeof(*graph->nodes), by_ref);
    return found == NULL ? NOBODY : (size_t)(found - graph->nodes);
}

static struct ent_record_ref target(const struct edge *edge)
{
    struct ent_record_ref ref = edge->from;

    ref.id = edge->to;
    return ref;
}

/* Both ends of every edge, each once. */
static int make_nodes(struct graph *graph, struct ent_err *err)
{
    size_t kept = 0;

    graph->nodes = calloc(2 * graph->edge_count + 1, sizeof(*graph->nodes));
    if (graph->nodes == NULL)
        return no_memory(err);
    for (size_t i = 0; i < graph->edge_count; i++) {
        graph->nodes[2 * i].ref = graph->edges[i].from;
        graph->nodes[2 * i + 1].ref = target(&graph->edges[i]);
    }
    qsort(graph->nodes, 2 * graph->edge_count, sizeof(*graph->nodes), by_ref);
    for (size_t i = 0; i < 2 * graph->edge_count; i++)
        if (kept == 0 || by_ref(&graph->nodes[kept - 1], &graph->nodes[i]) != 0)
            graph->nodes[kept++] = graph->nodes[i];
    graph->node_count = kept;
    for (size_t i = 0; i < graph->edge_count; i++) {
        struct edge *edge = &graph->edges[i];
        const struct ent_record_ref to = target(edge);

        edge->a = find_node(graph, &edge->from);
        edge->b = find_node(graph, &to);
    }
    return 0;
}

static size_t root_of(struct node *nodes, size_t at)
{
    while (nodes[at].root != at) {
        nodes[at].root = nodes[nodes[at].root].root;
        at = nodes[at].root;
    }
    return at;
}

static void unite(struct node *nodes, size_t a, size_t b)
{
    a = root_of(nodes, a);
    b = root_of(nodes, b);
    if (a < b)
        nodes[b].root = a;
    else
        nodes[a].root = b;
}

/* Groups from the edges that do not go out from node `without`. */
static void find_groups(struct graph *graph, size_t without)
{
    for (size_t i = 0; i < graph->node_count; i++)
        graph->nodes[i].root = i;
    for (size_t i = 0; i < graph->edge_count; i++) {
        const struct edge *edge = &graph->edges[i];

        if (edge->a != without && !edge->stray)
            unite(graph->nodes, edge->a, edge->b);
    }
    for (size_t i = 0; i < graph->node_count; i++)
        graph->nodes[i].root = root_of(graph->nodes, i);
}

/* ------------------------------------------------------------ what is there */

static int prepare_live(struct ent_db *db, const struct ent_kind *kind,
                        struct ent_stmt *stmt, struct ent_err *err)
{
    struct ent_buf sql = {0};
    const char *text;
    int rc;

    ent_buf_put_str(&sql, "SELECT 1 FROM main.");
    ent_table_quote(&sql, kind->table);
    ent_buf_put_str(&sql, " WHERE space = ?1 AND id = ?2");
    text = ent_buf_cstr(&sql);
    rc = text == NULL ? no_memory(err) : ent_stmt_prepare(db, text, stmt, err);
    ent_buf_fini(&sql);
    return rc;
}

static int step_once(struct ent_stmt *stmt, bool *row, struct ent_err *err)
{
    int rc = ent_stmt_step(stmt, err);

    *row = rc > 0;
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

/* A deleted record has no row, but what stands of it is in table `cell`. */
static int find_state(struct ent_db *db, struct ent_stmt *live,
                      struct node *node, struct ent_err *err)
{
    struct ent_stmt *cells = ent_db_stmt(db, ENT_SQL_CELL_OF_RECORD);
    bool found = false;
    int rc = 0;

    if (live->raw != NULL) {
        ent_stmt_bind_int(live, 1, node->ref.space);
        ent_stmt_bind_blob(live, 2, node->ref.id.b, ENT_ID_BYTES);
        rc = step_once(live, &found, err);
    }
    if (found)
        node->state = NODE_LIVE;
    if (rc < 0 || found)
        return rc;
    ent_stmt_bind_int(cells, 1, node->ref.space);
    ent_stmt_bind_int(cells, 2, node->ref.kind);
    ent_stmt_bind_blob(cells, 3, node->ref.id.b, ENT_ID_BYTES);
    rc = step_once(cells, &found, err);
    node->state = found ? NODE_DELETED : NODE_NOT_HERE;
    return rc;
}

/* Nodes come kind by kind. */
static int find_states(struct ent_db *db, const struct ent_kinds *kinds,
                       struct graph *graph, struct ent_err *err)
{
    struct ent_stmt live = {0};
    uint32_t number = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < graph->node_count; i++) {
        struct node *node = &graph->nodes[i];

        if (node->ref.kind != number) {
            const struct ent_kind *kind = ent_kind_find(kinds, node->ref.kind);

            ent_stmt_fini(&live);
            live = (struct ent_stmt){0};
            number = node->ref.kind;
            if (kind != NULL)
                rc = prepare_live(db, kind, &live, err);
        }
        if (rc == 0)
            rc = find_state(db, &live, node, err);
    }
    ent_stmt_fini(&live);
    return rc;
}

/* What was never here joins nobody, but may be on its way. */
static void mark_strays(struct graph *graph)
{
    for (size_t i = 0; i < graph->edge_count; i++) {
        struct edge *edge = &graph->edges[i];

        edge->stray = graph->nodes[edge->b].state == NODE_NOT_HERE;
    }
}

/* Of one kind and space, or of all (NULL). */
static int read_graph(struct ent_db *db, const struct ent_kinds *kinds,
                      const struct ent_record_ref *of, struct graph *graph,
                      struct ent_err *err)
{
    struct ent_stmt *stmt =
        ent_db_stmt(db, of == NULL ? ENT_SQL_SAME_ALL : ENT_SQL_SAME_OF_KIND);
    int rc;

    if (of != NULL) {
        ent_stmt_bind_int(stmt, 1, of->space);
        ent_stmt_bind_int(stmt, 2, of->kind);
    }
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        rc = take_row(graph, stmt, err);
        if (rc < 0)
            break;
    }
    ent_stmt_reset(stmt);
    if (rc == 0)
        rc = make_nodes(graph, err);
    if (rc == 0)
        rc = find_states(db, kinds, graph, err);
    if (rc == 0) {
        mark_strays(graph);
        find_groups(graph, NOBODY);
    }
    return rc;
}

/* ------------------------------------------------------------- who is shown */

/* Nodes are in the order of their ids, so the first that lives leads. */
static int list_groups(const struct graph *graph, struct ent_arena *arena,
                       struct ent_same **list, size_t *count,
                       struct ent_err *err)
{
    const size_t room = graph->node_count + 1;
    size_t *lead = calloc(room, sizeof(*lead)); /* of a root, counted from 1 */
    size_t *size = calloc(room, sizeof(*size));
    int rc = 0;

    *list = ENT_ARENA_NEW(arena, struct ent_same, room);
    if (lead == NULL || size == NULL || *list == NULL) {
        rc = no_memory(err);
        goto out;
    }
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = &graph->nodes[i];

        size[node->root]++;
        if (node->state == NODE_LIVE && lead[node->root] == 0)
            lead[node->root] = i + 1;
    }
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = &graph->nodes[i];

        if (lead[node->root] == 0 || size[node->root] == 1)
            continue;
        (*list)[(*count)++] = (struct ent_same){
            .ref = node->ref,
            .lead = graph->nodes[lead[node->root] - 1].ref.id,
            .live = node->state == NODE_LIVE,
        };
    }
out:
    free(lead);
    free(size);
    return rc;
}

int ent_same_read(struct ent_db *db, const struct ent_kinds *kinds,
                  struct ent_arena *arena, struct ent_same **list,
                  size_t *count, struct ent_err *err)
{
    struct graph graph = {0};
    int rc = read_graph(db, kinds, NULL, &graph, err);

    *list = NULL;
    *count = 0;
    if (rc == 0 && graph.edge_count > 0)
        rc = list_groups(&graph, arena, list, count, err);
    graph_fini(&graph);
    return rc;
}

int ent_same_list(struct ent_store *store, struct ent_arena *arena,
                  struct ent_same **list, size_t *count, struct ent_err *err)
{
    return ent_same_read(&store->db, store->kinds, arena, list, count, err);
}

static int list_group(const struct graph *graph, size_t root,
                      struct ent_arena *arena, struct ent_same **list,
                      size_t *count, struct ent_err *err)
{
    struct ent_id lead = {0};

    *list = ENT_ARENA_NEW(arena, struct ent_same, graph->node_count);
    if (*list == NULL)
        return no_memory(err);
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = &graph->nodes[i];

        if (node->root != root || node->state == NODE_NOT_HERE)
            continue;
        if (node->state == NODE_LIVE && ent_id_is_zero(&lead))
            lead = node->ref.id;
        (*list)[(*count)++] = (struct ent_same){
            .ref = node->ref, .live = node->state == NODE_LIVE};
    }
    for (size_t i = 0; i < *count; i++)
        (*list)[i].lead = lead;
    return 0;
}

int ent_same_group(struct ent_store *store, const struct ent_record_ref *ref,
                   struct ent_arena *arena, struct ent_same **list,
                   size_t *count, struct ent_err *err)
{
    struct graph graph = {0};
    int rc = read_graph(&store->db, store->kinds, ref, &graph, err);
    size_t at = rc < 0 ? NOBODY : find_node(&graph, ref);

    *list = NULL;
    *count = 0;
    if (at != NOBODY)
        rc = list_group(&graph, graph.nodes[at].root, arena, list, count, err);
    graph_fini(&graph);
    return rc;
}

static int by_same(const void *a, const void *b)
{
    const struct ent_same *x = a;
    const struct ent_same *y = b;

    return compare_refs(&x->ref, &y->ref);
}

const struct ent_same *ent_same_find(const struct ent_same *list, size_t count,
                                     const struct ent_record_ref *ref)
{
    const struct ent_same wanted = {.ref = *ref};

    return count == 0 ? NULL
                      : bsearch(&wanted, list, count, sizeof(*list), by_same);
}

/* -------------------------------------------------------------------- plans */

/* Whether a node has an edge that joins, or one that does not. */
static bool has_edge(const struct graph *graph, size_t node, bool stray)
{
    for (size_t i = 0; i < graph->edge_count; i++)
        if (graph->edges[i].a == node && graph->edges[i].stray == stray)
            return true;
    return false;
}

/* Whether the group holds together without what is written on one of its
 * nodes. Leaves groups as they were. */
static bool is_spare(struct graph *graph, size_t node)
{
    size_t root = graph->nodes[node].root;
    size_t inside = 0;
    size_t reached = 0;
    bool *member = calloc(graph->node_count, sizeof(*member));

    if (member == NULL)
        return false;
    for (size_t i = 0; i < graph->node_count; i++)
        member[i] = graph->nodes[i].root == root;
    find_groups(graph, node);
    for (size_t i = 0; i < graph->node_count; i++) {
        inside += member[i];
        reached += member[i] && graph->nodes[i].root == graph->nodes[node].root;
    }
    find_groups(graph, NOBODY);
    free(member);
    return inside == reached;
}

static bool may_change(struct ent_store *store,
                       const struct ent_record_ref *ref)
{
    return ent_record_may_change(store, ref->space, ref->kind, &ref->id);
}

/* What writing `same_as` of a record may cost. */
enum price {
    PRICE_NOTHING, /* nothing stands there */
    PRICE_SPARE,   /* it is on a circle of joins, and stays joined */
    PRICE_STRAY,   /* a join with what has not come yet, if it ever does */
};

static bool is_free(struct ent_store *store, struct graph *graph,
                    const struct ent_record_ref *ref, enum price price)
{
    size_t at = find_node(graph, ref);

    if (!may_change(store, ref))
        return false;
    if (at == NOBODY)
        return true;
    if (price < PRICE_STRAY && has_edge(graph, at, true))
        return false;
    return !has_edge(graph, at, false) ||
           (price >= PRICE_SPARE && is_spare(graph, at));
}

/* The cheapest record of `ref`'s group up to that price. A group always has one
 * that costs no join with what is here, unless it belongs to others. */
static bool find_free(struct ent_store *store, struct graph *graph,
                      const struct ent_record_ref *ref, enum price limit,
                      struct ent_record_ref *found)
{
    size_t at = find_node(graph, ref);

    for (int price = 0; at != NOBODY && price <= (int)limit; price++)
        for (size_t i = 0; i < graph->node_count; i++) {
            *found = graph->nodes[i].ref;
            if (graph->nodes[i].root == graph->nodes[at].root &&
                is_free(store, graph, found, (enum price)price))
                return true;
        }
    return false;
}

/* From which record to which: the two themselves if that can be, so that they
 * stay joined when others leave the group. */
static int choose_ends(struct ent_store *store, struct graph *graph,
                       const struct ent_record_ref *a,
                       const struct ent_record_ref *b,
                       struct ent_same_write *write, struct ent_err *err)
{
    const struct ent_record_ref *const from[] = {a, b};
    const struct ent_record_ref *const to[] = {b, a};
    struct ent_record_ref found;

    for (int price = 0; price <= PRICE_STRAY; price++) {
        for (size_t i = 0; i < ENT_ARRAY_LEN(from); i++) {
            *write =
                (struct ent_same_write){.id = from[i]->id, .to = to[i]->id};
            if (is_free(store, graph, from[i], (enum price)price))
                return 0;
        }
        for (size_t i = 0; price > 0 && i < ENT_ARRAY_LEN(from); i++)
            if (find_free(store, graph, from[i], (enum price)price, &found)) {
                *write =
                    (struct ent_same_write){.id = found.id, .to = to[i]->id};
                return 0;
            }
    }
    return ent_err_set(err, ENT_EDENIED,
                       ENT_N_("both records belong to other members, "
                              "who alone may change them"));
}

static bool is_joined(const struct graph *graph, const struct ent_record_ref *a,
                      const struct ent_record_ref *b)
{
    size_t x = find_node(graph, a);
    size_t y = find_node(graph, b);

    return x != NOBODY && y != NOBODY &&
           graph->nodes[x].root == graph->nodes[y].root;
}

int ent_same_plan_join(struct ent_store *store, const struct ent_record_ref *a,
                       const struct ent_record_ref *b, struct ent_arena *arena,
                       struct ent_same_write **writes, size_t *count,
                       struct ent_err *err)
{
    struct graph graph = {0};
    int rc;

    *count = 0;
    if (a->space != b->space || a->kind != b->kind)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("only records of one kind and one space can "
                                  "be merged"));
    if (ent_id_equal(&a->id, &b->id))
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("this is one and the same record"));
    rc = read_graph(&store->db, store->kinds, a, &graph, err);
    if (rc < 0 || is_joined(&graph, a, b))
        goto out;
    *writes = ENT_ARENA_NEW(arena, struct ent_same_write, 1);
    rc = *writes == NULL ? no_memory(err)
                         : choose_ends(store, &graph, a, b, *writes, err);
    *count = rc == 0;
out:
    graph_fini(&graph);
    return rc;
}

/* The record that those who stay are joined with, where they would fall
 * apart: the first of the group that is not the one that goes. */
static size_t anchor_of(const struct graph *graph, size_t gone,
                        const bool *member)
{
    for (size_t i = 0; i < graph->node_count; i++)
        if (member[i] && i != gone)
            return i;
    return NOBODY;
}

static void put_plan(struct ent_same_write *writes, size_t *count,
                     const struct ent_id *id, const struct ent_id *to)
{
    for (size_t i = 0; i < *count; i++)
        if (ent_id_equal(&writes[i].id, id)) {
            writes[i].to = *to;
            return;
        }
    writes[(*count)++] = (struct ent_same_write){.id = *id, .to = *to};
}

/* What names the record that goes is emptied, and so is what stands on it. */
static void empty_edges(struct graph *graph, size_t gone,
                        struct ent_same_write *writes, size_t *count)
{
    static const struct ent_id nobody;

    for (size_t i = 0; i < graph->edge_count; i++) {
        const struct edge *edge = &graph->edges[i];

        if (edge->a == gone || edge->b == gone)
            put_plan(writes, count, &edge->from.id, &nobody);
    }
}

/* A write empties or replaces all that stands on a record, so the edges of
 * such a record count no more. */
static void drop_edges(struct graph *graph, const struct ent_same_write *writes,
                       size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < graph->edge_count; i++) {
        bool dropped = false;

        for (size_t j = 0; j < count; j++)
            dropped = dropped ||
                      ent_id_equal(&graph->edges[i].from.id, &writes[j].id);
        if (!dropped)
            graph->edges[kept++] = graph->edges[i];
    }
    graph->edge_count = kept;
    find_groups(graph, NOBODY);
}

/* Those who stay and are not joined with the anchor any more are, each piece
 * by a record of it that is free. */
static int join_pieces(struct ent_store *store, struct graph *graph,
                       size_t gone, const bool *member,
                       struct ent_same_write *writes, size_t *count,
                       struct ent_err *err)
{
    size_t anchor = anchor_of(graph, gone, member);

    for (size_t i = 0; anchor != NOBODY && i < graph->node_count; i++) {
        struct ent_record_ref free_one;

        if (!member[i] || i == gone ||
            graph->nodes[i].root == graph->nodes[anchor].root)
            continue;
        if (!find_free(store, graph, &graph->nodes[i].ref, PRICE_STRAY,
                       &free_one))
            return ent_err_set(err, ENT_EDENIED,
                               ENT_N_("the others belong to other members, who "
                                      "alone may change them"));
        put_plan(writes, count, &free_one.id, &graph->nodes[anchor].ref.id);
        unite(graph->nodes, i, anchor);
        for (size_t j = 0; j < graph->node_count; j++)
            graph->nodes[j].root = root_of(graph->nodes, j);
    }
    return 0;
}

int ent_same_plan_part(struct ent_store *store,
                       const struct ent_record_ref *ref,
                       struct ent_arena *arena, struct ent_same_write **writes,
                       size_t *count, struct ent_err *err)
{
    struct graph graph = {0};
    bool *member = NULL;
    size_t gone;
    int rc = read_graph(&store->db, store->kinds, ref, &graph, err);

    *count = 0;
    gone = rc < 0 ? NOBODY : find_node(&graph, ref);
    if (gone == NOBODY)
        goto out;
    *writes = ENT_ARENA_NEW(arena, struct ent_same_write, graph.node_count);
    member = calloc(graph.node_count, sizeof(*member));
    if (*writes == NULL || member == NULL) {
        rc = no_memory(err);
        goto out;
    }
    for (size_t i = 0; i < graph.node_count; i++)
        member[i] = graph.nodes[i].root == graph.nodes[gone].root;
    empty_edges(&graph, gone, *writes, count);
    drop_edges(&graph, *writes, *count);
    rc = join_pieces(store, &graph, gone, member, *writes, count, err);
out:
    free(member);
    graph_fini(&graph);
    return rc;
}
