/* node.h - a configuration file as a tree, before anybody knows what it means.
 *
 * Scalars, lists and maps, each with its place in the user's file.  tree.c
 * makes it from YAML; the settings tables (field.h) and the plugins read it.
 * A node and its texts live in the arena of the tree it belongs to: readers
 * borrow them and never change or free them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_NODE_H
#define AGENT_DATA_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/error.h"

enum node_kind { NODE_NULL, NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    struct mark    at;          /* of the value */
    const char    *text;        /* scalar: with a NUL behind; never NULL for a scalar */
    size_t         len;
    bool           quoted;      /* scalar: not as it stands in the file (quotes, block, ${env:}) */
    bool           secret;      /* it came from ${file:}: never print it */
    bool           bad;         /* what it should be is not known, which was reported already:
                                 * a reader complains no further */
    const char    *key;         /* the name this entry has in its map, or NULL */
    struct mark    key_at;
    struct node   *first;       /* list, map: the entries in the file's order */
    struct node   *next;        /* the entry after this one */
};

/* The entry of a map with that name, or NULL; NULL too if `map` is NULL or no map. */
const struct node *node_get(const struct node *map, const char *key);

/* The key of a map (NULL: none) that is most like `word`, or NULL: for "did you
 * mean". */
const char *node_nearest(const struct node *map, const char *word);

size_t node_count(const struct node *n);

/* "a map", "a list", "a text", "nothing": for messages. */
const char *node_kind_name(const struct node *n);

/* The value for a message: the text, or "(secret)". */
const char *node_shown(const struct node *n);

/* Where byte `offset` of a scalar stands in the user's file; the scalar's own place
 * if that is not known: in quotes, in a block, secret. */
struct mark node_mark(const struct node *scalar, size_t offset);

/* Walk what may be one value or a list of them ("where a list is expected, one
 * scalar is accepted"): the first element of a list, or the node itself; then
 * the next one.  NULL: no more. */
const struct node *node_first_of(const struct node *n);
const struct node *node_next_of(const struct node *n, const struct node *element);

#endif
