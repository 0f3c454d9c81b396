/* handover_find.c - see handover.h. */
#include "cli/handover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/everyday.h"
#include "cli/look.h"
#include "cli/me.h"
#include "store/query.h"
#include "text/parse.h"

#define NOTE_CODES_MAX 40 /* codes that the note names */

/* Where a person is named as the one who is to do something, and when that is
 * still open. What is over keeps the name of who did it. */
static const struct {
    const char *kind;
    const char *field;
    const char *open;
} places[] = {
    {"activity", "responsible_id",
     "coalesce(status, '') NOT IN ('done', 'cancelled')"},
    {"milestone", "responsible_id",
     "reached_on IS NULL AND coalesce(status, '') NOT IN ('reached',"
     " 'dropped')"},
    {"plan", "support_focal_point_id",
     "coalesce(status, '') NOT IN ('completed', 'cancelled')"},
    {"request", "consultants",
     "coalesce(status, '') NOT IN ('delivered', 'quality_review', 'closed',"
     " 'not_selected', 'declined')"},
    {"support_link", "provider", "coalesce(status, '') <> 'ended'"},
    {"support_link", "recipient", "coalesce(status, '') <> 'ended'"},
    {"support_session", "attendees", "status = 'planned'"},
};

/* -------------------------------------------------------------------- items */

static struct handover_item *add_item(struct cmd_ctx *ctx,
                                      struct handover *handover,
                                      const struct ent_kind *kind,
                                      const char *id, const char *code,
                                      const char *field)
{
    struct handover_item *item;

    if (handover->count == handover->cap) {
        size_t cap = handover->cap == 0 ? 32 : 2 * handover->cap;
        struct handover_item *items =
            realloc(handover->items, cap * sizeof(*items));

        if (items == NULL) {
            cmd_no_memory(ctx);
            return NULL;
        }
        handover->items = items;
        handover->cap = cap;
    }
    item = &handover->items[handover->count++];
    *item = (struct handover_item){.kind = kind, .field = field};
    item->code = ent_arena_str(&handover->arena, code);
    item->fresh = id == NULL;
    if (id != NULL && !ent_id_parse(id, &item->id))
        handover->count--; /* a row without an id: nothing to change */
    return item;
}

static void add_word(struct handover *handover, struct handover_item *item,
                     const char *field, const char *sign, const char *value)
{
    size_t bytes = strlen(field) + strlen(sign) + strlen(value) + 1;
    char *word = ENT_ARENA_NEW(&handover->arena, char, bytes);

    ENT_ASSERT(item->count < HANDOVER_WORDS_MAX);
    if (word == NULL) /* the arena remembers */
        return;
    snprintf(word, bytes, "%s%s%s", field, sign, value);
    item->words[item->count++] = word;
}

/* --------------------------------------------------------- what names them */

static void put_place_query(struct ent_buf *sql, const struct ent_kind *kind,
                            const struct ent_field *field, const char *open)
{
    bool set = field->rule == ENT_RULE_SET;

    ent_buf_printf(sql,
                   "SELECT ent_uuid(id), code FROM \"%s\""
                   " WHERE space = CAST(:space AS INTEGER) AND ",
                   kind->table);
    ent_buf_printf(sql,
                   set ? ":from IN (SELECT value FROM json_each(\"%s\"))"
                       : ":from = \"%s\"",
                   field->name);
    ent_buf_printf(sql, " AND %s ORDER BY code, id", open);
}

static int open_query(struct cmd_ctx *ctx, const struct handover *handover,
                      const char *sql, struct ent_query **query)
{
    char space[24];
    int rc = ent_query_open(ctx->store, sql, query, &ctx->err);

    if (rc < 0)
        return rc;
    snprintf(space, sizeof(space), "%lld", (long long)handover->from_ref.space);
    ent_query_bind(*query, ":space", space);
    ent_query_bind(*query, ":from", handover->from);
    ent_query_bind(*query, ":to", handover->to);
    ent_query_bind(*query, ":on", handover->on);
    return 0;
}

