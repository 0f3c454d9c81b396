/* write.c - local changes become entries of the own log (records.h).
 * Changes are applied as they come; an entry is sealed when the next change
 * does not fit, when that change meets a write of the entry itself (a dot of
 * the same entry cannot be named, rule L5), and at the commit. Signing waits
 * until somebody asks for the log (L3). */
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "store/records.h"
#include "store/seal.h"
#include "store/state.h"

/* Bytes of a packed entry besides its changes, and of a change besides its
 * values, operations and references: never less than what is packed. */
#define ENTRY_BYTES 128
#define CHANGE_BYTES 40
#define VALUE_BYTES 12 /* of a value besides its text */
#define SEEN_BYTES 11
#define REF_BYTES 40

#define REF_SLOTS                                                              \
    1024 /* a power of two, over twice the references of an entry */
#define WRITER_REFS_MAX (REF_SLOTS / 2)

struct ent_writer {
    struct ent_store *store;
    struct ent_log *log;
    int64_t space;
    uint64_t roster_pos;
    struct ent_hash roster_hash;
    int64_t now_ms;
    bool failed;

    /* The entry being gathered. */
    struct ent_apply apply;
    struct ent_arena arena;
    struct ent_change changes[ENT_ENTRY_CHANGES_MAX];
    size_t change_count;
    struct ent_ref refs[WRITER_REFS_MAX];
    int64_t ref_n[WRITER_REFS_MAX];
    size_t ref_count;
    uint16_t ref_slot[REF_SLOTS]; /* reference index + 1 by n, 0: free */
    size_t bytes;

    /* Kept from entry to entry. */
    struct ent_seal seal;
    struct ent_buf values; /* of all changes; has room, so that it stays put */
    struct ent_buf packed;
};

/* Values of an entry and of the change that no longer fits. */
#define VALUES_ROOM (2 * ENT_ENTRY_BYTES_MAX)

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

static void entry_begin(struct ent_writer *writer)
{
    ent_arena_reset(&writer->arena);
    ent_buf_reset(&writer->values);
    writer->change_count = 0;
    writer->ref_count = 0;
    memset(writer->ref_slot, 0, sizeof(writer->ref_slot));
    writer->bytes = ENTRY_BYTES;
    writer->apply.n = ent_n(writer->log->o, writer->log->head + 1);
    writer->apply.sum = writer->log->sum;
}

int ent_writer_open(struct ent_store *store, int64_t space, int64_t now_ms,
                    struct ent_writer **writer, struct ent_err *err)
{
    static const struct ent_hash first;
    struct ent_space_state *state;
    struct ent_writer *made;
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    made = store->writer != NULL ? store->writer : calloc(1, sizeof(*made));
    store->writer = NULL;
    rc = made == NULL ? no_memory(err)
                      : ent_space_state(store, space, &state, err);
    if (rc == 0 && ent_roster_role(&state->roster, UINT64_MAX,
                                   &store->keys.public) < ENT_ROLE_EDITOR)
        rc = ent_err_set(err, ENT_EDENIED,
                         ENT_N_("this node may not write in the space: it is "
                                "no editor there"));
    if (rc == 0)
        rc = ent_log_make(store, space, &store->keys.public, &store->origin,
                          &first, 0, &made->log, err);
    if (rc == 0)
        rc = ent_log_head(store, made->log, err);
    if (rc < 0) {
        ent_writer_free(made);
        ent_store_rollback(store);
        return rc;
    }
    made->failed = false;
    ent_buf_reset(&made->values);
    if (ent_buf_grow(&made->values, VALUES_ROOM) == NULL) {
        ent_writer_free(made);
        ent_store_rollback(store);
        return no_memory(err);
    }
    made->store = store;
    made->space = space;
    made->now_ms = now_ms;
    ent_space_head(state, &made->roster_pos, &made->roster_hash);
    made->apply = (struct ent_apply){.store = store,
                                     .space = space,
                                     .space_id = state->id,
                                     .refs = made->refs,
                                     .ref_n = made->ref_n};
    entry_begin(made);
    *writer = made;
    return 0;
}

void ent_writer_free(struct ent_writer *writer)
{
    if (writer == NULL)
        return;
    ent_arena_fini(&writer->arena);
    ent_seal_fini(&writer->seal);
    ent_buf_fini(&writer->values);
    ent_buf_fini(&writer->packed);
    free(writer);
}

