/* spaces.c - commands about spaces, their members and what is set aside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/join.h"
#include "cli/label.h"
#include "cli/look.h"
#include "cli/peers.h"
#include "cli/pick.h"
#include "cli/qr.h"
#include "cli/settings.h"
#include "cli/spaces.h"

int spaces_check_handle(struct cmd_ctx *ctx, const char *name)
{
    int64_t space;
    int rc;

    if (!ent_space_is_handle(name))
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "\"%s\" is no name for a space: use a to z, digits, "
                           "- and _",
                           name);
    rc = ent_space_find(ctx->store, name, &space, &ctx->err);
    if (rc == 0)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "there is a space \"%s\" already", name);
    return rc == ENT_ENOTFOUND || rc == ENT_EAMBIG ? 0 : rc;
}

/* ------------------------------------------------------------------- spaces */

static int create_space(struct cmd_ctx *ctx, const char *name,
                        const char *title_en, const char *title_fr)
{
    char en[ENT_NAME_BYTES_MAX + 1], fr[ENT_NAME_BYTES_MAX + 1];
    struct ent_space made;
    int64_t space;
    int rc =
        cmd_store(ctx) == NULL ? ctx->err.code : spaces_check_handle(ctx, name);

    if (rc == 0)
        rc = label_read_name(ctx, "--title-en", title_en, en);
    if (rc == 0)
        rc = label_read_name(ctx, "--title-fr", title_fr, fr);
    if (rc < 0)
        return rc;
    if (ctx->dry_run) {
        cmd_say(ctx, _("would make the space %s, with this node as its chair"),
                name);
        return 0;
    }
    rc = ent_space_create(ctx->store, name, en, fr, ctx->now_ms, &space,
                          &ctx->err);
    if (rc == 0)
        rc = ent_space_read(ctx->store, space, &made, &ctx->err);
    if (rc < 0)
        return rc;
    look_print_id(ctx, &made.id);
    cmd_poke(ctx);
    return 0;
}

static int cmd_space_create(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *title_en = "";
    const char *title_fr = "";
    const struct args_option options[] = {
        {.name = "--title-en", .value = &title_en},
        {.name = "--title-fr", .value = &title_fr},
    };

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    return create_space(ctx, argv[1], title_en, title_fr) < 0 ? cmd_fail(ctx)
                                                              : CMD_OK;
}

static int cmd_space_list(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct out *out = ctx->out;
    struct ent_space *list = NULL;
    char id[ENT_ID_TEXT];
    bool all = look_for_program(ctx);
    size_t count = 0;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL ||
        ent_space_list(ctx->store, &list, &count, &ctx->err) < 0)
        return cmd_fail(ctx);
    out_list_begin(out);
    out_column(out, "space", _("space"), OUT_TEXT);
    out_column(out, "id", _("id"), OUT_TEXT);
    out_column(out, "title", _("title"), OUT_TEXT);
    out_column(out, "role", _("role"), OUT_TEXT);
    if (all)
        out_column(out, "roster", _("roster"), OUT_NUMBER);
    out_column(out, "left", _("left"), OUT_BOOL);
    for (size_t i = 0; i < count; i++) {
        out_row(out);
        out_cell(out, list[i].name);
        out_cell(out, look_id(ctx, &list[i].id, id));
        out_cell(out, label_title(ctx, &list[i]));
        out_cell(out, label_own_role(ctx, &list[i]));
        if (all)
            out_cell_int(out, (int64_t)list[i].roster_pos);
        out_cell(out, list[i].left ? "1" : "0");
    }
    out_list_end(out);
    if (count == 0)
        cmd_say(ctx, "%s",
                _("no space yet: \"space create\" makes one, \"join\" enters "
                  "one"));
    for (size_t i = 0; i < count; i++)
        pick_tell_lost(ctx, &list[i]);
    free(list);
    return CMD_OK;
}

