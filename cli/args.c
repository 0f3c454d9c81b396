/* args.c - see args.h. */
#include "cli/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The option `word` begins with, and where a value after '=' starts. */
static const struct args_option *find(const struct args_option *options,
                                      size_t count, const char *word,
                                      const char **value)
{
    size_t len = strcspn(word, "=");

    *value = word[len] == '=' ? word + len + 1 : NULL;
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == len &&
            strncmp(options[i].name, word, len) == 0)
            return &options[i];
    return NULL;
}

static int take_value(const struct args_option *option, const char *value,
                      struct ent_err *err)
{
    if (option->value != NULL) {
        *option->value = value;
        return 0;
    }
    if (option->many->count == ARGS_MANY_MAX)
        return ent_err_set(err, ENT_EUSAGE, "%s is given too often",
                           option->name);
    option->many->at[option->many->count++] = value;
    return 0;
}

int args_take(const struct args_option *options, size_t count, int *argc,
              char **argv, struct ent_err *err)
{
    int words = 1;
    bool ended = false;

    for (int i = 1; i < *argc; i++) {
        const struct args_option *option;
        const char *value;
        int rc;

        if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[words++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--") == 0) {
            ended = true;
            continue;
        }
        option = find(options, count, argv[i], &value);
        if (option == NULL)
            return ent_err_set(err, ENT_EUSAGE, "%s has no option %s", argv[0],
                               argv[i]);
        if (option->flag != NULL) {
            if (value != NULL)
                return ent_err_set(err, ENT_EUSAGE, "%s takes no value",
                                   option->name);
            *option->flag = true;
            continue;
        }
        if (value == NULL && ++i < *argc)
            value = argv[i];
        if (value == NULL)
            return ent_err_set(err, ENT_EUSAGE, "%s needs a value",
                               option->name);
        rc = take_value(option, value, err);
        if (rc < 0)
            return rc;
    }
    *argc = words;
    return 0;
}

int args_number(const char *name, const char *text, long max, long *number,
                struct ent_err *err)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > max)
        return ent_err_set(err, ENT_EUSAGE,
                           "%s takes a number from 1 to %ld, not \"%s\"", name,
                           max, text);
    *number = value;
    return 0;
}
