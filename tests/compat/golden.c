/* golden.c - the format in fixed bytes, so that it cannot change unnoticed.
 * A small history made from fixed keys and seeds is written out in hex: of each
 * entry the hashed header and body, the packed form, hash and signature; of
 * each roster entry header, body, hash and signature. The files in golden/ were
 * written once and are compared at each run, both ways: what is made now must
 * be those bytes, and those bytes must be read as what is made now.
 *
 *   golden DIR            compare
 *   golden DIR --write    write the files; only for a new format version */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/entry.h"
#include "codec/roster.h"
#include "model/roster.h"
#include "secure/keys.h"
#include "store/seal.h"

#define ENTRIES_MAX 16
#define TIME_MS INT64_C(1528704000000) /* 2018-06-11 08:00 UTC */

/* One thing with fixed bytes. */
struct piece {
    const char *name; /* its file */
    struct ent_buf lines;
};

static struct piece pieces[ENTRIES_MAX];
static size_t piece_count;

static struct ent_keys ann, bob;
static struct ent_id space;
static struct ent_id ann_origin = {{0xa0, 1, 2, 3}};
static struct ent_id bob_origin = {{0xb0, 1, 2, 3}};
static struct ent_roster_entry roster_head;

/* What was written, for later entries to name. */
struct made {
    struct ent_entry entry;
    struct ent_hash hash;
};

static void put_line(struct piece *piece, const char *what,
                     struct ent_slice bytes)
{
    struct ent_buf *to = &piece->lines;
    size_t len = 2 * bytes.len + 1;
    char *hex = malloc(len);

    ENT_ASSERT(hex != NULL);
    ent_hex_put(hex, bytes.at, bytes.len);
    ent_buf_printf(to, "%s ", what);
    ent_buf_put_str(to, hex);
    ent_buf_put_u8(to, '\n');
    free(hex);
}

static struct piece *new_piece(const char *name)
{
    struct piece *piece = &pieces[piece_count++];

    ENT_ASSERT(piece_count <= ENTRIES_MAX);
    piece->name = name;
    return piece;
}

static struct ent_slice hash_slice(const struct ent_hash *hash)
{
    return ent_slice(hash->b, ENT_HASH_BYTES);
}

/* ------------------------------------------------------------------- roster */

static void write_roster(const char *name, struct ent_roster_entry *entry)
{
    struct piece *piece = new_piece(name);
    struct ent_buf header = {0};
    struct ent_buf body = {0};
    struct ent_entry head = {.author = ann.public,
                             .seq = roster_head.pos + 1,
                             .prev = roster_head.hash,
                             .time_ms = TIME_MS};
    struct ent_roster_entry back = {0};
    struct ent_arena arena = {0};
    struct ent_hash body_hash;
    struct ent_sig sig;
    int rc;

    entry->term = 1;
    entry->pos = head.seq;
    if (entry->pos > 1)
        head.space = space;
    ent_roster_body_put(&body, entry);
    body_hash = ent_hash_of(ent_buf_slice(&body));
    ent_header_put(&header, ENT_ROSTER_TAG, &head, &body_hash);
    entry->hash = ent_hash_of(ent_buf_slice(&header));
    if (entry->pos == 1)
        memcpy(space.b, entry->hash.b, ENT_ID_BYTES);
    ent_sign(&ann, ent_buf_slice(&header), &sig);
    put_line(piece, "header", ent_buf_slice(&header));
    put_line(piece, "signature", ent_slice(sig.b, ENT_SIG_BYTES));
    put_line(piece, "body", ent_buf_slice(&body));
    put_line(piece, "hash", hash_slice(&entry->hash));
    rc = ent_roster_body_get(ent_buf_slice(&body), &arena, &back, NULL);
    ENT_ASSERT(rc == 0 && back.kind == entry->kind &&
               ent_slice_equal(back.org, entry->org));
    ent_arena_fini(&arena);
    roster_head = *entry;
    ent_buf_fini(&header);
    ent_buf_fini(&body);
}

