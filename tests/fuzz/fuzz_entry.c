/* fuzz_entry.c - any bytes as a packed entry, a header, the body of a roster
 * entry, a value, or a signed frontier. What decodes must encode to the very
 * same bytes: there is one form (rule L1). The first byte chooses. */
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "codec/said.h"
#include "codec/value.h"
#include "store/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(struct ent_buf *made, struct ent_slice bytes)
{
    ENT_ASSERT(made->rc == 0);
    ENT_ASSERT(ent_slice_equal(ent_buf_slice(made), bytes));
    ent_buf_fini(made);
}

static void try_entry(struct ent_slice bytes, bool first)
{
    struct ent_arena arena = {0};
    struct ent_seal seal = {0};
    struct ent_buf made = {0};
    struct ent_hash hash;
    struct ent_entry entry = {.space = {{1}},
                              .author = {{2}},
                              .origin = {{3}},
                              .seq = first ? 1 : 7,
                              .prev = {{first ? 0 : 4}}};

    if (ent_entry_get(bytes, &arena, &entry, NULL) == 0) {
        ENT_ASSERT(ent_entry_fault(&entry) == NULL);
        ent_entry_put(&made, &entry);
        same(&made, bytes);
        ENT_ASSERT(ent_seal_entry(&seal, &entry, &hash, NULL) == 0);
    }
    ent_seal_fini(&seal);
    ent_arena_fini(&arena);
}

static void try_header(struct ent_slice bytes, const char *tag)
{
    struct ent_arena arena = {0};
    struct ent_buf made = {0};
    struct ent_entry entry = {0};
    struct ent_hash body;

    if (ent_header_get(bytes, tag, &arena, &entry, &body, NULL) == 0) {
        ent_header_put(&made, tag, &entry, &body);
        same(&made, bytes);
    }
    ent_arena_fini(&arena);
}

/* Kinds that this version does not act on are not taken apart, and own fields
 * may say more than it knows. */
static void try_roster(struct ent_slice bytes)
{
    struct ent_arena arena = {0};
    struct ent_roster_entry entry = {0};
    struct ent_buf made = {0};

    if (ent_roster_body_get(bytes, &arena, &entry, NULL) == 0 &&
        entry.kind >= ENT_ROSTER_FOUND && entry.kind <= ENT_ROSTER_SUCCEED) {
        ent_roster_body_put(&made, &entry);
        same(&made, bytes);
    }
    ent_arena_fini(&arena);
}

static void try_value(struct ent_slice bytes)
{
    struct ent_arena arena = {0};
    struct ent_buf made = {0};
    struct ent_value value;

    if (ent_value_get(bytes, &arena, &value, NULL) == 0) {
        ent_value_put(&made, &value);
        same(&made, bytes);
    }
    ent_arena_fini(&arena);
}

static void try_frontier(struct ent_slice bytes)
{
    struct ent_arena arena = {0};
    struct ent_buf made = {0};
    struct ent_frontier frontier;

    if (ent_frontier_get(bytes, &arena, &frontier, NULL) == 0) {
        ent_frontier_put(&made, &frontier);
        same(&made, bytes);
    }
    ent_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ent_slice bytes;

    if (size == 0)
        return 0;
    bytes = ent_slice(data + 1, size - 1);
    switch (data[0] % 7) {
    case 0:
        try_entry(bytes, true);
        break;
    case 1:
        try_entry(bytes, false);
        break;
    case 2:
        try_header(bytes, ENT_ENTRY_TAG);
        break;
    case 3:
        try_header(bytes, ENT_ROSTER_TAG);
        break;
    case 4:
        try_roster(bytes);
        break;
    case 5:
        try_value(bytes);
        break;
    default:
        try_frontier(bytes);
        break;
    }
    return 0;
}
