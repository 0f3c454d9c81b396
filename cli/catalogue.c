/* catalogue.c - see catalogue.h. */
#include "cli/catalogue.h"

#include <stdio.h>

static uint32_t le32(const struct catalogue *cat, size_t at)
{
    const uint8_t *b = cat->bytes.at + at;

    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
           (uint32_t)b[3] << 24;
}

void catalogue_open(struct catalogue *cat, const char *path)
{
    FILE *file = fopen(path, "re");
    uint8_t *bytes =
        file == NULL ? NULL : ent_buf_grow(&cat->bytes, CATALOGUE_BYTES_MAX);

    if (bytes != NULL)
        cat->bytes.len = fread(bytes, 1, CATALOGUE_BYTES_MAX, file);
    if (file != NULL)
        fclose(file);
    if (bytes == NULL || cat->bytes.len < 28 || le32(cat, 0) != 0x950412deu)
        return;
    cat->originals = le32(cat, 12);
    cat->translations = le32(cat, 16);
    if (le32(cat, 8) <= CATALOGUE_TEXTS_MAX &&
        cat->originals + 8ull * le32(cat, 8) <= cat->bytes.len &&
        cat->translations + 8ull * le32(cat, 8) <= cat->bytes.len)
        cat->count = le32(cat, 8);
}

void catalogue_fini(struct catalogue *cat)
{
    ent_buf_fini(&cat->bytes);
    *cat = (struct catalogue){0};
}

static struct ent_slice catalogue_text(const struct catalogue *cat,
                                       uint32_t table, uint32_t i)
{
    uint32_t len = le32(cat, table + 8 * i);
    uint32_t at = le32(cat, table + 8 * i + 4);

    if (at > cat->bytes.len || len > cat->bytes.len - at)
        return ent_slice(NULL, 0);
    return ent_slice(cat->bytes.at + at, len);
}

struct ent_slice catalogue_find(const struct catalogue *cat,
                                struct ent_slice text)
{
    uint32_t low = 0;
    uint32_t high = cat->count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order =
            ent_slice_cmp(catalogue_text(cat, cat->originals, mid), text);

        if (order == 0)
            return catalogue_text(cat, cat->translations, mid);
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return ent_slice(NULL, 0);
}
