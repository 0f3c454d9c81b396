/* test_definitions.c - kinds, vocabulary and configuration as files, right and
 * wrong. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "model/entry.h"
#include "text/config.h"
#include "text/kinds.h"
#include "text/vocab.h"

#define KINDS ENT_SOURCE_DIR "/configs/kinds"
#define VOCABULARY ENT_SOURCE_DIR "/configs/vocabulary/vocabulary.csv"

static struct ent_err err;
static struct ent_kinds kinds;
static struct ent_vocab vocab;
static struct ent_config config;
static char dir[64];
static char path[128];

static void setup(void)
{
    strcpy(dir, "/tmp/entente-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

/* The files a test may have left, all of which have one of these names. */
static void teardown(void)
{
    static const char *const names[] = {"a.conf", "b.conf", "v.csv"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
    ent_kinds_fini(&kinds);
    ent_vocab_fini(&vocab);
    ent_config_fini(&config);
}

static void make(const char *name, const char *text)
{
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

#define ck_assert_says(part)                                                   \
    ck_assert_msg(strstr(err.text, (part)) != NULL, "%s", err.text)

/* A kind of one line each, of which a test replaces some. */
#define HEAD "kind one {\n"
#define NUMBER "number = 1\n"
#define TABLE "table = \"ones\"\n"
#define KEY "key = \"id\"\n"
#define TITLE "title = \"code\"\n"
#define LABELS "label_en = \"One\" label_fr = \"Un\"\n"
#define REST " loud = ask personal = no " LABELS "}\n"
#define CODE "field code { number = 1 type = code" REST
#define BEGIN HEAD NUMBER TABLE KEY TITLE LABELS

START_TEST(the_shipped_kinds_have_their_fixed_numbers)
{
    static const char *const owned[] = {
        "note",          "expense",    "contribution",
        "approval",      "transition", "training_report",
        "report_review", "ballot",     "certificate",
        "consent",       NULL,         "adoption",
        "erase_request"};
    static const char *const names[] = {
        "organisation",    "group",     "contact",       "assignment",
        "trainer",         "training",  "participation", "plan",
        "activity",        "milestone", "challenge",     "support_link",
        "support_session", "request",   "lesson",        "message",
        "place",           "country",   "survey_tally",  "fact",
        "document",        "term",      "survey"};

    ck_assert_msg(ent_kinds_load(KINDS, &kinds, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(kinds.count, 23 + 12);
    ck_assert_uint_eq(ENT_ARRAY_LEN(names), 23);
    for (uint32_t i = 0; i < ENT_ARRAY_LEN(owned); i++) {
        const struct ent_kind *kind =
            ent_kind_find(&kinds, ENT_KIND_OWNED_FIRST + i);

        ck_assert_int_eq(kind != NULL, owned[i] != NULL);
        if (kind != NULL)
            ck_assert_str_eq(kind->name, owned[i]);
    }
    for (uint32_t i = 0; i < 23; i++) {
        const struct ent_kind *kind = ent_kind_find(&kinds, i + 1);

        ck_assert_ptr_nonnull(kind);
        ck_assert_str_eq(kind->name, names[i]);
        ck_assert_int_eq(kind->owned, strcmp(kind->name, "message") == 0);
        ck_assert_ptr_nonnull(ent_field_named(kind, kind->title));
        ck_assert_str_eq(ent_field_find(kind, ENT_FIELD_CODE)->name, "code");
    }
}
END_TEST

START_TEST(every_field_of_every_shipped_kind_is_filled_in)
{
    ck_assert_int_eq(ent_kinds_load(KINDS, &kinds, &err), 0);
    for (size_t i = 0; i < kinds.count; i++) {
        const struct ent_kind *kind = &kinds.kinds[i];

        for (size_t j = 0; j < kind->field_count; j++) {
            const struct ent_field *field = &kind->fields[j];

            /* No gaps: the shipped numbers are handed out in order. */
            ck_assert_uint_eq(field->number, j + 1);
            ck_assert_str_ne(field->label[ENT_LANG_EN], "");
            ck_assert_str_ne(field->label[ENT_LANG_FR], "");
            ck_assert_int_eq(field->list != NULL, field->type == ENT_TYPE_ENUM);
            ck_assert_int_eq(field->targets != NULL,
                             field->type == ENT_TYPE_REF);
            ck_assert(field->hxl != NULL || field->number == ENT_FIELD_CODE);
        }
    }
}
END_TEST

START_TEST(every_list_of_every_kind_is_in_the_vocabulary)
{
    const struct ent_term *terms;

    ck_assert_int_eq(ent_kinds_load(KINDS, &kinds, &err), 0);
    ck_assert_int_eq(ent_vocab_load(VOCABULARY, &vocab, &err), 0);
    for (size_t i = 0; i < kinds.count; i++) {
        const struct ent_kind *kind = &kinds.kinds[i];

        for (size_t j = 0; j < kind->field_count; j++)
            if (kind->fields[j].list != NULL)
                ck_assert_msg(
                    ent_vocab_list(&vocab, kind->fields[j].list, &terms) > 0,
                    "%s.%s", kind->name, kind->fields[j].name);
    }
}
END_TEST

START_TEST(a_small_kind_is_read_whole)
{
    const struct ent_kind *kind;
    const struct ent_field *field;

    make("a.conf",
         "# with a comment\n" HEAD "number = 16 owned = yes\n" TABLE
         "package = \"uns\"\nkey = \"state|code\" " TITLE LABELS
         "field state { number = 3 type = enum list = \"plan_status\" "
         "rule = set hxl = \"#status+code\"\n" REST CODE
         "field self { number = 2 type = ref targets = \"one|one\"\n"
         "loud = quiet personal = indirect\n" LABELS "}\n}\n");
    ck_assert_msg(ent_kinds_load(dir, &kinds, &err) == 0, "%s", err.text);
    kind = ent_kind_named(&kinds, "one");
    ck_assert_uint_eq(kind->number, 16);
    ck_assert(kind->owned);
    ck_assert_str_eq(kind->table, "ones");
    ck_assert_str_eq(kind->package, "uns");
    ck_assert_str_eq(kind->key, "state|code");
    ck_assert_str_eq(kind->label[ENT_LANG_FR], "Un");
    ck_assert_uint_eq(kind->field_count, 3);
    field = &kind->fields[1];
    ck_assert_str_eq(field->name, "self");
    ck_assert_int_eq(field->loud, ENT_LOUD_QUIET);
    ck_assert_int_eq(field->personal, ENT_PERSONAL_INDIRECT);
    ck_assert_str_eq(field->targets, "one|one");
    ck_assert_ptr_null(field->hxl);
    field = &kind->fields[2];
    ck_assert_int_eq(field->type, ENT_TYPE_ENUM);
    ck_assert_int_eq(field->rule, ENT_RULE_SET);
    ck_assert_str_eq(field->list, "plan_status");
    ck_assert_str_eq(field->hxl, "#status+code");
}
END_TEST

/* Each fault with the line a person has to look at, and a word about it. */
static const struct {
    const char *text;
    const char *place;
    const char *says;
} kind_faults[] = {
    {"", "a.conf:1", "one kind"},
    {"kind {\n", "a.conf:1", "title"},
    {"colour = \"red\"\n", "a.conf:1", "colour"},
    {BEGIN CODE, "a.conf:", "closing brace is missing"},
    {BEGIN CODE "}\n}\n", "a.conf:", "brace"},
    {BEGIN CODE "}\nkind two { number = 2 }\n", "a.conf:", "one kind"},
    {HEAD TABLE KEY TITLE LABELS CODE "}\n", "a.conf:8", "has no number"},
    {HEAD "number = one\n" TABLE, "a.conf:", "brace"},
    {HEAD "number = one\n" TABLE KEY TITLE LABELS CODE "}\n", "a.conf:2",
     "\"one\""},
    {HEAD "number = 0\n" TABLE KEY TITLE LABELS CODE "}\n", "a.conf:2",
     "\"0\""},
    {HEAD "number = 4294967297\n" TABLE KEY TITLE LABELS CODE "}\n", "a.conf:2",
     "\"4294967297\""},
    {HEAD NUMBER KEY TITLE LABELS CODE "}\n", "a.conf:8", "has no table"},
    {HEAD NUMBER "table = \"on es\"\n" KEY TITLE LABELS CODE "}\n", "a.conf:3",
     "on es"},
    {HEAD NUMBER "table = \"sqlite_x\"\n" KEY TITLE LABELS CODE "}\n",
     "a.conf:3", "sqlite_x"},
    {HEAD NUMBER TABLE TITLE LABELS CODE "}\n", "a.conf:8", "has no key"},
    {HEAD NUMBER TABLE "key = \"a|id\"\n" TITLE LABELS CODE "}\n", "a.conf:4",
     "a|id"},
    {HEAD NUMBER TABLE "key = \"id||code\"\n" TITLE LABELS CODE "}\n",
     "a.conf:4", "id||code"},
    {HEAD NUMBER TABLE KEY LABELS CODE "}\n", "a.conf:8", "has no title"},
    {HEAD NUMBER TABLE KEY "title = \"name\"\n" LABELS CODE "}\n", "a.conf:5",
     "name"},
    {HEAD NUMBER TABLE KEY TITLE "label_en = \"One\"\n" CODE "}\n", "a.conf:9",
     "has no label_fr"},
    {HEAD NUMBER TABLE KEY TITLE "label_en = \"One\" label_fr = \"\"\n" CODE
                                 "}\n",
     "a.conf:6", "label"},
    {HEAD NUMBER TABLE KEY TITLE
     "label_en = \"One\"\nlabel_fr = \"\xff\"\n" CODE "}\n",
     "a.conf:7", "UTF-8"},
    {HEAD "owned = perhaps\n" NUMBER TABLE KEY TITLE LABELS CODE "}\n",
     "a.conf:2", "perhaps"},
    {HEAD NUMBER "owned = yes\n" TABLE KEY TITLE LABELS CODE "}\n", "a.conf:3",
     "belong to everybody"},
    {HEAD "owned = no\nnumber = 599\n" TABLE KEY TITLE LABELS CODE "}\n",
     "a.conf:3", "belong to their author"},
    {"kind One {\n" NUMBER TABLE KEY TITLE LABELS CODE "}\n",
     "a.conf:", "\"One\""},
    {BEGIN "}\n", "a.conf:7", "fields"},
    {BEGIN "field name { number = 2 type = text" REST "}\n",
     "a.conf:", "no field code"},
    {BEGIN "field name { number = 1 type = code" REST "}\n", "a.conf:7",
     "code"},
    {BEGIN "field code { number = 2 type = code" REST "}\n", "a.conf:7",
     "code"},
    {BEGIN "field code { number = 1 type = text" REST "}\n", "a.conf:7",
     "code"},
    {BEGIN "field code { number = 1 type = code rule = set" REST "}\n",
     "a.conf:7", "code"},
    {BEGIN CODE CODE "}\n", "a.conf:9", "code"},
    {BEGIN CODE "field a {\nnumber = 1 type = text" REST "}\n", "a.conf:10",
     "number of field code"},
    {BEGIN CODE "field a {\nnumber = 999 type = text" REST "}\n", "a.conf:10",
     "every kind has"},
    {BEGIN CODE "field a {\nnumber = 998 type = text" REST "}\n", "a.conf:10",
     "every kind has"},
    {BEGIN CODE "field archived { number = 2 type = text" REST "}\n",
     "a.conf:10", "archived"},
    {BEGIN CODE "field same_as { number = 2 type = text" REST "}\n",
     "a.conf:10", "same_as"},
    {BEGIN CODE "field a {\nnumber = 2 type = blob" REST "}\n", "a.conf:10",
     "blob"},
    {BEGIN CODE "field a { number = 2 type = text\nrule = bag" REST "}\n",
     "a.conf:10", "bag"},
    {BEGIN CODE "field a { number = 2 type = enum" REST "}\n", "a.conf:10",
     "has no list"},
    {BEGIN CODE "field a { number = 2 type = enum list = \"A-1\"" REST "}\n",
     "a.conf:9", "A-1"},
    {BEGIN CODE "field a { number = 2 type = text list = \"role\"" REST "}\n",
     "a.conf:9", "no list"},
    {BEGIN CODE "field a { number = 2 type = ref" REST "}\n", "a.conf:10",
     "has no targets"},
    {BEGIN CODE "field a { number = 2 type = ref targets = \"two\"" REST "}\n",
     "a.conf:9", "two"},
    {BEGIN CODE "field a { number = 2 type = ref targets = \"one|\"" REST
                "}\n}\n",
     "a.conf:", "brace"},
    {BEGIN CODE "field a { number = 2 type = ref targets = \"|one\"" REST "}\n",
     "a.conf:9", "|one"},
    {BEGIN CODE "field a { number = 2 type = text min = 0" REST "}\n",
     "a.conf:9", "no min"},
    {BEGIN CODE "field a { number = 2 type = integer max = many" REST "}\n",
     "a.conf:9", "from 0 to"},
    {BEGIN CODE "field a { number = 2 type = integer format = email" REST "}\n",
     "a.conf:9", "no format"},
    {BEGIN CODE "field a { number = 2 type = text format = phone" REST "}\n",
     "a.conf:9", "phone"},
    {BEGIN CODE "field a { number = 2 type = date not_before = \"b\"" REST
                "}\n",
     "a.conf:9", "no other date"},
    {BEGIN CODE "field a { number = 2 type = date not_before = \"a\"" REST
                "}\n",
     "a.conf:9", "no other date"},
    {BEGIN CODE
     "field a { number = 2 type = code rule = set distinct = \"a\"" REST "}\n",
     "a.conf:9", "no distinct"},
    {BEGIN CODE "field a { number = 2 type = text hxl = \"org\"" REST "}\n",
     "a.conf:9", "HXL"},
    {BEGIN CODE "field a { number = 2 type = text hxl = \"#org+\"" REST "}\n",
     "a.conf:9", "HXL"},
    {BEGIN CODE "field id { number = 2 type = text" REST "}\n",
     "a.conf:", "id"},
    {BEGIN CODE "field a { number = 2 type = text personal = no\n" LABELS
                "}\n}\n",
     "a.conf:11", "has no loud"},
    {BEGIN CODE "field a { number = 2 type = text loud = ask\n" LABELS "}\n}\n",
     "a.conf:11", "has no personal"},
};

START_TEST(a_fault_in_a_kind_is_refused_with_file_and_line)
{
    make("a.conf", kind_faults[_i].text);
    ck_assert_int_eq(ent_kinds_load(dir, &kinds, &err), ENT_EREFUSED);
    ck_assert_uint_eq(kinds.count, 0);
    ck_assert_says(kind_faults[_i].place);
    ck_assert_says(kind_faults[_i].says);
}
END_TEST

/* Rule M9: what another node calls a kind, or whether it knows it, changes
 * nothing about whose its records are. */
START_TEST(the_number_alone_says_whether_a_kind_is_owned)
{
    static const uint32_t owned[] = {16, 500, 599};
    static const uint32_t common[] = {0, 1, 15, 17, 499, 600, 1000, 2147483647};

    for (size_t i = 0; i < ENT_ARRAY_LEN(owned); i++)
        ck_assert(ent_kind_is_owned(owned[i]));
    for (size_t i = 0; i < ENT_ARRAY_LEN(common); i++)
        ck_assert(!ent_kind_is_owned(common[i]));
}
END_TEST

START_TEST(two_files_with_one_number_name_or_table_are_refused)
{
    make("a.conf", BEGIN CODE "}\n");
    make("b.conf", "kind two {\n" NUMBER
                   "table = \"twos\"\n" KEY TITLE LABELS CODE "}\n");
    ck_assert_int_eq(ent_kinds_load(dir, &kinds, &err), ENT_EREFUSED);
    ck_assert_says("b.conf:2");
    ck_assert_says("number of kind one");
    make("b.conf",
         HEAD "number = 2\ntable = \"twos\"\n" KEY TITLE LABELS CODE "}\n");
    ck_assert_int_eq(ent_kinds_load(dir, &kinds, &err), ENT_EREFUSED);
    ck_assert_says("name of kind one");
    make("b.conf",
         "kind two {\nnumber = 2\n" TABLE KEY TITLE LABELS CODE "}\n");
    ck_assert_int_eq(ent_kinds_load(dir, &kinds, &err), ENT_EREFUSED);
    ck_assert_says("table of kind one");
}
END_TEST

/* A file dropped in adds a kind, to which an earlier file may refer. */
START_TEST(kinds_refer_to_one_another_across_files)
{
    make("a.conf", BEGIN CODE
         "field a { number = 2 type = ref targets = \"two|one\"" REST "}\n");
    make("b.conf",
         "kind two {\nnumber = 2\ntable = \"twos\"\n" KEY TITLE LABELS CODE
         "}\n");
    ck_assert_msg(ent_kinds_load(dir, &kinds, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(kinds.count, 2);
}
END_TEST

START_TEST(a_directory_without_kinds_is_not_found)
{
    ck_assert_int_eq(ent_kinds_load(dir, &kinds, &err), ENT_ENOTFOUND);
    ck_assert_int_eq(ent_kinds_load("/nonexistent", &kinds, &err),
                     ENT_ENOTFOUND);
}
END_TEST

START_TEST(a_kind_of_too_many_bytes_is_refused)
{
    FILE *file;

    make("a.conf", BEGIN CODE "}\n");
    file = fopen(path, "a");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 70000; i++)
        fputc('#', file);
    fclose(file);
    ck_assert_int_eq(ent_kinds_load(dir, &kinds, &err), ENT_EREFUSED);
    ck_assert_says("65536");
}
END_TEST

START_TEST(the_shipped_vocabulary_has_its_lists_in_order)
{
    const struct ent_term *terms;

    ck_assert_msg(ent_vocab_load(VOCABULARY, &vocab, &err) == 0, "%s",
                  err.text);
    ck_assert_uint_eq(vocab.count, 312);
    for (size_t i = 1; i < vocab.count; i++)
        ck_assert_int_le(strcmp(vocab.terms[i - 1].list, vocab.terms[i].list),
                         0);
    ck_assert_uint_eq(ent_vocab_list(&vocab, "plan_status", &terms), 7);
    ck_assert_str_eq(terms[0].code, "draft");
    ck_assert_str_eq(terms[6].code, "cancelled");
    ck_assert_str_eq(terms[3].external, "iati:2");
    ck_assert_ptr_eq(ent_vocab_find(&vocab, "plan_status", "validated"),
                     &terms[2]);
    ck_assert_ptr_null(ent_vocab_find(&vocab, "plan_status", "Validated"));
    ck_assert_ptr_null(ent_vocab_find(&vocab, "plan", "validated"));
    ck_assert_uint_eq(ent_vocab_list(&vocab, "zzz", &terms), 0);
}
END_TEST

#define COLUMNS "list,code,label_fr,label_en,external,source\n"

static const struct {
    const char *text;
    const char *place;
    const char *says;
} vocab_faults[] = {
    {"", "v.csv", "empty"},
    {"list,code,label_fr,external,source\n", "v.csv:1", "label_en"},
    {COLUMNS "a,b,c\n", "v.csv:2", "3 cells"},
    {COLUMNS "#l,#c,#f,#e,#x,#s\na,b c,B,B,,\n", "v.csv:3: code", "b c"},
    {COLUMNS ",b,B,B,,\n", "v.csv:2: list", "\"\""},
    {COLUMNS "a,b,,B,,\n", "v.csv:2: label_fr", "empty"},
    {COLUMNS "a,b,B,B\x01,,\n", "v.csv:2: label_en", "U+0001"},
    {COLUMNS "a,b,B,B,,\nc,b,B,B,,\na,b,C,C,,\n", "v.csv:4", "already"},
};

START_TEST(a_fault_in_the_vocabulary_is_refused_with_file_line_and_column)
{
    make("v.csv", vocab_faults[_i].text);
    ck_assert_int_eq(ent_vocab_load(path, &vocab, &err), ENT_EREFUSED);
    ck_assert_uint_eq(vocab.count, 0);
    ck_assert_says(vocab_faults[_i].place);
    ck_assert_says(vocab_faults[_i].says);
}
END_TEST

/* A word that two terms of a list share names neither. */
START_TEST(an_ambiguous_label_is_not_guessed)
{
    make("v.csv", COLUMNS "a,one,Un,Same,,\na,two,Deux,same,,\n");
    ck_assert_int_eq(ent_vocab_load(path, &vocab, &err), 0);
    ck_assert_ptr_null(ent_vocab_said(&vocab, "a", ent_slice_str("SAME")));
    ck_assert_str_eq(ent_vocab_said(&vocab, "a", ent_slice_str("deux"))->code,
                     "two");
}
END_TEST

START_TEST(without_a_file_the_usual_values_hold)
{
    ck_assert_int_eq(ent_config_init(&config, &err), 0);
    ck_assert_ptr_null(config.listen);
    ck_assert_ptr_null(config.me);
    ck_assert_int_eq(config.endpoint_count, 0);
    ck_assert_int_ge(config.dial_seconds, 1);
    ck_assert_str_eq(config.log_level, "info");
}
END_TEST

START_TEST(a_file_is_read_over_what_is_there)
{
    ck_assert_int_eq(ent_config_init(&config, &err), 0);
    make("a.conf", "listen = \"tcp://*:4747\"\n"
                   "endpoints = {\"tcp://a.example:1\", \"tcp://[::1]:2\"}\n"
                   "dial_seconds = 5\npoll_ms = 10\nlog_level = debug\n"
                   "me = \" ctc-1 \"\n");
    ck_assert_msg(ent_config_read(&config, path, &err) == 0, "%s", err.text);
    ck_assert_str_eq(config.listen, "tcp://*:4747");
    ck_assert_int_eq(config.endpoint_count, 2);
    ck_assert_str_eq(config.endpoints[1], "tcp://[::1]:2");
    ck_assert_int_eq(config.dial_seconds, 5);
    ck_assert_int_eq(config.poll_ms, 10);
    ck_assert_str_eq(config.log_level, "debug");
    ck_assert_str_eq(config.me, "ctc-1");

    make("a.conf", "endpoints = {\"tcp://b.example:1\"}\n");
    ck_assert_int_eq(ent_config_read(&config, path, &err), 0);
    ck_assert_int_eq(config.endpoint_count, 1);
    ck_assert_str_eq(config.endpoints[0], "tcp://b.example:1");
    ck_assert_str_eq(config.listen, "tcp://*:4747");

    make("a.conf", "");
    ck_assert_int_eq(ent_config_read(&config, path, &err), 0);
    ck_assert_int_eq(config.endpoint_count, 1);
}
END_TEST

static const struct {
    const char *text;
    const char *says;
} config_faults[] = {
    {"\nlisten = \"everywhere\"\n", "everywhere"},
    {"\nlisten = \"tcp://host\"\n", "tcp://host"},
    {"\nlisten = \"tcp://a b:1\"\n", "tcp://a b:1"},
    {"\nlisten = \"ipc:///tmp/a\"\n", "ipc:///tmp/a"},
    {"\nlisten = \"tcp://a:65536\"\n", "tcp://a:65536"},
    {"\nendpoints = {\"tcp://a:1;tcp://b:1\"}\n", "tcp://b:1"},
    {"\nendpoints = {\"tcp://a:1\", \"b\"}\n", "\"b\""},
    {"\nendpoints = {\"tcp://a:1\", \"tcp://a:1\", \"tcp://a:1\", "
     "\"tcp://a:1\", \"tcp://a:1\", \"tcp://a:1\", \"tcp://a:1\", "
     "\"tcp://a:1\", \"tcp://a:1\"}\n",
     "8"},
    {"\ndial_seconds = 0\n", "dial_seconds"},
    {"\ndial_seconds = 86401\n", "86400"},
    {"\ndial_seconds = soon\n", "soon"},
    {"\npoll_ms = 5\n", "poll_ms"},
    {"\nconnections_max = 99999999999999999999\n", "connections_max"},
    {"\nlog_level = loud\n", "loud"},
    {"\ncolour = red\n", "colour"},
    {"\nme = \"Ann Ndayizeye\"\n", "me: "},
    {"\nme = \"\"\n", "me: "},
    {"\nlisten\n=", "unexpected"},
    {"\nlisten = {\n", "unexpected"},
};

/* And what was there stays as it was. */
START_TEST(a_fault_in_the_configuration_is_refused_with_file_and_line)
{
    ck_assert_int_eq(ent_config_init(&config, &err), 0);
    make("a.conf", "listen = \"tcp://*:1\"\n");
    ck_assert_int_eq(ent_config_read(&config, path, &err), 0);
    make("a.conf", config_faults[_i].text);
    ck_assert_int_eq(ent_config_read(&config, path, &err), ENT_EREFUSED);
    ck_assert_says("a.conf:");
    ck_assert_ptr_null(strstr(err.text, "a.conf:1:"));
    ck_assert_says(config_faults[_i].says);
    ck_assert_str_eq(config.listen, "tcp://*:1");
}
END_TEST

START_TEST(a_missing_configuration_is_not_found)
{
    ck_assert_int_eq(ent_config_init(&config, &err), 0);
    ck_assert_int_eq(ent_config_read(&config, "/nonexistent.conf", &err),
                     ENT_ENOTFOUND);
}
END_TEST

/* As it is, and with every setting of it switched on. */
START_TEST(the_example_of_the_configuration_can_be_used)
{
    struct ent_config usual;
    char line[256];
    char text[4096] = "";
    FILE *file;

    ck_assert_int_eq(ent_config_init(&usual, &err), 0);
    ck_assert_int_eq(ent_config_init(&config, &err), 0);
    file = fopen(ENT_SOURCE_DIR "/configs/entented.conf", "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file) != NULL)
        if (line[0] == '#' && line[1] >= 'a' && line[1] <= 'z')
            strcat(text, line + 1);
    fclose(file);
    make("a.conf", text);
    ck_assert_msg(ent_config_read(&config, path, &err) == 0, "%s", err.text);
    ck_assert_ptr_nonnull(config.listen);
    ck_assert_int_eq(config.endpoint_count, 1);
    ck_assert_int_eq(config.dial_seconds, usual.dial_seconds);
    ck_assert_int_eq(config.poll_ms, usual.poll_ms);
    ck_assert_int_eq(config.connections_max, usual.connections_max);
    ck_assert_str_eq(config.log_level, usual.log_level);
    ck_assert_int_eq(
        ent_config_read(&config, ENT_SOURCE_DIR "/configs/entented.conf", &err),
        0);
    ent_config_fini(&usual);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, setup, teardown);
    suite_add_tcase(suite, tc);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("definitions");
    TCase *tc = add_case(suite, "kinds");
    SRunner *runner;
    int failed;

    tcase_add_test(tc, the_shipped_kinds_have_their_fixed_numbers);
    tcase_add_test(tc, every_field_of_every_shipped_kind_is_filled_in);
    tcase_add_test(tc, every_list_of_every_kind_is_in_the_vocabulary);
    tcase_add_test(tc, a_small_kind_is_read_whole);
    tcase_add_loop_test(tc, a_fault_in_a_kind_is_refused_with_file_and_line, 0,
                        ENT_ARRAY_LEN(kind_faults));
    tcase_add_test(tc, the_number_alone_says_whether_a_kind_is_owned);
    tcase_add_test(tc, two_files_with_one_number_name_or_table_are_refused);
    tcase_add_test(tc, kinds_refer_to_one_another_across_files);
    tcase_add_test(tc, a_directory_without_kinds_is_not_found);
    tcase_add_test(tc, a_kind_of_too_many_bytes_is_refused);

    tc = add_case(suite, "vocabulary");
    tcase_add_test(tc, the_shipped_vocabulary_has_its_lists_in_order);
    tcase_add_loop_test(
        tc, a_fault_in_the_vocabulary_is_refused_with_file_line_and_column, 0,
        ENT_ARRAY_LEN(vocab_faults));
    tcase_add_test(tc, an_ambiguous_label_is_not_guessed);

    tc = add_case(suite, "config");
    tcase_add_test(tc, without_a_file_the_usual_values_hold);
    tcase_add_test(tc, a_file_is_read_over_what_is_there);
    tcase_add_loop_test(
        tc, a_fault_in_the_configuration_is_refused_with_file_and_line, 0,
        ENT_ARRAY_LEN(config_faults));
    tcase_add_test(tc, a_missing_configuration_is_not_found);
    tcase_add_test(tc, the_example_of_the_configuration_can_be_used);

    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
