/* fuzz_session.c - members with real keys say what the input tells them, to a
 * real engine on a real replica: entries that replace, add, remove, delete and
 * fork, in runs that are whole, out of order or told twice; roster entries,
 * frontiers, questions. All is well formed and signed, so that it reaches the
 * merge. Meanwhile the node writes too.
 *
 * In the end its counters add up, `verify` and `rebuild` find nothing, and a
 * node that gets everything from it is equal.
 *
 *   input := who (1) step...
 *   step  := what (1) ...    see enum what */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "secure/hash.h"
#include "store/seal.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONN 1
#define NODE 0
#define OTHER 1
#define STEPS_MAX 60
#define OWN_MAX 40   /* entries of one author */
#define KNOWN_MAX 96 /* entries that others may name */
#define RUNS_MAX 16
#define REFS_MAX 4
#define CHANGES_MAX 3
#define OPS_MAX 6

enum what {
    ADD_ENTRY, /* and the next three */
    SEND = 4,
    TIME,
    ADMIT,
    FRONTIER,
    LOCAL,
    RECONNECT,
    RAW,
    ASK,
    WHATS,
};

struct author {
    struct ent_hash heads[OWN_MAX + 1]; /* 0: before the first */
    size_t count;
};

struct session {
    struct ent_engine *engine;
    struct ent_arena arena;
    struct ent_hash8 tag;
    enum world_member who;
    int64_t mono_ms;
    uint8_t nonce;
    bool up, settled;
    struct author authors[WORLD_MEMBERS];
    struct ent_ref known[KNOWN_MAX];
    size_t known_count;
    struct ent_frame_run runs[RUNS_MAX];
    struct ent_hash ends[RUNS_MAX];
    struct ent_slice entries[RUNS_MAX][OWN_MAX];
    struct ent_slice headers[RUNS_MAX]; /* of their last entries */
    enum world_member by[RUNS_MAX];
    size_t run_count;
    uint64_t roster_pos;
    struct ent_hash roster_head;
};

/* ----------------------------------------------------------------- talking */

static void step(struct session *session, struct ent_event *event)
{
    struct ent_effects effects;
    const struct ent_effect *effect;
    struct ent_err err;

    session->mono_ms += 100;
    event->conn = CONN;
    event->mono_ms = session->mono_ms;
    event->now_ms = NET_START_MS + session->mono_ms;
    world_must(ent_engine_step(session->engine, event, &effects, &err), &err,
               "step");
    while ((effect = ent_effects_next(&effects)) != NULL) {
        struct ent_frame frame;

        if (effect->type == ENT_EFFECT_SEND)
            world_must(
                ent_frame_get(effect->frame, &session->arena, &frame, &err),
                &err, "what the node sends");
        ENT_ASSERT(effect->type != ENT_EFFECT_NOTE ||
                   effect->note != ENT_NOTE_STORAGE);
        ENT_ASSERT(effect->type != ENT_EFFECT_NOTE || session->settled ||
                   effect->note != ENT_NOTE_DIVERGED);
        session->up &= effect->type != ENT_EFFECT_DROP;
    }
}

static void say_bytes(struct session *session, struct ent_slice bytes)
{
    struct ent_event event = {.type = ENT_EVENT_FRAME, .frame = bytes};

    if (session->up)
        step(session, &event);
}

static void say(struct session *session, struct ent_frame *frame)
{
    struct ent_buf bytes = {0};

    frame->tag = session->tag;
    ent_frame_put(&bytes, frame);
    say_bytes(session, ent_buf_slice(&bytes));
    ent_buf_fini(&bytes);
}

