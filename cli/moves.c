/* moves.c - see moves.h; the commands `move` and `approve`. */
#include "cli/moves.h"

#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/change.h"
#include "cli/look.h"
#include "cli/needs.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "cli/stages.h"

#define CODE_BYTES 8 /* of the id, in a transition's own code */
#define TRANSITION "transition"
#define APPROVAL "approval"
#define APPROVAL_ROLES "approval_role"

/* ----------------------------------------------------------------- writing */

void moves_put(struct moves_words *words, const char *field, const char *value)
{
    size_t room;
    char *word;

    if (value == NULL)
        return;
    room = strlen(field) + strlen(value) + sizeof("=");
    word = words->count < MOVES_WORDS_MAX
               ? ent_arena_array(&words->arena, room, 1)
               : NULL;
    if (word == NULL) {
        words->arena.rc = ENT_ENOMEM;
        return;
    }
    snprintf(word, room, "%s=%s", field, value);
    words->at[words->count++] = word;
}

void moves_words_fini(struct moves_words *words)
{
    ent_arena_fini(&words->arena);
}

int moves_add(struct cmd_ctx *ctx, struct ent_writer *writer, int64_t space,
              const char *kind_name, const char *prefix,
              struct moves_words *words, struct ent_id *id)
{
    const struct ent_kind *kind = ent_kind_named(&ctx->kinds, kind_name);
    struct change change = {0};
    struct ent_edit edit = {.life = ENT_EDIT_TOUCH, .fresh = true};
    enum ent_written written;
    struct ent_edit_op *ops;
    struct ent_buf code = {0};
    int rc;

    if (kind == NULL)
        return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                           "there is no kind \"%s\" here", kind_name);
    *id = ent_record_new_id(ctx->store, space, kind, ctx->now_ms);
    /* The code goes with the record into tables that leave the replica, where
     * an id would mean nothing. */
    ent_buf_put_str(&code, prefix);
    for (size_t i = ENT_ID_BYTES - CODE_BYTES; i < ENT_ID_BYTES; i++)
        ent_buf_printf(&code, "%02x", id->b[i]);
    if (ent_buf_cstr(&code) != NULL)
        moves_put(words, "code", ent_buf_cstr(&code));
    ent_buf_fini(&code);
    if (words->arena.rc < 0)
        return cmd_no_memory(ctx);
    rc = change_read(ctx, kind, space, words->at, words->count, &change);
    if (rc == 0)
        rc = change_ops(ctx, &change, NULL, &ops, &edit.op_count);
    if (rc == 0) {
        edit.kind = kind->number;
        edit.id = *id;
        edit.ops = ops;
        rc = ent_writer_put(writer, &edit, false, &written, &ctx->err);
    }
    change_fini(&change);
    return rc;
}

int moves_change(struct cmd_ctx *ctx, struct ent_writer *writer,
                 const struct flow_record *read, struct moves_words *words,
                 bool settle)
{
    const struct ent_record *record = read->record;
    struct change change = {0};
    struct ent_edit edit = {
        .kind = record->ref.kind,
        .id = record->ref.id,
        .life = ENT_EDIT_TOUCH,
    };
    enum ent_written written;
    struct ent_edit_op *ops = NULL;
    int rc;

    if (words->arena.rc < 0)
        return cmd_no_memory(ctx);
    if (words->count == 0)
        return 0;
    rc = change_read(ctx, read->kind, record->ref.space, words->at,
                     words->count, &change);
    /* Registers alone: what stands in them need not be read to be replaced. */
    if (rc == 0)
        rc = change_ops(ctx, &change, settle ? NULL : record, &ops,
                        &edit.op_count);
    edit.ops = ops;
    if (rc == 0 && edit.op_count > 0)
        rc = ent_writer_put(writer, &edit, settle, &written, &ctx->err);
    change_fini(&change);
    return rc;
}

int moves_finish(struct cmd_ctx *ctx, struct ent_writer *writer)
{
    int rc;

    if (ctx->dry_run) {
        ent_writer_abort(writer);
        return 0;
    }
    rc = ent_writer_commit(writer, &ctx->err);
    if (rc == 0)
        cmd_poke(ctx);
    return rc;
}

/* ------------------------------------------------------------------ a move */

