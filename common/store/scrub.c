/* scrub.c - what was erased leaves the files (rule E2). Deleting leaves it in
 * free pages, in the gaps of others, in the journal and in the segments of the
 * word index, `secure_delete` or not; only a file that is written anew is free
 * of it. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "store/erase.h"
#include "store/home.h"
#include "store/replica.h"

/* Copies that an upgrade of the schema left beside the replica. */
#define COPY_PREFIX "replica.db.schema-"

static int scrub_fails(const char *path, struct ent_err *err)
{
    return ent_err_set(err, ENT_ESTORE, ENT_N_("cannot remove %s: %s"), path,
                       strerror(errno));
}

static int remove_copies(struct ent_store *store, struct ent_err *err)
{
    DIR *dir = opendir(store->home);
    struct dirent *item;
    int rc = 0;

    if (dir == NULL)
        return scrub_fails(store->home, err);
    while (rc == 0 && (item = readdir(dir)) != NULL) {
        char path[ENT_PATH_MAX];

        if (strncmp(item->d_name, COPY_PREFIX, sizeof(COPY_PREFIX) - 1) != 0)
            continue;
        rc = ent_home_path(store->home, item->d_name, path, err);
        if (rc == 0 && unlink(path) < 0)
            rc = scrub_fails(path, err);
    }
    closedir(dir);
    return rc;
}

/* By a connection of its own: nothing that another one has prepared or keeps
 * in memory is in its way, and what it sorts goes to a nameless file, not to
 * memory. 0: somebody reads an older state. */
static int write_anew(struct ent_store *store, struct ent_err *err)
{
    char path[ENT_PATH_MAX];
    struct ent_db db = {0};
    int left = 0;
    int rc = ent_home_path(store->home, "replica.db", path, err);
    int done;

    if (rc == 0)
        rc = ent_db_open(&db, path, SQLITE_OPEN_READWRITE, err);
    if (rc < 0)
        return rc;
    rc = ent_db_exec(&db, "PRAGMA temp_store = FILE; VACUUM", err);
    if (rc == 0) {
        done = sqlite3_wal_checkpoint_v2(
            db.raw, NULL, SQLITE_CHECKPOINT_TRUNCATE, &left, NULL);
        if (done == SQLITE_OK)
            rc = left == 0;
        else if (done != SQLITE_BUSY)
            rc = ent_db_fail(&db, done, err);
    }
    ent_db_close(&db);
    return rc;
}

int ent_store_scrub_due(struct ent_store *store, struct ent_err *err)
{
    char due[8];
    int rc = ent_node_get(store, ENT_NODE_SCRUB, due, sizeof(due), err);

    return rc < 0 ? rc : due[0] != '\0';
}

int ent_store_scrub(struct ent_store *store, struct ent_err *err)
{
    int rc = ent_store_scrub_due(store, err);

    if (rc <= 0)
        return rc < 0 ? rc : 1;
    rc = remove_copies(store, err);
    if (rc == 0)
        rc = write_anew(store, err);
    if (rc <= 0)
        return rc;
    rc = ent_store_begin(store, err);
    if (rc == 0) {
        rc = ent_node_set(store, ENT_NODE_SCRUB, "", err);
        if (rc == 0)
            rc = ent_store_commit(store, NULL, err);
        else
            ent_store_rollback(store);
    }
    return rc < 0 ? rc : 1;
}
