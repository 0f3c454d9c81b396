/* cards_in.c - vCards and calendars read line by line, object by object; see
 * cards.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/cards_draft.h"
#include "cli/pick.h"
#include "text/card.h"

#define PREF_LEAST 101

/* -------------------------------------------------------- what is left out */

void cards_leave(struct cards_reader *reader, const char *name)
{
    size_t i = 0;

    while (i < reader->left_count && strcmp(reader->left[i].name, name) != 0)
        i++;
    if (i == CARDS_LEFT_MAX)
        return;
    if (i == reader->left_count)
        snprintf(reader->left[reader->left_count++].name,
                 sizeof(reader->left[0].name), "%s", name);
    reader->left[i].count++;
}

/* What says nothing about the record, or what another property says better. */
static bool is_silent(const char *name)
{
    static const char *const silent[] = {
        "VERSION",  "PRODID", "REV",      "DTSTAMP",
        "CREATED",  "KIND",   "CALSCALE", "LAST-MODIFIED",
        "SEQUENCE", "METHOD", "N",        "X-ADDRESSBOOKSERVER-KIND",
    };

    for (size_t i = 0; i < ENT_ARRAY_LEN(silent); i++)
        if (strcmp(name, silent[i]) == 0)
            return true;
    return false;
}

/* ---------------------------------------------------------------- gathering */

static const char *keep(struct cards_reader *reader, struct ent_slice text)
{
    return (const char *)ent_arena_copy(&reader->draft.arena, text).at;
}

static const char *keep_text(struct cards_reader *reader,
                             struct ent_slice value)
{
    struct ent_buf text = {0};
    const char *kept = NULL;

    if (ent_card_part(&value, '\0', &text) && text.rc == 0)
        kept = keep(reader, ent_buf_slice(&text));
    ent_buf_fini(&text);
    return kept;
}

/* The field of X-ENTENTE-START-ON, NULL when there is none. */
static const struct ent_field *exact_field(struct cards_reader *reader,
                                           const char *name)
{
    char field[ENT_FIELD_NAME_MAX + 1];
    size_t len = 0;
    const struct ent_field *found = NULL;
    struct cmd_ctx *ctx = reader->cards.ctx;

    name += sizeof(CARDS_EXACT) - 1;
    for (; *name != '\0' && len < sizeof(field) - 1; name++)
        field[len++] = (char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a'
                              : *name == '-'               ? '_'
                                                           : *name);
    field[len] = '\0';
    if (pick_field(ctx, reader->cards.kind, reader->rows->space, field, len,
                   &found) < 0)
        return NULL;
    return found;
}

static void take_exact(struct cards_reader *reader,
                       const struct ent_card_line *line)
{
    struct cards_draft *draft = &reader->draft;
    const struct ent_field *field = exact_field(reader, line->name);

    if (field == NULL || draft->exact_count == ENT_FIELDS_MAX || line->cut) {
        cards_leave(reader, line->name);
        return;
    }
    for (size_t i = 0; i < draft->exact_count; i++)
        if (draft->exact[i].field == field) {
            cards_leave(reader, line->name);
            return;
        }
    draft->exact[draft->exact_count].field = field;
    draft->exact[draft->exact_count].line = line->line;
    draft->exact[draft->exact_count].text = keep_text(reader, line->value);
    draft->exact_count++;
}

/* 1 is preferred most (RFC 6350 section 5.3); 3.0 has TYPE=pref. */
static int pref_of(const struct ent_card_line *line)
{
    const char *pref = ent_card_param(line, "PREF");
    int number = pref == NULL ? 0 : atoi(pref);

    if (ent_card_has_word(ent_card_param(line, "TYPE"), "pref"))
        number = 1;
    return number < 1 || number >= PREF_LEAST ? PREF_LEAST : number;
}

/* Where a property goes; a title to the field of its language, without one to
 * that of the reader's. CARDS_MAP_MAX: nowhere. */
static size_t find_slot(const struct cards_reader *reader,
                        const struct ent_card_line *line)
{
    const struct cards *cards = &reader->cards;
    const char *lang = ent_card_param(line, "LANGUAGE");
    enum ent_lang wanted = cards->ctx->lang;
    size_t found = CARDS_MAP_MAX;

    if (lang != NULL && strncasecmp(lang, "fr", 2) == 0)
        wanted = ENT_LANG_FR;
    else if (lang != NULL && strncasecmp(lang, "en", 2) == 0)
        wanted = ENT_LANG_EN;
    for (size_t i = 0; i < cards->shape->count; i++) {
        const struct card_map *map = &cards->shape->map[i];
        const char *type = ent_card_param(line, "RELTYPE");

        if (cards->fields[i] == NULL || strcmp(map->property, line->name) != 0)
            continue;
        if (map->form == CARD_PARENT && type != NULL &&
            strcasecmp(type, "PARENT") != 0)
            continue;
        if (found == CARDS_MAP_MAX ||
            (map->form == CARD_TITLE && cards_lang(cards->fields[i]) == wanted))
            found = i;
    }
    return found;
}

