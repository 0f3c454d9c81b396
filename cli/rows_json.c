/* rows_json.c - rows from JSON; see rows.h. SQLite takes it apart. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/pick.h"
#include "cli/rows.h"
#include "store/query.h"

#define JSON_BYTES_MAX (15 << 20) /* SQLite takes it as one value */
#define NUMBER_BYTES 32

static int check_size(const char *path, size_t len, struct ent_err *err)
{
    return len <= JSON_BYTES_MAX
               ? 0
               : ent_err_set(err, ENT_EREFUSED,
                             "%s is longer than %d MiB; a table has no such "
                             "limit",
                             path, JSON_BYTES_MAX >> 20);
}

static int read_text(int fd, const char *path, struct ent_buf *text,
                     struct ent_err *err)
{
    uint8_t chunk[64 << 10];
    ssize_t got;

    while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
        ent_buf_put(text, chunk, (size_t)got);
        if (check_size(path, text->len, err) < 0)
            return err->code;
    }
    if (got < 0)
        return ent_err_set(err, ENT_EREFUSED, "%s cannot be read: %s", path,
                           strerror(errno));
    if (text->len > 0 && memchr(text->at, '\0', text->len) != NULL)
        return ent_err_set(err, ENT_EREFUSED, "%s is no text", path);
    return 0;
}

/* SQLite ends a text at a NUL that JSON writes as an escape: what stands behind
 * it would be lost. */
static int refuse_nul(const char *text, struct ent_err *err)
{
    for (const char *at = text; (at = strchr(at, '\\')) != NULL; at += 2) {
        if (strncmp(at + 1, "u0000", 5) == 0)
            return ent_err_set(err, ENT_EREFUSED,
                               "control character U+%04X at byte %zu", 0U,
                               (size_t)(at - text) + 1);
        if (at[1] == '\0')
            break;
    }
    return 0;
}

/* One array of the objects of JSON lines. */
static void join_lines(const char *text, struct ent_buf *json)
{
    size_t count = 0;

    ent_buf_put_u8(json, '[');
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        if (strspn(text, " \t\r") < len) {
            if (count++ > 0)
                ent_buf_put_u8(json, ',');
            ent_buf_put(json, text, len);
        }
        text += len + (text[len] == '\n');
    }
    ent_buf_put_u8(json, ']');
}

/* How long the number of JSON is that `text` begins with; 0: there is none. */
static size_t number_len(const char *text)
{
    static const char digits[] = "0123456789";
    size_t len = text[0] == '-';
    size_t whole = strspn(text + len, digits);
    size_t part;

    if (whole == 0 || (whole > 1 && text[len] == '0'))
        return 0;
    len += whole;
    part = text[len] == '.' ? strspn(text + len + 1, digits) : 0;
    len += part > 0 ? part + 1 : 0;
    if (text[len] == 'e' || text[len] == 'E') {
        size_t sign = strchr("+-", text[len + 1]) != NULL && text[len + 1] != 0;

        part = strspn(text + len + 1 + sign, digits);
        len += part > 0 ? 1 + sign + part : 0;
    }
    return strchr(",]} \t\r\n", text[len]) != NULL ? len : 0;
}

/* The same with its numbers as texts: SQLite would make doubles of them, and a
 * code of twenty digits would be another. */
static void quote_numbers(const char *text, struct ent_buf *json)
{
    bool quoted = false;

    while (*text != '\0') {
        size_t len = quoted ? 0 : number_len(text);

        if (len > 0)
            ent_buf_put_u8(json, '"');
        if (quoted && *text == '\\' && text[1] != '\0')
            len = 2;
        else if (*text == '"')
            quoted = !quoted;
        ent_buf_put(json, text, len > 0 ? len : 1);
        if (len > 0 && !quoted)
            ent_buf_put_u8(json, '"');
        text += len > 0 ? len : 1;
    }
}

struct objects {
    struct cmd_ctx *ctx;
    struct rows *rows;
    const struct ent_kind *kind;
    const char *path; /* in the rows' arena */
    struct row *row;  /* of the object in hand, NULL: none */
    bool named;       /* by a code or id of its own */
    size_t faults;    /* when it began */
    size_t nameless;  /* of kinds without a key */
    size_t unkeyed;   /* of the others */
};

static void fault(struct objects *objects, const char *field)
{
    rows_fault(objects->rows, objects->path, objects->row->line, field,
               objects->ctx->err.text);
}

