/* import.c - see import.h. */
#include "cli/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/codes.h"
#include "cli/limits.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/refs.h"

/* --------------------------------------------------------------------- ids */

/* The live record of that code: the one an import made, else the only other.
 * NULL: none, or several that cannot be told apart. */
static const struct codes_item *find_standing(const struct codes *codes,
                                              const struct row *row,
                                              const struct ent_id *named)
{
    const struct codes_item *first =
        codes_find(codes, row->kind->number, row->code);
    const struct codes_item *end;
    size_t count = 0;

    if (first == NULL)
        return NULL;
    end = codes->items + codes->count;
    for (const struct codes_item *at = first;
         at < end && at->kind == row->kind->number &&
         ent_slice_equal(at->code, row->code);
         at++) {
        if (ent_id_equal(&at->id, named))
            return at;
        count++;
    }
    return count == 1 ? first : NULL;
}

/* Whether the record a row names by its UUID is here, or can be made. */
static int can_have_id(struct cmd_ctx *ctx, int64_t space,
                       const struct row *row, bool *can)
{
    const struct ent_record_ref ref = {
        .space = space, .kind = row->kind->number, .id = row->id};
    struct ent_record record = {0};
    int rc;

    *can = true;
    if (ent_record_may_change(ctx->store, space, row->kind->number, &row->id))
        return 0;
    rc = ent_record_read(ctx->store, &ref, &record, &ctx->err);
    ent_record_fini(&record);
    *can = rc == 0;
    return rc == ENT_ENOTFOUND ? 0 : rc;
}

/* The id of an owned record says whose it is and where (rule M9), so nobody
 * can make it elsewhere: there the UUID is the record's code, by which it is
 * found again and references to it still lead. */
static int name_by_id(struct cmd_ctx *ctx, struct rows *rows, struct row *row)
{
    struct change_word *word = &row->words[row->count];
    char text[ENT_ID_TEXT];

    ent_id_text(&row->id, text);
    row->has_id = false;
    row->code = ent_arena_copy(&rows->arena, ent_slice_str(text));
    word->field = ent_field_find(row->kind, ENT_FIELD_CODE);
    word->how = CHANGE_WRITE;
    if (row->code.at == NULL)
        return cmd_no_memory(ctx);
    row->count++;
    return change_values(ctx, word->field, row->code, &rows->arena,
                         &word->values, &word->count, &ctx->err);
}

/* Where a row goes: to the record its UUID names, to the one that has its
 * code, to the id made of the code (rule M11), or to a new one. */
static int choose_id(struct cmd_ctx *ctx, int64_t space, struct rows *rows,
                     const struct codes *codes, struct row *row)
{
    const struct codes_item *standing;
    bool can;
    int rc;

    if (row->has_id) {
        rc = can_have_id(ctx, space, row, &can);
        if (rc < 0 || can)
            return rc;
        rc = name_by_id(ctx, rows, row);
        if (rc < 0)
            return rc;
    }
    row->has_id = true;
    if (row->code.len == 0) {
        row->id = ent_record_new_id(ctx->store, space, row->kind, ctx->now_ms);
        return 0;
    }
    row->id = ent_record_named_id(ctx->store, space, row->kind, row->code);
    standing = find_standing(codes, row, &row->id);
    if (standing != NULL)
        row->id = standing->id;
    return 0;
}

static bool has_kind(struct row *const *list, size_t count, uint32_t kind)
{
    for (size_t i = 0; i < count; i++)
        if (list[i]->kind->number == kind)
            return true;
    return false;
}

static int choose_ids(struct cmd_ctx *ctx, int64_t space, struct rows *rows,
                      struct row **list, size_t count)
{
    struct codes codes = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < ctx->kinds.count; i++)
        if (has_kind(list, count, ctx->kinds.kinds[i].number))
            rc = codes_load(ctx, &codes, &ctx->kinds.kinds[i], space);
    if (rc == 0)
        rc = codes_sort(&codes, &ctx->err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = choose_id(ctx, space, rows, &codes, list[i]);
    codes_fini(&codes);
    return rc;
}

/* Keys that go up are written many times faster than random ones. */
static int by_id(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a;
    const struct row *y = *(const struct row *const *)b;

    if (x->kind->number != y->kind->number)
        return x->kind->number < y->kind->number ? -1 : 1;
    return ent_id_cmp(&x->id, &y->id);
}

