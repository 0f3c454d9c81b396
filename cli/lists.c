/* lists.c - what there is: the records of a kind, and records that have some
 * words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/change.h"
#include "cli/conflicts.h"
#include "cli/fields.h"
#include "cli/languages.h"
#include "cli/lists.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "cli/same.h"
#include "cli/stages.h"
#include "store/query.h"
#include "text/parse.h"

#define COLUMNS_SHOWN 6 /* of a table for people, unless asked otherwise */
#define FIND_MAX 1000
#define FIND_DEFAULT "50"

/* -------------------------------------------------------------------- list */

struct ask {
    const char *space;
    bool tell_space; /* to people: there are several */
    const char *sort;
    const char *columns;
    const char *limit;
    bool archived; /* those alone */
    struct ent_listing listing;
    size_t shown;  /* of the listing's columns; the rest says the state */
    bool staged;   /* the state of each record is told, */
    bool replaced; /* to people in the place of the field that holds it */
    bool flagged;
    struct flow flow;
    struct flags flags;
    struct ent_arena arena;
};

/* Longer signs first: "<=" begins like "<". */
static const struct {
    const char *sign;
    enum ent_compare compare;
} signs[] = {
    {"!=", ENT_COMPARE_NE}, {"<=", ENT_COMPARE_LE},      {">=", ENT_COMPARE_GE},
    {"=", ENT_COMPARE_EQ},  {"~", ENT_COMPARE_CONTAINS}, {"<", ENT_COMPARE_LT},
    {">", ENT_COMPARE_GT},
};

static bool is_sign(const char *at, size_t sign)
{
    return strncmp(at, signs[sign].sign, strlen(signs[sign].sign)) == 0;
}

/* References are shown as what they lead to, so that is what is compared. */
static int follow_operand(struct cmd_ctx *ctx, int64_t space,
                          struct ent_arena *arena, struct ent_filter *filter)
{
    struct same_names names = {0};
    const char *shown = NULL;
    int rc = same_names_load(ctx, space, &names);

    if (rc == 0)
        shown = same_shown(ctx, &names, filter->field, filter->text);
    if (shown != NULL) {
        filter->text = ent_arena_str(arena, shown);
        rc = filter->text == NULL ? cmd_no_memory(ctx) : 0;
    }
    same_names_fini(&names);
    return rc;
}

/* A filter's text as the replica holds it: a label becomes its code, as does
 * the name of a country or language, "oui" becomes "yes". */
static int read_operand(struct cmd_ctx *ctx, int64_t space,
                        struct ent_arena *arena, struct ent_filter *filter,
                        const char *text)
{
    struct ent_buf buf = {0};
    struct ent_slice said = ent_slice_str(text);
    struct ent_value value;
    const char *plain;
    struct ent_slice copy;
    int rc = 0;

    filter->text = text;
    if (*text == '\0' || filter->compare == ENT_COMPARE_CONTAINS)
        return 0;
    if (filter->compare == ENT_COMPARE_EQ || filter->compare == ENT_COMPARE_NE)
        rc = change_spoken(ctx, filter->field, &said, arena, &ctx->err);
    if (rc == 0)
        rc = ent_value_parse(filter->field, &ctx->vocab, said, arena, &value,
                             &ctx->err);
    if (rc < 0) {
        ent_err_prefix(&ctx->err, "%s", filter->field->name);
        return rc;
    }
    ent_value_print(&value, &buf);
    plain = ent_buf_cstr(&buf);
    copy = plain == NULL ? ent_slice(NULL, 0)
                         : ent_arena_copy(arena, ent_slice_str(plain));
    filter->text = (const char *)copy.at;
    ent_buf_fini(&buf);
    if (filter->text == NULL)
        return cmd_no_memory(ctx);
    return filter->field->type == ENT_TYPE_REF
               ? follow_operand(ctx, space, arena, filter)
               : 0;
}

