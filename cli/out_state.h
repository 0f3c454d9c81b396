/* out_state.h - what the files of an output share: the document being written.
 * Only the out*.c files include this. */
#ifndef ENT_CLI_OUT_STATE_H
#define ENT_CLI_OUT_STATE_H

#include "cli/out.h"

struct libscols_table;
struct out_book;
struct libscols_line;

struct out_column {
    char *key;
    char *heading;
    enum out_type type;
    size_t heading_width;
    size_t width; /* of its widest cell */
    size_t word;  /* of the widest word in one; 0: nothing stands in it */
    bool empty;   /* and therefore left out */
};

struct out {
    FILE *file;
    enum out_format format;
    bool terminal;
    bool french; /* figures are written so, for people */
    bool failed;
    int error; /* errno of the first write that failed */
    bool in_object, in_list, in_row;
    bool contested; /* the next cell */
    struct out_column *columns;
    size_t column_count;
    size_t cell;     /* next cell of the row */
    size_t rows;     /* of the listing */
    size_t fields;   /* of the object */
    size_t gathered; /* of them not yet printed, for people and CSV */
    size_t label_width;
    char *label; /* of a listing within an object */
    struct out_book *book;
    struct libscols_table *table;
    struct libscols_line *line;
    struct ent_buf row;    /* text on its way to the file */
    struct ent_buf names;  /* CSV object: its heading; table: its lines */
    struct ent_buf text;   /* one value, decoded */
    struct ent_buf safe;   /* one value, ready to be shown */
    struct ent_buf marked; /* one value, decoded and marked */
};

static inline const char *out_or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

/* ------------------------------------------------------------------- out.c */

/* Whether the format is one that people read. */
bool out_for_people(const struct out *out);
/* Write a buffer to the file and empty it; a failure is remembered. */
void out_write(struct out *out, struct ent_buf *buf);
/* Write the row. */
void out_flush(struct out *out);

/* What a cell says to people and in CSV, not yet safe to show; good until the
 * next call. */
const char *out_plain(struct out *out, enum out_type type, const char *text);
/* Safe to show but for what OUT_SHOW_... in `pass` lets through; good until
 * the next call. */
const char *out_shown(struct out *out, const char *text, unsigned pass);
/* A cell of a Markdown table: what would end the cell or begin markup is
 * escaped, a line end becomes a break. */
void out_put_markdown(struct out *out, struct ent_buf *buf, const char *text);
/* A cell of CSV or TSV. */
void out_put_csv(struct out *out, struct ent_buf *buf, bool first,
                 const char *text);

/* -------------------------------------------------------------- out_list.c */

void out_forget_columns(struct out *out);
/* The end of a listing, also of one within an object. */
void out_end_rows(struct out *out);

/* ------------------------------------------------------------- out_table.c */

/* A table with the columns of the listing. */
void out_table_begin(struct out *out);
void out_table_row(struct out *out);
/* The next cell of the row, safe to show. */
void out_table_cell(struct out *out, const char *text);
/* Print the table, if there is one, and forget it. */
void out_table_end(struct out *out);
void out_table_free(struct out *out);

/* -------------------------------------------------------------- out_book.c */

/* A sheet with the columns of the listing; the next row; its next cell; the
 * end of the sheet. */
void out_book_begin(struct out *out);
void out_book_row(struct out *out);
void out_book_cell(struct out *out, enum out_type type, const char *text);
void out_book_end_rows(struct out *out);
/* A field of an object, and a remark. */
void out_book_field(struct out *out, const char *label, enum out_type type,
                    const char *text);
void out_book_remark(struct out *out, const char *text);
/* Write the workbook to the file, if there is one, and forget it. */
void out_book_end(struct out *out);

#endif
