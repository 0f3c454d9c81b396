/* test_owned.c - records that belong to their author (rule M9): what others do
 * to them takes effect nowhere, whoever meets whom first and whenever the
 * roster says that one key has the place of another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "party.h"
#include "secure/hash.h"
#include "store/members.h"
#include "store/replica.h"

#define MINUTE PARTY_MINUTE
#define UNKNOWN_OWNED 555 /* kinds that no definition here names */
#define UNKNOWN_COMMON 444

enum { CHAIR, ANN, BEN, FAR, NEW, NODES };

/* All but NEW are editors. */
static void setup(void)
{
    party_begin(NODES, NEW);
}

static void give(int node, int owner, int record, int64_t amount)
{
    ck_assert_int_eq(net_give(net, node, space, owner, record, amount), 0);
}

/* What stands in a field of a record, or -1 when nothing does. */
static int64_t value_at(int node, uint32_t kind, struct ent_id id,
                        uint32_t field)
{
    const struct ent_record_ref ref = {
        .space = number(node), .kind = kind, .id = id};
    struct ent_record record = {0};
    int64_t value = -1;

    if (ent_record_read(store_of(node), &ref, &record, &err) < 0)
        return value;
    for (size_t i = 0; i < record.write_count; i++)
        if (record.writes[i].field == field) {
            ck_assert_int_eq(value, -1);
            value = record.writes[i].value.integer;
        }
    ent_record_fini(&record);
    return value;
}

static int64_t amount(int node, int owner, int record)
{
    return value_at(node, NET_OWNED, net_owned(net, space, owner, record),
                    NET_AMOUNT);
}

static struct net_forgery on_owned(int owner, int record, int64_t value)
{
    return (struct net_forgery){.kind = NET_OWNED,
                                .id = net_owned(net, space, owner, record),
                                .field = NET_AMOUNT,
                                .value = ent_value_int(value)};
}

static struct net_forgery on_common(int record, const char *text)
{
    return (struct net_forgery){.kind = NET_KIND,
                                .id = net_record(record),
                                .field = NET_TITLE,
                                .value = ent_value_text(ent_slice_str(text))};
}

/* ------------------------------------------------------------ what others do
 */

START_TEST(nobody_but_the_owner_can_write_locally)
{
    struct ent_digest before;
    struct ent_digest after;

    give(ANN, ANN, 1, 24);
    meet(ANN, BEN);
    before = net_digest(net, BEN, space);
    ck_assert_int_eq(net_give(net, BEN, space, ANN, 1, 99), ENT_EDENIED);
    ck_assert_int_eq(net_give(net, BEN, space, ANN, 2, 99), ENT_EDENIED);
    after = net_digest(net, BEN, space);
    ck_assert_mem_eq(&before, &after, sizeof(before));
    give(BEN, BEN, 1, 7);
    give(ANN, ANN, 1, 25);
    meet(ANN, BEN);
    ck_assert_int_eq(amount(BEN, ANN, 1), 25);
    ck_assert_int_eq(amount(ANN, BEN, 1), 7);
    check_equal(ANN, BEN);
}
END_TEST

/* Ann's figure stands, on the forger's own node too; what it wrote is passed
 * on, and the log goes on behind it. */
START_TEST(a_foreign_change_takes_effect_nowhere_and_holds_nothing_up)
{
    struct net_forger log = {0};
    struct net_forgery foreign;
    struct net_forgery honest = on_common(7, "honest");
    struct ent_quarantined *list;
    size_t count;

    give(ANN, ANN, 1, 24);
    meet(ANN, BEN);
    foreign = on_owned(ANN, 1, 99);
    ck_assert_int_eq(net_forge(net, BEN, space, &log, &foreign, 1), 0);
    ck_assert_int_eq(net_forge(net, BEN, space, &log, &honest, 1), 0);
    meet(BEN, FAR);
    meet(FAR, CHAIR);
    for (int i = CHAIR; i < NEW; i++) {
        if (i != ANN) {
            ck_assert_int_eq(amount(i, ANN, 1), 24);
            ck_assert_int_eq(net_counts(net, i, space).quarantined, 1);
            check_values(i, 7, "honest");
        }
    }
    ck_ok(ent_quarantine_list(store_of(CHAIR), number(CHAIR), &list, &count,
                              &err));
    ck_assert_uint_eq(count, 1);
    ck_assert(ent_key_equal(&list[0].author, key_of(BEN)));
    ck_assert_uint_eq(list[0].seq, 1);
    ck_assert_ptr_nonnull(strstr(list[0].reason, "somebody else"));
    free(list);
    ck_assert_int_eq(net_peer(net, CHAIR, FAR).quarantined, 1);
    ck_assert_int_eq(net_peer(net, CHAIR, FAR).refused, 0);
    give(ANN, ANN, 1, 25);
    meet(ANN, CHAIR);
    ck_assert_int_eq(amount(CHAIR, ANN, 1), 25);
    check_equal(ANN, CHAIR);
    meet(BEN, CHAIR);
    check_equal(BEN, ANN);
}
END_TEST

