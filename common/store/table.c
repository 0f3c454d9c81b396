/* table.c - see table.h. */
#include "store/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/parse.h"

void ent_table_quote(struct ent_buf *sql, const char *name)
{
    ent_buf_put_u8(sql, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            ent_buf_put_u8(sql, '"');
        ent_buf_put_u8(sql, (uint8_t)*name);
    }
    ent_buf_put_u8(sql, '"');
}

static const char *column_type(const struct ent_field *field)
{
    if (field->rule == ENT_RULE_SET)
        return "TEXT";
    switch (field->type) {
    case ENT_TYPE_INTEGER:
        return "INTEGER";
    case ENT_TYPE_DECIMAL:
        return "ANY";
    case ENT_TYPE_TEXT:
    case ENT_TYPE_CODE:
    case ENT_TYPE_ENUM:
    case ENT_TYPE_REF:
    case ENT_TYPE_DATE:
    case ENT_TYPE_DATETIME:
    case ENT_TYPE_YESNO:
        break;
    }
    return "TEXT";
}

int ent_tables_init(struct ent_tables *tables, struct ent_db *db,
                    const struct ent_kinds *kinds, struct ent_err *err)
{
    *tables = (struct ent_tables){.db = db, .kinds = kinds};
    tables->tables = calloc(kinds->count + 1, sizeof(*tables->tables));
    if (tables->tables == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    for (size_t i = 0; i < kinds->count; i++) {
        struct ent_table *table = &tables->tables[i];
        size_t count = kinds->kinds[i].field_count;

        table->kind = &kinds->kinds[i];
        table->select_one = calloc(count + 1, sizeof(*table->select_one));
        table->update_one = calloc(count + 1, sizeof(*table->update_one));
        table->edit_one = calloc(count + 1, sizeof(*table->edit_one));
        if (table->select_one == NULL || table->update_one == NULL ||
            table->edit_one == NULL) {
            ent_tables_fini(tables);
            return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
        }
    }
    return 0;
}

void ent_tables_fini(struct ent_tables *tables)
{
    if (tables->tables == NULL)
        return;
    for (size_t i = 0; i < tables->kinds->count; i++) {
        struct ent_table *table = &tables->tables[i];

        if (table->kind == NULL)
            continue;
        ent_stmt_fini(&table->select);
        ent_stmt_fini(&table->insert);
        ent_stmt_fini(&table->update);
        ent_stmt_fini(&table->drop);
        for (size_t j = 0; j < table->kind->field_count; j++) {
            if (table->select_one != NULL)
                ent_stmt_fini(&table->select_one[j]);
            if (table->update_one != NULL)
                ent_stmt_fini(&table->update_one[j]);
            if (table->edit_one != NULL)
                ent_stmt_fini(&table->edit_one[j]);
        }
        free(table->select_one);
        free(table->update_one);
        free(table->edit_one);
    }
    free(tables->tables);
    ent_buf_fini(&tables->edited);
    *tables = (struct ent_tables){0};
}

struct ent_table *ent_table_of(struct ent_tables *tables, uint32_t kind)
{
    const struct ent_kind *found = ent_kind_find(tables->kinds, kind);

    return found == NULL ? NULL : &tables->tables[found - tables->kinds->kinds];
}

static int run_text(struct ent_db *db, struct ent_buf *sql, struct ent_err *err)
{
    const char *text = ent_buf_cstr(sql);
    int rc;

    if (text == NULL)
        rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    else
        rc = ent_db_exec(db, text, err);
    ent_buf_reset(sql);
    return rc;
}

static int has_column(struct ent_db *db, const char *table, const char *column,
                      bool *has, struct ent_err *err)
{
    struct ent_stmt stmt;
    int rc = ent_stmt_prepare(
        db, "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2", &stmt, err);

    if (rc < 0)
        return rc;
    ent_stmt_bind_cstr(&stmt, 1, table);
    ent_stmt_bind_cstr(&stmt, 2, column);
    rc = ent_stmt_step(&stmt, err);
    *has = rc > 0;
    ent_stmt_fini(&stmt);
    return rc < 0 ? rc : 0;
}

static int create_table(struct ent_tables *tables, const struct ent_kind *kind,
                        struct ent_buf *sql, struct ent_err *err)
{
    ent_buf_put_str(sql, "CREATE TABLE ");
    ent_table_quote(sql, kind->table);
    ent_buf_put_str(sql, "(space INTEGER NOT NULL, id BLOB NOT NULL,"
                         " meta BLOB NOT NULL");
    for (size_t i = 0; i < kind->field_count; i++) {
        ent_buf_put_str(sql, ", ");
        ent_table_quote(sql, kind->fields[i].name);
        ent_buf_printf(sql, " %s", column_type(&kind->fields[i]));
    }
    ent_buf_put_str(sql, ", PRIMARY KEY(space, id)) STRICT, WITHOUT ROWID");
    return run_text(tables->db, sql, err);
}

int ent_tables_create(struct ent_tables *tables, bool *changed,
                      struct ent_err *err)
{
    struct ent_buf sql = {0};
    int rc = 0;

    *changed = false;
    for (size_t i = 0; rc == 0 && i < tables->kinds->count; i++) {
        const struct ent_kind *kind = &tables->kinds->kinds[i];
        bool has;

        rc = has_column(tables->db, kind->table, "meta", &has, err);
        if (rc == 0 && !has) {
            *changed = true;
            rc = create_table(tables, kind, &sql, err);
            continue;
        }
        for (size_t j = 0; rc == 0 && j < kind->field_count; j++) {
            rc = has_column(tables->db, kind->table, kind->fields[j].name, &has,
                            err);
            if (rc < 0 || has)
                continue;
            *changed = true;
            ent_buf_put_str(&sql, "ALTER TABLE ");
            ent_table_quote(&sql, kind->table);
            ent_buf_put_str(&sql, " ADD COLUMN ");
            ent_table_quote(&sql, kind->fields[j].name);
            ent_buf_printf(&sql, " %s", column_type(&kind->fields[j]));
            rc = run_text(tables->db, &sql, err);
        }
    }
    ent_buf_fini(&sql);
    return rc;
}

int ent_tables_clear(struct ent_tables *tables, int64_t space,
                     struct ent_err *err)
{
    struct ent_buf sql = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < tables->kinds->count; i++) {
        ent_buf_put_str(&sql, "DELETE FROM ");
        ent_table_quote(&sql, tables->kinds->kinds[i].table);
        if (space != 0)
            ent_buf_printf(&sql, " WHERE space = %lld", (long long)space);
        rc = run_text(tables->db, &sql, err);
    }
    ent_buf_fini(&sql);
    return rc;
}

