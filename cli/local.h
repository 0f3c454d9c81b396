/* local.h - numbers and dates as spreadsheets of some countries write them.
 * Where commas are in numbers, semicolons are between cells: only there 12,5
 * and 15/06/2017 have one meaning. */
#ifndef ENT_CLI_LOCAL_H
#define ENT_CLI_LOCAL_H

#include "base/err.h"
#include "model/kind.h"

#define LOCAL_TEXT 64 /* bytes of such a number or date */

/* The text as the field takes it, in `out`: 1250.50 for "1 250,50", 2017-06-15
 * for "15/06/2017" or "15.06.2017". False, and nothing done, when it is none
 * of that. */
bool local_read(const struct ent_field *field, struct ent_slice text,
                char out[LOCAL_TEXT]);

/* A number was refused in such a file: says how it is written there, when it
 * is no number of another sort. */
void local_advise(const struct ent_field *field, struct ent_slice text,
                  struct ent_err *err);

#endif
