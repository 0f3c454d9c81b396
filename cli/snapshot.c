/* snapshot.c - what the node holds as a plain SQLite file for BI tools: a table
 * and a view in each language for each kind, and the vocabulary; no log, key,
 * member or invitation.
 *
 * With --anonymise personal fields are left out. What points to a person
 * without naming one is replaced by a hash under a key that exists during the
 * command only: equal values stay equal within the file, so tables can still be
 * joined, and nobody can try out values, nor compare two files. Rows lie in
 * the order of their ids, so hashed ones are not in the order of their codes.
 * What is private does not leave then, unless --sharing asks for it.
 */
#include "cli/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/args.h"
#include "cli/conflicts.h"
#include "cli/fields.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/sharing.h"
#include "secure/hash.h"
#include "store/own.h"
#include "store/query.h"
#include "store/snapshot.h"

#define KEY_BYTES 32
#define HASH_BYTES 16 /* shown of it */
#define FIXED 2       /* columns before the fields: space and id */
#define LABEL_MAX 600

struct snap {
    struct cmd_ctx *ctx;
    struct ent_snapshot *file;
    int64_t space;
    bool anonymise;
    enum ent_sharing sharing;
    size_t left_out;
    uint8_t key[KEY_BYTES];
};

/* A table on its way out. */
struct table {
    const struct ent_kind *kind;
    const struct ent_field **fields;
    size_t count;
    const char **cells;
    bool *hashed;           /* by field */
    bool person;            /* its ids are hashed, too */
    struct ent_arena arena; /* owns fields and cells */
    struct ent_arena row;   /* what one row needs */
};

/* ------------------------------------------------------------ anonymising */

static bool has_personal(const struct ent_kind *kind)
{
    for (size_t i = 0; kind != NULL && i < kind->field_count; i++)
        if (kind->fields[i].personal == ENT_PERSONAL_YES)
            return true;
    return false;
}

/* The kind that a list with bars begins with; takes it off. */
static const struct ent_kind *next_target(const struct cmd_ctx *ctx,
                                          const char **targets)
{
    char name[ENT_FIELD_NAME_MAX + 1];
    size_t len = strcspn(*targets, "|");

    snprintf(name, sizeof(name), "%.*s", (int)len, *targets);
    *targets += len + ((*targets)[len] == '|');
    return ent_kind_named(&ctx->kinds, name);
}

/* Whether a field says what could name a person: it points to one, or refers
 * to a kind with personal data. */
static bool tells(const struct cmd_ctx *ctx, const struct ent_field *field)
{
    const char *targets = field->targets == NULL ? "" : field->targets;

    if (field->personal != ENT_PERSONAL_NO)
        return true;
    while (*targets != '\0')
        if (has_personal(next_target(ctx, &targets)))
            return true;
    return false;
}

/* Whether the records of a kind are about persons, so that their codes are as
 * good as names: there is personal data in them, or what names them tells. The
 * code of a participation is made of the trainer's. */
static bool is_personal(const struct cmd_ctx *ctx, const struct ent_kind *kind)
{
    const char *key = kind->key == NULL ? "" : kind->key;
    const struct ent_field *title =
        kind->title == NULL ? NULL : ent_field_named(kind, kind->title);

    if (has_personal(kind) || (title != NULL && tells(ctx, title)))
        return true;
    while (*key != '\0') {
        size_t len = strcspn(key, "|");

        for (size_t i = 0; i < kind->field_count; i++)
            if (strlen(kind->fields[i].name) == len &&
                strncmp(kind->fields[i].name, key, len) == 0 &&
                tells(ctx, &kind->fields[i]))
                return true;
        key += len + (key[len] == '|');
    }
    return false;
}

/* Whether a field refers to records that are about persons. */
static bool names_person(const struct cmd_ctx *ctx,
                         const struct ent_field *field)
{
    const char *targets = field->targets == NULL ? "" : field->targets;

    while (*targets != '\0') {
        const struct ent_kind *kind = next_target(ctx, &targets);

        if (kind != NULL && is_personal(ctx, kind))
            return true;
    }
    return false;
}

