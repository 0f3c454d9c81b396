/* handover.h - what goes from one person to another: found in one file, written
 * in the other. */
#ifndef ENT_CLI_HANDOVER_H
#define ENT_CLI_HANDOVER_H

#include "cli/cmd.h"
#include "cli/same.h"
#include "store/records.h"

#define HANDOVER_WORDS_MAX 9 /* of one edit */

/* A change that is to be made: FIELD=VALUE words of one record. */
struct handover_item {
    const struct ent_kind *kind;
    struct ent_id id;
    bool fresh;
    char *words[HANDOVER_WORDS_MAX];
    int count;
    const char *code;  /* for the listing */
    const char *field; /* what goes over, or "" */
};

struct handover {
    struct ent_record_ref from_ref;
    const char *from; /* what references call them */
    const char *to;
    const char *on;
    const char *reason;
    struct same_names names;
    struct handover_item *items;
    size_t count;
    size_t cap;
    size_t contested;
    size_t elsewhere; /* open in other spaces */
    size_t left;      /* notes of others, who alone may change them */
    struct ent_arena arena;
};

/* Gather what is open and names the one who goes, their assignments, their
 * back-ups and the notes on them, with the note that tells of it all. The
 * caller frees `items` and finishes names and arena. ENT_ENOMEM, ENT_ESTORE. */
ENT_NODISCARD int handover_find(struct cmd_ctx *ctx, struct handover *handover);

#endif
