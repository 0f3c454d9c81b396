/* figure.c - see figure.h. What stands in a contested register is in table
 * `cell`, a row each; of a register that nobody contests nothing is there. */
#include "store/figure.h"

#include <stdlib.h>
#include <string.h>

#include "codec/value.h"
#include "store/table.h"

#define WHOLE_MAX 9e15 /* up to here a double tells whole numbers apart */

/* Records merged into one stand in a table of the connection's own
 * (same_view.c), if there are any. */
static const char alone_sql[] =
    "SELECT id, value FROM main.cell"
    " WHERE space = ?1 AND kind = ?2 AND id = ?3 AND field = ?4";
static const char merged_sql[] =
    "SELECT id, value FROM main.cell"
    " WHERE space = ?1 AND kind = ?2 AND field = ?4 AND id IN (SELECT ?3"
    " UNION SELECT id FROM temp.same"
    " WHERE kind = ?2 AND space = ?1 AND lead = ?3)"
    " ORDER BY id";

/* The ends of what stands in the register of one record. */
struct ends {
    double low, high;
    size_t count;
    bool shown; /* one of them is what the column shows */
};

static void put_value(struct ends *ends, struct ent_slice packed,
                      sqlite3_value *shown)
{
    struct ent_arena arena = {0};
    struct ent_value value;
    double real;

    if (packed.len > 0 && ent_value_get(packed, &arena, &value, NULL) == 0 &&
        (value.type == ENT_VALUE_INT || value.type == ENT_VALUE_DECIMAL)) {
        real = ent_table_real(&value);
        if (ends->count == 0 || real < ends->low)
            ends->low = real;
        if (ends->count == 0 || real > ends->high)
            ends->high = real;
        /* An empty side may be the one that is shown. */
        ends->shown = ends->shown || sqlite3_value_double(shown) == real ||
                      sqlite3_value_type(shown) == SQLITE_NULL;
        ends->count++;
    }
    ent_arena_fini(&arena);
}

/* Of records merged into one the first whose values have the shown one. */
static int read_ends(struct ent_stmt *stmt, sqlite3_value *shown,
                     struct ends *ends)
{
    uint8_t last[ENT_ID_BYTES] = {0};
    uint8_t id[ENT_ID_BYTES];
    int rc;

