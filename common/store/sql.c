/* sql.c - every fixed statement, under its name. Parameters in order. */
#include "store/sql.h"

const char *const ent_sql_text[ENT_SQL_COUNT] = {
    [ENT_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [ENT_SQL_BEGIN_READ] = "BEGIN",
    [ENT_SQL_COMMIT] = "COMMIT",
    [ENT_SQL_ROLLBACK] = "ROLLBACK",
    [ENT_SQL_DATA_VERSION] = "PRAGMA data_version",

    [ENT_SQL_NODE_GET] = "SELECT value FROM local_node WHERE key = ?1",
    [ENT_SQL_NODE_SET] =
        "INSERT INTO local_node(key, value) VALUES(?1, ?2)"
        " ON CONFLICT(key) DO UPDATE SET value = excluded.value",

    [ENT_SQL_COPY_INTO] = "VACUUM INTO ?1",
    [ENT_SQL_QUICK_CHECK] = "PRAGMA quick_check(1)",
    [ENT_SQL_PAGE_BYTES] = "SELECT page_count * page_size"
                           " FROM pragma_page_count, pragma_page_size",
    /* The tables FTS5 makes for itself are its own matter. */
    [ENT_SQL_TABLES_OWN] =
        "SELECT s.name, s.sql FROM sqlite_schema s"
        " JOIN pragma_table_list t ON t.schema = 'main' AND t.name = s.name"
        " WHERE t.type <> 'shadow' AND s.sql IS NOT NULL",
    [ENT_SQL_TABLE_TEXT] = "SELECT sql FROM sqlite_schema"
                           " WHERE type = 'table' AND name = ?1",
    [ENT_SQL_CODE_COUNT] = "SELECT count(*) FROM sqlite_schema"
                           " WHERE type IN ('trigger', 'view')",
    [ENT_SQL_BACKUP_MAKE] =
        "CREATE TABLE local_backup(at INTEGER NOT NULL, seed BLOB) STRICT",
    [ENT_SQL_BACKUP_SET] = "INSERT INTO local_backup(at, seed) VALUES(?1, ?2)",
    [ENT_SQL_BACKUP_GET] = "SELECT at, seed FROM local_backup",
    [ENT_SQL_BACKUP_DROP] = "DROP TABLE IF EXISTS local_backup",
    [ENT_SQL_INVITE_DELETE_ALL] = "DELETE FROM local_invite",
    [ENT_SQL_NODE_FORGET_FILE] =
        "DELETE FROM local_node WHERE key IN ('machine', 'inode')",

    [ENT_SQL_SPACES] = "SELECT space, id FROM space ORDER BY space",
    [ENT_SQL_SPACE_INSERT] =
        "INSERT INTO space(id, adjust) VALUES(?1, zeroblob(16))",
    [ENT_SQL_SPACE_ADJUST] = "SELECT adjust FROM space WHERE space = ?1",
    [ENT_SQL_SPACE_SET_ADJUST] =
        "UPDATE space SET adjust = ?2 WHERE space = ?1",
    [ENT_SQL_HANDLE_INSERT] =
        "INSERT INTO local_space(space, name, gone) VALUES(?1, ?2, 0)",
    [ENT_SQL_HANDLE_GET] =
        "SELECT name, gone FROM local_space WHERE space = ?1",
    [ENT_SQL_HANDLE_FIND] = "SELECT space FROM local_space WHERE name = ?1",
    [ENT_SQL_HANDLE_RENAME] =
        "UPDATE local_space SET name = ?2 WHERE space = ?1",
    [ENT_SQL_HANDLE_GONE] = "UPDATE local_space SET gone = 1 WHERE space = ?1",
    [ENT_SQL_HANDLE_BACK] = "UPDATE local_space SET gone = 0 WHERE space = ?1",

    [ENT_SQL_ROSTER_ALL] =
        "SELECT hash, header, body FROM roster WHERE space = ?1"
        " ORDER BY pos, hash",
    [ENT_SQL_ROSTER_INSERT] =
        "INSERT INTO roster(space, hash, pos, header, sig, body)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    [ENT_SQL_ROSTER_GET] =
        "SELECT header, sig, body FROM roster WHERE space = ?1 AND hash = ?2",
    [ENT_SQL_ROSTER_ROWS] =
        "SELECT hash, pos, header, sig, body FROM roster WHERE space = ?1"
        " ORDER BY pos, hash",

    [ENT_SQL_ORIGINS] =
        "SELECT o, space, author, id, branch, base, signed, sig, parent"
        " FROM origin"
        " ORDER BY o",
    [ENT_SQL_ORIGIN_INSERT] =
        "INSERT INTO origin(space, author, id, branch, base, signed, sig,"
        " parent) VALUES(?1, ?2, ?3, ?4, ?5, 0, x'', ?6)",
    [ENT_SQL_ORIGIN_SIGN] =
        "UPDATE origin SET signed = ?2, sig = ?3 WHERE o = ?1",
    [ENT_SQL_SIGNATURE_INSERT] =
        "INSERT INTO signature(n, sig) VALUES(?1, ?2) ON CONFLICT DO NOTHING",
    [ENT_SQL_SIGNATURE_LAST] =
        "SELECT n FROM signature WHERE n BETWEEN ?1 AND ?2"
        " ORDER BY n DESC LIMIT 1",
    [ENT_SQL_SIGNATURE_RANGE] =
        "SELECT n, sig FROM signature WHERE n BETWEEN ?1 AND ?2"
        " ORDER BY n LIMIT ?3",

    [ENT_SQL_LOG_HEAD] =
        "SELECT n, hash, sum FROM log WHERE n BETWEEN ?1 AND ?2"
        " ORDER BY n DESC LIMIT 1",
    [ENT_SQL_LOG_INSERT] = "INSERT INTO log(n, at, verdict, hash, sum, entry)"
                           " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [ENT_SQL_LOG_META] = "SELECT at, verdict, hash FROM log WHERE n = ?1",
    [ENT_SQL_LOG_ENTRY] =
        "SELECT at, verdict, hash, entry FROM log WHERE n = ?1",
    [ENT_SQL_LOG_RANGE] = "SELECT n, at, verdict, hash, entry FROM log"
                          " WHERE n BETWEEN ?1 AND ?2 ORDER BY n",

    [ENT_SQL_LOG_VERDICT] = "UPDATE log SET verdict = ?2 WHERE n = ?1",
    [ENT_SQL_LOG_BYTES] = "SELECT coalesce(sum(length(entry)), 0) FROM log"
                          " WHERE n BETWEEN ?1 AND ?2",
    [ENT_SQL_LOG_QUARANTINED] =
        "SELECT n, verdict FROM log WHERE verdict <> 0 ORDER BY n",
    [ENT_SQL_LOG_CUT] = "DELETE FROM log WHERE n BETWEEN ?1 AND ?2",
    [ENT_SQL_SIGNATURE_CUT] = "DELETE FROM signature WHERE n BETWEEN ?1 AND ?2",
    [ENT_SQL_ASIDE_TAKE] =
        "INSERT OR REPLACE INTO aside(n, at, hash, sig, entry)"
        " SELECT n, at, hash, coalesce((SELECT s.sig FROM signature s"
        " WHERE s.n = log.n), x''), entry FROM log WHERE n BETWEEN ?1 AND ?2",
    [ENT_SQL_ASIDE_SIGN] = "UPDATE aside SET sig = ?2 WHERE n = ?1",
    [ENT_SQL_ASIDE_RANGE] = "SELECT n, hash, sig, entry FROM aside"
                            " WHERE n BETWEEN ?1 AND ?2 ORDER BY n",
    [ENT_SQL_ASIDE_DROP] = "DELETE FROM aside WHERE n BETWEEN ?1 AND ?2",
    [ENT_SQL_ASIDE_LAST] =
        "SELECT n, hash, entry FROM aside WHERE n BETWEEN ?1 AND ?2"
        " ORDER BY n DESC LIMIT 1",
    [ENT_SQL_ASIDE_ALL] = "SELECT n FROM aside ORDER BY n",
    [ENT_SQL_ASIDE_SIGNED] =
        "SELECT n, hash FROM aside WHERE n BETWEEN ?1 AND ?2"
        " AND length(sig) > 0 ORDER BY n DESC LIMIT 1",
    [ENT_SQL_ASIDE_BYTES] =
        "SELECT count(*), coalesce(sum(length(entry)), 0) FROM aside"
        " WHERE n BETWEEN ?1 AND ?2",
    [ENT_SQL_ASIDE_INSERT] = "INSERT INTO aside(n, at, hash, sig, entry)"
                             " VALUES(?1, ?2, ?3, x'', ?4)",

    [ENT_SQL_CELL_ANY] = "SELECT EXISTS(SELECT 1 FROM cell)",
    [ENT_SQL_ARCHIVED] = "SELECT DISTINCT space, kind, id FROM cell"
                         " WHERE field = ?1 AND value IS NOT NULL"
                         " ORDER BY space, kind, id",
    [ENT_SQL_CELL_HAS_FIELD] =
        "SELECT 1 FROM main.cell WHERE kind = ?1 AND field = ?2 LIMIT 1",
    [ENT_SQL_CELL_OF_RECORD] = "SELECT field, n, ordinal, code, value FROM cell"
                               " WHERE space = ?1 AND kind = ?2 AND id = ?3",
    [ENT_SQL_CELL_OF_FIELD] =
        "SELECT field, n, ordinal, code, value FROM cell"
        " WHERE space = ?1 AND kind = ?2 AND id = ?3 AND field = ?4",
    [ENT_SQL_CELL_INSERT] =
        "INSERT INTO cell(space, kind, id, field, n, ordinal, code, value)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [ENT_SQL_CELL_DELETE] =
        "DELETE FROM cell WHERE space = ?1 AND kind = ?2 AND id = ?3"
        " AND field = ?4 AND n = ?5 AND ordinal = ?6",
    [ENT_SQL_CELL_CLEAR] =
        "DELETE FROM cell WHERE space = ?1 AND kind = ?2 AND id = ?3",
    /* The number of ENT_FIELD_SAME stands here as it does in the index. */
    [ENT_SQL_SAME_ALL] = "SELECT space, kind, id, value FROM cell"
                         " WHERE field = 999 AND value IS NOT NULL",
    [ENT_SQL_SAME_OF_KIND] = "SELECT space, kind, id, value FROM cell"
                             " WHERE field = 999 AND value IS NOT NULL"
                             " AND space = ?1 AND kind = ?2",

    /* Of the fields that stand in several cells few are contested: only of
     * those is asked whether the record was deleted. */
    [ENT_SQL_CONTESTED] =
        "SELECT space, kind, id, field FROM cell c"
        " WHERE ?1 = 0 OR space = ?1 GROUP BY space, kind, id, field"
        " HAVING CASE field WHEN 0 THEN min(code) <> max(code)"
        " ELSE min(coalesce(value, x'')) <> max(coalesce(value, x'')) END"
        " AND (NOT EXISTS (SELECT 1 FROM cell d"
        " WHERE d.space = c.space AND d.kind = c.kind AND d.id = c.id"
        " AND d.field = 0 AND d.code = 5) OR EXISTS (SELECT 1 FROM cell l"
        " WHERE l.space = c.space AND l.kind = c.kind AND l.id = c.id"
        " AND l.field = 0 AND l.code = 4))",

    [ENT_SQL_UNSEEN_ANY] = "SELECT EXISTS(SELECT 1 FROM unseen)",
    [ENT_SQL_UNSEEN_OF_RECORD] =
        "SELECT 1 FROM unseen WHERE space = ?1 AND kind = ?2 AND id = ?3"
        " LIMIT 1",
    [ENT_SQL_UNSEEN_INSERT] =
        "INSERT INTO unseen(space, kind, id, field, origin, seq, hash, ordinal)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
    [ENT_SQL_UNSEEN_TAKE] =
        "DELETE FROM unseen"
        " WHERE space = ?1 AND kind = ?2 AND id = ?3 AND field = ?4"
        " AND origin = ?5 AND seq = ?6 AND hash = ?7 AND ordinal = ?8",
    [ENT_SQL_UNSEEN_CLEAR] =
        "DELETE FROM unseen WHERE space = ?1 AND kind = ?2 AND id = ?3",

    [ENT_SQL_ERASED_ANY] = "SELECT EXISTS(SELECT 1 FROM erased)",
    [ENT_SQL_ERASED_GET] = "SELECT chair, n, counts FROM erased"
                           " WHERE space = ?1 AND kind = ?2 AND id = ?3",
    [ENT_SQL_ERASED_PUT] =
        "INSERT INTO erased(space, kind, id, chair, n, counts)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT(space, kind, id) DO UPDATE SET chair = excluded.chair,"
        " n = excluded.n, counts = excluded.counts",
    [ENT_SQL_ERASED_DROP] =
        "DELETE FROM erased WHERE space = ?1 AND kind = ?2 AND id = ?3",
    [ENT_SQL_ERASED_UNCOUNT] = "UPDATE erased SET counts = 0"
                               " WHERE space = ?1 AND kind = ?2 AND id = ?3",
    [ENT_SQL_ERASED_UNCOUNT_ALL] = "UPDATE erased SET counts = 0",
    [ENT_SQL_ERASED_LATE] = "UPDATE erased SET late = late + 1"
                            " WHERE space = ?1 AND kind = ?2 AND id = ?3",
    [ENT_SQL_ERASED_BY_CHAIR] =
        "SELECT kind, id FROM erased WHERE space = ?1 AND chair = 1",
    [ENT_SQL_ERASED_ALL] =
        "SELECT space, kind, id, chair, n, counts, late FROM erased"
        " WHERE ?1 = 0 OR space = ?1 ORDER BY space, kind, id",
    [ENT_SQL_LOG_SET_ENTRY] = "UPDATE log SET entry = ?2 WHERE n = ?1",
    [ENT_SQL_ASIDE_SET_ENTRY] = "UPDATE aside SET entry = ?2 WHERE n = ?1",
    [ENT_SQL_WANTED_ANY] = "SELECT 1 FROM wanted LIMIT 1",
    [ENT_SQL_WANTED_PUT] =
        "INSERT INTO wanted(n) VALUES(?1) ON CONFLICT DO NOTHING",
    [ENT_SQL_WANTED_DROP] = "DELETE FROM wanted WHERE n = ?1",
    [ENT_SQL_WANTED_CUT] = "DELETE FROM wanted WHERE n BETWEEN ?1 AND ?2",
    [ENT_SQL_WANTED_LIST] = "SELECT n FROM wanted",
    [ENT_SQL_ASKED_GET] =
        "SELECT at, tries FROM local_asked WHERE space = ?1 AND key = ?2",
    [ENT_SQL_ASKED_PUT] =
        "INSERT INTO local_asked(space, key, at, tries) VALUES(?1, ?2, ?3, 1)"
        " ON CONFLICT(space, key) DO UPDATE SET at = excluded.at,"
        " tries = tries + 1",
    [ENT_SQL_ASKED_CLEAR] = "DELETE FROM local_asked WHERE space = ?1",
    [ENT_SQL_WANTED_COUNT] =
        "SELECT count(*) FROM wanted w JOIN origin o ON o.o = w.n >> 40"
        " WHERE ?1 = 0 OR o.space = ?1",

    [ENT_SQL_FRONTIERS] =
        "SELECT key, counter, body, sig FROM frontier WHERE space = ?1"
        " ORDER BY key",
    [ENT_SQL_FRONTIERS_OF] =
        "SELECT body FROM frontier WHERE key = ?1 ORDER BY counter DESC",
    [ENT_SQL_FRONTIER_GET] = "SELECT counter, body, sig FROM frontier"
                             " WHERE space = ?1 AND key = ?2",
    [ENT_SQL_FRONTIER_PUT] =
        "INSERT INTO frontier(space, key, counter, body, sig)"
        " VALUES(?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT(space, key) DO UPDATE SET counter = excluded.counter,"
        " body = excluded.body, sig = excluded.sig",

    [ENT_SQL_PEER_LIST] =
        "SELECT key, endpoint, heard, offset, received, applied, duplicate,"
        " quarantined, refused, waiting, sent FROM local_peer ORDER BY key",
    [ENT_SQL_PEER_ENDPOINT] = "SELECT endpoint FROM local_peer WHERE key = ?1",
    [ENT_SQL_PEER_SET_ENDPOINT] =
        "INSERT INTO local_peer(key, endpoint) VALUES(?1, ?2)"
        " ON CONFLICT(key) DO UPDATE SET endpoint = excluded.endpoint",
    [ENT_SQL_PEER_DELETE] = "DELETE FROM local_peer WHERE key = ?1",
    [ENT_SQL_PEER_LAST] = "SELECT heard, offset FROM local_peer WHERE key = ?1",
    [ENT_SQL_PEER_HEARD] =
        "INSERT INTO local_peer(key, heard, offset) VALUES(?1, ?2, ?3)"
        " ON CONFLICT(key) DO UPDATE SET heard = excluded.heard,"
        " offset = excluded.offset",
    [ENT_SQL_PEER_COUNT] =
        "INSERT INTO local_peer(key, received, applied, duplicate,"
        " quarantined, refused, waiting, sent)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        " ON CONFLICT(key) DO UPDATE SET received = received + ?2,"
        " applied = applied + ?3, duplicate = duplicate + ?4,"
        " quarantined = quarantined + ?5, refused = refused + ?6,"
        " waiting = waiting + ?7, sent = sent + ?8",

    [ENT_SQL_INVITE_INSERT] =
        "INSERT INTO local_invite(id, space, secret, role, expires)"
        " VALUES(?1, ?2, ?3, ?4, ?5)",
    [ENT_SQL_INVITE_GET] =
        "SELECT space, secret, role, expires, used FROM local_invite"
        " WHERE id = ?1",
    [ENT_SQL_INVITE_USE] = "UPDATE local_invite SET used = ?2 WHERE id = ?1",

    [ENT_SQL_ALARM_PUT] = "INSERT INTO local_alarm(space, what, subject, at)"
                          " VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    [ENT_SQL_ALARM_DROP] = "DELETE FROM local_alarm"
                           " WHERE space = ?1 AND what = ?2 AND subject = ?3",
    [ENT_SQL_ALARMS] =
        "SELECT what, subject, at FROM local_alarm WHERE space = ?1"
        " ORDER BY at, what",

    [ENT_SQL_ANSWER_PUT] = "INSERT INTO local_answer(space, survey, answers)"
                           " VALUES(?1, ?2, ?3)",
    [ENT_SQL_ANSWERS_DROP] =
        "DELETE FROM local_answer WHERE space = ?1 AND survey = ?2",
    [ENT_SQL_READ_PUT] = "INSERT INTO local_read(space, id) VALUES(?1, ?2)"
                         " ON CONFLICT DO NOTHING",
    [ENT_SQL_LAST_CLEAR] = "DELETE FROM local_last",
    [ENT_SQL_LAST_PUT] =
        "INSERT INTO local_last(first, last, space) VALUES(?1, ?2, ?3)",
    [ENT_SQL_LAST_ALL] =
        "SELECT first, last, space FROM local_last ORDER BY space, first",

    [ENT_SQL_SEARCH_BEHIND] =
        "SELECT o, seq FROM (SELECT origin.o AS o,"
        " coalesce(search_mark.seq, origin.base) AS seq,"
        " (SELECT n FROM log WHERE n BETWEEN origin.o << 40"
        " AND (origin.o + 1 << 40) - 1 ORDER BY n DESC LIMIT 1) AS head"
        " FROM origin LEFT JOIN search_mark ON search_mark.o = origin.o)"
        " WHERE head > (o << 40 | seq) LIMIT 1",
    [ENT_SQL_SEARCH_SET_MARK] =
        "INSERT INTO search_mark(o, seq) VALUES(?1, ?2)"
        " ON CONFLICT(o) DO UPDATE SET seq = excluded.seq",
    [ENT_SQL_SEARCH_DOC_COUNT] = "SELECT count(*) FROM search_doc",
    [ENT_SQL_SEARCH_DOC_LAST] =
        "SELECT seq FROM sqlite_sequence WHERE name = 'search_doc'",
    [ENT_SQL_SEARCH_DOC_DROP] =
        "DELETE FROM search_doc WHERE space = ?1 AND kind = ?2 AND id = ?3",
    [ENT_SQL_SEARCH_DOC_NEW] =
        "INSERT INTO search_doc(space, kind, id) VALUES(?1, ?2, ?3)",
    [ENT_SQL_SEARCH_INSERT] = "INSERT INTO search(rowid, words) VALUES(?1, ?2)",
    [ENT_SQL_SEARCH_FIND] =
        "SELECT d.space, d.kind, d.id FROM search s"
        " JOIN search_doc d ON d.doc = s.rowid"
        " WHERE search MATCH ?1 ORDER BY s.rowid DESC LIMIT ?2",
};
