/* archive.h - records that people have put away. Field 998 of a record,
 * `archived`, says when. It is in force while every write by which the record
 * lives is one that archived it: each change writes to a record's life (rule
 * M6), so any later edit brings the record back, and so does one that was made
 * without knowing. Nothing needs to be taken off, and nothing is lost. */
#ifndef ENT_STORE_ARCHIVE_H
#define ENT_STORE_ARCHIVE_H

#include "store/db.h"
#include "store/records.h"

/* Whether a record is archived; a deleted one is not. */
bool ent_record_archived(const struct ent_record *record);

/* All records that are. Start from zeros. */
struct ent_archive {
    const struct ent_kinds *kinds;
    struct ent_record_ref *list; /* by space, kind and id */
    size_t count;
    struct ent_arena arena;
};

/* Cheap when nobody has archived anything. */
ENT_NODISCARD int ent_archive_read(struct ent_store *store,
                                   struct ent_archive *archive,
                                   struct ent_err *err);
void ent_archive_fini(struct ent_archive *archive);

/* Give a connection the SQL function ent_archived(kind, space, id): a kind's
 * name, and an id as blob or text. The archive stays where it is. */
ENT_NODISCARD int ent_archive_define(struct ent_archive *archive,
                                     struct ent_db *db, struct ent_err *err);

#endif
