/* trial.h - every step of a node's day, failing at each of its points.
 * A point is whatever the tester counts: calls of the disk, or of the memory.
 * The rules are the same: a step that failed said so and left nothing; what
 * was acknowledged stands; and when all is well again, it works again. */
#ifndef ENT_TESTS_FAULTS_TRIAL_H
#define ENT_TESTS_FAULTS_TRIAL_H

#include "script.h"

struct trial {
    struct script script;
    const char *program;
    const char *const *modes; /* ways to fail */
    int mode_count;
    uint64_t (*calls)(struct trial *trial);
    /* The first point from number `at` on fails, in that way. */
    void (*arm)(struct trial *trial, uint64_t at, int mode);
    bool (*disarm)(struct trial *trial); /* whether it was met */
    /* A failed step of which all may be there when the file is opened again:
     * nobody knows what a disk did that failed to sync. */
    bool (*in_doubt)(struct trial *trial, int mode);
    /* The program ended while it was bad; may be NULL. */
    void (*ended)(struct trial *trial);
    /* What was acknowledged must stand even now; may be NULL. */
    void (*acknowledged)(struct trial *trial);
    void *ctx;

    long each;     /* points of a step that are tried */
    int only_step; /* -1: all */
    bool verbose;

    int mode;
    uint64_t at;
    uint64_t spent; /* points of the last step */

    struct script_picture picture;
    long cases, failed, stood, doubts, reopened, no_memory, made;
    long by_step[SCRIPT_STEPS];
};

/* Options of the command line; ends the program when they are wrong. */
void trial_options(struct trial *trial, int argc, char **argv);
/* `home_made` is called when the home is known, before it is made. Returns
 * when every step was tried, and prints the line that says so. */
int trial_run(struct trial *trial, void (*home_known)(struct trial *trial));

#endif
