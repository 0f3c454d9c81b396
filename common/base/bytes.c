/* bytes.c - see bytes.h. */
#include "base/bytes.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define BUF_FIRST 256
#define ARENA_BLOCK 65536
#define VARINT_MAX 10

struct ent_slice ent_slice_str(const char *text)
{
    return ent_slice(text, strlen(text));
}

bool ent_slice_equal(struct ent_slice a, struct ent_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

int ent_slice_cmp(struct ent_slice a, struct ent_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int cmp = len == 0 ? 0 : memcmp(a.at, b.at, len);

    if (cmp != 0)
        return cmp;
    return a.len < b.len ? -1 : a.len > b.len;
}

void ent_buf_fini(struct ent_buf *buf)
{
    free(buf->at);
    *buf = (struct ent_buf){0};
}

void ent_buf_reset(struct ent_buf *buf)
{
    buf->len = 0;
    buf->rc = 0;
}

/* A NUL always fits behind the bytes, for ent_buf_cstr. */
static bool has_room(const struct ent_buf *buf, size_t len)
{
    return len < buf->cap - buf->len && buf->rc == 0;
}

static bool make_room(struct ent_buf *buf, size_t len)
{
    size_t cap = buf->cap == 0 ? BUF_FIRST : buf->cap;
    uint8_t *at;

    if (buf->rc < 0)
        return false;
    if (len > SIZE_MAX / 4 - buf->len) {
        buf->rc = ENT_ENOMEM;
        return false;
    }
    while (cap <= buf->len + len)
        cap *= 2;
    at = realloc(buf->at, cap);
    if (at == NULL) {
        buf->rc = ENT_ENOMEM;
        return false;
    }
    buf->at = at;
    buf->cap = cap;
    return true;
}

uint8_t *ent_buf_grow(struct ent_buf *buf, size_t len)
{
    if (!has_room(buf, len) && !make_room(buf, len))
        return NULL;
    buf->len += len;
    return buf->at + buf->len - len;
}

void ent_buf_put(struct ent_buf *buf, const void *at, size_t len)
{
    if (!has_room(buf, len) && !make_room(buf, len))
        return;
    if (len > 0)
        memcpy(buf->at + buf->len, at, len);
    buf->len += len;
}

void ent_buf_put_slice(struct ent_buf *buf, struct ent_slice slice)
{
    ent_buf_put(buf, slice.at, slice.len);
}

void ent_buf_put_u8(struct ent_buf *buf, uint8_t value)
{
    ent_buf_put(buf, &value, 1);
}

void ent_buf_put_str(struct ent_buf *buf, const char *text)
{
    ent_buf_put(buf, text, strlen(text));
}

void ent_buf_printf(struct ent_buf *buf, const char *fmt, ...)
{
    va_list ap;
    uint8_t *to;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        buf->rc = ENT_ENOMEM;
        return;
    }
    to = ent_buf_grow(buf, (size_t)n + 1);
    if (to == NULL)
        return;
    va_start(ap, fmt);
    vsnprintf((char *)to, (size_t)n + 1, fmt, ap);
    va_end(ap);
    buf->len--;
}

void ent_buf_put_varint(struct ent_buf *buf, uint64_t value)
{
    if (!has_room(buf, VARINT_MAX) && !make_room(buf, VARINT_MAX))
        return;
    for (; value > 0x7f; value >>= 7)
        buf->at[buf->len++] = (uint8_t)(value | 0x80);
    buf->at[buf->len++] = (uint8_t)value;
}

const char *ent_buf_cstr(struct ent_buf *buf)
{
    uint8_t *nul = ent_buf_grow(buf, 1);

    if (nul == NULL)
        return NULL;
    *nul = '\0';
    buf->len--;
    return (const char *)buf->at;
}

bool ent_varint_read(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    const uint8_t *p = *at;
    uint64_t sum = 0;

    for (unsigned shift = 0; shift < 64 && p < end; shift += 7) {
        uint8_t byte = *p++;

        if (shift == 63 && byte > 1)
            return false;
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            if (byte == 0 && shift > 0)
                return false;
            *at = p;
            *value = sum;
            return true;
        }
    }
    return false;
}

struct ent_arena_block {
    struct ent_arena_block *next;
    size_t len;
    size_t cap;
    max_align_t data[];
};

void ent_arena_fini(struct ent_arena *arena)
{
    struct ent_arena_block *block = arena->block;

    while (block != NULL) {
        struct ent_arena_block *next = block->next;

        free(block);
        block = next;
    }
    *arena = (struct ent_arena){0};
}

void ent_arena_reset(struct ent_arena *arena)
{
    struct ent_arena_block *keep = arena->block;

    arena->rc = 0;
    if (keep == NULL)
        return;
    arena->block = keep->next;
    ent_arena_fini(arena);
    if (keep->cap > ARENA_BLOCK) {
        free(keep);
        return;
    }
    keep->next = NULL;
    keep->len = 0;
    arena->block = keep;
}

size_t ent_arena_bytes(const struct ent_arena *arena)
{
    size_t bytes = 0;

    for (const struct ent_arena_block *block = arena->block; block != NULL;
         block = block->next)
        bytes += block->cap;
    return bytes;
}

/* Room for `len` bytes, aligned for anything, not zeroed. */
static uint8_t *arena_take(struct ent_arena *arena, size_t len)
{
    struct ent_arena_block *block = arena->block;
    uint8_t *at;

    if (arena->rc < 0)
        return NULL;
    len = (len + sizeof(max_align_t) - 1) / sizeof(max_align_t) *
          sizeof(max_align_t);
    if (block == NULL || block->cap - block->len < len) {
        size_t cap = len > ARENA_BLOCK ? len : ARENA_BLOCK;

        block = malloc(sizeof(*block) + cap);
        if (block == NULL) {
            arena->rc = ENT_ENOMEM;
            return NULL;
        }
        block->len = 0;
        block->cap = cap;
        block->next = arena->block;
        arena->block = block;
    }
    at = (uint8_t *)block->data + block->len;
    block->len += len;
    return at;
}

void *ent_arena_array(struct ent_arena *arena, size_t count, size_t size)
{
    uint8_t *at;

    if (size != 0 && count > (SIZE_MAX / 4) / size) {
        arena->rc = ENT_ENOMEM;
        return NULL;
    }
    at = arena_take(arena, count * size);
    if (at != NULL)
        memset(at, 0, count * size);
    return at;
}

struct ent_slice ent_arena_copy(struct ent_arena *arena, struct ent_slice slice)
{
    uint8_t *at;

    if (slice.len > SIZE_MAX / 4)
        arena->rc = ENT_ENOMEM;
    at = arena_take(arena, slice.len + 1);
    if (at == NULL)
        return ent_slice(NULL, 0);
    if (slice.len > 0)
        memcpy(at, slice.at, slice.len);
    at[slice.len] = '\0';
    return ent_slice(at, slice.len);
}

const char *ent_arena_str(struct ent_arena *arena, const char *text)
{
    return (const char *)ent_arena_copy(arena, ent_slice_str(text)).at;
}

void ent_be64_put(uint8_t at[8], uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
}

uint64_t ent_be64_get(const uint8_t at[8])
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

void ent_le64_put(uint8_t at[8], uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof(value));
}

uint64_t ent_le64_get(const uint8_t at[8])
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return le64toh(value);
}

void ent_le32_put(uint8_t at[4], uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof(value));
}

void ent_hex_put(char *text, const void *at, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = at;

    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * len] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool ent_hex_get(void *at, size_t len, const char *text, size_t text_len)
{
    uint8_t *bytes = at;

    if (text_len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
