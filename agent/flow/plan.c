/* plan.c - see plan.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/plan.h"

#include <stdlib.h>

#include "agent/base/mem.h"
#include "agent/flow/output.h"

static const struct choice long_lines_choices[] = {
    { "split", LONG_SPLIT },
    { "truncate", LONG_TRUNCATE },
    { "drop", LONG_DROP },
    { NULL, 0 },
};

const struct field plan_fields[] = {
    A_NODE(struct plan, "parser", parser_node,
        "The parser of every line: a name from `parsers`, a parser written here, or a list of "
        "them, applied in turn."),
    A_SIZE(struct plan, "max_line", max_line, "1MiB", 64, 64 * 1024 * 1024,
        "The longest line; a longer one is treated as long_lines says."),
    A_CHOICE(struct plan, "long_lines", long_lines, "split", long_lines_choices,
        "What becomes of a longer line: `split` sends it in pieces of max_line, `truncate` keeps "
        "its beginning, `drop` leaves it out."),
    A_TEXT(struct plan, "encoding", encoding_name, "utf-8",
        "How lines are written: any name that iconv knows, such as `utf-16` (a mark at the "
        "beginning tells the order of bytes; without one, little endian), `utf-16le`, "
        "`iso-8859-1`, `shift_jis`. They are converted to UTF-8 before anything else; what cannot "
        "be becomes U+FFFD. `raw` and `max_line` are about the bytes as read."),
    A_NODE(struct plan, "multiline", multiline_node,
        "Which lines are one record: a map of `start`, `continue` or `preset`, and `timeout`, "
        "`max_lines`, `max_size`; see `stoker reference multiline`."),
    A_NODE(struct plan, "fields", fields_node, "A map of fields that every record gets."),
    NO_MORE_FIELDS
};

struct plan *
plan_new(const char *input, const char *host_name)
{
    struct plan *plan = NEW(struct plan);

    plan->input = mem_string(input);
    plan->host_name = mem_string(host_name);
    return plan;
}

void
plan_free(struct plan *plan)
{
    const struct settings set = plan_settings(plan);

    if (plan == NULL)
        return;
    fields_fini(&set, 1);
    encoding_free(plan->encoding);
    for (size_t i = 0; i < plan->nfields; i++)
        free(plan->fields[i].text);
    free(plan->fields);
    free(plan->parsers);
    multiline_free(plan->multiline);
    free(plan->routes);
    free(plan->host_name);
    free(plan->input);
    free(plan);
}

bool
plan_at_most_once(const struct plan *plan)
{
    bool some = false;

    for (size_t i = 0; i < plan->nroutes; i++) {
        const struct route *r = plan->routes[i];

        if (r->drop)
            continue;
        if (!r->output->at_most_once)
            return false;
        some = true;
    }
    return some;
}

struct settings
plan_settings(struct plan *plan)
{
    return (struct settings){ plan, plan_fields };
}

int
plan_set_encoding(struct plan *plan, struct error *err)
{
    if (plan->encoding_name == NULL)
        return 0;
    return encoding_new(plan->encoding_name, &plan->encoding, err);
}

void
plan_add_field(struct plan *plan, uint32_t number, const char *text)
{
    plan->fields = mem_array(plan->fields, plan->nfields + 1, sizeof *plan->fields);
    plan->fields[plan->nfields++] = (struct static_field){ number, mem_string(text) };
}

uint64_t
plan_longest(const struct plan *plan)
{
    return plan->multiline != NULL && plan->multiline->max_size > plan->max_line
        ? plan->multiline->max_size : plan->max_line;
}

bool
plan_add_parser(struct plan *plan, const struct parser *parser)
{
    if (parser->framing != NULL) {
        if (plan->nparsers > 0 || plan->framing != NULL)
            return false;
        plan->framing = parser;
        return true;
    }
    plan->parsers = mem_array(plan->parsers, plan->nparsers + 1, sizeof *plan->parsers);
    plan->parsers[plan->nparsers++] = parser;
    return true;
}

void
plan_add_route(struct plan *plan, const struct route *route)
{
    plan->routes = mem_array(plan->routes, plan->nroutes + 1, sizeof *plan->routes);
    plan->routes[plan->nroutes++] = route;
}
