/* fields.c - see fields.h. */
#include "cli/fields.h"

#include <string.h>

#include "store/own.h"

int fields_own(struct cmd_ctx *ctx, const struct ent_own **list, size_t *count)
{
    int rc = 0;

    if (ctx->own == NULL && ctx->store != NULL)
        rc = ent_own_fields(ctx->store, &ctx->own_arena, &ctx->own,
                            &ctx->own_count, &ctx->err);
    *list = ctx->own;
    *count = rc == 0 ? ctx->own_count : 0;
    return rc;
}

static bool is_of(const struct ent_own *own, const struct ent_kind *kind,
                  int64_t space)
{
    return own->kind == kind->number && (space == 0 || own->space == space);
}

const struct ent_field *fields_find(struct cmd_ctx *ctx,
                                    const struct ent_kind *kind, int64_t space,
                                    uint32_t number)
{
    const struct ent_field *field = ent_field_find(kind, number);
    const struct ent_own *list;
    size_t count;

    if (ent_field_common(number) != NULL)
        return ent_field_common(number);
    if (field != NULL || number <= ENT_NUMBER_SHIPPED_MAX ||
        fields_own(ctx, &list, &count) < 0)
        return field;
    for (size_t i = 0; i < count; i++)
        if (is_of(&list[i], kind, space) && list[i].field.number == number)
            return &list[i].field;
    return NULL;
}

const struct ent_field *fields_named(struct cmd_ctx *ctx,
                                     const struct ent_kind *kind, int64_t space,
                                     const char *name)
{
    const struct ent_field *field = ent_field_named(kind, name);
    const struct ent_own *list;
    size_t count;

    if (field != NULL || fields_own(ctx, &list, &count) < 0)
        return field;
    for (size_t i = 0; i < count; i++)
        if (is_of(&list[i], kind, space) &&
            strcmp(list[i].field.name, name) == 0)
            return &list[i].field;
    return NULL;
}

const struct ent_field *fields_of(struct cmd_ctx *ctx,
                                  const struct ent_kind *kind, int64_t space,
                                  const struct ent_field *field)
{
    return field->number <= ENT_NUMBER_SHIPPED_MAX
               ? field
               : fields_named(ctx, kind, space, field->name);
}

static bool has_name(const struct ent_field **fields, size_t count,
                     const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i]->name, name) == 0)
            return true;
    return false;
}

int fields_all(struct cmd_ctx *ctx, const struct ent_kind *kind, int64_t space,
               struct ent_arena *arena, const struct ent_field ***fields,
               size_t *count)
{
    const struct ent_field **made;
    const struct ent_own *list;
    size_t own_count;
    size_t n = 0;
    int rc = fields_own(ctx, &list, &own_count);

    if (rc < 0)
        return rc;
    made = ENT_ARENA_NEW(arena, const struct ent_field *,
                         kind->field_count + own_count);
    if (made == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; i < kind->field_count; i++)
        made[n++] = &kind->fields[i];
    for (size_t i = 0; i < own_count; i++)
        if (is_of(&list[i], kind, space) &&
            !has_name(made, n, list[i].field.name))
            made[n++] = &list[i].field;
    *fields = made;
    *count = n;
    return 0;
}
