/* verify.c - is this replica what its log says? What is read from the file is
 * believed no more than a peer's bytes: rosters go through the same gate into
 * a replica in memory, every entry is hashed on to the one before it, and the
 * state is summed up anew. A deep check replays the logs in that replica and
 * compares row by row. */
#include <libintl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "store/replica.h"
#include "store/runs.h"
#include "store/schema.h"
#include "store/seal.h"
#include "store/spaces.h"
#include "store/state.h"

#define TEXT_BYTES 1024 /* of one finding */
#define WHO_BYTES (ENT_NAME_BYTES_MAX + 64)

/* What the state of one space adds up to. */
struct space_sum {
    int64_t space;
    struct ent_id id;
    struct ent_sum sum;
};

struct verifying {
    struct ent_store *store;
    struct ent_store *fresh; /* in memory: rosters, and all when deep */
    bool deep;
    ent_verify_fn *found;
    void *ctx;
    int count;
    int64_t entries;
    struct space_sum *spaces;
    size_t space_count;
    struct ent_arena arena; /* of one entry or record */
    struct ent_seal seal;
};

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

ENT_PRINTF(2, 3)
static void say(struct verifying *verifying, const char *fmt, ...)
{
    char text[TEXT_BYTES];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), dgettext(ENT_TEXT_DOMAIN, fmt), ap);
    va_end(ap);
    verifying->count++;
    verifying->found(verifying->ctx, text);
}

/* A failure to read is a finding too; only memory stops the check. */
static int take_failure(struct verifying *verifying, int rc,
                        const struct ent_err *said, struct ent_err *err)
{
    if (rc >= 0)
        return 0;
    if (rc == ENT_ENOMEM)
        return no_memory(err);
    say(verifying, "%s", said->text);
    return 0;
}

static struct space_sum *space_of(struct verifying *verifying, int64_t space)
{
    for (size_t i = 0; i < verifying->space_count; i++)
        if (verifying->spaces[i].space == space)
            return &verifying->spaces[i];
    return NULL;
}

/* --------------------------------------------------- the replica in memory */

static int fresh_new(struct verifying *verifying, struct ent_err *err)
{
    struct ent_store *fresh = calloc(1, sizeof(*fresh));
    bool changed;
    int rc;

    if (fresh == NULL)
        return no_memory(err);
    verifying->fresh = fresh;
    fresh->kinds = verifying->store->kinds;
    fresh->rand = verifying->store->rand;
    fresh->high_water = -1;
    fresh->cells_empty = true;
    fresh->unseen_empty = true;
    fresh->hashes = calloc(ENT_HASH_CACHE, sizeof(*fresh->hashes));
    if (fresh->hashes == NULL)
        return no_memory(err);
    rc = ent_db_open(&fresh->db,
                     ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                     err);
    if (rc == 0)
        rc = ent_tables_init(&fresh->tables, &fresh->db, fresh->kinds, err);
    if (rc == 0)
        rc = ent_db_begin(&fresh->db, err);
    if (rc == 0)
        rc = ent_schema_create(&fresh->db, err);
    if (rc == 0)
        rc = ent_tables_create(&fresh->tables, &changed, err);
    return rc;
}

/* The rows of one table as they are. */
static int copy_rows(struct verifying *verifying, const char *select,
                     const char *insert, struct ent_err *err)
{
    struct ent_stmt from = {0};
    struct ent_stmt to = {0};
    int rc = ent_stmt_prepare(&verifying->store->db, select, &from, err);

    if (rc == 0)
        rc = ent_stmt_prepare(&verifying->fresh->db, insert, &to, err);
    while (rc == 0 && (rc = ent_stmt_step(&from, err)) > 0) {
        for (int i = 0; i < sqlite3_column_count(from.raw); i++)
            if (to.rc == SQLITE_OK)
                to.rc = sqlite3_bind_value(to.raw, i + 1,
                                           sqlite3_column_value(from.raw, i));
        rc = ent_stmt_run(&to, err);
    }
    ent_stmt_fini(&from);
    ent_stmt_fini(&to);
    return rc;
}

