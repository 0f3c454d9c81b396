/* evidence.c - see evidence.h. */
#include "cli/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "text/unicode.h"

#define NAME_WORDS_MAX 32
#define NAME_BYTES_MIN 4
#define PHONE_DIGITS 8 /* the last ones, which no prefix changes */

/* Of 100, how far one such agreement goes by itself. */
static const int weights[EVIDENCE_COUNT] = {
    [EVIDENCE_CODE] = 90,  [EVIDENCE_NAME] = 60,  [EVIDENCE_EMAIL] = 80,
    [EVIDENCE_PHONE] = 60, [EVIDENCE_EVENT] = 55,
};

void evidence_fini(struct evidence *evidence)
{
    free(evidence->keys);
    free(evidence->pairs);
    ent_arena_fini(&evidence->arena);
    *evidence = (struct evidence){0};
}

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, "out of memory");
}

/* ------------------------------------------------------------------ spelling
 */

/* Letters and digits of ASCII, and all that is beyond it. */
static bool is_word_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c >= 0x80;
}

static int by_bytes(const void *a, const void *b)
{
    return ent_slice_cmp(*(const struct ent_slice *)a,
                         *(const struct ent_slice *)b);
}

static void put_words(struct ent_buf *buf, struct ent_slice bare)
{
    struct ent_slice words[NAME_WORDS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < bare.len && count < NAME_WORDS_MAX;) {
        size_t end = i;

        while (end < bare.len && is_word_byte(bare.at[end]))
            end++;
        if (end > i)
            words[count++] = ent_slice(bare.at + i, end - i);
        i = end + 1;
    }
    qsort(words, count, sizeof(words[0]), by_bytes);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            ent_buf_put_u8(buf, ' ');
        ent_buf_put_slice(buf, words[i]);
    }
}

static void put_digits(struct ent_buf *buf, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text >= '0' && *text <= '9')
            ent_buf_put_u8(buf, (uint8_t)*text);
}

void evidence_normalise(struct ent_buf *buf, enum evidence_why why,
                        const char *text)
{
    struct ent_buf made = {0};
    struct ent_slice all;

    switch (why) {
    case EVIDENCE_NAME: {
        struct ent_buf bare = {0};

        ent_text_put_bare(&bare, ent_slice_str(text));
        put_words(&made, ent_buf_slice(&bare));
        made.rc = bare.rc < 0 ? bare.rc : made.rc;
        ent_buf_fini(&bare);
        break;
    }
    case EVIDENCE_PHONE:
        put_digits(&made, text);
        break;
    case EVIDENCE_EMAIL:
        ent_text_put_bare(&made, ent_slice_str(text));
        break;
    case EVIDENCE_CODE:
    case EVIDENCE_EVENT:
        ent_buf_put_str(&made, text);
        break;
    }
    all = ent_buf_slice(&made);
    if (why == EVIDENCE_PHONE && all.len > PHONE_DIGITS)
        all = ent_slice(all.at + all.len - PHONE_DIGITS, PHONE_DIGITS);
    if ((why == EVIDENCE_PHONE && all.len < PHONE_DIGITS) ||
        (why == EVIDENCE_NAME && all.len < NAME_BYTES_MIN) ||
        (why == EVIDENCE_EMAIL && memchr(all.at, '@', all.len) == NULL))
        all.len = 0;
    ent_buf_put_slice(buf, all);
    if (made.rc < 0)
        buf->rc = made.rc;
    ent_buf_fini(&made);
}

/* --------------------------------------------------------------------- keys */

int evidence_put(struct evidence *evidence, enum evidence_why why,
                 const char *scope, const char *text, size_t row,
                 struct ent_err *err)
{
    struct ent_buf buf = {0};
    struct ent_slice key;
    size_t head;

    ent_buf_put_str(&buf, scope);
    ent_buf_put_u8(&buf, '\n');
    head = buf.len;
    evidence_normalise(&buf, why, text);
    if (buf.rc == 0 && buf.len == head) {
        ent_buf_fini(&buf);
        return 0;
    }
    if (evidence->key_count == evidence->key_cap) {
        size_t cap = evidence->key_cap == 0 ? 256 : 2 * evidence->key_cap;
        struct evidence_key *keys =
            realloc(evidence->keys, cap * sizeof(*keys));

        if (keys == NULL) {
            ent_buf_fini(&buf);
            return no_memory(err);
        }
        evidence->keys = keys;
        evidence->key_cap = cap;
    }
    key = ent_arena_copy(&evidence->arena, ent_buf_slice(&buf));
    evidence->keys[evidence->key_count++] =
        (struct evidence_key){.why = why, .key = key, .row = row};
    if (buf.rc < 0)
        evidence->arena.rc = buf.rc;
    ent_buf_fini(&buf);
    return evidence->arena.rc < 0 ? no_memory(err) : 0;
}

