/* codes.h - which codes and ids stand for a record, of every kind.
 * Filled with what the replica holds, with the rows of a package, or both;
 * then asked whether a reference leads anywhere (rule M10). */
#ifndef ENT_CLI_CODES_H
#define ENT_CLI_CODES_H

#include "cli/cmd.h"
#include "store/sharing.h"

struct codes_item {
    uint32_t kind;
    struct ent_slice code; /* empty: known by its id only */
    struct ent_id id;      /* zero: a row that is not in the replica */
    int64_t space;
    size_t row; /* the caller's */
};

struct codes {
    struct codes_item *items; /* sorted by codes_sort */
    const struct codes_item **by_id;
    size_t count;
    size_t cap;
    struct ent_arena arena; /* owns the codes taken from the replica */
};

void codes_fini(struct codes *codes);

/* ENT_ENOMEM. */
ENT_NODISCARD int codes_put(struct codes *codes, const struct codes_item *item,
                            struct ent_err *err);

/* Every live record of a kind, of one space or all (0). */
ENT_NODISCARD int codes_load(struct cmd_ctx *ctx, struct codes *codes,
                             const struct ent_kind *kind, int64_t space);

/* The same, of those that meet all conditions and may be passed on so far. */
struct ent_filter;
ENT_NODISCARD int codes_load_some(struct cmd_ctx *ctx, struct codes *codes,
                                  const struct ent_kind *kind, int64_t space,
                                  const struct ent_filter *filters,
                                  size_t count, enum ent_sharing sharing);

/* Every live record that a field of some kind may refer to, in all spaces,
 * sorted. */
ENT_NODISCARD int codes_load_targets(struct cmd_ctx *ctx, struct codes *codes);

/* Once all is in, and before anything is asked. ENT_ENOMEM. */
ENT_NODISCARD int codes_sort(struct codes *codes, struct ent_err *err);

/* The first item of that kind and code, NULL when there is none; further ones
 * of the same kind and code follow it. */
const struct codes_item *codes_find(const struct codes *codes, uint32_t kind,
                                    struct ent_slice code);

/* The item of a kind whose code is nearest to a word, for "did you mean"; NULL:
 * none is near. */
const struct codes_item *codes_near(const struct codes *codes, uint32_t kind,
                                    const char *word);

/* The item a reference means: by id, or by code in each of the field's kinds in
 * turn; a UUID may be the code of a record that came from elsewhere. NULL: it
 * leads nowhere. */
const struct codes_item *codes_follow(const struct cmd_ctx *ctx,
                                      const struct codes *codes,
                                      const struct ent_field *field,
                                      const struct ent_value *value);

#endif
