/* entry.c - see entry.h. */
#include "codec/entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "codec/pack.h"
#include "codec/scan.h"

#define HEADER_ITEMS_MAX (16 + 4 * ENT_REFS_MAX)
#define ENTRY_WHAT ENT_N_("entry")

size_t ent_values_put(struct ent_buf *buf, const struct ent_op *ops,
                      size_t op_count)
{
    struct ent_pack pack;
    size_t count = 0;

    for (size_t i = 0; i < op_count; i++)
        count += ent_op_bears_value(ops[i].code);
    if (count == 0)
        return 0;
    ent_pack_init(&pack, buf);
    ent_pack_array(&pack, count);
    for (size_t i = 0; i < op_count; i++)
        if (ent_op_bears_value(ops[i].code))
            ent_pack_value(&pack, &ops[i].value);
    return count;
}

/* ------------------------------------------------------------- hashed form */

void ent_body_put(struct ent_buf *buf, const struct ent_entry *entry)
{
    struct ent_pack pack;

    ent_pack_init(&pack, buf);
    ent_pack_array(&pack, entry->change_count);
    for (size_t i = 0; i < entry->change_count; i++) {
        const struct ent_change *change = &entry->changes[i];

        ent_pack_array(&pack, 4);
        ent_pack_uint(&pack, change->kind);
        ent_pack_bin(&pack, change->id.b, ENT_ID_BYTES);
        ent_pack_array(&pack, change->op_count);
        for (size_t j = 0; j < change->op_count; j++) {
            const struct ent_op *op = &change->ops[j];

            ent_pack_array(&pack, 3);
            ent_pack_uint(&pack, op->code);
            ent_pack_uint(&pack, op->field);
            ent_pack_array(&pack, op->seen_count);
            for (size_t k = 0; k < op->seen_count; k++) {
                ent_pack_array(&pack, 2);
                ent_pack_uint(&pack, op->seen[k].ref);
                ent_pack_uint(&pack, op->seen[k].ordinal);
            }
        }
        if (change->has_commitment)
            ent_pack_bin(&pack, change->commitment.b, ENT_HASH_BYTES);
        else
            ent_pack_nil(&pack);
    }
}

void ent_header_put(struct ent_buf *buf, const char *tag,
                    const struct ent_entry *entry, const struct ent_hash *body)
{
    struct ent_pack pack;

    ent_pack_init(&pack, buf);
    ent_pack_array(&pack, 11);
    ent_pack_str(&pack, ent_slice_str(tag));
    ent_pack_uint(&pack, ENT_FORMAT_VERSION);
    ent_pack_bin(&pack, entry->space.b, ENT_ID_BYTES);
    ent_pack_bin(&pack, entry->author.b, ENT_KEY_BYTES);
    ent_pack_bin(&pack, entry->origin.b, ENT_ID_BYTES);
    ent_pack_uint(&pack, entry->seq);
    ent_pack_bin(&pack, entry->prev.b, ENT_HASH_BYTES);
    ent_pack_array(&pack, 2);
    ent_pack_uint(&pack, entry->roster_pos);
    ent_pack_bin(&pack, entry->roster_hash.b, ENT_HASH8_BYTES);
    ent_pack_int(&pack, entry->time_ms);
    ent_pack_array(&pack, entry->ref_count);
    for (size_t i = 0; i < entry->ref_count; i++) {
        ent_pack_array(&pack, 3);
        ent_pack_bin(&pack, entry->refs[i].origin.b, ENT_ID_BYTES);
        ent_pack_uint(&pack, entry->refs[i].seq);
        ent_pack_bin(&pack, entry->refs[i].hash.b, ENT_HASH8_BYTES);
    }
    ent_pack_bin(&pack, body->b, ENT_HASH_BYTES);
}

static void get_roster_head(struct ent_unpack *in, const ent_obj *obj,
                            struct ent_entry *entry)
{
    size_t count;
    const ent_obj *part = ent_get_array(in, obj, 2, 2, &count);

    entry->roster_pos = ent_get_uint(in, &part[0], ENT_SEQ_MAX);
    ent_get_bin(in, &part[1], entry->roster_hash.b, ENT_HASH8_BYTES);
}

