/* marks.c - see marks.h; and what the last command wrote (replica.h). */
#include "store/marks.h"

#include "store/replica.h"

int ent_read_mark(struct ent_store *store, const struct ent_record_ref *refs,
                  size_t count, struct ent_err *err)
{
    int rc;

    if (count == 0)
        return 0;
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_READ_PUT);

        ent_stmt_bind_int(stmt, 1, refs[i].space);
        ent_stmt_bind_blob(stmt, 2, refs[i].id.b, ENT_ID_BYTES);
        rc = ent_stmt_run(stmt, err);
    }
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

int ent_last_forget(struct ent_store *store, struct ent_err *err)
{
    if (!store->keep_last || store->last_kept)
        return 0;
    return ent_stmt_run(ent_db_stmt(&store->db, ENT_SQL_LAST_CLEAR), err);
}

int ent_last_keep(struct ent_store *store, const struct ent_log *log,
                  int64_t first, struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc = ent_last_forget(store, err);

    if (rc < 0 || !store->keep_last)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_LAST_PUT);
    ent_stmt_bind_int(stmt, 1, ent_n(log->o, first));
    ent_stmt_bind_int(stmt, 2, ent_n(log->o, log->head));
    ent_stmt_bind_int(stmt, 3, log->space);
    return ent_stmt_run(stmt, err);
}
