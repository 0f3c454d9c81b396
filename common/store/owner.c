/* owner.c - whose an owned record is: its id says so (rule M9). */
#include <string.h>

#include "model/kind.h"
#include "secure/hash.h"
#include "store/replica.h"

#define HEAD_BYTES 8 /* of the id: what its author chose */

void ent_owner_put(const struct ent_id *space, const struct ent_key *author,
                   struct ent_id *id)
{
    uint8_t message[ENT_ID_BYTES + ENT_KEY_BYTES + HEAD_BYTES];
    struct ent_hash8 tail;

    memcpy(message, space->b, ENT_ID_BYTES);
    memcpy(message + ENT_ID_BYTES, author->b, ENT_KEY_BYTES);
    memcpy(message + ENT_ID_BYTES + ENT_KEY_BYTES, id->b, HEAD_BYTES);
    tail = ent_hash8_of(ent_slice(message, sizeof(message)));
    memcpy(id->b + HEAD_BYTES, tail.b, ENT_HASH8_BYTES);
    /* The variant bits of a UUID. */
    id->b[HEAD_BYTES] = (uint8_t)((id->b[HEAD_BYTES] & 0x3f) | 0x80);
}

static bool is_of(const struct ent_id *space, const struct ent_key *key,
                  const struct ent_id *id)
{
    struct ent_id made = *id;

    ent_owner_put(space, key, &made);
    return ent_id_equal(&made, id);
}

bool ent_owner_may_change(const struct ent_space_state *space,
                          const struct ent_key *key, uint32_t kind,
                          const struct ent_id *id)
{
    const struct ent_roster_person *who;

    if (!ent_kind_is_owned(kind) || is_of(&space->id, key, id))
        return true;
    who = ent_roster_person(&space->roster, key);
    while (who != NULL && who->was != NULL) {
        who = who->was;
        if (is_of(&space->id, &who->key, id))
            return true;
    }
    return false;
}
