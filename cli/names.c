/* names.c - see names.h. */
#include "cli/names.h"

#include <stdlib.h>
#include <string.h>

#include "store/query.h"
#include "text/unicode.h"

#define NAMES_PER_RECORD 3

struct name {
    const char *key;
    const char *text;
    struct ent_slice bare;
};

struct names {
    struct name *by_key; /* one each */
    size_t key_count;
    struct name *by_name;
    size_t name_count;
    struct ent_arena arena;
};

static int key_order(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->key, ((const struct name *)b)->key);
}

static int name_order(const void *a, const void *b)
{
    const struct name *x = a;
    const struct name *y = b;
    int order = ent_slice_cmp(x->bare, y->bare);

    return order != 0 ? order : strcmp(x->key, y->key);
}

/* The fields that say a name: the title, in both languages, and the acronym.
 * The first column is the code. */
static size_t
pick_columns(const struct ent_kind *kind,
             const struct ent_field *columns[NAMES_PER_RECORD + 1])
{
    const char *tails[] = {"_fr", "_en"};
    const char *title = kind->title == NULL ? "" : kind->title;
    size_t stem = strlen(title);
    size_t count = 0;

    columns[count++] = ent_field_find(kind, ENT_FIELD_CODE);
    if (ent_field_named(kind, title) != NULL)
        columns[count++] = ent_field_named(kind, title);
    if (stem > 3 && strcmp(title + stem - 3, tails[0]) == 0) {
        char other[ENT_FIELD_NAME_MAX + 1];

        memcpy(other, title, stem - 3);
        memcpy(other + stem - 3, tails[1], 4);
        if (ent_field_named(kind, other) != NULL)
            columns[count++] = ent_field_named(kind, other);
    }
    if (count < NAMES_PER_RECORD + 1 &&
        ent_field_named(kind, "acronym") != NULL)
        columns[count++] = ent_field_named(kind, "acronym");
    return count;
}

static int grow(struct name **list, size_t count)
{
    struct name *more;

    if ((count & (count - 1)) != 0) /* room doubles at powers of two */
        return 0;
    more = realloc(*list, (count == 0 ? 1 : 2 * count) * sizeof(**list));
    if (more == NULL)
        return -1;
    *list = more;
    return 0;
}

static int put_record(struct names *names, struct ent_query *query,
                      size_t columns)
{
    const char *code = ent_query_text(query, 3);
    struct name one = {
        .key = ent_arena_str(&names->arena,
                             *code == '\0' ? ent_query_text(query, 1) : code),
    };

    for (size_t i = 1; one.key != NULL && i < columns; i++) {
        const char *text = ent_query_text(query, 3 + i);
        struct ent_buf bare = {0};

        if (*text == '\0')
            continue;
        ent_text_put_bare(&bare, ent_slice_str(text));
        one.text = ent_arena_str(&names->arena, text);
        one.bare = ent_arena_copy(&names->arena, ent_buf_slice(&bare));
        ent_buf_fini(&bare);
        if (one.text == NULL || one.bare.at == NULL ||
            grow(&names->by_name, names->name_count) < 0)
            return -1;
        names->by_name[names->name_count++] = one;
        if (names->key_count > 0 &&
            names->by_key[names->key_count - 1].key == one.key)
            continue; /* it is called by the first */
        if (grow(&names->by_key, names->key_count) < 0)
            return -1;
        names->by_key[names->key_count++] = one;
    }
    return one.key == NULL ? -1 : 0;
}

int names_load(struct cmd_ctx *ctx, const struct ent_kind *kind,
               struct names **out)
{
    const struct ent_field *columns[NAMES_PER_RECORD + 1];
    const struct ent_listing listing = {
        .kind = kind,
        .columns = columns,
        .column_count = pick_columns(kind, columns),
    };
    struct names *names = calloc(1, sizeof(*names));
    struct ent_query *query = NULL;
    int rc;

    if (names == NULL)
        return cmd_no_memory(ctx);
    rc = ent_query_list(ctx->store, &listing, &query, &ctx->err);
    while (rc == 0 && (rc = ent_query_next(query, &ctx->err)) > 0)
        rc = put_record(names, query, listing.column_count) < 0
                 ? cmd_no_memory(ctx)
                 : 0;
    ent_query_close(query);
    if (rc < 0) {
        names_free(names);
        return rc;
    }
    if (names->key_count > 0)
        qsort(names->by_key, names->key_count, sizeof(*names->by_key),
              key_order);
    if (names->name_count > 0)
        qsort(names->by_name, names->name_count, sizeof(*names->by_name),
              name_order);
    *out = names;
    return 0;
}

void names_free(struct names *names)
{
    if (names == NULL)
        return;
    free(names->by_key);
    free(names->by_name);
    ent_arena_fini(&names->arena);
    free(names);
}

const char *names_of(const struct names *names, struct ent_slice key)
{
    size_t low = 0;
    size_t high = names->key_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = ent_slice_cmp(ent_slice_str(names->by_key[mid].key), key);

        if (order == 0)
            return names->by_key[mid].text;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const char *names_find(const struct names *names, struct ent_slice name)
{
    struct ent_buf bare = {0};
    const struct name *found = NULL;
    size_t low = 0;
    size_t high = names->name_count;
    bool one = true;

    ent_text_put_bare(&bare, name);
    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (ent_slice_cmp(names->by_name[mid].bare, ent_buf_slice(&bare)) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < names->name_count &&
           ent_slice_equal(names->by_name[low].bare, ent_buf_slice(&bare));
         low++) {
        if (found != NULL && strcmp(found->key, names->by_name[low].key) != 0)
            one = false;
        found = &names->by_name[low];
    }
    ent_buf_fini(&bare);
    return found != NULL && one ? found->key : NULL;
}
