/* wire.h - an engine and a link for as long as one command runs. */
#ifndef ENT_CLI_WIRE_H
#define ENT_CLI_WIRE_H

#include "cli/cmd.h"
#include "link/drive.h"

#define WIRE_TIMEOUT_USUAL "60s"

struct wire {
    struct ent_engine *engine;
    struct ent_link *link;
    struct ent_drive drive;
};

/* Over the replica of ctx, which is open. `watch` is called back by
 * wire_turn. */
ENT_NODISCARD int wire_open(struct cmd_ctx *ctx, struct wire *wire,
                            const struct ent_drive_watch *watch);

/* What was sent still leaves. */
void wire_close(struct wire *wire);

/* Wait, at most until `until_ms` of cmd_mono_ms, and do what there is to do.
 * ENT_ESTORE: the replica could not be read or written. */
ENT_NODISCARD int wire_turn(struct cmd_ctx *ctx, struct wire *wire,
                            int64_t until_ms);

/* Say what the engine notes and a person should hear of at once. */
void wire_tell(struct cmd_ctx *ctx, const struct ent_effect *effect);

#endif
