/* undo_plan.c - see undo_plan.h. One record after the other, from what the
 * command's entries wrote in it and from what stands now. */
#include "store/undo_plan.h"

#include <stdlib.h>
#include <string.h>

#include "store/erase.h"
#include "store/past.h"

/* What one entry of it did to a record. */
struct touch {
    int64_t n;
    const struct ent_entry *entry;
    const struct ent_change *change;
};

struct plan {
    struct ent_store *store;
    struct ent_undo *undo;
    int64_t space;
    struct ent_past past;
    struct ent_arena arena; /* of the entries; and of what a record needs */
    struct touch *touches;  /* by record, then by n */
    size_t touch_count, touch_cap;
    size_t step_cap;
};

/* One record of the plan. */
struct part {
    struct ent_record_ref ref;
    const struct touch *touches;
    size_t count;
    struct ent_record record;
};

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ------------------------------------------------------- what it has written
 */

static int keep_touch(struct plan *plan, const struct touch *touch,
                      struct ent_err *err)
{
    if (plan->touch_count == plan->touch_cap) {
        size_t cap = plan->touch_cap == 0 ? 256 : 2 * plan->touch_cap;
        struct touch *touches =
            realloc(plan->touches, cap * sizeof(*plan->touches));

        if (touches == NULL)
            return no_memory(err);
        plan->touches = touches;
        plan->touch_cap = cap;
    }
    plan->touches[plan->touch_count++] = *touch;
    return 0;
}

/* The changes of one entry. Nothing of one that counts nowhere, or that a cut
 * took out of the log. */
static int read_entry(struct plan *plan, int64_t n, struct ent_err *err)
{
    struct ent_entry *entry = ENT_ARENA_NEW(&plan->arena, struct ent_entry, 1);
    enum ent_verdict verdict;
    struct ent_hash hash;
    int rc;

    if (entry == NULL)
        return no_memory(err);
    if (ent_log_of(plan->store, ent_n_o(n)) == NULL)
        return 0;
    rc =
        ent_log_read(plan->store, n, &plan->arena, entry, &verdict, &hash, err);
    if (rc == ENT_ENOTFOUND)
        return 0;
    if (rc < 0 || verdict != ENT_VERDICT_ACCEPTED)
        return rc;
    plan->undo->at_ms = entry->time_ms;
    for (size_t i = 0; rc == 0 && i < entry->change_count; i++) {
        const struct touch touch = {
            .n = n, .entry = entry, .change = &entry->changes[i]};

        rc = keep_touch(plan, &touch, err);
    }
    return rc;
}

