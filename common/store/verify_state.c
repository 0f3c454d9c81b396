/* verify_state.c - what follows from the log: rows, side tables, digests. */
#include <stdlib.h>

#include "store/state.h"
#include "store/verify.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

struct record {
    int64_t space;
    uint32_t kind;
    const char *name; /* of the kind */
    struct ent_id id;
};

/* What the standing writes of one record add to the digest of its space. */
static int sum_record(struct ent_verifying *verifying, struct ent_store *store,
                      const struct record *record, struct ent_sum *sum,
                      bool *row, struct ent_err *err)
{
    const struct ent_space_sum *space =
        ent_verify_space(verifying, record->space);
    struct ent_state state;
    int rc;

    ent_arena_reset(&verifying->arena);
    *sum = (struct ent_sum){0};
    rc = ent_state_load(store, record->space, record->kind, &record->id, NULL,
                        &verifying->arena, &state, err);
    *row = rc == 0 && state.row;
    for (size_t i = 0; rc == 0 && i < state.cell_count; i++) {
        const struct ent_cell *cell = &state.cells[i];
        struct ent_sum key, mark;
        struct ent_hash hash;
        struct ent_sum part;
        enum ent_verdict verdict;

        rc = ent_log_hash(store, cell->n, &hash, &verdict, err);
        if (rc < 0 || space == NULL)
            continue;
        key = ent_sum_key_of(record->kind, &record->id, &hash);
        mark = ent_sum_mark_of(cell->field, cell->ordinal, cell->code);
        part = ent_sum_times(&key, &mark);
        ent_sum_add(sum, &part);
    }
    return rc;
}

static void say_record(struct ent_verifying *verifying, const char *fmt,
                       const struct record *record)
{
    char text[ENT_ID_TEXT];

    ent_id_text(&record->id, text);
    ent_verify_say(verifying, fmt, record->name, text);
}

static int add_record(struct ent_verifying *verifying,
                      const struct record *record, struct ent_sum *sum,
                      bool *row, struct ent_err *err)
{
    struct ent_space_sum *space = ent_verify_space(verifying, record->space);
    int rc = sum_record(verifying, verifying->store, record, sum, row, NULL);

    if (rc == ENT_ENOMEM)
        return no_memory(err);
    if (rc < 0)
        say_record(verifying, ENT_N_("%s %s is damaged"), record);
    else if (space == NULL)
        say_record(verifying, ENT_N_("%s %s belongs to no space"), record);
    else
        ent_sum_add(&space->sum, sum);
    return 0;
}

/* The rows of a kind in the file, beside those in memory when deep. */
struct rows {
    struct ent_stmt stmt;
    bool more;
    struct record record;
};

static int next_row(struct rows *rows, struct ent_err *err)
{
    int rc = ent_stmt_step(&rows->stmt, err);

    rows->more = rc > 0;
    if (rc > 0) {
        rows->record.space = ent_stmt_int(&rows->stmt, 0);
        ent_stmt_copy(&rows->stmt, 1, rows->record.id.b, ENT_ID_BYTES);
    }
    return rc < 0 ? rc : 0;
}

static int open_rows(struct ent_db *db, const struct ent_kind *kind,
                     struct rows *rows, struct ent_err *err)
{
    struct ent_buf sql = {0};
    const char *text;
    int rc;

    rows->record.kind = kind->number;
    rows->record.name = kind->name;
    ent_buf_put_str(&sql, "SELECT space, id");
    for (size_t i = 0; i < kind->field_count; i++) {
        ent_buf_put_str(&sql, ", ");
        ent_table_quote(&sql, kind->fields[i].name);
    }
    ent_buf_put_str(&sql, " FROM ");
    ent_table_quote(&sql, kind->table);
    ent_buf_put_str(&sql, " ORDER BY space, id");
    text = ent_buf_cstr(&sql);
    rc = text == NULL ? no_memory(err)
                      : ent_stmt_prepare(db, text, &rows->stmt, err);
    ent_buf_fini(&sql);
    return rc < 0 ? rc : next_row(rows, err);
}

static int rows_cmp(const struct rows *a, const struct rows *b)
{
    if (!a->more || !b->more)
        return a->more ? -1 : 1;
    if (a->record.space != b->record.space)
        return a->record.space < b->record.space ? -1 : 1;
    return ent_id_cmp(&a->record.id, &b->record.id);
}

static bool columns_equal(struct ent_stmt *a, struct ent_stmt *b)
{
    for (int i = 0; i < sqlite3_column_count(a->raw); i++) {
        int type = sqlite3_column_type(a->raw, i);

        if (type != sqlite3_column_type(b->raw, i) ||
            !ent_slice_equal(ent_stmt_bytes(a, i), ent_stmt_bytes(b, i)))
            return false;
    }
    return true;
}

/* One row of the file; its twin in memory, or NULL. */
static int check_row(struct ent_verifying *verifying, struct rows *file,
                     struct rows *twin, struct ent_err *err)
{
    struct ent_sum replayed;
    struct ent_sum sum;
    int before = verifying->count;
    bool row;
    int rc = add_record(verifying, &file->record, &sum, &row, err);

    if (rc < 0 || !verifying->deep || verifying->count > before)
        return rc;
    if (twin == NULL) {
        say_record(verifying, ENT_N_("%s %s is not in the log"), &file->record);
        return 0;
    }
    rc = sum_record(verifying, verifying->fresh, &file->record, &replayed, &row,
                    err);
    if (rc == 0 && (sum.low != replayed.low || sum.high != replayed.high ||
                    !columns_equal(&file->stmt, &twin->stmt)))
        say_record(verifying, ENT_N_("%s %s is not what the log says"),
                   &file->record);
    return rc;
}

