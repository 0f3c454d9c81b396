/* write.c - an edit becomes a change that is applied and put in the entry being
 * gathered (records.h). */
#include "codec/entry.h"
#include "store/writer.h"

/* Bytes of a packed change besides its values, operations and references:
 * never less than what is packed. */
#define CHANGE_BYTES 40
#define VALUE_BYTES 12 /* of a value besides its text */
#define SEEN_BYTES 11
#define REF_BYTES 40
#define ONE_BYTES 128 /* of a change of one field besides value and `seen` */

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

static int too_large(struct ent_err *err)
{
    return ent_err_set(err, ENT_EREFUSED,
                       ENT_N_("a record's change may have %d bytes at most"),
                       ENT_ENTRY_BYTES_MAX);
}

/* What every other node would quarantine is not written (M9). */
static int not_the_owner(const struct ent_kind *kind, struct ent_err *err)
{
    return ent_err_set(err, ENT_EDENIED,
                       ENT_N_("this record of kind %s belongs to another "
                              "member, who alone may change it"),
                       kind->name);
}

/* ----------------------------------------------------------------- packing */

/* By field, then code; additions to one set stay in the order given. */
static void sort_ops(struct ent_op *ops, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct ent_op op = ops[i];
        size_t at = i;

        for (; at > 0 &&
               (ops[at - 1].field > op.field ||
                (ops[at - 1].field == op.field && ops[at - 1].code > op.code));
             at--)
            ops[at] = ops[at - 1];
        ops[at] = op;
    }
}

/* Values packed for the payload and the commitment; operations in order. */
static int finish_change(struct ent_writer *writer, struct ent_change *change,
                         struct ent_err *err)
{
    size_t before = writer->values.len;
    size_t bytes = 0;

    sort_ops(change->ops + 1, change->op_count - 1);
    for (size_t i = 0; i < change->op_count; i++)
        bytes += change->ops[i].value.bytes.len + VALUE_BYTES;
    if (bytes > ENT_ENTRY_BYTES_MAX)
        return too_large(err);
    change->has_commitment =
        ent_values_put(&writer->values, change->ops, change->op_count) > 0;
    ENT_ASSERT(writer->values.len <= ENT_WRITER_VALUES_ROOM);
    change->values =
        ent_slice(writer->values.at + before, writer->values.len - before);
    return writer->values.rc < 0 ? no_memory(err) : 0;
}

/* A change that was finished and is not kept. */
static void forget_values(struct ent_writer *writer,
                          const struct ent_change *change)
{
    writer->values.len -= change->values.len;
}

/* An operation as it is packed: a field number, or a list with a code. */
static size_t op_bytes(const struct ent_op *op)
{
    size_t field = op->field < 128 ? 1 : op->field < 65536 ? 3 : 5;

    if (op->code == ENT_OP_WRITE && op->seen_count == 0)
        return field;
    return 2 + field + (op->seen_count > 0 ? 3 : 0) +
           SEEN_BYTES * op->seen_count;
}

static size_t change_bytes(const struct ent_change *change)
{
    size_t bytes = CHANGE_BYTES + change->values.len;

    for (size_t i = 0; i < change->op_count; i++)
        bytes += op_bytes(&change->ops[i]);
    return bytes;
}

/* Take a finished change that was applied into the entry. */
static void keep_change(struct ent_writer *writer,
                        const struct ent_change *change, size_t refs_before)
{
    writer->changes[writer->change_count++] = *change;
    writer->bytes +=
        change_bytes(change) + REF_BYTES * (writer->ref_count - refs_before);
}

/* ---------------------------------------------------------------- creation */

/* A record that is not there yet, every field written, nothing replaced. */
static int put_fresh(struct ent_writer *writer, const struct ent_kind *kind,
                     const struct ent_edit *edit, bool *done,
                     enum ent_written *written, struct ent_err *err)
{
    struct ent_change change = {.kind = edit->kind, .id = edit->id};
    size_t refs_before = writer->ref_count;
    int rc = 0;

