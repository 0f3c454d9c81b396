/* id.c - see id.h. The only user of libuuid. */
#include "base/id.h"

#include <string.h>
#include <uuid/uuid.h>

#include "base/bytes.h"

#define V7_MS_MAX (((int64_t)1 << 48) - 1)

int ent_id_cmp(const struct ent_id *a, const struct ent_id *b)
{
    return memcmp(a->b, b->b, ENT_ID_BYTES);
}

bool ent_id_equal(const struct ent_id *a, const struct ent_id *b)
{
    return memcmp(a->b, b->b, ENT_ID_BYTES) == 0;
}

bool ent_id_is_zero(const struct ent_id *id)
{
    static const struct ent_id zero;

    return ent_id_equal(id, &zero);
}

bool ent_key_equal(const struct ent_key *a, const struct ent_key *b)
{
    return memcmp(a->b, b->b, ENT_KEY_BYTES) == 0;
}

bool ent_hash_equal(const struct ent_hash *a, const struct ent_hash *b)
{
    return memcmp(a->b, b->b, ENT_HASH_BYTES) == 0;
}

bool ent_hash8_equal(const struct ent_hash8 *a, const struct ent_hash8 *b)
{
    return memcmp(a->b, b->b, ENT_HASH8_BYTES) == 0;
}

struct ent_hash8 ent_hash_head(const struct ent_hash *hash)
{
    struct ent_hash8 head;

    memcpy(head.b, hash->b, ENT_HASH8_BYTES);
    return head;
}

void ent_id_text(const struct ent_id *id, char text[ENT_ID_TEXT])
{
    uuid_unparse_lower(id->b, text);
}

bool ent_id_parse(const char *text, struct ent_id *id)
{
    uuid_t raw;

    if (ent_hex_get(id->b, ENT_ID_BYTES, text, strlen(text)))
        return true;
    if (strlen(text) != ENT_ID_TEXT - 1 || uuid_parse(text, raw) != 0)
        return false;
    memcpy(id->b, raw, ENT_ID_BYTES);
    return true;
}

struct ent_id ent_id_named(const struct ent_id *space, const void *name,
                           size_t len)
{
    struct ent_id id;

    uuid_generate_sha1(id.b, space->b, name, len);
    return id;
}

struct ent_id ent_idgen_next(struct ent_idgen *gen, int64_t now_ms,
                             const uint8_t random[10])
{
    struct ent_id id = gen->last;
    int64_t ms = now_ms < 0 ? 0 : now_ms > V7_MS_MAX ? V7_MS_MAX : now_ms;
    uint64_t tail = ent_be64_get(id.b + 8) & (UINT64_MAX >> 2);
    uint64_t step = 1 + (uint64_t)(random[0] | random[1] << 8);

    if (gen->last_ms > 0 && ms <= gen->last_ms &&
        tail <= (UINT64_MAX >> 2) - step) {
        tail += step;
        ms = gen->last_ms;
    } else {
        if (ms <= gen->last_ms)
            ms = gen->last_ms + 1;
        for (int i = 0; i < 6; i++)
            id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
        id.b[6] = (uint8_t)(0x70 | (random[0] & 0x0f));
        id.b[7] = random[1];
        /* Room to step: the top bit of the tail starts clear. */
        tail = ent_be64_get(random + 2) & (UINT64_MAX >> 3);
    }
    ent_be64_put(id.b + 8, tail | (uint64_t)1 << 63);
    gen->last = id;
    gen->last_ms = ms;
    return id;
}
