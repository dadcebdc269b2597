/* tree.h - YAML files as one tree of nodes.
 *
 * Reads the main file and everything it includes, replaces ${env:} and
 * ${file:} in scalars, and merges: maps of the same section by name, `routes` and `tests`
 * in load order.  The only place that knows libyaml.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_TREE_H
#define AGENT_TREE_H

#include <stdbool.h>
#include <stdio.h>

#include "agent/base/error.h"
#include "agent/base/slice.h"
#include "agent/data/node.h"

struct tree;

/* Read `file` and its includes.  Never NULL; what could be read is there, and
 * every mistake is in `errs`. */
struct tree *tree_load(const char *file, struct errors *errs);
void         tree_free(struct tree *t);

/* The merged top-level map.  A section whose parts do not go together (a map and
 * a list) stands there more than once. */
const struct node *tree_root(const struct tree *t);

/* False if a file could not be read to its end: what others refer to may be missing. */
bool tree_complete(const struct tree *t);

/* Every mistake as
 *     FILE:LINE:COL: message
 *         the source line
 *         ^~~~
 * sorted by load order and line; without a line only as FILE: message.  The
 * source is shown as it was written, so that ${file:} shows no secret; but for the value of
 * a key that names one (a password). */
void tree_print_errors(FILE *out, const struct tree *t, const struct errors *errs);

/* The text of a file as it was read, and its place in the load order; -1 if
 * it is none of the tree's. */
int tree_source(const struct tree *t, const char *file, struct slice *text);

/* libyaml's version: "0.2.5". */
const char *tree_library(void);

#endif
