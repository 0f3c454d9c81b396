/* tally.c - see survey.h; what is counted here, and what of it is told.
 *
 * Nothing about fewer than SURVEY_LEAST people leaves the node, nor can it be
 * had by subtraction (docs/decisions/0022): of a question it tells how many
 * people answered, and the answers that enough of them gave and enough did not.
 * The same holds of those who answered since a question was told before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/change.h"
#include "cli/flow.h"
#include "cli/look.h"
#include "cli/moves.h"
#include "cli/pick.h"
#include "cli/survey.h"
#include "store/query.h"
#include "text/parse.h"

#define ANSWERS_LEFT_OUT                                                       \
    2               /* the answers left out of a question, if any are          \
                     */
#define KEY_BYTES 8 /* of the node's key, in a tally's code */

/* --------------------------------------------------------------- counting */

/* How often each answer was given here, behind the number of people who gave
 * any and their sum. */
static const char count_sql[] =
    "WITH mine AS (SELECT a.n, e.value AS answer"
    "   FROM local_answer a, json_each(a.answers) q, json_each(q.value) e"
    "  WHERE a.space = :space AND ent_uuid(a.survey) = :id"
    "    AND q.key = :question)"
    " SELECT 0 AS part, count(DISTINCT n) AS people, round(sum(answer), 6)"
    "   FROM mine"
    " UNION ALL SELECT 1, count(DISTINCT n), answer FROM mine GROUP BY answer"
    " ORDER BY 1, 2, 3";

/* Numbers that this node has told, newest first. */
struct told_number {
    int64_t people;
    int64_t n; /* the entry's place in the log */
};

struct told {
    struct told_number *at; /* in the survey's arena */
    size_t count;
};

struct counted {
    const char *answer;
    int64_t people;
    struct told before;
    bool told;
};

struct count {
    const struct question *question;
    bool number;
    int64_t people;
    struct told before; /* of the people */
    const char *sum;
    struct counted *answers; /* the rarest first */
    size_t answer_count;
};

/* More than none, and too few. */
static bool would_tell(int64_t people)
{
    return people > 0 && people < SURVEY_LEAST;
}

static int read_counts(struct cmd_ctx *ctx, struct survey *survey,
                       struct ent_query *query, struct count *count)
{
    struct ent_arena *arena = &survey->arena;
    int rc = ent_query_next(query, &ctx->err);

    if (rc <= 0)
        return rc;
    count->people = ent_query_int(query, 1);
    count->sum = ent_arena_str(arena, ent_query_text(query, 2));
    count->answers = ENT_ARENA_NEW(arena, struct counted, SURVEY_ANSWERS_MAX);
    if (count->sum == NULL || count->answers == NULL)
        return cmd_no_memory(ctx);
    while (!count->number && (rc = ent_query_next(query, &ctx->err)) > 0) {
        struct counted *counted = &count->answers[count->answer_count];

        if (count->answer_count == SURVEY_ANSWERS_MAX)
            return ent_err_set(&ctx->err, ENT_EREFUSED,
                               "%s has more than %d different answers",
                               count->question->code, SURVEY_ANSWERS_MAX);
        counted->answer = ent_arena_str(arena, ent_query_text(query, 2));
        counted->people = ent_query_int(query, 1);
        if (counted->answer == NULL)
            return cmd_no_memory(ctx);
        count->answer_count++;
    }
    return rc < 0 ? rc : 0;
}

static int count_answers(struct cmd_ctx *ctx, struct survey *survey,
                         const struct question *question, struct count *count)
{
    struct ent_query *query = NULL;
    int rc = ent_query_open(ctx->store, count_sql, &query, &ctx->err);

    *count = (struct count){
        .question = question,
        .number = strcmp(question->form, SURVEY_NUMBER) == 0,
    };
    if (rc < 0)
        return rc;
    ent_query_bind_int(query, ":space", survey->record.ref.space);
    ent_query_bind(query, ":id", survey->id);
    ent_query_bind(query, ":question", question->code);
    rc = read_counts(ctx, survey, query, count);
    ent_query_close(query);
    return rc;
}

/* ------------------------------------------------------------ told before */

struct tally {
    struct cmd_ctx *ctx;
    struct survey *survey;
    struct ent_writer *writer;
    size_t written;
    size_t waiting; /* questions answered by too few since they were counted */
};

