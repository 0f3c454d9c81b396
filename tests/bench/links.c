/* links.c - W3, W4, W5 and W7: two nodes, each a process, over a real link. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define SPACES 10
#define SPACE_RECORDS 100 /* in each of the ten spaces */
#define PACED 300         /* changes with a pause before each */
#define PAUSE_MS 5
#define MIB 1024.0 /* of KiB */

/* A host that listens and a guest that calls it. */
struct pair {
    struct bench *bench;
    char host_home[BENCH_PATH_MAX], guest_home[BENCH_PATH_MAX];
    char host_dir[BENCH_PATH_MAX], guest_dir[BENCH_PATH_MAX];
    int64_t host_space, guest_space;
    struct side host, guest;
    struct side_status host_saw, guest_saw; /* of the last session */
};

static void home_in(char home[BENCH_PATH_MAX], const char *dir)
{
    if (snprintf(home, BENCH_PATH_MAX, "%s/home", dir) >= BENCH_PATH_MAX)
        bench_die("the working folder's path is too long");
}

/* The host with the first `records`, alone. */
static void pair_make_host(struct pair *pair, struct bench *bench,
                           size_t records)
{
    struct node node;

    memset(pair, 0, sizeof(*pair));
    pair->bench = bench;
    bench_folder(pair->host_dir, bench->work, "host");
    home_in(pair->host_home, pair->host_dir);
    node_create(&node, pair->host_home, "Hôte", true);
    node_found(&node, "mesure");
    pair->host_space = node.space;
    node_insert(&node, &bench->data, 0, records, BENCH_BATCH);
    node_close(&node);
}

/* A fresh guest, admitted and empty. */
static void pair_make_guest(struct pair *pair)
{
    struct node host, guest;

    bench_folder(pair->guest_dir, pair->bench->work, "guest");
    home_in(pair->guest_home, pair->guest_dir);
    node_open(&host, pair->host_home, true);
    node_create(&guest, pair->guest_home, "Invité", true);
    node_admit(&host, &guest);
    pair->guest_space = guest.space;
    node_close(&host);
    node_close(&guest);
}

static void pair_start(struct pair *pair)
{
    side_start(&pair->host, pair->host_home, pair->bench->kinds_dir);
    side_start(&pair->guest, pair->guest_home, pair->bench->kinds_dir);
    side_listen(&pair->host);
}

static void pair_stop(struct pair *pair)
{
    side_stop(&pair->guest);
    side_stop(&pair->host);
}

static void pair_remove(struct pair *pair)
{
    bench_remove(pair->host_dir);
    bench_remove(pair->guest_dir);
}

/* The two must hold and show the same. */
static void pair_check(struct pair *pair, const char *what)
{
    side_read_status(&pair->host, pair->host_space, &pair->host_saw);
    side_read_status(&pair->guest, pair->guest_space, &pair->guest_saw);
    if (memcmp(&pair->host_saw.digest, &pair->guest_saw.digest,
               sizeof(pair->host_saw.digest)) != 0)
        bench_die("%s: the digests differ", what);
}

static void pair_session(struct pair *pair, const char *what)
{
    side_call(&pair->guest, &pair->host);
    side_wait_done(&pair->guest);
    pair_check(pair, what);
}

/* Rows of both nodes against plain SQLite's. */
static void pair_compare(struct pair *pair, struct plain *plain,
                         const char *what)
{
    struct node node;

    node_open(&node, pair->host_home, true);
    node_compare(&node, plain, what);
    node_close(&node);
    node_open(&node, pair->guest_home, true);
    node_compare(&node, plain, what);
    node_close(&node);
}

static double session_bytes(const struct side_status *saw)
{
    return (double)(saw->sent + saw->received);
}

static double ms_between(int64_t from_ns, int64_t to_ns)
{
    return (double)(to_ns - from_ns) / 1e6;
}

/* From the link's standing until nothing is left to do. */
static double session_ms(const struct side_status *saw)
{
    return ms_between(saw->up_ns, saw->done_ns);
}

static void entente_figure(const char *test, const char *name, const char *what,
                           double value, const char *unit)
{
    char metric[64];

    snprintf(metric, sizeof(metric), "%s_%s", name, what);
    bench_figure(BENCH_ENTENTE, test, metric, value, unit);
}

