/* state.c - see state.h. The form of `meta` is drawn in table.h. */
#include "store/state.h"

#include <stdlib.h>
#include <string.h>

#include "codec/value.h"
#include "store/json.h"

struct meta_dot {
    int64_t n;
    uint32_t ordinal;
    uint32_t at; /* a set: place in the JSON array */
};

struct ent_meta_group {
    uint32_t field;
    struct meta_dot *dots;
    size_t count; /* 0: the field stands in table `cell` */
};

static bool is_set(const struct ent_table *table, uint32_t number)
{
    const struct ent_field *field =
        table == NULL ? NULL : ent_field_find(table->kind, number);

    return field != NULL && field->rule == ENT_RULE_SET;
}

/* ---------------------------------------------------------------- meta */

static bool read_n(const uint8_t **at, const uint8_t *end, int64_t *n)
{
    uint64_t o;
    uint64_t seq;

    if (!ent_varint_read(at, end, &o) || !ent_varint_read(at, end, &seq) ||
        o >= (uint64_t)1 << (63 - ENT_SEQ_BITS) || seq > ENT_SEQ_MAX)
        return false;
    *n = ent_n((int64_t)o, (int64_t)seq);
    return true;
}

static void put_n(struct ent_buf *buf, int64_t n)
{
    ent_buf_put_varint(buf, (uint64_t)ent_n_o(n));
    ent_buf_put_varint(buf, (uint64_t)ent_n_seq(n));
}

static bool read_group(const uint8_t **at, const uint8_t *end,
                       struct ent_state *state, struct ent_meta_group *group)
{
    uint64_t field;
    uint64_t count;
    bool set;

    if (!ent_varint_read(at, end, &field) ||
        !ent_varint_read(at, end, &count) || field > ENT_FIELD_MAX ||
        count > (uint64_t)(end - *at))
        return false;
    group->field = (uint32_t)field;
    group->count = count;
    group->dots = ENT_ARENA_NEW(state->arena, struct meta_dot, count);
    set = is_set(state->table, group->field);
    for (size_t i = 0; i < count && group->dots != NULL; i++) {
        uint64_t ordinal = 0;
        uint64_t place = 0;

        if (!read_n(at, end, &group->dots[i].n))
            return false;
        if (set && (!ent_varint_read(at, end, &ordinal) ||
                    !ent_varint_read(at, end, &place)))
            return false;
        group->dots[i].ordinal = (uint32_t)ordinal;
        group->dots[i].at = (uint32_t)place;
    }
    return true;
}

/* Room for one more group than there are, for the one a save may add per
 * field. */
static bool meta_read(struct ent_state *state, struct ent_slice meta)
{
    const uint8_t *at = meta.at;
    const uint8_t *end = meta.at + meta.len;
    size_t room = meta.len + ENT_FIELDS_MAX + 2;

    state->groups = ENT_ARENA_NEW(state->arena, struct ent_meta_group, room);
    if (state->groups == NULL || !read_n(&at, end, &state->usual))
        return false;
    while (at < end)
        if (!read_group(&at, end, state, &state->groups[state->group_count++]))
            return false;
    return true;
}

static void meta_put(const struct ent_state *state, struct ent_buf *buf)
{
    put_n(buf, state->usual);
    for (size_t i = 0; i < state->group_count; i++) {
        const struct ent_meta_group *group = &state->groups[i];
        bool set = is_set(state->table, group->field);

        ent_buf_put_varint(buf, group->field);
        ent_buf_put_varint(buf, group->count);
        for (size_t j = 0; j < group->count; j++) {
            put_n(buf, group->dots[j].n);
            if (set) {
                ent_buf_put_varint(buf, group->dots[j].ordinal);
                ent_buf_put_varint(buf, group->dots[j].at);
            }
        }
    }
}

static struct ent_meta_group *group_of(struct ent_state *state, uint32_t field)
{
    for (size_t i = 0; i < state->group_count; i++)
        if (state->groups[i].field == field)
            return &state->groups[i];
    return NULL;
}

