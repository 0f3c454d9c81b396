/* same.h - records that are shown as one (rule M11), for the commands.
 * What a group is, store/same.h says; here is what it looks like. */
#ifndef ENT_CLI_SAME_H
#define ENT_CLI_SAME_H

#include "cli/cmd.h"
#include "store/records.h"
#include "store/same.h"

/* From a record to the one that leads its group; itself when it is alone or
 * deleted. */
ENT_NODISCARD int same_lead(struct cmd_ctx *ctx, struct ent_record_ref *ref);

/* Of records in a list their leads, each once, in the order of the list. */
ENT_NODISCARD int same_reduce(struct cmd_ctx *ctx, struct ent_record_ref *refs,
                              size_t *count);

/* The records that live of a group, the lead first; of a record that is alone
 * only itself. In `arena`. */
ENT_NODISCARD int same_members(struct cmd_ctx *ctx,
                               const struct ent_record_ref *ref,
                               struct ent_arena *arena,
                               struct ent_record_ref **members, size_t *count);

/* Read a group as one record: what stands on the lead, registers that it has
 * no value in from the next, and the elements of all sets. Life is the lead's.
 * `record` is finished like any. */
ENT_NODISCARD int same_read(struct cmd_ctx *ctx,
                            const struct ent_record_ref *members, size_t count,
                            struct ent_record *record);

/* What references of one space are shown as. Start from all zeros. */
struct same_names {
    struct same_name *list;
    size_t count;
    struct ent_arena arena;
};
/* `space` 0: of all. */
ENT_NODISCARD int same_names_load(struct cmd_ctx *ctx, int64_t space,
                                  struct same_names *names);
void same_names_fini(struct same_names *names);
/* What a reference in `field` that says `text` leads to; NULL: nobody has
 * joined that record with another. */
const char *same_shown(struct cmd_ctx *ctx, const struct same_names *names,
                       const struct ent_field *field, const char *text);

/* Let the references of a record lead to what they are shown as. */
ENT_NODISCARD int same_follow(struct cmd_ctx *ctx, const struct ent_kind *kind,
                              struct ent_record *record);

/* ------------------------------------------------------------ for `show` */

/* What is shown as one record, the lead first; none: a record apart. */
struct same_group {
    const struct ent_record_ref *members;
    size_t count;
};

/* Read what is shown under a name, references followed; with `apart` the very
 * record as it was written. The group lives in `arena`. */
ENT_NODISCARD int same_pick(struct cmd_ctx *ctx, const char *name, bool apart,
                            struct ent_arena *arena, struct ent_record *record,
                            const struct ent_kind **kind,
                            struct same_group *group);

/* The others of a group: append them as a JSON array, or print a table inside
 * an object, nothing when there are none. */
ENT_NODISCARD int same_put_json(struct cmd_ctx *ctx,
                                const struct same_group *group,
                                struct ent_buf *buf);
ENT_NODISCARD int same_put_table(struct cmd_ctx *ctx,
                                 const struct ent_kind *kind,
                                 const struct same_group *group);

#endif
