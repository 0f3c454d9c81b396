/* roster_void.c - the roster entries that are off the chain, and what proves
 * that somebody wrote or voted twice (A2). */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "model/roster_tree.h"

/* A list of keys, each once; there is room for them. */
static void keep_key(struct ent_key *keys, size_t *count,
                     const struct ent_key *key)
{
    if (!holds_key(keys, *count, key))
        keys[(*count)++] = *key;
}

/* -------------------------------------------------------------------- proofs
 */

static int prev_cmp(const void *a, const void *b)
{
    const struct node *x = *(struct node *const *)a;
    const struct node *y = *(struct node *const *)b;
    int cmp = memcmp(x->entry->prev.b, y->entry->prev.b, ENT_HASH_BYTES);

    return cmp != 0
               ? cmp
               : memcmp(x->entry->author.b, y->entry->author.b, ENT_KEY_BYTES);
}

/* Who wrote two entries after the same one. */
static int find_forkers(const struct tree *tree, struct ent_roster *roster)
{
    struct node **sorted =
        ent_arena_array(tree->arena, tree->count + 1, sizeof(struct node *));

    roster->forkers =
        ENT_ARENA_NEW(tree->arena, struct ent_key, tree->count + 1);
    if (sorted == NULL || roster->forkers == NULL)
        return ENT_ENOMEM;
    memcpy(sorted, tree->by_hash, tree->count * sizeof(*sorted));
    if (tree->count > 1)
        qsort(sorted, tree->count, sizeof(*sorted), prev_cmp);
    for (size_t i = 1; i < tree->count; i++)
        if (prev_cmp(&sorted[i - 1], &sorted[i]) == 0)
            keep_key(roster->forkers, &roster->forker_count,
                     &sorted[i]->entry->author);
    return 0;
}

static bool opens_same_term(const struct node *a, const struct node *b)
{
    if (!a->valid || !b->valid || a->entry->kind != ENT_ROSTER_SUCCEED ||
        b->entry->kind != ENT_ROSTER_SUCCEED ||
        a->entry->term != b->entry->term)
        return false;
    /* One vote, used twice by whom it was for: the fork of that one. */
    return !ent_key_equal(&a->entry->author, &b->entry->author) ||
           !ent_hash_equal(&a->entry->prev, &b->entry->prev);
}

static int find_double_voters(const struct tree *tree,
                              struct ent_roster *roster)
{
    size_t votes = 0;

    for (size_t i = 0; i < tree->count; i++)
        votes += tree->nodes[i].entry->vote_count;
    roster->double_voters =
        ENT_ARENA_NEW(tree->arena, struct ent_key, votes + 1);
    if (roster->double_voters == NULL)
        return ENT_ENOMEM;
    for (size_t i = 0; i < tree->count; i++) {
        const struct ent_roster_entry *a = tree->nodes[i].entry;

        for (size_t j = i + 1; a->vote_count > 0 && j < tree->count; j++) {
            const struct ent_roster_entry *b = tree->nodes[j].entry;

            if (!opens_same_term(&tree->nodes[i], &tree->nodes[j]))
                continue;
            for (size_t k = 0; k < a->vote_count; k++)
                for (size_t l = 0; l < b->vote_count; l++)
                    if (ent_key_equal(&a->votes[k].key, &b->votes[l].key))
                        keep_key(roster->double_voters,
                                 &roster->double_voter_count, &a->votes[k].key);
        }
    }
    return 0;
}

/* -------------------------------------------------------------- what is void
 */

static bool is_about_member(const struct ent_roster_entry *entry)
{
    return entry->kind >= ENT_ROSTER_ADMIT && entry->kind <= ENT_ROSTER_REPLACE;
}

static bool is_same_matter(const struct ent_roster_entry *a,
                           const struct ent_roster_entry *b)
{
    if (is_about_member(a))
        return is_about_member(b) && ent_key_equal(&a->member, &b->member);
    if (a->kind == ENT_ROSTER_OWN_FIELD)
        return b->kind == a->kind && a->own.kind == b->own.kind &&
               a->own.field.number == b->own.field.number;
    if (a->kind == ENT_ROSTER_ERASE)
        return b->kind == a->kind && a->erased_kind == b->erased_kind &&
               ent_id_equal(&a->erased_id, &b->erased_id);
    return a->kind == b->kind;
}

/* Whether the chain says something of the same matter after the ways parted. */
static bool is_answered(const struct ent_roster *roster,
                        const struct ent_roster_entry *off, uint64_t parted)
{
    for (size_t i = (size_t)parted; i < roster->length; i++)
        if (is_same_matter(off, roster->chain[i]))
            return true;
    return false;
}

static bool is_to_repeat(const struct ent_roster_entry *entry)
{
    return is_about_member(entry) || entry->kind == ENT_ROSTER_DEPUTIES ||
           (entry->kind == ENT_ROSTER_OWN_FIELD &&
            entry->own.field.number != 0) ||
           (entry->kind == ENT_ROSTER_ERASE && entry->erased_kind != 0);
}

static uint64_t parting(const struct node *node)
{
    while (node != NULL && !node->chosen)
        node = node->parent;
    return node == NULL ? 0 : node->entry->pos;
}

/* Only what a chair wrote is to be repeated, or suspends somebody: a member
 * cannot suspend another. */
static int list_void(const struct tree *tree, struct ent_roster *roster)
{
    roster->off =
        ENT_ARENA_NEW(tree->arena, struct ent_roster_void, tree->count + 1);
    roster->suspended =
        ENT_ARENA_NEW(tree->arena, struct ent_key, tree->count + 1);
    if (roster->off == NULL || roster->suspended == NULL)
        return ENT_ENOMEM;
    for (size_t i = 0; i < tree->count; i++) {
        const struct node *node = &tree->nodes[i];
        struct ent_roster_void *off = &roster->off[roster->void_count];

        if (node->chosen)
            continue;
        *off = (struct ent_roster_void){.entry = node->entry,
                                        .parted = parting(node)};
        roster->void_count++;
        off->repeat = node->valid && is_to_repeat(node->entry) &&
                      !is_answered(roster, node->entry, off->parted);
        if (off->repeat && node->entry->kind == ENT_ROSTER_REMOVE)
            keep_key(roster->suspended, &roster->suspended_count,
                     &node->entry->member);
    }
    return 0;
}

int ent_roster_tree_rest(const struct tree *tree, struct ent_roster *roster)
{
    int rc = find_forkers(tree, roster);

    if (rc == 0)
        rc = find_double_voters(tree, roster);
    return rc == 0 ? list_void(tree, roster) : rc;
}
