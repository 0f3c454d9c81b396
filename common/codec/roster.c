/* roster.c - see roster.h. */
#include "codec/roster.h"

#include <string.h>

#include "base/limits.h"
#include "codec/pack.h"

#define ROSTER_ITEMS_MAX 8192
#define SIG_BYTES 64
#define OWN_FIELD_PARTS 12
#define ERASE_PARTS 4
#define VOTE_TAG "entente/succeed/1"

/* ----------------------------------------------------------------------- out
 */

static void put_heads(struct ent_pack *pack,
                      const struct ent_roster_entry *entry)
{
    ent_pack_array(pack, entry->head_count);
    for (size_t i = 0; i < entry->head_count; i++) {
        const struct ent_cut_head *head = &entry->heads[i];

        ENT_ASSERT(head->sig.len == SIG_BYTES);
        ent_pack_array(pack, 4);
        ent_pack_bin(pack, head->origin.b, ENT_ID_BYTES);
        ent_pack_uint(pack, head->seq);
        ent_pack_bin(pack, head->hash.b, ENT_HASH_BYTES);
        ent_pack_bin(pack, head->sig.at, SIG_BYTES);
    }
}

static void put_found(struct ent_pack *pack,
                      const struct ent_roster_entry *entry)
{
    ent_pack_str(pack, entry->org);
    ent_pack_str(pack, entry->title_en);
    ent_pack_str(pack, entry->title_fr);
    ent_pack_bin(pack, entry->nonce, sizeof(entry->nonce));
}

static void put_admit(struct ent_pack *pack,
                      const struct ent_roster_entry *entry)
{
    static const struct ent_hash8 none;

    ent_pack_bin(pack, entry->member.b, ENT_KEY_BYTES);
    ent_pack_uint(pack, entry->role);
    ent_pack_str(pack, entry->org);
    ent_pack_bin(pack, entry->invite.b,
                 ent_hash8_equal(&entry->invite, &none) ? 0 : ENT_HASH8_BYTES);
}

static void put_lists(struct ent_pack *pack,
                      const struct ent_roster_entry *entry)
{
    if (entry->kind == ENT_ROSTER_DEPUTIES) {
        ent_pack_array(pack, entry->key_count);
        for (size_t i = 0; i < entry->key_count; i++)
            ent_pack_bin(pack, entry->keys[i].b, ENT_KEY_BYTES);
        return;
    }
    ent_pack_array(pack, entry->vote_count);
    for (size_t i = 0; i < entry->vote_count; i++) {
        ENT_ASSERT(entry->votes[i].sig.len == SIG_BYTES);
        ent_pack_array(pack, 2);
        ent_pack_bin(pack, entry->votes[i].key.b, ENT_KEY_BYTES);
        ent_pack_bin(pack, entry->votes[i].sig.at, SIG_BYTES);
    }
}

/* Elements of a body of a kind that is known, 0 for others. */
static size_t length_of(uint32_t kind)
{
    switch (kind) {
    case ENT_ROSTER_FOUND:
    case ENT_ROSTER_ADMIT:
        return 6;
    case ENT_ROSTER_ROLE:
    case ENT_ROSTER_REMOVE:
    case ENT_ROSTER_REPLACE:
    case ENT_ROSTER_MIN_VERSION:
        return 5;
    case ENT_ROSTER_READMIT:
    case ENT_ROSTER_ERASE:
        return 4;
    case ENT_ROSTER_DEPUTIES:
    case ENT_ROSTER_SUCCEED:
        return 3;
    case ENT_ROSTER_OWN_FIELD:
        return OWN_FIELD_PARTS;
    default:
        return 0;
    }
}

static void put_own_field(struct ent_pack *pack,
                          const struct ent_own_field *own)
{
    const struct ent_field *field = &own->field;
    const char *of = field->list != NULL ? field->list : field->targets;

    ent_pack_uint(pack, own->kind);
    ent_pack_uint(pack, field->number);
    ent_pack_str(pack, ent_slice_str(field->name));
    ent_pack_uint(pack, field->type);
    ent_pack_uint(pack, field->rule);
    ent_pack_uint(pack, field->loud);
    ent_pack_uint(pack, field->personal);
    ent_pack_str(pack, ent_slice_str(of == NULL ? "" : of));
    for (int lang = 0; lang < ENT_LANG_COUNT; lang++)
        ent_pack_str(pack, ent_slice_str(field->label[lang]));
}

