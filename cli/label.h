/* label.h - how spaces, roles, keys and moments look: short and translated for
 * people, in full and as stored for programs. */
#ifndef ENT_CLI_LABEL_H
#define ENT_CLI_LABEL_H

#include "cli/cmd.h"
#include "store/spaces.h"

#define LABEL_KEY_TEXT (2 * ENT_KEY_BYTES + 1)

/* The title in the reader's language, else in the other one. */
const char *label_title(const struct cmd_ctx *ctx,
                        const struct ent_space *space);

const char *label_role(const struct cmd_ctx *ctx, enum ent_role role);

/* In hex; at a terminal its beginning. */
const char *label_key(const struct cmd_ctx *ctx, const struct ent_key *key,
                      char text[LABEL_KEY_TEXT]);

/* A moment, NULL for 0; `text` holds LOOK_TIME_TEXT bytes. */
const char *label_when(const struct cmd_ctx *ctx, int64_t ms, char *text);

#endif
