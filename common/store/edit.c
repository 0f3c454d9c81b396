/* edit.c - what an edit asks for as the operations of a change: each names the
 * writes that it replaces (rules L5, M6, M8). */
#include <string.h>

#include "store/own.h"
#include "store/writer.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

int ent_edit_check(const struct ent_writer *writer, const struct ent_kind *kind,
                   const struct ent_edit_op *op, const struct ent_field **field,
                   struct ent_err *err)
{
    bool set;

    *field = ent_space_field(writer->store, writer->space, kind, op->field);
    if (*field == NULL)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("%s has no field number %u"), kind->name,
                           op->field);
    set = (*field)->rule == ENT_RULE_SET;
    if (set != (op->code == ENT_OP_ADD || op->code == ENT_OP_REMOVE))
        return ent_err_set(err, ENT_EREFUSED,
                           set ? ENT_N_("%s is a set: add to it or remove "
                                        "from it")
                               : ENT_N_("%s holds one value: set it"),
                           (*field)->name);
    if (op->value.bytes.len > ENT_VALUE_BYTES_MAX - 8)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("%s: a value may have %d bytes at most"),
                           (*field)->name, ENT_VALUE_BYTES_MAX - 8);
    return 0;
}

/* ------------------------------------------------------------- what stands */

/* Dots of the standing writes of a field that `want` picks; NULL picks all. */
static struct ent_dot *standing(struct ent_writer *writer,
                                const struct ent_state *state, uint32_t field,
                                const struct ent_value *want, size_t *count)
{
    struct ent_dot *dots =
        ENT_ARENA_NEW(&writer->arena, struct ent_dot, state->cell_count + 1);

    *count = 0;
    if (dots == NULL)
        return NULL;
    for (size_t i = 0; i < state->cell_count; i++) {
        const struct ent_cell *cell = &state->cells[i];

        if (cell->field == field &&
            (want == NULL || ent_value_equal(&cell->value, want)))
            dots[(*count)++] =
                (struct ent_dot){.n = cell->n, .ordinal = cell->ordinal};
    }
    return dots;
}

/* How many writes stand in a field, and whether all have one value. */
static size_t values_of(const struct ent_state *state, uint32_t field,
                        const struct ent_value **value, bool *same)
{
    size_t count = 0;

    *same = true;
    for (size_t i = 0; i < state->cell_count; i++) {
        const struct ent_cell *cell = &state->cells[i];

        if (cell->field != field)
            continue;
        if (count++ == 0)
            *value = &cell->value;
        else if (!ent_value_equal(*value, &cell->value))
            *same = false;
        if (cell->missing)
            *same = false;
    }
    return count;
}

/* -------------------------------------------------------------- operations */

static int put_write(struct ent_writer *writer, const struct ent_state *state,
                     const struct ent_field *field,
                     const struct ent_edit_op *edit, bool resolve,
                     struct ent_change *change, struct ent_err *err)
{
    struct ent_op *op = &change->ops[change->op_count];
    const struct ent_value *value = NULL;
    const struct ent_dot *dots = edit->seen;
    size_t count = edit->seen_count;
    bool same;
    size_t stand = values_of(state, field->number, &value, &same);

    for (size_t i = 1; i < change->op_count; i++)
        if (change->ops[i].field == field->number)
            return ent_err_set(err, ENT_EREFUSED, ENT_N_("%s is set twice"),
                               field->name);
    if (edit->seen == NULL) {
        if (stand > 1 && !same && !resolve && field->loud == ENT_LOUD_ASK)
            return ent_err_set(err, ENT_ECONFLICT,
                               ENT_N_("%s has several values from different "
                                      "nodes: look at them with show, choose "
                                      "with resolve"),
                               field->name);
        if (stand == 0 && edit->value.type == ENT_VALUE_NIL)
            return 0;
        if (stand > 0 && same && ent_value_equal(value, &edit->value))
            return 0;
        dots = standing(writer, state, field->number, NULL, &count);
        if (dots == NULL)
            return no_memory(err);
    }
    *op = (struct ent_op){
        .code = ENT_OP_WRITE, .field = field->number, .value = edit->value};
    change->op_count++;
    return ent_writer_name(writer, dots, count, op, err);
}