/* Rule A3. */
START_TEST(one_foreign_change_takes_its_whole_entry_along)
{
    struct net_forger log = {0};
    struct net_forgery items[3];

    give(ANN, ANN, 1, 24);
    meet(ANN, BEN);
    items[0] = on_owned(BEN, 1, 7);
    items[1] = on_owned(ANN, 1, 99);
    items[2] = on_common(3, "beside it");
    if (ent_id_cmp(&items[1].id, &items[0].id) < 0) {
        struct net_forgery swap = items[0];

        items[0] = items[1];
        items[1] = swap;
    }
    ck_assert_int_eq(net_forge(net, BEN, space, &log, items, 3), 0);
    meet(BEN, CHAIR);
    ck_assert_int_eq(amount(CHAIR, ANN, 1), 24);
    ck_assert_int_eq(amount(CHAIR, BEN, 1), -1);
    check_values(CHAIR, 3, "");
    check_equal(BEN, CHAIR);
}
END_TEST

/* The number alone says it: an upgrade that brings the definition changes
 * nothing (L6). */
START_TEST(a_kind_nobody_here_knows_is_owned_by_its_number)
{
    struct net_forgery item = {.kind = UNKNOWN_OWNED,
                               .id = net_owned(net, space, ANN, 1),
                               .field = 2,
                               .value = ent_value_int(24)};
    struct net_forgery common = {.kind = UNKNOWN_COMMON,
                                 .id = net_owned(net, space, ANN, 1),
                                 .field = 2,
                                 .value = ent_value_int(1)};
    struct net_forger ann = {0};
    struct net_forger ben = {0};

    ck_assert_int_eq(net_forge(net, ANN, space, &ann, &item, 1), 0);
    meet(ANN, BEN);
    item.value = ent_value_int(99);
    ck_assert_int_eq(net_forge(net, BEN, space, &ben, &item, 1), 0);
    ck_assert_int_eq(net_forge(net, BEN, space, &ben, &common, 1), 0);
    meet(BEN, CHAIR);
    meet(ANN, CHAIR);
    ck_assert_int_eq(value_at(CHAIR, UNKNOWN_OWNED, item.id, 2), 24);
    ck_assert_int_eq(value_at(CHAIR, UNKNOWN_COMMON, item.id, 2), 1);
    ck_assert_int_eq(net_counts(net, CHAIR, space).quarantined, 1);
    check_equal(ANN, CHAIR);
}
END_TEST

/* ------------------------------------------------------------- other spaces */

/* The bytes of a space's log are nothing in another space, even from a member
 * of both. */
static void offer_elsewhere(int64_t from, int64_t to)
{
    struct ent_arena arena = {0};
    struct ent_hash8 none = {{0}};
    struct ent_head *heads;
    struct ent_taken taken;
    struct ent_run run;
    size_t count;

    ck_ok(ent_frontier_read(store_of(CHAIR), from, &heads, &count, &err));
    ck_assert_uint_ge(count, 1);
    for (size_t i = 0; i < count; i++) {
        ck_ok(ent_run_read(store_of(CHAIR), heads[i].o, 1, &none, 65536, &arena,
                           &run, &err));
        ck_ok(ent_runs_take(store_of(CHAIR), to, NULL, &run, 1, NET_START_MS,
                            &taken, &err));
        ck_assert_int_eq(taken.refused, (int64_t)run.count);
        ck_assert_int_eq(taken.applied, 0);
    }
    ent_arena_fini(&arena);
    free(heads);
}

