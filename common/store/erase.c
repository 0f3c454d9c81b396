/* erase.c - see erase.h. Table `erased` says what is carried out: by it the
 * merge passes over what comes of such a record, and entries are kept without
 * its values. Values go out of the log at the end of the transaction, in one
 * reading for all that were erased in it. */
#include "store/erase.h"

#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "store/records.h"
#include "store/replica.h"
#include "store/seal.h"
#include "store/writer.h"

/* Up to so many ids are looked for in the bytes of an entry before it is
 * unpacked. */
#define LOOKED_FOR_MAX 16

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ---------------------------------------------------------------- the table
 */

static void bind_key(struct ent_stmt *stmt, int64_t space, uint32_t kind,
                     const struct ent_id *id)
{
    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_int(stmt, 2, kind);
    ent_stmt_bind_blob(stmt, 3, id->b, ENT_ID_BYTES);
}

struct row {
    bool chair;
    bool counts;
    int64_t n;
};

/* 1: there is one. */
static int get_row(struct ent_store *store, int64_t space, uint32_t kind,
                   const struct ent_id *id, struct row *row,
                   struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc;

    *row = (struct row){0};
    if (store->erased_empty)
        return 0;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ERASED_GET);
    bind_key(stmt, space, kind, id);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        row->chair = ent_stmt_int(stmt, 0) != 0;
        row->n = ent_stmt_int(stmt, 1);
        row->counts = ent_stmt_int(stmt, 2) != 0;
    }
    ent_stmt_reset(stmt);
    return rc;
}

static int put_row(struct ent_store *store, int64_t space, uint32_t kind,
                   const struct ent_id *id, const struct row *row,
                   struct ent_err *err)
{
    bool none = !row->chair && row->n == 0;
    struct ent_stmt *stmt = ent_db_stmt(&store->db, none ? ENT_SQL_ERASED_DROP
                                                         : ENT_SQL_ERASED_PUT);

    bind_key(stmt, space, kind, id);
    if (!none) {
        ent_stmt_bind_int(stmt, 4, row->chair);
        ent_stmt_bind_int(stmt, 5, row->n);
        ent_stmt_bind_int(stmt, 6, row->counts);
        store->erased_empty = false;
    }
    return ent_stmt_run(stmt, err);
}

/* Its values are to go, at the end of this transaction. */
static int put_due(struct ent_store *store, int64_t space, uint32_t kind,
                   const struct ent_id *id, struct ent_err *err)
{
    struct ent_record_ref *refs = store->erasing;

    if (store->erasing_count == store->erasing_cap) {
        size_t cap = store->erasing_cap == 0 ? 16 : 2 * store->erasing_cap;

        refs = realloc(refs, cap * sizeof(*refs));
        if (refs == NULL)
            return no_memory(err);
        store->erasing = refs;
        store->erasing_cap = cap;
    }
    refs[store->erasing_count++] =
        (struct ent_record_ref){.space = space, .kind = kind, .id = *id};
    return 0;
}

int ent_erased(struct ent_store *store, int64_t space, uint32_t kind,
               const struct ent_id *id, bool *counts, struct ent_err *err)
{
    struct row row;
    int rc = get_row(store, space, kind, id, &row, err);

    *counts = row.chair || row.counts;
    return rc;
}

int ent_erase_own(struct ent_store *store, int64_t space, uint32_t kind,
                  const struct ent_id *id, int64_t n, bool counts,
                  struct ent_err *err)
{
    struct row row;
    int rc = get_row(store, space, kind, id, &row, err);
    bool is_new = rc == 0;

    if (rc < 0)
        return rc;
    if (row.n != 0 && row.counts && !counts)
        return 0;
    row.n = n;
    row.counts = counts;
    rc = put_row(store, space, kind, id, &row, err);
    return rc == 0 && is_new ? put_due(store, space, kind, id, err) : rc;
}

int ent_erasures_uncount(struct ent_store *store, int64_t space,
                         const struct ent_touched *touched, struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && !store->erased_empty && i < touched->count;
         i++) {
        struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ERASED_UNCOUNT);

        bind_key(stmt, space, touched->keys[i].kind, &touched->keys[i].id);
        rc = ent_stmt_run(stmt, err);
    }
    return rc;
}

/* ------------------------------------------------------------ by the roster
 */

static int add_key(struct ent_touched *touched, uint32_t kind,
                   const struct ent_id *id, struct ent_err *err)
{
    struct ent_change change = {.kind = kind, .id = *id};
    const struct ent_entry entry = {.changes = &change, .change_count = 1};

    return ent_touched_add(touched, &entry, err);
}

