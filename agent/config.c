/* config.c - see config.h.
 *
 * The order is that of reference: outputs and parsers are named by routes and
 * inputs, so they come first; the routes know the outputs, the inputs are
 * given their routes last.  Something that is broken still counts as being
 * there: who refers to it is not blamed for it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/config.h"

#include <assert.h>
#include <fnmatch.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/registry.h"

enum { LONGEST_NAME = 100, DEFAULT_WORKERS = 4, MANY_TYPES = 32 };

struct named_parser {
    const char    *name;
    struct parser *parser;      /* NULL: broken, which was reported */
};

struct loader {
    struct config       *c;
    const struct node   *root;
    struct errors       *errs;
    struct named_parser *parsers;       /* of the section `parsers` */
    size_t               nparsers;
    bool                 broken_route;  /* an input may seem to have no route by that */
    const char          *misspelt[8];   /* sections that others were meant to be, which was told */
    size_t               nmisspelt;
};

/* A section that is a map, or NULL: it is missing, or check_section() complains. */
static const struct node *
find_map(const struct loader *l, const char *key)
{
    const struct node *section = node_get(l->root, key);

    return section != NULL && section->kind == NODE_MAP ? section : NULL;
}

/* ---- agent --------------------------------------------------------------- */

static const struct choice level_choices[] = {
    { "error", LOG_ERROR }, { "warn", LOG_WARN }, { "info", LOG_INFO }, { "debug", LOG_DEBUG },
    { NULL, 0 }
};

static const struct choice format_choices[] = {
    { "text", LOG_TEXT }, { "json", LOG_JSON }, { NULL, 0 }
};

const struct field agent_log_fields[] = {
    A_CHOICE(struct agent_conf, "level", log_level, "info", level_choices,
        "The least important messages that are written."),
    A_CHOICE(struct agent_conf, "format", log_format, "text", format_choices,
        "One line a message: `text` is key=value, `json` an object."),
    NO_MORE_FIELDS
};

const struct field agent_fields[] = {
    A_TEXT(struct agent_conf, "state_dir", state_dir, "/var/lib/stoker",
        "The folder for checkpoints (`stoker.db`), spool and dead letters; made when missing. "
        "One agent at a time may use it."),
    A_TEXT(struct agent_conf, "admin", admin, "127.0.0.1:9144",
        "Where `/metrics`, `/healthz`, `/readyz`, `/status` and a page are served: host:port, "
        "`unix:/path` or `off`."),
    A_SIZE(struct agent_conf, "memory", memory, "64MiB", OUTPUT_LEAST_MEMORY, 64ull << 30,
        "The hard limit for bytes that are read and not yet acknowledged, over all inputs."),
    A_COUNT(struct agent_conf, "workers", workers, NULL, 1, 256,
        "Threads that read, split, parse and encode; by default the number of CPUs, 4 at most."),
    A_TIME(struct agent_conf, "checkpoint_interval", checkpoint_interval, "1s", 10, 600000,
        "How often acknowledged offsets are written."),
    A_TIME(struct agent_conf, "shutdown_timeout", shutdown_timeout, "10s", 0, 3600000,
        "How long a stop waits for acknowledgements; what is missing then is sent again at the "
        "next start."),
    A_TEXT(struct agent_conf, "host_name", host_name, NULL,
        "The value of `${host.name}`; by default the system's name."),
    A_NODE(struct agent_conf, "log", log,
        "What is logged on stderr: a map of `level` (error, warn, info, debug; default info) and "
        "`format` (text, json; default text)."),
    NO_MORE_FIELDS
};

static bool
is_admin_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    char       *end;
    long        port;

    if (strcmp(text, "off") == 0 || strncmp(text, "unix:/", 6) == 0)
        return true;
    if (colon == NULL || colon == text || colon[1] < '0' || colon[1] > '9')
        return false;
    port = strtol(colon + 1, &end, 10);
    return *end == '\0' && port <= 65535;
}

static void
use_system_name(struct agent_conf *agent)
{
    char name[256] = "";

    if (gethostname(name, sizeof name - 1) != 0 || *name == '\0')
        strcpy(name, "localhost");
    agent->host_name = mem_string(name);
}

