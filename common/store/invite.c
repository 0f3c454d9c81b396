/* invite.c - invitations made, and requests to join answered, by the chair's
 * node (A7; see spaces.h). The replica of the chair keeps each secret; the
 * line carries it, the wire never does. */
#include <libintl.h>
#include <stdio.h>
#include <string.h>

#include "secure/hash.h"
#include "store/members.h"
#include "store/replica.h"
#include "store/spaces.h"

#define MINUTE_MS 60000

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

static struct ent_hash8 invite_id(const uint8_t secret[16])
{
    uint8_t message[32] = "entente/invite";

    memcpy(message + 16, secret, 16);
    return ent_hash8_of(ent_slice(message, sizeof(message)));
}

void ent_invite_prove(const struct ent_invite *invite,
                      const struct ent_key *key, struct ent_hash8 *id,
                      struct ent_hash *proof)
{
    uint8_t message[ENT_ID_BYTES + ENT_KEY_BYTES];

    memcpy(message, invite->space.b, ENT_ID_BYTES);
    memcpy(message + ENT_ID_BYTES, key->b, ENT_KEY_BYTES);
    *id = invite_id(invite->secret);
    *proof = ent_hash_keyed(ent_slice(invite->secret, sizeof(invite->secret)),
                            ent_slice(message, sizeof(message)));
}

/* ------------------------------------------------------------------ inviting
 */

static int keep_invite(struct ent_store *store, int64_t space,
                       const struct ent_invite *invite, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_INVITE_INSERT);
    struct ent_hash8 id = invite_id(invite->secret);

    ent_stmt_bind_blob(stmt, 1, id.b, ENT_HASH8_BYTES);
    ent_stmt_bind_int(stmt, 2, space);
    ent_stmt_bind_blob(stmt, 3, invite->secret, sizeof(invite->secret));
    ent_stmt_bind_int(stmt, 4, invite->role);
    ent_stmt_bind_int(stmt, 5, invite->expires_ms);
    return ent_stmt_run(stmt, err);
}

int ent_invite_create(struct ent_store *store, int64_t space,
                      enum ent_role role, int64_t expires_ms,
                      const char *const *endpoints, size_t endpoint_count,
                      int64_t now_ms, struct ent_buf *line, struct ent_err *err)
{
    struct ent_invite invite = {
        .chair = store->keys.public, .role = role, .expires_ms = expires_ms};
    struct ent_space info;
    int rc = ent_space_read(store, space, &info, err);

    if (rc < 0)
        return rc;
    if (info.role != ENT_ROLE_CHAIR)
        return ent_err_set(err, ENT_EDENIED,
                           ENT_N_("only the chair of the space may invite"));
    if (role != ENT_ROLE_READER && role != ENT_ROLE_EDITOR)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("a member is admitted as editor or reader"));
    if (expires_ms <= now_ms)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("the invitation would have expired already"));
    invite.space = info.id;
    memcpy(invite.handle, info.name, sizeof(invite.handle));
    for (size_t i = 0; i < endpoint_count && i < ENT_ENDPOINTS_MAX; i++) {
        if (strlen(endpoints[i]) > 255)
            return ent_err_set(err, ENT_EUSAGE,
                               ENT_N_("the endpoint %s is too long"),
                               endpoints[i]);
        snprintf(invite.endpoints[invite.endpoint_count++],
                 ENT_ENDPOINT_MAX + 1, "%s", endpoints[i]);
    }
    ent_rand_bytes(store->rand, invite.secret, sizeof(invite.secret));
    ent_invite_put(line, &invite);
    if (line->rc < 0)
        return no_memory(err);
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    rc = keep_invite(store, space, &invite, err);
    if (rc < 0) {
        ent_store_rollback(store);
        return rc;
    }
    return ent_store_commit(store, NULL, err);
}

/* ------------------------------------------------------------------ refusing
 */

