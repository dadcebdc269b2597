/* plan.h - how the lines of one input become messages.
 *
 * Made while the configuration is loaded, constant while the agent runs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_PLAN_H
#define AGENT_FLOW_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/data/encoding.h"
#include "agent/data/field.h"
#include "agent/data/names.h"
#include "agent/flow/multiline.h"
#include "agent/flow/parser.h"
#include "agent/flow/route.h"

enum long_lines { LONG_SPLIT, LONG_TRUNCATE, LONG_DROP };

struct static_field {
    uint32_t number;            /* of its name */
    char    *text;              /* owned */
};

struct plan {
    char                 *input;        /* its name; owned */
    char                 *host_name;    /* owned */
    uint64_t              max_line;     /* bytes */
    int                   long_lines;   /* enum long_lines */
    char                 *encoding_name;    /* as written */
    struct encoding      *encoding;     /* owned; NULL: UTF-8 */
    const struct node    *fields_node;  /* `fields`, `parser` and `multiline` as written: config.c
                                         * reads them */
    const struct node    *parser_node, *multiline_node;
    struct static_field  *fields;
    size_t                nfields;
    const struct parser **parsers;      /* applied in turn; borrowed from the configuration */
    size_t                nparsers;
    const struct parser  *framing;      /* the first one, if it takes lines apart; else NULL */
    struct multiline     *multiline;    /* owned; NULL: every line is a record */
    const struct route  **routes;       /* in order; borrowed from the configuration */
    size_t                nroutes;
    uint64_t              read_pause;   /* ms, the longest of its outputs */
    bool                  one_at_a_time;    /* some output wants it: a chunk has one record
                                             * that makes messages */
};

/* The keys that every input has; those of a route come on top (route_fields). */
extern const struct field plan_fields[];

struct plan *plan_new(const char *input, const char *host_name);
void         plan_free(struct plan *plan);

/* The table that fills `plan` from an input's map. */
struct settings plan_settings(struct plan *plan);

/* May a record have more than one line?  Then group.c makes them. */
/* Nothing of it is sent twice, whatever happens: all its outputs are at_most_once. */
bool plan_at_most_once(const struct plan *plan);

static inline bool
plan_has_groups(const struct plan *plan)
{
    return plan->framing != NULL || plan->multiline != NULL;
}

/* The longest body of a record that was not made of fields, in bytes. */
uint64_t plan_longest(const struct plan *plan);

/* Make `encoding` of its name; -1 with `err` filled if there is none of that name. */
int plan_set_encoding(struct plan *plan, struct error *err);

void plan_add_field(struct plan *plan, uint32_t number, const char *text);

/* False: it takes lines apart, and is not the first. */
bool plan_add_parser(struct plan *plan, const struct parser *parser);
void plan_add_route(struct plan *plan, const struct route *route);

#endif
