/* lang.c - see lang.h. */
#include "text/lang.h"

#include <libintl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[ENT_LANG_COUNT] = {
    [ENT_LANG_EN] = "en",
    [ENT_LANG_FR] = "fr",
};

bool ent_lang_parse(const char *name, enum ent_lang *lang)
{
    for (int i = 0; i < ENT_LANG_COUNT; i++)
        if (strcmp(name, names[i]) == 0) {
            *lang = (enum ent_lang)i;
            return true;
        }
    return false;
}

static bool is_french(const char *locale)
{
    return strncmp(locale, "fr", 2) == 0 &&
           (locale[2] == '\0' || strchr("_.@-", locale[2]) != NULL);
}

enum ent_lang ent_lang_environment(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(variables); i++) {
        const char *value = getenv(variables[i]);

        if (value != NULL && *value != '\0')
            return is_french(value) ? ENT_LANG_FR : ENT_LANG_EN;
    }
    return ENT_LANG_EN;
}

/* LANGUAGE is heeded in any locale but C. C.UTF-8, which is always there, will
 * do with glibc 2.36; where a C library takes it for C, a locale of the system
 * is tried. */
void ent_lang_set(enum ent_lang lang, const char *localedir)
{
    static const char *const locales[] = {
        "C.UTF-8",     "fr_FR.UTF-8", "fr_BE.UTF-8", "fr_CH.UTF-8",
        "fr_CA.UTF-8", "en_US.UTF-8", "en_GB.UTF-8",
    };

    /* The head of a catalogue is the translation of "". */
    static const char head[] = "";

    setenv("LANGUAGE", names[lang], 1);
    setlocale(LC_CTYPE, "C.UTF-8");
    bindtextdomain(ENT_TEXT_DOMAIN, localedir);
    bind_textdomain_codeset(ENT_TEXT_DOMAIN, "UTF-8");
    textdomain(ENT_TEXT_DOMAIN);
    for (size_t i = 0; i < ENT_ARRAY_LEN(locales); i++) {
        setlocale(LC_MESSAGES, locales[i]);
        if (lang == ENT_LANG_EN || *gettext(head) != '\0')
            return;
    }
}
