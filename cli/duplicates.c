/* duplicates.c - pairs of records that may be one and the same, for people to
 * look at; "merge" is what they do about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/evidence.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "store/query.h"

#define LIMIT_DEFAULT "100"
#define LIMIT_MAX 100000
#define ROWS_READ_MAX 1000000
#define CONTEXT_MAX 18

/* Fields that name a record, and those that people are reached by. */
static const char *const name_fields[] = {
    "display_name", "name",     "name_fr", "name_en",
    "title_fr",     "title_en", "acronym"};
static const char *const email_fields[] = {"email", "emails"};
static const char *const phone_fields[] = {"phone", "phones"};

/* Where two records say different things here, one name for both says
 * nothing: every country has its "first training". */
static const char *const context_fields[] = {
    "iso3",        "adm1_pcode", "plan_id",    "group_id",  "support_id",
    "training_id", "parent_id",  "provider",   "recipient", "contact_id",
    "subject",     "author_id",  "start_on",   "held_on",   "due_on",
    "kind",        "cohort",     "lead_org_id"};

static const char *const words[EVIDENCE_COUNT] = {
    [EVIDENCE_CODE] = "code",   [EVIDENCE_NAME] = "name",
    [EVIDENCE_EMAIL] = "email", [EVIDENCE_PHONE] = "phone",
    [EVIDENCE_EVENT] = "event",
};
static const char *const said[EVIDENCE_COUNT] = {
    [EVIDENCE_CODE] = N_("same code"),
    [EVIDENCE_NAME] = N_("same name"),
    [EVIDENCE_EMAIL] = N_("same e-mail"),
    [EVIDENCE_PHONE] = N_("same telephone"),
    [EVIDENCE_EVENT] = N_("same country, type and time"),
};

_Static_assert(ENT_ARRAY_LEN(context_fields) <= CONTEXT_MAX, "room for all");

struct row {
    struct ent_id id;
    const char *code; /* "" for none */
    const char *title;
    const char *phone;
    const char *context[CONTEXT_MAX]; /* NULL: says nothing */
};

/* The records of one kind. */
struct gathering {
    const struct ent_kind *kind;
    struct row *rows;
    size_t count, cap;
    struct evidence evidence;
};

/* A pair of any kind, for the listing. */
struct found {
    const struct gathering *of;
    struct evidence_pair pair;
};

/* -------------------------------------------------------------------- asking
 */

/* The elements of a set come as lines. */
static void put_column(struct ent_buf *sql, const struct ent_kind *kind,
                       const char *name)
{
    const struct ent_field *field = ent_field_named(kind, name);

    if (field == NULL)
        ent_buf_put_str(sql, ", NULL");
    else if (field->rule == ENT_RULE_SET)
        ent_buf_printf(sql,
                       ", (SELECT group_concat(value, char(10))"
                       " FROM json_each(\"%s\"))",
                       field->name);
    else
        ent_buf_printf(sql, ", \"%s\"", field->name);
}

/* id, space, code, title, names, e-mails, telephones, context. */
static void put_query(struct ent_buf *sql, const struct ent_kind *kind)
{
    ent_buf_put_str(sql, "SELECT ent_uuid(id), space, code");
    put_column(sql, kind, kind->title);
    for (size_t i = 0; i < ENT_ARRAY_LEN(name_fields); i++)
        put_column(sql, kind, name_fields[i]);
    for (size_t i = 0; i < ENT_ARRAY_LEN(email_fields); i++)
        put_column(sql, kind, email_fields[i]);
    for (size_t i = 0; i < ENT_ARRAY_LEN(phone_fields); i++)
        put_column(sql, kind, phone_fields[i]);
    for (size_t i = 0; i < ENT_ARRAY_LEN(context_fields); i++)
        put_column(sql, kind, context_fields[i]);
    ent_buf_printf(sql,
                   " FROM \"%s\""
                   " WHERE CAST(:space AS INTEGER) IN (0, space)"
                   " AND NOT ent_archived('%s', space, id)"
                   " ORDER BY code, id LIMIT %d",
                   kind->table, kind->name, ROWS_READ_MAX);
}

/* Where the columns of each sort begin. */
enum {
    AT_ID,
    AT_SPACE,
    AT_CODE,
    AT_TITLE,
    AT_NAMES,
    AT_EMAILS = AT_NAMES + (int)ENT_ARRAY_LEN(name_fields),
    AT_PHONES = AT_EMAILS + (int)ENT_ARRAY_LEN(email_fields),
    AT_CONTEXT = AT_PHONES + (int)ENT_ARRAY_LEN(phone_fields),
};