static void connect_as(struct session *session, enum world_member who)
{
    uint8_t message[ENT_ID_BYTES + 2 * ENT_KEY_BYTES + 8] = {0};
    uint8_t slot[16] = {0};
    struct ent_frame hello = {.type = ENT_FRAME_HELLO,
                              .version = ENT_PROTOCOL_VERSION,
                              .time_ms = NET_START_MS,
                              .digests = {slot, sizeof(slot)}};
    struct ent_event up = {.type = ENT_EVENT_UP,
                           .curve = world.keys[who].curve_public};
    struct ent_event down = {.type = ENT_EVENT_DOWN};

    if (session->nonce > 0)
        step(session, &down);
    session->who = who;
    session->up = true;
    hello.nonce[0] = ++session->nonce;
    memcpy(message, world.id.b, ENT_ID_BYTES);
    memcpy(message + ENT_ID_BYTES, world.keys[who].curve_public.b,
           ENT_KEY_BYTES);
    memcpy(message + ENT_ID_BYTES + ENT_KEY_BYTES,
           world.net->nodes[NODE].keys.curve_public.b, ENT_KEY_BYTES);
    memcpy(message + ENT_ID_BYTES + 2 * ENT_KEY_BYTES, hello.nonce, 8);
    session->tag = ent_hash8_of(ent_slice(message, sizeof(message)));
    memcpy(slot, session->tag.b, sizeof(session->tag.b));
    step(session, &up);
    say(session, &hello);
}

/* ------------------------------------------------------------ making entries
 */

static int compare_refs(const void *a, const void *b)
{
    return ent_ref_cmp(a, b);
}

static int compare_ops(const void *a, const void *b)
{
    const struct ent_op *x = a;
    const struct ent_op *y = b;

    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    return x->code < y->code ? -1 : x->code > y->code;
}

static int compare_changes(const void *a, const void *b)
{
    const struct ent_change *x = a;
    const struct ent_change *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return ent_id_cmp(&x->id, &y->id);
}

/* Entries to name, out of all that were said. */
static void choose_refs(struct session *session, struct world_input *input,
                        struct ent_entry *entry, uint8_t count)
{
    struct ent_ref *refs =
        ENT_ARENA_NEW(&session->arena, struct ent_ref, REFS_MAX);
    size_t kept = 0;

    for (size_t i = 0; i < count % (REFS_MAX + 1); i++) {
        uint8_t at = world_u8(input);

        if (at < session->known_count)
            refs[kept++] = session->known[at];
        else if (at > 250) /* an entry nobody has */
            refs[kept++] =
                (struct ent_ref){.origin = {{77}}, .seq = at, .hash = {{at}}};
    }
    qsort(refs, kept, sizeof(*refs), compare_refs);
    for (size_t i = 0; i < kept; i++)
        if (entry->ref_count == 0 ||
            ent_ref_cmp(&refs[entry->ref_count - 1], &refs[i]) != 0)
            refs[entry->ref_count++] = refs[i];
    entry->refs = refs;
}

/* One bit for each reference, and which of its writes. */
static void choose_seen(struct session *session, const struct ent_entry *entry,
                        struct ent_op *op, uint8_t mask)
{
    struct ent_seen *seen =
        ENT_ARENA_NEW(&session->arena, struct ent_seen, REFS_MAX);

    for (uint32_t i = 0; i < entry->ref_count; i++)
        if (mask & 1 << i)
            seen[op->seen_count++] =
                (struct ent_seen){.ref = i, .ordinal = mask >> 6};
    op->seen = seen;
}

static struct ent_value choose_value(struct world_input *input)
{
    uint8_t what = world_u8(input);

    switch (what % 6) {
    case 0:
        return ent_value_text(world_bytes(input));
    case 1:
        return ent_value_int((int8_t)world_u8(input));
    case 2:
        return ent_value_decimal(world_u8(input), 1 + what / 64);
    case 3:
        return ent_value_nil();
    case 4:
        return ent_value_bool(what & 64);
    default:
        return ent_value_text(ent_slice_str(what & 64 ? "same" : "other"));
    }
}

