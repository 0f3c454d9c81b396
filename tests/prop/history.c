/* history.c - see history.h. */
#include "history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "store/seal.h"

#define TIME_MS INT64_C(1700000000000)
#define RECORDS_MAX 4
#define DOTS_MAX 128
#define UNKNOWN_KIND 700
#define OWNED_KIND 505
#define UNKNOWN_OWNED_KIND 577
#define UNKNOWN_FIELD 2000001

size_t history_below(struct ent_rand *rand, size_t bound)
{
    return (size_t)ent_rand_below(rand, bound);
}

bool history_chance(struct ent_rand *rand, unsigned percent)
{
    return ent_rand_below(rand, 100) < percent;
}

static size_t below(struct history *h, size_t bound)
{
    return history_below(&h->rand, bound);
}

static bool chance(struct history *h, unsigned percent)
{
    return history_chance(&h->rand, percent);
}

/* ------------------------------------------------------------------- kinds */

#define FIELD(number_, name_, type_, rule_)                                    \
    {                                                                          \
        .number = (number_), .name = (name_), .type = (type_),                 \
        .rule = (rule_), .loud = ENT_LOUD_ASK, .label = {                      \
            (name_),                                                           \
            (name_)                                                            \
        }                                                                      \
    }

static struct ent_field plan_fields[] = {
    FIELD(1, "code", ENT_TYPE_CODE, ENT_RULE_REGISTER),
    FIELD(2, "title", ENT_TYPE_TEXT, ENT_RULE_REGISTER),
    FIELD(3, "tags", ENT_TYPE_TEXT, ENT_RULE_SET),
    FIELD(4, "people", ENT_TYPE_INTEGER, ENT_RULE_REGISTER),
    FIELD(5, "cost", ENT_TYPE_DECIMAL, ENT_RULE_REGISTER),
    FIELD(6, "done", ENT_TYPE_YESNO, ENT_RULE_REGISTER),
};

static struct ent_field place_fields[] = {
    FIELD(1, "code", ENT_TYPE_CODE, ENT_RULE_REGISTER),
    FIELD(2, "within", ENT_TYPE_REF, ENT_RULE_REGISTER),
    FIELD(4, "langs", ENT_TYPE_ENUM, ENT_RULE_SET),
};

static struct ent_field gift_fields[] = {
    FIELD(1, "code", ENT_TYPE_CODE, ENT_RULE_REGISTER),
    FIELD(2, "from", ENT_TYPE_TEXT, ENT_RULE_REGISTER),
    FIELD(4, "amount", ENT_TYPE_INTEGER, ENT_RULE_REGISTER),
};

static struct ent_kind kinds[] = {
    {.number = 7,
     .name = "plan",
     .table = "plans",
     .label = {"plan", "plan"},
     .fields = plan_fields,
     .field_count = ENT_ARRAY_LEN(plan_fields)},
    {.number = 9,
     .name = "place",
     .table = "places",
     .label = {"place", "lieu"},
     .fields = place_fields,
     .field_count = ENT_ARRAY_LEN(place_fields)},
    {.number = OWNED_KIND,
     .name = "gift",
     .table = "gifts",
     .owned = true,
     .label = {"gift", "don"},
     .fields = gift_fields,
     .field_count = ENT_ARRAY_LEN(gift_fields)},
};

const struct ent_kinds history_kinds = {.kinds = kinds,
                                        .count = ENT_ARRAY_LEN(kinds)};

/* The numbers that a history writes to: those above and three that no
 * definition has. */
static const uint32_t kind_numbers[] = {
    7, 7, 7, 7, 9, UNKNOWN_KIND, OWNED_KIND, OWNED_KIND, UNKNOWN_OWNED_KIND};
static const uint32_t field_numbers[] = {1, 2, 3, 4, 5, 6, 8, UNKNOWN_FIELD};

/* ------------------------------------------------------------------ roster */

static const struct ent_keys *key_pool(size_t at)
{
    static struct ent_keys pool[HISTORY_KEYS_MAX];
    static bool made;

    for (size_t i = 0; !made && i < HISTORY_KEYS_MAX; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};

        ent_keys_from_seed(&pool[i], seed);
    }
    made = true;
    return &pool[at];
}

const struct ent_key *history_replaced_key(void)
{
    return &key_pool(HISTORY_AUTHORS_MAX)->public;
}

static struct ent_slice take_buf(struct history *h, struct ent_buf *buf)
{
    struct ent_slice copy = ent_arena_copy(&h->arena, ent_buf_slice(buf));

    ENT_ASSERT(buf->rc == 0 && h->arena.rc == 0);
    ent_buf_fini(buf);
    return copy;
}

