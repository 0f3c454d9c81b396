/* config.h - the node's configuration file (entented.conf, libconfuse). */
#ifndef ENT_TEXT_CONFIG_H
#define ENT_TEXT_CONFIG_H

#include <stdbool.h>

#include "base/err.h"
#include "base/limits.h"

struct ent_config {
    char *listen;             /* endpoint to bind, or NULL: dial only */
    char *endpoints[ENT_ENDPOINTS_MAX]; /* told to members */
    int endpoint_count;
    int dial_seconds;         /* between attempts on one peer, 1 to 86400 */
    int poll_ms;              /* watch for commits of others, 10 to 10000 */
    int connections_max;      /* links at a time, 1 to 10000 */
    char *log_level;          /* error, warning, info, debug */
    char *me; /* code or id of the contact who works here, or NULL; the
               * daemon does not need it */
};

/* Whether `text` has the form of an endpoint: tcp://host:port, or ipc://path.
 * Whether the host exists is seen when it is used. */
ENT_NODISCARD bool ent_endpoint_check(const char *text);

/* The values that hold without a file. */
ENT_NODISCARD int ent_config_init(struct ent_config *config,
                                  struct ent_err *err);

/* Reads `path` over what is there. ENT_ENOTFOUND: no such file.
 * ENT_EREFUSED: "file:line: what is wrong". Unknown keys are refused. */
ENT_NODISCARD int ent_config_read(struct ent_config *config, const char *path,
                                  struct ent_err *err);
void ent_config_fini(struct ent_config *config);

#endif
