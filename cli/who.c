/* who.c - who holds a role or a duty in which group, how to reach them, and
 * who stands in for them. A group in which nobody does is answered for by the
 * nearest group above it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/conflicts.h"
#include "cli/countries.h"
#include "cli/everyday.h"
#include "cli/look.h"
#include "cli/me.h"
#include "cli/pick.h"
#include "store/query.h"

#define WARNINGS_MAX 20

struct ask {
    const char *role; /* codes; NULL: any */
    const char *duty;
    const char *country;
    const char *on;
    const char *groups; /* JSON array of codes; NULL: all */
    struct ent_buf names;
    struct ent_arena arena;
};

/* A person referred to by code or by id. `held` is what holds on the day,
 * `wanted` what is asked for, `up` each group with those above it, and `best`
 * how far above it somebody is found. */
#define WHO_WITH                                                               \
    "WITH RECURSIVE person AS ("                                               \
    " SELECT code AS ref, * FROM contacts WHERE code IS NOT NULL"              \
    " UNION ALL SELECT ent_uuid(id), * FROM contacts),"                        \
    "held AS (SELECT a.*, g.iso3 AS group_iso3, p.iso3 AS person_iso3"         \
    "  FROM assignments a LEFT JOIN groups g"                                  \
    "    ON g.code = a.group_id AND g.space = a.space"                         \
    "  LEFT JOIN person p ON p.ref = a.contact_id"                             \
    "  WHERE NOT ent_archived('assignment', a.space, a.id)"                    \
    "    AND " EVERYDAY_HELD "),"                                              \
    "wanted AS (SELECT * FROM held h"                                          \
    "  WHERE (:role IS NULL OR h.role = :role)"                                \
    "    AND (:duty IS NULL"                                                   \
    "     OR :duty IN (SELECT value FROM json_each(h.duties)))),"              \
    "scope(grp) AS (SELECT value FROM json_each(:groups)),"                    \
    "up(grp, at, far) AS (SELECT grp, grp, 0 FROM scope"                       \
    " UNION SELECT u.grp, g.parent_id, u.far + 1 FROM up u"                    \
    "  JOIN groups g ON g.code = u.at"                                         \
    "  WHERE g.parent_id IS NOT NULL AND u.far < 16),"                         \
    "best AS (SELECT u.grp, min(u.far) AS far FROM up u"                       \
    "  JOIN wanted w ON w.group_id = u.at GROUP BY u.grp),"                    \
    "found(grp, at) AS (SELECT u.grp, u.at FROM up u JOIN best b"              \
    "   ON b.grp = u.grp AND b.far = u.far"                                    \
    "  UNION ALL SELECT DISTINCT group_id, group_id FROM wanted"               \
    "   WHERE :groups IS NULL) "

static const char who_sql[] = WHO_WITH
    "SELECT coalesce(p.code, w.contact_id) AS code, p.display_name, w.role,"
    "  w.duties, w.group_id,"
    "  CASE :lang WHEN 'fr' THEN coalesce(g.name_fr, g.name_en)"
    "   ELSE coalesce(g.name_en, g.name_fr) END AS group_name,"
    "  CASE WHEN f.grp <> f.at THEN f.grp END AS asked_group,"
    "  coalesce(o.name, p.org_id) AS org,"
    "  coalesce(p.phone, p.phones ->> 0) AS phone,"
    "  coalesce(p.email, p.emails ->> 0) AS email,"
    "  (SELECT group_concat(DISTINCT b.contact_id) FROM held b"
    "    WHERE b.backup_for IN (p.code, ent_uuid(p.id))"
    "     AND b.group_id IS w.group_id) AS backup,"
    "  (SELECT group_concat(DISTINCT coalesce(q.display_name || coalesce(' '"
    "      || coalesce(q.phone, q.phones ->> 0), ''), b.contact_id))"
    "    FROM held b LEFT JOIN person q ON q.ref = b.contact_id"
    "    WHERE b.backup_for IN (p.code, ent_uuid(p.id))"
    "     AND b.group_id IS w.group_id) AS backup_name,"
    "  w.backup_for, w.start_on"
    "  FROM found f JOIN wanted w ON w.group_id IS f.at"
    "  LEFT JOIN person p ON p.ref = w.contact_id"
    "  LEFT JOIN groups g ON g.code = w.group_id AND g.space = w.space"
    "  LEFT JOIN organisations o ON o.code = p.org_id"
    " WHERE :country IS NULL OR :country IN (w.group_iso3, w.person_iso3)"
    " GROUP BY f.grp, w.space, w.id"
    " ORDER BY f.grp, w.role, p.display_name, code";