int lists_filter(struct cmd_ctx *ctx, const struct ent_kind *kind,
                 int64_t space, const char *word, struct ent_arena *arena,
                 struct ent_filter *filter)
{
    size_t len = strcspn(word, "!<>=~");

    for (size_t i = 0; len > 0 && i < ENT_ARRAY_LEN(signs); i++) {
        int rc;

        if (!is_sign(word + len, i))
            continue;
        rc = pick_field(ctx, kind, space, word, len, &filter->field);
        if (rc < 0)
            return rc;
        filter->compare = signs[i].compare;
        return read_operand(ctx, space, arena, filter,
                            word + len + strlen(signs[i].sign));
    }
    return ent_err_set(&ctx->err, ENT_EUSAGE,
                       "\"%s\" is no filter; write FIELD=V, FIELD!=V, FIELD<V, "
                       "FIELD>V or FIELD~TEXT",
                       word);
}

/* What a table shows unasked: what names the record, then what people ask
 * about first. */
static size_t choose_columns(const struct ent_kind *kind,
                             const struct ent_field **list)
{
    size_t count = 0;

    for (int pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < kind->field_count; i++) {
            const struct ent_field *field = &kind->fields[i];
            bool title =
                kind->title != NULL && strcmp(field->name, kind->title) == 0;
            bool names = field->number == ENT_FIELD_CODE || title;
            int turn = names ? 0
                       : field->loud == ENT_LOUD_ASK ||
                               strcmp(field->name, "iso3") == 0
                           ? 1
                           : 2;

            if (turn == pass && count < COLUMNS_SHOWN)
                list[count++] = field;
        }
    return count;
}

/* `state` and `flags` are no fields: takes them out of the names asked for. */
static const char *take_computed(struct cmd_ctx *ctx, struct ask *ask)
{
    const struct ent_kind *kind = ask->listing.kind;
    const char *at = ask->columns;
    struct ent_buf rest = {0};
    const char *copy = NULL;

    while (*at != '\0') {
        size_t len = strcspn(at, ",");
        bool state = len == 5 && strncmp(at, "state", len) == 0 &&
                     ent_field_named(kind, "state") == NULL &&
                     flow_has(ctx, kind);
        bool flags = len == 5 && strncmp(at, "flags", len) == 0 &&
                     ent_field_named(kind, "flags") == NULL &&
                     flags_has(ctx, kind->name);

        ask->staged = ask->staged || state;
        ask->flagged = ask->flagged || flags;
        if (!state && !flags) {
            ent_buf_put_str(&rest, rest.len > 0 ? "," : "");
            ent_buf_put_slice(&rest, ent_slice((const uint8_t *)at, len));
        }
        at += len + (at[len] == ',');
    }
    if (ent_buf_cstr(&rest) != NULL)
        copy = ent_arena_str(&ask->arena,
                             rest.len > 0 ? ent_buf_cstr(&rest) : "code");
    ent_buf_fini(&rest);
    return copy;
}

static void add_column(struct ent_listing *listing,
                       const struct ent_field **list,
                       const struct ent_field *field)
{
    for (size_t i = 0; field != NULL && i < listing->column_count; i++)
        if (list[i] == field)
            return;
    if (field != NULL)
        list[listing->column_count++] = field;
}

/* Behind the columns that are shown: the code, and the fields that say the
 * state. */
static int add_state_columns(struct cmd_ctx *ctx, struct ask *ask)
{
    struct ent_listing *listing = &ask->listing;
    const struct ent_kind *kind = listing->kind;
    const struct ent_workflows *all = flow_workflows(ctx);
    const struct ent_field **list =
        ENT_ARENA_NEW(&ask->arena, const struct ent_field *,
                      listing->column_count + kind->field_count);

    if (all == NULL)
        return ctx->err.code;
    if (list == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; i < listing->column_count; i++)
        list[i] = listing->columns[i];
    add_column(listing, list, ent_field_find(kind, ENT_FIELD_CODE));
    for (size_t i = 0; i < all->count; i++) {
        const struct ent_workflow *workflow = &all->list[i];

        if (workflow->kind != kind)
            continue;
        add_column(listing, list, workflow->where_field);
        add_column(listing, list, workflow->field);
        for (size_t j = 0; j < workflow->state_count; j++)
            for (size_t k = 0; k < workflow->states[j].set_count; k++)
                add_column(listing, list, workflow->states[j].sets[k].field);
    }
    listing->columns = list;
    return 0;
}

