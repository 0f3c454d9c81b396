/* records.c - records read back: found, shown, their history and conflicts
 * (records.h). */
#include "store/records.h"

#include <stdlib.h>
#include <string.h>

#include "store/own.h"
#include "store/state.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ---------------------------------------------------------------------- ids */

/* The first 8 bytes of an owned id, never twice the same: the millisecond and
 * a 12-bit counter in the free bits of version 7, which begins anywhere and
 * runs on into the next millisecond. */
static void put_owned_head(struct ent_store *store, int64_t now_ms,
                           const uint8_t random[2], struct ent_id *id)
{
    uint64_t next = (uint64_t)(now_ms < 0 ? 0 : now_ms) << 12 |
                    (uint64_t)(random[0] << 8 | random[1]) % 4096 / 2;

    if (next <= store->owned_last)
        next = store->owned_last + 1;
    store->owned_last = next;
    for (int i = 0; i < 6; i++)
        id->b[i] = (uint8_t)(next >> (52 - 8 * i));
    id->b[6] = (uint8_t)(0x70 | (next >> 8 & 0x0f));
    id->b[7] = (uint8_t)next;
}

struct ent_id ent_record_new_id(struct ent_store *store, int64_t space,
                                const struct ent_kind *kind, int64_t now_ms)
{
    struct ent_space_state *state;
    uint8_t random[10];
    struct ent_id id;

    ent_rand_bytes(store->rand, random, sizeof(random));
    id = ent_idgen_next(&store->idgen, now_ms, random);
    if (kind->owned && ent_space_state(store, space, &state, NULL) == 0) {
        put_owned_head(store, now_ms, random, &id);
        ent_owner_put(&state->id, &store->keys.public, &id);
    }
    return id;
}

struct ent_id ent_record_named_id(struct ent_store *store, int64_t space,
                                  const struct ent_kind *kind,
                                  struct ent_slice code)
{
    struct ent_space_state *state;
    struct ent_buf name = {0};
    struct ent_id id = {{0}};

    if (ent_space_state(store, space, &state, NULL) < 0)
        return id;
    ent_buf_put_str(&name, kind->name);
    ent_buf_put_u8(&name, ':');
    ent_buf_put_slice(&name, code);
    if (name.rc == 0)
        id = ent_id_named(&state->id, name.at, name.len);
    ent_buf_fini(&name);
    if (kind->owned)
        ent_owner_put(&state->id, &store->keys.public, &id);
    return id;
}

bool ent_record_may_change(struct ent_store *store, int64_t space,
                           uint32_t kind, const struct ent_id *id)
{
    struct ent_space_state *state;

    return !ent_kind_is_owned(kind) ||
           (ent_space_state(store, space, &state, NULL) == 0 &&
            ent_owner_may_change(state, &store->keys.public, kind, id));
}

/* --------------------------------------------------------------------- find */

struct finding {
    struct ent_record_ref *refs;
    size_t max;
    size_t count;
};

static void found(struct finding *finding, int64_t space, uint32_t kind,
                  const struct ent_id *id)
{
    for (size_t i = 0; i < finding->count && i < finding->max; i++)
        if (finding->refs[i].space == space && finding->refs[i].kind == kind &&
            ent_id_equal(&finding->refs[i].id, id))
            return;
    if (finding->count < finding->max)
        finding->refs[finding->count] =
            (struct ent_record_ref){.space = space, .kind = kind, .id = *id};
    finding->count++;
}

/* Rows or deleted records whose id matches `where`, which has ?1 for what is
 * sought; `bytes` is bound as a blob, `text` as text. */
static int find_where(struct ent_store *store, int64_t space,
                      const struct ent_kind *kind, const char *where,
                      struct ent_slice sought, bool text,
                      struct finding *finding, struct ent_err *err)
{
    struct ent_buf sql = {0};
    struct ent_stmt stmt = {0};
    const char *said;
    int rc;

