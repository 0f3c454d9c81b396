/* messages.h - the messages of the spaces held here: who wrote them, which were
 * not read, what answers what. Their kind is owned (M9): whose a message is
 * nobody can forge. Who read one is nobody else's business (store/marks.h). */
#ifndef ENT_CLI_MESSAGES_H
#define ENT_CLI_MESSAGES_H

#include "cli/cmd.h"
#include "store/records.h"

#define MESSAGES_NONE SIZE_MAX

struct message {
    struct ent_record_ref ref;
    char id[ENT_ID_TEXT];
    const char *code; /* these are "" where nothing is written */
    const char *thread;
    const char *reply_to;
    const char *about;
    const char *author; /* the contact */
    const char *sent;   /* RFC 3339 */
    const char *subject;
    const char *body;
    bool own;      /* written here, or by a node whose place this one has */
    bool unread;   /* not own, and not marked */
    size_t parent; /* what it answers, MESSAGES_NONE when that is not here */
};

struct messages {
    struct message *list; /* the newest first */
    size_t count;
    struct ent_arena arena; /* owns the above */
};

/* Those of one space or all (0). */
ENT_NODISCARD int messages_read(struct cmd_ctx *ctx, int64_t space,
                                struct messages *messages);
void messages_fini(struct messages *messages);

/* How many were not read. */
ENT_NODISCARD int messages_unread(struct cmd_ctx *ctx, int64_t space,
                                  int64_t *count);

/* Whether it is for whom works here: it names them, or answers what was written
 * here. */
struct mention;
bool messages_is_mine(const struct messages *messages,
                      const struct message *message,
                      const struct mention *mention);

/* The columns of a listing of messages, and one row: `depth` steps below the
 * message that began. `mine` is for whom works here. */
void messages_columns(struct cmd_ctx *ctx, bool threaded);
ENT_NODISCARD int messages_row(struct cmd_ctx *ctx,
                               const struct message *message, bool mine,
                               bool threaded, size_t depth);

/* Mark those at `at` as read, unless this is a dry run. */
ENT_NODISCARD int messages_mark(struct cmd_ctx *ctx,
                                const struct messages *messages,
                                const size_t *at, size_t count);

/* say.c, threads.c, line.c */
int messages_say(struct cmd_ctx *ctx, int argc, char **argv);
int messages_thread(struct cmd_ctx *ctx, int argc, char **argv);
int messages_line(struct cmd_ctx *ctx, int argc, char **argv);

#endif