static int read_computed(struct cmd_ctx *ctx, struct ask *ask)
{
    const struct ent_kind *kind = ask->listing.kind;
    int rc = 0;

    ask->shown = ask->listing.column_count;
    if (ask->columns == NULL) {
        ask->staged = flow_has(ctx, kind);
        ask->replaced = !look_for_program(ctx);
        ask->flagged = flags_has(ctx, kind->name);
    }
    if (ask->staged) {
        rc = add_state_columns(ctx, ask);
        if (rc == 0)
            rc = flow_load(ctx, ask->listing.space, kind, NULL, NULL,
                           &ask->flow);
    }
    if (rc == 0 && ask->flagged)
        rc = flags_load(ctx, NULL, kind->name, NULL, NULL, &ask->flags);
    /* An empty column says nothing to people. */
    if (!look_for_program(ctx) && ask->flags.count == 0)
        ask->flagged = false;
    return rc;
}

static int read_columns(struct cmd_ctx *ctx, struct ask *ask)
{
    const struct ent_kind *kind = ask->listing.kind;
    const struct ent_field **list = NULL;
    size_t count;
    int rc;

    if (ask->columns != NULL) {
        const char *names;

        rc = pick_check_columns(ctx, ask->columns);
        if (rc < 0)
            return rc;
        names = take_computed(ctx, ask);
        if (names == NULL)
            return cmd_no_memory(ctx);
        rc = pick_fields(ctx, kind, ask->listing.space, names, &ask->arena,
                         &list, &count);
    } else {
        rc = fields_all(ctx, kind, ask->listing.space, &ask->arena, &list,
                        &count);
        if (rc == 0 && !look_for_program(ctx))
            count = choose_columns(kind, list);
    }
    if (rc < 0)
        return rc;
    ask->listing.columns = list;
    ask->listing.column_count = count;
    return read_computed(ctx, ask);
}

static int count_spaces(struct cmd_ctx *ctx, size_t *count)
{
    struct ent_space *list = NULL;
    int rc = ent_space_list(ctx->store, &list, count, &ctx->err);

    free(list);
    return rc;
}

static int read_ask(struct cmd_ctx *ctx, struct ask *ask, int argc, char **argv)
{
    struct ent_listing *listing = &ask->listing;
    struct ent_filter *filters;
    const char *sort = ask->sort;
    size_t spaces = 0;
    int rc = pick_kind(ctx, argv[1], &listing->kind);

    if (rc == 0)
        rc = pick_space(ctx, ask->space, &listing->space);
    if (rc == 0)
        rc = count_spaces(ctx, &spaces);
    ask->tell_space = spaces > 1 && listing->space == 0;
    if (rc == 0 && ask->limit != NULL) {
        long limit;

        rc = args_number("--limit", ask->limit, 1000000000, &limit, &ctx->err);
        listing->limit = rc == 0 ? limit : 0;
    }
    if (rc == 0 && sort != NULL) {
        listing->descending = *sort == '-';
        sort += listing->descending;
        rc = pick_field(ctx, listing->kind, listing->space, sort, strlen(sort),
                        &listing->sort);
    }
    if (rc < 0)
        return rc;
    filters = ENT_ARENA_NEW(&ask->arena, struct ent_filter, (size_t)argc);
    if (filters == NULL)
        return cmd_no_memory(ctx);
    for (int i = 2; i < argc; i++) {
        rc = lists_filter(ctx, listing->kind, listing->space, argv[i],
                          &ask->arena, &filters[listing->filter_count++]);
        if (rc < 0)
            return rc;
    }
    listing->filters = filters;
    return read_columns(ctx, ask);
}

