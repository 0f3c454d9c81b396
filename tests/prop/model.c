/* model.c - see model.h. */
#include "model.h"

#include <string.h>

/* ------------------------------------------------------------ roster (A2) */

static bool same_hash(const struct ent_hash *a, const struct ent_hash *b)
{
    return memcmp(a->b, b->b, ENT_HASH_BYTES) == 0;
}

static bool same_key(const struct ent_key *a, const struct ent_key *b)
{
    return memcmp(a->b, b->b, ENT_KEY_BYTES) == 0;
}

static bool same_id(const struct ent_id *a, const struct ent_id *b)
{
    return memcmp(a->b, b->b, ENT_ID_BYTES) == 0;
}

static const struct ent_roster_entry *
found(const struct ent_roster_entry *roster, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (roster[i].pos == 1 && roster[i].kind == ENT_ROSTER_FOUND)
            return &roster[i];
    return NULL;
}

/* What follows `head` on the valid chain: of all entries the chair wrote after
 * it, the one with the lowest hash. */
static const struct ent_roster_entry *
follower(const struct ent_roster_entry *roster, size_t count,
         const struct ent_roster_entry *head, const struct ent_key *chair)
{
    const struct ent_roster_entry *best = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct ent_roster_entry *next = &roster[i];

        if (!same_hash(&next->prev, &head->hash) ||
            next->pos != head->pos + 1 || next->term != head->term ||
            next->kind == ENT_ROSTER_FOUND || !same_key(&next->author, chair))
            continue;
        if (best == NULL ||
            memcmp(next->hash.b, best->hash.b, ENT_HASH_BYTES) < 0)
            best = next;
    }
    return best;
}

/* Whether an entry lies on the valid chain. */
static bool on_chain(const struct ent_roster_entry *roster, size_t count,
                     const struct ent_roster_entry *entry)
{
    const struct ent_roster_entry *at = found(roster, count);
    const struct ent_key *chair = at == NULL ? NULL : &at->author;

    while (at != NULL && at != entry)
        at = follower(roster, count, at, chair);
    return at != NULL;
}

static const struct ent_roster_entry *
entry_with(const struct ent_roster_entry *roster, size_t count,
           const struct ent_hash *hash)
{
    for (size_t i = 0; i < count; i++)
        if (same_hash(&roster[i].hash, hash))
            return &roster[i];
    return NULL;
}

/* The chain's entry that a named roster head stands for (A3): itself, or when
 * it is void the last one below it on the chain. NULL when it is not held. */
static const struct ent_roster_entry *
head_named(const struct ent_roster_entry *roster, size_t count,
           const struct ent_entry *entry)
{
    const struct ent_roster_entry *at = NULL;

    for (size_t i = 0; i < count; i++)
        if (roster[i].pos == entry->roster_pos &&
            memcmp(roster[i].hash.b, entry->roster_hash.b, ENT_HASH8_BYTES) ==
                0)
            at = &roster[i];
    while (at != NULL && !on_chain(roster, count, at))
        at = entry_with(roster, count, &at->prev);
    return at;
}

static enum ent_role role_at(const struct ent_roster_entry *roster,
                             size_t count, const struct ent_roster_entry *head,
                             const struct ent_key *key);

/* Whether `entry`, which is on the chain, puts a new key in the place of a
 * member's that is not the chair's and was not replaced before. */
static bool replaces(const struct ent_roster_entry *roster, size_t count,
                     const struct ent_roster_entry *entry)
{
    const struct ent_roster_entry *at = found(roster, count);
    const struct ent_key *chair = &at->author;

    if (entry->kind != ENT_ROSTER_REPLACE || same_key(&entry->member, chair) ||
        same_key(&entry->next, chair) ||
        role_at(roster, count, entry_with(roster, count, &entry->prev),
                &entry->member) == ENT_ROLE_NONE)
        return false;
    for (; at != entry; at = follower(roster, count, at, chair)) {
        if (at->kind == ENT_ROSTER_ADMIT && same_key(&at->member, &entry->next))
            return false;
        if (at->kind == ENT_ROSTER_REPLACE &&
            (same_key(&at->next, &entry->next) ||
             same_key(&at->member, &entry->member)) &&
            replaces(roster, count, at))
            return false;
    }
    return true;
}

