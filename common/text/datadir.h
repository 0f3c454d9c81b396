/* datadir.h - where things lie: a node's home directory, and the files shipped
 * with the programs. A program run from its build folder takes the files of
 * the source tree, so nothing need be installed to try it. */
#ifndef ENT_TEXT_DATADIR_H
#define ENT_TEXT_DATADIR_H

#include "base/err.h"

#define ENT_PATH_MAX 4096 /* bytes of a path, NUL included */

/* The folders that the build knows. */
struct ent_built {
    const char *build;         /* of the build, with / at its end */
    const char *source_data;   /* what ships, in the source tree */
    const char *build_locale;  /* catalogues, in the build folder */
    const char *data, *locale; /* the same, installed */
};

/* A value of it; needs config.h. */
#define ENT_BUILT                                                              \
    {                                                                          \
        .build = ENT_BUILD_DIR "/", .source_data = ENT_SOURCE_DIR "/configs",  \
        .build_locale = ENT_BUILD_DIR "/cli/po", .data = ENT_DATADIR,          \
        .locale = ENT_LOCALEDIR                                                \
    }

/* The folder of kinds/ and vocabulary/: $ENTENTE_DATADIR, else the source
 * tree's, else the installed one. */
const char *ent_datadir(const struct ent_built *built);

/* The folder of the message catalogues. */
const char *ent_localedir(const struct ent_built *built);

/* The node's directory: `given` unless NULL, else $ENTENTE_HOME, else
 * $XDG_DATA_HOME/entente, else ~/.local/share/entente. ENT_EUSAGE: none of
 * them is set, or too long. */
ENT_NODISCARD int ent_home(const char *given, char home[ENT_PATH_MAX],
                           struct ent_err *err);

/* Have the names in a directory outlive a power cut: after files were made or
 * renamed there, and before that is told to anybody. ENT_ESTORE. */
ENT_NODISCARD int ent_dir_sync(const char *dir, struct ent_err *err);

/* The same for what stands in a file. ENT_ESTORE. */
ENT_NODISCARD int ent_file_sync(const char *path, struct ent_err *err);

#endif
