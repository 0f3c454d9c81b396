/* loop.c - see loop.h. */
#include "node/loop.h"

#include <libintl.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "node/wall.h"
#include "store/records.h"

#define _(text) gettext(text)
#define KEY_SHOWN 8 /* bytes of a key in a line: enough to tell peers apart */

enum { FD_SIGNALS, FD_CONTROL, FDS };

#define KEY_TEXT 64

struct key_text {
    char text[KEY_TEXT];
};

/* The beginning of a key; words for one that did not say its own yet. */
static struct key_text key_text(const struct ent_key *key)
{
    static const struct ent_key none;
    struct key_text shown;

    if (ent_key_equal(key, &none))
        snprintf(shown.text, sizeof(shown.text), "%s", _("a stranger"));
    else
        ent_hex_put(shown.text, key->b, KEY_SHOWN);
    return shown;
}

/* ---------------------------------------------------------------------- log */

static void say_limited(struct loop *loop, struct log_limit *limit,
                        enum log_level level, const char *text)
{
    if (log_may(&loop->log, limit, loop->mono_ms))
        log_say(&loop->log, level, "%s", text);
}

static void say_failure(struct loop *loop, const char *what,
                        const struct ent_err *err)
{
    if (log_may(&loop->log, &loop->failures, loop->mono_ms))
        log_say(&loop->log, LEVEL_ERROR, "%s: %s", what, err->text);
}

static const char *text_of(const struct ent_effect *effect)
{
    return effect->text != NULL ? effect->text : "";
}

static void say_note(struct loop *loop, const struct ent_effect *effect)
{
    const struct log *log = &loop->log;
    struct key_text peer = key_text(&effect->peer);
    char space[ENT_ID_TEXT];
    long long count = effect->count;

    ent_id_text(&effect->space, space);
    switch (effect->note) {
    case ENT_NOTE_CONNECTED:
        log_say(log, LEVEL_INFO, _("connected with %s"), peer.text);
        break;
    case ENT_NOTE_GONE:
        log_say(log, LEVEL_INFO, _("no longer connected with %s"), peer.text);
        break;
    case ENT_NOTE_EQUAL:
        log_say(log, LEVEL_DEBUG, _("space %s is equal with %s"), space,
                peer.text);
        break;
    case ENT_NOTE_DIVERGED:
        log_say(log, LEVEL_ERROR,
                _("ALARM: space %s has the same entries as %s but another "
                  "state; run \"entente verify --deep\" on both"),
                space, peer.text);
        break;
    case ENT_NOTE_TAKEN:
        log_say(log, LEVEL_DEBUG,
                ngettext("%lld entry from %s", "%lld entries from %s",
                         (unsigned long)count),
                count, peer.text);
        break;
    case ENT_NOTE_CLOCK:
        log_say(log, LEVEL_WARNING, _("the clock of %s is off by %lld s"),
                peer.text, count / 1000);
        break;
    case ENT_NOTE_JOINED:
        log_say(log, LEVEL_INFO, _("joined space %s"), space);
        break;
    case ENT_NOTE_ADMITTED:
        log_say(log, LEVEL_INFO, _("%s was admitted to space %s"), peer.text,
                space);
        break;
    case ENT_NOTE_JOIN_FAILED:
        log_say(log, LEVEL_WARNING, _("joining was refused: %s"),
                text_of(effect));
        break;
    case ENT_NOTE_FORK:
        log_say(log, LEVEL_ERROR,
                _("ALARM: %s signed two different entries under one number in "
                  "space %s"),
                peer.text, space);
        break;
    case ENT_NOTE_DONE:
        log_say(log, LEVEL_DEBUG, _("nothing left to exchange with %s"),
                peer.text);
        break;
    case ENT_NOTE_REFUSED:
        if (log_may(log, &loop->refusals, loop->mono_ms))
            log_say(log, LEVEL_WARNING, _("refused from %s: %s"), peer.text,
                    text_of(effect));
        break;
    case ENT_NOTE_STRANGER:
        if (log_may(log, &loop->strangers, loop->mono_ms))
            log_say(log, LEVEL_INFO,
                    _("turned away a key that is in no space of ours: %s"),
                    peer.text);
        break;
    case ENT_NOTE_PROOF:
        log_say(log, LEVEL_ERROR, _("ALARM: in the roster of space %s: %s"),
                space, text_of(effect));
        break;
    case ENT_NOTE_LOST:
        log_say(log, LEVEL_WARNING, _("space %s: %s"), space, text_of(effect));
        break;
    case ENT_NOTE_STORAGE:
        say_limited(loop, &loop->failures, LEVEL_ERROR, text_of(effect));
        break;
    }
}

