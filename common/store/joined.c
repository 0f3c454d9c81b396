/* joined.c - see joined.h.
 * The files below are opened in whatever file system is SQLite's default at
 * that moment: the simulator puts its own there. */
#include "store/joined.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Of the WAL's format (sqlite.org/fileformat2.html). Byte 4 of a frame's header
 * on is the size of the database for a page that commits, else 0. */
#define FRAME_HEADER 24
#define FRAME_COMMITS 4
#define WRITE_LOCK 0

/* 16 frames of 4,096 bytes: more in one piece gains nothing. */
#define HELD_MAX (16 * (FRAME_HEADER + 4096))

/* A file that grows makes the disk write twice at each sync, the bytes and how
 * many there are, which doubles the time of a small commit. So a WAL that more
 * than one command writes grows ahead of what is written: by as much again, up
 * to so much. What is not written yet are zeros, which are no frame. */
#define AHEAD_FROM (64 << 10)
#define AHEAD_MAX (1 << 20)
#define AHEAD_PIECE (64 << 10)
#define COMMIT_SMALL (32 << 10) /* a larger one waits for its own bytes */

struct joined_file {
    sqlite3_file base;
    sqlite3_file *below;
    struct joined_file *database; /* of a WAL, and the other way round */
    struct joined_file *wal;

    /* A WAL: written by SQLite and not yet below. NULL: nothing is held. */
    uint8_t *held;
    int held_len;
    sqlite3_int64 next; /* the end of what was written last, -1: not known */
    bool commits;       /* the page that is next commits */
    sqlite3_int64 size; /* it has at least; another may have made it grow */
};

static sqlite3_vfs joined;

static struct joined_file *file_of(sqlite3_file *base)
{
    return (struct joined_file *)base;
}

static sqlite3_file *below(sqlite3_file *base)
{
    return file_of(base)->below;
}

static sqlite3_vfs *vfs_below(void)
{
    return sqlite3_vfs_find(NULL);
}

/* ----------------------------------------------------------------- holding */

/* Below with it. What fails stays: SQLite was told that it is written, and
 * whoever comes next must not find the file without it. */
static int pass_held(struct joined_file *file)
{
    int rc = SQLITE_OK;

    if (file->held_len > 0)
        rc = file->below->pMethods->xWrite(file->below, file->held,
                                           file->held_len,
                                           file->next - file->held_len);
    if (rc == SQLITE_OK)
        file->held_len = 0;
    return rc;
}

/* Pages written out early by a transaction that was undone: another connection
 * may write at their place now. */
static void drop_held(struct joined_file *file)
{
    if (file->held_len == 0)
        return;
    file->held_len = 0;
    file->next = -1;
}

/* Whether the page that follows these bytes commits. */
static bool next_commits(const uint8_t *bytes, int len)
{
    static const uint8_t stays[4];

    return len == FRAME_HEADER &&
           memcmp(bytes + FRAME_COMMITS, stays, sizeof(stays)) != 0;
}

static int write_through(struct joined_file *file, const void *bytes, int len,
                         sqlite3_int64 at)
{
    int rc = pass_held(file);

    if (rc == SQLITE_OK)
        rc = file->below->pMethods->xWrite(file->below, bytes, len, at);
    if (rc == SQLITE_OK) {
        file->next = at + len;
        file->commits = next_commits(bytes, len);
    }
    if (at == 0) /* it begins anew: another may have cut it off before */
        file->size = 0;
    return rc;
}

/* After a commit: whether it grew is not what decides whether it stands. */
static void grow_ahead(struct joined_file *file)
{
    static const uint8_t zeros[AHEAD_PIECE];
    const sqlite3_io_methods *does = file->below->pMethods;
    sqlite3_int64 end = file->next;
    sqlite3_int64 more = end < AHEAD_MAX ? end : AHEAD_MAX;

    if (end <= file->size || end < AHEAD_FROM ||
        does->xFileSize(file->below, &file->size) != SQLITE_OK ||
        end < file->size)
        return;
    for (more += end; end < more; end += AHEAD_PIECE)
        if (does->xWrite(file->below, zeros, AHEAD_PIECE, end) != SQLITE_OK)
            break;
    file->size = end;
}

