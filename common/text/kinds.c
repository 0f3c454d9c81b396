/* kinds.c - see kinds.h. A kind's file:
 *
 *     kind contact {
 *         number = 3   table = "contacts"   package = "contacts"
 *         key = "id"   title = "display_name"   owned = no
 *         label_en = "Contact"   label_fr = "Contact"
 *
 *         field code { number = 1   type = code   loud = quiet ... }
 *     }
 */
#include "text/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/entry.h"
#include "text/parse.h"
#include "text/settings.h"

struct choice {
    const char *word;
    int value;
};

static const struct choice types[] = {
    {"text", ENT_TYPE_TEXT},       {"code", ENT_TYPE_CODE},
    {"enum", ENT_TYPE_ENUM},       {"ref", ENT_TYPE_REF},
    {"date", ENT_TYPE_DATE},       {"datetime", ENT_TYPE_DATETIME},
    {"integer", ENT_TYPE_INTEGER}, {"decimal", ENT_TYPE_DECIMAL},
    {"yesno", ENT_TYPE_YESNO},     {NULL, 0}};

static const struct choice rules[] = {
    {"register", ENT_RULE_REGISTER}, {"set", ENT_RULE_SET}, {NULL, 0}};

static const struct choice loudness[] = {
    {"quiet", ENT_LOUD_QUIET}, {"ask", ENT_LOUD_ASK}, {NULL, 0}};

static const struct choice personals[] = {{"no", ENT_PERSONAL_NO},
                                          {"indirect", ENT_PERSONAL_INDIRECT},
                                          {"yes", ENT_PERSONAL_YES},
                                          {NULL, 0}};

/* Columns added after the first tables were handed round are left out while
 * they are empty, so that those tables stay as they are. */
static const struct choice columns[] = {
    {"always", 0}, {"filled", 1}, {NULL, 0}};

static const struct choice formats[] = {{"email", ENT_FORMAT_EMAIL},
                                        {"currency", ENT_FORMAT_CURRENCY},
                                        {"timezone", ENT_FORMAT_TIMEZONE},
                                        {"sha256", ENT_FORMAT_SHA256},
                                        {NULL, 0}};

static const struct choice yesno[] = {{"no", 0}, {"yes", 1}, {NULL, 0}};

/* Columns of their own in every table of the replica, and the fields that every
 * kind has. */
static const char *const taken_fields[] = {
    "space", "id", "meta", "rowid", "oid", "same_as", "archived"};

static const char *const label_names[ENT_LANG_COUNT] = {"label_en", "label_fr"};

/* A reference to a kind that may be in a file not read yet. */
struct wish {
    struct wish *next;
    const char *field;
    const char *targets;
    const char *path;
    int line;
};

struct reader {
    const char *path; /* in the arena */
    struct ent_arena *arena;
    struct ent_err *err;
    struct ent_kind kinds[ENT_KINDS_MAX];
    size_t count;
    struct wish *wishes;
};

static int at_line(const struct reader *r, int line, int rc)
{
    ent_err_prefix(r->err, "%s:%d", r->path, line);
    return rc;
}

static int no_memory(const struct reader *r)
{
    return ent_err_set(r->err, ENT_ENOMEM, "out of memory");
}

static bool is_word(const char *text)
{
    return ent_field_name_fits(ent_slice_str(text));
}

/* #tag+attribute+attribute (HXL 1.1) */
static bool is_hxl(const char *text)
{
    const char *at = text;

    if (strlen(text) > ENT_NAME_BYTES_MAX)
        return false;
    do {
        if (*at != (at == text ? '#' : '+') || at[1] < 'a' || at[1] > 'z')
            return false;
        at++;
        at += strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
    } while (*at != '\0');
    return true;
}