/* What becomes of a field's values. */
enum fate { FATE_SHOWN, FATE_HASHED, FATE_LEFT_OUT };

static enum fate fate_of(const struct snap *snap, const struct ent_kind *kind,
                         const struct ent_field *field)
{
    bool hashed;

    if (!snap->anonymise)
        return FATE_SHOWN;
    if (field->personal == ENT_PERSONAL_YES)
        return FATE_LEFT_OUT;
    hashed = field->number == ENT_FIELD_CODE
                 ? is_personal(snap->ctx, kind)
                 : field->personal == ENT_PERSONAL_INDIRECT ||
                       names_person(snap->ctx, field);
    return hashed ? FATE_HASHED : FATE_SHOWN;
}

/* That of a column: fields that several spaces gave one name share it, and what
 * is personal in one of them is so in all. */
static int column_fate(const struct snap *snap, const struct ent_kind *kind,
                       const struct ent_field *field, enum fate *fate)
{
    const struct ent_own *own;
    size_t count;
    int rc = fields_own(snap->ctx, &own, &count);

    *fate = fate_of(snap, kind, field);
    if (field->number <= ENT_NUMBER_SHIPPED_MAX)
        return rc;
    for (size_t i = 0; i < count; i++) {
        enum fate other = fate_of(snap, kind, &own[i].field);

        if (own[i].kind == kind->number && other > *fate &&
            (snap->space == 0 || own[i].space == snap->space) &&
            strcmp(own[i].field.name, field->name) == 0)
            *fate = other;
    }
    return rc;
}

static const char *hash_text(const struct snap *snap, struct ent_slice text,
                             struct ent_arena *arena)
{
    struct ent_hash hash =
        ent_hash_keyed(ent_slice(snap->key, sizeof(snap->key)), text);
    char hex[2 * HASH_BYTES + 1];

    ent_hex_put(hex, hash.b, HASH_BYTES);
    return ent_arena_str(arena, hex);
}

/* The elements of a set, each hashed. */
static int hash_list(const struct snap *snap, const char *json,
                     struct ent_arena *arena, const char **text)
{
    struct ent_err *err = &snap->ctx->err;
    struct ent_query *query = NULL;
    struct ent_buf list = {0};
    int rc =
        ent_query_json(json, "SELECT value FROM json_each(:json)", &query, err);

    if (rc < 0)
        return rc;
    ent_buf_put_u8(&list, '[');
    while ((rc = ent_query_next(query, err)) > 0) {
        const char *hash =
            hash_text(snap, ent_slice_str(ent_query_text(query, 0)), arena);

        if (hash == NULL)
            list.rc = ENT_ENOMEM;
        else
            ent_buf_printf(&list, "%s\"%s\"", list.len > 1 ? "," : "", hash);
    }
    ent_buf_put_u8(&list, ']');
    ent_query_close(query);
    if (rc == 0 && ent_buf_cstr(&list) == NULL)
        rc = cmd_no_memory(snap->ctx);
    if (rc == 0)
        *text = ent_arena_str(arena, ent_buf_cstr(&list));
    ent_buf_fini(&list);
    return rc;
}

/* ------------------------------------------------------------------ tables */

static enum ent_column_type type_of(const struct table *table, size_t i)
{
    const struct ent_field *field = table->fields[i];

    if (field->rule == ENT_RULE_SET || table->hashed[i])
        return ENT_COLUMN_TEXT;
    if (field->type == ENT_TYPE_INTEGER)
        return ENT_COLUMN_INTEGER;
    return field->type == ENT_TYPE_DECIMAL ? ENT_COLUMN_REAL : ENT_COLUMN_TEXT;
}

