/* met.c - whether a replica that began a fresh origin knows by now what others
 * know of a roster: until then its chair must not write there, or two entries
 * would follow one (A2). Kept in local_node: "unmet" is the origin it began,
 * "met-" and the id of a space the one under which it met somebody there. */
#include <stdio.h>
#include <string.h>

#include "store/members.h"
#include "store/replica.h"

#define MET_KEY 64

static void met_key(const struct ent_id *space, char key[MET_KEY])
{
    char hex[2 * ENT_ID_BYTES + 1];

    ent_hex_put(hex, space->b, ENT_ID_BYTES);
    snprintf(key, MET_KEY, "met-%s", hex);
}

/* Whether a meeting is due, and under which origin. */
static int read_due(struct ent_store *store, const struct ent_id *space,
                    char origin[2 * ENT_ID_BYTES + 1], bool *due,
                    struct ent_err *err)
{
    char key[MET_KEY];
    char met[2 * ENT_ID_BYTES + 1];
    int rc = ent_node_get(store, "unmet", origin, 2 * ENT_ID_BYTES + 1, err);

    *due = false;
    if (rc < 0 || origin[0] == '\0')
        return rc;
    met_key(space, key);
    rc = ent_node_get(store, key, met, sizeof(met), err);
    *due = strcmp(met, origin) != 0;
    return rc;
}

static bool has_others(const struct ent_store *store,
                       const struct ent_roster *roster)
{
    for (size_t i = 0; i < roster->member_count; i++)
        if (!ent_key_equal(&roster->members[i].key, &store->keys.public) &&
            !ent_roster_suspended(roster, &roster->members[i].key))
            return true;
    return false;
}

int ent_space_unmet(struct ent_store *store, int64_t space, bool *unmet,
                    struct ent_err *err)
{
    char origin[2 * ENT_ID_BYTES + 1];
    struct ent_space_state *state;
    int rc = ent_space_state(store, space, &state, err);

    *unmet = false;
    if (rc == 0)
        rc = read_due(store, &state->id, origin, unmet, err);
    *unmet = rc == 0 && *unmet && has_others(store, &state->roster);
    return rc;
}

int ent_space_keep_met(struct ent_store *store, int64_t space,
                       struct ent_err *err)
{
    char origin[2 * ENT_ID_BYTES + 1];
    char key[MET_KEY];
    struct ent_space_state *state;
    bool due;
    int rc = ent_space_state(store, space, &state, err);

    if (rc == 0)
        rc = read_due(store, &state->id, origin, &due, err);
    if (rc < 0 || !due)
        return rc;
    met_key(&state->id, key);
    return ent_node_set(store, key, origin, err);
}

int ent_space_met(struct ent_store *store, int64_t space, struct ent_err *err)
{
    bool unmet;
    int rc = ent_space_unmet(store, space, &unmet, err);

    if (rc < 0 || !unmet)
        return rc;
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    rc = ent_space_keep_met(store, space, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}

int ent_space_check_met(struct ent_store *store, int64_t space,
                        struct ent_err *err)
{
    bool unmet;
    int rc = ent_space_unmet(store, space, &unmet, err);

    if (rc < 0 || !unmet)
        return rc;
    return ent_err_set(err, ENT_EDENIED,
                       ENT_N_("this replica was put back, copied or moved, and "
                              "others may know of later decisions about the "
                              "members: exchange with a member of the space "
                              "first (\"entente sync\"), then decide"));
}
