/* catalogue.h - a compiled catalogue (GNU gettext, "The Format of GNU MO
 * Files"): pairs of texts, the first ones sorted. Read here for the names that
 * ISO codes have in French, as the locale of the program is one language at a
 * time. */
#ifndef ENT_CLI_CATALOGUE_H
#define ENT_CLI_CATALOGUE_H

#include <stdint.h>

#include "base/bytes.h"

#define CATALOGUE_BYTES_MAX (1 << 20)
#define CATALOGUE_TEXTS_MAX 20000

/* Start from zeros. */
struct catalogue {
    struct ent_buf bytes;
    uint32_t count, originals, translations;
};

/* A file that is not there, or is no catalogue, is an empty one. */
void catalogue_open(struct catalogue *cat, const char *path);
void catalogue_fini(struct catalogue *cat);

/* Its translation; empty when it has none. */
struct ent_slice catalogue_find(const struct catalogue *cat,
                                struct ent_slice text);

#endif
