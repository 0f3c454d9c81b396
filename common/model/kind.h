/* kind.h - what kinds of record there are and what their fields mean.
 * Definitions give names, types, labels and loudness; they never decide how
 * dots merge: that is fixed by the operation numbers (rule L6). Read from
 * configs/kinds by text/kinds.h. */
#ifndef ENT_MODEL_KIND_H
#define ENT_MODEL_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define ENT_KINDS_MAX 200
#define ENT_FIELDS_MAX 64          /* fields of a kind */
#define ENT_NUMBER_SHIPPED_MAX 999 /* above: a space's own fields */

/* The register `same_as`, which every kind has without defining it: another
 * record that this one is the same as (rule M11, store/same.h). It has no
 * column; what stands in it is in table `cell`. */
#define ENT_FIELD_SAME 999

/* The register `archived`, likewise: when a record was put away, in Unix
 * milliseconds (store/archive.h). */
#define ENT_FIELD_ARCHIVED 998

/* Numbers of the kinds whose records belong to their author (rule M9). What is
 * good hangs on them, so changing them changes the format version. */
#define ENT_KIND_MESSAGE 16
#define ENT_KIND_OWNED_FIRST 500
#define ENT_KIND_OWNED_LAST 599

enum ent_lang { ENT_LANG_EN, ENT_LANG_FR, ENT_LANG_COUNT };

/* These numbers stand in roster entries, too (own fields): they stay. */
enum ent_field_type {
    ENT_TYPE_TEXT,
    ENT_TYPE_CODE,     /* short ASCII-ish name: ISO 3166, a P-code, a cohort */
    ENT_TYPE_ENUM,     /* a code of the vocabulary list `list` */
    ENT_TYPE_REF,      /* a record of kind `targets`, by code or by id */
    ENT_TYPE_DATE,     /* 2017, 2017-06 or 2017-06-15 */
    ENT_TYPE_DATETIME, /* 2018-08-06T08:10:00Z */
    ENT_TYPE_INTEGER,
    ENT_TYPE_DECIMAL,
    ENT_TYPE_YESNO,
};
#define ENT_TYPE_COUNT (ENT_TYPE_YESNO + 1)

enum ent_rule { ENT_RULE_REGISTER, ENT_RULE_SET };
enum ent_loud { ENT_LOUD_QUIET, ENT_LOUD_ASK }; /* rule M7 */
enum ent_personal { ENT_PERSONAL_NO, ENT_PERSONAL_INDIRECT, ENT_PERSONAL_YES };

/* What more than its type a text keeps to. */
enum ent_format {
    ENT_FORMAT_ANY,
    ENT_FORMAT_EMAIL,    /* ann@example.org */
    ENT_FORMAT_CURRENCY, /* ISO 4217: USD */
    ENT_FORMAT_TIMEZONE, /* Africa/Bujumbura */
    ENT_FORMAT_SHA256,   /* 64 hexadecimal digits */
};

/* What people may write into a field. It is asked where they do and nowhere
 * else: what came from others, or was written before there was a limit, stands
 * as it is. */
struct ent_limits {
    enum ent_format format;
    const int *min; /* of a number; NULL: none */
    const int *max;
    const char *not_before; /* DATE: the field whose day it does not precede */
    const char *distinct; /* fields with one word here hold different values */
};

struct ent_field {
    uint32_t number; /* never reused, never renumbered; 0 is life */
    const char *name;
    enum ent_field_type type;
    enum ent_rule rule;
    enum ent_loud loud;
    enum ent_personal personal;
    bool when_filled;    /* no column in exported tables while none has it */
    const char *list;    /* ENUM: the vocabulary list, else NULL */
    const char *targets; /* REF: kind names with '|' between, else NULL */
    const char *hxl;     /* HXL 1.1 tag or NULL */
    const char *first; /* values with '|' between: of concurrent ones that which
                        * stands first here is shown; NULL: as M2 says */
    struct ent_limits limits;
    const char *label[ENT_LANG_COUNT];
};

#define ENT_OWN_FIELDS_MAX 256 /* of a space: those defined first count */

/* A field that a space gives a kind by its roster (L6). Its number is above
 * ENT_NUMBER_SHIPPED_MAX, or 0: no such field. Its writes stand in table
 * `cell`, like those of every field that this program has no column for. */
struct ent_own_field {
    uint32_t kind;
    struct ent_field field;
};

struct ent_kind {
    uint32_t number;
    const char *name;    /* contact */
    const char *table;   /* contacts: the replica's table */
    const char *package; /* the data package's resource, or NULL */
    const char *key;     /* package columns naming a row, '|' between */
    const char *title;   /* field that names a record to people */
    bool owned;          /* as its number says (rule M9) */
    const char *label[ENT_LANG_COUNT];
    struct ent_field *fields; /* ascending by number; 1 is always `code` */
    size_t field_count;
};

struct ent_kinds {
    struct ent_kind *kinds; /* ascending by number */
    size_t count;
    struct ent_arena arena; /* owns everything above */
};

void ent_kinds_fini(struct ent_kinds *kinds);

/* Whether records of a kind belong to their author (rule M9): the number alone
 * says so, and to every node the same, whatever definitions it has. */
bool ent_kind_is_owned(uint32_t number);

const struct ent_kind *ent_kind_find(const struct ent_kinds *kinds,
                                     uint32_t number);
const struct ent_kind *ent_kind_named(const struct ent_kinds *kinds,
                                      const char *name);
const struct ent_field *ent_field_find(const struct ent_kind *kind,
                                       uint32_t number);
const struct ent_field *ent_field_named(const struct ent_kind *kind,
                                        const char *name);

/* Whether a text can name a field, a kind or a list: a-z, 0-9 and _ with a
 * letter in front, at most ENT_FIELD_NAME_MAX bytes. */
#define ENT_FIELD_NAME_MAX 63
bool ent_field_name_fits(struct ent_slice name);

/* The definition of a field that every kind has; NULL: it is none. */
const struct ent_field *ent_field_common(uint32_t number);

/* Whether a kind's name stands in a list of kinds with bars between, such as
 * `targets`; NULL is an empty one. */
bool ent_kind_is_listed(const char *targets, const char *name);

/* Position of `field` in its kind. */
size_t ent_field_at(const struct ent_kind *kind, const struct ent_field *field);

#endif
