/* bytes.h - borrowed bytes (slice), owned bytes (buf), short-lived bytes
 * (arena), and fixed big-endian numbers.
 * Buffers and arenas are sticky: the first failure is kept in `rc`, later
 * calls do nothing, and the caller checks once. */
#ifndef ENT_BASE_BYTES_H
#define ENT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct ent_slice {
    const uint8_t *at;
    size_t len;
};

static inline struct ent_slice ent_slice(const void *at, size_t len)
{
    return (struct ent_slice){.at = at, .len = len};
}

/* The bytes of a C string, without its NUL. */
struct ent_slice ent_slice_str(const char *text);

bool ent_slice_equal(struct ent_slice a, struct ent_slice b);

/* Byte-wise order, shorter first when one is the beginning of the other. */
int ent_slice_cmp(struct ent_slice a, struct ent_slice b);

struct ent_buf {
    uint8_t *at;
    size_t len;
    size_t cap;
    int rc; /* 0 or ENT_ENOMEM, sticky */
};

void ent_buf_fini(struct ent_buf *buf);

/* Empty, keeping the memory; clears a sticky failure. */
void ent_buf_reset(struct ent_buf *buf);

/* Room for `len` more bytes, counted as used; NULL after a failure. */
uint8_t *ent_buf_grow(struct ent_buf *buf, size_t len);

void ent_buf_put(struct ent_buf *buf, const void *at, size_t len);
void ent_buf_put_slice(struct ent_buf *buf, struct ent_slice slice);
void ent_buf_put_u8(struct ent_buf *buf, uint8_t value);
void ent_buf_put_str(struct ent_buf *buf, const char *text);
void ent_buf_printf(struct ent_buf *buf, const char *fmt, ...) ENT_PRINTF(2, 3);

/* LEB128, least significant group first. */
void ent_buf_put_varint(struct ent_buf *buf, uint64_t value);

static inline struct ent_slice ent_buf_slice(const struct ent_buf *buf)
{
    return (struct ent_slice){.at = buf->at, .len = buf->len};
}

/* As a C string: a NUL behind the bytes, not counted. NULL after a failure. */
const char *ent_buf_cstr(struct ent_buf *buf);

/* Read a varint at *at, not beyond `end`. False when cut off, over 64 bits or
 * not in its shortest form; *at is then unchanged. */
ENT_NODISCARD bool ent_varint_read(const uint8_t **at, const uint8_t *end,
                                   uint64_t *value);

/* Many small pieces that die together. Zero-initialised is empty. */
struct ent_arena_block;
struct ent_arena {
    struct ent_arena_block *block;
    int rc; /* 0 or ENT_ENOMEM, sticky */
};

void ent_arena_fini(struct ent_arena *arena);

/* Forget the pieces, keep one block for the next round. */
void ent_arena_reset(struct ent_arena *arena);

/* Bytes that its blocks take. */
size_t ent_arena_bytes(const struct ent_arena *arena);

/* Zeroed memory for `count` elements of `size` bytes; NULL on failure. */
void *ent_arena_array(struct ent_arena *arena, size_t count, size_t size);

/* A copy of `slice`, NUL behind it not counted. */
struct ent_slice ent_arena_copy(struct ent_arena *arena,
                                struct ent_slice slice);

/* A copy of a C string; NULL on failure. */
const char *ent_arena_str(struct ent_arena *arena, const char *text);

#define ENT_ARENA_NEW(arena, type, count)                                      \
    ((type *)ent_arena_array((arena), (count), sizeof(type)))

void ent_be64_put(uint8_t at[8], uint64_t value);
uint64_t ent_be64_get(const uint8_t at[8]);
void ent_le64_put(uint8_t at[8], uint64_t value);
uint64_t ent_le64_get(const uint8_t at[8]);
void ent_le32_put(uint8_t at[4], uint32_t value);

/* Lower-case hexadecimal; `text` holds 2 * len + 1 bytes. */
void ent_hex_put(char *text, const void *at, size_t len);

/* Exactly 2 * len hex digits, either case; false otherwise. */
ENT_NODISCARD bool ent_hex_get(void *at, size_t len, const char *text,
                               size_t text_len);

#endif
