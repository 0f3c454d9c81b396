/* log.h - lines on stderr: time, level, text.
 * Names and reasons may come from peers, so control characters, invalid UTF-8
 * and marks that turn the direction of writing are shown as \xNN or U+NNNN:
 * one message is one line, and nothing moves a cursor. What a stranger can
 * cause is limited in lines per minute. */
#ifndef ENT_NODE_LOG_H
#define ENT_NODE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };

#define LOG_LINE_MAX 2048
#define LOG_LIMIT_LINES 20
#define LOG_LIMIT_MS 60000

struct log {
    enum log_level level;
    int64_t offset_ms; /* of the clock shown */
};

/* Lines of one sort: at most LOG_LIMIT_LINES in LOG_LIMIT_MS. */
struct log_limit {
    int64_t since_ms;
    unsigned lines;
    unsigned held_back;
};

/* error, warning, info, debug; false for anything else. */
ENT_NODISCARD bool log_level_parse(const char *name, enum log_level *level);

void log_say(const struct log *log, enum log_level level, const char *fmt, ...)
    ENT_PRINTF(3, 4);

/* Whether one more line may be written; says first how many were not. */
ENT_NODISCARD bool log_may(const struct log *log, struct log_limit *limit,
                           int64_t mono_ms);

/* `text` made safe to show, cut at `size` bytes with the NUL. */
void log_escape(char *out, size_t size, const char *text);

#endif
