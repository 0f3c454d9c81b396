/* pick.c - see pick.h. */
#include "cli/pick.h"

#include <stdlib.h>
#include <string.h>

#include "cli/erase.h"
#include "cli/fields.h"
#include "cli/look.h"
#include "cli/same.h"
#include "store/members.h"

#define WORD_MAX 64 /* bytes of a name worth comparing */

/* ------------------------------------------------------------ did you mean */

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Levenshtein's distance. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);

    if (a_len > WORD_MAX || b_len > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t corner = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];

            row[j] = least(above + 1, row[j - 1] + 1,
                           corner + (a[i - 1] != b[j - 1]));
            corner = above;
        }
    }
    return row[b_len];
}

void pick_offer(struct pick_near *near, const char *word, const char *name)
{
    size_t between = distance(word, name);
    bool begins = strlen(word) >= 3 && strncmp(word, name, strlen(word)) == 0;

    if (begins)
        between = 1;
    if (between > (strlen(word) < 6 ? 1 : strlen(word) / 3))
        return;
    if (near->name == NULL || between < near->distance)
        *near = (struct pick_near){.name = name, .distance = between};
}

/* ------------------------------------------------------------------ spaces */

int pick_space(struct cmd_ctx *ctx, const char *name, int64_t *space)
{
    *space = 0;
    return name == NULL ? 0
                        : ent_space_find(ctx->store, name, space, &ctx->err);
}

static bool is_writable(const struct ent_space *space)
{
    return !space->left &&
           (space->role == ENT_ROLE_EDITOR || space->role == ENT_ROLE_CHAIR);
}

/* The handles, with commas between. */
static void put_writable(struct ent_buf *buf, const struct ent_space *list,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_writable(&list[i]))
            continue;
        if (buf->len > 0)
            ent_buf_put_str(buf, ", ");
        ent_buf_put_str(buf, list[i].name);
    }
}

void pick_tell_lost(struct cmd_ctx *ctx, const struct ent_space *space)
{
    struct ent_buf text = {0};

    if (ent_space_lost(ctx->store, space->space, &text, NULL) > 0 &&
        ent_buf_cstr(&text) != NULL)
        cmd_say(ctx, "%s: %s", space->name, ent_buf_cstr(&text));
    ent_buf_fini(&text);
}

/* No space may be written to: why, as far as it was not always so. */
static int deny(struct cmd_ctx *ctx, const struct ent_space *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!list[i].left)
            pick_tell_lost(ctx, &list[i]);
    return ent_err_set(&ctx->err, ENT_EDENIED,
                       "there is no space you may write to; make one with "
                       "\"space create\" or take an invitation with "
                       "\"join\"");
}

int pick_writable(struct cmd_ctx *ctx, const char *name, int64_t *space)
{
    struct ent_space *list = NULL;
    struct ent_buf names = {0};
    size_t count = 0;
    size_t writable = 0;
    int rc;

    if (name != NULL)
        return pick_space(ctx, name, space);
    rc = ent_space_list(ctx->store, &list, &count, &ctx->err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        if (!is_writable(&list[i]))
            continue;
        *space = list[i].space;
        writable++;
    }
    if (writable == 0)
        rc = deny(ctx, list, count);
    if (writable > 1) {
        const char *text;

        put_writable(&names, list, count);
        text = ent_buf_cstr(&names);
        rc = ent_err_set(&ctx->err, ENT_EUSAGE,
                         "you may write to several spaces; say which with "
                         "--space: %s",
                         text == NULL ? "" : text);
    }
    ent_buf_fini(&names);
    free(list);
    return rc;
}

const char *pick_handle(struct cmd_ctx *ctx, int64_t space)
{
    static struct ent_space last; /* rows come in runs of one space */

    if (last.space != space &&
        ent_space_read(ctx->store, space, &last, NULL) < 0) {
        last.space = 0;
        return "";
    }
    return last.name;
}

/* -------------------------------------------------------- kinds and fields */

static bool is_kind(const struct ent_kind *kind, const char *name)
{
    return strcmp(kind->name, name) == 0 || strcmp(kind->table, name) == 0 ||
           (kind->package != NULL && strcmp(kind->package, name) == 0);
}

