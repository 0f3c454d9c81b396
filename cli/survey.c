/* survey.c - surveys: answers stay on the node that collected them, tallies are
 * records like others, one for each node, question and answer, summed when they
 * are read. A question is written CODE:FORM:TEXT in the survey's field
 * `questions`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/change.h"
#include "cli/flow.h"
#include "cli/look.h"
#include "cli/moves.h"
#include "cli/pick.h"
#include "store/answers.h"
#include "store/query.h"
#include "text/parse.h"

/* Fewer answers than that would tell who gave them. */
#define ANSWERS_LEAST 5
#define QUESTION_CODE_MAX 63
#define TALLY "survey_tally"
#define FORM_TEXT "text"
#define FORM_NUMBER "number"
#define FORM_YESNO "yesno"

struct question {
    char code[QUESTION_CODE_MAX + 1];
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

static void survey_fini(struct survey *survey)
{
    ent_record_fini(&survey->record);
    ent_arena_fini(&survey->arena);
}

/* --------------------------------------------------------------- questions */

static bool is_form(const struct cmd_ctx *ctx, const char *form)
{
    const struct ent_term *terms;

    return strcmp(form, FORM_TEXT) == 0 || strcmp(form, FORM_NUMBER) == 0 ||
           strcmp(form, FORM_YESNO) == 0 ||
           ent_vocab_list(&ctx->vocab, form, &terms) > 0;
}

/* "q7:extent:Did the training help you?" */
static int read_question(struct cmd_ctx *ctx, const char *text,
                         struct question *question)
{
    size_t code = strcspn(text, ":");
    const char *rest = text[code] == ':' ? text + code + 1 : "";
    size_t form = strcspn(rest, ":");

    if (code > 0 && code <= QUESTION_CODE_MAX && form > 0 &&
        form <= ENT_FIELD_NAME_MAX) {
        memcpy(question->code, text, code);
        memcpy(question->form, rest, form);
        question->text = rest[form] == ':' ? rest + form + 1 : "";
        if (ent_field_name_fits(ent_slice_str(question->code)) &&
            is_form(ctx, question->form))
            return 0;
    }
    return ent_err_set(&ctx->err, ENT_EREFUSED,
                       "questions: \"%.60s\" is not of the form "
                       "CODE:FORM:TEXT; a form is text, number, yesno or a "
                       "list of the vocabulary",
                       text);
}

static const char *text_of(struct survey *survey, const struct ent_value *value)
{
    struct ent_buf text = {0};
    const char *copy = NULL;

    if (value != NULL) {
        ent_value_print(value, &text);
        if (ent_buf_cstr(&text) != NULL)
            copy = ent_arena_str(&survey->arena, ent_buf_cstr(&text));
    }
    ent_buf_fini(&text);
    return copy;
}

static int read_questions(struct cmd_ctx *ctx, struct survey *survey)
{
    const struct ent_field *field = ent_field_named(survey->kind, "questions");
    const struct ent_shown **list;
    size_t count = 0;
    int rc = 0;

    if (field == NULL)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "the definition of surveys has no field questions");
    list =
        look_elements(&survey->record, field->number, &survey->arena, &count);
    survey->questions =
        ENT_ARENA_NEW(&survey->arena, struct question, count + 1);
    if (list == NULL || survey->questions == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const char *text = text_of(survey, &list[i]->value);

        rc = text == NULL
                 ? cmd_no_memory(ctx)
                 : read_question(ctx, text, &survey->questions[survey->count]);
        survey->count += rc == 0;
    }
    return rc;
}

static const struct question *find_question(const struct survey *survey,
                                            const char *code, size_t len)
{
    for (size_t i = 0; i < survey->count; i++)
        if (strlen(survey->questions[i].code) == len &&
            strncmp(survey->questions[i].code, code, len) == 0)
            return &survey->questions[i];
    return NULL;
}

static int open_survey(struct cmd_ctx *ctx, const char *name,
                       struct survey *survey)
{
    const struct ent_field *status;
    int rc;

