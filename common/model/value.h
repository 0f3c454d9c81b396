/* value.h - one value of a field.
 * What a field may hold is told by its definition (model/kind.h); what the
 * log can carry is told here, so that values of newer programs are kept and
 * passed on unread (rule L6). No floats: a decimal is integer and scale. */
#ifndef ENT_MODEL_VALUE_H
#define ENT_MODEL_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define ENT_DECIMAL_SCALE_MAX 9
#define ENT_DECIMAL_DIGITS_MAX 15 /* so that a double shows it exactly */

enum ent_value_type {
    ENT_VALUE_NIL, /* an emptied field */
    ENT_VALUE_BOOL,
    ENT_VALUE_INT,
    ENT_VALUE_DECIMAL, /* integer / 10^scale, scale 1 to 9, no trailing 0 */
    ENT_VALUE_TEXT,    /* UTF-8 in NFC */
    ENT_VALUE_BYTES,   /* 16 bytes: a reference to a record by id */
    ENT_VALUE_OTHER,   /* packed, of a kind this program does not know */
};

struct ent_value {
    enum ent_value_type type;
    uint32_t scale;         /* DECIMAL */
    int64_t integer;        /* BOOL, INT, DECIMAL */
    struct ent_slice bytes; /* TEXT, BYTES, OTHER: borrowed */
};

struct ent_value ent_value_nil(void);
struct ent_value ent_value_int(int64_t integer);
struct ent_value ent_value_bool(bool yes);
struct ent_value ent_value_text(struct ent_slice text);
struct ent_value ent_value_bytes(struct ent_slice bytes);

/* Integer and scale brought to the one form: trailing zeros dropped, and an
 * INT when nothing is left behind the point. */
struct ent_value ent_value_decimal(int64_t integer, uint32_t scale);

bool ent_value_equal(const struct ent_value *a, const struct ent_value *b);

#endif
