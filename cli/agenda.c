/* agenda.c - what is due, late or missing, and whose it is; the table of the
 * commands of everyday work. Everything here is derived when it is asked for
 * and stored nowhere. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/conflicts.h"
#include "cli/countries.h"
#include "cli/everyday.h"
#include "cli/flags.h"
#include "cli/look.h"
#include "cli/me.h"
#include "cli/pick.h"
#include "store/query.h"

#define NEXT_DEFAULT "30d"
#define DAY_MS 86400000

/* Why something stands in the agenda: for programs the word, for people what
 * it says. */
static const struct {
    const char *code;
    const char *said;
} reasons[] = {
    {"overdue", N_("overdue")},
    {"due", N_("due")},
    {"planned", N_("planned")},
    {"call_missed", N_("call missed")},
    {"report_missing", N_("report missing")},
    {"report_due", N_("report due")},
    {"review", N_("to be reviewed")},
    {"ending", N_("ends")},
    {"stalled", N_("stalled")},
    {"vacant", N_("vacant")},
    {"lapsed", N_("consent lapsed")},
    {"consent_withdrawn", N_("consent withdrawn")},
    {"certificate_revoked", N_("certificate revoked")},
};

/* One row for each thing: a date, how much later it is due, why, what it is,
 * and the contact, organisation and group whose it is. A report is asked for 30
 * days after a training's end; a call counts as missed when one was, or when
 * the rhythm of the link has passed since the last that was held. Flags come
 * with the day since when; what they say of due days, of reports and of
 * consent is said here otherwise. */
static const char *const items[] = {
    "SELECT due_on, '+0 days', 'due', 'activity', code, title_en, title_fr,"
    "  space, id, responsible_id, lead_org_id, NULL, iso3"
    "  FROM activities"
    " WHERE coalesce(status, '') NOT IN ('done', 'cancelled')",

    "SELECT m.due_on, '+0 days', 'due', 'milestone', m.code, m.title_en,"
    "  m.title_fr, m.space, m.id, m.responsible_id, NULL, p.group_id, p.iso3"
    "  FROM milestones m LEFT JOIN plans p"
    "    ON p.code = m.plan_id AND p.space = m.space"
    " WHERE m.reached_on IS NULL"
    "   AND coalesce(m.status, '') NOT IN ('reached', 'dropped')",

    "SELECT end_on, '+0 days', 'due', 'plan', code, title_en, title_fr, space, "
    "id,"
    "  support_focal_point_id, NULL, group_id, iso3"
    "  FROM plans"
    " WHERE coalesce(status, '') NOT IN ('completed', 'cancelled')",

    "SELECT s.held_on, '+0 days',"
    "  CASE s.status WHEN 'planned' THEN 'planned' ELSE 'call_missed' END,"
    "  'support_session', s.code, s.subject_en, s.subject_fr,"
    "  s.space, s.id,"
    "  CASE WHEN l.provider IN (SELECT code FROM contacts) THEN l.provider END,"
    "  l.provider, coalesce(s.group_id, l.recipient), s.iso3"
    "  FROM support_sessions s LEFT JOIN support_links l"
    "    ON l.code = s.support_id AND l.space = s.space"
    " WHERE s.status = 'planned' OR s.status = 'missed'"
    "   AND NOT EXISTS(SELECT 1 FROM support_sessions h"
    "     WHERE h.support_id = s.support_id AND h.space = s.space"
    "       AND h.status IN ('held', 'planned') AND h.held_on > s.held_on)",

    "SELECT coalesce(last, start_on),"
    "  CASE frequency WHEN 'weekly' THEN '+7 days'"
    "    WHEN 'monthly' THEN '+1 month' ELSE '+3 months' END,"
    "  'call_missed', 'support_link', code, title_en, title_fr, space, id,"
    "  CASE WHEN provider IN (SELECT code FROM contacts) THEN provider END,"
    "  provider, recipient, iso3"
    "  FROM (SELECT l.*, (SELECT max(h.held_on) FROM support_sessions h"
    "     WHERE h.support_id = l.code AND h.space = l.space"
    "       AND h.status = 'held') AS last FROM support_links l) x"
    " WHERE status = 'active'"
    "   AND frequency IN ('weekly', 'monthly', 'quarterly')"
    "   AND (end_on IS NULL OR end_on >= :on)"
    "   AND NOT EXISTS(SELECT 1 FROM support_sessions h"
    "     WHERE h.support_id = x.code AND h.space = x.space"
    "       AND (h.status = 'missed' AND h.held_on > coalesce(x.last, '')"
    "         OR h.status = 'planned' AND h.held_on >= :on))",

    "SELECT coalesce(end_on, start_on), '+30 days', 'report_due', 'training',"
    "  code, title_en, title_fr, space, id, NULL, lead_org_id, group_id, iso3"
    "  FROM trainings t"
    " WHERE status = 'delivered'"
    "   AND kind IN ('pilot', 'tot', 'in_country', 'refresher',"
    "     'contextualisation', 'dissemination')"
    "   AND coalesce(reported, 'no') <> 'yes'"
    "   AND NOT EXISTS(SELECT 1 FROM training_reports r"
    "     WHERE r.training_id IN (t.code, ent_uuid(t.id)))",

    "SELECT review_by, '+0 days', 'review', 'contact', code, display_name,"
    "  display_name, space, id, coalesce(code, ent_uuid(id)), org_id, NULL,"
    "  iso3"
    "  FROM contacts",

    "SELECT a.end_on, '+0 days', 'ending', 'assignment', a.code, a.role,"
    "  a.role, a.space, a.id, a.contact_id, NULL, a.group_id, g.iso3"
    "  FROM assignments a LEFT JOIN groups g"
    "    ON g.code = a.group_id AND g.space = a.space"
    " WHERE a.end_on >= :on",

    "SELECT coalesce(f.since, :on), '+0 days', f.flag, f.kind, f.code,"
    "  coalesce(p.title_en, a.role), coalesce(p.title_fr, a.role), f.space,"
    "  f.id, p.support_focal_point_id, NULL,"
    "  coalesce(p.group_id, a.group_id), f.iso3"
    "  FROM flagged f"
    "  LEFT JOIN plan p ON f.kind = 'plan' AND p.space = f.space"
    "    AND p.ref = f.id"
    "  LEFT JOIN post a ON f.kind = 'assignment' AND a.space = f.space"
    "    AND a.ref = f.id"
    " WHERE f.flag NOT IN ('overdue', 'report_due', 'lapsed')",
};

