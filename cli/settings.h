/* settings.h - the command that shows and changes the node's settings. */
#ifndef ENT_CLI_SETTINGS_H
#define ENT_CLI_SETTINGS_H

#include "cli/cmd.h"

/* The settings that hold: those of the file HOME/config over the usual ones.
 * ENT_EREFUSED: the file is wrong. */
ENT_NODISCARD int settings_read(struct cmd_ctx *ctx, struct ent_config *config);

int settings_command(struct cmd_ctx *ctx, int argc, char **argv);

#endif
