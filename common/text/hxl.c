/* hxl.c - see hxl.h. */
#include "text/hxl.h"

#include <string.h>
#include <strings.h>

/* A row while it is looked through. */
struct scan {
    struct ent_slice text;
    char separator;
    size_t at;
    size_t line;
};

static bool is_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

/* The next cell, without blanks and quotation marks around it; `last` when it
 * ends its row. */
static struct ent_slice next_cell(struct scan *scan, bool *last)
{
    const uint8_t *text = scan->text.at;
    size_t from = scan->at;
    size_t end;
    bool quoted = false;

    while (scan->at < scan->text.len) {
        uint8_t byte = text[scan->at];

        if (byte == '"')
            quoted = !quoted;
        else if (!quoted && (byte == (uint8_t)scan->separator || is_end(byte)))
            break;
        scan->line += byte == '\n';
        scan->at++;
    }
    end = scan->at;
    *last = scan->at >= scan->text.len || is_end(text[scan->at]);
    if (scan->at < scan->text.len)
        scan->at++;
    if (*last && scan->at < scan->text.len && scan->at > 0 &&
        text[scan->at - 1] == '\r' && text[scan->at] == '\n')
        scan->at++;
    scan->line += *last;
    while (from < end && (text[from] == ' ' || text[from] == '"'))
        from++;
    while (end > from && (text[end - 1] == ' ' || text[end - 1] == '"'))
        end--;
    return ent_slice(text + from, end - from);
}

/* #org+name: a letter behind the mark. */
static bool is_tag(struct ent_slice cell)
{
    return cell.len >= 2 && cell.at[0] == '#' &&
           ((cell.at[1] | 0x20) >= 'a' && (cell.at[1] | 0x20) <= 'z');
}

struct row {
    size_t filled, tags, cells;
};

static struct row read_row(struct scan *scan, struct ent_hxl *hxl)
{
    struct row row = {0};
    bool last = false;

    while (!last) {
        struct ent_slice cell = next_cell(scan, &last);

        if (row.cells < ENT_HXL_COLUMNS_MAX)
            hxl->tags[row.cells] = cell;
        row.cells++;
        row.filled += cell.len > 0;
        row.tags += is_tag(cell);
    }
    return row;
}

bool ent_hxl_find(struct ent_slice text, char separator, size_t rows_max,
                  struct ent_hxl *hxl)
{
    struct scan scan = {.text = text, .separator = separator, .line = 1};
    size_t first_filled = 0;
    size_t first_line = 1;
    size_t first_at = 0;
    size_t above_at = 0;
    size_t above_line = 1;

    for (size_t i = 0; i <= rows_max && scan.at < text.len;) {
        size_t at = scan.at;
        size_t line = scan.line;
        struct row row = read_row(&scan, hxl);

        if (row.cells == 1 && row.filled == 0)
            continue; /* a blank line */
        if (row.tags >= 2 && row.tags == row.filled &&
            row.cells <= ENT_HXL_COLUMNS_MAX) {
            bool first = i == 0;
            bool headed = !first && first_filled >= row.tags;

            hxl->count = row.cells;
            hxl->line = line;
            hxl->heading_at = first ? at : headed ? first_at : above_at;
            hxl->heading_line = first ? line : headed ? first_line : above_line;
            return true;
        }
        if (i++ == 0) {
            first_filled = row.filled;
            first_at = at;
            first_line = line;
        }
        above_at = at;
        above_line = line;
    }
    return false;
}

/* The part of a tag up to the next '+'; takes it off. */
static struct ent_slice next_part(struct ent_slice *tag)
{
    const uint8_t *plus = tag->len == 0 ? NULL : memchr(tag->at, '+', tag->len);
    size_t len = plus == NULL ? tag->len : (size_t)(plus - tag->at);
    struct ent_slice part = ent_slice(tag->at, len);

    *tag = ent_slice(tag->at + len + (plus != NULL),
                     tag->len - len - (plus != NULL));
    while (part.len > 0 && part.at[part.len - 1] == ' ')
        part.len--;
    while (part.len > 0 && part.at[0] == ' ')
        part = ent_slice(part.at + 1, part.len - 1);
    return part;
}

static bool part_equal(struct ent_slice a, struct ent_slice b)
{
    return a.len == b.len &&
           strncasecmp((const char *)a.at, (const char *)b.at, a.len) == 0;
}

static bool has_attributes(struct ent_slice a, struct ent_slice b)
{
    while (a.len > 0) {
        struct ent_slice part = next_part(&a);
        struct ent_slice rest = b;
        bool found = false;

        while (rest.len > 0 && !found)
            found = part_equal(part, next_part(&rest));
        if (!found)
            return false;
    }
    return true;
}

bool ent_hxl_same(struct ent_slice a, struct ent_slice b)
{
    struct ent_slice first = next_part(&a);
    struct ent_slice second = next_part(&b);

    return part_equal(first, second) && has_attributes(a, b) &&
           has_attributes(b, a);
}
