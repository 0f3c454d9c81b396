/* utf8.h - is it UTF-8 (RFC 3629)? */
#ifndef ENT_BASE_UTF8_H
#define ENT_BASE_UTF8_H

#include <stdbool.h>

#include "base/bytes.h"

/* Offset of the first byte that is not part of a well-formed sequence (no
 * overlong form, no surrogate, nothing above U+10FFFF), or `text.len`. */
size_t ent_utf8_valid(struct ent_slice text);

#endif