/* Write one roster entry after `prev` (NULL: the first), signed by `keys`. */
static size_t roster_add(struct history *h, const struct ent_keys *keys,
                         const struct ent_roster_entry *prev,
                         struct ent_roster_entry entry)
{
    struct ent_roster_bytes *bytes = &h->roster_bytes[h->roster_count];
    struct ent_buf body = {0};
    struct ent_buf header = {0};
    struct ent_entry head = {.author = keys->public};
    struct ent_hash body_hash;

    ENT_ASSERT(h->roster_count < HISTORY_ROSTER_MAX);
    entry.term = 1;
    entry.pos = prev == NULL ? 1 : prev->pos + 1;
    entry.author = keys->public;
    entry.time_ms = TIME_MS + 1000 * (int64_t)h->roster_count +
                    (int64_t)below(h, 1000); /* never twice the same entry */
    if (prev != NULL) {
        entry.prev = prev->hash;
        head.space = h->space;
    }
    head.seq = entry.pos;
    head.prev = entry.prev;
    head.time_ms = entry.time_ms;
    ent_roster_body_put(&body, &entry);
    body_hash = ent_hash_of(ent_buf_slice(&body));
    ent_header_put(&header, ENT_ROSTER_TAG, &head, &body_hash);
    bytes->body = take_buf(h, &body);
    bytes->header = take_buf(h, &header);
    ent_sign(keys, bytes->header, &bytes->sig);
    entry.hash = ent_hash_of(bytes->header);
    if (prev == NULL)
        memcpy(h->space.b, entry.hash.b, ENT_ID_BYTES);
    h->roster[h->roster_count] = entry;
    return h->roster_count++;
}

static size_t roster_admit_key(struct history *h, size_t after,
                               const struct ent_key *key, enum ent_role role)
{
    struct ent_roster_entry entry = {
        .kind = ENT_ROSTER_ADMIT,
        .member = *key,
        .role = role,
        .org = ent_slice_str("Org"),
    };

    return roster_add(h, h->authors[0].keys, &h->roster[after], entry);
}

static size_t roster_admit(struct history *h, size_t after, size_t author,
                           enum ent_role role)
{
    return roster_admit_key(h, after, &h->authors[author].keys->public, role);
}

/* An author who comes in with a new key: the old one was the member's. */
static size_t roster_replace(struct history *h, size_t after, size_t author)
{
    struct ent_roster_entry entry = {
        .kind = ENT_ROSTER_REPLACE,
        .member = *history_replaced_key(),
        .next = h->authors[author].keys->public,
    };

    h->heir = author;
    after = roster_admit_key(h, after, history_replaced_key(), ENT_ROLE_EDITOR);
    return roster_add(h, h->authors[0].keys, &h->roster[after], entry);
}

/* A chair and 2 to 4 others: mostly editors, now and then a reader, one who is
 * admitted twice, one who is never admitted, one with a new key, or a roster
 * that forks. */
static void roster_make(struct history *h)
{
    struct ent_roster_entry first = {.kind = ENT_ROSTER_FOUND,
                                     .org = ent_slice_str("Chair"),
                                     .title_en = ent_slice_str("Space"),
                                     .title_fr = ent_slice_str("Espace")};
    size_t at;
    size_t fork_at;

    h->author_count = 3 + below(h, 3);
    for (size_t i = 0; i < h->author_count; i++) {
        h->authors[i].keys = key_pool(i);
        ent_rand_bytes(&h->rand, h->authors[i].origin.b, ENT_ID_BYTES);
    }
    ent_rand_bytes(&h->rand, first.nonce, sizeof(first.nonce));
    at = roster_add(h, h->authors[0].keys, NULL, first);
    fork_at = at;
    for (size_t i = 1; i < h->author_count; i++) {
        if (!h->tidy && i == h->author_count - 1 && chance(h, 4))
            break; /* the last one stays a stranger */
        if (chance(h, 50))
            fork_at = at;
        if (h->heir == 0 && chance(h, 8)) {
            at = roster_replace(h, at, i);
            continue;
        }
        at = roster_admit(h, at, i,
                          !h->tidy && chance(h, 12) ? ENT_ROLE_READER
                                                    : ENT_ROLE_EDITOR);
    }
    if (h->tidy)
        return;
    if (chance(h, 10)) /* a role given again, higher or lower */
        at = roster_admit(h, at, 1 + below(h, h->author_count - 1),
                          chance(h, 50) ? ENT_ROLE_READER : ENT_ROLE_EDITOR);
    if (!chance(h, 15))
        return;
    h->forked = true;
    for (size_t i = 1 + below(h, 2); i > 0; i--)
        fork_at =
            roster_admit(h, fork_at, 1 + below(h, h->author_count - 1),
                         chance(h, 40) ? ENT_ROLE_READER : ENT_ROLE_EDITOR);
}

