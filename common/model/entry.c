/* entry.c - see entry.h. */
#include "model/entry.h"

#include <string.h>

#include "base/err.h"
#include "model/kind.h"

int ent_ref_cmp(const struct ent_ref *a, const struct ent_ref *b)
{
    int cmp = ent_id_cmp(&a->origin, &b->origin);

    if (cmp != 0)
        return cmp;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return memcmp(a->hash.b, b->hash.b, ENT_HASH8_BYTES);
}

static bool is_life(uint32_t code)
{
    return code == ENT_OP_LIVE || code == ENT_OP_DEAD || code == ENT_OP_ERASE;
}

static const char *seen_fault(const struct ent_entry *entry,
                              const struct ent_op *op)
{
    for (size_t i = 0; i < op->seen_count; i++) {
        const struct ent_seen *seen = &op->seen[i];

        if (seen->ref >= entry->ref_count)
            return ENT_N_("a replaced write that no reference names");
        if (i > 0 &&
            (seen->ref < seen[-1].ref ||
             (seen->ref == seen[-1].ref && seen->ordinal <= seen[-1].ordinal)))
            return ENT_N_("replaced writes out of order");
    }
    return NULL;
}

/* Only what belongs to somebody can be erased in a log (E1), and nothing else
 * is said of it. */
static const char *erasure_fault(const struct ent_change *change)
{
    if (change->op_count > 1 || change->ops[0].seen_count > 0)
        return ENT_N_("an erasure with something beside it");
    if (!ent_kind_is_owned(change->kind))
        return ENT_N_("an erasure of a record that has no owner");
    return NULL;
}

static const char *ops_fault(const struct ent_entry *entry,
                             const struct ent_change *change)
{
    bool life = false;

    if (change->op_count == 0)
        return ENT_N_("a change without operations");
    for (size_t i = 0; i < change->op_count; i++) {
        const struct ent_op *op = &change->ops[i];
        const char *fault = seen_fault(entry, op);

        if (fault != NULL)
            return fault;
        if (op->code < ENT_OP_WRITE || op->code > ENT_OP_ERASE)
            return ENT_N_("an unknown operation");
        if (op->field > ENT_FIELD_MAX)
            return ENT_N_("a field number out of range");
        if (is_life(op->code) != (op->field == ENT_FIELD_LIFE))
            return ENT_N_("a life operation on another field");
        if (op->code == ENT_OP_ERASE && (fault = erasure_fault(change)) != NULL)
            return fault;
        if (op->field == ENT_FIELD_LIFE)
            life = true;
        if (op->code == ENT_OP_ADD && op->seen_count > 0)
            return ENT_N_("a set addition that replaces something");
        if (op->code == ENT_OP_REMOVE && op->seen_count == 0)
            return ENT_N_("a removal of nothing");
        if (i == 0)
            continue;
        if (op->field < op[-1].field ||
            (op->field == op[-1].field && op->code < op[-1].code))
            return ENT_N_("operations out of order");
        if (op->field != op[-1].field)
            continue;
        /* One operation per field; a set may gain several and lose some. */
        if (op[-1].code != ENT_OP_ADD ||
            (op->code != ENT_OP_ADD && op->code != ENT_OP_REMOVE))
            return ENT_N_("two operations on one field");
    }
    if (!life)
        return ENT_N_("a change that says nothing of life");
    return NULL;
}

const char *ent_entry_fault(const struct ent_entry *entry)
{
    static const struct ent_hash none;

    if (entry->seq == 0 || entry->seq > ENT_SEQ_MAX)
        return ENT_N_("a sequence number out of range");
    if ((entry->seq == 1) != ent_hash_equal(&entry->prev, &none))
        return ENT_N_("a first entry with a predecessor, or none without");
    if (entry->time_ms < -ENT_TIME_MS_MAX || entry->time_ms > ENT_TIME_MS_MAX)
        return ENT_N_("a time out of range");
    for (size_t i = 0; i < entry->ref_count; i++) {
        const struct ent_ref *ref = &entry->refs[i];

        if (i > 0 && ent_ref_cmp(&ref[-1], ref) >= 0)
            return ENT_N_("references out of order");
        if (ref->seq == 0 || ref->seq > ENT_SEQ_MAX ||
            (ent_id_equal(&ref->origin, &entry->origin) &&
             ref->seq >= entry->seq))
            return ENT_N_("a reference to an entry not yet written");
    }
    if (entry->change_count == 0 || entry->change_count > ENT_ENTRY_CHANGES_MAX)
        return ENT_N_("no change, or too many");
    for (size_t i = 0; i < entry->change_count; i++) {
        const struct ent_change *change = &entry->changes[i];
        const char *fault = ops_fault(entry, change);

        if (fault != NULL)
            return fault;
        if (change->kind == 0 || change->kind > ENT_FIELD_MAX)
            return ENT_N_("a kind number out of range");
        if (i > 0 && (change->kind < change[-1].kind ||
                      (change->kind == change[-1].kind &&
                       ent_id_cmp(&change[-1].id, &change->id) >= 0)))
            return ENT_N_("changes out of order");
    }
    return NULL;
}