/* A plain database with the first `records`, in a folder of its own. */
static void plain_with(struct plain *plain, struct bench *bench,
                       const char *name, char dir[BENCH_PATH_MAX],
                       size_t records)
{
    bench_folder(dir, bench->work, name);
    plain_open(plain, dir, true);
    plain_insert(plain, &bench->data, 0, records, BENCH_BATCH);
}

static void plain_end(struct plain *plain, const char *dir)
{
    plain_close(plain);
    bench_remove(dir);
}

/* ----------------------------------------------------------------------- W3 */

static double time_copy(struct bench *bench, struct plain *from)
{
    char dir[BENCH_PATH_MAX];
    struct plain copy;
    int64_t begin;
    double seconds;

    bench_folder(dir, bench->work, "copy");
    begin = bench_ns();
    plain_open(&copy, dir, true);
    plain_copy(&copy, from);
    seconds = bench_seconds_since(begin);
    plain_end(&copy, dir);
    return seconds;
}

static void bootstrap_once(struct pair *pair, struct plain *source,
                           size_t records, const char *name)
{
    double seconds = time_copy(pair->bench, source);
    const struct side_status *saw = &pair->guest_saw;

    pair_make_guest(pair);
    pair_start(pair);
    pair_session(pair, "W3");
    pair_stop(pair);
    pair_compare(pair, source, "W3");
    bench_figures("W3", name,
                  (double)records * 1e3 /
                      ms_between(saw->called_ns, saw->done_ns),
                  (double)records / seconds, "records per s");
    entente_figure("W3", name, "bytes", session_bytes(saw) / (double)records,
                   "bytes a record");
    entente_figure("W3", name, "receiver_memory", (double)saw->memory_kib / MIB,
                   "MiB");
    entente_figure("W3", name, "sender_memory",
                   (double)pair->host_saw.memory_kib / MIB, "MiB");
    bench_remove(pair->guest_dir);
}

static void bootstrap(struct bench *bench, size_t records, const char *name)
{
    char dir[BENCH_PATH_MAX];
    struct plain source;
    struct pair pair;

    plain_with(&source, bench, "source", dir, records);
    pair_make_host(&pair, bench, records);
    for (int i = 0; i < bench->repeat; i++)
        bootstrap_once(&pair, &source, records, name);
    pair_remove(&pair);
    plain_end(&source, dir);
}

void bench_bootstrap(struct bench *bench)
{
    bootstrap(bench, bench->data.small, "bootstrap_small");
    bootstrap(bench, bench->data.record_count, "bootstrap_big");
}

/* ----------------------------------------------------------------------- W4 */

static void session_figures(const char *name, const struct side_status *saw,
                            double commit_ms)
{
    entente_figure("W4", name, "ms", session_ms(saw), "ms");
    entente_figure("W4", name, "handshake",
                   ms_between(saw->called_ns, saw->up_ns), "ms");
    entente_figure("W4", name, "bytes", session_bytes(saw), "bytes");
    entente_figure("W4", name, "rounds", (double)saw->rounds, "round trips");
    if (saw->taken > 0)
        entente_figure("W4", name, "committed",
                       ms_between(saw->up_ns, saw->taken_ns), "ms");
    if (commit_ms > 0)
        entente_figure("W4", name, "beyond_commit", session_ms(saw) - commit_ms,
                       "ms");
}

/* Changes made by another process of the host while its daemon runs. */
static void write_beside(const char *home, struct bench *bench,
                         const struct bench_cells *cells, size_t batch)
{
    struct node node;

    node_open(&node, home, true);
    node_update(&node, &bench->data, cells, 0, cells->count, batch);
    node_close(&node);
}

/* Changes on the host, then a session of two running nodes; then the next one,
 * which may still have to say what both hold by now; then one with nothing to
 * do. */
static void session_once(struct bench *bench, const struct bench_cells *inc,
                         size_t batch, const char *name)
{
    char dir[BENCH_PATH_MAX];
    struct plain plain;
    struct pair pair;
    int64_t begin;
    double commit_ms;

    plain_with(&plain, bench, "plain", dir, bench->data.small);
    pair_make_host(&pair, bench, bench->data.small);
    pair_make_guest(&pair);
    pair_start(&pair);
    pair_session(&pair, "W4 bootstrap");
    begin = bench_ns();
    plain_update(&plain, &bench->data, inc, 0, inc->count, BENCH_BATCH);
    commit_ms = bench_seconds_since(begin) * 1e3;
    bench_figure(BENCH_SQLITE, "W4", "update_100_in_one_tx", commit_ms, "ms");
    write_beside(pair.host_home, bench, inc, batch);
    pair_session(&pair, name);
    session_figures(name, &pair.guest_saw, commit_ms);
    pair_session(&pair, "W4 next");
    session_figures("next_one_space", &pair.guest_saw, 0);
    pair_session(&pair, "W4 nothing");
    session_figures("nothing_one_space", &pair.guest_saw, 0);
    pair_stop(&pair);
    pair_compare(&pair, &plain, name);
    pair_remove(&pair);
    plain_end(&plain, dir);
}

