/* control.h - one daemon for a home directory, and the socket it is poked by.
 * A command that wrote to the replica sends any datagram to `entented.sock`,
 * so that the daemon looks at once; nothing is answered. */
#ifndef ENT_NODE_CONTROL_H
#define ENT_NODE_CONTROL_H

#include <stdbool.h>

#include "base/err.h"
#include "text/datadir.h"

struct control {
    int lock; /* of `entented.lock`, held for the life of the daemon */
    int socket;
    char path[ENT_PATH_MAX];
};

/* ENT_EFAIL: another daemon runs there. ENT_ESTORE: cannot be written. */
ENT_NODISCARD int control_open(struct control *control, const char *home,
                               struct ent_err *err);
void control_close(struct control *control);

/* Take what is waiting: whether anything was. */
bool control_poked(const struct control *control);

#endif
