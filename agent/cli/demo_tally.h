/* demo_tally.h - what `stoker demo` checks and counts of the records that came back.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_CLI_DEMO_TALLY_H
#define AGENT_CLI_DEMO_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outputs/kafka_demo.h"

enum { DEMO_PARTITIONS = 4 };

/* Which partition the first record of a key came from. */
struct demo_key {
    uint64_t hash;
    int32_t  partition;     /* -1: a free place */
};

/* How old records were, in steps of 0.1 ms. */
struct demo_ages {
    uint32_t *steps;
    uint64_t  count;
};

struct demo_tally {
    uint64_t         records, keyless;
    uint64_t         in_partition[DEMO_PARTITIONS];
    uint64_t         jumps;         /* offsets that were not the next of their partition */
    uint64_t         moved;         /* records that are not where their key was first */
    struct demo_key *keys;          /* a hash table, at most half full */
    size_t           nkeys, places;
    struct demo_ages returned, acked;
};

void demo_tally_init(struct demo_tally *t);
void demo_tally_fini(struct demo_tally *t);

/* `age_ns`: from the write of its line until now. */
void demo_tally_add(struct demo_tally *t, const struct kafka_demo_record *r, uint64_t age_ns);

/* So many records in all are acknowledged now; what is new has this age. */
void demo_tally_acked(struct demo_tally *t, uint64_t records, uint64_t age_ns);

/* The age that `percent` of the records did not exceed, in ms, to 0.1 ms. */
double demo_tally_age(const struct demo_ages *a, unsigned percent);

/* How many partitions have records. */
unsigned demo_tally_partitions(const struct demo_tally *t);

/* Every key on one partition, every offset the next one. */
bool demo_tally_sound(const struct demo_tally *t);

#endif
