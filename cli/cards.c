/* cards.c - what the properties mean; see cards.h. */
#include "cli/cards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/countries.h"
#include "cli/names.h"
#include "text/card.h"
#include "text/parse.h"
#include "text/unicode.h"

#define ICAL "ical:"
#define COUNTRY_AT 6 /* of the parts of an address */
#define SNIFF_BYTES 64

/* -------------------------------------------------------------- the kinds */

static const struct card_map contact_map[] = {
    {"FN", "display_name", CARD_TITLE},
    {"TITLE", "title", CARD_TEXT},
    {"ROLE", "role", CARD_TEXT},
    {"ORG", "org_id", CARD_NAME},
    {"ADR", "iso3", CARD_COUNTRY},
    {"LANG", "language", CARD_TEXT, .only4 = true},
    {"EMAIL", "email", CARD_TEXT},
    {"TEL", "phone", CARD_TEXT},
    {"TZ", "timezone", CARD_TEXT},
    {"EMAIL", "emails", CARD_MORE},
    {"TEL", "phones", CARD_MORE},
    {"LANG", "languages", CARD_MORE, .only4 = true},
};

static const struct card_map organisation_map[] = {
    {"FN", "name", CARD_TITLE},
    {"NICKNAME", "acronym", CARD_TEXT},
    {"CATEGORIES", "org_type", CARD_WORD},
    {"ADR", "iso3", CARD_COUNTRY},
};

static const struct card_map group_map[] = {
    {"FN", "name_fr", CARD_TITLE},     {"FN", "name_en", CARD_TITLE},
    {"CATEGORIES", "kind", CARD_WORD}, {"ORG", "lead_org_id", CARD_NAME},
    {"ADR", "iso3", CARD_COUNTRY},
};

static const struct card_map activity_map[] = {
    {"SUMMARY", "title_fr", CARD_TITLE},
    {"SUMMARY", "title_en", CARD_TITLE},
    {"DTSTART", "start_on", CARD_FIRST},
    {"DUE", "due_on", CARD_LAST},
    {"STATUS", "status", CARD_STATUS},
    {"CATEGORIES", "activity_type", CARD_WORD},
    {"PERCENT-COMPLETE", "progress_pct", CARD_PERCENT},
    {"RELATED-TO", "plan_id", CARD_PARENT},
};

static const struct card_map milestone_map[] = {
    {"SUMMARY", "title_fr", CARD_TITLE},
    {"SUMMARY", "title_en", CARD_TITLE},
    {"DUE", "due_on", CARD_LAST},
    {"COMPLETED", "reached_on", CARD_MOMENT},
    {"STATUS", "status", CARD_STATUS},
    {"CATEGORIES", "kind", CARD_WORD},
    {"RELATED-TO", "plan_id", CARD_PARENT},
};

static const struct card_map training_map[] = {
    {"SUMMARY", "title_fr", CARD_TITLE},   {"SUMMARY", "title_en", CARD_TITLE},
    {"DTSTART", "start_on", CARD_FIRST},   {"DTEND", "end_on", CARD_AFTER},
    {"STATUS", "status", CARD_STATUS},     {"CATEGORIES", "kind", CARD_WORD},
    {"LOCATION", "adm1_pcode", CARD_NAME},
};

static const struct card_map session_map[] = {
    {"SUMMARY", "subject_fr", CARD_TITLE},
    {"DTSTART", "held_on", CARD_FIRST},
    {"STATUS", "status", CARD_STATUS},
    {"CATEGORIES", "kind", CARD_WORD},
    {"LOCATION", "adm1_pcode", CARD_NAME},
    {"RELATED-TO", "support_id", CARD_PARENT},
};

#define MAP(list) (list), ENT_ARRAY_LEN(list)

static const struct card_kind shapes[] = {
    {"contact", "VCARD", "individual", MAP(contact_map)},
    {"organisation", "VCARD", "org", MAP(organisation_map)},
    {"group", "VCARD", "group", MAP(group_map)},
    {"activity", "VTODO", NULL, MAP(activity_map)},
    {"milestone", "VTODO", NULL, MAP(milestone_map)},
    {"training", "VEVENT", NULL, MAP(training_map)},
    {"support_session", "VEVENT", NULL, MAP(session_map)},
};

