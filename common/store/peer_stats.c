/* peer_stats.c - what is counted of each peer, and when it was heard. */
#include <stdlib.h>

#include "store/peers.h"
#include "store/replica.h"
#include "store/runs.h"

int ent_peer_count(struct ent_store *store, const struct ent_key *from,
                   const struct ent_taken *taken, int64_t sent,
                   struct ent_err *err)
{
    struct ent_stmt *stmt;

    if (from == NULL)
        return 0;
    stmt = ent_db_stmt(&store->db, ENT_SQL_PEER_COUNT);
    ent_stmt_bind_blob(stmt, 1, from->b, ENT_KEY_BYTES);
    ent_stmt_bind_int(stmt, 2, taken->received);
    ent_stmt_bind_int(stmt, 3, taken->applied);
    ent_stmt_bind_int(stmt, 4, taken->duplicate);
    ent_stmt_bind_int(stmt, 5, taken->quarantined);
    ent_stmt_bind_int(stmt, 6, taken->refused);
    ent_stmt_bind_int(stmt, 7, taken->waiting);
    ent_stmt_bind_int(stmt, 8, sent);
    return ent_stmt_run(stmt, err);
}

int ent_peer_sent(struct ent_store *store, const struct ent_key *key,
                  int64_t count, struct ent_err *err)
{
    static const struct ent_taken nothing;

    return ent_peer_count(store, key, &nothing, count, err);
}

int ent_peer_refused(struct ent_store *store, const struct ent_key *key,
                     struct ent_err *err)
{
    struct ent_taken one = {.received = 1, .refused = 1};

    return ent_peer_count(store, key, &one, 0, err);
}

#define HEARD_MS 60000       /* how old "last heard" may be */
#define HEARD_OFFSET_MS 1000 /* a clock this much off the one kept is news */

static bool heard_lately(struct ent_store *store, const struct ent_key *key,
                         int64_t now_ms, int64_t offset_ms)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_PEER_LAST);
    bool lately = false;

    ent_stmt_bind_blob(stmt, 1, key->b, ENT_KEY_BYTES);
    if (ent_stmt_step(stmt, NULL) > 0)
        lately = llabs(now_ms - ent_stmt_int(stmt, 0)) < HEARD_MS &&
                 llabs(offset_ms - ent_stmt_int(stmt, 1)) < HEARD_OFFSET_MS;
    ent_stmt_reset(stmt);
    return lately;
}

int ent_peer_heard(struct ent_store *store, const struct ent_key *key,
                   int64_t now_ms, int64_t offset_ms, struct ent_err *err)
{
    struct ent_stmt *stmt;

    if (heard_lately(store, key, now_ms, offset_ms))
        return 0;
    stmt = ent_db_stmt(&store->db, ENT_SQL_PEER_HEARD);

    ent_stmt_bind_blob(stmt, 1, key->b, ENT_KEY_BYTES);
    ent_stmt_bind_int(stmt, 2, now_ms);
    ent_stmt_bind_int(stmt, 3, offset_ms);
    return ent_stmt_run(stmt, err);
}
