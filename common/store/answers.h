/* answers.h - answers to surveys, kept on the node that collected them. They
 * are no records: nothing of them is ever put into a log. */
#ifndef ENT_STORE_ANSWERS_H
#define ENT_STORE_ANSWERS_H

#include "store/store.h"

#define ENT_ANSWER_BYTES_MAX (64 << 10) /* one person's answers */

/* Keep one person's answers to a survey, a JSON object of codes of questions.
 * Neither who answered nor when is kept. They are read by SQL (query.h).
 * ENT_EREFUSED: too long. */
ENT_NODISCARD int ent_answer_add(struct ent_store *store, int64_t space,
                                 const struct ent_id *survey,
                                 struct ent_slice json, struct ent_err *err);

#endif
