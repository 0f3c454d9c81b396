/* undo.c - what the last command wrote, taken back. */
#include "store/undo.h"

#include "cli/args.h"
#include "cli/fields.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "cli/survey.h"

static const char *action(const struct ent_undo_step *step)
{
    switch (step->code) {
    case ENT_OP_ADD:
        return N_("added again");
    case ENT_OP_REMOVE:
        return N_("taken out");
    case ENT_OP_LIVE:
        return N_("brought back");
    case ENT_OP_DEAD:
        return N_("deleted");
    default:
        return step->value.type == ENT_VALUE_NIL ? N_("emptied")
                                                 : N_("written back");
    }
}

static const struct ent_field *field_of(struct cmd_ctx *ctx,
                                        const struct ent_kind *kind,
                                        const struct ent_undo_step *step)
{
    return kind == NULL ? NULL
                        : fields_find(ctx, kind, step->ref.space, step->field);
}

static const char *field_name(struct cmd_ctx *ctx,
                              const struct ent_field *field,
                              const struct ent_undo_step *step)
{
    if (step->field == ENT_FIELD_LIFE)
        return look_for_program(ctx) ? LOOK_LIFE : _("state");
    return look_field_said(ctx, field);
}

static void put_columns(struct out *out)
{
    out_column(out, "kind", _("kind"), OUT_TEXT);
    out_column(out, "code", _("code"), OUT_TEXT);
    out_column(out, "field", _("field"), OUT_TEXT);
    out_column(out, "action", _("what"), OUT_TEXT);
    out_column(out, "value", _("value"), OUT_TEXT);
    out_column(out, "barred_by", _("written since by"), OUT_TEXT);
    out_column(out, "barred", _("on (UTC)"), OUT_TEXT);
    out_column(out, "id", _("id"), OUT_TEXT);
}

/* Who stands in the way, and since when. */
static void put_bar(struct cmd_ctx *ctx, const struct ent_undo_step *step)
{
    char when[LOOK_TIME_TEXT];
    char org[24];

    switch (step->bar) {
    case ENT_UNDO_WRITTEN:
        if (look_for_program(ctx))
            look_rfc3339(step->by_ms, when);
        else
            look_time(ctx, step->by_ms, when);
        out_cell(ctx->out, look_org(ctx, &step->by, org));
        out_cell(ctx->out, when);
        return;
    case ENT_UNDO_GONE:
        out_cell(ctx->out, look_for_program(ctx)
                               ? NULL
                               : _("(what stood before is not here)"));
        out_cell(ctx->out, NULL);
        return;
    case ENT_UNDO_FREE:
        break;
    }
    out_cell(ctx->out, NULL);
    out_cell(ctx->out, NULL);
}

static int print_step(struct cmd_ctx *ctx, const struct ent_undo_step *step)
{
    const struct ent_kind *kind = ent_kind_find(&ctx->kinds, step->ref.kind);
    const struct ent_field *field = field_of(ctx, kind, step);
    struct ent_record record;
    struct ent_buf value = {0};
    struct ent_buf code = {0};
    char id[ENT_ID_TEXT];
    int rc = ent_record_read(ctx->store, &step->ref, &record, &ctx->err);

    if (rc < 0)
        return rc;
    look_put(&record, ENT_FIELD_CODE, &code);
    look_put_written(ctx, field, &step->value, &value);
    out_row(ctx->out);
    out_cell(ctx->out, look_kind_said(ctx, kind));
    out_cell(ctx->out, code.len > 0 ? ent_buf_cstr(&code) : NULL);
    out_cell(ctx->out, field_name(ctx, field, step));
    out_cell(ctx->out, look_for_program(ctx) ? action(step) : _(action(step)));
    out_cell(ctx->out, value.len > 0 ? ent_buf_cstr(&value) : NULL);
    put_bar(ctx, step);
    out_cell(ctx->out, look_id(ctx, &step->ref.id, id));
    ent_buf_fini(&value);
    ent_buf_fini(&code);
    ent_record_fini(&record);
    return 0;
}

/* What is undone, or what stands in the way of it. */
static int print_steps(struct cmd_ctx *ctx, const struct ent_undo *undo)
{
    int rc = 0;

    out_list_begin(ctx->out);
    put_columns(ctx->out);
    for (size_t i = 0; rc == 0 && i < undo->count; i++)
        if (undo->barred == 0 || undo->steps[i].bar != ENT_UNDO_FREE)
            rc = print_step(ctx, &undo->steps[i]);
    out_list_end(ctx->out);
    return rc;
}

static void say_done(struct cmd_ctx *ctx, const struct ent_undo *undo)
{
    char when[LOOK_TIME_TEXT];

    look_time(ctx, undo->at_ms, when);
    if (ctx->dry_run)
        cmd_say(ctx, _("would undo what was written on %s UTC"), when);
    else
        cmd_say(ctx,
                _("undone: what was written on %s UTC; \"undo\" once more "
                  "brings it back"),
                when);
}

/* An ent_undo_check_fn. */
static int check_questions(void *with, const struct ent_undo *undo,
                           struct ent_err *err)
{
    struct cmd_ctx *ctx = with;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < undo->count; i++)
        rc = questions_check_undo(ctx, &undo->steps[i].ref,
                                  undo->steps[i].field);
    if (rc < 0)
        *err = ctx->err;
    return rc;
}

int records_undo(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_undo undo = {0};
    struct ent_err err = {0};
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, "undo");
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = ent_undo_last(ctx->store, ctx->now_ms, ctx->dry_run, check_questions,
                       ctx, &undo, &err);
    if (undo.count > 0 && print_steps(ctx, &undo) < 0 && rc == 0)
        rc = ctx->err.code;
    else if (rc < 0)
        ctx->err = err;
    if (rc == 0) {
        say_done(ctx, &undo);
        if (!ctx->dry_run)
            cmd_poke(ctx);
    }
    ent_undo_fini(&undo);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
