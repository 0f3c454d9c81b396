/* cards_draft.h - what the files share that read vCards and calendars: the
 * object in hand. Only cards_in.c and cards_row.c include this. */
#ifndef ENT_CLI_CARDS_DRAFT_H
#define ENT_CLI_CARDS_DRAFT_H

#include "cli/cards.h"

#define CARDS_LEFT_MAX 64 /* names of properties that are told apart */
#define CARDS_MORE_MAX 64 /* further properties of an object */

/* One object on its way in. */
struct cards_draft {
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

struct cards_reader {
    struct cards cards;
    struct rows *rows;
    const char *path; /* in the rows' arena */
    struct ent_card *card;
    struct cards_draft draft;
    bool inside;
    size_t depth;  /* of what lies within the object */
    size_t others; /* objects of other kinds */
    size_t nameless;
    size_t objects;
    struct {
        char name[48];
        size_t count;
    } left[CARDS_LEFT_MAX];
    size_t left_count;
};

/* Counts a property that no field can hold. */
void cards_leave(struct cards_reader *reader, const char *name);

/* Tells the fault in the context's error. */
void cards_fault(struct cards_reader *reader, size_t line, const char *name);

/* The object as a row behind the others, unless it has faults. ENT_ENOMEM. */
ENT_NODISCARD int cards_put_row(struct cards_reader *reader);

#endif