/* Line by line. */
static int put_texts(struct cmd_ctx *ctx, struct gathering *gathering,
                     enum evidence_why why, const char *scope, const char *text,
                     size_t row)
{
    struct ent_buf line = {0};
    int rc = 0;

    while (rc == 0 && *text != '\0') {
        size_t len = strcspn(text, "\n");

        ent_buf_reset(&line);
        ent_buf_put(&line, text, len);
        rc = ent_buf_cstr(&line) == NULL
                 ? cmd_no_memory(ctx)
                 : evidence_put(&gathering->evidence, why, scope,
                                ent_buf_cstr(&line), row, &ctx->err);
        text += len + (text[len] == '\n');
    }
    ent_buf_fini(&line);
    return rc;
}

static int put_columns(struct cmd_ctx *ctx, struct gathering *gathering,
                       struct ent_query *query, enum evidence_why why,
                       size_t from, size_t count, size_t row)
{
    const char *scope = ent_query_text(query, AT_SPACE);
    struct ent_arena arena = {0};
    int rc = 0;

    /* What a query gives lasts until the next call. */
    scope = ent_arena_str(&arena, scope);
    for (size_t i = from; rc == 0 && scope != NULL && i < from + count; i++)
        if (ent_query_type(query, i) != ENT_COLUMN_NULL)
            rc = put_texts(ctx, gathering, why, scope, ent_query_text(query, i),
                           row);
    if (scope == NULL)
        rc = cmd_no_memory(ctx);
    ent_arena_fini(&arena);
    return rc;
}

/* Two people enter one training: the country, the type and the month are the
 * same whatever they call it. */
static int put_event(struct cmd_ctx *ctx, struct gathering *gathering,
                     struct ent_query *query, size_t row)
{
    const struct row *made = &gathering->rows[row];
    const char *country = made->context[0];
    const char *type = NULL;
    const char *start = NULL;
    struct ent_buf key = {0};
    struct ent_buf scope = {0};
    int rc = 0;

    for (size_t i = 0; i < ENT_ARRAY_LEN(context_fields); i++) {
        if (strcmp(context_fields[i], "kind") == 0)
            type = made->context[i];
        if (strcmp(context_fields[i], "start_on") == 0)
            start = made->context[i];
    }
    if (strcmp(gathering->kind->name, "training") != 0 || country == NULL ||
        type == NULL || start == NULL || strlen(start) < 7)
        return 0;
    ent_buf_printf(&key, "%s %s %.7s", country, type, start);
    ent_buf_put_str(&scope, ent_query_text(query, AT_SPACE));
    rc = ent_buf_cstr(&key) == NULL || ent_buf_cstr(&scope) == NULL
             ? cmd_no_memory(ctx)
             : evidence_put(&gathering->evidence, EVIDENCE_EVENT,
                            ent_buf_cstr(&scope), ent_buf_cstr(&key), row,
                            &ctx->err);
    ent_buf_fini(&key);
    ent_buf_fini(&scope);
    return rc;
}

static const char *kept(struct gathering *gathering, struct ent_query *query,
                        size_t column)
{
    const char *text = ent_query_cell(query, column);

    return text == NULL ? NULL
                        : ent_arena_str(&gathering->evidence.arena, text);
}

static int add_row(struct cmd_ctx *ctx, struct gathering *gathering,
                   struct ent_query *query)
{
    struct row *row;
    size_t at = gathering->count;

    if (at == gathering->cap) {
        size_t cap = gathering->cap == 0 ? 256 : 2 * gathering->cap;
        struct row *rows = realloc(gathering->rows, cap * sizeof(*rows));

        if (rows == NULL)
            return cmd_no_memory(ctx);
        gathering->rows = rows;
        gathering->cap = cap;
    }
    row = &gathering->rows[at];
    *row = (struct row){0};
    if (!ent_id_parse(ent_query_text(query, AT_ID), &row->id))
        return 0;
    gathering->count++;
    row->code = kept(gathering, query, AT_CODE);
    row->title = kept(gathering, query, AT_TITLE);
    row->phone = kept(gathering, query, AT_PHONES);
    for (size_t i = 0; i < ENT_ARRAY_LEN(context_fields); i++)
        row->context[i] = kept(gathering, query, AT_CONTEXT + i);
    return gathering->evidence.arena.rc < 0 ? cmd_no_memory(ctx) : 0;
}

