/* sample.h - what would become of some lines, without sending anything.
 *
 * The lines go through transform_chunk(), as every line does; only what an
 * output alone can decide (the partition of a record without key) stays open.
 * They come all at one moment, and counting (`sample`, `rate_limit`) begins with
 * them, so that the same lines always become the same.  Their end is their
 * finish: what is unfinished there is a record.
 *
 * For `stoker try` and the tests of a configuration.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_CLI_SAMPLE_H
#define AGENT_CLI_SAMPLE_H

#include <stdint.h>

#include "agent/base/slice.h"
#include "agent/config.h"
#include "agent/data/encode.h"

struct sample {
    const struct input *input;          /* whose lines they would be */
    const char         *path;           /* the file that they seem to come from */
    int32_t             partitions;     /* as if topics had so many; 0: not known */
    struct slice        lines;
};

/* What became of one record, in the order of records and routes. */
struct sample_record {
    struct shown_record shown;
    uint64_t            at;             /* its first byte in the lines */
    const char         *reject;         /* why it could not be sent, or NULL */
};

typedef void sample_f(void *ctx, const struct sample_record *r);

/* Calls `f` for each record; what it gets lives until it returns.  Returns how
 * many records of the lines came to nothing (chunk.h, `filtered`). */
uint64_t cli_sample(const struct config *config, const struct sample *s, sample_f *f, void *ctx);

#endif