    *done = false;
    if (!ent_record_may_change(writer->store, writer->space, edit->kind,
                               &edit->id))
        return 0;
    change.ops =
        ENT_ARENA_NEW(&writer->arena, struct ent_op, edit->op_count + 1);
    if (change.ops == NULL)
        return no_memory(err);
    change.ops[change.op_count++].code = ENT_OP_LIVE;
    for (size_t i = 0; i < edit->op_count; i++) {
        const struct ent_edit_op *op = &edit->ops[i];
        const struct ent_field *field;

        rc = ent_edit_check(writer, kind, op, &field, err);
        if (rc < 0)
            return rc;
        if (op->seen_count > 0)
            return 0;
        if (op->code == ENT_OP_REMOVE || op->value.type == ENT_VALUE_NIL)
            continue;
        change.ops[change.op_count++] = (struct ent_op){
            .code = op->code, .field = op->field, .value = op->value};
    }
    rc = finish_change(writer, &change, err);
    if (rc < 0)
        return rc;
    if (change_bytes(&change) + ENT_WRITER_ENTRY_BYTES > ENT_ENTRY_BYTES_MAX)
        return too_large(err);
    if (writer->bytes + change_bytes(&change) <= ENT_ENTRY_BYTES_MAX)
        rc = ent_apply_insert(&writer->apply, &change, done, err);
    if (rc == 0 && *done) {
        keep_change(writer, &change, refs_before);
        *written = ENT_WRITTEN_NEW;
    } else {
        forget_values(writer, &change);
    }
    return rc;
}

/* ----------------------------------------------------------------- changes */

static bool meets_entry(const struct ent_writer *writer,
                        const struct ent_state *state)
{
    for (size_t i = 0; i < state->cell_count; i++)
        if (state->cells[i].n == writer->apply.n)
            return true;
    return false;
}

/* Entries that the change of this edit names, at the most: writes of one entry
 * mostly stand beside each other. */
static size_t refs_needed(const struct ent_state *state,
                          const struct ent_edit *edit)
{
    size_t count = 0;

    for (size_t i = 0; i < state->cell_count; i++)
        count += i == 0 || state->cells[i].n != state->cells[i - 1].n;
    for (size_t i = 0; i < edit->op_count; i++)
        count += edit->ops[i].seen_count;
    return count;
}

static int load_for(struct ent_writer *writer, const struct ent_kind *kind,
                    const struct ent_edit *edit, struct ent_state *state,
                    struct ent_err *err)
{
    const struct ent_field *one = NULL;

    if (edit->life == ENT_EDIT_TOUCH && edit->op_count == 1)
        one = ent_field_find(kind, edit->ops[0].field);
    ent_arena_reset(&writer->store->scratch);
    return ent_state_load(writer->store, writer->space, edit->kind, &edit->id,
                          one, &writer->store->scratch, state, err);
}

static bool only_dead(const struct ent_state *state)
{
    bool dead = false;

    for (size_t i = 0; i < state->cell_count; i++) {
        if (state->cells[i].code == ENT_OP_LIVE)
            return false;
        if (state->cells[i].code == ENT_OP_DEAD)
            dead = true;
    }
    return dead;
}

static bool nothing_to_do(const struct ent_edit *edit,
                          const struct ent_state *state,
                          const struct ent_change *change)
{
    bool uncontested = true;

    if (change->op_count > 1)
        return false;
    if (edit->life == ENT_EDIT_TOUCH)
        return state->cell_count > 0 && ent_state_live(state);
    if (edit->life == ENT_EDIT_DELETE)
        return state->cell_count == 0 || only_dead(state);
    for (size_t i = 0; i < state->cell_count; i++)
        if (state->cells[i].code == ENT_OP_DEAD)
            uncontested = false;
    return uncontested;
}

/* An edit that names what was displayed some time ago (M8) may leave other
 * values standing beside its own. */
static bool names_own_view(const struct ent_edit *edit)
{
    for (size_t i = 0; i < edit->op_count; i++)
        if (edit->ops[i].seen != NULL)
            return true;
    return false;
}

/* Which of them is shown first hangs on the hash of the entry: seal it, then
 * look again. */
static int show_again(struct ent_writer *writer, const struct ent_edit *edit,
                      struct ent_err *err)
{
    struct ent_state state;
    int rc = ent_writer_seal(writer, err);

    if (rc < 0)
        return rc;
    ent_arena_reset(&writer->store->scratch);
    rc = ent_state_load(writer->store, writer->space, edit->kind, &edit->id,
                        NULL, &writer->store->scratch, &state, err);
    return rc < 0 ? rc : ent_state_save(writer->store, &state, err);
}

/* An edit of one register, made while its row is at hand. */
struct one_edit {
    struct ent_writer *writer;
    const struct ent_kind *kind;
    const struct ent_edit *edit;
    struct ent_change change;
    size_t refs_before; /* in the entry, when the row was found */
};

