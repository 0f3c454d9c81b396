/* node.c - commands about this node: its settings, its key, its health. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/conflicts.h"
#include "cli/countries.h"
#include "cli/erase.h"
#include "cli/label.h"
#include "cli/look.h"
#include "cli/messages.h"
#include "cli/pick.h"
#include "cli/settings.h"
#include "config.h"
#include "store/peers.h"
#include "store/query.h"

#define PATH_BYTES 4200

/* -------------------------------------------------------------------- init */

/* The folders above the node's own; that one is the store's to make. */
static int make_parents(const char *home, struct ent_err *err)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s", home);
    for (char *at = strchr(path + 1, '/'); at != NULL;
         at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return ent_err_set(err, ENT_ESTORE, "%s: %s", path,
                               strerror(errno));
        *at = '/';
    }
    return 0;
}

static void print_node(struct cmd_ctx *ctx)
{
    char key[2 * ENT_KEY_BYTES + 1];
    char origin[ENT_ID_TEXT];

    ent_hex_put(key, ent_store_keys(ctx->store)->public.b, ENT_KEY_BYTES);
    ent_id_text(ent_store_origin(ctx->store), origin);
    out_object_begin(ctx->out);
    out_field(ctx->out, "key", _("key"), key);
    out_field(ctx->out, "org", _("organisation"), ent_store_org(ctx->store));
    out_field(ctx->out, "country", _("country"), ent_store_country(ctx->store));
    out_field(ctx->out, "origin", _("origin"), origin);
    out_field(ctx->out, "version", _("version"), ENT_VERSION);
    out_object_end(ctx->out);
}

static bool has_file(const struct cmd_ctx *ctx, const char *name)
{
    char path[PATH_BYTES];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", ctx->home, name);
    return stat(path, &st) == 0;
}

static int create_node(struct cmd_ctx *ctx, const char *org,
                       const char *country)
{
    const struct ent_store_options options = {
        .kinds = &ctx->kinds,
        .rand = &ctx->rand,
        .now_ms = ctx->now_ms,
    };
    char name[ENT_NAME_BYTES_MAX + 1];
    char iso3[COUNTRIES_CODE] = "";
    bool has_key = has_file(ctx, "key");
    int rc = label_read_name(ctx, "--org", org, name);

    if (rc < 0)
        return rc;
    if (has_file(ctx, "replica.db"))
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "%s holds a node already; another one needs "
                           "another --home",
                           ctx->home);
    if (country != NULL && *country != '\0')
        rc = countries_ask(ctx, &country, iso3);
    if (rc < 0)
        return rc;
    if (ctx->dry_run) {
        cmd_say(ctx, _("would make a node for %s in %s"), name, ctx->home);
        return 0;
    }
    rc = make_parents(ctx->home, &ctx->err);
    if (rc == 0)
        rc = ent_store_create(ctx->home, name, iso3, &options, &ctx->err);
    if (rc == 0 && cmd_store(ctx) == NULL)
        rc = ctx->err.code;
    if (rc == 0)
        print_node(ctx);
    if (rc == 0 && has_key)
        cmd_say(ctx, "%s",
                _("with the key that was there, under a fresh origin: what "
                  "this node wrote before comes back from its peers"));
    return rc;
}

static int cmd_init(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *org = NULL;
    const char *country = NULL;
    const struct args_option options[] = {
        {.name = "--org", .value = &org},
        {.name = "--country", .value = &country},
    };

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1 || org == NULL || *org == '\0')
        return cmd_usage(ctx, argv[0]);
    return create_node(ctx, org, country) < 0 ? cmd_fail(ctx) : CMD_OK;
}

static int cmd_whoami(struct cmd_ctx *ctx, int argc, char **argv)
{
    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    print_node(ctx);
    return CMD_OK;
}

/* ------------------------------------------------------------------ status */

/* Sentences, one a line, as a JSON list. */
static void list_lines(char *lines, struct ent_buf *list)
{
    char *rest = NULL;
    size_t count = 0;

    ent_buf_put_u8(list, '[');
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest), count++) {
        if (count > 0)
            ent_buf_put_u8(list, ',');
        out_json_string(list, line);
    }
    ent_buf_put_u8(list, ']');
}

