/* frame.c - see frame.h. The only user of zstd. */
#include "codec/frame.h"

#include <string.h>
#include <zstd.h>

#include "codec/pack.h"

#define ZSTD_LEVEL 3

/* Made once a thread: a context is a large allocation, a frame mostly small. */
static _Thread_local ZSTD_CCtx *compressor;
static _Thread_local ZSTD_DCtx *expander;
#define RUNS_ITEMS_MAX (ENT_FRAME_RUNS_MAX * 8 + (ENT_RUNS_BYTES_MAX / 16))

/* ------------------------------------------------------------------ writing */

static void put_hash8(struct ent_pack *pack, const struct ent_hash8 *hash)
{
    ent_pack_bin(pack, hash->b, ENT_HASH8_BYTES);
}

static void put_slice(struct ent_pack *pack, struct ent_slice bytes)
{
    ent_pack_bin(pack, bytes.at, bytes.len);
}

static void put_heads(struct ent_pack *pack, const struct ent_frame *frame)
{
    ent_pack_array(pack, frame->head_count);
    for (size_t i = 0; i < frame->head_count; i++) {
        ent_pack_array(pack, 4);
        ent_pack_bin(pack, frame->heads[i].author.b, ENT_KEY_BYTES);
        ent_pack_bin(pack, frame->heads[i].origin.b, ENT_ID_BYTES);
        ent_pack_uint(pack, frame->heads[i].seq);
        put_hash8(pack, &frame->heads[i].hash);
    }
}

static void put_roster(struct ent_pack *pack, const struct ent_frame *frame)
{
    ent_pack_array(pack, frame->roster_count);
    for (size_t i = 0; i < frame->roster_count; i++) {
        ent_pack_array(pack, 3);
        put_slice(pack, frame->roster[i].header);
        put_slice(pack, frame->roster[i].sig);
        put_slice(pack, frame->roster[i].body);
    }
}

static void put_wants(struct ent_pack *pack, const struct ent_frame *frame)
{
    ent_pack_array(pack, frame->want_count);
    for (size_t i = 0; i < frame->want_count; i++) {
        const struct ent_frame_want *want = &frame->wants[i];

        ent_pack_array(pack, 5);
        ent_pack_bin(pack, want->author.b, ENT_KEY_BYTES);
        ent_pack_bin(pack, want->origin.b, ENT_ID_BYTES);
        put_hash8(pack, &want->head);
        ent_pack_uint(pack, want->from);
        put_hash8(pack, &want->prev);
    }
}

static void put_said(struct ent_pack *pack, const struct ent_frame *frame)
{
    bool whole = frame->type == ENT_FRAME_SAID;

    ent_pack_array(pack, frame->said_count);
    for (size_t i = 0; i < frame->said_count; i++) {
        const struct ent_frame_said *said = &frame->said[i];

        ent_pack_array(pack, whole ? 4 : 2);
        ent_pack_bin(pack, said->key.b, ENT_KEY_BYTES);
        ent_pack_uint(pack, said->counter);
        if (whole) {
            put_slice(pack, said->body);
            put_slice(pack, said->sig);
        }
    }
}

/* Elements of each frame, its type included. */
static const uint8_t sizes[] = {
    [ENT_FRAME_HELLO] = 5,      [ENT_FRAME_WELCOME] = 5,
    [ENT_FRAME_OPEN] = 4,       [ENT_FRAME_ROSTER_HAVE] = 3,
    [ENT_FRAME_ROSTER] = 4,     [ENT_FRAME_FRONTIER] = 4,
    [ENT_FRAME_WANT] = 4,       [ENT_FRAME_RUNS] = 4,
    [ENT_FRAME_MORE] = 3,       [ENT_FRAME_SETTLED] = 5,
    [ENT_FRAME_SAID_HAVE] = 3,  [ENT_FRAME_SAID] = 3,
    [ENT_FRAME_NEWS] = 4,       [ENT_FRAME_JOIN] = 6,
    [ENT_FRAME_JOINED] = 5,     [ENT_FRAME_ASIDE] = 4,
    [ENT_FRAME_ASIDE_WANT] = 4,
};