/* What is not the preferred one goes to the set of others, if there is one. */
static void take_more(struct cards_reader *reader, const char *name,
                      const char *value)
{
    const struct cards *cards = &reader->cards;
    struct cards_draft *draft = &reader->draft;

    for (size_t i = 0; i < cards->shape->count; i++)
        if (cards->shape->map[i].form == CARD_MORE &&
            cards->fields[i] != NULL &&
            strcmp(cards->shape->map[i].property, name) == 0 &&
            draft->more_count < CARDS_MORE_MAX) {
            draft->more[draft->more_count].at = i;
            draft->more[draft->more_count++].value = value;
            return;
        }
    cards_leave(reader, name);
}

static void take_given(struct cards_reader *reader,
                       const struct ent_card_line *line)
{
    struct cards_draft *draft = &reader->draft;
    size_t at = find_slot(reader, line);
    int pref = pref_of(line);

    if (at == CARDS_MAP_MAX || line->cut) {
        if (!is_silent(line->name))
            cards_leave(reader, line->name);
        return;
    }
    if (draft->given[at].value != NULL && draft->given[at].pref <= pref) {
        take_more(reader, line->name, keep(reader, line->value));
        return;
    }
    if (draft->given[at].value != NULL)
        take_more(reader, line->name, draft->given[at].value);
    draft->given[at].value = keep(reader, line->value);
    draft->given[at].line = line->line;
    draft->given[at].pref = pref;
}

/* "given other surname" of the parts of N. */
static void take_names(struct cards_reader *reader, struct ent_slice value)
{
    struct ent_buf parts[3] = {0};
    struct ent_buf text = {0};
    static const size_t order[] = {1, 2, 0};

    for (size_t i = 0; i < ENT_ARRAY_LEN(parts); i++)
        ent_card_part(&value, ';', &parts[i]);
    for (size_t i = 0; i < ENT_ARRAY_LEN(order); i++) {
        if (parts[order[i]].len == 0)
            continue;
        if (text.len > 0)
            ent_buf_put_u8(&text, ' ');
        ent_card_put_text(&text, ent_buf_slice(&parts[order[i]]));
    }
    if (text.len > 0)
        reader->draft.names = keep(reader, ent_buf_slice(&text));
    reader->draft.family = keep(reader, ent_buf_slice(&parts[0]));
    reader->draft.called = keep(reader, ent_buf_slice(&parts[1]));
    for (size_t i = 0; i < ENT_ARRAY_LEN(parts); i++)
        ent_buf_fini(&parts[i]);
    ent_buf_fini(&text);
}

static const char *kind_of_word(const char *word)
{
    if (strcasecmp(word, "group") == 0)
        return "group";
    if (strcasecmp(word, "org") == 0)
        return "organisation";
    return strcasecmp(word, "individual") == 0 ? "contact" : "?";
}

static void take_line(struct cards_reader *reader,
                      const struct ent_card_line *line)
{
    struct cards_draft *draft = &reader->draft;
    const char *text;

    if (strcmp(line->name, "UID") == 0 && !line->cut) {
        text = keep_text(reader, line->value);
        if (text != NULL && strncasecmp(text, "urn:uuid:", 9) == 0)
            text += 9;
        draft->uid = text;
    } else if (strcmp(line->name, CARDS_RECORD) == 0) {
        draft->kind = keep_text(reader, line->value);
    } else if (strcmp(line->name, "KIND") == 0 ||
               strcmp(line->name, "X-ADDRESSBOOKSERVER-KIND") == 0) {
        text = keep_text(reader, line->value);
        if (draft->kind == NULL && text != NULL)
            draft->kind = kind_of_word(text);
    } else if (strcmp(line->name, "N") == 0 && !line->cut) {
        take_names(reader, line->value);
    } else if (strncmp(line->name, CARDS_EXACT, sizeof(CARDS_EXACT) - 1) == 0) {
        take_exact(reader, line);
    } else {
        if (strcmp(line->name, "RECURRENCE-ID") == 0)
            draft->instance = true;
        take_given(reader, line);
    }
}

/* ------------------------------------------------------------------ objects */

static void begin(struct cards_reader *reader, size_t line)
{
    struct ent_arena arena = reader->draft.arena;

    ent_arena_reset(&arena);
    reader->draft = (struct cards_draft){.arena = arena, .line = line};
    reader->inside = true;
    reader->depth = 0;
}

static int end(struct cards_reader *reader)
{
    const struct cards_draft *draft = &reader->draft;
    const struct cards *cards = &reader->cards;

    reader->inside = false;
    reader->objects++;
    if ((draft->kind != NULL && strcmp(draft->kind, cards->kind->name) != 0) ||
        draft->instance) {
        reader->others++;
        return 0;
    }
    if (reader->rows->count == ROWS_MAX) {
        ent_err_set(&cards->ctx->err, ENT_EREFUSED, "more than %d rows",
                    ROWS_MAX);
        cards_fault(reader, draft->line, NULL);
        return 0;
    }
    return cards_put_row(reader);
}

