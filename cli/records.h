/* records.h - the commands about records that have a file of their own. */
#ifndef ENT_CLI_RECORDS_H
#define ENT_CLI_RECORDS_H

#include "cli/cmd.h"
#include "store/records.h"

/* show.c */
int records_show(struct cmd_ctx *ctx, int argc, char **argv);
int records_log(struct cmd_ctx *ctx, int argc, char **argv);

/* explain.c */
int records_explain(struct cmd_ctx *ctx, int argc, char **argv);

/* kinds.c */
int records_kinds(struct cmd_ctx *ctx, int argc, char **argv);
int records_add_field(struct cmd_ctx *ctx, int argc, char **argv);

/* lists.c */
int records_list(struct cmd_ctx *ctx, int argc, char **argv);
int records_find(struct cmd_ctx *ctx, int argc, char **argv);

/* conflicts.c */
int records_conflicts(struct cmd_ctx *ctx, int argc, char **argv);
int records_resolve(struct cmd_ctx *ctx, int argc, char **argv);

/* undo.c */
int records_undo(struct cmd_ctx *ctx, int argc, char **argv);

/* watch.c */
int records_watch(struct cmd_ctx *ctx, int argc, char **argv);

/* edit.c */
int records_edit(struct cmd_ctx *ctx, int argc, char **argv);

/* life.c */
int records_delete(struct cmd_ctx *ctx, int argc, char **argv);
int records_undelete(struct cmd_ctx *ctx, int argc, char **argv);

/* duplicates.c */
int records_duplicates(struct cmd_ctx *ctx, int argc, char **argv);

/* merge.c */
int records_merge(struct cmd_ctx *ctx, int argc, char **argv);
int records_unmerge(struct cmd_ctx *ctx, int argc, char **argv);

/* archive.c */
int records_archive(struct cmd_ctx *ctx, int argc, char **argv);
int records_unarchive(struct cmd_ctx *ctx, int argc, char **argv);

/* check.c */
int records_check(struct cmd_ctx *ctx, int argc, char **argv);

/* Put one record's change and commit, or with --dry-run drop it; frees the
 * writer in every case. The sentence is in ctx->err. */
ENT_NODISCARD int records_write(struct cmd_ctx *ctx, struct ent_writer *writer,
                                const struct ent_edit *edit, bool resolve,
                                enum ent_written *written);

#endif