static void space_columns(struct cmd_ctx *ctx, bool all)
{
    struct out *out = ctx->out;

    out_column(out, "space", _("space"), OUT_TEXT);
    out_column(out, "title", _("title"), OUT_TEXT);
    out_column(out, "role", _("role"), OUT_TEXT);
    if (all) {
        out_column(out, "roster", _("roster"), OUT_NUMBER);
        out_column(out, "logs", _("logs"), OUT_NUMBER);
    }
    out_column(out, "entries", _("entries"), OUT_NUMBER);
    out_column(out, "records", _("records"), OUT_NUMBER);
    out_column(out, "conflicts", _("conflicts"), OUT_NUMBER);
    out_column(out, "unread", _("unread"), OUT_NUMBER);
    out_column(out, "quarantined", _("in quarantine"), OUT_NUMBER);
    out_column(out, "alarms", _("alarms"), OUT_LIST);
}

/* What members ask of this node, where it is the chair. */
static int put_requests(struct cmd_ctx *ctx, const struct ent_space *space,
                        struct ent_buf *lines)
{
    int64_t count = 0;
    int rc = space->role != ENT_ROLE_CHAIR
                 ? 0
                 : erase_requests(ctx, space->space, &count);

    if (rc == 0 && count > 0)
        ent_buf_printf(lines,
                       ngettext("members ask for %lld record to be erased; "
                                "\"entente erase --status\" lists it\n",
                                "members ask for %lld records to be erased; "
                                "\"entente erase --status\" lists them\n",
                                (unsigned long)count),
                       (long long)count);
    return rc;
}

static int print_space(struct cmd_ctx *ctx, const struct ent_space *space,
                       bool all)
{
    struct out *out = ctx->out;
    struct ent_space_counts counts;
    size_t moved = 0; /* to two states apart */
    struct ent_buf lines = {0};
    struct ent_buf alarms = {0};
    int64_t unread = 0;
    const char *text;
    int rc = ent_space_counts(ctx->store, space->space, &counts, &ctx->err);

    if (rc == 0)
        rc = messages_unread(ctx, space->space, &unread);
    if (rc == 0)
        rc = conflict_each_state(ctx, space->space, NULL, NULL, &moved);
    if (rc == 0)
        rc = ent_space_alarms(ctx->store, space->space, &lines, &ctx->err);
    if (rc == 0)
        rc = put_requests(ctx, space, &lines);
    if (rc < 0)
        goto out;
    ent_buf_put_u8(&lines, '\0');
    if (lines.rc == 0)
        list_lines((char *)lines.at, &alarms);
    text = ent_buf_cstr(&alarms);
    out_row(out);
    out_cell(out, space->name);
    out_cell(out, label_title(ctx, space));
    out_cell(out, label_own_role(ctx, space));
    if (all) {
        out_cell_int(out, (int64_t)space->roster_pos);
        out_cell_int(out, counts.logs);
    }
    out_cell_int(out, counts.entries);
    out_cell_int(out, counts.records);
    out_cell_int(out, counts.conflicts + (int64_t)moved);
    out_cell_int(out, unread);
    out_cell_int(out, counts.quarantined);
    out_cell(out, text);
out:
    ent_buf_fini(&lines);
    ent_buf_fini(&alarms);
    return rc;
}

static int print_spaces(struct cmd_ctx *ctx, bool all)
{
    struct ent_space *list = NULL;
    size_t count = 0;
    int rc = ent_space_list(ctx->store, &list, &count, &ctx->err);

    out_nested_begin(ctx->out, "spaces", _("Spaces"));
    space_columns(ctx, all);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = print_space(ctx, &list[i], all);
    out_nested_end(ctx->out);
    free(list);
    return rc;
}

static int print_peers(struct cmd_ctx *ctx)
{
    struct ent_peer *list = NULL;
    size_t count = 0;
    int rc = ent_peer_list(ctx->store, &list, &count, &ctx->err);

    out_nested_begin(ctx->out, "peers", _("Peers"));
    label_peer_columns(ctx);
    for (size_t i = 0; rc == 0 && i < count; i++)
        label_peer(ctx, &list[i]);
    out_nested_end(ctx->out);
    free(list);
    return rc;
}

