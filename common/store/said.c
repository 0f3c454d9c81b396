/* said.c - signed frontiers: what each node says it holds, and where it can be
 * dialled (rule S10). The body is drawn in docs/protocol.md:
 *
 *   [tag, version, space, key, counter, time, [roster pos, hash8],
 *    [[author, origin, seq, hash8]...], erased up to, [endpoint...]] */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/said.h"
#include "store/erase.h"
#include "store/peers.h"
#include "store/replica.h"
#include "store/runs.h"

/* Between writing the file anew and doing so again; longer each time while that
 * follows without a rest: who erases without end must not make others write
 * without end. */
#define SCRUB_PAUSE_MS INT64_C(60000)
#define SCRUB_PAUSE_MAX_MS (60 * SCRUB_PAUSE_MS)

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

static int put_said(struct ent_store *store, int64_t space,
                    const struct ent_said *said, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_FRONTIER_PUT);

    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, said->key.b, ENT_KEY_BYTES);
    ent_stmt_bind_int(stmt, 3, (int64_t)said->counter);
    ent_stmt_bind_blob(stmt, 4, said->body.at, said->body.len);
    ent_stmt_bind_blob(stmt, 5, said->sig.b, ENT_SIG_BYTES);
    return ent_stmt_run(stmt, err);
}

/* The frontier kept of a node; false when there is none. */
static int get_said(struct ent_store *store, int64_t space,
                    const struct ent_key *key, struct ent_arena *arena,
                    struct ent_said *said, bool *held, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_FRONTIER_GET);
    int rc;

    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, key->b, ENT_KEY_BYTES);
    rc = ent_stmt_step(stmt, err);
    *held = rc > 0;
    if (rc > 0) {
        said->key = *key;
        said->counter = (uint64_t)ent_stmt_int(stmt, 0);
        said->body = ent_arena_copy(arena, ent_stmt_bytes(stmt, 1));
        ent_stmt_copy(stmt, 2, said->sig.b, ENT_SIG_BYTES);
    }
    ent_stmt_reset(stmt);
    if (arena->rc < 0)
        return no_memory(err);
    return rc < 0 ? rc : 0;
}

static int own_endpoints(struct ent_store *store, struct ent_frontier *frontier,
                         struct ent_err *err)
{
    char lines[ENT_ENDPOINTS_MAX * (ENT_ENDPOINT_MAX + 2)];
    int rc = ent_node_get(store, "endpoints", lines, sizeof(lines), err);

    for (char *at = lines; rc == 0 && *at != '\0' &&
                           frontier->endpoint_count < ENT_ENDPOINTS_MAX;) {
        size_t len = strcspn(at, "\n");

        if (len > 0)
            ent_text_copy(frontier->endpoints[frontier->endpoint_count++],
                          ENT_ENDPOINT_MAX + 1, ent_slice(at, len));
        at += len + (at[len] == '\n');
    }
    return rc;
}

/* Everything but counter and time is the same. */
static bool same_said(const struct ent_frontier *a,
                      const struct ent_frontier *b)
{
    if (a->roster_pos != b->roster_pos || a->erased_pos != b->erased_pos ||
        !ent_hash8_equal(&a->roster_hash, &b->roster_hash) ||
        a->head_count != b->head_count ||
        a->endpoint_count != b->endpoint_count)
        return false;
    for (size_t i = 0; i < a->head_count; i++)
        if (!ent_key_equal(&a->heads[i].author, &b->heads[i].author) ||
            !ent_id_equal(&a->heads[i].origin, &b->heads[i].origin) ||
            a->heads[i].seq != b->heads[i].seq ||
            !ent_hash8_equal(&a->heads[i].hash, &b->heads[i].hash))
            return false;
    for (size_t i = 0; i < a->endpoint_count; i++)
        if (strcmp(a->endpoints[i], b->endpoints[i]) != 0)
            return false;
    return true;
}

/* Where the last entry of the chain stands that erases something. */
static uint64_t erased_pos(const struct ent_roster *roster)
{
    uint64_t pos = 0;

    for (size_t i = 0; i < roster->erased_count; i++)
        if (roster->erased[i]->pos > pos)
            pos = roster->erased[i]->pos;
    return pos;
}

/* What this node holds now, as it would say it. */
static int own_frontier(struct ent_store *store, int64_t space,
                        struct ent_arena *arena, struct ent_frontier *frontier,
                        struct ent_err *err)
{
    struct ent_space_state *state;
    struct ent_head *heads;
    struct ent_hash head;
    size_t count;
    int rc = ent_frontier_read(store, space, &heads, &count, err);

