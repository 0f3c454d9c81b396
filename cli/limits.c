/* limits.c - see limits.h. */
#include "cli/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/flow.h"
#include "cli/rows.h"
#include "store/query.h"
#include "text/parse.h"
#include "text/unicode.h"

#define CURRENCIES_JSON "/usr/share/iso-codes/json/iso_4217.json"
#define CURRENCIES_BYTES (1 << 18)
#define ZONES_DIR "/usr/share/zoneinfo"
#define SHOWN_CHARACTERS 60
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LETTERS CAPITALS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

#define SHOWN(text) ent_text_shown((text), SHOWN_CHARACTERS), (text).at

static bool consists(struct ent_slice text, const char *bytes)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == '\0' || strchr(bytes, text.at[i]) == NULL)
            return false;
    return true;
}

struct ent_slice limits_spell(const struct ent_field *field,
                              struct ent_slice text, char out[LIMITS_TEXT])
{
    const enum ent_format format = field->limits.format;
    const char *from = format == ENT_FORMAT_CURRENCY ? "az" : "AZ";

    if ((format != ENT_FORMAT_CURRENCY && format != ENT_FORMAT_SHA256) ||
        text.len >= LIMITS_TEXT)
        return text;
    for (size_t i = 0; i < text.len; i++) {
        bool other = text.at[i] >= from[0] && text.at[i] <= from[1];

        out[i] = (char)(other ? text.at[i] ^ ('a' ^ 'A') : text.at[i]);
    }
    return ent_slice(out, text.len);
}

/* ---------------------------------------------------------------- one value */

/* Integer or decimal against a whole number: below 0, 0 or above. */
static int compare(const struct ent_value *value, int bound)
{
    int64_t unit = 1;

    for (uint32_t i = 0; i < value->scale; i++)
        unit *= 10;
    if (value->integer / unit != bound)
        return value->integer / unit < bound ? -1 : 1;
    return value->integer % unit == 0 ? 0 : value->integer < 0 ? -1 : 1;
}

static int check_size(const struct ent_field *field,
                      const struct ent_value *value, struct ent_err *err)
{
    const int *min = field->limits.min;
    const int *max = field->limits.max;
    const bool below = min != NULL && compare(value, *min) < 0;
    const bool above = max != NULL && compare(value, *max) > 0;
    struct ent_buf text = {0};
    const char *said;
    int rc = 0;

    if (!below && !above)
        return 0;
    ent_value_print(value, &text);
    said = ent_buf_cstr(&text) == NULL ? "" : ent_buf_cstr(&text);
    if (min != NULL && max != NULL)
        rc = ent_err_set(err, ENT_EREFUSED, "\"%s\" is not from %d to %d", said,
                         *min, *max);
    else if (below)
        rc = ent_err_set(err, ENT_EREFUSED,
                         "\"%s\" is less than %d, the least that is accepted",
                         said, *min);
    else
        rc = ent_err_set(err, ENT_EREFUSED,
                         "\"%s\" is more than %d, the most that is accepted",
                         said, *max);
    ent_buf_fini(&text);
    return rc;
}

static bool has_blank(struct ent_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ')
            return true;
    return false;
}

/* Something, an @ and something, without blanks: whether mail gets there is
 * for those who send it. */
static int check_email(struct ent_slice text, struct ent_err *err)
{
    const uint8_t *at = memchr(text.at, '@', text.len);
    size_t before = at == NULL ? 0 : (size_t)(at - text.at);
    size_t behind = text.len - before - 1;

    if (before > 0 && behind > 0 && memchr(at + 1, '@', behind) == NULL &&
        !has_blank(text))
        return 0;
    return ent_err_set(err, ENT_EREFUSED,
                       "\"%.*s\" is not an e-mail address; write "
                       "name@example.org",
                       SHOWN(text));
}

static const char currencies_sql[] =
    "SELECT group_concat(value ->> '$.alpha_3', '|')"
    " FROM json_each(:json, '$.4217')";

/* The codes of ISO 4217 with bars between; "" when the list is not installed,
 * NULL: out of memory. */
static const char *currencies(struct cmd_ctx *ctx)
{
    struct ent_buf json = {0};
    struct ent_query *query = NULL;
    struct ent_err err;
    const char *codes = "";

    if (ctx->currencies != NULL)
        return ctx->currencies;
    if (rows_read_text(CURRENCIES_JSON, CURRENCIES_BYTES, &json, &err) == 0 &&
        ent_buf_cstr(&json) != NULL &&
        ent_query_json(ent_buf_cstr(&json), currencies_sql, &query, &err) ==
            0 &&
        ent_query_next(query, &err) > 0)
        codes = ent_query_text(query, 0);
    ctx->currencies = strdup(codes);
    ent_query_close(query);
    ent_buf_fini(&json);
    return ctx->currencies;
}

void limits_free(struct cmd_ctx *ctx)
{
    free(ctx->currencies);
    ctx->currencies = NULL;
}

