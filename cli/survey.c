/* survey.c - see survey.h; answers. */
#include "cli/survey.h"

#include <string.h>

#include "cli/args.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "store/answers.h"
#include "text/parse.h"

void survey_fini(struct survey *survey)
{
    ent_record_fini(&survey->record);
    ent_arena_fini(&survey->arena);
}

/* --------------------------------------------------------------- questions */

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
    const struct ent_field *field =
        ent_field_named(survey->kind, SURVEY_QUESTIONS);
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
                 : questions_read(ctx, text, &survey->questions[survey->count],
                                  &ctx->err);
        survey->count += rc == 0;
    }
    return rc;
}

const struct question *survey_question(const struct survey *survey,
                                       const char *code, size_t len)
{
    for (size_t i = 0; i < survey->count; i++)
        if (strlen(survey->questions[i].code) == len &&
            strncmp(survey->questions[i].code, code, len) == 0)
            return &survey->questions[i];
    return NULL;
}

int survey_open(struct cmd_ctx *ctx, const char *name, struct survey *survey)
{
    const struct ent_field *status;
    int rc;

    *survey = (struct survey){0};
    if (cmd_store(ctx) == NULL)
        return ctx->err.code;
    rc = pick_read(ctx, name, &survey->record, &survey->kind);
    if (rc < 0)
        return rc;
    survey->tally = ent_kind_named(&ctx->kinds, SURVEY_TALLY);
    if (strcmp(survey->kind->name, SURVEY) != 0 || survey->tally == NULL)
        return ent_err_set(&ctx->err, ENT_EREFUSED, "%.60s is no survey", name);
    if (!survey->record.live)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "this record is deleted; \"undelete\" brings it "
                           "back");
    ent_id_text(&survey->record.ref.id, survey->id);
    survey->name = text_of(survey, look_value(&survey->record, ENT_FIELD_CODE));
    if (survey->name == NULL)
        survey->name = survey->id;
    status = ent_field_named(survey->kind, SURVEY_STATUS);
    if (status != NULL)
        survey->status =
            text_of(survey, look_value(&survey->record, status->number));
    if (survey->status == NULL)
        survey->status = SURVEY_DRAFT;
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
        .type = strcmp(question->form, SURVEY_NUMBER) == 0  ? ENT_TYPE_DECIMAL
                : strcmp(question->form, SURVEY_YESNO) == 0 ? ENT_TYPE_YESNO
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
        const struct question *question = survey_question(survey, argv[i], len);

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
    rc = survey_open(ctx, argv[1], &survey);
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

const struct cmd cmd_surveys[] = {
    {"survey answer", N_("SURVEY QUESTION=ANSWER..."),
     N_("keep one person's answers; they never leave this node"), cmd_answer},
    {"survey tally", N_("SURVEY"),
     N_("count the answers given here, from five up"), survey_tally},
    {"survey results", N_("SURVEY"), N_("the tallies of all nodes added up"),
     survey_results},
    {NULL, NULL, NULL, NULL},
};