/* The role of a key once `head`, which is on the chain, holds. */
static enum ent_role role_at(const struct ent_roster_entry *roster,
                             size_t count, const struct ent_roster_entry *head,
                             const struct ent_key *key)
{
    const struct ent_roster_entry *at = found(roster, count);
    const struct ent_key *chair = &at->author;
    enum ent_role role = ENT_ROLE_NONE;

    if (same_key(chair, key))
        return ENT_ROLE_CHAIR;
    for (;;) {
        bool about = same_key(&at->member, key);

        if (at->kind == ENT_ROSTER_ADMIT && about)
            role = at->role;
        if (at->kind == ENT_ROSTER_ROLE && about && role != ENT_ROLE_NONE)
            role = at->role;
        if (at->kind == ENT_ROSTER_REMOVE && about)
            role = ENT_ROLE_NONE;
        if (at->kind == ENT_ROSTER_REPLACE &&
            (about || same_key(&at->next, key)) && replaces(roster, count, at))
            role = about ? ENT_ROLE_NONE
                         : role_at(roster, count,
                                   entry_with(roster, count, &at->prev),
                                   &at->member);
        if (at == head)
            return role;
        at = follower(roster, count, at, chair);
    }
}

/* ------------------------------------------------------------------ cuts (A4)
 */

static const struct model_entry *held(const struct model_entry *entries,
                                      size_t count, const struct ent_hash *hash)
{
    for (size_t i = 0; i < count; i++)
        if (same_hash(&entries[i].hash, hash))
            return &entries[i];
    return NULL;
}

/* Two entries of that log under one number, up to `seq`. */
static bool forked_below(const struct model_entry *entries, size_t count,
                         const struct ent_entry *of)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct ent_entry *a = entries[i].entry;
            const struct ent_entry *b = entries[j].entry;

            if (a->seq == b->seq && a->seq <= of->seq &&
                same_key(&a->author, &of->author) &&
                same_key(&b->author, &of->author) &&
                same_id(&a->origin, &of->origin) &&
                same_id(&b->origin, &of->origin))
                return true;
        }
    return false;
}

/* That head, or below it by its hashes; by its number while it is not held and
 * the log is not forked. */
static bool keeps(const struct model_entry *entries, size_t count,
                  const struct ent_cut_head *head,
                  const struct model_entry *entry)
{
    const struct model_entry *at = held(entries, count, &head->hash);

    if (!same_id(&head->origin, &entry->entry->origin))
        return false;
    if (at == NULL)
        return entry->entry->seq <= head->seq &&
               !forked_below(entries, count, entry->entry);
    while (at != NULL && at != entry)
        at = held(entries, count, &at->entry->prev);
    return at == entry;
}

static bool kept_by(const struct model_entry *entries, size_t count,
                    const struct ent_roster_entry *cut,
                    const struct model_entry *entry)
{
    for (size_t i = 0; i < cut->head_count; i++)
        if (keeps(entries, count, &cut->heads[i], entry))
            return true;
    return false;
}

/* Whether a cut later than `head` takes an entry out: each on its own, widened
 * by what was readmitted after it. */
static bool is_cut(const struct ent_roster_entry *roster, size_t roster_count,
                   const struct ent_roster_entry *head,
                   const struct model_entry *entries, size_t count,
                   const struct model_entry *entry)
{
    const struct ent_key *chair = &found(roster, roster_count)->author;
    const struct ent_key *author = &entry->entry->author;
    const struct ent_roster_entry *cut = head;

    while ((cut = follower(roster, roster_count, cut, chair)) != NULL) {
        const struct ent_roster_entry *back = cut;
        const struct ent_roster_entry *before =
            entry_with(roster, roster_count, &cut->prev);
        bool kept;

        if (!same_key(&cut->member, author) ||
            role_at(roster, roster_count, before, author) == ENT_ROLE_NONE ||
            !(cut->kind == ENT_ROSTER_REMOVE ||
              (cut->kind == ENT_ROSTER_REPLACE &&
               replaces(roster, roster_count, cut)) ||
              (cut->kind == ENT_ROSTER_ROLE && cut->role == ENT_ROLE_READER)))
            continue;
        kept = kept_by(entries, count, cut, entry);
        while (!kept &&
               (back = follower(roster, roster_count, back, chair)) != NULL)
            kept = back->kind == ENT_ROSTER_READMIT &&
                   same_key(&back->member, author) &&
                   kept_by(entries, count, back, entry);
        if (!kept)
            return true;
    }
    return false;
}

/* ---------------------------------------------------------------- owners (M9)
 */

bool model_is_owned(uint32_t kind)
{
    return kind == 16 || (500 <= kind && kind <= 599);
}

