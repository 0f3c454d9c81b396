/* test_erase.c - what is erased for good (rules E1 to E4): it counts nowhere,
 * stands in no file, and does not come back. */
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "party.h"
#include "secure/hash.h"
#include "store/erase.h"
#include "store/members.h"
#include "store/query.h"
#include "store/records.h"
#include "store/replica.h"
#include "store/runs.h"
#include "store/seal.h"

#define MINUTE PARTY_MINUTE

enum { CHAIR, ANN, BEN, FAR, NODES };

static struct ent_arena arena;

static void setup(void)
{
    party_begin(NODES, NODES);
}

static void teardown(void)
{
    party_end();
    ent_arena_fini(&arena);
}

static struct ent_record_ref common(int node, int record)
{
    return (struct ent_record_ref){
        .space = number(node), .kind = NET_KIND, .id = net_record(record)};
}

static struct ent_record_ref owned(int node, int owner, int record)
{
    return (struct ent_record_ref){.space = number(node),
                                   .kind = NET_OWNED,
                                   .id = net_owned(net, space, owner, record)};
}

/* All entries of the one log that a node holds, as it serves them. */
static void read_log(int node, struct ent_run *run)
{
    const struct ent_hash8 none = {{0}};
    struct ent_head *heads;
    size_t count;

    ck_ok(ent_said_update(store_of(node), number(node), net_now(net, node),
                          &err));
    ck_ok(
        ent_frontier_read(store_of(node), number(node), &heads, &count, &err));
    ck_assert_uint_eq(count, 1);
    ck_ok(ent_run_read(store_of(node), heads[0].o, 1, &none, 1 << 16, &arena,
                       run, &err));
    free(heads);
}

static int erase_ref(int node, struct ent_record_ref ref)
{
    int rc = ent_record_erase(store_of(node), &ref, net_now(net, node), &err);

    if (rc == 0)
        net_local(net, node);
    return rc;
}

static int erase(int node, int record)
{
    return erase_ref(node, common(node, record));
}

static bool stands(int node, struct ent_record_ref ref)
{
    struct ent_record record = {0};
    bool found = ent_record_read(store_of(node), &ref, &record, &err) == 0;

    ent_record_fini(&record);
    return found;
}

/* ---------------------------------------------------------------- the files
 */

static bool file_holds(const char *path, const char *text)
{
    struct ent_buf bytes = {0};
    FILE *file = fopen(path, "rb");
    char part[4096];
    size_t len;
    bool holds = false;

    ck_assert_ptr_nonnull(file);
    while ((len = fread(part, 1, sizeof(part), file)) > 0)
        ent_buf_put(&bytes, part, len);
    fclose(file);
    for (size_t i = 0; !holds && i + strlen(text) <= bytes.len; i++)
        holds = strncasecmp((char *)bytes.at + i, text, strlen(text)) == 0;
    ent_buf_fini(&bytes);
    return holds;
}

/* Whether any file of a node holds that text, in whatever case. */
static bool files_hold(int node, const char *text)
{
    DIR *dir = opendir(net->nodes[node].home);
    struct dirent *item;
    bool holds = false;

    ck_assert_ptr_nonnull(dir);
    while (!holds && (item = readdir(dir)) != NULL) {
        char path[600];

        snprintf(path, sizeof(path), "%s/%s", net->nodes[node].home,
                 item->d_name);
        if (item->d_type == DT_REG)
            holds = file_holds(path, text);
    }
    closedir(dir);
    return holds;
}

static void index_words(int node)
{
    ck_ok(ent_search_catch_up(store_of(node), &err));
}

static void check_gone(int node, int record, const char *text)
{
    ck_assert(!stands(node, common(node, record)));
    ck_assert_int_eq(ent_store_scrub(store_of(node), &err), 1);
    index_words(node);
    ck_assert(!files_hold(node, text));
}

/* ---------------------------------------------------------------- the chair
 */

