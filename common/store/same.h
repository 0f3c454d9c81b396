/* same.h - records that people found to be one and the same (rule M11).
 * Field 999 of a record, `same_as`, names another one of its kind and space by
 * id. Whatever stands in such a register joins the two, whichever of them it
 * was written on, and joins of joins are one group; so the order in which
 * merges were made, and merges made apart, end the same on every replica.
 * Nothing is moved: each record keeps its values. Of a group those that live
 * are shown as one under their lowest id, which leads. */
#ifndef ENT_STORE_SAME_H
#define ENT_STORE_SAME_H

#include "store/db.h"
#include "store/records.h"
#include "store/sharing.h"

/* A record of a group that is shown under one id. */
struct ent_same {
    struct ent_record_ref ref;
    struct ent_id lead;
    bool live; /* else it is deleted, and only references still name it */
};

/* Every record of every group in which one lives, by space, kind and id; in
 * `arena`. Cheap when nobody has joined any. */
ENT_NODISCARD int ent_same_list(struct ent_store *store,
                                struct ent_arena *arena, struct ent_same **list,
                                size_t *count, struct ent_err *err);

/* The group of one record by id, also when none of it lives (then `lead` is
 * zero); of a record that is alone none. In `arena`. */
ENT_NODISCARD int ent_same_group(struct ent_store *store,
                                 const struct ent_record_ref *ref,
                                 struct ent_arena *arena,
                                 struct ent_same **list, size_t *count,
                                 struct ent_err *err);

/* What the list says of one record; NULL: it stands for itself. */
const struct ent_same *ent_same_find(const struct ent_same *list, size_t count,
                                     const struct ent_record_ref *ref);

/* A write of `same_as` that a plan consists of. */
struct ent_same_write {
    struct ent_id id;
    struct ent_id to; /* zero: the field is emptied */
};

/* The write that joins two records. It replaces no join that matters and goes
 * to a record that this node may change; the list is empty when they are one
 * already. ENT_EUSAGE: they are not of one kind and space, or one and the
 * same. ENT_EDENIED: no record in question may be changed here (M9). */
ENT_NODISCARD int ent_same_plan_join(struct ent_store *store,
                                     const struct ent_record_ref *a,
                                     const struct ent_record_ref *b,
                                     struct ent_arena *arena,
                                     struct ent_same_write **writes,
                                     size_t *count, struct ent_err *err);

/* The writes that take one record out of its group and leave the others
 * joined; none when nothing stands on it and nothing names it. */
ENT_NODISCARD int ent_same_plan_part(struct ent_store *store,
                                     const struct ent_record_ref *ref,
                                     struct ent_arena *arena,
                                     struct ent_same_write **writes,
                                     size_t *count, struct ent_err *err);

/* Which records a query is shown (sharing.h): a group goes as far as all of it
 * may. `left_out` is set to how many there are besides in the tables that the
 * query names. */
struct ent_same_limit {
    enum ent_sharing sharing;
    struct ent_own *own; /* fields of all spaces; nobody looks when all go */
    size_t own_count;
    size_t left_out;
};

/* Show groups as one record to the query `sql`, on a connection that only
 * reads: the tables of the kinds concerned that it names are covered by views
 * of the same name. A group's row has the
 * lead's values, those the lead does not have from the next, and the elements
 * of all its sets; references by code or id lead to it. The tables themselves
 * are there as main.TABLE. Functions of query.c must be known by then. */
ENT_NODISCARD int ent_same_cover(struct ent_db *db,
                                 const struct ent_kinds *kinds, const char *sql,
                                 struct ent_same_limit *limit,
                                 struct ent_err *err);

/* The list, on a connection of one's own. */
ENT_NODISCARD int ent_same_read(struct ent_db *db,
                                const struct ent_kinds *kinds,
                                struct ent_arena *arena, struct ent_same **list,
                                size_t *count, struct ent_err *err);

#endif
