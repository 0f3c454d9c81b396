/* disk.c - see disk.h.
 * The real files always hold what a program sees. For each file the shim keeps
 * what stood there before every write since the last sync; a cut takes some of
 * it back, from the newest to the oldest, sector by sector. Folders are kept
 * the same way: what a name stands for now, and what it stood for when its
 * folder was synced last. */
#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "store/db.h"

#define PATH_BYTES 4096
#define MARK_BYTES 2048
#define MARKS 4
#define MARK_SYNCS 8 /* syncs between two looks at the high water */

/* Beyond these the oldest changes count as written: as with a system that
 * writes back what has been waiting for long. */
#define CHANGES_MAX 65536
#define OLD_BYTES_MAX ((size_t)32 << 20)

/* One write or truncation since the last sync. */
struct change {
    int64_t off, len; /* of a truncation: what was cut off */
    int64_t old_size, new_size;
    size_t old;  /* where the bytes that stood there are kept */
    size_t have; /* how many there were: the file ended behind them */
    bool truncation;
    bool orphan; /* a sync of it failed: later ones do not help */
};

/* A file, whatever its name. */
struct content {
    int fd;
    int refs;
    int64_t size;
    struct change *changes;
    size_t count, cap;
    struct ent_buf old;
    size_t orphans;
};

struct name {
    char path[PATH_BYTES];
    struct content *now;  /* NULL: deleted */
    struct content *kept; /* at the last sync of the folder; NULL: not there */
};

struct mark {
    bool there;
    size_t len;
    char bytes[MARK_BYTES];
};

struct disk {
    struct disk *next;
    char home[PATH_BYTES];
    size_t home_len;
    struct ent_rand rand;
    struct name **names;
    size_t name_count;
    struct mark marks[MARKS]; /* of moments before */
    size_t mark_count;
    struct mark cut_mark;
    uint64_t syncs;
    int64_t room;
    bool cut;
    bool lies;

    uint64_t calls;
    uint64_t fail_at;
    enum disk_fault fault;
    bool fail, forever, failed;

    disk_watch_fn *watch;
    void *watch_ctx;
};

struct disk_file {
    sqlite3_file base;
    struct disk *disk;
    struct name *name;
    struct content *content;
    bool log;     /* WAL or journal */
    bool dirsync; /* the first sync reaches the folder too */
    sqlite3_file *real;
};

static struct disk *disks;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs shim;
static struct ent_rand chance_rand; /* SQLite's own */

__attribute__((noreturn)) static void die(const char *what, const char *path)
{
    fprintf(stderr, "disk: %s %s: %s\n", what, path, strerror(errno));
    abort();
}

/* ---------------------------------------------------------------- contents */

static void content_release(struct content *content)
{
    if (content == NULL || --content->refs > 0)
        return;
    close(content->fd);
    free(content->changes);
    ent_buf_fini(&content->old);
    free(content);
}

static struct content *content_hold(struct content *content)
{
    if (content != NULL)
        content->refs++;
    return content;
}

/* The descriptor stays open as long as the content is known: closing one drops
 * the locks this process has on the file. */
static struct content *content_open(const char *path)
{
    struct content *content;
    struct stat st;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0)
        return NULL;
    content = calloc(1, sizeof(*content));
    if (content == NULL)
        die("memory for", path);
    content->fd = fd;
    content->refs = 1;
    content->size = st.st_size;
    return content;
}

static void changes_clear(struct content *content)
{
    content->count = 0;
    content->orphans = 0;
    if (content->old.cap > 1 << 20)
        ent_buf_fini(&content->old);
    else
        ent_buf_reset(&content->old);
}

/* Keep the changes from number `first` on, and only orphans with `orphans`. */
static void changes_keep(struct content *content, size_t first, bool orphans)
{
    struct ent_buf old = {0};
    size_t kept = 0;

    content->orphans = 0;
    for (size_t i = first; i < content->count; i++) {
        struct change change = content->changes[i];

        if (orphans && !change.orphan)
            continue;
        if (change.have > 0) {
            size_t at = old.len;

            ent_buf_put(&old, content->old.at + change.old, change.have);
            change.old = at;
        }
        content->orphans += change.orphan;
        content->changes[kept++] = change;
    }
    content->count = kept;
    ent_buf_fini(&content->old);
    content->old = old;
}

