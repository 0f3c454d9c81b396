/* link.c - see link.h; the states of a connection are drawn in conns.h.
 *
 * A connection to us is known by the routing id libzmq made for it, and tied
 * to its TCP connection by the descriptor a message tells. ACCEPTED, messages
 * and DISCONNECTED of one descriptor come from one I/O thread in that order,
 * so a monitor read after a message knows at least what the message knew. */
#include "link/link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "link/conns.h"
#include "link/fds.h"
#include "link/socket.h"
#include "link/zap.h"

#define ROUTE_BYTES 5 /* a zero and a number: a routing id libzmq made */
#define FIXED_SOCKETS 3
#define BLOCKED_MS 20 /* room for one peer of a ROUTER gives no wake-up */
#define DROPS_MAX 64  /* messages dropped in a row before the caller's turn */
#define ENDPOINT_BYTES 256

#define REASON_LOST ENT_N_("the connection was lost")
#define REASON_ENDPOINT ENT_N_("the address is not of the form tcp://HOST:PORT")
#define REASON_NOBODY ENT_N_("nobody answers at this address")
#define REASON_TIME ENT_N_("no answer in time")
#define REASON_KEY                                                             \
    ENT_N_("the other side does not hold the expected key, or is not Entente")
#define REASON_REFUSED ENT_N_("the other side refused the connection")

struct ent_link {
    void *context;
    void *watch; /* the link's own clock: libzmq's, from 0 at the opening */
    void *zap;
    void *router, *router_monitor; /* NULL: dial only */
    char bound[ENDPOINT_BYTES];
    struct ent_link_options options;
    uint8_t curve_secret[ENT_KEY_BYTES];

    struct ent_conns conns;
    struct ent_fds theirs, ours; /* descriptors: to us, dialled */
    size_t reads;                /* since the descriptors were looked at */
    size_t turn;                 /* where reading from the dialled goes on */
    bool dialled_first;
    bool blocked; /* some peer does not read */
    bool pending; /* something may be left that no socket wakes us for */
    bool woken;   /* the last wait found a socket to read */
    bool looked;  /* nothing to read, and no socket was used since */

    zmq_msg_t frame;       /* the one given out, or kept back for after UP */
    struct ent_conn *kept; /* whose kept frame is, or NULL */
    struct pollfd *polls;
    size_t poll_cap;
    struct ent_link_counts counts;
};

static uint64_t clock_ms(const struct ent_link *link)
{
    return zmq_stopwatch_intermediate(link->watch) / 1000;
}

/* -------------------------------------------------------------- connections */

static void open_ours(struct ent_link *link, struct ent_conn *conn, int fd)
{
    if (ent_fds_opened(&link->ours, fd, clock_ms(link)) < 0)
        return;
    conn->fd = fd;
    ent_fds_at(&link->ours, fd)->conn = conn->id;
}

/* The number may have become another's before its end was reported. */
static void close_ours(struct ent_link *link, struct ent_conn *conn)
{
    struct ent_fd *slot = ent_fds_at(&link->ours, conn->fd);

    if (slot != NULL && slot->conn == conn->id)
        ent_fds_closed(&link->ours, conn->fd);
    conn->fd = -1;
}

static void forget(struct ent_link *link, struct ent_conn *conn)
{
    struct ent_fd *slot;

    if (conn->dialled) {
        ent_socket_close(conn->dealer, conn->monitor);
        close_ours(link, conn);
    } else {
        slot = ent_fds_at(&link->theirs, conn->fd);
        if (slot != NULL && slot->conn == conn->id)
            slot->conn = 0;
    }
    if (link->kept == conn)
        link->kept = NULL;
    ent_conn_free(&link->conns, conn);
}

/* It is lost, for `reason` unless a better one is known. One that the caller
 * dropped is forgotten without a word. */
static void lose(struct ent_link *link, struct ent_conn *conn,
                 const char *reason)
{
    if (conn->state == ENT_CONN_DROPPED) {
        forget(link, conn);
        return;
    }
    if (conn->state == ENT_CONN_GOING)
        return;
    if (conn->reason == NULL)
        conn->reason = reason;
    ent_conn_set_state(&link->conns, conn, ENT_CONN_GOING);
    link->pending = true;
}

static void event_of(struct ent_link_event *event, const struct ent_conn *conn,
                     enum ent_link_event_type type)
{
    *event = (struct ent_link_event){
        .type = type,
        .conn = conn->id,
        .dialled = conn->dialled,
        .curve = conn->curve,
    };
}

