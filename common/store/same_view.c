/* same_view.c - groups shown as one record to whoever asks in SQL (same.h).
 * Tables of the connection's own say who is one with whom:
 *
 *   same(kind, space, id, lead)          the records that live of each group
 *   same_name(kind, space, name, shown)  what references call them, and what
 *                                        they are shown as
 *
 * and a view covers each table whose rows or references are concerned. */
#include <string.h>

#include "store/replica.h"
#include "store/same.h"

static const char tables[] =
    "PRAGMA temp_store = MEMORY;"
    "CREATE TEMP TABLE same("
    " kind INTEGER, space INTEGER, id BLOB, lead BLOB,"
    " PRIMARY KEY(kind, space, id)) WITHOUT ROWID;"
    "CREATE TEMP TABLE same_gone("
    " kind INTEGER, space INTEGER, id BLOB, lead BLOB,"
    " PRIMARY KEY(kind, space, id)) WITHOUT ROWID;"
    "CREATE TEMP TABLE same_name("
    " kind INTEGER, name TEXT, space INTEGER, shown TEXT,"
    " PRIMARY KEY(kind, name, space)) WITHOUT ROWID;"
    "CREATE INDEX temp.same_lead ON same(kind, space, lead, id);";

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

static int run(struct ent_db *db, struct ent_buf *sql, struct ent_err *err)
{
    const char *text = ent_buf_cstr(sql);
    int rc = text == NULL ? no_memory(err) : ent_db_exec(db, text, err);

    ent_buf_reset(sql);
    return rc;
}

/* ------------------------------------------------------------ who and names */

static int put_members(struct ent_db *db, const struct ent_same *list,
                       size_t count, bool live, struct ent_err *err)
{
    struct ent_stmt stmt;
    int rc = ent_stmt_prepare(
        db,
        live ? "INSERT INTO temp.same(kind, space, id, lead)"
               " VALUES(?1, ?2, ?3, ?4)"
             : "INSERT INTO temp.same_gone(kind, space, id, lead)"
               " VALUES(?1, ?2, ?3, ?4)",
        &stmt, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (list[i].live != live)
            continue;
        ent_stmt_bind_int(&stmt, 1, list[i].ref.kind);
        ent_stmt_bind_int(&stmt, 2, list[i].ref.space);
        ent_stmt_bind_blob(&stmt, 3, list[i].ref.id.b, ENT_ID_BYTES);
        ent_stmt_bind_blob(&stmt, 4, list[i].lead.b, ENT_ID_BYTES);
        rc = ent_stmt_run(&stmt, err);
    }
    ent_stmt_fini(&stmt);
    return rc;
}

/* The group of the row `s` is shown under the first code it has. */
static void put_group_code(struct ent_buf *sql, const struct ent_kind *kind)
{
    ent_buf_put_str(sql, "(SELECT m.code FROM temp.same x JOIN main.");
    ent_table_quote(sql, kind->table);
    ent_buf_put_str(sql, " m ON m.space = x.space AND m.id = x.id"
                         " WHERE x.kind = s.kind AND x.space = s.space"
                         " AND x.lead = s.lead AND m.code IS NOT NULL"
                         " ORDER BY x.id LIMIT 1)");
}

/* Codes of those that live and of those that are deleted, and ids. What is
 * called by one name in two groups is shown as the first. */
