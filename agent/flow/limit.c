/* limit.c - see limit.h.
 *
 * The rate is kept by one number, the moment at which the next record would be
 * due if they came evenly (the generic cell rate algorithm, ITU-T I.371): each
 * record moves it on by an interval, and none may be ahead of it by more than
 * the burst.  So there is nothing to refill, and one atomic word is enough.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/limit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"

enum {
    MOST_SAMPLED = 1000 * 1000 * 1000,
    LEAST_INTERVAL = 100,       /* ns; shorter ones would be too coarse */
};

struct limit {
    uint64_t         part, of;  /* `part` of every `of` records; of 0: all */
    uint64_t         interval;  /* ns from record to record; 0: no limit */
    uint64_t         ahead;     /* ns that a record may come before it is due */
    _Atomic uint64_t seen;      /* records that were counted */
    _Atomic uint64_t due;       /* clock_ns() at which the next record would be due */
};

/* ---- Compiling ---------------------------------------------------------- */

/* Digits up to `end`, of a number from 1 on. */
static bool
to_number(const char *text, char end, uint64_t *number, const char **rest)
{
    char *stop;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *number = strtoull(text, &stop, 10);
    *rest = stop + 1;
    return errno == 0 && *stop == end && *number > 0;
}

static bool
is_given(const struct node *n)
{
    return n != NULL && n->kind != NODE_NULL && !n->bad;
}

/* A scalar without NUL; strlen() then tells all of it. */
static bool
is_word(const struct node *n)
{
    return n->kind == NODE_SCALAR && strlen(n->text) == n->len;
}

static void
load_sample(struct limit *l, const char *what, const struct node *n, struct errors *errs)
{
    const char *rest;

    if (is_word(n) && to_number(n->text, '/', &l->part, &rest) &&
        to_number(rest, '\0', &l->of, &rest) && l->part <= l->of && l->of <= MOST_SAMPLED)
        return;
    errors_at(errs, n->at, "%s: 'sample' is a part of the records like 1/100, not '%s'", what,
              node_shown(n));
}

/* The nanoseconds of a unit, or 0. */
static uint64_t
unit_length(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t    seconds;
    } units[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 } };

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].seconds * 1000 * 1000 * 1000;
    return 0;
}

static void
load_rate(struct limit *l, const char *what, const struct node *n, struct errors *errs)
{
    uint64_t    records, length = 0;
    const char *unit;

    if (is_word(n) && to_number(n->text, '/', &records, &unit))
        length = unit_length(unit);
    if (length == 0) {
        errors_at(errs, n->at, "%s: 'rate_limit' is a number of records a second, minute or hour "
                  "(1000/s, 50/m, 10/h), not '%s'", what, node_shown(n));
        return;
    }
    l->interval = length / records;
    l->ahead = (records - 1) * l->interval;
    if (l->interval < LEAST_INTERVAL)
        errors_at(errs, n->at, "%s: 'rate_limit' must be at most 10000000/s, not '%s'", what,
                  node_shown(n));
}

struct limit *
limit_new(const char *what, const struct node *sample, const struct node *rate_limit,
          struct errors *errs)
{
    const size_t  before = errs->count;
    struct limit *l;

    if (!is_given(sample) && !is_given(rate_limit))
        return NULL;
    l = NEW(struct limit);
    if (is_given(sample))
        load_sample(l, what, sample, errs);
    if (is_given(rate_limit))
        load_rate(l, what, rate_limit, errs);
    if (errs->count > before) {
        limit_free(l);
        return NULL;
    }
    return l;
}

void
limit_free(struct limit *l)
{
    free(l);
}

/* ---- Counting ----------------------------------------------------------- */

/* The records of a part larger than one are spread evenly over the whole. */
static bool
is_sampled(struct limit *l)
{
    const uint64_t n = atomic_fetch_add_explicit(&l->seen, 1, memory_order_relaxed) % l->of;

    return n * l->part % l->of < l->part;
}

static bool
is_due(struct limit *l, uint64_t now)
{
    uint64_t due = atomic_load_explicit(&l->due, memory_order_relaxed), from;

    do {
        from = due > now ? due : now;
        if (from - now > l->ahead)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&l->due, &due, from + l->interval,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

bool
limit_takes(struct limit *l, uint64_t now)
{
    if (l->of > 0 && !is_sampled(l))
        return false;
    return l->interval == 0 || is_due(l, now);
}

void
limit_reset(struct limit *l)
{
    atomic_store(&l->seen, 0);
    atomic_store(&l->due, 0);
}
