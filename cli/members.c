/* members.c - what the chair of a space decides about its members, and how the
 * chair passes on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/label.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/rows.h"
#include "store/members.h"
#include "store/peers.h"

#define VOTE_BYTES_MAX 4096 /* a vote's line, or the file that holds it */
#define MEMBER_HEX_MIN 4    /* digits that name a member by its key */

/* Whether `text` names a member: by organisation, by key, or by the beginning
 * of the key. */
static bool is_named(const struct ent_member *member, const char *text)
{
    char hex[2 * ENT_KEY_BYTES + 1];
    size_t len = strlen(text);

    ent_hex_put(hex, member->key.b, ENT_KEY_BYTES);
    return strcmp(member->org, text) == 0 ||
           (len >= MEMBER_HEX_MIN && strncasecmp(hex, text, len) == 0);
}

static int read_member(struct cmd_ctx *ctx, int64_t space, const char *text,
                       struct ent_member *member)
{
    struct ent_member *list = NULL;
    size_t found = 0;
    size_t count = 0;
    int rc = ent_member_list(ctx->store, space, &list, &count, &ctx->err);

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (!is_named(&list[i], text))
            continue;
        *member = list[i];
        found++;
    }
    free(list);
    if (rc == 0 && found == 0)
        rc = ent_err_set(&ctx->err, ENT_ENOTFOUND,
                         "no member of \"%s\" is called %s",
                         pick_handle(ctx, space), text);
    if (rc == 0 && found > 1)
        rc = ent_err_set(&ctx->err, ENT_EAMBIG,
                         "several members of \"%s\" are called %s: name one by "
                         "its key",
                         pick_handle(ctx, space), text);
    return rc;
}

/* What the commands about one member begin with. */
static int open_member(struct cmd_ctx *ctx, char **argv, int64_t *space,
                       struct ent_member *member)
{
    int rc = pick_open(ctx, argv[1], space);

    if (rc == 0)
        rc = pick_check_decides(ctx, *space);
    if (rc == 0)
        rc = read_member(ctx, *space, argv[2], member);
    return rc;
}

static int done(struct cmd_ctx *ctx, int rc)
{
    if (rc < 0)
        return cmd_fail(ctx);
    if (!ctx->dry_run)
        cmd_poke(ctx);
    return CMD_OK;
}

/* -------------------------------------------------------------- roles and ends
 */

static int cmd_member_role(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_member member;
    enum ent_role role;
    int64_t space;
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 4 || !ent_role_parse(argv[3], &role) || role == ENT_ROLE_CHAIR)
        return cmd_usage(ctx, argv[0]);
    rc = open_member(ctx, argv, &space, &member);
    if (rc == 0 && ctx->dry_run)
        cmd_say(ctx, _("would make %s %s of %s"), member.org,
                label_role(ctx, role), pick_handle(ctx, space));
    else if (rc == 0)
        rc = ent_member_set_role(ctx->store, space, &member.key, role,
                                 ctx->now_ms, &ctx->err);
    return done(ctx, rc);
}

static int cmd_member_remove(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *reason = "";
    const struct args_option options[] = {
        {.name = "--reason", .value = &reason},
    };
    char text[ENT_NAME_BYTES_MAX + 1];
    struct ent_member member;
    int64_t space;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 3)
        return cmd_usage(ctx, argv[0]);
    rc = open_member(ctx, argv, &space, &member);
    if (rc == 0)
        rc = label_read_name(ctx, "--reason", reason, text);
    if (rc == 0 && ctx->dry_run)
        cmd_say(ctx,
                _("would remove %s from %s; what it wrote and has come here "
                  "stays, and what it has received stays with it"),
                member.org, pick_handle(ctx, space));
    else if (rc == 0)
        rc = ent_member_remove(ctx->store, space, &member.key, text,
                               ctx->now_ms, &ctx->err);
    if (rc == 0 && !ctx->dry_run)
        cmd_say(ctx,
                _("%s is removed from %s. It keeps what it has received. If "
                  "its machine was stolen, tell everybody whose data were on "
                  "it."),
                member.org, pick_handle(ctx, space));
    return done(ctx, rc);
}

