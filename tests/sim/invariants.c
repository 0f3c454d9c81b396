/* invariants.c - see invariants.h. */
#include "invariants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../prop/model.h"
#include "codec/entry.h"
#include "codec/said.h"
#include "store/members.h"
#include "store/records.h"
#include "store/replica.h"
#include "store/runs.h"

#define WAL_BYTES_MAX (20 << 20) /* 16 MiB, and the commit that gets there */
#define IDLE_MS (10 * 60 * 1000)
#define IDLE_BYTES_MAX 2048 /* a minute and peer */

static void must(const struct net *net, int rc, const struct ent_err *err,
                 const char *what)
{
    if (rc < 0)
        net_die(net, "%s: %d %s", what, rc, err->text);
}

/* ----------------------------------------------------------- the journal */

void inv_journal_fini(struct inv_journal *journal)
{
    free(journal->writes);
    *journal = (struct inv_journal){0};
}

static struct ent_log *own_log(struct net *net, int node, int space)
{
    struct ent_store *store = net->nodes[node].store;
    int64_t number = net_space(net, space, node);
    struct ent_log *log;
    struct ent_err err;

    must(net, ent_logs_load(store, &err), &err, "logs");
    log = number == 0 ? NULL
                      : ent_log_find(store, number, &store->keys.public,
                                     &store->origin);
    if (log != NULL)
        must(net, ent_log_head(store, log, &err), &err, "head");
    return log;
}

uint64_t inv_own_head(struct net *net, int node, int space)
{
    const struct ent_log *log = own_log(net, node, space);

    return log == NULL ? 0 : (uint64_t)log->head;
}

void inv_journal_add(struct net *net, struct inv_journal *journal, int node,
                     int space, int64_t number, enum inv_told told,
                     uint64_t before)
{
    struct inv_write write = {
        .told = told, .node = node, .space = space, .number = number};

    if (told == INV_OK && net->nodes[node].store != NULL) {
        const struct ent_log *log = own_log(net, node, space);

        if (log != NULL && (uint64_t)log->head > before) {
            write.origin = log->id;
            write.seq = (uint64_t)log->head;
            write.hash = log->head_hash;
        } else if (net->put_changed) {
            net_die(net, "I2: node %d: told as kept, and not in its log", node);
        }
    }
    if (journal->count == journal->cap) {
        journal->cap = journal->cap == 0 ? 256 : 2 * journal->cap;
        journal->writes =
            realloc(journal->writes, journal->cap * sizeof(*journal->writes));
        if (journal->writes == NULL)
            net_die(net, "out of memory");
    }
    journal->writes[journal->count++] = write;
}

/* Whether a node holds the very entry. */
static bool holds(struct net *net, int node, const struct inv_write *write)
{
    struct ent_store *store = net->nodes[node].store;
    int64_t space = net_space(net, write->space, node);
    const struct ent_ref ref = {.origin = write->origin,
                                .seq = write->seq,
                                .hash = ent_hash_head(&write->hash)};
    struct ent_err err;
    int64_t n;

    if (space == 0)
        return false;
    must(net, ent_logs_load(store, &err), &err, "logs");
    must(net, ent_log_resolve(store, space, &ref, &n, &err), &err, "resolve");
    return n != 0;
}

void inv_journal_cut(struct net *net, struct inv_journal *journal, int node,
                     int space)
{
    for (size_t i = 0; i < journal->count; i++) {
        struct inv_write *write = &journal->writes[i];

        if (write->space == space && write->told == INV_OK &&
            ent_key_equal(&net->nodes[write->node].keys.public,
                          &net->nodes[node].keys.public) &&
            !holds(net, 0, write))
            write->told = INV_UNKNOWN;
    }
}

void inv_journal_restored(struct net *net, struct inv_journal *journal,
                          int node)
{
    for (size_t i = 0; i < journal->count; i++) {
        struct inv_write *write = &journal->writes[i];
        bool held = false;

        if (write->node != node || write->told != INV_OK)
            continue;
        for (int n = 0; n < net->count && !held; n++)
            if (net->nodes[n].store != NULL && !net->liar[n])
                held = holds(net, n, write);
        if (!held)
            write->told = INV_UNKNOWN;
    }
}

/* ---------------------------------------------------------------- a log read
 */