/* ------------------------------------------------------------------- groups */

static const char groups_sql[] =
    "SELECT DISTINCT code FROM groups WHERE code = :word"
    " UNION ALL SELECT DISTINCT code FROM groups WHERE code IS NOT NULL"
    "  AND NOT EXISTS(SELECT 1 FROM groups WHERE code = :word)"
    "  AND (instr(ent_fold(coalesce(name_fr, '')), ent_fold(:word))"
    "   OR instr(ent_fold(coalesce(name_en, '')), ent_fold(:word))"
    "   OR :word = ent_uuid(id))";

/* The codes of the groups that a word means: one code, or part of names. */
static int read_groups(struct cmd_ctx *ctx, struct ask *ask, const char *word)
{
    struct ent_query *query;
    size_t count = 0;
    int rc = ent_query_open(ctx->store, groups_sql, &query, &ctx->err);

    if (rc < 0)
        return rc;
    ent_query_bind(query, ":word", word);
    ent_buf_put_u8(&ask->names, '[');
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        ent_buf_put_str(&ask->names, count++ > 0 ? "," : "");
        out_json_string(&ask->names, ent_query_text(query, 0));
    }
    ent_query_close(query);
    ent_buf_put_u8(&ask->names, ']');
    ask->groups = ent_buf_cstr(&ask->names);
    if (rc == 0 && ask->groups == NULL)
        rc = cmd_no_memory(ctx);
    if (rc == 0 && count == 0)
        rc = ent_err_set(&ctx->err, ENT_ENOTFOUND,
                         "no group has the code \"%s\", or a name with these "
                         "words; \"list group\" lists them",
                         word);
    return rc;
}

/* ------------------------------------------------------------------ printing
 */

static void bind(const struct cmd_ctx *ctx, const struct ask *ask,
                 struct ent_query *query)
{
    ent_query_bind(query, ":role", ask->role);
    ent_query_bind(query, ":duty", ask->duty);
    ent_query_bind(query, ":country", ask->country);
    ent_query_bind(query, ":groups", ask->groups);
    ent_query_bind(query, ":on", ask->on);
    ent_query_bind(query, ":lang", ctx->lang == ENT_LANG_FR ? "fr" : "en");
}

static const char *term_said(const struct cmd_ctx *ctx, const char *list,
                             const char *code)
{
    const struct ent_term *term =
        code == NULL ? NULL : ent_vocab_find(&ctx->vocab, list, code);

    return term == NULL || look_for_program(ctx) ? code
                                                 : term->label[ctx->lang];
}

static void put_row(struct cmd_ctx *ctx, struct ent_query *query)
{
    bool program = look_for_program(ctx);

    out_row(ctx->out);
    out_cell(ctx->out, ent_query_cell(query, 0));
    out_cell(ctx->out, ent_query_cell(query, 1));
    out_cell(ctx->out, term_said(ctx, "role", ent_query_cell(query, 2)));
    out_cell(ctx->out, ent_query_cell(query, 3));
    out_cell(ctx->out, ent_query_cell(query, 4));
    if (program) {
        out_cell(ctx->out, ent_query_cell(query, 5));
        out_cell(ctx->out, ent_query_cell(query, 6));
    }
    out_cell(ctx->out, ent_query_cell(query, 7));
    out_cell(ctx->out, ent_query_cell(query, 8));
    out_cell(ctx->out, ent_query_cell(query, 9));
    out_cell(ctx->out, ent_query_cell(query, program ? 10 : 11));
    out_cell(ctx->out, ent_query_cell(query, 12));
    if (program) {
        out_cell(ctx->out, ent_query_cell(query, 11));
        out_cell(ctx->out, ent_query_cell(query, 13));
    }
}

