/* backup.c - see backup.h. Putting one back is in restore.c. */
#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/home.h"
#include "store/newfile.h"
#include "store/replica.h"
#include "store/schema.h"

/* -------------------------------------------------------------------- write */

static int run(struct ent_db *db, enum ent_sql which, struct ent_err *err)
{
    return ent_stmt_run(ent_db_stmt(db, which), err);
}

static int describe(struct ent_db *db, const struct ent_keys *keys,
                    int64_t now_ms, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(db, ENT_SQL_BACKUP_SET);

    ent_stmt_bind_int(stmt, 1, now_ms);
    if (keys == NULL)
        ent_stmt_bind_null(stmt, 2);
    else
        ent_stmt_bind_blob(stmt, 2, keys->secret, ENT_SEED_BYTES);
    return ent_stmt_run(stmt, err);
}

/* What no backup should hold goes, what it says of itself comes. */
static int make_backup(const char *path, const struct ent_keys *keys,
                       int64_t now_ms, struct ent_err *err)
{
    struct ent_db db;
    int rc = ent_db_open_unnamed(&db, path, err);

    if (rc < 0)
        return rc;
    rc = ent_db_begin(&db, err);
    if (rc == 0)
        rc = run(&db, ENT_SQL_INVITE_DELETE_ALL, err);
    if (rc == 0)
        rc = run(&db, ENT_SQL_NODE_FORGET_FILE, err);
    if (rc == 0)
        rc = run(&db, ENT_SQL_BACKUP_MAKE, err);
    if (rc == 0)
        rc = describe(&db, keys, now_ms, err);
    if (rc == 0)
        rc = ent_db_commit(&db, err);
    ent_db_close(&db);
    return rc;
}

int ent_backup_write(struct ent_store *store, const char *path, bool with_key,
                     bool dry_run, int64_t now_ms, struct ent_err *err)
{
    char growing[ENT_PATH_MAX];
    int rc = ent_newfile_begin(path, growing, err);

    if (rc < 0)
        return rc;
    if (dry_run) {
        unlink(growing);
        return 0;
    }
    rc = ent_db_copy_into(&store->db, growing, err);
    if (rc == 0)
        rc = make_backup(growing, with_key ? &store->keys : NULL, now_ms, err);
    if (rc < 0)
        ent_err_prefix(err, "%s", path);
    else
        rc = ent_newfile_end(growing, path, err);
    if (rc < 0)
        unlink(growing);
    return rc;
}

/* --------------------------------------------------------------------- read */

/* A replica that is not closed has its last commits in a file beside it. */
static int check_beside(const char *path, struct ent_err *err)
{
    static const char *const tails[] = {"-wal", "-journal"};
    char beside[ENT_PATH_MAX];
    struct stat st;

    for (size_t i = 0; i < ENT_ARRAY_LEN(tails); i++) {
        snprintf(beside, sizeof(beside), "%s%s", path, tails[i]);
        if (stat(beside, &st) == 0 && st.st_size > 0)
            return ent_err_set(err, ENT_EREFUSED,
                               ENT_N_("%s is a replica that is in use or was "
                                      "not closed, for %s lies beside it; "
                                      "take a backup of it with: entente "
                                      "backup FILE"),
                               path, beside);
    }
    return 0;
}

static int check_file(const char *path, int64_t *bytes, int *version,
                      struct ent_err *err)
{
    struct stat st;
    int rc;