static int pick_columns(struct snap *snap, struct table *table)
{
    size_t kept = 0;
    int rc = fields_all(snap->ctx, table->kind, snap->space, &table->arena,
                        &table->fields, &table->count);

    table->hashed = ENT_ARENA_NEW(&table->arena, bool, table->count + 1);
    if (rc == 0 && table->hashed == NULL)
        rc = cmd_no_memory(snap->ctx);
    for (size_t i = 0; rc == 0 && i < table->count; i++) {
        enum fate fate;

        rc = column_fate(snap, table->kind, table->fields[i], &fate);
        if (rc < 0 || fate == FATE_LEFT_OUT)
            continue;
        table->hashed[kept] = fate == FATE_HASHED;
        table->fields[kept++] = table->fields[i];
    }
    table->count = rc == 0 ? kept : 0;
    table->cells =
        ENT_ARENA_NEW(&table->arena, const char *, FIXED + table->count);
    if (rc == 0 && table->cells == NULL)
        rc = cmd_no_memory(snap->ctx);
    table->person = snap->anonymise && is_personal(snap->ctx, table->kind);
    return rc;
}

static int begin_table(struct snap *snap, struct table *table)
{
    struct ent_snapshot_column *columns = ENT_ARENA_NEW(
        &table->arena, struct ent_snapshot_column, FIXED + table->count);

    if (columns == NULL)
        return cmd_no_memory(snap->ctx);
    columns[0] = (struct ent_snapshot_column){"space", ENT_COLUMN_TEXT};
    columns[1] = (struct ent_snapshot_column){"id", ENT_COLUMN_TEXT};
    for (size_t i = 0; i < table->count; i++)
        columns[FIXED + i] = (struct ent_snapshot_column){
            table->fields[i]->name, type_of(table, i)};
    return ent_snapshot_table(snap->file, table->kind->table, "code", FIXED,
                              columns, FIXED + table->count, &snap->ctx->err);
}

/* Memory that was refused shows in the row's arena. */
static int cell_text(struct snap *snap, struct table *table,
                     struct ent_query *query, size_t i, const char **cell)
{
    const struct ent_field *field = table->fields[i];
    const char *text = ent_query_text(query, 3 + i);

    *cell = NULL;
    if (ent_query_type(query, 3 + i) == ENT_COLUMN_NULL)
        return 0;
    if (table->hashed[i] && field->rule == ENT_RULE_SET)
        return hash_list(snap, text, &table->row, cell);
    *cell = table->hashed[i] ? hash_text(snap, ent_slice_str(text), &table->row)
                             : ent_arena_str(&table->row, text);
    return 0;
}

static int put_row(struct snap *snap, struct table *table,
                   struct ent_query *query)
{
    const char *id = ent_query_text(query, 1);
    int rc = 0;

    table->cells[0] = ent_arena_str(&table->row, ent_query_text(query, 0));
    table->cells[1] = table->person
                          ? hash_text(snap, ent_slice_str(id), &table->row)
                          : ent_arena_str(&table->row, id);
    for (size_t i = 0; rc == 0 && i < table->count; i++)
        rc = cell_text(snap, table, query, i, &table->cells[FIXED + i]);
    if (rc == 0 && table->row.rc < 0)
        rc = cmd_no_memory(snap->ctx);
    if (rc < 0)
        return rc;
    return ent_snapshot_row(snap->file, table->cells, &snap->ctx->err);
}

static int put_rows(struct snap *snap, struct table *table, size_t *rows)
{
    struct cmd_ctx *ctx = snap->ctx;
    struct ent_listing listing = {
        .kind = table->kind,
        .space = snap->space,
        .columns = table->fields,
        .column_count = table->count,
        .sharing = snap->sharing,
    };
    struct ent_query *query = NULL;
    size_t left_out = 0;
    int rc = ent_query_list(ctx->store, &listing, &query, &ctx->err);

    while (rc == 0 && (rc = ent_query_next(query, &ctx->err)) > 0) {
        rc = put_row(snap, table, query);
        ent_arena_reset(&table->row);
        (*rows)++;
    }
    ent_query_close(query);
    listing.narrower = true;
    if (rc == 0 && snap->sharing > ENT_SHARING_PRIVATE)
        rc = ent_query_count(ctx->store, &listing, &left_out, &ctx->err);
    snap->left_out += left_out;
    return rc;
}

/* ------------------------------------------------------------------- views */