START_TEST(a_record_named_in_another_space_is_not_reached)
{
    struct net_forger log = {0};
    struct net_forgery foreign = on_owned(ANN, 1, 99);
    struct ent_digest before;
    struct ent_digest after;
    char text[1024];
    int other;

    give(ANN, ANN, 1, 24);
    ck_assert_int_eq(net_set(net, ANN, space, 1, NET_TITLE, "here"), 0);
    meet(ANN, CHAIR);
    before = net_digest(net, CHAIR, space);
    /* Only the chair is in both; NEW is a member of the other alone. */
    other = net_found(net, CHAIR);
    net_admit(net, other, CHAIR, NEW, ENT_ROLE_EDITOR);
    net_admit(net, other, CHAIR, ANN, ENT_ROLE_EDITOR);
    ck_assert_int_eq(net_set(net, NEW, other, 1, NET_TITLE, "there"), 0);
    ck_assert_int_eq(net_forge(net, NEW, other, &log, &foreign, 1), 0);
    meet(NEW, CHAIR);
    meet(ANN, CHAIR);
    after = net_digest(net, CHAIR, space);
    ck_assert_mem_eq(&before, &after, sizeof(before));
    check_values(CHAIR, 1, "here");
    ck_assert_int_eq(amount(CHAIR, ANN, 1), 24);
    ck_assert_str_eq(
        net_values(net, CHAIR, other, 1, NET_TITLE, text, sizeof(text)),
        "there");
    ck_assert_int_eq(net_counts(net, CHAIR, other).quarantined, 1);
    /* The owner's own id is none of hers there: it was made with the space. */
    log = (struct net_forger){0};
    ck_assert_int_eq(net_forge(net, ANN, other, &log, &foreign, 1), 0);
    ck_assert_int_eq(net_counts(net, ANN, other).quarantined, 2);
    meet(ANN, CHAIR);
    offer_elsewhere(net_space(net, other, CHAIR), number(CHAIR));
    offer_elsewhere(number(CHAIR), net_space(net, other, CHAIR));
    after = net_digest(net, CHAIR, space);
    ck_assert_mem_eq(&before, &after, sizeof(before));
    check_equal(ANN, CHAIR);
}
END_TEST

/* ------------------------------------------------------------ replaced keys */

static void replace_key(int old, int fresh)
{
    ck_ok(ent_member_replace(store_of(CHAIR), number(CHAIR), key_of(old),
                             key_of(fresh), net_now(net, CHAIR), &err));
    net_local(net, CHAIR);
    net_expect(net, space, CHAIR, fresh);
}

START_TEST(a_new_key_owns_what_the_keys_before_it_made)
{
    int newest = net_add(net);

    give(ANN, ANN, 1, 24);
    meet(ANN, CHAIR);
    replace_key(ANN, NEW);
    meet(NEW, CHAIR);
    give(NEW, ANN, 1, 25);
    give(NEW, NEW, 1, 1);
    meet(NEW, CHAIR);
    replace_key(NEW, newest);
    meet(newest, CHAIR);
    give(newest, ANN, 1, 26);
    give(newest, ANN, 2, 3);
    give(newest, NEW, 1, 2);
    meet(newest, CHAIR);
    meet(BEN, CHAIR);
    ck_assert_int_eq(amount(BEN, ANN, 1), 26);
    ck_assert_int_eq(amount(BEN, ANN, 2), 3);
    ck_assert_int_eq(amount(BEN, NEW, 1), 2);
    ck_assert_int_eq(net_give(net, BEN, space, ANN, 1, 99), ENT_EDENIED);
    ck_assert_int_eq(net_counts(net, BEN, space).quarantined, 0);
    check_equal(BEN, CHAIR);
}
END_TEST

/* An entry that the chair writes by hand, into the roster after `prev`. */
struct written {
    struct ent_roster_bytes bytes;
    struct ent_hash hash;
    struct ent_buf header, body;
};

static void write_after(const struct ent_hash *prev, uint64_t pos,
                        struct ent_roster_entry entry, int64_t time_ms,
                        struct written *written)
{
    const struct ent_keys *chair = &net->nodes[CHAIR].keys;
    struct ent_entry head = {.space = net->spaces[space],
                             .author = chair->public,
                             .seq = pos,
                             .prev = *prev,
                             .roster_pos = pos - 1,
                             .roster_hash = ent_hash_head(prev),
                             .time_ms = time_ms};
    struct ent_hash body_hash;