static void found_spaces(struct pair *pair)
{
    struct node host, guest;
    int64_t first;

    node_open(&host, pair->host_home, true);
    node_open(&guest, pair->guest_home, true);
    first = guest.space;
    for (int i = 1; i < SPACES; i++) {
        char name[16];

        snprintf(name, sizeof(name), "mesure-%d", i);
        node_found(&host, name);
        node_admit(&host, &guest);
        node_insert(&host, &pair->bench->data, 0, SPACE_RECORDS, BENCH_BATCH);
    }
    pair->guest_space = first;
    node_close(&host);
    node_close(&guest);
}

static void ten_spaces(struct bench *bench)
{
    struct pair pair;

    pair_make_host(&pair, bench, SPACE_RECORDS);
    pair_make_guest(&pair);
    found_spaces(&pair);
    pair_start(&pair);
    pair_session(&pair, "W4 ten spaces");
    pair_session(&pair, "W4 ten spaces");
    for (int i = 0; i < bench->repeat; i++) {
        pair_session(&pair, "W4 ten spaces");
        session_figures("nothing_ten_spaces", &pair.guest_saw, 0);
    }
    pair_stop(&pair);
    pair_remove(&pair);
}

void bench_session(struct bench *bench)
{
    struct bench_cells inc;

    bench_cells_read(&inc, bench->data_dir, "inc.tsv");
    for (int i = 0; i < bench->repeat; i++) {
        session_once(bench, &inc, BENCH_BATCH, "one_entry");
        session_once(bench, &inc, 1, "entries_100");
    }
    ten_spaces(bench);
    bench_cells_fini(&inc);
}

/* ----------------------------------------------------------------------- W5 */

static size_t compare_merged(struct pair *pair, struct plain *plain,
                             const struct bench_cells *a,
                             const struct bench_cells *b)
{
    const struct bench_data *data = &pair->bench->data;
    struct node node;
    size_t at_host, at_guest;

    node_open(&node, pair->host_home, true);
    at_host = node_compare_merged(&node, plain, data, a, b);
    node_close(&node);
    node_open(&node, pair->guest_home, true);
    at_guest = node_compare_merged(&node, plain, data, a, b);
    node_close(&node);
    if (at_host != at_guest)
        bench_die("W5: other conflicts on the other side");
    return at_guest;
}

static void merge_once(struct bench *bench, const struct bench_cells *a,
                       const struct bench_cells *b)
{
    char dir[BENCH_PATH_MAX];
    struct plain plain;
    struct pair pair;
    int64_t begin;
    double seconds;

    plain_with(&plain, bench, "plain", dir, bench->data.small);
    plain_update(&plain, &bench->data, a, 0, a->count, BENCH_BATCH);
    begin = bench_ns();
    plain_update(&plain, &bench->data, b, 0, b->count, BENCH_BATCH);
    seconds = bench_seconds_since(begin);
    pair_make_host(&pair, bench, bench->data.small);
    pair_make_guest(&pair);
    pair_start(&pair);
    pair_session(&pair, "W5 bootstrap");
    write_beside(pair.host_home, bench, a, BENCH_BATCH);
    write_beside(pair.guest_home, bench, b, BENCH_BATCH);
    pair_session(&pair, "W5");
    pair_stop(&pair);
    bench_figure(BENCH_ENTENTE, "W5", "conflicts_kept",
                 (double)compare_merged(&pair, &plain, a, b), "of 2000");
    bench_figures("W5", "merge", session_ms(&pair.guest_saw) / 1e3, seconds,
                  "s");
    entente_figure("W5", "merge", "bytes", session_bytes(&pair.guest_saw) / 1e3,
                   "kB");
    pair_remove(&pair);
    plain_end(&plain, dir);
}

void bench_merge(struct bench *bench)
{
    struct bench_cells a, b;

    bench_cells_read(&a, bench->data_dir, "mergeA.tsv");
    bench_cells_read(&b, bench->data_dir, "mergeB.tsv");
    for (int i = 0; i < bench->repeat; i++)
        merge_once(bench, &a, &b);
    bench_cells_fini(&a);
    bench_cells_fini(&b);
}

