/* erase_show.c - what erasing a record would do, and how far it has come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/erase.h"
#include "cli/label.h"
#include "cli/look.h"
#include "cli/pick.h"
#include "cli/same.h"
#include "store/peers.h"
#include "store/query.h"

/* ------------------------------------------------------------------ preview */

static void preview_columns(struct out *out)
{
    out_list_begin(out);
    out_column(out, "what", _("what"), OUT_TEXT);
    out_column(out, "kind", _("kind"), OUT_TEXT);
    out_column(out, "id", _("id"), OUT_TEXT);
    out_column(out, "code", _("code"), OUT_TEXT);
    out_column(out, "field", _("field"), OUT_TEXT);
}

/* A word for programs and its sense for people, to be translated. */
struct word {
    const char *code;
    const char *label;
};

static const struct word word_record = {"record", N_("would be erased")};
static const struct word word_same = {"same",
                                      N_("stays, shown as one with it")};
static const struct word word_reference = {"reference", N_("stays, names it")};
static const struct word word_erased = {"erased", N_("erased")};
static const struct word word_beyond = {"beyond_cut", N_("beyond a cut")};
static const struct word word_asked = {"asked", N_("asked for")};

static const char *said(const struct cmd_ctx *ctx, const struct word *word)
{
    return look_for_program(ctx) ? word->code : _(word->label);
}

static void put_row(struct cmd_ctx *ctx, const struct word *what,
                    const struct ent_kind *kind, const struct ent_id *id,
                    const char *code, const struct ent_field *field)
{
    bool program = look_for_program(ctx);
    char text[ENT_ID_TEXT];

    out_row(ctx->out);
    out_cell(ctx->out, said(ctx, what));
    out_cell(ctx->out, program ? kind->name : look_kind_label(ctx, kind));
    out_cell(ctx->out, look_id(ctx, id, text));
    out_cell(ctx->out, code != NULL && *code != '\0' ? code : NULL);
    if (field != NULL)
        out_cell(ctx->out,
                 program ? field->name : look_field_label(ctx, field));
}

static int put_record(struct cmd_ctx *ctx, const struct word *what,
                      const struct ent_record_ref *ref,
                      const struct ent_kind *kind)
{
    struct ent_record record = {0};
    struct ent_buf code = {0};
    int rc = ent_record_read(ctx->store, ref, &record, &ctx->err);

    if (rc == 0) {
        look_put(&record, ENT_FIELD_CODE, &code);
        put_row(ctx, what, kind, &ref->id, ent_buf_cstr(&code), NULL);
    }
    ent_buf_fini(&code);
    ent_record_fini(&record);
    return rc;
}

/* What is shown as one with it stays. */
static int put_same(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                    const struct ent_kind *kind, struct ent_arena *arena)
{
    struct ent_record_ref *members;
    size_t count = 0;
    int rc = same_members(ctx, ref, arena, &members, &count);

    for (size_t i = 0; rc == 0 && i < count; i++)
        if (!ent_id_equal(&members[i].id, &ref->id))
            rc = put_record(ctx, &word_same, &members[i], kind);
    return rc;
}

static bool targets(const struct ent_field *field, const struct ent_kind *kind)
{
    size_t len = strlen(kind->name);
    const char *at = field->targets;

    while (at != NULL && *at != '\0') {
        size_t part = strcspn(at, "|");

        if (part == len && strncmp(at, kind->name, len) == 0)
            return true;
        at += part + (at[part] == '|');
    }
    return false;
}

/* Records of one kind that name it in one field; they stay, and lead nowhere.
 */
