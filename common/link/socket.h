/* socket.h - the ZeroMQ sockets of a link, with every limit set before they
 * bind or connect, and what their monitors say. */
#ifndef ENT_LINK_SOCKET_H
#define ENT_LINK_SOCKET_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/id.h"
#include "link/link.h"

/* The two I/O threads. Looking up a host name blocks the thread that dials, so
 * those who dial us are served by the other one. */
#define ENT_SOCKET_THREADS 2
#define ENT_SOCKET_MAX 4096 /* of one context: three for a dialled peer */

/* Bytes CURVE puts around a message. */
#define ENT_SOCKET_CURVE_BYTES 33

struct ent_socket_event {
    int event; /* one ZMQ_EVENT_... */
    uint32_t value;
};

/* A ROUTER bound to `options->listen`, its monitor beside it. ENT_EREFUSED:
 * no endpoint. ENT_EPEER: cannot bind. Nothing remains of a failure. */
ENT_NODISCARD int ent_socket_router(void *context,
                                    const struct ent_link_options *options,
                                    void **router, void **monitor,
                                    struct ent_err *err);

/* A DEALER that dials `endpoint` once, its monitor beside it. ENT_EREFUSED:
 * no endpoint. Nothing remains of a failure. */
ENT_NODISCARD int ent_socket_dealer(void *context,
                                    const struct ent_link_options *options,
                                    const char *endpoint,
                                    const struct ent_key *curve, void **dealer,
                                    void **monitor, struct ent_err *err);

/* Close a socket and its monitor. What was sent still leaves, for at most
 * ENT_LINK_LINGER_MS. NULL is fine. */
void ent_socket_close(void *socket, void *monitor);

/* The next thing a monitor says: 1, or 0 when there is none now. */
ENT_NODISCARD int ent_socket_event_next(void *monitor,
                                        struct ent_socket_event *event);

#endif