/* In the packed form a reference into the entry's own log is short, and only
 * there: each form has one way to say a thing. */
static void get_refs(struct ent_unpack *in, const ent_obj *obj, bool packed,
                     struct ent_arena *arena, struct ent_entry *entry)
{
    size_t count;
    const ent_obj *items = ent_get_array(in, obj, 0, ENT_REFS_MAX, &count);
    struct ent_ref *refs = ENT_ARENA_NEW(arena, struct ent_ref, count);

    entry->refs = refs;
    entry->ref_count = refs == NULL ? 0 : count;
    for (size_t i = 0; i < entry->ref_count; i++) {
        size_t parts;
        const ent_obj *part = ent_get_array(in, &items[i], 2, 3, &parts);

        if (parts == 3)
            ent_get_bin(in, part++, refs[i].origin.b, ENT_ID_BYTES);
        else
            refs[i].origin = entry->origin;
        refs[i].seq = ent_get_uint(in, &part[0], ENT_SEQ_MAX);
        ent_get_bin(in, &part[1], refs[i].hash.b, ENT_HASH8_BYTES);
        if (parts == 2
                ? !packed
                : packed && ent_id_equal(&refs[i].origin, &entry->origin))
            ent_unpack_fault(in, ENT_N_("not in its one form"));
    }
}

int ent_header_get(struct ent_slice bytes, const char *tag,
                   struct ent_arena *arena, struct ent_entry *entry,
                   struct ent_hash *body, struct ent_err *err)
{
    struct ent_unpack in;
    const ent_obj *part;
    size_t count;
    int rc;

    ent_unpack_init(&in, bytes, HEADER_ITEMS_MAX);
    part = ent_get_array(&in, &in.root, 11, 11, &count);
    if (!ent_slice_equal(ent_get_text(&in, &part[0], 64), ent_slice_str(tag)))
        ent_unpack_fault(&in, ENT_N_("a header of another kind"));
    if (ent_get_uint(&in, &part[1], UINT32_MAX) != ENT_FORMAT_VERSION)
        ent_unpack_fault(&in, ENT_N_("a format version not known here"));
    ent_get_bin(&in, &part[2], entry->space.b, ENT_ID_BYTES);
    ent_get_bin(&in, &part[3], entry->author.b, ENT_KEY_BYTES);
    ent_get_bin(&in, &part[4], entry->origin.b, ENT_ID_BYTES);
    entry->seq = ent_get_uint(&in, &part[5], ENT_SEQ_MAX);
    ent_get_bin(&in, &part[6], entry->prev.b, ENT_HASH_BYTES);
    get_roster_head(&in, &part[7], entry);
    entry->time_ms = ent_get_int(&in, &part[8]);
    get_refs(&in, &part[9], false, arena, entry);
    ent_get_bin(&in, &part[10], body->b, ENT_HASH_BYTES);
    rc = ent_unpack_rc(&in, ENTRY_WHAT, err);
    ent_unpack_fini(&in);
    if (rc == 0 && arena->rc < 0)
        rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    return rc;
}

/* ------------------------------------------------------------- packed form */

static int seen_cmp(const void *a, const void *b)
{
    const struct ent_seen *x = a;
    const struct ent_seen *y = b;

    return x->ref < y->ref ? -1 : x->ref > y->ref;
}

/* The references that the operations after life name, each once, ascending:
 * what a usual life operation replaces. `to` has room for all of them. */
static size_t named_refs(const struct ent_op *ops, size_t op_count,
                         struct ent_seen *to)
{
    size_t count = 0;
    size_t kept = 0;

    for (size_t i = 0; i < op_count; i++)
        for (size_t j = 0; j < ops[i].seen_count; j++)
            to[count++] = (struct ent_seen){.ref = ops[i].seen[j].ref};
    if (count > 1)
        qsort(to, count, sizeof(*to), seen_cmp);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || to[kept - 1].ref != to[i].ref)
            to[kept++] = to[i];
    return kept;
}

static size_t seen_total(const struct ent_op *ops, size_t op_count)
{
    size_t count = 0;

    for (size_t i = 0; i < op_count; i++)
        count += ops[i].seen_count;
    return count;
}

#define USUAL_SEEN_MAX 64 /* beyond it life is simply written out */

