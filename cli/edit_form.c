/* edit_form.c - see edit_form.h. */
#include "cli/edit_form.h"

#include <stdio.h>
#include <string.h>

#include "cli/fields.h"
#include "cli/limits.h"
#include "cli/look.h"
#include "cli/out_text.h"
#include "cli/pick.h"
#include "text/parse.h"

void form_fini(struct form *form)
{
    ent_arena_fini(&form->arena);
}

static struct ent_slice keep(struct form *form, const struct ent_buf *buf)
{
    if (buf->rc < 0)
        form->arena.rc = buf->rc;
    return ent_arena_copy(&form->arena, ent_buf_slice(buf));
}

/* ------------------------------------------------------------------ writing */

/* The value of a field as one text: the elements of a set between bars. */
static int put_value(struct cmd_ctx *ctx, const struct ent_record *record,
                     const struct ent_field *field, struct ent_buf *buf,
                     bool *hidden)
{
    struct ent_arena arena = {0};
    size_t count;
    const struct ent_shown **list =
        field->rule == ENT_RULE_SET
            ? look_elements(record, field->number, &arena, &count)
            : look_values(record, field->number, &arena, &count);
    bool none = list == NULL;

    if (field->rule == ENT_RULE_REGISTER && count > 1)
        count = 1;
    for (size_t i = 0; !none && i < count; i++) {
        const size_t before = buf->len;

        if (i > 0)
            ent_buf_put_u8(buf, '|');
        ent_value_print(&list[i]->value, buf);
        *hidden = *hidden || list[i]->missing ||
                  (field->rule == ENT_RULE_SET &&
                   memchr(buf->at + before + (i > 0), '|',
                          buf->len - before - (i > 0)) != NULL);
    }
    ent_arena_fini(&arena);
    return none || buf->rc < 0 ? cmd_no_memory(ctx) : 0;
}

static void put_lines(struct ent_buf *buf, const char *name,
                      struct ent_slice value)
{
    ent_buf_printf(buf, "%s = ", name);
    for (size_t i = 0; i < value.len; i++) {
        ent_buf_put_u8(buf, value.at[i]);
        if (value.at[i] == '\n')
            ent_buf_put_str(buf, "| ");
    }
    ent_buf_put_u8(buf, '\n');
}

/* What may stand in it, as far as it is worth a line. */
static void put_limits(const struct ent_field *field, struct ent_buf *buf)
{
    const int *min = field->limits.min;
    const int *max = field->limits.max;

    if (min != NULL && max != NULL)
        ent_buf_printf(buf, _("#   from %d to %d"), *min, *max);
    else if (min != NULL)
        ent_buf_printf(buf, _("#   %d or more"), *min);
    else if (max != NULL)
        ent_buf_printf(buf, _("#   %d or less"), *max);
    if (min != NULL || max != NULL)
        ent_buf_put_u8(buf, '\n');
}

static void put_terms(struct cmd_ctx *ctx, const struct ent_field *field,
                      struct ent_buf *buf)
{
    const struct ent_term *terms;
    size_t count = field->type == ENT_TYPE_ENUM
                       ? ent_vocab_list(&ctx->vocab, field->list, &terms)
                       : 0;

    if (count == 0 || count > FORM_TERMS_MAX)
        return;
    ent_buf_put_str(buf, "#  ");
    for (size_t i = 0; i < count; i++)
        ent_buf_printf(buf, "%s %s (%s)", i > 0 ? "," : "", terms[i].code,
                       terms[i].label[ctx->lang]);
    ent_buf_put_u8(buf, '\n');
}

