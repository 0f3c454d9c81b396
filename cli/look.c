/* look.c - see look.h. */
#include "cli/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/languages.h"
#include "store/spaces.h"
#include "text/parse.h"

const struct ent_value *look_value(const struct ent_record *record,
                                   uint32_t field)
{
    for (size_t i = 0; i < record->write_count; i++)
        if (record->writes[i].field == field)
            return record->writes[i].value.type == ENT_VALUE_NIL
                       ? NULL
                       : &record->writes[i].value;
    return NULL;
}

void look_put(const struct ent_record *record, uint32_t field,
              struct ent_buf *buf)
{
    const struct ent_value *value = look_value(record, field);

    if (value != NULL)
        ent_value_print(value, buf);
}

/* Life has no values: what differs there is the operation. */
static bool says_the_same(const struct ent_shown *a, const struct ent_shown *b)
{
    if (a->field == ENT_FIELD_LIFE)
        return a->code == b->code;
    return a->missing == b->missing && ent_value_equal(&a->value, &b->value);
}

static bool is_said(const struct ent_shown *const *list, size_t count,
                    const struct ent_shown *write)
{
    for (size_t i = 0; i < count; i++)
        if (says_the_same(list[i], write))
            return true;
    return false;
}

const struct ent_shown **look_values(const struct ent_record *record,
                                     uint32_t field, struct ent_arena *arena,
                                     size_t *count)
{
    const struct ent_shown **list;

    *count = 0;
    list =
        ENT_ARENA_NEW(arena, const struct ent_shown *, record->write_count + 1);
    for (size_t i = 0; list != NULL && i < record->write_count; i++) {
        const struct ent_shown *write = &record->writes[i];

        if (write->field == field && !is_said(list, *count, write))
            list[(*count)++] = write;
    }
    return list;
}

static int by_dot(const void *a, const void *b)
{
    const struct ent_shown *x = *(const struct ent_shown *const *)a;
    const struct ent_shown *y = *(const struct ent_shown *const *)b;

    if (x->dot.n != y->dot.n)
        return x->dot.n < y->dot.n ? -1 : 1;
    return (x->dot.ordinal > y->dot.ordinal) -
           (x->dot.ordinal < y->dot.ordinal);
}

const struct ent_shown **look_elements(const struct ent_record *record,
                                       uint32_t field, struct ent_arena *arena,
                                       size_t *count)
{
    size_t n;
    const struct ent_shown **list;

    list = look_values(record, field, arena, &n);
    if (list != NULL)
        qsort(list, n, sizeof(const struct ent_shown *), by_dot);
    *count = n;
    return list;
}

void look_short(struct ent_buf *buf, struct ent_slice text)
{
    char copy[LOOK_SHORT_MAX + 1];
    size_t len = text.len < LOOK_SHORT_MAX ? text.len : LOOK_SHORT_MAX;

    while (len < text.len && len > 0 && (text.at[len] & 0xc0) == 0x80)
        len--;
    for (size_t i = 0; i < len; i++)
        copy[i] = text.at[i] == '\0' ? '\x01' : (char)text.at[i];
    copy[len] = '\0';
    out_show(buf, copy);
    if (len < text.len)
        ent_buf_put_str(buf, "...");
}

void look_json(const struct ent_value *value, struct ent_buf *buf)
{
    struct ent_buf text = {0};
    const char *plain;

    if (value == NULL || value->type == ENT_VALUE_NIL) {
        ent_buf_put_str(buf, "null");
        return;
    }
    ent_value_print(value, &text);
    plain = ent_buf_cstr(&text);
    if (plain == NULL)
        buf->rc = ENT_ENOMEM;
    else if (value->type == ENT_VALUE_INT || value->type == ENT_VALUE_DECIMAL)
        ent_buf_put_str(buf, plain);
    else
        out_json_string(buf, plain);
    ent_buf_fini(&text);
}

const char *look_label(const struct cmd_ctx *ctx, const struct ent_field *field,
                       const struct ent_value *value)
{
    const struct ent_term *term;
    char code[64];

    if (field->type != ENT_TYPE_ENUM || value->type != ENT_VALUE_TEXT ||
        value->bytes.len >= sizeof(code))
        return NULL;
    memcpy(code, value->bytes.at, value->bytes.len);
    code[value->bytes.len] = '\0';
    term = ent_vocab_find(&ctx->vocab, field->list, code);
    return term == NULL ? NULL : term->label[ctx->lang];
}