static void put_join(struct ent_pack *pack, const struct ent_frame *frame)
{
    ent_pack_bin(pack, frame->space.b, ENT_ID_BYTES);
    if (frame->type == ENT_FRAME_JOIN) {
        put_hash8(pack, &frame->invite);
        ent_pack_bin(pack, frame->proof.b, ENT_HASH_BYTES);
        ent_pack_bin(pack, frame->key.b, ENT_KEY_BYTES);
        ent_pack_str(pack, frame->text);
        return;
    }
    ent_pack_bool(pack, frame->admitted);
    ent_pack_str(pack, frame->text);
    put_roster(pack, frame);
}

static void put_greeting(struct ent_pack *pack, const struct ent_frame *frame)
{
    ent_pack_uint(pack, frame->version);
    ent_pack_int(pack, frame->time_ms);
    if (frame->type == ENT_FRAME_HELLO)
        ent_pack_bin(pack, frame->nonce, sizeof(frame->nonce));
    else
        put_slice(pack, frame->answers);
    put_slice(pack, frame->digests);
}

void ent_frame_put(struct ent_buf *buf, const struct ent_frame *frame)
{
    struct ent_pack pack;

    ent_pack_init(&pack, buf);
    ent_pack_array(&pack, sizes[frame->type]);
    ent_pack_uint(&pack, frame->type);
    if (ent_frame_is_tagged(frame->type))
        put_hash8(&pack, &frame->tag);
    switch (frame->type) {
    case ENT_FRAME_HELLO:
    case ENT_FRAME_WELCOME:
        put_greeting(&pack, frame);
        break;
    case ENT_FRAME_OPEN:
        put_hash8(&pack, &frame->roster8);
        if (frame->has_heads)
            put_heads(&pack, frame);
        else
            ent_pack_nil(&pack);
        break;
    case ENT_FRAME_ROSTER_HAVE:
        put_slice(&pack, frame->hashes);
        break;
    case ENT_FRAME_ROSTER:
        put_roster(&pack, frame);
        ent_pack_bool(&pack, frame->last);
        break;
    case ENT_FRAME_FRONTIER:
        put_heads(&pack, frame);
        ent_pack_bool(&pack, frame->last);
        break;
    case ENT_FRAME_WANT:
        put_wants(&pack, frame);
        ent_pack_uint(&pack, frame->credit);
        break;
    case ENT_FRAME_RUNS:
        put_slice(&pack, frame->runs);
        ent_pack_bool(&pack, frame->last);
        break;
    case ENT_FRAME_MORE:
        ent_pack_uint(&pack, frame->credit);
        break;
    case ENT_FRAME_SETTLED:
        put_hash8(&pack, &frame->roster8);
        put_hash8(&pack, &frame->entries8);
        ent_pack_bin(&pack, frame->state, sizeof(frame->state));
        break;
    case ENT_FRAME_SAID_HAVE:
    case ENT_FRAME_SAID:
        put_said(&pack, frame);
        break;
    case ENT_FRAME_NEWS:
    case ENT_FRAME_ASIDE:
        put_heads(&pack, frame);
        put_slice(&pack, frame->runs);
        break;
    case ENT_FRAME_ASIDE_WANT:
        put_wants(&pack, frame);
        ent_pack_bool(&pack, frame->later);
        break;
    case ENT_FRAME_JOIN:
    case ENT_FRAME_JOINED:
        put_join(&pack, frame);
        break;
    }
}

/* ------------------------------------------------------------------ reading */

static void get_hash8(struct ent_unpack *in, const ent_obj *obj,
                      struct ent_hash8 *hash)
{
    ent_get_bin(in, obj, hash->b, ENT_HASH8_BYTES);
}

