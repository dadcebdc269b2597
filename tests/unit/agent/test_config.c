/* test_config.c - the parts of a configuration are put together, and what does
 * not fit is told where it stands.
 *
 * The plugins are made up here, so that this is about config.c alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/config.h"
#include "agent/registry.h"
#include "tests/unit/agent/yaml_files.h"

/* ---- plugins ---------------------------------------------------------------- */

static unsigned alive;      /* plugins that are made and not freed */

struct fake_output {
    struct output base;
    uint64_t      pause, memory;
};

static const struct field fake_output_fields[] = {
    A_TIME(struct fake_output, "pause", pause, "5ms", 0, 1000, "Between two reads."),
    A_SIZE(struct fake_output, "memory", memory, "0", 0, 1ull << 40, "What it may hold."),
    NO_MORE_FIELDS
};

static void
free_output(struct output *o)
{
    free(o->name);
    free(o);
    alive--;
}

static const struct output_ops fake_output_ops = { .free = free_output };

static struct output *
load_output(const char *name, const char *what, const struct node *conf, struct errors *errs)
{
    struct fake_output   *o = NEW(struct fake_output);
    const struct settings set[] = { { o, fake_output_fields }, { NULL, type_fields } };

    if (fields_load(set, 2, what, conf, conf->at, NULL, NULL, errs) < 0) {
        free(o);
        return NULL;
    }
    o->base.ops = &fake_output_ops;
    o->base.name = mem_string(name);
    o->base.read_pause = o->pause;
    o->base.memory = o->memory;
    alive++;
    return &o->base;
}

struct fake_parser {
    struct parser base;
    uint64_t      groups;
};

static const struct field fake_parser_fields[] = {
    A_COUNT(struct fake_parser, "groups", groups, "1", 0, 100, "Of the pattern."),
    NO_MORE_FIELDS
};

static void
free_parser(struct parser *p)
{
    free(p);
    alive--;
}

static const struct parser_ops fake_parser_ops = { .free = free_parser };

static struct parser *
load_parser(const char *what, const struct node *conf, struct names *names, struct errors *errs)
{
    struct fake_parser   *p = NEW(struct fake_parser);
    const struct settings set[] = { { p, fake_parser_fields }, { NULL, type_fields } };

    (void)names;
    if (fields_load(set, 2, what, conf, conf->at, NULL, NULL, errs) < 0) {
        free(p);
        return NULL;
    }
    p->base.ops = &fake_parser_ops;
    p->base.groups = p->groups;
    alive++;
    return &p->base;
}

struct fake_input {
    struct input   base;
    struct strings paths;
};

static const struct field fake_input_fields[] = {
    A_REQUIRED_LIST(struct fake_input, "paths", paths, "Where."),
    NO_MORE_FIELDS
};

static void
free_input(struct input *in)
{
    const struct settings set = { in, fake_input_fields };

    fields_fini(&set, 1);
    plan_free(in->plan);
    free(in);
    alive--;
}

static const struct input_ops fake_input_ops = { .free = free_input };

static struct input *
load_input(const char *what, const struct node *conf, struct plan *plan, struct errors *errs)
{
    struct fake_input    *in = NEW(struct fake_input);
    const struct settings set[] = {
        { in, fake_input_fields }, plan_settings(plan), { NULL, route_fields },
        { NULL, type_fields },
    };

    alive++;
    in->base.ops = &fake_input_ops;
    in->base.plan = plan;
    if (fields_load(set, 4, what, conf, conf->at, NULL, NULL, errs) < 0) {
        free_input(&in->base);
        return NULL;
    }
    return &in->base;
}

static const struct output_type fake_output_type = {
    .name = "kafka", .help = "", .fields = fake_output_fields, .has_topics = true,
    .load = load_output,
};
static const struct output_type other_output_type = {
    .name = "stdout", .help = "", .fields = fake_output_fields, .has_topics = true,
    .load = load_output,
};
static const struct parser_type fake_parser_type = { "regex", "", fake_parser_fields, load_parser };
static const struct input_type fake_input_type = { "file", "", fake_input_fields, load_input };