/* The values of others that stand beside the one shown. */
static int put_others(struct cmd_ctx *ctx, const struct ent_record *record,
                      const struct ent_field *field, struct ent_buf *buf)
{
    struct ent_arena arena = {0};
    size_t count = 0;
    const struct ent_shown **list =
        look_values(record, field->number, &arena, &count);

    if (list == NULL) {
        ent_arena_fini(&arena);
        return cmd_no_memory(ctx);
    }
    for (size_t i = 1; field->rule == ENT_RULE_REGISTER && i < count; i++) {
        char when[LOOK_TIME_TEXT];
        char org[24];

        look_time(ctx, list[i]->claimed_ms, when);
        ent_buf_put_str(buf, _("#   also written: "));
        if (look_is_local(field)) /* as it would be typed here */
            ent_value_print(&list[i]->value, buf);
        else
            look_put_said(ctx, field, &list[i]->value, buf);
        ent_buf_put_str(buf, " (");
        look_short(buf, ent_slice_str(look_org(ctx, &list[i]->author, org)));
        ent_buf_printf(buf, ", %s)\n", when);
    }
    ent_arena_fini(&arena);
    return 0;
}

static int put_field(struct cmd_ctx *ctx, struct form *form,
                     struct form_field *item, struct ent_buf *text)
{
    const struct ent_field *field = item->field;
    struct ent_buf value = {0};
    int rc = put_value(ctx, form->record, field, &value, &item->hidden);

    /* What turns the direction of writing or moves a cursor would be spelled
     * out, and then be taken for the new value. */
    item->hidden =
        item->hidden || !out_is_plain(ent_buf_slice(&value), OUT_SHOW_LF);
    ent_buf_put_str(text, "\n# ");
    look_short(text, ent_slice_str(look_field_label(ctx, field)));
    ent_buf_put_str(text, "\n");
    put_limits(field, text);
    put_terms(ctx, field, text);
    if (rc == 0)
        rc = put_others(ctx, form->record, field, text);
    if (rc == 0 && item->hidden) {
        ent_buf_put_str(text, _("#   holds what cannot be shown here: "));
        look_short(text, ent_buf_slice(&value));
        ent_buf_printf(text, "\n# %s = \n", field->name);
    } else if (rc == 0) {
        put_lines(text, field->name, ent_buf_slice(&value));
    }
    ent_buf_fini(&value);
    return rc;
}

static void put_head(struct cmd_ctx *ctx, const struct form *form,
                     struct ent_buf *text)
{
    char id[ENT_ID_TEXT];

    ent_id_text(&form->record->ref.id, id);
    ent_buf_put_str(text, "# ");
    look_short(text, ent_slice_str(look_kind_label(ctx, form->kind)));
    ent_buf_printf(text, " %s, %s\n", id,
                   pick_handle(ctx, form->record->ref.space));
    ent_buf_put_str(
        text,
        _("# A line FIELD = VALUE for each field; values of a set stand "
          "between bars.\n"
          "# A line that begins with | goes on with the value above.\n"
          "# What is left as it is, or taken out, is not changed; FIELD = "
          "alone empties.\n"));
}

/* ------------------------------------------------------------------ reading */

struct lines {
    struct ent_slice rest;
    size_t number;
};

/* The next line without its end and the blanks before it. */
static bool next_line(struct lines *lines, struct ent_slice *line)
{
    const uint8_t *end;

    if (lines->rest.len == 0)
        return false;
    end = memchr(lines->rest.at, '\n', lines->rest.len);
    *line =
        ent_slice(lines->rest.at, end == NULL ? lines->rest.len
                                              : (size_t)(end - lines->rest.at));
    lines->rest = ent_slice(lines->rest.at + line->len + (end != NULL),
                            lines->rest.len - line->len - (end != NULL));
    lines->number++;
    while (line->len > 0 && strchr(" \t\r", line->at[line->len - 1]) != NULL)
        line->len--;
    return true;
}

static struct ent_slice after_blank(struct ent_slice text)
{
    if (text.len > 0 && text.at[0] == ' ')
        return ent_slice(text.at + 1, text.len - 1);
    return text;
}

