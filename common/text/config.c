/* config.c - see config.h. */
#include "text/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "text/parse.h"
#include "text/settings.h"

#define DIAL_SECONDS 60
#define POLL_MS 100
#define CONNECTIONS 200

static const char *const log_levels[] = {"error", "warning", "info", "debug"};

struct reader {
    const char *path;
    struct ent_config *config;
    struct ent_err *err;
};

static int at_line(const struct reader *r, const struct ent_setting *setting,
                   int rc)
{
    ent_err_prefix(r->err, "%s:%d", r->path, setting->line);
    return rc;
}

static int keep(const struct reader *r, const char *text, char **out)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return ent_err_set(r->err, ENT_ENOMEM, "out of memory");
    free(*out);
    *out = copy;
    return 0;
}

/* A port, or "*" for any that is free. */
static bool is_port(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    if (strcmp(text, "*") == 0)
        return true;
    return *text >= '0' && *text <= '9' && *end == '\0' && port > 0 &&
           port <= UINT16_MAX;
}

bool ent_endpoint_check(const char *text)
{
    const char *colon = strrchr(text, ':');

    if (strlen(text) > ENT_ENDPOINT_MAX)
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~' || *at == ';')
            return false;
    return strncmp(text, "tcp://", 6) == 0 && colon > text + 6 &&
           is_port(colon + 1);
}

static int read_endpoint(const struct reader *r,
                         const struct ent_setting *setting, char **out)
{
    int rc;

    if (ent_endpoint_check(setting->text))
        return keep(r, setting->text, out);
    rc = ent_err_set(r->err, ENT_EREFUSED,
                     "\"%.60s\" is not an endpoint; write tcp://host:port",
                     setting->text);
    return at_line(r, setting, rc);
}

static int read_number(const struct reader *r, cfg_t *file, const char *name,
                       int least, int most, int *out)
{
    const struct ent_setting *setting = ent_setting(file, name);
    int rc;

    if (setting == NULL || ent_setting_number(setting, least, most, out))
        return 0;
    rc = ent_err_set(r->err, ENT_EREFUSED,
                     "%s is \"%.60s\"; it is a number from %d to %d", name,
                     setting->text, least, most);
    return at_line(r, setting, rc);
}

static int read_log_level(const struct reader *r, cfg_t *file)
{
    const struct ent_setting *setting = ent_setting(file, "log_level");
    int rc;

    if (setting == NULL)
        return 0;
    for (size_t i = 0; i < ENT_ARRAY_LEN(log_levels); i++)
        if (strcmp(log_levels[i], setting->text) == 0)
            return keep(r, setting->text, &r->config->log_level);
    rc = ent_err_set(r->err, ENT_EREFUSED,
                     "log_level is \"%.60s\"; it is error, warning, info or "
                     "debug",
                     setting->text);
    return at_line(r, setting, rc);
}

/* In the form of any reference. Whether there is such a contact is seen when
 * it is asked for. */
static int read_me(const struct reader *r, cfg_t *file)
{
    static const struct ent_field contact = {.type = ENT_TYPE_REF};
    const struct ent_setting *setting = ent_setting(file, "me");
    struct ent_arena arena = {0};
    struct ent_buf text = {0};
    struct ent_value value;
    int rc;

    if (setting == NULL)
        return 0;
    rc = ent_value_parse(&contact, NULL, ent_slice_str(setting->text), &arena,
                         &value, r->err);
    if (rc < 0) {
        ent_err_prefix(r->err, "me");
        rc = at_line(r, setting, rc);
        goto out;
    }
    ent_value_print(&value, &text);
    if (ent_buf_cstr(&text) == NULL)
        rc = ent_err_set(r->err, ENT_ENOMEM, "out of memory");
    else
        rc = keep(r, ent_buf_cstr(&text), &r->config->me);
out:
    ent_buf_fini(&text);
    ent_arena_fini(&arena);
    return rc;
}

