/* desk.c - see desk.h. */
#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "store/spaces.h"
#include "text/kinds.h"

struct ent_err err;
struct ent_kinds kinds;
struct ent_rand rnd;
struct ent_store *store;
int64_t space;
char dir[64];

static struct ent_store_options options(void)
{
    return (struct ent_store_options){
        .kinds = &kinds, .rand = &rnd, .now_ms = NOW_MS, .fragile = true};
}

void desk_setup(void)
{
    const struct ent_store_options usual = options();

    strcpy(dir, "/tmp/entente-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_ok(ent_secure_init(&err));
    ent_rand_init_u64(&rnd, 1);
    ck_ok(ent_kinds_load(ENT_SOURCE_DIR "/configs/kinds", &kinds, &err));
    ck_ok(ent_store_create(dir, "Cluster", "BDI", &usual, &err));
    desk_open(false, false);
    ck_ok(
        ent_space_create(store, "gt", "Group", "Groupe", NOW_MS, &space, &err));
}

void desk_teardown(void)
{
    static const char *const names[] = {"replica.db", "replica.db-wal",
                                        "replica.db-shm", "key", "high-water"};
    char path[128];

    desk_close();
    ent_kinds_fini(&kinds);
    for (size_t i = 0; i < ENT_ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

void desk_close(void)
{
    ent_store_close(store);
    store = NULL;
}

void desk_open(bool read_only, bool keep_last)
{
    struct ent_store_options more = options();

    desk_close();
    more.read_only = read_only;
    more.keep_last = keep_last;
    ck_ok(ent_store_open(dir, &more, &store, &err));
}