/* It is large: the next transaction uses it again. */
static void writer_done(struct ent_writer *writer)
{
    ent_writer_free(writer->store->writer);
    writer->store->writer = writer;
}

void ent_writer_abort(struct ent_writer *writer)
{
    if (writer == NULL)
        return;
    ent_store_rollback(writer->store);
    writer_done(writer);
}

/* ------------------------------------------------------------------- sealing
 */

static int change_cmp(const void *a, const void *b)
{
    const struct ent_change *x = a;
    const struct ent_change *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return ent_id_cmp(&x->id, &y->id);
}

/* Changes in order; new records mostly come in the order of their ids. */
static void sort_changes(struct ent_writer *writer)
{
    struct ent_change *changes = writer->changes;

    for (size_t i = 1; i < writer->change_count; i++) {
        if (change_cmp(&changes[i - 1], &changes[i]) < 0)
            continue;
        qsort(changes, writer->change_count, sizeof(*changes), change_cmp);
        return;
    }
}

struct placed_ref {
    struct ent_ref ref;
    uint32_t was;
};

static int placed_cmp(const void *a, const void *b)
{
    return ent_ref_cmp(&((const struct placed_ref *)a)->ref,
                       &((const struct placed_ref *)b)->ref);
}

static int seen_cmp(const void *a, const void *b)
{
    const struct ent_seen *x = a;
    const struct ent_seen *y = b;

    if (x->ref != y->ref)
        return x->ref < y->ref ? -1 : 1;
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

/* References in order, and every `seen` list with them. */
static void sort_refs(struct ent_writer *writer)
{
    struct placed_ref placed[WRITER_REFS_MAX];
    uint32_t now_at[WRITER_REFS_MAX];

    if (writer->ref_count == 0)
        return;
    for (uint32_t i = 0; i < writer->ref_count; i++)
        placed[i] = (struct placed_ref){.ref = writer->refs[i], .was = i};
    qsort(placed, writer->ref_count, sizeof(*placed), placed_cmp);
    for (uint32_t i = 0; i < writer->ref_count; i++) {
        writer->refs[i] = placed[i].ref;
        now_at[placed[i].was] = i;
    }
    for (size_t i = 0; i < writer->change_count; i++) {
        struct ent_change *change = &writer->changes[i];

        for (size_t j = 0; j < change->op_count; j++) {
            struct ent_op *op = &change->ops[j];
            struct ent_seen *seen = (struct ent_seen *)(uintptr_t)op->seen;

            for (size_t k = 0; k < op->seen_count; k++)
                seen[k].ref = now_at[seen[k].ref];
            if (op->seen_count > 1)
                qsort(seen, op->seen_count, sizeof(*seen), seen_cmp);
        }
    }
}

static int entry_seal(struct ent_writer *writer, struct ent_err *err)
{
    struct ent_store *store = writer->store;
    struct ent_entry entry = {
        .space = writer->apply.space_id,
        .author = store->keys.public,
        .origin = store->origin,
        .seq = (uint64_t)writer->log->head + 1,
        .prev = writer->log->head_hash,
        .roster_pos = writer->roster_pos,
        .roster_hash = ent_hash_head(&writer->roster_hash),
        .time_ms = writer->now_ms,
        .refs = writer->refs,
        .ref_count = writer->ref_count,
        .changes = writer->changes,
        .change_count = writer->change_count,
        .has_seed = true,
    };
    struct ent_sum sum = writer->apply.sum;
    struct ent_hash hash;
    struct ent_sum part;
    int rc;

    if (writer->change_count == 0)
        return 0;
    sort_changes(writer);
    sort_refs(writer);
    ent_rand_bytes(store->rand, entry.seed, sizeof(entry.seed));
    rc = ent_seal_entry(&writer->seal, &entry, &hash, err);
    if (rc < 0)
        return rc;
    ent_buf_reset(&writer->packed);
    ent_entry_put(&writer->packed, &entry);
    if (writer->packed.rc < 0)
        return no_memory(err);
    ENT_ASSERT(writer->packed.len <= ENT_ENTRY_BYTES_MAX);
    ENT_ASSERT(ent_entry_fault(&entry) == NULL);
    for (size_t i = 0; i < writer->change_count; i++)
        ent_change_sum(&writer->changes[i], &hash, &sum);
    part = ent_sum_of_entry(&hash);
    ent_sum_add(&sum, &part);
    rc =
        ent_log_append(store, writer->log, writer->now_ms, ENT_VERDICT_ACCEPTED,
                       &hash, &sum, ent_buf_slice(&writer->packed), err);
    if (rc == 0)
        entry_begin(writer);
    return rc;
}

int ent_writer_commit(struct ent_writer *writer, struct ent_err *err)
{
    int rc = 0;

    if (writer->failed)
        rc = ent_err_set(err, ENT_EFAIL, ENT_N_("the change failed before"));
    if (rc == 0)
        rc = entry_seal(writer, err);
    if (rc < 0) {
        ent_writer_abort(writer);
        return rc;
    }
    writer->store->written_ms = writer->now_ms;
    rc = ent_store_commit(writer->store, writer->log, err);
    writer_done(writer);
    return rc;
}

/* --------------------------------------------------------------- references */

/* Index of the entry at n among the entry's references. */
static int writer_ref(struct ent_writer *writer, int64_t n, uint32_t *index,
                      struct ent_err *err)
{
    size_t slot = (size_t)(n * 0x9e3779b97f4a7c15) >> 54 & (REF_SLOTS - 1);
    const struct ent_log *log;
    enum ent_verdict verdict;
    struct ent_hash hash;
    int rc;

    while (writer->ref_slot[slot] != 0) {
        *index = writer->ref_slot[slot] - 1u;
        if (writer->ref_n[*index] == n)
            return 0;
        slot = (slot + 1) & (REF_SLOTS - 1);
    }
    ENT_ASSERT(writer->ref_count < WRITER_REFS_MAX);
    log = ent_log_of(writer->store, ent_n_o(n));
    if (log == NULL)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("a write was named that is not here"));
    rc = ent_log_hash(writer->store, n, &hash, &verdict, err);
    if (rc < 0)
        return rc;
    *index = (uint32_t)writer->ref_count++;
    writer->refs[*index] = (struct ent_ref){.origin = log->id,
                                            .seq = (uint64_t)ent_n_seq(n),
                                            .hash = ent_hash_head(&hash)};
    writer->ref_n[*index] = n;
    writer->ref_slot[slot] = (uint16_t)(*index + 1);
    return 0;
}

