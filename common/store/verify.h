/* verify.h - what the parts of ent_store_verify share: verify.c reads file and
 * rosters, verify_log.c the logs, verify_state.c what follows from them.
 * Nothing outside store/ includes this. */
#ifndef ENT_STORE_VERIFY_H
#define ENT_STORE_VERIFY_H

#include "store/replica.h"
#include "store/seal.h"

/* What the state of one space adds up to. */
struct ent_space_sum {
    int64_t space;
    struct ent_id id;
    struct ent_sum sum;
};

struct ent_verifying {
    struct ent_store *store;
    struct ent_store *fresh; /* in memory: rosters, and all when deep */
    bool deep;
    ent_verify_fn *found;
    void *ctx;
    int count;
    int64_t entries;
    struct ent_space_sum *spaces;
    size_t space_count;
    struct ent_arena arena; /* of one entry or record */
    struct ent_seal seal;
};

/* One finding, translated. */
void ent_verify_say(struct ent_verifying *verifying, const char *fmt, ...)
    ENT_PRINTF(2, 3);

/* A failure to read is a finding too; only memory stops the check. */
ENT_NODISCARD int ent_verify_failure(struct ent_verifying *verifying, int rc,
                                     const struct ent_err *said,
                                     struct ent_err *err);

/* NULL: there is no such space. */
struct ent_space_sum *ent_verify_space(struct ent_verifying *verifying,
                                       int64_t space);

/* Every entry of every log; when deep they are replayed in `fresh`. */
ENT_NODISCARD int ent_verify_logs(struct ent_verifying *verifying,
                                  struct ent_err *err);

/* Every record and the digests; after the logs. */
ENT_NODISCARD int ent_verify_state(struct ent_verifying *verifying,
                                   struct ent_err *err);

#endif
