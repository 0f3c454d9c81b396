/* sync.c - commands that speak with other nodes: one session, then an end. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/join.h"
#include "cli/label.h"
#include "cli/look.h"
#include "cli/peers.h"
#include "cli/wire.h"
#include "store/spaces.h"

enum target_state {
    TARGET_DIALLED, /* not heard of yet */
    TARGET_CONNECTED,
    TARGET_DONE, /* nothing left to do, both ways */
    TARGET_LOST, /* the connection ended before */
    TARGET_UNREACHED,
};

struct target {
    const struct peers_node *node;
    struct ent_key curve;
    struct ent_peer before, after; /* its counters */
    enum target_state state;
    size_t failures; /* of dialling */
    int64_t start_ms, end_ms;
    const char *reason; /* of the last failure, to be translated */
};

struct sync {
    struct cmd_ctx *ctx;
    struct target *targets;
    size_t count;
    int64_t taken; /* entries, for the progress line */
    bool progress;
};

/* ----------------------------------------------------------------- progress */

static void show_progress(struct sync *sync)
{
    const char *form = ngettext("%lld entry received", "%lld entries received",
                                (unsigned long)sync->taken);

    if (!sync->progress)
        return;
    putc('\r', stderr);
    fprintf(stderr, form, (long long)sync->taken);
}

static void clear_progress(struct sync *sync)
{
    if (sync->progress)
        fprintf(stderr, "\r%60s\r", "");
}

/* ------------------------------------------------------------------ targets */

static struct target *target_of_key(struct sync *sync,
                                    const struct ent_key *key)
{
    for (size_t i = 0; i < sync->count; i++)
        if (ent_key_equal(&sync->targets[i].node->key, key))
            return &sync->targets[i];
    return NULL;
}

static bool is_over(const struct target *target)
{
    return target->state >= TARGET_DONE;
}

static void set_over(struct target *target, enum target_state state)
{
    target->state = state;
    target->end_ms = cmd_mono_ms();
}

static void sync_note(void *ctx, const struct ent_effect *effect)
{
    struct sync *sync = ctx;
    struct target *target = target_of_key(sync, &effect->peer);

    if (effect->note == ENT_NOTE_TAKEN) {
        sync->taken += effect->count;
        show_progress(sync);
        return;
    }
    clear_progress(sync);
    wire_tell(sync->ctx, effect);
    if (target == NULL || is_over(target))
        return;
    if (effect->note == ENT_NOTE_CONNECTED)
        target->state = TARGET_CONNECTED;
    else if (effect->note == ENT_NOTE_DONE)
        set_over(target, TARGET_DONE);
    else if (effect->note == ENT_NOTE_GONE)
        set_over(target, target->state == TARGET_CONNECTED ? TARGET_LOST
                                                           : TARGET_UNREACHED);
}

/* The engine tries a peer's addresses one after the other. */
static void sync_linked(void *ctx, const struct ent_link_event *event)
{
    struct sync *sync = ctx;

    if (event->type != ENT_LINK_DOWN)
        return;
    for (size_t i = 0; i < sync->count; i++) {
        struct target *target = &sync->targets[i];

        if (!ent_key_equal(&target->curve, &event->curve) || is_over(target))
            continue;
        target->reason = event->reason;
        if (target->state == TARGET_CONNECTED)
            set_over(target, TARGET_LOST);
        else if (++target->failures >= target->node->endpoints)
            set_over(target, TARGET_UNREACHED);
    }
}

static int read_counters(struct cmd_ctx *ctx, const struct ent_key *key,
                         struct ent_peer *peer)
{
    struct ent_peer *list = NULL;
    size_t count = 0;
    int rc = ent_peer_list(ctx->store, &list, &count, &ctx->err);

    memset(peer, 0, sizeof(*peer));
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (ent_key_equal(&list[i].key, key))
            *peer = list[i];
    free(list);
    return rc;
}

