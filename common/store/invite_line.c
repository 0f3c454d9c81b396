/* invite_line.c - invitations and requests to join as lines of text (A7; see
 * spaces.h): a tag and base64url of fixed fields, texts, and the first 4 bytes
 * of a BLAKE2b over all that, so that a line mangled in an e-mail or mistyped
 * is told from a wrong one. */
#include <string.h>

#include "base/utf8.h"
#include "secure/hash.h"
#include "store/spaces.h"

#define CHECK_BYTES 4

/* What lines of one sort begin with, and what is said of bad ones. */
struct sort {
    const char *tag;
    const char *other, *broken, *mangled;
};

static const struct sort invites = {
    "entente-invite-1:",
    ENT_N_("this is no invitation: it begins with %s"),
    ENT_N_("the invitation is not one line; copy it again"),
    ENT_N_("the invitation is cut off or mistyped; copy the whole line again"),
};

static const struct sort requests = {
    "entente-request-1:",
    ENT_N_("this is no request to join: it begins with %s"),
    ENT_N_("the request to join is not one line; copy it again"),
    ENT_N_("the request to join is cut off or mistyped; copy the whole line "
           "again"),
};

static int spoilt(const struct sort *sort, const char *text,
                  struct ent_err *err)
{
    return ent_err_set(err, ENT_EREFUSED, text, sort->tag);
}

/* Takes `raw`. */
static void put_line(struct ent_buf *line, const struct sort *sort,
                     struct ent_buf *raw)
{
    struct ent_hash8 check = ent_hash8_of(ent_buf_slice(raw));

    ent_buf_put(raw, check.b, CHECK_BYTES);
    ent_buf_put_str(line, sort->tag);
    ent_base64_put(line, ent_buf_slice(raw));
    if (raw->rc < 0)
        line->rc = raw->rc;
    ent_buf_fini(raw);
}

/* The fields of a line, its check seen to; they live in `raw`. */
static int get_line(const char *line, const struct sort *sort,
                    struct ent_buf *raw, struct ent_slice *fields,
                    struct ent_err *err)
{
    static const char blanks[] = " \t\r\n";
    size_t tag = strlen(sort->tag);
    char copy[ENT_INVITE_LINE_MAX];
    struct ent_hash8 check;
    size_t len;

    /* A line copied out of a message has blanks around it. */
    line += strspn(line, blanks);
    len = strcspn(line, blanks);
    if (strncmp(line, sort->tag, tag) != 0)
        return spoilt(sort, sort->other, err);
    if (len >= sizeof(copy) || line[len + strspn(line + len, blanks)] != '\0')
        return spoilt(sort, sort->broken, err);
    memcpy(copy, line, len);
    copy[len] = '\0';
    if (!ent_base64_get(copy + tag, raw) || raw->len < CHECK_BYTES)
        return spoilt(sort, sort->mangled, err);
    *fields = ent_slice(raw->at, raw->len - CHECK_BYTES);
    check = ent_hash8_of(*fields);
    if (memcmp(check.b, raw->at + fields->len, CHECK_BYTES) != 0)
        return spoilt(sort, sort->mangled, err);
    return 0;
}

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool ok;
};

static struct reader reader_of(struct ent_slice fields)
{
    return (struct reader){
        .at = fields.at, .end = fields.at + fields.len, .ok = true};
}

static void get_bytes(struct reader *in, void *to, size_t len)
{
    in->ok = in->ok && (size_t)(in->end - in->at) >= len;
    if (!in->ok) {
        memset(to, 0, len);
        return;
    }
    memcpy(to, in->at, len);
    in->at += len;
}

/* `len` bytes of text as a C string in `size` bytes. */
static void get_text(struct reader *in, size_t len, char *to, size_t size)
{
    in->ok = in->ok && len < size;
    if (!in->ok)
        len = 0;
    get_bytes(in, to, len);
    to[len] = '\0';
    in->ok = in->ok && strlen(to) == len;
}

/* -------------------------------------------------------------- invitations
 */

static void put_short(struct ent_buf *buf, const char *text)
{
    size_t len = strlen(text);

    ENT_ASSERT(len <= 255);
    ent_buf_put_u8(buf, (uint8_t)len);
    ent_buf_put(buf, text, len);
}

static void get_short(struct reader *in, char *to, size_t size)
{
    uint8_t len;

    get_bytes(in, &len, 1);
    get_text(in, len, to, size);
}

