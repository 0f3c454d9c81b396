/* writer.c - the transaction of local changes and the entry they gather in:
 * sealed, appended to the own log, begun anew (writer.h). */
#include "store/writer.h"

#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "store/members.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* -------------------------------------------------------- opening, closing */

static void entry_begin(struct ent_writer *writer)
{
    ent_arena_reset(&writer->arena);
    ent_buf_reset(&writer->values);
    writer->change_count = 0;
    writer->ref_count = 0;
    memset(writer->ref_slot, 0, sizeof(writer->ref_slot));
    writer->bytes = ENT_WRITER_ENTRY_BYTES;
    writer->apply.n = ent_n(writer->log->o, writer->log->head + 1);
    writer->apply.sum = writer->log->sum;
}

/* Why this node may not write. */
static int deny(struct ent_store *store, int64_t space, struct ent_err *err)
{
    struct ent_buf why = {0};
    int rc = ent_space_lost(store, space, &why, err);
    const char *text = ent_buf_cstr(&why);

    if (rc > 0 && text != NULL)
        rc = ent_err_set(err, ENT_EDENIED,
                         ENT_N_("this node may not write in the space: %s; "
                                "\"status\" says what to do"),
                         text);
    else if (rc == 0)
        rc = ent_err_set(err, ENT_EDENIED,
                         ENT_N_("this node may not write in the space: it is "
                                "no editor there"));
    else if (rc > 0)
        rc = no_memory(err);
    ent_buf_fini(&why);
    return rc;
}

int ent_writer_open(struct ent_store *store, int64_t space, int64_t now_ms,
                    struct ent_writer **writer, struct ent_err *err)
{
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
        rc = deny(store, space, err);
    if (rc == 0)
        rc = ent_space_check_version(store, space, err);
    if (rc == 0)
        rc = ent_log_make(store, space, &store->keys.public, &store->origin,
                          &made->log, err);
    if (rc == 0)
        rc = ent_log_head(store, made->log, err);
    if (rc < 0) {
        ent_writer_free(made);
        ent_store_rollback(store);
        return rc;
    }
    made->failed = false;
    made->forgets = false;
    made->first = made->log->head + 1;
    ent_buf_reset(&made->values);
    if (ent_buf_grow(&made->values, ENT_WRITER_VALUES_ROOM) == NULL) {
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

/* ----------------------------------------------------------------- sealing */

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

static bool refs_in_order(const struct ent_writer *writer)
{
    for (size_t i = 1; i < writer->ref_count; i++)
        if (ent_ref_cmp(&writer->refs[i - 1], &writer->refs[i]) > 0)
            return false;
    return true;
}

static void place_refs(struct ent_writer *writer, uint32_t *now_at)
{
    struct placed_ref placed[ENT_WRITER_REFS_MAX];

    for (uint32_t i = 0; i < writer->ref_count; i++)
        placed[i] = (struct placed_ref){.ref = writer->refs[i], .was = i};
    qsort(placed, writer->ref_count, sizeof(*placed), placed_cmp);
    for (uint32_t i = 0; i < writer->ref_count; i++) {
        writer->refs[i] = placed[i].ref;
        now_at[placed[i].was] = i;
    }
}

/* References in order, and every `seen` list with them. */
static void sort_refs(struct ent_writer *writer)
{
    bool in_order = refs_in_order(writer);
    uint32_t now_at[ENT_WRITER_REFS_MAX];

    if (writer->ref_count == 0)
        return;
    if (!in_order)
        place_refs(writer, now_at);
    for (size_t i = 0; i < writer->change_count; i++) {
        struct ent_change *change = &writer->changes[i];

        for (size_t j = 0; j < change->op_count; j++) {
            struct ent_op *op = &change->ops[j];
            struct ent_seen *seen = (struct ent_seen *)(uintptr_t)op->seen;

            for (size_t k = 0; !in_order && k < op->seen_count; k++)
                seen[k].ref = now_at[seen[k].ref];
            if (op->seen_count > 1)
                qsort(seen, op->seen_count, sizeof(*seen), seen_cmp);
        }
    }
}

int ent_writer_seal(struct ent_writer *writer, struct ent_err *err)
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
    bool wrote;
    int rc = 0;

    if (writer->failed)
        rc = ent_err_set(err, ENT_EFAIL, ENT_N_("the change failed before"));
    if (rc == 0)
        rc = ent_writer_seal(writer, err);
    wrote = writer->log->head >= writer->first;
    if (rc == 0 && wrote)
        rc = writer->forgets ? ent_last_forget(writer->store, err)
                             : ent_last_keep(writer->store, writer->log,
                                             writer->first, err);
    if (rc < 0) {
        ent_writer_abort(writer);
        return rc;
    }
    writer->store->written_ms = writer->now_ms;
    rc = ent_store_commit(writer->store, writer->log, err);
    if (rc == 0 && wrote)
        writer->store->last_kept = true;
    writer_done(writer);
    return rc;
}

/* -------------------------------------------------------------- references */

/* Index of the entry at n among the entry's references. */
static int writer_ref(struct ent_writer *writer, int64_t n, uint32_t *index,
                      struct ent_err *err)
{
    size_t slot =
        (size_t)(n * 0x9e3779b97f4a7c15) >> 54 & (ENT_WRITER_REF_SLOTS - 1);
    const struct ent_log *log;
    enum ent_verdict verdict;
    struct ent_hash hash;
    int rc;

    while (writer->ref_slot[slot] != 0) {
        *index = writer->ref_slot[slot] - 1u;
        if (writer->ref_n[*index] == n)
            return 0;
        slot = (slot + 1) & (ENT_WRITER_REF_SLOTS - 1);
    }
    ENT_ASSERT(writer->ref_count < ENT_WRITER_REFS_MAX);
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

int ent_writer_name(struct ent_writer *writer, const struct ent_dot *dots,
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
