/* report.h - what an output has to tell of itself, for metrics and status.
 *
 * Counts are since the start and are exact.  What says "last interval" comes
 * from the client's own statistics, every ten seconds, and is 0 before the first; what a client
 * that failed and was replaced had sent after its last statistics is not in it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_REPORT_H
#define AGENT_FLOW_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct topic_report {
    const char *name;
    uint64_t    sent;               /* messages in requests, again ones too; last interval's end */
    uint64_t    acknowledged;       /* messages */
    uint64_t    rejected;           /* messages */
    uint64_t    waiting;            /* messages in its lanes, not handed over yet */
    uint64_t    partitions;
    uint64_t    batch_bytes_mean, batch_bytes_p99;          /* last interval */
    uint64_t    batch_messages_mean, batch_messages_p99;    /* last interval */
};

struct broker_report {
    char    *name;                  /* host:port/id */
    bool     up;
    uint64_t requests, bytes;       /* sent to it */
    uint64_t retried, failed, timed_out;    /* requests */
    uint64_t in_flight;             /* requests without an answer */
    uint64_t latency_mean, latency_p50, latency_p99;    /* microseconds; last interval */
};

struct output_report {
    uint64_t sent, sent_bytes;      /* messages in requests; last interval's end */
    uint64_t acknowledged;          /* messages */
    uint64_t sent_again;            /* messages that came back to the front of their lane */
    uint64_t retried;               /* requests that the client sent again by itself */
    uint64_t rejected;              /* messages */
    uint64_t lost;                  /* messages that were given up (at_most_once) */
    uint64_t in_flight;             /* messages with the client */
    uint64_t queue;                 /* messages that wait to be handed over */
    uint64_t producers;             /* clients that were replaced */
    const struct topic_report  *topics;
    size_t                      ntopics;
    const struct broker_report *brokers;
    size_t                      nbrokers;
};

#endif
