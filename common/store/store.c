/* store.c - the replica as a file: made, opened, told from its copies. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/home.h"
#include "store/kept.h"
#include "store/schema.h"

/* A commit that leaves the WAL this long copies it back itself, else the daemon
 * does so when it is idle, or closing the file (rule L7). Where commits are
 * small the WAL stays short: a file that still grows doubles what fdatasync
 * costs. Large ones rewrite the same pages, so that copying them back seldom
 * saves most of the copies. In pages of 4 KiB. */
#define WAL_PAGES 2048
#define WAL_PAGES_BULK 4096
#define COMMIT_PAGES_BULK 64
#define WAL_INDEX_BYTES (64 << 10) /* and what the file system adds */
#define BRANCHES_APPLIED_VERSION 3 /* of the schema */
#define HIGH_WATER_TAG "entente-high-water-2"
#define HIGH_WATER_MS 1000       /* how far the mark may lag behind the log */
#define HIGH_WATER_HEAD 61       /* tag, origin in hex, count, newline */
#define HIGH_WATER_MAX (1 << 20) /* bytes that are read of it */
#define HIGH_WATER_LINE 85       /* n in 19 digits, hash in hex, newline */

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ------------------------------------------------------------- local_node */

int ent_node_get(struct ent_store *store, const char *key, char *value,
                 size_t size, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_NODE_GET);
    int rc;

    value[0] = '\0';
    ent_stmt_bind_cstr(stmt, 1, key);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0)
        ent_stmt_copy_text(stmt, 0, value, size);
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

int ent_node_set(struct ent_store *store, const char *key, const char *value,
                 struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_NODE_SET);

    ent_stmt_bind_cstr(stmt, 1, key);
    ent_stmt_bind_cstr(stmt, 2, value);
    return ent_stmt_run(stmt, err);
}

/* ---------------------------------------------------------- which file is it
 */

/* What tells this replica from a copy of it: the machine, and the file's
 * number on its disk (the disk's own number changes across boots). */
static void machine_text(char text[64])
{
    FILE *file = fopen("/etc/machine-id", "re");

    if (file == NULL || fgets(text, 64, file) == NULL)
        snprintf(text, 64, "unknown");
    if (file != NULL)
        fclose(file);
    text[strcspn(text, "\n")] = '\0';
}

static int inode_text(const char *path, char text[32], struct ent_err *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return ent_err_set(err, ENT_ESTORE, ENT_N_("cannot read %s: %s"), path,
                           strerror(errno));
    snprintf(text, 32, "%llu", (unsigned long long)st.st_ino);
    return 0;
}

/* ------------------------------------------------- high-water mark (rule N2)
 * The origin, and the newest entry of every log this node writes under it, kept
 * beside the replica: a replica that has another origin, or lacks one of them,
 * has been put back from a backup. So has one in which fewer entries of rosters
 * were written: a line with a minus has their number. */

static int decisions_of(struct ent_store *store, long long *count,
                        struct ent_err *err)
{
    char text[24];
    int rc = 0;

    *count = 0;
    if (store->db.raw == NULL) /* a replica that is being made */
        return 0;
    rc = ent_node_get(store, "decisions", text, sizeof(text), err);
    if (rc == 0)
        *count = atoll(text);
    return rc;
}

int ent_store_decided(struct ent_store *store, struct ent_err *err)
{
    char text[24];
    long long count;
    int rc = decisions_of(store, &count, err);

    if (rc < 0)
        return rc;
    snprintf(text, sizeof(text), "%lld", count + 1);
    store->decided = true;
    rc = ent_last_forget(store, err);
    return rc < 0 ? rc : ent_node_set(store, "decisions", text, err);
}

static bool is_own(const struct ent_store *store, const struct ent_log *log)
{
    return ent_key_equal(&log->author, &store->keys.public) &&
           ent_id_equal(&log->id, &store->origin);
}

static bool own_heads_known(const struct ent_store *store)
{
    for (size_t i = 0; i < store->log_count; i++)
        if (is_own(store, store->logs[i]) && !store->logs[i]->head_known)
            return false;
    return store->logs_loaded;
}

