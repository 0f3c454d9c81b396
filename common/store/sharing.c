/* sharing.c - see sharing.h. */
#include "store/sharing.h"

#include <string.h>

#include "store/table.h"

static const char *const codes[] = {"private", "group", "network", "public"};

bool ent_sharing_parse(const char *code, enum ent_sharing *sharing)
{
    for (size_t i = 0; i < ENT_ARRAY_LEN(codes); i++)
        if (strcmp(codes[i], code) == 0) {
            *sharing = (enum ent_sharing)i;
            return true;
        }
    return false;
}

/* A code as a number; what is none of them is the group's. */
static void put_level(struct ent_buf *sql, const char *code)
{
    ent_buf_printf(sql, "CASE %s", code);
    for (size_t i = 0; i < ENT_ARRAY_LEN(codes); i++)
        if (i != ENT_SHARING_GROUP)
            ent_buf_printf(sql, " WHEN '%s' THEN %zu", codes[i], i);
    ent_buf_printf(sql, " ELSE %d END", ENT_SHARING_GROUP);
}

static void put_own_level(struct ent_buf *sql, const struct ent_kind *kind,
                          const struct ent_own *own, size_t own_count,
                          const char *row)
{
    ent_buf_put_str(sql, "coalesce((SELECT min(");
    put_level(sql, "ent_value(v.value)");
    ent_buf_printf(sql,
                   ") FROM main.cell v WHERE v.space = %s.space"
                   " AND v.kind = %u AND v.id = %s.id AND v.field IN (-1",
                   row, kind->number, row);
    for (size_t i = 0; i < own_count; i++)
        if (own[i].kind == kind->number &&
            strcmp(own[i].field.name, ENT_SHARING_FIELD) == 0)
            ent_buf_printf(sql, ", %u", own[i].field.number);
    ent_buf_printf(sql, ")), %d)", ENT_SHARING_GROUP);
}

void ent_sharing_put(struct ent_buf *sql, const struct ent_kind *kind,
                     const struct ent_own *own, size_t own_count,
                     const char *row, enum ent_sharing sharing)
{
    const struct ent_field *field = ent_field_named(kind, ENT_SHARING_FIELD);
    struct ent_buf column = {0};

    if (field == NULL) {
        put_own_level(sql, kind, own, own_count, row);
    } else {
        ent_buf_printf(&column, "%s.", row);
        ent_table_quote(&column, field->name);
        if (ent_buf_cstr(&column) == NULL)
            sql->rc = ENT_ENOMEM;
        else
            put_level(sql, ent_buf_cstr(&column));
    }
    ent_buf_printf(sql, " >= %d", (int)sharing);
    ent_buf_fini(&column);
}
