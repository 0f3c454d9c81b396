/* kinds.c - the kinds of record and the fields of one. */
#include <string.h>

#include "cli/args.h"
#include "cli/fields.h"
#include "cli/label.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "store/own.h"

/* As programs know a type, and for people. */
struct type_name {
    const char *name;
    const char *label;
};

static const struct type_name types[] = {
    [ENT_TYPE_TEXT] = {"text", N_("text")},
    [ENT_TYPE_CODE] = {"code", N_("code")},
    [ENT_TYPE_ENUM] = {"enum", N_("term of a list")},
    [ENT_TYPE_REF] = {"ref", N_("reference")},
    [ENT_TYPE_DATE] = {"date", N_("date")},
    [ENT_TYPE_DATETIME] = {"datetime", N_("date and time")},
    [ENT_TYPE_INTEGER] = {"integer", N_("whole number")},
    [ENT_TYPE_DECIMAL] = {"decimal", N_("decimal number")},
    [ENT_TYPE_YESNO] = {"yesno", N_("yes or no")},
};

static void list_kinds(struct cmd_ctx *ctx)
{
    out_list_begin(ctx->out);
    out_column(ctx->out, "name", _("name"), OUT_TEXT);
    out_column(ctx->out, "label", _("label"), OUT_TEXT);
    out_column(ctx->out, "fields", _("fields"), OUT_NUMBER);
    out_column(ctx->out, "owned", _("changed by its author only"), OUT_BOOL);
    for (size_t i = 0; i < ctx->kinds.count; i++) {
        const struct ent_kind *kind = &ctx->kinds.kinds[i];

        out_row(ctx->out);
        out_cell(ctx->out, kind->name);
        out_cell(ctx->out, look_kind_label(ctx, kind));
        out_cell_int(ctx->out, (int64_t)kind->field_count);
        out_cell(ctx->out, kind->owned ? "1" : "0");
    }
    out_list_end(ctx->out);
    out_remark(ctx->out, "%s", _("\"kinds KIND\" lists the fields of one."));
}

/* The codes of an enumeration or the kinds a reference may name, as a JSON
 * array. */
static void put_choices(struct cmd_ctx *ctx, const struct ent_field *field,
                        struct ent_buf *buf)
{
    const struct ent_term *terms = NULL;
    const char *targets = field->targets == NULL ? "" : field->targets;
    size_t count = 0;

    if (field->type == ENT_TYPE_ENUM)
        count = ent_vocab_list(&ctx->vocab, field->list, &terms);
    ent_buf_put_u8(buf, '[');
    for (size_t i = 0; i < count; i++) {
        ent_buf_put_str(buf, i > 0 ? ", " : "");
        out_json_string(buf, terms[i].code);
    }
    while (field->type == ENT_TYPE_REF && *targets != '\0') {
        size_t len = strcspn(targets, "|");

        /* Kind names are made of a-z, 0-9 and _. */
        ent_buf_printf(buf, "\"%.*s\"", (int)len, targets);
        targets += len + (targets[len] == '|');
        ent_buf_put_str(buf, *targets == '\0' ? "" : ", ");
    }
    ent_buf_put_u8(buf, ']');
}

static void put_rules(struct cmd_ctx *ctx, const struct ent_field *field)
{
    const struct type_name *type = &types[field->type];
    bool set = field->rule == ENT_RULE_SET;
    bool ask = field->loud == ENT_LOUD_ASK;

    if (look_for_program(ctx)) {
        out_cell(ctx->out, type->name);
        out_cell(ctx->out, set ? "set" : "register");
        out_cell(ctx->out, ask ? "ask" : "quiet");
        return;
    }
    out_cell(ctx->out, gettext(type->label));
    out_cell(ctx->out, set ? _("several values") : _("one value"));
    out_cell(ctx->out, set ? NULL : ask ? _("asks") : _("shows the latest"));
}

static void put_field(struct cmd_ctx *ctx, const struct ent_field *field,
                      int64_t space, bool tell_space)
{
    struct ent_buf choices = {0};

    put_choices(ctx, field, &choices);
    out_row(ctx->out);
    out_cell(ctx->out, field->name);
    if (!look_for_program(ctx))
        out_cell(ctx->out, look_field_label(ctx, field));
    put_rules(ctx, field);
    out_cell(ctx->out, ent_buf_cstr(&choices));
    if (look_for_program(ctx)) {
        out_cell(ctx->out, field->label[ENT_LANG_EN]);
        out_cell(ctx->out, field->label[ENT_LANG_FR]);
    }
    if (tell_space)
        out_cell(ctx->out, space == 0 ? NULL : pick_handle(ctx, space));
    ent_buf_fini(&choices);
}

