/* trainers.c - the pool of trainers and facilitators, and who of them can be
 * asked. */
#include <string.h>

#include "cli/args.h"
#include "cli/conflicts.h"
#include "cli/countries.h"
#include "cli/everyday.h"
#include "cli/languages.h"
#include "cli/look.h"
#include "cli/me.h"
#include "cli/pick.h"
#include "store/query.h"

/* Available is who says so, wholly or in part, has not left, and whose time
 * is not over or still to come. Specialities are found by their beginning or
 * any part, since each group has its own words for them. An outcome that nobody
 * entered follows from the trainings given, as in the report cascade; there is
 * no word for one that was given and is not reported yet. */
static const char trainers_sql[] =
    "WITH person AS (SELECT code AS ref, * FROM contacts"
    "  WHERE code IS NOT NULL"
    " UNION ALL SELECT ent_uuid(id), * FROM contacts),"
    " event AS MATERIALIZED (SELECT code, ent_uuid(id) AS uuid, trainers,"
    "   reported = 'yes' AS told FROM trainings"
    "  WHERE status = 'delivered' AND kind <> 'tot'),"
    " named AS MATERIALIZED (SELECT code AS ref, uuid, told FROM event"
    "  WHERE code IS NOT NULL UNION ALL SELECT uuid, uuid, told FROM event),"
    " taken(who, event, told) AS (SELECT j.value, uuid, told"
    "   FROM event, json_each(event.trainers) j"
    "  UNION ALL SELECT p.trainer_id, e.uuid, e.told FROM participations p"
    "   JOIN named e ON e.ref = p.training_id"
    "   WHERE p.role IN ('trainer', 'co_trainer')),"
    " given AS MATERIALIZED (SELECT who, max(told) AS told FROM ("
    "   SELECT who, told OR event IN (SELECT e.uuid FROM training_reports r"
    "    JOIN named e ON e.ref = r.training_id) AS told FROM taken"
    "   UNION ALL SELECT subject, to_state <> 'delivered' FROM transitions"
    "    WHERE workflow = 'trainer' AND to_state IN"
    "    ('delivered', 'reported', 'certified', 'trains_others')) GROUP BY who)"
    " SELECT t.code, t.display_name, t.iso3,"
    "  (SELECT json_group_array(value) FROM (SELECT value FROM"
    "    json_each(t.languages) UNION SELECT value FROM"
    "    json_each(t.training_languages)) HAVING count(*) > 0) AS languages,"
    "  t.specialities, t.status, coalesce(t.outcome, CASE"
    "   WHEN t.status = 'certified' OR t.certified_on IS NOT NULL"
    "    OR g.told OR h.told THEN 'delivered_reported'"
    "   WHEN coalesce(g.who, h.who) IS NOT NULL THEN NULL"
    "   WHEN t.left_post = 'yes' THEN 'left_post'"
    "   WHEN t.attended_tot = 'yes' THEN 'not_delivered'"
    "   WHEN t.attended_tot = 'no' THEN 'not_attended' END) AS outcome,"
    "  t.availability, t.available_from,"
    "  t.available_to, coalesce(o.name, t.org_id, p.org_id) AS org,"
    "  coalesce(p.phone, p.phones ->> 0) AS phone,"
    "  coalesce(p.email, p.emails ->> 0) AS email, ent_uuid(t.id) AS id"
    "  FROM trainers t LEFT JOIN person p ON p.ref = t.contact_id"
    "  LEFT JOIN organisations o ON o.code = coalesce(t.org_id, p.org_id)"
    "  LEFT JOIN given g ON g.who = t.code"
    "  LEFT JOIN given h ON h.who = ent_uuid(t.id)"
    " WHERE NOT ent_archived('trainer', t.space, t.id) AND (:lang IS NULL"
    "   OR lower(:lang) IN (SELECT lower(value) FROM json_each(t.languages))"
    "   OR lower(:lang) IN (SELECT lower(value) FROM "
    "json_each(t.training_languages)))"
    "  AND (:country IS NULL OR t.iso3 = :country"
    "   OR :country IN (SELECT value FROM json_each(t.country_experience)))"
    "  AND (:speciality IS NULL OR EXISTS(SELECT 1"
    "    FROM (SELECT value FROM json_each(t.specialities)"
    "     UNION ALL SELECT value FROM json_each(t.profile)) e"
    "    WHERE instr(ent_fold(e.value), ent_fold(:speciality))))"
    "  AND (:day IS NULL OR"
    "   (t.availability IN ('available', 'limited')"
    "     OR t.availability IS NULL"
    "      AND coalesce(t.available_from, t.available_to) IS NOT NULL)"
    "   AND coalesce(t.left_post, 'no') <> 'yes'"
    "   AND (t.available_from IS NULL OR substr(t.available_from ||"
    "     '-01-01', 1, 10) <= substr(:day || '-99-99', 1, 10))"
    "   AND (t.available_to IS NULL OR substr(t.available_to ||"
    "     '-99-99', 1, 10) >= substr(:day || '-01-01', 1, 10)))"
    " GROUP BY t.space, t.id"
    " ORDER BY t.availability IS NOT 'available', "
    "t.iso3, t.display_name,"
    "  t.code, t.id";