/* ------------------------------------------------------------------ commits */

static void touched(struct loop *loop)
{
    loop->commit_ms = loop->mono_ms;
    if (loop->touched_ms < 0)
        loop->touched_ms = loop->mono_ms;
}

static void on_note(void *ctx, const struct ent_effect *effect)
{
    struct loop *loop = ctx;

    if (effect->note == ENT_NOTE_TAKEN)
        touched(loop);
    say_note(loop, effect);
}

static void on_linked(void *ctx, const struct ent_link_event *event)
{
    struct loop *loop = ctx;

    if (loop->log.level < LEVEL_DEBUG ||
        !log_may(&loop->log, &loop->links, loop->mono_ms))
        return;
    if (event->type == ENT_LINK_UP)
        log_say(&loop->log, LEVEL_DEBUG,
                event->dialled ? _("connection %u, dialled, stands")
                               : _("connection %u, to us, stands"),
                event->conn);
    else
        log_say(&loop->log, LEVEL_DEBUG, _("connection %u ended: %s"),
                event->conn, gettext(event->reason));
}

/* Our own commands poke, so in a quiet hour looking less often costs nobody
 * anything but programs that do not. */
static int look_every_ms(const struct loop *loop)
{
    return loop->mono_ms - loop->commit_ms < LOOP_QUIET_MS
               ? loop->poll_ms
               : LOOP_QUIET_TIMES * loop->poll_ms;
}

/* Whether another program wrote to the replica. */
static void look(struct loop *loop)
{
    struct ent_err err;
    int64_t version;

    loop->look_ms = loop->mono_ms + look_every_ms(loop);
    if (ent_store_data_version(loop->store, &version, &err) < 0) {
        say_failure(loop, _("the replica cannot be read"), &err);
        return;
    }
    if (version == loop->data_version)
        return;
    loop->data_version = version;
    touched(loop);
    ent_drive_local(&loop->drive);
}

/* Search and the WAL follow when nobody waits for an answer. */
static void tidy(struct loop *loop)
{
    struct ent_err err;

    if (loop->touched_ms < 0 ||
        (loop->mono_ms - loop->commit_ms < LOOP_IDLE_MS &&
         loop->mono_ms - loop->touched_ms < LOOP_TIDY_MS))
        return;
    loop->touched_ms = -1;
    if (ent_search_catch_up(loop->store, &err) < 0)
        say_failure(loop, _("the word index is behind"), &err);
    if (ent_store_checkpoint(loop->store, &err) < 0)
        say_failure(loop, _("the replica's journal stays long"), &err);
}

/* --------------------------------------------------------------------- loop */

static bool told_to_stop(const struct loop *loop)
{
    struct signalfd_siginfo info;

    return read(loop->signals, &info, sizeof(info)) == sizeof(info);
}

static int wait_ms(const struct loop *loop)
{
    return loop->look_ms > loop->mono_ms ? (int)(loop->look_ms - loop->mono_ms)
                                         : 0;
}

int loop_run(struct loop *loop, struct ent_err *err)
{
    const struct ent_drive_watch watch = {
        .note = on_note,
        .linked = on_linked,
        .ctx = loop,
    };
    const int fds[FDS] = {
        [FD_SIGNALS] = loop->signals,
        [FD_CONTROL] = loop->control.socket,
    };
    bool ready[FDS];
    struct ent_err failure;
    int rc;

    rc = ent_store_data_version(loop->store, &loop->data_version, err);
    if (rc < 0)
        return rc;
    ent_drive_init(&loop->drive, loop->engine, loop->link, &watch);
    loop->mono_ms = wall_mono_ms();
    touched(loop); /* there may be work left from before */
    for (;;) {
        rc = ent_drive_wait(&loop->drive, loop->mono_ms, fds, ready, FDS,
                            wait_ms(loop));
        loop->mono_ms = wall_mono_ms();
        if (rc < 0 || (ready[FD_SIGNALS] && told_to_stop(loop)))
            break;
        if ((ready[FD_CONTROL] && control_poked(&loop->control)) ||
            loop->mono_ms >= loop->look_ms)
            look(loop);
        if (ent_drive_turn(&loop->drive, wall_now_ms(loop->log.offset_ms),
                           loop->mono_ms, &failure) < 0)
            say_failure(loop, _("will be tried again"), &failure);
        tidy(loop);
    }
    ent_drive_fini(&loop->drive);
    return rc < 0 ? ent_err_set(err, rc, "waiting for connections failed") : 0;
}
