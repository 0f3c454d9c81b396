/* check.c - references that lead nowhere or in a circle (rule M10): display,
 * not state. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/fields.h"
#include "cli/codes.h"
#include "cli/cycles.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "cli/same.h"
#include "store/query.h"
#include "text/parse.h"

static bool has_refs(const struct ent_kind *kind)
{
    for (size_t i = 0; i < kind->field_count; i++)
        if (kind->fields[i].type == ENT_TYPE_REF)
            return true;
    return false;
}

/* What the check has found so far. */
struct findings {
    struct codes targets; /* every record that can be referred to */
    struct cycles cycles;
    struct ent_same *same; /* records that are shown as one */
    size_t same_count;
    struct same_names names; /* what they are called */
    struct ent_arena arena;
    size_t dangling;
};

static void put_finding(struct cmd_ctx *ctx, const struct cycles_edge *edge,
                        const char *problem)
{
    char id[ENT_ID_TEXT];

    out_row(ctx->out);
    out_cell(ctx->out, look_id(ctx, &edge->from, id));
    out_cell(ctx->out, edge->kind->name);
    out_cell(ctx->out, edge->code.len > 0 ? (const char *)edge->code.at : NULL);
    out_cell(ctx->out, pick_handle(ctx, edge->space));
    out_cell(ctx->out, edge->field->name);
    out_cell(ctx->out, (const char *)edge->target.at);
    out_cell(ctx->out, edge->field->targets);
    out_cell(ctx->out, look_for_program(ctx) ? problem : gettext(problem));
}

/* A circle through records that are shown as one is a circle of those. */
static struct ent_id lead_of(const struct findings *findings,
                             const struct ent_record_ref *ref)
{
    const struct ent_same *same =
        ent_same_find(findings->same, findings->same_count, ref);

    return same == NULL ? ref->id : same->lead;
}

/* Of records that are shown as one the lead's reference counts, and another's
 * where the lead has none. */
static int is_shown_here(struct cmd_ctx *ctx, const struct findings *findings,
                         const struct ent_record_ref *ref,
                         const struct ent_field *field, bool *here)
{
    struct ent_record_ref lead = *ref;
    struct ent_record record = {0};
    int rc;

    lead.id = lead_of(findings, ref);
    *here = ent_id_equal(&lead.id, &ref->id);
    if (*here)
        return 0;
    rc = ent_record_read(ctx->store, &lead, &record, &ctx->err);
    *here = rc == 0 && look_value(&record, field->number) == NULL;
    ent_record_fini(&record);
    return rc;
}

static int check_write(struct cmd_ctx *ctx, struct findings *findings,
                       const struct ent_record *record,
                       const struct ent_kind *kind,
                       const struct ent_field *field,
                       const struct ent_shown *write, bool shown)
{
    const struct codes_item *to =
        codes_follow(ctx, &findings->targets, field, &write->value);
    struct cycles_edge edge = {
        .kind = kind,
        .field = field,
        .from = record->ref.id,
        .space = record->ref.space,
        .claimed_ms = write->claimed_ms,
        .dot = write->dot,
    };
    struct ent_record_ref target_ref;
    bool own = to != NULL && to->kind == kind->number && shown &&
               field->rule == ENT_RULE_REGISTER;
    struct ent_buf code = {0};
    struct ent_buf target = {0};
    bool here = true;
    int rc = 0;

    if (to != NULL && !own)
        return 0;
    look_put(record, ENT_FIELD_CODE, &code);
    ent_value_print(&write->value, &target);
    if (ent_buf_cstr(&code) == NULL || ent_buf_cstr(&target) == NULL) {
        rc = cmd_no_memory(ctx);
        goto out;
    }
    edge.code = ent_buf_slice(&code);
    edge.target = ent_buf_slice(&target);
    if (to == NULL && same_shown(ctx, &findings->names, field,
                                 (const char *)edge.target.at) != NULL) {
        /* What it names was deleted, and is shown as another. */
    } else if (own) {
        target_ref = (struct ent_record_ref){
            .space = to->space, .kind = to->kind, .id = to->id};
        edge.from = lead_of(findings, &record->ref);
        edge.to = lead_of(findings, &target_ref);
        rc = is_shown_here(ctx, findings, &record->ref, field, &here);
        if (rc == 0 && here)
            rc = cycles_put(&findings->cycles, &edge, &ctx->err);
    } else {
        put_finding(ctx, &edge, N_("leads nowhere"));
        findings->dangling++;
    }
out:
    ent_buf_fini(&code);
    ent_buf_fini(&target);
    return rc;
}

