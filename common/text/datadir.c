/* datadir.c - see datadir.h. */
#include "text/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether this very program lies in the folder it was built in. */
static bool is_built_here(const struct ent_built *built)
{
    char path[ENT_PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (len < 0)
        return false;
    path[len] = '\0';
    return strncmp(path, built->build, strlen(built->build)) == 0;
}

const char *ent_datadir(const struct ent_built *built)
{
    const char *dir = getenv("ENTENTE_DATADIR");

    if (dir != NULL && *dir != '\0')
        return dir;
    return is_built_here(built) ? built->source_data : built->data;
}

const char *ent_localedir(const struct ent_built *built)
{
    return is_built_here(built) ? built->build_locale : built->locale;
}

int ent_home(const char *given, char home[ENT_PATH_MAX], struct ent_err *err)
{
    const char *data = getenv("XDG_DATA_HOME");
    const char *user = getenv("HOME");
    int len;

    if (given == NULL)
        given = getenv("ENTENTE_HOME");
    if (given != NULL && *given != '\0')
        len = snprintf(home, ENT_PATH_MAX, "%s", given);
    else if (data != NULL && *data == '/')
        len = snprintf(home, ENT_PATH_MAX, "%s/entente", data);
    else if (user != NULL && *user != '\0')
        len = snprintf(home, ENT_PATH_MAX, "%s/.local/share/entente", user);
    else
        return ent_err_set(err, ENT_EUSAGE,
                           "no directory for the node: give --home DIR");
    if (len < 0 || len >= ENT_PATH_MAX)
        return ent_err_set(err, ENT_EUSAGE, "the node's path is too long");
    return 0;
}

/* Some file systems keep names without being asked, and refuse to be. */
static int sync_path(const char *path, int flags, struct ent_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    bool kept = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    int why = errno;

    if (fd >= 0)
        close(fd);
    if (kept)
        return 0;
    return ent_err_set(err, ENT_ESTORE, ENT_N_("cannot write %s: %s"), path,
                       strerror(why));
}

int ent_dir_sync(const char *dir, struct ent_err *err)
{
    return sync_path(dir, O_DIRECTORY, err);
}

int ent_file_sync(const char *path, struct ent_err *err)
{
    return sync_path(path, 0, err);
}
