/* show.c - one record: its values and its history. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/conflicts.h"
#include "cli/fields.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "cli/same.h"
#include "cli/stages.h"
#include "store/archive.h"
#include "text/parse.h"

/* The fields of a record's kind, as its space has them. */
struct field_list {
    const struct ent_field **fields;
    size_t count;
    struct same_group group; /* whose record it is */
};

/* ------------------------------------------------------------ show as JSON */

static void put_key(struct ent_buf *buf, bool first, const char *key)
{
    ent_buf_put_str(buf, first ? "" : ", ");
    out_json_string(buf, key);
    ent_buf_put_str(buf, ": ");
}

static bool has_field(const struct ent_record *record, uint32_t field)
{
    for (size_t i = 0; i < record->write_count; i++)
        if (record->writes[i].field == field)
            return true;
    return false;
}

static int put_set_json(struct cmd_ctx *ctx, const struct ent_record *record,
                        const struct ent_field *field, struct ent_buf *buf)
{
    struct ent_arena arena = {0};
    size_t count;
    const struct ent_shown **list =
        look_elements(record, field->number, &arena, &count);

    ent_buf_put_u8(buf, '[');
    for (size_t i = 0; list != NULL && i < count; i++) {
        ent_buf_put_str(buf, i > 0 ? ", " : "");
        look_json(&list[i]->value, buf);
    }
    ent_buf_put_u8(buf, ']');
    ent_arena_fini(&arena);
    return list == NULL ? cmd_no_memory(ctx) : 0;
}

static int put_fields_json(struct cmd_ctx *ctx, const struct ent_record *record,
                           const struct field_list *list, struct ent_buf *buf)
{
    bool first = true;
    int rc = 0;

    ent_buf_put_u8(buf, '{');
    for (size_t i = 0; rc == 0 && i < list->count; i++) {
        const struct ent_field *field = list->fields[i];

        if (!has_field(record, field->number))
            continue;
        put_key(buf, first, field->name);
        first = false;
        if (field->rule == ENT_RULE_SET)
            rc = put_set_json(ctx, record, field, buf);
        else
            look_json(look_value(record, field->number), buf);
    }
    ent_buf_put_u8(buf, '}');
    return rc;
}

static int put_conflict_json(struct cmd_ctx *ctx,
                             const struct ent_record *record,
                             const struct ent_kind *kind,
                             const struct ent_field *field, bool first,
                             struct ent_buf *buf)
{
    struct ent_arena arena = {0};
    struct conflict conflict;
    int rc = conflict_read(ctx, record, kind, field, &arena, &conflict);

    if (rc == 0) {
        ent_buf_put_str(buf, first ? "{" : ", {");
        put_key(buf, true, "field");
        out_json_string(buf, conflict_name(&conflict));
        put_key(buf, false, "values");
        rc = conflict_put_json(ctx, &conflict, buf);
        ent_buf_put_u8(buf, '}');
    }
    ent_arena_fini(&arena);
    return rc;
}

static int put_conflicts_json(struct cmd_ctx *ctx,
                              const struct ent_record *record,
                              const struct ent_kind *kind,
                              const struct field_list *list,
                              struct ent_buf *buf)
{
    bool first = true;
    int rc = 0;

    ent_buf_put_u8(buf, '[');
    if (record->life_contested) {
        rc = put_conflict_json(ctx, record, kind, NULL, first, buf);
        first = false;
    }
    for (size_t i = 0; rc == 0 && i < list->count; i++) {
        if (!ent_record_contested(record, list->fields[i]))
            continue;
        rc = put_conflict_json(ctx, record, kind, list->fields[i], first, buf);
        first = false;
    }
    ent_buf_put_u8(buf, ']');
    return rc;
}

/* The state, the states of a contested one, and the flags; absent for kinds
 * that have none. */
static int put_state_json(struct cmd_ctx *ctx, const struct flow_record *read,
                          const struct flags *flags, struct ent_buf *buf)
{
    const struct flow_now *now = &read->now;
    struct ent_buf state = {0};
    char id[ENT_ID_TEXT];

    if (now->workflow != NULL) {
        flow_put(ctx, now, &state);
        put_key(buf, false, "workflow");
        out_json_string(buf, now->workflow->name);
        put_key(buf, false, "state");
        if (state.len > 0 && ent_buf_cstr(&state) != NULL)
            out_json_string(buf, ent_buf_cstr(&state));
        else
            ent_buf_put_str(buf, "null");
    }
    ent_buf_fini(&state);
    if (flags_has(ctx, read->kind->name)) {
        ent_id_text(&read->record->ref.id, id);
        put_key(buf, false, "flags");
        flags_put(ctx, flags, pick_handle(ctx, read->record->ref.space), id,
                  buf);
    }
    return 0;
}

