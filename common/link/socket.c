/* socket.c - see socket.h. */
#include "link/socket.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "link/zap.h"

#define ROUTER_THREAD 1 /* bits of ZMQ_AFFINITY */
#define DEALER_THREAD 2

/* A peer may not make this node open local sockets or other transports. */
#define ENDPOINT_BEGIN "tcp://"

#define MONITOR_HANDSHAKE_FAILED                                               \
    (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |                                    \
     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

/* Options are set one after another; the first failure is kept. */
struct options {
    void *socket;
    int rc;
};

static void set(struct options *o, int name, const void *at, size_t len)
{
    if (o->rc == 0)
        o->rc = zmq_setsockopt(o->socket, name, at, len);
}

static void set_int(struct options *o, int name, int value)
{
    set(o, name, &value, sizeof(value));
}

static void set_common(struct options *o, const struct ent_link_options *link)
{
    int64_t message_max = ENT_FRAME_BYTES_MAX + ENT_SOCKET_CURVE_BYTES;
    int heartbeat_ms =
        link->heartbeat_ms > 0 ? link->heartbeat_ms : ENT_LINK_HEARTBEAT_MS;

    set(o, ZMQ_MAXMSGSIZE, &message_max, sizeof(message_max));
    set_int(o, ZMQ_HANDSHAKE_IVL, ENT_LINK_HANDSHAKE_MS);
    set_int(o, ZMQ_HEARTBEAT_IVL, heartbeat_ms);
    set_int(o, ZMQ_HEARTBEAT_TIMEOUT, heartbeat_ms);
    set_int(o, ZMQ_HEARTBEAT_TTL, 3 * heartbeat_ms);
    set_int(o, ZMQ_SNDHWM, ENT_LINK_HWM);
    set_int(o, ZMQ_RCVHWM, ENT_LINK_HWM);
    set_int(o, ZMQ_LINGER, ENT_LINK_LINGER_MS);
    set_int(o, ZMQ_IPV6, 1);
    set(o, ZMQ_CURVE_SECRETKEY, link->curve_secret, ENT_KEY_BYTES);
}

static int fail(struct ent_err *err, int code)
{
    return ent_err_set(err, code, ENT_N_("ZeroMQ: %s"),
                       zmq_strerror(zmq_errno()));
}

static bool is_tcp(const char *endpoint)
{
    return strncmp(endpoint, ENDPOINT_BEGIN, strlen(ENDPOINT_BEGIN)) == 0;
}

static int no_endpoint(struct ent_err *err, const char *endpoint)
{
    return ent_err_set(err, ENT_EREFUSED,
                       ENT_N_("%s is no endpoint: expected tcp://HOST:PORT"),
                       endpoint);
}

/* A monitor is read through a pair of its own; each needs another name. Its
 * queue is bounded: whoever floods us with connections waits for us. Never ask
 * for MONITOR_STOPPED: libzmq sends it blocking, reader or not. */
static int open_monitor(void *context, void *socket, int events, void **monitor,
                        struct ent_err *err)
{
    static atomic_uint_least64_t made;
    char name[64];
    void *pair;

    snprintf(name, sizeof(name), "inproc://entente.monitor.%llu",
             (unsigned long long)atomic_fetch_add(&made, 1));
    if (zmq_socket_monitor(socket, name, events) != 0)
        return fail(err, ENT_EFAIL);
    pair = zmq_socket(context, ZMQ_PAIR);
    if (pair == NULL || zmq_connect(pair, name) != 0) {
        fail(err, ENT_EFAIL);
        ent_socket_close(NULL, pair);
        return ENT_EFAIL;
    }
    *monitor = pair;
    return 0;
}

int ent_socket_router(void *context, const struct ent_link_options *options,
                      void **router, void **monitor, struct ent_err *err)
{
    struct options o = {.socket = zmq_socket(context, ZMQ_ROUTER)};
    uint64_t thread = ROUTER_THREAD;
    void *pair = NULL;
    int rc;

    if (o.socket == NULL)
        return fail(err, ENT_EFAIL);
    set_common(&o, options);
    set(&o, ZMQ_AFFINITY, &thread, sizeof(thread));
    set_int(&o, ZMQ_CURVE_SERVER, 1);
    set(&o, ZMQ_ZAP_DOMAIN, ENT_ZAP_DOMAIN, strlen(ENT_ZAP_DOMAIN));
    set_int(&o, ZMQ_ROUTER_MANDATORY, 1);
    set_int(&o, ZMQ_ROUTER_HANDOVER, 0);
    rc = o.rc == 0 ? 0 : fail(err, ENT_EFAIL);
    if (rc == 0)
        rc = open_monitor(context, o.socket,
                          ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED |
                              MONITOR_HANDSHAKE_FAILED,
                          &pair, err);
    if (rc == 0 && !is_tcp(options->listen))
        rc = no_endpoint(err, options->listen);
    if (rc == 0 && zmq_bind(o.socket, options->listen) != 0)
        rc = ent_err_set(err, ENT_EPEER, ENT_N_("cannot listen on %s: %s"),
                         options->listen, zmq_strerror(zmq_errno()));
    if (rc < 0) {
        ent_socket_close(o.socket, pair);
        return rc;
    }
    *router = o.socket;
    *monitor = pair;
    return 0;
}

int ent_socket_dealer(void *context, const struct ent_link_options *options,
                      const char *endpoint, const struct ent_key *curve,
                      void **dealer, void **monitor, struct ent_err *err)
{
    struct options o = {.socket = zmq_socket(context, ZMQ_DEALER)};
    uint64_t thread = DEALER_THREAD;
    void *pair = NULL;
    int rc;

    if (o.socket == NULL)
        return fail(err, ENT_EFAIL);
    set_common(&o, options);
    set(&o, ZMQ_AFFINITY, &thread, sizeof(thread));
    set(&o, ZMQ_CURVE_PUBLICKEY, options->curve_public.b, ENT_KEY_BYTES);
    set(&o, ZMQ_CURVE_SERVERKEY, curve->b, ENT_KEY_BYTES);
    set_int(&o, ZMQ_CONNECT_TIMEOUT, ENT_LINK_CONNECT_MS);
    set_int(&o, ZMQ_RECONNECT_IVL, -1);
    set_int(&o, ZMQ_IMMEDIATE, 1);
    rc = o.rc == 0 ? 0 : fail(err, ENT_EFAIL);
    if (rc == 0)
        rc = open_monitor(
            context, o.socket,
            ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                ZMQ_EVENT_HANDSHAKE_SUCCEEDED | MONITOR_HANDSHAKE_FAILED,
            &pair, err);
    /* "a;b" would choose our own address, which is not a peer's business. */
    if (rc == 0 && (!is_tcp(endpoint) || strchr(endpoint, ';') != NULL ||
                    zmq_connect(o.socket, endpoint) != 0))
        rc = no_endpoint(err, endpoint);
    if (rc < 0) {
        ent_socket_close(o.socket, pair);
        return rc;
    }
    *dealer = o.socket;
    *monitor = pair;
    return 0;
}

void ent_socket_close(void *socket, void *monitor)
{
    struct ent_socket_event event;
    int linger = 0;

    /* An I/O thread that waits for room in the monitor holds the lock that
     * stopping the monitor needs. */
    if (monitor != NULL)
        while (ent_socket_event_next(monitor, &event) > 0)
            ;
    if (socket != NULL) {
        zmq_socket_monitor(socket, NULL, 0);
        zmq_close(socket);
    }
    if (monitor != NULL) {
        zmq_setsockopt(monitor, ZMQ_LINGER, &linger, sizeof(linger));
        zmq_close(monitor);
    }
}

int ent_socket_event_next(void *monitor, struct ent_socket_event *event)
{
    uint8_t first[sizeof(uint16_t) + sizeof(uint32_t)];
    uint16_t type;
    char endpoint[1];
    int n = zmq_recv(monitor, first, sizeof(first), ZMQ_DONTWAIT);

    if (n < 0)
        return 0;
    ENT_ASSERT(n == (int)sizeof(first));
    memcpy(&type, first, sizeof(type));
    memcpy(&event->value, first + sizeof(type), sizeof(event->value));
    event->event = type;
    zmq_recv(monitor, endpoint, sizeof(endpoint), 0);
    return 1;
}
