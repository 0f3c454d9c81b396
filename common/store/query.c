/* query.c - see query.h. Each query has a connection of its own, opened for
 * reading, that cannot be talked into anything else: SQLite's authorizer is
 * asked about every table and column while a text is prepared. */
#include "store/query.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/value.h"
#include "store/archive.h"
#include "store/figure.h"
#include "store/meta.h"
#include "store/own.h"
#include "store/replica.h"
#include "store/same.h"
#include "text/parse.h"
#include "text/unicode.h"

#define QUERY_BYTES_MAX (16 << 20)    /* one value, and one row */
#define QUERY_SQL_BYTES_MAX (1 << 20) /* the text of a query */
#define STEPS_AT_ONCE 1000000         /* between two looks at the count */

struct ent_query {
    struct ent_db db;
    struct ent_stmt stmt;
    struct ent_figures figures;
    struct ent_archive archive;
    uint64_t steps;
    struct ent_buf hex;
};

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ------------------------------------------------------------- what may be */

/* Secrets of invitations, a key that a backup brought, and the pages of the
 * file that hold them. */
static bool is_closed(const char *table, const char *column)
{
    return sqlite3_stricmp(table, "local_invite") == 0 ||
           sqlite3_stricmp(table, "local_backup") == 0 ||
           sqlite3_stricmp(table, "sqlite_dbpage") == 0 ||
           (column != NULL && sqlite3_stricmp(column, "secret") == 0);
}

