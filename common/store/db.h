/* db.h - one SQLite connection, its statements and its errors.
 * Fixed statements have a name in sql.h and are prepared once; binding is
 * sticky: the first failure is kept and the step returns it. */
#ifndef ENT_STORE_DB_H
#define ENT_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"
#include "store/sql.h"

struct ent_stmt {
    sqlite3_stmt *raw;
    int rc; /* SQLITE_OK, or the first failure since the last reset */
    struct ent_db *db;
};

struct ent_db {
    sqlite3 *raw;
    bool in_transaction;
    bool stuck; /* it must be undone, but there was no memory to do so */
    struct ent_stmt stmts[ENT_SQL_COUNT];
};

/* Set SQLite up as a whole. The first connection does so by itself; who uses
 * SQLite before does it first. */
void ent_db_prepare(void);

/* Open an existing file read-write (or read-only), set it up: WAL,
 * synchronous=FULL, defensive. ENT_ESTORE. */
ENT_NODISCARD int ent_db_open(struct ent_db *db, const char *path, int flags,
                              struct ent_err *err);
/* Open a file that gets its name only once it is whole: nothing beside it,
 * what is deleted is overwritten, and the caller syncs it in the end. */
ENT_NODISCARD int ent_db_open_unnamed(struct ent_db *db, const char *path,
                                      struct ent_err *err);
/* Open a file that nobody writes, to read it where it lies: nothing is made
 * beside it, and nothing beside it is looked at. */
ENT_NODISCARD int ent_db_open_still(struct ent_db *db, const char *path,
                                    struct ent_err *err);
void ent_db_close(struct ent_db *db);

/* Translate what SQLite says of the last failure on this connection. */
int ent_db_fail(struct ent_db *db, int sqlite_rc, struct ent_err *err);

/* Begin with the write lock, or to read one state; commit; undo. What cannot be
 * undone for want of memory is undone before anything else is done. */
ENT_NODISCARD int ent_db_begin(struct ent_db *db, struct ent_err *err);
ENT_NODISCARD int ent_db_begin_read(struct ent_db *db, struct ent_err *err);
ENT_NODISCARD int ent_db_commit(struct ent_db *db, struct ent_err *err);
void ent_db_rollback(struct ent_db *db);

/* Run text of our own without rows. */
ENT_NODISCARD int ent_db_exec(struct ent_db *db, const char *sql,
                              struct ent_err *err);

/* All that is committed, as of one moment, into the file `path`, which is not
 * there or empty; others may write meanwhile. Not synced. */
ENT_NODISCARD int ent_db_copy_into(struct ent_db *db, const char *path,
                                   struct ent_err *err);

/* One integer from text of our own; ENT_ENOTFOUND when it gives no row. */
ENT_NODISCARD int ent_db_int(struct ent_db *db, const char *sql, int64_t *value,
                             struct ent_err *err);

/* A fixed statement, ready to bind. Never NULL; a failure to prepare shows at
 * the step. */
struct ent_stmt *ent_db_stmt(struct ent_db *db, enum ent_sql which);

/* A statement of the caller's, for texts made from kinds. */
ENT_NODISCARD int ent_stmt_prepare(struct ent_db *db, const char *sql,
                                   struct ent_stmt *stmt, struct ent_err *err);
void ent_stmt_fini(struct ent_stmt *stmt);

/* Parameters count from 1. Bytes are borrowed until the reset. */
void ent_stmt_bind_int(struct ent_stmt *stmt, int at, int64_t value);
void ent_stmt_bind_null(struct ent_stmt *stmt, int at);
void ent_stmt_bind_real(struct ent_stmt *stmt, int at, double value);
void ent_stmt_bind_blob(struct ent_stmt *stmt, int at, const void *bytes,
                        size_t len);
void ent_stmt_bind_text(struct ent_stmt *stmt, int at, struct ent_slice text);
void ent_stmt_bind_cstr(struct ent_stmt *stmt, int at, const char *text);

/* 1: a row, 0: done, or an error. */
ENT_NODISCARD int ent_stmt_step(struct ent_stmt *stmt, struct ent_err *err);
/* Step a statement without rows, and reset it. */
ENT_NODISCARD int ent_stmt_run(struct ent_stmt *stmt, struct ent_err *err);
void ent_stmt_reset(struct ent_stmt *stmt);

/* Columns count from 0. */
int64_t ent_stmt_int(struct ent_stmt *stmt, int column);
/* The column's bytes, text or blob; empty for NULL; until the next step. */
struct ent_slice ent_stmt_bytes(struct ent_stmt *stmt, int column);
bool ent_stmt_is_null(struct ent_stmt *stmt, int column);
/* The column itself, until the next step; and its bytes, of a text or blob. */
sqlite3_value *ent_stmt_column(struct ent_stmt *stmt, int column);
struct ent_slice ent_column_bytes(sqlite3_value *column);
/* Copy exactly `len` bytes; zeros when the column has another length. */
void ent_stmt_copy(struct ent_stmt *stmt, int column, void *to, size_t len);
/* Copy as a C string, cut to `size` - 1 bytes. */
void ent_stmt_copy_text(struct ent_stmt *stmt, int column, char *to,
                        size_t size);

#endif
