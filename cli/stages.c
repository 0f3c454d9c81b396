/* stages.c - workflows as people and programs see them: which there are, the
 * states of one, the history of a record, and what needs attention. */
#include "cli/stages.h"

#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/countries.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "text/parse.h"

/* ------------------------------------------------------------- which exist */

static void list_workflows(struct cmd_ctx *ctx, const struct ent_workflows *all)
{
    out_list_begin(ctx->out);
    out_column(ctx->out, "name", _("name"), OUT_TEXT);
    out_column(ctx->out, "label", _("label"), OUT_TEXT);
    out_column(ctx->out, "kind", _("kind"), OUT_TEXT);
    out_column(ctx->out, "field", _("field"), OUT_TEXT);
    out_column(ctx->out, "states", _("states"), OUT_NUMBER);
    for (size_t i = 0; i < all->count; i++) {
        const struct ent_workflow *workflow = &all->list[i];

        out_row(ctx->out);
        out_cell(ctx->out, workflow->name);
        out_cell(ctx->out, workflow->label[ctx->lang]);
        out_cell(ctx->out, look_for_program(ctx)
                               ? workflow->kind->name
                               : look_kind_label(ctx, workflow->kind));
        out_cell(ctx->out,
                 workflow->field == NULL ? NULL : workflow->field->name);
        out_cell_int(ctx->out, (int64_t)workflow->state_count);
    }
    out_list_end(ctx->out);
    out_remark(ctx->out, "%s", _("\"workflow NAME\" lists the states of one."));
}

/* A state in a list of them: for programs its name. */
static void put_state(struct cmd_ctx *ctx, const struct ent_state_def *state,
                      struct ent_buf *buf)
{
    struct ent_buf text = {0};

    if (look_for_program(ctx))
        ent_buf_put_str(&text, state->name);
    else
        flow_put_state(ctx, state, &text);
    out_json_string(buf,
                    ent_buf_cstr(&text) == NULL ? "" : ent_buf_cstr(&text));
    ent_buf_fini(&text);
}

static void put_followers(struct cmd_ctx *ctx,
                          const struct ent_workflow *workflow,
                          const char *names, struct ent_buf *buf)
{
    char name[ENT_FIELD_NAME_MAX + 1];
    bool first = true;

    ent_buf_put_u8(buf, '[');
    while (names != NULL && ent_names_next(&names, name)) {
        ent_buf_put_str(buf, first ? "" : ", ");
        put_state(ctx, ent_state_named(workflow, name), buf);
        first = false;
    }
    ent_buf_put_u8(buf, ']');
}

static void put_needs(struct cmd_ctx *ctx, const struct ent_state_def *state,
                      struct ent_buf *buf)
{
    const char *roles = state->approvals;
    char role[ENT_FIELD_NAME_MAX + 1];
    struct ent_buf text = {0};
    struct ent_buf said = {0};
    bool first = true;

    ent_buf_put_u8(buf, '[');
    while (roles != NULL && ent_names_next(&roles, role)) {
        ent_buf_reset(&text);
        ent_buf_reset(&said);
        if (look_for_program(ctx))
            ent_buf_put_str(&said, role);
        else
            flow_put_role(ctx, role, &said);
        ent_buf_printf(&text, _("approval as %s"),
                       ent_buf_cstr(&said) == NULL ? "" : ent_buf_cstr(&said));
        ent_buf_put_str(buf, first ? "" : ", ");
        out_json_string(buf,
                        ent_buf_cstr(&text) == NULL ? "" : ent_buf_cstr(&text));
        first = false;
    }
    for (size_t i = 0; i < state->need_count; i++) {
        ent_buf_put_str(buf, first ? "" : ", ");
        out_json_string(buf, state->needs[i].label[ctx->lang]);
        first = false;
    }
    ent_buf_put_u8(buf, ']');
    ent_buf_fini(&text);
    ent_buf_fini(&said);
}