static int authorize(void *ctx, int action, const char *first,
                     const char *second, const char *base, const char *inside)
{
    (void)ctx;
    (void)base;
    (void)inside;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_READ:
        return is_closed(first, second) ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_FUNCTION:
        return sqlite3_stricmp(second, "load_extension") == 0 ? SQLITE_DENY
                                                              : SQLITE_OK;
    case SQLITE_PRAGMA: /* the word index asks for this one itself */
        return sqlite3_stricmp(first, "data_version") == 0 && second == NULL
                   ? SQLITE_OK
                   : SQLITE_DENY;
    case SQLITE_UPDATE: /* how json_each and the word index declare columns */
        return sqlite3_stricmp(first, "sqlite_master") == 0 ? SQLITE_OK
                                                            : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

static int count_steps(void *ctx)
{
    struct ent_query *query = ctx;

    query->steps += STEPS_AT_ONCE;
    return query->steps > ENT_QUERY_STEPS_MAX;
}

/* --------------------------------------------------------------- functions */

static void give_text(sqlite3_context *call, struct ent_buf *text)
{
    if (text->rc < 0)
        sqlite3_result_error_nomem(call);
    else
        sqlite3_result_text64(call, text->len > 0 ? (const char *)text->at : "",
                              text->len, SQLITE_TRANSIENT, SQLITE_UTF8);
    ent_buf_fini(text);
}

/* ent_fold(text): without differences of case and accent. */
static void fold(sqlite3_context *call, int argc, sqlite3_value **argv)
{
    const unsigned char *text = sqlite3_value_text(argv[0]);
    struct ent_buf bare = {0};

    (void)argc;
    if (text == NULL)
        return;
    ent_text_put_bare(&bare,
                      ent_slice(text, (size_t)sqlite3_value_bytes(argv[0])));
    give_text(call, &bare);
}

/* ent_value(packed): a value of table `cell` as a column shows it: text, or a
 * whole number. */
static void value(sqlite3_context *call, int argc, sqlite3_value **argv)
{
    const void *bytes = sqlite3_value_blob(argv[0]);
    size_t len = (size_t)sqlite3_value_bytes(argv[0]);
    struct ent_arena arena = {0};
    struct ent_buf text = {0};
    struct ent_value value;

    (void)argc;
    if (bytes == NULL ||
        ent_value_get(ent_slice(bytes, len), &arena, &value, NULL) < 0 ||
        value.type == ENT_VALUE_NIL) {
        sqlite3_result_null(call);
    } else if (value.type == ENT_VALUE_INT) {
        sqlite3_result_int64(call, value.integer);
    } else {
        ent_value_print(&value, &text);
        give_text(call, &text);
    }
    ent_arena_fini(&arena);
}

/* ent_uuid(id): the usual text of a record's id. */
static void uuid(sqlite3_context *call, int argc, sqlite3_value **argv)
{
    const void *bytes = sqlite3_value_blob(argv[0]);
    struct ent_id id;
    char text[ENT_ID_TEXT];

    (void)argc;
    if (bytes == NULL || sqlite3_value_bytes(argv[0]) != ENT_ID_BYTES)
        return;
    memcpy(id.b, bytes, ENT_ID_BYTES);
    ent_id_text(&id, text);
    sqlite3_result_text(call, text, -1, SQLITE_TRANSIENT);
}

/* ent_writes(kind, meta): the entries a row's values come from, as a JSON array
 * of their places in `log`. */
static void writes(sqlite3_context *call, int argc, sqlite3_value **argv)
{
    const struct ent_kinds *kinds = sqlite3_user_data(call);
    const char *name = (const char *)sqlite3_value_text(argv[0]);
    const void *meta = sqlite3_value_blob(argv[1]);
    size_t len = (size_t)sqlite3_value_bytes(argv[1]);
    const struct ent_kind *kind =
        kinds == NULL || name == NULL ? NULL : ent_kind_named(kinds, name);
    struct ent_buf text = {0};

    (void)argc;
    if (kind == NULL || meta == NULL ||
        !ent_meta_put_writes(kind, ent_slice(meta, len), &text)) {
        sqlite3_result_null(call);
        ent_buf_fini(&text);
        return;
    }
    give_text(call, &text);
}

/* ----------------------------------------------------------------- opening */

/* `kinds` NULL: there is no replica. */
static int confine(struct ent_query *query, const struct ent_kinds *kinds,
                   struct ent_err *err)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    sqlite3 *raw = query->db.raw;
    int rc;

    sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, QUERY_BYTES_MAX);
    sqlite3_limit(raw, SQLITE_LIMIT_SQL_LENGTH, QUERY_SQL_BYTES_MAX);
    sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_progress_handler(raw, STEPS_AT_ONCE, count_steps, query);
    rc = sqlite3_create_function(raw, "ent_fold", 1, flags, NULL, fold, NULL,
                                 NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function(raw, "ent_uuid", 1, flags, NULL, uuid,
                                     NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function(raw, "ent_value", 1, flags, NULL, value,
                                     NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function(raw, "ent_writes", 2, flags,
                                     (void *)(uintptr_t)kinds, writes, NULL,
                                     NULL);
    if (rc != SQLITE_OK)
        return ent_db_fail(&query->db, rc, err);
    return kinds == NULL
               ? 0
               : ent_figures_define(&query->figures, &query->db, kinds, err);
}

/* From here on nothing but a query's text is run. */
static int lock(struct ent_query *query, struct ent_err *err)
{
    int rc = ent_db_exec(&query->db, "PRAGMA query_only = ON", err);

    if (rc < 0)
        return rc;
    rc = sqlite3_set_authorizer(query->db.raw, authorize, NULL);
    return rc == SQLITE_OK ? 0 : ent_db_fail(&query->db, rc, err);
}

/* A connection that can only read; `path` NULL: to nothing, for ent_query_json;
 * `still`: nobody writes the file. */
static int connect(const char *path, bool still, const struct ent_kinds *kinds,
                   struct ent_query **query, struct ent_err *err)
{
    struct ent_query *made = calloc(1, sizeof(*made));
    int rc;

    if (made == NULL)
        return no_memory(err);
    if (path == NULL)
        rc = ent_db_open(&made->db,
                         ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                         err);
    else if (still)
        rc = ent_db_open_still(&made->db, path, err);
    else
        rc = ent_db_open(&made->db, path, SQLITE_OPEN_READONLY, err);
    if (rc == 0)
        rc = confine(made, kinds, err);
    if (rc < 0) {
        ent_query_close(made);
        return rc;
    }
    *query = made;
    return 0;
}

static int connect_store(struct ent_store *store, struct ent_query **query,
                         struct ent_err *err)
{
    struct ent_buf path = {0};
    const char *text;
    int rc;

    ent_buf_printf(&path, "%s/replica.db", store->home);
    text = ent_buf_cstr(&path);
    rc = text == NULL ? no_memory(err)
                      : connect(text, store->full, store->kinds, query, err);
    ent_buf_fini(&path);
    return rc;
}

/* What went wrong with a text that is not ours, or with its data. */
static int fail(struct ent_query *query, int sqlite_rc, struct ent_err *err)
{
    switch (sqlite_rc & 0xff) {
    case SQLITE_INTERRUPT:
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("the query takes too long"));
    case SQLITE_NOMEM:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_FULL:
        return ent_db_fail(&query->db, sqlite_rc, err);
    default:
        return ent_err_set(err, ENT_EUSAGE, ENT_N_("SQLite says: %s"),
                           sqlite3_errmsg(query->db.raw));
    }
}

/* Whether another statement follows; blanks and comments are none. */
static int check_tail(struct ent_query *query, const char *tail,
                      struct ent_err *err)
{
    while (*tail != '\0') {
        sqlite3_stmt *more = NULL;
        int rc = sqlite3_prepare_v2(query->db.raw, tail, -1, &more, &tail);
        bool second = more != NULL || rc != SQLITE_OK;

        sqlite3_finalize(more);
        if (second)
            return ent_err_set(err, ENT_EUSAGE,
                               ENT_N_("one statement at a time"));
    }
    return 0;
}

static int prepare(struct ent_query *query, const char *sql,
                   struct ent_err *err)
{
    const char *tail = NULL;
    int rc;

    query->stmt.db = &query->db;
    rc = sqlite3_prepare_v3(query->db.raw, sql, -1, 0, &query->stmt.raw, &tail);
    if (rc != SQLITE_OK)
        return fail(query, rc, err);
    if (query->stmt.raw == NULL)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("there is no statement in it"));
    if (sqlite3_stmt_readonly(query->stmt.raw) == 0)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("a query cannot change anything"));
    return check_tail(query, tail, err);
}

