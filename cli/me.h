/* me.h - who works here: the contact that --as names, else the setting "me".
 * Also what everyday commands share when they ask about people and days. */
#ifndef ENT_CLI_ME_H
#define ENT_CLI_ME_H

#include "cli/cmd.h"
#include "store/records.h"

/* The contact of that name, by code, id or tail; of those shown as one the
 * lead. ENT_ENOTFOUND, ENT_EAMBIG. */
ENT_NODISCARD int me_contact(struct cmd_ctx *ctx, const char *name,
                             struct ent_record_ref *ref);

/* Say that no contact has that name here, and who may be meant. */
ENT_NODISCARD int me_tell_unknown(struct cmd_ctx *ctx, const char *name);

/* What references call a record: its code, else its id. */
ENT_NODISCARD int me_name(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                          struct ent_buf *name);

/* What references call the contact who works here. ENT_EUSAGE: nobody said
 * who that is. */
ENT_NODISCARD int me_read(struct cmd_ctx *ctx, struct ent_buf *name);

/* A date given to an option, in full or in part; today for NULL. The text is
 * `text` or `today`. ENT_EUSAGE. */
ENT_NODISCARD int me_date(struct cmd_ctx *ctx, const char *name,
                          const char *text, char today[11], const char **date);

/* The code of an enumeration's value, given by code, by label in either
 * language, or by the beginning of one code alone. In `arena`. ENT_EUSAGE. */
ENT_NODISCARD int me_term(struct cmd_ctx *ctx, const char *option,
                          const char *list, const char *text,
                          struct ent_arena *arena, const char **code);

#endif
