/* members.c - see members.h. */
#include "store/members.h"

#include <stdlib.h>
#include <string.h>

#include "codec/roster.h"
#include "store/peers.h"
#include "store/replica.h"
#include "store/runs.h"

#define VOTE_PREFIX "entente-vote-1"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* What a member wrote as it is held here, in the order of a cut. */
static int head_cmp(const void *a, const void *b)
{
    const struct ent_cut_head *x = a;
    const struct ent_cut_head *y = b;
    int cmp = ent_id_cmp(&x->origin, &y->origin);

    if (cmp == 0 && x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return cmp != 0 ? cmp : memcmp(x->hash.b, y->hash.b, ENT_HASH_BYTES);
}

/* The heads of a member's logs up to which they are signed: what the cut keeps
 * (A4). Of very many, those that came first: a flood is cut whole. */
static int take_heads(struct ent_store *store, int64_t space,
                      const struct ent_key *author, struct ent_arena *arena,
                      struct ent_roster_entry *entry, struct ent_err *err)
{
    int rc = 0;

    entry->heads =
        ENT_ARENA_NEW(arena, struct ent_cut_head, store->log_count + 1);
    if (entry->heads == NULL)
        return no_memory(err);
    for (size_t o = 1; rc == 0 && o < store->by_o_cap &&
                       entry->head_count < ENT_CUT_HEADS_MAX;
         o++) {
        struct ent_log *log = store->by_o[o];
        struct ent_cut_head *head = &entry->heads[entry->head_count];
        bool held = false;

        if (log == NULL || log->space != space ||
            !ent_key_equal(&log->author, author) ||
            log->signed_seq <= log->base)
            continue;
        rc = ent_log_head(store, log, err);
        if (rc == 0)
            rc = ent_branch_hash(store, log, log->signed_seq, &head->hash,
                                 &held, err);
        if (rc < 0 || !held)
            continue;
        head->origin = log->id;
        head->seq = (uint64_t)log->signed_seq;
        head->sig = ent_arena_copy(arena, ent_slice(log->sig.b, ENT_SIG_BYTES));
        entry->head_count++;
    }
    if (rc == 0 && arena->rc < 0)
        rc = no_memory(err);
    if (rc == 0 && entry->head_count > 1)
        qsort(entry->heads, entry->head_count, sizeof(*entry->heads), head_cmp);
    return rc;
}

static int end(struct ent_store *store, int rc, struct ent_err *err)
{
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

/* The present role of somebody the chair decides about. */
static int role_of(struct ent_store *store, int64_t space,
                   const struct ent_key *key, enum ent_role *role,
                   struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_space_state(store, space, &state, err);

    if (rc < 0)
        return rc;
    *role = ent_roster_role(&state->roster, UINT64_MAX, key);
    if (*role == ENT_ROLE_NONE)
        return ent_err_set(err, ENT_ENOTFOUND,
                           ENT_N_("that key belongs to no member"));
    if (*role == ENT_ROLE_CHAIR)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("the chair hands over first"));
    return 0;
}

/* Write an entry about a member, with a cut of its logs when `cuts`. */
static int write_about(struct ent_store *store, int64_t space,
                       struct ent_roster_entry *entry, bool cuts,
                       struct ent_err *err)
{
    struct ent_arena arena = {0};
    int rc = 0;

    if (cuts)
        rc = take_heads(store, space, &entry->member, &arena, entry, err);
    if (rc == 0)
        rc = ent_roster_write(store, entry, NULL, &space, err);
    ent_arena_fini(&arena);
    return rc;
}

int ent_member_set_role(struct ent_store *store, int64_t space,
                        const struct ent_key *key, enum ent_role role,
                        int64_t now_ms, struct ent_err *err)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_ROLE,
                                     .time_ms = now_ms,
                                     .member = *key,
                                     .role = role};
    struct ent_space_state *state;
    enum ent_role present;
    int rc;

    if (role != ENT_ROLE_EDITOR && role != ENT_ROLE_READER)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("a member's role is editor or reader"));
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    rc = role_of(store, space, key, &present, err);
    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    /* To who is suspended it is the chair's answer: back as before (A2). */
    if (rc == 0 && present == role &&
        !ent_roster_suspended(&state->roster, key))
        rc = ent_err_set(err, ENT_EUSAGE,
                         ENT_N_("the member has that role already"));
    if (rc == 0)
        rc = write_about(store, space, &entry, role == ENT_ROLE_READER, err);
    return end(store, rc, err);
}

