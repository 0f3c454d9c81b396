/* rows.h - the rows of tables, read and checked whole before anything is
 * written. Every fault is told on stderr with its file, line, field and
 * reason, those of ROWS_FAULTY_SHOWN rows; all are counted. */
#ifndef ENT_CLI_ROWS_H
#define ENT_CLI_ROWS_H

#include "cli/change.h"
#include "cli/cmd.h"

#define ROWS_MAX 1000000
#define ROWS_FAULTY_SHOWN 1000
#define ROWS_MAP_MAX 256 /* lines of a map file that name a column */

struct row {
    const struct ent_kind *kind;
    const char *path;
    size_t line;
    struct ent_slice code; /* empty: none, the row gets a random id */
    bool has_id;           /* named by a UUID, or decided by the import */
    struct ent_id id;
    struct change_word *words; /* empty cells are left out; sets are added to */
    size_t count;
};

struct rows {
    struct row *rows;
    size_t count;
    size_t cap;
    size_t faults;
    size_t faulty; /* rows that have any */
    size_t untold; /* faults beyond those shown */
    const char *fault_path;
    size_t fault_line;      /* of the last one */
    int64_t space;          /* where they go: its own fields are known, too */
    struct ent_arena arena; /* owns paths, codes, words and values */
};

void rows_fini(struct rows *rows);

/* Which column goes into which field: lines "column = field", or "column ="
 * for a column to leave out; # begins a comment. */
struct rows_map {
    struct {
        struct ent_slice column;
        struct ent_slice field; /* empty: left out */
        bool used;
    } lines[ROWS_MAP_MAX];
    size_t count;
    struct ent_buf text; /* owns them */
};

/* ENT_ENOTFOUND: cannot be opened; ENT_EREFUSED: "file:line: ...". */
ENT_NODISCARD int rows_map_read(struct rows_map *map, const char *path,
                                struct ent_err *err);
void rows_map_fini(struct rows_map *map);

/* Opens a file of data: no link, no device, so that a package from elsewhere
 * cannot have read what lies beside it. A descriptor; ENT_ENOTFOUND: cannot be
 * opened; ENT_EREFUSED: no plain file. */
ENT_NODISCARD int rows_open(const char *path, struct ent_err *err);

/* Adds the rows of one table, opened as `fd` and called `path`; the descriptor
 * is taken. A row is named by its cell in the column `id` or `code`, else by
 * the key of its kind with '/' between; a row that lacks a part of the key and
 * has no name either is a new record. `must_name`: a table without columns for
 * one of the two is a fault. `map` may be NULL. Faults are no failure here:
 * read all the tables, then ask rows_check. ENT_ENOMEM. */
ENT_NODISCARD int rows_read(struct cmd_ctx *ctx, struct rows *rows,
                            const struct ent_kind *kind, int fd,
                            const char *path, struct rows_map *map,
                            bool must_name);

/* A row without words, with room for `words`, behind the others; it is one of
 * them once `count` is raised. NULL: no memory. */
struct row *rows_new(struct rows *rows, const struct ent_kind *kind,
                     const char *path, size_t line, size_t words);

/* Takes the name of a row from its word for the code: a code, or a UUID, which
 * names the record itself and is no word then. ENT_EREFUSED: it has none. */
ENT_NODISCARD int rows_name(struct row *row, struct ent_err *err);

/* Names a row by the fields of its kind's key, with '/' between; that is its
 * last word. A row without all of them stays without a name. ENT_ENOMEM. */
ENT_NODISCARD int rows_join(struct cmd_ctx *ctx, struct rows *rows,
                            struct row *row);

/* Says that so many rows of a kind with a key have none and no name. */
void rows_tell_nameless(struct cmd_ctx *ctx, const char *path, size_t count);

/* The same as rows_read for objects as `export --json` writes them, one array
 * or one a line; a fault names the object by its number. Fields of a list are
 * arrays. */
ENT_NODISCARD int rows_read_json(struct cmd_ctx *ctx, struct rows *rows,
                                 const struct ent_kind *kind, int fd,
                                 const char *path);

/* Rows of one kind with one code are a fault of the later one; then the
 * count of all faults decides: ENT_EREFUSED. */
ENT_NODISCARD int rows_check(struct cmd_ctx *ctx, struct rows *rows);
/* The count alone, when faults were found later. */
ENT_NODISCARD int rows_check_faults(struct cmd_ctx *ctx,
                                    const struct rows *rows);

/* Tell one fault; `field` may be NULL. */
void rows_fault(struct rows *rows, const char *path, size_t line,
                const char *field, const char *reason);

/* Every row of the table must be a term of the vocabulary; takes `fd`. */
ENT_NODISCARD int rows_read_vocabulary(struct cmd_ctx *ctx, struct rows *rows,
                                       int fd, const char *path, size_t *terms);

/* Reads a whole file of text of at most `max` bytes, opened by rows_open. */
ENT_NODISCARD int rows_read_text(const char *path, size_t max,
                                 struct ent_buf *buf, struct ent_err *err);

/* A first cell that begins with # would be taken for a row of tags: it is
 * guarded like a formula. */
void rows_guard(struct ent_buf *buf, const char *cell, bool first);

#endif
