/* main.c - entented: options, configuration, and everything the loop needs. */
#include <errno.h>
#include <getopt.h>
#include <libintl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "config.h"
#include "node/loop.h"
#include "node/notify.h"
#include "node/wall.h"
#include "secure/rand.h"
#include "store/peers.h"
#include "text/config.h"
#include "text/datadir.h"
#include "text/kinds.h"
#include "text/lang.h"

#define _(text) gettext(text)

/* A connection takes a descriptor, a peer we dial takes four. */
#define FILES_WANTED 16384

static const struct ent_built built = ENT_BUILT;

struct start {
    const char *home;
    const char *listen;
    const char *config;
    const char *lang;
    const char *endpoints[ENT_ENDPOINTS_MAX];
    size_t endpoint_count;
    int64_t offset_ms;
    bool help, version;
};

/* What the daemon holds while it runs, released in reverse. */
struct node {
    char home[ENT_PATH_MAX];
    struct ent_config config;
    struct ent_rand rand;
    struct ent_kinds kinds;
    struct loop loop;
};

/* ------------------------------------------------------------------ options */

static void print_help(void)
{
    printf(_("usage: entented [--home DIR] [--listen ENDPOINT]\n"
             "                [--config FILE] [--endpoint ENDPOINT]...\n"
             "\n"
             "Keeps a node's replica equal with those of the other members.\n"
             "\n"
             "  --home DIR           the node's directory\n"
             "  --listen ENDPOINT    where others reach this node, for "
             "example\n"
             "                       tcp://*:4747; without it this node only "
             "dials\n"
             "  --endpoint ENDPOINT  what members are told to dial; may be "
             "repeated\n"
             "  --config FILE        settings, instead of the file \"config\" "
             "in the\n"
             "                       node's directory\n"
             "  --lang fr|en         language of messages\n"
             "  --now-offset MS      move this node's clock, for tests\n"
             "  --version            print the version\n"
             "  --help               print this\n"));
}

static int read_number(const char *text, int64_t *number, struct ent_err *err)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' ||
        llabs(value) > ENT_TIME_MS_MAX)
        return ent_err_set(err, ENT_EUSAGE,
                           "--now-offset takes milliseconds, not \"%s\"", text);
    *number = value;
    return 0;
}

static int add_endpoint(struct start *start, const char *endpoint,
                        struct ent_err *err)
{
    if (start->endpoint_count == ENT_ENDPOINTS_MAX)
        return ent_err_set(err, ENT_EUSAGE, "--endpoint is given too often");
    start->endpoints[start->endpoint_count++] = endpoint;
    return 0;
}

