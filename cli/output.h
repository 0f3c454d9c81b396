/* output.h - what a command prints, in a file: all of it or nothing. It grows
 * under another name beside the file and takes its place when it is whole and
 * on disk, so a broken-off export never replaces a good one. */
#ifndef ENT_CLI_OUTPUT_H
#define ENT_CLI_OUTPUT_H

#include "base/err.h"
#include "cli/out.h"
#include "text/datadir.h"

struct output {
    const char *path; /* NULL: what is printed goes where it goes */
    char growing[ENT_PATH_MAX];
    char real[ENT_PATH_MAX]; /* where a link leads */
};

/* The format that a file's name asks for by its end, in small letters or
 * capitals; OUT_AUTO: none. */
enum out_format output_format(const char *path);

/* Lets stdout be the file that grows; where `path` is a symbolic link, beside
 * the file it leads to. ENT_EFAIL: it cannot be made; ENT_EUSAGE: it has no
 * name, is no plain file, a link to none, or one of the node in `home`. */
ENT_NODISCARD int output_begin(struct output *output, const char *path,
                               const char *home, struct ent_err *err);

/* Gives it its name, or with `keep` false forgets it. */
ENT_NODISCARD int output_end(struct output *output, bool keep,
                             struct ent_err *err);

#endif
