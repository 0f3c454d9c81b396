/* mention.c - see mention.h. */
#include "cli/mention.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/look.h"
#include "cli/pick.h"
#include "cli/settings.h"
#include "store/query.h"
#include "text/unicode.h"

#define MENTION_WORD_MAX 64

void mention_fini(struct mention *mention)
{
    ent_arena_fini(&mention->arena);
}

/* A name as it is looked for. */
static void add_name(struct mention *mention, const char *name)
{
    struct ent_buf bare = {0};

    if (name == NULL || *name == '\0' || mention->count == MENTION_NAMES_MAX)
        return;
    ent_buf_put_u8(&bare, '@');
    ent_text_put_bare(&bare, ent_slice_str(name));
    mention->names[mention->count] =
        (const char *)ent_arena_copy(&mention->arena, ent_buf_slice(&bare)).at;
    if (bare.rc < 0)
        mention->arena.rc = bare.rc;
    ent_buf_fini(&bare);
    mention->count++;
}

static void add_field(struct mention *mention, const struct ent_record *record,
                      const struct ent_kind *kind, const char *name)
{
    const struct ent_field *field = ent_field_named(kind, name);
    struct ent_buf text = {0};

    if (field != NULL)
        look_put(record, field->number, &text);
    add_name(mention, ent_buf_cstr(&text));
    ent_buf_fini(&text);
}

/* The contact may not have come here yet: then its name alone is looked for. */
static int add_contact(struct cmd_ctx *ctx, struct mention *mention)
{
    const struct ent_kind *kind = ent_kind_named(&ctx->kinds, "contact");
    struct ent_record_ref ref;
    struct ent_record record;
    size_t count = 0;
    int rc = kind == NULL
                 ? 0
                 : ent_record_find(ctx->store, mention->me, 0, kind->number,
                                   &ref, 1, &count, &ctx->err);

    if (rc < 0 && rc != ENT_ENOTFOUND && rc != ENT_EAMBIG)
        return rc;
    if (count != 1) {
        add_name(mention, mention->me);
        return 0;
    }
    rc = ent_record_read(ctx->store, &ref, &record, &ctx->err);
    if (rc < 0)
        return rc;
    add_field(mention, &record, kind, "code");
    add_field(mention, &record, kind, "org_id");
    ent_record_fini(&record);
    return 0;
}

int mention_read(struct cmd_ctx *ctx, struct mention *mention)
{
    struct ent_config config;
    int rc = settings_read(ctx, &config);
    const char *me;

    *mention = (struct mention){0};
    if (rc < 0)
        return rc;
    me = ctx->as != NULL ? ctx->as : config.me;
    if (me != NULL && *me != '\0') {
        mention->me = ent_arena_str(&mention->arena, me);
        if (mention->me != NULL)
            rc = add_contact(ctx, mention);
    }
    ent_config_fini(&config);
    add_name(mention, ent_store_org(ctx->store));
    if (rc == 0 && mention->arena.rc < 0)
        rc = cmd_no_memory(ctx);
    return rc;
}

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) != 0 || c == '-' || c == '_';
}

/* "@ctc-1" is neither in "@ctc-10" nor in "ann@ctc-1.example". */
static bool is_word(const char *text, const char *at, size_t len)
{
    const char *end = at + len;

    if (at > text && (is_name_byte(at[-1]) || at[-1] == '.'))
        return false;
    if (is_name_byte(*end))
        return false;
    return *end != '.' || !is_name_byte(end[1]);
}

bool mention_in(const struct mention *mention, const char *text)
{
    struct ent_buf bare = {0};
    const char *folded;
    bool found = false;

    if (strchr(text, '@') == NULL)
        return false;
    ent_text_put_bare(&bare, ent_slice_str(text));
    folded = ent_buf_cstr(&bare);
    for (size_t i = 0; folded != NULL && !found && i < mention->count; i++) {
        const char *name = mention->names[i];
        size_t len = strlen(name);
        const char *at = folded;

        while (!found && (at = strstr(at, name)) != NULL) {
            found = is_word(folded, at, len);
            at += len;
        }
    }
    ent_buf_fini(&bare);
    return found;
}

