/* disk.h - a disk that can fail.
 * A shim over SQLite's own VFS. Files below a disk's home stay real files, so
 * that the rest of a node (key, high water, folders) sees them, but the shim
 * knows what was written to each since its last sync: it can take that back as
 * a power cut does, whole or in sectors, fail a chosen call, or be full. What
 * it chooses comes from a seed. */
#ifndef ENT_TESTS_SIM_DISK_H
#define ENT_TESTS_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "secure/rand.h"

#define DISK_SECTOR 512 /* what a cut leaves whole */

/* Make the shim SQLite's default VFS, once, before the first connection. Files
 * of no disk pass through untouched. */
void disk_begin(void);

/* A disk below the folder `home`, which may not exist yet. Its randomness
 * (SQLite's too) comes from `seed`. */
struct disk;
struct disk *disk_new(const char *home, uint64_t seed);
void disk_free(struct disk *disk);

enum disk_op {
    DISK_OPEN,
    DISK_READ,
    DISK_WRITE,
    DISK_SYNC,
    DISK_TRUNCATE,
    DISK_DELETE
};

enum disk_fault {
    DISK_EIO,        /* any call */
    DISK_ENOSPC,     /* a write or truncation */
    DISK_SHORT_READ, /* a read of fewer bytes than the file has */
    DISK_SYNC_EIO    /* a sync: what was written may or may not be there */
};

/* Calls so far, of every kind above. */
uint64_t disk_calls(const struct disk *disk);
/* The first call from number `at` on that the fault can hit fails, or all from
 * there on; disk_heal ends it. */
void disk_fail(struct disk *disk, uint64_t at, enum disk_fault fault,
               bool forever);
void disk_heal(struct disk *disk);
/* Whether the fault was met. */
bool disk_failed(const struct disk *disk);
/* Bytes that all files together may have from now on; -1: no limit. */
void disk_room(struct disk *disk, int64_t bytes);

/* A disk that lies: syncs of the WAL and of journals do nothing, and say that
 * they did. */
void disk_lie(struct disk *disk, bool lies);

/* Power goes: from now on every call fails and changes nothing. The owner
 * closes its store, then disk_power leaves in the home what a cut at that
 * moment may leave: what was synced and, of the rest, a random part, torn at
 * sectors; no WAL index; a high-water file of now or of before. */
void disk_cut(struct disk *disk);
void disk_power(struct disk *disk, struct ent_rand *rand);

/* The same as a copy in a new folder `dir`, while the disk works on. */
void disk_image(struct disk *disk, const char *dir, struct ent_rand *rand);

/* Called before each write, sync, truncation and deletion is carried out. */
typedef void disk_watch_fn(void *ctx, struct disk *disk, enum disk_op op,
                           const char *path);
void disk_watch(struct disk *disk, disk_watch_fn *watch, void *ctx);

#endif