static int check_record(struct cmd_ctx *ctx, struct findings *findings,
                        const struct ent_kind *kind,
                        const struct ent_record_ref *ref)
{
    struct ent_record record = {0};
    int rc = ent_record_read(ctx->store, ref, &record, &ctx->err);

    if (rc < 0)
        return rc == ENT_ENOTFOUND ? 0 : rc;
    for (size_t i = 0; rc == 0 && i < record.write_count; i++) {
        const struct ent_shown *write = &record.writes[i];
        const struct ent_field *field =
            fields_find(ctx, kind, ref->space, write->field);

        if (field != NULL && field->type == ENT_TYPE_REF && !write->missing &&
            field->number != ENT_FIELD_SAME &&
            write->value.type != ENT_VALUE_NIL)
            rc = check_write(ctx, findings, &record, kind, field, write,
                             i == 0 || write[-1].field != write->field);
    }
    ent_record_fini(&record);
    return rc;
}

static int check_kind(struct cmd_ctx *ctx, struct findings *findings,
                      const struct ent_kind *kind, int64_t space)
{
    struct codes records = {0};
    int rc = codes_load(ctx, &records, kind, space);

    for (size_t i = 0; rc == 0 && i < records.count; i++) {
        const struct ent_record_ref ref = {
            .space = records.items[i].space,
            .kind = kind->number,
            .id = records.items[i].id,
        };

        rc = check_record(ctx, findings, kind, &ref);
    }
    codes_fini(&records);
    return rc;
}

static int put_cycles(struct cmd_ctx *ctx, struct findings *findings,
                      size_t *circles)
{
    int rc = cycles_find(ctx, &findings->cycles, circles);

    for (size_t i = 0; rc == 0 && i < findings->cycles.count; i++)
        put_finding(ctx, &findings->cycles.edges[i],
                    findings->cycles.edges[i].ignored
                        ? N_("in a circle; ignored")
                        : N_("in a circle"));
    return rc;
}

static void put_remarks(struct cmd_ctx *ctx, size_t dangling, size_t circles)
{
    if (dangling == 0)
        out_remark(ctx->out, "%s", _("Every reference leads to a record."));
    else
        out_remark(ctx->out,
                   ngettext("%zu reference leads to no record held here; it "
                            "may lie in a space that is not.",
                            "%zu references lead to no record held here; they "
                            "may lie in spaces that are not.",
                            dangling),
                   dangling);
    if (circles > 0)
        out_remark(ctx->out,
                   ngettext("%zu circle of references; where parents are "
                            "looked up, the one marked is ignored.",
                            "%zu circles of references; where parents are "
                            "looked up, those marked are ignored.",
                            circles),
                   circles);
}

/* Of one space only the circles that do not leave it are found. */
static int check(struct cmd_ctx *ctx, int64_t space)
{
    struct findings findings = {0};
    size_t circles = 0;
    int rc = codes_load_targets(ctx, &findings.targets);

    if (rc == 0)
        rc = ent_same_list(ctx->store, &findings.arena, &findings.same,
                           &findings.same_count, &ctx->err);
    if (rc == 0)
        rc = same_names_load(ctx, 0, &findings.names);
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
    out_column(ctx->out, "problem", _("what is wrong"), OUT_TEXT);
    for (size_t i = 0; rc == 0 && i < ctx->kinds.count; i++)
        if (has_refs(&ctx->kinds.kinds[i]))
            rc = check_kind(ctx, &findings, &ctx->kinds.kinds[i], space);
    if (rc == 0)
        rc = put_cycles(ctx, &findings, &circles);
    out_list_end(ctx->out);
    if (rc == 0)
        put_remarks(ctx, findings.dangling, circles);
out:
    codes_fini(&findings.targets);
    cycles_fini(&findings.cycles);
    same_names_fini(&findings.names);
    ent_arena_fini(&findings.arena);
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