static int add_target(struct sync *sync, const struct peers_node *node)
{
    struct target *target = &sync->targets[sync->count];

    *target = (struct target){.node = node};
    /* A key that no CURVE key belongs to cannot be dialled. */
    if (!ent_key_to_curve(&node->key, &target->curve))
        return 0;
    sync->count++;
    return read_counters(sync->ctx, &node->key, &target->before);
}

static int choose_targets(struct sync *sync, const struct peers *peers,
                          const char *name)
{
    struct ent_err *err = &sync->ctx->err;
    const struct peers_node *node;
    int rc = 0;

    sync->targets = calloc(peers->count + 1, sizeof(*sync->targets));
    if (sync->targets == NULL)
        return ent_err_set(err, ENT_ENOMEM, "out of memory");
    if (name != NULL) {
        rc = peers_pick(sync->ctx, peers, name, &node);
        if (rc < 0)
            return rc;
        if (node->endpoints == 0)
            return ent_err_set(err, ENT_EPEER,
                               "no address is known of \"%s\"; give one with "
                               "\"peer add ADDRESS KEY\"",
                               name);
        return add_target(sync, node);
    }
    for (size_t i = 0; rc == 0 && i < peers->count; i++)
        if (peers->nodes[i].endpoints > 0)
            rc = add_target(sync, &peers->nodes[i]);
    if (rc == 0 && sync->count == 0)
        rc = ent_err_set(err, ENT_EPEER,
                         "no peer with an address is known; give one with "
                         "\"peer add ADDRESS KEY\"");
    return rc;
}

/* --------------------------------------------------------------------- sync */

static bool all_over(const struct sync *sync)
{
    for (size_t i = 0; i < sync->count; i++)
        if (!is_over(&sync->targets[i]))
            return false;
    return true;
}

static int run_sessions(struct sync *sync, struct wire *wire,
                        int64_t timeout_ms)
{
    int64_t start_ms = cmd_mono_ms();
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sync->count; i++) {
        sync->targets[i].start_ms = start_ms;
        rc = ent_engine_call(wire->engine, &sync->targets[i].node->key, NULL,
                             &sync->ctx->err);
    }
    while (rc == 0 && !all_over(sync) && cmd_mono_ms() < start_ms + timeout_ms)
        rc = wire_turn(sync->ctx, wire, start_ms + timeout_ms);
    clear_progress(sync);
    for (size_t i = 0; i < sync->count; i++)
        if (!is_over(&sync->targets[i]))
            set_over(&sync->targets[i],
                     sync->targets[i].state == TARGET_CONNECTED
                         ? TARGET_LOST
                         : TARGET_UNREACHED);
    return rc;
}

static const char *state_text(const struct cmd_ctx *ctx,
                              const struct target *target)
{
    bool program = look_for_program(ctx);

    if (target->state == TARGET_DONE)
        return program ? "done" : _("done");
    if (target->state == TARGET_LOST)
        return program ? "unfinished" : _("not finished");
    return program ? "unreached" : _("not reached");
}

/* Seconds with one decimal, in the reader's way of writing. */
static void put_seconds(struct cmd_ctx *ctx, int64_t ms)
{
    bool comma = ctx->lang == ENT_LANG_FR && !look_for_program(ctx);
    char text[32];

    snprintf(text, sizeof(text), "%lld%c%lld", (long long)(ms / 1000),
             comma ? ',' : '.', (long long)(ms % 1000 / 100));
    out_cell(ctx->out, text);
}

static void print_target(struct cmd_ctx *ctx, const struct target *target)
{
    struct out *out = ctx->out;
    char key[LABEL_KEY_TEXT];

    out_row(out);
    if (look_for_program(ctx)) {
        out_cell(out, label_key(ctx, &target->node->key, key));
        out_cell(out, target->node->org);
    } else {
        out_cell(out, look_org(ctx, &target->node->key, key));
    }
    out_cell(out, state_text(ctx, target));
    out_cell_int(out, target->after.sent - target->before.sent);
    out_cell_int(out, target->after.received - target->before.received);
    out_cell_int(out, target->after.applied - target->before.applied);
    out_cell_int(out, target->after.refused - target->before.refused);
    put_seconds(ctx, target->end_ms - target->start_ms);
    out_cell(out, target->state == TARGET_DONE || target->reason == NULL
                      ? NULL
                      : gettext(target->reason));
}

