/* say.c - a message written: in a space, about a record, or in answer to
 * another. */
#include <string.h>

#include "cli/args.h"
#include "cli/change.h"
#include "cli/look.h"
#include "cli/mention.h"
#include "cli/messages.h"
#include "cli/pick.h"
#include "cli/records.h"

/* The words of `add` that make a message. */
#define SAY_WORDS_MAX 8

struct saying {
    int64_t space;
    struct ent_arena arena;
    char *words[SAY_WORDS_MAX];
    int count;
};

static void put_word(struct saying *saying, const char *field,
                     struct ent_slice text)
{
    struct ent_buf word = {0};

    if (text.len == 0)
        return;
    ENT_ASSERT(saying->count < SAY_WORDS_MAX);
    ent_buf_printf(&word, "%s=", field);
    ent_buf_put_slice(&word, text);
    saying->words[saying->count++] =
        (char *)(uintptr_t)ent_arena_copy(&saying->arena, ent_buf_slice(&word))
            .at;
    if (word.rc < 0)
        saying->arena.rc = word.rc;
    ent_buf_fini(&word);
}

/* A record as others will look for it: by its code when that names nothing
 * else, so that it reads well in tables, else by its id. */
static int put_record(struct cmd_ctx *ctx, struct saying *saying,
                      const char *field, const struct ent_record *record)
{
    struct ent_record_ref found[2];
    struct ent_buf code = {0};
    char id[ENT_ID_TEXT];
    size_t count = 0;
    int rc = 0;

    look_put(record, ENT_FIELD_CODE, &code);
    if (code.len > 0 && ent_buf_cstr(&code) != NULL)
        rc = ent_record_find(ctx->store, ent_buf_cstr(&code), 0, 0, found,
                             ENT_ARRAY_LEN(found), &count, &ctx->err);
    ent_id_text(&record->ref.id, id);
    if (rc == 0 || rc == ENT_EAMBIG)
        put_word(saying, field,
                 count == 1 ? ent_buf_slice(&code) : ent_slice_str(id));
    ent_buf_fini(&code);
    return rc == ENT_EAMBIG ? 0 : rc;
}

static void put_value(struct saying *saying, const struct ent_record *record,
                      const char *name, const struct ent_kind *kind)
{
    const struct ent_field *field = ent_field_named(kind, name);
    struct ent_buf text = {0};

    if (field != NULL)
        look_put(record, field->number, &text);
    put_word(saying, name, ent_buf_slice(&text));
    ent_buf_fini(&text);
}

/* An answer belongs where the message is, and to its thread. */
static int put_answer(struct cmd_ctx *ctx, struct saying *saying,
                      const struct ent_record *record,
                      const struct ent_kind *kind)
{
    int rc = put_record(ctx, saying, "reply_to", record);

    if (rc < 0)
        return rc;
    saying->space = record->ref.space;
    put_value(saying, record, "thread", kind);
    put_value(saying, record, "about", kind);
    return 0;
}

/* What --reply-to names must be a message, and where the new one goes. */
static int find_answered(struct cmd_ctx *ctx, struct saying *saying,
                         const char *name)
{
    const int64_t said_in = saying->space;
    const struct ent_kind *kind;
    struct ent_record record;
    int rc = pick_read(ctx, name, &record, &kind);

    if (rc < 0)
        return rc;
    if (kind->number != ENT_KIND_MESSAGE)
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         "--reply-to names a message, and %s is of kind %s",
                         name, kind->name);
    else if (record.ref.space != said_in)
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         "the message answered is in the space %s, where its "
                         "answer belongs too",
                         pick_handle(ctx, record.ref.space));
    else
        rc = put_answer(ctx, saying, &record, kind);
    ent_record_fini(&record);
    return rc;
}