/* Erasures of the roster that are not carried out yet. */
static int begin_erasures(struct ent_store *store,
                          const struct ent_space_state *state,
                          struct ent_touched *gone, struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < state->roster.erased_count; i++) {
        const struct ent_roster_entry *entry = state->roster.erased[i];
        struct row row;
        bool is_new;

        rc = get_row(store, state->space, entry->erased_kind, &entry->erased_id,
                     &row, err);
        if (rc < 0 || row.chair) {
            rc = rc < 0 ? rc : 0;
            continue;
        }
        is_new = rc == 0;
        rc = 0;
        if (!row.counts)
            rc = add_key(gone, entry->erased_kind, &entry->erased_id, err);
        row.chair = true;
        if (rc == 0)
            rc = put_row(store, state->space, entry->erased_kind,
                         &entry->erased_id, &row, err);
        if (rc == 0 && is_new)
            rc = put_due(store, state->space, entry->erased_kind,
                         &entry->erased_id, err);
    }
    return rc;
}

/* Those that were carried out and are void now: the structure returns, without
 * the values. */
static int end_erasures(struct ent_store *store,
                        const struct ent_space_state *state,
                        struct ent_touched *back, struct ent_err *err)
{
    struct ent_touched ended = {0};
    struct ent_stmt *stmt;
    int rc = 0;

    if (store->erased_empty)
        return 0;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ERASED_BY_CHAIR);
    ent_stmt_bind_int(stmt, 1, state->space);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        uint32_t kind = (uint32_t)ent_stmt_int(stmt, 0);
        struct ent_id id;

        ent_stmt_copy(stmt, 1, id.b, ENT_ID_BYTES);
        if (ent_roster_erasure(&state->roster, kind, &id) == NULL)
            rc = add_key(&ended, kind, &id, err);
        if (rc < 0)
            break;
    }
    ent_stmt_reset(stmt);
    for (size_t i = 0; rc == 0 && i < ended.count; i++) {
        const struct ent_record_key *key = &ended.keys[i];
        struct row row;

        rc = get_row(store, state->space, key->kind, &key->id, &row, err);
        row.chair = false;
        if (rc > 0)
            rc = put_row(store, state->space, key->kind, &key->id, &row, err);
        if (rc == 0 && !row.counts)
            rc = add_key(back, key->kind, &key->id, err);
    }
    free(ended.keys);
    return rc;
}

int ent_erasures_mark(struct ent_store *store, int64_t space,
                      struct ent_touched *gone, struct ent_touched *back,
                      struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_space_state(store, space, &state, err);

    if (rc == 0)
        rc = begin_erasures(store, state, gone, err);
    if (rc == 0)
        rc = end_erasures(store, state, back, err);
    ent_touched_sort(gone);
    ent_touched_sort(back);
    return rc;
}

/* What stood of them goes, and out of the digest with it. */
static int clear(struct ent_store *store, int64_t space,
                 const struct ent_touched *gone, struct ent_err *err)
{
    struct ent_sum sum;
    int rc = ent_space_sum(store, space, &sum, err);

    if (rc < 0)
        return rc;
    rc = ent_records_clear(store, space, gone, &sum, err);
    return rc == 0 ? ent_space_set_sum(store, space, &sum, err) : rc;
}

int ent_erasures_follow(struct ent_store *store, int64_t space,
                        struct ent_err *err)
{
    struct ent_touched gone = {0};
    struct ent_touched back = {0};
    int rc = ent_erasures_mark(store, space, &gone, &back, err);

    if (rc == 0 && gone.count > 0)
        rc = clear(store, space, &gone, err);
    if (rc == 0 && back.count > 0)
        rc = ent_records_anew(store, space, &back, err);
    if (rc == 0 && back.count > 0)
        rc = ent_wanted_find(store, space, &back, err);
    free(gone.keys);
    free(back.keys);
    return rc;
}

/* --------------------------------------------------------- out of the bytes
 */

/* Who was admitted after a record was erased gets all of it late. */
static bool is_late(struct ent_store *store,
                    const struct ent_space_state *space,
                    const struct ent_change *change)
{
    const struct ent_roster_person *self =
        ent_roster_person(&space->roster, &store->keys.public);
    const struct ent_roster_entry *erasure =
        ent_roster_erasure(&space->roster, change->kind, &change->id);

    return erasure == NULL || self == NULL || self->since < erasure->pos;
}

static int count_late(struct ent_store *store, int64_t space,
                      const struct ent_change *change, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_ERASED_LATE);

    bind_key(stmt, space, change->kind, &change->id);
    return ent_stmt_run(stmt, err);
}