    *survey = (struct survey){0};
    if (cmd_store(ctx) == NULL)
        return ctx->err.code;
    rc = pick_read(ctx, name, &survey->record, &survey->kind);
    if (rc < 0)
        return rc;
    survey->tally = ent_kind_named(&ctx->kinds, TALLY);
    if (strcmp(survey->kind->name, "survey") != 0 || survey->tally == NULL)
        return ent_err_set(&ctx->err, ENT_EREFUSED, "%.60s is no survey", name);
    if (!survey->record.live)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "this record is deleted; \"undelete\" brings it "
                           "back");
    ent_id_text(&survey->record.ref.id, survey->id);
    survey->name = text_of(survey, look_value(&survey->record, ENT_FIELD_CODE));
    if (survey->name == NULL)
        survey->name = survey->id;
    status = ent_field_named(survey->kind, "status");
    if (status != NULL)
        survey->status =
            text_of(survey, look_value(&survey->record, status->number));
    if (survey->status == NULL)
        survey->status = "draft";
    return read_questions(ctx, survey);
}

/* ----------------------------------------------------------------- answers */

static int put_code(struct cmd_ctx *ctx, const struct question *question,
                    struct ent_slice text, struct ent_buf *json)
{
    const struct ent_term *term =
        ent_vocab_said(&ctx->vocab, question->form, text);
    const struct ent_term *terms;
    struct ent_buf codes = {0};
    size_t count;
    int rc;

    if (term != NULL) {
        out_json_string(json, term->code);
        return 0;
    }
    count = ent_vocab_list(&ctx->vocab, question->form, &terms);
    for (size_t i = 0; i < count; i++)
        ent_buf_printf(&codes, "%s%s", i > 0 ? ", " : "", terms[i].code);
    rc = ent_buf_cstr(&codes) == NULL
             ? cmd_no_memory(ctx)
             : ent_err_set(&ctx->err, ENT_EREFUSED,
                           "%s: \"%.*s\" is none of: %s", question->code,
                           text.len > 60 ? 60 : (int)text.len,
                           (const char *)text.at, ent_buf_cstr(&codes));
    ent_buf_fini(&codes);
    return rc;
}

/* Numbers, yes or no, and text are read as fields of these types are. */
static int put_plain(struct cmd_ctx *ctx, const struct question *question,
                     struct ent_slice text, struct ent_buf *json)
{
    const struct ent_field field = {
        .name = question->code,
        .type = strcmp(question->form, FORM_NUMBER) == 0  ? ENT_TYPE_DECIMAL
                : strcmp(question->form, FORM_YESNO) == 0 ? ENT_TYPE_YESNO
                                                          : ENT_TYPE_TEXT,
    };
    struct ent_arena arena = {0};
    struct ent_buf plain = {0};
    struct ent_value value;
    int rc =
        ent_value_parse(&field, &ctx->vocab, text, &arena, &value, &ctx->err);

    if (rc < 0) {
        ent_err_prefix(&ctx->err, "%s", question->code);
    } else {
        ent_value_print(&value, &plain);
        if (ent_buf_cstr(&plain) == NULL)
            rc = cmd_no_memory(ctx);
        else
            out_json_string(json, ent_buf_cstr(&plain));
    }
    ent_buf_fini(&plain);
    ent_arena_fini(&arena);
    return rc;
}

/* QUESTION=ANSWER, or QUESTION=ANSWER|ANSWER for a list. */
static int put_answer(struct cmd_ctx *ctx, const struct question *question,
                      const char *text, struct ent_buf *json)
{
    const struct ent_term *terms;
    bool listed = ent_vocab_list(&ctx->vocab, question->form, &terms) > 0;
    bool first = true;
    int rc = 0;

    ent_buf_put_u8(json, '[');
    while (rc == 0 && *text != '\0') {
        size_t len = listed ? strcspn(text, "|") : strlen(text);
        struct ent_slice one = ent_slice((const uint8_t *)text, len);

        ent_buf_put_str(json, first ? "" : ", ");
        first = false;
        rc = listed ? put_code(ctx, question, one, json)
                    : put_plain(ctx, question, one, json);
        text += len + (text[len] == '|');
    }
    ent_buf_put_u8(json, ']');
    return rc;
}

