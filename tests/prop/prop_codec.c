/* prop_codec.c - the format over random input: what goes out comes back, what
 * was tampered with is refused or hashes otherwise, and the checks of outside
 * bytes agree with naive ones.
 *
 *   prop_codec [--seed N | --seeds A..B | --cases N] */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "codec/entry.h"
#include "codec/roster.h"
#include "codec/scan.h"
#include "codec/value.h"
#include "history.h"
#include "store/seal.h"

#define CASES 20000

static struct ent_rand rnd;
static struct ent_arena arena;
static uint64_t seed;
static uint64_t failures;

static struct {
    uint64_t entries, mutants, refused, other_hash, same_hash, other_form;
    uint64_t scans, scans_good, texts, texts_good;
} seen;

static size_t below(size_t bound)
{
    return history_below(&rnd, bound);
}

static bool chance(unsigned percent)
{
    return history_chance(&rnd, percent);
}

static void print_bytes(const char *what, struct ent_slice bytes)
{
    fprintf(stderr, "  %s: ", what);
    for (size_t i = 0; i < bytes.len; i++)
        fprintf(stderr, "%02x", bytes.at[i]);
    fputc('\n', stderr);
}

static void fail(const char *what, struct ent_slice bytes)
{
    fprintf(stderr, "seed %" PRIu64 ": %s\n", seed, what);
    print_bytes("bytes", bytes);
    failures++;
}

/* ------------------------------------------------------------ random entries
 */

static uint32_t random_number(void)
{
    static const uint32_t bounds[] = {4, 200, 40000, ENT_FIELD_MAX};

    return 1 + (uint32_t)below(bounds[below(4)] - 1);
}

static struct ent_slice random_bytes(size_t len)
{
    uint8_t *bytes = ENT_ARENA_NEW(&arena, uint8_t, len + 1);

    ent_rand_bytes(&rnd, bytes, len);
    return ent_slice(bytes, len);
}

static struct ent_slice random_text(void)
{
    static const size_t lengths[] = {0, 1, 31, 32, 255, 256, 700};
    size_t len = lengths[below(7)];
    uint8_t *text = ENT_ARENA_NEW(&arena, uint8_t, len + 1);

    for (size_t i = 0; i < len; i++)
        text[i] = (uint8_t)below(128);
    if (len > 4 && chance(50))
        memcpy(text + below(len - 3), "\xf0\x9f\x8c\x8d", 4);
    return ent_slice(text, len);
}

static int64_t random_integer(void)
{
    int64_t integer = (int64_t)(ent_rand_u64(&rnd) >> below(64));

    return chance(50) ? integer : (int64_t) ~(uint64_t)integer;
}

static struct ent_value random_value(void)
{
    static const struct ent_slice other[] = {
        {(const uint8_t *)"\xc4\x00", 2},
        {(const uint8_t *)"\x92\x0a\x01", 3},
        {(const uint8_t *)"\x92\xa0\x91\x91\xc2", 5},
        {(const uint8_t *)"\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9},
    };

    switch (below(7)) {
    case 0:
        return ent_value_nil();
    case 1:
        return ent_value_bool(chance(50));
    case 2:
        return ent_value_int(random_integer());
    case 3:
        return ent_value_decimal(random_integer() % INT64_C(1000000000000000),
                                 1 + (uint32_t)below(ENT_DECIMAL_SCALE_MAX));
    case 4:
        return ent_value_bytes(random_bytes(ENT_ID_BYTES));
    case 5:
        return (struct ent_value){.type = ENT_VALUE_OTHER,
                                  .bytes = other[below(4)]};
    default:
        return ent_value_text(random_text());
    }
}

static int ref_order(const void *a, const void *b)
{
    return ent_ref_cmp(a, b);
}

static void random_refs(struct ent_entry *entry)
{
    size_t count = chance(30) ? 0 : below(chance(10) ? 80 : 6);
    struct ent_ref *refs = ENT_ARENA_NEW(&arena, struct ent_ref, count + 1);
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        ent_rand_bytes(&rnd, &refs[i], sizeof(refs[i]));
        refs[i].seq = 1 + below(chance(50) ? 200 : (size_t)ENT_SEQ_MAX);
        if (chance(30))
            refs[i].origin = entry->origin;
        if (chance(30) && i > 0)
            refs[i].origin = refs[i - 1].origin;
        if (ent_id_equal(&refs[i].origin, &entry->origin)) {
            if (entry->seq == 1)
                refs[i].origin.b[0] ^= 1;
            else
                refs[i].seq = 1 + below((size_t)entry->seq - 1);
        }
    }
    if (count > 1)
        qsort(refs, count, sizeof(*refs), ref_order);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || ent_ref_cmp(&refs[kept - 1], &refs[i]) != 0)
            refs[kept++] = refs[i];
    entry->refs = refs;
    entry->ref_count = kept;
}

