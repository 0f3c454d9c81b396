/* handover.c - one person's open work goes to another, in one transaction:
 * what is open and names the one names the other, assignments end and begin,
 * and a note tells of it. What is contested is settled first, so nothing is
 * written when anything is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/change.h"
#include "cli/everyday.h"
#include "cli/handover.h"
#include "cli/look.h"
#include "cli/me.h"
#include "cli/pick.h"
#include "cli/same.h"

#define REASON_DEFAULT "replaced"

/* ------------------------------------------------------------------ writing */

/* A conflict is told and counted; the others are looked at, too. */
static int write_item(struct cmd_ctx *ctx, struct handover *handover,
                      struct ent_writer *writer, struct handover_item *item)
{
    struct ent_record_ref ref = {.space = handover->from_ref.space,
                                 .kind = item->kind->number,
                                 .id = item->id};
    struct ent_edit edit = {.kind = ref.kind, .life = ENT_EDIT_TOUCH};
    struct ent_record record = {0};
    struct change change = {0};
    enum ent_written written;
    struct ent_edit_op *ops;
    int rc = change_read(ctx, item->kind, ref.space, item->words, item->count,
                         &change);

    if (rc == 0 && !item->fresh)
        rc = ent_record_read(ctx->store, &ref, &record, &ctx->err);
    if (rc == 0)
        rc = change_ops(ctx, &change, item->fresh ? NULL : &record, &ops,
                        &edit.op_count);
    if (rc == ENT_ECONFLICT) {
        cmd_say(ctx, "%s: %s", item->code, ctx->err.text);
        handover->contested++;
        rc = 0;
    } else if (rc == 0 && handover->contested == 0) {
        if (item->fresh)
            item->id = ent_record_new_id(ctx->store, ref.space, item->kind,
                                         ctx->now_ms);
        edit.id = item->id;
        edit.fresh = item->fresh;
        edit.ops = ops;
        rc = edit.op_count == 0
                 ? 0
                 : ent_writer_put(writer, &edit, false, &written, &ctx->err);
    }
    ent_record_fini(&record);
    change_fini(&change);
    return rc;
}

static int write_items(struct cmd_ctx *ctx, struct handover *handover,
                       struct ent_writer *writer)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < handover->count; i++)
        rc = write_item(ctx, handover, writer, &handover->items[i]);
    if (rc == 0 && handover->contested > 0)
        rc = ent_err_set(&ctx->err, ENT_ECONFLICT,
                         "nothing was handed over: %zu of the fields have "
                         "several values that nobody has settled; see "
                         "\"conflicts\"",
                         handover->contested);
    if (rc < 0 || ctx->dry_run || handover->count == 0) {
        ent_writer_abort(writer);
        return rc;
    }
    rc = ent_writer_commit(writer, &ctx->err);
    if (rc == 0)
        cmd_poke(ctx);
    return rc;
}

static void put_said(struct cmd_ctx *ctx, const struct ent_field *field,
                     const char *text, struct ent_buf *buf)
{
    struct ent_buf value = {0};

    look_put_local(ctx, field, text, &value);
    if (ent_buf_cstr(&value) == NULL)
        buf->rc = value.rc;
    else
        ent_buf_printf(buf, _("%s: %s"), look_field_said(ctx, field),
                       ent_buf_cstr(&value));
    ent_buf_fini(&value);
}

/* FIELD=VALUE, for people "Label: value". */
static void put_word(struct cmd_ctx *ctx, const struct ent_kind *kind,
                     const char *word, struct ent_buf *buf)
{
    char name[ENT_FIELD_NAME_MAX + 1];
    struct ent_buf text = {0};
    size_t len = strcspn(word, "+-=");
    const struct ent_field *field;

    snprintf(name, sizeof(name), "%.*s", (int)len, word);
    field = ent_field_named(kind, name);
    if (field != NULL && word[len] == '=' && !look_for_program(ctx))
        put_said(ctx, field, word + len + 1, &text);
    else
        ent_buf_put_str(&text, word);
    if (ent_buf_cstr(&text) == NULL)
        buf->rc = text.rc;
    else
        out_json_string(buf, ent_buf_cstr(&text));
    ent_buf_fini(&text);
}

