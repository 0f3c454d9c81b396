/* link.c - opening and closing a link, dialling, sending and dropping (link.h);
 * the states of a connection are drawn in conns.h. */
#include <stdlib.h>
#include <string.h>

#include "link/link_state.h"
#include "link/socket.h"
#include "link/zap.h"

#define REASON_ENDPOINT ENT_N_("the address is not of the form tcp://HOST:PORT")

uint64_t ent_link_clock_ms(const struct ent_link *link)
{
    return zmq_stopwatch_intermediate(link->watch) / 1000;
}

/* ------------------------------------------------------------- connections */

void ent_link_close_ours(struct ent_link *link, struct ent_conn *conn)
{
    struct ent_fd *slot = ent_fds_at(&link->ours, conn->fd);

    if (slot != NULL && slot->conn == conn->id)
        ent_fds_closed(&link->ours, conn->fd);
    conn->fd = -1;
}

void ent_link_forget(struct ent_link *link, struct ent_conn *conn)
{
    struct ent_fd *slot;

    if (conn->dialled) {
        ent_socket_close(conn->dealer, conn->monitor);
        ent_link_close_ours(link, conn);
    } else {
        slot = ent_fds_at(&link->theirs, conn->fd);
        if (slot != NULL && slot->conn == conn->id)
            slot->conn = 0;
    }
    if (link->kept == conn)
        link->kept = NULL;
    ent_conn_free(&link->conns, conn);
}

void ent_link_lose(struct ent_link *link, struct ent_conn *conn,
                   const char *reason)
{
    if (conn->state == ENT_CONN_DROPPED) {
        ent_link_forget(link, conn);
        return;
    }
    if (conn->state == ENT_CONN_GOING)
        return;
    if (conn->reason == NULL)
        conn->reason = reason;
    ent_conn_set_state(&link->conns, conn, ENT_CONN_GOING);
    link->pending = true;
}

/* ------------------------------------------------------- dialling, sending */

int ent_link_dial(struct ent_link *link, const char *endpoint,
                  const struct ent_key *curve, uint32_t *id,
                  struct ent_err *err)
{
    struct ent_conn *conn = ent_conn_new(&link->conns, true, curve);
    int rc;

    if (conn == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    link->looked = false;
    conn->due_ms = ent_link_clock_ms(link) + ENT_LINK_DIAL_MS;
    rc = ent_socket_dealer(link->context, &link->options, endpoint, curve,
                           &conn->dealer, &conn->monitor, NULL);
    if (rc < 0)
        ent_link_lose(link, conn,
                      rc == ENT_EREFUSED ? REASON_ENDPOINT
                                         : ENT_LINK_REASON_NOBODY);
    *id = conn->id;
    return 0;
}

static int send_inbound(struct ent_link *link, struct ent_conn *conn,
                        struct ent_slice frame)
{
    uint8_t id[ENT_LINK_ROUTE_BYTES] = {
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
        ent_link_lose(link, conn, ENT_LINK_REASON_LOST);
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
        ent_link_forget(link, conn);
        return;
    }
    ent_conn_set_state(&link->conns, conn, ENT_CONN_DROPPED);
    conn->due_ms = ent_link_clock_ms(link) + ENT_LINK_LINGER_MS;
}

/* -------------------------------------------------------- opening, closing */

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
        ent_link_forget(link, link->conns.items[link->conns.count - 1]);
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