static void put_transition(struct moves_words *words,
                           const struct flow_record *read,
                           const struct ent_state_def *state,
                           const struct moves_said *said)
{
    const struct flow_now *now = &read->now;
    struct ent_buf follows = {0};

    for (size_t i = 0; i < now->head_count; i++) {
        const struct flow_step *head = now->heads[i];

        ent_buf_printf(&follows, "%s%s", i > 0 ? "|" : "",
                       head->code != NULL ? head->code : head->id);
    }
    moves_put(words, "subject", read->code != NULL ? read->code : read->id);
    moves_put(words, "workflow", now->workflow->name);
    if (now->state != NULL)
        moves_put(words, "from_state", now->state->name);
    moves_put(words, "to_state", state->name);
    moves_put(words, "moved_on", said->on);
    moves_put(words, "by_id", said->by);
    moves_put(words, "reason", said->reason);
    moves_put(words, "note", said->note);
    if (follows.len > 0)
        moves_put(words, "follows", ent_buf_cstr(&follows));
    ent_buf_fini(&follows);
}

/* A day that stands in the record is left unless one was given. */
static void put_fields(struct moves_words *words, struct flow_record *read,
                       const struct ent_state_def *state,
                       const struct moves_said *said, bool day_given)
{
    if (read->now.workflow->field != NULL)
        moves_put(words, read->now.workflow->field->name, state->value);
    for (size_t i = 0; i < state->set_count; i++) {
        const struct ent_state_set *set = &state->sets[i];

        if (set->text != NULL)
            moves_put(words, set->field->name, set->text);
        else if (day_given || flow_text(read, set->field) == NULL)
            moves_put(words, set->field->name, said->on);
    }
}

int moves_write(struct cmd_ctx *ctx, struct ent_writer *writer,
                struct flow_record *read, const struct ent_state_def *state,
                const struct moves_said *said, bool settle, struct ent_id *id)
{
    struct moves_words step = {0};
    struct moves_words fields = {0};
    struct moves_said day = *said;
    char today[11];
    int rc;

    cmd_today(ctx, today);
    if (said->on == NULL)
        day.on = today;
    put_transition(&step, read, state, &day);
    put_fields(&fields, read, state, &day, said->on != NULL);
    rc = moves_add(ctx, writer, read->record->ref.space, TRANSITION, "mov-",
                   &step, id);
    if (rc == 0)
        rc = moves_change(ctx, writer, read, &fields, settle);
    moves_words_fini(&step);
    moves_words_fini(&fields);
    if (rc < 0) {
        ent_writer_abort(writer);
        return rc;
    }
    return moves_finish(ctx, writer);
}

/* -------------------------------------------------------------------- move */

static int check_state(struct cmd_ctx *ctx, const struct flow_record *read)
{
    if (!read->record->live)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "this record is deleted; \"undelete\" brings it "
                           "back");
    if (read->now.workflow == NULL)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "this record goes through no workflow; \"workflow\" "
                           "lists those there are");
    if (read->now.contested)
        return ent_err_set(&ctx->err, ENT_ECONFLICT,
                           "two moved this record apart; see \"conflicts\" and "
                           "use \"resolve %s state --take N\"",
                           read->code != NULL ? read->code : read->id);
    return 0;
}

static void tell(struct cmd_ctx *ctx, const struct flow_record *read,
                 const struct ent_state_def *state)
{
    const char *name = read->code != NULL ? read->code : read->id;
    const char *from =
        read->now.state == NULL ? "-" : read->now.state->label[ctx->lang];

    cmd_say(ctx,
            ctx->dry_run ? _("%s would go from %s to %s")
                         : _("%s went from %s to %s"),
            name, from, state->label[ctx->lang]);
}

/* Frees the writer. What is asked of the replica is as it was committed last,
 * and nobody else can write meanwhile. */
static int move(struct cmd_ctx *ctx, struct ent_writer *writer,
                struct flow_record *read, const char *name,
                struct moves_said *said)
{
    const struct ent_state_def *state = NULL;
    struct ent_id id;
    int rc = check_state(ctx, read);

    if (rc == 0)
        rc = needs_state(ctx, read->now.workflow, name, &state);
    if (rc == 0 && state == read->now.state && !read->now.differs) {
        cmd_say(ctx, _("nothing to change"));
        ent_writer_abort(writer);
        return 0;
    }
    if (rc == 0 && state != read->now.state)
        rc = needs_allowed(ctx, read, state);
    if (rc == 0)
        rc = needs_reason(ctx, state, said);
    if (rc == 0)
        rc = needs_approvals(ctx, read, state);
    if (rc == 0)
        rc = needs_met(ctx, read, state);
    if (rc < 0) {
        ent_writer_abort(writer);
        return rc;
    }
    rc = moves_write(ctx, writer, read, state, said, false, &id);
    if (rc < 0)
        return rc;
    tell(ctx, read, state);
    if (!ctx->dry_run)
        look_print_id(ctx, &id);
    return 0;
}