    if (stat(path, &st) < 0 || access(path, R_OK) < 0)
        return ent_err_set(err, errno == ENOENT ? ENT_ENOTFOUND : ENT_ESTORE,
                           ENT_N_("cannot read %s: %s"), path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return ent_err_set(err, ENT_EREFUSED, ENT_N_("%s is no file"), path);
    *bytes = st.st_size;
    rc = ent_schema_peek(path, version, err);
    if (rc == 0)
        rc = check_beside(path, err);
    if (rc == ENT_ESTORE && err != NULL)
        err->code = ENT_EREFUSED;
    return rc == ENT_ESTORE ? ENT_EREFUSED : rc;
}

static int check_pages(struct ent_db *db, int64_t bytes, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(db, ENT_SQL_PAGE_BYTES);
    bool whole = false;
    int rc = ent_stmt_step(stmt, err);

    if (rc > 0)
        whole = ent_stmt_int(stmt, 0) == bytes;
    ent_stmt_reset(stmt);
    if (rc >= 0 && !whole)
        return ent_err_set(err, ENT_EREFUSED, ENT_N_("it is cut off"));
    if (rc < 0)
        return rc;
    stmt = ent_db_stmt(db, ENT_SQL_QUICK_CHECK);
    rc = ent_stmt_step(stmt, err);
    whole =
        rc > 0 && ent_slice_equal(ent_stmt_bytes(stmt, 0), ent_slice_str("ok"));
    ent_stmt_reset(stmt);
    if (rc >= 0 && !whole)
        return ent_err_set(err, ENT_EREFUSED, ENT_N_("it is damaged"));
    return rc < 0 ? rc : 0;
}

/* 1: the table is there, made by `text` (empty: however it was made). */
static int has_table(struct ent_db *db, struct ent_slice name,
                     struct ent_slice text, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(db, ENT_SQL_TABLE_TEXT);
    int rc;

    ent_stmt_bind_text(stmt, 1, name);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0 && text.len > 0)
        rc = ent_slice_equal(ent_stmt_bytes(stmt, 0), text);
    ent_stmt_reset(stmt);
    return rc;
}

/* Every fixed table is as this program makes it, and nothing runs by itself. */
static int check_tables(struct ent_db *db, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(db, ENT_SQL_CODE_COUNT);
    struct ent_db ours;
    bool same;
    int rc = ent_stmt_step(stmt, err);

    same = rc > 0 && ent_stmt_int(stmt, 0) == 0;
    ent_stmt_reset(stmt);
    if (rc >= 0)
        rc = ent_db_open(&ours, ":memory:", SQLITE_OPEN_READWRITE, err);
    if (rc < 0)
        return rc;
    rc = ent_schema_create(&ours, err);
    stmt = ent_db_stmt(&ours, ENT_SQL_TABLES_OWN);
    while (rc >= 0 && same && (rc = ent_stmt_step(stmt, err)) > 0) {
        rc = has_table(db, ent_stmt_bytes(stmt, 0), ent_stmt_bytes(stmt, 1),
                       err);
        same = rc > 0;
    }
    ent_stmt_reset(stmt);
    ent_db_close(&ours);
    if (rc >= 0 && !same)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("its tables are not those of a replica"));
    return rc;
}

static int read_node(struct ent_store *store, struct ent_backup *backup,
                     struct ent_err *err)
{
    char hex[2 * ENT_KEY_BYTES + 1];
    struct ent_id origin;
    int rc = ent_node_get(store, "origin", hex, sizeof(hex), err);

    if (rc == 0 && !ent_hex_get(origin.b, ENT_ID_BYTES, hex, strlen(hex)))
        rc = ent_err_set(err, ENT_EREFUSED,
                         ENT_N_("the replica does not name its origin"));
    if (rc == 0)
        rc = ent_node_get(store, "org", backup->org, sizeof(backup->org), err);
    if (rc == 0)
        rc = ent_node_get(store, "key", hex, sizeof(hex), err);
    if (rc == 0)
        backup->key_known =
            ent_hex_get(backup->key.b, ENT_KEY_BYTES, hex, strlen(hex));
    return rc;
}

/* What the backup says of itself, when it is one and no plain copy. */
static int read_description(struct ent_db *db, struct ent_backup *backup,
                            struct ent_err *err)
{
    struct ent_stmt *stmt;
    struct ent_slice seed = {0};
    int rc = has_table(db, ent_slice_str("local_backup"), (struct ent_slice){0},
                       err);

    if (rc <= 0)
        return rc;
    stmt = ent_db_stmt(db, ENT_SQL_BACKUP_GET);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        backup->at_ms = ent_stmt_int(stmt, 0);
        seed = ent_stmt_bytes(stmt, 1);
        backup->has_secret = seed.len == ENT_SEED_BYTES;
    }
    if (backup->has_secret)
        ent_keys_from_seed(&backup->keys, seed.at);
    ent_stmt_reset(stmt);
    if (backup->has_secret && backup->key_known &&
        !ent_key_equal(&backup->keys.public, &backup->key))
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("the key in it is not that of its replica"));
    return rc < 0 ? rc : 0;
}

