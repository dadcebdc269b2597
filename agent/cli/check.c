/* check.c - `stoker check`: is the configuration right, and what would it do?
 *
 * Loading it has found every mistake in it; what is left is to show the files
 * and the ways of their records, to run its tests, and with --connect to ask the
 * clusters.
 * Nothing is created.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/cli/cli.h"
#include "agent/flow/kubernetes.h"

enum { PROBE_MS = 15 * 1000 };

/* ---- Where records go --------------------------------------------------------- */

static bool
same_place(struct mark a, struct mark b)
{
    return a.file == b.file && a.line == b.line && a.column == b.column;
}

/* The map that a route was made from: that of the input, or one of `routes`. */
static const struct node *
find_map(const struct config *config, const struct node *entry, const struct route *r)
{
    const struct node *routes = node_get(tree_root(config->tree), "routes");

    if (same_place(entry->at, r->at))
        return entry;
    for (const struct node *n = node_first_of(routes); n != NULL; n = node_next_of(routes, n))
        if (same_place(n->at, r->at))
            return n;
    return NULL;
}

/* "when status is '404' or /^5/ and host is 'x'" */
static void
print_condition(const struct node *map, const char *key)
{
    const struct node *conditions = node_get(map, key);
    const struct node *first = conditions != NULL ? conditions->first : NULL;

    for (const struct node *c = first; c != NULL; c = c->next) {
        printf("%s %s is", c == first ? key : " and", c->key);
        for (const struct node *n = node_first_of(c); n != NULL; n = node_next_of(c, n)) {
            const char *quote = condition_is_regex(n) && !n->secret ? "" : "'";

            printf("%s %s%s%s", n == node_first_of(c) ? "" : " or", quote, node_shown(n), quote);
        }
    }
}

static void
print_conditions(const struct node *map, const struct route *r)
{
    if (r->when.count > 0)
        print_condition(map, "when");
    if (r->when.count > 0 && r->unless.count > 0)
        fputs(", ", stdout);
    if (r->unless.count > 0)
        print_condition(map, "unless");
    if (r->when.count > 0 || r->unless.count > 0)
        fputs(": ", stdout);
}

/* What a route says of its records, as it was written: no secret is shown. */
static void
print_settings(const struct node *map)
{
    static const char *const keys[] = {
        "key", "partition", "timestamp", "value", "sample", "rate_limit",
    };
    const struct node *headers = node_get(map, "headers");

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct node *n = node_get(map, keys[i]);

        if (n != NULL && n->kind == NODE_SCALAR)
            printf(", %s '%s'", keys[i], node_shown(n));
        else if (n != NULL && n->kind == NODE_MAP)
            printf(", %s as %s", keys[i], node_shown(node_get(n, "format")));
    }
    for (const struct node *n = headers != NULL ? headers->first : NULL; n != NULL; n = n->next)
        printf("%s '%s'", n == headers->first ? ", headers" : ",", n->key);
    if (node_first_of(node_get(map, "redact")) != NULL)
        fputs(", redacted", stdout);
}

static void
print_route(const struct config *config, const struct node *entry, const struct route *r)
{
    const struct node *map = find_map(config, entry, r);

    fputs("  ", stdout);
    print_conditions(map, r);
    if (r->drop) {
        fputs("dropped", stdout);
    } else {
        if (r->topic != NULL)
            printf("topic '%s' of ", node_shown(node_get(map, "topic")));
        printf("output '%s'", r->output->name);
        print_settings(map);
    }
    printf("%s  [%s:%u]\n", r->go_on ? "; and on to the next" : "", r->at.file, r->at.line);
}

static void
print_routes(const struct config *config, const struct input *in, const struct node *entry)
{
    const struct plan *plan = in->plan;
    bool               all = false;

    printf("its records go to%s\n", plan->nroutes > 1 ? " the first of these that takes them" : "");
    for (size_t i = 0; i < plan->nroutes; i++) {
        print_route(config, entry, plan->routes[i]);
        all = all || (plan->routes[i]->when.count == 0 && plan->routes[i]->unless.count == 0);
    }
    if (!all)
        puts("  and nowhere if none takes them");
    putchar('\n');
}