static int read_spaces(struct verifying *verifying, struct ent_err *err)
{
    struct ent_stmt *stmt;
    int64_t count = 0;
    int rc = ent_db_int(&verifying->store->db, "SELECT count(*) FROM space",
                        &count, err);

    if (rc < 0)
        return rc;
    verifying->spaces = calloc((size_t)count + 1, sizeof(*verifying->spaces));
    if (verifying->spaces == NULL)
        return no_memory(err);
    stmt = ent_db_stmt(&verifying->store->db, ENT_SQL_SPACES);
    while ((int64_t)verifying->space_count < count &&
           (rc = ent_stmt_step(stmt, err)) > 0) {
        struct space_sum *space = &verifying->spaces[verifying->space_count++];

        space->space = ent_stmt_int(stmt, 0);
        ent_stmt_copy(stmt, 1, space->id.b, ENT_ID_BYTES);
    }
    ent_stmt_reset(stmt);
    return rc < 0 ? rc : 0;
}

/* Spaces and logs keep their numbers, so that rows can be compared. */
static int copy_frame(struct verifying *verifying, struct ent_err *err)
{
    int rc = read_spaces(verifying, err);

    if (rc == 0)
        rc = copy_rows(verifying, "SELECT space, id FROM space",
                       "INSERT INTO space(space, id, adjust)"
                       " VALUES(?1, ?2, zeroblob(16))",
                       err);
    if (rc == 0)
        rc = copy_rows(verifying,
                       "SELECT o, space, author, id, branch, base FROM origin",
                       "INSERT INTO origin(o, space, author, id, branch, base,"
                       " signed, sig) VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, x'')",
                       err);
    if (rc == 0)
        rc = ent_logs_load(verifying->fresh, err);
    return rc;
}

/* ---------------------------------------------------------------- the file */

static int check_file(struct verifying *verifying, struct ent_err *err)
{
    struct ent_err said = {0};
    struct ent_stmt stmt = {0};
    int rc = ent_stmt_prepare(&verifying->store->db,
                              verifying->deep ? "PRAGMA integrity_check"
                                              : "PRAGMA quick_check",
                              &stmt, &said);

    while (rc == 0 && (rc = ent_stmt_step(&stmt, &said)) > 0) {
        struct ent_slice text = ent_stmt_bytes(&stmt, 0);

        rc = 0;
        if (!ent_slice_equal(text, ent_slice_str("ok")))
            say(verifying, ENT_N_("the file is damaged: %.*s"),
                (int)(text.len < TEXT_BYTES ? text.len : TEXT_BYTES),
                (const char *)text.at);
    }
    ent_stmt_fini(&stmt);
    return take_failure(verifying, rc, &said, err);
}

/* ----------------------------------------------------------------- rosters */

static int is_in_roster(struct verifying *verifying, int64_t space,
                        const struct ent_hash *hash, struct ent_err *err)
{
    struct ent_stmt *stmt =
        ent_db_stmt(&verifying->store->db, ENT_SQL_ROSTER_GET);
    int rc;

    ent_stmt_bind_int(stmt, 1, space);
    ent_stmt_bind_blob(stmt, 2, hash->b, ENT_HASH_BYTES);
    rc = ent_stmt_step(stmt, err);
    ent_stmt_reset(stmt);
    return rc;
}

/* What the row says beside the entry itself, and the entry before it. */
static int check_roster_row(struct verifying *verifying, int64_t space,
                            struct ent_stmt *row,
                            const struct ent_roster_bytes *bytes,
                            struct ent_err *err)
{
    struct ent_hash hash = ent_hash_of(bytes->header);
    struct ent_entry header = {0};
    struct ent_hash body;
    int64_t pos = ent_stmt_int(row, 1);
    int rc = ent_header_get(bytes->header, ENT_ROSTER_TAG, &verifying->arena,
                            &header, &body, err);

    if (rc < 0)
        return rc;
    if (!ent_slice_equal(ent_stmt_bytes(row, 0),
                         ent_slice(hash.b, ENT_HASH_BYTES)))
        say(verifying,
            ENT_N_("roster entry %lld does not have the hash kept of it"),
            (long long)pos);
    if ((int64_t)header.seq != pos)
        say(verifying,
            ENT_N_("roster entry %lld is kept under the number %lld"),
            (long long)header.seq, (long long)pos);
    if (header.seq <= 1)
        return 0;
    rc = is_in_roster(verifying, space, &header.prev, err);
    if (rc == 0)
        say(verifying, ENT_N_("roster entry %lld follows one that is not here"),
            (long long)header.seq);
    return rc < 0 ? rc : 0;
}

static int check_roster_entry(struct verifying *verifying, int64_t space,
                              struct ent_stmt *row, struct ent_err *err)
{
    struct ent_roster_bytes bytes = {.header = ent_stmt_bytes(row, 2),
                                     .body = ent_stmt_bytes(row, 4)};
    struct ent_err said = {0};
    bool is_new;
    int rc;

