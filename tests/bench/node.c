/* node.c - Entente's side of the same work, in this process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "secure/keys.h"
#include "store/query.h"
#include "store/records.h"
#include "store/runs.h"
#include "store/spaces.h"
#include "text/kinds.h"
#include "text/parse.h"

#define INVITE_MS (60 * 60 * 1000)
#define COLUMNS_SQL                                                            \
    "\"kind\", \"title\", \"given\", \"family\", \"org\", \"email\","          \
    "\"phone\", \"city\", \"due\", \"status\", \"prio\", \"note\""
#define TEXTS_SQL "SELECT lower(hex(id)), " COLUMNS_SQL " FROM "

struct ent_kinds bench_kinds;

void node_kinds(const char *dir)
{
    struct ent_err err;

    bench_must(ent_secure_init(&err), &err, "secure");
    bench_must(ent_kinds_load(dir, &bench_kinds, &err), &err, "kinds");
}

static struct ent_store_options options(struct node *node, bool durable)
{
    return (struct ent_store_options){
        .kinds = &bench_kinds,
        .rand = &node->rand,
        .now_ms = bench_now_ms(),
        .fragile = !durable,
    };
}

static void open_store(struct node *node, const char *home, bool durable)
{
    const struct ent_store_options opts = options(node, durable);
    struct ent_err err;

    bench_must(ent_store_open(home, &opts, &node->store, &err), &err, home);
    if (ent_store_fresh(node->store) != NULL)
        bench_die("%s: %s", home, ent_store_fresh(node->store));
}

void node_create(struct node *node, const char *home, const char *org,
                 bool durable)
{
    struct ent_store_options opts;
    struct ent_err err;

    memset(node, 0, sizeof(*node));
    ent_rand_init_system(&node->rand);
    opts = options(node, durable);
    bench_must(ent_store_create(home, org, "FRA", &opts, &err), &err, home);
    open_store(node, home, durable);
}

void node_found(struct node *node, const char *name)
{
    struct ent_err err;

    bench_must(ent_space_create(node->store, name, name, name, bench_now_ms(),
                                &node->space, &err),
               &err, "found a space");
}

/* The space is the first one. */
void node_open(struct node *node, const char *home, bool durable)
{
    struct ent_space *spaces;
    struct ent_err err;
    size_t count;

    memset(node, 0, sizeof(*node));
    ent_rand_init_system(&node->rand);
    open_store(node, home, durable);
    bench_must(ent_space_list(node->store, &spaces, &count, &err), &err,
               "spaces");
    if (count > 0)
        node->space = spaces[0].space;
    free(spaces);
}

void node_close(struct node *node)
{
    ent_store_close(node->store);
    ent_arena_fini(&node->arena);
    ent_rand_fini(&node->rand);
    memset(node, 0, sizeof(*node));
}

/* ------------------------------------------------------------------ writing */

static struct ent_writer *writer_open(struct node *node)
{
    struct ent_writer *writer;
    struct ent_err err;

    bench_must(ent_writer_open(node->store, node->space, bench_now_ms(),
                               &writer, &err),
               &err, "begin");
    return writer;
}

static void writer_commit(struct ent_writer *writer)
{
    struct ent_err err;

    bench_must(ent_writer_commit(writer, &err), &err, "commit");
}

/* What people type is cleaned where it enters; that is part of the price. */
static struct ent_value clean(struct node *node, struct ent_slice text)
{
    struct ent_slice out;
    struct ent_err err;

    bench_must(ent_text_clean(text, &node->arena, &out, &err), &err, "text");
    return ent_value_text(out);
}

static void put(struct node *node, struct ent_writer *writer,
                const struct ent_id *id, const struct ent_edit_op *ops,
                size_t count, bool fresh)
{
    const struct ent_edit edit = {
        .kind = BENCH_KIND,
        .id = *id,
        .life = ENT_EDIT_TOUCH,
        .fresh = fresh,
        .ops = ops,
        .op_count = count,
    };
    enum ent_written written;
    struct ent_err err;

    bench_must(ent_writer_put(writer, &edit, false, &written, &err), &err,
               "put");
    if (written != (fresh ? ENT_WRITTEN_NEW : ENT_WRITTEN_CHANGED))
        bench_die("a put was no %s", fresh ? "insert" : "change");
    ent_arena_reset(&node->arena);
}

