/* prop_merge.c - replicas that get one history in different orders are equal
 * (rule M1), and are what the naive model says.
 * A case is a random history (history.h) in a space of its own. Ten stores get
 * it: each log in order, logs among each other in any order, cut into runs
 * anywhere, some twice, some before the roster that lets them in.
 *
 *   prop_merge [--seed N | --seeds A..B | --cases N]
 *
 * A seed replays its case, in empty stores; a case that fails only behind
 * others is replayed from the last multiple of CASES_PER_HOME on. A full run
 * must meet every class of event listed in `classes`. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "history.h"
#include "store/records.h"
#include "store/runs.h"
#include "store/spaces.h"

#define STORES 10
#define CASES 20000
#define CASES_PER_HOME 50 /* then fresh stores, so that they stay small */
#define NOW_MS INT64_C(1700000500000)
#define PATH_BYTES 256

/* ---------------------------------------------------------------- classes */

enum class {
    TWO_VALUES,
    THREE_VALUES,
    EQUAL_VALUES,
    DEAD_AGAINST_LIVE,
    DEAD,
    BACK_TO_LIFE,
    REMOVED_AND_ADDED,
    UNKNOWN_KIND,
    UNKNOWN_FIELD,
    CODES_MIXED,
    MISTYPED,
    ODD_REF,
    STUB,
    SEEN_BEFORE_IT_CAME,
    QUARANTINED,
    FOREIGN,
    INHERITED,
    REFUSED,
    WAITING,
    CAME_BEFORE_ROSTER,
    ROSTER_FORKED,
    JUDGED_ANEW,
    CAME_TWICE,
    ERASED_BY_ROSTER,
    ERASED_BY_OWNER,
    REBUILT,
    VERIFIED,
    CLASSES
};

static const char *const classes[CLASSES] = {
    [TWO_VALUES] = "fields with two values",
    [THREE_VALUES] = "fields with three or more",
    [EQUAL_VALUES] = "fields with equal values of two writes",
    [DEAD_AGAINST_LIVE] = "deletions against edits",
    [DEAD] = "records deleted",
    [BACK_TO_LIFE] = "deletions replaced",
    [REMOVED_AND_ADDED] = "sets with elements removed and standing",
    [UNKNOWN_KIND] = "records of an unknown kind",
    [UNKNOWN_FIELD] = "writes to an unknown field",
    [CODES_MIXED] = "fields written as register and as set",
    [MISTYPED] = "histories with values of another type",
    [ODD_REF] = "histories naming writes nobody made",
    [STUB] = "entries delivered without their values",
    [SEEN_BEFORE_IT_CAME] = "writes named before they came",
    [QUARANTINED] = "entries quarantined",
    [FOREIGN] = "changes to what is another's",
    [INHERITED] = "records of a replaced key changed with the new one",
    [REFUSED] = "entries refused",
    [WAITING] = "entries that wait for ever",
    [CAME_BEFORE_ROSTER] = "runs that came before their roster",
    [ROSTER_FORKED] = "rosters forked",
    [JUDGED_ANEW] = "entries judged anew when a roster came",
    [CAME_TWICE] = "entries that came twice",
    [ERASED_BY_ROSTER] = "changes of records that the roster erased",
    [ERASED_BY_OWNER] = "records erased by their owner",
    [REBUILT] = "replicas rebuilt",
    [VERIFIED] = "replicas verified",
};

static uint64_t hits[CLASSES];

/* --------------------------------------------------------------- the stores */

struct replica {
    char home[PATH_BYTES];
    struct ent_rand rand;
    struct ent_store *store;
    int64_t space;                    /* of the case */
    size_t have[HISTORY_AUTHORS_MAX]; /* entries delivered, per log */
    bool held[HISTORY_ENTRIES_MAX];
    bool stub[HISTORY_ENTRIES_MAX]; /* delivered without values */
    size_t roster_have;
};

static char top[PATH_BYTES];
static struct replica replicas[STORES];

static struct ent_store_options options_of(struct replica *replica)
{
    return (struct ent_store_options){.kinds = &history_kinds,
                                      .rand = &replica->rand,
                                      .now_ms = NOW_MS,
                                      .fragile = true};
}

static void die(const char *what, const struct ent_err *err)
{
    fprintf(stderr, "prop_merge: %s: %s\n", what, err->text);
    exit(1);
}