/* The operation of that code, field and (for an addition) value that the
 * change has already, or NULL. */
static struct ent_op *same_op(struct ent_change *change,
                              const struct ent_edit_op *edit)
{
    for (size_t i = 1; i < change->op_count; i++) {
        struct ent_op *op = &change->ops[i];

        if (op->field == edit->field && op->code == edit->code &&
            (edit->code == ENT_OP_REMOVE ||
             ent_value_equal(&op->value, &edit->value)))
            return op;
    }
    return NULL;
}

/* Values removed one by one become one operation (rule L5). */
static int join_removal(struct ent_writer *writer, struct ent_op *op,
                        const struct ent_dot *dots, size_t count,
                        struct ent_err *err)
{
    struct ent_op more = {0};
    struct ent_seen *seen;
    int rc = ent_writer_name(writer, dots, count, &more, err);

    if (rc < 0)
        return rc;
    seen = ENT_ARENA_NEW(&writer->arena, struct ent_seen,
                         op->seen_count + more.seen_count);
    if (seen == NULL)
        return no_memory(err);
    memcpy(seen, op->seen, op->seen_count * sizeof(*seen));
    memcpy(seen + op->seen_count, more.seen, more.seen_count * sizeof(*seen));
    op->seen = seen;
    op->seen_count += more.seen_count;
    return 0;
}

static int put_set(struct ent_writer *writer, const struct ent_state *state,
                   const struct ent_edit_op *edit, struct ent_change *change,
                   struct ent_err *err)
{
    struct ent_op *op = same_op(change, edit);
    size_t count;
    const struct ent_dot *dots =
        standing(writer, state, edit->field, &edit->value, &count);

    if (dots == NULL)
        return no_memory(err);
    if (edit->code == ENT_OP_REMOVE && edit->seen != NULL) {
        dots = edit->seen;
        count = edit->seen_count;
    }
    if ((edit->code == ENT_OP_ADD) == (count > 0))
        return 0;
    if (op != NULL)
        return edit->code == ENT_OP_ADD
                   ? 0
                   : join_removal(writer, op, dots, count, err);
    op = &change->ops[change->op_count++];
    *op = (struct ent_op){.code = edit->code, .field = edit->field};
    if (edit->code == ENT_OP_ADD)
        op->value = edit->value;
    return edit->code == ENT_OP_ADD
               ? 0
               : ent_writer_name(writer, dots, count, op, err);
}

int ent_edit_put_ops(struct ent_writer *writer, const struct ent_kind *kind,
                     const struct ent_edit *edit, bool resolve,
                     const struct ent_state *state, struct ent_change *change,
                     struct ent_err *err)
{
    int rc = 0;

    change->op_count = 1;
    for (size_t i = 0; rc == 0 && i < edit->op_count; i++) {
        const struct ent_edit_op *op = &edit->ops[i];
        const struct ent_field *field;

        rc = ent_edit_check(writer, kind, op, &field, err);
        if (rc == 0 && op->code == ENT_OP_WRITE)
            rc = put_write(writer, state, field, op, resolve, change, err);
        else if (rc == 0)
            rc = put_set(writer, state, op, change, err);
    }
    return rc;
}

int ent_edit_put_life(struct ent_writer *writer, const struct ent_state *state,
                      enum ent_edit_life life, struct ent_change *change,
                      struct ent_err *err)
{
    struct ent_op *op = &change->ops[0];
    struct ent_dot *dots =
        ENT_ARENA_NEW(&writer->arena, struct ent_dot, state->cell_count + 1);
    size_t count = 0;

    if (dots == NULL)
        return no_memory(err);
    for (size_t i = 0; i < state->cell_count; i++) {
        const struct ent_cell *cell = &state->cells[i];

        if (cell->field == ENT_FIELD_LIFE &&
            (life != ENT_EDIT_TOUCH || cell->code == ENT_OP_LIVE))
            dots[count++] = (struct ent_dot){.n = cell->n};
    }
    op->code = life == ENT_EDIT_DELETE ? ENT_OP_DEAD : ENT_OP_LIVE;
    return ent_writer_name(writer, dots, count, op, err);
}
