/* parser.h - the contract between a parser and the rest.
 *
 * A parser finds fields in the body of a record.  It knows slices, records and
 * names; no files, no loop, no outputs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_PARSER_H
#define AGENT_FLOW_PARSER_H

#include "agent/base/arena.h"
#include "agent/base/error.h"
#include "agent/data/field.h"
#include "agent/data/names.h"
#include "agent/data/node.h"
#include "agent/data/pattern.h"
#include "agent/data/record.h"

/* What a worker lends to a parser for one record. */
struct parse_work {
    struct pattern_work *pattern;   /* room for any pattern of the configuration */
    struct arena        *arena;     /* lives as long as the record's messages */
    const char          *reason;    /* why it did not match: a constant text */
};

/* Embedded first in the parser's own struct. */
struct parser {
    const struct parser_ops *ops;
    size_t                   groups;    /* the most groups that one of its patterns has */
};

struct parser_ops {
    /* Find fields, change the body, set the time.  0, or -1 with work->reason
     * set: the record goes on with parse.error.  Worker thread. */
    int (*parse)(const struct parser *p, struct parse_work *work, struct record *r);

    void (*free)(struct parser *p);
};

/* One row of the registry. */
struct parser_type {
    const char         *name;       /* the value of `type` */
    const char         *help;
    const struct field *fields;     /* its keys, `type` not among them */

    /* Compile it from its map (`what` names it in messages); NULL, with every
     * mistake added to `errs`. */
    struct parser *(*load)(const char *what, const struct node *conf, struct names *names,
                           struct errors *errs);
};

#endif
