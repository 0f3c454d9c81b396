/* frontier.c - what the peer holds, as far as it said and was told, and our
 * own frontier to show it (S3). */
#include <stdlib.h>
#include <string.h>

#include "secure/hash.h"
#include "sync/session.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

bool ent_frontier_same_log(const struct ent_frontier_head *a,
                           const struct ent_key *author,
                           const struct ent_id *origin)
{
    return ent_key_equal(&a->author, author) &&
           ent_id_equal(&a->origin, origin);
}

static int add_head(struct pair *pair, const struct ent_frontier_head *head,
                    struct ent_err *err)
{
    if (pair->their_count >= SESSION_HEADS_MAX)
        return 0;
    if (pair->their_count == pair->their_cap) {
        size_t cap = pair->their_cap == 0 ? 16 : 2 * pair->their_cap;
        struct their_head *theirs =
            realloc(pair->theirs, cap * sizeof(*theirs));

        if (theirs == NULL)
            return no_memory(err);
        pair->theirs = theirs;
        pair->their_cap = cap;
    }
    pair->theirs[pair->their_count++] = (struct their_head){.head = *head};
    return 0;
}

/* Of a forked log no head stands for another: one that is told of for long
 * makes room by the lowest. */
static int keep_branch_head(struct pair *pair,
                            const struct ent_frontier_head *head,
                            struct ent_err *err)
{
    struct their_head *lowest = NULL;
    size_t count = 0;

    for (size_t i = 0; i < pair->their_count; i++) {
        struct their_head *theirs = &pair->theirs[i];

        if (!ent_frontier_same_log(&theirs->head, &head->author, &head->origin))
            continue;
        if (theirs->head.seq == head->seq &&
            ent_hash8_equal(&theirs->head.hash, &head->hash))
            return 0;
        if (lowest == NULL || theirs->head.seq < lowest->head.seq)
            lowest = theirs;
        count++;
    }
    if (count < SESSION_BRANCHES_MAX)
        return add_head(pair, head, err);
    *lowest = (struct their_head){.head = *head};
    return 0;
}

int ent_frontier_keep_head(struct ent_engine *engine, struct pair *pair,
                           const struct ent_frontier_head *head,
                           struct ent_err *err)
{
    if (ent_log_forked(engine->store, pair->space, &head->author,
                       &head->origin))
        return keep_branch_head(pair, head, err);
    for (size_t i = 0; i < pair->their_count; i++) {
        struct their_head *theirs = &pair->theirs[i];

        if (!ent_frontier_same_log(&theirs->head, &head->author, &head->origin))
            continue;
        if (ent_hash8_equal(&theirs->head.hash, &head->hash))
            return 0;
        /* A head goes up: a lower one is another branch's. */
        if (theirs->head.seq < head->seq) {
            *theirs =
                (struct their_head){.head = *head, .filled = theirs->filled};
            return 0;
        }
    }
    return add_head(pair, head, err);
}

int ent_frontier_keep(struct pair *pair, const struct ent_frame *frame,
                      bool first, struct ent_err *err)
{
    int rc = 0;

    if (first)
        pair->their_count = 0;
    for (size_t i = 0; rc == 0 && i < frame->head_count; i++)
        rc = add_head(pair, &frame->heads[i], err);
    return rc;
}

const struct ent_frontier_head *ent_frontier_best(const struct pair *pair,
                                                  const struct ent_head *head)
{
    const struct ent_frontier_head *best = NULL;

    for (size_t i = 0; i < pair->their_count; i++) {
        const struct ent_frontier_head *theirs = &pair->theirs[i].head;

        if (ent_frontier_same_log(theirs, &head->author, &head->origin) &&
            (best == NULL || theirs->seq > best->seq))
            best = theirs;
    }
    return best;
}

int ent_frontier_holds(struct ent_engine *engine, const struct pair *pair,
                       const struct ent_head *head, bool *holds,
                       struct ent_err *err)
{
    int rc = 0;

    *holds = false;
    for (size_t i = 0; rc == 0 && !*holds && i < pair->their_count; i++) {
        const struct ent_frontier_head *theirs = &pair->theirs[i].head;
        struct ent_head other = {.author = theirs->author,
                                 .origin = theirs->origin,
                                 .seq = theirs->seq};

        if (!ent_frontier_same_log(theirs, &head->author, &head->origin) ||
            theirs->seq < head->seq)
            continue;
        memcpy(other.hash.b, theirs->hash.b, ENT_HASH8_BYTES);
        if (theirs->seq == head->seq)
            *holds = memcmp(theirs->hash.b, head->hash.b, ENT_HASH8_BYTES) == 0;
        else
            rc = ent_frontier_covers(engine->store, pair->space, &other, head,
                                     holds, err);
    }
    return rc;
}

int ent_frontier_own(struct ent_engine *engine, int64_t space,
                     struct ent_frontier_head **heads, size_t *count,
                     struct ent_err *err)
{
    struct ent_head *own;
    int rc = ent_frontier_read(engine->store, space, &own, count, err);

    if (rc < 0)
        return rc;
    *heads = ENT_ARENA_NEW(&engine->arena, struct ent_frontier_head, *count);
    for (size_t i = 0; i < *count && *heads != NULL; i++)
        (*heads)[i] =
            (struct ent_frontier_head){.author = own[i].author,
                                       .origin = own[i].origin,
                                       .seq = own[i].seq,
                                       .hash = ent_hash_head(&own[i].hash)};
    free(own);
    return *heads == NULL ? no_memory(err) : 0;
}

int ent_frontier_send(struct ent_engine *engine, struct session *session,
                      struct pair *pair, struct ent_err *err)
{
    struct ent_frame frame = {.type = ENT_FRAME_FRONTIER, .tag = pair->tag};
    struct ent_frontier_head *heads;
    size_t count;
    size_t at = 0;
    int rc = ent_frontier_own(engine, pair->space, &heads, &count, err);

    if (rc < 0)
        return rc;
    pair->heads_sent = true;
    do {
        frame.heads = heads + at;
        frame.head_count =
            count - at < ENT_FRAME_HEADS_MAX ? count - at : ENT_FRAME_HEADS_MAX;
        at += frame.head_count;
        frame.last = at == count;
        engine_send(engine, session, &frame);
    } while (at < count);
    session->waiting = engine->mono_ms;
    return 0;
}
