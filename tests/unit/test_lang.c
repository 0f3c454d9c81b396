/* test_lang.c - the language without an installed locale, and where things
 * lie. Each test runs in a process of its own: all of it is global. */
#include <check.h>
#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "text/datadir.h"
#include "text/lang.h"

static char dir[] = "/tmp/entente-lang.XXXXXX";

/* A catalogue of two entries (gettext manual, "The Format of GNU MO Files"):
 *
 *   magic | revision | count | where originals | where translations | - | -
 *   length, offset of each original ... of each translation | texts */
static void write_catalogue(const char *path)
{
    static const char head[] = "Content-Type: text/plain; charset=UTF-8\n"
                               "Plural-Forms: nplurals=2; plural=(n > 1);\n";
    static const char *const texts[] = {"", "good day", head,
                                        "bonne journ\u00e9e"};
    struct ent_buf buf = {0};
    uint32_t numbers[7 + 8] = {0x950412de, 0, 2, 28, 44, 0, 0};
    uint32_t at = sizeof(numbers);
    FILE *file = fopen(path, "w");

    for (size_t i = 0; i < 4; i++) {
        numbers[7 + 2 * i] = (uint32_t)strlen(texts[i]);
        numbers[8 + 2 * i] = at;
        at += (uint32_t)strlen(texts[i]) + 1;
    }
    ent_buf_put(&buf, numbers, sizeof(numbers));
    for (size_t i = 0; i < 4; i++)
        ent_buf_put(&buf, texts[i], strlen(texts[i]) + 1);
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(buf.at, 1, buf.len, file), buf.len);
    fclose(file);
    ent_buf_fini(&buf);
}

static void setup(void)
{
    char path[256];

    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/fr", dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/fr/LC_MESSAGES", dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/fr/LC_MESSAGES/entente.mo", dir);
    write_catalogue(path);
}

static void teardown(void)
{
    static const char *const parts[] = {"/fr/LC_MESSAGES/entente.mo",
                                        "/fr/LC_MESSAGES", "/fr", ""};
    char path[256];

    for (size_t i = 0; i < ENT_ARRAY_LEN(parts); i++) {
        snprintf(path, sizeof(path), "%s%s", dir, parts[i]);
        remove(path);
    }
}

static void clear_environment(void)
{
    unsetenv("LC_ALL");
    unsetenv("LC_MESSAGES");
    unsetenv("LANG");
    unsetenv("LANGUAGE");
}

START_TEST(french_is_spoken_without_a_french_locale)
{
    char text[16];

    clear_environment();
    setenv("LC_ALL", "C", 1);
    ent_lang_set(ENT_LANG_FR, dir);
    ck_assert_str_eq(gettext("good day"), "bonne journ\u00e9e");
    ck_assert_str_eq(gettext("unknown"), "unknown");
    /* Numbers stay as programs expect them. */
    snprintf(text, sizeof(text), "%.1f", 1.5);
    ck_assert_str_eq(text, "1.5");
}
END_TEST

START_TEST(english_is_spoken_in_a_french_environment_when_asked)
{
    clear_environment();
    setenv("LC_ALL", "fr_FR.UTF-8", 1);
    setenv("LANGUAGE", "fr", 1);
    ent_lang_set(ENT_LANG_EN, dir);
    ck_assert_str_eq(gettext("good day"), "good day");
}
END_TEST

START_TEST(an_error_is_in_the_language_that_was_set)
{
    struct ent_err err;

    clear_environment();
    ent_lang_set(ENT_LANG_FR, dir);
    ent_err_set(&err, ENT_EFAIL, "good day");
    ck_assert_str_eq(err.text, "bonne journ\u00e9e");
}
END_TEST

