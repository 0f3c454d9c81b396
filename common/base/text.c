/* text.c - see text.h. */
#include "base/text.h"

#include <string.h>

void ent_text_copy(char *to, size_t size, struct ent_slice text)
{
    size_t len = text.len < size ? text.len : size - 1;

    while (len < text.len && len > 0 && (text.at[len] & 0xc0) == 0x80)
        len--;
    if (len > 0)
        memcpy(to, text.at, len);
    to[len] = '\0';
}