/* Around the items: the last day of what is known in part, who asks, and what
 * is shown of an item to them. */
static const char before_flags[] = "WITH flagged AS MATERIALIZED (\n";
static const char before_items[] =
    "\n), plan AS MATERIALIZED (SELECT space,"
    "   CAST(ent_uuid(id) AS TEXT) AS ref, title_en,"
    "   title_fr, support_focal_point_id, group_id FROM plans),"
    " post AS MATERIALIZED (SELECT space,"
    "   CAST(ent_uuid(id) AS TEXT) AS ref, role, group_id"
    "   FROM assignments),"
    " item(day, later, why, kind, code, title_en, title_fr, space, id, who,"
    " org, grp, iso3) AS (";
static const char after_items[] =
    "), dated AS (SELECT *, date(CASE length(day)"
    "    WHEN 4 THEN date(day || '-12-31')"
    "    WHEN 7 THEN date(day || '-01', '+1 month', '-1 day')"
    "    ELSE day END, later) AS due FROM item),"
    "person AS MATERIALIZED (SELECT code, min(display_name) AS name"
    "  FROM contacts WHERE code IS NOT NULL GROUP BY code),"
    "groups_of_mine AS (SELECT a.group_id AS grp FROM assignments a"
    "  WHERE a.contact_id = :me AND " EVERYDAY_HELD "),"
    "org_of_mine AS (SELECT org_id AS org FROM contacts"
    "  WHERE :me IN (code, ent_uuid(id)))"
    " SELECT due, CASE WHEN why = 'review' AND (space, ent_uuid(id)) IN"
    "    (SELECT f.space, f.id FROM flagged f WHERE f.flag = 'lapsed')"
    "    THEN 'lapsed'"
    "    WHEN due >= :on THEN why"
    "    WHEN why IN ('due', 'planned') THEN 'overdue'"
    "    WHEN why = 'report_due' THEN 'report_missing' ELSE why END, kind,"
    "  dated.code, CASE :lang WHEN 'fr' THEN coalesce(title_fr, title_en)"
    "    ELSE coalesce(title_en, title_fr) END,"
    "  coalesce(who, org, grp), person.name, coalesce(ent_uuid(id), id)"
    "  FROM dated LEFT JOIN person ON person.code = dated.who"
    " WHERE CASE why WHEN 'call_missed' THEN due < :on ELSE due <= :until END"
    "   AND NOT ent_archived(kind, space, id)"
    "   AND (:country IS NULL OR iso3 = :country)"
    "   AND (:me IS NULL OR who = :me"
    "     OR who IS NULL AND grp IN groups_of_mine"
    "     OR who IS NULL AND org IN org_of_mine)"
    " ORDER BY due, kind, dated.code, id";

