/* cards_out.c - vCards and calendars written; see cards.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cards.h"
#include "cli/look.h"
#include "cli/out_text.h"
#include "config.h"
#include "store/query.h"
#include "text/card.h"

struct sheet {
    struct cards cards;
    FILE *file;
    bool terminal;
    struct ent_buf raw;    /* one field */
    struct ent_buf text;   /* that, without controls */
    struct ent_buf params; /* one property */
    struct ent_buf value;
    struct ent_buf lines;      /* one object */
    struct ent_buf shown;      /* that, safe for a terminal */
    bool parted;               /* the name, into its parts */
    struct ent_query *members; /* of groups */
    bool has_member;
};

static void put(struct sheet *sheet, const char *name, const char *value)
{
    ent_card_put(&sheet->lines, name, "", ent_slice_str(value));
}

/* The same, escaped. */
static void put_text(struct sheet *sheet, const char *name, const char *params,
                     const char *text)
{
    ent_buf_reset(&sheet->value);
    ent_card_put_text(&sheet->value, ent_slice_str(text));
    ent_card_put(&sheet->lines, name, params, ent_buf_slice(&sheet->value));
}

/* X-ENTENTE-START-ON for start_on. */
static void put_exact(struct sheet *sheet, const struct ent_field *field,
                      const char *text)
{
    char name[sizeof(CARDS_EXACT) + ENT_FIELD_NAME_MAX];
    size_t len = sizeof(CARDS_EXACT) - 1;

    memcpy(name, CARDS_EXACT, len);
    for (const char *at = field->name; *at != '\0' && len < sizeof(name) - 1;
         at++)
        name[len++] = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A'
                             : *at == '_'             ? '-'
                                                      : *at);
    name[len] = '\0';
    put_text(sheet, name, "", text);
}

/* The newest claim of the writes that stand: the object's own time, so that
 * what did not change is written the same again. */
static int64_t changed_ms(const struct ent_record *record)
{
    int64_t ms = 0;

    for (size_t i = 0; i < record->write_count; i++)
        if (record->writes[i].claimed_ms > ms)
            ms = record->writes[i].claimed_ms;
    return ms;
}

/* 20181122T101500Z */
static void put_time(struct sheet *sheet, const char *name, int64_t ms)
{
    char rfc3339[LOOK_TIME_TEXT];
    char text[LOOK_TIME_TEXT];
    size_t len = 0;

    look_rfc3339(ms, rfc3339);
    for (const char *at = rfc3339; *at != '\0'; at++)
        if (*at != '-' && *at != ':')
            text[len++] = *at;
    text[len] = '\0';
    put(sheet, name, text);
}

/* Escapes and other controls that another member's text may hold are spelled
 * out: a carriage return would end the line for some programs. */
static const char *field_text(struct sheet *sheet, const struct export *export,
                              const struct ent_record *record,
                              const struct ent_field *field, int *rc)
{
    const char *text;

    ent_buf_reset(&sheet->text);
    ent_buf_reset(&sheet->raw);
    if (field == NULL)
        return "";
    *rc = export_cell(sheet->cards.ctx, export, record, field, &sheet->raw);
    out_show_as(&sheet->text, ent_buf_slice(&sheet->raw),
                OUT_SHOW_LF | OUT_SHOW_TAB | OUT_SHOW_BIDI);
    text = sheet->raw.rc < 0 ? NULL : ent_buf_cstr(&sheet->text);
    if (text == NULL && *rc == 0)
        *rc = cmd_no_memory(sheet->cards.ctx);
    return text == NULL ? "" : text;
}

/* The title to show: in the reader's language, else the one there is. */
static int find_title(struct sheet *sheet, const struct export *export,
                      const struct ent_record *record, size_t *title)
{
    const struct cards *cards = &sheet->cards;
    int rc = 0;

    *title = CARDS_MAP_MAX;
    for (size_t i = 0; rc == 0 && i < cards->shape->count; i++) {
        if (cards->shape->map[i].form != CARD_TITLE ||
            cards->fields[i] == NULL ||
            *field_text(sheet, export, record, cards->fields[i], &rc) == '\0')
            continue;
        if (*title == CARDS_MAP_MAX ||
            cards_lang(cards->fields[i]) == cards->ctx->lang)
            *title = i;
    }
    return rc;
}

/* vCard 3.0 and many address books cannot do without the parts of a name.
 * Where they are not known all of it is the surname. */