/* A label that no column before it has. */
static const char *own_label(struct table *table,
                             const struct ent_snapshot_shown *shown,
                             size_t count, const char *label, const char *name)
{
    char text[LABEL_MAX];

    for (size_t i = 0; i < count; i++)
        if (strcasecmp(shown[i].label, label) == 0) {
            snprintf(text, sizeof(text), "%s (%s)", label, name);
            return ent_arena_str(&table->arena, text);
        }
    return label;
}

static struct ent_snapshot_shown shown_as(const struct snap *snap,
                                          const struct table *table, size_t i)
{
    const struct ent_field *field = table->fields[i];
    struct ent_snapshot_shown shown = {
        .name = field->name,
        .set = field->rule == ENT_RULE_SET,
    };
    const char *targets = field->targets == NULL ? "" : field->targets;
    char name[ENT_FIELD_NAME_MAX + 1];
    const struct ent_kind *target;
    const struct ent_field *title;

    if (table->hashed[i])
        return shown;
    shown.list = field->list;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(targets, "|"), targets);
    target = ent_kind_named(&snap->ctx->kinds, name);
    title = target == NULL || target->title == NULL
                ? NULL
                : ent_field_named(target, target->title);
    if (title != NULL &&
        (!snap->anonymise || title->personal == ENT_PERSONAL_NO)) {
        shown.target = target->table;
        shown.title = title->name;
    }
    return shown;
}

static int put_view(struct snap *snap, struct table *table, enum ent_lang lang)
{
    static const char *const codes[ENT_LANG_COUNT] = {"en", "fr"};
    struct ent_snapshot_shown *shown = ENT_ARENA_NEW(
        &table->arena, struct ent_snapshot_shown, FIXED + table->count);
    char name[2 * ENT_NAME_BYTES_MAX];
    char term[16];

    if (shown == NULL)
        return cmd_no_memory(snap->ctx);
    shown[0] = (struct ent_snapshot_shown){.name = "space", .label = "space"};
    shown[1] = (struct ent_snapshot_shown){.name = "id", .label = "id"};
    for (size_t i = 0; i < table->count; i++) {
        const struct ent_field *field = table->fields[i];
        const char *label = field->label[lang];

        shown[FIXED + i] = shown_as(snap, table, i);
        shown[FIXED + i].label =
            own_label(table, shown, FIXED + i,
                      label == NULL ? field->name : label, field->name);
        if (shown[FIXED + i].label == NULL)
            return cmd_no_memory(snap->ctx);
    }
    snprintf(name, sizeof(name), "v_%s_%s", table->kind->table, codes[lang]);
    snprintf(term, sizeof(term), "label_%s", codes[lang]);
    return ent_snapshot_view(snap->file, name, table->kind->table, term, shown,
                             FIXED + table->count, &snap->ctx->err);
}

/* -------------------------------------------------------------- the command */

static int put_kind(struct snap *snap, const struct ent_kind *kind)
{
    struct cmd_ctx *ctx = snap->ctx;
    struct table table = {.kind = kind};
    size_t rows = 0;
    int rc = pick_columns(snap, &table);

    if (rc == 0)
        rc = begin_table(snap, &table);
    if (rc == 0)
        rc = put_rows(snap, &table, &rows);
    for (int lang = 0; rc == 0 && lang < ENT_LANG_COUNT; lang++)
        rc = put_view(snap, &table, (enum ent_lang)lang);
    if (rc == 0) {
        out_row(ctx->out);
        out_cell(ctx->out, kind->table);
        out_cell_int(ctx->out, (int64_t)rows);
    }
    ent_arena_fini(&table.row);
    ent_arena_fini(&table.arena);
    return rc;
}

