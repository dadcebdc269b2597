/* state_dir.h - the folder of what an agent remembers; one agent at a time has it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_STATE_DIR_H
#define AGENT_FLOW_STATE_DIR_H

#include <stdbool.h>

#include "agent/base/error.h"

/* Make it if it is missing, with those above it, and lock it (flock(2)): the descriptor of
 * the lock, which ends when it is closed, by kill -9 too.  -1: it cannot be made or
 * written (ERR_SYSTEM), or another agent has it (ERR_LOCKED). */
int state_dir_lock(const char *path, struct error *err);

/* In the file of the lock it is written whether the last agent left nothing on its way.  A
 * kill leaves what was written when it started; a file that is new or of an older version
 * says no. */
bool state_dir_is_settled(int lock);
void state_dir_settle(int lock, bool settled);

/* Rename a database, with its journals, to a name that says when, and tell why. */
void state_dir_set_aside(const char *database, const char *why);

#endif
