/* file_changes.c - see file_changes.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_changes.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"

void
file_changes_add(struct file_changes *c, struct file_change change)
{
    if (c->count == c->room) {
        c->room = c->room > 0 ? 2 * c->room : 16;
        c->list = mem_array(c->list, c->room, sizeof *c->list);
    }
    c->list[c->count++] = change;
}

void
file_changes_fini(struct file_changes *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->list[i].path);
    free(c->list);
    *c = (struct file_changes){ NULL, 0, 0 };
}

struct file_hint *
file_hints_add(struct file_hints *h, int wd, const char *name)
{
    struct file_hint *hint;

    if (h->count == h->room) {
        h->room = h->room > 0 ? 2 * h->room : 8;
        h->list = mem_array(h->list, h->room, sizeof *h->list);
    }
    hint = &h->list[h->count++];
    *hint = (struct file_hint){ .wd = wd, .name = name != NULL ? mem_string(name) : NULL };
    return hint;
}

void
file_hints_add_origin(struct file_hint *hint, int wd, const char *name)
{
    const size_t        len = strlen(name);
    struct file_origin *o = mem_alloc(sizeof *o + len + 1);

    *o = (struct file_origin){ .next = hint->origins, .wd = wd };
    memcpy(o->name, name, len + 1);
    hint->origins = o;
}

void
file_hints_fini(struct file_hints *h)
{
    for (size_t i = 0; i < h->count; i++) {
        free(h->list[i].name);
        for (struct file_origin *o = h->list[i].origins, *next; o != NULL; o = next) {
            next = o->next;
            free(o);
        }
    }
    free(h->list);
    *h = (struct file_hints){ NULL, 0, 0 };
}