const struct input_type *const  registry_inputs[] = { &fake_input_type, NULL };
const struct parser_type *const registry_parsers[] = { &fake_parser_type, NULL };
const struct output_type *const registry_outputs[] = { &fake_output_type, &other_output_type,
                                                       NULL };

/* ---- given, when, then -------------------------------------------------------- */

static struct config *c;
static struct errors  errs;

static int
set_up(void **state)
{
    (void)state;
    return yaml_set_up();
}

static void
forget(void)
{
    config_free(c);
    c = NULL;
    errors_fini(&errs);
}

static int
tear_down(void **state)
{
    (void)state;
    forget();
    return alive != 0 || yaml_tear_down() != 0;
}

static void
when_loaded(const char *yaml)
{
    forget();
    given_file("a.yaml", yaml);
    c = config_load("a.yaml", &errs);
}

static void
given_fine(const char *yaml)
{
    when_loaded(yaml);
    if (errs.count > 0)
        fail_msg("line %u: %s", errs.list[0].at.line, errs.list[0].text);
}

/* What is wrong with this configuration is printed so. */
static void
check(const char *yaml, const char *expected)
{
    char *text;

    when_loaded(yaml);
    text = printed(c->tree, &errs);
    assert_string_equal(text, expected);
    free(text);
}

/* The same where an output and an input are there: `yaml` stands behind line 2. */
#define OUTPUT "outputs: {main: {}}\n"
#define INPUT  "inputs: {web: {paths: x, topic: t}}\n"

/* ---- what is put together ------------------------------------------------------ */

static void
the_smallest_configuration_has_all_defaults(void **state)
{
    char name[256];

    (void)state;
    given_fine(OUTPUT INPUT);
    gethostname(name, sizeof name);
    assert_string_equal(c->agent.state_dir, "/var/lib/stoker");
    assert_string_equal(c->agent.admin, "127.0.0.1:9144");
    assert_int_equal(c->agent.memory, 64 << 20);
    assert_in_range(config_workers(c), 1, 4);
    assert_int_equal(c->agent.checkpoint_interval, 1000);
    assert_int_equal(c->agent.shutdown_timeout, 10000);
    assert_string_equal(c->agent.host_name, name);
    assert_int_equal(c->agent.log_level, LOG_INFO);
    assert_int_equal(c->agent.log_format, LOG_TEXT);
    assert_int_equal(c->noutputs, 1);
    assert_int_equal(c->ninputs, 1);
    assert_int_equal(c->nroutes, 1);
    assert_int_equal(config_input(c, "web")->plan->nroutes, 1);
    assert_null(config_input(c, "db"));
}

static void
the_agent_is_as_written(void **state)
{
    (void)state;
    given_fine("agent: {state_dir: /x, admin: 'unix:/run/a.sock', memory: 4MiB, workers: 7,\n"
               "  checkpoint_interval: 10ms, shutdown_timeout: 0, host_name: h,\n"
               "  log: {level: debug, format: json}}\n" OUTPUT INPUT);
    assert_string_equal(c->agent.state_dir, "/x");
    assert_string_equal(c->agent.admin, "unix:/run/a.sock");
    assert_int_equal(c->agent.memory, 4 << 20);
    assert_int_equal(config_workers(c), 7);
    assert_int_equal(c->agent.checkpoint_interval, 10);
    assert_int_equal(c->agent.shutdown_timeout, 0);
    assert_string_equal(config_input(c, "web")->plan->host_name, "h");
    assert_int_equal(c->agent.log_level, LOG_DEBUG);
    assert_int_equal(c->agent.log_format, LOG_JSON);
}

/* Those that the process may run on, 4 at most. */
static void
there_are_as_many_workers_as_cpus(void **state)
{
    cpu_set_t all, one;
    int       first = 0;

    (void)state;
    given_fine(OUTPUT INPUT);
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    assert_int_equal(config_workers(c), CPU_COUNT(&all) < 4 ? CPU_COUNT(&all) : 4);
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(config_workers(c), 1);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
}

static void
an_output_can_lower_the_memory_and_not_raise_it(void **state)
{
    (void)state;
    given_fine("outputs: {main: {memory: 1GiB}}\n" INPUT);
    assert_int_equal(c->agent.memory, 64 << 20);
    tear_down(NULL);
    set_up(NULL);
    given_fine("agent: {memory: 32MiB}\n"
               "outputs: {main: {memory: 16MiB}, a: {memory: 8MiB}, b: {memory: 24MiB}, c: {}}\n"
               "inputs: {web: {paths: /x, topic: t, output: main}}\n");
    assert_int_equal(c->agent.memory, 8 << 20);
}