/* The file as it should be. */
static int high_water_text(struct ent_store *store, struct ent_buf *text)
{
    struct ent_buf lines = {0};
    char hex[2 * ENT_HASH_BYTES + 1];
    long long decisions;
    unsigned count = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];

        if (!is_own(store, log))
            continue;
        rc = ent_log_head(store, log, NULL);
        if (rc < 0 || log->head <= log->base)
            continue;
        ent_hex_put(hex, log->head_hash.b, ENT_HASH_BYTES);
        ent_buf_printf(&lines, "%019lld %s\n",
                       (long long)ent_n(log->o, log->head), hex);
        count++;
    }
    if (rc == 0)
        rc = decisions_of(store, &decisions, NULL);
    if (rc == 0 && decisions > 0) {
        const struct ent_hash none = {{0}};

        ent_hex_put(hex, none.b, ENT_HASH_BYTES);
        ent_buf_printf(&lines, "-%018lld %s\n", decisions, hex);
        count++;
    }
    ent_hex_put(hex, store->origin.b, ENT_ID_BYTES);
    ent_buf_printf(text, HIGH_WATER_TAG " %s %06u\n", hex, count);
    ent_buf_put(text, lines.at, lines.len);
    if (lines.rc < 0 || text->rc < 0)
        rc = ENT_ENOMEM;
    ent_buf_fini(&lines);
    return rc;
}

static int high_water_read(const struct ent_store *store, struct ent_buf *text)
{
    uint8_t bytes[4096];
    ssize_t got = 0;

    while (text->rc == 0 && text->len < HIGH_WATER_MAX &&
           (got = pread(store->high_water, bytes, sizeof(bytes),
                        (off_t)text->len)) > 0)
        ent_buf_put(text, bytes, (size_t)got);
    return got < 0 || text->rc < 0 ? ENT_ESTORE : 0;
}

/* It may lag and needs no fsync under way: the next open brings it up to the
 * replica, and a mark that is lost costs a fresh origin. */
static bool high_water_put(struct ent_store *store, bool synced)
{
    struct ent_buf text = {0};
    bool put;

    store->mark_due = false;
    store->mark_ms = store->written_ms;
    put =
        store->high_water >= 0 && high_water_text(store, &text) == 0 &&
        pwrite(store->high_water, text.at, text.len, 0) == (ssize_t)text.len &&
        ftruncate(store->high_water, (off_t)text.len) == 0 &&
        (!synced || fsync(store->high_water) == 0);
    ent_buf_fini(&text);
    return put;
}

/* Many commits in a row are marked once a second, the last one at the close. */
static void high_water_raise(struct ent_store *store)
{
    store->mark_due = true;
    if (llabs(store->written_ms - store->mark_ms) >= HIGH_WATER_MS)
        high_water_put(store, false);
}

/* Whether the head of the log that a line names is as high, or higher. */
static bool high_water_below(struct ent_store *store, const char *line)
{
    struct ent_log *log;
    long long count;
    long long n;

    if (sscanf(line, "%19lld", &n) != 1)
        return false;
    if (n < 0)
        return decisions_of(store, &count, NULL) == 0 && count >= -n;
    log = ent_log_of(store, ent_n_o(n));
    return log != NULL && is_own(store, log) && log->head >= ent_n_seq(n);
}

/* After a power cut, or a process that was killed, the mark may be older than
 * the replica: entries beyond it would not be missed after a restore. It only
 * goes up: a disk that fails may hide what is there. */
static void high_water_catch_up(struct ent_store *store)
{
    struct ent_buf now = {0};
    struct ent_buf kept = {0};
    bool behind = ent_store_refresh(store, NULL) == 0 &&
                  high_water_text(store, &now) == 0 &&
                  high_water_read(store, &kept) == 0 &&
                  !ent_slice_equal(ent_buf_slice(&now), ent_buf_slice(&kept));

    if (behind && store->fresh == NULL)
        for (size_t at = HIGH_WATER_HEAD; behind && at < kept.len;
             at += HIGH_WATER_LINE)
            behind = high_water_below(store, ent_buf_cstr(&kept) + at);
    if (behind)
        high_water_put(store, true);
    ent_buf_fini(&now);
    ent_buf_fini(&kept);
}

void ent_high_water_lower(struct ent_store *store)
{
    if (ent_store_refresh(store, NULL) == 0)
        high_water_put(store, true);
}

