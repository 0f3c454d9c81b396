/* sharing.h - how far records may be passed on. A kind's field `sharing`, its
 * own or one that a space gave it, says so: private < group < network < public.
 * A record that does not say is the group's: it has come to every member of its
 * space, and nobody has said that it may go further. Of concurrent values the
 * narrowest is in force. */
#ifndef ENT_STORE_SHARING_H
#define ENT_STORE_SHARING_H

#include "base/bytes.h"
#include "model/kind.h"
#include "store/own.h"

#define ENT_SHARING_FIELD "sharing"

enum ent_sharing {
    ENT_SHARING_PRIVATE, /* all there is */
    ENT_SHARING_GROUP,
    ENT_SHARING_NETWORK,
    ENT_SHARING_PUBLIC,
};

/* By its code; false when there is no such level. */
bool ent_sharing_parse(const char *code, enum ent_sharing *sharing);

/* Append, as a condition, that the row `row` of the kind's table may be passed
 * on at least so widely; `own` are the own fields of all spaces. */
void ent_sharing_put(struct ent_buf *sql, const struct ent_kind *kind,
                     const struct ent_own *own, size_t own_count,
                     const char *row, enum ent_sharing sharing);

#endif