/* A list in the file takes the place of the list before. */
static int read_endpoints(const struct reader *r, cfg_t *file)
{
    struct ent_config *config = r->config;
    cfg_opt_t *option = cfg_getopt(file, "endpoints");
    unsigned count = cfg_opt_size(option);

    if (count == 0)
        return 0;
    if (count > ENT_ENDPOINTS_MAX) {
        int rc = ent_err_set(r->err, ENT_EREFUSED, "more than %d endpoints",
                             ENT_ENDPOINTS_MAX);

        return at_line(r, cfg_opt_getnptr(option, ENT_ENDPOINTS_MAX), rc);
    }
    for (unsigned i = 0; i < count; i++) {
        int rc =
            read_endpoint(r, cfg_opt_getnptr(option, i), &config->endpoints[i]);

        if (rc < 0)
            return rc;
    }
    for (int i = (int)count; i < config->endpoint_count; i++) {
        free(config->endpoints[i]);
        config->endpoints[i] = NULL;
    }
    config->endpoint_count = (int)count;
    return 0;
}

static int read_settings(const struct reader *r, cfg_t *file)
{
    struct ent_config *config = r->config;
    const struct ent_setting *listen = ent_setting(file, "listen");
    int rc = 0;

    if (listen != NULL)
        rc = read_endpoint(r, listen, &config->listen);
    if (rc == 0)
        rc = read_endpoints(r, file);
    if (rc == 0)
        rc = read_number(r, file, "dial_seconds", 1, 86400,
                         &config->dial_seconds);
    if (rc == 0)
        rc = read_number(r, file, "poll_ms", 10, 10000, &config->poll_ms);
    if (rc == 0)
        rc = read_number(r, file, "connections_max", 1, 10000,
                         &config->connections_max);
    if (rc == 0)
        rc = read_log_level(r, file);
    if (rc == 0)
        rc = read_me(r, file);
    return rc;
}

static int copy_config(const struct ent_config *from, struct ent_config *to,
                       struct ent_err *err)
{
    const struct reader r = {.config = to, .err = err};
    int rc = 0;

    *to = *from;
    to->listen = NULL;
    to->log_level = NULL;
    to->me = NULL;
    memset(to->endpoints, 0, sizeof(to->endpoints));
    if (from->listen != NULL)
        rc = keep(&r, from->listen, &to->listen);
    if (rc == 0 && from->log_level != NULL)
        rc = keep(&r, from->log_level, &to->log_level);
    if (rc == 0 && from->me != NULL)
        rc = keep(&r, from->me, &to->me);
    for (int i = 0; rc == 0 && i < from->endpoint_count; i++)
        rc = keep(&r, from->endpoints[i], &to->endpoints[i]);
    return rc;
}

int ent_config_init(struct ent_config *config, struct ent_err *err)
{
    static char info[] = "info";
    const struct ent_config usual = {
        .dial_seconds = DIAL_SECONDS,
        .poll_ms = POLL_MS,
        .connections_max = CONNECTIONS,
        .log_level = info,
    };
    int rc = copy_config(&usual, config, err);

    if (rc < 0)
        ent_config_fini(config);
    return rc;
}

int ent_config_read(struct ent_config *config, const char *path,
                    struct ent_err *err)
{
    cfg_opt_t options[] = {ENT_SETTING("listen"),
                           ENT_SETTING_LIST("endpoints"),
                           ENT_SETTING("dial_seconds"),
                           ENT_SETTING("poll_ms"),
                           ENT_SETTING("connections_max"),
                           ENT_SETTING("log_level"),
                           ENT_SETTING("me"),
                           ENT_SETTINGS_END,
                           CFG_END()};
    struct ent_config made;
    const struct reader r = {.path = path, .config = &made, .err = err};
    cfg_t *file = NULL;
    int rc = copy_config(config, &made, err);

    if (rc == 0)
        rc = ent_settings_read(path, options, &file, err);
    if (rc == 0)
        rc = read_settings(&r, file);
    if (rc == 0) {
        ent_config_fini(config);
        *config = made;
    } else {
        ent_config_fini(&made);
    }
    cfg_free(file);
    return rc;
}

void ent_config_fini(struct ent_config *config)
{
    free(config->listen);
    for (int i = 0; i < ENT_ENDPOINTS_MAX; i++)
        free(config->endpoints[i]);
    free(config->log_level);
    free(config->me);
    *config = (struct ent_config){0};
}
