/* home.h - a node's home directory: the paths in it, and who has it to
 * himself. */
#ifndef ENT_STORE_HOME_H
#define ENT_STORE_HOME_H

#include "base/err.h"
#include "text/datadir.h"

/* The path of the file `name` in it. ENT_EUSAGE: too long. */
ENT_NODISCARD int ent_home_path(const char *home, const char *name,
                                char path[ENT_PATH_MAX], struct ent_err *err);

/* Make the directory, mode 0700, and those above it; durable. Fine when it is
 * there. ENT_EUSAGE, ENT_ESTORE. */
ENT_NODISCARD int ent_home_make(const char *home, struct ent_err *err);

/* Have the directory to oneself among those who make a replica there, until
 * the descriptor is closed. ENT_EUSAGE: another one is at it. */
ENT_NODISCARD int ent_home_claim(const char *home, int *fd,
                                 struct ent_err *err);

/* Be the only daemon of the node, or keep every daemon off, until the
 * descriptor is closed. ENT_ENOTFOUND: no such directory; ENT_EFAIL: somebody
 * else is. */
ENT_NODISCARD int ent_home_lock(const char *home, int *fd, struct ent_err *err);

#endif
