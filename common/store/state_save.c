/* state_save.c - the cells of a record are put where they belong: in its row
 * when one value stands there, else in table `cell` (state.h). */
#include <stdlib.h>
#include <string.h>

#include "codec/value.h"
#include "store/json.h"
#include "store/meta.h"

/* --------------------------------------------------- what the row can hold */

/* Elements in the order they were added in, as far as that is told: by
 * ordinal, then by value. Every replica shows the same order. */
static int element_cmp(const void *a, const void *b)
{
    const struct ent_cell *x = *(const struct ent_cell *const *)a;
    const struct ent_cell *y = *(const struct ent_cell *const *)b;

    if (x->ordinal != y->ordinal)
        return x->ordinal < y->ordinal ? -1 : 1;
    return ent_slice_cmp(x->value.bytes, y->value.bytes);
}

/* Life stands in the row unless a deletion stands beside an edit. */
static bool save_life(struct ent_state *state, const struct ent_cell *cells,
                      size_t count)
{
    struct ent_meta_group *group;

    for (size_t i = 0; i < count; i++)
        if (cells[i].code != ENT_OP_LIVE)
            return false;
    if (count == 1 && cells[0].n == state->usual) {
        ent_meta_drop(state, ENT_FIELD_LIFE);
        return true;
    }
    group = ent_meta_make(state, ENT_FIELD_LIFE, count);
    for (size_t i = 0; group != NULL && i < count; i++)
        group->dots[i].n = cells[i].n;
    return true;
}

/* One value, or several equal ones: the column holds it. */
static bool save_register(struct ent_state *state,
                          const struct ent_field *field,
                          const struct ent_cell *cells, size_t count,
                          struct ent_value *shown)
{
    struct ent_meta_group *group;

    for (size_t i = 0; i < count; i++)
        if (cells[i].code != ENT_OP_WRITE || cells[i].missing ||
            !ent_value_equal(&cells[i].value, &cells[0].value) ||
            (cells[i].value.type != ENT_VALUE_NIL &&
             !ent_table_fits(field, &cells[i].value)))
            return false;
    *shown = count == 0 ? ent_value_nil() : cells[0].value;
    if (count == 0 || (count == 1 && cells[0].n == state->usual &&
                       shown->type != ENT_VALUE_NIL)) {
        ent_meta_drop(state, field->number);
        return true;
    }
    group = ent_meta_make(state, field->number, count);
    for (size_t i = 0; group != NULL && i < count; i++)
        group->dots[i].n = cells[i].n;
    return true;
}

/* Place of a text in a list, `count` when it is not there. */
static size_t place_of(const struct ent_slice *texts, size_t count,
                       struct ent_slice text)
{
    size_t at = 0;

    while (at < count && !ent_slice_equal(texts[at], text))
        at++;
    return at;
}

/* The different texts of a set, in the order of display; their number. */
static size_t set_texts(struct ent_state *state, const struct ent_cell *cells,
                        size_t count, struct ent_slice **texts)
{
    const struct ent_cell **sorted =
        ent_arena_array(state->arena, count + 1, sizeof(*sorted));
    size_t kept = 0;

    *texts = ENT_ARENA_NEW(state->arena, struct ent_slice, count + 1);
    if (*texts == NULL || sorted == NULL)
        return 0;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &cells[i];
    qsort(sorted, count, sizeof(*sorted), element_cmp);
    for (size_t i = 0; i < count; i++)
        if (place_of(*texts, kept, sorted[i]->value.bytes) == kept)
            (*texts)[kept++] = sorted[i]->value.bytes;
    return kept;
}

static bool save_set(struct ent_state *state, const struct ent_field *field,
                     const struct ent_cell *cells, size_t count,
                     struct ent_value *shown)
{
    struct ent_meta_group *group;
    struct ent_slice *texts;
    struct ent_buf json = {0};
    size_t kept;
    bool usual;

