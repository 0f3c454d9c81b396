/* kinds.c - the kinds of record and the fields of one. */
#include <string.h>

#include "cli/args.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"

/* As programs know a type, and for people. */
struct type_name {
    const char *name;
    const char *label;
};

static const struct type_name types[] = {
    [ENT_TYPE_TEXT] = {"text", N_("text")},
    [ENT_TYPE_CODE] = {"code", N_("code")},
    [ENT_TYPE_ENUM] = {"enum", N_("term of a list")},
    [ENT_TYPE_REF] = {"ref", N_("reference")},
    [ENT_TYPE_DATE] = {"date", N_("date")},
    [ENT_TYPE_DATETIME] = {"datetime", N_("date and time")},
    [ENT_TYPE_INTEGER] = {"integer", N_("whole number")},
    [ENT_TYPE_DECIMAL] = {"decimal", N_("decimal number")},
    [ENT_TYPE_YESNO] = {"yesno", N_("yes or no")},
};

static void list_kinds(struct cmd_ctx *ctx)
{
    out_list_begin(ctx->out);
    out_column(ctx->out, "name", _("name"), OUT_TEXT);
    out_column(ctx->out, "label", _("label"), OUT_TEXT);
    out_column(ctx->out, "fields", _("fields"), OUT_NUMBER);
    out_column(ctx->out, "owned", _("changed by its author only"), OUT_BOOL);
    for (size_t i = 0; i < ctx->kinds.count; i++) {
        const struct ent_kind *kind = &ctx->kinds.kinds[i];

        out_row(ctx->out);
        out_cell(ctx->out, kind->name);
        out_cell(ctx->out, look_kind_label(ctx, kind));
        out_cell_int(ctx->out, (int64_t)kind->field_count);
        out_cell(ctx->out, kind->owned ? "1" : "0");
    }
    out_list_end(ctx->out);
    out_remark(ctx->out, "%s", _("\"kinds KIND\" lists the fields of one."));
}

/* The codes of an enumeration or the kinds a reference may name, as a JSON
 * array. */
static void put_choices(struct cmd_ctx *ctx, const struct ent_field *field,
                        struct ent_buf *buf)
{
    const struct ent_term *terms = NULL;
    const char *targets = field->targets == NULL ? "" : field->targets;
    size_t count = 0;

    if (field->type == ENT_TYPE_ENUM)
        count = ent_vocab_list(&ctx->vocab, field->list, &terms);
    ent_buf_put_u8(buf, '[');
    for (size_t i = 0; i < count; i++) {
        ent_buf_put_str(buf, i > 0 ? ", " : "");
        out_json_string(buf, terms[i].code);
    }
    while (field->type == ENT_TYPE_REF && *targets != '\0') {
        size_t len = strcspn(targets, "|");

        /* Kind names are made of a-z, 0-9 and _. */
        ent_buf_printf(buf, "\"%.*s\"", (int)len, targets);
        targets += len + (targets[len] == '|');
        ent_buf_put_str(buf, *targets == '\0' ? "" : ", ");
    }
    ent_buf_put_u8(buf, ']');
}

static void put_rules(struct cmd_ctx *ctx, const struct ent_field *field)
{
    const struct type_name *type = &types[field->type];
    bool set = field->rule == ENT_RULE_SET;
    bool ask = field->loud == ENT_LOUD_ASK;

    if (look_for_program(ctx)) {
        out_cell(ctx->out, type->name);
        out_cell(ctx->out, set ? "set" : "register");
        out_cell(ctx->out, ask ? "ask" : "quiet");
        return;
    }
    out_cell(ctx->out, gettext(type->label));
    out_cell(ctx->out, set ? _("several values") : _("one value"));
    out_cell(ctx->out, set ? NULL : ask ? _("asks") : _("shows the latest"));
}

static void list_fields(struct cmd_ctx *ctx, const struct ent_kind *kind)
{
    out_list_begin(ctx->out);
    out_column(ctx->out, "name", _("name"), OUT_TEXT);
    if (!look_for_program(ctx))
        out_column(ctx->out, "label", _("label"), OUT_TEXT);
    out_column(ctx->out, "type", _("type"), OUT_TEXT);
    out_column(ctx->out, "rule", _("rule"), OUT_TEXT);
    out_column(ctx->out, "loudness", _("on conflict"), OUT_TEXT);
    out_column(ctx->out, "values", _("values"), OUT_LIST);
    if (look_for_program(ctx)) {
        out_column(ctx->out, "label_en", "label_en", OUT_TEXT);
        out_column(ctx->out, "label_fr", "label_fr", OUT_TEXT);
    }
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct ent_field *field = &kind->fields[i];
        struct ent_buf choices = {0};

        put_choices(ctx, field, &choices);
        out_row(ctx->out);
        out_cell(ctx->out, field->name);
        if (!look_for_program(ctx))
            out_cell(ctx->out, look_field_label(ctx, field));
        put_rules(ctx, field);
        out_cell(ctx->out, ent_buf_cstr(&choices));
        if (look_for_program(ctx)) {
            out_cell(ctx->out, field->label[ENT_LANG_EN]);
            out_cell(ctx->out, field->label[ENT_LANG_FR]);
        }
        ent_buf_fini(&choices);
    }
    out_list_end(ctx->out);
}

int records_kinds(struct cmd_ctx *ctx, int argc, char **argv)
{
    const struct ent_kind *kind;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2)
        return cmd_usage(ctx, "kinds");
    if (argc == 1) {
        list_kinds(ctx);
        return CMD_OK;
    }
    if (pick_kind(ctx, argv[1], &kind) < 0)
        return cmd_fail(ctx);
    list_fields(ctx, kind);
    return CMD_OK;
}
