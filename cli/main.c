/* main.c - entente: the command line.
 * Finds the command, takes the options that every command has, opens what
 * commands use, runs one and closes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/countries.h"
#include "cli/help.h"
#include "cli/languages.h"
#include "cli/limits.h"
#include "cli/output.h"
#include "config.h"
#include "text/datadir.h"
#include "text/kinds.h"
#include "text/lang.h"

#define NAME_MAX_BYTES 64

struct start {
    const struct cmd *cmd;
    int words[2]; /* where the command's name stands in argv, 0: nowhere */
    const char *home;
    const char *lang;
    const char *format;
    const char *output;
    const char *as;
    bool json, dry_run, quiet, help, version;
};

struct global {
    const char *name;
    const char **value; /* takes one, or */
    bool *flag;
};

#define GLOBALS_MAX 12

static size_t list_globals(struct start *start, struct global *globals)
{
    const struct global list[] = {
        {"--home", &start->home, NULL},
        {"--lang", &start->lang, NULL},
        {"--format", &start->format, NULL},
        {"--output", &start->output, NULL},
        {"--as", &start->as, NULL},
        {"--json", NULL, &start->json},
        {"--dry-run", NULL, &start->dry_run},
        {"--quiet", NULL, &start->quiet},
        {"-q", NULL, &start->quiet},
        {"--help", NULL, &start->help},
        {"-h", NULL, &start->help},
        {"--version", NULL, &start->version},
    };

    _Static_assert(ENT_ARRAY_LEN(list) == GLOBALS_MAX, "room for all");
    memcpy(globals, list, sizeof(list));
    return ENT_ARRAY_LEN(list);
}

/* An option with a value that the command has itself is the command's where it
 * stands behind the command's name: "--lang fr trainers --lang rn". */
static bool is_own(const struct start *start, int at, const char *name)
{
    const char *found = start->cmd == NULL || at < start->words[0]
                            ? NULL
                            : strstr(start->cmd->args, name);

    return found != NULL && strchr(" =]", found[strlen(name)]) != NULL;
}

/* The global option that stands at argv[at], and the value behind a '='. */
static const struct global *find_global(const struct start *start,
                                        const struct global *globals,
                                        size_t count, char **argv, int at,
                                        const char **value)
{
    const char *word = argv[at];
    size_t len = strcspn(word, "=");

    *value = word[len] == '=' ? word + len + 1 : NULL;
    for (size_t i = 0; i < count; i++) {
        const struct global *global = &globals[i];

        if (strlen(global->name) == len &&
            strncmp(global->name, word, len) == 0 &&
            !(global->value != NULL && is_own(start, at, global->name)))
            return global;
    }
    return NULL;
}

/* Finds the first two words that are neither options nor their values, and
 * the command that they name. */
static void find_command(struct start *start, int argc, char **argv)
{
    struct global globals[GLOBALS_MAX];
    size_t count = list_globals(start, globals);
    char name[NAME_MAX_BYTES];
    int found = 0;

    for (int i = 1; i < argc && found < 2; i++) {
        const struct global *global;
        const char *value;

        if (strcmp(argv[i], "--") == 0)
            break;
        global = find_global(start, globals, count, argv, i, &value);
        if (global != NULL)
            i += global->value != NULL && value == NULL;
        else if (argv[i][0] != '-')
            start->words[found++] = i;
        else if (found > 0)
            break;
    }
    if (found == 2) {
        snprintf(name, sizeof(name), "%s %s", argv[start->words[0]],
                 argv[start->words[1]]);
        start->cmd = help_find(name);
    }
    if (found > 0 && start->cmd == NULL) {
        start->words[1] = 0;
        start->cmd = help_find(argv[start->words[0]]);
    }
}

/* Takes the global options and the command's name out of argv; the rest
 * stands from argv[1] on. */
static int take_globals(struct start *start, int *argc, char **argv,
                        struct ent_err *err)
{
    struct global globals[GLOBALS_MAX];
    size_t count = list_globals(start, globals);
    int kept = 1;

    for (int i = 1; i < *argc; i++) {
        const struct global *global;
        const char *value;

        if (i == start->words[0] || i == start->words[1])
            continue;
        if (strcmp(argv[i], "--") == 0) {
            while (i < *argc)
                argv[kept++] = argv[i++];
            break;
        }
        global = find_global(start, globals, count, argv, i, &value);
        if (global == NULL) {
            argv[kept++] = argv[i];
            continue;
        }
        if (global->flag != NULL) {
            if (value != NULL)
                return ent_err_set(err, ENT_EUSAGE, "%s takes no value",
                                   global->name);
            *global->flag = true;
            continue;
        }
        if (value == NULL && i + 1 < *argc)
            value = argv[++i];
        if (value == NULL)
            return ent_err_set(err, ENT_EUSAGE, "%s needs a value",
                               global->name);
        *global->value = value;
    }
    *argc = kept;
    return 0;
}

