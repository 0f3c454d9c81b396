/* countries.h - countries by their names: people write Burundi or "République
 * démocratique du Congo" where a field holds BDI or COD. The names, English and
 * French, are those of ISO 3166-1 (package iso-codes, when it is installed)
 * and those of the countries recorded in the replica. */
#ifndef ENT_CLI_COUNTRIES_H
#define ENT_CLI_COUNTRIES_H

#include "cli/cmd.h"

#define COUNTRIES_CODE 4 /* bytes of an alpha-3 code, its NUL included */

/* Whether a field holds a country: its HXL tag says so, or its name. */
bool countries_in(const struct ent_field *field);

/* The code for a code or a name; codes that ISO leaves to its users (XKX) are
 * codes, too, and without the list of ISO every code is. ENT_EREFUSED names the
 * nearest, or those that go by one name. */
ENT_NODISCARD int countries_read(struct cmd_ctx *ctx, struct ent_slice text,
                                 char code[COUNTRIES_CODE],
                                 struct ent_err *err);

/* The same for what --country asks for, which becomes the code; NULL stays. */
ENT_NODISCARD int countries_ask(struct cmd_ctx *ctx, const char **asked,
                                char code[COUNTRIES_CODE]);

/* The name in the reader's language; NULL when it is not known. */
const char *countries_name(struct cmd_ctx *ctx, const char *code);

void countries_free(struct cmd_ctx *ctx);

#endif