static void put_record(struct node *node, struct ent_writer *writer,
                       const struct bench_data *data, uint32_t record)
{
    struct ent_edit_op ops[BENCH_COLUMNS] = {0};

    for (uint32_t c = 0; c < BENCH_COLUMNS; c++) {
        ops[c].code = ENT_OP_WRITE;
        ops[c].field = BENCH_FIELD_FIRST + c;
        ops[c].value = clean(node, data->records[record][c]);
    }
    put(node, writer, &data->ids[record], ops, BENCH_COLUMNS, true);
}

static void put_cell(struct node *node, struct ent_writer *writer,
                     const struct ent_id *id, uint32_t column,
                     struct ent_slice text)
{
    const struct ent_edit_op op = {
        .code = ENT_OP_WRITE,
        .field = BENCH_FIELD_FIRST + column,
        .value = clean(node, text),
    };

    put(node, writer, id, &op, 1, false);
}

void node_insert(struct node *node, const struct bench_data *data, size_t from,
                 size_t to, size_t batch)
{
    struct ent_writer *writer = NULL;

    for (size_t i = from; i < to; i++) {
        if ((i - from) % batch == 0)
            writer = writer_open(node);
        put_record(node, writer, data, data->order[i]);
        if ((i + 1 - from) % batch == 0 || i + 1 == to)
            writer_commit(writer);
    }
}

void node_update(struct node *node, const struct bench_data *data,
                 const struct bench_cells *cells, size_t from, size_t to,
                 size_t batch)
{
    struct ent_writer *writer = NULL;

    for (size_t i = from; i < to; i++) {
        const struct bench_cell *cell = &cells->at[i];

        if ((i - from) % batch == 0)
            writer = writer_open(node);
        put_cell(node, writer, &data->ids[cell->record], cell->column,
                 cell->text);
        if ((i + 1 - from) % batch == 0 || i + 1 == to)
            writer_commit(writer);
    }
}

void node_set(struct node *node, const struct ent_id *id, uint32_t column,
              struct ent_slice text)
{
    struct ent_writer *writer = writer_open(node);

    put_cell(node, writer, id, column, text);
    writer_commit(writer);
}

void node_index(struct node *node)
{
    struct ent_err err;

    bench_must(ent_search_catch_up(node->store, &err), &err, "index");
}

/* --------------------------------------------------------------- membership */

static void expect_space(struct node *host, struct node *guest)
{
    static const char *const nowhere[] = {"tcp://127.0.0.1:1"};
    struct ent_invite invite;
    struct ent_buf line = {0};
    int64_t now_ms = bench_now_ms();
    struct ent_err err;

    bench_must(ent_invite_create(host->store, host->space, ENT_ROLE_EDITOR,
                                 now_ms + INVITE_MS, nowhere, 1, now_ms, &line,
                                 &err),
               &err, "invite");
    bench_must(ent_invite_parse(ent_buf_cstr(&line), &invite, &err), &err,
               "invite");
    bench_must(ent_space_expect(guest->store, &invite, &guest->space, &err),
               &err, "expect");
    ent_buf_fini(&line);
}

static void copy_roster(struct node *host, struct node *guest)
{
    struct ent_arena arena = {0};
    struct ent_hash *hashes;
    struct ent_taken taken = {0};
    struct ent_err err;
    size_t count;

    bench_must(
        ent_roster_hashes(host->store, host->space, &hashes, &count, &err),
        &err, "roster");
    for (size_t i = 0; i < count; i++) {
        struct ent_roster_bytes entry;

        bench_must(ent_roster_read(host->store, host->space, &hashes[i], &arena,
                                   &entry, &err),
                   &err, "roster");
        bench_must(ent_roster_take(guest->store, guest->space, &entry, 1, 0,
                                   &taken, &err),
                   &err, "roster");
    }
    if (taken.refused > 0)
        bench_die("the roster was refused: %s", taken.why);
    ent_arena_fini(&arena);
    free(hashes);
}

