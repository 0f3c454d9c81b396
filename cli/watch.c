/* watch.c - changes told as they come, until it is interrupted. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/fields.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "cli/settings.h"
#include "store/follow.h"
#include "text/parse.h"

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* ------------------------------------------------------------- for programs */

static const char *action(const struct ent_step *step)
{
    static const char *const words[] = {
        [ENT_STEP_CREATED] = "created", [ENT_STEP_WRITTEN] = "written",
        [ENT_STEP_ADDED] = "added",     [ENT_STEP_REMOVED] = "removed",
        [ENT_STEP_DELETED] = "deleted", [ENT_STEP_UNDELETED] = "undeleted",
        [ENT_STEP_ERASED] = "erased",
    };

    if (step->what == ENT_STEP_WRITTEN && !step->missing &&
        step->value.type == ENT_VALUE_NIL)
        return "emptied";
    return words[step->what];
}

static void put_was(const struct ent_step *step, struct ent_buf *buf)
{
    ent_buf_put_u8(buf, '[');
    for (size_t i = 0; i < step->was_count; i++) {
        ent_buf_put_str(buf, i > 0 ? ", " : "");
        look_json(&step->was[i], buf);
    }
    ent_buf_put_u8(buf, ']');
}

static void print_json(struct cmd_ctx *ctx, struct out *out,
                       const struct ent_step *step,
                       const struct ent_record *record,
                       const struct ent_kind *kind,
                       const struct ent_field *field)
{
    static const char *const keys[] = {"claimed", "org",   "space", "kind",
                                       "code",    "field", "action"};
    struct ent_buf value = {0};
    struct ent_buf was = {0};
    struct ent_buf code = {0};
    char when[LOOK_TIME_TEXT];
    char id[ENT_ID_TEXT];
    char org[24];

    look_rfc3339(step->claimed_ms, when);
    look_put(record, ENT_FIELD_CODE, &code);
    look_json(&step->value, &value);
    put_was(step, &was);
    ent_id_text(&step->ref.id, id);
    out_list_begin(out);
    for (size_t i = 0; i < ENT_ARRAY_LEN(keys); i++)
        out_column(out, keys[i], keys[i], OUT_TEXT);
    out_column(out, "value", "value", OUT_JSON_RAW);
    out_column(out, "was", "was", OUT_JSON_RAW);
    out_column(out, "id", "id", OUT_TEXT);
    out_row(out);
    out_cell(out, when);
    out_cell(out, look_org(ctx, &step->author, org));
    out_cell(out, pick_handle(ctx, step->ref.space));
    out_cell(out, kind == NULL ? NULL : kind->name);
    out_cell(out, code.len > 0 ? ent_buf_cstr(&code) : NULL);
    out_cell(out, step->field == ENT_FIELD_LIFE ? LOOK_LIFE
                  : field == NULL               ? NULL
                                                : field->name);
    out_cell(out, action(step));
    out_cell(out, ent_buf_cstr(&value));
    out_cell(out, ent_buf_cstr(&was));
    out_cell(out, id);
    out_list_end(out);
    ent_buf_fini(&value);
    ent_buf_fini(&was);
    ent_buf_fini(&code);
}

/* --------------------------------------------------------------- for people */

/* What a record is called: its title, on one line. */
static void put_title(struct cmd_ctx *ctx, const struct ent_record *record,
                      const struct ent_kind *kind, struct ent_buf *line)
{
    const struct ent_field *field = kind == NULL || kind->title == NULL
                                        ? NULL
                                        : ent_field_named(kind, kind->title);
    const struct ent_value *value =
        field == NULL ? NULL : look_value(record, field->number);

    if (value == NULL)
        return;
    ent_buf_put_str(line, ": ");
    look_put_said(ctx, field, value, line);
}

static void put_change(struct cmd_ctx *ctx, const struct ent_step *step,
                       const struct ent_field *field, struct ent_buf *line)
{
    ent_buf_put_str(line, "  ");
    look_short(line, ent_slice_str(
                         field == NULL ? "?" : look_field_label(ctx, field)));
    ent_buf_put_str(line, step->what == ENT_STEP_ADDED     ? " + "
                          : step->what == ENT_STEP_REMOVED ? " - "
                                                           : ": ");
    for (size_t i = 0; i < step->was_count; i++) {
        ent_buf_put_str(line, i > 0 ? " | " : "");
        look_put_said(ctx, field, &step->was[i], line);
    }
    if (step->was_count > 0)
        ent_buf_put_str(line, " → ");
    if (step->missing)
        ent_buf_put_str(line, _("(not here)"));
    else
        look_put_said(ctx, field, &step->value, line);
}

static void put_line(struct cmd_ctx *ctx, const struct ent_step *step,
                     const struct ent_record *record,
                     const struct ent_kind *kind, const struct ent_field *field,
                     struct ent_buf *line)
{
    char when[LOOK_TIME_TEXT];
    char org[24];

