/* me.c - see me.h. */
#include "cli/me.h"

#include <string.h>

#include "cli/codes.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/same.h"
#include "cli/settings.h"
#include "text/parse.h"

int me_contact(struct cmd_ctx *ctx, const char *name,
               struct ent_record_ref *ref)
{
    const struct ent_kind *kind;
    int rc = pick_shown(ctx, name, ref, &kind);

    if (rc == 0 && strcmp(kind->name, "contact") != 0)
        rc = ent_err_set(&ctx->err, ENT_ENOTFOUND,
                         "%s is a record of kind %s, not a contact", name,
                         kind->name);
    return rc;
}

int me_tell_unknown(struct cmd_ctx *ctx, const char *name)
{
    const struct ent_kind *kind = ent_kind_named(&ctx->kinds, "contact");
    const struct codes_item *near;
    struct codes codes = {0};
    int rc = kind == NULL ? 0 : codes_load(ctx, &codes, kind, 0);

    if (rc == 0 && kind != NULL) {
        near = codes_near(&codes, kind->number, name);
        if (near == NULL)
            cmd_say(ctx, _("there is no contact \"%s\" here yet"), name);
        else
            cmd_say(ctx,
                    _("there is no contact \"%s\" here yet; did you mean "
                      "\"%.*s\"?"),
                    name, (int)near->code.len, (const char *)near->code.at);
    }
    codes_fini(&codes);
    return rc;
}

int me_name(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
            struct ent_buf *name)
{
    struct ent_record_ref *members;
    struct ent_arena arena = {0};
    struct ent_record record = {0};
    char id[ENT_ID_TEXT];
    size_t count;
    int rc = same_members(ctx, ref, &arena, &members, &count);

    if (rc == 0)
        rc = same_read(ctx, members, count, &record);
    if (rc == 0) {
        look_put(&record, ENT_FIELD_CODE, name);
        ent_id_text(&ref->id, id);
        if (name->len == 0)
            ent_buf_put_str(name, id);
        rc = ent_buf_cstr(name) == NULL ? cmd_no_memory(ctx) : 0;
    }
    ent_record_fini(&record);
    ent_arena_fini(&arena);
    return rc;
}

int me_read(struct cmd_ctx *ctx, struct ent_buf *name)
{
    struct ent_record_ref ref;
    struct ent_config config;
    int rc;

    if (ctx->as != NULL) {
        rc = me_contact(ctx, ctx->as, &ref);
        return rc < 0 ? rc : me_name(ctx, &ref, name);
    }
    rc = settings_read(ctx, &config);
    if (rc < 0)
        return rc;
    if (config.me == NULL || config.me[0] == '\0')
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         "nobody has said who works here; \"config "
                         "me=CONTACT\" does, or --as CONTACT for one command");
    else
        rc = me_contact(ctx, config.me, &ref);
    ent_config_fini(&config);
    return rc < 0 ? rc : me_name(ctx, &ref, name);
}

int me_date(struct cmd_ctx *ctx, const char *name, const char *text,
            char today[11], const char **date)
{
    static const struct ent_field field = {.name = "on", .type = ENT_TYPE_DATE};
    struct ent_arena arena = {0};
    struct ent_value value;
    int rc;

    cmd_today(ctx, today);
    *date = text == NULL ? today : text;
    if (text == NULL)
        return 0;
    rc = ent_value_parse(&field, &ctx->vocab, ent_slice_str(text), &arena,
                         &value, &ctx->err);
    ent_arena_fini(&arena);
    if (rc < 0) {
        ent_err_prefix(&ctx->err, "%s", name);
        ctx->err.code = ENT_EUSAGE;
    }
    return rc < 0 ? ENT_EUSAGE : 0;
}

int me_term(struct cmd_ctx *ctx, const char *option, const char *list,
            const char *text, struct ent_arena *arena, const char **code)
{
    const struct ent_term *term =
        ent_vocab_said(&ctx->vocab, list, ent_slice_str(text));
    const struct ent_term *terms;
    const struct ent_term *begins = NULL;
    size_t count = ent_vocab_list(&ctx->vocab, list, &terms);
    size_t found = 0;

    for (size_t i = 0; term == NULL && i < count; i++)
        if (strncmp(terms[i].code, text, strlen(text)) == 0) {
            begins = &terms[i];
            found++;
        }
    if (term == NULL && found == 1 && *text != '\0')
        term = begins;
    if (term == NULL) {
        const struct ent_term *near = ent_vocab_near(&ctx->vocab, list, text);

        return near == NULL
                   ? ent_err_set(&ctx->err, ENT_EUSAGE,
                                 "%s: \"%s\" is not in the list %s", option,
                                 text, list)
                   : ent_err_set(&ctx->err, ENT_EUSAGE,
                                 "%s: \"%s\" is not in the list %s; did you "
                                 "mean %s?",
                                 option, text, list, near->code);
    }
    *code = ent_arena_str(arena, term->code);
    return *code == NULL ? cmd_no_memory(ctx) : 0;
}