/* ------------------------------------------------------------------ writing */

struct import {
    struct cmd_ctx *ctx;
    int64_t space;
    struct ent_writer *writer;
    struct rows *rows;
    const bool *keep;       /* which of them are written; NULL: all */
    struct ent_arena arena; /* of one row */
    bool contested;         /* nothing more is written, conflicts are told */
};

static bool is_kept(const struct import *import, size_t row)
{
    return import->keep == NULL || import->keep[row];
}

/* Whether a contested field has that value among those that stand. */
static bool stands(const struct ent_record *record,
                   const struct change_word *word)
{
    for (size_t i = 0; i < record->write_count; i++)
        if (record->writes[i].field == word->field->number &&
            ent_value_equal(&record->writes[i].value, &word->values[0]))
            return true;
    return false;
}

/* The words for one record: a contested field that has the row's value is
 * left alone, one that has not is told. */
static int gather(struct import *import, const struct row *row,
                  const struct ent_record *record, struct change *change)
{
    struct cmd_ctx *ctx = import->ctx;

    change->kind = row->kind;
    change->arena = import->arena;
    change->words =
        ENT_ARENA_NEW(&change->arena, struct change_word, row->count + 1);
    if (change->words == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; i < row->count; i++) {
        const struct change_word *word = &row->words[i];
        char id[ENT_ID_TEXT];

        if (record == NULL || !ent_record_contested(record, word->field)) {
            change->words[change->count++] = *word;
            continue;
        }
        if (stands(record, word))
            continue;
        import->contested = true;
        ent_id_text(&record->ref.id, id);
        ent_err_set(&ctx->err, ENT_ECONFLICT,
                    "several values stand and this is another; settle it with "
                    "\"resolve %s %s\" first",
                    id, word->field->name);
        rows_fault(import->rows, row->path, row->line, word->field->name,
                   ctx->err.text);
    }
    return 0;
}

static int put_row(struct import *import, const struct row *row,
                   const struct ent_record *record, enum ent_written *written)
{
    struct ent_edit edit = {
        .kind = row->kind->number,
        .id = row->id,
        .life = ENT_EDIT_TOUCH,
        .fresh = record == NULL,
    };
    struct change change = {0};
    struct ent_edit_op *ops = NULL;
    int rc = gather(import, row, record, &change);

    *written = ENT_WRITTEN_NOTHING;
    if (rc == 0)
        rc = limits_change(import->ctx, &change, record);
    if (rc == 0)
        rc = change_ops(import->ctx, &change, record, &ops, &edit.op_count);
    edit.ops = ops;
    if (rc == 0 && edit.op_count > 0 && !import->contested)
        rc = ent_writer_put(import->writer, &edit, false, written,
                            &import->ctx->err);
    import->arena = change.arena;
    ent_arena_reset(&import->arena);
    if (rc < 0)
        ent_err_prefix(&import->ctx->err, "%s:%zu", row->path, row->line);
    return rc;
}

static int import_row(struct import *import, const struct row *row,
                      struct import_tally *tally)
{
    const struct ent_record_ref ref = {
        .space = import->space,
        .kind = row->kind->number,
        .id = row->id,
    };
    struct ent_record record = {0};
    enum ent_written written = ENT_WRITTEN_NOTHING;
    int found =
        ent_record_read(import->ctx->store, &ref, &record, &import->ctx->err);
    int rc = 0;

    if (found < 0 && found != ENT_ENOTFOUND)
        return found;
    if (found == 0 && !record.live) {
        tally->deleted++;
    } else {
        rc = put_row(import, row, found == 0 ? &record : NULL, &written);
        tally->new_records += written == ENT_WRITTEN_NEW;
        tally->changed += written == ENT_WRITTEN_CHANGED;
        tally->unchanged += rc == 0 && written == ENT_WRITTEN_NOTHING;
    }
    ent_record_fini(&record);
    return rc;
}

static size_t kind_at(const struct cmd_ctx *ctx, const struct ent_kind *kind)
{
    return (size_t)(kind - ctx->kinds.kinds);
}

/* Two rows that lead to one record: by its UUID and by its code. */
static int refuse_twin(struct import *import, const struct row *row,
                       const struct row *other)
{
    int rc = ent_err_set(&import->ctx->err, ENT_EREFUSED,
                         "this is the record of line %zu already", other->line);

    ent_err_prefix(&import->ctx->err, "%s:%zu", row->path, row->line);
    return rc;
}

