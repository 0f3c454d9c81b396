/* join.c - see join.h. */
#include "cli/join.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/label.h"
#include "cli/look.h"
#include "cli/rows.h"
#include "cli/wire.h"
#include "store/peers.h"

/* -------------------------------------------------------------- over a link */

struct join {
    struct cmd_ctx *ctx;
    struct ent_key curve; /* the chair's */
    size_t endpoints, failures;
    const char *reason; /* of the last failure, to be translated */
    struct ent_id space;
    bool reached, joined, done, failed;
};

static void keep_refusal(struct join *join, const char *text)
{
    struct ent_err *err = &join->ctx->err;

    text = text == NULL || *text == '\0' ? _("no reason was given")
                                         : gettext(text);
    if (join->reached)
        ent_err_set(err, ENT_EDENIED, "not admitted: %s", text);
    else
        ent_err_set(err, ENT_EPEER, "the node that invited was not reached: %s",
                    text);
}

static void join_note(void *ctx, const struct ent_effect *effect)
{
    struct join *join = ctx;

    wire_tell(join->ctx, effect);
    if (effect->note == ENT_NOTE_JOINED) {
        join->joined = true;
        join->space = effect->space;
    } else if (effect->note == ENT_NOTE_DONE) {
        join->done = join->joined;
    } else if (effect->note == ENT_NOTE_JOIN_FAILED) {
        join->failed = true;
        keep_refusal(join, effect->text);
    }
}

static void join_linked(void *ctx, const struct ent_link_event *event)
{
    struct join *join = ctx;

    if (!ent_key_equal(&join->curve, &event->curve))
        return;
    if (event->type == ENT_LINK_UP) {
        join->reached = true;
    } else {
        join->reason = event->reason;
        join->failures++;
    }
}

static int run_join(struct join *join, struct wire *wire, const char *line,
                    int64_t timeout_ms)
{
    struct cmd_ctx *ctx = join->ctx;
    int64_t until_ms = cmd_mono_ms() + timeout_ms;
    int rc = ent_engine_join(wire->engine, line, ctx->now_ms, &ctx->err);

    while (rc == 0 && !join->done && !join->failed &&
           join->failures < join->endpoints && cmd_mono_ms() < until_ms)
        rc = wire_turn(ctx, wire, until_ms);
    if (rc < 0)
        return rc;
    if (join->failed)
        return ctx->err.code;
    if (!join->joined)
        return ent_err_set(&ctx->err, ENT_EPEER,
                           "the node that invited was not reached: %s",
                           join->reason == NULL ? _("no answer in time")
                                                : gettext(join->reason));
    if (!join->done)
        return ent_err_set(&ctx->err, ENT_EPEER,
                           "admitted, but not everything arrived in time; "
                           "\"sync\" goes on");
    return 0;
}

static int print_joined(struct cmd_ctx *ctx, const struct ent_id *id)
{
    struct ent_space space;
    struct ent_space_counts counts;
    char text[ENT_ID_TEXT];
    int64_t n;
    int rc = ent_space_find_id(ctx->store, id, &n, &ctx->err);

    if (rc == 0)
        rc = ent_space_read(ctx->store, n, &space, &ctx->err);
    if (rc == 0)
        rc = ent_space_counts(ctx->store, n, &counts, &ctx->err);
    if (rc < 0)
        return rc;
    ent_id_text(&space.id, text);
    out_object_begin(ctx->out);
    out_field(ctx->out, "space", _("space"), space.name);
    out_field(ctx->out, "id", _("id"), text);
    out_field(ctx->out, "title", _("title"), label_title(ctx, &space));
    out_field(ctx->out, "role", _("role"), label_role(ctx, space.role));
    out_field_int(ctx->out, "entries", _("entries"), counts.entries);
    out_field_int(ctx->out, "records", _("records"), counts.records);
    out_object_end(ctx->out);
    return 0;
}

/* What can be said of an invitation before anybody is dialled. */
static int check_invite(struct cmd_ctx *ctx, const char *line,
                        struct ent_invite *invite)
{
    char until[LOOK_TIME_TEXT];
    struct ent_space held;
    int64_t space;
    int rc = ent_invite_parse(line, invite, &ctx->err);

    if (rc < 0)
        return rc;
    /* The chair's clock decides, not this one (A7). */
    if (invite->expires_ms < ctx->now_ms)
        cmd_say(ctx,
                _("by this machine's clock the invitation was good until %s"),
                label_until(ctx, invite->expires_ms, until));
    if (ent_space_find_id(ctx->store, &invite->space, &space, NULL) == 0 &&
        ent_space_read(ctx->store, space, &held, NULL) == 0 &&
        held.role != ENT_ROLE_NONE && !held.left)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "this node belongs to the space already; it is "
                           "called %s here",
                           held.name);
    return 0;
}

static int join_space(struct cmd_ctx *ctx, const char *line, int64_t timeout_ms)
{
    struct join join = {.ctx = ctx};
    const struct ent_drive_watch watch = {join_note, join_linked, &join};
    struct ent_invite invite;
    struct wire wire = {0};
    int rc = check_invite(ctx, line, &invite);

    if (rc < 0)
        return rc;
    if (ctx->dry_run) {
        cmd_say(ctx, _("would ask at %s to be admitted to %s as %s"),
                invite.endpoint_count > 0 ? invite.endpoints[0] : "?",
                invite.handle, gettext(ent_role_name(invite.role)));
        return 0;
    }
    join.endpoints = invite.endpoint_count;
    if (!ent_key_to_curve(&invite.chair, &join.curve))
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "the invitation's key is no key");
    rc = wire_open(ctx, &wire, &watch);
    if (rc == 0)
        rc = run_join(&join, &wire, line, timeout_ms);
    wire_close(&wire);
    if (rc == 0)
        rc = print_joined(ctx, &join.space);
    if (rc == 0)
        cmd_poke(ctx);
    return rc;
}