    if (rc < 0)
        return rc;
    /* With more logs than that the rest is not told: it is only told, the
     * digests still cover everything. */
    if (count > ENT_FRONTIER_HEADS_MAX)
        count = ENT_FRONTIER_HEADS_MAX;
    frontier->heads = ENT_ARENA_NEW(arena, struct ent_frontier_head, count);
    for (size_t i = 0; i < count && frontier->heads != NULL; i++)
        frontier->heads[i] =
            (struct ent_frontier_head){.author = heads[i].author,
                                       .origin = heads[i].origin,
                                       .seq = heads[i].seq,
                                       .hash = ent_hash_head(&heads[i].hash)};
    frontier->head_count = count;
    free(heads);
    if (arena->rc < 0)
        return no_memory(err);
    rc = ent_space_state(store, space, &state, err);
    if (rc < 0)
        return rc;
    ent_space_head(state, &frontier->roster_pos, &head);
    frontier->roster_hash = ent_hash_head(&head);
    frontier->space = state->id;
    frontier->erased_pos = erased_pos(&state->roster);
    frontier->key = store->keys.public;
    return own_endpoints(store, frontier, err);
}

static int write_said(struct ent_store *store, int64_t space,
                      const struct ent_frontier *frontier, struct ent_err *err)
{
    struct ent_buf body = {0};
    struct ent_said said = {.key = frontier->key, .counter = frontier->counter};
    int rc;

    ent_frontier_put(&body, frontier);
    if (body.rc < 0)
        return no_memory(err);
    said.body = ent_buf_slice(&body);
    ent_sign(&store->keys, said.body, &said.sig);
    rc = ent_store_begin(store, err);
    if (rc == 0) {
        rc = ent_log_sign_tails(store, space, err);
        if (rc == 0)
            rc = put_said(store, space, &said, err);
        if (rc == 0)
            rc = ent_store_commit(store, NULL, err);
        else
            ent_store_rollback(store);
    }
    ent_buf_fini(&body);
    return rc;
}

/* How far up the chain held here the frontier's erasures are carried out. */
static uint64_t carried_out(const struct ent_space_state *state,
                            const struct ent_frontier *frontier)
{
    uint64_t common =
        ent_roster_position(&state->roster, state->entries, state->entry_count,
                            frontier->roster_pos, &frontier->roster_hash);

    return frontier->erased_pos < common ? frontier->erased_pos : common;
}

/* 0: nothing is left of what was erased. What fails is tried again in a while,
 * too: the disk may be full, and a session must not wait for it each time. */
static int try_scrub(struct ent_store *store, int64_t now_ms)
{
    int64_t pause = store->scrub_pause_ms;
    int64_t rest = llabs(now_ms - store->scrub_ms);
    struct ent_err err;
    int rc = ent_store_scrub_due(store, &err);

    if (rc == 0)
        return 0;
    if (rc < 0 || rest < pause)
        return 1;
    rc = ent_store_scrub(store, &err);
    store->scrub_ms = now_ms;
    store->scrub_pause_ms = SCRUB_PAUSE_MS;
    if (rc == 1 && rest < 2 * pause)
        store->scrub_pause_ms =
            2 * pause < SCRUB_PAUSE_MAX_MS ? 2 * pause : SCRUB_PAUSE_MAX_MS;
    return rc == 1 ? 0 : 1;
}

/* As far as it was carried out before, on the chain of now. */
static int said_before(struct ent_store *store, int64_t space,
                       const struct ent_frontier *before,
                       struct ent_frontier *now, struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_space_state(store, space, &state, err);

    if (rc == 0 && now->erased_pos > 0)
        now->erased_pos = carried_out(state, before);
    return rc;
}

int ent_said_update(struct ent_store *store, int64_t space, int64_t now_ms,
                    struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_frontier now = {.time_ms = now_ms};
    struct ent_frontier before = {0};
    struct ent_said kept;
    bool held;
    int due = try_scrub(store, now_ms);
    int rc = own_frontier(store, space, &arena, &now, err);

    /* Another program may have erased something since. */
    if (rc == 0 && due == 0)
        due = ent_store_scrub_due(store, err);
    if (rc == 0)
        rc = get_said(store, space, &now.key, &arena, &kept, &held, err);
    if (rc == 0 && held)
        rc = ent_frontier_get(kept.body, &arena, &before, err);
    /* Nobody is told that it is gone before it is (E4). */
    if (rc == 0 && due != 0)
        rc = said_before(store, space, &before, &now, err);
    if (rc == 0 && held && same_said(&before, &now)) {
        ent_arena_fini(&arena);
        return 0;
    }
    now.counter = before.counter + 1;
    if (rc == 0 && now.roster_pos > 0)
        rc = write_said(store, space, &now, err);
    ent_arena_fini(&arena);
    return rc;
}