/* A record or two are erased, after the last entry or beside others. */
static void roster_erase(struct history *h, const uint32_t *numbers,
                         const struct ent_id *ids, size_t records)
{
    size_t after = h->roster_count - 1;

    if (!h->tidy && chance(h, 25))
        after = below(h, h->roster_count);
    h->forked = h->forked || after != h->roster_count - 1;
    for (size_t i = 1 + below(h, 2); i > 0; i--) {
        size_t r = below(h, records);
        const struct ent_roster_entry entry = {.kind = ENT_ROSTER_ERASE,
                                               .erased_kind = numbers[r],
                                               .erased_id = ids[r]};

        after = roster_add(h, h->authors[0].keys, &h->roster[after], entry);
    }
}

/* ------------------------------------------------------------------ values */

static struct ent_value text_value(struct history *h)
{
    static const char *const texts[] = {
        "a",
        "b",
        "",
        "été",
        "\"quoted\\\" \n\t",
        "0197f0a1-0000-7000-8000-0123456789ab",
        "2017-06",
        "yes",
        "null",
        "[\"a\"]",
        "\xf0\x9f\x8c\x8d",
        "12.5",
        "\x01\x7f",
    };
    size_t pick = below(h, ENT_ARRAY_LEN(texts) + 1);

    if (pick == ENT_ARRAY_LEN(texts)) /* UTF-8 may hold a NUL */
        return ent_value_text(ent_slice("nul\0nul", 7));
    return ent_value_text(ent_slice_str(texts[pick]));
}

static struct ent_value int_value(struct history *h)
{
    static const int64_t integers[] = {0,
                                       1,
                                       24,
                                       -1,
                                       INT64_C(9007199254740993),
                                       INT64_C(-9007199254740993),
                                       INT64_MAX,
                                       INT64_MIN};

    return ent_value_int(integers[below(h, ENT_ARRAY_LEN(integers))]);
}

static struct ent_value decimal_value(struct history *h)
{
    static const int64_t integers[] = {
        125, -1, 5, 999999999999999, -999999999999999, 100000000000001};

    return ent_value_decimal(integers[below(h, ENT_ARRAY_LEN(integers))],
                             1 + (uint32_t)below(h, ENT_DECIMAL_SCALE_MAX));
}

static struct ent_value bytes_value(struct history *h)
{
    static const uint8_t ids[3][ENT_ID_BYTES] = {{1}, {2}, {0}};

    return ent_value_bytes(ent_slice(ids[below(h, 3)], ENT_ID_BYTES));
}

