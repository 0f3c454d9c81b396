/* join.h - entering a space by an invitation, and letting somebody in: over a
 * link, or with a request that travels by any other way. */
#ifndef ENT_CLI_JOIN_H
#define ENT_CLI_JOIN_H

#include "cli/cmd.h"
#include "store/spaces.h"

/* The command `join`. */
int join_run(struct cmd_ctx *ctx, int argc, char **argv);

/* The request that `text` is, or that the file of that name holds.
 * ENT_EREFUSED: mangled, or neither. */
ENT_NODISCARD int join_read(struct cmd_ctx *ctx, const char *text,
                            struct ent_request *request);

/* Let in to `space` who made the request. ENT_EDENIED with the reason. */
ENT_NODISCARD int join_admit(struct cmd_ctx *ctx, int64_t space,
                             const struct ent_request *request);

#endif
