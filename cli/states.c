/* states.c - records that were moved to two states apart, as conflicts. */
#include <stdlib.h>
#include <string.h>

#include "cli/conflicts.h"
#include "cli/look.h"
#include "cli/pick.h"

/* The transitions that lead to the sides of one contested state. */
struct sides {
    struct ent_record *records;
    const struct ent_shown **values;
    size_t count;
};

static void sides_fini(struct sides *sides)
{
    for (size_t i = 0; i < sides->count; i++)
        ent_record_fini(&sides->records[i]);
    free(sides->records);
    free(sides->values);
}

static int read_sides(struct cmd_ctx *ctx, const struct flow_record *read,
                      const struct ent_kind *kind,
                      const struct ent_field *field, struct sides *sides)
{
    const struct flow_now *now = &read->now;

    sides->records = calloc(now->side_count, sizeof(*sides->records));
    sides->values = calloc(now->side_count, sizeof(*sides->values));
    if (sides->records == NULL || sides->values == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; i < now->side_count; i++) {
        struct ent_record *record = &sides->records[sides->count];
        struct ent_record_ref ref = {.space = read->record->ref.space,
                                     .kind = kind->number};
        const struct ent_shown *value = NULL;
        int rc;

        if (!ent_id_parse(now->heads[i]->id, &ref.id))
            continue;
        rc = ent_record_read(ctx->store, &ref, record, &ctx->err);
        if (rc < 0)
            return rc;
        for (size_t j = 0; value == NULL && j < record->write_count; j++)
            if (record->writes[j].field == field->number)
                value = &record->writes[j];
        sides->values[sides->count++] = value;
        if (value == NULL)
            return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                               "the transition %s says no state",
                               now->heads[i]->id);
    }
    return 0;
}

static int take_state(struct cmd_ctx *ctx, const struct flow_record *read,
                      conflict_fn *take, void *data)
{
    const struct ent_kind *kind = ent_kind_named(&ctx->kinds, "transition");
    const struct ent_field *field =
        kind == NULL ? NULL : ent_field_named(kind, "to_state");
    struct conflict conflict = {
        .record = read->record,
        .kind = read->kind,
        .field = field,
        .workflow = read->now.workflow,
    };
    struct sides sides = {0};
    int rc = field == NULL ? 0 : read_sides(ctx, read, kind, field, &sides);

    conflict.values = sides.values;
    conflict.count = sides.count;
    if (rc == 0)
        rc = take(ctx, &conflict, data);
    sides_fini(&sides);
    return rc;
}

/* The record of a step, when it is here, live, and its state is contested:
 * handed on, and 1. */
static int take_subject(struct cmd_ctx *ctx, const struct flow *flow,
                        const struct flow_step *step,
                        const struct ent_kind *kind, int64_t space,
                        conflict_fn *take, void *data)
{
    struct ent_record_ref ref;
    struct ent_record record = {0};
    struct flow_record read = {0};
    size_t count = 0;
    bool told = false;
    int taken = 0;
    int rc = ent_record_find(ctx->store, step->subject, space, kind->number,
                             &ref, 1, &count, NULL);

    if (rc < 0 || count == 0)
        return rc == ENT_ENOMEM || rc == ENT_ESTORE
                   ? ent_err_set(&ctx->err, rc, "the codes cannot be read")
                   : 0;
    rc = ent_record_read(ctx->store, &ref, &record, &ctx->err);
    if (rc == 0)
        rc = flow_read_in(ctx, &record, kind, flow, &read);
    /* Those by code and those by id are one record's: told once. */
    if (rc == 0 && read.now.contested && read.code != NULL &&
        strcmp(read.code, step->subject) != 0)
        rc = flow_may_contest(flow, read.now.workflow, step->space, read.code,
                              &told);
    if (rc == 0 && record.live && read.now.contested && !told) {
        rc = take == NULL ? 0 : take_state(ctx, &read, take, data);
        taken = 1;
    }
    flow_record_fini(&read);
    ent_record_fini(&record);
    return rc < 0 ? rc : taken;
}

static bool is_same(const struct flow_step *a, const struct flow_step *b)
{
    return strcmp(a->space, b->space) == 0 &&
           strcmp(a->subject, b->subject) == 0;
}

/* The workflow of a step when it is the first of it on its record, or NULL. */
static const struct ent_workflow *first_of(const struct ent_workflows *all,
                                           const struct flow *flow, size_t at)
{
    const struct flow_step *step = &flow->steps[at];

    if (step->workflow == NULL)
        return NULL;
    for (size_t i = at; i-- > 0 && is_same(&flow->steps[i], step);)
        if (flow->steps[i].workflow != NULL &&
            strcmp(flow->steps[i].workflow, step->workflow) == 0)
            return NULL;
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->list[i].name, step->workflow) == 0)
            return &all->list[i];
    return NULL;
}

int conflict_each_state(struct cmd_ctx *ctx, int64_t space, conflict_fn *take,
                        void *data, size_t *count)
{
    const struct ent_workflows *all = flow_workflows(ctx);
    struct flow flow;
    int rc;

    if (all == NULL)
        return ctx->err.code;
    rc = flow_load(ctx, space, NULL, NULL, NULL, &flow);
    if (rc < 0)
        return rc;
    for (size_t i = 0; rc >= 0 && i < flow.count; i++) {
        const struct flow_step *step = &flow.steps[i];
        const struct ent_workflow *workflow = first_of(all, &flow, i);
        bool may = false;
        int64_t own = 0;

        if (workflow == NULL)
            continue;
        if (flow_may_contest(&flow, workflow, step->space, step->subject,
                             &may) < 0) {
            rc = cmd_no_memory(ctx);
            break;
        }
        if (!may || pick_space(ctx, step->space, &own) < 0 ||
            (space != 0 && own != space))
            continue;
        rc = take_subject(ctx, &flow, step, workflow->kind, own, take, data);
        *count += rc > 0;
    }
    flow_fini(&flow);
    return rc < 0 ? rc : 0;
}