static int hold(struct joined_file *file, const uint8_t *bytes, int len)
{
    bool commits = file->commits;
    int rc;

    memcpy(file->held + file->held_len, bytes, (size_t)len);
    file->held_len += len;
    file->next += len;
    file->commits = next_commits(bytes, len);
    if (!commits)
        return SQLITE_OK;
    len = file->held_len;
    rc = pass_held(file);
    if (rc == SQLITE_OK && len <= COMMIT_SMALL)
        grow_ahead(file);
    return rc;
}

/* ------------------------------------------------------------------- files */

static int x_write(sqlite3_file *base, const void *bytes, int len,
                   sqlite3_int64 at)
{
    struct joined_file *file = file_of(base);
    int rc;

    if (file->held == NULL)
        return file->below->pMethods->xWrite(file->below, bytes, len, at);
    if (at != file->next || len > HELD_MAX)
        return write_through(file, bytes, len, at);
    if (file->held_len + len > HELD_MAX) {
        rc = pass_held(file);
        if (rc != SQLITE_OK)
            return rc;
    }
    return hold(file, bytes, len);
}

static int x_close(sqlite3_file *base)
{
    struct joined_file *file = file_of(base);
    int rc = file->below->pMethods->xClose(file->below);

    if (file->database != NULL)
        file->database->wal = NULL;
    if (file->wal != NULL)
        file->wal->database = NULL;
    free(file->held);
    free(file->below);
    return rc;
}

static int x_read(sqlite3_file *base, void *bytes, int len, sqlite3_int64 at)
{
    int rc = pass_held(file_of(base));

    return rc != SQLITE_OK
               ? rc
               : below(base)->pMethods->xRead(below(base), bytes, len, at);
}

static int x_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    int rc = pass_held(file_of(base));

    file_of(base)->size = 0;
    return rc != SQLITE_OK
               ? rc
               : below(base)->pMethods->xTruncate(below(base), size);
}

static int x_sync(sqlite3_file *base, int flags)
{
    int rc = pass_held(file_of(base));

    return rc != SQLITE_OK ? rc
                           : below(base)->pMethods->xSync(below(base), flags);
}

static int x_file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    int rc = pass_held(file_of(base));

    return rc != SQLITE_OK
               ? rc
               : below(base)->pMethods->xFileSize(below(base), size);
}

static int x_lock(sqlite3_file *base, int level)
{
    return below(base)->pMethods->xLock(below(base), level);
}

static int x_unlock(sqlite3_file *base, int level)
{
    return below(base)->pMethods->xUnlock(below(base), level);
}

static int x_check_lock(sqlite3_file *base, int *locked)
{
    return below(base)->pMethods->xCheckReservedLock(below(base), locked);
}

static int x_control(sqlite3_file *base, int what, void *with)
{
    int rc = pass_held(file_of(base));

    return rc != SQLITE_OK
               ? rc
               : below(base)->pMethods->xFileControl(below(base), what, with);
}

static int x_sector_size(sqlite3_file *base)
{
    return below(base)->pMethods->xSectorSize(below(base));
}

static int x_device(sqlite3_file *base)
{
    return below(base)->pMethods->xDeviceCharacteristics(below(base));
}

static int x_shm_map(sqlite3_file *base, int region, int size, int extend,
                     void volatile **at)
{
    return below(base)->pMethods->xShmMap(below(base), region, size, extend,
                                          at);
}

static int x_shm_lock(sqlite3_file *base, int first, int count, int flags)
{
    struct joined_file *wal = file_of(base)->wal;

    if (wal != NULL && first == WRITE_LOCK && (flags & SQLITE_SHM_UNLOCK) != 0)
        drop_held(wal);
    return below(base)->pMethods->xShmLock(below(base), first, count, flags);
}