    if (kind != NULL) {
        ent_buf_put_str(&sql, "SELECT space, id FROM ");
        ent_table_quote(&sql, kind->table);
    } else {
        ent_buf_put_str(&sql, "SELECT DISTINCT space, id, kind FROM cell");
    }
    ent_buf_printf(&sql, " WHERE %s AND (?2 = 0 OR space = ?2) LIMIT 64",
                   where);
    said = ent_buf_cstr(&sql);
    rc = said == NULL ? no_memory(err)
                      : ent_stmt_prepare(&store->db, said, &stmt, err);
    ent_buf_fini(&sql);
    if (rc < 0)
        return rc;
    if (text)
        ent_stmt_bind_text(&stmt, 1, sought);
    else
        ent_stmt_bind_blob(&stmt, 1, sought.at, sought.len);
    ent_stmt_bind_int(&stmt, 2, space);
    while ((rc = ent_stmt_step(&stmt, err)) > 0) {
        struct ent_id id;

        ent_stmt_copy(&stmt, 1, id.b, ENT_ID_BYTES);
        found(finding, ent_stmt_int(&stmt, 0),
              kind != NULL ? kind->number : (uint32_t)ent_stmt_int(&stmt, 2),
              &id);
    }
    ent_stmt_fini(&stmt);
    return rc;
}

/* In every kind's table, or one's, and among deleted records. */
static int find_all(struct ent_store *store, int64_t space, uint32_t kind,
                    const char *where, struct ent_slice sought, bool text,
                    bool dead, struct finding *finding, struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < store->kinds->count; i++) {
        const struct ent_kind *each = &store->kinds->kinds[i];

        if (kind == 0 || kind == each->number)
            rc = find_where(store, space, each, where, sought, text, finding,
                            err);
    }
    if (rc == 0 && dead)
        rc = find_where(store, space, NULL, where, sought, text, finding, err);
    return rc;
}

/* A deleted record keeps its code among its cells. */
static int find_dead_code(struct ent_store *store, int64_t space,
                          struct ent_slice code, struct finding *finding,
                          struct ent_err *err)
{
    struct ent_buf packed = {0};
    int rc;

    if (code.len < 32)
        ent_buf_put_u8(&packed, (uint8_t)(0xa0 | code.len));
    else if (code.len < 256)
        ent_buf_printf(&packed, "\xd9%c", (char)code.len);
    else
        return 0;
    ent_buf_put_slice(&packed, code);
    rc = packed.rc < 0
             ? no_memory(err)
             : find_where(store, space, NULL, "field = 1 AND value = ?1",
                          ent_buf_slice(&packed), false, finding, err);
    ent_buf_fini(&packed);
    return rc;
}

/* The kind of a deleted record counts too when only one kind is asked for. */
static void drop_other_kinds(struct finding *finding, uint32_t kind)
{
    size_t kept = 0;

    if (kind == 0 || finding->count > finding->max)
        return;
    for (size_t i = 0; i < finding->count; i++)
        if (finding->refs[i].kind == kind)
            finding->refs[kept++] = finding->refs[i];
    finding->count = kept;
}

static bool is_tail(const char *name, size_t len)
{
    return len >= ENT_ID_TAIL_MIN && len <= 2 * ENT_ID_BYTES &&
           strspn(name, "0123456789abcdefABCDEF") == len;
}

int ent_record_find(struct ent_store *store, const char *name, int64_t space,
                    uint32_t kind, struct ent_record_ref *refs, size_t max,
                    size_t *count, struct ent_err *err)
{
    struct finding finding = {.refs = refs, .max = max};
    struct ent_id id;
    int rc = ent_store_refresh(store, err);

    if (rc < 0)
        return rc;
    if (ent_id_parse(name, &id))
        rc =
            find_all(store, space, kind,
                     "id = ?1 AND space IN (SELECT space FROM space)",
                     ent_slice(id.b, ENT_ID_BYTES), false, true, &finding, err);
    /* An import makes a code of the UUID of another's record (M11). */
    if (rc == 0 && finding.count == 0) {
        rc = find_all(store, space, kind, "code = ?1", ent_slice_str(name),
                      true, false, &finding, err);
        if (rc == 0 && finding.count == 0)
            rc = find_dead_code(store, space, ent_slice_str(name), &finding,
                                err);
    }
    /* "…3f9a" as listings show it, or the digits alone. */
    if (rc == 0 && finding.count == 0) {
        if (strncmp(name, "…", sizeof("…") - 1) == 0)
            name += sizeof("…") - 1;
        if (is_tail(name, strlen(name)))
            rc = find_all(store, space, kind, "hex(id) LIKE '%' || ?1",
                          ent_slice_str(name), true, true, &finding, err);
    }
    drop_other_kinds(&finding, kind);
    *count = finding.count;
    return rc;
}

