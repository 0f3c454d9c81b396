/* said.c - see said.h; the form is drawn in store/said.c and
 * docs/protocol.md. Heads go by author, then origin, so that the 48 bytes
 * naming a log are followed by what differs. */
#include "codec/said.h"

#include <string.h>

#include "codec/entry.h"
#include "codec/pack.h"

void ent_frontier_put(struct ent_buf *buf, const struct ent_frontier *frontier)
{
    struct ent_pack pack;

    ent_pack_init(&pack, buf);
    ent_pack_array(&pack, 10);
    ent_pack_str(&pack, ent_slice_str(ENT_FRONTIER_TAG));
    ent_pack_uint(&pack, ENT_FORMAT_VERSION);
    ent_pack_bin(&pack, frontier->space.b, ENT_ID_BYTES);
    ent_pack_bin(&pack, frontier->key.b, ENT_KEY_BYTES);
    ent_pack_uint(&pack, frontier->counter);
    ent_pack_int(&pack, frontier->time_ms);
    ent_pack_array(&pack, 2);
    ent_pack_uint(&pack, frontier->roster_pos);
    ent_pack_bin(&pack, frontier->roster_hash.b, ENT_HASH8_BYTES);
    ent_pack_array(&pack, frontier->head_count);
    for (size_t i = 0; i < frontier->head_count; i++) {
        ent_pack_array(&pack, 4);
        ent_pack_bin(&pack, frontier->heads[i].author.b, ENT_KEY_BYTES);
        ent_pack_bin(&pack, frontier->heads[i].origin.b, ENT_ID_BYTES);
        ent_pack_uint(&pack, frontier->heads[i].seq);
        ent_pack_bin(&pack, frontier->heads[i].hash.b, ENT_HASH8_BYTES);
    }
    ent_pack_uint(&pack, frontier->erased_pos);
    ent_pack_array(&pack, frontier->endpoint_count);
    for (size_t i = 0; i < frontier->endpoint_count; i++)
        ent_pack_str(&pack, ent_slice_str(frontier->endpoints[i]));
}

int ent_frontier_get(struct ent_slice bytes, struct ent_arena *arena,
                     struct ent_frontier *frontier, struct ent_err *err)
{
    struct ent_unpack in;
    const ent_obj *part;
    const ent_obj *items;
    const ent_obj *sub;
    size_t count;
    int rc;

    memset(frontier, 0, sizeof(*frontier));
    ent_unpack_init(&in, bytes, 32 + 5 * ENT_FRONTIER_HEADS_MAX);
    part = ent_get_array(&in, &in.root, 10, 10, &count);
    if (!ent_slice_equal(ent_get_text(&in, &part[0], 64),
                         ent_slice_str(ENT_FRONTIER_TAG)) ||
        ent_get_uint(&in, &part[1], UINT32_MAX) != ENT_FORMAT_VERSION)
        ent_unpack_fault(&in, ENT_N_("a header of another kind"));
    ent_get_bin(&in, &part[2], frontier->space.b, ENT_ID_BYTES);
    ent_get_bin(&in, &part[3], frontier->key.b, ENT_KEY_BYTES);
    frontier->counter = ent_get_uint(&in, &part[4], INT64_MAX);
    frontier->time_ms = ent_get_int(&in, &part[5]);
    sub = ent_get_array(&in, &part[6], 2, 2, &count);
    frontier->roster_pos = ent_get_uint(&in, &sub[0], ENT_SEQ_MAX);
    ent_get_bin(&in, &sub[1], frontier->roster_hash.b, ENT_HASH8_BYTES);
    items = ent_get_array(&in, &part[7], 0, ENT_FRONTIER_HEADS_MAX, &count);
    frontier->heads = ENT_ARENA_NEW(arena, struct ent_frontier_head, count);
    frontier->head_count = frontier->heads == NULL ? 0 : count;
    for (size_t i = 0; i < frontier->head_count; i++) {
        sub = ent_get_array(&in, &items[i], 4, 4, &count);
        ent_get_bin(&in, &sub[0], frontier->heads[i].author.b, ENT_KEY_BYTES);
        ent_get_bin(&in, &sub[1], frontier->heads[i].origin.b, ENT_ID_BYTES);
        frontier->heads[i].seq = ent_get_uint(&in, &sub[2], ENT_SEQ_MAX);
        ent_get_bin(&in, &sub[3], frontier->heads[i].hash.b, ENT_HASH8_BYTES);
    }
    frontier->erased_pos = ent_get_uint(&in, &part[8], ENT_SEQ_MAX);
    items = ent_get_array(&in, &part[9], 0, ENT_ENDPOINTS_MAX, &count);
    frontier->endpoint_count = count;
    for (size_t i = 0; i < count; i++) {
        struct ent_slice text = ent_get_text(&in, &items[i], ENT_ENDPOINT_MAX);

        if (memchr(text.at, '\0', text.len) != NULL)
            ent_unpack_fault(&in, ENT_N_("no text, or too long a one"));
        else
            memcpy(frontier->endpoints[i], text.at, text.len);
    }
    rc = ent_unpack_rc(&in, ENT_N_("frontier"), err);
    ent_unpack_fini(&in);
    if (rc == 0 && arena->rc < 0)
        rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    return rc;
}
