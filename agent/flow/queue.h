/* queue.h - sources that wait for room, first come first served.
 *
 * A source stands in one queue at most (source->queued).  Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_QUEUE_H
#define AGENT_FLOW_QUEUE_H

#include <stdbool.h>

struct source;

/* A zeroed struct is an empty one. */
struct queue {
    struct source *first, *last;        /* linked by next_waiting */
};

void queue_add(struct queue *q, struct source *s);
struct source *queue_take(struct queue *q);                 /* the first; there is one */
void queue_remove(struct queue *q, struct source *s);       /* it stands there */

/* Somebody in it has nothing out. */
bool queue_has_idle(const struct queue *q);

#endif