/* Whether the replica has the entry that a line names. */
static int high_water_line_holds(struct ent_store *store, const char *line,
                                 bool *holds, struct ent_err *err)
{
    char hex[2 * ENT_HASH_BYTES + 1];
    struct ent_hash named;
    struct ent_hash held;
    enum ent_verdict verdict;
    long long count;
    long long n;
    int rc;

    *holds = false;
    if (sscanf(line, "%19lld %64s", &n, hex) != 2 ||
        !ent_hex_get(named.b, ENT_HASH_BYTES, hex, strlen(hex)))
        return 0;
    if (n < 0) {
        rc = decisions_of(store, &count, err);
        *holds = rc == 0 && count >= -n;
        return rc;
    }
    rc = ent_log_hash(store, n, &held, &verdict, err);
    *holds = rc == 0 && ent_hash_equal(&held, &named);
    return rc == ENT_ENOTFOUND ? 0 : rc;
}

/* True when the mark is there, whole, and the replica has what it names. */
static int high_water_holds(struct ent_store *store, bool *holds,
                            struct ent_err *err)
{
    struct ent_buf text = {0};
    size_t at = HIGH_WATER_HEAD;
    char hex[2 * ENT_ID_BYTES + 1];
    struct ent_id origin;
    unsigned count;
    int rc = 0;

    *holds = high_water_read(store, &text) == 0 &&
             sscanf(ent_buf_cstr(&text), HIGH_WATER_TAG " %32s %6u", hex,
                    &count) == 2 &&
             text.len == at + (size_t)count * HIGH_WATER_LINE &&
             ent_hex_get(origin.b, ENT_ID_BYTES, hex, strlen(hex)) &&
             ent_id_equal(&origin, &store->origin);
    for (; *holds && at < text.len; at += HIGH_WATER_LINE)
        rc = high_water_line_holds(store, ent_buf_cstr(&text) + at, holds, err);
    ent_buf_fini(&text);
    return rc;
}

/* Others may hold more of a roster than this replica does (A2). */
static int keep_unmet(struct ent_store *store, struct ent_err *err)
{
    char origin[2 * ENT_ID_BYTES + 1];

    ent_hex_put(origin, store->origin.b, ENT_ID_BYTES);
    return ent_node_set(store, "unmet", origin, err);
}

int ent_origin_change(struct ent_store *store, const char *why, int64_t now_ms,
                      struct ent_err *err)
{
    char text[2 * ENT_ID_BYTES + 1];
    char at[24];
    int rc;

    ent_rand_bytes(store->rand, store->origin.b, ENT_ID_BYTES);
    ent_hex_put(text, store->origin.b, ENT_ID_BYTES);
    snprintf(at, sizeof(at), "%lld", (long long)now_ms);
    store->renewed = true;
    rc = ent_node_set(store, "origin", text, err);
    if (rc == 0 && why != NULL)
        rc = ent_node_set(store, "fresh", why, err);
    if (rc == 0 && why != NULL)
        rc = ent_node_set(store, "fresh_at", at, err);
    if (rc == 0 && why != NULL)
        rc = keep_unmet(store, err);
    return rc;
}

int ent_origin_renew(struct ent_store *store, const char *path, int64_t now_ms,
                     struct ent_err *err)
{
    char machine[64];
    char inode[32];
    int rc = inode_text(path, inode, err);

    if (rc == 0)
        rc = ent_db_begin(&store->db, err);
    if (rc < 0)
        return rc;
    machine_text(machine);
    rc = ent_origin_change(store, store->fresh, now_ms, err);
    if (rc == 0)
        rc = ent_node_set(store, "machine", machine, err);
    if (rc == 0)
        rc = ent_node_set(store, "inode", inode, err);
    if (rc == 0)
        rc = ent_db_commit(&store->db, err);
    if (rc < 0)
        ent_db_rollback(&store->db);
    return rc;
}

static int check_identity(struct ent_store *store, const char *path,
                          int64_t now_ms, struct ent_err *err)
{
    char machine[64];
    char inode[32];
    char kept[64];
    bool holds;
    int rc;

    machine_text(machine);
    rc = inode_text(path, inode, err);
    if (rc == 0)
        rc = ent_node_get(store, "machine", kept, sizeof(kept), err);
    if (rc < 0)
        return rc;
    if (strcmp(kept, machine) != 0)
        store->fresh = ENT_N_("this replica was last used on another machine");
    rc = ent_node_get(store, "inode", kept, sizeof(kept), err);
    if (rc < 0)
        return rc;
    if (store->fresh == NULL && strcmp(kept, inode) != 0)
        store->fresh = ENT_N_("this replica's file is a copy");
    if (store->fresh == NULL) {
        rc = high_water_holds(store, &holds, err);
        if (rc < 0)
            return rc;
        if (!holds)
            store->fresh =
                ENT_N_("this replica is older than what this node wrote last");
    }
    return store->fresh == NULL ? 0
                                : ent_origin_renew(store, path, now_ms, err);
}

