/* conflicts.h - the concurrent values of a field, numbered.
 * Value 1 is the one shown; `resolve --take N` takes these numbers. */
#ifndef ENT_CLI_CONFLICTS_H
#define ENT_CLI_CONFLICTS_H

#include "cli/cmd.h"
#include "cli/flow.h"
#include "store/records.h"

/* A field of a record with several values standing. `field` is NULL for a
 * contested life. For a contested state `workflow` is set, and the values are
 * those of the transitions' to_state. The list lives in `arena` and in the
 * record. */
struct conflict {
    const struct ent_record *record;
    const struct ent_kind *kind;
    const struct ent_field *field;
    const struct ent_workflow *workflow;
    const struct ent_shown **values;
    size_t count;
};

/* ENT_ENOMEM. */
ENT_NODISCARD int
conflict_read(struct cmd_ctx *ctx, const struct ent_record *record,
              const struct ent_kind *kind, const struct ent_field *field,
              struct ent_arena *arena, struct conflict *conflict);

/* Hands every contested state of a space (0: all) and `data` to `take`, which
 * may be NULL, and counts them. (states.c) */
typedef int conflict_fn(struct cmd_ctx *ctx, const struct conflict *conflict,
                        void *data);
ENT_NODISCARD int conflict_each_state(struct cmd_ctx *ctx, int64_t space,
                                      conflict_fn *take, void *data,
                                      size_t *count);

/* One of the list that ent_conflict_list gives, read into `record`, which
 * starts out empty: 1; 0 when nobody is asked about it: what a deleted record
 * says, or a kind or field that this program does not know. */
ENT_NODISCARD int conflict_open(struct cmd_ctx *ctx,
                                const struct ent_conflict *item,
                                struct ent_record *record,
                                struct ent_arena *arena,
                                struct conflict *conflict);

/* How many are open: of a space or all (0), of a kind or all (NULL). */
ENT_NODISCARD int conflicts_count(struct cmd_ctx *ctx, int64_t space,
                                  const struct ent_kind *kind, size_t *count);

/* Tell how many there are, when there are any: below a listing that marks none,
 * or beside a file that has one value of each. */
ENT_NODISCARD int conflicts_remark(struct cmd_ctx *ctx);
ENT_NODISCARD int conflicts_warn(struct cmd_ctx *ctx, int64_t space,
                                 const struct ent_kind *kind);

/* Print all of a space, or of all (0), and add to *count how many. */
ENT_NODISCARD int conflicts_print(struct cmd_ctx *ctx, int64_t space,
                                  size_t *count);

/* The field's name; "state", or "life" for a deletion against an edit. */
const char *conflict_name(const struct conflict *conflict);

/* One of the values in its canonical text; "live" or "dead" for a life. */
void conflict_put_value(const struct conflict *conflict, size_t at,
                        struct ent_buf *buf);

/* A JSON array of {"n", "value", "org", "claimed", "odd", "seen"}. "seen" are
 * the organisations known to hold the value: its writer, this node, and
 * every member whose newest signed frontier covers it. "odd" tells that the
 * claimed time is before 2020 or in the future (rule M12). */
ENT_NODISCARD int conflict_put_json(struct cmd_ctx *ctx,
                                    const struct conflict *conflict,
                                    struct ent_buf *buf);

/* The organisations known to hold one of the values, as a JSON array. */
ENT_NODISCARD int conflict_put_seen(struct cmd_ctx *ctx,
                                    const struct conflict *conflict, size_t at,
                                    struct ent_buf *buf);

#endif
