/* change.c - see change.h. */
#include "cli/change.h"

#include <string.h>

#include "cli/countries.h"
#include "cli/languages.h"
#include "cli/limits.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/survey.h"
#include "text/parse.h"

void change_fini(struct change *change)
{
    ent_arena_fini(&change->arena);
}

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, "out of memory");
}

/* ------------------------------------------------------------------ values */

static bool is_blank(struct ent_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (memchr(" \t\r\n", text.at[i], 4) == NULL)
            return false;
    return true;
}

/* The element that `text` begins with; takes it and its bar off. */
static struct ent_slice next_element(struct ent_slice *text)
{
    const uint8_t *bar = memchr(text->at, '|', text->len);
    size_t len = bar == NULL ? text->len : (size_t)(bar - text->at);
    struct ent_slice element = ent_slice(text->at, len);
    size_t used = len + (bar != NULL);

    *text = ent_slice(text->at + used, text->len - used);
    return element;
}

/* What the program cannot keep to this node must not be written at all. */
static int refuse_private(const struct ent_field *field,
                          const struct ent_value *value, struct ent_err *err)
{
    if (strcmp(field->name, "sharing") != 0 || value->type != ENT_VALUE_TEXT ||
        !ent_slice_equal(value->bytes, ent_slice_str("private")))
        return 0;
    return ent_err_set(err, ENT_EREFUSED,
                       "what is written here goes to every member of the "
                       "space, so it cannot be private; the narrowest is "
                       "\"group\"");
}

int change_spoken(struct cmd_ctx *ctx, const struct ent_field *field,
                  struct ent_slice *text, struct ent_arena *arena,
                  struct ent_err *err)
{
    char code[LANGUAGES_TAG];
    char spelt[LIMITS_TEXT];
    struct ent_slice kept = limits_spell(field, *text, spelt);
    int rc = 0;

    if (countries_in(field))
        rc = countries_read(ctx, *text, code, err);
    else if (languages_in(field))
        rc = languages_read(ctx, *text, code, err);
    if (rc < 0)
        return rc;
    if (countries_in(field) || languages_in(field))
        kept = ent_slice_str(code);
    if (kept.at == text->at)
        return 0;
    kept = ent_arena_copy(arena, kept);
    if (kept.at == NULL)
        return no_memory(err);
    *text = kept;
    return 0;
}

/* `spoken`: as somebody says it who writes it; else as it stands. */
static int read_value(struct cmd_ctx *ctx, const struct ent_field *field,
                      bool spoken, struct ent_slice text,
                      struct ent_arena *arena, struct ent_value *value,
                      struct ent_err *err)
{
    int rc = spoken ? change_spoken(ctx, field, &text, arena, err) : 0;

    if (rc == 0)
        rc = ent_value_parse(field, &ctx->vocab, text, arena, value, err);
    if (rc == 0 && spoken)
        rc = refuse_private(field, value, err);
    if (rc == 0 && spoken)
        rc = questions_check_value(ctx, field, value, err);
    return rc;
}

/* The values in `text`, whether or not they may be written. */
static int read_values(struct cmd_ctx *ctx, const struct ent_field *field,
                       bool spoken, struct ent_slice text,
                       struct ent_arena *arena, const struct ent_value **values,
                       size_t *count, struct ent_err *err)
{
    size_t room = 1;
    struct ent_value *list;
    size_t n = 0;

    *count = 0;
    *values = NULL;
    if (text.len == 0 || is_blank(text))
        return 0;
    if (field->rule == ENT_RULE_SET)
        for (size_t i = 0; i < text.len; i++)
            room += text.at[i] == '|';
    if (room > ENT_OPS_MAX)
        return ent_err_set(err, ENT_EREFUSED, "more than %d elements",
                           ENT_OPS_MAX);
    list = ENT_ARENA_NEW(arena, struct ent_value, room);
    if (list == NULL)
        return no_memory(err);
    if (field->rule == ENT_RULE_REGISTER) {
        int rc = read_value(ctx, field, spoken, text, arena, &list[n++], err);

        if (rc < 0)
            return rc;
    }
    while (field->rule == ENT_RULE_SET && text.len > 0) {
        struct ent_slice element = next_element(&text);
        int rc;

        if (is_blank(element))
            continue;
        rc = read_value(ctx, field, spoken, element, arena, &list[n], err);
        if (rc < 0)
            return rc;
        n++;
    }
    *values = list;
    *count = n;
    return 0;
}

int change_values(struct cmd_ctx *ctx, const struct ent_field *field,
                  struct ent_slice text, struct ent_arena *arena,
                  const struct ent_value **values, size_t *count,
                  struct ent_err *err)
{
    int rc = read_values(ctx, field, true, text, arena, values, count, err);

    for (size_t i = 0; rc == 0 && i < *count; i++)
        rc = limits_value(ctx, field, &(*values)[i], err);
    return rc;
}

