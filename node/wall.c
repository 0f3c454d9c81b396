/* wall.c - see wall.h. */
#include "node/wall.h"

#include <time.h>

static int64_t read_ms(clockid_t clock)
{
    struct timespec at;

    clock_gettime(clock, &at);
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

int64_t wall_now_ms(int64_t offset_ms)
{
    return read_ms(CLOCK_REALTIME) + offset_ms;
}

int64_t wall_mono_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}