static int put_names(struct ent_db *db, const struct ent_kind *kind,
                     struct ent_buf *sql, struct ent_err *err)
{
    ent_buf_put_str(sql, "INSERT OR IGNORE INTO temp.same_name"
                         " SELECT s.kind, t.code, s.space, ");
    put_group_code(sql, kind);
    ent_buf_put_str(sql, " FROM temp.same s JOIN main.");
    ent_table_quote(sql, kind->table);
    ent_buf_printf(sql,
                   " t ON t.space = s.space AND t.id = s.id"
                   " WHERE s.kind = %u AND t.code IS NOT NULL"
                   " ORDER BY s.lead;",
                   kind->number);
    ent_buf_put_str(sql, "INSERT OR IGNORE INTO temp.same_name"
                         " SELECT s.kind, ent_value(c.value), s.space, ");
    put_group_code(sql, kind);
    ent_buf_printf(sql,
                   " AS shown FROM temp.same_gone s JOIN main.cell c"
                   " ON c.space = s.space AND c.kind = s.kind AND c.id = s.id"
                   " WHERE s.kind = %u AND c.field = %d"
                   " AND ent_value(c.value) IS NOT NULL AND shown IS NOT NULL"
                   " ORDER BY s.lead;",
                   kind->number, ENT_FIELD_CODE);
    ent_buf_printf(sql,
                   "INSERT OR IGNORE INTO temp.same_name"
                   " SELECT kind, ent_uuid(id), space, ent_uuid(lead) FROM"
                   " (SELECT * FROM temp.same UNION ALL"
                   "  SELECT * FROM temp.same_gone) WHERE kind = %u;",
                   kind->number);
    return run(db, sql, err);
}

/* -------------------------------------------------------------------- views */

struct cover {
    const struct ent_kinds *kinds;
    const char *query;  /* whose tables are covered */
    const bool *joined; /* of a kind: it has groups */
    struct ent_same_limit *limit;
    struct ent_buf sql;
};

static bool may_lead(const struct cover *cover, const struct ent_field *field)
{
    if (field->type != ENT_TYPE_REF)
        return false;
    for (size_t i = 0; i < cover->kinds->count; i++)
        if (cover->joined[i] &&
            ent_kind_is_listed(field->targets, cover->kinds->kinds[i].name))
            return true;
    return false;
}

/* The kinds that the field refers to and that have groups; `elsewhere`: and
 * whose code nothing has in the row's own space. */
static void put_targets(struct cover *cover, const struct ent_field *field,
                        const char *name, bool elsewhere)
{
    struct ent_buf *sql = &cover->sql;

    ent_buf_printf(sql,
                   "(SELECT r.shown FROM temp.same_name r WHERE r.name = %s"
                   " AND r.space %s t.space AND (0",
                   name, elsewhere ? "<>" : "=");
    for (size_t i = 0; i < cover->kinds->count; i++) {
        const struct ent_kind *kind = &cover->kinds->kinds[i];

        if (!cover->joined[i] ||
            !ent_kind_is_listed(field->targets, kind->name))
            continue;
        ent_buf_printf(sql, " OR r.kind = %u", kind->number);
        if (!elsewhere)
            continue;
        ent_buf_put_str(sql, " AND NOT EXISTS(SELECT 1 FROM main.");
        ent_table_quote(sql, kind->table);
        ent_buf_printf(sql, " y WHERE y.space = t.space AND y.code = %s)",
                       name);
    }
    /* Not by the local number, which is another on every node. */
    ent_buf_put_str(sql, ") ORDER BY r.kind, (SELECT s.id FROM main.space s"
                         " WHERE s.space = r.space) LIMIT 1)");
}

/* What the reference `name` of the row `t` is shown as. It means the record of
 * the row's own space, and only without one there that of another. */
static void put_followed(struct cover *cover, const struct ent_field *field,
                         const char *name)
{
    ent_buf_put_str(&cover->sql, "coalesce(");
    put_targets(cover, field, name, false);
    ent_buf_put_str(&cover->sql, ", ");
    put_targets(cover, field, name, true);
    ent_buf_printf(&cover->sql, ", %s)", name);
}

/* `expr` with its references followed. */
static void put_column(struct cover *cover, const struct ent_field *field,
                       const char *expr)
{
    struct ent_buf *sql = &cover->sql;

    if (!may_lead(cover, field)) {
        ent_buf_put_str(sql, expr);
    } else if (field->rule == ENT_RULE_REGISTER) {
        put_followed(cover, field, expr);
    } else {
        ent_buf_put_str(sql, "(SELECT json_group_array(w) FROM (SELECT ");
        put_followed(cover, field, "v.value");
        ent_buf_printf(sql,
                       " AS w, min(v.key) AS at FROM json_each(%s) v"
                       " GROUP BY w ORDER BY at) HAVING count(*) > 0)",
                       expr);
    }
    ent_buf_put_str(sql, " AS ");
    ent_table_quote(sql, field->name);
}