static void get_heads(struct ent_unpack *in, const ent_obj *obj,
                      struct ent_arena *arena, struct ent_frame *frame)
{
    size_t count;
    const ent_obj *items =
        ent_get_array(in, obj, 0, ENT_FRAME_HEADS_MAX, &count);

    frame->has_heads = true;
    frame->heads = ENT_ARENA_NEW(arena, struct ent_frontier_head, count);
    frame->head_count = frame->heads == NULL ? 0 : count;
    for (size_t i = 0; i < frame->head_count; i++) {
        struct ent_frontier_head *head = &frame->heads[i];
        const ent_obj *part = ent_get_array(in, &items[i], 4, 4, &count);

        ent_get_bin(in, &part[0], head->author.b, ENT_KEY_BYTES);
        ent_get_bin(in, &part[1], head->origin.b, ENT_ID_BYTES);
        head->seq = ent_get_uint(in, &part[2], ENT_SEQ_MAX);
        get_hash8(in, &part[3], &head->hash);
        if (head->seq == 0)
            ent_unpack_fault(in, ENT_N_("a sequence number out of range"));
    }
}

static void get_roster(struct ent_unpack *in, const ent_obj *obj,
                       struct ent_arena *arena, struct ent_frame *frame)
{
    size_t count;
    const ent_obj *items =
        ent_get_array(in, obj, 0, ENT_FRAME_ROSTER_MAX, &count);

    frame->roster = ENT_ARENA_NEW(arena, struct ent_frame_roster, count);
    frame->roster_count = frame->roster == NULL ? 0 : count;
    for (size_t i = 0; i < frame->roster_count; i++) {
        const ent_obj *part = ent_get_array(in, &items[i], 3, 3, &count);

        frame->roster[i].header =
            ent_get_bytes(in, &part[0], ENT_ROSTER_BYTES_MAX);
        frame->roster[i].sig = ent_get_bytes(in, &part[1], ENT_SIG_LEN);
        frame->roster[i].body =
            ent_get_bytes(in, &part[2], ENT_ROSTER_BYTES_MAX);
        if (frame->roster[i].sig.len != ENT_SIG_LEN)
            ent_unpack_fault(in, ENT_N_("binary of the wrong length"));
    }
}

static void get_wants(struct ent_unpack *in, const ent_obj *obj,
                      struct ent_arena *arena, struct ent_frame *frame)
{
    size_t least = frame->type == ENT_FRAME_WANT ? 1 : 0;
    size_t count;
    const ent_obj *items =
        ent_get_array(in, obj, least, ENT_FRAME_WANTS_MAX, &count);

    frame->wants = ENT_ARENA_NEW(arena, struct ent_frame_want, count);
    frame->want_count = frame->wants == NULL ? 0 : count;
    for (size_t i = 0; i < frame->want_count; i++) {
        struct ent_frame_want *want = &frame->wants[i];
        const ent_obj *part = ent_get_array(in, &items[i], 5, 5, &count);

        ent_get_bin(in, &part[0], want->author.b, ENT_KEY_BYTES);
        ent_get_bin(in, &part[1], want->origin.b, ENT_ID_BYTES);
        get_hash8(in, &part[2], &want->head);
        want->from = ent_get_uint(in, &part[3], ENT_SEQ_MAX);
        get_hash8(in, &part[4], &want->prev);
    }
}

static void get_said(struct ent_unpack *in, const ent_obj *obj,
                     struct ent_arena *arena, struct ent_frame *frame)
{
    size_t parts = frame->type == ENT_FRAME_SAID ? 4 : 2;
    size_t count;
    const ent_obj *items =
        ent_get_array(in, obj, 0, ENT_FRAME_ROSTER_MAX, &count);

