/* out_text.h - one value as text: made safe for a terminal, as JSON, guarded
 * against spreadsheets. Inside of out.h; commands use that. */
#ifndef ENT_CLI_OUT_TEXT_H
#define ENT_CLI_OUT_TEXT_H

#include "cli/out.h"

/* What may pass when text is shown; everything else that moves a cursor,
 * hides or reorders is spelled out. */
enum out_show {
    OUT_SHOW_LF = 1,
    OUT_SHOW_TAB = 2,
    OUT_SHOW_BIDI = 4,
};
void out_show_as(struct ent_buf *buf, struct ent_slice text, unsigned pass);

/* Whether a text is shown as it is: nothing of it is spelled out. */
bool out_is_plain(struct ent_slice text, unsigned pass);

/* Columns of a terminal that a text on one line takes, and its widest word in
 * `word` (NULL: not asked). */
size_t out_width(const char *text, size_t *word);

/* Append `text` with line breaks, so that no line is wider than `width`:
 * between words, in a word only where it is wider itself. */
void out_wrap(struct ent_buf *buf, const char *text, size_t width);

bool out_is_number(const char *text);

/* A cell's value as JSON: NULL is null, and what is not of its type a
 * string. */
void out_json_value(struct ent_buf *buf, enum out_type type, const char *text);

/* Write the JSON array `list` of plain values to `buf` again, as JSON or, with
 * `joint` between them, as text, with `french_days` days as French writes them;
 * false, and `buf` as it was, when it is no such array. */
bool out_put_list(struct ent_buf *buf, const char *list, const char *joint,
                  bool french_days);

#endif
