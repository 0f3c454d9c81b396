/* fuzz_card.c - any bytes as vCards or a calendar. Every text that is read from
 * a line comes back from the line that is written for it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/utf8.h"
#include "text/card.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ent_card *open_bytes(const void *at, size_t size)
{
    struct ent_card *card = NULL;
    struct ent_err err;
    int fd = memfd_create("card", MFD_CLOEXEC);

    if (fd < 0 || (size > 0 && write(fd, at, size) != (ssize_t)size) ||
        lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return ent_card_open_fd(fd, "fuzz", &card, &err) < 0 ? NULL : card;
}

/* Texts of records have no controls but tabs and line ends. */
static bool is_text(const struct ent_buf *text)
{
    for (size_t i = 0; i < text->len; i++)
        if (text->at[i] < 0x20 && text->at[i] != '\n' && text->at[i] != '\t')
            return false;
    return ent_utf8_valid(ent_buf_slice(text)) == text->len;
}

static void check_text(const struct ent_buf *text, const char *param)
{
    struct ent_buf params = {0};
    struct ent_buf value = {0};
    struct ent_buf line = {0};
    struct ent_buf again = {0};
    const struct ent_card_line *read;
    struct ent_card *card;
    struct ent_slice rest;
    struct ent_err err;

    ent_card_put_text(&value, ent_buf_slice(text));
    ent_card_put_param(&params, "X-P", param);
    ent_card_put(&line, "X-A", ent_buf_cstr(&params), ent_buf_slice(&value));
    card = open_bytes(line.at, line.len);
    ENT_ASSERT(card != NULL);
    ENT_ASSERT(ent_card_next(card, &read, &err) == 1);
    rest = read->value;
    ENT_ASSERT(read->cut || ent_card_part(&rest, '\0', &again));
    ENT_ASSERT(read->cut ||
               ent_slice_equal(ent_buf_slice(&again), ent_buf_slice(text)));
    ENT_ASSERT(read->cut || strcmp(ent_card_param(read, "X-P"), param) == 0);
    ent_card_close(card);
    ent_buf_fini(&params);
    ent_buf_fini(&value);
    ent_buf_fini(&line);
    ent_buf_fini(&again);
}

static void check_line(const struct ent_card_line *line)
{
    static const char separators[] = {';', ',', '\0'};
    const char *param = line->param_count > 0 ? line->params[0].value : "";
    struct ent_buf safe = {0};
    struct ent_buf part = {0};

    for (const char *at = param; *at != '\0'; at++)
        if ((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f)
            ent_buf_put(&safe, at, 1);
    for (size_t i = 0; i < sizeof(separators); i++) {
        struct ent_slice rest = line->value;

        for (;;) {
            ent_buf_reset(&part);
            if (!ent_card_part(&rest, separators[i], &part))
                break;
            if (is_text(&part) && !line->cut)
                check_text(&part, ent_buf_cstr(&safe));
        }
    }
    ent_buf_fini(&part);
    ent_buf_fini(&safe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ent_card *card = open_bytes(data, size);
    const struct ent_card_line *line;
    struct ent_err err;
    int rc;

    while (card != NULL && (rc = ent_card_next(card, &line, &err)) != 0 &&
           !ent_card_broken(card))
        if (rc > 0)
            check_line(line);
    ent_card_close(card);
    return 0;
}
