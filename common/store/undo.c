/* undo.c - see undo.h. */
#include "store/undo.h"

#include <stdlib.h>
#include <string.h>

#include "store/replica.h"
#include "store/undo_plan.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

void ent_undo_fini(struct ent_undo *undo)
{
    free(undo->steps);
    ent_arena_fini(&undo->arena);
    *undo = (struct ent_undo){0};
}

static int read_ranges(struct ent_store *store, struct ent_arena *arena,
                       struct ent_undo_range **ranges, size_t *count,
                       struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_LAST_ALL);
    size_t cap = 0;
    int rc;

    *ranges = NULL;
    *count = 0;
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        if (*count == cap) {
            struct ent_undo_range *more;

            cap = cap == 0 ? 16 : 2 * cap;
            more = ENT_ARENA_NEW(arena, struct ent_undo_range, cap);
            if (more == NULL) {
                rc = no_memory(err);
                break;
            }
            if (*count > 0)
                memcpy(more, *ranges, *count * sizeof(*more));
            *ranges = more;
        }
        (*ranges)[(*count)++] =
            (struct ent_undo_range){.first = ent_stmt_int(stmt, 0),
                                    .last = ent_stmt_int(stmt, 1),
                                    .space = ent_stmt_int(stmt, 2)};
    }
    ent_stmt_reset(stmt);
    return rc;
}

/* ------------------------------------------------------------------ writing */

static int put(struct ent_writer *writer, const struct ent_undo_step *step,
               enum ent_edit_life life, const struct ent_edit_op *ops,
               size_t count, struct ent_err *err)
{
    const struct ent_edit edit = {.kind = step->ref.kind,
                                  .id = step->ref.id,
                                  .life = life,
                                  .ops = ops,
                                  .op_count = count};
    enum ent_written written;

    return ent_writer_put(writer, &edit, true, &written, err);
}

/* The steps of one record: all in one change, and one more for each further
 * value of a field that had several. */
static int write_record(struct ent_writer *writer,
                        const struct ent_undo_step *steps, size_t count,
                        struct ent_err *err)
{
    static const struct ent_dot nothing;
    struct ent_edit_op *ops = calloc(count, sizeof(*ops));
    enum ent_edit_life life = ENT_EDIT_TOUCH;
    size_t op_count = 0;
    int rc;

    if (ops == NULL)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        if (steps[i].code == ENT_OP_DEAD)
            life = ENT_EDIT_DELETE;
        else if (steps[i].code == ENT_OP_LIVE)
            life = ENT_EDIT_UNDELETE;
        else if (!steps[i].again)
            ops[op_count++] =
                (struct ent_edit_op){.code = steps[i].code,
                                     .field = steps[i].field,
                                     .value = steps[i].value,
                                     .seen = steps[i].seen,
                                     .seen_count = steps[i].seen_count};
    }
    rc = put(writer, steps, life, ops, op_count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct ent_edit_op op = {.code = ENT_OP_WRITE,
                                       .field = steps[i].field,
                                       .value = steps[i].value,
                                       .seen = &nothing};

        if (steps[i].again)
            rc = put(writer, &steps[i], ENT_EDIT_TOUCH, &op, 1, err);
    }
    free(ops);
    return rc;
}

static bool same_record(const struct ent_undo_step *a,
                        const struct ent_undo_step *b)
{
    return a->ref.kind == b->ref.kind && ent_id_equal(&a->ref.id, &b->ref.id);
}

static int barred(struct ent_err *err)
{
    return ent_err_set(err, ENT_ECONFLICT,
                       ENT_N_("somebody has written to it since; nothing was "
                              "undone"));
}

/* What is planned under the writer's lock is what is done. */
static int undo_space(struct ent_store *store, int64_t space,
                      const struct ent_undo_range *ranges, size_t count,
                      int64_t now_ms, bool dry, struct ent_err *err)
{
    struct ent_undo undo = {0};
    struct ent_writer *writer;
    int rc = ent_writer_open(store, space, now_ms, &writer, err);

    if (rc < 0)
        return rc;
    rc = ent_undo_plan(store, space, ranges, count, &undo, err);
    if (rc == 0 && undo.barred > 0)
        rc = barred(err);
    for (size_t i = 0; rc == 0 && i < undo.count;) {
        size_t end = i + 1;

        while (end < undo.count &&
               same_record(&undo.steps[i], &undo.steps[end]))
            end++;
        rc = write_record(writer, &undo.steps[i], end - i, err);
        i = end;
    }
    ent_undo_fini(&undo);
    if (rc < 0 || dry)
        ent_writer_abort(writer);
    else
        rc = ent_writer_commit(writer, err);
    return rc;
}

/* A writer is one transaction in one space. What would be refused in any of
 * them is known before the first is written; what fails then, a full disk, is
 * told with what was done. */
static int undo_spaces(struct ent_store *store,
                       const struct ent_undo_range *ranges, size_t count,
                       int64_t now_ms, bool dry, struct ent_err *err)
{
    size_t done = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        if (i == 0 || ranges[i].space != ranges[i - 1].space) {
            rc = undo_space(store, ranges[i].space, ranges, count, now_ms, dry,
                            err);
            done += rc == 0;
        }
    if (rc < 0 && done > 0 && !dry && err != NULL) {
        const struct ent_err why = *err;

        ent_err_set(err, rc,
                    ENT_N_("what was written in one space is undone, and what "
                           "was written in another is not: %s"),
                    why.text);
    }
    return rc;
}

static int nothing(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOTFOUND,
                       ENT_N_("there is nothing to undo: the last command "
                              "here wrote no record, or nothing of what it "
                              "wrote stands any more; what is decided about a "
                              "space is not undone"));
}

int ent_undo_last(struct ent_store *store, int64_t now_ms, bool dry,
                  ent_undo_check_fn *check, void *with, struct ent_undo *undo,
                  struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_undo_range *ranges = NULL;
    size_t count = 0;
    int rc = ent_store_refresh(store, err);

    *undo = (struct ent_undo){0};
    if (rc == 0)
        rc = read_ranges(store, &arena, &ranges, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (i == 0 || ranges[i].space != ranges[i - 1].space)
            rc =
                ent_undo_plan(store, ranges[i].space, ranges, count, undo, err);
    if (rc == 0 && undo->count == 0)
        rc = nothing(err);
    if (rc == 0 && undo->barred > 0)
        rc = barred(err);
    if (rc == 0 && check != NULL)
        rc = check(with, undo, err);
    if (rc == 0 && (dry || ranges[0].space != ranges[count - 1].space))
        rc = undo_spaces(store, ranges, count, now_ms, true, err);
    if (rc == 0 && !dry)
        rc = undo_spaces(store, ranges, count, now_ms, false, err);
    ent_arena_fini(&arena);
    return rc;
}
