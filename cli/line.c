/* line.c - a private line: a space for two organisations. Its handle and its
 * titles name both, so that each side sees who it is with; what is said there
 * reaches nobody else, as with every space. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/label.h"
#include "cli/messages.h"
#include "cli/peers.h"
#include "cli/spaces.h"
#include "text/unicode.h"

#define HALF_MAX 28 /* bytes of a handle that one organisation takes */

/* The organisation of a node that is known by key or name; else the name as it
 * was given: it may not have met this node yet. */
static int find_org(struct cmd_ctx *ctx, const char *name,
                    char org[ENT_NAME_BYTES_MAX + 1])
{
    struct peers peers;
    const struct peers_node *node;
    int rc = peers_read(ctx, &peers);

    if (rc < 0)
        return rc;
    rc = peers_pick(ctx, &peers, name, &node);
    if (rc == 0 && node->org[0] != '\0')
        snprintf(org, ENT_NAME_BYTES_MAX + 1, "%s", node->org);
    else if (rc == 0 || rc == ENT_ENOTFOUND)
        rc = label_read_name(ctx, "line", name, org);
    peers_fini(&peers);
    if (rc == 0 && strspn(org, " ") == strlen(org))
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         "say with which organisation the line is");
    if (rc == 0 && strcmp(org, ent_store_org(ctx->store)) == 0)
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         "a line with this node's own organisation would have "
                         "nobody at its other end");
    return rc;
}

/* Append a name in the letters of a handle: without accents and case, anything
 * else as a hyphen. */
static void put_half(struct ent_buf *handle, const char *name)
{
    const size_t from = handle->len;
    struct ent_buf bare = {0};

    ent_text_put_bare(&bare, ent_slice_str(name));
    for (size_t i = 0; i < bare.len && handle->len - from < HALF_MAX; i++) {
        if (isalnum(bare.at[i]) != 0)
            ent_buf_put_u8(handle, bare.at[i]);
        else if (handle->len > from && handle->at[handle->len - 1] != '-')
            ent_buf_put_u8(handle, '-');
    }
    if (handle->len > from && handle->at[handle->len - 1] == '-')
        handle->len--;
    if (handle->len == from)
        ent_buf_put_u8(handle, 'x');
    if (bare.rc < 0)
        handle->rc = bare.rc;
    ent_buf_fini(&bare);
}

struct line {
    char org[ENT_NAME_BYTES_MAX + 1];
    char handle[ENT_HANDLE_MAX + 1];
    char title[ENT_NAME_BYTES_MAX + 1];
};

static int name_line(struct cmd_ctx *ctx, const char *name, struct line *line)
{
    struct ent_buf handle = {0};
    char title[2 * ENT_NAME_BYTES_MAX + 16];
    int rc = find_org(ctx, name, line->org);

    if (rc < 0)
        return rc;
    put_half(&handle, ent_store_org(ctx->store));
    ent_buf_put_str(&handle, "_");
    put_half(&handle, line->org);
    if (ent_buf_cstr(&handle) == NULL)
        rc = cmd_no_memory(ctx);
    else
        snprintf(line->handle, sizeof(line->handle), "%s",
                 ent_buf_cstr(&handle));
    ent_buf_fini(&handle);
    snprintf(title, sizeof(title), "%s – %s", ent_store_org(ctx->store),
             line->org);
    snprintf(line->title, sizeof(line->title), "%.*s",
             ent_text_shown(ent_slice_str(title), ENT_NAME_BYTES_MAX), title);
    return rc == 0 ? spaces_check_handle(ctx, line->handle) : rc;
}

static int open_line(struct cmd_ctx *ctx, const char *name,
                     const struct args_many *given, int64_t lasts_ms,
                     bool as_qr)
{
    struct spaces_endpoints endpoints = {0};
    struct line line;
    int64_t space;
    int rc;

    if (cmd_store(ctx) == NULL)
        return ctx->err.code;
    rc = name_line(ctx, name, &line);
    if (rc == 0)
        rc = spaces_find_endpoints(ctx, given, &endpoints);
    if (rc == 0 && ctx->dry_run) {
        cmd_say(ctx, _("would make the space %s (%s) and print an invitation"),
                line.handle, line.title);
        return 0;
    }
    if (rc == 0)
        rc = ent_space_create(ctx->store, line.handle, line.title, line.title,
                              ctx->now_ms, &space, &ctx->err);
    if (rc < 0)
        return rc;
    cmd_say(ctx, _("%s is the space %s here; give this line to them alone:"),
            line.title, line.handle);
    return spaces_print_invite(ctx, space, ENT_ROLE_EDITOR,
                               ctx->now_ms + lasts_ms, &endpoints, as_qr);
}

int messages_line(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *expires_text = SPACES_EXPIRES_USUAL;
    struct args_many given = {0};
    bool as_qr = false;
    const struct args_option options[] = {
        {.name = "--expires", .value = &expires_text},
        {.name = "--endpoint", .many = &given},
        {.name = "--qr", .flag = &as_qr},
    };
    int64_t lasts_ms;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, "line");
    if (cmd_duration(ctx, "--expires", expires_text, &lasts_ms) < 0 ||
        open_line(ctx, argv[1], &given, lasts_ms, as_qr) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}
