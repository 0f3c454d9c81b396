/* peers.h - what this node knows of other nodes: where to dial them, what
 * passed between us, what they hold (rule S10). Local tables: none of this is
 * replicated except the signed frontiers themselves. */
#ifndef ENT_STORE_PEERS_H
#define ENT_STORE_PEERS_H

#include "store/store.h"

struct ent_peer {
    struct ent_key key;
    char endpoint[ENT_ENDPOINT_MAX + 1]; /* given by a person, or "" */
    int64_t last_heard_ms;               /* 0: never */
    int64_t clock_offset_ms;             /* theirs minus ours */
    /* Entries: received = applied + duplicate + quarantined + refused +
     * waiting (rule S6). */
    int64_t received, applied, duplicate, quarantined, refused, waiting;
    int64_t sent;
};

ENT_NODISCARD int ent_peer_add(struct ent_store *store,
                               const struct ent_key *key, const char *endpoint,
                               struct ent_err *err);
ENT_NODISCARD int ent_peer_remove(struct ent_store *store,
                                  const struct ent_key *key,
                                  struct ent_err *err);
/* A peer was heard of just now; its clock against ours. Kept once a minute: a
 * session that has nothing to do costs no write. */
ENT_NODISCARD int ent_peer_heard(struct ent_store *store,
                                 const struct ent_key *key, int64_t now_ms,
                                 int64_t offset_ms, struct ent_err *err);
/* A message of a peer broke a rule: one more received, one more refused. */
ENT_NODISCARD int ent_peer_refused(struct ent_store *store,
                                   const struct ent_key *key,
                                   struct ent_err *err);
/* Entries went out to a peer. */
ENT_NODISCARD int ent_peer_sent(struct ent_store *store,
                                const struct ent_key *key, int64_t count,
                                struct ent_err *err);
/* free() the list. */
ENT_NODISCARD int ent_peer_list(struct ent_store *store, struct ent_peer **list,
                                size_t *count, struct ent_err *err);

/* Endpoints of a node: what a person gave, then what the node itself signed.
 * At most `max`; the number found. */
ENT_NODISCARD int ent_peer_endpoints(struct ent_store *store,
                                     const struct ent_key *key,
                                     char endpoints[][ENT_ENDPOINT_MAX + 1],
                                     size_t max, size_t *count,
                                     struct ent_err *err);

/* The endpoints this node tells members about; kept, signed at the next
 * frontier. */
ENT_NODISCARD int ent_self_endpoints_set(struct ent_store *store,
                                         const char *const *endpoints,
                                         size_t count, struct ent_err *err);

/* What one node said it holds of a space, from its newest signed frontier. */
struct ent_holding {
    struct ent_key key;
    int64_t claimed_ms;
    uint64_t roster_pos;
    int64_t missing; /* entries we hold that it did not, at that time */
};

/* One per member that ever signed a frontier we received; free() the list. */
ENT_NODISCARD int ent_holding_list(struct ent_store *store, int64_t space,
                                   struct ent_holding **list, size_t *count,
                                   struct ent_err *err);

/* Whether a node's newest signed frontier covers the entry at n: 1 yes, 0 no
 * or not known. For `explain`. */
ENT_NODISCARD int ent_holding_covers(struct ent_store *store, int64_t n,
                                     const struct ent_key *key,
                                     struct ent_err *err);

/* Counts for `status`. */
struct ent_space_counts {
    int64_t logs, entries, records, conflicts, quarantined, forks;
};
ENT_NODISCARD int ent_space_counts(struct ent_store *store, int64_t space,
                                   struct ent_space_counts *counts,
                                   struct ent_err *err);

/* Alarms that stand for a space: translated sentences, one a line. */
ENT_NODISCARD int ent_space_alarms(struct ent_store *store, int64_t space,
                                   struct ent_buf *lines, struct ent_err *err);

/* Raise or take back an alarm of a space: "fork" of an author, "diverged" from
 * a peer, "aside" of an author of whose cut entries there is no room for all.
 */
ENT_NODISCARD int ent_alarm_set(struct ent_store *store, int64_t space,
                                const char *what, struct ent_slice subject,
                                bool on, int64_t now_ms, struct ent_err *err);

/* One quarantined entry. */
struct ent_quarantined {
    int64_t n;
    int64_t space;
    struct ent_id origin;
    uint64_t seq;
    struct ent_key author;
    const char *reason; /* a text to translate */
};

/* Of one space or all (0); free() the list. */
ENT_NODISCARD int ent_quarantine_list(struct ent_store *store, int64_t space,
                                      struct ent_quarantined **list,
                                      size_t *count, struct ent_err *err);

#endif
