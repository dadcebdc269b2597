/* demo_show.h - what `stoker demo` prints: records as they arrive, and the sum.
 *
 * On a terminal in colour, one line a record; else plain and whole; or as JSON
 * (encode.h), with "offset" in front.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_CLI_DEMO_SHOW_H
#define AGENT_CLI_DEMO_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/cli/demo_tally.h"
#include "outputs/kafka_demo.h"

struct demo_show {
    const char *topic;      /* borrowed */
    bool        json;
    bool        colour;
    size_t      width;      /* of the terminal; 0: none, nothing is cut */
    bool        headed;     /* the line of titles was printed */
    struct buf  line;
};

/* Look where stdout leads to. */
void demo_show_init(struct demo_show *s, const char *topic, bool json);
void demo_show_fini(struct demo_show *s);

/* What happens here: the broker's address, the configuration as it was written. */
void demo_show_start(struct demo_show *s, const char *servers, struct slice config);

void demo_show_record(struct demo_show *s, const struct kafka_demo_record *r);

/* How it ended. */
struct demo_end {
    uint64_t written;       /* lines */
    uint64_t unsent;        /* records that were read and not acknowledged */
    double   seconds;
    bool     cut;           /* it took too long: the log may go on */
};

/* The sum: with JSON on stderr, else on stdout. */
void demo_show_summary(struct demo_show *s, const struct demo_tally *t,
                       const struct demo_end *end);

#endif
