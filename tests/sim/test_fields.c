/* test_fields.c - fields that a space gives a kind by its roster (rule L6). */
#include <stdio.h>
#include <string.h>

#include "codec/pack.h"
#include "codec/roster.h"
#include "forge.h"
#include "party.h"
#include "store/own.h"

enum { CHAIR, ANN, BEN, NODES };

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

static const struct ent_kind *kind(void)
{
    return ent_kind_find(&net_kinds, NET_KIND);
}

static int define(int node, const char *name, enum ent_field_type type,
                  const char *label)
{
    const struct ent_field field = {
        .name = name,
        .type = type,
        .loud = ENT_LOUD_ASK,
        .label = {label, label},
    };
    int rc = ent_own_field_define(store_of(node), number(node), kind(), &field,
                                  net_now(net, node), &err);

    if (rc == 0)
        net_local(net, node);
    return rc;
}

static const struct ent_field *field_at(int node, const char *name)
{
    return ent_space_field_named(store_of(node), number(node), kind(), name);
}

static int write_own(int node, int record, const char *name, const char *text)
{
    const struct ent_field *field = field_at(node, name);

    ck_assert_ptr_nonnull(field);
    return net_set(net, node, space, record, field->number, text);
}

static void check_own(int node, int record, const char *name,
                      const char *expected)
{
    const struct ent_field *field = field_at(node, name);
    char text[256];

    ck_assert_ptr_nonnull(field);
    ck_assert_str_eq(
        net_values(net, node, space, record, field->number, text, sizeof(text)),
        expected);
}

/* ----------------------------------------------------------------- defining */

START_TEST(a_field_of_the_chair_reaches_every_member_with_the_roster)
{
    const struct ent_field *field;

    ck_ok(define(CHAIR, "radio", ENT_TYPE_TEXT, "Radio call sign"));
    ck_assert_ptr_null(field_at(ANN, "radio"));
    meet(ANN, CHAIR);
    meet(BEN, ANN);
    field = field_at(BEN, "radio");
    ck_assert_ptr_nonnull(field);
    ck_assert_uint_gt(field->number, ENT_NUMBER_SHIPPED_MAX);
    ck_assert_uint_eq(field->number, field_at(CHAIR, "radio")->number);
    ck_assert_str_eq(field->label[ENT_LANG_FR], "Radio call sign");
    ck_assert_int_eq(field->loud, ENT_LOUD_ASK);
    ck_assert_ptr_eq(
        ent_space_field(store_of(BEN), number(BEN), kind(), field->number),
        field);
}
END_TEST

START_TEST(nobody_but_the_chair_defines_fields)
{
    ck_assert_int_eq(define(ANN, "radio", ENT_TYPE_TEXT, "Radio"), ENT_EDENIED);
    ck_assert_ptr_null(field_at(ANN, "radio"));
}
END_TEST

START_TEST(a_name_that_does_not_fit_or_is_taken_is_refused)
{
    static const char *const names[] = {
        "", "Radio", "1st", "two words", "\xc3\xa9tat", "code", "title"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(names); i++)
        ck_assert_int_eq(define(CHAIR, names[i], ENT_TYPE_TEXT, "label"),
                         ENT_EUSAGE);
    ck_assert_int_eq(define(CHAIR, "radio", ENT_TYPE_TEXT, ""), ENT_EUSAGE);
    ck_assert_int_eq(define(CHAIR, "radio", ENT_TYPE_ENUM, "no list"),
                     ENT_EUSAGE);
}
END_TEST

START_TEST(a_field_takes_another_label_and_never_another_type)
{
    uint32_t first;

    ck_ok(define(CHAIR, "radio", ENT_TYPE_TEXT, "Radio"));
    first = field_at(CHAIR, "radio")->number;
    ck_ok(define(CHAIR, "radio", ENT_TYPE_TEXT, "Radio call sign"));
    ck_assert_uint_eq(field_at(CHAIR, "radio")->number, first);
    ck_assert_str_eq(field_at(CHAIR, "radio")->label[0], "Radio call sign");
    ck_assert_int_eq(define(CHAIR, "radio", ENT_TYPE_INTEGER, "Channel"),
                     ENT_EUSAGE);
    meet(ANN, CHAIR);
    ck_assert_str_eq(field_at(ANN, "radio")->label[0], "Radio call sign");
    ck_assert_int_eq(field_at(ANN, "radio")->type, ENT_TYPE_TEXT);
}
END_TEST

