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
#include "agent/data/json_shape.h"
#include "agent/data/names.h"
#include "agent/data/node.h"
#include "agent/data/pattern.h"
#include "agent/data/record.h"

/* What a worker lends to a parser for one record. */
struct parse_work {
    struct pattern_work *pattern;   /* room for any pattern of the configuration */
    struct arena        *arena;     /* lives as long as the record's messages */
    const char          *reason;    /* why it did not match: a constant text */
    struct json_shapes  *shapes;    /* of the lines that were JSON; NULL: none are learned */
};

/* Embedded first in the parser's own struct. */
struct parser {
    const struct parser_ops *ops;
    size_t                   groups;    /* the most groups that one of its patterns has */
    const struct framing_ops *framing;  /* NULL, but for a parser of container logs */
};

enum { STREAM_STDOUT, STREAM_STDERR, STREAMS };

/* What a parser of container logs finds in a line of the file: what the container has
 * written, and about it. */
struct frame {
    struct slice body;          /* without its line end; a part of the line, or in the arena */
    unsigned     stream;        /* STREAM_* */
    bool         partial;       /* its line goes on in the next frame of the stream */
    bool         has_time;
    int64_t      time_ms;
    struct slice attributes;    /* for framing->attributes, or no slice */
    const char  *trouble;       /* for parse.error: a constant text, or NULL */
};

struct parser_ops {
    /* Find fields, change the body, set the time.  0, or -1 with work->reason
     * set: the record goes on with parse.error.  Worker thread. */
    int (*parse)(const struct parser *p, struct parse_work *work, struct record *r);

    void (*free)(struct parser *p);
};

/* A parser of container logs (cri, docker) takes the lines of the file apart before they are
 * put together to records (group.h): it can only be the first of its input, and its
 * `parse` is NULL. */
struct framing_ops {
    /* Find the frame in a line, its LF left out.  0, or -1 with work->reason set: it is no such
     * line.  Worker thread, as below. */
    int (*frame)(const struct parser *p, struct parse_work *work, struct slice line,
                 struct frame *f);

    /* Make fields of frame.attributes; may be NULL. */
    void (*attributes)(const struct parser *p, struct parse_work *work, struct slice attributes,
                       struct record *r);
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
