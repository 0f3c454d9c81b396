/* report.h - the files of configs/reports: what their comments say of the rows
 * that their query gives.
 *
 *   -- title-en: TEXT              -- title-fr: TEXT
 *   -- description-en: TEXT        -- description-fr: TEXT
 *   -- column NAME: ENGLISH | FRENCH [| HOW]
 *   -- bar PART [of WHOLE]         a column of bars, on a terminal
 *   -- chart LABEL: PART PART...   bars of parts, as a picture
 *   -- hxl NAME: #TAG              for --hxl
 *
 * HOW is `codes LIST` (people read the terms of that list of the vocabulary),
 * `set` (JSON arrays), `number` (also where one is contested and therefore a
 * range), `date`, `language` or `languages` (a code, or a JSON array of them,
 * of which people read the names) or `programs` (left out for people). */
#ifndef ENT_CLI_REPORT_H
#define ENT_CLI_REPORT_H

#include "cli/cmd.h"
#include "cli/countries.h"
#include "store/query.h"

#define REPORT_NAME_MAX 64
#define REPORT_PARTS_MAX 6   /* of a bar in a picture */
#define REPORT_DATE_TEXT 11  /* YYYY-MM-DD */
#define REPORT_TOTAL "TOTAL" /* in the first column of a row of totals */

/* What is asked for: at first as it was given, then as records have it. */
struct report_ask {
    const char *on; /* NULL: today */
    const char *country;
    const char *group;
    bool hxl;
    enum ent_sharing sharing; /* of the records it is made of */
};
struct report_texts {
    char on[REPORT_DATE_TEXT];
    char country[COUNTRIES_CODE];
    struct ent_buf group;
};

/* Checks what is asked for, and points to it in `texts`, whose buffer the
 * caller frees: a day (a month or a year means its last), a country's three
 * letters, the code of a group. ENT_EREFUSED, ENT_ENOTFOUND. */
ENT_NODISCARD int report_ask(struct cmd_ctx *ctx, struct report_ask *ask,
                             struct report_texts *texts);

struct report {
    const char *name;
    const char *sql;
    struct ent_buf text;
    struct ent_arena arena;
};

enum report_how {
    REPORT_PLAIN,
    REPORT_CODES,
    REPORT_SET,
    REPORT_NUMBER,
    REPORT_DATE,
    REPORT_LANGUAGE,
    REPORT_LANGUAGES,
    REPORT_PROGRAMS,
};

struct report_column {
    const char *name;
    const char *label; /* in the reader's language */
    enum report_how how;
    const char *list; /* of REPORT_CODES */
    bool number;      /* some value is one: others are hidden, or ranges */
    bool text;        /* some value is none */
};

struct report_cell {
    const char *text; /* NULL: no value */
    bool number;
};

/* The rows of a report, kept until the last is there: only then is it known
 * which columns are numbers and how long a bar may be. */
struct report_rows {
    struct report_column *columns;
    struct report_cell *cells;
    size_t column_count;
    size_t count;
    size_t cap;
    struct ent_arena arena;
};

/* ENT_ENOTFOUND: there is no such report. */
ENT_NODISCARD int report_read(struct cmd_ctx *ctx, const char *name,
                              struct report *report);
void report_fini(struct report *report);

/* In the reader's language; the name when the file says nothing. Good as long
 * as the report. */
const char *report_title(const struct cmd_ctx *ctx, struct report *report);
const char *report_description(const struct cmd_ctx *ctx,
                               struct report *report);

/* The names of the reports there are, ascending; they live in `arena`. */
ENT_NODISCARD int report_names(struct cmd_ctx *ctx, struct ent_arena *arena,
                               const char ***names, size_t *count);

/* What the report says of its column `name`. */
struct report_column report_column(const struct cmd_ctx *ctx,
                                   struct report *report, const char *name);

/* The column's HXL tag, NULL when it has none. */
const char *report_tag(struct report *report, const char *column);

/* A value of that column as it is shown: people read the term, programs the
 * code. */
const char *report_said(const struct cmd_ctx *ctx,
                        const struct report_column *column, const char *text);

/* The column of that name, or SIZE_MAX. */
size_t report_column_at(const struct report_rows *rows, struct ent_slice name);

const struct report_cell *report_cell(const struct report_rows *rows,
                                      size_t row, size_t column);
bool report_is_total(const struct report_rows *rows, size_t row);

/* The columns that bars are drawn of; SIZE_MAX: none. */
struct report_bar {
    size_t part;
    size_t whole; /* SIZE_MAX: the largest part */
};
ENT_NODISCARD int report_bar(struct cmd_ctx *ctx, const struct report *report,
                             const struct report_rows *rows,
                             struct report_bar *bar);

/* The columns of the picture. ENT_EREFUSED: the file names none there is;
 * ENT_EUSAGE: the report has no picture. */
struct report_chart {
    size_t label;
    size_t parts[REPORT_PARTS_MAX];
    size_t part_count;
};
ENT_NODISCARD int report_chart(struct cmd_ctx *ctx, const struct report *report,
                               const struct report_rows *rows,
                               struct report_chart *chart);

/* Append a bar of `share` (0 to 1) for a terminal. */
void report_put_bar(struct ent_buf *buf, double share);

/* Append the picture: SVG that reads well aloud, too, and holds no script.
 * `remark` says how fresh it is. */
void report_put_svg(const struct cmd_ctx *ctx, struct report *report,
                    const struct report_rows *rows,
                    const struct report_chart *chart, const char *on,
                    const char *remark, struct ent_buf *buf);

/* How far figures can be trusted: who contributed, the newest change of each
 * that has come here, and the open conflicts it has a side in. */
struct report_source {
    struct ent_key key;
    int64_t at_ms; /* as its author claims */
    size_t conflicts;
};
struct report_sources {
    struct report_source *list; /* in the arena, the newest first */
    size_t count;
    size_t conflicts; /* in all */
};
/* `query` is one whose rows are no longer needed, or NULL. */
ENT_NODISCARD int report_sources(struct cmd_ctx *ctx, struct ent_query *query,
                                 struct ent_arena *arena,
                                 struct report_sources *sources);

#endif
