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
#include "agent/data/chunk.h"
#include "agent/flow/plan.h"

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

static void
tell_long(const struct source *s, const struct chunk *c, struct log_repeat *told)
{
    static const char *const what[] = {
        [LONG_SPLIT] = "sent in pieces (long_lines: split",
        [LONG_TRUNCATE] = "sent without its end (long_lines: truncate",
        [LONG_DROP] = "left out (long_lines: drop",
    };

    log_again(told, s->plan->long_lines == LONG_SPLIT ? LOG_INFO : LOG_WARN,
              "'%s' has a line longer than max_line after byte %llu, which is %s, max_line: %llu)",
              s->path, (unsigned long long)c->begin, what[s->plan->long_lines],
              (unsigned long long)s->plan->max_line);
}

void
source_count_read(struct source *s, const struct chunk *c, struct source_told *told)
{
    s->read_records += c->records;
    s->read_bytes += c->end - c->begin;
    if (c->cut)
        s->cut_at = c->end;
    if (c->long_lines > 0)
        tell_long(s, c, &told->long_lines);
    if (c->undecoded > 0)
        log_again(&told->undecoded, LOG_WARN, "'%s' has bytes after byte %llu that are not '%s' "
                  "(each becomes U+FFFD)", s->path, (unsigned long long)c->begin,
                  s->plan->encoding_name);
}

uint64_t
source_number(const struct source *s)
{
    const uint64_t facts[] = { s->identity.device, s->identity.inode };

    return hash_bytes((struct slice){ (const char *)facts, sizeof facts });
}