/* Without the list of ISO, three letters are a currency. */
static bool is_currency(struct cmd_ctx *ctx, struct ent_slice text)
{
    const char *codes = currencies(ctx);
    char code[4] = "";

    if (text.len != 3 || !consists(text, CAPITALS))
        return false;
    memcpy(code, text.at, 3);
    return codes == NULL || *codes == '\0' || ent_names_have(codes, code);
}

/* A file of the system's zones, where it has them. */
static bool is_timezone(struct ent_slice text)
{
    char path[sizeof(ZONES_DIR) + 64 + 1];
    struct stat st;

    if (text.len == 0 || text.len > 64 || text.at[0] < 'A' ||
        text.at[0] > 'Z' || !consists(text, LETTERS DIGITS "+-_/"))
        return false;
    if (stat(ZONES_DIR, &st) < 0)
        return true;
    snprintf(path, sizeof(path), "%s/%.*s", ZONES_DIR, (int)text.len,
             (const char *)text.at);
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int check_form(struct cmd_ctx *ctx, const struct ent_field *field,
                      struct ent_slice text, struct ent_err *err)
{
    switch (field->limits.format) {
    case ENT_FORMAT_ANY:
        return 0;
    case ENT_FORMAT_EMAIL:
        return check_email(text, err);
    case ENT_FORMAT_CURRENCY:
        if (is_currency(ctx, text))
            return 0;
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%.*s\" is not a currency; write its ISO 4217 "
                           "code of three letters, such as USD",
                           SHOWN(text));
    case ENT_FORMAT_TIMEZONE:
        if (is_timezone(text))
            return 0;
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%.*s\" is not a time zone; write a region and "
                           "a city, such as Africa/Bujumbura",
                           SHOWN(text));
    case ENT_FORMAT_SHA256:
        if (text.len == 64 && consists(text, DIGITS "abcdef"))
            return 0;
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%.*s\" is not a SHA-256 digest; write its 64 "
                           "hexadecimal digits",
                           SHOWN(text));
    }
    ent_assert_failed("a format of no field", __FILE__, __LINE__);
}

int limits_value(struct cmd_ctx *ctx, const struct ent_field *field,
                 const struct ent_value *value, struct ent_err *err)
{
    if (value->type == ENT_VALUE_INT || value->type == ENT_VALUE_DECIMAL)
        return check_size(field, value, err);
    if (value->type == ENT_VALUE_TEXT)
        return check_form(ctx, field, value->bytes, err);
    return 0;
}

/* --------------------------------------------------- one field by the others
 */

/* What a register will hold, and whether the change makes it so. */
struct will {
    const struct ent_field *field;
    struct ent_buf text; /* "": nothing, or several values that stand */
    bool changes;
};

static void look_ahead(const struct change *change,
                       const struct ent_record *record,
                       const struct ent_field *field, struct will *will)
{
    const struct ent_value *value = NULL;
    const struct ent_value *now = NULL;
    size_t stands = 0;

    for (size_t i = 0; record != NULL && i < record->write_count; i++) {
        if (record->writes[i].field != field->number)
            continue;
        now = &record->writes[i].value;
        stands++;
    }
    if (stands == 1)
        value = now;
    *will = (struct will){.field = field};
    for (size_t i = 0; i < change->count; i++) {
        const struct change_word *word = &change->words[i];

        if (word->field != field)
            continue;
        value = word->count > 0 ? &word->values[0] : NULL;
        will->changes =
            stands != 1 || value == NULL || !ent_value_equal(value, now);
    }
    if (value != NULL)
        ent_value_print(value, &will->text);
}

static int refuse_before(const struct will *end, const struct will *start,
                         struct ent_err *err)
{
    int rc =
        ent_err_set(err, ENT_EREFUSED,
                    "\"%s\" is before %s, which is %s; the same or a later "
                    "one is accepted",
                    end->text.at, start->field->name, start->text.at);

    ent_err_prefix(err, "%s", end->field->name);
    return rc;
}

static int refuse_same(const struct will *one, const struct will *other,
                       struct ent_err *err)
{
    int rc = ent_err_set(err, ENT_EREFUSED,
                         "\"%s\" stands in %s already; each value is accepted "
                         "once",
                         one->text.at, other->field->name);

    ent_err_prefix(err, "%s", one->field->name);
    return rc;
}

/* Of partial dates, what both say is compared. */
static bool is_before(const struct ent_buf *a, const struct ent_buf *b)
{
    return memcmp(a->at, b->at, a->len < b->len ? a->len : b->len) < 0;
}

static int check_pair(const struct change *change,
                      const struct ent_record *record,
                      const struct ent_field *field,
                      const struct ent_field *other, struct ent_err *err)
{
    struct will here;
    struct will there;
    int rc = 0;

    look_ahead(change, record, field, &here);
    look_ahead(change, record, other, &there);
    if (ent_buf_cstr(&here.text) == NULL || ent_buf_cstr(&there.text) == NULL)
        rc = ent_err_set(err, ENT_ENOMEM, "out of memory");
    else if ((!here.changes && !there.changes) || here.text.len == 0 ||
             there.text.len == 0)
        rc = 0;
    else if (field->type == ENT_TYPE_DATE && is_before(&here.text, &there.text))
        rc = refuse_before(&here, &there, err);
    else if (field->limits.distinct != NULL &&
             ent_slice_equal(ent_buf_slice(&here.text),
                             ent_buf_slice(&there.text)))
        rc = refuse_same(&here, &there, err);
    ent_buf_fini(&here.text);
    ent_buf_fini(&there.text);
    return rc;
}

