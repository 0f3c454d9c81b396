/* explain.c - which nodes have a record, which get it, and why. */
#include <stdlib.h>

#include "cli/args.h"
#include "cli/label.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "store/peers.h"

/* How many of the record's standing writes a member is known to hold. */
static int count_held(struct cmd_ctx *ctx, const struct ent_record *record,
                      const struct ent_key *key, size_t *held)
{
    *held = 0;
    for (size_t i = 0; i < record->write_count; i++) {
        const struct ent_shown *write = &record->writes[i];
        int rc = 1;

        if (!ent_key_equal(&write->author, key))
            rc = ent_holding_covers(ctx->store, write->dot.n, key, &ctx->err);
        if (rc < 0)
            return rc;
        *held += (size_t)rc;
    }
    return 0;
}

/* Why a member has it or gets it, to be translated. */
static const char *reason(const struct ent_kind *kind,
                          const struct ent_member *member, bool self)
{
    if (self)
        return N_("this node");
    if (member->role == ENT_ROLE_NONE)
        return N_("removed: gets nothing new");
    if (kind->owned)
        return N_("member: gets it at the next session; only its author "
                  "changes it");
    if (member->role == ENT_ROLE_READER)
        return N_("reader: gets it at the next session, changes nothing");
    return N_("member: gets it at the next session and may change it");
}

static int explain_member(struct cmd_ctx *ctx, const struct ent_record *record,
                          const struct ent_kind *kind,
                          const struct ent_member *member)
{
    bool self =
        ent_key_equal(&member->key, &ent_store_keys(ctx->store)->public);
    char key[LABEL_KEY_TEXT];
    size_t held = record->write_count;
    const char *has = N_("in part");
    int rc = 0;

    if (!self)
        rc = count_held(ctx, record, &member->key, &held);
    if (rc < 0)
        return rc;
    if (held == record->write_count)
        has = N_("yes");
    else if (held == 0)
        has = N_("not known");
    out_row(ctx->out);
    out_cell(ctx->out, member->org);
    out_cell(ctx->out, label_key(ctx, &member->key, key));
    out_cell(ctx->out, label_role(ctx, member->role));
    out_cell(ctx->out, look_for_program(ctx) ? has : _(has));
    out_cell(ctx->out, _(reason(kind, member, self)));
    return 0;
}

static int explain(struct cmd_ctx *ctx, const struct ent_record *record,
                   const struct ent_kind *kind)
{
    struct ent_member *members = NULL;
    size_t count = 0;
    int rc = ent_member_list(ctx->store, record->ref.space, &members, &count,
                             &ctx->err);

    if (rc < 0)
        return rc;
    out_list_begin(ctx->out);
    out_column(ctx->out, "org", _("organisation"), OUT_TEXT);
    out_column(ctx->out, "key", _("key"), OUT_TEXT);
    out_column(ctx->out, "role", _("role"), OUT_TEXT);
    out_column(ctx->out, "has", _("has it"), OUT_TEXT);
    out_column(ctx->out, "reason", _("why"), OUT_TEXT);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = explain_member(ctx, record, kind, &members[i]);
    out_list_end(ctx->out);
    if (rc == 0)
        out_remark(ctx->out,
                   _("It lies in the space %s: its members get it, nobody "
                     "else does."),
                   pick_handle(ctx, record->ref.space));
    free(members);
    return rc;
}

int records_explain(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_record record = {0};
    const struct ent_kind *kind;
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, "explain");
    if (cmd_store(ctx) == NULL || pick_read(ctx, argv[1], &record, &kind) < 0)
        return cmd_fail(ctx);
    rc = explain(ctx, &record, kind);
    ent_record_fini(&record);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
