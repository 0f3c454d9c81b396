/* card.c - see card.h. */
#include "text/card.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/utf8.h"

#define CHUNK_BYTES (64 << 10)

struct ent_card {
    FILE *file;
    char *path;
    bool broken;

    uint8_t chunk[CHUNK_BYTES];
    size_t at;
    size_t len;
    size_t next; /* number of the physical line at `at` */

    struct ent_buf raw;  /* the line, unfolded */
    struct ent_buf text; /* its value, when it was quoted-printable */
    struct ent_arena arena;
    struct ent_card_line line;
};

static int no_memory(struct ent_card *card, struct ent_err *err)
{
    card->broken = true;
    return ent_err_set(err, ENT_ENOMEM, "out of memory");
}

static int at_line(const struct ent_card *card, int rc, struct ent_err *err)
{
    ent_err_prefix(err, "%s:%zu", card->path, card->line.line);
    return rc;
}

/* ----------------------------------------------------------- opening */

/* 1: bytes to read, 0: the end. */
static int refill(struct ent_card *card, struct ent_err *err)
{
    if (card->at < card->len)
        return 1;
    card->at = 0;
    card->len = fread(card->chunk, 1, sizeof(card->chunk), card->file);
    if (card->len > 0)
        return 1;
    if (!ferror(card->file))
        return 0;
    card->broken = true;
    return ent_err_set(err, ENT_EREFUSED, "%s cannot be read: %s", card->path,
                       strerror(errno));
}

static int read_start(struct ent_card *card, struct ent_err *err)
{
    int rc = refill(card, err);

    if (rc < 0)
        return rc;
    if (card->len >= 2 && (memcmp(card->chunk, "\xff\xfe", 2) == 0 ||
                           memcmp(card->chunk, "\xfe\xff", 2) == 0))
        return ent_err_set(err, ENT_EREFUSED,
                           "%s is UTF-16 text; save it as UTF-8", card->path);
    if (card->len >= 3 && memcmp(card->chunk, "\xef\xbb\xbf", 3) == 0)
        card->at = 3;
    return 0;
}

int ent_card_open_fd(int fd, const char *path, struct ent_card **out,
                     struct ent_err *err)
{
    struct ent_card *card = calloc(1, sizeof(*card));
    int rc;

    if (card == NULL) {
        close(fd);
        return ent_err_set(err, ENT_ENOMEM, "out of memory");
    }
    card->next = 1;
    card->path = strdup(path);
    card->file = fdopen(fd, "r");
    if (card->file == NULL)
        close(fd);
    rc = card->path == NULL || card->file == NULL ? no_memory(card, err)
                                                  : read_start(card, err);
    if (rc == 0) {
        *out = card;
        card = NULL;
    }
    ent_card_close(card);
    return rc;
}

void ent_card_close(struct ent_card *card)
{
    if (card == NULL)
        return;
    if (card->file != NULL)
        fclose(card->file);
    ent_buf_fini(&card->raw);
    ent_buf_fini(&card->text);
    ent_arena_fini(&card->arena);
    free(card->path);
    free(card);
}

bool ent_card_broken(const struct ent_card *card)
{
    return card->broken;
}

/* ------------------------------------------------------------ one line */

/* Append the bytes up to the end of the line; what goes beyond the limit is
 * read and forgotten. 1, or 0 when there was not one byte. */
static int read_physical(struct ent_card *card, struct ent_err *err)
{
    int rc = refill(card, err);

    if (rc <= 0)
        return rc;
    card->next++;
    while ((rc = refill(card, err)) > 0) {
        const uint8_t *from = card->chunk + card->at;
        const uint8_t *lf = memchr(from, '\n', card->len - card->at);
        size_t len = lf == NULL ? card->len - card->at : (size_t)(lf - from);
        size_t room = ENT_CARD_LINE_BYTES_MAX - card->raw.len;

        card->at += len + (lf != NULL);
        card->line.cut = card->line.cut || len > room;
        ent_buf_put(&card->raw, from, len > room ? room : len);
        if (lf != NULL)
            break;
    }
    if (rc < 0)
        return rc;
    if (card->raw.len > 0 && card->raw.at[card->raw.len - 1] == '\r')
        card->raw.len--;
    return card->raw.rc < 0 ? no_memory(card, err) : 1;
}

/* A line that begins with a blank goes on with the one before it. */
static int read_unfolded(struct ent_card *card, struct ent_err *err)
{
    int rc;

    do {
        ent_buf_reset(&card->raw);
        card->line.cut = false;
        card->line.line = card->next;
        rc = read_physical(card, err);
        if (rc <= 0)
            return rc;
        while (
            (rc = refill(card, err)) > 0 &&
            (card->chunk[card->at] == ' ' || card->chunk[card->at] == '\t')) {
            card->at++;
            rc = read_physical(card, err);
            if (rc < 0)
                return rc;
        }
        if (rc < 0)
            return rc;
    } while (card->raw.len == 0);
    return 1;
}

