/* complete.c - what may come next on a command line, for the shells: the
 * scripts in cli/completion hand over the words so far and offer what is
 * printed here. The replica is only read, and asked nothing when it is not
 * there. One candidate a line, with a tab and what it means behind it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fields.h"
#include "cli/flow.h"
#include "cli/help.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "store/query.h"
#include "text/datadir.h"

#define OFFERED_MAX 200 /* records, terms */
#define PART_MAX 64     /* bytes of one part of how a command is called */

struct line {
    struct cmd_ctx *ctx;
    char **words; /* those before the one at hand, without the program's name */
    int count;
    const char *current;
    const struct cmd *cmd; /* NULL: none yet */
    int place;             /* words of the command before this one */
    const char *first;     /* the first of them, or NULL */
    const char *space;
};

static void offer(const struct line *line, const char *prefix, const char *text,
                  const char *means)
{
    struct ent_buf shown = {0};
    const char *plain;

    ent_buf_put_str(&shown, prefix);
    ent_buf_put_str(&shown, text);
    if (means != NULL && *means != '\0') {
        ent_buf_put_u8(&shown, '\t');
        out_show(&shown, means);
    }
    plain = ent_buf_cstr(&shown);
    if (plain != NULL &&
        strncmp(plain, line->current, strlen(line->current)) == 0)
        puts(plain);
    ent_buf_fini(&shown);
}

/* ---------------------------------------------------------- the words so far
 */

static const char *const globals[] = {"--home",    "--lang",  "--format",
                                      "--json",    "--quiet", "--dry-run",
                                      "--version", "--help"};

static bool takes_value(const struct line *line, const char *word)
{
    const char *at;
    size_t len = strlen(word);

    if (strcmp(word, "--home") == 0 || strcmp(word, "--lang") == 0 ||
        strcmp(word, "--format") == 0)
        return true;
    at = line->cmd == NULL ? NULL : strstr(line->cmd->args, word);
    return at != NULL && at[len] == ' ' && at[len + 1] != '[' &&
           at[len + 1] != '|';
}

static void read_words(struct line *line)
{
    char name[2 * PART_MAX];

    for (int i = 0; i < line->count; i++) {
        const char *word = line->words[i];

        if (word[0] == '-') {
            if (takes_value(line, word) && i + 1 < line->count) {
                if (strcmp(word, "--space") == 0)
                    line->space = line->words[i + 1];
                if (strcmp(word, "--home") == 0)
                    line->ctx->home = line->words[i + 1];
                i++;
            }
            continue;
        }
        if (line->cmd != NULL) {
            if (line->place++ == 0)
                line->first = word;
            continue;
        }
        if (line->first != NULL)
            snprintf(name, sizeof(name), "%s %s", line->first, word);
        else
            snprintf(name, sizeof(name), "%s", word);
        line->cmd = help_find(name);
        /* "member" is none, "quarantine" and "quarantine readmit" both are. */
        if (line->cmd != NULL && line->first == NULL && help_is_group(word) &&
            i + 1 < line->count) {
            snprintf(name, sizeof(name), "%s %s", word, line->words[i + 1]);
            if (help_find(name) != NULL) {
                line->cmd = help_find(name);
                i++;
            }
        }
        line->first = line->cmd == NULL ? word : NULL;
    }
}

/* The replica, for reading; what was left in ctx->err is nobody's concern. */
static bool has_store(struct cmd_ctx *ctx)
{
    const struct ent_store_options options = {
        .kinds = &ctx->kinds,
        .rand = &ctx->rand,
        .now_ms = ctx->now_ms,
        .read_only = true,
    };

    if (ctx->store == NULL &&
        ent_store_open(ctx->home, &options, &ctx->store, &ctx->err) < 0)
        ctx->store = NULL;
    return ctx->store != NULL;
}

/* ---------------------------------------------------------------- candidates
 */

