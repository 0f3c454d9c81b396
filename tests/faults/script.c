/* script.c - see script.h. */
#include "script.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/erase.h"
#include "store/replica.h"

#define START_MS INT64_C(1750000000000)
#define KIND 900
enum { CODE = 1, TITLE, TAGS, PEOPLE, NOTE };
#define RUN_BYTES 20000 /* of a run: several to a batch */
#define BULK 30

#define FIELD(number_, name_, type_, rule_, loud_)                             \
    {                                                                          \
        .number = (number_), .name = (name_), .type = (type_),                 \
        .rule = (rule_), .loud = (loud_), .label = {                           \
            (name_),                                                           \
            (name_)                                                            \
        }                                                                      \
    }

static struct ent_field fields[] = {
    FIELD(CODE, "code", ENT_TYPE_CODE, ENT_RULE_REGISTER, ENT_LOUD_QUIET),
    FIELD(TITLE, "title", ENT_TYPE_TEXT, ENT_RULE_REGISTER, ENT_LOUD_ASK),
    FIELD(TAGS, "tags", ENT_TYPE_TEXT, ENT_RULE_SET, ENT_LOUD_QUIET),
    FIELD(PEOPLE, "people", ENT_TYPE_TEXT, ENT_RULE_REGISTER, ENT_LOUD_ASK),
    FIELD(NOTE, "note", ENT_TYPE_TEXT, ENT_RULE_REGISTER, ENT_LOUD_QUIET),
};

static struct ent_kind kinds[] = {
    {.number = KIND,
     .name = "plan",
     .table = "plans",
     .title = "title",
     .label = {"plan", "plan"},
     .fields = fields,
     .field_count = ENT_ARRAY_LEN(fields)},
};

const struct ent_kinds script_kinds = {.kinds = kinds,
                                       .count = ENT_ARRAY_LEN(kinds)};

const char *const script_names[SCRIPT_STEPS] = {
    "set",    "tag",  "life",   "bulk",    "abort",      "resolve", "take",
    "serve",  "said", "invite", "admit",   "space",      "erase",   "scrub",
    "search", "read", "verify", "rebuild", "checkpoint", "close",
};

void (*script_repeat)(const struct script *script);

void script_die(const struct script *script, const char *fmt, ...)
{
    va_list args;

    fflush(stdout);
    fprintf(stderr, "not ok - ");
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    if (script_repeat != NULL)
        script_repeat(script);
    script_remove(script->dir);
    exit(1);
}

static void must(struct script *script, int rc, const struct ent_err *err,
                 const char *what)
{
    if (rc < 0)
        script_die(script, "%s: %d %s", what, rc, err->text);
}

/* ------------------------------------------------------------------ folders */

void script_remove(const char *dir)
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char path[2 * SCRIPT_PATH_BYTES + 256];
        struct stat st;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
            script_remove(path);
        else
            unlink(path);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(dir);
}

/* -------------------------------------------------------------------- begin */

static struct ent_store *make_peer(struct script *script)
{
    struct ent_store_options options = {.kinds = &script_kinds,
                                        .rand = &script->peer_rand,
                                        .now_ms = START_MS,
                                        .fragile = true};
    char home[SCRIPT_PATH_BYTES];
    struct ent_store *peer = NULL;
    struct ent_err err;

    snprintf(home, sizeof(home), "%s/peer", script->dir);
    must(script, ent_store_create(home, "Other", "RWA", &options, &err), &err,
         "the other one");
    must(script, ent_store_open(home, &options, &peer, &err), &err,
         "the other one");
    return peer;
}