/* ------------------------------------------------------------------- create */

/* All of the WAL, which is empty then. */
static int copy_back(struct ent_store *store, struct ent_err *err)
{
    int rc = sqlite3_wal_checkpoint_v2(store->db.raw, NULL,
                                       SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

    return rc == SQLITE_OK ? 0 : ent_db_fail(&store->db, rc, err);
}

static int create_file(const char *path,
                       const struct ent_store_options *options, const char *org,
                       const char *country, bool key_found,
                       struct ent_id *origin, struct ent_err *err)
{
    struct ent_store store = {
        .kinds = options->kinds, .rand = options->rand, .high_water = -1};
    bool changed;
    /* Made here so that only its owner may read it: SQLite gives its other
     * files the same mode. What a crash left is begun anew. */
    int fd =
        open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc;

    if (fd < 0)
        return ent_err_set(err, ENT_ESTORE, ENT_N_("cannot make %s: %s"), path,
                           strerror(errno));
    close(fd);
    rc = ent_db_open(&store.db, path, SQLITE_OPEN_READWRITE, err);
    if (rc < 0)
        return rc;
    rc = ent_tables_init(&store.tables, &store.db, options->kinds, err);
    if (rc == 0)
        rc = ent_db_begin(&store.db, err);
    if (rc == 0)
        rc = ent_schema_create(&store.db, err);
    if (rc == 0)
        rc = ent_tables_create(&store.tables, &changed, err);
    if (rc == 0)
        rc = ent_node_set(&store, "org", org, err);
    if (rc == 0)
        rc = ent_node_set(&store, "country", country, err);
    if (rc == 0)
        rc = ent_db_commit(&store.db, err);
    if (rc < 0)
        ent_db_rollback(&store.db);
    if (rc == 0)
        rc = ent_origin_renew(&store, path, options->now_ms, err);
    if (rc == 0 && key_found)
        rc = keep_unmet(&store, err);
    *origin = store.origin;
    /* Only this file gets its name in the end: closing copies the WAL back
     * too, but does not say when it cannot. */
    if (rc == 0)
        rc = copy_back(&store, err);
    ent_tables_fini(&store.tables);
    ent_db_close(&store.db);
    return rc;
}

int ent_high_water_make(const char *path, const struct ent_id *origin,
                        struct ent_err *err)
{
    struct ent_store store = {
        .high_water = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
        .origin = *origin};
    int rc = 0;

    if (store.high_water < 0 || !high_water_put(&store, true))
        rc = ent_err_set(err, ENT_ESTORE, ENT_N_("cannot write %s: %s"), path,
                         strerror(errno));
    if (store.high_water >= 0)
        close(store.high_water);
    return rc;
}

/* What SQLite keeps beside a file. */
static void remove_tails(const char *path)
{
    static const char *const tails[] = {"-wal", "-shm", "-journal"};
    char file[ENT_PATH_MAX + 16];

    for (size_t i = 0; i < ENT_ARRAY_LEN(tails); i++) {
        snprintf(file, sizeof(file), "%s%s", path, tails[i]);
        unlink(file);
    }
}

/* The files of a home directory while it is made. */
struct making {
    char replica[ENT_PATH_MAX];
    char growing[ENT_PATH_MAX]; /* the replica before it is whole */
    char key[ENT_PATH_MAX];
    char mark[ENT_PATH_MAX];
    int lock;       /* of the directory: one at a time */
    bool key_found; /* it was there; the node gets it, and it stays */
};

/* The key goes before the replica that explains it. */
static void unmake(const struct making *making)
{
    remove_tails(making->growing);
    unlink(making->replica);
    unlink(making->mark);
    if (!making->key_found)
        unlink(making->key);
    unlink(making->growing);
}

/* A key that lies there is the node's: somebody imported it, or a crash left
 * it (N1). Whoever makes a node begins with its replica, under another name:
 * with that beside it a key that is no key is what a crash left of one. */
static int find_key(struct making *making, struct ent_err *err)
{
    struct ent_keys keys;
    int rc;

    if (access(making->key, F_OK) < 0)
        return 0;
    rc = ent_keys_load(&keys, making->key, err);
    making->key_found = rc == 0;
    ent_keys_fini(&keys);
    return rc == ENT_EREFUSED && access(making->growing, F_OK) == 0 ? 0 : rc;
}

static int take_home(struct making *making, const char *home,
                     struct ent_err *err)
{
    int rc = ent_home_claim(home, &making->lock, err);

    if (rc < 0)
        return rc;
    if (access(making->replica, F_OK) == 0)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("there is a node already in %s"), home);
    rc = find_key(making, err);
    if (rc == 0)
        unmake(making);
    return rc;
}