static void open_stores(void)
{
    static unsigned round;
    struct ent_err err = {0};

    round++;
    for (size_t i = 0; i < STORES; i++) {
        struct replica *replica = &replicas[i];
        struct ent_store_options options = options_of(replica);

        ent_rand_init_u64(&replica->rand, round * 100 + i);
        snprintf(replica->home, sizeof(replica->home), "%.200s/%u-%zu", top,
                 round, i);
        if (ent_store_create(replica->home, "Test", "", &options, &err) < 0 ||
            ent_store_open(replica->home, &options, &replica->store, &err) < 0)
            die(replica->home, &err);
    }
}

static void remove_home(const char *home)
{
    static const char *const names[] = {"replica.db",     "replica.db-wal",
                                        "replica.db-shm", "key",
                                        "high-water",     "config"};
    char path[PATH_BYTES + 32];

    for (size_t i = 0; i < ENT_ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%.250s/%.30s", home, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(home);
}

static void print_finding(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "verify: %s\n", text);
}

/* Every row of a replica that got this many histories follows from its log. */
static bool verify_one(uint64_t seed)
{
    const struct replica *replica = &replicas[seed % STORES];
    struct ent_err err = {0};
    int rc = ent_store_verify(replica->store, true, print_finding, NULL, &err);

    hits[VERIFIED]++;
    if (rc != 0)
        fprintf(stderr,
                "seed %" PRIu64 " failed: nothing is found at fault (%s)\n",
                seed, err.text);
    return rc == 0;
}

static void close_stores(void)
{
    for (size_t i = 0; i < STORES; i++) {
        ent_store_close(replicas[i].store);
        replicas[i].store = NULL;
        remove_home(replicas[i].home);
    }
}

/* ------------------------------------------------------------------ a case */

struct test {
    uint64_t seed;
    struct history history;
    struct ent_rand rand; /* of the delivery */
    struct model model;
    struct ent_arena arena; /* of one judgement or check */
    const char *failed;
    char detail[ENT_ERR_TEXT_MAX + 64];
};

static void fail(struct test *t, const struct replica *replica,
                 const char *what, const char *detail)
{
    if (t->failed != NULL)
        return;
    t->failed = what;
    snprintf(t->detail, sizeof(t->detail), "store %td: %s", replica - replicas,
             detail);
}

static bool check_rc(struct test *t, const struct replica *replica, int rc,
                     const char *what, const struct ent_err *err)
{
    if (rc < 0)
        fail(t, replica, what, err->text);
    return rc >= 0;
}

/* --------------------------------------------------------------- signatures */

/* Half the time would go into checking the same signatures in ten stores. The
 * linker puts this in the place of the real check (--wrap): what held once in a
 * case, byte for byte, holds again. */
struct vouched {
    struct ent_key key;
    struct ent_slice message;
    struct ent_sig sig;
};

static struct vouched vouched[HISTORY_ENTRIES_MAX + HISTORY_ROSTER_MAX];
static size_t vouched_count;
static struct ent_arena vouched_arena;

bool __real_ent_sig_verify(const struct ent_key *key, struct ent_slice message,
                           const struct ent_sig *sig);
bool __wrap_ent_sig_verify(const struct ent_key *key, struct ent_slice message,
                           const struct ent_sig *sig);

bool __wrap_ent_sig_verify(const struct ent_key *key, struct ent_slice message,
                           const struct ent_sig *sig)
{
    for (size_t i = 0; i < vouched_count; i++)
        if (memcmp(sig, &vouched[i].sig, sizeof(*sig)) == 0 &&
            ent_key_equal(key, &vouched[i].key) &&
            ent_slice_equal(message, vouched[i].message))
            return true;
    if (!__real_ent_sig_verify(key, message, sig))
        return false;
    if (vouched_count < ENT_ARRAY_LEN(vouched))
        vouched[vouched_count++] = (struct vouched){
            *key, ent_arena_copy(&vouched_arena, message), *sig};
    return true;
}

static void forget_signatures(void)
{
    vouched_count = 0;
    ent_arena_reset(&vouched_arena);
}

/* --------------------------------------------------------------- delivering */

/* How many of each log's entries come in under the roster entries that a
 * replica holds: up to the first that waits or is refused. */
static void limits_of(struct test *t, const struct replica *replica,
                      const struct ent_roster_entry *roster,
                      enum model_verdict *verdicts, size_t *limits)
{
    struct history *h = &t->history;
    struct model_entry judged[HISTORY_ENTRIES_MAX];