static void list_states(struct cmd_ctx *ctx,
                        const struct ent_workflow *workflow)
{
    out_list_begin(ctx->out);
    out_column(ctx->out, "state", _("state"), OUT_TEXT);
    out_column(ctx->out, "label", _("label"), OUT_TEXT);
    out_column(ctx->out, "value", _("value"), OUT_TEXT);
    out_column(ctx->out, "begins", _("begins"), OUT_BOOL);
    out_column(ctx->out, "next", _("next"), OUT_LIST);
    out_column(ctx->out, "reason", _("reason"), OUT_TEXT);
    out_column(ctx->out, "needs", _("needs"), OUT_LIST);
    for (size_t i = 0; i < workflow->state_count; i++) {
        const struct ent_state_def *state = &workflow->states[i];
        struct ent_buf next = {0};
        struct ent_buf needs = {0};

        put_followers(ctx, workflow, state->next, &next);
        put_needs(ctx, state, &needs);
        out_row(ctx->out);
        out_cell(ctx->out, state->name);
        out_cell(ctx->out, state->label[ctx->lang]);
        out_cell(ctx->out, state->value);
        out_cell(ctx->out, state->begins ? "1" : "0");
        out_cell(ctx->out, ent_buf_cstr(&next));
        out_cell(ctx->out, state->reason);
        out_cell(ctx->out, ent_buf_cstr(&needs));
        ent_buf_fini(&next);
        ent_buf_fini(&needs);
    }
    out_list_end(ctx->out);
}

/* ---------------------------------------------------------- one record's way
 */

/* The label of a state for people, the name for programs and for a state that
 * a newer program knows. */
static const char *say_state(struct cmd_ctx *ctx, const struct flow_now *now,
                             const char *name)
{
    const struct ent_state_def *state =
        name == NULL ? NULL : ent_state_named(now->workflow, name);

    return state == NULL ? name : flow_label(ctx, state);
}

static bool is_head(const struct flow_now *now, const struct flow_step *step)
{
    for (size_t i = 0; i < now->head_count; i++)
        if (now->heads[i] == step)
            return true;
    return false;
}

/* Who wrote it: the organisation of the transition's author. */
static int put_org(struct cmd_ctx *ctx, const struct flow_record *read,
                   const struct flow_step *step)
{
    const struct ent_kind *kind = ent_kind_named(&ctx->kinds, "transition");
    struct ent_record_ref ref = {.space = read->record->ref.space};
    struct ent_record record = {0};
    char org[24];
    int rc;

    if (kind == NULL || !ent_id_parse(step->id, &ref.id)) {
        out_cell(ctx->out, NULL);
        return 0;
    }
    ref.kind = kind->number;
    rc = ent_record_read(ctx->store, &ref, &record, &ctx->err);
    if (rc == 0)
        out_cell(ctx->out, record.write_count == 0
                               ? NULL
                               : look_org(ctx, &record.writes[0].author, org));
    ent_record_fini(&record);
    return rc;
}

static int put_history(struct cmd_ctx *ctx, const struct flow_record *read)
{
    int rc = 0;

    out_nested_begin(ctx->out, "history", _("History"));
    out_column(ctx->out, "on", _("on"), OUT_DATE);
    out_column(ctx->out, "from", _("from"), OUT_TEXT);
    out_column(ctx->out, "to", _("to"), OUT_TEXT);
    out_column(ctx->out, "by", _("by"), OUT_TEXT);
    out_column(ctx->out, "reason", _("reason"), OUT_TEXT);
    out_column(ctx->out, "note", _("note"), OUT_TEXT);
    out_column(ctx->out, "last", _("last"), OUT_BOOL);
    out_column(ctx->out, "org", _("organisation"), OUT_TEXT);
    for (size_t i = 0; rc == 0 && i < read->flow.count; i++) {
        const struct flow_step *step = &read->flow.steps[i];

        if (step->workflow == NULL ||
            strcmp(step->workflow, read->now.workflow->name) != 0)
            continue;
        out_row(ctx->out);
        out_cell(ctx->out, step->on);
        out_cell(ctx->out, say_state(ctx, &read->now, step->from));
        out_cell(ctx->out, say_state(ctx, &read->now, step->to));
        out_cell(ctx->out, step->by);
        out_cell(ctx->out, step->reason);
        out_cell(ctx->out, step->note);
        out_cell(ctx->out, is_head(&read->now, step) ? "1" : "0");
        rc = put_org(ctx, read, step);
    }
    out_nested_end(ctx->out);
    return rc;
}

