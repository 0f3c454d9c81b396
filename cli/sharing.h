/* sharing.h - --sharing LEVEL: only what may be passed on so widely leaves
 * (store/sharing.h). */
#ifndef ENT_CLI_SHARING_H
#define ENT_CLI_SHARING_H

#include "cli/cmd.h"
#include "store/sharing.h"

/* The level of that code, or by its label in either language; NULL leaves
 * `sharing` as it is. ENT_EUSAGE. */
ENT_NODISCARD int sharing_read(struct cmd_ctx *ctx, const char *text,
                               enum ent_sharing *sharing);

/* Say on stderr how many records were left out, if any. */
void sharing_tell(struct cmd_ctx *ctx, size_t left_out);

#endif
