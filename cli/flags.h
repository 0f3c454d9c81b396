/* flags.h - what needs attention on a day: overdue, report due, stalled,
 * vacant. Never stored; found by configs/flags/flags.sql. */
#ifndef ENT_CLI_FLAGS_H
#define ENT_CLI_FLAGS_H

#include "cli/cmd.h"

struct flag {
    const char *flag;
    const char *label; /* in the reader's language */
    const char *kind;
    const char *space; /* handle */
    const char *id;
    const char *code; /* or NULL */
    const char *iso3; /* or NULL */
    const char *since;
};

/* By id, then flag. */
struct flags {
    struct flag *list;
    size_t count;
    struct ent_arena arena; /* owns the above */
};

/* The flags of a day (NULL: today), of one kind and one record, or with NULL
 * of all; a record's code, when it has one, finds it faster. ENT_EREFUSED: the
 * file is not what it should be. */
ENT_NODISCARD int flags_load(struct cmd_ctx *ctx, const char *on,
                             const char *kind, const char *code, const char *id,
                             struct flags *flags);
void flags_fini(struct flags *flags);

/* Append the question that gives them, over :on and :kind. ENT_EREFUSED. */
ENT_NODISCARD int flags_sql(struct cmd_ctx *ctx, struct ent_buf *sql);

/* Append those of one record as a JSON array: codes for programs, words for
 * people. */
void flags_put(const struct cmd_ctx *ctx, const struct flags *flags,
               const char *space, const char *id, struct ent_buf *buf);

/* Whether records of a kind can have any: it is named in the file. */
bool flags_has(struct cmd_ctx *ctx, const char *kind);

#endif