static int read_options(struct start *start, int argc, char **argv,
                        struct ent_err *err)
{
    static const struct option options[] = {
        {"home", required_argument, NULL, 'd'},
        {"listen", required_argument, NULL, 'l'},
        {"config", required_argument, NULL, 'c'},
        {"endpoint", required_argument, NULL, 'e'},
        {"lang", required_argument, NULL, 'g'},
        {"now-offset", required_argument, NULL, 'o'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option, rc = 0;

    opterr = 0;
    while (rc == 0 &&
           (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            start->home = optarg;
            break;
        case 'l':
            start->listen = optarg;
            break;
        case 'c':
            start->config = optarg;
            break;
        case 'e':
            rc = add_endpoint(start, optarg, err);
            break;
        case 'g':
            start->lang = optarg;
            break;
        case 'o':
            rc = read_number(optarg, &start->offset_ms, err);
            break;
        case 'v':
            start->version = true;
            break;
        case 'h':
            start->help = true;
            break;
        default:
            rc = ent_err_set(err, ENT_EUSAGE,
                             "%s: unknown, or its value is missing; see "
                             "entented --help",
                             argv[optind - 1]);
            break;
        }
    }
    if (rc == 0 && optind < argc)
        rc = ent_err_set(err, ENT_EUSAGE,
                         "entented takes options only, not \"%s\"",
                         argv[optind]);
    return rc;
}

/* The language is set before the options are complained about in it. */
static void set_language(const struct start *start)
{
    enum ent_lang lang = ent_lang_environment();

    if (start->lang != NULL)
        (void)!ent_lang_parse(start->lang, &lang);
    ent_lang_set(lang, ent_localedir(&built));
}

/* ------------------------------------------------------------ configuration */

static int replace(char **text, const char *with, struct ent_err *err)
{
    char *copy = strdup(with);

    if (copy == NULL)
        return ent_err_set(err, ENT_ENOMEM, "out of memory");
    free(*text);
    *text = copy;
    return 0;
}

/* The file, then the options over it. */
static int read_config(struct node *node, const struct start *start,
                       struct ent_err *err)
{
    struct ent_config *config = &node->config;
    char path[ENT_PATH_MAX + 16];
    int rc = ent_config_init(config, err);

    snprintf(path, sizeof(path), "%s/config", node->home);
    if (rc == 0) {
        rc = ent_config_read(config,
                             start->config != NULL ? start->config : path, err);
        if (rc == ENT_ENOTFOUND && start->config == NULL)
            rc = 0;
    }
    if (rc == 0 && start->listen != NULL)
        rc = replace(&config->listen, start->listen, err);
    for (size_t i = 0; rc == 0 && i < start->endpoint_count; i++) {
        config->endpoint_count = (int)i + 1;
        rc = replace(&config->endpoints[i], start->endpoints[i], err);
    }
    if (rc == 0 && !log_level_parse(config->log_level, &node->loop.log.level))
        rc = ent_err_set(err, ENT_EREFUSED, "no such log level: %s",
                         config->log_level);
    return rc;
}

/* Every address of this machine: none that another could dial. */
static bool is_wildcard(const char *endpoint)
{
    return strstr(endpoint, "//0.0.0.0:") != NULL ||
           strstr(endpoint, "//[::]:") != NULL ||
           strstr(endpoint, "//*:") != NULL;
}

/* Members are told what is configured, else the address that is bound when
 * another machine could make sense of it. */
static void announce(struct node *node)
{
    const struct ent_config *config = &node->config;
    const char *bound = ent_link_bound(node->loop.link);
    const char *endpoints[ENT_ENDPOINTS_MAX];
    size_t count = 0;
    struct ent_err err;

    for (int i = 0; i < config->endpoint_count; i++)
        endpoints[count++] = config->endpoints[i];
    if (count == 0 && bound != NULL && !is_wildcard(bound))
        endpoints[count++] = bound;
    if (ent_self_endpoints_set(node->loop.store, endpoints, count, &err) < 0)
        log_say(&node->loop.log, LEVEL_ERROR,
                _("members are not told this node's address: %s"), err.text);
}

/* ------------------------------------------------------------------- opening
 */

static int load_kinds(struct node *node, struct ent_err *err)
{
    char path[ENT_PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/kinds", ent_datadir(&built)) >=
        (int)sizeof(path))
        return ent_err_set(err, ENT_EUSAGE, "the path of the data is too long");
    return ent_kinds_load(path, &node->kinds, err);
}

static int open_store(struct node *node, struct ent_err *err)
{
    const struct ent_store_options options = {
        .kinds = &node->kinds,
        .rand = &node->rand,
        .now_ms = wall_now_ms(node->loop.log.offset_ms),
    };
    const char *fresh;
    int rc = ent_store_open(node->home, &options, &node->loop.store, err);

    if (rc < 0)
        return rc;
    fresh = ent_store_fresh(node->loop.store);
    if (fresh != NULL)
        log_say(&node->loop.log, LEVEL_WARNING,
                _("this node writes under a new origin from now on: %s"),
                gettext(fresh));
    return 0;
}

static int open_engine(struct node *node, struct ent_err *err)
{
    const struct ent_engine_options options = {
        .dial_members = true,
        .dial_seconds = node->config.dial_seconds,
    };

    return ent_engine_new(node->loop.store, &node->rand, &options,
                          &node->loop.engine, err);
}

static int open_link(struct node *node, struct ent_err *err)
{
    const struct ent_keys *keys = ent_store_keys(node->loop.store);
    const struct ent_link_options options = {
        .curve_secret = keys->curve_secret,
        .curve_public = keys->curve_public,
        .listen = node->config.listen,
        .inbound_max = (uint32_t)node->config.connections_max,
    };

    return ent_link_open(&options, &node->loop.link, err);
}

/* Before any thread is started, so that all of them leave these to us. */
static int open_signals(struct node *node, struct ent_err *err)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error, no end */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    node->loop.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (node->loop.signals < 0)
        return ent_err_set(err, ENT_EFAIL, "signals: %s", strerror(errno));
    return 0;
}

static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur < FILES_WANTED)
        limit.rlim_cur =
            limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int node_open(struct node *node, const struct start *start,
                     struct ent_err *err)
{
    int rc = ent_home(start->home, node->home, err);