static void
an_input_gets_its_parsers_in_turn(void **state)
{
    const struct plan *plan;

    (void)state;
    given_fine(OUTPUT "parsers:\n  one: {type: regex, groups: 3}\n  two: {type: regex}\n"
               "inputs:\n"
               "  web: {paths: x, topic: t, parser: [two, {type: regex, groups: 9}, one]}\n"
               "  db: {paths: x, topic: t, parser: one}\n");
    plan = config_input(c, "web")->plan;
    assert_int_equal(plan->nparsers, 3);
    assert_ptr_equal(plan->parsers[0], c->parsers[1]);
    assert_ptr_equal(plan->parsers[1], c->parsers[2]);
    assert_ptr_equal(plan->parsers[2], c->parsers[0]);
    assert_ptr_equal(config_input(c, "db")->plan->parsers[0], c->parsers[0]);
    assert_int_equal(c->groups, 9);
}

static void
the_name_of_a_type_is_a_parser_of_its_defaults(void **state)
{
    const struct plan *plan;

    (void)state;
    given_fine(OUTPUT "inputs:\n  web: {paths: x, topic: t, parser: [regex, {type: regex}]}\n");
    plan = config_input(c, "web")->plan;
    assert_int_equal(plan->nparsers, 2);
    assert_ptr_not_equal(plan->parsers[0], plan->parsers[1]);
    tear_down(NULL);
    set_up(NULL);
    given_fine(OUTPUT "parsers:\n  regex: {type: regex, groups: 7}\n"
               "inputs:\n  web: {paths: x, topic: t, parser: regex}\n");
    assert_int_equal(c->nparsers, 1);           /* who has that name goes before */
}

static void
an_input_gets_the_routes_that_are_for_it_and_its_own_last(void **state)
{
    const struct plan *plan;

    (void)state;
    given_fine("outputs: {main: {pause: 7ms}, slow: {type: stdout, pause: 90ms}}\n"
               "routes:\n"
               "- {from: w*, topic: one, output: main}\n"
               "- {from: db, topic: two, output: slow}\n"
               "- {topic: three, output: main, when: {a: b}}\n"
               "inputs:\n"
               "  web: {paths: x, topic: own, output: main}\n"
               "  db: {paths: x}\n");
    plan = config_input(c, "web")->plan;
    assert_int_equal(plan->nroutes, 3);
    assert_ptr_equal(plan->routes[0], c->routes[0]);
    assert_ptr_equal(plan->routes[1], c->routes[2]);
    assert_ptr_equal(plan->routes[2], c->routes[3]);
    assert_int_equal(plan->read_pause, 7);
    plan = config_input(c, "db")->plan;
    assert_int_equal(plan->nroutes, 2);
    assert_ptr_equal(plan->routes[0], c->routes[1]);
    assert_int_equal(plan->read_pause, 90);
}

static void
static_fields_are_texts_with_numbers(void **state)
{
    const struct plan *plan;

    (void)state;
    given_fine(OUTPUT "inputs: {web: {paths: x, topic: t, fields: {site: b1, rack: 7}}}\n");
    plan = config_input(c, "web")->plan;
    assert_int_equal(plan->nfields, 2);
    assert_int_equal(plan->fields[1].number, names_find(c->names, SLICE("rack")));
    assert_string_equal(plan->fields[1].text, "7");
}

static void
a_configuration_in_several_files_is_one(void **state)
{
    (void)state;
    given_file("b.yaml", "parsers: {p: {type: regex}}\nroutes: [{from: web, topic: t}]\n");
    given_file("c.yaml", "inputs: {web: {paths: x, parser: p}}\n");
    given_fine(OUTPUT "include: [b.yaml, c.yaml]\n");
    assert_int_equal(config_input(c, "web")->plan->nroutes, 1);
    assert_int_equal(config_input(c, "web")->plan->nparsers, 1);
}

/* ---- what does not fit ----------------------------------------------------------- */