/* What a newer program may have meant. */
static struct ent_value other_value(struct history *h)
{
    static const struct ent_slice packed[] = {
        {(const uint8_t *)"\xc4\x02hi", 4},        /* 2 bytes */
        {(const uint8_t *)"\x92\x05\x0a", 3},      /* scale 10 */
        {(const uint8_t *)"\x92\x0a\x01", 3},      /* 1.0, not reduced */
        {(const uint8_t *)"\x93\xc0\xc3\xa1x", 5}, /* a list */
        {(const uint8_t *)"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9},
        {(const uint8_t *)"\x90", 1},
    };

    return (struct ent_value){.type = ENT_VALUE_OTHER,
                              .bytes = packed[below(h, 6)]};
}

static struct ent_value any_value(struct history *h)
{
    switch (below(h, 7)) {
    case 0:
        return ent_value_nil();
    case 1:
        return ent_value_bool(chance(h, 50));
    case 2:
        return int_value(h);
    case 3:
        return decimal_value(h);
    case 4:
        return bytes_value(h);
    case 5:
        return other_value(h);
    default:
        return text_value(h);
    }
}

static struct ent_value value_for(struct history *h,
                                  const struct ent_field *field)
{
    if (field == NULL || chance(h, 8)) {
        h->mistyped |= field != NULL;
        return any_value(h);
    }
    if (field->rule == ENT_RULE_REGISTER && chance(h, 8))
        return ent_value_nil();
    switch (field->type) {
    case ENT_TYPE_INTEGER:
        return int_value(h);
    case ENT_TYPE_DECIMAL:
        return chance(h, 70) ? decimal_value(h) : int_value(h);
    case ENT_TYPE_YESNO:
        return ent_value_bool(chance(h, 50));
    case ENT_TYPE_REF:
        return chance(h, 50) ? bytes_value(h) : text_value(h);
    case ENT_TYPE_TEXT:
    case ENT_TYPE_CODE:
    case ENT_TYPE_ENUM:
    case ENT_TYPE_DATE:
    case ENT_TYPE_DATETIME:
        break;
    }
    return text_value(h);
}

/* -------------------------------------------------------- what a writer saw */

/* A write as entries name it. An entry index beyond all entries is one that
 * does not exist. */
struct dot {
    size_t entry;
    uint32_t ordinal;
    uint32_t code;
    bool named;
};

struct dots {
    struct dot at[DOTS_MAX];
    size_t count;
};

static void dots_add(struct dots *dots, struct dot dot)
{
    ENT_ASSERT(dots->count < DOTS_MAX);
    dots->at[dots->count++] = dot;
}

static const struct ent_change *
change_of(const struct ent_entry *entry, uint32_t kind, const struct ent_id *id)
{
    for (size_t i = 0; i < entry->change_count; i++)
        if (entry->changes[i].kind == kind &&
            ent_id_equal(&entry->changes[i].id, id))
            return &entry->changes[i];
    return NULL;
}

/* Mark those of `dots` that an operation names. */
static void mark_named(const struct history *h, const struct ent_entry *entry,
                       const struct ent_op *op, struct dots *dots)
{
    for (size_t i = 0; i < op->seen_count; i++) {
        const struct ent_ref *ref = &entry->refs[op->seen[i].ref];

        for (size_t d = 0; d < dots->count; d++) {
            size_t from = dots->at[d].entry;

            if (dots->at[d].ordinal == op->seen[i].ordinal &&
                h->entries[from].entry.seq == ref->seq &&
                memcmp(h->judged[from].hash.b, ref->hash.b, ENT_HASH8_BYTES) ==
                    0)
                dots->at[d].named = true;
        }
    }
}

/* All writes of a field that a view holds, each with whether the view holds an
 * entry that names it. */
static void dots_of(const struct history *h, uint32_t view, uint32_t kind,
                    const struct ent_id *id, uint32_t field, struct dots *dots)
{
    dots->count = 0;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < h->count; i++) {
            const struct ent_entry *entry = &h->entries[i].entry;
            const struct ent_change *change;
            uint32_t ordinal = 0;

            if ((view >> i & 1) == 0)
                continue;
            change = change_of(entry, kind, id);
            for (size_t o = 0; change != NULL && o < change->op_count; o++) {
                const struct ent_op *op = &change->ops[o];

                if (op->field != field)
                    continue;
                if (round == 1)
                    mark_named(h, entry, op, dots);
                else if (op->code != ENT_OP_REMOVE)
                    dots_add(dots, (struct dot){.entry = i,
                                                .ordinal = ordinal++,
                                                .code = op->code});
            }
        }
    }
}

/* --------------------------------------------------------------- operations */

/* An operation before its references are numbered. */
struct draft_op {
    struct ent_op op;
    struct dots seen;
};

struct draft {
    uint32_t kind;
    struct ent_id id;
    struct draft_op ops[16];
    size_t count;
};

static struct draft_op *draft_add(struct draft *draft, uint32_t code,
                                  uint32_t field)
{
    struct draft_op *op = &draft->ops[draft->count++];

    ENT_ASSERT(draft->count <= ENT_ARRAY_LEN(draft->ops));
    op->op = (struct ent_op){.code = code, .field = field};
    op->seen.count = 0;
    return op;
}

/* What the operation names of all it could: mostly what stands, sometimes part
 * of it, sometimes what was replaced long ago. */
static void pick_seen(struct history *h, const struct dots *all, bool live_only,
                      struct dots *seen)
{
    unsigned keep = chance(h, 75) ? 100 : chance(h, 50) ? 50 : 0;
    unsigned old = chance(h, 90) ? 0 : 50;

    for (size_t i = 0; i < all->count; i++) {
        if (live_only && all->at[i].code != ENT_OP_LIVE)
            continue;
        if (chance(h, all->at[i].named ? old : keep))
            dots_add(seen, all->at[i]);
    }
    if (!h->tidy && chance(h, 1) && seen->count < DOTS_MAX) {
        h->odd_ref = true;
        dots_add(seen, (struct dot){.entry = HISTORY_ENTRIES_MAX});
    }
}

static void draft_life(struct history *h, uint32_t view, struct draft *draft,
                       bool *dead)
{
    struct draft_op *life;
    struct dots all;
    bool undelete = false;

    dots_of(h, view, draft->kind, &draft->id, ENT_FIELD_LIFE, &all);
    *dead = all.count > 0 && chance(h, 14);
    for (size_t i = 0; i < all.count; i++)
        undelete |= all.at[i].code == ENT_OP_DEAD && !all.at[i].named;
    undelete = undelete && chance(h, 40);
    life = draft_add(draft, *dead ? ENT_OP_DEAD : ENT_OP_LIVE, ENT_FIELD_LIFE);
    pick_seen(h, &all, !*dead && !undelete, &life->seen);
}

