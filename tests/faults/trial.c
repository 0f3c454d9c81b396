/* trial.c - see trial.h. */
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ERASED_MOST 4 /* of those made at once */
#define DEEP_EVERY 50 /* cases */

static struct trial *trial_now; /* for the line that repeats it */

static void repeat(const struct script *script)
{
    const struct trial *trial = trial_now;
    const char *name = trial->only_step < 0 && trial->by_step[SCRIPT_SET] == 0
                           ? "create"
                           : script_names[script->step];

    fprintf(stderr,
            "# %s, %s at point %llu of the step, case %ld; again with: %s "
            "--seed %llu --each %ld --verbose\n",
            name, trial->modes[trial->mode], (unsigned long long)trial->at,
            trial->cases, trial->program, (unsigned long long)script->seed,
            trial->each);
}

static void open_again(struct trial *trial)
{
    struct script *script = &trial->script;
    struct ent_store_options options = script_options(script);
    struct ent_err err;

    ent_store_close(script->store);
    script->store = NULL;
    if (ent_store_open(script->home, &options, &script->store, &err) < 0)
        script_die(script, "it does not open any more: %s", err.text);
    if (ent_store_fresh(script->store) != NULL)
        script_die(script, "a fresh origin: %s",
                   ent_store_fresh(script->store));
    trial->reopened++;
}

static struct script_picture look(struct trial *trial)
{
    struct script_picture picture = script_picture_of(trial->script.store);

    if (picture.all == 0)
        script_die(&trial->script, "the replica cannot be read");
    return picture;
}

/* These sign the own tails first, in a transaction that stands by itself, or
 * keep how far they have come. */
static bool in_two(enum script_step step)
{
    return step == SCRIPT_SERVE || step == SCRIPT_SAID || step == SCRIPT_SCRUB;
}

/* After a step that failed: nothing of it is there. */
static void check_failed(struct trial *trial, bool reopened, int rc,
                         const struct ent_err *err)
{
    struct script *script = &trial->script;
    struct script_picture picture = look(trial);
    bool doubt = reopened && trial->in_doubt != NULL &&
                 trial->in_doubt(trial, trial->mode);

    trial->failed++;
    trial->no_memory += rc == ENT_ENOMEM;
    if (err->text[0] == '\0')
        script_die(script, "it failed without a sentence: %d", rc);
    if (picture.firm != trial->picture.firm) {
        if (!doubt && !in_two(script->step))
            script_die(script, "it failed (%s), but something remains",
                       err->text);
        if (!in_two(script->step)) {
            trial->doubts++;
            script_settle(script); /* it stood after all */
            picture = look(trial);
        }
    }
    trial->picture = picture;
}

static bool always_changes(const struct script *script)
{
    return script->step == SCRIPT_SET || script->step == SCRIPT_BULK ||
           script->step == SCRIPT_INVITE || script->step == SCRIPT_ADMIT ||
           script->step == SCRIPT_SPACE || script->step == SCRIPT_ERASE ||
           (script->step == SCRIPT_TAKE && script->run_count > 0);
}

/* After a step that was acknowledged, whatever it met. */
static void check_stands(struct trial *trial)
{
    struct script *script = &trial->script;
    struct script_picture picture = look(trial);
    bool wrote = picture.firm != trial->picture.firm;

    if (always_changes(script) && !wrote)
        script_die(script, "it was acknowledged, but nothing is there");
    trial->picture = picture;
    if (wrote && trial->acknowledged != NULL)
        trial->acknowledged(trial);
    script_settle(script);
    trial->picture = look(trial);
}

