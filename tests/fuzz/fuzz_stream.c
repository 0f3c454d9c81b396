/* fuzz_stream.c - a whole node, and a peer that says anything. The peer is the
 * chair of the node's only space: its key is known here, so the harness can
 * finish what a fuzzer cannot guess.
 *
 *   stream := (length, 2 bytes big-endian ‖ message)...
 *   message := a frame, whose tag is made right
 *            | 0xf0 packed entries, each with its length before it: chained,
 *              signed and sent as news
 *            | 0xf1 body of a roster entry: signed and sent
 *            | 0xf2 time passes
 *            | 0xf3 body of a signed frontier: signed and sent */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sim/net.h"
#include "codec/entry.h"
#include "codec/roster.h"
#include "secure/hash.h"
#include "store/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONN 1
#define PEER 0
#define NODE 1
#define ENTRIES_MAX 32

/* A file of the home as it was before the first input. */
struct kept {
    char path[320];
    uint8_t *bytes;
    size_t len;
};

static struct net *net;
static struct kept files[2];
static int64_t rows_before;

struct stream {
    struct ent_engine *engine;
    struct ent_hash8 tag;
    int64_t mono_ms;
    uint64_t seq;         /* of the peer's log */
    struct ent_hash head; /* of the peer's log */
    uint64_t roster_pos;  /* entries of ours that were sent */
    struct ent_hash roster_head;
    bool dropped;
};

static const char all_rows[] =
    "SELECT (SELECT count(*) FROM log) + (SELECT count(*) FROM roster) + "
    "(SELECT ifnull(sum(counter), 0) FROM frontier)";

static void keep(struct kept *file, const char *name)
{
    FILE *in;

    snprintf(file->path, sizeof(file->path), "%s/%s", net->nodes[NODE].home,
             name);
    in = fopen(file->path, "rb");
    if (in == NULL)
        abort();
    file->bytes = malloc(16 << 20);
    file->len = fread(file->bytes, 1, 16 << 20, in);
    fclose(in);
}

/* In place: another file would be a copy (rule N2). */
static void put_back(const struct kept *file)
{
    FILE *out = fopen(file->path, "wb");

    if (out == NULL || fwrite(file->bytes, 1, file->len, out) != file->len ||
        fclose(out) != 0)
        abort();
}

static void open_node(void)
{
    net_start(net, NODE);
    ent_engine_free(net->nodes[NODE].engine);
    net->nodes[NODE].engine = NULL;
}

static void clear(void)
{
    net_free(net);
    net_end();
    for (size_t i = 0; i < ENT_ARRAY_LEN(files); i++)
        free(files[i].bytes);
}

static void prepare(void)
{
    int space;

    if (net != NULL)
        return;
    net_begin();
    net = net_new(1);
    net_add(net);
    net_add(net);
    space = net_found(net, PEER);
    net_admit(net, space, PEER, NODE, ENT_ROLE_EDITOR);
    net_set(net, NODE, space, 1, NET_TITLE, "own");
    net_set(net, NODE, space, 2, NET_NOTE, "own too");
    net_digest(net, NODE, space);
    net_stop(net, PEER);
    net_stop(net, NODE);
    keep(&files[0], "replica.db");
    keep(&files[1], "high-water");
    open_node();
    rows_before = net_rows(net, NODE, all_rows);
    atexit(clear);
}

/* Only a few inputs change the replica; the others leave it as it is. */
static void restore(void)
{
    if (net_rows(net, NODE, all_rows) == rows_before)
        return;
    net_stop(net, NODE);
    for (size_t i = 0; i < ENT_ARRAY_LEN(files); i++)
        put_back(&files[i]);
    open_node();
}

/* ----------------------------------------------------------------- talking */

static void step(struct stream *stream, struct ent_event *event)
{
    struct ent_effects effects;
    const struct ent_effect *effect;
    struct ent_err err;

    stream->mono_ms += 100;
    event->conn = CONN;
    event->mono_ms = stream->mono_ms;
    event->now_ms = NET_START_MS + stream->mono_ms;
    if (ent_engine_step(stream->engine, event, &effects, &err) < 0) {
        fprintf(stderr, "step: %s\n", err.text);
        abort();
    }
    while ((effect = ent_effects_next(&effects)) != NULL) {
        ENT_ASSERT(effect->type != ENT_EFFECT_NOTE ||
                   (effect->note != ENT_NOTE_STORAGE &&
                    effect->note != ENT_NOTE_DIVERGED));
        stream->dropped |= effect->type == ENT_EFFECT_DROP;
    }
}

