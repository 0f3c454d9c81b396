/* json.c - see json.h (RFC 8259, arrays of strings only). */
#include "store/json.h"

#include <string.h>

static void put_text(struct ent_buf *buf, struct ent_slice text)
{
    ent_buf_put_u8(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];

        if (c < 0x20)
            ent_buf_printf(buf, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            ent_buf_printf(buf, "\\%c", c);
        else
            ent_buf_put_u8(buf, c);
    }
    ent_buf_put_u8(buf, '"');
}

void ent_json_put_texts(struct ent_buf *buf, const struct ent_slice *texts,
                        size_t count)
{
    ent_buf_put_u8(buf, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            ent_buf_put_u8(buf, ',');
        put_text(buf, texts[i]);
    }
    ent_buf_put_u8(buf, ']');
}

/* Undo the escapes of put_text; the result is never longer. */
static bool get_text(const uint8_t **at, const uint8_t *end, uint8_t *to,
                     size_t *len)
{
    *len = 0;
    if (*at == end || *(*at)++ != '"')
        return false;
    while (*at < end && **at != '"') {
        uint8_t c = *(*at)++;

        if (c == '\\') {
            if (*at == end)
                return false;
            c = *(*at)++;
            if (c == 'u') {
                uint8_t code[2];

                if (end - *at < 4 ||
                    !ent_hex_get(code, 2, (const char *)*at, 4) || code[0] != 0)
                    return false;
                c = code[1];
                *at += 4;
            }
        }
        to[(*len)++] = c;
    }
    return *at < end && *(*at)++ == '"';
}

bool ent_json_get_texts(struct ent_slice json, struct ent_arena *arena,
                        struct ent_slice **texts, size_t *count)
{
    const uint8_t *at = json.at;
    const uint8_t *end = json.at + json.len;
    uint8_t *bytes = ent_arena_array(arena, json.len + 1, 1);
    size_t most = 1;

    *count = 0;
    for (size_t i = 0; i < json.len; i++)
        most += json.at[i] == ',';
    *texts = ENT_ARENA_NEW(arena, struct ent_slice, most);
    if (arena->rc < 0 || json.len < 2 || *at++ != '[')
        return false;
    while (at < end && *at != ']') {
        size_t len;

        if (*count > 0 && *at++ != ',')
            return false;
        if (!get_text(&at, end, bytes, &len))
            return false;
        (*texts)[(*count)++] = ent_slice(bytes, len);
        bytes += len;
    }
    return at + 1 == end;
}
