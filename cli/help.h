/* help.h - the table of all commands: finding one, and telling how each is
 * called. */
#ifndef ENT_CLI_HELP_H
#define ENT_CLI_HELP_H

#include <stdio.h>

#include "cli/cmd.h"

/* The command of that name, of one word or two; NULL when there is none. */
const struct cmd *help_find(const char *name);

/* The command behind one; the first for NULL, NULL behind the last. */
const struct cmd *help_next(const struct cmd *cmd);

/* The nearest name to one that is not known, or NULL. */
const char *help_near(const char *name);

/* Whether `word` begins commands of two words, such as "space". */
bool help_is_group(const char *word);

/* "usage: entente NAME ARGS". */
void help_usage(FILE *file, const struct cmd *cmd);

/* What one command does, those that begin with a word, or all of them. */
void help_command(FILE *file, const struct cmd *cmd);
void help_group(FILE *file, const char *word);
void help_all(FILE *file);

#endif
