/* stages.h - the commands that show workflows, and states in listings. */
#ifndef ENT_CLI_STAGES_H
#define ENT_CLI_STAGES_H

#include "cli/flags.h"
#include "cli/flow.h"

int stages_workflow(struct cmd_ctx *ctx, int argc, char **argv);
int stages_flags(struct cmd_ctx *ctx, int argc, char **argv);

#endif