    ent_stmt_copy(row, 3, bytes.sig.b, ENT_SIG_BYTES);
    ent_arena_reset(&verifying->arena);
    rc = ent_roster_put(verifying->fresh, space, &bytes, &is_new, &said);
    if (rc == 0)
        return check_roster_row(verifying, space, row, &bytes, err);
    if (rc == ENT_ENOMEM)
        return no_memory(err);
    say(verifying, ENT_N_("roster entry %lld is damaged: %s"),
        (long long)ent_stmt_int(row, 1), said.text);
    return 0;
}

static int check_roster(struct verifying *verifying, int64_t space,
                        struct ent_err *err)
{
    struct ent_stmt *stmt =
        ent_db_stmt(&verifying->store->db, ENT_SQL_ROSTER_ROWS);
    int rc;

    ent_stmt_bind_int(stmt, 1, space);
    while ((rc = ent_stmt_step(stmt, err)) > 0) {
        rc = check_roster_entry(verifying, space, stmt, err);
        if (rc < 0)
            break;
    }
    ent_stmt_reset(stmt);
    return rc;
}

/* -------------------------------------------------------------------- logs */

/* Stands for the hash of an entry that is not here. */
static const struct ent_hash unknown = {{0xff}};

/* One log on its way through its entries. */
struct chain {
    struct verifying *verifying;
    const struct ent_log *log;
    struct ent_log *fresh; /* the same log in memory */
    struct space_sum *space;
    struct ent_space_state *roster;
    struct ent_stmt *sigs; /* older signatures, ascending */
    int64_t sig_n;         /* of the next one; 0: none */
    char who[WHO_BYTES];
    int64_t seq;          /* the last one seen */
    bool linked;          /* the entry before is known */
    struct ent_hash kept; /* of the entry before, as the file says */
    struct ent_hash made; /* the same, as it was hashed here */
};

static int next_sig(struct chain *chain, struct ent_err *err)
{
    int rc = ent_stmt_step(chain->sigs, err);

    chain->sig_n = rc > 0 ? ent_stmt_int(chain->sigs, 0) : 0;
    return rc < 0 ? rc : 0;
}

/* Hash an entry on to the one before it. When the hash kept of that one is the
 * damaged part, the one made here holds: each damage is named once. */
static int seal(struct chain *chain, struct ent_entry *entry,
                const struct ent_hash *kept, struct ent_hash *hash,
                struct ent_err *err)
{
    struct ent_seal *with = &chain->verifying->seal;
    int rc;

    entry->prev = chain->kept;
    rc = ent_seal_entry(with, entry, hash, err);
    if (rc < 0 || ent_hash_equal(hash, kept))
        return rc;
    entry->prev = chain->made;
    return ent_seal_entry(with, entry, hash, err);
}

static void check_sig(struct chain *chain, const struct ent_sig *sig)
{
    if (!ent_sig_verify(&chain->log->author,
                        ent_buf_slice(&chain->verifying->seal.header), sig))
        say(chain->verifying,
            ENT_N_("the signature over entry %lld of %s does not hold"),
            (long long)chain->seq, chain->who);
}

static int check_sigs(struct chain *chain, int64_t n, bool sealed,
                      struct ent_err *err)
{
    int rc = 0;

    if (sealed && chain->seq == chain->log->signed_seq)
        check_sig(chain, &chain->log->sig);
    while (rc == 0 && chain->sig_n != 0 && chain->sig_n <= n) {
        struct ent_sig sig;

        ent_stmt_copy(chain->sigs, 1, sig.b, ENT_SIG_BYTES);
        if (chain->sig_n < n)
            say(chain->verifying,
                ENT_N_("a signature of %s is over an entry that is not here"),
                chain->who);
        else if (sealed)
            check_sig(chain, &sig);
        rc = next_sig(chain, err);
    }
    return rc;
}

static void check_verdict(struct chain *chain, const struct ent_entry *entry,
                          enum ent_verdict verdict)
{
    static const struct ent_hash first;
    const struct ent_space_state *roster = chain->roster;
    enum ent_verdict right = ENT_VERDICT_ACCEPTED;
    uint64_t pos = ent_roster_position(&roster->roster, roster->entries,
                                       roster->entry_count, entry->roster_pos,
                                       &entry->roster_hash);

