/* fields.h - the fields of a kind as a space has them: the shipped ones, then
 * its own (rule L6). Own ones are read from the rosters once, and live as long
 * as the command. Space 0 is any space. */
#ifndef ENT_CLI_FIELDS_H
#define ENT_CLI_FIELDS_H

#include "cli/cmd.h"

/* NULL: there is none. */
const struct ent_field *fields_find(struct cmd_ctx *ctx,
                                    const struct ent_kind *kind, int64_t space,
                                    uint32_t number);
const struct ent_field *fields_named(struct cmd_ctx *ctx,
                                     const struct ent_kind *kind, int64_t space,
                                     const char *name);

/* A field that was found for any space, as one space has it: for an own one
 * the one of that name. NULL: there is none. */
const struct ent_field *fields_of(struct cmd_ctx *ctx,
                                  const struct ent_kind *kind, int64_t space,
                                  const struct ent_field *field);

/* All of them, in `arena`; of several spaces' own ones of one name the first.
 * ENT_ENOMEM, ENT_ESTORE. */
ENT_NODISCARD int fields_all(struct cmd_ctx *ctx, const struct ent_kind *kind,
                             int64_t space, struct ent_arena *arena,
                             const struct ent_field ***fields, size_t *count);

/* The own ones of all kinds and spaces. */
struct ent_own;
ENT_NODISCARD int fields_own(struct cmd_ctx *ctx, const struct ent_own **list,
                             size_t *count);

#endif