/* The setting that must be there. */
static const struct ent_setting *need(struct reader *r, cfg_t *section,
                                      const char *name)
{
    const struct ent_setting *setting = ent_setting(section, name);

    if (setting == NULL) {
        ent_err_set(r->err, ENT_EREFUSED, "%s %s has no %s", cfg_name(section),
                    cfg_title(section), name);
        at_line(r, section->line, ENT_EREFUSED);
    }
    return setting;
}

static int keep(struct reader *r, const char *text, const char **out)
{
    struct ent_slice copy = ent_arena_copy(r->arena, ent_slice_str(text));

    if (copy.at == NULL)
        return no_memory(r);
    *out = (const char *)copy.at;
    return 0;
}

static int read_number(struct reader *r, cfg_t *section, uint32_t *out)
{
    const struct ent_setting *setting = need(r, section, "number");
    int number;
    int rc;

    if (setting == NULL)
        return ENT_EREFUSED;
    if (ent_setting_number(setting, 1, ENT_FIELD_MAX, &number)) {
        *out = (uint32_t)number;
        return 0;
    }
    rc = ent_err_set(r->err, ENT_EREFUSED,
                     "\"%.60s\" is not a number from 1 to %d", setting->text,
                     ENT_FIELD_MAX);
    return at_line(r, setting->line, rc);
}

/* A name of the replica's: letters, digits and underscores. */
static int read_word(struct reader *r, const struct ent_setting *setting,
                     const char **out)
{
    int rc;

    if (is_word(setting->text))
        return keep(r, setting->text, out);
    rc = ent_err_set(r->err, ENT_EREFUSED,
                     "\"%.70s\" is not a name of a-z, 0-9 and _ with a letter "
                     "in front",
                     setting->text);
    return at_line(r, setting->line, rc);
}

static int read_title(struct reader *r, cfg_t *section, const char **out)
{
    int rc;

    if (is_word(cfg_title(section)))
        return keep(r, cfg_title(section), out);
    rc = ent_err_set(r->err, ENT_EREFUSED,
                     "\"%.70s\" is not a name of a-z, 0-9 and _ with a letter "
                     "in front",
                     cfg_title(section));
    return at_line(r, section->line, rc);
}

/* `otherwise` is taken when the setting is not there; -1: it must be. */
static int read_choice(struct reader *r, cfg_t *section, const char *name,
                       const struct choice *choices, int otherwise, int *out)
{
    const struct ent_setting *setting;
    int rc;

    if (otherwise >= 0 && ent_setting(section, name) == NULL) {
        *out = otherwise;
        return 0;
    }
    setting = need(r, section, name);
    if (setting == NULL)
        return ENT_EREFUSED;
    for (; choices->word != NULL; choices++) {
        if (strcmp(choices->word, setting->text) == 0) {
            *out = choices->value;
            return 0;
        }
    }
    rc = ent_err_set(r->err, ENT_EREFUSED, "unknown %s \"%.60s\"", name,
                     setting->text);
    return at_line(r, setting->line, rc);
}

static int read_labels(struct reader *r, cfg_t *section,
                       const char *labels[ENT_LANG_COUNT])
{
    for (int i = 0; i < ENT_LANG_COUNT; i++) {
        const struct ent_setting *setting = need(r, section, label_names[i]);
        struct ent_slice text;
        int rc;

        if (setting == NULL)
            return ENT_EREFUSED;
        rc = ent_text_clean(ent_slice_str(setting->text), r->arena, &text,
                            r->err);
        if (rc == 0 && (text.len == 0 || text.len > ENT_NAME_BYTES_MAX))
            rc = ent_err_set(r->err, ENT_EREFUSED,
                             "a label has from 1 to %d bytes",
                             ENT_NAME_BYTES_MAX);
        if (rc < 0)
            return at_line(r, setting->line, rc);
        text = ent_arena_copy(r->arena, text);
        if (text.at == NULL)
            return no_memory(r);
        labels[i] = (const char *)text.at;
    }
    return 0;
}

/* The next of the names with '|' between; false when it is no name, or nothing
 * follows the bar behind it. */