void script_begin(struct script *script, uint64_t seed)
{
    const char *tmp = getenv("TMPDIR");
    struct ent_err err;

    memset(script, 0, sizeof(*script));
    script->seed = seed;
    script->now_ms = START_MS;
    ent_rand_init_u64(&script->rand, seed * 4);
    ent_rand_init_u64(&script->store_rand, seed * 4 + 1);
    ent_rand_init_u64(&script->peer_rand, seed * 4 + 2);
    must(script, ent_secure_init(&err), &err, "random bytes");
    if (access("/dev/shm", W_OK) == 0)
        tmp = "/dev/shm";
    snprintf(script->dir, sizeof(script->dir), "%s/entente-faults-XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(script->dir) == NULL)
        script_die(script, "cannot make %s", script->dir);
    snprintf(script->home, sizeof(script->home), "%s/home", script->dir);
    script->peer = make_peer(script);
}

void script_end(struct script *script)
{
    ent_store_close(script->store);
    ent_store_close(script->peer);
    ent_arena_fini(&script->arena);
    script_remove(script->dir);
}

struct ent_store_options script_options(struct script *script)
{
    return (struct ent_store_options){.kinds = &script_kinds,
                                      .rand = &script->store_rand,
                                      .now_ms = script->now_ms};
}

void script_create(struct script *script)
{
    struct ent_store_options options = script_options(script);
    struct ent_err err;

    must(script, ent_store_create(script->home, "Tried", "BDI", &options, &err),
         &err, "create");
}

/* The other one learns of the space without a link. */
static void copy_roster(struct script *script)
{
    struct ent_arena arena = {0};
    struct ent_hash *hashes = NULL;
    struct ent_taken taken;
    struct ent_err err;
    size_t count;

    must(script,
         ent_roster_hashes(script->store, script->space, &hashes, &count, &err),
         &err, "roster");
    for (size_t i = 0; i < count; i++) {
        struct ent_roster_bytes entry;

        must(script,
             ent_roster_read(script->store, script->space, &hashes[i], &arena,
                             &entry, &err),
             &err, "roster");
        must(script,
             ent_roster_take(script->peer, script->peer_space, &entry, 1, 0,
                             &taken, &err),
             &err, "roster");
        if (taken.refused > 0)
            script_die(script, "a roster entry was refused: %s", taken.why);
    }
    ent_arena_fini(&arena);
    free(hashes);
}

void script_found(struct script *script)
{
    static const struct ent_hash8 no_invite;
    struct ent_invite invite = {.handle = "guest"};
    struct ent_space info;
    struct ent_err err;

    must(script,
         ent_space_create(script->store, "main", "Space", "Espace",
                          script->now_ms, &script->space, &err),
         &err, "space");
    must(script, ent_space_read(script->store, script->space, &info, &err),
         &err, "space");
    must(script,
         ent_member_admit(script->store, script->space,
                          &ent_store_keys(script->peer)->public,
                          ENT_ROLE_EDITOR, "Other", &no_invite, script->now_ms,
                          &err),
         &err, "admit");
    invite.space = info.id;
    invite.chair = ent_store_keys(script->store)->public;
    must(script,
         ent_space_expect(script->peer, &invite, &script->peer_space, &err),
         &err, "expect");
    copy_roster(script);
}

/* ----------------------------------------------------------------- planning */

static uint64_t below(struct script *script, uint64_t bound)
{
    return ent_rand_below(&script->rand, bound);
}

enum script_step script_choose(struct script *script)
{
    static const unsigned weights[SCRIPT_STEPS] = {
        [SCRIPT_SET] = 22,       [SCRIPT_TAG] = 12,   [SCRIPT_LIFE] = 8,
        [SCRIPT_BULK] = 4,       [SCRIPT_ABORT] = 2,  [SCRIPT_RESOLVE] = 6,
        [SCRIPT_TAKE] = 12,      [SCRIPT_SERVE] = 10, [SCRIPT_SAID] = 4,
        [SCRIPT_INVITE] = 1,     [SCRIPT_ADMIT] = 1,  [SCRIPT_SPACE] = 1,
        [SCRIPT_ERASE] = 2,      [SCRIPT_SCRUB] = 2,  [SCRIPT_SEARCH] = 5,
        [SCRIPT_READ] = 1,       [SCRIPT_VERIFY] = 0, [SCRIPT_REBUILD] = 1,
        [SCRIPT_CHECKPOINT] = 7, [SCRIPT_CLOSE] = 3,
    };
    uint64_t draw;
    unsigned all = 0;
    int step = 0;

    for (int i = 0; i < SCRIPT_STEPS; i++)
        all += weights[i];
    draw = below(script, all);
    while (draw >= weights[step])
        draw -= weights[step++];
    return (enum script_step)step;
}

static struct ent_id record_id(int record)
{
    struct ent_id id = {{0x01, 0x97, 0, 0, 0, 0, 0x70, 0, 0x80}};

    id.b[12] = (uint8_t)(record >> 24);
    id.b[13] = (uint8_t)(record >> 16);
    id.b[14] = (uint8_t)(record >> 8);
    id.b[15] = (uint8_t)record;
    return id;
}

static int put_one(struct ent_writer *writer, int record,
                   enum ent_edit_life life, uint32_t code, uint32_t field,
                   const char *text, struct ent_err *err)
{
    const struct ent_edit_op op = {.code = code,
                                   .field = field,
                                   .value =
                                       ent_value_text(ent_slice_str(text))};
    const struct ent_edit edit = {.kind = KIND,
                                  .id = record_id(record),
                                  .life = life,
                                  .ops = &op,
                                  .op_count = field == ENT_FIELD_LIFE ? 0 : 1};
    enum ent_written written;

    return ent_writer_put(writer, &edit, true, &written, err);
}

/* The other one writes something of its own, often to the same fields. */
static void peer_writes(struct script *script)
{
    static const uint32_t may[] = {TITLE, PEOPLE, NOTE};
    uint64_t count = 1 + below(script, 6);
    struct ent_writer *writer;
    struct ent_err err;

    for (uint64_t i = 0; i < count; i++) {
        int record = (int)below(script, SCRIPT_RECORDS);
        uint32_t field = may[below(script, ENT_ARRAY_LEN(may))];
        uint64_t what = below(script, 8);
        char text[64];

        snprintf(text, sizeof(text), "o%lld", (long long)++script->number);
        must(script,
             ent_writer_open(script->peer, script->peer_space, script->now_ms,
                             &writer, &err),
             &err, "other");
        must(script,
             put_one(writer, record,
                     what == 0 ? ENT_EDIT_DELETE : ENT_EDIT_TOUCH,
                     what == 1 ? ENT_OP_ADD : ENT_OP_WRITE,
                     what == 0   ? ENT_FIELD_LIFE
                     : what == 1 ? TAGS
                                 : field,
                     text, &err),
             &err, "other");
        must(script, ent_writer_commit(writer, &err), &err, "other");
    }
}

/* Read out of `from` what `to` does not have, as a peer would be asked. */
static int read_runs(struct script *script, struct ent_store *from,
                     int64_t from_space, struct ent_store *to, int64_t to_space,
                     struct ent_err *err)
{
    struct ent_head *heads = NULL;
    size_t count = 0;
    int rc = ent_frontier_read(from, from_space, &heads, &count, err);

    script->runs =
        ENT_ARENA_NEW(&script->arena, struct ent_run, 64 * (count + 1));
    if (rc == 0 && script->runs == NULL)
        rc = ent_err_set(err, ENT_ENOMEM, "out of memory");
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_hash8 prev;
        uint64_t next;

        rc = ent_frontier_want(to, to_space, &heads[i], 0, &next, &prev, err);
        while (rc == 0 && next > 0 && next <= heads[i].seq &&
               script->run_count < 64) {
            struct ent_run *run = &script->runs[script->run_count];

            rc = ent_run_read(from, heads[i].o, next, &prev, RUN_BYTES,
                              &script->arena, run, err);
            if (rc == 0 && run->count == 0)
                rc = ent_err_set(err, ENT_EFAIL, "the logs do not meet");
            if (rc < 0)
                break;
            next = run->from + run->count;
            prev = run->last;
            script->run_count++;
        }
    }
    free(heads);
    return rc;
}

