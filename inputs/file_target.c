/* file_target.c - see file_target.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_target.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/flow/kubernetes.h"

/* Where the link leads, in r->target; false, and NULL there, if that says nothing of a pod. */
static bool
learn_from(struct file_read *r, const char *link)
{
    char              path[PATH_MAX];
    const ssize_t     len = readlink(link, path, sizeof path);
    struct kubernetes k;

    if (len <= 0)
        return false;
    kubernetes_parse((struct slice){ path, (size_t)len }, &k);
    if (k.uid.ptr != NULL)
        r->target = mem_copy(path, (size_t)len);
    return r->target != NULL;
}

/* Where Docker writes the log, the file of the pod is a link again: then only the first step
 * leads to it. */
void
file_target_learn(struct file_read *r, struct slice named)
{
    char link[PATH_MAX];

    file_target_forget(r);
    if (!kubernetes_is_link(named))
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", r->fd);
    if (learn_from(r, link))
        return;
    snprintf(link, sizeof link, "%.*s", SLICE_ARG(named));
    (void)learn_from(r, link);
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
