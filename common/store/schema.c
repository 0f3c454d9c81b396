/* schema.c - see schema.h. */
#include "store/schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/store.h"

#define HEADER_BYTES 100
/* Entries that a cut takes out of the log, until the chair readmits them: their
 * place in it, as in `log`, and the author's signature where one was held. */
#define ASIDE                                                                  \
    "CREATE TABLE aside("                                                      \
    " n INTEGER PRIMARY KEY, at INTEGER NOT NULL, hash BLOB NOT NULL,"         \
    " sig BLOB NOT NULL, entry BLOB NOT NULL) STRICT;"
/* Messages that were read here, and the entries that the last command here
 * wrote: one row for each of its transactions, from n to n. */
#define LOCAL_MARKS                                                            \
    "CREATE TABLE local_read("                                                 \
    " space INTEGER NOT NULL, id BLOB NOT NULL, PRIMARY KEY(space, id))"       \
    " STRICT, WITHOUT ROWID;"                                                  \
    "CREATE TABLE local_last("                                                 \
    " first INTEGER PRIMARY KEY, last INTEGER NOT NULL,"                       \
    " space INTEGER NOT NULL) STRICT;"

/* What people answered to a survey here, who is not kept: only tallies leave
 * this node. */
#define LOCAL_ANSWERS                                                          \
    "CREATE TABLE local_answer("                                               \
    " n INTEGER PRIMARY KEY, space INTEGER NOT NULL, survey BLOB NOT NULL,"    \
    " answers TEXT NOT NULL) STRICT;"                                          \
    "CREATE INDEX local_answer_survey ON local_answer(space, survey);"

/* Records that were erased (E1): by an entry of the roster that is carried out
 * (`chair`), by their owner in entry `n` of the log or aside (0: no), which
 * counts or not; and how many writes came after it. Then the entries that lack
 * a payload that was not erased (E3), and which peers were asked for them. */
#define ERASURES                                                               \
    "CREATE TABLE erased("                                                     \
    " space INTEGER NOT NULL, kind INTEGER NOT NULL, id BLOB NOT NULL,"        \
    " chair INTEGER NOT NULL, n INTEGER NOT NULL, counts INTEGER NOT NULL,"    \
    " late INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(space, kind, id))"          \
    " STRICT, WITHOUT ROWID;"                                                  \
    "CREATE TABLE wanted(n INTEGER PRIMARY KEY) STRICT;"                       \
    "CREATE TABLE local_asked("                                                \
    " space INTEGER NOT NULL, key BLOB NOT NULL, at INTEGER NOT NULL,"         \
    " tries INTEGER NOT NULL, PRIMARY KEY(space, key)) STRICT, WITHOUT ROWID;"

#define HEADER_VERSION_AT 60 /* user_version, big-endian */
#define HEADER_APPLICATION_AT 68

/* Who is one with whom (same.h) is asked by every query. */
#define SAME_INDEX                                                             \
    "CREATE INDEX cell_same ON cell(space, kind) WHERE field = 999;"