static void
without_inputs_or_outputs_there_is_nothing_to_do(void **state)
{
    (void)state;
    check("agent:\n", "a.yaml: no outputs (the section 'outputs' must name at least one)\n"
                      "a.yaml: no inputs (the section 'inputs' must name at least one)\n");
    check(OUTPUT "inputs: {}\n",
          "a.yaml:2:1: no inputs (the section 'inputs' must name at least one)\n"
          "    inputs: {}\n"
          "    ^~~~~~\n");
}

static void
a_file_that_was_not_read_to_its_end_is_not_judged(void **state)
{
    (void)state;
    when_loaded("inputs: [\n");
    assert_int_equal(errs.count, 1);
    forget();
    remove("a.yaml");
    c = config_load("a.yaml", &errs);
    assert_int_equal(errs.count, 1);
    assert_string_equal(errs.list[0].text, "cannot be opened: no such file or directory");
}

static void
an_unknown_section_is_told(void **state)
{
    (void)state;
    check(OUTPUT INPUT "output: {}\nkafka: {}\n",
          "a.yaml:3:1: there is no section 'output' (did you mean 'outputs'?)\n"
          "    output: {}\n"
          "    ^~~~~~\n"
          "a.yaml:4:1: there is no section 'kafka'\n"
          "    kafka: {}\n"
          "    ^~~~~\n");
}

static void
a_section_has_its_kind(void **state)
{
    (void)state;
    check(OUTPUT INPUT "agent: [x]\nparsers: text\nroutes: {a: b}\ntests: {a: b}\n",
          "a.yaml:3:8: 'agent' must be a map, not a list\n    agent: [x]\n           ^\n"
          "a.yaml:4:10: 'parsers' must be a map, not a text\n    parsers: text\n"
          "             ^~~~\n"
          "a.yaml:5:9: 'routes' must be a list, not a map\n    routes: {a: b}\n            ^\n"
          "a.yaml:6:8: 'tests' must be a list, not a map\n    tests: {a: b}\n           ^\n");
    check("outputs: []\ninputs: text\n",
          "a.yaml:1:10: 'outputs' must be a map, not a list\n    outputs: []\n             ^\n"
          "a.yaml:2:9: 'inputs' must be a map, not a text\n    inputs: text\n            ^~~~\n");
    given_fine(OUTPUT INPUT "agent:\nparsers:\nroutes:\ntests:\n");
}

static void
a_setting_of_the_agent_is_told(void **state)
{
    (void)state;
    check(OUTPUT INPUT
          "agent:\n  memory: 1MiB\n  workers: 257\n  checkpoint_interval: 1ms\n"
          "  shutdown_timeout: 2h\n  state_dirs: /x\n  admin: nowhere\n  state_dir: ''\n"
          "  log: {level: loud, colour: red}\n",
          "a.yaml:4:11: 'memory' must be between 4MiB and 64GiB, not '1MiB'\n"
          "      memory: 1MiB\n              ^~~~\n"
          "a.yaml:5:12: 'workers' must be between 1 and 256, not '257'\n"
          "      workers: 257\n               ^~~\n"
          "a.yaml:6:24: 'checkpoint_interval' must be between 10ms and 10m, not '1ms'\n"
          "      checkpoint_interval: 1ms\n                           ^~~\n"
          "a.yaml:7:21: 'shutdown_timeout' must be between 0 and 1h, not '2h'\n"
          "      shutdown_timeout: 2h\n                        ^~\n"
          "a.yaml:8:3: 'agent' has no setting 'state_dirs' (did you mean 'state_dir'?)\n"
          "      state_dirs: /x\n      ^~~~~~~~~~\n"
          "a.yaml:9:10: 'admin' must be HOST:PORT, unix:/PATH or off, not 'nowhere'\n"
          "      admin: nowhere\n             ^~~~~~~\n"
          "a.yaml:10:14: 'state_dir' must not be empty\n"
          "      state_dir: ''\n                 ^~\n"
          "a.yaml:11:16: 'level' must be 'error', 'warn', 'info' or 'debug', not 'loud'\n"
          "      log: {level: loud, colour: red}\n                   ^~~~\n"
          "a.yaml:11:22: 'log' has no setting 'colour'\n"
          "      log: {level: loud, colour: red}\n                         ^~~~~~\n");
}