static void offer_commands(const struct line *line)
{
    const char *group = line->first;
    size_t skipped = group == NULL ? 0 : strlen(group) + 1;
    char last[PART_MAX] = "";

    for (const struct cmd *cmd = help_next(NULL); cmd != NULL;
         cmd = help_next(cmd)) {
        char word[PART_MAX];
        size_t len;
        bool more;

        if (group != NULL && (strncmp(cmd->name, group, skipped - 1) != 0 ||
                              cmd->name[skipped - 1] != ' '))
            continue;
        len = strcspn(cmd->name + skipped, " ");
        more = cmd->name[skipped + len] == ' ';
        snprintf(word, sizeof(word), "%.*s", (int)len, cmd->name + skipped);
        if (strcmp(last, word) != 0) /* of a group one line */
            offer(line, "", word, more ? NULL : gettext(cmd->help));
        snprintf(last, sizeof(last), "%s", word);
    }
    if (group == NULL)
        offer(line, "", "help", NULL);
}

static void offer_options(const struct line *line)
{
    const char *at = line->cmd == NULL ? "" : line->cmd->args;

    while ((at = strstr(at, "--")) != NULL) {
        size_t len = 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");
        char word[PART_MAX];

        snprintf(word, sizeof(word), "%.*s", (int)len, at);
        offer(line, "", word, NULL);
        at += len;
    }
    for (size_t i = 0; i < ENT_ARRAY_LEN(globals); i++)
        offer(line, "", globals[i], NULL);
}

static void offer_spaces(const struct line *line)
{
    struct ent_space *list;
    size_t count;

    if (!has_store(line->ctx) ||
        ent_space_list(line->ctx->store, &list, &count, &line->ctx->err) < 0)
        return;
    for (size_t i = 0; i < count; i++)
        offer(line, "", list[i].name, list[i].title[line->ctx->lang]);
    free(list);
}

static void offer_kinds(const struct line *line)
{
    for (size_t i = 0; i < line->ctx->kinds.count; i++) {
        const struct ent_kind *kind = &line->ctx->kinds.kinds[i];

        offer(line, "", kind->name, look_kind_label(line->ctx, kind));
    }
}

/* Codes that begin with what was typed; of one kind, or of all. */
static void offer_records(const struct line *line, const struct ent_kind *only)
{
    struct cmd_ctx *ctx = line->ctx;

    if (line->current[0] == '\0' || !has_store(ctx))
        return;
    for (size_t i = 0; i < ctx->kinds.count; i++) {
        const struct ent_kind *kind = &ctx->kinds.kinds[i];
        struct ent_query *query = NULL;
        char sql[256];

        if (only != NULL && kind != only)
            continue;
        snprintf(sql, sizeof(sql),
                 "SELECT code FROM \"%s\" WHERE substr(code, 1, length(:p)) = "
                 ":p ORDER BY code LIMIT %d",
                 kind->table, OFFERED_MAX);
        if (ent_query_open(ctx->store, sql, &query, &ctx->err) < 0)
            continue;
        ent_query_bind(query, ":p", line->current);
        while (ent_query_next(query, &ctx->err) > 0)
            offer(line, "", ent_query_text(query, 0),
                  look_kind_label(ctx, kind));
        ent_query_close(query);
    }
}

static void offer_reports(const struct line *line)
{
    char path[ENT_PATH_MAX];
    const struct dirent *entry;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/reports", cmd_datadir());
    dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char name[PART_MAX];
        size_t len = strlen(entry->d_name);

        if (len <= 4 || len >= sizeof(name) ||
            strcmp(entry->d_name + len - 4, ".sql") != 0)
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)(len - 4), entry->d_name);
        offer(line, "", name, NULL);
    }
    if (dir != NULL)
        closedir(dir);
}

static void offer_workflows(const struct line *line)
{
    const struct ent_workflows *all = flow_workflows(line->ctx);

    for (size_t i = 0; all != NULL && i < all->count; i++)
        offer(line, "", all->list[i].name, all->list[i].label[line->ctx->lang]);
}