static void
load_agent(struct loader *l)
{
    struct agent_conf    *agent = &l->c->agent;
    const struct settings set = { agent, agent_fields }, log = { agent, agent_log_fields };
    const struct node    *map = find_map(l, "agent"), *admin = node_get(map, "admin");

    fields_load(&set, 1, "'agent'", map, l->root->at, NULL, NULL, l->errs);
    fields_load(&log, 1, "'log'", agent->log, l->root->at, NULL, NULL, l->errs);
    if (!is_admin_address(agent->admin) && !admin->bad)
        errors_at(l->errs, admin->at, "'admin' must be HOST:PORT, unix:/PATH or off, not '%s'",
                  node_shown(admin));
    if (*agent->state_dir == '\0')
        errors_at(l->errs, node_get(map, "state_dir")->at, "'state_dir' must not be empty");
    if (agent->host_name == NULL)
        use_system_name(agent);
}

/* ---- Names and types ----------------------------------------------------- */

/* "input 'nginx'"; to be freed. */
static char *
name_owner(const char *kind, const char *name)
{
    struct buf what = { NULL, 0, 0 };

    buf_printf(&what, "%s '%s'", kind, name);
    (void)buf_string(&what);
    return what.ptr;
}

/* Names stand in file names, labels and globs. */
static bool
check_name(struct loader *l, const char *kind, const struct node *entry)
{
    const char *name = entry->key;
    bool        wrong = *name == '.' || strlen(name) > LONGEST_NAME;

    for (const char *p = name; *p != '\0'; p++)
        wrong = wrong || (unsigned char)*p < 0x20 || strchr("/*?[]\\'\"\x7f", *p) != NULL;
    if (!wrong)
        return true;
    errors_at(l->errs, entry->key_at,
              "'%s' cannot be the name of an %s (no quotes, '/', '*', '?', '[' or leading dot, "
              "%d bytes at most)", name, kind, LONGEST_NAME);
    return false;
}

/* There is no such `kind`; says so at `n`, whose text it is. */
static void
say_unknown(struct loader *l, const char *kind, const struct node *n, const char *near)
{
    if (near != NULL && !n->secret)
        errors_at(l->errs, n->at, "there is no %s '%s' (did you mean '%s'?)", kind, node_shown(n),
                  near);
    else
        errors_at(l->errs, n->at, "there is no %s '%s'", kind, node_shown(n));
}

/* The kinds of one registry, and those of config.md that are not built yet. */
struct types {
    const char        *kind;
    const char        *names[MANY_TYPES];
    size_t             count;
    bool               has_default;
    const char *const *later;
};

