/* source.c - see source.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hash.h"
#include "agent/base/mem.h"

void
source_init(struct source *s, const struct source_ops *ops, const struct plan *plan,
            const char *path)
{
    *s = (struct source){ .ops = ops, .plan = plan };
    source_rename(s, path);
    window_init(&s->window, 0, (struct tail_print){ 0, 0 });
}

void
source_rename(struct source *s, const char *path)
{
    char       *copy = mem_string(path);
    const char *slash = strrchr(copy, '/');

    free(s->path);
    s->path = copy;
    s->name = slash != NULL ? slash + 1 : copy;
}

void
source_fini(struct source *s)
{
    struct chunk *c = window_clear(&s->window), *newer;

    assert(!s->queued && !s->saving && !s->dirty && s->jobs == 0);
    for (; c != NULL; c = newer) {
        newer = c->newer;
        chunk_free(&c);
    }
    free(s->path);
    free(s->halted);
    s->path = s->halted = NULL;
    s->name = NULL;
}

uint64_t
source_number(const struct source *s)
{
    const uint64_t facts[] = { s->identity.device, s->identity.inode };

    return hash_bytes((struct slice){ (const char *)facts, sizeof facts });
}
