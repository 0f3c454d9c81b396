/* cards_in.c - vCards and calendars read; see cards.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/cards.h"
#include "cli/pick.h"
#include "text/card.h"

#define LEFT_MAX 64 /* names of properties that are told apart */
#define PREF_LEAST 101
#define CARDS_MORE_MAX 64 /* further properties of an object */

/* One object on its way in. */
struct draft {
    struct ent_arena arena;
    size_t line; /* of its beginning */
    const char *uid;
    const char *kind;  /* the record's, as the object says */
    const char *names; /* the surname and others, for want of a title */
    const char *family;
    const char *called; /* the given name */
    struct {
        const char *value; /* escaped; NULL: none */
        size_t line;
        int pref;
    } given[CARDS_MAP_MAX];
    struct {
        const struct ent_field *field;
        const char *text;
        size_t line;
    } exact[ENT_FIELDS_MAX];
    size_t exact_count;
    struct {
        const char *value; /* escaped, of a set */
        size_t at;
    } more[CARDS_MORE_MAX];
    size_t more_count;
    bool instance; /* one of a series whose rule is another object */
};

struct reader {
    struct cards cards;
    struct rows *rows;
    const char *path; /* in the rows' arena */
    struct ent_card *card;
    struct draft draft;
    bool inside;
    size_t depth;  /* of what lies within the object */
    size_t others; /* objects of other kinds */
    size_t nameless;
    size_t objects;
    struct {
        char name[48];
        size_t count;
    } left[LEFT_MAX];
    size_t left_count;
};

/* -------------------------------------------------------- what is left out */

