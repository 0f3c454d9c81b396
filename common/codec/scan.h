/* scan.h - the look at outside bytes before msgpack sees them (rule L1).
 * msgpack-c trusts claimed lengths and asks for memory by them, so nothing is
 * unpacked that has not passed here: one item, complete, nothing behind it,
 * every claimed element backed by a byte, arrays at most ENT_DEPTH_MAX deep,
 * only nil, booleans, integers, UTF-8 text, binary and arrays, each length and
 * integer in its shortest form. Does not recurse, allocates nothing. */
#ifndef ENT_CODEC_SCAN_H
#define ENT_CODEC_SCAN_H

#include <stdbool.h>

#include "base/bytes.h"

/* NULL when `bytes` are one canonical item with at most `items_max` elements
 * in all, else what is wrong, as a text to translate. */
const char *ent_scan(struct ent_slice bytes, size_t items_max);

/* Whether `bytes` are one canonical text and nothing else: most values are. */
bool ent_scan_text(struct ent_slice bytes, struct ent_slice *text);

/* Bytes of the item at `at`, which ent_scan has passed as part of a whole. */
size_t ent_scan_len(const uint8_t *at);

#endif