/* The elements of a set that mean the one who goes, as they were written. */
static int add_removals(struct cmd_ctx *ctx, struct handover *handover,
                        struct handover_item *item,
                        const struct ent_field *field)
{
    const struct ent_record_ref ref = {.space = handover->from_ref.space,
                                       .kind = item->kind->number,
                                       .id = item->id};
    struct ent_record record = {0};
    int rc = ent_record_read(ctx->store, &ref, &record, &ctx->err);

    for (size_t i = 0; rc == 0 && i < record.write_count; i++) {
        struct ent_buf text = {0};
        const char *said, *shown;

        if (record.writes[i].field != field->number)
            continue;
        ent_value_print(&record.writes[i].value, &text);
        said = ent_buf_cstr(&text);
        shown = said == NULL ? NULL
                             : same_shown(ctx, &handover->names, field, said);
        if (said != NULL && item->count < HANDOVER_WORDS_MAX - 1 &&
            strcmp(shown != NULL ? shown : said, handover->from) == 0)
            add_word(handover, item, field->name, "-=", said);
        ent_buf_fini(&text);
    }
    ent_record_fini(&record);
    return rc;
}

static int find_place(struct cmd_ctx *ctx, struct handover *handover,
                      size_t place)
{
    const struct ent_kind *kind =
        ent_kind_named(&ctx->kinds, places[place].kind);
    const struct ent_field *field =
        kind == NULL ? NULL : ent_field_named(kind, places[place].field);
    struct ent_query *query = NULL;
    struct ent_buf sql = {0};
    int rc;

    if (field == NULL)
        return 0;
    put_place_query(&sql, kind, field, places[place].open);
    rc = ent_buf_cstr(&sql) == NULL
             ? cmd_no_memory(ctx)
             : open_query(ctx, handover, ent_buf_cstr(&sql), &query);
    while (rc == 0 && (rc = ent_query_next(query, &ctx->err)) > 0) {
        struct handover_item *item =
            add_item(ctx, handover, kind, ent_query_text(query, 0),
                     ent_query_text(query, 1), field->name);

        rc = item == NULL ? ENT_ENOMEM : 0;
        if (rc == 0 && field->rule == ENT_RULE_SET)
            rc = add_removals(ctx, handover, item, field);
        if (rc == 0)
            add_word(handover, item, field->name,
                     field->rule == ENT_RULE_SET ? "+=" : "=", handover->to);
    }
    ent_query_close(query);
    ent_buf_fini(&sql);
    return rc;
}

/* What is open in other spaces is another transaction, so it is only told. */
static int count_elsewhere(struct cmd_ctx *ctx, struct handover *handover)
{
    struct ent_query *query = NULL;
    struct ent_buf sql = {0};
    int rc;

    ent_buf_put_str(&sql, "SELECT 0");
    for (size_t i = 0; i < ENT_ARRAY_LEN(places); i++) {
        const struct ent_kind *kind =
            ent_kind_named(&ctx->kinds, places[i].kind);
        const struct ent_field *field =
            kind == NULL ? NULL : ent_field_named(kind, places[i].field);

        if (field != NULL && field->rule == ENT_RULE_REGISTER)
            ent_buf_printf(&sql,
                           " + (SELECT count(*) FROM \"%s\" WHERE"
                           " space <> CAST(:space AS INTEGER)"
                           " AND :from = \"%s\" AND %s)",
                           kind->table, field->name, places[i].open);
    }
    rc = ent_buf_cstr(&sql) == NULL
             ? cmd_no_memory(ctx)
             : open_query(ctx, handover, ent_buf_cstr(&sql), &query);
    if (rc == 0)
        rc = ent_query_next(query, &ctx->err);
    if (rc > 0)
        handover->elsewhere = (size_t)ent_query_int(query, 0);
    ent_query_close(query);
    ent_buf_fini(&sql);
    return rc < 0 ? rc : 0;
}

/* -------------------------------------------------------------- assignments */

/* What somebody is by having been there does not go to another. */
#define IS_PERSONAL "a.role IN ('trainer', 'co_trainer', 'participant')"

/* What ends on that day anyway has been handed over. */
#define GOES_ON                                                                \
    "(a.end_on IS NULL OR substr(a.end_on || '-99-99', 1, 10) > :on)"

/* The assignments that end, what each begins with for the other person, and
 * the one of theirs that it goes into, if they have it already. */
static const char assignments_sql[] =
    "SELECT ent_uuid(a.id), a.code, a.group_id, a.org_id, a.role, a.duties,"
    "  a.engagement, CASE WHEN a.backup_for <> :to THEN a.backup_for END,"
    "  (SELECT ent_uuid(a2.id) FROM (SELECT * FROM assignments a"
    "     WHERE a.contact_id = :to AND " EVERYDAY_HELD ") a2"
    "    WHERE a2.space = a.space AND a2.group_id IS a.group_id"
    "      AND a2.org_id IS a.org_id AND a2.role IS a.role"
    "    ORDER BY a2.id LIMIT 1)"
    "  FROM assignments a WHERE a.space = CAST(:space AS INTEGER)"
    "   AND a.contact_id = :from AND NOT " IS_PERSONAL " AND " EVERYDAY_HELD
    " AND " GOES_ON " ORDER BY a.code, a.id";

