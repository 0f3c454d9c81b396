/* log.c - see log.h. */
#include "node/log.h"

#include <libintl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"
#include "node/wall.h"

#define _(text) gettext(text)
#define TIME_TEXT 32
#define ESCAPE_MAX 8 /* "U+202E" and its NUL */

static const char *const names[] = {
    [LEVEL_ERROR] = "error",
    [LEVEL_WARNING] = "warning",
    [LEVEL_INFO] = "info",
    [LEVEL_DEBUG] = "debug",
};

bool log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < ENT_ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

/* One character at `at`, or one byte of what is none: its length. */
static size_t next_character(const char *at, uint32_t *character)
{
    const uint8_t *b = (const uint8_t *)at;
    size_t len = b[0] < 0x80 ? 1 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;

    if (len > strnlen(at, len) || ent_utf8_valid(ent_slice(at, len)) != len) {
        *character = UINT32_MAX;
        return 1;
    }
    *character = len == 1 ? b[0] : b[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++)
        *character = *character << 6 | (b[i] & 0x3f);
    return len;
}

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Breaks lines or turns the direction of what follows. */
static bool is_turning(uint32_t c)
{
    return c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void log_escape(char *out, size_t size, const char *text)
{
    size_t used = 0;

    while (*text != '\0') {
        uint32_t character;
        size_t len = next_character(text, &character);
        char escape[ESCAPE_MAX];
        const char *shown = text;
        size_t shown_len = len;

        if (character == UINT32_MAX || is_control(character)) {
            snprintf(escape, sizeof(escape), "\\x%02x",
                     character == UINT32_MAX ? (uint8_t)*text
                                             : (uint8_t)character);
            shown = escape;
            shown_len = strlen(escape);
        } else if (is_turning(character)) {
            snprintf(escape, sizeof(escape), "U+%04X", (unsigned)character);
            shown = escape;
            shown_len = strlen(escape);
        }
        if (used + shown_len >= size)
            break;
        memcpy(out + used, shown, shown_len);
        used += shown_len;
        text += len;
    }
    out[used] = '\0';
}

static void time_text(int64_t now_ms, char text[TIME_TEXT])
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    size_t len;

    gmtime_r(&seconds, &tm);
    len = strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + len, TIME_TEXT - len, ".%03dZ", (int)(now_ms % 1000));
}

void log_say(const struct log *log, enum log_level level, const char *fmt, ...)
{
    char time[TIME_TEXT], text[LOG_LINE_MAX], safe[LOG_LINE_MAX];
    va_list ap;

    if (level > log->level)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_escape(safe, sizeof(safe), text);
    time_text(wall_now_ms(log->offset_ms), time);
    /* One write, so that lines of several programs do not mix. */
    dprintf(STDERR_FILENO, "%s %s %s\n", time, names[level], safe);
}

bool log_may(const struct log *log, struct log_limit *limit, int64_t mono_ms)
{
    if (limit->lines == 0 || mono_ms - limit->since_ms >= LOG_LIMIT_MS) {
        if (limit->held_back > 0)
            log_say(log, LEVEL_WARNING,
                    ngettext("%u line like the next one was left out",
                             "%u lines like the next one were left out",
                             limit->held_back),
                    limit->held_back);
        *limit = (struct log_limit){.since_ms = mono_ms};
    }
    if (limit->lines < LOG_LIMIT_LINES) {
        limit->lines++;
        return true;
    }
    limit->held_back++;
    return false;
}
