/* link_state.h - what the files of a link share: the open link itself.
 *
 * A connection to us is known by the routing id libzmq made for it, and tied
 * to its TCP connection by the descriptor a message tells. ACCEPTED, messages
 * and DISCONNECTED of one descriptor come from one I/O thread in that order,
 * so a monitor read after a message knows at least what the message knew.
 *
 * Only link.c, link_read.c and link_wait.c include this. */
#ifndef ENT_LINK_LINK_STATE_H
#define ENT_LINK_LINK_STATE_H

#include <poll.h>
#include <zmq.h>

#include "link/conns.h"
#include "link/fds.h"
#include "link/link.h"

#define ENT_LINK_ROUTE_BYTES 5 /* of a routing id libzmq made: 0, a number */
#define ENT_LINK_ENDPOINT_BYTES 256

/* Why a connection is lost. */
#define ENT_LINK_REASON_LOST ENT_N_("the connection was lost")
#define ENT_LINK_REASON_NOBODY ENT_N_("nobody answers at this address")
#define ENT_LINK_REASON_TIME ENT_N_("no answer in time")

struct ent_link {
    void *context;
    void *watch; /* the link's own clock: libzmq's, from 0 at the opening */
    void *zap;
    void *router, *router_monitor; /* NULL: dial only */
    char bound[ENT_LINK_ENDPOINT_BYTES];
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

/* The link's own clock, from 0 at the opening. */
uint64_t ent_link_clock_ms(const struct ent_link *link);

/* The end of a connection: its sockets are closed, `conn` is gone. */
void ent_link_forget(struct ent_link *link, struct ent_conn *conn);

/* It is lost, for `reason` unless a better one is known. One that the caller
 * dropped is forgotten without a word: `conn` may be gone. */
void ent_link_lose(struct ent_link *link, struct ent_conn *conn,
                   const char *reason);

/* A descriptor of ours is closed. The number may have become another's before
 * its end was reported. */
void ent_link_close_ours(struct ent_link *link, struct ent_conn *conn);

#endif