static int prepare_text(struct ent_tables *tables, struct ent_buf *sql,
                        struct ent_stmt *stmt, struct ent_err *err)
{
    const char *text = ent_buf_cstr(sql);
    int rc;

    if (text == NULL)
        rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    else
        rc = ent_stmt_prepare(tables->db, text, stmt, err);
    ent_buf_fini(sql);
    return rc;
}

/* meta and every field, or field `one` alone, each with `tail` behind it. */
static void put_columns(struct ent_buf *sql, const struct ent_kind *kind,
                        const struct ent_field *one, const char *tail)
{
    ent_buf_printf(sql, "meta%s", tail);
    for (size_t i = 0; i < kind->field_count; i++) {
        if (one != NULL && one != &kind->fields[i])
            continue;
        ent_buf_put_str(sql, ", ");
        ent_table_quote(sql, kind->fields[i].name);
        ent_buf_put_str(sql, tail);
    }
}

/* Prepared before, and without what failed the last time. */
static bool at_hand(struct ent_stmt *stmt)
{
    stmt->rc = SQLITE_OK;
    return stmt->raw != NULL;
}

static int get_select(struct ent_tables *tables, struct ent_table *table,
                      const struct ent_field *one, struct ent_stmt *stmt,
                      struct ent_err *err)
{
    struct ent_buf sql = {0};

    if (at_hand(stmt))
        return 0;
    ent_buf_put_str(&sql, "SELECT ");
    put_columns(&sql, table->kind, one, "");
    ent_buf_put_str(&sql, " FROM ");
    ent_table_quote(&sql, table->kind->table);
    ent_buf_put_str(&sql, " WHERE space = ? AND id = ?");
    return prepare_text(tables, &sql, stmt, err);
}

