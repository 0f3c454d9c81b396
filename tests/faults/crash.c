/* crash.c - the power goes at any point.
 * A node writes, takes, serves, searches and checkpoints on a disk that knows
 * what was not synced (tests/sim/disk.h). At every write, sync, truncation and
 * deletion pictures of what a cut may leave are made, and each must open,
 * verify, and be the replica as it was behind the last transaction that was
 * acknowledged, or that transaction and all of the one under way: nothing
 * lost, nothing in half (rules L7, T8). An entry that was shown to another
 * node is never written a second time.
 *
 *   crash_points [--points N] [--images N] [--every N] [--seed S] [--control]
 *                [--only POINT] [--verbose]
 *
 * With --control the disk ignores the syncs of the WAL, and the program must
 * find that acknowledged writes are lost: else it can show nothing. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../sim/disk.h"
#include "script.h"

#define REBUILD_EVERY 20 /* images */
#define WRITE_EVERY 10

struct image {
    long point;
    int number;
    size_t known; /* pictures known when it was made */
    uint64_t picture;
};

struct crash {
    struct script script;
    struct disk *disk;
    sqlite3 *reader; /* sees what is committed while a step runs */
    int64_t version;

    long points_max, points, every, only;
    int images_each;
    bool control, verbose, watching, founded;
    char dir[SCRIPT_PATH_BYTES];

    uint64_t *pictures; /* behind each transaction */
    size_t picture_count, picture_cap;
    struct image *waiting; /* for what the transaction under way becomes */
    size_t waiting_count, waiting_cap;

    long ops[DISK_DELETE + 1], steps[SCRIPT_STEPS];
    long images, opened, before, after, rebuilt, written, fresh, lost;
};

static struct crash *crash_now; /* for the line that repeats it */

static void repeat(const struct script *script)
{
    const struct crash *crash = crash_now;

    fprintf(stderr,
            "# step %s, before point %ld; again with: crash_points --seed %llu "
            "--points %ld --images %d%s --verbose\n",
            script_names[script->step], crash->points,
            (unsigned long long)script->seed, crash->points, crash->images_each,
            crash->control ? " --control" : "");
}

/* An image lies in another place but is the same disk: its file has the same
 * number there. */
int __real_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __real_stat64(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st);

static void one_number(const char *path, struct stat *st)
{
    if (strstr(path, "/replica.db") != NULL)
        st->st_ino = 4711;
}

int __wrap_stat(const char *path, struct stat *st)
{
    int rc = __real_stat(path, st);

    one_number(path, st);
    return rc;
}

int __wrap_stat64(const char *path, struct stat *st)
{
    int rc = __real_stat64(path, st);

    one_number(path, st);
    return rc;
}

/* ----------------------------------------------------------------- pictures */

static void know(struct crash *crash, uint64_t picture)
{
    if (picture == 0)
        script_die(&crash->script, "the replica cannot be read");
    if (crash->picture_count > 0 &&
        crash->pictures[crash->picture_count - 1] == picture)
        return;
    if (crash->picture_count == crash->picture_cap) {
        crash->picture_cap =
            crash->picture_cap == 0 ? 256 : 2 * crash->picture_cap;
        crash->pictures = realloc(
            crash->pictures, crash->picture_cap * sizeof(*crash->pictures));
        if (crash->pictures == NULL)
            abort();
    }
    crash->pictures[crash->picture_count++] = picture;
}

