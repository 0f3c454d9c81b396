/* peers.c - see peers.h. What other nodes signed that they hold is said.c's. */
#include "store/peers.h"

#include <libintl.h>
#include <stdlib.h>
#include <string.h>

#include "store/records.h"
#include "store/replica.h"
#include "store/spaces.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* One more element in a list that grows by doubling; NULL: no memory. */
static void *list_room(void *list, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return list;
    *cap = *cap == 0 ? 16 : 2 * *cap;
    return realloc(list, *cap * size);
}

/* ------------------------------------------------------------------- peers */

static int check_endpoint(const char *endpoint, struct ent_err *err)
{
    size_t len = strlen(endpoint);

    if (len > ENT_ENDPOINT_MAX)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("an endpoint may have %d bytes at most"),
                           ENT_ENDPOINT_MAX);
    if (strcspn(endpoint, " \t\r\n") != len)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("an endpoint has no blanks"));
    return 0;
}

int ent_peer_add(struct ent_store *store, const struct ent_key *key,
                 const char *endpoint, struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc = check_endpoint(endpoint, err);

    if (rc < 0)
        return rc;
    if (ent_key_equal(key, &store->keys.public))
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("this is the key of this node itself"));
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_PEER_SET_ENDPOINT);
    ent_stmt_bind_blob(stmt, 1, key->b, ENT_KEY_BYTES);
    ent_stmt_bind_cstr(stmt, 2, endpoint);
    rc = ent_stmt_run(stmt, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

int ent_peer_remove(struct ent_store *store, const struct ent_key *key,
                    struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_PEER_DELETE);
    ent_stmt_bind_blob(stmt, 1, key->b, ENT_KEY_BYTES);
    rc = ent_stmt_run(stmt, err);
    if (rc == 0 && sqlite3_changes(store->db.raw) == 0)
        rc = ent_err_set(err, ENT_ENOTFOUND, ENT_N_("no such peer here"));
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

static void read_peer(struct ent_stmt *stmt, struct ent_peer *peer)
{
    *peer = (struct ent_peer){.last_heard_ms = ent_stmt_int(stmt, 2),
                              .clock_offset_ms = ent_stmt_int(stmt, 3),
                              .received = ent_stmt_int(stmt, 4),
                              .applied = ent_stmt_int(stmt, 5),
                              .duplicate = ent_stmt_int(stmt, 6),
                              .quarantined = ent_stmt_int(stmt, 7),
                              .refused = ent_stmt_int(stmt, 8),
                              .waiting = ent_stmt_int(stmt, 9),
                              .sent = ent_stmt_int(stmt, 10)};
    ent_stmt_copy(stmt, 0, peer->key.b, ENT_KEY_BYTES);
    ent_stmt_copy_text(stmt, 1, peer->endpoint, sizeof(peer->endpoint));
}

int ent_peer_list(struct ent_store *store, struct ent_peer **list,
                  size_t *count, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_PEER_LIST);
    struct ent_peer *peers = NULL;
    size_t cap = 0;
    size_t n = 0;
    int rc;

    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        struct ent_peer *more = list_room(peers, n, &cap, sizeof(*peers));

        if (more == NULL) {
            rc = no_memory(err);
            break;
        }
        peers = more;
        read_peer(stmt, &peers[n++]);
    }
    ent_stmt_reset(stmt);
    if (rc < 0) {
        free(peers);
        return rc;
    }
    *list = peers;
    *count = n;
    return 0;
}

int ent_peer_endpoints(struct ent_store *store, const struct ent_key *key,
                       char endpoints[][ENT_ENDPOINT_MAX + 1], size_t max,
                       size_t *count, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_PEER_ENDPOINT);
    size_t found = 0;
    int rc;

    ent_stmt_bind_blob(stmt, 1, key->b, ENT_KEY_BYTES);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0 && max > 0) {
        ent_stmt_copy_text(stmt, 0, endpoints[0], ENT_ENDPOINT_MAX + 1);
        found = endpoints[0][0] != '\0';
    }
    ent_stmt_reset(stmt);
    if (rc >= 0)
        rc = ent_said_endpoints(store, key, endpoints, max, &found, err);
    if (rc < 0)
        return rc;
    *count = found;
    return 0;
}

/* --------------------------------------------------------------- this node */

static int set_endpoints(struct ent_store *store, const char *lines,
                         struct ent_err *err)
{
    char kept[ENT_ENDPOINTS_MAX * (ENT_ENDPOINT_MAX + 2)];
    int rc = ent_node_get(store, "endpoints", kept, sizeof(kept), err);