static void
an_unknown_type_is_told(void **state)
{
    (void)state;
    check("outputs: {main: {type: kafak}}\nparsers: {p: {type: jsn}, q: {}, r: {type: cri}}\n"
          "inputs: {web: {type: [file], paths: x, topic: t}, db: {type: tcp, topic: t}}\n",
          "a.yaml:1:24: there is no output type 'kafak' (did you mean 'kafka'?)\n"
          "    outputs: {main: {type: kafak}}\n                           ^~~~~\n"
          "a.yaml:2:21: there is no parser type 'jsn'\n"
          "    parsers: {p: {type: jsn}, q: {}, r: {type: cri}}\n                        ^~~\n"
          "a.yaml:2:30: parser 'q' needs a type (regex)\n"
          "    parsers: {p: {type: jsn}, q: {}, r: {type: cri}}\n"
          "                                 ^\n"
          "a.yaml:2:44: there is no parser type 'cri'\n"
          "    parsers: {p: {type: jsn}, q: {}, r: {type: cri}}\n"
          "                                               ^~~\n"
          "a.yaml:3:22: 'type' must be a text, not a list\n"
          "    inputs: {web: {type: [file], paths: x, topic: t}, db: {type: tcp, topic: t}}\n"
          "                         ^\n"
          "a.yaml:3:62: input type 'tcp' is not supported yet\n"
          "    inputs: {web: {type: [file], paths: x, topic: t}, db: {type: tcp, topic: t}}\n"
          "                                                                 ^~~\n");
}

static void
what_should_be_a_map_is_told(void **state)
{
    (void)state;
    check("outputs: {main: x}\nparsers: {p: [x]}\nroutes: [x]\ninputs: {web: /var/log/x}\n",
          "a.yaml:1:17: output 'main' must be a map, not a text\n"
          "    outputs: {main: x}\n                    ^\n"
          "a.yaml:2:14: parser 'p' must be a map, not a list\n"
          "    parsers: {p: [x]}\n                 ^\n"
          "a.yaml:3:10: route must be a map, not a text\n"
          "    routes: [x]\n             ^\n"
          "a.yaml:4:15: input 'web' must be a map, not a text\n"
          "    inputs: {web: /var/log/x}\n                  ^~~~~~~~~~\n");
}

static void
a_name_fits_into_file_names_and_globs(void **state)
{
    (void)state;
    check("outputs: {a/b: {}}\ninputs: {'x*': {paths: x, topic: t}}\n",
          "a.yaml:1:11: 'a/b' cannot be the name of an output (no quotes, '/', '*', '?', '[' or "
          "leading dot, 100 bytes at most)\n"
          "    outputs: {a/b: {}}\n              ^~~\n"
          "a.yaml:2:10: 'x*' cannot be the name of an input (no quotes, '/', '*', '?', '[' or "
          "leading dot, 100 bytes at most)\n"
          "    inputs: {'x*': {paths: x, topic: t}}\n             ^~~~\n");
}

static void
an_unknown_parser_is_told_even_of_a_broken_input(void **state)
{
    (void)state;
    check(OUTPUT "parsers: {access: {type: regex}, bad: {type: regex, groups: x}}\n"
          "inputs:\n  web: {paths: x, topic: t, parser: [acces, [x], {type: rex}, bad]}\n"
          "  db: {topic: t, parser: none}\n",
          "a.yaml:2:61: 'groups' must be a whole number, not 'x'\n"
          "    parsers: {access: {type: regex}, bad: {type: regex, groups: x}}\n"
          "                                                                ^\n"
          "a.yaml:4:38: there is no parser 'acces' (did you mean 'access'?)\n"
          "      web: {paths: x, topic: t, parser: [acces, [x], {type: rex}, bad]}\n"
          "                                         ^~~~~\n"
          "a.yaml:4:45: the parser of input 'web' must be a name, a map or a list of them, not a "
          "list\n"
          "      web: {paths: x, topic: t, parser: [acces, [x], {type: rex}, bad]}\n"
          "                                                ^\n"
          "a.yaml:4:57: there is no parser type 'rex' (did you mean 'regex'?)\n"
          "      web: {paths: x, topic: t, parser: [acces, [x], {type: rex}, bad]}\n"
          "                                                            ^~~\n"
          "a.yaml:5:7: input 'db' needs a value for 'paths'\n"
          "      db: {topic: t, parser: none}\n          ^\n"
          "a.yaml:5:26: there is no parser 'none'\n"
          "      db: {topic: t, parser: none}\n                             ^~~~\n");
}

