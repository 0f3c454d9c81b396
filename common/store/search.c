/* search.c - the word index: follows behind the commits, read by ent_search.
 * A record that changed gets a new document; what the index still holds of the
 * old one leads nowhere, because its row of search_doc is gone. When most of
 * the index leads nowhere it is made anew. */
#include <stdlib.h>
#include <string.h>

#include "codec/value.h"
#include "store/json.h"
#include "store/own.h"
#include "store/records.h"
#include "store/replica.h"

#define RECORDS_MAX 2000    /* indexed in one transaction */
#define ENTRIES_MAX 2000    /* read in one transaction */
#define WORDS_MAX 64        /* asked for at once */
#define DEAD_FREE 1000      /* documents that may lead nowhere in any index */
#define DEAD_CHECK_SHIFT 10 /* documents made between two looks, as a shift */

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ---------------------------------------------------------------- indexing */

struct indexing {
    struct ent_store *store;
    struct ent_arena arena; /* of one entry or one row */
    struct ent_buf words;   /* of one record */
    struct ent_record_ref *refs;
    size_t count;
    int64_t doc; /* the newest */
};

static void indexing_fini(struct indexing *indexing)
{
    ent_arena_fini(&indexing->arena);
    ent_buf_fini(&indexing->words);
    free(indexing->refs);
}

/* Figures, dates and yes or no are no words. */
static bool has_words(const struct ent_field *field)
{
    switch (field->type) {
    case ENT_TYPE_TEXT:
    case ENT_TYPE_CODE:
    case ENT_TYPE_ENUM:
    case ENT_TYPE_REF:
        return true;
    case ENT_TYPE_DATE:
    case ENT_TYPE_DATETIME:
    case ENT_TYPE_INTEGER:
    case ENT_TYPE_DECIMAL:
    case ENT_TYPE_YESNO:
        break;
    }
    return false;
}

static void put_word(struct indexing *indexing, struct ent_slice text)
{
    ent_buf_put_slice(&indexing->words, text);
    ent_buf_put_u8(&indexing->words, '\n');
}

/* The words of one column; a reference by id has none. */
static void put_column(struct indexing *indexing, const struct ent_field *field,
                       struct ent_stmt *row, int column)
{
    struct ent_value value;
    struct ent_slice *texts;
    size_t count;

    if (!has_words(field) || ent_stmt_is_null(row, column))
        return;
    if (field->rule == ENT_RULE_SET) {
        if (!ent_json_get_texts(ent_stmt_bytes(row, column), &indexing->arena,
                                &texts, &count))
            return;
        for (size_t i = 0; i < count; i++)
            put_word(indexing, texts[i]);
        return;
    }
    value =
        ent_table_value(ent_stmt_column(row, column), field, &indexing->arena);
    if (value.type == ENT_VALUE_TEXT)
        put_word(indexing, value.bytes);
}

/* The words of the space's own fields, which have no column. */
static int put_own(struct indexing *indexing, const struct ent_kind *kind,
                   const struct ent_record_ref *ref, struct ent_err *err)
{
    struct ent_store *store = indexing->store;
    struct ent_stmt *stmt;
    int rc;

    if (store->cells_empty)
        return 0;
    stmt = ent_db_stmt(&store->db, ENT_SQL_CELL_OF_RECORD);
    ent_stmt_bind_int(stmt, 1, ref->space);
    ent_stmt_bind_int(stmt, 2, ref->kind);
    ent_stmt_bind_blob(stmt, 3, ref->id.b, ENT_ID_BYTES);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        uint32_t number = (uint32_t)ent_stmt_int(stmt, 0);
        const struct ent_field *field =
            number <= ENT_NUMBER_SHIPPED_MAX
                ? NULL
                : ent_space_field(store, ref->space, kind, number);
        struct ent_value value;

        if (field == NULL || !has_words(field) || ent_stmt_is_null(stmt, 4))
            continue;
        if (ent_value_get(ent_stmt_bytes(stmt, 4), &indexing->arena, &value,
                          NULL) == 0 &&
            value.type == ENT_VALUE_TEXT)
            put_word(indexing, value.bytes);
    }
    ent_stmt_reset(stmt);
    return rc;
}

/* Give a record a document with the words gathered. */
static int add_doc(struct indexing *indexing, const struct ent_record_ref *ref,
                   struct ent_err *err)
{
    struct ent_db *db = &indexing->store->db;
    struct ent_stmt *stmt = ent_db_stmt(db, ENT_SQL_SEARCH_DOC_NEW);
    int rc;

