/* workflows.h - reads the workflows of configs/workflows: which states the
 * records of a kind go through, and what a move to a state needs.
 * One file a workflow, in libconfuse's form. A state may stand for a value of
 * one of the kind's fields, which is what reports read; several states may
 * stand for one value. */
#ifndef ENT_TEXT_WORKFLOWS_H
#define ENT_TEXT_WORKFLOWS_H

#include "base/err.h"
#include "model/kind.h"
#include "text/vocab.h"

#define ENT_WORKFLOWS_MAX 64
#define ENT_STATES_MAX 32    /* of a workflow */
#define ENT_STATE_SETS_MAX 8 /* fields that a move fills */
#define ENT_STATE_NEEDS_MAX 8

/* A field that a move to the state fills. */
struct ent_state_set {
    const struct ent_field *field;
    const char *text; /* a value, or NULL: the day of the move */
};

/* A question that must give a row before a move to the state. */
struct ent_state_need {
    const char *sql; /* over :code, :id and :space of the record */
    const char *label[ENT_LANG_COUNT];
};

struct ent_state_def {
    const char *name;
    const char *value;     /* of the workflow's field, or NULL */
    bool begins;           /* a record without a state may be moved to it */
    const char *next;      /* names with '|' between; "" */
    const char *reason;    /* the vocabulary list of the reason, or NULL */
    const char *approvals; /* roles with '|' between, or NULL */
    struct ent_state_set sets[ENT_STATE_SETS_MAX];
    size_t set_count;
    struct ent_state_need needs[ENT_STATE_NEEDS_MAX];
    size_t need_count;
    const char *label[ENT_LANG_COUNT];
};

struct ent_workflow {
    const char *name;
    const struct ent_kind *kind;
    const struct ent_field *field;       /* holds the state's value, or NULL */
    const struct ent_field *where_field; /* records whose field is `where` */
    const char *where;                   /* NULL: all of the kind */
    const struct ent_state_def *unsaid;  /* of records of which nothing says */
    const char *label[ENT_LANG_COUNT];
    struct ent_state_def *states;
    size_t state_count;
};

struct ent_workflows {
    struct ent_workflow *list; /* by name of their files */
    size_t count;
    struct ent_arena arena; /* owns everything above */
};

/* Reads every *.conf file of `dir`. Kinds, fields, states, values and lists
 * must be there. ENT_EREFUSED names file and line. */
ENT_NODISCARD int ent_workflows_load(const char *dir,
                                     const struct ent_kinds *kinds,
                                     const struct ent_vocab *vocab,
                                     struct ent_workflows *workflows,
                                     struct ent_err *err);
void ent_workflows_fini(struct ent_workflows *workflows);

/* NULL: there is none. */
const struct ent_state_def *ent_state_named(const struct ent_workflow *workflow,
                                            const char *name);

/* Whether `name` is one of the names with '|' between. */
bool ent_names_have(const char *names, const char *name);
/* The next of such names into `name`, and past it; false at the end. */
bool ent_names_next(const char **names, char name[ENT_FIELD_NAME_MAX + 1]);

#endif