static void write_rosters(void)
{
    struct ent_roster_entry found = {.kind = ENT_ROSTER_FOUND,
                                     .org = ent_slice_str("Ministère"),
                                     .title_en = ent_slice_str("Planning"),
                                     .title_fr = ent_slice_str("Planification"),
                                     .nonce = {1, 2, 3}};
    struct ent_roster_entry admit = {.kind = ENT_ROSTER_ADMIT,
                                     .member = bob.public,
                                     .role = ENT_ROLE_EDITOR,
                                     .org = ent_slice_str("Office")};
    struct ent_roster_entry invited = {.kind = ENT_ROSTER_ADMIT,
                                       .member = {{0xcc}},
                                       .role = ENT_ROLE_READER,
                                       .org = ent_slice_str("Headquarters"),
                                       .invite = {{1, 2, 3, 4, 5, 6, 7, 8}}};

    struct ent_roster_entry head;
    struct ent_roster_entry own = {
        .kind = ENT_ROSTER_OWN_FIELD,
        .own = {.kind = 3,
                .field = {.number = 1234567890,
                          .name = "radio",
                          .type = ENT_TYPE_ENUM,
                          .loud = ENT_LOUD_ASK,
                          .personal = ENT_PERSONAL_INDIRECT,
                          .list = "role",
                          .label = {"Radio", "Indicatif radio"}}}};

    write_roster("roster-1-found", &found);
    write_roster("roster-2-admit", &admit);
    write_roster("roster-3-admit-invited", &invited);
    /* The entries that follow name the third one: their files stay. */
    head = roster_head;
    write_roster("roster-4-own-field", &own);
    roster_head = head;
}

/* ------------------------------------------------------------------ entries */

static void put_forms(struct piece *piece, const char *packed_name,
                      struct made *made, const struct ent_keys *keys)
{
    struct ent_seal seal = {0};
    struct ent_buf packed = {0};
    struct ent_arena arena = {0};
    struct ent_entry back = {.space = made->entry.space,
                             .author = made->entry.author,
                             .origin = made->entry.origin,
                             .seq = made->entry.seq,
                             .prev = made->entry.prev};
    struct ent_hash again;
    struct ent_sig sig;
    int rc = ent_seal_entry(&seal, &made->entry, &made->hash, NULL);

    ENT_ASSERT(rc == 0 && ent_entry_fault(&made->entry) == NULL);
    ent_sign(keys, ent_buf_slice(&seal.header), &sig);
    ent_entry_put(&packed, &made->entry);
    put_line(piece, "header", ent_buf_slice(&seal.header));
    put_line(piece, "signature", ent_slice(sig.b, ENT_SIG_BYTES));
    put_line(piece, "body", ent_buf_slice(&seal.body));
    put_line(piece, packed_name, ent_buf_slice(&packed));
    put_line(piece, "hash", hash_slice(&made->hash));
    /* Reading is as fixed as writing. */
    rc = ent_entry_get(ent_buf_slice(&packed), &arena, &back, NULL);
    ENT_ASSERT(rc == 0);
    rc = ent_seal_entry(&seal, &back, &again, NULL);
    ENT_ASSERT(rc == 0 && ent_hash_equal(&again, &made->hash));
    ent_arena_fini(&arena);
    ent_buf_fini(&packed);
    ent_seal_fini(&seal);
}

/* Write `changes` as the next entry of one log; `changes` stays with `made`.
 * `before` is NULL for the first. */
static void write_entry(const char *name, const struct ent_keys *keys,
                        const struct made *before, const struct ent_ref *refs,
                        size_t ref_count, struct ent_change *changes,
                        size_t change_count, struct made *made)
{
    static uint8_t count;
    struct ent_entry *entry = &made->entry;

    count++;
    *entry = (struct ent_entry){
        .space = space,
        .author = keys->public,
        .origin = keys == &ann ? ann_origin : bob_origin,
        .seq = before == NULL ? 1 : before->entry.seq + 1,
        .roster_pos = roster_head.pos,
        .roster_hash = ent_hash_head(&roster_head.hash),
        .time_ms = TIME_MS + 60000 * count,
        .refs = refs,
        .ref_count = ref_count,
        .changes = changes,
        .change_count = change_count,
        .has_seed = true,
        .seed = {count, 0x5e, 0xed},
    };
    if (before != NULL)
        entry->prev = before->hash;
    put_forms(new_piece(name), "packed", made, keys);
}

