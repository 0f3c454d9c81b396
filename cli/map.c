/* map.c - the file that says which column goes into which field; see rows.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/rows.h"

#define MAP_BYTES_MAX (64 << 10)

int rows_open(const char *path, struct ent_err *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
        return fd;
    if (fd < 0 && errno != ELOOP)
        return ent_err_set(err, ENT_ENOTFOUND, "%s cannot be opened: %s", path,
                           strerror(errno));
    if (fd >= 0)
        close(fd);
    return ent_err_set(err, ENT_EREFUSED, "%s is no plain file", path);
}

int rows_read_text(const char *path, size_t max, struct ent_buf *buf,
                   struct ent_err *err)
{
    ssize_t got = 0;
    int rc = 0;
    int fd = rows_open(path, err);

    if (fd < 0)
        return fd;
    while (rc == 0) {
        uint8_t chunk[4096];

        got = read(fd, chunk, sizeof(chunk));
        if (got <= 0)
            break;
        ent_buf_put(buf, chunk, (size_t)got);
        if (buf->len > max)
            rc = ent_err_set(err, ENT_EREFUSED, "%s is longer than %zu bytes",
                             path, max);
    }
    if (rc == 0 && got < 0)
        rc = ent_err_set(err, ENT_EREFUSED, "%s cannot be read: %s", path,
                         strerror(errno));
    if (rc == 0 && buf->rc < 0)
        rc = ent_err_set(err, ENT_ENOMEM, "out of memory");
    if (rc == 0 && buf->len > 0 && memchr(buf->at, '\0', buf->len) != NULL)
        rc = ent_err_set(err, ENT_EREFUSED, "%s is no text", path);
    close(fd);
    return rc;
}

static struct ent_slice trim(struct ent_slice text)
{
    while (text.len > 0 && memchr(" \t\r", text.at[0], 3) != NULL)
        text = ent_slice(text.at + 1, text.len - 1);
    while (text.len > 0 && memchr(" \t\r", text.at[text.len - 1], 3) != NULL)
        text.len--;
    return text;
}

static int map_line(struct rows_map *map, struct ent_slice line,
                    struct ent_err *err)
{
    const uint8_t *equals;
    struct ent_slice column;

    line = trim(line);
    if (line.len == 0 || line.at[0] == '#')
        return 0;
    equals = memchr(line.at, '=', line.len);
    if (equals == NULL)
        return ent_err_set(err, ENT_EREFUSED,
                           "a line of a map is \"column = field\", or "
                           "\"column =\" to leave it out");
    column = trim(ent_slice(line.at, (size_t)(equals - line.at)));
    if (column.len == 0)
        return ent_err_set(err, ENT_EREFUSED, "no column before the =");
    for (size_t i = 0; i < map->count; i++)
        if (ent_slice_equal(map->lines[i].column, column))
            return ent_err_set(err, ENT_EREFUSED, "\"%.*s\" is mapped twice",
                               (int)column.len, (const char *)column.at);
    if (map->count == ROWS_MAP_MAX)
        return ent_err_set(err, ENT_EREFUSED, "more than %d columns",
                           ROWS_MAP_MAX);
    map->lines[map->count].column = column;
    map->lines[map->count].field =
        trim(ent_slice(equals + 1, line.len - (size_t)(equals + 1 - line.at)));
    map->count++;
    return 0;
}

int rows_map_read(struct rows_map *map, const char *path, struct ent_err *err)
{
    struct ent_slice rest;
    size_t number = 0;
    int rc = rows_read_text(path, MAP_BYTES_MAX, &map->text, err);

    if (rc < 0)
        return rc;
    rest = ent_buf_slice(&map->text);
    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.at, '\n', rest.len);
        size_t len = end == NULL ? rest.len : (size_t)(end - rest.at);

        number++;
        rc = map_line(map, ent_slice(rest.at, len), err);
        if (rc < 0) {
            ent_err_prefix(err, "%s:%zu", path, number);
            return rc;
        }
        len += end != NULL;
        rest = ent_slice(rest.at + len, rest.len - len);
    }
    return 0;
}

void rows_map_fini(struct rows_map *map)
{
    ent_buf_fini(&map->text);
}