/* The field whose cells show people the state instead. */
static bool shows_state(const struct ask *ask, const struct ent_field *field)
{
    for (size_t i = ask->shown; ask->replaced && i > 0; i--)
        if (ask->listing.columns[i - 1] == field)
            return strcmp(field->name, "status") == 0;
    return false;
}

static bool has_state_column(const struct ask *ask)
{
    for (size_t i = 0; ask->staged && i < ask->shown; i++)
        if (shows_state(ask, ask->listing.columns[i]))
            return false;
    return ask->staged;
}

/* People find the id at the end, where it does not stand in their way. */
static void put_list_heading(struct cmd_ctx *ctx, const struct ask *ask)
{
    bool program = look_for_program(ctx);

    out_list_begin(ctx->out);
    if (program) {
        out_column(ctx->out, "id", _("id"), OUT_TEXT);
        out_column(ctx->out, "space", _("space"), OUT_TEXT);
        out_column(ctx->out, "conflicts", _("conflicts"), OUT_NUMBER);
    }
    for (size_t i = 0; i < ask->shown; i++) {
        const struct ent_field *field = ask->listing.columns[i];

        out_column(ctx->out, field->name, look_field_label(ctx, field),
                   look_column_type(field));
    }
    if (has_state_column(ask))
        out_column(ctx->out, FLOW_STATE, _("state"), OUT_TEXT);
    if (ask->flagged)
        out_column(ctx->out, "flags", _("flags"), OUT_LIST);
    if (!program) {
        out_column(ctx->out, "conflicts", _("conflicts"), OUT_NUMBER);
        if (ask->tell_space)
            out_column(ctx->out, "space", _("space"), OUT_TEXT);
        out_column(ctx->out, "id", _("id"), OUT_TEXT);
    }
}

/* One row, asked for the fields that say its state. */
struct list_row {
    const struct ask *ask;
    struct ent_query *query;
};

static const char *row_text(const void *data, const struct ent_field *field)
{
    const struct list_row *row = data;

    for (size_t i = 0; i < row->ask->listing.column_count; i++)
        if (row->ask->listing.columns[i] == field)
            return ent_query_cell(row->query, i + 3);
    return NULL;
}

static int row_state(struct cmd_ctx *ctx, const struct ask *ask,
                     struct ent_query *query, struct flow_now *now)
{
    const struct list_row row = {ask, query};
    const struct flow_subject subject = {
        .kind = ask->listing.kind,
        .space = ent_query_text(query, 0),
        .id = ent_query_text(query, 1),
        .code =
            row_text(&row, ent_field_find(ask->listing.kind, ENT_FIELD_CODE)),
        .fields = {row_text, &row},
    };

    *now = (struct flow_now){0};
    return ask->staged ? flow_find(ctx, &ask->flow, &subject, now) : 0;
}

/* The fields, the state and the flags. */
static void put_cells(struct cmd_ctx *ctx, const struct ask *ask,
                      struct ent_query *query, const struct flow_now *now)
{
    struct ent_buf state = {0};
    struct ent_buf flags = {0};
    struct ent_buf names = {0};
    const bool program = look_for_program(ctx);
    const bool contested = !program && ent_query_contested(query) > 0;
    const char *text;

