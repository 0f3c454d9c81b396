/* output.c - see output.h. */
#include "cli/output.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING_BYTES 16 /* no format has a longer name */

enum out_format output_format(const char *path)
{
    const char *dot = strrchr(path, '.');
    enum out_format format = OUT_AUTO;
    char name[ENDING_BYTES];
    size_t len;

    if (dot == NULL || strchr(dot, '/') != NULL)
        return OUT_AUTO;
    len = (size_t)snprintf(name, sizeof(name), "%s", dot + 1);
    for (size_t i = 0; i < len && i < sizeof(name); i++)
        name[i] = (char)tolower((unsigned char)name[i]);
    return len < sizeof(name) && out_parse_format(name, &format) ? format
                                                                 : OUT_AUTO;
}

static int cannot_make(const char *path, struct ent_err *err)
{
    return ent_err_set(err, ENT_EFAIL, "%s cannot be made: %s", path,
                       strerror(errno));
}

/* Whether what is at `path` is what the node lives on. */
static bool is_of_node(const char *home, const struct stat *at)
{
    static const char *const names[] = {
        "replica.db", "replica.db-wal", "replica.db-shm", "key",
        "config",     "high-water",     "entented.lock"};
    char path[ENT_PATH_MAX];
    struct stat st;

    for (size_t i = 0; i < ENT_ARRAY_LEN(names); i++)
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", home, names[i]) <
                sizeof(path) &&
            stat(path, &st) == 0 && st.st_dev == at->st_dev &&
            st.st_ino == at->st_ino)
            return true;
    return false;
}

/* A link stays one: what it leads to is replaced. */
static int follow(struct output *output, const char *path)
{
    char *real = realpath(path, NULL);
    int len = real == NULL
                  ? -1
                  : snprintf(output->real, sizeof(output->real), "%s", real);

    free(real);
    return len >= 0 && (size_t)len < sizeof(output->real) ? 0 : -1;
}

int output_begin(struct output *output, const char *path, const char *home,
                 struct ent_err *err)
{
    mode_t mask = umask(0);
    mode_t mode = 0666 & ~mask; /* as any other program's file */
    struct stat st;
    int fd;

    umask(mask);
    output->path = NULL;
    if (*path == '\0')
        return ent_err_set(err, ENT_EUSAGE, "--output: a file is missing");
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
        if (follow(output, path) < 0)
            return ent_err_set(err, ENT_EUSAGE,
                               "%s is a link that leads to no file", path);
        path = output->real;
    }
    if (stat(path, &st) == 0) {
        if (!S_ISREG(st.st_mode))
            return ent_err_set(err, ENT_EUSAGE, "%s is no plain file", path);
        if (is_of_node(home, &st))
            return ent_err_set(err, ENT_EUSAGE,
                               "%s belongs to the node and is not replaced",
                               path);
        mode = st.st_mode & 0777;
    }
    if ((size_t)snprintf(output->growing, sizeof(output->growing), "%s.XXXXXX",
                         path) >= sizeof(output->growing))
        return ent_err_set(err, ENT_EUSAGE, "the path is too long");
    fd = mkostemp(output->growing, O_CLOEXEC);
    if (fd < 0)
        return cannot_make(path, err);
    if (fchmod(fd, mode) < 0 || dup2(fd, STDOUT_FILENO) < 0) {
        cannot_make(path, err);
        close(fd);
        unlink(output->growing);
        return ENT_EFAIL;
    }
    close(fd);
    output->path = path;
    return 0;
}

int output_end(struct output *output, bool keep, struct ent_err *err)
{
    int rc = 0;

    if (output->path == NULL)
        return 0;
    if (keep && (fflush(stdout) != 0 || fsync(STDOUT_FILENO) < 0 ||
                 rename(output->growing, output->path) < 0))
        rc = ent_err_set(err, ENT_EFAIL, "%s cannot be written: %s",
                         output->path, strerror(errno));
    if (!keep || rc < 0)
        unlink(output->growing);
    output->path = NULL;
    return rc;
}
