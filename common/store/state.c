/* state.c - the cells of one record in memory, and the order of concurrent
 * ones (state.h). */
#include "store/state.h"

#include <stdlib.h>
#include <string.h>

struct ent_cell *ent_state_find(struct ent_state *state, uint32_t field,
                                int64_t n, uint32_t ordinal)
{
    for (size_t i = 0; i < state->cell_count; i++)
        if (state->cells[i].field == field && state->cells[i].n == n &&
            state->cells[i].ordinal == ordinal)
            return &state->cells[i];
    return NULL;
}

void ent_state_remove(struct ent_state *state, struct ent_cell *cell)
{
    *cell = state->cells[--state->cell_count];
}

void ent_state_add(struct ent_state *state, const struct ent_cell *cell)
{
    if (state->cell_count == state->cell_cap) {
        size_t cap = state->cell_cap == 0 ? 16 : 2 * state->cell_cap;
        struct ent_cell *cells =
            ENT_ARENA_NEW(state->arena, struct ent_cell, cap);

        if (cells == NULL)
            return;
        if (state->cell_count > 0)
            memcpy(cells, state->cells, state->cell_count * sizeof(*cells));
        state->cells = cells;
        state->cell_cap = cap;
    }
    state->cells[state->cell_count++] = *cell;
}

bool ent_state_live(const struct ent_state *state)
{
    for (size_t i = 0; i < state->cell_count; i++)
        if (state->cells[i].code == ENT_OP_LIVE)
            return true;
    return false;
}

/* ------------------------------------------------------------------- order */

struct ranked {
    struct ent_cell cell;
    size_t place; /* among what is shown first */
    int64_t at;
    struct ent_hash hash;
};

static int rank_cmp(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    int cmp;

    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->at != y->at)
        return x->at > y->at ? -1 : 1;
    cmp = memcmp(y->hash.b, x->hash.b, ENT_HASH_BYTES);
    if (cmp != 0)
        return cmp;
    return x->cell.ordinal > y->cell.ordinal
               ? -1
               : x->cell.ordinal < y->cell.ordinal;
}

/* Where a value stands in the field's list; behind it when it does not. */
static size_t place_of(const struct ent_field *field,
                       const struct ent_value *value)
{
    const char *at = field == NULL || field->first == NULL ? "" : field->first;
    size_t place = 0;

    for (; *at != '\0' && value->type == ENT_VALUE_TEXT; place++) {
        size_t len = strcspn(at, "|");

        if (ent_slice_equal(value->bytes, ent_slice(at, len)))
            return place;
        at += len + (at[len] == '|');
    }
    return SIZE_MAX;
}

int ent_cells_sort(struct ent_store *store, const struct ent_field *field,
                   struct ent_cell *cells, size_t count, struct ent_err *err)
{
    struct ranked *ranked;
    int rc = 0;

    if (count < 2)
        return 0;
    ranked = calloc(count, sizeof(*ranked));
    if (ranked == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_log_meta meta = {0};

        ranked[i].cell = cells[i];
        ranked[i].place = place_of(field, &cells[i].value);
        /* The entry being applied is not in the log yet. */
        if (cells[i].n == store->applying.n) {
            ranked[i].at = store->applying.at;
            ranked[i].hash = store->applying.hash;
            continue;
        }
        rc = ent_log_meta(store, cells[i].n, &meta, err);
        ranked[i].at = meta.at;
        ranked[i].hash = meta.hash;
        if (rc == ENT_ENOTFOUND) /* a damaged log is for verify to tell */
            rc = 0;
    }
    if (rc == 0) {
        qsort(ranked, count, sizeof(*ranked), rank_cmp);
        for (size_t i = 0; i < count; i++)
            cells[i] = ranked[i].cell;
    }
    free(ranked);
    return rc;
}
