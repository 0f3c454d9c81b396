/* frame.h - the messages of a session as bytes (docs/protocol.md, rules S2 to
 * S4). One frame is one message on a link: a canonical msgpack array whose
 * first element is its type. `tag` names a space to those two nodes and in
 * that session only.
 *
 *    1 HELLO       [1, version, time, nonce8, (tag8 ‖ digest8)...]
 *    2 WELCOME     [2, version, time difference, answers, (tag8 ‖ digest8)...]
 *    3 OPEN        [3, tag, roster8, heads or nil]
 *    4 ROSTER_HAVE [4, tag, hash8...]
 *    5 ROSTER      [5, tag, [[header, sig, body]...], last]
 *    6 FRONTIER    [6, tag, heads, last]
 *    7 WANT        [7, tag, [[author, origin, head8, from, prev8]...], credit]
 *    8 RUNS        [8, tag, zstd of runs, last]
 *    9 MORE        [9, tag, credit]
 *   10 SETTLED     [10, tag, roster8, entries8, state16]
 *   11 SAID_HAVE   [11, tag, [[key, counter]...]]
 *   12 SAID        [12, tag, [[key, counter, body, sig]...]]
 *   13 NEWS        [13, tag, heads, zstd of runs or empty]
 *   14 JOIN        [14, space, invitation8, proof, key, organisation]
 *   15 JOINED      [15, space, admitted, reason, [[header, sig, body]...]]
 *   16 ASIDE       [16, tag, heads, zstd of runs or empty]
 *   17 ASIDE_WANT  [17, tag, [[author, origin, head8, from, prev8]...], later]
 *
 *   heads  [[author, origin, seq, hash8]...]
 *   runs   [[author, origin, from, prev8, [packed entry...], sig]...] */
#ifndef ENT_CODEC_FRAME_H
#define ENT_CODEC_FRAME_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"
#include "base/limits.h"
#include "codec/said.h"

#define ENT_PROTOCOL_VERSION 1
#define ENT_FRAME_HEADS_MAX 8192  /* heads in one frame */
#define ENT_FRAME_WANTS_MAX 256   /* logs asked for in one frame */
#define ENT_FRAME_RUNS_MAX 4096   /* runs in one frame */
#define ENT_FRAME_ROSTER_MAX 4096 /* roster entries in one frame */
/* A batch unpacked by zstd; even one that does not shrink fits in a message. */
#define ENT_RUNS_BYTES_MAX (ENT_FRAME_BYTES_MAX - (8 << 10))
#define ENT_FRAME_HASHES_MAX 100000 /* roster hashes in one frame */
#define ENT_SIG_LEN 64

enum ent_frame_type {
    ENT_FRAME_HELLO = 1,
    ENT_FRAME_WELCOME = 2,
    ENT_FRAME_OPEN = 3,
    ENT_FRAME_ROSTER_HAVE = 4,
    ENT_FRAME_ROSTER = 5,
    ENT_FRAME_FRONTIER = 6,
    ENT_FRAME_WANT = 7,
    ENT_FRAME_RUNS = 8,
    ENT_FRAME_MORE = 9,
    ENT_FRAME_SETTLED = 10,
    ENT_FRAME_SAID_HAVE = 11,
    ENT_FRAME_SAID = 12,
    ENT_FRAME_NEWS = 13,
    ENT_FRAME_JOIN = 14,
    ENT_FRAME_JOINED = 15,
    ENT_FRAME_ASIDE = 16,
    ENT_FRAME_ASIDE_WANT = 17,
};

#define ENT_FRAME_LAST ENT_FRAME_ASIDE_WANT

/* Whether frames of that type are about a space, which their tag names. */
static inline bool ent_frame_is_tagged(uint64_t type)
{
    return type >= ENT_FRAME_OPEN && type <= ENT_FRAME_LAST &&
           type != ENT_FRAME_JOIN && type != ENT_FRAME_JOINED;
}

/* What a WELCOME answers to each space of the HELLO, two bits each. */
enum ent_answer {
    ENT_ANSWER_UNKNOWN = 0,
    ENT_ANSWER_EQUAL = 1,
    ENT_ANSWER_DIFFERS = 2
};

struct ent_frame_roster {
    struct ent_slice header, sig, body;
};

struct ent_frame_want {
    struct ent_key author;
    struct ent_id origin;
    struct ent_hash8 head;
    uint64_t from;
    struct ent_hash8 prev;
};

struct ent_frame_run {
    struct ent_key author;
    struct ent_id origin;
    uint64_t from;
    struct ent_hash8 prev;
    const struct ent_slice *entries;
    size_t entry_count;
    struct ent_slice sig; /* 64 bytes, or empty when there are no entries */
};

struct ent_frame_said {
    struct ent_key key;
    uint64_t counter;
    struct ent_slice body, sig; /* empty in SAID_HAVE */
};

/* Any frame; which members count is told by the table above. */
struct ent_frame {
    enum ent_frame_type type;
    struct ent_hash8 tag;
    uint64_t version;
    int64_t time_ms; /* WELCOME: answerer's minus the dialler's */
    uint8_t nonce[8];
    struct ent_slice digests; /* HELLO, WELCOME: 16 bytes a space */
    struct ent_slice answers;
    struct ent_hash8 roster8, entries8;
    uint8_t state[16];
    bool has_heads;
    struct ent_frontier_head *heads;
    size_t head_count;
    bool last;
    struct ent_slice hashes; /* ROSTER_HAVE: 8 bytes an entry, ascending */
    struct ent_frame_roster *roster;
    size_t roster_count;
    struct ent_frame_want *wants;
    size_t want_count;
    uint64_t credit;
    struct ent_slice runs; /* compressed */
    struct ent_frame_said *said;
    size_t said_count;
    struct ent_id space;
    struct ent_hash8 invite;
    struct ent_hash proof;
    struct ent_key key;
    struct ent_slice text; /* JOIN: organisation; JOINED: reason */
    bool admitted;
    bool later; /* ASIDE_WANT: not all of it is taken now */
};

void ent_frame_put(struct ent_buf *buf, const struct ent_frame *frame);

/* Everything borrows from `bytes` and `arena`. ENT_EREFUSED: no such frame, or
 * out of shape or limits. */
ENT_NODISCARD int ent_frame_get(struct ent_slice bytes, struct ent_arena *arena,
                                struct ent_frame *frame, struct ent_err *err);

/* Runs, compressed with zstd at the level that pays on a link. ENT_ENOMEM
 * sticks in the buffer. */
void ent_runs_put(struct ent_buf *buf, const struct ent_frame_run *runs,
                  size_t count);

/* Expanded (at most ENT_RUNS_BYTES_MAX) and read. */
ENT_NODISCARD int ent_runs_get(struct ent_slice bytes, struct ent_arena *arena,
                               struct ent_frame_run **runs, size_t *count,
                               struct ent_err *err);

#endif
