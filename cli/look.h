/* look.h - a record as people and programs see it. */
#ifndef ENT_CLI_LOOK_H
#define ENT_CLI_LOOK_H

#include "cli/cmd.h"
#include "store/records.h"

#define LOOK_TIME_TEXT 32
#define LOOK_SHORT_MAX 60 /* bytes of a value shown in a sentence */
#define LOOK_LIFE "life"  /* the name of field 0 */

/* The value shown of a register, NULL when it has none. */
const struct ent_value *look_value(const struct ent_record *record,
                                   uint32_t field);

/* Append that value in its canonical text; nothing when there is none. */
void look_put(const struct ent_record *record, uint32_t field,
              struct ent_buf *buf);

/* The different values standing in a register or in life, the shown one
 * first: this is the numbering of `conflicts` and `resolve --take`. In
 * `arena`; NULL when memory is refused or there is none. */
const struct ent_shown **look_values(const struct ent_record *record,
                                     uint32_t field, struct ent_arena *arena,
                                     size_t *count);

/* The elements of a set in the order they were added, equal ones once. */
const struct ent_shown **look_elements(const struct ent_record *record,
                                       uint32_t field, struct ent_arena *arena,
                                       size_t *count);

/* Append `text` for a sentence on a terminal: whole characters, shortened,
 * controls spelled out. */
void look_short(struct ent_buf *buf, struct ent_slice text);

/* A value as JSON: numbers as numbers, all else as strings. */
void look_json(const struct ent_value *value, struct ent_buf *buf);

/* The term of an enumeration's code in the reader's language, or NULL. */
const char *look_label(const struct cmd_ctx *ctx, const struct ent_field *field,
                       const struct ent_value *value);

/* A single value's text as people say it: the term for a code, yes and no in
 * the reader's language. Programs get it as it is. */
const char *look_said(const struct cmd_ctx *ctx, const struct ent_field *field,
                      const char *text);

/* Whether a value of the field is written otherwise in other countries, as
 * figures and days are; append its text as people read it. */
bool look_is_local(const struct ent_field *field);
void look_put_local(const struct cmd_ctx *ctx, const struct ent_field *field,
                    const char *text, struct ent_buf *buf);
void look_put_day(const struct cmd_ctx *ctx, const char *text,
                  struct ent_buf *buf);

const char *look_kind_label(const struct cmd_ctx *ctx,
                            const struct ent_kind *kind);
const char *look_field_label(const struct cmd_ctx *ctx,
                             const struct ent_field *field);

/* In a table: people read the label, programs the name. `kind` and `field` may
 * be NULL: "?". */
const char *look_kind_said(const struct cmd_ctx *ctx,
                           const struct ent_kind *kind);
const char *look_field_said(const struct cmd_ctx *ctx,
                            const struct ent_field *field);

/* How the values of a field stand in a listing. */
enum out_type look_column_type(const struct ent_field *field);

/* RFC 3339 in UTC. */
void look_rfc3339(int64_t ms, char text[LOOK_TIME_TEXT]);

/* For people: the reader's order of day and month, UTC; "(?)" behind a time
 * that is odd (rule M12). */
void look_time(const struct cmd_ctx *ctx, int64_t ms,
               char text[LOOK_TIME_TEXT]);
bool look_time_odd(const struct cmd_ctx *ctx, int64_t ms);

/* The organisation of a key, or the beginning of the key when it is not
 * known; in `text` of at least 24 bytes. */
const char *look_org(struct cmd_ctx *ctx, const struct ent_key *key,
                     char *text);

/* The id in full for programs, its tail for a person at a terminal. */
const char *look_id(const struct cmd_ctx *ctx, const struct ent_id *id,
                    char text[ENT_ID_TEXT]);

/* Whether a program reads the output: column names rather than sentences. */
bool look_for_program(const struct cmd_ctx *ctx);

/* Append the code of a record, or what look_id gives when it has none; safe to
 * show. */
void look_put_name(struct cmd_ctx *ctx, const struct ent_record *record,
                   struct ent_buf *buf);

/* Append one value as a history tells it. Codes stay: what was written is what
 * a filter or a file would say. `field` may be NULL. */
void look_put_written(struct cmd_ctx *ctx, const struct ent_field *field,
                      const struct ent_value *written, struct ent_buf *buf);

/* Append the text of a single value as people say it (look_said), shortened and
 * safe to show. `field` may be NULL. */
void look_put_said(const struct cmd_ctx *ctx, const struct ent_field *field,
                   const struct ent_value *value, struct ent_buf *buf);

/* Append a single value for people as `show` prints it: a figure as they read
 * it, a code with its label behind. */
void look_put_labelled(struct cmd_ctx *ctx, const struct ent_field *field,
                       const struct ent_value *value, struct ent_buf *buf);

/* One line on stdout, for a script to keep: the id of what was added. */
void look_print_id(const struct cmd_ctx *ctx, const struct ent_id *id);

#endif