static int make_key(const struct making *making, struct ent_rand *rand,
                    struct ent_err *err)
{
    uint8_t seed[32];
    int rc;

    if (making->key_found)
        return 0;
    ent_rand_bytes(rand, seed, sizeof(seed));
    rc = ent_keys_save(seed, making->key, err);
    memset(seed, 0, sizeof(seed));
    return rc;
}

static int make_files(const struct making *making, const char *home,
                      const char *org, const char *country,
                      const struct ent_store_options *options,
                      struct ent_err *err)
{
    struct ent_id origin;
    int rc = create_file(making->growing, options, org, country,
                         making->key_found, &origin, err);

    if (rc == 0)
        rc = make_key(making, options->rand, err);
    if (rc == 0)
        rc = ent_high_water_make(making->mark, &origin, err);
    if (rc == 0 && rename(making->growing, making->replica) < 0)
        rc = ent_err_set(err, ENT_ESTORE, ENT_N_("cannot make %s: %s"),
                         making->replica, strerror(errno));
    if (rc == 0)
        rc = ent_dir_sync(home, err);
    if (rc < 0)
        unmake(making);
    return rc;
}

int ent_store_create(const char *home, const char *org, const char *country,
                     const struct ent_store_options *options,
                     struct ent_err *err)
{
    struct making making = {.lock = -1};
    int rc = ent_home_path(home, "replica.db", making.replica, err);

    if (rc == 0)
        rc = ent_home_path(home, "replica.db.new", making.growing, err);
    if (rc == 0)
        rc = ent_home_path(home, "key", making.key, err);
    if (rc == 0)
        rc = ent_home_path(home, "high-water", making.mark, err);
    if (rc < 0)
        return rc;
    if (strlen(org) == 0 || strlen(org) > ENT_NAME_BYTES_MAX ||
        strlen(country) > 3)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("the organisation needs a name of at most "
                                  "%d bytes, the country three letters"),
                           ENT_NAME_BYTES_MAX);
    rc = ent_home_make(home, err);
    if (rc == 0)
        rc = take_home(&making, home, err);
    if (rc == 0)
        rc = make_files(&making, home, org, country, options, err);
    if (making.lock >= 0)
        close(making.lock);
    return rc;
}

/* --------------------------------------------------------------------- open */

static int read_node(struct ent_store *store, struct ent_err *err)
{
    char origin[2 * ENT_ID_BYTES + 1];
    int rc = ent_node_get(store, "org", store->org, sizeof(store->org), err);

    if (rc == 0)
        rc = ent_node_get(store, "country", store->country,
                          sizeof(store->country), err);
    if (rc == 0)
        rc = ent_node_get(store, "origin", origin, sizeof(origin), err);
    if (rc == 0 &&
        !ent_hex_get(store->origin.b, ENT_ID_BYTES, origin, strlen(origin)))
        rc = ent_err_set(err, ENT_ESTORE,
                         ENT_N_("the replica does not name its origin"));
    return rc;
}

/* A replica keeps the key it is of: with another one its logs would go on
 * under a name that is not theirs (rule N1). */
static int check_key(struct ent_store *store, const char *path,
                     struct ent_err *err)
{
    char hex[2 * ENT_KEY_BYTES + 1];
    char kept[2 * ENT_KEY_BYTES + 1];
    int rc = ent_node_get(store, "key", kept, sizeof(kept), err);

