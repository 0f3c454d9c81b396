/* lang.h - the language of messages, without any locale installed.
 * Characters are UTF-8 and numbers are written as in C, whatever the
 * environment says; only the language is taken from it. */
#ifndef ENT_TEXT_LANG_H
#define ENT_TEXT_LANG_H

#include <stdbool.h>

#include "base/err.h"
#include "model/kind.h"

/* "fr" or "en". */
ENT_NODISCARD bool ent_lang_parse(const char *name, enum ent_lang *lang);

/* The language of LC_ALL, LC_MESSAGES or LANG; English for what is neither. */
enum ent_lang ent_lang_environment(void);

/* Speak it from now on, with the catalogues in `localedir`. Once, at the
 * start: it changes the environment and the locale. */
void ent_lang_set(enum ent_lang lang, const char *localedir);

#endif
