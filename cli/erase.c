/* erase.c - a record erased for good: by the chair, by its owner, or asked of
 * the chair by a member (rule E1). */
#include "cli/erase.h"

#include <string.h>

#include "cli/args.h"
#include "cli/change.h"
#include "cli/look.h"
#include "cli/me.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "store/query.h"
#include "store/members.h"

/* ------------------------------------------------------------------ finding */

static bool has_tail(const struct ent_id *id, const char *tail)
{
    char hex[2 * ENT_ID_BYTES + 1];
    size_t len = strlen(tail);

    ent_hex_put(hex, id->b, ENT_ID_BYTES);
    return len >= ENT_ID_TAIL_MIN && len <= 2 * ENT_ID_BYTES &&
           strcasecmp(hex + 2 * ENT_ID_BYTES - len, tail) == 0;
}

/* A record that was imported has an id made of its code (M11). */
static bool had_code(struct cmd_ctx *ctx, const struct ent_erasure *erasure,
                     const char *code)
{
    const struct ent_kind *kind = ent_kind_find(&ctx->kinds, erasure->kind);
    struct ent_id id;

    if (kind == NULL)
        return false;
    id = ent_record_named_id(ctx->store, erasure->space, kind,
                             ent_slice_str(code));
    return ent_id_equal(&id, &erasure->id);
}

int erase_find(struct cmd_ctx *ctx, const char *name,
               struct ent_erasure *erasure)
{
    struct ent_arena arena = {0};
    struct ent_erasure *list;
    struct ent_id id;
    bool full = ent_id_parse(name, &id);
    size_t count;
    int found = 0;
    int rc = ent_erasure_list(ctx->store, 0, &arena, &list, &count, &ctx->err);

    if (strncmp(name, "…", sizeof("…") - 1) == 0)
        name += sizeof("…") - 1;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (!list[i].counts || !(full ? ent_id_equal(&id, &list[i].id)
                                      : has_tail(&list[i].id, name) ||
                                            had_code(ctx, &list[i], name)))
            continue;
        if (found++ > 0)
            rc = ent_err_set(&ctx->err, ENT_EAMBIG,
                             "\"%s\" names several records that are erased; "
                             "say more of the id",
                             name);
        *erasure = list[i];
    }
    ent_arena_fini(&arena);
    return rc < 0 ? rc : found;
}

int erase_say_gone(struct cmd_ctx *ctx, const struct ent_erasure *erasure)
{
    char when[LOOK_TIME_TEXT];
    char text[24];

    look_time(ctx, erasure->claimed_ms, when);
    return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                       "this record was erased for good by %s on %s",
                       look_org(ctx, &erasure->by, text), when);
}

/* ------------------------------------------------------------------- asking */

int erase_requests(struct cmd_ctx *ctx, int64_t space, int64_t *count)
{
    struct ent_query *query;
    int rc;

    *count = 0;
    if (ent_kind_named(&ctx->kinds, ERASE_REQUEST) == NULL)
        return 0;
    rc = ent_query_open(
        ctx->store,
        "SELECT count(DISTINCT r.subject) FROM erase_requests r"
        " WHERE (:space = 0 OR r.space = :space) AND NOT EXISTS"
        " (SELECT 1 FROM erased e WHERE e.space = r.space"
        " AND ent_uuid(e.id) = r.subject AND (e.chair OR e.counts))",
        &query, &ctx->err);
    if (rc < 0)
        return rc;
    ent_query_bind_int(query, ":space", space);
    rc = ent_query_next(query, &ctx->err);
    if (rc > 0)
        *count = ent_query_int(query, 0);
    ent_query_close(query);
    return rc < 0 ? rc : 0;
}

static int put_word(struct ent_arena *arena, char **words, int *count,
                    const char *field, const char *value)
{
    struct ent_buf word = {0};

    ent_buf_printf(&word, "%s=%s", field, value);
    words[(*count)++] = (char *)(uintptr_t)ent_arena_str(
        arena, ent_buf_cstr(&word) == NULL ? "" : ent_buf_cstr(&word));
    ent_buf_fini(&word);
    return arena->rc;
}

static int write_request(struct cmd_ctx *ctx, int64_t space,
                         const struct ent_kind *kind, char **words, int count,
                         struct ent_id *id)
{
    struct ent_edit edit = {.kind = kind->number, .fresh = true};
    struct change change = {0};
    struct ent_writer *writer;
    enum ent_written written;
    struct ent_edit_op *ops;
    int rc = change_read(ctx, kind, space, words, count, &change);

    if (rc == 0)
        rc = change_ops(ctx, &change, NULL, &ops, &edit.op_count);
    if (rc == 0)
        rc =
            ent_writer_open(ctx->store, space, ctx->now_ms, &writer, &ctx->err);
    if (rc == 0) {
        edit.ops = ops;
        edit.id = *id = ent_record_new_id(ctx->store, space, kind, ctx->now_ms);
        rc = records_write(ctx, writer, &edit, false, &written);
    }
    change_fini(&change);
    return rc;
}