static bool has_value(const struct ent_value *list, size_t count,
                      const struct ent_value *value)
{
    for (size_t i = 0; i < count; i++)
        if (ent_value_equal(&list[i], value))
            return true;
    return false;
}

/* What is taken out may have been put in where other rules held: it goes as it
 * is written, and as what that means here, if anything. */
static int read_leaving(struct cmd_ctx *ctx, struct ent_slice text,
                        struct ent_arena *arena, struct change_word *word)
{
    const struct ent_value *meant;
    const struct ent_value *plain;
    struct ent_value *both;
    struct ent_err none;
    size_t more;
    size_t count;
    int rc = read_values(ctx, word->field, false, text, arena, &plain, &count,
                         &ctx->err);

    if (rc < 0 || count == 0)
        return rc;
    if (read_values(ctx, word->field, true, text, arena, &meant, &more, &none) <
        0)
        more = 0;
    both = ENT_ARENA_NEW(arena, struct ent_value, count + more);
    if (both == NULL)
        return no_memory(&ctx->err);
    memcpy(both, plain, count * sizeof(*both));
    for (size_t i = 0; i < more; i++)
        if (!has_value(both, count, &meant[i]))
            both[count++] = meant[i];
    word->values = both;
    word->count = count;
    return 0;
}

/* ------------------------------------------------------------------- words */

/* The length of the field's name at the start of "name+=value"; 0 when it is
 * no such word. */
static size_t split_word(const char *word, enum change_how *how,
                         const char **value)
{
    const char *equals = strchr(word, '=');
    size_t len;

    if (equals == NULL || equals == word)
        return 0;
    len = (size_t)(equals - word);
    *value = equals + 1;
    *how = CHANGE_WRITE;
    if (word[len - 1] == '+' || word[len - 1] == '-')
        *how = word[--len] == '+' ? CHANGE_ADD : CHANGE_REMOVE;
    return len;
}

static int read_word(struct cmd_ctx *ctx, struct change *change, int64_t space,
                     const char *text, struct change_word *word)
{
    const char *value;
    size_t len = split_word(text, &word->how, &value);
    int rc;

    if (len == 0)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "\"%s\" is not of the form FIELD=VALUE", text);
    rc = pick_field(ctx, change->kind, space, text, len, &word->field);
    if (rc < 0)
        return rc;
    if (word->how != CHANGE_WRITE && word->field->rule != ENT_RULE_SET)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "%s holds one value; write %s=VALUE",
                           word->field->name, word->field->name);
    if (word->how == CHANGE_REMOVE)
        rc = read_leaving(ctx, ent_slice_str(value), &change->arena, word);
    else
        rc = change_values(ctx, word->field, ent_slice_str(value),
                           &change->arena, &word->values, &word->count,
                           &ctx->err);
    if (rc < 0)
        ent_err_prefix(&ctx->err, "%s", word->field->name);
    return rc;
}

/* A set may be put into and taken from by several words; all else is said
 * once. */
static bool clashes(const struct change_word *a, const struct change_word *b)
{
    return a->field == b->field &&
           (a->how == CHANGE_WRITE || b->how == CHANGE_WRITE);
}

int change_read(struct cmd_ctx *ctx, const struct ent_kind *kind, int64_t space,
                char **words, int count, struct change *change)
{
    change->kind = kind;
    change->words =
        ENT_ARENA_NEW(&change->arena, struct change_word, (size_t)count + 1);
    if (change->words == NULL)
        return no_memory(&ctx->err);
    for (int i = 0; i < count; i++) {
        struct change_word *word = &change->words[change->count];
        int rc = read_word(ctx, change, space, words[i], word);

        if (rc < 0)
            return rc;
        for (size_t j = 0; j < change->count; j++)
            if (clashes(&change->words[j], word))
                return ent_err_set(&ctx->err, ENT_EUSAGE, "%s is given twice",
                                   word->field->name);
        change->count++;
    }
    return 0;
}

/* -------------------------------------------------------------- operations */

static bool has_element(const struct ent_record *record,
                        const struct ent_field *field,
                        const struct ent_value *value)
{
    for (size_t i = 0; record != NULL && i < record->write_count; i++)
        if (record->writes[i].field == field->number &&
            ent_value_equal(&record->writes[i].value, value))
            return true;
    return false;
}

/* How many operations a word can come to. */
static size_t room_for(const struct change_word *word,
                       const struct ent_record *record)
{
    size_t room = word->count + 1;

    for (size_t i = 0; record != NULL && i < record->write_count; i++)
        room += record->writes[i].field == word->field->number;
    return room;
}

static void put_op(struct ent_edit_op *ops, size_t *count, uint32_t code,
                   const struct ent_field *field, struct ent_value value)
{
    ops[(*count)++] = (struct ent_edit_op){
        .code = code,
        .field = field->number,
        .value = value,
    };
}

static void put_additions(const struct change_word *word,
                          const struct ent_record *record,
                          struct ent_edit_op *ops, size_t *count)
{
    for (size_t i = 0; i < word->count; i++)
        if (!has_element(record, word->field, &word->values[i]) &&
            !has_value(word->values, i, &word->values[i]))
            put_op(ops, count, ENT_OP_ADD, word->field, word->values[i]);
}