    ent_buf_reset(&written->header);
    ent_buf_reset(&written->body);
    entry.term = 1;
    ent_roster_body_put(&written->body, &entry);
    body_hash = ent_hash_of(ent_buf_slice(&written->body));
    ent_header_put(&written->header, ENT_ROSTER_TAG, &head, &body_hash);
    written->bytes.header = ent_buf_slice(&written->header);
    written->bytes.body = ent_buf_slice(&written->body);
    ent_sign(chair, written->bytes.header, &written->bytes.sig);
    written->hash = ent_hash_of(written->bytes.header);
}

static void take(int node, const struct written *written)
{
    struct ent_taken taken;

    ck_ok(ent_roster_take(store_of(node), number(node), &written->bytes, 1,
                          NET_START_MS, &taken, &err));
    ck_assert_int_eq(taken.refused, 0);
}

/* A chair put back from a backup writes the roster twice after one entry, and
 * the lower hash stays: what let NEW in is void by that, it is readmitted with
 * what it wrote, and let in anew. One of the two times it gets Ann's place, the
 * other one of its own. */
enum { FIRST, READMITTED, LAST, WRITTEN };
static struct written rosters[WRITTEN];
static struct ent_run new_run; /* what NEW wrote: a change to Ann's record */
static struct ent_slice new_packed;
static struct ent_arena new_arena;

/* NEW writes an amount into a record of Ann's, as the member it is by the
 * roster it knows. */
static void write_as_new(struct ent_cut_head *head)
{
    static const struct ent_hash8 none;
    struct net_forgery item = on_owned(ANN, 1, 5);
    struct net_forger log = {0};
    struct ent_head *heads;
    size_t count;

    net_expect(net, space, CHAIR, NEW);
    take(NEW, &rosters[FIRST]);
    ck_assert_int_eq(net_forge(net, NEW, space, &log, &item, 1), 0);
    ck_ok(ent_frontier_read(store_of(NEW), number(NEW), &heads, &count, &err));
    ck_assert_uint_eq(count, 1);
    ck_ok(ent_run_read(store_of(NEW), heads[0].o, 1, &none, 65536, &new_arena,
                       &new_run, &err));
    free(heads);
    new_packed = ent_arena_copy(&new_arena, new_run.entries[0]);
    new_run.entries = &new_packed;
    *head =
        (struct ent_cut_head){.origin = log.origin,
                              .seq = log.seq,
                              .hash = log.prev,
                              .sig = ent_slice(new_run.sig.b, ENT_SIG_BYTES)};
}

static void write_rosters(bool replaced_first)
{
    struct ent_roster_entry admit = {.kind = ENT_ROSTER_ADMIT,
                                     .member = *key_of(NEW),
                                     .role = ENT_ROLE_EDITOR,
                                     .org = ent_slice_str("New")};
    struct ent_roster_entry replace = {.kind = ENT_ROSTER_REPLACE,
                                       .member = *key_of(ANN),
                                       .next = *key_of(NEW)};
    struct ent_cut_head head;
    struct ent_roster_entry readmit = {.kind = ENT_ROSTER_READMIT,
                                       .member = *key_of(NEW),
                                       .heads = &head,
                                       .head_count = 1};
    int64_t now = net_now(net, CHAIR);
    struct ent_space info;

    ck_ok(ent_space_read(store_of(CHAIR), number(CHAIR), &info, &err));
    write_after(&info.roster_head, info.roster_pos + 1,
                replaced_first ? replace : admit, now, &rosters[FIRST]);
    write_as_new(&head);
    do
        write_after(&info.roster_head, info.roster_pos + 1, readmit, ++now,
                    &rosters[READMITTED]);
    while (memcmp(&rosters[READMITTED].hash, &rosters[FIRST].hash,
                  ENT_HASH_BYTES) > 0);
    write_after(&rosters[READMITTED].hash, info.roster_pos + 2,
                replaced_first ? admit : replace, ++now, &rosters[LAST]);
}

static void rosters_fini(void)
{
    for (size_t i = 0; i < WRITTEN; i++) {
        ent_buf_fini(&rosters[i].header);
        ent_buf_fini(&rosters[i].body);
    }
    ent_arena_fini(&new_arena);
}