static struct change *change_add(struct content *content)
{
    if (content->count == CHANGES_MAX || content->old.len > OLD_BYTES_MAX)
        changes_keep(content, content->count / 2 + 1, false);
    if (content->count == content->cap) {
        content->cap = content->cap == 0 ? 64 : 2 * content->cap;
        content->changes =
            realloc(content->changes, content->cap * sizeof(*content->changes));
        if (content->changes == NULL)
            die("memory for", "changes");
    }
    return &content->changes[content->count++];
}

static void change_keep_old(struct content *content, struct change *change)
{
    uint8_t *at;

    change->have = 0;
    if (change->off >= change->old_size)
        return;
    change->have = change->len < change->old_size - change->off
                       ? (size_t)change->len
                       : (size_t)(change->old_size - change->off);
    change->old = content->old.len;
    at = ent_buf_grow(&content->old, change->have);
    if (at == NULL || pread(content->fd, at, change->have, change->off) !=
                          (ssize_t)change->have)
        die("reading before a write", "");
}

static void remember_write(struct content *content, int64_t off, int64_t len)
{
    struct change *change = change_add(content);

    *change = (struct change){.off = off,
                              .len = len,
                              .old_size = content->size,
                              .new_size = content->size};
    if (off + len > content->size)
        change->new_size = off + len;
    change_keep_old(content, change);
    content->size = change->new_size;
}

static void remember_truncation(struct content *content, int64_t size)
{
    struct change *change = change_add(content);

    *change = (struct change){.off = size,
                              .len = content->size - size,
                              .old_size = content->size,
                              .new_size = size,
                              .truncation = true};
    if (change->len > 0)
        change_keep_old(content, change);
    else
        change->len = 0;
    content->size = size;
}

static bool overlaps_newer(const struct content *content, size_t at)
{
    const struct change *change = &content->changes[at];
    int64_t from = change->off / DISK_SECTOR;
    int64_t to = (change->off + change->len - 1) / DISK_SECTOR;

    for (size_t i = at + 1; i < content->count; i++) {
        const struct change *other = &content->changes[i];

        if (!other->orphan && other->off / DISK_SECTOR <= to &&
            (other->off + other->len - 1) / DISK_SECTOR >= from)
            return true;
    }
    return false;
}

/* What a failed sync left behind stays unsafe until it is written again. */
static void content_synced(struct content *content)
{
    if (content->orphans == 0) {
        changes_clear(content);
        return;
    }
    for (size_t i = 0; i < content->count; i++)
        if (content->changes[i].orphan && overlaps_newer(content, i))
            content->changes[i].orphan = false;
    changes_keep(content, 0, true);
}

static void content_sync_failed(struct content *content)
{
    for (size_t i = 0; i < content->count; i++) {
        struct change *change = &content->changes[i];

        if (change->truncation || change->orphan)
            continue;
        change->orphan = true;
        change->old_size = change->new_size;
        content->orphans++;
    }
}

/* ------------------------------------------------------------- taking back */

/* How a cut treats what was not synced. */
enum mood {
    MOOD_ALL,     /* all of it arrived */
    MOOD_NOTHING, /* none */
    MOOD_ORDER,   /* the first ones did, the next one in part */
    MOOD_WRITES,  /* each write did or did not */
    MOOD_SECTORS, /* each sector did or did not */
    MOODS
};

/* Sectors that are settled: an open table of sector numbers + 1. */
struct settled {
    uint64_t *slots;
    size_t mask;
};

static bool settle(struct settled *settled, int64_t sector, bool put)
{
    uint64_t want = (uint64_t)sector + 1;
    size_t at = (size_t)(want * 0x9e3779b97f4a7c15u >> 20) & settled->mask;

    while (settled->slots[at] != 0) {
        if (settled->slots[at] == want)
            return true;
        at = (at + 1) & settled->mask;
    }
    if (put)
        settled->slots[at] = want;
    return false;
}

struct taking {
    const struct content *content;
    struct ent_rand *rand;
    int fd;
    enum mood mood;
    unsigned percent; /* of what is taken back */
    size_t size_from; /* size changes from here on are taken back */
    size_t order;     /* MOOD_ORDER: the change that arrived in part */
    int64_t forced;   /* bytes from here on go back with a truncation */
    int64_t fixed;    /* bytes from here on were cut off for good */
    bool noise;       /* where nothing was there is garbage, not zeros */
    struct settled settled;
};

