/* peers.c - see peers.h. */
#include "cli/peers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/args.h"
#include "cli/label.h"
#include "cli/look.h"
#include "store/spaces.h"

#define KEY_BEGINNING_MIN 4 /* hex digits */

/* ------------------------------------------------------------------ reading */

static int add_node(struct cmd_ctx *ctx, struct peers *peers,
                    const struct ent_key *key)
{
    char endpoints[ENT_ENDPOINTS_MAX][ENT_ENDPOINT_MAX + 1];
    struct peers_node *node = &peers->nodes[peers->count];
    struct ent_slice org;
    int rc;

    if (ent_key_equal(key, &ent_store_keys(ctx->store)->public))
        return 0;
    for (size_t i = 0; i < peers->count; i++)
        if (ent_key_equal(&peers->nodes[i].key, key))
            return 0;
    rc = ent_peer_endpoints(ctx->store, key, endpoints, ENT_ENDPOINTS_MAX,
                            &node->endpoints, &ctx->err);
    if (rc < 0)
        return rc;
    node->key = *key;
    org = ent_slice_str(ent_member_org(ctx->store, key));
    /* The copy takes the NUL along. */
    org = ent_arena_copy(&peers->arena, ent_slice(org.at, org.len + 1));
    if (org.at == NULL)
        return cmd_no_memory(ctx);
    node->org = (const char *)org.at;
    peers->count++;
    return 0;
}

static int make_room(struct cmd_ctx *ctx, struct peers *peers, size_t more)
{
    struct peers_node *nodes =
        ENT_ARENA_NEW(&peers->arena, struct peers_node, peers->count + more);

    if (nodes == NULL)
        return cmd_no_memory(ctx);
    if (peers->count > 0)
        memcpy(nodes, peers->nodes, peers->count * sizeof(*nodes));
    peers->nodes = nodes;
    return 0;
}

static int read_members(struct cmd_ctx *ctx, struct peers *peers, int64_t space)
{
    struct ent_member *members = NULL;
    size_t count = 0;
    int rc = ent_member_list(ctx->store, space, &members, &count, &ctx->err);

    if (rc == 0)
        rc = make_room(ctx, peers, count + 1);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_node(ctx, peers, &members[i].key);
    free(members);
    return rc;
}

int peers_read(struct cmd_ctx *ctx, struct peers *peers)
{
    struct ent_peer *given = NULL;
    struct ent_space *spaces = NULL;
    size_t given_count = 0;
    size_t space_count = 0;
    int rc = ent_peer_list(ctx->store, &given, &given_count, &ctx->err);

    *peers = (struct peers){0};
    if (rc == 0)
        rc = make_room(ctx, peers, given_count + 1);
    for (size_t i = 0; rc == 0 && i < given_count; i++)
        rc = add_node(ctx, peers, &given[i].key);
    if (rc == 0)
        rc = ent_space_list(ctx->store, &spaces, &space_count, &ctx->err);
    for (size_t i = 0; rc == 0 && i < space_count; i++)
        if (!spaces[i].left)
            rc = read_members(ctx, peers, spaces[i].space);
    free(given);
    free(spaces);
    if (rc < 0)
        peers_fini(peers);
    return rc;
}

void peers_fini(struct peers *peers)
{
    ent_arena_fini(&peers->arena);
    *peers = (struct peers){0};
}

/* ------------------------------------------------------------------ picking */

static bool begins_key(const struct ent_key *key, const char *name)
{
    char text[LABEL_KEY_TEXT];
    size_t len = strlen(name);

    ent_hex_put(text, key->b, ENT_KEY_BYTES);
    return len >= KEY_BEGINNING_MIN && strncasecmp(text, name, len) == 0;
}

int peers_pick(struct cmd_ctx *ctx, const struct peers *peers, const char *name,
               const struct peers_node **node)
{
    char first[LABEL_KEY_TEXT], second[LABEL_KEY_TEXT];
    const struct peers_node *found = NULL;

    for (size_t i = 0; i < peers->count; i++) {
        const struct peers_node *one = &peers->nodes[i];

        if (!begins_key(&one->key, name) && strcasecmp(one->org, name) != 0)
            continue;
        if (found != NULL) {
            ent_hex_put(first, found->key.b, ENT_KEY_BYTES);
            ent_hex_put(second, one->key.b, ENT_KEY_BYTES);
            return ent_err_set(&ctx->err, ENT_EAMBIG,
                               "\"%s\" names several peers, among them %s and "
                               "%s",
                               name, first, second);
        }
        found = one;
    }
    if (found == NULL)
        return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                           "there is no peer \"%s\"; \"peer list\" shows them",
                           name);
    *node = found;
    return 0;
}

/* ----------------------------------------------------------------- commands */

int peers_check_endpoint(struct cmd_ctx *ctx, const char *text)
{
    if (ent_endpoint_check(text) && strchr(text, '*') == NULL)
        return 0;
    return ent_err_set(&ctx->err, ENT_EREFUSED,
                       "\"%s\" is not an address that can be dialled; write "
                       "tcp://HOST:PORT",
                       text);
}

int peers_add(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_key key;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 3)
        return cmd_usage(ctx, argv[0]);
    if (peers_check_endpoint(ctx, argv[1]) < 0 ||
        label_read_key(ctx, argv[2], &key) < 0 || cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    if (ent_key_equal(&key, &ent_store_keys(ctx->store)->public)) {
        ent_err_set(&ctx->err, ENT_EUSAGE, "this is the key of this node");
        return cmd_fail(ctx);
    }
    if (ctx->dry_run) {
        cmd_say(ctx, _("would dial %s at %s from now on"), argv[2], argv[1]);
        return CMD_OK;
    }
    if (ent_peer_add(ctx->store, &key, argv[1], &ctx->err) < 0)
        return cmd_fail(ctx);
    cmd_poke(ctx);
    return CMD_OK;
}

int peers_list(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_peer *list = NULL;
    size_t count = 0;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL ||
        ent_peer_list(ctx->store, &list, &count, &ctx->err) < 0)
        return cmd_fail(ctx);
    out_list_begin(ctx->out);
    label_peer_columns(ctx);
    for (size_t i = 0; i < count; i++)
        label_peer(ctx, &list[i]);
    out_list_end(ctx->out);
    if (count == 0)
        cmd_say(ctx, "%s",
                _("no peer yet: \"peer add\" gives the address of "
                  "one, \"join\" makes it known by itself"));
    free(list);
    return CMD_OK;
}

int peers_remove(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct peers peers = {0};
    const struct peers_node *node;
    char key[LABEL_KEY_TEXT];
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, argv[0]);
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = peers_read(ctx, &peers);
    if (rc == 0)
        rc = peers_pick(ctx, &peers, argv[1], &node);
    if (rc == 0) {
        ent_hex_put(key, node->key.b, ENT_KEY_BYTES);
        if (ctx->dry_run)
            cmd_say(ctx, _("would forget the address given for %s"), key);
        else
            rc = ent_peer_remove(ctx->store, &node->key, &ctx->err);
    }
    peers_fini(&peers);
    if (rc == 0 && !ctx->dry_run)
        cmd_poke(ctx);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
