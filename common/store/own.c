/* own.c - see own.h. */
#include "store/own.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "secure/rand.h"
#include "store/replica.h"
#include "store/spaces.h"

static const struct ent_roster *roster_of(struct ent_store *store,
                                          int64_t space)
{
    struct ent_space_state *state;
    struct ent_err err;

    return ent_space_state(store, space, &state, &err) < 0 ? NULL
                                                           : &state->roster;
}

const struct ent_field *ent_space_field(struct ent_store *store, int64_t space,
                                        const struct ent_kind *kind,
                                        uint32_t number)
{
    const struct ent_field *field = ent_field_find(kind, number);
    const struct ent_roster *roster;

    if (ent_field_common(number) != NULL)
        return ent_field_common(number);
    if (field != NULL || number <= ENT_NUMBER_SHIPPED_MAX)
        return field;
    roster = roster_of(store, space);
    return roster == NULL ? NULL
                          : ent_roster_own_field(roster, kind->number, number);
}

const struct ent_field *ent_space_field_named(struct ent_store *store,
                                              int64_t space,
                                              const struct ent_kind *kind,
                                              const char *name)
{
    const struct ent_field *field = ent_field_named(kind, name);
    const struct ent_roster *roster;

    if (field != NULL)
        return field;
    roster = roster_of(store, space);
    return roster == NULL ? NULL
                          : ent_roster_own_named(roster, kind->number, name);
}

/* ------------------------------------------------------------------- listing
 */

static const char *copy(struct ent_arena *arena, const char *text)
{
    return text == NULL ? NULL : ent_arena_str(arena, text);
}

static void append(const struct ent_roster *roster, int64_t space,
                   struct ent_arena *arena, struct ent_own *list, size_t *count)
{
    for (size_t i = 0; i < roster->own_count; i++) {
        struct ent_own *own = &list[(*count)++];
        struct ent_field *field = &own->field;

        *own = (struct ent_own){.space = space,
                                .kind = roster->own[i]->kind,
                                .field = roster->own[i]->field};
        field->name = copy(arena, field->name);
        field->list = copy(arena, field->list);
        field->targets = copy(arena, field->targets);
        for (int lang = 0; lang < ENT_LANG_COUNT; lang++)
            field->label[lang] = copy(arena, field->label[lang]);
    }
}

int ent_own_fields(struct ent_store *store, struct ent_arena *arena,
                   struct ent_own **list, size_t *count, struct ent_err *err)
{
    struct ent_space *spaces;
    size_t space_count;
    size_t room = 1;
    int rc = ent_space_list(store, &spaces, &space_count, err);

    *count = 0;
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < space_count; i++) {
        const struct ent_roster *roster = roster_of(store, spaces[i].space);

        room += roster == NULL ? 0 : roster->own_count;
    }
    *list = ENT_ARENA_NEW(arena, struct ent_own, room);
    for (size_t i = 0; *list != NULL && i < space_count; i++) {
        const struct ent_roster *roster = roster_of(store, spaces[i].space);

        if (roster != NULL)
            append(roster, spaces[i].space, arena, *list, count);
    }
    free(spaces);
    return arena->rc < 0 ? ent_err_set(err, ENT_ENOMEM, ENT_N_("out of memory"))
                         : 0;
}

/* ----------------------------------------------------------------- defining */

static int check(const struct ent_kind *kind, const struct ent_field *field,
                 struct ent_err *err)
{
    bool of = field->type == ENT_TYPE_ENUM || field->type == ENT_TYPE_REF;
    const char *names =
        field->type == ENT_TYPE_ENUM ? field->list : field->targets;

    if (!ent_field_name_fits(ent_slice_str(field->name)))
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("\"%s\" is not a name of a-z, 0-9 and _ with "
                                  "a letter in front"),
                           field->name);
    if (ent_field_named(kind, field->name) != NULL ||
        strcmp(field->name, ent_field_common(ENT_FIELD_SAME)->name) == 0 ||
        strcmp(field->name, ent_field_common(ENT_FIELD_ARCHIVED)->name) == 0)
        return ent_err_set(err, ENT_EUSAGE, ENT_N_("%s has a field \"%s\""),
                           kind->name, field->name);
    if (of &&
        (names == NULL || *names == '\0' || strlen(names) > ENT_NAME_BYTES_MAX))
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("%s: the list or the kinds that it takes its "
                                  "values from are missing or too long"),
                           field->name);
    for (int lang = 0; lang < ENT_LANG_COUNT; lang++)
        if (field->label[lang] == NULL || field->label[lang][0] == '\0' ||
            strlen(field->label[lang]) > ENT_NAME_BYTES_MAX)
            return ent_err_set(err, ENT_EUSAGE,
                               ENT_N_("%s: a label is missing, or is longer "
                                      "than %d bytes"),
                               field->name, ENT_NAME_BYTES_MAX);
    return 0;
}

/* A number that no field has. */
static int choose_number(struct ent_store *store,
                         const struct ent_roster *roster,
                         const struct ent_kind *kind, struct ent_field *field,
                         struct ent_err *err)
{
    const struct ent_field *old =
        ent_roster_own_named(roster, kind->number, field->name);

    if (old != NULL && (old->type != field->type || old->rule != field->rule))
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("%s of this space has another type already; "
                                  "a new field needs another name"),
                           field->name);
    if (old == NULL && roster->own_count >= ENT_OWN_FIELDS_MAX)
        return ent_err_set(err, ENT_EUSAGE,
                           ENT_N_("a space may have %d fields of its own"),
                           ENT_OWN_FIELDS_MAX);
    field->number = old != NULL ? old->number : 0;
    while (field->number == 0) {
        uint32_t drawn =
            ENT_NUMBER_SHIPPED_MAX + 1 +
            (uint32_t)ent_rand_below(store->rand,
                                     ENT_FIELD_MAX - ENT_NUMBER_SHIPPED_MAX);

        if (ent_roster_own_field(roster, kind->number, drawn) == NULL)
            field->number = drawn;
    }
    return 0;
}

int ent_own_field_check(struct ent_store *store, int64_t space,
                        const struct ent_kind *kind,
                        const struct ent_field *field, struct ent_err *err)
{
    struct ent_field numbered = *field;
    struct ent_space_state *state;
    int rc = check(kind, field, err);

    if (rc == 0)
        rc = ent_space_state(store, space, &state, err);
    if (rc == 0)
        rc = choose_number(store, &state->roster, kind, &numbered, err);
    return rc;
}

int ent_own_field_define(struct ent_store *store, int64_t space,
                         const struct ent_kind *kind,
                         const struct ent_field *field, int64_t now_ms,
                         struct ent_err *err)
{
    struct ent_roster_entry entry = {.kind = ENT_ROSTER_OWN_FIELD,
                                     .time_ms = now_ms,
                                     .own = {.kind = kind->number}};
    struct ent_space_state *state;
    int rc = check(kind, field, err);

    if (rc < 0)
        return rc;
    rc = ent_store_begin(store, err);
    if (rc < 0)
        return rc;
    entry.own.field = *field;
    rc = ent_space_state(store, space, &state, err);
    if (rc == 0)
        rc = choose_number(store, &state->roster, kind, &entry.own.field, err);
    if (rc == 0)
        rc = ent_roster_write(store, &entry, NULL, &space, err);
    if (rc == 0)
        return ent_store_commit(store, NULL, err);
    ent_store_rollback(store);
    return rc;
}