static int read_row(struct cmd_ctx *ctx, struct gathering *gathering,
                    struct ent_query *query)
{
    static const struct {
        enum evidence_why why;
        size_t from, count;
    } parts[] = {
        {EVIDENCE_CODE, AT_CODE, 1},
        {EVIDENCE_NAME, AT_NAMES, ENT_ARRAY_LEN(name_fields)},
        {EVIDENCE_EMAIL, AT_EMAILS, ENT_ARRAY_LEN(email_fields)},
        {EVIDENCE_PHONE, AT_PHONES, ENT_ARRAY_LEN(phone_fields)},
    };
    size_t row = gathering->count;
    int rc = add_row(ctx, gathering, query);

    if (rc < 0 || gathering->count == row)
        return rc;
    for (size_t i = 0; rc == 0 && i < ENT_ARRAY_LEN(parts); i++)
        rc = put_columns(ctx, gathering, query, parts[i].why, parts[i].from,
                         parts[i].count, row);
    return rc < 0 ? rc : put_event(ctx, gathering, query, row);
}

/* ----------------------------------------------------------------- weighing */

/* Whether one is the beginning of the other: 2018-07 and 2018-07-12. */
static bool agrees(const char *a, const char *b)
{
    size_t len = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

    return strncmp(a, b, len) == 0;
}

static bool is_date(size_t context)
{
    size_t len = strlen(context_fields[context]);

    return len > 3 && strcmp(context_fields[context] + len - 3, "_on") == 0;
}

/* Two numbers that both say their country's prefix are one only in full. */
static bool is_one_number(const char *a, const char *b)
{
    bool full = a != NULL && b != NULL && a[0] == '+' && b[0] == '+';
    size_t i = 0;
    size_t j = 0;

    while (full) {
        while (a[i] != '\0' && (a[i] < '0' || a[i] > '9'))
            i++;
        while (b[j] != '\0' && (b[j] < '0' || b[j] > '9'))
            j++;
        if (a[i] != b[j])
            return false;
        if (a[i] == '\0')
            return true;
        i++;
        j++;
    }
    return true;
}

static bool may_be_one(const void *ctx, enum evidence_why why, size_t a,
                       size_t b)
{
    const struct gathering *gathering = ctx;
    const struct row *x = &gathering->rows[a];
    const struct row *y = &gathering->rows[b];

    if (why == EVIDENCE_CODE || why == EVIDENCE_EMAIL)
        return true;
    if (why == EVIDENCE_PHONE)
        return is_one_number(x->phone, y->phone);
    for (size_t i = 0; i < ENT_ARRAY_LEN(context_fields); i++)
        if (x->context[i] != NULL && y->context[i] != NULL &&
            (is_date(i) ? !agrees(x->context[i], y->context[i])
                        : strcmp(x->context[i], y->context[i]) != 0))
            return false;
    return true;
}

static int gather(struct cmd_ctx *ctx, struct gathering *gathering,
                  int64_t space)
{
    struct ent_buf sql = {0};
    struct ent_query *query;
    char text[24];
    int rc;

    put_query(&sql, gathering->kind);
    rc =
        ent_buf_cstr(&sql) == NULL
            ? cmd_no_memory(ctx)
            : ent_query_open(ctx->store, ent_buf_cstr(&sql), &query, &ctx->err);
    ent_buf_fini(&sql);
    if (rc < 0)
        return rc;
    snprintf(text, sizeof(text), "%lld", (long long)space);
    ent_query_bind(query, ":space", text);
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        rc = read_row(ctx, gathering, query);
        if (rc < 0)
            break;
    }
    ent_query_close(query);
    return rc < 0 ? rc
                  : evidence_weigh(&gathering->evidence, may_be_one, gathering,
                                   &ctx->err);
}

/* ------------------------------------------------------------------ printing
 */

static int by_score(const void *a, const void *b)
{
    const struct found *x = a;
    const struct found *y = b;

    if (x->pair.score != y->pair.score)
        return y->pair.score - x->pair.score;
    if (x->of != y->of)
        return x->of < y->of ? -1 : 1;
    if (x->pair.a != y->pair.a)
        return x->pair.a < y->pair.a ? -1 : 1;
    return (x->pair.b > y->pair.b) - (x->pair.b < y->pair.b);
}

static void put_reasons(struct cmd_ctx *ctx, unsigned why)
{
    struct ent_buf buf = {0};

    ent_buf_put_u8(&buf, '[');
    for (int i = 0; i < EVIDENCE_COUNT; i++) {
        if ((why & 1u << i) == 0)
            continue;
        ent_buf_put_str(&buf, buf.len > 1 ? "," : "");
        out_json_string(&buf,
                        look_for_program(ctx) ? words[i] : gettext(said[i]));
    }
    ent_buf_put_u8(&buf, ']');
    out_cell(ctx->out, ent_buf_cstr(&buf));
    ent_buf_fini(&buf);
}