static const char schema[] =
    /* What this replica is: never leaves this node. */
    "CREATE TABLE local_node("
    " key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;"

    /* A space and what must be added to its logs' sums to give its state
     * digest (not zero after a rebuild). */
    "CREATE TABLE space("
    " space INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " adjust BLOB NOT NULL) STRICT;"
    "CREATE TABLE local_space("
    " space INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " gone INTEGER NOT NULL) STRICT;"

    /* Governance entries in the hashed form. */
    "CREATE TABLE roster("
    " space INTEGER NOT NULL, hash BLOB NOT NULL, pos INTEGER NOT NULL,"
    " header BLOB NOT NULL, sig BLOB NOT NULL, body BLOB NOT NULL,"
    " PRIMARY KEY(space, hash)) STRICT, WITHOUT ROWID;"

    /* One log, or one branch of a forked log: the hash of its first entry
     * after the fork, the branch it left and the number of the last common
     * entry. `signed` and `sig` are the newest signature held; `signature` has
     * older ones, one for about every 128 KiB, so that a long log can be passed
     * on in parts. */
    "CREATE TABLE origin("
    " o INTEGER PRIMARY KEY, space INTEGER NOT NULL, author BLOB NOT NULL,"
    " id BLOB NOT NULL, branch BLOB NOT NULL, base INTEGER NOT NULL,"
    " signed INTEGER NOT NULL, sig BLOB NOT NULL,"
    " parent INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE(space, author, id, branch)) STRICT;"
    "CREATE TABLE signature("
    " n INTEGER PRIMARY KEY, sig BLOB NOT NULL) STRICT;"

    /* The truth. n is o << 40 | seq, so one b-tree holds every log in order
     * and a head is the greatest n. `sum` is what this log has added to the
     * space's state digest so far. */
    "CREATE TABLE log("
    " n INTEGER PRIMARY KEY, at INTEGER NOT NULL, verdict INTEGER NOT NULL,"
    " hash BLOB NOT NULL, sum BLOB NOT NULL, entry BLOB NOT NULL) STRICT;"
    "CREATE INDEX log_quarantined ON log(verdict) WHERE verdict <> 0;" ASIDE

    /* Surviving writes that do not stand in a row: the sides of an open
     * conflict, everything of a deleted record, kinds and fields of newer
     * programs. */
    "CREATE TABLE cell("
    " space INTEGER NOT NULL, kind INTEGER NOT NULL, id BLOB NOT NULL,"
    " field INTEGER NOT NULL, n INTEGER NOT NULL, ordinal INTEGER NOT NULL,"
    " code INTEGER NOT NULL, value BLOB,"
    " PRIMARY KEY(space, kind, id, field, n, ordinal))"
    " STRICT, WITHOUT ROWID;" SAME_INDEX

    /* Writes that were replaced before they came (rule M3). */
    "CREATE TABLE unseen("
    " space INTEGER NOT NULL, kind INTEGER NOT NULL, id BLOB NOT NULL,"
    " field INTEGER NOT NULL, origin BLOB NOT NULL, seq INTEGER NOT NULL,"
    " hash BLOB NOT NULL, ordinal INTEGER NOT NULL,"
    " PRIMARY KEY(space, kind, id, field, origin, seq, hash, ordinal))"
    " STRICT, WITHOUT ROWID;"

    /* What each node signed that it holds (rule S10). */
    "CREATE TABLE frontier("
    " space INTEGER NOT NULL, key BLOB NOT NULL, counter INTEGER NOT NULL,"
    " body BLOB NOT NULL, sig BLOB NOT NULL, PRIMARY KEY(space, key))"
    " STRICT, WITHOUT ROWID;"

    "CREATE TABLE local_peer("
    " key BLOB PRIMARY KEY, endpoint TEXT NOT NULL DEFAULT '',"
    " heard INTEGER NOT NULL DEFAULT 0, offset INTEGER NOT NULL DEFAULT 0,"
    " received INTEGER NOT NULL DEFAULT 0, applied INTEGER NOT NULL DEFAULT 0,"
    " duplicate INTEGER NOT NULL DEFAULT 0,"
    " quarantined INTEGER NOT NULL DEFAULT 0,"
    " refused INTEGER NOT NULL DEFAULT 0, waiting INTEGER NOT NULL DEFAULT 0,"
    " sent INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
    "CREATE TABLE local_invite("
    " id BLOB PRIMARY KEY, space INTEGER NOT NULL, secret BLOB NOT NULL,"
    " role INTEGER NOT NULL, expires INTEGER NOT NULL, used BLOB)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE local_alarm("
    " space INTEGER NOT NULL, what TEXT NOT NULL, subject BLOB NOT NULL,"
    " at INTEGER NOT NULL, PRIMARY KEY(space, what, subject))"
    " STRICT, WITHOUT ROWID;" LOCAL_ANSWERS LOCAL_MARKS ERASURES

    /* The word index follows behind the commits; `search_mark` says how far
     * each log has been read. */
    "CREATE TABLE search_mark("
    " o INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;"
    "CREATE TABLE search_doc("
    " doc INTEGER PRIMARY KEY AUTOINCREMENT, space INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, id BLOB NOT NULL, UNIQUE(space, kind, id))"
    " STRICT;"
    "CREATE VIRTUAL TABLE search USING fts5("
    " words, content = '', columnsize = 0, detail = none,"
    " tokenize = 'unicode61 remove_diacritics 2');";

