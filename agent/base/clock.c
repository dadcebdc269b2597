/* clock.c - see clock.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/base/clock.h"

#include <time.h>

static int64_t
epoch_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
clock_epoch_ms(void)
{
    return epoch_ms(CLOCK_REALTIME);
}

int64_t
clock_coarse_ms(void)
{
    return epoch_ms(CLOCK_REALTIME_COARSE);
}

uint64_t
clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t
clock_ms(void)
{
    return clock_ns() / 1000000u;
}

static uint64_t
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct clock_limit
clock_limit_begin(void)
{
    return (struct clock_limit){ clock_ns(), cpu_ns() };
}

bool
clock_limit_over(const struct clock_limit *limit, uint64_t ns)
{
    return clock_ns() - limit->began > ns && cpu_ns() - limit->cpu > ns;
}
