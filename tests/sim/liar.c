/* liar.c - see liar.h: who lies to whom, and what becomes of the frames of its
 * engine. */
#include "liar.h"

#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "lies.h"
#include "store/seal.h"
#include "secure/hash.h"

#define FRAME_LIES 8  /* of 100 frames are changed */
#define FRAME_KEPT 10 /* of 100 are kept to be said again */

const char *const liar_deeds[LIAR_DEEDS] = {
    "forged well",    "without a role", "back-dated",     "as another",
    "wrong key",      "by a stranger",  "wrong previous", "of other space",
    "unknown roster", "roster forged",  "false heads",    "false frontiers",
    "logs hidden",    "short answers",  "stripped",       "mute",
    "replayed",       "said elsewhere", "floods",         "forked",
    "prying",
};

size_t lies_below(struct liar *liar, size_t bound)
{
    return (size_t)ent_rand_below(&liar->rand, bound);
}

bool lies_chance(struct liar *liar, int percent)
{
    return (int)lies_below(liar, 100) < percent;
}

static struct one *one_of(struct liar *liar, int node)
{
    for (int i = 0; i < liar->count; i++)
        if (liar->ones[i].node == node)
            return &liar->ones[i];
    return NULL;
}

const struct ent_keys *lies_keys(const struct liar *liar, int node)
{
    return &liar->net->nodes[node].keys;
}

void lies_did(struct liar *liar, enum liar_deed deed)
{
    liar->deeds[deed]++;
}
int lies_some_honest(struct liar *liar)
{
    size_t at = lies_below(liar, (size_t)liar->net->count);

    for (int n = 0; n < liar->net->count; n++, at++)
        if (!liar->net->liar[at % (size_t)liar->net->count])
            return (int)(at % (size_t)liar->net->count);
    return 0;
}

/* ------------------------------------------------------------------- talks */

static struct ent_hash8 tag_of(const struct liar *liar, int dialler, int other,
                               int space, const uint8_t nonce[8])
{
    uint8_t message[ENT_ID_BYTES + 2 * ENT_KEY_BYTES + 8];
    uint8_t *at = message;

    memcpy(at, liar->net->spaces[space].b, ENT_ID_BYTES);
    at += ENT_ID_BYTES;
    memcpy(at, lies_keys(liar, dialler)->curve_public.b, ENT_KEY_BYTES);
    at += ENT_KEY_BYTES;
    memcpy(at, lies_keys(liar, other)->curve_public.b, ENT_KEY_BYTES);
    at += ENT_KEY_BYTES;
    memcpy(at, nonce, 8);
    return ent_hash8_of(ent_slice(message, sizeof(message)));
}

static struct talk *talk_of(struct one *one, uint32_t conn)
{
    for (size_t i = 0; i < LIES_TALKS && i < one->talk_count; i++)
        if (one->talks[i].conn == conn)
            return &one->talks[i];
    return NULL;
}

/* The nonce of the first hello names the spaces for the whole session. */
static struct talk *begin_talk(struct liar *liar, struct one *one,
                               uint32_t conn, const uint8_t nonce[8])
{
    struct talk *talk = talk_of(one, conn);
    bool dialled;
    int peer = net_far_end(liar->net, one->node, conn, &dialled);

    if (talk != NULL || peer < 0)
        return talk;
    talk = &one->talks[one->talk_count++ % LIES_TALKS];
    *talk = (struct talk){.conn = conn, .peer = peer, .dialled = dialled};
    for (int s = 0; s < liar->net->space_count; s++)
        talk->tags[s] = tag_of(liar, dialled ? one->node : peer,
                               dialled ? peer : one->node, s, nonce);
    return talk;
}

static int space_of(const struct liar *liar, const struct talk *talk,
                    const struct ent_hash8 *tag)
{
    for (int s = 0; s < liar->net->space_count; s++)
        if (ent_hash8_equal(&talk->tags[s], tag))
            return s;
    return -1;
}

