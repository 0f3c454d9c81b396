/* vocab.h - the enumerations: lists of codes with labels in both languages. */
#ifndef ENT_TEXT_VOCAB_H
#define ENT_TEXT_VOCAB_H

#include "base/err.h"
#include "model/kind.h"

struct ent_term {
    const char *list;
    const char *code;
    const char *label[ENT_LANG_COUNT];
    const char *external; /* codes elsewhere: "iati:40", or "" */
    const char *source;
};

struct ent_vocab {
    struct ent_term *terms; /* ascending by (list, order in the file) */
    size_t count;
    struct ent_arena arena;
};

/* Reads vocabulary.csv: list,code,label_fr,label_en,external,source with an
 * HXL row. ENT_EREFUSED names file, line and field. */
ENT_NODISCARD int ent_vocab_load(const char *path, struct ent_vocab *vocab,
                                 struct ent_err *err);
void ent_vocab_fini(struct ent_vocab *vocab);

/* The terms of a list, in the order of the file; their count, 0 when there is
 * no such list. */
size_t ent_vocab_list(const struct ent_vocab *vocab, const char *list,
                      const struct ent_term **terms);

/* The term, NULL when the list has no such code. */
const struct ent_term *ent_vocab_find(const struct ent_vocab *vocab,
                                      const char *list, const char *code);

/* The one term whose code or label, in either language, is `text` but for
 * case. NULL when there is none, or several. */
const struct ent_term *ent_vocab_said(const struct ent_vocab *vocab,
                                      const char *list,
                                      struct ent_slice text);

/* The term with the code or label nearest to `text` by edit distance, NULL
 * when nothing is near: for "did you mean". Labels count in both languages. */
const struct ent_term *ent_vocab_near(const struct ent_vocab *vocab,
                                      const char *list, const char *text);

#endif
