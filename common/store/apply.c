/* apply.c - merging: what an accepted entry does to the state (rules M1-M6).
 * Written against docs/merge.md; the naive model of the tests says the same
 * with lists and loops. */
#include <string.h>

#include "store/kept.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* The summand of a write that stood until now. */
static int subtract(struct ent_apply *apply, const struct ent_state *state,
                    const struct ent_cell *cell, struct ent_err *err)
{
    struct ent_sum mark, part;

    if (apply->key_n != cell->n || apply->key_kind != state->kind ||
        !ent_id_equal(&apply->key_id, &state->id)) {
        enum ent_verdict verdict;
        struct ent_hash hash;
        int rc = ent_log_hash(apply->store, cell->n, &hash, &verdict, err);

        if (rc < 0)
            return rc;
        apply->key = ent_sum_key_of(state->kind, &state->id, &hash);
        apply->key_n = cell->n;
        apply->key_kind = state->kind;
        apply->key_id = state->id;
    }
    mark = ent_sum_mark_of(cell->field, cell->ordinal, cell->code);
    part = ent_sum_times(&apply->key, &mark);
    ent_sum_sub(&apply->sum, &part);
    return 0;
}

static void bind_unseen(struct ent_stmt *stmt, const struct ent_apply *apply,
                        const struct ent_state *state, uint32_t field,
                        const struct ent_ref *ref, uint32_t ordinal)
{
    ent_stmt_bind_int(stmt, 1, apply->space);
    ent_stmt_bind_int(stmt, 2, state->kind);
    ent_stmt_bind_blob(stmt, 3, state->id.b, ENT_ID_BYTES);
    ent_stmt_bind_int(stmt, 4, field);
    ent_stmt_bind_blob(stmt, 5, ref->origin.b, ENT_ID_BYTES);
    ent_stmt_bind_int(stmt, 6, (int64_t)ref->seq);
    ent_stmt_bind_blob(stmt, 7, ref->hash.b, ENT_HASH8_BYTES);
    ent_stmt_bind_int(stmt, 8, ordinal);
}

/* Whether any write of the record was replaced before it came. */
static int ask_awaited(struct ent_apply *apply, const struct ent_change *change,
                       struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc;

    apply->awaited = false;
    if (apply->store->unseen_empty)
        return 0;
    stmt = ent_db_stmt(&apply->store->db, ENT_SQL_UNSEEN_OF_RECORD);
    ent_stmt_bind_int(stmt, 1, apply->space);
    ent_stmt_bind_int(stmt, 2, change->kind);
    ent_stmt_bind_blob(stmt, 3, change->id.b, ENT_ID_BYTES);
    rc = ent_stmt_step(stmt, err);
    ent_stmt_reset(stmt);
    apply->awaited = rc > 0;
    return rc < 0 ? rc : 0;
}

/* Rule M3: a write that is replaced before it came must not come to life. */
static int remember(struct ent_apply *apply, const struct ent_state *state,
                    uint32_t field, const struct ent_ref *ref, uint32_t ordinal,
                    struct ent_err *err)
{
    struct ent_stmt *stmt =
        ent_db_stmt(&apply->store->db, ENT_SQL_UNSEEN_INSERT);

    apply->store->unseen_empty = false;
    bind_unseen(stmt, apply, state, field, ref, ordinal);
    return ent_stmt_run(stmt, err);
}

/* Whether this very write was replaced before it came; it is forgotten now. */
static int was_replaced(struct ent_apply *apply, const struct ent_state *state,
                        const struct ent_op *op, uint32_t ordinal,
                        bool *replaced, struct ent_err *err)
{
    struct ent_ref self = {.origin = apply->origin, .seq = apply->seq};
    struct ent_stmt *stmt;
    int rc;

    *replaced = false;
    if (!apply->awaited || apply->hash == NULL)
        return 0;
    self.hash = ent_hash_head(apply->hash);
    stmt = ent_db_stmt(&apply->store->db, ENT_SQL_UNSEEN_TAKE);
    bind_unseen(stmt, apply, state, op->field, &self, ordinal);
    rc = ent_stmt_run(stmt, err);
    *replaced = rc == 0 && sqlite3_changes(apply->store->db.raw) > 0;
    return rc;
}

