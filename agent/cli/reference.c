/* reference.c - `stoker reference`: the settings tables as Markdown.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/strings.h"
#include "agent/cli/cli.h"
#include "agent/registry.h"

enum { MANY_SECTIONS = 64, MANY_NAMES = 1024 };

struct section {
    char                name[40];       /* "inputs.file" */
    const char         *type;           /* "file", or NULL: it is no type of its own */
    const char         *help;
    const struct field *fields;
};

struct reference {
    struct section list[MANY_SECTIONS];
    size_t         count;
};

static const struct field include_fields[] = {
    { .name = "include", .kind = FIELD_LIST,
      .help = "More files, as globs relative to the file that names them, in sorted order. Maps "
              "of the same section merge by name, `routes` append." },
    NO_MORE_FIELDS
};

static void
add(struct reference *r, const char *section, const char *type, const char *help,
    const struct field *fields)
{
    struct section *s = &r->list[r->count++];

    assert(r->count <= MANY_SECTIONS);
    *s = (struct section){ .type = type, .help = help, .fields = fields };
    snprintf(s->name, sizeof s->name, "%s%s%s", section, type != NULL ? "." : "",
             type != NULL ? type : "");
}

static void
list_sections(struct reference *r)
{
    add(r, "top", NULL, "Beside the sections below, a configuration file may hold:",
        include_fields);
    add(r, "agent", NULL, "The agent itself.", agent_fields);
    add(r, "agent", "log", "The keys of `log`.", agent_log_fields);
    add(r, "inputs", NULL, "A map of name and input; `type` is `file` unless said. Every input "
        "has these keys, those of its type, and those of a route: they make its last one.",
        plan_fields);
    add(r, "inputs", "multiline", "The keys of `multiline`: exactly one of `start`, `continue` and "
        "`preset`. Lines are joined with LF, none at the end.", multiline_fields);
    for (size_t i = 0; registry_inputs[i] != NULL; i++)
        add(r, "inputs", registry_inputs[i]->name, registry_inputs[i]->help,
            registry_inputs[i]->fields);
    for (size_t i = 0; registry_parsers[i] != NULL; i++)
        add(r, "parsers", registry_parsers[i]->name, registry_parsers[i]->help,
            registry_parsers[i]->fields);
    for (size_t i = 0; registry_outputs[i] != NULL; i++)
        add(r, "outputs", registry_outputs[i]->name, registry_outputs[i]->help,
            registry_outputs[i]->fields);
    add(r, "routes", NULL, "A list. The first route that matches takes the record.",
        route_fields);
    add(r, "routes", "value", "The keys of `value` when it is a map.", json_value_fields);
    add(r, "routes", "redact", "The keys of one entry of `redact`.", redact_fields);
    add(r, "tests", NULL, "A list: what lines of an input must become. `stoker check` runs them.",
        config_test_fields);
    add(r, "tests", "expect", "The keys of one record that is expected.", config_expect_fields);
}

static void
print_section(const struct section *s)
{
    printf("## %s\n\n%s\n\n", s->name, s->help);
    if (s->fields->kind != FIELD_END)
        fields_print(stdout, s->fields);
    putchar('\n');
}

/* A row of it, if it has one of that name. */
static bool
print_key(const struct section *s, const char *key)
{
    for (const struct field *f = s->fields; f->kind != FIELD_END; f++)
        if (strcmp(f->name, key) == 0) {
            const struct field row[] = { *f, NO_MORE_FIELDS };

            printf("## %s\n\n", s->name);
            fields_print(stdout, row);
            putchar('\n');
            return true;
        }
    return false;
}

/* "kafka" and "outputs.kafka" are one section, "outputs" is all of its types. */
static bool
is_named(const struct section *s, const char *name)
{
    const size_t len = strlen(name);

    return strcmp(s->name, name) == 0 || (s->type != NULL && strcmp(s->type, name) == 0) ||
           (strncmp(s->name, name, len) == 0 && s->name[len] == '.');
}

static bool
print_named(const struct reference *r, const char *name)
{
    bool found = false;

    for (size_t i = 0; i < r->count; i++)
        if (is_named(&r->list[i], name)) {
            print_section(&r->list[i]);
            found = true;
        }
    for (size_t i = 0; i < r->count; i++)
        if (print_key(&r->list[i], name))
            found = true;
    return found;
}

static const char *
nearest_name(const struct reference *r, const char *name)
{
    const char *names[MANY_NAMES];
    size_t      n = 0;

    for (size_t i = 0; i < r->count; i++) {
        const struct section *s = &r->list[i];

        if (n < MANY_NAMES)
            names[n++] = s->type != NULL ? s->type : s->name;
        for (const struct field *f = s->fields; f->kind != FIELD_END && n < MANY_NAMES; f++)
            names[n++] = f->name;
    }
    return strings_nearest(name, names, n);
}

static int
print_one(const struct reference *r, const char *name)
{
    const char *near;

    if (print_named(r, name))
        return EXIT_DONE;
    near = nearest_name(r, name);
    if (near != NULL)
        return cli_usage("reference", "there is no setting '%s' (did you mean '%s'?)", name, near);
    return cli_usage("reference", "there is no setting '%s'", name);
}

static const char introduction[] =
    "# Settings\n\n"
    "Sizes: `64KiB`, `1MiB`, `10MB`, plain bytes. Times: `250ms`, `5s`, `10m`, `24h`, `7d`. Where "
    "a list is expected, one value is accepted.\n\n"
    "In any value, `${env:NAME}` is replaced by an environment variable (`${env:NAME:-default}` "
    "if it may be unset or empty), and `${file:PATH}` by the content of a file, without its last "
    "newline; that is a secret, and never shown.\n\n"
    "Templates: text in which `${field}` is the value of a field, `${field:-default}` another text "
    "where it is missing, `${a.b}` a part of nested JSON, and `$$` a dollar sign. Fields are what "
    "parsers find and `fields` says, and what every record has: `body`, `raw`, `time` (epoch "
    "milliseconds), `host.name`, `input`, `log.file.path`, `log.file.name`, `log.file.offset`; "
    "`parse.error` where a parser failed; for containers `log.iostream`, `k8s.namespace.name`, "
    "`k8s.pod.name`, `k8s.pod.uid`, `k8s.container.name`, `k8s.container.restart_count`. From "
    "`host.name` on they are the agent's word: a member of the line that is called so does not "
    "change them (it stays in a JSON value, and a parser's `field` reads it).\n";

int
cli_reference(int argc, char **argv)
{
    struct reference r = { .count = 0 };

    if (argc > 2)
        return cli_usage("reference", "unexpected argument '%s'", argv[2]);
    list_sections(&r);
    if (argc == 2)
        return print_one(&r, argv[1]);
    puts(introduction);
    for (size_t i = 0; i < r.count; i++)
        print_section(&r.list[i]);
    return EXIT_DONE;
}
