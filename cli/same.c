/* same.c - see same.h. */
#include "cli/same.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fields.h"
#include "cli/look.h"
#include "store/query.h"
#include "text/parse.h"

struct same_name {
    uint32_t kind;
    const char *name;
    const char *shown;
};

/* -------------------------------------------------------------------- leads */

static void put_lead(const struct ent_same *list, size_t count,
                     struct ent_record_ref *ref)
{
    const struct ent_same *same = ent_same_find(list, count, ref);

    if (same != NULL && same->live)
        ref->id = same->lead;
}

int same_lead(struct cmd_ctx *ctx, struct ent_record_ref *ref)
{
    size_t one = 1;

    return same_reduce(ctx, ref, &one);
}

static bool is_same_ref(const struct ent_record_ref *a,
                        const struct ent_record_ref *b)
{
    return a->space == b->space && a->kind == b->kind &&
           ent_id_equal(&a->id, &b->id);
}

int same_reduce(struct cmd_ctx *ctx, struct ent_record_ref *refs, size_t *count)
{
    struct ent_arena arena = {0};
    struct ent_same *list;
    size_t joined;
    size_t kept = 0;
    int rc = ent_same_list(ctx->store, &arena, &list, &joined, &ctx->err);

    for (size_t i = 0; rc == 0 && joined > 0 && i < *count; i++) {
        bool again = false;

        put_lead(list, joined, &refs[i]);
        for (size_t j = 0; j < kept; j++)
            again = again || is_same_ref(&refs[j], &refs[i]);
        if (!again)
            refs[kept++] = refs[i];
    }
    if (rc == 0 && joined > 0)
        *count = kept;
    ent_arena_fini(&arena);
    return rc;
}

int same_members(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                 struct ent_arena *arena, struct ent_record_ref **members,
                 size_t *count)
{
    const struct ent_same *same;
    struct ent_same *list;
    size_t joined;
    int rc = ent_same_list(ctx->store, arena, &list, &joined, &ctx->err);

    if (rc < 0)
        return rc;
    *members = ENT_ARENA_NEW(arena, struct ent_record_ref, joined + 1);
    if (*members == NULL)
        return cmd_no_memory(ctx);
    *count = 0;
    same = ent_same_find(list, joined, ref);
    /* They are listed by id, and the lead has the lowest. */
    for (size_t i = 0; same != NULL && same->live && i < joined; i++)
        if (list[i].live && list[i].ref.space == ref->space &&
            list[i].ref.kind == ref->kind &&
            ent_id_equal(&list[i].lead, &same->lead))
            (*members)[(*count)++] = list[i].ref;
    if (*count == 0)
        (*members)[(*count)++] = *ref;
    return 0;
}

/* ------------------------------------------------------------------ one record
 */

static bool has_value(const struct ent_shown *writes, size_t count,
                      uint32_t field)
{
    for (size_t i = 0; i < count; i++)
        if (writes[i].field == field &&
            (writes[i].missing || writes[i].value.type != ENT_VALUE_NIL))
            return true;
    return false;
}

/* Whether a write of another record of the group is taken over. */
static bool is_wanted(struct cmd_ctx *ctx, const struct ent_kind *kind,
                      const struct ent_record *record, size_t standing,
                      const struct ent_shown *write)
{
    const struct ent_field *field;

    if (write->field == ENT_FIELD_LIFE ||
        ent_field_common(write->field) != NULL)
        return false;
    field = fields_find(ctx, kind, record->ref.space, write->field);
    return (field != NULL && field->rule == ENT_RULE_SET) ||
           !has_value(record->writes, standing, write->field);
}

static int by_field(const void *a, const void *b)
{
    const struct ent_shown *const *x = a;
    const struct ent_shown *const *y = b;

    if ((*x)->field != (*y)->field)
        return (*x)->field < (*y)->field ? -1 : 1;
    return (*x > *y) - (*x < *y);
}

/* An emptied register of the lead gives way to a value that was taken over;
 * beside a value of its own it is a side of a conflict. */
static bool gives_way(const struct ent_record *record, size_t own,
                      const struct ent_shown *write)
{
    return write->field != ENT_FIELD_LIFE && !write->missing &&
           write->value.type == ENT_VALUE_NIL &&
           !has_value(record->writes, own, write->field) &&
           has_value(record->writes, record->write_count, write->field);
}

/* Writes stand in the order of their fields, and within one as they came. The
 * first `own` are the lead's. */
static int sort_writes(struct cmd_ctx *ctx, struct ent_record *record,
                       size_t own)
{
    size_t count = record->write_count;
    size_t kept = 0;
    const struct ent_shown **order =
        ENT_ARENA_NEW(&record->arena, const struct ent_shown *, count + 1);
    struct ent_shown *sorted =
        ENT_ARENA_NEW(&record->arena, struct ent_shown, count + 1);

    if (order == NULL || sorted == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; i < count; i++)
        order[i] = &record->writes[i];
    qsort(order, count, sizeof(const struct ent_shown *), by_field);
    for (size_t i = 0; i < count; i++)
        if (!gives_way(record, own, order[i]))
            sorted[kept++] = *order[i];
    record->writes = sorted;
    record->write_count = kept;
    return 0;
}