START_TEST(a_space_has_so_many_fields_and_no_more)
{
    char name[32];

    for (int i = 0; i < ENT_OWN_FIELDS_MAX; i++) {
        snprintf(name, sizeof(name), "field_%d", i);
        ck_ok(define(CHAIR, name, ENT_TYPE_TEXT, "one of many"));
    }
    ck_assert_int_eq(define(CHAIR, "more", ENT_TYPE_TEXT, "one too many"),
                     ENT_EUSAGE);
    ck_ok(define(CHAIR, "field_0", ENT_TYPE_TEXT, "the first one"));
}
END_TEST

/* -------------------------------------------------------------------- values
 */

START_TEST(values_of_an_own_field_merge_like_all_others)
{
    struct ent_buf lines = {0};

    ck_ok(define(CHAIR, "radio", ENT_TYPE_TEXT, "Radio"));
    meet(ANN, CHAIR);
    meet(BEN, CHAIR);
    ck_ok(write_own(ANN, 1, "radio", "Kilo 1"));
    meet(ANN, BEN);
    ck_ok(write_own(ANN, 1, "radio", "Kilo 2"));
    ck_ok(write_own(BEN, 1, "radio", "Kilo 3"));
    meet(ANN, BEN);
    meet(ANN, CHAIR);
    check_own(CHAIR, 1, "radio", "Kilo 2|Kilo 3");
    net_conflicts(net, CHAIR, space, &lines);
    ck_assert_uint_gt(lines.len, 0);
    ent_buf_fini(&lines);
    check_equal(ANN, CHAIR);
    check_equal(BEN, CHAIR);
}
END_TEST

START_TEST(a_number_that_no_space_defines_is_refused)
{
    ck_assert_int_eq(net_set(net, ANN, space, 1, 4711, "Kilo"), ENT_EREFUSED);
}
END_TEST

/* ------------------------------------------- what this program cannot follow
 */

static struct ent_taken tell(int node, const struct ent_own_field *own)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_OWN_FIELD,
                                     .term = 1,
                                     .time_ms = net_now(net, CHAIR),
                                     .own = *own};
    struct ent_frame_roster frame;
    struct ent_roster_bytes bytes;
    struct ent_taken taken;
    struct ent_space info;

    ck_ok(ent_space_read(store_of(node), number(node), &info, &err));
    entry.pos = info.roster_pos + 1;
    frame = forge_roster(&net->nodes[CHAIR].keys, &net->spaces[space],
                         &info.roster_head, &entry, &arena);
    bytes =
        (struct ent_roster_bytes){.header = frame.header, .body = frame.body};
    memcpy(bytes.sig.b, frame.sig.at, ENT_SIG_BYTES);
    ck_ok(ent_roster_take(store_of(node), number(node), &bytes, 1,
                          net_now(net, node), &taken, &err));
    net_local(net, node);
    return taken;
}

START_TEST(a_type_of_a_newer_program_keeps_its_place_without_effect)
{
    const struct ent_own_field newer = {
        .kind = NET_KIND,
        .field = {.number = 5000,
                  .name = "map",
                  .type = (enum ent_field_type)99,
                  .label = {"Map", "Carte"}}};
    struct ent_space info;

    ck_assert_int_eq(tell(CHAIR, &newer).applied, 1);
    ck_ok(define(CHAIR, "radio", ENT_TYPE_TEXT, "Radio"));
    meet(ANN, CHAIR);
    ck_ok(ent_space_read(store_of(ANN), number(ANN), &info, &err));
    ck_assert_uint_eq(info.roster_pos, NODES + 2);
    ck_assert_ptr_null(field_at(ANN, "map"));
    ck_assert_ptr_nonnull(field_at(ANN, "radio"));
    check_equal(ANN, CHAIR);
}
END_TEST

