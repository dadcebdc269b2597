/* tree_parts.h - what the files of the tree share: tree.c reads one file,
 * tree_merge.c puts files together, tree_print.c shows where they are wrong.
 * For these three only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_TREE_PARTS_H
#define AGENT_TREE_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/arena.h"
#include "agent/base/buf.h"
#include "agent/base/error.h"
#include "agent/data/node.h"

struct tree_file {
    char      *name;        /* as messages show it */
    char      *identity;    /* its real path, or NULL */
    struct buf text;
    bool       open;        /* it, or what it includes, is being read */
};

struct tree {
    struct arena       arena;
    struct tree_file **files;   /* in load order */
    size_t             nfiles;
    size_t             nodes;
    bool               complete;
    struct node        root;
    struct node       *last;    /* section of it */
};

/* The top-level map of a file whose text was read, or NULL after an error that
 * ended it; `t->complete` is then false. */
struct node *tree_parse(struct tree *t, struct tree_file *file, struct errors *errs);

/* Every entry whose name an earlier one has is a mistake, and is taken out. */
void tree_drop_duplicates(struct node *map, struct errors *errs);

#endif