/* By its own name, else by the key of its kind, else nothing names it. */
static int name_row(struct objects *objects)
{
    struct row *row = objects->row;
    const char *key = row->kind->key == NULL ? "" : row->kind->key;
    int rc;

    if (objects->named)
        return rows_name(row, &objects->ctx->err);
    if (*key != '\0' && strcmp(key, "id") != 0) {
        rc = rows_join(objects->ctx, objects->rows, row);
        objects->unkeyed += rc == 0 && row->code.len == 0 && row->count > 0;
        return rc;
    }
    objects->nameless++;
    return 0;
}

static int end_object(struct objects *objects)
{
    struct row *row = objects->row;
    int rc = 0;

    if (row == NULL)
        return 0;
    if (objects->rows->faults == objects->faults)
        rc = name_row(objects);
    if (rc == ENT_ENOMEM)
        return rc;
    if (rc < 0)
        fault(objects, NULL);
    if (objects->rows->faults == objects->faults && row->count > 0)
        objects->rows->count++;
    objects->row = NULL;
    return 0;
}

static int begin_object(struct objects *objects, size_t number, size_t fields)
{
    int rc = end_object(objects);

    if (rc < 0)
        return rc;
    objects->named = false;
    objects->faults = objects->rows->faults;
    if (objects->rows->count == ROWS_MAX)
        return ent_err_set(&objects->ctx->err, ENT_EREFUSED,
                           "more than %d rows", ROWS_MAX);
    objects->row = rows_new(objects->rows, objects->kind, objects->path, number,
                            fields + 1);
    return objects->row == NULL ? cmd_no_memory(objects->ctx) : 0;
}

/* `id` is the code where a table has it so. */
static int find_field(struct objects *objects, const char *name,
                      const struct ent_field **field)
{
    *field = ent_field_named(objects->kind, name);
    if (*field == NULL && strcmp(name, "id") == 0)
        *field = ent_field_find(objects->kind, ENT_FIELD_CODE);
    return *field != NULL
               ? 0
               : pick_field(objects->ctx, objects->kind, objects->rows->space,
                            name, strlen(name), field);
}

/* What a list holds that a field cannot. */
enum { HOLDS_BARS = 1, HOLDS_LISTS = 2 };

/* The value as it is written elsewhere: 1e3 is JSON's alone. */
static const char *plain_number(const struct ent_field *field, const char *text,
                                char plain[NUMBER_BYTES])
{
    if ((field->type != ENT_TYPE_INTEGER && field->type != ENT_TYPE_DECIMAL) ||
        strpbrk(text, "eE") == NULL || number_len(text) != strlen(text))
        return text;
    snprintf(plain, NUMBER_BYTES, "%.15g", strtod(text, NULL));
    return plain;
}

static int put_value(struct objects *objects, const struct ent_field *field,
                     struct ent_query *query)
{
    struct row *row = objects->row;
    struct change_word *word = &row->words[row->count];
    char plain[NUMBER_BYTES];
    struct ent_slice text = ent_arena_copy(
        &objects->rows->arena,
        ent_slice_str(plain_number(field, ent_query_text(query, 3), plain)));
    int64_t holds = ent_query_int(query, 5);
    int rc;

    for (size_t i = 0; i < row->count; i++)
        if (row->words[i].field == field)
            return ent_err_set(&objects->ctx->err, ENT_EREFUSED,
                               "%s is given twice", field->name);
    if (strcmp(ent_query_text(query, 2), "object") == 0 || holds == HOLDS_LISTS)
        return ent_err_set(&objects->ctx->err, ENT_EREFUSED,
                           "a field holds a text, a number, true, false, null "
                           "or a list of these");
    if (holds == HOLDS_BARS && field->rule == ENT_RULE_SET)
        return ent_err_set(&objects->ctx->err, ENT_EREFUSED,
                           "an element holds a bar (|), which stands between "
                           "elements");
    if (text.at == NULL)
        return cmd_no_memory(objects->ctx);
    rc = change_values(objects->ctx, field, text, &objects->rows->arena,
                       &word->values, &word->count, &objects->ctx->err);
    if (rc < 0 || word->count == 0)
        return rc;
    word->field = field;
    word->how = field->rule == ENT_RULE_SET ? CHANGE_ADD : CHANGE_WRITE;
    objects->named = objects->named || field->number == ENT_FIELD_CODE;
    row->count++;
    return 0;
}

