/* bench.h - the benchmark: Entente and plain SQLite side by side.
 * What is measured and how is told in docs/performance.md. Anything that goes
 * wrong ends the program: a figure is printed only when the rows it stands
 * for were compared and found right. */
#ifndef ENT_BENCH_H
#define ENT_BENCH_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"
#include "model/kind.h"
#include "store/db.h"
#include "store/store.h"

#define BENCH_COLUMNS 12
#define BENCH_BATCH 1000 /* changes a transaction when not one each */
#define BENCH_KIND 900
#define BENCH_FIELD_FIRST 2 /* number of column 0; 1 is `code` */
#define BENCH_PATH_MAX 512
#define BENCH_TEXT_MAX 1024 /* bytes of a text that goes to a side */

#define BENCH_ENTENTE "entente"
#define BENCH_SQLITE "sqlite"

/* ------------------------------------------------------------- report.c */

__attribute__((noreturn)) void bench_die(const char *fmt, ...) ENT_PRINTF(1, 2);
/* End the program with `err` unless rc is 0 or more. */
void bench_must(int rc, const struct ent_err *err, const char *what);

int64_t bench_ns(void);     /* monotonic, the same in every process */
int64_t bench_now_ms(void); /* Unix milliseconds */
double bench_seconds_since(int64_t ns);

/* Take one more figure of a metric. */
void bench_figure(const char *peer, const char *test, const char *metric,
                  double value, const char *unit);
/* The same for both peers, and Entente's over plain SQLite's. */
void bench_figures(const char *test, const char *metric, double entente,
                   double sqlite, const char *unit);
/* Print the median of every metric, with the lowest and highest figure. */
void bench_print(void);

/* ---------------------------------------------------------------- data.c */

/* A new text for one cell. */
struct bench_cell {
    uint32_t record, column;
    struct ent_slice text;
};

struct bench_cells {
    struct bench_cell *at;
    size_t count;
    char *file;
};

struct bench_data {
    struct ent_slice (*records)[BENCH_COLUMNS];
    size_t record_count;
    size_t small; /* records of the small set: the lines of upd.tsv */
    char *file;
    struct ent_id *ids;
    uint32_t *order; /* records in the order they are inserted: by id */
};

void bench_data_read(struct bench_data *data, const char *dir, bool named_ids);
void bench_data_fini(struct bench_data *data);
void bench_cells_read(struct bench_cells *cells, const char *dir,
                      const char *name);
void bench_cells_fini(struct bench_cells *cells);

/* ---------------------------------------------------------------- disk.c */

/* A fresh folder `name` in the working folder; what was there goes. */
void bench_folder(char path[BENCH_PATH_MAX], const char *work,
                  const char *name);
void bench_remove(const char *path);
/* Bytes of all files below `path`. */
double bench_disk_bytes(const char *path);
/* Milliseconds of an fdatasync after 4 KiB: what a commit waits for. */
double bench_sync_ms(const char *work);

/* --------------------------------------------------------------- plain.c */

/* Plain SQLite with its own files, set up as the replica's connection. */
struct plain {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *insert, *update[BENCH_COLUMNS];
};

void plain_open(struct plain *plain, const char *dir, bool durable);
void plain_close(struct plain *plain);
/* Records or cells [from, to), `batch` a transaction. */
void plain_insert(struct plain *plain, const struct bench_data *data,
                  size_t from, size_t to, size_t batch);
void plain_update(struct plain *plain, const struct bench_data *data,
                  const struct bench_cells *cells, size_t from, size_t to,
                  size_t batch);
/* Copy all rows of `from`, BENCH_BATCH a transaction. */
void plain_copy(struct plain *plain, struct plain *from);

/* ---------------------------------------------------------------- node.c */

extern struct ent_kinds bench_kinds;

/* One node in this process. */
struct node {
    struct ent_store *store;
    struct ent_rand rand;
    int64_t space;
    struct ent_arena arena;
};

/* Load the kind; once. */
void node_kinds(const char *dir);
/* Make a node in `home`, without a space; leave it open. */
void node_create(struct node *node, const char *home, const char *org,
                 bool durable);
void node_found(struct node *node, const char *name);
void node_open(struct node *node, const char *home, bool durable);
void node_close(struct node *node);

void node_insert(struct node *node, const struct bench_data *data, size_t from,
                 size_t to, size_t batch);
void node_update(struct node *node, const struct bench_data *data,
                 const struct bench_cells *cells, size_t from, size_t to,
                 size_t batch);
/* One change in one transaction. */
void node_set(struct node *node, const struct ent_id *id, uint32_t column,
              struct ent_slice text);

/* Bring the word index up to date. */
void node_index(struct node *node);

/* `guest` becomes a member of the host's space and knows its roster, as after
 * joining; no link is used. */
void node_admit(struct node *host, struct node *guest);

/* Every row of both must be there and alike. */
void node_compare(struct node *node, struct plain *plain, const char *what);
/* Every row alike, but for cells in conflict; the conflicts are those of
 * `cells`, each with both values standing. Returns how many. */
size_t node_compare_merged(struct node *node, struct plain *plain,
                           const struct bench_data *data,
                           const struct bench_cells *a,
                           const struct bench_cells *b);

/* ---------------------------------------------------------------- side.c */

/* What a side saw of its link, in bench_ns. */
struct side_status {
    int64_t called_ns, up_ns, taken_ns, done_ns;
    int64_t taken;           /* entries */
    uint64_t sent, received; /* bytes of payload */
    int64_t rounds;          /* times it waited for an answer and had one */
    int64_t memory_kib;      /* the most it ever had resident */
    struct ent_digest digest;
};

/* A process of its own with one node: store, engine and link. */
struct side {
    pid_t pid;
    int fd;
    char endpoint[64];
    struct ent_key key;
};

/* The program begun as a side; never returns. */
__attribute__((noreturn)) void side_main(int fd, const char *home,
                                         const char *kinds);

void side_start(struct side *side, const char *home, const char *kinds);
void side_stop(struct side *side);
/* Open a fresh link: listening, or with a session begun with `host`. */
void side_listen(struct side *side);
void side_call(struct side *side, const struct side *host);
/* Wait until the session begun has nothing left to do. */
void side_wait_done(struct side *side);
void side_read_status(struct side *side, int64_t space,
                      struct side_status *status);
/* Make one change; when it was begun. */
int64_t side_set(struct side *side, int64_t space, const struct ent_id *id,
                 uint32_t column, struct ent_slice text);
/* Wait for one entry; when it was committed. */
int64_t side_wait_taken(struct side *side);

/* ------------------------------------------------------- local.c, link.c */

enum bench_who { BENCH_BOTH, BENCH_ONLY_ENTENTE, BENCH_ONLY_SQLITE };

struct bench {
    struct bench_data data;
    const char *data_dir;
    const char *kinds_dir;
    char work[BENCH_PATH_MAX];
    int repeat;
    enum bench_who who;
    size_t batch; /* only these transactions in W1 and W2; 0: both sizes */
};

void bench_inserts(struct bench *bench);   /* W1 */
void bench_updates(struct bench *bench);   /* W2 */
void bench_bootstrap(struct bench *bench); /* W3 */
void bench_session(struct bench *bench);   /* W4 */
void bench_merge(struct bench *bench);     /* W5 */
void bench_size(struct bench *bench);      /* W6 */
void bench_live(struct bench *bench);      /* W7 */

#endif
