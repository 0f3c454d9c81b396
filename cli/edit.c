/* edit.c - a record changed in a person's editor. Nothing is locked while the
 * editor is open; what it showed is what the write replaces (rule M8). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/edit_form.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "cli/refs.h"
#include "cli/rows.h"
#include "cli/survey.h"
#include "text/datadir.h"

extern char **environ;

#define PATH_BYTES (ENT_PATH_MAX + 32)
#define EDITOR_USUAL "vi"

struct edit {
    struct ent_record_ref ref;
    const struct ent_kind *kind;
    struct ent_record record; /* as it was displayed */
    struct form form;
    struct change change;
    char path[PATH_BYTES];
    struct ent_buf made; /* the text as it was made */
    bool kept;           /* the file stays, and its path was told */
};

/* --------------------------------------------------------------- the editor */

static bool has_terminal(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

static const char *find_editor(void)
{
    static const char *const names[] = {"VISUAL", "EDITOR"};

    for (size_t i = 0; i < ENT_ARRAY_LEN(names); i++) {
        const char *editor = getenv(names[i]);

        if (editor != NULL && *editor != '\0')
            return editor;
    }
    return has_terminal() ? EDITOR_USUAL : NULL;
}

/* Runs through the shell, as editors may be named with options. */
static int spawn_editor(const char *editor, const char *path, pid_t *pid)
{
    posix_spawnattr_t attr;
    struct ent_buf command = {0};
    sigset_t usual;
    int rc = posix_spawnattr_init(&attr);

    if (rc != 0)
        return rc;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGQUIT);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    ent_buf_printf(&command, "%s \"$@\"", editor);
    if (ent_buf_cstr(&command) == NULL) {
        rc = ENOMEM;
    } else {
        char *argv[] = {(char *)(uintptr_t) "sh",
                        (char *)(uintptr_t) "-c",
                        (char *)(uintptr_t)ent_buf_cstr(&command),
                        (char *)(uintptr_t)editor,
                        (char *)(uintptr_t)path,
                        NULL};

        rc = posix_spawn(pid, "/bin/sh", NULL, &attr, argv, environ);
    }
    ent_buf_fini(&command);
    posix_spawnattr_destroy(&attr);
    return rc;
}

/* An interrupt is the editor's matter while it runs. */
static int run_editor(struct cmd_ctx *ctx, const char *editor, const char *path)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before[2];
    pid_t pid = 0;
    int status = 0;
    int rc;

    fflush(stdout);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &ignore, &before[0]);
    sigaction(SIGQUIT, &ignore, &before[1]);
    rc = spawn_editor(editor, path, &pid);
    while (rc == 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGQUIT, &before[1], NULL);
    if (rc != 0)
        return ent_err_set(&ctx->err, ENT_EFAIL,
                           "the editor could not be started: %s", strerror(rc));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return ent_err_set(&ctx->err, ENT_EFAIL,
                           "the editor \"%s\" failed; nothing was changed",
                           editor);
    return 0;
}

/* ----------------------------------------------------------------- the file */

static int write_file(struct cmd_ctx *ctx, const struct edit *edit, int fd,
                      const struct ent_buf *text)
{
    size_t done = 0;

    while (text->rc == 0 && done < text->len) {
        ssize_t put = write(fd, text->at + done, text->len - done);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        done += (size_t)put;
    }
    close(fd);
    if (text->rc < 0)
        return cmd_no_memory(ctx);
    return done == text->len
               ? 0
               : ent_err_set(&ctx->err, ENT_ESTORE, "%s cannot be written: %s",
                             edit->path, strerror(errno));
}

/* In the node's directory, for its owner only: it holds what the replica
 * holds. */
static int make_file(struct cmd_ctx *ctx, struct edit *edit)
{
    int fd;

    snprintf(edit->path, sizeof(edit->path), "%s/edit-XXXXXX.txt", ctx->home);
    fd = mkostemps(edit->path, (int)strlen(".txt"), O_CLOEXEC);
    if (fd < 0) {
        int why = errno;

        edit->path[0] = '\0';
        return ent_err_set(&ctx->err, ENT_ESTORE,
                           "no file can be made in %s: %s", ctx->home,
                           strerror(why));
    }
    return write_file(ctx, edit, fd, &edit->made);
}

