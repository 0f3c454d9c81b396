/* lists.h - the conditions of a listing, for commands that take them, too. */
#ifndef ENT_CLI_LISTS_H
#define ENT_CLI_LISTS_H

#include "cli/cmd.h"
#include "store/query.h"

/* Reads FIELD=V, FIELD!=V, FIELD<V, FIELD>V or FIELD~TEXT; the text lives in
 * `arena`. ENT_EUSAGE: no such form; ENT_EREFUSED: no such field or value. */
ENT_NODISCARD int lists_filter(struct cmd_ctx *ctx, const struct ent_kind *kind,
                               int64_t space, const char *word,
                               struct ent_arena *arena,
                               struct ent_filter *filter);

#endif