    memcpy(judged, h->judged, sizeof(judged));
    model_judge(judged, h->count, roster, replica->roster_have);
    for (size_t a = 0; a < h->author_count; a++) {
        const struct history_author *author = &h->authors[a];

        limits[a] = 0;
        while (limits[a] < author->log_count &&
               judged[author->log[limits[a]]].verdict <= MODEL_QUARANTINED)
            limits[a]++;
    }
    for (size_t i = 0; i < h->count; i++)
        verdicts[i] = judged[i].verdict;
}

static void take_roster(struct test *t, struct replica *replica,
                        const struct ent_roster_bytes *bytes, size_t count)
{
    struct ent_taken taken;
    struct ent_err err = {0};
    int rc = ent_roster_take(replica->store, replica->space, bytes, count, 0,
                             &taken, &err);

    if (check_rc(t, replica, rc, "a roster is taken", &err) &&
        taken.refused > 0)
        fail(t, replica, "no roster entry is refused", taken.why);
    replica->roster_have += count;
}

/* Writes of this entry that an entry held already names. */
static void count_seen_before(struct test *t, const struct replica *replica,
                              size_t at)
{
    const struct history *h = &t->history;
    struct ent_hash8 hash = ent_hash_head(&h->judged[at].hash);

    if (h->judged[at].verdict != MODEL_ACCEPTED)
        return;
    for (size_t i = 0; i < h->count; i++) {
        const struct ent_entry *entry = &h->entries[i].entry;

        if (!replica->held[i] || h->judged[i].verdict != MODEL_ACCEPTED)
            continue;
        for (size_t r = 0; r < entry->ref_count; r++)
            hits[SEEN_BEFORE_IT_CAME] +=
                ent_hash8_equal(&entry->refs[r].hash, &hash);
    }
}

/* The entries `from` to `to` - 1 of one author's log as a run; they count as
 * delivered when they come in. */
static struct ent_run make_run(struct test *t, struct replica *replica,
                               size_t a, size_t from, size_t to,
                               struct ent_slice *packed, bool comes_in)
{
    struct history *h = &t->history;
    const struct history_author *author = &h->authors[a];
    struct ent_run run = {.author = author->keys->public,
                          .origin = author->origin,
                          .from = from + 1,
                          .entries = packed,
                          .count = to - from};

    if (from > 0)
        run.prev = ent_hash_head(&h->judged[author->log[from - 1]].hash);
    run.sig = *history_sign(h, author->log[to - 1]);
    for (size_t i = from; i < to; i++) {
        size_t at = author->log[i];
        const struct history_entry *entry = &h->entries[at];
        bool stub = entry->stub.len > 0 && history_chance(&t->rand, 50);

        packed[i - from] = stub ? entry->stub : entry->packed;
        hits[CAME_TWICE] += replica->held[at];
        if (!comes_in || replica->held[at])
            continue;
        count_seen_before(t, replica, at);
        replica->held[at] = true;
        replica->stub[at] = stub;
        hits[STUB] += stub;
    }
    return run;
}

static void take_runs(struct test *t, struct replica *replica,
                      const struct ent_run *runs, size_t count,
                      struct ent_taken *taken)
{
    struct ent_err err = {0};
    int64_t sent = 0;
    int rc = ent_runs_take(replica->store, replica->space, NULL, runs, count,
                           NOW_MS, taken, &err);

    if (!check_rc(t, replica, rc, "runs are taken", &err))
        return;
    for (size_t i = 0; i < count; i++)
        sent += (int64_t)runs[i].count;
    if (taken->received != sent ||
        taken->received != taken->applied + taken->duplicate +
                               taken->quarantined + taken->refused +
                               taken->waiting)
        fail(t, replica, "received = applied + duplicate + ...", taken->why);
    if (taken->fork)
        fail(t, replica, "no log is taken for a forked one", taken->why);
}

#define BATCH_RUNS 5

/* One batch: the next run of one log or of several, cut anywhere, sometimes
 * beginning before what is held. False when everything up to the limits was
 * delivered. */
static bool deliver_batch(struct test *t, struct replica *replica,
                          const size_t *limits)
{
    struct ent_slice packed[BATCH_RUNS][HISTORY_ENTRIES_MAX];
    struct ent_run runs[BATCH_RUNS];
    struct ent_taken taken;
    size_t want = 1 + history_below(&t->rand, BATCH_RUNS);
    size_t expected = 0;
    size_t count = 0;

    for (; count < want; count++) {
        size_t open[HISTORY_AUTHORS_MAX];
        size_t open_count = 0;
        size_t a, from, to;

        for (a = 0; a < t->history.author_count; a++)
            if (replica->have[a] < limits[a])
                open[open_count++] = a;
        if (open_count == 0)
            break;
        a = open[history_below(&t->rand, open_count)];
        from = replica->have[a];
        to = from + 1 + history_below(&t->rand, limits[a] - from);
        expected += to - from;
        replica->have[a] = to;
        if (from > 0 && history_chance(&t->rand, 15))
            from = history_below(&t->rand, from);
        runs[count] = make_run(t, replica, a, from, to, packed[count], true);
    }
    if (count == 0)
        return false;
    take_runs(t, replica, runs, count, &taken);
    if (t->failed == NULL &&
        taken.applied + taken.quarantined != (int64_t)expected)
        fail(t, replica, "a run that may come in comes in", taken.why);
    return t->failed == NULL;
}