/* One node's count of one answer: the record is named by the survey's id, as
 * its code may change, so that the next tally of this node changes the record.
 */
static void put_code(const struct tally *tally, const char *question,
                     const char *answer, struct ent_buf *code)
{
    const struct ent_key *key = &ent_store_keys(tally->ctx->store)->public;

    ent_buf_printf(code, "%s/%s/%s/", tally->survey->id, question, answer);
    for (size_t i = 0; i < KEY_BYTES; i++)
        ent_buf_printf(code, "%02x", key->b[i]);
}

static int find_tally(const struct tally *tally, const char *question,
                      const char *answer, struct ent_record_ref *ref)
{
    const struct survey *survey = tally->survey;
    struct ent_buf code = {0};
    int rc = 0;

    put_code(tally, question, answer, &code);
    if (ent_buf_cstr(&code) == NULL)
        rc = cmd_no_memory(tally->ctx);
    else
        *ref = (struct ent_record_ref){
            .space = survey->record.ref.space,
            .kind = survey->tally->number,
            .id =
                ent_record_named_id(tally->ctx->store, survey->record.ref.space,
                                    survey->tally, ent_buf_slice(&code)),
        };
    ent_buf_fini(&code);
    return rc;
}

static int compare_told(const void *a, const void *b)
{
    const struct told_number *one = a;
    const struct told_number *other = b;

    return (one->n < other->n) - (one->n > other->n);
}

/* What this node ever told of an answer, newest first, whatever stands now:
 * anybody may have read it. */
static int read_told(struct tally *tally, const struct question *question,
                     const char *answer, struct told *told)
{
    struct cmd_ctx *ctx = tally->ctx;
    const struct ent_key *key = &ent_store_keys(ctx->store)->public;
    const struct ent_field *value =
        ent_field_named(tally->survey->tally, "value");
    struct ent_history *items;
    struct ent_record_ref ref;
    struct ent_arena arena = {0};
    size_t count = 0;
    int rc = find_tally(tally, question->code, answer, &ref);

    if (rc == 0)
        rc = ent_record_history(ctx->store, &ref, &arena, &items, &count,
                                &ctx->err);
    if (rc == 0) {
        told->at =
            ENT_ARENA_NEW(&tally->survey->arena, struct told_number, count + 1);
        rc = told->at == NULL ? cmd_no_memory(ctx) : 0;
    }
    for (size_t i = 0; rc == 0 && value != NULL && i < count; i++) {
        struct ent_buf text = {0};

        if (items[i].field != value->number || !items[i].has_value ||
            !ent_key_equal(&items[i].author, key))
            continue;
        ent_value_print(&items[i].value, &text);
        if (ent_buf_cstr(&text) == NULL)
            rc = cmd_no_memory(ctx);
        else
            told->at[told->count++] = (struct told_number){
                strtoll(ent_buf_cstr(&text), NULL, 10), items[i].n};
        ent_buf_fini(&text);
    }
    /* The history goes by clocks, which may have been set back. */
    if (told->count > 1)
        qsort(told->at, told->count, sizeof(*told->at), compare_told);
    ent_arena_fini(&arena);
    return rc == ENT_ENOTFOUND ? 0 : rc;
}

/* --------------------------------------------------------------- choosing */

/* The difference to every number told before is none, or enough people. */
static bool is_apart(const struct told *told, int64_t people)
{
    for (size_t i = 0; i < told->count; i++)
        if (would_tell(llabs((long long)(people - told->at[i].people))))
            return false;
    return true;
}

/* What was told of an answer beside the number `i` of the people, NULL: nothing
 * as yet. */
static const struct told_number *
told_beside(const struct count *count, const struct counted *counted, size_t i)
{
    for (size_t j = 0; j < counted->before.count; j++)
        if (i == 0 || counted->before.at[j].n < count->before.at[i - 1].n)
            return &counted->before.at[j];
    return NULL;
}

/* So are those who answered since and did not say this. */
static bool others_are_apart(const struct count *count,
                             const struct counted *counted)
{
    for (size_t i = 0; i < count->before.count; i++) {
        const struct told_number *told = told_beside(count, counted, i);

        if (told != NULL &&
            would_tell((count->people - count->before.at[i].people) -
                       (counted->people - told->people)))
            return false;
    }
    return true;
}

/* How many of those who answered since gave an answer that is left out; 0 when
 * what is told does not say it. */
