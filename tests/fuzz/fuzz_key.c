/* fuzz_key.c - any bytes as a node's key file. What loads can sign, and loads
 * to the same again from what saving it writes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secure/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/entente-fuzz-XXXXXX";
static char path[sizeof(dir) + 16];
static char saved[sizeof(dir) + 16];

static void clear(void)
{
    unlink(path);
    unlink(saved);
    rmdir(dir);
}

static void prepare(void)
{
    struct ent_err err;

    if (path[0] != '\0')
        return;
    if (mkdtemp(dir) == NULL || ent_secure_init(&err) < 0)
        abort();
    snprintf(path, sizeof(path), "%s/key", dir);
    snprintf(saved, sizeof(saved), "%s/saved", dir);
    atexit(clear);
}

static void write_file(const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fwrite(data, 1, size, file) != size ||
        fclose(file) != 0 || chmod(path, 0600) < 0)
        abort();
}

static void use(const struct ent_keys *keys)
{
    struct ent_slice message = {(const uint8_t *)"m", 1};
    struct ent_keys again;
    struct ent_key curve;
    struct ent_sig sig;
    struct ent_err err;

    ent_sign(keys, message, &sig);
    ENT_ASSERT(ent_sig_verify(&keys->public, message, &sig));
    ENT_ASSERT(ent_key_to_curve(&keys->public, &curve));
    ENT_ASSERT(ent_key_equal(&curve, &keys->curve_public));
    /* A secret key begins with its seed. */
    ENT_ASSERT(ent_keys_save(keys->secret, saved, &err) == 0);
    ENT_ASSERT(ent_keys_load(&again, saved, &err) == 0);
    ENT_ASSERT(ent_key_equal(&again.public, &keys->public));
    ent_keys_fini(&again);
    unlink(saved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ent_keys keys;
    struct ent_err err;

    prepare();
    write_file(data, size);
    if (ent_keys_load(&keys, path, &err) == 0) {
        use(&keys);
        ent_keys_fini(&keys);
    }
    return 0;
}
