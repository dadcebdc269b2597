/* output.h - the contract between an output and the rest.
 *
 * An output gets runs of messages (chunk.h) and says of every message, once:
 * delivered, or rejected for a fault of its own.  What failed for any other
 * reason it keeps and sends again.  Between its runs of one topic and partition
 * the order of arrival holds.
 *
 *     worker   topic, place          which partition, from what is known now
 *     loop     send ─► ... ─► pipeline_delivered / pipeline_rejected
 *
 * What an output with `at_most_once` was given has arrived as far as offsets are
 * concerned: it reports only what it rejects, or gives up (pipeline_lost).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_OUTPUT_H
#define AGENT_FLOW_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/error.h"
#include "agent/base/slice.h"
#include "agent/data/chunk.h"
#include "agent/data/field.h"
#include "agent/data/node.h"
#include "agent/data/serializer.h"

struct output_report;
struct pipeline;

enum {
    OUTPUT_READ_PAUSE = 5,              /* ms, unless the output's user says otherwise */
    OUTPUT_LEAST_MEMORY = 4 << 20,      /* bytes of a pipeline */
};

/* What becomes of a message that can never be delivered. */
enum on_rejected {
    REJECTED_DEAD_LETTER,       /* kept, for `stoker replay` */
    REJECTED_DROP,              /* counted */
    REJECTED_HALT,              /* its source stops before it; the next start tries it again */
};

/* Embedded first in the output's own struct. */
struct output {
    const struct output_ops *ops;
    char                    *name;          /* owned; the user's */
    bool                     has_topics;    /* routes to it need a topic, a legal one */
    enum on_rejected         on_rejected;
    enum serializer          key_serializer;    /* of routes that do not say */
    bool                     at_most_once;  /* what it was given counts as arrived at once */
    bool                     one_at_a_time; /* a source has one record out, and no more */
    uint64_t                 read_pause;    /* ms between two reads of a quiet source, at least */
    uint64_t                 memory;        /* lowers that of the agent to these bytes; 0: no */
    struct pipeline         *pipeline;      /* from start on */
};

typedef void output_stopped_f(void *ctx);

struct output_ops {
    /* Begin.  What only a cluster can refuse is no error: it is waited for.
     * Loop thread, as all below unless said. */
    int (*start)(struct output *o, struct pipeline *p, struct error *err);

    /* Take over the messages of a run; `run` itself is copied if it is kept.
     * While the output points into run->chunk it holds a pin there
     * (chunk->pins).  No report comes before this returns. */
    void (*send)(struct output *o, const struct run *run);

    /* Let go of everything that is not delivered yet, without reporting it,
     * and of every pin; then call `stopped`, never from inside. */
    void (*stop)(struct output *o, output_stopped_f *stopped, void *ctx);

    /* Free it; it was never started, or it has stopped. */
    void (*free)(struct output *o);

    /* ---- optional; all of them or none: an output with topics and partitions */

    /* What the output knows of a topic, to be handed to `place` and kept in
     * run->place; NULL: nothing yet, the loop will place.  Worker thread. */
    const void *(*topic)(const struct output *o, struct slice topic);

    /* The partition for a record: its number, or PARTITION_FREE if the output
     * chooses when it sends the run.  `key.ptr` NULL: no key.  `source` is a
     * number that is the same for all records of a source.  Worker thread. */
    int32_t (*place)(const struct output *o, const void *topic, struct slice key,
                     uint64_t source);

    /* ---- optional, each */

    /* Give up what only waits for a lane that cannot move, as far as it can be read again
     * (pipeline_rewind): called by the pipeline when others wait for room. */
    void (*yield)(struct output *o);

    /* Put a rejected message elsewhere than in the file of dead letters: reported
     * delivered when it is there, or pipeline_dead_letter().  False: it cannot. */
    bool (*dead_letter)(struct output *o, const struct run *run, struct message *m,
                        const char *reason);

    /* What it has to tell of itself (report.h); lives until the next call. */
    const struct output_report *(*report)(struct output *o);

    /* For `stoker check --connect`: reach the cluster and try everything the
     * configuration asks of it, within `timeout_ms`.  `topics` are the names known
     * at load; `max_line` is the longest line an input may read.  Blocks; no loop
     * runs.  0, or -1 with every trouble added to `errs`. */
    int (*probe)(struct output *o, const struct strings *topics, uint64_t max_line,
                 unsigned timeout_ms, struct errors *errs);

    /* For `stoker try`: the partition of a record if the topic had `count`
     * partitions; PARTITION_FREE if it depends on what else is sent. */
    int32_t (*partition_of)(const struct output *o, int32_t count, struct slice key,
                            uint64_t source);
};

/* One row of the registry. */
struct output_type {
    const char         *name;       /* the value of `type` */
    const char         *help;
    const struct field *fields;     /* its keys, `type` not among them */
    bool                has_topics; /* of every output of this type */

    /* Make it from its map; `name` and `what` ("output 'main'") for messages.
     * NULL, with every mistake added to `errs`. */
    struct output *(*load)(const char *name, const char *what, const struct node *conf,
                           struct errors *errs);
};

#endif
