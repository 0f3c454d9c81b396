/* flags.c - see flags.h. */
#include "cli/flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/look.h"
#include "cli/rows.h"
#include "store/query.h"
#include "text/datadir.h"

#define FLAGS_BYTES_MAX (64 << 10)
#define FLAGS_MARK "-- flag "

static const char before[] = "SELECT f.flag, f.kind, coalesce(s.name, ''), "
                             "f.id, f.code, f.iso3, f.since FROM (";
static const char behind[] =
    "\n) f LEFT JOIN local_space s ON s.space = f.space"
    " WHERE (:kind IS NULL OR f.kind = :kind)"
    "   AND NOT ent_archived(f.kind, f.space, f.id)"
    "   AND (:code IS NULL OR f.code = :code) AND (:id IS NULL OR f.id = :id)";

int flags_sql(struct cmd_ctx *ctx, struct ent_buf *sql)
{
    char path[ENT_PATH_MAX];

    if ((size_t)snprintf(path, sizeof(path), "%s/flags/flags.sql",
                         cmd_datadir()) >= sizeof(path))
        return ent_err_set(&ctx->err, ENT_EFAIL, "the path is too long");
    return rows_read_text(path, FLAGS_BYTES_MAX, sql, &ctx->err);
}

/* "-- flag NAME: English | French" in the comments; the name without it. */
static const char *find_label(struct cmd_ctx *ctx, const char *sql,
                              const char *name, struct ent_arena *arena)
{
    size_t len = strlen(name);

    for (const char *at = sql; (at = strstr(at, FLAGS_MARK)) != NULL;) {
        size_t line = strcspn(at, "\n");
        const char *end = at + line;
        const char *bar = memchr(at, '|', line);

        at += strlen(FLAGS_MARK);
        if (strncmp(at, name, len) != 0 || at[len] != ':' || bar == NULL)
            continue;
        at += len + 1;
        if (ctx->lang == ENT_LANG_FR)
            at = bar + 1;
        else
            end = bar;
        while (at < end && *at == ' ')
            at++;
        while (end > at && end[-1] == ' ')
            end--;
        return (const char *)ent_arena_copy(
                   arena, ent_slice((const uint8_t *)at, (size_t)(end - at)))
            .at;
    }
    return name;
}

static const char *const *cells_of(const struct flag *flag, size_t at)
{
    const char *const *const cells[] = {&flag->flag, &flag->kind, &flag->space,
                                        &flag->id,   &flag->code, &flag->iso3,
                                        &flag->since};

    return cells[at];
}

/* Rows that follow each other mostly have the same flag, kind and space. */
static const char *keep_cell(struct flags *flags, size_t at, const char *text)
{
    const char *last = flags->count == 0
                           ? NULL
                           : *cells_of(&flags->list[flags->count - 1], at);

    if (last != NULL && strcmp(last, text) == 0)
        return last;
    return ent_arena_str(&flags->arena, text);
}

static int keep(struct cmd_ctx *ctx, const char *sql, struct flags *flags,
                size_t *cap, struct ent_query *query)
{
    const struct flag *last =
        flags->count == 0 ? NULL : &flags->list[flags->count - 1];
    const char *cells[7];
    const char *label;

    for (size_t i = 0; i < ENT_ARRAY_LEN(cells); i++) {
        cells[i] = ent_query_cell(query, i);
        if (cells[i] == NULL)
            continue;
        cells[i] = keep_cell(flags, i, cells[i]);
        if (cells[i] == NULL)
            return cmd_no_memory(ctx);
    }
    label = last != NULL && last->flag == cells[0]
                ? last->label
                : find_label(ctx, sql, cells[0], &flags->arena);
    if (label == NULL)
        return cmd_no_memory(ctx);
    if (flags->count == *cap) {
        size_t more = *cap == 0 ? 64 : 2 * *cap;
        struct flag *list = realloc(flags->list, more * sizeof(*list));

        if (list == NULL)
            return cmd_no_memory(ctx);
        flags->list = list;
        *cap = more;
    }
    flags->list[flags->count++] = (struct flag){
        .flag = cells[0],
        .label = label,
        .kind = cells[1],
        .space = cells[2],
        .id = cells[3],
        .code = cells[4],
        .iso3 = cells[5],
        .since = cells[6],
    };
    return 0;
}