void ent_invite_put(struct ent_buf *line, const struct ent_invite *invite)
{
    struct ent_buf raw = {0};
    uint8_t time[8];

    ent_buf_put(&raw, invite->space.b, ENT_ID_BYTES);
    ent_buf_put(&raw, invite->chair.b, ENT_KEY_BYTES);
    ent_buf_put(&raw, invite->secret, sizeof(invite->secret));
    ent_buf_put_u8(&raw, (uint8_t)invite->role);
    ent_be64_put(time, (uint64_t)invite->expires_ms);
    ent_buf_put(&raw, time, sizeof(time));
    put_short(&raw, invite->handle);
    ent_buf_put_u8(&raw, (uint8_t)invite->endpoint_count);
    for (size_t i = 0; i < invite->endpoint_count; i++)
        put_short(&raw, invite->endpoints[i]);
    put_line(line, &invites, &raw);
}

static bool read_invite(struct ent_slice fields, struct ent_invite *invite)
{
    struct reader in = reader_of(fields);
    uint8_t time[8];
    uint8_t role;
    uint8_t count;

    get_bytes(&in, invite->space.b, ENT_ID_BYTES);
    get_bytes(&in, invite->chair.b, ENT_KEY_BYTES);
    get_bytes(&in, invite->secret, sizeof(invite->secret));
    get_bytes(&in, &role, 1);
    get_bytes(&in, time, sizeof(time));
    get_short(&in, invite->handle, sizeof(invite->handle));
    get_bytes(&in, &count, 1);
    invite->role = (enum ent_role)role;
    invite->expires_ms = (int64_t)ent_be64_get(time);
    invite->endpoint_count = count;
    if (count > ENT_ENDPOINTS_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        get_short(&in, invite->endpoints[i], sizeof(invite->endpoints[i]));
    return in.ok && in.at == in.end && ent_space_is_handle(invite->handle) &&
           (role == ENT_ROLE_READER || role == ENT_ROLE_EDITOR);
}

int ent_invite_parse(const char *line, struct ent_invite *invite,
                     struct ent_err *err)
{
    struct ent_buf raw = {0};
    struct ent_slice fields;
    int rc = get_line(line, &invites, &raw, &fields, err);

    memset(invite, 0, sizeof(*invite));
    if (rc == 0 && !read_invite(fields, invite))
        rc = spoilt(&invites, invites.mangled, err);
    ent_buf_fini(&raw);
    return rc;
}

/* ----------------------------------------------------------------- requests
 */

void ent_request_put(struct ent_buf *line, const struct ent_request *request)
{
    struct ent_buf raw = {0};

    ent_buf_put(&raw, request->space.b, ENT_ID_BYTES);
    ent_buf_put(&raw, request->invite.b, ENT_HASH8_BYTES);
    ent_buf_put(&raw, request->proof.b, ENT_HASH_BYTES);
    ent_buf_put(&raw, request->key.b, ENT_KEY_BYTES);
    ent_buf_put_str(&raw, request->org);
    put_line(line, &requests, &raw);
}

bool ent_request_is_line(const char *text)
{
    text += strspn(text, " \t\r\n");
    return strncmp(text, requests.tag, strlen(requests.tag)) == 0;
}

static bool read_request(struct ent_slice fields, struct ent_request *request)
{
    struct reader in = reader_of(fields);
    struct ent_key curve;

    get_bytes(&in, request->space.b, ENT_ID_BYTES);
    get_bytes(&in, request->invite.b, ENT_HASH8_BYTES);
    get_bytes(&in, request->proof.b, ENT_HASH_BYTES);
    get_bytes(&in, request->key.b, ENT_KEY_BYTES);
    get_text(&in, (size_t)(in.end - in.at), request->org, sizeof(request->org));
    return in.ok && ent_key_to_curve(&request->key, &curve) &&
           ent_utf8_valid(ent_slice_str(request->org)) == strlen(request->org);
}

int ent_request_parse(const char *line, struct ent_request *request,
                      struct ent_err *err)
{
    struct ent_buf raw = {0};
    struct ent_slice fields;
    int rc = get_line(line, &requests, &raw, &fields, err);

    memset(request, 0, sizeof(*request));
    if (rc == 0 && !read_request(fields, request))
        rc = spoilt(&requests, requests.mangled, err);
    ent_buf_fini(&raw);
    return rc;
}