    node->loop.log.offset_ms = start->offset_ms;
    if (rc == 0)
        rc = read_config(node, start, err);
    if (rc == 0)
        rc = ent_secure_init(err);
    if (rc < 0)
        return rc;
    ent_rand_init_system(&node->rand);
    node->loop.poll_ms = node->config.poll_ms;
    raise_file_limit();
    rc = open_signals(node, err);
    if (rc == 0)
        rc = load_kinds(node, err);
    /* Before the replica is opened: it may be put back from a backup until
     * we hold the lock. */
    if (rc == 0)
        rc = control_open(&node->loop.control, node->home, err);
    if (rc == 0)
        rc = open_store(node, err);
    if (rc == 0)
        rc = open_engine(node, err);
    if (rc == 0)
        rc = open_link(node, err);
    return rc;
}

static void node_close(struct node *node)
{
    ent_link_close(node->loop.link);
    ent_engine_free(node->loop.engine);
    ent_store_close(node->loop.store);
    control_close(&node->loop.control);
    ent_kinds_fini(&node->kinds);
    ent_rand_fini(&node->rand);
    ent_config_fini(&node->config);
    if (node->loop.signals >= 0)
        close(node->loop.signals);
}

static int node_run(struct node *node, struct ent_err *err)
{
    const char *bound = ent_link_bound(node->loop.link);
    int rc;

    announce(node);
    if (bound != NULL)
        log_say(&node->loop.log, LEVEL_INFO, _("listening on %s"), bound);
    else
        log_say(&node->loop.log, LEVEL_INFO,
                _("listening nowhere: this node only dials"));
    notify(NOTIFY_READY);
    rc = loop_run(&node->loop, err);
    notify(NOTIFY_STOPPING);
    log_say(&node->loop.log, LEVEL_INFO, _("ended"));
    return rc;
}

/* As the commands' (docs/man/entente.1). */
static int exit_status(int code)
{
    switch (code) {
    case ENT_OK:
        return 0;
    case ENT_EUSAGE:
        return 2;
    case ENT_ENOTFOUND:
        return 3;
    case ENT_EDENIED:
        return 4;
    case ENT_EREFUSED:
        return 5;
    case ENT_ESTORE:
        return 7;
    case ENT_EPEER:
        return 8;
    default:
        return 1;
    }
}

int main(int argc, char **argv)
{
    static struct node node = {
        .loop = {.signals = -1,
                 .control = {.lock = -1, .socket = -1},
                 .log = {.level = LEVEL_INFO}},
    };
    struct start start = {0};
    enum ent_lang lang;
    struct ent_err err;
    int rc = read_options(&start, argc, argv, NULL);

    set_language(&start);
    if (rc < 0) { /* once more, for the sentence in that language */
        start = (struct start){0};
        optind = 0;
        rc = read_options(&start, argc, argv, &err);
    } else if (start.help || start.version) {
        if (start.help)
            print_help();
        else
            printf("entented %s\n", ENT_VERSION);
        return fflush(stdout) == 0 ? 0 : 1;
    } else if (start.lang != NULL && !ent_lang_parse(start.lang, &lang)) {
        rc = ent_err_set(&err, ENT_EUSAGE, "--lang takes fr or en, not \"%s\"",
                         start.lang);
    }
    if (rc == 0)
        rc = node_open(&node, &start, &err);
    if (rc == 0)
        rc = node_run(&node, &err);
    if (rc < 0)
        log_say(&node.loop.log, LEVEL_ERROR, "%s", err.text);
    node_close(&node);
    return exit_status(rc);
}
