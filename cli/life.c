/* life.c - records hidden and brought back (rule M6). What is shown as one is
 * deleted and comes back as one, in one entry: a deletion that took the lead
 * alone would put the record it was merged with back into every list (M11). */
#include <string.h>

#include "cli/args.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "cli/same.h"

struct life {
    enum ent_edit_life how;
    struct ent_record_ref *refs; /* that it is done to, the named one first */
    size_t count;
    size_t staying; /* records that it is shown with and that stay */
    struct ent_record_ref lead; /* of these */
    bool settled;               /* the named one is so already */
    struct ent_arena arena;
};

/* ---------------------------------------------------------------- with whom */

/* Whether one entry deleted both. */
static bool went_together(const struct ent_record *a,
                          const struct ent_record *b)
{
    for (size_t i = 0; i < a->write_count; i++)
        for (size_t j = 0; j < b->write_count; j++)
            if (a->writes[i].field == ENT_FIELD_LIFE &&
                b->writes[j].field == ENT_FIELD_LIFE &&
                a->writes[i].dot.n == b->writes[j].dot.n)
                return true;
    return false;
}

static bool is_named(const struct life *life, const struct ent_same *same)
{
    return ent_id_equal(&same->ref.id, &life->refs[0].id);
}

/* All that live, when the one that leads is named. */
static void take_living(struct life *life, const struct ent_same *group,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ent_same *same = &group[i];

        if (is_named(life, same) || !same->live)
            continue;
        life->lead = same->ref;
        life->lead.id = same->lead;
        if (ent_id_equal(&same->lead, &life->refs[0].id))
            life->refs[life->count++] = same->ref;
        else
            life->staying++;
    }
}

/* Those that were deleted with the one that is named. */
static int take_deleted(struct cmd_ctx *ctx, struct life *life,
                        const struct ent_record *named,
                        const struct ent_same *group, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_record record = {0};

        if (is_named(life, &group[i]) || group[i].live)
            continue;
        rc = ent_record_read(ctx->store, &group[i].ref, &record, &ctx->err);
        if (rc == 0 && went_together(named, &record))
            life->refs[life->count++] = group[i].ref;
        ent_record_fini(&record);
    }
    return rc;
}

/* Under the writer's lock: what is seen here is what the writes replace. */
static int find_records(struct cmd_ctx *ctx, struct life *life,
                        const struct ent_record_ref *named)
{
    struct ent_record record = {0};
    struct ent_same *group;
    size_t count = 0;
    int rc = ent_record_read(ctx->store, named, &record, &ctx->err);

    if (rc == 0)
        rc = ent_same_group(ctx->store, named, &life->arena, &group, &count,
                            &ctx->err);
    if (rc < 0)
        goto out;
    life->settled = record.live == (life->how == ENT_EDIT_UNDELETE) &&
                    !record.life_contested;
    life->refs = ENT_ARENA_NEW(&life->arena, struct ent_record_ref, count + 1);
    if (life->refs == NULL) {
        rc = cmd_no_memory(ctx);
        goto out;
    }
    life->refs[life->count++] = *named;
    if (life->how == ENT_EDIT_DELETE && record.live)
        take_living(life, group, count);
    else if (life->how == ENT_EDIT_UNDELETE && !record.live)
        rc = take_deleted(ctx, life, &record, group, count);
out:
    ent_record_fini(&record);
    return rc;
}

/* ------------------------------------------------------------------- saying */

/* The code of the record that leads those that stay, or its id. */
static int say_staying(struct cmd_ctx *ctx, const struct life *life)
{
    struct ent_record lead = {0};
    struct ent_buf text = {0};
    char id[ENT_ID_TEXT];
    int rc = ent_record_read(ctx->store, &life->lead, &lead, &ctx->err);

    if (rc == 0) {
        look_put(&lead, ENT_FIELD_CODE, &text);
        ent_id_text(&life->lead.id, id);
        cmd_say(ctx,
                _("this record alone; what it is merged with is shown still: "
                  "%s"),
                text.len > 0 && ent_buf_cstr(&text) != NULL
                    ? ent_buf_cstr(&text)
                    : id);
    }
    ent_buf_fini(&text);
    ent_record_fini(&lead);
    return rc;
}

static int say_done(struct cmd_ctx *ctx, const struct life *life,
                    const char *name)
{
    bool back = life->how == ENT_EDIT_UNDELETE;

    if (life->settled) {
        cmd_say(ctx, back ? _("this record is not deleted")
                          : _("this record is deleted already"));
        return 0;
    }
    if (life->count > 1 && ctx->dry_run)
        cmd_say(ctx,
                back ? _("would bring back %zu records that are shown as one")
                     : _("would delete %zu records that are shown as one"),
                life->count);
    else if (life->count > 1)
        cmd_say(ctx,
                back ? _("brought back: %zu records that are shown as one")
                     : _("deleted: %zu records that are shown as one"),
                life->count);
    else if (ctx->dry_run)
        cmd_say(ctx, back ? _("would bring back %s") : _("would delete %s"),
                name);
    return life->staying > 0 ? say_staying(ctx, life) : 0;
}

/* ----------------------------------------------------------------- commands */

static int write_all(struct cmd_ctx *ctx, struct ent_writer *writer,
                     const struct life *life)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < life->count; i++) {
        const struct ent_edit edit = {.kind = life->refs[i].kind,
                                      .id = life->refs[i].id,
                                      .life = life->how};
        enum ent_written written;

        rc = ent_writer_put(writer, &edit, true, &written, &ctx->err);
    }
    return rc;
}

static int set_life(struct cmd_ctx *ctx, const char *name, struct life *life)
{
    const struct ent_kind *kind;
    struct ent_record_ref ref;
    struct ent_writer *writer;
    int rc = life->how == ENT_EDIT_UNDELETE
                 ? pick_deleted(ctx, name, &ref, &kind)
                 : pick_record(ctx, name, &ref, &kind);

    if (rc == 0)
        rc = ent_writer_open(ctx->store, ref.space, ctx->now_ms, &writer,
                             &ctx->err);
    if (rc < 0)
        return rc;
    rc = find_records(ctx, life, &ref);
    if (rc == 0 && !life->settled)
        rc = write_all(ctx, writer, life);
    if (rc < 0 || life->settled || ctx->dry_run) {
        ent_writer_abort(writer);
    } else {
        rc = ent_writer_commit(writer, &ctx->err);
        if (rc == 0)
            cmd_poke(ctx);
    }
    return rc == 0 ? say_done(ctx, life, name) : rc;
}

static int run(struct cmd_ctx *ctx, int argc, char **argv,
               enum ent_edit_life how)
{
    struct life life = {.how = how};
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    rc = cmd_store(ctx) == NULL ? ctx->err.code : set_life(ctx, argv[1], &life);
    ent_arena_fini(&life.arena);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

int records_delete(struct cmd_ctx *ctx, int argc, char **argv)
{
    return run(ctx, argc, argv, ENT_EDIT_DELETE);
}

int records_undelete(struct cmd_ctx *ctx, int argc, char **argv)
{
    return run(ctx, argc, argv, ENT_EDIT_UNDELETE);
}
