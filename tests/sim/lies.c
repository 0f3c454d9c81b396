/* lies.c - the lies of liar.h, one function each. */
#include "lies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/roster.h"
#include "forge.h"
#include "secure/hash.h"
#include "store/replica.h"

#define FLOOD_FRAMES 30
#define ROSTERS_MAX 4 /* void entries stay for ever: a few prove as much */
#define FLOODS_MAX 2  /* of each */
#define GOOD_MAX 12   /* each one stands beside the others: a conflict more */
#define WHOLE_BYTES 4000 /* of a real log, said in another space */

/* ----------------------------------------------------------------- speaking */

void lies_speak(struct liar *liar, const struct one *one,
                const struct talk *talk, const struct ent_frame *frame)
{
    struct ent_buf bytes = {0};

    ent_frame_put(&bytes, frame);
    if (bytes.rc == 0)
        net_send(liar->net, one->node, talk->conn, ent_buf_slice(&bytes));
    ent_buf_fini(&bytes);
}

/* News with one run; the head goes along, or stays unsaid. */
static void speak_run(struct liar *liar, const struct one *one,
                      const struct talk *talk, int space,
                      const struct ent_frame_run *run,
                      const struct ent_hash *last)
{
    struct ent_frontier_head head = {.author = run->author,
                                     .origin = run->origin,
                                     .seq = run->from + run->entry_count - 1,
                                     .hash = ent_hash_head(last)};
    struct ent_frame frame = {.type = ENT_FRAME_NEWS,
                              .tag = talk->tags[space],
                              .heads = &head,
                              .head_count = lies_chance(liar, 60) ? 1 : 0};
    struct ent_buf packed = {0};

    ent_runs_put(&packed, run, 1);
    frame.runs = ent_buf_slice(&packed);
    lies_speak(liar, one, talk, &frame);
    ent_buf_fini(&packed);
}

/* ------------------------------------------------------------------ forging */

/* What a liar knows of a space, or what the chair does: the worst liar is one
 * that was told everything. */
struct ground {
    int node, space;
    struct ent_store *store;
    int64_t number;
    const struct ent_space_state *state;
    uint64_t pos;
    struct ent_hash head;
};

static bool stand_at(struct liar *liar, int node, int space,
                     struct ground *ground)
{
    struct ent_store *store = liar->net->nodes[node].store;
    struct ent_space_state *state;
    int64_t number =
        liar->net->nodes[node].dark ? 0 : net_space(liar->net, space, node);

    if (number == 0 || ent_store_refresh(store, NULL) < 0 ||
        ent_logs_load(store, NULL) < 0 ||
        ent_space_state(store, number, &state, NULL) < 0 ||
        state->roster.length == 0)
        return false;
    *ground = (struct ground){.node = node,
                              .space = space,
                              .store = store,
                              .number = number,
                              .state = state};
    ent_space_head(state, &ground->pos, &ground->head);
    return true;
}

static bool stand(struct liar *liar, const struct one *one, int space,
                  struct ground *ground)
{
    int first = lies_chance(liar, 70) ? one->node : 0;

    return stand_at(liar, first, space, ground) ||
           stand_at(liar, first == 0 ? one->node : 0, space, ground);
}

/* An entry of a fresh log that names the roster's head. */
static struct forged begin_entry(struct liar *liar, const struct ground *ground,
                                 const struct ent_key *author)
{
    struct forged forged = {
        .entry = {.space = liar->net->spaces[ground->space],
                  .author = *author,
                  .seq = 1,
                  .roster_pos = ground->pos,
                  .roster_hash = ent_hash_head(&ground->head),
                  .time_ms = net_now(liar->net, ground->node)},
        .kind = NET_KIND,
        .field = NET_TITLE,
        .record = net_record((int)lies_below(liar, (size_t)liar->records))};
    char text[32];

    snprintf(text, sizeof(text), "lie %lld", (long long)++liar->texts);
    forged.text = ent_arena_str(&liar->arena, text);
    ent_rand_bytes(&liar->rand, forged.entry.origin.b, ENT_ID_BYTES);
    ent_rand_bytes(&liar->rand, forged.entry.seed, sizeof(forged.entry.seed));
    return forged;
}