/* The elements that stand and are not among the word's values. */
static void put_leavers(const struct change_word *word,
                        const struct ent_record *record,
                        struct ent_edit_op *ops, size_t *count)
{
    const size_t from = *count;

    for (size_t i = 0; record != NULL && i < record->write_count; i++) {
        const struct ent_shown *write = &record->writes[i];
        bool listed = false;

        if (write->field != word->field->number ||
            has_value(word->values, word->count, &write->value))
            continue;
        for (size_t j = from; j < *count; j++)
            listed = listed || ent_value_equal(&ops[j].value, &write->value);
        if (!listed)
            put_op(ops, count, ENT_OP_REMOVE, word->field, write->value);
    }
}

static void put_word(const struct change_word *word,
                     const struct ent_record *record, struct ent_edit_op *ops,
                     size_t *count)
{
    if (word->field->rule == ENT_RULE_REGISTER) {
        put_op(ops, count, ENT_OP_WRITE, word->field,
               word->count > 0 ? word->values[0] : ent_value_nil());
        return;
    }
    switch (word->how) {
    case CHANGE_WRITE:
        put_leavers(word, record, ops, count);
        put_additions(word, record, ops, count);
        return;
    case CHANGE_ADD:
        put_additions(word, record, ops, count);
        return;
    case CHANGE_REMOVE:
        for (size_t i = 0; i < word->count; i++)
            if (has_element(record, word->field, &word->values[i]))
                put_op(ops, count, ENT_OP_REMOVE, word->field, word->values[i]);
        return;
    }
}

int change_ops(struct cmd_ctx *ctx, struct change *change,
               const struct ent_record *record, struct ent_edit_op **ops,
               size_t *count)
{
    size_t room = 1;
    size_t n = 0;
    struct ent_edit_op *list;

    for (size_t i = 0; i < change->count; i++) {
        const struct change_word *word = &change->words[i];

        if (record != NULL && ent_record_contested(record, word->field)) {
            char id[ENT_ID_TEXT];

            ent_id_text(&record->ref.id, id);
            return ent_err_set(&ctx->err, ENT_ECONFLICT,
                               "%s has several values that nobody has settled; "
                               "see \"conflicts\" and use "
                               "\"resolve %s %s --take N\"",
                               word->field->name, id, word->field->name);
        }
        room += room_for(word, record);
    }
    list = ENT_ARENA_NEW(&change->arena, struct ent_edit_op, room);
    if (list == NULL)
        return no_memory(&ctx->err);
    for (size_t i = 0; i < change->count; i++)
        put_word(&change->words[i], record, list, &n);
    *ops = list;
    *count = n;
    return questions_check_change(ctx, change->kind, record, list, n);
}

/* ----------------------------------------------------------------- preview */

static void put_values(struct ent_buf *buf, const struct ent_value *values,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            ent_buf_put_u8(buf, '|');
        ent_value_print(&values[i], buf);
    }
}

static void put_standing(struct ent_buf *buf, const struct ent_record *record,
                         const struct ent_field *field, struct ent_arena *arena)
{
    size_t count = 0;
    const struct ent_shown **list =
        record == NULL ? NULL
                       : look_elements(record, field->number, arena, &count);

    if (list != NULL && field->rule == ENT_RULE_REGISTER) {
        look_put(record, field->number, buf);
        return;
    }
    for (size_t i = 0; list != NULL && i < count; i++) {
        if (i > 0)
            ent_buf_put_u8(buf, '|');
        ent_value_print(&list[i]->value, buf);
    }
}

void change_preview(struct cmd_ctx *ctx, const struct change *change,
                    const struct ent_record *record)
{
    static const char *const signs[] = {"=", "+=", "-="};
    struct ent_arena arena = {0};

    for (size_t i = 0; i < change->count; i++) {
        const struct change_word *word = &change->words[i];
        struct ent_buf old = {0};
        struct ent_buf new = {0};
        struct ent_buf line = {0};
        const char *text;

        put_standing(&old, record, word->field, &arena);
        put_values(&new, word->values, word->count);
        ent_buf_printf(&line, "%s%s", word->field->name, signs[word->how]);
        look_short(&line, ent_buf_slice(&new));
        text = ent_buf_cstr(&line);
        if (text != NULL && old.len == 0)
            cmd_say(ctx, _("  would write %s"), text);
        if (text != NULL && old.len > 0) {
            struct ent_buf was = {0};
            const char *was_text;

            look_short(&was, ent_buf_slice(&old));
            was_text = ent_buf_cstr(&was);
            cmd_say(ctx, _("  would write %s (now %s)"), text,
                    was_text == NULL ? "" : was_text);
            ent_buf_fini(&was);
        }
        ent_buf_fini(&old);
        ent_buf_fini(&new);
        ent_buf_fini(&line);
    }
    ent_arena_fini(&arena);
}
