/* clock.h - what time it is.
 *
 * Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_BASE_CLOCK_H
#define AGENT_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since the epoch (Kafka's timestamps). */
int64_t clock_epoch_ms(void);

/* The same as the last tick of the system's timer saw it, a few milliseconds ago: cheap
 * enough to be asked for every line. */
int64_t clock_coarse_ms(void);

/* Milliseconds and nanoseconds since some moment; never go back. */
uint64_t clock_ms(void);
uint64_t clock_ns(void);

/* What a piece of work has cost this thread in CPU: more than `ns`?  However busy the
 * machine is; and cheap to ask while little time has passed at all. */
struct clock_limit {
    uint64_t began, cpu;    /* ns */
};

struct clock_limit clock_limit_begin(void);
bool               clock_limit_over(const struct clock_limit *limit, uint64_t ns);

#endif
