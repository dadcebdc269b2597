/* kafka_merge.c - records of a source that meet in a lane by two ways.
 *
 * Those with a key get their partition from a worker, one run for each; those
 * without may be one run more, and go to whatever lane is filled just now.  If
 * that is one that the same chunk has a run for, the two are put together in the order of
 * their records: none of them is out yet.  Most chunks have only one kind.  Dead letters
 * on their way to a topic stay behind: what is handed over just now may be before them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "outputs/kafka.h"

/* Two ranges of messages, each in order: the first get into `a`, the others into `b`. */
static void
merge(struct message *a, uint32_t na, struct message *b, uint32_t nb)
{
    struct message *all = mem_array(NULL, na + nb, sizeof *all);
    uint32_t        i = 0, j = 0;

    while (i + j < na + nb) {
        const bool from_a = j == nb || (i < na && a[i].at <= b[j].at);

        all[i + j] = from_a ? a[i] : b[j];
        if (from_a)
            i++;
        else
            j++;
    }
    memcpy(a, all, na * sizeof *all);
    memcpy(b, all + na, nb * sizeof *all);
    free(all);
}

void
kafka_lane_add_run(struct kafka_lane *l, struct chunk *c, uint32_t first, uint32_t count,
                   uint64_t bytes)
{
    const struct kafka_piece *last = l->waiting.last;
    struct message           *m = c->messages;

    if (last != NULL && last->chunk == c && !(m[first].state & MESSAGE_DEAD) &&
        m[first].at < m[last->first + last->count - 1].at) {
        assert(first >= last->first + last->count || first + count <= last->first);
        merge(&m[last->first], last->count, &m[first], count);
    }
    kafka_lane_add(l, c, first, count, bytes);
}