/* Events and to-dos stand for each other: what has no day yet is to be done. */
static bool is_ours(const struct cards_reader *reader, struct ent_slice name)
{
    static const char *const calendar[] = {"VEVENT", "VTODO"};
    const char *word = (const char *)name.at;

    if (reader->cards.shape->word != NULL)
        return name.len == 5 && strncasecmp(word, "VCARD", 5) == 0;
    for (size_t i = 0; i < ENT_ARRAY_LEN(calendar); i++)
        if (name.len == strlen(calendar[i]) &&
            strncasecmp(word, calendar[i], name.len) == 0)
            return true;
    return false;
}

static int take(struct cards_reader *reader, const struct ent_card_line *line)
{
    bool begins = strcmp(line->name, "BEGIN") == 0;
    bool ends = strcmp(line->name, "END") == 0;

    if (!reader->inside) {
        if (begins && is_ours(reader, line->value))
            begin(reader, line->line);
        return 0;
    }
    if (begins) {
        reader->depth++;
        cards_leave(reader, line->value.len == 6 &&
                                    strncasecmp((const char *)line->value.at,
                                                "VALARM", 6) == 0
                                ? "VALARM"
                                : "BEGIN");
    } else if (ends && reader->depth > 0) {
        reader->depth--;
    } else if (ends) {
        return end(reader);
    } else if (reader->depth == 0) {
        take_line(reader, line);
    }
    return 0;
}

static int read_lines(struct cards_reader *reader)
{
    struct ent_err *err = &reader->cards.ctx->err;
    const struct ent_card_line *line;
    int rc;

    while ((rc = ent_card_next(reader->card, &line, err)) != 0) {
        if (rc == ENT_ENOMEM)
            return rc;
        if (rc < 0) {
            rows_fault(reader->rows, NULL, 0, NULL, err->text);
            if (ent_card_broken(reader->card))
                return 0;
            continue;
        }
        rc = take(reader, line);
        if (rc < 0)
            return rc;
    }
    if (reader->inside) {
        ent_err_set(err, ENT_EREFUSED,
                    "what begins here has no end; is the file cut off?");
        cards_fault(reader, reader->draft.line, NULL);
    } else if (reader->objects == 0) {
        ent_err_set(err, ENT_EREFUSED, "nothing of that kind is in the file");
        cards_fault(reader, 1, NULL);
    }
    return 0;
}

static void tell(struct cards_reader *reader)
{
    struct cmd_ctx *ctx = reader->cards.ctx;
    struct ent_buf list = {0};
    const char *text;

    for (size_t i = 0; i < reader->left_count; i++)
        ent_buf_printf(&list, "%s%s %zu", list.len > 0 ? ", " : "",
                       reader->left[i].name, reader->left[i].count);
    text = ent_buf_cstr(&list);
    if (reader->left_count > 0 && text != NULL)
        cmd_say(ctx, _("%s: left out, as no field can hold it: %s"),
                reader->path, text);
    if (reader->others > 0)
        cmd_say(ctx,
                ngettext("%s: %zu object is of another kind and was left out",
                         "%s: %zu objects are of another kind and were left "
                         "out",
                         reader->others),
                reader->path, reader->others);
    if (reader->nameless > 0)
        cmd_say(ctx,
                ngettext("%s: %zu object has no UID: it becomes a new record, "
                         "also when it is imported again",
                         "%s: %zu objects have no UID: each becomes a new "
                         "record, also when it is imported again",
                         reader->nameless),
                reader->path, reader->nameless);
    ent_buf_fini(&list);
}

/* ------------------------------------------------------------------- files */

int cards_import(struct cmd_ctx *ctx, struct rows *rows,
                 const struct ent_kind *kind, int fd, const char *path)
{
    struct cards_reader *reader = calloc(1, sizeof(*reader));
    enum out_format format = cards_sniff(fd);
    int rc;

    if (reader == NULL) {
        close(fd);
        return cmd_no_memory(ctx);
    }
    reader->rows = rows;
    reader->path = ent_arena_str(&rows->arena, path);
    rc = cards_open(ctx, kind, format, &reader->cards);
    if (rc == 0 && reader->path == NULL)
        rc = cmd_no_memory(ctx);
    if (rc < 0)
        close(fd);
    else
        rc = ent_card_open_fd(fd, path, &reader->card, &ctx->err);
    if (rc == 0)
        rc = read_lines(reader);
    if (rc == 0)
        tell(reader);
    ent_card_close(reader->card);
    cards_close(&reader->cards);
    ent_arena_fini(&reader->draft.arena);
    free(reader);
    return rc;
}
