/* scrub.c - what was erased leaves the files (rule E2). Deleting leaves it in
 * free pages, in the gaps of others, in the journal and in the segments of the
 * word index, `secure_delete` or not; only a file that is written anew is free
 * of it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
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

/* How far it has come: this value of table local_node, with a number that each
 * erasure counts up, so that none is taken for another's. */
#define SCRUB "scrub"
#define DUE "due %lld"          /* the file is to be written anew */
#define WRITTEN_ANEW "cut %lld" /* it is: the rest stands in the journal */
#define DONE "done %lld"
#define STATE_BYTES 32

/* Nobody waits longer than that for a program that reads an older state. */
#define READER_WAIT_MS 50

/* By a connection of its own: nothing that another one has prepared or keeps
 * in memory is in its way, and what it sorts goes to a nameless file, not to
 * memory. */
static int open_own(struct ent_store *store, struct ent_db *db,
                    struct ent_err *err)
{
    char path[ENT_PATH_MAX];
    int rc = ent_home_path(store->home, "replica.db", path, err);

    if (rc == 0)
        rc = ent_db_open(db, path, SQLITE_OPEN_READWRITE, err);
    if (rc == 0)
        rc = ent_db_exec(db, "PRAGMA temp_store = FILE", err);
    return rc;
}

/* 0: somebody reads an older state. */
static int cut_journal(struct ent_db *db, struct ent_err *err)
{
    int left = 0;
    int done;

    sqlite3_busy_timeout(db->raw, READER_WAIT_MS);
    done = sqlite3_wal_checkpoint_v2(db->raw, NULL, SQLITE_CHECKPOINT_TRUNCATE,
                                     &left, NULL);
    if (done == SQLITE_BUSY)
        return 0;
    return done == SQLITE_OK ? left == 0 : ent_db_fail(db, done, err);
}

static int state_of(struct ent_store *store, char state[STATE_BYTES],
                    struct ent_err *err)
{
    return ent_node_get(store, SCRUB, state, STATE_BYTES, err);
}

/* From one state to the next, unless something was erased meanwhile. */
static int note(struct ent_store *store, const char *from, const char *to,
                struct ent_err *err)
{
    char state[STATE_BYTES];
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    rc = state_of(store, state, err);
    if (rc == 0 && strcmp(state, from) == 0)
        rc = ent_node_set(store, SCRUB, to, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

int ent_scrub_due_now(struct ent_store *store, struct ent_err *err)
{
    char state[STATE_BYTES];
    long long number = 0;
    int rc = state_of(store, state, err);

    if (rc < 0)
        return rc;
    if (sscanf(state, "%*s %lld", &number) != 1)
        number = 0;
    snprintf(state, sizeof(state), DUE, number + 1);
    return ent_node_set(store, SCRUB, state, err);
}

static bool is_due(const char *state)
{
    long long number;

    return state[0] != '\0' && sscanf(state, DONE, &number) != 1;
}

int ent_store_scrub_due(struct ent_store *store, struct ent_err *err)
{
    char state[STATE_BYTES];
    int rc = state_of(store, state, err);

    return rc < 0 ? rc : is_due(state);
}

int ent_store_scrub(struct ent_store *store, struct ent_err *err)
{
    struct ent_db db = {0};
    char state[STATE_BYTES];
    char next[STATE_BYTES];
    long long number = 0;
    int rc = state_of(store, state, err);

    if (rc < 0 || !is_due(state))
        return rc < 0 ? rc : 1;
    rc = remove_copies(store, err);
    if (rc == 0)
        rc = open_own(store, &db, err);
    if (rc == 0 && sscanf(state, DUE, &number) == 1) {
        snprintf(next, sizeof(next), WRITTEN_ANEW, number);
        rc = ent_db_exec(&db, "VACUUM", err);
        if (rc == 0)
            rc = note(store, state, next, err);
        memcpy(state, next, sizeof(state));
    }
    if (rc == 0)
        rc = cut_journal(&db, err);
    ent_db_close(&db);
    if (rc <= 0)
        return rc;
    if (sscanf(state, WRITTEN_ANEW, &number) != 1)
        return 0;
    snprintf(next, sizeof(next), DONE, number);
    rc = note(store, state, next, err);
    if (rc == 0)
        rc = ent_store_scrub_due(store, err);
    return rc < 0 ? rc : rc == 0;
}