/* Those that the record named before may be moved to. */
static void offer_states(const struct line *line)
{
    struct cmd_ctx *ctx = line->ctx;
    struct ent_record record = {0};
    struct flow_record read = {0};
    const struct ent_kind *kind;
    struct ent_record_ref ref;
    size_t count = 0;

    if (line->first == NULL || !has_store(ctx) ||
        ent_record_find(ctx->store, line->first, 0, 0, &ref, 1, &count,
                        &ctx->err) < 0 ||
        count == 0)
        return;
    kind = ent_kind_find(&ctx->kinds, ref.kind);
    if (kind != NULL &&
        ent_record_read(ctx->store, &ref, &record, &ctx->err) == 0 &&
        flow_read(ctx, &record, kind, &read) == 0 && read.now.workflow != NULL)
        for (size_t i = 0; i < read.now.workflow->state_count; i++) {
            const struct ent_state_def *state = &read.now.workflow->states[i];

            if (flow_may(&read.now, state))
                offer(line, "", state->name, state->label[ctx->lang]);
        }
    flow_record_fini(&read);
    ent_record_fini(&record);
}

static void offer_terms(const struct line *line, const char *list)
{
    const struct ent_term *terms = NULL;
    size_t count = ent_vocab_list(&line->ctx->vocab, list, &terms);

    for (size_t i = 0; i < count; i++)
        offer(line, "", terms[i].code, terms[i].label[line->ctx->lang]);
}

static const struct ent_kind *kind_of(const struct line *line)
{
    const struct ent_kind *kind = NULL;
    struct ent_record_ref ref;
    size_t count = 0;

    if (line->first == NULL)
        return NULL;
    if (strncmp(line->cmd->args, "KIND", 4) == 0)
        return pick_kind(line->ctx, line->first, &kind) < 0 ? NULL : kind;
    if (!has_store(line->ctx) ||
        ent_record_find(line->ctx->store, line->first, 0, 0, &ref, 1, &count,
                        &line->ctx->err) < 0 ||
        count == 0)
        return NULL;
    return ent_kind_find(&line->ctx->kinds, ref.kind);
}

/* "status=" of a kind, then the terms that may stand there. */
static void offer_fields(const struct line *line)
{
    struct cmd_ctx *ctx = line->ctx;
    const struct ent_kind *kind = kind_of(line);
    size_t len = strcspn(line->current, "=<>!~+");
    const char *equals = strchr(line->current, '=');
    struct ent_arena arena = {0};
    const struct ent_field **fields;
    size_t count;

    if (kind == NULL)
        return;
    (void)has_store(ctx);
    if (fields_all(ctx, kind, 0, &arena, &fields, &count) < 0)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ent_term *terms = NULL;
        char prefix[2 * PART_MAX];
        size_t term_count;

        if (equals == NULL) {
            snprintf(prefix, sizeof(prefix), "%s=", fields[i]->name);
            offer(line, "", prefix, look_field_label(ctx, fields[i]));
            continue;
        }
        if (strlen(fields[i]->name) != len ||
            strncmp(fields[i]->name, line->current, len) != 0 ||
            fields[i]->type != ENT_TYPE_ENUM)
            continue;
        snprintf(prefix, sizeof(prefix), "%.*s",
                 (int)(equals + 1 - line->current), line->current);
        term_count = ent_vocab_list(&ctx->vocab, fields[i]->list, &terms);
        for (size_t j = 0; j < term_count && j < OFFERED_MAX; j++)
            offer(line, prefix, terms[j].code, terms[j].label[ctx->lang]);
    }
    ent_arena_fini(&arena);
}

/* ------------------------------------------------------------------- what next
 */

/* The nth word that a command takes, as its table calls it: "KIND", "ID". */
static bool part_of(const struct cmd *cmd, int place, char part[PART_MAX])
{
    const char *at = cmd->args;

    part[0] = '\0';
    while (*at != '\0') {
        size_t len = strcspn(at, " ");
        const char *word = at + (*at == '[');
        bool option = strncmp(word, "--", 2) == 0;

        if (strncmp(word, "|", 1) == 0)
            return part[0] != '\0';
        if (!option) {
            snprintf(part, PART_MAX, "%.*s", (int)strcspn(word, " ]."), word);
            if (place-- == 0)
                return true;
        }
        at += len + (at[len] == ' ');
        if (option && at[-2] != ']' && *at != '\0') /* and its value */
            at += strcspn(at, " ") + (at[strcspn(at, " ")] == ' ');
    }
    /* The last one may be said again: FIELD=VALUE..., WORDS... */
    return strstr(cmd->args, "...") != NULL && part[0] != '\0';
}

