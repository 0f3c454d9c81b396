/* flow.c - see flow.h. */
#include "cli/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/look.h"
#include "cli/pick.h"
#include "store/query.h"
#include "text/datadir.h"
#include "text/parse.h"

#define ROLES "approval_role" /* the vocabulary list */

/* --------------------------------------------------------------- workflows */

const struct ent_workflows *flow_workflows(struct cmd_ctx *ctx)
{
    char path[ENT_PATH_MAX];

    if (ctx->workflows.list != NULL)
        return &ctx->workflows;
    if ((size_t)snprintf(path, sizeof(path), "%s/workflows", cmd_datadir()) >=
        sizeof(path)) {
        ent_err_set(&ctx->err, ENT_EFAIL, "the path is too long");
        return NULL;
    }
    if (ent_workflows_load(path, &ctx->kinds, &ctx->vocab, &ctx->workflows,
                           &ctx->err) < 0)
        return NULL;
    return &ctx->workflows;
}

bool flow_has(struct cmd_ctx *ctx, const struct ent_kind *kind)
{
    const struct ent_workflows *all = flow_workflows(ctx);

    for (size_t i = 0; all != NULL && i < all->count; i++)
        if (all->list[i].kind == kind)
            return true;
    return false;
}

static bool says(const struct flow_fields *fields,
                 const struct ent_field *field, const char *value)
{
    const char *text = fields->get(fields->data, field);

    return text != NULL && strcmp(text, value) == 0;
}

static const struct ent_workflow *
find_workflow(const struct ent_workflows *all,
              const struct flow_subject *subject)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct ent_workflow *workflow = &all->list[i];

        if (workflow->kind == subject->kind &&
            (workflow->where == NULL ||
             says(&subject->fields, workflow->where_field, workflow->where)))
            return workflow;
    }
    return NULL;
}

/* ------------------------------------------------------------- transitions */

static const char steps_sql[] =
    "SELECT coalesce(s.name, '') AS handle, t.subject, t.workflow,"
    "       ent_uuid(t.id) AS uuid, t.code, t.from_state, t.to_state,"
    "       t.moved_on, t.by_id, t.reason, t.note, coalesce(t.follows, '')"
    "  FROM transitions t LEFT JOIN local_space s ON s.space = t.space"
    " WHERE t.subject IS NOT NULL AND t.to_state IS NOT NULL"
    "   AND t.space BETWEEN :from AND :to"
    "   AND (:names IS NULL"
    "        OR t.workflow IN (SELECT value FROM json_each(:names)))"
    "   AND (:id IS NULL OR t.subject IN (:code, :id))"
    " ORDER BY handle, t.subject, coalesce(t.moved_on, ''), uuid";

/* The names of a kind's workflows as a JSON array. */
static int put_names(struct cmd_ctx *ctx, const struct ent_kind *kind,
                     struct ent_buf *buf)
{
    const struct ent_workflows *all = flow_workflows(ctx);
    bool first = true;

    if (all == NULL)
        return ctx->err.code;
    ent_buf_put_u8(buf, '[');
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].kind != kind)
            continue;
        ent_buf_printf(buf, "%s\"%s\"", first ? "" : ", ", all->list[i].name);
        first = false;
    }
    ent_buf_put_u8(buf, ']');
    return 0;
}

static int keep_step(struct cmd_ctx *ctx, struct flow *flow, size_t *cap,
                     struct ent_query *query)
{
    const char *cells[12];
    struct flow_step *step;

    if (flow->count == *cap) {
        size_t more = *cap == 0 ? 32 : 2 * *cap;
        struct flow_step *steps =
            realloc(flow->steps, more * sizeof(*flow->steps));

        if (steps == NULL)
            return cmd_no_memory(ctx);
        flow->steps = steps;
        *cap = more;
    }
    for (size_t i = 0; i < ENT_ARRAY_LEN(cells); i++) {
        cells[i] = ent_query_cell(query, i);
        if (cells[i] == NULL)
            continue;
        cells[i] = ent_arena_str(&flow->arena, cells[i]);
        if (cells[i] == NULL)
            return cmd_no_memory(ctx);
    }
    step = &flow->steps[flow->count++];
    *step = (struct flow_step){
        .space = cells[0],
        .subject = cells[1],
        .workflow = cells[2],
        .id = cells[3],
        .code = cells[4],
        .from = cells[5],
        .to = cells[6],
        .on = cells[7],
        .by = cells[8],
        .reason = cells[9],
        .note = cells[10],
        .follows = cells[11],
    };
    return 0;
}

