/* state.h - what stands of one record: its surviving writes, read from the
 * row and from table `cell`, and put back where they belong. The merge itself
 * (apply.c) sees cells only and does not know where they are kept. */
#ifndef ENT_STORE_STATE_H
#define ENT_STORE_STATE_H

#include "store/replica.h"

struct ent_cell {
    uint32_t field;
    uint32_t code; /* ENT_OP_WRITE, ENT_OP_ADD, ENT_OP_LIVE, ENT_OP_DEAD */
    int64_t n;
    uint32_t ordinal;
    struct ent_value value;
    bool missing;  /* the payload is not here */
    size_t stored; /* its place in `stored` of the state + 1; 0: in the row */
};

/* A row of table `cell` that was loaded. */
struct ent_stored_cell {
    uint32_t field, ordinal;
    int64_t n;
    bool stays;
};

struct ent_state {
    int64_t space;
    uint32_t kind;
    struct ent_id id;
    struct ent_table *table;     /* NULL: a kind not known here */
    struct ent_arena *arena;     /* owns everything below; the caller's */
    bool row;                    /* a row stands for it */
    bool outlives;               /* values put into it are copied */
    const struct ent_field *one; /* loaded beside life; NULL: all fields */
    int64_t usual;               /* of the row's meta */
    struct ent_meta_group *groups;
    size_t group_count;
    struct ent_cell *cells; /* no order */
    size_t cell_count, cell_cap;
    struct ent_stored_cell *stored;
    size_t stored_count, stored_cap;
};

/* Read what stands in life and one known field, or in all fields when `one` is
 * NULL. Where there is no row everything is read and `one` becomes NULL. A
 * record nobody wrote has no cells. */
ENT_NODISCARD int ent_state_load(struct ent_store *store, int64_t space,
                                 uint32_t kind, const struct ent_id *id,
                                 const struct ent_field *one,
                                 struct ent_arena *arena,
                                 struct ent_state *state, struct ent_err *err);

/* The cell of that dot, NULL when it does not stand. */
struct ent_cell *ent_state_find(struct ent_state *state, uint32_t field,
                                int64_t n, uint32_t ordinal);
void ent_state_remove(struct ent_state *state, struct ent_cell *cell);
/* ENT_ENOMEM sticks in the arena. */
void ent_state_add(struct ent_state *state, const struct ent_cell *cell);

bool ent_state_live(const struct ent_state *state);

/* Put back every loaded field after cells changed. A record that may have
 * died or come to life must be loaded whole. */
ENT_NODISCARD int ent_state_save(struct ent_store *store,
                                 struct ent_state *state, struct ent_err *err);

/* What becomes of a register and of life in their row. The caller fills in the
 * first three. */
struct ent_row_edit {
    /* Make the new cells of those that stand: one write of `value` in the
     * field, and life. 1: they are made; 0: nothing was done, and the row is
     * left alone; or an error. */
    int (*change)(void *ctx, struct ent_state *state, struct ent_err *err);
    void *ctx;
    const struct ent_value *value; /* nil, or one that fits the column */
    struct ent_state state;
    struct ent_err *err;
    int rc;
};
/* Change field `one`, a register, in the row, which is looked up once. `done`
 * is false, and nothing happened, when the record has no row, when the field or
 * life does not stand in it alone, and when `change` gave 0. */
ENT_NODISCARD int ent_state_edit(struct ent_store *store, int64_t space,
                                 const struct ent_kind *kind,
                                 const struct ent_id *id,
                                 const struct ent_field *one,
                                 struct ent_row_edit *edit, bool *done,
                                 struct ent_err *err);

/* Insert the row of a record that did not exist, written whole by one entry.
 * `inserted` is false, and nothing happened, when there is a row already. */
ENT_NODISCARD int ent_state_insert(struct ent_store *store, int64_t space,
                                   const struct ent_kind *kind, int64_t n,
                                   const struct ent_change *change,
                                   bool *inserted, struct ent_err *err);

/* Whether a creation can take the short way of ent_state_insert: a known kind,
 * every operation a plain write of a value that fits. */
bool ent_state_is_plain(const struct ent_kind *kind,
                        const struct ent_change *change);

/* Order of concurrent values: highest claimed time, then highest entry hash,
 * then highest ordinal first (M2); before that what `field` says is shown first
 * (NULL: nothing). Sorts the cells of one field. */
ENT_NODISCARD int ent_cells_sort(struct ent_store *store,
                                 const struct ent_field *field,
                                 struct ent_cell *cells, size_t count,
                                 struct ent_err *err);

#endif
