/* report.c - figures taken, and printed as JSON lines. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define METRICS_MAX 128
#define FIGURES_MAX 64 /* of one metric */
#define NAME_MAX_BYTES 48

struct metric {
    char peer[NAME_MAX_BYTES], test[NAME_MAX_BYTES], name[NAME_MAX_BYTES];
    char unit[NAME_MAX_BYTES];
    double figures[FIGURES_MAX];
    size_t count;
    bool printed;
};

static struct metric metrics[METRICS_MAX];
static size_t metric_count;

void bench_die(const char *fmt, ...)
{
    va_list args;

    fputs("entente-bench: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

void bench_must(int rc, const struct ent_err *err, const char *what)
{
    if (rc < 0)
        bench_die("%s: %s (%d)", what, err->text, rc);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t bench_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t bench_now_ms(void)
{
    return clock_ns(CLOCK_REALTIME) / 1000000;
}

double bench_seconds_since(int64_t ns)
{
    return (double)(bench_ns() - ns) / 1e9;
}

static struct metric *metric_of(const char *peer, const char *test,
                                const char *name, const char *unit)
{
    struct metric *metric;

    for (size_t i = 0; i < metric_count; i++) {
        metric = &metrics[i];
        if (strcmp(metric->peer, peer) == 0 &&
            strcmp(metric->test, test) == 0 && strcmp(metric->name, name) == 0)
            return metric;
    }
    if (metric_count == METRICS_MAX)
        bench_die("more than %d metrics", METRICS_MAX);
    metric = &metrics[metric_count++];
    snprintf(metric->peer, sizeof(metric->peer), "%s", peer);
    snprintf(metric->test, sizeof(metric->test), "%s", test);
    snprintf(metric->name, sizeof(metric->name), "%s", name);
    snprintf(metric->unit, sizeof(metric->unit), "%s", unit);
    return metric;
}

void bench_figure(const char *peer, const char *test, const char *metric,
                  double value, const char *unit)
{
    struct metric *m = metric_of(peer, test, metric, unit);

    if (m->count == FIGURES_MAX)
        bench_die("more than %d figures of %s", FIGURES_MAX, metric);
    m->figures[m->count++] = value;
}

void bench_figures(const char *test, const char *metric, double entente,
                   double sqlite, const char *unit)
{
    char ratio[NAME_MAX_BYTES];

    snprintf(ratio, sizeof(ratio), "%s_ratio", metric);
    if (sqlite > 0)
        bench_figure(BENCH_SQLITE, test, metric, sqlite, unit);
    if (entente > 0)
        bench_figure(BENCH_ENTENTE, test, metric, entente, unit);
    if (sqlite > 0 && entente > 0)
        bench_figure(BENCH_ENTENTE, test, ratio, entente / sqlite, "of sqlite");
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(const double *sorted, size_t count)
{
    return count % 2 == 1 ? sorted[count / 2]
                          : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

void bench_print(void)
{
    for (size_t i = 0; i < metric_count; i++) {
        struct metric *m = &metrics[i];

        if (m->printed)
            continue;
        m->printed = true;
        qsort(m->figures, m->count, sizeof(m->figures[0]), by_value);
        printf("{\"peer\":\"%s\",\"test\":\"%s\",\"metric\":\"%s\","
               "\"value\":%.6g,\"unit\":\"%s\","
               "\"low\":%.6g,\"high\":%.6g,\"runs\":%zu}\n",
               m->peer, m->test, m->name, median(m->figures, m->count), m->unit,
               m->figures[0], m->figures[m->count - 1], m->count);
    }
    fflush(stdout);
}
