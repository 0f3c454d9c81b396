/* said.h - the body of a signed frontier as bytes (rule S10). */
#ifndef ENT_CODEC_SAID_H
#define ENT_CODEC_SAID_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"
#include "base/limits.h"

/* Together with a batch it fits in one message. */
#define ENT_FRONTIER_HEADS_MAX 8192
#define ENT_FRONTIER_BYTES_MAX (640 << 10)

struct ent_frontier_head {
    struct ent_key author;
    struct ent_id origin;
    uint64_t seq;
    struct ent_hash8 hash;
};

struct ent_frontier {
    struct ent_id space;
    struct ent_key key; /* of the node that says it */
    uint64_t counter;   /* goes up with every frontier it signs */
    int64_t time_ms;    /* a claim */
    uint64_t roster_pos;
    struct ent_hash8 roster_hash;
    struct ent_frontier_head *heads; /* ascending by author, origin, seq */
    size_t head_count;
    uint64_t erased_pos; /* roster position up to which erasures are done */
    char endpoints[ENT_ENDPOINTS_MAX][ENT_ENDPOINT_MAX + 1];
    size_t endpoint_count;
};

void ent_frontier_put(struct ent_buf *buf, const struct ent_frontier *frontier);

/* Heads are allocated in `arena`. ENT_EREFUSED: not of this form. */
ENT_NODISCARD int ent_frontier_get(struct ent_slice bytes,
                                   struct ent_arena *arena,
                                   struct ent_frontier *frontier,
                                   struct ent_err *err);

#endif
