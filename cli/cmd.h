/* cmd.h - what every command is given, and the commands themselves.
 * A command parses its arguments, asks the library and prints through out.h.
 * Text on stdout is data; everything else goes to stderr. */
#ifndef ENT_CLI_CMD_H
#define ENT_CLI_CMD_H

#include <libintl.h>
#include <stdbool.h>

#include "base/err.h"
#include "cli/out.h"
#include "model/kind.h"
#include "secure/rand.h"
#include "store/store.h"
#include "text/config.h"
#include "text/vocab.h"
#include "text/workflows.h"

#define _(text) gettext(text)
#define N_(text) text

/* Exit status, as scripts rely on it (docs/man/entente.1). */
enum cmd_exit {
    CMD_OK = 0,
    CMD_FAILED = 1,
    CMD_USAGE = 2,
    CMD_NOT_FOUND = 3,
    CMD_DENIED = 4,
    CMD_REFUSED = 5,
    CMD_CONFLICT = 6,
    CMD_STORAGE = 7,
    CMD_PEER = 8,
};

struct countries;
struct languages;

struct cmd_ctx {
    const char *home; /* the node's directory */
    enum ent_lang lang;
    enum out_format format;
    bool dry_run;
    bool quiet;
    const char *as; /* --as: the contact who works here, or NULL */
    int64_t now_ms;
    struct ent_rand rand;
    struct ent_kinds kinds;         /* loaded by main */
    struct ent_vocab vocab;         /* loaded by main */
    struct ent_workflows workflows; /* read once by flow.c */
    struct ent_store *store;        /* opened by cmd_store, closed by main */
    struct ent_own *own;            /* read once by fields.c */
    size_t own_count;
    struct ent_arena own_arena;
    struct countries *countries; /* read once by countries.c */
    char *currencies;            /* and by limits.c */
    struct languages *languages; /* read once by languages.c */
    struct out *out;             /* stdout */
    struct ent_err err;
};

/* Open the replica of ctx->home once; NULL after a failure in ctx->err. Says
 * on stderr when the opening made a fresh origin (N2). */
struct ent_store *cmd_store(struct cmd_ctx *ctx);

/* The files shipped with the program: configs/ of the source tree when run
 * from a build folder, $ENTENTE_DATADIR when set, else the installed ones. */
const char *cmd_datadir(void);

/* Print ctx->err to stderr as "entente: ..." and give the exit status of its
 * code. */
int cmd_fail(struct cmd_ctx *ctx);

/* ENT_ENOMEM in ctx->err. */
int cmd_no_memory(struct cmd_ctx *ctx);

/* Print how `name` is called, to stderr; CMD_USAGE. */
int cmd_usage(struct cmd_ctx *ctx, const char *name);

/* A line on stderr unless --quiet. */
void cmd_say(struct cmd_ctx *ctx, const char *fmt, ...) ENT_PRINTF(2, 3);

/* Verify the open replica and print a list of what is wrong with it; the number
 * of findings, or an error in ctx->err. */
int cmd_findings(struct cmd_ctx *ctx, bool deep);

/* Tell a running daemon that there are new commits; harmless without one. */
void cmd_poke(struct cmd_ctx *ctx);

/* Whether a daemon runs over the node's directory. */
bool cmd_has_daemon(struct cmd_ctx *ctx);

/* Today in the form YYYY-MM-DD, from ctx->now_ms (UTC). */
void cmd_today(const struct cmd_ctx *ctx, char text[11]);

/* Unix milliseconds, and a clock that never goes back. */
int64_t cmd_now_ms(void);
int64_t cmd_mono_ms(void);

/* "90s", "30m", "12h" or "7d", given to the option `name`, in ms.
 * ENT_EUSAGE. */
ENT_NODISCARD int cmd_duration(struct cmd_ctx *ctx, const char *name,
                               const char *text, int64_t *ms);

struct cmd {
    const char *name; /* "init", "space create" */
    const char *args; /* "--org NAME [--country ISO3]", N_() marked */
    const char *help; /* one line, N_() marked */
    int (*run)(struct cmd_ctx *ctx, int argc, char **argv); /* argv[0]: name */
};

/* One table for each file of commands, ended by a row without a name. */
extern const struct cmd cmd_node[];
extern const struct cmd cmd_backup[];
extern const struct cmd cmd_spaces[];
extern const struct cmd cmd_members[];
extern const struct cmd cmd_records[];
extern const struct cmd cmd_moves[];
extern const struct cmd cmd_surveys[];
extern const struct cmd cmd_files[];
extern const struct cmd cmd_sync[];
extern const struct cmd cmd_everyday[];
extern const struct cmd cmd_reports[];
extern const struct cmd cmd_complete[];
extern const struct cmd cmd_messages[];

#endif
