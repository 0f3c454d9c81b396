/* roster.c - see roster.h. */
#include "model/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

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

/* By the entry followed, then by hash: those who follow one entry stand
 * together, the one that goes on first (A2). */
static int by_prev(const void *a, const void *b)
{
    const struct ent_roster_entry *x =
        *(const struct ent_roster_entry *const *)a;
    const struct ent_roster_entry *y =
        *(const struct ent_roster_entry *const *)b;
    int cmp = memcmp(x->prev.b, y->prev.b, ENT_HASH_BYTES);

    return cmp != 0 ? cmp : memcmp(x->hash.b, y->hash.b, ENT_HASH_BYTES);
}

static size_t first_after(const struct ent_roster_entry **sorted, size_t count,
                          const struct ent_hash *prev)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (memcmp(sorted[mid]->prev.b, prev->b, ENT_HASH_BYTES) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool any_fork(const struct ent_roster_entry **sorted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1;
             j < count && ent_hash_equal(&sorted[i]->prev, &sorted[j]->prev);
             j++)
            if (ent_key_equal(&sorted[i]->author, &sorted[j]->author))
                return true;
    return false;
}

/* Only the chair writes, in the first term: handing over comes with terms. */
static bool goes_on(const struct ent_roster_entry *head,
                    const struct ent_key *chair,
                    const struct ent_roster_entry *next)
{
    return next->pos == head->pos + 1 && next->term == head->term &&
           next->kind != ENT_ROSTER_FOUND &&
           ent_key_equal(&next->author, chair);
}

static void take_admit(struct ent_roster *roster,
                       const struct ent_roster_entry *entry,
                       const struct ent_key *chair)
{
    struct ent_roster_member *member = NULL;

    if (ent_key_equal(&entry->member, chair))
        return;
    for (size_t i = 0; i < roster->member_count && member == NULL; i++)
        if (ent_key_equal(&roster->members[i].key, &entry->member))
            member = &roster->members[i];
    if (member == NULL) {
        member = &roster->members[roster->member_count++];
        member->key = entry->member;
        member->since = entry->pos;
    }
    member->role = entry->role;
    member->org = entry->org;
}

int ent_roster_build(const struct ent_roster_entry *entries, size_t count,
                     struct ent_arena *arena, struct ent_roster *roster)
{
    const struct ent_roster_entry **sorted;
    const struct ent_roster_entry *head = NULL;

    memset(roster, 0, sizeof(*roster));
    sorted = ent_arena_array(arena, count + 1, sizeof(*sorted));
    roster->chain = ent_arena_array(arena, count + 1, sizeof(*sorted));
    roster->members = ENT_ARENA_NEW(arena, struct ent_roster_member, count + 1);
    if (arena->rc < 0)
        return ENT_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &entries[i];
        if (entries[i].kind == ENT_ROSTER_FOUND && entries[i].pos == 1)
            head = &entries[i];
    }
    if (count > 1)
        qsort(sorted, count, sizeof(*sorted), by_prev);
    roster->forked = any_fork(sorted, count);
    roster->void_count = count;
    if (head == NULL)
        return 0;
    roster->members[0] = (struct ent_roster_member){.key = head->author,
                                                    .role = ENT_ROLE_CHAIR,
                                                    .org = head->org,
                                                    .since = 1};
    roster->member_count = 1;
    while (head != NULL) {
        const struct ent_roster_entry *next = NULL;

        roster->chain[roster->length++] = head;
        for (size_t i = first_after(sorted, count, &head->hash);
             i < count && next == NULL &&
             ent_hash_equal(&sorted[i]->prev, &head->hash);
             i++)
            if (goes_on(head, &roster->members[0].key, sorted[i]))
                next = sorted[i];
        if (next != NULL && next->kind == ENT_ROSTER_ADMIT)
            take_admit(roster, next, &roster->members[0].key);
        head = next;
    }
    roster->void_count = count - roster->length;
    return 0;
}

enum ent_role ent_roster_role(const struct ent_roster *roster, uint64_t pos,
                              const struct ent_key *key)
{
    enum ent_role role = ENT_ROLE_NONE;

    for (size_t i = 0; i < roster->length && i < pos; i++) {
        const struct ent_roster_entry *entry = roster->chain[i];

        if (i == 0 && ent_key_equal(&entry->author, key))
            return ENT_ROLE_CHAIR;
        if (entry->kind == ENT_ROSTER_ADMIT &&
            ent_key_equal(&entry->member, key))
            role = entry->role;
    }
    return role;
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