static int64_t left_since(const struct count *count)
{
    int64_t people = 0;

    if (count->before.count == 0)
        return 0;
    people = count->people - count->before.at[0].people;
    for (size_t i = 0; i < count->answer_count; i++) {
        const struct counted *counted = &count->answers[i];

        if (!counted->told)
            continue;
        if (counted->before.count == 0)
            return 0;
        people -= counted->people - counted->before.at[0].people;
    }
    return people;
}

/* An answer left out is safe only among others: otherwise the total less the
 * answers told is the one. */
static void choose_told(struct count *count)
{
    int64_t left_people = 0;
    size_t left = 0;

    for (size_t i = 0; i < count->answer_count; i++) {
        struct counted *counted = &count->answers[i];

        counted->told = !would_tell(counted->people) &&
                        !would_tell(count->people - counted->people) &&
                        is_apart(&counted->before, counted->people) &&
                        others_are_apart(count, counted);
        left += !counted->told;
        left_people += counted->told ? 0 : counted->people;
    }
    if (left == 0)
        return;
    for (size_t i = 0; i < count->answer_count; i++) {
        struct counted *counted = &count->answers[i];

        if (left >= ANSWERS_LEFT_OUT && left_people >= SURVEY_LEAST &&
            !would_tell(left_since(count)))
            return;
        if (counted->told) {
            counted->told = false;
            left++;
            left_people += counted->people;
        }
    }
}

/* Whether the question may be counted anew: 1, 0 or an error. */
static int choose(struct tally *tally, struct count *count)
{
    const struct question *question = count->question;
    int rc =
        read_told(tally, question, count->number ? SURVEY_COUNT : SURVEY_TOTAL,
                  &count->before);

    for (size_t i = 0; rc == 0 && i < count->answer_count; i++)
        rc = read_told(tally, question, count->answers[i].answer,
                       &count->answers[i].before);
    if (rc < 0 || !is_apart(&count->before, count->people))
        return rc;
    choose_told(count);
    return 1;
}

/* ---------------------------------------------------------------- writing */

static int is_live(const struct tally *tally, const struct ent_record_ref *ref,
                   bool *live)
{
    struct ent_record record;
    int rc = ent_record_read(tally->ctx->store, ref, &record, &tally->ctx->err);

    *live = false;
    if (rc < 0)
        return rc == ENT_ENOTFOUND ? 0 : rc;
    *live = record.live;
    ent_record_fini(&record);
    return 0;
}

static int put_tally(struct tally *tally, const struct question *question,
                     const char *answer, const char *number)
{
    struct cmd_ctx *ctx = tally->ctx;
    struct survey *survey = tally->survey;
    struct moves_words words = {0};
    struct change change = {0};
    struct ent_edit edit = {.kind = survey->tally->number};
    enum ent_written written;
    struct ent_record_ref ref;
    struct ent_edit_op *ops;
    struct ent_buf code = {0};
    bool live = false;
    int rc = find_tally(tally, question->code, answer, &ref);

    if (rc == 0)
        rc = is_live(tally, &ref, &live);
    put_code(tally, question->code, answer, &code);
    if (rc == 0 && ent_buf_cstr(&code) == NULL)
        rc = cmd_no_memory(ctx);
    if (rc == 0) {
        moves_put(&words, "code", ent_buf_cstr(&code));
        moves_put(&words, "survey", survey->name);
        moves_put(&words, "question", question->code);
        moves_put(&words, "dimension", question->form);
        moves_put(&words, "category", answer);
        moves_put(&words, "value", number);
        rc = words.arena.rc < 0 ? cmd_no_memory(ctx)
                                : change_read(ctx, survey->tally, ref.space,
                                              words.at, words.count, &change);
    }
    if (rc == 0)
        rc = change_ops(ctx, &change, NULL, &ops, &edit.op_count);
    if (rc == 0) {
        edit.ops = ops;
        edit.id = ref.id;
        edit.life = live ? ENT_EDIT_TOUCH : ENT_EDIT_UNDELETE;
        /* Nobody else knows what was counted here: this settles it. */
        rc = ent_writer_put(tally->writer, &edit, true, &written, &ctx->err);
        tally->written += rc == 0;
    }
    change_fini(&change);
    moves_words_fini(&words);
    ent_buf_fini(&code);
    return rc;
}

/* What was told before and is not told any more would be summed as if it were
 * of today. */