static void x_shm_barrier(sqlite3_file *base)
{
    below(base)->pMethods->xShmBarrier(below(base));
}

static int x_shm_unmap(sqlite3_file *base, int remove)
{
    return below(base)->pMethods->xShmUnmap(below(base), remove);
}

/* Version 2: nothing is mapped into memory past these. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_file_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_check_lock,
    .xFileControl = x_control,
    .xSectorSize = x_sector_size,
    .xDeviceCharacteristics = x_device,
    .xShmMap = x_shm_map,
    .xShmLock = x_shm_lock,
    .xShmBarrier = x_shm_barrier,
    .xShmUnmap = x_shm_unmap,
};

/* ------------------------------------------------------------- file system */

static void begin_holding(struct joined_file *file, const char *path)
{
    sqlite3_file *database = sqlite3_database_file_object(path);

    if (database == NULL || database->pMethods != &methods)
        return;
    file->held = malloc(HELD_MAX);
    if (file->held == NULL) /* then without */
        return;
    file->next = -1;
    file->database = file_of(database);
    file->database->wal = file;
}

static int x_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base,
                  int flags, int *out)
{
    struct joined_file *file = file_of(base);
    sqlite3_vfs *real = vfs_below();
    int rc;

    (void)vfs;
    memset(file, 0, sizeof(*file));
    file->below = calloc(1, (size_t)real->szOsFile);
    if (file->below == NULL)
        return SQLITE_NOMEM;
    rc = real->xOpen(real, path, file->below, flags, out);
    if (rc != SQLITE_OK) {
        if (file->below->pMethods != NULL)
            file->below->pMethods->xClose(file->below);
        free(file->below);
        return rc;
    }
    base->pMethods = &methods;
    if ((flags & SQLITE_OPEN_WAL) != 0)
        begin_holding(file, path);
    return SQLITE_OK;
}

static int x_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
    (void)vfs;
    return vfs_below()->xDelete(vfs_below(), path, sync);
}

static int x_access(sqlite3_vfs *vfs, const char *path, int flags, int *result)
{
    (void)vfs;
    return vfs_below()->xAccess(vfs_below(), path, flags, result);
}

static int x_full_path(sqlite3_vfs *vfs, const char *path, int size, char *full)
{
    (void)vfs;
    return vfs_below()->xFullPathname(vfs_below(), path, size, full);
}

static int x_randomness(sqlite3_vfs *vfs, int size, char *at)
{
    (void)vfs;
    return vfs_below()->xRandomness(vfs_below(), size, at);
}

static int x_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return vfs_below()->xSleep(vfs_below(), us);
}

static int x_time(sqlite3_vfs *vfs, double *now)
{
    (void)vfs;
    return vfs_below()->xCurrentTime(vfs_below(), now);
}

static int x_last_error(sqlite3_vfs *vfs, int size, char *text)
{
    (void)vfs;
    return vfs_below()->xGetLastError(vfs_below(), size, text);
}

static int x_time_64(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
    (void)vfs;
    return vfs_below()->xCurrentTimeInt64(vfs_below(), now);
}

int ent_joined_init(void)
{
    int rc = sqlite3_initialize();

    if (rc != SQLITE_OK)
        return rc;
    if (vfs_below() == NULL)
        return SQLITE_ERROR;
    joined = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = (int)sizeof(struct joined_file),
        .mxPathname = vfs_below()->mxPathname,
        .zName = ENT_JOINED,
        .xOpen = x_open,
        .xDelete = x_delete,
        .xAccess = x_access,
        .xFullPathname = x_full_path,
        .xRandomness = x_randomness,
        .xSleep = x_sleep,
        .xCurrentTime = x_time,
        .xGetLastError = x_last_error,
        .xCurrentTimeInt64 = x_time_64,
    };
    return sqlite3_vfs_register(&joined, 0);
}