static int put_references(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                          const char *code, const struct ent_kind *kind,
                          const struct ent_field *field)
{
    struct ent_query *query = NULL;
    struct ent_buf sql = {0};
    char id[ENT_ID_TEXT];
    struct ent_id from;
    int rc;

    ent_buf_printf(&sql,
                   "SELECT ent_uuid(id), code FROM main.\"%s\""
                   " WHERE space = :space AND ",
                   kind->table);
    ent_buf_printf(&sql,
                   field->rule == ENT_RULE_SET
                       ? "EXISTS (SELECT 1 FROM json_each(\"%s\")"
                         " WHERE value IN (:id, :code))"
                       : "\"%s\" IN (:id, :code)",
                   field->name);
    ent_buf_put_str(&sql, " ORDER BY code, id");
    rc =
        ent_buf_cstr(&sql) == NULL
            ? cmd_no_memory(ctx)
            : ent_query_open(ctx->store, ent_buf_cstr(&sql), &query, &ctx->err);
    ent_buf_fini(&sql);
    if (rc < 0)
        return rc;
    ent_id_text(&ref->id, id);
    ent_query_bind_int(query, ":space", ref->space);
    ent_query_bind(query, ":id", id);
    ent_query_bind(query, ":code", code);
    while ((rc = ent_query_next(query, &ctx->err)) > 0)
        if (ent_id_parse(ent_query_text(query, 0), &from))
            put_row(ctx, &word_reference, kind, &from, ent_query_text(query, 1),
                    field);
    ent_query_close(query);
    return rc;
}

static int put_all_references(struct cmd_ctx *ctx,
                              const struct ent_record_ref *ref,
                              const char *code, const struct ent_kind *of)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < ctx->kinds.count; i++) {
        const struct ent_kind *kind = &ctx->kinds.kinds[i];

        for (size_t j = 0; rc == 0 && j < kind->field_count; j++)
            if (kind->fields[j].type == ENT_TYPE_REF &&
                targets(&kind->fields[j], of))
                rc = put_references(ctx, ref, code, kind, &kind->fields[j]);
    }
    return rc;
}

static int remark_writes(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                         struct ent_arena *arena)
{
    struct ent_history *items;
    size_t count = 0;
    size_t values = 0;
    int rc =
        ent_record_history(ctx->store, ref, arena, &items, &count, &ctx->err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++)
        values += items[i].has_value;
    out_remark(ctx->out,
               ngettext("%zu value would go from every node, for good, with "
                        "all that was there before it.",
                        "%zu values would go from every node, for good, with "
                        "all that were there before them.",
                        (unsigned long)values),
               values);
    return 0;
}

static void remark_who(struct cmd_ctx *ctx, const struct ent_record_ref *ref)
{
    enum ent_may_erase may;

    if (ent_may_erase(ctx->store, ref, &may, &ctx->err) < 0)
        return;
    switch (may) {
    case ENT_MAY_ERASE_CHAIR:
        out_remark(ctx->out, "%s", _("This node may do it, as the chair."));
        break;
    case ENT_MAY_ERASE_OWN:
        out_remark(ctx->out, "%s", _("This node may do it, as the owner."));
        break;
    case ENT_MAY_ERASE_ASK:
        out_remark(ctx->out, "%s", _("The chair would be asked to do it."));
        break;
    case ENT_MAY_ERASE_NOT:
        out_remark(ctx->out, "%s", _("Only the chair may do it."));
        break;
    }
}

int erase_preview(struct cmd_ctx *ctx, const struct ent_record_ref *ref,
                  const struct ent_kind *kind)
{
    struct ent_arena arena = {0};
    struct ent_record record = {0};
    struct ent_buf code = {0};
    int rc = ent_record_read(ctx->store, ref, &record, &ctx->err);

    if (rc < 0)
        return rc;
    look_put(&record, ENT_FIELD_CODE, &code);
    ent_record_fini(&record);
    preview_columns(ctx->out);
    put_row(ctx, &word_record, kind, &ref->id, ent_buf_cstr(&code), NULL);
    rc = put_same(ctx, ref, kind, &arena);
    if (rc == 0)
        rc = put_all_references(
            ctx, ref, code.len > 0 ? ent_buf_cstr(&code) : NULL, kind);
    out_list_end(ctx->out);
    if (rc == 0)
        rc = remark_writes(ctx, ref, &arena);
    if (rc == 0)
        remark_who(ctx, ref);
    ent_buf_fini(&code);
    ent_arena_fini(&arena);
    return rc;
}

/* ------------------------------------------------------------------- status */

/* When a node last said what it holds; 0: never. */
static int64_t heard_of(const struct ent_holding *list, size_t count,
                        const struct ent_key *key)
{
    for (size_t i = 0; i < count; i++)
        if (ent_key_equal(&list[i].key, key))
            return list[i].claimed_ms;
    return 0;
}

