/* hxl.h - the row of tags that says what the columns of a table are, whatever
 * their headings (Humanitarian Exchange Language 1.1): it stands within the
 * first 25 rows, right below the headings; above these may be titles. */
#ifndef ENT_TEXT_HXL_H
#define ENT_TEXT_HXL_H

#include <stdbool.h>

#include "base/bytes.h"

#define ENT_HXL_COLUMNS_MAX 256

struct ent_hxl {
    struct ent_slice tags[ENT_HXL_COLUMNS_MAX]; /* within the text, as it is */
    size_t count;
    size_t line;         /* of the tags, counted from 1 at the text's start */
    size_t heading_at;   /* where the row of headings begins: bytes */
    size_t heading_line; /* and its line; the tags themselves when they are
                          * the first row */
};

/* The row of tags among the first rows of a table with that separator: all its
 * cells are tags or empty, and two of them are tags. False: there is none.
 * Rows above are titles unless the first has as many cells as there are tags:
 * then that is the heading, and the others are data. */
bool ent_hxl_find(struct ent_slice text, char separator, size_t rows_max,
                  struct ent_hxl *hxl);

/* Whether two tags are the same: attributes in any order, any case. */
bool ent_hxl_same(struct ent_slice a, struct ent_slice b);

#endif