/* What is shown as one record, and only what may be passed on. */
static int cover(struct ent_store *store, struct ent_db *db, const char *sql,
                 enum ent_sharing sharing, size_t *left_out,
                 struct ent_err *err)
{
    struct ent_same_limit limit = {.sharing = sharing};
    struct ent_arena arena = {0};
    int rc = 0;

    if (sharing > ENT_SHARING_PRIVATE)
        rc = ent_own_fields(store, &arena, &limit.own, &limit.own_count, err);
    if (rc == 0)
        rc = ent_same_cover(db, store->kinds, sql, &limit, err);
    ent_arena_fini(&arena);
    *left_out = limit.left_out;
    return rc;
}

int ent_query_open(struct ent_store *store, const char *sql,
                   struct ent_query **query, struct ent_err *err)
{
    size_t none;

    return ent_query_open_shared(store, sql, ENT_SHARING_PRIVATE, query, &none,
                                 err);
}

int ent_query_open_shared(struct ent_store *store, const char *sql,
                          enum ent_sharing sharing, struct ent_query **query,
                          size_t *left_out, struct ent_err *err)
{
    struct ent_query *made = NULL;
    int rc = connect_store(store, &made, err);

    if (rc < 0)
        return rc;
    rc = cover(store, &made->db, sql, sharing, left_out, err);
    if (rc == 0)
        rc = ent_archive_define(&made->archive, &made->db, err);
    if (rc == 0 && strstr(sql, "ent_archived") != NULL)
        rc = ent_archive_read(store, &made->archive, err);
    if (rc == 0)
        rc = lock(made, err);
    if (rc == 0)
        rc = prepare(made, sql, err);
    if (rc < 0) {
        ent_query_close(made);
        return rc;
    }
    *query = made;
    return 0;
}

int ent_query_again(struct ent_query *query, const char *sql,
                    struct ent_err *err)
{
    ent_stmt_fini(&query->stmt);
    query->stmt = (struct ent_stmt){0};
    query->steps = 0;
    return prepare(query, sql, err);
}

int ent_query_json(const char *json, const char *sql, struct ent_query **query,
                   struct ent_err *err)
{
    struct ent_query *made = NULL;
    int rc = connect(NULL, false, NULL, &made, err);

    if (rc < 0)
        return rc;
    rc = lock(made, err);
    if (rc == 0)
        rc = prepare(made, sql, err);
    if (rc < 0) {
        ent_query_close(made);
        return rc;
    }
    ent_query_bind(made, ":json", json);
    *query = made;
    return 0;
}

void ent_query_close(struct ent_query *query)
{
    if (query == NULL)
        return;
    ent_stmt_fini(&query->stmt);
    ent_figures_fini(&query->figures);
    ent_archive_fini(&query->archive);
    ent_db_close(&query->db);
    ent_buf_fini(&query->hex);
    free(query);
}