static bool next_name(const char **at, char name[ENT_FIELD_NAME_MAX + 1])
{
    size_t len = strcspn(*at, "|");

    if (len == 0 || len > ENT_FIELD_NAME_MAX)
        return false;
    memcpy(name, *at, len);
    name[len] = '\0';
    *at += len;
    return **at == '\0' || *++*at != '\0';
}

static int read_targets(struct reader *r, struct ent_field *field,
                        const struct ent_setting *setting)
{
    struct wish *wish = ENT_ARENA_NEW(r->arena, struct wish, 1);
    int rc = keep(r, setting->text, &field->targets);

    if (rc < 0 || wish == NULL)
        return no_memory(r);
    wish->field = field->name;
    wish->targets = field->targets;
    wish->path = r->path;
    wish->line = setting->line;
    wish->next = r->wishes;
    r->wishes = wish;
    return 0;
}

/* What only some types have: a list, or targets. */
static int read_extra(struct reader *r, cfg_t *section, const char *name,
                      bool wanted, const struct ent_setting **out)
{
    const struct ent_setting *setting = ent_setting(section, name);
    int rc;

    *out = setting;
    if (wanted)
        return need(r, section, name) == NULL ? ENT_EREFUSED : 0;
    if (setting == NULL)
        return 0;
    rc = ent_err_set(r->err, ENT_EREFUSED, "a field of this type has no %s",
                     name);
    return at_line(r, setting->line, rc);
}

static int read_type(struct reader *r, cfg_t *section, struct ent_field *field)
{
    const struct ent_setting *list;
    const struct ent_setting *targets = NULL;
    int type;
    int rc = read_choice(r, section, "type", types, -1, &type);

    if (rc < 0)
        return rc;
    field->type = (enum ent_field_type)type;
    rc = read_extra(r, section, "list", type == ENT_TYPE_ENUM, &list);
    if (rc == 0)
        rc = read_extra(r, section, "targets", type == ENT_TYPE_REF, &targets);
    if (rc < 0)
        return rc;
    if (list != NULL)
        rc = read_word(r, list, &field->list);
    if (rc == 0 && targets != NULL)
        rc = read_targets(r, field, targets);
    return rc;
}

static int read_hxl(struct reader *r, cfg_t *section, struct ent_field *field)
{
    const struct ent_setting *hxl = ent_setting(section, "hxl");
    int rc;

    if (hxl == NULL)
        return 0;
    if (is_hxl(hxl->text))
        return keep(r, hxl->text, &field->hxl);
    rc = ent_err_set(r->err, ENT_EREFUSED, "\"%.60s\" is not an HXL tag",
                     hxl->text);
    return at_line(r, hxl->line, rc);
}

/* A setting that only fields of some types have; NULL: it is not there. */
static int read_limit(struct reader *r, cfg_t *section, const char *name,
                      bool wanted, const struct ent_setting **out)
{
    if (wanted) {
        *out = ent_setting(section, name);
        return 0;
    }
    return read_extra(r, section, name, false, out);
}

/* A number that another does not go beyond. */
static int read_bound(struct reader *r, cfg_t *section, const char *name,
                      bool wanted, const int **out)
{
    const struct ent_setting *setting;
    int *bound;
    int rc = read_limit(r, section, name, wanted, &setting);

    if (rc < 0 || setting == NULL)
        return rc;
    bound = ENT_ARENA_NEW(r->arena, int, 1);
    if (bound == NULL)
        return no_memory(r);
    if (ent_setting_number(setting, 0, ENT_FIELD_MAX, bound)) {
        *out = bound;
        return 0;
    }
    rc = ent_err_set(r->err, ENT_EREFUSED,
                     "\"%.60s\" is not a number from 0 to %d", setting->text,
                     ENT_FIELD_MAX);
    return at_line(r, setting->line, rc);
}