static void random_seen(const struct ent_entry *entry, struct ent_op *op)
{
    size_t room = entry->ref_count * 2;
    struct ent_seen *list = ENT_ARENA_NEW(&arena, struct ent_seen, room + 1);
    bool ordinals = chance(30);

    op->seen = list;
    for (uint32_t r = 0; r < entry->ref_count; r++) {
        if (!chance(entry->ref_count > 10 ? 15 : 50))
            continue;
        if (!ordinals || chance(50))
            list[op->seen_count++].ref = r;
        if (!ordinals)
            continue;
        list[op->seen_count].ref = r;
        list[op->seen_count++].ordinal = random_number();
    }
}

/* Life that replaces just what the others name is left out of the packed
 * form. */
static void usual_life(const struct ent_entry *entry, struct ent_change *change)
{
    struct ent_op *life = &change->ops[0];
    struct ent_seen *list =
        ENT_ARENA_NEW(&arena, struct ent_seen, entry->ref_count + 1);

    life->code = ENT_OP_LIVE;
    life->seen = list;
    life->seen_count = 0;
    for (uint32_t r = 0; r < entry->ref_count; r++) {
        bool named = false;

        for (size_t o = 1; o < change->op_count; o++)
            for (size_t s = 0; s < change->ops[o].seen_count; s++)
                named |= change->ops[o].seen[s].ref == r;
        if (named)
            list[life->seen_count++].ref = r;
    }
}

static void random_change(const struct ent_entry *entry,
                          struct ent_change *change)
{
    size_t fields = below(5);
    struct ent_op *ops = ENT_ARENA_NEW(&arena, struct ent_op, 5 * 6 + 1);
    uint32_t field = 0;
    size_t count = 1;
    struct ent_buf values = {0};

    ops[0].code = chance(80) ? ENT_OP_LIVE : ENT_OP_DEAD;
    random_seen(entry, &ops[0]);
    for (size_t f = 0; f < fields; f++) {
        size_t adds = chance(40) ? below(4) : 0;
        struct ent_op last = {.code = ENT_OP_REMOVE};

        field += chance(80) ? 1 + (uint32_t)below(40) : 1 + random_number() / 8;
        for (size_t a = 0; a < adds; a++)
            ops[count++] = (struct ent_op){
                .code = ENT_OP_ADD, .field = field, .value = random_value()};
        last.field = field;
        random_seen(entry, &last);
        if (adds == 0 && chance(80)) {
            last.code = ENT_OP_WRITE;
            last.value = random_value();
        } else if (last.seen_count == 0) {
            continue;
        }
        ops[count++] = last;
    }
    change->kind = random_number();
    ent_rand_bytes(&rnd, change->id.b, ENT_ID_BYTES);
    change->ops = ops;
    change->op_count = count;
    if (chance(50))
        usual_life(entry, change);
    change->has_commitment = ent_values_put(&values, ops, count) > 0;
    change->values = ent_arena_copy(&arena, ent_buf_slice(&values));
    ent_buf_fini(&values);
}

static int change_order(const void *a, const void *b)
{
    const struct ent_change *x = a;
    const struct ent_change *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return ent_id_cmp(&x->id, &y->id);
}

