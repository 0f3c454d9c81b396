/* peers.h - the other nodes that this one can dial: those a person gave, and
 * members that told where they are. */
#ifndef ENT_CLI_PEERS_H
#define ENT_CLI_PEERS_H

#include "cli/cmd.h"
#include "store/peers.h"

struct peers_node {
    struct ent_key key;
    const char *org;  /* "" when not known; lives as long as the list */
    size_t endpoints; /* addresses known of it */
};

struct peers {
    struct peers_node *nodes;
    size_t count;
    struct ent_arena arena; /* owns the above */
};

/* Every peer and every member of a space, this node excepted, each once. */
ENT_NODISCARD int peers_read(struct cmd_ctx *ctx, struct peers *peers);
void peers_fini(struct peers *peers);

/* The node of that key, unambiguous beginning of a key (4 hex digits or more)
 * or organisation. ENT_ENOTFOUND, ENT_EAMBIG. */
ENT_NODISCARD int peers_pick(struct cmd_ctx *ctx, const struct peers *peers,
                             const char *name, const struct peers_node **node);

/* Whether other nodes can dial `text`. ENT_EREFUSED. */
ENT_NODISCARD int peers_check_endpoint(struct cmd_ctx *ctx, const char *text);

int peers_add(struct cmd_ctx *ctx, int argc, char **argv);
int peers_list(struct cmd_ctx *ctx, int argc, char **argv);
int peers_remove(struct cmd_ctx *ctx, int argc, char **argv);

#endif
