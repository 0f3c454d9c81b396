/* utf8.c - see utf8.h. */
#include "base/utf8.h"

#include <string.h>

#define HIGH_BITS 0x8080808080808080u

static bool tail(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Bytes of the sequence at `at`, 0 when it is not well formed. */
static size_t sequence(const uint8_t *at, size_t left)
{
    uint8_t lead = at[0];

    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    if (lead < 0xe0)
        return left >= 2 && tail(at[1]) ? 2 : 0;
    if (lead < 0xf0) {
        if (left < 3 || !tail(at[1]) || !tail(at[2]))
            return 0;
        if ((lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f))
            return 0;
        return 3;
    }
    if (left < 4 || !tail(at[1]) || !tail(at[2]) || !tail(at[3]))
        return 0;
    if ((lead == 0xf0 && at[1] < 0x90) || (lead == 0xf4 && at[1] > 0x8f))
        return 0;
    return 4;
}

size_t ent_utf8_valid(struct ent_slice text)
{
    size_t i = 0;

    while (i < text.len) {
        uint64_t eight;
        size_t len;

        if (text.len - i >= sizeof(eight)) {
            memcpy(&eight, text.at + i, sizeof(eight));
            if ((eight & HIGH_BITS) == 0) {
                i += sizeof(eight);
                continue;
            }
        }
        len = sequence(text.at + i, text.len - i);
        if (len == 0)
            return i;
        i += len;
    }
    return i;
}
