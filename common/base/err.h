/* err.h - error codes and the sentence that goes with them.
 * Functions return 0 or a negative ENT_E...; the caller's struct ent_err (or
 * NULL) gets the sentence, in the reader's language. */
#ifndef ENT_BASE_ERR_H
#define ENT_BASE_ERR_H

#include "base/attr.h"

#define ENT_ERR_TEXT_MAX 512 /* bytes of an error sentence, cut at the end */
#define ENT_TEXT_DOMAIN "entente"

enum ent_code {
    ENT_OK = 0,
    ENT_EFAIL = -1,     /* anything without a code of its own */
    ENT_ENOMEM = -2,    /* memory refused */
    ENT_EUSAGE = -3,    /* the request makes no sense as asked */
    ENT_ENOTFOUND = -4, /* nothing of that name */
    ENT_EAMBIG = -5,    /* several things of that name */
    ENT_EDENIED = -6,   /* no member, reader, not the author */
    ENT_EREFUSED = -7,  /* input that breaks a format or a limit */
    ENT_ECONFLICT = -8, /* open conflicts */
    ENT_ESTORE = -9,    /* disk full, read-only, damaged, newer */
    ENT_EPEER = -10,    /* peer or daemon not reached in time */
    ENT_EWAIT = -11,    /* something it depends on has not arrived */
    ENT_EFORK = -12,    /* a second entry under one number (A8) */
};

struct ent_err {
    int code;
    char text[ENT_ERR_TEXT_MAX];
};

/* Marks a text for the catalogues without translating it here. */
#define ENT_N_(text) text

/* Keep `code` and the sentence; `fmt` is looked up in the message catalogue
 * first. Returns `code`, so that a caller can write
 * `return ent_err_set(err, ENT_EREFUSED, "...")`. err may be NULL. */
int ent_err_set(struct ent_err *err, int code, const char *fmt, ...)
    ENT_PRINTF(3, 4);

/* Put "prefix: " before the sentence already there. err may be NULL. */
void ent_err_prefix(struct ent_err *err, const char *fmt, ...) ENT_PRINTF(2, 3);

#endif