/* The names of what a field refers to, of its first kind. */
static int load_names(struct cards *cards, size_t at)
{
    const char *targets = cards->fields[at]->targets;
    char name[ENT_FIELD_NAME_MAX + 1];
    const struct ent_kind *kind;

    snprintf(name, sizeof(name), "%.*s",
             (int)strcspn(targets == NULL ? "" : targets, "|"),
             targets == NULL ? "" : targets);
    kind = ent_kind_named(&cards->ctx->kinds, name);
    return kind == NULL ? 0 : names_load(cards->ctx, kind, &cards->names[at]);
}

static int refuse_kind(struct cmd_ctx *ctx, const struct ent_kind *kind,
                       bool card)
{
    struct ent_buf list = {0};
    const char *text;
    int rc;

    for (size_t i = 0; i < ENT_ARRAY_LEN(shapes); i++)
        if ((shapes[i].word != NULL) == card)
            ent_buf_printf(&list, "%s%s", list.len > 0 ? ", " : "",
                           shapes[i].kind);
    text = ent_buf_cstr(&list);
    if (card)
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         "%s is no kind of vCard; these are: %s", kind->name,
                         text == NULL ? "" : text);
    else
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         "%s is no kind of iCalendar; these are: %s",
                         kind->name, text == NULL ? "" : text);
    ent_buf_fini(&list);
    return rc;
}

int cards_open(struct cmd_ctx *ctx, const struct ent_kind *kind,
               enum out_format format, struct cards *cards)
{
    int rc = 0;

    *cards = (struct cards){.ctx = ctx, .kind = kind};
    for (size_t i = 0; i < ENT_ARRAY_LEN(shapes); i++)
        if (strcmp(shapes[i].kind, kind->name) == 0 &&
            (shapes[i].word != NULL) == (format == OUT_VCF))
            cards->shape = &shapes[i];
    if (cards->shape == NULL)
        return refuse_kind(ctx, kind, format == OUT_VCF);
    for (size_t i = 0; rc == 0 && i < cards->shape->count; i++) {
        cards->fields[i] = ent_field_named(kind, cards->shape->map[i].field);
        if (cards->fields[i] != NULL && cards->shape->map[i].form == CARD_NAME)
            rc = load_names(cards, i);
    }
    return rc;
}

void cards_close(struct cards *cards)
{
    for (size_t i = 0; i < CARDS_MAP_MAX; i++)
        names_free(cards->names[i]);
}

enum ent_lang cards_lang(const struct ent_field *field)
{
    size_t len = strlen(field->name);

    if (len > 3 && strcmp(field->name + len - 3, "_fr") == 0)
        return ENT_LANG_FR;
    if (len > 3 && strcmp(field->name + len - 3, "_en") == 0)
        return ENT_LANG_EN;
    return ENT_LANG_COUNT;
}

/* ------------------------------------------------------------------- days */

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

struct day {
    int year, month, day;
};

static void step_day(struct day *day, int by)
{
    day->day += by;
    if (day->day < 1) {
        if (--day->month < 1) {
            day->month = 12;
            day->year--;
        }
        day->day = month_days(day->year, day->month);
    } else if (day->day > month_days(day->year, day->month)) {
        day->day = 1;
        if (++day->month > 12) {
            day->month = 1;
            day->year++;
        }
    }
}

/* A date as it is known, as its first day or its last. */
static bool read_date(const char *text, bool last, struct day *day)
{
    int got = sscanf(text, "%4d-%2d-%2d", &day->year, &day->month, &day->day);

    if (got < 1 || day->year < 1)
        return false;
    if (got < 2)
        day->month = last ? 12 : 1;
    if (day->month < 1 || day->month > 12)
        return false;
    if (got < 3)
        day->day = last ? month_days(day->year, day->month) : 1;
    return true;
}

/* 20180601, 20180601T090000Z and 2018-06-01, as calendars write them. The day
 * is that of the place where it was written. */
static bool read_day(struct ent_slice value, struct day *day, bool *midnight)
{
    char digits[15] = "";
    size_t count = 0;

    for (size_t i = 0; i < value.len && count < sizeof(digits) - 1; i++) {
        if (value.at[i] >= '0' && value.at[i] <= '9')
            digits[count++] = (char)value.at[i];
        else if (strchr("-:TtZz", value.at[i]) == NULL)
            return false;
    }
    *midnight = count == 8 || strcmp(digits + 8, "000000") == 0;
    return (count == 8 || count >= 12) &&
           sscanf(digits, "%4d%2d%2d", &day->year, &day->month, &day->day) ==
               3 &&
           day->year >= 1 && day->month >= 1 && day->month <= 12 &&
           day->day >= 1 && day->day <= month_days(day->year, day->month);
}