int ent_schema_create(struct ent_db *db, struct ent_err *err)
{
    char pragma[96];
    int rc;

    snprintf(pragma, sizeof(pragma),
             "PRAGMA application_id = %d; PRAGMA user_version = %d;",
             ENT_APPLICATION_ID, ENT_SCHEMA_VERSION);
    rc = ent_db_exec(db, schema, err);
    if (rc == 0)
        rc = ent_db_exec(db, pragma, err);
    return rc;
}

static uint32_t be32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

static int check_version(const char *path, int version, struct ent_err *err)
{
    if (version <= ENT_SCHEMA_VERSION)
        return 0;
    return ent_err_set(err, ENT_ESTORE,
                       ENT_N_("%s was written by a newer Entente (schema "
                              "%d, this one knows %d): upgrade this "
                              "program; the file was left as it is"),
                       path, version, ENT_SCHEMA_VERSION);
}

int ent_schema_peek(const char *path, int *version, struct ent_err *err)
{
    unsigned char header[HEADER_BYTES];
    FILE *file = fopen(path, "rbe");
    size_t len;

    if (file == NULL) {
        if (errno == ENOENT)
            return ent_err_set(err, ENT_ENOTFOUND,
                               ENT_N_("there is no replica at %s; make one "
                                      "with: entente init --org NAME"),
                               path);
        return ent_err_set(err, ENT_ESTORE, ENT_N_("cannot read %s: %s"), path,
                           strerror(errno));
    }
    len = fread(header, 1, sizeof(header), file);
    fclose(file);
    if (len < sizeof(header) || memcmp(header, "SQLite format 3", 16) != 0 ||
        be32(header + HEADER_APPLICATION_AT) != ENT_APPLICATION_ID)
        return ent_err_set(err, ENT_ESTORE,
                           ENT_N_("%s is not a replica of Entente; it was left "
                                  "as it is"),
                           path);
    *version = (int)be32(header + HEADER_VERSION_AT);
    return check_version(path, *version, err);
}

int ent_schema_read(struct ent_db *db, const char *path, int *version,
                    struct ent_err *err)
{
    int64_t read = 0;
    int rc = ent_db_int(db, "PRAGMA user_version", &read, err);

    *version = (int)read;
    if (rc == 0)
        rc = check_version(path, *version, err);
    if (rc < 0) /* whose WAL it is copies it */
        sqlite3_db_config(db->raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return rc;
}

/* Steps from one version to the next; the first schema has none behind it. */
static const char *const steps[ENT_SCHEMA_VERSION] = {
    [0] = NULL,
    [1] = ASIDE,
    /* Until then no branch left another but the first one, and none but the
     * first one was applied: the rebuild that follows does so. */
    [2] = "ALTER TABLE origin ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;"
          "UPDATE origin SET parent = (SELECT f.o FROM origin f"
          " WHERE f.space = origin.space AND f.author = origin.author"
          " AND f.id = origin.id AND f.branch = zeroblob(32))"
          " WHERE branch <> zeroblob(32);"
          "UPDATE log SET verdict = 0 WHERE verdict = 2;",
    [3] = LOCAL_ANSWERS LOCAL_MARKS SAME_INDEX,
    [4] = ERASURES,
};

int ent_schema_migrate(struct ent_db *db, const char *path, int version,
                       struct ent_err *err)
{
    char target[4096];
    char pragma[64];
    int rc;

    if (version == ENT_SCHEMA_VERSION)
        return 0;
    for (int v = version; v < ENT_SCHEMA_VERSION; v++)
        if (v < 1 || steps[v] == NULL)
            return ent_err_set(err, ENT_ESTORE,
                               ENT_N_("%s has schema %d, which no released "
                                      "Entente wrote"),
                               path, version);
    snprintf(target, sizeof(target), "%s.schema-%d", path, version);
    rc = ent_db_copy_into(db, target, err);
    if (rc == 0)
        rc = ent_db_begin(db, err);
    for (int v = version; rc == 0 && v < ENT_SCHEMA_VERSION; v++)
        rc = ent_db_exec(db, steps[v], err);
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d",
             ENT_SCHEMA_VERSION);
    if (rc == 0)
        rc = ent_db_exec(db, pragma, err);
    if (rc == 0)
        rc = ent_db_commit(db, err);
    if (rc < 0)
        ent_db_rollback(db);
    return rc;
}