/* Whether the change is sure to fit into the entry that is being gathered. */
static bool fits_entry(const struct ent_writer *writer,
                       const struct ent_edit *edit,
                       const struct ent_state *state)
{
    size_t cells = state->cell_count;

    return !meets_entry(writer, state) &&
           writer->ref_count + cells <= ENT_WRITER_REFS_MAX &&
           writer->bytes + edit->ops[0].value.bytes.len + ONE_BYTES +
                   (REF_BYTES + SEEN_BYTES) * cells <=
               ENT_ENTRY_BYTES_MAX;
}

static int change_one(void *ctx, struct ent_state *state, struct ent_err *err)
{
    struct one_edit *one = ctx;
    struct ent_writer *writer = one->writer;
    struct ent_change *change = &one->change;
    int rc;

    if (!fits_entry(writer, one->edit, state))
        return 0;
    one->refs_before = writer->ref_count;
    change->ops = ENT_ARENA_NEW(&writer->arena, struct ent_op, 2);
    if (change->ops == NULL)
        return no_memory(err);
    rc = ent_edit_put_ops(writer, one->kind, one->edit, false, state, change,
                          err);
    if (rc == 0 && nothing_to_do(one->edit, state, change))
        return 0;
    if (rc == 0)
        rc = ent_edit_put_life(writer, state, ENT_EDIT_TOUCH, change, err);
    if (rc == 0)
        rc = finish_change(writer, change, err);
    if (rc == 0)
        rc = ent_apply_ops(&writer->apply, change, state, err);
    return rc < 0 ? rc : 1;
}

/* What is edited most: one field of a record that stands uncontested. `done` is
 * false, and nothing happened, when the record must be looked at first. */
static int put_one(struct ent_writer *writer, const struct ent_kind *kind,
                   const struct ent_edit *edit, bool *done,
                   enum ent_written *written, struct ent_err *err)
{
    const struct ent_edit_op *op = edit->ops;
    const struct ent_field *field;
    struct one_edit one = {
        .writer = writer,
        .kind = kind,
        .edit = edit,
        .change = {.kind = edit->kind, .id = edit->id},
    };
    struct ent_row_edit row = {.change = change_one, .ctx = &one};
    int rc;

    *done = false;
    if (edit->life != ENT_EDIT_TOUCH || edit->op_count != 1 ||
        op->code != ENT_OP_WRITE || op->seen != NULL)
        return 0;
    field = ent_field_find(kind, op->field);
    if (field == NULL || field->rule != ENT_RULE_REGISTER ||
        (op->value.type != ENT_VALUE_NIL &&
         !ent_table_fits(field, &op->value)) ||
        !ent_record_may_change(writer->store, writer->space, edit->kind,
                               &edit->id))
        return 0;
    row.value = &op->value;
    ent_arena_reset(&writer->store->scratch);
    rc = ent_state_edit(writer->store, writer->space, kind, &edit->id, field,
                        &row, done, err);
    if (rc == 0 && *done) {
        keep_change(writer, &one.change, one.refs_before);
        *written = ENT_WRITTEN_CHANGED;
    }
    return rc;
}

static int put_change(struct ent_writer *writer, const struct ent_kind *kind,
                      const struct ent_edit *edit, bool resolve,
                      enum ent_written *written, struct ent_err *err)
{
    struct ent_change change = {.kind = edit->kind, .id = edit->id};
    struct ent_state state;
    size_t refs_before;
    bool is_new;
    bool own = ent_record_may_change(writer->store, writer->space, edit->kind,
                                     &edit->id);
    int rc = load_for(writer, kind, edit, &state, err);