static void member_columns(struct out *out)
{
    out_column(out, "key", _("key"), OUT_TEXT);
    out_column(out, "org", _("organisation"), OUT_TEXT);
    out_column(out, "role", _("role"), OUT_TEXT);
    out_column(out, "deputy", _("deputy"), OUT_BOOL);
    out_column(out, "since", _("since (roster)"), OUT_NUMBER);
}

static void print_member(struct cmd_ctx *ctx, const struct ent_member *member)
{
    char key[LABEL_KEY_TEXT];

    out_row(ctx->out);
    out_cell(ctx->out, label_key(ctx, &member->key, key));
    out_cell(ctx->out, member->org);
    out_cell(ctx->out, label_role(ctx, member->role));
    out_cell(ctx->out, member->deputy ? "1" : "0");
    out_cell_int(ctx->out, (int64_t)member->since);
}

static void print_space(struct cmd_ctx *ctx, const struct ent_space *space,
                        const struct ent_member *members, size_t count)
{
    struct out *out = ctx->out;
    char text[2 * ENT_HASH_BYTES + 1];

    out_object_begin(out);
    out_field(out, "space", _("space"), space->name);
    ent_id_text(&space->id, text);
    out_field(out, "id", _("id"), text);
    out_field(out, "title_en", _("title in English"),
              space->title[ENT_LANG_EN]);
    out_field(out, "title_fr", _("title in French"), space->title[ENT_LANG_FR]);
    out_field(out, "role", _("role"), label_own_role(ctx, space));
    out_field_int(out, "roster", _("roster"), (int64_t)space->roster_pos);
    ent_hex_put(text, space->roster_head.b, ENT_HASH_BYTES);
    out_field(out, "roster_head", _("roster's head"), text);
    out_field_bool(out, "left", _("left"), space->left);
    out_nested_begin(out, "members", _("Members"));
    member_columns(out);
    for (size_t i = 0; i < count; i++)
        print_member(ctx, &members[i]);
    out_nested_end(out);
    out_object_end(out);
}

static int cmd_space_show(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_member *members = NULL;
    struct ent_space info;
    size_t count = 0;
    int64_t space;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    if (pick_open(ctx, argv[1], &space) < 0 ||
        ent_space_read(ctx->store, space, &info, &ctx->err) < 0 ||
        ent_member_list(ctx->store, space, &members, &count, &ctx->err) < 0)
        return cmd_fail(ctx);
    print_space(ctx, &info, members, count);
    pick_tell_lost(ctx, &info);
    free(members);
    return CMD_OK;
}

static int leave_space(struct cmd_ctx *ctx, const char *name, bool purge)
{
    struct ent_space info;
    int64_t space;
    int rc = pick_open(ctx, name, &space);

    if (rc == 0)
        rc = ent_space_read(ctx->store, space, &info, &ctx->err);
    if (rc < 0)
        return rc;
    if (!ctx->dry_run) {
        rc = ent_space_leave(ctx->store, space, purge, &ctx->err);
        if (rc == 0)
            cmd_poke(ctx);
        return rc;
    }
    if (info.role == ENT_ROLE_CHAIR)
        return ent_err_set(&ctx->err, ENT_EDENIED,
                           "the chair cannot leave the space: others could "
                           "admit nobody any more");
    if (purge)
        cmd_say(ctx, _("would leave %s and delete everything in it"),
                info.name);
    else
        cmd_say(ctx, _("would leave %s and keep a copy that is not changed"),
                info.name);
    return 0;
}

static int cmd_space_leave(struct cmd_ctx *ctx, int argc, char **argv)
{
    bool purge = false;
    const struct args_option options[] = {{.name = "--purge", .flag = &purge}};

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    return leave_space(ctx, argv[1], purge) < 0 ? cmd_fail(ctx) : CMD_OK;
}

