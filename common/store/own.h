/* own.h - fields that a space gives a kind beside the shipped ones (rule L6):
 * defined in its roster by the chair, merged by their operations like all. */
#ifndef ENT_STORE_OWN_H
#define ENT_STORE_OWN_H

#include "store/store.h"

/* A field of a kind, by number or by name: a shipped one, or else the space's
 * own. NULL: there is none. Own ones live until the space's roster changes. */
const struct ent_field *ent_space_field(struct ent_store *store, int64_t space,
                                        const struct ent_kind *kind,
                                        uint32_t number);
const struct ent_field *ent_space_field_named(struct ent_store *store,
                                              int64_t space,
                                              const struct ent_kind *kind,
                                              const char *name);

/* An own field, whose it is, and of which kind. */
struct ent_own {
    int64_t space;
    uint32_t kind;
    struct ent_field field;
};

/* The own fields of all spaces, by space and in the order in which they were
 * defined; all of it lives in `arena`. */
ENT_NODISCARD int ent_own_fields(struct ent_store *store,
                                 struct ent_arena *arena, struct ent_own **list,
                                 size_t *count, struct ent_err *err);

/* Define an own field (chair only). Its number is chosen here, at random above
 * the shipped ones; when the space has one of that name it keeps its number and
 * its type, and what else is said of it changes. ENT_EUSAGE: a name that does
 * not fit or is a shipped field's, another type, a list, kinds or labels that
 * are missing or too long, or too many fields. */
ENT_NODISCARD int ent_own_field_define(struct ent_store *store, int64_t space,
                                       const struct ent_kind *kind,
                                       const struct ent_field *field,
                                       int64_t now_ms, struct ent_err *err);

/* Whether it could be defined; nothing is written. */
ENT_NODISCARD int ent_own_field_check(struct ent_store *store, int64_t space,
                                      const struct ent_kind *kind,
                                      const struct ent_field *field,
                                      struct ent_err *err);

#endif
