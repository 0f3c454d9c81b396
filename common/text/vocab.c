/* vocab.c - see vocab.h. */
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "text/csv.h"
#include "text/parse.h"
#include "text/unicode.h"

#define TERMS_MAX 4000

enum column { LIST, CODE, LABEL_FR, LABEL_EN, EXTERNAL, SOURCE, COLUMNS };

static const char *const column_names[COLUMNS] = {
    "list", "code", "label_fr", "label_en", "external", "source"};

struct reader {
    struct ent_csv *csv;
    const char *path;
    size_t at[COLUMNS]; /* where each column stands in the file */
    struct row {
        struct ent_term term;
        size_t at; /* in the file, to keep its order */
    } * rows;
    size_t count;
    size_t cap;
    struct ent_arena *arena;
    struct ent_err *err;
};

static int at_line(const struct reader *r, int rc)
{
    ent_err_prefix(r->err, "%s:%zu", r->path, ent_csv_line(r->csv));
    return rc;
}

static int find_columns(struct reader *r)
{
    for (int c = 0; c < COLUMNS; c++) {
        size_t i = 0;

        while (i < ent_csv_columns(r->csv) &&
               strcmp(ent_csv_heading(r->csv, i), column_names[c]) != 0)
            i++;
        if (i == ent_csv_columns(r->csv))
            return ent_err_set(r->err, ENT_EREFUSED,
                               "%s:1: there is no column %s", r->path,
                               column_names[c]);
        r->at[c] = i;
    }
    return 0;
}

static bool is_code(const char *code)
{
    size_t len = strspn(code, "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    return len > 0 && code[len] == '\0';
}

static int read_cell(struct reader *r, const struct ent_slice *cells,
                     enum column column, const char **out)
{
    struct ent_slice text;
    int rc = ent_text_clean(cells[r->at[column]], r->arena, &text, r->err);

    if (rc == 0 && text.len > ENT_NAME_BYTES_MAX)
        rc = ent_err_set(r->err, ENT_EREFUSED, "longer than %d bytes",
                         ENT_NAME_BYTES_MAX);
    if (rc < 0)
        goto out;
    text = ent_arena_copy(r->arena, text);
    if (text.at == NULL)
        return ent_err_set(r->err, ENT_ENOMEM, "out of memory");
    *out = (const char *)text.at;
    if (column <= CODE && !is_code(*out))
        rc = ent_err_set(r->err, ENT_EREFUSED,
                         "\"%.60s\" is not made of letters, digits, _ . and -",
                         *out);
    else if (column <= LABEL_EN && text.len == 0)
        rc = ent_err_set(r->err, ENT_EREFUSED, "the cell is empty");
out:
    if (rc < 0)
        ent_err_prefix(r->err, "%s", column_names[column]);
    return rc;
}

static int read_term(struct reader *r, const struct ent_slice *cells)
{
    struct ent_term *term;
    const char *text[COLUMNS];

    if (r->count == TERMS_MAX)
        return ent_err_set(r->err, ENT_EREFUSED, "more than %d terms",
                           TERMS_MAX);
    for (int c = 0; c < COLUMNS; c++) {
        int rc = read_cell(r, cells, (enum column)c, &text[c]);

        if (rc < 0)
            return rc;
    }
    if (r->count == r->cap) {
        size_t cap = r->cap == 0 ? 256 : 2 * r->cap;
        struct row *rows = realloc(r->rows, cap * sizeof(*rows));

        if (rows == NULL)
            return ent_err_set(r->err, ENT_ENOMEM, "out of memory");
        r->rows = rows;
        r->cap = cap;
    }
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->rows[i].term.list, text[LIST]) == 0 &&
            strcmp(r->rows[i].term.code, text[CODE]) == 0)
            return ent_err_set(r->err, ENT_EREFUSED,
                               "the list %s has the code %s already",
                               text[LIST], text[CODE]);
    term = &r->rows[r->count].term;
    term->list = text[LIST];
    term->code = text[CODE];
    term->label[ENT_LANG_EN] = text[LABEL_EN];
    term->label[ENT_LANG_FR] = text[LABEL_FR];
    term->external = text[EXTERNAL];
    term->source = text[SOURCE];
    r->rows[r->count].at = r->count;
    r->count++;
    return 0;
}

static int by_list(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    int cmp = strcmp(x->term.list, y->term.list);

    return cmp != 0 ? cmp : x->at < y->at ? -1 : 1;
}

static int read_terms(struct reader *r)
{
    const struct ent_slice *cells;
    int rc = find_columns(r);

    if (rc < 0)
        return rc;
    while ((rc = ent_csv_next(r->csv, &cells, r->err)) > 0) {
        rc = read_term(r, cells);
        if (rc < 0)
            return at_line(r, rc);
    }
    return rc;
}

int ent_vocab_load(const char *path, struct ent_vocab *vocab,
                   struct ent_err *err)
{
    struct ent_vocab made = {0};
    struct reader r = {.path = path, .arena = &made.arena, .err = err};
    int rc = ent_csv_open(path, &r.csv, err);