static int put_names(struct sheet *sheet, const struct export *export,
                     const struct ent_record *record, const char *name)
{
    static const char *const parts[] = {CARDS_FAMILY, CARDS_GIVEN};
    const struct ent_kind *kind = sheet->cards.kind;
    struct ent_buf value = {0};
    int rc = 0;

    sheet->parted = false;
    for (size_t i = 0; rc == 0 && i < ENT_ARRAY_LEN(parts); i++) {
        const struct ent_field *field = ent_field_named(kind, parts[i]);
        const char *text = field_text(sheet, export, record, field, &rc);

        /* A surname alone that is the whole name would be read as standing in
         * for the parts. */
        if (*text != '\0' && (i > 0 || strcmp(text, name) != 0))
            sheet->parted = true;
        ent_card_put_text(&value, ent_slice_str(text));
        ent_buf_put_u8(&value, ';');
    }
    if (!sheet->parted) {
        ent_buf_reset(&value);
        ent_card_put_text(&value, ent_slice_str(name));
        ent_buf_put_str(&value, ";;");
    }
    ent_buf_put_str(&value, ";;");
    ent_card_put(&sheet->lines, "N", "", ent_buf_slice(&value));
    ent_buf_fini(&value);
    return rc;
}

/* Whether N has said the field already. */
static bool is_in_names(const struct sheet *sheet,
                        const struct ent_field *field)
{
    return sheet->parted && (strcmp(field->name, CARDS_FAMILY) == 0 ||
                             strcmp(field->name, CARDS_GIVEN) == 0);
}

/* One property for a field; `exact` says whether that was all of it. */
static bool put_property(struct sheet *sheet, size_t at, const char *text)
{
    const struct cards *cards = &sheet->cards;
    const char *params;

    ent_buf_reset(&sheet->params);
    ent_buf_reset(&sheet->value);
    if (!cards_write(cards, at, text, &sheet->params, &sheet->value))
        return false;
    params = ent_buf_cstr(&sheet->params);
    if (params != NULL)
        ent_card_put(&sheet->lines, cards->shape->map[at].property,
                     cards->v3 ? "" : params, ent_buf_slice(&sheet->value));
    return cards_exact(cards, at, text);
}

/* Calendars refuse what ends before it began. */
static bool begins_late(struct sheet *sheet, const struct export *export,
                        const struct ent_record *record, size_t at,
                        const char *text, int *rc)
{
    const struct cards *cards = &sheet->cards;
    enum card_form form = cards->shape->map[at].form;
    char last[16];

    if (form != CARD_LAST && form != CARD_AFTER)
        return false;
    snprintf(last, sizeof(last), "%s", text);
    for (size_t i = 0; i < cards->shape->count; i++)
        if (cards->shape->map[i].form == CARD_FIRST) {
            const char *first =
                field_text(sheet, export, record, cards->fields[i], rc);

            return strncmp(last, first, strlen(last)) < 0 ||
                   (form == CARD_AFTER && *first == '\0');
        }
    return false;
}

/* The elements of a set, each as a property, when one was written before
 * them: the first one read is taken for the one value. */
static bool put_more(struct sheet *sheet, const struct export *export,
                     const struct ent_record *record, size_t at, int *rc)
{
    const struct cards *cards = &sheet->cards;
    struct ent_buf list = {0};
    bool exact = false;
    char *text;

    for (size_t i = 0; i < at && !exact; i++)
        exact =
            strcmp(cards->shape->map[i].property,
                   cards->shape->map[at].property) == 0 &&
            cards->fields[i] != NULL &&
            *field_text(sheet, export, record, cards->fields[i], rc) != '\0';
    ent_buf_put_str(&list,
                    field_text(sheet, export, record, cards->fields[at], rc));
    ent_buf_put_u8(&list, '\0');
    text = list.rc < 0 ? NULL : (char *)list.at;
    while (*rc == 0 && exact && text != NULL && *text != '\0') {
        size_t len = strcspn(text, "|");
        bool last = text[len] == '\0';

        text[len] = '\0';
        exact = put_property(sheet, at, text);
        text += len + !last;
    }
    ent_buf_fini(&list);
    return exact;
}