int flow_load(struct cmd_ctx *ctx, int64_t space, const struct ent_kind *kind,
              const char *code, const char *id, struct flow *flow)
{
    struct ent_query *query = NULL;
    struct ent_buf names = {0};
    size_t cap = 0;
    int rc = kind == NULL ? 0 : put_names(ctx, kind, &names);

    *flow = (struct flow){0};
    if (rc == 0 && names.rc < 0)
        rc = cmd_no_memory(ctx);
    if (rc == 0)
        rc = ent_query_open(ctx->store, steps_sql, &query, &ctx->err);
    if (rc == 0) {
        ent_query_bind(query, ":names",
                       kind == NULL ? NULL : ent_buf_cstr(&names));
        ent_query_bind(query, ":code", code);
        ent_query_bind(query, ":id", id);
        ent_query_bind_int(query, ":from", space);
        ent_query_bind_int(query, ":to", space == 0 ? INT64_MAX : space);
        while ((rc = ent_query_next(query, &ctx->err)) > 0) {
            rc = keep_step(ctx, flow, &cap, query);
            if (rc < 0)
                break;
        }
    }
    ent_query_close(query);
    ent_buf_fini(&names);
    if (rc < 0)
        flow_fini(flow);
    return rc;
}

void flow_fini(struct flow *flow)
{
    free(flow->steps);
    ent_arena_fini(&flow->arena);
    *flow = (struct flow){0};
}

/* ------------------------------------------------------------------- state */

static int compare_place(const struct flow_step *step, const char *space,
                         const char *subject)
{
    int order = strcmp(step->space, space);

    return order != 0 ? order : strcmp(step->subject, subject);
}

/* The first step of a subject, by halves; flow->count when it has none. */
static size_t first_of(const struct flow *flow, const char *space,
                       const char *subject)
{
    size_t from = 0;
    size_t to = flow->count;

    while (from < to) {
        size_t half = from + (to - from) / 2;

        if (compare_place(&flow->steps[half], space, subject) < 0)
            from = half + 1;
        else
            to = half;
    }
    return from;
}

static bool has_steps(const struct flow *flow, const char *space,
                      const char *subject)
{
    size_t at = subject == NULL ? flow->count : first_of(flow, space, subject);

    return at < flow->count &&
           compare_place(&flow->steps[at], space, subject) == 0;
}

/* That one step follows what is called `name`: its code or its id. */
struct follows {
    struct ent_slice name;
    const struct flow_step *step;
};

/* The steps of one record in its workflow. */
struct few {
    const struct flow_step **steps;
    size_t count;
    struct follows *follows; /* by name */
    size_t follow_count;
};

static void few_fini(struct few *few)
{
    free(few->steps);
    free(few->follows);
}

/* How many steps name their record so, and the first of them. */
static size_t run_of(const struct flow *flow,
                     const struct flow_subject *subject, const char *name,
                     size_t *first)
{
    size_t end;

    *first = name == NULL ? flow->count : first_of(flow, subject->space, name);
    for (end = *first;
         end < flow->count &&
         compare_place(&flow->steps[end], subject->space, name) == 0;)
        end++;
    return end - *first;
}

static int compare_names(struct ent_slice a, struct ent_slice b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len == 0 ? 0 : memcmp(a.at, b.at, a.len);
}

static int compare_follows(const void *a, const void *b)
{
    const struct follows *one = a;
    const struct follows *other = b;

    return compare_names(one->name, other->name);
}

