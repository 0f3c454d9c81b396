/* conns.c - see conns.h. */
#include "link/conns.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

#define ITEMS_FIRST 16

void ent_conns_fini(struct ent_conns *conns)
{
    ENT_ASSERT(conns->count == 0);
    free(conns->items);
    memset(conns, 0, sizeof(*conns));
}

/* Where `id` is or would be. */
static size_t place_of(const struct ent_conns *conns, uint32_t id)
{
    size_t low = 0, high = conns->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (conns->items[mid]->id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct ent_conn *ent_conn_find(const struct ent_conns *conns, uint32_t id)
{
    size_t at = place_of(conns, id);

    if (at == conns->count || conns->items[at]->id != id)
        return NULL;
    return conns->items[at];
}

struct ent_conn *ent_conn_routed(const struct ent_conns *conns, uint32_t route)
{
    struct ent_conn *conn = conns->routes[route % ENT_CONNS_BUCKETS];

    while (conn != NULL && conn->route != route)
        conn = conn->next;
    return conn;
}

static bool make_room(struct ent_conns *conns)
{
    size_t cap = conns->cap == 0 ? ITEMS_FIRST : 2 * conns->cap;
    struct ent_conn **items;

    if (conns->count < conns->cap)
        return true;
    items = realloc(conns->items, cap * sizeof(*items));
    if (items == NULL)
        return false;
    conns->items = items;
    conns->cap = cap;
    return true;
}

struct ent_conn *ent_conn_new(struct ent_conns *conns, bool dialled,
                              const struct ent_key *curve)
{
    struct ent_conn *conn = make_room(conns) ? calloc(1, sizeof(*conn)) : NULL;

    if (conn == NULL)
        return NULL;
    conn->id = ++conns->last_id;
    ENT_ASSERT(conn->id != 0);
    conn->dialled = dialled;
    conn->curve = *curve;
    conn->fd = -1;
    conns->items[conns->count++] = conn;
    return conn;
}

void ent_conn_free(struct ent_conns *conns, struct ent_conn *conn)
{
    struct ent_conn **at = &conns->routes[conn->route % ENT_CONNS_BUCKETS];
    size_t place = place_of(conns, conn->id);

    ent_conn_set_state(conns, conn, ENT_CONN_DROPPED);
    while (*at != NULL && *at != conn)
        at = &(*at)->next;
    if (*at == conn)
        *at = conn->next;
    memmove(conns->items + place, conns->items + place + 1,
            (conns->count - place - 1) * sizeof(*conns->items));
    conns->count--;
    free(conn);
}

void ent_conn_set_route(struct ent_conns *conns, struct ent_conn *conn,
                        uint32_t route)
{
    struct ent_conn **bucket = &conns->routes[route % ENT_CONNS_BUCKETS];

    conn->route = route;
    conn->next = *bucket;
    *bucket = conn;
}

static void count(struct ent_conns *conns, const struct ent_conn *conn, int one)
{
    if (conn->dialled)
        return;
    if (conn->state == ENT_CONN_UP)
        conns->inbound_up += (uint32_t)one;
    if (conn->state == ENT_CONN_GOING)
        conns->inbound_going += (size_t)one;
}

void ent_conn_set_state(struct ent_conns *conns, struct ent_conn *conn,
                        enum ent_conn_state state)
{
    count(conns, conn, -1);
    conn->state = state;
    count(conns, conn, 1);
}