/* One case; whether the fault was met. */
static bool try_once(struct trial *trial)
{
    struct script *script = &trial->script;
    struct ent_err err;
    bool reopened = script->step == SCRIPT_CLOSE;
    bool met;
    int rc;

    trial->spent = trial->calls(trial);
    trial->arm(trial, trial->spent + trial->at, trial->mode);
    rc = script_run(script, &err);
    trial->spent = trial->calls(trial) - trial->spent;
    /* Sometimes the program ends while it is still bad. */
    if (rc < 0 && trial->cases % 4 == 1) {
        ent_store_close(script->store);
        script->store = NULL;
        reopened = true;
        if (trial->ended != NULL)
            trial->ended(trial);
    }
    met = trial->disarm(trial);
    if (trial->verbose)
        printf("# case %ld: %s, %s at %llu: %d %s\n", trial->cases,
               script_names[script->step], trial->modes[trial->mode],
               (unsigned long long)trial->at, rc, rc < 0 ? err.text : "");
    if (rc < 0 && !met)
        script_die(script, "%s failed without a fault: %s",
                   script_names[script->step], err.text);
    if (script->store == NULL || trial->cases % 4 == 3) {
        open_again(trial);
        reopened = true;
    }
    if (rc < 0)
        check_failed(trial, reopened, rc, &err);
    else
        check_stands(trial);
    if (!met)
        return false;
    trial->stood += rc == 0;
    script_verify(script, script->store, trial->cases % DEEP_EVERY == 0);
    trial->cases++;
    trial->by_step[script->step]++;
    script->again = rc < 0 && script->step == SCRIPT_TAKE;
    return true;
}

/* A step without a fault. */
static void do_step(struct trial *trial, enum script_step step)
{
    struct script *script = &trial->script;
    struct ent_err err;

    script->again = false;
    script_plan(script, step);
    if (script_run(script, &err) < 0)
        script_die(script, "%s: %s", script_names[step], err.text);
    script_settle(script);
}

static size_t conflicts(struct trial *trial)
{
    struct script *script = &trial->script;
    struct ent_conflict *list;
    struct ent_arena arena = {0};
    struct ent_err err;
    size_t count;

    if (ent_conflict_list(script->store, script->space, &arena, &list, &count,
                          &err) < 0)
        script_die(script, "%s", err.text);
    ent_arena_fini(&arena);
    return count;
}

/* Records of which the next one is still there: not many new ones each time,
 * lest the replica grow without end. */
static void make_erasable(struct trial *trial)
{
    if (trial->script.bulk == 0 || trial->script.erased >= ERASED_MOST)
        do_step(trial, SCRIPT_BULK);
}

/* Something to do for the step; nothing remembered when it is `cold`. */
static void prepare(struct trial *trial, enum script_step step, bool cold)
{
    switch (step) {
    case SCRIPT_SERVE:
    case SCRIPT_SAID:
    case SCRIPT_SEARCH:
    case SCRIPT_CHECKPOINT:
    case SCRIPT_CLOSE:
        do_step(trial, SCRIPT_SET);
        break;
    case SCRIPT_ERASE:
        make_erasable(trial);
        break;
    case SCRIPT_SCRUB:
        make_erasable(trial);
        do_step(trial, SCRIPT_ERASE);
        break;
    case SCRIPT_RESOLVE:
        while (conflicts(trial) == 0) {
            do_step(trial, SCRIPT_SET);
            do_step(trial, SCRIPT_TAKE);
        }
        break;
    case SCRIPT_SET:
    case SCRIPT_TAG:
    case SCRIPT_LIFE:
    case SCRIPT_BULK:
    case SCRIPT_ABORT:
    case SCRIPT_TAKE:
    case SCRIPT_INVITE:
    case SCRIPT_ADMIT:
    case SCRIPT_SPACE:
    case SCRIPT_READ:
    case SCRIPT_VERIFY:
    case SCRIPT_REBUILD:
    case SCRIPT_STEPS:
        break;
    }
    trial->picture = look(trial);
    if (cold) {
        open_again(trial);
        trial->reopened--;
    }
}

static bool try_at(struct trial *trial, enum script_step step, bool cold,
                   uint64_t at)
{
    bool again = trial->script.again;

    prepare(trial, step, cold);
    trial->script.again = again;
    trial->at = at;
    script_plan(&trial->script, step);
    return try_once(trial);
}

static void try_step(struct trial *trial, enum script_step step, bool cold)
{
    struct script *script = &trial->script;
    uint64_t calls;
    uint64_t stride;

    /* Once without a fault: how many points has it? */
    script->again = false;
    prepare(trial, step, cold);
    script_plan(script, step);
    trial->at = UINT64_MAX / 2;
    if (try_once(trial))
        script_die(script, "a fault nobody asked for");
    calls = trial->spent;
    stride = calls / (uint64_t)trial->each + 1;
    for (uint64_t at = ent_rand_below(&script->rand, stride);
         try_at(trial, step, cold, at) || at < calls; at += stride)
        ;
}

