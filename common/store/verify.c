/* verify.c - is this replica what its log says? What is read from the file is
 * believed no more than a peer's bytes: rosters go through the same gate into
 * a replica in memory, every entry is hashed on to the one before it, and the
 * state is summed up anew. A deep check replays the logs in that replica and
 * compares row by row. */
#include <libintl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "store/runs.h"
#include "store/schema.h"
#include "store/verify.h"

#define TEXT_BYTES 1024 /* of one finding */

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

void ent_verify_say(struct ent_verifying *verifying, const char *fmt, ...)
{
    char text[TEXT_BYTES];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), dgettext(ENT_TEXT_DOMAIN, fmt), ap);
    va_end(ap);
    verifying->count++;
    verifying->found(verifying->ctx, text);
}

int ent_verify_failure(struct ent_verifying *verifying, int rc,
                       const struct ent_err *said, struct ent_err *err)
{
    if (rc >= 0)
        return 0;
    if (rc == ENT_ENOMEM)
        return no_memory(err);
    ent_verify_say(verifying, "%s", said->text);
    return 0;
}

struct ent_space_sum *ent_verify_space(struct ent_verifying *verifying,
                                       int64_t space)
{
    for (size_t i = 0; i < verifying->space_count; i++)
        if (verifying->spaces[i].space == space)
            return &verifying->spaces[i];
    return NULL;
}

/* --------------------------------------------------- the replica in memory */

static int fresh_new(struct ent_verifying *verifying, struct ent_err *err)
{
    struct ent_store *fresh = calloc(1, sizeof(*fresh));
    bool changed;
    int rc;

    if (fresh == NULL)
        return no_memory(err);
    verifying->fresh = fresh;
    fresh->kinds = verifying->store->kinds;
    fresh->rand = verifying->store->rand;
    fresh->high_water = -1;
    fresh->cells_empty = true;
    fresh->unseen_empty = true;
    fresh->erased_empty = true;
    fresh->metas = calloc(ENT_META_CACHE, sizeof(*fresh->metas));
    if (fresh->metas == NULL)
        return no_memory(err);
    rc = ent_db_open(&fresh->db,
                     ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                     err);
    if (rc == 0)
        rc = ent_tables_init(&fresh->tables, &fresh->db, fresh->kinds, err);
    if (rc == 0)
        rc = ent_db_begin(&fresh->db, err);
    if (rc == 0)
        rc = ent_schema_create(&fresh->db, err);
    if (rc == 0)
        rc = ent_tables_create(&fresh->tables, &changed, err);
    return rc;
}

/* The rows of one table as they are. */
static int copy_rows(struct ent_verifying *verifying, const char *select,
                     const char *insert, struct ent_err *err)
{
    struct ent_stmt from = {0};
    struct ent_stmt to = {0};
    int rc = ent_stmt_prepare(&verifying->store->db, select, &from, err);

    if (rc == 0)
        rc = ent_stmt_prepare(&verifying->fresh->db, insert, &to, err);
    while (rc == 0 && (rc = ent_stmt_step(&from, err)) > 0) {
        for (int i = 0; i < sqlite3_column_count(from.raw); i++)
            if (to.rc == SQLITE_OK)
                to.rc = sqlite3_bind_value(to.raw, i + 1,
                                           sqlite3_column_value(from.raw, i));
        rc = ent_stmt_run(&to, err);
    }
    ent_stmt_fini(&from);
    ent_stmt_fini(&to);
    return rc;
}

static int read_spaces(struct ent_verifying *verifying, struct ent_err *err)
{
    struct ent_stmt *stmt;
    int64_t count = 0;
    int rc = ent_db_int(&verifying->store->db, "SELECT count(*) FROM space",
                        &count, err);

    if (rc < 0)
        return rc;
    verifying->spaces = calloc((size_t)count + 1, sizeof(*verifying->spaces));
    if (verifying->spaces == NULL)
        return no_memory(err);
    stmt = ent_db_stmt(&verifying->store->db, ENT_SQL_SPACES);
    while ((int64_t)verifying->space_count < count &&
           (rc = ent_stmt_step(stmt, err)) > 0) {
        struct ent_space_sum *space =
            &verifying->spaces[verifying->space_count++];

        space->space = ent_stmt_int(stmt, 0);
        ent_stmt_copy(stmt, 1, space->id.b, ENT_ID_BYTES);
    }
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

/* Spaces and logs keep their numbers, so that rows can be compared. */
static int copy_frame(struct ent_verifying *verifying, struct ent_err *err)
{
    int rc = read_spaces(verifying, err);

    if (rc == 0)
        rc = copy_rows(verifying, "SELECT space, id FROM space",
                       "INSERT INTO space(space, id, adjust)"
                       " VALUES(?1, ?2, zeroblob(16))",
                       err);
    if (rc == 0)
        rc = copy_rows(verifying,
                       "SELECT o, space, author, id, branch, base, parent"
                       " FROM origin",
                       "INSERT INTO origin(o, space, author, id, branch, base,"
                       " parent, signed, sig)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, x'')",
                       err);
    if (rc == 0)
        rc = ent_logs_load(verifying->fresh, err);
    return rc;
}

/* ---------------------------------------------------------------- the file */

static int check_file(struct ent_verifying *verifying, struct ent_err *err)
{
    struct ent_err said = {0};
    struct ent_stmt stmt = {0};
    int rc = ent_stmt_prepare(&verifying->store->db,
                              verifying->deep ? "PRAGMA integrity_check"
                                              : "PRAGMA quick_check",
                              &stmt, &said);

    while (rc == 0 && (rc = ent_stmt_step(&stmt, &said)) > 0) {
        struct ent_slice text = ent_stmt_bytes(&stmt, 0);

        rc = 0;
        if (!ent_slice_equal(text, ent_slice_str("ok")))
            ent_verify_say(verifying, ENT_N_("the file is damaged: %.*s"),
                           (int)(text.len < TEXT_BYTES ? text.len : TEXT_BYTES),
                           (const char *)text.at);
    }
    ent_stmt_fini(&stmt);
    return ent_verify_failure(verifying, rc, &said, err);
}

/* ----------------------------------------------------------------- rosters */

static int is_in_roster(struct ent_verifying *verifying, int64_t space,
                        const struct ent_hash *hash, struct ent_err *err)
{
    struct ent_stmt *stmt =
        ent_db_stmt(&verifying->store->db, ENT_SQL_ROSTER_GET);
    int rc;

    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, hash->b, ENT_HASH_BYTES);
    rc = ent_stmt_step(stmt, err);
    ent_stmt_reset(stmt);
    return rc;
}