static int64_t data_version(struct crash *crash)
{
    sqlite3_stmt *stmt = NULL;
    int64_t version = crash->version;

    if (sqlite3_prepare_v2(crash->reader, "PRAGMA data_version", -1, &stmt,
                           NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        version = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return version;
}

/* What a step committed before it came this far. */
static void look_for_commits(struct crash *crash)
{
    int64_t version;

    if (crash->reader == NULL)
        return;
    version = data_version(crash);
    if (version != crash->version)
        know(crash, script_picture(crash->reader).all);
    crash->version = version;
}

static void reader_open(struct crash *crash)
{
    char path[SCRIPT_PATH_BYTES + 16];

    snprintf(path, sizeof(path), "%s/replica.db", crash->script.home);
    if (sqlite3_open_v2(path, &crash->reader, SQLITE_OPEN_READWRITE, NULL) !=
        SQLITE_OK)
        script_die(&crash->script, "cannot read %s", path);
    crash->version = data_version(crash);
}

static void reader_close(struct crash *crash)
{
    sqlite3_close(crash->reader);
    crash->reader = NULL;
}

/* ------------------------------------------------------------------- images */

static void loss(struct crash *crash, const struct image *image,
                 const char *what)
{
    crash->lost++;
    if (!crash->control)
        script_die(&crash->script, "point %ld, image %d: %s", image->point,
                   image->number, what);
    if (crash->verbose)
        printf("# point %ld, image %d: %s\n", image->point, image->number,
               what);
}

static off_t mark_length(const char *dir)
{
    char path[SCRIPT_PATH_BYTES + 16];
    struct stat st;

    snprintf(path, sizeof(path), "%s/high-water", dir);
    return lstat(path, &st) < 0 ? -1 : st.st_size;
}

static void count_finding(void *ctx, const char *text)
{
    fprintf(stderr, "# %s\n", text);
    ++*(int *)ctx;
}

/* The next own entry must not have a number that was shown. */
static int write_one(struct crash *crash, struct ent_store *store,
                     const char **wrong, struct ent_err *err)
{
    const struct script *script = &crash->script;
    const struct ent_edit edit = {
        .kind = script_kinds.kinds[0].number,
        .id = ent_record_new_id(store, script->space, &script_kinds.kinds[0],
                                script->now_ms)};
    const struct ent_id *origin = ent_store_origin(store);
    struct ent_writer *writer;
    struct ent_head *heads = NULL;
    enum ent_written written;
    uint64_t seq = 0;
    size_t count = 0;
    int rc =
        ent_writer_open(store, script->space, script->now_ms, &writer, err);

    if (rc < 0)
        return rc;
    rc = ent_writer_put(writer, &edit, true, &written, err);
    if (rc == 0)
        rc = ent_writer_commit(writer, err);
    else
        ent_writer_abort(writer);
    if (rc == 0)
        rc = ent_frontier_read(store, script->space, &heads, &count, err);
    for (size_t i = 0; i < count; i++)
        if (ent_key_equal(&heads[i].author, &ent_store_keys(store)->public) &&
            ent_id_equal(&heads[i].origin, origin))
            seq = heads[i].seq;
    free(heads);
    if (rc == 0 && seq == 0)
        *wrong = "an own entry is missing";
    if (rc == 0 && ent_id_equal(origin, &script->shown_origin) &&
        seq <= script->shown_seq)
        *wrong = "a number that was shown is used again";
    return rc;
}

static int rebuild_one(struct crash *crash, struct ent_store *store,
                       const char **wrong, struct ent_err *err)
{
    struct ent_digest before;
    struct ent_digest after;
    int rc = ent_digest_read(store, crash->script.space, &before, err);

    if (rc == 0)
        rc = ent_store_rebuild(store, err);
    if (rc == 0)
        rc = ent_digest_read(store, crash->script.space, &after, err);
    if (rc == 0 && memcmp(&before, &after, sizeof(before)) != 0)
        *wrong = "rebuilding gives another digest";
    return rc;
}

/* An error, or `wrong` says what is. */
static int look_at(struct crash *crash, struct ent_store *store, off_t mark,
                   struct image *image, const char **wrong, struct ent_err *err)
{
    int found = 0;
    int rc;

    crash->opened++;
    crash->fresh += ent_store_fresh(store) != NULL;
    image->picture = script_picture_of(store).all;
    if (image->picture == 0)
        *wrong = "it cannot be read";
    else if (mark > 0 && ent_store_fresh(store) != NULL)
        *wrong = "a fresh origin without need";
    rc = ent_store_verify(store, false, count_finding, &found, err);
    if (rc > 0)
        *wrong = "verify has findings";
    if (rc < 0 || *wrong != NULL)
        return rc < 0 ? rc : 0;
    rc = 0;
    if (crash->founded && crash->images % REBUILD_EVERY == 0) {
        crash->rebuilt++;
        rc = rebuild_one(crash, store, wrong, err);
    }
    if (rc == 0 && crash->script.shown_seq > 0 &&
        crash->images % WRITE_EVERY == 0) {
        crash->written++;
        rc = write_one(crash, store, wrong, err);
    }
    return rc;
}

static void wait_for_picture(struct crash *crash, struct image image)
{
    if (crash->waiting_count == crash->waiting_cap) {
        crash->waiting_cap =
            crash->waiting_cap == 0 ? 256 : 2 * crash->waiting_cap;
        crash->waiting = realloc(crash->waiting,
                                 crash->waiting_cap * sizeof(*crash->waiting));
        if (crash->waiting == NULL)
            abort();
    }
    crash->waiting[crash->waiting_count++] = image;
}

static void make_image(struct crash *crash, int number)
{
    struct image image = {.point = crash->points,
                          .number = number,
                          .known = crash->picture_count};
    struct ent_rand rand;
    struct ent_rand store_rand;
    struct ent_store_options options = {.kinds = &script_kinds,
                                        .rand = &store_rand,
                                        .now_ms = crash->script.now_ms,
                                        .fragile = true};
    struct ent_store *store = NULL;
    struct ent_err err = {0};
    const char *wrong = NULL;
    off_t mark;
    int rc;

    ent_rand_init_u64(&rand, (crash->script.seed << 40) ^
                                 (uint64_t)crash->points * 1000 ^
                                 (uint64_t)number);
    ent_rand_init_u64(&store_rand, ent_rand_u64(&rand));
    script_remove(crash->dir);
    disk_image(crash->disk, crash->dir, &rand);
    crash->images++;
    mark = mark_length(crash->dir);
    rc = ent_store_open(crash->dir, &options, &store, &err);
    if (rc == 0)
        rc = look_at(crash, store, mark, &image, &wrong, &err);
    ent_store_close(store);
    if (rc < 0 || wrong != NULL)
        loss(crash, &image, rc < 0 ? err.text : wrong);
    else
        wait_for_picture(crash, image);
}

static const char *what_it_is(const struct crash *crash,
                              const struct image *image)
{
    for (size_t i = 0; i < crash->picture_count; i++)
        if (crash->pictures[i] == image->picture)
            return i < image->known ? "acknowledged writes are lost"
                                    : "it is ahead of its time";
    return "what is there was never committed as a whole";
}

/* Now it is known what the transactions became. */
static void judge(struct crash *crash)
{
    for (size_t i = 0; i < crash->waiting_count; i++) {
        const struct image *image = &crash->waiting[i];
        const uint64_t *last = &crash->pictures[image->known - 1];

        if (image->picture == last[0])
            crash->before++;
        else if (image->known < crash->picture_count &&
                 image->picture == last[1])
            crash->after++;
        else
            loss(crash, image, what_it_is(crash, image));
    }
    crash->waiting_count = 0;
}

static void watch(void *ctx, struct disk *disk, enum disk_op op,
                  const char *path)
{
    struct crash *crash = ctx;

    (void)disk;
    if (!crash->watching || crash->points >= crash->points_max)
        return;
    crash->watching = false;
    crash->points++;
    crash->ops[op]++;
    look_for_commits(crash);
    if (crash->verbose && (crash->only == 0 || crash->only == crash->points))
        printf("# point %ld: %s, %d %s\n", crash->points,
               script_names[crash->script.step], op, strrchr(path, '/') + 1);
    if (crash->only != 0 ? crash->points == crash->only
                         : crash->points % crash->every == 0)
        for (int i = 0; i < crash->images_each; i++)
            make_image(crash, i);
    crash->watching = true;
}

/* ------------------------------------------------------------------- script */

static void step(struct crash *crash, enum script_step which)
{
    struct script *script = &crash->script;
    struct ent_err err;

    script_plan(script, which);
    if (which == SCRIPT_CLOSE)
        reader_close(crash);
    crash->watching = true;
    if (script_run(script, &err) < 0)
        script_die(script, "%s failed: %s", script_names[which], err.text);
    crash->watching = false;
    crash->steps[which]++;
    if (crash->reader == NULL)
        reader_open(crash);
    know(crash, script_picture_of(script->store).all);
    judge(crash);
    script_settle(script);
    know(crash, script_picture_of(script->store).all);
}

/* The first opening and the founding of the space: what is under way there
 * takes several transactions. */
static void begin(struct crash *crash)
{
    struct script *script = &crash->script;
    struct ent_store_options options;
    struct ent_err err;

    script_create(script);
    reader_open(crash);
    know(crash, script_picture(crash->reader).all);
    crash->watching = true;
    options = script_options(script);
    if (ent_store_open(script->home, &options, &script->store, &err) < 0)
        script_die(script, "open: %s", err.text);
    script_found(script);
    crash->watching = false;
    crash->founded = true;
    know(crash, script_picture_of(script->store).all);
    judge(crash);
}

static void report(const struct crash *crash, double seconds)
{
    printf("%s - %ld points (%ld writes, %ld syncs, %ld truncations, %ld "
           "deletions; ",
           crash->control == (crash->lost > 0) ? "ok" : "not ok", crash->points,
           crash->ops[DISK_WRITE], crash->ops[DISK_SYNC],
           crash->ops[DISK_TRUNCATE], crash->ops[DISK_DELETE]);
    for (int i = 0; i < SCRIPT_STEPS; i++)
        if (crash->steps[i] > 0)
            printf("%ld %s ", crash->steps[i], script_names[i]);
    printf("; %zu transactions), %ld images: %ld opened, %ld as acknowledged, "
           "%ld with the one under way, %ld rebuilt, %ld written to, %ld under "
           "a fresh origin, %ld %s; seed %llu, %.1f s\n",
           crash->picture_count, crash->images, crash->opened, crash->before,
           crash->after, crash->rebuilt, crash->written, crash->fresh,
           crash->lost, crash->control ? "lost, as they must" : "lost",
           (unsigned long long)crash->script.seed, seconds);
}

static int run(struct crash *crash, uint64_t seed)
{
    struct script *script = &crash->script;
    struct timespec from;
    struct timespec to;
    bool good;

    clock_gettime(CLOCK_MONOTONIC, &from);
    script_begin(script, seed);
    snprintf(crash->dir, sizeof(crash->dir), "%s/image", script->dir);
    crash->disk = disk_new(script->home, seed);
    disk_watch(crash->disk, watch, crash);
    disk_lie(crash->disk, crash->control);
    begin(crash);
    while (crash->points < crash->points_max)
        step(crash, script_choose(script));
    reader_close(crash);
    disk_watch(crash->disk, NULL, NULL);
    script_verify(script, script->store, true);
    clock_gettime(CLOCK_MONOTONIC, &to);
    report(crash, (double)(to.tv_sec - from.tv_sec) +
                      (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    script_end(script);
    disk_free(crash->disk);
    free(crash->pictures);
    free(crash->waiting);
    good = crash->control == (crash->lost > 0);
    if (!good)
        fprintf(stderr, "not ok - the control found no loss\n");
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct crash crash = {
        .points_max = 2000, .images_each = 5, .every = 1};
    uint64_t seed = 1;

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--control") == 0) {
            crash.control = true;
            continue;
        }
        if (strcmp(argv[i], "--verbose") == 0) {
            crash.verbose = true;
            continue;
        }
        if (strcmp(argv[i], "--points") == 0)
            crash.points_max = atol(value);
        else if (strcmp(argv[i], "--images") == 0)
            crash.images_each = atoi(value);
        else if (strcmp(argv[i], "--every") == 0)
            crash.every = atol(value);
        else if (strcmp(argv[i], "--only") == 0)
            crash.only = atol(value);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(value, NULL, 10);
        else
            value = "";
        if (*value == '\0' || crash.every < 1) {
            fprintf(stderr,
                    "usage: crash_points [--points N] [--images N] [--every N] "
                    "[--seed S] [--control] [--only POINT] [--verbose]\n");
            return 2;
        }
        i++;
    }
    crash_now = &crash;
    script_repeat = repeat;
    disk_begin();
    return run(&crash, seed);
}