    look_time(ctx, step->claimed_ms, when);
    ent_buf_printf(line, "%s  ", when);
    look_short(line, ent_slice_str(look_org(ctx, &step->author, org)));
    ent_buf_put_str(line, "  ");
    if (kind == NULL)
        ent_buf_printf(line, _("kind %u"), (unsigned)step->ref.kind);
    else
        look_short(line, ent_slice_str(look_kind_label(ctx, kind)));
    ent_buf_put_u8(line, ' ');
    look_put_name(ctx, record, line);
    switch (step->what) {
    case ENT_STEP_CREATED:
        ent_buf_printf(line, "  %s", _("new record"));
        put_title(ctx, record, kind, line);
        break;
    case ENT_STEP_DELETED:
        ent_buf_printf(line, "  %s", _("deleted"));
        break;
    case ENT_STEP_UNDELETED:
        ent_buf_printf(line, "  %s", _("brought back"));
        break;
    case ENT_STEP_ERASED:
        ent_buf_printf(line, "  %s", _("erased for good"));
        break;
    case ENT_STEP_WRITTEN:
    case ENT_STEP_ADDED:
    case ENT_STEP_REMOVED:
        put_change(ctx, step, field, line);
        break;
    }
}

/* ----------------------------------------------------------------- watching */

static int print_step(struct cmd_ctx *ctx, struct out *out,
                      const struct ent_step *step)
{
    const struct ent_kind *kind = ent_kind_find(&ctx->kinds, step->ref.kind);
    const struct ent_field *field =
        kind == NULL || step->field == ENT_FIELD_LIFE
            ? NULL
            : fields_find(ctx, kind, step->ref.space, step->field);
    struct ent_record record = {.ref = step->ref};
    struct ent_buf line = {0};
    int rc = ent_record_read(ctx->store, &step->ref, &record, &ctx->err);

    /* By now it may have been taken out by a cut: then it has no code. */
    if (rc == ENT_ENOTFOUND)
        record = (struct ent_record){.ref = step->ref};
    else if (rc < 0)
        return rc;
    if (out_is_json(out)) {
        print_json(ctx, out, step, &record, kind, field);
    } else if (!step->in_creation) {
        put_line(ctx, step, &record, kind, field, &line);
        if (ent_buf_cstr(&line) != NULL)
            out_remark(out, "%s", ent_buf_cstr(&line));
    }
    ent_buf_fini(&line);
    ent_record_fini(&record);
    return 0;
}

/* Waits; false when nobody reads what is printed any more. */
static bool wait_for(int wait_ms)
{
    struct pollfd fd = {.fd = STDOUT_FILENO};

    return poll(&fd, 1, wait_ms) <= 0 ||
           (fd.revents & (POLLERR | POLLNVAL)) == 0;
}

static int watch(struct cmd_ctx *ctx, struct out *out,
                 struct ent_follow *follow, int wait_ms)
{
    do {
        const struct ent_step *step;
        int rc;

        while ((rc = ent_follow_next(follow, &step, &ctx->err)) > 0) {
            rc = print_step(ctx, out, step);
            if (rc < 0)
                break;
        }
        if (rc < 0)
            return rc;
        if (fflush(stdout) != 0)
            return 0;
    } while (!interrupted && wait_for(wait_ms) && !interrupted);
    return 0;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = interrupt};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Each line is complete when it is printed: a table has no end here, and an
 * array neither. */
static int open_out(struct cmd_ctx *ctx, struct out **out)
{
    enum out_format format = out_format_of(ctx->out);

    if (format != OUT_TABLE && format != OUT_JSON && format != OUT_JSONL)
        return ent_err_set(&ctx->err, ENT_EUSAGE,
                           "watch prints lines, or one JSON object a line "
                           "with --json");
    *out = out_new(stdout, format == OUT_JSON ? OUT_JSONL : format);
    return *out == NULL ? cmd_no_memory(ctx) : 0;
}

int records_watch(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct ent_follow *follow = NULL;
    struct ent_config config;
    struct out *out = NULL;
    int64_t space;
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2)
        return cmd_usage(ctx, "watch");
    if (settings_read(ctx, &config) < 0)
        return cmd_fail(ctx);
    rc = pick_open(ctx, argc == 2 ? argv[1] : NULL, &space);
    if (rc == 0)
        rc = open_out(ctx, &out);
    if (rc == 0)
        rc = ent_follow_open(ctx->store, space, &follow, &ctx->err);
    if (rc == 0) {
        catch_signals();
        rc = watch(ctx, out, follow, config.poll_ms);
    }
    ent_follow_close(follow);
    ent_config_fini(&config);
    if (!out_free(out) && rc == 0 && errno != EPIPE)
        rc = ent_err_set(&ctx->err, ENT_EFAIL,
                         "the output could not be written");
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