/* A run that goes beyond its limit: nothing of it that was not held comes in,
 * and nothing else is disturbed. */
static void deliver_beyond(struct test *t, struct replica *replica,
                           const size_t *limits)
{
    for (size_t a = 0; a < t->history.author_count; a++) {
        struct ent_slice packed[HISTORY_ENTRIES_MAX];
        const struct history_author *author = &t->history.authors[a];
        struct ent_taken taken;
        struct ent_run run;
        size_t from = replica->have[a];

        if (from < limits[a] || author->log_count <= limits[a] ||
            t->failed != NULL)
            continue;
        run = make_run(t, replica, a, from, author->log_count, packed, false);
        take_runs(t, replica, &run, 1, &taken);
        hits[CAME_BEFORE_ROSTER]++;
        if (t->failed == NULL && (taken.applied > 0 || taken.quarantined > 0))
            fail(t, replica, "what must wait or be refused comes in", "");
    }
}

/* Everything again, each log whole: nothing changes. */
static void deliver_again(struct test *t, struct replica *replica)
{
    struct ent_slice packed[HISTORY_AUTHORS_MAX][HISTORY_ENTRIES_MAX];
    struct ent_run runs[HISTORY_AUTHORS_MAX];
    struct ent_taken taken;
    size_t count = 0;

    for (size_t a = 0; a < t->history.author_count; a++)
        if (replica->have[a] > 0) {
            runs[count] =
                make_run(t, replica, a, 0, replica->have[a], packed[a], true);
            count++;
        }
    if (count == 0)
        return;
    take_runs(t, replica, runs, count, &taken);
    if (t->failed == NULL && taken.duplicate != taken.received)
        fail(t, replica, "what is held is a duplicate", taken.why);
}

static void swap_entries(struct ent_roster_entry *roster,
                         struct ent_roster_bytes *bytes, size_t i, size_t j)
{
    struct ent_roster_entry entry = roster[i];
    struct ent_roster_bytes entry_bytes = bytes[i];

    roster[i] = roster[j];
    bytes[i] = bytes[j];
    roster[j] = entry;
    bytes[j] = entry_bytes;
}

static bool follows_one(const struct ent_roster_entry *roster, size_t count,
                        const struct ent_roster_entry *entry)
{
    for (size_t i = 0; i < count; i++)
        if (ent_hash_equal(&roster[i].hash, &entry->prev))
            return true;
    return false;
}

/* Any order in which none comes before the one it follows: such are sent. */
static void shuffle_roster(struct test *t, struct ent_roster_entry *roster,
                           struct ent_roster_bytes *bytes)
{
    size_t count = t->history.roster_count;

    memcpy(roster, t->history.roster, count * sizeof(*roster));
    memcpy(bytes, t->history.roster_bytes, count * sizeof(*bytes));
    /* The first one stays first: it makes the space's id. */
    for (size_t i = count - 1; i > 1; i--)
        swap_entries(roster, bytes, i, 1 + history_below(&t->rand, i));
    for (size_t i = 1; i < count; i++) {
        size_t j = i;

        while (!follows_one(roster, i, &roster[j]))
            j++;
        swap_entries(roster, bytes, i, j);
    }
}