/* -------------------------------------------------------------------- rows */

/* The text may be gone before the query is stepped, so SQLite copies it. */
static void bind_text(struct ent_query *query, int at, const char *text)
{
    struct ent_stmt *stmt = &query->stmt;

    if (stmt->rc == SQLITE_OK)
        stmt->rc = text == NULL
                       ? sqlite3_bind_null(stmt->raw, at)
                       : sqlite3_bind_text64(stmt->raw, at, text, strlen(text),
                                             SQLITE_TRANSIENT, SQLITE_UTF8);
}

void ent_query_bind(struct ent_query *query, const char *name, const char *text)
{
    int at = sqlite3_bind_parameter_index(query->stmt.raw, name);

    if (at > 0)
        bind_text(query, at, text);
}

void ent_query_bind_int(struct ent_query *query, const char *name,
                        int64_t value)
{
    int at = sqlite3_bind_parameter_index(query->stmt.raw, name);

    if (at > 0 && query->stmt.rc == SQLITE_OK)
        query->stmt.rc = sqlite3_bind_int64(query->stmt.raw, at, value);
}

bool ent_query_takes(const struct ent_query *query, const char *name)
{
    return sqlite3_bind_parameter_index(query->stmt.raw, name) > 0;
}

size_t ent_query_columns(const struct ent_query *query)
{
    return (size_t)sqlite3_column_count(query->stmt.raw);
}

const char *ent_query_name(const struct ent_query *query, size_t column)
{
    const char *name = sqlite3_column_name(query->stmt.raw, (int)column);

    return name != NULL ? name : "";
}

int ent_query_next(struct ent_query *query, struct ent_err *err)
{
    struct ent_stmt *stmt = &query->stmt;

    if (stmt->rc == SQLITE_OK)
        stmt->rc = sqlite3_step(stmt->raw);
    if (stmt->rc == SQLITE_ROW) {
        stmt->rc = SQLITE_OK;
        return 1;
    }
    return stmt->rc == SQLITE_DONE ? 0 : fail(query, stmt->rc, err);
}

enum ent_column_type ent_query_type(struct ent_query *query, size_t column)
{
    switch (sqlite3_column_type(query->stmt.raw, (int)column)) {
    case SQLITE_INTEGER:
        return ENT_COLUMN_INTEGER;
    case SQLITE_FLOAT:
        return ENT_COLUMN_REAL;
    case SQLITE_TEXT:
        return ENT_COLUMN_TEXT;
    case SQLITE_BLOB:
        return ENT_COLUMN_BLOB;
    default:
        return ENT_COLUMN_NULL;
    }
}

static const char *blob_text(struct ent_query *query, size_t column)
{
    struct ent_slice blob = ent_stmt_bytes(&query->stmt, (int)column);
    uint8_t *hex;

    ent_buf_reset(&query->hex);
    hex = ent_buf_grow(&query->hex, 2 * blob.len + 1);
    if (hex == NULL)
        return "";
    ent_hex_put((char *)hex, blob.at, blob.len);
    return (const char *)hex;
}

const char *ent_query_cell(struct ent_query *query, size_t column)
{
    int type = sqlite3_column_type(query->stmt.raw, (int)column);
    const char *text;

    if (type == SQLITE_NULL)
        return NULL;
    if (type == SQLITE_BLOB)
        return blob_text(query, column);
    text = (const char *)sqlite3_column_text(query->stmt.raw, (int)column);
    return text != NULL ? text : "";
}

const char *ent_query_text(struct ent_query *query, size_t column)
{
    const char *text = ent_query_cell(query, column);

    return text != NULL ? text : "";
}

int64_t ent_query_int(struct ent_query *query, size_t column)
{
    return ent_stmt_int(&query->stmt, (int)column);
}

/* ---------------------------------------------------------------- listings */

/* An SQL text that grows, and the texts to bind to its parameters in order. */
struct listing_text {
    struct ent_buf sql;
    struct ent_arena arena;
    const char **values;
    size_t count;
    const struct ent_kind *kind;
    struct ent_own *own; /* own fields of all spaces */
    size_t own_count;
};

static void put_value(struct listing_text *text, const char *value)
{
    ent_buf_put_str(&text->sql, "?");
    text->values[text->count++] = value;
}