static void choose_ops(struct session *session, struct world_input *input,
                       const struct ent_entry *entry, struct ent_change *change,
                       size_t count)
{
    struct ent_op *ops =
        ENT_ARENA_NEW(&session->arena, struct ent_op, OPS_MAX + 1);
    uint8_t life = world_u8(input);

    ops[0].code = life & 32 ? ENT_OP_DEAD : ENT_OP_LIVE;
    choose_seen(session, entry, &ops[0], life);
    change->op_count = 1;
    for (size_t i = 0; i < count % (OPS_MAX + 1); i++) {
        struct ent_op *op = &ops[change->op_count++];
        uint8_t what = world_u8(input);

        op->code = ENT_OP_WRITE + what % 3;
        op->field = 1 + what / 3 % 6;
        if (op->code != ENT_OP_ADD)
            choose_seen(session, entry, op, world_u8(input));
        if (ent_op_bears_value(op->code))
            op->value = choose_value(input);
    }
    qsort(ops + 1, change->op_count - 1, sizeof(*ops), compare_ops);
    change->ops = ops;
}

static void choose_changes(struct session *session, struct world_input *input,
                           struct ent_entry *entry)
{
    struct ent_change *changes =
        ENT_ARENA_NEW(&session->arena, struct ent_change, CHANGES_MAX);
    uint8_t shape = world_u8(input);

    choose_refs(session, input, entry, shape / 4);
    for (size_t i = 0; i < 1 + shape % (size_t)CHANGES_MAX; i++) {
        uint8_t what = world_u8(input);

        changes[i].kind = what & 128 ? NET_KIND + 1 : NET_KIND;
        changes[i].id = net_record(what % 4);
        choose_ops(session, input, entry, &changes[i], what / 4 % 8);
    }
    entry->change_count = 1 + shape % (size_t)CHANGES_MAX;
    qsort(changes, entry->change_count, sizeof(*changes), compare_changes);
    entry->changes = changes;
}

/* Without its values an entry that writes is none. */
static void put_values(struct session *session, struct ent_entry *entry)
{
    for (size_t i = 0; i < entry->change_count; i++) {
        struct ent_change *change = &entry->changes[i];
        struct ent_buf values = {0};

        change->has_commitment =
            ent_values_put(&values, change->ops, change->op_count) > 0;
        change->values =
            ent_arena_copy(&session->arena, ent_buf_slice(&values));
        ent_buf_fini(&values);
    }
}

static void know(struct session *session, const struct ent_id *origin,
                 uint64_t seq, const struct ent_hash *hash)
{
    if (session->known_count < KNOWN_MAX)
        session->known[session->known_count++] = (struct ent_ref){
            .origin = *origin, .seq = seq, .hash = ent_hash_head(hash)};
}

/* The run that an entry continues, or a new one; NULL when there is no room. */
static struct ent_frame_run *run_for(struct session *session,
                                     enum world_member by,
                                     const struct ent_entry *entry)
{
    size_t count = session->run_count;
    struct ent_frame_run *run;

    if (count > 0 && session->by[count - 1] == by &&
        ent_hash_equal(&session->ends[count - 1], &entry->prev)) {
        run = &session->runs[count - 1];
        if (run->from + run->entry_count == entry->seq)
            return run;
    }
    if (count == RUNS_MAX)
        return NULL;
    run = &session->runs[count];
    *run = (struct ent_frame_run){.author = entry->author,
                                  .origin = entry->origin,
                                  .from = entry->seq,
                                  .prev = ent_hash_head(&entry->prev),
                                  .entries = session->entries[count]};
    session->by[session->run_count++] = by;
    return run;
}

