/* fuzz_csv.c - any bytes as a table, and its cells as values of every type.
 * What parses must print to something that parses to the same value. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "text/csv.h"
#include "text/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the shape of the shipped vocabulary, for the fields of type enum. */
static struct ent_term terms[] = {
    {"status", "draft", {"Draft", "Ébauche"}, "", "project"},
    {"status", "done", {"Done", "Terminée"}, "iati:4", "project"},
};

static const struct ent_vocab vocab = {.terms = terms, .count = 2};

static void check_value(enum ent_field_type type, struct ent_slice cell)
{
    const struct ent_field field = {
        .name = "f", .type = type, .list = "status"};
    struct ent_arena arena = {0};
    struct ent_buf buf = {0};
    struct ent_err err;
    struct ent_value value;
    struct ent_value again;

    if (ent_value_parse(&field, &vocab, cell, &arena, &value, &err) == 0) {
        ent_value_print(&value, &buf);
        ENT_ASSERT(ent_value_parse(&field, &vocab, ent_buf_slice(&buf), &arena,
                                   &again, &err) == 0);
        ENT_ASSERT(ent_value_equal(&value, &again));
    }
    ent_buf_fini(&buf);
    ent_arena_fini(&arena);
}

static void read_all(const char *path)
{
    struct ent_csv *csv;
    struct ent_err err;
    const struct ent_slice *cells;
    int rc;

    if (ent_csv_open(path, &csv, &err) < 0)
        return;
    for (;;) {
        size_t columns = ent_csv_columns(csv);

        rc = ent_csv_next(csv, &cells, &err);
        if (rc == 0 || ent_csv_broken(csv))
            break;
        for (size_t i = 0; rc > 0 && i < columns; i++)
            if (cells[i].len > 0)
                check_value((enum ent_field_type)(i % (ENT_TYPE_YESNO + 1)),
                            cells[i]);
    }
    ent_csv_close(csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("csv", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    read_all(path);
    close(fd);
    return 0;
}
