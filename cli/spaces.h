/* spaces.h - spaces founded and invitations to them, for more than one
 * command. */
#ifndef ENT_CLI_SPACES_H
#define ENT_CLI_SPACES_H

#include "cli/args.h"
#include "cli/cmd.h"
#include "store/spaces.h"

#define SPACES_EXPIRES_USUAL "7d" /* an invitation */

struct spaces_endpoints {
    char text[ENT_ENDPOINTS_MAX][ENT_ENDPOINT_MAX + 1];
    const char *at[ENT_ENDPOINTS_MAX];
    size_t count;
};

/* For --dry-run: what the store would say of the handle of a new space. */
ENT_NODISCARD int spaces_check_handle(struct cmd_ctx *ctx, const char *name);

/* Where this node can be dialled: as given, else as configured, else as its
 * daemon announced. ENT_EUSAGE: nowhere. */
ENT_NODISCARD int spaces_find_endpoints(struct cmd_ctx *ctx,
                                        const struct args_many *given,
                                        struct spaces_endpoints *endpoints);

/* Make an invitation and print its line, drawn too when `as_qr`; with --dry-run
 * only say so. ENT_EDENIED: not the chair. */
ENT_NODISCARD int spaces_print_invite(struct cmd_ctx *ctx, int64_t space,
                                      enum ent_role role, int64_t expires_ms,
                                      const struct spaces_endpoints *endpoints,
                                      bool as_qr);

#endif
