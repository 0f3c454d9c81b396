/* touched.c - records that are made anew when entries begin or cease to count
 * (rule M3): their state follows from the log, as everything does. */
#include <stdlib.h>
#include <string.h>

#include "store/state.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* --------------------------------------------------------------- the records
 */

static int key_cmp(const void *a, const void *b)
{
    const struct ent_record_key *x = a;
    const struct ent_record_key *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return ent_id_cmp(&x->id, &y->id);
}

int ent_touched_add(struct ent_touched *touched, const struct ent_entry *entry,
                    struct ent_err *err)
{
    if (touched->cap - touched->count < entry->change_count) {
        size_t cap = 2 * touched->cap + entry->change_count;
        struct ent_record_key *keys =
            realloc(touched->keys, cap * sizeof(*keys));

        if (keys == NULL)
            return no_memory(err);
        touched->keys = keys;
        touched->cap = cap;
    }
    for (size_t i = 0; i < entry->change_count; i++)
        touched->keys[touched->count++] = (struct ent_record_key){
            .kind = entry->changes[i].kind, .id = entry->changes[i].id};
    return 0;
}

void ent_touched_sort(struct ent_touched *touched)
{
    size_t kept = 0;

    if (touched->count > 1)
        qsort(touched->keys, touched->count, sizeof(*touched->keys), key_cmp);
    for (size_t i = 0; i < touched->count; i++)
        if (kept == 0 ||
            key_cmp(&touched->keys[kept - 1], &touched->keys[i]) != 0)
            touched->keys[kept++] = touched->keys[i];
    touched->count = kept;
}

bool ent_touched_holds(const struct ent_touched *touched, uint32_t kind,
                       const struct ent_id *id)
{
    const struct ent_record_key key = {.kind = kind, .id = *id};

    return touched->count > 0 && bsearch(&key, touched->keys, touched->count,
                                         sizeof(key), key_cmp) != NULL;
}

/* ---------------------------------------------------------------- taken out */

/* What stands of a record goes out of the digest. */
static int subtract(struct ent_store *store, const struct ent_state *state,
                    struct ent_sum *sum, struct ent_err *err)
{
    for (size_t i = 0; i < state->cell_count; i++) {
        const struct ent_cell *cell = &state->cells[i];
        struct ent_sum key, mark, part;
        struct ent_log_meta meta;
        int rc = ent_log_meta(store, cell->n, &meta, err);

        if (rc < 0)
            return rc;
        key = ent_sum_key_of(state->kind, &state->id, &meta.hash);
        mark = ent_sum_mark_of(cell->field, cell->ordinal, cell->code);
        part = ent_sum_times(&key, &mark);
        ent_sum_sub(sum, &part);
    }
    return 0;
}

static int clear(struct ent_store *store, enum ent_sql which, int64_t space,
                 const struct ent_record_key *key, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, which);

    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_int(stmt, 2, key->kind);
    ent_stmt_bind_blob(stmt, 3, key->id.b, ENT_ID_BYTES);
    return ent_stmt_run(stmt, err);
}

static int drop_row(struct ent_store *store, const struct ent_state *state,
                    struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc = ent_table_drop(&store->tables, state->table, &stmt, err);

    if (rc < 0)
        return rc;
    ent_stmt_bind_int(stmt, 1, state->space);
    ent_stmt_bind_blob(stmt, 2, state->id.b, ENT_ID_BYTES);
    return ent_stmt_run(stmt, err);
}

int ent_records_clear(struct ent_store *store, int64_t space,
                      const struct ent_touched *touched, struct ent_sum *sum,
                      struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < touched->count; i++) {
        const struct ent_record_key *key = &touched->keys[i];
        struct ent_state state;

        ent_arena_reset(&store->scratch);
        rc = ent_state_load(store, space, key->kind, &key->id, NULL,
                            &store->scratch, &state, err);
        if (rc == 0)
            rc = subtract(store, &state, sum, err);
        if (rc == 0 && state.row)
            rc = drop_row(store, &state, err);
        if (rc == 0)
            rc = clear(store, ENT_SQL_CELL_CLEAR, space, key, err);
        if (rc == 0)
            rc = clear(store, ENT_SQL_UNSEEN_CLEAR, space, key, err);
    }
    return rc;
}

/* ---------------------------------------------------------------- made anew */

/* The entries of one log, in order; its head shows how far it has come, so that
 * what names a write of a log further on is remembered for it. */
static int replay_log(struct ent_store *store, struct ent_log *log,
                      int64_t head, struct ent_arena *arena,
                      struct ent_sum *sum, struct ent_err *err)
{
    int rc = 0;

    while (rc == 0 && log->head < head) {
        int64_t n = ent_n(log->o, log->head + 1);
        struct ent_entry entry;
        enum ent_verdict verdict;
        struct ent_hash hash;

        ent_arena_reset(arena);
        rc = ent_log_read(store, n, arena, &entry, &verdict, &hash, err);
        if (rc == 0 && verdict == ENT_VERDICT_ACCEPTED)
            rc = ent_apply_entry(store, log->space, &entry, n, &hash, sum, err);
        log->head++;
    }
    return rc;
}

int ent_records_replay(struct ent_store *store, int64_t space,
                       const struct ent_touched *touched, struct ent_sum *sum,
                       struct ent_err *err)
{
    int64_t *heads = calloc(store->log_count + 1, sizeof(*heads));
    struct ent_arena arena = {0};
    int rc = heads == NULL ? no_memory(err) : 0;

    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];

        if (log->space != space)
            continue;
        rc = ent_log_head(store, log, err);
        heads[i] = log->head;
        log->head = log->base;
    }
    store->only = touched;
    for (size_t i = 0; rc == 0 && i < store->log_count; i++)
        if (store->logs[i]->space == space)
            rc = replay_log(store, store->logs[i], heads[i], &arena, sum, err);
    store->only = NULL;
    ent_arena_fini(&arena);
    free(heads);
    return rc;
}

int ent_records_anew(struct ent_store *store, int64_t space,
                     struct ent_touched *touched, struct ent_err *err)
{
    struct ent_sum sum;
    int rc = ent_space_sum(store, space, &sum, err);

    if (rc < 0)
        return rc;
    ent_touched_sort(touched);
    rc = ent_records_clear(store, space, touched, &sum, err);
    if (rc == 0)
        rc = ent_erasures_uncount(store, space, touched, err);
    if (rc == 0)
        rc = ent_records_replay(store, space, touched, &sum, err);
    if (rc == 0)
        rc = ent_space_set_sum(store, space, &sum, err);
    return rc == 0 ? ent_search_anew(store, err) : rc;
}
