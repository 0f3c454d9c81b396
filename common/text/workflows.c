/* workflows.c - see workflows.h. A workflow's file:
 *
 *     workflow activity {
 *         kind = "activity"   field = "status"
 *         label_en = "Activity"   label_fr = "Activité"
 *
 *         state planned {
 *             value = "planned"   begins = yes
 *             next = "in_progress|cancelled"
 *             label_en = "Planned"   label_fr = "Prévue"
 *         }
 *         state blocked { reason = "challenge" ... }
 *         state done { set = {"done_on=@on", "reported=yes"}
 *             approvals = "donor"
 *             need paid { sql = "SELECT 1 ..." label_en = ... } ... }
 *     }
 */
#include "text/workflows.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "text/parse.h"
#include "text/settings.h"

#define APPROVAL_LIST "approval_role"
#define ON_DAY "@on"

struct reader {
    const char *path;
    const struct ent_kinds *kinds;
    const struct ent_vocab *vocab;
    struct ent_workflows *made;
    struct ent_err *err;
};

static const char *const label_names[ENT_LANG_COUNT] = {"label_en", "label_fr"};

void ent_workflows_fini(struct ent_workflows *workflows)
{
    ent_arena_fini(&workflows->arena);
    *workflows = (struct ent_workflows){0};
}

const struct ent_state_def *ent_state_named(const struct ent_workflow *workflow,
                                            const char *name)
{
    for (size_t i = 0; i < workflow->state_count; i++)
        if (strcmp(workflow->states[i].name, name) == 0)
            return &workflow->states[i];
    return NULL;
}

bool ent_names_next(const char **names, char name[ENT_FIELD_NAME_MAX + 1])
{
    size_t len = strcspn(*names, "|");

    if (len == 0 || len > ENT_FIELD_NAME_MAX)
        return false;
    memcpy(name, *names, len);
    name[len] = '\0';
    *names += len + ((*names)[len] == '|');
    return true;
}

bool ent_names_have(const char *names, const char *name)
{
    char one[ENT_FIELD_NAME_MAX + 1];

    while (ent_names_next(&names, one))
        if (strcmp(one, name) == 0)
            return true;
    return false;
}

/* ---------------------------------------------------------------- settings */

static int at_line(const struct reader *r, int line, int rc)
{
    ent_err_prefix(r->err, "%s:%d", r->path, line);
    return rc;
}

static int no_memory(const struct reader *r)
{
    return ent_err_set(r->err, ENT_ENOMEM, "out of memory");
}

static int keep(struct reader *r, const char *text, const char **out)
{
    struct ent_slice copy =
        ent_arena_copy(&r->made->arena, ent_slice_str(text));

    *out = (const char *)copy.at;
    return copy.at == NULL ? no_memory(r) : 0;
}

static int missing(struct reader *r, cfg_t *section, const char *name)
{
    int rc = ent_err_set(r->err, ENT_EREFUSED, "%s %s has no %s",
                         cfg_name(section), cfg_title(section), name);

    return at_line(r, section->line, rc);
}

static int bad(struct reader *r, const struct ent_setting *setting,
               const char *name)
{
    int rc = ent_err_set(r->err, ENT_EREFUSED, "unknown %s \"%.60s\"", name,
                         setting->text);

    return at_line(r, setting->line, rc);
}

/* NULL in `out` when the section does not have it. */
static int read_text(struct reader *r, cfg_t *section, const char *name,
                     bool wanted, const char **out)
{
    const struct ent_setting *setting = ent_setting(section, name);

    *out = NULL;
    if (setting != NULL)
        return keep(r, setting->text, out);
    return wanted ? missing(r, section, name) : 0;
}

static int read_labels(struct reader *r, cfg_t *section,
                       const char *labels[ENT_LANG_COUNT])
{
    for (int i = 0; i < ENT_LANG_COUNT; i++) {
        const struct ent_setting *setting =
            ent_setting(section, label_names[i]);
        struct ent_slice text;
        int rc;

        if (setting == NULL)
            return missing(r, section, label_names[i]);
        rc = ent_text_clean(ent_slice_str(setting->text), &r->made->arena,
                            &text, r->err);
        if (rc == 0 && (text.len == 0 || text.len > ENT_NAME_BYTES_MAX))
            rc = ent_err_set(r->err, ENT_EREFUSED,
                             "a label has from 1 to %d bytes",
                             ENT_NAME_BYTES_MAX);
        if (rc < 0)
            return at_line(r, setting->line, rc);
        text = ent_arena_copy(&r->made->arena, text);
        if (text.at == NULL)
            return no_memory(r);
        labels[i] = (const char *)text.at;
    }
    return 0;
}