static void random_entry(struct ent_entry *entry)
{
    *entry = (struct ent_entry){0};
    ent_rand_bytes(&rnd, entry->space.b, ENT_ID_BYTES);
    ent_rand_bytes(&rnd, entry->author.b, ENT_KEY_BYTES);
    ent_rand_bytes(&rnd, entry->origin.b, ENT_ID_BYTES);
    entry->seq = chance(30) ? 1 : 2 + below(chance(50) ? 200 : 1 << 30);
    if (entry->seq > 1)
        ent_rand_bytes(&rnd, entry->prev.b, ENT_HASH_BYTES);
    entry->roster_pos = below(300);
    ent_rand_bytes(&rnd, entry->roster_hash.b, ENT_HASH8_BYTES);
    entry->time_ms = random_integer() % (ENT_TIME_MS_MAX + 1);
    random_refs(entry);
    entry->change_count = 1 + below(chance(5) ? 40 : 4);
    entry->changes =
        ENT_ARENA_NEW(&arena, struct ent_change, entry->change_count);
    for (size_t i = 0; i < entry->change_count; i++)
        random_change(entry, &entry->changes[i]);
    qsort(entry->changes, entry->change_count, sizeof(*entry->changes),
          change_order);
    entry->has_seed = true;
    ent_rand_bytes(&rnd, entry->seed, sizeof(entry->seed));
}

/* What the packed form leaves out. */
static struct ent_entry frame_of(const struct ent_entry *entry)
{
    return (struct ent_entry){.space = entry->space,
                              .author = entry->author,
                              .origin = entry->origin,
                              .seq = entry->seq,
                              .prev = entry->prev};
}

static struct ent_hash hash_of(struct ent_entry *entry, struct ent_seal *seal)
{
    struct ent_hash hash;
    int rc = ent_seal_entry(seal, entry, &hash, NULL);

    ENT_ASSERT(rc == 0);
    return hash;
}

static struct ent_slice packed_of(const struct ent_entry *entry)
{
    struct ent_buf buf = {0};
    struct ent_slice copy;

    ent_entry_put(&buf, entry);
    copy = ent_arena_copy(&arena, ent_buf_slice(&buf));
    ent_buf_fini(&buf);
    return copy;
}

/* --------------------------------------------------------------- round trips
 */

static void check_header(const struct ent_entry *entry, struct ent_slice header)
{
    struct ent_entry back = {0};
    struct ent_hash body;
    struct ent_buf again = {0};

    if (ent_header_get(header, ENT_ENTRY_TAG, &arena, &back, &body, NULL) < 0) {
        fail("a header does not come back", header);
        return;
    }
    ent_header_put(&again, ENT_ENTRY_TAG, &back, &body);
    if (!ent_slice_equal(ent_buf_slice(&again), header))
        fail("a header comes back as another", header);
    if (back.seq != entry->seq || back.time_ms != entry->time_ms ||
        back.ref_count != entry->ref_count)
        fail("a header says something else", header);
    ent_buf_fini(&again);
    if (ent_header_get(header, ENT_ROSTER_TAG, &arena, &back, &body, NULL) == 0)
        fail("an entry passes for a roster entry", header);
}

static struct ent_slice check_round_trip(struct ent_entry *entry,
                                         struct ent_hash *hash)
{
    struct ent_seal first = {0};
    struct ent_seal second = {0};
    struct ent_entry back = frame_of(entry);
    struct ent_slice packed;
    struct ent_err err = {0};

    *hash = hash_of(entry, &first);
    packed = packed_of(entry);
    seen.entries++;
    if (ent_entry_fault(entry) != NULL)
        fail(ent_entry_fault(entry), packed);
    if (ent_entry_get(packed, &arena, &back, &err) < 0) {
        fail(err.text, packed);
    } else {
        struct ent_hash again = hash_of(&back, &second);

        if (!ent_hash_equal(hash, &again))
            fail("an entry comes back with another hash", packed);
        if (!ent_slice_equal(packed_of(&back), packed))
            fail("an entry comes back as other bytes", packed);
        if (!ent_slice_equal(ent_buf_slice(&first.body),
                             ent_buf_slice(&second.body)))
            fail("the hashed form is another", packed);
        check_header(entry, ent_buf_slice(&first.header));
    }
    ent_seal_fini(&first);
    ent_seal_fini(&second);
    return packed;
}

