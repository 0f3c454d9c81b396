/* merge.c - two records shown as one, and apart again (rule M11). Nothing is
 * moved: what each says stays with it, so it can always be taken back. */
#include "cli/args.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "cli/same.h"

/* One write of `same_as`. A deleted record stays deleted. */
static int put_one(struct cmd_ctx *ctx, struct ent_writer *writer,
                   const struct ent_record_ref *of,
                   const struct ent_same_write *write)
{
    const struct ent_record_ref ref = {
        .space = of->space, .kind = of->kind, .id = write->id};
    const struct ent_edit_op op = {
        .code = ENT_OP_WRITE,
        .field = ENT_FIELD_SAME,
        .value = ent_id_is_zero(&write->to)
                     ? ent_value_nil()
                     : ent_value_bytes(ent_slice(write->to.b, ENT_ID_BYTES)),
    };
    struct ent_edit edit = {
        .kind = ref.kind,
        .id = ref.id,
        .life = ENT_EDIT_TOUCH,
        .ops = &op,
        .op_count = 1,
    };
    enum ent_written written;
    struct ent_record record = {0};
    int rc = ent_record_read(ctx->store, &ref, &record, &ctx->err);

    if (rc < 0)
        return rc;
    if (!record.live)
        edit.life = ENT_EDIT_DELETE;
    ent_record_fini(&record);
    return ent_writer_put(writer, &edit, true, &written, &ctx->err);
}

/* Commits, or with --dry-run drops, the writes of a plan; frees the writer. */
static int write_plan(struct cmd_ctx *ctx, struct ent_writer *writer,
                      const struct ent_record_ref *of,
                      const struct ent_same_write *writes, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = put_one(ctx, writer, of, &writes[i]);
    if (rc < 0 || ctx->dry_run || count == 0) {
        ent_writer_abort(writer);
        return rc;
    }
    rc = ent_writer_commit(writer, &ctx->err);
    if (rc == 0)
        cmd_poke(ctx);
    return rc;
}

static int check_live(struct cmd_ctx *ctx, const struct ent_record_ref *ref)
{
    struct ent_record record = {0};
    int rc = ent_record_read(ctx->store, ref, &record, &ctx->err);

    if (rc == 0 && !record.live)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "this record is deleted; \"undelete\" brings it back");
    ent_record_fini(&record);
    return rc;
}

/* Prints the id that both are shown under. */
static int merge(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                 const struct ent_record_ref *into, const char *name,
                 const char *into_name)
{
    struct ent_same_write *writes = NULL;
    struct ent_arena arena = {0};
    struct ent_record_ref lead = *into;
    struct ent_writer *writer;
    size_t count = 0;
    int rc = check_live(ctx, ref);

    if (rc == 0)
        rc = check_live(ctx, into);
    if (rc == 0)
        rc = ent_writer_open(ctx->store, ref->space, ctx->now_ms, &writer,
                             &ctx->err);
    if (rc < 0)
        return rc;
    rc = ent_same_plan_join(ctx->store, ref, into, &arena, &writes, &count,
                            &ctx->err);
    if (rc < 0)
        ent_writer_abort(writer);
    else
        rc = write_plan(ctx, writer, ref, writes, count);
    ent_arena_fini(&arena);
    if (rc == 0 && count == 0)
        cmd_say(ctx, "%s", _("these are shown as one already"));
    if (rc == 0 && count > 0 && ctx->dry_run) {
        cmd_say(ctx, _("would merge %s into %s"), name, into_name);
        return 0;
    }
    if (rc == 0)
        rc = same_lead(ctx, &lead);
    if (rc == 0)
        look_print_id(ctx, &lead.id);
    return rc;
}

int records_merge(struct cmd_ctx *ctx, int argc, char **argv)
{
    const struct ent_kind *kind;
    struct ent_record_ref ref, into;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 3)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL || pick_record(ctx, argv[1], &ref, &kind) < 0 ||
        pick_record(ctx, argv[2], &into, &kind) < 0 ||
        merge(ctx, &ref, &into, argv[1], argv[2]) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}

static int unmerge(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                   const char *name)
{
    struct ent_same_write *writes = NULL;
    struct ent_arena arena = {0};
    struct ent_writer *writer;
    size_t count = 0;
    int rc = ent_writer_open(ctx->store, ref->space, ctx->now_ms, &writer,
                             &ctx->err);

    if (rc < 0)
        return rc;
    rc =
        ent_same_plan_part(ctx->store, ref, &arena, &writes, &count, &ctx->err);
    if (rc < 0)
        ent_writer_abort(writer);
    else
        rc = write_plan(ctx, writer, ref, writes, count);
    ent_arena_fini(&arena);
    if (rc == 0 && count == 0)
        cmd_say(ctx, "%s", _("this record is merged with no other"));
    else if (rc == 0 && ctx->dry_run)
        cmd_say(ctx, _("would show %s by itself"), name);
    return rc;
}

int records_unmerge(struct cmd_ctx *ctx, int argc, char **argv)
{
    const struct ent_kind *kind;
    struct ent_record_ref ref;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL || pick_record(ctx, argv[1], &ref, &kind) < 0 ||
        unmerge(ctx, &ref, argv[1]) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}