static int compare_keys(const struct evidence_key *a,
                        const struct evidence_key *b)
{
    if (a->why != b->why)
        return a->why < b->why ? -1 : 1;
    return ent_slice_cmp(a->key, b->key);
}

static int by_key(const void *a, const void *b)
{
    const struct evidence_key *x = a;
    const struct evidence_key *y = b;
    int order = compare_keys(x, y);

    return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

/* -------------------------------------------------------------------- pairs */

static int put_pair(struct evidence *evidence, size_t a, size_t b,
                    enum evidence_why why, struct ent_err *err)
{
    if (evidence->pair_count == evidence->pair_cap) {
        size_t cap = evidence->pair_cap == 0 ? 64 : 2 * evidence->pair_cap;
        struct evidence_pair *pairs =
            realloc(evidence->pairs, cap * sizeof(*pairs));

        if (pairs == NULL)
            return no_memory(err);
        evidence->pairs = pairs;
        evidence->pair_cap = cap;
    }
    evidence->pairs[evidence->pair_count++] =
        (struct evidence_pair){.a = a, .b = b, .why = 1u << why};
    return 0;
}

/* The rows of `count` keys that are equal. */
static int pair_up(struct evidence *evidence, const struct evidence_key *keys,
                   size_t count, evidence_may *may, const void *ctx,
                   struct ent_err *err)
{
    int rc = 0;

    if (count > EVIDENCE_SHARED_MAX)
        return 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; rc == 0 && j < count; j++)
            if (keys[i].row != keys[j].row &&
                may(ctx, keys[i].why, keys[i].row, keys[j].row))
                rc = put_pair(evidence, keys[i].row, keys[j].row, keys[i].why,
                              err);
    return rc;
}

static int by_rows(const void *a, const void *b)
{
    const struct evidence_pair *x = a;
    const struct evidence_pair *y = b;

    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

static int by_score(const void *a, const void *b)
{
    const struct evidence_pair *x = a;
    const struct evidence_pair *y = b;

    return x->score != y->score ? y->score - x->score : by_rows(a, b);
}

/* What speaks against it is multiplied, so no score gets to 100. */
static int score_of(unsigned why)
{
    int against = 10000;

    for (int i = 0; i < EVIDENCE_COUNT; i++)
        if ((why & 1u << i) != 0)
            against = against * (100 - weights[i]) / 100;
    return 100 - (against + 99) / 100;
}

static void unite_pairs(struct evidence *evidence)
{
    size_t kept = 0;

    for (size_t i = 0; i < evidence->pair_count; i++) {
        struct evidence_pair *last =
            kept == 0 ? NULL : &evidence->pairs[kept - 1];

        if (last != NULL && by_rows(last, &evidence->pairs[i]) == 0)
            last->why |= evidence->pairs[i].why;
        else
            evidence->pairs[kept++] = evidence->pairs[i];
    }
    evidence->pair_count = kept;
    for (size_t i = 0; i < kept; i++)
        evidence->pairs[i].score = score_of(evidence->pairs[i].why);
}

int evidence_weigh(struct evidence *evidence, evidence_may *may,
                   const void *ctx, struct ent_err *err)
{
    size_t first = 0;
    int rc = 0;

    if (evidence->key_count == 0)
        return 0;
    qsort(evidence->keys, evidence->key_count, sizeof(*evidence->keys), by_key);
    for (size_t i = 1; rc == 0 && i <= evidence->key_count; i++) {
        if (i < evidence->key_count &&
            compare_keys(&evidence->keys[first], &evidence->keys[i]) == 0)
            continue;
        rc =
            pair_up(evidence, &evidence->keys[first], i - first, may, ctx, err);
        first = i;
    }
    if (rc < 0 || evidence->pair_count == 0)
        return rc;
    qsort(evidence->pairs, evidence->pair_count, sizeof(*evidence->pairs),
          by_rows);
    unite_pairs(evidence);
    qsort(evidence->pairs, evidence->pair_count, sizeof(*evidence->pairs),
          by_score);
    return 0;
}