static void put_next(struct cmd_ctx *ctx, const struct flow_now *now)
{
    struct ent_buf next = {0};
    bool first = true;

    ent_buf_put_u8(&next, '[');
    for (size_t i = 0; i < now->workflow->state_count; i++) {
        if (!flow_may(now, &now->workflow->states[i]))
            continue;
        ent_buf_put_str(&next, first ? "" : ", ");
        put_state(ctx, &now->workflow->states[i], &next);
        first = false;
    }
    ent_buf_put_u8(&next, ']');
    out_field_as(ctx->out, "next", _("next"), OUT_LIST, ent_buf_cstr(&next));
    ent_buf_fini(&next);
}

static int show_way(struct cmd_ctx *ctx, const struct flow_record *read)
{
    const struct flow_now *now = &read->now;
    struct ent_buf state = {0};
    struct ent_buf marks = {0};
    struct flags flags;
    int rc =
        flags_load(ctx, NULL, read->kind->name, read->code, read->id, &flags);

    if (rc < 0)
        return rc;
    flow_put(ctx, now, &state);
    flags_put(ctx, &flags, pick_handle(ctx, read->record->ref.space), read->id,
              &marks);
    out_object_begin(ctx->out);
    out_field(ctx->out, "id", _("id"), read->id);
    out_field(ctx->out, "code", _("code"), read->code);
    out_field(ctx->out, "kind", _("kind"),
              look_for_program(ctx) ? read->kind->name
                                    : look_kind_label(ctx, read->kind));
    out_field(ctx->out, "workflow", _("workflow"),
              look_for_program(ctx) ? now->workflow->name
                                    : now->workflow->label[ctx->lang]);
    out_field(ctx->out, "state", _("state"),
              state.len > 0 ? ent_buf_cstr(&state) : NULL);
    /* People need not be told that all is well. */
    if (now->contested || look_for_program(ctx))
        out_field_bool(ctx->out, "contested", _("contested"), now->contested);
    if (now->differs || look_for_program(ctx))
        out_field_bool(ctx->out, "differs",
                       _("the field says other than the moves"), now->differs);
    put_next(ctx, now);
    out_field_as(ctx->out, "flags", _("flags"), OUT_LIST, ent_buf_cstr(&marks));
    rc = put_history(ctx, read);
    out_object_end(ctx->out);
    ent_buf_fini(&state);
    ent_buf_fini(&marks);
    flags_fini(&flags);
    return rc;
}

static int show_record(struct cmd_ctx *ctx, const char *name)
{
    struct ent_record record = {0};
    struct flow_record read = {0};
    const struct ent_kind *kind;
    int rc = pick_read(ctx, name, &record, &kind);

    if (rc == 0)
        rc = flow_read(ctx, &record, kind, &read);
    if (rc == 0 && read.now.workflow == NULL)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "this record goes through no workflow; \"workflow\" "
                         "lists those there are");
    if (rc == 0)
        rc = show_way(ctx, &read);
    flow_record_fini(&read);
    ent_record_fini(&record);
    return rc;
}

int stages_workflow(struct cmd_ctx *ctx, int argc, char **argv)
{
    const struct ent_workflows *all;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2)
        return cmd_usage(ctx, "workflow");
    all = flow_workflows(ctx);
    if (all == NULL)
        return cmd_fail(ctx);
    if (argc == 1) {
        list_workflows(ctx, all);
        return CMD_OK;
    }
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->list[i].name, argv[1]) == 0) {
            list_states(ctx, &all->list[i]);
            return CMD_OK;
        }
    }
    if (cmd_store(ctx) == NULL || show_record(ctx, argv[1]) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}

