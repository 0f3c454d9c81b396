/* follow.c - see follow.h. */
#include "store/follow.h"

#include <stdlib.h>
#include <string.h>

#include "store/past.h"

/* How far a log has been told. */
struct mark {
    int64_t o;
    int64_t seq;
};

struct ent_follow {
    struct ent_store *store;
    int64_t space;
    struct mark *marks; /* by o */
    size_t count, cap;
    int64_t version; /* of the replica when all was told; 0: not yet */

    struct ent_arena arena; /* of the entry that is told */
    struct ent_entry entry;
    struct ent_past past;
    struct ent_step *steps;
    size_t step_count, step_cap, next;
};

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* The mark of a log; one that is new begins before its first entry. */
static struct mark *mark_of(struct ent_follow *follow,
                            const struct ent_log *log)
{
    size_t at = 0;

    while (at < follow->count && follow->marks[at].o < log->o)
        at++;
    if (at < follow->count && follow->marks[at].o == log->o)
        return &follow->marks[at];
    if (follow->count == follow->cap) {
        size_t cap = follow->cap == 0 ? 32 : 2 * follow->cap;
        struct mark *marks = realloc(follow->marks, cap * sizeof(*marks));

        if (marks == NULL)
            return NULL;
        follow->marks = marks;
        follow->cap = cap;
    }
    memmove(follow->marks + at + 1, follow->marks + at,
            (follow->count - at) * sizeof(*follow->marks));
    follow->count++;
    follow->marks[at] = (struct mark){.o = log->o, .seq = log->base};
    return &follow->marks[at];
}

static bool is_followed(const struct ent_follow *follow,
                        const struct ent_log *log)
{
    return follow->space == 0 || log->space == follow->space;
}

/* What is here already is not told. */
static int skip_all(struct ent_follow *follow, struct ent_err *err)
{
    struct ent_store *store = follow->store;
    int rc = ent_store_refresh(store, err);

    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        struct mark *mark;

        rc = ent_log_head(store, store->logs[i], err);
        mark = rc < 0 ? NULL : mark_of(follow, store->logs[i]);
        if (rc == 0 && mark == NULL)
            rc = no_memory(err);
        if (rc == 0)
            mark->seq = store->logs[i]->head;
    }
    return rc;
}

int ent_follow_open(struct ent_store *store, int64_t space,
                    struct ent_follow **follow, struct ent_err *err)
{
    struct ent_follow *made = calloc(1, sizeof(*made));
    int rc;

    if (made == NULL)
        return no_memory(err);
    made->store = store;
    made->space = space;
    made->past.store = store;
    rc = skip_all(made, err);
    if (rc < 0) {
        ent_follow_close(made);
        return rc;
    }
    *follow = made;
    return 0;
}

void ent_follow_close(struct ent_follow *follow)
{
    if (follow == NULL)
        return;
    ent_past_fini(&follow->past);
    ent_arena_fini(&follow->arena);
    free(follow->steps);
    free(follow->marks);
    free(follow);
}

/* ------------------------------------------------------------- one entry */

static int put_step(struct ent_follow *follow, const struct ent_step *step,
                    struct ent_err *err)
{
    if (follow->step_count == follow->step_cap) {
        size_t cap = follow->step_cap == 0 ? 64 : 2 * follow->step_cap;
        struct ent_step *steps = realloc(follow->steps, cap * sizeof(*steps));

        if (steps == NULL)
            return no_memory(err);
        follow->steps = steps;
        follow->step_cap = cap;
    }
    follow->steps[follow->step_count++] = *step;
    return 0;
}

static bool names_value(const struct ent_value *list, size_t count,
                        const struct ent_value *value)
{
    for (size_t i = 0; i < count; i++)
        if (ent_value_equal(&list[i], value))
            return true;
    return false;
}

/* The different values among the writes, an emptied field left out. */
static int put_was(struct ent_follow *follow, struct ent_step *step,
                   const struct ent_past_write *writes, size_t count,
                   struct ent_err *err)
{
    struct ent_value *was =
        ENT_ARENA_NEW(&follow->arena, struct ent_value, count + 1);

    if (was == NULL)
        return no_memory(err);
    for (size_t i = 0; i < count; i++)
        if (!writes[i].missing && writes[i].value.type != ENT_VALUE_NIL &&
            !names_value(was, step->was_count, &writes[i].value))
            was[step->was_count++] = writes[i].value;
    step->was = was;
    return 0;
}

static int put_removals(struct ent_follow *follow, struct ent_step *step,
                        const struct ent_past_write *writes, size_t count,
                        struct ent_err *err)
{
    int rc = put_was(follow, step, writes, count, err);
    const struct ent_value *was = step->was;
    size_t was_count = step->was_count;

