/* home.c - see home.h. */
#include "store/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int too_long(struct ent_err *err)
{
    return ent_err_set(err, ENT_EUSAGE,
                       ENT_N_("the path of the home directory is too long"));
}

int ent_home_path(const char *home, const char *name, char path[ENT_PATH_MAX],
                  struct ent_err *err)
{
    int n = snprintf(path, ENT_PATH_MAX, "%s/%s", home, name);

    return n < 0 || n >= ENT_PATH_MAX ? too_long(err) : 0;
}

/* One directory, perhaps there already. A new one's name is in its parent. */
static int make_dir(const char *path, const char *parent, mode_t mode,
                    struct ent_err *err)
{
    if (mkdir(path, mode) == 0)
        return ent_dir_sync(parent, err);
    if (errno == EEXIST)
        return 0;
    return ent_err_set(err, ENT_ESTORE, ENT_N_("cannot make %s: %s"), path,
                       strerror(errno));
}

int ent_home_make(const char *home, struct ent_err *err)
{
    char path[ENT_PATH_MAX];
    char parent[ENT_PATH_MAX];
    size_t len = strlen(home);
    int rc = 0;

    if (len == 0 || len >= sizeof(path))
        return too_long(err);
    memcpy(path, home, len + 1);
    while (len > 1 && path[len - 1] == '/')
        path[--len] = '\0';
    snprintf(parent, sizeof(parent), "%s", home[0] == '/' ? "/" : ".");
    for (char *at = path + 1; rc == 0 && *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        rc = make_dir(path, parent, 0777, err);
        memcpy(parent, path, strlen(path) + 1);
        *at = '/';
    }
    return rc == 0 ? make_dir(path, parent, 0700, err) : rc;
}

int ent_home_claim(const char *home, int *fd, struct ent_err *err)
{
    *fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return ent_err_set(err, ENT_ESTORE, ENT_N_("cannot read %s: %s"), home,
                           strerror(errno));
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    close(*fd);
    *fd = -1;
    return ent_err_set(err, ENT_EUSAGE,
                       ENT_N_("another program makes a node in %s"), home);
}

int ent_home_lock(const char *home, int *fd, struct ent_err *err)
{
    char path[ENT_PATH_MAX];
    int rc = ent_home_path(home, "entented.lock", path, err);

    *fd = -1;
    if (rc < 0)
        return rc;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd >= 0 && flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (*fd < 0 && errno == ENOENT)
        rc = ent_err_set(err, ENT_ENOTFOUND,
                         ENT_N_("there is no replica at %s; make one with: "
                                "entente init --org NAME"),
                         home);
    else if (*fd >= 0 && errno == EWOULDBLOCK)
        rc = ent_err_set(err, ENT_EFAIL,
                         ENT_N_("entented runs for the node in %s, or a "
                                "backup is being put back there"),
                         home);
    else
        rc = ent_err_set(err, ENT_ESTORE, ENT_N_("cannot write %s: %s"), path,
                         strerror(errno));
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    return rc;
}
