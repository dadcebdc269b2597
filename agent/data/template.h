/* template.h - text with ${field} in it.
 *
 *     ${field}             the field's value
 *     ${field:-default}    or the default when it is missing
 *     ${a.b}               nested JSON
 *     $$                   a dollar sign
 *
 * Compiled once at load, then constant: any thread may render it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_TEMPLATE_H
#define AGENT_DATA_TEMPLATE_H

#include <stdbool.h>

#include "agent/base/arena.h"
#include "agent/base/error.h"
#include "agent/base/slice.h"
#include "agent/data/names.h"
#include "agent/data/node.h"
#include "agent/data/record.h"

struct template;

/* Compile a scalar; NULL, with every mistake added to `errs` unless the node is
 * `bad` (its place: the
 * scalar's, moved to the wrong ${} when the scalar stands on one line without
 * quotes). */
struct template *template_new(const struct node *scalar, struct names *names,
                              struct errors *errs);
void             template_free(struct template *t);

/* True if it has no fields; `text` is then what it always yields, as long as
 * the template lives. */
bool template_constant(const struct template *t, struct slice *text);

/* The text for this record: a part of it, of the template or of `a`.  False if
 * a field is missing that has no default. */
bool template_render(const struct template *t, const struct record *r, struct arena *a,
                     struct slice *text);

/* As it was written, for messages. */
const char *template_text(const struct template *t);

/* Does it mention this field? */
bool template_mentions(const struct template *t, uint32_t number);

#endif