struct ask {
    const char *lang;
    const char *day;
    const char *speciality;
    const char *country;
};

enum {
    COLUMN_LANGUAGES = 3,
    COLUMN_STATUS = 5,
    COLUMN_OUTCOME = 6,
    COLUMN_AVAILABILITY = 7,
};

static const struct {
    const char *key;
    const char *heading;
    enum out_type type;
    bool people; /* shown to people, too */
} columns[] = {
    {"code", N_("code"), OUT_TEXT, true},
    {"name", N_("name"), OUT_TEXT, true},
    {"country", N_("country"), OUT_TEXT, true},
    {"languages", N_("languages"), OUT_LIST, true},
    {"specialities", N_("specialities"), OUT_LIST, true},
    {"status", N_("state"), OUT_TEXT, true},
    {"outcome", N_("outcome"), OUT_TEXT, false},
    {"availability", N_("availability"), OUT_TEXT, true},
    {"available_from", N_("from"), OUT_TEXT, false},
    {"available_to", N_("until"), OUT_TEXT, false},
    {"org", N_("organisation"), OUT_TEXT, true},
    {"phone", N_("telephone"), OUT_TEXT, true},
    {"email", N_("e-mail"), OUT_TEXT, true},
    {"id", N_("id"), OUT_TEXT, false},
};

/* What an enumeration's code is called by people. */
static const char *said(const struct cmd_ctx *ctx, size_t column,
                        const char *text)
{
    const char *list = column == COLUMN_STATUS         ? "trainer_status"
                       : column == COLUMN_OUTCOME      ? "trainer_outcome"
                       : column == COLUMN_AVAILABILITY ? "availability"
                                                       : NULL;
    const struct ent_term *term = list == NULL || text == NULL
                                      ? NULL
                                      : ent_vocab_find(&ctx->vocab, list, text);

    return term == NULL || look_for_program(ctx) ? text
                                                 : term->label[ctx->lang];
}

static void put_row(struct cmd_ctx *ctx, struct ent_query *query)
{
    bool program = look_for_program(ctx);
    struct ent_buf names = {0};

    out_row(ctx->out);
    for (size_t i = 0; i < ENT_ARRAY_LEN(columns); i++) {
        const char *text = ent_query_cell(query, i);

        if (!program && !columns[i].people)
            continue;
        out_cell(ctx->out, i == COLUMN_LANGUAGES
                               ? languages_said(ctx, true, text, &names)
                               : said(ctx, i, text));
    }
    ent_buf_fini(&names);
}