static int read_limits(struct reader *r, cfg_t *section,
                       struct ent_field *field)
{
    struct ent_limits *limits = &field->limits;
    const struct ent_setting *setting;
    const bool one = field->rule == ENT_RULE_REGISTER;
    const bool number =
        field->type == ENT_TYPE_INTEGER || field->type == ENT_TYPE_DECIMAL;
    const bool text =
        field->type == ENT_TYPE_TEXT || field->type == ENT_TYPE_CODE;
    int format = ENT_FORMAT_ANY;
    int rc = read_bound(r, section, "min", number, &limits->min);

    if (rc == 0)
        rc = read_bound(r, section, "max", number, &limits->max);
    if (rc == 0)
        rc = read_limit(r, section, "format", text, &setting);
    if (rc == 0)
        rc =
            read_choice(r, section, "format", formats, ENT_FORMAT_ANY, &format);
    if (rc == 0)
        rc = read_limit(r, section, "not_before",
                        one && field->type == ENT_TYPE_DATE, &setting);
    if (rc == 0 && setting != NULL)
        rc = read_word(r, setting, &limits->not_before);
    if (rc == 0)
        rc = read_limit(r, section, "distinct", one, &setting);
    if (rc == 0 && setting != NULL)
        rc = read_word(r, setting, &limits->distinct);
    limits->format = (enum ent_format)format;
    return rc;
}

static int read_field(struct reader *r, cfg_t *section, struct ent_field *field)
{
    int rule = 0;
    int loud = 0;
    int personal = 0;
    int filled = 0;
    int rc = read_number(r, section, &field->number);

    if (rc == 0)
        rc = read_title(r, section, &field->name);
    if (rc == 0)
        rc = read_type(r, section, field);
    if (rc == 0)
        rc = read_choice(r, section, "rule", rules, ENT_RULE_REGISTER, &rule);
    if (rc == 0)
        rc = read_choice(r, section, "loud", loudness, -1, &loud);
    if (rc == 0)
        rc = read_choice(r, section, "personal", personals, -1, &personal);
    if (rc == 0)
        rc = read_choice(r, section, "column", columns, 0, &filled);
    if (rc == 0)
        rc = read_hxl(r, section, field);
    if (rc == 0 && ent_setting(section, "first") != NULL)
        rc = keep(r, ent_setting(section, "first")->text, &field->first);
    if (rc == 0)
        rc = read_labels(r, section, field->label);
    if (rc < 0)
        return rc;
    field->rule = (enum ent_rule)rule;
    rc = read_limits(r, section, field);
    if (rc < 0)
        return rc;
    field->loud = (enum ent_loud)loud;
    field->personal = (enum ent_personal)personal;
    field->when_filled = filled != 0;
    for (size_t i = 0; i < ENT_ARRAY_LEN(taken_fields); i++) {
        if (strcmp(field->name, taken_fields[i]) == 0) {
            rc = ent_err_set(r->err, ENT_EREFUSED,
                             "no field may have the name %s", field->name);
            return at_line(r, section->line, rc);
        }
    }
    return 0;
}

