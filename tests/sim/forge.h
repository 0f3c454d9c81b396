/* forge.h - entries, roster entries and signed frontiers as a member with a
 * changed program makes them: right in form, with a real signature, and saying
 * whatever their maker likes. What is made lives in the arena given. */
#ifndef ENT_TESTS_SIM_FORGE_H
#define ENT_TESTS_SIM_FORGE_H

#include "codec/frame.h"
#include "model/entry.h"
#include "model/roster.h"
#include "secure/keys.h"

/* One entry that writes a title. Filled in by the caller: `entry` but for its
 * body, `kind`, `record`, `field`, `text`, and what the write replaces. */
struct forged {
    struct ent_entry entry;
    uint32_t kind, field;
    struct ent_id record;
    const char *text;
    const struct ent_seen *seen;
    size_t seen_count;
    struct ent_slice packed, header;
    struct ent_hash hash;
};

void forge_entry(struct forged *forged, struct ent_arena *arena);

/* `count` entries that follow each other, as one run under one signature. */
struct ent_frame_run forge_run(const struct forged *forged, size_t count,
                               const struct ent_keys *signer,
                               struct ent_arena *arena);

/* A roster entry after (`pos` - 1, `prev`). */
struct ent_frame_roster forge_roster(const struct ent_keys *signer,
                                     const struct ent_id *space,
                                     const struct ent_hash *prev,
                                     const struct ent_roster_entry *entry,
                                     struct ent_arena *arena);

/* A frontier signed by `signer`; it may name somebody else. */
struct ent_frame_said forge_said(const struct ent_keys *signer,
                                 const struct ent_frontier *frontier,
                                 struct ent_arena *arena);

#endif
