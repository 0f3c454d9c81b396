/* answers.c - see answers.h. */
#include "store/answers.h"

#include "store/replica.h"

int ent_answer_add(struct ent_store *store, int64_t space,
                   const struct ent_id *survey, struct ent_slice json,
                   struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc;

    if (json.len > ENT_ANSWER_BYTES_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("answers of more than %d bytes"),
                           ENT_ANSWER_BYTES_MAX);
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ANSWER_PUT);
    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, survey->b, ENT_ID_BYTES);
    ent_stmt_bind_text(stmt, 3, json);
    rc = ent_stmt_run(stmt, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}