const char *look_said(const struct cmd_ctx *ctx, const struct ent_field *field,
                      const char *text)
{
    const struct ent_term *term = NULL;

    if (text == NULL || field->rule == ENT_RULE_SET || look_for_program(ctx))
        return text;
    if (field->type == ENT_TYPE_YESNO && strcmp(text, "yes") == 0)
        return _("yes");
    if (field->type == ENT_TYPE_YESNO && strcmp(text, "no") == 0)
        return _("no");
    if (field->type == ENT_TYPE_ENUM)
        term = ent_vocab_find(&ctx->vocab, field->list, text);
    return term == NULL ? text : term->label[ctx->lang];
}

static bool is_figure(const struct ent_field *field)
{
    return field->type == ENT_TYPE_INTEGER || field->type == ENT_TYPE_DECIMAL;
}

static bool is_day(const struct ent_field *field)
{
    return field->type == ENT_TYPE_DATE || field->type == ENT_TYPE_DATETIME;
}

bool look_is_local(const struct ent_field *field)
{
    return is_figure(field) || is_day(field);
}

void look_put_day(const struct cmd_ctx *ctx, const char *text,
                  struct ent_buf *buf)
{
    if (ctx->lang == ENT_LANG_FR && !look_for_program(ctx))
        out_put_french_day(buf, text);
    else
        ent_buf_put_str(buf, text);
}

void look_put_local(const struct cmd_ctx *ctx, const struct ent_field *field,
                    const char *text, struct ent_buf *buf)
{
    if (is_day(field))
        look_put_day(ctx, text, buf);
    else if (is_figure(field) && ctx->lang == ENT_LANG_FR &&
             !look_for_program(ctx))
        out_put_french(buf, text);
    else
        ent_buf_put_str(buf, text);
}

const char *look_kind_label(const struct cmd_ctx *ctx,
                            const struct ent_kind *kind)
{
    const char *label = kind->label[ctx->lang];

    return label != NULL ? label : kind->name;
}

const char *look_field_label(const struct cmd_ctx *ctx,
                             const struct ent_field *field)
{
    const char *label = field->label[ctx->lang];

    return label != NULL ? label : field->name;
}

const char *look_kind_said(const struct cmd_ctx *ctx,
                           const struct ent_kind *kind)
{
    if (kind == NULL)
        return "?";
    return look_for_program(ctx) ? kind->name : look_kind_label(ctx, kind);
}

const char *look_field_said(const struct cmd_ctx *ctx,
                            const struct ent_field *field)
{
    if (field == NULL)
        return "?";
    return look_for_program(ctx) ? field->name : look_field_label(ctx, field);
}

#define YEAR_1_MS INT64_C(-62135596800000)

static bool split_time(int64_t ms, struct tm *tm)
{
    time_t seconds;

    if (ms > ENT_TIME_MS_MAX)
        return false;
    if (ms < YEAR_1_MS) /* a clock that says so says no year either */
        ms = YEAR_1_MS;
    seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    return gmtime_r(&seconds, tm) != NULL;
}

