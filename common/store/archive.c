/* archive.c - see archive.h. */
#include "store/archive.h"

#include <stdlib.h>
#include <string.h>

#include "store/replica.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* The entry that archived the record may have done nothing else to it, so a
 * write to its life in the same entry is the archiving one. */
static bool is_archiving(const struct ent_record *record, int64_t n)
{
    for (size_t i = 0; i < record->write_count; i++) {
        const struct ent_shown *write = &record->writes[i];

        if (write->field == ENT_FIELD_ARCHIVED && write->dot.n == n &&
            !write->missing && write->value.type != ENT_VALUE_NIL)
            return true;
    }
    return false;
}

bool ent_record_archived(const struct ent_record *record)
{
    bool archived = false;

    for (size_t i = 0; record->live && i < record->write_count; i++) {
        const struct ent_shown *write = &record->writes[i];

        if (write->field != ENT_FIELD_LIFE)
            continue;
        if (!is_archiving(record, write->dot.n))
            return false;
        archived = true;
    }
    return archived;
}

/* ----------------------------------------------------------------- reading */

static int by_ref(const void *a, const void *b)
{
    const struct ent_record_ref *x = a;
    const struct ent_record_ref *y = b;

    if (x->space != y->space)
        return x->space < y->space ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return ent_id_cmp(&x->id, &y->id);
}

/* Those that somebody archived, at some time; they come in order. */
static int read_candidates(struct ent_store *store, struct ent_archive *archive,
                           struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ARCHIVED);
    size_t cap = 0;
    int rc;

    ent_stmt_bind_int(stmt, 1, ENT_FIELD_ARCHIVED);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        struct ent_record_ref *ref;

        if (archive->count == cap) {
            struct ent_record_ref *list = ENT_ARENA_NEW(
                &archive->arena, struct ent_record_ref, 2 * cap + 16);

            if (list == NULL) {
                rc = no_memory(err);
                break;
            }
            if (cap > 0)
                memcpy(list, archive->list, cap * sizeof(*list));
            archive->list = list;
            cap = 2 * cap + 16;
        }
        ref = &archive->list[archive->count++];
        ref->space = ent_stmt_int(stmt, 0);
        ref->kind = (uint32_t)ent_stmt_int(stmt, 1);
        ent_stmt_copy(stmt, 2, ref->id.b, ENT_ID_BYTES);
    }
    ent_stmt_reset(stmt);
    return rc;
}

int ent_archive_read(struct ent_store *store, struct ent_archive *archive,
                     struct ent_err *err)
{
    size_t kept = 0;
    int rc = read_candidates(store, archive, err);

    archive->kinds = store->kinds;
    for (size_t i = 0; rc == 0 && i < archive->count; i++) {
        struct ent_record record = {0};

        rc = ent_record_read(store, &archive->list[i], &record, err);
        if (rc == 0 && ent_record_archived(&record))
            archive->list[kept++] = archive->list[i];
        ent_record_fini(&record);
    }
    archive->count = kept;
    return rc;
}

void ent_archive_fini(struct ent_archive *archive)
{
    ent_arena_fini(&archive->arena);
    *archive = (struct ent_archive){0};
}

/* --------------------------------------------------------------------- SQL */

static bool read_id(sqlite3_value *value, struct ent_id *id)
{
    const void *bytes = sqlite3_value_blob(value);

    if (bytes == NULL)
        return false;
    if (sqlite3_value_type(value) != SQLITE_BLOB)
        return ent_id_parse((const char *)sqlite3_value_text(value), id);
    if (sqlite3_value_bytes(value) != ENT_ID_BYTES)
        return false;
    memcpy(id->b, bytes, ENT_ID_BYTES);
    return true;
}

static void archived(sqlite3_context *call, int argc, sqlite3_value **argv)
{
    const struct ent_archive *archive = sqlite3_user_data(call);
    const char *name = (const char *)sqlite3_value_text(argv[0]);
    const struct ent_kind *kind = archive->count == 0 || name == NULL
                                      ? NULL
                                      : ent_kind_named(archive->kinds, name);
    struct ent_record_ref ref = {.space = sqlite3_value_int64(argv[1])};

    (void)argc;
    if (kind == NULL || !read_id(argv[2], &ref.id)) {
        sqlite3_result_int(call, 0);
        return;
    }
    ref.kind = kind->number;
    sqlite3_result_int(call, bsearch(&ref, archive->list, archive->count,
                                     sizeof(ref), by_ref) != NULL);
}

int ent_archive_define(struct ent_archive *archive, struct ent_db *db,
                       struct ent_err *err)
{
    int rc = sqlite3_create_function(db->raw, "ent_archived", 3,
                                     SQLITE_UTF8 | SQLITE_INNOCUOUS, archive,
                                     archived, NULL, NULL);

    return rc == SQLITE_OK ? 0 : ent_db_fail(db, rc, err);
}
