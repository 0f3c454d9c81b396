/* table.h - the tables made from kind definitions, one row per live record.
 * SQL text made from kind and field names is built and quoted here only.
 *
 * The column `meta` holds the dots of what the row shows, as varints:
 *
 *   meta  := n groups...
 *   n     := o seq              the usual writer of everything in the row
 *   group := field count dot...
 *   dot   := o seq              of a register or of life (field 0)
 *          | o seq ordinal at   of a set: `at` is the element's place in the
 *                               JSON array, counted from 0
 *
 * A column that is not NULL and has no group was written by the usual writer
 * (a set: its elements are that entry's additions 0, 1, 2 ... in order); so
 * was life. A group of count 0: the field's writes stand in table `cell`. */
#ifndef ENT_STORE_TABLE_H
#define ENT_STORE_TABLE_H

#include "model/kind.h"
#include "model/value.h"
#include "store/db.h"

/* Columns before the fields: space, id, meta. */
#define ENT_TABLE_FIXED 3

struct ent_table {
    const struct ent_kind *kind;
    struct ent_stmt select; /* meta and every field, by space and id */
    struct ent_stmt insert; /* all columns; nothing when it is there */
    struct ent_stmt update; /* meta and every field, by space and id */
    struct ent_stmt drop;
    struct ent_stmt *select_one; /* meta and one field, per field */
    struct ent_stmt *update_one;
    struct ent_stmt *edit_one; /* meta and one field, if the row may */
};

struct ent_row_edit;

/* The tables of all kinds, in the order of the definitions. */
struct ent_tables {
    struct ent_db *db;
    const struct ent_kinds *kinds;
    struct ent_table *tables;

    /* What EDIT asks (state_edit.c), the meta that it writes, and whether the
     * functions for it are there. */
    struct ent_row_edit *edit;
    struct ent_buf edited;
    bool edits;
};

ENT_NODISCARD int ent_tables_init(struct ent_tables *tables, struct ent_db *db,
                                  const struct ent_kinds *kinds,
                                  struct ent_err *err);
void ent_tables_fini(struct ent_tables *tables);

/* Make the tables and columns that the file does not have yet; `changed` is
 * set when there were any. In the transaction that is open. */
ENT_NODISCARD int ent_tables_create(struct ent_tables *tables, bool *changed,
                                    struct ent_err *err);

/* Delete every row of every table, or of one space. */
ENT_NODISCARD int ent_tables_clear(struct ent_tables *tables, int64_t space,
                                   struct ent_err *err);

struct ent_table *ent_table_of(struct ent_tables *tables, uint32_t kind);

/* Prepared on first use. Parameters of SELECT and DROP: space, id. INSERT:
 * space, id, meta, fields. UPDATE: meta, fields, space, id. */
ENT_NODISCARD int ent_table_select(struct ent_tables *tables,
                                   struct ent_table *table,
                                   struct ent_stmt **stmt, struct ent_err *err);
ENT_NODISCARD int ent_table_insert(struct ent_tables *tables,
                                   struct ent_table *table,
                                   struct ent_stmt **stmt, struct ent_err *err);
ENT_NODISCARD int ent_table_update(struct ent_tables *tables,
                                   struct ent_table *table,
                                   struct ent_stmt **stmt, struct ent_err *err);
ENT_NODISCARD int ent_table_drop(struct ent_tables *tables,
                                 struct ent_table *table,
                                 struct ent_stmt **stmt, struct ent_err *err);
/* The same with field `at` alone: SELECT meta, field; UPDATE meta, field. */
ENT_NODISCARD int ent_table_select_one(struct ent_tables *tables,
                                       struct ent_table *table, size_t at,
                                       struct ent_stmt **stmt,
                                       struct ent_err *err);
ENT_NODISCARD int ent_table_update_one(struct ent_tables *tables,
                                       struct ent_table *table, size_t at,
                                       struct ent_stmt **stmt,
                                       struct ent_err *err);

/* UPDATE that asks about the row it found: ent_edits(meta, field) says whether
 * it is to be changed, ent_edited() is its meta then. Parameters: the field,
 * space, id. */
ENT_NODISCARD int ent_table_edit_one(struct ent_tables *tables,
                                     struct ent_table *table, size_t at,
                                     struct ent_stmt **stmt,
                                     struct ent_err *err);

/* "name" as an SQL identifier, quoted. */
void ent_table_quote(struct ent_buf *sql, const char *name);

/* Bind or read one field's column: the value as SQLite holds it. A set's
 * column is JSON text and is bound as TEXT by the caller. */
void ent_table_bind(struct ent_stmt *stmt, int at,
                    const struct ent_field *field,
                    const struct ent_value *value);
/* A whole number or decimal as SQLite holds the latter. */
double ent_table_real(const struct ent_value *value);
struct ent_value ent_table_value(sqlite3_value *column,
                                 const struct ent_field *field,
                                 struct ent_arena *arena);

/* Whether a value may stand in the column of the field; what may not stays in
 * table `cell` and the column shows it as text, or nothing. */
bool ent_table_fits(const struct ent_field *field,
                    const struct ent_value *value);

#endif
