/* guard.h - cells that a spreadsheet would run, and text that a terminal
 * would obey.
 * A cell that begins like a formula gets an apostrophe before it on the way
 * out and loses it on the way in, so that what was exported comes back as it
 * was. Numbers (-1.95) and telephone numbers (+44 7700 900001) are left as
 * they are. The rule, for any number of apostrophes before the formula:
 * guarding adds one, stripping takes one away. */
#ifndef ENT_CLI_GUARD_H
#define ENT_CLI_GUARD_H

#include <stdbool.h>

#include "base/bytes.h"

/* Append the cell. `first` of its row: a # is guarded too, since a row that
 * begins with one is taken for a row of tags. */
void guard_put(struct ent_buf *buf, struct ent_slice cell, bool first);

/* The cell without the apostrophe that guard_put would have added. */
struct ent_slice guard_strip(struct ent_slice cell, bool first);

/* Append at most `max` bytes of `text` for a person to read: what is not
 * UTF-8 and every control is shown as \xNN, what turns the direction of
 * writing as U+NNNN, and what was left out as "...". */
void guard_plain(struct ent_buf *buf, struct ent_slice text, size_t max);

#endif