static int give_up(struct ent_link_event *event, struct ent_conn *conn)
{
    conn->announced = true;
    event_of(event, conn, ENT_LINK_UP);
    return 1;
}

static int give_down(struct ent_link *link, struct ent_link_event *event,
                     struct ent_conn *conn)
{
    event_of(event, conn, ENT_LINK_DOWN);
    event->reason = conn->reason;
    forget(link, conn);
    return 1;
}

static int give_frame(struct ent_link *link, struct ent_link_event *event,
                      struct ent_conn *conn)
{
    event_of(event, conn, ENT_LINK_FRAME);
    event->frame =
        ent_slice(zmq_msg_data(&link->frame), zmq_msg_size(&link->frame));
    link->counts.bytes_received += event->frame.len;
    return 1;
}

/* ----------------------------------------------------------------- monitors */

static void read_router_monitor(struct ent_link *link)
{
    struct ent_socket_event said;
    struct ent_conn *conn;
    int fd;

    while (link->router != NULL &&
           ent_socket_event_next(link->router_monitor, &said) > 0) {
        fd = (int)said.value;
        switch (said.event) {
        case ZMQ_EVENT_ACCEPTED:
        case ZMQ_EVENT_DISCONNECTED:
            conn =
                ent_conn_find(&link->conns, ent_fds_closed(&link->theirs, fd));
            if (conn != NULL)
                lose(link, conn, REASON_LOST);
            if (said.event == ZMQ_EVENT_ACCEPTED &&
                ent_fds_opened(&link->theirs, fd, clock_ms(link)) < 0)
                link->counts.over_max++;
            break;
        default:
            link->counts.handshakes_failed++;
            break;
        }
    }
}

static const char *reason_of(const struct ent_socket_event *said)
{
    switch (said->event) {
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return REASON_REFUSED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        return said->value == EAGAIN ? REASON_TIME : REASON_KEY;
    default:
        return REASON_KEY;
    }
}

static void read_dealer_monitor(struct ent_link *link, struct ent_conn *conn)
{
    struct ent_socket_event said;

    while (conn->monitor != NULL &&
           ent_socket_event_next(conn->monitor, &said) > 0) {
        switch (said.event) {
        case ZMQ_EVENT_CONNECTED:
            open_ours(link, conn, (int)said.value);
            break;
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            if (conn->state == ENT_CONN_DIALLING)
                ent_conn_set_state(&link->conns, conn, ENT_CONN_UP);
            break;
        case ZMQ_EVENT_CLOSED:
            lose(link, conn, REASON_NOBODY);
            break;
        case ZMQ_EVENT_DISCONNECTED:
            close_ours(link, conn);
            lose(link, conn, REASON_LOST);
            break;
        default:
            link->counts.handshakes_failed++;
            conn->reason = reason_of(&said);
            break;
        }
    }
}

/* ------------------------------------------------------------------ reading */

/* Read one message into link->frame: 1; 0 when there is none; -1 when it was
 * of several parts, which are gone. */
static int read_message(struct ent_link *link, void *socket, int flags)
{
    zmq_msg_t part;
    bool more;

    zmq_msg_close(&link->frame);
    zmq_msg_init(&link->frame);
    if (zmq_msg_recv(&link->frame, socket, flags) < 0)
        return 0;
    more = zmq_msg_more(&link->frame) != 0;
    if (!more)
        return 1;
    while (more) {
        zmq_msg_init(&part);
        zmq_msg_recv(&part, socket, 0);
        more = zmq_msg_more(&part) != 0;
        zmq_msg_close(&part);
    }
    link->counts.bad_parts++;
    return -1;
}

/* The routing id before a message to us: 1, or 0 when there is none. `made`
 * tells whether libzmq made it, or the peer chose one of its own. */
static int read_route(struct ent_link *link, uint32_t *route, bool *made)
{
    uint8_t id[ROUTE_BYTES] = {1};
    int n = zmq_recv(link->router, id, sizeof(id), ZMQ_DONTWAIT);

    if (n < 0)
        return 0;
    *made = n == ROUTE_BYTES && id[0] == 0;
    *route = (uint32_t)id[1] << 24 | (uint32_t)id[2] << 16 |
             (uint32_t)id[3] << 8 | id[4];
    return 1;
}

