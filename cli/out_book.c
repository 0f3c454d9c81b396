/* out_book.c - listings as a workbook (Office Open XML) of libxlsxwriter:
 * numbers and days are such, everything else is text, never a formula.
 * The library writes to a named file only, so the workbook grows in a
 * temporary one and goes to the output when it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "base/err.h"
#include "cli/out_state.h"
#include "cli/out_text.h"

#define COPY_BYTES (64 << 10)
#define COLUMN_WIDTH_MAX 60
#define COLUMN_WIDTH_MIN 8
#define BOOK_ROWS_MAX 1048576 /* of a sheet, the heading included */
#define BOOK_TEXT_MAX 32767   /* characters of a cell */
#define BOOK_DIGITS_MAX 15    /* more are no number to a spreadsheet */
#define SHEET_NAME_BYTES 31

struct out_book {
    char path[4096];
    lxw_workbook *book;
    lxw_worksheet *sheet;
    lxw_worksheet *remarks;
    lxw_format *bold, *day, *wrap;
    uint32_t row; /* the next one */
    uint32_t remark;
};

static struct out_book *fail(struct out *out)
{
    out->error = out->failed ? out->error : errno;
    out->failed = true;
    return NULL;
}

static struct out_book *open_book(struct out *out)
{
    struct out_book *book = out->book;
    lxw_workbook_options options = {.constant_memory = LXW_TRUE};
    const char *dir = getenv("TMPDIR");
    int fd;

    if (book != NULL)
        return book;
    book = calloc(1, sizeof(*book));
    if (book == NULL)
        return fail(out);
    snprintf(book->path, sizeof(book->path), "%s/entente.XXXXXX",
             dir == NULL || *dir == '\0' ? "/tmp" : dir);
    fd = mkostemp(book->path, O_CLOEXEC);
    if (fd < 0) {
        free(book);
        return fail(out);
    }
    close(fd);
    book->book = workbook_new_opt(book->path, &options);
    if (book->book == NULL) {
        unlink(book->path);
        free(book);
        return fail(out);
    }
    book->bold = workbook_add_format(book->book);
    format_set_bold(book->bold);
    book->day = workbook_add_format(book->book);
    format_set_num_format(book->day, "yyyy-mm-dd");
    book->wrap = workbook_add_format(book->book);
    format_set_text_wrap(book->wrap);
    out->book = book;
    return book;
}

/* A name that no spreadsheet refuses; NULL lets the library choose one. */
static const char *sheet_name(struct out *out, const char *label,
                              char name[SHEET_NAME_BYTES + 1])
{
    int len;

    if (label == NULL || *label == '\0')
        return NULL;
    label = out_shown(out, label, 0);
    len = (int)strlen(label);
    if (len > SHEET_NAME_BYTES)
        len = SHEET_NAME_BYTES;
    while (len > 0 && ((unsigned char)label[len] & 0xc0) == 0x80)
        len--;
    snprintf(name, SHEET_NAME_BYTES + 1, "%.*s", len, label);
    for (char *at = name; *at != '\0'; at++)
        if (strchr("[]:*?/\\'", *at) != NULL)
            *at = ' ';
    return name;
}

static bool new_sheet(struct out *out, const char *label)
{
    struct out_book *book = open_book(out);
    char name[SHEET_NAME_BYTES + 1];
    const char *wanted;

    if (book == NULL)
        return false;
    wanted = sheet_name(out, label, name);
    if (wanted != NULL &&
        workbook_validate_sheet_name(book->book, wanted) != LXW_NO_ERROR)
        wanted = NULL;
    book->sheet = workbook_add_worksheet(book->book, wanted);
    book->row = 0;
    if (book->sheet == NULL)
        fail(out);
    return book->sheet != NULL;
}

/* ------------------------------------------------------------------- cells */

/* Whole characters that a cell takes. */
static const char *cut(struct out *out, const char *text)
{
    size_t count = 0;
    size_t len = 0;

    while (text[len] != '\0' && count < BOOK_TEXT_MAX) {
        len++;
        if (((unsigned char)text[len] & 0xc0) != 0x80)
            count += (unsigned char)text[len - 1] < 0xf0 ? 1 : 2;
    }
    if (text[len] == '\0')
        return text;
    ent_buf_reset(&out->text);
    ent_buf_put(&out->text, text, len);
    return out_or_empty(ent_buf_cstr(&out->text));
}

static bool read_day(const char *text, lxw_datetime *day)
{
    char end;

    /* Days before 1900-03-01 are counted differently by every spreadsheet. */
    return strlen(text) == 10 && text[4] == '-' && text[7] == '-' &&
           sscanf(text, "%4d-%2d-%2d%c", &day->year, &day->month, &day->day,
                  &end) == 3 &&
           day->year > 1900 && day->month >= 1 && day->month <= 12 &&
           day->day >= 1 && day->day <= 31;
}

static size_t count_digits(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text >= '0' && *text <= '9';
    return count;
}

