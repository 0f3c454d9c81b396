/* notices.c - what the roster of a space says that a person should know and
 * may have to act on, as sentences (members.h). */
#include <libintl.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "store/erase.h"
#include "store/members.h"
#include "store/peers.h"
#include "store/replica.h"

#define VOID_SHOWN 8 /* void entries in the alarms of a space */

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

#define WORDS 4

/* A sentence with words of ours or others in it, which go. */
static int put_sentence(struct ent_buf *buf, const char *form,
                        struct ent_buf words[WORDS], struct ent_err *err)
{
    const char *at[WORDS];
    int rc = 0;

    for (size_t i = 0; i < WORDS; i++) {
        at[i] = ent_buf_cstr(&words[i]);
        if (at[i] == NULL)
            rc = no_memory(err);
    }
    if (rc == 0)
        ent_buf_printf(buf, say(form), at[0], at[1], at[2], at[3]);
    for (size_t i = 0; i < WORDS; i++)
        ent_buf_fini(&words[i]);
    return rc == 0 && buf->rc < 0 ? no_memory(err) : rc;
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
    struct ent_buf words[WORDS] = {{0}};
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

/* ------------------------------------------------------------ void entries */

const char *ent_void_command(const struct ent_void *entry)
{
    static const char *const commands[] = {
        [ENT_ROSTER_FOUND] = "space create",
        [ENT_ROSTER_ADMIT] = "member admit",
        [ENT_ROSTER_ROLE] = "member role",
        [ENT_ROSTER_REMOVE] = "member remove",
        [ENT_ROSTER_READMIT] = "quarantine readmit",
        [ENT_ROSTER_REPLACE] = "member replace",
        [ENT_ROSTER_DEPUTIES] = "deputies",
        [ENT_ROSTER_SUCCEED] = "succeed",
        [ENT_ROSTER_OWN_FIELD] = "kinds add-field",
        [ENT_ROSTER_ERASE] = "erase",
        [ENT_ROSTER_MIN_VERSION] = "space require",
    };

    return entry->kind < ENT_ARRAY_LEN(commands) ? commands[entry->kind] : NULL;
}

/* Somebody's organisation as the chain has it, or as the entry that is void
 * says it. */
static void copy_org(const struct ent_space_state *state,
                     const struct ent_key *key,
                     const struct ent_roster_entry *entry,
                     char org[ENT_NAME_BYTES_MAX + 1])
{
    const struct ent_roster_person *who =
        ent_roster_person(&state->roster, key);

    if (who != NULL)
        ent_text_copy(org, ENT_NAME_BYTES_MAX + 1, who->org);
    else if (entry->kind == ENT_ROSTER_ADMIT)
        ent_text_copy(org, ENT_NAME_BYTES_MAX + 1, entry->org);
}

static void read_void(const struct ent_space_state *state,
                      const struct ent_roster_void *off, struct ent_void *read)
{
    const struct ent_roster_entry *entry = off->entry;

    *read = (struct ent_void){.pos = entry->pos,
                              .kind = entry->kind,
                              .author = entry->author,
                              .claimed_ms = entry->time_ms,
                              .about = entry->kind >= ENT_ROSTER_ADMIT &&
                                       entry->kind <= ENT_ROSTER_REPLACE,
                              .member = entry->member,
                              .erased = entry->erased_id,
                              .repeat = off->repeat};
    if (off->parted < state->roster.length)
        read->since_ms = state->roster.chain[off->parted]->time_ms;
    copy_org(state, &entry->author, entry, read->author_org);
    if (read->about)
        copy_org(state, &entry->member, entry, read->member_org);
    if (entry->kind == ENT_ROSTER_ADMIT || entry->kind == ENT_ROSTER_ROLE)
        read->role = entry->role;
}

int ent_void_list(struct ent_store *store, int64_t space,
                  struct ent_void **list, size_t *count, struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_store_refresh(store, err);

    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc < 0)
        return rc;
    *list = calloc(state->roster.void_count + 1, sizeof(**list));
    if (*list == NULL)
        return no_memory(err);
    *count = state->roster.void_count;
    for (size_t i = 0; i < *count; i++)
        read_void(state, &state->roster.off[i], &(*list)[i]);
    return 0;
}

static const char *void_form(const struct ent_roster_void *off,
                             const struct ent_key *own)
{
    if (off->entry->kind == ENT_ROSTER_DEPUTIES ||
        off->entry->kind == ENT_ROSTER_OWN_FIELD ||
        off->entry->kind == ENT_ROSTER_ERASE)
        return ENT_N_("\"%1$s\" by %2$s is void since %3$s, when the roster "
                      "went another way: the chair repeats it, or not\n");
    if (off->entry->kind != ENT_ROSTER_REMOVE)
        return ENT_N_("\"%1$s\" of %4$s by %2$s is void since %3$s, when the "
                      "roster went another way: the chair repeats it, or "
                      "not\n");
    if (ent_key_equal(&off->entry->member, own))
        return ENT_N_("\"%1$s\" of this node by %2$s is void since %3$s, when "
                      "the roster went another way: nobody exchanges with this "
                      "node until the chair has removed it again or given it a "
                      "role\n");
    return ENT_N_("\"%1$s\" of %4$s by %2$s is void since %3$s, when the "
                  "roster went another way: nobody exchanges with %4$s until "
                  "the chair has removed it again or given it a role\n");
}

