/* seeds.c - writes the corpora entry, frame and stream from real encodings:
 * seeds DIRECTORY. Run by hand when the format changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sim/net.h"
#include "codec/entry.h"
#include "codec/roster.h"
#include "codec/value.h"
#include "history.h"
#include "secure/hash.h"
#include "store/members.h"

static const char *dir;

static void write_seed(const char *corpus, const char *name,
                       const struct ent_buf *bytes)
{
    char path[512];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%s/%s", dir, corpus, name);
    out = fopen(path, "wb");
    if (out == NULL || fwrite(bytes->at, 1, bytes->len, out) != bytes->len ||
        fclose(out) != 0) {
        perror(path);
        exit(1);
    }
}

static void write_one(const char *corpus, const char *name, int number,
                      uint8_t first, struct ent_slice bytes)
{
    struct ent_buf all = {0};
    char full[64];

    snprintf(full, sizeof(full), "%s-%d", name, number);
    ent_buf_put_u8(&all, first);
    ent_buf_put_slice(&all, bytes);
    write_seed(corpus, full, &all);
    ent_buf_fini(&all);
}

static void entries(void)
{
    static const struct ent_value values[] = {
        {.type = ENT_VALUE_NIL},
        {.type = ENT_VALUE_BOOL, .integer = 1},
        {.type = ENT_VALUE_INT, .integer = -70000},
        {.type = ENT_VALUE_DECIMAL, .integer = 125, .scale = 1},
        {.type = ENT_VALUE_TEXT, .bytes = {(const uint8_t *)"\xc3\xa9t", 3}},
        {.type = ENT_VALUE_BYTES,
         .bytes = {(const uint8_t *)"0123456789abcdef", 16}},
    };
    int number = 0;

    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct history history;

        history_make(&history, seed, false);
        for (size_t i = 0; i < history.count && i < 5; i++) {
            uint8_t which = history.entries[i].entry.seq == 1 ? 0 : 1;

            write_one("entry", "entry", number++, which,
                      history.entries[i].packed);
            if (i < 2)
                write_one("entry", "header", number, 2,
                          history.entries[i].header);
            if (history.entries[i].stub.len > 0 && i < 2)
                write_one("entry", "stub", number, which,
                          history.entries[i].stub);
        }
        write_one("entry", "roster-header", number, 3,
                  history.roster_bytes[1].header);
        for (size_t i = 0; i < 2; i++)
            write_one("entry", "roster-body", number + (int)i, 4,
                      history.roster_bytes[i].body);
        history_fini(&history);
    }
    for (size_t i = 0; i < ENT_ARRAY_LEN(values); i++) {
        struct ent_buf bytes = {0};

        ent_value_put(&bytes, &values[i]);
        write_one("entry", "value", (int)i, 5, ent_buf_slice(&bytes));
        ent_buf_fini(&bytes);
    }
}

/* ------------------------------------------------------------------ frames */

static struct ent_buf stream; /* what the chair said */
static bool recording;
static int of_type[32];

static bool record(struct net *net, int from, int to, struct ent_slice bytes)
{
    struct ent_arena arena = {0};
    struct ent_frame frame;

    (void)net;
    (void)to;
    if (ent_frame_get(bytes, &arena, &frame, NULL) == 0 &&
        of_type[frame.type]++ < 2) {
        char name[32];

        snprintf(name, sizeof(name), "type-%02d", frame.type);
        write_one("frame", name, of_type[frame.type], 0, bytes);
        if (frame.runs.len > 0)
            write_one("frame", "packed", of_type[frame.type], 1, frame.runs);
    }
    ent_arena_fini(&arena);
    if (recording && from == 0 && bytes.len < 65536) {
        ent_buf_put_u8(&stream, (uint8_t)(bytes.len >> 8));
        ent_buf_put_u8(&stream, (uint8_t)bytes.len);
        ent_buf_put_slice(&stream, bytes);
    }
    return true;
}

static void write_stream(const char *name)
{
    write_seed("stream", name, &stream);
    ent_buf_reset(&stream);
}

/* A message that the harness finishes. */
static void put_message(uint8_t mark, struct ent_slice bytes, bool with_length)
{
    size_t len = 1 + bytes.len + (with_length ? 2 : 0);

    ent_buf_put_u8(&stream, (uint8_t)(len >> 8));
    ent_buf_put_u8(&stream, (uint8_t)len);
    ent_buf_put_u8(&stream, mark);
    if (with_length) {
        ent_buf_put_u8(&stream, (uint8_t)(bytes.len >> 8));
        ent_buf_put_u8(&stream, (uint8_t)bytes.len);
    }
    ent_buf_put_slice(&stream, bytes);
}

