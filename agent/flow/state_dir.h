/* state_dir.h - the folder of what an agent remembers; one agent at a time has it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_STATE_DIR_H
#define AGENT_FLOW_STATE_DIR_H

#include "agent/base/error.h"

/* Make it if it is missing, with those above it, and lock it (flock(2)): the descriptor of
 * the lock, which ends when it is closed, by kill -9 too.  -1: it cannot be made or
 * written (ERR_SYSTEM), or another agent has it (ERR_LOCKED). */
int state_dir_lock(const char *path, struct error *err);

#endif