static int drop_tally(struct tally *tally, const struct question *question,
                      const char *answer)
{
    struct cmd_ctx *ctx = tally->ctx;
    struct ent_edit edit = {.kind = tally->survey->tally->number,
                            .life = ENT_EDIT_DELETE};
    enum ent_written written;
    struct ent_record_ref ref;
    bool live = false;
    int rc = find_tally(tally, question->code, answer, &ref);

    if (rc == 0)
        rc = is_live(tally, &ref, &live);
    edit.id = ref.id;
    return rc == 0 && live
               ? ent_writer_put(tally->writer, &edit, true, &written, &ctx->err)
               : rc;
}

static int put_number(struct tally *tally, const struct question *question,
                      const char *answer, int64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)number);
    return put_tally(tally, question, answer, text);
}

static int tally_question(struct tally *tally, const struct question *question)
{
    struct count count;
    int rc;

    if (strcmp(question->form, SURVEY_TEXT) == 0)
        return 0;
    rc = count_answers(tally->ctx, tally->survey, question, &count);
    if (rc < 0 || count.people < SURVEY_LEAST)
        return rc;
    rc = choose(tally, &count);
    tally->waiting += rc == 0;
    if (rc <= 0)
        return rc;
    rc = put_number(tally, question, count.number ? SURVEY_COUNT : SURVEY_TOTAL,
                    count.people);
    if (rc == 0 && count.number)
        rc = put_tally(tally, question, SURVEY_SUM, count.sum);
    for (size_t i = 0; rc == 0 && i < count.answer_count; i++) {
        const struct counted *counted = &count.answers[i];

        rc = counted->told
                 ? put_number(tally, question, counted->answer, counted->people)
                 : drop_tally(tally, question, counted->answer);
    }
    return rc;
}

static int check_written(const struct tally *tally)
{
    struct cmd_ctx *ctx = tally->ctx;

    if (tally->written > 0)
        return 0;
    if (tally->waiting > 0)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "fewer than %d people have answered %s here since "
                           "it was counted; the difference would tell what "
                           "they said",
                           SURVEY_LEAST, tally->survey->name);
    return ent_err_set(&ctx->err, ENT_EREFUSED,
                       "no question of %s has %d answers here; fewer would "
                       "tell who gave them",
                       tally->survey->name, SURVEY_LEAST);
}

static void tell_written(const struct tally *tally)
{
    struct cmd_ctx *ctx = tally->ctx;

    cmd_say(ctx,
            ctx->dry_run ? ngettext("would write %zu tally",
                                    "would write %zu tallies", tally->written)
                         : ngettext("%zu tally", "%zu tallies", tally->written),
            tally->written);
    if (tally->waiting > 0)
        cmd_say(ctx,
                ngettext("%zu question stays as it was counted: fewer than %d "
                         "people have answered it since",
                         "%zu questions stay as they were counted: fewer than "
                         "%d people have answered them since",
                         tally->waiting),
                tally->waiting, SURVEY_LEAST);
}

/* Frees the writer. */
static int write_tally(struct tally *tally)
{
    struct cmd_ctx *ctx = tally->ctx;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < tally->survey->count; i++)
        rc = tally_question(tally, &tally->survey->questions[i]);
    if (rc == 0)
        rc = check_written(tally);
    if (rc < 0) {
        ent_writer_abort(tally->writer);
        return rc;
    }
    rc = moves_finish(ctx, tally->writer);
    if (rc == 0)
        tell_written(tally);
    return rc;
}

int survey_tally(struct cmd_ctx *ctx, int argc, char **argv)
{
    struct survey survey;
    struct tally tally = {.ctx = ctx, .survey = &survey};
    int rc;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc != 2)
        return cmd_usage(ctx, "survey tally");
    rc = survey_open(ctx, argv[1], &survey);
    if (rc == 0 && strcmp(survey.status, "closed") != 0 &&
        strcmp(survey.status, "tallied") != 0)
        rc = ent_err_set(&ctx->err, ENT_EREFUSED,
                         "%s is not closed (%s): \"move\" closes it",
                         survey.name, survey.status);
    if (rc == 0)
        rc = ent_writer_open(ctx->store, survey.record.ref.space, ctx->now_ms,
                             &tally.writer, &ctx->err);
    if (rc == 0)
        rc = write_tally(&tally);
    survey_fini(&survey);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