/* The text with what is wrong with it above, for another try. */
static int annotate(struct cmd_ctx *ctx, const struct edit *edit,
                    const struct ent_buf *notes, struct ent_slice text)
{
    struct ent_buf all = {0};
    int fd = open(edit->path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return ent_err_set(&ctx->err, ENT_ESTORE, "%s cannot be written: %s",
                           edit->path, strerror(errno));
    ent_buf_put_slice(&all, ent_buf_slice(notes));
    while (text.len > 4 && memcmp(text.at, "# !!", 4) == 0) {
        const uint8_t *end = memchr(text.at, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.at) + 1;

        text = ent_slice(text.at + len, text.len - len);
    }
    ent_buf_put_slice(&all, text);
    rc = write_file(ctx, edit, fd, &all);
    ent_buf_fini(&all);
    return rc;
}

static bool is_there(const struct edit *edit)
{
    return access(edit->path, F_OK) == 0;
}

/* What a person typed is not lost: the file stays. */
static void keep_file(struct edit *edit)
{
    struct ent_buf text = {0};
    struct ent_err err;

    edit->kept =
        edit->path[0] != '\0' && is_there(edit) &&
        (rows_read_text(edit->path, FORM_BYTES_MAX, &text, &err) < 0 ||
         !ent_slice_equal(ent_buf_slice(&text), ent_buf_slice(&edit->made)));
    if (edit->kept)
        fprintf(stderr, _("what you wrote is kept in %s\n"), edit->path);
    ent_buf_fini(&text);
}

/* ----------------------------------------------------------------- the write
 */

/* Who wrote to the same fields while the editor was open. */
static int tell_conflicts(struct cmd_ctx *ctx, const struct edit *edit)
{
    struct ent_record now;
    int rc = ent_record_read(ctx->store, &edit->ref, &now, &ctx->err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < edit->change.count; i++) {
        const struct ent_field *field = edit->change.words[i].field;

        if (ent_record_contested(&now, field))
            cmd_say(ctx,
                    _("%s was changed by somebody else meanwhile: both values "
                      "stand; see \"conflicts\""),
                    field->name);
    }
    ent_record_fini(&now);
    return 0;
}

static int write_change(struct cmd_ctx *ctx, struct edit *edit,
                        enum ent_written *written)
{
    struct ent_edit change = {
        .kind = edit->ref.kind, .id = edit->ref.id, .life = ENT_EDIT_TOUCH};
    struct ent_record now = {0};
    struct ent_writer *writer;
    struct ent_edit_op *ops = NULL;
    int rc = ent_writer_open(ctx->store, edit->ref.space, cmd_now_ms(), &writer,
                             &ctx->err);

    *written = ENT_WRITTEN_NOTHING;
    if (rc < 0)
        return rc;
    rc = ent_record_read(ctx->store, &edit->ref, &now, &ctx->err);
    if (rc == 0)
        rc = form_ops(ctx, &edit->form, &edit->change, &now, &ops,
                      &change.op_count);
    if (rc == 0)
        rc =
            questions_check_change(ctx, edit->kind, &now, ops, change.op_count);
    change.ops = ops;
    if (rc < 0 || change.op_count == 0)
        ent_writer_abort(writer);
    else
        rc = records_write(ctx, writer, &change, true, written);
    ent_record_fini(&now);
    return rc;
}

static int save(struct cmd_ctx *ctx, struct edit *edit)
{
    enum ent_written written = ENT_WRITTEN_NOTHING;
    int rc = 0;

    if (edit->change.count > 0)
        rc = refs_check(ctx, &edit->change);
    if (rc == 0 && edit->change.count > 0)
        rc = write_change(ctx, edit, &written);
    if (rc < 0)
        return rc;
    if (written == ENT_WRITTEN_NOTHING)
        cmd_say(ctx, _("nothing to change"));
    else if (ctx->dry_run)
        change_preview(ctx, &edit->change, &edit->record);
    else
        rc = tell_conflicts(ctx, edit);
    return rc;
}

/* ---------------------------------------------------------------- the command
 */

/* The editor, until what it leaves can be read. A person gets the text back
 * with what is wrong with it, and gives up by leaving it as it is; a program
 * would do the same again. */
static int edit_text(struct cmd_ctx *ctx, struct edit *edit, const char *editor)
{
    struct ent_buf text = {0};
    struct ent_buf before = {0};
    struct ent_buf notes = {0};
    int rc;

    for (;;) {
        rc = run_editor(ctx, editor, edit->path);
        ent_buf_reset(&text);
        ent_buf_reset(&notes);
        if (rc == 0 && !is_there(edit))
            rc = ent_err_set(&ctx->err, ENT_EFAIL,
                             "the editor \"%s\" took the file away; nothing "
                             "was changed",
                             editor);
        if (rc == 0)
            rc = rows_read_text(edit->path, FORM_BYTES_MAX, &text, &ctx->err);
        if (rc == 0)
            rc = form_read(ctx, &edit->form, ent_buf_slice(&text), edit->path,
                           &edit->change, &notes);
        if (rc < 0 || edit->form.faults == 0)
            break;
        if (!has_terminal() ||
            ent_slice_equal(ent_buf_slice(&text), ent_buf_slice(&before))) {
            rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                             "the text has faults, so nothing was changed");
            break;
        }
        rc = annotate(ctx, edit, &notes, ent_buf_slice(&text));
        ent_buf_reset(&before);
        if (rc == 0)
            rc = rows_read_text(edit->path, FORM_BYTES_MAX, &before, &ctx->err);
        if (rc < 0)
            break;
    }
    ent_buf_fini(&text);
    ent_buf_fini(&before);
    ent_buf_fini(&notes);
    return rc;
}

