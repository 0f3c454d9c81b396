/* archive.c - records put away and brought back (store/archive.h). */
#include "store/archive.h"

#include "cli/args.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "cli/same.h"

/* When a record was archived; another time than stands there, for one that came
 * back by an edit is archived again. */
static struct ent_value new_time(struct cmd_ctx *ctx,
                                 const struct ent_record *record)
{
    const struct ent_value *last = look_value(record, ENT_FIELD_ARCHIVED);
    int64_t now = ctx->now_ms;

    if (last != NULL && last->type == ENT_VALUE_INT && last->integer == now)
        now++;
    return ent_value_int(now);
}

/* Counts it in `done` unless it was so already. */
static int put_one(struct cmd_ctx *ctx, struct ent_writer *writer,
                   const struct ent_record_ref *ref, const char *name,
                   bool away, size_t *done)
{
    struct ent_record record = {0};
    struct ent_edit_op op = {.code = ENT_OP_WRITE, .field = ENT_FIELD_ARCHIVED};
    const struct ent_edit edit = {
        .kind = ref->kind,
        .id = ref->id,
        .life = ENT_EDIT_TOUCH,
        .ops = &op,
        .op_count = 1,
    };
    enum ent_written written;
    int rc = ent_record_read(ctx->store, ref, &record, &ctx->err);

    if (rc == 0 && !record.live)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "this record is deleted; \"undelete\" brings it back");
    if (rc == 0 && ent_record_archived(&record) == away) {
        cmd_say(ctx,
                away ? _("%s is archived already") : _("%s is not archived"),
                name);
    } else if (rc == 0) {
        op.value = away ? new_time(ctx, &record) : ent_value_nil();
        rc = ent_writer_put(writer, &edit, true, &written, &ctx->err);
        *done += rc == 0;
    }
    if (rc < 0)
        ent_err_prefix(&ctx->err, "%s", name);
    ent_record_fini(&record);
    return rc;
}

static int pick_all(struct cmd_ctx *ctx, char **names, size_t count,
                    struct ent_record_ref *refs)
{
    const struct ent_kind *kind;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = pick_record(ctx, names[i], &refs[i], &kind);
        if (rc == 0)
            rc = same_lead(ctx, &refs[i]);
        if (rc == 0 && refs[i].space != refs[0].space)
            rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                             "%s is in another space than %s: name the records "
                             "of one space at a time",
                             names[i], names[0]);
    }
    return rc;
}

static int put_all(struct cmd_ctx *ctx, char **names, size_t count, bool away)
{
    struct ent_arena arena = {0};
    struct ent_record_ref *refs =
        ENT_ARENA_NEW(&arena, struct ent_record_ref, count);
    struct ent_writer *writer = NULL;
    size_t done = 0;
    int rc =
        refs == NULL ? cmd_no_memory(ctx) : pick_all(ctx, names, count, refs);

    if (rc == 0)
        rc = ent_writer_open(ctx->store, refs[0].space, ctx->now_ms, &writer,
                             &ctx->err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = put_one(ctx, writer, &refs[i], names[i], away, &done);
    if (writer != NULL && (rc < 0 || ctx->dry_run || done == 0)) {
        ent_writer_abort(writer);
    } else if (writer != NULL) {
        rc = ent_writer_commit(writer, &ctx->err);
        if (rc == 0)
            cmd_poke(ctx);
    }
    if (rc == 0 && done > 0 && ctx->dry_run)
        cmd_say(ctx,
                away ? ngettext("would archive %zu record",
                                "would archive %zu records", done)
                     : ngettext("would bring back %zu record",
                                "would bring back %zu records", done),
                done);
    ent_arena_fini(&arena);
    return rc;
}

static int run(struct cmd_ctx *ctx, int argc, char **argv, bool away)
{
    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc < 2)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL ||
        put_all(ctx, argv + 1, (size_t)argc - 1, away) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}

int records_archive(struct cmd_ctx *ctx, int argc, char **argv)
{
    return run(ctx, argc, argv, true);
}

int records_unarchive(struct cmd_ctx *ctx, int argc, char **argv)
{
    return run(ctx, argc, argv, false);
}
