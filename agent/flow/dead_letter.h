/* dead_letter.h - records that an output will never take, kept for a human.
 *
 * One JSON line each in `state_dir/dead_letter/OUTPUT.jsonl`: `time`, `reason`,
 * `source` and the record's JSON form (config.md 4).  A message counts as
 * arrived only when its line is on disk; while it cannot be written it waits,
 * and so does the checkpoint of its source.  With an output that is at_most_once nobody
 * waits: what cannot be written is lost, and counted.
 *
 * Loop thread; files are written by a job, one at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_DEAD_LETTER_H
#define AGENT_FLOW_DEAD_LETTER_H

#include "agent/data/chunk.h"

struct dead_letters;
struct pipeline;

/* `state_dir` NULL: they are told and counted, and kept nowhere. */
struct dead_letters *dead_letters_new(struct pipeline *p, const char *state_dir);

/* pipeline_delivered() follows for the message, never from inside; with an output that is
 * at_most_once pipeline_unpin(), for the chunk is pinned meanwhile, also if it cannot be
 * written: then pipeline_letter_lost() was called.  Returns the bytes that it takes until then. */
size_t dead_letters_add(struct dead_letters *d, const struct run *run, const struct message *m,
                        const char *reason);

/* Finish what is being written, and what counts as arrived already; leave the rest.  Then
 * call `stopped`, never from inside. */
void dead_letters_stop(struct dead_letters *d, void (*stopped)(void *ctx), void *ctx);
void dead_letters_free(struct dead_letters *d);

#endif
