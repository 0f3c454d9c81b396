/* newfile.h - a file that was not there: it grows under another name beside its
 * place and gets its own when it is whole and on disk. */
#ifndef ENT_STORE_NEWFILE_H
#define ENT_STORE_NEWFILE_H

#include "base/err.h"
#include "text/datadir.h"

/* ENT_EUSAGE: there is such a file already. */
ENT_NODISCARD int ent_newfile_check(const char *path, struct ent_err *err);

/* The directory in which a file's name stands. */
void ent_newfile_dir(const char *path, char dir[ENT_PATH_MAX]);

/* Make the file that grows, mode 0600 and empty. ENT_EUSAGE: `path` is there
 * already, or too long; ENT_ESTORE. */
ENT_NODISCARD int ent_newfile_begin(const char *path,
                                    char growing[ENT_PATH_MAX],
                                    struct ent_err *err);

/* Give it its name. After a failure the growing file is still there. */
ENT_NODISCARD int ent_newfile_end(const char *growing, const char *path,
                                  struct ent_err *err);

#endif