    for (size_t i = 0; i < count; i++)
        if (cells[i].code != ENT_OP_ADD || cells[i].missing ||
            cells[i].value.type != ENT_VALUE_TEXT)
            return false;
    *shown = ent_value_nil();
    ent_meta_drop(state, field->number);
    if (count == 0)
        return true;
    kept = set_texts(state, cells, count, &texts);
    ent_json_put_texts(&json, texts, kept);
    *shown = ent_value_text(ent_arena_copy(state->arena, ent_buf_slice(&json)));
    if (json.rc < 0)
        state->arena->rc = json.rc;
    ent_buf_fini(&json);
    usual = kept == count;
    for (size_t i = 0; usual && i < count; i++)
        usual = cells[i].n == state->usual && cells[i].ordinal == i &&
                ent_slice_equal(cells[i].value.bytes, texts[i]);
    if (usual)
        return true;
    group = ent_meta_make(state, field->number, count);
    for (size_t i = 0; group != NULL && i < count; i++)
        group->dots[i] = (struct ent_meta_dot){
            .n = cells[i].n,
            .ordinal = cells[i].ordinal,
            .at = (uint32_t)place_of(texts, kept, cells[i].value.bytes)};
    return true;
}

/* -------------------------------------------------------------- table cell */

/* Those that stand there already stay. */
static int put_cells(struct ent_store *store, struct ent_state *state,
                     const struct ent_cell *cells, size_t count,
                     struct ent_err *err)
{
    struct ent_buf value = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_stmt *stmt;

        if (cells[i].stored > 0) {
            state->stored[cells[i].stored - 1].stays = true;
            continue;
        }
        store->cells_empty = false;
        stmt = ent_db_stmt(&store->db, ENT_SQL_CELL_INSERT);
        ent_stmt_bind_int(stmt, 1, state->space);
        ent_stmt_bind_int(stmt, 2, state->kind);
        ent_stmt_bind_blob(stmt, 3, state->id.b, ENT_ID_BYTES);
        ent_stmt_bind_int(stmt, 4, cells[i].field);
        ent_stmt_bind_int(stmt, 5, cells[i].n);
        ent_stmt_bind_int(stmt, 6, cells[i].ordinal);
        ent_stmt_bind_int(stmt, 7, cells[i].code);
        ent_buf_reset(&value);
        ent_value_put(&value, &cells[i].value);
        if (value.rc < 0)
            rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
        if (cells[i].missing)
            ent_stmt_bind_null(stmt, 8);
        else
            ent_stmt_bind_blob(stmt, 8, value.at, value.len);
        if (rc == 0)
            rc = ent_stmt_run(stmt, err);
    }
    ent_buf_fini(&value);
    return rc;
}

/* What was loaded out of table `cell` and was not put back goes. */
static int drop_cells(struct ent_store *store, const struct ent_state *state,
                      struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < state->stored_count; i++) {
        const struct ent_stored_cell *cell = &state->stored[i];
        struct ent_stmt *stmt;

        if (cell->stays)
            continue;
        stmt = ent_db_stmt(&store->db, ENT_SQL_CELL_DELETE);
        ent_stmt_bind_int(stmt, 1, state->space);
        ent_stmt_bind_int(stmt, 2, state->kind);
        ent_stmt_bind_blob(stmt, 3, state->id.b, ENT_ID_BYTES);
        ent_stmt_bind_int(stmt, 4, cell->field);
        ent_stmt_bind_int(stmt, 5, cell->n);
        ent_stmt_bind_int(stmt, 6, cell->ordinal);
        rc = ent_stmt_run(stmt, err);
    }
    return rc;
}

/* ------------------------------------------------------------------ fields */

/* What a contested column shows: the first of the field's values. */
static int show_first(struct ent_store *store, struct ent_state *state,
                      const struct ent_field *field,
                      const struct ent_cell *cells, size_t count,
                      struct ent_value *shown, struct ent_err *err)
{
    struct ent_cell *copy = ENT_ARENA_NEW(state->arena, struct ent_cell, count);
    int rc;