int ent_member_remove(struct ent_store *store, int64_t space,
                      const struct ent_key *key, const char *reason,
                      int64_t now_ms, struct ent_err *err)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_REMOVE,
                                     .time_ms = now_ms,
                                     .member = *key,
                                     .reason = ent_slice_str(reason)};
    enum ent_role present;
    int rc;

    if (entry.reason.len > ENT_NAME_BYTES_MAX)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("a reason may have %d bytes at most"),
                           ENT_NAME_BYTES_MAX);
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    rc = role_of(store, space, key, &present, err);
    if (rc == 0)
        rc = write_about(store, space, &entry, true, err);
    return end(store, rc, err);
}

int ent_member_replace(struct ent_store *store, int64_t space,
                       const struct ent_key *old, const struct ent_key *key,
                       int64_t now_ms, struct ent_err *err)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_REPLACE,
                                     .time_ms = now_ms,
                                     .member = *old,
                                     .next = *key};
    struct ent_space_state *state;
    enum ent_role present;
    struct ent_key curve;
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    rc = role_of(store, space, old, &present, err);
    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc == 0 && !ent_key_to_curve(key, &curve))
        rc = ent_err_set(err, ENT_EREFUSED, ENT_N_("that is no valid key"));
    if (rc == 0 && ent_roster_person(&state->roster, key) != NULL)
        rc = ent_err_set(err, ENT_EUSAGE,
                         ENT_N_("the new key was a member's already"));
    if (rc == 0)
        rc = write_about(store, space, &entry, true, err);
    return end(store, rc, err);
}

static int key_cmp(const void *a, const void *b)
{
    return memcmp(a, b, ENT_KEY_BYTES);
}

int ent_deputies_set(struct ent_store *store, int64_t space,
                     const struct ent_key *keys, size_t count, int64_t now_ms,
                     struct ent_err *err)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_DEPUTIES,
                                     .time_ms = now_ms};
    struct ent_key sorted[ENT_DEPUTIES_MAX];
    struct ent_space_state *state;
    int rc;

    if (count > ENT_DEPUTIES_MAX)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("a space has %d deputies at most"),
                           ENT_DEPUTIES_MAX);
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    rc = ent_space_state(store, space, &state, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (ent_roster_role(&state->roster, UINT64_MAX, &keys[i]) ==
            ENT_ROLE_NONE)
            rc = ent_err_set(err, ENT_ENOTFOUND,
                             ENT_N_("that key belongs to no member"));
    if (count > 0)
        memcpy(sorted, keys, count * sizeof(*keys));
    if (count > 1)
        qsort(sorted, count, sizeof(*sorted), key_cmp);
    entry.keys = sorted;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || key_cmp(&sorted[entry.key_count - 1], &sorted[i]) != 0)
            sorted[entry.key_count++] = sorted[i];
    if (rc == 0)
        rc = ent_roster_write(store, &entry, NULL, &space, err);
    return end(store, rc, err);
}

/* ------------------------------------------------------------- least version
 */

int ent_space_require(struct ent_store *store, int64_t space,
                      const struct ent_version *version, int64_t now_ms,
                      struct ent_err *err)
{
    struct ent_roster_entry entry = {
        .kind = ENT_ROSTER_MIN_VERSION, .time_ms = now_ms, .version = *version};
    const struct ent_version own = ent_version_own();
    char text[ENT_VERSION_TEXT];
    int rc;

    ent_version_put(&own, text);
    if (ent_version_cmp(version, &own) > 0)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("this program is Entente %s: upgrade it "
                                  "before you ask others for a newer one"),
                           text);
    rc = ent_store_begin(store, err);
    if (rc == 0)
        rc = ent_roster_write(store, &entry, NULL, &space, err);
    return end(store, rc, err);
}

int ent_space_check_version(struct ent_store *store, int64_t space,
                            struct ent_err *err)
{
    const struct ent_version own = ent_version_own();
    struct ent_space_state *state;
    char least[ENT_VERSION_TEXT];
    char text[ENT_VERSION_TEXT];
    int rc = ent_space_state(store, space, &state, err);

    if (rc < 0 || ent_version_cmp(&own, &state->roster.version) >= 0)
        return rc;
    ent_version_put(&state->roster.version, least);
    ent_version_put(&own, text);
    return ent_err_set(err, ENT_EDENIED,
                       ENT_N_("the chair asks for Entente %s or newer to write "
                              "in the space, and this is %s: upgrade this "
                              "program; reading and exchanging go on"),
                       least, text);
}