static int read_answers(struct cmd_ctx *ctx, const struct survey *survey,
                        int argc, char **argv, struct ent_buf *json)
{
    int rc = 0;

    ent_buf_put_u8(json, '{');
    for (int i = 0; rc == 0 && i < argc; i++) {
        size_t len = strcspn(argv[i], "=");
        const struct question *question = find_question(survey, argv[i], len);

        if (argv[i][len] == '\0')
            return ent_err_set(&ctx->err, ENT_EUSAGE,
                               "\"%s\" is not of the form QUESTION=ANSWER",
                               argv[i]);
        if (question == NULL)
            return ent_err_set(&ctx->err, ENT_EREFUSED,
                               "%s has no question \"%.*s\"", survey->name,
                               len > 60 ? 60 : (int)len, argv[i]);
        for (int j = 0; j < i; j++)
            if (strncmp(argv[j], argv[i], len + 1) == 0)
                return ent_err_set(&ctx->err, ENT_EUSAGE, "%s is given twice",
                                   question->code);
        ent_buf_put_str(json, i > 0 ? ", " : "");
        out_json_string(json, question->code);
        ent_buf_put_str(json, ": ");
        rc = put_answer(ctx, question, argv[i] + len + 1, json);
    }
    ent_buf_put_u8(json, '}');
    if (rc == 0 && json->rc < 0)
        rc = cmd_no_memory(ctx);
    return rc;
}

static int cmd_answer(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_buf json = {0};
    struct survey survey;
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc < 3)
        return cmd_usage(ctx, "survey answer");
    rc = open_survey(ctx, argv[1], &survey);
    if (rc == 0 && strcmp(survey.status, "open") != 0)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "%s is not open (%s): \"move\" opens it", survey.name,
                         survey.status);
    if (rc == 0)
        rc = read_answers(ctx, &survey, argc - 2, argv + 2, &json);
    if (rc == 0 && ctx->dry_run)
        cmd_say(ctx, _("would keep: %s"), ent_buf_cstr(&json));
    else if (rc == 0)
        rc = ent_answer_add(ctx->store, survey.record.ref.space,
                            &survey.record.ref.id, ent_buf_slice(&json),
                            &ctx->err);
    ent_buf_fini(&json);
    survey_fini(&survey);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

/* ----------------------------------------------------------------- tallies */

/* How often each answer was given here, of questions that enough people
 * answered. Numbers are counted and summed; text is not. */
static const char tally_sql[] =
    "WITH mine AS (SELECT a.n, q.key AS question, e.value AS answer"
    "   FROM local_answer a JOIN local_space s ON s.space = a.space,"
    "        json_each(a.answers) q, json_each(q.value) e"
    "  WHERE s.name = :space AND ent_uuid(a.survey) = :id"
    "    AND q.key = :question),"
    " enough AS (SELECT count(DISTINCT n) AS people FROM mine)"
    " SELECT answer, count(DISTINCT n) FROM mine, enough"
    "  WHERE people >= CAST(:least AS INTEGER) AND :number IS NULL GROUP BY "
    "answer"
    " UNION ALL SELECT 'count', count(*) FROM mine, enough"
    "  WHERE people >= CAST(:least AS INTEGER) AND :number IS NOT NULL HAVING "
    "count(*) > 0"
    " UNION ALL SELECT 'sum', round(sum(answer), 6) FROM mine, enough"
    "  WHERE people >= CAST(:least AS INTEGER) AND :number IS NOT NULL HAVING "
    "count(*) > 0"
    " ORDER BY 1";

struct tally {
    struct cmd_ctx *ctx;
    struct survey *survey;
    struct ent_writer *writer;
    size_t written;
};