    flow_put(ctx, now, &state);
    text = state.len > 0 ? ent_buf_cstr(&state) : NULL;
    for (size_t i = 0; i < ask->shown; i++) {
        const struct ent_field *field = ask->listing.columns[i];
        bool stage = text != NULL && now->workflow != NULL &&
                     now->workflow->field == field && shows_state(ask, field);

        if ((contested && ent_query_contests(query, field->number)) ||
            (stage && now->contested))
            out_contested(ctx->out);
        if (stage)
            out_cell(ctx->out, text);
        else if (!program && languages_in(field))
            out_cell(ctx->out,
                     languages_said(ctx, field->rule == ENT_RULE_SET,
                                    ent_query_cell(query, i + 3), &names));
        else
            out_cell(ctx->out,
                     look_said(ctx, field, ent_query_cell(query, i + 3)));
    }
    if (has_state_column(ask)) {
        if (now->contested)
            out_contested(ctx->out);
        out_cell(ctx->out, text);
    }
    if (ask->flagged) {
        flags_put(ctx, &ask->flags, ent_query_text(query, 0),
                  ent_query_text(query, 1), &flags);
        out_cell(ctx->out, ent_buf_cstr(&flags));
    }
    ent_buf_fini(&state);
    ent_buf_fini(&flags);
    ent_buf_fini(&names);
}

static void put_list_row(struct cmd_ctx *ctx, const struct ask *ask,
                         struct ent_query *query, const struct flow_now *now,
                         int64_t contested)
{
    bool program = look_for_program(ctx);
    char text[ENT_ID_TEXT] = "";
    struct ent_id id;

    if (!program && ent_id_parse(ent_query_text(query, 1), &id))
        look_id(ctx, &id, text);
    out_row(ctx->out);
    if (program) {
        out_cell(ctx->out, ent_query_text(query, 1));
        out_cell(ctx->out, ent_query_text(query, 0));
        out_cell_int(ctx->out, contested);
    }
    put_cells(ctx, ask, query, now);
    if (program)
        return;
    if (contested > 0)
        out_cell_int(ctx->out, contested);
    else
        out_cell(ctx->out, NULL);
    if (ask->tell_space)
        out_cell(ctx->out, ent_query_text(query, 0));
    out_cell(ctx->out, text);
}

/* What is hidden is not kept secret. */
static int tell_archived(struct cmd_ctx *ctx, const struct ask *ask)
{
    struct ent_listing listing = ask->listing;
    size_t count;
    int rc;

    listing.archived = ENT_ARCHIVED_ONLY;
    rc = ent_query_count(ctx->store, &listing, &count, &ctx->err);
    if (rc == 0 && count > 0)
        cmd_say(ctx,
                ngettext("%zu archived record is left out (--archived)",
                         "%zu archived records are left out (--archived)",
                         count),
                count);
    return rc;
}

static int print_list(struct cmd_ctx *ctx, const struct ask *ask)
{
    struct ent_query *query;
    int64_t rows = 0;
    int64_t contested = 0;
    int rc = ent_query_list(ctx->store, &ask->listing, &query, &ctx->err);

    if (rc < 0)
        return rc;
    put_list_heading(ctx, ask);
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        struct flow_now now;
        int64_t open = 0;

        rc = row_state(ctx, ask, query, &now);
        if (rc == 0) {
            open = (int64_t)ent_query_contested(query) + now.contested;
            put_list_row(ctx, ask, query, &now, open);
        }
        flow_now_fini(&now);
        if (rc < 0)
            break;
        rows++;
        contested += open > 0;
    }
    ent_query_close(query);
    out_list_end(ctx->out);
    if (rc < 0)
        return rc;
    out_remark(ctx->out,
               ngettext("%lld record", "%lld records", (unsigned long)rows),
               (long long)rows);
    if (contested > 0)
        out_remark(ctx->out,
                   ngettext("%lld record has open conflicts (%s): see "
                            "\"conflicts\".",
                            "%lld records have open conflicts (%s): see "
                            "\"conflicts\".",
                            (unsigned long)contested),
                   (long long)contested, OUT_CONTESTED);
    return ask->archived || ctx->quiet ? 0 : tell_archived(ctx, ask);
}

