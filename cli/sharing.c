/* sharing.c - see sharing.h. */
#include "cli/sharing.h"

int sharing_read(struct cmd_ctx *ctx, const char *text,
                 enum ent_sharing *sharing)
{
    const struct ent_term *term;

    if (text == NULL || ent_sharing_parse(text, sharing))
        return 0;
    term = ent_vocab_said(&ctx->vocab, ENT_SHARING_FIELD, ent_slice_str(text));
    if (term != NULL && ent_sharing_parse(term->code, sharing))
        return 0;
    return ent_err_set(&ctx->err, ENT_EUSAGE,
                       "--sharing takes private, group, network or public, not "
                       "\"%s\"",
                       text);
}

void sharing_tell(struct cmd_ctx *ctx, size_t left_out)
{
    if (left_out > 0)
        cmd_say(ctx,
                ngettext("%zu record is left out: it may not be passed on so "
                         "widely",
                         "%zu records are left out: they may not be passed on "
                         "so widely",
                         left_out),
                left_out);
}
