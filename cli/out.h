/* out.h - output in the chosen format: a table for people (libsmartcols), or
 * csv, tsv, json, jsonl, markdown for programs, or a workbook.
 * Data from peers never reaches a terminal raw: control characters, escapes
 * and bidi overrides are shown as \xNN or U+NNNN in people's formats and as
 * \uNNNN in JSON (rule T15). JSON keys are the given keys, never
 * translated; headings are. */
#ifndef ENT_CLI_OUT_H
#define ENT_CLI_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/bytes.h"

enum out_format {
    OUT_AUTO, /* table on a terminal and elsewhere, unless asked otherwise */
    OUT_TABLE,
    OUT_CSV,
    OUT_TSV,
    OUT_JSON,
    OUT_JSONL,
    OUT_MARKDOWN,
    OUT_XLSX, /* a workbook; nothing is on `file` before the end */
    OUT_VCF,  /* these two are no listings: cards.h writes them */
    OUT_ICS,
    OUT_SVG, /* a picture: only commands that draw one take it */
};

/* How a column's cells look in JSON and how they are set in a table. */
enum out_type {
    OUT_TEXT,
    OUT_NUMBER, /* an integer or decimal in text form; "" is null in JSON */
    OUT_BOOL,   /* "1"/"0" */
    OUT_LIST,   /* JSON array text, checked; shown joined with ", " and, in
                 * CSV, with the bar that import takes apart */
    OUT_DATE,   /* a day, partial or whole, or a moment: a text; in a workbook,
                 * when it is a whole day, a date */
    OUT_DATES,  /* OUT_LIST of days */
    OUT_JSON_RAW, /* JSON text made by struct out_json below */
};

struct out;

struct out *out_new(FILE *file, enum out_format format);
/* People read figures as French writes them: 12,5 and, from one to the other,
 * 24–26, and days: 19/07/2018. Programs and workbooks are given them as they
 * are. */
void out_speak_french(struct out *out);
/* Append a figure, or a range of two, so. */
void out_put_french(struct ent_buf *buf, const char *figure);
/* Append a day, as much of it as is known, or a moment in UTC as French writes
 * them: 19/07/2018, 07/2018, 22/11/2026 17:51. What is neither stays. */
void out_put_french_day(struct ent_buf *buf, const char *text);
/* Flushes; false when writing failed at any time (a full disk, a closed
 * pipe), with the reason in errno. */
bool out_free(struct out *out);

/* A listing: an array of objects in JSON, a table for people. `key` is the
 * JSON and CSV name, `heading` the translated one. */
void out_list_begin(struct out *out);
void out_column(struct out *out, const char *key, const char *heading,
                enum out_type type);
void out_row(struct out *out); /* begins one; cells left out are absent */
void out_cell(struct out *out, const char *text); /* NULL: absent, null */
void out_cell_int(struct out *out, int64_t value);
/* The next cell shows one value of several that stand: tables mark it. */
#define OUT_CONTESTED "≠"
void out_contested(struct out *out);
/* For a column whose cells are not all of one type. */
void out_cell_as(struct out *out, enum out_type type, const char *text);
void out_list_end(struct out *out);

/* A line of text that follows the data for people and is left out of the
 * programs' formats (a freshness line, a count). */
void out_remark(struct out *out, const char *fmt, ...) ENT_PRINTF(2, 3);
/* Whether the format has room for remarks. */
bool out_has_remarks(const struct out *out);

/* One object: `{...}` in JSON, "label  value" lines for people. */
void out_object_begin(struct out *out);
void out_field(struct out *out, const char *key, const char *label,
               const char *text);
void out_field_int(struct out *out, const char *key, const char *label,
                   int64_t value);
void out_field_bool(struct out *out, const char *key, const char *label,
                    bool value);
void out_field_as(struct out *out, const char *key, const char *label,
                  enum out_type type, const char *text);
/* A list of objects inside an object: in JSON an array under `key`, for people
 * a table under `label`. Columns and cells as for a listing. */
void out_nested_begin(struct out *out, const char *key, const char *label);
void out_nested_end(struct out *out);
void out_object_end(struct out *out);

/* JSON text for nested values of a cell: build, then out_cell with
 * OUT_JSON_RAW. For people's formats give `plain` instead with out_cell. */
void out_json_string(struct ent_buf *buf, const char *text);

/* `text` as it may be shown on a terminal, on one line. */
void out_show(struct ent_buf *buf, const char *text);

/* A CSV cell that a spreadsheet would run as a formula gets a ' in front
 * (reliability rule T14); numbers and phones do not. Done for every cell and
 * heading of CSV and TSV. Reading a file back takes it away. */
void out_guard(struct ent_buf *buf, const char *text);
struct ent_slice out_unguard(struct ent_slice cell);

/* A document that is not made of rows, as it is. */
void out_raw(struct out *out, const struct ent_buf *text);

enum out_format out_format_of(const struct out *out);
/* A table that somebody looks at. */
bool out_on_terminal(const struct out *out);
bool out_is_json(const struct out *out); /* JSON or JSONL */
bool out_parse_format(const char *name, enum out_format *format);

#endif
