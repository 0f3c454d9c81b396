/* cycles.h - references of a kind to its own that lead round in a circle.
 * A group is not its own forebear, yet two nodes cut off from each other can
 * each add one half of such a circle, so none can be refused. Where parents
 * are walked, one reference of each circle is ignored (rule M10): the one with
 * the highest claimed time, then the highest hash of its entry, then the
 * highest place in that entry. Replicas that hold the same ignore the same. */
#ifndef ENT_CLI_CYCLES_H
#define ENT_CLI_CYCLES_H

#include "cli/cmd.h"
#include "store/records.h"

struct cycles_edge {
    const struct ent_kind *kind;
    const struct ent_field *field;
    struct ent_id from;
    struct ent_id to;
    struct ent_slice code;   /* of the record it goes out from */
    struct ent_slice target; /* as it was written */
    int64_t space;
    int64_t claimed_ms;
    struct ent_dot dot;
    bool ignored;
};

/* At most one edge for a record and field. */
struct cycles {
    struct cycles_edge *edges;
    size_t count;
    size_t cap;
    struct ent_arena arena; /* owns the texts */
};

void cycles_fini(struct cycles *cycles);

/* Keeps copies of the texts. ENT_ENOMEM. */
ENT_NODISCARD int cycles_put(struct cycles *cycles,
                             const struct cycles_edge *edge,
                             struct ent_err *err);

/* Leaves the edges of circles only: circle after circle, each in the order of
 * its references with the ignored one last. Counts the circles. ENT_ENOMEM. */
ENT_NODISCARD int cycles_find(struct cmd_ctx *ctx, struct cycles *cycles,
                              size_t *circles);

#endif