/* ---------------------------------------------------------------- language */

/* --lang, else what the environment says. */
static void set_language(struct cmd_ctx *ctx, const char *name)
{
    static const struct ent_built built = ENT_BUILT;

    if (name == NULL || !ent_lang_parse(name, &ctx->lang))
        ctx->lang = ent_lang_environment();
    ent_lang_set(ctx->lang, ent_localedir(&built));
}

/* Errors of the options are in the chosen language too, so that is looked for
 * before they are read. */
static const char *find_lang(const struct start *start, int argc, char **argv)
{
    const char *found = NULL;

    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_own(start, i, "--lang"))
            break;
        if (strcmp(argv[i], "--lang") == 0 && i + 1 < argc)
            found = argv[i + 1];
        if (strncmp(argv[i], "--lang=", 7) == 0)
            found = argv[i] + 7;
    }
    return found;
}

/* ----------------------------------------------------------------- context */

static int check_options(struct cmd_ctx *ctx, const struct start *start)
{
    enum ent_lang lang;

    ctx->dry_run = start->dry_run;
    ctx->quiet = start->quiet;
    ctx->as = start->as;
    if (start->lang != NULL && !ent_lang_parse(start->lang, &lang))
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "--lang takes fr or en, not \"%s\"", start->lang);
    if (start->json)
        ctx->format = OUT_JSON;
    else if (start->output != NULL)
        ctx->format = output_format(start->output);
    if (start->format != NULL && !out_parse_format(start->format, &ctx->format))
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "--format takes table, csv, tsv, json, jsonl, "
                           "markdown or xlsx, for exports vcf and ics, for "
                           "reports svg, not \"%s\"",
                           start->format);
    if ((ctx->format == OUT_VCF || ctx->format == OUT_ICS) &&
        (start->cmd == NULL || strcmp(start->cmd->name, "export") != 0))
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "vcf and ics are formats of \"export\" only");
    if (ctx->format == OUT_XLSX && start->output == NULL &&
        isatty(STDOUT_FILENO) == 1)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "a workbook is nothing for a terminal; name a file "
                           "with --output");
    if (ctx->format == OUT_SVG && start->cmd != NULL &&
        strcmp(start->cmd->name, "report") != 0)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "--format svg is for \"report\"");
    return 0;
}

static int open_ctx(struct cmd_ctx *ctx)
{
    char path[ENT_PATH_MAX + 32];
    int rc = ent_secure_init(&ctx->err);

    if (rc < 0)
        return rc;
    ctx->now_ms = cmd_now_ms();
    ent_rand_init_system(&ctx->rand);
    snprintf(path, sizeof(path), "%s/kinds", cmd_datadir());
    rc = ent_kinds_load(path, &ctx->kinds, &ctx->err);
    if (rc < 0)
        return rc;
    snprintf(path, sizeof(path), "%s/vocabulary/vocabulary.csv", cmd_datadir());
    return ent_vocab_load(path, &ctx->vocab, &ctx->err);
}

static void close_ctx(struct cmd_ctx *ctx)
{
    countries_free(ctx);
    limits_free(ctx);
    languages_free(ctx);
    ent_store_close(ctx->store);
    ent_workflows_fini(&ctx->workflows);
    ent_vocab_fini(&ctx->vocab);
    ent_arena_fini(&ctx->own_arena);
    ent_kinds_fini(&ctx->kinds);
    ent_rand_fini(&ctx->rand);
}

/* ------------------------------------------------------------------ running */

static int unknown_command(struct cmd_ctx *ctx, const char *first,
                           const char *second)
{
    char name[NAME_MAX_BYTES];
    const char *near;

    if (second != NULL && help_is_group(first))
        snprintf(name, sizeof(name), "%s %s", first, second);
    else
        snprintf(name, sizeof(name), "%s", first);
    near = help_near(name);

    if (near != NULL)
        ent_err_set(&ctx->err, ENT_EUSAGE,
                    "there is no command \"%s\"; did you mean \"%s\"?", name,
                    near);
    else
        ent_err_set(&ctx->err, ENT_EUSAGE,
                    "there is no command \"%s\"; \"entente help\" lists them",
                    name);
    return cmd_fail(ctx);
}

