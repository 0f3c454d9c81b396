/* names.h - what the records of a kind are called, and who is called so: for
 * formats that name an organisation where a field refers to its code. */
#ifndef ENT_CLI_NAMES_H
#define ENT_CLI_NAMES_H

#include "cli/cmd.h"

struct names;

/* The names of all live records of a kind, in all spaces. free with
 * names_free, which takes NULL. */
ENT_NODISCARD int names_load(struct cmd_ctx *ctx, const struct ent_kind *kind,
                             struct names **names);
void names_free(struct names *names);

/* The name of the record of that code or UUID; NULL when there is none. */
const char *names_of(const struct names *names, struct ent_slice key);

/* The code (or UUID) of the one record of that name, acronyms and both
 * languages included, whatever case and accents. NULL: none, or several. */
const char *names_find(const struct names *names, struct ent_slice name);

#endif
