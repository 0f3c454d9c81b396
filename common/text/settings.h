/* settings.h - a file in libconfuse's form, in which every setting knows its
 * line.
 * libconfuse splits the file into sections and settings; what a setting may
 * hold is checked by the reader, in sentences that are translated. Settings
 * are kept as text through libconfuse's user-defined values. libconfuse's
 * lexer is global: one thread at a time. */
#ifndef ENT_TEXT_SETTINGS_H
#define ENT_TEXT_SETTINGS_H

#include <confuse.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"

#define ENT_SETTINGS_BYTES_MAX (64 << 10) /* one file */

struct ent_setting {
    int line;
    char text[];
};

#define ENT_SETTING(name)                                                      \
    CFG_PTR_CB(name, NULL, CFGF_NODEFAULT, ent_setting_keep, free)
#define ENT_SETTING_LIST(name)                                                 \
    CFG_PTR_LIST_CB(name, NULL, CFGF_NODEFAULT, ent_setting_keep, free)

/* Stands at the end of every file's own options. libconfuse takes the end of
 * the file for closing braces, so a file that was cut off would be read as a
 * shorter one; this setting, put behind the text, is then found in a section,
 * where it is unknown. */
#define ENT_SETTINGS_END_NAME "end_of_file"
#define ENT_SETTINGS_END ENT_SETTING(ENT_SETTINGS_END_NAME)

/* Keeps a setting with its line: libconfuse's callback. */
int ent_setting_keep(cfg_t *section, cfg_opt_t *option, const char *text,
                     void *result);

/* Reads `path` by `options`; the caller gives *file to cfg_free.
 * ENT_ENOTFOUND: no such file. ENT_EREFUSED: "file:line: what is wrong": bad
 * syntax, an unknown setting, a NUL, or more than ENT_SETTINGS_BYTES_MAX. */
ENT_NODISCARD int ent_settings_read(const char *path, cfg_opt_t *options,
                                    cfg_t **file, struct ent_err *err);

/* NULL when the section does not have it. */
const struct ent_setting *ent_setting(cfg_t *section, const char *name);

/* A decimal number from `least` to `most`; false for anything else. */
ENT_NODISCARD bool ent_setting_number(const struct ent_setting *setting,
                                      int least, int most, int *number);

/* Calls `read` with the path of every *.conf file of a folder, in the order of
 * the bytes of their names, until one fails; `count` is how many there are.
 * ENT_ENOTFOUND: the folder cannot be read; else what `read` says. */
typedef int ent_settings_fn(void *ctx, const char *path);
ENT_NODISCARD int ent_settings_each(const char *dir, ent_settings_fn *read,
                                    void *ctx, int *count, struct ent_err *err);

#endif