static int by_field_number(const void *a, const void *b)
{
    const struct ent_field *x = a;
    const struct ent_field *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

static int by_kind_number(const void *a, const void *b)
{
    const struct ent_kind *x = a;
    const struct ent_kind *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

/* libconfuse keeps names apart; numbers are looked at here. */
static int check_field_number(struct reader *r, const struct ent_kind *kind,
                              cfg_t *section)
{
    const struct ent_field *field = &kind->fields[kind->field_count];
    bool is_code = strcmp(field->name, "code") == 0;
    const struct ent_field *common = ent_field_common(field->number);
    int rc = 0;

    if (common != NULL)
        rc = ent_err_set(r->err, ENT_EREFUSED,
                         "number %d belongs to the field %s, which every kind "
                         "has",
                         (int)common->number, common->name);
    for (size_t i = 0; rc == 0 && i < kind->field_count; i++)
        if (kind->fields[i].number == field->number)
            rc = ent_err_set(r->err, ENT_EREFUSED,
                             "field %s has the number of field %s", field->name,
                             kind->fields[i].name);
    if (rc == 0 && is_code != (field->number == ENT_FIELD_CODE))
        rc = ent_err_set(r->err, ENT_EREFUSED,
                         "field %d, and no other, is code", ENT_FIELD_CODE);
    if (rc == 0 && is_code &&
        (field->type != ENT_TYPE_CODE || field->rule != ENT_RULE_REGISTER))
        rc = ent_err_set(r->err, ENT_EREFUSED,
                         "field code is a register of type code");
    return rc < 0 ? at_line(r, ent_setting(section, "number")->line, rc) : 0;
}

/* A day that others do not precede is a field of the kind. */
static int check_not_before(struct reader *r, cfg_t *section,
                            const struct ent_kind *kind)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct ent_field *field = &kind->fields[i];
        const char *name = field->limits.not_before;
        const struct ent_field *other =
            name == NULL ? field : ent_field_named(kind, name);
        cfg_t *at = cfg_getnsec(section, "field", (unsigned)i);
        int rc;

        if (name == NULL ||
            (other != NULL && other != field && other->type == ENT_TYPE_DATE &&
             other->rule == field->rule))
            continue;
        rc = ent_err_set(r->err, ENT_EREFUSED,
                         "not_before \"%.60s\" is no other date of the kind",
                         name);
        return at_line(r, ent_setting(at, "not_before")->line, rc);
    }
    return 0;
}

static int read_fields(struct reader *r, cfg_t *section, struct ent_kind *kind)
{
    size_t count = cfg_size(section, "field");
    int rc;

    if (count == 0 || count > ENT_FIELDS_MAX) {
        rc = ent_err_set(r->err, ENT_EREFUSED, "a kind has from 1 to %d fields",
                         ENT_FIELDS_MAX);
        return at_line(r, section->line, rc);
    }
    kind->fields = ENT_ARENA_NEW(r->arena, struct ent_field, count);
    if (kind->fields == NULL)
        return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        cfg_t *field = cfg_getnsec(section, "field", (unsigned)i);

        rc = read_field(r, field, &kind->fields[i]);
        if (rc == 0)
            rc = check_field_number(r, kind, field);
        if (rc < 0)
            return rc;
        kind->field_count++;
    }
    if (ent_field_named(kind, "code") == NULL) {
        rc = ent_err_set(r->err, ENT_EREFUSED, "kind %s has no field code",
                         kind->name);
        return at_line(r, section->line, rc);
    }
    return check_not_before(r, section, kind);
}

static int read_key(struct reader *r, cfg_t *section, struct ent_kind *kind)
{
    const struct ent_setting *key = need(r, section, "key");
    const char *at;

    if (key == NULL)
        return ENT_EREFUSED;
    at = key->text;
    do {
        char name[ENT_FIELD_NAME_MAX + 1];

        if (!next_name(&at, name) ||
            (strcmp(name, "id") != 0 && ent_field_named(kind, name) == NULL)) {
            int rc = ent_err_set(r->err, ENT_EREFUSED,
                                 "the key \"%.60s\" names neither id nor "
                                 "fields of the kind",
                                 key->text);

            return at_line(r, key->line, rc);
        }
    } while (*at != '\0');
    return keep(r, key->text, &kind->key);
}

static int read_naming_field(struct reader *r, cfg_t *section,
                             struct ent_kind *kind)
{
    const struct ent_setting *title = need(r, section, "title");
    const struct ent_field *field;
    int rc;

    if (title == NULL)
        return ENT_EREFUSED;
    field = ent_field_named(kind, title->text);
    if (field != NULL) {
        kind->title = field->name;
        return 0;
    }
    rc = ent_err_set(r->err, ENT_EREFUSED,
                     "the title \"%.60s\" is not a field of the kind",
                     title->text);
    return at_line(r, title->line, rc);
}

