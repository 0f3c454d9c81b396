/* json.h - the JSON arrays of text that set columns hold. */
#ifndef ENT_STORE_JSON_H
#define ENT_STORE_JSON_H

#include "base/bytes.h"

/* Append ["a","b"]. */
void ent_json_put_texts(struct ent_buf *buf, const struct ent_slice *texts,
                        size_t count);

/* Read such an array back; false for anything else. Texts are copied into
 * `arena`. */
ENT_NODISCARD bool ent_json_get_texts(struct ent_slice json,
                                      struct ent_arena *arena,
                                      struct ent_slice **texts, size_t *count);

#endif