int liar_space(const struct liar *liar, int node, int peer,
               const struct ent_hash8 *tag)
{
    int found = -1;

    for (int i = 0; i < liar->count; i++)
        for (size_t t = 0; liar->ones[i].node == node && found < 0 &&
                           t < LIES_TALKS && t < liar->ones[i].talk_count;
             t++)
            if (liar->ones[i].talks[t].peer == peer)
                found = space_of(liar, &liar->ones[i].talks[t], tag);
    return found;
}

static bool is_open(const struct liar *liar, const struct one *one,
                    const struct talk *talk)
{
    bool dialled;

    return net_far_end(liar->net, one->node, talk->conn, &dialled) >= 0;
}

const struct talk *lies_other_talk(const struct liar *liar,
                                   const struct one *one,
                                   const struct talk *talk)
{
    for (size_t i = 0; i < LIES_TALKS && i < one->talk_count; i++)
        if (one->talks[i].peer != talk->peer &&
            is_open(liar, one, &one->talks[i]))
            return &one->talks[i];
    return talk;
}

static enum ent_frame_type type_of(struct ent_slice frame)
{
    return frame.len < 2 ? 0 : (enum ent_frame_type)frame.at[1];
}

static void keep(struct liar *liar, struct one *one, struct ent_slice frame)
{
    struct ent_buf *to = &one->kept[one->kept_count % LIES_KEPT];

    if (!lies_chance(liar, FRAME_KEPT))
        return;
    one->kept_count++;
    ent_buf_reset(to);
    ent_buf_put_slice(to, frame);
}

/* ------------------------------------------------------ of their own accord */

void liar_turn(struct liar *liar)
{
    struct one *one = &liar->ones[lies_below(liar, (size_t)liar->count)];
    struct net *net = liar->net;
    size_t held = one->talk_count < LIES_TALKS ? one->talk_count : LIES_TALKS;
    size_t at = lies_below(liar, LIES_TALKS);
    int peer = (int)lies_below(liar, (size_t)net->count);

    if (net->nodes[one->node].engine == NULL)
        return;
    ent_arena_reset(&liar->arena);
    for (size_t i = 0; i < held; i++, at++)
        if (is_open(liar, one, &one->talks[at % held])) {
            lies_act(liar, one, &one->talks[at % held],
                     (int)lies_below(liar, (size_t)net->space_count));
            break;
        }
    /* Also to those who would not call it any more. */
    if (lies_chance(liar, 30) && peer != one->node &&
        net_links(net, one->node, peer) == 0)
        net_dial(net, one->node, peer);
}

/* -------------------------------------------- what its engine hears and says
 */

/* Logs of the hidden member go from a list of heads. */
static bool hide_heads(const struct liar *liar, const struct one *one,
                       struct ent_frame *frame)
{
    size_t kept = 0;

    for (size_t i = 0; i < frame->head_count; i++)
        if (!ent_key_equal(&frame->heads[i].author,
                           &lies_keys(liar, one->hides)->public))
            frame->heads[kept++] = frame->heads[i];
    if (kept == frame->head_count)
        return false;
    frame->head_count = kept;
    return true;
}

/* Runs of the hidden member go, or all but the first. */
static bool shorten(struct liar *liar, const struct one *one, bool cut,
                    struct ent_frame *frame, struct ent_buf *packed)
{
    struct ent_frame_run *runs;
    size_t count;
    size_t kept = 0;

    if (frame->runs.len == 0 ||
        ent_runs_get(frame->runs, &liar->arena, &runs, &count, NULL) < 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (one->hides < 0 ||
            !ent_key_equal(&runs[i].author,
                           &lies_keys(liar, one->hides)->public))
            runs[kept++] = runs[i];
    if (kept == count && !cut)
        return false;
    if (cut)
        kept = lies_below(liar, kept + 1);
    frame->last = frame->last || cut;
    ent_runs_put(packed, runs, kept);
    frame->runs = ent_buf_slice(packed);
    return true;
}

/* An entry with the hash it had and without the values. */
static struct ent_slice strip_entry(struct liar *liar,
                                    const struct ent_frame_run *run,
                                    uint64_t seq, struct ent_slice packed)
{
    struct ent_entry entry = {
        .author = run->author, .origin = run->origin, .seq = seq};
    struct ent_buf buf = {0};
    struct ent_slice stripped = packed;

    if (seq > 1)
        entry.prev.b[0] = 1;
    if (ent_entry_get(packed, &liar->arena, &entry, NULL) < 0)
        return packed;
    for (size_t i = 0; i < entry.change_count; i++)
        ent_seal_erase(&entry, i);
    ent_entry_put(&buf, &entry);
    stripped = ent_arena_copy(&liar->arena, ent_buf_slice(&buf));
    ent_buf_fini(&buf);
    return stripped;
}

static bool strip(struct liar *liar, struct ent_frame *frame,
                  struct ent_buf *packed)
{
    struct ent_frame_run *runs;
    size_t count;