/* All entries that a node holds of a space, in order log by log. */
struct whole {
    struct ent_arena arena;
    struct ent_entry *entries;
    struct model_entry *judged;
    size_t count;
};

static void read_log(struct net *net, struct ent_store *store,
                     struct ent_log *log, struct whole *whole, size_t cap)
{
    struct ent_err err;

    must(net, ent_log_head(store, log, &err), &err, "head");
    for (int64_t seq = log->base + 1; seq <= log->head; seq++) {
        enum ent_verdict verdict;
        struct ent_entry *entry = &whole->entries[whole->count];

        if (whole->count == cap)
            net_die(net, "a log grew while it was read");
        must(net,
             ent_log_read(store, ent_n(log->o, seq), &whole->arena, entry,
                          &verdict, &whole->judged[whole->count].hash, &err),
             &err, "entry");
        whole->judged[whole->count++].entry = entry;
    }
}

static void read_whole(struct net *net, int node, int space,
                       struct whole *whole)
{
    struct ent_store *store = net->nodes[node].store;
    int64_t number = net_space(net, space, node);
    struct ent_err err;
    size_t cap = 0;

    *whole = (struct whole){0};
    must(net, ent_logs_load(store, &err), &err, "logs");
    for (size_t i = 0; i < store->log_count; i++) {
        struct ent_log *log = store->logs[i];

        if (log->space != number)
            continue;
        must(net, ent_log_head(store, log, &err), &err, "head");
        cap += (size_t)(log->head - log->base);
    }
    whole->entries = ENT_ARENA_NEW(&whole->arena, struct ent_entry, cap + 1);
    whole->judged = ENT_ARENA_NEW(&whole->arena, struct model_entry, cap + 1);
    for (size_t i = 0; i < store->log_count; i++)
        if (store->logs[i]->space == number)
            read_log(net, store, store->logs[i], whole, cap);
}

/* ---------------------------------------------------------------- invariants
 */

/* M6: listed while a life write is live, and only then. */
static void check_row(struct net *net, int node,
                      const struct ent_record_ref *ref,
                      const struct ent_record *record)
{
    struct ent_store *store = net->nodes[node].store;
    const struct ent_kind *kind = ent_kind_find(store->kinds, ref->kind);
    struct ent_stmt stmt;
    struct ent_err err;
    char sql[200];
    bool live = false;
    int rc;

    for (size_t i = 0; i < record->write_count; i++)
        live = live || record->writes[i].code == ENT_OP_LIVE;
    snprintf(sql, sizeof(sql),
             "SELECT 1 FROM \"%s\" WHERE space = ?1 AND id = ?2", kind->table);
    must(net, ent_stmt_prepare(&store->db, sql, &stmt, &err), &err, "a row");
    ent_stmt_bind_int(&stmt, 1, ref->space);
    ent_stmt_bind_blob(&stmt, 2, ref->id.b, ENT_ID_BYTES);
    rc = ent_stmt_step(&stmt, &err);
    must(net, rc, &err, "a row");
    ent_stmt_fini(&stmt);
    if ((rc > 0) != live)
        net_die(net, "M6: node %d: record %u is %s and %s listed", node,
                (unsigned)ref->id.b[15], live ? "live" : "dead",
                rc > 0 ? "is" : "is not");
}

/* What a person sees of a record: the values of a field with the one shown
 * first first. The number of conflicts. */
static int64_t picture_record(struct net *net, int node, int space,
                              uint32_t number, struct ent_id id,
                              struct ent_buf *lines)
{
    const struct ent_kind *kind =
        ent_kind_find(net->nodes[node].store->kinds, number);
    const struct ent_record_ref ref = {
        .space = net_space(net, space, node), .kind = number, .id = id};
    int r = id.b[15];
    struct ent_record found = {0};
    struct ent_err err;
    int64_t contested;
    int rc = ent_record_read(net->nodes[node].store, &ref, &found, &err);