    if (pos == 0)
        say(chain->verifying,
            ENT_N_("entry %lld of %s names a roster entry that is not here"),
            (long long)chain->seq, chain->who);
    else if (!ent_hash_equal(&chain->log->branch, &first))
        right = ENT_VERDICT_BRANCH;
    else if (ent_roster_role(&roster->roster, pos, &entry->author) <
             ENT_ROLE_EDITOR)
        right = ENT_VERDICT_NO_ROLE;
    if (pos != 0 && right != verdict)
        say(chain->verifying,
            right == ENT_VERDICT_ACCEPTED
                ? ENT_N_("entry %lld of %s is in quarantine and should not be")
                : ENT_N_("entry %lld of %s should be in quarantine"),
            (long long)chain->seq, chain->who);
}

/* The entry in the replica in memory: hash and verdict always, because other
 * entries name it; what it says when it could be read. */
static int replay(struct chain *chain, const struct ent_entry *entry,
                  int64_t at, enum ent_verdict verdict,
                  const struct ent_hash *hash, struct ent_err *err)
{
    struct ent_log *log = chain->fresh;
    struct ent_sum sum;
    int rc = ent_log_head(chain->verifying->fresh, log, err);

    if (rc < 0)
        return rc;
    sum = log->sum;
    log->head = chain->seq - 1;
    if (entry != NULL && verdict == ENT_VERDICT_ACCEPTED)
        rc = ent_apply_entry(chain->verifying->fresh, log->space, entry,
                             ent_n(log->o, chain->seq), hash, &sum, err);
    if (rc < 0)
        return rc;
    return ent_log_append(chain->verifying->fresh, log, at, verdict, hash, &sum,
                          ent_slice(NULL, 0), err);
}

/* Unpack and hash one entry; `sound` is false, and it was said, when it is not
 * the one that the file says it is. */
static int check_bytes(struct chain *chain, struct ent_slice packed,
                       const struct ent_hash *kept, struct ent_entry *entry,
                       bool *sound, struct ent_err *err)
{
    struct verifying *verifying = chain->verifying;
    struct ent_err said = {0};
    struct ent_hash made;
    int rc;

    *sound = false;
    *entry = (struct ent_entry){.space = chain->space->id,
                                .author = chain->log->author,
                                .origin = chain->log->id,
                                .seq = (uint64_t)chain->seq,
                                .prev = chain->kept};
    rc = ent_entry_get(packed, &verifying->arena, entry, &said);
    if (rc == ENT_ENOMEM)
        return no_memory(err);
    if (rc < 0) {
        say(verifying, ENT_N_("entry %lld of %s is damaged: %s"),
            (long long)chain->seq, chain->who, said.text);
        chain->made = *kept;
        return 0;
    }
    rc = seal(chain, entry, kept, &made, err);
    if (rc < 0)
        return rc;
    *sound = ent_hash_equal(&made, kept);
    if (!*sound && chain->linked)
        say(verifying,
            ENT_N_("entry %lld of %s does not have the hash kept of "
                   "it"),
            (long long)chain->seq, chain->who);
    chain->made = made;
    return 0;
}

static int check_entry(struct chain *chain, struct ent_stmt *row,
                       struct ent_err *err)
{
    struct verifying *verifying = chain->verifying;
    int64_t n = ent_stmt_int(row, 0);
    int64_t at = ent_stmt_int(row, 1);
    enum ent_verdict verdict = (enum ent_verdict)ent_stmt_int(row, 2);
    struct ent_entry entry;
    struct ent_hash kept;
    bool sound;
    int rc;

    if (ent_n_seq(n) != chain->seq + 1) {
        say(verifying, ENT_N_("entries %lld to %lld of %s are missing"),
            (long long)chain->seq + 1, (long long)ent_n_seq(n) - 1, chain->who);
        chain->linked = false;
        chain->kept = chain->made = unknown;
    }
    chain->seq = ent_n_seq(n);
    verifying->entries++;
    ent_stmt_copy(row, 3, kept.b, ENT_HASH_BYTES);
    ent_arena_reset(&verifying->arena);
    rc = check_bytes(chain, ent_stmt_bytes(row, 4), &kept, &entry, &sound, err);
    if (rc == 0)
        rc = check_sigs(chain, n, sound, err);
    if (rc == 0 && sound) {
        check_verdict(chain, &entry, verdict);
        if (entry.time_ms != at)
            say(verifying, ENT_N_("entry %lld of %s is kept with another time"),
                (long long)chain->seq, chain->who);
    }
    if (rc == 0 && verifying->deep)
        rc = replay(chain, sound ? &entry : NULL, at, verdict, &kept, err);
    if (rc == 0 && verdict == ENT_VERDICT_ACCEPTED) {
        struct ent_sum part = ent_sum_of_entry(&kept);

        ent_sum_add(&chain->space->sum, &part);
    }
    chain->kept = kept;
    chain->linked = true;
    return rc;
}

