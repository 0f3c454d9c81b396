/* control.c - see control.h. */
#include "node/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/home.h"

static int fail(struct ent_err *err, const char *path)
{
    return ent_err_set(err, ENT_ESTORE, "%s: %s", path, strerror(errno));
}

/* Whatever lies there was left by a daemon that ended: we hold the lock. */
static int bind_socket(struct control *control, const char *home,
                       struct ent_err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    mode_t mask;
    int rc;

    if (snprintf(at.sun_path, sizeof(at.sun_path), "%s/entented.sock", home) >=
        (int)sizeof(at.sun_path))
        return ent_err_set(err, ENT_EUSAGE,
                           "the path of the node is too long for a socket: "
                           "%s",
                           home);
    control->socket =
        socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->socket < 0)
        return fail(err, at.sun_path);
    unlink(at.sun_path);
    mask = umask(0177);
    rc = bind(control->socket, (const struct sockaddr *)&at, sizeof(at));
    umask(mask);
    if (rc != 0)
        return fail(err, at.sun_path);
    snprintf(control->path, sizeof(control->path), "%s", at.sun_path);
    return 0;
}

int control_open(struct control *control, const char *home, struct ent_err *err)
{
    int rc;

    *control = (struct control){.lock = -1, .socket = -1};
    rc = ent_home_lock(home, &control->lock, err);
    if (rc == 0)
        rc = bind_socket(control, home, err);
    if (rc < 0)
        control_close(control);
    return rc;
}

void control_close(struct control *control)
{
    if (control->path[0] != '\0')
        unlink(control->path);
    if (control->socket >= 0)
        close(control->socket);
    if (control->lock >= 0)
        close(control->lock);
    *control = (struct control){.lock = -1, .socket = -1};
}

bool control_poked(const struct control *control)
{
    char bytes[64];
    bool poked = false;

    while (recv(control->socket, bytes, sizeof(bytes), 0) >= 0)
        poked = true;
    return poked;
}
