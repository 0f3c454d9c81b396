/* replay_main.c - runs a fuzzer's target over the files named, or over those
 * in the folders named: corpora are ordinary tests with any compiler. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    struct stat st;
    FILE *file = fopen(path, "rb");
    uint8_t *bytes;

    if (file == NULL || fstat(fileno(file), &st) < 0) {
        perror(path);
        return -1;
    }
    bytes = malloc((size_t)st.st_size + 1);
    if (bytes == NULL ||
        fread(bytes, 1, (size_t)st.st_size, file) != (size_t)st.st_size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(bytes, (size_t)st.st_size);
    free(bytes);
    return 1;
}

static int replay_all(const char *dir)
{
    struct dirent **names;
    int count = scandir(dir, &names, NULL, alphasort);
    int done = 0;

    if (count < 0)
        return replay(dir);
    for (int i = 0; i < count; i++) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && done >= 0)
            done = replay(path) < 0 ? -1 : done + 1;
        free(names[i]);
    }
    free(names);
    return done;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++) {
        int done = replay_all(argv[i]);

        if (done < 0)
            return 1;
        count += done;
    }
    printf("%d inputs\n", count);
    return count == 0;
}
