/* settings.c - see settings.h. */
#include "cli/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/look.h"
#include "cli/me.h"
#include "cli/pick.h"
#include "text/datadir.h"

#define PATH_BYTES (ENT_PATH_MAX + 32)
#define FILE_BYTES_MAX (64 << 10)

static const struct {
    const char *key;
    const char *label;
    enum out_type type;
    bool of_daemon; /* which reads it once, at its start */
} settings[] = {
    {"me", N_("the contact who works here"), OUT_TEXT, false},
    {"listen", N_("address listened on"), OUT_TEXT, true},
    {"endpoints", N_("addresses told to members"), OUT_LIST, true},
    {"dial_seconds", N_("seconds between attempts"), OUT_NUMBER, true},
    {"poll_ms", N_("milliseconds between looks at the replica"), OUT_NUMBER,
     true},
    {"connections_max", N_("connections at most"), OUT_NUMBER, true},
    {"log_level", N_("messages logged"), OUT_TEXT, true},
};

static void config_path(const struct cmd_ctx *ctx, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/config", ctx->home);
}

int settings_read(struct cmd_ctx *ctx, struct ent_config *config)
{
    char path[PATH_BYTES];
    int rc = ent_config_init(config, &ctx->err);

    if (rc < 0)
        return rc;
    config_path(ctx, path);
    rc = ent_config_read(config, path, &ctx->err);
    if (rc == ENT_ENOTFOUND)
        rc = 0;
    if (rc < 0)
        ent_config_fini(config);
    return rc;
}

/* ----------------------------------------------------------------- printing */

/* The value of one setting, as text or as a JSON list; NULL when it has
 * none. */
static const char *value_of(size_t i, const struct ent_config *config,
                            struct ent_buf *buf)
{
    const char *key = settings[i].key;

    if (strcmp(key, "me") == 0)
        return config->me;
    if (strcmp(key, "listen") == 0)
        return config->listen;
    if (strcmp(key, "log_level") == 0)
        return config->log_level;
    if (strcmp(key, "dial_seconds") == 0) {
        ent_buf_printf(buf, "%d", config->dial_seconds);
    } else if (strcmp(key, "poll_ms") == 0) {
        ent_buf_printf(buf, "%d", config->poll_ms);
    } else if (strcmp(key, "connections_max") == 0) {
        ent_buf_printf(buf, "%d", config->connections_max);
    } else {
        ent_buf_put_u8(buf, '[');
        for (int n = 0; n < config->endpoint_count; n++) {
            if (n > 0)
                ent_buf_put_u8(buf, ',');
            out_json_string(buf, config->endpoints[n]);
        }
        ent_buf_put_u8(buf, ']');
    }
    return ent_buf_cstr(buf);
}

/* An object for programs; for people a table that tells what each is. */
static void print_settings(struct cmd_ctx *ctx, const struct ent_config *config,
                           const char *only)
{
    struct out *out = ctx->out;
    bool program = look_for_program(ctx);

    if (program) {
        out_object_begin(out);
    } else {
        out_list_begin(out);
        out_column(out, "setting", _("setting"), OUT_TEXT);
        out_column(out, "value", _("value"), OUT_TEXT);
        out_column(out, "meaning", _("meaning"), OUT_TEXT);
    }
    for (size_t i = 0; i < ENT_ARRAY_LEN(settings); i++) {
        const char *label = gettext(settings[i].label);
        struct ent_buf buf = {0};
        const char *value = value_of(i, config, &buf);

        if (only != NULL && strcmp(settings[i].key, only) != 0) {
            ent_buf_fini(&buf);
            continue;
        }
        if (program) {
            out_field_as(out, settings[i].key, label, settings[i].type, value);
        } else {
            out_row(out);
            out_cell(out, settings[i].key);
            out_cell_as(out, settings[i].type, value);
            out_cell(out, label);
        }
        ent_buf_fini(&buf);
    }
    if (program)
        out_object_end(out);
    else
        out_list_end(out);
}

static int print_config(struct cmd_ctx *ctx, const char *only)
{
    struct ent_config config;
    int rc = settings_read(ctx, &config);

    if (rc < 0)
        return rc;
    print_settings(ctx, &config, only);
    ent_config_fini(&config);
    return 0;
}