int ent_record_find_dead(struct ent_store *store, const char *code,
                         struct ent_record_ref *refs, size_t max, size_t *count,
                         struct ent_err *err)
{
    struct finding finding = {.refs = refs, .max = max};
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = find_dead_code(store, 0, ent_slice_str(code), &finding, err);
    *count = finding.count;
    return rc;
}

/* --------------------------------------------------------------------- read */

/* Cells by field; of one field in the order of display. */
static int order_cells(struct ent_store *store, struct ent_state *state,
                       struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 1; i < state->cell_count; i++)
        for (size_t j = i;
             j > 0 && state->cells[j].field < state->cells[j - 1].field; j--) {
            struct ent_cell swap = state->cells[j];

            state->cells[j] = state->cells[j - 1];
            state->cells[j - 1] = swap;
        }
    for (size_t i = 0; rc == 0 && i < state->cell_count;) {
        size_t end = i;

        while (end < state->cell_count &&
               state->cells[end].field == state->cells[i].field)
            end++;
        rc = ent_cells_sort(
            store,
            state->table == NULL
                ? NULL
                : ent_field_find(state->table->kind, state->cells[i].field),
            state->cells + i, end - i, err);
        i = end;
    }
    return rc;
}

int ent_record_read(struct ent_store *store, const struct ent_record_ref *ref,
                    struct ent_record *record, struct ent_err *err)
{
    struct ent_state state;
    bool live = false;
    bool dead = false;
    int rc = ent_store_refresh(store, err);

    *record = (struct ent_record){.ref = *ref};
    if (rc == 0)
        rc = ent_state_load(store, ref->space, ref->kind, &ref->id, NULL,
                            &record->arena, &state, err);
    if (rc == 0 && state.cell_count == 0)
        rc = ent_err_set(err, ENT_ENOTFOUND, ENT_N_("no such record here"));
    if (rc == 0)
        rc = order_cells(store, &state, err);
    if (rc == 0) {
        record->writes =
            ENT_ARENA_NEW(&record->arena, struct ent_shown, state.cell_count);
        if (record->writes == NULL)
            rc = no_memory(err);
    }
    for (size_t i = 0; rc == 0 && i < state.cell_count; i++) {
        const struct ent_cell *cell = &state.cells[i];
        const struct ent_log *log = ent_log_of(store, ent_n_o(cell->n));
        struct ent_shown *shown = &record->writes[record->write_count++];
        struct ent_log_meta meta = {0};

        *shown = (struct ent_shown){.field = cell->field,
                                    .code = cell->code,
                                    .value = cell->value,
                                    .missing = cell->missing,
                                    .dot = {cell->n, cell->ordinal}};
        if (log != NULL)
            shown->author = log->author;
        rc = ent_log_meta(store, cell->n, &meta, err);
        shown->claimed_ms = meta.at;
        if (rc == ENT_ENOTFOUND) /* a damaged log is for verify to tell */
            rc = 0;
        live = live || cell->code == ENT_OP_LIVE;
        dead = dead || cell->code == ENT_OP_DEAD;
    }
    record->live = live;
    record->life_contested = live && dead;
    if (rc < 0)
        ent_record_fini(record);
    return rc;
}

int ent_record_shown(struct ent_store *store, const struct ent_record_ref *ref,
                     const struct ent_field *const *fields, size_t count,
                     struct ent_buf *texts, struct ent_err *err)
{
    struct ent_table *table = ent_table_of(&store->tables, ref->kind);
    struct ent_stmt *row;
    int rc;

    if (table == NULL)
        return ENT_ENOTFOUND;
    rc = ent_table_select(&store->tables, table, &row, err);
    if (rc < 0)
        return rc;
    ent_stmt_bind_int(row, 1, ref->space);
    ent_stmt_bind_blob(row, 2, ref->id.b, ENT_ID_BYTES);
    rc = ent_stmt_step(row, err);
    for (size_t i = 0; rc > 0 && i < count; i++)
        ent_buf_put_slice(
            &texts[i],
            ent_stmt_bytes(row, 1 + (int)ent_field_at(table->kind, fields[i])));
    ent_stmt_reset(row);
    return rc > 0 ? 0 : rc < 0 ? rc : ENT_ENOTFOUND;
}