static struct ent_ref ref_to(const struct made *made)
{
    return (struct ent_ref){.origin = made->entry.origin,
                            .seq = made->entry.seq,
                            .hash = ent_hash_head(&made->hash)};
}

static struct ent_change change_of(uint32_t kind, uint8_t id,
                                   struct ent_op *ops, size_t op_count,
                                   struct ent_buf *values)
{
    struct ent_change change = {.kind = kind,
                                .id = {{0x01, 0x97, 0xf0, id}},
                                .ops = ops,
                                .op_count = op_count};

    change.has_commitment = ent_values_put(values, ops, op_count) > 0;
    change.values = ent_buf_slice(values);
    return change;
}

static struct ent_value text(const char *of)
{
    return ent_value_text(ent_slice_str(of));
}

#define PLAN 8
#define GROUP 2

static void write_entries(void)
{
    static const struct ent_seen first[] = {{.ref = 0}};
    static const struct ent_seen second[] = {{.ref = 1}};
    static const struct ent_seen both[] = {{.ref = 0}, {.ref = 1}};
    static const struct ent_seen element[] = {{.ref = 0, .ordinal = 1}};
    static const uint8_t place[ENT_ID_BYTES] = {0x01, 0x97, 0xf0, 0x02};
    struct made made[8];
    struct ent_buf values[10] = {{0}};
    struct ent_ref refs[2];

    /* Ann creates a plan and the group it belongs to. */
    struct ent_op group_ops[] = {
        {.code = ENT_OP_LIVE},
        {.code = ENT_OP_WRITE, .field = 1, .value = text("grp-bdi")},
        {.code = ENT_OP_ADD, .field = 4, .value = text("fr")},
        {.code = ENT_OP_ADD, .field = 4, .value = text("rn")}};
    struct ent_op plan_ops[] = {
        {.code = ENT_OP_LIVE},
        {.code = ENT_OP_WRITE, .field = 1, .value = text("pln-1")},
        {.code = ENT_OP_WRITE, .field = 2, .value = text("Élèves à l’école")},
        {.code = ENT_OP_WRITE, .field = 3, .value = ent_value_int(-129)},
        {.code = ENT_OP_WRITE,
         .field = 4,
         .value = ent_value_decimal(1234567, 2)},
        {.code = ENT_OP_WRITE, .field = 5, .value = ent_value_bool(true)},
        {.code = ENT_OP_WRITE,
         .field = 6,
         .value = ent_value_bytes(ent_slice(place, sizeof(place)))},
        {.code = ENT_OP_WRITE, .field = 70000, .value = ent_value_nil()}};
    struct ent_change created[] = {
        change_of(GROUP, 2, group_ops, ENT_ARRAY_LEN(group_ops), &values[0]),
        change_of(PLAN, 1, plan_ops, ENT_ARRAY_LEN(plan_ops), &values[1])};

    write_entry("entry-1-creation", &ann, NULL, NULL, 0, created, 2, &made[0]);

    /* Ann changes what she wrote: life and field name one own entry. */
    refs[0] = ref_to(&made[0]);
    struct ent_op own_ops[] = {
        {.code = ENT_OP_LIVE, .seen = first, .seen_count = 1},
        {.code = ENT_OP_WRITE,
         .field = 3,
         .seen = first,
         .seen_count = 1,
         .value = ent_value_int(4294967296)}};
    struct ent_change own[] = {change_of(PLAN, 1, own_ops, 2, &values[2])};

    write_entry("entry-2-update-own", &ann, &made[0], refs, 1, own, 1,
                &made[1]);

    /* Bob saw both and replaces one field of each. */
    refs[1] = ref_to(&made[1]);
    struct ent_op foreign_ops[] = {
        {.code = ENT_OP_LIVE, .seen = second, .seen_count = 1},
        {.code = ENT_OP_WRITE,
         .field = 2,
         .seen = first,
         .seen_count = 1,
         .value = text("")},
        {.code = ENT_OP_WRITE,
         .field = 3,
         .seen = both,
         .seen_count = 2,
         .value = ent_value_nil()}};
    struct ent_change foreign[] = {
        change_of(PLAN, 1, foreign_ops, 3, &values[3])};

    write_entry("entry-3-update-foreign", &bob, NULL, refs, 2, foreign, 1,
                &made[2]);

    /* Bob adds to a set and takes an element away that Ann had added. */
    struct ent_op set_ops[] = {
        {.code = ENT_OP_LIVE, .seen = first, .seen_count = 1},
        {.code = ENT_OP_ADD, .field = 4, .value = text("sw")},
        {.code = ENT_OP_REMOVE, .field = 4, .seen = element, .seen_count = 1}};
    struct ent_change set[] = {change_of(GROUP, 2, set_ops, 3, &values[4])};

    write_entry("entry-4-set", &bob, &made[2], refs, 1, set, 1, &made[3]);

    /* Ann deletes the group: no value, no commitment. */
    refs[1] = ref_to(&made[3]);
    struct ent_op dead_ops[] = {
        {.code = ENT_OP_DEAD, .seen = both, .seen_count = 2}};
    struct ent_change dead[] = {change_of(GROUP, 2, dead_ops, 1, &values[5])};

    write_entry("entry-5-delete", &ann, &made[1], refs, 2, dead, 1, &made[4]);

    /* The creation again, once the group's values were erased: the hash stays,
     * the seed gives way to the salts that are left. */
    made[0].entry.has_seed = false;
    created[0].erased = true;
    memset(created[0].salt, 0, sizeof(created[0].salt));
    put_forms(new_piece("entry-1-erased"), "packed", &made[0], &ann);
    for (size_t i = 0; i < ENT_ARRAY_LEN(values); i++)
        ent_buf_fini(&values[i]);
}

