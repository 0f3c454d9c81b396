/* csv.h - comma and tab separated files, in and out (RFC 4180).
 * Reading never holds more than one row. */
#ifndef ENT_TEXT_CSV_H
#define ENT_TEXT_CSV_H

#include <stdbool.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/err.h"

#define ENT_CSV_COLUMNS_MAX 256
#define ENT_CSV_CELL_BYTES_MAX (64 << 10) /* a set of many elements */
#define ENT_CSV_ROW_BYTES_MAX (1 << 20)
#define ENT_CSV_HXL_ROWS 25 /* rows in which HXL allows its row of tags */

struct ent_csv; /* an open file */

/* Opens `path`. The separator (comma, semicolon, tab) is found from the first
 * line, which may name it ("sep=;") and is no row then; a UTF-8 BOM is skipped.
 * The first row is the heading: names unique and not empty; so is the row above
 * a row of HXL tags (text/hxl.h), and titles above it are skipped. The row of
 * tags is no data, nor is any row within the first 25 whose first cell starts
 * with #. ENT_ENOTFOUND: cannot be opened. ENT_EREFUSED: broken. */
ENT_NODISCARD int ent_csv_open(const char *path, struct ent_csv **csv,
                               struct ent_err *err);
/* Reads from the descriptor, which is taken and closed also on failure; `path`
 * is what errors call it. */
ENT_NODISCARD int ent_csv_open_fd(int fd, const char *path,
                                  struct ent_csv **csv, struct ent_err *err);
void ent_csv_close(struct ent_csv *csv);

/* What stands between its cells. */
char ent_csv_separator(const struct ent_csv *csv);

size_t ent_csv_columns(const struct ent_csv *csv);
const char *ent_csv_heading(const struct ent_csv *csv, size_t column);
/* The HXL tag of a column, NULL when it has none. */
const char *ent_csv_tag(const struct ent_csv *csv, size_t column);

/* The next row: 1 with exactly ent_csv_columns() cells, borrowed until the
 * next call, 0 at the end. ENT_EREFUSED, with file and line: another number of
 * cells, a stray quote, a cell or row over its limit; these two also with the
 * heading of their column. A blank line is no row.
 * After an error about one row reading may go on; `broken` stays false. */
ENT_NODISCARD int ent_csv_next(struct ent_csv *csv,
                               const struct ent_slice **cells,
                               struct ent_err *err);

/* ENT_EREFUSED: the bytes are no text; says how a file is saved whose are. */
ENT_NODISCARD int ent_csv_check_text(struct ent_slice cell,
                                     struct ent_err *err);

/* True when the file cannot be read on after an error. */
bool ent_csv_broken(const struct ent_csv *csv);

/* Line the present row starts on, from 1. */
size_t ent_csv_line(const struct ent_csv *csv);

/* Append one cell, quoted when it must be, with `separator` before it unless
 * it is the first of its row. An empty first cell is quoted, so that a row of
 * one cell is not a blank line. */
void ent_csv_put(struct ent_buf *buf, char separator, bool first,
                 struct ent_slice cell);

#endif
