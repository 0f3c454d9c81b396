/* value.c - see value.h. */
#include "model/value.h"

struct ent_value ent_value_nil(void)
{
    return (struct ent_value){.type = ENT_VALUE_NIL};
}

struct ent_value ent_value_int(int64_t integer)
{
    return (struct ent_value){.type = ENT_VALUE_INT, .integer = integer};
}

struct ent_value ent_value_bool(bool yes)
{
    return (struct ent_value){.type = ENT_VALUE_BOOL, .integer = yes};
}

struct ent_value ent_value_text(struct ent_slice text)
{
    return (struct ent_value){.type = ENT_VALUE_TEXT, .bytes = text};
}

struct ent_value ent_value_bytes(struct ent_slice bytes)
{
    return (struct ent_value){.type = ENT_VALUE_BYTES, .bytes = bytes};
}

struct ent_value ent_value_decimal(int64_t integer, uint32_t scale)
{
    while (scale > 0 && integer % 10 == 0) {
        integer /= 10;
        scale--;
    }
    if (scale == 0)
        return ent_value_int(integer);
    return (struct ent_value){
        .type = ENT_VALUE_DECIMAL, .integer = integer, .scale = scale};
}

bool ent_value_equal(const struct ent_value *a, const struct ent_value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case ENT_VALUE_NIL:
        return true;
    case ENT_VALUE_BOOL:
    case ENT_VALUE_INT:
        return a->integer == b->integer;
    case ENT_VALUE_DECIMAL:
        return a->integer == b->integer && a->scale == b->scale;
    case ENT_VALUE_TEXT:
    case ENT_VALUE_BYTES:
    case ENT_VALUE_OTHER:
        return ent_slice_equal(a->bytes, b->bytes);
    }
    return false;
}
