/* threads.c - messages that belong together: those that answer each other, and
 * those of one thread by name. Shown under each other as they answer. */
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/look.h"
#include "cli/mention.h"
#include "cli/messages.h"
#include "cli/pick.h"

struct thread {
    const struct messages *messages;
    size_t *set;     /* of each message another one of its thread, in the end
                      * the same for all */
    size_t *child;   /* first answer, MESSAGES_NONE: none */
    size_t *sibling; /* next answer to the same */
    size_t *up;      /* what it answers, as it is shown */
    size_t *named;   /* those with a name of their thread, in order */
};

static void thread_fini(struct thread *thread)
{
    free(thread->set);
    free(thread->child);
    free(thread->sibling);
    free(thread->up);
    free(thread->named);
}

static int thread_init(struct cmd_ctx *ctx, struct thread *thread,
                       const struct messages *messages)
{
    size_t count = messages->count + 1;

    *thread = (struct thread){
        .messages = messages,
        .set = calloc(count, sizeof(size_t)),
        .child = calloc(count, sizeof(size_t)),
        .sibling = calloc(count, sizeof(size_t)),
        .up = calloc(count, sizeof(size_t)),
        .named = calloc(count, sizeof(size_t)),
    };
    if (thread->set == NULL || thread->child == NULL ||
        thread->sibling == NULL || thread->up == NULL || thread->named == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; i < messages->count; i++) {
        thread->set[i] = i;
        thread->child[i] = MESSAGES_NONE;
        thread->sibling[i] = MESSAGES_NONE;
        thread->up[i] = messages->list[i].parent;
    }
    return 0;
}

/* ----------------------------------------------------------------- together */

static size_t find_set(struct thread *thread, size_t at)
{
    while (thread->set[at] != at) {
        thread->set[at] = thread->set[thread->set[at]];
        at = thread->set[at];
    }
    return at;
}

static void join(struct thread *thread, size_t a, size_t b)
{
    thread->set[find_set(thread, a)] = find_set(thread, b);
}

/* Names of threads are known in their space only. */
static int named_cmp(const void *a, const void *b, void *list)
{
    const struct message *messages = list;
    const struct message *x = &messages[*(const size_t *)a];
    const struct message *y = &messages[*(const size_t *)b];

    if (x->ref.space != y->ref.space)
        return x->ref.space < y->ref.space ? -1 : 1;
    return strcmp(x->thread, y->thread);
}

static void join_all(struct thread *thread)
{
    struct message *list = thread->messages->list;
    size_t count = 0;

    for (size_t i = 0; i < thread->messages->count; i++) {
        if (list[i].parent != MESSAGES_NONE)
            join(thread, i, list[i].parent);
        if (list[i].thread[0] != '\0')
            thread->named[count++] = i;
    }
    qsort_r(thread->named, count, sizeof(size_t), named_cmp, list);
    for (size_t i = 1; i < count; i++)
        if (named_cmp(&thread->named[i - 1], &thread->named[i], list) == 0)
            join(thread, thread->named[i - 1], thread->named[i]);
}

/* ------------------------------------------------------------- under others */

/* Two that answer each other can come from two programs: such a circle is cut
 * where it is met first, so that every message has its place. `walk` is the
 * number of the walk that came by. */
static void cut_circles(struct thread *thread, size_t *walk)
{
    for (size_t i = 0; i < thread->messages->count; i++) {
        size_t at = i;

        while (thread->up[at] != MESSAGES_NONE && walk[at] == 0) {
            walk[at] = i + 1;
            at = thread->up[at];
        }
        if (thread->up[at] != MESSAGES_NONE && walk[at] == i + 1)
            thread->up[at] = MESSAGES_NONE;
    }
}

/* The list has the newest first: each one that is put before its siblings is
 * older than they are. */
static void hang_answers(struct thread *thread)
{
    for (size_t i = 0; i < thread->messages->count; i++) {
        size_t up = thread->up[i];

        if (up == MESSAGES_NONE)
            continue;
        thread->sibling[i] = thread->child[up];
        thread->child[up] = i;
    }
}

/* The next one as they are shown, NONE at the end of what began with `root`. */
static size_t next_shown(const struct thread *thread, size_t root, size_t at,
                         size_t *depth)
{
    if (thread->child[at] != MESSAGES_NONE) {
        ++*depth;
        return thread->child[at];
    }
    while (at != root && thread->sibling[at] == MESSAGES_NONE) {
        at = thread->up[at];
        --*depth;
    }
    return at == root ? MESSAGES_NONE : thread->sibling[at];
}