static void say_bytes(struct stream *stream, struct ent_slice bytes)
{
    struct ent_event event = {.type = ENT_EVENT_FRAME, .frame = bytes};

    if (!stream->dropped)
        step(stream, &event);
}

static void say(struct stream *stream, struct ent_frame *frame)
{
    struct ent_buf bytes = {0};

    frame->tag = stream->tag;
    ent_frame_put(&bytes, frame);
    say_bytes(stream, ent_buf_slice(&bytes));
    ent_buf_fini(&bytes);
}

static void say_hello(struct stream *stream)
{
    uint8_t message[ENT_ID_BYTES + 2 * ENT_KEY_BYTES + 8] = {0};
    uint8_t slot[16] = {0};
    struct ent_frame hello = {.type = ENT_FRAME_HELLO,
                              .version = ENT_PROTOCOL_VERSION,
                              .time_ms = NET_START_MS,
                              .digests = {slot, sizeof(slot)}};
    struct ent_event up = {
        .type = ENT_EVENT_UP,
        .curve = net->nodes[PEER].keys.curve_public,
    };

    memcpy(message, net->spaces[0].b, ENT_ID_BYTES);
    memcpy(message + ENT_ID_BYTES, net->nodes[PEER].keys.curve_public.b,
           ENT_KEY_BYTES);
    memcpy(message + ENT_ID_BYTES + ENT_KEY_BYTES,
           net->nodes[NODE].keys.curve_public.b, ENT_KEY_BYTES);
    stream->tag = ent_hash8_of(ent_slice(message, sizeof(message)));
    memcpy(slot, stream->tag.b, sizeof(stream->tag.b));
    step(stream, &up);
    say(stream, &hello);
}

/* --------------------------------------------------------------- finishing */

/* Chain and sign; what does not decode goes as it is. */
static void say_entries(struct stream *stream, struct ent_slice bytes)
{
    struct ent_slice entries[ENTRIES_MAX];
    struct ent_frame_run run = {.author = net->nodes[PEER].keys.public,
                                .origin = {{9}},
                                .from = stream->seq + 1,
                                .prev = ent_hash_head(&stream->head),
                                .entries = entries};
    struct ent_frame frame = {.type = ENT_FRAME_NEWS};
    struct ent_frontier_head head = {.author = run.author,
                                     .origin = run.origin};
    struct ent_arena arena = {0};
    struct ent_seal seal = {0};
    struct ent_buf packed = {0};
    struct ent_sig sig = {{0}};

    while (bytes.len >= 2 && run.entry_count < ENTRIES_MAX) {
        size_t len = (size_t)bytes.at[0] << 8 | bytes.at[1];
        struct ent_entry entry = {.space = net->spaces[0],
                                  .author = run.author,
                                  .origin = run.origin,
                                  .seq = stream->seq + 1,
                                  .prev = stream->head};

        len = len > bytes.len - 2 ? bytes.len - 2 : len;
        entries[run.entry_count] = ent_slice(bytes.at + 2, len);
        bytes = ent_slice(bytes.at + 2 + len, bytes.len - 2 - len);
        if (ent_entry_get(entries[run.entry_count++], &arena, &entry, NULL) <
                0 ||
            ent_seal_entry(&seal, &entry, &stream->head, NULL) < 0)
            break;
        stream->seq++;
    }
    if (run.entry_count > 0) {
        ent_sign(&net->nodes[PEER].keys, ent_buf_slice(&seal.header), &sig);
        run.sig = ent_slice(sig.b, sizeof(sig.b));
        head.seq = run.from + run.entry_count - 1;
        head.hash = ent_hash_head(&stream->head);
        ent_runs_put(&packed, &run, 1);
        frame.heads = &head;
        frame.head_count = 1;
        frame.runs = ent_buf_slice(&packed);
        say(stream, &frame);
    }
    ent_buf_fini(&packed);
    ent_seal_fini(&seal);
    ent_arena_fini(&arena);
}

static void say_roster(struct stream *stream, struct ent_slice body)
{
    struct ent_entry head = {.space = net->spaces[0],
                             .author = net->nodes[PEER].keys.public,
                             .seq = stream->roster_pos + 1,
                             .prev = stream->roster_head,
                             .time_ms = NET_START_MS};
    struct ent_hash hash = ent_hash_of(body);
    struct ent_buf header = {0};
    struct ent_sig sig;
    struct ent_frame_roster entry = {.body = body};
    struct ent_frame frame = {.type = ENT_FRAME_ROSTER,
                              .roster = &entry,
                              .roster_count = 1,
                              .last = true};

    ent_header_put(&header, ENT_ROSTER_TAG, &head, &hash);
    ent_sign(&net->nodes[PEER].keys, ent_buf_slice(&header), &sig);
    entry.header = ent_buf_slice(&header);
    entry.sig = ent_slice(sig.b, sizeof(sig.b));
    stream->roster_pos++;
    stream->roster_head = ent_hash_of(entry.header);
    if (body.len <= ENT_ROSTER_BYTES_MAX)
        say(stream, &frame);
    ent_buf_fini(&header);
}