    *ends = (struct ends){0};
    while ((rc = ent_stmt_step(stmt, NULL)) > 0) {
        ent_stmt_copy(stmt, 0, id, sizeof(id));
        if (memcmp(id, last, sizeof(id)) != 0) {
            if (ends->shown)
                break;
            *ends = (struct ends){0};
            memcpy(last, id, sizeof(id));
        }
        put_value(ends, ent_stmt_bytes(stmt, 1), shown);
    }
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

static int prepare(struct ent_figures *figures)
{
    bool merged;

    if (figures->standing.raw != NULL)
        return 0;
    merged = sqlite3_table_column_metadata(figures->db->raw, "temp", "same",
                                           NULL, NULL, NULL, NULL, NULL,
                                           NULL) == SQLITE_OK;
    return ent_stmt_prepare(figures->db, merged ? merged_sql : alone_sql,
                            &figures->standing, NULL);
}

/* What `field` of a call names, kept by SQLite from row to row. */
struct asked {
    uint32_t kind, field;
    bool any; /* something of it stands in `cell` */
};

static const struct ent_field *find_field(const struct ent_figures *figures,
                                          const char *name,
                                          const struct ent_kind **kind)
{
    const char *dot = name == NULL ? NULL : strchr(name, '.');
    char text[ENT_FIELD_NAME_MAX + 1];

    if (dot == NULL || (size_t)(dot - name) >= sizeof(text))
        return NULL;
    memcpy(text, name, (size_t)(dot - name));
    text[dot - name] = '\0';
    *kind = ent_kind_named(figures->kinds, text);
    return *kind == NULL ? NULL : ent_field_named(*kind, dot + 1);
}

static bool is_any(struct ent_figures *figures, const struct asked *asked)
{
    struct ent_stmt *stmt = ent_db_stmt(figures->db, ENT_SQL_CELL_HAS_FIELD);
    bool any;

    ent_stmt_bind_int(stmt, 1, asked->kind);
    ent_stmt_bind_int(stmt, 2, asked->field);
    any = ent_stmt_step(stmt, NULL) != 0; /* a failure shows when it is read */
    ent_stmt_reset(stmt);
    return any;
}

/* NULL: it was told what is wrong. */
static const struct asked *find_asked(sqlite3_context *call,
                                      sqlite3_value **argv)
{
    struct ent_figures *figures = sqlite3_user_data(call);
    struct asked *asked = sqlite3_get_auxdata(call, 0);
    const struct ent_kind *kind = NULL;
    const struct ent_field *field;

    if (asked != NULL)
        return asked;
    field =
        find_field(figures, (const char *)sqlite3_value_text(argv[0]), &kind);
    if (field == NULL) {
        sqlite3_result_error(call, "no such field", -1);
        return NULL;
    }
    asked = calloc(1, sizeof(*asked));
    if (asked == NULL) {
        sqlite3_result_error_nomem(call);
        return NULL;
    }
    asked->kind = kind->number;
    asked->field = field->number;
    asked->any = field->loud == ENT_LOUD_ASK &&
                 field->rule == ENT_RULE_REGISTER && is_any(figures, asked);
    sqlite3_set_auxdata(call, 0, asked, free);
    return sqlite3_get_auxdata(call, 0);
}

static void give_end(sqlite3_context *call, sqlite3_value **argv, bool high)
{
    struct ent_figures *figures = sqlite3_user_data(call);
    const struct asked *asked = find_asked(call, argv);
    const void *id = sqlite3_value_blob(argv[2]);
    struct ends ends;
    double end;

    if (asked == NULL)
        return;
    sqlite3_result_value(call, argv[3]);
    if (!asked->any || id == NULL ||
        sqlite3_value_bytes(argv[2]) != ENT_ID_BYTES)
        return;
    if (prepare(figures) < 0) {
        sqlite3_result_error(call, sqlite3_errmsg(figures->db->raw), -1);
        return;
    }
    ent_stmt_bind_int(&figures->standing, 1, sqlite3_value_int64(argv[1]));
    ent_stmt_bind_int(&figures->standing, 2, asked->kind);
    ent_stmt_bind_blob(&figures->standing, 3, id, ENT_ID_BYTES);
    ent_stmt_bind_int(&figures->standing, 4, asked->field);
    if (read_ends(&figures->standing, argv[3], &ends) < 0) {
        sqlite3_result_error(call, sqlite3_errmsg(figures->db->raw), -1);
        return;
    }
    end = high ? ends.high : ends.low;
    if (!ends.shown)
        return;
    if (end >= -WHOLE_MAX && end <= WHOLE_MAX && (double)(int64_t)end == end)
        sqlite3_result_int64(call, (int64_t)end);
    else
        sqlite3_result_double(call, end);
}

static void low(sqlite3_context *call, int argc, sqlite3_value **argv)
{
    (void)argc;
    give_end(call, argv, false);
}

static void high(sqlite3_context *call, int argc, sqlite3_value **argv)
{
    (void)argc;
    give_end(call, argv, true);
}

static void range(sqlite3_context *call, int argc, sqlite3_value **argv)
{
    char *text;

    (void)argc;
    if (sqlite3_value_type(argv[0]) == SQLITE_NULL ||
        sqlite3_value_type(argv[1]) == SQLITE_NULL)
        return;
    if (sqlite3_value_double(argv[0]) == sqlite3_value_double(argv[1])) {
        sqlite3_result_value(call, argv[0]);
        return;
    }
    text = sqlite3_mprintf("%s-%s", sqlite3_value_text(argv[0]),
                           sqlite3_value_text(argv[1]));
    if (text == NULL)
        sqlite3_result_error_nomem(call);
    else
        sqlite3_result_text(call, text, -1, sqlite3_free);
}

int ent_figures_define(struct ent_figures *figures, struct ent_db *db,
                       const struct ent_kinds *kinds, struct ent_err *err)
{
    const int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS;
    int rc;

    figures->db = db;
    figures->kinds = kinds;
    rc = sqlite3_create_function(db->raw, "ent_low", 4, flags, figures, low,
                                 NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function(db->raw, "ent_high", 4, flags, figures,
                                     high, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function(db->raw, "ent_range", 2,
                                     flags | SQLITE_DETERMINISTIC, NULL, range,
                                     NULL, NULL);
    return rc == SQLITE_OK ? 0 : ent_db_fail(db, rc, err);
}

void ent_figures_fini(struct ent_figures *figures)
{
    ent_stmt_fini(&figures->standing);
}
