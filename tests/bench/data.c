/* data.c - the files of gen.py, and the ids both peers use. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "secure/rand.h"

#define ID_SEED 20260305
#define ID_FIRST_MS 1770000000000 /* the claimed time of the first id */
#define ID_PER_MS 100 /* a bulk load makes about as many in a millisecond */

static char *read_file(const char *dir, const char *name, size_t *len)
{
    char path[BENCH_PATH_MAX];
    FILE *file;
    char *text;
    long size;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "rbe");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0 ||
        (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
        bench_die("cannot read %s; make it with gen.py", path);
    text = malloc((size_t)size + 1);
    if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size)
        bench_die("cannot read %s", path);
    fclose(file);
    text[size] = '\0';
    *len = (size_t)size;
    return text;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;

    for (; (text = strchr(text, '\n')) != NULL; text++)
        count++;
    return count;
}

/* The text up to the next `end`; moves behind it. */
static struct ent_slice cut(char **at, char end)
{
    char *stop = strchr(*at, end);
    struct ent_slice cell;

    if (stop == NULL)
        bench_die("a line of the data is cut off");
    cell = ent_slice(*at, (size_t)(stop - *at));
    *at = stop + 1;
    return cell;
}

static void read_records(struct bench_data *data, const char *dir)
{
    size_t len;
    char *at;

    data->file = read_file(dir, "records.tsv", &len);
    data->record_count = count_lines(data->file);
    data->records = calloc(data->record_count, sizeof(*data->records));
    if (data->records == NULL)
        bench_die("out of memory");
    at = data->file;
    for (size_t i = 0; i < data->record_count; i++) {
        (void)cut(&at, '\t'); /* its id: ours are made below */
        for (size_t c = 0; c < BENCH_COLUMNS; c++)
            data->records[i][c] = cut(&at, c + 1 < BENCH_COLUMNS ? '\t' : '\n');
    }
}

/* Version 7, as ent_idgen makes them for what people type in. */
static void make_ids(struct bench_data *data)
{
    struct ent_idgen gen = {0};
    struct ent_rand rand;

    ent_rand_init_u64(&rand, ID_SEED);
    for (size_t i = 0; i < data->record_count; i++) {
        uint8_t random[10];

        ent_rand_bytes(&rand, random, sizeof(random));
        data->ids[i] = ent_idgen_next(
            &gen, ID_FIRST_MS + (int64_t)(i / ID_PER_MS), random);
        data->order[i] = (uint32_t)i;
    }
    ent_rand_fini(&rand);
}

static const struct bench_data *sorting;

static int by_id(const void *a, const void *b)
{
    return ent_id_cmp(&sorting->ids[*(const uint32_t *)a],
                      &sorting->ids[*(const uint32_t *)b]);
}

/* Version 5, as imports make them; an import writes them in id order. */
static void make_named_ids(struct bench_data *data)
{
    static const struct ent_id names = {{0xb3, 0x11, 0x7c}};

    for (size_t i = 0; i < data->record_count; i++) {
        char name[32];
        int len = snprintf(name, sizeof(name), "record-%zu", i);

        data->ids[i] = ent_id_named(&names, name, (size_t)len);
        data->order[i] = (uint32_t)i;
    }
    sorting = data;
    qsort(data->order, data->small, sizeof(*data->order), by_id);
    qsort(data->order + data->small, data->record_count - data->small,
          sizeof(*data->order), by_id);
}

void bench_data_read(struct bench_data *data, const char *dir, bool named_ids)
{
    struct bench_cells upd;

    read_records(data, dir);
    bench_cells_read(&upd, dir, "upd.tsv");
    data->small = upd.count;
    bench_cells_fini(&upd);
    if (data->small > data->record_count)
        bench_die("upd.tsv has more lines than records.tsv");
    data->ids = calloc(data->record_count, sizeof(*data->ids));
    data->order = calloc(data->record_count, sizeof(*data->order));
    if (data->ids == NULL || data->order == NULL)
        bench_die("out of memory");
    if (named_ids)
        make_named_ids(data);
    else
        make_ids(data);
}

void bench_data_fini(struct bench_data *data)
{
    free(data->records);
    free(data->file);
    free(data->ids);
    free(data->order);
    memset(data, 0, sizeof(*data));
}

void bench_cells_read(struct bench_cells *cells, const char *dir,
                      const char *name)
{
    size_t len;
    char *at;

    cells->file = read_file(dir, name, &len);
    cells->count = count_lines(cells->file);
    cells->at = calloc(cells->count, sizeof(*cells->at));
    if (cells->at == NULL)
        bench_die("out of memory");
    at = cells->file;
    for (size_t i = 0; i < cells->count; i++) {
        struct bench_cell *cell = &cells->at[i];

        cell->record =
            (uint32_t)strtoul((const char *)cut(&at, '\t').at, NULL, 10);
        cell->column =
            (uint32_t)strtoul((const char *)cut(&at, '\t').at, NULL, 10);
        cell->text = cut(&at, '\n');
        if (cell->column >= BENCH_COLUMNS || cell->text.len >= BENCH_TEXT_MAX)
            bench_die("%s, line %zu: no cell", name, i + 1);
    }
}

void bench_cells_fini(struct bench_cells *cells)
{
    free(cells->at);
    free(cells->file);
    memset(cells, 0, sizeof(*cells));
}