static bool put_days(enum card_form form, const char *text,
                     struct ent_buf *params, struct ent_buf *value)
{
    struct day day;

    if (!read_date(text, form == CARD_LAST || form == CARD_AFTER, &day))
        return false;
    if (form == CARD_MOMENT && strlen(text) != 10)
        return false;
    if (form == CARD_AFTER)
        step_day(&day, 1);
    if (day.year > 9999)
        return false;
    if (form != CARD_MOMENT)
        ent_buf_put_str(params, ";VALUE=DATE");
    ent_buf_printf(value, "%04d%02d%02d%s", day.year, day.month, day.day,
                   form == CARD_MOMENT ? "T000000Z" : "");
    return true;
}

static bool take_days(enum card_form form, struct ent_slice value,
                      struct ent_buf *text)
{
    struct day day;
    bool midnight;

    if (!read_day(value, &day, &midnight))
        return false;
    if (form == CARD_AFTER && midnight)
        step_day(&day, -1);
    ent_buf_printf(text, "%04d-%02d-%02d", day.year, day.month, day.day);
    return day.year >= 1;
}

/* ----------------------------------------------------------------- status */

/* What stands behind "ical:" for a term, 0 bytes when nothing does. */
static struct ent_slice ical_of(const struct ent_term *term)
{
    const char *at = strstr(term->external, ICAL);

    if (at == NULL)
        return ent_slice(NULL, 0);
    at += strlen(ICAL);
    return ent_slice(at, strcspn(at, " "));
}

/* The first term of the list with that status. */
static const struct ent_term *term_of(const struct cards *cards, size_t at,
                                      struct ent_slice status)
{
    const struct ent_term *terms;
    size_t count =
        ent_vocab_list(&cards->ctx->vocab, cards->fields[at]->list, &terms);

    for (size_t i = 0; i < count; i++) {
        struct ent_slice ical = ical_of(&terms[i]);

        if (ical.len == status.len && ical.len > 0 &&
            strncasecmp((const char *)ical.at, (const char *)status.at,
                        ical.len) == 0)
            return &terms[i];
    }
    return NULL;
}

static bool put_status(const struct cards *cards, size_t at, const char *text,
                       struct ent_buf *value)
{
    const struct ent_term *term =
        ent_vocab_find(&cards->ctx->vocab, cards->fields[at]->list, text);

    if (term == NULL || ical_of(term).len == 0)
        return false;
    ent_buf_put_slice(value, ical_of(term));
    return true;
}

/* ---------------------------------------------------------------- writing */

static bool put_name(const struct cards *cards, size_t at, const char *text,
                     struct ent_buf *value)
{
    const char *name = cards->names[at] == NULL
                           ? NULL
                           : names_of(cards->names[at], ent_slice_str(text));

    if (name == NULL)
        return false;
    ent_card_put_text(value, ent_slice_str(name));
    return true;
}

static bool put_country(const struct cards *cards, const char *text,
                        struct ent_buf *value)
{
    const char *name = countries_name(cards->ctx, text);

    for (size_t i = 0; i < COUNTRY_AT; i++)
        ent_buf_put_u8(value, ';');
    ent_card_put_text(value, ent_slice_str(name == NULL ? text : name));
    return true;
}

bool cards_write(const struct cards *cards, size_t at, const char *text,
                 struct ent_buf *params, struct ent_buf *value)
{
    const struct card_map *map = &cards->shape->map[at];