static struct forged after(struct liar *liar, const struct forged *before,
                           const struct ground *ground)
{
    struct forged forged = begin_entry(liar, ground, &before->entry.author);

    forged.entry.origin = before->entry.origin;
    forged.entry.seq = before->entry.seq + 1;
    forged.entry.prev = before->hash;
    return forged;
}

static void send_forged(struct liar *liar, const struct one *one,
                        const struct talk *talk, const struct ground *ground,
                        struct forged *forged, size_t count,
                        const struct ent_keys *signer)
{
    struct ent_frame_run run = forge_run(forged, count, signer, &liar->arena);

    speak_run(liar, one, talk, ground->space, &run, &forged[count - 1].hash);
}

/* In the name of a liar, as the rules have it: good of an editor. */
static void say_entry(struct liar *liar, struct one *one,
                      const struct talk *talk, const struct ground *ground,
                      int by)
{
    const struct ent_keys *keys = lies_keys(liar, by);
    struct forged forged[2];
    size_t count = lies_chance(liar, 30) ? 2 : 1;
    bool good = ent_roster_role(&ground->state->roster, ground->pos,
                                &keys->public) >= ENT_ROLE_EDITOR;

    if (good && ++one->goods > GOOD_MAX)
        return;
    forged[0] = begin_entry(liar, ground, &keys->public);
    forge_entry(&forged[0], &liar->arena);
    if (count > 1) {
        forged[1] = after(liar, &forged[0], ground);
        forge_entry(&forged[1], &liar->arena);
    }
    send_forged(liar, one, talk, ground, forged, count, keys);
    lies_did(liar, good ? LIAR_GOOD : LIAR_ROLE);
}

/* Each is good, and everybody must come to hold and to apply both (A8). */
static void say_fork(struct liar *liar, struct one *one,
                     const struct talk *talk, const struct ground *ground)
{
    const struct ent_keys *keys = lies_keys(liar, one->node);
    struct forged branch[2];

    if (ent_roster_role(&ground->state->roster, ground->pos, &keys->public) <
            ENT_ROLE_EDITOR ||
        ++one->goods > GOOD_MAX)
        return;
    for (size_t i = 0; i < 2; i++) {
        branch[i] = begin_entry(liar, ground, &keys->public);
        branch[i].entry.origin = branch[0].entry.origin;
        forge_entry(&branch[i], &liar->arena);
        send_forged(liar, one, i == 0 ? talk : lies_other_talk(liar, one, talk),
                    ground, &branch[i], 1, keys);
    }
    lies_did(liar, LIAR_FORKS);
}

/* As if written before the cut; sometimes with one behind it that is not. */
static void say_backdated(struct liar *liar, struct one *one,
                          const struct talk *talk, const struct ground *ground,
                          int by)
{
    const struct ent_keys *keys = lies_keys(liar, by);
    const struct ent_roster *roster = &ground->state->roster;
    const struct ent_roster_person *who =
        ent_roster_person(roster, &keys->public);
    struct forged forged[2];
    size_t count = lies_chance(liar, 30) ? 2 : 1;
    uint64_t pos;

    if (who == NULL || who->cuts == NULL)
        return;
    pos = who->cuts->entry->pos - 1;
    if (ent_roster_role(roster, pos, &keys->public) < ENT_ROLE_EDITOR)
        return;
    forged[0] = begin_entry(liar, ground, &keys->public);
    forged[0].entry.roster_pos = pos;
    forged[0].entry.roster_hash = ent_hash_head(&roster->chain[pos - 1]->hash);
    forge_entry(&forged[0], &liar->arena);
    if (count > 1) {
        forged[1] = after(liar, &forged[0], ground);
        forge_entry(&forged[1], &liar->arena);
    }
    send_forged(liar, one, talk, ground, forged, count, keys);
    lies_did(liar, LIAR_BACKDATED);
}