static bool are_distinct(const struct ent_field *a, const struct ent_field *b)
{
    return a->limits.distinct != NULL && b->limits.distinct != NULL &&
           strcmp(a->limits.distinct, b->limits.distinct) == 0;
}

/* -------------------------------------------------------------- transitions */

static const char *said(const struct change *change,
                        const struct ent_record *record, const char *name,
                        struct will *will)
{
    const struct ent_field *field = ent_field_named(change->kind, name);

    *will = (struct will){0};
    if (field == NULL)
        return "";
    look_ahead(change, record, field, will);
    return ent_buf_cstr(&will->text) == NULL ? "" : ent_buf_cstr(&will->text);
}

static int refuse_workflow(const struct ent_workflows *all, const char *name,
                           struct ent_err *err)
{
    struct ent_buf names = {0};
    const char *text;

    for (size_t i = 0; i < all->count; i++)
        ent_buf_printf(&names, i == 0 ? "%s" : ", %s", all->list[i].name);
    text = ent_buf_cstr(&names);
    ent_err_set(err, ENT_EREFUSED,
                "workflow: there is no workflow \"%.60s\"; there are: %s", name,
                text == NULL ? "" : text);
    ent_buf_fini(&names);
    return ENT_EREFUSED;
}

static int refuse_state(const struct ent_workflow *workflow, const char *field,
                        const char *name, struct ent_err *err)
{
    struct ent_buf names = {0};
    const char *text;

    for (size_t i = 0; i < workflow->state_count; i++)
        ent_buf_printf(&names, i == 0 ? "%s" : ", %s",
                       workflow->states[i].name);
    text = ent_buf_cstr(&names);
    ent_err_set(err, ENT_EREFUSED,
                "%s: \"%.60s\" is no state of the workflow %s, which has: %s",
                field, name, workflow->name, text == NULL ? "" : text);
    ent_buf_fini(&names);
    return ENT_EREFUSED;
}

/* Whether some workflow has the state. */
static bool is_state(const struct ent_workflows *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (ent_state_named(&all->list[i], name) != NULL)
            return true;
    return false;
}

static int check_state(const struct change *change,
                       const struct ent_record *record,
                       const struct ent_workflows *all,
                       const struct ent_workflow *workflow, const char *field,
                       struct ent_err *err)
{
    struct will will;
    const char *state = said(change, record, field, &will);
    int rc = 0;

    if (*state == '\0' || !will.changes)
        rc = 0;
    else if (workflow == NULL && !is_state(all, state))
        rc = ent_err_set(err, ENT_EREFUSED,
                         "%s: no workflow has a state \"%.60s\"; name the "
                         "record's workflow and one of its states, or use "
                         "\"move\"",
                         field, state);
    else if (workflow != NULL && ent_state_named(workflow, state) == NULL)
        rc = refuse_state(workflow, field, state, err);
    ent_buf_fini(&will.text);
    return rc;
}

static int check_transition(struct cmd_ctx *ctx, const struct change *change,
                            const struct ent_record *record)
{
    const struct ent_workflows *all = flow_workflows(ctx);
    const struct ent_workflow *workflow = NULL;
    struct will will;
    const char *name;
    int rc = 0;

    if (all == NULL)
        return ctx->err.code;
    name = said(change, record, "workflow", &will);
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->list[i].name, name) == 0)
            workflow = &all->list[i];
    if (*name != '\0' && workflow == NULL && will.changes)
        rc = refuse_workflow(all, name, &ctx->err);
    if (rc == 0)
        rc =
            check_state(change, record, all, workflow, "from_state", &ctx->err);
    if (rc == 0)
        rc = check_state(change, record, all, workflow, "to_state", &ctx->err);
    ent_buf_fini(&will.text);
    return rc;
}

int limits_change(struct cmd_ctx *ctx, const struct change *change,
                  const struct ent_record *record)
{
    const struct ent_kind *kind = change->kind;

    for (size_t i = 0; i < kind->field_count; i++) {
        const struct ent_field *field = &kind->fields[i];
        const char *start = field->limits.not_before;
        int rc = 0;

        if (start != NULL)
            rc = check_pair(change, record, field, ent_field_named(kind, start),
                            &ctx->err);
        for (size_t j = 0; rc == 0 && j < i; j++)
            if (are_distinct(field, &kind->fields[j]))
                rc = check_pair(change, record, field, &kind->fields[j],
                                &ctx->err);
        if (rc < 0)
            return rc;
    }
    return strcmp(kind->name, "transition") == 0
               ? check_transition(ctx, change, record)
               : 0;
}