/* One node's count of one answer: the record is named by all of them, so the
 * next tally of this node changes it. */
static int put_tally(struct tally *tally, const struct question *question,
                     const char *answer, const char *number)
{
    struct cmd_ctx *ctx = tally->ctx;
    struct survey *survey = tally->survey;
    const struct ent_key *key = &ent_store_keys(ctx->store)->public;
    struct moves_words words = {0};
    struct change change = {0};
    struct ent_edit edit = {.kind = survey->tally->number,
                            .life = ENT_EDIT_TOUCH};
    enum ent_written written;
    struct ent_edit_op *ops;
    struct ent_buf code = {0};
    int rc;

    ent_buf_printf(&code, "%s/%s/%s/%02x%02x%02x%02x", survey->name,
                   question->code, answer, key->b[0], key->b[1], key->b[2],
                   key->b[3]);
    if (ent_buf_cstr(&code) == NULL)
        return cmd_no_memory(ctx);
    moves_put(&words, "code", ent_buf_cstr(&code));
    moves_put(&words, "survey", survey->name);
    moves_put(&words, "question", question->code);
    moves_put(&words, "dimension", question->form);
    moves_put(&words, "category", answer);
    moves_put(&words, "value", number);
    rc = words.arena.rc < 0
             ? cmd_no_memory(ctx)
             : change_read(ctx, survey->tally, survey->record.ref.space,
                           words.at, words.count, &change);
    if (rc == 0)
        rc = change_ops(ctx, &change, NULL, &ops, &edit.op_count);
    if (rc == 0) {
        edit.ops = ops;
        edit.id = ent_record_named_id(ctx->store, survey->record.ref.space,
                                      survey->tally, ent_buf_slice(&code));
        rc = ent_writer_put(tally->writer, &edit, false, &written, &ctx->err);
        tally->written += rc == 0;
    }
    change_fini(&change);
    moves_words_fini(&words);
    ent_buf_fini(&code);
    return rc;
}

static int tally_question(struct tally *tally, const struct question *question)
{
    struct cmd_ctx *ctx = tally->ctx;
    bool number = strcmp(question->form, FORM_NUMBER) == 0;
    struct ent_query *query = NULL;
    char least[16];
    int rc;

    if (strcmp(question->form, FORM_TEXT) == 0)
        return 0;
    snprintf(least, sizeof(least), "%d", ANSWERS_LEAST);
    rc = ent_query_open(ctx->store, tally_sql, &query, &ctx->err);
    if (rc < 0)
        return rc;
    ent_query_bind(query, ":space",
                   pick_handle(ctx, tally->survey->record.ref.space));
    ent_query_bind(query, ":id", tally->survey->id);
    ent_query_bind(query, ":question", question->code);
    ent_query_bind(query, ":number", number ? "yes" : NULL);
    ent_query_bind(query, ":least", least);
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        char answer[ENT_NAME_BYTES_MAX];

        snprintf(answer, sizeof(answer), "%s", ent_query_text(query, 0));
        rc = put_tally(tally, question, answer, ent_query_text(query, 1));
        if (rc < 0)
            break;
    }
    ent_query_close(query);
    return rc;
}

/* Frees the writer. */
static int write_tally(struct tally *tally)
{
    struct cmd_ctx *ctx = tally->ctx;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < tally->survey->count; i++)
        rc = tally_question(tally, &tally->survey->questions[i]);
    if (rc == 0 && tally->written == 0)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "no question of %s has %d answers here; fewer would "
                         "tell who gave them",
                         tally->survey->name, ANSWERS_LEAST);
    if (rc < 0) {
        ent_writer_abort(tally->writer);
        return rc;
    }
    rc = moves_finish(ctx, tally->writer);
    if (rc == 0)
        cmd_say(ctx,
                ctx->dry_run
                    ? ngettext("would write %zu tally",
                               "would write %zu tallies", tally->written)
                    : ngettext("%zu tally", "%zu tallies", tally->written),
                tally->written);
    return rc;
}

