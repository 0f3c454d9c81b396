/* iso.c - see iso.h. */
#include "cli/iso.h"

#include <stdlib.h>
#include <string.h>

#include "cli/pick.h"
#include "text/unicode.h"

#define NAMES_MAX 60000

void iso_fini(struct iso_names *names)
{
    free(names->list);
    ent_arena_fini(&names->arena);
}

const char *iso_put(struct iso_names *names, struct ent_slice text,
                    const char *code)
{
    struct ent_buf bare = {0};
    struct iso_name *name;

    if (text.len == 0 || strlen(code) >= ISO_CODE || names->count == NAMES_MAX)
        return NULL;
    if (names->count == names->cap) {
        size_t cap = names->cap == 0 ? 2048 : 2 * names->cap;
        struct iso_name *list = realloc(names->list, cap * sizeof(*list));

        if (list == NULL)
            return NULL;
        names->list = list;
        names->cap = cap;
    }
    ent_text_put_bare(&bare, text);
    name = &names->list[names->count];
    name->bare = ent_arena_copy(&names->arena, ent_buf_slice(&bare));
    name->text = (const char *)ent_arena_copy(&names->arena, text).at;
    memcpy(name->code, code, strlen(code) + 1);
    ent_buf_fini(&bare);
    if (name->bare.at == NULL || name->text == NULL)
        return NULL;
    names->count++;
    return name->text;
}

static int by_bare(const void *a, const void *b)
{
    const struct iso_name *x = a;
    const struct iso_name *y = b;
    int order = ent_slice_cmp(x->bare, y->bare);

    return order != 0 ? order : strcmp(x->code, y->code);
}

/* A name that one code has twice (in English and French) is kept once. */
void iso_sort(struct iso_names *names)
{
    size_t kept = 0;

    if (names->count == 0)
        return;
    qsort(names->list, names->count, sizeof(*names->list), by_bare);
    for (size_t i = 1; i < names->count; i++)
        if (by_bare(&names->list[kept], &names->list[i]) != 0)
            names->list[++kept] = names->list[i];
    names->count = kept + 1;
}

const struct iso_name *iso_find(const struct iso_names *names,
                                struct ent_slice text, size_t *count)
{
    struct ent_buf bare = {0};
    size_t low = 0;
    size_t high = names->count;

    ent_text_put_bare(&bare, text);
    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (ent_slice_cmp(names->list[mid].bare, ent_buf_slice(&bare)) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *count = 0;
    while (
        low + *count < names->count &&
        ent_slice_equal(names->list[low + *count].bare, ent_buf_slice(&bare)))
        (*count)++;
    ent_buf_fini(&bare);
    return *count == 0 ? NULL : &names->list[low];
}

const struct iso_name *iso_near(const struct iso_names *names,
                                struct ent_slice text)
{
    const struct iso_name *found = NULL;
    struct pick_near near = {0};
    struct ent_buf bare = {0};
    const char *word;

    ent_text_put_bare(&bare, text);
    word = ent_buf_cstr(&bare);
    for (size_t i = 0; word != NULL && i < names->count; i++) {
        const char *name = (const char *)names->list[i].bare.at;

        pick_offer(&near, word, name);
        if (near.name == name)
            found = &names->list[i];
    }
    ent_buf_fini(&bare);
    return found;
}