/* ------------------------------------------------------------------- flags */

static int by_flag(const void *a, const void *b)
{
    const struct flag *x = a;
    const struct flag *y = b;
    int order = strcmp(x->flag, y->flag);

    if (order == 0)
        order = strcmp(x->since == NULL ? "" : x->since,
                       y->since == NULL ? "" : y->since);
    return order != 0 ? order : strcmp(x->id, y->id);
}

static void put_flags(struct cmd_ctx *ctx, struct flags *flags,
                      const char *country)
{
    size_t rows = 0;

    if (flags->count > 1)
        qsort(flags->list, flags->count, sizeof(*flags->list), by_flag);

    out_list_begin(ctx->out);
    out_column(ctx->out, "flag", _("what"), OUT_TEXT);
    out_column(ctx->out, "since", _("since"), OUT_DATE);
    out_column(ctx->out, "kind", _("kind"), OUT_TEXT);
    out_column(ctx->out, "code", _("code"), OUT_TEXT);
    out_column(ctx->out, "iso3", _("country"), OUT_TEXT);
    out_column(ctx->out, "space", _("space"), OUT_TEXT);
    out_column(ctx->out, "id", _("id"), OUT_TEXT);
    for (size_t i = 0; i < flags->count; i++) {
        const struct flag *flag = &flags->list[i];
        const struct ent_kind *kind = ent_kind_named(&ctx->kinds, flag->kind);
        char text[ENT_ID_TEXT];
        struct ent_id id;

        if (country != NULL &&
            (flag->iso3 == NULL || strcmp(flag->iso3, country) != 0))
            continue;
        out_row(ctx->out);
        out_cell(ctx->out, look_for_program(ctx) ? flag->flag : flag->label);
        out_cell(ctx->out, flag->since);
        out_cell(ctx->out, kind == NULL || look_for_program(ctx)
                               ? flag->kind
                               : look_kind_label(ctx, kind));
        out_cell(ctx->out, flag->code);
        out_cell(ctx->out, flag->iso3);
        out_cell(ctx->out, flag->space);
        out_cell(ctx->out, ent_id_parse(flag->id, &id) ? look_id(ctx, &id, text)
                                                       : flag->id);
        rows++;
    }
    out_list_end(ctx->out);
    if (rows == 0)
        out_remark(ctx->out, "%s", _("Nothing needs attention."));
}

int stages_flags(struct cmd_ctx *ctx, int argc, char **argv)
{
    static const struct ent_field date = {.name = "on", .type = ENT_TYPE_DATE};
    const char *on = NULL;
    const char *country = NULL;
    const struct args_option options[] = {
        {.name = "--on", .value = &on},
        {.name = "--country", .value = &country},
    };
    const struct ent_kind *kind = NULL;
    struct ent_arena arena = {0};
    struct ent_value value;
    struct flags flags;
    char code[COUNTRIES_CODE];
    int rc = 0;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2)
        return cmd_usage(ctx, "flags");
    if (cmd_store(ctx) == NULL ||
        (argc == 2 && pick_kind(ctx, argv[1], &kind) < 0))
        return cmd_fail(ctx);
    if (on != NULL)
        rc = ent_value_parse(&date, &ctx->vocab, ent_slice_str(on), &arena,
                             &value, &ctx->err);
    if (rc == 0 && on != NULL && strlen(on) != strlen("2019-03-01"))
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "a day is written 2019-03-01, not \"%.20s\"", on);
    if (rc < 0)
        ent_err_prefix(&ctx->err, "--on");
    ent_arena_fini(&arena);
    if (rc == 0)
        rc = countries_ask(ctx, &country, code);
    if (rc == 0)
        rc = flags_load(ctx, on, kind == NULL ? NULL : kind->name, NULL, NULL,
                        &flags);
    if (rc < 0)
        return cmd_fail(ctx);
    put_flags(ctx, &flags, country);
    flags_fini(&flags);
    return CMD_OK;
}
