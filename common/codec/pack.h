/* pack.h - msgpack-c, as the rest of codec/ uses it: packing into a sticky
 * buffer, and unpacked objects read with sticky checks. */
#ifndef ENT_CODEC_PACK_H
#define ENT_CODEC_PACK_H

#include <msgpack.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"
#include "model/value.h"

/* ---------------------------------------------------------------- packing */

struct ent_pack {
    msgpack_packer raw;
};

void ent_pack_init(struct ent_pack *pack, struct ent_buf *buf);

/* A head that is one byte: small numbers, short lists and short texts are most
 * of what is written, and need no call each. */
static inline void ent_pack_head(struct ent_pack *pack, size_t head)
{
    struct ent_buf *buf = (struct ent_buf *)pack->raw.data;

    if (buf->rc == 0 && buf->cap - buf->len > 1)
        buf->at[buf->len++] = (uint8_t)head;
    else
        ent_buf_put_u8(buf, (uint8_t)head);
}

static inline void ent_pack_body(struct ent_pack *pack, const void *at,
                                 size_t len)
{
    struct ent_buf *buf = (struct ent_buf *)pack->raw.data;

    if (buf->rc == 0 && buf->cap - buf->len > len && len > 0) {
        memcpy(buf->at + buf->len, at, len);
        buf->len += len;
    } else {
        ent_buf_put(buf, at, len);
    }
}

static inline void ent_pack_array(struct ent_pack *pack, size_t count)
{
    if (count < 16)
        ent_pack_head(pack, 0x90 | count);
    else
        msgpack_pack_array(&pack->raw, count);
}

static inline void ent_pack_uint(struct ent_pack *pack, uint64_t value)
{
    if (value < 128)
        ent_pack_head(pack, value);
    else
        msgpack_pack_uint64(&pack->raw, value);
}

static inline void ent_pack_int(struct ent_pack *pack, int64_t value)
{
    msgpack_pack_int64(&pack->raw, value);
}

static inline void ent_pack_nil(struct ent_pack *pack)
{
    msgpack_pack_nil(&pack->raw);
}

static inline void ent_pack_bool(struct ent_pack *pack, bool yes)
{
    yes ? msgpack_pack_true(&pack->raw) : msgpack_pack_false(&pack->raw);
}

static inline void ent_pack_bin(struct ent_pack *pack, const void *at,
                                size_t len)
{
    msgpack_pack_bin(&pack->raw, len);
    ent_pack_body(pack, at, len);
}

static inline void ent_pack_str(struct ent_pack *pack, struct ent_slice text)
{
    if (text.len < 32)
        ent_pack_head(pack, 0xa0 | text.len);
    else
        msgpack_pack_str(&pack->raw, text.len);
    ent_pack_body(pack, text.at, text.len);
}

/* Bytes that are packed already. */
void ent_pack_raw(struct ent_pack *pack, struct ent_slice packed);
void ent_pack_value(struct ent_pack *pack, const struct ent_value *value);

/* -------------------------------------------------------------- unpacking */

typedef msgpack_object ent_obj;

/* Scanned and unpacked bytes. The first fault is kept; reading on after it
 * gives zeros and empty arrays, so callers check `fault` once at the end. */
struct ent_unpack {
    msgpack_zone zone;
    ent_obj root;
    const char *fault; /* a text to translate, NULL while all is well */
    bool nomem;
};

void ent_unpack_init(struct ent_unpack *unpack, struct ent_slice bytes,
                     size_t items_max);
void ent_unpack_fini(struct ent_unpack *unpack);

/* 0, or what the sticky fault amounts to; `what` names the thing. */
ENT_NODISCARD int ent_unpack_rc(const struct ent_unpack *unpack,
                                const char *what, struct ent_err *err);

void ent_unpack_fault(struct ent_unpack *unpack, const char *fault);

/* An array of at least `min` and at most `max` elements. */
const ent_obj *ent_get_array(struct ent_unpack *unpack, const ent_obj *obj,
                             size_t min, size_t max, size_t *count);
uint64_t ent_get_uint(struct ent_unpack *unpack, const ent_obj *obj,
                      uint64_t max);
int64_t ent_get_int(struct ent_unpack *unpack, const ent_obj *obj);
bool ent_get_bool(struct ent_unpack *unpack, const ent_obj *obj);
/* Exactly `len` bytes copied to `to`. */
void ent_get_bin(struct ent_unpack *unpack, const ent_obj *obj, void *to,
                 size_t len);
struct ent_slice ent_get_bytes(struct ent_unpack *unpack, const ent_obj *obj,
                               size_t max);
struct ent_slice ent_get_text(struct ent_unpack *unpack, const ent_obj *obj,
                              size_t max);

/* Any value; OTHER borrows from `arena`. */
struct ent_value ent_get_value(struct ent_unpack *unpack, const ent_obj *obj,
                               struct ent_arena *arena);

#endif
