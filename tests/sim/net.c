/* net.c - see net.h. */
#include "net.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secure/hash.h"
#include "store/query.h"
#include "store/replica.h"

#define CONNECT_MS 3 /* until a connection stands, or is known not to */

/* ------------------------------------------------------------------- kinds */

#define FIELD(number_, name_, type_, rule_, loud_)                             \
    {                                                                          \
        .number = (number_), .name = (name_), .type = (type_),                 \
        .rule = (rule_), .loud = (loud_), .label = {                           \
            (name_),                                                           \
            (name_)                                                            \
        }                                                                      \
    }

static struct ent_field fields[] = {
    FIELD(NET_CODE, "code", ENT_TYPE_CODE, ENT_RULE_REGISTER, ENT_LOUD_QUIET),
    FIELD(NET_TITLE, "title", ENT_TYPE_TEXT, ENT_RULE_REGISTER, ENT_LOUD_ASK),
    FIELD(NET_TAGS, "tags", ENT_TYPE_TEXT, ENT_RULE_SET, ENT_LOUD_QUIET),
    FIELD(NET_PEOPLE, "people", ENT_TYPE_TEXT, ENT_RULE_REGISTER, ENT_LOUD_ASK),
    FIELD(NET_NOTE, "note", ENT_TYPE_TEXT, ENT_RULE_REGISTER, ENT_LOUD_QUIET),
};

static struct ent_field owned_fields[] = {
    FIELD(NET_CODE, "code", ENT_TYPE_CODE, ENT_RULE_REGISTER, ENT_LOUD_QUIET),
    FIELD(NET_AMOUNT, "amount", ENT_TYPE_INTEGER, ENT_RULE_REGISTER,
          ENT_LOUD_ASK),
};

static struct ent_kind kinds[] = {
    {.number = NET_OWNED,
     .name = "simgift",
     .table = "simgifts",
     .owned = true,
     .label = {"gift", "don"},
     .fields = owned_fields,
     .field_count = ENT_ARRAY_LEN(owned_fields)},
    {.number = NET_KIND,
     .name = "simplan",
     .table = "simplans",
     .label = {"plan", "plan"},
     .fields = fields,
     .field_count = ENT_ARRAY_LEN(fields)},
};

const struct ent_kinds net_kinds = {.kinds = kinds,
                                    .count = ENT_ARRAY_LEN(kinds)};

/* ----------------------------------------------------------------- failing */

void net_die(const struct net *net, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr,
            "seed %llu: ", net == NULL ? 0ull : (unsigned long long)net->seed);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

static void must(const struct net *net, int rc, const struct ent_err *err,
                 const char *what)
{
    if (rc < 0)
        net_die(net, "%s: %d %s", what, rc, err->text);
}

/* -------------------------------------------------------------------- heap */