/* Who stood in for the one who goes, for whom the next one is there from now
 * on; the next one's own standing in ends. */
static const char backups_sql[] =
    "SELECT ent_uuid(a.id), a.code, a.contact_id = :to FROM assignments a"
    " WHERE a.space = CAST(:space AS INTEGER) AND a.backup_for = :from"
    "  AND a.contact_id IS NOT :from AND " EVERYDAY_HELD " AND " GOES_ON
    " ORDER BY a.code, a.id";

static void add_given(struct handover *handover, struct handover_item *item,
                      const char *field, struct ent_query *query, size_t column)
{
    if (ent_query_type(query, column) != ENT_COLUMN_NULL)
        add_word(handover, item, field, "=", ent_query_text(query, column));
}

/* A JSON array of codes as the elements of a set. */
static int add_duties(struct cmd_ctx *ctx, struct handover *handover,
                      struct handover_item *item, const char *json)
{
    struct ent_query *query;
    struct ent_buf bars = {0};
    int rc = ent_query_json(json, "SELECT value FROM json_each(:json)", &query,
                            &ctx->err);

    if (rc < 0)
        return rc;
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        ent_buf_put_str(&bars, bars.len > 0 ? "|" : "");
        ent_buf_put_str(&bars, ent_query_text(query, 0));
    }
    ent_query_close(query);
    if (rc == 0 && ent_buf_cstr(&bars) == NULL)
        rc = cmd_no_memory(ctx);
    else if (rc == 0 && bars.len > 0)
        add_word(handover, item, "duties", "+=", ent_buf_cstr(&bars));
    ent_buf_fini(&bars);
    return rc;
}

/* The other person's assignment: what they have takes the duties, or a new
 * one begins. */
static int add_successor(struct cmd_ctx *ctx, struct handover *handover,
                         const struct ent_kind *kind, struct ent_query *query)
{
    bool there = ent_query_type(query, 8) != ENT_COLUMN_NULL;
    bool duties = ent_query_type(query, 5) != ENT_COLUMN_NULL;
    struct handover_item *item;

    if (there && !duties)
        return 0;
    item = add_item(ctx, handover, kind,
                    there ? ent_query_text(query, 8) : NULL, "", "duties");
    if (item == NULL)
        return ENT_ENOMEM;
    if (!there) {
        item->field = "contact_id";
        add_word(handover, item, "contact_id", "=", handover->to);
        add_given(handover, item, "group_id", query, 2);
        add_given(handover, item, "org_id", query, 3);
        add_given(handover, item, "role", query, 4);
        add_given(handover, item, "engagement", query, 6);
        add_given(handover, item, "backup_for", query, 7);
        add_word(handover, item, "start_on", "=", handover->on);
    }
    return duties ? add_duties(ctx, handover, item, ent_query_text(query, 5))
                  : 0;
}

static void add_end(struct handover *handover, struct handover_item *item)
{
    add_word(handover, item, "end_on", "=", handover->on);
    add_word(handover, item, "end_reason", "=", handover->reason);
}

static int find_assignments(struct cmd_ctx *ctx, struct handover *handover,
                            const struct ent_kind *kind)
{
    struct ent_query *query;
    int rc = open_query(ctx, handover, assignments_sql, &query);

    if (rc < 0)
        return rc;
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        struct handover_item *item =
            add_item(ctx, handover, kind, ent_query_text(query, 0),
                     ent_query_text(query, 1), "end_on");

        rc = item == NULL ? ENT_ENOMEM : 0;
        if (rc < 0)
            break;
        add_end(handover, item);
        rc = add_successor(ctx, handover, kind, query);
        if (rc < 0)
            break;
    }
    ent_query_close(query);
    return rc;
}

