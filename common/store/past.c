/* past.c - see past.h. */
#include "store/past.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

void ent_past_fini(struct ent_past *past)
{
    ent_arena_fini(&past->arena);
}

int ent_past_entry(struct ent_past *past, int64_t n, struct ent_err *err)
{
    struct ent_hash hash;
    int rc;

    if (past->n == n)
        return 0;
    past->n = 0;
    if (ent_log_of(past->store, ent_n_o(n)) == NULL)
        return ent_err_set(err, ENT_ENOTFOUND,
                           ENT_N_("an entry of the log is missing"));
    ent_arena_reset(&past->arena);
    rc = ent_log_read(past->store, n, &past->arena, &past->entry,
                      &past->verdict, &hash, err);
    if (rc == 0)
        past->n = n;
    return rc;
}

const struct ent_change *ent_past_change(const struct ent_entry *entry,
                                         uint32_t kind, const struct ent_id *id)
{
    for (size_t i = 0; i < entry->change_count; i++)
        if (entry->changes[i].kind == kind &&
            ent_id_equal(&entry->changes[i].id, id))
            return &entry->changes[i];
    return NULL;
}

uint32_t ent_past_ordinal(const struct ent_change *change, size_t at)
{
    const struct ent_op *ops = change->ops;
    uint32_t ordinal = 0;

    while (at > 0 && ops[at].code == ENT_OP_ADD &&
           ops[at - 1].code == ENT_OP_ADD &&
           ops[at - 1].field == ops[at].field) {
        ordinal++;
        at--;
    }
    return ordinal;
}

struct ent_value ent_past_copy(struct ent_arena *arena,
                               const struct ent_value *value)
{
    struct ent_value copy = *value;

    if (value->bytes.len > 0)
        copy.bytes = ent_arena_copy(arena, value->bytes);
    return copy;
}

/* The write of a record with that field and ordinal in the entry at hand; false
 * when it made none. */
static bool find_write(const struct ent_past *past,
                       const struct ent_record_ref *ref, uint32_t field,
                       uint32_t ordinal, struct ent_arena *arena,
                       struct ent_past_write *write)
{
    const struct ent_change *change =
        ent_past_change(&past->entry, ref->kind, &ref->id);

    for (size_t i = 0; change != NULL && i < change->op_count; i++) {
        const struct ent_op *op = &change->ops[i];

        if (op->field != field || op->code == ENT_OP_REMOVE ||
            ent_past_ordinal(change, i) != ordinal)
            continue;
        *write = (struct ent_past_write){.n = past->n,
                                         .ordinal = ordinal,
                                         .code = op->code,
                                         .missing = change->erased};
        if (ent_op_bears_value(op->code) && !change->erased)
            write->value = ent_past_copy(arena, &op->value);
        return true;
    }
    return false;
}

int ent_past_seen(struct ent_past *past, const struct ent_record_ref *ref,
                  const struct ent_entry *entry, const struct ent_op *op,
                  struct ent_arena *arena, struct ent_past_write **writes,
                  size_t *count, struct ent_err *err)
{
    const uint32_t field = op->field;
    const size_t seen_count = op->seen_count;
    struct ent_past_write *list =
        ENT_ARENA_NEW(arena, struct ent_past_write, seen_count + 1);
    size_t n = 0;
    int rc = 0;

    if (list == NULL)
        return no_memory(err);
    /* Their places first: reading another entry takes this one's memory. */
    for (size_t i = 0; rc == 0 && i < seen_count; i++) {
        list[i].ordinal = op->seen[i].ordinal;
        rc = ent_log_resolve(past->store, ref->space,
                             &entry->refs[op->seen[i].ref], &list[i].n, err);
    }
    for (size_t i = 0; rc == 0 && i < seen_count; i++) {
        struct ent_past_write found;

        if (list[i].n == 0)
            continue;
        rc = ent_past_entry(past, list[i].n, err);
        if (rc == 0 &&
            find_write(past, ref, field, list[i].ordinal, arena, &found))
            list[n++] = found;
    }
    if (rc == 0 && arena->rc < 0)
        rc = no_memory(err);
    *writes = list;
    *count = n;
    return rc;
}
