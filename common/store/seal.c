/* seal.c - see seal.h. */
#include "store/seal.h"

#include <string.h>

#include "codec/entry.h"

void ent_seal_fini(struct ent_seal *seal)
{
    ent_buf_fini(&seal->body);
    ent_buf_fini(&seal->header);
}

void ent_seal_erase(struct ent_entry *entry, size_t i)
{
    struct ent_change *change = &entry->changes[i];
    uint8_t salts[ENT_ENTRY_CHANGES_MAX][ENT_SALT_BYTES];

    if (change->erased || !change->has_commitment)
        return;
    if (entry->has_seed) {
        ent_salts_of(entry->seed, entry->change_count, salts);
        for (size_t j = 0; j < entry->change_count; j++)
            memcpy(entry->changes[j].salt, salts[j], ENT_SALT_BYTES);
        memset(entry->seed, 0, sizeof(entry->seed));
        entry->has_seed = false;
    }
    change->commitment = ent_commitment(change->values, change->salt);
    memset(change->salt, 0, sizeof(change->salt));
    change->values = (struct ent_slice){0};
    for (size_t j = 0; j < change->op_count; j++)
        change->ops[j].value = (struct ent_value){0};
    change->erased = true;
}

int ent_seal_entry(struct ent_seal *seal, struct ent_entry *entry,
                   struct ent_hash *hash, struct ent_err *err)
{
    struct ent_change *changes = entry->changes;
    uint8_t salts[ENT_ENTRY_CHANGES_MAX][ENT_SALT_BYTES];
    struct ent_hash body;

    ENT_ASSERT(entry->change_count <= ENT_ENTRY_CHANGES_MAX);
    if (entry->has_seed)
        ent_salts_of(entry->seed, entry->change_count, salts);
    for (size_t i = 0; i < entry->change_count; i++) {
        if (entry->has_seed)
            memcpy(changes[i].salt, salts[i], ENT_SALT_BYTES);
        if (changes[i].has_commitment && !changes[i].erased)
            changes[i].commitment =
                ent_commitment(changes[i].values, changes[i].salt);
    }
    ent_buf_reset(&seal->body);
    ent_body_put(&seal->body, entry);
    body = ent_hash_of(ent_buf_slice(&seal->body));
    ent_buf_reset(&seal->header);
    ent_header_put(&seal->header, ENT_ENTRY_TAG, entry, &body);
    *hash = ent_hash_of(ent_buf_slice(&seal->header));
    if (seal->body.rc < 0 || seal->header.rc < 0)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    return 0;
}
