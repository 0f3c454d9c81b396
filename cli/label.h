/* label.h - how spaces, roles, keys and moments look: short and translated for
 * people, in full and as stored for programs. */
#ifndef ENT_CLI_LABEL_H
#define ENT_CLI_LABEL_H

#include "cli/cmd.h"
#include "store/peers.h"
#include "store/spaces.h"

#define LABEL_KEY_TEXT (2 * ENT_KEY_BYTES + 1)

/* The title in the reader's language, else in the other one. */
const char *label_title(const struct cmd_ctx *ctx,
                        const struct ent_space *space);

/* The same of this node in a space, where it may have had one. */
const char *label_own_role(const struct cmd_ctx *ctx,
                           const struct ent_space *space);
const char *label_role(const struct cmd_ctx *ctx, enum ent_role role);

/* In hex; at a terminal its beginning. */
const char *label_key(const struct cmd_ctx *ctx, const struct ent_key *key,
                      char text[LABEL_KEY_TEXT]);

/* The key that 64 hex digits name. ENT_EREFUSED. */
ENT_NODISCARD int label_read_key(struct cmd_ctx *ctx, const char *text,
                                 struct ent_key *key);

/* A name or title a person gave to the option `option`: one line of clean
 * text that shows as it is. ENT_EREFUSED. */
ENT_NODISCARD int label_read_name(struct cmd_ctx *ctx, const char *option,
                                  const char *text,
                                  char name[ENT_NAME_BYTES_MAX + 1]);

/* A moment, NULL for 0; `text` holds LOOK_TIME_TEXT bytes. */
const char *label_when(const struct cmd_ctx *ctx, int64_t ms, char *text);

/* A moment still to come, with its zone; `text` holds LOOK_TIME_TEXT bytes. */
const char *label_until(const struct cmd_ctx *ctx, int64_t ms, char *text);

/* The columns of a listing of peers, and one of its rows. */
void label_peer_columns(struct cmd_ctx *ctx);
void label_peer(struct cmd_ctx *ctx, const struct ent_peer *peer);

#endif