    if (rc != ENT_ENOTFOUND)
        must(net, rc, &err, "a record");
    if (rc == 0)
        check_row(net, node, &ref, &found);
    if (rc == 0)
        ent_buf_printf(lines, "%d %s%s\n", r, found.live ? "shown" : "deleted",
                       found.life_contested ? ", contested" : "");
    for (size_t i = 0; i < found.write_count; i++)
        ent_buf_printf(lines, "%d.%u=%lld%.*s\n", r, found.writes[i].field,
                       (long long)found.writes[i].value.integer,
                       (int)found.writes[i].value.bytes.len,
                       (const char *)found.writes[i].value.bytes.at);
    contested = found.life_contested;
    for (size_t i = 0; found.live && i < kind->field_count; i++)
        contested += ent_record_contested(&found, &kind->fields[i]);
    ent_record_fini(&found);
    return contested;
}

/* Whether a node is the first one with its key. */
static bool first_of_key(const struct net *net, int node)
{
    for (int i = 0; i < node; i++)
        if (ent_key_equal(&net->nodes[i].keys.public,
                          &net->nodes[node].keys.public))
            return false;
    return true;
}

static void picture(struct net *net, int node, int space, int records,
                    struct ent_buf *lines)
{
    int64_t contested = 0;

    for (int r = 0; r < records; r++)
        contested +=
            picture_record(net, node, space, NET_KIND, net_record(r), lines);
    for (int i = 0; i < net->count; i++)
        for (int r = 0; r < NET_OWNED_EACH && first_of_key(net, i); r++)
            contested += picture_record(net, node, space, NET_OWNED,
                                        net_owned(net, space, i, r), lines);
    if (net_counts(net, node, space).conflicts != contested)
        net_die(net, "M2: node %d lists other conflicts than stand", node);
    net_conflicts(net, node, space, lines);
}

/* What each holds, to see who lacks what. */
static void print_heads(struct net *net, int node, int space)
{
    struct ent_head *heads;
    struct ent_err err;
    size_t count;

    must(net,
         ent_frontier_read(net->nodes[node].store, net_space(net, space, node),
                           &heads, &count, &err),
         &err, "frontier");
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "node %d: log %02x%02x, %llu entries\n", node,
                heads[i].origin.b[14], heads[i].origin.b[15],
                (unsigned long long)heads[i].seq);
    free(heads);
    for (int i = 0; i < net->count; i++)
        fprintf(stderr, "node %d: %zu links with %d\n", node,
                net_links(net, node, i), i);
}

void inv_equal(struct net *net, const int *nodes, size_t count, int space,
               int records)
{
    struct ent_buf first = {0};

    picture(net, nodes[0], space, records, &first);
    for (size_t i = 1; i < count; i++) {
        struct ent_buf other = {0};

        if (!net_equal(net, nodes[0], nodes[i], space)) {
            print_heads(net, nodes[0], space);
            print_heads(net, nodes[i], space);
            net_die(net, "I1: space %d: node %d is not equal to %d", space,
                    nodes[i], nodes[0]);
        }
        picture(net, nodes[i], space, records, &other);
        if (!ent_slice_equal(ent_buf_slice(&first), ent_buf_slice(&other)))
            net_die(net, "I1: space %d: node %d shows other values:\n%s---\n%s",
                    space, nodes[i], ent_buf_cstr(&first),
                    ent_buf_cstr(&other));
        ent_buf_fini(&other);
    }
    ent_buf_fini(&first);
}

void inv_roster(struct net *net, int node, int space)
{
    struct ent_member *members;
    struct ent_err err;
    size_t count;

    must(net,
         ent_member_list(net->nodes[node].store, net_space(net, space, node),
                         &members, &count, &err),
         &err, "members");
    for (size_t i = 0; i < count; i++) {
        bool chairs =
            ent_key_equal(&members[i].key, &net->nodes[0].keys.public);
        bool known = false;

        for (int n = 0; n < net->count; n++)
            known = known ||
                    ent_key_equal(&members[i].key, &net->nodes[n].keys.public);
        if (!known || chairs != (members[i].role == ENT_ROLE_CHAIR))
            net_die(net,
                    "A2: node %d: what only the chair may decide about "
                    "space %d was decided by another",
                    node, space);
    }
    free(members);
}