/* Where a branch leaves the first one. */
static int begin_chain(struct chain *chain, struct ent_err *err)
{
    const struct ent_log *log = chain->log;
    struct ent_store *store = chain->verifying->store;
    const struct ent_log *first =
        ent_log_find(store, log->space, &log->author, &log->id);
    enum ent_verdict verdict;
    int rc = 0;

    chain->seq = log->base;
    chain->linked = true;
    if (log->base > 0 && first != NULL)
        rc = ent_log_hash(store, ent_n(first->o, log->base), &chain->kept,
                          &verdict, NULL);
    if (rc == ENT_ENOTFOUND || (log->base > 0 && first == NULL)) {
        say(chain->verifying,
            ENT_N_("the entries before a branch of %s are missing"),
            chain->who);
        chain->linked = false;
        chain->kept = unknown;
        rc = 0;
    }
    chain->made = chain->kept;
    return rc < 0 ? ent_err_set(err, rc, ENT_N_("a log cannot be read")) : 0;
}

static void end_chain(struct chain *chain)
{
    const struct ent_log *log = chain->log;
    bool own =
        ent_key_equal(&log->author, &chain->verifying->store->keys.public);

    if (log->signed_seq > chain->seq)
        say(chain->verifying, ENT_N_("entries %lld to %lld of %s are missing"),
            (long long)chain->seq + 1, (long long)log->signed_seq, chain->who);
    else if (log->signed_seq < chain->seq && !own)
        say(chain->verifying,
            ENT_N_("the entries of %s after %lld are not signed"), chain->who,
            (long long)log->signed_seq);
    if (chain->sig_n != 0)
        say(chain->verifying,
            ENT_N_("a signature of %s is over an entry that is not here"),
            chain->who);
}

/* A log as people can tell it from others. */
static void name_log(struct chain *chain)
{
    struct ent_buf name = {0};
    char origin[2 * ENT_ID_BYTES + 1];
    const char *text;

    ent_hex_put(origin, chain->log->id.b, ENT_ID_BYTES);
    ent_peer_name_put(chain->verifying->store, &chain->log->author, &name);
    ent_buf_printf(&name, " (%.8s)", origin);
    text = ent_buf_cstr(&name);
    snprintf(chain->who, sizeof(chain->who), "%s", text != NULL ? text : "");
    ent_buf_fini(&name);
}

static int walk_chain(struct chain *chain, struct ent_err *err)
{
    struct ent_db *db = &chain->verifying->store->db;
    struct ent_stmt *rows = ent_db_stmt(db, ENT_SQL_LOG_RANGE);
    int64_t from = ent_n(chain->log->o, 0);
    int64_t to = ent_n(chain->log->o, ENT_SEQ_MAX);
    int rc;

    chain->sigs = ent_db_stmt(db, ENT_SQL_SIGNATURE_RANGE);
    ent_stmt_bind_int(chain->sigs, 1, from);
    ent_stmt_bind_int(chain->sigs, 2, to);
    ent_stmt_bind_int(chain->sigs, 3, -1);
    ent_stmt_bind_int(rows, 1, from);
    ent_stmt_bind_int(rows, 2, to);
    rc = next_sig(chain, err);
    while (rc == 0 && (rc = ent_stmt_step(rows, err)) > 0)
        rc = check_entry(chain, rows, err);
    if (rc == 0)
        end_chain(chain);
    ent_stmt_reset(rows);
    ent_stmt_reset(chain->sigs);
    return rc;
}

static int check_log(struct verifying *verifying, const struct ent_log *log,
                     struct ent_err *err)
{
    struct chain chain = {.verifying = verifying,
                          .log = log,
                          .fresh = ent_log_of(verifying->fresh, log->o),
                          .space = space_of(verifying, log->space)};
    int rc;

    name_log(&chain);
    if (chain.space == NULL || chain.fresh == NULL) {
        say(verifying, ENT_N_("a log of %s belongs to no space"), chain.who);
        return 0;
    }
    rc = ent_space_state(verifying->fresh, log->space, &chain.roster, err);
    if (rc == 0)
        rc = begin_chain(&chain, err);
    return rc < 0 ? rc : walk_chain(&chain, err);
}

