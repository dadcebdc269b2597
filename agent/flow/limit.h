/* limit.h - how many of its records a route sends: `sample` and `rate_limit`.
 *
 *     sample: 1/100         the first of every hundred records
 *     rate_limit: 1000/s    1000 at once, and one more each millisecond
 *
 * The records counted are those that the route takes.  Counting begins at zero
 * with the agent, and goes on over all sources of the route in the order in
 * which workers come to their records.  What is read again, after a crash or
 * because an output could not take it, is counted again: of a hundred records
 * another one may then be sent, and what was sent before may stay out.
 *
 * The counters are atomic: any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_LIMIT_H
#define AGENT_FLOW_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/error.h"
#include "agent/data/node.h"

struct limit;

/* Of two scalars, either of which may be NULL or null: not given.  NULL if there
 * is nothing to limit, or with every mistake added to `errs`; `what` names the
 * owner in messages. */
struct limit *limit_new(const char *what, const struct node *sample,
                        const struct node *rate_limit, struct errors *errs);
void          limit_free(struct limit *l);

/* Count one record, which was read at `now` (clock_ns()): is it sent? */
bool limit_takes(struct limit *l, uint64_t now);

/* Begin anew.  While nobody counts. */
void limit_reset(struct limit *l);

#endif
