/* value.c - see value.h. */
#include "codec/value.h"

#include "base/limits.h"
#include "codec/pack.h"
#include "codec/scan.h"

void ent_value_put(struct ent_buf *buf, const struct ent_value *value)
{
    struct ent_pack pack;

    ent_pack_init(&pack, buf);
    ent_pack_value(&pack, value);
}

int ent_value_get(struct ent_slice bytes, struct ent_arena *arena,
                  struct ent_value *value, struct ent_err *err)
{
    struct ent_slice copy = ent_arena_copy(arena, bytes);
    struct ent_slice text;
    struct ent_unpack in;
    int rc;

    if (ent_scan_text(copy, &text) && text.len <= ENT_VALUE_BYTES_MAX) {
        *value = ent_value_text(text);
        return 0;
    }
    ent_unpack_init(&in, copy, ENT_VALUE_BYTES_MAX);
    *value = ent_get_value(&in, &in.root, arena);
    rc = ent_unpack_rc(&in, ENT_N_("value"), err);
    ent_unpack_fini(&in);
    return rc;
}
