/* fuzz_config.c - any bytes as the daemon's settings, as the definition of a
 * kind, and as a vocabulary. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"
#include "text/config.h"
#include "text/kinds.h"
#include "text/vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/entente-fuzz-XXXXXX";
static char path[sizeof(dir) + 16];

static void clear(void)
{
    unlink(path);
    rmdir(dir);
}

/* Kinds are read from a directory: one for the whole run. */
static void prepare(void)
{
    if (path[0] != '\0')
        return;
    if (mkdtemp(dir) == NULL)
        abort();
    snprintf(path, sizeof(path), "%s/a.conf", dir);
    atexit(clear);
}

static void write_file(const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fwrite(data, 1, size, file) != size ||
        fclose(file) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ent_config config;
    struct ent_kinds kinds;
    struct ent_vocab vocab;
    struct ent_err err;

    prepare();
    write_file(data, size);
    if (ent_config_init(&config, &err) < 0)
        abort();
    if (ent_config_read(&config, path, &err) == 0)
        ENT_ASSERT(config.dial_seconds >= 1 && config.log_level != NULL);
    ent_config_fini(&config);
    if (ent_kinds_load(dir, &kinds, &err) == 0) {
        ENT_ASSERT(ent_field_named(&kinds.kinds[0], "code") != NULL);
        ent_kinds_fini(&kinds);
    }
    if (ent_vocab_load(path, &vocab, &err) == 0)
        ent_vocab_fini(&vocab);
    return 0;
}
