/* records.c - records made and changed; the table of every command about
 * records. */
#include "cli/records.h"

#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/change.h"
#include "cli/erase.h"
#include "cli/limits.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/refs.h"
#include "cli/same.h"

/* A dry run goes all the way to the commit, so it fails where the command
 * would, and then writes nothing. Frees the writer. */
static int finish(struct cmd_ctx *ctx, struct ent_writer *writer)
{
    int rc;

    if (ctx->dry_run) {
        ent_writer_abort(writer);
        return 0;
    }
    rc = ent_writer_commit(writer, &ctx->err);
    if (rc == 0)
        cmd_poke(ctx);
    return rc;
}

int records_write(struct cmd_ctx *ctx, struct ent_writer *writer,
                  const struct ent_edit *edit, bool resolve,
                  enum ent_written *written)
{
    int rc = ent_writer_put(writer, edit, resolve, written, &ctx->err);

    if (rc < 0) {
        ent_writer_abort(writer);
        return rc;
    }
    return finish(ctx, writer);
}

/* --------------------------------------------------------------------- add */

static int say_taken(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                     const char *code)
{
    struct ent_record record = {0};
    int rc = ent_record_read(ctx->store, ref, &record, &ctx->err);

    if (rc == 0)
        cmd_say(ctx,
                record.live ? _("there is already a record of this kind with "
                                "the code %s")
                            : _("a deleted record of this kind has the code "
                                "%s; \"undelete\" brings it back"),
                code);
    ent_record_fini(&record);
    return rc;
}

/* Codes are unique by habit, not by rule (M11): say so when one is taken. */
static int warn_of_code(struct cmd_ctx *ctx, int64_t space,
                        const struct change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        const struct change_word *word = &change->words[i];
        struct ent_record_ref found;
        struct ent_buf code = {0};
        size_t count = 0;
        const char *text;
        int rc = 0;

        if (word->field->number != ENT_FIELD_CODE || word->count == 0)
            continue;
        ent_buf_put_slice(&code, word->values[0].bytes);
        text = ent_buf_cstr(&code);
        if (text != NULL)
            rc = ent_record_find(ctx->store, text, space, change->kind->number,
                                 &found, 1, &count, &ctx->err);
        if (rc == 0 && count > 0)
            rc = say_taken(ctx, &found, text);
        ent_buf_fini(&code);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* FIELD= of a new record says nothing. */
static int refuse_nothing(struct cmd_ctx *ctx, const struct change *change)
{
    for (size_t i = 0; i < change->count; i++)
        if (change->words[i].count > 0 && change->words[i].how != CHANGE_REMOVE)
            return 0;
    return ent_err_set(&ctx->err, ENT_EREFUSED,
                       "nothing is said of the new record; give at least one "
                       "field a value");
}

static int add_record(struct cmd_ctx *ctx, int64_t space, struct change *change)
{
    struct ent_edit edit = {
        .kind = change->kind->number,
        .life = ENT_EDIT_TOUCH,
        .fresh = true,
    };
    struct ent_writer *writer;
    enum ent_written written;
    struct ent_edit_op *ops;
    int rc;

    rc = refuse_nothing(ctx, change);
    if (rc == 0)
        rc = limits_change(ctx, change, NULL);
    if (rc == 0)
        rc = warn_of_code(ctx, space, change);
    if (rc == 0)
        rc = change_ops(ctx, change, NULL, &ops, &edit.op_count);
    if (rc == 0)
        rc =
            ent_writer_open(ctx->store, space, ctx->now_ms, &writer, &ctx->err);
    if (rc < 0)
        return rc;
    edit.ops = ops;
    edit.id = ent_record_new_id(ctx->store, space, change->kind, ctx->now_ms);
    rc = records_write(ctx, writer, &edit, false, &written);
    if (rc < 0)
        return rc;
    if (ctx->dry_run) {
        cmd_say(ctx, _("would add to the space %s, kind %s:"),
                pick_handle(ctx, space), change->kind->name);
        change_preview(ctx, change, NULL);
        return 0;
    }
    look_print_id(ctx, &edit.id);
    return 0;
}

static int cmd_add(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *space_name = NULL;
    const struct args_option options[] = {
        {.name = "--space", .value = &space_name},
    };
    struct change change = {0};
    const struct ent_kind *kind;
    int64_t space;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc < 3)
        return cmd_usage(ctx, "add");
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = pick_kind(ctx, argv[1], &kind);
    if (rc == 0)
        rc = pick_writable(ctx, space_name, &space);
    if (rc == 0)
        rc = change_read(ctx, kind, space, argv + 2, argc - 2, &change);
    if (rc == 0)
        rc = refs_check(ctx, &change);
    if (rc == 0)
        rc = add_record(ctx, space, &change);
    change_fini(&change);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

/* --------------------------------------------------------------------- set */

/* What is read here is what the write replaces: both happen under the
 * writer's lock (rule M8). */
static int set_fields(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                      struct change *change)
{
    struct ent_edit edit = {
        .kind = ref->kind,
        .id = ref->id,
        .life = ENT_EDIT_TOUCH,
    };
    struct ent_writer *writer;
    struct ent_record record = {0};
    enum ent_written written = ENT_WRITTEN_NOTHING;
    struct ent_edit_op *ops;
    int rc = ent_writer_open(ctx->store, ref->space, ctx->now_ms, &writer,
                             &ctx->err);

    if (rc < 0)
        return rc;
    rc = ent_record_read(ctx->store, ref, &record, &ctx->err);
    if (rc == 0 && !record.live)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "this record is deleted; \"undelete\" brings it back");
    if (rc == 0)
        rc = limits_change(ctx, change, &record);
    if (rc == 0)
        rc = change_ops(ctx, change, &record, &ops, &edit.op_count);
    if (rc < 0) {
        ent_writer_abort(writer);
        goto out;
    }
    edit.ops = ops;
    if (edit.op_count == 0)
        ent_writer_abort(writer);
    else
        rc = records_write(ctx, writer, &edit, false, &written);
    if (rc < 0)
        goto out;
    if (written == ENT_WRITTEN_NOTHING)
        cmd_say(ctx, _("nothing to change"));
    else if (ctx->dry_run)
        change_preview(ctx, change, &record);
out:
    ent_record_fini(&record);
    return rc;
}