/* The next text of a JSON array of plain texts; false: there is none. */
static bool next_name(const char **at, struct ent_slice *name)
{
    const char *from = strchr(*at, '"');
    const char *to = from == NULL ? NULL : strchr(from + 1, '"');

    if (to == NULL)
        return false;
    *name = ent_slice((const uint8_t *)from + 1, (size_t)(to - from) - 1);
    *at = to + 1;
    return true;
}

static int list_follows(struct few *few)
{
    struct ent_slice name;
    size_t room = 1;

    for (size_t i = 0; i < few->count; i++)
        for (const char *at = few->steps[i]->follows; next_name(&at, &name);)
            room++;
    few->follows = calloc(room, sizeof(*few->follows));
    if (few->follows == NULL)
        return ENT_ENOMEM;
    for (size_t i = 0; i < few->count; i++)
        for (const char *at = few->steps[i]->follows; next_name(&at, &name);)
            few->follows[few->follow_count++] =
                (struct follows){name, few->steps[i]};
    qsort(few->follows, few->follow_count, sizeof(*few->follows),
          compare_follows);
    return 0;
}

/* Steps name their record by its code, or by its id. */
static int gather(const struct flow *flow, const struct flow_now *now,
                  const struct flow_subject *subject, struct few *few)
{
    const char *const names[] = {subject->code, subject->id};
    size_t first[ENT_ARRAY_LEN(names)];
    size_t count[ENT_ARRAY_LEN(names)];
    size_t room = 1;

    for (size_t i = 0; i < ENT_ARRAY_LEN(names); i++) {
        count[i] = run_of(flow, subject, names[i], &first[i]);
        room += count[i];
    }
    few->steps = calloc(room, sizeof(*few->steps));
    if (few->steps == NULL)
        return ENT_ENOMEM;
    for (size_t i = 0; i < ENT_ARRAY_LEN(names); i++)
        for (size_t j = 0; j < count[i]; j++) {
            const struct flow_step *step = &flow->steps[first[i] + j];

            if (step->workflow != NULL &&
                strcmp(step->workflow, now->workflow->name) == 0)
                few->steps[few->count++] = step;
        }
    return list_follows(few);
}

/* Whether another step follows what is called so. */
static bool is_followed_as(const struct few *few, const struct flow_step *step,
                           const char *text)
{
    struct ent_slice name = ent_slice_str(text == NULL ? "" : text);
    size_t from = 0;
    size_t to = few->follow_count;

    while (from < to) {
        size_t half = from + (to - from) / 2;

        if (compare_names(few->follows[half].name, name) < 0)
            from = half + 1;
        else
            to = half;
    }
    for (; name.len > 0 && from < few->follow_count &&
           compare_names(few->follows[from].name, name) == 0;
         from++)
        if (few->follows[from].step != step)
            return true;
    return false;
}

static bool is_followed(const struct few *few, const struct flow_step *step)
{
    return is_followed_as(few, step, step->code) ||
           is_followed_as(few, step, step->id);
}

/* How well a state fits what the record's fields say: -1 not at all. The day
 * of a move that is to come is not there yet. */
static int fit(const struct cmd_ctx *ctx, const struct ent_workflow *workflow,
               const struct ent_state_def *state,
               const struct flow_fields *fields)
{
    char today[11] = "";
    int points = 0;

    if (workflow->field != NULL && !says(fields, workflow->field, state->value))
        return -1;
    if (workflow->field == NULL)
        cmd_today(ctx, today);
    for (size_t i = 0; i < state->set_count; i++) {
        const struct ent_state_set *set = &state->sets[i];
        const char *text = fields->get(fields->data, set->field);
        bool filled = text != NULL && *text != '\0';

        if (set->text != NULL && (!filled || strcmp(text, set->text) != 0))
            return -1;
        if (set->text == NULL && workflow->field == NULL &&
            (!filled || strcmp(text, today) > 0))
            return -1;
        points += 2 * (set->text != NULL || workflow->field == NULL);
    }
    /* Of several states with one value the one that has its name. */
    points += state->value != NULL && strcmp(state->value, state->name) == 0;
    return workflow->field == NULL && points == 0 ? -1 : points;
}