static const char *reason_said(const char *code)
{
    for (size_t i = 0; i < ENT_ARRAY_LEN(reasons); i++)
        if (strcmp(reasons[i].code, code) == 0)
            return gettext(reasons[i].said);
    return code;
}

/* An assignment is called by its role. */
static const char *title_said(const struct cmd_ctx *ctx, const char *kind,
                              const char *title)
{
    const struct ent_term *term =
        title == NULL || strcmp(kind, "assignment") != 0
            ? NULL
            : ent_vocab_find(&ctx->vocab, "role", title);

    return term == NULL || look_for_program(ctx) ? title
                                                 : term->label[ctx->lang];
}

static void put_row(struct cmd_ctx *ctx, struct ent_query *query)
{
    const char *kind = ent_query_text(query, 2);
    char id[ENT_ID_TEXT] = "";
    struct ent_id parsed;

    out_row(ctx->out);
    out_cell(ctx->out, ent_query_cell(query, 0));
    out_cell(ctx->out, look_for_program(ctx)
                           ? ent_query_text(query, 1)
                           : reason_said(ent_query_text(query, 1)));
    out_cell(ctx->out, look_kind_said(ctx, ent_kind_named(&ctx->kinds, kind)));
    out_cell(ctx->out, ent_query_cell(query, 3));
    out_cell(ctx->out, title_said(ctx, kind, ent_query_cell(query, 4)));
    out_cell(ctx->out, ent_query_cell(query, 5));
    out_cell(ctx->out, ent_query_cell(query, 6));
    if (ent_id_parse(ent_query_text(query, 7), &parsed))
        look_id(ctx, &parsed, id);
    out_cell(ctx->out, id);
}

static int print_agenda(struct cmd_ctx *ctx, struct ent_query *query,
                        const char *until)
{
    struct ent_buf day = {0};
    long long rows = 0;
    int rc;

    out_list_begin(ctx->out);
    out_column(ctx->out, "due", _("by"), OUT_DATE);
    out_column(ctx->out, "why", _("why"), OUT_TEXT);
    out_column(ctx->out, "kind", _("kind"), OUT_TEXT);
    out_column(ctx->out, "code", _("code"), OUT_TEXT);
    out_column(ctx->out, "title", _("title"), OUT_TEXT);
    out_column(ctx->out, "who", _("whose"), OUT_TEXT);
    out_column(ctx->out, "name", _("name"), OUT_TEXT);
    out_column(ctx->out, "id", _("id"), OUT_TEXT);
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        put_row(ctx, query);
        rows++;
    }
    out_list_end(ctx->out);
    look_put_day(ctx, until, &day);
    if (rc == 0 && rows == 0 && ent_buf_cstr(&day) != NULL)
        out_remark(ctx->out, _("Nothing is due until %s."), ent_buf_cstr(&day));
    ent_buf_fini(&day);
    return rc == 0 ? conflicts_remark(ctx) : rc;
}

struct ask {
    const char *on;
    const char *next;
    const char *country;
    bool mine;
};

