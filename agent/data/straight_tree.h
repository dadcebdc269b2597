/* straight_tree.h - what a straight pattern consists of (straight.h).
 *
 * A pattern is a sequence of nodes: sets of bytes with a repeat, groups, which hold sequences, and
 * perhaps $ at the end.  Constant once it is made.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_STRAIGHT_TREE_H
#define AGENT_DATA_STRAIGHT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/slice.h"

enum { STRAIGHT_NO_LIMIT = INT32_MAX };

struct straight_set {
    uint64_t bits[4];           /* by byte */
};

static inline bool
straight_set_has(const struct straight_set *set, unsigned byte)
{
    return (set->bits[byte / 64] >> byte % 64 & 1) != 0;
}

struct straight_alternative {
    struct straight_node        *first;     /* of its sequence; NULL: it is empty */
    struct straight_set          begins;    /* with which bytes */
    struct straight_alternative *next;
};

enum straight_kind { STRAIGHT_SET, STRAIGHT_GROUP, STRAIGHT_END };
enum straight_how { STRAIGHT_GREEDY, STRAIGHT_LAZY, STRAIGHT_POSSESSIVE };

struct straight_node {
    enum straight_kind           kind;
    enum straight_how            how;
    struct straight_node        *next;      /* behind it in its sequence */
    unsigned                     min, max;  /* a set: how often; a group: 1 or 0, and 1 */
    struct straight_set          set;       /* a group: with which bytes it begins */
    unsigned                     capture;   /* a group: its number, or 0 */
    struct straight_alternative *alternatives;
};

struct straight_tree {
    struct straight_node        *first;     /* of the sequence behind ^; NULL: nothing */
    unsigned                     groups;    /* that capture */
    struct straight_node        *nodes;     /* where all of them are */
    struct straight_alternative *alternatives;
};

/* Of a pattern that PCRE2 takes.  False, and nothing to be freed: it is not straight. */
bool straight_tree_make(struct straight_tree *tree, struct slice pattern);
void straight_tree_fini(struct straight_tree *tree);

#endif
