/* notify.h - tell the service manager (sd_notify(3)): one datagram to
 * $NOTIFY_SOCKET, nothing when there is none. */
#ifndef ENT_NODE_NOTIFY_H
#define ENT_NODE_NOTIFY_H

#define NOTIFY_READY "READY=1"
#define NOTIFY_STOPPING "STOPPING=1"

void notify(const char *state);

#endif