/* Figures are compared as figures, all else as text. */
static bool is_figure(const struct ent_field *field)
{
    return field->rule == ENT_RULE_REGISTER &&
           (field->type == ENT_TYPE_INTEGER || field->type == ENT_TYPE_DECIMAL);
}

/* The writes of an own field in table `cell`, of the row's space: another space
 * may have one of that name under another number. */
static void put_own_cells(const struct listing_text *text,
                          const struct ent_field *field, struct ent_buf *sql)
{
    ent_buf_printf(sql,
                   " FROM cell c WHERE c.space = t.space AND c.kind = %u"
                   " AND c.id = t.id AND c.field IN (%u",
                   text->kind->number, field->number);
    for (size_t i = 0; i < text->own_count; i++)
        if (text->own[i].kind == text->kind->number &&
            text->own[i].field.number != field->number &&
            strcmp(text->own[i].field.name, field->name) == 0)
            ent_buf_printf(sql, ", %u", text->own[i].field.number);
    ent_buf_put_str(sql, ")");
}

/* What stands in a field of the row: its column, or for an own field what the
 * column would show. */
static void put_expr(const struct listing_text *text,
                     const struct ent_field *field, struct ent_buf *sql)
{
    if (field->number <= ENT_NUMBER_SHIPPED_MAX) {
        ent_buf_put_str(sql, "t.");
        ent_table_quote(sql, field->name);
    } else if (field->rule == ENT_RULE_SET) {
        ent_buf_put_str(sql, "(SELECT json_group_array(v) FROM (SELECT DISTINCT"
                             " ent_value(c.value) AS v");
        put_own_cells(text, field, sql);
        ent_buf_put_str(sql, " AND c.value IS NOT NULL"
                             " ORDER BY c.ordinal, v) HAVING count(*) > 0)");
    } else {
        ent_buf_put_str(sql, is_figure(field)
                                 ? "(SELECT CAST(ent_value(c.value) AS NUMERIC)"
                                 : "(SELECT ent_value(c.value)");
        put_own_cells(text, field, sql);
        ent_buf_put_str(sql,
                        " ORDER BY (SELECT l.at FROM log l WHERE l.n = c.n)"
                        " DESC, (SELECT l.hash FROM log l WHERE l.n = c.n)"
                        " DESC, c.ordinal DESC LIMIT 1)");
    }
}

static void put_field(struct listing_text *text, const struct ent_field *field)
{
    put_expr(text, field, &text->sql);
}

/* Fields that ask and have different values; an edit beside a deletion. The
 * sides of a conflict stand in table `cell`, one row each. Most records have
 * none there, and to look is cheaper than to group nothing. */
static void put_contested(struct listing_text *text,
                          const struct ent_kind *kind)
{
    ent_buf_printf(&text->sql,
                   "CASE WHEN EXISTS(SELECT 1 FROM cell c WHERE c.space ="
                   " t.space AND c.kind = %u AND c.id = t.id) THEN ",
                   kind->number);
    ent_buf_printf(
        &text->sql,
        "(SELECT group_concat(field) FROM (SELECT c.field FROM"
        " cell c WHERE c.space = t.space AND c.kind = %u AND c.id = t.id"
        " AND c.field IN (%d",
        kind->number, ENT_FIELD_LIFE);
    for (size_t i = 0; i < kind->field_count; i++)
        if (kind->fields[i].loud == ENT_LOUD_ASK &&
            kind->fields[i].rule == ENT_RULE_REGISTER)
            ent_buf_printf(&text->sql, ", %u", kind->fields[i].number);
    for (size_t i = 0; i < text->own_count; i++)
        if (text->own[i].kind == kind->number &&
            text->own[i].field.loud == ENT_LOUD_ASK &&
            text->own[i].field.rule == ENT_RULE_REGISTER)
            ent_buf_printf(&text->sql, ", %u", text->own[i].field.number);
    ent_buf_printf(&text->sql,
                   ") GROUP BY c.field HAVING count(DISTINCT CASE c.field"
                   " WHEN %d THEN c.code"
                   " ELSE coalesce(c.value, x'') END) > 1)) END",
                   ENT_FIELD_LIFE);
}