void node_admit(struct node *host, struct node *guest)
{
    const struct ent_key *key = &ent_store_keys(guest->store)->public;
    static const struct ent_hash8 no_invite;
    struct ent_err err;

    expect_space(host, guest);
    bench_must(ent_member_admit(host->store, host->space, key, ENT_ROLE_EDITOR,
                                ent_store_org(guest->store), &no_invite,
                                bench_now_ms(), &err),
               &err, "admit");
    copy_roster(host, guest);
}

/* ---------------------------------------------------------------- comparing */

struct rows {
    struct ent_query *query;
    sqlite3_stmt *plain;
    const char *what;
    size_t count;
};

static void rows_open(struct rows *rows, struct node *node, struct plain *plain,
                      const char *what)
{
    char sql[512];
    struct ent_err err;

    *rows = (struct rows){.what = what};
    snprintf(sql, sizeof(sql),
             TEXTS_SQL "bench_records WHERE space = %lld ORDER BY id",
             (long long)node->space);
    bench_must(ent_query_open(node->store, sql, &rows->query, &err), &err,
               what);
    if (sqlite3_prepare_v2(plain->db, TEXTS_SQL "record ORDER BY id", -1,
                           &rows->plain, NULL) != SQLITE_OK)
        bench_die("%s: %s", what, sqlite3_errmsg(plain->db));
}

/* The next row of both; false when both are at their end. */
static bool rows_next(struct rows *rows)
{
    struct ent_err err;
    int ours = ent_query_next(rows->query, &err);
    int theirs = sqlite3_step(rows->plain);

    bench_must(ours, &err, rows->what);
    if ((ours > 0) != (theirs == SQLITE_ROW))
        bench_die("%s: wrong number of rows, after %zu", rows->what,
                  rows->count);
    rows->count += ours > 0;
    return ours > 0;
}

static const char *rows_ours(struct rows *rows, int column)
{
    return ent_query_text(rows->query, (size_t)column);
}

static bool rows_equal(struct rows *rows, int column)
{
    return strcmp(rows_ours(rows, column),
                  (const char *)sqlite3_column_text(rows->plain, column)) == 0;
}

static void rows_differ(struct rows *rows, int column)
{
    bench_die("%s: row %zu, column %d: \"%s\" instead of \"%s\"", rows->what,
              rows->count, column, rows_ours(rows, column),
              sqlite3_column_text(rows->plain, column));
}

static void rows_close(struct rows *rows)
{
    ent_query_close(rows->query);
    sqlite3_finalize(rows->plain);
}

void node_compare(struct node *node, struct plain *plain, const char *what)
{
    struct rows rows;

    rows_open(&rows, node, plain, what);
    while (rows_next(&rows))
        for (int c = 0; c <= BENCH_COLUMNS; c++)
            if (!rows_equal(&rows, c))
                rows_differ(&rows, c);
    if (rows.count == 0)
        bench_die("%s: no rows", what);
    rows_close(&rows);
}

/* ---------------------------------------------------------- after a merge */

/* One cell with two values. */
struct contested {
    struct ent_id id;
    uint32_t field;
    struct ent_slice a, b;
};

static int by_cell(const void *x, const void *y)
{
    const struct contested *a = x;
    const struct contested *b = y;
    int order = ent_id_cmp(&a->id, &b->id);

    return order != 0 ? order : a->field < b->field ? -1 : a->field > b->field;
}

static struct contested contested_of(const struct bench_data *data,
                                     const struct bench_cell *cell)
{
    return (struct contested){
        .id = data->ids[cell->record],
        .field = BENCH_FIELD_FIRST + cell->column,
        .a = cell->text,
    };
}

