/* checkpoint_batch.h - rows that are to be written together, as they were when
 * the batch was made.  Its owner's thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_CHECKPOINT_BATCH_H
#define AGENT_FLOW_CHECKPOINT_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "agent/flow/checkpoint.h"

/* A zeroed struct is an empty batch.  First all are put, then all removed. */
struct checkpoint_batch {
    struct checkpoint *put;
    size_t             nput, max_put;
    int64_t           *remove;
    size_t             nremove, max_remove;
};

void checkpoint_batch_put(struct checkpoint_batch *b, const struct source *s);
void checkpoint_batch_remove(struct checkpoint_batch *b, int64_t id);

/* `failed` could not be written: its rows go in front of those that came since. */
void checkpoint_batch_put_back(struct checkpoint_batch *b, struct checkpoint_batch *failed);

/* Empty it, keeping the memory of a small one; and free all. */
void checkpoint_batch_clear(struct checkpoint_batch *b);
void checkpoint_batch_fini(struct checkpoint_batch *b);

#endif