    frame->said = ENT_ARENA_NEW(arena, struct ent_frame_said, count);
    frame->said_count = frame->said == NULL ? 0 : count;
    for (size_t i = 0; i < frame->said_count; i++) {
        struct ent_frame_said *said = &frame->said[i];
        const ent_obj *part =
            ent_get_array(in, &items[i], parts, parts, &count);

        ent_get_bin(in, &part[0], said->key.b, ENT_KEY_BYTES);
        said->counter = ent_get_uint(in, &part[1], INT64_MAX);
        if (parts == 2)
            continue;
        said->body = ent_get_bytes(in, &part[2], ENT_FRONTIER_BYTES_MAX);
        said->sig = ent_get_bytes(in, &part[3], ENT_SIG_LEN);
        if (said->sig.len != ENT_SIG_LEN)
            ent_unpack_fault(in, ENT_N_("binary of the wrong length"));
    }
}

static void get_greeting(struct ent_unpack *in, const ent_obj *part,
                         struct ent_frame *frame)
{
    frame->version = ent_get_uint(in, &part[1], UINT32_MAX);
    frame->time_ms = ent_get_int(in, &part[2]);
    if (frame->type == ENT_FRAME_HELLO)
        ent_get_bin(in, &part[3], frame->nonce, sizeof(frame->nonce));
    else
        frame->answers = ent_get_bytes(in, &part[3], ENT_HELLO_SPACES_MAX / 4);
    frame->digests = ent_get_bytes(in, &part[4], ENT_HELLO_SPACES_MAX * 16);
    if (frame->digests.len % 16 != 0)
        ent_unpack_fault(in, ENT_N_("binary of the wrong length"));
    if (frame->time_ms < -ENT_TIME_MS_MAX || frame->time_ms > ENT_TIME_MS_MAX)
        ent_unpack_fault(in, ENT_N_("a time out of range"));
}

static void get_join(struct ent_unpack *in, const ent_obj *part,
                     struct ent_arena *arena, struct ent_frame *frame)
{
    ent_get_bin(in, &part[1], frame->space.b, ENT_ID_BYTES);
    if (frame->type == ENT_FRAME_JOIN) {
        get_hash8(in, &part[2], &frame->invite);
        ent_get_bin(in, &part[3], frame->proof.b, ENT_HASH_BYTES);
        ent_get_bin(in, &part[4], frame->key.b, ENT_KEY_BYTES);
        frame->text = ent_get_text(in, &part[5], ENT_NAME_BYTES_MAX);
        return;
    }
    frame->admitted = ent_get_bool(in, &part[2]);
    frame->text = ent_get_text(in, &part[3], ENT_ERR_TEXT_MAX);
    get_roster(in, &part[4], arena, frame);
}

static void get_parts(struct ent_unpack *in, const ent_obj *part,
                      struct ent_arena *arena, struct ent_frame *frame)
{
    switch (frame->type) {
    case ENT_FRAME_HELLO:
    case ENT_FRAME_WELCOME:
        get_greeting(in, part, frame);
        break;
    case ENT_FRAME_OPEN:
        get_hash8(in, &part[2], &frame->roster8);
        if (part[3].type != MSGPACK_OBJECT_NIL)
            get_heads(in, &part[3], arena, frame);
        break;
    case ENT_FRAME_ROSTER_HAVE:
        frame->hashes = ent_get_bytes(in, &part[2], ENT_FRAME_BYTES_MAX);
        if (frame->hashes.len % ENT_HASH8_BYTES != 0)
            ent_unpack_fault(in, ENT_N_("binary of the wrong length"));
        break;
    case ENT_FRAME_ROSTER:
        get_roster(in, &part[2], arena, frame);
        frame->last = ent_get_bool(in, &part[3]);
        break;
    case ENT_FRAME_FRONTIER:
        get_heads(in, &part[2], arena, frame);
        frame->last = ent_get_bool(in, &part[3]);
        break;
    case ENT_FRAME_WANT:
        get_wants(in, &part[2], arena, frame);
        frame->credit = ent_get_uint(in, &part[3], INT64_MAX);
        break;
    case ENT_FRAME_RUNS:
        frame->runs = ent_get_bytes(in, &part[2], ENT_FRAME_BYTES_MAX);
        frame->last = ent_get_bool(in, &part[3]);
        break;
    case ENT_FRAME_MORE:
        frame->credit = ent_get_uint(in, &part[2], INT64_MAX);
        break;
    case ENT_FRAME_SETTLED:
        get_hash8(in, &part[2], &frame->roster8);
        get_hash8(in, &part[3], &frame->entries8);
        ent_get_bin(in, &part[4], frame->state, sizeof(frame->state));
        break;
    case ENT_FRAME_SAID_HAVE:
    case ENT_FRAME_SAID:
        get_said(in, &part[2], arena, frame);
        break;
    case ENT_FRAME_NEWS:
    case ENT_FRAME_ASIDE:
        get_heads(in, &part[2], arena, frame);
        frame->runs = ent_get_bytes(in, &part[3], ENT_FRAME_BYTES_MAX);
        break;
    case ENT_FRAME_ASIDE_WANT:
        get_wants(in, &part[2], arena, frame);
        frame->later = ent_get_bool(in, &part[3]);
        break;
    case ENT_FRAME_JOIN:
    case ENT_FRAME_JOINED:
        get_join(in, part, arena, frame);
        break;
    }
}

