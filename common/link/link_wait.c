/* link_wait.c - waiting for the sockets of a link and for what is due (link.h).
 */
#include <errno.h>
#include <stdlib.h>

#include "link/link_state.h"

#define FIXED_SOCKETS 3
#define BLOCKED_MS 20 /* room for one peer of a ROUTER gives no wake-up */

static void run_timers(struct ent_link *link)
{
    uint64_t now_ms = ent_link_clock_ms(link);

    for (size_t i = link->conns.count; i-- > 0;) {
        struct ent_conn *conn = link->conns.items[i];

        if (conn->due_ms == 0 || conn->due_ms > now_ms)
            continue;
        conn->due_ms = 0;
        if (conn->state == ENT_CONN_DROPPED)
            ent_fds_cut(&link->theirs, conn->fd);
        else if (conn->state == ENT_CONN_DIALLING)
            ent_link_lose(link, conn, ENT_LINK_REASON_TIME);
    }
}

static int wait_limit(const struct ent_link *link, int timeout_ms)
{
    bool unread = link->pending || link->woken || link->kept != NULL;
    bool watched = ent_fds_watched(&link->theirs, ent_link_clock_ms(link));
    int limit = unread                  ? 0
                : link->blocked         ? BLOCKED_MS
                : watched               ? ENT_FDS_WATCH_MS
                : link->conns.count > 0 ? ENT_LINK_WAIT_MS
                                        : -1;

    if (limit >= 0 && (timeout_ms < 0 || timeout_ms > limit))
        return limit;
    return timeout_ms;
}

/* Socket `i` of all of them, NULL where there is none. */
static void *socket_at(const struct ent_link *link, size_t i)
{
    void *const fixed[FIXED_SOCKETS] = {link->zap, link->router,
                                        link->router_monitor};
    const struct ent_conn *conn;

    if (i < FIXED_SOCKETS)
        return fixed[i];
    conn = link->conns.items[(i - FIXED_SOCKETS) / 2];
    return i % 2 == 0 ? conn->dealer : conn->monitor;
}

static size_t socket_count(const struct ent_link *link)
{
    return FIXED_SOCKETS + 2 * link->conns.count;
}

/* A socket's descriptor wakes us for a change since the socket was last used
 * or looked at, so all are looked at once before sleeping on them. */
static bool any_to_read(struct ent_link *link)
{
    for (size_t i = 0; i < socket_count(link); i++) {
        void *socket = socket_at(link, i);
        int events = 0;
        size_t len = sizeof(events);

        if (socket != NULL &&
            zmq_getsockopt(socket, ZMQ_EVENTS, &events, &len) == 0 &&
            (events & ZMQ_POLLIN) != 0)
            return true;
    }
    link->looked = true;
    return false;
}

static void add_poll(struct ent_link *link, size_t *count, int fd)
{
    link->polls[(*count)++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static int fill_polls(struct ent_link *link, const int *fds, size_t fd_count,
                      size_t *count)
{
    size_t need = fd_count + socket_count(link);

    if (need > link->poll_cap) {
        struct pollfd *polls = realloc(link->polls, need * sizeof(*polls));

        if (polls == NULL)
            return ENT_ENOMEM;
        link->polls = polls;
        link->poll_cap = need;
    }
    *count = 0;
    for (size_t i = 0; i < fd_count; i++)
        add_poll(link, count, fds[i]);
    for (size_t i = 0; i < socket_count(link); i++) {
        void *socket = socket_at(link, i);
        int fd = -1;
        size_t len = sizeof(fd);

        if (socket != NULL && zmq_getsockopt(socket, ZMQ_FD, &fd, &len) == 0)
            add_poll(link, count, fd);
    }
    return 0;
}

int ent_link_wait(struct ent_link *link, const int *fds, bool *ready,
                  size_t fd_count, int timeout_ms)
{
    size_t count;
    int rc;

    run_timers(link);
    rc = fill_polls(link, fds, fd_count, &count);
    if (rc < 0)
        return rc;
    if (!link->looked)
        link->woken |= any_to_read(link);
    rc = poll(link->polls, count, wait_limit(link, timeout_ms));
    link->blocked = false;
    for (size_t i = 0; i < fd_count; i++)
        ready[i] = rc > 0 && link->polls[i].revents != 0;
    for (size_t i = fd_count; rc > 0 && i < count; i++)
        link->woken |= link->polls[i].revents != 0;
    return rc >= 0 || errno == EINTR ? 0 : ENT_EFAIL;
}