    if (indexing->arena.rc < 0 || indexing->words.rc < 0)
        return no_memory(err);
    ent_stmt_bind_int(stmt, 1, ref->space);
    ent_stmt_bind_int(stmt, 2, ref->kind);
    ent_stmt_bind_blob(stmt, 3, ref->id.b, ENT_ID_BYTES);
    rc = ent_stmt_run(stmt, err);
    if (rc < 0)
        return rc;
    indexing->doc = sqlite3_last_insert_rowid(db->raw);
    stmt = ent_db_stmt(db, ENT_SQL_SEARCH_INSERT);
    ent_stmt_bind_int(stmt, 1, indexing->doc);
    ent_stmt_bind_text(stmt, 2, ent_buf_slice(&indexing->words));
    return ent_stmt_run(stmt, err);
}

static int drop_doc(struct indexing *indexing, const struct ent_record_ref *ref,
                    struct ent_err *err)
{
    struct ent_stmt *stmt =
        ent_db_stmt(&indexing->store->db, ENT_SQL_SEARCH_DOC_DROP);

    ent_stmt_bind_int(stmt, 1, ref->space);
    ent_stmt_bind_int(stmt, 2, ref->kind);
    ent_stmt_bind_blob(stmt, 3, ref->id.b, ENT_ID_BYTES);
    return ent_stmt_run(stmt, err);
}

/* One record as its row shows it now; a deleted one loses its document. */
static int index_record(struct indexing *indexing,
                        const struct ent_record_ref *ref, struct ent_err *err)
{
    struct ent_tables *tables = &indexing->store->tables;
    struct ent_table *table = ent_table_of(tables, ref->kind);
    struct ent_stmt *row;
    int rc = drop_doc(indexing, ref, err);

    if (rc < 0 || table == NULL)
        return rc;
    rc = ent_table_select(tables, table, &row, err);
    if (rc < 0)
        return rc;
    ent_stmt_bind_int(row, 1, ref->space);
    ent_stmt_bind_blob(row, 2, ref->id.b, ENT_ID_BYTES);
    rc = ent_stmt_step(row, err);
    ent_arena_reset(&indexing->arena);
    ent_buf_reset(&indexing->words);
    for (size_t i = 0; rc > 0 && i < table->kind->field_count; i++)
        put_column(indexing, &table->kind->fields[i], row, 1 + (int)i);
    ent_stmt_reset(row);
    if (rc <= 0)
        return rc;
    rc = put_own(indexing, table->kind, ref, err);
    return rc == 0 ? add_doc(indexing, ref, err) : rc;
}

static int ref_cmp(const void *a, const void *b)
{
    const struct ent_record_ref *x = a;
    const struct ent_record_ref *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return ent_id_cmp(&x->id, &y->id);
}

/* ---------------------------------------------------------------- catch up */

/* The records that the entry at n touched. One that cannot be read is left to
 * ent_store_verify: it must not keep all others from being found. */
static int gather(struct indexing *indexing, int64_t space, int64_t n,
                  struct ent_err *err)
{
    struct ent_entry entry;
    struct ent_hash hash;
    enum ent_verdict verdict;
    int rc;

    ent_arena_reset(&indexing->arena);
    rc = ent_log_read(indexing->store, n, &indexing->arena, &entry, &verdict,
                      &hash, err);
    if (rc == ENT_EREFUSED || rc == ENT_ENOTFOUND)
        return 0;
    if (rc < 0 || verdict != ENT_VERDICT_ACCEPTED)
        return rc;
    for (size_t i = 0; i < entry.change_count; i++)
        indexing->refs[indexing->count++] =
            (struct ent_record_ref){.space = space,
                                    .kind = entry.changes[i].kind,
                                    .id = entry.changes[i].id};
    return 0;
}

static int set_mark(struct ent_store *store, int64_t o, int64_t seq,
                    struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_SEARCH_SET_MARK);

    ent_stmt_bind_int(stmt, 1, o);
    ent_stmt_bind_int(stmt, 2, seq);
    return ent_stmt_run(stmt, err);
}

/* Index what comes after `seq` in one log, as much as one transaction may. */
static int read_on(struct indexing *indexing, const struct ent_log *log,
                   int64_t seq, struct ent_err *err)
{
    const struct ent_record_ref *refs = indexing->refs;
    int64_t end = log->head - seq > ENTRIES_MAX ? seq + ENTRIES_MAX : log->head;
    int rc = 0;

    indexing->count = 0;
    while (rc == 0 && seq < end && indexing->count < RECORDS_MAX)
        rc = gather(indexing, log->space, ent_n(log->o, ++seq), err);
    if (indexing->count > 1)
        qsort(indexing->refs, indexing->count, sizeof(*refs), ref_cmp);
    for (size_t i = 0; rc == 0 && i < indexing->count; i++)
        if (i == 0 || ref_cmp(&refs[i - 1], &refs[i]) != 0)
            rc = index_record(indexing, &refs[i], err);
    return rc < 0 ? rc : set_mark(indexing->store, log->o, seq, err);
}