static int take_seen(struct ent_apply *apply, struct ent_state *state,
                     const struct ent_op *op, struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < op->seen_count; i++) {
        const struct ent_seen *seen = &op->seen[i];
        int64_t n = apply->ref_n[seen->ref];
        struct ent_cell *cell;

        if (n == 0) {
            rc = remember(apply, state, op->field, &apply->refs[seen->ref],
                          seen->ordinal, err);
            continue;
        }
        cell = ent_state_find(state, op->field, n, seen->ordinal);
        if (cell == NULL) /* replaced by somebody else already */
            continue;
        rc = subtract(apply, state, cell, err);
        ent_state_remove(state, cell);
    }
    return rc;
}

/* The summands of a change's writes, given the sum of their marks. */
static void add_writes(const struct ent_change *change,
                       const struct ent_hash *hash, const struct ent_sum *marks,
                       struct ent_sum *sum)
{
    struct ent_sum key = ent_sum_key_of(change->kind, &change->id, hash);
    struct ent_sum part = ent_sum_times(&key, marks);

    ent_sum_add(sum, &part);
}

int ent_apply_ops(struct ent_apply *apply, const struct ent_change *change,
                  struct ent_state *state, struct ent_err *err)
{
    struct ent_sum marks = {0};
    uint32_t ordinal = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < change->op_count; i++) {
        const struct ent_op *op = &change->ops[i];
        struct ent_cell cell = {.field = op->field,
                                .code = op->code,
                                .n = apply->n,
                                .value = op->value};
        struct ent_sum mark;
        bool replaced;

        rc = take_seen(apply, state, op, err);
        if (rc < 0 || op->code == ENT_OP_REMOVE)
            continue;
        ordinal = i > 0 && op->code == ENT_OP_ADD &&
                          op[-1].code == ENT_OP_ADD && op[-1].field == op->field
                      ? ordinal + 1
                      : 0;
        cell.ordinal = ordinal;
        cell.missing = change->erased && ent_op_bears_value(op->code);
        rc = was_replaced(apply, state, op, ordinal, &replaced, err);
        if (rc < 0 || replaced)
            continue;
        if (state->outlives && op->value.bytes.len > 0)
            cell.value.bytes = ent_arena_copy(state->arena, op->value.bytes);
        ent_state_add(state, &cell);
        mark = ent_sum_mark_of(op->field, ordinal, op->code);
        ent_sum_add(&marks, &mark);
    }
    if (apply->hash != NULL)
        add_writes(change, apply->hash, &marks, &apply->sum);
    if (rc == 0 && state->arena->rc < 0)
        rc = no_memory(err);
    return rc;
}

void ent_change_sum(const struct ent_change *change,
                    const struct ent_hash *hash, struct ent_sum *sum)
{
    struct ent_sum marks = {0};
    uint32_t ordinal = 0;

    for (size_t i = 0; i < change->op_count; i++) {
        const struct ent_op *op = &change->ops[i];
        struct ent_sum mark;

        if (!ent_op_stands(op->code))
            continue;
        ordinal = i > 0 && op->code == ENT_OP_ADD &&
                          op[-1].code == ENT_OP_ADD && op[-1].field == op->field
                      ? ordinal + 1
                      : 0;
        mark = ent_sum_mark_of(op->field, ordinal, op->code);
        ent_sum_add(&marks, &mark);
    }
    add_writes(change, hash, &marks, sum);
}

/* The one known field that a change touches beside life, when a partial load
 * is enough for it; NULL: load everything. */
