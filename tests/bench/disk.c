/* disk.c - folders of the benchmark, and what the disk can do. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define NFTW_FDS 16
#define SYNCS 201

static double found_bytes;

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int count_one(const char *path, const struct stat *st, int type,
                     struct FTW *ftw)
{
    (void)path;
    (void)ftw;
    if (type == FTW_F)
        found_bytes += (double)st->st_size;
    return 0;
}

void bench_remove(const char *path)
{
    (void)nftw(path, remove_one, NFTW_FDS, FTW_DEPTH | FTW_PHYS);
}

void bench_folder(char path[BENCH_PATH_MAX], const char *work, const char *name)
{
    if (snprintf(path, BENCH_PATH_MAX, "%s/%s", work, name) >= BENCH_PATH_MAX)
        bench_die("the path of %s is too long", name);
    bench_remove(path);
    if (mkdir(path, 0700) < 0)
        bench_die("cannot make %s", path);
}

double bench_disk_bytes(const char *path)
{
    found_bytes = 0;
    if (nftw(path, count_one, NFTW_FDS, FTW_PHYS) < 0)
        bench_die("cannot read %s", path);
    return found_bytes;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

double bench_sync_ms(const char *work)
{
    static const char page[4096];
    double ms[SYNCS];
    char path[BENCH_PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "%s/sync", work);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        bench_die("cannot make %s", path);
    for (size_t i = 0; i < SYNCS; i++) {
        int64_t begin;

        if (pwrite(fd, page, sizeof(page), (off_t)(i * sizeof(page))) < 0)
            bench_die("cannot write %s", path);
        begin = bench_ns();
        if (fdatasync(fd) < 0)
            bench_die("cannot sync %s", path);
        ms[i] = bench_seconds_since(begin) * 1e3;
    }
    close(fd);
    unlink(path);
    qsort(ms, SYNCS, sizeof(ms[0]), by_value);
    return ms[SYNCS / 2];
}