START_TEST(a_number_that_changes_its_type_keeps_the_first_one)
{
    struct ent_own_field own = {.kind = NET_KIND,
                                .field = {.number = 5000,
                                          .name = "radio",
                                          .type = ENT_TYPE_TEXT,
                                          .label = {"Radio", "Radio"}}};

    tell(CHAIR, &own);
    own.field.type = ENT_TYPE_INTEGER;
    own.field.label[0] = "Channel";
    ck_assert_int_eq(tell(CHAIR, &own).applied, 1);
    ck_assert_int_eq(field_at(CHAIR, "radio")->type, ENT_TYPE_TEXT);
    ck_assert_str_eq(field_at(CHAIR, "radio")->label[0], "Radio");
}
END_TEST

/* One of the parts from 2 on is wrong, or one is missing: never a refusal, so
 * that a chain with it can be followed by every program. */
static void pack_definition(struct ent_buf *buf, int wrong)
{
    struct ent_pack pack;

    ent_pack_init(&pack, buf);
    ent_pack_array(&pack, wrong == 12 ? 11 : wrong == 13 ? 13 : 12);
    ent_pack_uint(&pack, 1);
    ent_pack_uint(&pack, ENT_ROSTER_OWN_FIELD);
    ent_pack_uint(&pack, wrong == 2 ? 0 : NET_KIND);
    ent_pack_uint(&pack, wrong == 3 ? ENT_NUMBER_SHIPPED_MAX : 5000);
    ent_pack_str(&pack, ent_slice_str(wrong == 4 ? "Not a name" : "radio"));
    for (int i = 5; i < 9; i++)
        ent_pack_uint(&pack, wrong == i ? 77 : 0);
    if (wrong == 9)
        ent_pack_str(&pack, ent_slice_str("list"));
    else
        ent_pack_str(&pack, ent_slice_str(""));
    if (wrong == 10)
        ent_pack_uint(&pack, 1);
    else
        ent_pack_str(&pack, ent_slice_str("Radio"));
    if (wrong == 11)
        ent_pack_str(&pack, ent_slice("a\0b", 3));
    else if (wrong != 12)
        ent_pack_str(&pack, ent_slice_str("Radio"));
    if (wrong == 13)
        ent_pack_uint(&pack, 1);
}

START_TEST(a_definition_out_of_shape_is_no_reason_to_refuse_the_entry)
{
    struct ent_roster_entry entry = {0};
    struct ent_buf buf = {0};

    pack_definition(&buf, _i);
    ck_ok(ent_roster_body_get(ent_buf_slice(&buf), &arena, &entry, &err));
    ck_assert_uint_eq(entry.kind, ENT_ROSTER_OWN_FIELD);
    /* Right as it is; and what newer programs may say behind it. */
    ck_assert_uint_eq(entry.own.field.number, _i == 1 || _i == 13 ? 5000 : 0);
    ent_buf_fini(&buf);
}
END_TEST

static Suite *fields_suite(void)
{
    Suite *suite = suite_create("fields");
    TCase *tcase = tcase_create("fields");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   a_field_of_the_chair_reaches_every_member_with_the_roster);
    tcase_add_test(tcase, nobody_but_the_chair_defines_fields);
    tcase_add_test(tcase, a_name_that_does_not_fit_or_is_taken_is_refused);
    tcase_add_test(tcase, a_field_takes_another_label_and_never_another_type);
    tcase_add_test(tcase, a_space_has_so_many_fields_and_no_more);
    tcase_add_test(tcase, values_of_an_own_field_merge_like_all_others);
    tcase_add_test(tcase, a_number_that_no_space_defines_is_refused);
    tcase_add_test(tcase,
                   a_type_of_a_newer_program_keeps_its_place_without_effect);
    tcase_add_test(tcase, a_number_that_changes_its_type_keeps_the_first_one);
    tcase_add_loop_test(
        tcase, a_definition_out_of_shape_is_no_reason_to_refuse_the_entry, 1,
        14);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return party_run(fields_suite());
}