    step->what = ENT_STEP_REMOVED;
    step->was = NULL;
    step->was_count = 0;
    for (size_t i = 0; rc == 0 && i < was_count; i++) {
        step->value = was[i];
        rc = put_step(follow, step, err);
    }
    return rc;
}

/* An ordinary change says that the record lives: no step. */
static int put_life(struct ent_follow *follow, struct ent_step *step,
                    const struct ent_op *op,
                    const struct ent_past_write *writes, size_t count,
                    struct ent_err *err)
{
    bool of_dead = false;

    for (size_t i = 0; i < count; i++)
        of_dead = of_dead || writes[i].code == ENT_OP_DEAD;
    if (op->code == ENT_OP_ERASE)
        step->what = ENT_STEP_ERASED;
    else if (op->code == ENT_OP_DEAD)
        step->what = ENT_STEP_DELETED;
    else if (op->seen_count == 0)
        step->what = ENT_STEP_CREATED;
    else if (of_dead)
        step->what = ENT_STEP_UNDELETED;
    else
        return 0;
    return put_step(follow, step, err);
}

static int put_op(struct ent_follow *follow, const struct ent_change *change,
                  struct ent_step *step, const struct ent_op *op,
                  struct ent_err *err)
{
    struct ent_past_write *writes;
    size_t count;
    int rc = ent_past_seen(&follow->past, &step->ref, &follow->entry, op,
                           &follow->arena, &writes, &count, err);

    if (rc < 0)
        return rc;
    step->field = op->field;
    if (op->field == ENT_FIELD_LIFE)
        return put_life(follow, step, op, writes, count, err);
    if (op->code == ENT_OP_REMOVE)
        return put_removals(follow, step, writes, count, err);
    step->what = op->code == ENT_OP_ADD ? ENT_STEP_ADDED : ENT_STEP_WRITTEN;
    step->value = op->value;
    step->missing = change->erased;
    rc = put_was(follow, step, writes, count, err);
    return rc < 0 ? rc : put_step(follow, step, err);
}

static int put_change(struct ent_follow *follow, int64_t space,
                      const struct ent_change *change, struct ent_err *err)
{
    const struct ent_op *life = change->op_count > 0 ? &change->ops[0] : NULL;
    bool creates =
        life != NULL && life->code == ENT_OP_LIVE && life->seen_count == 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < change->op_count; i++) {
        struct ent_step step = {
            .ref = {.space = space, .kind = change->kind, .id = change->id},
            .author = follow->entry.author,
            .claimed_ms = follow->entry.time_ms,
            .in_creation = creates && i > 0};

        rc = put_op(follow, change, &step, &change->ops[i], err);
    }
    return rc;
}

static int tell_entry(struct ent_follow *follow, const struct ent_log *log,
                      int64_t seq, struct ent_err *err)
{
    const int64_t space = log->space;
    struct ent_hash hash;
    enum ent_verdict verdict;
    int rc;

    ent_arena_reset(&follow->arena);
    follow->step_count = 0;
    follow->next = 0;
    rc = ent_log_read(follow->store, ent_n(log->o, seq), &follow->arena,
                      &follow->entry, &verdict, &hash, err);
    if (rc < 0 || verdict != ENT_VERDICT_ACCEPTED)
        return rc;
    for (size_t i = 0; rc == 0 && i < follow->entry.change_count; i++)
        rc = put_change(follow, space, &follow->entry.changes[i], err);
    return rc;
}

/* ------------------------------------------------------------- all of them */

/* Reads the next entry that was not told: 1, or 0 at the end. A log may also
 * have become shorter, by a cut. */
static int next_entry(struct ent_follow *follow, struct ent_err *err)
{
    struct ent_store *store = follow->store;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];
        struct mark *mark;

        if (!is_followed(follow, log))
            continue;
        rc = ent_log_head(store, log, err);
        mark = rc < 0 ? NULL : mark_of(follow, log);
        if (rc == 0 && mark == NULL)
            rc = no_memory(err);
        if (rc < 0)
            break;
        if (mark->seq > log->head)
            mark->seq = log->head;
        if (mark->seq == log->head)
            continue;
        rc = tell_entry(follow, log, ++mark->seq, err);
        return rc < 0 ? rc : 1;
    }
    return rc;
}

int ent_follow_next(struct ent_follow *follow, const struct ent_step **step,
                    struct ent_err *err)
{
    int rc;

    while (follow->next == follow->step_count) {
        int64_t version = 0;

        rc = ent_store_refresh(follow->store, err);
        if (rc == 0)
            rc = ent_store_data_version(follow->store, &version, err);
        if (rc < 0 || version == follow->version)
            return rc;
        rc = next_entry(follow, err);
        if (rc < 0)
            return rc;
        if (rc == 0) {
            follow->version = version;
            return 0;
        }
    }
    *step = &follow->steps[follow->next++];
    return 1;
}