/* Erasing changes only the packed form (L4). */
static struct ent_slice check_stub(struct ent_entry *entry,
                                   const struct ent_hash *hash)
{
    struct ent_entry stub = *entry;
    struct ent_hash again;

    stub.changes =
        ENT_ARENA_NEW(&arena, struct ent_change, entry->change_count);
    memcpy(stub.changes, entry->changes,
           entry->change_count * sizeof(*stub.changes));
    stub.has_seed = false;
    for (size_t i = 0; i < stub.change_count; i++)
        stub.changes[i].erased = stub.changes[i].has_commitment && chance(50);
    (void)check_round_trip(&stub, &again);
    if (!ent_hash_equal(hash, &again))
        fail("an erased entry has another hash", packed_of(&stub));
    return packed_of(&stub);
}

/* ---------------------------------------------------------------- tampering */

static struct ent_slice mutate(struct ent_slice bytes)
{
    struct ent_slice copy;
    uint8_t *at;
    size_t where = below(bytes.len);
    size_t len = bytes.len;

    if (chance(20))
        len += chance(50) ? 1 : (size_t)-1;
    at = ENT_ARENA_NEW(&arena, uint8_t, bytes.len + 2);
    copy = ent_slice(at, len);
    memcpy(at, bytes.at, bytes.len < len ? bytes.len : len);
    if (len > bytes.len)
        memmove(at + where + 1, bytes.at + where, bytes.len - where);
    else if (len < bytes.len)
        memcpy(at + where, bytes.at + where + 1, bytes.len - where - 1);
    if (where < len && len >= bytes.len) {
        if (chance(40))
            at[where] ^= (uint8_t)(1u << below(8));
        else if (chance(50))
            at[where] = (uint8_t)(at[where] + (chance(50) ? 1 : -1));
        else
            at[where] = (uint8_t)below(256);
    }
    return copy;
}

/* The values of two entries with one hash are the same, where both have
 * them. */
static bool same_values(const struct ent_entry *a, const struct ent_entry *b)
{
    for (size_t i = 0; i < a->change_count; i++)
        if (!a->changes[i].erased && !b->changes[i].erased &&
            !ent_slice_equal(a->changes[i].values, b->changes[i].values))
            return false;
    return true;
}

static void check_mutant(struct ent_entry *entry, struct ent_slice packed,
                         const struct ent_hash *hash)
{
    struct ent_slice mutant = mutate(packed);
    struct ent_entry back = frame_of(entry);
    struct ent_seal seal = {0};
    struct ent_hash again;
    struct ent_hash ignored;

    if (ent_slice_equal(mutant, packed))
        return;
    seen.mutants++;
    if (ent_entry_get(mutant, &arena, &back, NULL) < 0) {
        seen.refused++;
        return;
    }
    again = hash_of(&back, &seal);
    ent_seal_fini(&seal);
    if (ent_hash_equal(hash, &again)) {
        seen.same_hash++;
        if (!same_values(entry, &back))
            fail("other values have the same hash", mutant);
    } else {
        seen.other_hash++;
    }
    seen.other_form += !ent_slice_equal(packed_of(&back), mutant);
    /* What was let in goes on as well as what was written here. */
    (void)check_round_trip(&back, &ignored);
    if (!ent_hash_equal(&again, &ignored))
        fail("an entry let in hashes otherwise when passed on", mutant);
}

static void check_entry(void)
{
    struct ent_entry entry;
    struct ent_hash hash;
    struct ent_slice packed;
    struct ent_slice stub;

    random_entry(&entry);
    packed = check_round_trip(&entry, &hash);
    stub = check_stub(&entry, &hash);
    for (int i = 0; i < 8; i++)
        check_mutant(&entry, chance(70) ? packed : stub, &hash);
}

