/* pack.c - see pack.h. */
#include "codec/pack.h"

#include <libintl.h>
#include <string.h>

#include "base/limits.h"
#include "codec/scan.h"

#define ZONE_BYTES_MAX 8192

static int write_buf(void *data, const char *at, size_t len)
{
    struct ent_buf *buf = data;

    ent_buf_put(buf, at, len);
    return buf->rc < 0 ? -1 : 0;
}

void ent_pack_init(struct ent_pack *pack, struct ent_buf *buf)
{
    msgpack_packer_init(&pack->raw, buf, write_buf);
}

void ent_pack_raw(struct ent_pack *pack, struct ent_slice packed)
{
    ent_buf_put_slice(pack->raw.data, packed);
}

void ent_pack_value(struct ent_pack *pack, const struct ent_value *value)
{
    switch (value->type) {
    case ENT_VALUE_NIL:
        ent_pack_nil(pack);
        break;
    case ENT_VALUE_BOOL:
        ent_pack_bool(pack, value->integer != 0);
        break;
    case ENT_VALUE_INT:
        ent_pack_int(pack, value->integer);
        break;
    case ENT_VALUE_DECIMAL:
        ent_pack_array(pack, 2);
        ent_pack_int(pack, value->integer);
        ent_pack_uint(pack, value->scale);
        break;
    case ENT_VALUE_TEXT:
        ent_pack_str(pack, value->bytes);
        break;
    case ENT_VALUE_BYTES:
        ent_pack_bin(pack, value->bytes.at, value->bytes.len);
        break;
    case ENT_VALUE_OTHER:
        ent_pack_raw(pack, value->bytes);
        break;
    }
}

/* What is unpacked at most: every item takes a byte. A zone of its usual size
 * for each of many small values would be most of the work. */
static size_t zone_bytes(size_t len)
{
    return len < ZONE_BYTES_MAX / sizeof(ent_obj) ? len * sizeof(ent_obj)
                                                  : ZONE_BYTES_MAX;
}

void ent_unpack_init(struct ent_unpack *unpack, struct ent_slice bytes,
                     size_t items_max)
{
    size_t at = 0;
    msgpack_unpack_return ret;

    memset(unpack, 0, sizeof(*unpack));
    unpack->root.type = MSGPACK_OBJECT_NIL;
    unpack->fault = ent_scan(bytes, items_max);
    if (unpack->fault != NULL)
        return;
    if (!msgpack_zone_init(&unpack->zone, zone_bytes(bytes.len))) {
        unpack->nomem = true;
        unpack->fault = ENT_N_("out of memory");
        return;
    }
    ret = msgpack_unpack((const char *)bytes.at, bytes.len, &at, &unpack->zone,
                         &unpack->root);
    if (ret != MSGPACK_UNPACK_SUCCESS && ret != MSGPACK_UNPACK_EXTRA_BYTES) {
        unpack->nomem = ret == MSGPACK_UNPACK_NOMEM_ERROR;
        unpack->fault = unpack->nomem ? ENT_N_("out of memory")
                                      : ENT_N_("not canonical msgpack");
        unpack->root.type = MSGPACK_OBJECT_NIL;
    }
}

void ent_unpack_fini(struct ent_unpack *unpack)
{
    if (unpack->zone.chunk_list.head != NULL)
        msgpack_zone_destroy(&unpack->zone);
    memset(&unpack->zone, 0, sizeof(unpack->zone));
}

int ent_unpack_rc(const struct ent_unpack *unpack, const char *what,
                  struct ent_err *err)
{
    if (unpack->fault == NULL)
        return 0;
    if (unpack->nomem)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    ent_err_set(err, ENT_EREFUSED, "%s",
                dgettext(ENT_TEXT_DOMAIN, unpack->fault));
    ent_err_prefix(err, "%s", what);
    return ENT_EREFUSED;
}

void ent_unpack_fault(struct ent_unpack *unpack, const char *fault)
{
    if (unpack->fault == NULL)
        unpack->fault = fault;
}

const ent_obj *ent_get_array(struct ent_unpack *unpack, const ent_obj *obj,
                             size_t min, size_t max, size_t *count)
{
    static const ent_obj none[16] = {{.type = MSGPACK_OBJECT_NIL}};

    *count = 0;
    if (unpack->fault == NULL &&
        (obj->type != MSGPACK_OBJECT_ARRAY || obj->via.array.size < min ||
         obj->via.array.size > max))
        unpack->fault = ENT_N_("a list of the wrong length");
    ENT_ASSERT(min <= ENT_ARRAY_LEN(none));
    /* A reader of a fixed list finds nils to read after a fault. */
    if (unpack->fault != NULL)
        return none;
    *count = obj->via.array.size;
    return obj->via.array.ptr;
}

uint64_t ent_get_uint(struct ent_unpack *unpack, const ent_obj *obj,
                      uint64_t max)
{
    if (unpack->fault == NULL &&
        (obj->type != MSGPACK_OBJECT_POSITIVE_INTEGER || obj->via.u64 > max))
        unpack->fault = ENT_N_("a number out of range");
    return unpack->fault != NULL ? 0 : obj->via.u64;
}

