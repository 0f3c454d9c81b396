/* fuzz_query.c - any text as a question to a replica: SQL of a person, filters
 * of a listing, words to find, the name of a record, a path into JSON. Nothing
 * asked changes the replica or shows the secret of an invitation.
 *
 *   0 SQL, prepared; short ones without loops are stepped through
 *   1 listing: sort (1) columns (1) then (field, 1)(compare, 1)(text)...
 *   2 words     3 name of a record     4 JSON, NUL, SQL */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/query.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SQL_RUN_MAX 160
#define ROWS_MAX 200
#define FILTERS_MAX 8
#define RECORDS 6

static int64_t version;
static char secret[2 * 16 + 1];

static int64_t data_version(void)
{
    struct ent_err err;
    int64_t now;

    world_must(ent_store_data_version(world_store(0), &now, &err), &err,
               "version");
    return now;
}

/* Records with accents, wildcards and quotes; an invitation with a secret. */
static void prepare(void)
{
    static const char *const titles[RECORDS] = {
        "Étude d'impact", "100 % _sûr_", "\"quoted\"", "a|b", "-5", "Etude"};
    struct ent_invite invite;
    struct ent_buf line;
    struct ent_err err;
    int space;

    if (world.net != NULL)
        return;
    world_open();
    space = net_found(world.net, 0);
    for (int i = 0; i < RECORDS; i++) {
        net_set(world.net, 0, space, i, NET_TITLE, titles[i]);
        net_set(world.net, 0, space, i, NET_CODE, i % 2 ? "code-1" : "c/2");
        net_tag(world.net, 0, space, i, titles[RECORDS - 1 - i], false);
    }
    line = net_invite(world.net, space, 0, ENT_ROLE_EDITOR, NET_START_MS * 2);
    world_must(ent_invite_parse(ent_buf_cstr(&line), &invite, &err), &err,
               "invitation");
    ent_hex_put(secret, invite.secret, sizeof(invite.secret));
    ent_buf_fini(&line);
    version = data_version();
}

/* At most ROWS_MAX rows; blobs are shown in hex. */
static void read_rows(struct ent_query *query)
{
    struct ent_err err;

    for (int row = 0; row < ROWS_MAX && ent_query_next(query, &err) > 0; row++)
        for (size_t i = 0; i < ent_query_columns(query); i++) {
            const char *text = ent_query_text(query, i);

            ENT_ASSERT(ent_query_name(query, i) != NULL);
            ENT_ASSERT(text != NULL && strstr(text, secret) == NULL);
            (void)ent_query_int(query, i);
            (void)ent_query_type(query, i);
        }
}

/* What would take long by design, and is bounded by a count of steps. */
static bool is_quick(const char *sql)
{
    static const char *const slow[] = {
        "with", "join", "blob",    "printf", "format",
        "like", "glob", "replace", "json",   "group_concat"};
    char low[SQL_RUN_MAX + 1] = "";
    size_t len = strlen(sql);

    if (len > SQL_RUN_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        low[i] = (char)tolower((unsigned char)sql[i]);
    for (size_t i = 0; i < ENT_ARRAY_LEN(slow); i++)
        if (strstr(low, slow[i]) != NULL)
            return false;
    return strchr(sql, ',') == NULL || strstr(low, "from") == NULL ||
           strstr(strstr(low, "from"), ",") == NULL;
}

static void try_sql(const char *sql)
{
    struct ent_query *query;
    struct ent_err err;

    if (ent_query_open(world_store(0), sql, &query, &err) < 0)
        return;
    ent_query_bind(query, ":on", "2020");
    if (is_quick(sql))
        read_rows(query);
    ent_query_close(query);
}

static void try_listing(struct world_input input)
{
    const struct ent_kind *kind = &net_kinds.kinds[0];
    struct ent_filter filters[FILTERS_MAX];
    const struct ent_field *columns[8];
    struct ent_arena arena = {0};
    struct ent_listing listing = {
        .kind = kind, .filters = filters, .columns = columns};
    struct ent_query *query;
    struct ent_err err;
    uint8_t sort = world_u8(&input);
    uint8_t shown = world_u8(&input);

    if (sort % 8 < kind->field_count)
        listing.sort = &kind->fields[sort % 8];
    listing.descending = sort & 8;
    listing.limit = sort >> 4;
    for (size_t i = 0; i < kind->field_count; i++)
        if (shown & 1 << i)
            columns[listing.column_count++] = &kind->fields[i];
    while (input.len > 0 && listing.filter_count < FILTERS_MAX) {
        struct ent_filter *filter = &filters[listing.filter_count++];

        filter->field = &kind->fields[world_u8(&input) % kind->field_count];
        filter->compare =
            (enum ent_compare)(world_u8(&input) % (ENT_COMPARE_CONTAINS + 1));
        filter->text =
            (const char *)ent_arena_copy(&arena, world_bytes(&input)).at;
    }
    if (ent_query_list(world_store(0), &listing, &query, &err) == 0) {
        read_rows(query);
        ent_query_close(query);
    }
    ent_arena_fini(&arena);
}

static void try_names(const char *text, bool words)
{
    struct ent_record_ref refs[RECORDS];
    size_t count = 0;
    struct ent_err err;
    int rc = words
                 ? ent_search(world_store(0), text, refs, RECORDS, &count, &err)
                 : ent_record_find(world_store(0), text, 0, 0, refs, RECORDS,
                                   &count, &err);

    ENT_ASSERT(rc != ENT_ESTORE);
    for (size_t i = 0; rc == 0 && i < count && i < RECORDS; i++) {
        struct ent_record record;

        world_must(ent_record_read(world_store(0), &refs[i], &record, &err),
                   &err, "a record that was found");
        ent_record_fini(&record);
    }
}

static void try_json(const char *json, const char *sql)
{
    struct ent_query *query;
    struct ent_err err;

    if (strlen(json) > 4096 || !is_quick(sql) ||
        ent_query_json(json, sql, &query, &err) < 0)
        return;
    read_rows(query);
    ent_query_close(query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    prepare();
    if (size == 0)
        return 0;
    text = malloc(size + 1);
    if (text == NULL)
        abort();
    memcpy(text, data + 1, size - 1);
    memset(text + size - 1, 0, 2);
    switch (data[0] % 5) {
    case 0:
        try_sql(text);
        break;
    case 1:
        try_listing((struct world_input){data + 1, size - 1});
        break;
    case 2:
        try_names(text, true);
        break;
    case 3:
        try_names(text, false);
        break;
    default:
        try_json(text, strlen(text) + 1 < size ? text + strlen(text) + 1 : "");
        break;
    }
    free(text);
    ENT_ASSERT(data_version() == version);
    return 0;
}