static int touch_cmp(const void *a, const void *b)
{
    const struct touch *x = a;
    const struct touch *y = b;
    int order;

    if (x->change->kind != y->change->kind)
        return x->change->kind < y->change->kind ? -1 : 1;
    order = ent_id_cmp(&x->change->id, &y->change->id);
    return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

static bool is_own(const struct part *part, int64_t n)
{
    for (size_t i = 0; i < part->count; i++)
        if (part->touches[i].n == n)
            return true;
    return false;
}

/* -------------------------------------------------------------------- steps */

static struct ent_undo_step *new_step(struct plan *plan,
                                      const struct part *part, uint32_t field,
                                      uint32_t code, struct ent_err *err)
{
    struct ent_undo *undo = plan->undo;

    if (undo->count == plan->step_cap) {
        size_t cap = plan->step_cap == 0 ? 64 : 2 * plan->step_cap;
        struct ent_undo_step *steps =
            realloc(undo->steps, cap * sizeof(*undo->steps));

        if (steps == NULL) {
            no_memory(err);
            return NULL;
        }
        undo->steps = steps;
        plan->step_cap = cap;
    }
    undo->steps[undo->count] =
        (struct ent_undo_step){.ref = part->ref, .field = field, .code = code};
    return &undo->steps[undo->count++];
}

/* Somebody's write stands where the command's should stand alone. */
static void bar(struct plan *plan, struct ent_undo_step *step,
                const struct ent_shown *by)
{
    step->bar = ENT_UNDO_WRITTEN;
    step->by = by->author;
    step->by_ms = by->claimed_ms;
    plan->undo->barred++;
}

static void bar_gone(struct plan *plan, struct ent_undo_step *step)
{
    step->bar = ENT_UNDO_GONE;
    plan->undo->barred++;
}

/* A standing write of a field that is not the command's; `any`: of every
 * field. */
static const struct ent_shown *foreign(const struct part *part, uint32_t field,
                                       bool any)
{
    for (size_t i = 0; i < part->record.write_count; i++) {
        const struct ent_shown *write = &part->record.writes[i];

        if ((any || write->field == field) && !is_own(part, write->dot.n))
            return write;
    }
    return NULL;
}

/* The command's writes of a field that stand; in the plan's arena. */
static const struct ent_dot *own_dots(struct plan *plan,
                                      const struct part *part, uint32_t field,
                                      size_t *count, struct ent_err *err)
{
    struct ent_dot *dots = ENT_ARENA_NEW(&plan->undo->arena, struct ent_dot,
                                         part->record.write_count + 1);

    *count = 0;
    if (dots == NULL) {
        no_memory(err);
        return NULL;
    }
    for (size_t i = 0; i < part->record.write_count; i++) {
        const struct ent_shown *write = &part->record.writes[i];

        if (write->field == field && is_own(part, write->dot.n))
            dots[(*count)++] = write->dot;
    }
    return dots;
}

/* The writes that the command replaced in a field: those it named and did not
 * make itself. */
static int replaced(struct plan *plan, const struct part *part, uint32_t field,
                    struct ent_past_write **list, size_t *count,
                    struct ent_err *err)
{
    size_t room = 1;
    int rc = 0;

    for (size_t i = 0; i < part->count; i++)
        for (size_t j = 0; j < part->touches[i].change->op_count; j++)
            room += part->touches[i].change->ops[j].seen_count;
    *list = ENT_ARENA_NEW(&plan->arena, struct ent_past_write, room);
    *count = 0;
    if (*list == NULL)
        return no_memory(err);
    for (size_t i = 0; rc == 0 && i < part->count; i++) {
        const struct touch *touch = &part->touches[i];

        for (size_t j = 0; rc == 0 && j < touch->change->op_count; j++) {
            const struct ent_op *op = &touch->change->ops[j];
            struct ent_past_write *seen = NULL;
            size_t seen_count = 0;

            if (op->field == field)
                rc = ent_past_seen(&plan->past, &part->ref, touch->entry, op,
                                   &plan->undo->arena, &seen, &seen_count, err);
            for (size_t k = 0; rc == 0 && k < seen_count; k++)
                if (!is_own(part, seen[k].n))
                    (*list)[(*count)++] = seen[k];
        }
    }
    return rc;
}

static bool has_value(const struct ent_past_write *list, size_t count,
                      const struct ent_value *value)
{
    for (size_t i = 0; i < count; i++)
        if (ent_value_equal(&list[i].value, value))
            return true;
    return false;
}

/* --------------------------------------------------------------------- life */

/* What the command did to the whole record. */
enum deed { DEED_NONE, DEED_MADE, DEED_DELETED, DEED_BROUGHT_BACK };

static int find_deed(struct plan *plan, const struct part *part,
                     enum deed *deed, struct ent_err *err)
{
    const struct ent_change *last = part->touches[part->count - 1].change;
    struct ent_past_write *before;
    size_t count;
    bool was_live = false;
    int rc = replaced(plan, part, ENT_FIELD_LIFE, &before, &count, err);

    *deed = DEED_NONE;
    for (size_t i = 0; rc == 0 && i < count; i++)
        was_live = was_live || before[i].code == ENT_OP_LIVE;
    if (rc < 0)
        return rc;
    if (last->ops[0].code == ENT_OP_DEAD)
        *deed = was_live ? DEED_DELETED : DEED_NONE;
    else if (count == 0)
        *deed = DEED_MADE;
    else if (!was_live)
        *deed = DEED_BROUGHT_BACK;
    return 0;
}

static int plan_life(struct plan *plan, const struct part *part, enum deed deed,
                     struct ent_err *err)
{
    const struct ent_shown *by =
        foreign(part, ENT_FIELD_LIFE, deed == DEED_MADE);
    struct ent_undo_step *step =
        new_step(plan, part, ENT_FIELD_LIFE,
                 deed == DEED_DELETED ? ENT_OP_LIVE : ENT_OP_DEAD, err);
    size_t own = 0;

    if (step == NULL)
        return ENT_ENOMEM;
    for (size_t i = 0; i < part->record.write_count; i++)
        own += part->record.writes[i].field == ENT_FIELD_LIFE &&
               is_own(part, part->record.writes[i].dot.n);
    /* Who changed what was deleted without knowing of it wants it to live, as
     * the undo does. */
    if (by != NULL && (deed != DEED_DELETED || own == 0))
        bar(plan, step, by);
    return 0;
}

/* ------------------------------------------------------------------- fields */

/* Whether the command archived the record. */
static bool has_put_away(const struct part *part)
{
    for (size_t i = 0; i < part->record.write_count; i++) {
        const struct ent_shown *write = &part->record.writes[i];

        if (write->field == ENT_FIELD_ARCHIVED && is_own(part, write->dot.n) &&
            write->value.type != ENT_VALUE_NIL)
            return true;
    }
    return false;
}

static int plan_register(struct plan *plan, const struct part *part,
                         uint32_t field, struct ent_err *err)
{
    const struct ent_shown *by = foreign(part, field, false);
    struct ent_past_write *before;
    const struct ent_dot *dots;
    struct ent_undo_step *step;
    size_t count, dot_count;
    size_t put = 0;
    int rc = replaced(plan, part, field, &before, &count, err);

    if (rc < 0)
        return rc;
    dots = own_dots(plan, part, field, &dot_count, err);
    if (dots == NULL)
        return ENT_ENOMEM;
    /* What was archived before had come back by then. */
    if (field == ENT_FIELD_ARCHIVED && has_put_away(part))
        count = 0;
    if (count == 0)
        before[count++] = (struct ent_past_write){.value = ent_value_nil()};
    for (size_t i = 0; i < count; i++) {
        if (has_value(before, i, &before[i].value) && !before[i].missing)
            continue;
        step = new_step(plan, part, field, ENT_OP_WRITE, err);
        if (step == NULL)
            return ENT_ENOMEM;
        step->value = before[i].value;
        step->again = put++ > 0;
        step->seen = dots;
        step->seen_count = step->again ? 0 : dot_count;
        if (by != NULL)
            bar(plan, step, by);
        else if (before[i].missing)
            bar_gone(plan, step);
        if (step->bar != ENT_UNDO_FREE)
            break;
    }
    return 0;
}

/* Elements that the command added go, those it removed are added again. What
 * others did to the set stays as it is. */
static int plan_set(struct plan *plan, const struct part *part, uint32_t field,
                    struct ent_err *err)
{
    struct ent_past_write *before;
    size_t count;
    int rc = replaced(plan, part, field, &before, &count, err);

    for (size_t i = 0; rc == 0 && i < part->record.write_count; i++) {
        const struct ent_shown *write = &part->record.writes[i];
        struct ent_undo_step *step;
        struct ent_dot *dot;

        if (write->field != field || !is_own(part, write->dot.n))
            continue;
        step = new_step(plan, part, field, ENT_OP_REMOVE, err);
        dot = ENT_ARENA_NEW(&plan->undo->arena, struct ent_dot, 1);
        if (step == NULL || dot == NULL)
            return no_memory(err);
        *dot = write->dot;
        step->value = ent_past_copy(&plan->undo->arena, &write->value);
        step->seen = dot;
        step->seen_count = 1;
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_undo_step *step;
        bool stands = false;

        for (size_t j = 0; j < part->record.write_count; j++)
            stands = stands || (part->record.writes[j].field == field &&
                                !is_own(part, part->record.writes[j].dot.n) &&
                                ent_value_equal(&part->record.writes[j].value,
                                                &before[i].value));
        if (!before[i].missing &&
            (stands || has_value(before, i, &before[i].value)))
            continue;
        step = new_step(plan, part, field, ENT_OP_ADD, err);
        if (step == NULL)
            return ENT_ENOMEM;
        step->value = before[i].value;
        if (before[i].missing)
            bar_gone(plan, step);
    }
    return rc;
}

/* Whether an operation is the first on its field in the touches of a record. */
static bool is_first(const struct part *part, size_t touch, size_t op)
{
    const uint32_t field = part->touches[touch].change->ops[op].field;

    for (size_t i = 0; i <= touch; i++) {
        const struct ent_change *change = part->touches[i].change;

        for (size_t j = 0; j < change->op_count; j++) {
            if (i == touch && j == op)
                return true;
            if (change->ops[j].field == field)
                return false;
        }
    }
    return true;
}

static int plan_fields(struct plan *plan, const struct part *part,
                       struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < part->count; i++) {
        const struct ent_change *change = part->touches[i].change;

        for (size_t j = 1; rc == 0 && j < change->op_count; j++) {
            const struct ent_op *op = &change->ops[j];

            if (op->field == ENT_FIELD_LIFE || !is_first(part, i, j))
                continue;
            rc = op->code == ENT_OP_WRITE
                     ? plan_register(plan, part, op->field, err)
                     : plan_set(plan, part, op->field, err);
        }
    }
    return rc;
}