/* ------------------------------------------------------------- without a link
 */

/* Where to dial the chair later, unless an address is known already. */
static int keep_chair(struct cmd_ctx *ctx, const struct ent_invite *invite)
{
    char known[1][ENT_ENDPOINT_MAX + 1];
    size_t count = 0;
    int rc = ent_peer_endpoints(ctx->store, &invite->chair, known, 1, &count,
                                &ctx->err);

    if (rc == 0 && count == 0 && invite->endpoint_count > 0)
        rc = ent_peer_add(ctx->store, &invite->chair, invite->endpoints[0],
                          &ctx->err);
    return rc;
}

/* On stdout, or into a file that is not there yet. */
static int put_request(struct cmd_ctx *ctx, const char *line, const char *path)
{
    FILE *file = path == NULL ? stdout : fopen(path, "wxe");
    bool failed;

    if (file != NULL) {
        failed = fprintf(file, "%s\n", line) < 0;
        if (path != NULL && fclose(file) != 0)
            failed = true;
        if (!failed)
            return 0;
    }
    return ent_err_set(&ctx->err, ENT_EFAIL, "%s cannot be written: %s",
                       path == NULL ? "stdout" : path, strerror(errno));
}

static int make_request(struct cmd_ctx *ctx, const char *line, const char *path)
{
    const struct ent_key *key = &ent_store_keys(ctx->store)->public;
    struct ent_request request = {.key = *key};
    struct ent_invite invite;
    struct ent_buf text = {0};
    int64_t space;
    int rc = check_invite(ctx, line, &invite);

    if (rc < 0)
        return rc;
    if (ctx->dry_run) {
        cmd_say(ctx, _("would write a request to be admitted to %s as %s"),
                invite.handle, gettext(ent_role_name(invite.role)));
        return 0;
    }
    request.space = invite.space;
    ent_invite_prove(&invite, key, &request.invite, &request.proof);
    snprintf(request.org, sizeof(request.org), "%s", ent_store_org(ctx->store));
    ent_request_put(&text, &request);
    line = ent_buf_cstr(&text);
    rc = line == NULL
             ? cmd_no_memory(ctx)
             : ent_space_expect(ctx->store, &invite, &space, &ctx->err);
    if (rc == 0)
        rc = keep_chair(ctx, &invite);
    if (rc == 0)
        rc = put_request(ctx, line, path);
    if (rc == 0) {
        cmd_say(ctx, "%s",
                _("bring it to the chair, who lets you in with \"member "
                  "admit\"; \"sync\" then fetches what the space holds"));
        cmd_poke(ctx);
    }
    ent_buf_fini(&text);
    return rc;
}

/* ----------------------------------------------------------- the chair's side
 */

int join_read(struct cmd_ctx *ctx, const char *text,
              struct ent_request *request)
{
    struct ent_buf file = {0};
    const char *line = text;
    int rc = 0;

    if (!ent_request_is_line(text)) {
        if (access(text, F_OK) != 0)
            return ent_err_set(&ctx->err, ENT_EREFUSED,
                               "this is neither a key, nor a request to join, "
                               "nor a file that holds one");
        rc = rows_read_text(text, ENT_INVITE_LINE_MAX, &file, &ctx->err);
        line = ent_buf_cstr(&file);
    }
    if (rc == 0 && line == NULL)
        rc = cmd_no_memory(ctx);
    if (rc == 0) {
        rc = ent_request_parse(line, request, &ctx->err);
        if (rc < 0 && line != text)
            ent_err_prefix(&ctx->err, "%s", text);
    }
    ent_buf_fini(&file);
    return rc;
}

int join_admit(struct cmd_ctx *ctx, int64_t space,
               const struct ent_request *request)
{
    struct ent_space held;
    enum ent_refusal why;
    enum ent_role role;
    bool is_member =
        ent_member_role(ctx->store, space, &request->key) != ENT_ROLE_NONE;
    int rc = ent_space_read(ctx->store, space, &held, &ctx->err);

    if (rc < 0)
        return rc;
    if (!ent_id_equal(&held.id, &request->space))
        return ent_err_set(&ctx->err, ENT_EDENIED,
                           "the request is for another space than %s",
                           held.name);
    rc = ent_invite_check(ctx->store, request, ctx->now_ms, &role, &why,
                          &ctx->err);
    if (rc == 0 && is_member) {
        cmd_say(ctx, _("%s is a member of %s already, as %s"), request->org,
                held.name, gettext(ent_role_name(role)));
        return 0;
    }
    if (rc == 0 && !ctx->dry_run)
        rc = ent_invite_redeem(ctx->store, request, ctx->now_ms, &why,
                               &ctx->err);
    if (rc == 0)
        cmd_say(ctx,
                ctx->dry_run ? _("would admit %s to %s as %s")
                             : _("admitted %s to %s as %s"),
                request->org, held.name, gettext(ent_role_name(role)));
    return rc;
}

/* ------------------------------------------------------------------- command
 */

int join_run(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *timeout_text = WIRE_TIMEOUT_USUAL;
    const char *path = NULL;
    bool offline = false;
    const struct args_option options[] = {
        {.name = "--timeout", .value = &timeout_text},
        {.name = "--offline", .flag = &offline},
        {.name = "--out", .value = &path},
    };
    int64_t timeout_ms;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2 || (path != NULL && !offline))
        return cmd_usage(ctx, argv[0]);
    if (cmd_duration(ctx, "--timeout", timeout_text, &timeout_ms) < 0 ||
        cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = offline ? make_request(ctx, argv[1], path)
                 : join_space(ctx, argv[1], timeout_ms);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