struct ent_id model_own_id(const struct ent_id *space,
                           const struct ent_key *owner, struct ent_id id)
{
    uint8_t message[16 + 32 + 8];
    struct ent_hash8 hash;

    memcpy(message, space->b, 16);
    memcpy(message + 16, owner->b, 32);
    memcpy(message + 48, id.b, 8);
    hash = ent_hash8_of(ent_slice(message, sizeof(message)));
    memcpy(id.b + 8, hash.b, 8);
    id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
    return id;
}

/* Whether a key owns a record: it made the id, or the key did which it stands
 * for by the roster. */
static bool owns(const struct ent_roster_entry *roster, size_t count,
                 const struct ent_key *key, const struct ent_id *space,
                 const struct ent_id *id)
{
    const struct ent_roster_entry *at = found(roster, count);
    const struct ent_key *chair = &at->author;
    struct ent_id made = model_own_id(space, key, *id);

    if (same_id(&made, id))
        return true;
    for (; at != NULL; at = follower(roster, count, at, chair))
        if (at->kind == ENT_ROSTER_REPLACE && same_key(&at->next, key) &&
            replaces(roster, count, at))
            return owns(roster, count, &at->member, space, id);
    return false;
}

static bool owns_all(const struct ent_roster_entry *roster, size_t count,
                     const struct ent_entry *entry)
{
    for (size_t c = 0; c < entry->change_count; c++)
        if (model_is_owned(entry->changes[c].kind) &&
            !owns(roster, count, &entry->author, &entry->space,
                  &entry->changes[c].id))
            return false;
    return true;
}

static bool ever_admitted(const struct ent_roster_entry *roster, size_t count,
                          const struct ent_key *key)
{
    for (size_t i = 0; i < count; i++)
        if ((roster[i].kind == ENT_ROSTER_FOUND &&
             same_key(&roster[i].author, key)) ||
            (roster[i].kind == ENT_ROSTER_REPLACE &&
             same_key(&roster[i].next, key)) ||
            (roster[i].kind == ENT_ROSTER_ADMIT &&
             same_key(&roster[i].member, key)))
            return true;
    return false;
}

static bool waits_before(const struct model_entry *entries, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (entries[i].verdict == MODEL_WAITING &&
            same_key(&entries[i].entry->author, &entries[at].entry->author) &&
            same_id(&entries[i].entry->origin, &entries[at].entry->origin))
            return true;
    return false;
}

void model_judge(struct model_entry *entries, size_t count,
                 const struct ent_roster_entry *roster, size_t roster_count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ent_entry *entry = entries[i].entry;
        const struct ent_roster_entry *head =
            head_named(roster, roster_count, entry);

        if (!ever_admitted(roster, roster_count, &entry->author))
            entries[i].verdict = MODEL_REFUSED;
        else if (head == NULL || waits_before(entries, i))
            entries[i].verdict = MODEL_WAITING;
        else if (role_at(roster, roster_count, head, &entry->author) <
                     ENT_ROLE_EDITOR ||
                 !owns_all(roster, roster_count, entry) ||
                 is_cut(roster, roster_count, head, entries, count,
                        &entries[i]))
            entries[i].verdict = MODEL_QUARANTINED;
        else
            entries[i].verdict = MODEL_ACCEPTED;
    }
}

/* ----------------------------------------------------------- merge (M1-M6) */

/* Whether an operation names this write: (reference, ordinal), and the
 * reference names that very entry (L2). */
static bool op_names(const struct ent_entry *entry, const struct ent_op *op,
                     const struct model_write *write)
{
    for (size_t i = 0; i < op->seen_count; i++) {
        const struct ent_ref *ref = &entry->refs[op->seen[i].ref];

        if (op->seen[i].ordinal == write->ordinal &&
            ref->seq == write->from->entry->seq &&
            same_id(&ref->origin, &write->from->entry->origin) &&
            memcmp(ref->hash.b, write->from->hash.b, ENT_HASH8_BYTES) == 0)
            return true;
    }
    return false;
}

/* M2, M4, M6: a write stands when no accepted entry names it in the same field
 * of the same record, whichever came first (M1, M3). */
static bool stands(const struct model_entry *entries, size_t count,
                   const struct model_write *write)
{
    for (size_t i = 0; i < count; i++) {
        const struct ent_entry *entry = entries[i].entry;

        if (entries[i].verdict != MODEL_ACCEPTED)
            continue;
        for (size_t c = 0; c < entry->change_count; c++) {
            const struct ent_change *change = &entry->changes[c];

            if (change->kind != write->kind ||
                !same_id(&change->id, &write->id))
                continue;
            for (size_t o = 0; o < change->op_count; o++)
                if (change->ops[o].field == write->field &&
                    op_names(entry, &change->ops[o], write))
                    return false;
        }
    }
    return true;
}

