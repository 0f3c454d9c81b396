/* help.c - see help.h. */
#include "cli/help.h"

#include <string.h>

#include "cli/out_text.h"
#include "cli/pick.h"

static const struct {
    const char *title;
    const struct cmd *commands;
} tables[] = {
    {N_("This node"), cmd_node},
    {N_("Backups and the key"), cmd_backup},
    {N_("Spaces and members"), cmd_spaces},
    {N_("For the chair"), cmd_members},
    {N_("Records"), cmd_records},
    {N_("Workflows"), cmd_moves},
    {N_("Surveys"), cmd_surveys},
    {N_("Messages"), cmd_messages},
    {N_("Files"), cmd_files},
    {N_("Synchronisation"), cmd_sync},
    {N_("Everyday work"), cmd_everyday},
    {N_("Reports"), cmd_reports},
    {N_("Shells"), cmd_complete},
};

#define FORMATS N_("table, csv, tsv, json, jsonl, markdown or xlsx")

/* Commands that take more. */
static const struct {
    const char *command;
    const char *help;
} formats[] = {
    {"export", N_("table, csv, tsv, json, jsonl, markdown, xlsx, vcf or ics")},
    {"report", N_("table, csv, tsv, json, jsonl, markdown, xlsx or svg")},
};

static const struct {
    const char *name;
    const char *help;
} options[] = {
    {N_("--home DIR"), N_("the node's directory; else ENTENTE_HOME, else "
                          "~/.local/share/entente")},
    {N_("--lang fr|en"), N_("language of messages and headings")},
    {N_("--format F"), FORMATS},
    {N_("--as CONTACT"),
     N_("the contact who works here; else the setting \"me\"")},
    {N_("--output FILE"), N_("print into a file, all of it or nothing")},
    {"--json", N_("short for --format json")},
    {"--dry-run", N_("say what would be done, and change nothing")},
    {"--quiet", N_("no messages but errors")},
    {"--help", N_("this help, or that of a command")},
    {"--version", N_("the version of the program")},
};

/* Walks through all commands; start with {0, 0}. */
struct walk {
    size_t table, row;
};

static const struct cmd *next(struct walk *walk)
{
    for (; walk->table < ENT_ARRAY_LEN(tables); walk->table++, walk->row = 0)
        if (tables[walk->table].commands[walk->row].name != NULL)
            return &tables[walk->table].commands[walk->row++];
    return NULL;
}

const struct cmd *help_next(const struct cmd *cmd)
{
    struct walk walk = {0};
    const struct cmd *one = NULL;

    do
        one = next(&walk);
    while (cmd != NULL && one != NULL && one != cmd);
    return cmd == NULL ? one : next(&walk);
}

const struct cmd *help_find(const char *name)
{
    struct walk walk = {0};
    const struct cmd *cmd;

    while ((cmd = next(&walk)) != NULL)
        if (strcmp(cmd->name, name) == 0)
            break;
    return cmd;
}

const char *help_near(const char *name)
{
    struct pick_near near = {0};
    struct walk walk = {0};
    const struct cmd *cmd;

    while ((cmd = next(&walk)) != NULL)
        pick_offer(&near, name, cmd->name);
    return near.name;
}

static bool in_group(const struct cmd *cmd, const char *word)
{
    size_t len = strlen(word);

    return strncmp(cmd->name, word, len) == 0 &&
           (cmd->name[len] == ' ' || cmd->name[len] == '\0');
}

bool help_is_group(const char *word)
{
    struct walk walk = {0};
    const struct cmd *cmd;

    while ((cmd = next(&walk)) != NULL)
        if (in_group(cmd, word))
            return true;
    return false;
}

/* "" must not be looked up: that is the catalogue's own heading. */
static const char *translated(const char *text)
{
    return *text == '\0' ? text : gettext(text);
}

static void put_row(FILE *file, const char *name, size_t width,
                    const char *help)
{
    fprintf(file, "  %s%*s  %s\n", name, (int)(width - out_width(name, NULL)),
            "", translated(help));
}

void help_usage(FILE *file, const struct cmd *cmd)
{
    fprintf(file, _("usage: entente %s"), cmd->name);
    fprintf(file, "%s%s\n", *cmd->args == '\0' ? "" : " ",
            translated(cmd->args));
}

/* What an option is for, with one command (NULL: with any). */
static const char *option_help(const struct cmd *cmd, size_t option)
{
    const char *help = options[option].help;

    if (cmd == NULL || strcmp(help, FORMATS) != 0)
        return help;
    for (size_t i = 0; i < ENT_ARRAY_LEN(formats); i++)
        if (strcmp(formats[i].command, cmd->name) == 0)
            return formats[i].help;
    return help;
}

static void put_options(FILE *file, const struct cmd *cmd)
{
    size_t width = 0;

    for (size_t i = 0; i < ENT_ARRAY_LEN(options); i++)
        if (out_width(gettext(options[i].name), NULL) > width)
            width = out_width(gettext(options[i].name), NULL);
    fprintf(file, "\n%s\n", _("Options of every command"));
    for (size_t i = 0; i < ENT_ARRAY_LEN(options); i++)
        put_row(file, gettext(options[i].name), width, option_help(cmd, i));
}

void help_command(FILE *file, const struct cmd *cmd)
{
    help_usage(file, cmd);
    fprintf(file, "\n%s\n", translated(cmd->help));
    put_options(file, cmd);
}

/* The rows of one table, or of a group's commands only. */
static void put_rows(FILE *file, const struct cmd *commands, const char *word)
{
    size_t width = 0;

    for (const struct cmd *cmd = commands; cmd->name != NULL; cmd++)
        if ((word == NULL || in_group(cmd, word)) &&
            out_width(cmd->name, NULL) > width)
            width = out_width(cmd->name, NULL);
    for (const struct cmd *cmd = commands; cmd->name != NULL; cmd++)
        if (word == NULL || in_group(cmd, word))
            put_row(file, cmd->name, width, cmd->help);
}

void help_group(FILE *file, const char *word)
{
    for (size_t i = 0; i < ENT_ARRAY_LEN(tables); i++)
        put_rows(file, tables[i].commands, word);
    fprintf(file, "\n%s\n",
            _("\"entente help COMMAND\" tells how one is called."));
}

void help_all(FILE *file)
{
    fputs(_("usage: entente [OPTIONS] COMMAND [ARGUMENTS]\n"), file);
    for (size_t i = 0; i < ENT_ARRAY_LEN(tables); i++) {
        fprintf(file, "\n%s\n", gettext(tables[i].title));
        put_rows(file, tables[i].commands, NULL);
    }
    put_options(file, NULL);
    fprintf(file, "\n%s\n",
            _("\"entente help COMMAND\" tells how one is called."));
}