static int show_json(struct cmd_ctx *ctx, const struct flow_record *read,
                     const struct flags *flags, const struct field_list *list)
{
    const struct ent_record *record = read->record;
    const struct ent_kind *kind = read->kind;
    struct ent_buf buf = {0};
    char id[ENT_ID_TEXT];
    int rc;

    ent_id_text(&record->ref.id, id);
    ent_buf_put_u8(&buf, '{');
    put_key(&buf, true, "id");
    out_json_string(&buf, id);
    put_key(&buf, false, "kind");
    out_json_string(&buf, kind->name);
    put_key(&buf, false, "code");
    look_json(look_value(record, ENT_FIELD_CODE), &buf);
    put_key(&buf, false, "space");
    out_json_string(&buf, pick_handle(ctx, record->ref.space));
    put_key(&buf, false, "live");
    ent_buf_put_str(&buf, record->live ? "true" : "false");
    put_key(&buf, false, "archived");
    ent_buf_put_str(&buf, ent_record_archived(record) ? "true" : "false");
    put_key(&buf, false, "fields");
    rc = put_fields_json(ctx, record, list, &buf);
    if (rc == 0)
        rc = put_state_json(ctx, read, flags, &buf);
    put_key(&buf, false, "conflicts");
    if (rc == 0)
        rc = put_conflicts_json(ctx, record, kind, list, &buf);
    put_key(&buf, false, "merged");
    if (rc == 0)
        rc = same_put_json(ctx, &list->group, &buf);
    ent_buf_put_str(&buf, "}\n");
    if (rc == 0 && buf.rc < 0)
        rc = cmd_no_memory(ctx);
    if (rc == 0)
        fwrite(buf.at, 1, buf.len, stdout);
    ent_buf_fini(&buf);
    return rc;
}

/* --------------------------------------------------------- show for people */

static void put_value(struct cmd_ctx *ctx, const struct ent_field *field,
                      const struct ent_shown *write, struct ent_buf *buf)
{
    if (write->missing)
        ent_buf_put_str(buf, _("(not here)"));
    else if (write->value.type == ENT_VALUE_NIL)
        ent_buf_put_str(buf, look_for_program(ctx) ? "" : _("(empty)"));
    else if (write->value.type == ENT_VALUE_BOOL)
        ent_buf_put_str(
            buf,
            look_said(ctx, field, write->value.integer != 0 ? "yes" : "no"));
    else if (look_for_program(ctx))
        ent_value_print(&write->value, buf);
    else
        look_put_labelled(ctx, field, &write->value, buf);
}

/* Another value of the field in the row above has no name of its own. */
static void put_row(struct cmd_ctx *ctx, const struct ent_field *field,
                    const struct ent_shown *write, const char *mark, bool named)
{
    struct ent_buf value = {0};
    char when[LOOK_TIME_TEXT];
    char org[24];

    put_value(ctx, field, write, &value);
    if (look_for_program(ctx))
        look_rfc3339(write->claimed_ms, when);
    else
        look_time(ctx, write->claimed_ms, when);
    out_row(ctx->out);
    out_cell(ctx->out, named || look_for_program(ctx) ? field->name : "");
    out_cell(ctx->out, named || look_for_program(ctx)
                           ? look_field_label(ctx, field)
                           : "");
    out_cell(ctx->out, ent_buf_cstr(&value));
    out_cell(ctx->out, look_org(ctx, &write->author, org));
    out_cell(ctx->out, when);
    out_cell(ctx->out, mark);
    ent_buf_fini(&value);
}

static int put_field_rows(struct cmd_ctx *ctx, const struct ent_record *record,
                          const struct ent_field *field)
{
    struct ent_arena arena = {0};
    bool asks = ent_record_contested(record, field);
    size_t count;
    const struct ent_shown **list =
        field->rule == ENT_RULE_SET
            ? look_elements(record, field->number, &arena, &count)
            : look_values(record, field->number, &arena, &count);
    bool several = field->rule == ENT_RULE_REGISTER && count > 1;

    for (size_t i = 0; list != NULL && i < count; i++) {
        const char *mark = asks                ? _("conflict")
                           : several && i == 0 ? _("shown")
                           : several           ? _("hidden")
                                               : "";

        if (list[i]->value.type == ENT_VALUE_NIL && !several &&
            !list[i]->missing)
            continue;
        put_row(ctx, field, list[i], mark, i == 0);
    }
    ent_arena_fini(&arena);
    return list == NULL ? cmd_no_memory(ctx) : 0;
}

