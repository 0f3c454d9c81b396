/* flow.h - in which state of its workflow a record is.
 * A transition is a record of its own, which names those it follows; the ones
 * that no other follows say the state. Two that were made apart from one state
 * both stand, and the state is contested until somebody settles it. A state
 * can stand for a value of a field, which is what reports read: `move` writes
 * both at once, and where the field says something else, because somebody set
 * or imported it, the field counts (decision 17). */
#ifndef ENT_CLI_FLOW_H
#define ENT_CLI_FLOW_H

#include "cli/cmd.h"
#include "store/records.h"
#include "text/workflows.h"

#define FLOW_STATE "state" /* the name of the computed field */

struct flow_step {
    const char *space; /* handle */
    const char *subject;
    const char *workflow;
    const char *id;
    const char *code;
    const char *from;
    const char *to;
    const char *on;
    const char *by;
    const char *reason;
    const char *note;
    const char *follows; /* JSON array */
};

/* Transitions, by space and subject, then by day. */
struct flow {
    struct flow_step *steps;
    size_t count;
    struct ent_arena arena; /* owns the above */
};

/* Those of one record (code may be NULL), or with `id` NULL of all records
 * of the kind; `kind` NULL: of all kinds; of one space or all (0). ENT_ENOMEM,
 * ENT_ESTORE. */
ENT_NODISCARD int flow_load(struct cmd_ctx *ctx, int64_t space,
                            const struct ent_kind *kind, const char *code,
                            const char *id, struct flow *flow);
void flow_fini(struct flow *flow);

/* Asks for the text of a record's field; NULL or "": it has none. */
struct flow_fields {
    const char *(*get)(const void *data, const struct ent_field *field);
    const void *data;
};

/* What there is to ask of a record. */
struct flow_subject {
    const struct ent_kind *kind;
    const char *space; /* handle */
    const char *code;  /* or NULL */
    const char *id;
    struct flow_fields fields;
};

struct flow_now {
    const struct ent_workflow *workflow; /* NULL: it has none */
    const struct ent_state_def *state;   /* NULL: in none yet */
    const struct flow_step **heads;      /* that no other follows */
    size_t head_count;
    size_t side_count; /* the first ones, which lead to different states, in the
                        * order in which `conflicts` numbers them */
    bool contested;    /* there are several */
    bool differs;      /* the field says other than the transitions */
};

/* The workflows, read once; NULL after a failure in ctx->err. */
const struct ent_workflows *flow_workflows(struct cmd_ctx *ctx);

/* Whether records of the kind have any. */
bool flow_has(struct cmd_ctx *ctx, const struct ent_kind *kind);

/* ENT_ENOMEM; flow_now_fini in any case. */
ENT_NODISCARD int flow_find(struct cmd_ctx *ctx, const struct flow *flow,
                            const struct flow_subject *subject,
                            struct flow_now *now);
void flow_now_fini(struct flow_now *now);

/* Whether the steps that name a record so (its code or its id) may contest its
 * state: they lead apart, or follow steps that name it otherwise. Told without
 * reading the record, which is why `conflicts` need not read all. ENT_ENOMEM.
 */
ENT_NODISCARD int flow_may_contest(const struct flow *flow,
                                   const struct ent_workflow *workflow,
                                   const char *space, const char *name,
                                   bool *may);

/* A record that was read, with its transitions. */
struct flow_record {
    const struct ent_record *record;
    const struct ent_kind *kind;
    struct flow flow; /* empty when they were loaded before */
    struct flow_now now;
    char id[ENT_ID_TEXT];
    const char *code;       /* or NULL */
    struct ent_arena arena; /* texts of its fields */
};

ENT_NODISCARD int flow_read(struct cmd_ctx *ctx,
                            const struct ent_record *record,
                            const struct ent_kind *kind,
                            struct flow_record *read);
/* Likewise among transitions that were loaded before, which must outlive it. */
ENT_NODISCARD int flow_read_in(struct cmd_ctx *ctx,
                               const struct ent_record *record,
                               const struct ent_kind *kind,
                               const struct flow *flow,
                               struct flow_record *read);
void flow_record_fini(struct flow_record *read);

/* The text of a register of that record, NULL when it has none. */
const char *flow_text(struct flow_record *read, const struct ent_field *field);

/* The name of a state, and how people say it. */
const char *flow_label(const struct cmd_ctx *ctx,
                       const struct ent_state_def *state);
/* The states that the heads lead to, as people say them or as codes with a
 * bar between; "" when it is in none. */
void flow_put(const struct cmd_ctx *ctx, const struct flow_now *now,
              struct ent_buf *buf);

/* A state as `move` takes it, with its label for people: planned (Prévue). */
void flow_put_state(const struct cmd_ctx *ctx,
                    const struct ent_state_def *state, struct ent_buf *buf);
/* The states a record may be moved to, likewise, with ", " between. */
void flow_put_next(const struct cmd_ctx *ctx, const struct flow_now *now,
                   struct ent_buf *buf);
/* The role of an approval, likewise. */
void flow_put_role(const struct cmd_ctx *ctx, const char *role,
                   struct ent_buf *buf);
bool flow_may(const struct flow_now *now, const struct ent_state_def *state);

#endif
