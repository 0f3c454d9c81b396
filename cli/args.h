/* args.h - what follows a command: options and words in any order.
 * "--name value" and "--name=value" are the same; "--" ends the options. */
#ifndef ENT_CLI_ARGS_H
#define ENT_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define ARGS_MANY_MAX 64 /* times one option may be given */

struct args_many {
    const char *at[ARGS_MANY_MAX];
    size_t count;
};

/* One option; exactly one of the three pointers is set. */
struct args_option {
    const char *name;       /* "--space" */
    const char **value;     /* takes a value; the last one given counts */
    bool *flag;             /* takes none */
    struct args_many *many; /* takes a value, may be given several times */
};

/* Takes the options out of argv; words are left in argv[1] to
 * argv[*argc - 1]. ENT_EUSAGE: an option unknown or without its value. */
ENT_NODISCARD int args_take(const struct args_option *options, size_t count,
                            int *argc, char **argv, struct ent_err *err);

/* A whole number from 1 to `max`. ENT_EUSAGE. */
ENT_NODISCARD int args_number(const char *name, const char *text, long max,
                              long *number, struct ent_err *err);

#endif