static void
static_fields_must_be_texts_of_their_own_names(void **state)
{
    (void)state;
    check(OUTPUT "inputs:\n  web:\n    {paths: x, topic: t, fields: {body: b, list: [x]}}\n"
          "  db: {paths: x, topic: t, fields: x}\n",
          "a.yaml:4:35: 'body' is what every record has: it cannot be set here\n"
          "        {paths: x, topic: t, fields: {body: b, list: [x]}}\n"
          "                                      ^~~~\n"
          "a.yaml:4:50: field 'list' must be a text, not a list\n"
          "        {paths: x, topic: t, fields: {body: b, list: [x]}}\n"
          "                                                     ^\n"
          "a.yaml:5:36: 'fields' must be a map of name and text, not a text\n"
          "      db: {paths: x, topic: t, fields: x}\n"
          "                                       ^\n");
}

static void
a_route_must_come_from_some_input(void **state)
{
    (void)state;
    check(OUTPUT INPUT "routes:\n- {from: [web, wbe, 'z*'], topic: t}\n",
          "a.yaml:4:16: there is no input 'wbe' (did you mean 'web'?)\n"
          "    - {from: [web, wbe, 'z*'], topic: t}\n                   ^~~\n"
          "a.yaml:4:21: no input matches 'z*'\n"
          "    - {from: [web, wbe, 'z*'], topic: t}\n                        ^~~~\n");
}

static void
an_input_must_have_a_route(void **state)
{
    (void)state;
    check(OUTPUT "inputs:\n  web: {paths: x}\n  db: {paths: x}\n"
          "routes: [{from: db, topic: t}]\n",
          "a.yaml:3:3: input 'web' has no route (give it a topic, or a route that is for it)\n"
          "      web: {paths: x}\n      ^~~\n");
}

static void
an_input_with_a_route_key_has_a_route_of_its_own(void **state)
{
    (void)state;
    given_fine(OUTPUT "inputs: {web: {paths: x, drop: true}}\n");
    assert_true(config_input(c, "web")->plan->routes[0]->drop);
    when_loaded(OUTPUT "inputs: {web: {paths: x, key: k}}\n");
    assert_int_equal(errs.count, 1);        /* the topic is missing: route.c's words */
    assert_int_equal(errs.list[0].at.line, 2);
}

static void
who_refers_to_something_broken_is_not_blamed(void **state)
{
    (void)state;
    check("outputs: {main: {pause: x}}\n"
          "inputs: {web: {paths: x, topic: t, output: main}, db: {paths: x}}\n"
          "routes: [{from: db, topic: t, output: main, tpoic: u}]\n",
          "a.yaml:1:25: 'pause' must be a time with its unit (ms, s, m, h or d), not 'x'\n"
          "    outputs: {main: {pause: x}}\n                            ^\n"
          "a.yaml:3:45: route has no setting 'tpoic' (did you mean 'topic'?)\n"
          "    routes: [{from: db, topic: t, output: main, tpoic: u}]\n"
          "                                                ^~~~~\n");
}

