/* session.h - what the files of sync/ share: sessions and the spaces in them.
 *
 * A session is one connection. Each space that both sides share is a pair in
 * it, and goes its own way:
 *
 *   hello -> open -> (rosters) -> frontiers -> pull and serve -> settled
 *                       ^                          |               |
 *                       +--- roster changed -------+---- news -----+
 *
 * Nothing outside sync/ includes this. */
#ifndef ENT_SYNC_SESSION_H
#define ENT_SYNC_SESSION_H

#include "codec/frame.h"
#include "store/peers.h"
#include "store/runs.h"
#include "store/spaces.h"
#include "sync/engine.h"

#define SESSION_HELLO_MS 30000    /* to say hello and be welcomed */
#define SESSION_PULL_MS 120000    /* without an answer to a question */
#define SESSION_LEAVE_MS 5000     /* to take the roster that removes it */
#define SESSION_SHARE_MS 10000    /* before others are asked for the same */
#define SESSION_STRANGER_MS 60000 /* to become somebody */
#define SESSION_SETTLE_MS 1000    /* live news are settled this much later */
#define SESSION_SHOW_MS 10000     /* before a frontier is shown again */
#define SESSION_SHOW_MS_MAX (60 * 60 * 1000)
#define SESSION_SCRUB_MS 65000 /* longer than a scrub that failed waits */
#define SESSION_CREDIT ENT_BATCH_BYTES_MAX /* under way at a time (S3) */
#define SESSION_BATCH                                                          \
    (SESSION_CREDIT / 2)               /* two, so that neither side waits      \
                                        */
#define SESSION_JOIN_BYTES (768 << 10) /* roster sent along with a join */
#define SESSION_NEWS_BYTES (16 << 10)  /* entries that go along with news */
#define SESSION_STRANGERS_MAX 64  /* connections of unknown keys at a time */
#define SESSION_STRANGER_FRAMES 8 /* messages taken from one of them */
#define SESSION_HEADS_MAX 65536   /* heads of a peer that are remembered */
#define SESSION_BRANCHES_MAX 1024 /* of them, told of one forked log */
#define SESSION_BACK_MAX 42       /* steps back to find where a log forked */
#define SESSION_OFFER_HEADS 256   /* logs offered to the chair in a message */

/* A head the peer holds, and how asking for it went. */
struct their_head {
    struct ent_frontier_head head;
    uint64_t asked_from; /* 0: not asked yet */
    unsigned back;
    bool given_up; /* asked in vain; not again in this session */
    bool filled;   /* asked for values that lack here */
};

/* A log that the peer asked for. */
struct serving {
    int64_t o;
    uint64_t from;
    struct ent_hash8 prev;
};

/* What lies beyond a cut, offered to the chair (offer.c). One of the two is the
 * chair: the fields are for either. */
struct offer {
    bool made;   /* by this side, and the chair has not answered */
    bool asked;  /* by this side, the chair: about `next` of `theirs` */
    bool later;  /* not all of it is taken now */
    int64_t at;  /* mono ms: when it last went on */
    size_t next; /* of our tips, or of theirs */
    struct their_head *theirs;
    size_t their_count;
    struct ent_hash8 digest; /* of the tips offered last */
    int64_t again_at;        /* mono ms: when to offer again, 0: no need */
    int64_t pause;           /* ms, ever longer */
};

