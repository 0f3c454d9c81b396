/* unicode.h - comparing what people write, whatever its case.
 * The making of NFC is ent_text_clean in parse.h. */
#ifndef ENT_TEXT_UNICODE_H
#define ENT_TEXT_UNICODE_H

#include "base/bytes.h"

#define ENT_FOLD_MAX 160 /* code points of a folded text, accents counted */

/* Code points of `text` without differences of case and of apostrophe,
 * accents as marks of their own. Their count; -1 when there are more than
 * ENT_FOLD_MAX or the text is not UTF-8. */
int ent_text_fold(struct ent_slice text, int32_t points[ENT_FOLD_MAX]);

/* Append `text` without differences of case, accent and apostrophe; what is
 * not UTF-8 stays as it is. For finding one text in another. */
void ent_text_put_bare(struct ent_buf *buf, struct ent_slice text);

/* At most `max` bytes of `text`, whole characters: for a "%.*s" that shows
 * a person what was refused. */
int ent_text_shown(struct ent_slice text, size_t max);

#endif