static int get_update(struct ent_tables *tables, struct ent_table *table,
                      const struct ent_field *one, struct ent_stmt *stmt,
                      struct ent_err *err)
{
    struct ent_buf sql = {0};

    if (at_hand(stmt))
        return 0;
    ent_buf_put_str(&sql, "UPDATE ");
    ent_table_quote(&sql, table->kind->table);
    ent_buf_put_str(&sql, " SET ");
    put_columns(&sql, table->kind, one, " = ?");
    ent_buf_put_str(&sql, " WHERE space = ? AND id = ?");
    return prepare_text(tables, &sql, stmt, err);
}

int ent_table_select(struct ent_tables *tables, struct ent_table *table,
                     struct ent_stmt **stmt, struct ent_err *err)
{
    *stmt = &table->select;
    return get_select(tables, table, NULL, &table->select, err);
}

int ent_table_update(struct ent_tables *tables, struct ent_table *table,
                     struct ent_stmt **stmt, struct ent_err *err)
{
    *stmt = &table->update;
    return get_update(tables, table, NULL, &table->update, err);
}

int ent_table_select_one(struct ent_tables *tables, struct ent_table *table,
                         size_t at, struct ent_stmt **stmt, struct ent_err *err)
{
    *stmt = &table->select_one[at];
    return get_select(tables, table, &table->kind->fields[at], *stmt, err);
}

int ent_table_update_one(struct ent_tables *tables, struct ent_table *table,
                         size_t at, struct ent_stmt **stmt, struct ent_err *err)
{
    *stmt = &table->update_one[at];
    return get_update(tables, table, &table->kind->fields[at], *stmt, err);
}

int ent_table_edit_one(struct ent_tables *tables, struct ent_table *table,
                       size_t at, struct ent_stmt **stmt, struct ent_err *err)
{
    struct ent_buf sql = {0};

    *stmt = &table->edit_one[at];
    if (at_hand(*stmt))
        return 0;
    ent_buf_put_str(&sql, "UPDATE ");
    ent_table_quote(&sql, table->kind->table);
    ent_buf_put_str(&sql, " SET meta = ent_edited(), ");
    ent_table_quote(&sql, table->kind->fields[at].name);
    ent_buf_put_str(&sql,
                    " = ? WHERE space = ? AND id = ? AND ent_edits(meta, ");
    ent_table_quote(&sql, table->kind->fields[at].name);
    ent_buf_put_str(&sql, ")");
    return prepare_text(tables, &sql, *stmt, err);
}

int ent_table_insert(struct ent_tables *tables, struct ent_table *table,
                     struct ent_stmt **stmt, struct ent_err *err)
{
    struct ent_buf sql = {0};

    *stmt = &table->insert;
    if (at_hand(&table->insert))
        return 0;
    ent_buf_put_str(&sql, "INSERT INTO ");
    ent_table_quote(&sql, table->kind->table);
    ent_buf_put_str(&sql, "(space, id, ");
    put_columns(&sql, table->kind, NULL, "");
    ent_buf_put_str(&sql, ") VALUES(?, ?, ?");
    for (size_t i = 0; i < table->kind->field_count; i++)
        ent_buf_put_str(&sql, ", ?");
    ent_buf_put_str(&sql, ") ON CONFLICT DO NOTHING");
    return prepare_text(tables, &sql, &table->insert, err);
}

int ent_table_drop(struct ent_tables *tables, struct ent_table *table,
                   struct ent_stmt **stmt, struct ent_err *err)
{
    struct ent_buf sql = {0};

    *stmt = &table->drop;
    if (at_hand(&table->drop))
        return 0;
    ent_buf_put_str(&sql, "DELETE FROM ");
    ent_table_quote(&sql, table->kind->table);
    ent_buf_put_str(&sql, " WHERE space = ? AND id = ?");
    return prepare_text(tables, &sql, &table->drop, err);
}

double ent_table_real(const struct ent_value *value)
{
    double power = 1;

    for (uint32_t i = 0; i < value->scale; i++)
        power *= 10;
    return (double)value->integer / power;
}

/* The shortest decimal that gives this double: the one that was stored, as
 * one of 15 digits at most is told from all others. */
