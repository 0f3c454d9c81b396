/* hash.c - see hash.h. */
#include "secure/hash.h"

#include <sodium.h>
#include <string.h>

#include "base/err.h"

/* Personal strings of BLAKE2b are 16 bytes. */
static const uint8_t value_personal[crypto_generichash_blake2b_PERSONALBYTES] =
    "entente/value/1";

/* Fields and codes of the writes whose marks are kept. */
#define MARK_FIELDS 32
#define MARK_CODES 6

static struct ent_sum marks[MARK_FIELDS][MARK_CODES];
static bool marks_made;

static void blake2b(uint8_t *out, size_t out_len, struct ent_slice message,
                    struct ent_slice key)
{
    int rc = crypto_generichash_blake2b(out, out_len, message.at, message.len,
                                        key.at, key.len);

    ENT_ASSERT(rc == 0);
}

struct ent_hash ent_hash_of(struct ent_slice message)
{
    struct ent_hash hash;

    blake2b(hash.b, sizeof(hash.b), message, ent_slice(NULL, 0));
    return hash;
}

struct ent_hash ent_hash_keyed(struct ent_slice key, struct ent_slice message)
{
    struct ent_hash hash;

    blake2b(hash.b, sizeof(hash.b), message, key);
    return hash;
}

struct ent_hash8 ent_hash8_of(struct ent_slice message)
{
    struct ent_hash8 head;
    uint8_t out[crypto_generichash_blake2b_BYTES_MIN];

    blake2b(out, sizeof(out), message, ent_slice(NULL, 0));
    memcpy(head.b, out, sizeof(head.b));
    return head;
}

struct ent_hash ent_commitment(struct ent_slice values,
                               const uint8_t salt[ENT_SALT_BYTES])
{
    struct ent_hash hash;
    int rc = crypto_generichash_blake2b_salt_personal(
        hash.b, sizeof(hash.b), values.at, values.len, NULL, 0, salt,
        value_personal);

    ENT_ASSERT(rc == 0);
    return hash;
}

void ent_salts_of(const uint8_t seed[ENT_SALT_BYTES], size_t count,
                  uint8_t (*salts)[ENT_SALT_BYTES])
{
    static const uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
    struct ent_hash key = ent_hash_of(ent_slice(seed, ENT_SALT_BYTES));

    crypto_stream_chacha20_ietf(salts[0], count * ENT_SALT_BYTES, nonce, key.b);
}

void ent_sum_add(struct ent_sum *sum, const struct ent_sum *part)
{
    uint64_t low = sum->low + part->low;

    sum->high += part->high + (low < sum->low);
    sum->low = low;
}

void ent_sum_sub(struct ent_sum *sum, const struct ent_sum *part)
{
    uint64_t low = sum->low - part->low;

    sum->high -= part->high + (low > sum->low);
    sum->low = low;
}

void ent_sum_put(const struct ent_sum *sum, uint8_t to[ENT_SUM_BYTES])
{
    ent_le64_put(to, sum->low);
    ent_le64_put(to + 8, sum->high);
}

struct ent_sum ent_sum_get(const uint8_t from[ENT_SUM_BYTES])
{
    return (struct ent_sum){.low = ent_le64_get(from),
                            .high = ent_le64_get(from + 8)};
}

static struct ent_sum siphash(const void *message, size_t len,
                              const uint8_t key[ENT_SUM_BYTES])
{
    uint8_t out[crypto_shorthash_siphashx24_BYTES];

    crypto_shorthash_siphashx24(out, message, len, key);
    return ent_sum_get(out);
}

struct ent_sum ent_sum_key_of(uint32_t kind, const struct ent_id *id,
                              const struct ent_hash *entry)
{
    uint8_t message[4 + ENT_ID_BYTES];
    struct ent_sum key;

    ent_le32_put(message, kind);
    memcpy(message + 4, id->b, ENT_ID_BYTES);
    key = siphash(message, sizeof(message), entry->b);
    key.low |= 1;
    return key;
}

static struct ent_sum make_mark(uint32_t field, uint32_t ordinal, uint32_t code)
{
    static const uint8_t key[ENT_SUM_BYTES] = "entente/digest/1";
    uint8_t message[12];

    ent_le32_put(message, field);
    ent_le32_put(message + 4, ordinal);
    ent_le32_put(message + 8, code);
    return siphash(message, sizeof(message), key);
}

void ent_sum_prepare(void)
{
    for (uint32_t field = 0; field < MARK_FIELDS; field++)
        for (uint32_t code = 0; code < MARK_CODES; code++)
            marks[field][code] = make_mark(field, 0, code);
    marks_made = true;
}

struct ent_sum ent_sum_mark_of(uint32_t field, uint32_t ordinal, uint32_t code)
{
    if (marks_made && field < MARK_FIELDS && ordinal == 0 && code < MARK_CODES)
        return marks[field][code];
    return make_mark(field, ordinal, code);
}

struct ent_sum ent_sum_times(const struct ent_sum *a, const struct ent_sum *b)
{
    uint64_t a0 = a->low & UINT32_MAX, a1 = a->low >> 32;
    uint64_t b0 = b->low & UINT32_MAX, b1 = b->low >> 32;
    uint64_t low = a0 * b0;
    uint64_t mid = a1 * b0 + (low >> 32);
    uint64_t mid2 = a0 * b1 + (mid & UINT32_MAX);

    return (struct ent_sum){.low = mid2 << 32 | (low & UINT32_MAX),
                            .high = a1 * b1 + (mid >> 32) + (mid2 >> 32) +
                                    a->low * b->high + a->high * b->low};
}

struct ent_sum ent_sum_of_entry(const struct ent_hash *entry)
{
    return ent_sum_get(entry->b);
}

void ent_base64_put(struct ent_buf *buf, struct ent_slice bytes)
{
    const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    size_t len = sodium_base64_encoded_len(bytes.len, variant);
    uint8_t *to = ent_buf_grow(buf, len);

    if (to == NULL)
        return;
    sodium_bin2base64((char *)to, len, bytes.at, bytes.len, variant);
    buf->len--; /* its NUL */
}

bool ent_base64_get(const char *text, struct ent_buf *buf)
{
    size_t text_len = strlen(text);
    size_t len = 0;
    uint8_t *to = ent_buf_grow(buf, text_len);

    if (to == NULL)
        return false;
    /* libsodium 1.0.18 takes some bytes beyond ASCII for digits. */
    for (size_t i = 0; i < text_len; i++)
        if ((uint8_t)text[i] > 0x7f)
            return false;
    if (sodium_base642bin(to, text_len, text, text_len, NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    buf->len -= text_len - len;
    return true;
}

bool ent_equal_secret(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}