    if (rc < 0)
        return rc;
    if (refs_needed(&state, edit) > ENT_WRITER_REFS_MAX ||
        edit->op_count >= ENT_OPS_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("the record has too many standing values to "
                                  "be changed at once"));
    if (meets_entry(writer, &state) ||
        writer->ref_count + refs_needed(&state, edit) > ENT_WRITER_REFS_MAX ||
        writer->change_count == ENT_ENTRY_CHANGES_MAX) {
        rc = ent_writer_seal(writer, err);
        if (rc < 0)
            return rc;
    }
    is_new = state.cell_count == 0;
    refs_before = writer->ref_count;
    change.ops =
        ENT_ARENA_NEW(&writer->arena, struct ent_op, edit->op_count + 1);
    if (change.ops == NULL)
        return no_memory(err);
    rc = ent_edit_put_ops(writer, kind, edit, resolve || !own, &state, &change,
                          err);
    if (rc == 0 && nothing_to_do(edit, &state, &change)) {
        *written = ENT_WRITTEN_NOTHING;
        return 0;
    }
    if (rc == 0 && !own)
        rc = not_the_owner(kind, err);
    if (rc == 0)
        rc = ent_edit_put_life(writer, &state, edit->life, &change, err);
    if (rc == 0)
        rc = finish_change(writer, &change, err);
    if (rc < 0)
        return rc;
    if (writer->bytes + change_bytes(&change) +
            REF_BYTES * (writer->ref_count - refs_before) >
        ENT_ENTRY_BYTES_MAX) {
        if (writer->change_count == 0)
            return too_large(err);
        /* Begin the next entry with it; what it names is named anew there. */
        writer->ref_count = refs_before;
        rc = ent_writer_seal(writer, err);
        return rc < 0 ? rc
                      : put_change(writer, kind, edit, resolve, written, err);
    }
    rc = ent_apply_ops(&writer->apply, &change, &state, err);
    if (rc == 0)
        rc = ent_state_save(writer->store, &state, err);
    if (rc < 0)
        return rc;
    keep_change(writer, &change, refs_before);
    *written = is_new ? ENT_WRITTEN_NEW : ENT_WRITTEN_CHANGED;
    return names_own_view(edit) ? show_again(writer, edit, err) : 0;
}

/* Rule E1: for ever. */
static int check_erased(struct ent_writer *writer, const struct ent_edit *edit,
                        struct ent_err *err)
{
    bool counts;
    int rc = ent_erased(writer->store, writer->space, edit->kind, &edit->id,
                        &counts, err);

    if (rc <= 0)
        return rc;
    return ent_err_set(err, ENT_EREFUSED,
                       ENT_N_("this record was erased for good: nothing can "
                              "be written to it any more"));
}

int ent_writer_put(struct ent_writer *writer, const struct ent_edit *edit,
                   bool resolve, enum ent_written *written, struct ent_err *err)
{
    const struct ent_kind *kind =
        ent_kind_find(writer->store->kinds, edit->kind);
    bool done = false;
    int rc = 0;

    ENT_ASSERT(!writer->failed);
    if (kind == NULL)
        rc = ent_err_set(err, ENT_EREFUSED, ENT_N_("no kind has number %u"),
                         edit->kind);
    if (rc == 0)
        rc = check_erased(writer, edit, err);
    if (rc == 0 && writer->change_count == ENT_ENTRY_CHANGES_MAX)
        rc = ent_writer_seal(writer, err);
    if (rc == 0 && edit->fresh && edit->life == ENT_EDIT_TOUCH)
        rc = put_fresh(writer, kind, edit, &done, written, err);
    if (rc == 0 && !done)
        rc = put_one(writer, kind, edit, &done, written, err);
    if (rc == 0 && !done)
        rc = put_change(writer, kind, edit, resolve, written, err);
    writer->failed = rc < 0;
    return rc;
}

int ent_writer_erase(struct ent_writer *writer, uint32_t kind,
                     const struct ent_id *id, struct ent_err *err)
{
    struct ent_change change = {.kind = kind, .id = *id};
    const struct ent_kind *known = ent_kind_find(writer->store->kinds, kind);
    int rc = 0;

    ENT_ASSERT(!writer->failed && ent_kind_is_owned(kind));
    if (!ent_record_may_change(writer->store, writer->space, kind, id))
        rc = known == NULL ? ent_err_set(err, ENT_EDENIED,
                                         ENT_N_("it is another member's"))
                           : not_the_owner(known, err);
    /* It takes out what the entry may have written. */
    if (rc == 0)
        rc = ent_writer_seal(writer, err);
    if (rc == 0) {
        change.ops = ENT_ARENA_NEW(&writer->arena, struct ent_op, 1);
        rc = change.ops == NULL ? no_memory(err) : 0;
    }
    if (rc == 0) {
        change.ops[change.op_count++].code = ENT_OP_ERASE;
        rc = ent_apply_change(&writer->apply, &change, err);
    }
    if (rc == 0)
        keep_change(writer, &change, writer->ref_count);
    writer->forgets = true;
    writer->failed = rc < 0;
    return rc;
}