static void group_drop(struct ent_state *state, uint32_t field)
{
    struct ent_meta_group *group = group_of(state, field);

    if (group != NULL)
        *group = state->groups[--state->group_count];
}

/* A group with room for `count` dots, replacing the one there was. */
static struct ent_meta_group *group_new(struct ent_state *state, uint32_t field,
                                        size_t count)
{
    struct ent_meta_group *group = group_of(state, field);

    if (group == NULL)
        group = &state->groups[state->group_count++];
    group->field = field;
    group->count = count;
    group->dots = ENT_ARENA_NEW(state->arena, struct meta_dot, count);
    return group->dots != NULL || count == 0 ? group : NULL;
}

/* --------------------------------------------------------------- cells */

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

/* ---------------------------------------------------------------- load */

static void load_life(struct ent_state *state)
{
    const struct ent_meta_group *group = group_of(state, ENT_FIELD_LIFE);
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
    const struct ent_meta_group *group = group_of(state, number);
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
                       struct ent_stmt *row, int column)
{
    const struct ent_meta_group *group = group_of(state, field->number);
    struct ent_cell cell = {.field = field->number, .code = ENT_OP_WRITE};

    if (group != NULL && group->count == 0)
        return true;
    if (group == NULL && ent_stmt_is_null(row, column))
        return true;
    if (field->rule == ENT_RULE_SET)
        return load_set(state, field->number, ent_stmt_bytes(row, column));
    cell.value = ent_table_value(row, column, field, state->arena);
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

        state->had_cells = true;
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

static int damaged(struct ent_err *err)
{
    return ent_err_set(err, ENT_ESTORE,
                       ENT_N_("a row of the replica is damaged; run: entente "
                              "rebuild"));
}

static bool in_cells(struct ent_state *state, uint32_t field)
{
    const struct ent_meta_group *group = group_of(state, field);

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
    state->row = true;
    ok = meta_read(state, ent_stmt_bytes(row, 0));
    if (ok)
        load_life(state);
    if (ok && one != NULL)
        ok = load_field(state, one, row, 1);
    for (size_t i = 0; ok && one == NULL && i < kind->field_count; i++)
        ok = load_field(state, &kind->fields[i], row, 1 + (int)i);
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

/* ---------------------------------------------------------------- save */

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
        group_drop(state, ENT_FIELD_LIFE);
        return true;
    }
    group = group_new(state, ENT_FIELD_LIFE, count);
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
        group_drop(state, field->number);
        return true;
    }
    group = group_new(state, field->number, count);
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
    group_drop(state, field->number);
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
    group = group_new(state, field->number, count);
    for (size_t i = 0; group != NULL && i < count; i++)
        group->dots[i] = (struct meta_dot){
            .n = cells[i].n,
            .ordinal = cells[i].ordinal,
            .at = (uint32_t)place_of(texts, kept, cells[i].value.bytes)};
    return true;
}

/* What a contested column shows: the first of the field's values. */
static int show_first(struct ent_store *store, struct ent_state *state,
                      const struct ent_cell *cells, size_t count,
                      struct ent_value *shown, struct ent_err *err)
{
    struct ent_cell *copy = ENT_ARENA_NEW(state->arena, struct ent_cell, count);
    int rc;

    if (copy == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    memcpy(copy, cells, count * sizeof(*copy));
    rc = ent_cells_sort(store, copy, count, err);
    *shown = copy[0].value;
    return rc;
}

static int put_cells(struct ent_store *store, const struct ent_state *state,
                     const struct ent_cell *cells, size_t count,
                     struct ent_err *err)
{
    struct ent_buf value = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_CELL_INSERT);