static int put_member(struct cmd_ctx *ctx, const struct ent_erasure *erasure,
                      const struct ent_member *member, int64_t heard,
                      size_t *confirmed)
{
    bool self =
        ent_key_equal(&member->key, &ent_store_keys(ctx->store)->public);
    char key[LABEL_KEY_TEXT];
    char when[LOOK_TIME_TEXT];
    int rc;

    /* What this node says of itself it says at its next session. */
    if (self) {
        rc = ent_store_scrub_due(ctx->store, &ctx->err);
        rc = rc < 0 ? rc : rc == 0;
    } else {
        rc =
            ent_erasure_confirmed(ctx->store, erasure, &member->key, &ctx->err);
    }
    if (rc < 0)
        return rc;
    *confirmed += (size_t)rc;
    out_row(ctx->out);
    out_cell(ctx->out, member->org);
    out_cell(ctx->out, label_key(ctx, &member->key, key));
    out_cell(ctx->out, label_role(ctx, member->role));
    out_cell(ctx->out, rc > 0 ? "1" : "0");
    out_cell(ctx->out, label_when(ctx, self ? ctx->now_ms : heard, when));
    return 0;
}

static void remark_erasure(struct cmd_ctx *ctx,
                           const struct ent_erasure *erasure, size_t confirmed,
                           size_t members)
{
    char when[LOOK_TIME_TEXT];
    char text[24];

    look_time(ctx, erasure->claimed_ms, when);
    out_remark(ctx->out, _("Erased by %s on %s; carried out by %zu of %zu."),
               look_org(ctx, &erasure->by, text), when, confirmed, members);
    if (erasure->late > 0)
        out_remark(ctx->out,
                   ngettext("%lld write that came later was dropped here.",
                            "%lld writes that came later were dropped here.",
                            (unsigned long)erasure->late),
                   (long long)erasure->late);
}

int erase_status(struct cmd_ctx *ctx, const struct ent_erasure *erasure)
{
    struct ent_member *members = NULL;
    struct ent_holding *holdings = NULL;
    size_t member_count = 0;
    size_t count = 0;
    size_t confirmed = 0;
    size_t asked = 0;
    int rc = ent_member_list(ctx->store, erasure->space, &members,
                             &member_count, &ctx->err);

    if (rc == 0)
        rc = ent_holding_list(ctx->store, erasure->space, &holdings, &count,
                              &ctx->err);
    if (rc < 0)
        goto out;
    out_list_begin(ctx->out);
    out_column(ctx->out, "org", _("organisation"), OUT_TEXT);
    out_column(ctx->out, "key", _("key"), OUT_TEXT);
    out_column(ctx->out, "role", _("role"), OUT_TEXT);
    out_column(ctx->out, "confirmed", _("carried out"), OUT_BOOL);
    out_column(ctx->out, "heard", _("last heard of"), OUT_TEXT);
    for (size_t i = 0; rc == 0 && i < member_count; i++) {
        asked += members[i].role != ENT_ROLE_NONE;
        rc = put_member(ctx, erasure, &members[i],
                        heard_of(holdings, count, &members[i].key), &confirmed);
    }
    out_list_end(ctx->out);
    if (rc == 0)
        remark_erasure(ctx, erasure, confirmed, asked);
out:
    free(members);
    free(holdings);
    return rc;
}

/* ---------------------------------------------------------------------- all */

static void all_columns(struct out *out)
{
    out_list_begin(out);
    out_column(out, "state", _("state"), OUT_TEXT);
    out_column(out, "kind", _("kind"), OUT_TEXT);
    out_column(out, "id", _("id"), OUT_TEXT);
    out_column(out, "space", _("space"), OUT_TEXT);
    out_column(out, "by", _("by"), OUT_TEXT);
    out_column(out, "at", _("when"), OUT_TEXT);
    out_column(out, "confirmed", _("carried out"), OUT_NUMBER);
    out_column(out, "members", _("members"), OUT_NUMBER);
    out_column(out, "late", _("late"), OUT_NUMBER);
}

static void put_head(struct cmd_ctx *ctx, const struct word *state,
                     uint32_t number, const struct ent_id *id, int64_t space)
{
    const struct ent_kind *kind = ent_kind_find(&ctx->kinds, number);
    bool program = look_for_program(ctx);
    char text[ENT_ID_TEXT];
    char digits[16];

    snprintf(digits, sizeof(digits), "%u", (unsigned)number);
    out_row(ctx->out);
    out_cell(ctx->out, said(ctx, state));
    out_cell(ctx->out, kind == NULL ? digits
                       : program    ? kind->name
                                    : look_kind_label(ctx, kind));
    out_cell(ctx->out, look_id(ctx, id, text));
    out_cell(ctx->out, pick_handle(ctx, space));
}