static bool below(struct ent_rand *rand, unsigned percent)
{
    return ent_rand_below(rand, 100) < percent;
}

static bool goes_back(struct taking *taking, size_t i, bool whole)
{
    switch (taking->mood) {
    case MOOD_ALL:
        return taking->content->changes[i].orphan &&
               below(taking->rand, taking->percent);
    case MOOD_NOTHING:
        return true;
    case MOOD_ORDER:
        return i > taking->order ||
               (i == taking->order && below(taking->rand, 50));
    case MOOD_WRITES:
        return whole;
    case MOOD_SECTORS:
    case MOODS:
        break;
    }
    return below(taking->rand, taking->percent);
}

/* Put back what stood in [from, to) before the change. */
static void put_back(struct taking *taking, const struct change *change,
                     int64_t from, int64_t to)
{
    uint8_t bytes[DISK_SECTOR];
    size_t len = (size_t)(to - from);
    size_t skip = (size_t)(from - change->off);
    size_t have = skip < change->have ? change->have - skip : 0;

    if (have > len)
        have = len;
    if (taking->noise)
        ent_rand_bytes(taking->rand, bytes, sizeof(bytes));
    else
        memset(bytes, 0, sizeof(bytes));
    if (have > 0)
        memcpy(bytes, taking->content->old.at + change->old + skip, have);
    if (pwrite(taking->fd, bytes, len, from) != (ssize_t)len)
        die("writing what was before", "");
}

static void take_back_change(struct taking *taking, size_t i)
{
    const struct change *change = &taking->content->changes[i];
    bool whole = below(taking->rand, taking->percent);
    int64_t end = change->off + change->len;

    if (change->truncation && i < taking->size_from) {
        if (change->new_size < taking->fixed)
            taking->fixed = change->new_size;
        return;
    }
    for (int64_t at = change->off; at < end;) {
        int64_t sector = at / DISK_SECTOR;
        int64_t next = (sector + 1) * DISK_SECTOR;
        int64_t to = next < end ? next : end;
        bool forced = i >= taking->size_from && at >= taking->forced;

        if (at < taking->fixed && !settle(&taking->settled, sector, false)) {
            if (forced || goes_back(taking, i, whole))
                put_back(taking, change, at, to);
            else
                settle(&taking->settled, sector, true);
        }
        at = to;
    }
}

/* The size of some moment since the sync; with a truncation, all that came
 * behind the cut goes back too. */
static int64_t take_back_size(struct taking *taking)
{
    const struct content *content = taking->content;
    int64_t size = content->size;
    size_t i = content->count;

    while (i > 0) {
        const struct change *change = &content->changes[i - 1];

        if (change->old_size != change->new_size) {
            if (taking->mood == MOOD_ALL ||
                (taking->mood == MOOD_ORDER && i - 1 <= taking->order) ||
                (taking->mood > MOOD_ORDER &&
                 !below(taking->rand, taking->percent)))
                break;
            size = change->old_size;
            if (change->truncation && change->new_size < taking->forced)
                taking->forced = change->new_size;
        }
        i--;
    }
    taking->size_from = i;
    return size;
}

/* Make of the file as it is one that a cut may leave. */
static void take_back(const struct content *content, int fd,
                      struct ent_rand *rand)
{
    struct taking taking = {.content = content,
                            .rand = rand,
                            .fd = fd,
                            .mood = (enum mood)ent_rand_below(rand, MOODS),
                            .forced = INT64_MAX,
                            .fixed = INT64_MAX,
                            .noise = below(rand, 25)};
    size_t slots = 64;
    int64_t sectors = 0;
    int64_t size;

    if (content->count == 0)
        return;
    taking.percent = 5 + (unsigned)ent_rand_below(rand, 91);
    taking.order = (size_t)ent_rand_below(rand, content->count);
    for (size_t i = 0; i < content->count; i++)
        sectors += content->changes[i].len / DISK_SECTOR + 2;
    while (slots < 2 * (size_t)sectors)
        slots *= 2;
    taking.settled.slots = calloc(slots, sizeof(*taking.settled.slots));
    taking.settled.mask = slots - 1;
    if (taking.settled.slots == NULL)
        die("memory for", "sectors");
    size = take_back_size(&taking);
    for (size_t i = content->count; i > 0; i--)
        take_back_change(&taking, i - 1);
    if (ftruncate(fd, size) < 0)
        die("truncating", "");
    free(taking.settled.slots);
}

