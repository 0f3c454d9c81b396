/* label.c - see label.h. */
#include "cli/label.h"

#include <string.h>
#include <unistd.h>

#include "cli/look.h"

#define KEY_SHOWN 16 /* hex digits */

const char *label_title(const struct cmd_ctx *ctx,
                        const struct ent_space *space)
{
    const char *title = space->title[ctx->lang];

    return *title != '\0' ? title
                          : space->title[ENT_LANG_COUNT - 1 - ctx->lang];
}

const char *label_role(const struct cmd_ctx *ctx, enum ent_role role)
{
    static const char *const roles[] = {
        [ENT_ROLE_NONE] = N_("not admitted yet"),
        [ENT_ROLE_READER] = N_("reader"),
        [ENT_ROLE_EDITOR] = N_("editor"),
        [ENT_ROLE_CHAIR] = N_("chair"),
    };

    if (!look_for_program(ctx))
        return gettext(roles[role]);
    return role == ENT_ROLE_NONE ? NULL : ent_role_name(role);
}

const char *label_key(const struct cmd_ctx *ctx, const struct ent_key *key,
                      char text[LABEL_KEY_TEXT])
{
    ent_hex_put(text, key->b, ENT_KEY_BYTES);
    if (!look_for_program(ctx) && isatty(STDOUT_FILENO) == 1)
        strcpy(text + KEY_SHOWN, "…");
    return text;
}

const char *label_when(const struct cmd_ctx *ctx, int64_t ms, char *text)
{
    if (ms == 0)
        return NULL;
    if (look_for_program(ctx))
        look_rfc3339(ms, text);
    else
        look_time(ctx, ms, text);
    return text;
}