static int check_logs(struct verifying *verifying, struct ent_err *err)
{
    struct ent_store *store = verifying->store;
    int64_t count = 0;
    int rc = 0;

    for (size_t o = 1; rc == 0 && o < store->by_o_cap; o++) {
        struct ent_err said = {0};

        if (store->by_o[o] == NULL)
            continue;
        rc = check_log(verifying, store->by_o[o], &said);
        rc = take_failure(verifying, rc, &said, err);
    }
    if (rc == 0)
        rc = ent_db_int(&store->db, "SELECT count(*) FROM log", &count, err);
    if (rc == 0 && count != verifying->entries)
        say(verifying, ENT_N_("%lld entries belong to no log"),
            (long long)(count - verifying->entries));
    return rc;
}

/* ------------------------------------------------------------------- state */

struct record {
    int64_t space;
    uint32_t kind;
    const char *name; /* of the kind */
    struct ent_id id;
};

/* What the standing writes of one record add to the digest of its space. */
static int sum_record(struct verifying *verifying, struct ent_store *store,
                      const struct record *record, struct ent_sum *sum,
                      bool *row, struct ent_err *err)
{
    const struct space_sum *space = space_of(verifying, record->space);
    struct ent_state state;
    int rc;

    ent_arena_reset(&verifying->arena);
    *sum = (struct ent_sum){0};
    rc = ent_state_load(store, record->space, record->kind, &record->id, NULL,
                        &verifying->arena, &state, err);
    *row = rc == 0 && state.row;
    for (size_t i = 0; rc == 0 && i < state.cell_count; i++) {
        const struct ent_cell *cell = &state.cells[i];
        struct ent_sum_key key;
        struct ent_hash hash;
        struct ent_sum part;
        enum ent_verdict verdict;

        rc = ent_log_hash(store, cell->n, &hash, &verdict, err);
        if (rc < 0 || space == NULL)
            continue;
        key = ent_sum_key_of(&space->id, record->kind, &record->id, &hash);
        part = ent_sum_of_write(&key, cell->field, cell->ordinal, cell->code);
        ent_sum_add(sum, &part);
    }
    return rc;
}

static void say_record(struct verifying *verifying, const char *fmt,
                       const struct record *record)
{
    char text[ENT_ID_TEXT];

    ent_id_text(&record->id, text);
    say(verifying, fmt, record->name, text);
}

static int add_record(struct verifying *verifying, const struct record *record,
                      struct ent_sum *sum, bool *row, struct ent_err *err)
{
    struct space_sum *space = space_of(verifying, record->space);
    int rc = sum_record(verifying, verifying->store, record, sum, row, NULL);

    if (rc == ENT_ENOMEM)
        return no_memory(err);
    if (rc < 0)
        say_record(verifying, ENT_N_("%s %s is damaged"), record);
    else if (space == NULL)
        say_record(verifying, ENT_N_("%s %s belongs to no space"), record);
    else
        ent_sum_add(&space->sum, sum);
    return 0;
}

/* The rows of a kind in the file, beside those in memory when deep. */
struct rows {
    struct ent_stmt stmt;
    bool more;
    struct record record;
};

static int next_row(struct rows *rows, struct ent_err *err)
{
    int rc = ent_stmt_step(&rows->stmt, err);

    rows->more = rc > 0;
    if (rc > 0) {
        rows->record.space = ent_stmt_int(&rows->stmt, 0);
        ent_stmt_copy(&rows->stmt, 1, rows->record.id.b, ENT_ID_BYTES);
    }
    return rc < 0 ? rc : 0;
}

static int open_rows(struct ent_db *db, const struct ent_kind *kind,
                     struct rows *rows, struct ent_err *err)
{
    struct ent_buf sql = {0};
    const char *text;
    int rc;

    rows->record.kind = kind->number;
    rows->record.name = kind->name;
    ent_buf_put_str(&sql, "SELECT space, id");
    for (size_t i = 0; i < kind->field_count; i++) {
        ent_buf_put_str(&sql, ", ");
        ent_table_quote(&sql, kind->fields[i].name);
    }
    ent_buf_put_str(&sql, " FROM ");
    ent_table_quote(&sql, kind->table);
    ent_buf_put_str(&sql, " ORDER BY space, id");
    text = ent_buf_cstr(&sql);
    rc = text == NULL ? no_memory(err)
                      : ent_stmt_prepare(db, text, &rows->stmt, err);
    ent_buf_fini(&sql);
    return rc < 0 ? rc : next_row(rows, err);
}