int ent_frame_get(struct ent_slice bytes, struct ent_arena *arena,
                  struct ent_frame *frame, struct ent_err *err)
{
    struct ent_unpack in;
    const ent_obj *part;
    uint64_t type;
    size_t count;
    int rc;

    memset(frame, 0, sizeof(*frame));
    if (bytes.len > ENT_FRAME_BYTES_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a message over its limit of %d bytes"),
                           ENT_FRAME_BYTES_MAX);
    ent_unpack_init(&in, bytes, ENT_ITEMS_MAX);
    part = ent_get_array(&in, &in.root, 3, 6, &count);
    type = ent_get_uint(&in, &part[0], ENT_FRAME_LAST);
    if (in.fault == NULL && (type == 0 || count != sizes[type]))
        ent_unpack_fault(&in, ENT_N_("a message of no known kind"));
    frame->type = type == 0 ? ENT_FRAME_HELLO : (enum ent_frame_type)type;
    if (in.fault == NULL) {
        if (ent_frame_is_tagged(type))
            get_hash8(&in, &part[1], &frame->tag);
        get_parts(&in, part, arena, frame);
    }
    rc = ent_unpack_rc(&in, ENT_N_("message"), err);
    ent_unpack_fini(&in);
    if (rc == 0 && arena->rc < 0)
        rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    return rc;
}

/* --------------------------------------------------------------------- runs */

/* Bytes made of it; 0: out of memory. */
static size_t compress_bytes(uint8_t *to, size_t room, struct ent_slice raw)
{
    size_t len;

    if (compressor == NULL)
        compressor = ZSTD_createCCtx();
    if (compressor == NULL)
        return 0;
    len = ZSTD_compressCCtx(compressor, to, room, raw.at, raw.len, ZSTD_LEVEL);
    return ZSTD_isError(len) ? 0 : len;
}

void ent_runs_put(struct ent_buf *buf, const struct ent_frame_run *runs,
                  size_t count)
{
    struct ent_buf raw = {0};
    struct ent_pack pack;
    size_t before = buf->len;
    size_t room;
    size_t len;
    uint8_t *to;

    ent_pack_init(&pack, &raw);
    ent_pack_array(&pack, count);
    for (size_t i = 0; i < count; i++) {
        ent_pack_array(&pack, 6);
        ent_pack_bin(&pack, runs[i].author.b, ENT_KEY_BYTES);
        ent_pack_bin(&pack, runs[i].origin.b, ENT_ID_BYTES);
        ent_pack_uint(&pack, runs[i].from);
        put_hash8(&pack, &runs[i].prev);
        ent_pack_array(&pack, runs[i].entry_count);
        for (size_t j = 0; j < runs[i].entry_count; j++)
            put_slice(&pack, runs[i].entries[j]);
        put_slice(&pack, runs[i].sig);
    }
    room = ZSTD_compressBound(raw.len);
    to = ent_buf_grow(buf, room);
    if (raw.rc < 0)
        buf->rc = raw.rc;
    if (to != NULL && raw.rc == 0) {
        len = compress_bytes(to, room, ent_buf_slice(&raw));
        if (len == 0)
            buf->rc = ENT_ENOMEM;
        buf->len = before + len;
    }
    ent_buf_fini(&raw);
}