/* The column of the row itself. */
static void put_plain(struct ent_buf *expr, const struct ent_field *field)
{
    ent_buf_put_str(expr, "t.");
    ent_table_quote(expr, field->name);
}

/* The column of a group: of the lead, else of the first that has a value; of a
 * set the elements of all. */
static void put_united(struct ent_buf *expr, const struct ent_kind *kind,
                       const struct ent_field *field)
{
    bool set = field->rule == ENT_RULE_SET;

    ent_buf_put_str(expr, set ? "(SELECT json_group_array(u) FROM"
                                " (SELECT e.value AS u, min(m.id) AS first,"
                                " min(e.key) AS at FROM temp.same x JOIN main."
                              : "(SELECT m.");
    if (!set) {
        ent_table_quote(expr, field->name);
        ent_buf_put_str(expr, " FROM temp.same x JOIN main.");
    }
    ent_table_quote(expr, kind->table);
    ent_buf_put_str(expr, " m ON m.space = x.space AND m.id = x.id");
    if (set) {
        ent_buf_put_str(expr, " JOIN json_each(m.");
        ent_table_quote(expr, field->name);
        ent_buf_put_str(expr, ") e");
    }
    ent_buf_printf(expr,
                   " WHERE x.kind = %u AND x.space = t.space AND x.lead = t.id",
                   kind->number);
    if (set) {
        ent_buf_put_str(expr, " GROUP BY e.value ORDER BY first, at)"
                              " HAVING count(*) > 0)");
        return;
    }
    ent_buf_put_str(expr, " AND m.");
    ent_table_quote(expr, field->name);
    ent_buf_put_str(expr, " IS NOT NULL ORDER BY x.id LIMIT 1)");
}

static void put_select(struct cover *cover, const struct ent_kind *kind,
                       bool united)
{
    struct ent_buf expr = {0};

    ent_buf_put_str(&cover->sql, "SELECT t.space, t.id, t.meta");
    for (size_t i = 0; i < kind->field_count; i++) {
        const char *text;

        ent_buf_reset(&expr);
        if (united)
            put_united(&expr, kind, &kind->fields[i]);
        else
            put_plain(&expr, &kind->fields[i]);
        text = ent_buf_cstr(&expr);
        if (text == NULL) {
            cover->sql.rc = ENT_ENOMEM;
            break;
        }
        ent_buf_put_str(&cover->sql, ", ");
        put_column(cover, &kind->fields[i], text);
    }
    ent_buf_put_str(&cover->sql, " FROM main.");
    ent_table_quote(&cover->sql, kind->table);
    ent_buf_put_str(&cover->sql, " t");
    ent_buf_fini(&expr);
}

/* Whether the query may mean a table: its name stands somewhere in it. Views
 * that are not needed are not made, for there are many tables. */
static bool is_named(const char *query, const char *table)
{
    const int len = (int)strlen(table);

    for (; *query != '\0'; query++)
        if (sqlite3_strnicmp(query, table, len) == 0)
            return true;
    return false;
}

/* That the row `t` may be passed on, and all that it is one with. */
static void put_limit(struct cover *cover, const struct ent_kind *kind,
                      bool united)
{
    const struct ent_same_limit *limit = cover->limit;
    struct ent_buf *sql = &cover->sql;

    if (limit->sharing == ENT_SHARING_PRIVATE)
        return;
    ent_buf_put_str(sql, " AND ");
    if (united) {
        ent_buf_put_str(sql, "NOT EXISTS(SELECT 1 FROM temp.same x JOIN main.");
        ent_table_quote(sql, kind->table);
        ent_buf_printf(sql,
                       " m ON m.space = x.space AND m.id = x.id"
                       " WHERE x.kind = %u AND x.space = t.space"
                       " AND x.lead = t.id AND NOT (",
                       kind->number);
    }
    ent_sharing_put(sql, kind, limit->own, limit->own_count, united ? "m" : "t",
                    limit->sharing);
    ent_buf_put_str(sql, united ? "))" : "");
}