static const struct {
    const char *word, *text;
} refusals[] = {
    [ENT_REFUSAL_OTHER] = {"other",
                           ENT_N_("for a reason that this version does not "
                                  "know")},
    [ENT_REFUSAL_UNKNOWN] = {"unknown",
                             ENT_N_("the invitation is not known to the "
                                    "chair's node")},
    [ENT_REFUSAL_SPACE] = {"space",
                           ENT_N_("the invitation belongs to another space or "
                                  "another chair")},
    [ENT_REFUSAL_PROOF] = {"proof", ENT_N_("the request was not made with this "
                                           "invitation, or not for this key")},
    [ENT_REFUSAL_USED] = {"used",
                          ENT_N_("the invitation was used already; a new one "
                                 "is needed")},
    [ENT_REFUSAL_EXPIRED] = {"expired",
                             ENT_N_("the invitation has expired; a new one is "
                                    "needed")},
    [ENT_REFUSAL_MEMBER] = {"member",
                            ENT_N_("that key belongs to a member already")},
    [ENT_REFUSAL_LATER] = {"later",
                           ENT_N_("the chair's node was put back or copied and "
                                  "must meet another member first; try again "
                                  "later")},
    [ENT_REFUSAL_NAME] = {"name",
                          ENT_N_("the organisation's name is missing or too "
                                 "long")},
};

const char *ent_refusal_word(enum ent_refusal why)
{
    return refusals[why].word;
}

const char *ent_refusal_text(struct ent_slice word)
{
    for (size_t i = 0; i < ENT_ARRAY_LEN(refusals); i++)
        if (ent_slice_equal(word, ent_slice_str(refusals[i].word)))
            return refusals[i].text;
    return refusals[ENT_REFUSAL_OTHER].text;
}

static int refuse(enum ent_refusal *why, enum ent_refusal is,
                  struct ent_err *err)
{
    *why = is;
    return ent_err_set(err, ENT_EDENIED, "%s",
                       dgettext(ENT_TEXT_DOMAIN, refusals[is].text));
}

/* ----------------------------------------------------------------- redeeming
 */

/* An invitation as the chair's replica keeps it. */
struct kept {
    int64_t space;
    struct ent_invite invite; /* secret, role and expiry of it */
    bool used;
    struct ent_key used_by;
};

/* ENT_ENOTFOUND: no such invitation. */
static int read_kept(struct ent_store *store, const struct ent_hash8 *id,
                     struct kept *kept, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_INVITE_GET);
    int rc;

    *kept = (struct kept){0};
    ent_stmt_bind_blob(stmt, 1, id->b, ENT_HASH8_BYTES);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        kept->space = ent_stmt_int(stmt, 0);
        ent_stmt_copy(stmt, 1, kept->invite.secret,
                      sizeof(kept->invite.secret));
        kept->invite.role = (enum ent_role)ent_stmt_int(stmt, 2);
        kept->invite.expires_ms = ent_stmt_int(stmt, 3);
        kept->used = !ent_stmt_is_null(stmt, 4);
        ent_stmt_copy(stmt, 4, kept->used_by.b, ENT_KEY_BYTES);
    }
    ent_stmt_reset(stmt);
    return rc > 0 ? 0 : rc < 0 ? rc : ENT_ENOTFOUND;
}

static int use_invite(struct ent_store *store, const struct ent_hash8 *id,
                      const struct ent_key *key, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_INVITE_USE);

    ent_stmt_bind_blob(stmt, 1, id->b, ENT_HASH8_BYTES);
    ent_stmt_bind_blob(stmt, 2, key->b, ENT_KEY_BYTES);
    return ent_stmt_run(stmt, err);
}

/* Whether the request was made with an invitation to a space of this chair. */
static int check_proof(struct ent_store *store,
                       const struct ent_request *request, struct kept *kept,
                       enum ent_refusal *why, struct ent_err *err)
{
    struct ent_hash8 id;
    struct ent_hash proof;
    int64_t space;
    int rc = ent_space_find_id(store, &request->space, &space, err);

    if (rc < 0 && rc != ENT_ENOTFOUND)
        return rc;
    if (rc < 0 ||
        ent_member_role(store, space, &store->keys.public) != ENT_ROLE_CHAIR)
        return refuse(why, ENT_REFUSAL_SPACE, err);
    rc = read_kept(store, &request->invite, kept, err);
    if (rc == ENT_ENOTFOUND)
        return refuse(why, ENT_REFUSAL_UNKNOWN, err);
    if (rc < 0)
        return rc;
    if (kept->space != space)
        return refuse(why, ENT_REFUSAL_SPACE, err);
    kept->invite.space = request->space;
    ent_invite_prove(&kept->invite, &request->key, &id, &proof);
    if (!ent_equal_secret(proof.b, request->proof.b, ENT_HASH_BYTES))
        return refuse(why, ENT_REFUSAL_PROOF, err);
    return 0;
}

/* `done`: the key is a member's: admitted with this invitation it asks again,
 * after an answer that got lost, or it comes back. */
