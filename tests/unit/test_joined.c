/* test_joined.c - commits that reach the WAL in one piece: fewer writes, and
 * nobody can tell. */
#include <check.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "store/joined.h"

#define SMALL_CACHE "PRAGMA cache_size = 10; PRAGMA wal_autocheckpoint = 0;"
#define ROWS                                                                   \
    "WITH c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)"       \
    " INSERT INTO t(b) SELECT randomblob(3000) FROM c"

static char dir[64], path[128];
static sqlite3 *a, *b;

static void run(sqlite3 *db, const char *sql)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

    ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
}

static void insert(sqlite3 *db, int rows)
{
    char sql[256];

    snprintf(sql, sizeof(sql), ROWS, rows);
    run(db, sql);
}

static int number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;
    int value;

    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    value = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

static int count(sqlite3 *db)
{
    return number(db, "SELECT count(*) FROM t WHERE length(b) = 3000");
}

static void expect_sound(sqlite3 *db)
{
    ck_assert_int_eq(number(db, "SELECT quick_check = 'ok'"
                                " FROM pragma_quick_check"),
                     1);
}

static sqlite3 *open_joined(void)
{
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open_v2(path, &db,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     ENT_JOINED),
                     SQLITE_OK);
    run(db,
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" SMALL_CACHE);
    return db;
}

static void setup(void)
{
    strcpy(dir, "/tmp/entente-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/a.db", dir);
    ck_assert_int_eq(ent_joined_init(), SQLITE_OK);
    a = open_joined();
    run(a, "CREATE TABLE t(i INTEGER PRIMARY KEY, b BLOB)");
    b = open_joined();
}

static void teardown(void)
{
    sqlite3_close(a);
    sqlite3_close(b);
    unlink(path);
    rmdir(dir);
}

/* System calls of this process that write. */
static long writes(void)
{
    FILE *file = fopen("/proc/self/io", "re");
    char line[64];
    long value = -1;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "syscw: %ld", &value) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return value;
}

START_TEST(a_commit_is_one_write)
{
    long before;
    long after;
    int rc;

    insert(a, 1); /* the first write of a connection finds the place */
    before = writes();
    rc = sqlite3_exec(a,
                      "INSERT INTO t(b) VALUES(zeroblob(3000)),"
                      "(zeroblob(3000))",
                      NULL, NULL, NULL);
    after = writes();
    ck_assert_int_eq(rc, SQLITE_OK);
    if (before >= 0)
        ck_assert_int_eq(after - before, 1);
    ck_assert_int_eq(count(b), 3);
}
END_TEST

/* Another has written since: the first page of the commit, which is its last,
 * has a new place. Nothing is synced that would bring it there. */
START_TEST(a_commit_of_one_page_behind_anothers_stands_without_a_sync)
{
    run(a, "PRAGMA synchronous = OFF");
    run(b, "PRAGMA synchronous = OFF");
    insert(a, 3);
    insert(b, 3);
    run(a, "UPDATE t SET b = zeroblob(10) WHERE i = 1");
    ck_assert_int_eq(count(b), 5);
    run(b, "UPDATE t SET b = zeroblob(10) WHERE i = 2");
    ck_assert_int_eq(count(a), 4);
    expect_sound(a);
    expect_sound(b);
}
END_TEST

START_TEST(pages_written_early_are_read_back)
{
    run(a, "BEGIN");
    insert(a, 300);
    ck_assert_int_eq(count(a), 300);
    ck_assert_int_eq(count(b), 0);
    run(a, "COMMIT");
    ck_assert_int_eq(count(b), 300);
    expect_sound(b);
}
END_TEST

START_TEST(pages_written_early_and_undone_leave_others_commits_alone)
{
    for (int i = 0; i < 30; i++) {
        /* So that undoing reads nothing of the WAL. */
        run(a, "PRAGMA wal_checkpoint(TRUNCATE)");
        run(a, "BEGIN");
        insert(a, 11 + i);
        run(a, "ROLLBACK");
        insert(b, 1);
        ck_assert_int_eq(count(a), i + 1);
        expect_sound(b);
    }
}
END_TEST

START_TEST(a_part_undone_does_not_come_back)
{
    run(a, "BEGIN");
    insert(a, 15);
    run(a, "SAVEPOINT s");
    insert(a, 20);
    run(a, "ROLLBACK TO s");
    insert(a, 12);
    ck_assert_int_eq(count(a), 27);
    run(a, "COMMIT");
    ck_assert_int_eq(count(b), 27);
    expect_sound(b);
}
END_TEST

