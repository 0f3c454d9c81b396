/* lies.h - what liar.c and lies.c share: the liars, their connections, and what
 * each of their lies is made with. */
#ifndef ENT_TESTS_SIM_LIES_H
#define ENT_TESTS_SIM_LIES_H

#include "codec/frame.h"
#include "liar.h"

#define LIES_TALKS 32
#define LIES_KEPT 12

/* A connection, and what its spaces are called in it. */
struct talk {
    uint32_t conn;
    int peer;
    bool dialled;
    struct ent_hash8 tags[NET_SPACES_MAX];
};

/* One liar. */
struct one {
    int node;
    struct ent_keys stranger; /* of nobody; a liar may have admitted it */
    int hides; /* the node whose logs it does not tell of, or -1 */
    struct talk talks[LIES_TALKS];
    size_t talk_count; /* ever */
    struct ent_buf kept[LIES_KEPT];
    size_t kept_count; /* ever */
    int rosters, floods, goods;
};

struct liar {
    struct net *net;
    struct ent_rand rand;
    struct one ones[LIARS_MAX];
    int count;
    int records;
    int64_t deeds[LIAR_DEEDS];
    int64_t texts;
    struct ent_arena arena;
};

size_t lies_below(struct liar *liar, size_t bound);
bool lies_chance(struct liar *liar, int percent);
const struct ent_keys *lies_keys(const struct liar *liar, int node);
int lies_some_honest(struct liar *liar);
void lies_did(struct liar *liar, enum liar_deed deed);

/* An open connection with somebody else, or the same when there is none. */
const struct talk *lies_other_talk(const struct liar *liar,
                                   const struct one *one,
                                   const struct talk *talk);

/* One lie about a space, drawn, over an open connection. */
void lies_act(struct liar *liar, struct one *one, const struct talk *talk,
              int space);
void lies_speak(struct liar *liar, const struct one *one,
                const struct talk *talk, const struct ent_frame *frame);
/* A log that nobody has, more of one than there is, or another entry under its
 * last number. */
void lies_falsify(struct liar *liar, struct ent_frontier_head *head);

#endif