static int put_fields(struct sheet *sheet, const struct export *export,
                      const struct ent_record *record, size_t title)
{
    const struct cards *cards = &sheet->cards;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < export->count; i++) {
        const struct ent_field *field = export->fields[i];
        bool exact =
            field->number == ENT_FIELD_CODE || is_in_names(sheet, field);
        const char *text;

        for (size_t at = 0; rc == 0 && !exact && at < cards->shape->count;
             at++) {
            if (cards->fields[at] == field &&
                cards->shape->map[at].form == CARD_MORE)
                exact = put_more(sheet, export, record, at, &rc);
            if (cards->fields[at] != field || field->rule == ENT_RULE_SET ||
                (cards->shape->map[at].form == CARD_TITLE && at != title))
                continue;
            text = field_text(sheet, export, record, field, &rc);
            if (*text == '\0' ||
                begins_late(sheet, export, record, at, text, &rc))
                continue;
            text = field_text(sheet, export, record, field, &rc);
            exact = rc == 0 && put_property(sheet, at, text);
        }
        text = exact ? "" : field_text(sheet, export, record, field, &rc);
        if (rc == 0 && *text != '\0')
            put_exact(sheet, field, text);
    }
    return rc;
}

static const char *component_of(const struct sheet *sheet, bool has_day)
{
    const char *component = sheet->cards.shape->component;

    /* An event without a day is not allowed (RFC 5545 section 3.6.1): it is
     * still to be done. */
    return strcmp(component, "VEVENT") == 0 && !has_day ? "VTODO" : component;
}

static bool has_first_day(struct sheet *sheet, const struct export *export,
                          const struct ent_record *record, int *rc)
{
    const struct cards *cards = &sheet->cards;

    for (size_t i = 0; i < cards->shape->count; i++)
        if (cards->shape->map[i].form == CARD_FIRST)
            return *field_text(sheet, export, record, cards->fields[i], rc) !=
                   '\0';
    return false;
}

/* A terminal gets no escapes and no line ends but its own. */
static struct ent_slice for_terminal(struct sheet *sheet)
{
    struct ent_buf plain = {0};

    for (size_t i = 0; i < sheet->lines.len; i++)
        if (sheet->lines.at[i] != '\r')
            ent_buf_put_u8(&plain, sheet->lines.at[i]);
    ent_buf_reset(&sheet->shown);
    out_show_as(&sheet->shown, ent_buf_slice(&plain), OUT_SHOW_LF);
    if (plain.rc < 0)
        sheet->lines.rc = plain.rc;
    ent_buf_fini(&plain);
    return ent_buf_slice(&sheet->shown);
}

static int write_lines(struct sheet *sheet)
{
    struct cmd_ctx *ctx = sheet->cards.ctx;
    struct ent_slice text =
        sheet->terminal ? for_terminal(sheet) : ent_buf_slice(&sheet->lines);

    if (sheet->lines.rc < 0 || sheet->value.rc < 0 || sheet->params.rc < 0)
        return cmd_no_memory(ctx);
    if (fwrite(text.at, 1, text.len, sheet->file) != text.len)
        return ent_err_set(&ctx->err, ENT_EFAIL,
                           "the output could not be written");
    ent_buf_reset(&sheet->lines);
    return 0;
}

/* ---------------------------------------------------------------- members */

/* Who is in a group today, group by group as they are written. */
static const char members_sql[] =
    "SELECT group_id, contact_id FROM assignments"
    " WHERE group_id IS NOT NULL AND contact_id IS NOT NULL"
    "   AND (end_on IS NULL OR end_on >= :today)"
    " GROUP BY group_id, contact_id ORDER BY group_id, contact_id";

static int open_members(struct sheet *sheet)
{
    struct cmd_ctx *ctx = sheet->cards.ctx;
    char today[11];
    int rc;

    if (strcmp(sheet->cards.kind->name, "group") != 0 || sheet->cards.v3)
        return 0;
    rc = ent_query_open(ctx->store, members_sql, &sheet->members, &ctx->err);
    if (rc < 0)
        return rc;
    cmd_today(ctx, today);
    ent_query_bind(sheet->members, ":today", today);
    sheet->has_member = ent_query_next(sheet->members, &ctx->err) > 0;
    return 0;
}

static void put_members(struct sheet *sheet, const char *group)
{
    while (sheet->has_member) {
        int order = strcmp(ent_query_text(sheet->members, 0), group);

        if (order > 0)
            return;
        if (order == 0) {
            ent_buf_reset(&sheet->text);
            out_show(&sheet->text, ent_query_text(sheet->members, 1));
            put_text(sheet, "MEMBER", ";VALUE=text",
                     ent_buf_cstr(&sheet->text) == NULL
                         ? ""
                         : (const char *)sheet->text.at);
        }
        sheet->has_member =
            ent_query_next(sheet->members, &sheet->cards.ctx->err) > 0;
    }
}

