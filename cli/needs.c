/* needs.c - see needs.h. */
#include "cli/needs.h"

#include <string.h>
#include <strings.h>

#include "cli/pick.h"
#include "store/query.h"
#include "text/parse.h"

int needs_state(struct cmd_ctx *ctx, const struct ent_workflow *workflow,
                const char *name, const struct ent_state_def **state)
{
    struct pick_near near = {0};
    struct ent_buf all = {0};
    int rc = 0;

    *state = NULL;
    for (size_t i = 0; i < workflow->state_count; i++) {
        const struct ent_state_def *one = &workflow->states[i];

        ent_buf_printf(&all, "%s%s", i > 0 ? ", " : "", one->name);
        pick_offer(&near, name, one->name);
        if (strcasecmp(one->name, name) == 0)
            *state = one;
        for (int l = 0; *state == NULL && l < ENT_LANG_COUNT; l++)
            if (strcasecmp(one->label[l], name) == 0)
                *state = one;
    }
    if (*state == NULL && near.name != NULL)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "%s has no state \"%.60s\"; did you mean \"%s\"?",
                         workflow->name, name, near.name);
    else if (*state == NULL && ent_buf_cstr(&all) != NULL)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "%s has no state \"%.60s\", only %s", workflow->name,
                         name, ent_buf_cstr(&all));
    else if (*state == NULL)
        rc = cmd_no_memory(ctx);
    ent_buf_fini(&all);
    return rc;
}

int needs_allowed(struct cmd_ctx *ctx, const struct flow_record *read,
                  const struct ent_state_def *state)
{
    const struct flow_now *now = &read->now;
    struct ent_buf next = {0};
    struct ent_buf from = {0};
    struct ent_buf to = {0};
    const char *text;
    int rc;

    if (flow_may(now, state))
        return 0;
    flow_put_next(ctx, now, &next);
    if (now->state != NULL)
        flow_put_state(ctx, now->state, &from);
    flow_put_state(ctx, state, &to);
    text = ent_buf_cstr(&next);
    if (text == NULL || ent_buf_cstr(&from) == NULL ||
        ent_buf_cstr(&to) == NULL)
        rc = cmd_no_memory(ctx);
    else if (now->state == NULL)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "this %s is in no state yet; it begins with: %s",
                         now->workflow->name, text);
    else if (*text == '\0')
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "from %s there is no way to %s, nor to any other "
                         "state",
                         ent_buf_cstr(&from), ent_buf_cstr(&to));
    else
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "from %s there is no way to %s; the next may be: %s",
                         ent_buf_cstr(&from), ent_buf_cstr(&to), text);
    ent_buf_fini(&next);
    ent_buf_fini(&from);
    ent_buf_fini(&to);
    return rc;
}

int needs_reason(struct cmd_ctx *ctx, const struct ent_state_def *state,
                 struct moves_said *said)
{
    const struct ent_term *terms = NULL;
    const struct ent_term *found;
    struct ent_buf codes = {0};
    size_t count;
    int rc = 0;

    if (state->reason == NULL && said->reason != NULL)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "a move to %s has no --reason; say it as --note",
                           state->name);
    if (state->reason == NULL)
        return 0;
    found = said->reason == NULL ? NULL
                                 : ent_vocab_said(&ctx->vocab, state->reason,
                                                  ent_slice_str(said->reason));
    if (found != NULL) {
        said->reason = found->code;
        return 0;
    }
    count = ent_vocab_list(&ctx->vocab, state->reason, &terms);
    for (size_t i = 0; i < count; i++)
        ent_buf_printf(&codes, "%s%s", i > 0 ? ", " : "", terms[i].code);
    if (ent_buf_cstr(&codes) == NULL)
        rc = cmd_no_memory(ctx);
    else if (said->reason == NULL)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "a move to %s needs a --reason, one of: %s",
                         state->name, ent_buf_cstr(&codes));
    else
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "--reason \"%.60s\" is none of: %s", said->reason,
                         ent_buf_cstr(&codes));
    ent_buf_fini(&codes);
    return rc;
}