/* ------------------------------------------------------------------- names */

static struct disk *disk_of(const char *path)
{
    for (struct disk *disk = disks; disk != NULL; disk = disk->next)
        if (strncmp(path, disk->home, disk->home_len) == 0 &&
            path[disk->home_len] == '/')
            return disk;
    return NULL;
}

static void name_set(struct content **place, struct content *content)
{
    struct content *before = *place;

    *place = content_hold(content);
    content_release(before);
}

static struct name *name_find(struct disk *disk, const char *path)
{
    for (size_t i = 0; i < disk->name_count; i++)
        if (strcmp(disk->names[i]->path, path) == 0)
            return disk->names[i];
    return NULL;
}

static struct name *name_make(struct disk *disk, const char *path)
{
    struct name *name = name_find(disk, path);

    if (name != NULL)
        return name;
    name = calloc(1, sizeof(*name));
    disk->names =
        realloc(disk->names, (disk->name_count + 1) * sizeof(*disk->names));
    if (name == NULL || disk->names == NULL || strlen(path) >= PATH_BYTES)
        die("memory for", path);
    strcpy(name->path, path);
    disk->names[disk->name_count++] = name;
    return name;
}

/* Others make, rename and delete files too: what is met for the first time
 * counts as written. */
static void name_look(struct name *name)
{
    struct content *met;
    struct stat st;
    struct stat known;

    if (fstatat(AT_FDCWD, name->path, &st, 0) < 0) {
        if (name->now != NULL) {
            name_set(&name->now, NULL);
            name_set(&name->kept, NULL);
        }
        return;
    }
    if (name->now != NULL && fstat(name->now->fd, &known) == 0 &&
        known.st_ino == st.st_ino)
        return;
    met = content_open(name->path);
    if (met == NULL)
        die("cannot open", name->path);
    name_set(&name->now, met);
    name_set(&name->kept, met);
    content_release(met);
}

static void folder_synced(struct disk *disk)
{
    for (size_t i = 0; i < disk->name_count; i++)
        name_set(&disk->names[i]->kept, disk->names[i]->now);
}

static int64_t bytes_used(const struct disk *disk)
{
    int64_t used = 0;

    for (size_t i = 0; i < disk->name_count; i++)
        if (disk->names[i]->now != NULL)
            used += disk->names[i]->now->size;
    return used;
}

/* -------------------------------------------------------------- high water */

static struct mark mark_read(const struct disk *disk)
{
    struct mark mark = {0};
    char path[PATH_BYTES + 16];
    ssize_t len;
    int fd;

    snprintf(path, sizeof(path), "%s/high-water", disk->home);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return mark;
    len = read(fd, mark.bytes, sizeof(mark.bytes));
    mark.there = len >= 0;
    mark.len = len > 0 ? (size_t)len : 0;
    close(fd);
    return mark;
}

static void mark_look(struct disk *disk)
{
    size_t at = disk->mark_count;

    if (disk->syncs++ % MARK_SYNCS != 0)
        return;
    if (at == MARKS)
        at = (size_t)ent_rand_below(&disk->rand, MARKS);
    else
        disk->mark_count++;
    disk->marks[at] = mark_read(disk);
}

static void mark_write(const struct disk *disk, const char *dir,
                       const struct mark *now, struct ent_rand *rand)
{
    char path[PATH_BYTES + 16];
    uint64_t which = ent_rand_below(rand, 10);
    struct mark mark = *now;
    int fd;

    if (which >= 5 && which < 8 && disk->mark_count > 0)
        mark = disk->marks[ent_rand_below(rand, disk->mark_count)];
    else if (which == 8)
        mark.len = 0;
    else if (which == 9)
        mark.there = false;
    snprintf(path, sizeof(path), "%s/high-water", dir);
    if (!mark.there) {
        unlink(path);
        return;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, mark.bytes, mark.len) != (ssize_t)mark.len)
        die("cannot write", path);
    close(fd);
}

/* ------------------------------------------------------------------- calls */