static int print_trainers(struct cmd_ctx *ctx, const struct ask *ask)
{
    bool program = look_for_program(ctx);
    struct ent_query *query;
    unsigned long rows = 0;
    int rc = ent_query_open(ctx->store, trainers_sql, &query, &ctx->err);

    if (rc < 0)
        return rc;
    ent_query_bind(query, ":lang", ask->lang);
    ent_query_bind(query, ":day", ask->day);
    ent_query_bind(query, ":speciality", ask->speciality);
    ent_query_bind(query, ":country", ask->country);
    out_list_begin(ctx->out);
    for (size_t i = 0; i < ENT_ARRAY_LEN(columns); i++)
        if (program || columns[i].people)
            out_column(ctx->out, columns[i].key, gettext(columns[i].heading),
                       columns[i].type);
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        put_row(ctx, query);
        rows++;
    }
    ent_query_close(query);
    out_list_end(ctx->out);
    if (rc == 0)
        out_remark(ctx->out, ngettext("%lu trainer", "%lu trainers", rows),
                   rows);
    return rc == 0 ? conflicts_remark(ctx) : rc;
}

/* What people may be asked for: the specialities here, and the profiles. */
static const char specialities_sql[] =
    "SELECT DISTINCT value, instr(ent_fold(value), ent_fold(:asked)) > 0"
    " FROM (SELECT s.value FROM trainers t, json_each(t.specialities) s"
    "  UNION SELECT p.value FROM trainers t, json_each(t.profile) p)"
    " ORDER BY 1";

/* Where nobody has it the list would be empty, as if nobody had time. */
static int check_speciality(struct cmd_ctx *ctx, const char *asked)
{
    const struct ent_term *terms;
    size_t count = ent_vocab_list(&ctx->vocab, "trainer_profile", &terms);
    struct ent_query *query = NULL;
    struct ent_arena arena = {0};
    struct pick_near near = {0};
    bool found = false;
    int rc;

    for (size_t i = 0; i < count; i++) {
        found = found || strcmp(terms[i].code, asked) == 0;
        pick_offer(&near, asked, terms[i].code);
    }
    rc = ent_query_open(ctx->store, specialities_sql, &query, &ctx->err);
    if (rc == 0)
        ent_query_bind(query, ":asked", asked);
    while (rc == 0 && (rc = ent_query_next(query, &ctx->err)) > 0) {
        const char *name = ent_arena_str(&arena, ent_query_text(query, 0));

        found = found || ent_query_int(query, 1) > 0;
        if (name != NULL)
            pick_offer(&near, asked, name);
        rc = name == NULL ? cmd_no_memory(ctx) : 0;
    }
    ent_query_close(query);
    if (rc == 0 && !found)
        rc = near.name == NULL
                 ? ent_err_set(&ctx->err, ENT_EREFUSED,
                               "--speciality: nobody here has \"%s\"", asked)
                 : ent_err_set(&ctx->err, ENT_EREFUSED,
                               "--speciality: nobody here has \"%s\"; did you "
                               "mean %s?",
                               asked, near.name);
    ent_arena_fini(&arena);
    return rc;
}

static int read_lang(struct cmd_ctx *ctx, struct ask *ask,
                     char tag[LANGUAGES_TAG])
{
    int rc;

    if (ask->lang == NULL)
        return 0;
    rc = languages_read(ctx, ent_slice_str(ask->lang), tag, &ctx->err);
    if (rc < 0)
        ent_err_prefix(&ctx->err, "--lang");
    ask->lang = tag;
    return rc;
}

int everyday_trainers(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ask ask = {0};
    const char *day = NULL;
    const struct args_option options[] = {
        {.name = "--lang", .value = &ask.lang},
        {.name = "--available", .value = &day},
        {.name = "--speciality", .value = &ask.speciality},
        {.name = "--country", .value = &ask.country},
    };
    char country[COUNTRIES_CODE];
    char lang[LANGUAGES_TAG];
    char today[11];

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, argv[0]);
    if (day != NULL && me_date(ctx, "--available", day, today, &ask.day) < 0)
        return cmd_fail(ctx);
    if (cmd_store(ctx) == NULL || read_lang(ctx, &ask, lang) < 0 ||
        countries_ask(ctx, &ask.country, country) < 0 ||
        (ask.speciality != NULL && check_speciality(ctx, ask.speciality) < 0) ||
        print_trainers(ctx, &ask) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}