static int read_table(struct reader *r, cfg_t *section, struct ent_kind *kind)
{
    const struct ent_setting *table = need(r, section, "table");
    const struct ent_setting *package = ent_setting(section, "package");
    int rc;

    if (table == NULL)
        return ENT_EREFUSED;
    rc = read_word(r, table, &kind->table);
    if (rc == 0 && package != NULL)
        rc = read_word(r, package, &kind->package);
    if (rc < 0)
        return rc;
    /* sqlite_ is SQLite's, local_ holds what never leaves the node. */
    if (strncmp(kind->table, "sqlite_", 7) == 0 ||
        strncmp(kind->table, "local_", 6) == 0) {
        rc = ent_err_set(r->err, ENT_EREFUSED, "no table may have the name %s",
                         kind->table);
        return at_line(r, table->line, rc);
    }
    return 0;
}

/* No other file has the number, the name or the table. */
static int check_unique(struct reader *r, cfg_t *section,
                        const struct ent_kind *kind)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct ent_kind *other = &r->kinds[i];
        const char *fault = NULL;
        int rc;

        if (other->number == kind->number)
            fault = ENT_N_("kind %s has the number of kind %s");
        else if (strcmp(other->name, kind->name) == 0)
            fault = ENT_N_("kind %s has the name of kind %s of another file");
        else if (strcmp(other->table, kind->table) == 0)
            fault = ENT_N_("kind %s has the table of kind %s");
        if (fault == NULL)
            continue;
        rc = ent_err_set(r->err, ENT_EREFUSED, fault, kind->name, other->name);
        return at_line(r, ent_setting(section, "number")->line, rc);
    }
    return 0;
}

/* Said for those who read the file; the number decides (rule M9). */
static int read_owned(struct reader *r, cfg_t *section, struct ent_kind *kind)
{
    int owned = 0;
    int rc = read_choice(r, section, "owned", yesno, 0, &owned);

    kind->owned = ent_kind_is_owned(kind->number);
    if (rc < 0 || (owned != 0) == kind->owned)
        return rc;
    rc = ent_err_set(r->err, ENT_EREFUSED,
                     kind->owned
                         ? ENT_N_("records of kind number %u belong to their "
                                  "author: owned must be yes")
                         : ENT_N_("records of kind number %u belong to "
                                  "everybody: owned must be no, or another "
                                  "number"),
                     kind->number);
    return at_line(
        r, ent_setting(section, kind->owned ? "number" : "owned")->line, rc);
}

static int read_kind(struct reader *r, cfg_t *section, struct ent_kind *kind)
{
    int rc = read_number(r, section, &kind->number);

    if (rc == 0)
        rc = read_title(r, section, &kind->name);
    if (rc == 0)
        rc = read_table(r, section, kind);
    if (rc == 0)
        rc = read_owned(r, section, kind);
    if (rc == 0)
        rc = read_labels(r, section, kind->label);
    if (rc == 0)
        rc = read_fields(r, section, kind);
    if (rc == 0)
        rc = read_key(r, section, kind);
    if (rc == 0)
        rc = read_naming_field(r, section, kind);
    if (rc == 0)
        rc = check_unique(r, section, kind);
    if (rc < 0)
        return rc;
    qsort(kind->fields, kind->field_count, sizeof(*kind->fields),
          by_field_number);
    return 0;
}

