/* label.c - see label.h. */
#include "cli/label.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/look.h"
#include "cli/out_text.h"
#include "text/parse.h"

#define KEY_SHOWN 8 /* hex digits */
#define HEARD_RECENTLY_MS (60 * 60 * 1000)

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

const char *label_own_role(const struct cmd_ctx *ctx,
                           const struct ent_space *space)
{
    if (space->removed && !look_for_program(ctx))
        return _("removed");
    return label_role(ctx, space->role);
}

const char *label_key(const struct cmd_ctx *ctx, const struct ent_key *key,
                      char text[LABEL_KEY_TEXT])
{
    ent_hex_put(text, key->b, ENT_KEY_BYTES);
    if (!look_for_program(ctx) && isatty(STDOUT_FILENO) == 1)
        memcpy(text + KEY_SHOWN, "…", sizeof("…"));
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

const char *label_until(const struct cmd_ctx *ctx, int64_t ms, char *text)
{
    struct cmd_ctx then = *ctx;
    size_t len;

    then.now_ms = ms; /* so that it is not marked as odd */
    look_time(&then, ms, text);
    len = strlen(text);
    snprintf(text + len, LOOK_TIME_TEXT - len, " UTC");
    return text;
}

int label_read_key(struct cmd_ctx *ctx, const char *text, struct ent_key *key)
{
    struct ent_key curve;

    if (ent_hex_get(key->b, ENT_KEY_BYTES, text, strlen(text)) &&
        ent_key_to_curve(key, &curve))
        return 0;
    return ent_err_set(&ctx->err, ENT_EREFUSED,
                       "\"%s\" is no key: it is 64 hex digits, as "
                       "\"entente whoami\" shows them",
                       text);
}

int label_read_name(struct cmd_ctx *ctx, const char *option, const char *text,
                    char name[ENT_NAME_BYTES_MAX + 1])
{
    struct ent_arena arena = {0};
    struct ent_slice clean;
    int rc = ent_text_clean(ent_slice_str(text), &arena, &clean, &ctx->err);

    if (rc == 0 && (memchr(clean.at, '\n', clean.len) != NULL ||
                    memchr(clean.at, '\t', clean.len) != NULL))
        rc = ent_err_set(&ctx->err, ENT_EREFUSED, "a name is one line");
    if (rc == 0 && !out_is_plain(clean, 0))
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "a name has no mark that turns the direction of "
                         "writing");
    if (rc == 0 && clean.len > ENT_NAME_BYTES_MAX)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED, "longer than %d bytes",
                         ENT_NAME_BYTES_MAX);
    if (rc == 0)
        snprintf(name, ENT_NAME_BYTES_MAX + 1, "%.*s", (int)clean.len,
                 (const char *)clean.at);
    else
        ent_err_prefix(&ctx->err, "%s", option);
    ent_arena_fini(&arena);
    return rc;
}

/* -------------------------------------------------------------------- peers */

/* When a peer was last heard of, by this process's clock. */
static const char *peer_state(const struct cmd_ctx *ctx,
                              const struct ent_peer *peer)
{
    if (peer->last_heard_ms == 0)
        return "never";
    return ctx->now_ms - peer->last_heard_ms < HEARD_RECENTLY_MS ? "recent"
                                                                 : "silent";
}

void label_peer_columns(struct cmd_ctx *ctx)
{
    struct out *out = ctx->out;
    bool all = look_for_program(ctx);

    out_column(out, "key", _("key"), OUT_TEXT);
    out_column(out, "org", _("organisation"), OUT_TEXT);
    out_column(out, "endpoint", _("address"), OUT_TEXT);
    if (all)
        out_column(out, "state", _("state"), OUT_TEXT);
    out_column(out, "last_heard", _("last heard"), OUT_TEXT);
    if (all)
        out_column(out, "clock_offset_ms", _("clock (ms)"), OUT_NUMBER);
    out_column(out, "received", _("received"), OUT_NUMBER);
    if (all) {
        out_column(out, "applied", _("applied"), OUT_NUMBER);
        out_column(out, "duplicate", _("held already"), OUT_NUMBER);
        out_column(out, "quarantined", _("in quarantine"), OUT_NUMBER);
    }
    out_column(out, "refused", _("refused"), OUT_NUMBER);
    out_column(out, "waiting", _("waiting"), OUT_NUMBER);
}

/* Where a person said it is, else where it says so itself. */
static const char *label_endpoint(struct cmd_ctx *ctx,
                                  const struct ent_peer *peer,
                                  char endpoints[][ENT_ENDPOINT_MAX + 1])
{
    size_t count = 0;

    if (peer->endpoint[0] != '\0' ||
        ent_peer_endpoints(ctx->store, &peer->key, endpoints, ENT_ENDPOINTS_MAX,
                           &count, NULL) < 0 ||
        count == 0)
        return peer->endpoint;
    return endpoints[0];
}

void label_peer(struct cmd_ctx *ctx, const struct ent_peer *peer)
{
    struct out *out = ctx->out;
    bool all = look_for_program(ctx);
    char key[LABEL_KEY_TEXT];
    char heard[LOOK_TIME_TEXT];
    char endpoints[ENT_ENDPOINTS_MAX][ENT_ENDPOINT_MAX + 1];

    out_row(out);
    out_cell(out, label_key(ctx, &peer->key, key));
    out_cell(out, ent_member_org(ctx->store, &peer->key));
    out_cell(out, label_endpoint(ctx, peer, endpoints));
    if (all)
        out_cell(out, peer_state(ctx, peer));
    if (!all && peer->last_heard_ms == 0)
        out_cell(out, _("never"));
    else
        out_cell(out, label_when(ctx, peer->last_heard_ms, heard));
    if (all)
        out_cell_int(out, peer->clock_offset_ms);
    out_cell_int(out, peer->received);
    if (all) {
        out_cell_int(out, peer->applied);
        out_cell_int(out, peer->duplicate);
        out_cell_int(out, peer->quarantined);
    }
    out_cell_int(out, peer->refused);
    out_cell_int(out, peer->waiting);
}