/* A log's head, of the author or of anybody. */
static bool some_head(struct liar *liar, const struct ground *ground,
                      const struct ent_key *author, struct ent_head *head)
{
    struct ent_head *heads;
    bool found = false;
    size_t count;

    if (ent_frontier_read(ground->store, ground->number, &heads, &count, NULL) <
        0)
        return false;
    for (size_t i = count == 0 ? 0 : lies_below(liar, count), n = 0;
         n < count && !found; i = (i + 1) % count, n++) {
        found = author == NULL || ent_key_equal(&heads[i].author, author);
        if (found)
            *head = heads[i];
    }
    free(heads);
    return found;
}

static void say_as_another(struct liar *liar, struct one *one,
                           const struct talk *talk, const struct ground *ground)
{
    const struct ent_key *author =
        &lies_keys(liar, lies_some_honest(liar))->public;
    struct forged forged = begin_entry(liar, ground, author);
    struct ent_head head;

    if (lies_chance(liar, 50) && some_head(liar, ground, author, &head)) {
        forged.entry.origin = head.origin;
        forged.entry.seq = head.seq + 1;
        forged.entry.prev = head.hash;
    }
    forge_entry(&forged, &liar->arena);
    send_forged(liar, one, talk, ground, &forged, 1,
                lies_keys(liar, one->node));
    lies_did(liar, LIAR_AUTHOR);
}

/* As itself, signed by the stranger; or all the stranger's. */
static void say_wrong_key(struct liar *liar, struct one *one,
                          const struct talk *talk, const struct ground *ground)
{
    bool whole = lies_chance(liar, 50);
    struct forged forged = begin_entry(
        liar, ground,
        whole ? &one->stranger.public : &lies_keys(liar, one->node)->public);

    forge_entry(&forged, &liar->arena);
    send_forged(liar, one, talk, ground, &forged, 1, &one->stranger);
    lies_did(liar, whole ? LIAR_STRANGER : LIAR_SIGNATURE);
}

/* The run says that it follows the liar's newest entry, or nothing that
 * anybody has; what is signed follows something else. */
static void say_wrong_previous(struct liar *liar, struct one *one,
                               const struct talk *talk,
                               const struct ground *ground)
{
    const struct ent_keys *keys = lies_keys(liar, one->node);
    struct forged forged = begin_entry(liar, ground, &keys->public);
    struct ent_frame_run run;
    struct ent_head head;
    bool follows = some_head(liar, ground, &keys->public, &head);

    forged.entry.seq = 2;
    ent_rand_bytes(&liar->rand, forged.entry.prev.b, ENT_HASH_BYTES);
    if (follows) {
        forged.entry.origin = head.origin;
        forged.entry.seq = head.seq + 1;
    }
    forge_entry(&forged, &liar->arena);
    run = forge_run(&forged, 1, keys, &liar->arena);
    if (follows)
        run.prev = ent_hash_head(&head.hash);
    speak_run(liar, one, talk, ground->space, &run, &forged.hash);
    lies_did(liar, LIAR_PREVIOUS);
}

static void say_unknown_roster(struct liar *liar, struct one *one,
                               const struct talk *talk,
                               const struct ground *ground)
{
    const struct ent_keys *keys = lies_keys(liar, one->node);
    struct forged forged = begin_entry(liar, ground, &keys->public);

    forged.entry.roster_pos += lies_below(liar, 3);
    ent_rand_bytes(&liar->rand, forged.entry.roster_hash.b, ENT_HASH8_BYTES);
    forge_entry(&forged, &liar->arena);
    send_forged(liar, one, talk, ground, &forged, 1, keys);
    lies_did(liar, LIAR_UNKNOWN);
}