    if (map->only4 && cards->v3)
        return false;
    switch (map->form) {
    case CARD_TITLE:
        if (cards_lang(cards->fields[at]) != ENT_LANG_COUNT)
            ent_buf_printf(params, ";LANGUAGE=%s",
                           cards_lang(cards->fields[at]) == ENT_LANG_FR ? "fr"
                                                                        : "en");
        ent_card_put_text(value, ent_slice_str(text));
        return true;
    case CARD_PARENT:
        ent_buf_put_str(params, ";RELTYPE=PARENT");
        ent_card_put_text(value, ent_slice_str(text));
        return true;
    case CARD_TEXT:
    case CARD_MORE:
    case CARD_WORD:
        ent_card_put_text(value, ent_slice_str(text));
        return true;
    case CARD_NAME:
        return put_name(cards, at, text, value);
    case CARD_COUNTRY:
        return put_country(cards, text, value);
    case CARD_STATUS:
        return put_status(cards, at, text, value);
    case CARD_FIRST:
    case CARD_LAST:
    case CARD_AFTER:
    case CARD_MOMENT:
        return put_days(map->form, text, params, value);
    case CARD_PERCENT:
        ent_buf_put_str(value, text);
        return strlen(text) <= 3 && text[0] != '-' && atoi(text) <= 100;
    }
    return false;
}

bool cards_exact(const struct cards *cards, size_t at, const char *text)
{
    const struct ent_term *term;
    struct ent_slice ical;

    switch (cards->shape->map[at].form) {
    case CARD_NAME:
    case CARD_COUNTRY:
        return false;
    case CARD_FIRST:
    case CARD_LAST:
    case CARD_AFTER:
    case CARD_MOMENT:
        return strlen(text) == 10;
    case CARD_STATUS:
        term =
            ent_vocab_find(&cards->ctx->vocab, cards->fields[at]->list, text);
        ical = term == NULL ? ent_slice(NULL, 0) : ical_of(term);
        return ical.len > 0 && term_of(cards, at, ical) == term;
    case CARD_TITLE:
    case CARD_TEXT:
    case CARD_MORE:
    case CARD_WORD:
    case CARD_PARENT:
    case CARD_PERCENT:
        break;
    }
    return true;
}

/* ---------------------------------------------------------------- reading */

/* A URI where text is usual: tel:+257..., mailto:... */
static void take_text(struct ent_slice value, struct ent_buf *text)
{
    static const char *const schemes[] = {"tel:", "mailto:"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(schemes); i++) {
        size_t len = strlen(schemes[i]);

        if (value.len > len &&
            strncasecmp((const char *)value.at, schemes[i], len) == 0) {
            value = ent_slice(value.at + len, value.len - len);
            break;
        }
    }
    ent_card_part(&value, '\0', text);
}

/* The first word of the list that the field can hold. */
static bool take_word(const struct cards *cards, size_t at,
                      struct ent_slice value, struct ent_buf *text)
{
    struct ent_arena arena = {0};
    struct ent_value parsed;
    struct ent_err err;
    bool found = false;

    while (!found && ent_card_part(&value, ',', text)) {
        found =
            text->len > 0 &&
            ent_value_parse(cards->fields[at], &cards->ctx->vocab,
                            ent_buf_slice(text), &arena, &parsed, &err) == 0;
        if (!found)
            ent_buf_reset(text);
    }
    ent_arena_fini(&arena);
    return found;
}

static bool take_country(const struct cards *cards, struct ent_slice value,
                         struct ent_buf *text)
{
    char code[COUNTRIES_CODE];
    struct ent_err err;
    bool here = true;

    for (size_t i = 0; here && i <= COUNTRY_AT; i++) {
        ent_buf_reset(text);
        here = ent_card_part(&value, ';', text);
    }
    if (!here || text->len == 0 ||
        countries_read(cards->ctx, ent_buf_slice(text), code, &err) < 0)
        return false;
    ent_buf_reset(text);
    ent_buf_put_str(text, code);
    return true;
}

/* The organisation is the first part of ORG; a place has no parts. */
static bool take_name(const struct cards *cards, size_t at,
                      struct ent_slice value, struct ent_buf *text)
{
    bool parts = strcmp(cards->shape->map[at].property, "ORG") == 0;
    const char *key = NULL;

    if (ent_card_part(&value, parts ? ';' : '\0', text) &&
        cards->names[at] != NULL)
        key = names_find(cards->names[at], ent_buf_slice(text));
    ent_buf_reset(text);
    if (key != NULL)
        ent_buf_put_str(text, key);
    return key != NULL;
}

static bool is_percent(struct ent_slice text)
{
    int number = 0;

    for (size_t i = 0; i < text.len && number <= 100; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        number = 10 * number + text.at[i] - '0';
    }
    return text.len > 0 && number <= 100;
}