struct pair {
    int64_t space;
    struct ent_id id;
    struct ent_hash8 tag;
    struct ent_hash roster;         /* of ours, as shown to the peer */
    struct ent_hash8 their_roster8; /* as the peer showed it last */
    bool equal;                     /* the hellos agreed; nothing to do */
    bool stranger;                  /* may not have content, at the last look */
    bool opened; /* has begun, or waits for the peer to begin */
    bool open_sent;
    bool roster_ok; /* both hold the same roster entries */
    bool heads_sent;
    bool heads_got;
    struct their_head *theirs;
    size_t their_count, their_cap;
    bool pulling;    /* a WANT is being answered */
    bool filling;    /* some of what is asked for now lacks values here */
    int64_t pull_at; /* mono ms: when the answer last went on */
    struct serving *serving;
    size_t serving_count, serving_cap;
    int64_t credit; /* bytes the peer still takes */
    bool postponed; /* what we lack is asked of another peer just now */
    bool news_due;  /* entries came before the peer could be told of them */
    bool settled_sent, settled_got;
    bool said_given, said_got;
    bool done;
    int64_t leaving_at; /* mono ms: when the peer ceased to be a member, 0: it
                         * did not; it gets the roster yet */
    int64_t settle_at;  /* mono ms, 0: not due */
    struct ent_hash8 their_entries8; /* when it settled last */
    int64_t show_at;    /* mono ms: when our frontier is shown again, 0: the two
                         * hold the same, as far as is known */
    int64_t show_pause; /* ms, ever longer while the two do not agree */
    int64_t more_at;    /* mono ms: when to ask again for logs of an author with
                         * very many, 0: none waits */
    int64_t applied;    /* in this session */
    struct offer offer;
};

/* A space as our hello named it: the answer counts for that digest only. */
struct named {
    int64_t space;
    struct ent_hash8 digest;
};

struct session {
    uint32_t conn;
    bool dialled;
    bool open;   /* hello and welcome have passed */
    bool known;  /* `key` is a member of some space of ours */
    bool called; /* by this side, by that key */
    bool noted_done;
    bool doomed; /* is dropped at the end of the step */
    struct ent_key curve;
    struct ent_key key;
    uint8_t nonce[8];
    int64_t since;       /* mono ms: when the connection came up */
    int64_t waiting;     /* mono ms: since when an answer is awaited, 0: none */
    int frames;          /* taken from a stranger */
    int64_t sent;        /* entries, not yet counted in the replica */
    struct named *named; /* spaces of our hello, in its order, until answered */
    size_t named_count;
    bool greet_again; /* there is more to name when it is */
    struct pair *pairs;
    size_t pair_count;
};

/* An attempt to reach one node: a member, a person's wish, or a join. */
struct call {
    struct ent_key key;
    char endpoints[ENT_ENDPOINTS_MAX][ENT_ENDPOINT_MAX + 1];
    size_t endpoint_count, next;
    uint32_t dial; /* 0: not dialling */
    uint32_t conn;
    bool wanted; /* by a person: failing is noted */
    bool member; /* of a space of ours, at the last look */
    bool join;
    struct ent_invite invite;
    int64_t due;   /* mono ms */
    int64_t pause; /* ms until the next attempt */
    bool gone;     /* to be removed */
};

/* A log being fetched: one peer is asked for each range (rule S3). */
struct flight {
    int64_t space;
    struct ent_key author;
    struct ent_id origin;
    uint32_t conn;
};

struct known_key {
    struct ent_key key, curve;
};

struct ent_engine {
    struct ent_store *store;
    struct ent_rand *rand;
    struct ent_engine_options options;
    struct session **sessions;
    size_t session_count;
    struct call *calls;
    size_t call_count;
    uint32_t last_dial;
    struct flight *flights;
    size_t flight_count, flight_cap;
    struct known_key *keys;
    size_t key_count;

    /* Of the present step. */
    const struct ent_event *event;
    int64_t now_ms, mono_ms;
    struct ent_effects effects;
    size_t effect_cap;
    struct ent_arena arena; /* frames and texts of the effects */
    struct ent_buf frame;
    bool freed;     /* a range is free again: others may ask for it */
    int64_t *dirty; /* spaces whose entries changed */
    size_t dirty_count;
    bool roster_changed;
    bool members_called;      /* all of them, as of the rosters below */
    struct ent_hash8 rosters; /* of the spaces, at the last local commit */
};

/* ------------------------------------------------------- engine.c, for others
 */

void engine_send(struct ent_engine *engine, const struct session *session,
                 const struct ent_frame *frame);
void engine_note(struct ent_engine *engine, enum ent_note note,
                 const struct session *session, const struct pair *pair,
                 int64_t count, const char *text);
/* End a session at the end of the step. */
void engine_doom(struct ent_engine *engine, struct session *session,
                 const char *why);
/* Bytes that break a rule: counted for the peer, noted, the session ends. */
void engine_refuse(struct ent_engine *engine, struct session *session,
                   const char *why);
