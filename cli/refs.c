/* refs.c - see refs.h. */
#include "cli/refs.h"

#include "store/records.h"
#include "text/parse.h"
#include "text/unicode.h"

#define KINDS_NAMED_MAX 3 /* in a sentence about a field of several */

static bool is_target(const struct ent_field *field,
                      const struct ent_kind *kind)
{
    return ent_kind_is_listed(field->targets, kind->name);
}

/* "organisation, group"; "" when they are too many to be named. */
static void put_kinds(const struct cmd_ctx *ctx, const struct ent_field *field,
                      struct ent_buf *text)
{
    size_t count = 0;

    for (size_t i = 0; i < ctx->kinds.count; i++)
        count += is_target(field, &ctx->kinds.kinds[i]);
    for (size_t i = 0; count <= KINDS_NAMED_MAX && i < ctx->kinds.count; i++) {
        if (!is_target(field, &ctx->kinds.kinds[i]))
            continue;
        if (text->len > 0)
            ent_buf_put_str(text, ", ");
        ent_buf_put_str(text, ctx->kinds.kinds[i].name);
    }
}

int refs_refuse(struct cmd_ctx *ctx, const struct codes *codes,
                const struct ent_field *field, const struct ent_value *value)
{
    struct ent_buf kinds = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < ctx->kinds.count; i++) {
        const struct ent_kind *kind = &ctx->kinds.kinds[i];

        if (value->type != ENT_VALUE_TEXT ||
            codes_find(codes, kind->number, value->bytes) == NULL)
            continue;
        put_kinds(ctx, field, &kinds);
        rc = kinds.len > 0 && ent_buf_cstr(&kinds) != NULL
                 ? ent_err_set(&ctx->err, ENT_EREFUSED,
                               "\"%.*s\" is of kind %s, and this field refers "
                               "to %s",
                               ent_text_shown(value->bytes, 60),
                               (const char *)value->bytes.at, kind->name,
                               ent_buf_cstr(&kinds))
                 : ent_err_set(&ctx->err, ENT_EREFUSED,
                               "\"%.*s\" is of kind %s, which this field does "
                               "not refer to; \"kinds\" tells to which it does",
                               ent_text_shown(value->bytes, 60),
                               (const char *)value->bytes.at, kind->name);
    }
    ent_buf_fini(&kinds);
    return rc;
}

static const struct codes_item *find_near(const struct cmd_ctx *ctx,
                                          const struct codes *codes,
                                          const struct ent_field *field,
                                          const char *word)
{
    const struct codes_item *near = NULL;

    for (size_t i = 0; near == NULL && i < ctx->kinds.count; i++)
        if (is_target(field, &ctx->kinds.kinds[i]))
            near = codes_near(codes, ctx->kinds.kinds[i].number, word);
    return near;
}

static void put_sentence(const char *kinds, const char *word,
                         const struct codes_item *near, struct ent_buf *text)
{
    int len = near == NULL ? 0 : (int)near->code.len;
    const char *code = near == NULL ? "" : (const char *)near->code.at;

    if (*kinds == '\0' && near == NULL)
        ent_buf_printf(text, _("no record is called \"%s\" here yet"), word);
    else if (*kinds == '\0')
        ent_buf_printf(text,
                       _("no record is called \"%s\" here yet; did you mean "
                         "\"%.*s\"?"),
                       word, len, code);
    else if (near == NULL)
        ent_buf_printf(text,
                       _("no record of kind %s is called \"%s\" here yet"),
                       kinds, word);
    else
        ent_buf_printf(text,
                       _("no record of kind %s is called \"%s\" here yet; did "
                         "you mean \"%.*s\"?"),
                       kinds, word, len, code);
}

void refs_put_remark(struct cmd_ctx *ctx, const struct codes *codes,
                     const struct ent_field *field,
                     const struct ent_value *value, struct ent_buf *text)
{
    const struct codes_item *near = NULL;
    struct ent_buf word = {0};
    struct ent_buf kinds = {0};

    ent_value_print(value, &word);
    put_kinds(ctx, field, &kinds);
    if (ent_buf_cstr(&word) == NULL || ent_buf_cstr(&kinds) == NULL) {
        text->rc = ENT_ENOMEM;
        goto out;
    }
    if (value->type == ENT_VALUE_TEXT)
        near = find_near(ctx, codes, field, ent_buf_cstr(&word));
    put_sentence(ent_buf_cstr(&kinds), ent_buf_cstr(&word), near, text);
out:
    ent_buf_fini(&word);
    ent_buf_fini(&kinds);
}

/* ------------------------------------------------------------- of one change
 */

/* By the code or id of a record of one of the field's kinds; a deleted one was
 * here and is no typing error. */
static int leads(struct cmd_ctx *ctx, const struct ent_field *field,
                 const struct ent_value *value, bool *found)
{
    struct ent_buf name = {0};
    int rc = 0;

    ent_value_print(value, &name);
    if (ent_buf_cstr(&name) == NULL)
        rc = cmd_no_memory(ctx);
    *found = false;
    for (size_t i = 0; rc == 0 && !*found && i < ctx->kinds.count; i++) {
        struct ent_record_ref ref;
        size_t count = 0;

        if (!is_target(field, &ctx->kinds.kinds[i]))
            continue;
        rc = ent_record_find(ctx->store, ent_buf_cstr(&name), 0,
                             ctx->kinds.kinds[i].number, &ref, 1, &count,
                             &ctx->err);
        *found = count > 0;
    }
    ent_buf_fini(&name);
    return rc;
}

static int tell(struct cmd_ctx *ctx, const struct codes *codes,
                const struct ent_field *field, const struct ent_value *value)
{
    struct ent_buf text = {0};
    int rc = refs_refuse(ctx, codes, field, value);

    if (rc < 0) {
        ent_err_prefix(&ctx->err, "%s", field->name);
        return rc;
    }
    refs_put_remark(ctx, codes, field, value, &text);
    rc = ent_buf_cstr(&text) == NULL ? cmd_no_memory(ctx) : 0;
    if (rc == 0)
        cmd_say(ctx, "%s: %s", field->name, ent_buf_cstr(&text));
    ent_buf_fini(&text);
    return rc;
}

/* All codes are read only when there is something to say. */
static int check_value(struct cmd_ctx *ctx, struct codes *codes,
                       const struct ent_field *field,
                       const struct ent_value *value)
{
    bool found;
    int rc = leads(ctx, field, value, &found);

    if (rc < 0 || found)
        return rc;
    if (codes->by_id == NULL)
        rc = codes_load_targets(ctx, codes);
    return rc < 0 ? rc : tell(ctx, codes, field, value);
}

int refs_check(struct cmd_ctx *ctx, const struct change *change)
{
    struct codes codes = {0};
    int rc = 0;

    for (size_t i = 0; i < change->count; i++) {
        const struct change_word *word = &change->words[i];

        if (word->field->type != ENT_TYPE_REF || word->how == CHANGE_REMOVE)
            continue;
        for (size_t j = 0; rc == 0 && j < word->count; j++)
            rc = check_value(ctx, &codes, word->field, &word->values[j]);
    }
    codes_fini(&codes);
    return rc;
}
