/* invariants.h - what must hold among nodes, whatever happened to them.
 * Each function ends the program with the seed and what it found when the
 * invariant does not hold (docs/testing.md lists them with their numbers).
 * Nodes that are looked at must be on. */
#ifndef ENT_TESTS_SIM_INVARIANTS_H
#define ENT_TESTS_SIM_INVARIANTS_H

#include "liar.h"

/* What a client was told about one transaction. */
enum inv_told {
    INV_OK,      /* it is durable */
    INV_FAILED,  /* nothing of it may be seen, ever */
    INV_UNKNOWN, /* power went meanwhile, or a backup was put back */
};

struct inv_write {
    enum inv_told told;
    int node, space;
    int64_t number; /* its texts begin with "t<number>." */
    struct ent_id origin;
    uint64_t seq; /* of the entry; 0: it changed nothing */
    struct ent_hash hash;
};

/* The client journal: every transaction of a run. */
struct inv_journal {
    struct inv_write *writes;
    size_t count, cap;
    int writing; /* the space of the transaction that is not in it yet */
};

void inv_journal_fini(struct inv_journal *journal);
/* Add what the client was told; an OK one is the node's newest entry, if that
 * is newer than (`origin`, `before`). */
void inv_journal_add(struct net *net, struct inv_journal *journal, int node,
                     int space, int64_t number, enum inv_told told,
                     uint64_t before);
/* Number of the node's own newest entry in a space. */
uint64_t inv_own_head(struct net *net, int node, int space);
/* A backup was put back: what no node that is on holds may be gone. */
void inv_journal_restored(struct net *net, struct inv_journal *journal,
                          int node);

/* The chair cuts what a node writes: what it does not hold of it may go. */
void inv_journal_cut(struct net *net, struct inv_journal *journal, int node,
                     int space);

/* I1: same roster, entries, state, shown values and conflicts. */
void inv_equal(struct net *net, const int *nodes, size_t count, int space,
               int records);
/* A2, I12: the chair is who founded the space, and nobody is a member but nodes
 * of the net: what others decided is void. */
void inv_roster(struct net *net, int node, int space);
/* I2: what was acknowledged is there, what failed is not. */
void inv_writes(struct net *net, const struct inv_journal *journal, int node,
                int space);
/* I5 to I8: the state, and the sum over owned records, are the naive model's of
 * the entries held. */
void inv_model(struct net *net, int node, int space);
/* I4: the entries delivered to an empty node, in runs cut anywhere, in any
 * order, some of them again, give the same digests. */
void inv_replay(struct net *net, int node, int space, struct ent_rand *rand);
/* I11, I17: chains, signatures and rows verify; made anew they are the same. */
void inv_replica(struct net *net, int node, bool rebuild);
/* L7, S10: a node that was off has what it signed before that it holds, as far
 * as others know of it. Not for a replica that was put back or copied. */
void inv_said(struct net *net, int node);
/* I10: a frame of an honest node to one that is no member of a space by the
 * sender's own roster brings nothing of that space. Whether there was one to
 * look for. `liars` may be NULL. */
bool inv_confined(struct net *net, const struct inv_journal *journal,
                  const struct liar *liars, int from, int to,
                  struct ent_slice bytes);
/* I13: received = applied + duplicate + quarantined + refused + waiting, and
 * nothing of an honest peer is refused; no log forks where nobody forks one. */
void inv_counts(struct net *net, int node, bool forks);
/* Whether others showed the node more of its own log than it had (N3). */
bool inv_left_own_log(struct net *net, int node);
/* I14: the WAL is bounded. */
void inv_bounds(struct net *net, int node);
/* What a member holds beyond a cut came to the chair it is linked with (A4);
 * the number of chains. */
int64_t inv_offered(struct net *net, int chair, int node, int space);
/* Texts that were written to a record before it was erased. */
struct inv_canaries {
    struct {
        int space;
        char text[32];
    } * list;
    size_t count, cap;
};

/* I9, E1, E2: nothing stands of what is erased, no entry has values of it, and
 * no file of the node a text that was in it. The number of erasures. */
int64_t inv_erased(struct net *net, int node, int space,
                   const struct inv_canaries *canaries);
/* E3: what a node lacks, and was not erased, none of these has: its author kept
 * the values to itself. */
void inv_whole(struct net *net, int node, const int *nodes, size_t count,
               int space);
/* E4: all of these have told `asked` that they carried out what it knows of. */
void inv_erased_said(struct net *net, int asked, const int *nodes, size_t count,
                     int space);
/* I16: nodes that are equal send next to nothing. */
void inv_idle(struct net *net, const int *nodes, size_t count);

#endif