static void take_new_run(int node, int64_t applied, int64_t quarantined)
{
    struct ent_taken taken;

    ck_ok(ent_runs_take(store_of(node), number(node), NULL, &new_run, 1,
                        net_now(net, node), &taken, &err));
    ck_assert_int_eq(taken.applied, applied);
    ck_assert_int_eq(taken.quarantined, quarantined);
}

/* No entry before the one it follows. */
static void take_other_way(int node)
{
    take(node, &rosters[READMITTED]);
    take(node, &rosters[LAST]);
    take(node, &rosters[FIRST]);
}

/* What NEW wrote comes before, between or after the roster entries. */
START_TEST(a_replacement_counts_whenever_it_comes)
{
    static const int64_t stands[WRITTEN] = {-1, -1, 5};

    write_rosters(false);
    for (int i = 0; i < WRITTEN; i++) {
        take(FAR, &rosters[i]);
        if (i == _i)
            take_new_run(FAR, i == LAST, i != LAST);
        if (i >= _i)
            ck_assert_int_eq(amount(FAR, ANN, 1), stands[i]);
    }
    take_other_way(BEN);
    take_new_run(BEN, 1, 0);
    check_equal(BEN, FAR);
    rosters_fini();
}
END_TEST

START_TEST(a_replacement_that_became_void_gives_nothing_any_more)
{
    static const int64_t stands[WRITTEN] = {5, -1, -1};

    write_rosters(true);
    for (int i = 0; i < WRITTEN; i++) {
        take(FAR, &rosters[i]);
        if (i == _i)
            take_new_run(FAR, i == FIRST, i != FIRST);
        if (i >= _i)
            ck_assert_int_eq(amount(FAR, ANN, 1), stands[i]);
    }
    take_other_way(BEN);
    take_new_run(BEN, 0, 1);
    check_equal(BEN, FAR);
    rosters_fini();
}
END_TEST

/* Else two keys that stand for each other would have no end (A2). */
START_TEST(a_key_that_was_a_members_takes_nobodys_place)
{
    struct ent_roster_entry to_new = {.kind = ENT_ROSTER_REPLACE,
                                      .member = *key_of(ANN),
                                      .next = *key_of(NEW)};
    struct ent_roster_entry back = {.kind = ENT_ROSTER_REPLACE,
                                    .member = *key_of(NEW),
                                    .next = *key_of(ANN)};
    struct ent_space info;

    ck_ok(ent_space_read(store_of(CHAIR), number(CHAIR), &info, &err));
    write_after(&info.roster_head, info.roster_pos + 1, to_new,
                net_now(net, CHAIR), &rosters[0]);
    write_after(&rosters[0].hash, info.roster_pos + 2, back,
                net_now(net, CHAIR), &rosters[1]);
    net_expect(net, space, CHAIR, NEW);
    for (int i = 0; i < 2; i++) {
        take(FAR, &rosters[i]);
        take(NEW, &rosters[i]);
    }
    ck_assert_int_eq(ent_member_role(store_of(FAR), number(FAR), key_of(NEW)),
                     ENT_ROLE_EDITOR);
    ck_assert_int_eq(ent_member_role(store_of(FAR), number(FAR), key_of(ANN)),
                     ENT_ROLE_NONE);
    give(NEW, ANN, 1, 5);
    ck_assert_int_eq(net_give(net, NEW, space, BEN, 1, 5), ENT_EDENIED);
    rosters_fini();
}
END_TEST

static Suite *owned_suite(void)
{
    Suite *suite = suite_create("owned");
    TCase *tcase = tcase_create("owned");

    tcase_add_checked_fixture(tcase, setup, party_end);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, nobody_but_the_owner_can_write_locally);
    tcase_add_test(tcase,
                   a_foreign_change_takes_effect_nowhere_and_holds_nothing_up);
    tcase_add_test(tcase, one_foreign_change_takes_its_whole_entry_along);
    tcase_add_test(tcase, a_kind_nobody_here_knows_is_owned_by_its_number);
    tcase_add_test(tcase, a_record_named_in_another_space_is_not_reached);
    tcase_add_test(tcase, a_new_key_owns_what_the_keys_before_it_made);
    tcase_add_loop_test(tcase, a_replacement_counts_whenever_it_comes, 0, 3);
    tcase_add_loop_test(
        tcase, a_replacement_that_became_void_gives_nothing_any_more, 0, 3);
    tcase_add_test(tcase, a_key_that_was_a_members_takes_nobodys_place);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return party_run(owned_suite());
}
