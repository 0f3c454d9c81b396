/* roster.h - who belongs to a space: the governance log as a pure function.
 * The state is a function of the set of roster entries held, never of the
 * order they came in (rules A1 to A4). Entries of kinds this program does not
 * act on keep their place without effect. */
#ifndef ENT_MODEL_ROSTER_H
#define ENT_MODEL_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/id.h"
#include "base/version.h"
#include "model/kind.h"

enum ent_role {
    ENT_ROLE_NONE,
    ENT_ROLE_READER,
    ENT_ROLE_EDITOR,
    ENT_ROLE_CHAIR
};

/* Kinds of roster entry (A2). Of what newer programs write the arguments are
 * not looked at. */
enum ent_roster_kind {
    ENT_ROSTER_FOUND = 1,
    ENT_ROSTER_ADMIT = 2,
    ENT_ROSTER_ROLE = 3,
    ENT_ROSTER_REMOVE = 4,
    ENT_ROSTER_READMIT = 5,
    ENT_ROSTER_REPLACE = 6,
    ENT_ROSTER_DEPUTIES = 7,
    ENT_ROSTER_SUCCEED = 8,
    ENT_ROSTER_OWN_FIELD = 9,
    ENT_ROSTER_ERASE = 10,
    ENT_ROSTER_MIN_VERSION = 11,
};

/* The head of a log, or of a branch of one, that a cut keeps (A4). */
struct ent_cut_head {
    struct ent_id origin;
    uint64_t seq;
    struct ent_hash hash;
    struct ent_slice sig; /* the member's, over that head: what is kept can be
                           * passed on without what is not */
};

struct ent_vote {
    struct ent_key key;
    struct ent_slice sig; /* checked when the entry is taken */
};

/* One roster entry as the rules see it; borrowed from its bytes. */
struct ent_roster_entry {
    struct ent_hash hash;
    struct ent_hash prev; /* zero for the first */
    uint64_t pos;         /* from 1 */
    struct ent_key author;
    int64_t time_ms;
    uint32_t term; /* from 1 */
    uint32_t kind;
    /* FOUND: the founder's organisation and the titles */
    struct ent_slice org;
    struct ent_slice title_en, title_fr;
    uint8_t nonce[16];
    /* ADMIT, ROLE, REMOVE, READMIT, REPLACE: whom it is about */
    struct ent_key member;
    enum ent_role role;      /* ADMIT, ROLE */
    struct ent_hash8 invite; /* ADMIT; zero: none */
    struct ent_key next;     /* REPLACE: the new key */
    struct ent_slice reason; /* REMOVE */
    /* ROLE to reader, REMOVE, REPLACE: what is kept; READMIT: what comes back.
     * Ascending by origin, number, hash. */
    struct ent_cut_head *heads;
    size_t head_count;
    struct ent_key *keys; /* DEPUTIES, ascending */
    size_t key_count;
    struct ent_vote *votes; /* SUCCEED, ascending by key */
    size_t vote_count;
    struct ent_own_field own;   /* OWN_FIELD; number 0: one that means nothing
                                 * to this program */
    struct ent_version version; /* MIN_VERSION */
    /* ERASE: the record (E1); kind 0: one that means nothing to this program */
    uint32_t erased_kind;
    struct ent_id erased_id;
};

/* What a key might do from a position on; newest first. */
struct ent_roster_step {
    uint64_t pos;
    enum ent_role role;
    const struct ent_roster_step *before;
};

/* An entry of the chain about somebody; newest first. */
struct ent_roster_mention {
    const struct ent_roster_entry *entry;
    const struct ent_roster_mention *before;
};

/* A key that the chain ever named as a member, member or not by now. */
struct ent_roster_person {
    struct ent_key key;
    struct ent_slice org;
    uint64_t since; /* position of the entry that admitted it last */
    const struct ent_roster_step *steps;
    const struct ent_roster_mention *cuts;     /* of its logs (A4) */
    const struct ent_roster_mention *readmits; /* which widen them */
    const struct ent_roster_person *became;    /* REPLACE; NULL: nobody */
    const struct ent_roster_person *was;
};

struct ent_roster_member {
    struct ent_key key;
    enum ent_role role;
    struct ent_slice org;
    uint64_t since;
    bool deputy;
};

/* An entry that is off the chain: void, kept, to be repeated or not (A2). */
struct ent_roster_void {
    const struct ent_roster_entry *entry;
    uint64_t parted; /* the last position it has in common with the chain */
    bool repeat;     /* a chair wrote it, and the chain says nothing of whom it
                      * was about after the ways parted */
};

