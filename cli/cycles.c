/* cycles.c - see cycles.h. */
#include "cli/cycles.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/query.h"

#define HASH_TEXT (2 * ENT_HASH_BYTES + 1)
#define NOWHERE SIZE_MAX

void cycles_fini(struct cycles *cycles)
{
    free(cycles->edges);
    ent_arena_fini(&cycles->arena);
    *cycles = (struct cycles){0};
}

int cycles_put(struct cycles *cycles, const struct cycles_edge *edge,
               struct ent_err *err)
{
    struct cycles_edge *kept;

    if (cycles->count == cycles->cap) {
        size_t cap = cycles->cap == 0 ? 64 : 2 * cycles->cap;
        struct cycles_edge *edges =
            realloc(cycles->edges, cap * sizeof(*edges));

        if (edges == NULL)
            return ent_err_set(err, ENT_ENOMEM, "out of memory");
        cycles->edges = edges;
        cycles->cap = cap;
    }
    kept = &cycles->edges[cycles->count++];
    *kept = *edge;
    kept->code = ent_arena_copy(&cycles->arena, edge->code);
    kept->target = ent_arena_copy(&cycles->arena, edge->target);
    return cycles->arena.rc < 0 ? ent_err_set(err, ENT_ENOMEM, "out of memory")
                                : 0;
}

static int by_from(const void *a, const void *b)
{
    const struct cycles_edge *x = a;
    const struct cycles_edge *y = b;
    int order = ent_id_cmp(&x->from, &y->from);

    return order != 0 ? order
                      : (x->field->number > y->field->number) -
                            (x->field->number < y->field->number);
}

/* The edge that goes on where `edge` ends. */
static size_t next(const struct cycles *cycles, const struct cycles_edge *edge)
{
    const struct cycles_edge wanted = {.field = edge->field, .from = edge->to};
    const struct cycles_edge *found = bsearch(
        &wanted, cycles->edges, cycles->count, sizeof(*cycles->edges), by_from);

    return found == NULL ? NOWHERE : (size_t)(found - cycles->edges);
}

/* -------------------------------------------------------- the ignored edge */

/* The hash of the entry at `n`, as text of one length. */
static int read_hash(struct cmd_ctx *ctx, int64_t n, char hash[HASH_TEXT])
{
    struct ent_query *query;
    char text[24];
    int rc = ent_query_open(ctx->store,
                            "SELECT hash FROM log"
                            " WHERE n = CAST(:n AS INTEGER)",
                            &query, &ctx->err);

    if (rc < 0)
        return rc;
    hash[0] = '\0';
    snprintf(text, sizeof(text), "%" PRId64, n);
    ent_query_bind(query, ":n", text);
    rc = ent_query_next(query, &ctx->err);
    if (rc > 0)
        snprintf(hash, HASH_TEXT, "%s", ent_query_text(query, 0));
    ent_query_close(query);
    return rc < 0 ? rc : 0;
}

/* Whether `a` ranks above `b`. */
static int is_above(struct cmd_ctx *ctx, const struct cycles_edge *a,
                    const struct cycles_edge *b, bool *above)
{
    char hash_a[HASH_TEXT];
    char hash_b[HASH_TEXT];
    int rc;

    if (a->claimed_ms != b->claimed_ms) {
        *above = a->claimed_ms > b->claimed_ms;
        return 0;
    }
    if (a->dot.n == b->dot.n) {
        *above = a->dot.ordinal > b->dot.ordinal;
        return 0;
    }
    rc = read_hash(ctx, a->dot.n, hash_a);
    if (rc == 0)
        rc = read_hash(ctx, b->dot.n, hash_b);
    if (rc == 0)
        *above = strcmp(hash_a, hash_b) > 0;
    return rc;
}

/* Of the circle that goes through the edge `at`. */
static int ignore_one(struct cmd_ctx *ctx, struct cycles *cycles, size_t at)
{
    size_t last = at;
    int rc = 0;

    for (size_t i = next(cycles, &cycles->edges[at]); rc == 0 && i != at;
         i = next(cycles, &cycles->edges[i])) {
        bool above = false;

        rc = is_above(ctx, &cycles->edges[i], &cycles->edges[last], &above);
        if (above)
            last = i;
    }
    cycles->edges[last].ignored = true;
    return rc;
}

/* ------------------------------------------------------------- the circles */

/* From every edge goes at most one on, so each is walked once: a walk ends
 * nowhere, on what an earlier walk met, or on itself, and then there is a
 * circle from there on. */
static int find_circles(struct cmd_ctx *ctx, struct cycles *cycles,
                        size_t *circles)
{
    size_t *walk = calloc(cycles->count + 1, sizeof(*walk)); /* 0: not met */
    int rc = 0;

    if (walk == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; rc == 0 && i < cycles->count; i++) {
        size_t at = i;

        while (at != NOWHERE && walk[at] == 0) {
            walk[at] = i + 1;
            at = next(cycles, &cycles->edges[at]);
        }
        if (at == NOWHERE || walk[at] != i + 1)
            continue;
        ++*circles;
        rc = ignore_one(ctx, cycles, at);
    }
    free(walk);
    return rc;
}

/* The circles one after the other, each from behind its ignored edge round to
 * that. */
static int lay_out(struct cmd_ctx *ctx, struct cycles *cycles)
{
    struct cycles_edge *list = calloc(cycles->count + 1, sizeof(*list));
    size_t count = 0;

    if (list == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; i < cycles->count; i++) {
        size_t at = i;

        if (!cycles->edges[i].ignored)
            continue;
        do {
            at = next(cycles, &cycles->edges[at]);
            list[count++] = cycles->edges[at];
        } while (at != i);
    }
    free(cycles->edges);
    cycles->edges = list;
    cycles->cap = cycles->count + 1;
    cycles->count = count;
    return 0;
}

int cycles_find(struct cmd_ctx *ctx, struct cycles *cycles, size_t *circles)
{
    int rc;

    *circles = 0;
    if (cycles->count == 0)
        return 0;
    qsort(cycles->edges, cycles->count, sizeof(*cycles->edges), by_from);
    rc = find_circles(ctx, cycles, circles);
    return rc < 0 ? rc : lay_out(ctx, cycles);
}