static int by_id(const void *a, const void *b)
{
    const struct flag *x = a;
    const struct flag *y = b;
    int order = strcmp(x->id, y->id);

    return order != 0 ? order : strcmp(x->flag, y->flag);
}

static int load(struct cmd_ctx *ctx, const char *text, struct ent_query *query,
                struct flags *flags)
{
    size_t cap = 0;
    int rc;

    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        rc = keep(ctx, text, flags, &cap, query);
        if (rc < 0)
            return rc;
    }
    if (rc == 0 && flags->count > 1)
        qsort(flags->list, flags->count, sizeof(*flags->list), by_id);
    return rc;
}

int flags_load(struct cmd_ctx *ctx, const char *on, const char *kind,
               const char *code, const char *id, struct flags *flags)
{
    struct ent_query *query = NULL;
    struct ent_buf file = {0};
    struct ent_buf sql = {0};
    const char *text = NULL;
    char today[11];
    int rc = flags_sql(ctx, &file);

    *flags = (struct flags){0};
    cmd_today(ctx, today);
    if (rc == 0) {
        text = ent_buf_cstr(&file);
        ent_buf_printf(&sql, "%s%s%s", before, text == NULL ? "" : text,
                       behind);
        rc =
            text == NULL || ent_buf_cstr(&sql) == NULL ? cmd_no_memory(ctx) : 0;
    }
    if (rc == 0)
        rc = ent_query_open(ctx->store, ent_buf_cstr(&sql), &query, &ctx->err);
    if (rc == 0) {
        ent_query_bind(query, ":on", on != NULL ? on : today);
        ent_query_bind(query, ":kind", kind);
        ent_query_bind(query, ":code", code);
        ent_query_bind(query, ":id", id);
        rc = load(ctx, text, query, flags);
    }
    if (rc < 0) {
        flags_fini(flags);
        ent_err_prefix(&ctx->err, "flags.sql");
    }
    ent_query_close(query);
    ent_buf_fini(&file);
    ent_buf_fini(&sql);
    return rc;
}

void flags_fini(struct flags *flags)
{
    free(flags->list);
    ent_arena_fini(&flags->arena);
    *flags = (struct flags){0};
}

static size_t first_of(const struct flags *flags, const char *id)
{
    size_t from = 0;
    size_t to = flags->count;

    while (from < to) {
        size_t half = from + (to - from) / 2;

        if (strcmp(flags->list[half].id, id) < 0)
            from = half + 1;
        else
            to = half;
    }
    return from;
}

void flags_put(const struct cmd_ctx *ctx, const struct flags *flags,
               const char *space, const char *id, struct ent_buf *buf)
{
    bool first = true;

    ent_buf_put_u8(buf, '[');
    for (size_t i = first_of(flags, id);
         i < flags->count && strcmp(flags->list[i].id, id) == 0; i++) {
        const struct flag *flag = &flags->list[i];

        if (strcmp(flag->space, space) != 0)
            continue;
        ent_buf_put_str(buf, first ? "" : ", ");
        out_json_string(buf, look_for_program(ctx) ? flag->flag : flag->label);
        first = false;
    }
    ent_buf_put_u8(buf, ']');
}

bool flags_has(struct cmd_ctx *ctx, const char *kind)
{
    struct ent_buf file = {0};
    struct ent_buf name = {0};
    bool found = false;

    ent_buf_printf(&name, "'%s'", kind);
    if (flags_sql(ctx, &file) == 0 && ent_buf_cstr(&file) != NULL &&
        ent_buf_cstr(&name) != NULL)
        found = strstr(ent_buf_cstr(&file), ent_buf_cstr(&name)) != NULL;
    ent_buf_fini(&file);
    ent_buf_fini(&name);
    return found;
}