/* ----------------------------------------------------------------------- W7 */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Sorts `ms`. */
static double percentile(double *ms, size_t count, size_t percent)
{
    qsort(ms, count, sizeof(*ms), by_value);
    return ms[count * percent / 100];
}

static double *figures_for(const struct bench_cells *live)
{
    double *ms = calloc(live->count, sizeof(*ms));

    if (ms == NULL)
        bench_die("out of memory");
    return ms;
}

/* One change on the host; until it is committed on the guest. */
static double change_ms(struct pair *pair, const struct bench_cell *cell,
                        struct ent_slice text)
{
    int64_t begin_ns =
        side_set(&pair->host, pair->host_space,
                 &pair->bench->data.ids[cell->record], cell->column, text);

    return ms_between(begin_ns, side_wait_taken(&pair->guest));
}

static void changes_live(struct pair *pair, const struct bench_cells *live,
                         double *ms)
{
    for (size_t i = 0; i < live->count; i++)
        ms[i] = change_ms(pair, &live->at[i], live->at[i].text);
}

/* The same with a pause before each, as people make them; the text gets a mark
 * so that it is another. */
static void changes_paced(struct pair *pair, const struct bench_cells *live)
{
    double ms[PACED];
    char text[BENCH_TEXT_MAX];

    for (size_t i = 0; i < PACED; i++) {
        const struct bench_cell *cell = &live->at[i];
        int len = snprintf(text, sizeof(text), "%zu %.*s", i,
                           (int)cell->text.len, (const char *)cell->text.at);

        (void)poll(NULL, 0, PAUSE_MS);
        ms[i] = change_ms(pair, cell, ent_slice(text, (size_t)len));
    }
    bench_figure(BENCH_ENTENTE, "W7", "live_paced_p50",
                 percentile(ms, PACED, 50), "ms");
    bench_figure(BENCH_ENTENTE, "W7", "live_paced_p99",
                 percentile(ms, PACED, 99), "ms");
}

/* What two durable commits of plain SQLite take, one after the other. */
static void commits_twice(struct bench *bench, struct plain *a, struct plain *b,
                          const struct bench_cells *live, double *ms)
{
    for (size_t i = 0; i < live->count; i++) {
        int64_t begin = bench_ns();

        plain_update(a, &bench->data, live, i, i + 1, 1);
        plain_update(b, &bench->data, live, i, i + 1, 1);
        ms[i] = bench_seconds_since(begin) * 1e3;
    }
}

static void live_once(struct bench *bench, const struct bench_cells *live)
{
    char dir_a[BENCH_PATH_MAX], dir_b[BENCH_PATH_MAX];
    double *sqlite_ms = figures_for(live);
    double *entente_ms = figures_for(live);
    struct plain a, b;
    struct pair pair;

    plain_with(&a, bench, "plain-a", dir_a, bench->data.small);
    plain_with(&b, bench, "plain-b", dir_b, bench->data.small);
    pair_make_host(&pair, bench, bench->data.small);
    pair_make_guest(&pair);
    pair_start(&pair);
    pair_session(&pair, "W7 bootstrap");
    commits_twice(bench, &a, &b, live, sqlite_ms);
    changes_live(&pair, live, entente_ms);
    bench_figures("W7", "live_p50", percentile(entente_ms, live->count, 50),
                  percentile(sqlite_ms, live->count, 50), "ms");
    bench_figures("W7", "live_p99", percentile(entente_ms, live->count, 99),
                  percentile(sqlite_ms, live->count, 99), "ms");
    pair_check(&pair, "W7");
    pair_stop(&pair);
    pair_compare(&pair, &b, "W7");
    pair_start(&pair);
    pair_session(&pair, "W7 again");
    changes_paced(&pair, live);
    pair_check(&pair, "W7 paced");
    pair_stop(&pair);
    pair_remove(&pair);
    plain_end(&a, dir_a);
    plain_end(&b, dir_b);
    free(sqlite_ms);
    free(entente_ms);
}

void bench_live(struct bench *bench)
{
    struct bench_cells live;

    bench_cells_read(&live, bench->data_dir, "live.tsv");
    if (live.count < PACED)
        bench_die("live.tsv has fewer than %d lines", PACED);
    for (int i = 0; i < bench->repeat; i++)
        live_once(bench, &live);
    bench_cells_fini(&live);
}