/* ------------------------------------------------------------------ records */

static int plan_record(struct plan *plan, struct part *part,
                       struct ent_err *err)
{
    size_t first = plan->undo->count;
    const struct ent_shown *by;
    enum deed deed;
    int rc = ent_record_erased(plan->store, &part->ref, err);

    /* What was erased since stays so; the others are undone. */
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = ent_record_read(plan->store, &part->ref, &part->record, err);
    if (rc < 0)
        return rc;
    rc = find_deed(plan, part, &deed, err);
    if (rc == 0 && deed != DEED_NONE)
        rc = plan_life(plan, part, deed, err);
    by = foreign(part, ENT_FIELD_LIFE, false);
    /* A record that goes takes its fields along, and one that the command made
     * and deleted is as it was. */
    if (rc == 0 && deed != DEED_MADE &&
        (deed != DEED_NONE || part->record.live || by != NULL))
        rc = plan_fields(plan, part, err);
    if (rc == 0 && deed == DEED_NONE && !part->record.live && by != NULL)
        for (size_t i = first; i < plan->undo->count; i++)
            if (plan->undo->steps[i].bar == ENT_UNDO_FREE)
                bar(plan, &plan->undo->steps[i], by);
    ent_record_fini(&part->record);
    return rc;
}

static int plan_records(struct plan *plan, struct ent_err *err)
{
    int rc = 0;

    if (plan->touch_count > 1)
        qsort(plan->touches, plan->touch_count, sizeof(*plan->touches),
              touch_cmp);
    for (size_t i = 0; rc == 0 && i < plan->touch_count;) {
        const struct ent_change *change = plan->touches[i].change;
        struct part part = {.ref = {.space = plan->space,
                                    .kind = change->kind,
                                    .id = change->id},
                            .touches = &plan->touches[i]};

        while (i < plan->touch_count &&
               plan->touches[i].change->kind == change->kind &&
               ent_id_equal(&plan->touches[i].change->id, &change->id)) {
            part.count++;
            i++;
        }
        rc = plan_record(plan, &part, err);
    }
    return rc;
}

int ent_undo_plan(struct ent_store *store, int64_t space,
                  const struct ent_undo_range *ranges, size_t count,
                  struct ent_undo *undo, struct ent_err *err)
{
    struct plan plan = {.store = store,
                        .undo = undo,
                        .space = space,
                        .past.store = store,
                        .step_cap = undo->count};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        for (int64_t n = ranges[i].first; rc == 0 && n <= ranges[i].last; n++)
            if (ranges[i].space == space)
                rc = read_entry(&plan, n, err);
    if (rc == 0)
        rc = plan_records(&plan, err);
    ent_past_fini(&plan.past);
    ent_arena_fini(&plan.arena);
    free(plan.touches);
    return rc;
}
