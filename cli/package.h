/* package.h - a folder with a datapackage.json and its tables, and the part
 * of it that goes into one space.
 * A split never overlaps. For each field asked about, a row has one value: its
 * own; else that of the first row it refers to, in the order of its columns,
 * that is in the package; else none. None fails every "=" and passes every
 * "!=", so `iso3=BDI`, `iso3=NER` and `iso3!=BDI iso3!=NER` take every row
 * exactly once, whatever refers to what. */
#ifndef ENT_CLI_PACKAGE_H
#define ENT_CLI_PACKAGE_H

#include "cli/args.h"
#include "cli/rows.h"

#define PACKAGE_JSON_MAX (4 << 20)
#define PACKAGE_TABLES_MAX 256
#define PACKAGE_FILE_MAX 128 /* bytes of a file's name */

/* Reads and checks every table of the folder; `terms` counts the rows of a
 * vocabulary, which are only compared. Files are plain names in the folder
 * itself. ENT_ENOTFOUND: no such package; ENT_EREFUSED. */
ENT_NODISCARD int package_read(struct cmd_ctx *ctx, const char *dir,
                               struct rows *rows, size_t *terms);

/* Which rows every condition takes; free() the list. ENT_EUSAGE: no such
 * form; ENT_EREFUSED: a field that no table of the package has. */
ENT_NODISCARD int package_split(struct cmd_ctx *ctx, struct rows *rows,
                                const struct args_many *where, bool **keep);

#endif