static void add_entry(struct session *session, struct world_input *input)
{
    uint8_t what = world_u8(input);
    enum world_member by = (enum world_member)(what % WORLD_MEMBERS);
    struct author *author = &session->authors[by];
    /* A fork: once more under the last number. */
    size_t seq = author->count + (what & 4 && author->count > 0 ? 0 : 1);
    struct ent_entry entry = {.space = world.id,
                              .author = world.keys[by].public,
                              .origin = {{(uint8_t)(10 + by)}},
                              .seq = seq,
                              .time_ms = NET_START_MS + (int8_t)what * 1000,
                              .has_seed = true};
    struct ent_entry read;
    struct ent_frame_run *run;
    struct ent_seal seal = {0};
    struct ent_buf packed = {0};
    struct ent_hash hash;

    if (seq > OWN_MAX)
        return;
    entry.prev = author->heads[seq - 1];
    entry.roster_pos = what & 8 ? session->roster_pos : world.roster_pos;
    entry.roster_hash =
        ent_hash_head(what & 8 ? &session->roster_head : &world.roster_head);
    entry.seed[0] = what;
    choose_changes(session, input, &entry);
    put_values(session, &entry);
    ent_entry_put(&packed, &entry);
    read = entry;
    read.refs = NULL;
    read.ref_count = 0;
    if (packed.rc == 0 && ent_entry_fault(&entry) == NULL &&
        ent_entry_get(ent_arena_copy(&session->arena, ent_buf_slice(&packed)),
                      &session->arena, &read, NULL) == 0 &&
        ent_seal_entry(&seal, &read, &hash, NULL) == 0 &&
        (run = run_for(session, by, &entry)) != NULL) {
        size_t at = (size_t)(run - session->runs);

        session->entries[at][run->entry_count++] =
            ent_arena_copy(&session->arena, ent_buf_slice(&packed));
        session->headers[at] =
            ent_arena_copy(&session->arena, ent_buf_slice(&seal.header));
        session->ends[at] = hash;
        author->heads[seq] = hash;
        author->count = seq;
        know(session, &entry.origin, seq, &hash);
    }
    ent_seal_fini(&seal);
    ent_buf_fini(&packed);
}

/* ------------------------------------------------------------------ sending */

/* The node takes entries from whom it agrees with on the roster. */
static void agree(struct session *session)
{
    struct ent_frame frame = {.type = ENT_FRAME_OPEN};
    struct ent_digest digest;
    struct ent_err err;

    world_must(
        ent_digest_read(world_store(NODE), world.space[NODE], &digest, &err),
        &err, "digest");
    frame.roster8 = ent_hash_head(&digest.roster);
    say(session, &frame);
}

/* All runs made so far, or backwards, or without the first, or twice. */
static void send_runs(struct session *session, uint8_t how)
{
    struct ent_frame_run runs[2 * RUNS_MAX];
    struct ent_sig sigs[RUNS_MAX];
    struct ent_frontier_head heads[2 * RUNS_MAX];
    struct ent_frame frame = {.type = ENT_FRAME_NEWS, .heads = heads};
    struct ent_buf packed = {0};
    size_t count = 0;

    for (size_t i = how & 2 ? 1 : 0; i < session->run_count; i++) {
        size_t at = how & 1 ? session->run_count - 1 - i : i;
        struct ent_frame_run run = session->runs[at];

        ent_sign(&world.keys[session->by[at]], session->headers[at], &sigs[at]);
        sigs[at].b[0] ^= how & 16 ? 1 : 0;
        run.sig = ent_slice(sigs[at].b, sizeof(sigs[at].b));
        heads[count] = (struct ent_frontier_head){
            .author = run.author,
            .origin = run.origin,
            .seq = run.from + run.entry_count - 1,
            .hash = ent_hash_head(&session->ends[at])};
        runs[count++] = run;
        if (how & 4) {
            heads[count] = heads[count - 1];
            runs[count++] = run;
        }
    }
    if (count > 0) {
        if (!(how & 32))
            agree(session);
        ent_runs_put(&packed, runs, count);
        frame.head_count = count;
        frame.runs = ent_buf_slice(&packed);
        say(session, &frame);
    }
    ent_buf_fini(&packed);
    if (!(how & 8)) /* else they are told again */
        session->run_count = 0;
}

