/* pick.h - from the names people type to spaces, kinds, fields and records.
 * A name that is not known comes back with the nearest one that is. Every
 * function leaves its sentence in ctx->err. */
#ifndef ENT_CLI_PICK_H
#define ENT_CLI_PICK_H

#include "cli/cmd.h"
#include "store/records.h"
#include "store/spaces.h"

#define PICK_CANDIDATES_MAX 20 /* records listed for an ambiguous name */

/* The name nearest to `word` among those offered, for "did you mean". Start
 * from all zeros; `name` stays NULL when nothing is near. */
struct pick_near {
    const char *name;
    size_t distance;
};
void pick_offer(struct pick_near *near, const char *word, const char *name);

/* The space of that handle or id; 0 for NULL: all of them. */
ENT_NODISCARD int pick_space(struct cmd_ctx *ctx, const char *name,
                             int64_t *space);

/* The space to write to: the named one, or without a name the only one where
 * this node is editor or chair. ENT_EDENIED: none; ENT_EUSAGE: several. */
ENT_NODISCARD int pick_writable(struct cmd_ctx *ctx, const char *name,
                                int64_t *space);

/* Say, on stderr, what the chair of a space took from this node, if it did. */
void pick_tell_lost(struct cmd_ctx *ctx, const struct ent_space *space);

/* The local handle of a space, "" when it is not held. */
const char *pick_handle(struct cmd_ctx *ctx, int64_t space);

/* By name, by table or by package resource. ENT_ENOTFOUND. */
ENT_NODISCARD int pick_kind(struct cmd_ctx *ctx, const char *name,
                            const struct ent_kind **kind);

/* A field of `kind` in a space (0: in any), `len` bytes of `name`.
 * ENT_EREFUSED. */
ENT_NODISCARD int pick_field(struct cmd_ctx *ctx, const struct ent_kind *kind,
                             int64_t space, const char *name, size_t len,
                             const struct ent_field **field);

/* ENT_EUSAGE: between the commas of --columns a name is missing, or stands
 * twice. */
ENT_NODISCARD int pick_check_columns(struct cmd_ctx *ctx, const char *names);

/* Names of fields with commas between, as pick_check_columns takes them; the
 * list lives in `arena`. */
ENT_NODISCARD int pick_fields(struct cmd_ctx *ctx, const struct ent_kind *kind,
                              int64_t space, const char *names,
                              struct ent_arena *arena,
                              const struct ent_field ***fields, size_t *count);

/* The record and its kind, by id, by tail (a "…" before it is fine) or by
 * code, which a deleted record leaves to one that lives. ENT_EAMBIG: the
 * candidates were listed on stderr. */
ENT_NODISCARD int pick_record(struct cmd_ctx *ctx, const char *name,
                              struct ent_record_ref *ref,
                              const struct ent_kind **kind);

/* The same, but a code is that of a deleted record if there is one. */
ENT_NODISCARD int pick_deleted(struct cmd_ctx *ctx, const char *name,
                               struct ent_record_ref *ref,
                               const struct ent_kind **kind);

/* As pick_record, and where several records are shown as one, the one that
 * leads (rule M11). */
ENT_NODISCARD int pick_shown(struct cmd_ctx *ctx, const char *name,
                             struct ent_record_ref *ref,
                             const struct ent_kind **kind);

/* A record as pick_record finds it, and what is written of it. */
ENT_NODISCARD int pick_read(struct cmd_ctx *ctx, const char *name,
                            struct ent_record *record,
                            const struct ent_kind **kind);

/* What a command on one space begins with: the replica, and the space. */
ENT_NODISCARD int pick_open(struct cmd_ctx *ctx, const char *name,
                            int64_t *space);

/* ENT_EDENIED: this node is not the chair. For --dry-run, which asks before it
 * says what would be done. */
ENT_NODISCARD int pick_check_chair(struct cmd_ctx *ctx, int64_t space);
/* The same, and it may write in the roster (A2). */
ENT_NODISCARD int pick_check_decides(struct cmd_ctx *ctx, int64_t space);

#endif