static void plan_text(struct script *script)
{
    size_t len = 0;

    script->number++;
    if (below(script, 6) == 0)
        len = (size_t)below(script, SCRIPT_TEXT_MAX - 40);
    snprintf(script->text, sizeof(script->text), "t%lld ",
             (long long)script->number);
    len += strlen(script->text);
    for (size_t i = strlen(script->text); i < len; i++)
        script->text[i] =
            "abcdefghijklmnopqrstuvwxyz        "[below(script, 34)];
    script->text[len] = '\0';
}

void script_plan(struct script *script, enum script_step step)
{
    static const uint32_t may[] = {CODE, TITLE, PEOPLE, NOTE};
    struct ent_err err;

    ent_arena_reset(&script->arena);
    script->step = step;
    script->runs = NULL;
    script->run_count = 0;
    script->now_ms += (int64_t)below(script, 700);
    script->record = (int)below(script, SCRIPT_RECORDS);
    script->field = may[below(script, ENT_ARRAY_LEN(may))];
    script->other = below(script, 2) == 0;
    plan_text(script);
    if (script->field == CODE)
        snprintf(script->text, sizeof(script->text), "c-%lld",
                 (long long)script->number);
    ent_rand_bytes(&script->rand, script->key.b, sizeof(script->key.b));
    if (step == SCRIPT_ADMIT) { /* a key that somebody may have */
        struct ent_keys keys;

        ent_keys_from_seed(&keys, script->key.b);
        script->key = keys.public;
    }
    if (step == SCRIPT_TAKE) {
        if (!script->again)
            peer_writes(script);
        must(script,
             read_runs(script, script->peer, script->peer_space, script->store,
                       script->space, &err),
             &err, "reading the other one's runs");
    }
}

