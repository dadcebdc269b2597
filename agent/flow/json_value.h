/* json_value.h - a record's fields as one JSON object.
 *
 *     value: {format: json, include: [...], exclude: [...], add: {name: template}}
 *
 * Without `include`: the fields that parsers found and the static ones, in the
 * order they were set, then `body`.  With it: those it names, in its order, and
 * nothing else; a missing one is left out.  `exclude` takes names away, `add`
 * puts templates at the end; a field of the same name gives way.  A name stands
 * once in the object: `body` is the record's own, whatever a parser calls so, and so is
 * `parse.error` if there is one; what a line calls `host.name` stays where nothing else is.
 * Numbers keep their digits, booleans and nested JSON stay; the rest are
 * strings.  Bytes that are not UTF-8 become U+FFFD.
 *
 * A nested name (`a.b`) is taken out of the object `a` by `exclude`; by `include` it
 * becomes a member of that name.  Without `include` it is not repeated beside `a`.
 *
 * Compiled once and then constant: any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_JSON_VALUE_H
#define AGENT_FLOW_JSON_VALUE_H

#include "agent/base/arena.h"
#include "agent/base/buf.h"
#include "agent/base/error.h"
#include "agent/data/field.h"
#include "agent/data/names.h"
#include "agent/data/node.h"
#include "agent/data/record.h"

struct json_value;

/* The keys of such a map, for the reference. */
extern const struct field json_value_fields[];

/* NULL, with every mistake added to `errs`.  `what` names the owner in messages. */
struct json_value *json_value_new(const char *what, const struct node *map,
                                  struct names *names, struct errors *errs);
void               json_value_free(struct json_value *v);

/* The object: at `place`, which has `room` bytes, if it fits there and holds nothing but plain
 * texts and scalars; else in `b`, until that is written to again.  `a` is for what it needs
 * meanwhile. */
struct slice json_value_render(const struct json_value *v, const struct record *r, struct arena *a,
                               char *place, size_t room, struct buf *b);

#endif