/* E1: by an entry of the chain, or by an accepted one, which is its owner's. */
static bool is_erased(const struct model_entry *entries, size_t count,
                      const struct ent_roster_entry *roster,
                      size_t roster_count, const struct ent_change *of)
{
    const struct ent_roster_entry *at = found(roster, roster_count);
    const struct ent_key *chair = at == NULL ? NULL : &at->author;

    for (; at != NULL; at = follower(roster, roster_count, at, chair))
        if (at->kind == ENT_ROSTER_ERASE && at->erased_kind == of->kind &&
            same_id(&at->erased_id, &of->id))
            return true;
    for (size_t i = 0; i < count; i++) {
        const struct ent_entry *entry = entries[i].entry;

        for (size_t c = 0; c < entry->change_count; c++)
            if (entries[i].verdict == MODEL_ACCEPTED &&
                entry->changes[c].ops[0].code == ENT_OP_ERASE &&
                entry->changes[c].kind == of->kind &&
                same_id(&entry->changes[c].id, &of->id))
                return true;
    }
    return false;
}

/* The ordinal of an operation: 0, but additions of one field in one change
 * count up. */
static uint32_t ordinal_of(const struct ent_change *change, size_t at)
{
    uint32_t ordinal = 0;

    if (change->ops[at].code == ENT_OP_ADD)
        for (size_t i = 0; i < at; i++)
            if (change->ops[i].code == ENT_OP_ADD &&
                change->ops[i].field == change->ops[at].field)
                ordinal++;
    return ordinal;
}

/* state += part, both 128 bits, the least byte first (S5). */
static void add(uint8_t state[16], const uint8_t part[16])
{
    unsigned carry = 0;

    for (size_t i = 0; i < 16; i++) {
        carry += (unsigned)state[i] + part[i];
        state[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void add_write(struct model *model, const struct model_write *write)
{
    struct ent_sum key =
        ent_sum_key_of(write->kind, &write->id, &write->from->hash);
    struct ent_sum mark =
        ent_sum_mark_of(write->field, write->ordinal, write->code);
    struct ent_sum sum = ent_sum_times(&key, &mark);
    uint8_t part[ENT_SUM_BYTES];

    ent_sum_put(&sum, part);
    add(model->state, part);
    model->writes[model->count++] = *write;
}

static void merge_change(const struct model_entry *entries, size_t count,
                         const struct model_entry *from,
                         const struct ent_change *change, struct model *model)
{
    for (size_t o = 0; o < change->op_count; o++) {
        const struct ent_op *op = &change->ops[o];
        struct model_write write = {.kind = change->kind,
                                    .id = change->id,
                                    .field = op->field,
                                    .code = op->code,
                                    .ordinal = ordinal_of(change, o),
                                    .from = from,
                                    .change = change,
                                    .value = op->value};

        if (op->code != ENT_OP_REMOVE && stands(entries, count, &write))
            add_write(model, &write);
    }
}

void model_merge(const struct model_entry *entries, size_t count,
                 const struct ent_roster_entry *roster, size_t roster_count,
                 struct ent_arena *arena, struct model *model)
{
    size_t ops = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < entries[i].entry->change_count; c++)
            ops += entries[i].entry->changes[c].op_count;
    *model = (struct model){
        .writes = ENT_ARENA_NEW(arena, struct model_write, ops + 1)};
    ENT_ASSERT(model->writes != NULL);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].verdict != MODEL_ACCEPTED)
            continue;
        add(model->state, entries[i].hash.b);
        for (size_t c = 0; c < entries[i].entry->change_count; c++)
            if (!is_erased(entries, count, roster, roster_count,
                           &entries[i].entry->changes[c]))
                merge_change(entries, count, &entries[i],
                             &entries[i].entry->changes[c], model);
    }
}

bool model_live(const struct model *model, uint32_t kind,
                const struct ent_id *id)
{
    for (size_t i = 0; i < model->count; i++)
        if (model->writes[i].kind == kind &&
            same_id(&model->writes[i].id, id) &&
            model->writes[i].code == ENT_OP_LIVE)
            return true;
    return false;
}

bool model_shows_before(const struct model_write *a,
                        const struct model_write *b)
{
    int cmp;

    if (a->from->entry->time_ms != b->from->entry->time_ms)
        return a->from->entry->time_ms > b->from->entry->time_ms;
    cmp = memcmp(a->from->hash.b, b->from->hash.b, ENT_HASH_BYTES);
    return cmp != 0 ? cmp > 0 : a->ordinal > b->ordinal;
}
