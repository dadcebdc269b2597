/* route.h - which record goes where, and as what.
 *
 * A route is compiled once and then constant: any thread.  Only `limit` counts,
 * atomically.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_ROUTE_H
#define AGENT_FLOW_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/error.h"
#include "agent/base/strings.h"
#include "agent/data/field.h"
#include "agent/data/names.h"
#include "agent/data/node.h"
#include "agent/data/pattern.h"
#include "agent/data/record.h"
#include "agent/data/serializer.h"
#include "agent/data/template.h"
#include "agent/flow/condition.h"
#include "agent/flow/json_value.h"
#include "agent/flow/limit.h"
#include "agent/flow/redact.h"

struct output;

enum value_kind {
    ROUTE_VALUE_BODY,
    ROUTE_VALUE_RAW,
    ROUTE_VALUE_NONE,       /* a null value */
    ROUTE_VALUE_TEMPLATE,
    ROUTE_VALUE_JSON,       /* one object of the fields */
};

struct named_template {
    struct slice     name;
    struct template *text;
};

struct route {
    struct mark             at;             /* where it stands, for messages */
    struct strings          from;           /* globs on input names; empty: all */
    struct conditions       when, unless;
    struct output          *output;
    struct template        *topic;          /* NULL only if the output has no topics */
    struct strings          topics;         /* globs that the topic must match; empty: any */
    struct template        *key;            /* NULL: none */
    enum serializer         key_serializer;
    struct template        *partition;      /* NULL: the output chooses */
    struct template        *timestamp;      /* NULL: see below */
    bool                    time_of_reading;    /* `timestamp: read` */
    struct named_template  *headers;
    size_t                  nheaders;
    enum value_kind         value;
    struct template        *value_template;
    struct json_value      *json;           /* ROUTE_VALUE_JSON */
    struct redactions       redact;         /* to be applied before the rest is asked for */
    struct limit           *limit;          /* `sample` and `rate_limit`; NULL: none */
    bool                    drop;
    bool                    go_on;          /* `continue` */
    size_t                  groups;         /* the most groups that one of its patterns has */
};

/* The keys of a route, for the reference and for inputs that carry one. */
extern const struct field route_fields[];

/* The outputs by which routes are compiled.  None at all: the caller has reported
 * that. */
struct output_list {
    struct output **list;
    size_t          count;
};

/* Compile one.  `what` names it in messages; `conf` is its map.  `in_input`: it is
 * an input's map, whose other keys are left alone.  NULL, with every mistake added
 * to `errs`. */
struct route *route_new(const char *what, const struct node *conf, bool in_input,
                        struct names *names, const struct output_list *outputs,
                        struct errors *errs);
void          route_free(struct route *r);

/* Is it for this input at all? */
bool route_from(const struct route *r, const char *input);

/* Do its conditions hold?  `work` has room for r->groups. */
bool route_matches(const struct route *r, const struct record *rec, struct arena *a,
                   struct pattern_work *work);

/* Write the value of a ROUTE_VALUE_JSON route, one JSON object: at `place` if `room` bytes do for
 * it, or else into `b`, where it stands until the next one (json_value_render()).  `a` is for what
 * it needs meanwhile. */
struct slice route_json(const struct route *r, const struct record *rec, struct arena *a,
                        char *place, size_t room, struct buf *b);

/* Is it a topic that Kafka would take: [a-zA-Z0-9._-], 1 to 249 characters,
 * neither "." nor ".."? */
bool route_topic_legal(struct slice topic);

/* May the route send to this topic, which its template has yielded?  It is legal
 * and matches `topics`, if there are any; one that begins with `__` and was made
 * from fields only if a glob of `topics` begins so too. */
bool route_topic_allowed(const struct route *r, struct slice topic);

#endif