static void put_columns(struct cmd_ctx *ctx)
{
    bool program = look_for_program(ctx);

    out_column(ctx->out, "contact", _("contact"), OUT_TEXT);
    out_column(ctx->out, "name", _("name"), OUT_TEXT);
    out_column(ctx->out, "role", _("role"), OUT_TEXT);
    out_column(ctx->out, "duties", _("duties"), OUT_LIST);
    out_column(ctx->out, "group", _("group"), OUT_TEXT);
    if (program) {
        out_column(ctx->out, "group_name", _("group"), OUT_TEXT);
        out_column(ctx->out, "asked_group", _("group asked for"), OUT_TEXT);
    }
    out_column(ctx->out, "org", _("organisation"), OUT_TEXT);
    out_column(ctx->out, "phone", _("telephone"), OUT_TEXT);
    out_column(ctx->out, "email", _("e-mail"), OUT_TEXT);
    out_column(ctx->out, "backup", _("back-up"), OUT_TEXT);
    out_column(ctx->out, "backup_for", _("stands in for"), OUT_TEXT);
    if (program) {
        out_column(ctx->out, "backup_name", _("back-up"), OUT_TEXT);
        out_column(ctx->out, "since", _("since"), OUT_TEXT);
    }
}

static int print_who(struct cmd_ctx *ctx, const struct ask *ask)
{
    struct ent_query *query;
    size_t rows = 0;
    int rc = ent_query_open(ctx->store, who_sql, &query, &ctx->err);

    if (rc < 0)
        return rc;
    bind(ctx, ask, query);
    out_list_begin(ctx->out);
    put_columns(ctx);
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        put_row(ctx, query);
        rows++;
    }
    ent_query_close(query);
    out_list_end(ctx->out);
    if (rc == 0 && rows == 0)
        out_remark(ctx->out, "%s", _("Nobody was found."));
    return rc == 0 ? conflicts_remark(ctx) : rc;
}

/* ------------------------------------------------------------------ warnings
 */

/* Groups where nobody holds what is asked for, with the one above that was
 * answered for; and where several do what one person should. */
static const char warn_sql[] = WHO_WITH
    ", asked(kind, code) AS ("
    "  SELECT 'role', :role WHERE :role IS NOT NULL"
    "  UNION SELECT 'duty', :duty WHERE :duty IS NOT NULL"
    "  UNION SELECT 'role', column1 FROM (VALUES('focal_point'),"
    "   ('backup_focal_point')) WHERE :role IS NULL AND :duty IS NULL"
    "   AND :groups IS NOT NULL),"
    "here(grp) AS (SELECT grp FROM scope UNION SELECT code FROM groups"
    "  WHERE :groups IS NULL AND coalesce(status, '') <> 'closed'"
    "   AND kind = 'working_group'"
    "   AND (:country IS NULL OR iso3 = :country)),"
    "single(kind, code) AS (SELECT 'duty', value FROM held, json_each(duties)"
    "   WHERE :duty IS NULL OR value = :duty"
    "  UNION SELECT 'role', column1 FROM (VALUES('chair'), ('coordinator'),"
    "   ('focal_point'), ('backup_focal_point')) WHERE :duty IS NULL"
    "    AND (:role IS NULL OR column1 = :role)),"
    "holders AS (SELECT s.kind, s.code, h.group_id AS grp,"
    "   count(DISTINCT h.contact_id) AS n, group_concat(DISTINCT h.contact_id)"
    "    AS who"
    "  FROM single s JOIN held h ON CASE s.kind WHEN 'role' THEN"
    "    h.role = s.code ELSE s.code IN (SELECT value FROM"
    "    json_each(h.duties)) END"
    "  WHERE h.group_id IS NOT NULL"
    "   AND (:groups IS NULL OR h.group_id IN (SELECT grp FROM scope))"
    "   AND (:country IS NULL OR h.group_iso3 = :country)"
    "  GROUP BY s.kind, s.code, h.group_id)"
    " SELECT a.kind, a.code, e.grp, 0, (SELECT u.at FROM up u JOIN best b"
    "    ON b.grp = u.grp AND b.far = u.far WHERE u.grp = e.grp AND u.far > 0)"
    "  FROM asked a, here e WHERE NOT EXISTS(SELECT 1 FROM held h"
    "   WHERE h.group_id = e.grp AND CASE a.kind WHEN 'role' THEN"
    "    h.role = a.code ELSE a.code IN (SELECT value FROM"
    "    json_each(h.duties)) END)"
    " UNION ALL SELECT kind, code, grp, n, who FROM holders WHERE n > 1"
    " ORDER BY 3, 1, 2";

