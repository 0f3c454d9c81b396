/* fuzz_invite.c - any text as an invitation, with the checksum made right for
 * most inputs: what is read can be kept, proven and redeemed against, and the
 * names it brings are harmless. The first byte chooses. */
#include <string.h>

#include "secure/hash.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINE_TAG "entente-invite-1:"

static void keep(const struct ent_invite *invite)
{
    struct ent_store *store = world_store(0);
    struct ent_hash8 id;
    struct ent_hash proof;
    struct ent_err err;
    int64_t space;

    ent_invite_prove(invite, &ent_store_keys(store)->public, &id, &proof);
    ENT_ASSERT(ent_invite_redeem(store, &invite->space, &id, &proof,
                                 &ent_store_keys(store)->public, "Org",
                                 NET_START_MS, &err) < 0);
    if (ent_space_expect(store, invite, &space, &err) == 0)
        world_must(ent_space_leave(store, space, true, &err), &err, "purge");
}

static void try_line(const char *line)
{
    struct ent_invite invite;
    struct ent_err err;

    if (ent_invite_parse(line, &invite, &err) < 0)
        return;
    ENT_ASSERT(invite.endpoint_count <= ENT_ENDPOINTS_MAX);
    ENT_ASSERT(invite.role == ENT_ROLE_READER ||
               invite.role == ENT_ROLE_EDITOR);
    ENT_ASSERT(strlen(invite.handle) <= ENT_HANDLE_MAX);
    for (size_t i = 0; i < invite.endpoint_count; i++)
        ENT_ASSERT(strlen(invite.endpoints[i]) <= ENT_ENDPOINT_MAX);
    keep(&invite);
}

/* The bytes behind the tag, with their checksum. */
static void try_fields(struct ent_slice fields)
{
    struct ent_hash8 check = ent_hash8_of(fields);
    struct ent_buf raw = {0};
    struct ent_buf line = {0};

    ent_buf_put_slice(&raw, fields);
    ent_buf_put(&raw, check.b, 4);
    ent_buf_put_str(&line, LINE_TAG);
    ent_base64_put(&line, ent_buf_slice(&raw));
    try_line(ent_buf_cstr(&line));
    ent_buf_fini(&raw);
    ent_buf_fini(&line);
}

static void try_text(struct ent_slice text, bool tagged)
{
    struct ent_buf line = {0};

    if (tagged)
        ent_buf_put_str(&line, LINE_TAG);
    ent_buf_put_slice(&line, text);
    try_line(ent_buf_cstr(&line));
    ent_buf_fini(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ent_slice rest;

    world_open();
    if (size == 0)
        return 0;
    rest = ent_slice(data + 1, size - 1);
    if (data[0] % 4 == 0)
        try_text(rest, false);
    else if (data[0] % 4 == 1)
        try_text(rest, true);
    else
        try_fields(rest);
    return 0;
}