/* Of records shown as one the lead is changed, unless it is another member's
 * and the one that was named is not. */
static int lead_to_write(struct cmd_ctx *ctx, struct ent_record_ref *ref)
{
    struct ent_record_ref lead = *ref;
    int rc = same_lead(ctx, &lead);

    if (rc == 0 &&
        (ent_record_may_change(ctx->store, lead.space, lead.kind, &lead.id) ||
         !ent_record_may_change(ctx->store, ref->space, ref->kind, &ref->id)))
        *ref = lead;
    return rc;
}

static int cmd_set(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct change change = {0};
    const struct ent_kind *kind;
    struct ent_record_ref ref;
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc < 3)
        return cmd_usage(ctx, "set");
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = pick_record(ctx, argv[1], &ref, &kind);
    if (rc == 0)
        rc = lead_to_write(ctx, &ref);
    if (rc == 0)
        rc = change_read(ctx, kind, ref.space, argv + 2, argc - 2, &change);
    if (rc == 0)
        rc = refs_check(ctx, &change);
    if (rc == 0)
        rc = set_fields(ctx, &ref, &change);
    change_fini(&change);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

const struct cmd cmd_records[] = {
    {"kinds", N_("[KIND]"), N_("the kinds of record, or the fields of one"),
     records_kinds},
    {"kinds add-field",
     N_("KIND NAME [--space S] [--type T] [--values LIST|KIND] [--several] "
        "[--loudness ask|quiet] [--personal no|indirect|yes] [--label-en T] "
        "[--label-fr T]"),
     N_("give a kind a field of the space's own (chair only)"),
     records_add_field},
    {"add", N_("KIND [--space S] FIELD=VALUE..."),
     N_("add a record and print its id"), cmd_add},
    {"set", N_("ID FIELD=VALUE... FIELD+=V FIELD-=V FIELD="),
     N_("change fields; += and -= put into and take out of a set"), cmd_set},
    {"edit", N_("ID"), N_("change a record in your editor"), records_edit},
    {"show", N_("ID [--apart]"),
     N_("every value of a record, who wrote it and when"), records_show},
    {"log", N_("ID [--limit N]"),
     N_("the history of a record: what replaced what"), records_log},
    {"list",
     N_("KIND [FIELD=V FIELD!=V FIELD<V FIELD~TEXT...] [--space S] [--sort F] "
        "[--columns F,F] [--limit N] [--archived]"),
     N_("the records of one kind; --sort -F sorts downwards"), records_list},
    {"find", N_("WORDS... [--limit N]"),
     N_("records of every kind that have all the words"), records_find},
    {"delete", N_("ID"), N_("hide a record; its history stays"),
     records_delete},
    {"undelete", N_("ID"), N_("bring a deleted record back"), records_undelete},
    {"erase", N_("ID [--preview | --status] [--reason TEXT] | --status"),
     N_("destroy a record on every node, for good"), records_erase},
    {"archive", N_("ID..."), N_("put records away until somebody changes them"),
     records_archive},
    {"unarchive", N_("ID..."), N_("bring archived records back"),
     records_unarchive},
    {"undo", "", N_("take back what the last command here has written"),
     records_undo},
    {"explain", N_("ID"),
     N_("which nodes have a record, which get it, and why"), records_explain},
    {"conflicts", N_("[--space S] [--check]"),
     N_("what several people wrote without seeing each other"),
     records_conflicts},
    {"resolve", N_("ID FIELD --take N | --value V"),
     N_("settle a conflict with one of its values or another"),
     records_resolve},
    {"duplicates", N_("[KIND] [--space S] [--limit N]"),
     N_("records that may be one and the same, with the reasons"),
     records_duplicates},
    {"merge", N_("ID INTO"),
     N_("show two records as one from now on; \"unmerge\" takes it back"),
     records_merge},
    {"unmerge", N_("ID"), N_("show a merged record by itself again"),
     records_unmerge},
    {"check", N_("[--space S]"),
     N_("references that lead nowhere here, or round in a circle"),
     records_check},
    {NULL, NULL, NULL, NULL},
};