    if (frame->runs.len == 0 ||
        ent_runs_get(frame->runs, &liar->arena, &runs, &count, NULL) < 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct ent_slice *entries =
            ENT_ARENA_NEW(&liar->arena, struct ent_slice, runs[i].entry_count);

        for (size_t j = 0; j < runs[i].entry_count; j++)
            entries[j] = strip_entry(liar, &runs[i], runs[i].from + j,
                                     runs[i].entries[j]);
        runs[i].entries = entries;
    }
    ent_runs_put(packed, runs, count);
    frame->runs = ent_buf_slice(packed);
    return true;
}

/* A hello that names all spaces, also those that are none of its business. */
static void name_all(struct liar *liar, const struct talk *talk,
                     struct ent_frame *frame, struct ent_buf *slots)
{
    uint8_t digest[8];

    ent_buf_put_slice(slots, frame->digests);
    for (int s = 0; s < liar->net->space_count; s++) {
        bool named = false;

        for (size_t i = 0; i < frame->digests.len; i += 16)
            named = named || memcmp(frame->digests.at + i, talk->tags[s].b,
                                    ENT_HASH8_BYTES) == 0;
        if (named)
            continue;
        ent_rand_bytes(&liar->rand, digest, sizeof(digest));
        ent_buf_put(slots, talk->tags[s].b, ENT_HASH8_BYTES);
        ent_buf_put(slots, digest, sizeof(digest));
    }
    frame->digests = ent_buf_slice(slots);
}

/* Changes one frame; false: it goes as it is. */
static bool change(struct liar *liar, const struct one *one,
                   const struct talk *talk, struct ent_frame *frame,
                   struct ent_buf *room)
{
    bool lies = lies_chance(liar, FRAME_LIES);
    bool changed = false;

    switch (frame->type) {
    case ENT_FRAME_HELLO:
        if (!lies_chance(liar, 60))
            return false;
        name_all(liar, talk, frame, room);
        return true;
    case ENT_FRAME_OPEN:
    case ENT_FRAME_FRONTIER:
    case ENT_FRAME_NEWS:
        if (one->hides >= 0 && hide_heads(liar, one, frame)) {
            changed = true;
            lies_did(liar, LIAR_HIDES);
        }
        if (lies && frame->head_count > 0) {
            lies_falsify(liar,
                         &frame->heads[lies_below(liar, frame->head_count)]);
            changed = true;
            lies_did(liar, LIAR_HEADS);
        }
        return changed;
    case ENT_FRAME_RUNS:
        if (lies_chance(liar, FRAME_LIES)) {
            if (!strip(liar, frame, room))
                return false;
            lies_did(liar, LIAR_STRIPS);
            return true;
        }
        if (!shorten(liar, one, lies, frame, room))
            return false;
        lies_did(liar, lies ? LIAR_SHORT : LIAR_HIDES);
        return true;
    case ENT_FRAME_SETTLED:
        if (lies)
            ent_rand_bytes(&liar->rand,
                           lies_chance(liar, 50) ? frame->state
                                                 : frame->entries8.b,
                           ENT_HASH8_BYTES);
        return lies;
    case ENT_FRAME_ROSTER:
        if (lies)
            frame->roster_count = lies_below(liar, frame->roster_count + 1);
        return lies;
    case ENT_FRAME_WELCOME:
    case ENT_FRAME_ROSTER_HAVE:
    case ENT_FRAME_WANT:
    case ENT_FRAME_MORE:
    case ENT_FRAME_SAID_HAVE:
    case ENT_FRAME_SAID:
    case ENT_FRAME_JOIN:
    case ENT_FRAME_JOINED:
        break;
    case ENT_FRAME_ASIDE:
        /* Of what it offers one is not so. */
        if (lies && frame->head_count > 0) {
            lies_falsify(liar,
                         &frame->heads[lies_below(liar, frame->head_count)]);
            lies_did(liar, LIAR_HEADS);
        }
        return lies && frame->head_count > 0;
    case ENT_FRAME_ASIDE_WANT:
        if (lies)
            frame->later = !frame->later;
        return lies;
    }
    return false;
}

static void says(struct net *net, int node, uint32_t conn,
                 struct ent_slice bytes)
{
    struct liar *liar = net->liar_ctx;
    struct one *one = one_of(liar, node);
    struct talk *talk = one == NULL ? NULL : talk_of(one, conn);
    struct ent_buf room = {0};
    struct ent_frame frame;