    if (copy == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    memcpy(copy, cells, count * sizeof(*copy));
    rc = ent_cells_sort(store, field, copy, count, err);
    *shown = copy[0].value;
    return rc;
}

/* The cells of one field: the state is sorted before. */
static const struct ent_cell *cells_of(const struct ent_state *state,
                                       uint32_t field, size_t *count)
{
    size_t first = 0;

    while (first < state->cell_count && state->cells[first].field < field)
        first++;
    *count = 0;
    while (first + *count < state->cell_count &&
           state->cells[first + *count].field == field)
        ++*count;
    return state->cells + first;
}

/* Decide where one field stands: in the row, with its group and column value,
 * or in table `cell`. */
static int save_field(struct ent_store *store, struct ent_state *state,
                      uint32_t number, struct ent_value *shown,
                      struct ent_err *err)
{
    const struct ent_field *field = ent_field_find(state->table->kind, number);
    const struct ent_cell *cells;
    size_t count;
    bool fits;
    int rc;

    cells = cells_of(state, number, &count);
    if (number == ENT_FIELD_LIFE)
        fits = save_life(state, cells, count);
    else if (field->rule == ENT_RULE_SET)
        fits = save_set(state, field, cells, count, shown);
    else
        fits = save_register(state, field, cells, count, shown);
    if (fits)
        return 0;
    (void)ent_meta_make(state, number, 0);
    rc = put_cells(store, state, cells, count, err);
    if (rc == 0 && field != NULL && field->rule == ENT_RULE_REGISTER)
        rc = show_first(store, state, field, cells, count, shown, err);
    return rc;
}

/* Decide about every loaded field. What no definition knows stays in table
 * `cell`. */
static int save_fields(struct ent_store *store, struct ent_state *state,
                       struct ent_value *shown, struct ent_err *err)
{
    const struct ent_kind *kind = state->table->kind;
    int rc = save_field(store, state, ENT_FIELD_LIFE, NULL, err);

    for (size_t i = 0; rc == 0 && i < kind->field_count; i++)
        if (state->one == NULL || state->one == &kind->fields[i])
            rc = save_field(store, state, kind->fields[i].number, &shown[i],
                            err);
    for (size_t i = 0; rc == 0 && i < state->cell_count; i++)
        if (state->cells[i].field != ENT_FIELD_LIFE &&
            ent_field_find(kind, state->cells[i].field) == NULL)
            rc = put_cells(store, state, &state->cells[i], 1, err);
    return rc;
}

/* -------------------------------------------------------------- the record */

static void bind_field(struct ent_stmt *stmt, int at,
                       const struct ent_field *field,
                       const struct ent_value *shown)
{
    if (field->rule == ENT_RULE_SET && shown->type == ENT_VALUE_TEXT)
        ent_stmt_bind_text(stmt, at, shown->bytes);
    else
        ent_table_bind(stmt, at, field, shown);
}

static int check_memory(const struct ent_state *state,
                        const struct ent_buf *meta, struct ent_err *err)
{
    if (state->arena->rc < 0 || meta->rc < 0)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    return 0;
}

/* The row of a record that has none, from all its cells. */
static int save_new_row(struct ent_store *store, struct ent_state *state,
                        struct ent_err *err)
{
    const struct ent_kind *kind = state->table->kind;
    struct ent_value *shown =
        ENT_ARENA_NEW(state->arena, struct ent_value, kind->field_count);
    struct ent_buf meta = {0};
    struct ent_stmt *stmt;
    int rc = 0;