/* What the chair may want to repeat (A2); the others need not care. */
static int put_void(struct ent_store *store,
                    const struct ent_space_state *state, struct ent_buf *lines,
                    struct ent_err *err)
{
    const struct ent_roster *roster = &state->roster;
    int64_t shown = 0;
    int64_t more = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < roster->void_count; i++) {
        struct ent_buf words[WORDS] = {{0}};
        struct ent_void entry;
        char id[ENT_ID_TEXT];

        if (!roster->off[i].repeat)
            continue;
        if (shown == VOID_SHOWN) {
            more++;
            continue;
        }
        shown++;
        read_void(state, &roster->off[i], &entry);
        ent_buf_put_str(&words[0], ent_void_command(&entry));
        if (entry.kind == ENT_ROSTER_ERASE) {
            ent_id_text(&entry.erased, id);
            ent_buf_printf(&words[0], " %s", id);
        }
        put_who(&words[1], state, &entry.author);
        ent_when_put(&words[2], entry.since_ms);
        if (entry.member_org[0] != '\0')
            put_text(&words[3], ent_slice_str(entry.member_org));
        else
            put_who(&words[3], state, &entry.member);
        rc = put_sentence(
            lines, void_form(&roster->off[i], &store->keys.public), words, err);
    }
    if (rc == 0 && more > 0)
        ent_buf_printf(lines,
                       say(ENT_N_("more void entries of the roster that the "
                                  "chair may repeat: %lld; \"entente member "
                                  "void\" lists them all\n")),
                       (long long)more);
    return rc;
}

/* -------------------------------------------------------------------- proofs
 */

static int put_proof(const struct ent_space_state *state,
                     const struct ent_key *keys, size_t count, const char *form,
                     struct ent_buf *lines, struct ent_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct ent_buf words[WORDS] = {{0}};

        put_who(&words[0], state, &keys[i]);
        rc = put_sentence(lines, form, words, err);
    }
    return rc;
}

int ent_space_proofs(struct ent_store *store, int64_t space,
                     struct ent_buf *lines, struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_space_state(store, space, &state, err);

    if (rc == 0)
        rc = put_proof(
            state, state->roster.forkers, state->roster.forker_count,
            ENT_N_("%s wrote two entries of the roster after the same one: its "
                   "replica was copied or put back, or its key is in use "
                   "elsewhere\n"),
            lines, err);
    if (rc == 0)
        rc = put_proof(
            state, state->roster.double_voters,
            state->roster.double_voter_count,
            ENT_N_("%s voted for two next chairs of one term, and both votes "
                   "were used\n"),
            lines, err);
    return rc;
}

/* As its chair this node waits for somebody to meet. */
static int put_unmet(struct ent_store *store, int64_t space,
                     struct ent_buf *lines, struct ent_err *err)
{
    bool unmet = false;
    int rc = 0;

    if (ent_member_role(store, space, &store->keys.public) == ENT_ROLE_CHAIR)
        rc = ent_space_unmet(store, space, &unmet, err);
    if (unmet)
        ent_buf_put_str(
            lines, say(ENT_N_("this node, the chair, decides about members "
                              "again once it has exchanged everything with "
                              "another member: others may know of later "
                              "decisions\n")));
    return rc;
}

/* What this program is too old for. */
static int put_version(struct ent_store *store, int64_t space,
                       struct ent_buf *lines, struct ent_err *err)
{
    struct ent_err said = {0};
    int rc = ent_space_check_version(store, space, &said);

    if (rc == ENT_EDENIED)
        ent_buf_printf(lines, "%s\n", said.text);
    else if (rc < 0)
        return ent_err_set(err, rc, "%s", said.text);
    return 0;
}

/* What is not carried out in full, or is missing though nobody erased it. */
static int put_erasures(struct ent_store *store, int64_t space,
                        struct ent_buf *lines, struct ent_err *err)
{
    struct ent_arena arena = {0};
    struct ent_erasure *list;
    int64_t wanted = 0;
    int64_t beyond = 0;
    size_t count = 0;
    int rc = ent_wanted_count(store, space, &wanted, err);

    if (rc == 0)
        rc = ent_erasure_list(store, space, &arena, &list, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        beyond += !list[i].counts;
    ent_arena_fini(&arena);
    if (rc == 0 && wanted > 0)
        ent_buf_printf(lines,
                       say(ENT_N_("entries whose values are missing though "
                                  "nobody erased them: %lld; every peer is "
                                  "asked for them\n")),
                       (long long)wanted);
    if (rc == 0 && beyond > 0)
        ent_buf_printf(lines,
                       say(ENT_N_("records that their owner erased in entries "
                                  "beyond a cut: %lld; the chair erases them, "
                                  "or not: \"entente erase --status\" lists "
                                  "them\n")),
                       (long long)beyond);
    if (rc == 0 && count > 0)
        rc = ent_store_scrub_due(store, err);
    if (rc > 0)
        ent_buf_put_str(lines,
                        say(ENT_N_("what was erased is not out of the file of "
                                   "the replica yet: another program reads it, "
                                   "or there is no room\n")));
    return rc < 0 ? rc : 0;
}

int ent_space_notices(struct ent_store *store, int64_t space,
                      struct ent_buf *lines, struct ent_err *err)
{
    struct ent_space_state *state;
    int rc = ent_space_proofs(store, space, lines, err);

    if (rc == 0)
        rc = put_lost(store, space, lines, err);
    if (rc == 0)
        rc = put_unmet(store, space, lines, err);
    if (rc == 0)
        rc = put_version(store, space, lines, err);
    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc == 0)
        rc = put_void(store, state, lines, err);
    return rc == 0 ? put_erasures(store, space, lines, err) : rc;
}