static int cmd_space_rename(struct cmd_ctx *ctx, int argc, char **argv)
{
    int64_t space;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 3)
        return cmd_usage(ctx, argv[0]);
    if (pick_open(ctx, argv[1], &space) < 0 ||
        spaces_check_handle(ctx, argv[2]) < 0)
        return cmd_fail(ctx);
    if (ctx->dry_run) {
        cmd_say(ctx, _("would call %s %s from now on, on this node only"),
                pick_handle(ctx, space), argv[2]);
        return CMD_OK;
    }
    if (ent_space_rename(ctx->store, space, argv[2], &ctx->err) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}

/* -------------------------------------------------------------- invitations */

static int add_endpoint(struct cmd_ctx *ctx, struct spaces_endpoints *endpoints,
                        const char *text)
{
    int rc = peers_check_endpoint(ctx, text);

    if (rc < 0)
        return rc;
    if (endpoints->count == ENT_ENDPOINTS_MAX)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "an invitation holds at most %d addresses",
                           ENT_ENDPOINTS_MAX);
    snprintf(endpoints->text[endpoints->count++], ENT_ENDPOINT_MAX + 1, "%s",
             text);
    return 0;
}

static int add_configured(struct cmd_ctx *ctx,
                          struct spaces_endpoints *endpoints)
{
    struct ent_config config;
    int rc = settings_read(ctx, &config);

    if (rc < 0)
        return rc;
    for (int i = 0; rc == 0 && i < config.endpoint_count; i++)
        rc = add_endpoint(ctx, endpoints, config.endpoints[i]);
    ent_config_fini(&config);
    return rc;
}

int spaces_find_endpoints(struct cmd_ctx *ctx, const struct args_many *given,
                          struct spaces_endpoints *endpoints)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < given->count; i++)
        rc = add_endpoint(ctx, endpoints, given->at[i]);
    if (rc == 0 && endpoints->count == 0)
        rc = add_configured(ctx, endpoints);
    if (rc == 0 && endpoints->count == 0)
        rc = ent_peer_endpoints(ctx->store, &ent_store_keys(ctx->store)->public,
                                endpoints->text, ENT_ENDPOINTS_MAX,
                                &endpoints->count, &ctx->err);
    if (rc == 0 && endpoints->count == 0)
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         "nobody would know where to dial this node: give "
                         "--endpoint tcp://HOST:PORT, or keep it for all "
                         "invitations: entente config "
                         "endpoints=tcp://HOST:PORT");
    for (size_t i = 0; i < endpoints->count; i++)
        endpoints->at[i] = endpoints->text[i];
    return rc;
}

static int parse_role(struct cmd_ctx *ctx, const char *text,
                      enum ent_role *role)
{
    if (ent_role_parse(text, role) &&
        (*role == ENT_ROLE_EDITOR || *role == ENT_ROLE_READER))
        return 0;
    return ent_err_set(&ctx->err, ENT_EUSAGE,
                       "--role takes editor or reader, not \"%s\"", text);
}

static void print_line(struct cmd_ctx *ctx, int64_t space, const char *line,
                       int64_t expires_ms)
{
    char until[LOOK_TIME_TEXT];

    if (!look_for_program(ctx)) {
        printf("%s\n", line);
        fflush(stdout);
        return;
    }
    look_rfc3339(expires_ms, until);
    out_object_begin(ctx->out);
    out_field(ctx->out, "space", _("space"), pick_handle(ctx, space));
    out_field(ctx->out, "invitation", _("invitation"), line);
    out_field(ctx->out, "expires", _("until"), until);
    out_object_end(ctx->out);
}