START_TEST(what_the_chair_erases_is_in_no_file_of_any_member)
{
    char text[64];

    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof(text), "zqcanary%d", i);
        set(ANN, 1, text);
        for (int j = 0; j < 10; j++)
            set(ANN, 100 + 10 * i + j, "something beside it");
        index_words(ANN);
    }
    meet(ANN, CHAIR);
    meet(BEN, ANN);
    index_words(CHAIR);
    index_words(BEN);
    ck_assert(files_hold(ANN, "zqcanary"));
    ck_assert(files_hold(BEN, "zqcanary"));
    ck_ok(erase(CHAIR, 1));
    check_gone(CHAIR, 1, "zqcanary");
    ck_assert(files_hold(BEN, "zqcanary"));
    meet(ANN, CHAIR);
    meet(BEN, ANN);
    check_gone(ANN, 1, "zqcanary");
    check_gone(BEN, 1, "zqcanary");
    check_values(BEN, 105, "something beside it");
    check_equal(CHAIR, ANN);
    check_equal(ANN, BEN);
    check_gone(BEN, 1, "zqcanary");
}
END_TEST

/* Rows that grow and shrink in no order leave copies of themselves in the gaps
 * of pages that are split and joined; deleting reaches none of those. */
START_TEST(pages_that_were_split_and_joined_keep_no_copy)
{
    enum { RECORDS = 200, EDITS = 1200, ERASED = 40 };
    struct ent_rand rand;
    char text[1500];

    ent_rand_init_u64(&rand, 8);
    for (int i = 0; i < EDITS; i++) {
        int record = (int)ent_rand_below(&rand, RECORDS);
        int len = snprintf(text, sizeof(text), "zqgap%dx", record);
        int more = (int)ent_rand_below(&rand, i % 3 == 0 ? 1400 : 60);

        memset(text + len, 'a' + i % 26, (size_t)more);
        text[len + more] = '\0';
        set(CHAIR, record, text);
    }
    for (int record = 0; record < ERASED; record++)
        ck_ok(erase(CHAIR, record));
    ck_assert_int_eq(ent_store_scrub(store_of(CHAIR), &err), 1);
    index_words(CHAIR);
    for (int record = 0; record < ERASED; record++) {
        snprintf(text, sizeof(text), "zqgap%dx", record);
        ck_assert_msg(!files_hold(CHAIR, text), "%s", text);
    }
    ck_assert(files_hold(CHAIR, "zqgap41x"));
    check_sound(CHAIR);
}
END_TEST

START_TEST(an_edit_made_apart_loses_and_is_counted)
{
    struct ent_erasure *list;
    size_t count;

    set(ANN, 1, "before");
    meet(ANN, CHAIR);
    meet(ANN, BEN);
    set(ANN, 1, "zqlate one");
    set(ANN, 2, "another record");
    set(ANN, 1, "zqlate two");
    ck_ok(erase(CHAIR, 1));
    meet(BEN, CHAIR);
    meet(ANN, BEN);
    meet(BEN, CHAIR);
    for (int node = CHAIR; node <= BEN; node++) {
        check_gone(node, 1, "zqlate");
        check_values(node, 2, "another record");
    }
    ck_ok(ent_erasure_list(store_of(CHAIR), 0, &arena, &list, &count, &err));
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(list[0].late, 2);
    ck_assert(ent_key_equal(&list[0].by, key_of(CHAIR)));
    check_equal(ANN, CHAIR);
    check_equal(ANN, BEN);
}
END_TEST

START_TEST(nothing_is_written_to_a_record_that_is_erased)
{
    set(CHAIR, 1, "there");
    ck_ok(erase(CHAIR, 1));
    ck_assert_int_eq(net_set(net, CHAIR, space, 1, NET_TITLE, "again"),
                     ENT_EREFUSED);
    ck_assert_int_eq(net_life(net, CHAIR, space, 1, ENT_EDIT_UNDELETE),
                     ENT_EREFUSED);
    ck_assert_int_eq(erase(CHAIR, 1), ENT_EUSAGE);
    set(CHAIR, 2, "another");
    check_sound(CHAIR);
}
END_TEST

START_TEST(a_record_nobody_wrote_yet_can_be_erased)
{
    ck_ok(erase(CHAIR, 1));
    set(ANN, 1, "zqunheard of");
    meet(ANN, CHAIR);
    check_gone(CHAIR, 1, "zqunheard");
    check_gone(ANN, 1, "zqunheard");
    check_equal(ANN, CHAIR);
}
END_TEST

