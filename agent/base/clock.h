/* clock.h - what time it is.
 *
 * Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_BASE_CLOCK_H
#define AGENT_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since the epoch (Kafka's timestamps). */
int64_t clock_epoch_ms(void);

/* The same as the last tick of the system's timer saw it, a few milliseconds ago: cheap
 * enough to be asked for every line. */
int64_t clock_coarse_ms(void);

/* Milliseconds and nanoseconds since some moment; never go back. */
uint64_t clock_ms(void);
uint64_t clock_ns(void);

#endif
