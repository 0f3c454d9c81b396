/* snapshot.c - see snapshot.h. */
#include "store/snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/db.h"
#include "store/newfile.h"
#include "store/table.h"

struct ent_snapshot {
    char path[ENT_PATH_MAX];
    char growing[ENT_PATH_MAX];
    struct ent_db db;
    bool open;
    struct ent_stmt insert; /* into the table begun last */
    size_t columns;
};

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* Run the text that was made, and forget it. */
static int run(struct ent_snapshot *snapshot, struct ent_buf *sql,
               struct ent_err *err)
{
    const char *text = ent_buf_cstr(sql);
    int rc =
        text == NULL ? no_memory(err) : ent_db_exec(&snapshot->db, text, err);

    ent_buf_fini(sql);
    return rc;
}

int ent_snapshot_open(const char *path, struct ent_snapshot **out,
                      struct ent_err *err)
{
    struct ent_snapshot *made = calloc(1, sizeof(*made));
    int rc;

    if (made == NULL)
        return no_memory(err);
    if (strlen(path) >= sizeof(made->path)) {
        free(made);
        return ent_err_set(err, ENT_EUSAGE, ENT_N_("the path %s is too long"),
                           path);
    }
    memcpy(made->path, path, strlen(path) + 1);
    rc = ent_newfile_begin(path, made->growing, err);
    if (rc < 0) {
        free(made);
        return rc;
    }
    rc = ent_db_open_unnamed(&made->db, made->growing, err);
    made->open = rc == 0;
    if (rc == 0)
        rc = ent_db_begin(&made->db, err);
    if (rc == 0) {
        *out = made;
        return 0;
    }
    ent_snapshot_drop(made);
    return rc;
}

static void close_db(struct ent_snapshot *snapshot)
{
    ent_stmt_fini(&snapshot->insert);
    if (snapshot->open)
        ent_db_close(&snapshot->db);
    snapshot->open = false;
}

void ent_snapshot_drop(struct ent_snapshot *snapshot)
{
    ent_stmt_fini(&snapshot->insert);
    if (snapshot->open)
        ent_db_rollback(&snapshot->db);
    close_db(snapshot);
    unlink(snapshot->growing);
    free(snapshot);
}

int ent_snapshot_keep(struct ent_snapshot *snapshot, struct ent_err *err)
{
    int rc;

    ent_stmt_fini(&snapshot->insert);
    rc = ent_db_commit(&snapshot->db, err);
    if (rc < 0) {
        ent_snapshot_drop(snapshot);
        return rc;
    }
    close_db(snapshot);
    rc = ent_newfile_end(snapshot->growing, snapshot->path, err);
    if (rc < 0)
        unlink(snapshot->growing);
    free(snapshot);
    return rc;
}

/* ------------------------------------------------------------------ tables */

static const char *type_name(enum ent_column_type type)
{
    switch (type) {
    case ENT_COLUMN_INTEGER:
        return "INTEGER";
    case ENT_COLUMN_REAL:
        return "REAL";
    case ENT_COLUMN_NULL:
    case ENT_COLUMN_TEXT:
    case ENT_COLUMN_BLOB:
        break;
    }
    return "TEXT";
}

static int prepare_insert(struct ent_snapshot *snapshot, const char *name,
                          size_t count, struct ent_err *err)
{
    struct ent_buf sql = {0};
    const char *text;
    int rc;

    ent_buf_put_str(&sql, "INSERT INTO ");
    ent_table_quote(&sql, name);
    ent_buf_put_str(&sql, " VALUES (?");
    for (size_t i = 1; i < count; i++)
        ent_buf_put_str(&sql, ", ?");
    ent_buf_put_str(&sql, ")");
    text = ent_buf_cstr(&sql);
    rc = text == NULL
             ? no_memory(err)
             : ent_stmt_prepare(&snapshot->db, text, &snapshot->insert, err);
    ent_buf_fini(&sql);
    return rc;
}

int ent_snapshot_table(struct ent_snapshot *snapshot, const char *name,
                       const char *key, size_t primary,
                       const struct ent_snapshot_column *columns, size_t count,
                       struct ent_err *err)
{
    struct ent_buf sql = {0};
    int rc;