    if (one == NULL) {
        net_send(net, node, conn, bytes);
        return;
    }
    ent_arena_reset(&liar->arena);
    if (ent_frame_get(bytes, &liar->arena, &frame, NULL) < 0)
        net_die(net, "what a liar's engine says is no frame");
    if (frame.type == ENT_FRAME_HELLO)
        talk = begin_talk(liar, one, conn, frame.nonce);
    keep(liar, one, bytes);
    if (talk == NULL) {
        net_send(net, node, conn, bytes);
    } else if (frame.type != ENT_FRAME_HELLO && lies_chance(liar, 1)) {
        lies_did(liar, LIAR_MUTE);
    } else if (change(liar, one, talk, &frame, &room)) {
        lies_speak(liar, one, talk, &frame);
    } else {
        net_send(net, node, conn, bytes);
    }
    ent_buf_fini(&room);
}

static void hears(struct net *net, int node, uint32_t conn,
                  struct ent_slice bytes)
{
    struct liar *liar = net->liar_ctx;
    struct one *one = one_of(liar, node);
    struct ent_frame frame;

    if (one == NULL)
        return;
    if (type_of(bytes) == ENT_FRAME_HELLO &&
        ent_frame_get(bytes, &liar->arena, &frame, NULL) == 0)
        begin_talk(liar, one, conn, frame.nonce);
    keep(liar, one, bytes);
}

/* ---------------------------------------------------------------- lifetime */

struct liar *liar_new(struct net *net, uint64_t seed, int records)
{
    struct liar *liar = calloc(1, sizeof(*liar));

    if (liar == NULL)
        net_die(net, "out of memory");
    liar->net = net;
    liar->records = records;
    ent_rand_init_u64(&liar->rand, seed);
    net->says = says;
    net->hears = hears;
    net->liar_ctx = liar;
    return liar;
}

void liar_free(struct liar *liar)
{
    if (liar == NULL)
        return;
    for (int i = 0; i < liar->count; i++)
        for (size_t k = 0; k < LIES_KEPT; k++)
            ent_buf_fini(&liar->ones[i].kept[k]);
    liar->net->says = liar->net->hears = NULL;
    ent_arena_fini(&liar->arena);
    free(liar);
}

void liar_add(struct liar *liar, int node)
{
    struct one *one = &liar->ones[liar->count];
    uint8_t seed[ENT_SEED_BYTES];

    if (liar->count == LIARS_MAX)
        net_die(liar->net, "too many liars");
    liar->net->liar[node] = true;
    liar->count++;
    *one = (struct one){.node = node, .hides = -1};
    ent_rand_bytes(&liar->rand, seed, sizeof(seed));
    ent_keys_from_seed(&one->stranger, seed);
    if (lies_chance(liar, 50))
        one->hides = lies_some_honest(liar);
}

int64_t liar_count(const struct liar *liar, enum liar_deed deed)
{
    return liar == NULL ? 0 : liar->deeds[deed];
}