    if (rc < 0 || strcmp(kept, lines) == 0)
        return rc;
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    rc = ent_node_set(store, "endpoints", lines, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

int ent_self_endpoints_set(struct ent_store *store,
                           const char *const *endpoints, size_t count,
                           struct ent_err *err)
{
    struct ent_buf lines = {0};
    const char *text;
    int rc = 0;

    if (count > ENT_ENDPOINTS_MAX)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("a node has %d endpoints at most"),
                           ENT_ENDPOINTS_MAX);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = check_endpoint(endpoints[i], err);
        ent_buf_put_str(&lines, endpoints[i]);
        ent_buf_put_u8(&lines, '\n');
    }
    text = ent_buf_cstr(&lines);
    if (rc == 0)
        rc = text == NULL ? no_memory(err) : set_endpoints(store, text, err);
    ent_buf_fini(&lines);
    return rc;
}

/* -------------------------------------------------------------- quarantine */

static const char *reason_of(enum ent_verdict verdict)
{
    if (verdict == ENT_VERDICT_CUT)
        return ENT_N_("it lies beyond what the chair kept of its author");
    if (verdict == ENT_VERDICT_NOT_OWNER)
        return ENT_N_("it changes a record that belongs to somebody else");
    return ENT_N_("its author might not write in the space at that time");
}

struct listing {
    struct ent_quarantined *items;
    size_t count, cap;
};

/* Entries that `which` finds, with the place in the first column and, where
 * there is one, the verdict in the second. */
static int list_places(struct ent_store *store, enum ent_sql which,
                       int64_t space, struct listing *listing,
                       struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, which);
    bool aside = which == ENT_SQL_ASIDE_ALL;
    int rc;

    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        int64_t at = ent_stmt_int(stmt, 0);
        const struct ent_log *log = ent_log_of(store, ent_n_o(at));
        enum ent_verdict verdict = ENT_VERDICT_CUT;
        struct ent_quarantined *more;

        if (log == NULL || (space != 0 && log->space != space))
            continue;
        if (!aside)
            verdict = (enum ent_verdict)ent_stmt_int(stmt, 1);
        more = list_room(listing->items, listing->count, &listing->cap,
                         sizeof(*listing->items));
        if (more == NULL) {
            rc = no_memory(err);
            break;
        }
        listing->items = more;
        listing->items[listing->count++] =
            (struct ent_quarantined){.n = at,
                                     .space = log->space,
                                     .origin = log->id,
                                     .seq = (uint64_t)ent_n_seq(at),
                                     .author = log->author,
                                     .reason = reason_of(verdict)};
    }
    ent_stmt_reset(stmt);
    return rc;
}

int ent_quarantine_list(struct ent_store *store, int64_t space,
                        struct ent_quarantined **list, size_t *count,
                        struct ent_err *err)
{
    struct listing listing = {0};
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = list_places(store, ENT_SQL_LOG_QUARANTINED, space, &listing, err);
    if (rc == 0)
        rc = list_places(store, ENT_SQL_ASIDE_ALL, space, &listing, err);
    if (rc < 0) {
        free(listing.items);
        return rc;
    }
    *list = listing.items;
    *count = listing.count;
    return 0;
}

/* ------------------------------------------------------------------ counts */

static int count_logs(struct ent_store *store, int64_t space,
                      struct ent_space_counts *counts, struct ent_err *err)
{
    static const struct ent_hash first;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];

        if (log->space != space)
            continue;
        rc = ent_log_head(store, log, err);
        counts->logs++;
        counts->entries += log->head - log->base;
        counts->forks += !ent_hash_equal(&log->branch, &first);
    }
    return rc;
}

static int count_quarantined(struct ent_store *store, int64_t space,
                             int64_t *count, struct ent_err *err)
{
    struct ent_quarantined *list;
    size_t found;
    int rc = ent_quarantine_list(store, space, &list, &found, err);

    if (rc < 0)
        return rc;
    *count += (int64_t)found;
    free(list);
    return 0;
}

static int count_records(struct ent_store *store, int64_t space, int64_t *count,
                         struct ent_err *err)
{
    struct ent_buf sql = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < store->kinds->count; i++) {
        const char *text;
        int64_t rows = 0;

        ent_buf_reset(&sql);
        ent_buf_put_str(&sql, "SELECT count(*) FROM ");
        ent_table_quote(&sql, store->kinds->kinds[i].table);
        ent_buf_printf(&sql, " WHERE space = %lld", (long long)space);
        text = ent_buf_cstr(&sql);
        rc = text == NULL ? no_memory(err)
                          : ent_db_int(&store->db, text, &rows, err);
        *count += rows;
    }
    ent_buf_fini(&sql);
    return rc;
}