/* Numbers of the transactions whose texts stand in an entry. */
static void mark_texts(const struct whole *whole, bool *seen, size_t count)
{
    for (size_t i = 0; i < whole->count; i++)
        for (size_t c = 0; c < whole->entries[i].change_count; c++) {
            const struct ent_change *change = &whole->entries[i].changes[c];

            for (size_t o = 0; o < change->op_count; o++) {
                struct ent_slice text = change->ops[o].value.bytes;
                char copy[24] = "";
                long long number;

                if (!ent_op_bears_value(change->ops[o].code) ||
                    change->ops[o].value.type != ENT_VALUE_TEXT)
                    continue;
                memcpy(copy, text.at, text.len < 23 ? text.len : 23);
                if (sscanf(copy, "t%lld.", &number) == 1 && number >= 0 &&
                    (size_t)number < count)
                    seen[number] = true;
            }
        }
}

void inv_writes(struct net *net, const struct inv_journal *journal, int node,
                int space)
{
    struct whole whole;
    size_t numbers = 1;
    size_t looked = 0;
    bool *seen;

    for (size_t i = 0; i < journal->count; i++)
        if ((size_t)journal->writes[i].number >= numbers)
            numbers = (size_t)journal->writes[i].number + 1;
    seen = calloc(numbers, sizeof(*seen));
    read_whole(net, node, space, &whole);
    mark_texts(&whole, seen, numbers);
    for (size_t i = 0; i < journal->count; i++) {
        const struct inv_write *write = &journal->writes[i];

        if (write->space != space)
            continue;
        looked++;
        if (write->told == INV_OK && write->seq > 0 && !holds(net, node, write))
            net_die(net,
                    "I2: node %d lost the acknowledged entry %llu of node %d "
                    "(transaction %lld)",
                    node, (unsigned long long)write->seq, write->node,
                    (long long)write->number);
        if (write->told == INV_FAILED && seen[write->number])
            net_die(net, "I2: node %d shows transaction %lld that failed", node,
                    (long long)write->number);
    }
    if (looked > 0 && whole.count == 0 && numbers > 1)
        for (size_t i = 0; i < journal->count; i++)
            if (journal->writes[i].space == space &&
                journal->writes[i].told == INV_OK && journal->writes[i].seq > 0)
                net_die(net, "I2: nothing was read");
    free(seen);
    ent_arena_fini(&whole.arena);
}

/* I7: what the owners wrote last adds up to what the rows add up to. */
static void check_sum(struct net *net, int node, int space,
                      const struct model *model)
{
    int64_t sum = 0;
    char sql[120];

    for (size_t i = 0; i < model->count; i++) {
        const struct model_write *write = &model->writes[i];
        bool shown = write->kind == NET_OWNED && write->field == NET_AMOUNT &&
                     model_live(model, write->kind, &write->id);

        for (size_t j = 0; shown && j < model->count; j++)
            shown = j == i || model->writes[j].kind != write->kind ||
                    model->writes[j].field != write->field ||
                    !ent_id_equal(&model->writes[j].id, &write->id) ||
                    model_shows_before(write, &model->writes[j]);
        sum += shown ? write->value.integer : 0;
    }
    snprintf(sql, sizeof(sql),
             "SELECT total(amount) FROM simgifts WHERE space = %lld",
             (long long)net_space(net, space, node));
    if (net_rows(net, node, sql) != sum)
        net_die(net,
                "I7: node %d: the amounts of space %d add up to %lld, not "
                "to %lld",
                node, space, (long long)net_rows(net, node, sql),
                (long long)sum);
}

void inv_model(struct net *net, int node, int space)
{
    struct ent_store *store = net->nodes[node].store;
    struct ent_digest digest = net_digest(net, node, space);
    struct ent_space_state *state;
    struct whole whole;
    struct model model;
    struct ent_err err;

    must(net, ent_space_state(store, net_space(net, space, node), &state, &err),
         &err, "space");
    read_whole(net, node, space, &whole);
    model_judge(whole.judged, whole.count, state->entries, state->entry_count);
    model_merge(whole.judged, whole.count, state->entries, state->entry_count,
                &whole.arena, &model);
    if (memcmp(model.state, digest.state, sizeof(digest.state)) != 0)
        net_die(net, "I5: node %d: space %d is not what the model makes of it",
                node, space);
    check_sum(net, node, space, &model);
    ent_arena_fini(&whole.arena);
}

static void complain(void *ctx, const char *text)
{
    fprintf(stderr, "node %d: verify: %s\n", *(int *)ctx, text);
}

