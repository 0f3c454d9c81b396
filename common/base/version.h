/* version.h - versions of the program, as numbers that can be compared. */
#ifndef ENT_BASE_VERSION_H
#define ENT_BASE_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

#define ENT_VERSION_PARTS 3
#define ENT_VERSION_PART_MAX 9999
#define ENT_VERSION_TEXT 16 /* longest, with its end */

/* Major, minor, patch. */
struct ent_version {
    uint32_t part[ENT_VERSION_PARTS];
};

/* This program's. */
struct ent_version ent_version_own(void);
/* "1", "1.2" or "1.2.3": what is not there is 0. False: anything else. */
ENT_NODISCARD bool ent_version_parse(const char *text,
                                     struct ent_version *version);
void ent_version_put(const struct ent_version *version,
                     char text[ENT_VERSION_TEXT]);
/* Below 0, 0 or above, as memcmp. */
int ent_version_cmp(const struct ent_version *a, const struct ent_version *b);

#endif