int spaces_print_invite(struct cmd_ctx *ctx, int64_t space, enum ent_role role,
                        int64_t expires_ms,
                        const struct spaces_endpoints *endpoints, bool as_qr)
{
    struct ent_buf line = {0};
    char until[LOOK_TIME_TEXT];
    int rc;

    if (ctx->dry_run) {
        cmd_say(ctx, _("would print an invitation to %s as %s"),
                pick_handle(ctx, space), gettext(ent_role_name(role)));
        return 0;
    }
    rc = ent_invite_create(ctx->store, space, role, expires_ms, endpoints->at,
                           endpoints->count, ctx->now_ms, &line, &ctx->err);
    if (rc == 0) {
        const char *text = ent_buf_cstr(&line);

        print_line(ctx, space, text == NULL ? "" : text, expires_ms);
        if (as_qr && text != NULL)
            qr_draw(ctx, text);
        cmd_say(ctx,
                _("good for one organisation, until %s; send it by a way you "
                  "trust"),
                label_until(ctx, expires_ms, until));
        cmd_poke(ctx);
    }
    ent_buf_fini(&line);
    return rc;
}

static int cmd_invite(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *role_text = "editor";
    const char *expires_text = SPACES_EXPIRES_USUAL;
    struct args_many given = {0};
    struct spaces_endpoints endpoints = {0};
    bool as_qr = false;
    const struct args_option options[] = {
        {.name = "--role", .value = &role_text},
        {.name = "--expires", .value = &expires_text},
        {.name = "--endpoint", .many = &given},
        {.name = "--qr", .flag = &as_qr},
    };
    enum ent_role role;
    int64_t space, lasts_ms;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    if (parse_role(ctx, role_text, &role) < 0 ||
        cmd_duration(ctx, "--expires", expires_text, &lasts_ms) < 0 ||
        pick_open(ctx, argv[1], &space) < 0 ||
        pick_check_chair(ctx, space) < 0 ||
        spaces_find_endpoints(ctx, &given, &endpoints) < 0 ||
        spaces_print_invite(ctx, space, role, ctx->now_ms + lasts_ms,
                            &endpoints, as_qr) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}

/* ------------------------------------------------------------------ members */

static int cmd_member_list(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_member *members = NULL;
    size_t count = 0;
    int64_t space;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    if (pick_open(ctx, argv[1], &space) < 0 ||
        ent_member_list(ctx->store, space, &members, &count, &ctx->err) < 0)
        return cmd_fail(ctx);
    out_list_begin(ctx->out);
    member_columns(ctx->out);
    for (size_t i = 0; i < count; i++)
        print_member(ctx, &members[i]);
    out_list_end(ctx->out);
    free(members);
    return CMD_OK;
}

static int admit_key(struct cmd_ctx *ctx, int64_t space, const char *key_text,
                     enum ent_role role, const char *org)
{
    static const struct ent_hash8 no_invite;
    char name[ENT_NAME_BYTES_MAX + 1];
    struct ent_key key;
    int rc = label_read_key(ctx, key_text, &key);

    if (rc == 0)
        rc = label_read_name(ctx, "--org", org, name);
    if (rc < 0)
        return rc;
    if (ent_member_role(ctx->store, space, &key) != ENT_ROLE_NONE)
        return ent_err_set(&ctx->err, ENT_EUSAGE, "%s is a member already",
                           key_text);
    if (!ctx->dry_run)
        return ent_member_admit(ctx->store, space, &key, role, name, &no_invite,
                                ctx->now_ms, &ctx->err);
    cmd_say(ctx, _("would admit %s to %s as %s"), key_text,
            pick_handle(ctx, space), gettext(ent_role_name(role)));
    return 0;
}

/* A request to join brings its role and organisation along. */
static bool is_key(const char *text)
{
    struct ent_key key;

    return ent_hex_get(key.b, ENT_KEY_BYTES, text, strlen(text));
}

static int cmd_member_admit(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *role_text = NULL;
    const char *org = NULL;
    const struct args_option options[] = {
        {.name = "--role", .value = &role_text},
        {.name = "--org", .value = &org},
    };
    struct ent_request request;
    enum ent_role role;
    int64_t space;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 3 || (role_text == NULL && (org != NULL || is_key(argv[2]))) ||
        (role_text != NULL && ent_request_is_line(argv[2])))
        return cmd_usage(ctx, argv[0]);
    if ((role_text != NULL && parse_role(ctx, role_text, &role) < 0) ||
        pick_open(ctx, argv[1], &space) < 0 ||
        pick_check_decides(ctx, space) < 0)
        return cmd_fail(ctx);
    if (role_text != NULL)
        rc = admit_key(ctx, space, argv[2], role, org == NULL ? "" : org);
    else
        rc = join_read(ctx, argv[2], &request);
    if (rc == 0 && role_text == NULL)
        rc = join_admit(ctx, space, &request);
    if (rc < 0)
        return cmd_fail(ctx);
    if (!ctx->dry_run)
        cmd_poke(ctx);
    return CMD_OK;
}

