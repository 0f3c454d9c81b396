/* restore.c - a backup becomes the replica of a home directory.
 * The new replica is made whole under another name; then what was there is
 * moved aside, and it gets its name. Each step can be undone until the last,
 * and a crash between two leaves everything under one name or another. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/backup.h"
#include "store/home.h"
#include "store/replica.h"

#define ASIDE_MAX 100 /* directories of one day that keep what was replaced */

/* What belongs to a replica, itself first. */
static const char *const files[] = {"replica.db", "replica.db-wal",
                                    "replica.db-shm", "high-water"};

struct restoring {
    const char *home;
    char replica[ENT_PATH_MAX];
    char growing[ENT_PATH_MAX]; /* the replica before it is whole */
    char key[ENT_PATH_MAX];
    char mark[ENT_PATH_MAX];
    char *aside; /* "" while nothing was moved */
    int claim, lock;
    bool moved[ENT_ARRAY_LEN(files)];
    bool key_made;
};

/* ------------------------------------------------------------ may it be so */

static int check_key(const struct restoring *restoring,
                     const struct ent_backup *backup, struct ent_err *err)
{
    struct ent_keys keys = {0};
    const struct ent_key *wanted = backup->key_known    ? &backup->key
                                   : backup->has_secret ? &backup->keys.public
                                                        : NULL;
    int rc = 0;

    if (access(restoring->key, F_OK) < 0)
        return backup->has_secret
                   ? 0
                   : ent_err_set(err, ENT_ENOTFOUND,
                                 ENT_N_("the backup has no key, and there is "
                                        "none at %s; put it there first, "
                                        "with: entente key import FILE"),
                                 restoring->key);
    rc = ent_keys_load(&keys, restoring->key, err);
    if (rc == 0 && wanted != NULL && !ent_key_equal(wanted, &keys.public))
        rc = ent_err_set(err, ENT_EREFUSED,
                         ENT_N_("%s is not the key of the node that the "
                                "backup is of; put it back into another "
                                "--home"),
                         restoring->key);
    ent_keys_fini(&keys);
    return rc;
}

static int check_home(const struct restoring *restoring,
                      const struct ent_backup *backup, bool force,
                      struct ent_err *err)
{
    if (!force && access(restoring->replica, F_OK) == 0)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("there is a replica in %s; with --force it "
                                  "is moved aside"),
                           restoring->home);
    return check_key(restoring, backup, err);
}

/* No daemon runs, and nobody else makes a replica here. */
static int take_home(struct restoring *restoring, bool dry_run,
                     struct ent_err *err)
{
    char path[ENT_PATH_MAX];
    int rc = ent_home_path(restoring->home, "entented.lock", path, err);

    if (rc == 0 && dry_run && access(path, F_OK) < 0)
        return 0;
    if (rc == 0 && !dry_run)
        rc = ent_home_make(restoring->home, err);
    if (rc == 0)
        rc = ent_home_claim(restoring->home, &restoring->claim, err);
    if (rc == 0)
        rc = ent_home_lock(restoring->home, &restoring->lock, err);
    return rc;
}

/* ------------------------------------------------------- the replica itself */

static int copy_backup(const char *from, const char *to, struct ent_err *err)
{
    struct ent_db db;
    int fd =
        open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc;

    if (fd < 0)
        return ent_err_set(err, ENT_ESTORE, ENT_N_("cannot make %s: %s"), to,
                           strerror(errno));
    close(fd);
    rc = ent_db_open_still(&db, from, err);
    if (rc == 0)
        rc = ent_db_copy_into(&db, to, err);
    ent_db_close(&db);
    return rc;
}

/* The copy becomes a replica of its own: whatever was written elsewhere under
 * the origin it had, nothing is here (rule N2). */
static int renew(const char *path, const struct ent_restore_options *options,
                 struct ent_id *origin, struct ent_err *err)
{
    struct ent_store store = {
        .rand = options->rand,
        .high_water = -1,
        .fresh = ENT_N_("this replica was put back from a backup; what was "
                        "written after that comes back from the peers"),
    };
    int rc = ent_db_open_unnamed(&store.db, path, err);

    if (rc < 0)
        return rc;
    /* An invitation that was used after the backup must not work again. */
    rc = ent_stmt_run(ent_db_stmt(&store.db, ENT_SQL_INVITE_DELETE_ALL), err);
    if (rc == 0)
        rc = ent_stmt_run(ent_db_stmt(&store.db, ENT_SQL_BACKUP_DROP), err);
    if (rc == 0)
        rc = ent_origin_renew(&store, path, options->now_ms, err);
    *origin = store.origin;
    ent_db_close(&store.db);
    return rc == 0 ? ent_file_sync(path, err) : rc;
}

/* -------------------------------------------------------- moving aside, back
 */

static int move(const struct restoring *restoring, size_t i, bool back)
{
    char here[ENT_PATH_MAX + 32];
    char there[ENT_PATH_MAX + 32];

    snprintf(here, sizeof(here), "%s/%s", restoring->home, files[i]);
    snprintf(there, sizeof(there), "%s/%s", restoring->aside, files[i]);
    return back ? rename(there, here) : rename(here, there);
}