static bool read_user(struct ent_link *link, struct ent_key *curve)
{
    const char *user = zmq_msg_gets(&link->frame, "User-Id");

    if (user != NULL &&
        ent_hex_get(curve->b, ENT_KEY_BYTES, user, strlen(user)))
        return true;
    link->counts.no_user_id++;
    return false;
}

/* A connection that speaks for the first time. NULL when it is gone already,
 * there are too many, or memory is short. */
static struct ent_conn *admit(struct ent_link *link, uint32_t route, int fd,
                              const struct ent_key *curve)
{
    struct ent_fd *slot = ent_fds_at(&link->theirs, fd);
    struct ent_conn *conn;

    if (slot == NULL || slot->cut)
        return NULL;
    conn = ent_conn_find(&link->conns, slot->conn);
    if (conn != NULL) {
        /* The descriptor was used before: the later routing id has it. */
        if ((int32_t)(route - conn->route) < 0)
            return NULL;
        conn->fd = -1;
        slot->conn = 0;
        lose(link, conn, REASON_LOST);
    }
    conn = link->conns.inbound_up < link->options.inbound_max
               ? ent_conn_new(&link->conns, false, curve)
               : NULL;
    if (conn == NULL) {
        link->counts.over_max++;
        ent_fds_cut(&link->theirs, fd);
        return NULL;
    }
    ent_conn_set_route(&link->conns, conn, route);
    conn->fd = fd;
    slot->conn = conn->id;
    ent_conn_set_state(&link->conns, conn, ENT_CONN_UP);
    return conn;
}

/* One message from those who dial us: 1 with an event, 0 when there is none
 * now, -1 when a message was dropped. */
static int read_inbound(struct ent_link *link, struct ent_link_event *event)
{
    struct ent_key curve;
    struct ent_conn *conn;
    uint32_t route;
    bool made;
    int rc, fd;

    if (read_route(link, &route, &made) == 0)
        return 0;
    rc = read_message(link, link->router, 0);
    fd = zmq_msg_get(&link->frame, ZMQ_SRCFD);
    read_router_monitor(link);
    if (rc <= 0 || !read_user(link, &curve))
        return -1;
    if (!made) { /* it would hold that name against others: not with us */
        ent_fds_cut(&link->theirs, fd);
        return -1;
    }
    conn = ent_conn_routed(&link->conns, route);
    if (conn == NULL)
        conn = admit(link, route, fd, &curve);
    if (conn == NULL || conn->state == ENT_CONN_DROPPED ||
        !ent_key_equal(&conn->curve, &curve))
        return -1;
    ent_fds_heard(&link->theirs, fd);
    if (conn->announced)
        return give_frame(link, event, conn);
    link->kept = conn;
    return give_up(event, conn);
}

static int next_inbound(struct ent_link *link, struct ent_link_event *event)
{
    int rc = -1;

    if (link->router == NULL)
        return 0;
    for (int i = 0; rc < 0 && i < DROPS_MAX; i++)
        rc = read_inbound(link, event);
    if (rc < 0)
        link->pending = true;
    if (rc != 0)
        return rc > 0;

    /* All is read, so those that are lost have nothing left to say. */
    for (size_t i = 0; link->conns.inbound_going > 0 && i < link->conns.count;
         i++)
        if (!link->conns.items[i]->dialled &&
            link->conns.items[i]->state == ENT_CONN_GOING)
            return give_down(link, event, link->conns.items[i]);
    return 0;
}

static int next_of_dialled(struct ent_link *link, struct ent_conn *conn,
                           struct ent_link_event *event)
{
    int rc = -1;

    read_dealer_monitor(link, conn);
    if (conn->state == ENT_CONN_UP && !conn->announced)
        return give_up(event, conn);
    for (int i = 0; conn->announced && rc < 0 && i < DROPS_MAX; i++)
        rc = read_message(link, conn->dealer, ZMQ_DONTWAIT);
    if (rc > 0) {
        ent_fds_heard(&link->ours, conn->fd);
        return give_frame(link, event, conn);
    }
    if (conn->state == ENT_CONN_GOING && (rc == 0 || !conn->announced))
        return give_down(link, event, conn);
    if (rc < 0 && conn->announced)
        link->pending = true;
    return 0;
}

/* One round over those we dialled, from where the last one stopped. */
static int next_dialled(struct ent_link *link, struct ent_link_event *event)
{
    for (size_t i = 0; i < link->conns.count; i++) {
        size_t at = (link->turn + i) % link->conns.count;

        if (link->conns.items[at]->dialled &&
            next_of_dialled(link, link->conns.items[at], event) > 0) {
            link->turn = at + 1;
            return 1;
        }
    }
    return 0;
}