int ent_erase_strip(struct ent_store *store,
                    const struct ent_space_state *space,
                    struct ent_entry *entry, struct ent_buf *buf,
                    struct ent_slice *packed, struct ent_err *err)
{
    bool changed = false;
    int rc = 0;

    for (size_t i = 0;
         rc == 0 && !store->erased_empty && i < entry->change_count; i++) {
        struct ent_change *change = &entry->changes[i];
        struct row row;

        if (!change->has_commitment)
            continue;
        rc = get_row(store, space->space, change->kind, &change->id, &row, err);
        if (rc <= 0)
            continue;
        changed = changed || !change->erased;
        ent_seal_erase(entry, i);
        rc = is_late(store, space, change)
                 ? count_late(store, space->space, change, err)
                 : 0;
    }
    if (rc < 0 || !changed)
        return rc;
    ent_buf_reset(buf);
    ent_entry_put(buf, entry);
    *packed = ent_buf_slice(buf);
    return buf->rc < 0 ? no_memory(err) : 0;
}

/* Records whose values are to go out of the entries of one space. */
struct wiping {
    struct ent_store *store;
    struct ent_touched records;
    struct ent_arena arena; /* of one entry */
    struct ent_buf packed;
};

static bool may_hold(const struct wiping *wiping, struct ent_slice packed)
{
    if (wiping->records.count > LOOKED_FOR_MAX)
        return true;
    for (size_t i = 0; i < wiping->records.count; i++)
        if (memmem(packed.at, packed.len, wiping->records.keys[i].id.b,
                   ENT_ID_BYTES) != NULL)
            return true;
    return false;
}

/* Unpacked for its changes alone: nothing is hashed. */
static int unpack(struct wiping *wiping, const struct ent_log *log, int64_t n,
                  struct ent_slice packed, struct ent_entry *entry,
                  struct ent_err *err)
{
    *entry = (struct ent_entry){.author = log->author,
                                .origin = log->id,
                                .seq = (uint64_t)ent_n_seq(n)};
    if (entry->seq > 1)
        entry->prev.b[0] = 1; /* some entry or other */
    return ent_entry_get(packed, &wiping->arena, entry, err);
}

static int wipe_entry(struct wiping *wiping, const struct ent_log *log,
                      int64_t n, struct ent_slice bytes, enum ent_sql set,
                      struct ent_err *err)
{
    struct ent_slice packed;
    struct ent_entry entry;
    struct ent_stmt *stmt;
    bool changed = false;
    int rc;

    ent_arena_reset(&wiping->arena);
    packed = ent_arena_copy(&wiping->arena, bytes);
    if (wiping->arena.rc < 0)
        return no_memory(err);
    rc = unpack(wiping, log, n, packed, &entry, err);
    if (rc < 0)
        return rc == ENT_ENOMEM ? rc : 0; /* damaged: for verify to tell */
    for (size_t i = 0; i < entry.change_count; i++) {
        const struct ent_change *change = &entry.changes[i];

        if (!change->erased && change->has_commitment &&
            ent_touched_holds(&wiping->records, change->kind, &change->id)) {
            ent_seal_erase(&entry, i);
            changed = true;
        }
    }
    if (set == ENT_SQL_LOG_SET_ENTRY)
        rc = ent_wanted_note(wiping->store, log->space, n, &entry, err);
    if (rc < 0 || !changed)
        return rc;
    ent_buf_reset(&wiping->packed);
    ent_entry_put(&wiping->packed, &entry);
    if (wiping->packed.rc < 0)
        return no_memory(err);
    stmt = ent_db_stmt(&wiping->store->db, set);
    ent_stmt_bind_int(stmt, 1, n);
    ent_stmt_bind_blob(stmt, 2, wiping->packed.at, wiping->packed.len);
    return ent_stmt_run(stmt, err);
}

static int wipe_range(struct wiping *wiping, const struct ent_log *log,
                      enum ent_sql range, int column, enum ent_sql set,
                      struct ent_err *err)
{
    struct ent_stmt *rows = ent_db_stmt(&wiping->store->db, range);
    int rc;

    ent_stmt_bind_int(rows, 1, ent_n(log->o, 0));
    ent_stmt_bind_int(rows, 2, ent_n(log->o, ENT_SEQ_MAX));
    while ((rc = ent_stmt_step(rows, err)) > 0) {
        struct ent_slice bytes = ent_stmt_bytes(rows, column);

        if (!may_hold(wiping, bytes))
            continue;
        rc = wipe_entry(wiping, log, ent_stmt_int(rows, 0), bytes, set, err);
        if (rc < 0)
            break;
    }
    ent_stmt_reset(rows);
    return rc;
}

