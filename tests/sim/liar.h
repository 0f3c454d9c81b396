/* liar.h - members with a real key and a changed program.
 * A liar has an honest replica and engine, and stands between that engine and
 * its links: most of what the engine says goes out as it is, some of it is
 * changed or swallowed, and more is said than the engine knows of: entries and
 * roster entries that are right in form and signed, and wrong in one respect;
 * frames of other sessions and spaces; too much of everything. It never makes
 * two entries of one number: forks are another matter (rule A8).
 *
 * All it does is drawn from a seed of its own. */
#ifndef ENT_TESTS_SIM_LIAR_H
#define ENT_TESTS_SIM_LIAR_H

#include "net.h"

#define LIARS_MAX 2

/* What was done, for what must be met (I19). */
enum liar_deed {
    LIAR_GOOD,      /* a forged entry that is right: the forge works */
    LIAR_ROLE,      /* by a reader, or by who is removed */
    LIAR_BACKDATED, /* names a roster head before a cut of its author */
    LIAR_AUTHOR,    /* under another member's key */
    LIAR_SIGNATURE, /* signed by a key of nobody */
    LIAR_STRANGER,  /* by a key of nobody, or one a liar admitted */
    LIAR_PREVIOUS,  /* follows an entry that it does not follow */
    LIAR_SPACE,     /* of another space */
    LIAR_UNKNOWN,   /* names a roster head that is not there */
    LIAR_ROSTER,    /* a roster entry without the right to it */
    LIAR_HEADS,     /* heads of entries that do not exist, or are others */
    LIAR_SAID,      /* the same, signed */
    LIAR_HIDES,     /* the logs of a third member left out */
    LIAR_SHORT,     /* an answer that ends too early */
    LIAR_STRIPS,    /* entries without their values */
    LIAR_MUTE,      /* a frame that was not sent */
    LIAR_REPLAY,    /* a frame of an earlier session */
    LIAR_ELSEWHERE, /* a frame said again in another space */
    LIAR_FLOOD,     /* dozens of frames at once */
    LIAR_FORKS,     /* two entries under one number, told to two of its peers */
    LIAR_PRIES,     /* asks for a space it is no member of */
    LIAR_DEEDS
};

extern const char *const liar_deeds[LIAR_DEEDS];

struct liar;

/* Takes the net's hooks; `records` is how many the nodes write to. */
struct liar *liar_new(struct net *net, uint64_t seed, int records);
void liar_free(struct liar *liar);
/* A node lies from now on. */
void liar_add(struct liar *liar, int node);
/* One of them does something of its own accord. */
void liar_turn(struct liar *liar);
int64_t liar_count(const struct liar *liar, enum liar_deed deed);

/* The space that a tag names between a liar and a peer, as far as it is known;
 * -1: none. */
int liar_space(const struct liar *liar, int node, int peer,
               const struct ent_hash8 *tag);

#endif