static bool can_hit(enum disk_fault fault, enum disk_op op)
{
    switch (fault) {
    case DISK_EIO:
        return true;
    case DISK_ENOSPC:
        return op == DISK_WRITE || op == DISK_TRUNCATE;
    case DISK_SHORT_READ:
        return op == DISK_READ;
    case DISK_SYNC_EIO:
        return op == DISK_SYNC;
    }
    return false;
}

static int code_of(enum disk_op op)
{
    switch (op) {
    case DISK_OPEN:
        return SQLITE_CANTOPEN;
    case DISK_READ:
        return SQLITE_IOERR_READ;
    case DISK_WRITE:
        return SQLITE_IOERR_WRITE;
    case DISK_SYNC:
        return SQLITE_IOERR_FSYNC;
    case DISK_TRUNCATE:
        return SQLITE_IOERR_TRUNCATE;
    case DISK_DELETE:
        return SQLITE_IOERR_DELETE;
    }
    return SQLITE_IOERR;
}

/* Count the call; 0, or how it fails. */
static int enter(struct disk *disk, enum disk_op op, const char *path)
{
    uint64_t number;

    if (disk->cut)
        return code_of(op);
    if (disk->watch != NULL && op != DISK_OPEN && op != DISK_READ)
        disk->watch(disk->watch_ctx, disk, op, path);
    if (disk->cut)
        return code_of(op);
    number = disk->calls++;
    if (!disk->fail || number < disk->fail_at || !can_hit(disk->fault, op))
        return SQLITE_OK;
    disk->failed = true;
    disk->fail = disk->forever;
    if (disk->fault == DISK_SHORT_READ)
        return SQLITE_IOERR_SHORT_READ;
    return disk->fault == DISK_ENOSPC ? SQLITE_FULL : code_of(op);
}

static struct disk_file *file_of(sqlite3_file *file)
{
    return (struct disk_file *)file;
}

static int x_close(sqlite3_file *base)
{
    struct disk_file *file = file_of(base);
    int rc = file->real->pMethods->xClose(file->real);

    content_release(file->content);
    return rc;
}

static int x_read(sqlite3_file *base, void *at, int len, sqlite3_int64 off)
{
    struct disk_file *file = file_of(base);
    int rc = enter(file->disk, DISK_READ, file->name->path);
    int got;

    if (rc == SQLITE_OK)
        return file->real->pMethods->xRead(file->real, at, len, off);
    if (rc == SQLITE_IOERR_SHORT_READ) {
        got = (int)ent_rand_below(&file->disk->rand, (uint64_t)len);
        memset(at, 0, (size_t)len);
        if (got > 0 &&
            file->real->pMethods->xRead(file->real, at, got, off) != SQLITE_OK)
            memset(at, 0, (size_t)len);
        /* SQLite's VFS asks again for the rest, and SQLite takes a short read
         * of the database for its end: that is not what is meant. */
        if (!file->log)
            rc = SQLITE_IOERR_READ;
    }
    return rc;
}

/* A write that fails may have come a part of its way. */
static void write_part(struct disk_file *file, const void *at, int len,
                       int64_t off)
{
    int part = (int)ent_rand_below(&file->disk->rand, (uint64_t)len + 1);

    part -= (int)((off + part) % DISK_SECTOR);
    if (part <= 0 || below(&file->disk->rand, 50))
        return;
    remember_write(file->content, off, part);
    if (file->real->pMethods->xWrite(file->real, at, part, off) != SQLITE_OK)
        die("cannot write", file->name->path);
}

static int x_write(sqlite3_file *base, const void *at, int len,
                   sqlite3_int64 off)
{
    struct disk_file *file = file_of(base);
    struct disk *disk = file->disk;
    int rc = enter(disk, DISK_WRITE, file->name->path);

    if (rc == SQLITE_OK && disk->room >= 0 && off + len > file->content->size &&
        bytes_used(disk) + off + len - file->content->size > disk->room)
        return SQLITE_FULL;
    if (rc != SQLITE_OK) {
        if (!disk->cut)
            write_part(file, at, len, off);
        return rc;
    }
    remember_write(file->content, off, len);
    return file->real->pMethods->xWrite(file->real, at, len, off);
}

static int x_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct disk_file *file = file_of(base);
    int rc = enter(file->disk, DISK_TRUNCATE, file->name->path);

    if (rc != SQLITE_OK)
        return rc;
    remember_truncation(file->content, size);
    return file->real->pMethods->xTruncate(file->real, size);
}