static int take_field(struct objects *objects, struct ent_query *query)
{
    const char *name = ent_query_text(query, 1);
    const struct ent_field *field;
    int rc;

    if (ent_query_type(query, 1) != ENT_COLUMN_TEXT) {
        ent_err_set(&objects->ctx->err, ENT_EREFUSED,
                    "this is no object with the names of fields");
        fault(objects, NULL);
        return 0;
    }
    rc = find_field(objects, name, &field);
    if (rc == 0 && ent_query_type(query, 3) != ENT_COLUMN_NULL)
        rc = put_value(objects, field, query);
    if (rc == ENT_ENOMEM)
        return rc;
    if (rc < 0)
        fault(objects, name);
    return 0;
}

/* Number of the object, field, type, text, how many fields it has, and what a
 * list holds. */
static const char sql[] =
    "WITH e AS MATERIALIZED (SELECT key + 1 AS number, value,"
    " (SELECT count(*) FROM json_each(j.value)) AS fields"
    " FROM json_each(:json) j)"
    " SELECT e.number, f.key, f.type, CASE f.type"
    " WHEN 'array' THEN"
    "  (SELECT group_concat(CASE a.type WHEN 'true' THEN 'yes'"
    "    WHEN 'false' THEN 'no' ELSE a.value END, '|')"
    "    FROM json_each(f.value) a)"
    " WHEN 'true' THEN 'yes' WHEN 'false' THEN 'no' ELSE f.value END, e.fields,"
    " CASE f.type WHEN 'array' THEN"
    "  (SELECT max(CASE WHEN a.type IN ('array', 'object') THEN 2"
    "    ELSE instr(a.value, '|') > 0 END) FROM json_each(f.value) a) END"
    " FROM e, json_each(e.value) f";

static int take_objects(struct objects *objects, struct ent_query *query)
{
    struct ent_err *err = &objects->ctx->err;
    size_t number;
    int rc = 0;

    while (rc == 0 && (rc = ent_query_next(query, err)) > 0) {
        number = (size_t)ent_query_int(query, 0);
        rc = 0;
        if (objects->row == NULL || objects->row->line != number)
            rc = begin_object(objects, number, (size_t)ent_query_int(query, 4));
        if (rc == 0)
            rc = take_field(objects, query);
    }
    if (rc == 0)
        rc = end_object(objects);
    if (rc < 0 && rc != ENT_ENOMEM) {
        /* What SQLite says of bad JSON is a fault of the file. */
        rows_fault(objects->rows, objects->path, 1, NULL, err->text);
        return 0;
    }
    return rc;
}

int rows_read_json(struct cmd_ctx *ctx, struct rows *rows,
                   const struct ent_kind *kind, int fd, const char *path)
{
    struct objects objects = {.ctx = ctx, .rows = rows, .kind = kind};
    struct ent_buf text = {0};
    struct ent_buf lines = {0};
    struct ent_buf json = {0};
    struct ent_query *query = NULL;
    const char *at;
    int rc = read_text(fd, path, &text, &ctx->err);

    close(fd);
    objects.path = ent_arena_str(&rows->arena, path);
    at = ent_buf_cstr(&text);
    if (rc == 0 && (at == NULL || objects.path == NULL))
        rc = cmd_no_memory(ctx);
    if (rc == 0 && refuse_nul(at, &ctx->err) < 0) {
        rows_fault(rows, path, 1, NULL, ctx->err.text);
        ent_buf_fini(&text);
        return 0;
    }
    if (rc == 0 && at[strspn(at, " \t\r\n")] == '{') {
        join_lines(at, &lines);
        at = ent_buf_cstr(&lines);
        rc = at == NULL ? cmd_no_memory(ctx) : 0;
    }
    if (rc == 0) {
        quote_numbers(at, &json);
        at = ent_buf_cstr(&json);
        rc = at == NULL ? cmd_no_memory(ctx)
                        : check_size(path, json.len, &ctx->err);
    }
    if (rc == 0)
        rc = ent_query_json(at, sql, &query, &ctx->err);
    if (rc == 0)
        rc = take_objects(&objects, query);
    ent_query_close(query);
    ent_buf_fini(&text);
    ent_buf_fini(&lines);
    ent_buf_fini(&json);
    if (rc == 0)
        rows_tell_nameless(ctx, path, objects.unkeyed);
    if (rc == 0 && objects.nameless > 0)
        cmd_say(ctx,
                _("%s has no column of codes: every row becomes a new record, "
                  "also when it is imported again"),
                path);
    return rc;
}
