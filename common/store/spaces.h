/* spaces.h - spaces, their rosters and members, as this replica holds them.
 * A space is named inside one replica by a small number `space`, which is what
 * the column `space` of the kind tables shows. */
#ifndef ENT_STORE_SPACES_H
#define ENT_STORE_SPACES_H

#include "model/roster.h"
#include "store/store.h"

struct ent_space {
    int64_t space;
    struct ent_id id;
    char name[ENT_HANDLE_MAX + 1]; /* local handle */
    char title[ENT_LANG_COUNT][ENT_NAME_BYTES_MAX + 1];
    enum ent_role role; /* ours; ENT_ROLE_NONE before we are admitted */
    bool left;
    bool removed;        /* no role any more */
    uint64_t roster_pos; /* position of the roster's head */
    struct ent_hash roster_head;
};

/* Found a space: roster entry `found`, this node its chair. `name` is a local
 * handle of a-z 0-9 - _ . ENT_EUSAGE: the handle is taken or malformed. */
ENT_NODISCARD int ent_space_create(struct ent_store *store, const char *name,
                                   const char *title_en, const char *title_fr,
                                   int64_t now_ms, int64_t *space,
                                   struct ent_err *err);

/* All spaces, ascending by number; free() the list. */
ENT_NODISCARD int ent_space_list(struct ent_store *store,
                                 struct ent_space **list, size_t *count,
                                 struct ent_err *err);
ENT_NODISCARD int ent_space_read(struct ent_store *store, int64_t space,
                                 struct ent_space *info, struct ent_err *err);

/* By handle, by id in hex, or by an unambiguous beginning of the id of 4 or
 * more digits. */
ENT_NODISCARD int ent_space_find(struct ent_store *store, const char *name,
                                 int64_t *space, struct ent_err *err);
ENT_NODISCARD int ent_space_find_id(struct ent_store *store,
                                    const struct ent_id *id, int64_t *space,
                                    struct ent_err *err);

/* Whether `name` may be a handle. */
bool ent_space_is_handle(const char *name);

/* Rename the local handle. */
ENT_NODISCARD int ent_space_rename(struct ent_store *store, int64_t space,
                                   const char *name, struct ent_err *err);

/* Stop replicating: kept read-only, or removed with everything in it.
 * ENT_EDENIED: the chair cannot leave. */
ENT_NODISCARD int ent_space_leave(struct ent_store *store, int64_t space,
                                  bool purge, struct ent_err *err);

struct ent_member {
    struct ent_key key;
    enum ent_role role;
    char org[ENT_NAME_BYTES_MAX + 1];
    uint64_t since; /* roster position that admitted it */
    bool deputy;
};

/* Members at the roster's head, in order of admission; free() the list. */
ENT_NODISCARD int ent_member_list(struct ent_store *store, int64_t space,
                                  struct ent_member **list, size_t *count,
                                  struct ent_err *err);
enum ent_role ent_member_role(struct ent_store *store, int64_t space,
                              const struct ent_key *key);

/* Whether the key behind a CURVE key is a member, or was one. Converts every
 * key: for what is rare. */
bool ent_member_was(struct ent_store *store, int64_t space,
                    const struct ent_key *curve);

/* Whether content of the space goes between this node and a key: both are
 * members, and neither is one that a void entry removed (A2). */
bool ent_member_shares(struct ent_store *store, int64_t space,
                       const struct ent_key *key);

/* Admit a key (chair only); an entry `admit` at the roster's head. `invite`
 * is the invitation used, or zero. ENT_EDENIED: not the chair. ENT_EUSAGE:
 * a member already. */
ENT_NODISCARD int ent_member_admit(struct ent_store *store, int64_t space,
                                   const struct ent_key *key,
                                   enum ent_role role, const char *org,
                                   const struct ent_hash8 *invite,
                                   int64_t now_ms, struct ent_err *err);

/* The organisation of a key in any space held here, or "". */
const char *ent_member_org(struct ent_store *store, const struct ent_key *key);

/* ------------------------------------------------------------- invitations */