    if (rc == 0)
        rc = read_terms(&r);
    if (rc < 0)
        goto out;
    if (r.count > 0)
        qsort(r.rows, r.count, sizeof(*r.rows), by_list);
    made.terms = ENT_ARENA_NEW(&made.arena, struct ent_term, r.count);
    if (made.terms == NULL) {
        rc = ent_err_set(err, ENT_ENOMEM, "out of memory");
        goto out;
    }
    for (size_t i = 0; i < r.count; i++)
        made.terms[i] = r.rows[i].term;
    made.count = r.count;
    *vocab = made;
out:
    if (rc < 0)
        ent_vocab_fini(&made);
    ent_csv_close(r.csv);
    free(r.rows);
    return rc;
}

void ent_vocab_fini(struct ent_vocab *vocab)
{
    ent_arena_fini(&vocab->arena);
    *vocab = (struct ent_vocab){0};
}

size_t ent_vocab_list(const struct ent_vocab *vocab, const char *list,
                      const struct ent_term **terms)
{
    size_t low = 0;
    size_t high = vocab->count;
    size_t end;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (strcmp(vocab->terms[mid].list, list) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    end = low;
    while (end < vocab->count && strcmp(vocab->terms[end].list, list) == 0)
        end++;
    *terms = vocab->terms == NULL ? NULL : vocab->terms + low;
    return end - low;
}

const struct ent_term *ent_vocab_find(const struct ent_vocab *vocab,
                                      const char *list, const char *code)
{
    const struct ent_term *terms;
    size_t count = ent_vocab_list(vocab, list, &terms);

    for (size_t i = 0; i < count; i++)
        if (strcmp(terms[i].code, code) == 0)
            return &terms[i];
    return NULL;
}

/* A text made comparable; count is -1 when it is too long to compare. */
struct folded {
    int32_t points[ENT_FOLD_MAX];
    int count;
};

static void fold(struct folded *folded, struct ent_slice text)
{
    folded->count = ent_text_fold(text, folded->points);
}

static bool folded_equal(const struct folded *a, const struct folded *b)
{
    return a->count >= 0 && a->count == b->count &&
           memcmp(a->points, b->points,
                  (size_t)a->count * sizeof(a->points[0])) == 0;
}

/* The spellings of a term: its code and its labels. */
static const char *spelling(const struct ent_term *term, int i)
{
    return i < ENT_LANG_COUNT ? term->label[i] : term->code;
}

const struct ent_term *ent_vocab_said(const struct ent_vocab *vocab,
                                      const char *list, struct ent_slice text)
{
    const struct ent_term *terms;
    const struct ent_term *said = NULL;
    size_t count = ent_vocab_list(vocab, list, &terms);
    struct folded wanted;
    struct folded one;

    fold(&wanted, text);
    for (size_t i = 0; i < count; i++) {
        for (int s = 0; s <= ENT_LANG_COUNT; s++) {
            fold(&one, ent_slice_str(spelling(&terms[i], s)));
            if (!folded_equal(&wanted, &one))
                continue;
            if (said != NULL && said != &terms[i])
                return NULL;
            said = &terms[i];
        }
    }
    return said;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and exchanges of neighbours that lead
 * from one to the other, no stretch being edited twice (optimal string
 * alignment, after Damerau 1964). */
static int distance(const struct folded *a, const struct folded *b)
{
    int rows[3][ENT_FOLD_MAX + 1];

    for (int j = 0; j <= b->count; j++)
        rows[0][j] = j;
    for (int i = 1; i <= a->count; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i + 2) % 3];
        const int *above2 = rows[(i + 1) % 3];

        row[0] = i;
        for (int j = 1; j <= b->count; j++) {
            bool same = a->points[i - 1] == b->points[j - 1];

            row[j] =
                least(least(above[j], row[j - 1]) + 1, above[j - 1] + !same);
            if (i > 1 && j > 1 && a->points[i - 1] == b->points[j - 2] &&
                a->points[i - 2] == b->points[j - 1])
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[a->count % 3][b->count];
}

const struct ent_term *ent_vocab_near(const struct ent_vocab *vocab,
                                      const char *list, const char *text)
{
    const struct ent_term *terms;
    const struct ent_term *nearest = NULL;
    size_t count = ent_vocab_list(vocab, list, &terms);
    struct folded wanted;
    struct folded one;
    int limit;

    fold(&wanted, ent_slice_str(text));
    if (wanted.count <= 0)
        return NULL;
    limit = wanted.count / 3 > 2 ? wanted.count / 3 : 2;
    if (limit >= wanted.count) /* nothing of the text would be left */
        limit = wanted.count - 1;
    for (size_t i = 0; i < count; i++) {
        for (int s = 0; s <= ENT_LANG_COUNT; s++) {
            int d;

            fold(&one, ent_slice_str(spelling(&terms[i], s)));
            if (one.count < 0)
                continue;
            d = distance(&wanted, &one);
            if (d > limit || (nearest != NULL && d == limit))
                continue;
            nearest = &terms[i];
            limit = d;
        }
    }
    return nearest;
}
