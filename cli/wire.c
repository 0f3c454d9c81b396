/* wire.c - see wire.h. */
#include "cli/wire.h"

#include <string.h>

#include "cli/look.h"
#include "cli/pick.h"

#define DIAL_SECONDS 5 /* between attempts, for one command */

int wire_open(struct cmd_ctx *ctx, struct wire *wire,
              const struct ent_drive_watch *watch)
{
    const struct ent_keys *keys = ent_store_keys(ctx->store);
    const struct ent_engine_options engine = {.dial_seconds = DIAL_SECONDS};
    const struct ent_link_options link = {
        .curve_secret = keys->curve_secret,
        .curve_public = keys->curve_public,
    };
    int rc;

    memset(wire, 0, sizeof(*wire));
    rc = ent_link_open(&link, &wire->link, &ctx->err);
    if (rc == 0)
        rc = ent_engine_new(ctx->store, &ctx->rand, &engine, &wire->engine,
                            &ctx->err);
    if (rc < 0) {
        ent_link_close(wire->link);
        wire->link = NULL;
        return rc;
    }
    ent_drive_init(&wire->drive, wire->engine, wire->link, watch);
    return 0;
}

void wire_close(struct wire *wire)
{
    if (wire->engine == NULL)
        return;
    ent_drive_fini(&wire->drive);
    ent_engine_free(wire->engine);
    ent_link_close(wire->link);
}

int wire_turn(struct cmd_ctx *ctx, struct wire *wire, int64_t until_ms)
{
    int64_t mono_ms = cmd_mono_ms();
    int64_t left_ms = until_ms > mono_ms ? until_ms - mono_ms : 0;
    int rc;

    if (left_ms > ENT_ENGINE_TICK_MS)
        left_ms = ENT_ENGINE_TICK_MS;
    rc = ent_drive_wait(&wire->drive, mono_ms, NULL, NULL, 0, (int)left_ms);
    if (rc < 0)
        return ent_err_set(&ctx->err, rc,
                           "the connections cannot be waited "
                           "for");
    return ent_drive_turn(&wire->drive, cmd_now_ms(), cmd_mono_ms(), &ctx->err);
}

void wire_tell(struct cmd_ctx *ctx, const struct ent_effect *effect)
{
    char key[24];
    static const struct ent_key nobody;
    const char *org = ent_key_equal(&effect->peer, &nobody)
                          ? _("a peer")
                          : look_org(ctx, &effect->peer, key);
    const char *text = effect->text == NULL ? "" : effect->text;
    int64_t space;

    switch (effect->note) {
    case ENT_NOTE_REFUSED:
        cmd_say(ctx, _("refused what %s sent: %s"), org, text);
        break;
    case ENT_NOTE_DIVERGED:
        cmd_say(ctx,
                _("alarm: %s holds the same entries and shows other values; "
                  "run \"verify --deep\" on both sides"),
                org);
        break;
    case ENT_NOTE_CLOCK:
        cmd_say(ctx, _("the clock of %s differs by %lld seconds from this one"),
                org, (long long)(effect->count / 1000));
        break;
    case ENT_NOTE_FORK:
        cmd_say(ctx, _("alarm: somebody wrote two different entries under one "
                       "number; see \"status\""));
        break;
    case ENT_NOTE_STORAGE:
        cmd_say(ctx, "%s", text);
        break;
    case ENT_NOTE_PROOF:
        cmd_say(ctx, _("alarm: %s"), text);
        break;
    case ENT_NOTE_LOST:
        if (ent_space_find_id(ctx->store, &effect->space, &space, NULL) == 0)
            cmd_say(ctx, _("%s: %s; \"status\" says what to do"),
                    pick_handle(ctx, space), text);
        break;
    case ENT_NOTE_CONNECTED:
    case ENT_NOTE_GONE:
    case ENT_NOTE_EQUAL:
    case ENT_NOTE_TAKEN:
    case ENT_NOTE_STRANGER:
    case ENT_NOTE_JOINED:
    case ENT_NOTE_ADMITTED:
    case ENT_NOTE_JOIN_FAILED:
    case ENT_NOTE_DONE:
        break;
    }
}
