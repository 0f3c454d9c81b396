/* state_edit.c - a register of a row read, changed and written by one
 * statement (state.h).
 * SQLite looks a record up anew for each statement. So the UPDATE asks about
 * the row that it has found: in its condition stands a function that is handed
 * what it has to know of the row, and says whether it is to be changed. */
#include "store/meta.h"
#include "store/state.h"

#define FUNCTION_FLAGS (SQLITE_UTF8 | SQLITE_DIRECTONLY)

/* 1: the row is to be changed. */
static int ask(struct ent_row_edit *edit, struct ent_buf *meta,
               sqlite3_value **columns)
{
    struct ent_state *state = &edit->state;
    bool held;
    int rc;

    /* What is damaged is told on the long way. */
    if (!ent_row_load_one(state, ent_column_bytes(columns[0]), columns[1]))
        return 0;
    rc = edit->change(edit->ctx, state, edit->err);
    if (rc <= 0)
        return rc;
    held = ent_row_save_one(state);
    ENT_ASSERT(held);
    ent_buf_reset(meta);
    ent_meta_put(state, meta);
    if (state->arena->rc < 0 || meta->rc < 0)
        return ent_err_set(edit->err, ENT_ENOMEM, ENT_N_("out of memory"));
    return 1;
}

static void edits(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct ent_tables *tables = sqlite3_user_data(context);
    struct ent_row_edit *edit = tables->edit;

    (void)argc;
    edit->rc = ask(edit, &tables->edited, argv);
    sqlite3_result_int(context, edit->rc > 0);
}

static void edited(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct ent_tables *tables = sqlite3_user_data(context);

    (void)argc;
    (void)argv;
    sqlite3_result_blob64(context, tables->edited.at, tables->edited.len,
                          SQLITE_STATIC);
}

static int make_functions(struct ent_tables *tables, struct ent_err *err)
{
    sqlite3 *raw = tables->db->raw;
    int rc = SQLITE_OK;

    if (tables->edits)
        return 0;
    rc = sqlite3_create_function(raw, "ent_edits", 2, FUNCTION_FLAGS, tables,
                                 edits, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function(raw, "ent_edited", 0, FUNCTION_FLAGS,
                                     tables, edited, NULL, NULL);
    tables->edits = rc == SQLITE_OK;
    return tables->edits ? 0 : ent_db_fail(tables->db, rc, err);
}

int ent_state_edit(struct ent_store *store, int64_t space,
                   const struct ent_kind *kind, const struct ent_id *id,
                   const struct ent_field *one, struct ent_row_edit *edit,
                   bool *done, struct ent_err *err)
{
    struct ent_tables *tables = &store->tables;
    struct ent_table *table = ent_table_of(tables, kind->number);
    struct ent_stmt *stmt;
    int rc = make_functions(tables, err);

    *done = false;
    if (rc == 0)
        rc = ent_table_edit_one(tables, table, ent_field_at(kind, one), &stmt,
                                err);
    if (rc < 0)
        return rc;
    edit->state = (struct ent_state){.space = space,
                                     .kind = kind->number,
                                     .id = *id,
                                     .table = table,
                                     .arena = &store->scratch,
                                     .one = one};
    edit->err = err;
    edit->rc = 0;
    ent_table_bind(stmt, 1, one, edit->value);
    ent_stmt_bind_int(stmt, 2, space);
    ent_stmt_bind_blob(stmt, 3, id->b, ENT_ID_BYTES);
    tables->edit = edit;
    rc = ent_stmt_run(stmt, err);
    tables->edit = NULL;
    if (edit->rc < 0)
        return edit->rc;
    *done = rc == 0 && edit->rc > 0;
    return rc;
}
