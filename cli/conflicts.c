/* conflicts.c - what several people wrote without seeing each other, and how
 * it is settled. */
#include "cli/conflicts.h"

#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/fields.h"
#include "cli/change.h"
#include "cli/look.h"
#include "cli/moves.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "store/peers.h"
#include "text/parse.h"

int conflict_read(struct cmd_ctx *ctx, const struct ent_record *record,
                  const struct ent_kind *kind, const struct ent_field *field,
                  struct ent_arena *arena, struct conflict *conflict)
{
    uint32_t number = field == NULL ? ENT_FIELD_LIFE : field->number;

    *conflict =
        (struct conflict){.record = record, .kind = kind, .field = field};
    conflict->values = look_values(record, number, arena, &conflict->count);
    if (conflict->values == NULL)
        return cmd_no_memory(ctx);
    return 0;
}

/* What a deleted record says is nobody's business until it is brought back. */
int conflict_open(struct cmd_ctx *ctx, const struct ent_conflict *item,
                  struct ent_record *record, struct ent_arena *arena,
                  struct conflict *conflict)
{
    const struct ent_kind *kind = ent_kind_find(&ctx->kinds, item->ref.kind);
    const struct ent_field *field = NULL;
    int rc;

    if (kind == NULL)
        return 0;
    if (item->field != ENT_FIELD_LIFE) {
        field = fields_find(ctx, kind, item->ref.space, item->field);
        if (field == NULL)
            return 0;
    }
    rc = ent_record_read(ctx->store, &item->ref, record, &ctx->err);
    if (rc < 0 || (!record->live && field != NULL))
        return rc < 0 ? rc : 0;
    rc = conflict_read(ctx, record, kind, field, arena, conflict);
    return rc < 0 ? rc : 1;
}

const char *conflict_name(const struct conflict *conflict)
{
    if (conflict->workflow != NULL)
        return FLOW_STATE;
    return conflict->field == NULL ? LOOK_LIFE : conflict->field->name;
}

void conflict_put_value(const struct conflict *conflict, size_t at,
                        struct ent_buf *buf)
{
    const struct ent_shown *write = conflict->values[at];

    if (conflict->field == NULL)
        ent_buf_put_str(buf, write->code == ENT_OP_DEAD ? "dead" : "live");
    else
        ent_value_print(&write->value, buf);
}

/* ------------------------------------------------------------ who holds it */

static bool is_self(struct cmd_ctx *ctx, const struct ent_key *key)
{
    return ent_key_equal(key, &ent_store_keys(ctx->store)->public);
}

int conflict_put_seen(struct cmd_ctx *ctx, const struct conflict *conflict,
                      size_t at, struct ent_buf *buf)
{
    const struct ent_shown *write = conflict->values[at];
    struct ent_member *members = NULL;
    size_t count = 0;
    bool first = true;
    int rc = ent_member_list(ctx->store, conflict->record->ref.space, &members,
                             &count, &ctx->err);

    if (rc < 0)
        return rc;
    ent_buf_put_u8(buf, '[');
    for (size_t i = 0; i < count; i++) {
        const struct ent_key *key = &members[i].key;

        if (!is_self(ctx, key) && !ent_key_equal(key, &write->author)) {
            rc = ent_holding_covers(ctx->store, write->dot.n, key, &ctx->err);
            if (rc < 0)
                break;
            if (rc == 0)
                continue;
        }
        if (!first)
            ent_buf_put_str(buf, ", ");
        out_json_string(buf, members[i].org);
        first = false;
    }
    ent_buf_put_u8(buf, ']');
    free(members);
    return rc < 0 ? rc : 0;
}

int conflict_put_json(struct cmd_ctx *ctx, const struct conflict *conflict,
                      struct ent_buf *buf)
{
    ent_buf_put_u8(buf, '[');
    for (size_t i = 0; i < conflict->count; i++) {
        const struct ent_shown *write = conflict->values[i];
        char when[LOOK_TIME_TEXT];
        char org[24];
        int rc;

        look_rfc3339(write->claimed_ms, when);
        ent_buf_printf(buf, "%s{\"n\": %zu, \"value\": ", i > 0 ? ", " : "",
                       i + 1);
        if (conflict->field != NULL)
            look_json(&write->value, buf);
        else
            out_json_string(buf, write->code == ENT_OP_DEAD ? "dead" : "live");
        ent_buf_put_str(buf, ", \"org\": ");
        out_json_string(buf, look_org(ctx, &write->author, org));
        ent_buf_printf(
            buf, ", \"claimed\": \"%s\", \"odd\": %s, \"seen\": ", when,
            look_time_odd(ctx, write->claimed_ms) ? "true" : "false");
        rc = conflict_put_seen(ctx, conflict, i, buf);
        if (rc < 0)
            return rc;
        ent_buf_put_u8(buf, '}');
    }
    ent_buf_put_u8(buf, ']');
    return 0;
}

