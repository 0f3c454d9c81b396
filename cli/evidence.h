/* evidence.h - what speaks for two records being one and the same.
 * Every record gives keys: its code, its names, e-mail addresses, telephone
 * numbers, in a spelling that leaves out what people write differently.
 * Records that share a key are a pair, and the more they share the higher it
 * scores. Nothing is decided here. */
#ifndef ENT_CLI_EVIDENCE_H
#define ENT_CLI_EVIDENCE_H

#include "base/bytes.h"
#include "base/err.h"

/* Records sharing one key beyond this are no evidence: a mailbox of all. */
#define EVIDENCE_SHARED_MAX 40

enum evidence_why {
    EVIDENCE_CODE,
    EVIDENCE_NAME,
    EVIDENCE_EMAIL,
    EVIDENCE_PHONE,
    EVIDENCE_EVENT, /* same country, type and month */
};
#define EVIDENCE_COUNT (EVIDENCE_EVENT + 1)

struct evidence_key {
    enum evidence_why why;
    struct ent_slice key;
    size_t row; /* the caller's */
};

struct evidence_pair {
    size_t a, b;  /* rows, a before b */
    unsigned why; /* bits, 1 << EVIDENCE_... */
    int score;    /* of 100 */
};

struct evidence {
    struct evidence_key *keys;
    size_t key_count, key_cap;
    struct evidence_pair *pairs;
    size_t pair_count, pair_cap;
    struct ent_arena arena;
};

void evidence_fini(struct evidence *evidence);

/* Add what `text` says of a row; a text that says nothing adds nothing.
 * `scope` keeps apart what cannot be one, as spaces do. ENT_ENOMEM. */
ENT_NODISCARD int evidence_put(struct evidence *evidence, enum evidence_why why,
                               const char *scope, const char *text, size_t row,
                               struct ent_err *err);

/* Whether two rows that share a key of that sort may be one all the same. */
typedef bool evidence_may(const void *ctx, enum evidence_why why, size_t a,
                          size_t b);

/* Make the pairs from the keys, best first; equal ones by row. ENT_ENOMEM. */
ENT_NODISCARD int evidence_weigh(struct evidence *evidence, evidence_may *may,
                                 const void *ctx, struct ent_err *err);

/* Append `text` as it is compared: names without case, accents, punctuation
 * and order of words; addresses without case; numbers as the digits that a
 * prefix does not change. Nothing when it is too little to go by. */
void evidence_normalise(struct ent_buf *buf, enum evidence_why why,
                        const char *text);

#endif