static void admit(struct session *session, struct world_input *input)
{
    uint8_t what = world_u8(input);
    struct ent_roster_entry admit = {.term = 1,
                                     .kind = ENT_ROSTER_ADMIT,
                                     .role = what & 4 ? ENT_ROLE_EDITOR
                                                      : ENT_ROLE_READER,
                                     .org = ent_slice("More", 4)};
    struct ent_hash head = session->roster_head;
    struct ent_roster_bytes bytes;
    struct ent_frame_roster entry;
    struct ent_frame frame = {.type = ENT_FRAME_ROSTER,
                              .roster = &entry,
                              .roster_count = 1,
                              .last = what & 8};
    struct ent_buf body = {0};

    admit.member = world.keys[what % WORLD_MEMBERS].public;
    ent_roster_body_put(&body, &admit);
    bytes = world_roster(WORLD_CHAIR, session->roster_pos + 1, &head,
                         ent_buf_slice(&body), &session->arena);
    ent_buf_fini(&body);
    entry = (struct ent_frame_roster){
        .header = bytes.header,
        .sig = ent_slice(bytes.sig.b, sizeof(bytes.sig.b)),
        .body = bytes.body};
    say(session, &frame);
    /* Else the next one forks the roster. A hole in it is a finding, so what
     * did not come is no head. */
    if (!(what & 16) &&
        ent_roster_read(world_store(NODE), world.space[NODE], &head,
                        &session->arena, &bytes, NULL) == 0) {
        session->roster_pos++;
        session->roster_head = head;
    }
}

static void tell_frontier(struct session *session, struct world_input *input)
{
    uint8_t what = world_u8(input);
    struct ent_frontier_head head = {
        .author = world.keys[1].public, .origin = {{11}}, .seq = 1 + what / 8};
    struct ent_frontier frontier = {.counter = what,
                                    .time_ms = NET_START_MS,
                                    .roster_pos = world.roster_pos,
                                    .heads = &head,
                                    .head_count = what & 4 ? 1 : 0};
    struct ent_said made = world_said((enum world_member)(what % WORLD_MEMBERS),
                                      &frontier, &session->arena);
    struct ent_frame_said said = {.key = made.key,
                                  .counter = made.counter,
                                  .body = made.body,
                                  .sig = ent_slice(made.sig.b, ENT_SIG_LEN)};
    struct ent_frame frame = {
        .type = ENT_FRAME_SAID, .said = &said, .said_count = 1};

    say(session, &frame);
}

/* ---------------------------------------------------------------- the node */

static void write_local(struct session *session, struct world_input *input)
{
    static const char *const texts[] = {"same", "other", "third"};
    uint8_t what = world_u8(input);
    struct ent_event event = {.type = ENT_EVENT_LOCAL};
    struct ent_head *heads;
    struct ent_err err;
    size_t count;

    world.net->spaces[0] = world.id;
    world.net->space_count = 1;
    switch (what / 4 % 4) {
    case 0:
        net_set(world.net, NODE, 0, what % 4, NET_TITLE, texts[what / 16 % 3]);
        break;
    case 1:
        net_tag(world.net, NODE, 0, what % 4, texts[what / 16 % 3], what & 128);
        break;
    case 2:
        net_life(world.net, NODE, 0, what % 4,
                 what & 128 ? ENT_EDIT_DELETE : ENT_EDIT_UNDELETE);
        break;
    default:
        net_set(world.net, NODE, 0, what % 4, NET_NOTE, texts[what / 16 % 3]);
        break;
    }
    step(session, &event);
    world_must(ent_frontier_read(world_store(NODE), world.space[NODE], &heads,
                                 &count, &err),
               &err, "frontier");
    for (size_t i = 0; i < count; i++)
        if (ent_key_equal(&heads[i].author,
                          &world.net->nodes[NODE].keys.public))
            know(session, &heads[i].origin, heads[i].seq, &heads[i].hash);
    free(heads);
}

/* ---------------------------------------------------------------- questions */

/* Every head we ever signed, as a frontier. */
static size_t list_heads(const struct session *session,
                         struct ent_frontier_head *heads)
{
    size_t count = 0;