    ent_stmt_fini(&snapshot->insert);
    ent_buf_put_str(&sql, "CREATE TABLE ");
    ent_table_quote(&sql, name);
    for (size_t i = 0; i < count; i++) {
        ent_buf_put_str(&sql, i == 0 ? " (" : ", ");
        ent_table_quote(&sql, columns[i].name);
        ent_buf_printf(&sql, " %s", type_name(columns[i].type));
    }
    for (size_t i = 0; i < primary; i++) {
        ent_buf_put_str(&sql, i == 0 ? ", PRIMARY KEY (" : ", ");
        ent_table_quote(&sql, columns[i].name);
    }
    ent_buf_put_str(&sql, primary > 0 ? ")) WITHOUT ROWID" : ")");
    rc = run(snapshot, &sql, err);
    if (rc == 0 && key != NULL) {
        struct ent_buf index = {0};

        ent_buf_printf(&index, "%s_%s", name, key);
        ent_buf_put_str(&sql, "CREATE INDEX ");
        ent_table_quote(
            &sql, ent_buf_cstr(&index) == NULL ? "" : ent_buf_cstr(&index));
        ent_buf_put_str(&sql, " ON ");
        ent_table_quote(&sql, name);
        ent_buf_put_str(&sql, " (");
        ent_table_quote(&sql, key);
        ent_buf_put_str(&sql, ")");
        ent_buf_fini(&index);
        rc = run(snapshot, &sql, err);
    }
    snapshot->columns = count;
    return rc < 0 ? rc : prepare_insert(snapshot, name, count, err);
}

int ent_snapshot_row(struct ent_snapshot *snapshot, const char *const *cells,
                     struct ent_err *err)
{
    for (size_t i = 0; i < snapshot->columns; i++) {
        if (cells[i] == NULL)
            ent_stmt_bind_null(&snapshot->insert, (int)i + 1);
        else
            ent_stmt_bind_cstr(&snapshot->insert, (int)i + 1, cells[i]);
    }
    return ent_stmt_run(&snapshot->insert, err);
}

/* ------------------------------------------------------------------- views */

/* 'text' as SQL has it. */
static void put_literal(struct ent_buf *sql, const char *text)
{
    ent_buf_put_u8(sql, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            ent_buf_put_u8(sql, '\'');
        ent_buf_put(sql, text, 1);
    }
    ent_buf_put_u8(sql, '\'');
}

/* What is shown for one code, which `value` gives. */
static void put_shown(struct ent_buf *sql, const char *value, const char *term,
                      const struct ent_snapshot_shown *column)
{
    if (column->list != NULL) {
        ent_buf_printf(sql,
                       "coalesce((SELECT v.%s FROM vocabulary v"
                       " WHERE v.code = %s AND v.list = ",
                       term, value);
        put_literal(sql, column->list);
        ent_buf_printf(sql, "), %s)", value);
    } else if (column->target != NULL && column->title != NULL) {
        ent_buf_put_str(sql, "coalesce((SELECT r.");
        ent_table_quote(sql, column->title);
        ent_buf_put_str(sql, " FROM ");
        ent_table_quote(sql, column->target);
        ent_buf_printf(sql, " r WHERE r.code = %s LIMIT 1), %s)", value, value);
    } else {
        ent_buf_put_str(sql, value);
    }
}

static void put_column(struct ent_buf *sql, const char *term,
                       const struct ent_snapshot_shown *column)
{
    struct ent_buf name = {0};
    const char *text;

    ent_buf_put_str(&name, "t.");
    ent_table_quote(&name, column->name);
    text = ent_buf_cstr(&name);
    if (text == NULL) {
        sql->rc = name.rc;
    } else if (column->set) {
        ent_buf_put_str(sql, "(SELECT group_concat(");
        put_shown(sql, "e.value", term, column);
        ent_buf_printf(sql, ", ', ') FROM json_each(%s) e)", text);
    } else {
        put_shown(sql, text, term, column);
    }
    ent_buf_put_str(sql, " AS ");
    ent_table_quote(sql, column->label);
    ent_buf_fini(&name);
}

int ent_snapshot_view(struct ent_snapshot *snapshot, const char *name,
                      const char *table, const char *term,
                      const struct ent_snapshot_shown *columns, size_t count,
                      struct ent_err *err)
{
    struct ent_buf sql = {0};

    ent_buf_put_str(&sql, "CREATE VIEW ");
    ent_table_quote(&sql, name);
    ent_buf_put_str(&sql, " AS SELECT ");
    for (size_t i = 0; i < count; i++) {
        ent_buf_put_str(&sql, i > 0 ? ", " : "");
        put_column(&sql, term, &columns[i]);
    }
    ent_buf_put_str(&sql, " FROM ");
    ent_table_quote(&sql, table);
    ent_buf_put_str(&sql, " t");
    return run(snapshot, &sql, err);
}
