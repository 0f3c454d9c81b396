/* local.c - W1, W2 and W6: one node by itself. */
#include <stdio.h>

#include "bench.h"

/* The peers take turns within a run, so that drift of the machine hits both;
 * more often where the disk, which drifts most, is all that counts. */
#define SLICES 5
#define SLICES_SINGLE 50

/* Both peers at the same work. */
struct both {
    struct bench *bench;
    char sqlite_dir[BENCH_PATH_MAX], entente_dir[BENCH_PATH_MAX];
    struct plain plain;
    struct node node;
    bool sqlite, entente; /* which of them take part */
};

static void both_open(struct both *both, struct bench *bench, bool durable)
{
    char home[BENCH_PATH_MAX + 8];

    both->bench = bench;
    both->sqlite = bench->who != BENCH_ONLY_ENTENTE;
    both->entente = bench->who != BENCH_ONLY_SQLITE;
    bench_folder(both->sqlite_dir, bench->work, "sqlite");
    bench_folder(both->entente_dir, bench->work, "entente");
    if (both->sqlite)
        plain_open(&both->plain, both->sqlite_dir, durable);
    if (both->entente) {
        snprintf(home, sizeof(home), "%s/home", both->entente_dir);
        node_create(&both->node, home, "Mesure", durable);
        node_found(&both->node, "mesure");
    }
}

static void both_check(struct both *both, const char *what)
{
    if (both->sqlite && both->entente)
        node_compare(&both->node, &both->plain, what);
}

static void both_close(struct both *both)
{
    if (both->sqlite)
        plain_close(&both->plain);
    if (both->entente)
        node_close(&both->node);
    bench_remove(both->sqlite_dir);
    bench_remove(both->entente_dir);
}

/* Insert, or update when there are `cells`; seconds of each are added. */
static void both_do(struct both *both, const struct bench_cells *cells,
                    size_t from, size_t to, size_t batch, double *sqlite,
                    double *entente)
{
    const struct bench_data *data = &both->bench->data;
    int64_t begin = bench_ns();

    if (both->sqlite && cells == NULL)
        plain_insert(&both->plain, data, from, to, batch);
    else if (both->sqlite)
        plain_update(&both->plain, data, cells, from, to, batch);
    if (both->sqlite)
        *sqlite += bench_seconds_since(begin);

    begin = bench_ns();
    if (both->entente && cells == NULL)
        node_insert(&both->node, data, from, to, batch);
    else if (both->entente)
        node_update(&both->node, data, cells, from, to, batch);
    if (both->entente)
        *entente += bench_seconds_since(begin);
}

/* All of it in slices, each a whole number of batches. */
static void both_work(struct both *both, const struct bench_cells *cells,
                      size_t count, size_t batch, const char *test,
                      const char *metric)
{
    size_t slices = batch == 1 ? SLICES_SINGLE : SLICES;
    size_t slice = (count / slices + batch - 1) / batch * batch;
    double sqlite = 0, entente = 0;

    for (size_t from = 0; from < count; from += slice) {
        size_t to = from + slice < count ? from + slice : count;

        both_do(both, cells, from, to, batch, &sqlite, &entente);
    }
    if (metric != NULL)
        bench_figures(test, metric, both->entente ? (double)count / entente : 0,
                      both->sqlite ? (double)count / sqlite : 0, "per s");
    both_check(both, test);
}

static void insert_once(struct bench *bench, size_t batch, const char *metric)
{
    struct both both;

    if (bench->batch != 0 && bench->batch != batch)
        return;
    both_open(&both, bench, true);
    both_work(&both, NULL, bench->data.small, batch, "W1", metric);
    both_close(&both);
}

void bench_inserts(struct bench *bench)
{
    for (int i = 0; i < bench->repeat; i++) {
        insert_once(bench, BENCH_BATCH, "insert_1000_a_tx");
        insert_once(bench, 1, "insert_1_a_tx");
    }
}

static void update_once(struct bench *bench, const struct bench_cells *cells,
                        size_t batch, const char *metric)
{
    struct both both;

    if (bench->batch != 0 && bench->batch != batch)
        return;
    both_open(&both, bench, true);
    both_work(&both, NULL, bench->data.small, BENCH_BATCH, "W2", NULL);
    both_work(&both, cells, cells->count, batch, "W2", metric);
    both_close(&both);
}

void bench_updates(struct bench *bench)
{
    struct bench_cells cells;

    bench_cells_read(&cells, bench->data_dir, "upd.tsv");
    for (int i = 0; i < bench->repeat; i++) {
        update_once(bench, &cells, BENCH_BATCH, "update_1000_a_tx");
        update_once(bench, &cells, 1, "update_1_a_tx");
    }
    bench_cells_fini(&cells);
}

/* ----------------------------------------------------------------------- W6 */

/* Bytes a record once both are closed, which empties the WAL into the file;
 * they are open again behind it. */
static void take_sizes(struct both *both, const char *metric)
{
    double count = (double)both->bench->data.small;
    char home[BENCH_PATH_MAX + 8];
    double sqlite, entente;

    snprintf(home, sizeof(home), "%s/home", both->entente_dir);
    plain_close(&both->plain);
    node_close(&both->node);
    sqlite = bench_disk_bytes(both->sqlite_dir) / count;
    entente = bench_disk_bytes(home) / count;
    bench_figures("W6", metric, entente, sqlite, "bytes a record");
    plain_open(&both->plain, both->sqlite_dir, false);
    node_open(&both->node, home, false);
}

/* Only sizes are asked, so nothing waits for the disk here. */
static void size_once(struct bench *bench, const struct bench_cells *up10,
                      size_t batch, const char *loaded, const char *updated,
                      const char *indexed)
{
    struct both both;

    both_open(&both, bench, false);
    both_work(&both, NULL, bench->data.small, BENCH_BATCH, "W6", NULL);
    if (loaded != NULL)
        take_sizes(&both, loaded);
    if (indexed != NULL) {
        node_index(&both.node);
        take_sizes(&both, indexed);
    } else {
        both_work(&both, up10, up10->count, batch, "W6", NULL);
        take_sizes(&both, updated);
    }
    both_close(&both);
}

void bench_size(struct bench *bench)
{
    struct bench_cells up10;

    if (bench->who != BENCH_BOTH)
        return;
    bench_cells_read(&up10, bench->data_dir, "up10.tsv");
    size_once(bench, &up10, BENCH_BATCH, "disk_loaded", "disk_up10_1000_a_tx",
              NULL);
    size_once(bench, &up10, 1, NULL, "disk_up10_1_a_tx", NULL);
    size_once(bench, &up10, BENCH_BATCH, NULL, NULL, "disk_loaded_indexed");
    bench_cells_fini(&up10);
}