static bool is_name_byte(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

/* The name at `at`, in capitals; NULL when there is none. */
static const char *take_name(struct ent_card *card, size_t *at)
{
    const uint8_t *text = card->raw.at + *at;
    size_t len = 0;
    char *name;

    while (*at + len < card->raw.len && is_name_byte(text[len]))
        len++;
    *at += len;
    if (len == 0)
        return NULL;
    name = ENT_ARENA_NEW(&card->arena, char, len + 1);
    for (size_t i = 0; name != NULL && i < len; i++)
        name[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 'a' + 'A'
                                                          : text[i]);
    return name;
}

/* The value of a parameter up to the ';' or ':' behind it, without quotation
 * marks and circumflexes (RFC 6868). */
static const char *take_param(struct ent_card *card, size_t *at)
{
    struct ent_buf text = {0};
    bool quoted = false;
    const char *copy;

    for (; *at < card->raw.len; (*at)++) {
        uint8_t byte = card->raw.at[*at];
        uint8_t next =
            *at + 1 < card->raw.len ? card->raw.at[*at + 1] : (uint8_t)0;

        if (byte == '"') {
            quoted = !quoted;
            continue;
        }
        if (!quoted && (byte == ';' || byte == ':'))
            break;
        if (byte == '^' && (next == '^' || next == 'n' || next == '\'')) {
            byte = next == 'n' ? '\n' : next == '^' ? '^' : '"';
            (*at)++;
        }
        ent_buf_put_u8(&text, byte);
    }
    copy = (const char *)ent_arena_copy(&card->arena, ent_buf_slice(&text)).at;
    if (text.rc < 0)
        copy = NULL;
    ent_buf_fini(&text);
    return copy;
}

static int refuse_line(struct ent_card *card, struct ent_err *err)
{
    if (card->arena.rc < 0)
        return no_memory(card, err);
    ent_err_set(err, ENT_EREFUSED,
                "this is no property; a line is NAME:value, and one that goes "
                "on with it begins with a blank");
    return at_line(card, ENT_EREFUSED, err);
}

static int take_params(struct ent_card *card, size_t *at, struct ent_err *err)
{
    struct ent_card_line *line = &card->line;

    while (*at < card->raw.len && card->raw.at[*at] == ';') {
        size_t from = ++*at;
        const char *name = take_name(card, at);
        const char *value;

        if (name != NULL && *at < card->raw.len && card->raw.at[*at] == '=') {
            (*at)++;
        } else { /* vCard 2.1: TEL;CELL: */
            *at = from;
            name = "TYPE";
        }
        value = take_param(card, at);
        if (value == NULL)
            return no_memory(card, err);
        if (line->param_count == ENT_CARD_PARAMS_MAX) {
            ent_err_set(err, ENT_EREFUSED, "more than %d parameters",
                        ENT_CARD_PARAMS_MAX);
            return at_line(card, ENT_EREFUSED, err);
        }
        line->params[line->param_count++] =
            (struct ent_card_param){.name = name, .value = value};
    }
    return 0;
}

/* -------------------------------------------------- quoted-printable */

static bool is_quoted_printable(const struct ent_card_line *line)
{
    const char *encoding = ent_card_param(line, "ENCODING");
    const char *type = ent_card_param(line, "TYPE");

    return ent_card_has_word(encoding, "QUOTED-PRINTABLE") ||
           ent_card_has_word(type, "QUOTED-PRINTABLE");
}

/* RFC 2045 section 6.7; a '=' at the end of a line says that it goes on. */
static int read_quoted(struct ent_card *card, size_t from, struct ent_err *err)
{
    while (card->raw.len > from && card->raw.at[card->raw.len - 1] == '=') {
        int rc;

        card->raw.len--;
        rc = read_physical(card, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            break;
    }
    ent_buf_reset(&card->text);
    for (size_t i = from; i < card->raw.len; i++) {
        uint8_t byte = card->raw.at[i];

        if (byte == '=' && i + 2 < card->raw.len &&
            ent_hex_get(&byte, 1, (const char *)card->raw.at + i + 1, 2))
            i += 2;
        ent_buf_put_u8(&card->text, byte);
    }
    if (card->text.rc < 0)
        return no_memory(card, err);
    card->line.value = ent_buf_slice(&card->text);
    return 0;
}

static int check_utf8(struct ent_card *card, struct ent_err *err)
{
    const char *charset = ent_card_param(&card->line, "CHARSET");
    struct ent_slice value = card->line.value;

    if (card->line.cut || (ent_utf8_valid(value) == value.len &&
                           memchr(value.at, 0, value.len) == NULL))
        return 0;
    if (charset != NULL && strcasecmp(charset, "UTF-8") != 0)
        ent_err_set(err, ENT_EREFUSED,
                    "the text is in %.40s; save the file as UTF-8", charset);
    else
        ent_err_set(err, ENT_EREFUSED, "the text is not UTF-8");
    return at_line(card, ENT_EREFUSED, err);
}

int ent_card_next(struct ent_card *card, const struct ent_card_line **out,
                  struct ent_err *err)
{
    struct ent_card_line *line = &card->line;
    size_t at = 0;
    int rc;

    if (card->broken)
        return ent_err_set(err, ENT_EREFUSED, "%s cannot be read on",
                           card->path);
    rc = read_unfolded(card, err);
    if (rc <= 0)
        return rc;
    ent_arena_reset(&card->arena);
    line->param_count = 0;
    line->name = take_name(card, &at);
    if (line->name != NULL && at < card->raw.len && card->raw.at[at] == '.') {
        at++;
        line->name = take_name(card, &at);
    }
    if (line->name == NULL)
        return refuse_line(card, err);
    rc = take_params(card, &at, err);
    if (rc < 0)
        return rc;
    if (at == card->raw.len || card->raw.at[at] != ':')
        return refuse_line(card, err);
    at++;
    line->value = ent_slice(card->raw.at + at, card->raw.len - at);
    if (is_quoted_printable(line))
        rc = read_quoted(card, at, err);
    if (rc == 0)
        rc = check_utf8(card, err);
    if (rc < 0)
        return rc;
    *out = line;
    return 1;
}

/* -------------------------------------------------------------- values */

const char *ent_card_param(const struct ent_card_line *line, const char *name)
{
    for (size_t i = 0; i < line->param_count; i++)
        if (strcmp(line->params[i].name, name) == 0)
            return line->params[i].value;
    return NULL;
}

bool ent_card_has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (list != NULL && *list != '\0') {
        size_t part = strcspn(list, ",");

        if (part == len && strncasecmp(list, word, len) == 0)
            return true;
        list += part + (list[part] == ',');
    }
    return false;
}

bool ent_card_part(struct ent_slice *value, char separator,
                   struct ent_buf *part)
{
    if (value->at == NULL)
        return false;
    for (size_t i = 0; i < value->len; i++) {
        uint8_t byte = value->at[i];

        if (byte == (uint8_t)separator && separator != '\0') {
            *value = ent_slice(value->at + i + 1, value->len - i - 1);
            return true;
        }
        if (byte == '\\' && i + 1 < value->len) {
            byte = value->at[++i];
            if (byte == 'n' || byte == 'N')
                byte = '\n';
            else if (strchr("\\,;:\"", byte) == NULL)
                ent_buf_put_u8(part, '\\'); /* no escape: a path, mostly */
        }
        ent_buf_put_u8(part, byte);
    }
    *value = ent_slice(NULL, 0);
    return true;
}

/* ------------------------------------------------------------- writing */

void ent_card_put_text(struct ent_buf *buf, struct ent_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.at[i];

        if (byte == '\n') {
            ent_buf_put_str(buf, "\\n");
            continue;
        }
        if (byte == '\\' || byte == ',' || byte == ';')
            ent_buf_put_u8(buf, '\\');
        ent_buf_put_u8(buf, byte);
    }
}

