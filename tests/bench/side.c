/* side.c - a process of its own for one node of a link.
 * Its memory is only its own, and the two nodes share nothing but the wire.
 * The parent asks over a socket pair; the side answers, and tells by itself
 * when entries were taken and when a session has nothing left to do. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "link/drive.h"

#define WAIT_MS 1000
#define PATIENCE_MS 180000 /* for a side to answer or finish */
#define SETTLE_MS 200 /* what may follow a session's end: frontiers, marks */

enum ask_type { ASK_LISTEN, ASK_CALL, ASK_STATUS, ASK_SET, ASK_STOP };

struct ask {
    enum ask_type type;
    struct ent_key key;
    char endpoint[64];
    int64_t space;
    struct ent_id id;
    uint32_t column;
    size_t text_len;
    char text[BENCH_TEXT_MAX];
};

enum told_type { TOLD_ANSWER, TOLD_TAKEN, TOLD_DONE };

struct told {
    enum told_type type;
    int64_t ns; /* SET: when it began; TAKEN: when it was committed */
    struct ent_key key;
    char endpoint[64];
    struct side_status status;
};

/* ------------------------------------------------------------ in the child */

struct child {
    int fd;
    struct node node;
    struct ent_link *link;
    struct ent_engine *engine;
    struct ent_drive drive;
    struct side_status status;
    uint64_t seen_sent, seen_received;
    bool waiting; /* something was sent since an answer came */
    bool tell_taken, tell_done;
    bool stop;
};

static void tell(struct child *child, const struct told *told)
{
    if (send(child->fd, told, sizeof(*told), MSG_NOSIGNAL) < 0)
        exit(1); /* the parent is gone */
}

static void on_note(void *ctx, const struct ent_effect *effect)
{
    struct child *child = ctx;

    if (effect->note == ENT_NOTE_TAKEN) {
        child->status.taken += effect->count;
        child->status.taken_ns = bench_ns();
        child->tell_taken = true;
    } else if (effect->note == ENT_NOTE_DONE) {
        child->status.done_ns = bench_ns();
        child->tell_done = true;
    } else if (effect->note == ENT_NOTE_DIVERGED ||
               effect->note == ENT_NOTE_REFUSED ||
               effect->note == ENT_NOTE_STORAGE ||
               effect->note == ENT_NOTE_FORK) {
        bench_die("a side notes %d: %s", effect->note,
                  effect->text != NULL ? effect->text : "");
    }
}

static void on_linked(void *ctx, const struct ent_link_event *event)
{
    struct child *child = ctx;

    if (event->type == ENT_LINK_UP)
        child->status.up_ns = bench_ns();
}

static void link_close(struct child *child)
{
    if (child->link == NULL)
        return;
    ent_drive_fini(&child->drive);
    ent_engine_free(child->engine);
    ent_link_close(child->link);
    child->link = NULL;
}

static void link_open(struct child *child, const char *listen_at)
{
    const struct ent_engine_options engine_options = {.dial_seconds = 3600};
    const struct ent_drive_watch watch = {
        .note = on_note, .linked = on_linked, .ctx = child};
    const struct ent_keys *keys = ent_store_keys(child->node.store);
    const struct ent_link_options link_options = {
        .curve_secret = keys->curve_secret,
        .curve_public = keys->curve_public,
        .listen = listen_at,
        .inbound_max = 16,
    };
    struct ent_err err;

    link_close(child);
    bench_must(ent_engine_new(child->node.store, &child->node.rand,
                              &engine_options, &child->engine, &err),
               &err, "engine");
    bench_must(ent_link_open(&link_options, &child->link, &err), &err, "link");
    ent_drive_init(&child->drive, child->engine, child->link, &watch);
    child->status = (struct side_status){0};
    child->seen_sent = child->seen_received = 0;
    child->waiting = false;
}

static int64_t memory_kib(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    long long kib = 0;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "VmHWM: %lld", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib;
}

static void answer_status(struct child *child, const struct ask *ask,
                          struct told *told)
{
    struct ent_link_counts counts;
    struct ent_err err;

    ent_link_counts_read(child->link, &counts);
    child->status.sent = counts.bytes_sent;
    child->status.received = counts.bytes_received;
    child->status.memory_kib = memory_kib();
    bench_must(ent_digest_read(child->node.store, ask->space,
                               &child->status.digest, &err),
               &err, "digest");
    told->status = child->status;
}

static void answer_call(struct child *child, const struct ask *ask)
{
    struct ent_err err;

    link_open(child, NULL);
    child->status.called_ns = bench_ns();
    bench_must(ent_engine_call(child->engine, &ask->key, ask->endpoint, &err),
               &err, "call");
    ent_drive_local(&child->drive); /* step now, not at the next tick */
}

static void answer_listen(struct child *child, struct told *told)
{
    link_open(child, "tcp://127.0.0.1:*");
    snprintf(told->endpoint, sizeof(told->endpoint), "%s",
             ent_link_bound(child->link));
    told->key = ent_store_keys(child->node.store)->public;
}

static void answer_set(struct child *child, const struct ask *ask,
                       struct told *told)
{
    told->ns = bench_ns();
    child->node.space = ask->space;
    node_set(&child->node, &ask->id, ask->column,
             ent_slice(ask->text, ask->text_len));
    ent_drive_local(&child->drive);
}

static void answer(struct child *child)
{
    struct told told = {.type = TOLD_ANSWER};
    struct ask ask;

    if (recv(child->fd, &ask, sizeof(ask), 0) != sizeof(ask))
        exit(1); /* the parent is gone */
    switch (ask.type) {
    case ASK_LISTEN:
        answer_listen(child, &told);
        break;
    case ASK_CALL:
        answer_call(child, &ask);
        break;
    case ASK_STATUS:
        answer_status(child, &ask, &told);
        break;
    case ASK_SET:
        answer_set(child, &ask, &told);
        break;
    case ASK_STOP:
        child->stop = true;
        break;
    }
    tell(child, &told);
}

