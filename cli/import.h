/* import.h - rows written to a space, all of them or none: one local
 * transaction. Importing twice changes nothing: equal values are left out,
 * sets only gain what is missing, empty cells leave a field alone. */
#ifndef ENT_CLI_IMPORT_H
#define ENT_CLI_IMPORT_H

#include "cli/rows.h"

/* What became of the rows of one kind. */
struct import_tally {
    size_t new_records;
    size_t changed;
    size_t unchanged;
    size_t deleted; /* deleted here, and left so */
};

#define IMPORT_TOLD_MAX 5 /* references that are not only counted */

/* References that lead neither to a record held here nor to another row. */
struct import_refs {
    size_t dangling;
    struct {
        const struct ent_field *field;
        struct ent_value value; /* of the rows */
        const char *text;       /* a sentence */
    } told[IMPORT_TOLD_MAX];    /* the first, each once */
    size_t told_count;
    struct ent_arena arena; /* owns the sentences */
};

/* Writes the rows for which `keep` is true (NULL: all); adds to `tallies`, one
 * for each of ctx->kinds. With --dry-run nothing is written. ENT_ECONFLICT: a
 * row differs from a contested field that asks; each was told on stderr.
 * ENT_EREFUSED, ENT_EDENIED. `refs` is to be finished in every case. */
ENT_NODISCARD int import_write(struct cmd_ctx *ctx, int64_t space,
                               struct rows *rows, const bool *keep,
                               struct import_tally *tallies,
                               struct import_refs *refs);
void import_refs_fini(struct import_refs *refs);

/* The tallies as a listing, and on stderr which references of the rows lead
 * nowhere. */
void import_report(struct cmd_ctx *ctx, const struct import_tally *tallies,
                   const struct import_refs *refs);

#endif
