/* card.h - vCard and iCalendar as text: content lines, in and out (RFC 6350
 * section 3, RFC 5545 section 3.1). Both formats are lines of a name, its
 * parameters and a value, folded and escaped alike; what a property means is
 * the caller's. Reading never holds more than one line. */
#ifndef ENT_TEXT_CARD_H
#define ENT_TEXT_CARD_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

#define ENT_CARD_LINE_BYTES_MAX (64 << 10) /* of a line, unfolded */
#define ENT_CARD_PARAMS_MAX 32
#define ENT_CARD_FOLD_BYTES 75 /* of a written line, without its end */

struct ent_card; /* an open file */

struct ent_card_param {
    const char *name; /* in capitals */
    const char *value;
};

struct ent_card_line {
    size_t line;      /* in the file, from 1 */
    const char *name; /* in capitals, without its group */
    struct ent_card_param params[ENT_CARD_PARAMS_MAX];
    size_t param_count;
    struct ent_slice value; /* still escaped; not quoted-printable any more */
    bool cut;               /* longer than the limit: a picture, mostly */
};

/* Reads from the descriptor, which is taken and closed also on failure; `path`
 * is what errors call it. A UTF-8 BOM is skipped. ENT_EREFUSED: UTF-16. */
ENT_NODISCARD int ent_card_open_fd(int fd, const char *path,
                                   struct ent_card **card, struct ent_err *err);
void ent_card_close(struct ent_card *card);

/* The next line: 1, borrowed until the next call; 0 at the end. ENT_EREFUSED,
 * with file and line: no property, not UTF-8; reading may go on unless it is
 * `broken`. Quoted-printable values and parameters without a name, as vCard
 * 2.1 has them, are read too. */
ENT_NODISCARD int ent_card_next(struct ent_card *card,
                                const struct ent_card_line **line,
                                struct ent_err *err);
bool ent_card_broken(const struct ent_card *card);

/* The value of a parameter, NULL when the line has none of that name. Where it
 * stands several times their values are one list with commas. */
const char *ent_card_param(const struct ent_card_line *line, const char *name);

/* Whether a list with commas has that word, whatever its case. */
bool ent_card_has_word(const char *list, const char *word);

/* Takes the part up to the next `separator` (';' or ',') off `value` and
 * appends it to `part` without its escapes; the last one leaves `value.at`
 * NULL. With '\0' the whole value is one part. False: there is none. */
bool ent_card_part(struct ent_slice *value, char separator,
                   struct ent_buf *part);

/* Append text, escaped for a value. */
void ent_card_put_text(struct ent_buf *buf, struct ent_slice text);

/* Append ";NAME=value" (RFC 6868). */
void ent_card_put_param(struct ent_buf *buf, const char *name,
                        const char *value);

/* Append the line "NAMEparams:value", folded; `params` may be empty. */
void ent_card_put(struct ent_buf *buf, const char *name, const char *params,
                  struct ent_slice value);

#endif