/* -------------------------------------------------------------- successions */

/* What a vote for `next` is a signature over, as the roster stands. */
static int vote_message(const struct ent_space_state *state,
                        const struct ent_key *next, struct ent_buf *message,
                        struct ent_err *err)
{
    struct ent_hash head;
    uint64_t pos;

    ent_space_head(state, &pos, &head);
    ent_vote_put(message, &state->id, state->roster.term + 1, &head, next);
    return message->rc < 0 ? no_memory(err) : 0;
}

static bool may_vote(const struct ent_roster *roster, const struct ent_key *key)
{
    for (size_t i = 0; i < roster->member_count; i++)
        if (ent_key_equal(&roster->members[i].key, key))
            return roster->members[i].role == ENT_ROLE_CHAIR ||
                   roster->members[i].deputy;
    return false;
}

int ent_vote_make(struct ent_store *store, int64_t space,
                  const struct ent_key *next, struct ent_buf *line,
                  struct ent_err *err)
{
    char hex[2 * ENT_SIG_BYTES + 1];
    struct ent_buf message = {0};
    struct ent_space_state *state;
    struct ent_sig sig;
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc < 0)
        return rc;
    if (!may_vote(&state->roster, &store->keys.public))
        return ent_err_set(err, ENT_EDENIED,
                           ENT_N_("only the chair and the deputies of the "
                                  "space have a vote"));
    if (ent_roster_role(&state->roster, UINT64_MAX, next) == ENT_ROLE_NONE)
        return ent_err_set(err, ENT_ENOTFOUND,
                           ENT_N_("that key belongs to no member"));
    if (ent_roster_role(&state->roster, UINT64_MAX, next) == ENT_ROLE_CHAIR)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("that member is the chair already"));
    rc = vote_message(state, next, &message, err);
    if (rc == 0) {
        ent_sign(&store->keys, ent_buf_slice(&message), &sig);
        ent_hex_put(hex, store->keys.public.b, ENT_KEY_BYTES);
        ent_buf_printf(line, VOTE_PREFIX ":%s:", hex);
        ent_hex_put(hex, sig.b, ENT_SIG_BYTES);
        ent_buf_printf(line, "%s", hex);
        if (line->rc < 0)
            rc = no_memory(err);
    }
    ent_buf_fini(&message);
    return rc;
}

/* One line: whose it is, and its signature over `message`. */
static int read_vote(const char *line, struct ent_slice message,
                     struct ent_arena *arena, struct ent_vote *vote,
                     struct ent_err *err)
{
    const size_t prefix = strlen(VOTE_PREFIX ":");
    const size_t key_hex = (size_t)2 * ENT_KEY_BYTES;
    struct ent_sig sig;

    if (strncmp(line, VOTE_PREFIX ":", prefix) != 0 ||
        strlen(line) != prefix + key_hex + 1 + (size_t)2 * ENT_SIG_BYTES ||
        line[prefix + key_hex] != ':' ||
        !ent_hex_get(vote->key.b, ENT_KEY_BYTES, line + prefix, key_hex) ||
        !ent_hex_get(sig.b, ENT_SIG_BYTES, line + prefix + key_hex + 1,
                     (size_t)2 * ENT_SIG_BYTES))
        return ent_err_set(err, ENT_EREFUSED, ENT_N_("that is no vote"));
    if (!ent_sig_verify(&vote->key, message, &sig))
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a vote for another node or space, or the "
                                  "roster changed since; ask for another"));
    vote->sig = ent_arena_copy(arena, ent_slice(sig.b, ENT_SIG_BYTES));
    return arena->rc < 0 ? no_memory(err) : 0;
}

static int vote_cmp(const void *a, const void *b)
{
    return memcmp(((const struct ent_vote *)a)->key.b,
                  ((const struct ent_vote *)b)->key.b, ENT_KEY_BYTES);
}

static int read_votes(const struct ent_space_state *state,
                      const struct ent_key *own, const char *const *lines,
                      size_t count, struct ent_arena *arena,
                      struct ent_roster_entry *entry, struct ent_err *err)
{
    struct ent_buf message = {0};
    int rc = vote_message(state, own, &message, err);
    size_t kept = 0;