/* The cells that both sides changed, by id and field. */
static struct contested *overlap(const struct bench_data *data,
                                 const struct bench_cells *a,
                                 const struct bench_cells *b, size_t *count)
{
    struct contested *list = calloc(a->count, sizeof(*list));

    if (list == NULL)
        bench_die("out of memory");
    for (size_t i = 0; i < a->count; i++)
        list[i] = contested_of(data, &a->at[i]);
    qsort(list, a->count, sizeof(*list), by_cell);
    for (size_t i = 0; i < b->count; i++) {
        struct contested key = contested_of(data, &b->at[i]);
        struct contested *at =
            bsearch(&key, list, a->count, sizeof(*list), by_cell);

        if (at != NULL)
            at->b = key.a;
    }
    *count = 0;
    for (size_t i = 0; i < a->count; i++)
        if (list[i].b.at != NULL)
            list[(*count)++] = list[i];
    return list;
}

static bool is_text(const struct ent_value *value, struct ent_slice text)
{
    return value->type == ENT_VALUE_TEXT && ent_slice_equal(value->bytes, text);
}

/* Both values stand, and no other. */
static bool keeps_both(struct node *node, const struct ent_conflict *conflict,
                       const struct contested *cell)
{
    struct ent_record record = {0};
    size_t a = 0, b = 0, others = 0;
    struct ent_err err;

    bench_must(ent_record_read(node->store, &conflict->ref, &record, &err),
               &err, "record");
    for (size_t i = 0; i < record.write_count; i++) {
        if (record.writes[i].field != cell->field)
            continue;
        if (is_text(&record.writes[i].value, cell->a))
            a++;
        else if (is_text(&record.writes[i].value, cell->b))
            b++;
        else
            others++;
    }
    ent_record_fini(&record);
    return a == 1 && b == 1 && others == 0;
}

static size_t check_conflicts(struct node *node, const struct contested *cells,
                              size_t count)
{
    struct ent_arena arena = {0};
    struct ent_conflict *list;
    struct ent_err err;
    size_t listed;

    bench_must(ent_conflict_list(node->store, node->space, &arena, &list,
                                 &listed, &err),
               &err, "conflicts");
    for (size_t i = 0; i < listed; i++) {
        struct contested key = {.id = list[i].ref.id, .field = list[i].field};
        const struct contested *cell =
            bsearch(&key, cells, count, sizeof(*cells), by_cell);

        if (cell == NULL || !keeps_both(node, &list[i], cell))
            bench_die("W5: a conflict that should not be, or half of one");
    }
    ent_arena_fini(&arena);
    return listed;
}

/* In every contested cell one of the two values shows. */
static void check_shown(struct rows *rows, const struct contested *cells,
                        size_t count)
{
    struct contested key = {0};

    if (!ent_id_parse(rows_ours(rows, 0), &key.id) || !rows_equal(rows, 0))
        rows_differ(rows, 0);
    for (int c = 1; c <= BENCH_COLUMNS; c++) {
        struct ent_slice shown = ent_slice_str(rows_ours(rows, c));
        const struct contested *cell;

        key.field = BENCH_FIELD_FIRST + (uint32_t)c - 1;
        cell = bsearch(&key, cells, count, sizeof(*cells), by_cell);
        if (cell == NULL ? !rows_equal(rows, c)
                         : !ent_slice_equal(shown, cell->a) &&
                               !ent_slice_equal(shown, cell->b))
            rows_differ(rows, c);
    }
}

size_t node_compare_merged(struct node *node, struct plain *plain,
                           const struct bench_data *data,
                           const struct bench_cells *a,
                           const struct bench_cells *b)
{
    size_t count;
    struct contested *cells = overlap(data, a, b, &count);
    size_t listed = check_conflicts(node, cells, count);
    struct rows rows;

    rows_open(&rows, node, plain, "W5");
    while (rows_next(&rows))
        check_shown(&rows, cells, count);
    rows_close(&rows);
    if (listed != count)
        bench_die("W5: %zu conflicts listed of %zu", listed, count);
    free(cells);
    return listed;
}