void inv_replica(struct net *net, int node, bool rebuild)
{
    struct ent_digest before[NET_SPACES_MAX];
    struct ent_store *store = net->nodes[node].store;
    struct ent_err err;
    int found = ent_store_verify(store, true, complain, &node, &err);

    if (found != 0)
        net_die(net, "I11: node %d: verify: %d %s", node, found,
                found < 0 ? err.text : "");
    if (!rebuild)
        return;
    for (int s = 0; s < net->space_count; s++)
        if (net_space(net, s, node) != 0)
            before[s] = net_digest(net, node, s);
    must(net, ent_store_rebuild(store, &err), &err, "rebuild");
    for (int s = 0; s < net->space_count; s++) {
        struct ent_digest after;

        if (net_space(net, s, node) == 0)
            continue;
        after = net_digest(net, node, s);
        if (memcmp(&before[s], &after, sizeof(after)) != 0)
            net_die(net, "I17: node %d: rebuild changes the digest of space %d",
                    node, s);
    }
}

/* What `other` knows of `node` in a space. */
static void check_said(struct net *net, int node, int other, int space,
                       struct ent_arena *arena)
{
    struct ent_frontier said = {0};
    struct ent_said *list;
    struct ent_err err;
    size_t count;

    must(net,
         ent_said_list(net->nodes[other].store, net_space(net, space, other),
                       arena, &list, &count, &err),
         &err, "signed frontiers");
    for (size_t i = 0; i < count; i++)
        if (ent_key_equal(&list[i].key, &net->nodes[node].keys.public))
            must(net, ent_frontier_get(list[i].body, arena, &said, &err), &err,
                 "a signed frontier");
    for (size_t i = 0; i < said.head_count; i++) {
        const struct ent_ref ref = {.origin = said.heads[i].origin,
                                    .seq = said.heads[i].seq,
                                    .hash = said.heads[i].hash};
        int64_t n;

        must(net, ent_logs_load(net->nodes[node].store, &err), &err, "logs");
        must(net,
             ent_log_resolve(net->nodes[node].store,
                             net_space(net, space, node), &ref, &n, &err),
             &err, "resolve");
        if (n == 0)
            net_die(net,
                    "L7: node %d told node %d that it holds entry %llu of a "
                    "log, and has it no more",
                    node, other, (unsigned long long)ref.seq);
    }
}

void inv_said(struct net *net, int node)
{
    for (int s = 0; s < net->space_count; s++)
        for (int i = 0; i < net->count; i++) {
            struct ent_arena arena = {0};

            if (i != node && net->nodes[i].store != NULL &&
                net_space(net, s, i) != 0 && net_space(net, s, node) != 0)
                check_said(net, node, i, s, &arena);
            ent_arena_fini(&arena);
        }
}

/* The space of the transaction that a text is of; -1: of none. */
static int space_of_text(const struct inv_journal *journal,
                         struct ent_slice text)
{
    char copy[24] = "";
    long long number;

    memcpy(copy, text.at, text.len < 23 ? text.len : 23);
    if (sscanf(copy, "t%lld.", &number) != 1 || number < 0 ||
        (size_t)number > journal->count)
        return -1;
    if ((size_t)number == journal->count)
        return journal->writing;
    ENT_ASSERT(journal->writes[number].number == number);
    return journal->writes[number].space;
}

/* Every text in a run belongs to a transaction, and that to a space. */
static void check_run(struct net *net, const struct inv_journal *journal,
                      const bool *denied, int from, int to,
                      const struct ent_frame_run *run, struct ent_arena *arena)
{
    for (size_t i = 0; i < run->entry_count; i++) {
        struct ent_entry entry = {.author = run->author,
                                  .origin = run->origin,
                                  .seq = run->from + i,
                                  .prev = {{run->from + i > 1}}};
        struct ent_err err;

        must(net, ent_entry_get(run->entries[i], arena, &entry, &err), &err,
             "what a node sends");
        for (size_t c = 0; c < entry.change_count; c++)
            for (size_t o = 0; o < entry.changes[c].op_count; o++) {
                const struct ent_op *op = &entry.changes[c].ops[o];
                int space = ent_op_bears_value(op->code) &&
                                    op->value.type == ENT_VALUE_TEXT
                                ? space_of_text(journal, op->value.bytes)
                                : -1;

                if (space >= 0 && denied[space])
                    net_die(net,
                            "I10: node %d sends node %d, no member of space "
                            "%d, \"%.*s\"",
                            from, to, space, (int)op->value.bytes.len,
                            (const char *)op->value.bytes.at);
            }
    }
}

