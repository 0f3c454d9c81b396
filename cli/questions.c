/* questions.c - what a survey asks: read, and kept from changing once it is
 * asked (survey.h). Only what is written here is refused; whatever comes from
 * others is taken and read as it is. */
#include <string.h>

#include "cli/flow.h"
#include "cli/pick.h"
#include "cli/survey.h"
#include "text/parse.h"

/* ------------------------------------------------------------- one question */

static bool is_form(const struct cmd_ctx *ctx, const char *form)
{
    const struct ent_term *terms;

    return strcmp(form, SURVEY_TEXT) == 0 || strcmp(form, SURVEY_NUMBER) == 0 ||
           strcmp(form, SURVEY_YESNO) == 0 ||
           ent_vocab_list(&ctx->vocab, form, &terms) > 0;
}

static int refuse_form(const struct cmd_ctx *ctx,
                       const struct question *question, struct ent_err *err)
{
    struct pick_near near = {0};

    pick_offer(&near, question->form, SURVEY_TEXT);
    pick_offer(&near, question->form, SURVEY_NUMBER);
    pick_offer(&near, question->form, SURVEY_YESNO);
    for (size_t i = 0; i < ctx->vocab.count; i++)
        pick_offer(&near, question->form, ctx->vocab.terms[i].list);
    if (near.name != NULL)
        return ent_err_set(err, ENT_EREFUSED,
                           "%s: there is no form \"%s\"; did you mean \"%s\"?",
                           question->code, question->form, near.name);
    return ent_err_set(err, ENT_EREFUSED,
                       "%s: there is no form \"%s\"; a form is text, number, "
                       "yesno or a list of the vocabulary",
                       question->code, question->form);
}

/* "q7:extent:Did the training help you?" */
int questions_read(struct cmd_ctx *ctx, const char *text,
                   struct question *question, struct ent_err *err)
{
    size_t code = strcspn(text, ":");
    const char *rest = text[code] == ':' ? text + code + 1 : "";
    size_t form = strcspn(rest, ":");

    *question = (struct question){0};
    if (code > 0 && code <= SURVEY_CODE_MAX && form > 0 &&
        form <= ENT_FIELD_NAME_MAX) {
        memcpy(question->code, text, code);
        memcpy(question->form, rest, form);
        question->text = rest[form] == ':' ? rest + form + 1 : "";
        if (ent_field_name_fits(ent_slice_str(question->code)))
            return is_form(ctx, question->form)
                       ? 0
                       : refuse_form(ctx, question, err);
    }
    return ent_err_set(err, ENT_EREFUSED,
                       "\"%.60s\" is not of the form CODE:FORM:TEXT; a code "
                       "is made of a-z, 0-9 and _, a form is text, number, "
                       "yesno or a list of the vocabulary",
                       text);
}

static const struct ent_field *field_of(const struct cmd_ctx *ctx,
                                        const char *name)
{
    const struct ent_kind *kind = ent_kind_named(&ctx->kinds, SURVEY);

    return kind == NULL ? NULL : ent_field_named(kind, name);
}

int questions_check_value(struct cmd_ctx *ctx, const struct ent_field *field,
                          const struct ent_value *value, struct ent_err *err)
{
    struct question question;
    struct ent_buf text = {0};
    int rc;

    if (field != field_of(ctx, SURVEY_QUESTIONS))
        return 0;
    ent_value_print(value, &text);
    rc = ent_buf_cstr(&text) == NULL
             ? ent_err_set(err, ENT_ENOMEM, "out of memory")
             : questions_read(ctx, ent_buf_cstr(&text), &question, err);
    ent_buf_fini(&text);
    return rc;
}

/* --------------------------------------------------------- all of a survey */

static bool is_questions(const struct ent_kind *kind, uint32_t number)
{
    const struct ent_field *field =
        kind != NULL && strcmp(kind->name, SURVEY) == 0
            ? ent_field_named(kind, SURVEY_QUESTIONS)
            : NULL;

    return field != NULL && field->number == number;
}

static bool is_draft(struct ent_slice state)
{
    return state.len == 0 ||
           ent_slice_equal(state, ent_slice_str(SURVEY_DRAFT));
}

