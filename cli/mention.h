/* mention.h - who is meant by a text: @ and a contact's code, its
 * organisation's code, or the name of this node's organisation. */
#ifndef ENT_CLI_MENTION_H
#define ENT_CLI_MENTION_H

#include "cli/cmd.h"

#define MENTION_NAMES_MAX 4

/* The names under which the person who works here can be mentioned, without
 * differences of case and accent. */
struct mention {
    const char *names[MENTION_NAMES_MAX]; /* each with its @ */
    size_t count;
    const char *me; /* the contact's code or id; NULL when none is set */
    struct ent_arena arena; /* owns the above */
};

/* Read from the settings and the contact that they name. */
ENT_NODISCARD int mention_read(struct cmd_ctx *ctx, struct mention *mention);
void mention_fini(struct mention *mention);

/* Whether one of the names stands in `text` as a word. */
bool mention_in(const struct mention *mention, const char *text);

/* Say, on stderr, whom a text written to a space calls with @ and nobody here
 * is called so, and who may be meant. */
ENT_NODISCARD int mention_tell_unknown(struct cmd_ctx *ctx, int64_t space,
                                       const char *text);

#endif