void ent_roster_body_put(struct ent_buf *buf,
                         const struct ent_roster_entry *entry)
{
    struct ent_pack pack;

    ENT_ASSERT(length_of(entry->kind) > 0);
    ent_pack_init(&pack, buf);
    ent_pack_array(&pack, length_of(entry->kind));
    ent_pack_uint(&pack, entry->term);
    ent_pack_uint(&pack, entry->kind);
    switch (entry->kind) {
    case ENT_ROSTER_FOUND:
        put_found(&pack, entry);
        return;
    case ENT_ROSTER_ADMIT:
        put_admit(&pack, entry);
        return;
    case ENT_ROSTER_DEPUTIES:
    case ENT_ROSTER_SUCCEED:
        put_lists(&pack, entry);
        return;
    case ENT_ROSTER_OWN_FIELD:
        put_own_field(&pack, &entry->own);
        return;
    case ENT_ROSTER_MIN_VERSION:
        for (size_t i = 0; i < ENT_VERSION_PARTS; i++)
            ent_pack_uint(&pack, entry->version.part[i]);
        return;
    case ENT_ROSTER_ERASE:
        ent_pack_uint(&pack, entry->erased_kind);
        ent_pack_bin(&pack, entry->erased_id.b, ENT_ID_BYTES);
        return;
    default:
        break;
    }
    ent_pack_bin(&pack, entry->member.b, ENT_KEY_BYTES);
    if (entry->kind == ENT_ROSTER_ROLE)
        ent_pack_uint(&pack, entry->role);
    else if (entry->kind == ENT_ROSTER_REMOVE)
        ent_pack_str(&pack, entry->reason);
    else if (entry->kind == ENT_ROSTER_REPLACE)
        ent_pack_bin(&pack, entry->next.b, ENT_KEY_BYTES);
    put_heads(&pack, entry);
}

void ent_vote_put(struct ent_buf *buf, const struct ent_id *space,
                  uint32_t term, const struct ent_hash *follows,
                  const struct ent_key *next)
{
    struct ent_pack pack;

    ent_pack_init(&pack, buf);
    ent_pack_array(&pack, 5);
    ent_pack_str(&pack, ent_slice_str(VOTE_TAG));
    ent_pack_bin(&pack, space->b, ENT_ID_BYTES);
    ent_pack_uint(&pack, term);
    ent_pack_bin(&pack, follows->b, ENT_HASH_BYTES);
    ent_pack_bin(&pack, next->b, ENT_KEY_BYTES);
}

/* ------------------------------------------------------------------------ in
 */

static void get_found(struct ent_unpack *in, const ent_obj *part,
                      struct ent_roster_entry *entry)
{
    entry->org = ent_get_text(in, &part[2], ENT_NAME_BYTES_MAX);
    entry->title_en = ent_get_text(in, &part[3], ENT_NAME_BYTES_MAX);
    entry->title_fr = ent_get_text(in, &part[4], ENT_NAME_BYTES_MAX);
    ent_get_bin(in, &part[5], entry->nonce, sizeof(entry->nonce));
}

static enum ent_role get_role(struct ent_unpack *in, const ent_obj *part)
{
    enum ent_role role = (enum ent_role)ent_get_uint(in, part, ENT_ROLE_EDITOR);

    if (role < ENT_ROLE_READER)
        ent_unpack_fault(in, ENT_N_("a role nobody can be admitted in"));
    return role;
}

static void get_admit(struct ent_unpack *in, const ent_obj *part,
                      struct ent_roster_entry *entry)
{
    struct ent_slice invite;

    entry->role = get_role(in, &part[3]);
    entry->org = ent_get_text(in, &part[4], ENT_NAME_BYTES_MAX);
    invite = ent_get_bytes(in, &part[5], ENT_HASH8_BYTES);
    if (invite.len == ENT_HASH8_BYTES)
        memcpy(entry->invite.b, invite.at, ENT_HASH8_BYTES);
    else if (invite.len != 0)
        ent_unpack_fault(in, ENT_N_("binary of the wrong length"));
}

static struct ent_slice get_sig(struct ent_unpack *in, const ent_obj *part)
{
    struct ent_slice sig = ent_get_bytes(in, part, SIG_BYTES);

    if (sig.len != SIG_BYTES)
        ent_unpack_fault(in, ENT_N_("binary of the wrong length"));
    return sig;
}

static int head_cmp(const struct ent_cut_head *a, const struct ent_cut_head *b)
{
    int cmp = memcmp(a->origin.b, b->origin.b, ENT_ID_BYTES);

    if (cmp != 0)
        return cmp;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return memcmp(a->hash.b, b->hash.b, ENT_HASH_BYTES);
}

