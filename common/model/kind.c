/* kind.c - see kind.h. */
#include "model/kind.h"

#include <string.h>

void ent_kinds_fini(struct ent_kinds *kinds)
{
    ent_arena_fini(&kinds->arena);
    *kinds = (struct ent_kinds){0};
}

bool ent_kind_is_owned(uint32_t number)
{
    return number == ENT_KIND_MESSAGE ||
           (number >= ENT_KIND_OWNED_FIRST && number <= ENT_KIND_OWNED_LAST);
}

const struct ent_kind *ent_kind_find(const struct ent_kinds *kinds,
                                     uint32_t number)
{
    size_t low = 0;
    size_t high = kinds->count;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (kinds->kinds[mid].number < number)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < kinds->count && kinds->kinds[low].number == number)
        return &kinds->kinds[low];
    return NULL;
}

const struct ent_kind *ent_kind_named(const struct ent_kinds *kinds,
                                      const char *name)
{
    for (size_t i = 0; i < kinds->count; i++)
        if (strcmp(kinds->kinds[i].name, name) == 0)
            return &kinds->kinds[i];
    return NULL;
}

const struct ent_field *ent_field_find(const struct ent_kind *kind,
                                       uint32_t number)
{
    size_t low = 0;
    size_t high = kind->field_count;

    /* Shipped definitions count their fields from 1 without gaps. */
    if (number - 1 < high && kind->fields[number - 1].number == number)
        return &kind->fields[number - 1];
    while (low < high) {
        size_t mid = (low + high) / 2;

        if (kind->fields[mid].number < number)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < kind->field_count && kind->fields[low].number == number)
        return &kind->fields[low];
    return NULL;
}

const struct ent_field *ent_field_named(const struct ent_kind *kind,
                                        const char *name)
{
    for (size_t i = 0; i < kind->field_count; i++)
        if (strcmp(kind->fields[i].name, name) == 0)
            return &kind->fields[i];
    return NULL;
}

bool ent_field_name_fits(struct ent_slice name)
{
    if (name.len == 0 || name.len > ENT_FIELD_NAME_MAX || name.at[0] < 'a' ||
        name.at[0] > 'z')
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!(name.at[i] >= 'a' && name.at[i] <= 'z') &&
            !(name.at[i] >= '0' && name.at[i] <= '9') && name.at[i] != '_')
            return false;
    return true;
}

size_t ent_field_at(const struct ent_kind *kind, const struct ent_field *field)
{
    return (size_t)(field - kind->fields);
}

const struct ent_field *ent_field_common(uint32_t number)
{
    static const struct ent_field same = {
        .number = ENT_FIELD_SAME,
        .name = "same_as",
        .type = ENT_TYPE_REF,
        .rule = ENT_RULE_REGISTER,
        .loud = ENT_LOUD_QUIET,
        .personal = ENT_PERSONAL_NO,
        .label = {[ENT_LANG_EN] = "Same as", [ENT_LANG_FR] = "Identique à"},
    };
    static const struct ent_field archived = {
        .number = ENT_FIELD_ARCHIVED,
        .name = "archived",
        .type = ENT_TYPE_INTEGER,
        .rule = ENT_RULE_REGISTER,
        .loud = ENT_LOUD_QUIET,
        .personal = ENT_PERSONAL_NO,
        .label = {[ENT_LANG_EN] = "Archived", [ENT_LANG_FR] = "Archivée"},
    };

    if (number == ENT_FIELD_SAME)
        return &same;
    return number == ENT_FIELD_ARCHIVED ? &archived : NULL;
}

bool ent_kind_is_listed(const char *targets, const char *name)
{
    const size_t len = strlen(name);

    while (targets != NULL && *targets != '\0') {
        size_t part = strcspn(targets, "|");

        if (part == len && strncmp(targets, name, len) == 0)
            return true;
        targets += part + (targets[part] == '|');
    }
    return false;
}