    for (int i = 0; i < WORLD_MEMBERS; i++)
        if (session->authors[i].count > 0)
            heads[count++] = (struct ent_frontier_head){
                .author = world.keys[i].public,
                .origin = {{(uint8_t)(10 + i)}},
                .seq = session->authors[i].count,
                .hash = ent_hash_head(
                    &session->authors[i].heads[session->authors[i].count])};
    return count;
}

static void ask(struct session *session, struct world_input *input)
{
    uint8_t what = world_u8(input);
    struct ent_frontier_head heads[WORLD_MEMBERS];
    struct ent_frame_want want = {.author = world.keys[what / 16 % 4].public,
                                  .origin = {{(uint8_t)(10 + what / 16 % 4)}},
                                  .from = 1 + what / 64};
    struct ent_frame frame = {.heads = heads,
                              .has_heads = what & 128,
                              .last = what & 16,
                              .credit = what,
                              .wants = &want,
                              .want_count = 1};
    struct ent_digest digest;
    struct ent_err err;

    static const enum ent_frame_type types[] = {
        ENT_FRAME_OPEN,      ENT_FRAME_ROSTER_HAVE, ENT_FRAME_FRONTIER,
        ENT_FRAME_WANT,      ENT_FRAME_MORE,        ENT_FRAME_SETTLED,
        ENT_FRAME_SAID_HAVE, ENT_FRAME_RUNS};

    world_must(
        ent_digest_read(world_store(NODE), world.space[NODE], &digest, &err),
        &err, "digest");
    frame.type = types[what % 8];
    frame.head_count = list_heads(session, heads);
    frame.roster8 = ent_hash_head(&digest.roster);
    frame.entries8 = ent_hash_head(&digest.entries);
    memcpy(frame.state, digest.state, sizeof(frame.state));
    if (frame.type == ENT_FRAME_SETTLED && what & 8) {
        frame.state[0] ^= 1;
        session->settled = true;
    }
    say(session, &frame);
}

static void say_raw(struct session *session, struct ent_slice bytes)
{
    struct ent_slice copy = ent_arena_copy(&session->arena, bytes);
    struct ent_buf frame = {0};

    ent_buf_put_slice(&frame, copy);
    if (frame.len >= 12 && frame.at[2] == 0xc4 && frame.at[3] == 8)
        memcpy(frame.at + 4, session->tag.b, sizeof(session->tag.b));
    say_bytes(session, ent_buf_slice(&frame));
    ent_buf_fini(&frame);
}

static void do_step(struct session *session, struct world_input *input)
{
    struct ent_event tick = {.type = ENT_EVENT_TICK};
    uint8_t what = world_u8(input);

    switch (what % WHATS) {
    case SEND:
        send_runs(session, world_u8(input));
        break;
    case TIME:
        session->mono_ms += world_u8(input) * 1000;
        step(session, &tick);
        break;
    case ADMIT:
        admit(session, input);
        break;
    case FRONTIER:
        tell_frontier(session, input);
        break;
    case LOCAL:
        write_local(session, input);
        break;
    case RECONNECT:
        connect_as(session, (enum world_member)(what / WHATS % WORLD_MEMBERS));
        break;
    case RAW:
        say_raw(session, world_bytes(input));
        break;
    case ASK:
        ask(session, input);
        break;
    default:
        add_entry(session, input);
        break;
    }
}

/* ---------------------------------------------------------------- checking */

static void found(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "verify: %s\n", text);
}

static void copy_roster(void)
{
    struct ent_arena arena = {0};
    struct ent_hash *hashes;
    struct ent_err err;
    size_t count;

    world_must(ent_roster_hashes(world_store(NODE), world.space[NODE], &hashes,
                                 &count, &err),
               &err, "roster");
    for (size_t i = 0; i < count; i++) {
        struct ent_roster_bytes bytes;
        struct ent_taken taken;

        world_must(ent_roster_read(world_store(NODE), world.space[NODE],
                                   &hashes[i], &arena, &bytes, &err),
                   &err, "roster entry");
        world_must(ent_roster_take(world_store(OTHER), world.space[OTHER],
                                   &bytes, 1, 0, &taken, &err),
                   &err, "its roster entry");
        ENT_ASSERT(taken.refused == 0);
    }
    free(hashes);
    ent_arena_fini(&arena);
}