/* Entries of a space changed: other peers are told at the end of the step. */
void engine_dirty(struct ent_engine *engine, int64_t space);

/* --------------------------------------------------------------- greeting.c */

int greeting_hello(struct ent_engine *engine, struct session *session,
                   struct ent_err *err);
int greeting_take(struct ent_engine *engine, struct session *session,
                  const struct ent_frame *frame, struct ent_err *err);
int greeting_join(struct ent_engine *engine, struct session *session,
                  const struct ent_invite *invite, struct ent_err *err);
/* Name the spaces that our rosters say the peer shares and that have no pair
 * yet, if there are any: at once, or when the hello under way is answered. */
int greeting_again(struct ent_engine *engine, struct session *session,
                   struct ent_err *err);

/* -------------------------------------------------------------- exchange.c */

int exchange_open(struct ent_engine *engine, struct session *session,
                  struct pair *pair, struct ent_err *err);
/* The hellos agreed: the peer holds what we hold. */
int exchange_equal(struct ent_engine *engine, struct session *session,
                   struct pair *pair, struct ent_err *err);
int exchange_take(struct ent_engine *engine, struct session *session,
                  const struct ent_frame *frame, struct ent_err *err);
int exchange_tick(struct ent_engine *engine, struct session *session,
                  struct pair *pair, struct ent_err *err);
void exchange_fini(struct pair *pair);
/* Whether the roster lets the peer have content, now. */
bool ent_pair_may_have(struct ent_engine *engine, const struct session *session,
                       const struct pair *pair);

/* -------------------------------------------------------------- frontier.c */

bool ent_frontier_same_log(const struct ent_frontier_head *a,
                           const struct ent_key *author,
                           const struct ent_id *origin);
/* Remember a head of the peer: a higher one of the same log takes the place of
 * the lower, branches of a fork stand beside each other by their hash.
 * ENT_ENOMEM. */
int ent_frontier_keep_head(struct ent_engine *engine, struct pair *pair,
                           const struct ent_frontier_head *head,
                           struct ent_err *err);
/* Remember a frontier as it is said: no head stands for another. `first`
 * forgets what was known before. ENT_ENOMEM. */
int ent_frontier_keep(struct pair *pair, const struct ent_frame *frame,
                      bool first, struct ent_err *err);
/* The peer's highest head of a log, NULL when it has none of it. */
const struct ent_frontier_head *ent_frontier_best(const struct pair *pair,
                                                  const struct ent_head *head);
/* Whether the peer holds that very head of ours, or a higher one above it. */
int ent_frontier_holds(struct ent_engine *engine, const struct pair *pair,
                       const struct ent_head *head, bool *holds,
                       struct ent_err *err);
/* Our frontier of a space; it lives in the arena of the step. */
int ent_frontier_own(struct ent_engine *engine, int64_t space,
                     struct ent_frontier_head **heads, size_t *count,
                     struct ent_err *err);
int ent_frontier_send(struct ent_engine *engine, struct session *session,
                      struct pair *pair, struct ent_err *err);

/* ---------------------------------------------------------------- roster.c */

/* The digests of a space, and its roster's as it goes into a frame. */
int ent_pair_roster8(struct ent_engine *engine, int64_t space,
                     struct ent_digest *digest, struct ent_hash8 *hash,
                     struct ent_err *err);
/* Say which roster entries we hold, to be sent the others. */
int ent_pair_offer_roster(struct ent_engine *engine, struct session *session,
                          struct pair *pair, struct ent_err *err);
/* Both rosters are the same now; what the peer may have is known. */
int ent_pair_roster_settled(struct ent_engine *engine, struct session *session,
                            struct pair *pair, struct ent_err *err);
int ent_pair_take_roster_have(struct ent_engine *engine,
                              struct session *session, struct pair *pair,
                              const struct ent_frame *frame,
                              struct ent_err *err);
int ent_pair_take_roster(struct ent_engine *engine, struct session *session,
                         struct pair *pair, const struct ent_frame *frame,
                         struct ent_err *err);

/* ------------------------------------------------------------------ pull.c */

