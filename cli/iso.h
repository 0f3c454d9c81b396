/* iso.h - what the codes of ISO are called: names of any language to codes.
 * Case and accents do not count. */
#ifndef ENT_CLI_ISO_H
#define ENT_CLI_ISO_H

#include "base/bytes.h"

#define ISO_CODE 4 /* bytes of an alpha-3 code, its NUL included */

struct iso_name {
    struct ent_slice bare; /* without case and accents */
    const char *text;
    char code[ISO_CODE];
};

/* Start from zeros. */
struct iso_names {
    struct iso_name *list; /* by bare, then code, once sorted */
    size_t count;
    size_t cap;
    struct ent_arena arena;
};

void iso_fini(struct iso_names *names);

/* Adds a name; the text as kept, NULL when there is none or no memory. */
const char *iso_put(struct iso_names *names, struct ent_slice text,
                    const char *code);

/* Before anything is asked. */
void iso_sort(struct iso_names *names);

/* The first name that is `text`, and how many of them follow it, itself
 * included, one for each code. NULL: there is none. */
const struct iso_name *iso_find(const struct iso_names *names,
                                struct ent_slice text, size_t *count);

/* The name that is nearest to `text`, NULL when none is near. */
const struct iso_name *iso_near(const struct iso_names *names,
                                struct ent_slice text);

#endif