static int count_left_out(struct ent_db *db, struct cover *cover,
                          const struct ent_kind *kind, struct ent_err *err)
{
    struct ent_same_limit *limit = cover->limit;
    int64_t count = 0;
    int rc;

    ent_buf_put_str(&cover->sql, "SELECT count(*) FROM main.");
    ent_table_quote(&cover->sql, kind->table);
    ent_buf_put_str(&cover->sql, " t WHERE NOT (");
    ent_sharing_put(&cover->sql, kind, limit->own, limit->own_count, "t",
                    limit->sharing);
    ent_buf_put_str(&cover->sql, ")");
    rc = ent_buf_cstr(&cover->sql) == NULL
             ? no_memory(err)
             : ent_db_int(db, ent_buf_cstr(&cover->sql), &count, err);
    ent_buf_reset(&cover->sql);
    limit->left_out += (size_t)count;
    return rc;
}

static int put_view(struct ent_db *db, struct cover *cover, size_t at,
                    struct ent_err *err)
{
    const struct ent_kind *kind = &cover->kinds->kinds[at];
    bool limited = cover->limit->sharing > ENT_SHARING_PRIVATE;
    bool concerned = cover->joined[at] || limited;
    int rc = 0;

    if (!is_named(cover->query, kind->table))
        return 0;
    if (limited)
        rc = count_left_out(db, cover, kind, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < kind->field_count; i++)
        concerned = concerned || may_lead(cover, &kind->fields[i]);
    if (!concerned)
        return 0;
    ent_buf_put_str(&cover->sql, "CREATE TEMP VIEW ");
    ent_table_quote(&cover->sql, kind->table);
    ent_buf_put_str(&cover->sql, " AS ");
    put_select(cover, kind, false);
    ent_buf_put_str(&cover->sql, " WHERE 1");
    put_limit(cover, kind, false);
    if (cover->joined[at]) {
        ent_buf_printf(&cover->sql,
                       " AND NOT EXISTS(SELECT 1 FROM temp.same s WHERE"
                       " s.kind = %u AND s.space = t.space AND s.id = t.id)"
                       " UNION ALL ",
                       kind->number);
        put_select(cover, kind, true);
        ent_buf_printf(&cover->sql,
                       " JOIN temp.same s ON s.kind = %u"
                       " AND s.space = t.space AND s.id = t.id"
                       " AND s.lead = t.id WHERE 1",
                       kind->number);
        put_limit(cover, kind, true);
    }
    return run(db, &cover->sql, err);
}

static int cover_tables(struct ent_db *db, const struct ent_kinds *kinds,
                        const char *query, const struct ent_same *list,
                        size_t count, struct ent_same_limit *limit,
                        struct ent_err *err)
{
    bool joined[ENT_KINDS_MAX] = {false};
    struct cover cover = {
        .kinds = kinds, .query = query, .joined = joined, .limit = limit};
    int rc = ent_db_exec(db, tables, err);

    if (rc == 0)
        rc = put_members(db, list, count, true, err);
    if (rc == 0)
        rc = put_members(db, list, count, false, err);
    for (size_t i = 0; i < count; i++) {
        const struct ent_kind *kind = ent_kind_find(kinds, list[i].ref.kind);

        if (kind != NULL)
            joined[kind - kinds->kinds] = true;
    }
    for (size_t i = 0; rc == 0 && i < kinds->count; i++)
        if (joined[i])
            rc = put_names(db, &kinds->kinds[i], &cover.sql, err);
    for (size_t i = 0; rc == 0 && i < kinds->count; i++)
        rc = put_view(db, &cover, i, err);
    ent_buf_fini(&cover.sql);
    return rc;
}

int ent_same_cover(struct ent_db *db, const struct ent_kinds *kinds,
                   const char *sql, struct ent_same_limit *limit,
                   struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_same *list;
    size_t count;
    int rc = ent_same_read(db, kinds, &arena, &list, &count, err);

    if (rc == 0 && (count > 0 || limit->sharing > ENT_SHARING_PRIVATE))
        rc = cover_tables(db, kinds, sql, list, count, limit, err);
    ent_arena_fini(&arena);
    return rc;
}