void ent_card_put_param(struct ent_buf *buf, const char *name,
                        const char *value)
{
    bool quote = strpbrk(value, ",;:") != NULL;

    ent_buf_put_u8(buf, ';');
    ent_buf_put_str(buf, name);
    ent_buf_put_str(buf, quote ? "=\"" : "=");
    for (; *value != '\0'; value++) {
        switch (*value) {
        case '^':
            ent_buf_put_str(buf, "^^");
            break;
        case '\n':
            ent_buf_put_str(buf, "^n");
            break;
        case '"':
            ent_buf_put_str(buf, "^'");
            break;
        default:
            ent_buf_put(buf, value, 1);
        }
    }
    ent_buf_put_str(buf, quote ? "\"" : "");
}

/* Whether a character begins with the byte, so that a fold before it parts
 * none. */
static bool begins_char(uint8_t byte)
{
    return (byte & 0xc0) != 0x80;
}

/* Append the line, which is too long, with its folds. */
static void put_folded(struct ent_buf *buf, struct ent_slice line)
{
    size_t from = 0;
    size_t room = ENT_CARD_FOLD_BYTES;

    while (line.len - from > room) {
        size_t end = from + room;

        while (end > from + 1 && !begins_char(line.at[end]))
            end--;
        ent_buf_put(buf, line.at + from, end - from);
        ent_buf_put_str(buf, "\r\n ");
        from = end;
        room = ENT_CARD_FOLD_BYTES - 1; /* the blank counts */
    }
    ent_buf_put(buf, line.at + from, line.len - from);
}

void ent_card_put(struct ent_buf *buf, const char *name, const char *params,
                  struct ent_slice value)
{
    size_t from = buf->len;

    ent_buf_put_str(buf, name);
    ent_buf_put_str(buf, params);
    ent_buf_put_u8(buf, ':');
    ent_buf_put_slice(buf, value);
    if (buf->rc == 0 && buf->len - from > ENT_CARD_FOLD_BYTES) {
        struct ent_buf line = {0};

        ent_buf_put(&line, buf->at + from, buf->len - from);
        buf->len = from;
        put_folded(buf, ent_buf_slice(&line));
        if (line.rc < 0)
            buf->rc = line.rc;
        ent_buf_fini(&line);
    }
    ent_buf_put_str(buf, "\r\n");
}
