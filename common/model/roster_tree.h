/* roster_tree.h - all roster entries held, by what they follow. Nothing outside
 * roster.c and roster_void.c includes this. */
#ifndef ENT_MODEL_ROSTER_TREE_H
#define ENT_MODEL_ROSTER_TREE_H

#include "model/roster.h"

/* An entry, and who governs after it. */
struct node {
    const struct ent_roster_entry *entry;
    struct node *parent; /* NULL: the first, or its parent is not held */
    bool valid;
    bool chosen;                 /* on the chain */
    bool handed_over;            /* SUCCEED: by the chair, not by deputies */
    const struct ent_key *chair; /* after it */
    const struct ent_key *deputies;
    size_t deputy_count;
};

struct tree {
    struct ent_arena *arena;
    struct node *nodes; /* by position, then by hash */
    struct node **by_hash;
    size_t count;
};

/* The node of an entry that is held, and who governs after an entry whose
 * parent is done (roster.c). */
struct node *ent_roster_tree_find(const struct tree *tree,
                                  const struct ent_hash *hash);
void ent_roster_tree_govern(struct tree *tree, struct node *node);
/* All entries held. ENT_ENOMEM. */
ENT_NODISCARD int ent_roster_tree_grow(struct tree *tree,
                                       const struct ent_roster_entry *entries,
                                       size_t count);

/* What is off the chain, and who is proven to have written or voted twice
 * (roster_void.c); after the chain was laid. ENT_ENOMEM. */
ENT_NODISCARD int ent_roster_tree_rest(const struct tree *tree,
                                       struct ent_roster *roster);

static inline bool holds_key(const struct ent_key *keys, size_t count,
                             const struct ent_key *key)
{
    for (size_t i = 0; i < count; i++)
        if (ent_key_equal(&keys[i], key))
            return true;
    return false;
}

#endif