/* ------------------------------------------------------------------ running */

static int run_bulk(struct script *script, struct ent_writer *writer,
                    struct ent_err *err)
{
    const struct ent_slice whole = ent_slice_str(script->text);
    int count = script->other ? BULK : BULK / 5;
    int rc = 0;

    for (int i = 0; rc == 0 && i < count; i++) {
        int record = (int)(script->number * 100 + i) + 1000;
        char text[48];
        const struct ent_edit_op ops[] = {
            {.code = ENT_OP_WRITE,
             .field = TITLE,
             .value = ent_value_text(
                 i == 0 ? whole : ent_slice(whole.at, whole.len % 50))},
            {.code = ENT_OP_ADD,
             .field = TAGS,
             .value = ent_value_text(ent_slice_str(text))},
            {.code = ENT_OP_WRITE, .field = NOTE, .value = ent_value_int(i)}};
        const struct ent_edit edit = {.kind = KIND,
                                      .id = record_id(record),
                                      .fresh = i % 2 == 0,
                                      .ops = ops,
                                      .op_count = ENT_ARRAY_LEN(ops)};
        enum ent_written written;

        snprintf(text, sizeof(text), "tag %d", i);
        rc = ent_writer_put(writer, &edit, false, &written, err);
        if (rc == 0 && i % 7 == 3)
            rc = put_one(writer, record - 1, ENT_EDIT_DELETE, ENT_OP_WRITE,
                         ENT_FIELD_LIFE, "", err);
        if (rc == 0 && i % 7 == 5)
            rc = put_one(writer, i % SCRIPT_RECORDS, ENT_EDIT_TOUCH, ENT_OP_ADD,
                         TAGS, text, err);
    }
    return rc;
}

static int run_resolve(struct script *script, struct ent_writer *writer,
                       struct ent_err *err)
{
    struct ent_conflict *list = NULL;
    struct ent_arena arena = {0};
    size_t count = 0;
    int rc = ent_conflict_list(script->store, script->space, &arena, &list,
                               &count, err);

