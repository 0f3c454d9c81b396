/* same_show.c - a group as `show` shows it (same.h). */
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/same.h"

int same_pick(struct cmd_ctx *ctx, const char *name, bool apart,
              struct ent_arena *arena, struct ent_record *record,
              const struct ent_kind **kind, struct same_group *group)
{
    struct ent_record_ref ref;
    struct ent_record_ref *members;
    int rc;

    if (apart)
        return pick_read(ctx, name, record, kind);
    rc = pick_shown(ctx, name, &ref, kind);
    if (rc == 0)
        rc = same_members(ctx, &ref, arena, &members, &group->count);
    if (rc < 0)
        return rc;
    group->members = members;
    rc = same_read(ctx, members, group->count, record);
    return rc < 0 ? rc : same_follow(ctx, *kind, record);
}

static int put_other_json(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                          struct ent_buf *buf)
{
    struct ent_record other = {0};
    char id[ENT_ID_TEXT];
    int rc = ent_record_read(ctx->store, ref, &other, &ctx->err);

    if (rc == 0) {
        ent_id_text(&ref->id, id);
        ent_buf_put_str(buf, "{\"id\": ");
        out_json_string(buf, id);
        ent_buf_put_str(buf, ", \"code\": ");
        look_json(look_value(&other, ENT_FIELD_CODE), buf);
        ent_buf_put_u8(buf, '}');
    }
    ent_record_fini(&other);
    return rc;
}

int same_put_json(struct cmd_ctx *ctx, const struct same_group *group,
                  struct ent_buf *buf)
{
    int rc = 0;

    ent_buf_put_u8(buf, '[');
    for (size_t i = 1; rc == 0 && i < group->count; i++) {
        ent_buf_put_str(buf, i > 1 ? ", " : "");
        rc = put_other_json(ctx, &group->members[i], buf);
    }
    ent_buf_put_u8(buf, ']');
    return rc;
}

static int put_other_row(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                         const struct ent_kind *kind)
{
    struct ent_record other = {0};
    struct ent_buf code = {0};
    struct ent_buf title = {0};
    const struct ent_field *field = ent_field_named(kind, kind->title);
    char id[ENT_ID_TEXT];
    int rc = ent_record_read(ctx->store, ref, &other, &ctx->err);

    if (rc == 0) {
        ent_id_text(&ref->id, id);
        look_put(&other, ENT_FIELD_CODE, &code);
        if (field != NULL)
            look_put(&other, field->number, &title);
        out_row(ctx->out);
        out_cell(ctx->out, ent_buf_cstr(&code));
        out_cell(ctx->out, ent_buf_cstr(&title));
        out_cell(ctx->out, id);
    }
    ent_buf_fini(&code);
    ent_buf_fini(&title);
    ent_record_fini(&other);
    return rc;
}

int same_put_table(struct cmd_ctx *ctx, const struct ent_kind *kind,
                   const struct same_group *group)
{
    int rc = 0;

    if (group->count < 2)
        return 0;
    out_nested_begin(ctx->out, "merged", _("Merged with"));
    out_column(ctx->out, "code", _("code"), OUT_TEXT);
    out_column(ctx->out, "title", _("title"), OUT_TEXT);
    out_column(ctx->out, "id", _("id"), OUT_TEXT);
    for (size_t i = 1; rc == 0 && i < group->count; i++)
        rc = put_other_row(ctx, &group->members[i], kind);
    out_nested_end(ctx->out);
    return rc;
}