/* ------------------------------------------------------------ who is unknown
 */

static void put_bare(struct ent_buf *names, const char *name)
{
    if (*name == '\0')
        return;
    ent_text_put_bare(names, ent_slice_str(name));
    ent_buf_put_u8(names, '\n');
}

/* Whoever can be called in a space, one a line. */
static int list_names(struct cmd_ctx *ctx, int64_t space, struct ent_buf *names)
{
    struct ent_query *query = NULL;
    struct ent_member *members = NULL;
    size_t count = 0;
    int rc = ent_query_open(ctx->store,
                            "SELECT code FROM main.contacts"
                            " UNION SELECT org_id FROM main.contacts"
                            " UNION SELECT code FROM main.organisations",
                            &query, &ctx->err);

    while (rc >= 0 && (rc = ent_query_next(query, &ctx->err)) > 0)
        put_bare(names, ent_query_text(query, 0));
    ent_query_close(query);
    if (rc == 0)
        rc = ent_member_list(ctx->store, space, &members, &count, &ctx->err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        put_bare(names, members[i].org);
    free(members);
    return rc == 0 && names->rc < 0 ? cmd_no_memory(ctx) : rc;
}

/* Whether one of the names stands behind the @ at `at`; else the nearest to the
 * word that does, in `near`. */
static bool is_known(const char *text, const char *at, const char *word,
                     const struct ent_buf *names, struct ent_arena *arena,
                     struct pick_near *near)
{
    const char *name = (const char *)names->at;
    const char *end = name + names->len;

    while (name < end) {
        size_t len = strcspn(name, "\n");
        const char *copy = (const char *)ent_arena_copy(
                               arena, ent_slice((const uint8_t *)name, len))
                               .at;

        if (strncmp(at + 1, name, len) == 0 && is_word(text, at, len + 1))
            return true;
        if (copy != NULL)
            pick_offer(near, word, copy);
        name += len + 1;
    }
    return false;
}

static void tell_unknown(struct cmd_ctx *ctx, const char *text,
                         const struct ent_buf *names)
{
    const char *at = text;

    while ((at = strchr(at, '@')) != NULL) {
        struct ent_arena arena = {0};
        struct pick_near near = {0};
        char word[MENTION_WORD_MAX + 1];
        size_t len = 0;

        while (is_name_byte(at[1 + len]) && len < MENTION_WORD_MAX) {
            word[len] = at[1 + len];
            len++;
        }
        word[len] = '\0';
        if (len > 0 && is_word(text, at, 1 + len) &&
            !is_known(text, at, word, names, &arena, &near)) {
            if (near.name == NULL)
                cmd_say(ctx, _("\"@%s\" is nobody who is known here"), word);
            else
                cmd_say(ctx,
                        _("\"@%s\" is nobody who is known here; did you mean "
                          "\"@%s\"?"),
                        word, near.name);
        }
        ent_arena_fini(&arena);
        at += 1 + len;
    }
}

int mention_tell_unknown(struct cmd_ctx *ctx, int64_t space, const char *text)
{
    struct ent_buf names = {0};
    struct ent_buf bare = {0};
    int rc = 0;

    if (strchr(text, '@') == NULL)
        return 0;
    ent_text_put_bare(&bare, ent_slice_str(text));
    rc = ent_buf_cstr(&bare) == NULL ? cmd_no_memory(ctx)
                                     : list_names(ctx, space, &names);
    if (rc == 0 && ent_buf_cstr(&names) != NULL)
        tell_unknown(ctx, ent_buf_cstr(&bare), &names);
    ent_buf_fini(&names);
    ent_buf_fini(&bare);
    return rc;
}