static const char *operator_of(enum ent_compare compare)
{
    switch (compare) {
    case ENT_COMPARE_LT:
        return "<";
    case ENT_COMPARE_LE:
        return "<=";
    case ENT_COMPARE_GT:
        return ">";
    case ENT_COMPARE_GE:
        return ">=";
    case ENT_COMPARE_NE:
        return "IS NOT";
    case ENT_COMPARE_EQ:
    case ENT_COMPARE_CONTAINS:
        break;
    }
    return "IS";
}

/* The value of one row or element against the filter's. */
static void put_comparison(struct listing_text *text,
                           const struct ent_filter *filter,
                           enum ent_compare compare, const char *value)
{
    if (compare == ENT_COMPARE_CONTAINS) {
        struct ent_buf bare = {0};
        struct ent_slice kept;

        ent_text_put_bare(&bare, ent_slice_str(filter->text));
        kept = ent_arena_copy(&text->arena, ent_buf_slice(&bare));
        if (bare.rc < 0)
            text->sql.rc = bare.rc;
        ent_buf_fini(&bare);
        ent_buf_printf(&text->sql, "instr(ent_fold(%s), ", value);
        put_value(text, (const char *)kept.at);
        ent_buf_put_str(&text->sql, ") > 0");
        return;
    }
    ent_buf_printf(&text->sql, "%s %s ", value, operator_of(compare));
    if (is_figure(filter->field))
        ent_buf_put_str(&text->sql, "CAST(");
    put_value(text, filter->text);
    if (is_figure(filter->field))
        ent_buf_put_str(&text->sql, " AS NUMERIC)");
}

static void put_filter(struct listing_text *text,
                       const struct ent_filter *filter)
{
    enum ent_compare compare = filter->compare;
    bool no = compare == ENT_COMPARE_NE;
    struct ent_buf column = {0};
    const char *name;

    put_expr(text, filter->field, &column);
    name = ent_buf_cstr(&column);
    if (name == NULL) {
        text->sql.rc = column.rc;
    } else if (filter->text[0] == '\0' && (no || compare == ENT_COMPARE_EQ)) {
        ent_buf_printf(&text->sql, "coalesce(%s, '') IN ('', '[]') IS %s", name,
                       no ? "FALSE" : "TRUE");
    } else if (filter->field->rule == ENT_RULE_SET) {
        ent_buf_printf(&text->sql,
                       "%sEXISTS(SELECT 1 FROM json_each(%s) e WHERE ",
                       no ? "NOT " : "", name);
        put_comparison(text, filter, no ? ENT_COMPARE_EQ : compare, "e.value");
        ent_buf_put_str(&text->sql, ")");
    } else {
        put_comparison(text, filter, compare, name);
    }
    ent_buf_fini(&column);
}

static void put_order(struct listing_text *text,
                      const struct ent_listing *listing)
{
    const struct ent_field *code =
        ent_field_find(listing->kind, ENT_FIELD_CODE);
    const struct ent_field *sort = listing->sort != NULL ? listing->sort : code;

    ent_buf_put_str(&text->sql, " ORDER BY ");
    if (sort != NULL) {
        put_field(text, sort);
        ent_buf_put_str(&text->sql, listing->descending ? " DESC, " : ", ");
    }
    if (code != NULL && code != sort) {
        put_field(text, code);
        ent_buf_put_str(&text->sql, ", ");
    }
    ent_buf_put_str(&text->sql, "t.id, t.space");
    if (listing->limit > 0)
        ent_buf_printf(&text->sql, " LIMIT %lld", (long long)listing->limit);
}