static void leave(struct reader *reader, const char *name)
{
    size_t i = 0;

    while (i < reader->left_count && strcmp(reader->left[i].name, name) != 0)
        i++;
    if (i == LEFT_MAX)
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

static const char *keep(struct reader *reader, struct ent_slice text)
{
    return (const char *)ent_arena_copy(&reader->draft.arena, text).at;
}

static const char *keep_text(struct reader *reader, struct ent_slice value)
{
    struct ent_buf text = {0};
    const char *kept = NULL;

    if (ent_card_part(&value, '\0', &text) && text.rc == 0)
        kept = keep(reader, ent_buf_slice(&text));
    ent_buf_fini(&text);
    return kept;
}

/* The field of X-ENTENTE-START-ON, NULL when there is none. */
static const struct ent_field *exact_field(struct reader *reader,
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

static void take_exact(struct reader *reader, const struct ent_card_line *line)
{
    struct draft *draft = &reader->draft;
    const struct ent_field *field = exact_field(reader, line->name);

    if (field == NULL || draft->exact_count == ENT_FIELDS_MAX || line->cut) {
        leave(reader, line->name);
        return;
    }
    for (size_t i = 0; i < draft->exact_count; i++)
        if (draft->exact[i].field == field) {
            leave(reader, line->name);
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
static size_t find_slot(const struct reader *reader,
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
static void take_more(struct reader *reader, const char *name,
                      const char *value)
{
    const struct cards *cards = &reader->cards;
    struct draft *draft = &reader->draft;

    for (size_t i = 0; i < cards->shape->count; i++)
        if (cards->shape->map[i].form == CARD_MORE &&
            cards->fields[i] != NULL &&
            strcmp(cards->shape->map[i].property, name) == 0 &&
            draft->more_count < CARDS_MORE_MAX) {
            draft->more[draft->more_count].at = i;
            draft->more[draft->more_count++].value = value;
            return;
        }
    leave(reader, name);
}

static void take_given(struct reader *reader, const struct ent_card_line *line)
{
    struct draft *draft = &reader->draft;
    size_t at = find_slot(reader, line);
    int pref = pref_of(line);

    if (at == CARDS_MAP_MAX || line->cut) {
        if (!is_silent(line->name))
            leave(reader, line->name);
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
static void take_names(struct reader *reader, struct ent_slice value)
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

static void take_line(struct reader *reader, const struct ent_card_line *line)
{
    struct draft *draft = &reader->draft;
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

/* ------------------------------------------------------------- to the rows */

static int put_word(struct reader *reader, struct row *row,
                    const struct ent_field *field, const char *text)
{
    struct change_word *word = &row->words[row->count];
    struct ent_slice kept =
        ent_arena_copy(&reader->rows->arena, ent_slice_str(text));
    int rc = kept.at == NULL
                 ? cmd_no_memory(reader->cards.ctx)
                 : change_values(reader->cards.ctx, field, kept,
                                 &reader->rows->arena, &word->values,
                                 &word->count, &reader->cards.ctx->err);

    if (rc < 0 || word->count == 0)
        return rc;
    word->field = field;
    word->how = field->rule == ENT_RULE_SET ? CHANGE_ADD : CHANGE_WRITE;
    row->count++;
    return 0;
}

static void fault(struct reader *reader, size_t line, const char *name)
{
    rows_fault(reader->rows, reader->path, line, name,
               reader->cards.ctx->err.text);
}

/* Whether two texts of a field are said by the same property. */
static bool says_the_same(const struct cards *cards, size_t at, const char *a,
                          const char *b)
{
    struct ent_buf params = {0};
    struct ent_buf first = {0};
    struct ent_buf second = {0};
    bool same =
        strcmp(a, b) == 0 ||
        (cards_write(cards, at, a, &params, &first) &&
         cards_write(cards, at, b, &params, &second) &&
         ent_slice_equal(ent_buf_slice(&first), ent_buf_slice(&second)));

    ent_buf_fini(&params);
    ent_buf_fini(&first);
    ent_buf_fini(&second);
    return same;
}

/* What was written exactly for the field of a property, NULL: nothing. */
static const char *exact_of(const struct draft *draft,
                            const struct ent_field *field)
{
    for (size_t i = 0; i < draft->exact_count; i++)
        if (draft->exact[i].field == field)
            return draft->exact[i].text;
    return NULL;
}

static void drop_exact(struct draft *draft, const struct ent_field *field)
{
    for (size_t i = 0; i < draft->exact_count; i++)
        if (draft->exact[i].field == field)
            draft->exact[i].text = NULL;
}

/* A title that is the UID only stands in for one. */
static bool stands_in(const struct reader *reader, size_t at, const char *text)
{
    return reader->cards.shape->map[at].form == CARD_TITLE &&
           reader->draft.uid != NULL && strcmp(text, reader->draft.uid) == 0;
}

static int put_given(struct reader *reader, struct row *row, size_t at)
{
    const struct cards *cards = &reader->cards;
    struct draft *draft = &reader->draft;
    const struct ent_field *field = cards->fields[at];
    const char *exact = exact_of(draft, field);
    struct ent_buf buf = {0};
    const char *text = NULL;
    int rc = 0;

    if (cards_read(cards, at, ent_slice_str(draft->given[at].value), &buf))
        text = ent_buf_cstr(&buf);
    if (text == NULL && exact == NULL)
        leave(reader, cards->shape->map[at].property);
    if (text != NULL && exact != NULL && says_the_same(cards, at, text, exact))
        text = NULL;
    if (text != NULL && strncmp(text, "urn:uuid:", 9) == 0 &&
        stands_in(reader, at, text + 9))
        text = NULL;
    if (text != NULL && !stands_in(reader, at, text)) {
        rc = put_word(reader, row, field, text);
        if (rc == 0)
            drop_exact(draft, field);
    }
    ent_buf_fini(&buf);
    if (rc == 0 || rc == ENT_ENOMEM)
        return rc;
    /* A role or language that is not ours is no fault of the file. */
    if (field->type == ENT_TYPE_TEXT)
        fault(reader, draft->given[at].line, cards->shape->map[at].property);
    else if (exact == NULL)
        leave(reader, cards->shape->map[at].property);
    return 0;
}

/* The further properties that go into one set, and what was written exactly
 * for it. */
static int put_more(struct reader *reader, struct row *row, size_t at)
{
    const struct cards *cards = &reader->cards;
    struct draft *draft = &reader->draft;
    const struct ent_field *field = cards->fields[at];
    const char *exact = exact_of(draft, field);
    struct ent_buf list = {0};
    const char *text;
    int rc = 0;

    for (size_t i = 0; i < draft->more_count; i++) {
        struct ent_buf one = {0};

        if (draft->more[i].at != at)
            continue;
        if (draft->more[i].value == NULL ||
            !cards_read(cards, at, ent_slice_str(draft->more[i].value), &one) ||
            memchr(one.at, '|', one.len) != NULL)
            leave(reader, cards->shape->map[at].property);
        else
            ent_buf_printf(&list, "%s%s", list.len > 0 ? "|" : "",
                           ent_buf_cstr(&one));
        ent_buf_fini(&one);
    }
    if (list.len > 0 && exact != NULL)
        ent_buf_printf(&list, "|%s", exact);
    text = ent_buf_cstr(&list);
    if (text != NULL && *text != '\0') {
        rc = put_word(reader, row, field, text);
        if (rc == 0)
            drop_exact(draft, field);
        else if (rc != ENT_ENOMEM) {
            leave(reader, cards->shape->map[at].property);
            rc = 0;
        }
    }
    ent_buf_fini(&list);
    return rc;
}

static int put_uid(struct reader *reader, struct row *row)
{
    const struct ent_field *code =
        ent_field_find(reader->cards.kind, ENT_FIELD_CODE);
    int rc;

    if (reader->draft.uid == NULL) {
        reader->nameless++;
        return 0;
    }
    rc = put_word(reader, row, code, reader->draft.uid);
    if (rc == 0)
        rc = rows_name(row, &reader->cards.ctx->err);
    if (rc < 0 && rc != ENT_ENOMEM) {
        fault(reader, reader->draft.line, "UID");
        rc = 0;
    }
    return rc;
}

/* The name in parts serves where there is no other. */
static void use_names(struct reader *reader)
{
    struct draft *draft = &reader->draft;

    for (size_t i = 0; i < reader->cards.shape->count; i++)
        if (strcmp(reader->cards.shape->map[i].property, "FN") == 0 &&
            reader->cards.fields[i] != NULL) {
            if (draft->given[i].value == NULL &&
                exact_of(draft, reader->cards.fields[i]) == NULL) {
                draft->given[i].value = draft->names;
                draft->given[i].line = draft->line;
            }
            return;
        }
}

/* The parts of the name into their fields, where there are such; a surname
 * that is the whole name only stands in for them. */
static int put_names(struct reader *reader, struct row *row)
{
    const struct draft *draft = &reader->draft;
    const struct ent_kind *kind = reader->cards.kind;
    const struct ent_field *family = ent_field_named(kind, CARDS_FAMILY);
    const struct ent_field *given = ent_field_named(kind, CARDS_GIVEN);
    const struct ent_field *title = ent_field_named(kind, kind->title);
    bool whole = draft->called == NULL || *draft->called == '\0';
    int rc = 0;

    if (draft->family == NULL || family == NULL || given == NULL ||
        exact_of(draft, family) != NULL || exact_of(draft, given) != NULL)
        return 0;
    for (size_t i = 0; whole && i < row->count; i++)
        if (row->words[i].field == title &&
            ent_slice_equal(row->words[i].values[0].bytes,
                            ent_slice_str(draft->family)))
            return 0;
    if (*draft->family != '\0')
        rc = put_word(reader, row, family, draft->family);
    if (rc == 0 && !whole)
        rc = put_word(reader, row, given, draft->called);
    if (rc == 0 || rc == ENT_ENOMEM)
        return rc;
    fault(reader, draft->line, "N");
    return 0;
}

static int put_row(struct reader *reader)
{
    struct draft *draft = &reader->draft;
    size_t faults = reader->rows->faults;
    struct row *row =
        rows_new(reader->rows, reader->cards.kind, reader->path, draft->line,
                 reader->cards.shape->count + draft->exact_count + 3);
    int rc = row == NULL || draft->arena.rc < 0
                 ? cmd_no_memory(reader->cards.ctx)
                 : put_uid(reader, row);

    use_names(reader);
    for (size_t i = 0; rc == 0 && i < reader->cards.shape->count; i++)
        if (draft->given[i].value != NULL)
            rc = put_given(reader, row, i);
    for (size_t i = 0; rc == 0 && i < reader->cards.shape->count; i++)
        if (reader->cards.fields[i] != NULL &&
            reader->cards.shape->map[i].form == CARD_MORE)
            rc = put_more(reader, row, i);
    if (rc == 0)
        rc = put_names(reader, row);
    for (size_t i = 0; rc == 0 && i < draft->exact_count; i++) {
        if (draft->exact[i].text == NULL || *draft->exact[i].text == '\0')
            continue;
        rc = put_word(reader, row, draft->exact[i].field, draft->exact[i].text);
        if (rc == ENT_ENOMEM || rc == 0)
            continue;
        fault(reader, draft->exact[i].line, draft->exact[i].field->name);
        rc = 0;
    }
    if (rc == 0 && reader->rows->faults == faults && row->count > 0)
        reader->rows->count++;
    return rc;
}

/* ------------------------------------------------------------------ objects */

static void begin(struct reader *reader, size_t line)
{
    struct ent_arena arena = reader->draft.arena;

    ent_arena_reset(&arena);
    reader->draft = (struct draft){.arena = arena, .line = line};
    reader->inside = true;
    reader->depth = 0;
}

static int end(struct reader *reader)
{
    const struct draft *draft = &reader->draft;
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
        fault(reader, draft->line, NULL);
        return 0;
    }
    return put_row(reader);
}

/* Events and to-dos stand for each other: what has no day yet is to be done. */
static bool is_ours(const struct reader *reader, struct ent_slice name)
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

static int take(struct reader *reader, const struct ent_card_line *line)
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
        leave(reader,
              line->value.len == 6 && strncasecmp((const char *)line->value.at,
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

static int read_lines(struct reader *reader)
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
        fault(reader, reader->draft.line, NULL);
    } else if (reader->objects == 0) {
        ent_err_set(err, ENT_EREFUSED, "nothing of that kind is in the file");
        fault(reader, 1, NULL);
    }
    return 0;
}

static void tell(struct reader *reader)
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
    struct reader *reader = calloc(1, sizeof(*reader));
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
