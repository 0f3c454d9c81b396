/* test_backup.c - a backup that fails leaves nothing, a restore that fails
 * leaves the home as it was, whichever call to the system it was. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "store/backup.h"
#include "text/kinds.h"

#define NOW_MS 1700000000000
#define CALLS_MAX 64 /* far more than a restore makes */

static struct ent_err err;
static struct ent_kinds kinds;
static struct ent_rand rnd;
static char dir[64];
static char home[80];
static char file[96];

#define ck_ok(rc) ck_assert_msg((rc) == 0, "%s", err.text)

/* ------------------------------------------------- the n-th call goes wrong */

static int calls_left = -1; /* -1: none does */

static bool goes_wrong(void)
{
    if (calls_left < 0 || calls_left-- > 0)
        return false;
    errno = EIO;
    return true;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    return goes_wrong() ? -1 : __real_rename(from, to);
}

int __real_renameat2(int from_dir, const char *from, int to_dir, const char *to,
                     unsigned flags);
int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to,
                     unsigned flags);
int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to,
                     unsigned flags)
{
    return goes_wrong() ? -1
                        : __real_renameat2(from_dir, from, to_dir, to, flags);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    return goes_wrong() ? -1 : __real_fsync(fd);
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    return goes_wrong() ? -1 : __real_mkdir(path, mode);
}

/* ------------------------------------------------------------------- a node */

static struct ent_store *open_home(const char *path)
{
    const struct ent_store_options options = {
        .kinds = &kinds, .rand = &rnd, .now_ms = NOW_MS, .fragile = true};
    struct ent_store *store;

    ck_ok(ent_store_open(path, &options, &store, &err));
    return store;
}

static void set_up(void)
{
    const struct ent_store_options options = {
        .kinds = &kinds, .rand = &rnd, .now_ms = NOW_MS, .fragile = true};
    struct ent_store *store;

    strcpy(dir, "/tmp/entente-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(home, sizeof(home), "%s/home", dir);
    snprintf(file, sizeof(file), "%s/b.db", dir);
    ck_ok(ent_store_create(home, "Ann", "BDI", &options, &err));
    store = open_home(home);
    ck_ok(ent_backup_write(store, file, false, false, NOW_MS, &err));
    ent_store_close(store);
}

static void tear_down(void)
{
    char command[96];

    calls_left = -1;
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* How many names there are in the home, but for the lock. */
static int names(void)
{
    char command[128];
    char text[16] = "";
    FILE *pipe;

    snprintf(command, sizeof(command), "ls -A %s | grep -vc lock", home);
    pipe = popen(command, "re");
    ck_assert_ptr_nonnull(pipe);
    ck_assert_ptr_nonnull(fgets(text, sizeof(text), pipe));
    pclose(pipe);
    return atoi(text);
}

static int restore(bool force, char aside[ENT_PATH_MAX])
{
    const struct ent_restore_options options = {
        .rand = &rnd, .now_ms = NOW_MS, .force = force};
    struct ent_backup backup;
    int rc;

    ck_ok(ent_backup_read(file, &backup, &err));
    rc = ent_backup_restore(home, file, &backup, &options, aside, &err);
    ent_backup_fini(&backup);
    return rc;
}

/* ---------------------------------------------------------------- the tests */

/* Whatever fails half way, nobody takes half a file for a backup. */
START_TEST(nothing_remains_of_a_backup_that_fails)
{
    struct ent_store *store = open_home(home);
    int before;
    int rc = -1;
    int n;

    ck_assert_int_eq(unlink(file), 0);
    snprintf(file, sizeof(file), "%s/c.db", home);
    before = names();
    for (n = 0; rc < 0 && n < CALLS_MAX; n++) {
        calls_left = n;
        rc = ent_backup_write(store, file, true, false, NOW_MS, &err);
        calls_left = -1;
        ck_assert_int_eq(names(), before + (rc == 0));
    }
    ck_assert_int_gt(n, 2);
    ck_assert_int_eq(rc, 0);
    ent_store_close(store);
}
END_TEST

/* Each step can be undone until the last: the replica that was there goes on
 * under the origin it had. */
START_TEST(a_restore_that_fails_leaves_the_home_as_it_was)
{
    char aside[ENT_PATH_MAX];
    struct ent_id before;
    struct ent_store *store = open_home(home);
    int count;
    int rc = -1;
    int n;

    before = *ent_store_origin(store);
    ent_store_close(store);
    ck_assert_int_eq(restore(false, aside), ENT_EUSAGE);
    count = names();
    for (n = 0; rc < 0 && n < CALLS_MAX; n++) {
        calls_left = n;
        rc = restore(true, aside);
        calls_left = -1;
        store = open_home(home);
        ck_assert_ptr_null(ent_store_fresh(store));
        ck_assert_int_eq(ent_id_equal(ent_store_origin(store), &before),
                         rc < 0);
        ent_store_close(store);
        ck_assert_int_eq(names(), count + (rc == 0));
        ck_assert_int_eq(aside[0] != '\0', rc == 0);
    }
    ck_assert_int_gt(n, 6);
    ck_assert_int_eq(rc, 0);
}
END_TEST

/* A home that had nothing has nothing, not even the key that was brought. */
START_TEST(a_restore_that_fails_brings_no_key)
{
    char aside[ENT_PATH_MAX];
    char path[96];
    struct ent_store *store = open_home(home);
    int rc = -1;
    int n;

    ck_assert_int_eq(unlink(file), 0);
    ck_ok(ent_backup_write(store, file, true, false, NOW_MS, &err));
    ent_store_close(store);
    snprintf(home, sizeof(home), "%s/new", dir);
    snprintf(path, sizeof(path), "%s/key", home);
    for (n = 0; rc < 0 && n < CALLS_MAX; n++) {
        calls_left = n;
        rc = restore(false, aside);
        calls_left = -1;
        ck_assert_int_eq(access(path, F_OK) == 0, rc == 0);
    }
    ck_assert_int_gt(n, 6);
    store = open_home(home);
    ck_assert_ptr_null(ent_store_fresh(store));
    ent_store_close(store);
}
END_TEST

/* A backup put in place by hand is seen for what it is, too (N2). */
START_TEST(a_backup_is_a_copy_wherever_it_is_opened)
{
    char command[512];
    struct ent_store *store;

    snprintf(command, sizeof(command),
             "mkdir %s/hand && cp -p %s/key %s/high-water %s/hand && "
             "cp %s %s/hand/replica.db",
             dir, home, home, dir, file, dir);
    ck_assert_int_eq(system(command), 0);
    snprintf(home, sizeof(home), "%s/hand", dir);
    store = open_home(home);
    ck_assert_ptr_nonnull(ent_store_fresh(store));
    ent_store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backup");
    TCase *tcase = tcase_create("backup");
    SRunner *runner = srunner_create(suite);
    int failed;

    if (ent_secure_init(&err) < 0 ||
        ent_kinds_load(ENT_SOURCE_DIR "/configs/kinds", &kinds, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    ent_rand_init_system(&rnd);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, nothing_remains_of_a_backup_that_fails);
    tcase_add_test(tcase, a_restore_that_fails_leaves_the_home_as_it_was);
    tcase_add_test(tcase, a_restore_that_fails_brings_no_key);
    tcase_add_test(tcase, a_backup_is_a_copy_wherever_it_is_opened);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    ent_rand_fini(&rnd);
    ent_kinds_fini(&kinds);
    return failed;
}