int pick_kind(struct cmd_ctx *ctx, const char *name,
              const struct ent_kind **kind)
{
    struct pick_near near = {0};

    for (size_t i = 0; i < ctx->kinds.count; i++) {
        const struct ent_kind *here = &ctx->kinds.kinds[i];

        if (is_kind(here, name)) {
            *kind = here;
            return 0;
        }
        pick_offer(&near, name, here->name);
    }
    if (near.name != NULL)
        return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                           "there is no kind \"%s\"; did you mean \"%s\"?",
                           name, near.name);
    return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                       "there is no kind \"%s\"; \"kinds\" lists them", name);
}

int pick_field(struct cmd_ctx *ctx, const struct ent_kind *kind, int64_t space,
               const char *name, size_t len, const struct ent_field **field)
{
    const struct ent_field **all;
    struct ent_arena arena = {0};
    struct pick_near near = {0};
    char word[WORD_MAX + 1];
    size_t count;
    int rc;

    len = len > WORD_MAX ? WORD_MAX : len;
    memcpy(word, name, len);
    word[len] = '\0';
    *field = fields_named(ctx, kind, space, word);
    if (*field != NULL)
        return 0;
    rc = fields_all(ctx, kind, space, &arena, &all, &count);
    for (size_t i = 0; rc == 0 && i < count; i++)
        pick_offer(&near, word, all[i]->name);
    ent_arena_fini(&arena);
    if (rc < 0)
        return rc;
    if (near.name != NULL)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "%s has no field \"%s\"; did you mean \"%s\"?",
                           kind->name, word, near.name);
    return ent_err_set(&ctx->err, ENT_EREFUSED,
                       "%s has no field \"%s\"; \"kinds %s\" lists them",
                       kind->name, word, kind->name);
}

static bool is_named_before(const char *names, const char *at, size_t len)
{
    while (names < at) {
        size_t other = strcspn(names, ",");

        if (other == len && strncmp(names, at, len) == 0)
            return true;
        names += other + 1;
    }
    return false;
}

int pick_check_columns(struct cmd_ctx *ctx, const char *names)
{
    const char *at = names;

    for (;;) {
        size_t len = strcspn(at, ",");

        if (len == 0)
            return ent_err_set(&ctx->err, ENT_EUSAGE,
                               "--columns: a name is missing in \"%.60s\"",
                               names);
        if (is_named_before(names, at, len))
            return ent_err_set(&ctx->err, ENT_EUSAGE,
                               "--columns: %.*s is given twice",
                               len > 60 ? 60 : (int)len, at);
        if (at[len] == '\0')
            return 0;
        at += len + 1;
    }
}

int pick_fields(struct cmd_ctx *ctx, const struct ent_kind *kind, int64_t space,
                const char *names, struct ent_arena *arena,
                const struct ent_field ***fields, size_t *count)
{
    const struct ent_field **list =
        ENT_ARENA_NEW(arena, const struct ent_field *, strlen(names) + 1);
    size_t n = 0;
    int rc = pick_check_columns(ctx, names);

    if (rc < 0)
        return rc;
    if (list == NULL)
        return cmd_no_memory(ctx);
    while (*names != '\0') {
        size_t len = strcspn(names, ",");

        rc = pick_field(ctx, kind, space, names, len, &list[n++]);
        if (rc < 0)
            return rc;
        names += len + (names[len] == ',');
    }
    *fields = list;
    *count = n;
    return 0;
}

/* ----------------------------------------------------------------- records */

static void list_candidate(struct cmd_ctx *ctx,
                           const struct ent_record_ref *ref)
{
    const struct ent_kind *kind = ent_kind_find(&ctx->kinds, ref->kind);
    struct ent_record record = {0};
    struct ent_buf line = {0};
    struct ent_buf title = {0};
    char id[ENT_ID_TEXT];
    const char *text;

    if (kind == NULL || ent_record_read(ctx->store, ref, &record, NULL) < 0)
        return;
    ent_id_text(&ref->id, id);
    ent_buf_printf(&line, "  %s  %s  %s  ", id, kind->name,
                   pick_handle(ctx, ref->space));
    look_put(&record, ENT_FIELD_CODE, &title);
    if (kind->title != NULL) {
        const struct ent_field *field = ent_field_named(kind, kind->title);

        ent_buf_put_u8(&title, ' ');
        if (field != NULL)
            look_put(&record, field->number, &title);
    }
    look_short(&line, ent_buf_slice(&title));
    text = ent_buf_cstr(&line);
    if (text != NULL)
        fprintf(stderr, "%s%s\n", text, record.live ? "" : _("  (deleted)"));
    ent_buf_fini(&title);
    ent_buf_fini(&line);
    ent_record_fini(&record);
}

