/* spaces.c - spaces and members as commands see them (spaces.h). */
#include "store/spaces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/entry.h"
#include "codec/roster.h"
#include "store/replica.h"
#include "store/runs.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

/* ------------------------------------------------------------------ handles */

static bool is_handle(const char *name)
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

    if (!is_handle(name))
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

/* Write one roster entry at the head, as the chair, in the transaction that is
 * open. For FOUND `space` is made here and given back. */
static int write_roster(struct ent_store *store, struct ent_roster_entry *entry,
                        const char *name, int64_t *space, struct ent_err *err)
{
    struct ent_buf header = {0};
    struct ent_buf body = {0};
    struct ent_roster_bytes bytes;
    struct ent_space_state *state;
    const struct ent_id *id = NULL;
    struct ent_hash hash;
    bool is_new;
    int rc = 0;

    entry->term = 1;
    entry->pos = 1;
    if (entry->kind != ENT_ROSTER_FOUND) {
        rc = ent_space_state(store, *space, &state, err);
        if (rc < 0)
            return rc;
        if (ent_roster_role(&state->roster, UINT64_MAX, &store->keys.public) !=
            ENT_ROLE_CHAIR)
            return ent_err_set(err, ENT_EDENIED,
                               ENT_N_("only the chair of the space may do "
                                      "that"));
        ent_space_head(state, &entry->pos, &entry->prev);
        entry->pos++;
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
        rc = write_roster(store, &entry, name, space, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

static int admit(struct ent_store *store, int64_t space,
                 const struct ent_key *key, enum ent_role role, const char *org,
                 const struct ent_hash8 *invite, int64_t now_ms,
                 struct ent_err *err)
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
    return write_roster(store, &entry, NULL, &space, err);
}

int ent_member_admit(struct ent_store *store, int64_t space,
                     const struct ent_key *key, enum ent_role role,
                     const char *org, const struct ent_hash8 *invite,
                     int64_t now_ms, struct ent_err *err)
{
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    rc = admit(store, space, key, role, org, invite, now_ms, err);
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
        "roster",       "origin",      "cell",       "unseen",      "frontier",
        "local_invite", "local_alarm", "search_doc", "local_space", "space"};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < store->log_count; i++) {
        static const char *const of_log[] = {"log", "signature"};
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

/* --------------------------------------------------------------- invitations
 */

#define LINE_TAG "entente-invite-1:"

/* Key of an invitation's proof; the chair keeps the secret, the line carries
 * it, the wire never does. */
static struct ent_hash8 invite_id(const uint8_t secret[16])
{
    uint8_t message[32] = "entente/invite";

    memcpy(message + 16, secret, 16);
    return ent_hash8_of(ent_slice(message, sizeof(message)));
}

static struct ent_hash invite_proof(const uint8_t secret[16],
                                    const struct ent_id *space,
                                    const struct ent_key *key)
{
    uint8_t message[ENT_ID_BYTES + ENT_KEY_BYTES];

    memcpy(message, space->b, ENT_ID_BYTES);
    memcpy(message + ENT_ID_BYTES, key->b, ENT_KEY_BYTES);
    return ent_hash_keyed(ent_slice(secret, 16),
                          ent_slice(message, sizeof(message)));
}

void ent_invite_prove(const struct ent_invite *invite,
                      const struct ent_key *key, struct ent_hash8 *id,
                      struct ent_hash *proof)
{
    *id = invite_id(invite->secret);
    *proof = invite_proof(invite->secret, &invite->space, key);
}

/* The line: a tag and base64url of fixed fields, texts with a length byte, and
 * the first 4 bytes of a BLAKE2b over all that, so that a line mangled in an
 * e-mail is told from a wrong one. */
static void put_short(struct ent_buf *buf, const char *text)
{
    size_t len = strlen(text);

    ENT_ASSERT(len <= 255);
    ent_buf_put_u8(buf, (uint8_t)len);
    ent_buf_put(buf, text, len);
}

static void put_line(struct ent_buf *line, const struct ent_invite *invite)
{
    struct ent_buf raw = {0};
    uint8_t time[8];
    struct ent_hash8 check;

    ent_buf_put(&raw, invite->space.b, ENT_ID_BYTES);
    ent_buf_put(&raw, invite->chair.b, ENT_KEY_BYTES);
    ent_buf_put(&raw, invite->secret, sizeof(invite->secret));
    ent_buf_put_u8(&raw, (uint8_t)invite->role);
    ent_be64_put(time, (uint64_t)invite->expires_ms);
    ent_buf_put(&raw, time, sizeof(time));
    put_short(&raw, invite->handle);
    ent_buf_put_u8(&raw, (uint8_t)invite->endpoint_count);
    for (size_t i = 0; i < invite->endpoint_count; i++)
        put_short(&raw, invite->endpoints[i]);
    check = ent_hash8_of(ent_buf_slice(&raw));
    ent_buf_put(&raw, check.b, 4);
    ent_buf_put_str(line, LINE_TAG);
    ent_base64_put(line, ent_buf_slice(&raw));
    if (raw.rc < 0)
        line->rc = raw.rc;
    ent_buf_fini(&raw);
}

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool ok;
};

static void get_bytes(struct reader *in, void *to, size_t len)
{
    in->ok = in->ok && (size_t)(in->end - in->at) >= len;
    if (!in->ok) {
        memset(to, 0, len);
        return;
    }
    memcpy(to, in->at, len);
    in->at += len;
}

static void get_short(struct reader *in, char *to, size_t size)
{
    uint8_t len;

    get_bytes(in, &len, 1);
    in->ok = in->ok && len < size;
    if (!in->ok)
        len = 0;
    get_bytes(in, to, len);
    to[len] = '\0';
    in->ok = in->ok && strlen(to) == len;
}

static bool read_line(struct ent_slice raw, struct ent_invite *invite)
{
    struct reader in = {.at = raw.at, .end = raw.at + raw.len, .ok = true};
    uint8_t time[8];
    uint8_t role;
    uint8_t count;

    get_bytes(&in, invite->space.b, ENT_ID_BYTES);
    get_bytes(&in, invite->chair.b, ENT_KEY_BYTES);
    get_bytes(&in, invite->secret, sizeof(invite->secret));
    get_bytes(&in, &role, 1);
    get_bytes(&in, time, sizeof(time));
    get_short(&in, invite->handle, sizeof(invite->handle));
    get_bytes(&in, &count, 1);
    invite->role = (enum ent_role)role;
    invite->expires_ms = (int64_t)ent_be64_get(time);
    invite->endpoint_count = count;
    if (count > ENT_ENDPOINTS_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        get_short(&in, invite->endpoints[i], sizeof(invite->endpoints[i]));
    return in.ok && in.at == in.end && is_handle(invite->handle) &&
           (role == ENT_ROLE_READER || role == ENT_ROLE_EDITOR);
}

int ent_invite_parse(const char *line, struct ent_invite *invite,
                     struct ent_err *err)
{
    struct ent_buf raw = {0};
    struct ent_hash8 check;
    char copy[4096];
    size_t len;
    int rc = 0;

    /* A line copied out of a message has blanks around it. */
    line += strspn(line, " \t\r\n");
    len = strcspn(line, " \t\r\n");
    if (strncmp(line, LINE_TAG, sizeof(LINE_TAG) - 1) != 0)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("this is no invitation: it begins with %s"),
                           LINE_TAG);
    if (len >= sizeof(copy) || line[len + strspn(line + len, " \t\r\n")] != 0)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("the invitation is not one line; copy it "
                                  "again"));
    memcpy(copy, line, len);
    copy[len] = '\0';
    memset(invite, 0, sizeof(*invite));
    if (!ent_base64_get(copy + sizeof(LINE_TAG) - 1, &raw) || raw.len < 4) {
        rc = ENT_EREFUSED;
    } else {
        check = ent_hash8_of(ent_slice(raw.at, raw.len - 4));
        if (memcmp(check.b, raw.at + raw.len - 4, 4) != 0 ||
            !read_line(ent_slice(raw.at, raw.len - 4), invite))
            rc = ENT_EREFUSED;
    }
    ent_buf_fini(&raw);
    if (rc < 0)
        ent_err_set(err, rc,
                    ENT_N_("the invitation is cut off or mistyped; copy the "
                           "whole line again"));
    return rc;
}

