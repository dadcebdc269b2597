/* agent.h - a configuration at work: from the open state to the last checkpoint.
 *
 * `run` and `demo` drive one of these on a loop of their own.  Loop thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include <stdint.h>
#include <uv.h>

#include "agent/base/error.h"
#include "agent/config.h"
#include "agent/flow/pipeline.h"

struct agent;

/* Open and lock the state folder.  `config` is borrowed and freed after the
 * agent.  Before the first job of the process: it sets the number of libuv's workers.
 * NULL with ERR_LOCKED or ERR_SYSTEM. */
struct agent *agent_new(struct config *config, struct error *err);

/* Start outputs, then inputs. */
int agent_start(struct agent *a, uv_loop_t *loop, struct error *err);

/* Read no more, wait for acknowledgements (agent.shutdown_timeout at most),
 * write the last checkpoints, stop everything; then call `stopped`, never from
 * inside.  `unsent`: records that were read and will be sent again. */
typedef void agent_stopped_f(void *ctx, uint64_t unsent);
void agent_stop(struct agent *a, agent_stopped_f *stopped, void *ctx);

/* It was never started, or it has stopped. */
void agent_free(struct agent *a);

void agent_counts(const struct agent *a, struct pipeline_counts *counts);

#endif