static int read_next(struct ent_link *link, struct ent_link_event *event)
{
    int rc;

    link->pending = false;
    link->looked = false;
    ent_zap_serve(link->zap);
    read_router_monitor(link);
    link->dialled_first = !link->dialled_first;
    rc = link->dialled_first ? next_dialled(link, event)
                             : next_inbound(link, event);
    if (rc == 0)
        rc = link->dialled_first ? next_inbound(link, event)
                                 : next_dialled(link, event);
    return rc;
}

/* Nobody is cut for messages that only wait for us: all must have been read,
 * or so many that everybody had a turn. */
static void check_fds(struct ent_link *link, bool all_read)
{
    if (!all_read && ++link->reads < 4 * link->conns.count + DROPS_MAX)
        return;
    link->reads = 0;
    ent_fds_check(&link->theirs, clock_ms(link));
    ent_fds_check(&link->ours, clock_ms(link));
}

int ent_link_next(struct ent_link *link, struct ent_link_event *event)
{
    struct ent_conn *kept = link->kept;
    int rc;

    link->kept = NULL;
    if (kept != NULL)
        return give_frame(link, event, kept);
    rc = link->woken || link->pending ? read_next(link, event) : 0;
    check_fds(link, rc == 0);
    link->woken = rc > 0;
    return rc;
}

/* ------------------------------------------------------------------ waiting */

static void run_timers(struct ent_link *link)
{
    uint64_t now_ms = clock_ms(link);

    for (size_t i = link->conns.count; i-- > 0;) {
        struct ent_conn *conn = link->conns.items[i];

        if (conn->due_ms == 0 || conn->due_ms > now_ms)
            continue;
        conn->due_ms = 0;
        if (conn->state == ENT_CONN_DROPPED)
            ent_fds_cut(&link->theirs, conn->fd);
        else if (conn->state == ENT_CONN_DIALLING)
            lose(link, conn, REASON_TIME);
    }
}

