/* csv.c - see csv.h. The only user of libcsv.
 * The bytes go to libcsv one line at a time, so it never gets beyond the row
 * in hand and the line of every row is known. */
#include "text/csv.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/utf8.h"
#include "text/hxl.h"
#include "text/parse.h"

#define CHUNK_BYTES (64 << 10)
#define CELL_NAME_MAX 96
#define CELL_SHOWN 60              /* bytes of one that is refused */
#define CELL_STEP_BYTES (64 << 10) /* by which libcsv grows its buffer */

struct ent_csv {
    FILE *file;
    char *path;
    struct csv_parser parser;
    char separator;
    bool broken;

    uint8_t chunk[CHUNK_BYTES];
    size_t at;
    size_t len;
    size_t line; /* of the next byte */
    bool after_cr;

    size_t row_line;
    size_t row_bytes; /* given to libcsv since the row began */
    size_t row_quotes;
    bool row_done;
    struct ent_buf text; /* the cells, one after the other */
    size_t ends[ENT_CSV_COLUMNS_MAX];
    size_t cell_count; /* goes on counting beyond the last that is kept */
    size_t cell_long;  /* the first cell over its limit, from 1; or 0 */
    struct ent_slice cells[ENT_CSV_COLUMNS_MAX];
    size_t rows; /* after the heading */

    struct ent_arena arena;
    const char *headings[ENT_CSV_COLUMNS_MAX];
    size_t columns;
    const char *tags[ENT_CSV_COLUMNS_MAX]; /* HXL */
    size_t tags_line;                      /* 0: there is no such row */
};

/* Blanks belong to the cell (RFC 4180 section 2.4). */
static int no_space(unsigned char byte)
{
    (void)byte;
    return 0;
}

static void take_cell(void *at, size_t len, void *data)
{
    struct ent_csv *csv = data;

    csv->cell_count++;
    if (len > ENT_CSV_CELL_BYTES_MAX && csv->cell_long == 0)
        csv->cell_long = csv->cell_count;
    if (csv->cell_count > ENT_CSV_COLUMNS_MAX || csv->cell_long > 0)
        return;
    ent_buf_put(&csv->text, at, len);
    csv->ends[csv->cell_count - 1] = csv->text.len;
}

static void take_row(int byte, void *data)
{
    struct ent_csv *csv = data;

    (void)byte;
    csv->row_done = true;
}