/* Name dots in an operation, in the order that sealing wants later. */
static int name_dots(struct ent_writer *writer, const struct ent_dot *dots,
                     size_t count, struct ent_op *op, struct ent_err *err)
{
    struct ent_seen *seen;
    int rc = 0;

    if (count == 0)
        return 0;
    seen = ENT_ARENA_NEW(&writer->arena, struct ent_seen, count);
    if (seen == NULL)
        return no_memory(err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = writer_ref(writer, dots[i].n, &seen[i].ref, err);
        seen[i].ordinal = dots[i].ordinal;
    }
    op->seen = seen;
    op->seen_count = count;
    return rc;
}

/* -------------------------------------------------------- from edit to change
 */

/* Checks an operation against its definition and the limits. */
static int check_op(const struct ent_kind *kind, const struct ent_edit_op *op,
                    const struct ent_field **field, struct ent_err *err)
{
    bool set;

    *field = ent_field_find(kind, op->field);
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
    ENT_ASSERT(writer->values.len <= VALUES_ROOM);
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

/* ----------------------------------------------------------------- creation */

/* A record that is not there yet, every field written, nothing replaced. */
static int put_fresh(struct ent_writer *writer, const struct ent_kind *kind,
                     const struct ent_edit *edit, bool *done,
                     struct ent_err *err)
{
    struct ent_change change = {.kind = edit->kind, .id = edit->id};
    size_t refs_before = writer->ref_count;
    int rc = 0;

    *done = false;
    change.ops =
        ENT_ARENA_NEW(&writer->arena, struct ent_op, edit->op_count + 1);
    if (change.ops == NULL)
        return no_memory(err);
    change.ops[change.op_count++].code = ENT_OP_LIVE;
    for (size_t i = 0; i < edit->op_count; i++) {
        const struct ent_edit_op *op = &edit->ops[i];
        const struct ent_field *field;

        rc = check_op(kind, op, &field, err);
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
    if (change_bytes(&change) + ENTRY_BYTES > ENT_ENTRY_BYTES_MAX)
        return too_large(err);
    if (writer->bytes + change_bytes(&change) <= ENT_ENTRY_BYTES_MAX)
        rc = ent_apply_insert(&writer->apply, &change, done, err);
    if (rc == 0 && *done)
        keep_change(writer, &change, refs_before);
    else
        forget_values(writer, &change);
    return rc;
}

/* ------------------------------------------------------------------- changes
 */

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
    return name_dots(writer, dots, count, op, err);
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
    int rc = name_dots(writer, dots, count, &more, err);

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
    return edit->code == ENT_OP_ADD ? 0
                                    : name_dots(writer, dots, count, op, err);
}

/* Rule M6: an edit names the lives it saw; deleting and undeleting name all. */
static int put_life(struct ent_writer *writer, const struct ent_state *state,
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
    return name_dots(writer, dots, count, op, err);
}

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

/* Everything but life; operations that would change nothing are left out. */
static int put_ops(struct ent_writer *writer, const struct ent_kind *kind,
                   const struct ent_edit *edit, bool resolve,
                   const struct ent_state *state, struct ent_change *change,
                   struct ent_err *err)
{
    int rc = 0;

    change->op_count = 1;
    for (size_t i = 0; rc == 0 && i < edit->op_count; i++) {
        const struct ent_edit_op *op = &edit->ops[i];
        const struct ent_field *field;

        rc = check_op(kind, op, &field, err);
        if (rc == 0 && op->code == ENT_OP_WRITE)
            rc = put_write(writer, state, field, op, resolve, change, err);
        else if (rc == 0)
            rc = put_set(writer, state, op, change, err);
    }
    return rc;
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
    int rc = entry_seal(writer, err);

    if (rc < 0)
        return rc;
    ent_arena_reset(&writer->store->scratch);
    rc = ent_state_load(writer->store, writer->space, edit->kind, &edit->id,
                        NULL, &writer->store->scratch, &state, err);
    return rc < 0 ? rc : ent_state_save(writer->store, &state, err);
}

static int put_change(struct ent_writer *writer, const struct ent_kind *kind,
                      const struct ent_edit *edit, bool resolve,
                      enum ent_written *written, struct ent_err *err)
{
    struct ent_change change = {.kind = edit->kind, .id = edit->id};
    struct ent_state state;
    size_t refs_before;
    bool is_new;
    int rc = load_for(writer, kind, edit, &state, err);

    if (rc < 0)
        return rc;
    if (refs_needed(&state, edit) > WRITER_REFS_MAX ||
        edit->op_count >= ENT_OPS_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("the record has too many standing values to "
                                  "be changed at once"));
    if (meets_entry(writer, &state) ||
        writer->ref_count + refs_needed(&state, edit) > WRITER_REFS_MAX ||
        writer->change_count == ENT_ENTRY_CHANGES_MAX) {
        rc = entry_seal(writer, err);
        if (rc < 0)
            return rc;
    }
    is_new = state.cell_count == 0;
    refs_before = writer->ref_count;
    change.ops =
        ENT_ARENA_NEW(&writer->arena, struct ent_op, edit->op_count + 1);
    if (change.ops == NULL)
        return no_memory(err);
    rc = put_ops(writer, kind, edit, resolve, &state, &change, err);
    if (rc == 0 && nothing_to_do(edit, &state, &change)) {
        *written = ENT_WRITTEN_NOTHING;
        return 0;
    }
    if (rc == 0)
        rc = put_life(writer, &state, edit->life, &change, err);
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
        rc = entry_seal(writer, err);
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
    if (rc == 0 && writer->change_count == ENT_ENTRY_CHANGES_MAX)
        rc = entry_seal(writer, err);
    if (rc == 0 && edit->fresh && edit->life == ENT_EDIT_TOUCH)
        rc = put_fresh(writer, kind, edit, &done, err);
    if (rc == 0 && done)
        *written = ENT_WRITTEN_NEW;
    else if (rc == 0)
        rc = put_change(writer, kind, edit, resolve, written, err);
    writer->failed = rc < 0;
    return rc;
}
