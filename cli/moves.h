/* moves.h - records written by the commands about workflows: a transition, an
 * approval, and what a move fills in the record itself. */
#ifndef ENT_CLI_MOVES_H
#define ENT_CLI_MOVES_H

#include "cli/flow.h"

#define MOVES_WORDS_MAX (ENT_STATE_SETS_MAX + 16)

/* FIELD=VALUE words, as `add` and `set` take them. */
struct moves_words {
    char *at[MOVES_WORDS_MAX];
    int count;
    struct ent_arena arena;
};

/* Adds "field=value"; nothing when the value is NULL. Sticky in the arena. */
void moves_put(struct moves_words *words, const char *field, const char *value);
void moves_words_fini(struct moves_words *words);

/* A new record of a kind by its name, with a code of its own that begins with
 * `prefix`; its id. */
ENT_NODISCARD int moves_add(struct cmd_ctx *ctx, struct ent_writer *writer,
                            int64_t space, const char *kind_name,
                            const char *prefix, struct moves_words *words,
                            struct ent_id *id);

/* Changes in a record; with `settle` they replace all that stands.
 * ENT_ECONFLICT: a field that asks is contested. */
ENT_NODISCARD int moves_change(struct cmd_ctx *ctx, struct ent_writer *writer,
                               const struct flow_record *read,
                               struct moves_words *words, bool settle);

/* Commits, or with --dry-run drops what was put; frees the writer. */
ENT_NODISCARD int moves_finish(struct cmd_ctx *ctx, struct ent_writer *writer);

/* The options of a move; NULL: not given. */
struct moves_said {
    const char *on;
    const char *by;
    const char *reason;
    const char *note;
};

/* Writes that the record goes to `state`, behind all its heads; frees the
 * writer. */
ENT_NODISCARD int moves_write(struct cmd_ctx *ctx, struct ent_writer *writer,
                              struct flow_record *read,
                              const struct ent_state_def *state,
                              const struct moves_said *said, bool settle,
                              struct ent_id *id);

/* `resolve ID state`: frees the writer. */
ENT_NODISCARD int moves_settle(struct cmd_ctx *ctx, struct ent_writer *writer,
                               const struct ent_record *record,
                               const struct ent_kind *kind, const char *take,
                               const char *value);

#endif