static const char *without_ellipsis(const char *name)
{
    if (strncmp(name, "…", strlen("…")) == 0)
        return name + strlen("…");
    return strncmp(name, "...", 3) == 0 ? name + 3 : name;
}

static int say_none(struct cmd_ctx *ctx, const char *name)
{
    struct ent_erasure erasure;
    int rc = erase_find(ctx, name, &erasure);

    if (rc > 0)
        return erase_say_gone(ctx, &erasure);
    if (rc < 0)
        return rc;
    return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                       "there is no record \"%s\"; \"find\" looks for words",
                       name);
}

/* Of what was found by a name the only one. */
static int take_one(struct cmd_ctx *ctx, const char *name,
                    const struct ent_record_ref found[PICK_CANDIDATES_MAX],
                    size_t count, struct ent_record_ref *ref,
                    const struct ent_kind **kind)
{
    if (count > 1) {
        size_t listed =
            count < PICK_CANDIDATES_MAX ? count : PICK_CANDIDATES_MAX;

        for (size_t i = 0; i < listed; i++)
            list_candidate(ctx, &found[i]);
        return ent_err_set(&ctx->err, ENT_EAMBIG,
                           "\"%s\" names several records; say one of these "
                           "ids",
                           name);
    }
    *kind = ent_kind_find(&ctx->kinds, found[0].kind);
    if (*kind == NULL)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "this record is of kind %u, which a newer program "
                           "made; upgrade to see it",
                           (unsigned)found[0].kind);
    *ref = found[0];
    return 0;
}

int pick_record(struct cmd_ctx *ctx, const char *name,
                struct ent_record_ref *ref, const struct ent_kind **kind)
{
    struct ent_record_ref found[PICK_CANDIDATES_MAX];
    size_t count = 0;
    int rc = ent_record_find(ctx->store, without_ellipsis(name), 0, 0, found,
                             ENT_ARRAY_LEN(found), &count, &ctx->err);

    if (rc < 0 && rc != ENT_EAMBIG && rc != ENT_ENOTFOUND)
        return rc;
    if (count == 0)
        return say_none(ctx, name);
    if (count > 1 && count <= ENT_ARRAY_LEN(found)) {
        rc = same_reduce(ctx, found, &count);
        if (rc < 0)
            return rc;
    }
    return take_one(ctx, name, found, count, ref, kind);
}

int pick_deleted(struct cmd_ctx *ctx, const char *name,
                 struct ent_record_ref *ref, const struct ent_kind **kind)
{
    struct ent_record_ref found[PICK_CANDIDATES_MAX];
    size_t count = 0;
    int rc = ent_record_find_dead(ctx->store, name, found, ENT_ARRAY_LEN(found),
                                  &count, &ctx->err);

    if (rc < 0)
        return rc;
    return count == 0 ? pick_record(ctx, name, ref, kind)
                      : take_one(ctx, name, found, count, ref, kind);
}

int pick_shown(struct cmd_ctx *ctx, const char *name,
               struct ent_record_ref *ref, const struct ent_kind **kind)
{
    int rc = pick_record(ctx, name, ref, kind);

    return rc < 0 ? rc : same_lead(ctx, ref);
}

int pick_read(struct cmd_ctx *ctx, const char *name, struct ent_record *record,
              const struct ent_kind **kind)
{
    struct ent_record_ref ref;
    int rc = pick_record(ctx, name, &ref, kind);

    return rc < 0 ? rc : ent_record_read(ctx->store, &ref, record, &ctx->err);
}

int pick_open(struct cmd_ctx *ctx, const char *name, int64_t *space)
{
    if (cmd_store(ctx) == NULL)
        return ctx->err.code;
    return pick_space(ctx, name, space);
}

int pick_check_chair(struct cmd_ctx *ctx, int64_t space)
{
    const struct ent_key *key = &ent_store_keys(ctx->store)->public;

    if (ent_member_role(ctx->store, space, key) == ENT_ROLE_CHAIR)
        return 0;
    return ent_err_set(&ctx->err, ENT_EDENIED,
                       "only the chair of \"%s\" may do this",
                       pick_handle(ctx, space));
}

int pick_check_decides(struct cmd_ctx *ctx, int64_t space)
{
    int rc = pick_check_chair(ctx, space);

    return rc == 0 ? ent_space_check_met(ctx->store, space, &ctx->err) : rc;
}