static int cmd_member_replace(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_member member;
    struct ent_key key;
    int64_t space;
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 4)
        return cmd_usage(ctx, argv[0]);
    rc = open_member(ctx, argv, &space, &member);
    if (rc == 0)
        rc = label_read_key(ctx, argv[3], &key);
    if (rc == 0 && ctx->dry_run)
        cmd_say(ctx, _("would give the place of %s in %s to the new key"),
                member.org, pick_handle(ctx, space));
    else if (rc == 0)
        rc = ent_member_replace(ctx->store, space, &member.key, &key,
                                ctx->now_ms, &ctx->err);
    return done(ctx, rc);
}

/* ------------------------------------------------------------ deputies, chair
 */

static int print_deputies(struct cmd_ctx *ctx, int64_t space)
{
    struct ent_member *list = NULL;
    char key[LABEL_KEY_TEXT];
    size_t count = 0;
    int rc = ent_member_list(ctx->store, space, &list, &count, &ctx->err);

    if (rc < 0)
        return rc;
    out_list_begin(ctx->out);
    out_column(ctx->out, "key", _("key"), OUT_TEXT);
    out_column(ctx->out, "org", _("organisation"), OUT_TEXT);
    for (size_t i = 0; i < count; i++) {
        if (!list[i].deputy)
            continue;
        out_row(ctx->out);
        out_cell(ctx->out, label_key(ctx, &list[i].key, key));
        out_cell(ctx->out, list[i].org);
    }
    out_list_end(ctx->out);
    free(list);
    return 0;
}

static int set_deputies(struct cmd_ctx *ctx, int64_t space, char **names,
                        size_t count)
{
    struct ent_key *keys = calloc(count + 1, sizeof(*keys));
    int rc = keys == NULL ? cmd_no_memory(ctx) : pick_check_decides(ctx, space);

    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_member member;

        rc = read_member(ctx, space, names[i], &member);
        keys[i] = member.key;
    }
    if (rc == 0 && ctx->dry_run)
        cmd_say(ctx, _("would name %zu deputies of %s"), count,
                pick_handle(ctx, space));
    else if (rc == 0)
        rc = ent_deputies_set(ctx->store, space, keys, count, ctx->now_ms,
                              &ctx->err);
    if (rc == 0 && count < 2)
        cmd_say(ctx, "%s",
                _("with fewer than two deputies the space does not survive the "
                  "loss of its chair"));
    free(keys);
    return rc;
}

static int cmd_deputies(struct cmd_ctx *ctx, int argc, char **argv)
{
    bool none = false;
    const struct args_option options[] = {{.name = "--none", .flag = &none}};
    int64_t space;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc < 2 || (none && argc > 2))
        return cmd_usage(ctx, argv[0]);
    rc = pick_open(ctx, argv[1], &space);
    if (rc == 0 && argc == 2 && !none)
        return print_deputies(ctx, space) < 0 ? cmd_fail(ctx) : CMD_OK;
    if (rc == 0)
        rc = set_deputies(ctx, space, argv + 2, (size_t)argc - 2);
    return done(ctx, rc);
}

static int cmd_space_require(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_version version;
    int64_t space;
    int rc;

    if (argc != 3)
        return cmd_usage(ctx, argv[0]);
    rc = pick_open(ctx, argv[1], &space);
    if (rc == 0)
        rc = pick_check_decides(ctx, space);
    if (rc == 0 && !ent_version_parse(argv[2], &version))
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         N_("not a version: %s; write it as 1.2.3, or 0 for "
                            "any"),
                         argv[2]);
    if (rc == 0 && ctx->dry_run)
        cmd_say(ctx, _("would ask for Entente %s or newer in %s"), argv[2],
                pick_handle(ctx, space));
    else if (rc == 0)
        rc = ent_space_require(ctx->store, space, &version, ctx->now_ms,
                               &ctx->err);
    return done(ctx, rc);
}

