/* meta.c - see meta.h. */
#include "store/meta.h"

#include <inttypes.h>

static bool is_set_of(const struct ent_kind *kind, uint32_t number)
{
    const struct ent_field *field = ent_field_find(kind, number);

    return field != NULL && field->rule == ENT_RULE_SET;
}

static bool is_set(const struct ent_table *table, uint32_t number)
{
    return table != NULL && is_set_of(table->kind, number);
}

/* ------------------------------------------------------------------ packed */

static bool read_n(const uint8_t **at, const uint8_t *end, int64_t *n)
{
    uint64_t o;
    uint64_t seq;

    if (!ent_varint_read(at, end, &o) || !ent_varint_read(at, end, &seq) ||
        o >= (uint64_t)1 << (63 - ENT_SEQ_BITS) || seq > ENT_SEQ_MAX)
        return false;
    *n = ent_n((int64_t)o, (int64_t)seq);
    return true;
}

void ent_meta_put_n(struct ent_buf *buf, int64_t n)
{
    ent_buf_put_varint(buf, (uint64_t)ent_n_o(n));
    ent_buf_put_varint(buf, (uint64_t)ent_n_seq(n));
}

static bool read_group(const uint8_t **at, const uint8_t *end,
                       struct ent_state *state, struct ent_meta_group *group)
{
    uint64_t field;
    uint64_t count;
    bool set;

    if (!ent_varint_read(at, end, &field) ||
        !ent_varint_read(at, end, &count) || field > ENT_FIELD_MAX ||
        count > (uint64_t)(end - *at))
        return false;
    group->field = (uint32_t)field;
    group->count = count;
    group->dots = ENT_ARENA_NEW(state->arena, struct ent_meta_dot, count);
    if (group->dots == NULL && count > 0)
        return false;
    set = is_set(state->table, group->field);
    for (size_t i = 0; i < count; i++) {
        uint64_t ordinal = 0;
        uint64_t place = 0;

        if (!read_n(at, end, &group->dots[i].n))
            return false;
        if (set && (!ent_varint_read(at, end, &ordinal) ||
                    !ent_varint_read(at, end, &place)))
            return false;
        group->dots[i].ordinal = (uint32_t)ordinal;
        group->dots[i].at = (uint32_t)place;
    }
    return true;
}

bool ent_meta_read(struct ent_state *state, struct ent_slice meta)
{
    const uint8_t *at = meta.at;
    const uint8_t *end = meta.at + meta.len;
    /* A group takes two bytes at least. */
    size_t room = meta.len / 2 + ent_meta_room(state->table->kind);

    state->groups = ENT_ARENA_NEW(state->arena, struct ent_meta_group, room);
    if (state->groups == NULL || !read_n(&at, end, &state->usual))
        return false;
    while (at < end)
        if (!read_group(&at, end, state, &state->groups[state->group_count++]))
            return false;
    return true;
}

static bool put_group(const uint8_t **at, const uint8_t *end,
                      const struct ent_kind *kind, struct ent_buf *json)
{
    uint64_t field;
    uint64_t count;

    if (!ent_varint_read(at, end, &field) ||
        !ent_varint_read(at, end, &count) || field > ENT_FIELD_MAX ||
        count > (uint64_t)(end - *at))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t skipped;
        int64_t n;

        if (!read_n(at, end, &n))
            return false;
        if (is_set_of(kind, (uint32_t)field) &&
            (!ent_varint_read(at, end, &skipped) ||
             !ent_varint_read(at, end, &skipped)))
            return false;
        ent_buf_printf(json, ", %" PRId64, n);
    }
    return true;
}

bool ent_meta_put_writes(const struct ent_kind *kind, struct ent_slice meta,
                         struct ent_buf *json)
{
    const uint8_t *at = meta.at;
    const uint8_t *end = meta.at + meta.len;
    int64_t n;

    if (!read_n(&at, end, &n))
        return false;
    ent_buf_printf(json, "[%" PRId64, n);
    while (at < end)
        if (!put_group(&at, end, kind, json))
            return false;
    ent_buf_put_u8(json, ']');
    return true;
}

void ent_meta_put(const struct ent_state *state, struct ent_buf *buf)
{
    ent_meta_put_n(buf, state->usual);
    for (size_t i = 0; i < state->group_count; i++) {
        const struct ent_meta_group *group = &state->groups[i];
        bool set = is_set(state->table, group->field);

        ent_buf_put_varint(buf, group->field);
        ent_buf_put_varint(buf, group->count);
        for (size_t j = 0; j < group->count; j++) {
            ent_meta_put_n(buf, group->dots[j].n);
            if (set) {
                ent_buf_put_varint(buf, group->dots[j].ordinal);
                ent_buf_put_varint(buf, group->dots[j].at);
            }
        }
    }
}

/* ------------------------------------------------------------------ groups */

struct ent_meta_group *ent_meta_find(struct ent_state *state, uint32_t field)
{
    for (size_t i = 0; i < state->group_count; i++)
        if (state->groups[i].field == field)
            return &state->groups[i];
    return NULL;
}

void ent_meta_drop(struct ent_state *state, uint32_t field)
{
    struct ent_meta_group *group = ent_meta_find(state, field);

    if (group != NULL)
        *group = state->groups[--state->group_count];
}

struct ent_meta_group *ent_meta_make(struct ent_state *state, uint32_t field,
                                     size_t count)
{
    struct ent_meta_group *group = ent_meta_find(state, field);

    if (group == NULL)
        group = &state->groups[state->group_count++];
    group->field = field;
    group->count = count;
    group->dots = ENT_ARENA_NEW(state->arena, struct ent_meta_dot, count);
    if (group->dots != NULL || count == 0)
        return group;
    group->count = 0; /* the arena remembers that it failed */
    return NULL;
}