static int rows_cmp(const struct rows *a, const struct rows *b)
{
    if (!a->more || !b->more)
        return a->more ? -1 : 1;
    if (a->record.space != b->record.space)
        return a->record.space < b->record.space ? -1 : 1;
    return ent_id_cmp(&a->record.id, &b->record.id);
}

static bool columns_equal(struct ent_stmt *a, struct ent_stmt *b)
{
    for (int i = 0; i < sqlite3_column_count(a->raw); i++) {
        int type = sqlite3_column_type(a->raw, i);

        if (type != sqlite3_column_type(b->raw, i) ||
            !ent_slice_equal(ent_stmt_bytes(a, i), ent_stmt_bytes(b, i)))
            return false;
    }
    return true;
}

/* One row of the file; its twin in memory, or NULL. */
static int check_row(struct verifying *verifying, struct rows *file,
                     struct rows *twin, struct ent_err *err)
{
    struct ent_sum replayed;
    struct ent_sum sum;
    int before = verifying->count;
    bool row;
    int rc = add_record(verifying, &file->record, &sum, &row, err);

    if (rc < 0 || !verifying->deep || verifying->count > before)
        return rc;
    if (twin == NULL) {
        say_record(verifying, ENT_N_("%s %s is not in the log"), &file->record);
        return 0;
    }
    rc = sum_record(verifying, verifying->fresh, &file->record, &replayed, &row,
                    err);
    if (rc == 0 && (sum.low != replayed.low || sum.high != replayed.high ||
                    !columns_equal(&file->stmt, &twin->stmt)))
        say_record(verifying, ENT_N_("%s %s is not what the log says"),
                   &file->record);
    return rc;
}

static int walk_rows(struct verifying *verifying, struct rows *file,
                     struct rows *twin, struct ent_err *err)
{
    int rc = 0;

    while (rc == 0 && (file->more || twin->more)) {
        int cmp = rows_cmp(file, twin);

        if (cmp > 0)
            say_record(verifying, ENT_N_("%s %s is missing"), &twin->record);
        else
            rc = check_row(verifying, file, cmp == 0 ? twin : NULL, err);
        if (rc == 0 && cmp >= 0)
            rc = next_row(twin, err);
        if (rc == 0 && cmp <= 0)
            rc = next_row(file, err);
    }
    return rc;
}

static int check_table(struct verifying *verifying, const struct ent_kind *kind,
                       struct ent_err *err)
{
    struct rows file = {0};
    struct rows twin = {0};
    int rc = open_rows(&verifying->store->db, kind, &file, err);

    if (rc == 0 && verifying->deep)
        rc = open_rows(&verifying->fresh->db, kind, &twin, err);
    if (rc == 0)
        rc = walk_rows(verifying, &file, &twin, err);
    ent_stmt_fini(&file.stmt);
    ent_stmt_fini(&twin.stmt);
    return rc;
}

/* Records without a row: deleted ones, and kinds of newer programs. */
static int check_cells(struct verifying *verifying, struct ent_err *err)
{
    struct ent_store *store = verifying->store;
    struct ent_stmt stmt;
    int rc = ent_stmt_prepare(
        &store->db, "SELECT DISTINCT space, kind, id FROM cell", &stmt, err);

    while (rc == 0 && (rc = ent_stmt_step(&stmt, err)) > 0) {
        struct record record = {.space = ent_stmt_int(&stmt, 0),
                                .kind = (uint32_t)ent_stmt_int(&stmt, 1)};
        const struct ent_kind *kind = ent_kind_find(store->kinds, record.kind);
        struct ent_sum sum;
        bool row;

        record.name = kind != NULL ? kind->name : "?";
        ent_stmt_copy(&stmt, 2, record.id.b, ENT_ID_BYTES);
        rc = sum_record(verifying, store, &record, &sum, &row, NULL);
        if (rc == 0 && row) /* with its row */
            continue;
        rc = rc == ENT_ENOMEM ? no_memory(err)
                              : add_record(verifying, &record, &sum, &row, err);
    }
    ent_stmt_fini(&stmt);
    return rc;
}