static int keep_invite(struct ent_store *store, int64_t space,
                       const struct ent_invite *invite, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_INVITE_INSERT);
    struct ent_hash8 id = invite_id(invite->secret);

    ent_stmt_bind_blob(stmt, 1, id.b, ENT_HASH8_BYTES);
    ent_stmt_bind_int(stmt, 2, space);
    ent_stmt_bind_blob(stmt, 3, invite->secret, sizeof(invite->secret));
    ent_stmt_bind_int(stmt, 4, invite->role);
    ent_stmt_bind_int(stmt, 5, invite->expires_ms);
    return ent_stmt_run(stmt, err);
}

int ent_invite_create(struct ent_store *store, int64_t space,
                      enum ent_role role, int64_t expires_ms,
                      const char *const *endpoints, size_t endpoint_count,
                      int64_t now_ms, struct ent_buf *line, struct ent_err *err)
{
    struct ent_invite invite = {
        .chair = store->keys.public, .role = role, .expires_ms = expires_ms};
    struct ent_space info;
    int rc = ent_space_read(store, space, &info, err);

    if (rc < 0)
        return rc;
    if (info.role != ENT_ROLE_CHAIR)
        return ent_err_set(err, ENT_EDENIED,
                           ENT_N_("only the chair of the space may invite"));
    if (role != ENT_ROLE_READER && role != ENT_ROLE_EDITOR)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("a member is admitted as editor or reader"));
    if (expires_ms <= now_ms)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("the invitation would have expired already"));
    invite.space = info.id;
    memcpy(invite.handle, info.name, sizeof(invite.handle));
    for (size_t i = 0; i < endpoint_count && i < ENT_ENDPOINTS_MAX; i++) {
        if (strlen(endpoints[i]) > 255)
            return ent_err_set(err, ENT_EUSAGE,
                               ENT_N_("the endpoint %s is too long"),
                               endpoints[i]);
        snprintf(invite.endpoints[invite.endpoint_count++],
                 ENT_ENDPOINT_MAX + 1, "%s", endpoints[i]);
    }
    ent_rand_bytes(store->rand, invite.secret, sizeof(invite.secret));
    put_line(line, &invite);
    if (line->rc < 0)
        return no_memory(err);
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    rc = keep_invite(store, space, &invite, err);
    if (rc < 0) {
        ent_store_rollback(store);
        return rc;
    }
    return ent_store_commit(store, NULL, err);
}

