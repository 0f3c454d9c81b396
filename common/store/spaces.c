/* spaces.c - spaces and members as commands see them (spaces.h). */
#include "store/spaces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/entry.h"
#include "codec/roster.h"
#include "store/members.h"
#include "store/replica.h"
#include "store/runs.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ------------------------------------------------------------------ handles */

bool ent_space_is_handle(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= ENT_HANDLE_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len &&
           name[0] != '-';
}

static int find_handle(struct ent_store *store, const char *name,
                       int64_t *space, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_HANDLE_FIND);
    int rc;

    *space = 0;
    ent_stmt_bind_cstr(stmt, 1, name);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0)
        *space = ent_stmt_int(stmt, 0);
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

static int check_handle(struct ent_store *store, const char *name,
                        struct ent_err *err)
{
    int64_t taken;
    int rc;

    if (!ent_space_is_handle(name))
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("a space's handle is made of a-z, 0-9, - "
                                  "and _, at most %d of them"),
                           ENT_HANDLE_MAX);
    rc = find_handle(store, name, &taken, err);
    if (rc == 0 && taken != 0)
        rc = ent_err_set(err, ENT_EUSAGE,
                         ENT_N_("there is a space called %s already"), name);
    return rc;
}

static int insert_space(struct ent_store *store, const struct ent_id *id,
                        const char *name, int64_t *space, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_SPACE_INSERT);
    int rc;

    ent_stmt_bind_blob(stmt, 1, id->b, ENT_ID_BYTES);
    rc = ent_stmt_run(stmt, err);
    if (rc < 0)
        return rc;
    *space = sqlite3_last_insert_rowid(store->db.raw);
    stmt = ent_db_stmt(&store->db, ENT_SQL_HANDLE_INSERT);
    ent_stmt_bind_int(stmt, 1, *space);
    ent_stmt_bind_cstr(stmt, 2, name);
    return ent_stmt_run(stmt, err);
}

int ent_space_rename(struct ent_store *store, int64_t space, const char *name,
                     struct ent_err *err)
{
    struct ent_stmt *stmt;
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    rc = check_handle(store, name, err);
    if (rc == 0) {
        stmt = ent_db_stmt(&store->db, ENT_SQL_HANDLE_RENAME);
        ent_stmt_bind_int(stmt, 1, space);
        ent_stmt_bind_cstr(stmt, 2, name);
        rc = ent_stmt_run(stmt, err);
    }
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

/* ------------------------------------------------------------ roster entries
 */

/* Header and body of the next roster entry by this node; the first one has a
 * zero space (A1). */
static int seal_roster(struct ent_store *store,
                       const struct ent_roster_entry *entry,
                       const struct ent_id *space, struct ent_buf *header,
                       struct ent_buf *body, struct ent_hash *hash,
                       struct ent_sig *sig, struct ent_err *err)
{
    struct ent_entry head = {.author = store->keys.public,
                             .seq = entry->pos,
                             .prev = entry->prev,
                             .time_ms = entry->time_ms};
    struct ent_hash body_hash;