/* -------------------------------------------------------- outside bytes (L1)
 */

static bool naive_utf8(struct ent_slice text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    for (size_t i = 0; i < text.len;) {
        uint32_t lead = text.at[i];
        size_t len = lead < 0x80         ? 1
                     : lead >> 5 == 0x06 ? 2
                     : lead >> 4 == 0x0e ? 3
                     : lead >> 3 == 0x1e ? 4
                                         : 0;
        uint32_t point = len < 2 ? lead : lead & (0x7fu >> len);

        if (len == 0 || len > text.len - i)
            return false;
        for (size_t k = 1; k < len; k++) {
            if (text.at[i + k] >> 6 != 2)
                return false;
            point = point << 6 | (text.at[i + k] & 0x3f);
        }
        if (point < least[len] || point > 0x10ffff ||
            (point >= 0xd800 && point <= 0xdfff))
            return false;
        i += len;
    }
    return true;
}

struct naive {
    const uint8_t *at;
    size_t left;
    size_t items_left;
};

static bool naive_take(struct naive *in, size_t len, uint64_t *number)
{
    *number = 0;
    if (in->left < len)
        return false;
    for (size_t i = 0; i < len; i++)
        *number = *number << 8 | in->at[i];
    in->at += len;
    in->left -= len;
    return true;
}

static bool naive_skip(struct naive *in, uint64_t len, bool text)
{
    if (len > in->left || (text && !naive_utf8(ent_slice(in->at, len))))
        return false;
    in->at += len;
    in->left -= len;
    return true;
}

static bool naive_item(struct naive *in, int depth);

static bool naive_array(struct naive *in, uint64_t count, int depth)
{
    if (depth == ENT_DEPTH_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!naive_item(in, depth + 1))
            return false;
    return true;
}

/* One canonical item, by the msgpack specification read top down. */
static bool naive_item(struct naive *in, int depth)
{
    uint64_t tag, n;

    if (in->items_left == 0 || !naive_take(in, 1, &tag))
        return false;
    in->items_left--;
    if (tag <= 0x7f || tag >= 0xe0 || tag == 0xc0 || tag == 0xc2 || tag == 0xc3)
        return true;
    if (tag >= 0x90 && tag <= 0x9f)
        return naive_array(in, tag & 15, depth);
    if (tag >= 0xa0 && tag <= 0xbf)
        return naive_skip(in, tag & 31, true);
    switch (tag) {
    case 0xc4:
        return naive_take(in, 1, &n) && naive_skip(in, n, false);
    case 0xc5:
        return naive_take(in, 2, &n) && n > 0xff && naive_skip(in, n, false);
    case 0xc6:
        return naive_take(in, 4, &n) && n > 0xffff && naive_skip(in, n, false);
    case 0xd9:
        return naive_take(in, 1, &n) && n > 31 && naive_skip(in, n, true);
    case 0xda:
        return naive_take(in, 2, &n) && n > 0xff && naive_skip(in, n, true);
    case 0xdb:
        return naive_take(in, 4, &n) && n > 0xffff && naive_skip(in, n, true);
    case 0xcc:
        return naive_take(in, 1, &n) && n > 0x7f;
    case 0xcd:
        return naive_take(in, 2, &n) && n > 0xff;
    case 0xce:
        return naive_take(in, 4, &n) && n > 0xffff;
    case 0xcf:
        return naive_take(in, 8, &n) && n > 0xffffffff;
    case 0xd0:
        return naive_take(in, 1, &n) && (int8_t)n < -32;
    case 0xd1:
        return naive_take(in, 2, &n) && (int16_t)n < INT8_MIN;
    case 0xd2:
        return naive_take(in, 4, &n) && (int32_t)n < INT16_MIN;
    case 0xd3:
        return naive_take(in, 8, &n) && (int64_t)n < INT32_MIN;
    case 0xdc:
        return naive_take(in, 2, &n) && n > 15 && naive_array(in, n, depth);
    case 0xdd:
        return naive_take(in, 4, &n) && n > 0xffff && naive_array(in, n, depth);
    default:
        return false;
    }
}