/* -------------------------------------------------------------------- files */

static int write_file(const char *path, const struct ent_buf *lines)
{
    FILE *file = fopen(path, "wxe");

    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    fwrite(lines->at, 1, lines->len, file);
    return fclose(file) == 0 ? 0 : 1;
}

/* The first line that differs is told by its name. */
static int compare_file(const char *path, struct ent_buf *lines)
{
    FILE *file = fopen(path, "re");
    char *want = NULL;
    size_t size = 0;
    const char *have = ent_buf_cstr(lines);
    int differs = 0;

    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    while (!differs && getline(&want, &size, file) > 0) {
        size_t len = strlen(want);

        differs = strncmp(have, want, len) != 0;
        if (differs)
            fprintf(stderr, "%s: %.*s is no longer what it was\n", path,
                    (int)strcspn(want, " "), want);
        else
            have += len;
    }
    if (!differs && *have != '\0') {
        fprintf(stderr, "%s: too short\n", path);
        differs = 1;
    }
    free(want);
    fclose(file);
    return differs;
}

int main(int argc, char **argv)
{
    static const uint8_t ann_seed[32] = {0xa};
    static const uint8_t bob_seed[32] = {0xb};
    bool writes = argc == 3 && strcmp(argv[2], "--write") == 0;
    int failed = 0;
    char path[1024];

    if (argc != 2 && !writes) {
        fprintf(stderr, "usage: golden DIR [--write]\n");
        return 2;
    }
    if (ent_secure_init(NULL) < 0)
        return 1;
    ent_keys_from_seed(&ann, ann_seed);
    ent_keys_from_seed(&bob, bob_seed);
    write_rosters();
    write_entries();
    for (size_t i = 0; i < piece_count; i++) {
        snprintf(path, sizeof(path), "%s/%s.hex", argv[1], pieces[i].name);
        failed |= writes ? write_file(path, &pieces[i].lines)
                         : compare_file(path, &pieces[i].lines);
        ent_buf_fini(&pieces[i].lines);
    }
    return failed;
}