/* ---- Files ------------------------------------------------------------------ */

/* Does the file's name decide about the topic? */
static bool
depends_on_path(const struct route *r)
{
    static const uint32_t fields[] = {
        NAME_LOG_FILE_PATH, NAME_LOG_FILE_NAME, NAME_K8S_NAMESPACE_NAME, NAME_K8S_POD_NAME,
        NAME_K8S_POD_UID, NAME_K8S_CONTAINER_NAME, NAME_K8S_RESTART_COUNT,
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (r->topic != NULL && !r->drop && template_mentions(r->topic, fields[i]))
            return true;
    return false;
}

/* What a record has by its file alone. */
static void
describe_file(struct record *r, const struct plan *plan, const char *path, const char *target)
{
    const char *slash = strrchr(path, '/');

    r->constant[NAME_HOST_NAME] = slice_of(plan->host_name);
    r->constant[NAME_INPUT] = slice_of(plan->input);
    r->constant[NAME_LOG_FILE_PATH] = slice_of(path);
    r->constant[NAME_LOG_FILE_NAME] = slice_of(slash != NULL ? slash + 1 : path);
    kubernetes_set(r->constant, slice_of(path), slice_of(target));
}

static bool
some_depends_on_path(const struct plan *plan)
{
    for (size_t i = 0; i < plan->nroutes; i++)
        if (depends_on_path(plan->routes[i]))
            return true;
    return false;
}

/* The topics of one file's records, as far as its name decides about them. */
static void
print_topics(const struct config *config, const struct plan *plan, const struct node *entry,
             const char *path)
{
    char         *target = realpath(path, NULL);
    struct record record;
    struct arena  arena;
    struct slice  topic;

    arena_init(&arena);
    record_init(&record, config->names);
    describe_file(&record, plan, path, target);
    for (size_t i = 0; i < plan->nroutes; i++) {
        const struct route *r = plan->routes[i];

        if (depends_on_path(r) && !node_get(find_map(config, entry, r), "topic")->secret &&
            template_render(r->topic, &record, &arena, &topic))
            printf("  -> topic '%.*s'%s", SLICE_ARG(topic),
                   route_topic_allowed(r, topic) ? "" : " (not allowed)");
    }
    record_fini(&record);
    arena_fini(&arena);
    free(target);
}

static void
print_file(const struct config *config, const struct plan *plan, const struct node *entry,
           const char *path)
{
    char      *folder = *path != '/' ? getcwd(NULL, 0) : NULL;
    struct buf shown = { NULL, 0, 0 };

    if (folder != NULL)
        printf("  %s/%s", folder, cli_shown_path(&shown, path));
    else
        printf("  %s", cli_shown_path(&shown, path));
    if (some_depends_on_path(plan))
        print_topics(config, plan, entry, path);
    putchar('\n');
    free(folder);
    buf_fini(&shown);
}

/* The patterns of an input that finds nothing, as they were written. */
static void
print_patterns(const struct node *paths)
{
    fputs("  nothing now: no file matches", stdout);
    for (const struct node *n = node_first_of(paths); n != NULL; n = node_next_of(paths, n))
        printf(" '%s'", node_shown(n));
    putchar('\n');
}

static int
print_files(const struct config *config, struct input *in, const struct node *entry)
{
    struct strings paths = { NULL, 0, 0 };
    struct error   err;
    const int      rc = in->ops->list(in, &paths, &err);

    printf("input '%s' follows", in->plan->input);
    if (paths.count > 0)
        printf(" %zu file%s", paths.count, paths.count == 1 ? "" : "s");
    putchar('\n');
    if (rc == 0 && paths.count == 0)
        print_patterns(node_get(entry, "paths"));
    for (size_t i = 0; i < paths.count; i++)
        print_file(config, in->plan, entry, paths.list[i]);
    strings_fini(&paths);
    if (rc < 0)
        fprintf(stderr, "stoker: input '%s': %s\n", in->plan->input, err.text);
    return rc;
}

static int
print_input(const struct config *config, struct input *in, const struct node *entry)
{
    const int rc = print_files(config, in, entry);

    print_routes(config, in, entry);
    return rc;
}

/* Every entry of `inputs` has become an input, in the same order. */
static int
print_inputs(const struct config *config)
{
    const struct node *entry = node_get(tree_root(config->tree), "inputs")->first;
    int                status = EXIT_DONE;

    for (size_t i = 0; i < config->ninputs; i++, entry = entry->next)
        if (print_input(config, config->inputs[i], entry) < 0)
            status = EXIT_FAILED;
    return status;
}

/* ---- --connect -------------------------------------------------------------- */

/* The topics of an output that are known before any record is. */
static void
find_topics(const struct config *config, const struct output *o, struct strings *topics)
{
    for (size_t i = 0; i < config->nroutes; i++) {
        const struct route *r = config->routes[i];
        struct slice        text;
        char               *name;

        if (r->output != o || r->topic == NULL || r->drop || !template_constant(r->topic, &text))
            continue;
        name = mem_copy(text.ptr, text.len);
        if (!strings_have(topics, name))
            strings_add(topics, name);
        free(name);
    }
}

/* The longest line that may go to this output. */
static uint64_t
find_max_line(const struct config *config, const struct output *o)
{
    uint64_t most = 0;

    for (size_t i = 0; i < config->ninputs; i++) {
        const struct plan *plan = config->inputs[i]->plan;

        for (size_t j = 0; j < plan->nroutes; j++)
            if (plan->routes[j]->output == o && plan_longest(plan) > most)
                most = plan_longest(plan);
    }
    return most;
}

static void
print_tried(const struct output *o, const struct strings *topics)
{
    printf("output '%s' was reached", o->name);
    for (size_t i = 0; i < topics->count; i++)
        printf("%s '%s'", i == 0 ? "; topics that are fine:" : ",", topics->list[i]);
    putchar('\n');
}

static int
probe(const struct config *config, struct output *o)
{
    struct strings topics = { NULL, 0, 0 };
    struct errors  errs = { NULL, 0, 0 };
    int            rc;

    find_topics(config, o, &topics);
    rc = o->ops->probe(o, &topics, find_max_line(config, o), PROBE_MS, &errs);
    if (rc < 0)
        tree_print_errors(stderr, config->tree, &errs);
    else
        print_tried(o, &topics);
    errors_fini(&errs);
    strings_fini(&topics);
    return rc;
}

static int
probe_outputs(const struct config *config)
{
    int status = EXIT_DONE;

    for (size_t i = 0; i < config->noutputs; i++)
        if (config->outputs[i]->ops->probe != NULL && probe(config, config->outputs[i]) < 0)
            status = EXIT_CLUSTER;
    return status;
}

static int
check(const char *file, bool connect)
{
    struct config *config = cli_load(file);
    int            status;

    if (config == NULL)
        return EXIT_CONFIG;
    status = print_inputs(config);
    fflush(stdout);
    if (cli_check_tests(config) != EXIT_DONE)
        status = EXIT_FAILED;
    if (connect && status == EXIT_DONE)
        status = probe_outputs(config);
    if (status == EXIT_DONE)
        puts("the configuration is valid");
    config_free(config);
    return status;
}

int
cli_check(int argc, char **argv)
{
    static const struct option longs[] = {
        { "config", required_argument, NULL, 'c' }, { "connect", no_argument, NULL, 'C' },
        { NULL, 0, NULL, 0 },
    };
    const char *file = NULL;
    bool        connect = false;
    int         option;

    while ((option = cli_option(argc, argv, ":c:", longs)) != -1) {
        if (option == 'c')
            file = optarg;
        else if (option == 'C')
            connect = true;
        else
            return EXIT_USAGE;
    }
    if (optind < argc)
        return cli_usage("check", "unexpected argument '%s'", argv[optind]);
    return check(file, connect);
}
