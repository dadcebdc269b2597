/* trees.h - configuration trees for tests, made by hand instead of from YAML.
 *
 * Every entry of a map stands on a line of its own, its key in column 3 and its
 * value in column 10 of "a.yaml".
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_TREES_H
#define TESTS_UNIT_TREES_H

#include "agent/base/arena.h"
#include "agent/data/node.h"

static inline struct node *
tree_node(struct arena *a, enum node_kind kind, const char *text, struct mark at)
{
    struct node *n = arena_alloc(a, sizeof *n);

    *n = (struct node){ .kind = kind, .at = at, .text = text,
                        .len = text != NULL ? strlen(text) : 0 };
    return n;
}

static inline struct node *
tree_root_map(struct arena *a)
{
    return tree_node(a, NODE_MAP, NULL, (struct mark){ "a.yaml", 1, 1 });
}

static inline struct node *
tree_add(struct node *parent, struct node *n)
{
    struct node **last = &parent->first;

    while (*last != NULL)
        last = &(*last)->next;
    *last = n;
    return n;
}

static inline struct node *
tree_entry(struct arena *a, struct node *map, const char *key, enum node_kind kind,
           const char *text)
{
    const unsigned line = map->at.line + (unsigned)node_count(map) + 1;
    struct node   *n = tree_node(a, kind, text, (struct mark){ "a.yaml", line, 10 });

    n->key = key;
    n->key_at = (struct mark){ "a.yaml", line, 3 };
    return tree_add(map, n);
}

/* An element of a list, at the list's place. */
static inline struct node *
tree_element(struct arena *a, struct node *list, const char *text)
{
    return tree_add(list, tree_node(a, NODE_SCALAR, text, list->at));
}

/* Another text for a scalar. */
static inline void
tree_text(struct node *scalar, const char *text)
{
    scalar->text = text;
    scalar->len = strlen(text);
}

#endif