static int make_aside(struct restoring *restoring, int64_t now_ms,
                      struct ent_err *err)
{
    time_t now = (time_t)(now_ms / 1000);
    struct tm tm = {0};
    char name[64];
    char day[16];
    int made = -1;
    int rc = 0;

    gmtime_r(&now, &tm);
    strftime(day, sizeof(day), "%Y-%m-%d", &tm);
    for (int i = 1; rc == 0 && made < 0 && i <= ASIDE_MAX; i++) {
        snprintf(name, sizeof(name), i == 1 ? "replaced-%s" : "replaced-%s-%d",
                 day, i);
        rc = ent_home_path(restoring->home, name, restoring->aside, err);
        if (rc == 0)
            made = mkdir(restoring->aside, 0700);
        if (made < 0 && errno != EEXIST)
            break;
    }
    if (rc == 0 && made < 0)
        rc = ent_err_set(err, ENT_ESTORE, ENT_N_("cannot make %s: %s"),
                         restoring->aside, strerror(errno));
    if (rc < 0)
        restoring->aside[0] = '\0';
    return rc;
}

/* All of a replica, so that no log of its writing meets the new one. */
static int move_aside(struct restoring *restoring, int64_t now_ms,
                      struct ent_err *err)
{
    char path[ENT_PATH_MAX];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < ENT_ARRAY_LEN(files); i++) {
        rc = ent_home_path(restoring->home, files[i], path, err);
        if (rc < 0 || access(path, F_OK) < 0)
            continue;
        if (restoring->aside[0] == '\0')
            rc = make_aside(restoring, now_ms, err);
        if (rc < 0)
            break;
        if (move(restoring, i, false) < 0)
            rc = ent_err_set(err, ENT_ESTORE, ENT_N_("cannot move %s: %s"),
                             path, strerror(errno));
        restoring->moved[i] = rc == 0;
    }
    if (rc == 0 && restoring->aside[0] != '\0')
        rc = ent_dir_sync(restoring->aside, err);
    return rc == 0 ? ent_dir_sync(restoring->home, err) : rc;
}

static void undo(struct restoring *restoring)
{
    for (size_t i = ENT_ARRAY_LEN(files); i-- > 0;)
        if (restoring->moved[i])
            (void)move(restoring, i, true);
    if (restoring->aside[0] != '\0')
        rmdir(restoring->aside);
    restoring->aside[0] = '\0';
    if (restoring->key_made)
        unlink(restoring->key);
    unlink(restoring->growing);
}

/* ---------------------------------------------------------------- in place */

static int put_in_place(struct restoring *restoring,
                        const struct ent_id *origin, struct ent_err *err)
{
    int rc = ent_high_water_make(restoring->mark, origin, err);

    if (rc == 0 && rename(restoring->growing, restoring->replica) < 0)
        rc = ent_err_set(err, ENT_ESTORE, ENT_N_("cannot make %s: %s"),
                         restoring->replica, strerror(errno));
    if (rc < 0) {
        unlink(restoring->mark);
        return rc;
    }
    rc = ent_dir_sync(restoring->home, err);
    if (rc < 0) {
        unlink(restoring->replica);
        unlink(restoring->mark);
    }
    return rc;
}

static int restore(struct restoring *restoring, const char *path,
                   const struct ent_backup *backup,
                   const struct ent_restore_options *options,
                   struct ent_err *err)
{
    struct ent_id origin;
    int rc = copy_backup(path, restoring->growing, err);

    if (rc == 0)
        rc = renew(restoring->growing, options, &origin, err);
    /* The key goes before the replica that is of no use without it. */
    if (rc == 0 && access(restoring->key, F_OK) < 0) {
        rc = ent_keys_save(backup->keys.secret, restoring->key, err);
        restoring->key_made = rc == 0;
    }
    if (rc == 0)
        rc = move_aside(restoring, options->now_ms, err);
    if (rc == 0)
        rc = put_in_place(restoring, &origin, err);
    if (rc < 0)
        undo(restoring);
    return rc;
}

int ent_backup_restore(const char *home, const char *path,
                       const struct ent_backup *backup,
                       const struct ent_restore_options *options,
                       char aside[ENT_PATH_MAX], struct ent_err *err)
{
    struct restoring restoring = {
        .home = home, .aside = aside, .claim = -1, .lock = -1};
    int rc = ent_home_path(home, "replica.db", restoring.replica, err);

    aside[0] = '\0';
    if (rc == 0)
        rc = ent_home_path(home, "replica.db.restored", restoring.growing, err);
    if (rc == 0)
        rc = ent_home_path(home, "key", restoring.key, err);
    if (rc == 0)
        rc = ent_home_path(home, "high-water", restoring.mark, err);
    if (rc == 0)
        rc = check_home(&restoring, backup, options->force, err);
    if (rc == 0)
        rc = take_home(&restoring, options->dry_run, err);
    if (rc == 0 && !options->dry_run)
        rc = restore(&restoring, path, backup, options, err);
    if (restoring.lock >= 0)
        close(restoring.lock);
    if (restoring.claim >= 0)
        close(restoring.claim);
    return rc;
}