static void warn_of(struct cmd_ctx *ctx, struct ent_query *query)
{
    bool role = strcmp(ent_query_text(query, 0), "role") == 0;
    const struct ent_term *term = ent_vocab_find(
        &ctx->vocab, role ? "role" : "duty", ent_query_text(query, 1));
    const char *what =
        term == NULL ? ent_query_text(query, 1) : term->label[ctx->lang];
    const char *group = ent_query_text(query, 2);
    const char *more = ent_query_text(query, 4);

    if (ent_query_int(query, 3) > 0)
        cmd_say(ctx, _("warning: %s: %lld people in %s: %s"), what,
                (long long)ent_query_int(query, 3), group, more);
    else if (*more != '\0')
        cmd_say(ctx, _("warning: %s: nobody in %s; shown is who does so in %s"),
                what, group, more);
    else
        cmd_say(ctx, _("warning: %s: nobody in %s"), what, group);
}

static int print_warnings(struct cmd_ctx *ctx, const struct ask *ask)
{
    struct ent_query *query;
    size_t count = 0;
    int rc;

    if (ctx->quiet)
        return 0;
    rc = ent_query_open(ctx->store, warn_sql, &query, &ctx->err);
    if (rc < 0)
        return rc;
    bind(ctx, ask, query);
    while ((rc = ent_query_next(query, &ctx->err)) > 0)
        if (count++ < WARNINGS_MAX)
            warn_of(ctx, query);
    ent_query_close(query);
    if (rc == 0 && count > WARNINGS_MAX)
        cmd_say(ctx,
                ngettext("and %zu more", "and %zu more", count - WARNINGS_MAX),
                count - WARNINGS_MAX);
    return rc;
}

/* ------------------------------------------------------------------- command
 */

int everyday_who(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ask ask = {0};
    const char *role = NULL;
    const char *duty = NULL;
    const char *group = NULL;
    const char *on = NULL;
    const struct args_option options[] = {
        {.name = "--role", .value = &role},
        {.name = "--duty", .value = &duty},
        {.name = "--group", .value = &group},
        {.name = "--country", .value = &ask.country},
        {.name = "--on", .value = &on},
    };
    char today[11];
    char country[COUNTRIES_CODE];
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, argv[0]);
    rc = me_date(ctx, "--on", on, today, &ask.on);
    if (rc == 0 && role != NULL)
        rc = me_term(ctx, "--role", "role", role, &ask.arena, &ask.role);
    if (rc == 0 && duty != NULL)
        rc = me_term(ctx, "--duty", "duty", duty, &ask.arena, &ask.duty);
    if (rc == 0 && cmd_store(ctx) == NULL)
        rc = ctx->err.code;
    if (rc == 0)
        rc = countries_ask(ctx, &ask.country, country);
    if (rc == 0 && group != NULL)
        rc = read_groups(ctx, &ask, group);
    if (rc == 0)
        rc = print_who(ctx, &ask);
    if (rc == 0)
        rc = print_warnings(ctx, &ask);
    ent_buf_fini(&ask.names);
    ent_arena_fini(&ask.arena);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