static int put_all(struct import *import, struct row **list, size_t count,
                   struct import_tally *tallies)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (i > 0 && by_id(&list[i - 1], &list[i]) == 0)
            return refuse_twin(import, list[i], list[i - 1]);
        rc = import_row(import, list[i],
                        &tallies[kind_at(import->ctx, list[i]->kind)]);
    }
    if (rc == 0 && import->contested)
        rc = ent_err_set(&import->ctx->err, ENT_ECONFLICT,
                         "open conflicts stand in the way; nothing was "
                         "imported");
    return rc;
}

/* --------------------------------------------------------------- references */

void import_refs_fini(struct import_refs *refs)
{
    ent_arena_fini(&refs->arena);
}

static bool is_told(const struct import_refs *refs,
                    const struct ent_field *field,
                    const struct ent_value *value)
{
    for (size_t i = 0; i < refs->told_count; i++)
        if (refs->told[i].field == field &&
            ent_value_equal(&refs->told[i].value, value))
            return true;
    return false;
}

/* A sentence about the first of each that is missing: to find what may be meant
 * all codes are gone through. */
static int tell(struct import *import, const struct codes *codes,
                const struct row *row, const struct ent_field *field,
                const struct ent_value *value, struct import_refs *refs)
{
    struct ent_buf text = {0};
    const char *kept = NULL;

    refs->dangling++;
    if (refs->told_count == IMPORT_TOLD_MAX || is_told(refs, field, value))
        return 0;
    ent_buf_printf(&text, "%s:%zu: %s: ", row->path, row->line, field->name);
    refs_put_remark(import->ctx, codes, field, value, &text);
    if (ent_buf_cstr(&text) != NULL)
        kept = ent_arena_str(&refs->arena, ent_buf_cstr(&text));
    ent_buf_fini(&text);
    if (kept == NULL)
        return cmd_no_memory(import->ctx);
    refs->told[refs->told_count].field = field;
    refs->told[refs->told_count].value = *value;
    refs->told[refs->told_count++].text = kept;
    return 0;
}

/* What the references of rows are looked up in. */
struct places {
    struct codes here;    /* the replica and the rows that are written */
    struct codes package; /* all rows, if some of them go elsewhere */
};

static int put_place(struct cmd_ctx *ctx, struct codes *codes,
                     const struct row *row)
{
    const struct codes_item item = {
        .kind = row->kind->number, .code = row->code, .id = row->id};

    return codes_put(codes, &item, &ctx->err);
}

static int find_places(struct import *import, struct places *places)
{
    struct cmd_ctx *ctx = import->ctx;
    const struct rows *rows = import->rows;
    int rc = codes_load_targets(ctx, &places->here);

    for (size_t i = 0; rc == 0 && i < rows->count; i++) {
        if (is_kept(import, i))
            rc = put_place(ctx, &places->here, &rows->rows[i]);
        if (rc == 0 && import->keep != NULL)
            rc = put_place(ctx, &places->package, &rows->rows[i]);
    }
    if (rc == 0)
        rc = codes_sort(&places->here, &ctx->err);
    return rc < 0 ? rc : codes_sort(&places->package, &ctx->err);
}

static int check_ref(struct import *import, const struct places *places,
                     const struct row *row, const struct ent_field *field,
                     const struct ent_value *value, struct import_refs *refs)
{
    struct cmd_ctx *ctx = import->ctx;
    int rc = 0;

    if (codes_follow(ctx, &places->here, field, value) != NULL)
        return 0;
    if (codes_follow(ctx, &places->package, field, value) == NULL)
        rc = refs_refuse(ctx, &places->here, field, value);
    if (rc == 0)
        return tell(import, &places->here, row, field, value, refs);
    if (rc == ENT_EREFUSED)
        rows_fault(import->rows, row->path, row->line, field->name,
                   ctx->err.text);
    return rc == ENT_EREFUSED ? 0 : rc;
}

static int check_row(struct import *import, const struct places *places,
                     const struct row *row, struct import_refs *refs)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < row->count; i++) {
        const struct change_word *word = &row->words[i];

        if (word->field->type != ENT_TYPE_REF)
            continue;
        for (size_t j = 0; rc == 0 && j < word->count; j++)
            rc = check_ref(import, places, row, word->field, &word->values[j],
                           refs);
    }
    return rc;
}

