/* backup.h - a replica as one file to keep, and put back (rule N2).
 * A backup is an SQLite file like the replica itself, without invitations and
 * without what tells this replica from its copies; table local_backup says
 * when it was taken, and has the node's secret key when that was asked for. */
#ifndef ENT_STORE_BACKUP_H
#define ENT_STORE_BACKUP_H

#include "store/store.h"
#include "text/datadir.h"

/* Write a backup of what is committed to the new file `path`, mode 0600, while
 * other processes write; durable. Nothing remains of a failure, nor of a dry
 * run. ENT_EUSAGE: there is such a file already. */
ENT_NODISCARD int ent_backup_write(struct ent_store *store, const char *path,
                                   bool with_key, bool dry_run, int64_t now_ms,
                                   struct ent_err *err);

/* What a backup says of itself. */
struct ent_backup {
    int64_t at_ms; /* when it was taken; 0: a plain copy of a replica */
    char org[ENT_NAME_BYTES_MAX + 1];
    bool key_known;       /* the node's public key stands in it */
    struct ent_key key;   /* that one */
    bool has_secret;      /* and so does the secret one */
    struct ent_keys keys; /* that one */
};

/* Read a file from end to end. ENT_ENOTFOUND: there is none; ENT_EREFUSED: not
 * a replica, cut off, damaged, of a newer program, or in use. */
ENT_NODISCARD int ent_backup_read(const char *path, struct ent_backup *backup,
                                  struct ent_err *err);
void ent_backup_fini(struct ent_backup *backup);

struct ent_restore_options {
    struct ent_rand *rand;
    int64_t now_ms;
    bool force;   /* a replica that is there is moved aside */
    bool dry_run; /* only see whether it would be refused */
};

/* Make the backup that was read from `path` the replica of a home directory,
 * under a fresh origin (rule N2); the key must lie there or in the backup.
 * `aside` gets the directory that keeps what was there, "" when nothing was.
 * Durable; the home is as it was after a failure. ENT_EUSAGE: there is a
 * replica already; ENT_EFAIL: a daemon runs; ENT_ENOTFOUND: no key;
 * ENT_EREFUSED: another node's key. */
ENT_NODISCARD int ent_backup_restore(const char *home, const char *path,
                                     const struct ent_backup *backup,
                                     const struct ent_restore_options *options,
                                     char aside[ENT_PATH_MAX],
                                     struct ent_err *err);

/* Write a home's key to the new file `path`; durable. ENT_EUSAGE: there is such
 * a file already. */
ENT_NODISCARD int ent_key_export(const char *home, const char *path,
                                 bool dry_run, struct ent_err *err);

/* Put a key file's key into a home that has none; durable. ENT_EUSAGE: it has
 * one; ENT_EREFUSED: no key file, or not the key of the replica there;
 * ENT_EDENIED: others may read it. */
ENT_NODISCARD int ent_key_import(const char *home, const char *path,
                                 bool dry_run, struct ent_err *err);

#endif
