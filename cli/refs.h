/* refs.h - references looked at when they are written (rule M10). What one
 * names may be on its way, or in a space that is not held here, so who writes
 * it is only told. A code that just a record of another kind has is a
 * mistake. */
#ifndef ENT_CLI_REFS_H
#define ENT_CLI_REFS_H

#include "cli/change.h"
#include "cli/codes.h"

/* Of a change that `add`, `set` or `edit` is about to write: says on stderr
 * which references lead nowhere here. ENT_EREFUSED: one names a record of
 * another kind. */
ENT_NODISCARD int refs_check(struct cmd_ctx *ctx, const struct change *change);

/* Of a reference that leads nowhere: ENT_EREFUSED with its sentence when the
 * code is that of a record of another kind. */
ENT_NODISCARD int refs_refuse(struct cmd_ctx *ctx, const struct codes *codes,
                              const struct ent_field *field,
                              const struct ent_value *value);

/* The sentence for one that may come, with the nearest code there is. */
void refs_put_remark(struct cmd_ctx *ctx, const struct codes *codes,
                     const struct ent_field *field,
                     const struct ent_value *value, struct ent_buf *text);

#endif
