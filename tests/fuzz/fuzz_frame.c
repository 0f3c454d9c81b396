/* fuzz_frame.c - any bytes as a message of a session, as a compressed batch of
 * runs, or as what such a batch unpacks to. What decodes must encode to the
 * same again. The first byte chooses. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "codec/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_frame(struct ent_slice bytes)
{
    struct ent_arena arena = {0};
    struct ent_buf made = {0};
    struct ent_frame frame;

    if (ent_frame_get(bytes, &arena, &frame, NULL) == 0) {
        ent_frame_put(&made, &frame);
        ENT_ASSERT(made.rc == 0);
        ENT_ASSERT(ent_slice_equal(ent_buf_slice(&made), bytes));
    }
    ent_buf_fini(&made);
    ent_arena_fini(&arena);
}

static bool same_run(const struct ent_frame_run *a,
                     const struct ent_frame_run *b)
{
    bool same = ent_key_equal(&a->author, &b->author) &&
                ent_id_equal(&a->origin, &b->origin) && a->from == b->from &&
                ent_hash8_equal(&a->prev, &b->prev) &&
                a->entry_count == b->entry_count &&
                ent_slice_equal(a->sig, b->sig);

    for (size_t i = 0; same && i < a->entry_count; i++)
        same = ent_slice_equal(a->entries[i], b->entries[i]);
    return same;
}

static void try_runs(struct ent_slice bytes)
{
    struct ent_arena arena = {0};
    struct ent_buf made = {0};
    struct ent_frame_run *runs;
    struct ent_frame_run *again;
    size_t count;
    size_t count_again;

    if (ent_runs_get(bytes, &arena, &runs, &count, NULL) == 0) {
        ent_runs_put(&made, runs, count);
        ENT_ASSERT(made.rc == 0);
        ENT_ASSERT(ent_runs_get(ent_buf_slice(&made), &arena, &again,
                                &count_again, NULL) == 0);
        ENT_ASSERT(count == count_again);
        for (size_t i = 0; i < count; i++)
            ENT_ASSERT(same_run(&runs[i], &again[i]));
    }
    ent_buf_fini(&made);
    ent_arena_fini(&arena);
}

/* The harness compresses, so that the input reaches what lies behind. */
static void try_unpacked(const uint8_t *data, size_t size)
{
    size_t room = ZSTD_compressBound(size);
    uint8_t *packed = malloc(room);
    size_t len =
        packed == NULL ? 0 : ZSTD_compress(packed, room, data, size, 1);

    if (len > 0 && !ZSTD_isError(len))
        try_runs(ent_slice(packed, len));
    free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 3 == 0)
        try_frame(ent_slice(data + 1, size - 1));
    else if (data[0] % 3 == 1)
        try_runs(ent_slice(data + 1, size - 1));
    else
        try_unpacked(data + 1, size - 1);
    return 0;
}