static int cmd_move(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct moves_said said = {0};
    const struct args_option options[] = {
        {.name = "--on", .value = &said.on},
        {.name = "--by", .value = &said.by},
        {.name = "--reason", .value = &said.reason},
        {.name = "--note", .value = &said.note},
    };
    struct ent_record record = {0};
    struct flow_record read = {0};
    const struct ent_kind *kind;
    struct ent_record_ref ref;
    struct ent_writer *writer = NULL;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 3)
        return cmd_usage(ctx, "move");
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = pick_record(ctx, argv[1], &ref, &kind);
    if (rc == 0)
        rc = needs_day(ctx, said.on);
    if (rc == 0)
        rc = needs_contact(ctx, said.by);
    if (rc == 0)
        rc = ent_writer_open(ctx->store, ref.space, ctx->now_ms, &writer,
                             &ctx->err);
    if (rc < 0)
        return cmd_fail(ctx);
    rc = ent_record_read(ctx->store, &ref, &record, &ctx->err);
    if (rc == 0)
        rc = flow_read(ctx, &record, kind, &read);
    if (rc < 0)
        ent_writer_abort(writer);
    else
        rc = move(ctx, writer, &read, argv[2], &said);
    flow_record_fini(&read);
    ent_record_fini(&record);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

/* ----------------------------------------------------------------- resolve */

static int find_head(struct cmd_ctx *ctx, const struct flow_now *now,
                     const char *take, const struct ent_state_def **state)
{
    const struct flow_step *head;
    long n;
    int rc = args_number("--take", take, (long)now->side_count, &n, &ctx->err);

    if (rc < 0)
        return rc;
    head = now->heads[n - 1];
    *state = ent_state_named(now->workflow, head->to);
    if (*state == NULL)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "this program does not know the state %.60s; take "
                           "another",
                           head->to);
    return 0;
}

int moves_settle(struct cmd_ctx *ctx, struct ent_writer *writer,
                 const struct ent_record *record, const struct ent_kind *kind,
                 const char *take, const char *value)
{
    const struct moves_said said = {0};
    const struct ent_state_def *state = NULL;
    struct flow_record read = {0};
    struct ent_id id;
    int rc = flow_read(ctx, record, kind, &read);

    if (rc == 0 && !record->live)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "this record is deleted; \"undelete\" brings it back");
    if (rc == 0 && !read.now.contested)
        rc = ent_err_set(&ctx->err, ENT_ENOTFOUND,
                         "%s has no conflict to settle; \"move\" changes it",
                         FLOW_STATE);
    if (rc == 0)
        rc = take != NULL ? find_head(ctx, &read.now, take, &state)
                          : needs_state(ctx, read.now.workflow, value, &state);
    if (rc < 0)
        ent_writer_abort(writer);
    else
        rc = moves_write(ctx, writer, &read, state, &said, true, &id);
    if (rc == 0)
        cmd_say(ctx,
                ctx->dry_run ? _("would settle: %s = %s")
                             : _("settled: %s = %s"),
                FLOW_STATE, state->name);
    flow_record_fini(&read);
    return rc;
}

/* ----------------------------------------------------------------- approve */

/* An approval of anything else would lead nowhere. */
static int check_subject(struct cmd_ctx *ctx, const struct ent_record *record,
                         const struct ent_kind *kind)
{
    const struct ent_kind *approval = ent_kind_named(&ctx->kinds, APPROVAL);
    const struct ent_field *subject =
        approval == NULL ? NULL : ent_field_named(approval, "subject");

    if (!record->live)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "this record is deleted; \"undelete\" brings it "
                           "back");
    if (subject != NULL && subject->targets != NULL &&
        ent_names_have(subject->targets, kind->name))
        return 0;
    return ent_err_set(&ctx->err, ENT_EREFUSED,
                       "records of kind %s are not approved", kind->name);
}