static void out_of_order(struct ent_unpack *in)
{
    ent_unpack_fault(in, ENT_N_("a list out of order"));
}

static void get_heads(struct ent_unpack *in, const ent_obj *part,
                      struct ent_arena *arena, struct ent_roster_entry *entry)
{
    size_t count;
    const ent_obj *list = ent_get_array(in, part, 0, ENT_CUT_HEADS_MAX, &count);

    entry->heads = ENT_ARENA_NEW(arena, struct ent_cut_head, count);
    for (size_t i = 0; entry->heads != NULL && i < count; i++) {
        struct ent_cut_head *head = &entry->heads[entry->head_count++];
        size_t parts;
        const ent_obj *one = ent_get_array(in, &list[i], 4, 4, &parts);

        ent_get_bin(in, &one[0], head->origin.b, ENT_ID_BYTES);
        head->seq = ent_get_uint(in, &one[1], ENT_SEQ_MAX);
        ent_get_bin(in, &one[2], head->hash.b, ENT_HASH_BYTES);
        head->sig = get_sig(in, &one[3]);
        if (head->seq == 0)
            ent_unpack_fault(in, ENT_N_("a number out of range"));
        if (i > 0 && head_cmp(head - 1, head) >= 0)
            out_of_order(in);
        if (in->fault != NULL)
            return;
    }
}

static void get_about(struct ent_unpack *in, const ent_obj *part, size_t last,
                      struct ent_arena *arena, struct ent_roster_entry *entry)
{
    if (entry->kind == ENT_ROSTER_ROLE)
        entry->role = get_role(in, &part[3]);
    else if (entry->kind == ENT_ROSTER_REMOVE)
        entry->reason = ent_get_text(in, &part[3], ENT_NAME_BYTES_MAX);
    else if (entry->kind == ENT_ROSTER_REPLACE)
        ent_get_bin(in, &part[3], entry->next.b, ENT_KEY_BYTES);
    get_heads(in, &part[last], arena, entry);
    if (entry->kind == ENT_ROSTER_ROLE && entry->role == ENT_ROLE_EDITOR &&
        entry->head_count > 0)
        ent_unpack_fault(in, ENT_N_("a list of the wrong length"));
}

static void get_deputies(struct ent_unpack *in, const ent_obj *part,
                         struct ent_arena *arena,
                         struct ent_roster_entry *entry)
{
    size_t count;
    const ent_obj *list = ent_get_array(in, part, 0, ENT_DEPUTIES_MAX, &count);

    entry->keys = ENT_ARENA_NEW(arena, struct ent_key, count);
    for (size_t i = 0; entry->keys != NULL && i < count; i++) {
        ent_get_bin(in, &list[i], entry->keys[i].b, ENT_KEY_BYTES);
        if (i > 0 &&
            memcmp(entry->keys[i - 1].b, entry->keys[i].b, ENT_KEY_BYTES) >= 0)
            out_of_order(in);
        entry->key_count++;
    }
}

static void get_votes(struct ent_unpack *in, const ent_obj *part,
                      struct ent_arena *arena, struct ent_roster_entry *entry)
{
    size_t count;
    const ent_obj *list = ent_get_array(in, part, 1, ENT_DEPUTIES_MAX, &count);

    entry->votes = ENT_ARENA_NEW(arena, struct ent_vote, count);
    for (size_t i = 0; entry->votes != NULL && i < count; i++) {
        struct ent_vote *vote = &entry->votes[entry->vote_count++];
        size_t parts;
        const ent_obj *one = ent_get_array(in, &list[i], 2, 2, &parts);

        ent_get_bin(in, &one[0], vote->key.b, ENT_KEY_BYTES);
        vote->sig = get_sig(in, &one[1]);
        if (i > 0 && memcmp(vote[-1].key.b, vote->key.b, ENT_KEY_BYTES) >= 0)
            out_of_order(in);
    }
}

static const char *get_string(struct ent_unpack *in, const ent_obj *part,
                              size_t max, struct ent_arena *arena)
{
    struct ent_slice text = ent_get_text(in, part, max);

    if (text.len > 0 && memchr(text.at, '\0', text.len) != NULL)
        ent_unpack_fault(in, ENT_N_("a text with a zero byte"));
    text = ent_arena_copy(arena, text);
    return text.at == NULL ? "" : (const char *)text.at;
}

static void get_field(struct ent_unpack *in, const ent_obj *part,
                      struct ent_arena *arena, struct ent_field *field)
{
    static const uint32_t last[] = {ENT_TYPE_COUNT - 1, ENT_RULE_SET,
                                    ENT_LOUD_ASK, ENT_PERSONAL_YES};
    uint32_t choice[ENT_ARRAY_LEN(last)];
    const char *of;

