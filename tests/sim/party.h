/* party.h - the fixture of tests about one space: a chair and its members, who
 * know its roster and cannot reach each other until they meet. Node 0 is the
 * chair. Nothing here is for the simulator itself. */
#ifndef ENT_TESTS_PARTY_H
#define ENT_TESTS_PARTY_H

#include <check.h>

#include "net.h"

#define PARTY_MINUTE 60000

extern struct net *net;
extern int space; /* as net.h counts them */
extern struct ent_err err;

#define ck_ok(expr)                                                            \
    do {                                                                       \
        int rc_ = (expr);                                                      \
        ck_assert_msg(rc_ == 0, "%s: %s", #expr, err.text);                    \
    } while (0)

/* `nodes` of them, of which the first `members` belong to the space. */
void party_begin(int nodes, int members);
void party_end(void);

const struct ent_key *key_of(int node);
struct ent_store *store_of(int node);
int64_t number(int node); /* of the space in its replica */

/* A title written, and all those that stand, as net_values gives them. */
void set(int node, int record, const char *text);
void check_values(int node, int record, const char *expected);

/* Two nodes meet and part; the first one dials. */
void meet(int a, int b);

/* Sound in itself, and the same when it is made anew from its log. */
void check_sound(int node);
/* Two that are sound, with one digest. */
void check_equal(int a, int b);

/* Run a suite; the number of failures, for main to return. */
int party_run(Suite *suite);

#endif