struct ent_roster {
    /* The valid ones; chain[i] is at i + 1. */
    const struct ent_roster_entry **chain;
    size_t length;
    uint32_t term;
    struct ent_roster_member *members; /* at the head, by admission; the chair
                                        * first */
    size_t member_count;
    struct ent_roster_person *people; /* ascending by key */
    size_t person_count;
    struct ent_roster_void *off; /* by position */
    size_t void_count;
    struct ent_key *suspended; /* removed by an entry that is void (A2) */
    size_t suspended_count;
    struct ent_key *forkers; /* authors of two entries after the same one */
    size_t forker_count;
    struct ent_key *double_voters; /* for two successions of one term */
    size_t double_voter_count;
    struct ent_version version; /* the least that may write records, by the
                                 * last entry of the chain about it */
    const struct ent_own_field **own; /* the space's own fields (L6), each as
                                       * the chain defined it last; in the order
                                       * it defined them first */
    size_t own_count;
    /* The entries of the chain that erase a record (E1), one each, the first;
     * ascending by kind and id. */
    const struct ent_roster_entry **erased;
    size_t erased_count;
};

/* The valid chain through `entries` (any order, no duplicates) and what follows
 * from it. Everything is allocated in `arena`, entries are borrowed. Votes are
 * taken as checked. ENT_ENOMEM. */
ENT_NODISCARD int ent_roster_build(const struct ent_roster_entry *entries,
                                   size_t count, struct ent_arena *arena,
                                   struct ent_roster *roster);

/* ------------------------------------------------------------------ the gate
 * Whether an entry is valid follows from those below it alone, by whose hashes
 * it is bound: what is not valid after them never will be, whatever else comes
 * (A2). */

struct ent_roster_gate;

enum ent_passage {
    ENT_PASSAGE_HELD,  /* already */
    ENT_PASSAGE_NONE,  /* never valid: its author was not the chair there, or
                        * has not the votes */
    ENT_PASSAGE_WAITS, /* the entry it follows is not held */
    ENT_PASSAGE_VOID,  /* valid, and off the chain for now */
    ENT_PASSAGE_CHAIN, /* valid, and the next of the chain */
};

/* A gate to `entries`, of which `roster` was built; all live as long. */
ENT_NODISCARD int ent_roster_gate_open(const struct ent_roster *roster,
                                       const struct ent_roster_entry *entries,
                                       size_t count, struct ent_arena *arena,
                                       struct ent_roster_gate **gate);
/* Where an entry would stand. */
enum ent_passage ent_roster_gate_look(struct ent_roster_gate *gate,
                                      const struct ent_roster_entry *entry);
/* It is held from now on. */
ENT_NODISCARD int ent_roster_gate_pass(struct ent_roster_gate *gate,
                                       const struct ent_roster_entry *entry);

/* NULL when the chain never named that key. */
const struct ent_roster_person *
ent_roster_person(const struct ent_roster *roster, const struct ent_key *key);

/* The entry of the chain that erases a record, or NULL. */
const struct ent_roster_entry *
ent_roster_erasure(const struct ent_roster *roster, uint32_t kind,
                   const struct ent_id *id);

/* Role of a key once the chain's first `pos` entries hold; a position beyond
 * the head counts as the head. */
enum ent_role ent_roster_role(const struct ent_roster *roster, uint64_t pos,
                              const struct ent_key *key);

/* The chair at the head; NULL when there is no roster yet. */
const struct ent_key *ent_roster_chair(const struct ent_roster *roster);
size_t ent_roster_deputies(const struct ent_roster *roster);
/* Whether a member was removed by an entry that became void and that the chair
 * has not answered: no session is held with it (A2). */
bool ent_roster_suspended(const struct ent_roster *roster,
                          const struct ent_key *key);

/* Position of the last valid entry at or below the head (pos, hash) named by
 * an entry; 0 when that head is not held (A3). */
uint64_t ent_roster_position(const struct ent_roster *roster,
                             const struct ent_roster_entry *entries,
                             size_t count, uint64_t pos,
                             const struct ent_hash8 *hash);

/* Whether an entry is that head or lies below it by its hashes; while the head
 * is not held, whether it counts by its number (A4). */
typedef bool ent_within_fn(void *ctx, const struct ent_cut_head *head);

enum ent_standing {
    ENT_STANDING_GOOD,
    ENT_STANDING_NO_ROLE, /* quarantined, keeps its place */
    ENT_STANDING_CUT      /* beyond a cut */
};

/* Where an entry of `author` stands that names a head whose position on the
 * chain is `pos` (`direct`: that head is itself on the chain) (A3, A4). */
enum ent_standing ent_roster_standing(const struct ent_roster *roster,
                                      const struct ent_key *author,
                                      uint64_t pos, bool direct,
                                      ent_within_fn *within, void *ctx);

/* An own field of a kind by its number, or by its name; NULL: none. */
const struct ent_field *ent_roster_own_field(const struct ent_roster *roster,
                                             uint32_t kind, uint32_t number);
const struct ent_field *ent_roster_own_named(const struct ent_roster *roster,
                                             uint32_t kind, const char *name);

/* The text of a role as stored and typed: chair, editor, reader. */
const char *ent_role_name(enum ent_role role);
ENT_NODISCARD bool ent_role_parse(const char *text, enum ent_role *role);

#endif