/* The first log that the index is behind of, and how far it has been read;
 * `o` is 0 when there is none. */
static int find_behind(struct ent_store *store, int64_t *o, int64_t *seq,
                       struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_SEARCH_BEHIND);
    int rc = ent_stmt_step(stmt, err);

    *o = rc > 0 ? ent_stmt_int(stmt, 0) : 0;
    *seq = rc > 0 ? ent_stmt_int(stmt, 1) : 0;
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

/* --------------------------------------------------------------- made anew */

static int index_table(struct indexing *indexing, struct ent_table *table,
                       struct ent_err *err)
{
    struct ent_record_ref ref = {.kind = table->kind->number};
    struct ent_buf sql = {0};
    struct ent_stmt stmt;
    const char *text;
    int rc;

    ent_buf_put_str(&sql, "SELECT space, id FROM ");
    ent_table_quote(&sql, table->kind->table);
    text = ent_buf_cstr(&sql);
    rc = text == NULL
             ? no_memory(err)
             : ent_stmt_prepare(&indexing->store->db, text, &stmt, err);
    ent_buf_fini(&sql);
    if (rc < 0)
        return rc;
    while ((rc = ent_stmt_step(&stmt, err)) > 0) {
        ref.space = ent_stmt_int(&stmt, 0);
        ent_stmt_copy(&stmt, 1, ref.id.b, ENT_ID_BYTES);
        rc = index_record(indexing, &ref, err);
        if (rc < 0)
            break;
    }
    ent_stmt_fini(&stmt);
    return rc;
}

int ent_search_clear(struct ent_store *store, struct ent_err *err)
{
    return ent_db_exec(&store->db,
                       "INSERT INTO search(search) VALUES('delete-all');"
                       "DELETE FROM search_doc;"
                       "DELETE FROM sqlite_sequence WHERE name = 'search_doc';",
                       err);
}

int ent_search_anew(struct ent_store *store, struct ent_err *err)
{
    int rc = ent_search_clear(store, err);

    return rc == 0 ? ent_db_exec(&store->db, "DELETE FROM search_mark;", err)
                   : rc;
}

/* In the transaction that is open: every row once, whatever its history. The
 * marks stay: the rows are what the logs made of them so far, and what was not
 * read yet is read again. */
static int index_anew(struct indexing *indexing, struct ent_err *err)
{
    struct ent_tables *tables = &indexing->store->tables;
    int rc = ent_search_clear(indexing->store, err);

    for (size_t i = 0; rc == 0 && i < tables->kinds->count; i++)
        rc = index_table(indexing, &tables->tables[i], err);
    return rc;
}

/* Counting documents reads a whole table, so it is done now and then. */
static int check_dead(struct indexing *indexing, int64_t before,
                      struct ent_err *err)
{
    struct ent_stmt *stmt;
    int64_t docs;
    int rc;

    if (before >> DEAD_CHECK_SHIFT == indexing->doc >> DEAD_CHECK_SHIFT)
        return 0;
    stmt = ent_db_stmt(&indexing->store->db, ENT_SQL_SEARCH_DOC_COUNT);
    rc = ent_stmt_step(stmt, err);
    docs = rc > 0 ? ent_stmt_int(stmt, 0) : 0;
    ent_stmt_reset(stmt);
    if (rc < 0)
        return rc;
    return indexing->doc > 2 * docs + DEAD_FREE ? index_anew(indexing, err) : 0;
}

static int newest_doc(struct ent_store *store, int64_t *doc,
                      struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_SEARCH_DOC_LAST);
    int rc = ent_stmt_step(stmt, err);

    *doc = rc > 0 ? ent_stmt_int(stmt, 0) : 0;
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