static int wait_limit(const struct ent_link *link, int timeout_ms)
{
    bool unread = link->pending || link->woken || link->kept != NULL;
    int limit = unread                  ? 0
                : link->blocked         ? BLOCKED_MS
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

/* -------------------------------------------------------- dialling, sending */

int ent_link_dial(struct ent_link *link, const char *endpoint,
                  const struct ent_key *curve, uint32_t *id,
                  struct ent_err *err)
{
    struct ent_conn *conn = ent_conn_new(&link->conns, true, curve);
    int rc;

    if (conn == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    link->looked = false;
    conn->due_ms = clock_ms(link) + ENT_LINK_DIAL_MS;
    rc = ent_socket_dealer(link->context, &link->options, endpoint, curve,
                           &conn->dealer, &conn->monitor, NULL);
    if (rc < 0)
        lose(link, conn, rc == ENT_EREFUSED ? REASON_ENDPOINT : REASON_NOBODY);
    *id = conn->id;
    return 0;
}

static int send_inbound(struct ent_link *link, struct ent_conn *conn,
                        struct ent_slice frame)
{
    uint8_t id[ROUTE_BYTES] = {
        0, (uint8_t)(conn->route >> 24), (uint8_t)(conn->route >> 16),
        (uint8_t)(conn->route >> 8), (uint8_t)conn->route};
    size_t len = sizeof(int);
    int events;

    if (zmq_send(link->router, id, sizeof(id), ZMQ_SNDMORE | ZMQ_DONTWAIT) <
        0) {
        if (zmq_errno() == EAGAIN) {
            /* Reading the events lets libzmq notice a peer that died. */
            zmq_getsockopt(link->router, ZMQ_EVENTS, &events, &len);
            link->blocked = true;
            return 0;
        }
        lose(link, conn, REASON_LOST);
        return ENT_EPEER;
    }
    return zmq_send(link->router, frame.at, frame.len, ZMQ_DONTWAIT) < 0
               ? ENT_EPEER
               : 1;
}

static int send_dialled(struct ent_link *link, struct ent_conn *conn,
                        struct ent_slice frame)
{
    if (zmq_send(conn->dealer, frame.at, frame.len, ZMQ_DONTWAIT) >= 0)
        return 1;
    if (zmq_errno() != EAGAIN)
        return ENT_EPEER;
    link->blocked = true;
    return 0;
}

int ent_link_send(struct ent_link *link, uint32_t id, struct ent_slice frame)
{
    struct ent_conn *conn = ent_conn_find(&link->conns, id);
    int rc;

    ENT_ASSERT(frame.len <= ENT_FRAME_BYTES_MAX);
    if (conn == NULL || conn->state != ENT_CONN_UP)
        return ENT_EPEER;
    link->looked = false;
    rc = conn->dialled ? send_dialled(link, conn, frame)
                       : send_inbound(link, conn, frame);
    if (rc > 0)
        link->counts.bytes_sent += frame.len;
    return rc;
}

void ent_link_drop(struct ent_link *link, uint32_t id)
{
    struct ent_conn *conn = ent_conn_find(&link->conns, id);

    if (conn == NULL || conn->state == ENT_CONN_DROPPED)
        return;
    if (link->kept == conn)
        link->kept = NULL;
    if (conn->dialled || conn->state == ENT_CONN_GOING) {
        forget(link, conn);
        return;
    }
    ent_conn_set_state(&link->conns, conn, ENT_CONN_DROPPED);
    conn->due_ms = clock_ms(link) + ENT_LINK_LINGER_MS;
}

/* --------------------------------------------------------- opening, closing */

/* "[::ffff:127.0.0.1]" is how libzmq writes an IPv4 address it bound. */
static void read_bound(struct ent_link *link)
{
    static const char mapped[] = "tcp://[::ffff:";
    size_t len = sizeof(link->bound);
    char *at = link->bound;
    char *close;

    zmq_getsockopt(link->router, ZMQ_LAST_ENDPOINT, at, &len);
    close = strchr(at, ']');
    if (strncmp(at, mapped, strlen(mapped)) != 0 || close == NULL)
        return;
    memmove(close, close + 1, strlen(close));
    memmove(at + strlen("tcp://"), at + strlen(mapped),
            strlen(at + strlen(mapped)) + 1);
}

int ent_link_open(const struct ent_link_options *options,
                  struct ent_link **opened, struct ent_err *err)
{
    struct ent_link *link;
    int rc;

    if (zmq_has("curve") != 1)
        return ent_err_set(err, ENT_EFAIL,
                           ENT_N_("this libzmq was built without CURVE: "
                                  "connections could not be protected"));
    link = calloc(1, sizeof(*link));
    if (link == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    zmq_msg_init(&link->frame);
    link->options = *options;
    link->theirs.inbound = true;
    memcpy(link->curve_secret, options->curve_secret, ENT_KEY_BYTES);
    link->options.curve_secret = link->curve_secret;
    link->watch = zmq_stopwatch_start();
    link->context = zmq_ctx_new();
    rc = link->context != NULL
             ? 0
             : ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    if (rc == 0) {
        zmq_ctx_set(link->context, ZMQ_IO_THREADS, ENT_SOCKET_THREADS);
        zmq_ctx_set(link->context, ZMQ_MAX_SOCKETS, ENT_SOCKET_MAX);
        rc = ent_zap_open(link->context, &link->zap, err);
    }
    if (rc == 0 && options->listen != NULL)
        rc = ent_socket_router(link->context, &link->options, &link->router,
                               &link->router_monitor, err);
    if (rc < 0) {
        ent_link_close(link);
        return rc;
    }
    if (link->router != NULL)
        read_bound(link);
    *opened = link;
    return 0;
}

void ent_link_close(struct ent_link *link)
{
    if (link == NULL)
        return;
    while (link->conns.count > 0)
        forget(link, link->conns.items[link->conns.count - 1]);
    ent_socket_close(link->router, link->router_monitor);
    ent_socket_close(link->zap, NULL);
    while (link->context != NULL && zmq_ctx_term(link->context) != 0 &&
           zmq_errno() == EINTR)
        ;
    zmq_msg_close(&link->frame);
    zmq_stopwatch_stop(link->watch);
    ent_fds_fini(&link->theirs);
    ent_fds_fini(&link->ours);
    explicit_bzero(link->curve_secret, sizeof(link->curve_secret));
    ent_conns_fini(&link->conns);
    free(link->polls);
    free(link);
}

const char *ent_link_bound(const struct ent_link *link)
{
    return link->router != NULL ? link->bound : NULL;
}

void ent_link_counts_read(const struct ent_link *link,
                          struct ent_link_counts *counts)
{
    *counts = link->counts;
}
