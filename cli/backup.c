/* backup.c - commands that keep the node: its replica and its key as files,
 * and put them back. */
#include "store/backup.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/label.h"
#include "cli/look.h"

/* ------------------------------------------------------------------- backup */

static int cmd_backup_write(struct cmd_ctx *ctx, int argc, char **argv)
{
    bool with_key = false;
    const struct args_option options[] = {
        {.name = "--with-key", .flag = &with_key},
    };

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL ||
        ent_backup_write(ctx->store, argv[1], with_key, ctx->dry_run,
                         ctx->now_ms, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (ctx->dry_run)
        cmd_say(ctx, _("would write a backup to %s"), argv[1]);
    else if (with_key)
        cmd_say(ctx,
                _("%s holds all data of this node AND ITS SECRET KEY: who has "
                  "the file is this node; keep it locked away"),
                argv[1]);
    else
        cmd_say(ctx,
                _("%s holds all data of this node, but not its key, without "
                  "which it cannot be put back; keep that elsewhere, with: "
                  "entente key export FILE"),
                argv[1]);
    return CMD_OK;
}

/* ------------------------------------------------------------------ restore */

static void say_restored(struct cmd_ctx *ctx, const char *path,
                         const struct ent_backup *backup)
{
    char when[LOOK_TIME_TEXT];

    if (ctx->dry_run)
        cmd_say(ctx, _("would put %s back into %s"), path, ctx->home);
    else if (backup->at_ms == 0)
        cmd_say(ctx, _("%s was put back from a copy of its replica"),
                backup->org);
    else
        cmd_say(ctx, _("%s was put back from its backup of %s"), backup->org,
                label_until(ctx, backup->at_ms, when));
}

/* What SQLite took for sound may still lack a bit: chains and signatures
 * tell. */
static int verify_restored(struct cmd_ctx *ctx)
{
    int found;

    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    found = cmd_findings(ctx, false);
    if (found < 0)
        return cmd_fail(ctx);
    if (found > 0) {
        cmd_say(ctx, "%s",
                _("the backup is damaged; what is listed does not reach the "
                  "peers. Put back an older one, or join again"));
        return CMD_FAILED;
    }
    cmd_say(ctx, "%s",
            _("it writes a new log from now on; what was written after the "
              "backup comes back from the peers with the next exchange"));
    return CMD_OK;
}

static int cmd_restore(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_restore_options how = {
        .rand = &ctx->rand, .now_ms = ctx->now_ms, .dry_run = ctx->dry_run};
    const struct args_option options[] = {
        {.name = "--force", .flag = &how.force},
    };
    struct ent_backup backup;
    char aside[ENT_PATH_MAX];
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    if (ent_backup_read(argv[1], &backup, &ctx->err) < 0)
        return cmd_fail(ctx);
    rc =
        ent_backup_restore(ctx->home, argv[1], &backup, &how, aside, &ctx->err);
    if (rc == 0 && aside[0] != '\0')
        cmd_say(ctx, _("the replica that was there is kept in %s"), aside);
    if (rc == 0)
        say_restored(ctx, argv[1], &backup);
    ent_backup_fini(&backup);
    if (rc < 0)
        return cmd_fail(ctx);
    return ctx->dry_run ? CMD_OK : verify_restored(ctx);
}

/* ---------------------------------------------------------------- the key */

static int cmd_key_export(struct cmd_ctx *ctx, int argc, char **argv)
{
    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    if (ent_key_export(ctx->home, argv[1], ctx->dry_run, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (ctx->dry_run)
        cmd_say(ctx, _("would write this node's secret key to %s"), argv[1]);
    else
        cmd_say(ctx,
                _("%s holds this node's SECRET KEY: who has the file is this "
                  "node; keep it locked away"),
                argv[1]);
    return CMD_OK;
}

static int cmd_key_import(struct cmd_ctx *ctx, int argc, char **argv)
{
    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    if (ent_key_import(ctx->home, argv[1], ctx->dry_run, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (ctx->dry_run)
        cmd_say(ctx, _("would put the key of %s into %s"), argv[1], ctx->home);
    else
        cmd_say(ctx,
                _("%s has its key; %s is a second copy of it, to be "
                  "locked away or deleted"),
                ctx->home, argv[1]);
    return CMD_OK;
}

const struct cmd cmd_backup[] = {
    {"backup", N_("FILE [--with-key]"),
     N_("write all data of this node to a new file, while it is in use"),
     cmd_backup_write},
    {"restore", N_("FILE [--force]"),
     N_("put a backup back; the node goes on under a new origin"), cmd_restore},
    {"key export", N_("FILE"), N_("write this node's secret key to a new file"),
     cmd_key_export},
    {"key import", N_("FILE"), N_("give a node without a key its key"),
     cmd_key_import},
    {0},
};