    if (rc == 0 && count > 0) {
        const struct ent_conflict *conflict =
            &list[(size_t)script->number % count];
        const struct ent_edit_op op = {
            .code = ENT_OP_WRITE,
            .field = conflict->field,
            .value = ent_value_text(ent_slice_str(script->text))};
        const struct ent_edit edit = {
            .kind = KIND,
            .id = conflict->ref.id,
            .life = conflict->field != 0 ? ENT_EDIT_TOUCH : ENT_EDIT_UNDELETE,
            .ops = &op,
            .op_count = conflict->field != 0 ? 1 : 0};
        enum ent_written written;

        rc = ent_writer_put(writer, &edit, true, &written, err);
    }
    ent_arena_fini(&arena);
    return rc;
}

static int run_put(struct script *script, struct ent_writer *writer,
                   struct ent_err *err)
{
    if (script->step == SCRIPT_SET)
        return put_one(writer, script->record, ENT_EDIT_TOUCH, ENT_OP_WRITE,
                       script->field, script->text, err);
    if (script->step == SCRIPT_TAG) {
        snprintf(script->text, sizeof(script->text), "tag %d",
                 script->record % 5);
        return put_one(writer, script->record, ENT_EDIT_TOUCH,
                       script->other ? ENT_OP_REMOVE : ENT_OP_ADD, TAGS,
                       script->text, err);
    }
    if (script->step == SCRIPT_LIFE)
        return put_one(writer, script->record,
                       script->other ? ENT_EDIT_DELETE : ENT_EDIT_UNDELETE,
                       ENT_OP_WRITE, ENT_FIELD_LIFE, "", err);
    return script->step == SCRIPT_RESOLVE ? run_resolve(script, writer, err)
                                          : run_bulk(script, writer, err);
}

static int run_writer(struct script *script, struct ent_err *err)
{
    struct ent_writer *writer;
    int rc = ent_writer_open(script->store, script->space, script->now_ms,
                             &writer, err);

    if (rc < 0)
        return rc;
    rc = run_put(script, writer, err);
    if (rc == 0 && script->step != SCRIPT_ABORT)
        return ent_writer_commit(writer, err);
    ent_writer_abort(writer);
    return rc;
}

static int run_take(struct script *script, struct ent_err *err)
{
    struct ent_taken taken;
    int rc = ent_runs_take(script->store, script->space,
                           &ent_store_keys(script->peer)->public, script->runs,
                           script->run_count, script->now_ms, &taken, err);

    if (rc == 0 && taken.refused + taken.waiting + taken.quarantined > 0)
        script_die(script, "a run was refused: %s", taken.why);
    return rc;
}

static int run_invite(struct script *script, struct ent_err *err)
{
    static const char *const endpoints[] = {"tcp://192.0.2.1:4747"};
    struct ent_buf line = {0};
    int rc = ent_invite_create(script->store, script->space, ENT_ROLE_EDITOR,
                               script->now_ms + 1000, endpoints, 1,
                               script->now_ms, &line, err);

    ent_buf_fini(&line);
    return rc;
}

static int run_search(struct script *script, struct ent_err *err)
{
    struct ent_record_ref refs[8];
    size_t count;
    int rc = ent_search_catch_up(script->store, err);

    return rc < 0 ? rc
                  : ent_search(script->store, "tag", refs, ENT_ARRAY_LEN(refs),
                               &count, err);
}

static int run_read(struct script *script, struct ent_err *err)
{
    const struct ent_record_ref ref = {
        .space = script->space, .kind = KIND, .id = record_id(script->record)};
    struct ent_arena arena = {0};
    struct ent_conflict *conflicts;
    struct ent_history *items;
    struct ent_record record;
    struct ent_digest digest;
    size_t count;
    int rc = ent_record_read(script->store, &ref, &record, err);

    if (rc == 0) {
        ent_record_fini(&record);
        rc = ent_record_history(script->store, &ref, &arena, &items, &count,
                                err);
    } else if (rc == ENT_ENOTFOUND) {
        rc = 0;
    }
    if (rc == 0)
        rc = ent_conflict_list(script->store, script->space, &arena, &conflicts,
                               &count, err);
    if (rc == 0)
        rc = ent_digest_read(script->store, script->space, &digest, err);
    ent_arena_fini(&arena);
    return rc;
}

