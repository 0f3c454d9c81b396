/* state_insert.c - the short way for a record that is new and written whole:
 * its row is made without loading or deciding (state.h). */
#include "store/json.h"
#include "store/meta.h"

bool ent_state_is_plain(const struct ent_kind *kind,
                        const struct ent_change *change)
{
    if (kind == NULL || change->erased || change->ops[0].code != ENT_OP_LIVE)
        return false;
    for (size_t i = 0; i < change->op_count; i++) {
        const struct ent_op *op = &change->ops[i];
        const struct ent_field *field;

        if (op->seen_count > 0)
            return false;
        if (i == 0)
            continue;
        field = ent_field_find(kind, op->field);
        if (field == NULL || op->value.type == ENT_VALUE_NIL)
            return false;
        if (field->rule == ENT_RULE_REGISTER) {
            if (op->code != ENT_OP_WRITE || op[-1].field == op->field ||
                !ent_table_fits(field, &op->value))
                return false;
            continue;
        }
        /* A set: no text twice, so that places and ordinals agree. */
        if (op->code != ENT_OP_ADD || op->value.type != ENT_VALUE_TEXT)
            return false;
        for (const struct ent_op *other = op - 1; other->field == op->field;
             other--)
            if (ent_slice_equal(other->value.bytes, op->value.bytes))
                return false;
    }
    return true;
}

int ent_state_insert(struct ent_store *store, int64_t space,
                     const struct ent_kind *kind, int64_t n,
                     const struct ent_change *change, bool *inserted,
                     struct ent_err *err)
{
    struct ent_table *table = ent_table_of(&store->tables, kind->number);
    struct ent_buf sets = {0};
    uint8_t meta_bytes[32];
    struct ent_buf meta = {.at = meta_bytes, .cap = sizeof(meta_bytes)};
    struct ent_stmt *stmt;
    size_t i = 1;
    int rc = ent_table_insert(&store->tables, table, &stmt, err);

    if (rc < 0)
        return rc;
    ent_meta_put_n(&meta, n);
    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, change->id.b, ENT_ID_BYTES);
    ent_stmt_bind_blob(stmt, 3, meta.at, meta.len);
    for (size_t f = 0; f < kind->field_count; f++) {
        const struct ent_field *field = &kind->fields[f];
        int at = 4 + (int)f;

        if (i == change->op_count || change->ops[i].field != field->number) {
            ent_stmt_bind_null(stmt, at);
        } else if (field->rule == ENT_RULE_REGISTER) {
            ent_table_bind(stmt, at, field, &change->ops[i++].value);
        } else {
            struct ent_slice texts[ENT_OPS_MAX / 64];
            struct ent_slice *list = texts;
            size_t count = 0;

            while (i + count < change->op_count &&
                   change->ops[i + count].field == field->number)
                count++;
            if (count > ENT_ARRAY_LEN(texts)) {
                ent_arena_reset(&store->scratch);
                list = ENT_ARENA_NEW(&store->scratch, struct ent_slice, count);
            }
            for (size_t k = 0; list != NULL && k < count; k++)
                list[k] = change->ops[i + k].value.bytes;
            i += count;
            ent_buf_reset(&sets);
            if (list != NULL)
                ent_json_put_texts(&sets, list, count);
            if (list == NULL || sets.rc < 0)
                rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
            if (stmt->rc == SQLITE_OK)
                stmt->rc = sqlite3_bind_text64(stmt->raw, at, (char *)sets.at,
                                               sets.len, SQLITE_TRANSIENT,
                                               SQLITE_UTF8);
        }
    }
    if (rc == 0)
        rc = ent_stmt_run(stmt, err);
    *inserted = rc == 0 && sqlite3_changes(store->db.raw) == 1;
    ent_buf_fini(&sets);
    return rc;
}
