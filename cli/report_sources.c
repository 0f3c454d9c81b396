/* report_sources.c - see report.h: who contributed, until when, and what is
 * not settled. */
#include <stdlib.h>
#include <string.h>

#include "cli/conflicts.h"
#include "cli/report.h"

/* The newest entry of each author's logs. */
static const char newest_sql[] =
    "SELECT lower(hex(o.author)),"
    "       max((SELECT l.at FROM log l"
    "             WHERE l.n BETWEEN o.o << 40 AND ((o.o + 1) << 40) - 1"
    "             ORDER BY l.n DESC LIMIT 1)) AS at"
    "  FROM origin o GROUP BY o.author HAVING at IS NOT NULL"
    " ORDER BY at DESC, o.author";

/* Whether any record was moved: to read the workflows for none of them would
 * cost more than most reports do. */
static const char moved_sql[] = "SELECT 1 FROM main.transitions LIMIT 1";

static int take_source(struct cmd_ctx *ctx, struct ent_query *query,
                       struct ent_arena *arena, size_t *cap,
                       struct report_sources *sources)
{
    const char *hex = ent_query_text(query, 0);
    struct report_source source = {.at_ms = ent_query_int(query, 1)};

    if (!ent_hex_get(source.key.b, sizeof(source.key.b), hex, strlen(hex)))
        return 0;
    if (sources->count == *cap) {
        struct report_source *list =
            ENT_ARENA_NEW(arena, struct report_source, 2 * *cap + 16);

        if (list == NULL)
            return cmd_no_memory(ctx);
        if (sources->count > 0)
            memcpy(list, sources->list, sources->count * sizeof(*list));
        sources->list = list;
        *cap = 2 * *cap + 16;
    }
    sources->list[sources->count++] = source;
    return 0;
}

static int take_sources(struct cmd_ctx *ctx, struct ent_query *query,
                        struct ent_arena *arena, struct report_sources *sources)
{
    size_t cap = 0;
    int rc;

    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        rc = take_source(ctx, query, arena, &cap, sources);
        if (rc < 0)
            break;
    }
    return rc;
}

/* Once for each author of a value, also of several. */
static void count_sides(const struct conflict *conflict,
                        struct report_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        struct report_source *source = &sources->list[i];

        for (size_t j = 0; j < conflict->count; j++)
            if (ent_key_equal(&conflict->values[j]->author, &source->key)) {
                source->conflicts++;
                break;
            }
    }
}

static int count_conflict(struct cmd_ctx *ctx, const struct ent_conflict *item,
                          struct report_sources *sources)
{
    struct ent_record record = {0};
    struct ent_arena arena = {0};
    struct conflict conflict;
    int rc = conflict_open(ctx, item, &record, &arena, &conflict);

    if (rc > 0) {
        sources->conflicts++;
        count_sides(&conflict, sources);
    }
    ent_arena_fini(&arena);
    ent_record_fini(&record);
    return rc < 0 ? rc : 0;
}

static int count_state(struct cmd_ctx *ctx, const struct conflict *conflict,
                       void *data)
{
    (void)ctx;
    count_sides(conflict, data);
    return 0;
}

int report_sources(struct cmd_ctx *ctx, struct ent_query *query,
                   struct ent_arena *arena, struct report_sources *sources)
{
    struct ent_query *own = NULL;
    struct ent_conflict *list = NULL;
    bool moved = false;
    size_t count = 0;
    int rc = 0;

    *sources = (struct report_sources){0};
    if (query == NULL)
        rc = ent_query_open(ctx->store, newest_sql, &own, &ctx->err);
    else
        rc = ent_query_again(query, newest_sql, &ctx->err);
    if (query == NULL)
        query = own;
    if (rc == 0)
        rc = take_sources(ctx, query, arena, sources);
    if (rc == 0)
        rc = ent_query_again(query, moved_sql, &ctx->err);
    if (rc == 0) {
        rc = ent_query_next(query, &ctx->err);
        moved = rc > 0;
        rc = rc < 0 ? rc : 0;
    }
    ent_query_close(own);
    if (rc == 0)
        rc = ent_conflict_list(ctx->store, 0, arena, &list, &count, &ctx->err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = count_conflict(ctx, &list[i], sources);
    if (rc == 0 && moved)
        rc = conflict_each_state(ctx, 0, count_state, sources,
                                 &sources->conflicts);
    return rc;
}
