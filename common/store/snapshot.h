/* snapshot.h - a plain SQLite file for other programs to read: tables and views
 * whose text is made here, without WAL, so that one file is all of it and may
 * lie in a folder that nobody can write. What stands in it is the caller's. */
#ifndef ENT_STORE_SNAPSHOT_H
#define ENT_STORE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "store/query.h"

struct ent_snapshot;

/* Begin the new file `path`, mode 0600. ENT_EUSAGE: there is such a file. */
ENT_NODISCARD int ent_snapshot_open(const char *path,
                                    struct ent_snapshot **snapshot,
                                    struct ent_err *err);

/* The file gets its name, durable; frees the snapshot in every case. */
ENT_NODISCARD int ent_snapshot_keep(struct ent_snapshot *snapshot,
                                    struct ent_err *err);
/* Nothing remains; frees the snapshot. */
void ent_snapshot_drop(struct ent_snapshot *snapshot);

struct ent_snapshot_column {
    const char *name;
    enum ent_column_type type; /* INTEGER, REAL or TEXT */
};

/* Begin a table; the rows that follow are its own. `key` is the name of a
 * column with an index, or NULL. With `primary` the first so many columns are
 * the key and rows lie in its order: the order they came in is lost. */
ENT_NODISCARD int ent_snapshot_table(struct ent_snapshot *snapshot,
                                     const char *name, const char *key,
                                     size_t primary,
                                     const struct ent_snapshot_column *columns,
                                     size_t count, struct ent_err *err);

/* A row: one text a column, NULL for no value. */
ENT_NODISCARD int ent_snapshot_row(struct ent_snapshot *snapshot,
                                   const char *const *cells,
                                   struct ent_err *err);

/* How a column of a table is shown in a view. */
struct ent_snapshot_shown {
    const char *name;   /* of the column */
    const char *label;  /* in the view */
    const char *list;   /* codes of this list of table `vocabulary`, or NULL */
    const char *target; /* codes of this table, or NULL */
    const char *title;  /* shown by this column of it */
    bool set;           /* a JSON array */
};

/* The table as people read it: `term` is the column of table `vocabulary` with
 * the labels, "label_fr" or "label_en". */
ENT_NODISCARD int ent_snapshot_view(struct ent_snapshot *snapshot,
                                    const char *name, const char *table,
                                    const char *term,
                                    const struct ent_snapshot_shown *columns,
                                    size_t count, struct ent_err *err);

#endif
