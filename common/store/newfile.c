/* newfile.c - see newfile.h. */
#include "store/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/home.h"

static int is_there(const char *path, struct ent_err *err)
{
    return ent_err_set(err, ENT_EUSAGE,
                       ENT_N_("%s is there already, and is left as it is"),
                       path);
}

int ent_newfile_check(const char *path, struct ent_err *err)
{
    struct stat st;

    return lstat(path, &st) < 0 ? 0 : is_there(path, err);
}

/* What somebody put there meanwhile is not replaced. Where the file system
 * cannot rename so, a second name does it; a stick may have neither. */
static int name_new(const char *growing, const char *path)
{
    struct stat st;

    if (renameat2(AT_FDCWD, growing, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
        return -1;
    if (link(growing, path) == 0)
        return unlink(growing);
    if (errno == EEXIST)
        return -1;
    if (lstat(path, &st) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(growing, path);
}

void ent_newfile_dir(const char *path, char dir[ENT_PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);

    if (slash == NULL)
        snprintf(dir, ENT_PATH_MAX, ".");
    else if (len == 0)
        snprintf(dir, ENT_PATH_MAX, "/");
    else
        snprintf(dir, ENT_PATH_MAX, "%.*s", (int)len, path);
}

int ent_newfile_begin(const char *path, char growing[ENT_PATH_MAX],
                      struct ent_err *err)
{
    char dir[ENT_PATH_MAX];
    const char *slash = strrchr(path, '/');
    int rc = ent_newfile_check(path, err);
    int fd;

    if (rc < 0)
        return rc;
    ent_newfile_dir(path, dir);
    if (snprintf(growing, ENT_PATH_MAX, "%s/%s.XXXXXX", dir,
                 slash == NULL ? path : slash + 1) >= ENT_PATH_MAX)
        return ent_err_set(err, ENT_EUSAGE, ENT_N_("the path %s is too long"),
                           path);
    fd = mkostemp(growing, O_CLOEXEC);
    if (fd < 0)
        return ent_err_set(err, ENT_ESTORE, ENT_N_("cannot make %s: %s"), path,
                           strerror(errno));
    close(fd);
    return 0;
}

int ent_newfile_end(const char *growing, const char *path, struct ent_err *err)
{
    char dir[ENT_PATH_MAX];
    int rc = ent_file_sync(growing, err);

    if (rc < 0)
        return rc;
    if (name_new(growing, path) < 0)
        return errno == EEXIST
                   ? is_there(path, err)
                   : ent_err_set(err, ENT_ESTORE, ENT_N_("cannot make %s: %s"),
                                 path, strerror(errno));
    ent_newfile_dir(path, dir);
    rc = ent_dir_sync(dir, err);
    if (rc < 0)
        unlink(path);
    return rc;
}