void ent_record_fini(struct ent_record *record)
{
    ent_arena_fini(&record->arena);
    *record = (struct ent_record){0};
}

bool ent_record_contested(const struct ent_record *record,
                          const struct ent_field *field)
{
    const struct ent_shown *first = NULL;

    if (field->rule == ENT_RULE_SET || field->loud != ENT_LOUD_ASK)
        return false;
    for (size_t i = 0; i < record->write_count; i++) {
        const struct ent_shown *write = &record->writes[i];

        if (write->field != field->number)
            continue;
        if (first == NULL)
            first = write;
        else if (!ent_value_equal(&first->value, &write->value) ||
                 first->missing != write->missing)
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------ history */

struct visit {
    int64_t n;
    uint32_t field;
    uint32_t ordinal;
    struct ent_key author; /* of the write that replaced it */
    int64_t at;
};

struct tracing {
    struct ent_store *store;
    struct ent_arena *arena;
    const struct ent_record_ref *ref;
    const struct ent_record *record;
    int64_t *todo; /* entries seen, those after `next` not read yet */
    size_t todo_count, todo_cap, next;
    struct visit *replaced;
    size_t replaced_count, replaced_cap;
    struct ent_history *items;
    size_t count, cap;
};

/* Room for one more in an arena list that doubles. */
static void *room(struct ent_arena *arena, void *list, size_t count,
                  size_t *cap, size_t size)
{
    void *more;

    if (count < *cap)
        return list;
    *cap = *cap == 0 ? 32 : 2 * *cap;
    more = ent_arena_array(arena, *cap, size);
    if (more != NULL && count > 0)
        memcpy(more, list, count * size);
    return more;
}

static int trace_entry(struct tracing *tracing, int64_t n, struct ent_err *err)
{
    for (size_t i = 0; i < tracing->todo_count; i++)
        if (tracing->todo[i] == n)
            return 0;
    tracing->todo = room(tracing->arena, tracing->todo, tracing->todo_count,
                         &tracing->todo_cap, sizeof(*tracing->todo));
    if (tracing->todo == NULL)
        return no_memory(err);
    tracing->todo[tracing->todo_count++] = n;
    return 0;
}

static int trace_seen(struct tracing *tracing, const struct ent_entry *entry,
                      const struct ent_op *op, struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < op->seen_count; i++) {
        struct visit *visit;
        int64_t n;

        rc = ent_log_resolve(tracing->store, tracing->ref->space,
                             &entry->refs[op->seen[i].ref], &n, err);
        if (rc < 0 || n == 0)
            continue;
        tracing->replaced =
            room(tracing->arena, tracing->replaced, tracing->replaced_count,
                 &tracing->replaced_cap, sizeof(*tracing->replaced));
        if (tracing->replaced == NULL)
            return no_memory(err);
        visit = &tracing->replaced[tracing->replaced_count++];
        *visit = (struct visit){.n = n,
                                .field = op->field,
                                .ordinal = op->seen[i].ordinal,
                                .author = entry->author,
                                .at = entry->time_ms};
        rc = trace_entry(tracing, n, err);
    }
    return rc;
}

static int trace_change(struct tracing *tracing, const struct ent_entry *entry,
                        int64_t n, const struct ent_change *change,
                        struct ent_err *err)
{
    uint32_t ordinal = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < change->op_count; i++) {
        const struct ent_op *op = &change->ops[i];
        struct ent_history *item;

        rc = trace_seen(tracing, entry, op, err);
        if (rc < 0)
            break;
        ordinal = i > 0 && op->code == ENT_OP_ADD &&
                          op[-1].code == ENT_OP_ADD && op[-1].field == op->field
                      ? ordinal + 1
                      : 0;
        tracing->items = room(tracing->arena, tracing->items, tracing->count,
                              &tracing->cap, sizeof(*tracing->items));
        if (tracing->items == NULL)
            return no_memory(err);
        item = &tracing->items[tracing->count++];
        *item = (struct ent_history){
            .n = n,
            .author = entry->author,
            .claimed_ms = entry->time_ms,
            .field = op->field,
            .code = op->code,
            .ordinal = ordinal,
            .value = op->value,
            .stands = op->code == ENT_OP_REMOVE,
            .has_value = ent_op_bears_value(op->code) && !change->erased};
        for (size_t j = 0; j < tracing->record->write_count; j++) {
            const struct ent_shown *write = &tracing->record->writes[j];

            if (write->field == op->field && write->dot.n == n &&
                write->dot.ordinal == ordinal)
                item->stands = true;
        }
    }
    return rc;
}