/* One transaction's worth; `more` is false when another process was faster. */
static int advance(struct indexing *indexing, bool *more, struct ent_err *err)
{
    struct ent_store *store = indexing->store;
    struct ent_log *log;
    int64_t before = 0;
    int64_t seq;
    int64_t o;
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    rc = find_behind(store, &o, &seq, err);
    *more = o != 0;
    log = ent_log_of(store, o);
    if (rc == 0 && log != NULL)
        rc = ent_log_head(store, log, err);
    if (rc == 0)
        rc = newest_doc(store, &before, err);
    indexing->doc = before;
    if (rc == 0 && log != NULL)
        rc = read_on(indexing, log, seq, err);
    if (rc == 0)
        rc = check_dead(indexing, before, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

int ent_search_catch_up(struct ent_store *store, struct ent_err *err)
{
    struct indexing indexing = {.store = store};
    bool more;
    int64_t seq;
    int64_t o;
    int rc = find_behind(store, &o, &seq, err);

    if (rc < 0 || o == 0)
        return rc;
    indexing.refs =
        calloc(RECORDS_MAX + ENT_ENTRY_CHANGES_MAX, sizeof(*indexing.refs));
    rc = indexing.refs == NULL ? no_memory(err) : 0;
    for (more = true; rc == 0 && more;)
        rc = advance(&indexing, &more, err);
    indexing_fini(&indexing);
    return rc;
}

/* --------------------------------------------------------------- searching */

/* The extension's own interface, handed out through a pointer (SQLite's manual
 * of FTS5, section 7): words are parted for a question by the same code that
 * parted them for the index. */
static int fts5_of(struct ent_db *db, fts5_api **api, struct ent_err *err)
{
    struct ent_stmt stmt;
    int rc = ent_stmt_prepare(db, "SELECT fts5(?1)", &stmt, err);

    *api = NULL;
    if (rc < 0)
        return rc;
    stmt.rc = sqlite3_bind_pointer(stmt.raw, 1, api, "fts5_api_ptr", NULL);
    rc = ent_stmt_step(&stmt, err);
    ent_stmt_fini(&stmt);
    if (rc >= 0 && *api == NULL)
        return ent_err_set(err, ENT_ESTORE,
                           ENT_N_("this SQLite has no full-text search"));
    return rc < 0 ? rc : 0;
}

struct asking {
    struct ent_buf match;
    size_t count;
};

static int take_token(void *ctx, int flags, const char *token, int len,
                      int from, int to)
{
    struct asking *asking = ctx;

    (void)flags;
    (void)from;
    (void)to;
    if (asking->count++ > 0)
        ent_buf_put_str(&asking->match, " AND ");
    ent_buf_put_u8(&asking->match, '"');
    for (int i = 0; i < len; i++) {
        if (token[i] == '"')
            ent_buf_put_u8(&asking->match, '"');
        ent_buf_put_u8(&asking->match, (uint8_t)token[i]);
    }
    ent_buf_put_u8(&asking->match, '"');
    return asking->count > WORDS_MAX ? SQLITE_TOOBIG : SQLITE_OK;
}

/* "ctc-pf" and "appui"* out of what a person typed; empty when there is no
 * word in it. */
static int make_match(struct ent_store *store, const char *words,
                      struct asking *asking, struct ent_err *err)
{
    /* The same as the table's in schema.c. */
    static const char *options[] = {"remove_diacritics", "2"};
    fts5_tokenizer tokenizer;
    Fts5Tokenizer *made = NULL;
    void *user;
    fts5_api *api;
    size_t len = strlen(words);
    int rc = fts5_of(&store->db, &api, err);

    if (rc < 0)
        return rc;
    if (len > ENT_VALUE_BYTES_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("search for %d words at most"), WORDS_MAX);
    rc = api->xFindTokenizer(api, "unicode61", &user, &tokenizer);
    if (rc == SQLITE_OK)
        rc = tokenizer.xCreate(user, options, 2, &made);
    if (rc != SQLITE_OK)
        return ent_db_fail(&store->db, rc, err);
    rc = tokenizer.xTokenize(made, asking, FTS5_TOKENIZE_QUERY, words, (int)len,
                             take_token);
    tokenizer.xDelete(made);
    if (rc == SQLITE_TOOBIG)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("search for %d words at most"), WORDS_MAX);
    if (rc != SQLITE_OK)
        return ent_db_fail(&store->db, rc, err);
    if (asking->count > 0)
        ent_buf_put_u8(&asking->match, '*');
    return asking->match.rc < 0 ? no_memory(err) : 0;
}

int ent_search(struct ent_store *store, const char *words,
               struct ent_record_ref *refs, size_t max, size_t *count,
               struct ent_err *err)
{
    struct asking asking = {0};
    struct ent_stmt *stmt;
    size_t found = 0;
    int rc = make_match(store, words, &asking, err);

    if (rc == 0 && !store->read_only)
        rc = ent_search_catch_up(store, err);
    if (rc == 0 && asking.count > 0) {
        stmt = ent_db_stmt(&store->db, ENT_SQL_SEARCH_FIND);
        ent_stmt_bind_text(stmt, 1, ent_buf_slice(&asking.match));
        ent_stmt_bind_int(stmt, 2, (int64_t)max);
        while (found < max && (rc = ent_stmt_step(stmt, err)) > 0) {
            refs[found].space = ent_stmt_int(stmt, 0);
            refs[found].kind = (uint32_t)ent_stmt_int(stmt, 1);
            ent_stmt_copy(stmt, 2, refs[found++].id.b, ENT_ID_BYTES);
        }
        ent_stmt_reset(stmt);
    }
    ent_buf_fini(&asking.match);
    if (rc < 0)
        return rc;
    *count = found;
    return 0;
}