static void random_item(struct ent_buf *buf, int depth)
{
    static const uint8_t tags[] = {0xc0, 0xc2, 0xc3, 0xc4, 0xc5, 0xcc, 0xcd,
                                   0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3, 0xd9,
                                   0xda, 0xdc, 0xdd, 0x93, 0x91, 0xa3, 0x05,
                                   0xe0, 0xca, 0x81, 0xc7, 0xd4, 0xc1};
    struct ent_value value;

    if (chance(8)) {
        ent_buf_put_u8(buf, tags[below(sizeof(tags))]);
        return;
    }
    if (depth < 10 && chance(depth == 0 ? 90 : 45)) {
        size_t count = chance(95) ? below(4) : 16 + below(4);

        if (count < 16)
            ent_buf_put_u8(buf, (uint8_t)(0x90 | count));
        else
            ent_buf_put(buf, (uint8_t[]){0xdc, 0, (uint8_t)count}, 3);
        for (size_t i = 0; i < count; i++)
            random_item(buf, count < 16 ? depth + 1 : 10);
        return;
    }
    value = random_value();
    ent_value_put(buf, &value);
}

static void check_scan(void)
{
    struct ent_buf buf = {0};
    struct ent_slice bytes;
    struct naive in;
    size_t items_max = chance(80) ? 1000 : 1 + below(8);
    bool good;

    if (chance(10))
        ent_buf_put_slice(&buf, random_bytes(1 + below(12)));
    else
        random_item(&buf, 0);
    bytes = ent_arena_copy(&arena, ent_buf_slice(&buf));
    ent_buf_fini(&buf);
    if (bytes.len > 0 && chance(50))
        bytes = mutate(bytes);
    in = (struct naive){
        .at = bytes.at, .left = bytes.len, .items_left = items_max};
    good = naive_item(&in, 0) && in.left == 0;
    seen.scans++;
    seen.scans_good += good;
    if ((ent_scan(bytes, items_max) == NULL) != good)
        fail(good ? "canonical bytes are refused"
                  : "bytes pass that should not",
             bytes);
    if (good && ent_scan_len(bytes.at) != bytes.len)
        fail("the length of an item is another", bytes);
}

/* ------------------------------------------------------------- small things */

static void check_values(void)
{
    struct ent_value value = random_value();
    struct ent_value back;
    struct ent_buf buf = {0};
    struct ent_buf again = {0};
    struct ent_slice bytes;

    ent_value_put(&buf, &value);
    bytes = ent_buf_slice(&buf);
    if (ent_value_get(bytes, &arena, &back, NULL) < 0 ||
        !ent_value_equal(&value, &back))
        fail("a value does not come back", bytes);
    if (bytes.len > 0 && chance(70)) {
        bytes = mutate(bytes);
        if (ent_value_get(bytes, &arena, &back, NULL) == 0) {
            ent_value_put(&again, &back);
            if (!ent_slice_equal(ent_buf_slice(&again), bytes))
                fail("a value comes back as other bytes", bytes);
        }
    }
    ent_buf_fini(&buf);
    ent_buf_fini(&again);
}

static void check_text(void)
{
    static const char *const parts[] = {"a",
                                        "\xc3\xa9",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x8c\x8d",
                                        "\xc0\x80",
                                        "\xed\xa0\x80",
                                        "\xe0\x80\x80",
                                        "\xf4\x90\x80\x80",
                                        "\xf0\x80\x80\x80",
                                        "\x80",
                                        "\xc3",
                                        "abcdefghijklmnop",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xf4\x8f\xbf\xbf",
                                        "\xef\xbf\xbf",
                                        "\xdf\xbf",
                                        "\xc2\x80"};
    struct ent_buf buf = {0};
    struct ent_slice text;
    size_t valid;

    for (size_t i = below(8); i > 0; i--)
        ent_buf_put_str(&buf, parts[below(ENT_ARRAY_LEN(parts))]);
    text = ent_buf_slice(&buf);
    if (text.len > 0 && chance(30))
        text = mutate(text);
    valid = ent_utf8_valid(text);
    seen.texts++;
    seen.texts_good += naive_utf8(text);
    if ((valid == text.len) != naive_utf8(text))
        fail("UTF-8 is judged otherwise", text);
    if (valid > text.len || !naive_utf8(ent_slice(text.at, valid)))
        fail("what comes before the fault is not UTF-8", text);
    for (size_t len = valid + 1; valid < text.len && len <= text.len; len++)
        if (naive_utf8(ent_slice(text.at, len)))
            fail("the fault is named too early", text);
    ent_buf_fini(&buf);
}

