/* files.c - tables and packages in and out. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/cards.h"
#include "cli/conflicts.h"
#include "cli/export.h"
#include "cli/import.h"
#include "cli/lists.h"
#include "cli/package.h"
#include "cli/pick.h"
#include "cli/sharing.h"
#include "cli/snapshot.h"

/* ------------------------------------------------------------------ import */

struct import_ask {
    const char *package; /* a folder, or */
    const char *kind;    /* a kind and */
    const char *file;    /* a table */
    const char *space;
    const char *map;
    struct args_many where;
};

/* The format is told by how the file begins. */
static int read_rows(struct cmd_ctx *ctx, struct rows *rows,
                     const struct ent_kind *kind, int fd, const char *path,
                     struct rows_map *map)
{
    enum out_format format = cards_sniff(fd);

    if (format == OUT_AUTO)
        return rows_read(ctx, rows, kind, fd, path, map, false);
    if (map != NULL) {
        close(fd);
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "--map is for tables; %s is none", path);
    }
    return format == OUT_JSON ? rows_read_json(ctx, rows, kind, fd, path)
                              : cards_import(ctx, rows, kind, fd, path);
}

static int read_file(struct cmd_ctx *ctx, const struct import_ask *ask,
                     struct rows *rows)
{
    struct rows_map *map = NULL;
    const struct ent_kind *kind;
    int fd = -1;
    int rc = pick_kind(ctx, ask->kind, &kind);

    if (rc == 0 && ask->map != NULL) {
        map = calloc(1, sizeof(*map));
        rc = map == NULL ? cmd_no_memory(ctx)
                         : rows_map_read(map, ask->map, &ctx->err);
    }
    if (rc == 0)
        fd = open(ask->file, O_RDONLY | O_CLOEXEC);
    if (rc == 0 && fd < 0)
        rc = ent_err_set(&ctx->err, ENT_ENOTFOUND, "%s cannot be opened: %s",
                         ask->file, strerror(errno));
    if (rc == 0)
        rc = read_rows(ctx, rows, kind, fd, ask->file, map);
    if (rc == 0)
        rc = rows_check(ctx, rows);
    if (map != NULL)
        rows_map_fini(map);
    free(map);
    return rc;
}

static int import_rows(struct cmd_ctx *ctx, const struct import_ask *ask,
                       int64_t space, struct rows *rows)
{
    struct import_tally *tallies =
        calloc(ctx->kinds.count + 1, sizeof(*tallies));
    struct import_refs refs = {0};
    bool *keep = NULL;
    int rc = 0;

    if (tallies == NULL)
        return cmd_no_memory(ctx);
    if (ask->where.count > 0)
        rc = package_split(ctx, rows, &ask->where, &keep);
    if (rc == 0)
        rc = import_write(ctx, space, rows, keep, tallies, &refs);
    if (rc == 0)
        import_report(ctx, tallies, &refs);
    import_refs_fini(&refs);
    free(keep);
    free(tallies);
    return rc;
}

/* Everything is read and found good before the space is touched. */
static int import(struct cmd_ctx *ctx, const struct import_ask *ask)
{
    struct rows rows = {0};
    size_t terms = 0;
    int64_t space;
    int rc = pick_writable(ctx, ask->space, &space);

    rows.space = space;

    if (rc == 0 && ask->package != NULL)
        rc = package_read(ctx, ask->package, &rows, &terms);
    else if (rc == 0)
        rc = read_file(ctx, ask, &rows);
    if (rc == 0 && terms > 0)
        cmd_say(ctx,
                _("vocabulary: all %zu terms are known; nothing of it is "
                  "written"),
                terms);
    if (rc == 0)
        rc = import_rows(ctx, ask, space, &rows);
    rows_fini(&rows);
    return rc;
}

