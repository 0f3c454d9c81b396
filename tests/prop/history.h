/* history.h - one random history: who belongs to a space, what each author saw
 * when it wrote, and the entries that came of it, all from one seed.
 * Views are honest (an author names what it holds) but often stale or partial,
 * and now and then nonsense that the format allows. */
#ifndef ENT_TESTS_PROP_HISTORY_H
#define ENT_TESTS_PROP_HISTORY_H

#include <stdio.h>

#include "model.h"
#include "model/kind.h"
#include "secure/keys.h"
#include "secure/rand.h"
#include "store/runs.h"

#define HISTORY_AUTHORS_MAX 6
#define HISTORY_KEYS_MAX (HISTORY_AUTHORS_MAX + 1) /* and one replaced */
#define HISTORY_ENTRIES_MAX 20
#define HISTORY_ROSTER_MAX 12

struct history_author {
    const struct ent_keys *keys;
    struct ent_id origin;
    uint32_t view;                   /* entries held: a bit for each */
    uint32_t before;                 /* entries held some time ago */
    size_t log[HISTORY_ENTRIES_MAX]; /* its entries, in order */
    size_t log_count;
};

/* One entry beside what the model knows of it. */
struct history_entry {
    struct ent_entry entry;
    struct ent_slice header;
    struct ent_slice packed;
    struct ent_slice stub; /* packed once values were erased, or empty */
    struct ent_sig sig;    /* made when first asked for */
    bool is_signed;
};

struct history {
    struct ent_arena arena;
    struct ent_rand rand;
    struct ent_id space;
    struct history_author authors[HISTORY_AUTHORS_MAX];
    size_t author_count;
    struct ent_roster_entry roster[HISTORY_ROSTER_MAX];
    struct ent_roster_bytes roster_bytes[HISTORY_ROSTER_MAX];
    size_t roster_count;
    bool tidy;
    bool forked; /* the chair wrote twice after one roster entry */
    struct history_entry entries[HISTORY_ENTRIES_MAX];
    struct model_entry judged[HISTORY_ENTRIES_MAX]; /* the same, in order */
    size_t count;
    size_t heir; /* the author who has the place of the key replaced; 0: none */
    bool odd_ref;  /* some entry names one that does not exist */
    bool mistyped; /* some value is not of its field's type */
};

/* The kinds that the stores of a test know; histories use one more. */
extern const struct ent_kinds history_kinds;

/* A tidy history leaves nothing named that does not come: everybody may write
 * and nobody names what nobody made. The replica's short ways are taken only
 * while no such name is remembered. */
void history_make(struct history *history, uint64_t seed, bool tidy);
void history_fini(struct history *history);

/* The key whose place the heir has; it has written nothing. */
const struct ent_key *history_replaced_key(void);

/* The author's signature over one entry. */
const struct ent_sig *history_sign(struct history *history, size_t entry);

void history_print(const struct history *history, FILE *out);
void history_print_value(const struct ent_value *value, FILE *out);

/* Even over 0 .. bound - 1, and true in `percent` of 100 cases. */
size_t history_below(struct ent_rand *rand, size_t bound);
bool history_chance(struct ent_rand *rand, unsigned percent);

#endif
