/* members.h - what the chair decides about members, and how the chair passes
 * on (rules A2 to A4). Admission is in spaces.h. */
#ifndef ENT_STORE_MEMBERS_H
#define ENT_STORE_MEMBERS_H

#include "base/version.h"
#include "store/spaces.h"

/* Change a member's role between editor and reader (chair only). To reader it
 * carries a cut: what was written and has not come to the chair by now counts
 * nowhere. ENT_EDENIED: not the chair. ENT_ENOTFOUND: no member. ENT_EUSAGE:
 * the chair itself, or the role held already, unless the member is suspended:
 * then it is the answer that ends it (A2). */
ENT_NODISCARD int ent_member_set_role(struct ent_store *store, int64_t space,
                                      const struct ent_key *key,
                                      enum ent_role role, int64_t now_ms,
                                      struct ent_err *err);

/* Remove a member (chair only), with a cut as above. `reason` is kept in the
 * roster, for all members to read; may be empty. */
ENT_NODISCARD int ent_member_remove(struct ent_store *store, int64_t space,
                                    const struct ent_key *key,
                                    const char *reason, int64_t now_ms,
                                    struct ent_err *err);

/* A member's lost or changed key: the new one takes over its role and its
 * owned records, and the old one is cut (chair only). */
ENT_NODISCARD int ent_member_replace(struct ent_store *store, int64_t space,
                                     const struct ent_key *old,
                                     const struct ent_key *key, int64_t now_ms,
                                     struct ent_err *err);

/* The deputies from now on, any order (chair only). ENT_ENOTFOUND: one is no
 * member. */
ENT_NODISCARD int ent_deputies_set(struct ent_store *store, int64_t space,
                                   const struct ent_key *keys, size_t count,
                                   int64_t now_ms, struct ent_err *err);

/* The least version of the program that may write records in the space; all
 * zero: any (chair only). It binds each program by itself: what older ones
 * wrote all the same counts (A2). ENT_EUSAGE: this program is older. */
ENT_NODISCARD int ent_space_require(struct ent_store *store, int64_t space,
                                    const struct ent_version *version,
                                    int64_t now_ms, struct ent_err *err);
/* ENT_EDENIED: this program is too old to write in the space. */
ENT_NODISCARD int ent_space_check_version(struct ent_store *store,
                                          int64_t space, struct ent_err *err);

/* ------------------------------------------------------ what others decided */

/* When the chair took from this node what it might do in a space: one sentence
 * into `buf` with who did it, when by its claim, and why. 1: it did. 0: it did
 * not, or gave it back since. */
ENT_NODISCARD int ent_space_lost(struct ent_store *store, int64_t space,
                                 struct ent_buf *buf, struct ent_err *err);

/* Whether this node, as the chair of a space, has to meet another member before
 * it writes in the roster, because its replica was put back or copied and
 * others may hold more (A2). */
ENT_NODISCARD int ent_space_unmet(struct ent_store *store, int64_t space,
                                  bool *unmet, struct ent_err *err);
/* The same as an error. ENT_EDENIED: it has to. */
ENT_NODISCARD int ent_space_check_met(struct ent_store *store, int64_t space,
                                      struct ent_err *err);
/* A session with another member of the space had nothing left to do. */
ENT_NODISCARD int ent_space_met(struct ent_store *store, int64_t space,
                                struct ent_err *err);

/* An entry of the roster that is off the chain: void, kept, and listed for the
 * chair to repeat (A2). */
struct ent_void {
    uint64_t pos;
    uint32_t kind; /* enum ent_roster_kind, or one of a newer program */
    struct ent_key author;
    char author_org[ENT_NAME_BYTES_MAX + 1];
    int64_t claimed_ms;
    int64_t since_ms; /* claimed by what stands in its place on the chain */
    bool about;       /* about a member */
    struct ent_key member;
    char member_org[ENT_NAME_BYTES_MAX + 1];
    enum ent_role role;   /* ADMIT, ROLE */
    struct ent_id erased; /* ERASE: the record */
    bool repeat; /* a chair wrote it, and no chair answered since (A2) */
};

/* All of a space, by position; free() the list. */
ENT_NODISCARD int ent_void_list(struct ent_store *store, int64_t space,
                                struct ent_void **list, size_t *count,
                                struct ent_err *err);
/* The command that wrote it, and may repeat it; NULL: of a newer program. */
const char *ent_void_command(const struct ent_void *entry);

/* Sentences, one a line, about who is proven to have written two entries after
 * one, or voted for two successions of a term (A2). */
ENT_NODISCARD int ent_space_proofs(struct ent_store *store, int64_t space,
                                   struct ent_buf *lines, struct ent_err *err);

/* ------------------------------------------------------------- successions */

/* This node's vote, as chair or deputy, for the next chair: one line of text,
 * for the roster as it stands. ENT_EDENIED: neither chair nor deputy. */
ENT_NODISCARD int ent_vote_make(struct ent_store *store, int64_t space,
                                const struct ent_key *next,
                                struct ent_buf *line, struct ent_err *err);

/* Become the chair of a space with votes as lines: the present chair's, or
 * those of at least two and more than half of the deputies. ENT_EREFUSED: a
 * line that is mangled or of another space, node or state of the roster.
 * ENT_EDENIED: not enough of them. */
ENT_NODISCARD int ent_succeed(struct ent_store *store, int64_t space,
                              const char *const *lines, size_t count,
                              int64_t now_ms, struct ent_err *err);

/* ------------------------------------------------------------ what was cut */

/* Entries of a log that were set aside, up to n as ent_quarantine_list numbers
 * them, count again everywhere (chair only). ENT_ENOTFOUND. ENT_EUSAGE: an
 * entry in quarantine that no readmission heals. */
ENT_NODISCARD int ent_quarantine_readmit(struct ent_store *store, int64_t n,
                                         int64_t now_ms, struct ent_err *err);

#endif
