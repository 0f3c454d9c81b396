/* forge.c - see forge.h. */
#include "forge.h"

#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "secure/hash.h"
#include "store/seal.h"

void forge_entry(struct forged *forged, struct ent_arena *arena)
{
    struct ent_op ops[] = {
        {.code = ENT_OP_LIVE, .field = ENT_FIELD_LIFE},
        {.code = ENT_OP_WRITE,
         .field = forged->field,
         .seen = forged->seen,
         .seen_count = forged->seen_count,
         .value = ent_value_text(ent_slice_str(forged->text))}};
    struct ent_change change = {.kind = forged->kind,
                                .id = forged->record,
                                .ops = ops,
                                .op_count = ENT_ARRAY_LEN(ops)};
    struct ent_entry *entry = &forged->entry;
    struct ent_entry read;
    struct ent_seal seal = {0};
    struct ent_buf values = {0};
    struct ent_buf packed = {0};
    struct ent_err err = {0};
    int rc;

    change.has_commitment =
        ent_values_put(&values, ops, ENT_ARRAY_LEN(ops)) > 0;
    change.values = ent_buf_slice(&values);
    entry->has_seed = true;
    entry->changes = &change;
    entry->change_count = 1;
    ent_entry_put(&packed, entry);
    forged->packed = ent_arena_copy(arena, ent_buf_slice(&packed));
    ent_buf_fini(&packed);
    ent_buf_fini(&values);
    /* Read back: commitments are made of the bytes that go out. */
    read = *entry;
    rc = ent_entry_get(forged->packed, arena, &read, &err);
    ENT_ASSERT(rc == 0);
    rc = ent_seal_entry(&seal, &read, &forged->hash, &err);
    ENT_ASSERT(rc == 0);
    forged->header = ent_arena_copy(arena, ent_buf_slice(&seal.header));
    ent_seal_fini(&seal);
    entry->changes = NULL;
    entry->change_count = 0;
}

static struct ent_slice sign(const struct ent_keys *signer,
                             struct ent_slice message, struct ent_arena *arena)
{
    struct ent_sig sig;

    ent_sign(signer, message, &sig);
    return ent_arena_copy(arena, ent_slice(sig.b, sizeof(sig.b)));
}

struct ent_frame_run forge_run(const struct forged *forged, size_t count,
                               const struct ent_keys *signer,
                               struct ent_arena *arena)
{
    const struct ent_entry *first = &forged[0].entry;
    struct ent_slice *entries = ENT_ARENA_NEW(arena, struct ent_slice, count);

    ENT_ASSERT(entries != NULL);
    for (size_t i = 0; i < count; i++)
        entries[i] = forged[i].packed;
    return (struct ent_frame_run){
        .author = first->author,
        .origin = first->origin,
        .from = first->seq,
        .prev = ent_hash_head(&first->prev),
        .entries = entries,
        .entry_count = count,
        .sig = sign(signer, forged[count - 1].header, arena)};
}

struct ent_frame_roster forge_roster(const struct ent_keys *signer,
                                     const struct ent_id *space,
                                     const struct ent_hash *prev,
                                     const struct ent_roster_entry *entry,
                                     struct ent_arena *arena)
{
    const struct ent_entry header = {.space = *space,
                                     .author = signer->public,
                                     .seq = entry->pos,
                                     .prev = *prev,
                                     .roster_pos = entry->pos - 1,
                                     .roster_hash = ent_hash_head(prev),
                                     .time_ms = entry->time_ms};
    struct ent_frame_roster made;
    struct ent_buf bytes = {0};
    struct ent_hash hash;

    ent_roster_body_put(&bytes, entry);
    made.body = ent_arena_copy(arena, ent_buf_slice(&bytes));
    hash = ent_hash_of(made.body);
    ent_buf_reset(&bytes);
    ent_header_put(&bytes, ENT_ROSTER_TAG, &header, &hash);
    made.header = ent_arena_copy(arena, ent_buf_slice(&bytes));
    ent_buf_fini(&bytes);
    made.sig = sign(signer, made.header, arena);
    return made;
}

struct ent_frame_said forge_said(const struct ent_keys *signer,
                                 const struct ent_frontier *frontier,
                                 struct ent_arena *arena)
{
    struct ent_frame_said made = {.key = frontier->key,
                                  .counter = frontier->counter};
    struct ent_buf bytes = {0};

    ent_frontier_put(&bytes, frontier);
    made.body = ent_arena_copy(arena, ent_buf_slice(&bytes));
    ent_buf_fini(&bytes);
    made.sig = sign(signer, made.body, arena);
    return made;
}