/* --------------------------------------------------------------- conflicts */

static void put_names(struct cmd_ctx *ctx, const struct conflict *conflict)
{
    char id[ENT_ID_TEXT];
    struct ent_buf code = {0};

    look_put(conflict->record, ENT_FIELD_CODE, &code);
    out_row(ctx->out);
    out_cell(ctx->out, look_id(ctx, &conflict->record->ref.id, id));
    out_cell(ctx->out, look_for_program(ctx)
                           ? conflict->kind->name
                           : look_kind_label(ctx, conflict->kind));
    out_cell(ctx->out, code.len > 0 ? ent_buf_cstr(&code) : NULL);
    out_cell(ctx->out, conflict_name(conflict));
    ent_buf_fini(&code);
}

static int put_object(struct cmd_ctx *ctx, const struct conflict *conflict)
{
    struct ent_buf json = {0};
    int rc = conflict_put_json(ctx, conflict, &json);

    if (rc == 0) {
        put_names(ctx, conflict);
        out_cell(ctx->out, pick_handle(ctx, conflict->record->ref.space));
        out_cell(ctx->out, ent_buf_cstr(&json));
    }
    ent_buf_fini(&json);
    return rc;
}

static const char *state_label(struct cmd_ctx *ctx,
                               const struct conflict *conflict,
                               struct ent_buf *name)
{
    const struct ent_state_def *state =
        ent_buf_cstr(name) == NULL
            ? NULL
            : ent_state_named(conflict->workflow, ent_buf_cstr(name));

    return state == NULL ? NULL : state->label[ctx->lang];
}

/* For people: "live" and "dead" in their language, codes with their label. */
static void put_for_people(struct cmd_ctx *ctx, const struct conflict *conflict,
                           size_t at, struct ent_buf *buf)
{
    const struct ent_shown *write = conflict->values[at];
    const char *label;

    if (conflict->field == NULL) {
        ent_buf_put_str(buf,
                        write->code == ENT_OP_DEAD ? _("deleted") : _("kept"));
        return;
    }
    if (write->value.type == ENT_VALUE_NIL) {
        ent_buf_put_str(buf, write->missing ? _("(not here)") : _("(empty)"));
        return;
    }
    if (conflict->workflow == NULL) {
        look_put_labelled(ctx, conflict->field, &write->value, buf);
        return;
    }
    ent_value_print(&write->value, buf);
    label = state_label(ctx, conflict, buf);
    if (label != NULL)
        ent_buf_printf(buf, " (%s)", label);
}

static int put_rows(struct cmd_ctx *ctx, const struct conflict *conflict)
{
    for (size_t i = 0; i < conflict->count; i++) {
        const struct ent_shown *write = conflict->values[i];
        struct ent_buf value = {0};
        struct ent_buf seen = {0};
        char when[LOOK_TIME_TEXT];
        char org[24];
        int rc = conflict_put_seen(ctx, conflict, i, &seen);

        if (rc < 0) {
            ent_buf_fini(&seen);
            return rc;
        }
        if (look_for_program(ctx)) {
            conflict_put_value(conflict, i, &value);
            look_rfc3339(write->claimed_ms, when);
        } else {
            put_for_people(ctx, conflict, i, &value);
            look_time(ctx, write->claimed_ms, when);
        }
        put_names(ctx, conflict);
        out_cell_int(ctx->out, (int64_t)i + 1);
        out_cell(ctx->out, ent_buf_cstr(&value));
        out_cell(ctx->out, look_org(ctx, &write->author, org));
        out_cell(ctx->out, when);
        out_cell(ctx->out, ent_buf_cstr(&seen));
        ent_buf_fini(&value);
        ent_buf_fini(&seen);
    }
    return 0;
}

