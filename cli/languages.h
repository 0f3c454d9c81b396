/* languages.h - languages by their names: people read and write French or
 * "français" where a field holds fr. Names, English and French, are those of
 * ISO 639 (package iso-codes, when it is installed); programs read codes. */
#ifndef ENT_CLI_LANGUAGES_H
#define ENT_CLI_LANGUAGES_H

#include "cli/cmd.h"

/* Whether a field holds languages: its HXL tag or its name says so. */
bool languages_in(const struct ent_field *field);

#define LANGUAGES_TAG 40 /* bytes of a tag (BCP 47), its NUL included */

/* The tag for a tag, a code or a name: fr for FR, fra and "français", fr-BI for
 * itself; without the list of ISO every code is one. ENT_EREFUSED names the
 * nearest, or those that go by one name. */
ENT_NODISCARD int languages_read(struct cmd_ctx *ctx, struct ent_slice text,
                                 char tag[LANGUAGES_TAG], struct ent_err *err);

/* The name in the reader's language; NULL when it is not known, as that of a
 * tag with a region (fr-BI). */
const char *languages_name(struct cmd_ctx *ctx, const char *code);

/* What a cell says: to people the name, of `several` a JSON array of names, to
 * programs `text` as it is. In `buf`, or elsewhere; good until either goes. */
const char *languages_said(struct cmd_ctx *ctx, bool several, const char *text,
                           struct ent_buf *buf);

void languages_free(struct cmd_ctx *ctx);

#endif
