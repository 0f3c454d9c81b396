/* marks.h - what a node keeps to itself about its people: which messages they
 * read. It never leaves the node. */
#ifndef ENT_STORE_MARKS_H
#define ENT_STORE_MARKS_H

#include "store/records.h"

/* These messages were read here; some may be marked already. One
 * transaction. */
ENT_NODISCARD int ent_read_mark(struct ent_store *store,
                                const struct ent_record_ref *refs, size_t count,
                                struct ent_err *err);

#endif