/* Whether a question about a record has an answer: 1, 0 or an error. */
static int ask(struct cmd_ctx *ctx, const struct flow_record *read,
               const char *sql, const char *role)
{
    struct ent_query *query = NULL;
    int rc = ent_query_open(ctx->store, sql, &query, &ctx->err);

    if (rc < 0)
        return rc;
    ent_query_bind(query, ":code", read->code);
    ent_query_bind(query, ":id", read->id);
    ent_query_bind(query, ":role", role);
    ent_query_bind_int(query, ":space", read->record->ref.space);
    rc = ent_query_next(query, &ctx->err);
    ent_query_close(query);
    return rc;
}

/* The newest word of each role counts. In another space the same code may name
 * another record, and not everybody holds that space. */
static const char approved_sql[] =
    "SELECT 1 FROM (SELECT decision FROM approvals"
    "  WHERE space = :space AND subject IN (:code, :id) AND role = :role"
    "  ORDER BY coalesce(decided_on, '') DESC, id DESC LIMIT 1)"
    " WHERE decision = 'approved'";

int needs_approvals(struct cmd_ctx *ctx, const struct flow_record *read,
                    const struct ent_state_def *state)
{
    const char *roles = state->approvals;
    char role[ENT_FIELD_NAME_MAX + 1];
    struct ent_buf missing = {0};
    int rc = 0;

    while (rc >= 0 && roles != NULL && ent_names_next(&roles, role)) {
        rc = ask(ctx, read, approved_sql, role);
        if (rc != 0)
            continue;
        ent_buf_put_str(&missing, missing.len > 0 ? ", " : "");
        flow_put_role(ctx, role, &missing);
    }
    if (rc >= 0 && missing.len > 0)
        rc = ent_buf_cstr(&missing) == NULL
                 ? cmd_no_memory(ctx)
                 : ent_err_set(&ctx->err, ENT_EREFUSED,
                               "a move to %s needs the approval of: %s (see "
                               "\"approve\")",
                               state->name, ent_buf_cstr(&missing));
    ent_buf_fini(&missing);
    return rc < 0 ? rc : 0;
}

int needs_met(struct cmd_ctx *ctx, const struct flow_record *read,
              const struct ent_state_def *state)
{
    for (size_t i = 0; i < state->need_count; i++) {
        int rc = ask(ctx, read, state->needs[i].sql, NULL);

        if (rc < 0)
            return rc;
        if (rc == 0)
            return ent_err_set(&ctx->err, ENT_EREFUSED,
                               "a move to %s needs: %s", state->name,
                               state->needs[i].label[ctx->lang]);
    }
    return 0;
}

int needs_day(struct cmd_ctx *ctx, const char *text)
{
    static const struct ent_field date = {.name = "on", .type = ENT_TYPE_DATE};
    struct ent_arena arena = {0};
    struct ent_value value;
    int rc = text == NULL
                 ? 0
                 : ent_value_parse(&date, &ctx->vocab, ent_slice_str(text),
                                   &arena, &value, &ctx->err);

    if (rc < 0)
        ent_err_prefix(&ctx->err, "--on");
    ent_arena_fini(&arena);
    return rc;
}

int needs_contact(struct cmd_ctx *ctx, const char *name)
{
    const struct ent_kind *kind = ent_kind_named(&ctx->kinds, "contact");
    struct ent_record_ref found;
    size_t count = 0;
    int rc;

    if (name == NULL || kind == NULL)
        return 0;
    rc = ent_record_find(ctx->store, name, 0, kind->number, &found, 1, &count,
                         &ctx->err);
    if ((rc == 0 || rc == ENT_EAMBIG) && count > 0)
        return 0;
    return rc < 0 && rc != ENT_ENOTFOUND
               ? rc
               : ent_err_set(&ctx->err, ENT_ENOTFOUND,
                             "--by: there is no contact \"%.60s\" here", name);
}
