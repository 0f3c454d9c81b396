/* follow.h - changes as they come into a replica, whoever writes them there:
 * one step for each field, with what stood before. What is quarantined counts
 * nowhere and is passed over. */
#ifndef ENT_STORE_FOLLOW_H
#define ENT_STORE_FOLLOW_H

#include "store/records.h"

enum ent_step_what {
    ENT_STEP_CREATED, /* the record was not there before, to its author */
    ENT_STEP_WRITTEN, /* a register; an emptied one has a value of NIL */
    ENT_STEP_ADDED,   /* an element of a set */
    ENT_STEP_REMOVED,
    ENT_STEP_DELETED,
    ENT_STEP_UNDELETED,
    ENT_STEP_ERASED, /* for good, by its owner (E1) */
};

struct ent_step {
    enum ent_step_what what;
    struct ent_record_ref ref;
    struct ent_key author;
    int64_t claimed_ms;
    uint32_t field;         /* 0 when it is about the whole record */
    bool in_creation;       /* written by the change that made the record */
    struct ent_value value; /* of WRITTEN, ADDED and REMOVED */
    bool missing;           /* its payload is not here (E3) */
    const struct ent_value *was; /* of WRITTEN: the different values replaced */
    size_t was_count;
};

struct ent_follow;

/* From now on, in one space or all of them (0). The store outlives it. */
ENT_NODISCARD int ent_follow_open(struct ent_store *store, int64_t space,
                                  struct ent_follow **follow,
                                  struct ent_err *err);
void ent_follow_close(struct ent_follow *follow);

/* The next step: 1, or 0 when there is nothing new. It lives until the next
 * call. Cheap when no other process has committed. */
ENT_NODISCARD int ent_follow_next(struct ent_follow *follow,
                                  const struct ent_step **step,
                                  struct ent_err *err);

#endif