/* What would be refused in the end is refused before anybody types. */
static int check(struct cmd_ctx *ctx, const struct edit *edit)
{
    struct ent_writer *writer;
    int rc;

    if (!edit->record.live)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "this record is deleted; \"undelete\" brings it "
                           "back");
    if (!ent_record_may_change(ctx->store, edit->ref.space, edit->ref.kind,
                               &edit->ref.id))
        return ent_err_set(&ctx->err, ENT_EDENIED,
                           "this record of kind %s belongs to another member, "
                           "who alone may change it",
                           edit->kind->name);
    rc = ent_writer_open(ctx->store, edit->ref.space, ctx->now_ms, &writer,
                         &ctx->err);
    if (rc == 0)
        ent_writer_abort(writer);
    return rc;
}

static int run(struct cmd_ctx *ctx, struct edit *edit)
{
    const char *editor = find_editor();
    int rc = 0;

    if (editor == NULL)
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         "there is no terminal to edit at: name an editor in "
                         "VISUAL or EDITOR, or use \"set\"");
    if (rc == 0)
        rc = check(ctx, edit);
    if (rc == 0)
        rc =
            form_make(ctx, edit->kind, &edit->record, &edit->form, &edit->made);
    if (rc == 0)
        rc = make_file(ctx, edit);
    if (rc == 0) {
        rc = edit_text(ctx, edit, editor);
        if (rc == 0)
            rc = save(ctx, edit);
        if (rc < 0)
            keep_file(edit);
    }
    return rc;
}

int records_edit(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct edit edit = {0};
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, "edit");
    if (cmd_store(ctx) == NULL ||
        pick_read(ctx, argv[1], &edit.record, &edit.kind) < 0)
        return cmd_fail(ctx);
    edit.ref = edit.record.ref;
    rc = run(ctx, &edit);
    if (edit.path[0] != '\0' && !edit.kept)
        unlink(edit.path);
    ent_buf_fini(&edit.made);
    form_fini(&edit.form);
    change_fini(&edit.change);
    ent_record_fini(&edit.record);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