static int count_conflicts(struct ent_store *store, int64_t space,
                           int64_t *count, struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_conflict *list;
    size_t n = 0;
    int rc = ent_conflict_list(store, space, &arena, &list, &n, err);

    ent_arena_fini(&arena);
    *count = (int64_t)n;
    return rc;
}

int ent_space_counts(struct ent_store *store, int64_t space,
                     struct ent_space_counts *counts, struct ent_err *err)
{
    struct ent_space_counts found = {0};
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = count_logs(store, space, &found, err);
    if (rc == 0)
        rc = count_quarantined(store, space, &found.quarantined, err);
    if (rc == 0)
        rc = count_records(store, space, &found.records, err);
    if (rc == 0)
        rc = count_conflicts(store, space, &found.conflicts, err);
    if (rc == 0)
        *counts = found;
    return rc;
}

/* ------------------------------------------------------------------ alarms */

void ent_peer_name_put(struct ent_store *store, const struct ent_key *key,
                       struct ent_buf *buf)
{
    char hex[2 * ENT_KEY_BYTES + 1];
    const char *org = ent_member_org(store, key);

    ent_hex_put(hex, key->b, ENT_KEY_BYTES);
    hex[ENT_KEY_SHOWN] = '\0';
    ent_buf_put_str(buf, org[0] != '\0' ? org : hex);
}

static void put_line(struct ent_buf *lines, const char *what, const char *who)
{
    ent_buf_printf(lines, dgettext(ENT_TEXT_DOMAIN, what), who);
    ent_buf_put_u8(lines, '\n');
}

/* NULL: an alarm of a newer program. */
static const char *sentence_of(struct ent_slice what)
{
    if (ent_slice_equal(what, ent_slice_str("fork")))
        return ENT_N_("%s wrote two different entries under one number: its "
                      "replica was copied or put back, or its key is in use "
                      "elsewhere");
    if (ent_slice_equal(what, ent_slice_str("diverged")))
        return ENT_N_("%s holds the same entries and shows another state: run "
                      "entente verify on both nodes");
    if (ent_slice_equal(what, ent_slice_str("aside")))
        return ENT_N_("members offer more of what %s wrote beyond a cut than "
                      "is kept here: the rest stays with them, and comes when "
                      "some of it was readmitted");
    return NULL;
}

static int stored_alarms(struct ent_store *store, int64_t space,
                         struct ent_buf *lines, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ALARMS);
    struct ent_buf who = {0};
    int rc;

    ent_stmt_bind_int(stmt, 1, space);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        const char *sentence = sentence_of(ent_stmt_bytes(stmt, 0));
        struct ent_key key;
        const char *name;

        if (sentence == NULL)
            continue;
        ent_stmt_copy(stmt, 1, key.b, ENT_KEY_BYTES);
        ent_buf_reset(&who);
        ent_peer_name_put(store, &key, &who);
        name = ent_buf_cstr(&who);
        put_line(lines, sentence, name != NULL ? name : "");
    }
    ent_stmt_reset(stmt);
    ent_buf_fini(&who);
    return rc;
}

/* Why this node began a fresh origin, and when (N2). */
static int fresh_alarm(struct ent_store *store, struct ent_buf *lines,
                       struct ent_err *err)
{
    char fresh[128];
    char at[24];
    struct ent_buf when = {0};
    int rc = ent_node_get(store, "fresh", fresh, sizeof(fresh), err);

    if (rc == 0)
        rc = ent_node_get(store, "fresh_at", at, sizeof(at), err);
    if (rc < 0 || fresh[0] == '\0')
        return rc;
    if (at[0] == '\0') {
        put_line(lines, ENT_N_("this node writes a new log: %s"),
                 dgettext(ENT_TEXT_DOMAIN, fresh));
        return 0;
    }
    ent_when_put(&when, strtoll(at, NULL, 10));
    if (ent_buf_cstr(&when) == NULL)
        rc = no_memory(err);
    else
        ent_buf_printf(
            lines,
            dgettext(ENT_TEXT_DOMAIN,
                     ENT_N_("this node writes a new log since %s: %s\n")),
            ent_buf_cstr(&when), dgettext(ENT_TEXT_DOMAIN, fresh));
    ent_buf_fini(&when);
    return rc;
}

int ent_space_alarms(struct ent_store *store, int64_t space,
                     struct ent_buf *lines, struct ent_err *err)
{
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = stored_alarms(store, space, lines, err);
    if (rc == 0)
        rc = ent_space_notices(store, space, lines, err);
    if (rc == 0)
        rc = fresh_alarm(store, lines, err);
    return rc == 0 && lines->rc < 0 ? no_memory(err) : rc;
}
