/* target.h - where the messages of a chunk go: one topic of one output each.
 *
 * A worker's, while it makes the messages of one chunk: the topic is looked up once, and
 * the run of each of its partitions is found by number.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_TARGET_H
#define AGENT_FLOW_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/slice.h"
#include "agent/data/chunk.h"

struct output;

enum { TARGET_BUCKETS = 64 };

struct target {
    struct output *output;
    struct slice   topic;
    const void    *place;       /* what the output knows of the topic (output.h) */
    uint32_t       next;        /* in its bucket */
    uint32_t      *runs;        /* by partition + 1, as far as nruns goes: none, or the run */
    uint32_t       nruns;
};

/* All zero before the first chunk. */
struct targets {
    struct chunk  *chunk;
    struct target *list;
    uint32_t       count, room;
    uint32_t       last;        /* the one that was found last; most records have the same */
    uint32_t       buckets[TARGET_BUCKETS];
};

void targets_begin(struct targets *all, struct chunk *c);
void targets_fini(struct targets *all);

/* `lasting`: the topic's text lives as long as the configuration; else it is copied. */
struct target *targets_find(struct targets *all, struct output *output, struct slice topic,
                            bool lasting);

/* The run of the chunk for this partition (PARTITION_FREE is one too), by its index. */
uint32_t target_run(struct targets *all, struct target *t, int32_t partition);

/* The run of what cannot be sent, by its reason: a constant text. */
uint32_t target_rejected_run(struct targets *all, const struct target *t, const char *reason);

#endif