static void count_finding(void *ctx, const char *text)
{
    (void)text;
    ++*(int *)ctx;
}

static int run_verify(struct script *script, struct ent_err *err)
{
    int found = 0;
    int rc = ent_store_verify(script->store, script->other, count_finding,
                              &found, err);

    return rc > 0 ? ent_err_set(err, ENT_ESTORE, "%d findings", rc) : rc;
}

static int run_close(struct script *script, struct ent_err *err)
{
    struct ent_store_options options = script_options(script);
    struct ent_store *store = NULL;
    int rc;

    ent_store_close(script->store);
    script->store = NULL;
    rc = ent_store_open(script->home, &options, &store, err);
    if (rc == 0)
        script->store = store;
    return rc;
}

/* Of the records that are made in bulk nothing else writes to a few. */
static int run_erase(struct script *script, struct ent_err *err)
{
    const struct ent_record_ref ref = {
        .space = script->space,
        .kind = KIND,
        .id = record_id((int)(script->bulk * 100 + script->erased) + 1000)};

    return ent_record_erase(script->store, &ref, script->now_ms, err);
}

int script_run(struct script *script, struct ent_err *err)
{
    static const struct ent_hash8 no_invite;
    char name[32];
    int64_t space;
    int rc;

    *err = (struct ent_err){0};
    switch (script->step) {
    case SCRIPT_SET:
    case SCRIPT_TAG:
    case SCRIPT_LIFE:
    case SCRIPT_BULK:
    case SCRIPT_ABORT:
    case SCRIPT_RESOLVE:
        return run_writer(script, err);
    case SCRIPT_TAKE:
        return run_take(script, err);
    case SCRIPT_SERVE:
        ent_arena_reset(&script->arena);
        script->run_count = 0;
        return read_runs(script, script->store, script->space, script->peer,
                         script->peer_space, err);
    case SCRIPT_SAID:
        return ent_said_update(script->store, script->space, script->now_ms,
                               err);
    case SCRIPT_INVITE:
        return run_invite(script, err);
    case SCRIPT_ADMIT:
        snprintf(name, sizeof(name), "Org %lld", (long long)script->number);
        return ent_member_admit(script->store, script->space, &script->key,
                                ENT_ROLE_READER, name, &no_invite,
                                script->now_ms, err);
    case SCRIPT_SPACE:
        snprintf(name, sizeof(name), "s%lld", (long long)script->number);
        return ent_space_create(script->store, name, "Title", "Titre",
                                script->now_ms, &space, err);
    case SCRIPT_ERASE:
        return run_erase(script, err);
    case SCRIPT_SCRUB:
        rc = ent_store_scrub(script->store, err);
        return rc < 0 ? rc : 0;
    case SCRIPT_SEARCH:
        return run_search(script, err);
    case SCRIPT_READ:
        return run_read(script, err);
    case SCRIPT_VERIFY:
        return run_verify(script, err);
    case SCRIPT_REBUILD:
        return ent_store_rebuild(script->store, err);
    case SCRIPT_CHECKPOINT:
        return ent_store_checkpoint(script->store, err);
    case SCRIPT_CLOSE:
        return run_close(script, err);
    case SCRIPT_STEPS:
        break;
    }
    return 0;
}