        store->cells_empty = false;
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

static int drop_cells(struct ent_store *store, const struct ent_state *state,
                      const uint32_t *field, struct ent_err *err)
{
    struct ent_stmt *stmt =
        ent_db_stmt(&store->db, field == NULL ? ENT_SQL_CELL_DELETE_RECORD
                                              : ENT_SQL_CELL_DELETE_FIELD);

    ent_stmt_bind_int(stmt, 1, state->space);
    ent_stmt_bind_int(stmt, 2, state->kind);
    ent_stmt_bind_blob(stmt, 3, state->id.b, ENT_ID_BYTES);
    if (field != NULL)
        ent_stmt_bind_int(stmt, 4, *field);
    return ent_stmt_run(stmt, err);
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
    (void)group_new(state, number, 0);
    rc = put_cells(store, state, cells, count, err);
    if (rc == 0 && field != NULL && field->rule == ENT_RULE_REGISTER)
        rc = show_first(store, state, cells, count, shown, err);
    return rc;
}

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

/* Table `cell` no longer holds what was loaded out of it. */
static int drop_loaded_cells(struct ent_store *store,
                             const struct ent_state *state, struct ent_err *err)
{
    static const uint32_t life = ENT_FIELD_LIFE;
    int rc;

    if (!state->had_cells)
        return 0;
    if (state->one == NULL)
        return drop_cells(store, state, NULL, err);
    rc = drop_cells(store, state, &state->one->number, err);
    if (rc == 0)
        rc = drop_cells(store, state, &life, err);
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
        ENT_ARENA_NEW(state->arena, struct ent_meta_group, ENT_FIELDS_MAX + 2);
    state->group_count = 0;
    if (shown == NULL || state->groups == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    state->usual = state->cells[0].n;
    for (size_t i = 0; i < state->cell_count; i++)
        if (state->cells[i].code == ENT_OP_LIVE)
            state->usual = state->cells[i].n;
    rc = drop_loaded_cells(store, state, err);
    if (rc == 0)
        rc = save_fields(store, state, shown, err);
    if (rc == 0)
        rc = ent_table_insert(&store->tables, state->table, &stmt, err);
    if (rc < 0)
        return rc;
    meta_put(state, &meta);
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
    rc = drop_loaded_cells(store, state, err);
    if (rc == 0)
        rc = save_fields(store, state, shown, err);
    if (rc == 0 && one != NULL)
        rc = ent_table_update_one(&store->tables, state->table,
                                  ent_field_at(kind, one), &stmt, err);
    else if (rc == 0)
        rc = ent_table_update(&store->tables, state->table, &stmt, err);
    if (rc < 0)
        return rc;
    meta_put(state, &meta);
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
        rc = drop_loaded_cells(store, state, err);
    if (rc == 0)
        rc = put_cells(store, state, state->cells, state->cell_count, err);
    return rc;
}

int ent_state_save(struct ent_store *store, struct ent_state *state,
                   struct ent_err *err)
{
    bool live = ent_state_live(state) && state->table != NULL;

    if (state->arena->rc < 0)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    if (state->cell_count > 1)
        qsort(state->cells, state->cell_count, sizeof(*state->cells), cell_cmp);
    if (live && state->row)
        return save_row(store, state, err);
    return live ? save_new_row(store, state, err)
                : save_dead(store, state, err);
}

bool ent_state_is_plain(const struct ent_kind *kind,
                        const struct ent_change *change)
{
    if (kind == NULL || change->erased || change->ops[0].code != ENT_OP_LIVE)
        return false;
    for (size_t i = 0; i < change->op_count; i++) {
        const struct ent_op *op = &change->ops[i];
        const struct ent_field *field;

        if (op->seen_count > 0)
            return false;
        if (i == 0)
            continue;
        field = ent_field_find(kind, op->field);
        if (field == NULL || op->value.type == ENT_VALUE_NIL)
            return false;
        if (field->rule == ENT_RULE_REGISTER) {
            if (op->code != ENT_OP_WRITE || op[-1].field == op->field ||
                !ent_table_fits(field, &op->value))
                return false;
            continue;
        }
        /* A set: no text twice, so that places and ordinals agree. */
        if (op->code != ENT_OP_ADD || op->value.type != ENT_VALUE_TEXT)
            return false;
        for (const struct ent_op *other = op - 1; other->field == op->field;
             other--)
            if (ent_slice_equal(other->value.bytes, op->value.bytes))
                return false;
    }
    return true;
}

int ent_state_insert(struct ent_store *store, int64_t space,
                     const struct ent_kind *kind, int64_t n,
                     const struct ent_change *change, bool *inserted,
                     struct ent_err *err)
{
    struct ent_table *table = ent_table_of(&store->tables, kind->number);
    struct ent_buf sets = {0};
    uint8_t meta_bytes[32];
    struct ent_buf meta = {.at = meta_bytes, .cap = sizeof(meta_bytes)};
    struct ent_stmt *stmt;
    size_t i = 1;
    int rc = ent_table_insert(&store->tables, table, &stmt, err);

    if (rc < 0)
        return rc;
    put_n(&meta, n);
    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, change->id.b, ENT_ID_BYTES);
    ent_stmt_bind_blob(stmt, 3, meta.at, meta.len);
    for (size_t f = 0; f < kind->field_count; f++) {
        const struct ent_field *field = &kind->fields[f];
        int at = 4 + (int)f;

        if (i == change->op_count || change->ops[i].field != field->number) {
            ent_stmt_bind_null(stmt, at);
        } else if (field->rule == ENT_RULE_REGISTER) {
            ent_table_bind(stmt, at, field, &change->ops[i++].value);
        } else {
            struct ent_slice texts[ENT_OPS_MAX / 64];
            struct ent_slice *list = texts;
            size_t count = 0;

            while (i + count < change->op_count &&
                   change->ops[i + count].field == field->number)
                count++;
            if (count > ENT_ARRAY_LEN(texts))
                list = ENT_ARENA_NEW(&store->scratch, struct ent_slice, count);
            for (size_t k = 0; list != NULL && k < count; k++)
                list[k] = change->ops[i + k].value.bytes;
            i += count;
            ent_buf_reset(&sets);
            if (list != NULL)
                ent_json_put_texts(&sets, list, count);
            if (list == NULL || sets.rc < 0)
                rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
            if (stmt->rc == SQLITE_OK)
                stmt->rc = sqlite3_bind_text64(stmt->raw, at, (char *)sets.at,
                                               sets.len, SQLITE_TRANSIENT,
                                               SQLITE_UTF8);
        }
    }
    if (rc == 0)
        rc = ent_stmt_run(stmt, err);
    *inserted = rc == 0 && sqlite3_changes(store->db.raw) == 1;
    ent_buf_fini(&sets);
    return rc;
}

/* --------------------------------------------------------------- order */

struct ranked {
    struct ent_cell cell;
    int64_t at;
    struct ent_hash hash;
};

static int rank_cmp(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    int cmp;

    if (x->at != y->at)
        return x->at > y->at ? -1 : 1;
    cmp = memcmp(y->hash.b, x->hash.b, ENT_HASH_BYTES);
    if (cmp != 0)
        return cmp;
    return x->cell.ordinal > y->cell.ordinal
               ? -1
               : x->cell.ordinal < y->cell.ordinal;
}

int ent_cells_sort(struct ent_store *store, struct ent_cell *cells,
                   size_t count, struct ent_err *err)
{
    struct ranked *ranked;
    int rc = 0;

    if (count < 2)
        return 0;
    ranked = calloc(count, sizeof(*ranked));
    if (ranked == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_LOG_META);

        ranked[i].cell = cells[i];
        /* The entry being applied is not in the log yet. */
        if (cells[i].n == store->applying.n) {
            ranked[i].at = store->applying.at;
            ranked[i].hash = store->applying.hash;
            continue;
        }
        ent_stmt_bind_int(stmt, 1, cells[i].n);
        rc = ent_stmt_step(stmt, err);
        if (rc > 0) {
            ranked[i].at = ent_stmt_int(stmt, 0);
            ent_stmt_copy(stmt, 1, ranked[i].hash.b, ENT_HASH_BYTES);
            rc = 0;
        }
        ent_stmt_reset(stmt);
    }
    if (rc == 0) {
        qsort(ranked, count, sizeof(*ranked), rank_cmp);
        for (size_t i = 0; i < count; i++)
            cells[i] = ranked[i].cell;
    }
    free(ranked);
    return rc;
}
