/* codes.c - see codes.h. */
#include "cli/codes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/pick.h"
#include "store/query.h"
#include "store/spaces.h"

void codes_fini(struct codes *codes)
{
    free(codes->items);
    free(codes->by_id);
    ent_arena_fini(&codes->arena);
}

int codes_put(struct codes *codes, const struct codes_item *item,
              struct ent_err *err)
{
    if (codes->count == codes->cap) {
        size_t cap = codes->cap == 0 ? 256 : 2 * codes->cap;
        struct codes_item *items = realloc(codes->items, cap * sizeof(*items));

        if (items == NULL)
            return ent_err_set(err, ENT_ENOMEM, "out of memory");
        codes->items = items;
        codes->cap = cap;
    }
    codes->items[codes->count++] = *item;
    return 0;
}

int codes_load(struct cmd_ctx *ctx, struct codes *codes,
               const struct ent_kind *kind, int64_t space)
{
    return codes_load_some(ctx, codes, kind, space, NULL, 0,
                           ENT_SHARING_PRIVATE);
}

int codes_load_some(struct cmd_ctx *ctx, struct codes *codes,
                    const struct ent_kind *kind, int64_t space,
                    const struct ent_filter *filters, size_t count,
                    enum ent_sharing sharing)
{
    const struct ent_field *code = ent_field_find(kind, ENT_FIELD_CODE);
    const struct ent_listing listing = {
        .kind = kind,
        .space = space,
        .filters = filters,
        .filter_count = count,
        .columns = &code,
        .column_count = 1,
        .apart = true,
        .sharing = sharing,
    };
    struct codes_item item = {.kind = kind->number, .space = space};
    char last[ENT_HANDLE_MAX + 1] = "";
    struct ent_query *query;
    int rc = ent_query_list(ctx->store, &listing, &query, &ctx->err);

    if (rc < 0)
        return rc;
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        const char *handle = ent_query_text(query, 0);

        if (!ent_id_parse(ent_query_text(query, 1), &item.id))
            continue;
        if (space == 0 && strcmp(handle, last) != 0) {
            rc = ent_space_find(ctx->store, handle, &item.space, &ctx->err);
            if (rc < 0)
                break;
            snprintf(last, sizeof(last), "%s", handle);
        }
        item.code = ent_arena_copy(&codes->arena,
                                   ent_slice_str(ent_query_text(query, 3)));
        rc = codes_put(codes, &item, &ctx->err);
        if (rc < 0)
            break;
    }
    ent_query_close(query);
    if (rc == 0 && codes->arena.rc < 0)
        rc = cmd_no_memory(ctx);
    return rc;
}

static bool is_target(const struct ent_kinds *kinds, const char *name)
{
    for (size_t i = 0; i < kinds->count; i++)
        for (size_t j = 0; j < kinds->kinds[i].field_count; j++)
            if (ent_kind_is_listed(kinds->kinds[i].fields[j].targets, name))
                return true;
    return false;
}

int codes_load_targets(struct cmd_ctx *ctx, struct codes *codes)
{
    for (size_t i = 0; i < ctx->kinds.count; i++) {
        const struct ent_kind *kind = &ctx->kinds.kinds[i];
        int rc;

        if (!is_target(&ctx->kinds, kind->name))
            continue;
        rc = codes_load(ctx, codes, kind, 0);
        if (rc < 0)
            return rc;
    }
    return codes_sort(codes, &ctx->err);
}

static int compare(uint32_t kind, struct ent_slice code,
                   const struct codes_item *item)
{
    if (kind != item->kind)
        return kind < item->kind ? -1 : 1;
    return ent_slice_cmp(code, item->code);
}

static int by_code(const void *a, const void *b)
{
    const struct codes_item *x = a;
    const struct codes_item *y = b;
    int order = compare(x->kind, x->code, y);

    return order != 0 ? order : ent_id_cmp(&x->id, &y->id);
}

static int by_id(const void *a, const void *b)
{
    const struct codes_item *x = *(const struct codes_item *const *)a;
    const struct codes_item *y = *(const struct codes_item *const *)b;

    return ent_id_cmp(&x->id, &y->id);
}

int codes_sort(struct codes *codes, struct ent_err *err)
{
    free(codes->by_id);
    codes->by_id = calloc(codes->count + 1, sizeof(*codes->by_id));
    if (codes->by_id == NULL)
        return ent_err_set(err, ENT_ENOMEM, "out of memory");
    if (codes->count == 0)
        return 0;
    qsort(codes->items, codes->count, sizeof(*codes->items), by_code);
    for (size_t i = 0; i < codes->count; i++)
        codes->by_id[i] = &codes->items[i];
    qsort(codes->by_id, codes->count, sizeof(*codes->by_id), by_id);
    return 0;
}

const struct codes_item *codes_find(const struct codes *codes, uint32_t kind,
                                    struct ent_slice code)
{
    size_t low = 0;
    size_t high = codes->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(kind, code, &codes->items[middle]) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < codes->count && compare(kind, code, &codes->items[low]) == 0)
        return &codes->items[low];
    return NULL;
}

const struct codes_item *codes_near(const struct codes *codes, uint32_t kind,
                                    const char *word)
{
    const struct codes_item *found = NULL;
    struct pick_near nearest = {0};

    for (size_t i = 0; i < codes->count; i++) {
        const struct codes_item *item = &codes->items[i];
        struct pick_near near = {0};
        char code[64];

        if (item->kind != kind || item->code.len == 0 ||
            item->code.len >= sizeof(code))
            continue;
        memcpy(code, item->code.at, item->code.len);
        code[item->code.len] = '\0';
        pick_offer(&near, word, code);
        if (near.name == NULL ||
            (found != NULL && near.distance >= nearest.distance))
            continue;
        found = item;
        nearest = near;
    }
    return found;
}

static const struct codes_item *find_id(const struct codes *codes,
                                        struct ent_slice bytes)
{
    struct codes_item wanted;
    const struct codes_item *key = &wanted;
    const struct codes_item **found;

    if (bytes.len != sizeof(wanted.id.b) || codes->count == 0)
        return NULL;
    memcpy(wanted.id.b, bytes.at, sizeof(wanted.id.b));
    found =
        bsearch(&key, codes->by_id, codes->count, sizeof(*codes->by_id), by_id);
    return found == NULL ? NULL : *found;
}

const struct codes_item *codes_follow(const struct cmd_ctx *ctx,
                                      const struct codes *codes,
                                      const struct ent_field *field,
                                      const struct ent_value *value)
{
    const char *targets = field->targets == NULL ? "" : field->targets;
    struct ent_slice code = value->bytes;
    char text[ENT_ID_TEXT];
    struct ent_id id;

    if (value->type == ENT_VALUE_BYTES && value->bytes.len == sizeof(id.b)) {
        const struct codes_item *item = find_id(codes, value->bytes);

        if (item != NULL)
            return item;
        memcpy(id.b, value->bytes.at, sizeof(id.b));
        ent_id_text(&id, text);
        code = ent_slice_str(text);
    } else if (value->type != ENT_VALUE_TEXT) {
        return NULL;
    }
    while (*targets != '\0') {
        size_t len = strcspn(targets, "|");

        for (size_t i = 0; i < ctx->kinds.count; i++) {
            const struct ent_kind *kind = &ctx->kinds.kinds[i];
            const struct codes_item *item;

            if (strlen(kind->name) != len ||
                strncmp(kind->name, targets, len) != 0)
                continue;
            item = codes_find(codes, kind->number, code);
            if (item != NULL)
                return item;
        }
        targets += len + (targets[len] == '|');
    }
    return NULL;
}
