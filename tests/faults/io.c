/* io.c - every call to the disk fails, once or for ever (rule T9): a command
 * that failed says so and left nothing, what was acknowledged is on the disk,
 * and when the disk is well again the node works again.
 *
 *   io_errors [--each N] [--seed S] [--step NAME] [--verbose] */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../sim/disk.h"
#include "trial.h"

enum {
    EIO_ONCE,
    EIO_EVER,
    FULL_ONCE,
    FULL_EVER,
    SHORT_ONCE,
    SHORT_EVER,
    SYNC_ONCE,
    SYNC_EVER,
    MODES
};

static const char *const modes[MODES] = {
    [EIO_ONCE] = "EIO once",          [EIO_EVER] = "EIO for ever",
    [FULL_ONCE] = "ENOSPC once",      [FULL_EVER] = "ENOSPC for ever",
    [SHORT_ONCE] = "short read once", [SHORT_EVER] = "short reads for ever",
    [SYNC_ONCE] = "sync error once",  [SYNC_EVER] = "sync errors for ever",
};

static struct disk *disk;

/* The image is the same disk in another place. */
int __real_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __real_stat64(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st);

int __wrap_stat(const char *path, struct stat *st)
{
    int rc = __real_stat(path, st);

    st->st_ino = 4711;
    return rc;
}

int __wrap_stat64(const char *path, struct stat *st)
{
    int rc = __real_stat64(path, st);

    st->st_ino = 4711;
    return rc;
}

static uint64_t calls(struct trial *trial)
{
    (void)trial;
    return disk_calls(disk);
}

static void arm(struct trial *trial, uint64_t at, int mode)
{
    static const enum disk_fault faults[MODES] = {
        DISK_EIO,        DISK_EIO,        DISK_ENOSPC,   DISK_ENOSPC,
        DISK_SHORT_READ, DISK_SHORT_READ, DISK_SYNC_EIO, DISK_SYNC_EIO};

    (void)trial;
    disk_fail(disk, at, faults[mode], mode % 2 == 1);
}

static bool disarm(struct trial *trial)
{
    (void)trial;
    disk_heal(disk);
    return disk_failed(disk);
}

/* Nobody knows what a disk wrote that said it could not. One that is full
 * said no before. */
static bool in_doubt(struct trial *trial, int mode)
{
    (void)trial;
    return mode == EIO_ONCE || mode == EIO_EVER || mode == SYNC_ONCE ||
           mode == SYNC_EVER;
}

/* A system shows what a failed sync left in its memory, and forgets that it is
 * not on the disk: nobody can write behind that safely before the machine was
 * started again. So that is what is done after a disk that would not sync. */
static void ended(struct trial *trial)
{
    struct script *script = &trial->script;
    char path[SCRIPT_PATH_BYTES + 16];
    char mark[256];
    struct ent_rand rand;
    ssize_t len;
    int fd;

    if (trial->mode != EIO_EVER && trial->mode != SYNC_EVER)
        return;
    ent_rand_init_u64(&rand, script->seed * 2000000 + (uint64_t)trial->cases);
    snprintf(path, sizeof(path), "%s/high-water", script->home);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    len = fd < 0 ? -1 : read(fd, mark, sizeof(mark));
    close(fd);
    disk_power(disk, &rand);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (len < 0 || fd < 0 || write(fd, mark, (size_t)len) != len)
        script_die(script, "cannot keep %s", path);
    close(fd);
}

/* The power goes right behind the answer. */
static void acknowledged(struct trial *trial)
{
    struct script *script = &trial->script;
    struct ent_store_options options = script_options(script);
    char dir[SCRIPT_PATH_BYTES];
    struct ent_store *store = NULL;
    struct ent_rand rand;
    struct ent_err err;

    ent_rand_init_u64(&rand, script->seed * 1000000 + (uint64_t)trial->cases);
    options.rand = &rand;
    options.fragile = true;
    snprintf(dir, sizeof(dir), "%s/image", script->dir);
    script_remove(dir);
    disk_image(disk, dir, &rand);
    if (ent_store_open(dir, &options, &store, &err) < 0)
        script_die(script, "it was acknowledged, but after a power cut: %s",
                   err.text);
    if (script_picture_of(store).firm != trial->picture.firm)
        script_die(script, "it was acknowledged, but a power cut takes it");
    ent_store_close(store);
}

static void home_known(struct trial *trial)
{
    disk = disk_new(trial->script.home, trial->script.seed);
}

int main(int argc, char **argv)
{
    static struct trial trial = {
        .program = "io_errors",
        .modes = modes,
        .mode_count = MODES,
        .calls = calls,
        .arm = arm,
        .disarm = disarm,
        .in_doubt = in_doubt,
        .ended = ended,
        .acknowledged = acknowledged,
        .each = 20,
    };
    int rc;

    trial_options(&trial, argc, argv);
    disk_begin();
    rc = trial_run(&trial, home_known);
    disk_free(disk);
    return rc;
}
