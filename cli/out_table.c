/* out_table.c - a listing as a table of libsmartcols, wrapped where it is wider
 * than the terminal. */
#include <langinfo.h>
#include <libsmartcols.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cli/out_state.h"
#include "cli/out_text.h"

#define WRAPPED_MIN 10 /* a column is not made narrower */
#define WORD_WHOLE 24  /* words up to this are broken last */
#define GAP 2          /* between columns */

void out_table_begin(struct out *out)
{
    out->table = scols_new_table();
    if (out->table == NULL) {
        out->failed = true;
        return;
    }
    scols_table_set_stream(out->table, out->file);
    /* Everything is made safe here already; smartcols would do it again. But
     * where UTF-8 is not the locale's, it would never come to an end. */
    scols_table_enable_noencoding(out->table,
                                  strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
    scols_table_set_column_separator(out->table, "  ");
    /* What is too wide for a terminal is wrapped here. */
    scols_table_set_termforce(out->table, SCOLS_TERMFORCE_NEVER);
    for (size_t i = 0; i < out->column_count; i++) {
        struct out_column *column = &out->columns[i];
        const char *name = out_shown(out, out_or_empty(column->heading), 0);

        column->heading_width = out_width(name, NULL);
        column->width = column->heading_width;
        column->word = 0;
        if (scols_table_new_column(out->table, name, 0,
                                   column->type == OUT_NUMBER ? SCOLS_FL_RIGHT
                                                              : 0) == NULL)
            out->failed = true;
    }
}

void out_table_row(struct out *out)
{
    if (out->table == NULL)
        return;
    out->line = scols_table_new_line(out->table, NULL);
    if (out->line == NULL)
        out->failed = true;
}

void out_table_cell(struct out *out, const char *text)
{
    struct out_column *column = &out->columns[out->cell];
    size_t word;
    size_t width = out_width(text, &word);

    if (width > column->width)
        column->width = width;
    if (word > column->word)
        column->word = word;
    if (out->line != NULL &&
        scols_line_set_data(out->line, out->cell, text) < 0)
        out->failed = true;
}

/* ---------------------------------------------------------------- wrapping */

static size_t terminal_width(struct out *out)
{
    struct winsize size;

    if (ioctl(fileno(out->file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

/* The width of a column where lines have at most `line` and pieces of words
 * at most `word`, unless its heading is wider. */
static size_t column_width(const struct out *out, size_t i, size_t line,
                           size_t word)
{
    const struct out_column *column = &out->columns[i];
    size_t most = i == 0 ? WORD_WHOLE : word;
    size_t least = column->word < most ? column->word : most;

    if (column->empty)
        return 0;
    if (least < column->heading_width)
        least = column->heading_width;
    if (line < least)
        line = least;
    return column->width < line ? column->width : line;
}

static bool fits(const struct out *out, size_t terminal, size_t line,
                 size_t word)
{
    size_t sum = 0;

    for (size_t i = 0; i < out->column_count; i++)
        sum += column_width(out, i, line, word) +
               (i > 0 && !out->columns[i].empty ? GAP : 0);
    return sum <= terminal;
}

static void wrap_column(struct out *out, size_t column, size_t width)
{
    struct libscols_column *at = scols_table_get_column(out->table, column);
    size_t count = scols_table_get_nlines(out->table);

    scols_column_set_flags(at, scols_column_get_flags(at) | SCOLS_FL_WRAP);
    scols_column_set_wrapfunc(at, scols_wrapnl_chunksize,
                              scols_wrapnl_nextchunk, NULL);
    for (size_t i = 0; i < count; i++) {
        struct libscols_line *line = scols_table_get_line(out->table, i);
        const char *text =
            scols_cell_get_data(scols_line_get_cell(line, column));

        ent_buf_reset(&out->safe);
        out_wrap(&out->safe, text == NULL ? "" : text, width);
        text = ent_buf_cstr(&out->safe);
        if (text == NULL || scols_line_set_data(line, column, text) < 0)
            out->failed = true;
    }
}

/* What does not fit a terminal goes on below. Columns without a value give way
 * first, then the widest; words are broken where nothing else helps, but in
 * the first column: it has the name that people go on with. */
static void wrap_columns(struct out *out)
{
    size_t terminal = terminal_width(out);
    size_t line = terminal;
    size_t word = WORD_WHOLE;

    for (size_t i = 0; i < out->column_count; i++)
        out->columns[i].empty = false;
    if (fits(out, terminal, SIZE_MAX, SIZE_MAX))
        return;
    for (size_t i = 0; i < out->column_count; i++)
        if (out->columns[i].word == 0) {
            out->columns[i].empty = true;
            scols_column_set_flags(scols_table_get_column(out->table, i),
                                   SCOLS_FL_HIDDEN);
        }
    while (line > WRAPPED_MIN && !fits(out, terminal, line, word))
        line--;
    while (word > WRAPPED_MIN && !fits(out, terminal, line, word))
        word--;
    if (!fits(out, terminal, line, word))
        word = WORD_WHOLE; /* headings are wider: breaking would not help */
    for (size_t i = 0; i < out->column_count; i++) {
        size_t width = column_width(out, i, line, word);

        if (!out->columns[i].empty && out->columns[i].width > width)
            wrap_column(out, i, width);
    }
}

/* ----------------------------------------------------------------- the end */

void out_table_end(struct out *out)
{
    out_flush(out);
    if (out->table != NULL && out->terminal)
        wrap_columns(out);
    if (out->table != NULL && scols_print_table(out->table) != 0)
        out->failed = true;
    out_table_free(out);
}

void out_table_free(struct out *out)
{
    scols_unref_table(out->table);
    out->table = NULL;
    out->line = NULL;
}