    ent_hex_put(hex, store->keys.public.b, ENT_KEY_BYTES);
    if (rc < 0 || strcmp(kept, hex) == 0)
        return rc;
    if (kept[0] != '\0')
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("%s is not the key of this replica"), path);
    return store->read_only ? 0 : ent_node_set(store, "key", hex, err);
}

/* Kinds and fields that came with a newer program get their tables, and what
 * was kept of them is shown; those that went are kept where no definition is
 * needed (rule L6). */
static int upgrade_kinds(struct ent_store *store, struct ent_err *err)
{
    bool changed;
    int rc = ent_db_begin(&store->db, err);

    if (rc == 0)
        rc = ent_tables_create(&store->tables, &changed, err);
    if (rc == 0)
        rc = ent_db_commit(&store->db, err);
    if (rc < 0)
        ent_db_rollback(&store->db);
    return rc == 0 ? ent_store_rebuild(store, err) : rc;
}

/* The kinds that the file's tables were made for, so that opening does not ask
 * for every column every time. */
static int check_kinds(struct ent_store *store, struct ent_err *err)
{
    struct ent_buf names = {0};
    char hex[2 * ENT_HASH_BYTES + 1];
    char kept[2 * ENT_HASH_BYTES + 1];
    struct ent_hash hash;
    int rc;

    for (size_t i = 0; i < store->kinds->count; i++) {
        const struct ent_kind *kind = &store->kinds->kinds[i];

        ent_buf_printf(&names, "%u %s:", kind->number, kind->table);
        for (size_t j = 0; j < kind->field_count; j++)
            ent_buf_printf(&names, "%u %s %d %d,", kind->fields[j].number,
                           kind->fields[j].name, (int)kind->fields[j].type,
                           (int)kind->fields[j].rule);
    }
    hash = ent_hash_of(ent_buf_slice(&names));
    rc = names.rc < 0 ? no_memory(err) : 0;
    ent_buf_fini(&names);
    ent_hex_put(hex, hash.b, ENT_HASH_BYTES);
    if (rc == 0)
        rc = ent_node_get(store, "kinds", kept, sizeof(kept), err);
    if (rc < 0 || strcmp(kept, hex) == 0 || store->read_only)
        return rc;
    if (kept[0] != '\0')
        rc = upgrade_kinds(store, err);
    if (rc == 0)
        rc = ent_node_set(store, "kinds", hex, err);
    return rc;
}

/* Called behind each commit with the WAL's length. The commit stands whatever
 * becomes of the copy: it is tried again behind the next. */
static int after_commit(void *ctx, sqlite3 *raw, const char *schema, int pages)
{
    struct ent_store *store = ctx;
    /* A WAL that was copied back begins anew. */
    int begin = pages >= store->wal_pages ? store->wal_pages : 0;
    bool bulk = pages - begin >= COMMIT_PAGES_BULK;

    store->wal_pages = pages;
    if (pages >= (bulk ? WAL_PAGES_BULK : WAL_PAGES))
        sqlite3_wal_checkpoint_v2(raw, schema, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                  NULL);
    return SQLITE_OK;
}

/* The index of the WAL takes memory on the disk. Where there is none left, and
 * the WAL is empty, the file can be read all the same. */