static void
a_value_that_is_not_known_is_told_once(void **state)
{
    (void)state;
    unsetenv("STOKER_TEST");
    check("outputs: {main: {pause: '${env:STOKER_TEST}'}}\n"
          "inputs: {web: {paths: '${env:STOKER_TEST}', topic: '${env:STOKER_TEST}',\n"
          "  parser: '${env:STOKER_TEST}', max_line: '${env:STOKER_TEST}'}}\n"
          "agent: {admin: '${env:STOKER_TEST}', log: '${env:STOKER_TEST}'}\n",
#define NOT_SET ": environment variable 'STOKER_TEST' is not set (a default: " \
                "${env:STOKER_TEST:-value})\n"
          "a.yaml:1:26" NOT_SET "    outputs: {main: {pause: '${env:STOKER_TEST}'}}\n"
          "                             ^~~~~~~~~~~~~~~~~~\n"
          "a.yaml:2:24" NOT_SET
          "    inputs: {web: {paths: '${env:STOKER_TEST}', topic: '${env:STOKER_TEST}',\n"
          "                           ^~~~~~~~~~~~~~~~~~\n"
          "a.yaml:2:53" NOT_SET
          "    inputs: {web: {paths: '${env:STOKER_TEST}', topic: '${env:STOKER_TEST}',\n"
          "                                                        ^~~~~~~~~~~~~~~~~~\n"
          "a.yaml:3:12" NOT_SET
          "      parser: '${env:STOKER_TEST}', max_line: '${env:STOKER_TEST}'}}\n"
          "               ^~~~~~~~~~~~~~~~~~\n"
          "a.yaml:3:44" NOT_SET
          "      parser: '${env:STOKER_TEST}', max_line: '${env:STOKER_TEST}'}}\n"
          "                                               ^~~~~~~~~~~~~~~~~~\n"
          "a.yaml:4:17" NOT_SET
          "    agent: {admin: '${env:STOKER_TEST}', log: '${env:STOKER_TEST}'}\n"
          "                    ^~~~~~~~~~~~~~~~~~\n"
          "a.yaml:4:44" NOT_SET
          "    agent: {admin: '${env:STOKER_TEST}', log: '${env:STOKER_TEST}'}\n"
          "                                               ^~~~~~~~~~~~~~~~~~\n");
}

static void
a_secret_in_the_wrong_place_stays_a_secret(void **state)
{
    char *text;

    (void)state;
    given_file("password", "hunter2\n");
    when_loaded("outputs: {main: {pause: '${file:password}', type: '${file:password}'}}\n"
                "inputs: {web: {paths: x, topic: t, parser: '${file:password}'}}\n"
                "agent: {admin: '${file:password}', memory: '${file:password}',\n"
                "  log: {level: '${file:password}'}}\nroutes: [{from: '${file:password}'}]\n");
    text = printed(c->tree, &errs);
    assert_true(errs.count > 5);
    assert_null(strstr(text, "hunter2"));
    free(text);
}

static void
very_many_mistakes_are_told_in_part(void **state)
{
    struct buf yaml = { NULL, 0, 0 };

    (void)state;
    buf_add_string(&yaml, OUTPUT INPUT "agent:\n");
    for (int i = 0; i < 100000; i++)
        buf_printf(&yaml, "  unknown_%d: x\n", i);
    when_loaded(buf_string(&yaml));
    buf_fini(&yaml);
    assert_int_equal(errs.count, ERRORS_MOST + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_smallest_configuration_has_all_defaults),
        TEST(the_agent_is_as_written),
        TEST(there_are_as_many_workers_as_cpus),
        TEST(an_output_can_lower_the_memory_and_not_raise_it),
        TEST(an_input_gets_its_parsers_in_turn),
        TEST(the_name_of_a_type_is_a_parser_of_its_defaults),
        TEST(an_input_gets_the_routes_that_are_for_it_and_its_own_last),
        TEST(static_fields_are_texts_with_numbers),
        TEST(a_configuration_in_several_files_is_one),
        TEST(without_inputs_or_outputs_there_is_nothing_to_do),
        TEST(a_file_that_was_not_read_to_its_end_is_not_judged),
        TEST(an_unknown_section_is_told),
        TEST(a_section_has_its_kind),
        TEST(a_setting_of_the_agent_is_told),
        TEST(an_unknown_type_is_told),
        TEST(what_should_be_a_map_is_told),
        TEST(a_name_fits_into_file_names_and_globs),
        TEST(an_unknown_parser_is_told_even_of_a_broken_input),
        TEST(static_fields_must_be_texts_of_their_own_names),
        TEST(a_route_must_come_from_some_input),
        TEST(an_input_must_have_a_route),
        TEST(an_input_with_a_route_key_has_a_route_of_its_own),
        TEST(who_refers_to_something_broken_is_not_blamed),
        TEST(a_value_that_is_not_known_is_told_once),
        TEST(a_secret_in_the_wrong_place_stays_a_secret),
        TEST(very_many_mistakes_are_told_in_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