static void draft_set(struct history *h, const struct ent_field *field,
                      uint32_t number, const struct dots *all,
                      struct draft *draft)
{
    struct draft_op *op;
    size_t adds = below(h, 3);
    struct dots seen = {0};

    pick_seen(h, all, false, &seen);
    if (chance(h, 40))
        seen.count = 0;
    if (adds == 0 && seen.count == 0)
        adds = 1;
    for (size_t i = 0; i < adds; i++)
        draft_add(draft, ENT_OP_ADD, number)->op.value = value_for(h, field);
    if (seen.count == 0)
        return;
    op = draft_add(draft, ENT_OP_REMOVE, number);
    op->seen = seen;
}

static void draft_field(struct history *h, uint32_t view, uint32_t number,
                        struct draft *draft)
{
    const struct ent_kind *kind = ent_kind_find(&history_kinds, draft->kind);
    const struct ent_field *field =
        kind == NULL ? NULL : ent_field_find(kind, number);
    bool set = field != NULL ? field->rule == ENT_RULE_SET : number % 2 == 0;
    struct draft_op *op;
    struct dots all;

    dots_of(h, view, draft->kind, &draft->id, number, &all);
    if (chance(h, 3))
        set = !set;
    if (set) {
        draft_set(h, field, number, &all, draft);
        return;
    }
    op = draft_add(draft, ENT_OP_WRITE, number);
    op->op.value = value_for(h, field);
    pick_seen(h, &all, false, &op->seen);
}

static void draft_make(struct history *h, uint32_t view, struct draft *draft)
{
    unsigned touch;
    bool dead;

    draft->count = 0;
    if (model_is_owned(draft->kind) && chance(h, 5)) {
        draft_add(draft, ENT_OP_ERASE, ENT_FIELD_LIFE);
        return;
    }
    draft_life(h, view, draft, &dead);
    touch = chance(h, 50) ? 12 : 30;
    for (size_t i = 0; i < ENT_ARRAY_LEN(field_numbers); i++)
        if (chance(h, dead ? 4 : touch) && draft->count + 4 < 16)
            draft_field(h, view, field_numbers[i], draft);
}

/* ------------------------------------------------------------- one entry */

static int ref_order(const void *a, const void *b)
{
    return ent_ref_cmp(a, b);
}

static struct ent_ref ref_to(const struct history *h, const struct dot *dot)
{
    struct ent_ref ref = {.seq = 3, .hash = {.b = {0xee}}};

    if (dot->entry < HISTORY_ENTRIES_MAX) {
        ref.origin = h->entries[dot->entry].entry.origin;
        ref.seq = h->entries[dot->entry].entry.seq;
        ref.hash = ent_hash_head(&h->judged[dot->entry].hash);
    } else {
        ref.origin = h->space; /* an origin that nobody has */
    }
    return ref;
}

/* The references of all drafts, each once, ascending. */
static void number_refs(struct history *h, const struct draft *drafts,
                        size_t count, struct ent_entry *entry)
{
    struct ent_ref *refs = ENT_ARENA_NEW(&h->arena, struct ent_ref, 1024);
    size_t all = 0;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t o = 0; o < drafts[i].count; o++)
            for (size_t d = 0; d < drafts[i].ops[o].seen.count; d++) {
                ENT_ASSERT(all < 1024);
                refs[all++] = ref_to(h, &drafts[i].ops[o].seen.at[d]);
            }
    if (all > 1)
        qsort(refs, all, sizeof(*refs), ref_order);
    for (size_t i = 0; i < all; i++)
        if (kept == 0 || ent_ref_cmp(&refs[kept - 1], &refs[i]) != 0)
            refs[kept++] = refs[i];
    entry->refs = refs;
    entry->ref_count = kept;
}