struct ent_invite {
    struct ent_id space;
    struct ent_key chair;
    enum ent_role role;
    int64_t expires_ms;
    uint8_t secret[16];
    char handle[ENT_HANDLE_MAX + 1]; /* suggested local name */
    char endpoints[ENT_ENDPOINTS_MAX][ENT_ENDPOINT_MAX + 1];
    size_t endpoint_count;
};

/* Make an invitation (chair only), remember it, print it as one line into
 * `line`. `endpoints` are where the chair's node can be dialled. */
ENT_NODISCARD int ent_invite_create(struct ent_store *store, int64_t space,
                                    enum ent_role role, int64_t expires_ms,
                                    const char *const *endpoints,
                                    size_t endpoint_count, int64_t now_ms,
                                    struct ent_buf *line, struct ent_err *err);

/* An invitation as its line, and back. ENT_EREFUSED: mangled, with what is
 * wrong. Says nothing about expiry. */
void ent_invite_put(struct ent_buf *line, const struct ent_invite *invite);
ENT_NODISCARD int ent_invite_parse(const char *line, struct ent_invite *invite,
                                   struct ent_err *err);

/* The joiner's side: the id and proof that go with an invitation. */
void ent_invite_prove(const struct ent_invite *invite,
                      const struct ent_key *key, struct ent_hash8 *id,
                      struct ent_hash *proof);

/* What a joiner says to the chair, on a link or as a line (A7). */
struct ent_request {
    struct ent_id space;
    struct ent_hash8 invite;
    struct ent_hash proof;
    struct ent_key key;
    char org[ENT_NAME_BYTES_MAX + 1];
};

/* A request as its line, and back. ENT_EREFUSED: mangled, with what is wrong.
 * Says nothing about the proof. */
void ent_request_put(struct ent_buf *line, const struct ent_request *request);
bool ent_request_is_line(const char *text);
ENT_NODISCARD int ent_request_parse(const char *line,
                                    struct ent_request *request,
                                    struct ent_err *err);

/* Why a request is refused. On a link it is a word, which the joiner's node
 * says in its reader's language. */
enum ent_refusal {
    ENT_REFUSAL_OTHER,   /* of a version that knows more of them */
    ENT_REFUSAL_UNKNOWN, /* no such invitation, or too much was guessed */
    ENT_REFUSAL_SPACE,   /* not for this space, or this is not its chair */
    ENT_REFUSAL_PROOF,   /* made without the secret, or for another key */
    ENT_REFUSAL_USED,
    ENT_REFUSAL_EXPIRED,
    ENT_REFUSAL_MEMBER, /* the key is a member's already */
    ENT_REFUSAL_NAME,   /* no name for an organisation */
    ENT_REFUSAL_LATER,  /* the chair has to meet another member first (A2) */
};
const char *ent_refusal_word(enum ent_refusal why);
/* The sentence that goes with a word, to be translated. */
const char *ent_refusal_text(struct ent_slice word);

/* The chair's side of a join: check id and proof, single use and expiry; what
 * `ent_invite_redeem` would do. ENT_EDENIED with the reason in `why` and `err`
 * when it is not good. */
ENT_NODISCARD int ent_invite_check(struct ent_store *store,
                                   const struct ent_request *request,
                                   int64_t now_ms, enum ent_role *role,
                                   enum ent_refusal *why, struct ent_err *err);

/* The same, then admit the key and mark the invitation used, in one
 * transaction. The key that used it is answered again; so is a member's, which
 * left the space or lost its replica, and the invitation stays good. */
ENT_NODISCARD int ent_invite_redeem(struct ent_store *store,
                                    const struct ent_request *request,
                                    int64_t now_ms, enum ent_refusal *why,
                                    struct ent_err *err);

/* The same for a stranger on a link: after too many wrong requests every one
 * is as good as unknown for a while (ENT_GUESSES_MAX). */
ENT_NODISCARD int ent_invite_answer(struct ent_store *store,
                                    const struct ent_request *request,
                                    int64_t now_ms, enum ent_refusal *why,
                                    struct ent_err *err);

/* Keep the space of an accepted invitation under its handle (made unique with
 * a number when taken), before its roster arrives; one that was left is no
 * longer. */
ENT_NODISCARD int ent_space_expect(struct ent_store *store,
                                   const struct ent_invite *invite,
                                   int64_t *space, struct ent_err *err);

#endif