/* Append what `other` has and `record` has not. */
static int take_over(struct cmd_ctx *ctx, const struct ent_kind *kind,
                     struct ent_record *record, const struct ent_record *other)
{
    size_t standing = record->write_count;
    struct ent_shown *writes = ENT_ARENA_NEW(&record->arena, struct ent_shown,
                                             standing + other->write_count + 1);

    if (writes == NULL)
        return cmd_no_memory(ctx);
    memcpy(writes, record->writes, standing * sizeof(*writes));
    record->writes = writes;
    for (size_t i = 0; i < other->write_count; i++) {
        struct ent_shown *made = &writes[record->write_count];

        if (!is_wanted(ctx, kind, record, standing, &other->writes[i]))
            continue;
        *made = other->writes[i];
        made->value.bytes = ent_arena_copy(&record->arena, made->value.bytes);
        record->write_count++;
    }
    return record->arena.rc < 0 ? cmd_no_memory(ctx) : 0;
}

int same_read(struct cmd_ctx *ctx, const struct ent_record_ref *members,
              size_t count, struct ent_record *record)
{
    const struct ent_kind *kind = ent_kind_find(&ctx->kinds, members[0].kind);
    int rc = ent_record_read(ctx->store, &members[0], record, &ctx->err);
    size_t own = rc < 0 ? 0 : record->write_count;

    for (size_t i = 1; rc == 0 && kind != NULL && i < count; i++) {
        struct ent_record other = {0};

        rc = ent_record_read(ctx->store, &members[i], &other, &ctx->err);
        if (rc == 0)
            rc = take_over(ctx, kind, record, &other);
        ent_record_fini(&other);
    }
    return rc == 0 && count > 1 ? sort_writes(ctx, record, own) : rc;
}

/* --------------------------------------------------------------- references */

void same_names_fini(struct same_names *names)
{
    ent_arena_fini(&names->arena);
}

static int read_names(struct cmd_ctx *ctx, struct ent_query *query, size_t room,
                      struct same_names *names)
{
    int rc;

    names->list = ENT_ARENA_NEW(&names->arena, struct same_name, room + 1);
    if (names->list == NULL)
        return cmd_no_memory(ctx);
    while ((rc = ent_query_next(query, &ctx->err)) > 0 && names->count < room)
        names->list[names->count++] = (struct same_name){
            .kind = (uint32_t)ent_query_int(query, 0),
            .name = ent_arena_str(&names->arena, ent_query_text(query, 1)),
            .shown = ent_arena_str(&names->arena, ent_query_text(query, 2)),
        };
    if (rc >= 0 && names->arena.rc < 0)
        rc = cmd_no_memory(ctx);
    return rc < 0 ? rc : 0;
}

int same_names_load(struct cmd_ctx *ctx, int64_t space,
                    struct same_names *names)
{
    struct ent_query *query = NULL;
    struct ent_same *list;
    char text[24];
    size_t count;
    int rc = ent_same_list(ctx->store, &names->arena, &list, &count, &ctx->err);

    if (rc < 0 || count == 0)
        return rc;
    rc = ent_query_open(ctx->store,
                        "SELECT kind, name, shown FROM temp.same_name"
                        " WHERE CAST(:space AS INTEGER) IN (0, space)",
                        &query, &ctx->err);
    if (rc < 0)
        return rc;
    snprintf(text, sizeof(text), "%lld", (long long)space);
    ent_query_bind(query, ":space", text);
    /* At most a code and an id for each. */
    rc = read_names(ctx, query, 2 * count, names);
    ent_query_close(query);
    return rc;
}

const char *same_shown(struct cmd_ctx *ctx, const struct same_names *names,
                       const struct ent_field *field, const char *text)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct ent_kind *kind =
            ent_kind_find(&ctx->kinds, names->list[i].kind);

        if (kind != NULL && ent_kind_is_listed(field->targets, kind->name) &&
            strcmp(names->list[i].name, text) == 0)
            return names->list[i].shown;
    }
    return NULL;
}

static void follow(struct cmd_ctx *ctx, const struct same_names *names,
                   const struct ent_field *field, struct ent_arena *arena,
                   struct ent_value *value)
{
    struct ent_buf text = {0};
    const char *shown = NULL;

    ent_value_print(value, &text);
    if (ent_buf_cstr(&text) != NULL)
        shown = same_shown(ctx, names, field, ent_buf_cstr(&text));
    if (shown != NULL)
        *value = ent_value_text(ent_arena_copy(arena, ent_slice_str(shown)));
    ent_buf_fini(&text);
}

int same_follow(struct cmd_ctx *ctx, const struct ent_kind *kind,
                struct ent_record *record)
{
    struct same_names names = {0};
    int rc = same_names_load(ctx, record->ref.space, &names);

    for (size_t i = 0; rc == 0 && names.count > 0 && i < record->write_count;
         i++) {
        struct ent_shown *write = &record->writes[i];
        const struct ent_field *field =
            fields_find(ctx, kind, record->ref.space, write->field);

        if (field != NULL && field->type == ENT_TYPE_REF && !write->missing &&
            write->value.type != ENT_VALUE_NIL &&
            field->number != ENT_FIELD_SAME)
            follow(ctx, &names, field, &record->arena, &write->value);
    }
    if (rc == 0 && record->arena.rc < 0)
        rc = cmd_no_memory(ctx);
    same_names_fini(&names);
    return rc;
}