static void put_cell(struct out *out, uint16_t column, enum out_type type,
                     const char *text)
{
    struct out_book *book = out->book;
    lxw_error error = LXW_NO_ERROR;
    lxw_datetime day = {0};

    if (text == NULL || *text == '\0' || book == NULL || book->sheet == NULL)
        return;
    if (type == OUT_NUMBER && out_is_number(text) &&
        count_digits(text) <= BOOK_DIGITS_MAX)
        error = worksheet_write_number(book->sheet, book->row, column,
                                       strtod(text, NULL), NULL);
    else if (type == OUT_DATE && read_day(text, &day))
        error = worksheet_write_datetime(book->sheet, book->row, column, &day,
                                         book->day);
    else
        error = worksheet_write_string(
            book->sheet, book->row, column,
            cut(out, out_shown(out, out_plain(out, type, text), OUT_SHOW_LF)),
            strchr(text, '\n') != NULL ? book->wrap : NULL);
    if (error != LXW_NO_ERROR) {
        errno = EFBIG;
        fail(out);
    }
}

/* ---------------------------------------------------------------- listings */

void out_book_begin(struct out *out)
{
    if (!new_sheet(out, out->in_object ? out->label : NULL))
        return;
    for (size_t i = 0; i < out->column_count; i++) {
        struct out_column *column = &out->columns[i];
        const char *name = out_shown(out, out_or_empty(column->heading), 0);

        column->width = out_width(name, NULL);
        worksheet_write_string(out->book->sheet, 0, (uint16_t)i, name,
                               out->book->bold);
    }
    worksheet_freeze_panes(out->book->sheet, 1, 0);
}

void out_book_row(struct out *out)
{
    if (out->book == NULL)
        return;
    if (++out->book->row >= BOOK_ROWS_MAX) {
        errno = EFBIG;
        fail(out);
    }
}

void out_book_cell(struct out *out, enum out_type type, const char *text)
{
    struct out_column *column = &out->columns[out->cell];
    size_t width = out_width(out_or_empty(text), NULL);

    if (width > column->width)
        column->width = width;
    put_cell(out, (uint16_t)out->cell, type, text);
}

void out_book_end_rows(struct out *out)
{
    if (out->book == NULL || out->book->sheet == NULL)
        return;
    for (size_t i = 0; i < out->column_count; i++) {
        size_t width = out->columns[i].width + 1;

        if (width > COLUMN_WIDTH_MAX)
            width = COLUMN_WIDTH_MAX;
        if (width < COLUMN_WIDTH_MIN)
            width = COLUMN_WIDTH_MIN;
        worksheet_set_column(out->book->sheet, (uint16_t)i, (uint16_t)i,
                             (double)width, NULL);
    }
    if (out->column_count > 0 && out->rows > 0)
        worksheet_autofilter(out->book->sheet, 0, 0, out->book->row,
                             (uint16_t)(out->column_count - 1));
    out->book->sheet = NULL;
}

/* ------------------------------------------------------ fields and remarks */

void out_book_field(struct out *out, const char *label, enum out_type type,
                    const char *text)
{
    if (out->gathered == 0 && new_sheet(out, NULL)) {
        worksheet_set_column(out->book->sheet, 0, 0, COLUMN_WIDTH_MAX / 2.0,
                             out->book->bold);
        worksheet_set_column(out->book->sheet, 1, 1, COLUMN_WIDTH_MAX, NULL);
    }
    if (out->book == NULL || out->book->sheet == NULL)
        return;
    worksheet_write_string(out->book->sheet, out->book->row, 0,
                           out_shown(out, label, 0), out->book->bold);
    put_cell(out, 1, type, text);
    out->book->row++;
}

/* Remarks are no rows of the table: they have a sheet of their own. */
void out_book_remark(struct out *out, const char *text)
{
    struct out_book *book = open_book(out);

    if (book == NULL)
        return;
    if (book->remarks == NULL) {
        char name[SHEET_NAME_BYTES + 1];

        book->remarks = workbook_add_worksheet(
            book->book, sheet_name(out, gettext("remarks"), name));
        if (book->remarks != NULL)
            worksheet_set_column(book->remarks, 0, 0, 2.0 * COLUMN_WIDTH_MAX,
                                 NULL);
    }
    if (book->remarks == NULL) {
        fail(out);
        return;
    }
    worksheet_write_string(book->remarks, book->remark++, 0,
                           cut(out, out_shown(out, text, 0)), book->wrap);
}

/* ------------------------------------------------------------------ the end */

static bool copy(struct out *out, const char *path)
{
    uint8_t chunk[COPY_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = -1;

    while (fd >= 0 && (got = read(fd, chunk, sizeof(chunk))) > 0)
        if (fwrite(chunk, 1, (size_t)got, out->file) != (size_t)got) {
            got = -1;
            break;
        }
    if (fd >= 0)
        close(fd);
    return got == 0;
}

void out_book_end(struct out *out)
{
    struct out_book *book = out->book;
    lxw_error error;

    if (book == NULL)
        return;
    out->book = NULL;
    errno = 0;
    error = workbook_close(book->book);
    if (error != LXW_NO_ERROR || (!out->failed && !copy(out, book->path))) {
        if (errno == 0)
            errno = EIO;
        fail(out);
    }
    unlink(book->path);
    free(book);
}