/* ------------------------------------------------------------------- asking */

/* Whether a message is one that was asked for: by its thread's name, itself, or
 * as one about the record. */
static bool is_asked(const struct message *message, const char *name,
                     const struct ent_record_ref *ref, const char *code)
{
    char id[ENT_ID_TEXT];

    if (ref == NULL)
        return strcmp(message->thread, name) == 0;
    if (message->ref.space == ref->space && ref->kind == ENT_KIND_MESSAGE &&
        ent_id_equal(&message->ref.id, &ref->id))
        return true;
    ent_id_text(&ref->id, id);
    return ref->kind != ENT_KIND_MESSAGE &&
           ((message->ref.space == ref->space &&
             strcmp(message->about, id) == 0) ||
            (*code != '\0' && strcmp(message->about, code) == 0));
}

/* Marks the sets of those that were asked for; how many were. */
static size_t mark_asked(struct thread *thread, const char *name,
                         const struct ent_record_ref *ref, const char *code,
                         bool *asked)
{
    size_t count = 0;

    for (size_t i = 0; i < thread->messages->count; i++)
        if (is_asked(&thread->messages->list[i], name, ref, code)) {
            asked[find_set(thread, i)] = true;
            count++;
        }
    return count;
}

static int show(struct cmd_ctx *ctx, struct thread *thread, const bool *asked,
                const struct mention *mention, size_t *shown, size_t *count)
{
    const struct messages *messages = thread->messages;
    int rc = 0;

    out_list_begin(ctx->out);
    messages_columns(ctx, true);
    for (size_t i = messages->count; rc == 0 && i-- > 0;) {
        size_t depth = 0;
        size_t at = i;

        if (thread->up[i] != MESSAGES_NONE || !asked[find_set(thread, i)])
            continue;
        while (rc == 0 && at != MESSAGES_NONE) {
            const struct message *message = &messages->list[at];

            rc = messages_row(ctx, message,
                              messages_is_mine(messages, message, mention),
                              true, depth);
            shown[(*count)++] = at;
            at = next_shown(thread, i, at, &depth);
        }
    }
    out_list_end(ctx->out);
    return rc;
}

/* What the name means: a record, or else the name of a thread. */
static int find_asked(struct cmd_ctx *ctx, struct thread *thread,
                      const char *name, bool *asked)
{
    const struct ent_kind *kind;
    struct ent_record record;
    struct ent_buf code = {0};
    size_t count;
    int rc;

    if (mark_asked(thread, name, NULL, NULL, asked) > 0)
        return 0;
    rc = pick_read(ctx, name, &record, &kind);
    if (rc < 0)
        return rc;
    look_put(&record, ENT_FIELD_CODE, &code);
    count = mark_asked(thread, name, &record.ref,
                       code.len > 0 ? ent_buf_cstr(&code) : "", asked);
    if (count == 0)
        cmd_say(ctx, _("no message is about %s"), name);
    ent_buf_fini(&code);
    ent_record_fini(&record);
    return 0;
}

static int run(struct cmd_ctx *ctx, const struct messages *messages,
               const struct mention *mention, const char *name, bool keep)
{
    bool *asked = calloc(messages->count + 1, sizeof(*asked));
    size_t *shown = calloc(messages->count + 1, sizeof(*shown));
    struct thread thread = {0};
    size_t count = 0;
    int rc = asked == NULL || shown == NULL
                 ? cmd_no_memory(ctx)
                 : thread_init(ctx, &thread, messages);

    if (rc < 0)
        goto out;
    join_all(&thread);
    cut_circles(&thread, shown);
    hang_answers(&thread);
    rc = find_asked(ctx, &thread, name, asked);
    if (rc == 0)
        rc = show(ctx, &thread, asked, mention, shown, &count);
    if (rc == 0 && !keep)
        rc = messages_mark(ctx, messages, shown, count);
out:
    thread_fini(&thread);
    free(asked);
    free(shown);
    return rc;
}

int messages_thread(struct cmd_ctx *ctx, int argc, char **argv)
{
    bool keep = false;
    const struct args_option options[] = {{.name = "--keep", .flag = &keep}};
    struct messages messages = {0};
    struct mention mention = {0};
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, "thread");
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = mention_read(ctx, &mention);
    if (rc == 0)
        rc = messages_read(ctx, 0, &messages);
    if (rc == 0)
        rc = run(ctx, &messages, &mention, argv[1], keep);
    messages_fini(&messages);
    mention_fini(&mention);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
