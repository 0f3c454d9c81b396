/* store.h - the replica: one SQLite file that holds the log and what follows
 * from it (docs/schema.md).
 * The log is the truth; rows, open conflicts and search follow from it and
 * ent_store_rebuild makes them anew. Every write here is one SQLite
 * transaction with synchronous=FULL: what returned 0 survives a power cut
 * (rule L7). A store is used by one thread; other processes may have the same
 * file open. */
#ifndef ENT_STORE_STORE_H
#define ENT_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"
#include "base/limits.h"
#include "model/entry.h"
#include "model/kind.h"
#include "secure/keys.h"
#include "secure/rand.h"

#define ENT_SCHEMA_VERSION 5
#define ENT_BUSY_MS 10000 /* wait for another process's write */

struct ent_store;

struct ent_store_options {
    const struct ent_kinds *kinds; /* borrowed for the store's life */
    struct ent_rand *rand;         /* borrowed for the store's life */
    int64_t now_ms;
    bool read_only; /* no write, no lock file, no migration */
    bool read_full; /* so where the disk is full and nobody has it open */
    bool fragile;   /* tests: synchronous=OFF, a power cut may lose all */
    bool keep_last; /* remember what is written, for ent_undo_last */
};

/* Make the home directory's key, origin and empty replica. `org` is the
 * organisation's name, `country` ISO 3166-1 alpha-3 or "". A key that lies
 * there is taken (N1). ENT_EUSAGE: there is a replica already. ENT_EREFUSED,
 * ENT_EDENIED: what lies there is no key, or others may read it. Nothing
 * remains of a failed creation. */
ENT_NODISCARD int ent_store_create(const char *home, const char *org,
                                   const char *country,
                                   const struct ent_store_options *options,
                                   struct ent_err *err);

/* Open the replica of a home directory. A file of an older schema is copied
 * beside itself and migrated in one transaction. A replica that is not the
 * one last written here gets a fresh origin (rule N2); ent_store_fresh tells.
 * ENT_ENOTFOUND: no replica there. ENT_ESTORE: not ours, damaged, newer, or on
 * a disk that cannot be written; the file is untouched. */
ENT_NODISCARD int ent_store_open(const char *home,
                                 const struct ent_store_options *options,
                                 struct ent_store **store, struct ent_err *err);
void ent_store_close(struct ent_store *store);

/* Whether it was opened for reading alone, as the disk is full. */
bool ent_store_full(const struct ent_store *store);

/* Why this opening made a fresh origin (N2), as a text to translate; NULL
 * when it made none. */
const char *ent_store_fresh(const struct ent_store *store);

/* Counts up with every commit another process makes to the file. */
ENT_NODISCARD int ent_store_data_version(struct ent_store *store,
                                         int64_t *version, struct ent_err *err);

/* Checkpoint the WAL as far as readers let it; off the write path (L7). */
ENT_NODISCARD int ent_store_checkpoint(struct ent_store *store,
                                       struct ent_err *err);

/* This node. */
const struct ent_keys *ent_store_keys(const struct ent_store *store);
const char *ent_store_org(const struct ent_store *store);
const char *ent_store_country(const struct ent_store *store);
const struct ent_id *ent_store_origin(const struct ent_store *store);
const struct ent_kinds *ent_store_kinds(const struct ent_store *store);
struct ent_rand *ent_store_rand(struct ent_store *store);

/* ------------------------------------------------------------------ digest */

struct ent_digest {
    struct ent_hash roster;  /* over all roster entries held */
    struct ent_hash entries; /* over the frontier */
    uint8_t state[16];       /* over surviving dots and accepted entries, S5 */
};

ENT_NODISCARD int ent_digest_read(struct ent_store *store, int64_t space,
                                  struct ent_digest *digest,
                                  struct ent_err *err);

/* ------------------------------------------------------------- maintenance */

/* One thing ent_store_verify found; `text` is translated. */
typedef void ent_verify_fn(void *ctx, const char *text);

/* File, chains, signatures and the digests of every space; `deep` also
 * replays every log into memory and compares each row. The number of findings,
 * or an error. */
ENT_NODISCARD int ent_store_verify(struct ent_store *store, bool deep,
                                   ent_verify_fn *found, void *ctx,
                                   struct ent_err *err);

/* Everything but the log and the local tables made anew, in one transaction.
 * The digests stay. */
ENT_NODISCARD int ent_store_rebuild(struct ent_store *store,
                                    struct ent_err *err);

#endif
