/* powercut.c - what powercut.sh cannot do in a shell: cut a disk off, and write
 * as fast as a node can until that happens.
 *
 *   powercut cut MOUNTPOINT
 *   powercut write HOME KINDS RUN ACKNOWLEDGED [normal]
 *
 * A transaction adds one contact, each eighth one ROWS, with the codes
 * RUN-transaction-rows-row. Once it is committed, and not before, its codes
 * are appended to the file ACKNOWLEDGED, which lies on another disk. `normal`
 * takes away what makes a commit durable: the control that must lose. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "store/records.h"
#include "store/replica.h"
#include "store/spaces.h"
#include "text/kinds.h"

#define ROWS 40
#define START_MS INT64_C(1750000000000)

/* Of ext4, in no header that every distribution ships. */
#define SHUTDOWN _IOR('X', 125, uint32_t)
#define SHUTDOWN_NO_LOG_FLUSH 2

static int cut(const char *mountpoint)
{
    uint32_t how = SHUTDOWN_NO_LOG_FLUSH;
    int fd = open(mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || ioctl(fd, SHUTDOWN, &how) < 0) {
        perror(mountpoint);
        return 1;
    }
    close(fd);
    return 0;
}

struct writer {
    struct ent_store *store;
    const struct ent_kind *kind;
    uint32_t name_field;
    struct ent_space space;
    const char *run;
    int acknowledged;
    int64_t now_ms;
};

static int put(struct writer *self, struct ent_writer *writer,
               struct ent_slice code, struct ent_err *err)
{
    const struct ent_edit_op ops[] = {
        {.code = ENT_OP_WRITE,
         .field = ENT_FIELD_CODE,
         .value = {.type = ENT_VALUE_TEXT, .bytes = code}},
        {.code = ENT_OP_WRITE,
         .field = self->name_field,
         .value = {.type = ENT_VALUE_TEXT, .bytes = code}},
    };
    const struct ent_edit edit = {
        .kind = self->kind->number,
        .id = ent_record_new_id(self->store, self->space.space, self->kind,
                                self->now_ms),
        .ops = ops,
        .op_count = ENT_ARRAY_LEN(ops),
        .fresh = true,
    };
    enum ent_written written;

    return ent_writer_put(writer, &edit, false, &written, err);
}

/* One transaction; when it is durable, its codes are told. */
static int transact(struct writer *self, int number, int rows,
                    struct ent_err *err)
{
    struct ent_writer *writer;
    struct ent_buf codes = {0};
    int rc = ent_writer_open(self->store, self->space.space, self->now_ms,
                             &writer, err);

    if (rc < 0)
        return rc;
    for (int i = 0; rc == 0 && i < rows; i++) {
        size_t begin = codes.len;

        ent_buf_printf(&codes, "%s-%d-%d-%d", self->run, number, rows, i);
        rc = put(self, writer, ent_slice(codes.at + begin, codes.len - begin),
                 err);
        ent_buf_put_u8(&codes, '\n');
    }
    if (rc == 0)
        rc = ent_writer_commit(writer, err);
    else
        ent_writer_abort(writer);
    if (rc == 0 &&
        write(self->acknowledged, codes.at, codes.len) != (ssize_t)codes.len)
        rc = ent_err_set(err, ENT_EFAIL, "cannot tell what was written");
    ent_buf_fini(&codes);
    return rc;
}

/* Until the disk is gone: its message is expected. */
static int write_on(struct writer *self, struct ent_rand *rand,
                    struct ent_err *err)
{
    int rc = 0;

    for (int number = 0; rc == 0; number++) {
        const struct timespec pause = {.tv_nsec =
                                           (long)ent_rand_below(rand, 2000000)};

        self->now_ms++;
        rc = transact(self, number, number % 8 == 7 ? ROWS : 1, err);
        nanosleep(&pause, NULL);
    }
    return rc;
}

static int write_home(char **argv, bool normal, struct ent_err *err)
{
    struct writer self = {.run = argv[4], .now_ms = START_MS};
    struct ent_kinds kinds = {0};
    struct ent_rand rand;
    const struct ent_store_options options = {
        .kinds = &kinds, .rand = &rand, .now_ms = START_MS};
    struct ent_space *spaces = NULL;
    size_t count = 0;
    int rc = ent_secure_init(err);

    self.acknowledged =
        open(argv[5], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (rc == 0 && self.acknowledged < 0)
        rc = ent_err_set(err, ENT_EFAIL, "%s: %s", argv[5], strerror(errno));
    ent_rand_init_u64(&rand, (uint64_t)getpid());
    if (rc == 0)
        rc = ent_kinds_load(argv[3], &kinds, err);
    if (rc == 0)
        rc = ent_store_open(argv[2], &options, &self.store, err);
    if (rc == 0)
        rc = ent_space_list(self.store, &spaces, &count, err);
    if (rc == 0 && count != 1)
        rc = ent_err_set(err, ENT_EUSAGE, "a node with one space is needed");
    if (rc == 0 && normal)
        rc = ent_db_exec(&self.store->db, "PRAGMA synchronous = NORMAL", err);
    if (rc == 0) {
        self.space = spaces[0];
        self.kind = ent_kind_named(&kinds, "contact");
        self.name_field = ent_field_named(self.kind, "display_name")->number;
        rc = write_on(&self, &rand, err);
    }
    free(spaces);
    ent_store_close(self.store);
    ent_kinds_fini(&kinds);
    close(self.acknowledged);
    return rc;
}

int main(int argc, char **argv)
{
    struct ent_err err = {0};

    if (argc == 3 && strcmp(argv[1], "cut") == 0)
        return cut(argv[2]);
    if ((argc == 6 || (argc == 7 && strcmp(argv[6], "normal") == 0)) &&
        strcmp(argv[1], "write") == 0) {
        (void)!write_home(argv, argc == 7, &err);
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    fprintf(stderr,
            "usage: %s cut MOUNTPOINT | write HOME KINDS RUN FILE "
            "[normal]\n",
            argv[0]);
    return 2;
}