/* A state other than the first: of those that stand, or that it was moved to
 * before somebody set it back by hand. */
static void find_begun(const struct flow_record *read, struct ent_buf *begun)
{
    const struct ent_record *record = read->record;
    const struct ent_field *status = ent_field_named(read->kind, SURVEY_STATUS);

    for (size_t i = 0; status != NULL && i < record->write_count; i++) {
        const struct ent_shown *write = &record->writes[i];

        if (begun->len == 0 && write->field == status->number &&
            write->value.type == ENT_VALUE_TEXT &&
            !is_draft(write->value.bytes))
            ent_buf_put_slice(begun, write->value.bytes);
    }
    for (size_t i = 0; begun->len == 0 && i < read->flow.count; i++)
        if (!is_draft(ent_slice_str(read->flow.steps[i].to)))
            ent_buf_put_str(begun, read->flow.steps[i].to);
}

/* The sentence is in ctx->err. */
static int check_draft(struct cmd_ctx *ctx, const struct ent_kind *kind,
                       const struct ent_record *record)
{
    struct flow_record read = {0};
    struct ent_buf begun = {0};
    int rc = flow_read(ctx, record, kind, &read);

    if (rc == 0)
        find_begun(&read, &begun);
    if (rc == 0 && begun.rc < 0)
        rc = cmd_no_memory(ctx);
    else if (rc == 0 && begun.len > 0)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "questions: this survey is no draft any more (%s), so "
                         "its questions stay as they are: people may have "
                         "answered them; other questions are another survey",
                         ent_buf_cstr(&begun));
    flow_record_fini(&read);
    ent_buf_fini(&begun);
    return rc;
}

int questions_check_undo(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                         uint32_t field)
{
    const struct ent_kind *kind = ent_kind_find(&ctx->kinds, ref->kind);
    struct ent_record record = {0};
    int rc;

    if (!is_questions(kind, field))
        return 0;
    rc = ent_record_read(ctx->store, ref, &record, &ctx->err);
    if (rc == 0)
        rc = check_draft(ctx, kind, &record);
    ent_record_fini(&record);
    return rc;
}

static bool is_removed(const struct ent_shown *write,
                       const struct ent_edit_op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ops[i].code == ENT_OP_REMOVE && ops[i].field == write->field &&
            ent_value_equal(&ops[i].value, &write->value))
            return true;
    return false;
}

static struct ent_slice code_of(const struct ent_value *question)
{
    const uint8_t *at = question->bytes.at;
    const uint8_t *colon = memchr(at, ':', question->bytes.len);

    return ent_slice(at, colon == NULL ? question->bytes.len
                                       : (size_t)(colon - at));
}

/* Whether a question with the code of the one that ops[at] puts in stands and
 * is not taken out, or is put in before it. */
static bool is_asked(const struct ent_record *record,
                     const struct ent_edit_op *ops, size_t count, size_t at)
{
    const struct ent_slice code = code_of(&ops[at].value);

    for (size_t i = 0; i < at; i++)
        if (ops[i].code == ENT_OP_ADD && ops[i].field == ops[at].field &&
            ent_slice_equal(code_of(&ops[i].value), code))
            return true;
    for (size_t i = 0; record != NULL && i < record->write_count; i++) {
        const struct ent_shown *write = &record->writes[i];

        if (write->field == ops[at].field &&
            write->value.type == ENT_VALUE_TEXT &&
            !is_removed(write, ops, count) &&
            ent_slice_equal(code_of(&write->value), code))
            return true;
    }
    return false;
}

int questions_check_change(struct cmd_ctx *ctx, const struct ent_kind *kind,
                           const struct ent_record *record,
                           const struct ent_edit_op *ops, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (!is_questions(kind, ops[i].field))
            continue;
        if (record != NULL)
            rc = check_draft(ctx, kind, record);
        if (rc == 0 && ops[i].code == ENT_OP_ADD &&
            is_asked(record, ops, count, i)) {
            const struct ent_slice code = code_of(&ops[i].value);

            rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                             "questions: there is a question %.*s already; "
                             "each has a code of its own",
                             (int)code.len, (const char *)code.at);
        }
    }
    return rc;
}