/* A title of a state or a workflow, as names of fields are. */
static int read_title(struct reader *r, cfg_t *section, const char **out)
{
    int rc;

    if (ent_field_name_fits(ent_slice_str(cfg_title(section))))
        return keep(r, cfg_title(section), out);
    rc = ent_err_set(r->err, ENT_EREFUSED,
                     "\"%.70s\" is not a name of a-z, 0-9 and _ with a letter "
                     "in front",
                     cfg_title(section));
    return at_line(r, section->line, rc);
}

/* ------------------------------------------------------------------ states */

/* FIELD=VALUE or FIELD=@on, as a list in the file. */
static int read_sets(struct reader *r, cfg_t *section,
                     const struct ent_workflow *workflow,
                     struct ent_state_def *state)
{
    unsigned count = cfg_size(section, "set");

    if (count > ENT_STATE_SETS_MAX)
        return at_line(r, section->line,
                       ent_err_set(r->err, ENT_EREFUSED,
                                   "a state fills %d fields at most",
                                   ENT_STATE_SETS_MAX));
    for (unsigned i = 0; i < count; i++) {
        const struct ent_setting *setting = cfg_getnptr(section, "set", i);
        struct ent_state_set *set = &state->sets[state->set_count++];
        char name[ENT_FIELD_NAME_MAX + 1];
        size_t len = strcspn(setting->text, "=");
        const char *value = setting->text + len + 1;
        int rc;

        if (len > ENT_FIELD_NAME_MAX || setting->text[len] == '\0')
            return bad(r, setting, "set");
        memcpy(name, setting->text, len);
        name[len] = '\0';
        set->field = ent_field_named(workflow->kind, name);
        if (set->field == NULL || set->field->rule != ENT_RULE_REGISTER ||
            (strcmp(value, ON_DAY) == 0 && set->field->type != ENT_TYPE_DATE))
            return bad(r, setting, "set");
        rc = strcmp(value, ON_DAY) == 0 ? 0 : keep(r, value, &set->text);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_needs(struct reader *r, cfg_t *section,
                      struct ent_state_def *state)
{
    unsigned count = cfg_size(section, "need");

    if (count > ENT_STATE_NEEDS_MAX)
        return at_line(r, section->line,
                       ent_err_set(r->err, ENT_EREFUSED,
                                   "a state has %d needs at most",
                                   ENT_STATE_NEEDS_MAX));
    for (unsigned i = 0; i < count; i++) {
        cfg_t *need = cfg_getnsec(section, "need", i);
        int rc = read_text(r, need, "sql", true, &state->needs[i].sql);

        if (rc == 0)
            rc = read_labels(r, need, state->needs[i].label);
        if (rc < 0)
            return rc;
        state->need_count++;
    }
    return 0;
}

static int check_lists(struct reader *r, cfg_t *section,
                       const struct ent_workflow *workflow,
                       const struct ent_state_def *state)
{
    const struct ent_term *terms;
    const char *names = state->approvals;
    char name[ENT_FIELD_NAME_MAX + 1];

    if (state->value != NULL &&
        (workflow->field == NULL ||
         ent_vocab_find(r->vocab, workflow->field->list, state->value) == NULL))
        return bad(r, ent_setting(section, "value"), "value");
    if (state->reason != NULL &&
        ent_vocab_list(r->vocab, state->reason, &terms) == 0)
        return bad(r, ent_setting(section, "reason"), "reason");
    while (names != NULL && ent_names_next(&names, name))
        if (ent_vocab_find(r->vocab, APPROVAL_LIST, name) == NULL)
            return bad(r, ent_setting(section, "approvals"), "approvals");
    return 0;
}

static int read_state(struct reader *r, cfg_t *section,
                      const struct ent_workflow *workflow,
                      struct ent_state_def *state)
{
    const struct ent_setting *begins = ent_setting(section, "begins");
    int rc = read_title(r, section, &state->name);

    if (rc == 0)
        rc = read_text(r, section, "value", workflow->field != NULL,
                       &state->value);
    if (rc == 0)
        rc = read_text(r, section, "next", false, &state->next);
    if (rc == 0)
        rc = read_text(r, section, "reason", false, &state->reason);
    if (rc == 0)
        rc = read_text(r, section, "approvals", false, &state->approvals);
    if (rc == 0)
        rc = read_labels(r, section, state->label);
    if (rc == 0)
        rc = read_sets(r, section, workflow, state);
    if (rc == 0)
        rc = read_needs(r, section, state);
    if (rc < 0)
        return rc;
    if (state->next == NULL)
        state->next = "";
    if (begins != NULL && strcmp(begins->text, "yes") != 0 &&
        strcmp(begins->text, "no") != 0)
        return bad(r, begins, "begins");
    state->begins = begins != NULL && strcmp(begins->text, "yes") == 0;
    return check_lists(r, section, workflow, state);
}

/* What a state leads to is known when all are read. */
static int check_next(struct reader *r, cfg_t *section,
                      const struct ent_workflow *workflow,
                      const struct ent_state_def *state)
{
    const char *names = state->next;
    char name[ENT_FIELD_NAME_MAX + 1];

    while (ent_names_next(&names, name))
        if (ent_state_named(workflow, name) == NULL)
            return bad(r, ent_setting(section, "next"), "next");
    return *names == '\0' ? 0 : bad(r, ent_setting(section, "next"), "next");
}

static int read_states(struct reader *r, cfg_t *section,
                       struct ent_workflow *workflow)
{
    unsigned count = cfg_size(section, "state");
    int rc = 0;

    if (count == 0 || count > ENT_STATES_MAX)
        return at_line(r, section->line,
                       ent_err_set(r->err, ENT_EREFUSED,
                                   "a workflow has from 1 to %d states",
                                   ENT_STATES_MAX));
    workflow->states =
        ENT_ARENA_NEW(&r->made->arena, struct ent_state_def, count);
    if (workflow->states == NULL)
        return no_memory(r);
    for (unsigned i = 0; rc == 0 && i < count; i++) {
        rc = read_state(r, cfg_getnsec(section, "state", i), workflow,
                        &workflow->states[i]);
        workflow->state_count++;
    }
    for (unsigned i = 0; rc == 0 && i < count; i++)
        rc = check_next(r, cfg_getnsec(section, "state", i), workflow,
                        &workflow->states[i]);
    return rc;
}

/* --------------------------------------------------------------- workflows */

static int read_kind(struct reader *r, cfg_t *section,
                     struct ent_workflow *workflow)
{
    const struct ent_setting *kind = ent_setting(section, "kind");
    const struct ent_setting *field = ent_setting(section, "field");

    if (kind == NULL)
        return missing(r, section, "kind");
    workflow->kind = ent_kind_named(r->kinds, kind->text);
    if (workflow->kind == NULL)
        return bad(r, kind, "kind");
    if (field == NULL)
        return 0;
    workflow->field = ent_field_named(workflow->kind, field->text);
    if (workflow->field == NULL || workflow->field->type != ENT_TYPE_ENUM ||
        workflow->field->rule != ENT_RULE_REGISTER)
        return bad(r, field, "field");
    return 0;
}

/* where = "FIELD=CODE" */
static int read_where(struct reader *r, cfg_t *section,
                      struct ent_workflow *workflow)
{
    const struct ent_setting *where = ent_setting(section, "where");
    char name[ENT_FIELD_NAME_MAX + 1];
    size_t len;

    if (where == NULL)
        return 0;
    len = strcspn(where->text, "=");
    if (len > ENT_FIELD_NAME_MAX || where->text[len] == '\0')
        return bad(r, where, "where");
    memcpy(name, where->text, len);
    name[len] = '\0';
    workflow->where_field = ent_field_named(workflow->kind, name);
    if (workflow->where_field == NULL ||
        workflow->where_field->type != ENT_TYPE_ENUM ||
        ent_vocab_find(r->vocab, workflow->where_field->list,
                       where->text + len + 1) == NULL)
        return bad(r, where, "where");
    return keep(r, where->text + len + 1, &workflow->where);
}

static int read_unsaid(struct reader *r, cfg_t *section,
                       struct ent_workflow *workflow)
{
    const struct ent_setting *unsaid = ent_setting(section, "unsaid");

    if (unsaid == NULL)
        return 0;
    workflow->unsaid = ent_state_named(workflow, unsaid->text);
    return workflow->unsaid == NULL ? bad(r, unsaid, "unsaid") : 0;
}

static int read_workflow(struct reader *r, cfg_t *section,
                         struct ent_workflow *workflow)
{
    int rc = read_title(r, section, &workflow->name);

    if (rc == 0)
        rc = read_kind(r, section, workflow);
    if (rc == 0)
        rc = read_where(r, section, workflow);
    if (rc == 0)
        rc = read_labels(r, section, workflow->label);
    if (rc == 0)
        rc = read_states(r, section, workflow);
    if (rc == 0)
        rc = read_unsaid(r, section, workflow);
    for (size_t i = 0; rc == 0 && i < r->made->count; i++) {
        if (strcmp(r->made->list[i].name, workflow->name) != 0)
            continue;
        rc = ent_err_set(r->err, ENT_EREFUSED,
                         "there is a workflow %s in another file",
                         workflow->name);
        rc = at_line(r, section->line, rc);
    }
    return rc;
}

static int read_file(void *ctx, const char *path)
{
    struct reader *r = ctx;
    cfg_opt_t need_options[] = {ENT_SETTING("sql"), ENT_SETTING("label_en"),
                                ENT_SETTING("label_fr"), CFG_END()};
    cfg_opt_t state_options[] = {
        ENT_SETTING("value"),
        ENT_SETTING("begins"),
        ENT_SETTING("next"),
        ENT_SETTING("reason"),
        ENT_SETTING("approvals"),
        ENT_SETTING_LIST("set"),
        ENT_SETTING("label_en"),
        ENT_SETTING("label_fr"),
        CFG_SEC("need", need_options,
                CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES),
        CFG_END()};
    cfg_opt_t workflow_options[] = {
        ENT_SETTING("kind"),
        ENT_SETTING("field"),
        ENT_SETTING("where"),
        ENT_SETTING("unsaid"),
        ENT_SETTING("label_en"),
        ENT_SETTING("label_fr"),
        CFG_SEC("state", state_options,
                CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES),
        CFG_END()};
    cfg_opt_t options[] = {
        CFG_SEC("workflow", workflow_options, CFGF_TITLE | CFGF_MULTI),
        ENT_SETTINGS_END, CFG_END()};
    cfg_t *file = NULL;
    int rc = ent_settings_read(path, options, &file, r->err);

    r->path = path;
    if (rc == 0 && cfg_size(file, "workflow") != 1)
        rc = ent_err_set(r->err, ENT_EREFUSED,
                         "%s:1: a file defines one workflow, no less and no "
                         "more",
                         path);
    else if (rc == 0 && r->made->count == ENT_WORKFLOWS_MAX)
        rc = ent_err_set(r->err, ENT_EREFUSED, "%s:1: more than %d workflows",
                         path, ENT_WORKFLOWS_MAX);
    else if (rc == 0)
        rc = read_workflow(r, cfg_getnsec(file, "workflow", 0),
                           &r->made->list[r->made->count]);
    if (rc == 0)
        r->made->count++;
    cfg_free(file);
    return rc;
}

static int read_dir(struct reader *r, const char *dir)
{
    int count;

    return ent_settings_each(dir, read_file, r, &count, r->err);
}

int ent_workflows_load(const char *dir, const struct ent_kinds *kinds,
                       const struct ent_vocab *vocab,
                       struct ent_workflows *workflows, struct ent_err *err)
{
    struct ent_workflows made = {0};
    struct reader r = {
        .kinds = kinds, .vocab = vocab, .made = &made, .err = err};
    int rc;

    made.list =
        ENT_ARENA_NEW(&made.arena, struct ent_workflow, ENT_WORKFLOWS_MAX);
    rc = made.list == NULL ? no_memory(&r) : read_dir(&r, dir);
    if (rc < 0)
        ent_workflows_fini(&made);
    else
        *workflows = made;
    return rc;
}
