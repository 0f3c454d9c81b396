/* settings.c - see settings.h. */
#include "text/settings.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* libconfuse hands its error function no data of ours. */
static _Thread_local struct {
    const char *path;
    struct ent_err *err;
    bool told;
} reading;

int ent_setting_keep(cfg_t *section, cfg_opt_t *option, const char *text,
                     void *result)
{
    struct ent_setting *setting = malloc(sizeof(*setting) + strlen(text) + 1);

    (void)option;
    if (setting == NULL)
        return -1;
    setting->line = section->line;
    memcpy(setting->text, text, strlen(text) + 1);
    *(void **)result = setting;
    return 0;
}

static void take_error(cfg_t *section, const char *fmt, va_list ap)
{
    char text[ENT_ERR_TEXT_MAX];

    if (reading.told)
        return;
    vsnprintf(text, sizeof(text), fmt, ap);
    if (strstr(text, ENT_SETTINGS_END_NAME) != NULL)
        ent_err_set(reading.err, ENT_EREFUSED,
                    "%s:%d: a closing brace is missing", reading.path,
                    section->line);
    else
        ent_err_set(reading.err, ENT_EREFUSED, "%s:%d: %s", reading.path,
                    section->line, text);
    reading.told = true;
}

static int read_file(const char *path, struct ent_buf *text,
                     struct ent_err *err)
{
    FILE *file = fopen(path, "re");
    size_t len = 0;
    uint8_t *at;
    int rc = 0;

    if (file == NULL)
        return ent_err_set(err, errno == ENOENT ? ENT_ENOTFOUND : ENT_EREFUSED,
                           "%s cannot be opened: %s", path, strerror(errno));
    at = ent_buf_grow(text, ENT_SETTINGS_BYTES_MAX + 1);
    if (at == NULL) {
        rc = ent_err_set(err, ENT_ENOMEM, "out of memory");
        goto out;
    }
    len = fread(at, 1, ENT_SETTINGS_BYTES_MAX + 1, file);
    if (ferror(file))
        rc = ent_err_set(err, ENT_EREFUSED, "%s cannot be read: %s", path,
                         strerror(errno));
    else if (len > ENT_SETTINGS_BYTES_MAX)
        rc = ent_err_set(err, ENT_EREFUSED, "%s is longer than %d bytes", path,
                         ENT_SETTINGS_BYTES_MAX);
    else if (memchr(at, '\0', len) != NULL)
        rc = ent_err_set(err, ENT_EREFUSED, "%s is not a text file", path);
    text->len = len;
out:
    fclose(file);
    return rc;
}

int ent_settings_read(const char *path, cfg_opt_t *options, cfg_t **out,
                      struct ent_err *err)
{
    struct ent_buf text = {0};
    cfg_t *file = NULL;
    const char *from;
    int rc = read_file(path, &text, err);

    if (rc < 0)
        goto out;
    ent_buf_put_str(&text, "\n" ENT_SETTINGS_END_NAME " = yes\n");
    from = ent_buf_cstr(&text);
    file = cfg_init(options, CFGF_NONE);
    if (from == NULL || file == NULL) {
        rc = ent_err_set(err, ENT_ENOMEM, "out of memory");
        goto out;
    }
    if (strncmp(from, "\xef\xbb\xbf", 3) == 0)
        from += 3;
    reading.path = path;
    reading.err = err;
    reading.told = false;
    cfg_set_error_function(file, take_error);
    if (cfg_parse_buf(file, from) != CFG_SUCCESS) {
        rc = ENT_EREFUSED;
        if (!reading.told)
            rc = ent_err_set(err, ENT_ENOMEM, "out of memory");
        goto out;
    }
    if (ent_setting(file, ENT_SETTINGS_END_NAME) == NULL) {
        rc = ent_err_set(err, ENT_EREFUSED, "%s:%d: the file is cut off", path,
                         file->line);
        goto out;
    }
    *out = file;
    file = NULL;
out:
    cfg_free(file);
    ent_buf_fini(&text);
    return rc;
}

const struct ent_setting *ent_setting(cfg_t *section, const char *name)
{
    return cfg_getptr(section, name);
}

bool ent_setting_number(const struct ent_setting *setting, int least, int most,
                        int *number)
{
    char *end;
    long value;

    if (setting->text[0] < '0' || setting->text[0] > '9')
        return false;
    errno = 0;
    value = strtol(setting->text, &end, 10);
    if (errno != 0 || *end != '\0' || value < least || value > most)
        return false;
    *number = (int)value;
    return true;
}

/* ----------------------------------------------------------------- folders */

static int is_conf(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 5 && entry->d_name[0] != '.' &&
           strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* Not alphasort, which follows the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int ent_settings_each(const char *dir, ent_settings_fn *read, void *ctx,
                      int *count, struct ent_err *err)
{
    struct dirent **names = NULL;
    struct ent_buf path = {0};
    int rc = 0;

    *count = scandir(dir, &names, is_conf, by_name);
    if (*count < 0)
        return ent_err_set(err, ENT_ENOTFOUND, "%s cannot be opened: %s", dir,
                           strerror(errno));
    for (int i = 0; rc == 0 && i < *count; i++) {
        ent_buf_reset(&path);
        ent_buf_printf(&path, "%s/%s", dir, names[i]->d_name);
        rc = ent_buf_cstr(&path) == NULL
                 ? ent_err_set(err, ENT_ENOMEM, "out of memory")
                 : read(ctx, ent_buf_cstr(&path));
    }
    for (int i = 0; i < *count; i++)
        free(names[i]);
    free(names);
    ent_buf_fini(&path);
    return rc;
}
