/* survey.h - a survey as its commands see it. Answers stay on the node that
 * collected them; what leaves it are tallies, records like others, one for
 * each node, question and answer, summed when they are read. A question is
 * written CODE:FORM:TEXT in the survey's field `questions`. */
#ifndef ENT_CLI_SURVEY_H
#define ENT_CLI_SURVEY_H

#include "cli/cmd.h"
#include "store/records.h"

#define SURVEY "survey"
#define SURVEY_QUESTIONS "questions"
#define SURVEY_STATUS "status"
#define SURVEY_DRAFT "draft"
#define SURVEY_CODE_MAX 63 /* of a question */
#define SURVEY_TALLY "survey_tally"
/* Fewer answers than that would tell who gave them. */
#define SURVEY_LEAST 5
#define SURVEY_ANSWERS_MAX 4096 /* different ones that are counted */
/* Forms that are no lists. */
#define SURVEY_TEXT "text"
#define SURVEY_NUMBER "number"
#define SURVEY_YESNO "yesno"
/* Categories of tallies that are no answers: the people who answered, of a
 * number as `count`, and the sum of what they said. */
#define SURVEY_TOTAL "total"
#define SURVEY_COUNT "count"
#define SURVEY_SUM "sum"

struct question {
    char code[SURVEY_CODE_MAX + 1];
    char form[ENT_FIELD_NAME_MAX + 1]; /* a form, or a vocabulary list */
    const char *text;                  /* or "" */
};

struct survey {
    struct ent_record record;
    const struct ent_kind *kind;
    const struct ent_kind *tally;
    struct question *questions; /* in `arena` */
    size_t count;
    const char *name; /* code, or id */
    const char *status;
    char id[ENT_ID_TEXT];
    struct ent_arena arena;
};

/* The survey of that name, with its questions. Call survey_fini after a
 * failure, too. */
ENT_NODISCARD int survey_open(struct cmd_ctx *ctx, const char *name,
                              struct survey *survey);
void survey_fini(struct survey *survey);

/* NULL: no question has that code. */
const struct question *survey_question(const struct survey *survey,
                                       const char *code, size_t len);

/* -------------------------------------------------------------- questions.c */

/* A question as it is written; `text` is borrowed. ENT_EREFUSED says what would
 * be accepted. */
ENT_NODISCARD int questions_read(struct cmd_ctx *ctx, const char *text,
                                 struct question *question,
                                 struct ent_err *err);

/* Whether a value may stand in a field: what is no question of a survey may
 * not. ENT_EREFUSED. */
ENT_NODISCARD int questions_check_value(struct cmd_ctx *ctx,
                                        const struct ent_field *field,
                                        const struct ent_value *value,
                                        struct ent_err *err);

/* Whether a record (NULL: a new one) may be changed so: once a survey is open
 * its questions stay, for what was answered is told by their codes; and each
 * code is asked once. ENT_EREFUSED. */
ENT_NODISCARD int questions_check_change(struct cmd_ctx *ctx,
                                         const struct ent_kind *kind,
                                         const struct ent_record *record,
                                         const struct ent_edit_op *ops,
                                         size_t count);

/* Whether a change of a field may be taken back: questions stay then, too.
 * ENT_EREFUSED. */
ENT_NODISCARD int questions_check_undo(struct cmd_ctx *ctx,
                                       const struct ent_record_ref *ref,
                                       uint32_t field);

/* The commands of tally.c and results.c. */
int survey_tally(struct cmd_ctx *ctx, int argc, char **argv);
int survey_results(struct cmd_ctx *ctx, int argc, char **argv);

#endif