static bool
is_listed(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static const char *const later_inputs[] = { "stdin", "tcp", "udp", "unix", "journald", NULL };
static const char *const no_later[] = { NULL };

#define LIST_TYPES(types, registry)                                                  \
    do {                                                                             \
        for ((types)->count = 0; (registry)[(types)->count] != NULL; (types)->count++) { \
            assert((types)->count < MANY_TYPES);                                     \
            (types)->names[(types)->count] = (registry)[(types)->count]->name;       \
        }                                                                            \
    } while (0)

static void
say_types(struct loader *l, const struct types *types, const char *what, struct mark at)
{
    struct buf list = { NULL, 0, 0 };

    for (size_t i = 0; i < types->count; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", types->names[i]);
    errors_at(l->errs, at, "%s needs a type (%s)", what, buf_string(&list));
    buf_fini(&list);
}

/* The index of the type that a map names, or -1. */
static int
choose_type(struct loader *l, const struct types *types, const char *what,
            const struct node *conf)
{
    const struct node *n = node_get(conf, "type");

    if (n == NULL || n->kind == NODE_NULL) {
        if (types->has_default)
            return 0;
        say_types(l, types, what, conf->at);
        return -1;
    }
    if (n->bad)
        return -1;
    if (n->kind != NODE_SCALAR)
        return errors_at(l->errs, n->at, "'type' must be a text, not %s", node_kind_name(n));
    for (size_t i = 0; i < types->count; i++)
        if (strcmp(types->names[i], n->text) == 0)
            return (int)i;
    if (is_listed(types->later, n->text))
        return errors_at(l->errs, n->at, "%s '%s' is not supported yet", types->kind,
                         node_shown(n));
    say_unknown(l, types->kind, n, strings_nearest(n->text, types->names, types->count));
    return -1;
}

static bool
is_map(struct loader *l, const char *what, const struct node *n)
{
    if (n->kind == NODE_MAP || n->kind == NODE_NULL)
        return true;
    if (!n->bad)
        errors_at(l->errs, n->at, "%s must be a map, not %s", what, node_kind_name(n));
    return false;
}

/* ---- outputs -------------------------------------------------------------- */

static void
free_broken(struct output *o)
{
    free(o->name);
    free(o);
}

/* Stands where an output was meant to be, so that routes find it. */
static struct output *
broken_output(const char *name)
{
    static const struct output_ops ops = { .free = free_broken };
    struct output                 *o = NEW(struct output);

    o->ops = &ops;
    o->name = mem_string(name);
    return o;
}

static struct output *
make_output(struct loader *l, const struct node *entry)
{
    struct types   types = { .kind = "output type", .has_default = true, .later = no_later };
    char          *what = name_owner("output", entry->key);
    struct output *o = NULL;
    int            type = -1;

    LIST_TYPES(&types, registry_outputs);
    if (check_name(l, "output", entry) && is_map(l, what, entry)) {
        type = choose_type(l, &types, what, entry);
        if (type >= 0)
            o = registry_outputs[type]->load(entry->key, what, entry, l->errs);
    }
    free(what);
    if (o == NULL)
        o = broken_output(entry->key);
    o->has_topics = type >= 0 && registry_outputs[type]->has_topics;
    return o;
}

/* The entries of a section that there must be; NULL: there are none, which was said. */
static const struct node *
need_section(struct loader *l, const char *key)
{
    const struct node *section = node_get(l->root, key);

    if (section != NULL && section->kind != NODE_MAP && section->kind != NODE_NULL)
        return NULL;        /* check_section() complains */
    if (section != NULL && section->first != NULL)
        return section->first;
    for (size_t i = 0; section == NULL && i < l->nmisspelt; i++)
        if (strcmp(l->misspelt[i], key) == 0)
            return NULL;
    errors_at(l->errs, section != NULL ? section->key_at : l->root->at,
              "no %s (the section '%s' must name at least one)", key, key);
    return NULL;
}

static void
load_outputs(struct loader *l)
{
    struct config *c = l->c;
    struct output *o;

    for (const struct node *e = need_section(l, "outputs"); e != NULL; e = e->next) {
        c->outputs = mem_array(c->outputs, c->noutputs + 1, sizeof *c->outputs);
        c->outputs[c->noutputs++] = o = make_output(l, e);
        if (o->memory > 0 && o->memory < c->agent.memory)
            c->agent.memory = o->memory;
    }
}

/* ---- parsers -------------------------------------------------------------- */

static struct parser *
make_parser(struct loader *l, const char *what, const struct node *conf)
{
    struct types   types = { .kind = "parser type", .later = no_later };
    struct config *c = l->c;
    struct parser *p;
    int            type;

    LIST_TYPES(&types, registry_parsers);
    if (!is_map(l, what, conf))
        return NULL;
    type = choose_type(l, &types, what, conf);
    if (type < 0)
        return NULL;
    p = registry_parsers[type]->load(what, conf, c->names, l->errs);
    if (p == NULL)
        return NULL;
    c->parsers = mem_array(c->parsers, c->nparsers + 1, sizeof *c->parsers);
    c->parsers[c->nparsers++] = p;
    if (p->groups > c->groups)
        c->groups = p->groups;
    return p;
}

static void
load_parsers(struct loader *l)
{
    const struct node *section = find_map(l, "parsers");

    if (section == NULL)
        return;
    l->parsers = mem_array(NULL, node_count(section), sizeof *l->parsers);
    for (const struct node *e = section->first; e != NULL; e = e->next) {
        char *what = name_owner("parser", e->key);

        l->parsers[l->nparsers++] = (struct named_parser){ e->key, make_parser(l, what, e) };
        free(what);
    }
}

static void
use_parser(struct loader *l, struct plan *plan, const struct parser *p, const struct node *n)
{
    if (!plan_add_parser(plan, p))
        errors_at(l->errs, n->at, "input '%s': a parser of type cri or docker must be the first "
                  "one (it takes the lines of the file apart)", plan->input);
}

/* `json` where no parser has that name: {type: json}. */
static void
use_bare_type(struct loader *l, struct plan *plan, const struct node *n)
{
    struct node    type = *n;
    struct node    map = { .kind = NODE_MAP, .at = n->at, .first = &type };
    char          *what = name_owner("the parser of input", plan->input);
    struct parser *p;

    type.key = "type";
    type.key_at = n->at;
    type.next = NULL;
    p = make_parser(l, what, &map);
    if (p != NULL)
        use_parser(l, plan, p, n);
    free(what);
}

static void
use_named_parser(struct loader *l, struct plan *plan, const struct node *n)
{
    struct types types = { .kind = "parser type", .later = no_later };
    const char  *near = node_nearest(find_map(l, "parsers"), n->text);

    LIST_TYPES(&types, registry_parsers);
    for (size_t i = 0; i < l->nparsers; i++)
        if (strcmp(l->parsers[i].name, n->text) == 0) {
            if (l->parsers[i].parser != NULL)
                use_parser(l, plan, l->parsers[i].parser, n);
            return;
        }
    for (size_t i = 0; i < types.count; i++)
        if (strcmp(types.names[i], n->text) == 0) {
            use_bare_type(l, plan, n);
            return;
        }
    say_unknown(l, "parser", n,
                near != NULL ? near : strings_nearest(n->text, types.names, types.count));
}

/* `parser` is a name, or that of a type that needs no settings; a parser; or a list of them. */
static void
use_parsers(struct loader *l, struct plan *plan, const struct node *conf)
{
    const struct node *all = node_get(conf, "parser");
    char              *what = name_owner("the parser of input", plan->input);

    for (const struct node *n = node_first_of(all); n != NULL; n = node_next_of(all, n)) {
        if (n->bad)
            continue;
        if (n->kind == NODE_SCALAR) {
            use_named_parser(l, plan, n);
        } else if (n->kind == NODE_MAP) {
            struct parser *p = make_parser(l, what, n);

            if (p != NULL)
                use_parser(l, plan, p, n);
        } else {
            errors_at(l->errs, n->at, "%s must be a name, a map or a list of them, not %s", what,
                      node_kind_name(n));
        }
    }
    free(what);
}

/* ---- routes --------------------------------------------------------------- */

static struct route *
make_route(struct loader *l, const char *what, const struct node *conf, bool in_input)
{
    struct config           *c = l->c;
    const struct output_list outputs = { c->outputs, c->noutputs };
    struct route            *r = NULL;

    if (is_map(l, what, conf))
        r = route_new(what, conf, in_input, c->names, &outputs, l->errs);
    if (r == NULL) {
        l->broken_route = true;
        return NULL;
    }
    c->routes = mem_array(c->routes, c->nroutes + 1, sizeof *c->routes);
    c->routes[c->nroutes++] = r;
    if (r->groups > c->groups)
        c->groups = r->groups;
    return r;
}

static bool
some_input_matches(const struct node *inputs, const char *glob)
{
    for (const struct node *e = inputs->first; e != NULL; e = e->next)
        if (fnmatch(glob, e->key, 0) == 0)
            return true;
    return false;
}

/* Each name or glob of `from` must lead somewhere. */
static void
check_from(struct loader *l, const struct node *conf)
{
    const struct node *inputs = find_map(l, "inputs"), *from = node_get(conf, "from");

    if (inputs == NULL)
        return;
    for (const struct node *n = node_first_of(from); n != NULL; n = node_next_of(from, n)) {
        if (n->bad || n->kind != NODE_SCALAR || some_input_matches(inputs, n->text))
            continue;
        if (strpbrk(n->text, "*?[") != NULL)
            errors_at(l->errs, n->at, "no input matches '%s'", node_shown(n));
        else
            say_unknown(l, "input", n, node_nearest(inputs, n->text));
        l->broken_route = true;
    }
}

static void
load_routes(struct loader *l)
{
    const struct node *section = node_get(l->root, "routes");

    if (section == NULL || section->kind != NODE_LIST)
        return;
    for (const struct node *e = section->first; e != NULL; e = e->next) {
        make_route(l, "route", e, false);
        check_from(l, e);
    }
}

/* ---- inputs --------------------------------------------------------------- */

static void
use_encoding(struct loader *l, struct plan *plan, const char *what, const struct node *conf)
{
    struct error err;

    if (plan_set_encoding(plan, &err) == -1)
        errors_at(l->errs, node_get(conf, "encoding")->at, "%s: %s", what, err.text);
    else if (plan->encoding != NULL && plan->framing != NULL)
        errors_at(l->errs, node_get(conf, "encoding")->at, "%s: the log of a container is always "
                  "written in utf-8", what);
}

static void
use_static_fields(struct loader *l, struct plan *plan, const struct node *conf)
{
    const struct node *map = node_get(conf, "fields");

    if (map == NULL || map->kind == NODE_NULL || map->bad)
        return;
    if (map->kind != NODE_MAP) {
        errors_at(l->errs, map->at, "'fields' must be a map of name and text, not %s",
                  node_kind_name(map));
        return;
    }
    for (const struct node *e = map->first; e != NULL; e = e->next) {
        const uint32_t number = names_intern(l->c->names, slice_of(e->key));

        if (number < NAME_WELL_KNOWN)
            errors_at(l->errs, e->key_at, "'%s' is what every record has: it cannot be set here",
                      e->key);
        else if (e->kind != NODE_SCALAR)
            errors_at(l->errs, e->at, "field '%s' must be a text, not %s", e->key,
                      node_kind_name(e));
        else
            plan_add_field(plan, number, e->text);
    }
}

static void
use_multiline(struct loader *l, struct plan *plan, const char *what, const struct node *conf)
{
    const struct node *map = node_get(conf, "multiline");

    if (map == NULL)
        return;
    plan->multiline = multiline_load(what, map, l->errs);
    if (plan->multiline != NULL && multiline_groups(plan->multiline) > l->c->groups)
        l->c->groups = multiline_groups(plan->multiline);
}

static bool
carries_route(const struct node *conf)
{
    for (const struct field *f = route_fields; f->kind != FIELD_END; f++)
        if (node_get(conf, f->name) != NULL)
            return true;
    return false;
}

static void
use_route(struct plan *plan, const struct route *r)
{
    plan_add_route(plan, r);
    if (r->output != NULL && r->output->read_pause > plan->read_pause)
        plan->read_pause = r->output->read_pause;
    if (r->output != NULL && r->output->one_at_a_time)
        plan->one_at_a_time = true;
}

/* Those of `routes` that are for it, then its own. */
static void
use_routes(struct loader *l, struct plan *plan, const char *what, const struct node *conf,
           size_t nshared)
{
    for (size_t i = 0; i < nshared; i++)
        if (route_from(l->c->routes[i], plan->input))
            use_route(plan, l->c->routes[i]);
    if (carries_route(conf)) {
        const struct route *own = make_route(l, what, conf, true);

        if (own != NULL)
            use_route(plan, own);
    } else if (plan->nroutes == 0 && !l->broken_route) {
        errors_at(l->errs, conf->key_at, "%s has no route (give it a topic, or a route that is "
                  "for it)", what);
    }
}

static struct input *
make_input(struct loader *l, const char *what, const struct node *conf)
{
    struct types types = { .kind = "input type", .has_default = true, .later = later_inputs };
    int          type;

    LIST_TYPES(&types, registry_inputs);
    if (!is_map(l, what, conf))
        return NULL;
    type = choose_type(l, &types, what, conf);
    if (type < 0)
        return NULL;
    return registry_inputs[type]->load(what, conf, plan_new(conf->key, l->c->agent.host_name),
                                       l->errs);
}

static void
use_all(struct loader *l, struct plan *plan, const char *what, const struct node *conf,
        size_t nshared)
{
    use_static_fields(l, plan, conf);
    use_parsers(l, plan, conf);
    use_multiline(l, plan, what, conf);
    use_encoding(l, plan, what, conf);
    use_routes(l, plan, what, conf, nshared);
}

/* What a broken input says besides is checked all the same. */
static void
load_input(struct loader *l, const struct node *entry, size_t nshared)
{
    struct config *c = l->c;
    char          *what = name_owner("input", entry->key);
    struct input  *in = check_name(l, "input", entry) ? make_input(l, what, entry) : NULL;

    if (in != NULL) {
        c->inputs = mem_array(c->inputs, c->ninputs + 1, sizeof *c->inputs);
        c->inputs[c->ninputs++] = in;
        use_all(l, in->plan, what, entry, nshared);
    } else if (entry->kind == NODE_MAP) {
        struct plan *plan = plan_new(entry->key, c->agent.host_name);

        use_all(l, plan, what, entry, nshared);
        plan_free(plan);
    }
    free(what);
}

static void
load_inputs(struct loader *l)
{
    const size_t nshared = l->c->nroutes;

    for (const struct node *e = need_section(l, "inputs"); e != NULL; e = e->next)
        load_input(l, e, nshared);
}

/* ---- The whole ------------------------------------------------------------ */

static const struct section {
    const char    *name;
    enum node_kind kind;
} sections[] = {
    { "agent", NODE_MAP }, { "include", NODE_LIST }, { "inputs", NODE_MAP },
    { "parsers", NODE_MAP }, { "outputs", NODE_MAP }, { "routes", NODE_LIST },
    { "tests", NODE_LIST },
};

enum { NSECTIONS = sizeof sections / sizeof *sections };

static void
check_section(struct loader *l, const struct node *n)
{
    const char *names[NSECTIONS], *near;

    for (size_t i = 0; i < NSECTIONS; i++) {
        names[i] = sections[i].name;
        if (strcmp(n->key, names[i]) != 0)
            continue;
        if (n->kind != sections[i].kind && n->kind != NODE_NULL && !n->bad)
            errors_at(l->errs, n->at, "'%s' must be %s, not %s", n->key,
                      sections[i].kind == NODE_MAP ? "a map" : "a list", node_kind_name(n));
        return;
    }
    near = strings_nearest(n->key, names, NSECTIONS);
    if (near != NULL && l->nmisspelt < sizeof l->misspelt / sizeof *l->misspelt)
        l->misspelt[l->nmisspelt++] = near;
    if (near != NULL)
        errors_at(l->errs, n->key_at, "there is no section '%s' (did you mean '%s'?)", n->key,
                  near);
    else
        errors_at(l->errs, n->key_at, "there is no section '%s'", n->key);
}

struct config *
config_load(const char *file, struct errors *errs)
{
    struct config *c = NEW(struct config);
    struct loader  l = { .c = c, .errs = errs };

    c->names = names_new();
    c->tree = tree_load(file, errs);
    if (!tree_complete(c->tree))
        return c;       /* what seems to be missing may stand in the part that was not read */
    l.root = tree_root(c->tree);
    for (const struct node *n = l.root->first; n != NULL && !errors_full(errs); n = n->next)
        check_section(&l, n);
    load_agent(&l);
    load_outputs(&l);
    load_parsers(&l);
    load_routes(&l);
    load_inputs(&l);
    config_tests_load(c, errs);
    free(l.parsers);
    names_complete(c->names);
    return c;
}

void
config_free(struct config *c)
{
    const struct settings agent = { c != NULL ? &c->agent : NULL, agent_fields };

    if (c == NULL)
        return;
    config_tests_free(c);
    for (size_t i = 0; i < c->ninputs; i++)
        c->inputs[i]->ops->free(c->inputs[i]);
    for (size_t i = 0; i < c->nroutes; i++)
        route_free(c->routes[i]);
    for (size_t i = 0; i < c->nparsers; i++)
        c->parsers[i]->ops->free(c->parsers[i]);
    for (size_t i = 0; i < c->noutputs; i++)
        c->outputs[i]->ops->free(c->outputs[i]);
    free(c->inputs);
    free(c->routes);
    free(c->parsers);
    free(c->outputs);
    names_free(c->names);
    fields_fini(&agent, 1);
    tree_free(c->tree);
    free(c);
}

struct input *
config_input(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->ninputs; i++)
        if (strcmp(c->inputs[i]->plan->input, name) == 0)
            return c->inputs[i];
    return NULL;
}

unsigned
config_workers(const struct config *c)
{
    cpu_set_t cpus;
    int       count = 1;

    if (c->agent.workers > 0)
        return (unsigned)c->agent.workers;
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
        count = CPU_COUNT(&cpus);
    return count < DEFAULT_WORKERS ? (unsigned)count : DEFAULT_WORKERS;
}