/* The lines that go on with a value are put behind it. */
static void take_more(struct lines *lines, struct ent_buf *value)
{
    struct lines ahead = *lines;
    struct ent_slice line;

    while (next_line(&ahead, &line) && line.len > 0 && line.at[0] == '|') {
        ent_buf_put_u8(value, '\n');
        ent_buf_put_slice(value,
                          after_blank(ent_slice(line.at + 1, line.len - 1)));
        *lines = ahead;
    }
}

/* One field and its value; 0 at the end. `name` is empty for a line that is
 * neither that nor a comment. */
static int next_value(struct lines *lines, struct ent_slice *name,
                      size_t *number, struct ent_buf *value)
{
    struct ent_slice line;

    while (next_line(lines, &line)) {
        const uint8_t *equals;
        size_t len;

        if (lines->number == 1 && line.len >= 3 &&
            memcmp(line.at, "\xef\xbb\xbf", 3) == 0)
            line = ent_slice(line.at + 3, line.len - 3);
        if (line.len == 0 || line.at[0] == '#')
            continue;
        *number = lines->number;
        equals = memchr(line.at, '=', line.len);
        len = equals == NULL ? 0 : (size_t)(equals - line.at);
        while (len > 0 && strchr(" \t", line.at[len - 1]) != NULL)
            len--;
        *name = ent_slice(line.at, len);
        ent_buf_reset(value);
        if (len == 0)
            return 1;
        ent_buf_put_slice(
            value, after_blank(ent_slice(
                       equals + 1, line.len - 1 - (size_t)(equals - line.at))));
        take_more(lines, value);
        return 1;
    }
    return 0;
}

static struct form_field *find_field(struct form *form, struct ent_slice name)
{
    for (size_t i = 0; i < form->count; i++)
        if (ent_slice_equal(ent_slice_str(form->fields[i].field->name), name))
            return &form->fields[i];
    return NULL;
}

/* What the form showed is what reading it gives: so the blanks that an editor
 * takes off at the end of lines are no change. */
static void remember(struct form *form, struct ent_slice text)
{
    struct lines lines = {.rest = text};
    struct ent_buf value = {0};
    struct ent_slice name;
    size_t number;

    while (next_value(&lines, &name, &number, &value) > 0) {
        struct form_field *item = find_field(form, name);

        if (item != NULL)
            item->shown = keep(form, &value);
    }
    ent_buf_fini(&value);
}

int form_make(struct cmd_ctx *ctx, const struct ent_kind *kind,
              const struct ent_record *record, struct form *form,
              struct ent_buf *text)
{
    const struct ent_field **fields;
    int rc;

    *form = (struct form){.kind = kind, .record = record};
    rc = fields_all(ctx, kind, record->ref.space, &form->arena, &fields,
                    &form->count);
    if (rc == 0)
        form->fields =
            ENT_ARENA_NEW(&form->arena, struct form_field, form->count + 1);
    if (rc == 0 && form->fields == NULL)
        rc = cmd_no_memory(ctx);
    if (rc == 0)
        put_head(ctx, form, text);
    for (size_t i = 0; rc == 0 && i < form->count; i++) {
        form->fields[i].field = fields[i];
        rc = put_field(ctx, form, &form->fields[i], text);
    }
    if (rc == 0)
        remember(form, ent_buf_slice(text));
    if (rc == 0 && (text->rc < 0 || form->arena.rc < 0))
        rc = cmd_no_memory(ctx);
    return rc;
}

/* A line that is wrong, or (0) what several say together, on stderr and as a
 * comment for the next try. */
static void tell_fault(struct form *form, const char *path, size_t number,
                       const char *reason, struct ent_buf *notes)
{
    struct ent_buf line = {0};

    form->faults++;
    out_show(&line, reason);
    if (ent_buf_cstr(&line) != NULL) {
        fputs(path, stderr);
        if (number > 0)
            fprintf(stderr, ":%zu", number);
        fprintf(stderr, ": %s\n", ent_buf_cstr(&line));
        ent_buf_printf(notes, "# !! %s\n", ent_buf_cstr(&line));
    }
    ent_buf_fini(&line);
}

