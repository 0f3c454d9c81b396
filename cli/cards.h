/* cards.h - records as vCards and as iCalendar's events and to-dos.
 * A field that such a format has a property for is written as that property.
 * What the property cannot say exactly (a country's name for its code, a day
 * for a month) is written a second time, exactly, as X-ENTENTE-FIELD, and so is
 * every other field: what was written is read back whole. When the two do not
 * say the same any more, another program changed the property, and that
 * counts. */
#ifndef ENT_CLI_CARDS_H
#define ENT_CLI_CARDS_H

#include "cli/export.h"
#include "cli/rows.h"

#define CARDS_MAP_MAX 16 /* properties of a kind */
#define CARDS_EXACT "X-ENTENTE-"
#define CARDS_RECORD "X-ENTENTE-RECORD" /* the kind of record */

enum card_form {
    CARD_TITLE,   /* what the object is called, with its LANGUAGE */
    CARD_TEXT,    /* the value itself */
    CARD_MORE,    /* of a set: each a property, behind the field of one value
                   * that has the property, too */
    CARD_WORD,    /* the value, among others */
    CARD_NAME,    /* the name of the record referred to */
    CARD_COUNTRY, /* a country's name in an address */
    CARD_PARENT,  /* the code of the record referred to */
    CARD_STATUS,  /* what the vocabulary says for "ical:" */
    CARD_FIRST,   /* a day, of a month or year its first */
    CARD_LAST,    /* a day, its last */
    CARD_AFTER,   /* the day after the last */
    CARD_MOMENT,  /* the beginning of a day, UTC */
    CARD_PERCENT, /* 0 to 100 */
};

struct card_map {
    const char *property;
    const char *field;
    enum card_form form;
    bool only4; /* not in vCard 3.0 */
};

/* The fields of a person's name in parts, as N of a vCard has them. */
#define CARDS_FAMILY "family"
#define CARDS_GIVEN "given"

/* A kind that can be written so. */
struct card_kind {
    const char *kind;
    const char *component; /* VCARD, VEVENT, VTODO */
    const char *word;      /* vCard: what KIND says */
    const struct card_map *map;
    size_t count;
};

/* What writing and reading objects of a kind needs. */
struct cards {
    struct cmd_ctx *ctx;
    const struct ent_kind *kind;
    const struct card_kind *shape;
    const struct ent_field *fields[CARDS_MAP_MAX];
    struct names *names[CARDS_MAP_MAX]; /* of what CARD_NAME refers to */
    bool v3;                            /* vCard 3.0 */
};

/* ENT_EUSAGE: the kind cannot be written so. To be closed also then. */
ENT_NODISCARD int cards_open(struct cmd_ctx *ctx, const struct ent_kind *kind,
                             enum out_format format, struct cards *cards);
void cards_close(struct cards *cards);

/* The language of a title's field, by the end of its name; ENT_LANG_COUNT when
 * it is of none. */
enum ent_lang cards_lang(const struct ent_field *field);

/* The property number `at` for the field's text: parameters and the value,
 * escaped. False: it cannot be said so. */
bool cards_write(const struct cards *cards, size_t at, const char *text,
                 struct ent_buf *params, struct ent_buf *value);

/* Whether the property says the text exactly. */
bool cards_exact(const struct cards *cards, size_t at, const char *text);

/* The field's text for the property's value. False: it says nothing that the
 * field could hold. */
bool cards_read(const struct cards *cards, size_t at, struct ent_slice value,
                struct ent_buf *text);

/* Whether cards_read says nothing because the property is wrong wherever it is
 * read, by iCalendar's own rules: a day that does not exist, a state that is
 * none. ENT_EREFUSED says what would be taken; what only we cannot hold is no
 * fault of the file. */
ENT_NODISCARD int cards_check(const struct cards *cards, size_t at,
                              struct ent_slice value, struct ent_err *err);

/* cards_out.c: all live records of the kind, to `file`. `version3`: vCard 3.0
 * rather than 4.0. */
ENT_NODISCARD int cards_export(struct cmd_ctx *ctx, const struct export *export,
                               enum out_format format, bool version3,
                               FILE *file);

/* cards_in.c: what rows_read is for tables. The format is told by the first
 * line. What no field can hold is counted and told. */
ENT_NODISCARD int cards_import(struct cmd_ctx *ctx, struct rows *rows,
                               const struct ent_kind *kind, int fd,
                               const char *path);

/* Whether a file begins like a vCard, a calendar or JSON; OUT_AUTO: like none
 * of them. */
enum out_format cards_sniff(int fd);

#endif