/* The state that the fields alone say. */
static const struct ent_state_def *
said_state(const struct cmd_ctx *ctx, const struct ent_workflow *workflow,
           const struct flow_fields *fields)
{
    const struct ent_state_def *best = workflow->unsaid;
    int points = -1;

    for (size_t i = 0; i < workflow->state_count; i++) {
        int found = fit(ctx, workflow, &workflow->states[i], fields);

        if (found > points) {
            best = &workflow->states[i];
            points = found;
        }
    }
    return best;
}

/* Moves a head that leads elsewhere than those before it to their end. */
static void find_sides(struct flow_now *now)
{
    for (size_t i = 0; i < now->head_count; i++) {
        const struct flow_step *head = now->heads[i];
        bool again = false;

        for (size_t j = 0; !again && j < now->side_count; j++)
            again = strcmp(now->heads[j]->to, head->to) == 0;
        if (again)
            continue;
        now->heads[i] = now->heads[now->side_count];
        now->heads[now->side_count++] = head;
    }
    now->contested = now->side_count > 1;
}

static int find_heads(const struct few *few, struct flow_now *now)
{
    now->heads = calloc(few->count + 1, sizeof(*now->heads));
    if (now->heads == NULL)
        return ENT_ENOMEM;
    for (size_t i = 0; i < few->count; i++)
        if (!is_followed(few, few->steps[i]))
            now->heads[now->head_count++] = few->steps[i];
    find_sides(now);
    return 0;
}

static int gather_heads(const struct flow *flow,
                        const struct flow_subject *subject,
                        struct flow_now *now)
{
    struct few few = {0};
    int rc = gather(flow, now, subject, &few);

    if (rc == 0)
        rc = find_heads(&few, now);
    few_fini(&few);
    return rc;
}

/* How many different names are followed. */
static size_t count_followed(const struct few *few)
{
    size_t count = 0;

    for (size_t i = 0; i < few->follow_count; i++)
        count += i == 0 || compare_names(few->follows[i - 1].name,
                                         few->follows[i].name) != 0;
    return count;
}

int flow_may_contest(const struct flow *flow,
                     const struct ent_workflow *workflow, const char *space,
                     const char *name, bool *may)
{
    struct flow_subject subject = {.space = space, .code = name};
    struct flow_now now = {.workflow = workflow};
    struct few few = {0};
    int rc = gather(flow, &now, &subject, &few);

    if (rc == 0)
        rc = find_heads(&few, &now);
    /* More names are followed than steps here: some are steps elsewhere. */
    if (rc == 0)
        *may =
            now.contested || count_followed(&few) > few.count - now.head_count;
    few_fini(&few);
    flow_now_fini(&now);
    return rc;
}

void flow_now_fini(struct flow_now *now)
{
    free(now->heads);
    *now = (struct flow_now){0};
}

int flow_find(struct cmd_ctx *ctx, const struct flow *flow,
              const struct flow_subject *subject, struct flow_now *now)
{
    const struct ent_workflows *all = flow_workflows(ctx);
    const struct ent_state_def *said;

    *now = (struct flow_now){0};
    if (all == NULL)
        return ctx->err.code;
    now->workflow = find_workflow(all, subject);
    if (now->workflow == NULL)
        return 0;
    if ((has_steps(flow, subject->space, subject->code) ||
         has_steps(flow, subject->space, subject->id)) &&
        gather_heads(flow, subject, now) < 0)
        return cmd_no_memory(ctx);
    said = said_state(ctx, now->workflow, &subject->fields);
    if (now->head_count > 0)
        now->state = ent_state_named(now->workflow, now->heads[0]->to);
    if (now->state == NULL)
        now->state = said;
    else if (!now->contested && now->workflow->field != NULL &&
             !says(&subject->fields, now->workflow->field, now->state->value)) {
        now->differs = true;
        now->state = said != NULL ? said : now->state;
    }
    return 0;
}

/* -------------------------------------------------------------- one record */