/* The real disk is left alone: what a cut may take is known here. */
static int x_sync(sqlite3_file *base, int flags)
{
    struct disk_file *file = file_of(base);
    struct disk *disk = file->disk;
    int rc = enter(disk, DISK_SYNC, file->name->path);

    (void)flags;
    if (disk->cut)
        return rc;
    mark_look(disk);
    if (rc != SQLITE_OK) {
        content_sync_failed(file->content);
        return rc;
    }
    if (!disk->lies || !file->log)
        content_synced(file->content);
    if (file->dirsync)
        folder_synced(disk);
    file->dirsync = false;
    return SQLITE_OK;
}

static int x_file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    struct disk_file *file = file_of(base);

    return file->real->pMethods->xFileSize(file->real, size);
}

static int x_lock(sqlite3_file *base, int level)
{
    struct disk_file *file = file_of(base);

    return file->real->pMethods->xLock(file->real, level);
}

static int x_unlock(sqlite3_file *base, int level)
{
    struct disk_file *file = file_of(base);

    return file->real->pMethods->xUnlock(file->real, level);
}

static int x_check_lock(sqlite3_file *base, int *locked)
{
    struct disk_file *file = file_of(base);

    return file->real->pMethods->xCheckReservedLock(file->real, locked);
}

static int x_control(sqlite3_file *base, int op, void *arg)
{
    struct disk_file *file = file_of(base);

    return file->real->pMethods->xFileControl(file->real, op, arg);
}

static int x_sector_size(sqlite3_file *base)
{
    struct disk_file *file = file_of(base);

    return file->real->pMethods->xSectorSize(file->real);
}

static int x_device(sqlite3_file *base)
{
    struct disk_file *file = file_of(base);

    return file->real->pMethods->xDeviceCharacteristics(file->real);
}

static int x_shm_map(sqlite3_file *base, int page, int size, int extend,
                     void volatile **at)
{
    struct disk_file *file = file_of(base);

    return file->real->pMethods->xShmMap(file->real, page, size, extend, at);
}

static int x_shm_lock(sqlite3_file *base, int at, int count, int flags)
{
    struct disk_file *file = file_of(base);

    return file->real->pMethods->xShmLock(file->real, at, count, flags);
}

static void x_shm_barrier(sqlite3_file *base)
{
    struct disk_file *file = file_of(base);

    file->real->pMethods->xShmBarrier(file->real);
}

static int x_shm_unmap(sqlite3_file *base, int remove)
{
    struct disk_file *file = file_of(base);

    return file->real->pMethods->xShmUnmap(file->real, remove);
}

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

static int open_below(struct disk *disk, const char *path,
                      struct disk_file *file, int flags, int *out)
{
    const int logs = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
    bool there = access(path, F_OK) == 0;
    int rc = enter(disk, DISK_OPEN, path);

    if (rc != SQLITE_OK)
        return rc;
    file->disk = disk;
    file->real = (sqlite3_file *)(file + 1);
    file->log = (flags & logs) != 0;
    file->dirsync = file->log && (flags & SQLITE_OPEN_CREATE) != 0;
    rc = real_vfs->xOpen(real_vfs, path, file->real, flags, out);
    if (rc != SQLITE_OK)
        return rc;
    file->name = name_make(disk, path);
    if (there) {
        name_look(file->name);
    } else {
        struct content *made = content_open(path);

        if (made == NULL)
            die("cannot open", path);
        name_set(&file->name->now, made);
        content_release(made);
    }
    file->content = content_hold(file->name->now);
    file->base.pMethods = &methods;
    return SQLITE_OK;
}

static int x_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base,
                  int flags, int *out)
{
    struct disk *disk = path == NULL ? NULL : disk_of(path);
    const int kept =
        SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;

    (void)vfs;
    if (disk == NULL || (flags & kept) == 0)
        return real_vfs->xOpen(real_vfs, path, base, flags, out);
    memset(base, 0, sizeof(struct disk_file));
    return open_below(disk, path, file_of(base), flags, out);
}