/* --------------------------------------------------------------- quarantine */

static void print_quarantined(struct cmd_ctx *ctx,
                              const struct ent_quarantined *entry)
{
    char log[ENT_ID_TEXT];
    char author[LABEL_KEY_TEXT];

    ent_id_text(&entry->origin, log);
    out_row(ctx->out);
    out_cell_int(ctx->out, entry->n);
    out_cell(ctx->out, pick_handle(ctx, entry->space));
    out_cell(ctx->out, log);
    out_cell_int(ctx->out, (int64_t)entry->seq);
    if (look_for_program(ctx))
        out_cell(ctx->out, label_key(ctx, &entry->author, author));
    else
        out_cell(ctx->out, look_org(ctx, &entry->author, author));
    out_cell(ctx->out, gettext(entry->reason));
}

static int cmd_quarantine(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct out *out = ctx->out;
    struct ent_quarantined *list = NULL;
    size_t count = 0;
    int64_t space;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2)
        return cmd_usage(ctx, argv[0]);
    if (pick_open(ctx, argc == 2 ? argv[1] : NULL, &space) < 0 ||
        ent_quarantine_list(ctx->store, space, &list, &count, &ctx->err) < 0)
        return cmd_fail(ctx);
    out_list_begin(out);
    out_column(out, "n", _("number"), OUT_NUMBER);
    out_column(out, "space", _("space"), OUT_TEXT);
    out_column(out, "log", _("log"), OUT_TEXT);
    out_column(out, "seq", _("entry"), OUT_NUMBER);
    out_column(out, "author", _("author"), OUT_TEXT);
    out_column(out, "reason", _("reason"), OUT_TEXT);
    for (size_t i = 0; i < count; i++)
        print_quarantined(ctx, &list[i]);
    out_list_end(out);
    if (count == 0)
        cmd_say(ctx, "%s", _("nothing is in quarantine"));
    free(list);
    return CMD_OK;
}

const struct cmd cmd_spaces[] = {
    {"space create", N_("NAME [--title-fr T] [--title-en T]"),
     N_("make a space, with this node as its chair"), cmd_space_create},
    {"space list", "", N_("the spaces held here"), cmd_space_list},
    {"space show", N_("SPACE"), N_("a space, its id and its members"),
     cmd_space_show},
    {"space rename", N_("SPACE NAME"), N_("give a space another name here"),
     cmd_space_rename},
    {"space leave", N_("SPACE [--purge]"),
     N_("stop replicating a space; keep what is here, or purge it"),
     cmd_space_leave},
    {"invite",
     N_("SPACE [--role editor|reader] [--expires 7d] [--endpoint ADDRESS]... "
        "[--qr]"),
     N_("print a line that lets one organisation join"), cmd_invite},
    {"member list", N_("SPACE"), N_("who belongs to a space"), cmd_member_list},
    {"member admit",
     N_("SPACE FILE|LINE | SPACE KEY --role editor|reader [--org NAME]"),
     N_("let in who asks with a request, or a key without an invitation"),
     cmd_member_admit},
    {"quarantine", N_("[SPACE]"), N_("entries set aside, by whom and why"),
     cmd_quarantine},
    {0},
};