bool inv_confined(struct net *net, const struct inv_journal *journal,
                  const struct liar *liars, int from, int to,
                  struct ent_slice bytes)
{
    struct ent_arena arena = {0};
    bool denied[NET_SPACES_MAX] = {false};
    bool any = false;
    struct ent_frame_run *runs;
    struct ent_frame frame;
    struct ent_err err;
    size_t count = 0;
    int space = -1;

    if (net->nodes[from].dark || bytes.len < 2 ||
        !ent_frame_is_tagged(bytes.at[1]))
        return false;
    for (int s = 0; s < net->space_count; s++) {
        int64_t number = net_space(net, s, from);

        denied[s] =
            number == 0 ||
            ent_member_role(net->nodes[from].store, number,
                            &net->nodes[to].keys.public) == ENT_ROLE_NONE;
        any = any || denied[s];
    }
    if (!any)
        return false;
    must(net, ent_frame_get(bytes, &arena, &frame, &err), &err,
         "what a node sends");
    if (liars != NULL && net->liar[to])
        space = liar_space(liars, to, from, &frame.tag);
    if (space >= 0 && denied[space] &&
        (frame.type >= ENT_FRAME_FRONTIER || frame.has_heads))
        net_die(net,
                "I10: node %d sends node %d, no member of space %d, a "
                "frame of type %d about it",
                from, to, space, (int)frame.type);
    if ((frame.type == ENT_FRAME_RUNS || frame.type == ENT_FRAME_NEWS ||
         frame.type == ENT_FRAME_ASIDE) &&
        frame.runs.len > 0)
        must(net, ent_runs_get(frame.runs, &arena, &runs, &count, &err), &err,
             "what a node sends");
    for (size_t i = 0; i < count; i++)
        check_run(net, journal, denied, from, to, &runs[i], &arena);
    ent_arena_fini(&arena);
    return true;
}

void inv_counts(struct net *net, int node, bool forks)
{
    for (int i = 0; i < net->count; i++) {
        struct ent_peer peer = net_peer(net, node, i);

        if (peer.received != peer.applied + peer.duplicate + peer.quarantined +
                                 peer.refused + peer.waiting)
            net_die(net, "I13: node %d: the counts of peer %d do not add up",
                    node, i);
        if (peer.refused > 0 && !net->liar[i] && !net->liar[node])
            net_die(net, "I13: node %d refused %lld entries of %d: %s", node,
                    (long long)peer.refused, i,
                    net->nodes[node].text[ENT_NOTE_REFUSED]);
    }
    if (net->liar[node]) /* it was answered what its engine did not ask */
        return;
    if (net->nodes[node].notes[ENT_NOTE_DIVERGED] > 0)
        net_die(net, "I1: node %d: an alarm of divergence", node);
    if (net->nodes[node].offences > 0)
        net_die(net, "I13: node %d refused something: %s", node,
                net->nodes[node].text[ENT_NOTE_REFUSED]);
    if (!forks && net->nodes[node].notes[ENT_NOTE_FORK] > 0)
        net_die(net, "A8: node %d saw a fork that nobody made", node);
}

bool inv_left_own_log(struct net *net, int node)
{
    char why[200];
    struct ent_err err;

    must(net,
         ent_node_get(net->nodes[node].store, "fresh", why, sizeof(why), &err),
         &err, "why a log is fresh");
    return strncmp(why, "others hold more", 16) == 0 ||
           strncmp(why, "another copy of this replica", 28) == 0;
}

void inv_bounds(struct net *net, int node)
{
    char path[300];
    struct stat st;

    snprintf(path, sizeof(path), "%s/replica.db-wal", net->nodes[node].home);
    if (stat(path, &st) == 0 && st.st_size > WAL_BYTES_MAX)
        net_die(net, "I14: node %d: a WAL of %lld bytes", node,
                (long long)st.st_size);
}