static int x_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
    struct disk *disk = disk_of(path);
    struct name *name;
    int rc;

    (void)vfs;
    if (disk == NULL)
        return real_vfs->xDelete(real_vfs, path, sync);
    rc = enter(disk, DISK_DELETE, path);
    if (rc != SQLITE_OK)
        return rc;
    if (access(path, F_OK) == 0) {
        name = name_make(disk, path);
        name_look(name);
        name_set(&name->now, NULL);
    }
    rc = real_vfs->xDelete(real_vfs, path, 0);
    if (rc == SQLITE_OK && sync)
        folder_synced(disk);
    return rc;
}

static int x_access(sqlite3_vfs *vfs, const char *path, int flags, int *result)
{
    (void)vfs;
    return real_vfs->xAccess(real_vfs, path, flags, result);
}

static int x_full_path(sqlite3_vfs *vfs, const char *path, int size, char *full)
{
    (void)vfs;
    return real_vfs->xFullPathname(real_vfs, path, size, full);
}

static int x_randomness(sqlite3_vfs *vfs, int size, char *at)
{
    (void)vfs;
    ent_rand_bytes(&chance_rand, at, (size_t)size);
    return size;
}

static int x_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return real_vfs->xSleep(real_vfs, us);
}

static int x_time(sqlite3_vfs *vfs, double *now)
{
    (void)vfs;
    return real_vfs->xCurrentTime(real_vfs, now);
}

static int x_last_error(sqlite3_vfs *vfs, int size, char *text)
{
    (void)vfs;
    return real_vfs->xGetLastError(real_vfs, size, text);
}

static int x_time_64(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
    (void)vfs;
    return real_vfs->xCurrentTimeInt64(real_vfs, now);
}

/* ------------------------------------------------------------------- disks */

void disk_begin(void)
{
    if (real_vfs != NULL)
        return;
    ent_rand_init_u64(&chance_rand, 1);
    ent_db_prepare();
    real_vfs = sqlite3_vfs_find(NULL);
    if (real_vfs == NULL)
        die("no VFS", "");
    shim = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = (int)sizeof(struct disk_file) + real_vfs->szOsFile,
        .mxPathname = real_vfs->mxPathname,
        .zName = "disk",
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
    if (sqlite3_vfs_register(&shim, 1) != SQLITE_OK)
        die("cannot register", "the VFS");
}

/* SQLite names files by their real path. */
static void set_home(struct disk *disk, const char *home)
{
    char whole[PATH_MAX];
    char parent[PATH_BYTES];
    const char *last;

    if (realpath(home, whole) != NULL) {
        snprintf(disk->home, sizeof(disk->home), "%s", whole);
    } else {
        last = strrchr(home, '/');
        snprintf(parent, sizeof(parent), "%.*s",
                 last == NULL ? 1 : (int)(last - home),
                 last == NULL ? "." : home);
        if (realpath(parent, whole) == NULL)
            die("no folder for", home);
        if (snprintf(disk->home, sizeof(disk->home), "%s/%s", whole,
                     last == NULL ? home : last + 1) >= PATH_BYTES - 32)
            die("too long:", home);
    }
    disk->home_len = strlen(disk->home);
}

struct disk *disk_new(const char *home, uint64_t seed)
{
    struct disk *disk = calloc(1, sizeof(*disk));

    if (disk == NULL)
        die("memory for", home);
    set_home(disk, home);
    ent_rand_init_u64(&disk->rand, seed);
    ent_rand_init_u64(&chance_rand, seed ^ 0x6469736bu);
    sqlite3_randomness(0, NULL); /* it asks again */
    disk->room = -1;
    disk->next = disks;
    disks = disk;
    return disk;
}

static void forget_names(struct disk *disk)
{
    for (size_t i = 0; i < disk->name_count; i++) {
        content_release(disk->names[i]->now);
        content_release(disk->names[i]->kept);
        free(disk->names[i]);
    }
    free(disk->names);
    disk->names = NULL;
    disk->name_count = 0;
}

void disk_free(struct disk *disk)
{
    struct disk **at = &disks;

    if (disk == NULL)
        return;
    while (*at != disk)
        at = &(*at)->next;
    *at = disk->next;
    forget_names(disk);
    free(disk);
}

uint64_t disk_calls(const struct disk *disk)
{
    return disk->calls;
}

void disk_fail(struct disk *disk, uint64_t at, enum disk_fault fault,
               bool forever)
{
    disk->fail = true;
    disk->fail_at = at;
    disk->fault = fault;
    disk->forever = forever;
    disk->failed = false;
}