static void put_found(struct cmd_ctx *ctx, const struct found *found)
{
    const struct row *a = &found->of->rows[found->pair.a];
    const struct row *b = &found->of->rows[found->pair.b];
    char id[ENT_ID_TEXT];

    out_row(ctx->out);
    out_cell_int(ctx->out, found->pair.score);
    out_cell(ctx->out, look_kind_said(ctx, found->of->kind));
    out_cell(ctx->out, a->code);
    out_cell(ctx->out, a->title);
    out_cell(ctx->out, look_id(ctx, &a->id, id));
    out_cell(ctx->out, b->code);
    out_cell(ctx->out, b->title);
    out_cell(ctx->out, look_id(ctx, &b->id, id));
    put_reasons(ctx, found->pair.why);
}

static void print_found(struct cmd_ctx *ctx, const struct found *list,
                        size_t count, size_t limit)
{
    out_list_begin(ctx->out);
    out_column(ctx->out, "score", _("score"), OUT_NUMBER);
    out_column(ctx->out, "kind", _("kind"), OUT_TEXT);
    out_column(ctx->out, "code", _("code"), OUT_TEXT);
    out_column(ctx->out, "title", _("title"), OUT_TEXT);
    out_column(ctx->out, "id", _("id"), OUT_TEXT);
    out_column(ctx->out, "other_code", _("code"), OUT_TEXT);
    out_column(ctx->out, "other_title", _("title"), OUT_TEXT);
    out_column(ctx->out, "other_id", _("id"), OUT_TEXT);
    out_column(ctx->out, "reasons", _("why"), OUT_LIST);
    for (size_t i = 0; i < count && i < limit; i++)
        put_found(ctx, &list[i]);
    out_list_end(ctx->out);
    if (count == 0)
        out_remark(ctx->out, "%s", _("Nothing looks like a duplicate."));
    else if (count > limit)
        out_remark(ctx->out, _("These are the first %zu; --limit shows more."),
                   limit);
    else
        out_remark(ctx->out, "%s",
                   _("\"merge ID INTO\" shows two as one; \"unmerge ID\" takes "
                     "it back."));
}

static int print_gatherings(struct cmd_ctx *ctx,
                            const struct gathering *gatherings, size_t kinds,
                            size_t limit)
{
    struct found *list;
    size_t count = 0;
    size_t room = 1;

    for (size_t i = 0; i < kinds; i++)
        room += gatherings[i].evidence.pair_count;
    list = calloc(room, sizeof(*list));
    if (list == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; i < kinds; i++)
        for (size_t j = 0; j < gatherings[i].evidence.pair_count; j++)
            list[count++] = (struct found){
                .of = &gatherings[i],
                .pair = gatherings[i].evidence.pairs[j],
            };
    qsort(list, count, sizeof(*list), by_score);
    print_found(ctx, list, count, limit);
    free(list);
    return 0;
}

/* ------------------------------------------------------------------- command
 */

static int find_duplicates(struct cmd_ctx *ctx, const struct ent_kind *only,
                           int64_t space, size_t limit)
{
    struct gathering *gatherings =
        calloc(ctx->kinds.count + 1, sizeof(*gatherings));
    size_t count = 0;
    int rc = 0;

    if (gatherings == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; rc == 0 && i < ctx->kinds.count; i++) {
        if (only != NULL && only != &ctx->kinds.kinds[i])
            continue;
        gatherings[count].kind = &ctx->kinds.kinds[i];
        rc = gather(ctx, &gatherings[count++], space);
    }
    if (rc == 0)
        rc = print_gatherings(ctx, gatherings, count, limit);
    for (size_t i = 0; i < count; i++) {
        evidence_fini(&gatherings[i].evidence);
        free(gatherings[i].rows);
    }
    free(gatherings);
    return rc;
}

int records_duplicates(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *space_name = NULL;
    const char *limit_text = LIMIT_DEFAULT;
    const struct args_option options[] = {
        {.name = "--space", .value = &space_name},
        {.name = "--limit", .value = &limit_text},
    };
    const struct ent_kind *kind = NULL;
    int64_t space;
    long limit;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) <
            0 ||
        args_number("--limit", limit_text, LIMIT_MAX, &limit, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2)
        return cmd_usage(ctx, argv[0]);
    if (pick_open(ctx, space_name, &space) < 0 ||
        (argc == 2 && pick_kind(ctx, argv[1], &kind) < 0) ||
        find_duplicates(ctx, kind, space, (size_t)limit) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}
