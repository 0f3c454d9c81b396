/* plain.c - the measure: the same rows in SQLite and nothing else.
 * The connection is opened as the replica's: WAL, synchronous=FULL, the same
 * pages and cache, and SQLite's automatic checkpoints, every 1,000 pages in the
 * commit that reaches them. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define COLUMNS_TEXT                                                           \
    "kind TEXT, title TEXT, given TEXT, family TEXT, org TEXT, email TEXT,"    \
    "phone TEXT, city TEXT, due TEXT, status TEXT, prio TEXT, note TEXT"

static const char *const names[BENCH_COLUMNS] = {
    "kind",  "title", "given", "family", "org",  "email",
    "phone", "city",  "due",   "status", "prio", "note"};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS record("
    " id BLOB PRIMARY KEY," COLUMNS_TEXT ") STRICT, WITHOUT ROWID";

static const char setup[] = "PRAGMA journal_mode = WAL;"
                            "PRAGMA synchronous = FULL;"
                            "PRAGMA temp_store = MEMORY;"
                            "PRAGMA cache_size = -4096;";

static void fail(struct plain *plain, const char *what)
{
    bench_die("sqlite: %s: %s", what, sqlite3_errmsg(plain->db));
}

static void run(struct plain *plain, const char *sql)
{
    if (sqlite3_exec(plain->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail(plain, sql);
}

static sqlite3_stmt *prepare(struct plain *plain, const char *sql)
{
    sqlite3_stmt *stmt;

    if (sqlite3_prepare_v3(plain->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt,
                           NULL) != SQLITE_OK)
        fail(plain, sql);
    return stmt;
}

static void step(struct plain *plain, sqlite3_stmt *stmt)
{
    if (sqlite3_step(stmt) != SQLITE_DONE || sqlite3_reset(stmt) != SQLITE_OK)
        fail(plain, "step");
}

void plain_open(struct plain *plain, const char *dir, bool durable)
{
    char text[BENCH_PATH_MAX + 16];

    memset(plain, 0, sizeof(*plain));
    snprintf(text, sizeof(text), "%s/plain.db", dir);
    if (sqlite3_open_v2(text, &plain->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                            SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        fail(plain, text);
    run(plain, setup);
    if (!durable)
        run(plain, "PRAGMA synchronous = OFF");
    run(plain, schema);
    plain->begin = prepare(plain, "BEGIN IMMEDIATE");
    plain->commit = prepare(plain, "COMMIT");
    plain->insert =
        prepare(plain, "INSERT INTO record VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)");
    for (size_t i = 0; i < BENCH_COLUMNS; i++) {
        snprintf(text, sizeof(text), "UPDATE record SET %s = ?1 WHERE id = ?2",
                 names[i]);
        plain->update[i] = prepare(plain, text);
    }
}

void plain_close(struct plain *plain)
{
    sqlite3_finalize(plain->begin);
    sqlite3_finalize(plain->commit);
    sqlite3_finalize(plain->insert);
    for (size_t i = 0; i < BENCH_COLUMNS; i++)
        sqlite3_finalize(plain->update[i]);
    sqlite3_close(plain->db);
}

/* Begin before the first of a batch, commit behind its last. */
static void batch_begin(struct plain *plain, size_t at, size_t from,
                        size_t batch)
{
    if (batch > 1 && (at - from) % batch == 0)
        step(plain, plain->begin);
}

static void batch_end(struct plain *plain, size_t at, size_t from, size_t to,
                      size_t batch)
{
    if (batch > 1 && ((at + 1 - from) % batch == 0 || at + 1 == to))
        step(plain, plain->commit);
}

static void bind_text(sqlite3_stmt *stmt, int at, struct ent_slice text)
{
    sqlite3_bind_text(stmt, at, (const char *)text.at, (int)text.len,
                      SQLITE_STATIC);
}

void plain_insert(struct plain *plain, const struct bench_data *data,
                  size_t from, size_t to, size_t batch)
{
    for (size_t i = from; i < to; i++) {
        uint32_t record = data->order[i];

        batch_begin(plain, i, from, batch);
        sqlite3_bind_blob(plain->insert, 1, data->ids[record].b, ENT_ID_BYTES,
                          SQLITE_STATIC);
        for (int c = 0; c < BENCH_COLUMNS; c++)
            bind_text(plain->insert, c + 2, data->records[record][c]);
        step(plain, plain->insert);
        batch_end(plain, i, from, to, batch);
    }
}

void plain_update(struct plain *plain, const struct bench_data *data,
                  const struct bench_cells *cells, size_t from, size_t to,
                  size_t batch)
{
    for (size_t i = from; i < to; i++) {
        const struct bench_cell *cell = &cells->at[i];
        sqlite3_stmt *update = plain->update[cell->column];

        batch_begin(plain, i, from, batch);
        bind_text(update, 1, cell->text);
        sqlite3_bind_blob(update, 2, data->ids[cell->record].b, ENT_ID_BYTES,
                          SQLITE_STATIC);
        step(plain, update);
        if (sqlite3_changes(plain->db) != 1)
            bench_die("sqlite: record %u is missing", cell->record);
        batch_end(plain, i, from, to, batch);
    }
}

static void copy_row(struct plain *plain, sqlite3_stmt *row)
{
    for (int c = 0; c <= BENCH_COLUMNS; c++)
        sqlite3_bind_value(plain->insert, c + 1, sqlite3_column_value(row, c));
    step(plain, plain->insert);
}

void plain_copy(struct plain *plain, struct plain *from)
{
    sqlite3_stmt *rows = prepare(from, "SELECT * FROM record ORDER BY id");
    size_t done = 0;

    while (sqlite3_step(rows) == SQLITE_ROW) {
        if (done % BENCH_BATCH == 0)
            step(plain, plain->begin);
        copy_row(plain, rows);
        if (++done % BENCH_BATCH == 0)
            step(plain, plain->commit);
    }
    if (done % BENCH_BATCH != 0)
        step(plain, plain->commit);
    if (sqlite3_finalize(rows) != SQLITE_OK)
        fail(from, "copy");
}