/* A real log of one space said in another. */
static void say_of_other_space(struct liar *liar, struct one *one,
                               const struct talk *talk,
                               const struct ground *ground)
{
    static const struct ent_hash8 first;
    struct ground other;
    struct ent_head head;
    struct ent_run run;
    struct ent_frame_run out;
    struct ent_hash last = {0};
    int space = (int)lies_below(liar, (size_t)liar->net->space_count);

    if (space == ground->space || !stand_at(liar, one->node, space, &other) ||
        !some_head(liar, &other, NULL, &head) ||
        ent_run_read(other.store, head.o, 1, &first, WHOLE_BYTES, &liar->arena,
                     &run, NULL) < 0 ||
        run.count == 0)
        return;
    out = (struct ent_frame_run){.author = run.author,
                                 .origin = run.origin,
                                 .from = run.from,
                                 .prev = run.prev,
                                 .entries = run.entries,
                                 .entry_count = run.count,
                                 .sig = ent_slice(run.sig.b, ENT_SIG_BYTES)};
    memcpy(last.b, run.last.b, ENT_HASH8_BYTES);
    speak_run(liar, one, talk, ground->space, &out, &last);
    lies_did(liar, LIAR_SPACE);
}

/* ------------------------------------------------------------ roster entries
 */

/* What the chair alone may decide; or a succession by one vote. */
static void draw_decision(struct liar *liar, const struct one *one,
                          const struct ground *ground,
                          struct ent_roster_entry *entry)
{
    const struct ent_keys *keys = lies_keys(liar, one->node);
    const struct ent_key *self = &keys->public;
    const struct ent_key *other =
        &lies_keys(liar, lies_chance(liar, 30) ? 0 : lies_some_honest(liar))
             ->public;
    struct ent_vote *vote = ENT_ARENA_NEW(&liar->arena, struct ent_vote, 1);
    struct ent_key *key = ENT_ARENA_NEW(&liar->arena, struct ent_key, 1);
    struct ent_buf message = {0};
    struct ent_sig sig;

    entry->role = lies_chance(liar, 50) ? ENT_ROLE_EDITOR : ENT_ROLE_READER;
    entry->kind = ENT_ROSTER_ADMIT + (uint32_t)lies_below(liar, 8);
    if (entry->kind == ENT_ROSTER_OWN_FIELD) {
        entry->kind = ENT_ROSTER_ERASE;
        entry->erased_kind = NET_KIND;
        entry->erased_id = net_record((int)lies_below(liar, 4));
    }
    entry->member = lies_chance(liar, 50) ? *self : *other;
    entry->org = ent_slice_str("Forged");
    entry->reason = ent_slice_str("forged");
    entry->next = one->stranger.public;
    if (entry->kind == ENT_ROSTER_ADMIT && lies_chance(liar, 50))
        entry->member = one->stranger.public;
    *key = *self;
    if (entry->kind == ENT_ROSTER_DEPUTIES) {
        entry->keys = key;
        entry->key_count = 1;
    }
    if (entry->kind != ENT_ROSTER_SUCCEED)
        return;
    entry->term++;
    ent_vote_put(&message, &liar->net->spaces[ground->space], entry->term,
                 &entry->prev, self);
    ent_sign(keys, ent_buf_slice(&message), &sig);
    ent_buf_fini(&message);
    vote->key = *self;
    vote->sig = ent_arena_copy(&liar->arena, ent_slice(sig.b, sizeof(sig.b)));
    entry->votes = vote;
    entry->vote_count = 1;
}

static void say_roster(struct liar *liar, struct one *one,
                       const struct talk *talk, const struct ground *ground)
{
    const struct ent_keys *keys = lies_keys(liar, one->node);
    const struct ent_roster *roster = &ground->state->roster;
    size_t at = roster->length - 1 -
                (lies_chance(liar, 30) ? lies_below(liar, roster->length) : 0);
    struct ent_roster_entry entry = {.prev = roster->chain[at]->hash,
                                     .pos = roster->chain[at]->pos + 1,
                                     .term = roster->chain[at]->term,
                                     .time_ms = net_now(liar->net, one->node)};
    struct ent_frame_roster made;
    struct ent_frame frame = {.type = ENT_FRAME_ROSTER,
                              .tag = talk->tags[ground->space],
                              .roster = &made,
                              .roster_count = 1,
                              .last = lies_chance(liar, 50)};

    if (++one->rosters > ROSTERS_MAX)
        return;
    draw_decision(liar, one, ground, &entry);
    made = forge_roster(keys, &liar->net->spaces[ground->space], &entry.prev,
                        &entry, &liar->arena);
    lies_speak(liar, one, talk, &frame);
    lies_did(liar, LIAR_ROSTER);
}