/* A value that is not the one shown becomes a word of the change. */
static int read_value(struct cmd_ctx *ctx, struct form *form,
                      struct ent_slice name, const struct ent_buf *value,
                      struct change *change, struct ent_err *err)
{
    const struct ent_field *field;
    struct form_field *item;
    struct change_word *word = &change->words[change->count];
    struct ent_slice kept;
    int rc;

    if (name.len == 0)
        return ent_err_set(err, ENT_EREFUSED,
                           "this is no line of the form FIELD = VALUE");
    rc = pick_field(ctx, form->kind, form->record->ref.space,
                    (const char *)name.at, name.len, &field);
    if (rc < 0) {
        *err = ctx->err;
        return rc;
    }
    item = find_field(form, ent_slice_str(field->name));
    if (item == NULL || item->given)
        return ent_err_set(err, ENT_EREFUSED, "%s is given twice", field->name);
    item->given = true;
    if (!item->hidden && ent_slice_equal(item->shown, ent_buf_slice(value)))
        return 0;
    kept = ent_arena_copy(&change->arena, ent_buf_slice(value));
    if (kept.at == NULL)
        return ent_err_set(err, ENT_ENOMEM, "out of memory");
    rc = change_values(ctx, field, kept, &change->arena, &word->values,
                       &word->count, err);
    if (rc < 0) {
        ent_err_prefix(err, "%s", field->name);
        return rc;
    }
    word->field = item->field;
    word->how = CHANGE_WRITE;
    change->count++;
    return 0;
}

int form_read(struct cmd_ctx *ctx, struct form *form, struct ent_slice text,
              const char *path, struct change *change, struct ent_buf *notes)
{
    struct lines lines = {.rest = text};
    struct ent_buf value = {0};
    struct ent_slice name;
    size_t number;
    int rc = 0;

    form->faults = 0;
    change->kind = form->kind;
    change->count = 0;
    change->words =
        ENT_ARENA_NEW(&change->arena, struct change_word, form->count + 1);
    if (change->words == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; i < form->count; i++)
        form->fields[i].given = false;
    while (rc == 0 && next_value(&lines, &name, &number, &value) > 0) {
        struct ent_err err = {0};

        if (value.rc < 0 || (rc = read_value(ctx, form, name, &value, change,
                                             &err)) == ENT_ENOMEM)
            rc = cmd_no_memory(ctx);
        else if (rc < 0) {
            tell_fault(form, path, number, err.text, notes);
            rc = 0;
        }
    }
    ent_buf_fini(&value);
    if (rc == 0 && form->faults == 0 &&
        (rc = limits_change(ctx, change, form->record)) == ENT_EREFUSED) {
        tell_fault(form, path, 0, ctx->err.text, notes);
        rc = 0;
    }
    return rc;
}

/* --------------------------------------------------------------- operations */

/* The writes of a field that were displayed: all of a register, of a set those
 * with that value. */
static const struct ent_dot *displayed(const struct ent_record *record,
                                       const struct ent_field *field,
                                       const struct ent_value *value,
                                       struct ent_arena *arena, size_t *count)
{
    struct ent_dot *dots =
        ENT_ARENA_NEW(arena, struct ent_dot, record->write_count + 1);

    *count = 0;
    for (size_t i = 0; dots != NULL && i < record->write_count; i++) {
        const struct ent_shown *write = &record->writes[i];

        if (write->field == field->number &&
            (value == NULL || ent_value_equal(&write->value, value)))
            dots[(*count)++] = write->dot;
    }
    return dots;
}