int64_t inv_offered(struct net *net, int chair, int node, int space)
{
    int64_t number = net_space(net, space, node);
    int64_t there = net_space(net, space, chair);
    struct ent_head *heads;
    struct ent_err err;
    size_t count;

    must(net,
         ent_aside_heads(net->nodes[node].store, number, &heads, &count, &err),
         &err, "what is aside");
    for (size_t i = 0; i < count; i++) {
        struct ent_hash8 prev;
        uint64_t from;

        must(net,
             ent_aside_want(net->nodes[chair].store, there, &heads[i], 0, &from,
                            &prev, &err),
             &err, "what is aside");
        if (from != 0)
            net_die(net,
                    "A4: the chair was not given what node %d holds beyond a "
                    "cut, up to entry %llu",
                    node, (unsigned long long)heads[i].seq);
    }
    free(heads);
    return (int64_t)count;
}

void inv_idle(struct net *net, const int *nodes, size_t count)
{
    uint64_t before[NET_NODES_MAX];

    for (size_t i = 0; i < count; i++)
        before[i] = net->nodes[nodes[i]].sent_bytes;
    net_run(net, IDLE_MS);
    for (size_t i = 0; i < count; i++) {
        uint64_t sent = net->nodes[nodes[i]].sent_bytes - before[i];
        size_t peers = 0;

        for (int j = 0; j < net->count; j++)
            peers += net_links(net, nodes[i], j);
        if (sent > (peers + 1) * IDLE_BYTES_MAX * (IDLE_MS / 60000))
            net_die(net, "I16: node %d sends %llu bytes in %d idle minutes",
                    nodes[i], (unsigned long long)sent, IDLE_MS / 60000);
    }
}

/* ------------------------------------------------------------------ replay */

static void take_some(struct net *net, int from, int to, int space,
                      struct ent_head *head, uint64_t *at,
                      struct ent_hash8 *prev, struct ent_rand *rand)
{
    struct ent_arena arena = {0};
    size_t bytes = 200 + (size_t)ent_rand_below(rand, 20000);
    struct ent_taken taken;
    struct ent_run run;
    struct ent_err err;

    must(net,
         ent_run_read(net->nodes[from].store, head->o, *at, prev, bytes, &arena,
                      &run, &err),
         &err, "read a run");
    for (int times = ent_rand_below(rand, 4) == 0 ? 2 : 1; times > 0; times--) {
        must(net,
             ent_runs_take(net->nodes[to].store, net_space(net, space, to),
                           NULL, &run, 1, NET_START_MS, &taken, &err),
             &err, "take a run");
        if (taken.refused > 0 || taken.waiting > 0)
            net_die(net, "I4: a replayed entry was refused or waits: %s",
                    taken.why);
    }
    *at += run.count;
    *prev = run.last;
    ent_arena_fini(&arena);
}

static void replay_heads(struct net *net, int from, int to, int space,
                         struct ent_rand *rand)
{
    struct ent_head *heads;
    struct ent_err err;
    size_t count, left;
    uint64_t *at;
    struct ent_hash8 *prev;

    must(net,
         ent_frontier_read(net->nodes[from].store, net_space(net, space, from),
                           &heads, &count, &err),
         &err, "frontier");
    at = calloc(count + 1, sizeof(*at));
    prev = calloc(count + 1, sizeof(*prev));
    for (size_t i = 0; i < count; i++)
        at[i] = 1;
    for (left = count; left > 0;) {
        size_t i = (size_t)ent_rand_below(rand, left);

        if (at[i] <= heads[i].seq) {
            take_some(net, from, to, space, &heads[i], &at[i], &prev[i], rand);
            continue;
        }
        left--;
        heads[i] = heads[left];
        at[i] = at[left];
        prev[i] = prev[left];
    }
    free(heads);
    free(at);
    free(prev);
}

void inv_replay(struct net *net, int node, int space, struct ent_rand *rand)
{
    struct ent_invite invite = {.space = net->spaces[space],
                                .chair = net->nodes[0].keys.public,
                                .handle = "replay"};
    bool disks = net->disks;
    struct ent_err err;
    int64_t number;
    int fresh;

    net->disks = false;
    fresh = net_add(net);
    net->disks = disks;
    must(net, ent_space_expect(net->nodes[fresh].store, &invite, &number, &err),
         &err, "expect");
    net_copy_roster(net, space, node, fresh);
    replay_heads(net, node, fresh, space, rand);
    if (!net_equal(net, node, fresh, space))
        net_die(net, "I4: space %d replayed gives another digest", space);
    net_stop(net, fresh);
}
