/* bench.c - entente-bench --data DIR [OPTION ...] W1 W2 ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static const char usage[] =
    "entente-bench --data DIR [OPTION ...] TEST ...\n"
    "  --data DIR      files made by gen.py\n"
    "  --dir DIR       where to work, on the disk to measure; else /tmp\n"
    "  --repeat N      runs of each test, 1 to 20 (3); medians are printed\n"
    "  --ids v7|v5     ids in the order of time, or made of names (v7)\n"
    "  --only PEER     entente or sqlite, in W1 and W2: for profiling;\n"
    "                  nothing is compared then\n"
    "  --batch N       1 or 1000 changes a transaction only, in W1 and W2\n"
    "  --kinds DIR     the definition of the records\n"
    "  TEST            W1 ... W7\n";

static const struct test {
    const char *name;
    void (*run)(struct bench *bench);
} tests[] = {
    {"W1", bench_inserts}, {"W2", bench_updates}, {"W3", bench_bootstrap},
    {"W4", bench_session}, {"W5", bench_merge},   {"W6", bench_size},
    {"W7", bench_live},
};

struct arguments {
    const char *data, *dir, *kinds, *ids, *only;
    int repeat, batch;
    bool wanted[ENT_ARRAY_LEN(tests)];
};

__attribute__((noreturn)) static void misused(const char *word)
{
    fprintf(stderr, "entente-bench: %s?\n%s", word, usage);
    exit(2);
}

static const char *value_of(int argc, char **argv, int *at)
{
    if (*at + 1 >= argc)
        misused(argv[*at]);
    return argv[++*at];
}

static void want(struct arguments *args, const char *name)
{
    for (size_t i = 0; i < ENT_ARRAY_LEN(tests); i++) {
        if (strcmp(tests[i].name, name) == 0) {
            args->wanted[i] = true;
            return;
        }
    }
    misused(name);
}

static void read_arguments(int argc, char **argv, struct arguments *args)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--data") == 0)
            args->data = value_of(argc, argv, &i);
        else if (strcmp(argv[i], "--dir") == 0)
            args->dir = value_of(argc, argv, &i);
        else if (strcmp(argv[i], "--kinds") == 0)
            args->kinds = value_of(argc, argv, &i);
        else if (strcmp(argv[i], "--ids") == 0)
            args->ids = value_of(argc, argv, &i);
        else if (strcmp(argv[i], "--only") == 0)
            args->only = value_of(argc, argv, &i);
        else if (strcmp(argv[i], "--batch") == 0)
            args->batch = atoi(value_of(argc, argv, &i));
        else if (strcmp(argv[i], "--repeat") == 0)
            args->repeat = atoi(value_of(argc, argv, &i));
        else
            want(args, argv[i]);
    }
    if (args->data == NULL)
        misused("--data");
    if (args->repeat < 1 || args->repeat > 20)
        misused("--repeat");
    if (args->batch != 0 && args->batch != 1 && args->batch != BENCH_BATCH)
        misused("--batch");
    if (strcmp(args->ids, "v5") != 0 && strcmp(args->ids, "v7") != 0)
        misused("--ids");
}

static enum bench_who who_of(const char *only)
{
    if (only == NULL)
        return BENCH_BOTH;
    if (strcmp(only, BENCH_ENTENTE) == 0)
        return BENCH_ONLY_ENTENTE;
    if (strcmp(only, BENCH_SQLITE) != 0)
        misused("--only");
    return BENCH_ONLY_SQLITE;
}

static void make_work_folder(struct bench *bench, const char *dir)
{
    if (snprintf(bench->work, sizeof(bench->work), "%s/entente-bench.XXXXXX",
                 dir) >= (int)sizeof(bench->work) ||
        mkdtemp(bench->work) == NULL)
        bench_die("cannot make a folder in %s", dir);
}

int main(int argc, char **argv)
{
    struct arguments args = {
        .dir = "/tmp", .kinds = BENCH_KINDS, .ids = "v7", .repeat = 3};
    static struct bench bench;

    if (argc == 5 && strcmp(argv[1], "--side") == 0)
        side_main(atoi(argv[2]), argv[3], argv[4]);
    read_arguments(argc, argv, &args);
    bench.data_dir = args.data;
    bench.kinds_dir = args.kinds;
    bench.repeat = args.repeat;
    bench.batch = (size_t)args.batch;
    bench.who = who_of(args.only);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* as the replica does */
    node_kinds(args.kinds);
    bench_data_read(&bench.data, args.data, strcmp(args.ids, "v5") == 0);
    make_work_folder(&bench, args.dir);
    bench_figure("machine", "machine", "fdatasync", bench_sync_ms(bench.work),
                 "ms");
    for (size_t i = 0; i < ENT_ARRAY_LEN(tests); i++) {
        if (args.wanted[i])
            tests[i].run(&bench);
        bench_print();
    }
    bench_remove(bench.work);
    bench_data_fini(&bench.data);
    ent_kinds_fini(&bench_kinds);
    return 0;
}
