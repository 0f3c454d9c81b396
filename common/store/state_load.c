/* state_load.c - the cells of a record, read from its row and from table
 * `cell` (state.h). */
#include <string.h>

#include "codec/value.h"
#include "store/json.h"
#include "store/meta.h"

/* ----------------------------------------------------------------- the row */

static void load_life(struct ent_state *state)
{
    const struct ent_meta_group *group = ent_meta_find(state, ENT_FIELD_LIFE);
    struct ent_cell cell = {.field = ENT_FIELD_LIFE, .code = ENT_OP_LIVE};

    if (group == NULL) {
        cell.n = state->usual;
        ent_state_add(state, &cell);
        return;
    }
    for (size_t i = 0; i < group->count; i++) {
        cell.n = group->dots[i].n;
        ent_state_add(state, &cell);
    }
}

static bool load_set(struct ent_state *state, uint32_t number,
                     struct ent_slice json)
{
    const struct ent_meta_group *group = ent_meta_find(state, number);
    struct ent_cell cell = {.field = number, .code = ENT_OP_ADD};
    struct ent_slice *texts;
    size_t count;

    if (!ent_json_get_texts(json, state->arena, &texts, &count))
        return false;
    for (size_t i = 0; i < (group == NULL ? count : group->count); i++) {
        size_t at = group == NULL ? i : group->dots[i].at;

        if (at >= count)
            return false;
        cell.n = group == NULL ? state->usual : group->dots[i].n;
        cell.ordinal = group == NULL ? (uint32_t)i : group->dots[i].ordinal;
        cell.value = ent_value_text(texts[at]);
        ent_state_add(state, &cell);
    }
    return true;
}

/* One field of a row; nothing when it stands in table `cell`. */
static bool load_field(struct ent_state *state, const struct ent_field *field,
                       sqlite3_value *column)
{
    const struct ent_meta_group *group = ent_meta_find(state, field->number);
    struct ent_cell cell = {.field = field->number, .code = ENT_OP_WRITE};

    if (group != NULL && group->count == 0)
        return true;
    if (group == NULL && sqlite3_value_type(column) == SQLITE_NULL)
        return true;
    if (field->rule == ENT_RULE_SET)
        return load_set(state, field->number, ent_column_bytes(column));
    cell.value = ent_table_value(column, field, state->arena);
    if (group == NULL) {
        cell.n = state->usual;
        ent_state_add(state, &cell);
        return true;
    }
    for (size_t i = 0; i < group->count; i++) {
        cell.n = group->dots[i].n;
        ent_state_add(state, &cell);
    }
    return true;
}

/* -------------------------------------------------------------- table cell */

/* Its place + 1. ENT_ENOMEM sticks in the arena. */
static size_t stored_add(struct ent_state *state, const struct ent_cell *cell)
{
    if (state->stored_count == state->stored_cap) {
        size_t cap = state->stored_cap == 0 ? 16 : 2 * state->stored_cap;
        struct ent_stored_cell *stored =
            ENT_ARENA_NEW(state->arena, struct ent_stored_cell, cap);

        if (stored == NULL)
            return 0;
        if (state->stored_count > 0)
            memcpy(stored, state->stored,
                   state->stored_count * sizeof(*stored));
        state->stored = stored;
        state->stored_cap = cap;
    }
    state->stored[state->stored_count++] = (struct ent_stored_cell){
        .field = cell->field, .ordinal = cell->ordinal, .n = cell->n};
    return state->stored_count;
}

/* Add what `stmt`, bound and ready, gives out of table `cell`. */
static int load_cells(struct ent_state *state, struct ent_stmt *stmt,
                      struct ent_err *err)
{
    int rc;

    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        struct ent_cell cell = {
            .field = (uint32_t)ent_stmt_int(stmt, 0),
            .n = ent_stmt_int(stmt, 1),
            .ordinal = (uint32_t)ent_stmt_int(stmt, 2),
            .code = (uint32_t)ent_stmt_int(stmt, 3),
            .missing = ent_stmt_is_null(stmt, 4),
        };

        cell.stored = stored_add(state, &cell);
        if (!cell.missing) {
            rc = ent_value_get(ent_stmt_bytes(stmt, 4), state->arena,
                               &cell.value, err);
            if (rc < 0)
                break;
        }
        ent_state_add(state, &cell);
    }
    ent_stmt_reset(stmt);
    return rc;
}