/* `entente help [COMMAND]`, and --help anywhere. */
static int print_help(struct cmd_ctx *ctx, const char *first,
                      const char *second)
{
    char name[NAME_MAX_BYTES];
    const struct cmd *cmd = NULL;

    if (first == NULL) {
        help_all(stdout);
        return CMD_OK;
    }
    snprintf(name, sizeof(name), "%s %s", first, second == NULL ? "" : second);
    cmd = help_find(second == NULL ? first : name);
    if (cmd == NULL && (second == NULL || !help_is_group(first)))
        cmd = help_find(first);
    if (cmd != NULL)
        help_command(stdout, cmd);
    else if (help_is_group(first))
        help_group(stdout, first);
    else
        return unknown_command(ctx, first, second);
    return CMD_OK;
}

/* The command line named no command that runs. */
static int no_command(struct cmd_ctx *ctx, const struct start *start, int argc,
                      char **argv, const char *first)
{
    if (start->version) {
        printf("entente %s\n", ENT_VERSION);
        return CMD_OK;
    }
    if (first != NULL && strcmp(first, "help") == 0)
        return print_help(ctx, argc > 1 ? argv[1] : NULL,
                          argc > 2 ? argv[2] : NULL);
    if (start->help)
        return print_help(ctx, first, argc > 1 ? argv[1] : NULL);
    if (first == NULL) {
        help_all(stderr);
        return CMD_USAGE;
    }
    if (help_is_group(first) && argc < 2) {
        help_group(stderr, first);
        return CMD_USAGE;
    }
    return unknown_command(ctx, first, argc > 1 ? argv[1] : NULL);
}

/* Whoever closed the pipe has seen enough; anything else is told. */
static int output_failed(struct cmd_ctx *ctx)
{
    if (errno != EPIPE) {
        ent_err_set(&ctx->err, ENT_EFAIL, "the output could not be written");
        cmd_fail(ctx);
    }
    return CMD_FAILED;
}

/* What a command says that found something open is whole, too. */
static bool is_whole(int status)
{
    return status == CMD_OK || status == CMD_CONFLICT;
}

static int run(struct cmd_ctx *ctx, const struct start *start, int argc,
               char **argv)
{
    const struct cmd *cmd = start->cmd;
    struct output output = {0};
    char name[NAME_MAX_BYTES];
    int status;

    if (open_ctx(ctx) < 0)
        return cmd_fail(ctx);
    if (start->output != NULL &&
        output_begin(&output, start->output, ctx->home, &ctx->err) < 0)
        return cmd_fail(ctx);
    ctx->out = out_new(stdout, ctx->format);
    if (ctx->out == NULL) {
        cmd_no_memory(ctx);
        status = cmd_fail(ctx);
        return output_end(&output, false, &ctx->err) < 0 ? CMD_FAILED : status;
    }
    if (ctx->lang == ENT_LANG_FR)
        out_speak_french(ctx->out);
    snprintf(name, sizeof(name), "%s", cmd->name);
    argv[0] = name;
    status = cmd->run(ctx, argc, argv);
    if (!out_free(ctx->out) && status == CMD_OK)
        status = output_failed(ctx);
    if (start->output != NULL && is_whole(status) && ctx->dry_run)
        cmd_say(ctx, _("would write %s"), start->output);
    if (output_end(&output, is_whole(status) && !ctx->dry_run, &ctx->err) < 0)
        status = cmd_fail(ctx);
    return status;
}

/* Descriptors 0 to 2 that were closed would be given to the next files opened:
 * what is printed must never end up in the replica. */
static void fill_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    struct cmd_ctx ctx = {0};
    struct start start = {0};
    char home[ENT_PATH_MAX];
    const char *first;
    int status;

    /* A closed pipe is an error of the output, never the end in the middle of
     * a command. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* nor is a file at its limit */
    fill_descriptors();
    find_command(&start, argc, argv);
    first = start.words[0] > 0 ? argv[start.words[0]] : NULL;
    set_language(&ctx, find_lang(&start, argc, argv));
    if (take_globals(&start, &argc, argv, &ctx.err) < 0 ||
        check_options(&ctx, &start) < 0 ||
        ent_home(start.home, home, &ctx.err) < 0)
        return cmd_fail(&ctx);
    ctx.home = home;
    if (start.help && start.cmd != NULL && !start.version) {
        help_command(stdout, start.cmd);
        status = CMD_OK;
    } else if (start.cmd == NULL || start.version) {
        status = no_command(&ctx, &start, argc, argv, first);
    } else {
        status = run(&ctx, &start, argc, argv);
    }
    if (status == CMD_OK && fflush(stdout) != 0)
        status = output_failed(&ctx);
    close_ctx(&ctx);
    return status;
}
