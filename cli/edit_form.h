/* edit_form.h - a record as a text that a person edits: a line "FIELD = VALUE"
 * for each field, its label and what may stand in it in comments above. Lines
 * that begin with a bar go on with the value before. What the form showed is
 * remembered, so that the write replaces that and nothing else (rule M8). */
#ifndef ENT_CLI_EDIT_FORM_H
#define ENT_CLI_EDIT_FORM_H

#include "cli/change.h"
#include "cli/cmd.h"
#include "store/records.h"

#define FORM_BYTES_MAX (8 << 20)
#define FORM_TERMS_MAX 12 /* of an enumeration, listed in a comment */

struct form_field {
    const struct ent_field *field;
    bool hidden;            /* cannot be shown on a line: a comment says so */
    struct ent_slice shown; /* its value as the form had it */
    bool given;             /* met in the text that is read */
};

struct form {
    const struct ent_kind *kind;
    const struct ent_record *record; /* as it was displayed */
    struct form_field *fields;
    size_t count;
    size_t faults;          /* of the text read last */
    struct ent_arena arena; /* owns the above */
};

/* The form of a record, and its text. The record outlives it. ENT_ENOMEM,
 * ENT_ESTORE. */
ENT_NODISCARD int form_make(struct cmd_ctx *ctx, const struct ent_kind *kind,
                            const struct ent_record *record, struct form *form,
                            struct ent_buf *text);
void form_fini(struct form *form);

/* Reads an edited text: the words that it changes go into `change`. What is
 * wrong is told on stderr and, as a comment each, put into `notes`; it is
 * counted in form->faults. ENT_ENOMEM. */
ENT_NODISCARD int form_read(struct cmd_ctx *ctx, struct form *form,
                            struct ent_slice text, const char *path,
                            struct change *change, struct ent_buf *notes);

/* The operations of a change that was read: each names what the form displayed.
 * `now` is the record as it stands; what stands there already is left out. The
 * list lives in the change. */
ENT_NODISCARD int form_ops(struct cmd_ctx *ctx, const struct form *form,
                           struct change *change, const struct ent_record *now,
                           struct ent_edit_op **ops, size_t *count);

#endif