static int seen_order(const void *a, const void *b)
{
    const struct ent_seen *x = a;
    const struct ent_seen *y = b;

    if (x->ref != y->ref)
        return x->ref < y->ref ? -1 : 1;
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static void number_seen(struct history *h, const struct ent_entry *entry,
                        const struct dots *dots, struct ent_op *op)
{
    struct ent_seen *seen =
        ENT_ARENA_NEW(&h->arena, struct ent_seen, dots->count + 1);

    for (size_t d = 0; d < dots->count; d++) {
        struct ent_ref ref = ref_to(h, &dots->at[d]);

        seen[d].ordinal = dots->at[d].ordinal;
        while (ent_ref_cmp(&entry->refs[seen[d].ref], &ref) != 0)
            seen[d].ref++;
    }
    if (dots->count > 1)
        qsort(seen, dots->count, sizeof(*seen), seen_order);
    op->seen = seen;
    op->seen_count = dots->count;
}

static void fill_change(struct history *h, const struct draft *draft,
                        const struct ent_entry *entry,
                        struct ent_change *change)
{
    struct ent_buf values = {0};

    change->kind = draft->kind;
    change->id = draft->id;
    change->ops = ENT_ARENA_NEW(&h->arena, struct ent_op, draft->count);
    change->op_count = draft->count;
    for (size_t o = 0; o < draft->count; o++) {
        change->ops[o] = draft->ops[o].op;
        number_seen(h, entry, &draft->ops[o].seen, &change->ops[o]);
    }
    change->has_commitment =
        ent_values_put(&values, change->ops, change->op_count) > 0;
    if (change->has_commitment)
        change->values = take_buf(h, &values);
}

/* A clock is a claim: odd ones are kept like others. One author never claims
 * one time twice, so that the tests can tell its writes apart. */
static int64_t claim_time(struct history *h,
                          const struct history_author *author)
{
    static const int64_t odd[] = {0, -1, ENT_TIME_MS_MAX, -ENT_TIME_MS_MAX,
                                  TIME_MS + INT64_C(86400000) * 400};

    for (;;) {
        int64_t time_ms = chance(h, 90) ? TIME_MS + (int64_t)below(h, 12)
                                        : odd[below(h, ENT_ARRAY_LEN(odd))];
        bool taken = false;

        for (size_t i = 0; i < author->log_count; i++)
            taken |= h->entries[author->log[i]].entry.time_ms == time_ms;
        if (!taken)
            return time_ms;
        if (chance(h, 20))
            return TIME_MS + 1000 + (int64_t)author->log_count;
    }
}

static void name_roster_head(struct history *h, struct ent_entry *entry)
{
    const struct ent_roster_entry *head = &h->roster[h->roster_count - 1];

    if (h->forked && chance(h, 50))
        head = &h->roster[h->roster_count - 2];
    if (!h->tidy && chance(h, 20))
        head = &h->roster[below(h, h->roster_count)];
    entry->roster_pos = head->pos;
    entry->roster_hash = ent_hash_head(&head->hash);
    if (!h->tidy && chance(h, 1) && chance(h, 50))
        entry->roster_hash.b[0] ^= 1; /* a head that nobody has */
}

/* The form that remains when some changes' values were erased (L4). */
static void make_stub(struct history *h, struct history_entry *made)
{
    struct ent_entry entry = made->entry;
    struct ent_change *changes =
        ENT_ARENA_NEW(&h->arena, struct ent_change, entry.change_count);
    struct ent_buf packed = {0};
    bool any = false;

    memcpy(changes, entry.changes, entry.change_count * sizeof(*changes));
    for (size_t i = 0; i < entry.change_count; i++) {
        changes[i].erased = changes[i].has_commitment && chance(h, 70);
        any |= changes[i].erased;
    }
    if (!any)
        return;
    entry.changes = changes;
    entry.has_seed = false;
    ent_entry_put(&packed, &entry);
    made->stub = take_buf(h, &packed);
}

static int draft_order(const void *a, const void *b)
{
    const struct draft *x = a;
    const struct draft *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return ent_id_cmp(&x->id, &y->id);
}

static void write_entry(struct history *h, size_t who, struct draft *drafts,
                        size_t draft_count)
{
    struct history_author *author = &h->authors[who];
    struct history_entry *made = &h->entries[h->count];
    struct ent_entry *entry = &made->entry;
    struct ent_seal seal = {0};
    struct ent_buf packed = {0};
    int rc;

    *made = (struct history_entry){0};
    entry->space = h->space;
    entry->author = author->keys->public;
    entry->origin = author->origin;
    entry->seq = author->log_count + 1;
    if (author->log_count > 0)
        entry->prev = h->judged[author->log[author->log_count - 1]].hash;
    entry->time_ms = claim_time(h, author);
    name_roster_head(h, entry);
    qsort(drafts, draft_count, sizeof(*drafts), draft_order);
    number_refs(h, drafts, draft_count, entry);
    entry->changes = ENT_ARENA_NEW(&h->arena, struct ent_change, draft_count);
    entry->change_count = draft_count;
    for (size_t i = 0; i < draft_count; i++)
        fill_change(h, &drafts[i], entry, &entry->changes[i]);
    entry->has_seed = true;
    ent_rand_bytes(&h->rand, entry->seed, sizeof(entry->seed));
    ENT_ASSERT(ent_entry_fault(entry) == NULL);
    rc = ent_seal_entry(&seal, entry, &h->judged[h->count].hash, NULL);
    ENT_ASSERT(rc == 0);
    made->header = ent_arena_copy(&h->arena, ent_buf_slice(&seal.header));
    ent_seal_fini(&seal);
    ent_entry_put(&packed, entry);
    made->packed = take_buf(h, &packed);
    if (chance(h, 4))
        make_stub(h, made);
    h->judged[h->count].entry = entry;
    author->view |= UINT32_C(1) << h->count;
    author->log[author->log_count++] = h->count++;
}

/* ---------------------------------------------------------- the history */

/* Take in more of the other logs, each in order, none of them to the end. */
static void author_hear(struct history *h, struct history_author *author)
{
    if (chance(h, 40))
        author->before = author->view;
    for (size_t i = 0; i < h->author_count; i++) {
        const struct history_author *other = &h->authors[i];
        size_t to = other->log_count;

        if (other == author || chance(h, 45))
            continue;
        if (to > 0 && chance(h, 30))
            to = below(h, to);
        for (size_t k = 0; k < to; k++)
            author->view |= UINT32_C(1) << other->log[k];
    }
}

/* The id of some record; an owned one is mostly an author's, now and then that
 * of the key which was replaced, or nobody's. */
static struct ent_id some_id(struct history *h, uint32_t kind)
{
    struct ent_id id;

    ent_rand_bytes(&h->rand, id.b, ENT_ID_BYTES);
    if (!model_is_owned(kind) || (!h->tidy && chance(h, 2)))
        return id;
    if (h->heir != 0 && chance(h, 40))
        return model_own_id(&h->space, history_replaced_key(), id);
    return model_own_id(
        &h->space, &h->authors[below(h, h->author_count)].keys->public, id);
}

/* Whether an author writes to a record: seldom to what is another's. */
static bool would_write(struct history *h, size_t who, uint32_t kind,
                        const struct ent_id *id)
{
    struct ent_id own =
        model_own_id(&h->space, &h->authors[who].keys->public, *id);
    struct ent_id replaced =
        model_own_id(&h->space, history_replaced_key(), *id);

    if (!model_is_owned(kind) || ent_id_equal(&own, id) ||
        (h->heir == who && who != 0 && ent_id_equal(&replaced, id)))
        return true;
    return !h->tidy && chance(h, 12);
}

static void step(struct history *h, const struct ent_id *ids,
                 const uint32_t *numbers, size_t records)
{
    struct draft drafts[3];
    size_t who = below(h, h->author_count);
    struct history_author *author = &h->authors[who];
    uint32_t view;
    size_t count = 0;
    size_t wanted = chance(h, 65) ? 1 : chance(h, 60) ? 2 : 3;

    author_hear(h, author);
    /* An editor left open: the own log goes on, the view is old (M8). */
    view = chance(h, 20) ? author->before : author->view;
    for (size_t r = 0; r < records && count < wanted; r++) {
        if (!chance(h, r + 1 == records ? 100 : 50) ||
            !would_write(h, who, numbers[r], &ids[r]))
            continue;
        drafts[count].kind = numbers[r];
        drafts[count].id = ids[r];
        draft_make(h, view, &drafts[count++]);
    }
    if (count > 0)
        write_entry(h, who, drafts, count);
}

void history_make(struct history *h, uint64_t seed, bool tidy)
{
    struct ent_id ids[RECORDS_MAX];
    uint32_t numbers[RECORDS_MAX];
    size_t records;
    size_t steps;

    *h = (struct history){.tidy = tidy};
    ent_rand_init_u64(&h->rand, seed);
    roster_make(h);
    records = 1 + below(h, RECORDS_MAX);
    for (size_t r = 0; r < records; r++) {
        numbers[r] = kind_numbers[below(h, ENT_ARRAY_LEN(kind_numbers))];
        ids[r] = some_id(h, numbers[r]);
    }
    if (chance(h, 12))
        roster_erase(h, numbers, ids, records);
    steps = 4 + below(h, chance(h, 4) ? 16 : 8);
    for (size_t i = 0; i < steps; i++)
        step(h, ids, numbers, records);
    ENT_ASSERT(h->arena.rc == 0);
}

void history_fini(struct history *h)
{
    ent_arena_fini(&h->arena);
}

const struct ent_sig *history_sign(struct history *h, size_t entry)
{
    struct history_entry *made = &h->entries[entry];

    for (size_t i = 0; !made->is_signed; i++) {
        if (!ent_key_equal(&h->authors[i].keys->public, &made->entry.author))
            continue;
        ent_sign(h->authors[i].keys, made->header, &made->sig);
        made->is_signed = true;
    }
    return &made->sig;
}

/* ------------------------------------------------------------------- print */

void history_print_value(const struct ent_value *value, FILE *out)
{
    switch (value->type) {
    case ENT_VALUE_NIL:
        fputs("nil", out);
        break;
    case ENT_VALUE_BOOL:
        fputs(value->integer != 0 ? "true" : "false", out);
        break;
    case ENT_VALUE_INT:
        fprintf(out, "%" PRId64, value->integer);
        break;
    case ENT_VALUE_DECIMAL:
        fprintf(out, "%" PRId64 "e-%u", value->integer, value->scale);
        break;
    case ENT_VALUE_TEXT:
    case ENT_VALUE_BYTES:
    case ENT_VALUE_OTHER:
        fprintf(out, "%s'",
                value->type == ENT_VALUE_TEXT    ? ""
                : value->type == ENT_VALUE_BYTES ? "id"
                                                 : "packed");
        for (size_t i = 0; i < value->bytes.len; i++)
            if (value->bytes.at[i] >= 0x20 && value->bytes.at[i] < 0x7f)
                fputc(value->bytes.at[i], out);
            else
                fprintf(out, "\\x%02x", value->bytes.at[i]);
        fputc('\'', out);
        break;
    }
}

/* The entry that a reference names, as its place among all, or -1. */
static int place_of(const struct history *h, const struct ent_ref *ref)
{
    for (size_t i = 0; i < h->count; i++)
        if (memcmp(h->judged[i].hash.b, ref->hash.b, ENT_HASH8_BYTES) == 0)
            return (int)i;
    return -1;
}

static void print_op(const struct history *h, const struct ent_entry *entry,
                     const struct ent_op *op, FILE *out)
{
    static const char *const names[] = {"?",      "write", "add",
                                        "remove", "live",  "dead"};

    fprintf(out, " %s", names[op->code]);
    if (op->field != ENT_FIELD_LIFE)
        fprintf(out, " %u", op->field);
    if (ent_op_bears_value(op->code)) {
        fputc('=', out);
        history_print_value(&op->value, out);
    }
    for (size_t s = 0; s < op->seen_count; s++)
        fprintf(out, "%s%d.%u", s == 0 ? "(saw " : " ",
                place_of(h, &entry->refs[op->seen[s].ref]),
                op->seen[s].ordinal);
    if (op->seen_count > 0)
        fputc(')', out);
}

void history_print(const struct history *h, FILE *out)
{
    static const char *const verdicts[] = {"", " QUARANTINED", " REFUSED",
                                           " WAITING"};

    for (size_t i = 0; i < h->roster_count; i++) {
        const struct ent_roster_entry *entry = &h->roster[i];
        size_t who = 0;

        while (entry->kind == ENT_ROSTER_ADMIT && who < h->author_count &&
               !ent_key_equal(&h->authors[who].keys->public, &entry->member))
            who++;
        fprintf(
            out, "roster %zu: pos %" PRIu64 " hash %02x%02x author %zu %s\n", i,
            entry->pos, entry->hash.b[0], entry->hash.b[1], who,
            ent_role_name(entry->kind == ENT_ROSTER_ADMIT ? entry->role
                                                          : ENT_ROLE_CHAIR));
    }
    for (size_t i = 0; i < h->count; i++) {
        const struct ent_entry *entry = &h->entries[i].entry;
        size_t who = 0;

        while (!ent_key_equal(&h->authors[who].keys->public, &entry->author))
            who++;
        fprintf(out,
                "entry %zu: author %zu seq %" PRIu64 " time %" PRId64
                " roster %" PRIu64 "/%02x%02x hash %02x%02x%s%s\n",
                i, who, entry->seq, entry->time_ms, entry->roster_pos,
                entry->roster_hash.b[0], entry->roster_hash.b[1],
                h->judged[i].hash.b[0], h->judged[i].hash.b[1],
                verdicts[h->judged[i].verdict],
                h->entries[i].stub.len > 0 ? " (with a stub)" : "");
        for (size_t c = 0; c < entry->change_count; c++) {
            const struct ent_change *change = &entry->changes[c];

            fprintf(out, "    kind %u %02x%02x:", change->kind, change->id.b[0],
                    change->id.b[1]);
            for (size_t o = 0; o < change->op_count; o++)
                print_op(h, entry, &change->ops[o], out);
            fputc('\n', out);
        }
    }
}
