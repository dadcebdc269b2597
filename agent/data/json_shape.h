/* json_shape.h - the shapes of the lines that a program writes, learned from them.
 *
 * One line of a program is much like the others: the same members in the same order, and only
 * the values differ.  What stands between two values is then one text, and a line is checked by
 * comparing those texts, and reading the values.  A line of another shape is read member by
 * member, by who asks, and may be learned.
 *
 * Of one thread, and for one tree of names.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_JSON_SHAPE_H
#define AGENT_DATA_JSON_SHAPE_H

#include "agent/data/json_fields.h"

struct json_shapes;

struct json_shapes *json_shapes_new(void);
void                json_shapes_free(struct json_shapes *shapes);

/* The members of a text that has a known shape become fields.  False: it has none, or is not right;
 * some fields may have been set then. */
bool json_shapes_take(struct json_shapes *shapes, struct slice text, struct json_fields *to);

/* Learn the shape of the text that was just not taken, and is one whole object; not always: there
 * is an end to what is remembered, and to the time that is spent on it. */
void json_shapes_learn(struct json_shapes *shapes, struct slice text, const struct record *r);

#endif
