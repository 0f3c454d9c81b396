/* notices.c - what the roster of a space says that a person should know and
 * may have to act on, as sentences (members.h). */
#include <libintl.h>
#include <stdlib.h>
#include <time.h>

#include "store/members.h"
#include "store/peers.h"
#include "store/replica.h"

static int no_memory(struct ent_err *err)
{
    return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
}

static const char *say(const char *text)
{
    return dgettext(ENT_TEXT_DOMAIN, text);
}

void ent_when_put(struct ent_buf *buf, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    char when[32];
    struct tm tm = {0};

    gmtime_r(&seconds, &tm);
    strftime(when, sizeof(when), say(ENT_N_("%Y-%m-%d %H:%M UTC")), &tm);
    ent_buf_put_str(buf, when);
}

/* Names and reasons come from others: a sentence stays one line. */
static void put_text(struct ent_buf *buf, struct ent_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        ent_buf_put_u8(buf, text.at[i] < ' ' ? ' ' : text.at[i]);
}

/* A sentence with up to three words of ours or others in it. */
static int put_sentence(struct ent_buf *buf, const char *form,
                        struct ent_buf words[3], struct ent_err *err)
{
    const char *a = ent_buf_cstr(&words[0]);
    const char *b = ent_buf_cstr(&words[1]);
    const char *c = ent_buf_cstr(&words[2]);

    if (a == NULL || b == NULL || c == NULL)
        return no_memory(err);
    ent_buf_printf(buf, say(form), a, b, c);
    return buf->rc < 0 ? no_memory(err) : 0;
}

static void put_who(struct ent_buf *buf, const struct ent_space_state *state,
                    const struct ent_key *key)
{
    const struct ent_roster_person *who =
        ent_roster_person(&state->roster, key);
    char hex[2 * ENT_KEY_BYTES + 1];

    if (who != NULL && who->org.len > 0) {
        put_text(buf, who->org);
        return;
    }
    ent_hex_put(hex, key->b, ENT_KEY_BYTES);
    ent_buf_put(buf, hex, ENT_KEY_SHOWN);
}

/* ------------------------------------------------------ this node's own place
 */

/* The entry that took from this node what it might do; NULL: none did. */
static const struct ent_roster_entry *
what_took(const struct ent_space_state *state, const struct ent_key *own)
{
    const struct ent_roster_person *who =
        ent_roster_person(&state->roster, own);
    const struct ent_roster_entry *entry;

    if (who == NULL || who->steps == NULL || who->steps->role > ENT_ROLE_READER)
        return NULL;
    entry = state->roster.chain[who->steps->pos - 1];
    return entry->kind == ENT_ROSTER_ADMIT ? NULL : entry;
}

static const char *lost_form(const struct ent_roster_entry *entry)
{
    if (entry->kind == ENT_ROSTER_ROLE)
        return ENT_N_("%1$s made this node a reader of the space on %2$s");
    if (entry->kind == ENT_ROSTER_REPLACE)
        return ENT_N_("%1$s gave the place of this node to another key on "
                      "%2$s");
    if (entry->reason.len == 0)
        return ENT_N_("%1$s removed this node from the space on %2$s");
    return ENT_N_("%1$s removed this node from the space on %2$s (%3$s)");
}

int ent_space_lost(struct ent_store *store, int64_t space, struct ent_buf *buf,
                   struct ent_err *err)
{
    const struct ent_roster_entry *entry;
    struct ent_buf words[3] = {{0}};
    struct ent_space_state *state;
    int rc = ent_space_state(store, space, &state, err);

    if (rc < 0)
        return rc;
    entry = what_took(state, &store->keys.public);
    if (entry == NULL)
        return 0;
    put_who(&words[0], state, &entry->author);
    ent_when_put(&words[1], entry->time_ms);
    put_text(&words[2], entry->reason);
    rc = put_sentence(buf, lost_form(entry), words, err);
    for (size_t i = 0; i < ENT_ARRAY_LEN(words); i++)
        ent_buf_fini(&words[i]);
    return rc < 0 ? rc : 1;
}

/* Entries of this node that count nowhere for now. */
static int count_aside(struct ent_store *store, int64_t space, int64_t *count,
                       struct ent_err *err)
{
    struct ent_quarantined *list;
    size_t found;
    int rc = ent_quarantine_list(store, space, &list, &found, err);

    *count = 0;
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < found; i++)
        *count += ent_key_equal(&list[i].author, &store->keys.public);
    free(list);
    return 0;
}

/* What happened, and what can be done. */
static int put_lost(struct ent_store *store, int64_t space,
                    struct ent_buf *lines, struct ent_err *err)
{
    int64_t aside = 0;
    int rc = ent_space_lost(store, space, lines, err);

    if (rc <= 0)
        return rc;
    rc = count_aside(store, space, &aside, err);
    ent_buf_put_u8(lines, '\n');
    if (aside > 0)
        ent_buf_printf(
            lines,
            say(ENT_N_("what this node wrote and the chair had not received "
                       "counts nowhere; it is kept here, set aside (entries: "
                       "%lld), and \"entente quarantine\" lists it: ask the "
                       "chair to readmit it\n")),
            (long long)aside);
    else
        ent_buf_put_str(
            lines, say(ENT_N_("all that this node wrote still counts; to write "
                              "in the space again, ask the chair\n")));
    return rc;
}

int ent_space_notices(struct ent_store *store, int64_t space,
                      struct ent_buf *lines, struct ent_err *err)
{
    int rc = put_lost(store, space, lines, err);

    return rc == 0 && lines->rc < 0 ? no_memory(err) : rc;
}