/* Nothing may grow past `bytes`. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(a_commit_that_cannot_be_written_fails_and_can_be_repeated)
{
    struct rlimit before;

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    insert(a, 5);
    limit_files(65536);
    run(a, "BEGIN");
    ck_assert_int_ne(
        sqlite3_exec(a,
                     "WITH c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
                     " WHERE i < 60) INSERT INTO t(b)"
                     " SELECT randomblob(3000) FROM c; COMMIT",
                     NULL, NULL, NULL),
        SQLITE_OK);
    if (sqlite3_get_autocommit(a) == 0)
        run(a, "ROLLBACK");
    ck_assert_int_eq(count(a), 5);
    limit_files(before.rlim_cur);
    ck_assert_int_eq(count(b), 5);
    insert(b, 1);
    insert(a, 60);
    ck_assert_int_eq(count(b), 66);
    expect_sound(b);
}
END_TEST

static long wal_bytes(void)
{
    struct stat st;
    char wal[160];

    snprintf(wal, sizeof(wal), "%s-wal", path);
    return stat(wal, &st) == 0 ? (long)st.st_size : -1;
}

START_TEST(many_small_commits_make_the_wal_grow_a_few_times_only)
{
    int grown = 0;

    for (int i = 0; i < 400; i++) {
        long before = wal_bytes();

        insert(i % 3 == 0 ? b : a, 1);
        grown += wal_bytes() != before;
    }
    /* The first 64 KiB as they come, then by as much again. */
    ck_assert_int_lt(grown, 30);
    ck_assert_int_eq(count(b), 400);
    expect_sound(b);
}
END_TEST

START_TEST(a_few_commits_and_a_large_one_take_what_they_need)
{
    long before;

    insert(a, 3);
    before = wal_bytes();
    ck_assert_int_lt(before, 65536);
    insert(a, 300);
    ck_assert_int_lt(wal_bytes(), before + 300 * 4200);
}
END_TEST

/* As after a power cut: the files as they are, zeros behind the last frame. */
START_TEST(zeros_behind_the_last_commit_are_no_frames)
{
    char command[512];
    sqlite3 *copy;

    for (int i = 0; i < 60; i++)
        insert(a, 1);
    snprintf(command, sizeof(command), "cp %s %s/c.db && cp %s-wal %s/c.db-wal",
             path, dir, path, dir);
    ck_assert_int_eq(system(command), 0);
    snprintf(command, sizeof(command), "%s/c.db", dir);
    ck_assert_int_eq(sqlite3_open(command, &copy), SQLITE_OK);
    ck_assert_int_eq(count(copy), 60);
    expect_sound(copy);
    sqlite3_close(copy);
    unlink(command);
}
END_TEST

START_TEST(a_wal_that_another_cut_off_grows_ahead_again)
{
    int grown = 0;

    for (int i = 0; i < 100; i++)
        insert(a, 1);
    run(b, "PRAGMA wal_checkpoint(TRUNCATE)");
    ck_assert_int_eq(wal_bytes(), 0);
    for (int i = 0; i < 100; i++) {
        long before = wal_bytes();

        insert(a, 1);
        grown += wal_bytes() != before;
    }
    ck_assert_int_lt(grown, 30);
    ck_assert_int_eq(count(b), 200);
    expect_sound(b);
}
END_TEST

START_TEST(what_was_committed_is_found_by_sqlite_alone)
{
    sqlite3 *plain;

    insert(a, 40);
    insert(b, 2);
    ck_assert_int_eq(sqlite3_open(path, &plain), SQLITE_OK);
    ck_assert_int_eq(count(plain), 42);
    expect_sound(plain);
    sqlite3_close(plain);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("joined");
    TCase *tcase = tcase_create("joined");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_commit_is_one_write);
    tcase_add_test(tcase,
                   a_commit_of_one_page_behind_anothers_stands_without_a_sync);
    tcase_add_test(tcase, pages_written_early_are_read_back);
    tcase_add_test(tcase,
                   pages_written_early_and_undone_leave_others_commits_alone);
    tcase_add_test(tcase, a_part_undone_does_not_come_back);
    tcase_add_test(tcase,
                   a_commit_that_cannot_be_written_fails_and_can_be_repeated);
    tcase_add_test(tcase,
                   many_small_commits_make_the_wal_grow_a_few_times_only);
    tcase_add_test(tcase, a_few_commits_and_a_large_one_take_what_they_need);
    tcase_add_test(tcase, zeros_behind_the_last_commit_are_no_frames);
    tcase_add_test(tcase, a_wal_that_another_cut_off_grows_ahead_again);
    tcase_add_test(tcase, what_was_committed_is_found_by_sqlite_alone);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
