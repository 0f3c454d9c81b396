/* test_verify.c - damage is named, and what follows from the log is mended. */
#include <check.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "store/query.h"
#include "store/records.h"
#include "store/runs.h"
#include "store/spaces.h"
#include "text/kinds.h"

#define NOW_MS 1700000000000
#define FINDINGS_BYTES (64 << 10)

struct node {
    char dir[64];
    struct ent_store *store;
    int64_t space;
};

static struct ent_err err;
static struct ent_kinds kinds;
static struct ent_rand rnd;
static struct node ann, bob;
static char findings[FINDINGS_BYTES];
static char printed[2][FINDINGS_BYTES];
static int64_t now_ms = NOW_MS;

#define ck_ok(rc) ck_assert_msg((rc) == 0, "%s", err.text)

static void open_node(struct node *node, bool read_only)
{
    struct ent_store_options options = {.kinds = &kinds,
                                        .rand = &rnd,
                                        .now_ms = NOW_MS,
                                        .read_only = read_only,
                                        .fragile = true};

    ck_ok(ent_store_open(node->dir, &options, &node->store, &err));
}

static void close_node(struct node *node)
{
    ent_store_close(node->store);
    node->store = NULL;
}

static void make_node(struct node *node, const char *org)
{
    struct ent_store_options options = {
        .kinds = &kinds, .rand = &rnd, .now_ms = NOW_MS, .fragile = true};

    strcpy(node->dir, "/tmp/entente-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(node->dir));
    ck_ok(ent_store_create(node->dir, org, "BDI", &options, &err));
    open_node(node, false);
}

static void remove_node(struct node *node)
{
    static const char *const names[] = {"replica.db", "replica.db-wal",
                                        "replica.db-shm", "key", "high-water"};
    char path[128];

    close_node(node);
    for (size_t i = 0; i < ENT_ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", node->dir, names[i]);
        unlink(path);
    }
    rmdir(node->dir);
}

/* --------------------------------------------------------- what is in them */

static const struct ent_kind *training(void)
{
    return ent_kind_named(&kinds, "training");
}

static void edit(struct node *node, uint8_t number, enum ent_edit_life life,
                 const char *field, struct ent_value value)
{
    struct ent_edit_op op = {0};
    struct ent_edit made = {
        .kind = training()->number, .id = {{number}}, .life = life};
    struct ent_writer *writer;
    enum ent_written written;

    if (field != NULL) {
        const struct ent_field *named = ent_field_named(training(), field);

        op.code = named->rule == ENT_RULE_SET ? ENT_OP_ADD : ENT_OP_WRITE;
        op.field = named->number;
        op.value = value;
        made.ops = &op;
        made.op_count = 1;
    }
    ck_ok(ent_writer_open(node->store, node->space, now_ms++, &writer, &err));
    ck_ok(ent_writer_put(writer, &made, true, &written, &err));
    ck_ok(ent_writer_commit(writer, &err));
}

static void set(struct node *node, uint8_t number, const char *field,
                const char *text)
{
    edit(node, number, ENT_EDIT_TOUCH, field,
         ent_value_text(ent_slice_str(text)));
}

static void set_int(struct node *node, uint8_t number, const char *field,
                    int64_t value)
{
    edit(node, number, ENT_EDIT_TOUCH, field, ent_value_int(value));
}

static void send_roster(struct node *from, struct node *to)
{
    struct ent_arena arena = {0};
    struct ent_roster_bytes bytes[8];
    struct ent_hash *hashes;
    struct ent_taken taken;
    size_t count;

    ck_ok(ent_roster_hashes(from->store, from->space, &hashes, &count, &err));
    ck_assert_uint_le(count, ENT_ARRAY_LEN(bytes));
    for (size_t i = 0; i < count; i++)
        ck_ok(ent_roster_read(from->store, from->space, &hashes[i], &arena,
                              &bytes[i], &err));
    ck_ok(ent_roster_take(to->store, to->space, bytes, count, 0, &taken, &err));
    ck_assert_int_eq(taken.refused, 0);
    free(hashes);
    ent_arena_fini(&arena);
}

static void send_all(struct node *from, struct node *to)
{
    struct ent_head *heads;
    size_t count;

    ck_ok(ent_frontier_read(from->store, from->space, &heads, &count, &err));
    for (size_t i = 0; i < count; i++) {
        struct ent_arena arena = {0};
        struct ent_taken taken;
        struct ent_hash8 none = {0};
        struct ent_run run;

        ck_ok(ent_run_read(from->store, heads[i].o, 1, &none, 1 << 20, &arena,
                           &run, &err));
        ck_ok(ent_runs_take(to->store, to->space, NULL, &run, 1, NOW_MS, &taken,
                            &err));
        ck_assert_msg(taken.refused + taken.waiting == 0, "%s", taken.why);
        ent_arena_fini(&arena);
    }
    free(heads);
}

static void meet(void)
{
    send_all(&ann, &bob);
    send_all(&bob, &ann);
}

static void found_and_join(void)
{
    struct ent_buf line = {0};
    struct ent_invite invite;

    ck_ok(ent_space_create(ann.store, "gt", "Group", "Groupe", NOW_MS,
                           &ann.space, &err));
    ck_ok(ent_invite_create(ann.store, ann.space, ENT_ROLE_EDITOR,
                            NOW_MS + 1000000, NULL, 0, NOW_MS, &line, &err));
    ck_ok(ent_invite_parse(ent_buf_cstr(&line), &invite, &err));
    ent_buf_fini(&line);
    ck_ok(ent_space_expect(bob.store, &invite, &bob.space, &err));
    ck_ok(ent_member_admit(ann.store, ann.space,
                           &ent_store_keys(bob.store)->public, ENT_ROLE_EDITOR,
                           "Bob", &(struct ent_hash8){{0}}, NOW_MS, &err));
    send_roster(&ann, &bob);
}

/* Something of everything: plain rows, a set from both, values replaced across
 * the logs in both directions, an open conflict, a deletion, a deletion beside
 * an edit. */
static void fill(void)
{
    set(&ann, 1, "code", "tr-1");
    set(&ann, 1, "modules", "m1");
    set_int(&ann, 1, "participants", 20);
    set(&bob, 2, "code", "tr-2");
    set_int(&bob, 2, "participants", 7);
    meet();
    set_int(&ann, 2, "participants", 8);
    set(&bob, 1, "modules", "m2");
    set_int(&bob, 1, "participants", 22);
    meet();
    set_int(&ann, 1, "participants", 24);
    set_int(&bob, 1, "participants", 26);
    set(&ann, 3, "code", "tr-3");
    set(&ann, 4, "code", "tr-4");
    meet();
    edit(&ann, 3, ENT_EDIT_DELETE, NULL, ent_value_nil());
    edit(&ann, 4, ENT_EDIT_DELETE, NULL, ent_value_nil());
    set(&bob, 4, "title_fr", "Formation");
    meet();
}

static void setup(void)
{
    ck_ok(ent_secure_init(&err));
    ent_rand_init_u64(&rnd, 1);
    ck_ok(ent_kinds_load(ENT_SOURCE_DIR "/configs/kinds", &kinds, &err));
    make_node(&ann, "Ann");
    make_node(&bob, "Bob");
    found_and_join();
    fill();
}

static void teardown(void)
{
    remove_node(&ann);
    remove_node(&bob);
    ent_kinds_fini(&kinds);
}

/* ------------------------------------------------------------------- tools */

static void keep_finding(void *ctx, const char *text)
{
    (void)ctx;
    if (strlen(findings) + strlen(text) + 2 < sizeof(findings)) {
        strcat(findings, text);
        strcat(findings, "\n");
    }
}

static int verify(struct node *node, bool deep)
{
    int count;

    findings[0] = '\0';
    count = ent_store_verify(node->store, deep, keep_finding, NULL, &err);
    ck_assert_msg(count >= 0, "%s", err.text);
    return count;
}

/* Exactly one finding, with these words in it. */
#define ck_finds_one(node, deep, part)                                         \
    do {                                                                       \
        ck_assert_msg(verify((node), (deep)) == 1, "%s", findings);            \
        ck_assert_msg(strstr(findings, (part)) != NULL, "%s", findings);       \
    } while (0)

#define ck_finds(node, deep, part)                                             \
    do {                                                                       \
        ck_assert_int_gt(verify((node), (deep)), 0);                           \
        ck_assert_msg(strstr(findings, (part)) != NULL, "%s", findings);       \
    } while (0)

#define ck_sound(node)                                                         \
    do {                                                                       \
        ck_assert_msg(verify((node), false) == 0, "%s", findings);             \
        ck_assert_msg(verify((node), true) == 0, "%s", findings);              \
    } while (0)

/* flip(blob, at): the same bytes with one of them changed. */
static void flip(sqlite3_context *call, int argc, sqlite3_value **argv)
{
    static uint8_t bytes[1 << 17];
    int len = sqlite3_value_bytes(argv[0]);
    int at = sqlite3_value_int(argv[1]);

    (void)argc;
    if (len == 0 || len > (int)sizeof(bytes))
        return;
    memcpy(bytes, sqlite3_value_blob(argv[0]), (size_t)len);
    bytes[(at < 0 ? len + at : at) % len] ^= 1;
    sqlite3_result_blob(call, bytes, len, SQLITE_TRANSIENT);
}

/* Do to the file what no program of ours does. */
static void damage(struct node *node, const char *sql)
{
    char path[128];
    char *said = NULL;
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/replica.db", node->dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_create_function(db, "flip", 2, SQLITE_UTF8, NULL, flip, NULL, NULL);
    sqlite3_exec(db, sql, NULL, NULL, &said);
    ck_assert_msg(said == NULL, "%s", said);
    ck_assert_int_gt(sqlite3_total_changes(db), 0);
    sqlite3_close(db);
}

/* The rows of a query as text. */
static void print_rows(struct node *node, const char *sql, char *to)
{
    struct ent_query *query;
    size_t len = 0;
    int rc;

    ck_ok(ent_query_open(node->store, sql, &query, &err));
    while ((rc = ent_query_next(query, &err)) > 0)
        for (size_t i = 0; i < ent_query_columns(query); i++)
            len += (size_t)snprintf(to + len, FINDINGS_BYTES - len, "%s|",
                                    ent_query_text(query, i));
    ck_ok(rc);
    ck_assert_uint_lt(len, FINDINGS_BYTES);
    ent_query_close(query);
}

static void ck_same_digest(const struct ent_digest *a,
                           const struct ent_digest *b)
{
    ck_assert_mem_eq(&a->roster, &b->roster, sizeof(a->roster));
    ck_assert_mem_eq(&a->entries, &b->entries, sizeof(a->entries));
    ck_assert_mem_eq(a->state, b->state, sizeof(a->state));
}

static struct ent_digest digest_of(struct node *node)
{
    struct ent_digest digest;

    ck_ok(ent_digest_read(node->store, node->space, &digest, &err));
    return digest;
}

/* What rebuild mends: it is as before, and so is the digest. */
static void ck_mends(struct node *node, const char *sql, const char *part)
{
    struct ent_digest before = digest_of(node);
    struct ent_digest after;

    damage(node, sql);
    ck_finds(node, true, part);
    ck_ok(ent_store_rebuild(node->store, &err));
    ck_sound(node);
    after = digest_of(node);
    ck_same_digest(&before, &after);
}

/* ------------------------------------------------------------------ digest */

START_TEST(replicas_that_hold_the_same_have_one_digest)
{
    struct ent_digest a = digest_of(&ann);
    struct ent_digest b = digest_of(&bob);

    ck_same_digest(&a, &b);
}
END_TEST

START_TEST(an_entry_more_is_another_digest)
{
    struct ent_digest a = digest_of(&ann);
    struct ent_digest b;

    set(&ann, 9, "code", "tr-9");
    b = digest_of(&ann);
    ck_assert_mem_ne(&a.entries, &b.entries, sizeof(a.entries));
    ck_assert_mem_ne(a.state, b.state, sizeof(a.state));
    ck_assert_mem_eq(&a.roster, &b.roster, sizeof(a.roster));
}
END_TEST

/* ------------------------------------------------------------------- sound */

#define LONG_TEXT 15000

/* Of more records and more bytes than are kept in memory while a run is taken;
 * some die and live again, some are asked for one field and then for others. */
static void write_much(struct node *node)
{
    static char text[LONG_TEXT + 1];

    for (int i = 0; i < 100; i++)
        set(node, (uint8_t)(10 + i), "code", "tr");
    for (int i = 0; i < 16; i++) {
        memset(text, 'a' + i % 26, LONG_TEXT);
        set(node, (uint8_t)(10 + i % 3), "title_fr", text);
    }
    for (int i = 0; i < 100; i++) {
        uint8_t number = (uint8_t)(10 + i);

        set_int(node, number, "participants", i);
        set(node, number, "modules", "m1");
        if (i % 3 == 0)
            edit(node, number, ENT_EDIT_DELETE, NULL, ent_value_nil());
        if (i % 6 == 0)
            edit(node, number, ENT_EDIT_UNDELETE, NULL, ent_value_nil());
        set_int(node, number, "participants", i + 1);
    }
}

START_TEST(a_long_run_leaves_the_rows_that_its_author_has)
{
    static const char rows[] =
        "SELECT hex(id), code, substr(title_fr, 1, 9), modules, participants"
        " FROM trainings ORDER BY id";
    static const char cells[] = "SELECT hex(id), field, ordinal, code,"
                                " hex(substr(value, 1, 9)) FROM cell"
                                " ORDER BY id, field, ordinal, code, value";
    struct ent_digest a;
    struct ent_digest b;

    write_much(&ann);
    meet();
    a = digest_of(&ann);
    b = digest_of(&bob);
    ck_same_digest(&a, &b);
    print_rows(&ann, rows, printed[0]);
    print_rows(&bob, rows, printed[1]);
    ck_assert_str_eq(printed[0], printed[1]);
    print_rows(&ann, cells, printed[0]);
    print_rows(&bob, cells, printed[1]);
    ck_assert_str_eq(printed[0], printed[1]);
    ck_ok(ent_store_rebuild(bob.store, &err));
    print_rows(&bob, cells, printed[1]);
    ck_assert_str_eq(printed[0], printed[1]);
    ck_sound(&ann);
    ck_sound(&bob);
}
END_TEST

START_TEST(a_sound_replica_has_no_finding)
{
    ck_sound(&ann);
    ck_sound(&bob);
}
END_TEST

START_TEST(a_replica_open_for_reading_can_be_verified)
{
    set(&ann, 5, "code", "tr-5");
    close_node(&ann);
    open_node(&ann, true);
    ck_sound(&ann);
}
END_TEST

START_TEST(rebuild_keeps_digest_rows_and_conflicts)
{
    static const char rows[] =
        "SELECT id, code, title_fr, modules, participants FROM trainings";
    static const char cells[] = "SELECT * FROM cell";
    struct ent_digest before = digest_of(&ann);
    struct ent_digest after;

    print_rows(&ann, rows, printed[0]);
    ck_ok(ent_store_rebuild(ann.store, &err));
    after = digest_of(&ann);
    ck_same_digest(&before, &after);
    print_rows(&ann, rows, printed[1]);
    ck_assert_str_eq(printed[0], printed[1]);
    print_rows(&ann, cells, printed[0]);
    print_rows(&bob, "SELECT count(*) FROM cell", printed[1]);
    ck_ok(ent_store_rebuild(ann.store, &err));
    print_rows(&ann, cells, printed[1]);
    ck_assert_str_eq(printed[0], printed[1]);
    ck_sound(&ann);
}
END_TEST

/* The next entries are added to what the rebuild made. */
START_TEST(work_goes_on_after_a_rebuild)
{
    struct ent_digest a;
    struct ent_digest b;

    ck_ok(ent_store_rebuild(ann.store, &err));
    set_int(&ann, 2, "participants", 9);
    set(&bob, 6, "code", "tr-6");
    meet();
    a = digest_of(&ann);
    b = digest_of(&bob);
    ck_same_digest(&a, &b);
    ck_sound(&ann);
}
END_TEST

static enum ent_written put(struct ent_writer *writer, uint8_t number,
                            const char *field, struct ent_value value)
{
    struct ent_edit_op op = {.code = ENT_OP_WRITE, .value = value};
    struct ent_edit made = {.kind = training()->number,
                            .id = {{number}},
                            .life = ENT_EDIT_TOUCH,
                            .ops = &op,
                            .op_count = 1};
    enum ent_written written;

    op.field = ent_field_named(training(), field)->number;
    ck_ok(ent_writer_put(writer, &made, false, &written, &err));
    return written;
}

/* One field alone is changed in the row where it stands; the log must say the
 * same: of what is emptied, filled, written again in the same entry or not
 * changed at all, and of a value that its column cannot hold. */
START_TEST(fields_changed_one_by_one_leave_sound_rows)
{
    static const char rows[] = "SELECT title_fr, participants"
                               " FROM trainings ORDER BY id";
    struct ent_value text = ent_value_text(ent_slice_str("Atelier"));
    struct ent_writer *writer;

    ck_ok(ent_writer_open(bob.store, bob.space, now_ms++, &writer, &err));
    ck_assert_int_eq(put(writer, 9, "title_fr", text), ENT_WRITTEN_NEW);
    ck_assert_int_eq(put(writer, 1, "title_fr", text), ENT_WRITTEN_CHANGED);
    ck_assert_int_eq(put(writer, 1, "title_fr", text), ENT_WRITTEN_NOTHING);
    ck_assert_int_eq(put(writer, 1, "title_fr", ent_value_nil()),
                     ENT_WRITTEN_CHANGED);
    ck_assert_int_eq(put(writer, 9, "participants", ent_value_int(3)),
                     ENT_WRITTEN_CHANGED);
    ck_ok(ent_writer_commit(writer, &err));
    ck_sound(&bob);

    ck_ok(ent_writer_open(bob.store, bob.space, now_ms++, &writer, &err));
    ck_assert_int_eq(put(writer, 9, "participants", text), ENT_WRITTEN_CHANGED);
    ck_assert_int_eq(put(writer, 1, "title_fr", text), ENT_WRITTEN_CHANGED);
    ck_ok(ent_writer_commit(writer, &err));
    ck_sound(&bob);

    ck_ok(ent_writer_open(bob.store, bob.space, now_ms++, &writer, &err));
    ck_assert_int_eq(put(writer, 9, "participants", ent_value_int(4)),
                     ENT_WRITTEN_CHANGED);
    ck_ok(ent_writer_commit(writer, &err));
    meet();
    print_rows(&ann, rows, printed[0]);
    print_rows(&bob, rows, printed[1]);
    ck_assert_str_eq(printed[0], printed[1]);
    ck_assert_ptr_nonnull(strstr(printed[1], "Atelier"));
    ck_sound(&ann);
    ck_sound(&bob);
}
END_TEST

START_TEST(the_word_index_is_made_again_after_a_rebuild)
{
    struct ent_record_ref found[4];
    size_t count;

    ck_ok(ent_search(ann.store, "tr-2", found, 4, &count, &err));
    ck_assert_uint_eq(count, 1);
    ck_ok(ent_store_rebuild(ann.store, &err));
    ck_ok(ent_search(ann.store, "tr-2", found, 4, &count, &err));
    ck_assert_uint_eq(count, 1);
}
END_TEST

/* --------------------------------------------------------------- the truth */

START_TEST(a_changed_entry_is_named)
{
    damage(&ann, "UPDATE log SET entry = flip(entry, -1)"
                 " WHERE n & 0xffffffffff = 2 AND n >> 40 = 1");
    ck_finds_one(&ann, false, "entry 2 of Ann");
}
END_TEST

START_TEST(an_entry_that_cannot_be_read_is_named)
{
    damage(&ann, "UPDATE log SET entry = x'c1'"
                 " WHERE n & 0xffffffffff = 2 AND n >> 40 = 1");
    ck_finds_one(&ann, false, "entry 2 of Ann");
}
END_TEST

START_TEST(the_author_of_another_log_is_named)
{
    damage(&ann, "UPDATE log SET entry = flip(entry, -1)"
                 " WHERE n & 0xffffffffff = 1 AND n >> 40 = 2");
    ck_finds_one(&ann, false, "entry 1 of Bob");
}
END_TEST

/* The state is summed up with the hashes: it is a second finding. */
START_TEST(a_changed_hash_is_named_once)
{
    damage(&ann, "UPDATE log SET hash = flip(hash, 9)"
                 " WHERE n & 0xffffffffff = 2 AND n >> 40 = 1");
    ck_finds(&ann, false, "entry 2 of Ann");
    ck_assert_ptr_null(strstr(findings, "entry 3"));
    ck_assert_ptr_null(strstr(findings, "signature"));
}
END_TEST

START_TEST(a_missing_entry_is_named)
{
    damage(&ann, "DELETE FROM log"
                 " WHERE n & 0xffffffffff = 2 AND n >> 40 = 1");
    ck_finds(&ann, false, "entries 2 to 2 of Ann");
    ck_assert_ptr_null(strstr(findings, "entry 3"));
}
END_TEST

START_TEST(a_log_cut_off_is_named)
{
    damage(&ann, "DELETE FROM log WHERE n >> 40 = 2"
                 " AND n & 0xffffffffff > 3");
    ck_finds(&ann, false, "entries 4 to");
}
END_TEST

START_TEST(another_time_is_named)
{
    damage(&ann, "UPDATE log SET at = at + 1 WHERE n = (1 << 40) + 2");
    ck_finds_one(&ann, false, "another time");
}
END_TEST

START_TEST(another_verdict_is_named)
{
    damage(&ann, "UPDATE log SET verdict = 1 WHERE n = (1 << 40) + 2");
    ck_finds(&ann, false, "in quarantine and should not be");
}
END_TEST

START_TEST(a_changed_signature_is_named)
{
    damage(&ann, "UPDATE origin SET sig = flip(sig, 3) WHERE o = 2");
    ck_finds_one(&ann, false, "signature over entry");
}
END_TEST

START_TEST(a_signature_of_another_entry_is_named)
{
    damage(&ann, "UPDATE origin SET signed = signed - 1 WHERE o = 2");
    ck_finds(&ann, false, "signature over entry");
    ck_assert_ptr_nonnull(strstr(findings, "not signed"));
}
END_TEST

START_TEST(changed_and_stray_older_signatures_are_named)
{
    damage(&ann, "INSERT INTO signature(n, sig)"
                 " SELECT (1 << 40) + 2, sig FROM origin WHERE o = 1");
    ck_finds_one(&ann, false, "signature over entry 2 of Ann");
    damage(&ann, "UPDATE signature SET n = (1 << 40) + 999");
    ck_finds_one(&ann, false, "not here");
}
END_TEST

START_TEST(a_changed_roster_is_named)
{
    damage(&ann, "UPDATE roster SET sig = flip(sig, 3) WHERE pos = 2");
    ck_finds(&ann, false, "roster entry 2");
}
END_TEST

START_TEST(a_changed_roster_hash_is_named)
{
    damage(&ann, "UPDATE roster SET hash = flip(hash, 3) WHERE pos = 2");
    ck_finds(&ann, false, "roster entry 2 does not have the hash");
}
END_TEST

START_TEST(a_roster_that_cannot_be_read_is_named)
{
    damage(&ann, "UPDATE roster SET body = x'c1' WHERE pos = 2");
    ck_finds(&ann, false, "roster entry 2");
}
END_TEST

START_TEST(a_missing_roster_entry_is_named)
{
    damage(&ann, "DELETE FROM roster WHERE pos = 1");
    ck_finds(&ann, false, "follows one that is not here");
}
END_TEST

START_TEST(entries_without_a_log_are_named)
{
    damage(&ann, "DELETE FROM origin WHERE o = 2");
    ck_finds(&ann, false, "belong to no log");
}
END_TEST

START_TEST(a_damaged_log_is_not_rebuilt)
{
    print_rows(&ann, "SELECT * FROM trainings", printed[0]);
    damage(&ann, "UPDATE log SET entry = flip(entry, -1)"
                 " WHERE n & 0xffffffffff = 2 AND n >> 40 = 1");
    ck_assert_int_eq(ent_store_rebuild(ann.store, &err), ENT_ESTORE);
    ck_assert_ptr_nonnull(strstr(err.text, "entry 2 of Ann"));
    print_rows(&ann, "SELECT * FROM trainings", printed[1]);
    ck_assert_str_eq(printed[0], printed[1]);
}
END_TEST

/* ---------------------------------------------------- what follows from it */

START_TEST(a_changed_value_is_named_and_mended)
{
    ck_mends(&ann, "UPDATE trainings SET code = 'tr-x' WHERE code = 'tr-2'",
             "training 02000000-0000-0000-0000-000000000000 is not what");
}
END_TEST

START_TEST(a_missing_row_is_named_and_mended)
{
    ck_mends(&ann, "DELETE FROM trainings WHERE code = 'tr-2'",
             "training 02000000-0000-0000-0000-000000000000 is missing");
}
END_TEST

START_TEST(a_row_too_many_is_named_and_mended)
{
    ck_mends(&ann,
             "INSERT INTO trainings(space, id, meta)"
             " SELECT space, zeroblob(16), x'0101' FROM trainings LIMIT 1",
             "training 00000000-0000-0000-0000-000000000000 is not in the log");
}
END_TEST

START_TEST(damaged_dots_are_named_and_mended)
{
    ck_mends(&ann, "UPDATE trainings SET meta = x'ff' WHERE code = 'tr-2'",
             "training 02000000-0000-0000-0000-000000000000 is damaged");
    ck_mends(&ann,
             "UPDATE trainings SET meta = x'0101' WHERE code = 'tr-2'",
             "training 02000000-0000-0000-0000-000000000000 is not what");
}
END_TEST

START_TEST(a_changed_side_of_a_conflict_is_named_and_mended)
{
    ck_mends(&ann, "UPDATE cell SET value = x'07' WHERE field = 13",
             "table cell is not what the log says");
}
END_TEST

START_TEST(a_lost_side_of_a_conflict_is_seen_by_the_quick_check)
{
    damage(&ann, "DELETE FROM cell WHERE field = 13");
    ck_finds(&ann, false, "do not add up");
    ck_ok(ent_store_rebuild(ann.store, &err));
    ck_sound(&ann);
}
END_TEST

START_TEST(a_changed_digest_is_named_and_mended)
{
    damage(&ann, "UPDATE space SET adjust = flip(adjust, 3)");
    ck_finds_one(&ann, false, "do not add up");
    ck_ok(ent_store_rebuild(ann.store, &err));
    ck_sound(&ann);
}
END_TEST

/* ------------------------------------------------------------------- crash */

/* Whatever is broken, verify says something and goes on. */
START_TEST(random_damage_to_any_column_crashes_nothing)
{
    static const char *const places[] = {
        "log SET entry = flip(entry, %1$d) WHERE n %% 7 = %2$d",
        "log SET hash = flip(hash, %1$d) WHERE n %% 7 = %2$d",
        "log SET sum = flip(sum, %1$d) WHERE n %% 7 = %2$d",
        "log SET n = n + 100 WHERE n %% 7 = %2$d",
        "trainings SET meta = flip(meta, %1$d)",
        ("trainings SET modules = CAST(flip(modules, %1$d) AS TEXT)"
         " WHERE modules IS NOT NULL"),
        "trainings SET id = substr(id, 1, %2$d) WHERE code = 'tr-2'",
        "cell SET value = flip(value, %1$d)",
        "cell SET n = n + %2$d + 1",
        "cell SET id = flip(id, %1$d) WHERE field = 13",
        "roster SET header = flip(header, %1$d)",
        "roster SET body = flip(body, %1$d)",
        "roster SET sig = flip(sig, %1$d)",
        "roster SET pos = pos + %2$d + 1",
        "origin SET author = flip(author, %1$d) WHERE o = 2",
        "origin SET id = flip(id, %1$d) WHERE o = 1",
        "origin SET base = base + %2$d + 1 WHERE o = 2",
        "origin SET branch = flip(branch, %1$d) WHERE o = 2",
        "origin SET space = space + 1 WHERE o = 2",
        "space SET id = flip(id, %1$d)",
        "space SET adjust = flip(adjust, %1$d)",
    };
    char sql[256] = "UPDATE ";
    int found = 0;

    snprintf(sql + 7, sizeof(sql) - 7, places[_i / 4],
             (int)ent_rand_below(&rnd, 200), _i % 4);
    damage(&ann, sql);
    found = verify(&ann, false) + verify(&ann, true);
    ck_assert_msg(found > 0 || strstr(sql, "SET sum") != NULL, "%s", sql);
    found = ent_store_rebuild(ann.store, &err);
    ck_assert_msg(found == 0 || found < 0, "%s", err.text);
}
END_TEST

START_TEST(random_damage_to_the_file_crashes_nothing)
{
    struct ent_store_options options = {.kinds = &kinds,
                                        .rand = &rnd,
                                        .now_ms = NOW_MS,
                                        .read_only = true};
    char path[128];
    off_t size;
    int fd;

    damage(&ann, "PRAGMA wal_checkpoint(TRUNCATE);"
                 "UPDATE local_node SET value = value");
    close_node(&ann);
    snprintf(path, sizeof(path), "%s/replica.db", ann.dir);
    fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    size = lseek(fd, 0, SEEK_END);
    for (int i = 0; i < 400; i++) {
        uint8_t byte = (uint8_t)ent_rand_below(&rnd, 256);

        ck_assert_int_eq(
            pwrite(fd, &byte, 1,
                   100 + (off_t)ent_rand_below(&rnd, (uint64_t)size - 100)),
            1);
    }
    close(fd);
    if (ent_store_open(ann.dir, &options, &ann.store, &err) < 0)
        return;
    (void)!ent_store_verify(ann.store, true, keep_finding, NULL, &err);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verify");
    TCase *tcase = tcase_create("verify");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, replicas_that_hold_the_same_have_one_digest);
    tcase_add_test(tcase, an_entry_more_is_another_digest);
    tcase_add_test(tcase, a_long_run_leaves_the_rows_that_its_author_has);
    tcase_add_test(tcase, a_sound_replica_has_no_finding);
    tcase_add_test(tcase, a_replica_open_for_reading_can_be_verified);
    tcase_add_test(tcase, fields_changed_one_by_one_leave_sound_rows);
    tcase_add_test(tcase, rebuild_keeps_digest_rows_and_conflicts);
    tcase_add_test(tcase, work_goes_on_after_a_rebuild);
    tcase_add_test(tcase, the_word_index_is_made_again_after_a_rebuild);
    tcase_add_test(tcase, a_changed_entry_is_named);
    tcase_add_test(tcase, an_entry_that_cannot_be_read_is_named);
    tcase_add_test(tcase, the_author_of_another_log_is_named);
    tcase_add_test(tcase, a_changed_hash_is_named_once);
    tcase_add_test(tcase, a_missing_entry_is_named);
    tcase_add_test(tcase, a_log_cut_off_is_named);
    tcase_add_test(tcase, another_time_is_named);
    tcase_add_test(tcase, another_verdict_is_named);
    tcase_add_test(tcase, a_changed_signature_is_named);
    tcase_add_test(tcase, a_signature_of_another_entry_is_named);
    tcase_add_test(tcase, changed_and_stray_older_signatures_are_named);
    tcase_add_test(tcase, a_changed_roster_is_named);
    tcase_add_test(tcase, a_changed_roster_hash_is_named);
    tcase_add_test(tcase, a_roster_that_cannot_be_read_is_named);
    tcase_add_test(tcase, a_missing_roster_entry_is_named);
    tcase_add_test(tcase, entries_without_a_log_are_named);
    tcase_add_test(tcase, a_damaged_log_is_not_rebuilt);
    tcase_add_test(tcase, a_changed_value_is_named_and_mended);
    tcase_add_test(tcase, a_missing_row_is_named_and_mended);
    tcase_add_test(tcase, a_row_too_many_is_named_and_mended);
    tcase_add_test(tcase, damaged_dots_are_named_and_mended);
    tcase_add_test(tcase, a_changed_side_of_a_conflict_is_named_and_mended);
    tcase_add_test(tcase,
                   a_lost_side_of_a_conflict_is_seen_by_the_quick_check);
    tcase_add_test(tcase, a_changed_digest_is_named_and_mended);
    tcase_add_loop_test(tcase, random_damage_to_any_column_crashes_nothing, 0,
                        21 * 4);
    tcase_add_loop_test(tcase, random_damage_to_the_file_crashes_nothing, 0,
                        40);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
