/* version.c - see version.h. ENT_PROGRAM is the version in meson.build. */
#include "base/version.h"

#include <stddef.h>
#include <stdio.h>

struct ent_version ent_version_own(void)
{
    struct ent_version version;
    bool is = ent_version_parse(ENT_PROGRAM, &version);

    ENT_ASSERT(is);
    return version;
}

bool ent_version_parse(const char *text, struct ent_version *version)
{
    *version = (struct ent_version){{0}};
    for (size_t i = 0; i < ENT_VERSION_PARTS; i++) {
        uint32_t *part = &version->part[i];

        if (*text < '0' || *text > '9')
            return false;
        for (; *text >= '0' && *text <= '9'; text++) {
            *part = 10 * *part + (uint32_t)(*text - '0');
            if (*part > ENT_VERSION_PART_MAX)
                return false;
        }
        if (*text == '\0')
            return true;
        if (*text++ != '.')
            return false;
    }
    return false;
}

void ent_version_put(const struct ent_version *version,
                     char text[ENT_VERSION_TEXT])
{
    snprintf(text, ENT_VERSION_TEXT, "%u.%u.%u",
             (unsigned)version->part[0] % (ENT_VERSION_PART_MAX + 1),
             (unsigned)version->part[1] % (ENT_VERSION_PART_MAX + 1),
             (unsigned)version->part[2] % (ENT_VERSION_PART_MAX + 1));
}

int ent_version_cmp(const struct ent_version *a, const struct ent_version *b)
{
    for (size_t i = 0; i < ENT_VERSION_PARTS; i++)
        if (a->part[i] != b->part[i])
            return a->part[i] < b->part[i] ? -1 : 1;
    return 0;
}