static void deliver(struct test *t, struct replica *replica)
{
    struct history *h = &t->history;
    struct ent_roster_entry roster[HISTORY_ROSTER_MAX];
    struct ent_roster_bytes bytes[HISTORY_ROSTER_MAX];
    enum model_verdict before[HISTORY_ENTRIES_MAX];
    size_t limits[HISTORY_AUTHORS_MAX];
    size_t first = h->roster_count;

    shuffle_roster(t, roster, bytes);
    if (history_chance(&t->rand, h->forked ? 70 : 30)) {
        size_t batches = history_below(&t->rand, 6);

        first = 1 + history_below(&t->rand, h->roster_count);
        take_roster(t, replica, bytes, first);
        limits_of(t, replica, roster, before, limits);
        if (history_chance(&t->rand, 30))
            batches = SIZE_MAX;
        for (; batches > 0 && deliver_batch(t, replica, limits); batches--)
            ;
        if (history_chance(&t->rand, 50))
            deliver_beyond(t, replica, limits);
        for (size_t i = 0; i < h->count; i++)
            hits[JUDGED_ANEW] +=
                replica->held[i] && before[i] != h->judged[i].verdict;
        if (first < h->roster_count)
            take_roster(t, replica, bytes + first, h->roster_count - first);
    } else {
        take_roster(t, replica, bytes, first);
    }
    limits_of(t, replica, roster, before, limits);
    while (t->failed == NULL && deliver_batch(t, replica, limits))
        ;
    deliver_beyond(t, replica, limits);
}

/* ----------------------------------------------------------------- checking */

static const struct model_write *find_write(const struct model *model,
                                            const struct ent_record_ref *ref,
                                            const struct ent_shown *shown)
{
    for (size_t i = 0; i < model->count; i++) {
        const struct model_write *write = &model->writes[i];

        if (write->kind == ref->kind && ent_id_equal(&write->id, &ref->id) &&
            write->field == shown->field && write->code == shown->code &&
            write->ordinal == shown->dot.ordinal &&
            write->from->entry->time_ms == shown->claimed_ms &&
            ent_key_equal(&write->from->entry->author, &shown->author))
            return write;
    }
    return NULL;
}

static size_t count_writes(const struct model *model, uint32_t kind,
                           const struct ent_id *id, uint32_t code)
{
    size_t count = 0;

    for (size_t i = 0; i < model->count; i++)
        count += model->writes[i].kind == kind &&
                 ent_id_equal(&model->writes[i].id, id) &&
                 (code == 0 || model->writes[i].code == code);
    return count;
}

/* Whether a roster or an owner ever erased the record, for good or not: what
 * became void gives it back without its values (E1). */
static bool was_erased(const struct history *h, const struct model_write *write)
{
    for (size_t i = 0; i < h->roster_count; i++)
        if (h->roster[i].kind == ENT_ROSTER_ERASE &&
            h->roster[i].erased_kind == write->kind &&
            ent_id_equal(&h->roster[i].erased_id, &write->id))
            return true;
    for (size_t i = 0; i < h->count; i++) {
        const struct ent_entry *entry = &h->entries[i].entry;

        for (size_t c = 0; c < entry->change_count; c++)
            if (entry->changes[c].ops[0].code == ENT_OP_ERASE &&
                entry->changes[c].kind == write->kind &&
                ent_id_equal(&entry->changes[c].id, &write->id))
                return true;
    }
    return false;
}

/* Whether a replica may lack the value: it got the entry as a stub, or had it
 * erased for a while. */
static bool may_miss(const struct test *t, const struct replica *replica,
                     const struct model_write *write)
{
    return replica->stub[write->from - t->history.judged] ||
           was_erased(&t->history, write);
}

static void check_write(struct test *t, const struct replica *replica,
                        const struct ent_record *record, size_t at)
{
    const struct ent_shown *shown = &record->writes[at];
    const struct model_write *write =
        find_write(&t->model, &record->ref, shown);
    const struct model_write *before;
    char detail[128];

    snprintf(detail, sizeof(detail), "kind %u id %02x%02x field %u",
             record->ref.kind, record->ref.id.b[0], record->ref.id.b[1],
             shown->field);
    if (write == NULL) {
        fail(t, replica, "only what stands is shown", detail);
        return;
    }
    if (shown->missing && !may_miss(t, replica, write))
        fail(t, replica, "no value is lost", detail);
    if (!shown->missing && ent_op_bears_value(shown->code) &&
        !ent_value_equal(&shown->value, &write->value)) {
        fprintf(stderr, "wrote ");
        history_print_value(&write->value, stderr);
        fprintf(stderr, ", read ");
        history_print_value(&shown->value, stderr);
        fprintf(stderr, "\n");
        fail(t, replica, "a value is read as it was written", detail);
    }
    if (at == 0 || record->writes[at - 1].field > shown->field) {
        if (at > 0)
            fail(t, replica, "writes are given by field", detail);
        return;
    }
    before = find_write(&t->model, &record->ref, &record->writes[at - 1]);
    if (record->writes[at - 1].field == shown->field && before != NULL &&
        shown->field != ENT_FIELD_LIFE && shown->code == ENT_OP_WRITE &&
        record->writes[at - 1].code == ENT_OP_WRITE &&
        !model_shows_before(before, write))
        fail(t, replica, "the one that shows comes first", detail);
}

