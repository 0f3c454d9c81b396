/* fuzz_invite.c - any text as an invitation or as a request to join, with the
 * checksum made right for most inputs: what is read can be kept, proven and
 * redeemed against, and the names it brings are harmless. The first byte
 * chooses: from 128 on a request, and by its lowest bits how much is given. */
#include <string.h>

#include "secure/hash.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUEST 128 /* in the first byte */

static const char *const tags[] = {"entente-invite-1:", "entente-request-1:"};

/* The world has no invitation, and too many wrong requests end in a pause. */
static void redeem(const struct ent_request *request)
{
    struct ent_store *store = world_store(0);
    enum ent_refusal why;
    enum ent_role role;
    struct ent_err err;

    ENT_ASSERT(ent_invite_check(store, request, NET_START_MS, &role, &why,
                                &err) == ENT_EDENIED);
    ENT_ASSERT(why == ENT_REFUSAL_UNKNOWN || why == ENT_REFUSAL_SPACE);
    ENT_ASSERT(ent_invite_answer(store, request, NET_START_MS, &why, &err) ==
               ENT_EDENIED);
}

static void keep(const struct ent_invite *invite)
{
    struct ent_store *store = world_store(0);
    struct ent_request request = {.space = invite->space,
                                  .key = ent_store_keys(store)->public,
                                  .org = "Org"};
    struct ent_err err;
    int64_t space;

    ent_invite_prove(invite, &request.key, &request.invite, &request.proof);
    redeem(&request);
    if (ent_space_expect(store, invite, &space, &err) == 0)
        world_must(ent_space_leave(store, space, true, &err), &err, "purge");
}

/* What is read is written as the line it came from. */
static void check_again(const char *line, struct ent_buf *again)
{
    const char *text = ent_buf_cstr(again);
    size_t len = strlen(text);

    line += strspn(line, " \t\r\n");
    ENT_ASSERT(strncmp(line, text, len) == 0);
    ENT_ASSERT(line[len + strspn(line + len, " \t\r\n")] == '\0');
    ent_buf_fini(again);
}

static void try_invite(const char *line)
{
    struct ent_buf again = {0};
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
    ent_invite_put(&again, &invite);
    check_again(line, &again);
}

static void try_request(const char *line)
{
    struct ent_buf again = {0};
    struct ent_request request;
    struct ent_err err;

    if (ent_request_parse(line, &request, &err) < 0)
        return;
    ENT_ASSERT(ent_request_is_line(line));
    ENT_ASSERT(strlen(request.org) <= ENT_NAME_BYTES_MAX);
    redeem(&request);
    ent_request_put(&again, &request);
    check_again(line, &again);
}

static void try_line(bool request, struct ent_buf *line)
{
    const char *text = ent_buf_cstr(line);

    if (request)
        try_request(text);
    else
        try_invite(text);
    ent_buf_fini(line);
}

/* The bytes behind the tag, with their checksum. */
static void try_fields(bool request, struct ent_slice fields)
{
    struct ent_hash8 check = ent_hash8_of(fields);
    struct ent_buf raw = {0};
    struct ent_buf line = {0};

    ent_buf_put_slice(&raw, fields);
    ent_buf_put(&raw, check.b, 4);
    ent_buf_put_str(&line, tags[request]);
    ent_base64_put(&line, ent_buf_slice(&raw));
    ent_buf_fini(&raw);
    try_line(request, &line);
}

static void try_text(bool request, bool tagged, struct ent_slice text)
{
    struct ent_buf line = {0};

    if (tagged)
        ent_buf_put_str(&line, tags[request]);
    ent_buf_put_slice(&line, text);
    try_line(request, &line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ent_slice rest;
    bool request;

    world_open();
    if (size == 0)
        return 0;
    rest = ent_slice(data + 1, size - 1);
    request = (data[0] & REQUEST) != 0;
    if (data[0] % 4 < 2)
        try_text(request, data[0] % 4 == 1, rest);
    else
        try_fields(request, rest);
    return 0;
}
