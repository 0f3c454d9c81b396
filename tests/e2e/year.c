/* year.c - preloaded before a program, it lets the program's clock be a year
 * ahead. */
#include <dlfcn.h>
#include <time.h>

#define YEAR_SECONDS (365 * 24 * 60 * 60)

int clock_gettime(clockid_t clock, struct timespec *now)
{
    union {
        void *symbol;
        int (*call)(clockid_t, struct timespec *);
    } real = {.symbol = dlsym(RTLD_NEXT, "clock_gettime")};
    int rc = real.call(clock, now);

    if (rc == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += YEAR_SECONDS;
    return rc;
}