/* A space by its handle or id, else a record; a message is answered. */
static int find_place(struct cmd_ctx *ctx, struct saying *saying,
                      const char *name, const char *reply_to)
{
    const struct ent_kind *kind;
    struct ent_record record;
    int rc = ent_space_find(ctx->store, name, &saying->space, &ctx->err);

    if (rc == ENT_ENOTFOUND) {
        rc = pick_read(ctx, name, &record, &kind);
        if (rc == ENT_ENOTFOUND)
            return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                               "there is no space and no record \"%s\"", name);
        if (rc < 0)
            return rc;
        saying->space = record.ref.space;
        if (kind->number == ENT_KIND_MESSAGE && reply_to == NULL)
            rc = put_answer(ctx, saying, &record, kind);
        else if (reply_to == NULL)
            rc = put_record(ctx, saying, "about", &record);
        ent_record_fini(&record);
    }
    if (rc == 0 && reply_to != NULL)
        rc = find_answered(ctx, saying, reply_to);
    return rc;
}

/* When, by whom, and what. */
static int put_text(struct cmd_ctx *ctx, struct saying *saying,
                    const char *subject, char **words, int count)
{
    struct mention mention;
    struct ent_buf body = {0};
    char now[LOOK_TIME_TEXT];
    int rc = mention_read(ctx, &mention);

    if (rc == 0 && mention.me != NULL)
        put_word(saying, "author_id", ent_slice_str(mention.me));
    mention_fini(&mention);
    if (rc < 0)
        return rc;
    look_rfc3339(ctx->now_ms, now);
    put_word(saying, "sent_at", ent_slice_str(now));
    if (subject != NULL)
        put_word(saying, "subject", ent_slice_str(subject));
    for (int i = 0; i < count; i++)
        ent_buf_printf(&body, "%s%s", i > 0 ? " " : "", words[i]);
    if (ent_buf_cstr(&body) != NULL &&
        strspn(ent_buf_cstr(&body), " \t\r\n") == body.len)
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         "there is nothing to say in an empty text");
    put_word(saying, "body", ent_buf_slice(&body));
    if (rc == 0 && (body.rc < 0 || saying->arena.rc < 0))
        rc = cmd_no_memory(ctx);
    if (rc == 0)
        rc = mention_tell_unknown(ctx, saying->space, ent_buf_cstr(&body));
    ent_buf_fini(&body);
    return rc;
}

static int write_message(struct cmd_ctx *ctx, struct saying *saying)
{
    const struct ent_kind *kind = ent_kind_find(&ctx->kinds, ENT_KIND_MESSAGE);
    struct ent_edit edit = {.kind = ENT_KIND_MESSAGE, .fresh = true};
    struct change change = {0};
    struct ent_writer *writer;
    enum ent_written written;
    struct ent_edit_op *ops;
    int rc;

    if (kind == NULL)
        return ent_err_set(&ctx->err, ENT_EFAIL,
                           "messages are not defined here: the file of their "
                           "kind is missing");
    rc = change_read(ctx, kind, saying->space, saying->words, saying->count,
                     &change);
    if (rc == 0)
        rc = change_ops(ctx, &change, NULL, &ops, &edit.op_count);
    if (rc == 0)
        rc = ent_writer_open(ctx->store, saying->space, ctx->now_ms, &writer,
                             &ctx->err);
    if (rc == 0) {
        edit.ops = ops;
        edit.id =
            ent_record_new_id(ctx->store, saying->space, kind, ctx->now_ms);
        rc = records_write(ctx, writer, &edit, false, &written);
    }
    if (rc == 0 && ctx->dry_run) {
        cmd_say(ctx, _("would say in the space %s:"),
                pick_handle(ctx, saying->space));
        change_preview(ctx, &change, NULL);
    } else if (rc == 0) {
        look_print_id(ctx, &edit.id);
    }
    change_fini(&change);
    return rc;
}

int messages_say(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *subject = NULL;
    const char *reply_to = NULL;
    const struct args_option options[] = {
        {.name = "--subject", .value = &subject},
        {.name = "--reply-to", .value = &reply_to},
    };
    struct saying saying = {0};
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc < 3)
        return cmd_usage(ctx, "say");
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = find_place(ctx, &saying, argv[1], reply_to);
    if (rc == 0)
        rc = put_text(ctx, &saying, subject, argv + 2, argc - 2);
    if (rc == 0)
        rc = write_message(ctx, &saying);
    ent_arena_fini(&saying.arena);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