static int load_cells_of(struct ent_store *store, struct ent_state *state,
                         const uint32_t *field, struct ent_err *err)
{
    struct ent_stmt *stmt;

    if (store->cells_empty)
        return 0;
    stmt = ent_db_stmt(&store->db, field == NULL ? ENT_SQL_CELL_OF_RECORD
                                                 : ENT_SQL_CELL_OF_FIELD);
    ent_stmt_bind_int(stmt, 1, state->space);
    ent_stmt_bind_int(stmt, 2, state->kind);
    ent_stmt_bind_blob(stmt, 3, state->id.b, ENT_ID_BYTES);
    if (field != NULL)
        ent_stmt_bind_int(stmt, 4, *field);
    return load_cells(state, stmt, err);
}

static bool in_cells(struct ent_state *state, uint32_t field)
{
    const struct ent_meta_group *group = ent_meta_find(state, field);

    return group != NULL && group->count == 0;
}

static int load_row_cells(struct ent_store *store, struct ent_state *state,
                          struct ent_err *err)
{
    static const uint32_t life = ENT_FIELD_LIFE;
    int rc = 0;

    if (state->one == NULL)
        return load_cells_of(store, state, NULL, err);
    if (in_cells(state, state->one->number))
        rc = load_cells_of(store, state, &state->one->number, err);
    if (rc == 0 && in_cells(state, life))
        rc = load_cells_of(store, state, &life, err);
    return rc;
}

/* -------------------------------------------------------------- the record */

static int damaged(struct ent_err *err)
{
    return ent_err_set(err, ENT_ESTORE,
                       ENT_N_("a row of the replica is damaged; run: entente "
                              "rebuild"));
}

static bool begin_row(struct ent_state *state, struct ent_slice meta)
{
    state->row = true;
    if (!ent_meta_read(state, meta))
        return false;
    load_life(state);
    return true;
}

bool ent_row_load_one(struct ent_state *state, struct ent_slice meta,
                      sqlite3_value *column)
{
    return begin_row(state, meta) && load_field(state, state->one, column) &&
           !in_cells(state, state->one->number) &&
           !in_cells(state, ENT_FIELD_LIFE) && state->arena->rc == 0;
}

static int load_row(struct ent_store *store, struct ent_state *state,
                    struct ent_err *err)
{
    const struct ent_kind *kind = state->table->kind;
    const struct ent_field *one = state->one;
    struct ent_stmt *row;
    bool ok;
    int rc;

    if (one != NULL)
        rc = ent_table_select_one(&store->tables, state->table,
                                  ent_field_at(kind, one), &row, err);
    else
        rc = ent_table_select(&store->tables, state->table, &row, err);
    if (rc < 0)
        return rc;
    ent_stmt_bind_int(row, 1, state->space);
    ent_stmt_bind_blob(row, 2, state->id.b, ENT_ID_BYTES);
    rc = ent_stmt_step(row, err);
    if (rc <= 0) {
        ent_stmt_reset(row);
        return rc;
    }
    ok = begin_row(state, ent_stmt_bytes(row, 0));
    if (ok && one != NULL)
        ok = load_field(state, one, ent_stmt_column(row, 1));
    for (size_t i = 0; ok && one == NULL && i < kind->field_count; i++)
        ok = load_field(state, &kind->fields[i],
                        ent_stmt_column(row, 1 + (int)i));
    ent_stmt_reset(row);
    if (!ok)
        return state->arena->rc < 0
                   ? ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"))
                   : damaged(err);
    return load_row_cells(store, state, err);
}

int ent_state_load(struct ent_store *store, int64_t space, uint32_t kind,
                   const struct ent_id *id, const struct ent_field *one,
                   struct ent_arena *arena, struct ent_state *state,
                   struct ent_err *err)
{
    int rc = 0;

    *state = (struct ent_state){.space = space,
                                .kind = kind,
                                .id = *id,
                                .table = ent_table_of(&store->tables, kind),
                                .arena = arena,
                                .one = one};
    if (state->table != NULL)
        rc = load_row(store, state, err);
    if (rc == 0 && !state->row) {
        state->one = NULL;
        rc = load_cells_of(store, state, NULL, err);
    }
    if (rc == 0 && arena->rc < 0)
        rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    return rc;
}