/* The day `days` after `on`, by the same arithmetic as everything else. */
static int read_until(struct cmd_ctx *ctx, const struct ask *ask,
                      char until[11])
{
    struct ent_query *query;
    char days[24];
    int64_t ms;
    int rc = cmd_duration(ctx, "--next", ask->next, &ms);

    if (rc == 0)
        rc = ent_query_json("{}",
                            "SELECT date(substr(:on || '-01-01', 1, 10),"
                            " '+' || :days || ' days')",
                            &query, &ctx->err);
    if (rc < 0)
        return rc;
    snprintf(days, sizeof(days), "%lld", (long long)(ms / DAY_MS));
    ent_query_bind(query, ":on", ask->on);
    ent_query_bind(query, ":days", days);
    rc = ent_query_next(query, &ctx->err);
    if (rc > 0)
        snprintf(until, 11, "%s", ent_query_text(query, 0));
    ent_query_close(query);
    return rc < 0 ? rc : 0;
}

static int put_sql(struct cmd_ctx *ctx, struct ent_buf *sql)
{
    struct ent_buf flags = {0};
    int rc = flags_sql(ctx, &flags);

    ent_buf_put_str(sql, before_flags);
    ent_buf_put_slice(sql, ent_buf_slice(&flags));
    ent_buf_fini(&flags);
    ent_buf_put_str(sql, before_items);
    for (size_t i = 0; i < ENT_ARRAY_LEN(items); i++) {
        ent_buf_put_str(sql, i > 0 ? " UNION ALL " : "");
        ent_buf_put_str(sql, items[i]);
    }
    ent_buf_put_str(sql, after_items);
    return rc;
}

static int run_agenda(struct cmd_ctx *ctx, const struct ask *ask)
{
    struct ent_query *query = NULL;
    struct ent_buf sql = {0};
    struct ent_buf me = {0};
    char until[11] = "";
    int rc = read_until(ctx, ask, until);

    if (rc == 0 && ask->mine)
        rc = me_read(ctx, &me);
    if (rc == 0)
        rc = put_sql(ctx, &sql);
    if (rc == 0)
        rc = ent_buf_cstr(&sql) == NULL
                 ? cmd_no_memory(ctx)
                 : ent_query_open(ctx->store, ent_buf_cstr(&sql), &query,
                                  &ctx->err);
    if (rc == 0) {
        ent_query_bind(query, ":on", ask->on);
        ent_query_bind(query, ":until", until);
        ent_query_bind(query, ":kind", NULL);
        ent_query_bind(query, ":country", ask->country);
        ent_query_bind(query, ":me", ask->mine ? ent_buf_cstr(&me) : NULL);
        ent_query_bind(query, ":lang", ctx->lang == ENT_LANG_FR ? "fr" : "en");
        rc = print_agenda(ctx, query, until);
    }
    ent_query_close(query);
    ent_buf_fini(&sql);
    ent_buf_fini(&me);
    return rc;
}

static int cmd_agenda(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ask ask = {.next = NEXT_DEFAULT};
    const char *on = NULL;
    const struct args_option options[] = {
        {.name = "--mine", .flag = &ask.mine},
        {.name = "--next", .value = &ask.next},
        {.name = "--on", .value = &on},
        {.name = "--country", .value = &ask.country},
    };
    char today[11];
    char country[COUNTRIES_CODE];

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, argv[0]);
    /* Who asks as somebody asks for what is theirs. */
    ask.mine = ask.mine || ctx->as != NULL;
    if (cmd_store(ctx) == NULL ||
        me_date(ctx, "--on", on, today, &ask.on) < 0 ||
        countries_ask(ctx, &ask.country, country) < 0 ||
        run_agenda(ctx, &ask) < 0)
        return cmd_fail(ctx);
    return CMD_OK;
}

const struct cmd cmd_everyday[] = {
    {"agenda", N_("[--mine] [--next 30d] [--on DATE] [--country C]"),
     N_("what is due, late or missing, and whose it is"), cmd_agenda},
    {"who", N_("[--role R] [--duty D] [--group G] [--country C] [--on DATE]"),
     N_("who holds a role or a duty, how to reach them, and their back-up"),
     everyday_who},
    {"trainers",
     N_("[--lang L] [--available DATE] [--speciality S] [--country C]"),
     N_("the pool of trainers and facilitators"), everyday_trainers},
    {"handover", N_("CONTACT --to CONTACT [--on DATE] [--reason R]"),
     N_("what is open, and the duties, go from one person to another"),
     everyday_handover},
    {NULL, NULL, NULL, NULL},
};