    entry->votes = ENT_ARENA_NEW(arena, struct ent_vote, count + 1);
    if (entry->votes == NULL)
        rc = no_memory(err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = read_vote(lines[i], ent_buf_slice(&message), arena,
                       &entry->votes[i], err);
    ent_buf_fini(&message);
    if (rc < 0)
        return rc;
    if (count > 1)
        qsort(entry->votes, count, sizeof(*entry->votes), vote_cmp);
    for (size_t i = 0; i < count; i++)
        if (may_vote(&state->roster, &entry->votes[i].key) &&
            (kept == 0 ||
             vote_cmp(&entry->votes[kept - 1], &entry->votes[i]) != 0))
            entry->votes[kept++] = entry->votes[i];
    entry->vote_count = kept;
    return 0;
}

int ent_succeed(struct ent_store *store, int64_t space,
                const char *const *lines, size_t count, int64_t now_ms,
                struct ent_err *err)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_SUCCEED,
                                     .time_ms = now_ms};
    const struct ent_key *own = &store->keys.public;
    struct ent_space_state *state;
    struct ent_arena arena = {0};
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    rc = ent_space_state(store, space, &state, err);
    if (rc == 0 &&
        ent_roster_role(&state->roster, UINT64_MAX, own) == ENT_ROLE_NONE)
        rc = ent_err_set(err, ENT_EDENIED,
                         ENT_N_("this node is no member of the space"));
    if (rc == 0)
        rc = read_votes(state, own, lines, count, &arena, &entry, err);
    if (rc == 0 && entry.vote_count == 0)
        rc = ent_err_set(err, ENT_EDENIED,
                         ENT_N_("no vote of the chair or of a deputy"));
    if (rc == 0)
        rc = ent_roster_write(store, &entry, NULL, &space, err);
    /* The rules decide whether the votes were enough. */
    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc == 0 &&
        ent_roster_role(&state->roster, UINT64_MAX, own) != ENT_ROLE_CHAIR)
        rc = ent_err_set(err, ENT_EDENIED,
                         ENT_N_("the votes are not enough: the chair's alone, "
                                "or those of two deputies and more than half "
                                "of them"));
    ent_arena_fini(&arena);
    return end(store, rc, err);
}

/* ------------------------------------------------------------- what was cut */

static int read_aside_head(struct ent_store *store, int64_t n,
                           struct ent_arena *arena, struct ent_cut_head *head,
                           struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ASIDE_RANGE);
    int rc;

    /* Only what is signed can be readmitted: the first such at n or after. */
    ent_stmt_bind_int(stmt, 1, n);
    ent_stmt_bind_int(stmt, 2, ent_n(ent_n_o(n), ENT_SEQ_MAX));
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        if (ent_stmt_bytes(stmt, 2).len != ENT_SIG_BYTES)
            continue;
        head->seq = (uint64_t)ent_n_seq(ent_stmt_int(stmt, 0));
        ent_stmt_copy(stmt, 1, head->hash.b, ENT_HASH_BYTES);
        head->sig = ent_arena_copy(arena, ent_stmt_bytes(stmt, 2));
        break;
    }
    ent_stmt_reset(stmt);
    if (rc == 0)
        return ent_err_set(err, ENT_ENOTFOUND,
                           ENT_N_("no entry that was set aside has that "
                                  "number"));
    return rc > 0 && arena->rc < 0 ? no_memory(err) : rc < 0 ? rc : 0;
}

int ent_quarantine_readmit(struct ent_store *store, int64_t n, int64_t now_ms,
                           struct ent_err *err)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_READMIT,
                                     .time_ms = now_ms};
    struct ent_cut_head head = {0};
    struct ent_arena arena = {0};
    struct ent_log *log;
    int64_t space;
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    log = ent_log_of(store, ent_n_o(n));
    if (log == NULL)
        rc = ent_err_set(err, ENT_ENOTFOUND,
                         ENT_N_("no entry that was set aside has that "
                                "number"));
    if (rc == 0)
        rc = read_aside_head(store, n, &arena, &head, err);
    if (rc == 0) {
        space = log->space;
        head.origin = log->id;
        entry.member = log->author;
        entry.heads = &head;
        entry.head_count = 1;
        rc = ent_roster_write(store, &entry, NULL, &space, err);
    }
    /* There is room for more of it; raised again when that is not enough. */
    if (rc == 0)
        rc = ent_alarm_set(store, space, "aside",
                           ent_slice(entry.member.b, ENT_KEY_BYTES), false,
                           now_ms, err);
    ent_arena_fini(&arena);
    return end(store, rc, err);
}