/* Whether two tables hold the same rows in the order of `sql`. */
static int check_equal(struct verifying *verifying, const char *sql,
                       const char *what, struct ent_err *err)
{
    struct ent_stmt file = {0};
    struct ent_stmt twin = {0};
    bool equal = true;
    int rc = ent_stmt_prepare(&verifying->store->db, sql, &file, err);

    if (rc == 0)
        rc = ent_stmt_prepare(&verifying->fresh->db, sql, &twin, err);
    while (rc == 0 && equal) {
        int left = ent_stmt_step(&file, err);
        int right = left < 0 ? left : ent_stmt_step(&twin, err);

        if (right < 0)
            rc = right;
        else if (left == 0 && right == 0)
            break;
        else
            equal = left == right && columns_equal(&file, &twin);
    }
    if (rc == 0 && !equal)
        say(verifying, ENT_N_("table %s is not what the log says"), what);
    ent_stmt_fini(&file);
    ent_stmt_fini(&twin);
    return rc;
}

/* A dot named before it came may be remembered although it came since, when it
 * was none: that depends on the order of arrival and says nothing. */
#define UNSEEN                                                                 \
    "SELECT * FROM unseen u WHERE NOT EXISTS("                                 \
    "SELECT 1 FROM origin JOIN log ON log.n = (origin.o << 40 | u.seq)"        \
    " WHERE origin.space = u.space AND origin.id = u.origin"                   \
    " AND substr(log.hash, 1, 8) = u.hash AND log.verdict = 0)"                \
    " ORDER BY space, kind, id, field, origin, seq, hash, ordinal"

static int check_side_tables(struct verifying *verifying, struct ent_err *err)
{
    int rc = check_equal(verifying,
                         "SELECT * FROM cell"
                         " ORDER BY space, kind, id, field, n, ordinal",
                         "cell", err);

    return rc < 0 ? rc : check_equal(verifying, UNSEEN, "unseen", err);
}

static int check_digest(struct verifying *verifying,
                        const struct space_sum *space, struct ent_err *err)
{
    struct ent_store *store = verifying->store;
    struct ent_sum adjust;
    struct ent_sum sum;
    char hex[2 * ENT_ID_BYTES + 1];
    int rc = ent_space_adjust(store, space->space, &adjust, err);

    if (rc == 0)
        rc = ent_logs_sum(store, space->space, &sum, err);
    if (rc < 0)
        return rc;
    ent_sum_add(&sum, &adjust);
    ent_hex_put(hex, space->id.b, ENT_ID_BYTES);
    if (sum.low != space->sum.low || sum.high != space->sum.high)
        say(verifying,
            ENT_N_("the records of space %.8s do not add up to its digest; "
                   "run: entente rebuild"),
            hex);
    return 0;
}

static int check_state(struct verifying *verifying, struct ent_err *err)
{
    const struct ent_kinds *kinds = verifying->store->kinds;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < kinds->count; i++)
        rc = check_table(verifying, &kinds->kinds[i], err);
    if (rc == 0)
        rc = check_cells(verifying, err);
    if (rc == 0 && verifying->deep)
        rc = check_side_tables(verifying, err);
    for (size_t i = 0; rc == 0 && i < verifying->space_count; i++)
        rc = check_digest(verifying, &verifying->spaces[i], err);
    return rc;
}

/* ------------------------------------------------------------------ verify */

static int check_all(struct verifying *verifying, struct ent_err *err)
{
    struct ent_err said = {0};
    int rc = check_file(verifying, err);

    if (rc == 0)
        rc = fresh_new(verifying, err);
    if (rc == 0)
        rc = take_failure(verifying, copy_frame(verifying, &said), &said, err);
    for (size_t i = 0; rc == 0 && i < verifying->space_count; i++)
        rc = take_failure(
            verifying,
            check_roster(verifying, verifying->spaces[i].space, &said), &said,
            err);
    if (rc == 0)
        rc = take_failure(verifying, check_logs(verifying, &said), &said, err);
    if (rc == 0)
        rc = take_failure(verifying, check_state(verifying, &said), &said, err);
    return rc;
}

int ent_store_verify(struct ent_store *store, bool deep, ent_verify_fn *found,
                     void *ctx, struct ent_err *err)
{
    struct verifying verifying = {
        .store = store, .deep = deep, .found = found, .ctx = ctx};
    int rc;

    /* One reading transaction: what other processes write meanwhile must not
     * look like damage. */
    rc = ent_db_exec(&store->db, "BEGIN", err);
    if (rc < 0)
        return rc;
    ent_store_forget(store);
    rc = ent_store_refresh(store, err);
    if (rc == 0)
        rc = check_all(&verifying, err);
    sqlite3_exec(store->db.raw, "COMMIT", NULL, NULL, NULL);
    ent_store_close(verifying.fresh);
    free(verifying.spaces);
    ent_arena_fini(&verifying.arena);
    ent_seal_fini(&verifying.seal);
    return rc < 0 ? rc : verifying.count;
}