static int expand(struct ent_slice bytes, struct ent_arena *arena,
                  struct ent_slice *raw, struct ent_err *err)
{
    unsigned long long claimed = ZSTD_getFrameContentSize(bytes.at, bytes.len);
    uint8_t *to;
    size_t len;

    if (claimed == ZSTD_CONTENTSIZE_ERROR ||
        claimed == ZSTD_CONTENTSIZE_UNKNOWN || claimed > ENT_RUNS_BYTES_MAX)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a batch that expands beyond its limit"));
    to = ent_arena_array(arena, claimed + 1, 1);
    if (to == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    if (expander == NULL)
        expander = ZSTD_createDCtx();
    if (expander == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    len = ZSTD_decompressDCtx(expander, to, claimed, bytes.at, bytes.len);
    if (ZSTD_isError(len) || len != claimed)
        return ent_err_set(err, ENT_EREFUSED,
                           ENT_N_("a batch that does not expand"));
    *raw = ent_slice(to, len);
    return 0;
}

static void get_run(struct ent_unpack *in, const ent_obj *obj,
                    struct ent_arena *arena, struct ent_frame_run *run)
{
    size_t count;
    const ent_obj *part = ent_get_array(in, obj, 6, 6, &count);
    const ent_obj *items;
    struct ent_slice *entries;

    ent_get_bin(in, &part[0], run->author.b, ENT_KEY_BYTES);
    ent_get_bin(in, &part[1], run->origin.b, ENT_ID_BYTES);
    run->from = ent_get_uint(in, &part[2], ENT_SEQ_MAX);
    get_hash8(in, &part[3], &run->prev);
    items = ent_get_array(in, &part[4], 0, ENT_RUNS_BYTES_MAX, &count);
    entries = ENT_ARENA_NEW(arena, struct ent_slice, count);
    run->entries = entries;
    run->entry_count = entries == NULL ? 0 : count;
    for (size_t i = 0; i < run->entry_count; i++)
        entries[i] = ent_get_bytes(in, &items[i], ENT_ENTRY_STUB_BYTES_MAX);
    run->sig = ent_get_bytes(in, &part[5], ENT_SIG_LEN);
    if (run->sig.len != (run->entry_count > 0 ? ENT_SIG_LEN : 0))
        ent_unpack_fault(in, ENT_N_("binary of the wrong length"));
}

int ent_runs_get(struct ent_slice bytes, struct ent_arena *arena,
                 struct ent_frame_run **runs, size_t *count,
                 struct ent_err *err)
{
    struct ent_slice raw;
    struct ent_unpack in;
    const ent_obj *items;
    int rc = expand(bytes, arena, &raw, err);

    if (rc < 0)
        return rc;
    ent_unpack_init(&in, raw, RUNS_ITEMS_MAX);
    items = ent_get_array(&in, &in.root, 0, ENT_FRAME_RUNS_MAX, count);
    *runs = ENT_ARENA_NEW(arena, struct ent_frame_run, *count);
    for (size_t i = 0; i < *count && *runs != NULL; i++)
        get_run(&in, &items[i], arena, &(*runs)[i]);
    rc = ent_unpack_rc(&in, ENT_N_("batch"), err);
    ent_unpack_fini(&in);
    if (rc == 0 && arena->rc < 0)
        rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    return rc;
}