static bool before(const struct net_event *a, const struct net_event *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void swap(struct net *net, size_t a, size_t b)
{
    struct net_event kept = net->events[a];

    net->events[a] = net->events[b];
    net->events[b] = kept;
}

static void push(struct net *net, struct net_event event)
{
    size_t at = net->event_count;

    if (net->event_count == net->event_cap) {
        net->event_cap = net->event_cap == 0 ? 64 : 2 * net->event_cap;
        net->events =
            realloc(net->events, net->event_cap * sizeof(*net->events));
        if (net->events == NULL)
            net_die(net, "out of memory");
    }
    event.order = net->orders++;
    net->events[net->event_count++] = event;
    while (at > 0 && before(&net->events[at], &net->events[(at - 1) / 2])) {
        swap(net, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static struct net_event pop(struct net *net)
{
    struct net_event first = net->events[0];
    size_t at = 0;

    swap(net, 0, --net->event_count);
    for (;;) {
        size_t least = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < net->event_count &&
                before(&net->events[child], &net->events[least]))
                least = child;
        if (least == at)
            return first;
        swap(net, at, least);
        at = least;
    }
}

/* ------------------------------------------------------------------- links */

static int side_of(const struct net_link *link, int node, uint32_t conn)
{
    for (int side = 0; side < 2; side++)
        if (link->node[side] == node && link->conn[side] == conn)
            return side;
    return -1;
}

static struct net_link *link_of(struct net *net, int node, uint32_t conn,
                                int *side)
{
    for (size_t i = 0; i < net->link_count; i++) {
        *side = side_of(&net->links[i], node, conn);
        if (*side >= 0)
            return &net->links[i];
    }
    return NULL;
}

int net_far_end(struct net *net, int node, uint32_t conn, bool *dialled)
{
    int side;
    struct net_link *link = link_of(net, node, conn, &side);

    if (link == NULL || !link->open[0] || !link->open[1])
        return -1;
    *dialled = side == 0;
    return link->node[1 - side];
}

size_t net_links(const struct net *net, int a, int b)
{
    size_t count = 0;

    for (size_t i = 0; i < net->link_count; i++) {
        const struct net_link *link = &net->links[i];

        count += link->open[0] && link->open[1] &&
                 ((link->node[0] == a && link->node[1] == b) ||
                  (link->node[0] == b && link->node[1] == a));
    }
    return count;
}

static int64_t delay(struct net *net, const struct net_link *link)
{
    return link->delay_ms +
           (net->jitter_ms == 0
                ? 0
                : (int64_t)ent_rand_below(&net->rand,
                                          (uint64_t)net->jitter_ms + 1));
}

static void send_down(struct net *net, const struct net_link *link, int side)
{
    push(net, (struct net_event){.due_ms = net->mono_ms + link->delay_ms,
                                 .kind = NET_DOWN,
                                 .to = link->node[side],
                                 .from = link->node[1 - side],
                                 .conn = link->conn[side]});
}

void net_hang_up(struct net *net, int node, uint32_t conn)
{
    int side;
    struct net_link *link = link_of(net, node, conn, &side);

    if (link == NULL || !link->open[side])
        return;
    link->open[side] = false;
    if (link->open[1 - side])
        send_down(net, link, 1 - side);
}

static void connect_nodes(struct net *net, int from, uint32_t conn, int to)
{
    struct net_link *link;
    bool stands = to >= 0 && !net->cut[from][to] &&
                  (net->nodes[to].engine != NULL || net->nodes[to].puppet);

    if (!stands) {
        push(net, (struct net_event){.due_ms = net->mono_ms + CONNECT_MS,
                                     .kind = NET_DOWN,
                                     .to = from,
                                     .from = to,
                                     .conn = conn});
        return;
    }
    if (net->link_count == net->link_cap) {
        net->link_cap = net->link_cap == 0 ? 16 : 2 * net->link_cap;
        net->links = realloc(net->links, net->link_cap * sizeof(*net->links));
        if (net->links == NULL)
            net_die(net, "out of memory");
    }
    link = &net->links[net->link_count];
    *link = (struct net_link){
        .node = {from, to},
        .conn = {conn, ++net->nodes[to].last_conn},
        .open = {true, true},
        .delay_ms = net->delay_ms,
        .last_due = {net->mono_ms + CONNECT_MS, net->mono_ms + CONNECT_MS},
    };
    for (int side = 0; side < 2; side++)
        push(net, (struct net_event){.due_ms = net->mono_ms + CONNECT_MS,
                                     .kind = NET_UP,
                                     .to = link->node[side],
                                     .from = link->node[1 - side],
                                     .conn = link->conn[side],
                                     .dialled = side == 0});
    net->link_count++;
}

uint32_t net_dial(struct net *net, int from, int to)
{
    uint32_t conn = ++net->nodes[from].last_conn;

    connect_nodes(net, from, conn, to);
    return conn;
}

void net_send(struct net *net, int from, uint32_t conn, struct ent_slice frame)
{
    int side;
    struct net_link *link = link_of(net, from, conn, &side);
    struct net_event event = {.kind = NET_FRAME, .from = from};

    net->nodes[from].sent_bytes += frame.len;
    net->nodes[from].sent_frames++;
    if (link == NULL || !link->open[side] || !link->open[1 - side])
        return;
    event.to = link->node[1 - side];
    event.conn = link->conn[1 - side];
    if (net->posted != NULL)
        net->posted(net, from, event.to, frame);
    event.due_ms =
        net->mono_ms + delay(net, link) + net->clog_ms[from][event.to];
    if (event.due_ms < link->last_due[side])
        event.due_ms = link->last_due[side];
    link->last_due[side] = event.due_ms;
    ent_buf_put_slice(&event.frame, frame);
    push(net, event);
}

void net_drop(struct net *net, int a, int b)
{
    for (size_t i = 0; i < net->link_count; i++) {
        struct net_link *link = &net->links[i];

        if (!((link->node[0] == a && link->node[1] == b) ||
              (link->node[0] == b && link->node[1] == a)))
            continue;
        for (int side = 0; side < 2; side++) {
            if (!link->open[side])
                continue;
            link->open[side] = false;
            push(net, (struct net_event){.due_ms = net->mono_ms,
                                         .kind = NET_DOWN,
                                         .to = link->node[side],
                                         .from = link->node[1 - side],
                                         .conn = link->conn[side],
                                         .forced = true});
        }
    }
}

void net_cut(struct net *net, int a, int b)
{
    net->cut[a][b] = net->cut[b][a] = true;
    net_drop(net, a, b);
}

void net_heal(struct net *net, int a, int b)
{
    net->cut[a][b] = net->cut[b][a] = false;
}

/* ------------------------------------------------------------------- steps */

int64_t net_now(const struct net *net, int node)
{
    return NET_START_MS + net->mono_ms + net->nodes[node].clock_ms;
}

static int endpoint_of(const struct net *net, const char *endpoint)
{
    int node = -1;

    if (endpoint == NULL || sscanf(endpoint, "sim://%d", &node) != 1 ||
        node < 0 || node >= net->count)
        return -1;
    return node;
}

/* Alarms and refusals are about what came: from a liar they are as they should
 * be. */
static void note(struct net *net, int at, const struct ent_effect *effect)
{
    struct net_node *node = &net->nodes[at];
    int side = 0;
    struct net_link *link =
        effect->conn == 0 ? NULL : link_of(net, at, effect->conn, &side);

    if (link != NULL && net->liar[link->node[1 - side]]) {
        node->liar_notes[effect->note]++;
        return;
    }
    node->notes[effect->note]++;
    node->offences += effect->note == ENT_NOTE_REFUSED &&
                      strcmp(effect->text, "no answer for too long") != 0;
    snprintf(node->text[effect->note], sizeof(node->text[0]), "%s",
             effect->text == NULL ? "" : effect->text);
}

static void perform(struct net *net, int at, const struct ent_effect *effect)
{
    struct net_node *node = &net->nodes[at];
    uint32_t conn;

    switch (effect->type) {
    case ENT_EFFECT_SEND:
        if (effect->frame.len > ENT_FRAME_BYTES_MAX)
            net_die(net, "node %d sends a frame of %zu bytes", at,
                    effect->frame.len);
        if (net->says != NULL && net->liar[at])
            net->says(net, at, effect->conn, effect->frame);
        else
            net_send(net, at, effect->conn, effect->frame);
        break;
    case ENT_EFFECT_DIAL:
        conn = ++node->last_conn;
        ent_engine_dialled(node->engine, effect->dial, conn);
        connect_nodes(net, at, conn, endpoint_of(net, effect->endpoint));
        break;
    case ENT_EFFECT_DROP:
        net_hang_up(net, at, effect->conn);
        break;
    case ENT_EFFECT_NOTE:
        note(net, at, effect);
        if (effect->note == ENT_NOTE_TAKEN && effect->count <= 0)
            net_die(net, "node %d took %lld entries", at,
                    (long long)effect->count);
        break;
    }
}

/* What a power cut leaves is on the disk; the node is off. */
static void go_dark(struct net *net, int at)
{
    struct net_node *node = &net->nodes[at];

    net_stop(net, at);
    disk_power(node->disk, &node->rand);
    node->may_be_fresh = true; /* the high-water mark may be lost (N2) */
    node->dark = false;
    node->dark_in = 0;
}

static void step(struct net *net, int at, struct ent_event *event)
{
    struct net_node *node = &net->nodes[at];
    struct ent_effects effects;
    const struct ent_effect *effect;
    struct ent_err err;
    int rc;

    event->now_ms = net_now(net, at);
    event->mono_ms = net->mono_ms;
    rc = ent_engine_step(node->engine, event, &effects, &err);
    if (rc < 0 && node->frail)
        node->failed_steps++;
    else
        must(net, rc, &err, "step");
    while ((effect = ent_effects_next(&effects)) != NULL)
        perform(net, at, effect);
    if (node->dark)
        go_dark(net, at);
}

static void keep_letter(struct net_node *node, int from,
                        struct net_event *event)
{
    node->letters = realloc(node->letters,
                            (node->letter_count + 1) * sizeof(*node->letters));
    node->letters[node->letter_count++] = (struct net_letter){
        .conn = event->conn, .from = from, .bytes = event->frame};
    event->frame = (struct ent_buf){0};
}

void net_trace(struct net *net, const void *bytes, size_t len)
{
    net->trace = ent_hash_keyed(ent_slice(net->trace.b, sizeof(net->trace.b)),
                                ent_slice(bytes, len));
}

static void trace_event(struct net *net, const struct net_event *event)
{
    uint8_t head[20];

    ent_le64_put(head, (uint64_t)net->mono_ms);
    ent_le32_put(head + 8, (uint32_t)event->kind);
    ent_le32_put(head + 12, (uint32_t)event->to);
    ent_le32_put(head + 16, event->conn);
    net_trace(net, head, sizeof(head));
    if (event->kind == NET_FRAME)
        net_trace(net, event->frame.at, event->frame.len);
}

static void deliver(struct net *net, struct net_event *event)
{
    struct net_node *node = &net->nodes[event->to];
    struct ent_event in = {.conn = event->conn};
    int side;
    struct net_link *link = link_of(net, event->to, event->conn, &side);

    if (event->kind == NET_DOWN) {
        if (link != NULL && !event->forced) {
            if (!link->open[side])
                return;
            link->open[side] = false;
        }
        in.type = ENT_EVENT_DOWN;
    } else {
        if (link == NULL || !link->open[side])
            return;
        in.type = event->kind == NET_UP ? ENT_EVENT_UP : ENT_EVENT_FRAME;
        in.dialled = event->dialled;
        if (event->from >= 0)
            in.curve = net->nodes[event->from].keys.curve_public;
        in.frame = ent_buf_slice(&event->frame);
    }
    trace_event(net, event);
    if (event->kind == NET_FRAME && net->tap != NULL &&
        !net->tap(net, event->from, event->to, in.frame))
        return;
    if (event->kind == NET_FRAME && net->hears != NULL && net->liar[event->to])
        net->hears(net, event->to, event->conn, in.frame);
    if (node->engine != NULL)
        step(net, event->to, &in);
    else if (event->kind == NET_FRAME)
        keep_letter(node, event->from, event);
}

static int64_t next_wake(const struct net *net)
{
    int64_t wake = INT64_MAX;

    for (int i = 0; i < net->count; i++)
        if (net->nodes[i].engine != NULL) {
            int64_t at = ent_engine_wake_ms(net->nodes[i].engine);

            wake = at < wake ? at : wake;
        }
    return wake;
}

static void tick(struct net *net)
{
    for (int i = 0; i < net->count; i++) {
        struct ent_event event = {.type = ENT_EVENT_TICK};

        if (net->nodes[i].engine != NULL &&
            ent_engine_wake_ms(net->nodes[i].engine) <= net->mono_ms)
            step(net, i, &event);
    }
}

/* The next thing that happens, not after `until`; false: nothing more. */
static bool turn(struct net *net, int64_t until)
{
    int64_t wake = next_wake(net);

    if (net->event_count > 0 && net->events[0].due_ms <= wake &&
        net->events[0].due_ms <= until) {
        struct net_event event = pop(net);

        if (event.due_ms > net->mono_ms)
            net->mono_ms = event.due_ms;
        deliver(net, &event);
        ent_buf_fini(&event.frame);
        return true;
    }
    if (wake > until)
        return false;
    if (wake > net->mono_ms)
        net->mono_ms = wake;
    else
        net->mono_ms++;
    tick(net);
    return true;
}

void net_run(struct net *net, int64_t ms)
{
    int64_t until = net->mono_ms + ms;

    while (turn(net, until))
        ;
    net->mono_ms = until;
}

static bool all_quiet(const struct net *net)
{
    for (int i = 0; i < net->count; i++)
        if (net->nodes[i].engine != NULL &&
            !ent_engine_quiet(net->nodes[i].engine))
            return false;
    return net->event_count == 0;
}

bool net_run_quiet(struct net *net, int64_t ms)
{
    int64_t until = net->mono_ms + ms;
    int64_t since = -1;

    /* Quiet for a while: what is due a second later is due. */
    for (;;) {
        if (!all_quiet(net))
            since = -1;
        else if (since < 0)
            since = net->mono_ms;
        else if (net->mono_ms - since >= 3000)
            return true;
        if (!turn(net, until))
            return false;
    }
}

void net_local(struct net *net, int node)
{
    struct ent_event event = {.type = ENT_EVENT_LOCAL};

    if (net->nodes[node].engine != NULL)
        step(net, node, &event);
}

void net_call(struct net *net, int from, int to)
{
    char endpoint[32];
    struct ent_event event = {.type = ENT_EVENT_TICK};
    struct ent_err err;

    snprintf(endpoint, sizeof(endpoint), "sim://%d", to);
    must(net,
         ent_engine_call(net->nodes[from].engine, &net->nodes[to].keys.public,
                         endpoint, &err),
         &err, "call");
    step(net, from, &event);
}

/* ------------------------------------------------------------------- nodes */

static struct ent_store_options options(struct net *net, int at)
{
    return (struct ent_store_options){
        .kinds = &net_kinds,
        .rand = &net->nodes[at].rand,
        .now_ms = net_now(net, at),
        .fragile = net->nodes[at].disk == NULL,
    };
}

static void make_engine(struct net *net, int at)
{
    struct net_node *node = &net->nodes[at];
    const struct ent_engine_options opts = {.dial_members = node->dial_members,
                                            .dial_seconds = 5};
    struct ent_event event = {.type = ENT_EVENT_TICK};
    struct ent_err err;

    must(net,
         ent_engine_new(node->store, &node->rand, &opts, &node->engine, &err),
         &err, "engine");
    step(net, at, &event);
}

static void open_store(struct net *net, int at)
{
    struct net_node *node = &net->nodes[at];
    const struct ent_store_options opts = options(net, at);
    struct ent_err err;
    int rc = ent_store_open(node->home, &opts, &node->store, &err);

    if (rc < 0 && node->dark) { /* and on again */
        node->store = NULL;
        go_dark(net, at);
        rc = ent_store_open(node->home, &opts, &node->store, &err);
    }
    must(net, rc, &err, node->home);
}

static int new_node(struct net *net)
{
    struct net_node *node = &net->nodes[net->count];

    if (net->count == NET_NODES_MAX)
        net_die(net, "too many nodes");
    memset(node, 0, sizeof(*node));
    node->dial_members = net->next_dials;
    ent_rand_init_u64(&node->rand, net->seed * NET_NODES_MAX + net->count + 1);
    snprintf(node->home, sizeof(node->home), "%s/%d", net->dir, net->count);
    return net->count++;
}

int net_add(struct net *net)
{
    int at = new_node(net);
    struct net_node *node = &net->nodes[at];
    struct ent_store_options opts;
    char org[32];
    char endpoint[32];
    const char *list[] = {endpoint};
    struct ent_err err;

    if (net->disks)
        node->disk = disk_new(node->home, net->seed);
    opts = options(net, at);
    snprintf(org, sizeof(org), "Org %c", 'A' + at);
    snprintf(endpoint, sizeof(endpoint), "sim://%d", at);
    must(net, ent_store_create(node->home, org, "BDI", &opts, &err), &err,
         "create");
    open_store(net, at);
    node->keys = *ent_store_keys(node->store);
    must(net, ent_self_endpoints_set(node->store, list, 1, &err), &err,
         "endpoints");
    make_engine(net, at);
    return at;
}

int net_add_puppet(struct net *net)
{
    int at = new_node(net);
    uint8_t seed[32];

    net->nodes[at].puppet = true;
    ent_rand_bytes(&net->nodes[at].rand, seed, sizeof(seed));
    ent_keys_from_seed(&net->nodes[at].keys, seed);
    return at;
}

static void hang_up_all(struct net *net, int at)
{
    for (int i = 0; i < net->count; i++)
        if (i != at)
            net_drop(net, at, i);
}

void net_make_puppet(struct net *net, int at)
{
    struct net_node *node = &net->nodes[at];

    ent_engine_free(node->engine);
    node->engine = NULL;
    node->puppet = true;
    hang_up_all(net, at);
}

void net_stop(struct net *net, int at)
{
    struct net_node *node = &net->nodes[at];

    ent_engine_free(node->engine);
    ent_store_close(node->store);
    node->engine = NULL;
    node->store = NULL;
    hang_up_all(net, at);
}

void net_start(struct net *net, int at)
{
    struct net_node *node = &net->nodes[at];

    open_store(net, at);
    if (ent_store_fresh(node->store) != NULL) {
        if (!node->may_be_fresh)
            net_die(net, "node %d opens as a copy: %s", at,
                    ent_store_fresh(node->store));
        node->freshes++;
    }
    node->may_be_fresh = false;
    make_engine(net, at);
}

static void watch_power(void *ctx, struct disk *disk, enum disk_op op,
                        const char *path)
{
    struct net_node *node = ctx;

    (void)op;
    (void)path;
    if (node->dark_in == 0 || --node->dark_in > 0)
        return;
    disk_cut(disk);
    node->dark = true;
}

void net_power_off_in(struct net *net, int at, int64_t calls)
{
    struct net_node *node = &net->nodes[at];

    node->frail = true;
    node->dark_in = calls;
    disk_watch(node->disk, watch_power, node);
}

void net_power_off(struct net *net, int at)
{
    disk_cut(net->nodes[at].disk);
    go_dark(net, at);
}

static void copy_file(struct net *net, const char *from, const char *to)
{
    FILE *in = fopen(from, "rb");
    FILE *out = in == NULL ? NULL : fopen(to, "wb");
    char bytes[65536];
    size_t len;

    if (in == NULL)
        return;
    if (out == NULL)
        net_die(net, "cannot copy %s", from);
    while ((len = fread(bytes, 1, sizeof(bytes), in)) > 0)
        if (fwrite(bytes, 1, len, out) != len)
            net_die(net, "cannot copy %s", from);
    fclose(in);
    fclose(out);
    if (chmod(to, 0600) < 0)
        net_die(net, "cannot copy %s", from);
}

/* The replica stores the number of its file: the copy is told its own. */
static void adopt_inode(struct net *net, const char *path)
{
    sqlite3 *db;
    struct stat st;
    char sql[128];

    if (stat(path, &st) < 0 || sqlite3_open(path, &db) != SQLITE_OK)
        net_die(net, "cannot open %s", path);
    snprintf(sql, sizeof(sql),
             "UPDATE local_node SET value = '%llu' WHERE key = 'inode'",
             (unsigned long long)st.st_ino);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        net_die(net, "%s: %s", path, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static int copy_node(struct net *net, int from, bool exact)
{
    static const char *const names[] = {"replica.db", "replica.db-wal", "key",
                                        "high-water"};
    int at = new_node(net);
    struct net_node *node = &net->nodes[at];
    bool was_on = net->nodes[from].store != NULL;
    char a[300];
    char b[300];

    if (was_on)
        net_stop(net, from);
    if (mkdir(node->home, 0700) < 0)
        net_die(net, "cannot make %s", node->home);
    for (size_t i = 0; i < ENT_ARRAY_LEN(names); i++) {
        snprintf(a, sizeof(a), "%s/%s", net->nodes[from].home, names[i]);
        snprintf(b, sizeof(b), "%s/%s", node->home, names[i]);
        copy_file(net, a, b);
    }
    snprintf(b, sizeof(b), "%s/replica.db", node->home);
    if (exact)
        adopt_inode(net, b);
    if (was_on)
        net_start(net, from);
    if (net->disks)
        node->disk = disk_new(node->home, net->seed);
    node->keys = net->nodes[from].keys;
    node->may_be_fresh = !exact;
    net_start(net, at);
    return at;
}

int net_clone(struct net *net, int from)
{
    return copy_node(net, from, true);
}

int net_copy(struct net *net, int from)
{
    return copy_node(net, from, false);
}

static const char *const replica_files[] = {"replica.db", "replica.db-wal"};

/* What is on the disk is not the disk's doing: it begins anew. */
static void new_disk(struct net *net, int at)
{
    struct net_node *node = &net->nodes[at];

    if (node->disk == NULL)
        return;
    disk_free(node->disk);
    node->disk = disk_new(node->home, net->seed + net->orders);
    node->dark_in = 0;
}

void net_backup(struct net *net, int at)
{
    struct net_node *node = &net->nodes[at];
    char a[300];
    char b[300];

    net_stop(net, at);
    for (size_t i = 0; i < ENT_ARRAY_LEN(replica_files); i++) {
        snprintf(a, sizeof(a), "%s/%s", node->home, replica_files[i]);
        snprintf(b, sizeof(b), "%s-%s", node->home, replica_files[i]);
        unlink(b);
        copy_file(net, a, b);
    }
    net_start(net, at);
}

void net_restore(struct net *net, int at, bool new_file)
{
    struct net_node *node = &net->nodes[at];
    char a[300];
    char b[300];

    if (node->store != NULL)
        net_stop(net, at);
    snprintf(b, sizeof(b), "%s/replica.db-shm", node->home);
    unlink(b);
    for (size_t i = 0; i < ENT_ARRAY_LEN(replica_files); i++) {
        snprintf(a, sizeof(a), "%s-%s", node->home, replica_files[i]);
        snprintf(b, sizeof(b), "%s/%s", node->home, replica_files[i]);
        if (new_file || access(a, F_OK) < 0)
            unlink(b);
        copy_file(net, a, b);
    }
    new_disk(net, at);
    node->may_be_fresh = true;
    net_start(net, at);
}

/* ------------------------------------------------------------------ spaces */

int64_t net_space(struct net *net, int space, int node)
{
    int64_t number = 0;

    if (net->nodes[node].store == NULL ||
        ent_space_find_id(net->nodes[node].store, &net->spaces[space], &number,
                          NULL) < 0)
        return 0;
    return number;
}

int net_found(struct net *net, int chair)
{
    struct net_node *node = &net->nodes[chair];
    struct ent_space info;
    char name[32];
    struct ent_err err;
    int64_t space;

    snprintf(name, sizeof(name), "space-%d", net->space_count);
    must(net,
         ent_space_create(node->store, name, "Space", "Espace",
                          net_now(net, chair), &space, &err),
         &err, "found");
    must(net, ent_space_read(node->store, space, &info, &err), &err, "found");
    net->spaces[net->space_count] = info.id;
    net_local(net, chair);
    return net->space_count++;
}

void net_copy_roster(struct net *net, int space, int from, int to)
{
    struct ent_arena arena = {0};
    struct ent_roster_bytes *all;
    struct ent_hash *hashes;
    struct ent_taken taken;
    struct ent_err err;
    size_t count;
    int64_t theirs = net_space(net, space, from);
    int64_t own = net_space(net, space, to);

    must(net,
         ent_roster_hashes(net->nodes[from].store, theirs, &hashes, &count,
                           &err),
         &err, "roster");
    all = ENT_ARENA_NEW(&arena, struct ent_roster_bytes, count);
    for (size_t i = 0; i < count; i++)
        must(net,
             ent_roster_read(net->nodes[from].store, theirs, &hashes[i], &arena,
                             &all[i], &err),
             &err, "roster");
    must(net,
         ent_roster_take(net->nodes[to].store, own, all, count, 0, &taken,
                         &err),
         &err, "roster");
    if (taken.refused > 0)
        net_die(net, "a roster entry was refused: %s", taken.why);
    ent_arena_fini(&arena);
    free(hashes);
}

void net_expect(struct net *net, int space, int host, int guest)
{
    const struct ent_invite invite = {.space = net->spaces[space],
                                      .chair = net->nodes[host].keys.public,
                                      .handle = "guest"};
    struct ent_err err;
    int64_t number;

    must(net, ent_space_expect(net->nodes[guest].store, &invite, &number, &err),
         &err, "expect");
    net_copy_roster(net, space, host, guest);
    net_local(net, guest);
}

void net_admit(struct net *net, int space, int host, int guest,
               enum ent_role role)
{
    static const struct ent_hash8 no_invite;
    struct net_node *chair = &net->nodes[host];
    struct net_node *node = &net->nodes[guest];
    struct ent_err err;

    must(net,
         ent_member_admit(chair->store, net_space(net, space, host),
                          &node->keys.public, role, "Guest", &no_invite,
                          net_now(net, host), &err),
         &err, "admit");
    net_local(net, host);
    if (node->store != NULL)
        net_expect(net, space, host, guest);
}

struct ent_buf net_invite(struct net *net, int space, int chair,
                          enum ent_role role, int64_t expires_ms)
{
    char endpoint[32];
    const char *list[] = {endpoint};
    struct ent_buf line = {0};
    struct ent_err err;

    snprintf(endpoint, sizeof(endpoint), "sim://%d", chair);
    must(net,
         ent_invite_create(net->nodes[chair].store,
                           net_space(net, space, chair), role, expires_ms, list,
                           1, net_now(net, chair), &line, &err),
         &err, "invite");
    return line;
}

void net_join(struct net *net, int node, const char *line)
{
    struct ent_event event = {.type = ENT_EVENT_TICK};
    struct ent_err err;

    must(net,
         ent_engine_join(net->nodes[node].engine, line, net_now(net, node),
                         &err),
         &err, "join");
    step(net, node, &event);
}

/* ----------------------------------------------------------------- records */

struct ent_id net_record(int record)
{
    struct ent_id id = {{0x01, 0x97, 0, 0, 0, 0, 0x70, 0, 0x80}};

    id.b[14] = (uint8_t)(record >> 8);
    id.b[15] = (uint8_t)record;
    return id;
}

void net_written(struct net *net, int at, int rc)
{
    if (net->nodes[at].dark)
        go_dark(net, at);
    else if (rc == 0)
        net_local(net, at);
}

struct ent_id net_owned(struct net *net, int space, int owner, int number)
{
    struct ent_id id = {{0x01, 0x97, 0, 0, 0, 0, 0x70, (uint8_t)number}};

    ent_owner_put(&net->spaces[space], &net->nodes[owner].keys.public, &id);
    return id;
}

int net_put(struct net *net, int at, int space, const struct ent_edit *edits,
            size_t count)
{
    struct net_node *node = &net->nodes[at];
    struct ent_writer *writer;
    enum ent_written written;
    int rc = ent_writer_open(node->store, net_space(net, space, at),
                             net_now(net, at), &writer, NULL);

    net->put_changed = false;
    if (rc == 0) {
        for (size_t i = 0; rc == 0 && i < count; i++) {
            rc = ent_writer_put(writer, &edits[i], true, &written, NULL);
            if (rc == 0 && written != ENT_WRITTEN_NOTHING)
                net->put_changed = true;
        }
        if (rc == 0)
            rc = ent_writer_commit(writer, NULL);
        else
            ent_writer_abort(writer);
    }
    net_written(net, at, rc);
    return rc;
}

static int put(struct net *net, int at, int space, int record,
               enum ent_edit_life life, const struct ent_edit_op *ops,
               size_t count)
{
    const struct ent_edit edit = {.kind = NET_KIND,
                                  .id = net_record(record),
                                  .life = life,
                                  .ops = ops,
                                  .op_count = count};

    return net_put(net, at, space, &edit, 1);
}

int net_set(struct net *net, int node, int space, int record, uint32_t field,
            const char *text)
{
    const struct ent_edit_op op = {.code = ENT_OP_WRITE,
                                   .field = field,
                                   .value =
                                       ent_value_text(ent_slice_str(text))};

    return put(net, node, space, record, ENT_EDIT_TOUCH, &op, 1);
}

int net_tag(struct net *net, int node, int space, int record, const char *text,
            bool remove)
{
    const struct ent_edit_op op = {.code = remove ? ENT_OP_REMOVE : ENT_OP_ADD,
                                   .field = NET_TAGS,
                                   .value =
                                       ent_value_text(ent_slice_str(text))};

    return put(net, node, space, record, ENT_EDIT_TOUCH, &op, 1);
}

int net_life(struct net *net, int node, int space, int record,
             enum ent_edit_life life)
{
    return put(net, node, space, record, life, NULL, 0);
}

int net_give(struct net *net, int node, int space, int owner, int number,
             int64_t amount)
{
    const struct ent_edit_op op = {.code = ENT_OP_WRITE,
                                   .field = NET_AMOUNT,
                                   .value = ent_value_int(amount)};
    const struct ent_edit edit = {.kind = NET_OWNED,
                                  .id = net_owned(net, space, owner, number),
                                  .life = ENT_EDIT_TOUCH,
                                  .ops = &op,
                                  .op_count = 1};

    return net_put(net, node, space, &edit, 1);
}

void net_fill(struct net *net, int at, int space, int first, int count)
{
    struct net_node *node = &net->nodes[at];
    struct ent_writer *writer;
    enum ent_written written;
    struct ent_err err;

    must(net,
         ent_writer_open(node->store, net_space(net, space, at),
                         net_now(net, at), &writer, &err),
         &err, "fill");
    for (int i = 0; i < count; i++) {
        char text[501];
        const struct ent_edit_op op = {
            .code = ENT_OP_WRITE,
            .field = NET_NOTE,
            .value = ent_value_text(ent_slice(text, 500))};
        const struct ent_edit edit = {.kind = NET_KIND,
                                      .id = net_record(first + i),
                                      .life = ENT_EDIT_TOUCH,
                                      .fresh = true,
                                      .ops = &op,
                                      .op_count = 1};
        uint8_t noise[250];

        /* Does not compress to nothing. */
        ent_rand_bytes(&node->rand, noise, sizeof(noise));
        ent_hex_put(text, noise, sizeof(noise));
        must(net, ent_writer_put(writer, &edit, false, &written, &err), &err,
             "fill");
    }
    must(net, ent_writer_commit(writer, &err), &err, "fill");
    net_local(net, at);
}

static int text_cmp(const void *a, const void *b)
{
    return strcmp(a, b);
}

#define VALUES_MAX 64

const char *net_values(struct net *net, int node, int space, int record,
                       uint32_t field, char *text, size_t size)
{
    const struct ent_record_ref ref = {.space = net_space(net, space, node),
                                       .kind = NET_KIND,
                                       .id = net_record(record)};
    char values[VALUES_MAX][64];
    struct ent_record found = {0};
    size_t count = 0;
    size_t len = 0;

    text[0] = '\0';
    if (ent_record_read(net->nodes[node].store, &ref, &found, NULL) < 0)
        return text;
    for (size_t i = 0; i < found.write_count && count < VALUES_MAX; i++) {
        const struct ent_shown *shown = &found.writes[i];

        if (shown->field == field)
            snprintf(values[count++], sizeof(values[0]), "%.*s",
                     (int)shown->value.bytes.len,
                     (const char *)shown->value.bytes.at);
    }
    ent_record_fini(&found);
    qsort(values, count, sizeof(values[0]), text_cmp);
    for (size_t i = 0; i < count && len < size; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s",
                                i == 0 ? "" : "|", values[i]);
    return text;
}

static int conflict_cmp(const void *a, const void *b)
{
    const struct ent_conflict *x = a;
    const struct ent_conflict *y = b;
    int cmp = ent_id_cmp(&x->ref.id, &y->ref.id);

    if (cmp != 0)
        return cmp;
    return x->field < y->field ? -1 : x->field > y->field;
}

void net_conflicts(struct net *net, int node, int space, struct ent_buf *lines)
{
    struct ent_arena arena = {0};
    struct ent_conflict *list;
    struct ent_err err;
    size_t count;

    must(net,
         ent_conflict_list(net->nodes[node].store, net_space(net, space, node),
                           &arena, &list, &count, &err),
         &err, "conflicts");
    if (count > 1)
        qsort(list, count, sizeof(*list), conflict_cmp);
    for (size_t i = 0; i < count; i++)
        ent_buf_printf(lines, "%u.%u.%u\n", (unsigned)list[i].ref.id.b[14],
                       (unsigned)list[i].ref.id.b[15], (unsigned)list[i].field);
    ent_arena_fini(&arena);
}

/* ----------------------------------------------------------------- looking */

struct ent_digest net_digest(struct net *net, int node, int space)
{
    struct ent_digest digest;
    struct ent_err err;

    must(net,
         ent_digest_read(net->nodes[node].store, net_space(net, space, node),
                         &digest, &err),
         &err, "digest");
    return digest;
}

bool net_equal(struct net *net, int a, int b, int space)
{
    struct ent_digest x = net_digest(net, a, space);
    struct ent_digest y = net_digest(net, b, space);

    return ent_hash_equal(&x.roster, &y.roster) &&
           ent_hash_equal(&x.entries, &y.entries) &&
           memcmp(x.state, y.state, sizeof(x.state)) == 0;
}

struct ent_peer net_peer(struct net *net, int node, int of)
{
    struct ent_peer found = {0};
    struct ent_peer *list;
    struct ent_err err;
    size_t count;

    must(net, ent_peer_list(net->nodes[node].store, &list, &count, &err), &err,
         "peers");
    for (size_t i = 0; i < count; i++)
        if (ent_key_equal(&list[i].key, &net->nodes[of].keys.public))
            found = list[i];
    free(list);
    return found;
}

struct ent_space_counts net_counts(struct net *net, int node, int space)
{
    struct ent_space_counts counts;
    struct ent_err err;

    must(net,
         ent_space_counts(net->nodes[node].store, net_space(net, space, node),
                          &counts, &err),
         &err, "counts");
    return counts;
}

int64_t net_rows(struct net *net, int node, const char *sql)
{
    struct ent_query *query;
    struct ent_err err;
    int64_t value = 0;

    must(net, ent_query_open(net->nodes[node].store, sql, &query, &err), &err,
         sql);
    if (ent_query_next(query, &err) > 0)
        value = ent_query_int(query, 0);
    ent_query_close(query);
    return value;
}

/* ---------------------------------------------------------------- lifetime */

static char work[128];

void net_begin(void)
{
    const char *tmp = getenv("TMPDIR");

    if (access("/dev/shm", W_OK) == 0)
        tmp = "/dev/shm";
    snprintf(work, sizeof(work), "%s/entente-sim-XXXXXX",
             tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(work) == NULL)
        net_die(NULL, "cannot make %s", work);
}

static int remove_one(const char *path, const struct stat *st, int what,
                      struct FTW *ftw)
{
    (void)st;
    (void)what;
    (void)ftw;
    return remove(path);
}

void net_end(void)
{
    nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct net *net_new(uint64_t seed)
{
    struct net *net = calloc(1, sizeof(*net));
    struct ent_err err;

    if (net == NULL)
        net_die(NULL, "out of memory");
    net->seed = seed;
    net->delay_ms = 10;
    ent_rand_init_u64(&net->rand, seed);
    must(net, ent_secure_init(&err), &err, "secure");
    snprintf(net->dir, sizeof(net->dir), "%s/XXXXXX", work);
    if (mkdtemp(net->dir) == NULL)
        net_die(net, "cannot make %s", net->dir);
    return net;
}

void net_free(struct net *net)
{
    if (net == NULL)
        return;
    for (int i = 0; i < net->count; i++) {
        struct net_node *node = &net->nodes[i];

        ent_engine_free(node->engine);
        ent_store_close(node->store);
        disk_free(node->disk);
        for (size_t j = 0; j < node->letter_count; j++)
            ent_buf_fini(&node->letters[j].bytes);
        free(node->letters);
    }
    while (net->event_count > 0) {
        struct net_event event = pop(net);

        ent_buf_fini(&event.frame);
    }
    free(net->events);
    free(net->links);
    nftw(net->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(net);
}
