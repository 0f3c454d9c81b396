/* query.h - rows out of the replica: listings, reports and a person's SQL.
 * Read-only and defensive: one statement, no write, no attach, no pragma that
 * changes anything, bounded in steps; values are bound, never pasted. */
#ifndef ENT_STORE_QUERY_H
#define ENT_STORE_QUERY_H

#include "store/sharing.h"
#include "store/store.h"

#define ENT_QUERY_STEPS_MAX 2000000000ull /* SQLite virtual machine steps */

struct ent_query;

enum ent_column_type {
    ENT_COLUMN_NULL,
    ENT_COLUMN_INTEGER,
    ENT_COLUMN_REAL,
    ENT_COLUMN_TEXT,
    ENT_COLUMN_BLOB,
};

/* ENT_EUSAGE: what SQLite says of the text. */
ENT_NODISCARD int ent_query_open(struct ent_store *store, const char *sql,
                                 struct ent_query **query, struct ent_err *err);
/* The same over the records that may be passed on at least so widely; how many
 * of the kinds that the text names are left out. */
ENT_NODISCARD int ent_query_open_shared(struct ent_store *store,
                                        const char *sql,
                                        enum ent_sharing sharing,
                                        struct ent_query **query,
                                        size_t *left_out, struct ent_err *err);
/* Another text in place of the first, whose rows are gone: to open costs half
 * a millisecond, as every connection reads the schema. The query stays open
 * when this fails. */
ENT_NODISCARD int ent_query_again(struct ent_query *query, const char *sql,
                                  struct ent_err *err);
void ent_query_close(struct ent_query *query);

/* Bind a named parameter (":on"); NULL text binds NULL. A name the text does
 * not have is ignored. */
void ent_query_bind(struct ent_query *query, const char *name,
                    const char *text);

/* A whole number, for a parameter that is compared with numbers. */
void ent_query_bind_int(struct ent_query *query, const char *name,
                        int64_t value);
/* Whether the text has that parameter. */
bool ent_query_takes(const struct ent_query *query, const char *name);

size_t ent_query_columns(const struct ent_query *query);
const char *ent_query_name(const struct ent_query *query, size_t column);

/* The next row: 1, or 0 at the end. */
ENT_NODISCARD int ent_query_next(struct ent_query *query, struct ent_err *err);
enum ent_column_type ent_query_type(struct ent_query *query, size_t column);
/* The value as text (blobs in hex), "" for NULL; until the next call. */
const char *ent_query_text(struct ent_query *query, size_t column);
/* The same, but NULL for NULL. */
const char *ent_query_cell(struct ent_query *query, size_t column);
int64_t ent_query_int(struct ent_query *query, size_t column);

enum ent_compare {
    ENT_COMPARE_EQ,
    ENT_COMPARE_NE,
    ENT_COMPARE_LT,
    ENT_COMPARE_LE,
    ENT_COMPARE_GT,
    ENT_COMPARE_GE,
    ENT_COMPARE_CONTAINS, /* accents and case folded; % and _ are literal */
};

struct ent_filter {
    const struct ent_field *field;
    enum ent_compare compare;
    const char *text; /* "" with EQ or NE: empty */
};

/* What becomes of archived records (archive.h). */
enum ent_archived {
    ENT_ARCHIVED_TOO,
    ENT_ARCHIVED_NOT,
    ENT_ARCHIVED_ONLY,
};

struct ent_listing {
    const struct ent_kind *kind;
    int64_t space; /* 0: all */
    const struct ent_filter *filters;
    size_t filter_count;
    const struct ent_field *const *columns; /* after space, id, contested */
    size_t column_count;
    const struct ent_field *sort; /* NULL: by code, then id */
    bool descending;
    int64_t limit; /* 0: none */
    bool apart;    /* each record by itself, also those shown as one (M11) */
    enum ent_archived archived;
    enum ent_sharing sharing; /* those that go so far, */
    bool narrower;            /* or those that do not */
};

/* Rows of one kind. Columns: the space's handle, the id as UUID text, the
 * numbers of contested fields that ask with "," between, then `columns` in
 * order. On a set EQ means "has the element". */
ENT_NODISCARD int ent_query_list(struct ent_store *store,
                                 const struct ent_listing *listing,
                                 struct ent_query **query, struct ent_err *err);

/* Of a row of a listing: how many fields are contested, and whether one is. */
size_t ent_query_contested(struct ent_query *query);
bool ent_query_contests(struct ent_query *query, uint32_t field);

/* How many rows that has. */
ENT_NODISCARD int ent_query_count(struct ent_store *store,
                                  const struct ent_listing *listing,
                                  size_t *count, struct ent_err *err);

/* Values out of JSON text (a datapackage.json) with SQLite's JSON functions:
 * `sql` reads the text as :json. Needs no replica. */
ENT_NODISCARD int ent_query_json(const char *json, const char *sql,
                                 struct ent_query **query, struct ent_err *err);

#endif