static int put_field_table(struct cmd_ctx *ctx, const struct ent_record *record,
                           const struct field_list *list)
{
    int rc = 0;

    out_column(ctx->out, "field", _("field"), OUT_TEXT);
    out_column(ctx->out, "label", _("label"), OUT_TEXT);
    out_column(ctx->out, "value", _("value"), OUT_TEXT);
    out_column(ctx->out, "org", _("organisation"), OUT_TEXT);
    out_column(ctx->out, "claimed", _("when (UTC)"), OUT_TEXT);
    out_column(ctx->out, "conflict", _("state"), OUT_TEXT);
    for (size_t i = 0; rc == 0 && i < list->count; i++)
        rc = put_field_rows(ctx, record, list->fields[i]);
    return rc;
}

/* What people see of the state, the flags among it. */
static void put_state(struct cmd_ctx *ctx, const struct flow_record *read,
                      const struct flags *flags)
{
    struct ent_buf text = {0};
    char id[ENT_ID_TEXT];

    if (read->now.workflow != NULL)
        flow_put(ctx, &read->now, &text);
    if (read->now.contested)
        ent_buf_printf(&text, " (%s)", _("conflict"));
    else if (read->now.differs)
        ent_buf_printf(&text, " (%s)",
                       _("set by hand: the moves say otherwise"));
    if (text.len > 0)
        out_field(ctx->out, FLOW_STATE, _("state"), ent_buf_cstr(&text));
    ent_buf_reset(&text);
    ent_id_text(&read->record->ref.id, id);
    flags_put(ctx, flags, pick_handle(ctx, read->record->ref.space), id, &text);
    if (text.len > strlen("[]"))
        out_field_as(ctx->out, "flags", _("flags"), OUT_LIST,
                     ent_buf_cstr(&text));
    ent_buf_fini(&text);
}

/* Since when and by whom a record is put away. */
static void put_archived(struct cmd_ctx *ctx, const struct ent_record *record)
{
    struct ent_buf text = {0};
    char when[LOOK_TIME_TEXT];
    char org[24];

    if (!ent_record_archived(record))
        return;
    for (size_t i = 0; i < record->write_count && text.len == 0; i++) {
        const struct ent_shown *write = &record->writes[i];

        if (write->field != ENT_FIELD_ARCHIVED)
            continue;
        look_time(ctx, write->claimed_ms, when);
        ent_buf_printf(&text, "%s, %s", when,
                       look_org(ctx, &write->author, org));
    }
    out_field(ctx->out, "archived", _("archived"), ent_buf_cstr(&text));
    ent_buf_fini(&text);
}

static int show_table(struct cmd_ctx *ctx, const struct flow_record *read,
                      const struct flags *flags, const struct field_list *list)
{
    const struct ent_record *record = read->record;
    const struct ent_kind *kind = read->kind;
    char id[ENT_ID_TEXT];
    int rc;

    if (look_for_program(ctx)) {
        out_list_begin(ctx->out);
        rc = put_field_table(ctx, record, list);
        out_list_end(ctx->out);
        return rc;
    }
    ent_id_text(&record->ref.id, id);
    out_object_begin(ctx->out);
    out_field(ctx->out, "id", _("id"), id);
    out_field(ctx->out, "kind", _("kind"), look_kind_label(ctx, kind));
    out_field(ctx->out, "space", _("space"),
              pick_handle(ctx, record->ref.space));
    if (record->life_contested)
        out_field(ctx->out, "live", _("state"),
                  _("deleted by some, changed by others: \"resolve ID life\""));
    else if (!record->live)
        out_field(ctx->out, "live", _("state"), _("deleted"));
    else
        put_state(ctx, read, flags);
    put_archived(ctx, record);
    out_nested_begin(ctx->out, "fields", _("Fields"));
    rc = put_field_table(ctx, record, list);
    out_nested_end(ctx->out);
    if (rc == 0)
        rc = same_put_table(ctx, kind, &list->group);
    out_object_end(ctx->out);
    return rc;
}

static int show(struct cmd_ctx *ctx, const struct ent_record *record,
                const struct ent_kind *kind, const struct field_list *list)
{
    struct flow_record read = {0};
    struct flags flags = {0};
    struct ent_buf code = {0};
    char id[ENT_ID_TEXT];
    int rc = flow_read(ctx, record, kind, &read);

    ent_id_text(&record->ref.id, id);
    look_put(record, ENT_FIELD_CODE, &code);
    if (rc == 0 && flags_has(ctx, kind->name))
        rc = flags_load(ctx, NULL, kind->name,
                        code.len > 0 ? ent_buf_cstr(&code) : NULL, id, &flags);
    if (rc == 0)
        rc = out_is_json(ctx->out) ? show_json(ctx, &read, &flags, list)
                                   : show_table(ctx, &read, &flags, list);
    flags_fini(&flags);
    flow_record_fini(&read);
    ent_buf_fini(&code);
    return rc;
}