    field->number = (uint32_t)ent_get_uint(in, &part[0], ENT_FIELD_MAX);
    field->name = get_string(in, &part[1], ENT_FIELD_NAME_MAX, arena);
    for (size_t i = 0; i < ENT_ARRAY_LEN(last); i++)
        choice[i] = (uint32_t)ent_get_uint(in, &part[2 + i], last[i]);
    field->type = (enum ent_field_type)choice[0];
    field->rule = (enum ent_rule)choice[1];
    field->loud = (enum ent_loud)choice[2];
    field->personal = (enum ent_personal)choice[3];
    of = get_string(in, &part[6], ENT_NAME_BYTES_MAX, arena);
    if (field->type == ENT_TYPE_ENUM)
        field->list = of;
    else if (field->type == ENT_TYPE_REF)
        field->targets = of;
    else if (*of != '\0')
        ent_unpack_fault(in, ENT_N_("a list of the wrong length"));
    for (int lang = 0; lang < ENT_LANG_COUNT; lang++)
        field->label[lang] =
            get_string(in, &part[7 + lang], ENT_NAME_BYTES_MAX, arena);
}

/* A definition that this program cannot follow, out of shape or of a type that
 * a newer one knows, keeps its place without effect, as it does for those that
 * know no own fields (A2). */
static void get_own_field(struct ent_unpack *in, const ent_obj *part,
                          size_t count, struct ent_arena *arena,
                          struct ent_own_field *own)
{
    if (in->fault != NULL || count < OWN_FIELD_PARTS)
        return;
    own->kind = (uint32_t)ent_get_uint(in, &part[2], ENT_FIELD_MAX);
    get_field(in, &part[3], arena, &own->field);
    if (in->fault != NULL || own->kind == 0 ||
        own->field.number <= ENT_NUMBER_SHIPPED_MAX ||
        !ent_field_name_fits(ent_slice_str(own->field.name)))
        *own = (struct ent_own_field){0};
    in->fault = NULL;
}

/* The same of an erasure that names no record. */
static void get_erase(struct ent_unpack *in, const ent_obj *part, size_t count,
                      struct ent_roster_entry *entry)
{
    if (in->fault != NULL || count < ERASE_PARTS)
        return;
    entry->erased_kind = (uint32_t)ent_get_uint(in, &part[2], ENT_FIELD_MAX);
    ent_get_bin(in, &part[3], entry->erased_id.b, ENT_ID_BYTES);
    if (in->fault != NULL)
        entry->erased_kind = 0;
    in->fault = NULL;
}

static void get_body(struct ent_unpack *in, const ent_obj *part, size_t count,
                     struct ent_arena *arena, struct ent_roster_entry *entry)
{
    size_t length = length_of(entry->kind);

    if (entry->kind == ENT_ROSTER_OWN_FIELD) {
        get_own_field(in, part, count, arena, &entry->own);
        return;
    }
    if (entry->kind == ENT_ROSTER_ERASE) {
        get_erase(in, part, count, entry);
        return;
    }
    if (length == 0)
        return;
    if (count != length) {
        ent_unpack_fault(in, ENT_N_("a list of the wrong length"));
        return;
    }
    switch (entry->kind) {
    case ENT_ROSTER_FOUND:
        get_found(in, part, entry);
        return;
    case ENT_ROSTER_DEPUTIES:
        get_deputies(in, &part[2], arena, entry);
        return;
    case ENT_ROSTER_SUCCEED:
        get_votes(in, &part[2], arena, entry);
        return;
    case ENT_ROSTER_MIN_VERSION:
        for (size_t i = 0; i < ENT_VERSION_PARTS; i++)
            entry->version.part[i] =
                (uint32_t)ent_get_uint(in, &part[2 + i], ENT_VERSION_PART_MAX);
        return;
    default:
        break;
    }
    ent_get_bin(in, &part[2], entry->member.b, ENT_KEY_BYTES);
    if (entry->kind == ENT_ROSTER_ADMIT)
        get_admit(in, part, entry);
    else
        get_about(in, part, length - 1, arena, entry);
}

int ent_roster_body_get(struct ent_slice body, struct ent_arena *arena,
                        struct ent_roster_entry *entry, struct ent_err *err)
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
    get_body(&in, part, count, arena, entry);
    rc = ent_unpack_rc(&in, ENT_N_("roster entry"), err);
    ent_unpack_fini(&in);
    if (rc == 0 && arena->rc < 0)
        rc = ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    return rc;
}
