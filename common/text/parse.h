/* parse.h - from what a person wrote to a value, and back.
 * Text becomes NFC here and nowhere else (rule L6). What parse accepts, print
 * gives back in one canonical spelling; parse(print(v)) is v. */
#ifndef ENT_TEXT_PARSE_H
#define ENT_TEXT_PARSE_H

#include "base/bytes.h"
#include "base/err.h"
#include "model/kind.h"
#include "model/value.h"
#include "text/vocab.h"

#define ENT_CODE_BYTES_MAX 256 /* a code, composite ones included */

/* UTF-8 without NUL, other C0 controls than tab and LF, DEL or C1, brought
 * into NFC; CR LF and CR become LF. What is in order already is given back as
 * it is, without a copy. ENT_EREFUSED: invalid UTF-8 (with the byte offset), a
 * control character, or longer than ENT_VALUE_BYTES_MAX. */
ENT_NODISCARD int ent_text_clean(struct ent_slice in, struct ent_arena *arena,
                                 struct ent_slice *out, struct ent_err *err);

/* One value of `field` (one element, for a set). `in` is not empty. Leading
 * and trailing blanks go, except in TEXT that has line breaks. ENUM takes the
 * code, or the label in either language; YESNO yes/no/oui/non/true/false/1/0;
 * DECIMAL "-12.50" (one point, no exponent, at most 15 digits); DATE any of
 * 2017, 2017-06, 2017-06-15, a day that exists, years 0001 to 9999; DATETIME
 * RFC 3339 with Z or an offset, stored with Z and whole seconds; CODE without
 * blanks and bars, the bar being what parts a set; REF a code, or a UUID (then
 * BYTES). ENT_EREFUSED says what is wrong and what would be accepted. */
ENT_NODISCARD int ent_value_parse(const struct ent_field *field,
                                  const struct ent_vocab *vocab,
                                  struct ent_slice in, struct ent_arena *arena,
                                  struct ent_value *value, struct ent_err *err);

/* The canonical text: true as yes, [1250, 2] as 12.5, a reference by id as a
 * UUID, NIL as nothing. OTHER prints as "?". */
void ent_value_print(const struct ent_value *value, struct ent_buf *buf);

#endif