static void check_record(struct test *t, const struct replica *replica,
                         uint32_t kind, const struct ent_id *id)
{
    struct ent_record_ref ref = {
        .space = replica->space, .kind = kind, .id = *id};
    struct ent_record record = {0};
    struct ent_err err = {0};
    size_t live = count_writes(&t->model, kind, id, ENT_OP_LIVE);
    size_t dead = count_writes(&t->model, kind, id, ENT_OP_DEAD);
    size_t all = count_writes(&t->model, kind, id, 0);
    int rc = ent_record_read(replica->store, &ref, &record, &err);
    char detail[128];

    snprintf(detail, sizeof(detail), "kind %u id %02x%02x: %zu stand, read %zu",
             kind, id->b[0], id->b[1], all, record.write_count);
    if (all == 0) {
        if (rc != ENT_ENOTFOUND)
            fail(t, replica, "a record nobody wrote is not found", detail);
        ent_record_fini(&record);
        return;
    }
    if (!check_rc(t, replica, rc, "a record is read", &err))
        return;
    if (record.write_count != all)
        fail(t, replica, "as many writes stand as in the model", detail);
    if (record.live != (live > 0))
        fail(t, replica, "shown while any write is live (M6)", detail);
    if (record.life_contested != (live > 0 && dead > 0))
        fail(t, replica, "a deletion against an edit is contested", detail);
    for (size_t i = 0; i < record.write_count && t->failed == NULL; i++)
        check_write(t, replica, &record, i);
    ent_record_fini(&record);
}

static void check_records(struct test *t, const struct replica *replica)
{
    const struct history *h = &t->history;

    for (size_t i = 0; i < h->count && t->failed == NULL; i++)
        for (size_t c = 0; c < h->entries[i].entry.change_count; c++) {
            const struct ent_change *change = &h->entries[i].entry.changes[c];
            bool first = true;

            /* Each record once, where it is met first. */
            for (size_t j = 0; j < i; j++)
                for (size_t d = 0; d < h->entries[j].entry.change_count; d++)
                    first &=
                        h->entries[j].entry.changes[d].kind != change->kind ||
                        !ent_id_equal(&h->entries[j].entry.changes[d].id,
                                      &change->id);
            if (first)
                check_record(t, replica, change->kind, &change->id);
        }
}

static void check_digest(struct test *t, const struct replica *replica,
                         struct ent_digest *first, const char *when)
{
    struct ent_digest digest;
    struct ent_err err = {0};
    int rc = ent_digest_read(replica->store, replica->space, &digest, &err);
    char detail[160];

    if (!check_rc(t, replica, rc, "a digest is read", &err))
        return;
    if (replica == replicas)
        *first = digest;
    snprintf(detail, sizeof(detail),
             "%s: state %02x%02x%02x%02x, model %02x%02x%02x%02x", when,
             digest.state[0], digest.state[1], digest.state[2], digest.state[3],
             t->model.state[0], t->model.state[1], t->model.state[2],
             t->model.state[3]);
    if (memcmp(digest.state, t->model.state, sizeof(digest.state)) != 0)
        fail(t, replica, "the state digest is that of the model", detail);
    if (!ent_hash_equal(&digest.entries, &first->entries))
        fail(t, replica, "the digest of entries is that of store 0", detail);
    if (!ent_hash_equal(&digest.roster, &first->roster))
        fail(t, replica, "the digest of the roster is that of store 0", detail);
}

/* ------------------------------------------------------------------ coverage
 */

static void count_field(const struct model *model,
                        const struct model_write *write)
{
    size_t registers = 0;
    size_t elements = 0;
    bool equal = false;

    for (size_t i = 0; i < model->count; i++) {
        const struct model_write *other = &model->writes[i];

        if (other->kind != write->kind || other->field != write->field ||
            !ent_id_equal(&other->id, &write->id))
            continue;
        if (other < write) /* counted where it was met first */
            return;
        registers += other->code == ENT_OP_WRITE;
        elements += other->code == ENT_OP_ADD;
        equal |= other != write && other->code == ENT_OP_WRITE &&
                 ent_value_equal(&other->value, &write->value);
    }
    hits[TWO_VALUES] += registers == 2;
    hits[THREE_VALUES] += registers > 2;
    hits[EQUAL_VALUES] += equal;
    hits[CODES_MIXED] += registers > 0 && elements > 0;
}