/* Counts what it printed. */
static int put_conflict(struct cmd_ctx *ctx, const struct ent_conflict *item,
                        size_t *printed)
{
    struct ent_record record = {0};
    struct ent_arena arena = {0};
    struct conflict conflict;
    int rc = conflict_open(ctx, item, &record, &arena, &conflict);

    if (rc > 0) {
        rc = out_is_json(ctx->out) ? put_object(ctx, &conflict)
                                   : put_rows(ctx, &conflict);
        (*printed)++;
    }
    ent_arena_fini(&arena);
    ent_record_fini(&record);
    return rc;
}

static int put_state(struct cmd_ctx *ctx, const struct conflict *conflict,
                     void *data)
{
    (void)data;
    return out_is_json(ctx->out) ? put_object(ctx, conflict)
                                 : put_rows(ctx, conflict);
}

static void put_heading(struct cmd_ctx *ctx)
{
    out_list_begin(ctx->out);
    out_column(ctx->out, "id", _("id"), OUT_TEXT);
    out_column(ctx->out, "kind", _("kind"), OUT_TEXT);
    out_column(ctx->out, "code", _("code"), OUT_TEXT);
    out_column(ctx->out, "field", _("field"), OUT_TEXT);
    if (out_is_json(ctx->out)) {
        out_column(ctx->out, "space", _("space"), OUT_TEXT);
        out_column(ctx->out, "values", _("values"), OUT_JSON_RAW);
        return;
    }
    out_column(ctx->out, "n", _("no."), OUT_NUMBER);
    out_column(ctx->out, "value", _("value"), OUT_TEXT);
    out_column(ctx->out, "org", _("organisation"), OUT_TEXT);
    out_column(ctx->out, "claimed", _("when (UTC)"), OUT_TEXT);
    out_column(ctx->out, "seen", _("seen by"), OUT_LIST);
}

struct counting {
    const struct ent_kind *kind; /* or NULL */
    size_t count;
};

static int count_state(struct cmd_ctx *ctx, const struct conflict *conflict,
                       void *data)
{
    struct counting *counting = data;

    (void)ctx;
    counting->count +=
        counting->kind == NULL || counting->kind == conflict->kind;
    return 0;
}

int conflicts_count(struct cmd_ctx *ctx, int64_t space,
                    const struct ent_kind *kind, size_t *count)
{
    struct counting counting = {.kind = kind};
    struct ent_arena arena = {0};
    struct ent_conflict *list = NULL;
    size_t listed = 0;
    size_t states = 0;
    int rc =
        ent_conflict_list(ctx->store, space, &arena, &list, &listed, &ctx->err);

    for (size_t i = 0; rc >= 0 && i < listed; i++) {
        struct ent_record record = {0};
        struct ent_arena one = {0};
        struct conflict conflict;

        if (kind != NULL && list[i].ref.kind != kind->number)
            continue;
        rc = conflict_open(ctx, &list[i], &record, &one, &conflict);
        counting.count += rc > 0;
        ent_arena_fini(&one);
        ent_record_fini(&record);
    }
    if (rc >= 0)
        rc = conflict_each_state(ctx, space, count_state, &counting, &states);
    ent_arena_fini(&arena);
    *count = counting.count;
    return rc < 0 ? rc : 0;
}

int conflicts_remark(struct cmd_ctx *ctx)
{
    size_t count = 0;
    int rc = 0;

    if (out_has_remarks(ctx->out))
        rc = conflicts_count(ctx, 0, NULL, &count);
    if (rc == 0 && count > 0)
        out_remark(ctx->out, _("Open conflicts: %zu."), count);
    return rc;
}

int conflicts_warn(struct cmd_ctx *ctx, int64_t space,
                   const struct ent_kind *kind)
{
    size_t count = 0;
    int rc = ctx->quiet ? 0 : conflicts_count(ctx, space, kind, &count);

    if (rc == 0 && count > 0)
        cmd_say(ctx,
                ngettext("%zu conflict is open: one of its values is written "
                         "(\"conflicts\" lists them)",
                         "%zu conflicts are open: one value of each is written "
                         "(\"conflicts\" lists them)",
                         count),
                count);
    return rc;
}