static int cmd_status(struct cmd_ctx *ctx, int argc, char **argv)
{
    bool all = look_for_program(ctx);
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    out_object_begin(ctx->out);
    out_field(ctx->out, "org", _("organisation"), ent_store_org(ctx->store));
    out_field_bool(ctx->out, "daemon", _("daemon running"),
                   cmd_has_daemon(ctx));
    rc = print_spaces(ctx, all);
    if (rc == 0)
        rc = print_peers(ctx);
    out_object_end(ctx->out);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

/* -------------------------------------------------------------- the replica */

static int print_digest(struct cmd_ctx *ctx, const struct ent_space *space)
{
    struct ent_digest digest;
    char text[2 * ENT_HASH_BYTES + 1];
    int rc = ent_digest_read(ctx->store, space->space, &digest, &ctx->err);

    if (rc < 0)
        return rc;
    out_row(ctx->out);
    out_cell(ctx->out, space->name);
    ent_hex_put(text, digest.roster.b, sizeof(digest.roster.b));
    out_cell(ctx->out, text);
    ent_hex_put(text, digest.entries.b, sizeof(digest.entries.b));
    out_cell(ctx->out, text);
    ent_hex_put(text, digest.state, sizeof(digest.state));
    out_cell(ctx->out, text);
    return 0;
}

static int cmd_digest(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_space *list = NULL;
    size_t count = 0;
    int64_t only = 0;
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL ||
        pick_space(ctx, argc == 2 ? argv[1] : NULL, &only) < 0 ||
        ent_space_list(ctx->store, &list, &count, &ctx->err) < 0)
        return cmd_fail(ctx);
    out_list_begin(ctx->out);
    out_column(ctx->out, "space", _("space"), OUT_TEXT);
    out_column(ctx->out, "roster", _("roster"), OUT_TEXT);
    out_column(ctx->out, "entries", _("entries"), OUT_TEXT);
    out_column(ctx->out, "state", _("state"), OUT_TEXT);
    rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (only == 0 || list[i].space == only)
            rc = print_digest(ctx, &list[i]);
    out_list_end(ctx->out);
    free(list);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

static int cmd_verify(struct cmd_ctx *ctx, int argc, char **argv)
{
    bool deep = false;
    const struct args_option options[] = {{.name = "--deep", .flag = &deep}};
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = cmd_findings(ctx, deep);
    if (rc < 0)
        return cmd_fail(ctx);
    if (rc > 0) {
        cmd_say(ctx,
                ngettext("%d fault was found", "%d faults were found",
                         (unsigned long)rc),
                rc);
        return CMD_FAILED;
    }
    cmd_say(ctx, "%s", _("no fault was found"));
    return CMD_OK;
}

static int cmd_rebuild(struct cmd_ctx *ctx, int argc, char **argv)
{
    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    if (ctx->dry_run) {
        cmd_say(ctx, "%s",
                _("would make all rows, conflicts and search anew from the "
                  "log"));
        return CMD_OK;
    }
    if (ent_store_rebuild(ctx->store, &ctx->err) < 0)
        return cmd_fail(ctx);
    cmd_say(ctx, "%s", _("everything but the log was made anew"));
    return CMD_OK;
}

/* A query's columns have no type; each value has. */
static void print_value(struct out *out, struct ent_query *query, size_t column)
{
    switch (ent_query_type(query, column)) {
    case ENT_COLUMN_NULL:
        out_cell(out, NULL);
        return;
    case ENT_COLUMN_INTEGER:
    case ENT_COLUMN_REAL:
        out_cell_as(out, OUT_NUMBER, ent_query_text(query, column));
        return;
    case ENT_COLUMN_TEXT:
    case ENT_COLUMN_BLOB:
        break;
    }
    out_cell(out, ent_query_text(query, column));
}

static int cmd_sql(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_query *query;
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL ||
        ent_query_open(ctx->store, argv[1], &query, &ctx->err) < 0)
        return cmd_fail(ctx);
    out_list_begin(ctx->out);
    for (size_t i = 0; i < ent_query_columns(query); i++)
        out_column(ctx->out, ent_query_name(query, i), ent_query_name(query, i),
                   OUT_TEXT);
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        out_row(ctx->out);
        for (size_t i = 0; i < ent_query_columns(query); i++)
            print_value(ctx->out, query, i);
    }
    out_list_end(ctx->out);
    ent_query_close(query);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

const struct cmd cmd_node[] = {
    {"init", N_("--org NAME [--country ISO3]"),
     N_("make this node: its key and an empty replica"), cmd_init},
    {"whoami", "", N_("this node's key, organisation and origin"), cmd_whoami},
    {"status", "", N_("spaces and peers: what is held, what was heard"),
     cmd_status},
    {"config", N_("[KEY[=VALUE]]"),
     N_("the settings that hold, or one of them; = sets it"), settings_command},
    {"digest", N_("[SPACE]"),
     N_("fingerprints, equal on replicas that hold the same"), cmd_digest},
    {"verify", "[--deep]",
     N_("check the file, the chains, the signatures and the rows"), cmd_verify},
    {"rebuild", "", N_("make everything but the log anew"), cmd_rebuild},
    {"sql", N_("QUERY"), N_("ask the replica in SQL; nothing is changed"),
     cmd_sql},
    {0},
};