void look_rfc3339(int64_t ms, char text[LOOK_TIME_TEXT])
{
    struct tm tm;

    text[0] = '\0';
    if (split_time(ms, &tm))
        strftime(text, LOOK_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

bool look_time_odd(const struct cmd_ctx *ctx, int64_t ms)
{
    return ms < ENT_TIME_MS_FIRST || ms > ctx->now_ms + ENT_CLOCK_ODD_MS;
}

void look_time(const struct cmd_ctx *ctx, int64_t ms, char text[LOOK_TIME_TEXT])
{
    const char *form =
        ctx->lang == ENT_LANG_FR ? "%d/%m/%Y %H:%M" : "%Y-%m-%d %H:%M";
    struct tm tm;
    size_t len;

    text[0] = '\0';
    if (!split_time(ms, &tm))
        return;
    len = strftime(text, LOOK_TIME_TEXT, form, &tm);
    if (look_time_odd(ctx, ms))
        memcpy(text + len, " (?)", sizeof(" (?)"));
}

const char *look_org(struct cmd_ctx *ctx, const struct ent_key *key, char *text)
{
    const char *org = ent_member_org(ctx->store, key);

    if (org != NULL && org[0] != '\0')
        return org;
    ent_hex_put(text, key->b, 8);
    return text;
}

enum out_type look_column_type(const struct ent_field *field)
{
    if (field->rule == ENT_RULE_SET)
        return is_day(field) ? OUT_DATES : OUT_LIST;
    if (is_day(field))
        return OUT_DATE;
    return is_figure(field) ? OUT_NUMBER : OUT_TEXT;
}

bool look_for_program(const struct cmd_ctx *ctx)
{
    return ctx->format != OUT_AUTO && ctx->format != OUT_TABLE &&
           ctx->format != OUT_MARKDOWN && ctx->format != OUT_XLSX &&
           ctx->format != OUT_SVG;
}

const char *look_id(const struct cmd_ctx *ctx, const struct ent_id *id,
                    char text[ENT_ID_TEXT])
{
    char full[ENT_ID_TEXT];

    ent_id_text(id, full);
    if (look_for_program(ctx) || isatty(STDOUT_FILENO) == 0)
        memcpy(text, full, sizeof(full));
    else
        snprintf(text, ENT_ID_TEXT, "…%s", full + ENT_ID_TEXT - 9);
    return text;
}

void look_put_name(struct cmd_ctx *ctx, const struct ent_record *record,
                   struct ent_buf *buf)
{
    struct ent_buf code = {0};
    char id[ENT_ID_TEXT];

    look_put(record, ENT_FIELD_CODE, &code);
    if (code.len > 0)
        look_short(buf, ent_buf_slice(&code));
    else
        ent_buf_put_str(buf, look_id(ctx, &record->ref.id, id));
    ent_buf_fini(&code);
}

void look_put_written(struct cmd_ctx *ctx, const struct ent_field *field,
                      const struct ent_value *written, struct ent_buf *buf)
{
    struct ent_buf text = {0};

    if (field != NULL && field->number == ENT_FIELD_ARCHIVED &&
        written->type == ENT_VALUE_INT) {
        char when[LOOK_TIME_TEXT];

        if (look_for_program(ctx))
            look_rfc3339(written->integer, when);
        else
            look_time(ctx, written->integer, when);
        ent_buf_put_str(buf, when);
        return;
    }
    ent_value_print(written, &text);
    if (field != NULL && ent_buf_cstr(&text) != NULL)
        look_put_local(ctx, field, ent_buf_cstr(&text), buf);
    else
        ent_buf_put_slice(buf, ent_buf_slice(&text));
    ent_buf_fini(&text);
}

void look_put_said(const struct cmd_ctx *ctx, const struct ent_field *field,
                   const struct ent_value *value, struct ent_buf *buf)
{
    struct ent_buf text = {0};
    const char *said;

    ent_value_print(value, &text);
    said = ent_buf_cstr(&text);
    if (said == NULL)
        buf->rc = text.rc;
    else if (value->type == ENT_VALUE_NIL)
        ent_buf_put_str(buf, _("(empty)"));
    else if (field != NULL && look_label(ctx, field, value) != NULL)
        look_short(buf, ent_slice_str(look_label(ctx, field, value)));
    else if (field != NULL && look_is_local(field))
        look_put_local(ctx, field, said, buf);
    else if (field != NULL)
        look_short(buf, ent_slice_str(look_said(ctx, field, said)));
    else
        look_short(buf, ent_buf_slice(&text));
    ent_buf_fini(&text);
}

void look_put_labelled(struct cmd_ctx *ctx, const struct ent_field *field,
                       const struct ent_value *value, struct ent_buf *buf)
{
    const char *label = look_label(ctx, field, value);
    struct ent_buf text = {0};
    const char *plain;

    ent_value_print(value, &text);
    plain = ent_buf_cstr(&text);
    if (plain == NULL)
        buf->rc = text.rc;
    else
        look_put_local(ctx, field, plain, buf);
    if (plain != NULL && languages_in(field))
        label = languages_name(ctx, plain);
    if (label != NULL)
        ent_buf_printf(buf, " (%s)", label);
    ent_buf_fini(&text);
}

void look_print_id(const struct cmd_ctx *ctx, const struct ent_id *id)
{
    char text[ENT_ID_TEXT];

    ent_id_text(id, text);
    if (look_for_program(ctx)) {
        out_object_begin(ctx->out);
        out_field(ctx->out, "id", _("id"), text);
        out_object_end(ctx->out);
        return;
    }
    printf("%s\n", text);
}