/* ------------------------------------------------------------------ setting */

static int read_file(struct cmd_ctx *ctx, const char *path,
                     struct ent_buf *text)
{
    FILE *file = fopen(path, "re");
    char block[4096];
    size_t len;
    bool failed;

    if (file == NULL && errno == ENOENT)
        return 0;
    if (file == NULL)
        return ent_err_set(&ctx->err, ENT_ESTORE, "%s cannot be opened: %s",
                           path, strerror(errno));
    while ((len = fread(block, 1, sizeof(block), file)) > 0 &&
           text->len <= FILE_BYTES_MAX)
        ent_buf_put(text, block, len);
    failed = ferror(file) != 0;
    fclose(file);
    if (failed || text->len > FILE_BYTES_MAX || text->rc < 0 ||
        memchr(text->at, '\0', text->len) != NULL)
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "%s is no settings file; it was left as it is",
                           path);
    return 0;
}

/* Where a line at `at` that gives `key` ends; NULL when it gives another. A
 * list may go on over several lines, up to its brace. */
static const char *setting_end(const char *at, const char *key)
{
    const char *end = at + strspn(at, " \t");
    size_t len = strlen(key);

    if (strncmp(end, key, len) != 0)
        return NULL;
    end += len;
    end += strspn(end, " \t");
    end += *end == '+';
    if (*end != '=')
        return NULL;
    end++;
    end += strspn(end, " \t");
    if (*end == '{')
        end += strcspn(end, "}");
    end += strcspn(end, "\n");
    return *end == '\0' ? end : end + 1;
}

/* "a" or {"a", "b"}: what stands in the way of quoting is refused. */
static int put_value(struct cmd_ctx *ctx, struct ent_buf *text, bool list,
                     const char *value)
{
    if (value[strcspn(value, "\"\\$\n\r")] != '\0')
        return ent_err_set(&ctx->err, ENT_EREFUSED,
                           "a setting has no quotation mark, backslash, dollar "
                           "or line end");
    if (list)
        ent_buf_put_u8(text, '{');
    for (;;) {
        size_t len = list ? strcspn(value, ",") : strlen(value);

        ent_buf_put_u8(text, '"');
        ent_buf_put(text, value, len);
        ent_buf_put_u8(text, '"');
        if (value[len] == '\0')
            break;
        ent_buf_put_str(text, ", ");
        value += len + 1;
        value += strspn(value, " ");
    }
    ent_buf_put_str(text, list ? "}\n" : "\n");
    return 0;
}

/* The file with the setting in its old place, or at the end; without it when
 * the value is empty. */
static int put_file(struct cmd_ctx *ctx, struct ent_buf *text, const char *old,
                    size_t setting, const char *value)
{
    const char *key = settings[setting].key;
    bool done = *value == '\0';
    int rc = 0;

    while (rc == 0 && (*old != '\0' || !done)) {
        const char *end = *old == '\0' ? old : setting_end(old, key);

        if (end != NULL && !done) {
            if (text->len > 0 && text->at[text->len - 1] != '\n')
                ent_buf_put_u8(text, '\n');
            ent_buf_printf(text, "%s = ", key);
            rc =
                put_value(ctx, text, settings[setting].type == OUT_LIST, value);
            done = true;
        }
        if (end == NULL) {
            end = old + strcspn(old, "\n");
            end += *end == '\n';
            ent_buf_put(text, old, (size_t)(end - old));
        }
        old = end;
    }
    return rc;
}

/* What is wrong with the file that was made is told of the one it was made
 * for, which is the one people know. */
static void name_file(struct ent_err *err, const char *path, const char *made)
{
    size_t len = strlen(path);
    size_t made_len = strlen(made);

    if (strncmp(err->text, made, made_len) == 0)
        memmove(err->text + len, err->text + made_len,
                strlen(err->text + made_len) + 1);
}