static int write_approval(struct cmd_ctx *ctx, const struct ent_record *record,
                          const char *role, bool refuse,
                          const struct moves_said *said)
{
    struct moves_words words = {0};
    struct ent_buf code = {0};
    struct ent_writer *writer;
    char text[ENT_ID_TEXT];
    char today[11];
    struct ent_id id;
    int rc = ent_writer_open(ctx->store, record->ref.space, ctx->now_ms,
                             &writer, &ctx->err);

    if (rc < 0)
        return rc;
    cmd_today(ctx, today);
    ent_id_text(&record->ref.id, text);
    look_put(record, ENT_FIELD_CODE, &code);
    moves_put(&words, "subject", code.len > 0 ? ent_buf_cstr(&code) : text);
    moves_put(&words, "role", role);
    moves_put(&words, "decision", refuse ? "refused" : "approved");
    moves_put(&words, "decided_on", said->on != NULL ? said->on : today);
    moves_put(&words, "by_id", said->by);
    moves_put(&words, "note", said->note);
    rc = moves_add(ctx, writer, record->ref.space, APPROVAL, "apr-", &words,
                   &id);
    if (rc < 0)
        ent_writer_abort(writer);
    else
        rc = moves_finish(ctx, writer);
    if (rc == 0 && ctx->dry_run)
        cmd_say(ctx,
                refuse ? _("would refuse %s as %s")
                       : _("would approve %s as %s"),
                code.len > 0 ? ent_buf_cstr(&code) : text, role);
    else if (rc == 0)
        look_print_id(ctx, &id);
    ent_buf_fini(&code);
    moves_words_fini(&words);
    return rc;
}

static int find_role(struct cmd_ctx *ctx, const char *name, const char **role)
{
    const struct ent_term *found =
        ent_vocab_said(&ctx->vocab, APPROVAL_ROLES, ent_slice_str(name));
    const struct ent_term *terms;
    struct ent_buf codes = {0};
    size_t count;
    int rc;

    if (found != NULL) {
        *role = found->code;
        return 0;
    }
    count = ent_vocab_list(&ctx->vocab, APPROVAL_ROLES, &terms);
    for (size_t i = 0; i < count; i++)
        ent_buf_printf(&codes, "%s%s", i > 0 ? ", " : "", terms[i].code);
    rc = ent_buf_cstr(&codes) == NULL
             ? cmd_no_memory(ctx)
             : ent_err_set(&ctx->err, ENT_EREFUSED,
                           "--as \"%.60s\" is none of: %s", name,
                           ent_buf_cstr(&codes));
    ent_buf_fini(&codes);
    return rc;
}

static int cmd_approve(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct moves_said said = {0};
    const char *as = NULL;
    bool refuse = false;
    const struct args_option options[] = {
        {.name = "--as", .value = &as},
        {.name = "--refuse", .flag = &refuse},
        {.name = "--on", .value = &said.on},
        {.name = "--by", .value = &said.by},
        {.name = "--note", .value = &said.note},
    };
    struct ent_record record = {0};
    const struct ent_kind *kind;
    const char *role = NULL;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2 || as == NULL)
        return cmd_usage(ctx, "approve");
    if (cmd_store(ctx) == NULL)
        return cmd_fail(ctx);
    rc = pick_read(ctx, argv[1], &record, &kind);
    if (rc == 0)
        rc = check_subject(ctx, &record, kind);
    if (rc == 0)
        rc = find_role(ctx, as, &role);
    if (rc == 0)
        rc = needs_day(ctx, said.on);
    if (rc == 0)
        rc = needs_contact(ctx, said.by);
    if (rc == 0)
        rc = write_approval(ctx, &record, role, refuse, &said);
    ent_record_fini(&record);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

const struct cmd cmd_moves[] = {
    {"move",
     N_("ID STATE [--on DATE] [--by CONTACT] [--reason CODE] [--note TEXT]"),
     N_("move a record to another state of its workflow"), cmd_move},
    {"approve",
     N_("ID --as ROLE [--refuse] [--on DATE] [--by CONTACT] [--note TEXT]"),
     N_("approve a record in a role, or refuse it"), cmd_approve},
    {"workflow", N_("[NAME|ID]"),
     N_("the workflows, the states of one, or the history of a record"),
     stages_workflow},
    {"flags", N_("[KIND] [--on DATE] [--country C]"),
     N_("what is overdue, not reported, stalled or vacant"), stages_flags},
    {NULL, NULL, NULL, NULL},
};