static int find_backups(struct cmd_ctx *ctx, struct handover *handover,
                        const struct ent_kind *kind)
{
    struct ent_query *query;
    int rc = open_query(ctx, handover, backups_sql, &query);

    if (rc < 0)
        return rc;
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        bool own = ent_query_int(query, 2) != 0;
        struct handover_item *item =
            add_item(ctx, handover, kind, ent_query_text(query, 0),
                     ent_query_text(query, 1), own ? "end_on" : "backup_for");

        rc = item == NULL ? ENT_ENOMEM : 0;
        if (rc < 0)
            break;
        if (own)
            add_end(handover, item);
        else
            add_word(handover, item, "backup_for", "=", handover->to);
    }
    ent_query_close(query);
    return rc;
}

/* -------------------------------------------------------------------- notes */

/* Notes on a person whose work goes on are for who does it next, and so is the
 * one that tells of the handover. */
static int find_notes(struct cmd_ctx *ctx, struct handover *handover,
                      const struct ent_kind *kind)
{
    struct ent_query *query;
    int rc = open_query(ctx, handover,
                        "SELECT ent_uuid(id), code FROM notes"
                        " WHERE space = CAST(:space AS INTEGER)"
                        " AND subject = :from ORDER BY code, id",
                        &query);

    if (rc < 0)
        return rc;
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        struct ent_id id;
        struct handover_item *item;

        if (!ent_id_parse(ent_query_text(query, 0), &id) ||
            !ent_record_may_change(ctx->store, handover->from_ref.space,
                                   kind->number, &id)) {
            handover->left++;
            continue;
        }
        item = add_item(ctx, handover, kind, ent_query_text(query, 0),
                        ent_query_text(query, 1), "subject");
        rc = item == NULL ? ENT_ENOMEM : 0;
        if (rc < 0)
            break;
        add_word(handover, item, "subject", "=", handover->to);
    }
    ent_query_close(query);
    return rc;
}

/* Which codes went over, so that the note tells who reads it later. */
static void put_codes(struct ent_buf *text, const struct handover *handover)
{
    size_t named = 0;

    for (size_t i = 0; i < handover->count; i++) {
        const char *code = handover->items[i].code;

        if (code == NULL || *code == '\0')
            continue;
        if (named++ == NOTE_CODES_MAX) {
            ent_buf_put_str(text, ", ...");
            return;
        }
        ent_buf_printf(text, "%s%s", named > 1 ? ", " : "", code);
    }
}

static int add_log(struct cmd_ctx *ctx, struct handover *handover,
                   const struct ent_kind *kind)
{
    struct ent_buf text = {0};
    struct ent_buf me = {0};
    struct handover_item *item;
    char today[11];

    ent_buf_printf(&text, _("Handed over from %s to %s on %s: "),
                   handover->from, handover->to, handover->on);
    put_codes(&text, handover);
    cmd_today(ctx, today);
    item = add_item(ctx, handover, kind, NULL, "", "body");
    if (item != NULL && ent_buf_cstr(&text) != NULL) {
        add_word(handover, item, "subject", "=", handover->to);
        add_word(handover, item, "written_on", "=", today);
        add_word(handover, item, "language", "=",
                 ctx->lang == ENT_LANG_FR ? "fr" : "en");
        add_word(handover, item, "body", "=", ent_buf_cstr(&text));
        /* Who does it is told where that is known. */
        if (me_read(ctx, &me) == 0)
            add_word(handover, item, "author_id", "=", ent_buf_cstr(&me));
    }
    ent_buf_fini(&text);
    ent_buf_fini(&me);
    return item == NULL || handover->arena.rc < 0 ? cmd_no_memory(ctx) : 0;
}

/* ---------------------------------------------------------------------- all */

int handover_find(struct cmd_ctx *ctx, struct handover *handover)
{
    const struct ent_kind *assignment =
        ent_kind_named(&ctx->kinds, "assignment");
    const struct ent_kind *note = ent_kind_named(&ctx->kinds, "note");
    int rc = same_names_load(ctx, handover->from_ref.space, &handover->names);

    for (size_t i = 0; rc == 0 && i < ENT_ARRAY_LEN(places); i++)
        rc = find_place(ctx, handover, i);
    if (rc == 0)
        rc = count_elsewhere(ctx, handover);
    if (rc == 0 && assignment != NULL)
        rc = find_assignments(ctx, handover, assignment);
    if (rc == 0 && assignment != NULL)
        rc = find_backups(ctx, handover, assignment);
    if (rc == 0 && note != NULL)
        rc = find_notes(ctx, handover, note);
    if (rc == 0 && note != NULL && handover->count > 0)
        rc = add_log(ctx, handover, note);
    return rc;
}
