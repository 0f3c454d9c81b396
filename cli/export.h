/* export.h - records as tables that an import reads back cell by cell.
 * Columns are the fields in the order of their definition; `id` stands first
 * where it names the row: always, but in kinds with a key of their own, where
 * it has to as soon as one record has another name than its key. Elements of a
 * set stand between bars, in the order they were added. Rows are sorted by
 * code. */
#ifndef ENT_CLI_EXPORT_H
#define ENT_CLI_EXPORT_H

#include "cli/cmd.h"
#include "model/kind.h"
#include "store/query.h"
#include "store/records.h"

struct export
{
    const struct ent_kind *kind;
    int64_t space; /* 0: all */
    const struct ent_field **fields;
    size_t count;
    const struct ent_filter *filters; /* of the records */
    size_t filter_count;
    enum ent_sharing sharing; /* how far they may be passed on */
    char separator;
    bool hxl;       /* a second row of HXL tags */
    bool excel_fr;  /* a byte order mark and decimal commas */
    bool id_column; /* the code goes by the name of id */
};

/* The columns that a table of these records has in a package; in `arena`. A
 * field whose definition says so has none while no record fills it. */
ENT_NODISCARD int export_columns(struct cmd_ctx *ctx, struct export *export,
                                 struct ent_arena *arena);

/* The heading of a field's column. */
const char *export_column_name(const struct export *export,
                               const struct ent_field *field);

/* What a table has for the field of a record, not yet guarded: elements of a
 * set with bars, the UUID of a record without a code. ENT_ENOMEM. */
ENT_NODISCARD int export_cell(struct cmd_ctx *ctx, const struct export *export,
                              const struct ent_record *record,
                              const struct ent_field *field,
                              struct ent_buf *buf);

/* What is done with each record. */
typedef int export_fn(struct cmd_ctx *ctx, const struct export *export,
                      const struct ent_record *record, void *to);

/* The live records that meet the conditions, by code; `rows` counts them. */
ENT_NODISCARD int export_each(struct cmd_ctx *ctx, const struct export *export,
                              export_fn *take, void *to, size_t *rows);

/* How many others meet the conditions, but may not be passed on so far. */
ENT_NODISCARD int export_left_out(struct cmd_ctx *ctx,
                                  const struct export *export, size_t *count);

/* The table to `file`; the number of rows. ENT_EFAIL: it cannot be written. */
ENT_NODISCARD int export_table(struct cmd_ctx *ctx, const struct export *export,
                               FILE *file, size_t *rows);

/* The records as a listing in the chosen format. */
ENT_NODISCARD int export_listing(struct cmd_ctx *ctx,
                                 const struct export *export);

/* A folder with datapackage.json, one table for each kind that has records,
 * and the vocabulary. Overwrites nothing: ENT_EUSAGE. */
ENT_NODISCARD int export_package(struct cmd_ctx *ctx, const char *dir,
                                 int64_t space, enum ent_sharing sharing);

#endif
