/* db.c - see db.h. */
#include "store/db.h"

#include <pthread.h>
#include <string.h>

#include "store/joined.h"
#include "store/store.h"

#define SETUP                                                                  \
    "PRAGMA trusted_schema = OFF;"                                             \
    "PRAGMA temp_store = MEMORY;"                                              \
    "PRAGMA cache_size = -4096;"
#define SETUP_REPLICA                                                          \
    "PRAGMA journal_mode = WAL;"                                               \
    "PRAGMA synchronous = FULL;" SETUP
#define SETUP_UNNAMED                                                          \
    "PRAGMA journal_mode = MEMORY;"                                            \
    "PRAGMA synchronous = OFF;"                                                \
    "PRAGMA secure_delete = ON;" SETUP

static int library_rc;

/* Nobody asks SQLite how much memory it has, and the count costs a lock at
 * every allocation. Only before the first connection can it be switched off. */
static void configure_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    library_rc = ent_joined_init();
}

void ent_db_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, configure_library);
}

static void configure(struct ent_db *db)
{
    sqlite3_extended_result_codes(db->raw, 1);
    sqlite3_db_config(db->raw, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->raw, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db->raw, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(db->raw, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_busy_timeout(db->raw, ENT_BUSY_MS);
}

static int open_with(struct ent_db *db, const char *path, int flags,
                     const char *setup, struct ent_err *err)
{
    int rc;

    memset(db, 0, sizeof(*db));
    ent_db_prepare();
    rc = library_rc;
    if (rc == SQLITE_OK)
        rc = sqlite3_open_v2(path, &db->raw, flags | SQLITE_OPEN_NOMUTEX,
                             ENT_JOINED);
    if (rc != SQLITE_OK) {
        rc = ent_db_fail(db, rc, err);
        ent_db_close(db);
        return rc;
    }
    configure(db);
    rc = ent_db_exec(db, setup, err);
    if (rc < 0)
        ent_db_close(db);
    return rc;
}

int ent_db_open(struct ent_db *db, const char *path, int flags,
                struct ent_err *err)
{
    return open_with(db, path, flags, SETUP_REPLICA, err);
}

int ent_db_open_unnamed(struct ent_db *db, const char *path,
                        struct ent_err *err)
{
    return open_with(db, path, SQLITE_OPEN_READWRITE, SETUP_UNNAMED, err);
}

int ent_db_open_still(struct ent_db *db, const char *path, struct ent_err *err)
{
    struct ent_buf uri = {0};
    int rc;

    ent_buf_put_str(&uri, "file:");
    for (const char *at = path; *at != '\0'; at++)
        if (strchr("%?#", *at) != NULL)
            ent_buf_printf(&uri, "%%%02x", (unsigned)*at);
        else
            ent_buf_put_u8(&uri, (uint8_t)*at);
    ent_buf_put_str(&uri, "?immutable=1");
    rc = ent_buf_cstr(&uri) == NULL
             ? ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"))
             : open_with(db, ent_buf_cstr(&uri),
                         SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, SETUP, err);
    ent_buf_fini(&uri);
    return rc;
}

void ent_db_close(struct ent_db *db)
{
    for (size_t i = 0; i < ENT_SQL_COUNT; i++)
        ent_stmt_fini(&db->stmts[i]);
    if (db->raw != NULL)
        sqlite3_close(db->raw);
    memset(db, 0, sizeof(*db));
}

int ent_db_fail(struct ent_db *db, int sqlite_rc, struct ent_err *err)
{
    const char *said =
        db->raw != NULL ? sqlite3_errmsg(db->raw) : sqlite3_errstr(sqlite_rc);

    /* The index of the WAL cannot grow: nothing else is written then. */
    if (sqlite_rc == SQLITE_IOERR_SHMSIZE)
        sqlite_rc = SQLITE_FULL;
    switch (sqlite_rc & 0xff) {
    case SQLITE_NOMEM:
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    case SQLITE_FULL:
        return ent_err_set(err, ENT_ESTORE,
                           ENT_N_("the disk is full; nothing was written"));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return ent_err_set(err, ENT_ESTORE,
                           ENT_N_("the replica cannot be written here: %s"),
                           said);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ent_err_set(
            err, ENT_ESTORE,
            ENT_N_("the replica is damaged: %s; restore a backup or fetch it "
                   "again from a member"),
            said);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ent_err_set(err, ENT_ESTORE,
                           ENT_N_("another program keeps the replica locked"));
    default:
        return ent_err_set(err, ENT_ESTORE, ENT_N_("storage failed: %s (%d)"),
                           said, sqlite_rc);
    }
}

/* Nobody may see what should have been undone. */
static int undone(struct ent_db *db)
{
    if (db->stuck)
        ent_db_rollback(db);
    return db->stuck ? SQLITE_NOMEM : SQLITE_OK;
}

int ent_db_exec(struct ent_db *db, const char *sql, struct ent_err *err)
{
    int rc = undone(db);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db->raw, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : ent_db_fail(db, rc, err);
}

int ent_db_copy_into(struct ent_db *db, const char *path, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(db, ENT_SQL_COPY_INTO);

    ent_stmt_bind_cstr(stmt, 1, path);
    return ent_stmt_run(stmt, err);
}

int ent_db_int(struct ent_db *db, const char *sql, int64_t *value,
               struct ent_err *err)
{
    struct ent_stmt stmt;
    int rc = ent_stmt_prepare(db, sql, &stmt, err);

    if (rc < 0)
        return rc;
    rc = ent_stmt_step(&stmt, err);
    if (rc > 0)
        *value = ent_stmt_int(&stmt, 0);
    ent_stmt_fini(&stmt);
    return rc > 0 ? 0 : rc < 0 ? rc : ENT_ENOTFOUND;
}

static int begin(struct ent_db *db, enum ent_sql how, struct ent_err *err)
{
    /* At hand when there is no memory for it any more. */
    const struct ent_stmt *undo = ent_db_stmt(db, ENT_SQL_ROLLBACK);
    int rc = undo->rc != SQLITE_OK ? ent_db_fail(db, undo->rc, err)
                                   : ent_stmt_run(ent_db_stmt(db, how), err);

    if (rc == 0)
        db->in_transaction = true;
    return rc;
}

int ent_db_begin(struct ent_db *db, struct ent_err *err)
{
    return begin(db, ENT_SQL_BEGIN, err);
}

int ent_db_begin_read(struct ent_db *db, struct ent_err *err)
{
    return begin(db, ENT_SQL_BEGIN_READ, err);
}

int ent_db_commit(struct ent_db *db, struct ent_err *err)
{
    int rc = ent_stmt_run(ent_db_stmt(db, ENT_SQL_COMMIT), err);

    if (rc == 0)
        db->in_transaction = false;
    else
        ent_db_rollback(db);
    return rc;
}

void ent_db_rollback(struct ent_db *db)
{
    if (!db->in_transaction)
        return;
    /* A failed commit may have undone it already. */
    if (sqlite3_get_autocommit(db->raw) == 0)
        (void)!ent_stmt_run(ent_db_stmt(db, ENT_SQL_ROLLBACK), NULL);
    db->stuck = sqlite3_get_autocommit(db->raw) == 0;
    db->in_transaction = db->stuck;
}

struct ent_stmt *ent_db_stmt(struct ent_db *db, enum ent_sql which)
{
    struct ent_stmt *stmt = &db->stmts[which];

    stmt->db = db;
    stmt->rc = which == ENT_SQL_ROLLBACK ? SQLITE_OK : undone(db);
    if (stmt->rc == SQLITE_OK && stmt->raw == NULL)
        stmt->rc =
            sqlite3_prepare_v3(db->raw, ent_sql_text[which], -1,
                               SQLITE_PREPARE_PERSISTENT, &stmt->raw, NULL);
    return stmt;
}

int ent_stmt_prepare(struct ent_db *db, const char *sql, struct ent_stmt *stmt,
                     struct ent_err *err)
{
    int rc = undone(db);

    *stmt = (struct ent_stmt){.db = db};
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v3(db->raw, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                &stmt->raw, NULL);
    return rc == SQLITE_OK ? 0 : ent_db_fail(db, rc, err);
}

void ent_stmt_fini(struct ent_stmt *stmt)
{
    sqlite3_finalize(stmt->raw);
    *stmt = (struct ent_stmt){0};
}

static void keep(struct ent_stmt *stmt, int rc)
{
    if (stmt->rc == SQLITE_OK)
        stmt->rc = rc;
}

void ent_stmt_bind_int(struct ent_stmt *stmt, int at, int64_t value)
{
    if (stmt->rc == SQLITE_OK)
        keep(stmt, sqlite3_bind_int64(stmt->raw, at, value));
}

void ent_stmt_bind_null(struct ent_stmt *stmt, int at)
{
    if (stmt->rc == SQLITE_OK)
        keep(stmt, sqlite3_bind_null(stmt->raw, at));
}

void ent_stmt_bind_real(struct ent_stmt *stmt, int at, double value)
{
    if (stmt->rc == SQLITE_OK)
        keep(stmt, sqlite3_bind_double(stmt->raw, at, value));
}

void ent_stmt_bind_blob(struct ent_stmt *stmt, int at, const void *bytes,
                        size_t len)
{
    /* NULL bytes would bind NULL; an empty blob is meant. */
    if (stmt->rc == SQLITE_OK)
        keep(stmt, sqlite3_bind_blob64(stmt->raw, at, len > 0 ? bytes : "", len,
                                       SQLITE_STATIC));
}

void ent_stmt_bind_text(struct ent_stmt *stmt, int at, struct ent_slice text)
{
    if (stmt->rc == SQLITE_OK)
        keep(stmt, sqlite3_bind_text64(
                       stmt->raw, at, text.len > 0 ? (const char *)text.at : "",
                       text.len, SQLITE_STATIC, SQLITE_UTF8));
}

void ent_stmt_bind_cstr(struct ent_stmt *stmt, int at, const char *text)
{
    ent_stmt_bind_text(stmt, at, ent_slice_str(text));
}

int ent_stmt_step(struct ent_stmt *stmt, struct ent_err *err)
{
    int rc = stmt->rc;

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt->raw);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    stmt->rc = rc;
    return ent_db_fail(stmt->db, rc, err);
}

int ent_stmt_run(struct ent_stmt *stmt, struct ent_err *err)
{
    int rc = ent_stmt_step(stmt, err);

    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

void ent_stmt_reset(struct ent_stmt *stmt)
{
    if (stmt->raw != NULL)
        sqlite3_reset(stmt->raw);
    stmt->rc = SQLITE_OK;
}

int64_t ent_stmt_int(struct ent_stmt *stmt, int column)
{
    return sqlite3_column_int64(stmt->raw, column);
}

struct ent_slice ent_stmt_bytes(struct ent_stmt *stmt, int column)
{
    int type = sqlite3_column_type(stmt->raw, column);
    bool number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
    /* Of a text too: a NUL behind it would cost memory. */
    const void *at = number
                         ? (const void *)sqlite3_column_text(stmt->raw, column)
                         : sqlite3_column_blob(stmt->raw, column);

    if (at == NULL && number)
        keep(stmt, SQLITE_NOMEM);
    if (at == NULL)
        return ent_slice("", 0);
    return ent_slice(at, (size_t)sqlite3_column_bytes(stmt->raw, column));
}

bool ent_stmt_is_null(struct ent_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt->raw, column) == SQLITE_NULL;
}

sqlite3_value *ent_stmt_column(struct ent_stmt *stmt, int column)
{
    return sqlite3_column_value(stmt->raw, column);
}

struct ent_slice ent_column_bytes(sqlite3_value *column)
{
    /* Of a text too: a NUL behind it would cost memory. */
    const void *at = sqlite3_value_blob(column);

    if (at == NULL)
        return ent_slice("", 0);
    return ent_slice(at, (size_t)sqlite3_value_bytes(column));
}

void ent_stmt_copy(struct ent_stmt *stmt, int column, void *to, size_t len)
{
    struct ent_slice bytes = ent_stmt_bytes(stmt, column);

    if (bytes.len == len)
        memcpy(to, bytes.at, len);
    else
        memset(to, 0, len);
}

void ent_stmt_copy_text(struct ent_stmt *stmt, int column, char *to,
                        size_t size)
{
    struct ent_slice bytes = ent_stmt_bytes(stmt, column);
    size_t len = bytes.len < size ? bytes.len : size - 1;

    memcpy(to, bytes.at, len);
    to[len] = '\0';
}