const char *flow_text(struct flow_record *read, const struct ent_field *field)
{
    const struct ent_value *value = look_value(read->record, field->number);
    struct ent_buf text = {0};
    const char *copy = NULL;

    if (value != NULL) {
        ent_value_print(value, &text);
        if (ent_buf_cstr(&text) != NULL)
            copy = ent_arena_str(&read->arena, ent_buf_cstr(&text));
    }
    ent_buf_fini(&text);
    return copy;
}

static const char *get_of_record(const void *data,
                                 const struct ent_field *field)
{
    struct flow_record *read = *(struct flow_record *const *)data;

    return flow_text(read, field);
}

int flow_read_in(struct cmd_ctx *ctx, const struct ent_record *record,
                 const struct ent_kind *kind, const struct flow *flow,
                 struct flow_record *read)
{
    struct flow_record *self = read;
    struct flow_subject subject;
    int rc = 0;

    *read = (struct flow_record){.record = record, .kind = kind};
    if (!flow_has(ctx, kind))
        return ctx->workflows.list == NULL ? ctx->err.code : 0;
    ent_id_text(&record->ref.id, read->id);
    read->code = flow_text(read, ent_field_find(kind, ENT_FIELD_CODE));
    subject = (struct flow_subject){
        .kind = kind,
        .space = pick_handle(ctx, record->ref.space),
        .code = read->code,
        .id = read->id,
        .fields = {get_of_record, &self},
    };
    if (flow == NULL) {
        rc = flow_load(ctx, record->ref.space, kind, read->code, read->id,
                       &read->flow);
        flow = &read->flow;
    }
    if (rc == 0)
        rc = flow_find(ctx, flow, &subject, &read->now);
    return rc;
}

int flow_read(struct cmd_ctx *ctx, const struct ent_record *record,
              const struct ent_kind *kind, struct flow_record *read)
{
    return flow_read_in(ctx, record, kind, NULL, read);
}

void flow_record_fini(struct flow_record *read)
{
    flow_now_fini(&read->now);
    flow_fini(&read->flow);
    ent_arena_fini(&read->arena);
}

/* -------------------------------------------------------------------- said */

const char *flow_label(const struct cmd_ctx *ctx,
                       const struct ent_state_def *state)
{
    return look_for_program(ctx) ? state->name : state->label[ctx->lang];
}

void flow_put(const struct cmd_ctx *ctx, const struct flow_now *now,
              struct ent_buf *buf)
{
    size_t count = now->contested ? now->side_count : 0;

    if (!now->contested && now->state != NULL)
        ent_buf_put_str(buf, flow_label(ctx, now->state));
    for (size_t i = 0; i < count; i++) {
        const struct ent_state_def *state =
            ent_state_named(now->workflow, now->heads[i]->to);

        if (i > 0)
            ent_buf_put_str(buf, look_for_program(ctx) ? "|" : " / ");
        ent_buf_put_str(buf, state == NULL ? now->heads[i]->to
                                           : flow_label(ctx, state));
    }
}

bool flow_may(const struct flow_now *now, const struct ent_state_def *state)
{
    return now->state == NULL ? state->begins
                              : ent_names_have(now->state->next, state->name);
}

void flow_put_state(const struct cmd_ctx *ctx,
                    const struct ent_state_def *state, struct ent_buf *buf)
{
    ent_buf_printf(buf, "%s (%s)", state->name, state->label[ctx->lang]);
}

void flow_put_role(const struct cmd_ctx *ctx, const char *role,
                   struct ent_buf *buf)
{
    const struct ent_term *term = ent_vocab_find(&ctx->vocab, ROLES, role);

    ent_buf_put_str(buf, role);
    if (term != NULL)
        ent_buf_printf(buf, " (%s)", term->label[ctx->lang]);
}

void flow_put_next(const struct cmd_ctx *ctx, const struct flow_now *now,
                   struct ent_buf *buf)
{
    bool first = true;

    for (size_t i = 0; i < now->workflow->state_count; i++) {
        const struct ent_state_def *state = &now->workflow->states[i];

        if (!flow_may(now, state))
            continue;
        ent_buf_put_str(buf, first ? "" : ", ");
        flow_put_state(ctx, state, buf);
        first = false;
    }
}