static void count_change(const struct model *model,
                         const struct ent_change *change)
{
    bool dead = false;

    hits[UNKNOWN_KIND] += ent_kind_find(&history_kinds, change->kind) == NULL;
    for (size_t o = 0; o < change->op_count; o++) {
        const struct ent_op *op = &change->ops[o];
        bool stands = false;

        hits[UNKNOWN_FIELD] += op->field > 1000;
        dead |= op->code == ENT_OP_DEAD;
        for (size_t i = 0; i < model->count; i++)
            stands |= model->writes[i].kind == change->kind &&
                      ent_id_equal(&model->writes[i].id, &change->id) &&
                      model->writes[i].field == op->field;
        hits[REMOVED_AND_ADDED] += op->code == ENT_OP_REMOVE && stands;
    }
    hits[BACK_TO_LIFE] += dead && count_writes(model, change->kind, &change->id,
                                               ENT_OP_DEAD) == 0;
}

/* Changes to owned records that the author's own key did not make. */
static void count_owned(const struct history *h, const struct ent_entry *entry,
                        enum model_verdict verdict)
{
    for (size_t c = 0; c < entry->change_count; c++) {
        const struct ent_change *change = &entry->changes[c];
        struct ent_id own = model_own_id(&h->space, &entry->author, change->id);

        if (!model_is_owned(change->kind) || ent_id_equal(&own, &change->id))
            continue;
        hits[FOREIGN] += verdict == MODEL_QUARANTINED;
        hits[INHERITED] += verdict == MODEL_ACCEPTED;
    }
}

static void count_erased(const struct test *t, const struct ent_change *change)
{
    const struct history *h = &t->history;
    size_t stands = 0;

    for (size_t i = 0; i < t->model.count; i++)
        stands += t->model.writes[i].kind == change->kind &&
                  ent_id_equal(&t->model.writes[i].id, &change->id);
    for (size_t i = 0; i < h->roster_count; i++)
        hits[ERASED_BY_ROSTER] +=
            stands == 0 && h->roster[i].kind == ENT_ROSTER_ERASE &&
            h->roster[i].erased_kind == change->kind &&
            ent_id_equal(&h->roster[i].erased_id, &change->id);
    hits[ERASED_BY_OWNER] += change->ops[0].code == ENT_OP_ERASE;
}

static void count_case(const struct test *t)
{
    const struct history *h = &t->history;
    const struct model *model = &t->model;

    hits[ROSTER_FORKED] += h->forked;
    hits[MISTYPED] += h->mistyped;
    hits[ODD_REF] += h->odd_ref;
    for (size_t i = 0; i < h->count; i++) {
        enum model_verdict verdict = h->judged[i].verdict;

        hits[QUARANTINED] += verdict == MODEL_QUARANTINED;
        hits[REFUSED] += verdict == MODEL_REFUSED;
        hits[WAITING] += verdict == MODEL_WAITING;
        count_owned(h, &h->entries[i].entry, verdict);
        for (size_t c = 0;
             verdict == MODEL_ACCEPTED && c < h->entries[i].entry.change_count;
             c++) {
            count_change(model, &h->entries[i].entry.changes[c]);
            count_erased(t, &h->entries[i].entry.changes[c]);
        }
    }
    for (size_t i = 0; i < model->count; i++) {
        const struct model_write *write = &model->writes[i];

        if (write->code == ENT_OP_WRITE)
            count_field(model, write);
        if (write->code != ENT_OP_DEAD)
            continue;
        if (model_live(model, write->kind, &write->id))
            hits[DEAD_AGAINST_LIVE]++;
        else
            hits[DEAD]++;
    }
}

/* ----------------------------------------------------------------- running */

static void expect_space(struct test *t, struct replica *replica)
{
    struct ent_invite invite = {.space = t->history.space,
                                .chair = t->history.authors[0].keys->public,
                                .role = ENT_ROLE_EDITOR};
    struct ent_err err = {0};
    int rc;

    memset(replica->have, 0, sizeof(replica->have));
    memset(replica->held, 0, sizeof(replica->held));
    memset(replica->stub, 0, sizeof(replica->stub));
    replica->roster_have = 0;
    snprintf(invite.handle, sizeof(invite.handle), "s%" PRIu64, t->seed);
    rc = ent_space_expect(replica->store, &invite, &replica->space, &err);
    check_rc(t, replica, rc, "a space is expected", &err);
}

static void rebuild_one(struct test *t, struct ent_digest *first)
{
    struct replica *replica = &replicas[history_below(&t->rand, STORES)];
    struct ent_err err = {0};
    int rc = ent_store_rebuild(replica->store, &err);

    hits[REBUILT]++;
    if (!check_rc(t, replica, rc, "a replica is rebuilt", &err))
        return;
    check_digest(t, replica, first, "after a rebuild");
    check_records(t, replica);
}

