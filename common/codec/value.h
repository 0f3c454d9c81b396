/* value.h - one value as canonical msgpack. */
#ifndef ENT_CODEC_VALUE_H
#define ENT_CODEC_VALUE_H

#include "base/bytes.h"
#include "base/err.h"
#include "model/value.h"

void ent_value_put(struct ent_buf *buf, const struct ent_value *value);

/* Texts and bytes are copied into `arena`. ENT_EREFUSED: not canonical. */
ENT_NODISCARD int ent_value_get(struct ent_slice bytes, struct ent_arena *arena,
                                struct ent_value *value, struct ent_err *err);

#endif