static int list_fields(struct cmd_ctx *ctx, const struct ent_kind *kind)
{
    const struct ent_own *own = NULL;
    size_t count = 0;
    bool tell_space = look_for_program(ctx);

    /* The kinds are known without a replica, too. */
    if (cmd_store(ctx) == NULL && ctx->err.code != ENT_ENOTFOUND)
        return ctx->err.code;
    if (fields_own(ctx, &own, &count) < 0)
        return ctx->err.code;
    for (size_t i = 0; i < count; i++)
        tell_space = tell_space || own[i].kind == kind->number;
    out_list_begin(ctx->out);
    out_column(ctx->out, "name", _("name"), OUT_TEXT);
    if (!look_for_program(ctx))
        out_column(ctx->out, "label", _("label"), OUT_TEXT);
    out_column(ctx->out, "type", _("type"), OUT_TEXT);
    out_column(ctx->out, "rule", _("rule"), OUT_TEXT);
    out_column(ctx->out, "loudness", _("on conflict"), OUT_TEXT);
    out_column(ctx->out, "values", _("values"), OUT_LIST);
    if (look_for_program(ctx)) {
        out_column(ctx->out, "label_en", "label_en", OUT_TEXT);
        out_column(ctx->out, "label_fr", "label_fr", OUT_TEXT);
    }
    if (tell_space)
        out_column(ctx->out, "space", _("space"), OUT_TEXT);
    for (size_t i = 0; i < kind->field_count; i++)
        put_field(ctx, &kind->fields[i], 0, tell_space);
    for (size_t i = 0; i < count; i++)
        if (own[i].kind == kind->number)
            put_field(ctx, &own[i].field, own[i].space, tell_space);
    out_list_end(ctx->out);
    return 0;
}

int records_kinds(struct cmd_ctx *ctx, int argc, char **argv)
{
    const struct ent_kind *kind;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2)
        return cmd_usage(ctx, "kinds");
    if (argc == 1) {
        list_kinds(ctx);
        return CMD_OK;
    }
    if (pick_kind(ctx, argv[1], &kind) < 0 || list_fields(ctx, kind) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}

/* --------------------------------------------------------------- own fields */

/* What the options say; NULL is what they leave as it was. */
struct own_ask {
    const char *space;
    const char *type;
    const char *values;
    const char *loudness;
    const char *personal;
    const char *label[ENT_LANG_COUNT];
    bool several;
};

/* The place of a word in a list, or a sentence with the whole list. */
static int choose(struct cmd_ctx *ctx, const char *option, const char *word,
                  const char *const *names, size_t count, size_t *at)
{
    struct ent_buf all = {0};
    const char *text;

    for (*at = 0; *at < count; (*at)++)
        if (strcmp(names[*at], word) == 0)
            return 0;
    for (size_t i = 0; i < count; i++)
        ent_buf_printf(&all, i == 0 ? "%s" : ", %s", names[i]);
    text = ent_buf_cstr(&all);
    ent_err_set(&ctx->err, ENT_EUSAGE, "%s takes one of %s, not \"%s\"", option,
                text == NULL ? "" : text, word);
    ent_buf_fini(&all);
    return ENT_EUSAGE;
}

/* Where the values come from: a list of the vocabulary, or kinds. */
static int read_values(struct cmd_ctx *ctx, const char *values,
                       struct ent_field *field)
{
    const char *at = values;
    const struct ent_term *terms;

    if (field->type != ENT_TYPE_ENUM && field->type != ENT_TYPE_REF)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "--values goes with --type enum or ref");
    if (field->type == ENT_TYPE_ENUM) {
        field->list = values;
        return ent_vocab_list(&ctx->vocab, values, &terms) > 0
                   ? 0
                   : ent_err_set(&ctx->err, ENT_EUSAGE,
                                 "the vocabulary has no list \"%s\"", values);
    }
    field->targets = values;
    while (*at != '\0') {
        size_t len = strcspn(at, "|");
        char name[ENT_FIELD_NAME_MAX + 1] = "";

        if (len <= ENT_FIELD_NAME_MAX)
            memcpy(name, at, len);
        if (ent_kind_named(&ctx->kinds, name) == NULL)
            return ent_err_set(&ctx->err, ENT_EUSAGE,
                               "there is no kind \"%s\"; \"kinds\" lists them",
                               name);
        at += len + (at[len] == '|');
    }
    return 0;
}

static int check_values(struct cmd_ctx *ctx, const struct ent_field *field)
{
    if (field->type == ENT_TYPE_ENUM && field->list == NULL)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "--type enum needs --values LIST, a list of the "
                           "vocabulary");
    if (field->type == ENT_TYPE_REF && field->targets == NULL)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "--type ref needs --values KIND, or several kinds "
                           "with | between");
    return 0;
}

static int read_label(struct cmd_ctx *ctx, const char *option, const char *text,
                      const char **label)
{
    char name[ENT_NAME_BYTES_MAX + 1];
    int rc;

    if (text == NULL)
        return 0;
    rc = label_read_name(ctx, option, text, name);
    if (rc < 0)
        return rc;
    *label = ent_arena_str(&ctx->own_arena, name);
    return *label == NULL ? cmd_no_memory(ctx) : 0;
}

