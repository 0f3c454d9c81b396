/* conns.h - the connections of a link, by number and by routing id.
 *
 *   dialled:  DIALLING --handshake--> UP --lost--> GOING --all read--> DOWN
 *                  `------failed, too long------'
 *   inbound:  a message of a new routing id --> UP --lost--> GOING --> DOWN
 *             either way: drop --> DROPPED --linger over, lost--> forgotten */
#ifndef ENT_LINK_CONNS_H
#define ENT_LINK_CONNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"

#define ENT_CONNS_BUCKETS 256

enum ent_conn_state {
    ENT_CONN_DIALLING, /* also theirs, before it is let in */
    ENT_CONN_UP,
    ENT_CONN_GOING,   /* lost: what was received is read, then DOWN */
    ENT_CONN_DROPPED, /* by the caller; theirs, and still lingering */
};

struct ent_conn {
    uint32_t id;
    bool dialled;
    enum ent_conn_state state;
    bool announced; /* UP was given out */
    int fd;         /* -1: none */
    struct ent_key curve;
    const char *reason;     /* why it is lost, NULL: not known yet */
    uint64_t due_ms;        /* DIALLING, DROPPED: then it ends; 0: never */
    void *dealer, *monitor; /* dialled */
    uint32_t route;         /* inbound: the number libzmq gave it */
    struct ent_conn *next;  /* of the same bucket */
};

struct ent_conns {
    struct ent_conn **items; /* ascending by id */
    size_t count, cap;
    struct ent_conn *routes[ENT_CONNS_BUCKETS];
    uint32_t last_id;
    uint32_t inbound_up;
    size_t inbound_going;
};

/* None must be left. */
void ent_conns_fini(struct ent_conns *conns);

/* A new one, DIALLING, with the next number; NULL without memory. */
struct ent_conn *ent_conn_new(struct ent_conns *conns, bool dialled,
                              const struct ent_key *curve);

/* Forget it; its sockets are the caller's. */
void ent_conn_free(struct ent_conns *conns, struct ent_conn *conn);

struct ent_conn *ent_conn_find(const struct ent_conns *conns, uint32_t id);
struct ent_conn *ent_conn_routed(const struct ent_conns *conns, uint32_t route);

/* Let it be found by its routing id. */
void ent_conn_set_route(struct ent_conns *conns, struct ent_conn *conn,
                        uint32_t route);

/* Every change of state, so that the numbers of `conns` are right. */
void ent_conn_set_state(struct ent_conns *conns, struct ent_conn *conn,
                        enum ent_conn_state state);

#endif
