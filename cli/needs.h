/* needs.h - what a move must fulfil; each says in ctx->err what is missing and
 * what would be accepted. */
#ifndef ENT_CLI_NEEDS_H
#define ENT_CLI_NEEDS_H

#include "cli/moves.h"

/* The state of that name or, in either language, label. ENT_EREFUSED. */
ENT_NODISCARD int needs_state(struct cmd_ctx *ctx,
                              const struct ent_workflow *workflow,
                              const char *name,
                              const struct ent_state_def **state);

/* Whether the workflow has such a move. ENT_EREFUSED names those it has. */
ENT_NODISCARD int needs_allowed(struct cmd_ctx *ctx,
                                const struct flow_record *read,
                                const struct ent_state_def *state);

/* A reason of the state's list, if it has one; `said` gets its code. */
ENT_NODISCARD int needs_reason(struct cmd_ctx *ctx,
                               const struct ent_state_def *state,
                               struct moves_said *said);

/* The approvals, of each role the newest. ENT_EREFUSED names the missing. */
ENT_NODISCARD int needs_approvals(struct cmd_ctx *ctx,
                                  const struct flow_record *read,
                                  const struct ent_state_def *state);

/* The other conditions of the workflow's file. */
ENT_NODISCARD int needs_met(struct cmd_ctx *ctx, const struct flow_record *read,
                            const struct ent_state_def *state);

/* A day, or NULL. ENT_EREFUSED. */
ENT_NODISCARD int needs_day(struct cmd_ctx *ctx, const char *text);

/* A contact that is here, or NULL: a name misspelt would lead nowhere.
 * ENT_ENOTFOUND. */
ENT_NODISCARD int needs_contact(struct cmd_ctx *ctx, const char *name);

#endif
