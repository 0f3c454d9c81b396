/* report_ask.c - see report.h: what a report is asked for. */
#include <stdio.h>
#include <string.h>

#include "cli/countries.h"
#include "cli/look.h"
#include "cli/report.h"
#include "text/parse.h"

/* A month or a year is reported on as it ends. */
static void last_day(const char *on, char text[REPORT_DATE_TEXT])
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 0;
    int month = 12;
    int day = 0;
    int parts = sscanf(on, "%4d-%2d-%2d", &year, &month, &day);

    if (parts < 3) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        month = parts < 2 ? 12 : month;
        day = days[(month - 1) % 12] + (month == 2 && leap);
    }
    snprintf(text, REPORT_DATE_TEXT, "%04u-%02u-%02u", (unsigned)year % 10000,
             (unsigned)month % 100, (unsigned)day % 100);
}

static int read_date(struct cmd_ctx *ctx, const char *given,
                     char text[REPORT_DATE_TEXT])
{
    static const struct ent_field date = {.name = "on", .type = ENT_TYPE_DATE};
    struct ent_arena arena = {0};
    struct ent_buf buf = {0};
    struct ent_value value;
    int rc = ent_value_parse(&date, &ctx->vocab, ent_slice_str(given), &arena,
                             &value, &ctx->err);

    if (rc < 0) {
        ent_err_prefix(&ctx->err, "--on");
    } else {
        ent_value_print(&value, &buf);
        if (ent_buf_cstr(&buf) == NULL)
            rc = cmd_no_memory(ctx);
        else
            last_day(ent_buf_cstr(&buf), text);
    }
    ent_buf_fini(&buf);
    ent_arena_fini(&arena);
    return rc;
}

/* Records name a group by its code, or by its id when it has none. A name that
 * nobody has would quietly give an empty report. */
static int read_group(struct cmd_ctx *ctx, const char *given,
                      struct ent_buf *text)
{
    const struct ent_kind *kind = ent_kind_named(&ctx->kinds, "group");
    struct ent_record record = {0};
    struct ent_record_ref found;
    char id[ENT_ID_TEXT];
    size_t count = 0;
    int rc;

    if (kind == NULL)
        return ent_err_set(&ctx->err, ENT_ENOTFOUND, "there are no groups");
    rc = ent_record_find(ctx->store, given, 0, kind->number, &found, 1, &count,
                         &ctx->err);
    if ((rc < 0 && rc != ENT_ENOTFOUND && rc != ENT_EAMBIG))
        return rc;
    if (count == 0)
        return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                           "there is no %s \"%s\" here", kind->name, given);
    rc = ent_record_read(ctx->store, &found, &record, &ctx->err);
    if (rc == 0) {
        look_put(&record, ENT_FIELD_CODE, text);
        if (text->len == 0) {
            ent_id_text(&found.id, id);
            ent_buf_put_str(text, id);
        }
    }
    ent_record_fini(&record);
    return rc;
}

int report_ask(struct cmd_ctx *ctx, struct report_ask *ask,
               struct report_texts *texts)
{
    int rc = 0;

    if (ask->on == NULL)
        cmd_today(ctx, texts->on);
    else
        rc = read_date(ctx, ask->on, texts->on);
    ask->on = texts->on;
    if (rc == 0)
        rc = countries_ask(ctx, &ask->country, texts->country);
    if (rc == 0 && ask->group != NULL) {
        rc = read_group(ctx, ask->group, &texts->group);
        ask->group = ent_buf_cstr(&texts->group);
        if (rc == 0 && ask->group == NULL)
            rc = cmd_no_memory(ctx);
    }
    return rc;
}
