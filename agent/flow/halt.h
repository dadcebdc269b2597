/* halt.h - sources that stop before a record (on_rejected: halt).
 *
 * A halted source is read no further until the next start.  What it has out
 * beside the rejected messages goes on; then its window can be dropped.
 *
 * Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_HALT_H
#define AGENT_FLOW_HALT_H

#include "agent/data/message.h"

struct output;
struct source;

/* Those that still have something out.  A zeroed struct is an empty list. */
struct halts {
    struct source *first;
};

/* This message, which `o` has rejected, halts its source: with an alarm, unless it
 * is halted already. */
void halts_add(struct halts *h, const struct output *o, const struct message *m,
               const char *reason);

/* Take one out of the list for which no worker reads, and of which nothing is out but what
 * has halted it; NULL: there is none. */
struct source *halts_take_settled(struct halts *h);

#endif