int ent_said_list(struct ent_store *store, int64_t space,
                  struct ent_arena *arena, struct ent_said **said,
                  size_t *count, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_FRONTIERS);
    size_t cap = 0;
    int rc;

    *said = NULL;
    *count = 0;
    ent_stmt_bind_int(stmt, 1, space);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        struct ent_said *item;

        if (*count == cap) {
            struct ent_said *more;

            cap = cap == 0 ? 16 : 2 * cap;
            more = ENT_ARENA_NEW(arena, struct ent_said, cap);
            if (more == NULL)
                break;
            if (*count > 0)
                memcpy(more, *said, *count * sizeof(*more));
            *said = more;
        }
        item = &(*said)[(*count)++];
        ent_stmt_copy(stmt, 0, item->key.b, ENT_KEY_BYTES);
        item->counter = (uint64_t)ent_stmt_int(stmt, 1);
        item->body = ent_arena_copy(arena, ent_stmt_bytes(stmt, 2));
        ent_stmt_copy(stmt, 3, item->sig.b, ENT_SIG_BYTES);
    }
    ent_stmt_reset(stmt);
    if (arena->rc < 0)
        return no_memory(err);
    return rc < 0 ? rc : 0;
}

/* Signed by its node, about this space, by somebody who is a member or was:
 * which frontiers are held must not hang on the order they came in. */
static bool said_is_good(const struct ent_space_state *state,
                         const struct ent_said *said, struct ent_arena *arena)
{
    struct ent_frontier frontier;

    return ent_space_named(state, &said->key) &&
           ent_frontier_get(said->body, arena, &frontier, NULL) == 0 &&
           ent_id_equal(&frontier.space, &state->id) &&
           ent_key_equal(&frontier.key, &said->key) &&
           frontier.counter == said->counter &&
           said->body.len <= ENT_FRONTIER_BYTES_MAX &&
           ent_sig_verify(&said->key, said->body, &said->sig);
}

/* The higher counter wins; of equal ones the higher hash (two lives of one
 * node may count alike). */
static bool is_newer(const struct ent_said *a, const struct ent_said *b)
{
    struct ent_hash x;
    struct ent_hash y;

    if (a->counter != b->counter)
        return a->counter > b->counter;
    x = ent_hash_of(a->body);
    y = ent_hash_of(b->body);
    return memcmp(x.b, y.b, ENT_HASH_BYTES) > 0;
}

int ent_said_take(struct ent_store *store, int64_t space,
                  const struct ent_said *said, size_t count, size_t *news,
                  size_t *refused, struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_store_begin(store, err);

    *news = 0;
    *refused = 0;
    if (rc < 0)
        return rc;
    rc = ent_space_state(store, space, &state, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_arena arena = {0};
        struct ent_said kept;
        bool held;

        rc = get_said(store, space, &said[i].key, &arena, &kept, &held, err);
        if (rc == 0 && held && !is_newer(&said[i], &kept)) {
            ent_arena_fini(&arena);
            continue;
        }
        if (rc == 0 && !said_is_good(state, &said[i], &arena)) {
            ++*refused;
        } else if (rc == 0) {
            rc = put_said(store, space, &said[i], err);
            ++*news;
        }
        ent_arena_fini(&arena);
    }
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

/* ------------------------------------------------------------ who has what */

/* Entries of the space that a frontier does not cover. */
static int missing_of(struct ent_store *store, int64_t space,
                      const struct ent_frontier *frontier, int64_t *missing,
                      struct ent_err *err)
{
    int rc = 0;

    *missing = 0;
    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];
        int64_t covered = log->base;

        if (log->space != space)
            continue;
        rc = ent_log_head(store, log, err);
        for (size_t j = 0; rc == 0 && j < frontier->head_count; j++)
            if (ent_key_equal(&frontier->heads[j].author, &log->author) &&
                ent_id_equal(&frontier->heads[j].origin, &log->id) &&
                (int64_t)frontier->heads[j].seq > covered)
                covered = (int64_t)frontier->heads[j].seq;
        if (rc == 0 && log->head > covered)
            *missing += log->head - covered;
    }
    return rc;
}