/* Both languages have a label: that of the other one, or the name. */
static int read_labels(struct cmd_ctx *ctx, const struct own_ask *ask,
                       struct ent_field *field)
{
    static const char *const options[] = {
        [ENT_LANG_EN] = "--label-en", [ENT_LANG_FR] = "--label-fr"};
    int rc = 0;

    for (int lang = 0; rc == 0 && lang < ENT_LANG_COUNT; lang++)
        rc = read_label(ctx, options[lang], ask->label[lang],
                        &field->label[lang]);
    for (int lang = 0; rc == 0 && lang < ENT_LANG_COUNT; lang++) {
        const char *other = field->label[ENT_LANG_COUNT - 1 - lang];

        if (field->label[lang] == NULL)
            field->label[lang] = other == NULL ? field->name : other;
    }
    return rc;
}

/* What the options say goes over what `field` is: a new one of text, or the
 * one that the space has. What they do not say stays, so that nobody undoes
 * the protection of a field by giving it a label. */
static int read_field(struct cmd_ctx *ctx, const struct own_ask *ask,
                      struct ent_field *field)
{
    static const char *const louds[] = {
        [ENT_LOUD_QUIET] = "quiet", [ENT_LOUD_ASK] = "ask"};
    static const char *const personals[] = {[ENT_PERSONAL_NO] = "no",
                                            [ENT_PERSONAL_INDIRECT] =
                                                "indirect",
                                            [ENT_PERSONAL_YES] = "yes"};
    const char *names[ENT_ARRAY_LEN(types)];
    size_t type = field->type;
    size_t loud = field->loud;
    size_t personal = field->personal;
    int rc = 0;

    for (size_t i = 0; i < ENT_ARRAY_LEN(types); i++)
        names[i] = types[i].name;
    if (ask->type != NULL)
        rc = choose(ctx, "--type", ask->type, names, ENT_ARRAY_LEN(names),
                    &type);
    if (rc == 0 && ask->loudness != NULL)
        rc = choose(ctx, "--loudness", ask->loudness, louds,
                    ENT_ARRAY_LEN(louds), &loud);
    if (rc == 0 && ask->personal != NULL)
        rc = choose(ctx, "--personal", ask->personal, personals,
                    ENT_ARRAY_LEN(personals), &personal);
    if (rc < 0)
        return rc;
    field->type = (enum ent_field_type)type;
    field->loud = (enum ent_loud)loud;
    field->personal = (enum ent_personal)personal;
    if (ask->several)
        field->rule = ENT_RULE_SET;
    if (ask->values != NULL)
        rc = read_values(ctx, ask->values, field);
    if (rc == 0)
        rc = check_values(ctx, field);
    return rc == 0 ? read_labels(ctx, ask, field) : rc;
}

/* The space's own field of that name, or a new one. */
static int find_field(struct cmd_ctx *ctx, int64_t space,
                      const struct ent_kind *kind, const char *name,
                      struct ent_field *field)
{
    const struct ent_own *list;
    const struct ent_field *old;
    size_t count;
    int rc = fields_own(ctx, &list, &count);

    if (rc < 0)
        return rc;
    old = fields_named(ctx, kind, space, name);
    *field = old != NULL && old->number > ENT_NUMBER_SHIPPED_MAX
                 ? *old
                 : (struct ent_field){.name = name};
    return 0;
}

int records_add_field(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct own_ask ask = {0};
    const struct args_option options[] = {
        {.name = "--space", .value = &ask.space},
        {.name = "--type", .value = &ask.type},
        {.name = "--values", .value = &ask.values},
        {.name = "--several", .flag = &ask.several},
        {.name = "--loudness", .value = &ask.loudness},
        {.name = "--personal", .value = &ask.personal},
        {.name = "--label-en", .value = &ask.label[ENT_LANG_EN]},
        {.name = "--label-fr", .value = &ask.label[ENT_LANG_FR]},
    };
    struct ent_field field = {0};
    const struct ent_kind *kind;
    int64_t space;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 3)
        return cmd_usage(ctx, "kinds add-field");
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = pick_kind(ctx, argv[1], &kind);
    if (rc == 0)
        rc = pick_writable(ctx, ask.space, &space);
    if (rc == 0)
        rc = find_field(ctx, space, kind, argv[2], &field);
    if (rc == 0)
        rc = read_field(ctx, &ask, &field);
    if (rc == 0)
        rc = pick_check_decides(ctx, space);
    if (rc == 0 && ctx->dry_run)
        rc = ent_own_field_check(ctx->store, space, kind, &field, &ctx->err);
    else if (rc == 0)
        rc = ent_own_field_define(ctx->store, space, kind, &field, ctx->now_ms,
                                  &ctx->err);
    if (rc < 0)
        return cmd_fail(ctx);
    if (!ctx->dry_run)
        cmd_poke(ctx);
    cmd_say(ctx,
            ctx->dry_run ? _("would give %s the field %s in the space %s")
                         : _("%s has the field %s in the space %s"),
            kind->name, field.name, pick_handle(ctx, space));
    return CMD_OK;
}
