/* link_read.c - what sockets and their monitors say, as the events of a link
 * (link.h). */
#include <errno.h>
#include <string.h>

#include "link/link_state.h"
#include "link/socket.h"
#include "link/zap.h"

#define DROPS_MAX 64 /* messages dropped in a row before the caller's turn */

#define REASON_KEY                                                             \
    ENT_N_("the other side does not hold the expected key, or is not Entente")
#define REASON_REFUSED ENT_N_("the other side refused the connection")

/* ------------------------------------------------------------------ events */

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
    ent_link_forget(link, conn);
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

/* ---------------------------------------------------------------- monitors */

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
                ent_link_lose(link, conn, ENT_LINK_REASON_LOST);
            if (said.event == ZMQ_EVENT_ACCEPTED &&
                ent_fds_opened(&link->theirs, fd, ent_link_clock_ms(link)) < 0)
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
        return said->value == EAGAIN ? ENT_LINK_REASON_TIME : REASON_KEY;
    default:
        return REASON_KEY;
    }
}

static void open_ours(struct ent_link *link, struct ent_conn *conn, int fd)
{
    if (ent_fds_opened(&link->ours, fd, ent_link_clock_ms(link)) < 0)
        return;
    conn->fd = fd;
    ent_fds_at(&link->ours, fd)->conn = conn->id;
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
            ent_link_lose(link, conn, ENT_LINK_REASON_NOBODY);
            break;
        case ZMQ_EVENT_DISCONNECTED:
            ent_link_close_ours(link, conn);
            ent_link_lose(link, conn, ENT_LINK_REASON_LOST);
            break;
        default:
            link->counts.handshakes_failed++;
            conn->reason = reason_of(&said);
            break;
        }
    }
}

/* ---------------------------------------------------------------- messages */

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
    uint8_t id[ENT_LINK_ROUTE_BYTES] = {1};
    int n = zmq_recv(link->router, id, sizeof(id), ZMQ_DONTWAIT);

    if (n < 0)
        return 0;
    *made = n == ENT_LINK_ROUTE_BYTES && id[0] == 0;
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
        ent_link_lose(link, conn, ENT_LINK_REASON_LOST);
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

/* -------------------------------------------------------------- whose turn */

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
    ent_fds_check(&link->theirs, ent_link_clock_ms(link));
    ent_fds_check(&link->ours, ent_link_clock_ms(link));
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
