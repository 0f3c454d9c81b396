/* schema.h - the replica's tables (docs/schema.md).
 * Fixed tables are text in schema.c; one table a kind is made from the
 * definitions in table.c. */
#ifndef ENT_STORE_SCHEMA_H
#define ENT_STORE_SCHEMA_H

#include "store/db.h"

#define ENT_APPLICATION_ID 0x456e7465 /* "Ente", at byte 68 of the file */

/* What the first bytes of a file say, before SQLite opens it: 0 ours,
 * ENT_ENOTFOUND no file, ENT_ESTORE not ours or newer (with the reason). */
ENT_NODISCARD int ent_schema_peek(const char *path, int *version,
                                  struct ent_err *err);

/* The version of a file that was opened: a newer program may have written its
 * own into the WAL alone. ENT_ESTORE: newer; closing leaves the WAL as it is.
 */
ENT_NODISCARD int ent_schema_read(struct ent_db *db, const char *path,
                                  int *version, struct ent_err *err);

/* All fixed tables, in the transaction that is open. */
ENT_NODISCARD int ent_schema_create(struct ent_db *db, struct ent_err *err);

/* Bring a file of an older version to ENT_SCHEMA_VERSION, in one transaction;
 * a copy of the file stands beside it before (rule: nothing is lost). */
ENT_NODISCARD int ent_schema_migrate(struct ent_db *db, const char *path,
                                     int version, struct ent_err *err);

#endif