static int put_vocabulary(struct snap *snap)
{
    static const struct ent_snapshot_column columns[] = {
        {"list", ENT_COLUMN_TEXT},     {"code", ENT_COLUMN_TEXT},
        {"label_fr", ENT_COLUMN_TEXT}, {"label_en", ENT_COLUMN_TEXT},
        {"external", ENT_COLUMN_TEXT},
    };
    const struct ent_vocab *vocab = &snap->ctx->vocab;
    int rc = ent_snapshot_table(snap->file, "vocabulary", "code", 0, columns,
                                ENT_ARRAY_LEN(columns), &snap->ctx->err);

    for (size_t i = 0; rc == 0 && i < vocab->count; i++) {
        const struct ent_term *term = &vocab->terms[i];
        const char *const cells[] = {term->list, term->code,
                                     term->label[ENT_LANG_FR],
                                     term->label[ENT_LANG_EN], term->external};

        rc = ent_snapshot_row(snap->file, cells, &snap->ctx->err);
    }
    return rc;
}

/* What the file is, for those who find it later. */
static int put_about(struct snap *snap, const char *space)
{
    static const struct ent_snapshot_column columns[] = {
        {"made_at", ENT_COLUMN_TEXT},
        {"space", ENT_COLUMN_TEXT},
        {"anonymised", ENT_COLUMN_TEXT},
    };
    char when[LOOK_TIME_TEXT];
    const char *const cells[] = {when, space, snap->anonymise ? "yes" : "no"};
    int rc;

    look_rfc3339(snap->ctx->now_ms, when);
    rc = ent_snapshot_table(snap->file, "about", NULL, 0, columns,
                            ENT_ARRAY_LEN(columns), &snap->ctx->err);
    return rc < 0 ? rc : ent_snapshot_row(snap->file, cells, &snap->ctx->err);
}

static int fill(struct snap *snap, const char *space)
{
    struct cmd_ctx *ctx = snap->ctx;
    int rc = put_about(snap, space);

    if (rc == 0)
        rc = put_vocabulary(snap);
    out_list_begin(ctx->out);
    out_column(ctx->out, "table", _("table"), OUT_TEXT);
    out_column(ctx->out, "rows", _("rows"), OUT_NUMBER);
    for (size_t i = 0; rc == 0 && i < ctx->kinds.count; i++)
        rc = put_kind(snap, &ctx->kinds.kinds[i]);
    out_list_end(ctx->out);
    return rc;
}

static int make(struct cmd_ctx *ctx, const char *path, const char *space,
                bool anonymise, enum ent_sharing sharing)
{
    struct snap snap = {.ctx = ctx, .anonymise = anonymise, .sharing = sharing};
    int rc = pick_open(ctx, space, &snap.space);

    if (rc < 0)
        return rc;
    ent_rand_bytes(&ctx->rand, snap.key, sizeof(snap.key));
    rc = ent_snapshot_open(path, &snap.file, &ctx->err);
    if (rc < 0)
        return rc;
    rc = fill(&snap, space);
    explicit_bzero(snap.key, sizeof(snap.key));
    if (rc == 0)
        sharing_tell(ctx, snap.left_out);
    if (rc == 0)
        rc = conflicts_warn(ctx, snap.space, NULL);
    if (rc == 0 && !ctx->dry_run)
        return ent_snapshot_keep(snap.file, &ctx->err);
    ent_snapshot_drop(snap.file);
    return rc;
}

int snapshot_write(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *space = NULL;
    bool anonymise = false;
    const char *level = NULL;
    enum ent_sharing sharing;
    const struct args_option options[] = {
        {.name = "--sharing", .value = &level},
        {.name = "--space", .value = &space},
        {.name = "--anonymise", .flag = &anonymise},
    };

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    sharing = anonymise ? ENT_SHARING_GROUP : ENT_SHARING_PRIVATE;
    if (sharing_read(ctx, level, &sharing) < 0 ||
        make(ctx, argv[1], space, anonymise, sharing) < 0)
        return cmd_fail(ctx);
    if (ctx->dry_run)
        cmd_say(ctx, _("dry run: nothing was written"));
    else if (anonymise)
        cmd_say(ctx,
                _("%s has no personal fields, and hashes for what points to a "
                  "person; texts may still name somebody: read them before "
                  "you pass it on"),
                argv[1]);
    else
        cmd_say(ctx, _("%s holds personal data; --anonymise leaves them out"),
                argv[1]);
    return CMD_OK;
}