static int print_targets(struct sync *sync)
{
    struct out *out = sync->ctx->out;
    size_t reached = 0;
    int rc = 0;

    out_list_begin(out);
    if (look_for_program(sync->ctx))
        out_column(out, "key", _("key"), OUT_TEXT);
    out_column(out, "org", _("organisation"), OUT_TEXT);
    out_column(out, "state", _("state"), OUT_TEXT);
    out_column(out, "sent", _("sent"), OUT_NUMBER);
    out_column(out, "received", _("received"), OUT_NUMBER);
    out_column(out, "applied", _("applied"), OUT_NUMBER);
    out_column(out, "refused", _("refused"), OUT_NUMBER);
    out_column(out, "seconds", _("seconds"), OUT_NUMBER);
    out_column(out, "reason", _("reason"), OUT_TEXT);
    for (size_t i = 0; rc == 0 && i < sync->count; i++) {
        struct target *target = &sync->targets[i];

        rc = read_counters(sync->ctx, &target->node->key, &target->after);
        if (rc == 0)
            print_target(sync->ctx, target);
        reached += target->state == TARGET_DONE;
    }
    out_list_end(out);
    if (rc == 0 && reached == 0)
        rc = ent_err_set(&sync->ctx->err, ENT_EPEER,
                         "no session came to its end");
    return rc;
}

static int sync_peers(struct cmd_ctx *ctx, const char *name, int64_t timeout_ms)
{
    struct sync sync = {
        .ctx = ctx,
        .progress = !ctx->quiet && isatty(STDERR_FILENO) == 1,
    };
    const struct ent_drive_watch watch = {sync_note, sync_linked, &sync};
    struct peers peers = {0};
    struct wire wire = {0};
    int rc = peers_read(ctx, &peers);

    if (rc == 0)
        rc = choose_targets(&sync, &peers, name);
    if (rc == 0 && ctx->dry_run) {
        for (size_t i = 0; i < sync.count; i++)
            cmd_say(ctx, _("would dial %s"), sync.targets[i].node->org);
        goto out;
    }
    if (rc == 0)
        rc = wire_open(ctx, &wire, &watch);
    if (rc == 0)
        rc = run_sessions(&sync, &wire, timeout_ms);
    wire_close(&wire);
    if (rc == 0) {
        rc = print_targets(&sync);
        cmd_poke(ctx);
    }
out:
    free(sync.targets);
    peers_fini(&peers);
    return rc;
}

static int cmd_sync_run(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *timeout_text = WIRE_TIMEOUT_USUAL;
    const struct args_option options[] = {
        {.name = "--timeout", .value = &timeout_text},
    };
    int64_t timeout_ms;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2)
        return cmd_usage(ctx, argv[0]);
    if (cmd_duration(ctx, "--timeout", timeout_text, &timeout_ms) < 0 ||
        cmd_store(ctx) == NULL ||
        sync_peers(ctx, argc == 2 ? argv[1] : NULL, timeout_ms) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}

const struct cmd cmd_sync[] = {
    {"join", N_("LINE [--timeout 60s] | --offline LINE [--out FILE]"),
     N_("enter a space by an invitation, and fetch what it holds"), join_run},
    {"sync", N_("[PEER] [--timeout 60s]"),
     N_("exchange entries with one peer or all, once"), cmd_sync_run},
    {"peer add", N_("ADDRESS KEY"), N_("where a node can be dialled"),
     peers_add},
    {"peer list", "", N_("nodes dialled or heard, and what passed"),
     peers_list},
    {"peer remove", N_("PEER"), N_("forget the address given for a node"),
     peers_remove},
    {0},
};