void script_settle(struct script *script)
{
    const struct ent_key *author;
    struct ent_taken taken;
    struct ent_err err;

    if (script->step == SCRIPT_BULK) {
        script->bulk = script->number;
        script->erased = 0;
    }
    if (script->step == SCRIPT_ERASE)
        script->erased++;
    if (script->step == SCRIPT_ADMIT || script->step == SCRIPT_ERASE)
        copy_roster(script);
    if (script->step != SCRIPT_SERVE)
        return;
    author = &ent_store_keys(script->store)->public;
    must(script,
         ent_runs_take(script->peer, script->peer_space, author, script->runs,
                       script->run_count, script->now_ms, &taken, &err),
         &err, "the other one takes");
    if (taken.refused + taken.waiting + taken.quarantined > 0 || taken.fork)
        script_die(script, "the other one refused a run: %s%s", taken.why,
                   taken.fork ? " (a fork)" : "");
    for (size_t i = 0; i < script->run_count; i++) {
        const struct ent_run *run = &script->runs[i];

        if (ent_key_equal(&run->author, author) && run->count > 0) {
            script->shown_origin = run->origin;
            script->shown_seq = run->from + run->count - 1;
        }
    }
}

/* ------------------------------------------------------------------ looking */

static uint64_t mix(uint64_t sum, const void *at, size_t len)
{
    const uint8_t *byte = at;
    uint64_t word;

    for (; len >= sizeof(word); len -= sizeof(word), byte += sizeof(word)) {
        memcpy(&word, byte, sizeof(word));
        sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 29;
    }
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ byte[i]) * 0x100000001b3u;
    return sum;
}

static uint64_t mix_row(uint64_t sum, sqlite3_stmt *stmt)
{
    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
        int type = sqlite3_column_type(stmt, i);

        sum = mix(sum, &type, sizeof(type));
        if (type == SQLITE_INTEGER) {
            sqlite3_int64 number = sqlite3_column_int64(stmt, i);

            sum = mix(sum, &number, sizeof(number));
        } else if (type != SQLITE_NULL) {
            sum = mix(sum, sqlite3_column_blob(stmt, i),
                      (size_t)sqlite3_column_bytes(stmt, i));
        }
    }
    return sum;
}

static bool picture_table(sqlite3 *db, const char *table, uint64_t *sum)
{
    sqlite3_stmt *stmt = NULL;
    char sql[256];
    int rc;

    snprintf(sql, sizeof(sql), "SELECT * FROM \"%s\"%s", table,
             strcmp(table, "local_node") != 0
                 ? ""
                 : " WHERE key NOT IN ('origin', 'machine', 'inode', 'fresh',"
                   " 'fresh_at', 'key', 'unmet')");
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        return false;
    *sum = mix(*sum, table, strlen(table));
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        *sum = mix_row(*sum, stmt);
    sqlite3_finalize(stmt);
    return rc == SQLITE_DONE;
}

struct script_picture script_picture(void *raw)
{
    static const uint64_t begin = 0xcbf29ce484222325u;
    struct script_picture picture = {.firm = begin};
    uint64_t words = begin;
    sqlite3 *db = raw;
    sqlite3_stmt *stmt = NULL;
    bool good = sqlite3_prepare_v2(db,
                                   "SELECT name FROM sqlite_schema "
                                   "WHERE type = 'table' AND "
                                   "sql NOT LIKE 'CREATE VIRTUAL%' "
                                   "ORDER BY name",
                                   -1, &stmt, NULL) == SQLITE_OK;

    while (good && sqlite3_step(stmt) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        bool word = strncmp(name, "search", 6) == 0 ||
                    strcmp(name, "sqlite_sequence") == 0;

        good = picture_table(db, name, word ? &words : &picture.firm);
    }
    good = sqlite3_finalize(stmt) == SQLITE_OK && good;
    if (!good)
        return (struct script_picture){0};
    picture.all = mix(picture.firm, &words, sizeof(words));
    return picture;
}

struct script_picture script_picture_of(struct ent_store *store)
{
    return script_picture(store->db.raw);
}

static void say_finding(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "# %s\n", text);
}

void script_verify(struct script *script, struct ent_store *store, bool deep)
{
    struct ent_err err = {0};
    int found = ent_store_verify(store, deep, say_finding, NULL, &err);

    if (found != 0)
        script_die(script, "verify: %d %s", found, err.text);
}
