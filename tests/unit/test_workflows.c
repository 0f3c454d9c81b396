/* test_workflows.c - workflows as files, right and wrong. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "text/kinds.h"
#include "text/workflows.h"

#define SHIPPED ENT_SOURCE_DIR "/configs/"

static struct ent_err err;
static struct ent_kinds kinds;
static struct ent_vocab vocab;
static struct ent_workflows workflows;
static char dir[64];
static char path[128];

static void setup(void)
{
    ck_assert_int_eq(ent_kinds_load(SHIPPED "kinds", &kinds, &err), 0);
    ck_assert_int_eq(
        ent_vocab_load(SHIPPED "vocabulary/vocabulary.csv", &vocab, &err), 0);
    strcpy(dir, "/tmp/entente-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/a.conf", dir);
}

static void teardown(void)
{
    unlink(path);
    rmdir(dir);
    ent_workflows_fini(&workflows);
    ent_vocab_fini(&vocab);
    ent_kinds_fini(&kinds);
}

static int load(const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    return ent_workflows_load(dir, &kinds, &vocab, &workflows, &err);
}

static const struct ent_workflow *named(const char *name)
{
    for (size_t i = 0; i < workflows.count; i++)
        if (strcmp(workflows.list[i].name, name) == 0)
            return &workflows.list[i];
    return NULL;
}

START_TEST(the_shipped_workflows_are_fifteen)
{
    const struct ent_workflow *training;
    const struct ent_state_def *sent;

    ck_assert_msg(ent_workflows_load(SHIPPED "workflows", &kinds, &vocab,
                                     &workflows, &err) == 0,
                  "%s", err.text);
    ck_assert_uint_eq(workflows.count, 15);
    training = named("training");
    ck_assert_ptr_nonnull(training);
    ck_assert_str_eq(training->field->name, "status");
    sent = ent_state_named(training, "report_sent");
    ck_assert_ptr_nonnull(sent);
    ck_assert_str_eq(sent->value, "delivered");
    ck_assert_uint_eq(sent->set_count, 2);
    ck_assert_str_eq(sent->sets[0].text, "yes");
    ck_assert_ptr_null(sent->sets[1].text);
    ck_assert(ent_state_named(training, "planned")->begins);
    ck_assert(!sent->begins);
}
END_TEST

/* In every one of them each state can be reached, and a record can begin. */
START_TEST(every_state_of_a_shipped_workflow_can_be_reached)
{
    ck_assert_int_eq(ent_workflows_load(SHIPPED "workflows", &kinds, &vocab,
                                        &workflows, &err),
                     0);
    for (size_t i = 0; i < workflows.count; i++) {
        const struct ent_workflow *workflow = &workflows.list[i];

        for (size_t j = 0; j < workflow->state_count; j++) {
            bool reached = workflow->states[j].begins;

            for (size_t k = 0; k < workflow->state_count; k++)
                reached = reached || ent_names_have(workflow->states[k].next,
                                                    workflow->states[j].name);
            ck_assert_msg(reached, "%s %s", workflow->name,
                          workflow->states[j].name);
        }
    }
}
END_TEST

#define LABELS "label_en = \"One\" label_fr = \"Un\"\n"
#define HEAD "workflow one {\nkind = \"plan\"\n"
#define FIELD "field = \"status\"\n"
#define STATE(inside) "state draft {\n" inside LABELS "}\n}\n"

START_TEST(a_state_can_ask_for_much)
{
    const struct ent_state_def *state;

    ck_assert_msg(
        load(HEAD FIELD "unsaid = \"draft\"\n" LABELS STATE(
            "value = \"draft\" next = \"draft\" begins = yes\n"
            "reason = \"challenge\" approvals = \"donor|secretariat\"\n"
            "set = {\"end_on=@on\", \"document_on_file=yes\"}\n"
            "need more { sql = \"SELECT 1\" " LABELS "}\n")) == 0,
        "%s", err.text);
    ck_assert_uint_eq(workflows.count, 1);
    state = &workflows.list[0].states[0];
    ck_assert_ptr_eq(workflows.list[0].unsaid, state);
    ck_assert_uint_eq(state->set_count, 2);
    ck_assert_uint_eq(state->need_count, 1);
    ck_assert_str_eq(state->needs[0].sql, "SELECT 1");
    ck_assert(ent_names_have(state->approvals, "secretariat"));
    ck_assert(!ent_names_have(state->approvals, "secret"));
}
END_TEST

static const struct {
    const char *text;
    const char *says;
} faults[] = {
    {"workflow one {\n" LABELS STATE(""), "workflow one has no kind"},
    {"workflow one {\nkind = \"plam\"\n" LABELS STATE(""), "unknown kind"},
    {HEAD "field = \"title_fr\"\n" LABELS STATE(""), "unknown field"},
    {HEAD FIELD LABELS STATE(""), "state draft has no value"},
    {HEAD FIELD LABELS STATE("value = \"dreft\"\n"), "unknown value \"dreft\""},
    {HEAD LABELS STATE("value = \"draft\"\n"), "unknown value \"draft\""},
    {HEAD LABELS STATE("next = \"drat\"\n"), "a.conf:5: unknown next \"drat\""},
    {HEAD LABELS STATE("next = \"draft||\"\n"), "unknown next"},
    {HEAD LABELS STATE("reason = \"whims\"\n"), "unknown reason"},
    {HEAD LABELS STATE("approvals = \"pope\"\n"), "unknown approvals"},
    {HEAD LABELS STATE("set = {\"status\"}\n"), "unknown set"},
    {HEAD LABELS STATE("set = {\"documents=x\"}\n"), "unknown set"},
    {HEAD LABELS STATE("set = {\"title_fr=@on\"}\n"), "unknown set"},
    {HEAD LABELS STATE("begins = perhaps\n"), "unknown begins"},
    {HEAD LABELS STATE("need x {\nsql = \"SELECT 1\"\n}\n"), "has no label_en"},
    {HEAD "where = \"status=dreft\"\n" LABELS STATE(""), "unknown where"},
    {HEAD "unsaid = \"done\"\n" LABELS STATE(""), "unknown unsaid"},
    {HEAD LABELS "}\n", "from 1 to 32 states"},
    {HEAD LABELS "state Draft {\n" LABELS "}\n}\n", "is not a name"},
    {HEAD "state draft {\n" LABELS "}\n}\n", "workflow one has no label_en"},
    {"", "one workflow, no less"},
    {HEAD LABELS STATE("colour = red\n"), "colour"},
};

START_TEST(a_wrong_workflow_is_refused_with_its_line)
{
    ck_assert_int_eq(load(faults[_i].text), ENT_EREFUSED);
    ck_assert_msg(strstr(err.text, faults[_i].says) != NULL, "%s", err.text);
    ck_assert_uint_eq(workflows.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("workflows");
    TCase *tcase = tcase_create("files");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_shipped_workflows_are_fifteen);
    tcase_add_test(tcase, every_state_of_a_shipped_workflow_can_be_reached);
    tcase_add_test(tcase, a_state_can_ask_for_much);
    tcase_add_loop_test(tcase, a_wrong_workflow_is_refused_with_its_line, 0,
                        (int)ENT_ARRAY_LEN(faults));
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