static struct ent_value real_decimal(double real)
{
    for (uint32_t scale = 0; scale <= ENT_DECIMAL_SCALE_MAX; scale++) {
        char text[64];
        int64_t integer = 0;

        snprintf(text, sizeof(text), "%.*f", (int)scale, real);
        if (strtod(text, NULL) != real)
            continue;
        for (const char *at = text; *at != '\0'; at++)
            if (*at >= '0' && *at <= '9')
                integer = integer * 10 + (*at - '0');
        return ent_value_decimal(text[0] == '-' ? -integer : integer, scale);
    }
    return ent_value_nil();
}

static bool looks_like_id(struct ent_slice text)
{
    char copy[ENT_ID_TEXT];
    struct ent_id id;

    if (text.len != ENT_ID_TEXT - 1)
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    return ent_id_parse(copy, &id);
}

bool ent_table_fits(const struct ent_field *field,
                    const struct ent_value *value)
{
    switch (field->type) {
    case ENT_TYPE_TEXT:
    case ENT_TYPE_CODE:
    case ENT_TYPE_ENUM:
    case ENT_TYPE_DATE:
    case ENT_TYPE_DATETIME:
        return value->type == ENT_VALUE_TEXT;
    case ENT_TYPE_REF:
        /* By code; by id the column shows a UUID, which reads back as one. */
        return (value->type == ENT_VALUE_TEXT &&
                !looks_like_id(value->bytes)) ||
               value->type == ENT_VALUE_BYTES;
    case ENT_TYPE_INTEGER:
        return value->type == ENT_VALUE_INT;
    case ENT_TYPE_DECIMAL:
        return value->type == ENT_VALUE_INT || value->type == ENT_VALUE_DECIMAL;
    case ENT_TYPE_YESNO:
        return value->type == ENT_VALUE_BOOL;
    }
    return false;
}

/* A text column shows a value of another type as well as it can. */
static void bind_text(struct ent_stmt *stmt, int at,
                      const struct ent_value *value)
{
    struct ent_buf text = {0};

    ent_value_print(value, &text);
    if (stmt->rc == SQLITE_OK && text.rc < 0)
        stmt->rc = SQLITE_NOMEM;
    if (stmt->rc == SQLITE_OK)
        stmt->rc = sqlite3_bind_text64(
            stmt->raw, at, text.len > 0 ? (const char *)text.at : "", text.len,
            SQLITE_TRANSIENT, SQLITE_UTF8);
    ent_buf_fini(&text);
}

void ent_table_bind(struct ent_stmt *stmt, int at,
                    const struct ent_field *field,
                    const struct ent_value *value)
{
    bool text_column =
        field->type != ENT_TYPE_INTEGER && field->type != ENT_TYPE_DECIMAL;

    if (value->type == ENT_VALUE_NIL)
        ent_stmt_bind_null(stmt, at);
    else if (value->type == ENT_VALUE_TEXT && text_column)
        ent_stmt_bind_text(stmt, at, value->bytes);
    else if (text_column)
        bind_text(stmt, at, value);
    else if (value->type == ENT_VALUE_INT)
        ent_stmt_bind_int(stmt, at, value->integer);
    else if (value->type == ENT_VALUE_DECIMAL &&
             field->type == ENT_TYPE_DECIMAL)
        ent_stmt_bind_real(stmt, at, ent_table_real(value));
    else
        ent_stmt_bind_null(stmt, at);
}

struct ent_value ent_table_value(sqlite3_value *column,
                                 const struct ent_field *field,
                                 struct ent_arena *arena)
{
    int type = sqlite3_value_type(column);
    struct ent_slice text;

    if (type == SQLITE_NULL)
        return ent_value_nil();
    if (type == SQLITE_INTEGER)
        return ent_value_int(sqlite3_value_int64(column));
    if (type == SQLITE_FLOAT)
        return real_decimal(sqlite3_value_double(column));
    text = ent_arena_copy(arena, ent_column_bytes(column));
    if (field->type == ENT_TYPE_YESNO)
        return ent_value_bool(ent_slice_equal(text, ent_slice_str("yes")));
    if (field->type == ENT_TYPE_REF && looks_like_id(text)) {
        struct ent_id id;

        if (ent_id_parse((const char *)text.at, &id))
            return ent_value_bytes(
                ent_arena_copy(arena, ent_slice(id.b, ENT_ID_BYTES)));
    }
    return ent_value_text(text);
}
