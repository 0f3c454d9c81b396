/* everyday.h - the commands of everyday work that have a file of their own. */
#ifndef ENT_CLI_EVERYDAY_H
#define ENT_CLI_EVERYDAY_H

#include "cli/cmd.h"

/* who.c */
int everyday_who(struct cmd_ctx *ctx, int argc, char **argv);

/* trainers.c */
int everyday_trainers(struct cmd_ctx *ctx, int argc, char **argv);

/* handover.c */
int everyday_handover(struct cmd_ctx *ctx, int argc, char **argv);

/* In a query: whether an assignment `a` holds on the day :on. Dates are
 * compared as text; one known in part lasts to its last day, which -99 is
 * beyond. */
#define EVERYDAY_HELD                                                          \
    "(a.start_on IS NULL OR substr(a.start_on || '-01-01', 1, 10) <= :on)"     \
    " AND (a.end_on IS NULL OR substr(a.end_on || '-99-99', 1, 10) >= :on)"

#endif