int records_show(struct cmd_ctx *ctx, int argc, char **argv)
{
    bool apart = false;
    const struct args_option options[] = {
        {.name = "--apart", .flag = &apart},
    };
    struct ent_record record = {0};
    struct field_list list = {0};
    struct ent_arena arena = {0};
    const struct ent_kind *kind;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, "show");
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = same_pick(ctx, argv[1], apart, &arena, &record, &kind, &list.group);
    if (rc == 0)
        rc = fields_all(ctx, kind, record.ref.space, &record.arena,
                        &list.fields, &list.count);
    if (rc == 0)
        rc = show(ctx, &record, kind, &list);
    ent_record_fini(&record);
    ent_arena_fini(&arena);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

/* --------------------------------------------------------------------- log */

static const char *action(const struct ent_history *item)
{
    switch (item->code) {
    case ENT_OP_ADD:
        return N_("added");
    case ENT_OP_REMOVE:
        return N_("removed");
    case ENT_OP_LIVE:
        return N_("kept");
    case ENT_OP_DEAD:
        return N_("deleted");
    default:
        return item->has_value && item->value.type == ENT_VALUE_NIL
                   ? N_("emptied")
                   : N_("written");
    }
}

static const char *history_field(struct cmd_ctx *ctx, int64_t space,
                                 const struct ent_kind *kind, uint32_t number)
{
    const struct ent_field *field;

    if (number == ENT_FIELD_LIFE)
        return LOOK_LIFE;
    field = fields_find(ctx, kind, space, number);
    return field == NULL ? "?" : field->name;
}

static void put_time(struct cmd_ctx *ctx, int64_t ms)
{
    char text[LOOK_TIME_TEXT];

    if (look_for_program(ctx))
        look_rfc3339(ms, text);
    else
        look_time(ctx, ms, text);
    out_cell(ctx->out, text);
}

static void put_step(struct cmd_ctx *ctx, int64_t space,
                     const struct ent_kind *kind,
                     const struct ent_history *item)
{
    struct ent_buf value = {0};
    char org[24];

    if (item->has_value)
        look_put_written(ctx, fields_find(ctx, kind, space, item->field),
                         &item->value, &value);
    out_row(ctx->out);
    put_time(ctx, item->claimed_ms);
    out_cell(ctx->out, look_org(ctx, &item->author, org));
    out_cell(ctx->out, history_field(ctx, space, kind, item->field));
    out_cell(ctx->out, look_for_program(ctx) ? action(item) : _(action(item)));
    out_cell(ctx->out,
             item->has_value && value.len > 0 ? ent_buf_cstr(&value) : NULL);
    if (item->stands) {
        out_cell(ctx->out, NULL);
        out_cell(ctx->out, NULL);
    } else {
        out_cell(ctx->out, look_org(ctx, &item->replaced_by, org));
        put_time(ctx, item->replaced_ms);
    }
    ent_buf_fini(&value);
}

/* Each change also says that the record lives; that is worth a line only
 * when it was, or is, contested. */
static bool is_plain_touch(const struct ent_history *items, size_t count,
                           size_t at)
{
    if (items[at].code != ENT_OP_LIVE)
        return false;
    for (size_t i = 0; i < count; i++)
        if (items[i].code == ENT_OP_DEAD)
            return false;
    return true;
}

static int print_log(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                     const struct ent_kind *kind, long limit)
{
    struct ent_arena arena = {0};
    struct ent_history *items = NULL;
    size_t count = 0;
    long lines = 0;
    int rc =
        ent_record_history(ctx->store, ref, &arena, &items, &count, &ctx->err);

    if (rc == 0) {
        out_list_begin(ctx->out);
        out_column(ctx->out, "claimed", _("when (UTC)"), OUT_TEXT);
        out_column(ctx->out, "org", _("organisation"), OUT_TEXT);
        out_column(ctx->out, "field", _("field"), OUT_TEXT);
        out_column(ctx->out, "action", _("what"), OUT_TEXT);
        out_column(ctx->out, "value", _("value"), OUT_TEXT);
        out_column(ctx->out, "replaced_by", _("replaced by"), OUT_TEXT);
        out_column(ctx->out, "replaced", _("on (UTC)"), OUT_TEXT);
        for (size_t i = 0; i < count && lines < limit; i++) {
            if (is_plain_touch(items, count, i))
                continue;
            put_step(ctx, ref->space, kind, &items[i]);
            lines++;
        }
        out_list_end(ctx->out);
    }
    ent_arena_fini(&arena);
    return rc;
}

int records_log(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *limit_text = "1000000";
    const struct args_option options[] = {
        {.name = "--limit", .value = &limit_text},
    };
    const struct ent_kind *kind;
    struct ent_record_ref ref;
    long limit;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) <
            0 ||
        args_number("--limit", limit_text, 1000000, &limit, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, "log");
    if (cmd_store(ctx) == NULL || pick_record(ctx, argv[1], &ref, &kind) < 0 ||
        print_log(ctx, &ref, kind, limit) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}
