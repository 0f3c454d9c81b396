/* alarm.c - alarms of a space are raised and taken back. */
#include "store/peers.h"
#include "store/replica.h"

static int alarm_stands(struct ent_store *store, int64_t space,
                        const char *what, struct ent_slice subject,
                        bool *stands, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ALARMS);
    int rc;

    *stands = false;
    ent_stmt_bind_int(stmt, 1, space);
    while ((rc = ent_stmt_step(stmt, err)) > 0)
        if (ent_slice_equal(ent_stmt_bytes(stmt, 0), ent_slice_str(what)) &&
            ent_slice_equal(ent_stmt_bytes(stmt, 1), subject))
            *stands = true;
    ent_stmt_reset(stmt);
    return rc;
}

int ent_alarm_set(struct ent_store *store, int64_t space, const char *what,
                  struct ent_slice subject, bool on, int64_t now_ms,
                  struct ent_err *err)
{
    struct ent_stmt *stmt;
    bool stands;
    int rc = alarm_stands(store, space, what, subject, &stands, err);

    if (rc < 0 || stands == on)
        return rc;
    stmt = ent_db_stmt(&store->db, on ? ENT_SQL_ALARM_PUT : ENT_SQL_ALARM_DROP);
    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_cstr(stmt, 2, what);
    ent_stmt_bind_blob(stmt, 3, subject.at, subject.len);
    if (on)
        ent_stmt_bind_int(stmt, 4, now_ms);
    return ent_stmt_run(stmt, err);
}