static void run_stores(struct test *t)
{
    struct ent_digest first = {0};
    bool read_all = t->seed % 5 == 0;

    for (size_t i = 0; i < STORES && t->failed == NULL; i++) {
        struct replica *replica = &replicas[i];

        expect_space(t, replica);
        if (t->failed == NULL)
            deliver(t, replica);
        if (t->failed == NULL)
            check_digest(t, replica, &first, "when all has come");
        if (t->failed == NULL && (read_all || i < 2))
            check_records(t, replica);
        if (t->failed == NULL && history_chance(&t->rand, 20)) {
            deliver_again(t, replica);
            check_digest(t, replica, &first, "when all has come twice");
        }
    }
    if (t->failed == NULL && t->seed % 100 == 0)
        rebuild_one(t, &first);
}

static bool run_case(uint64_t seed)
{
    struct test *t = calloc(1, sizeof(*t));
    bool ok;

    ENT_ASSERT(t != NULL);
    t->seed = seed;
    history_make(&t->history, seed, seed / CASES_PER_HOME % 2 == 1);
    ent_rand_init_u64(&t->rand, ~seed);
    forget_signatures();
    model_judge(t->history.judged, t->history.count, t->history.roster,
                t->history.roster_count);
    model_merge(t->history.judged, t->history.count, t->history.roster,
                t->history.roster_count, &t->arena, &t->model);
    run_stores(t);
    count_case(t);
    ok = t->failed == NULL;
    if (!ok) {
        fprintf(stderr, "seed %" PRIu64 " failed: %s (%s)\n", seed, t->failed,
                t->detail);
        history_print(&t->history, stderr);
    }
    ent_arena_fini(&t->arena);
    history_fini(&t->history);
    free(t);
    return ok;
}

static int report(uint64_t cases, double seconds)
{
    int missing = 0;

    printf("%" PRIu64 " cases, %d stores each, %.1f s\n", cases, STORES,
           seconds);
    for (size_t i = 0; i < CLASSES; i++) {
        printf("%10" PRIu64 "  %s\n", hits[i], classes[i]);
        if (hits[i] == 0 && cases >= CASES) {
            fprintf(stderr, "never met: %s\n", classes[i]);
            missing = 1;
        }
    }
    return missing;
}

static bool make_top(void)
{
    const char *tmp = getenv("TMPDIR");
    struct stat info;

    if (stat("/dev/shm", &info) == 0)
        tmp = "/dev/shm";
    snprintf(top, sizeof(top), "%.200s/prop-merge-XXXXXX",
             tmp == NULL ? "/tmp" : tmp);
    return mkdtemp(top) != NULL;
}

int main(int argc, char **argv)
{
    uint64_t from = 1;
    uint64_t to = CASES;
    uint64_t failures = 0;
    struct timespec start, end;
    struct ent_err err = {0};
    bool usage = argc != 1;
    bool ok;

    if (argc == 3 && strcmp(argv[1], "--cases") == 0)
        usage = sscanf(argv[2], "%" SCNu64, &to) != 1;
    else if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
        usage = sscanf(argv[2], "%" SCNu64 "..%" SCNu64, &from, &to) != 2;
    else if (argc == 3 && strcmp(argv[1], "--seed") == 0)
        usage = sscanf(argv[2], "%" SCNu64, &from) != 1 || (to = from, false);
    if (usage) {
        fprintf(stderr,
                "usage: prop_merge [--seed N | --seeds A..B | --cases N]\n");
        return 2;
    }
    if (ent_secure_init(&err) < 0)
        die("libsodium", &err);
    if (!make_top()) {
        perror(top);
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (uint64_t seed = from; seed <= to && failures < 5; seed++) {
        if (replicas[0].store == NULL)
            open_stores();
        ok = run_case(seed);
        if (ok && (seed + 1) % CASES_PER_HOME == 0)
            ok = verify_one(seed);
        failures += !ok;
        if (!ok || seed == to || (seed + 1) % CASES_PER_HOME == 0)
            close_stores();
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    (void)rmdir(top);
    ent_arena_fini(&vouched_arena);
    if (report(to - from + 1,
               (double)(end.tv_sec - start.tv_sec) +
                   (double)(end.tv_nsec - start.tv_nsec) / 1e9) != 0)
        return 1;
    return failures == 0 ? 0 : 1;
}