static int make_listing(struct ent_store *store, struct listing_text *text,
                        const struct ent_listing *listing, struct ent_err *err)
{
    int rc =
        ent_own_fields(store, &text->arena, &text->own, &text->own_count, err);

    if (rc < 0)
        return rc;
    text->kind = listing->kind;
    text->values =
        ENT_ARENA_NEW(&text->arena, const char *, listing->filter_count + 1);
    if (text->values == NULL)
        return no_memory(err);
    ent_buf_put_str(&text->sql, "SELECT coalesce((SELECT s.name FROM"
                                " local_space s WHERE s.space = t.space), '')"
                                " AS space, ent_uuid(t.id) AS id, ");
    put_contested(text, listing->kind);
    ent_buf_put_str(&text->sql, " AS contested");
    for (size_t i = 0; i < listing->column_count; i++) {
        ent_buf_put_str(&text->sql, ", ");
        put_field(text, listing->columns[i]);
        ent_buf_put_str(&text->sql, " AS ");
        ent_table_quote(&text->sql, listing->columns[i]->name);
    }
    ent_buf_put_str(&text->sql, listing->apart ? " FROM main." : " FROM ");
    ent_table_quote(&text->sql, listing->kind->table);
    ent_buf_put_str(&text->sql, " t WHERE 1");
    if (listing->space != 0)
        ent_buf_printf(&text->sql, " AND t.space = %lld",
                       (long long)listing->space);
    if (listing->sharing > ENT_SHARING_PRIVATE) {
        ent_buf_put_str(&text->sql, listing->narrower ? " AND NOT " : " AND ");
        ent_buf_put_str(&text->sql, "(");
        ent_sharing_put(&text->sql, listing->kind, text->own, text->own_count,
                        "t", listing->sharing);
        ent_buf_put_str(&text->sql, ")");
    }
    if (listing->archived != ENT_ARCHIVED_TOO)
        ent_buf_printf(&text->sql, " AND %sent_archived('%s', t.space, t.id)",
                       listing->archived == ENT_ARCHIVED_NOT ? "NOT " : "",
                       listing->kind->name);
    for (size_t i = 0; i < listing->filter_count; i++) {
        ent_buf_put_str(&text->sql, " AND ");
        put_filter(text, &listing->filters[i]);
    }
    put_order(text, listing);
    return text->sql.rc < 0 || text->arena.rc < 0 ? no_memory(err) : 0;
}

/* Whether some record of the kind was ever archived: else nobody looks. */
static int has_archived(struct ent_store *store, const struct ent_kind *kind,
                        bool *any, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_CELL_HAS_FIELD);
    int rc;

    ent_stmt_bind_int(stmt, 1, kind->number);
    ent_stmt_bind_int(stmt, 2, ENT_FIELD_ARCHIVED);
    rc = ent_stmt_step(stmt, err);
    *any = rc > 0;
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

int ent_query_list(struct ent_store *store, const struct ent_listing *listing,
                   struct ent_query **query, struct ent_err *err)
{
    struct ent_listing asked = *listing;
    struct listing_text text = {0};
    struct ent_query *made = NULL;
    const char *sql = NULL;
    bool any = true;
    int rc = 0;

    if (asked.archived == ENT_ARCHIVED_NOT)
        rc = has_archived(store, asked.kind, &any, err);
    if (!any)
        asked.archived = ENT_ARCHIVED_TOO;
    if (rc == 0)
        rc = make_listing(store, &text, &asked, err);

    if (rc == 0) {
        sql = ent_buf_cstr(&text.sql);
        rc = sql == NULL ? no_memory(err) : 0;
    }
    if (rc == 0)
        rc = ent_query_open(store, sql, &made, err);
    if (rc == 0) {
        for (size_t i = 0; i < text.count; i++)
            bind_text(made, (int)i + 1, text.values[i]);
        *query = made;
    }
    ent_buf_fini(&text.sql);
    ent_arena_fini(&text.arena);
    return rc;
}

#define CONTESTED 2 /* the column */

size_t ent_query_contested(struct ent_query *query)
{
    const char *at = ent_query_text(query, CONTESTED);
    size_t count = *at != '\0';

    for (; *at != '\0'; at++)
        count += *at == ',';
    return count;
}

bool ent_query_contests(struct ent_query *query, uint32_t field)
{
    const char *at = ent_query_text(query, CONTESTED);

    while (*at != '\0') {
        char *end;

        if (strtoul(at, &end, 10) == field)
            return true;
        at = *end == ',' ? end + 1 : "";
    }
    return false;
}

int ent_query_count(struct ent_store *store, const struct ent_listing *listing,
                    size_t *count, struct ent_err *err)
{
    struct ent_listing plain = *listing;
    struct ent_query *query;
    bool any = true;
    int rc = 0;

    plain.column_count = 0;
    plain.limit = 0;
    *count = 0;
    if (plain.archived == ENT_ARCHIVED_ONLY)
        rc = has_archived(store, plain.kind, &any, err);
    if (rc == 0 && any)
        rc = ent_query_list(store, &plain, &query, err);
    if (rc < 0 || !any)
        return rc;
    while ((rc = ent_query_next(query, err)) > 0)
        (*count)++;
    ent_query_close(query);
    return rc;
}