int conflicts_print(struct cmd_ctx *ctx, int64_t space, size_t *count)
{
    struct ent_arena arena = {0};
    struct ent_conflict *list = NULL;
    size_t listed = 0;
    int rc =
        ent_conflict_list(ctx->store, space, &arena, &list, &listed, &ctx->err);

    if (rc < 0)
        goto out;
    put_heading(ctx);
    for (size_t i = 0; rc == 0 && i < listed; i++)
        rc = put_conflict(ctx, &list[i], count);
    if (rc == 0)
        rc = conflict_each_state(ctx, space, put_state, NULL, count);
    out_list_end(ctx->out);
    if (rc == 0 && *count == 0)
        out_remark(ctx->out, "%s", _("There is no open conflict."));
    else if (rc == 0)
        out_remark(ctx->out,
                   ngettext("%zu open conflict; settle it with "
                            "\"resolve ID FIELD --take N\".",
                            "%zu open conflicts; settle each with "
                            "\"resolve ID FIELD --take N\".",
                            *count),
                   *count);
out:
    ent_arena_fini(&arena);
    return rc;
}

int records_conflicts(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *space_name = NULL;
    bool check = false;
    const struct args_option options[] = {
        {.name = "--space", .value = &space_name},
        {.name = "--check", .flag = &check},
    };
    int64_t space;
    size_t count = 0;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, "conflicts");
    if (cmd_store(ctx) == NULL || pick_space(ctx, space_name, &space) < 0 ||
        conflicts_print(ctx, space, &count) < 0)
        return cmd_fail(ctx);
    return check && count > 0 ? CMD_CONFLICT : CMD_OK;
}

/* ----------------------------------------------------------------- resolve */

/* The value that --take means: a number, or "live" or "dead" for a life. */
static int find_taken(struct cmd_ctx *ctx, const struct conflict *conflict,
                      const char *take, size_t *at)
{
    long number;
    int rc;

    for (size_t i = 0; conflict->field == NULL && i < conflict->count; i++) {
        bool dead = conflict->values[i]->code == ENT_OP_DEAD;

        if (strcmp(take, dead ? "dead" : "live") == 0) {
            *at = i;
            return 0;
        }
    }
    rc = args_number("--take", take, (long)conflict->count, &number, &ctx->err);
    if (rc == 0)
        *at = (size_t)number - 1;
    return rc;
}

/* All that stands in the field, so that the write replaces exactly this
 * (rule M8). */
static struct ent_dot *standing(const struct ent_record *record, uint32_t field,
                                struct ent_arena *arena, size_t *count)
{
    struct ent_dot *dots =
        ENT_ARENA_NEW(arena, struct ent_dot, record->write_count + 1);

    *count = 0;
    for (size_t i = 0; dots != NULL && i < record->write_count; i++)
        if (record->writes[i].field == field)
            dots[(*count)++] = record->writes[i].dot;
    return dots;
}

static int write_life(struct cmd_ctx *ctx, struct ent_writer *writer,
                      const struct conflict *conflict, size_t at)
{
    const struct ent_edit edit = {
        .kind = conflict->kind->number,
        .id = conflict->record->ref.id,
        .life = conflict->values[at]->code == ENT_OP_DEAD ? ENT_EDIT_DELETE
                                                          : ENT_EDIT_UNDELETE,
    };
    enum ent_written written;

    return records_write(ctx, writer, &edit, true, &written);
}

static int write_value(struct cmd_ctx *ctx, struct ent_writer *writer,
                       const struct conflict *conflict,
                       const struct ent_value *value, struct ent_arena *arena)
{
    struct ent_edit_op op = {
        .code = ENT_OP_WRITE,
        .field = conflict->field->number,
        .value = *value,
    };
    const struct ent_edit edit = {
        .kind = conflict->kind->number,
        .id = conflict->record->ref.id,
        .life = ENT_EDIT_TOUCH,
        .ops = &op,
        .op_count = 1,
    };
    enum ent_written written;

    op.seen = standing(conflict->record, op.field, arena, &op.seen_count);
    if (op.seen == NULL) {
        ent_writer_abort(writer);
        return cmd_no_memory(ctx);
    }
    return records_write(ctx, writer, &edit, true, &written);
}

struct wish {
    const char *field; /* a name, or "life" */
    const char *take;  /* one of these two */
    const char *value;
};