int ent_backup_read(const char *path, struct ent_backup *backup,
                    struct ent_err *err)
{
    struct ent_store store = {.high_water = -1};
    int64_t bytes = 0;
    int version = 0;
    int rc = check_file(path, &bytes, &version, err);

    *backup = (struct ent_backup){0};
    if (rc < 0)
        return rc;
    rc = ent_db_open_still(&store.db, path, err);
    if (rc == 0)
        rc = check_pages(&store.db, bytes, err);
    /* An older one is brought to this schema once it is a node's replica. */
    if (rc == 0 && version == ENT_SCHEMA_VERSION)
        rc = check_tables(&store.db, err);
    if (rc == 0)
        rc = read_node(&store, backup, err);
    if (rc == 0)
        rc = read_description(&store.db, backup, err);
    ent_db_close(&store.db);
    if (rc == 0 || rc == ENT_ENOMEM)
        return rc;
    /* What is wrong with the file is wrong with what was given. */
    ent_backup_fini(backup);
    ent_err_prefix(err, "%s", path);
    if (err != NULL)
        err->code = ENT_EREFUSED;
    return ENT_EREFUSED;
}

void ent_backup_fini(struct ent_backup *backup)
{
    ent_keys_fini(&backup->keys);
}

/* ---------------------------------------------------------------- the key */

int ent_key_export(const char *home, const char *path, bool dry_run,
                   struct ent_err *err)
{
    char from[ENT_PATH_MAX];
    char dir[ENT_PATH_MAX];
    struct ent_keys keys = {0};
    int rc = ent_home_path(home, "key", from, err);

    ent_newfile_dir(path, dir);
    if (rc == 0)
        rc = ent_keys_load(&keys, from, err);
    if (rc == 0)
        rc = ent_newfile_check(path, err);
    if (rc == 0 && !dry_run) {
        rc = ent_keys_save(keys.secret, path, err);
        if (rc == 0 && (rc = ent_dir_sync(dir, err)) < 0)
            unlink(path);
    }
    ent_keys_fini(&keys);
    return rc;
}

/* The replica that lies there already, if one does, is that key's. */
static int check_owner(const char *home, const struct ent_keys *keys,
                       struct ent_err *err)
{
    struct ent_store store = {.high_water = -1};
    char replica[ENT_PATH_MAX];
    char hex[2 * ENT_KEY_BYTES + 1];
    char kept[2 * ENT_KEY_BYTES + 1];
    int rc = ent_home_path(home, "replica.db", replica, err);

    if (rc < 0 || access(replica, F_OK) < 0)
        return rc;
    rc = ent_db_open(&store.db, replica, SQLITE_OPEN_READWRITE, err);
    if (rc == 0)
        rc = ent_node_get(&store, "key", kept, sizeof(kept), err);
    ent_db_close(&store.db);
    ent_hex_put(hex, keys->public.b, ENT_KEY_BYTES);
    if (rc == 0 && kept[0] != '\0' && strcmp(kept, hex) != 0)
        rc = ent_err_set(err, ENT_EREFUSED,
                         ENT_N_("this is not the key of the replica in %s"),
                         home);
    return rc;
}

int ent_key_import(const char *home, const char *path, bool dry_run,
                   struct ent_err *err)
{
    char to[ENT_PATH_MAX];
    struct ent_keys keys = {0};
    int rc = ent_home_path(home, "key", to, err);

    if (rc == 0 && access(to, F_OK) == 0)
        rc =
            ent_err_set(err, ENT_EUSAGE,
                        ENT_N_("%s has a key already, which is never replaced; "
                               "another node needs another --home"),
                        home);
    if (rc == 0)
        rc = ent_keys_load(&keys, path, err);
    if (rc == 0)
        rc = check_owner(home, &keys, err);
    if (rc == 0 && !dry_run)
        rc = ent_home_make(home, err);
    if (rc == 0 && !dry_run) {
        rc = ent_keys_save(keys.secret, to, err);
        if (rc == 0 && (rc = ent_dir_sync(home, err)) < 0)
            unlink(to);
    }
    ent_keys_fini(&keys);
    return rc;
}