static void offer_word(const struct line *line)
{
    char part[PART_MAX];

    if (!part_of(line->cmd, line->place, part))
        return;
    if (strcmp(part, "KIND") == 0)
        offer_kinds(line);
    else if (strcmp(part, "SPACE") == 0)
        offer_spaces(line);
    else if (strncmp(part, "FIELD", 5) == 0)
        offer_fields(line);
    else if (strcmp(part, "SPACE|ID") == 0) {
        offer_spaces(line);
        offer_records(line, NULL);
    } else if (strcmp(part, "ID") == 0 || strcmp(part, "RECORD") == 0)
        offer_records(line, NULL);
    else if (strcmp(part, "CONTACT") == 0)
        offer_records(line, ent_kind_named(&line->ctx->kinds, "contact"));
    else if (strcmp(part, "SURVEY") == 0)
        offer_records(line, ent_kind_named(&line->ctx->kinds, "survey"));
    else if (strcmp(part, "STATE") == 0)
        offer_states(line);
    else if (strcmp(line->cmd->name, "report") == 0)
        offer_reports(line);
    if (strcmp(part, "NAME|ID") == 0) {
        offer_workflows(line);
        offer_records(line, NULL);
    }
}

static void offer_list(const struct line *line, const char *const *list,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        offer(line, "", list[i], NULL);
}

static void offer_formats(const struct line *line)
{
    static const char *const all[] = {"table", "csv",      "tsv", "json",
                                      "jsonl", "markdown", "xlsx"};
    static const char *const cards[] = {"vcf", "ics"};
    static const char *const pictures[] = {"svg"};
    const char *command = line->cmd == NULL ? "" : line->cmd->name;

    offer_list(line, all, ENT_ARRAY_LEN(all));
    if (strcmp(command, "export") == 0)
        offer_list(line, cards, ENT_ARRAY_LEN(cards));
    if (strcmp(command, "report") == 0)
        offer_list(line, pictures, ENT_ARRAY_LEN(pictures));
}

static void offer_value(const struct line *line, const char *option)
{
    static const char *const langs[] = {"en", "fr"};

    if (strcmp(option, "--lang") == 0)
        offer_list(line, langs, ENT_ARRAY_LEN(langs));
    else if (strcmp(option, "--format") == 0)
        offer_formats(line);
    else if (strcmp(option, "--space") == 0)
        offer_spaces(line);
    else if (strcmp(option, "--sharing") == 0)
        offer_terms(line, ENT_SHARING_FIELD);
    else if (strcmp(option, "--group") == 0)
        offer_records(line, ent_kind_named(&line->ctx->kinds, "group"));
    else if (strcmp(option, "--as") == 0 && line->cmd != NULL &&
             strcmp(line->cmd->name, "approve") == 0)
        offer_terms(line, "approval_role");
    else if (strcmp(option, "--as") == 0 || strcmp(option, "--to") == 0 ||
             strcmp(option, "--by") == 0)
        offer_records(line, ent_kind_named(&line->ctx->kinds, "contact"));
}

static int complete(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct line line = {.ctx = ctx, .current = ""};

    if (argc > 1 && strcmp(argv[1], "--") == 0) {
        argv++;
        argc--;
    }
    if (argc > 1)
        line.current = argv[argc - 1];
    line.words = argv + 1;
    line.count = argc > 2 ? argc - 2 : 0;
    read_words(&line);
    if (line.count > 0 && takes_value(&line, line.words[line.count - 1]))
        offer_value(&line, line.words[line.count - 1]);
    else if (line.current[0] == '-')
        offer_options(&line);
    else if (line.cmd == NULL)
        offer_commands(&line);
    else
        offer_word(&line);
    return CMD_OK;
}

const struct cmd cmd_complete[] = {
    {"complete", N_("-- WORD..."),
     N_("what may come next; the shells' completion asks it"), complete},
    {NULL, NULL, NULL, NULL},
};
