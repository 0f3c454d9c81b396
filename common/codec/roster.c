/* roster.c - see roster.h. */
#include "codec/roster.h"

#include <string.h>

#include "base/limits.h"
#include "codec/pack.h"

#define ROSTER_ITEMS_MAX 4096

void ent_roster_body_put(struct ent_buf *buf,
                         const struct ent_roster_entry *entry)
{
    static const struct ent_hash8 none;
    struct ent_pack pack;

    ent_pack_init(&pack, buf);
    ent_pack_array(&pack, 6);
    ent_pack_uint(&pack, entry->term);
    ent_pack_uint(&pack, entry->kind);
    if (entry->kind == ENT_ROSTER_FOUND) {
        ent_pack_str(&pack, entry->org);
        ent_pack_str(&pack, entry->title_en);
        ent_pack_str(&pack, entry->title_fr);
        ent_pack_bin(&pack, entry->nonce, sizeof(entry->nonce));
        return;
    }
    ENT_ASSERT(entry->kind == ENT_ROSTER_ADMIT);
    ent_pack_bin(&pack, entry->member.b, ENT_KEY_BYTES);
    ent_pack_uint(&pack, entry->role);
    ent_pack_str(&pack, entry->org);
    ent_pack_bin(&pack, entry->invite.b,
                 ent_hash8_equal(&entry->invite, &none) ? 0 : ENT_HASH8_BYTES);
}

static void get_found(struct ent_unpack *in, const ent_obj *part, size_t count,
                      struct ent_roster_entry *entry)
{
    if (count != 6) {
        ent_unpack_fault(in, ENT_N_("a list of the wrong length"));
        return;
    }
    entry->org = ent_get_text(in, &part[2], ENT_NAME_BYTES_MAX);
    entry->title_en = ent_get_text(in, &part[3], ENT_NAME_BYTES_MAX);
    entry->title_fr = ent_get_text(in, &part[4], ENT_NAME_BYTES_MAX);
    ent_get_bin(in, &part[5], entry->nonce, sizeof(entry->nonce));
}

static void get_admit(struct ent_unpack *in, const ent_obj *part, size_t count,
                      struct ent_roster_entry *entry)
{
    struct ent_slice invite;

    if (count != 6) {
        ent_unpack_fault(in, ENT_N_("a list of the wrong length"));
        return;
    }
    ent_get_bin(in, &part[2], entry->member.b, ENT_KEY_BYTES);
    entry->role = (enum ent_role)ent_get_uint(in, &part[3], ENT_ROLE_EDITOR);
    if (entry->role < ENT_ROLE_READER)
        ent_unpack_fault(in, ENT_N_("a role nobody can be admitted in"));
    entry->org = ent_get_text(in, &part[4], ENT_NAME_BYTES_MAX);
    invite = ent_get_bytes(in, &part[5], ENT_HASH8_BYTES);
    if (invite.len == ENT_HASH8_BYTES)
        memcpy(entry->invite.b, invite.at, ENT_HASH8_BYTES);
    else if (invite.len != 0)
        ent_unpack_fault(in, ENT_N_("binary of the wrong length"));
}

int ent_roster_body_get(struct ent_slice body, struct ent_roster_entry *entry,
                        struct ent_err *err)
{
    struct ent_unpack in;
    const ent_obj *part;
    size_t count;
    int rc;

    ent_unpack_init(&in, body, ROSTER_ITEMS_MAX);
    part = ent_get_array(&in, &in.root, 2, ROSTER_ITEMS_MAX, &count);
    entry->term = (uint32_t)ent_get_uint(&in, &part[0], ENT_FIELD_MAX);
    entry->kind = (uint32_t)ent_get_uint(&in, &part[1], ENT_FIELD_MAX);
    if (entry->term == 0)
        ent_unpack_fault(&in, ENT_N_("a number out of range"));
    if (entry->kind == ENT_ROSTER_FOUND)
        get_found(&in, part, count, entry);
    else if (entry->kind == ENT_ROSTER_ADMIT)
        get_admit(&in, part, count, entry);
    rc = ent_unpack_rc(&in, ENT_N_("roster entry"), err);
    ent_unpack_fini(&in);
    return rc;
}
