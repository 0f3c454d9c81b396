/* err.c - see err.h. */
#include "base/err.h"

#include <libintl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ent_assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, cond);
    abort();
}

/* A cut in the middle of a UTF-8 sequence would make the text invalid. */
static void trim_partial(char *text, size_t cap)
{
    size_t len = strlen(text);

    if (len + 1 < cap)
        return;
    while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
        text[--len] = '\0';
    if (len > 0 && ((unsigned char)text[len - 1] & 0x80) != 0)
        text[--len] = '\0';
}

int ent_err_set(struct ent_err *err, int code, const char *fmt, ...)
{
    va_list ap;

    if (err == NULL)
        return code;
    err->code = code;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), dgettext(ENT_TEXT_DOMAIN, fmt), ap);
    va_end(ap);
    trim_partial(err->text, sizeof(err->text));
    return code;
}

void ent_err_prefix(struct ent_err *err, const char *fmt, ...)
{
    char text[ENT_ERR_TEXT_MAX];
    size_t more;
    size_t len;
    va_list ap;
    int n;

    if (err == NULL)
        return;
    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    len = n < 0 ? 0 : (size_t)n;
    if (len > sizeof(text) - 3)
        len = sizeof(text) - 3;
    memcpy(text + len, ": ", 2);
    len += 2;
    more = strlen(err->text);
    if (more >= sizeof(text) - len)
        more = sizeof(text) - len - 1;
    memcpy(text + len, err->text, more);
    text[len + more] = '\0';
    memcpy(err->text, text, len + more + 1);
    trim_partial(err->text, sizeof(err->text));
}
