/* check.c - references that lead nowhere (rule M10): display, not state. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/codes.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "store/query.h"
#include "text/parse.h"

static bool has_refs(const struct ent_kind *kind)
{
    for (size_t i = 0; i < kind->field_count; i++)
        if (kind->fields[i].type == ENT_TYPE_REF)
            return true;
    return false;
}

static void put_dangling(struct cmd_ctx *ctx, const struct ent_record *record,
                         const struct ent_kind *kind,
                         const struct ent_field *field,
                         const struct ent_value *value)
{
    struct ent_buf code = {0};
    struct ent_buf target = {0};
    char id[ENT_ID_TEXT];

    look_put(record, ENT_FIELD_CODE, &code);
    ent_value_print(value, &target);
    out_row(ctx->out);
    out_cell(ctx->out, look_id(ctx, &record->ref.id, id));
    out_cell(ctx->out, kind->name);
    out_cell(ctx->out, code.len > 0 ? ent_buf_cstr(&code) : NULL);
    out_cell(ctx->out, pick_handle(ctx, record->ref.space));
    out_cell(ctx->out, field->name);
    out_cell(ctx->out, ent_buf_cstr(&target));
    out_cell(ctx->out, field->targets);
    ent_buf_fini(&code);
    ent_buf_fini(&target);
}

static int check_record(struct cmd_ctx *ctx, const struct codes *codes,
                        const struct ent_kind *kind,
                        const struct ent_record_ref *ref, size_t *dangling)
{
    struct ent_record record = {0};
    int rc = ent_record_read(ctx->store, ref, &record, &ctx->err);

    if (rc < 0)
        return rc == ENT_ENOTFOUND ? 0 : rc;
    for (size_t i = 0; i < record.write_count; i++) {
        const struct ent_shown *write = &record.writes[i];
        const struct ent_field *field = ent_field_find(kind, write->field);

        if (field == NULL || field->type != ENT_TYPE_REF || write->missing ||
            write->value.type == ENT_VALUE_NIL ||
            codes_follow(ctx, codes, field, &write->value) != NULL)
            continue;
        put_dangling(ctx, &record, kind, field, &write->value);
        (*dangling)++;
    }
    ent_record_fini(&record);
    return 0;
}

static int check_kind(struct cmd_ctx *ctx, const struct codes *targets,
                      const struct ent_kind *kind, int64_t space,
                      size_t *dangling)
{
    struct codes records = {0};
    int rc = codes_load(ctx, &records, kind, space);

    for (size_t i = 0; rc == 0 && i < records.count; i++) {
        const struct ent_record_ref ref = {
            .space = records.items[i].space,
            .kind = kind->number,
            .id = records.items[i].id,
        };

        rc = check_record(ctx, targets, kind, &ref, dangling);
    }
    codes_fini(&records);
    return rc;
}

static int check(struct cmd_ctx *ctx, int64_t space)
{
    struct codes targets = {0};
    size_t dangling = 0;
    int rc = codes_load_targets(ctx, &targets);

    if (rc < 0)
        goto out;
    out_list_begin(ctx->out);
    out_column(ctx->out, "id", _("id"), OUT_TEXT);
    out_column(ctx->out, "kind", _("kind"), OUT_TEXT);
    out_column(ctx->out, "code", _("code"), OUT_TEXT);
    out_column(ctx->out, "space", _("space"), OUT_TEXT);
    out_column(ctx->out, "field", _("field"), OUT_TEXT);
    out_column(ctx->out, "target", _("refers to"), OUT_TEXT);
    out_column(ctx->out, "kinds", _("of kind"), OUT_TEXT);
    for (size_t i = 0; rc == 0 && i < ctx->kinds.count; i++)
        if (has_refs(&ctx->kinds.kinds[i]))
            rc = check_kind(ctx, &targets, &ctx->kinds.kinds[i], space,
                            &dangling);
    out_list_end(ctx->out);
    if (rc == 0 && dangling == 0)
        out_remark(ctx->out, "%s", _("Every reference leads to a record."));
    else if (rc == 0)
        out_remark(ctx->out,
                   ngettext("%zu reference leads to no record held here; it "
                            "may lie in a space that is not.",
                            "%zu references lead to no record held here; they "
                            "may lie in spaces that are not.",
                            dangling),
                   dangling);
out:
    codes_fini(&targets);
    return rc;
}

int records_check(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *space_name = NULL;
    const struct args_option options[] = {
        {.name = "--space", .value = &space_name},
    };
    int64_t space;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, "check");
    if (cmd_store(ctx) == NULL || pick_space(ctx, space_name, &space) < 0 ||
        check(ctx, space) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}
