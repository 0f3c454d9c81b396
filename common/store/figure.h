/* figure.h - contested figures and days, for queries. The column of a register
 * shows one of its values; a sum over such columns would silently take a side.
 * These SQL functions give both ends instead:
 *
 *   ent_low(field, space, id, shown)    the least and the greatest of the
 *   ent_high(field, space, id, shown)   values that stand
 *   ent_range(low, high)                one of them, or both: '24-26',
 *                                       '2018-07-20/2018-08-01'
 *
 * `field` names a kind and its field ('training.participants'); `shown` is what
 * the column shows, and what is given when nobody contests it, which for a
 * field that is `quiet` is never. Of merged records (M11) the one counts whose
 * value is shown. */
#ifndef ENT_STORE_FIGURE_H
#define ENT_STORE_FIGURE_H

#include "model/kind.h"
#include "store/db.h"

/* Start from zeros; for as long as the connection's functions are called. */
struct ent_figures {
    struct ent_db *db;
    const struct ent_kinds *kinds;
    struct ent_stmt standing;
};

/* Make the functions known to the connection, which is the replica's. */
ENT_NODISCARD int ent_figures_define(struct ent_figures *figures,
                                     struct ent_db *db,
                                     const struct ent_kinds *kinds,
                                     struct ent_err *err);
void ent_figures_fini(struct ent_figures *figures);

#endif