/* -------------------------------------------------------------- false heads */

void lies_falsify(struct liar *liar, struct ent_frontier_head *head)
{
    switch (lies_below(liar, 3)) {
    case 0:
        ent_rand_bytes(&liar->rand, head->origin.b, ENT_ID_BYTES);
        break;
    case 1:
        head->seq += 1 + lies_below(liar, lies_chance(liar, 50) ? 3 : 100000);
        break;
    default:
        if (head->seq > 1)
            head->seq--;
        break;
    }
    ent_rand_bytes(&liar->rand, head->hash.b, ENT_HASH8_BYTES);
}

static bool false_head(struct liar *liar, const struct ground *ground,
                       struct ent_frontier_head *to)
{
    struct ent_head head;

    if (!some_head(liar, ground, NULL, &head))
        return false;
    *to = (struct ent_frontier_head){.author = head.author,
                                     .origin = head.origin,
                                     .seq = head.seq,
                                     .hash = ent_hash_head(&head.hash)};
    lies_falsify(liar, to);
    return true;
}

static void say_heads(struct liar *liar, struct one *one,
                      const struct talk *talk, const struct ground *ground)
{
    struct ent_frontier_head heads[3];
    struct ent_frame frame = {
        .type = lies_chance(liar, 70) ? ENT_FRAME_NEWS : ENT_FRAME_FRONTIER,
        .tag = talk->tags[ground->space],
        .heads = heads,
        .last = true};

    while (frame.head_count < 3 &&
           false_head(liar, ground, &heads[frame.head_count]))
        frame.head_count++;
    lies_speak(liar, one, talk, &frame);
    lies_did(liar, LIAR_HEADS);
}

/* Its own frontier, as false as it likes, or one of somebody else, that it
 * cannot sign. */
static void say_said(struct liar *liar, struct one *one,
                     const struct talk *talk, const struct ground *ground)
{
    struct ent_frontier_head head;
    struct ent_frontier frontier = {
        .space = liar->net->spaces[ground->space],
        .key = lies_keys(liar, lies_chance(liar, 70) ? one->node
                                                     : lies_some_honest(liar))
                   ->public,
        .counter = 1 + lies_below(liar, 1000),
        .time_ms = net_now(liar->net, one->node),
        .roster_pos = ground->pos + lies_below(liar, 3),
        .roster_hash = ent_hash_head(&ground->head),
        .heads = &head,
        .head_count = false_head(liar, ground, &head) ? 1 : 0};
    struct ent_frame_said said =
        forge_said(lies_keys(liar, one->node), &frontier, &liar->arena);
    struct ent_frame frame = {.type = ENT_FRAME_SAID,
                              .tag = talk->tags[ground->space],
                              .said = &said,
                              .said_count = 1};

    lies_speak(liar, one, talk, &frame);
    lies_did(liar, LIAR_SAID);
}

/* ------------------------------------------------- again, too much, too far */

static void replay(struct liar *liar, struct one *one, const struct talk *talk)
{
    struct one *from = &liar->ones[lies_below(liar, (size_t)liar->count)];
    size_t kept = from->kept_count < LIES_KEPT ? from->kept_count : LIES_KEPT;
    struct ent_slice bytes;
    struct ent_frame frame;

    if (kept == 0)
        return;
    bytes = ent_buf_slice(&from->kept[lies_below(liar, kept)]);
    if (lies_chance(liar, 40) ||
        ent_frame_get(bytes, &liar->arena, &frame, NULL) < 0 ||
        !ent_frame_is_tagged(frame.type)) {
        net_send(liar->net, one->node, talk->conn, bytes);
        lies_did(liar, LIAR_REPLAY);
        return;
    }
    frame.tag = talk->tags[lies_below(liar, (size_t)liar->net->space_count)];
    lies_speak(liar, one, talk, &frame);
    lies_did(liar, LIAR_ELSEWHERE);
}