static void tell_news(struct child *child)
{
    struct told told = {0};

    if (child->tell_taken) {
        told.type = TOLD_TAKEN;
        told.ns = child->status.taken_ns;
        tell(child, &told);
    }
    if (child->tell_done) {
        told.type = TOLD_DONE;
        told.ns = child->status.done_ns;
        tell(child, &told);
    }
    child->tell_taken = child->tell_done = false;
}

/* A round is over when something comes after something was sent. */
static void count_rounds(struct child *child)
{
    struct ent_link_counts counts;

    ent_link_counts_read(child->link, &counts);
    if (counts.bytes_received > child->seen_received && child->waiting) {
        child->status.rounds++;
        child->waiting = false;
    }
    if (counts.bytes_sent > child->seen_sent)
        child->waiting = true;
    child->seen_sent = counts.bytes_sent;
    child->seen_received = counts.bytes_received;
}

static void turn(struct child *child)
{
    bool ready = false;
    struct ent_err err;

    if (child->link == NULL) {
        answer(child);
        return;
    }
    bench_must(ent_drive_wait(&child->drive, bench_ns() / 1000000, &child->fd,
                              &ready, 1, WAIT_MS),
               &err, "wait");
    if (ready)
        answer(child);
    bench_must(ent_drive_turn(&child->drive, bench_now_ms(),
                              bench_ns() / 1000000, &err),
               &err, "turn");
    count_rounds(child);
    tell_news(child);
}

void side_main(int fd, const char *home, const char *kinds)
{
    static struct child child;

    child.fd = fd;
    node_kinds(kinds);
    node_open(&child.node, home, true);
    while (!child.stop)
        turn(&child);
    link_close(&child);
    node_close(&child.node);
    exit(0);
}

/* ----------------------------------------------------------- in the parent */

static void become_side(int fd, const char *home, const char *kinds)
{
    char number[16];
    char self[BENCH_PATH_MAX];
    /* Read, for valgrind: the link itself leads to valgrind. */
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (len < 0)
        _exit(127);
    self[len] = '\0';
    snprintf(number, sizeof(number), "%d", fd);
    execl(self, "entente-bench", "--side", number, home, kinds, (char *)NULL);
    _exit(127);
}

void side_start(struct side *side, const char *home, const char *kinds)
{
    int fds[2];

    memset(side, 0, sizeof(*side));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) < 0)
        bench_die("socketpair: %s", strerror(errno));
    fflush(NULL);
    side->pid = fork();
    if (side->pid < 0)
        bench_die("fork: %s", strerror(errno));
    if (side->pid == 0) {
        close(fds[0]);
        become_side(fds[1], home, kinds);
    }
    close(fds[1]);
    side->fd = fds[0];
}

static void side_ask(struct side *side, const struct ask *ask)
{
    if (send(side->fd, ask, sizeof(*ask), MSG_NOSIGNAL) < 0)
        bench_die("a side is gone");
}

/* The next of that type; others before it are passed over. */
static void side_hear(struct side *side, enum told_type type, struct told *told)
{
    struct pollfd poll_fd = {.fd = side->fd, .events = POLLIN};

    do {
        if (poll(&poll_fd, 1, PATIENCE_MS) <= 0)
            bench_die("a side has said nothing for %d s", PATIENCE_MS / 1000);
        if (recv(side->fd, told, sizeof(*told), 0) != sizeof(*told))
            bench_die("a side is gone");
    } while (told->type != type);
}

void side_stop(struct side *side)
{
    struct ask ask = {.type = ASK_STOP};
    struct told told;
    int status;

    side_ask(side, &ask);
    side_hear(side, TOLD_ANSWER, &told);
    if (waitpid(side->pid, &status, 0) < 0 || status != 0)
        bench_die("a side failed");
    close(side->fd);
}

void side_listen(struct side *side)
{
    struct ask ask = {.type = ASK_LISTEN};
    struct told told;

    side_ask(side, &ask);
    side_hear(side, TOLD_ANSWER, &told);
    memcpy(side->endpoint, told.endpoint, sizeof(side->endpoint));
    side->key = told.key;
}

void side_call(struct side *side, const struct side *host)
{
    struct ask ask = {.type = ASK_CALL, .key = host->key};
    struct told told;

    memcpy(ask.endpoint, host->endpoint, sizeof(ask.endpoint));
    side_ask(side, &ask);
    side_hear(side, TOLD_ANSWER, &told);
}

void side_wait_done(struct side *side)
{
    struct told told;

    side_hear(side, TOLD_DONE, &told);
    (void)poll(NULL, 0, SETTLE_MS);
}

void side_read_status(struct side *side, int64_t space,
                      struct side_status *status)
{
    struct ask ask = {.type = ASK_STATUS, .space = space};
    struct told told;

    side_ask(side, &ask);
    side_hear(side, TOLD_ANSWER, &told);
    *status = told.status;
}

int64_t side_set(struct side *side, int64_t space, const struct ent_id *id,
                 uint32_t column, struct ent_slice text)
{
    struct ask ask = {
        .type = ASK_SET, .space = space, .id = *id, .column = column};
    struct told told;

    ENT_ASSERT(text.len < sizeof(ask.text));
    memcpy(ask.text, text.at, text.len);
    ask.text_len = text.len;
    side_ask(side, &ask);
    side_hear(side, TOLD_ANSWER, &told);
    return told.ns;
}

int64_t side_wait_taken(struct side *side)
{
    struct told told;

    side_hear(side, TOLD_TAKEN, &told);
    return told.ns;
}
