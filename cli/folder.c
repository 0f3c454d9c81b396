/* folder.c - a package written to a folder; see export.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/codes.h"
#include "cli/conflicts.h"
#include "cli/export.h"
#include "cli/pick.h"
#include "cli/sharing.h"
#include "text/csv.h"

#define PATH_BYTES_MAX 4096

struct folder {
    struct cmd_ctx *ctx;
    const char *dir;
    struct ent_buf json; /* of datapackage.json, resource by resource */
    size_t tables;
    enum ent_sharing sharing;
    size_t left_out;
};

/* Path of a file in the folder; false when it is too long. */
static bool join(const struct folder *folder, const char *name,
                 char path[PATH_BYTES_MAX])
{
    return (size_t)snprintf(path, PATH_BYTES_MAX, "%s/%s", folder->dir, name) <
           PATH_BYTES_MAX;
}

static FILE *open_new(struct folder *folder, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    if (file == NULL) {
        ent_err_set(&folder->ctx->err, errno == EEXIST ? ENT_EUSAGE : ENT_EFAIL,
                    "%s cannot be made: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
    }
    return file;
}

static int close_new(struct folder *folder, FILE *file, const char *path,
                     int rc)
{
    bool written = fflush(file) == 0 && fsync(fileno(file)) == 0;

    written = fclose(file) == 0 && written;
    if (rc == 0 && !written)
        rc = ent_err_set(&folder->ctx->err, ENT_EFAIL,
                         "%s cannot be written: %s", path, strerror(errno));
    if (rc < 0)
        unlink(path);
    return rc;
}

/* The words of the package's `type` and `kind`. */
static void put_type(struct ent_buf *buf, const struct ent_field *field)
{
    static const struct {
        const char *type;
        const char *kind;
    } words[] = {
        [ENT_TYPE_TEXT] = {"string", "string"},
        [ENT_TYPE_CODE] = {"string", "string"},
        [ENT_TYPE_ENUM] = {"string", "enum"},
        [ENT_TYPE_REF] = {"string", "ref"},
        [ENT_TYPE_DATE] = {"string", "date"},
        [ENT_TYPE_DATETIME] = {"string", "datetime"},
        [ENT_TYPE_INTEGER] = {"integer", "integer"},
        [ENT_TYPE_DECIMAL] = {"number", "number"},
        [ENT_TYPE_YESNO] = {"string", "yesno"},
    };
    bool set = field->rule == ENT_RULE_SET;

    ent_buf_printf(buf, "\"type\": \"%s\", \"kind\": \"%s\"",
                   set ? "string" : words[field->type].type,
                   set ? "list" : words[field->type].kind);
}

static void put_field(struct ent_buf *buf, const char *name,
                      const struct ent_field *field)
{
    ent_buf_put_str(buf, "{\"name\": ");
    out_json_string(buf, name);
    ent_buf_put_str(buf, ", ");
    put_type(buf, field);
    if (field->hxl != NULL) {
        ent_buf_put_str(buf, ", \"hxl\": ");
        out_json_string(buf, field->hxl);
    }
    ent_buf_put_u8(buf, '}');
}

static void put_keys(struct ent_buf *buf, const char *key)
{
    ent_buf_put_str(buf, "\"primaryKey\": [");
    while (*key != '\0') {
        size_t len = strcspn(key, "|");

        ent_buf_printf(buf, "\"%.*s\"", (int)len, key);
        key += len + (key[len] == '|');
        ent_buf_put_str(buf, *key == '\0' ? "" : ", ");
    }
    ent_buf_put_u8(buf, ']');
}

static const char dialect[] =
    "\"format\": \"csv\", \"encoding\": \"utf-8\", \"dialect\": "
    "{\"delimiter\": \",\", \"header\": true, \"commentChar\": \"#\"}";

static void describe(struct folder *folder, const struct export *export)
{
    struct ent_buf *buf = &folder->json;

    ent_buf_printf(buf,
                   "%s\n    {\"name\": \"%s\", \"path\": \"%s.csv\", %s,\n"
                   "     \"schema\": {\"fields\": [",
                   folder->tables++ > 0 ? "," : "", export->kind->package,
                   export->kind->package, dialect);
    for (size_t i = 0; i < export->count; i++) {
        ent_buf_put_str(buf, i > 0 ? ",\n      " : "\n      ");
        put_field(buf, export_column_name(export, export->fields[i]),
                  export->fields[i]);
    }
    ent_buf_put_str(buf, "],\n      ");
    put_keys(buf, export->id_column ? "id" : export->kind->key);
    ent_buf_put_str(buf, "}}");
}

static void put_line(struct cmd_ctx *ctx, const char *name, size_t rows)
{
    out_row(ctx->out);
    out_cell(ctx->out, name);
    out_cell_int(ctx->out, (int64_t)rows);
}

static int export_kind(struct folder *folder, const struct ent_kind *kind,
                       int64_t space)
{
    struct cmd_ctx *ctx = folder->ctx;
    struct export export = {
        .kind = kind,
        .space = space,
        .sharing = folder->sharing,
        .separator = ',',
        .hxl = true,
    };
    struct ent_arena arena = {0};
    struct codes codes = {0};
    char path[PATH_BYTES_MAX];
    char name[ENT_NAME_BYTES_MAX];
    FILE *file = NULL;
    size_t rows = 0;
    size_t left_out = 0;
    int rc =
        codes_load_some(ctx, &codes, kind, space, NULL, 0, folder->sharing);

    if (rc == 0)
        rc = export_left_out(ctx, &export, &left_out);
    folder->left_out += left_out;
    rows = codes.count;
    codes_fini(&codes);
    if (rc < 0 || rows == 0)
        return rc;
    snprintf(name, sizeof(name), "%s.csv", kind->package);
    if (!join(folder, name, path))
        return ent_err_set(&ctx->err, ENT_EUSAGE, "the path is too long");
    rc = export_columns(ctx, &export, &arena);
    if (rc == 0 && !ctx->dry_run) {
        file = open_new(folder, path);
        rc = file == NULL ? ctx->err.code
                          : export_table(ctx, &export, file, &rows);
        if (file != NULL)
            rc = close_new(folder, file, path, rc);
    }
    if (rc == 0) {
        describe(folder, &export);
        put_line(ctx, name, rows);
    }
    ent_arena_fini(&arena);
    return rc;
}

static void put_terms(const struct ent_vocab *vocab, struct ent_buf *buf)
{
    ent_buf_put_str(buf,
                    "list,code,label_fr,label_en,external,source\n"
                    "#meta+vocab+code,#meta+item+code,#meta+item+name+i_fr,"
                    "#meta+item+name+i_en,#meta+item+external,#meta+source\n");
    for (size_t i = 0; i < vocab->count; i++) {
        const struct ent_term *term = &vocab->terms[i];
        const char *const cells[] = {
            term->list,
            term->code,
            term->label[ENT_LANG_FR],
            term->label[ENT_LANG_EN],
            term->external,
            term->source,
        };

        for (size_t j = 0; j < ENT_ARRAY_LEN(cells); j++)
            ent_csv_put(buf, ',', j == 0,
                        ent_slice_str(cells[j] == NULL ? "" : cells[j]));
        ent_buf_put_u8(buf, '\n');
    }
}

static int export_file(struct folder *folder, const char *name,
                       struct ent_buf *buf)
{
    char path[PATH_BYTES_MAX];
    FILE *file;
    int rc = 0;

    if (!join(folder, name, path))
        return ent_err_set(&folder->ctx->err, ENT_EUSAGE,
                           "the path is too long");
    if (buf->rc < 0)
        return ent_err_set(&folder->ctx->err, ENT_ENOMEM, "out of memory");
    if (folder->ctx->dry_run)
        return 0;
    file = open_new(folder, path);
    if (file == NULL)
        return folder->ctx->err.code;
    if (fwrite(buf->at, 1, buf->len, file) != buf->len)
        rc = ent_err_set(&folder->ctx->err, ENT_EFAIL,
                         "%s cannot be written: %s", path, strerror(errno));
    return close_new(folder, file, path, rc);
}

/* The codes in the tables mean nothing without their labels. */
static int export_vocabulary(struct folder *folder)
{
    struct ent_buf buf = {0};
    int rc;

    put_terms(&folder->ctx->vocab, &buf);
    rc = export_file(folder, "vocabulary.csv", &buf);
    ent_buf_fini(&buf);
    if (rc < 0)
        return rc;
    ent_buf_printf(&folder->json,
                   "%s\n    {\"name\": \"vocabulary\", "
                   "\"path\": \"vocabulary.csv\", %s,\n     \"schema\": ",
                   folder->tables++ > 0 ? "," : "", dialect);
    ent_buf_put_str(&folder->json,
                    "{\"fields\": [{\"name\": \"list\"}, {\"name\": \"code\"}, "
                    "{\"name\": \"label_fr\"}, {\"name\": \"label_en\"}, "
                    "{\"name\": \"external\"}, {\"name\": \"source\"}],\n"
                    "      \"primaryKey\": [\"list\", \"code\"]}}");
    put_line(folder->ctx, "vocabulary.csv", folder->ctx->vocab.count);
    return 0;
}

static int make_folder(struct folder *folder)
{
    char path[PATH_BYTES_MAX];

    if (!join(folder, "datapackage.json", path))
        return ent_err_set(&folder->ctx->err, ENT_EUSAGE,
                           "the path is too long");
    if (access(path, F_OK) == 0)
        return ent_err_set(&folder->ctx->err, ENT_EUSAGE,
                           "%s is there already; name another folder", path);
    if (!folder->ctx->dry_run && mkdir(folder->dir, 0777) < 0 &&
        errno != EEXIST)
        return ent_err_set(&folder->ctx->err, ENT_EFAIL,
                           "%s cannot be made: %s", folder->dir,
                           strerror(errno));
    return 0;
}

int export_package(struct cmd_ctx *ctx, const char *dir, int64_t space,
                   enum ent_sharing sharing)
{
    struct folder folder = {.ctx = ctx, .dir = dir, .sharing = sharing};
    const char *name = space == 0 ? "entente" : pick_handle(ctx, space);
    int rc = make_folder(&folder);

    if (rc < 0)
        return rc;
    ent_buf_printf(&folder.json,
                   "{\n  \"profile\": \"tabular-data-package\",\n"
                   "  \"name\": \"%s\",\n  \"resources\": [",
                   name);
    out_list_begin(ctx->out);
    out_column(ctx->out, "file", _("file"), OUT_TEXT);
    out_column(ctx->out, "rows", _("rows"), OUT_NUMBER);
    for (size_t i = 0; rc == 0 && i < ctx->kinds.count; i++)
        if (ctx->kinds.kinds[i].package != NULL)
            rc = export_kind(&folder, &ctx->kinds.kinds[i], space);
    if (rc == 0)
        rc = export_vocabulary(&folder);
    out_list_end(ctx->out);
    ent_buf_put_str(&folder.json, "\n  ]\n}\n");
    if (rc == 0)
        rc = export_file(&folder, "datapackage.json", &folder.json);
    if (rc == 0)
        sharing_tell(ctx, folder.left_out);
    if (rc == 0)
        rc = conflicts_warn(ctx, space, NULL);
    ent_buf_fini(&folder.json);
    return rc;
}
