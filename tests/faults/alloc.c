/* alloc.c - memory is refused, once or from then on, at each allocation of
 * ours and of SQLite's: an error with a sentence, nothing left of the command,
 * nothing lost, no leak (a sanitized build says so), and the store goes on.
 *
 *   alloc_failures [--each N] [--seed S] [--step NAME] [--verbose] */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trial.h"

enum { ONCE, EVER, MODES };

static const char *const modes[MODES] = {
    [ONCE] = "no memory once", [EVER] = "no memory from there on"};

static uint64_t count;
static uint64_t fail_at;
static bool armed, forever, met;

static bool refused(void)
{
    uint64_t number = count++;

    if (!armed || number < fail_at)
        return false;
    armed = forever;
    met = true;
    return true;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t size);
void *__wrap_realloc(void *at, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t size)
{
    return refused() ? NULL : __real_realloc(at, size);
}

char *__wrap_strdup(const char *text)
{
    return refused() ? NULL : __real_strdup(text);
}

/* ------------------------------------------------------------------- SQLite */

static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int size)
{
    return refused() ? NULL : sqlite_memory.xMalloc(size);
}

static void *sqlite_realloc(void *at, int size)
{
    return refused() ? NULL : sqlite_memory.xRealloc(at, size);
}

/* Every allocation is a point: none comes from a reserve. */
static void wrap_sqlite(void)
{
    sqlite3_mem_methods wrapped;

    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory);
    wrapped = sqlite_memory;
    wrapped.xMalloc = sqlite_malloc;
    wrapped.xRealloc = sqlite_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &wrapped) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK)
        abort();
}

/* -------------------------------------------------------------------- trial */

static uint64_t calls(struct trial *trial)
{
    (void)trial;
    return count;
}

static void arm(struct trial *trial, uint64_t at, int mode)
{
    (void)trial;
    fail_at = at;
    forever = mode == EVER;
    met = false;
    armed = true;
}

static bool disarm(struct trial *trial)
{
    (void)trial;
    armed = false;
    return met;
}

static void home_known(struct trial *trial)
{
    (void)trial;
}

int main(int argc, char **argv)
{
    static struct trial trial = {
        .program = "alloc_failures",
        .modes = modes,
        .mode_count = MODES,
        .calls = calls,
        .arm = arm,
        .disarm = disarm,
        .each = 60,
    };

    trial_options(&trial, argc, argv);
    wrap_sqlite();
    return trial_run(&trial, home_known);
}