    if (space != NULL)
        head.space = *space;
    if (entry->pos > 1) {
        head.roster_pos = entry->pos - 1;
        head.roster_hash = ent_hash_head(&entry->prev);
    }
    ent_roster_body_put(body, entry);
    body_hash = ent_hash_of(ent_buf_slice(body));
    ent_header_put(header, ENT_ROSTER_TAG, &head, &body_hash);
    if (header->rc < 0 || body->rc < 0)
        return no_memory(err);
    *hash = ent_hash_of(ent_buf_slice(header));
    ent_sign(&store->keys, ent_buf_slice(header), sig);
    return 0;
}

int ent_roster_write(struct ent_store *store, struct ent_roster_entry *entry,
                     const char *name, int64_t *space, struct ent_err *err)
{
    struct ent_buf header = {0};
    struct ent_buf body = {0};
    struct ent_roster_bytes bytes;
    struct ent_space_state *state;
    const struct ent_id *id = NULL;
    struct ent_hash hash;
    uint64_t before = 0;
    bool is_new;
    int rc = 0;

    entry->term = 1;
    entry->pos = 1;
    if (entry->kind != ENT_ROSTER_FOUND) {
        rc = ent_space_state(store, *space, &state, err);
        if (rc < 0)
            return rc;
        entry->term = state->roster.term + (entry->kind == ENT_ROSTER_SUCCEED);
        if (entry->kind != ENT_ROSTER_SUCCEED &&
            ent_roster_role(&state->roster, UINT64_MAX, &store->keys.public) !=
                ENT_ROLE_CHAIR)
            return ent_err_set(err, ENT_EDENIED,
                               ENT_N_("only the chair of the space may do "
                                      "that"));
        if (entry->kind != ENT_ROSTER_SUCCEED)
            rc = ent_space_check_met(store, *space, err);
        if (rc < 0)
            return rc;
        ent_space_head(state, &before, &entry->prev);
        entry->pos = before + 1;
        id = &state->id;
    }
    rc = seal_roster(store, entry, id, &header, &body, &hash, &bytes.sig, err);
    if (rc == 0 && entry->kind == ENT_ROSTER_FOUND) {
        struct ent_id made;

        memcpy(made.b, hash.b, ENT_ID_BYTES);
        rc = insert_space(store, &made, name, space, err);
    }
    bytes.header = ent_buf_slice(&header);
    bytes.body = ent_buf_slice(&body);
    if (rc == 0)
        rc = ent_roster_put(store, *space, &bytes, &is_new, err);
    /* Its first entry, or those of before when nobody else was there. */
    if (rc == 0 && entry->kind != ENT_ROSTER_SUCCEED)
        rc = ent_space_keep_met(store, *space, err);
    if (rc == 0)
        rc = ent_store_decided(store, err);
    if (rc == 0 && before > 0)
        rc = ent_judge_anew(store, *space, before, &entry->prev, err);
    ent_buf_fini(&header);
    ent_buf_fini(&body);
    return rc;
}

int ent_space_create(struct ent_store *store, const char *name,
                     const char *title_en, const char *title_fr, int64_t now_ms,
                     int64_t *space, struct ent_err *err)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_FOUND,
                                     .time_ms = now_ms,
                                     .org = ent_slice_str(store->org),
                                     .title_en = ent_slice_str(title_en),
                                     .title_fr = ent_slice_str(title_fr)};
    int rc;

    if (entry.title_en.len > ENT_NAME_BYTES_MAX ||
        entry.title_fr.len > ENT_NAME_BYTES_MAX)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("a title may have %d bytes at most"),
                           ENT_NAME_BYTES_MAX);
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    ent_rand_bytes(store->rand, entry.nonce, sizeof(entry.nonce));
    rc = check_handle(store, name, err);
    if (rc == 0)
        rc = ent_roster_write(store, &entry, name, space, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

int ent_roster_admit(struct ent_store *store, int64_t space,
                     const struct ent_key *key, enum ent_role role,
                     const char *org, const struct ent_hash8 *invite,
                     int64_t now_ms, struct ent_err *err)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_ADMIT,
                                     .time_ms = now_ms,
                                     .member = *key,
                                     .role = role,
                                     .org = ent_slice_str(org),
                                     .invite = *invite};
    struct ent_space_state *state;
    struct ent_key curve;
    int rc = ent_space_state(store, space, &state, err);

    if (rc < 0)
        return rc;
    if (!ent_key_to_curve(key, &curve))
        return ent_err_set(err, ENT_EREFUSED, ENT_N_("that is no valid key"));
    if (role != ENT_ROLE_READER && role != ENT_ROLE_EDITOR)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("a member is admitted as editor or reader"));
    if (entry.org.len == 0 || entry.org.len > ENT_NAME_BYTES_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("the organisation needs a name of at most "
                                  "%d bytes"),
                           ENT_NAME_BYTES_MAX);
    if (ent_roster_role(&state->roster, UINT64_MAX, key) != ENT_ROLE_NONE)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("that key belongs to a member already"));
    return ent_roster_write(store, &entry, NULL, &space, err);
}

int ent_member_admit(struct ent_store *store, int64_t space,
                     const struct ent_key *key, enum ent_role role,
                     const char *org, const struct ent_hash8 *invite,
                     int64_t now_ms, struct ent_err *err)
{
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    rc = ent_roster_admit(store, space, key, role, org, invite, now_ms, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

/* ------------------------------------------------------------------- reading
 */

int ent_space_read(struct ent_store *store, int64_t space,
                   struct ent_space *info, struct ent_err *err)
{
    struct ent_space_state *state;
    struct ent_stmt *stmt;
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc < 0)
        return rc;
    *info = (struct ent_space){.space = space, .id = state->id};
    stmt = ent_db_stmt(&store->db, ENT_SQL_HANDLE_GET);
    ent_stmt_bind_int(stmt, 1, space);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        ent_stmt_copy_text(stmt, 0, info->name, sizeof(info->name));
        info->left = ent_stmt_int(stmt, 1) != 0;
    }
    ent_stmt_reset(stmt);
    if (rc < 0)
        return rc;
    ent_space_head(state, &info->roster_pos, &info->roster_head);
    info->role =
        ent_roster_role(&state->roster, UINT64_MAX, &store->keys.public);
    info->removed =
        info->role == ENT_ROLE_NONE &&
        ent_roster_person(&state->roster, &store->keys.public) != NULL;
    if (state->roster.length > 0) {
        const struct ent_roster_entry *found = state->roster.chain[0];

        ent_text_copy(info->title[ENT_LANG_EN], ENT_NAME_BYTES_MAX + 1,
                      found->title_en);
        ent_text_copy(info->title[ENT_LANG_FR], ENT_NAME_BYTES_MAX + 1,
                      found->title_fr);
    }
    return 0;
}

