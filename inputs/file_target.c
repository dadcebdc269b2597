/* file_target.c - see file_target.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_target.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/flow/kubernetes.h"

void
file_target_learn(struct file_read *r, struct slice named)
{
    char    link[40], path[PATH_MAX];
    ssize_t len;

    file_target_forget(r);
    if (!kubernetes_is_link(named))
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", r->fd);
    len = readlink(link, path, sizeof path);
    if (len > 0)
        r->target = mem_copy(path, (size_t)len);
}

struct slice
file_target(const struct file_read *r, struct chunk *c)
{
    return r->target != NULL ? arena_copy(&c->arena, slice_of(r->target)) : NO_SLICE;
}

void
file_target_forget(struct file_read *r)
{
    free(r->target);
    r->target = NULL;
}