static const struct ent_field *change_one(const struct ent_apply *apply,
                                          const struct ent_change *change)
{
    const struct ent_kind *kind =
        ent_kind_find(apply->store->kinds, change->kind);
    uint32_t number = ENT_FIELD_LIFE;

    /* A write replaced before it came does not keep the record alive, and a
     * record that dies must be loaded whole. */
    if (kind == NULL || apply->awaited)
        return NULL;
    for (size_t i = 0; i < change->op_count; i++) {
        const struct ent_op *op = &change->ops[i];

        if (op->code == ENT_OP_DEAD)
            return NULL;
        if (op->field == ENT_FIELD_LIFE || op->field == number)
            continue;
        if (number != ENT_FIELD_LIFE)
            return NULL;
        number = op->field;
    }
    return number == ENT_FIELD_LIFE ? NULL : ent_field_find(kind, number);
}

/* Nothing of the record stands outside a row. */
static int has_no_cells(struct ent_apply *apply,
                        const struct ent_change *change, bool *none,
                        struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc;

    *none = true;
    if (apply->store->cells_empty)
        return 0;
    stmt = ent_db_stmt(&apply->store->db, ENT_SQL_CELL_OF_RECORD);
    ent_stmt_bind_int(stmt, 1, apply->space);
    ent_stmt_bind_int(stmt, 2, change->kind);
    ent_stmt_bind_blob(stmt, 3, change->id.b, ENT_ID_BYTES);
    rc = ent_stmt_step(stmt, err);
    ent_stmt_reset(stmt);
    *none = rc == 0;
    return rc < 0 ? rc : 0;
}

int ent_apply_insert(struct ent_apply *apply, const struct ent_change *change,
                     bool *done, struct ent_err *err)
{
    const struct ent_kind *kind =
        ent_kind_find(apply->store->kinds, change->kind);
    int rc;

    *done = false;
    /* What is not sealed yet cannot have been named by anybody. */
    if ((apply->awaited && apply->hash != NULL) ||
        !ent_state_is_plain(kind, change))
        return 0;
    rc = has_no_cells(apply, change, done, err);
    if (rc < 0 || !*done)
        return rc;
    rc = ent_state_insert(apply->store, apply->space, kind, apply->n, change,
                          done, err);
    if (rc == 0 && *done && apply->hash != NULL)
        ent_change_sum(change, apply->hash, &apply->sum);
    return rc;
}

static int apply_kept(struct ent_apply *apply, const struct ent_change *change,
                      struct ent_err *err)
{
    struct ent_state *state;
    int rc = ent_kept_get(apply->store, apply->space, change->kind, &change->id,
                          change_one(apply, change), &state, err);

    return rc == 0 ? ent_apply_ops(apply, change, state, err) : rc;
}

static int drop_all(struct ent_apply *apply, struct ent_state *state,
                    struct ent_err *err)
{
    int rc = 0;

    while (rc == 0 && state->cell_count > 0) {
        rc = subtract(apply, state, &state->cells[0], err);
        ent_state_remove(state, &state->cells[0]);
    }
    return rc;
}

/* Rule E1: nothing of the record stands any more, and nothing will. */
static int apply_erasure(struct ent_apply *apply,
                         const struct ent_change *change, struct ent_err *err)
{
    struct ent_store *store = apply->store;
    struct ent_state *kept;
    struct ent_state state;
    struct ent_stmt *stmt;
    int rc;

    ent_arena_reset(&store->scratch);
    if (ent_kept_on(store)) {
        rc = ent_kept_get(store, apply->space, change->kind, &change->id, NULL,
                          &kept, err);
        if (rc == 0)
            rc = drop_all(apply, kept, err);
    } else {
        rc = ent_state_load(store, apply->space, change->kind, &change->id,
                            NULL, &store->scratch, &state, err);
        if (rc == 0)
            rc = drop_all(apply, &state, err);
        if (rc == 0)
            rc = ent_state_save(store, &state, err);
    }
    if (rc < 0)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_UNSEEN_CLEAR);
    ent_stmt_bind_int(stmt, 1, apply->space);
    ent_stmt_bind_int(stmt, 2, change->kind);
    ent_stmt_bind_blob(stmt, 3, change->id.b, ENT_ID_BYTES);
    rc = ent_stmt_run(stmt, err);
    return rc < 0 ? rc
                  : ent_erase_own(store, apply->space, change->kind,
                                  &change->id, apply->n, true, err);
}