/* Ask for what is lacked; when that is nothing, settle. Called again when a
 * range that another session held is free. */
int exchange_pull(struct ent_engine *engine, struct session *session,
                  struct pair *pair, struct ent_err *err);
/* Pull, and settle at the end of it even when nothing is lacked. */
int ent_pair_begin_pull(struct ent_engine *engine, struct session *session,
                        struct pair *pair, struct ent_err *err);
/* Ask again for what waited because its author has begun very many logs. */
int ent_pair_pull_more(struct ent_engine *engine, struct session *session,
                       struct pair *pair, struct ent_err *err);
/* Free the ranges that a connection was asked for; space 0: all of them. */
void exchange_release(struct ent_engine *engine, uint32_t conn, int64_t space);
int ent_pair_take_runs(struct ent_engine *engine, struct session *session,
                       struct pair *pair, const struct ent_frame *frame,
                       struct ent_err *err);
int ent_pair_take_news(struct ent_engine *engine, struct session *session,
                       struct pair *pair, const struct ent_frame *frame,
                       struct ent_err *err);

/* ----------------------------------------------------------------- serve.c */

/* Tell the peer about heads it does not hold, as far as we know (S4). */
int exchange_news(struct ent_engine *engine, struct session *session,
                  struct pair *pair, struct ent_err *err);
int ent_pair_take_want(struct ent_engine *engine, struct session *session,
                       struct pair *pair, const struct ent_frame *frame,
                       struct ent_err *err);
int ent_pair_take_more(struct ent_engine *engine, struct session *session,
                       struct pair *pair, const struct ent_frame *frame,
                       struct ent_err *err);

/* ----------------------------------------------------------------- offer.c */

/* When the peer is the chair and the two hold the same: offer it what lies
 * beyond a cut and is aside here, unless it was offered before (A4). */
int ent_offer_make(struct ent_engine *engine, struct session *session,
                   struct pair *pair, struct ent_err *err);
/* Whether there is something to offer to that peer. */
bool ent_offer_is_due(struct ent_engine *engine, const struct session *session,
                      int64_t space);
/* What was not taken is offered again in time. */
int ent_offer_tick(struct ent_engine *engine, struct session *session,
                   struct pair *pair, struct ent_err *err);
bool ent_offer_is_overdue(const struct ent_engine *engine,
                          const struct pair *pair);
void ent_offer_fini(struct pair *pair);
int ent_pair_take_aside(struct ent_engine *engine, struct session *session,
                        struct pair *pair, const struct ent_frame *frame,
                        struct ent_err *err);
int ent_pair_take_aside_want(struct ent_engine *engine, struct session *session,
                             struct pair *pair, const struct ent_frame *frame,
                             struct ent_err *err);

/* ---------------------------------------------------------------- settle.c */

/* Count in the replica the entries that went to the peer since the last time.
 */
int ent_session_count_sent(struct ent_engine *engine, struct session *session,
                           struct ent_err *err);
/* Everything asked for has come: show the digest that both must reach, and
 * what nodes are known to hold. */
int ent_pair_settle(struct ent_engine *engine, struct session *session,
                    struct pair *pair, struct ent_err *err);
/* The two have nothing to ask and still do not hold the same: news of one
 * branch of a log may have hidden another. Show our whole frontier again, and
 * settle, so that the peer comes to do so too; after ever longer pauses. */
int ent_pair_show_again(struct ent_engine *engine, struct session *session,
                        struct pair *pair, struct ent_err *err);
/* Done is what has nothing left to ask, to answer or to show. */
void ent_pair_check_done(struct pair *pair);
/* Equal entries and roster must give an equal state; anything else is an
 * alarm and never hidden (S5). */
int ent_pair_take_settled(struct ent_engine *engine, struct session *session,
                          struct pair *pair, const struct ent_frame *frame,
                          struct ent_err *err);
int ent_pair_take_said_have(struct ent_engine *engine, struct session *session,
                            struct pair *pair, const struct ent_frame *frame,
                            struct ent_err *err);
int ent_pair_take_said(struct ent_engine *engine, struct session *session,
                       struct pair *pair, const struct ent_frame *frame,
                       struct ent_err *err);

#endif