/* This node's vote for somebody else, as a line on stdout. */
static int print_vote(struct cmd_ctx *ctx, int64_t space,
                      const struct ent_member *next)
{
    struct ent_buf line = {0};
    int rc = ent_vote_make(ctx->store, space, &next->key, &line, &ctx->err);

    if (rc == 0 && ent_buf_cstr(&line) == NULL)
        rc = cmd_no_memory(ctx);
    if (rc == 0) {
        printf("%s\n", ent_buf_cstr(&line));
        cmd_say(ctx,
                _("give this line to %s, who becomes the chair with \"succeed "
                  "%s %s --sign LINE\"; it holds until the roster changes"),
                next->org, pick_handle(ctx, space), next->org);
    }
    ent_buf_fini(&line);
    return rc;
}

/* A vote as a line, or the name of a file that holds one. */
static int read_vote(struct cmd_ctx *ctx, const char *text,
                     struct ent_buf *line)
{
    char *end;
    int rc = 0;

    if (access(text, F_OK) == 0)
        rc = rows_read_text(text, VOTE_BYTES_MAX, line, &ctx->err);
    else
        ent_buf_put_str(line, text);
    if (rc == 0 && ent_buf_cstr(line) == NULL)
        return cmd_no_memory(ctx);
    if (rc < 0)
        return rc;
    end = (char *)line->at + strcspn((char *)line->at, "\r\n");
    *end = '\0';
    return 0;
}

static int take_chair(struct cmd_ctx *ctx, int64_t space,
                      const struct ent_member *own,
                      const struct args_many *signs)
{
    struct ent_buf lines[ARGS_MANY_MAX + 1] = {{0}};
    const char *texts[ARGS_MANY_MAX + 1];
    size_t count = 0;
    int rc = 0;

    for (; rc == 0 && count < signs->count; count++) {
        rc = read_vote(ctx, signs->at[count], &lines[count]);
        texts[count] = (const char *)lines[count].at;
    }
    if (rc == 0 && own->deputy) {
        rc = ent_vote_make(ctx->store, space, &own->key, &lines[count],
                           &ctx->err);
        texts[count] = ent_buf_cstr(&lines[count]);
        count++;
    }
    if (rc == 0 && ctx->dry_run)
        cmd_say(ctx, _("would try to become the chair of %s with %zu votes"),
                pick_handle(ctx, space), count);
    else if (rc == 0)
        rc = ent_succeed(ctx->store, space, texts, count, ctx->now_ms,
                         &ctx->err);
    if (rc == 0 && !ctx->dry_run)
        cmd_say(ctx, _("this node is the chair of %s now"),
                pick_handle(ctx, space));
    for (size_t i = 0; i < ENT_ARRAY_LEN(lines); i++)
        ent_buf_fini(&lines[i]);
    return rc;
}

static int cmd_succeed(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct args_many signs = {0};
    const struct args_option options[] = {{.name = "--sign", .many = &signs}};
    struct ent_member next;
    int64_t space;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 3)
        return cmd_usage(ctx, argv[0]);
    rc = pick_open(ctx, argv[1], &space);
    if (rc == 0)
        rc = read_member(ctx, space, argv[2], &next);
    if (rc < 0)
        return cmd_fail(ctx);
    if (ent_key_equal(&next.key, &ent_store_keys(ctx->store)->public))
        return done(ctx, take_chair(ctx, space, &next, &signs));
    if (signs.count > 0)
        return cmd_usage(ctx, argv[0]);
    return print_vote(ctx, space, &next) < 0 ? cmd_fail(ctx) : CMD_OK;
}

static int cmd_handover_chair(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_member next;
    int64_t space;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 3)
        return cmd_usage(ctx, argv[0]);
    if (open_member(ctx, argv, &space, &next) < 0 ||
        print_vote(ctx, space, &next) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}

/* -------------------------------------------------------------- void entries
 */