static int ask(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
               const char *reason)
{
    const struct ent_kind *kind = ent_kind_named(&ctx->kinds, ERASE_REQUEST);
    struct ent_arena arena = {0};
    char *words[3];
    char today[11];
    char text[ENT_ID_TEXT];
    struct ent_id id;
    int count = 0;
    int rc;

    if (kind == NULL)
        return ent_err_set(&ctx->err, ENT_EFAIL,
                           "requests to erase are not defined here: the file "
                           "of their kind is missing");
    ent_id_text(&ref->id, text);
    cmd_today(ctx, today);
    rc = put_word(&arena, words, &count, "subject", text);
    if (rc == 0)
        rc = put_word(&arena, words, &count, "asked_on", today);
    if (rc == 0 && reason != NULL)
        rc = put_word(&arena, words, &count, "reason", reason);
    if (rc < 0)
        cmd_no_memory(ctx);
    else
        rc = write_request(ctx, ref->space, kind, words, count, &id);
    ent_arena_fini(&arena);
    if (rc < 0)
        return rc;
    if (ctx->dry_run) {
        cmd_say(ctx, _("would ask the chair to erase it"));
        return 0;
    }
    look_print_id(ctx, &id);
    cmd_say(ctx,
            _("the chair of %s is asked to erase it; until then it "
              "stands"),
            pick_handle(ctx, ref->space));
    return 0;
}

/* ------------------------------------------------------------------ erasing */

static int erase(struct cmd_ctx *ctx, const struct ent_record_ref *ref)
{
    int rc = ent_record_erase(ctx->store, ref, ctx->now_ms, &ctx->err);

    if (rc < 0)
        return rc;
    cmd_poke(ctx);
    look_print_id(ctx, &ref->id);
    cmd_say(ctx, _("erased for good; the other nodes follow as they hear of "
                   "it: \"erase ID --status\" names them"));
    cmd_say(ctx, _("what people copied is not reached: backups, snapshots, "
                   "exports, and what a former member has"));
    rc = ent_store_scrub(ctx->store, &ctx->err);
    if (rc == 0)
        cmd_say(ctx, _("another program reads the replica: its file is not "
                       "free of it yet, and will be at the next session"));
    else if (rc < 0)
        cmd_say(ctx,
                _("its file is not free of it yet (%s), and will be at "
                  "the next session"),
                ctx->err.text);
    return 0;
}

static int decide(struct cmd_ctx *ctx, const char *name, const char *reason,
                  bool preview)
{
    const struct ent_kind *kind;
    struct ent_record_ref ref;
    enum ent_may_erase may = ENT_MAY_ERASE_NOT;
    int rc = pick_record(ctx, name, &ref, &kind);

    if (rc == 0)
        rc = ent_may_erase(ctx->store, &ref, &may, &ctx->err);
    if (rc < 0)
        return rc;
    if (preview)
        return erase_preview(ctx, &ref, kind);
    if (may == ENT_MAY_ERASE_NOT)
        return ent_err_set(&ctx->err, ENT_EDENIED,
                           "this node only reads the space %s: ask its chair "
                           "by telephone or letter to erase the record",
                           pick_handle(ctx, ref.space));
    if (may == ENT_MAY_ERASE_ASK)
        return ask(ctx, &ref, reason);
    if (reason != NULL)
        cmd_say(ctx, _("nobody has to be asked: the reason is not kept"));
    if (may == ENT_MAY_ERASE_CHAIR)
        rc = ent_space_check_met(ctx->store, ref.space, &ctx->err);
    if (rc == 0 && ctx->dry_run)
        return erase_preview(ctx, &ref, kind);
    return rc == 0 ? erase(ctx, &ref) : rc;
}

static int status(struct cmd_ctx *ctx, const char *name)
{
    const struct ent_kind *kind;
    struct ent_erasure erasure;
    struct ent_record_ref ref;
    int rc;

    if (name == NULL)
        return erase_status_all(ctx);
    rc = erase_find(ctx, name, &erasure);
    if (rc > 0)
        return erase_status(ctx, &erasure);
    if (rc == 0)
        rc = pick_record(ctx, name, &ref, &kind);
    if (rc == 0)
        rc = ent_err_set(&ctx->err, ENT_ENOTFOUND,
                         "\"%s\" is not erased; \"erase %s --preview\" says "
                         "what that would do",
                         name, name);
    return rc;
}

int records_erase(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *reason = NULL;
    bool preview = false;
    bool shows = false;
    const struct args_option options[] = {
        {.name = "--preview", .flag = &preview},
        {.name = "--status", .flag = &shows},
        {.name = "--reason", .value = &reason},
    };
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2 || (argc < 2 && !shows) || (preview && shows))
        return cmd_usage(ctx, "erase");
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = shows ? status(ctx, argc < 2 ? NULL : argv[1])
               : decide(ctx, argv[1], reason, preview);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