static int cmd_import(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct import_ask ask = {0};
    const struct args_option options[] = {
        {.name = "--package", .value = &ask.package},
        {.name = "--space", .value = &ask.space},
        {.name = "--map", .value = &ask.map},
        {.name = "--where", .many = &ask.where},
    };

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (ask.package != NULL ? argc != 1 || ask.map != NULL
                            : argc != 3 || ask.where.count > 0)
        return cmd_usage(ctx, "import");
    if (ask.package == NULL) {
        ask.kind = argv[1];
        ask.file = argv[2];
    }
    if (cmd_store(ctx) == NULL || import(ctx, &ask) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}

/* ------------------------------------------------------------------ export */

struct export_ask {
    const char *package;
    const char *kind;
    const char *space;
    const char *columns;
    const char *excel;
    const char *vcard;
    const char *sharing;
    char **conditions;
    size_t condition_count;
    bool hxl;
};

/* A table is CSV unless another format is asked for. */
static int write_export(struct cmd_ctx *ctx, const struct export *export,
                        bool version3)
{
    size_t rows;

    if (ctx->format == OUT_VCF || ctx->format == OUT_ICS)
        return cards_export(ctx, export, ctx->format, version3, stdout);
    if (ctx->format == OUT_AUTO || ctx->format == OUT_CSV ||
        ctx->format == OUT_TSV)
        return export_table(ctx, export, stdout, &rows);
    return export_listing(ctx, export);
}

static int read_conditions(struct cmd_ctx *ctx, const struct export_ask *ask,
                           struct export *export, struct ent_arena *arena)
{
    struct ent_filter *filters =
        ENT_ARENA_NEW(arena, struct ent_filter, ask->condition_count + 1);
    int rc = filters == NULL ? cmd_no_memory(ctx) : 0;

    export->filters = filters;
    while (rc == 0 && export->filter_count < ask->condition_count) {
        rc = lists_filter(ctx, export->kind, export->space,
                          ask->conditions[export->filter_count], arena,
                          &filters[export->filter_count]);
        export->filter_count++;
    }
    return rc;
}

static int export_kind(struct cmd_ctx *ctx, const struct export_ask *ask,
                       int64_t space, enum ent_sharing sharing)
{
    struct export export = {
        .space = space,
        .sharing = sharing,
        .separator = ctx->format == OUT_TSV ? '\t' : ',',
        .hxl = ask->hxl,
    };
    struct ent_arena arena = {0};
    size_t left_out = 0;
    int rc = pick_kind(ctx, ask->kind, &export.kind);

    if (rc == 0 && ask->excel != NULL) {
        if (strcmp(ask->excel, "excel-fr") != 0)
            return ent_err_set(&ctx->err, ENT_EUSAGE,
                               "--for takes excel-fr, not \"%s\"", ask->excel);
        export.excel_fr = true;
        export.separator = ';';
    }
    if (rc == 0)
        rc = read_conditions(ctx, ask, &export, &arena);
    if (rc == 0 && ask->columns != NULL)
        rc = pick_fields(ctx, export.kind, space, ask->columns, &arena,
                         &export.fields, &export.count);
    else if (rc == 0)
        rc = export_columns(ctx, &export, &arena);
    if (rc == 0)
        rc = write_export(ctx, &export,
                          ask->vcard != NULL && strcmp(ask->vcard, "3.0") == 0);
    if (rc == 0)
        rc = export_left_out(ctx, &export, &left_out);
    if (rc == 0)
        sharing_tell(ctx, left_out);
    if (rc == 0)
        rc = conflicts_warn(ctx, space, export.kind);
    ent_arena_fini(&arena);
    return rc;
}

static int check_vcard(struct cmd_ctx *ctx, const char *version)
{
    if (version == NULL)
        return 0;
    if (ctx->format != OUT_VCF)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "--vcard is for --format vcf");
    if (strcmp(version, "4.0") != 0 && strcmp(version, "3.0") != 0)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "--vcard takes 4.0 or 3.0, not \"%s\"", version);
    return 0;
}

static int cmd_export(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct export_ask ask = {0};
    const struct args_option options[] = {
        {.name = "--package", .value = &ask.package},
        {.name = "--space", .value = &ask.space},
        {.name = "--columns", .value = &ask.columns},
        {.name = "--for", .value = &ask.excel},
        {.name = "--vcard", .value = &ask.vcard},
        {.name = "--hxl", .flag = &ask.hxl},
        {.name = "--sharing", .value = &ask.sharing},
    };
    enum ent_sharing sharing = ENT_SHARING_PRIVATE;
    int64_t space;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (ask.package != NULL
            ? argc != 1 || ask.columns != NULL || ask.hxl || ask.excel != NULL
            : argc < 2)
        return cmd_usage(ctx, "export");
    if (check_vcard(ctx, ask.vcard) < 0 ||
        sharing_read(ctx, ask.sharing, &sharing) < 0)
        return cmd_fail(ctx);
    ask.kind = argv[1];
    ask.conditions = argv + 2;
    ask.condition_count = argc > 2 ? (size_t)argc - 2 : 0;
    if (cmd_store(ctx) == NULL || pick_space(ctx, ask.space, &space) < 0)
        return cmd_fail(ctx);
    rc = ask.package != NULL ? export_package(ctx, ask.package, space, sharing)
                             : export_kind(ctx, &ask, space, sharing);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

const struct cmd cmd_files[] = {
    {"import",
     N_("KIND FILE [--space S] [--map FILE] | --package DIR [--space S] "
        "[--where FIELD=V]..."),
     N_("read a table (CSV, TSV, JSON), vCards, a calendar or a package; "
        "twice changes nothing"),
     cmd_import},
    {"export",
     N_("KIND [FIELD=V]... [--space S] [--hxl] [--columns F,F] [--for "
        "excel-fr] "
        "[--vcard 3.0] [--sharing LEVEL] | --package DIR [--space S] "
        "[--sharing LEVEL]"),
     N_("write a table or a package that an import reads back"), cmd_export},
    {"snapshot", N_("FILE [--space S] [--anonymise] [--sharing LEVEL]"),
     N_("write a plain SQLite file for BI tools"), snapshot_write},
    {NULL, NULL, NULL, NULL},
};
