/* meta.h - column `meta` of a row: which entries the row's values come from,
 * and which fields stand in table `cell`. Its form is drawn in table.h. */
#ifndef ENT_STORE_META_H
#define ENT_STORE_META_H

#include "store/state.h"

struct ent_meta_dot {
    int64_t n;
    uint32_t ordinal;
    uint32_t at; /* a set: place in the JSON array */
};

struct ent_meta_group {
    uint32_t field;
    struct ent_meta_dot *dots;
    size_t count; /* 0: the field stands in table `cell` */
};

/* Unpack a row's meta into the state; false when it is damaged or memory ran
 * out, which the arena tells. There is room for one more group per field. */
bool ent_meta_read(struct ent_state *state, struct ent_slice meta);
void ent_meta_put(const struct ent_state *state, struct ent_buf *buf);
/* Groups that a row of the kind may come to have: one a field, and life. */
static inline size_t ent_meta_room(const struct ent_kind *kind)
{
    return kind->field_count + 1;
}

/* The entries that a row's meta names, as a JSON array of their places in the
 * log; false when it is damaged. */
bool ent_meta_put_writes(const struct ent_kind *kind, struct ent_slice meta,
                         struct ent_buf *json);

/* One entry number as meta has it; alone it is the meta of a row whose values
 * all come from that entry. */
void ent_meta_put_n(struct ent_buf *buf, int64_t n);

/* The group of a field, NULL when it has the usual one. */
struct ent_meta_group *ent_meta_find(struct ent_state *state, uint32_t field);
void ent_meta_drop(struct ent_state *state, uint32_t field);
/* A group with room for `count` dots, replacing the one there was; NULL
 * without memory, which sticks in the arena. */
struct ent_meta_group *ent_meta_make(struct ent_state *state, uint32_t field,
                                     size_t count);

/* ---------------------------- one field of a row (state_load.c, state_save.c)
 */

/* Load life and `state->one` from what the row has. False when they do not
 * stand in it alone, when it is damaged, and when memory ran out. */
bool ent_row_load_one(struct ent_state *state, struct ent_slice meta,
                      sqlite3_value *column);
/* Bring the state's meta up to its cells. False when the row cannot hold them:
 * the state is spoilt then. */
bool ent_row_save_one(struct ent_state *state);

#endif
