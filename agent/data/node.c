/* node.c - see node.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/node.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/strings.h"

const struct node *
node_get(const struct node *map, const char *key)
{
    if (map == NULL || map->kind != NODE_MAP)
        return NULL;
    for (const struct node *n = map->first; n != NULL; n = n->next)
        if (strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

const char *
node_nearest(const struct node *map, const char *word)
{
    const size_t count = map != NULL ? node_count(map) : 0;
    const char **names = mem_array(NULL, count, sizeof *names);
    const char  *near;
    size_t       i = 0;

    for (const struct node *n = count > 0 ? map->first : NULL; n != NULL; n = n->next)
        names[i++] = n->key;
    near = strings_nearest(word, names, count);
    free(names);
    return near;
}

size_t
node_count(const struct node *n)
{
    size_t count = 0;

    for (const struct node *e = n->first; e != NULL; e = e->next)
        count++;
    return count;
}

const char *
node_kind_name(const struct node *n)
{
    static const char *const names[] = {
        [NODE_NULL] = "nothing", [NODE_SCALAR] = "a text",
        [NODE_LIST] = "a list", [NODE_MAP] = "a map",
    };

    return names[n->kind];
}

const char *
node_shown(const struct node *n)
{
    if (n->secret)
        return "(secret)";
    return n->kind == NODE_SCALAR ? n->text : node_kind_name(n);
}

struct mark
node_mark(const struct node *scalar, size_t offset)
{
    struct mark at = scalar->at;

    if (scalar->quoted || scalar->secret || offset > scalar->len)
        return at;
    for (size_t i = 0; i < offset; i++) {
        if (scalar->text[i] == '\n')
            return scalar->at;
        if (((unsigned char)scalar->text[i] & 0xc0) != 0x80)
            at.column++;
    }
    return at;
}

const struct node *
node_first_of(const struct node *n)
{
    if (n == NULL || n->kind == NODE_NULL)
        return NULL;
    return n->kind == NODE_LIST ? n->first : n;
}

const struct node *
node_next_of(const struct node *n, const struct node *element)
{
    return n->kind == NODE_LIST ? element->next : NULL;
}