/* Write beside, see whether it is read, put in place. */
static int replace_file(struct cmd_ctx *ctx, const char *path,
                        const struct ent_buf *text)
{
    struct ent_config config;
    char made[PATH_BYTES + 8];
    bool written;
    int rc, fd;

    snprintf(made, sizeof(made), "%s.new", path);
    fd =
        open(made, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return ent_err_set(&ctx->err, ENT_ESTORE, "%s cannot be written: %s",
                           path, strerror(errno));
    written = text->rc == 0 &&
              write(fd, text->at, text->len) == (ssize_t)text->len &&
              fsync(fd) == 0;
    close(fd);
    rc = ent_config_init(&config, &ctx->err);
    if (rc == 0 && !written)
        rc = ent_err_set(&ctx->err, ENT_ESTORE, "%s cannot be written: %s",
                         path, strerror(errno));
    if (rc == 0)
        rc = ent_config_read(&config, made, &ctx->err);
    if (rc < 0)
        name_file(&ctx->err, path, made);
    if (rc == 0 && !ctx->dry_run && rename(made, path) < 0)
        rc = ent_err_set(&ctx->err, ENT_ESTORE, "%s cannot be written: %s",
                         path, strerror(errno));
    ent_config_fini(&config);
    if (rc < 0 || ctx->dry_run)
        unlink(made);
    return rc < 0 || ctx->dry_run ? rc : ent_dir_sync(ctx->home, &ctx->err);
}

/* Who is not here may be on the way, or in a space still to be joined; a record
 * that is no contact is a mistake. Without a replica nobody can tell. */
static int check_me(struct cmd_ctx *ctx, const char *name, bool *unknown)
{
    const struct ent_kind *kind;
    struct ent_record_ref ref;
    int rc;

    *unknown = false;
    if (cmd_store(ctx) == NULL)
        return ctx->err.code == ENT_ENOTFOUND ? 0 : ctx->err.code;
    rc = pick_record(ctx, name, &ref, &kind);
    *unknown = rc == ENT_ENOTFOUND;
    if (*unknown)
        return 0;
    return rc < 0 ? rc : me_contact(ctx, name, &ref);
}

static int change_config(struct cmd_ctx *ctx, size_t setting, const char *value)
{
    bool is_me = strcmp(settings[setting].key, "me") == 0 && *value != '\0';
    bool unknown = false;
    struct ent_buf old = {0};
    struct ent_buf text = {0};
    char path[PATH_BYTES];
    int rc = is_me ? check_me(ctx, value, &unknown) : 0;

    config_path(ctx, path);
    if (rc == 0)
        rc = read_file(ctx, path, &old);
    if (rc == 0 && ent_buf_cstr(&old) != NULL)
        rc = put_file(ctx, &text, ent_buf_cstr(&old), setting, value);
    if (rc == 0)
        rc = replace_file(ctx, path, &text);
    if (rc == 0 && ctx->dry_run)
        cmd_say(ctx, _("would set %s to \"%s\" in %s"), settings[setting].key,
                value, path);
    else if (rc == 0 && settings[setting].of_daemon)
        cmd_say(ctx, "%s", _("a running entented takes it at its next start"));
    if (rc == 0 && unknown)
        rc = me_tell_unknown(ctx, value);
    ent_buf_fini(&old);
    ent_buf_fini(&text);
    return rc;
}

/* ------------------------------------------------------------------ command */

static int find_setting(struct cmd_ctx *ctx, const char *key, size_t *at)
{
    for (size_t i = 0; i < ENT_ARRAY_LEN(settings); i++)
        if (strcmp(settings[i].key, key) == 0) {
            *at = i;
            return 0;
        }
    return ent_err_set(&ctx->err, ENT_ENOTFOUND,
                       "there is no setting \"%s\"; \"config\" lists them",
                       key);
}

int settings_command(struct cmd_ctx *ctx, int argc, char **argv)
{
    char *value = NULL;
    size_t setting = 0;
    int rc = 0;

    if (args_take(NULL, 0, &argc, argv, &ctx->err) < 0)
        return cmd_fail(ctx);
    if (argc > 2)
        return cmd_usage(ctx, argv[0]);
    if (argc == 2) {
        value = strchr(argv[1], '=');
        if (value != NULL)
            *value++ = '\0';
        rc = find_setting(ctx, argv[1], &setting);
    }
    if (rc == 0 && value != NULL)
        rc = change_config(ctx, setting, value);
    else if (rc == 0)
        rc = print_config(ctx, argc == 2 ? argv[1] : NULL);
    return rc < 0 ? cmd_fail(ctx) : CMD_OK;
}
