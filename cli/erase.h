/* erase.h - records erased for good, as people and other commands meet them. */
#ifndef ENT_CLI_ERASE_H
#define ENT_CLI_ERASE_H

#include "cli/cmd.h"
#include "store/erase.h"
#include "store/records.h"

/* The kind of record by which members ask the chair. */
#define ERASE_REQUEST "erase_request"

/* The erased record that `name` means, by id, by tail or by the code that it
 * was imported under: 1; 0: none. ENT_EAMBIG. */
ENT_NODISCARD int erase_find(struct cmd_ctx *ctx, const char *name,
                             struct ent_erasure *erasure);

/* ENT_ENOTFOUND in ctx->err: it was erased, when and by whom. */
int erase_say_gone(struct cmd_ctx *ctx, const struct ent_erasure *erasure);

/* Records of a space, or of all when it is 0, that members ask the chair to
 * erase and that are not erased yet. */
ENT_NODISCARD int erase_requests(struct cmd_ctx *ctx, int64_t space,
                                 int64_t *count);

/* What stands of it, what names it, and who would have to hear of it. */
ENT_NODISCARD int erase_preview(struct cmd_ctx *ctx,
                                const struct ent_record_ref *ref,
                                const struct ent_kind *kind);
/* Who has carried it out, and who not. */
ENT_NODISCARD int erase_status(struct cmd_ctx *ctx,
                               const struct ent_erasure *erasure);
/* All that is erased here, and what is asked for. */
ENT_NODISCARD int erase_status_all(struct cmd_ctx *ctx);

/* erase.c: the command. */
int records_erase(struct cmd_ctx *ctx, int argc, char **argv);

#endif
