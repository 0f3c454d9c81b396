/* limits.h - what people may not write though it is of the field's type: fewer
 * than no participants, an end before the start. The kinds' definitions say
 * it (struct ent_limits). Only where somebody writes is it asked; what stands
 * in the replica, whoever wrote it, is never held against it. */
#ifndef ENT_CLI_LIMITS_H
#define ENT_CLI_LIMITS_H

#include "cli/change.h"

#define LIMITS_TEXT 65 /* bytes of a text that has a spelling, and its NUL */

/* The text as the field keeps it, in `out` when it differs: usd is USD. */
struct ent_slice limits_spell(const struct ent_field *field,
                              struct ent_slice text, char out[LIMITS_TEXT]);

/* ENT_EREFUSED says what of the value cannot be, and what would be accepted. */
ENT_NODISCARD int limits_value(struct cmd_ctx *ctx,
                               const struct ent_field *field,
                               const struct ent_value *value,
                               struct ent_err *err);

/* The fields of a record (NULL: a new one) that the change touches, against
 * the others as they will be: days in their order, ranks without repetition,
 * and of a transition the states of its workflow. ENT_EREFUSED names both. */
ENT_NODISCARD int limits_change(struct cmd_ctx *ctx,
                                const struct change *change,
                                const struct ent_record *record);

void limits_free(struct cmd_ctx *ctx);

#endif
