/* snapshot.h - the command that writes a plain SQLite file for BI tools. */
#ifndef ENT_CLI_SNAPSHOT_H
#define ENT_CLI_SNAPSHOT_H

#include "cli/cmd.h"

int snapshot_write(struct cmd_ctx *ctx, int argc, char **argv);

#endif
