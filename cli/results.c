/* results.c - see survey.h; the tallies of all nodes added up. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/look.h"
#include "cli/survey.h"
#include "store/query.h"

/* Tallies are found by the survey's id in their code; those that came in a
 * table have its code alone. */
static const char results_sql[] =
    "SELECT question, category, ent_range(sum(low), sum(high)), count(*),"
    "       sum(low)"
    "  FROM (SELECT *, ent_low('survey_tally.value', space, id, value) AS low,"
    "               ent_high('survey_tally.value', space, id, value) AS high"
    "          FROM survey_tallies)"
    " WHERE space = :space"
    "   AND (survey IN (:code, :id) OR substr(code, 1, 37) = :id || '/')"
    " GROUP BY question, category"
    " ORDER BY question, category IN ('total', 'count', 'sum'), category";

struct result {
    const char *question;
    const char *category;
    const char *sum;
    int64_t people;
    const char *tallies;
    bool printed;
};

struct results {
    struct result *rows; /* in the survey's arena */
    size_t count;
};

static int read_results(struct cmd_ctx *ctx, struct survey *survey,
                        struct ent_query *query, struct results *results)
{
    struct ent_arena *arena = &survey->arena;
    int rc;

    results->rows = ENT_ARENA_NEW(arena, struct result, SURVEY_ANSWERS_MAX);
    if (results->rows == NULL)
        return cmd_no_memory(ctx);
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        struct result *row = &results->rows[results->count];

        if (results->count == SURVEY_ANSWERS_MAX)
            return ent_err_set(&ctx->err, ENT_EREFUSED,
                               "%s has more than %d different answers",
                               survey->name, SURVEY_ANSWERS_MAX);
        row->question = ent_arena_str(arena, ent_query_text(query, 0));
        row->category = ent_arena_str(arena, ent_query_text(query, 1));
        row->sum = ent_arena_str(arena, ent_query_text(query, 2));
        row->people = ent_query_int(query, 4);
        row->tallies = ent_arena_str(arena, ent_query_text(query, 3));
        if (row->question == NULL || row->category == NULL ||
            row->sum == NULL || row->tallies == NULL)
            return cmd_no_memory(ctx);
        results->count++;
    }
    return rc;
}

static const char *category_label(struct cmd_ctx *ctx,
                                  const struct question *question,
                                  const char *category)
{
    const struct ent_field yesno = {.type = ENT_TYPE_YESNO};
    const struct ent_term *term;

    if (look_for_program(ctx))
        return category;
    if (strcmp(category, SURVEY_TOTAL) == 0)
        return _("all who answered");
    if (question == NULL)
        return category;
    if (strcmp(question->form, SURVEY_NUMBER) == 0)
        return strcmp(category, SURVEY_SUM) == 0     ? _("sum")
               : strcmp(category, SURVEY_COUNT) == 0 ? _("all who answered")
                                                     : category;
    if (strcmp(question->form, SURVEY_YESNO) == 0)
        return look_said(ctx, &yesno, category);
    term = ent_vocab_find(&ctx->vocab, question->form, category);
    return term == NULL ? category : term->label[ctx->lang];
}

/* `row` NULL: an answer that no tally tells. */
static void put_result(struct cmd_ctx *ctx, const struct question *question,
                       const char *category, struct result *row)
{
    bool few = row == NULL || (strcmp(category, SURVEY_SUM) != 0 &&
                               row->people < SURVEY_LEAST);
    char least[16];

    snprintf(least, sizeof(least), "<%d", SURVEY_LEAST);
    out_row(ctx->out);
    out_cell(ctx->out, row == NULL ? question->code : row->question);
    out_cell(ctx->out, question == NULL ? NULL : question->text);
    out_cell(ctx->out, category_label(ctx, question, category));
    out_cell(ctx->out, few ? least : row->sum);
    out_cell(ctx->out, row == NULL ? "0" : row->tallies);
    if (row != NULL)
        row->printed = true;
}

static struct result *find_result(const struct results *results,
                                  const struct question *question,
                                  const char *category)
{
    for (size_t i = 0; i < results->count; i++)
        if (strcmp(results->rows[i].question, question->code) == 0 &&
            (category == NULL ||
             strcmp(results->rows[i].category, category) == 0))
            return &results->rows[i];
    return NULL;
}

/* Every answer there could be: those that no tally tells stand beside those
 * that nobody gave, as which is which is not known here. */
static void put_question(struct cmd_ctx *ctx, const struct results *results,
                         const struct question *question)
{
    static const char *const yes_no[] = {"yes", "no"};
    const struct ent_term *terms;
    size_t count = ent_vocab_list(&ctx->vocab, question->form, &terms);

    if (find_result(results, question, NULL) == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        put_result(ctx, question, terms[i].code,
                   find_result(results, question, terms[i].code));
    for (size_t i = 0; i < 2 && strcmp(question->form, SURVEY_YESNO) == 0; i++)
        put_result(ctx, question, yes_no[i],
                   find_result(results, question, yes_no[i]));
    for (size_t i = 0; i < results->count; i++)
        if (!results->rows[i].printed &&
            strcmp(results->rows[i].question, question->code) == 0)
            put_result(ctx, question, results->rows[i].category,
                       &results->rows[i]);
}

static void print_results(struct cmd_ctx *ctx, const struct survey *survey,
                          const struct results *results)
{
    out_list_begin(ctx->out);
    out_column(ctx->out, "question", _("question"), OUT_TEXT);
    out_column(ctx->out, "text", _("text"), OUT_TEXT);
    out_column(ctx->out, "category", _("answer"), OUT_TEXT);
    out_column(ctx->out, "value", _("value"),
               look_for_program(ctx) ? OUT_TEXT : OUT_NUMBER);
    out_column(ctx->out, "tallies", _("tallies"), OUT_NUMBER);
    for (size_t i = 0; i < survey->count; i++)
        put_question(ctx, results, &survey->questions[i]);
    for (size_t i = 0; i < results->count; i++)
        if (!results->rows[i].printed)
            put_result(ctx, NULL, results->rows[i].category, &results->rows[i]);
    out_list_end(ctx->out);
}

int survey_results(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_query *query = NULL;
    struct results results = {0};
    struct survey survey;
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, "survey results");
    rc = survey_open(ctx, argv[1], &survey);
    if (rc == 0)
        rc = ent_query_open(ctx->store, results_sql, &query, &ctx->err);
    if (rc == 0) {
        ent_query_bind_int(query, ":space", survey.record.ref.space);
        ent_query_bind(query, ":code", survey.name);
        ent_query_bind(query, ":id", survey.id);
        rc = read_results(ctx, &survey, query, &results);
    }
    if (rc == 0)
        print_results(ctx, &survey, &results);
    ent_query_close(query);
    survey_fini(&survey);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