/* Once all rows are there, for what one of them names may come behind it; in
 * their order, so that the first that are missing are told. */
static int check_refs(struct import *import, struct import_refs *refs)
{
    const struct rows *rows = import->rows;
    struct places places = {0};
    int rc = find_places(import, &places);

    for (size_t i = 0; rc == 0 && i < rows->count; i++)
        if (is_kept(import, i))
            rc = check_row(import, &places, &rows->rows[i], refs);
    codes_fini(&places.here);
    codes_fini(&places.package);
    return rc < 0 ? rc : rows_check_faults(import->ctx, rows);
}

static size_t select_rows(struct import *import, struct row **list)
{
    size_t count = 0;

    for (size_t i = 0; i < import->rows->count; i++)
        if (is_kept(import, i))
            list[count++] = &import->rows->rows[i];
    return count;
}

int import_write(struct cmd_ctx *ctx, int64_t space, struct rows *rows,
                 const bool *keep, struct import_tally *tallies,
                 struct import_refs *refs)
{
    struct import import = {
        .ctx = ctx, .space = space, .rows = rows, .keep = keep};
    struct row **list = calloc(rows->count + 1, sizeof(*list));
    size_t count;
    int rc;

    if (list == NULL)
        return cmd_no_memory(ctx);
    count = select_rows(&import, list);
    rc = ent_writer_open(ctx->store, space, ctx->now_ms, &import.writer,
                         &ctx->err);
    if (rc < 0)
        goto out;
    rc = choose_ids(ctx, space, rows, list, count);
    if (rc == 0) {
        qsort(list, count, sizeof(*list), by_id);
        rc = put_all(&import, list, count, tallies);
    }
    if (rc == 0)
        rc = check_refs(&import, refs);
    if (rc < 0 || ctx->dry_run) {
        ent_writer_abort(import.writer);
        goto out;
    }
    rc = ent_writer_commit(import.writer, &ctx->err);
    if (rc == 0)
        cmd_poke(ctx);
out:
    ent_arena_fini(&import.arena);
    free(list);
    return rc;
}

/* ---------------------------------------------------------------- reporting */

static bool is_empty(const struct import_tally *tally)
{
    return tally->new_records + tally->changed + tally->unchanged +
               tally->deleted ==
           0;
}

void import_report(struct cmd_ctx *ctx, const struct import_tally *tallies,
                   const struct import_refs *refs)
{
    size_t deleted = 0;

    out_list_begin(ctx->out);
    out_column(ctx->out, "kind", _("kind"), OUT_TEXT);
    out_column(ctx->out, "new", _("new"), OUT_NUMBER);
    out_column(ctx->out, "changed", _("changed"), OUT_NUMBER);
    out_column(ctx->out, "unchanged", _("unchanged"), OUT_NUMBER);
    out_column(ctx->out, "deleted", _("deleted here"), OUT_NUMBER);
    for (size_t i = 0; i < ctx->kinds.count; i++) {
        if (is_empty(&tallies[i]))
            continue;
        out_row(ctx->out);
        out_cell(ctx->out, look_kind_said(ctx, &ctx->kinds.kinds[i]));
        out_cell_int(ctx->out, (int64_t)tallies[i].new_records);
        out_cell_int(ctx->out, (int64_t)tallies[i].changed);
        out_cell_int(ctx->out, (int64_t)tallies[i].unchanged);
        out_cell_int(ctx->out, (int64_t)tallies[i].deleted);
        deleted += tallies[i].deleted;
    }
    out_list_end(ctx->out);
    if (ctx->dry_run)
        cmd_say(ctx, _("dry run: nothing was written"));
    if (deleted > 0)
        cmd_say(ctx,
                ngettext("%zu record is deleted here and stays so; "
                         "\"undelete\" brings it back",
                         "%zu records are deleted here and stay so; "
                         "\"undelete\" brings each back",
                         deleted),
                deleted);
    if (refs->dangling > 0)
        cmd_say(ctx,
                ngettext("%zu reference leads to no record held here; "
                         "\"check\" lists such references",
                         "%zu references lead to no record held here; "
                         "\"check\" lists them",
                         refs->dangling),
                refs->dangling);
    for (size_t i = 0; i < refs->told_count; i++)
        cmd_say(ctx, "%s", refs->told[i].text);
}