int ent_apply_change(struct ent_apply *apply, const struct ent_change *change,
                     struct ent_err *err)
{
    struct ent_arena *scratch = &apply->store->scratch;
    bool keeps = ent_kept_on(apply->store);
    bool done = false;
    struct ent_state state;
    int rc;

    if (change->ops[0].code == ENT_OP_ERASE)
        return apply_erasure(apply, change, err);
    ent_arena_reset(scratch);
    rc = ask_awaited(apply, change, err);
    if (rc < 0)
        return rc;
    /* Most records are created by one entry and never contested. */
    if (!keeps || ent_kept_find(apply->store, apply->space, change->kind,
                                &change->id) == NULL)
        rc = ent_apply_insert(apply, change, &done, err);
    if (rc < 0 || done)
        return rc;
    if (keeps)
        return apply_kept(apply, change, err);
    rc = ent_state_load(apply->store, apply->space, change->kind, &change->id,
                        change_one(apply, change), scratch, &state, err);
    if (rc == 0)
        rc = ent_apply_ops(apply, change, &state, err);
    if (rc == 0)
        rc = ent_state_save(apply->store, &state, err);
    return rc;
}

/* Where the entries stand that `entry` names; 0 for those not applied here. */
static int resolve(struct ent_store *store, int64_t space,
                   const struct ent_entry *entry, int64_t *ref_n,
                   struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < entry->ref_count; i++) {
        enum ent_verdict verdict;
        struct ent_hash hash;

        rc = ent_log_resolve(store, space, &entry->refs[i], &ref_n[i], err);
        if (rc < 0 || ref_n[i] == 0)
            continue;
        rc = ent_log_hash(store, ref_n[i], &hash, &verdict, err);
        if (verdict != ENT_VERDICT_ACCEPTED)
            ref_n[i] = 0;
    }
    return rc;
}

/* A change of an entry that came, unless what it changes is erased. */
static int apply_one(struct ent_apply *apply, const struct ent_change *change,
                     struct ent_err *err)
{
    struct ent_store *store = apply->store;
    bool counts;
    int rc = 0;

    if (store->only != NULL &&
        !ent_touched_holds(store->only, change->kind, &change->id))
        return 0;
    if (!store->erased_empty && change->ops[0].code != ENT_OP_ERASE)
        rc = ent_erased(store, apply->space, change->kind, &change->id, &counts,
                        err);
    if (rc < 0 || (rc > 0 && counts))
        return rc < 0 ? rc : 0;
    return ent_apply_change(apply, change, err);
}

int ent_apply_entry(struct ent_store *store, int64_t space,
                    const struct ent_entry *entry, int64_t n,
                    const struct ent_hash *hash, struct ent_sum *sum,
                    struct ent_err *err)
{
    struct ent_sum part = ent_sum_of_entry(hash);
    struct ent_arena arena = {0};
    int64_t *ref_n = ENT_ARENA_NEW(&arena, int64_t, entry->ref_count + 1);
    struct ent_apply apply = {
        .store = store,
        .space = space,
        .space_id = entry->space,
        .n = n,
        .origin = entry->origin,
        .seq = entry->seq,
        .hash = hash,
        .refs = entry->refs,
        .ref_n = ref_n,
        .sum = *sum,
    };
    int rc = ref_n == NULL ? no_memory(err)
                           : resolve(store, space, entry, ref_n, err);

    store->applying.n = n;
    store->applying.at = entry->time_ms;
    store->applying.hash = *hash;
    for (size_t i = 0; rc == 0 && i < entry->change_count; i++)
        rc = apply_one(&apply, &entry->changes[i], err);
    if (rc == 0) {
        if (store->only == NULL)
            ent_sum_add(&apply.sum, &part);
        *sum = apply.sum;
    }
    store->applying.n = 0;
    ent_arena_fini(&arena);
    return rc;
}