/* ------------------------------------------------------------------- create */

/* A node is made whole or not at all, and then it can be made. */
static void try_create(struct trial *trial)
{
    struct script *script = &trial->script;
    struct ent_err err;

    for (trial->at = 0;;
         trial->at +=
         1 + ent_rand_below(&script->rand, 2000 / (uint64_t)trial->each + 1)) {
        struct ent_store_options options = script_options(script);
        bool met;
        int rc;

        trial->arm(trial, trial->calls(trial) + trial->at, trial->mode);
        rc = ent_store_create(script->home, "Tried", "BDI", &options, &err);
        met = trial->disarm(trial);
        if (trial->verbose)
            printf("# create, %s at %llu: %d %s\n", trial->modes[trial->mode],
                   (unsigned long long)trial->at, rc, rc < 0 ? err.text : "");
        if (rc < 0 && !met)
            script_die(script, "create failed without a fault: %s", err.text);
        if (rc == 0) {
            open_again(trial);
            trial->reopened--;
            ent_store_close(script->store);
            script->store = NULL;
            script_remove(script->home);
        }
        if (!met)
            return;
        trial->made++;
        trial->failed += rc < 0;
        trial->stood += rc == 0;
        trial->no_memory += rc == ENT_ENOMEM;
    }
}

/* ---------------------------------------------------------------------- run */

static void usage(const struct trial *trial)
{
    fprintf(stderr,
            "usage: %s [--each N] [--seed S] [--step NAME] [--verbose]\n",
            trial->program);
    exit(2);
}

void trial_options(struct trial *trial, int argc, char **argv)
{
    trial->only_step = -1;
    trial->script.seed = 1;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--verbose") == 0) {
            trial->verbose = true;
            continue;
        }
        if (strcmp(argv[i], "--each") == 0)
            trial->each = atol(value);
        else if (strcmp(argv[i], "--seed") == 0)
            trial->script.seed = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--step") == 0)
            for (int s = 0; s < SCRIPT_STEPS; s++)
                trial->only_step =
                    strcmp(script_names[s], value) == 0 ? s : trial->only_step;
        else
            usage(trial);
        i++;
    }
    if (trial->each < 1)
        usage(trial);
}

/* Something of everything, before anything fails. */
static void warm_up(struct trial *trial)
{
    for (int i = 0; i < 60; i++)
        do_step(trial, script_choose(&trial->script));
}

static void report(const struct trial *trial, double seconds)
{
    printf("ok - %s: %ld cases (", trial->program, trial->cases + trial->made);
    for (int i = 0; i < SCRIPT_STEPS; i++)
        printf("%ld %s ", trial->by_step[i], script_names[i]);
    printf("%ld create): %ld failed and left nothing, %ld were acknowledged "
           "and stood; ",
           trial->made, trial->failed - trial->doubts, trial->stood);
    if (trial->in_doubt != NULL)
        printf("%ld stood though their sync failed, ", trial->doubts);
    else
        printf("%ld said out of memory, ", trial->no_memory);
    printf("%ld times opened again; seed %llu, %.1f s\n", trial->reopened,
           (unsigned long long)trial->script.seed, seconds);
}

int trial_run(struct trial *trial, void (*home_known)(struct trial *trial))
{
    struct script *script = &trial->script;
    struct timespec from;
    struct timespec to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    trial_now = trial;
    script_repeat = repeat;
    script_begin(script, script->seed);
    home_known(trial);
    for (trial->mode = 0; trial->mode < trial->mode_count; trial->mode++)
        if (trial->only_step < 0)
            try_create(trial);
    trial->mode = 0;
    script_create(script);
    open_again(trial);
    script_found(script);
    warm_up(trial);
    trial->picture = look(trial);
    for (int step = 0; step < SCRIPT_STEPS; step++)
        for (trial->mode = 0; trial->mode < trial->mode_count; trial->mode++)
            for (int cold = 0; cold < 2; cold++)
                if (trial->only_step < 0 || trial->only_step == step)
                    try_step(trial, (enum script_step)step, cold == 1);
    script_verify(script, script->store, true);
    clock_gettime(CLOCK_MONOTONIC, &to);
    report(trial, (double)(to.tv_sec - from.tv_sec) +
                      (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    script_end(script);
    return 0;
}
