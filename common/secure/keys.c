/* keys.c - see keys.h. */
#include "secure/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secure/hash.h"

#define KEY_FILE_TAG "entente-key-1 "
#define KEY_FILE_LEN (sizeof(KEY_FILE_TAG) - 1 + 64 + 1)

int ent_secure_init(struct ent_err *err)
{
    if (sodium_init() < 0)
        return ent_err_set(err, ENT_EFAIL, ENT_N_("libsodium does not start"));
    if (sodium_library_version_major() < 10)
        return ent_err_set(err, ENT_EFAIL,
                           ENT_N_("libsodium is too old: 1.0.18 is needed"));
    ent_sum_prepare();
    return 0;
}

void ent_keys_from_seed(struct ent_keys *keys,
                        const uint8_t seed[ENT_SEED_BYTES])
{
    int rc = crypto_sign_seed_keypair(keys->public.b, keys->secret, seed);

    ENT_ASSERT(rc == 0);
    rc = crypto_sign_ed25519_pk_to_curve25519(keys->curve_public.b,
                                              keys->public.b);
    ENT_ASSERT(rc == 0);
    rc = crypto_sign_ed25519_sk_to_curve25519(keys->curve_secret, keys->secret);
    ENT_ASSERT(rc == 0);
}

void ent_keys_fini(struct ent_keys *keys)
{
    sodium_memzero(keys, sizeof(*keys));
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        text += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

int ent_keys_save(const uint8_t seed[ENT_SEED_BYTES], const char *path,
                  struct ent_err *err)
{
    char text[KEY_FILE_LEN + 1] = KEY_FILE_TAG;
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc = 0;

    if (fd < 0)
        return ent_err_set(err, ENT_ESTORE,
                           ENT_N_("cannot make the key file %s: %s"), path,
                           strerror(errno));
    ent_hex_put(text + sizeof(KEY_FILE_TAG) - 1, seed, 32);
    text[KEY_FILE_LEN - 1] = '\n';
    if (write_all(fd, text, KEY_FILE_LEN) < 0) {
        rc = ent_err_set(err, ENT_ESTORE,
                         ENT_N_("cannot write the key file %s: %s"), path,
                         strerror(errno));
        unlink(path);
    }
    close(fd);
    sodium_memzero(text, sizeof(text));
    return rc;
}

int ent_keys_load(struct ent_keys *keys, const char *path, struct ent_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char text[KEY_FILE_LEN + 1];
    uint8_t seed[ENT_SEED_BYTES];
    struct stat st;
    ssize_t len;
    int rc = 0;

    if (fd < 0)
        return ent_err_set(err, ENT_ESTORE,
                           ENT_N_("cannot read the key file %s: %s"), path,
                           strerror(errno));
    if (fstat(fd, &st) < 0 || (st.st_mode & 077) != 0) {
        close(fd);
        return ent_err_set(
            err, ENT_EDENIED,
            ENT_N_("others may read the key file %s: chmod 600 it"), path);
    }
    len = read(fd, text, sizeof(text));
    close(fd);
    if (len != KEY_FILE_LEN ||
        memcmp(text, KEY_FILE_TAG, sizeof(KEY_FILE_TAG) - 1) != 0 ||
        !ent_hex_get(seed, sizeof(seed), text + sizeof(KEY_FILE_TAG) - 1, 64))
        rc = ent_err_set(err, ENT_EREFUSED, ENT_N_("%s is no key file"), path);
    else
        ent_keys_from_seed(keys, seed);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(text, sizeof(text));
    return rc;
}

bool ent_key_to_curve(const struct ent_key *key, struct ent_key *curve)
{
    return crypto_sign_ed25519_pk_to_curve25519(curve->b, key->b) == 0;
}

void ent_sign(const struct ent_keys *keys, struct ent_slice message,
              struct ent_sig *sig)
{
    crypto_sign_detached(sig->b, NULL, message.at, message.len, keys->secret);
}

bool ent_sig_verify(const struct ent_key *key, struct ent_slice message,
                    const struct ent_sig *sig)
{
    return crypto_sign_verify_detached(sig->b, message.at, message.len,
                                       key->b) == 0;
}