struct kept_invite {
    int64_t space;
    uint8_t secret[16];
    enum ent_role role;
    int64_t expires_ms;
    bool used;
    struct ent_key used_by;
};

static int read_invite(struct ent_store *store, const struct ent_hash8 *id,
                       struct kept_invite *kept, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_INVITE_GET);
    int rc;

    ent_stmt_bind_blob(stmt, 1, id->b, ENT_HASH8_BYTES);
    rc = ent_stmt_step(stmt, err);
    if (rc > 0) {
        kept->space = ent_stmt_int(stmt, 0);
        ent_stmt_copy(stmt, 1, kept->secret, sizeof(kept->secret));
        kept->role = (enum ent_role)ent_stmt_int(stmt, 2);
        kept->expires_ms = ent_stmt_int(stmt, 3);
        kept->used = !ent_stmt_is_null(stmt, 4);
        ent_stmt_copy(stmt, 4, kept->used_by.b, ENT_KEY_BYTES);
    }
    ent_stmt_reset(stmt);
    if (rc == 0)
        return ent_err_set(err, ENT_EDENIED,
                           ENT_N_("the invitation is not known here"));
    return rc < 0 ? rc : 0;
}

static int use_invite(struct ent_store *store, const struct ent_hash8 *id,
                      const struct ent_key *key, struct ent_err *err)
{
    struct ent_stmt *stmt = ent_db_stmt(&store->db, ENT_SQL_INVITE_USE);

    ent_stmt_bind_blob(stmt, 1, id->b, ENT_HASH8_BYTES);
    ent_stmt_bind_blob(stmt, 2, key->b, ENT_KEY_BYTES);
    return ent_stmt_run(stmt, err);
}

static int redeem(struct ent_store *store, const struct ent_id *space_id,
                  const struct ent_hash8 *id, const struct ent_hash *proof,
                  const struct ent_key *key, const char *org, int64_t now_ms,
                  struct ent_err *err)
{
    struct ent_space_state *state;
    struct kept_invite kept;
    struct ent_hash expected;
    int rc = read_invite(store, id, &kept, err);

    if (rc == 0)
        rc = ent_space_state(store, kept.space, &state, err);
    if (rc < 0)
        return rc;
    expected = invite_proof(kept.secret, space_id, key);
    if (!ent_id_equal(&state->id, space_id) ||
        !ent_equal_secret(expected.b, proof->b, ENT_HASH_BYTES))
        return ent_err_set(err, ENT_EDENIED,
                           ENT_N_("the invitation is not known here"));
    /* Asked again after an answer that got lost: it is admitted already. */
    if (kept.used && ent_key_equal(&kept.used_by, key))
        return 0;
    if (kept.used)
        return ent_err_set(err, ENT_EDENIED,
                           ENT_N_("the invitation was used already; ask for "
                                  "another"));
    if (kept.expires_ms < now_ms)
        return ent_err_set(err, ENT_EDENIED,
                           ENT_N_("the invitation has expired; ask for "
                                  "another"));
    rc = admit(store, kept.space, key, kept.role, org, id, now_ms, err);
    return rc < 0 ? rc : use_invite(store, id, key, err);
}

int ent_invite_redeem(struct ent_store *store, const struct ent_id *space,
                      const struct ent_hash8 *id, const struct ent_hash *proof,
                      const struct ent_key *key, const char *org,
                      int64_t now_ms, struct ent_err *err)
{
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    rc = redeem(store, space, id, proof, key, org, now_ms, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

int ent_space_expect(struct ent_store *store, const struct ent_invite *invite,
                     int64_t *space, struct ent_err *err)
{
    char name[ENT_HANDLE_MAX + 1];
    int64_t taken = 1;
    int rc = ent_store_begin(store, err);

    if (rc < 0)
        return rc;
    if (ent_space_find_id(store, &invite->space, space, NULL) == 0) {
        ent_store_rollback(store);
        return 0;
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