static void print_void(struct cmd_ctx *ctx, const struct ent_void *entry)
{
    struct out *out = ctx->out;
    char key[LABEL_KEY_TEXT];
    char when[LOOK_TIME_TEXT];
    char id[ENT_ID_TEXT] = "";

    if (entry->kind == ENT_ROSTER_ERASE)
        ent_id_text(&entry->erased, id);
    out_row(out);
    out_cell_int(out, (int64_t)entry->pos);
    out_cell(out, ent_void_command(entry));
    out_cell(out, entry->about ? label_key(ctx, &entry->member, key) : NULL);
    out_cell(out, entry->about ? entry->member_org : NULL);
    out_cell(out, entry->role == ENT_ROLE_NONE ? NULL
                                               : label_role(ctx, entry->role));
    out_cell(out, entry->author_org);
    out_cell(out, label_when(ctx, entry->claimed_ms, when));
    out_cell(out, label_when(ctx, entry->since_ms, when));
    out_cell(out, entry->repeat ? "1" : "0");
    out_cell(out, *id != '\0' ? id : NULL);
}

static int cmd_member_void(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct out *out = ctx->out;
    struct ent_void *list = NULL;
    size_t count = 0;
    int64_t space;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    if (pick_open(ctx, argv[1], &space) < 0 ||
        ent_void_list(ctx->store, space, &list, &count, &ctx->err) < 0)
        return cmd_fail(ctx);
    out_list_begin(out);
    out_column(out, "roster", _("roster"), OUT_NUMBER);
    out_column(out, "entry", _("entry"), OUT_TEXT);
    out_column(out, "key", _("key"), OUT_TEXT);
    out_column(out, "org", _("organisation"), OUT_TEXT);
    out_column(out, "role", _("role"), OUT_TEXT);
    out_column(out, "author", _("author"), OUT_TEXT);
    out_column(out, "at", _("on (UTC)"), OUT_TEXT);
    out_column(out, "void_since", _("void since (UTC)"), OUT_TEXT);
    out_column(out, "repeat", _("to repeat"), OUT_BOOL);
    out_column(out, "record", _("record"), OUT_TEXT);
    for (size_t i = 0; i < count; i++)
        print_void(ctx, &list[i]);
    out_list_end(out);
    if (count == 0)
        cmd_say(ctx, "%s", _("no entry of the roster is void"));
    free(list);
    return CMD_OK;
}

/* ------------------------------------------------------------------
 * readmission */

static int cmd_readmit(struct cmd_ctx *ctx, int argc, char **argv)
{
    long n;
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    rc = args_number("N", argv[1], INT64_MAX, &n, &ctx->err);
    if (rc == 0 && cmd_store(ctx) == NULL)
        rc = ctx->err.code;
    if (rc == 0 && ctx->dry_run)
        cmd_say(ctx,
                _("would readmit entry %ld and those before it in its log"), n);
    else if (rc == 0)
        rc = ent_quarantine_readmit(ctx->store, n, ctx->now_ms, &ctx->err);
    return done(ctx, rc);
}

const struct cmd cmd_members[] = {
    {"member role", N_("SPACE MEMBER editor|reader"),
     N_("let a member write, or read only"), cmd_member_role},
    {"member remove", N_("SPACE MEMBER [--reason TEXT]"),
     N_("end a membership; what has come here of it stays"), cmd_member_remove},
    {"member replace", N_("SPACE MEMBER NEWKEY"),
     N_("a lost or changed key: the new one takes over"), cmd_member_replace},
    {"member void", N_("SPACE"),
     N_("what a chair decided and the roster went another way since"),
     cmd_member_void},
    {"space require", N_("SPACE VERSION"),
     N_("which version of Entente members must have to write (chair)"),
     cmd_space_require},
    {"deputies", N_("SPACE [MEMBER... | --none]"),
     N_("who may choose another chair, or name them"), cmd_deputies},
    {"handover-chair", N_("SPACE MEMBER"),
     N_("print the line with which a member becomes the chair"),
     cmd_handover_chair},
    {"succeed", N_("SPACE MEMBER [--sign LINE|FILE]..."),
     N_("vote for the next chair, or become it with the votes of others"),
     cmd_succeed},
    {"quarantine readmit", N_("N"),
     N_("count entries beyond a cut again (chair)"), cmd_readmit},
    {0},
};
