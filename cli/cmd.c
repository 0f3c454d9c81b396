/* cmd.c - see cmd.h. */
#include "cli/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cli/help.h"
#include "config.h"
#include "text/datadir.h"

#define SAY_MAX 4096

/* Every code of the library has its exit status here. */
static const struct {
    enum ent_code code;
    enum cmd_exit status;
} exits[] = {
    {ENT_OK, CMD_OK},
    {ENT_EFAIL, CMD_FAILED},
    {ENT_ENOMEM, CMD_FAILED},
    {ENT_EUSAGE, CMD_USAGE},
    {ENT_ENOTFOUND, CMD_NOT_FOUND},
    {ENT_EAMBIG, CMD_NOT_FOUND},
    {ENT_EDENIED, CMD_DENIED},
    {ENT_EREFUSED, CMD_REFUSED},
    {ENT_ECONFLICT, CMD_CONFLICT},
    {ENT_ESTORE, CMD_STORAGE},
    {ENT_EPEER, CMD_PEER},
    {ENT_EWAIT, CMD_FAILED},
    {ENT_EFORK, CMD_REFUSED},
};

/* The text on stderr, each line made safe and set in under the first. */
static void print_lines(const char *prefix, char *text)
{
    struct ent_buf buf = {0};
    const char *safe;

    ent_buf_put_str(&buf, prefix);
    for (char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        *end = '\0';
        out_show(&buf, text);
        ent_buf_put_str(&buf, "\n  ");
    }
    out_show(&buf, text);
    safe = ent_buf_cstr(&buf);
    fprintf(stderr, "%s\n", safe == NULL ? text : safe);
    ent_buf_fini(&buf);
}

int cmd_fail(struct cmd_ctx *ctx)
{
    print_lines(_("entente: "), ctx->err.text);
    for (size_t i = 0; i < ENT_ARRAY_LEN(exits); i++)
        if ((int)exits[i].code == ctx->err.code)
            return exits[i].status;
    return CMD_FAILED;
}

int cmd_no_memory(struct cmd_ctx *ctx)
{
    return ent_err_set(&ctx->err, ENT_ENOMEM, "out of memory");
}

int cmd_usage(struct cmd_ctx *ctx, const char *name)
{
    const struct cmd *cmd = help_find(name);

    (void)ctx;
    ENT_ASSERT(cmd != NULL);
    help_usage(stderr, cmd);
    return CMD_USAGE;
}

void cmd_say(struct cmd_ctx *ctx, const char *fmt, ...)
{
    char text[SAY_MAX];
    va_list ap;

    if (ctx->quiet)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    print_lines("", text);
}

struct ent_store *cmd_store(struct cmd_ctx *ctx)
{
    const struct ent_store_options options = {
        .kinds = &ctx->kinds,
        .rand = &ctx->rand,
        .now_ms = ctx->now_ms,
        .keep_last = true,
        .read_full = true,
    };
    const char *fresh;

    if (ctx->store != NULL)
        return ctx->store;
    if (ent_store_open(ctx->home, &options, &ctx->store, &ctx->err) < 0) {
        ctx->store = NULL;
        return NULL;
    }
    if (ent_store_full(ctx->store))
        cmd_say(ctx, "%s", _("the disk is full: the replica is only read"));
    fresh = ent_store_fresh(ctx->store);
    if (fresh != NULL)
        cmd_say(ctx, _("this node writes under a new origin from now on: %s"),
                gettext(fresh));
    return ctx->store;
}

static void print_finding(void *out, const char *text)
{
    out_row(out);
    out_cell(out, text);
}

int cmd_findings(struct cmd_ctx *ctx, bool deep)
{
    int found;

    out_list_begin(ctx->out);
    out_column(ctx->out, "finding", _("finding"), OUT_TEXT);
    found =
        ent_store_verify(ctx->store, deep, print_finding, ctx->out, &ctx->err);
    out_list_end(ctx->out);
    return found;
}

const char *cmd_datadir(void)
{
    static const struct ent_built built = ENT_BUILT;

    return ent_datadir(&built);
}

/* A socket on which what is sent gets to the daemon, -1 when none runs: what
 * one that ended badly left lying there refuses the connection. */
static int reach_daemon(const struct cmd_ctx *ctx)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int len = snprintf(to.sun_path, sizeof(to.sun_path), "%s/entented.sock",
                       ctx->home);
    int fd;

    if (len < 0 || (size_t)len >= sizeof(to.sun_path))
        return -1; /* nor can the daemon be there */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void cmd_poke(struct cmd_ctx *ctx)
{
    int fd = reach_daemon(ctx);

    if (fd < 0)
        return;
    /* When it is lost, the daemon looks at the replica now and then anyway. */
    (void)send(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
}

bool cmd_has_daemon(struct cmd_ctx *ctx)
{
    int fd = reach_daemon(ctx);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t cmd_now_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

int64_t cmd_mono_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

void cmd_today(const struct cmd_ctx *ctx, char text[11])
{
    time_t now = (time_t)(ctx->now_ms / 1000);
    struct tm day;

    gmtime_r(&now, &day);
    strftime(text, 11, "%Y-%m-%d", &day);
}

int cmd_duration(struct cmd_ctx *ctx, const char *name, const char *text,
                 int64_t *ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    size_t digits = strspn(text, "0123456789");
    long count = digits > 0 && digits < 6 ? strtol(text, NULL, 10) : 0;

    for (size_t i = 0; count > 0 && i < ENT_ARRAY_LEN(units); i++)
        if (text[digits] == units[i].unit && text[digits + 1] == '\0') {
            *ms = count * units[i].ms;
            return 0;
        }
    return ent_err_set(&ctx->err, ENT_EUSAGE,
                       "%s takes a time such as 90s, 30m, 12h or 7d, not "
                       "\"%s\"",
                       name, text);
}
