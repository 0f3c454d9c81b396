/* link.h - authenticated, encrypted connections over ZeroMQ (rule S7).
 * One ROUTER for those who dial us, one DEALER for each peer we dial, CURVE on
 * every socket, our own ZAP handler bound before any CURVE socket and kept for
 * the life of the process. ZAP lets any CURVE key in, because a newcomer must
 * be able to ask to join (A5): who may have which message is decided on every
 * message, by the key in `curve`, which comes from the User-Id of a payload
 * frame and never from a routing id. A message without a User-Id is dropped
 * and counted. One frame is one message of one part.
 *
 * Those who dial us are UP with their first message: until then nobody waits
 * for them and they are nothing but a socket, of which only a few may be
 * silent at a time (link/fds.h). */
#ifndef ENT_LINK_LINK_H
#define ENT_LINK_LINK_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"
#include "base/limits.h"

struct ent_link;

struct ent_link_options {
    const uint8_t *curve_secret; /* 32 bytes, copied where ZeroMQ needs it */
    struct ent_key curve_public;
    const char *listen;   /* tcp://ADDRESS:PORT to bind, NULL: dial only */
    uint32_t inbound_max; /* connections UP at a time; more are closed */
    int heartbeat_ms;     /* 0: ENT_LINK_HEARTBEAT_MS */
};

#define ENT_LINK_HEARTBEAT_MS 30000 /* traffic on an idle link */
#define ENT_LINK_HANDSHAKE_MS 5000  /* for a stranger to finish CURVE */
#define ENT_LINK_CONNECT_MS 15000
#define ENT_LINK_DIAL_MS 25000  /* all of it: name, TCP, handshake */
#define ENT_LINK_LINGER_MS 1000 /* for messages sent before the end */
#define ENT_LINK_WAIT_MS 1000   /* the longest wait with a connection */
#define ENT_LINK_HWM 64         /* messages waiting on one connection */

enum ent_link_event_type {
    ENT_LINK_UP,    /* the handshake succeeded */
    ENT_LINK_DOWN,  /* gone; `reason` says why in words; the id is not reused */
    ENT_LINK_FRAME, /* one message, borrowed until the next ent_link_next */
};

struct ent_link_event {
    enum ent_link_event_type type;
    uint32_t conn;        /* names the connection, from 1 */
    bool dialled;         /* by us */
    struct ent_key curve; /* the peer's CURVE key, proven */
    struct ent_slice frame;
    const char *reason; /* of DOWN: a text for ent_err / gettext */
};

struct ent_link_counts {
    uint64_t no_user_id; /* messages dropped for want of a User-Id */
    uint64_t bad_parts;  /* dropped: several parts */
    uint64_t over_max;   /* connections to us beyond inbound_max */
    uint64_t handshakes_failed;
    uint64_t bytes_sent, bytes_received; /* of payload */
};

/* ENT_EFAIL: libzmq without CURVE, or the ZAP endpoint is taken: refuse to
 * start. ENT_EREFUSED: `listen` is no endpoint. ENT_EPEER: cannot bind. */
ENT_NODISCARD int ent_link_open(const struct ent_link_options *options,
                                struct ent_link **link, struct ent_err *err);
void ent_link_close(struct ent_link *link);

/* The endpoint really bound (a port of * is resolved), or NULL. */
const char *ent_link_bound(const struct ent_link *link);

/* Start dialling. The connection's id is known at once; UP or DOWN follows,
 * also when `endpoint` is none (tcp://HOST:PORT). It is not dialled again by
 * itself after DOWN. ENT_ENOMEM. */
ENT_NODISCARD int ent_link_dial(struct ent_link *link, const char *endpoint,
                                const struct ent_key *curve, uint32_t *conn,
                                struct ent_err *err);

/* Queue a message. 1: sent. 0: the peer does not read and the queue is full,
 * try again when ent_link_wait returns. ENT_EPEER: the connection is gone. */
ENT_NODISCARD int ent_link_send(struct ent_link *link, uint32_t conn,
                                struct ent_slice frame);

/* End a connection: nothing more is read from it and no DOWN follows. What was
 * sent before still leaves, for at most ENT_LINK_LINGER_MS. */
void ent_link_drop(struct ent_link *link, uint32_t conn);

/* Wait until something can be read, `fds[i]` is readable, or the time is over
 * (-1: no limit). Sets ready[i]. It may also return early for nothing, and
 * does so after ENT_LINK_WAIT_MS while there are connections. ENT_EFAIL only
 * for our own mistakes; EINTR returns 0. */
ENT_NODISCARD int ent_link_wait(struct ent_link *link, const int *fds,
                                bool *ready, size_t fd_count, int timeout_ms);

/* The next event: 1, or 0 when there is none now. Never blocks. */
ENT_NODISCARD int ent_link_next(struct ent_link *link,
                                struct ent_link_event *event);

void ent_link_counts_read(const struct ent_link *link,
                          struct ent_link_counts *counts);

#endif
