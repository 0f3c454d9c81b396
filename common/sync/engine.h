/* engine.h - the session engine: events in, effects out (rules S1 to S7).
 * A pure state machine over a store: it opens no socket, reads no clock and
 * logs nothing. The daemon, `entente sync`, the simulator and the tests drive
 * the same code. Frames are drawn in docs/protocol.md. */
#ifndef ENT_SYNC_ENGINE_H
#define ENT_SYNC_ENGINE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"
#include "secure/rand.h"
#include "store/store.h"

#define ENT_ENGINE_SESSIONS_MAX 1024
#define ENT_ENGINE_TICK_MS 1000 /* the longest a caller lets pass */

struct ent_engine;

enum ent_event_type {
    ENT_EVENT_UP,    /* a connection stands: conn, dialled, curve */
    ENT_EVENT_DOWN,  /* it is gone, or dialling failed: conn */
    ENT_EVENT_FRAME, /* conn, frame (borrowed for the step) */
    ENT_EVENT_TICK,  /* time passed */
    ENT_EVENT_LOCAL, /* the replica has new commits by this node */
    ENT_EVENT_ROOM,  /* a connection that answered 0 can be sent to again */
};

struct ent_event {
    enum ent_event_type type;
    int64_t now_ms;  /* the node's claimed time, Unix ms */
    int64_t mono_ms; /* never goes back; for timeouts only */
    uint32_t conn;
    bool dialled;
    struct ent_key curve; /* UP: proven by the transport */
    struct ent_slice frame;
};

enum ent_effect_type {
    ENT_EFFECT_SEND, /* frame to conn */
    ENT_EFFECT_DIAL, /* endpoint, curve; answer with UP or DOWN of `conn`
                      * through ent_engine_dialled */
    ENT_EFFECT_DROP, /* close conn */
    ENT_EFFECT_NOTE, /* something a person may want to know */
};

enum ent_note {
    ENT_NOTE_CONNECTED,   /* a member's link stands */
    ENT_NOTE_GONE,        /* it ended */
    ENT_NOTE_EQUAL,       /* this space is equal with that peer */
    ENT_NOTE_DIVERGED,    /* same entries, another state: alarm (S5) */
    ENT_NOTE_TAKEN,       /* entries were applied: count */
    ENT_NOTE_REFUSED,     /* bytes were refused: text */
    ENT_NOTE_STRANGER,    /* a key of no space of ours */
    ENT_NOTE_CLOCK,       /* the peer's clock is odd: count is ms */
    ENT_NOTE_JOINED,      /* our join was admitted: space */
    ENT_NOTE_ADMITTED,    /* we admitted somebody: space, peer */
    ENT_NOTE_JOIN_FAILED, /* our join was refused: text */
    ENT_NOTE_DONE,        /* a session has nothing left to do, both ways */
    ENT_NOTE_STORAGE,     /* the replica cannot be written: text */
    ENT_NOTE_FORK,        /* a second branch of a log was seen (A8) */
    ENT_NOTE_PROOF,       /* somebody forked the roster or voted twice: text */
    ENT_NOTE_LOST,        /* the chair removed us, or made us a reader: text */
};

struct ent_effect {
    enum ent_effect_type type;
    uint32_t conn;
    struct ent_slice frame; /* SEND: lives until the next step */
    const char *endpoint;   /* DIAL */
    struct ent_key curve;   /* DIAL */
    uint32_t dial;          /* DIAL: give it back to ent_engine_dialled */
    enum ent_note note;     /* NOTE */
    struct ent_key peer;    /* NOTE: Ed25519 key, zero when not known */
    struct ent_id space;    /* NOTE: zero when about no space */
    int64_t count;          /* NOTE */
    const char *text;       /* NOTE: in the reader's language, or NULL */
};

struct ent_effects {
    struct ent_effect *items;
    size_t count;
    size_t next;
};

/* The next effect of the last step, NULL at the end. */
const struct ent_effect *ent_effects_next(struct ent_effects *effects);

struct ent_engine_options {
    bool dial_members; /* the daemon: keep links to every known member */
    int dial_seconds;  /* between attempts on one peer */
};

/* Borrows store and rand for its life. */
ENT_NODISCARD int ent_engine_new(struct ent_store *store, struct ent_rand *rand,
                                 const struct ent_engine_options *options,
                                 struct ent_engine **engine,
                                 struct ent_err *err);
void ent_engine_free(struct ent_engine *engine);

/* Take one event. Effects are valid until the next step. Bytes of a peer
 * never fail a step: they are counted, noted, and the peer may be dropped.
 * ENT_ESTORE: the replica could not be read or written; the step has no other
 * effect and may be repeated. */
ENT_NODISCARD int ent_engine_step(struct ent_engine *engine,
                                  const struct ent_event *event,
                                  struct ent_effects *effects,
                                  struct ent_err *err);

/* The connection that a DIAL effect became. */
void ent_engine_dialled(struct ent_engine *engine, uint32_t dial,
                        uint32_t conn);

/* Ask for one session with the member `key` (Ed25519) at `endpoint`; NULL
 * takes the endpoints the replica knows. The next step dials. */
ENT_NODISCARD int ent_engine_call(struct ent_engine *engine,
                                  const struct ent_key *key,
                                  const char *endpoint, struct ent_err *err);

/* Join a space by an invitation line; the next step dials. The handle is the
 * local name of the space. ENT_EREFUSED: mangled or expired. */
ENT_NODISCARD int ent_engine_join(struct ent_engine *engine, const char *line,
                                  int64_t now_ms, struct ent_err *err);

/* When to step with a TICK at the latest, in mono_ms. */
int64_t ent_engine_wake_ms(const struct ent_engine *engine);

/* Live sessions with members, and whether all have nothing left to do. */
size_t ent_engine_sessions(const struct ent_engine *engine);
bool ent_engine_quiet(const struct ent_engine *engine);

#endif