int ent_holding_list(struct ent_store *store, int64_t space,
                     struct ent_holding **list, size_t *count,
                     struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_said *said;
    size_t said_count;
    int rc = ent_store_refresh(store, err);

    *list = NULL;
    *count = 0;
    if (rc == 0)
        rc = ent_said_list(store, space, &arena, &said, &said_count, err);
    if (rc == 0) {
        *list = calloc(said_count + 1, sizeof(**list));
        if (*list == NULL)
            rc = no_memory(err);
    }
    for (size_t i = 0; rc == 0 && i < said_count; i++) {
        struct ent_holding *holding = &(*list)[*count];
        struct ent_frontier frontier;

        if (ent_frontier_get(said[i].body, &arena, &frontier, NULL) < 0)
            continue;
        holding->key = said[i].key;
        holding->claimed_ms = frontier.time_ms;
        holding->roster_pos = frontier.roster_pos;
        rc = missing_of(store, space, &frontier, &holding->missing, err);
        ++*count;
    }
    ent_arena_fini(&arena);
    if (rc < 0) {
        free(*list);
        *list = NULL;
        *count = 0;
    }
    return rc;
}

int ent_holding_covers(struct ent_store *store, int64_t n,
                       const struct ent_key *key, struct ent_err *err)
{
    const struct ent_log *log = ent_log_of(store, ent_n_o(n));
    struct ent_arena arena = {0};
    struct ent_frontier frontier;
    struct ent_said said;
    bool held = false;
    bool covers = false;
    int rc;

    if (log == NULL)
        return 0;
    rc = get_said(store, log->space, key, &arena, &said, &held, err);
    if (rc == 0 && held &&
        ent_frontier_get(said.body, &arena, &frontier, NULL) == 0)
        for (size_t i = 0; i < frontier.head_count; i++)
            if (ent_key_equal(&frontier.heads[i].author, &log->author) &&
                ent_id_equal(&frontier.heads[i].origin, &log->id) &&
                (int64_t)frontier.heads[i].seq >= ent_n_seq(n))
                covers = true;
    ent_arena_fini(&arena);
    return rc < 0 ? rc : covers;
}

int ent_erasure_confirmed(struct ent_store *store,
                          const struct ent_erasure *erasure,
                          const struct ent_key *key, struct ent_err *err)
{
    struct ent_space_state *state;
    struct ent_arena arena = {0};
    struct ent_frontier frontier;
    struct ent_said said;
    bool held = false;
    int confirmed = 0;
    int rc;

    if (erasure->pos == 0)
        return ent_holding_covers(store, erasure->n, key, err);
    rc = ent_space_state(store, erasure->space, &state, err);
    if (rc == 0)
        rc = get_said(store, erasure->space, key, &arena, &said, &held, err);
    if (rc == 0 && held &&
        ent_frontier_get(said.body, &arena, &frontier, NULL) == 0)
        confirmed = carried_out(state, &frontier) >= erasure->pos;
    ent_arena_fini(&arena);
    return rc < 0 ? rc : confirmed;
}

static int add_endpoints(const struct ent_frontier *frontier,
                         char endpoints[][ENT_ENDPOINT_MAX + 1], size_t max,
                         size_t *count)
{
    for (size_t i = 0; i < frontier->endpoint_count && *count < max; i++) {
        bool known = false;

        for (size_t j = 0; j < *count; j++)
            known = known || strcmp(endpoints[j], frontier->endpoints[i]) == 0;
        if (!known)
            memcpy(endpoints[(*count)++], frontier->endpoints[i],
                   ENT_ENDPOINT_MAX + 1);
    }
    return 0;
}

int ent_said_endpoints(struct ent_store *store, const struct ent_key *key,
                       char endpoints[][ENT_ENDPOINT_MAX + 1], size_t max,
                       size_t *count, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_FRONTIERS_OF);
    struct ent_arena arena = {0};
    struct ent_frontier own = {0};
    int rc;

    if (ent_key_equal(key, &store->keys.public)) {
        rc = own_endpoints(store, &own, err);
        return rc < 0 ? rc : add_endpoints(&own, endpoints, max, count);
    }
    ent_stmt_bind_blob(stmt, 1, key->b, ENT_KEY_BYTES);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        struct ent_frontier frontier;

        if (ent_frontier_get(ent_stmt_bytes(stmt, 0), &arena, &frontier,
                             NULL) == 0)
            rc = add_endpoints(&frontier, endpoints, max, count);
    }
    ent_stmt_reset(stmt);
    ent_arena_fini(&arena);
    return rc;
}