static int put_erasure(struct cmd_ctx *ctx, const struct ent_erasure *erasure)
{
    struct ent_member *members = NULL;
    size_t count = 0;
    size_t asked = 0;
    size_t confirmed = 0;
    char when[LOOK_TIME_TEXT];
    char text[24];
    int due = ent_store_scrub_due(ctx->store, &ctx->err);
    int rc = due < 0 ? due
                     : ent_member_list(ctx->store, erasure->space, &members,
                                       &count, &ctx->err);

    for (size_t i = 0; rc >= 0 && i < count; i++) {
        if (members[i].role == ENT_ROLE_NONE)
            continue;
        asked++;
        rc = ent_key_equal(&members[i].key, &ent_store_keys(ctx->store)->public)
                 ? due == 0
                 : ent_erasure_confirmed(ctx->store, erasure, &members[i].key,
                                         &ctx->err);
        confirmed += rc > 0;
    }
    free(members);
    if (rc < 0)
        return rc;
    put_head(ctx, erasure->counts ? &word_erased : &word_beyond, erasure->kind,
             &erasure->id, erasure->space);
    out_cell(ctx->out, look_org(ctx, &erasure->by, text));
    out_cell(ctx->out, label_when(ctx, erasure->claimed_ms, when));
    out_cell_int(ctx->out, (int64_t)confirmed);
    out_cell_int(ctx->out, (int64_t)asked);
    out_cell_int(ctx->out, erasure->late);
    return 0;
}

/* What members ask for and nobody erased. */
static int put_requests(struct cmd_ctx *ctx)
{
    const struct ent_kind *kind = ent_kind_named(&ctx->kinds, ERASE_REQUEST);
    struct ent_query *query;
    int rc;

    if (kind == NULL)
        return 0;
    rc = ent_query_open(
        ctx->store,
        "SELECT ent_uuid(r.id), r.space, r.subject FROM erase_requests r"
        " WHERE NOT EXISTS (SELECT 1 FROM erased e WHERE e.space = r.space"
        " AND ent_uuid(e.id) = r.subject AND (e.chair OR e.counts))"
        " ORDER BY r.space, r.id",
        &query, &ctx->err);
    while (rc >= 0 && (rc = ent_query_next(query, &ctx->err)) > 0) {
        struct ent_record_ref ref = {.space = ent_query_int(query, 1),
                                     .kind = kind->number};
        struct ent_record record = {0};
        struct ent_record_ref found[1];
        char when[LOOK_TIME_TEXT];
        size_t count = 0;
        char text[24];

        if (!ent_id_parse(ent_query_text(query, 0), &ref.id))
            continue;
        rc = ent_record_find(ctx->store, ent_query_text(query, 2), ref.space, 0,
                             found, 1, &count, &ctx->err);
        if (rc < 0 || count != 1)
            continue; /* it is deleted, or never came */
        rc = ent_record_read(ctx->store, &ref, &record, &ctx->err);
        if (rc == 0 && record.write_count > 0) {
            put_head(ctx, &word_asked, found[0].kind, &found[0].id,
                     found[0].space);
            out_cell(ctx->out, look_org(ctx, &record.writes[0].author, text));
            out_cell(ctx->out,
                     label_when(ctx, record.writes[0].claimed_ms, when));
        }
        ent_record_fini(&record);
    }
    if (rc >= 0)
        ent_query_close(query);
    return rc == ENT_ENOTFOUND ? 0 : rc;
}

int erase_status_all(struct cmd_ctx *ctx)
{
    struct ent_arena arena = {0};
    struct ent_erasure *list;
    size_t count = 0;
    int rc = ent_erasure_list(ctx->store, 0, &arena, &list, &count, &ctx->err);

    if (rc == 0) {
        all_columns(ctx->out);
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = put_erasure(ctx, &list[i]);
        if (rc == 0)
            rc = put_requests(ctx);
        out_list_end(ctx->out);
    }
    ent_arena_fini(&arena);
    return rc;
}
