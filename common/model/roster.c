/* roster.c - see roster.h. Every entry held is looked at once, parents before
 * children, and is valid or not by the chair and the deputies after its
 * parent; then the chain is chosen among the valid ones and read from its
 * beginning. */
#include "model/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "model/roster_tree.h"

#define SUCCESSION_VOTES_MIN 2 /* and more than half of the deputies (A2) */

static const char *const role_names[] = {
    [ENT_ROLE_NONE] = "none",
    [ENT_ROLE_READER] = "reader",
    [ENT_ROLE_EDITOR] = "editor",
    [ENT_ROLE_CHAIR] = "chair",
};

const char *ent_role_name(enum ent_role role)
{
    return role_names[role];
}

bool ent_role_parse(const char *text, enum ent_role *role)
{
    for (size_t i = ENT_ROLE_READER; i < ENT_ARRAY_LEN(role_names); i++) {
        if (strcmp(text, role_names[i]) == 0) {
            *role = (enum ent_role)i;
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ the tree
 */

static int node_cmp(const void *a, const void *b)
{
    const struct node *x = a;
    const struct node *y = b;

    if (x->entry->pos != y->entry->pos)
        return x->entry->pos < y->entry->pos ? -1 : 1;
    return memcmp(x->entry->hash.b, y->entry->hash.b, ENT_HASH_BYTES);
}

static int hash_cmp(const void *a, const void *b)
{
    const struct node *x = *(struct node *const *)a;
    const struct node *y = *(struct node *const *)b;

    return memcmp(x->entry->hash.b, y->entry->hash.b, ENT_HASH_BYTES);
}

struct node *ent_roster_tree_find(const struct tree *tree,
                                  const struct ent_hash *hash)
{
    size_t low = 0;
    size_t high = tree->count;

    while (low < high) {
        size_t mid = (low + high) / 2;
        int cmp =
            memcmp(tree->by_hash[mid]->entry->hash.b, hash->b, ENT_HASH_BYTES);

        if (cmp == 0)
            return tree->by_hash[mid];
        if (cmp < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* Whether a key is a member after `node`, and no reader's question: any role.
 * Only what is about the key counts, newest first. */
static bool is_member(const struct node *node, const struct ent_key *key)
{
    for (; node != NULL; node = node->parent) {
        const struct ent_roster_entry *entry = node->entry;
        bool about = ent_key_equal(&entry->member, key);

        if (ent_key_equal(node->chair, key))
            return true;
        if (entry->kind == ENT_ROSTER_ADMIT && about)
            return true;
        if ((entry->kind == ENT_ROSTER_REMOVE ||
             entry->kind == ENT_ROSTER_REPLACE) &&
            about)
            return false;
        if (entry->kind == ENT_ROSTER_REPLACE &&
            ent_key_equal(&entry->next, key))
            return is_member(node->parent, &entry->member);
    }
    return false;
}

/* The deputies who are members, or all but one of them. */
static void keep_deputies(struct tree *tree, struct node *node,
                          const struct ent_key *from, size_t count,
                          const struct ent_key *without)
{
    struct ent_key *kept =
        ENT_ARENA_NEW(tree->arena, struct ent_key, count + 1);

    node->deputy_count = 0;
    node->deputies = kept;
    if (kept == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        if (without != NULL ? !ent_key_equal(&from[i], without)
                            : is_member(node->parent, &from[i]))
            kept[node->deputy_count++] = from[i];
}

/* Votes of deputies that the succession holds. */
static size_t votes_of(const struct ent_roster_entry *entry,
                       const struct ent_key *keys, size_t count)
{
    size_t votes = 0;

    for (size_t i = 0; i < entry->vote_count; i++)
        votes += holds_key(keys, count, &entry->votes[i].key);
    return votes;
}

static void succeed(struct node *node)
{
    const struct ent_roster_entry *entry = node->entry;
    const struct node *parent = node->parent;
    size_t votes = votes_of(entry, parent->deputies, parent->deputy_count);

    if (entry->term != parent->entry->term + 1)
        return;
    if (votes >= SUCCESSION_VOTES_MIN && 2 * votes > parent->deputy_count)
        node->valid = true;
    else if (votes_of(entry, parent->chair, 1) == 1)
        node->valid = node->handed_over = true;
    if (node->valid)
        node->chair = &entry->author;
}

/* Valid or not, and who governs after it; its parent is done. */
void ent_roster_tree_govern(struct tree *tree, struct node *node)
{
    const struct ent_roster_entry *entry = node->entry;
    const struct node *parent = node->parent;

    if (entry->kind == ENT_ROSTER_FOUND) {
        node->valid = entry->pos == 1;
        node->chair = &entry->author;
        return;
    }
    if (parent == NULL || !parent->valid ||
        entry->pos != parent->entry->pos + 1)
        return;
    node->chair = parent->chair;
    node->deputies = parent->deputies;
    node->deputy_count = parent->deputy_count;
    if (entry->kind == ENT_ROSTER_SUCCEED) {
        succeed(node);
        return;
    }
    node->valid = entry->term == parent->entry->term &&
                  ent_key_equal(&entry->author, parent->chair);
    if (!node->valid)
        return;
    if (entry->kind == ENT_ROSTER_DEPUTIES)
        keep_deputies(tree, node, entry->keys, entry->key_count, NULL);
    else if ((entry->kind == ENT_ROSTER_REMOVE ||
              entry->kind == ENT_ROSTER_REPLACE) &&
             holds_key(node->deputies, node->deputy_count, &entry->member))
        keep_deputies(tree, node, parent->deputies, parent->deputy_count,
                      &entry->member);
}

int ent_roster_tree_grow(struct tree *tree,
                         const struct ent_roster_entry *entries, size_t count)
{
    tree->nodes = ENT_ARENA_NEW(tree->arena, struct node, count + 1);
    tree->by_hash =
        ent_arena_array(tree->arena, count + 1, sizeof(*tree->by_hash));
    tree->count = count;
    if (tree->nodes == NULL || tree->by_hash == NULL)
        return ENT_ENOMEM;
    for (size_t i = 0; i < count; i++)
        tree->nodes[i] = (struct node){.entry = &entries[i]};
    if (count > 1)
        qsort(tree->nodes, count, sizeof(*tree->nodes), node_cmp);
    for (size_t i = 0; i < count; i++)
        tree->by_hash[i] = &tree->nodes[i];
    if (count > 1)
        qsort(tree->by_hash, count, sizeof(*tree->by_hash), hash_cmp);
    for (size_t i = 0; i < count; i++) {
        if (entries != NULL && tree->nodes[i].entry->pos > 1)
            tree->nodes[i].parent =
                ent_roster_tree_find(tree, &tree->nodes[i].entry->prev);
        ent_roster_tree_govern(tree, &tree->nodes[i]);
    }
    return tree->arena->rc;
}

/* ----------------------------------------------------------------- the chain
 */

/* Whether opener `a` beats `b`: the higher term; in one term deputies beat the
 * chair, then the lower hash (A2). */
static bool beats(const struct node *a, const struct node *b)
{
    if (a->entry->term != b->entry->term)
        return a->entry->term > b->entry->term;
    if (a->handed_over != b->handed_over)
        return b->handed_over;
    return memcmp(a->entry->hash.b, b->entry->hash.b, ENT_HASH_BYTES) < 0;
}

static struct node *choose_opener(const struct tree *tree)
{
    struct node *best = NULL;

    for (size_t i = 0; i < tree->count; i++) {
        struct node *node = &tree->nodes[i];

        if (node->valid &&
            (node->entry->kind == ENT_ROSTER_FOUND ||
             node->entry->kind == ENT_ROSTER_SUCCEED) &&
            (best == NULL || beats(node, best)))
            best = node;
    }
    return best;
}

/* Nodes of a position stand together, the lower hash first: the first valid
 * child of the head goes on. */
static struct node *last_of_term(const struct tree *tree, struct node *opener)
{
    struct node *head = opener;

    for (size_t i = 0; i < tree->count; i++)
        if (tree->nodes[i].parent == head && tree->nodes[i].valid &&
            tree->nodes[i].entry->kind != ENT_ROSTER_SUCCEED &&
            tree->nodes[i].entry->pos == head->entry->pos + 1)
            head = &tree->nodes[i];
    return head;
}

static void lay_chain(struct node *head, struct ent_roster *roster)
{
    roster->length = (size_t)head->entry->pos;
    roster->term = head->entry->term;
    for (; head != NULL; head = head->parent) {
        head->chosen = true;
        roster->chain[head->entry->pos - 1] = head->entry;
    }
}

/* ---------------------------------------------------------------- the people
 */

static int person_cmp(const void *a, const void *b)
{
    return memcmp(((const struct ent_roster_person *)a)->key.b,
                  ((const struct ent_roster_person *)b)->key.b, ENT_KEY_BYTES);
}

const struct ent_roster_person *
ent_roster_person(const struct ent_roster *roster, const struct ent_key *key)
{
    const struct ent_roster_person wanted = {.key = *key};

    if (roster->person_count == 0)
        return NULL;
    return bsearch(&wanted, roster->people, roster->person_count,
                   sizeof(wanted), person_cmp);
}

static struct ent_roster_person *person(struct ent_roster *roster,
                                        const struct ent_key *key)
{
    const struct ent_roster_person *found = ent_roster_person(roster, key);

    ENT_ASSERT(found != NULL);
    return &roster->people[found - roster->people];
}

/* Everybody the chain names, once. */
static int gather(struct ent_roster *roster, struct ent_arena *arena)
{
    size_t count = 0;

    roster->people =
        ENT_ARENA_NEW(arena, struct ent_roster_person, 2 * roster->length + 1);
    if (roster->people == NULL)
        return ENT_ENOMEM;
    for (size_t i = 0; i < roster->length; i++) {
        const struct ent_roster_entry *entry = roster->chain[i];

        if (entry->kind == ENT_ROSTER_FOUND ||
            entry->kind == ENT_ROSTER_SUCCEED)
            roster->people[count++].key = entry->author;
        else if (entry->kind >= ENT_ROSTER_ADMIT &&
                 entry->kind <= ENT_ROSTER_REPLACE)
            roster->people[count++].key = entry->member;
        if (entry->kind == ENT_ROSTER_REPLACE)
            roster->people[count++].key = entry->next;
    }
    qsort(roster->people, count, sizeof(*roster->people), person_cmp);
    for (size_t i = 0; i < count; i++)
        if (roster->person_count == 0 ||
            !ent_key_equal(&roster->people[roster->person_count - 1].key,
                           &roster->people[i].key))
            roster->people[roster->person_count++] = roster->people[i];
    return 0;
}

static enum ent_role role_of(const struct ent_roster_person *who)
{
    return who->steps == NULL ? ENT_ROLE_NONE : who->steps->role;
}

static void set_role(struct ent_roster_person *who, uint64_t pos,
                     enum ent_role role, struct ent_arena *arena)
{
    struct ent_roster_step *step =
        ENT_ARENA_NEW(arena, struct ent_roster_step, 1);

    if (step == NULL)
        return;
    *step = (struct ent_roster_step){
        .pos = pos, .role = role, .before = who->steps};
    who->steps = step;
}

static void mention(const struct ent_roster_mention **list,
                    const struct ent_roster_entry *entry,
                    struct ent_arena *arena)
{
    struct ent_roster_mention *made =
        ENT_ARENA_NEW(arena, struct ent_roster_mention, 1);

    if (made == NULL)
        return;
    *made = (struct ent_roster_mention){.entry = entry, .before = *list};
    *list = made;
}

static void take_replace(struct ent_roster *roster,
                         const struct ent_roster_entry *entry,
                         struct ent_roster_person *old, struct ent_arena *arena)
{
    struct ent_roster_person *next = person(roster, &entry->next);

    /* Whoever had a role before cannot be the new one, so that no line of keys
     * comes back to where it began. */
    if (next->steps != NULL || old->became != NULL)
        return;
    set_role(next, entry->pos, role_of(old), arena);
    next->org = old->org;
    next->since = entry->pos;
    next->was = old;
    old->became = next;
    mention(&old->cuts, entry, arena);
    set_role(old, entry->pos, ENT_ROLE_NONE, arena);
}

/* What an entry of the chain does about a member who is not the chair. */
static void take_about(struct ent_roster *roster,
                       const struct ent_roster_entry *entry,
                       struct ent_roster_person *who, struct ent_arena *arena)
{
    bool is_in = role_of(who) != ENT_ROLE_NONE;

    switch (entry->kind) {
    case ENT_ROSTER_ADMIT:
        if (!is_in)
            who->since = entry->pos;
        who->org = entry->org;
        set_role(who, entry->pos, entry->role, arena);
        break;
    case ENT_ROSTER_ROLE:
        if (!is_in)
            break;
        if (entry->role == ENT_ROLE_READER)
            mention(&who->cuts, entry, arena);
        set_role(who, entry->pos, entry->role, arena);
        break;
    case ENT_ROSTER_REMOVE:
        if (!is_in)
            break;
        mention(&who->cuts, entry, arena);
        set_role(who, entry->pos, ENT_ROLE_NONE, arena);
        break;
    case ENT_ROSTER_READMIT:
        mention(&who->readmits, entry, arena);
        break;
    case ENT_ROSTER_REPLACE:
        if (is_in)
            take_replace(roster, entry, who, arena);
        break;
    default:
        break;
    }
}

/* The last definition of a number counts. A number has one type for ever, as
 * what stands in it has: another is without effect. */
static void take_own_field(struct ent_roster *roster,
                           const struct ent_own_field *own)
{
    for (size_t i = 0; i < roster->own_count; i++) {
        const struct ent_own_field **old = &roster->own[i];

        if ((*old)->kind != own->kind ||
            (*old)->field.number != own->field.number)
            continue;
        if ((*old)->field.type == own->field.type &&
            (*old)->field.rule == own->field.rule)
            *old = own;
        return;
    }
    if (roster->own_count < ENT_OWN_FIELDS_MAX)
        roster->own[roster->own_count++] = own;
}

static int erasure_cmp(const void *a, const void *b)
{
    const struct ent_roster_entry *x =
        *(const struct ent_roster_entry *const *)a;
    const struct ent_roster_entry *y =
        *(const struct ent_roster_entry *const *)b;
    int cmp;

    if (x->erased_kind != y->erased_kind)
        return x->erased_kind < y->erased_kind ? -1 : 1;
    cmp = ent_id_cmp(&x->erased_id, &y->erased_id);
    if (cmp != 0 || x->pos == y->pos)
        return cmp;
    return x->pos < y->pos ? -1 : 1;
}

/* Who was erased: of several entries about one record the first counts. */
static void list_erasures(struct ent_roster *roster, struct ent_arena *arena)
{
    size_t count = 0;

    for (size_t i = 0; i < roster->length; i++)
        count += roster->chain[i]->kind == ENT_ROSTER_ERASE &&
                 roster->chain[i]->erased_kind != 0;
    if (count == 0)
        return;
    roster->erased = ent_arena_array(arena, count, sizeof(*roster->erased));
    if (roster->erased == NULL)
        return;
    count = 0;
    for (size_t i = 0; i < roster->length; i++)
        if (roster->chain[i]->kind == ENT_ROSTER_ERASE &&
            roster->chain[i]->erased_kind != 0)
            roster->erased[count++] = roster->chain[i];
    qsort(roster->erased, count, sizeof(*roster->erased), erasure_cmp);
    for (size_t i = 0; i < count; i++) {
        const struct ent_roster_entry *entry = roster->erased[i];

        if (roster->erased_count == 0 ||
            ent_roster_erasure(roster, entry->erased_kind, &entry->erased_id) ==
                NULL)
            roster->erased[roster->erased_count++] = entry;
    }
}

const struct ent_roster_entry *
ent_roster_erasure(const struct ent_roster *roster, uint32_t kind,
                   const struct ent_id *id)
{
    size_t low = 0;
    size_t high = roster->erased_count;

    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct ent_roster_entry *entry = roster->erased[mid];

        if (entry->erased_kind < kind ||
            (entry->erased_kind == kind &&
             ent_id_cmp(&entry->erased_id, id) < 0))
            low = mid + 1;
        else
            high = mid;
    }
    return low < roster->erased_count &&
                   roster->erased[low]->erased_kind == kind &&
                   ent_id_equal(&roster->erased[low]->erased_id, id)
               ? roster->erased[low]
               : NULL;
}

static void read_chain(struct ent_roster *roster, struct ent_arena *arena)
{
    const struct ent_key *chair = &roster->chain[0]->author;
    struct ent_roster_person *founder = person(roster, chair);

    roster->own =
        ent_arena_array(arena, ENT_OWN_FIELDS_MAX, sizeof(*roster->own));
    if (roster->own == NULL)
        return;
    founder->org = roster->chain[0]->org;
    founder->since = 1;
    set_role(founder, 1, ENT_ROLE_CHAIR, arena);
    for (size_t i = 1; i < roster->length; i++) {
        const struct ent_roster_entry *entry = roster->chain[i];

        if (entry->kind == ENT_ROSTER_SUCCEED) {
            struct ent_roster_person *next = person(roster, &entry->author);

            set_role(person(roster, chair), entry->pos, ENT_ROLE_EDITOR, arena);
            if (role_of(next) == ENT_ROLE_NONE)
                next->since = entry->pos;
            chair = &entry->author;
            set_role(next, entry->pos, ENT_ROLE_CHAIR, arena);
        } else if (entry->kind == ENT_ROSTER_MIN_VERSION) {
            roster->version = entry->version;
        } else if (entry->kind == ENT_ROSTER_OWN_FIELD) {
            if (entry->own.field.number != 0)
                take_own_field(roster, &entry->own);
        } else if (entry->kind >= ENT_ROSTER_ADMIT &&
                   entry->kind <= ENT_ROSTER_REPLACE &&
                   !ent_key_equal(&entry->member, chair)) {
            take_about(roster, entry, person(roster, &entry->member), arena);
        }
    }
}

static int member_cmp(const void *a, const void *b)
{
    const struct ent_roster_member *x = a;
    const struct ent_roster_member *y = b;
    bool x_chairs = x->role == ENT_ROLE_CHAIR;

    if (x_chairs != (y->role == ENT_ROLE_CHAIR))
        return x_chairs ? -1 : 1;
    if (x->since != y->since)
        return x->since < y->since ? -1 : 1;
    return memcmp(x->key.b, y->key.b, ENT_KEY_BYTES);
}

static int list_members(struct ent_roster *roster, const struct node *head,
                        struct ent_arena *arena)
{
    roster->members = ENT_ARENA_NEW(arena, struct ent_roster_member,
                                    roster->person_count + 1);
    if (roster->members == NULL)
        return ENT_ENOMEM;
    for (size_t i = 0; i < roster->person_count; i++) {
        const struct ent_roster_person *who = &roster->people[i];

        if (role_of(who) == ENT_ROLE_NONE)
            continue;
        roster->members[roster->member_count++] = (struct ent_roster_member){
            .key = who->key,
            .role = role_of(who),
            .org = who->org,
            .since = who->since,
            .deputy = holds_key(head->deputies, head->deputy_count, &who->key)};
    }
    qsort(roster->members, roster->member_count, sizeof(*roster->members),
          member_cmp);
    return 0;
}

int ent_roster_build(const struct ent_roster_entry *entries, size_t count,
                     struct ent_arena *arena, struct ent_roster *roster)
{
    struct tree tree = {.arena = arena};
    struct node *opener;
    struct node *head;
    int rc;

    memset(roster, 0, sizeof(*roster));
    roster->chain = ent_arena_array(arena, count + 1, sizeof(*roster->chain));
    if (roster->chain == NULL)
        return ENT_ENOMEM;
    rc = ent_roster_tree_grow(&tree, entries, count);
    if (rc < 0)
        return rc;
    opener = choose_opener(&tree);
    if (opener != NULL) {
        head = last_of_term(&tree, opener);
        lay_chain(head, roster);
        rc = gather(roster, arena);
        if (rc == 0) {
            read_chain(roster, arena);
            list_erasures(roster, arena);
            rc = list_members(roster, head, arena);
        }
    }
    if (rc == 0)
        rc = ent_roster_tree_rest(&tree, roster);
    return rc < 0 ? rc : arena->rc;
}

/* ------------------------------------------------------------------ questions
 */

enum ent_role ent_roster_role(const struct ent_roster *roster, uint64_t pos,
                              const struct ent_key *key)
{
    const struct ent_roster_person *who = ent_roster_person(roster, key);
    const struct ent_roster_step *step = who == NULL ? NULL : who->steps;

    while (step != NULL && step->pos > pos)
        step = step->before;
    return step == NULL ? ENT_ROLE_NONE : step->role;
}

const struct ent_key *ent_roster_chair(const struct ent_roster *roster)
{
    return roster->member_count == 0 ? NULL : &roster->members[0].key;
}

size_t ent_roster_deputies(const struct ent_roster *roster)
{
    size_t count = 0;

    for (size_t i = 0; i < roster->member_count; i++)
        count += roster->members[i].deputy;
    return count;
}

bool ent_roster_suspended(const struct ent_roster *roster,
                          const struct ent_key *key)
{
    return holds_key(roster->suspended, roster->suspended_count, key);
}

static const struct ent_roster_entry *
find_hash(const struct ent_roster_entry *entries, size_t count,
          const struct ent_hash *hash)
{
    for (size_t i = 0; i < count; i++)
        if (ent_hash_equal(&entries[i].hash, hash))
            return &entries[i];
    return NULL;
}

uint64_t ent_roster_position(const struct ent_roster *roster,
                             const struct ent_roster_entry *entries,
                             size_t count, uint64_t pos,
                             const struct ent_hash8 *hash)
{
    const struct ent_roster_entry *entry = NULL;

    if (pos >= 1 && pos <= roster->length &&
        memcmp(roster->chain[pos - 1]->hash.b, hash->b, ENT_HASH8_BYTES) == 0)
        return pos;
    for (size_t i = 0; i < count && entry == NULL; i++)
        if (entries[i].pos == pos &&
            memcmp(entries[i].hash.b, hash->b, ENT_HASH8_BYTES) == 0)
            entry = &entries[i];
    /* Void heads count as the last chain entry below them (A3). */
    while (entry != NULL) {
        if (entry->pos >= 1 && entry->pos <= roster->length &&
            ent_hash_equal(&roster->chain[entry->pos - 1]->hash, &entry->hash))
            return entry->pos;
        entry = find_hash(entries, count, &entry->prev);
    }
    return 0;
}

static bool within_any(const struct ent_roster_entry *entry,
                       ent_within_fn *within, void *ctx)
{
    for (size_t i = 0; i < entry->head_count; i++)
        if (within(ctx, &entry->heads[i]))
            return true;
    return false;
}

/* Whether an entry is kept by a cut, or by what the chair readmitted after it.
 */
static bool kept_by(const struct ent_roster_person *who,
                    const struct ent_roster_entry *cut, ent_within_fn *within,
                    void *ctx)
{
    if (within_any(cut, within, ctx))
        return true;
    for (const struct ent_roster_mention *m = who->readmits;
         m != NULL && m->entry->pos > cut->pos; m = m->before)
        if (within_any(m->entry, within, ctx))
            return true;
    return false;
}

enum ent_standing ent_roster_standing(const struct ent_roster *roster,
                                      const struct ent_key *author,
                                      uint64_t pos, bool direct,
                                      ent_within_fn *within, void *ctx)
{
    const struct ent_roster_person *who = ent_roster_person(roster, author);
    bool writes = ent_roster_role(roster, pos, author) >= ENT_ROLE_EDITOR;

    if (who == NULL)
        return ENT_STANDING_NO_ROLE;
    /* Written under an admission that became void: readmitted or not. */
    for (const struct ent_roster_mention *m = who->readmits;
         !writes && !direct && m != NULL; m = m->before)
        writes = within_any(m->entry, within, ctx);
    if (!writes)
        return ENT_STANDING_NO_ROLE;
    for (const struct ent_roster_mention *m = who->cuts;
         m != NULL && m->entry->pos > pos; m = m->before)
        if (!kept_by(who, m->entry, within, ctx))
            return ENT_STANDING_CUT;
    return ENT_STANDING_GOOD;
}

const struct ent_field *ent_roster_own_field(const struct ent_roster *roster,
                                             uint32_t kind, uint32_t number)
{
    for (size_t i = 0; i < roster->own_count; i++)
        if (roster->own[i]->kind == kind &&
            roster->own[i]->field.number == number)
            return &roster->own[i]->field;
    return NULL;
}

const struct ent_field *ent_roster_own_named(const struct ent_roster *roster,
                                             uint32_t kind, const char *name)
{
    for (size_t i = 0; i < roster->own_count; i++)
        if (roster->own[i]->kind == kind &&
            strcmp(roster->own[i]->field.name, name) == 0)
            return &roster->own[i]->field;
    return NULL;
}