static bool life_is_usual(const struct ent_change *change)
{
    struct ent_seen named[USUAL_SEEN_MAX];
    const struct ent_op *life = &change->ops[0];
    size_t count;

    if (life->code != ENT_OP_LIVE ||
        seen_total(life + 1, change->op_count - 1) > USUAL_SEEN_MAX)
        return false;
    count = named_refs(life + 1, change->op_count - 1, named);
    if (count != life->seen_count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (life->seen[i].ref != named[i].ref || life->seen[i].ordinal != 0)
            return false;
    return true;
}

static void put_op(struct ent_pack *pack, const struct ent_op *op)
{
    if (op->code == ENT_OP_WRITE && op->seen_count == 0) {
        ent_pack_uint(pack, op->field);
        return;
    }
    ent_pack_array(pack, op->seen_count == 0 ? 2 : 3);
    ent_pack_uint(pack, op->code);
    ent_pack_uint(pack, op->field);
    if (op->seen_count == 0)
        return;
    ent_pack_array(pack, op->seen_count);
    for (size_t i = 0; i < op->seen_count; i++) {
        if (op->seen[i].ordinal != 0)
            ent_pack_array(pack, 2);
        ent_pack_uint(pack, op->seen[i].ref);
        if (op->seen[i].ordinal != 0)
            ent_pack_uint(pack, op->seen[i].ordinal);
    }
}

/* Whether a salt goes with it where the entry has no seed: it has values. */
static bool has_salt(const struct ent_change *change)
{
    return change->has_commitment && !change->erased;
}

void ent_entry_put(struct ent_buf *buf, const struct ent_entry *entry)
{
    struct ent_pack pack;

    ent_pack_init(&pack, buf);
    ent_pack_array(&pack, 5);
    ent_pack_int(&pack, entry->time_ms);
    ent_pack_array(&pack, 2);
    ent_pack_uint(&pack, entry->roster_pos);
    ent_pack_bin(&pack, entry->roster_hash.b, ENT_HASH8_BYTES);
    ent_pack_array(&pack, entry->ref_count);
    for (size_t i = 0; i < entry->ref_count; i++) {
        const struct ent_ref *ref = &entry->refs[i];
        bool own = ent_id_equal(&ref->origin, &entry->origin);

        ent_pack_array(&pack, own ? 2 : 3);
        if (!own)
            ent_pack_bin(&pack, ref->origin.b, ENT_ID_BYTES);
        ent_pack_uint(&pack, ref->seq);
        ent_pack_bin(&pack, ref->hash.b, ENT_HASH8_BYTES);
    }
    if (entry->has_seed) {
        ent_pack_bin(&pack, entry->seed, sizeof(entry->seed));
    } else {
        ent_pack_array(&pack, entry->change_count);
        for (size_t i = 0; i < entry->change_count; i++)
            ent_pack_bin(&pack, entry->changes[i].salt,
                         has_salt(&entry->changes[i])
                             ? sizeof(entry->changes[i].salt)
                             : 0);
    }
    ent_pack_array(&pack, entry->change_count);
    for (size_t i = 0; i < entry->change_count; i++) {
        const struct ent_change *change = &entry->changes[i];
        size_t skip = life_is_usual(change) ? 1 : 0;

        ent_pack_array(&pack, 4);
        ent_pack_uint(&pack, change->kind);
        ent_pack_bin(&pack, change->id.b, ENT_ID_BYTES);
        ent_pack_array(&pack, change->op_count - skip);
        for (size_t j = skip; j < change->op_count; j++)
            put_op(&pack, &change->ops[j]);
        if (change->erased)
            ent_pack_bin(&pack, change->commitment.b, ENT_HASH_BYTES);
        else if (change->has_commitment)
            ent_pack_raw(&pack, change->values);
        else
            ent_pack_nil(&pack);
    }
}

static void get_op(struct ent_unpack *in, const ent_obj *obj,
                   struct ent_arena *arena, struct ent_op *op)
{
    const ent_obj *part;
    const ent_obj *items;
    struct ent_seen *seen;
    size_t count;

    if (obj->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        op->code = ENT_OP_WRITE;
        op->field = (uint32_t)ent_get_uint(in, obj, ENT_FIELD_MAX);
        return;
    }
    part = ent_get_array(in, obj, 2, 3, &count);
    op->code = (uint32_t)ent_get_uint(in, &part[0], UINT32_MAX);
    op->field = (uint32_t)ent_get_uint(in, &part[1], ENT_FIELD_MAX);
    if (count < 3) {
        if (op->code == ENT_OP_WRITE)
            ent_unpack_fault(in, ENT_N_("not in its one form"));
        return;
    }
    items = ent_get_array(in, &part[2], 1, ENT_DOTS_MAX, &count);
    seen = ENT_ARENA_NEW(arena, struct ent_seen, count);
    if (seen == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        const ent_obj *pair = &items[i];
        size_t parts = 1;

        if (pair->type == MSGPACK_OBJECT_ARRAY)
            pair = ent_get_array(in, pair, 2, 2, &parts);
        seen[i].ref = (uint32_t)ent_get_uint(in, &pair[0], ENT_REFS_MAX);
        if (parts < 2)
            continue;
        seen[i].ordinal = (uint32_t)ent_get_uint(in, &pair[1], UINT32_MAX);
        if (seen[i].ordinal == 0)
            ent_unpack_fault(in, ENT_N_("not in its one form"));
    }
    op->seen = seen;
    op->seen_count = count;
}

/* Operations, with the life operation written out when it was left out. */
static void get_ops(struct ent_unpack *in, const ent_obj *obj,
                    struct ent_arena *arena, struct ent_change *change)
{
    size_t count;
    const ent_obj *items = ent_get_array(in, obj, 0, ENT_OPS_MAX, &count);
    struct ent_op *ops = ENT_ARENA_NEW(arena, struct ent_op, count + 1);
    struct ent_seen *named;

    if (ops == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        get_op(in, &items[i], arena, &ops[i + 1]);
    change->ops = ops;
    change->op_count = count + 1;
    if (count > 0 && ops[1].field == ENT_FIELD_LIFE) {
        change->ops = ops + 1;
        change->op_count = count;
        if (life_is_usual(change))
            ent_unpack_fault(in, ENT_N_("not in its one form"));
        return;
    }
    ops[0].code = ENT_OP_LIVE;
    count = seen_total(ops + 1, count);
    if (count == 0)
        return;
    named = ENT_ARENA_NEW(arena, struct ent_seen, count);
    if (named == NULL)
        return;
    ops[0].seen_count = named_refs(ops + 1, change->op_count - 1, named);
    ops[0].seen = named;
}

/* The payload of a change: values for the operations that bear one, or the
 * commitment of what was erased. `raw` is where the object's bytes begin. */
static void get_payload(struct ent_unpack *in, const ent_obj *obj,
                        const uint8_t *raw, struct ent_arena *arena,
                        struct ent_change *change)
{
    struct ent_op *ops = change->ops;
    const ent_obj *items;
    size_t bearing = 0;
    size_t count;

    for (size_t i = 0; i < change->op_count; i++)
        bearing += ent_op_bears_value(ops[i].code);
    change->has_commitment = bearing > 0;
    if (bearing == 0) {
        if (obj->type != MSGPACK_OBJECT_NIL)
            ent_unpack_fault(in, ENT_N_("values without operations"));
        return;
    }
    if (obj->type == MSGPACK_OBJECT_BIN) {
        ent_get_bin(in, obj, change->commitment.b, ENT_HASH_BYTES);
        change->erased = true;
        return;
    }
    items = ent_get_array(in, obj, 1, ENT_OPS_MAX, &count);
    if (count != bearing) {
        ent_unpack_fault(in, ENT_N_("values that do not match operations"));
        return;
    }
    change->values = ent_slice(raw, ent_scan_len(raw));
    for (size_t i = 0, v = 0; i < change->op_count; i++)
        if (ent_op_bears_value(ops[i].code))
            ops[i].value = ent_get_value(in, &items[v++], arena);
}

static void get_salts(struct ent_unpack *in, const ent_obj *obj,
                      struct ent_change *changes, size_t change_count,
                      struct ent_entry *entry)
{
    const ent_obj *items;
    size_t count;

    entry->has_seed = obj->type == MSGPACK_OBJECT_BIN;
    if (entry->has_seed) {
        ent_get_bin(in, obj, entry->seed, sizeof(entry->seed));
        /* It would tell the salt of what was erased. */
        for (size_t i = 0; i < change_count; i++)
            if (changes[i].erased)
                ent_unpack_fault(in, ENT_N_("a seed beside what was erased"));
        return;
    }
    items = ent_get_array(in, obj, 0, ENT_ENTRY_CHANGES_MAX, &count);
    if (count != change_count) {
        ent_unpack_fault(in, ENT_N_("salts that do not match changes"));
        return;
    }
    /* Nothing hashes what stands here: there is nothing where no values are.
     */
    for (size_t i = 0; i < count; i++)
        if (has_salt(&changes[i]))
            ent_get_bin(in, &items[i], changes[i].salt,
                        sizeof(changes[i].salt));
        else if (ent_get_bytes(in, &items[i], sizeof(changes[i].salt)).len > 0)
            ent_unpack_fault(in, ENT_N_("a salt without values"));
}

/* Where the element after `skip` items at `at` begins. */
static const uint8_t *skip_items(const uint8_t *at, size_t skip)
{
    while (skip-- > 0)
        at += ent_scan_len(at);
    return at;
}

static const uint8_t *array_body(const uint8_t *at)
{
    return at + (*at < 0xa0 ? 1 : *at == 0xdc ? 3 : 5);
}

static int too_long(struct ent_err *err)
{
    return ent_err_set(err, ENT_EREFUSED,
                       ENT_N_("an entry over its limit of %d bytes"),
                       ENT_ENTRY_BYTES_MAX);
}

int ent_entry_get(struct ent_slice bytes, struct ent_arena *arena,
                  struct ent_entry *entry, struct ent_err *err)
{
    struct ent_change *changes = NULL;
    struct ent_unpack in;
    const uint8_t *raw;
    const ent_obj *part;
    const ent_obj *items;
    size_t count;
    int rc;

    if (bytes.len > ENT_ENTRY_STUB_BYTES_MAX)
        return too_long(err);
    ent_unpack_init(&in, bytes, ENT_ENTRY_STUB_BYTES_MAX);
    part = ent_get_array(&in, &in.root, 5, 5, &count);
    entry->time_ms = ent_get_int(&in, &part[0]);
    get_roster_head(&in, &part[1], entry);
    get_refs(&in, &part[2], true, arena, entry);
    items = ent_get_array(&in, &part[4], 1, ENT_ENTRY_CHANGES_MAX, &count);
    changes = ENT_ARENA_NEW(arena, struct ent_change, count);
    entry->changes = changes;
    entry->change_count = changes == NULL ? 0 : count;
    raw = in.fault == NULL ? array_body(skip_items(array_body(bytes.at), 4))
                           : NULL;
    for (size_t i = 0; i < entry->change_count && in.fault == NULL; i++) {
        const uint8_t *values = raw;

        part = ent_get_array(&in, &items[i], 4, 4, &count);
        if (in.fault != NULL)
            break;
        changes[i].kind = (uint32_t)ent_get_uint(&in, &part[0], ENT_FIELD_MAX);
        ent_get_bin(&in, &part[1], changes[i].id.b, ENT_ID_BYTES);
        get_ops(&in, &part[2], arena, &changes[i]);
        values = skip_items(array_body(raw), 3);
        get_payload(&in, &part[3], values, arena, &changes[i]);
        raw = skip_items(values, 1);
    }
    if (in.fault == NULL && in.root.type == MSGPACK_OBJECT_ARRAY)
        get_salts(&in, &in.root.via.array.ptr[3], changes, entry->change_count,
                  entry);
    if (in.fault == NULL && arena->rc == 0) {
        const char *fault = ent_entry_fault(entry);

        if (fault != NULL)
            ent_unpack_fault(&in, fault);
    }
    rc = ent_unpack_rc(&in, ENTRY_WHAT, err);
    ent_unpack_fini(&in);
    if (rc == 0 && entry->has_seed && bytes.len > ENT_ENTRY_BYTES_MAX)
        rc = too_long(err);
    if (arena->rc < 0)
        rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    return rc;
}