START_TEST(only_the_chair_erases_what_has_no_owner)
{
    set(ANN, 1, "mine or not");
    ck_assert_int_eq(erase(ANN, 1), ENT_EDENIED);
    check_values(ANN, 1, "mine or not");
}
END_TEST

/* The others of an entry keep their values and their salts. */
START_TEST(records_of_the_same_entry_keep_their_values)
{
    struct ent_edit_op op[3];
    struct ent_edit edits[3];
    char text[3][32];

    for (int i = 0; i < 3; i++) {
        snprintf(text[i], sizeof(text[i]), "zqpart%d", i);
        op[i] = (struct ent_edit_op){
            .code = ENT_OP_WRITE,
            .field = NET_TITLE,
            .value = ent_value_text(ent_slice_str(text[i]))};
        edits[i] = (struct ent_edit){.kind = NET_KIND,
                                     .id = net_record(i),
                                     .fresh = true,
                                     .ops = &op[i],
                                     .op_count = 1};
    }
    ck_assert_int_eq(net_put(net, ANN, space, edits, 3), 0);
    meet(ANN, CHAIR);
    ck_ok(erase(CHAIR, 1));
    meet(BEN, ANN);
    meet(BEN, CHAIR);
    meet(ANN, CHAIR);
    meet(FAR, ANN);
    for (int node = CHAIR; node < NODES; node++) {
        check_gone(node, 1, "zqpart1");
        check_values(node, 0, "zqpart0");
        check_values(node, 2, "zqpart2");
    }
    check_equal(CHAIR, FAR);
    check_equal(ANN, BEN);
    ck_ok(erase(CHAIR, 0));
    meet(FAR, CHAIR);
    check_gone(FAR, 0, "zqpart0");
    check_values(FAR, 2, "zqpart2");
    check_equal(CHAIR, FAR);
}
END_TEST

/* Whatever peers send: the payload is cut off before anything is kept. */
START_TEST(what_a_peer_still_sends_of_it_is_not_kept)
{
    struct ent_run run;
    struct ent_taken taken;

    set(ANN, 1, "zqstubborn");
    read_log(ANN, &run);
    ck_assert_uint_eq(run.count, 1);
    ck_ok(erase(CHAIR, 1));
    ck_ok(ent_runs_take(store_of(CHAIR), number(CHAIR), key_of(ANN), &run, 1,
                        net_now(net, CHAIR), &taken, &err));
    ck_assert_int_eq(taken.applied, 1);
    check_gone(CHAIR, 1, "zqstubborn");
    check_sound(CHAIR);
    ck_ok(ent_runs_take(store_of(CHAIR), number(CHAIR), key_of(ANN), &run, 1,
                        net_now(net, CHAIR), &taken, &err));
    ck_assert_int_eq(taken.duplicate, 1);
    check_gone(CHAIR, 1, "zqstubborn");
}
END_TEST

/* ---------------------------------------------------------------- the owner
 */

#define MISSING (-1) /* it stands, and its value is not here */

static int64_t amount(int node, int owner, int record)
{
    const struct ent_record_ref ref = owned(node, owner, record);
    struct ent_record found = {0};
    int64_t value = -2;

    ck_ok(ent_record_read(store_of(node), &ref, &found, &err));
    for (size_t i = 0; i < found.write_count; i++)
        if (found.writes[i].field == NET_AMOUNT)
            value = found.writes[i].missing ? MISSING
                                            : found.writes[i].value.integer;
    ent_record_fini(&found);
    return value;
}

START_TEST(an_owner_erases_its_own_record_and_nobody_elses)
{
    ck_assert_int_eq(net_give(net, ANN, space, ANN, 1, 424242), 0);
    ck_assert_int_eq(net_give(net, BEN, space, BEN, 1, 7), 0);
    meet(ANN, BEN);
    ck_assert_int_eq(erase_ref(BEN, owned(BEN, ANN, 1)), ENT_EDENIED);
    ck_ok(erase_ref(ANN, owned(ANN, ANN, 1)));
    ck_assert(!stands(ANN, owned(ANN, ANN, 1)));
    ck_assert_int_eq(net_give(net, ANN, space, ANN, 1, 5), ENT_EREFUSED);
    meet(ANN, BEN);
    meet(BEN, CHAIR);
    for (int node = CHAIR; node <= BEN; node++) {
        ck_assert(!stands(node, owned(node, ANN, 1)));
        ck_assert(stands(node, owned(node, BEN, 1)));
    }
    check_equal(ANN, BEN);
    check_equal(BEN, CHAIR);
}
END_TEST

