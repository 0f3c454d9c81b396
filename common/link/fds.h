/* fds.h - the TCP connections below the sockets, by file descriptor.
 * libzmq 4.3 closes no single connection of a ROUTER and bounds neither the
 * connections that never speak nor the parts of one message; but it tells the
 * descriptor, and a descriptor that is shut down is a connection that ends.
 * Two kinds are ended here: the oldest silent ones when there are too many,
 * or when they stay silent too long; and those that send more than a message
 * may have without completing one. When many do that a little each, those go
 * that sent most. */
#ifndef ENT_LINK_FDS_H
#define ENT_LINK_FDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define ENT_FDS_SILENT_MAX 128 /* connections to us that have said nothing */
#define ENT_FDS_SILENT_MS 30000
#define ENT_FDS_CHECK_MS 100
/* Where a flood may be beginning it is looked at more often: after a connection
 * was made, and while something unfinished is there. */
#define ENT_FDS_WATCH_MS 20
#define ENT_FDS_WATCHED_MS 10000
#define ENT_FDS_WATCHED_BYTES (1 << 20)

/* One message of the largest size, and what the kernel may hold behind it. */
#define ENT_FDS_UNFINISHED_MAX (16 << 20)
#define ENT_FDS_UNFINISHED_ALL (32 << 20) /* of all connections together */

struct ent_fd {
    bool open;
    bool heard;    /* a complete message came since the last check */
    bool spoken;   /* one ever came */
    bool cut;      /* shut down, its end not yet reported */
    uint32_t conn; /* whose it is, 0: nobody's yet */
    uint64_t opened_ms;
    uint64_t base;       /* bytes received when the last message was complete */
    uint64_t unfinished; /* bytes since, at the last check */
};

struct ent_fds {
    bool inbound;         /* connections to us: silence is limited */
    struct ent_fd *slots; /* by descriptor */
    size_t count;
    size_t silent;
    uint64_t unfinished; /* of all of them, at the last check */
    uint64_t checked_ms;
    uint64_t opened_ms; /* the last one; 0: none yet */
};

/* A zeroed one is empty. A number that one I/O thread closed may be opened by
 * the other before both monitors are read, so connections to us and those we
 * dialled have a table each. */
void ent_fds_fini(struct ent_fds *fds);

/* A connection was made. ENT_ENOMEM: it is shut down, not kept. */
ENT_NODISCARD int ent_fds_opened(struct ent_fds *fds, int fd, uint64_t now_ms);

/* It ended; whose it was, or 0. */
uint32_t ent_fds_closed(struct ent_fds *fds, int fd);

/* The open connection on `fd`, or NULL. */
struct ent_fd *ent_fds_at(struct ent_fds *fds, int fd);

/* A complete message came. */
void ent_fds_heard(struct ent_fds *fds, int fd);

/* End a connection; its monitor reports it. */
void ent_fds_cut(struct ent_fds *fds, int fd);

/* Whether they are to be checked often, every ENT_FDS_WATCH_MS. */
bool ent_fds_watched(const struct ent_fds *fds, uint64_t now_ms);

/* End what is silent for too long or floods. Cheap to call often. */
void ent_fds_check(struct ent_fds *fds, uint64_t now_ms);

#endif