/* What the node holds of each log, as one run. */
static void copy_logs(void)
{
    static const struct ent_hash8 first;
    struct ent_arena arena = {0};
    struct ent_head *heads;
    struct ent_err err;
    size_t count;

    world_must(ent_frontier_read(world_store(NODE), world.space[NODE], &heads,
                                 &count, &err),
               &err, "frontier");
    for (size_t i = count; i-- > 0;) { /* the last log first */
        struct ent_run run;
        struct ent_taken taken;

        world_must(ent_run_read(world_store(NODE), heads[i].o, 1, &first,
                                1 << 20, &arena, &run, &err),
                   &err, "run");
        ENT_ASSERT(run.count == heads[i].seq);
        world_must(ent_runs_take(world_store(OTHER), world.space[OTHER], NULL,
                                 &run, 1, NET_START_MS, &taken, &err),
                   &err, "its run");
        ENT_ASSERT(taken.refused == 0 && taken.waiting == 0);
    }
    free(heads);
    ent_arena_fini(&arena);
}

/* Forks or not: every branch counts on every node (A8). */
static void check_copy(void)
{
    struct ent_digest here = net_digest(world.net, NODE, 0);
    struct ent_digest there;

    copy_roster();
    copy_logs();
    there = net_digest(world.net, OTHER, 0);
    ENT_ASSERT(ent_hash_equal(&here.roster, &there.roster));
    ENT_ASSERT(ent_hash_equal(&here.entries, &there.entries));
    ENT_ASSERT(memcmp(here.state, there.state, sizeof(here.state)) == 0);
}

static void check(void)
{
    struct ent_digest before = net_digest(world.net, NODE, 0);
    struct ent_digest after;
    struct ent_err err;

    for (int i = 0; i < WORLD_MEMBERS; i++) {
        struct ent_peer *peers;
        size_t count;

        world_must(ent_peer_list(world_store(NODE), &peers, &count, &err), &err,
                   "peers");
        for (size_t j = 0; j < count; j++)
            ENT_ASSERT(peers[j].received ==
                       peers[j].applied + peers[j].duplicate +
                           peers[j].quarantined + peers[j].refused +
                           peers[j].waiting);
        free(peers);
    }
    ENT_ASSERT(ent_store_verify(world_store(NODE), true, found, NULL, &err) ==
               0);
    world_must(ent_store_rebuild(world_store(NODE), &err), &err, "rebuild");
    after = net_digest(world.net, NODE, 0);
    ENT_ASSERT(memcmp(before.state, after.state, sizeof(after.state)) == 0);
    check_copy();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ent_engine_options options = {.dial_seconds = 5};
    struct world_input input = {data, size};
    struct session *session = calloc(1, sizeof(*session));
    struct ent_event down = {.type = ENT_EVENT_DOWN};
    struct ent_err err;

    if (session == NULL)
        abort();
    world_open();
    world_found();
    world.net->spaces[0] = world.id;
    world.net->space_count = 1;
    session->mono_ms = 1000;
    session->roster_pos = world.roster_pos;
    session->roster_head = world.roster_head;
    world_must(ent_engine_new(world_store(NODE), &world.net->nodes[NODE].rand,
                              &options, &session->engine, &err),
               &err, "engine");
    connect_as(session, (enum world_member)(world_u8(&input) % WORLD_MEMBERS));
    for (int i = 0; i < STEPS_MAX && input.len > 0; i++)
        do_step(session, &input);
    send_runs(session, 0);
    step(session, &down);
    ent_engine_free(session->engine);
    check();
    ent_arena_fini(&session->arena);
    free(session);
    world_purge();
    return 0;
}
