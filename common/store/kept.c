/* kept.c - see kept.h. */
#include "store/kept.h"

#include <stdlib.h>

#define KEPT_MAX 64
#define KEPT_BYTES_MAX ((size_t)256 << 10)

struct ent_kept {
    bool on;
    size_t count;
    struct ent_arena arena;
    struct ent_state states[KEPT_MAX];
};

int ent_kept_begin(struct ent_store *store, struct ent_err *err)
{
    if (store->kept == NULL)
        store->kept = calloc(1, sizeof(*store->kept));
    if (store->kept == NULL)
        return ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"));
    ENT_ASSERT(store->kept->count == 0);
    store->kept->on = true;
    return 0;
}

static void forget(struct ent_kept *kept)
{
    kept->count = 0;
    ent_arena_reset(&kept->arena);
}

static int save_all(struct ent_store *store, struct ent_err *err)
{
    struct ent_kept *kept = store->kept;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < kept->count; i++)
        rc = ent_state_save(store, &kept->states[i], err);
    forget(kept);
    return rc;
}

int ent_kept_end(struct ent_store *store, struct ent_err *err)
{
    store->kept->on = false;
    return save_all(store, err);
}

void ent_kept_drop(struct ent_store *store)
{
    if (store->kept == NULL)
        return;
    store->kept->on = false;
    forget(store->kept);
}

void ent_kept_free(struct ent_store *store)
{
    if (store->kept != NULL)
        ent_arena_fini(&store->kept->arena);
    free(store->kept);
    store->kept = NULL;
}

bool ent_kept_on(const struct ent_store *store)
{
    return store->kept != NULL && store->kept->on;
}

struct ent_state *ent_kept_find(struct ent_store *store, int64_t space,
                                uint32_t kind, const struct ent_id *id)
{
    struct ent_kept *kept = store->kept;

    for (size_t i = 0; i < kept->count; i++) {
        struct ent_state *state = &kept->states[i];

        if (ent_id_equal(&state->id, id) && state->kind == kind &&
            state->space == space)
            return state;
    }
    return NULL;
}

/* A record of which one field was loaded, and more is needed now. */
static int load_whole(struct ent_store *store, struct ent_state *state,
                      struct ent_err *err)
{
    struct ent_kept *kept = store->kept;
    const struct ent_id id = state->id;
    int rc = ent_state_save(store, state, err);

    if (rc == 0)
        rc = ent_state_load(store, state->space, state->kind, &id, NULL,
                            &kept->arena, state, err);
    state->outlives = true;
    return rc;
}

int ent_kept_get(struct ent_store *store, int64_t space, uint32_t kind,
                 const struct ent_id *id, const struct ent_field *one,
                 struct ent_state **state, struct ent_err *err)
{
    struct ent_kept *kept = store->kept;
    int rc = 0;

    if (kept->count == KEPT_MAX ||
        ent_arena_bytes(&kept->arena) > KEPT_BYTES_MAX)
        rc = save_all(store, err);
    if (rc < 0)
        return rc;
    *state = ent_kept_find(store, space, kind, id);
    if (*state != NULL && ((*state)->one == NULL || (*state)->one == one))
        return 0;
    if (*state != NULL)
        return load_whole(store, *state, err);
    *state = &kept->states[kept->count];
    rc = ent_state_load(store, space, kind, id, one, &kept->arena, *state, err);
    (*state)->outlives = true;
    if (rc == 0)
        kept->count++;
    return rc;
}