int ent_space_list(struct ent_store *store, struct ent_space **list,
                   size_t *count, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_SPACES);
    int64_t *numbers = NULL;
    size_t n = 0;
    int rc;

    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        int64_t *more = realloc(numbers, (n + 1) * sizeof(*numbers));

        if (more == NULL) {
            rc = no_memory(err);
            break;
        }
        numbers = more;
        numbers[n++] = ent_stmt_int(stmt, 0);
    }
    ent_stmt_reset(stmt);
    *list = calloc(n + 1, sizeof(**list));
    if (rc == 0 && *list == NULL)
        rc = no_memory(err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = ent_space_read(store, numbers[i], &(*list)[i], err);
    free(numbers);
    if (rc < 0) {
        free(*list);
        *list = NULL;
        return rc;
    }
    *count = n;
    return 0;
}

#define SPACE_ID_PREFIX_MIN 4 /* hex digits that name a space by its id */

int ent_space_find(struct ent_store *store, const char *name, int64_t *space,
                   struct ent_err *err)
{
    struct ent_space *list;
    size_t count;
    size_t len = strlen(name);
    size_t matches = 0;
    int rc = ent_space_list(store, &list, &count, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        char hex[2 * ENT_ID_BYTES + 1];

        ent_hex_put(hex, list[i].id.b, ENT_ID_BYTES);
        if (strcmp(list[i].name, name) == 0) {
            *space = list[i].space;
            free(list);
            return 0;
        }
        if (len >= SPACE_ID_PREFIX_MIN && strncmp(hex, name, len) == 0) {
            *space = list[i].space;
            matches++;
        }
    }
    free(list);
    if (matches == 1)
        return 0;
    if (matches > 1)
        return ent_err_set(err, ENT_EAMBIG,
                           ENT_N_("several spaces begin with %s"), name);
    return ent_err_set(err, ENT_ENOTFOUND,
                       ENT_N_("there is no space called %s"), name);
}

int ent_space_find_id(struct ent_store *store, const struct ent_id *id,
                      int64_t *space, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_SPACES);
    int rc;

    *space = 0;
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        struct ent_id held;

        ent_stmt_copy(stmt, 1, held.b, ENT_ID_BYTES);
        if (ent_id_equal(&held, id))
            *space = ent_stmt_int(stmt, 0);
    }
    ent_stmt_reset(stmt);
    if (rc == 0 && *space == 0)
        return ent_err_set(err, ENT_ENOTFOUND, ENT_N_("no such space here"));
    return rc;
}

int ent_member_list(struct ent_store *store, int64_t space,
                    struct ent_member **list, size_t *count,
                    struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc < 0)
        return rc;
    *list = calloc(state->roster.member_count + 1, sizeof(**list));
    if (*list == NULL)
        return no_memory(err);
    *count = state->roster.member_count;
    for (size_t i = 0; i < *count; i++) {
        const struct ent_roster_member *from = &state->roster.members[i];
        struct ent_member *to = &(*list)[i];

        to->key = from->key;
        to->role = from->role;
        to->since = from->since;
        to->deputy = from->deputy;
        ent_text_copy(to->org, sizeof(to->org), from->org);
    }
    return 0;
}

enum ent_role ent_member_role(struct ent_store *store, int64_t space,
                              const struct ent_key *key)
{
    struct ent_space_state *state;

    if (ent_space_state(store, space, &state, NULL) < 0)
        return ENT_ROLE_NONE;
    return ent_roster_role(&state->roster, UINT64_MAX, key);
}

bool ent_member_was(struct ent_store *store, int64_t space,
                    const struct ent_key *curve)
{
    struct ent_space_state *state;
    struct ent_key own;

    if (ent_space_state(store, space, &state, NULL) < 0)
        return false;
    for (size_t i = 0; i < state->roster.person_count; i++)
        if (ent_key_to_curve(&state->roster.people[i].key, &own) &&
            ent_key_equal(&own, curve))
            return true;
    return false;
}

bool ent_member_shares(struct ent_store *store, int64_t space,
                       const struct ent_key *key)
{
    struct ent_space_state *state;

    return ent_space_state(store, space, &state, NULL) == 0 &&
           ent_roster_role(&state->roster, UINT64_MAX, key) != ENT_ROLE_NONE &&
           ent_roster_role(&state->roster, UINT64_MAX, &store->keys.public) !=
               ENT_ROLE_NONE &&
           !ent_roster_suspended(&state->roster, key) &&
           !ent_roster_suspended(&state->roster, &store->keys.public);
}