static int trace_next(struct tracing *tracing, struct ent_err *err)
{
    int64_t n = tracing->todo[tracing->next++];
    struct ent_entry entry;
    enum ent_verdict verdict;
    struct ent_hash hash;
    int rc = ent_log_read(tracing->store, n, tracing->arena, &entry, &verdict,
                          &hash, err);

    for (size_t i = 0; rc == 0 && i < entry.change_count; i++)
        if (entry.changes[i].kind == tracing->ref->kind &&
            ent_id_equal(&entry.changes[i].id, &tracing->ref->id))
            rc = trace_change(tracing, &entry, n, &entry.changes[i], err);
    return rc;
}

static int newest_first(const void *a, const void *b)
{
    const struct ent_history *x = a;
    const struct ent_history *y = b;

    if (x->claimed_ms != y->claimed_ms)
        return x->claimed_ms > y->claimed_ms ? -1 : 1;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return x->field < y->field ? -1 : x->field > y->field;
}

int ent_record_history(struct ent_store *store,
                       const struct ent_record_ref *ref,
                       struct ent_arena *arena, struct ent_history **items,
                       size_t *count, struct ent_err *err)
{
    struct ent_record record;
    struct tracing tracing = {
        .store = store, .arena = arena, .ref = ref, .record = &record};
    int rc = ent_record_read(store, ref, &record, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < record.write_count; i++)
        rc = trace_entry(&tracing, record.writes[i].dot.n, err);
    while (rc == 0 && tracing.next < tracing.todo_count)
        rc = trace_next(&tracing, err);
    for (size_t i = 0; rc == 0 && i < tracing.count; i++) {
        struct ent_history *item = &tracing.items[i];

        for (size_t j = 0; j < tracing.replaced_count; j++) {
            const struct visit *visit = &tracing.replaced[j];

            if (!item->stands && visit->n == item->n &&
                visit->field == item->field &&
                visit->ordinal == item->ordinal) {
                item->replaced_by = visit->author;
                item->replaced_ms = visit->at;
            }
        }
    }
    ent_record_fini(&record);
    if (rc < 0)
        return rc;
    if (tracing.count > 1)
        qsort(tracing.items, tracing.count, sizeof(*tracing.items),
              newest_first);
    *items = tracing.items;
    *count = tracing.count;
    return 0;
}

/* ---------------------------------------------------------------- conflicts */

int ent_conflict_list(struct ent_store *store, int64_t space,
                      struct ent_arena *arena, struct ent_conflict **list,
                      size_t *count, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_CONTESTED);
    size_t cap = 0;
    int rc;

    *list = NULL;
    *count = 0;
    ent_stmt_bind_int(stmt, 1, space);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        uint32_t number = (uint32_t)ent_stmt_int(stmt, 3);
        const struct ent_kind *kind =
            ent_kind_find(store->kinds, (uint32_t)ent_stmt_int(stmt, 1));
        const struct ent_field *field =
            kind == NULL
                ? NULL
                : ent_space_field(store, ent_stmt_int(stmt, 0), kind, number);
        struct ent_conflict *item;

        if (kind == NULL)
            continue;
        if (number != ENT_FIELD_LIFE &&
            (field == NULL || field->loud != ENT_LOUD_ASK ||
             field->rule == ENT_RULE_SET))
            continue;
        *list = room(arena, *list, *count, &cap, sizeof(**list));
        if (*list == NULL) {
            rc = no_memory(err);
            break;
        }
        item = &(*list)[(*count)++];
        item->ref.space = ent_stmt_int(stmt, 0);
        item->ref.kind = kind->number;
        ent_stmt_copy(stmt, 2, item->ref.id.b, ENT_ID_BYTES);
        item->field = number;
    }
    ent_stmt_reset(stmt);
    return rc;
}