static int cmd_tally(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct survey survey;
    struct tally tally = {.ctx = ctx, .survey = &survey};
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, "survey tally");
    rc = open_survey(ctx, argv[1], &survey);
    if (rc == 0 && strcmp(survey.status, "closed") != 0 &&
        strcmp(survey.status, "tallied") != 0)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "%s is not closed (%s): \"move\" closes it",
                         survey.name, survey.status);
    if (rc == 0)
        rc = ent_writer_open(ctx->store, survey.record.ref.space, ctx->now_ms,
                             &tally.writer, &ctx->err);
    if (rc == 0)
        rc = write_tally(&tally);
    survey_fini(&survey);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

/* ----------------------------------------------------------------- results */

static const char results_sql[] =
    "SELECT question, dimension, category,"
    "       CASE WHEN sum(value) < CAST(:least AS INTEGER)"
    "                 AND category <> 'sum'"
    "            THEN '<' || :least ELSE sum(value) END,"
    "       count(*)"
    "  FROM survey_tallies t JOIN local_space s ON s.space = t.space"
    " WHERE s.name = :space AND survey IN (:code, :id)"
    " GROUP BY question, dimension, category"
    " ORDER BY question, category";

static void put_result(struct cmd_ctx *ctx, const struct survey *survey,
                       struct ent_query *query)
{
    const char *code = ent_query_text(query, 0);
    const struct question *question = find_question(survey, code, strlen(code));
    const struct ent_term *term = ent_vocab_find(
        &ctx->vocab, ent_query_text(query, 1), ent_query_text(query, 2));

    out_row(ctx->out);
    out_cell(ctx->out, code);
    out_cell(ctx->out, question == NULL ? NULL : question->text);
    out_cell(ctx->out, term == NULL || look_for_program(ctx)
                           ? ent_query_text(query, 2)
                           : term->label[ctx->lang]);
    out_cell(ctx->out, ent_query_text(query, 3));
    out_cell(ctx->out, ent_query_text(query, 4));
}

static int print_results(struct cmd_ctx *ctx, const struct survey *survey)
{
    struct ent_query *query = NULL;
    char least[16];
    int rc = ent_query_open(ctx->store, results_sql, &query, &ctx->err);

    if (rc < 0)
        return rc;
    snprintf(least, sizeof(least), "%d", ANSWERS_LEAST);
    ent_query_bind(query, ":space", pick_handle(ctx, survey->record.ref.space));
    ent_query_bind(query, ":code", survey->name);
    ent_query_bind(query, ":id", survey->id);
    ent_query_bind(query, ":least", least);
    out_list_begin(ctx->out);
    out_column(ctx->out, "question", _("question"), OUT_TEXT);
    out_column(ctx->out, "text", _("text"), OUT_TEXT);
    out_column(ctx->out, "category", _("answer"), OUT_TEXT);
    out_column(ctx->out, "value", _("number"), OUT_TEXT);
    out_column(ctx->out, "tallies", _("tallies"), OUT_NUMBER);
    while ((rc = ent_query_next(query, &ctx->err)) > 0)
        put_result(ctx, survey, query);
    out_list_end(ctx->out);
    ent_query_close(query);
    return rc;
}

static int cmd_results(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct survey survey;
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, "survey results");
    rc = open_survey(ctx, argv[1], &survey);
    if (rc == 0)
        rc = print_results(ctx, &survey);
    survey_fini(&survey);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

const struct cmd cmd_surveys[] = {
    {"survey answer", N_("SURVEY QUESTION=ANSWER..."),
     N_("keep one person's answers; they never leave this node"), cmd_answer},
    {"survey tally", N_("SURVEY"),
     N_("count the answers given here, from five up"), cmd_tally},
    {"survey results", N_("SURVEY"), N_("the tallies of all nodes added up"),
     cmd_results},
    {NULL, NULL, NULL, NULL},
};