START_TEST(the_environment_says_which_language)
{
    clear_environment();
    ck_assert_int_eq(ent_lang_environment(), ENT_LANG_EN);
    setenv("LANG", "fr_BE.UTF-8", 1);
    ck_assert_int_eq(ent_lang_environment(), ENT_LANG_FR);
    setenv("LC_MESSAGES", "en_GB.UTF-8", 1);
    ck_assert_int_eq(ent_lang_environment(), ENT_LANG_EN);
    setenv("LC_ALL", "fr", 1);
    ck_assert_int_eq(ent_lang_environment(), ENT_LANG_FR);
    setenv("LC_ALL", "frp_IT", 1); /* Franco-Provencal is another language */
    ck_assert_int_eq(ent_lang_environment(), ENT_LANG_EN);
}
END_TEST

START_TEST(a_language_is_named_by_two_letters)
{
    enum ent_lang lang = ENT_LANG_COUNT;

    ck_assert(ent_lang_parse("fr", &lang) && lang == ENT_LANG_FR);
    ck_assert(ent_lang_parse("en", &lang) && lang == ENT_LANG_EN);
    ck_assert(!ent_lang_parse("de", &lang));
    ck_assert(!ent_lang_parse("", &lang));
}
END_TEST

START_TEST(the_home_directory_is_looked_for_in_order)
{
    char home[ENT_PATH_MAX];

    setenv("HOME", "/h", 1);
    unsetenv("XDG_DATA_HOME");
    unsetenv("ENTENTE_HOME");
    ck_assert_int_eq(ent_home(NULL, home, NULL), 0);
    ck_assert_str_eq(home, "/h/.local/share/entente");
    setenv("XDG_DATA_HOME", "/x", 1);
    ck_assert_int_eq(ent_home(NULL, home, NULL), 0);
    ck_assert_str_eq(home, "/x/entente");
    setenv("ENTENTE_HOME", "/e", 1);
    ck_assert_int_eq(ent_home(NULL, home, NULL), 0);
    ck_assert_str_eq(home, "/e");
    ck_assert_int_eq(ent_home("given", home, NULL), 0);
    ck_assert_str_eq(home, "given");
    clearenv();
    ck_assert_int_eq(ent_home(NULL, home, NULL), ENT_EUSAGE);
}
END_TEST

START_TEST(a_program_in_its_build_folder_takes_the_source_trees_files)
{
    char build[ENT_PATH_MAX] = "";
    struct ent_built built = {.build = "/nowhere/",
                              .source_data = "/source/configs",
                              .build_locale = "/build/po",
                              .data = "/usr/share/entente",
                              .locale = "/usr/share/locale"};

    unsetenv("ENTENTE_DATADIR");
    ck_assert_str_eq(ent_datadir(&built), "/usr/share/entente");
    ck_assert_str_eq(ent_localedir(&built), "/usr/share/locale");
    ck_assert_int_gt(readlink("/proc/self/exe", build, sizeof(build) - 1), 0);
    strrchr(build, '/')[1] = '\0';
    built.build = build;
    ck_assert_str_eq(ent_datadir(&built), "/source/configs");
    ck_assert_str_eq(ent_localedir(&built), "/build/po");
    setenv("ENTENTE_DATADIR", "/mine", 1);
    ck_assert_str_eq(ent_datadir(&built), "/mine");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lang");
    TCase *lang = tcase_create("lang");
    TCase *places = tcase_create("places");
    SRunner *runner;
    int failed;

    tcase_add_unchecked_fixture(lang, setup, teardown);
    tcase_add_test(lang, french_is_spoken_without_a_french_locale);
    tcase_add_test(lang, english_is_spoken_in_a_french_environment_when_asked);
    tcase_add_test(lang, an_error_is_in_the_language_that_was_set);
    tcase_add_test(lang, the_environment_says_which_language);
    tcase_add_test(lang, a_language_is_named_by_two_letters);
    suite_add_tcase(suite, lang);

    tcase_add_test(places, the_home_directory_is_looked_for_in_order);
    tcase_add_test(places,
                   a_program_in_its_build_folder_takes_the_source_trees_files);
    suite_add_tcase(suite, places);

    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