static int walk_rows(struct ent_verifying *verifying, struct rows *file,
                     struct rows *twin, struct ent_err *err)
{
    int rc = 0;

    while (rc == 0 && (file->more || twin->more)) {
        int cmp = rows_cmp(file, twin);

        if (cmp > 0)
            say_record(verifying, ENT_N_("%s %s is missing"), &twin->record);
        else
            rc = check_row(verifying, file, cmp == 0 ? twin : NULL, err);
        if (rc == 0 && cmp >= 0)
            rc = next_row(twin, err);
        if (rc == 0 && cmp <= 0)
            rc = next_row(file, err);
    }
    return rc;
}

static int check_table(struct ent_verifying *verifying,
                       const struct ent_kind *kind, struct ent_err *err)
{
    struct rows file = {0};
    struct rows twin = {0};
    int rc = open_rows(&verifying->store->db, kind, &file, err);

    if (rc == 0 && verifying->deep)
        rc = open_rows(&verifying->fresh->db, kind, &twin, err);
    if (rc == 0)
        rc = walk_rows(verifying, &file, &twin, err);
    ent_stmt_fini(&file.stmt);
    ent_stmt_fini(&twin.stmt);
    return rc;
}

/* Records without a row: deleted ones, and kinds of newer programs. */
static int check_cells(struct ent_verifying *verifying, struct ent_err *err)
{
    struct ent_store *store = verifying->store;
    struct ent_stmt stmt;
    int rc = ent_stmt_prepare(
        &store->db, "SELECT DISTINCT space, kind, id FROM cell", &stmt, err);

    while (rc == 0 && (rc = ent_stmt_step(&stmt, err)) > 0) {
        struct record record = {.space = ent_stmt_int(&stmt, 0),
                                .kind = (uint32_t)ent_stmt_int(&stmt, 1)};
        const struct ent_kind *kind = ent_kind_find(store->kinds, record.kind);
        struct ent_sum sum;
        bool row;

        record.name = kind != NULL ? kind->name : "?";
        ent_stmt_copy(&stmt, 2, record.id.b, ENT_ID_BYTES);
        rc = sum_record(verifying, store, &record, &sum, &row, NULL);
        if (rc == 0 && row) /* with its row */
            continue;
        rc = rc == ENT_ENOMEM ? no_memory(err)
                              : add_record(verifying, &record, &sum, &row, err);
    }
    ent_stmt_fini(&stmt);
    return rc;
}

/* Whether two tables hold the same rows in the order of `sql`. */
static int check_equal(struct ent_verifying *verifying, const char *sql,
                       const char *what, struct ent_err *err)
{
    struct ent_stmt file = {0};
    struct ent_stmt twin = {0};
    bool equal = true;
    int rc = ent_stmt_prepare(&verifying->store->db, sql, &file, err);

    if (rc == 0)
        rc = ent_stmt_prepare(&verifying->fresh->db, sql, &twin, err);
    while (rc == 0 && equal) {
        int left = ent_stmt_step(&file, err);
        int right = left < 0 ? left : ent_stmt_step(&twin, err);

        if (right < 0)
            rc = right;
        else if (left == 0 && right == 0)
            break;
        else
            equal = left == right && columns_equal(&file, &twin);
    }
    if (rc == 0 && !equal)
        ent_verify_say(verifying, ENT_N_("table %s is not what the log says"),
                       what);
    ent_stmt_fini(&file);
    ent_stmt_fini(&twin);
    return rc;
}

/* A dot named before it came may be remembered although it came since, when it
 * was none: that depends on the order of arrival and says nothing. */
#define UNSEEN                                                                 \
    "SELECT * FROM unseen u WHERE NOT EXISTS("                                 \
    "SELECT 1 FROM origin JOIN log ON log.n = (origin.o << 40 | u.seq)"        \
    " WHERE origin.space = u.space AND origin.id = u.origin"                   \
    " AND substr(log.hash, 1, 8) = u.hash AND log.verdict = 0)"                \
    " ORDER BY space, kind, id, field, origin, seq, hash, ordinal"

static int check_side_tables(struct ent_verifying *verifying,
                             struct ent_err *err)
{
    int rc = check_equal(verifying,
                         "SELECT * FROM cell"
                         " ORDER BY space, kind, id, field, n, ordinal",
                         "cell", err);

    return rc < 0 ? rc : check_equal(verifying, UNSEEN, "unseen", err);
}

static int check_digest(struct ent_verifying *verifying,
                        const struct ent_space_sum *space, struct ent_err *err)
{
    struct ent_store *store = verifying->store;
    struct ent_sum sum;
    char hex[2 * ENT_ID_BYTES + 1];
    int rc = ent_space_sum(store, space->space, &sum, err);

    if (rc < 0)
        return rc;
    ent_hex_put(hex, space->id.b, ENT_ID_BYTES);
    if (sum.low != space->sum.low || sum.high != space->sum.high)
        ent_verify_say(
            verifying,
            ENT_N_("the records of space %.8s do not add up to its digest; "
                   "run: entente rebuild"),
            hex);
    return 0;
}

int ent_verify_state(struct ent_verifying *verifying, struct ent_err *err)
{
    const struct ent_kinds *kinds = verifying->store->kinds;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < kinds->count; i++)
        rc = check_table(verifying, &kinds->kinds[i], err);
    if (rc == 0)
        rc = check_cells(verifying, err);
    if (rc == 0 && verifying->deep)
        rc = check_side_tables(verifying, err);
    for (size_t i = 0; rc == 0 && i < verifying->space_count; i++)
        rc = check_digest(verifying, &verifying->spaces[i], err);
    return rc;
}