static void put_own_log(struct net *net, int space, int node)
{
    static const struct ent_hash8 first;
    struct ent_arena arena = {0};
    struct ent_head *heads;
    struct ent_run run = {0};
    size_t count;

    if (ent_frontier_read(net->nodes[node].store, net_space(net, space, node),
                          &heads, &count, NULL) < 0 ||
        count == 0 ||
        ent_run_read(net->nodes[node].store, heads[0].o, 1, &first, 1 << 18,
                     &arena, &run, NULL) < 0)
        exit(1);
    for (size_t i = 0; i < run.count; i++)
        put_message(0xf0, run.entries[i], true);
    free(heads);
    ent_arena_fini(&arena);
}

static void put_said(struct net *net, int space, int node)
{
    struct ent_arena arena = {0};
    struct ent_said *said;
    size_t count;

    if (ent_said_update(net->nodes[node].store, net_space(net, space, node),
                        NET_START_MS, NULL) < 0 ||
        ent_said_list(net->nodes[node].store, net_space(net, space, node),
                      &arena, &said, &count, NULL) < 0)
        exit(1);
    for (size_t i = 0; i < count; i++) {
        put_message(0xf3, said[i].body, false);
        write_one("entry", "frontier", (int)i, 6, said[i].body);
    }
    ent_arena_fini(&arena);
}

/* What the chair does not hold of a member that it removes, from another. */
static void offer(struct net *net, int space)
{
    net_drop(net, 0, 1);
    net_cut(net, 0, 1);
    net_cut(net, 0, 2);
    net_set(net, 1, space, 1, NET_TITLE, "unseen");
    net_copy_roster(net, space, 0, 1);
    net_local(net, 1);
    net_call(net, 2, 1);
    net_run_quiet(net, 60000);
    if (ent_member_remove(net->nodes[0].store, net_space(net, space, 0),
                          &net->nodes[1].keys.public, "", net_now(net, 0),
                          NULL) < 0)
        exit(1);
    net_local(net, 0);
    net_heal(net, 0, 2);
    net_call(net, 2, 0);
    net_run_quiet(net, 60000);
}

static void frames(void)
{
    struct ent_roster_entry admit = {.term = 1,
                                     .kind = ENT_ROSTER_ADMIT,
                                     .role = ENT_ROLE_EDITOR,
                                     .org = {(const uint8_t *)"Org", 3}};
    struct net *net;
    struct ent_buf body = {0};
    struct ent_buf line;
    int space;

    net_begin();
    net = net_new(3);
    net->posted = record;
    net_add(net);
    net_add(net);
    net_add(net);
    space = net_found(net, 0);
    net_set(net, 0, space, 1, NET_TITLE, "one");
    net_set(net, 0, space, 1, NET_TITLE, "two");
    net_tag(net, 0, space, 1, "red", false);
    net_tag(net, 0, space, 1, "blue", false);
    net_tag(net, 0, space, 1, "red", true);
    net_life(net, 0, space, 1, ENT_EDIT_DELETE);
    net_life(net, 0, space, 1, ENT_EDIT_UNDELETE);
    line = net_invite(net, space, 0, ENT_ROLE_EDITOR, NET_START_MS * 2);
    net_join(net, 1, ent_buf_cstr(&line));
    recording = true;
    net_run_quiet(net, 60000);
    write_stream("joined");
    net_set(net, 1, space, 1, NET_TITLE, "three");
    net_set(net, 0, space, 2, NET_NOTE, "four");
    net_run_quiet(net, 60000);
    write_stream("news");
    net_drop(net, 0, 1);
    net_set(net, 0, space, 2, NET_NOTE, "five");
    net_fill(net, 0, space, 10, 20);
    net_admit(net, space, 0, 2, ENT_ROLE_READER);
    net_call(net, 0, 1);
    net_run_quiet(net, 60000);
    write_stream("behind");
    net_drop(net, 0, 1);
    net_call(net, 0, 1);
    net_run_quiet(net, 60000);
    write_stream("equal");
    recording = false;
    put_own_log(net, space, 0);
    write_stream("entries");
    put_said(net, space, 1);
    write_stream("frontiers");
    admit.member = net->nodes[2].keys.public;
    ent_roster_body_put(&body, &admit);
    put_message(0xf1, ent_buf_slice(&body), false);
    put_own_log(net, space, 0);
    put_message(0xf2, ent_slice("\x02", 1), false);
    put_said(net, space, 1);
    write_stream("all");
    offer(net, space);
    ent_buf_fini(&body);
    ent_buf_fini(&line);
    ent_buf_fini(&stream);
    net_free(net);
    net_end();
}

int main(int argc, char **argv)
{
    struct ent_err err;

    if (argc != 2 || ent_secure_init(&err) < 0) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    dir = argv[1];
    frames();
    entries();
    return 0;
}
