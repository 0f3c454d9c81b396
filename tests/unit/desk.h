/* desk.h - the fixture of tests about one node: its home, and a store open over
 * it with one space. */
#ifndef ENT_TESTS_DESK_H
#define ENT_TESTS_DESK_H

#include <check.h>

#include "model/kind.h"
#include "secure/rand.h"
#include "store/store.h"

#define NOW_MS 1700000000000

extern struct ent_err err;
extern struct ent_kinds kinds;
extern struct ent_rand rnd;
extern struct ent_store *store;
extern int64_t space;
extern char dir[64]; /* the home */

#define ck_ok(rc) ck_assert_msg((rc) == 0, "%s", err.text)

/* For tcase_add_checked_fixture. */
void desk_setup(void);
void desk_teardown(void);

/* Close the store and open it anew: as another command, as one that only reads,
 * or as one whose writes can be undone. */
void desk_close(void);
void desk_open(bool read_only, bool keep_last);

#endif