/* Asks for everything of a space, as its members do; it knows their logs. */
static void pry(struct liar *liar, struct one *one, const struct talk *talk,
                int space)
{
    struct ent_frame_want want = {.from = 1};
    struct ent_frame frame = {.type = ENT_FRAME_OPEN, .tag = talk->tags[space]};
    struct ent_digest digest;
    struct ground ground;
    struct ent_head head;
    bool is_member;

    if (!stand_at(liar, lies_chance(liar, 50) ? talk->peer : 0, space, &ground))
        return;
    is_member =
        ent_roster_role(&ground.state->roster, ground.pos,
                        &lies_keys(liar, one->node)->public) != ENT_ROLE_NONE;
    if (!some_head(liar, &ground, NULL, &head) ||
        ent_digest_read(ground.store, ground.number, &digest, NULL) < 0)
        return;
    if (lies_chance(liar, 60)) {
        frame.roster8 = ent_hash_head(&digest.roster);
        frame.has_heads = lies_chance(liar, 50);
        lies_speak(liar, one, talk, &frame);
    }
    want.author = head.author;
    want.origin = head.origin;
    want.head = ent_hash_head(&head.hash);
    frame = (struct ent_frame){.type = ENT_FRAME_WANT,
                               .tag = talk->tags[space],
                               .wants = &want,
                               .want_count = 1,
                               .credit = ENT_BATCH_BYTES_MAX};
    lies_speak(liar, one, talk, &frame);
    if (!is_member)
        lies_did(liar, LIAR_PRIES);
}

static void flood(struct liar *liar, struct one *one, const struct talk *talk,
                  const struct ground *ground)
{
    size_t what = lies_below(liar, 6);
    uint8_t noise[32];

    if (++one->floods > FLOODS_MAX)
        return;
    for (int i = 0; i < FLOOD_FRAMES; i++) {
        struct ent_frame frame = {.tag = talk->tags[ground->space],
                                  .version = ENT_PROTOCOL_VERSION,
                                  .credit = lies_below(liar, 100000)};

        ent_rand_bytes(&liar->rand, noise, sizeof(noise));
        switch (what) {
        case 0:
            frame.type = ENT_FRAME_HELLO;
            frame.digests = ent_slice(noise, sizeof(noise));
            break;
        case 1:
            say_unknown_roster(liar, one, talk, ground);
            continue;
        case 2:
            say_heads(liar, one, talk, ground);
            continue;
        case 3:
            frame.type = ENT_FRAME_MORE;
            break;
        case 4:
            frame.type = ENT_FRAME_ROSTER_HAVE;
            break;
        default:
            frame.type = ENT_FRAME_SAID_HAVE;
            break;
        }
        lies_speak(liar, one, talk, &frame);
    }
    lies_did(liar, LIAR_FLOOD);
}

/* ------------------------------------------------------------------ which one
 */

void lies_act(struct liar *liar, struct one *one, const struct talk *talk,
              int space)
{
    struct ground ground;
    int by = liar->ones[lies_below(liar, (size_t)liar->count)].node;

    if (!stand(liar, one, space, &ground))
        return;
    switch (lies_below(liar, 17)) {
    case 0:
    case 1:
        say_entry(liar, one, talk, &ground, by);
        break;
    case 2:
    case 3:
    case 4:
        say_backdated(liar, one, talk, &ground, by);
        break;
    case 5:
        say_as_another(liar, one, talk, &ground);
        break;
    case 6:
        say_wrong_key(liar, one, talk, &ground);
        break;
    case 7:
        say_wrong_previous(liar, one, talk, &ground);
        break;
    case 8:
        say_unknown_roster(liar, one, talk, &ground);
        break;
    case 9:
        say_of_other_space(liar, one, talk, &ground);
        break;
    case 10:
        say_roster(liar, one, talk, &ground);
        break;
    case 11:
        say_heads(liar, one, talk, &ground);
        break;
    case 12:
        say_said(liar, one, talk, &ground);
        break;
    case 13:
        replay(liar, one, talk);
        break;
    case 14:
        pry(liar, one, talk, space);
        break;
    case 15:
        say_fork(liar, one, talk, &ground);
        break;
    default:
        flood(liar, one, talk, &ground);
        break;
    }
}