/* A forger's is quarantined: nothing is lost. */
START_TEST(an_erasure_by_somebody_else_takes_effect_nowhere)
{
    struct net_forger log = {0};
    struct net_forgery foreign = {
        .kind = NET_OWNED, .id = net_owned(net, space, ANN, 1), .erases = true};

    ck_assert_int_eq(net_give(net, ANN, space, ANN, 1, 24), 0);
    meet(ANN, BEN);
    ck_assert_int_eq(net_forge(net, BEN, space, &log, &foreign, 1), 0);
    meet(BEN, CHAIR);
    meet(ANN, CHAIR);
    for (int node = CHAIR; node <= BEN; node++)
        ck_assert(stands(node, owned(node, ANN, 1)));
    ck_assert_int_eq(net_counts(net, CHAIR, space).quarantined, 1);
    check_equal(ANN, CHAIR);
}
END_TEST

/* Its log is cut below the erasure: the record counts again everywhere. Where
 * it was carried out the values do not come back, and the node says so; the
 * chair, who never accepted it, has lost nothing. */
START_TEST(an_owners_erasure_is_not_undone_by_a_cut)
{
    struct ent_erasure *list;
    size_t count;

    ck_assert_int_eq(net_give(net, ANN, space, ANN, 1, 24), 0);
    meet(ANN, CHAIR);
    meet(ANN, BEN);
    ck_ok(erase_ref(ANN, owned(ANN, ANN, 1)));
    meet(ANN, BEN);
    ck_assert(!stands(BEN, owned(BEN, ANN, 1)));
    ck_ok(ent_member_remove(store_of(CHAIR), number(CHAIR), key_of(ANN), "",
                            net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    meet(BEN, CHAIR);
    ck_assert(stands(BEN, owned(BEN, ANN, 1)));
    ck_assert(stands(CHAIR, owned(CHAIR, ANN, 1)));
    ck_assert_int_eq(amount(CHAIR, ANN, 1), 24);
    ck_assert_int_eq(amount(BEN, ANN, 1), MISSING);
    ck_assert(net_equal(net, BEN, CHAIR, space));
    ck_ok(ent_erasure_list(store_of(BEN), 0, &arena, &list, &count, &err));
    ck_assert_uint_eq(count, 1);
    ck_assert(!list[0].counts);
    meet(BEN, CHAIR);
    ck_assert_int_eq(amount(BEN, ANN, 1), MISSING);
    check_sound(BEN);
    check_sound(CHAIR);
    ck_ok(erase_ref(CHAIR, owned(CHAIR, ANN, 1)));
    meet(BEN, CHAIR);
    ck_assert(!stands(BEN, owned(BEN, ANN, 1)));
    check_equal(BEN, CHAIR);
}
END_TEST

/* ------------------------------------------------------------------- staying
 */

START_TEST(it_stays_erased_when_an_older_replica_is_put_back)
{
    set(ANN, 1, "zqrestored");
    meet(ANN, CHAIR);
    net_backup(net, ANN);
    ck_ok(erase(CHAIR, 1));
    meet(ANN, CHAIR);
    check_gone(ANN, 1, "zqrestored");
    net_restore(net, ANN, true);
    ck_assert(stands(ANN, common(ANN, 1)));
    meet(ANN, CHAIR);
    ck_assert(!stands(ANN, common(ANN, 1)));
    check_equal(ANN, CHAIR);
    check_gone(CHAIR, 1, "zqrestored");
}
END_TEST

START_TEST(each_node_says_when_it_has_carried_it_out)
{
    struct ent_erasure *list;
    size_t count;

    set(ANN, 1, "there");
    meet(ANN, CHAIR);
    meet(BEN, CHAIR);
    ck_ok(erase(CHAIR, 1));
    meet(ANN, CHAIR);
    ck_ok(ent_erasure_list(store_of(CHAIR), number(CHAIR), &arena, &list,
                           &count, &err));
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(
        ent_erasure_confirmed(store_of(CHAIR), &list[0], key_of(CHAIR), &err),
        1);
    ck_assert_int_eq(
        ent_erasure_confirmed(store_of(CHAIR), &list[0], key_of(ANN), &err), 1);
    ck_assert_int_eq(
        ent_erasure_confirmed(store_of(CHAIR), &list[0], key_of(BEN), &err), 0);
    meet(BEN, ANN);
    meet(ANN, CHAIR);
    ck_assert_int_eq(
        ent_erasure_confirmed(store_of(CHAIR), &list[0], key_of(BEN), &err), 1);
}
END_TEST

/* The replica is read by another program all the time: the files are not free
 * of it, and nobody is told that they are. */
START_TEST(a_reader_in_the_way_delays_the_confirmation)
{
    struct ent_erasure *list;
    sqlite3 *reader;
    char path[600];
    size_t count;

    set(ANN, 1, "zqread");
    meet(ANN, CHAIR);
    ck_ok(erase(CHAIR, 1));
    snprintf(path, sizeof(path), "%s/replica.db", net->nodes[ANN].home);
    ck_assert_int_eq(sqlite3_open(path, &reader), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM log",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    net_heal(net, ANN, CHAIR);
    net_call(net, ANN, CHAIR);
    net_run(net, 3 * MINUTE);
    ck_assert(!stands(ANN, common(ANN, 1)));
    ck_ok(ent_erasure_list(store_of(CHAIR), 0, &arena, &list, &count, &err));
    ck_assert_int_eq(
        ent_erasure_confirmed(store_of(CHAIR), &list[0], key_of(ANN), &err), 0);
    ck_assert_int_eq(ent_store_scrub_due(store_of(ANN), &err), 1);
    sqlite3_close(reader);
    /* Nobody calls again: the session goes on. */
    ck_assert(net_run_quiet(net, 10 * MINUTE));
    ck_assert_int_eq(
        ent_erasure_confirmed(store_of(CHAIR), &list[0], key_of(ANN), &err), 1);
    check_gone(ANN, 1, "zqread");
}
END_TEST

/* Ann erases notes of her own, once a minute for an hour, on a link with Ben:
 * how often has he written his file anew? */
static int scrubs_in_an_hour(void)
{
    char before[32] = "";
    int times = 0;

    net_heal(net, ANN, BEN);
    net_call(net, ANN, BEN);
    for (int minute = 1; minute <= 60; minute++) {
        char now[32];

        ck_assert_int_eq(net_give(net, ANN, space, ANN, minute, minute), 0);
        ck_ok(erase_ref(ANN, owned(ANN, ANN, minute)));
        net_run(net, MINUTE);
        ck_ok(ent_node_get(store_of(BEN), "scrub", now, sizeof(now), &err));
        times += strncmp(now, "done", 4) == 0 && strcmp(now, before) != 0;
        snprintf(before, sizeof(before), "%s", now);
    }
    return times;
}

START_TEST(who_erases_without_end_makes_nobody_write_without_end)
{
    int times = scrubs_in_an_hour();

    ck_assert_int_ge(times, 3);
    ck_assert(!stands(BEN, owned(BEN, ANN, 60)));
    ck_assert_int_le(times, 7);
    /* When she rests it is done, and the next one is done at once. */
    ck_assert(net_run_quiet(net, 2 * 60 * MINUTE));
    ck_assert_int_eq(ent_store_scrub_due(store_of(BEN), &err), 0);
    net_run(net, 3 * 60 * MINUTE);
    ck_assert_int_eq(net_give(net, ANN, space, ANN, 61, 1), 0);
    ck_ok(erase_ref(ANN, owned(ANN, ANN, 61)));
    net_run(net, MINUTE);
    ck_assert(!stands(BEN, owned(BEN, ANN, 61)));
    ck_assert_int_eq(ent_store_scrub_due(store_of(BEN), &err), 0);
}
END_TEST

/* -------------------------------------------------------- what comes back
 */

static void vote(int by, int next, struct ent_buf *line)
{
    ck_ok(ent_vote_make(store_of(by), number(by), key_of(next), line, &err));
}

/* Two deputies who have not heard of it make Ann the chair. */
static void succeed_without(void)
{
    const struct ent_key keys[] = {*key_of(ANN), *key_of(BEN), *key_of(FAR)};
    struct ent_buf lines[2] = {{0}, {0}};
    const char *texts[2];

    ck_ok(ent_deputies_set(store_of(CHAIR), number(CHAIR), keys, 3,
                           net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    meet(ANN, CHAIR);
    meet(BEN, CHAIR);
    meet(FAR, CHAIR);
    ck_ok(erase(CHAIR, 1));
    vote(ANN, ANN, &lines[0]);
    vote(BEN, ANN, &lines[1]);
    for (int i = 0; i < 2; i++)
        texts[i] = ent_buf_cstr(&lines[i]);
    ck_ok(ent_succeed(store_of(ANN), number(ANN), texts, 2, net_now(net, ANN),
                      &err));
    net_local(net, ANN);
    ent_buf_fini(&lines[0]);
    ent_buf_fini(&lines[1]);
}

static int64_t wanted(int node)
{
    int64_t count;

    ck_ok(ent_wanted_count(store_of(node), number(node), &count, &err));
    return count;
}

START_TEST(an_erasure_that_becomes_void_gives_the_record_back)
{
    set(BEN, 1, "first");
    set(BEN, 1, "standing");
    set(BEN, 2, "another");
    meet(BEN, CHAIR);
    succeed_without();
    ck_assert(!stands(CHAIR, common(CHAIR, 1)));
    meet(CHAIR, ANN);
    ck_assert(stands(CHAIR, common(CHAIR, 1)));
    check_equal(CHAIR, ANN);
    meet(CHAIR, ANN);
    ck_assert_int_eq(wanted(CHAIR), 0);
    check_values(CHAIR, 1, "standing");
    check_values(ANN, 1, "standing");
    meet(BEN, ANN);
    check_equal(CHAIR, ANN);
    check_equal(BEN, ANN);
}
END_TEST

START_TEST(while_nobody_has_its_values_they_are_wanted)
{
    set(BEN, 1, "standing");
    meet(BEN, CHAIR);
    succeed_without();
    net_stop(net, BEN);
    ck_assert(!stands(CHAIR, common(CHAIR, 1)));
    net_copy_roster(net, space, ANN, FAR);
    net_local(net, FAR);
    net_copy_roster(net, space, ANN, CHAIR);
    net_local(net, CHAIR);
    ck_assert_int_eq(wanted(CHAIR), 1);
    check_sound(CHAIR);
    ck_assert_int_eq(wanted(CHAIR), 1);
    net_start(net, BEN);
    net_copy_roster(net, space, ANN, BEN);
    net_local(net, BEN);
    meet(BEN, CHAIR);
    ck_assert_int_eq(wanted(CHAIR), 0);
    check_values(CHAIR, 1, "standing");
    check_equal(BEN, CHAIR);
}
END_TEST

/* A member passes an entry on without its values: it stands, and the values
 * come from whoever has them. */
START_TEST(values_that_were_held_back_come_from_another_peer)
{
    struct ent_entry entry = {.seq = 1};
    struct ent_slice stub;
    struct ent_buf packed = {0};
    struct ent_run run;
    struct ent_taken taken;

    set(ANN, 1, "held back");
    read_log(ANN, &run);
    entry.origin = run.origin;
    ck_ok(ent_entry_get(run.entries[0], &arena, &entry, &err));
    ent_seal_erase(&entry, 0);
    ent_entry_put(&packed, &entry);
    stub = ent_buf_slice(&packed);
    run.entries = &stub;
    ck_ok(ent_runs_take(store_of(BEN), number(BEN), key_of(FAR), &run, 1,
                        net_now(net, BEN), &taken, &err));
    ent_buf_fini(&packed);
    ck_assert_int_eq(taken.applied, 1);
    ck_assert(stands(BEN, common(BEN, 1)));
    ck_assert_int_eq(wanted(BEN), 1);
    check_sound(BEN);
    meet(BEN, ANN);
    ck_assert_int_eq(wanted(BEN), 0);
    check_values(BEN, 1, "held back");
    check_equal(BEN, ANN);
}
END_TEST

/* The values of the only entry leave a replica that has settled everything. */
static void lose_values(int node, struct ent_slice full)
{
    struct ent_store *store = store_of(node);
    struct ent_entry entry = {.seq = 1};
    struct ent_buf packed = {0};
    struct ent_stmt stmt;

    ck_ok(ent_entry_get(full, &arena, &entry, &err));
    ent_seal_erase(&entry, 0);
    ent_entry_put(&packed, &entry);
    ck_ok(
        ent_db_exec(&store->db, "INSERT INTO wanted SELECT n FROM log", &err));
    ck_ok(
        ent_stmt_prepare(&store->db, "UPDATE log SET entry = ?1", &stmt, &err));
    ent_stmt_bind_blob(&stmt, 1, packed.at, packed.len);
    ck_ok(ent_stmt_run(&stmt, &err));
    ent_stmt_fini(&stmt);
    ent_buf_fini(&packed);
    ck_ok(ent_store_rebuild(store, &err));
}

START_TEST(a_space_of_which_values_are_missing_is_not_greeted_as_equal)
{
    struct ent_run run;

    set(ANN, 1, "lost and found");
    meet(ANN, BEN);
    meet(ANN, BEN);
    read_log(ANN, &run);
    lose_values(BEN, run.entries[0]);
    ck_assert_int_eq(wanted(BEN), 1);
    meet(BEN, ANN);
    ck_assert_int_eq(wanted(BEN), 0);
    check_values(BEN, 1, "lost and found");
    check_equal(BEN, ANN);
}
END_TEST

/* A damaged entry of its own is no fault of the peer: nothing of the batch
 * stays, and nothing of what stood is gone. */
START_TEST(values_put_in_beside_a_damaged_log_leave_all_as_it_was)
{
    struct ent_digest before;
    struct ent_digest after;
    struct ent_run run;
    struct ent_taken taken;

    set(ANN, 1, "lost");
    meet(ANN, BEN);
    read_log(ANN, &run);
    lose_values(BEN, run.entries[0]);
    set(BEN, 2, "of Ben");
    before = net_digest(net, BEN, space);
    ck_ok(ent_db_exec(&store_of(BEN)->db,
                      "UPDATE log SET entry = x'00' WHERE n NOT IN"
                      " (SELECT n FROM wanted)",
                      &err));
    ck_assert_int_eq(ent_runs_take(store_of(BEN), number(BEN), key_of(ANN),
                                   &run, 1, net_now(net, BEN), &taken, &err),
                     ENT_ESTORE);
    after = net_digest(net, BEN, space);
    ck_assert_mem_eq(&before, &after, sizeof(before));
    ck_assert_int_eq(wanted(BEN), 1);
    check_values(BEN, 2, "of Ben");
}
END_TEST

/* Each change may grow to a salt and a commitment. */
START_TEST(a_run_that_no_message_could_carry_once_erased_is_refused)
{
    static uint8_t bytes[ENT_ENTRY_BYTES_MAX];
    static struct ent_change changes[ENT_ENTRY_CHANGES_MAX];
    struct ent_slice packed[40];
    struct ent_entry entries[40];
    struct ent_run run = {.entries = packed, .count = 40};

    for (size_t i = 0; i < ENT_ARRAY_LEN(changes); i++)
        changes[i].has_commitment = true;
    for (size_t i = 0; i < 40; i++) {
        packed[i] = ent_slice(bytes, 24 * ENT_ENTRY_CHANGES_MAX);
        entries[i] = (struct ent_entry){.changes = changes,
                                        .change_count = ENT_ENTRY_CHANGES_MAX,
                                        .has_seed = true};
    }
    ck_assert_int_eq(ent_run_check_bytes(&run, 0, &err), 0);
    ck_assert_int_eq(ent_run_check_stubs(&run, entries, 40, &err),
                     ENT_EREFUSED);
    run.count = 30;
    ck_assert_int_eq(ent_run_check_stubs(&run, entries, 30, &err), 0);
}
END_TEST

/* An erasure while another program was at the one before is not taken for it.
 */
START_TEST(each_scrub_has_a_number_of_its_own)
{
    char first[32];
    char second[32];

    ck_ok(erase(CHAIR, 1));
    ck_ok(ent_node_get(store_of(CHAIR), "scrub", first, sizeof(first), &err));
    ck_assert_int_eq(ent_store_scrub(store_of(CHAIR), &err), 1);
    ck_ok(erase(CHAIR, 2));
    ck_ok(ent_node_get(store_of(CHAIR), "scrub", second, sizeof(second), &err));
    ck_assert_str_ne(first, second);
    ck_assert_int_eq(ent_store_scrub_due(store_of(CHAIR), &err), 1);
}
END_TEST

/* A commitment beside the seed would tell its salt, and what stands in the
 * place of a salt that is not needed is under no hash. */
START_TEST(what_was_erased_has_one_form)
{
    struct ent_entry entry = {.seq = 1};
    struct ent_entry again = {.seq = 1};
    struct ent_buf packed = {0};
    struct ent_run run;
    uint8_t *salt;

    set(ANN, 1, "held back");
    read_log(ANN, &run);
    ck_ok(ent_entry_get(run.entries[0], &arena, &entry, &err));
    ent_seal_erase(&entry, 0);
    entry.has_seed = true;
    ent_entry_put(&packed, &entry);
    ck_assert_int_eq(
        ent_entry_get(ent_buf_slice(&packed), &arena, &again, &err),
        ENT_EREFUSED);
    entry.has_seed = false;
    ent_buf_reset(&packed);
    ent_entry_put(&packed, &entry);
    ck_ok(ent_entry_get(ent_buf_slice(&packed), &arena, &again, &err));
    /* The empty salt of the only change, in its list, becomes one byte. */
    salt = memmem(packed.at, packed.len, "\x91\xc4\x00", 3);
    ck_assert_ptr_nonnull(salt);
    ent_buf_put_u8(&packed, 0);
    salt = memmem(packed.at, packed.len, "\x91\xc4\x00", 3);
    memmove(salt + 4, salt + 3,
            (size_t)(packed.at + packed.len - 1 - (salt + 3)));
    salt[2] = 1;
    salt[3] = 'x';
    ck_assert_int_eq(
        ent_entry_get(ent_buf_slice(&packed), &arena, &again, &err),
        ENT_EREFUSED);
    ent_buf_fini(&packed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("erase");
    TCase *tcase = tcase_create("erase");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_the_chair_erases_is_in_no_file_of_any_member);
    tcase_add_test(tcase, pages_that_were_split_and_joined_keep_no_copy);
    tcase_add_test(tcase, an_edit_made_apart_loses_and_is_counted);
    tcase_add_test(tcase, nothing_is_written_to_a_record_that_is_erased);
    tcase_add_test(tcase, a_record_nobody_wrote_yet_can_be_erased);
    tcase_add_test(tcase, only_the_chair_erases_what_has_no_owner);
    tcase_add_test(tcase, records_of_the_same_entry_keep_their_values);
    tcase_add_test(tcase, what_a_peer_still_sends_of_it_is_not_kept);
    tcase_add_test(tcase, an_owner_erases_its_own_record_and_nobody_elses);
    tcase_add_test(tcase, an_erasure_by_somebody_else_takes_effect_nowhere);
    tcase_add_test(tcase, an_owners_erasure_is_not_undone_by_a_cut);
    tcase_add_test(tcase, it_stays_erased_when_an_older_replica_is_put_back);
    tcase_add_test(tcase, each_node_says_when_it_has_carried_it_out);
    tcase_add_test(tcase, a_reader_in_the_way_delays_the_confirmation);
    tcase_add_test(tcase, an_erasure_that_becomes_void_gives_the_record_back);
    tcase_add_test(tcase, while_nobody_has_its_values_they_are_wanted);
    tcase_add_test(tcase, values_that_were_held_back_come_from_another_peer);
    tcase_add_test(tcase,
                   a_space_of_which_values_are_missing_is_not_greeted_as_equal);
    tcase_add_test(tcase,
                   values_put_in_beside_a_damaged_log_leave_all_as_it_was);
    tcase_add_test(tcase,
                   a_run_that_no_message_could_carry_once_erased_is_refused);
    tcase_add_test(tcase, each_scrub_has_a_number_of_its_own);
    tcase_add_test(tcase,
                   who_erases_without_end_makes_nobody_write_without_end);
    tcase_add_test(tcase, what_was_erased_has_one_form);
    suite_add_tcase(suite, tcase);
    return party_run(suite) > 0;
}