static void print_items(struct cmd_ctx *ctx, const struct handover *handover)
{
    out_list_begin(ctx->out);
    out_column(ctx->out, "kind", _("kind"), OUT_TEXT);
    out_column(ctx->out, "code", _("code"), OUT_TEXT);
    out_column(ctx->out, "field", _("field"), OUT_TEXT);
    out_column(ctx->out, "change", _("change"), OUT_LIST);
    out_column(ctx->out, "id", _("id"), OUT_TEXT);
    for (size_t i = 0; i < handover->count; i++) {
        const struct handover_item *item = &handover->items[i];
        struct ent_buf words = {0};
        char id[ENT_ID_TEXT];

        ent_buf_put_u8(&words, '[');
        for (int j = 0; j < item->count; j++) {
            ent_buf_put_str(&words, j > 0 ? "," : "");
            put_word(ctx, item->kind, item->words[j], &words);
        }
        ent_buf_put_u8(&words, ']');
        out_row(ctx->out);
        out_cell(ctx->out, look_kind_said(ctx, item->kind));
        out_cell(ctx->out, *item->code == '\0' ? NULL : item->code);
        out_cell(ctx->out, look_field_said(
                               ctx, ent_field_named(item->kind, item->field)));
        out_cell(ctx->out, ent_buf_cstr(&words));
        out_cell(ctx->out, ctx->dry_run && item->fresh
                               ? NULL
                               : look_id(ctx, &item->id, id));
        ent_buf_fini(&words);
    }
    out_list_end(ctx->out);
}

static int hand_over(struct cmd_ctx *ctx, struct handover *handover)
{
    struct ent_writer *writer;
    int rc = ent_writer_open(ctx->store, handover->from_ref.space, ctx->now_ms,
                             &writer, &ctx->err);

    if (rc < 0)
        return rc;
    rc = handover_find(ctx, handover);
    if (rc == 0 && handover->arena.rc < 0)
        rc = cmd_no_memory(ctx);
    if (rc < 0)
        ent_writer_abort(writer);
    else
        rc = write_items(ctx, handover, writer);
    if (rc < 0)
        return rc;
    print_items(ctx, handover);
    if (handover->count == 0)
        cmd_say(ctx, _("%s has nothing open to hand over"), handover->from);
    else if (ctx->dry_run)
        cmd_say(ctx, "%s", _("this would be written; nothing was"));
    if (handover->elsewhere > 0)
        cmd_say(ctx,
                ngettext("%zu open record lies in another space and stays",
                         "%zu open records lie in other spaces and stay",
                         handover->elsewhere),
                handover->elsewhere);
    if (handover->left > 0)
        cmd_say(ctx,
                ngettext("%zu note of another member stays, who alone may "
                         "change it",
                         "%zu notes of other members stay, who alone may "
                         "change them",
                         handover->left),
                handover->left);
    return 0;
}

/* ------------------------------------------------------------------- command
 */

static int read_people(struct cmd_ctx *ctx, const char *from_name,
                       const char *to_name, struct handover *handover)
{
    struct ent_record_ref to_ref;
    struct ent_buf from = {0};
    struct ent_buf to = {0};
    int rc = me_contact(ctx, from_name, &handover->from_ref);

    if (rc == 0)
        rc = me_contact(ctx, to_name, &to_ref);
    if (rc == 0 && ent_id_equal(&to_ref.id, &handover->from_ref.id))
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         "%s and %s are one and the same contact", from_name,
                         to_name);
    if (rc == 0)
        rc = me_name(ctx, &handover->from_ref, &from);
    if (rc == 0)
        rc = me_name(ctx, &to_ref, &to);
    if (rc == 0) {
        handover->from = ent_arena_str(&handover->arena, ent_buf_cstr(&from));
        handover->to = ent_arena_str(&handover->arena, ent_buf_cstr(&to));
        rc = handover->arena.rc < 0 ? cmd_no_memory(ctx) : 0;
    }
    ent_buf_fini(&from);
    ent_buf_fini(&to);
    return rc;
}

int everyday_handover(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *to = NULL;
    const char *on = NULL;
    const char *reason = REASON_DEFAULT;
    const struct args_option options[] = {
        {.name = "--to", .value = &to},
        {.name = "--on", .value = &on},
        {.name = "--reason", .value = &reason},
    };
    struct handover handover = {0};
    char today[11];
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2 || to == NULL)
        return cmd_usage(ctx, argv[0]);
    rc = me_date(ctx, "--on", on, today, &handover.on);
    if (rc == 0)
        rc = me_term(ctx, "--reason", "end_reason", reason, &handover.arena,
                     &handover.reason);
    if (rc == 0 && cmd_store(ctx) == NULL)
        rc = ctx->err.code;
    if (rc == 0)
        rc = read_people(ctx, argv[1], to, &handover);
    if (rc == 0)
        rc = hand_over(ctx, &handover);
    same_names_fini(&handover.names);
    ent_arena_fini(&handover.arena);
    free(handover.items);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