bool cards_read(const struct cards *cards, size_t at, struct ent_slice value,
                struct ent_buf *text)
{
    const struct ent_term *term;

    switch (cards->shape->map[at].form) {
    case CARD_TITLE:
    case CARD_TEXT:
    case CARD_MORE:
    case CARD_PARENT:
        take_text(value, text);
        return text->len > 0;
    case CARD_PERCENT:
        take_text(value, text);
        return is_percent(ent_buf_slice(text));
    case CARD_WORD:
        return take_word(cards, at, value, text);
    case CARD_NAME:
        return take_name(cards, at, value, text);
    case CARD_COUNTRY:
        return take_country(cards, value, text);
    case CARD_STATUS:
        term = term_of(cards, at, value);
        ent_buf_put_str(text, term == NULL ? "" : term->code);
        return term != NULL;
    case CARD_FIRST:
    case CARD_LAST:
    case CARD_AFTER:
    case CARD_MOMENT:
        return take_days(cards->shape->map[at].form, value, text);
    }
    return false;
}

/* ----------------------------------------------------------------- checking */

/* What events and to-dos may have (RFC 5545 section 3.8.1.11). */
static bool is_status(struct ent_slice status)
{
    static const char *const words[] = {"NEEDS-ACTION", "COMPLETED",
                                        "IN-PROCESS",   "CANCELLED",
                                        "TENTATIVE",    "CONFIRMED"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(words); i++)
        if (status.len == strlen(words[i]) &&
            strncasecmp(words[i], (const char *)status.at, status.len) == 0)
            return true;
    return false;
}

static int refuse_status(const struct cards *cards, size_t at,
                         struct ent_slice status, struct ent_err *err)
{
    const struct ent_term *terms;
    size_t count =
        ent_vocab_list(&cards->ctx->vocab, cards->fields[at]->list, &terms);
    struct ent_buf list = {0};
    const char *text;
    int rc;

    for (size_t i = 0; i < count; i++) {
        struct ent_slice ical = ical_of(&terms[i]);

        if (ical.len == 0 || term_of(cards, at, ical) != &terms[i])
            continue;
        if (list.len > 0)
            ent_buf_put_str(&list, ", ");
        ent_buf_put_slice(&list, ical);
    }
    text = ent_buf_cstr(&list);
    rc = ent_err_set(err, ENT_EREFUSED,
                     "\"%.*s\" is no state of a calendar; write %s",
                     ent_text_shown(status, 60), (const char *)status.at,
                     text == NULL ? "" : text);
    ent_buf_fini(&list);
    return rc;
}

int cards_check(const struct cards *cards, size_t at, struct ent_slice value,
                struct ent_err *err)
{
    int len = ent_text_shown(value, 60);
    const char *shown = (const char *)value.at;

    if (value.len == 0)
        return 0;
    switch (cards->shape->map[at].form) {
    case CARD_STATUS:
        return is_status(value) ? 0 : refuse_status(cards, at, value, err);
    case CARD_FIRST:
    case CARD_LAST:
    case CARD_AFTER:
    case CARD_MOMENT:
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%.*s\" is not a date; write 20170615 or "
                           "20170615T090000Z",
                           len, shown);
    case CARD_PERCENT:
        return ent_err_set(err, ENT_EREFUSED,
                           "\"%.*s\" is not a percentage; write 0 to 100", len,
                           shown);
    case CARD_TITLE:
    case CARD_TEXT:
    case CARD_MORE:
    case CARD_WORD:
    case CARD_NAME:
    case CARD_COUNTRY:
    case CARD_PARENT:
        break;
    }
    return 0;
}

/* ------------------------------------------------------------------- files */

enum out_format cards_sniff(int fd)
{
    char text[SNIFF_BYTES + 1] = "";
    ssize_t got = pread(fd, text, SNIFF_BYTES, 0);
    const char *at = text;

    if (got < 0)
        return OUT_AUTO;
    text[got] = '\0';
    if (strncmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    at += strspn(at, " \t\r\n");
    if (strncasecmp(at, "BEGIN:VCARD", 11) == 0)
        return OUT_VCF;
    if (*at == '[' || *at == '{')
        return OUT_JSON;
    return strncasecmp(at, "BEGIN:VCALENDAR", 15) == 0 ? OUT_ICS : OUT_AUTO;
}