/* What the row says beside the entry itself, and the entry before it. */
static int check_roster_row(struct ent_verifying *verifying, int64_t space,
                            struct ent_stmt *row,
                            const struct ent_roster_bytes *bytes,
                            struct ent_err *err)
{
    struct ent_hash hash = ent_hash_of(bytes->header);
    struct ent_entry header = {0};
    struct ent_hash body;
    int64_t pos = ent_stmt_int(row, 1);
    int rc = ent_header_get(bytes->header, ENT_ROSTER_TAG, &verifying->arena,
                            &header, &body, err);

    if (rc < 0)
        return rc;
    if (!ent_slice_equal(ent_stmt_bytes(row, 0),
                         ent_slice(hash.b, ENT_HASH_BYTES)))
        ent_verify_say(
            verifying,
            ENT_N_("roster entry %lld does not have the hash kept of it"),
            (long long)pos);
    if ((int64_t)header.seq != pos)
        ent_verify_say(
            verifying,
            ENT_N_("roster entry %lld is kept under the number %lld"),
            (long long)header.seq, (long long)pos);
    if (header.seq <= 1)
        return 0;
    rc = is_in_roster(verifying, space, &header.prev, err);
    if (rc == 0)
        ent_verify_say(verifying,
                       ENT_N_("roster entry %lld follows one that is not here"),
                       (long long)header.seq);
    return rc < 0 ? rc : 0;
}

static int check_roster_entry(struct ent_verifying *verifying, int64_t space,
                              struct ent_stmt *row, struct ent_err *err)
{
    struct ent_roster_bytes bytes = {.header = ent_stmt_bytes(row, 2),
                                     .body = ent_stmt_bytes(row, 4)};
    struct ent_err said = {0};
    bool is_new;
    int rc;

    ent_stmt_copy(row, 3, bytes.sig.b, ENT_SIG_BYTES);
    ent_arena_reset(&verifying->arena);
    rc = ent_roster_put(verifying->fresh, space, &bytes, &is_new, &said);
    if (rc == 0)
        return check_roster_row(verifying, space, row, &bytes, err);
    if (rc == ENT_ENOMEM)
        return no_memory(err);
    ent_verify_say(verifying, ENT_N_("roster entry %lld is damaged: %s"),
                   (long long)ent_stmt_int(row, 1), said.text);
    return 0;
}

/* What the roster erases counts nowhere when the logs are replayed. */
static int mark_erased(struct ent_verifying *verifying, int64_t space,
                       struct ent_err *err)
{
    struct ent_touched gone = {0};
    struct ent_touched back = {0};
    int rc = ent_erasures_mark(verifying->fresh, space, &gone, &back, err);

    free(gone.keys);
    free(back.keys);
    return rc;
}

static int check_roster(struct ent_verifying *verifying, int64_t space,
                        struct ent_err *err)
{
    struct ent_stmt *stmt =
        ent_db_stmt(&verifying->store->db, ENT_SQL_ROSTER_ROWS);
    int rc;

    ent_stmt_bind_int(stmt, 1, space);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        rc = check_roster_entry(verifying, space, stmt, err);
        if (rc < 0)
            break;
    }
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : mark_erased(verifying, space, err);
}

/* ------------------------------------------------------------------ verify */

static int check_all(struct ent_verifying *verifying, struct ent_err *err)
{
    struct ent_err said = {0};
    int rc = check_file(verifying, err);

    if (rc == 0)
        rc = fresh_new(verifying, err);
    if (rc == 0)
        rc = ent_verify_failure(verifying, copy_frame(verifying, &said), &said,
                                err);
    for (size_t i = 0; rc == 0 && i < verifying->space_count; i++)
        rc = ent_verify_failure(
            verifying,
            check_roster(verifying, verifying->spaces[i].space, &said), &said,
            err);
    if (rc == 0)
        rc = ent_verify_failure(verifying, ent_verify_logs(verifying, &said),
                                &said, err);
    if (rc == 0)
        rc = ent_verify_failure(verifying, ent_verify_state(verifying, &said),
                                &said, err);
    return rc;
}

int ent_store_verify(struct ent_store *store, bool deep, ent_verify_fn *found,
                     void *ctx, struct ent_err *err)
{
    struct ent_verifying verifying = {
        .store = store, .deep = deep, .found = found, .ctx = ctx};
    int rc;

    /* One reading transaction: what other processes write meanwhile must not
     * look like damage. */
    rc = ent_db_begin_read(&store->db, err);
    if (rc < 0)
        return rc;
    ent_store_forget(store);
    rc = ent_store_refresh(store, err);
    if (rc == 0)
        rc = check_all(&verifying, err);
    ent_db_rollback(&store->db);
    ent_store_close(verifying.fresh);
    free(verifying.spaces);
    ent_arena_fini(&verifying.arena);
    ent_seal_fini(&verifying.seal);
    return rc < 0 ? rc : verifying.count;
}
