/* roster_gate.c - entries of the roster taken one by one: what can never be
 * valid is told from what may be (A2). */
#include <string.h>

#include "base/err.h"
#include "model/roster_tree.h"

struct ent_roster_gate {
    struct tree tree;
    size_t cap;              /* of tree.by_hash */
    const struct node *head; /* of the chain; NULL: nothing is held */
};

int ent_roster_gate_open(const struct ent_roster *roster,
                         const struct ent_roster_entry *entries, size_t count,
                         struct ent_arena *arena, struct ent_roster_gate **gate)
{
    struct ent_roster_gate *made =
        ENT_ARENA_NEW(arena, struct ent_roster_gate, 1);
    int rc;

    if (made == NULL)
        return ENT_ENOMEM;
    *made = (struct ent_roster_gate){.tree.arena = arena};
    rc = ent_roster_tree_grow(&made->tree, entries, count);
    if (rc < 0)
        return rc;
    made->cap = count + 1;
    if (roster->length > 0)
        made->head = ent_roster_tree_find(
            &made->tree, &roster->chain[roster->length - 1]->hash);
    *gate = made;
    return 0;
}

static struct node stand(struct ent_roster_gate *gate,
                         const struct ent_roster_entry *entry)
{
    struct node node = {.entry = entry};

    if (entry->pos > 1)
        node.parent = ent_roster_tree_find(&gate->tree, &entry->prev);
    ent_roster_tree_govern(&gate->tree, &node);
    return node;
}

/* After the head, or the opener of a higher term. */
static bool is_next(const struct ent_roster_gate *gate, const struct node *node)
{
    if (gate->head == NULL)
        return true;
    if (node->entry->kind == ENT_ROSTER_SUCCEED)
        return node->entry->term > gate->head->entry->term;
    return node->parent == gate->head;
}

enum ent_passage ent_roster_gate_look(struct ent_roster_gate *gate,
                                      const struct ent_roster_entry *entry)
{
    struct node node;

    if (ent_roster_tree_find(&gate->tree, &entry->hash) != NULL)
        return ENT_PASSAGE_HELD;
    node = stand(gate, entry);
    if (node.valid)
        return is_next(gate, &node) ? ENT_PASSAGE_CHAIN : ENT_PASSAGE_VOID;
    return entry->pos > 1 && node.parent == NULL ? ENT_PASSAGE_WAITS
                                                 : ENT_PASSAGE_NONE;
}

/* Room for one more; the old list stays in the arena. */
static int make_room(struct ent_roster_gate *gate)
{
    struct tree *tree = &gate->tree;
    struct node **more;

    if (tree->count < gate->cap)
        return 0;
    more = ent_arena_array(tree->arena, 2 * gate->cap, sizeof(*more));
    if (more == NULL)
        return ENT_ENOMEM;
    memcpy(more, tree->by_hash, tree->count * sizeof(*more));
    tree->by_hash = more;
    gate->cap *= 2;
    return 0;
}

int ent_roster_gate_pass(struct ent_roster_gate *gate,
                         const struct ent_roster_entry *entry)
{
    struct tree *tree = &gate->tree;
    struct node *node = ENT_ARENA_NEW(tree->arena, struct node, 1);
    size_t at = tree->count;

    if (node == NULL || make_room(gate) < 0)
        return ENT_ENOMEM;
    *node = stand(gate, entry);
    for (; at > 0 && memcmp(tree->by_hash[at - 1]->entry->hash.b, entry->hash.b,
                            ENT_HASH_BYTES) > 0;
         at--)
        tree->by_hash[at] = tree->by_hash[at - 1];
    tree->by_hash[at] = node;
    tree->count++;
    if (node->valid && is_next(gate, node))
        gate->head = node;
    return tree->arena->rc;
}