static int check(struct ent_store *store, const struct ent_request *request,
                 int64_t now_ms, struct kept *kept, bool *done,
                 enum ent_refusal *why, struct ent_err *err)
{
    size_t name = strlen(request->org);
    bool is_member, unmet;
    int rc;

    rc = check_proof(store, request, kept, why, err);
    if (rc < 0)
        return rc;
    is_member =
        ent_member_role(store, kept->space, &request->key) != ENT_ROLE_NONE;
    *done =
        is_member && kept->used && ent_key_equal(&kept->used_by, &request->key);
    if (*done)
        return 0;
    if (kept->used)
        return refuse(why, ENT_REFUSAL_USED, err);
    if (kept->invite.expires_ms < now_ms)
        return refuse(why, ENT_REFUSAL_EXPIRED, err);
    if (name == 0 || name > ENT_NAME_BYTES_MAX)
        return refuse(why, ENT_REFUSAL_NAME, err);
    /* It left the space, or lost its replica; the invitation stays good. */
    *done = is_member;
    if (is_member)
        return 0;
    rc = ent_space_unmet(store, kept->space, &unmet, err);
    if (rc == 0 && unmet)
        rc = refuse(why, ENT_REFUSAL_LATER, err);
    return rc;
}

int ent_invite_check(struct ent_store *store, const struct ent_request *request,
                     int64_t now_ms, enum ent_role *role, enum ent_refusal *why,
                     struct ent_err *err)
{
    struct kept kept;
    bool done;
    int rc = ent_store_refresh(store, err);

    *why = ENT_REFUSAL_OTHER;
    if (rc == 0)
        rc = check(store, request, now_ms, &kept, &done, why, err);
    if (rc == 0)
        *role = done ? ent_member_role(store, kept.space, &request->key)
                     : kept.invite.role;
    return rc;
}

int ent_invite_redeem(struct ent_store *store,
                      const struct ent_request *request, int64_t now_ms,
                      enum ent_refusal *why, struct ent_err *err)
{
    struct kept kept;
    bool done;
    int rc = ent_store_begin(store, err);

    *why = ENT_REFUSAL_OTHER;
    if (rc < 0)
        return rc;
    rc = check(store, request, now_ms, &kept, &done, why, err);
    if (rc == 0 && !done)
        rc =
            ent_roster_admit(store, kept.space, &request->key, kept.invite.role,
                             request->org, &request->invite, now_ms, err);
    if (rc == 0 && !done)
        rc = use_invite(store, &request->invite, &request->key, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

/* ------------------------------------------------------------------ guessing
 */

/* How long what was counted so far counts. */
static bool is_current(const struct ent_guesses *guesses, int64_t lasts_ms,
                       int64_t now_ms)
{
    return now_ms >= guesses->since_ms && now_ms - guesses->since_ms < lasts_ms;
}

static bool is_paused(const struct ent_guesses *guesses, int max,
                      int64_t now_ms)
{
    return guesses->count >= max &&
           is_current(guesses, ENT_GUESSES_PAUSE_MS, now_ms);
}

/* One more wrong request; the pause begins with the last that is allowed. */
static void count_guess(struct ent_guesses *guesses, int max, int64_t now_ms)
{
    if (guesses->count >= max || !is_current(guesses, MINUTE_MS, now_ms))
        *guesses = (struct ent_guesses){.since_ms = now_ms};
    if (++guesses->count == max)
        guesses->since_ms = now_ms;
}

int ent_invite_answer(struct ent_store *store,
                      const struct ent_request *request, int64_t now_ms,
                      enum ent_refusal *why, struct ent_err *err)
{
    /* By the id a stranger sent, so that nothing grows with what it sends. */
    struct ent_guesses *here =
        &store->guesses[request->space.b[0] % ENT_GUESS_SLOTS];
    int rc;

    if (is_paused(here, ENT_GUESSES_MAX, now_ms) ||
        is_paused(&store->all_guesses, ENT_GUESSES_ALL_MAX, now_ms))
        return refuse(why, ENT_REFUSAL_UNKNOWN, err);
    rc = ent_invite_redeem(store, request, now_ms, why, err);
    if (rc == ENT_EDENIED &&
        (*why == ENT_REFUSAL_UNKNOWN || *why == ENT_REFUSAL_SPACE ||
         *why == ENT_REFUSAL_PROOF)) {
        count_guess(here, ENT_GUESSES_MAX, now_ms);
        count_guess(&store->all_guesses, ENT_GUESSES_ALL_MAX, now_ms);
    }
    return rc;
}