static int read_file(void *ctx, const char *path)
{
    struct reader *r = ctx;
    cfg_opt_t field_options[] = {
        ENT_SETTING("number"),   ENT_SETTING("type"),
        ENT_SETTING("rule"),     ENT_SETTING("loud"),
        ENT_SETTING("personal"), ENT_SETTING("column"),
        ENT_SETTING("list"),     ENT_SETTING("targets"),
        ENT_SETTING("hxl"),      ENT_SETTING("first"),
        ENT_SETTING("min"),      ENT_SETTING("max"),
        ENT_SETTING("format"),   ENT_SETTING("not_before"),
        ENT_SETTING("distinct"), ENT_SETTING("label_en"),
        ENT_SETTING("label_fr"), CFG_END()};
    cfg_opt_t kind_options[] = {
        ENT_SETTING("number"),
        ENT_SETTING("table"),
        ENT_SETTING("package"),
        ENT_SETTING("key"),
        ENT_SETTING("title"),
        ENT_SETTING("owned"),
        ENT_SETTING("label_en"),
        ENT_SETTING("label_fr"),
        CFG_SEC("field", field_options,
                CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES),
        CFG_END()};
    cfg_opt_t options[] = {
        CFG_SEC("kind", kind_options, CFGF_TITLE | CFGF_MULTI),
        ENT_SETTINGS_END, CFG_END()};
    cfg_t *file = NULL;
    unsigned count;
    int rc = ent_settings_read(path, options, &file, r->err);

    if (rc == 0)
        rc = keep(r, path, &r->path);
    if (rc < 0)
        goto out;
    count = cfg_size(file, "kind");
    if (count != 1)
        rc = ent_err_set(r->err, ENT_EREFUSED,
                         "%s:%d: a file defines one kind, no less and no more",
                         path,
                         count == 0 ? 1 : cfg_getnsec(file, "kind", 1)->line);
    else if (r->count == ENT_KINDS_MAX)
        rc = ent_err_set(r->err, ENT_EREFUSED, "%s:1: more than %d kinds", path,
                         ENT_KINDS_MAX);
    else
        rc = read_kind(r, cfg_getnsec(file, "kind", 0), &r->kinds[r->count]);
    if (rc == 0)
        r->count++;
out:
    cfg_free(file);
    return rc;
}

static bool kind_is_there(const struct reader *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->kinds[i].name, name) == 0)
            return true;
    return false;
}

/* Every target is a kind, now that all are known. */
static int check_targets(struct reader *r)
{
    for (const struct wish *wish = r->wishes; wish != NULL; wish = wish->next) {
        const char *at = wish->targets;

        do {
            char name[ENT_FIELD_NAME_MAX + 1];
            int rc;

            if (next_name(&at, name) && kind_is_there(r, name))
                continue;
            rc = ent_err_set(r->err, ENT_EREFUSED,
                             "the targets \"%.60s\" of field %s are not all "
                             "names of kinds",
                             wish->targets, wish->field);
            r->path = wish->path;
            return at_line(r, wish->line, rc);
        } while (*at != '\0');
    }
    return 0;
}

static int read_dir(struct reader *r, const char *dir)
{
    int count;
    int rc = ent_settings_each(dir, read_file, r, &count, r->err);

    if (rc == 0 && count == 0)
        rc = ent_err_set(r->err, ENT_ENOTFOUND,
                         "%s has no definitions of kinds (*.conf)", dir);
    return rc == 0 ? check_targets(r) : rc;
}

int ent_kinds_load(const char *dir, struct ent_kinds *kinds,
                   struct ent_err *err)
{
    struct ent_kinds made = {0};
    struct reader *r = calloc(1, sizeof(*r));
    int rc;

    if (r == NULL)
        return ent_err_set(err, ENT_ENOMEM, "out of memory");
    r->arena = &made.arena;
    r->err = err;
    rc = read_dir(r, dir);
    if (rc < 0)
        goto out;
    qsort(r->kinds, r->count, sizeof(*r->kinds), by_kind_number);
    made.kinds = ENT_ARENA_NEW(&made.arena, struct ent_kind, r->count);
    if (made.kinds == NULL) {
        rc = no_memory(r);
        goto out;
    }
    memcpy(made.kinds, r->kinds, r->count * sizeof(*r->kinds));
    made.count = r->count;
    *kinds = made;
out:
    if (rc < 0)
        ent_kinds_fini(&made);
    free(r);
    return rc;
}