static bool is_full(const char *home, const char *replica)
{
    struct statvfs disk;
    struct stat wal;
    char path[ENT_PATH_MAX + sizeof("-wal")];

    snprintf(path, sizeof(path), "%s-wal", replica);
    return statvfs(home, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize < WAL_INDEX_BYTES &&
           (stat(path, &wal) < 0 || wal.st_size == 0);
}

static int open_replica(struct ent_store *store, const char *home,
                        const char *replica, bool read_full,
                        struct ent_err *err)
{
    int rc = ent_db_open(
        &store->db, replica,
        store->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, err);

    if (rc == ENT_ESTORE && read_full && is_full(home, replica)) {
        store->read_only = true;
        store->full = true;
        rc = ent_db_open_still(&store->db, replica, err);
    }
    return rc;
}

static int open_files(struct ent_store *store, const char *home,
                      const struct ent_store_options *options,
                      struct ent_err *err)
{
    char path[ENT_PATH_MAX];
    char key[ENT_PATH_MAX];
    char replica[ENT_PATH_MAX];
    int version;
    int rc = ent_home_path(home, "replica.db", replica, err);

    if (rc == 0)
        rc = ent_schema_peek(replica, &version, err);
    if (rc == 0 && !store->read_only &&
        (access(replica, W_OK) < 0 || access(home, W_OK) < 0))
        rc = ent_err_set(err, ENT_ESTORE,
                         ENT_N_("the replica cannot be written here: %s"),
                         strerror(errno));
    if (rc == 0)
        rc = ent_home_path(home, "key", key, err);
    if (rc == 0)
        rc = ent_keys_load(&store->keys, key, err);
    if (rc == 0)
        rc = open_replica(store, home, replica, options->read_full, err);
    if (rc == 0)
        rc = ent_schema_read(&store->db, replica, &version, err);
    if (rc == 0 && !store->read_only)
        sqlite3_wal_hook(store->db.raw, after_commit, store);
    if (rc == 0 && options->fragile)
        rc = ent_db_exec(&store->db, "PRAGMA synchronous = OFF", err);
    if (rc == 0)
        rc = ent_tables_init(&store->tables, &store->db, store->kinds, err);
    if (rc < 0)
        return rc;
    if (!store->read_only) {
        rc = ent_home_path(home, "high-water", path, err);
        if (rc < 0)
            return rc;
        store->high_water = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (store->high_water < 0)
            return ent_err_set(err, ENT_ESTORE, ENT_N_("cannot write %s: %s"),
                               path, strerror(errno));
        rc = ent_schema_migrate(&store->db, replica, version, err);
    }
    if (rc == 0)
        rc = read_node(store, err);
    if (rc == 0)
        rc = check_key(store, key, err);
    if (rc == 0 && !store->read_only)
        rc = check_identity(store, replica, options->now_ms, err);
    /* What older programs kept of branches without applying it; there may be
     * kinds now of which they had no tables. */
    if (rc == 0 && !store->read_only && version < BRANCHES_APPLIED_VERSION)
        rc = upgrade_kinds(store, err);
    return rc;
}

int ent_store_open(const char *home, const struct ent_store_options *options,
                   struct ent_store **store, struct ent_err *err)
{
    struct ent_store *made = calloc(1, sizeof(*made));
    int rc;

    if (made == NULL)
        return no_memory(err);
    made->kinds = options->kinds;
    made->rand = options->rand;
    made->read_only = options->read_only;
    made->keep_last = options->keep_last;
    made->high_water = -1;
    made->home = strdup(home);
    made->metas = calloc(ENT_META_CACHE, sizeof(*made->metas));
    if (made->home == NULL || made->metas == NULL)
        rc = no_memory(err);
    else
        rc = open_files(made, home, options, err);
    if (rc == 0)
        rc = ent_store_refresh(made, err);
    if (rc == 0)
        rc = check_kinds(made, err);
    if (rc == 0 && !made->read_only)
        high_water_catch_up(made);
    if (rc < 0) {
        ent_store_close(made);
        return rc;
    }
    *store = made;
    return 0;
}

void ent_store_close(struct ent_store *store)
{
    if (store == NULL)
        return;
    if (store->db.in_transaction)
        ent_store_rollback(store);
    /* From memory: what is read from a disk that fails may be wrong. */
    if (store->mark_due && own_heads_known(store))
        high_water_put(store, false);
    ent_store_forget(store);
    free(store->logs);
    free(store->by_o);
    free(store->spaces);
    free(store->metas);
    free(store->erasing);
    ent_writer_free(store->writer);
    ent_kept_free(store);
    ent_tables_fini(&store->tables);
    ent_db_close(&store->db);
    if (store->high_water >= 0)
        close(store->high_water);
    ent_arena_fini(&store->scratch);
    ent_keys_fini(&store->keys);
    free(store->home);
    free(store);
}

/* ------------------------------------------------------------- transactions */

void ent_store_forget(struct ent_store *store)
{
    for (size_t i = 0; i < store->log_count; i++)
        free(store->logs[i]);
    store->log_count = 0;
    if (store->by_o != NULL)
        memset(store->by_o, 0, store->by_o_cap * sizeof(*store->by_o));
    store->logs_loaded = false;
    ent_space_state_forget(store, 0);
    ent_log_metas_forget(store);
    ent_kept_drop(store);
}

int ent_store_data_version(struct ent_store *store, int64_t *version,
                           struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_DATA_VERSION);
    int rc = ent_stmt_step(stmt, err);

    if (rc > 0)
        *version = ent_stmt_int(stmt, 0);
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

static int ask_empty(struct ent_store *store, enum ent_sql which, bool *empty,
                     struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, which);
    int rc = ent_stmt_step(stmt, err);

    *empty = rc > 0 && ent_stmt_int(stmt, 0) == 0;
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

/* Read again what is remembered, after it was forgotten. */
static int remember(struct ent_store *store, struct ent_err *err)
{
    int rc = read_node(store, err);

    if (rc == 0)
        rc = ask_empty(store, ENT_SQL_CELL_ANY, &store->cells_empty, err);
    if (rc == 0)
        rc = ask_empty(store, ENT_SQL_UNSEEN_ANY, &store->unseen_empty, err);
    if (rc == 0)
        rc = ask_empty(store, ENT_SQL_ERASED_ANY, &store->erased_empty, err);
    if (rc == 0)
        rc = ent_logs_load(store, err);
    return rc;
}

int ent_store_refresh(struct ent_store *store, struct ent_err *err)
{
    int64_t version = 0;
    int rc = ent_store_data_version(store, &version, err);

    if (rc < 0)
        return rc;
    if (version != store->data_version) {
        ent_store_forget(store);
        store->data_version = version;
    }
    return store->logs_loaded ? 0 : remember(store, err);
}

/* Changes with every commit that this connection makes or sees; what it sees is
 * settled once a transaction is open. Cheaper to ask than data_version. */
static unsigned pager_version(struct ent_store *store)
{
    unsigned version = 0;

    sqlite3_file_control(store->db.raw, NULL, SQLITE_FCNTL_DATA_VERSION,
                         &version);
    return version;
}

int ent_store_begin(struct ent_store *store, struct ent_err *err)
{
    int rc;

    if (store->full)
        return ent_err_set(err, ENT_ESTORE,
                           ENT_N_("the disk is full; nothing was written"));
    if (store->read_only)
        return ent_err_set(err, ENT_ESTORE,
                           ENT_N_("the replica is open for reading only"));
    rc = ent_db_begin(&store->db, err);
    if (rc < 0)
        return rc;
    if (store->logs_loaded && store->pager_version == pager_version(store))
        return 0;
    rc = ent_store_refresh(store, err);
    if (rc < 0)
        ent_store_rollback(store);
    return rc;
}

int ent_store_commit(struct ent_store *store, const struct ent_log *own,
                     struct ent_err *err)
{
    int rc;

    ENT_ASSERT(!ent_kept_on(store));
    if (store->erasing_count > 0 &&
        (rc = ent_erasures_carry_out(store, err)) < 0) {
        ent_store_rollback(store);
        return rc;
    }
    rc = ent_db_commit(&store->db, err);
    if (rc < 0) {
        ent_store_forget(store);
        return rc;
    }
    store->pager_version = pager_version(store);
    if (store->renewed || store->decided)
        high_water_put(store, true);
    else if (own != NULL && own->head > own->base)
        high_water_raise(store);
    store->renewed = store->decided = false;
    return 0;
}

void ent_store_rollback(struct ent_store *store)
{
    store->renewed = store->decided = false;
    store->erasing_count = 0;
    ent_db_rollback(&store->db);
    ent_store_forget(store);
}

int ent_store_checkpoint(struct ent_store *store, struct ent_err *err)
{
    int rc = sqlite3_wal_checkpoint_v2(store->db.raw, NULL,
                                       SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    if (rc == SQLITE_OK || rc == SQLITE_BUSY)
        return 0;
    return ent_db_fail(&store->db, rc, err);
}

/* ---------------------------------------------------------------- this node */

bool ent_store_full(const struct ent_store *store)
{
    return store->full;
}

const char *ent_store_fresh(const struct ent_store *store)
{
    return store->fresh;
}

const struct ent_keys *ent_store_keys(const struct ent_store *store)
{
    return &store->keys;
}

const char *ent_store_org(const struct ent_store *store)
{
    return store->org;
}

const char *ent_store_country(const struct ent_store *store)
{
    return store->country;
}

const struct ent_id *ent_store_origin(const struct ent_store *store)
{
    return &store->origin;
}

const struct ent_kinds *ent_store_kinds(const struct ent_store *store)
{
    return store->kinds;
}

struct ent_rand *ent_store_rand(struct ent_store *store)
{
    return store->rand;
}
