/* net.h - several nodes in one process, joined by links that exist in memory:
 * real replicas and real engines, no socket, no clock, everything from one
 * seed. A node without an engine is a puppet: the test speaks for it and reads
 * what others send to it. */
#ifndef ENT_TESTS_SIM_NET_H
#define ENT_TESTS_SIM_NET_H

#include <stdbool.h>

#include "codec/frame.h"
#include "disk.h"
#include "secure/rand.h"
#include "store/peers.h"
#include "store/records.h"
#include "store/runs.h"
#include "store/spaces.h"
#include "sync/engine.h"

#define NET_NODES_MAX 12
#define NET_SPACES_MAX 12
#define NET_START_MS INT64_C(1750000000000)
#define NET_NOTES (ENT_NOTE_LOST + 1)

/* The kind that all nodes know; a record has a number. */
#define NET_KIND 900
enum { NET_CODE = 1, NET_TITLE, NET_TAGS, NET_PEOPLE, NET_NOTE };

/* A kind whose records belong to their author (M9); a record has an owner and a
 * number below NET_OWNED_EACH. */
#define NET_OWNED 510
#define NET_OWNED_EACH 3
enum { NET_AMOUNT = 2 };

/* What was sent to a puppet. */
struct net_letter {
    uint32_t conn;
    int from;
    struct ent_buf bytes;
};

struct net_node {
    char home[256];
    struct ent_rand rand;
    struct ent_store *store;   /* NULL: closed, or a puppet without one */
    struct ent_engine *engine; /* NULL: a puppet, or switched off */
    struct ent_keys keys;
    int64_t clock_ms; /* its clock minus the right one */
    bool dial_members;
    bool puppet;
    bool frail;        /* a step may fail with ENT_ESTORE */
    struct disk *disk; /* NULL: a disk without faults */
    int64_t dark_in;   /* power goes at so many calls to the disk from now */
    bool dark;         /* it went: the node is off when the step is over */
    bool may_be_fresh; /* a start may find a restored or copied replica (N2) */
    int64_t freshes;
    int64_t failed_steps;
    uint32_t last_conn;
    int64_t notes[NET_NOTES];
    int64_t liar_notes[NET_NOTES];          /* about a liar's connections */
    char text[NET_NOTES][ENT_ERR_TEXT_MAX]; /* of the last note of a kind */
    int64_t offences; /* notes of refusal, silence excepted */
    uint64_t sent_bytes, sent_frames;
    struct net_letter *letters;
    size_t letter_count;
};

/* One connection; `open` until either side lets go of it. */
struct net_link {
    int node[2]; /* the dialling one first */
    uint32_t conn[2];
    bool open[2];
    int64_t delay_ms;
    int64_t last_due[2]; /* frames of one direction keep their order */
};

enum net_kind_of_event { NET_UP, NET_DOWN, NET_FRAME };

struct net_event {
    int64_t due_ms;
    uint64_t order;
    enum net_kind_of_event kind;
    int to, from;
    uint32_t conn;
    bool dialled;
    bool forced; /* DOWN: what is under way is lost */
    struct ent_buf frame;
};

struct net;

/* Looks at every frame before it is delivered; false: it is lost. */
typedef bool net_tap_fn(struct net *net, int from, int to,
                        struct ent_slice frame);
/* What a liar's engine says, instead of sending it; what comes for it. */
typedef void net_liar_fn(struct net *net, int node, uint32_t conn,
                         struct ent_slice frame);

struct net {
    uint64_t seed;
    char dir[160];
    struct ent_rand rand;
    int64_t mono_ms;
    struct net_node nodes[NET_NODES_MAX];
    int count;
    struct ent_id spaces[NET_SPACES_MAX];
    int space_count;
    struct net_link *links;
    size_t link_count, link_cap;
    bool cut[NET_NODES_MAX][NET_NODES_MAX];
    int64_t clog_ms[NET_NODES_MAX][NET_NODES_MAX]; /* more delay, one way */
    bool next_dials;   /* the next node added dials members */
    bool disks;        /* nodes added from now on have a disk that can fail */
    bool put_changed;  /* the last net_put had something to write */
    int64_t delay_ms;  /* of links made from now on */
    int64_t jitter_ms; /* at most so much more for each frame */
    struct net_event *events; /* a heap: the next one first */
    size_t event_count, event_cap;
    uint64_t orders;
    net_tap_fn *tap;
    net_tap_fn *posted; /* sees every frame when it is sent */
    void *tap_ctx;
    bool liar[NET_NODES_MAX]; /* what it says and holds counts for nothing */
    net_liar_fn *says, *hears;
    void *liar_ctx;
    struct ent_hash trace; /* of everything delivered, in order */
};

extern const struct ent_kinds net_kinds;

/* Homes are made below this folder, which goes at the end. */
void net_begin(void);
void net_end(void);

struct net *net_new(uint64_t seed);
void net_free(struct net *net);

/* A node with a replica and an engine; its number. */
int net_add(struct net *net);
/* A key without replica or engine. */
int net_add_puppet(struct net *net);
/* Take the engine away: the test speaks for the node. */
void net_make_puppet(struct net *net, int node);
/* Switch a node off, and on again with what is on its disk. */
void net_stop(struct net *net, int node);
void net_start(struct net *net, int node);
/* A second node from a copy of the first one's home, key, numbers and all: the
 * copy goes on in the same log (rule A8). */
