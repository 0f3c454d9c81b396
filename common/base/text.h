/* text.h - C strings of fixed room. */
#ifndef ENT_BASE_TEXT_H
#define ENT_BASE_TEXT_H

#include "base/bytes.h"

/* Copy as a C string into `size` bytes, cut before a sequence that would not
 * fit whole. */
void ent_text_copy(char *to, size_t size, struct ent_slice text);

#endif