static int wipe_space(struct wiping *wiping, int64_t space, struct ent_err *err)
{
    struct ent_store *store = wiping->store;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        const struct ent_log *log = store->logs[i];

        if (log->space != space)
            continue;
        rc = wipe_range(wiping, log, ENT_SQL_LOG_RANGE, 4,
                        ENT_SQL_LOG_SET_ENTRY, err);
        if (rc == 0)
            rc = wipe_range(wiping, log, ENT_SQL_ASIDE_RANGE, 3,
                            ENT_SQL_ASIDE_SET_ENTRY, err);
    }
    return rc;
}

/* What this node alone kept about them. */
static int wipe_local(struct wiping *wiping, int64_t space, struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < wiping->records.count; i++) {
        struct ent_stmt *stmt =
            ent_db_stmt(&wiping->store->db, ENT_SQL_ANSWERS_DROP);

        ent_stmt_bind_int(stmt, 1, space);
        ent_stmt_bind_blob(stmt, 2, wiping->records.keys[i].id.b, ENT_ID_BYTES);
        rc = ent_stmt_run(stmt, err);
    }
    return rc;
}

/* What stands all the same, for its owner erased it beyond a cut, stands
 * without its values. */
static int show_without(struct wiping *wiping, int64_t space,
                        struct ent_err *err)
{
    struct ent_touched standing = {0};
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < wiping->records.count; i++) {
        const struct ent_record_key *key = &wiping->records.keys[i];
        bool counts;

        rc =
            ent_erased(wiping->store, space, key->kind, &key->id, &counts, err);
        if (rc > 0 && !counts)
            rc = add_key(&standing, key->kind, &key->id, err);
    }
    if (rc >= 0)
        rc = standing.count == 0
                 ? 0
                 : ent_records_anew(wiping->store, space, &standing, err);
    free(standing.keys);
    return rc;
}

int ent_erasures_carry_out(struct ent_store *store, struct ent_err *err)
{
    struct wiping wiping = {.store = store};
    int rc = 0;

    while (rc == 0 && store->erasing_count > 0) {
        int64_t space = store->erasing[store->erasing_count - 1].space;
        size_t kept = 0;

        wiping.records.count = 0;
        for (size_t i = 0; rc == 0 && i < store->erasing_count; i++) {
            const struct ent_record_ref *ref = &store->erasing[i];

            if (ref->space == space)
                rc = add_key(&wiping.records, ref->kind, &ref->id, err);
            else
                store->erasing[kept++] = *ref;
        }
        store->erasing_count = kept;
        ent_touched_sort(&wiping.records);
        if (rc == 0)
            rc = wipe_space(&wiping, space, err);
        if (rc == 0)
            rc = wipe_local(&wiping, space, err);
        if (rc == 0)
            rc = show_without(&wiping, space, err);
    }
    if (rc == 0)
        rc = ent_search_anew(store, err);
    if (rc == 0)
        rc = ent_scrub_due_now(store, err);
    free(wiping.records.keys);
    ent_arena_fini(&wiping.arena);
    ent_buf_fini(&wiping.packed);
    return rc;
}

/* ---------------------------------------------------------------- erasing
 */

int ent_may_erase(struct ent_store *store, const struct ent_record_ref *ref,
                  enum ent_may_erase *may, struct ent_err *err)
{
    struct ent_space_state *state;
    enum ent_role role;
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = ent_space_state(store, ref->space, &state, err);
    if (rc < 0)
        return rc;
    role = ent_roster_role(&state->roster, UINT64_MAX, &store->keys.public);
    if (role == ENT_ROLE_CHAIR)
        *may = ENT_MAY_ERASE_CHAIR;
    else if (role != ENT_ROLE_EDITOR)
        *may = ENT_MAY_ERASE_NOT;
    else if (ent_kind_is_owned(ref->kind) &&
             ent_owner_may_change(state, &store->keys.public, ref->kind,
                                  &ref->id))
        *may = ENT_MAY_ERASE_OWN;
    else
        *may = ENT_MAY_ERASE_ASK;
    return 0;
}