int net_clone(struct net *net, int node);
/* A second node from a copy that can be told from the first (rule N2). */
int net_copy(struct net *net, int node);
/* Copy a node's replica aside; put the copy back, into the same file or as a
 * new one. The node is switched off and on for it. */
void net_backup(struct net *net, int node);
void net_restore(struct net *net, int node, bool new_file);

/* Power goes now, or in the middle of something: at so many calls to the disk
 * from now. The node is off then; net_start switches it on. */
void net_power_off(struct net *net, int node);
void net_power_off_in(struct net *net, int node, int64_t calls);

/* A space founded by `chair`; its number in the net. */
int net_found(struct net *net, int chair);
/* `host`, the chair, admits `guest`, who learns of it without a link. */
void net_admit(struct net *net, int space, int host, int guest,
               enum ent_role role);
/* The second half of it: `guest` is told of the space and its roster. */
void net_expect(struct net *net, int space, int host, int guest);
/* Give `to` what roster entries `from` holds. */
void net_copy_roster(struct net *net, int space, int from, int to);
/* The chair's invitation as a line; free it with ent_buf_fini. */
struct ent_buf net_invite(struct net *net, int space, int chair,
                          enum ent_role role, int64_t expires_ms);
void net_join(struct net *net, int node, const char *line);
/* The space's number in a node's replica, 0 when it is not there. */
int64_t net_space(struct net *net, int space, int node);

/* ------------------------------------------------------------------- links */

/* Have the engine of `from` open a session with `to`. */
void net_call(struct net *net, int from, int to);
/* A bare connection, for puppets; the dialling side's number of it. */
uint32_t net_dial(struct net *net, int from, int to);
void net_send(struct net *net, int from, uint32_t conn, struct ent_slice frame);
/* One side lets go: the other hears of it when it comes through. */
void net_hang_up(struct net *net, int node, uint32_t conn);
/* Break what stands between two nodes, once, or until it is healed. */
void net_drop(struct net *net, int a, int b);
void net_cut(struct net *net, int a, int b);
void net_heal(struct net *net, int a, int b);
/* Who is at the other end of an open connection, and whether `node` dialled
 * it; -1: it is not open. */
int net_far_end(struct net *net, int node, uint32_t conn, bool *dialled);
/* Connections that stand between two nodes. */
size_t net_links(const struct net *net, int a, int b);

/* -------------------------------------------------------------------- time */

void net_run(struct net *net, int64_t ms);
/* Until nothing is under way and every engine is quiet; false: not within so
 * many milliseconds. */
bool net_run_quiet(struct net *net, int64_t ms);
/* The node wrote something itself. */
void net_local(struct net *net, int node);
int64_t net_now(const struct net *net, int node);

/* ----------------------------------------------------------------- records */

struct ent_id net_record(int record);
/* After the test wrote in a node's replica itself, with this result: it is
 * announced, or the node is off when power went meanwhile. */
void net_written(struct net *net, int node, int rc);
struct ent_id net_owned(struct net *net, int space, int owner, int number);
/* Each call is a transaction of its own and is announced. The result of the
 * writer: 0 or an error. */
int net_put(struct net *net, int node, int space, const struct ent_edit *edits,
            size_t count);
int net_set(struct net *net, int node, int space, int record, uint32_t field,
            const char *text);
int net_life(struct net *net, int node, int space, int record,
             enum ent_edit_life life);
int net_tag(struct net *net, int node, int space, int record, const char *text,
            bool remove);
/* An amount in an owned record, as net_set. */
int net_give(struct net *net, int node, int space, int owner, int number,
             int64_t amount);
/* The log of a program that keeps to no rule; zeros at first. */
struct net_forger {
    struct ent_id origin;
    uint64_t seq;
    struct ent_hash prev;
};
struct net_forgery {
    uint32_t kind;
    struct ent_id id;
    uint32_t field;
    struct ent_value value;
    bool erases; /* the record, instead of writing in the field */
};
/* What such a program writes with a node's key: one entry that replaces all
 * that stands in these fields, of records ascending by kind and id. The node's
 * own replica takes it and passes it on. */
int net_forge(struct net *net, int node, int space, struct net_forger *log,
              const struct net_forgery *items, size_t count);
/* `count` new records of some 500 bytes each in one transaction. */
void net_fill(struct net *net, int node, int space, int first, int count);
/* The values standing in a field, sorted, with '|' between; "" for none. */
const char *net_values(struct net *net, int node, int space, int record,
                       uint32_t field, char *text, size_t size);
/* Open conflicts, one a line, sorted. */
void net_conflicts(struct net *net, int node, int space, struct ent_buf *lines);

/* ----------------------------------------------------------------- looking */

struct ent_digest net_digest(struct net *net, int node, int space);
bool net_equal(struct net *net, int a, int b, int space);
/* Add something to the trace of the run. */
void net_trace(struct net *net, const void *bytes, size_t len);
struct ent_peer net_peer(struct net *net, int node, int of);
struct ent_space_counts net_counts(struct net *net, int node, int space);
int64_t net_rows(struct net *net, int node, const char *sql);

/* The failure of anything a test takes for granted. */
__attribute__((noreturn, format(printf, 2, 3))) void
net_die(const struct net *net, const char *fmt, ...);

#endif