const char *ent_member_org(struct ent_store *store, const struct ent_key *key)
{
    static char org[ENT_NAME_BYTES_MAX + 1];
    struct ent_space *list;
    size_t count;

    org[0] = '\0';
    if (ent_key_equal(key, &store->keys.public))
        return store->org;
    if (ent_space_list(store, &list, &count, NULL) < 0)
        return org;
    for (size_t i = 0; i < count && org[0] == '\0'; i++) {
        struct ent_space_state *state;

        if (ent_space_state(store, list[i].space, &state, NULL) < 0)
            continue;
        for (size_t j = 0; j < state->roster.member_count; j++)
            if (ent_key_equal(&state->roster.members[j].key, key))
                ent_text_copy(org, sizeof(org), state->roster.members[j].org);
    }
    free(list);
    return org;
}

/* ------------------------------------------------------------------- leaving
 */

static int purge_table(struct ent_store *store, const char *table,
                       int64_t space, struct ent_err *err)
{
    char sql[128];

    snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE space = %lld", table,
             (long long)space);
    return ent_db_exec(&store->db, sql, err);
}

/* Everything of the space goes, logs first; search rows lose their records and
 * are swept at the next rebuild of the index. */
static int purge(struct ent_store *store, int64_t space, struct ent_err *err)
{
    static const char *const tables[] = {
        "roster",       "origin",      "cell",        "unseen",
        "frontier",     "local_invite", "local_alarm", "search_doc",
        "local_answer", "local_read",   "local_last",  "local_space",
        "space"};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        static const char *const of_log[] = {"log", "signature", "aside"};
        const struct ent_log *log = store->logs[i];
        char sql[160];

        for (size_t j = 0;
             rc == 0 && log->space == space && j < ENT_ARRAY_LEN(of_log); j++) {
            snprintf(sql, sizeof(sql),
                     "DELETE FROM %s WHERE n BETWEEN %lld AND %lld", of_log[j],
                     (long long)ent_n(log->o, 0),
                     (long long)ent_n(log->o, ENT_SEQ_MAX));
            rc = ent_db_exec(&store->db, sql, err);
        }
    }
    if (rc == 0)
        rc = ent_tables_clear(&store->tables, space, err);
    for (size_t i = 0; rc == 0 && i < ENT_ARRAY_LEN(tables); i++)
        rc = purge_table(store, tables[i], space, err);
    return rc;
}

int ent_space_leave(struct ent_store *store, int64_t space, bool do_purge,
                    struct ent_err *err)
{
    struct ent_space_state *state;
    struct ent_stmt *stmt;
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    rc = ent_space_state(store, space, &state, err);
    if (rc == 0 && ent_roster_role(&state->roster, UINT64_MAX,
                                   &store->keys.public) == ENT_ROLE_CHAIR)
        rc = ent_err_set(err, ENT_EDENIED,
                         ENT_N_("the chair cannot leave the space: others "
                                "could admit nobody any more"));
    if (rc == 0 && do_purge) {
        rc = purge(store, space, err);
    } else if (rc == 0) {
        stmt = ent_db_stmt(&store->db, ENT_SQL_HANDLE_GONE);
        ent_stmt_bind_int(stmt, 1, space);
        rc = ent_stmt_run(stmt, err);
    }
    if (rc < 0) {
        ent_store_rollback(store);
        return rc;
    }
    rc = ent_store_commit(store, NULL, err);
    ent_store_forget(store);
    if (rc == 0 && do_purge)
        ent_high_water_lower(store);
    return rc;
}

/* ----------------------------------------------------------------- expecting
 */

int ent_space_expect(struct ent_store *store, const struct ent_invite *invite,
                     int64_t *space, struct ent_err *err)
{
    char name[ENT_HANDLE_MAX + 1];
    struct ent_stmt *stmt;
    int64_t taken = 1;
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    if (ent_space_find_id(store, &invite->space, space, NULL) == 0) {
        /* One that was left comes back. */
        stmt = ent_db_stmt(&store->db, ENT_SQL_HANDLE_BACK);
        ent_stmt_bind_int(stmt, 1, *space);
        rc = ent_stmt_run(stmt, err);
        if (rc == 0)
            return ent_store_commit(store, NULL, err);
        ent_store_rollback(store);
        return rc;
    }
    snprintf(name, sizeof(name), "%s", invite->handle);
    for (int i = 2; rc == 0; i++) {
        rc = find_handle(store, name, &taken, err);
        if (rc < 0 || taken == 0)
            break;
        snprintf(name, sizeof(name), "%.*s-%d", ENT_HANDLE_MAX - 12,
                 invite->handle, i);
    }
    if (rc == 0)
        rc = insert_space(store, &invite->space, name, space, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}
