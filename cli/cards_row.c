/* cards_row.c - an object of a vCard file or a calendar as a row; see cards.h.
 * Where a property and the exact value beside it differ, another program
 * changed the property, and that counts. */
#include <string.h>
#include <strings.h>

#include "cli/cards_draft.h"
#include "text/card.h"

static int put_word(struct cards_reader *reader, struct row *row,
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

void cards_fault(struct cards_reader *reader, size_t line, const char *name)
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
static const char *exact_of(const struct cards_draft *draft,
                            const struct ent_field *field)
{
    for (size_t i = 0; i < draft->exact_count; i++)
        if (draft->exact[i].field == field)
            return draft->exact[i].text;
    return NULL;
}

static void drop_exact(struct cards_draft *draft, const struct ent_field *field)
{
    for (size_t i = 0; i < draft->exact_count; i++)
        if (draft->exact[i].field == field)
            draft->exact[i].text = NULL;
}

/* A name that is the UID only stands in for one. */
static bool stands_in(const struct cards_draft *draft, const char *text)
{
    if (strncasecmp(text, "urn:uuid:", 9) == 0)
        text += 9;
    return draft->uid != NULL && strcmp(text, draft->uid) == 0;
}

static int put_given(struct cards_reader *reader, struct row *row, size_t at)
{
    const struct cards *cards = &reader->cards;
    struct cards_draft *draft = &reader->draft;
    const struct ent_field *field = cards->fields[at];
    struct ent_slice given = ent_slice_str(draft->given[at].value);
    const char *exact = exact_of(draft, field);
    struct ent_buf buf = {0};
    const char *text = NULL;
    int rc = 0;

    if (cards_read(cards, at, given, &buf))
        text = ent_buf_cstr(&buf);
    else if (cards_check(cards, at, given, &cards->ctx->err) < 0) {
        cards_fault(reader, draft->given[at].line,
                    cards->shape->map[at].property);
        ent_buf_fini(&buf);
        return 0;
    }
    if (text == NULL && exact == NULL)
        cards_leave(reader, cards->shape->map[at].property);
    if (text != NULL && exact != NULL && says_the_same(cards, at, text, exact))
        text = NULL;
    if (text != NULL && cards->shape->map[at].form == CARD_TITLE &&
        stands_in(draft, text))
        text = NULL;
    if (text != NULL) {
        rc = put_word(reader, row, field, text);
        if (rc == 0)
            drop_exact(draft, field);
    }
    ent_buf_fini(&buf);
    if (rc == 0 || rc == ENT_ENOMEM)
        return rc;
    /* A role or language that is not ours is no fault of the file. */
    if (field->type == ENT_TYPE_TEXT)
        cards_fault(reader, draft->given[at].line,
                    cards->shape->map[at].property);
    else if (exact == NULL)
        cards_leave(reader, cards->shape->map[at].property);
    return 0;
}

/* The further properties that go into one set, and what was written exactly
 * for it. */
static int put_more(struct cards_reader *reader, struct row *row, size_t at)
{
    const struct cards *cards = &reader->cards;
    struct cards_draft *draft = &reader->draft;
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
            cards_leave(reader, cards->shape->map[at].property);
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
            cards_leave(reader, cards->shape->map[at].property);
            rc = 0;
        }
    }
    ent_buf_fini(&list);
    return rc;
}

static int put_uid(struct cards_reader *reader, struct row *row)
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
        cards_fault(reader, reader->draft.line, "UID");
        rc = 0;
    }
    return rc;
}

/* The name in parts serves where there is no other. */
static void use_names(struct cards_reader *reader)
{
    struct cards_draft *draft = &reader->draft;

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
 * that is the whole name, or the UID, only stands in for them. */
static int put_names(struct cards_reader *reader, struct row *row)
{
    const struct cards_draft *draft = &reader->draft;
    const struct ent_kind *kind = reader->cards.kind;
    const struct ent_field *family = ent_field_named(kind, CARDS_FAMILY);
    const struct ent_field *given = ent_field_named(kind, CARDS_GIVEN);
    const struct ent_field *title = ent_field_named(kind, kind->title);
    bool whole = draft->called == NULL || *draft->called == '\0';
    int rc = 0;

    if (draft->family == NULL || family == NULL || given == NULL ||
        exact_of(draft, family) != NULL || exact_of(draft, given) != NULL)
        return 0;
    if (whole && stands_in(draft, draft->family))
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
    cards_fault(reader, draft->line, "N");
    return 0;
}

int cards_put_row(struct cards_reader *reader)
{
    struct cards_draft *draft = &reader->draft;
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
        cards_fault(reader, draft->exact[i].line, draft->exact[i].field->name);
        rc = 0;
    }
    if (rc == 0 && reader->rows->faults == faults && row->count > 0)
        reader->rows->count++;
    return rc;
}
