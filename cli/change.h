/* change.h - from the words of `add` and `set` to one record's change.
 * FIELD=VALUE writes, FIELD= empties, FIELD+=VALUE and FIELD-=VALUE put into
 * and take out of a set. Elements stand between bars; FIELD=a|b on a set
 * makes it hold exactly these. */
#ifndef ENT_CLI_CHANGE_H
#define ENT_CLI_CHANGE_H

#include "cli/cmd.h"
#include "store/records.h"

enum change_how { CHANGE_WRITE, CHANGE_ADD, CHANGE_REMOVE };

struct change_word {
    const struct ent_field *field;
    enum change_how how;
    const struct ent_value *values; /* none: emptied */
    size_t count;
};

struct change {
    const struct ent_kind *kind;
    struct change_word *words;
    size_t count;
    struct ent_arena arena; /* owns the above and the values */
};

void change_fini(struct change *change);

/* The values in `text`: one, or the elements of a set. A text of blanks has
 * none. A country or a language may be said by its name. ENT_EREFUSED says what
 * is wrong, be it beyond the field's limits (limits.h). */
ENT_NODISCARD int change_values(struct cmd_ctx *ctx,
                                const struct ent_field *field,
                                struct ent_slice text, struct ent_arena *arena,
                                const struct ent_value **values, size_t *count,
                                struct ent_err *err);

/* A country or a language may be said by its name: where the field holds one,
 * the text becomes its code, in `arena`. ENT_EREFUSED: there is none. */
ENT_NODISCARD int change_spoken(struct cmd_ctx *ctx,
                                const struct ent_field *field,
                                struct ent_slice *text, struct ent_arena *arena,
                                struct ent_err *err);

/* Reads `count` words about a record of a space. ENT_EUSAGE: no such form;
 * ENT_EREFUSED: no such field, no such value, a field named twice. The sentence
 * is in ctx->err. */
ENT_NODISCARD int change_read(struct cmd_ctx *ctx, const struct ent_kind *kind,
                              int64_t space, char **words, int count,
                              struct change *change);

/* The operations that make `record` (NULL: a new one) say it. The list lives
 * in the change. ENT_ECONFLICT: a field that asks is contested. ENT_EREFUSED:
 * questions of a survey that may not change (survey.h). */
ENT_NODISCARD int change_ops(struct cmd_ctx *ctx, struct change *change,
                             const struct ent_record *record,
                             struct ent_edit_op **ops, size_t *count);

/* On stderr, for --dry-run: what stands and what would. */
void change_preview(struct cmd_ctx *ctx, const struct change *change,
                    const struct ent_record *record);

#endif