static bool parser_start(struct ent_csv *csv)
{
    if (csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return false;
    csv_set_delim(&csv->parser, (unsigned char)csv->separator);
    csv_set_space_func(&csv->parser, no_space);
    csv_set_blk_size(&csv->parser, CELL_STEP_BYTES);
    return true;
}

static int at_row(const struct ent_csv *csv, int rc, struct ent_err *err)
{
    ent_err_prefix(err, "%s:%zu", csv->path, csv->row_line);
    return rc;
}

/* Cell `number`, from 1, with the heading of its column when it has one. */
static void name_cell(const struct ent_csv *csv, size_t number,
                      char name[CELL_NAME_MAX])
{
    if (number <= csv->columns)
        snprintf(name, CELL_NAME_MAX, "%zu (%.60s)", number,
                 csv->headings[number - 1]);
    else
        snprintf(name, CELL_NAME_MAX, "%zu", number);
}

static int no_memory(struct ent_csv *csv, struct ent_err *err)
{
    csv->broken = true;
    return ent_err_set(err, ENT_ENOMEM, "out of memory");
}

/* 1: bytes to read, 0: the end. */
static int refill(struct ent_csv *csv, struct ent_err *err)
{
    csv->at = 0;
    csv->len = fread(csv->chunk, 1, sizeof(csv->chunk), csv->file);
    if (csv->len > 0)
        return 1;
    if (!ferror(csv->file))
        return 0;
    csv->broken = true;
    return ent_err_set(err, ENT_EREFUSED, "%s cannot be read: %s", csv->path,
                       strerror(errno));
}

static bool ends_line(struct ent_slice piece)
{
    return piece.at[piece.len - 1] == '\n' || piece.at[piece.len - 1] == '\r';
}

/* The bytes up to the end of the line or of the chunk; counts lines, CR LF as
 * one. */
static struct ent_slice next_piece(struct ent_csv *csv)
{
    const uint8_t *from = csv->chunk + csv->at;
    const uint8_t *lf = memchr(from, '\n', csv->len - csv->at);
    size_t len = lf == NULL ? csv->len - csv->at : (size_t)(lf - from) + 1;
    const uint8_t *cr = memchr(from, '\r', len);
    struct ent_slice piece;

    if (cr != NULL)
        len = (size_t)(cr - from) + 1;
    piece = ent_slice(from, len);
    csv->at += len;
    if (ends_line(piece) && !(csv->after_cr && len == 1 && *from == '\n'))
        csv->line++;
    csv->after_cr = from[len - 1] == '\r';
    return piece;
}

static size_t count_quotes(struct ent_slice piece)
{
    const uint8_t *end = piece.at + piece.len;
    const uint8_t *at = piece.at;
    size_t count = 0;

    while ((at = memchr(at, '"', (size_t)(end - at))) != NULL) {
        count++;
        at++;
    }
    return count;
}

/* Read past the rest of a row that is refused, of which `piece` was read last,
 * holding none of it. In a row without stray quotes one is within quotes after
 * an odd number of them. */
static int skip_row(struct ent_csv *csv, struct ent_slice piece,
                    bool heed_quotes, struct ent_err *err)
{
    csv_free(&csv->parser);
    if (!parser_start(csv))
        return no_memory(csv, err);
    while (!ends_line(piece) || (heed_quotes && csv->row_quotes % 2 != 0)) {
        if (csv->at == csv->len) {
            int rc = refill(csv, err);

            if (rc <= 0)
                return rc;
        }
        piece = next_piece(csv);
        csv->row_quotes += count_quotes(piece);
    }
    return 0;
}

static int refuse_long_row(struct ent_csv *csv, struct ent_slice piece,
                           struct ent_err *err)
{
    size_t cell = csv->cell_long > 0 ? csv->cell_long : csv->cell_count + 1;
    char name[CELL_NAME_MAX];
    int rc = skip_row(csv, piece, true, err);

    if (rc < 0)
        return rc;
    name_cell(csv, cell, name);
    rc = ent_err_set(err, ENT_EREFUSED,
                     "the row is longer than %d bytes; it was left in cell "
                     "%s: is a quotation mark left open?",
                     ENT_CSV_ROW_BYTES_MAX, name);
    return at_row(csv, rc, err);
}

static int refuse_quote(struct ent_csv *csv, struct ent_slice piece,
                        struct ent_err *err)
{
    int rc;

    if (csv_error(&csv->parser) != CSV_EPARSE)
        return no_memory(csv, err);
    rc = skip_row(csv, piece, false, err);
    if (rc < 0)
        return rc;
    rc = ent_err_set(err, ENT_EREFUSED,
                     "a stray quotation mark; within a cell it is doubled and "
                     "the cell stands between quotation marks");
    return at_row(csv, rc, err);
}

static int end_of_file(struct ent_csv *csv, struct ent_err *err)
{
    int rc;

    if (csv->row_bytes == 0)
        return 0;
    if (csv_fini(&csv->parser, take_cell, take_row, csv) == 0)
        return csv->row_done ? 1 : 0;
    csv_free(&csv->parser);
    if (!parser_start(csv))
        return no_memory(csv, err);
    rc = ent_err_set(err, ENT_EREFUSED,
                     "a quotation mark is left open up to the end of the file");
    return at_row(csv, rc, err);
}

/* One row as it stands: 1, or 0 at the end. */
static int read_row(struct ent_csv *csv, struct ent_err *err)
{
    ent_buf_reset(&csv->text);
    csv->row_bytes = 0;
    csv->row_quotes = 0;
    csv->row_done = false;
    csv->cell_count = 0;
    csv->cell_long = 0;
    while (!csv->row_done) {
        struct ent_slice piece;
        size_t line = csv->line;

        if (csv->at == csv->len) {
            int rc = refill(csv, err);

            if (rc < 0)
                return rc;
            if (rc == 0)
                return end_of_file(csv, err);
        }
        piece = next_piece(csv);
        if (csv->row_bytes == 0) {
            if (piece.len == 1 && ends_line(piece))
                continue;
            csv->row_line = line;
        }
        csv->row_bytes += piece.len;
        csv->row_quotes += count_quotes(piece);
        if (csv->row_bytes > ENT_CSV_ROW_BYTES_MAX)
            return refuse_long_row(csv, piece, err);
        if (csv_parse(&csv->parser, piece.at, piece.len, take_cell, take_row,
                      csv) != piece.len)
            return refuse_quote(csv, piece, err);
    }
    return 1;
}

/* The row that was read, as cells. */
static int take_cells(struct ent_csv *csv, struct ent_err *err)
{
    size_t from = 0;

    if (csv->cell_long > 0) {
        char name[CELL_NAME_MAX];
        int rc;

        name_cell(csv, csv->cell_long, name);
        rc = ent_err_set(err, ENT_EREFUSED, "cell %s is longer than %d bytes",
                         name, ENT_CSV_CELL_BYTES_MAX);
        return at_row(csv, rc, err);
    }
    if (csv->text.rc < 0)
        return no_memory(csv, err);
    for (size_t i = 0; i < csv->cell_count && i < ENT_CSV_COLUMNS_MAX; i++) {
        csv->cells[i] = ent_slice(csv->text.at + from, csv->ends[i] - from);
        from = csv->ends[i];
    }
    return 0;
}

int ent_csv_check_text(struct ent_slice cell, struct ent_err *err)
{
    size_t valid = ent_utf8_valid(cell);

    if (valid == cell.len)
        return 0;
    return ent_err_set(err, ENT_EREFUSED,
                       "\"%.*s\" is not valid UTF-8 at byte %zu; save the "
                       "file as UTF-8 (in Excel: \"CSV UTF-8\")",
                       (int)(cell.len < CELL_SHOWN ? cell.len : CELL_SHOWN),
                       (const char *)cell.at, valid + 1);
}

static int take_heading(struct ent_csv *csv, size_t column, struct ent_err *err)
{
    struct ent_slice name;
    int rc = ent_csv_check_text(csv->cells[column], err);

    if (rc == 0)
        rc = ent_text_clean(csv->cells[column], &csv->arena, &name, err);
    if (rc < 0)
        return rc;
    while (name.len > 0 && name.at[0] == ' ')
        name = ent_slice(name.at + 1, name.len - 1);
    while (name.len > 0 && name.at[name.len - 1] == ' ')
        name.len--;
    if (name.len == 0)
        return ent_err_set(err, ENT_EREFUSED, "column %zu has no heading",
                           column + 1);
    name = ent_arena_copy(&csv->arena, name);
    if (name.at == NULL)
        return no_memory(csv, err);
    csv->headings[column] = (const char *)name.at;
    for (size_t i = 0; i < column; i++)
        if (strcmp(csv->headings[i], csv->headings[column]) == 0)
            return ent_err_set(err, ENT_EREFUSED,
                               "two columns have the heading \"%s\"",
                               csv->headings[i]);
    return 0;
}

static int read_heading(struct ent_csv *csv, struct ent_err *err)
{
    int rc = read_row(csv, err);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return ent_err_set(err, ENT_EREFUSED,
                           "%s is empty; its first row names the columns",
                           csv->path);
    rc = take_cells(csv, err);
    if (rc < 0)
        return rc;
    if (csv->cell_count > ENT_CSV_COLUMNS_MAX) {
        rc = ent_err_set(err, ENT_EREFUSED, "more than %d columns",
                         ENT_CSV_COLUMNS_MAX);
        return at_row(csv, rc, err);
    }
    for (size_t i = 0; i < csv->cell_count; i++) {
        rc = take_heading(csv, i, err);
        if (rc < 0)
            return at_row(csv, rc, err);
    }
    csv->columns = csv->cell_count;
    return 0;
}

/* What stands most often in the first line, outside quotation marks. */
static char find_separator(const struct ent_csv *csv)
{
    static const char separators[] = ",;\t";
    size_t counts[3] = {0};
    size_t best = 0;
    bool quoted = false;

    for (size_t i = csv->at; i < csv->len; i++) {
        char byte = (char)csv->chunk[i];
        const char *found;

        if (byte == '"')
            quoted = !quoted;
        if (quoted || byte == '\0')
            continue;
        if (byte == '\n' || byte == '\r')
            break;
        found = strchr(separators, byte);
        if (found != NULL)
            counts[found - separators]++;
    }
    for (size_t i = 1; i < ENT_ARRAY_LEN(counts); i++)
        if (counts[i] > counts[best])
            best = i;
    return separators[best];
}

/* The row of HXL tags, if there is one: what the columns are, where the table
 * begins, and what stands between its cells. */
static int find_tags(struct ent_csv *csv, struct ent_err *err)
{
    static const char separators[] = {',', ';', '\t'};
    struct ent_slice text = ent_slice(csv->chunk + csv->at, csv->len - csv->at);
    struct ent_hxl *hxl = calloc(1, sizeof(*hxl));
    size_t i = 0;

    if (hxl == NULL)
        return no_memory(csv, err);
    while (i < ENT_ARRAY_LEN(separators) &&
           !ent_hxl_find(text, separators[i], ENT_CSV_HXL_ROWS, hxl))
        i++;
    if (i < ENT_ARRAY_LEN(separators)) {
        csv->separator = separators[i];
        csv->tags_line = hxl->line;
        for (size_t at = 0; at < hxl->count && csv->arena.rc == 0; at++)
            if (hxl->tags[at].len > 0)
                csv->tags[at] =
                    (const char *)ent_arena_copy(&csv->arena, hxl->tags[at]).at;
        csv->at += hxl->heading_at;
        csv->line = hxl->heading_line;
    }
    free(hxl);
    return csv->arena.rc < 0 ? no_memory(csv, err) : 0;
}

/* "sep=;" in the first line, which Excel writes and heeds. */
static bool take_separator(struct ent_csv *csv)
{
    const uint8_t *at = csv->chunk + csv->at;
    size_t len = csv->len - csv->at;
    size_t end = 5;

    if (len < 6 || strncasecmp((const char *)at, "sep=", 4) != 0 ||
        memchr(",;\t", at[4], 3) == NULL)
        return false;
    end += at[end] == '\r';
    end += end < len && at[end] == '\n';
    if (end == 5)
        return false;
    csv->separator = (char)at[4];
    csv->at += end;
    csv->line++;
    return true;
}

static int read_start(struct ent_csv *csv, struct ent_err *err)
{
    int rc = refill(csv, err);

    if (rc < 0)
        return rc;
    if (csv->len >= 2 && (memcmp(csv->chunk, "\xff\xfe", 2) == 0 ||
                          memcmp(csv->chunk, "\xfe\xff", 2) == 0))
        return ent_err_set(err, ENT_EREFUSED,
                           "%s is UTF-16 text; save it as UTF-8", csv->path);
    if (csv->len >= 3 && memcmp(csv->chunk, "\xef\xbb\xbf", 3) == 0)
        csv->at = 3;
    if (!take_separator(csv))
        csv->separator = find_separator(csv);
    rc = find_tags(csv, err);
    if (rc < 0)
        return rc;
    if (!parser_start(csv))
        return no_memory(csv, err);
    return read_heading(csv, err);
}

int ent_csv_open_fd(int fd, const char *path, struct ent_csv **out,
                    struct ent_err *err)
{
    struct ent_csv *csv = calloc(1, sizeof(*csv));
    int rc;

    if (csv == NULL) {
        close(fd);
        return ent_err_set(err, ENT_ENOMEM, "out of memory");
    }
    csv->line = 1;
    csv->path = strdup(path);
    csv->file = fdopen(fd, "r");
    if (csv->file == NULL)
        close(fd);
    rc = csv->path == NULL || csv->file == NULL ? no_memory(csv, err)
                                                : read_start(csv, err);
    if (rc == 0) {
        *out = csv;
        csv = NULL;
    }
    ent_csv_close(csv);
    return rc;
}

int ent_csv_open(const char *path, struct ent_csv **csv, struct ent_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return ent_err_set(err, ENT_ENOTFOUND, "%s cannot be opened: %s", path,
                           strerror(errno));
    return ent_csv_open_fd(fd, path, csv, err);
}

void ent_csv_close(struct ent_csv *csv)
{
    if (csv == NULL)
        return;
    if (csv->file != NULL)
        fclose(csv->file);
    csv_free(&csv->parser);
    ent_buf_fini(&csv->text);
    ent_arena_fini(&csv->arena);
    free(csv->path);
    free(csv);
}

char ent_csv_separator(const struct ent_csv *csv)
{
    return csv->separator;
}

size_t ent_csv_columns(const struct ent_csv *csv)
{
    return csv->columns;
}

const char *ent_csv_heading(const struct ent_csv *csv, size_t column)
{
    ENT_ASSERT(column < csv->columns);
    return csv->headings[column];
}

const char *ent_csv_tag(const struct ent_csv *csv, size_t column)
{
    ENT_ASSERT(column < csv->columns);
    return csv->tags[column];
}

static bool is_hxl_row(const struct ent_csv *csv)
{
    if (csv->row_line == csv->tags_line)
        return true;
    return csv->rows <= ENT_CSV_HXL_ROWS && csv->cells[0].len > 0 &&
           csv->cells[0].at[0] == '#';
}

int ent_csv_next(struct ent_csv *csv, const struct ent_slice **cells,
                 struct ent_err *err)
{
    int rc;

    do {
        if (csv->broken)
            return ent_err_set(err, ENT_EREFUSED, "%s cannot be read on",
                               csv->path);
        rc = read_row(csv, err);
        if (rc == 0)
            return 0;
        csv->rows++;
        if (rc > 0)
            rc = take_cells(csv, err);
        if (rc < 0)
            return rc;
    } while (is_hxl_row(csv));
    if (csv->cell_count != csv->columns) {
        rc = ent_err_set(err, ENT_EREFUSED,
                         "%zu cells, where the heading has %zu",
                         csv->cell_count, csv->columns);
        return at_row(csv, rc, err);
    }
    *cells = csv->cells;
    return 1;
}

bool ent_csv_broken(const struct ent_csv *csv)
{
    return csv->broken;
}

size_t ent_csv_line(const struct ent_csv *csv)
{
    return csv->row_line;
}

static bool must_quote(struct ent_slice cell, char separator)
{
    for (size_t i = 0; i < cell.len; i++) {
        char byte = (char)cell.at[i];

        if (byte == separator || byte == '"' || byte == '\n' || byte == '\r')
            return true;
    }
    return cell.len > 0 && (cell.at[0] == ' ' || cell.at[cell.len - 1] == ' ');
}

void ent_csv_put(struct ent_buf *buf, char separator, bool first,
                 struct ent_slice cell)
{
    if (!first)
        ent_buf_put(buf, &separator, 1);
    if (!must_quote(cell, separator) && !(first && cell.len == 0)) {
        ent_buf_put_slice(buf, cell);
        return;
    }
    ent_buf_put_u8(buf, '"');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.at[i] == '"')
            ent_buf_put_u8(buf, '"');
        ent_buf_put_u8(buf, cell.at[i]);
    }
    ent_buf_put_u8(buf, '"');
}