/* The value that was wished for; `*at` is its number when it was taken. */
static int find_value(struct cmd_ctx *ctx, const struct conflict *conflict,
                      const struct wish *wish, struct ent_arena *arena,
                      size_t *at, struct ent_value *value)
{
    const struct ent_value *values;
    size_t count;
    int rc;

    *value = ent_value_nil();
    if (wish->take != NULL) {
        rc = find_taken(ctx, conflict, wish->take, at);
        if (rc == 0 && conflict->values[*at]->missing)
            return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                               "the content of this value has not arrived "
                               "here; \"sync\" first, or give --value");
        if (rc == 0)
            *value = conflict->values[*at]->value;
        return rc;
    }
    if (conflict->field == NULL)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "say --take live or --take dead");
    rc = change_values(ctx, conflict->field, ent_slice_str(wish->value), arena,
                       &values, &count, &ctx->err);
    if (rc < 0)
        ent_err_prefix(&ctx->err, "%s", conflict->field->name);
    else if (count > 0)
        *value = values[0];
    return rc;
}

static void say_settled(struct cmd_ctx *ctx, const struct conflict *conflict,
                        const struct ent_value *value, size_t at)
{
    struct ent_buf text = {0};
    struct ent_buf shown = {0};
    const char *line;

    if (conflict->field == NULL)
        conflict_put_value(conflict, at, &text);
    else
        ent_value_print(value, &text);
    look_short(&shown, ent_buf_slice(&text));
    line = ent_buf_cstr(&shown);
    if (line != NULL)
        cmd_say(ctx,
                ctx->dry_run ? _("would settle: %s = %s")
                             : _("settled: %s = %s"),
                conflict_name(conflict), line);
    ent_buf_fini(&text);
    ent_buf_fini(&shown);
}

/* Frees the writer. */
static int settle(struct cmd_ctx *ctx, struct ent_writer *writer,
                  const struct ent_record *record, const struct ent_kind *kind,
                  const struct wish *wish)
{
    struct ent_arena arena = {0};
    struct conflict conflict;
    const struct ent_field *field = NULL;
    struct ent_value value = ent_value_nil();
    size_t at = 0;
    int rc = 0;

    if (strcmp(wish->field, LOOK_LIFE) != 0)
        rc = pick_field(ctx, kind, record->ref.space, wish->field,
                        strlen(wish->field), &field);
    if (rc == 0 && field != NULL && !record->live)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "this record is deleted; \"undelete\" brings it back");
    if (rc == 0)
        rc = conflict_read(ctx, record, kind, field, &arena, &conflict);
    if (rc == 0 && field == NULL && conflict.count < 2)
        rc = ent_err_set(&ctx->err, ENT_ENOTFOUND,
                         "nobody contests whether this record lives; "
                         "\"delete\" and \"undelete\" change it");
    else if (rc == 0 && (conflict.count < 2 ||
                         (field != NULL && field->rule == ENT_RULE_SET)))
        rc = ent_err_set(&ctx->err, ENT_ENOTFOUND,
                         "%s has no conflict to settle; \"set\" changes it",
                         conflict_name(&conflict));
    if (rc == 0)
        rc = find_value(ctx, &conflict, wish, &arena, &at, &value);
    if (rc < 0)
        ent_writer_abort(writer);
    else if (field == NULL)
        rc = write_life(ctx, writer, &conflict, at);
    else
        rc = write_value(ctx, writer, &conflict, &value, &arena);
    if (rc == 0)
        say_settled(ctx, &conflict, &value, at);
    ent_arena_fini(&arena);
    return rc;
}

int records_resolve(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct wish wish = {0};
    const struct args_option options[] = {
        {.name = "--take", .value = &wish.take},
        {.name = "--value", .value = &wish.value},
    };
    struct ent_record record = {0};
    struct ent_record_ref ref;
    const struct ent_kind *kind;
    struct ent_writer *writer;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 3 || (wish.take == NULL) == (wish.value == NULL))
        return cmd_usage(ctx, "resolve");
    wish.field = argv[2];
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = pick_record(ctx, argv[1], &ref, &kind);
    if (rc == 0)
        rc = ent_writer_open(ctx->store, ref.space, ctx->now_ms, &writer,
                             &ctx->err);
    if (rc < 0)
        return cmd_fail(ctx);
    rc = ent_record_read(ctx->store, &ref, &record, &ctx->err);
    if (rc < 0)
        ent_writer_abort(writer);
    else if (strcmp(wish.field, FLOW_STATE) == 0 && flow_has(ctx, kind) &&
             ent_field_named(kind, FLOW_STATE) == NULL)
        rc = moves_settle(ctx, writer, &record, kind, wish.take, wish.value);
    else
        rc = settle(ctx, writer, &record, kind, &wish);
    ent_record_fini(&record);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