/* Whether one value stands in a register, and it is that one. */
static bool stands_alone(const struct ent_record *record,
                         const struct ent_field *field,
                         const struct ent_value *value)
{
    size_t count = 0;

    for (size_t i = 0; i < record->write_count; i++) {
        if (record->writes[i].field != field->number)
            continue;
        if (!ent_value_equal(&record->writes[i].value, value))
            return false;
        count++;
    }
    return count > 0 || value->type == ENT_VALUE_NIL;
}

static bool has_element(const struct ent_record *record,
                        const struct ent_field *field,
                        const struct ent_value *value)
{
    for (size_t i = 0; i < record->write_count; i++)
        if (record->writes[i].field == field->number &&
            ent_value_equal(&record->writes[i].value, value))
            return true;
    return false;
}

static bool among(const struct ent_value *list, size_t count,
                  const struct ent_value *value)
{
    for (size_t i = 0; i < count; i++)
        if (ent_value_equal(&list[i], value))
            return true;
    return false;
}

/* Elements that were displayed and are no more listed go, new ones come; what
 * others did to the set meanwhile stays. */
static int put_set(const struct form *form, const struct change_word *word,
                   const struct ent_record *now, struct ent_arena *arena,
                   struct ent_edit_op *ops, size_t *count)
{
    const struct ent_record *then = form->record;
    const struct ent_field *field = word->field;

    for (size_t i = 0; i < then->write_count; i++) {
        const struct ent_value *value = &then->writes[i].value;
        struct ent_edit_op op = {
            .code = ENT_OP_REMOVE, .field = field->number, .value = *value};
        bool earlier = false;

        for (size_t j = 0; j < i; j++)
            earlier =
                earlier || (then->writes[j].field == field->number &&
                            ent_value_equal(&then->writes[j].value, value));
        if (then->writes[i].field != field->number || earlier ||
            among(word->values, word->count, value) ||
            !has_element(now, field, value))
            continue;
        op.seen = displayed(then, field, value, arena, &op.seen_count);
        if (op.seen == NULL)
            return ENT_ENOMEM;
        ops[(*count)++] = op;
    }
    for (size_t i = 0; i < word->count; i++)
        if (!has_element(then, field, &word->values[i]) &&
            !has_element(now, field, &word->values[i]) &&
            !among(word->values, i, &word->values[i]))
            ops[(*count)++] = (struct ent_edit_op){.code = ENT_OP_ADD,
                                                   .field = field->number,
                                                   .value = word->values[i]};
    return 0;
}

static int put_register(const struct form *form, const struct change_word *word,
                        const struct ent_record *now, struct ent_arena *arena,
                        struct ent_edit_op *ops, size_t *count)
{
    struct ent_edit_op op = {.code = ENT_OP_WRITE,
                             .field = word->field->number,
                             .value = word->count > 0 ? word->values[0]
                                                      : ent_value_nil()};

    if (stands_alone(now, word->field, &op.value))
        return 0;
    op.seen = displayed(form->record, word->field, NULL, arena, &op.seen_count);
    if (op.seen == NULL)
        return ENT_ENOMEM;
    ops[(*count)++] = op;
    return 0;
}

int form_ops(struct cmd_ctx *ctx, const struct form *form,
             struct change *change, const struct ent_record *now,
             struct ent_edit_op **ops, size_t *count)
{
    size_t room = form->record->write_count + 1;
    int rc = 0;

    for (size_t i = 0; i < change->count; i++)
        room += change->words[i].count + 1;
    *ops = ENT_ARENA_NEW(&change->arena, struct ent_edit_op, room);
    *count = 0;
    if (*ops == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; rc == 0 && i < change->count; i++) {
        const struct change_word *word = &change->words[i];

        rc = word->field->rule == ENT_RULE_SET
                 ? put_set(form, word, now, &change->arena, *ops, count)
                 : put_register(form, word, now, &change->arena, *ops, count);
    }
    return rc < 0 ? cmd_no_memory(ctx) : 0;
}
