/* figure.c - see figure.h. What stands in a contested register is in table
 * `cell`, a row each; of a register that nobody contests nothing is there. */
#include "store/figure.h"

#include <stdlib.h>
#include <string.h>

#include "codec/value.h"
#include "store/table.h"

#define DAY_TEXT 11    /* YYYY-MM-DD, or less of it */
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

/* One value: a number, or a day with 0 beside it. */
struct side {
    double real;
    char day[DAY_TEXT];
};

/* The ends of what stands in the register of one record. */
struct ends {
    struct side low, high;
    size_t count;
    bool shown; /* one of them is what the column shows */
};

static int compare_sides(const struct side *a, const struct side *b)
{
    int order = strcmp(a->day, b->day);

    return order != 0 ? order : (a->real > b->real) - (a->real < b->real);
}

/* false: it is nothing that has a least and a greatest. */
static bool read_side(const struct ent_value *value, bool is_day,
                      struct side *side)
{
    *side = (struct side){0};
    if (is_day) {
        if (value->type != ENT_VALUE_TEXT || value->bytes.len >= DAY_TEXT)
            return false;
        memcpy(side->day, value->bytes.at, value->bytes.len);
        return true;
    }
    if (value->type != ENT_VALUE_INT && value->type != ENT_VALUE_DECIMAL)
        return false;
    side->real = ent_table_real(value);
    return true;
}

/* An empty side may be the one that is shown. */
static bool is_shown(const struct side *side, bool is_day, sqlite3_value *shown)
{
    const char *day;

    if (sqlite3_value_type(shown) == SQLITE_NULL)
        return true;
    if (!is_day)
        return sqlite3_value_double(shown) == side->real;
    day = (const char *)sqlite3_value_text(shown);
    return day != NULL && strcmp(side->day, day) == 0;
}

static void put_value(struct ends *ends, struct ent_slice packed, bool is_day,
                      sqlite3_value *shown)
{
    struct ent_arena arena = {0};
    struct ent_value value;
    struct side side;

    if (packed.len > 0 && ent_value_get(packed, &arena, &value, NULL) == 0 &&
        read_side(&value, is_day, &side)) {
        if (ends->count == 0 || compare_sides(&side, &ends->low) < 0)
            ends->low = side;
        if (ends->count == 0 || compare_sides(&side, &ends->high) > 0)
            ends->high = side;
        ends->shown = ends->shown || is_shown(&side, is_day, shown);
        ends->count++;
    }
    ent_arena_fini(&arena);
}

/* Of records merged into one the first whose values have the shown one. */
static int read_ends(struct ent_stmt *stmt, bool is_day, sqlite3_value *shown,
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
        put_value(ends, ent_stmt_bytes(stmt, 1), is_day, shown);
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
    bool is_day;
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
    asked->is_day = field->type == ENT_TYPE_DATE;
    asked->any = field->loud == ENT_LOUD_ASK &&
                 field->rule == ENT_RULE_REGISTER && is_any(figures, asked);
    sqlite3_set_auxdata(call, 0, asked, free);
    return sqlite3_get_auxdata(call, 0);
}

static void give_side(sqlite3_context *call, const struct side *side,
                      bool is_day)
{
    double real = side->real;

    if (is_day)
        sqlite3_result_text(call, side->day, -1, SQLITE_TRANSIENT);
    else if (real >= -WHOLE_MAX && real <= WHOLE_MAX &&
             (double)(int64_t)real == real)
        sqlite3_result_int64(call, (int64_t)real);
    else
        sqlite3_result_double(call, real);
}

static void give_end(sqlite3_context *call, sqlite3_value **argv, bool high)
{
    struct ent_figures *figures = sqlite3_user_data(call);
    const struct asked *asked = find_asked(call, argv);
    const void *id = sqlite3_value_blob(argv[2]);
    struct ends ends;

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
    if (read_ends(&figures->standing, asked->is_day, argv[3], &ends) < 0) {
        sqlite3_result_error(call, sqlite3_errmsg(figures->db->raw), -1);
        return;
    }
    if (ends.shown)
        give_side(call, high ? &ends.high : &ends.low, asked->is_day);
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

static bool is_same(sqlite3_value *a, sqlite3_value *b, bool is_day)
{
    if (!is_day)
        return sqlite3_value_double(a) == sqlite3_value_double(b);
    return sqlite3_value_bytes(a) == sqlite3_value_bytes(b) &&
           memcmp(sqlite3_value_blob(a), sqlite3_value_blob(b),
                  (size_t)sqlite3_value_bytes(a)) == 0;
}

/* Days are full of dashes: a stroke stands between them, as in ISO 8601. */
static void range(sqlite3_context *call, int argc, sqlite3_value **argv)
{
    bool is_day = sqlite3_value_type(argv[0]) == SQLITE_TEXT;
    char *text;

    (void)argc;
    if (sqlite3_value_type(argv[0]) == SQLITE_NULL ||
        sqlite3_value_type(argv[1]) == SQLITE_NULL)
        return;
    if (is_same(argv[0], argv[1], is_day)) {
        sqlite3_result_value(call, argv[0]);
        return;
    }
    text =
        sqlite3_mprintf(is_day ? "%s/%s" : "%s-%s", sqlite3_value_text(argv[0]),
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
