/* messages.c - messages read and listed (messages.h): the inbox. */
#include "cli/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/label.h"
#include "cli/look.h"
#include "cli/mention.h"
#include "cli/pick.h"
#include "cli/records.h"
#include "store/marks.h"
#include "store/query.h"

#define INBOX_LIMIT "1000000"
#define INDENT_MAX 12 /* steps that a thread is set in */

/* The newest first, as the authors claim; ids of one moment as they come. */
#define MESSAGES_SQL                                                           \
    "SELECT m.space, ent_uuid(m.id), m.code, m.thread, m.reply_to, m.about,"   \
    " m.author_id, m.sent_at, m.subject, m.body,"                              \
    " EXISTS(SELECT 1 FROM local_read r WHERE r.space = m.space"               \
    " AND r.id = m.id) FROM messages m"                                        \
    " WHERE (:space IS NULL OR m.space = CAST(:space AS INTEGER))"

static const char all_sql[] =
    MESSAGES_SQL " ORDER BY m.sent_at DESC, m.id DESC";
static const char unread_sql[] =
    "SELECT ent_uuid(m.id) FROM messages m"
    " WHERE m.space = CAST(:space AS INTEGER)"
    " AND NOT EXISTS(SELECT 1 FROM local_read r WHERE r.space = m.space"
    " AND r.id = m.id)";

void messages_fini(struct messages *messages)
{
    free(messages->list);
    ent_arena_fini(&messages->arena);
    *messages = (struct messages){0};
}

/* ------------------------------------------------------------------ reading */

static int open_query(struct cmd_ctx *ctx, const char *sql, int64_t space,
                      struct ent_query **query)
{
    char number[24];
    int rc = ent_query_open(ctx->store, sql, query, &ctx->err);

    if (rc < 0)
        return rc;
    snprintf(number, sizeof(number), "%lld", (long long)space);
    ent_query_bind(*query, ":space", space == 0 ? NULL : number);
    return 0;
}

static bool is_own(struct cmd_ctx *ctx, int64_t space, const struct ent_id *id)
{
    return ent_record_may_change(ctx->store, space, ENT_KIND_MESSAGE, id);
}

static const char *keep_text(struct messages *messages, struct ent_query *query,
                             size_t column)
{
    return ent_arena_str(&messages->arena, ent_query_text(query, column));
}

static int read_row(struct cmd_ctx *ctx, struct ent_query *query,
                    struct messages *messages, size_t *cap)
{
    struct message *message;

    if (messages->count == *cap) {
        size_t room = *cap == 0 ? 256 : 2 * *cap;
        struct message *list =
            realloc(messages->list, room * sizeof(*messages->list));

        if (list == NULL)
            return cmd_no_memory(ctx);
        messages->list = list;
        *cap = room;
    }
    message = &messages->list[messages->count];
    *message = (struct message){
        .ref = {.space = ent_query_int(query, 0), .kind = ENT_KIND_MESSAGE},
        .parent = MESSAGES_NONE};
    if (!ent_id_parse(ent_query_text(query, 1), &message->ref.id))
        return 0;
    ent_id_text(&message->ref.id, message->id);
    message->code = keep_text(messages, query, 2);
    message->thread = keep_text(messages, query, 3);
    message->reply_to = keep_text(messages, query, 4);
    message->about = keep_text(messages, query, 5);
    message->author = keep_text(messages, query, 6);
    message->sent = keep_text(messages, query, 7);
    message->subject = keep_text(messages, query, 8);
    message->body = keep_text(messages, query, 9);
    message->own = is_own(ctx, message->ref.space, &message->ref.id);
    message->unread = !message->own && ent_query_int(query, 10) == 0;
    messages->count++;
    return messages->arena.rc < 0 ? cmd_no_memory(ctx) : 0;
}

/* A name of a message, for finding what is answered. */
struct name {
    int64_t space;
    const char *text;
    size_t at;
};

static int name_cmp(const void *a, const void *b)
{
    const struct name *x = a;
    const struct name *y = b;

    if (x->space != y->space)
        return x->space < y->space ? -1 : 1;
    return strcmp(x->text, y->text);
}