static void check_varint(void)
{
    uint64_t value = ent_rand_u64(&rnd) >> below(64);
    struct ent_buf buf = {0};
    struct ent_buf again = {0};
    struct ent_slice bytes;
    const uint8_t *at;
    uint64_t back;

    ent_buf_put_varint(&buf, value);
    bytes = ent_buf_slice(&buf);
    at = bytes.at;
    if (!ent_varint_read(&at, bytes.at + bytes.len, &back) || back != value ||
        at != bytes.at + bytes.len)
        fail("a varint does not come back", bytes);
    bytes = random_bytes(1 + below(12));
    for (size_t i = 0; i + 1 < bytes.len && chance(80); i++)
        ((uint8_t *)(uintptr_t)bytes.at)[i] |= 0x80;
    at = bytes.at;
    if (ent_varint_read(&at, bytes.at + bytes.len, &back)) {
        ent_buf_put_varint(&again, back);
        if (!ent_slice_equal(ent_buf_slice(&again),
                             ent_slice(bytes.at, (size_t)(at - bytes.at))))
            fail("a varint has two forms", bytes);
    } else if (at != bytes.at) {
        fail("a bad varint moves the reader", bytes);
    }
    ent_buf_fini(&buf);
    ent_buf_fini(&again);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* 8-4-4-4-12 digits, or 32 of them. */
static bool naive_id(const char *text, struct ent_id *id)
{
    size_t len = strlen(text);
    size_t digits = 0;

    if (len != 32 && len != 36)
        return false;
    for (size_t i = 0; i < len; i++) {
        int digit = hex_digit(text[i]);

        if (len == 36 && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (text[i] != '-')
                return false;
            continue;
        }
        if (digit < 0)
            return false;
        id->b[digits / 2] = (uint8_t)(id->b[digits / 2] << 4 | digit);
        digits++;
    }
    return true;
}

static void check_ids(void)
{
    struct ent_id id;
    struct ent_id back = {0};
    struct ent_id naive = {0};
    char text[2 * ENT_ID_TEXT];
    bool good;

    ent_rand_bytes(&rnd, id.b, sizeof(id.b));
    ent_id_text(&id, text);
    if (!ent_id_parse(text, &back) || !ent_id_equal(&id, &back))
        fail("an id does not come back", ent_slice_str(text));
    if (chance(30))
        ent_hex_put(text, id.b, sizeof(id.b));
    if (chance(70))
        text[below(strlen(text))] = "0aF-g \t{}x"[below(10)];
    if (chance(20))
        text[below(strlen(text))] = '\0';
    if (chance(10))
        strcat(text, " ");
    good = naive_id(text, &naive);
    if (ent_id_parse(text, &back) != good)
        fail(good ? "an id is refused" : "no id, and taken for one",
             ent_slice_str(text));
    else if (good && !ent_id_equal(&back, &naive))
        fail("an id is read as another", ent_slice_str(text));
}

static void check_idgen(void)
{
    struct ent_idgen gen = {0};
    struct ent_id last = {0};
    int64_t now_ms = (int64_t)below(1u << 30) * 1000;

    for (int i = 0; i < 20; i++) {
        uint8_t random[10];
        struct ent_id id;

        ent_rand_bytes(&rnd, random, sizeof(random));
        if (chance(20))
            memset(random, chance(50) ? 0xff : 0, sizeof(random));
        if (chance(40))
            now_ms += (int64_t)below(5) - 2;
        id = ent_idgen_next(&gen, now_ms, random);
        if (id.b[6] >> 4 != 7 || id.b[8] >> 6 != 2)
            fail("an id is no UUID version 7", ent_slice(id.b, sizeof(id.b)));
        if (ent_id_cmp(&last, &id) >= 0)
            fail("ids do not go up", ent_slice(id.b, sizeof(id.b)));
        last = id;
    }
}

static void check_roster(void)
{
    struct ent_roster_entry entry = {.term = random_number(),
                                     .kind = ENT_ROSTER_FOUND,
                                     .org = random_text()};
    struct ent_roster_entry back = {0};
    struct ent_buf buf = {0};
    struct ent_buf again = {0};
    struct ent_slice bytes;

    if (entry.org.len > ENT_NAME_BYTES_MAX)
        entry.org.len = 0;
    entry.title_en = ent_slice_str("en");
    entry.title_fr = ent_slice_str("");
    if (chance(50)) {
        entry.kind = ENT_ROSTER_ADMIT;
        ent_rand_bytes(&rnd, entry.member.b, ENT_KEY_BYTES);
        entry.role = chance(50) ? ENT_ROLE_READER : ENT_ROLE_EDITOR;
        if (chance(50))
            ent_rand_bytes(&rnd, entry.invite.b, ENT_HASH8_BYTES);
    }
    ent_roster_body_put(&buf, &entry);
    bytes = ent_arena_copy(&arena, ent_buf_slice(&buf));
    if (ent_roster_body_get(bytes, &arena, &back, NULL) < 0)
        fail("a roster entry does not come back", bytes);
    ent_roster_body_put(&again, &back);
    if (!ent_slice_equal(ent_buf_slice(&again), bytes))
        fail("a roster entry comes back as another", bytes);
    (void)(ent_roster_body_get(mutate(bytes), &arena, &back, NULL) < 0);
    ent_buf_fini(&buf);
    ent_buf_fini(&again);
}

static void run_case(void)
{
    ent_rand_init_u64(&rnd, seed);
    ent_arena_reset(&arena);
    check_entry();
    for (int i = 0; i < 8; i++)
        check_scan();
    for (int i = 0; i < 4; i++) {
        check_values();
        check_text();
        check_varint();
        check_ids();
    }
    check_idgen();
    check_roster();
}

int main(int argc, char **argv)
{
    uint64_t from = 1;
    uint64_t to = CASES;
    bool usage = argc != 1;
    struct ent_err err = {0};

    if (argc == 3 && strcmp(argv[1], "--cases") == 0)
        usage = sscanf(argv[2], "%" SCNu64, &to) != 1;
    else if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
        usage = sscanf(argv[2], "%" SCNu64 "..%" SCNu64, &from, &to) != 2;
    else if (argc == 3 && strcmp(argv[1], "--seed") == 0)
        usage = sscanf(argv[2], "%" SCNu64, &from) != 1 || (to = from, false);
    if (usage) {
        fprintf(stderr,
                "usage: prop_codec [--seed N | --seeds A..B | --cases N]\n");
        return 2;
    }
    if (ent_secure_init(&err) < 0)
        return 1;
    for (seed = from; seed <= to && failures < 5; seed++)
        run_case();
    ent_arena_fini(&arena);
    printf("%" PRIu64 " entries; %" PRIu64 " tampered with: %" PRIu64
           " refused, %" PRIu64 " hash otherwise, %" PRIu64
           " hash the same, %" PRIu64 " not in the form written here; %" PRIu64
           " of %" PRIu64 " scans and %" PRIu64 " of %" PRIu64 " texts good\n",
           seen.entries, seen.mutants, seen.refused, seen.other_hash,
           seen.same_hash, seen.other_form, seen.scans_good, seen.scans,
           seen.texts_good, seen.texts);
    return failures == 0 ? 0 : 1;
}
