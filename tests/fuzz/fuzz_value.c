/* fuzz_value.c - values in all their forms: any bytes packed, any text as a
 * field of each type, arrays of texts as JSON, and text on its way to a
 * terminal or a table. What one form says the others say too.
 * The first byte chooses, the second is the type of the field. */
#include <string.h>

#include "base/utf8.h"
#include "codec/value.h"
#include "store/json.h"
#include "text/parse.h"
#include "text/unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ent_term terms[] = {
    {"status", "draft", {"Draft", "Ébauche"}, "", "project"},
    {"status", "done", {"Done", "Terminée"}, "iati:4", "project"},
};

static const struct ent_vocab vocab = {.terms = terms, .count = 2};

/* Packed and unpacked it is the same, and there is one form (L1). */
static void try_packing(const struct ent_value *value, struct ent_arena *arena)
{
    struct ent_buf packed = {0};
    struct ent_buf twice = {0};
    struct ent_value again;

    ent_value_put(&packed, value);
    ENT_ASSERT(ent_value_get(ent_buf_slice(&packed), arena, &again, NULL) == 0);
    ENT_ASSERT(ent_value_equal(value, &again));
    ent_value_put(&twice, &again);
    ENT_ASSERT(ent_slice_equal(ent_buf_slice(&packed), ent_buf_slice(&twice)));
    ent_buf_fini(&packed);
    ent_buf_fini(&twice);
}

static void try_packed(struct ent_slice bytes, struct ent_arena *arena)
{
    struct ent_buf text = {0};
    struct ent_value value;

    if (ent_value_get(bytes, arena, &value, NULL) < 0)
        return;
    try_packing(&value, arena);
    ent_value_print(&value, &text);
    ENT_ASSERT(text.rc == 0);
    ent_buf_fini(&text);
}

static void try_text(enum ent_field_type type, struct ent_slice in,
                     struct ent_arena *arena)
{
    const struct ent_field field = {
        .name = "f", .type = type, .list = "status"};
    struct ent_buf text = {0};
    struct ent_value value;
    struct ent_value again;
    struct ent_err err;

    if (in.len == 0 ||
        ent_value_parse(&field, &vocab, in, arena, &value, &err) < 0)
        return;
    try_packing(&value, arena);
    ent_value_print(&value, &text);
    ENT_ASSERT(ent_value_parse(&field, &vocab, ent_buf_slice(&text), arena,
                               &again, &err) == 0);
    ENT_ASSERT(ent_value_equal(&value, &again));
    ent_buf_fini(&text);
}

/* Clean text is clean again, and has a bare form for searching. */
static void try_cleaning(struct ent_slice in, struct ent_arena *arena)
{
    struct ent_buf bare = {0};
    struct ent_slice clean;
    struct ent_slice again;
    struct ent_err err;

    if (ent_text_clean(in, arena, &clean, &err) == 0) {
        ENT_ASSERT(ent_utf8_valid(clean) == clean.len);
        ENT_ASSERT(ent_text_clean(clean, arena, &again, &err) == 0);
        ENT_ASSERT(ent_slice_equal(clean, again));
        ent_text_put_bare(&bare, clean);
        ENT_ASSERT(ent_utf8_valid(ent_buf_slice(&bare)) == bare.len);
    }
    ent_buf_fini(&bare);
}

static void try_json(struct ent_slice in, struct ent_arena *arena)
{
    struct ent_buf json = {0};
    struct ent_slice *texts;
    struct ent_slice *again;
    size_t count, count_again;

    if (!ent_json_get_texts(in, arena, &texts, &count))
        return;
    ent_json_put_texts(&json, texts, count);
    ENT_ASSERT(
        ent_json_get_texts(ent_buf_slice(&json), arena, &again, &count_again));
    ENT_ASSERT(count == count_again);
    for (size_t i = 0; i < count; i++)
        ENT_ASSERT(ent_slice_equal(texts[i], again[i]));
    ent_buf_fini(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ent_arena arena = {0};
    struct ent_slice rest;

    if (size < 2)
        return 0;
    rest = ent_slice(data + 2, size - 2);
    switch (data[0] % 4) {
    case 0:
        try_packed(rest, &arena);
        break;
    case 1:
        try_text((enum ent_field_type)(data[1] % (ENT_TYPE_YESNO + 1)), rest,
                 &arena);
        break;
    case 2:
        try_cleaning(rest, &arena);
        break;
    default:
        try_json(rest, &arena);
        break;
    }
    ent_arena_fini(&arena);
    return 0;
}