/* Finds for each message the one it answers, in its space: by id or by code. */
static int find_parents(struct cmd_ctx *ctx, struct messages *messages)
{
    struct name *names = calloc(2 * messages->count + 1, sizeof(*names));
    size_t count = 0;

    if (names == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; i < messages->count; i++) {
        const struct message *message = &messages->list[i];

        names[count++] = (struct name){message->ref.space, message->id, i};
        if (*message->code != '\0')
            names[count++] =
                (struct name){message->ref.space, message->code, i};
    }
    qsort(names, count, sizeof(*names), name_cmp);
    for (size_t i = 0; i < messages->count; i++) {
        struct message *message = &messages->list[i];
        const struct name sought = {message->ref.space, message->reply_to, 0};
        const struct name *found;

        if (*message->reply_to == '\0')
            continue;
        found = bsearch(&sought, names, count, sizeof(*names), name_cmp);
        if (found != NULL && found->at != i)
            message->parent = found->at;
    }
    free(names);
    return 0;
}

int messages_read(struct cmd_ctx *ctx, int64_t space, struct messages *messages)
{
    struct ent_query *query = NULL;
    size_t cap = 0;
    int rc = open_query(ctx, all_sql, space, &query);

    *messages = (struct messages){0};
    if (rc < 0)
        return rc;
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        rc = read_row(ctx, query, messages, &cap);
        if (rc < 0)
            break;
    }
    ent_query_close(query);
    if (rc == 0)
        rc = find_parents(ctx, messages);
    if (rc < 0)
        messages_fini(messages);
    return rc;
}

int messages_unread(struct cmd_ctx *ctx, int64_t space, int64_t *count)
{
    struct ent_query *query = NULL;
    int rc = open_query(ctx, unread_sql, space, &query);

    *count = 0;
    if (rc < 0)
        return rc;
    while ((rc = ent_query_next(query, &ctx->err)) > 0) {
        struct ent_id id;

        if (ent_id_parse(ent_query_text(query, 0), &id) &&
            !is_own(ctx, space, &id))
            ++*count;
    }
    ent_query_close(query);
    return rc;
}

/* ------------------------------------------------------------------ listing */

void messages_columns(struct cmd_ctx *ctx, bool threaded)
{
    struct out *out = ctx->out;

    out_column(out, "sent", _("sent (UTC)"), OUT_TEXT);
    out_column(out, "org", _("organisation"), OUT_TEXT);
    out_column(out, "space", _("space"), OUT_TEXT);
    out_column(out, "about", _("about"), OUT_TEXT);
    out_column(out, "subject", _("subject"), OUT_TEXT);
    out_column(out, "body", _("text"), OUT_TEXT);
    out_column(out, "unread", _("unread"), OUT_BOOL);
    out_column(out, "mine", _("for you"), OUT_BOOL);
    if (look_for_program(ctx)) {
        out_column(out, "author", _("author"), OUT_TEXT);
        out_column(out, "code", _("code"), OUT_TEXT);
        out_column(out, "thread", _("thread"), OUT_TEXT);
        out_column(out, "reply_to", _("reply to"), OUT_TEXT);
        if (threaded)
            out_column(out, "depth", _("depth"), OUT_NUMBER);
    }
    out_column(out, "id", _("id"), OUT_TEXT);
}

/* A text for a cell: set in and on one line for people. */
static void put_body(struct cmd_ctx *ctx, const char *body, size_t depth,
                     struct ent_buf *buf)
{
    if (look_for_program(ctx)) {
        ent_buf_put_str(buf, body);
        return;
    }
    for (size_t i = 0; i < depth && i < INDENT_MAX; i++)
        ent_buf_put_str(buf, "  ");
    if (depth > 0)
        ent_buf_put_str(buf, "↳ ");
    for (; *body != '\0'; body++)
        ent_buf_put_u8(buf, *body == '\n' ? ' ' : (uint8_t)*body);
}

static const char *or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

/* Whether it is 2018-08-06T08:10:00Z in form: another program may have written
 * anything. */