int64_t ent_get_int(struct ent_unpack *unpack, const ent_obj *obj)
{
    if (unpack->fault != NULL)
        return 0;
    if (obj->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        return obj->via.i64;
    return (int64_t)ent_get_uint(unpack, obj, INT64_MAX);
}

bool ent_get_bool(struct ent_unpack *unpack, const ent_obj *obj)
{
    if (unpack->fault == NULL && obj->type != MSGPACK_OBJECT_BOOLEAN)
        unpack->fault = ENT_N_("neither true nor false");
    return unpack->fault == NULL && obj->via.boolean;
}

void ent_get_bin(struct ent_unpack *unpack, const ent_obj *obj, void *to,
                 size_t len)
{
    if (unpack->fault == NULL &&
        (obj->type != MSGPACK_OBJECT_BIN || obj->via.bin.size != len))
        unpack->fault = ENT_N_("binary of the wrong length");
    if (unpack->fault != NULL)
        memset(to, 0, len);
    else
        memcpy(to, obj->via.bin.ptr, len);
}

struct ent_slice ent_get_bytes(struct ent_unpack *unpack, const ent_obj *obj,
                               size_t max)
{
    if (unpack->fault == NULL &&
        (obj->type != MSGPACK_OBJECT_BIN || obj->via.bin.size > max))
        unpack->fault = ENT_N_("binary of the wrong length");
    if (unpack->fault != NULL)
        return ent_slice("", 0);
    return ent_slice(obj->via.bin.ptr, obj->via.bin.size);
}

struct ent_slice ent_get_text(struct ent_unpack *unpack, const ent_obj *obj,
                              size_t max)
{
    if (unpack->fault == NULL &&
        (obj->type != MSGPACK_OBJECT_STR || obj->via.str.size > max))
        unpack->fault = ENT_N_("no text, or too long a one");
    if (unpack->fault != NULL)
        return ent_slice("", 0);
    return ent_slice(obj->via.str.ptr, obj->via.str.size);
}

/* [integer, scale] in its one form; anything else is not ours to judge. */
static bool get_decimal(const ent_obj *obj, struct ent_value *value)
{
    const ent_obj *part;
    int64_t limit = 1;
    int64_t integer;

    if (obj->type != MSGPACK_OBJECT_ARRAY || obj->via.array.size != 2)
        return false;
    part = obj->via.array.ptr;
    if (part[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        part[1].via.u64 == 0 || part[1].via.u64 > ENT_DECIMAL_SCALE_MAX)
        return false;
    for (int i = 0; i < ENT_DECIMAL_DIGITS_MAX; i++)
        limit *= 10;
    if (part[0].type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        integer = part[0].via.i64;
    else if (part[0].type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
             part[0].via.u64 < (uint64_t)limit)
        integer = (int64_t)part[0].via.u64;
    else
        return false;
    if (integer <= -limit || integer >= limit || integer % 10 == 0)
        return false;
    *value = ent_value_decimal(integer, (uint32_t)part[1].via.u64);
    return true;
}

struct ent_value ent_get_value(struct ent_unpack *unpack, const ent_obj *obj,
                               struct ent_arena *arena)
{
    struct ent_value value = ent_value_nil();
    struct ent_buf buf = {0};
    msgpack_packer packer;

    if (unpack->fault != NULL)
        return value;
    if (obj->type == MSGPACK_OBJECT_NIL)
        return value;
    if (obj->type == MSGPACK_OBJECT_BOOLEAN)
        return ent_value_bool(obj->via.boolean);
    if (obj->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        return ent_value_int(obj->via.i64);
    if (obj->type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
        obj->via.u64 <= INT64_MAX)
        return ent_value_int((int64_t)obj->via.u64);
    if (obj->type == MSGPACK_OBJECT_STR)
        return ent_value_text(ent_get_text(unpack, obj, ENT_VALUE_BYTES_MAX));
    if (obj->type == MSGPACK_OBJECT_BIN && obj->via.bin.size == ENT_ID_BYTES)
        return ent_value_bytes(ent_get_bytes(unpack, obj, ENT_ID_BYTES));
    if (get_decimal(obj, &value))
        return value;
    msgpack_packer_init(&packer, &buf, write_buf);
    msgpack_pack_object(&packer, *obj);
    if (buf.len > ENT_VALUE_BYTES_MAX)
        ent_unpack_fault(unpack, ENT_N_("a value over its limit"));
    value.type = ENT_VALUE_OTHER;
    value.bytes = ent_arena_copy(arena, ent_buf_slice(&buf));
    if (buf.rc < 0 || arena->rc < 0) {
        unpack->nomem = true;
        ent_unpack_fault(unpack, ENT_N_("out of memory"));
    }
    ent_buf_fini(&buf);
    return value;
}