static int erase_by_chair(struct ent_store *store,
                          const struct ent_record_ref *ref, int64_t now_ms,
                          struct ent_err *err)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_ERASE,
                                     .time_ms = now_ms,
                                     .erased_kind = ref->kind,
                                     .erased_id = ref->id};
    int64_t space = ref->space;
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    rc = ent_roster_write(store, &entry, NULL, &space, err);
    if (rc == 0)
        rc = ent_last_forget(store, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

static int erase_by_owner(struct ent_store *store,
                          const struct ent_record_ref *ref, int64_t now_ms,
                          struct ent_err *err)
{
    struct ent_writer *writer;
    int rc = ent_writer_open(store, ref->space, now_ms, &writer, err);

    if (rc < 0)
        return rc;
    rc = ent_writer_erase(writer, ref->kind, &ref->id, err);
    if (rc == 0)
        return ent_writer_commit(writer, err);
    ent_writer_abort(writer);
    return rc;
}

int ent_record_erase(struct ent_store *store, const struct ent_record_ref *ref,
                     int64_t now_ms, struct ent_err *err)
{
    enum ent_may_erase may;
    bool counts;
    int rc = ent_may_erase(store, ref, &may, err);

    if (rc == 0)
        rc = ent_erased(store, ref->space, ref->kind, &ref->id, &counts, err);
    if (rc < 0)
        return rc;
    if (rc > 0 && counts)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("this record is erased already"));
    if (may == ENT_MAY_ERASE_CHAIR)
        return erase_by_chair(store, ref, now_ms, err);
    if (may == ENT_MAY_ERASE_OWN)
        return erase_by_owner(store, ref, now_ms, err);
    return ent_err_set(err, ENT_EDENIED,
                       ENT_N_("only the chair of the space may erase that "
                              "record"));
}

/* ---------------------------------------------------------------- reading
 */

int ent_record_erased(struct ent_store *store, const struct ent_record_ref *ref,
                      struct ent_err *err)
{
    bool counts = false;
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = ent_erased(store, ref->space, ref->kind, &ref->id, &counts, err);
    return rc < 0 ? rc : counts;
}

/* Who did it and when, as far as it is known. */
static int fill(struct ent_store *store, struct ent_erasure *erasure,
                struct ent_err *err)
{
    const struct ent_log *log = ent_log_of(store, ent_n_o(erasure->n));
    const struct ent_roster_entry *entry;
    struct ent_space_state *state;
    struct ent_log_meta meta;
    int rc = ent_space_state(store, erasure->space, &state, err);

    if (rc < 0)
        return rc;
    entry = ent_roster_erasure(&state->roster, erasure->kind, &erasure->id);
    if (entry != NULL) {
        erasure->pos = entry->pos;
        erasure->by = entry->author;
        erasure->claimed_ms = entry->time_ms;
        return 0;
    }
    if (log == NULL)
        return 0;
    erasure->by = log->author;
    /* Beyond a cut it is not in the log. */
    rc = ent_log_meta(store, erasure->n, &meta, err);
    if (rc == 0)
        erasure->claimed_ms = meta.at;
    return rc == ENT_ENOTFOUND ? 0 : rc;
}

int ent_erasure_list(struct ent_store *store, int64_t space,
                     struct ent_arena *arena, struct ent_erasure **list,
                     size_t *count, struct ent_err *err)
{
    struct ent_stmt *stmt;
    size_t cap = 0;
    int rc = ent_store_refresh(store, err);

    *list = NULL;
    *count = 0;
    if (rc < 0)
        return rc;
    stmt = ent_db_stmt(&store->db, ENT_SQL_ERASED_ALL);
    ent_stmt_bind_int(stmt, 1, space);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        struct ent_erasure *item;

        if (*count == cap) {
            struct ent_erasure *more;

            cap = cap == 0 ? 16 : 2 * cap;
            more = ENT_ARENA_NEW(arena, struct ent_erasure, cap);
            if (more == NULL)
                break;
            if (*count > 0)
                memcpy(more, *list, *count * sizeof(*more));
            *list = more;
        }
        item = &(*list)[(*count)++];
        *item = (struct ent_erasure){.space = ent_stmt_int(stmt, 0),
                                     .kind = (uint32_t)ent_stmt_int(stmt, 1),
                                     .n = ent_stmt_int(stmt, 4),
                                     .counts = ent_stmt_int(stmt, 3) != 0 ||
                                               ent_stmt_int(stmt, 5) != 0,
                                     .late = ent_stmt_int(stmt, 6)};
        ent_stmt_copy(stmt, 2, item->id.b, ENT_ID_BYTES);
    }
    ent_stmt_reset(stmt);
    if (arena->rc < 0)
        return no_memory(err);
    for (size_t i = 0; rc == 0 && i < *count; i++)
        rc = fill(store, &(*list)[i], err);
    return rc;
}