/* ---------------------------------------------------------------- objects */

static void put_head(struct sheet *sheet, const struct ent_record *record,
                     const char *component, const char *uid)
{
    const struct cards *cards = &sheet->cards;

    put(sheet, "BEGIN", component);
    if (cards->shape->word != NULL)
        put(sheet, "VERSION", cards->v3 ? "3.0" : "4.0");
    else
        put_time(sheet, "DTSTAMP", changed_ms(record));
    if (cards->shape->word != NULL && !cards->v3)
        put(sheet, "KIND", cards->shape->word);
    put(sheet, CARDS_RECORD, cards->kind->name);
    put_text(sheet, "UID", "", uid);
}

/* The code, else the record's own id. */
static int find_uid(struct sheet *sheet, const struct ent_record *record,
                    struct ent_buf *uid)
{
    char id[ENT_ID_TEXT];

    ent_buf_reset(&sheet->raw);
    look_put(record, ENT_FIELD_CODE, &sheet->raw);
    out_show_as(uid, ent_buf_slice(&sheet->raw), 0);
    if (uid->len == 0) {
        ent_id_text(&record->ref.id, id);
        ent_buf_printf(uid, "urn:uuid:%s", id);
    }
    return ent_buf_cstr(uid) == NULL ? cmd_no_memory(sheet->cards.ctx) : 0;
}

static int put_object(struct sheet *sheet, const struct export *export,
                      const struct ent_record *record, const char *uid)
{
    const struct cards *cards = &sheet->cards;
    bool card = cards->shape->word != NULL;
    const char *name = uid;
    const char *component;
    size_t title;
    int rc = find_title(sheet, export, record, &title);

    component = component_of(sheet, has_first_day(sheet, export, record, &rc));
    put_head(sheet, record, component, uid);
    if (title == CARDS_MAP_MAX)
        put_text(sheet, card ? "FN" : "SUMMARY", "", uid);
    else if (rc == 0)
        name = field_text(sheet, export, record, cards->fields[title], &rc);
    if (rc == 0 && card) {
        struct ent_buf kept = {0};

        ent_buf_put_str(&kept, name);
        name = ent_buf_cstr(&kept);
        rc = name == NULL ? cmd_no_memory(cards->ctx)
                          : put_names(sheet, export, record, name);
        ent_buf_fini(&kept);
    }
    if (rc == 0)
        rc = put_fields(sheet, export, record, title);
    if (sheet->members != NULL)
        put_members(sheet, uid);
    if (card)
        put_time(sheet, "REV", changed_ms(record));
    put(sheet, "END", component);
    return rc;
}

static int write_object(struct cmd_ctx *ctx, const struct export *export,
                        const struct ent_record *record, void *to)
{
    struct sheet *sheet = to;
    struct ent_buf uid = {0};
    int rc = find_uid(sheet, record, &uid);

    (void)ctx;
    if (rc == 0)
        rc = put_object(sheet, export, record, ent_buf_cstr(&uid));
    ent_buf_fini(&uid);
    return rc < 0 ? rc : write_lines(sheet);
}

int cards_export(struct cmd_ctx *ctx, const struct export *export,
                 enum out_format format, bool version3, FILE *file)
{
    struct sheet sheet = {.file = file, .terminal = isatty(fileno(file)) == 1};
    bool calendar = format == OUT_ICS;
    size_t rows = 0;
    int rc = cards_open(ctx, export->kind, format, &sheet.cards);

    sheet.cards.v3 = version3;
    if (rc == 0)
        rc = open_members(&sheet);
    if (rc == 0 && calendar) {
        put(&sheet, "BEGIN", "VCALENDAR");
        put(&sheet, "VERSION", "2.0");
        put(&sheet, "PRODID", "-//Entente//" ENT_VERSION "//EN");
    }
    if (rc == 0)
        rc = export_each(ctx, export, write_object, &sheet, &rows);
    if (calendar)
        put(&sheet, "END", "VCALENDAR");
    if (rc == 0)
        rc = write_lines(&sheet);
    ent_query_close(sheet.members);
    cards_close(&sheet.cards);
    ent_buf_fini(&sheet.raw);
    ent_buf_fini(&sheet.text);
    ent_buf_fini(&sheet.params);
    ent_buf_fini(&sheet.value);
    ent_buf_fini(&sheet.lines);
    ent_buf_fini(&sheet.shown);
    return rc;
}