    state->groups =
        ENT_ARENA_NEW(state->arena, struct ent_meta_group, ent_meta_room(kind));
    state->group_count = 0;
    if (shown == NULL || state->groups == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    state->usual = state->cells[0].n;
    for (size_t i = 0; i < state->cell_count; i++)
        if (state->cells[i].code == ENT_OP_LIVE)
            state->usual = state->cells[i].n;
    rc = save_fields(store, state, shown, err);
    if (rc == 0)
        rc = ent_table_insert(&store->tables, state->table, &stmt, err);
    if (rc < 0)
        return rc;
    ent_meta_put(state, &meta);
    rc = check_memory(state, &meta, err);
    ent_stmt_bind_int(stmt, 1, state->space);
    ent_stmt_bind_blob(stmt, 2, state->id.b, ENT_ID_BYTES);
    ent_stmt_bind_blob(stmt, 3, meta.at, meta.len);
    for (size_t i = 0; i < kind->field_count; i++)
        bind_field(stmt, 4 + (int)i, &kind->fields[i], &shown[i]);
    if (rc == 0)
        rc = ent_stmt_run(stmt, err);
    ent_buf_fini(&meta);
    return rc;
}

/* Update the loaded fields of a row that stays. */
static int save_row(struct ent_store *store, struct ent_state *state,
                    struct ent_err *err)
{
    const struct ent_kind *kind = state->table->kind;
    const struct ent_field *one = state->one;
    struct ent_value *shown =
        ENT_ARENA_NEW(state->arena, struct ent_value, kind->field_count + 1);
    struct ent_buf meta = {0};
    struct ent_stmt *stmt;
    int at = 1;
    int rc;

    if (shown == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    rc = save_fields(store, state, shown, err);
    if (rc == 0 && one != NULL)
        rc = ent_table_update_one(&store->tables, state->table,
                                  ent_field_at(kind, one), &stmt, err);
    else if (rc == 0)
        rc = ent_table_update(&store->tables, state->table, &stmt, err);
    if (rc < 0)
        return rc;
    ent_meta_put(state, &meta);
    rc = check_memory(state, &meta, err);
    ent_stmt_bind_blob(stmt, at++, meta.at, meta.len);
    for (size_t i = 0; i < kind->field_count; i++)
        if (one == NULL || one == &kind->fields[i])
            bind_field(stmt, at++, &kind->fields[i], &shown[i]);
    ent_stmt_bind_int(stmt, at++, state->space);
    ent_stmt_bind_blob(stmt, at, state->id.b, ENT_ID_BYTES);
    if (rc == 0)
        rc = ent_stmt_run(stmt, err);
    ent_buf_fini(&meta);
    return rc;
}

/* Deleted: the row goes, everything that stands moves to table `cell`. */
static int save_dead(struct ent_store *store, struct ent_state *state,
                     struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc = 0;

    ENT_ASSERT(state->one == NULL);
    if (state->row) {
        rc = ent_table_drop(&store->tables, state->table, &stmt, err);
        if (rc < 0)
            return rc;
        ent_stmt_bind_int(stmt, 1, state->space);
        ent_stmt_bind_blob(stmt, 2, state->id.b, ENT_ID_BYTES);
        rc = ent_stmt_run(stmt, err);
    }
    if (rc == 0)
        rc = put_cells(store, state, state->cells, state->cell_count, err);
    return rc;
}

static int cell_cmp(const void *a, const void *b)
{
    const struct ent_cell *x = a;
    const struct ent_cell *y = b;

    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static void sort_cells(struct ent_state *state)
{
    if (state->cell_count > 1)
        qsort(state->cells, state->cell_count, sizeof(*state->cells), cell_cmp);
}

bool ent_row_save_one(struct ent_state *state)
{
    struct ent_value shown;
    const struct ent_cell *cells;
    size_t count;

    sort_cells(state);
    cells = cells_of(state, ENT_FIELD_LIFE, &count);
    if (count == 0 || !save_life(state, cells, count))
        return false;
    cells = cells_of(state, state->one->number, &count);
    return save_register(state, state->one, cells, count, &shown);
}

int ent_state_save(struct ent_store *store, struct ent_state *state,
                   struct ent_err *err)
{
    bool live = ent_state_live(state) && state->table != NULL;
    int rc;

    if (state->arena->rc < 0)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    sort_cells(state);
    if (!live)
        rc = save_dead(store, state, err);
    else if (state->row)
        rc = save_row(store, state, err);
    else
        rc = save_new_row(store, state, err);
    return rc < 0 ? rc : drop_cells(store, state, err);
}
