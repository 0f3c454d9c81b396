/* party.c - see party.h. */
#include "party.h"

#include <stdio.h>

struct net *net;
int space;
struct ent_err err;

void party_begin(int nodes, int members)
{
    net = net_new(29);
    for (int i = 0; i < nodes; i++)
        net_add(net);
    space = net_found(net, 0);
    for (int i = 1; i < members; i++)
        net_admit(net, space, 0, i, ENT_ROLE_EDITOR);
    for (int i = 1; i < members; i++)
        net_copy_roster(net, space, 0, i);
    for (int i = 1; i < members; i++)
        net_local(net, i);
    for (int a = 0; a < nodes; a++)
        for (int b = 0; b < a; b++)
            net_cut(net, a, b);
}

void party_end(void)
{
    net_free(net);
    net = NULL;
}

const struct ent_key *key_of(int node)
{
    return &net->nodes[node].keys.public;
}

struct ent_store *store_of(int node)
{
    return net->nodes[node].store;
}

int64_t number(int node)
{
    return net_space(net, space, node);
}

void set(int node, int record, const char *text)
{
    ck_assert_int_eq(net_set(net, node, space, record, NET_TITLE, text), 0);
}

void check_values(int node, int record, const char *expected)
{
    char text[1024];

    ck_assert_str_eq(
        net_values(net, node, space, record, NET_TITLE, text, sizeof(text)),
        expected);
}

void meet(int a, int b)
{
    net_heal(net, a, b);
    net_call(net, a, b);
    ck_assert(net_run_quiet(net, 10 * PARTY_MINUTE));
    net_cut(net, a, b);
    net_run(net, 1000);
}

static void complain(void *ctx, const char *text)
{
    fprintf(stderr, "verify: node %d: %s\n", *(int *)ctx, text);
}

void check_sound(int node)
{
    struct ent_digest before = net_digest(net, node, space);
    struct ent_digest after;

    ck_assert_int_eq(
        ent_store_verify(store_of(node), true, complain, &node, &err), 0);
    ck_ok(ent_store_rebuild(store_of(node), &err));
    after = net_digest(net, node, space);
    ck_assert_mem_eq(&before, &after, sizeof(before));
}

void check_equal(int a, int b)
{
    ck_assert(net_equal(net, a, b, space));
    check_sound(a);
    check_sound(b);
}

int party_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    net_begin();
    srunner_run_all(runner, CK_ENV);
    net_end();
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}