static void say_frontier(struct stream *stream, struct ent_slice body)
{
    struct ent_arena arena = {0};
    struct ent_frontier frontier;
    struct ent_frame_said said = {.key = net->nodes[PEER].keys.public,
                                  .body = body};
    struct ent_frame frame = {
        .type = ENT_FRAME_SAID, .said = &said, .said_count = 1};
    struct ent_buf made = {0};
    struct ent_sig sig;

    if (ent_frontier_get(body, &arena, &frontier, NULL) == 0) {
        frontier.space = net->spaces[0];
        frontier.key = said.key;
        said.counter = frontier.counter;
        ent_frontier_put(&made, &frontier);
        said.body = ent_buf_slice(&made);
    }
    ent_sign(&net->nodes[PEER].keys, said.body, &sig);
    said.sig = ent_slice(sig.b, sizeof(sig.b));
    say(stream, &frame);
    ent_buf_fini(&made);
    ent_arena_fini(&arena);
}

static void say_frame(struct stream *stream, struct ent_slice bytes)
{
    uint8_t *copy = malloc(bytes.len + 1);

    if (copy == NULL)
        abort();
    memcpy(copy, bytes.at, bytes.len);
    if (bytes.len >= 12 && copy[2] == 0xc4 && copy[3] == 8)
        memcpy(copy + 4, stream->tag.b, sizeof(stream->tag.b));
    say_bytes(stream, ent_slice(copy, bytes.len));
    free(copy);
}

static void say_message(struct stream *stream, struct ent_slice bytes)
{
    struct ent_slice rest;
    struct ent_event tick = {.type = ENT_EVENT_TICK};

    if (bytes.len == 0)
        return;
    rest = ent_slice(bytes.at + 1, bytes.len - 1);
    switch (bytes.at[0]) {
    case 0xf0:
        say_entries(stream, rest);
        break;
    case 0xf1:
        say_roster(stream, rest);
        break;
    case 0xf2:
        stream->mono_ms += rest.len > 0 ? rest.at[0] * 1000 : 1000;
        step(stream, &tick);
        break;
    case 0xf3:
        say_frontier(stream, rest);
        break;
    default:
        say_frame(stream, bytes);
        break;
    }
}

/* ---------------------------------------------------------------- checking */

static void check(void)
{
    struct ent_peer peer = net_peer(net, NODE, PEER);
    struct ent_digest before;
    struct ent_digest after;
    struct ent_err err;

    ENT_ASSERT(peer.received == peer.applied + peer.duplicate +
                                    peer.quarantined + peer.refused +
                                    peer.waiting);
    if (net_rows(net, NODE, all_rows) == rows_before)
        return;
    before = net_digest(net, NODE, 0);
    if (ent_store_rebuild(net->nodes[NODE].store, &err) < 0) {
        fprintf(stderr, "rebuild: %s\n", err.text);
        abort();
    }
    after = net_digest(net, NODE, 0);
    ENT_ASSERT(memcmp(before.state, after.state, sizeof(after.state)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ent_engine_options options = {.dial_seconds = 5};
    struct stream stream = {.mono_ms = 1000};
    struct ent_event down = {.type = ENT_EVENT_DOWN};
    struct ent_space info;
    struct ent_err err;

    prepare();
    if (ent_engine_new(net->nodes[NODE].store, &net->nodes[NODE].rand, &options,
                       &stream.engine, &err) < 0 ||
        ent_space_read(net->nodes[NODE].store, net_space(net, 0, NODE), &info,
                       &err) < 0)
        abort();
    stream.roster_pos = info.roster_pos;
    stream.roster_head = info.roster_head;
    say_hello(&stream);
    while (size >= 2) {
        size_t len = (size_t)data[0] << 8 | data[1];

        len = len > size - 2 ? size - 2 : len;
        say_message(&stream, ent_slice(data + 2, len));
        data += 2 + len;
        size -= 2 + len;
    }
    step(&stream, &down);
    ent_engine_free(stream.engine);
    check();
    restore();
    return 0;
}