static bool is_moment(const char *text)
{
    static const char form[] = "0000-00-00T00:00:00Z";

    if (strlen(text) != sizeof(form) - 1)
        return false;
    for (size_t i = 0; form[i] != '\0'; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9'
                           : text[i] != form[i])
            return false;
    return true;
}

/* When it was sent, as its author claims; by the entry's claim when it does not
 * say so. What is still to come is marked as odd (M12). */
static const char *sent_text(struct cmd_ctx *ctx, const struct message *message,
                             const struct ent_record *record,
                             char text[LOOK_TIME_TEXT])
{
    const char *sent = message->sent;
    char latest[LOOK_TIME_TEXT];

    if (*sent == '\0')
        return label_when(ctx, record->writes[0].claimed_ms, text);
    if (look_for_program(ctx) || !is_moment(sent))
        return sent;
    look_rfc3339(ctx->now_ms + ENT_CLOCK_ODD_MS, latest);
    if (ctx->lang == ENT_LANG_FR)
        snprintf(text, LOOK_TIME_TEXT, "%.2s/%.2s/%.4s %.5s%s", sent + 8,
                 sent + 5, sent, sent + 11,
                 strcmp(sent, latest) > 0 ? " (?)" : "");
    else
        snprintf(text, LOOK_TIME_TEXT, "%.10s %.5s%s", sent, sent + 11,
                 strcmp(sent, latest) > 0 ? " (?)" : "");
    return text;
}

int messages_row(struct cmd_ctx *ctx, const struct message *message, bool mine,
                 bool threaded, size_t depth)
{
    struct out *out = ctx->out;
    struct ent_record record;
    struct ent_buf body = {0};
    char when[LOOK_TIME_TEXT];
    char id[ENT_ID_TEXT];
    char org[24];
    int rc = ent_record_read(ctx->store, &message->ref, &record, &ctx->err);

    if (rc < 0) /* one that a cut took meanwhile is no failure */
        return rc == ENT_ENOTFOUND ? 0 : rc;
    put_body(ctx, message->body, depth, &body);
    out_row(out);
    out_cell(out, sent_text(ctx, message, &record, when));
    out_cell(out, look_org(ctx, &record.writes[0].author, org));
    out_cell(out, pick_handle(ctx, message->ref.space));
    out_cell(out, or_null(message->about));
    out_cell(out, or_null(message->subject));
    out_cell(out, ent_buf_cstr(&body));
    out_cell(out, message->unread ? "1" : look_for_program(ctx) ? "0" : NULL);
    out_cell(out, mine ? "1" : look_for_program(ctx) ? "0" : NULL);
    if (look_for_program(ctx)) {
        out_cell(out, or_null(message->author));
        out_cell(out, or_null(message->code));
        out_cell(out, or_null(message->thread));
        out_cell(out, or_null(message->reply_to));
        if (threaded)
            out_cell_int(out, (int64_t)depth);
    }
    out_cell(out, look_id(ctx, &message->ref.id, id));
    ent_buf_fini(&body);
    ent_record_fini(&record);
    return 0;
}

int messages_mark(struct cmd_ctx *ctx, const struct messages *messages,
                  const size_t *at, size_t count)
{
    struct ent_record_ref *refs = calloc(count + 1, sizeof(*refs));
    size_t unread = 0;
    int rc = 0;

    if (refs == NULL)
        return cmd_no_memory(ctx);
    for (size_t i = 0; i < count; i++)
        if (messages->list[at[i]].unread)
            refs[unread++] = messages->list[at[i]].ref;
    if (!ctx->dry_run)
        rc = ent_read_mark(ctx->store, refs, unread, &ctx->err);
    free(refs);
    return rc;
}

/* -------------------------------------------------------------------- inbox */

struct inbox {
    bool all;
    bool mine;
    bool keep;
    long limit;
};

bool messages_is_mine(const struct messages *messages,
                      const struct message *message,
                      const struct mention *mention)
{
    if (message->own)
        return false;
    return mention_in(mention, message->body) ||
           mention_in(mention, message->subject) ||
           (message->parent != MESSAGES_NONE &&
            messages->list[message->parent].own);
}