int records_list(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ask ask = {0};
    const struct args_option options[] = {
        {.name = "--space", .value = &ask.space},
        {.name = "--sort", .value = &ask.sort},
        {.name = "--columns", .value = &ask.columns},
        {.name = "--limit", .value = &ask.limit},
        {.name = "--archived", .flag = &ask.archived},
    };
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc < 2)
        return cmd_usage(ctx, "list");
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    ask.listing.archived = ask.archived ? ENT_ARCHIVED_ONLY : ENT_ARCHIVED_NOT;
    rc = read_ask(ctx, &ask, argc, argv);
    if (rc == 0)
        rc = print_list(ctx, &ask);
    flow_fini(&ask.flow);
    flags_fini(&ask.flags);
    ent_arena_fini(&ask.arena);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

/* -------------------------------------------------------------------- find */

/* The code and what names the record. */
static int put_found(struct cmd_ctx *ctx, const struct ent_record_ref *ref)
{
    const struct ent_kind *kind = ent_kind_find(&ctx->kinds, ref->kind);
    const struct ent_field *fields[2];
    struct ent_buf texts[2] = {{0}, {0}};
    char id[ENT_ID_TEXT];
    size_t count = 1;
    int rc;

    if (kind == NULL)
        return 0;
    fields[0] = ent_field_find(kind, ENT_FIELD_CODE);
    fields[1] = kind->title == NULL ? NULL : ent_field_named(kind, kind->title);
    count += fields[1] != NULL;
    rc = ent_record_shown(ctx->store, ref, fields, count, texts, &ctx->err);
    if (rc < 0)
        return rc == ENT_ENOTFOUND ? 0 : rc; /* deleted meanwhile */
    out_row(ctx->out);
    out_cell(ctx->out,
             look_for_program(ctx) ? kind->name : look_kind_label(ctx, kind));
    for (size_t i = 0; i < ENT_ARRAY_LEN(texts); i++) {
        out_cell(ctx->out, texts[i].len > 0 ? ent_buf_cstr(&texts[i]) : NULL);
        if (texts[i].rc < 0)
            rc = cmd_no_memory(ctx);
        ent_buf_fini(&texts[i]);
    }
    out_cell(ctx->out, pick_handle(ctx, ref->space));
    out_cell(ctx->out, look_id(ctx, &ref->id, id));
    return rc;
}

static int print_found(struct cmd_ctx *ctx, const char *words, size_t limit)
{
    struct ent_record_ref *found = calloc(limit, sizeof(*found));
    size_t count = 0;
    bool more;
    int rc;

    if (found == NULL)
        return cmd_no_memory(ctx);
    rc = ent_search(ctx->store, words, found, limit, &count, &ctx->err);
    if (rc < 0)
        goto out;
    out_list_begin(ctx->out);
    out_column(ctx->out, "kind", _("kind"), OUT_TEXT);
    out_column(ctx->out, "code", _("code"), OUT_TEXT);
    out_column(ctx->out, "title", _("title"), OUT_TEXT);
    out_column(ctx->out, "space", _("space"), OUT_TEXT);
    out_column(ctx->out, "id", _("id"), OUT_TEXT);
    more = count >= limit;
    count = more ? limit : count;
    rc = same_reduce(ctx, found, &count);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = put_found(ctx, &found[i]);
    out_list_end(ctx->out);
    if (rc == 0 && more)
        out_remark(ctx->out, _("These are the first %zu; --limit shows more."),
                   limit);
    if (rc == 0)
        rc = conflicts_remark(ctx);
out:
    free(found);
    return rc;
}

int records_find(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *limit_text = FIND_DEFAULT;
    const struct args_option options[] = {
        {.name = "--limit", .value = &limit_text},
    };
    struct ent_buf words = {0};
    const char *text;
    long limit;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) <
            0 ||
        args_number("--limit", limit_text, FIND_MAX, &limit, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc < 2)
        return cmd_usage(ctx, "find");
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    for (int i = 1; i < argc; i++) {
        ent_buf_put_str(&words, i > 1 ? " " : "");
        ent_buf_put_str(&words, argv[i]);
    }
    text = ent_buf_cstr(&words);
    rc = text == NULL ? cmd_no_memory(ctx)
                      : print_found(ctx, text, (size_t)limit);
    ent_buf_fini(&words);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
