/* scan.c - see scan.h. */
#include "codec/scan.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/utf8.h"

enum item { ITEM_PLAIN, ITEM_TEXT, ITEM_BIN, ITEM_ARRAY };

struct head {
    enum item item;
    size_t len;     /* of the head itself */
    uint64_t count; /* bytes of TEXT and BIN, elements of ARRAY */
};

static uint64_t big_endian(const uint8_t *at, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++)
        value = value << 8 | at[i];
    return value;
}

/* A head with a count of `len` bytes behind the tag; `least` is the smallest
 * count that needs it. */
static bool counted(const uint8_t *at, size_t left, enum item item, size_t len,
                    uint64_t least, struct head *head)
{
    if (left < 1 + len)
        return false;
    head->item = item;
    head->len = 1 + len;
    head->count = big_endian(at + 1, len);
    return head->count >= least;
}

static bool integer(const uint8_t *at, size_t left, size_t len, bool negative,
                    struct head *head)
{
    uint64_t raw;

    if (left < 1 + len)
        return false;
    *head = (struct head){.item = ITEM_PLAIN, .len = 1 + len};
    raw = big_endian(at + 1, len);
    if (!negative)
        return raw >= (len == 1 ? 128 : (uint64_t)1 << (8 * len / 2));
    /* Sign-extend, then ask whether the next shorter form would do. */
    if ((raw >> (8 * len - 1) & 1) == 0)
        return false;
    if (len < 8)
        raw |= UINT64_MAX << (8 * len);
    return (int64_t)raw < (len == 1 ? -32 : -((int64_t)1 << (8 * len / 2 - 1)));
}

/* Read the head at `at`; false when it is cut off, of a type that the format
 * does not have, or not in its shortest form. */
static bool read_head(const uint8_t *at, size_t left, struct head *head)
{
    uint8_t tag = at[0];

    *head = (struct head){.item = ITEM_PLAIN, .len = 1};
    if (tag < 0x80 || tag >= 0xe0)
        return true;
    if (tag >= 0x90 && tag < 0xa0) {
        head->item = ITEM_ARRAY;
        head->count = tag & 0x0f;
        return true;
    }
    if (tag >= 0xa0 && tag < 0xc0) {
        head->item = ITEM_TEXT;
        head->count = tag & 0x1f;
        return true;
    }
    switch (tag) {
    case 0xc0: /* nil */
    case 0xc2: /* false */
    case 0xc3: /* true */
        return true;
    case 0xc4:
        return counted(at, left, ITEM_BIN, 1, 0, head);
    case 0xc5:
        return counted(at, left, ITEM_BIN, 2, 1 << 8, head);
    case 0xc6:
        return counted(at, left, ITEM_BIN, 4, 1 << 16, head);
    case 0xcc:
        return integer(at, left, 1, false, head);
    case 0xcd:
        return integer(at, left, 2, false, head);
    case 0xce:
        return integer(at, left, 4, false, head);
    case 0xcf:
        return integer(at, left, 8, false, head);
    case 0xd0:
        return integer(at, left, 1, true, head);
    case 0xd1:
        return integer(at, left, 2, true, head);
    case 0xd2:
        return integer(at, left, 4, true, head);
    case 0xd3:
        return integer(at, left, 8, true, head);
    case 0xd9:
        return counted(at, left, ITEM_TEXT, 1, 32, head);
    case 0xda:
        return counted(at, left, ITEM_TEXT, 2, 1 << 8, head);
    case 0xdb:
        return counted(at, left, ITEM_TEXT, 4, 1 << 16, head);
    case 0xdc:
        return counted(at, left, ITEM_ARRAY, 2, 16, head);
    case 0xdd:
        return counted(at, left, ITEM_ARRAY, 4, 1 << 16, head);
    default: /* maps, floats, extension types, 0xc1 */
        return false;
    }
}

const char *ent_scan(struct ent_slice bytes, size_t items_max)
{
    uint64_t owed[ENT_DEPTH_MAX]; /* elements still to come, per level */
    size_t depth = 0;
    size_t items = 0;
    size_t at = 0;

    do {
        struct head head;

        if (at == bytes.len)
            return ENT_N_("cut off");
        if (++items > items_max)
            return ENT_N_("too many elements");
        if (!read_head(bytes.at + at, bytes.len - at, &head))
            return ENT_N_("not canonical msgpack");
        at += head.len;
        if (head.item == ITEM_ARRAY) {
            if (head.count > bytes.len - at)
                return ENT_N_("more elements claimed than there are bytes");
            if (depth == ENT_DEPTH_MAX)
                return ENT_N_("nested too deep");
            owed[depth++] = head.count;
        } else {
            if (head.count > bytes.len - at)
                return ENT_N_("cut off");
            if (head.item == ITEM_TEXT &&
                ent_utf8_valid(ent_slice(bytes.at + at, head.count)) !=
                    head.count)
                return ENT_N_("text that is not UTF-8");
            at += head.count;
        }
        if (head.item != ITEM_ARRAY && depth > 0)
            owed[depth - 1]--;
        while (depth > 0 && owed[depth - 1] == 0) {
            depth--;
            if (depth > 0)
                owed[depth - 1]--;
        }
    } while (depth > 0);
    return at == bytes.len ? NULL : ENT_N_("bytes behind the end");
}

bool ent_scan_text(struct ent_slice bytes, struct ent_slice *text)
{
    struct head head;

    if (bytes.len == 0 || !read_head(bytes.at, bytes.len, &head) ||
        head.item != ITEM_TEXT || head.count != bytes.len - head.len)
        return false;
    *text = ent_slice(bytes.at + head.len, head.count);
    return ent_utf8_valid(*text) == text->len;
}

size_t ent_scan_len(const uint8_t *at)
{
    const uint8_t *p = at;
    uint64_t owed = 1;

    while (owed > 0) {
        struct head head;
        bool ok = read_head(p, SIZE_MAX / 2, &head);

        ENT_ASSERT(ok);
        owed--;
        p += head.len;
        if (head.item == ITEM_ARRAY)
            owed += head.count;
        else
            p += head.count;
    }
    return (size_t)(p - at);
}