void disk_heal(struct disk *disk)
{
    disk->fail = false;
}

bool disk_failed(const struct disk *disk)
{
    return disk->failed;
}

void disk_room(struct disk *disk, int64_t bytes)
{
    disk->room = bytes;
}

void disk_lie(struct disk *disk, bool lies)
{
    disk->lies = lies;
}

void disk_watch(struct disk *disk, disk_watch_fn *watch, void *ctx)
{
    disk->watch = watch;
    disk->watch_ctx = ctx;
}

/* ---------------------------------------------------------------- cut power */

static void copy_bytes(int from, int to, int64_t size, const char *path)
{
    static uint8_t bytes[1 << 18];

    for (int64_t at = 0; at < size;) {
        size_t want = size - at < (int64_t)sizeof(bytes) ? (size_t)(size - at)
                                                         : sizeof(bytes);
        ssize_t got = pread(from, bytes, want, at);

        if (got <= 0 || pwrite(to, bytes, (size_t)got, at) != got)
            die("cannot copy", path);
        at += got;
    }
}

static int open_for(const char *path, bool empty)
{
    int fd =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | (empty ? O_TRUNC : 0), 0600);

    if (fd < 0)
        die("cannot write", path);
    return fd;
}

/* What a name stands for after a cut; NULL: nothing. */
static struct content *choose(struct name *name, struct ent_rand *rand)
{
    name_look(name);
    return name->kept == name->now || below(rand, 50) ? name->now : name->kept;
}

static void image_name(const struct disk *disk, struct name *name,
                       const char *dir, struct ent_rand *rand)
{
    const struct content *content = choose(name, rand);
    char path[2 * PATH_BYTES];
    int fd;

    snprintf(path, sizeof(path), "%s%s", dir, name->path + disk->home_len);
    if (content == NULL) {
        unlink(path);
        return;
    }
    fd = open_for(path, true);
    copy_bytes(content->fd, fd, content->size, path);
    take_back(content, fd, rand);
    close(fd);
}

static void image_copy(const struct disk *disk, const char *name,
                       const char *dir)
{
    char from[PATH_BYTES + 16];
    char to[PATH_BYTES + 16];
    struct stat st;
    int in;
    int out;

    snprintf(from, sizeof(from), "%s/%s", disk->home, name);
    snprintf(to, sizeof(to), "%s/%s", dir, name);
    in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0 || fstat(in, &st) < 0) {
        unlink(to);
        return;
    }
    out = open_for(to, true);
    copy_bytes(in, out, st.st_size, to);
    close(in);
    close(out);
}

static void remove_index(const char *dir)
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        size_t len = strlen(entry->d_name);

        if (len > 4 && strcmp(entry->d_name + len - 4, "-shm") == 0)
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    if (folder != NULL)
        closedir(folder);
}

void disk_image(struct disk *disk, const char *dir, struct ent_rand *rand)
{
    struct mark mark = disk->cut ? disk->cut_mark : mark_read(disk);

    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        die("cannot make", dir);
    remove_index(dir);
    for (size_t i = 0; i < disk->name_count; i++)
        image_name(disk, disk->names[i], dir, rand);
    image_copy(disk, "key", dir);
    image_copy(disk, "config", dir);
    mark_write(disk, dir, &mark, rand);
}

void disk_cut(struct disk *disk)
{
    if (disk->cut)
        return;
    disk->cut = true;
    disk->cut_mark = mark_read(disk);
}

static void power_name(struct name *name, struct ent_rand *rand)
{
    struct content *content = choose(name, rand);
    int fd;

    if (content == NULL) {
        unlink(name->path);
        return;
    }
    if (content == name->now) {
        take_back(content, content->fd, rand);
        return;
    }
    unlink(name->path);
    fd = open_for(name->path, true);
    copy_bytes(content->fd, fd, content->size, name->path);
    take_back(content, fd, rand);
    close(fd);
}

void disk_power(struct disk *disk, struct ent_rand *rand)
{
    disk_cut(disk);
    for (size_t i = 0; i < disk->name_count; i++)
        power_name(disk->names[i], rand);
    forget_names(disk);
    remove_index(disk->home);
    mark_write(disk, disk->home, &disk->cut_mark, rand);
    disk->cut = false;
    disk->fail = false;
}