/* Adds those that are listed and unread, or read, to `at`. */
static int list_some(struct cmd_ctx *ctx, const struct inbox *inbox,
                     const struct messages *messages,
                     const struct mention *mention, bool unread, size_t *at,
                     size_t *count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < messages->count; i++) {
        const struct message *message = &messages->list[i];
        bool mine;

        if (message->unread != unread || (message->own && inbox->mine) ||
            *count >= (size_t)inbox->limit)
            continue;
        mine = messages_is_mine(messages, message, mention);
        if (inbox->mine && !mine)
            continue;
        rc = messages_row(ctx, message, mine, false, 0);
        at[(*count)++] = i;
    }
    return rc;
}

static size_t count_unread(const struct messages *messages)
{
    size_t count = 0;

    for (size_t i = 0; i < messages->count; i++)
        count += messages->list[i].unread;
    return count;
}

static int list_inbox(struct cmd_ctx *ctx, const struct inbox *inbox,
                      const struct messages *messages,
                      const struct mention *mention)
{
    size_t *at = calloc(messages->count + 1, sizeof(*at));
    size_t count = 0;
    int rc;

    if (at == NULL)
        return cmd_no_memory(ctx);
    out_list_begin(ctx->out);
    messages_columns(ctx, false);
    rc = list_some(ctx, inbox, messages, mention, true, at, &count);
    if (rc == 0 && inbox->all)
        rc = list_some(ctx, inbox, messages, mention, false, at, &count);
    out_list_end(ctx->out);
    if (rc == 0)
        out_remark(ctx->out, _("Unread: %zu. All messages: %zu."),
                   count_unread(messages), messages->count);
    if (rc == 0 && !inbox->keep)
        rc = messages_mark(ctx, messages, at, count);
    free(at);
    return rc;
}

static int cmd_inbox(struct cmd_ctx *ctx, int argc, char **argv)
{
    const char *space_name = NULL;
    const char *limit_text = INBOX_LIMIT;
    struct inbox inbox = {0};
    const struct args_option options[] = {
        {.name = "--all", .flag = &inbox.all},
        {.name = "--mine", .flag = &inbox.mine},
        {.name = "--keep", .flag = &inbox.keep},
        {.name = "--space", .value = &space_name},
        {.name = "--limit", .value = &limit_text},
    };
    struct messages messages = {0};
    struct mention mention = {0};
    int64_t space;
    int rc;

    if (args_take(options, ENT_ARRAY_LEN(options), &argc, argv, &ctx->err) <
            0 ||
        args_number("--limit", limit_text, 1000000, &inbox.limit, &ctx->err) <
            0)
        return cmd_fail(ctx);
    if (argc != 1)
        return cmd_usage(ctx, "inbox");
    rc = pick_open(ctx, space_name, &space);
    if (rc == 0)
        rc = mention_read(ctx, &mention);
    if (rc == 0)
        rc = messages_read(ctx, space, &messages);
    if (rc == 0)
        rc = list_inbox(ctx, &inbox, &messages, &mention);
    messages_fini(&messages);
    mention_fini(&mention);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}

const struct cmd cmd_messages[] = {
    {"say", N_("SPACE|ID TEXT... [--subject T] [--reply-to ID]"),
     N_("write a message in a space or about a record; print its id"),
     messages_say},
    {"inbox", N_("[--all] [--mine] [--keep] [--space S] [--limit N]"),
     N_("messages that were not read, then marked as read unless --keep"),
     cmd_inbox},
    {"thread", N_("ID [--keep]"),
     N_("a message and all that belongs to it, or what is said of a record"),
     messages_thread},
    {"line", N_("ORGANISATION [--expires 7d] [--endpoint ADDRESS]... [--qr]"),
     N_("make a space for two organisations, and invite the other one"),
     messages_line},
    {"watch", N_("[SPACE]"),
     N_("print each change as it comes, until interrupted"), records_watch},
    {NULL, NULL, NULL, NULL},
};
