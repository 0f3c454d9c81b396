/* script.h - what a node does all day, as steps that may fail: one replica
 * that is tried, a second one on a sound disk that it talks to, and a picture
 * of the whole replica to compare with.
 * A step is planned and settled outside of the trial; only script_run touches
 * the replica that is tried. Everything comes from the seed. */
#ifndef ENT_TESTS_FAULTS_SCRIPT_H
#define ENT_TESTS_FAULTS_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "secure/rand.h"
#include "store/records.h"
#include "store/runs.h"
#include "store/spaces.h"

#define SCRIPT_RECORDS 24     /* records that are changed again and again */
#define SCRIPT_TEXT_MAX 4000  /* bytes of a long value: more than a page */
#define SCRIPT_DIR_BYTES 128  /* of the folder everything is in */
#define SCRIPT_PATH_BYTES 192 /* of a home in it */

enum script_step {
    SCRIPT_SET,     /* one field of one record */
    SCRIPT_TAG,     /* an element of a set comes or goes */
    SCRIPT_LIFE,    /* a record is deleted, or comes back */
    SCRIPT_BULK,    /* many new records, all operations */
    SCRIPT_ABORT,   /* a writer that thinks better of it */
    SCRIPT_RESOLVE, /* a conflict is settled */
    SCRIPT_TAKE,    /* runs of the other one */
    SCRIPT_SERVE,   /* tails are signed, runs are read */
    SCRIPT_SAID,    /* the signed frontier */
    SCRIPT_INVITE,
    SCRIPT_ADMIT, /* somebody new, on the roster */
    SCRIPT_SPACE, /* another space */
    SCRIPT_ERASE, /* a record of the last many, by the roster */
    SCRIPT_SCRUB, /* and out of the file */
    SCRIPT_SEARCH,
    SCRIPT_READ, /* records, histories, conflicts, digests */
    SCRIPT_VERIFY,
    SCRIPT_REBUILD,
    SCRIPT_CHECKPOINT,
    SCRIPT_CLOSE, /* and open again */
    SCRIPT_STEPS
};

struct script_picture { /* of everything in the file that is not of this copy */
    uint64_t all;
    uint64_t firm; /* without the word index, which follows behind */
};

struct script {
    uint64_t seed;
    char dir[SCRIPT_DIR_BYTES];
    char home[SCRIPT_PATH_BYTES];
    struct ent_rand rand; /* of the choices */
    struct ent_rand store_rand;
    struct ent_rand peer_rand;
    struct ent_store *store;
    struct ent_store *peer;
    int64_t space, peer_space;
    int64_t now_ms;
    int64_t number; /* of the transaction: in its texts */
    int64_t bulk;   /* of the last one that made many records; 0: none */
    int erased;     /* of those */

    /* The newest own entry that the other one has seen. */
    struct ent_id shown_origin;
    uint64_t shown_seq;

    /* The plan. */
    enum script_step step;
    bool again; /* the other one has written what was not taken yet */
    int record;
    uint32_t field;
    bool other; /* removed, deleted, a long text */
    char text[SCRIPT_TEXT_MAX + 1];
    struct ent_key key;
    struct ent_arena arena;
    struct ent_run *runs;
    size_t run_count;
};

extern const struct ent_kinds script_kinds;
extern const char *const script_names[SCRIPT_STEPS];

/* A folder of its own, on a disk in memory when there is one; script_end
 * removes it. */
void script_begin(struct script *script, uint64_t seed);
void script_end(struct script *script);

struct ent_store_options script_options(struct script *script);
/* The replica that is tried; the space and the other member. */
void script_create(struct script *script);
void script_found(struct script *script);

enum script_step script_choose(struct script *script);
void script_plan(struct script *script, enum script_step step);
/* 0 or the error. After SCRIPT_CLOSE failed, `store` is NULL. */
int script_run(struct script *script, struct ent_err *err);
/* What was shown to the other one is taken by it. */
void script_settle(struct script *script);

/* The file as `db`, a sqlite3 *, sees it. */
struct script_picture script_picture(void *db);
struct script_picture script_picture_of(struct ent_store *store);
/* Clean, or the program ends. */
void script_verify(struct script *script, struct ent_store *store, bool deep);
/* Remove a folder with the files in it. */
void script_remove(const char *dir);

__attribute__((noreturn, format(printf, 2, 3))) void
script_die(const struct script *script, const char *fmt, ...);
/* What to say beside a failure: how to repeat it. */
extern void (*script_repeat)(const struct script *script);

#endif
